//! `fit --per-function`: a role for each function that shares one; and the other doors in the report.

use std::fs;

use serde_json::{Value, json};

use crate::program::{allows, code, codes, report, role, rolefit, stderr};
use crate::world::{ACCOUNT, World, function, role as a_role, session};

const ID: &str = "AROAEXAMPLEWORKER0001";
const TABLE: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/Orders";

fn fit(world: &World) -> Value {
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let report = report(&[&logs, "--snapshot", &snapshot, "--per-function"]).0;
    for role in report["roles"].as_array().unwrap() {
        let Some(apart) = role.get("per_function") else {
            continue;
        };
        assert_eq!(apart["union_contained"]["holds"], true, "{role}");
        for own in apart["functions"].as_array().unwrap() {
            let verification = &own["verification"];
            for promise in ["no_new_access", "valid", "quota"] {
                assert_eq!(verification[promise]["holds"], true, "{own}");
            }
            assert_eq!(verification["replay"]["denied"], json!([]), "{own}");
        }
    }
    report
}

fn own<'r>(report: &'r Value, name: &str) -> &'r Value {
    role(report, "worker-role")["per_function"]["functions"]
        .as_array()
        .unwrap()
        .iter()
        .find(|own| own["name"] == name)
        .unwrap_or_else(|| panic!("no {name}"))
}

/// What a function's own policy allows, without conditions and without logging.
fn lines(report: &Value, name: &str) -> Vec<String> {
    let lines = allows(&own(report, name)["proposed"]["policy"]);
    let kept = lines.into_iter().filter(|line| !line.starts_with("logs:"));
    kept.map(|line| line.split(" {").next().unwrap().to_owned())
        .collect()
}

fn said(report: &Value) -> String {
    role(report, "worker-role")["per_function"]["said"].to_string()
}

/// A shared role with a path of actions, and its functions.
fn world(actions: &[&str], functions: &[Value]) -> World {
    let world = World::new();
    world.write_role(
        &json!([{"Sid": "Work", "Effect": "Allow", "Action": actions, "Resource": "*"},
        {"Sid": "Logs", "Effect": "Allow", "Action": "logs:*", "Resource": "*"}]),
    );
    world.write_snapshot("functions.json", &json!({ "Functions": functions }));
    world.write_snapshot(
        "event-source-mappings.json",
        &json!({"EventSourceMappings": []}),
    );
    world.write_selectors(&["AWS::DynamoDB::Table", "AWS::Lambda::Function"]);
    world
}

fn item(name: &str, identity: &Value) -> (String, Value) {
    let more = json!({"requestParameters": {"tableName": "Orders"}, "userIdentity": identity, "eventCategory": "Data", "managementEvent": false,
        "resources": [{"type": "AWS::DynamoDB::Table", "ARN": TABLE, "accountId": ACCOUNT}]});
    (name.to_owned(), more)
}

fn two(scoped: bool) -> World {
    let mut world = world(
        &["dynamodb:*", "sqs:*"],
        &[
            function("reader", "worker-role", &json!({})),
            function("writer", "worker-role", &json!({})),
        ],
    );
    let (get, get_more) = item("GetItem", &session("worker-role", ID, "reader", scoped));
    let (put, put_more) = item("PutItem", &session("worker-role", ID, "writer", scoped));
    world
        .cover(0..40)
        .call(1, "dynamodb", &get, get_more)
        .call(35, "dynamodb", &put, put_more);
    world
}

#[test]
fn each_function_gets_what_it_did_itself() {
    for scoped in [true, false] {
        let mut world = two(scoped);
        world.write_logs();
        let report = fit(&world);
        let reader = lines(&report, "reader");
        let writer = lines(&report, "writer");
        assert!(
            reader.contains(&format!("dynamodb:GetItem {TABLE}")),
            "{reader:?}"
        );
        assert!(
            writer.contains(&format!("dynamodb:PutItem {TABLE}")),
            "{writer:?}"
        );
        assert!(
            !reader.iter().any(|line| line.contains("PutItem")),
            "{reader:?}"
        );
        assert!(
            !writer.iter().any(|line| line.contains("GetItem")),
            "{writer:?}"
        );
        assert_eq!(own(&report, "reader")["loses"], json!(["dynamodb:PutItem"]));
        assert_eq!(own(&report, "reader")["role_name"], "reader-role");
        assert_eq!(own(&report, "reader")["own_calls"], 1);
    }
}

#[test]
fn conditions_stand_only_where_the_function_itself_calls() {
    let mut world = two(true);
    world.write_logs();
    let report = fit(&world);
    let policy = &own(&report, "reader")["proposed"]["policy"];
    for statement in policy["Statement"].as_array().unwrap() {
        let tied = statement["Condition"]["ArnEquals"]["lambda:SourceFunctionArn"].is_string();
        let own_call = statement["Action"] == "dynamodb:GetItem";
        assert_eq!(tied, own_call, "{statement}");
    }
    assert_eq!(own(&report, "reader")["source_function_statements"], 1);
    let condition = json!({"StringEquals": {"aws:SourceAccount": ACCOUNT}});
    let trust = &own(&report, "reader")["trust_policy"]["Statement"][0];
    assert_eq!(
        trust["Principal"],
        json!({"Service": "lambda.amazonaws.com"})
    );
    assert_eq!(trust["Condition"], condition);

    // Lambda makes calls of its own for a function in a VPC.
    let vpc = json!({"VpcConfig": {"SubnetIds": ["subnet-1"]}});
    world.write_snapshot(
        "functions.json",
        &json!({"Functions": [function("reader", "worker-role", &vpc), function("writer", "worker-role", &json!({}))]}),
    );
    let report = fit(&world);
    assert!(
        own(&report, "reader")["trust_policy"]["Statement"][0]
            .get("Condition")
            .is_none()
    );
    assert_eq!(
        own(&report, "writer")["trust_policy"]["Statement"][0]["Condition"],
        condition
    );
}

#[test]
fn what_lambda_does_itself_goes_to_those_that_it_may_have_done_it_for() {
    let mut world = two(true);
    let queue = "arn:aws:kinesis:us-east-1:111122223333:stream/in";
    world.write_role(&json!([{"Effect": "Allow", "Action": ["dynamodb:*", "kms:Decrypt", "kinesis:*", "logs:*"], "Resource": "*"}]));
    world.write_snapshot(
        "event-source-mappings.json",
        &json!({"EventSourceMappings": [{"UUID": "1", "FunctionArn": "arn:aws:lambda:us-east-1:111122223333:function:reader", "EventSourceArn": queue}]}),
    );
    let mut identity = session("worker-role", ID, "awslambda_12_20260910101010101", false);
    identity["invokedBy"] = json!("AWS Internal");
    let key = "arn:aws:kms:us-east-1:111122223333:key/12345678-1234-1234-1234-123456789012";
    world
        .call(2, "kms", "Decrypt", json!({"userIdentity": identity, "requestParameters": {"encryptionContext": {"aws:kinesis:arn": queue}},
            "resources": [{"type": "AWS::KMS::Key", "ARN": key, "accountId": ACCOUNT}]}))
        .write_logs();
    let report = fit(&world);
    assert!(
        lines(&report, "reader")
            .iter()
            .any(|line| line.starts_with("kms:Decrypt"))
    );
    assert!(
        !lines(&report, "writer")
            .iter()
            .any(|line| line.starts_with("kms:Decrypt"))
    );
    assert!(said(&report).contains("awslambda_"), "{}", said(&report));
    assert_eq!(own(&report, "reader")["shared_calls"], 1);

    // Without mappings in the snapshot any of them may be polled.
    fs::remove_file(format!("{}/event-source-mappings.json", world.snapshot())).unwrap();
    let report = fit(&world);
    for name in ["reader", "writer"] {
        assert!(
            lines(&report, name)
                .iter()
                .any(|line| line.starts_with("kms:Decrypt")),
            "{name}"
        );
    }
}

#[test]
fn what_a_function_that_is_gone_did_goes_to_its_heirs_or_to_nobody() {
    let mut world = two(true);
    let (delete, more) = item("DeleteItem", &session("worker-role", ID, "gone", true));
    world.call(20, "dynamodb", &delete, more).write_logs();
    let report = fit(&world);
    // The writer began after it, the reader ran before.
    assert!(lines(&report, "writer").contains(&format!("dynamodb:DeleteItem {TABLE}")));
    assert!(
        !lines(&report, "reader")
            .iter()
            .any(|line| line.contains("DeleteItem"))
    );
    assert!(said(&report).contains("gone is gone"), "{}", said(&report));
}

#[test]
fn names_are_free_and_paths_and_boundaries_stay() {
    let mut world = two(true);
    world.write_logs();
    let mut shared = a_role(
        "team/worker-role",
        &json!([{"Effect": "Allow", "Action": ["dynamodb:*", "logs:*"], "Resource": "*"}]),
    );
    shared["RoleName"] = json!("worker-role");
    let edge = "arn:aws:iam::111122223333:policy/edge";
    shared["PermissionsBoundary"] = json!({"PermissionsBoundaryArn": edge});
    let details = json!({"RoleDetailList": [shared, a_role("Reader-Role", &json!([]))], "Policies": [{"PolicyName": "edge", "Arn": edge, "DefaultVersionId": "v1",
        "PolicyVersionList": [{"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}}]}]});
    world.write_snapshot("account-authorization-details.json", &details);
    world.write_snapshot(
        "functions.json",
        &json!({"Functions": [function("reader", "team/worker-role", &json!({})), function("writer", "team/worker-role", &json!({}))]}),
    );
    let report = fit(&world);
    let reader = own(&report, "reader");
    assert_eq!(reader["role_name"], "reader-function-role");
    assert_eq!(reader["role_path"], "/team/");
    assert_eq!(reader["boundary"], edge);
}

#[test]
fn a_folder_per_function_with_everything_to_move_it() {
    let mut world = two(true);
    world.write_logs();
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let out = world.path().join("out").display().to_string();
    let output = rolefit(&[
        "fit",
        &logs,
        "--snapshot",
        &snapshot,
        "--per-function",
        "--out-dir",
        &out,
    ]);
    assert!([0, 4].contains(&code(&output)), "{}", stderr(&output));
    let folder = format!("{out}/{ACCOUNT}/worker-role/functions");
    for file in [
        "sharing.md",
        "finish.sh",
        "reader/policy.json",
        "reader/trust-policy.json",
        "reader/apply.sh",
        "reader/rollback.sh",
        "reader/role.tf",
        "reader/template.yaml",
        "reader/decision.json",
        "writer/policy.json",
    ] {
        assert!(fs::metadata(format!("{folder}/{file}")).is_ok(), "{file}");
    }
    let table = fs::read_to_string(format!("{folder}/sharing.md")).unwrap();
    assert!(
        table.contains("| reader |") && table.contains("dynamodb:PutItem"),
        "{table}"
    );
    for script in ["finish.sh", "reader/apply.sh", "reader/rollback.sh"] {
        let path = format!("{folder}/{script}");
        let check = std::process::Command::new("bash")
            .args(["-n", &path])
            .status()
            .unwrap();
        assert!(check.success(), "{script}");
    }
    let policy = format!("{folder}/reader/policy.json");
    let current = format!("{out}/{ACCOUNT}/worker-role/current.json");
    let verify = rolefit(&["verify", "--current", &current, "--proposed", &policy]);
    assert_eq!(code(&verify), 0, "{}", stderr(&verify));
}

#[test]
fn the_samples_shared_role_is_taken_apart() {
    let report = report(&[
        "sample-logs",
        "--snapshot",
        "sample-logs/snapshot",
        "--per-function",
    ])
    .0;
    let shared = role(&report, "shared-api-role");
    let functions = shared["per_function"]["functions"].as_array().unwrap();
    let get = functions
        .iter()
        .find(|own| own["name"] == "api-orders-get")
        .unwrap();
    let lines = allows(&get["proposed"]["policy"]);
    let orders: Vec<&String> = lines
        .iter()
        .filter(|line| !line.starts_with("logs:"))
        .collect();
    assert_eq!(orders.len(), 1);
    assert!(orders[0].starts_with(&format!("dynamodb:GetItem {TABLE}")));
    assert_eq!(
        get["loses"],
        json!(["dynamodb:PutItem", "dynamodb:UpdateItem", "sns:Publish"])
    );
    assert_eq!(shared["per_function"]["union_contained"]["holds"], true);
}

#[test]
fn trust_policies_are_reviewed_and_left_alone() {
    let mut world = two(true);
    world.write_logs();
    let mut shared = a_role(
        "worker-role",
        &json!([{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]),
    );
    shared["AssumeRolePolicyDocument"]["Statement"]
        .as_array_mut()
        .unwrap()
        .push(json!({"Sid": "Partner", "Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::999988887777:root"}, "Action": "sts:AssumeRole"}));
    world.write_snapshot(
        "account-authorization-details.json",
        &json!({"RoleDetailList": [shared]}),
    );
    let report = fit(&world);
    let row = role(&report, "worker-role");
    assert_eq!(row["trust"][0]["code"], "trust-cross-account-unconditional");
    assert_eq!(row["trust"][0]["statement"], "Partner");
    assert!(codes(row).contains(&"trust-cross-account-unconditional"));
    assert_eq!(row["status"], "review");
}

#[test]
fn the_inbound_door_shows_who_came_in_by_which_statement() {
    let mut world = two(true);
    let target = "arn:aws:lambda:us-east-1:111122223333:function:reader";
    let invoke = |service: &str, source: &str| {
        json!({"userIdentity": {"type": "AWSService", "invokedBy": service}, "eventCategory": "Data", "managementEvent": false,
            "requestParameters": {"functionName": target, "sourceArn": source}, "resources": [{"type": "AWS::Lambda::Function", "ARN": target, "accountId": ACCOUNT}]})
    };
    world
        .call(
            1,
            "lambda",
            "Invoke",
            invoke("s3.amazonaws.com", "arn:aws:s3:::inbox"),
        )
        .call(
            39,
            "lambda",
            "Invoke",
            invoke("s3.amazonaws.com", "arn:aws:s3:::inbox"),
        )
        .write_logs();
    let statement = |sid: &str, service: &str| json!({"Sid": sid, "Effect": "Allow", "Principal": {"Service": service}, "Action": "lambda:InvokeFunction", "Resource": target});
    let policy = json!({"Version": "2012-10-17", "Statement": [statement("bucket", "s3.amazonaws.com"), statement("old", "sns.amazonaws.com")]});
    world.write_snapshot(
        "function-policies/reader.json",
        &json!({"Policy": policy.to_string(), "RevisionId": "1"}),
    );
    let report = fit(&world);
    let inbound = role(&report, "worker-role")["inbound"].as_array().unwrap();
    let reader = inbound
        .iter()
        .find(|row| row["function"] == target)
        .unwrap();
    assert_eq!(reader["callers"][0]["source_arn"], "arn:aws:s3:::inbox");
    assert_eq!(reader["callers"][0]["count"], 2);
    let verdicts: Vec<&str> = reader["statements"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["verdict"].as_str().unwrap())
        .collect();
    assert_eq!(verdicts, ["used", "unused"]);
    let tightened = reader["tightened"]["Statement"].as_array().unwrap();
    assert_eq!(tightened.len(), 1);
    assert_eq!(
        tightened[0]["Condition"]["ArnLike"]["AWS:SourceArn"],
        "arn:aws:s3:::inbox"
    );
}
