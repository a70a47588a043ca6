//! `rolefit coverage` and `rolefit explain`.

use serde_json::{Value, json};

use crate::program::{code, rolefit, stderr, stdout};
use crate::world::World;

fn run(arguments: &[&str]) -> (Value, i32) {
    let output = rolefit(arguments);
    let value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)));
    (value, code(&output))
}

/// A role with item and queue actions by name, under a trail of basic selectors that logs the objects of
/// one bucket and no events of KMS.
fn world() -> World {
    let mut world = World::new();
    world.cover(0..40);
    world.call(3, "s3", "PutObject", json!({
        "requestParameters": {"bucketName": "out", "key": "a"}, "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::out/a"}],
        "eventCategory": "Data", "managementEvent": false
    }));
    world.write_logs();
    world.write_role(&json!([
        {"Sid": "Items", "Effect": "Allow", "Action": ["dynamodb:GetItem", "dynamodb:DeleteTable"], "Resource": "arn:aws:dynamodb:us-east-1:111122223333:table/T"},
        {"Sid": "Objects", "Effect": "Allow", "Action": ["s3:PutObject", "s3:GetObject"], "Resource": "arn:aws:s3:::out/*"},
        {"Sid": "Queue", "Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:DeleteQueue"], "Resource": "arn:aws:sqs:us-east-1:111122223333:it's"},
        {"Sid": "Key", "Effect": "Allow", "Action": "kms:Decrypt", "Resource": "arn:aws:kms:us-east-1:111122223333:key/k"}
    ]));
    world.write_snapshot(
        "event-selectors.json",
        &json!({"TrailARN": "arn:aws:cloudtrail:us-east-1:111122223333:trail/all", "EventSelectors": [{
            "ReadWriteType": "All", "IncludeManagementEvents": true, "ExcludeManagementEventSources": ["kms.amazonaws.com"],
            "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::out/"]}]}]}),
    );
    world
}

#[test]
fn coverage_says_what_is_blind_and_the_change_that_shows_it() {
    let world = world();
    let (report, exit) = run(&[
        "coverage",
        &world.logs(),
        "--snapshot",
        &world.snapshot(),
        "--output",
        "json",
    ]);
    assert_eq!(exit, 0);
    assert_eq!(report["schema"], "rolefit.coverage/1");
    let place = &report["places"][0];
    assert_eq!(
        (
            place["account"].as_str(),
            place["region"].as_str(),
            place["days"].as_u64()
        ),
        (Some("111122223333"), Some("us-east-1"), Some(40))
    );
    assert_eq!(
        place["management"],
        "no management events of kms.amazonaws.com"
    );
    assert_eq!(place["data"][0]["type"], "AWS::S3::Object");
    assert_eq!(place["data"][0]["logged"], "some");
    let blind: Vec<(&str, u64, Vec<&str>)> = place["blind"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| {
            let actions = row["actions"]
                .as_array()
                .unwrap()
                .iter()
                .map(|a| a.as_str().unwrap());
            (
                row["cause"].as_str().unwrap(),
                row["grants"].as_u64().unwrap(),
                actions.collect(),
            )
        })
        .collect();
    assert_eq!(
        blind,
        [
            ("AWS::DynamoDB::Table", 1, vec!["dynamodb:GetItem"]),
            ("AWS::SQS::Queue", 1, vec!["sqs:SendMessage"]),
            ("management events", 1, vec!["kms:Decrypt"]),
        ]
    );
    let change = &report["changes"][0];
    assert_eq!(
        change["trail"],
        "arn:aws:cloudtrail:us-east-1:111122223333:trail/all"
    );
    assert_eq!(change["replaces_basic"], true);
    let field = |name: &str, operator: &str, value: &str| json!({"Field": name, operator: [value]});
    assert_eq!(
        change["advanced_event_selectors"],
        json!([
            {"Name": "Management events", "FieldSelectors": [field("eventCategory", "Equals", "Management")]},
            {"Name": "AWS::S3::Object data events", "FieldSelectors": [field("eventCategory", "Equals", "Data"), field("resources.type", "Equals", "AWS::S3::Object"),
                field("resources.ARN", "StartsWith", "arn:aws:s3:::out/")]},
            {"Name": "All AWS::DynamoDB::Table data events", "FieldSelectors": [field("eventCategory", "Equals", "Data"), field("resources.type", "Equals", "AWS::DynamoDB::Table")]},
            {"Name": "All AWS::SQS::Queue data events", "FieldSelectors": [field("eventCategory", "Equals", "Data"), field("resources.type", "Equals", "AWS::SQS::Queue")]},
        ])
    );
    // The command that is printed holds the same, and applying it leaves nothing to change.
    let output = rolefit(&["coverage", &world.logs(), "--snapshot", &world.snapshot()]);
    let text = stdout(&output);
    let command = text
        .lines()
        .find(|line| line.starts_with("aws cloudtrail put-event-selectors"))
        .unwrap();
    let (before, argument) = command.split_once(" --advanced-event-selectors ").unwrap();
    assert_eq!(
        before,
        "aws cloudtrail put-event-selectors --trail-name arn:aws:cloudtrail:us-east-1:111122223333:trail/all --region us-east-1"
    );
    let selectors: Value = serde_json::from_str(
        argument
            .strip_prefix('\'')
            .unwrap()
            .strip_suffix('\'')
            .unwrap(),
    )
    .unwrap();
    assert_eq!(selectors, change["advanced_event_selectors"]);
    world.write_snapshot(
        "event-selectors.json",
        &json!({"TrailARN": change["trail"], "AdvancedEventSelectors": selectors}),
    );
    let (after, _) = run(&[
        "coverage",
        &world.logs(),
        "--snapshot",
        &world.snapshot(),
        "--output",
        "json",
    ]);
    assert_eq!(after["changes"], json!([]));
    assert_eq!(after["places"][0]["blind"], json!([]));
}

#[test]
fn without_selectors_coverage_infers_and_asks_for_them() {
    let world = world();
    std::fs::remove_file(world.path().join("snapshot/event-selectors.json")).unwrap();
    let output = rolefit(&["coverage", &world.logs(), "--snapshot", &world.snapshot()]);
    let text = stdout(&output);
    for expected in [
        "inferred from the events themselves",
        "only writes are in the input, since 2026-09-04",
        "get-event-selectors",
    ] {
        assert!(text.contains(expected), "{expected} in {text}");
    }
    assert!(!text.contains("put-event-selectors"), "no trail is known");
}

#[test]
fn explain_gives_the_evidence_chain() {
    let world = world();
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let of = |action: &str| {
        let (report, exit) = run(&[
            "explain",
            "worker-role",
            action,
            &logs,
            "--snapshot",
            &snapshot,
            "--output",
            "json",
        ]);
        assert_eq!(exit, 0);
        assert_eq!(report["schema"], "rolefit.explain/1");
        assert_eq!(report["roles"].as_array().unwrap().len(), 1);
        report["roles"][0]["actions"][0].clone()
    };
    let used = of("s3:putobject");
    assert_eq!(used["action"], "s3:PutObject");
    assert_eq!(
        (used["verdict"].as_str(), used["count"].as_u64()),
        (Some("used"), Some(1))
    );
    assert_eq!(used["first_seen"], "2026-09-04T10:00:00Z");
    assert_eq!(used["last_seen"], "2026-09-04T10:00:00Z");
    assert_eq!(used["event_ids"].as_array().unwrap().len(), 1);
    assert_eq!(used["resources"], json!(["arn:aws:s3:::out/a"]));
    assert_eq!(used["granted_by"], json!(["inline/Objects"]));
    assert_eq!(of("dynamodb:GetItem")["verdict"], "unseen");
    let gone = of("sqs:DeleteQueue");
    assert_eq!(gone["verdict"], "unused");
    assert_eq!(
        gone["reason"],
        "not used in 39 days; management events of this account are logged in us-east-1 since 2026-09-01, as the trail's selectors say"
    );
    assert_eq!(gone["removed"][0]["from"], "inline/Queue");
    assert_eq!(of("ec2:RunInstances")["verdict"], "not-granted");
    assert_eq!(of("s3:FrobnicateObject")["verdict"], "unknown-action");
    let (all, _) = run(&[
        "explain",
        "worker-role",
        &logs,
        "--snapshot",
        &snapshot,
        "--output",
        "json",
    ]);
    assert_eq!(all["roles"][0]["actions"].as_array().unwrap().len(), 7);
}

#[test]
fn explain_reads_a_report_and_says_what_is_wrong() {
    let world = world();
    let out = world.path().join("out").display().to_string();
    let (logs, snapshot) = (world.logs(), world.snapshot());
    rolefit(&["fit", &logs, "--snapshot", &snapshot, "--out-dir", &out]);
    let from_report = rolefit(&["explain", "worker-*", "s3:PutObject", "--report", &out]);
    let from_logs = rolefit(&[
        "explain",
        "worker-*",
        "s3:PutObject",
        &logs,
        "--snapshot",
        &snapshot,
    ]);
    assert_eq!(code(&from_report), 0, "{}", stderr(&from_report));
    assert_eq!(stdout(&from_report), stdout(&from_logs));
    assert!(stdout(&from_report).contains("  verdict    used\n"));
    for (arguments, exit) in [
        (vec!["explain", "worker-role"], 2),
        (vec!["explain", "worker-role", &logs, "--report", &out], 2),
        (vec!["explain", "nobody", "--report", &out], 3),
        (vec!["explain", "worker-role", "--report", &snapshot], 1),
        (
            vec![
                "explain",
                "worker-role",
                "/nowhere/at/all",
                "--snapshot",
                &snapshot,
            ],
            3,
        ),
        (
            vec!["coverage", "/nowhere/at/all", "--snapshot", &snapshot],
            3,
        ),
    ] {
        let output = rolefit(&arguments);
        assert_eq!(code(&output), exit, "{arguments:?}: {}", stderr(&output));
        assert!(!stderr(&output).is_empty());
    }
}
