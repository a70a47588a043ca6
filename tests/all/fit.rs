//! `rolefit fit`: same bytes for the same input, and small worlds made for one question each.

use std::path::Path;

use serde_json::json;

use crate::program::{allows, code, codes, report, role, rolefit, stderr, tree};
use crate::world::World;

fn fit_into(folder: &Path, threads: &str, logs: &[&str]) {
    let folder = folder.display().to_string();
    let mut arguments = vec!["fit"];
    arguments.extend(logs);
    arguments.extend([
        "--snapshot",
        "sample-logs/snapshot",
        "--threads",
        threads,
        "--out-dir",
        &folder,
    ]);
    let output = rolefit(&arguments);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
}

#[test]
fn same_input_same_bytes_for_any_threads_and_order() {
    let temp = tempfile::tempdir().unwrap();
    let accounts: Vec<String> = std::fs::read_dir("sample-logs/AWSLogs")
        .unwrap()
        .map(|e| e.unwrap().path().display().to_string())
        .collect();
    assert!(accounts.len() >= 4);
    let mut sorted: Vec<&str> = accounts.iter().map(String::as_str).collect();
    sorted.sort_unstable();
    let reversed: Vec<&str> = sorted.iter().rev().copied().collect();
    let mut rotated = sorted.clone();
    rotated.rotate_left(2);
    let runs = [
        ("1", sorted),
        ("2", reversed.clone()),
        ("8", rotated),
        ("1", reversed),
    ];
    let trees: Vec<_> = runs
        .iter()
        .enumerate()
        .map(|(at, (threads, logs))| {
            let folder = temp.path().join(at.to_string());
            fit_into(&folder, threads, logs);
            tree(&folder)
        })
        .collect();
    assert!(trees[0].len() > 40, "{}", trees[0].len());
    for other in &trees[1..] {
        for (name, bytes) in &trees[0] {
            assert!(other.get(name) == Some(bytes), "{name} differs");
        }
        assert_eq!(other.len(), trees[0].len());
    }
}

/// A world whose trail logs S3 and DynamoDB data events on every day.
fn seen_world() -> World {
    let mut world = World::new();
    world.cover(0..61);
    world.write_selectors(&["AWS::S3::Object", "AWS::DynamoDB::Table"]);
    world
}

fn fit(world: &mut World, statements: &serde_json::Value) -> (serde_json::Value, i32) {
    world.write_logs();
    world.write_role(statements);
    report(&[&world.logs(), "--snapshot", &world.snapshot()])
}

fn object(bucket: &str, key: &str) -> serde_json::Value {
    json!({
        "requestParameters": {"bucketName": bucket, "key": key},
        "resources": [
            {"type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::{bucket}/{key}")},
            {"accountId": "111122223333", "type": "AWS::S3::Bucket", "ARN": format!("arn:aws:s3:::{bucket}")}
        ],
        "eventCategory": "Data", "managementEvent": false
    })
}

#[test]
fn what_was_used_stays_and_what_was_visibly_unused_goes() {
    let mut world = seen_world();
    for day in 0..60 {
        world.call(
            day,
            "s3",
            "PutObject",
            object("out", &format!("dt=2026-09-{day:02}/part-{day:05}.json")),
        );
    }
    let (report, code) = fit(
        &mut world,
        &json!([{"Effect": "Allow", "Action": ["s3:*", "logs:*"], "Resource": ["arn:aws:s3:::out", "arn:aws:s3:::out/*", "arn:aws:logs:*:*:*"]}]),
    );
    let role = role(&report, "worker-role");
    let lines = allows(&role["proposed"]["policy"]);
    assert!(
        lines.contains(&"s3:PutObject arn:aws:s3:::out/dt=*/part-*.json".to_owned()),
        "{lines:#?}"
    );
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("s3:DeleteObject ") || line.starts_with("s3:GetObject ")),
        "{lines:#?}"
    );
    assert_eq!(role["status"], "ready", "{}", role["reasons"]);
    assert_eq!(code, 0);
}

#[test]
fn a_second_run_on_the_proposal_changes_nothing() {
    let mut world = seen_world();
    for day in 0..60 {
        world.call(
            day,
            "s3",
            "PutObject",
            object("out", &format!("a/{day:02}.json")),
        );
    }
    let (first, _) = fit(
        &mut world,
        &json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}, {"Effect": "Allow", "Action": "logs:*", "Resource": "*"}]),
    );
    let policy = role(&first, "worker-role")["proposed"]["policy"].clone();
    world.write_role(&policy["Statement"]);
    let (second, _) = report(&[&world.logs(), "--snapshot", &world.snapshot()]);
    let again = role(&second, "worker-role");
    assert_eq!(allows(&again["proposed"]["policy"]), allows(&policy));
    assert_eq!(again["status"], "unchanged");
}

#[test]
fn a_denied_call_grants_nothing() {
    let mut world = seen_world();
    let mut denied = object("secret", "x");
    denied["errorCode"] = json!("AccessDenied");
    denied["errorMessage"] = json!("Access Denied");
    for day in 0..60 {
        world.call(day, "s3", "GetObject", denied.clone());
        world.call(day, "s3", "PutObject", object("out", "x"));
    }
    let (report, _) = fit(
        &mut world,
        &json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::*"}]),
    );
    let role = role(&report, "worker-role");
    let lines = allows(&role["proposed"]["policy"]);
    assert_eq!(lines, ["s3:PutObject arn:aws:s3:::out/x"]);
    let decision = role["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|d| d["action"] == "s3:GetObject")
        .unwrap();
    assert_eq!(decision["verdict"], "denied-only");
    assert_eq!(role["denied"][0]["count"], 60);
}

#[test]
fn an_unmapped_event_keeps_the_grants_it_could_have_used() {
    let mut world = seen_world();
    world.call(3, "dynamodb", "FrobnicateTable", json!({}));
    let (report, code) = fit(
        &mut world,
        &json!([{"Effect": "Allow", "Action": ["dynamodb:DeleteTable", "sns:DeleteTopic"], "Resource": "*"}]),
    );
    let role = role(&report, "worker-role");
    assert_eq!(
        allows(&role["proposed"]["policy"]),
        ["dynamodb:DeleteTable *"]
    );
    assert_eq!(role["status"], "review");
    assert!(codes(role).contains(&"unmapped-events"));
    assert_eq!(role["unmapped"][0]["event_name"], "FrobnicateTable");
    assert_eq!(code, 4);
}

#[test]
fn a_short_window_is_for_a_person() {
    let mut world = World::new();
    world.cover(0..10);
    world.write_selectors(&["AWS::S3::Object"]);
    world.call(1, "s3", "PutObject", object("out", "x"));
    let (report, _) = fit(
        &mut world,
        &json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::out/*"}]),
    );
    assert_eq!(role(&report, "worker-role")["status"], "review");
    assert!(codes(role(&report, "worker-role")).contains(&"short-window"));
}

#[test]
fn silence_in_another_account_removes_nothing() {
    let mut world = World::new();
    world.write_logs();
    let (report, _) = fit(
        &mut world,
        &json!([{"Effect": "Allow", "Action": "sns:DeleteTopic", "Resource": "*"}]),
    );
    let worker = role(&report, "worker-role");
    assert_eq!(worker["status"], "review");
    assert!(
        codes(worker)
            .iter()
            .any(|code| ["unused-role", "account-not-covered"].contains(code))
    );
}

#[test]
fn a_resource_policy_is_not_the_execution_role() {
    // Someone invokes the function: the other door, no action of its role.
    let mut world = seen_world();
    world.call(5, "s3", "PutObject", object("out", "x"));
    world.call(
        5,
        "lambda",
        "Invoke",
        json!({"userIdentity": {"type": "AWSService", "invokedBy": "apigateway.amazonaws.com"}, "requestParameters": {"functionName": "worker"}, "eventCategory": "Data", "managementEvent": false}),
    );
    let (report, _) = fit(
        &mut world,
        &json!([{"Effect": "Allow", "Action": ["s3:*", "lambda:InvokeFunction"], "Resource": "*"}]),
    );
    let decisions = role(&report, "worker-role")["decisions"]
        .as_array()
        .unwrap();
    assert!(
        decisions
            .iter()
            .all(|d| d["action"] != "lambda:InvokeFunction" || d["verdict"] != "used")
    );
}

#[test]
fn a_broken_witness_is_never_ready() {
    for (name, content) in [
        ("functions.json", "{\"Functions\": ["),
        ("event-source-mappings.json", "{}"),
        ("event-selectors.json", "[1]"),
        (
            "service-last-accessed/worker-role.json",
            "{\"JobStatus\": \"IN_PROGRESS\", \"ServicesLastAccessed\": []}",
        ),
        (
            "functions.json",
            "{\"Functions\": [], \"NextToken\": \"x\"}",
        ),
    ] {
        let mut world = seen_world();
        world.call(
            1,
            "sqs",
            "CreateQueue",
            json!({"requestParameters": {"queueName": "q"}}),
        );
        world.write_snapshot_text(name, content);
        let (report, code) = fit(
            &mut world,
            &json!([{"Effect": "Allow", "Action": "sqs:CreateQueue", "Resource": "*"}]),
        );
        let worker = role(&report, "worker-role");
        assert!(
            codes(worker).contains(&"snapshot-incomplete"),
            "{name}: {}",
            worker["reasons"]
        );
        assert_eq!(
            (worker["status"].as_str().unwrap(), code),
            ("review", 4),
            "{name}"
        );
    }
}

#[test]
fn rare_work_of_lambda_stays_where_its_configuration_is_not_known() {
    let statements = json!([{"Effect": "Allow", "Action": ["ec2:CreateNetworkInterface", "ec2:RunInstances", "sqs:CreateQueue"], "Resource": "*"}]);
    let mut world = seen_world();
    world.call(
        1,
        "sqs",
        "CreateQueue",
        json!({"requestParameters": {"queueName": "q"}}),
    );
    let (report, _) = fit(&mut world, &statements);
    let actions = |report: &serde_json::Value| -> Vec<String> {
        allows(&role(report, "worker-role")["proposed"]["policy"])
            .iter()
            .map(|line| line.split(' ').next().unwrap().to_owned())
            .collect()
    };
    assert_eq!(
        actions(&report),
        ["ec2:CreateNetworkInterface", "sqs:CreateQueue"]
    );
    // Configuration that says the function is in no VPC settles it.
    world.write_snapshot(
        "functions.json",
        &json!({"Functions": [{"FunctionName": "worker", "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:worker", "Role": World::role_arn("worker-role")}]}),
    );
    world.write_snapshot(
        "event-source-mappings.json",
        &json!({"EventSourceMappings": []}),
    );
    let (report, _) = self::report(&[&world.logs(), "--snapshot", &world.snapshot()]);
    assert_eq!(actions(&report), ["sqs:CreateQueue"]);
}

#[test]
fn the_agent_of_a_runtime_proves_no_execution_role() {
    // A function takes a second role and carries its agent along.
    let mut world = seen_world();
    world.call(1, "sqs", "CreateQueue", json!({
        "userIdentity": {"type": "AssumedRole", "accountId": "111122223333", "arn": "arn:aws:sts::111122223333:assumed-role/target/job",
            "sessionContext": {"sessionIssuer": {"type": "Role", "arn": "arn:aws:iam::111122223333:role/target"}}},
        "requestParameters": {"queueName": "q"}
    }));
    let (report, _) = fit(&mut world, &json!([]));
    let arns: Vec<&str> = report["roles"]
        .as_array()
        .unwrap()
        .iter()
        .map(|role| role["arn"].as_str().unwrap())
        .collect();
    assert_eq!(arns, ["arn:aws:iam::111122223333:role/worker-role"]);
}

#[test]
fn listing_stays_on_the_access_point_that_objects_are_read_through() {
    let mut world = World::new();
    world.cover(0..61);
    world.write_selectors(&["AWS::S3::Object", "AWS::S3::AccessPoint"]);
    let point = "arn:aws:s3:us-east-1:111122223333:accesspoint/ap1";
    for day in 0..60 {
        let object = json!({
            "requestParameters": {"bucketName": point, "key": "a.csv"},
            "resources": [{"type": "AWS::S3::Object", "ARN": format!("{point}/object/a.csv")}, {"type": "AWS::S3::AccessPoint", "ARN": point}],
            "eventCategory": "Data", "managementEvent": false
        });
        world.call(day, "s3", "GetObject", object);
    }
    let (report, _) = fit(
        &mut world,
        &json!([
            {"Effect": "Allow", "Action": "s3:GetObject", "Resource": format!("{point}/object/*")},
            {"Effect": "Allow", "Action": "s3:ListBucket", "Resource": point}
        ]),
    );
    let lines = allows(&role(&report, "worker-role")["proposed"]["policy"]);
    assert!(
        lines.contains(&format!("s3:ListBucket {point}")),
        "{lines:#?}"
    );
    assert!(
        lines.contains(&format!("s3:GetObject {point}/object/a.csv")),
        "{lines:#?}"
    );
}

/// A grant of everything on a resource of one service is no grant of the actions of others, also where a
/// policy variable is in the resource.
#[test]
fn everything_on_a_resource_with_a_variable_is_little() {
    let mut world = seen_world();
    world.call(1, "s3", "GetObject", object("home", "AROAX:worker/a"));
    let (report, _) = fit(
        &mut world,
        &json!([{"Effect": "Allow", "Action": "*", "Resource": "arn:aws:s3:::home/${aws:userid}/*"}]),
    );
    let role = role(&report, "worker-role");
    assert_ne!(
        role["status"], "refused",
        "{:#} {:#}",
        role["reasons"], role["verification"]
    );
    assert!(role["decisions"].as_array().unwrap().len() < 1_000);
}

#[test]
fn a_region_that_shows_up_late_proves_no_silence() {
    let mut world = World::new();
    world.cover(0..61);
    world.write_selectors(&[]);
    for day in 0..60 {
        world.call(
            day,
            "ssm",
            "GetParameter",
            json!({"requestParameters": {"name": "p"}}),
        );
    }
    let there = json!({"awsRegion": "eu-west-1", "requestParameters": {"queueName": "q"}});
    world.call(59, "sqs", "CreateQueue", there);
    let queue = "arn:aws:sqs:eu-west-1:111122223333:q";
    let (report, _) = fit(
        &mut world,
        &json!([{"Effect": "Allow", "Action": ["sqs:CreateQueue", "sqs:DeleteQueue"], "Resource": queue},
            {"Effect": "Allow", "Action": "ssm:GetParameter", "Resource": "*"}]),
    );
    let lines = allows(&role(&report, "worker-role")["proposed"]["policy"]);
    for action in ["sqs:CreateQueue", "sqs:DeleteQueue"] {
        assert!(lines.contains(&format!("{action} {queue}")), "{lines:#?}");
    }
}
