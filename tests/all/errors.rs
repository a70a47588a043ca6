//! Wrong input: a clear line, a hint, the right exit code, nothing lost, and no role `ready`.

use std::fs;

use serde_json::{Value, json};

use crate::program::{code, codes, report, role, rolefit, stderr, stdout};
use crate::world::{self, World};

fn fails(arguments: &[&str], exit: i32, error: &str) {
    let output = rolefit(arguments);
    let text = stderr(&output);
    assert_eq!(code(&output), exit, "{arguments:?}: {text}");
    assert!(text.contains(error), "{arguments:?}: {text}");
    assert!(
        text.lines().any(|line| line.starts_with("error: ")),
        "{text}"
    );
    assert!(
        text.lines().any(|line| line.starts_with("hint: ")),
        "{text}"
    );
    assert!(!text.contains("panicked"), "{text}");
    assert_eq!(stdout(&output), "");
}

#[test]
fn wrong_paths_and_empty_places() {
    let temp = tempfile::tempdir().unwrap();
    let empty = temp.path().join("empty");
    fs::create_dir(&empty).unwrap();
    let other = temp.path().join("other");
    fs::create_dir(&other).unwrap();
    fs::write(other.join("notes.txt"), "nothing").unwrap();
    fs::write(other.join("data.json"), "{\"a\": 1}").unwrap();
    let path = |p: &std::path::Path| p.display().to_string();
    fails(
        &["fit", "no/such/place", "--snapshot", "sample-logs/snapshot"],
        3,
        "no such file or folder: `no/such/place`",
    );
    fails(
        &["fit", "no/such/*.gz", "--snapshot", "sample-logs/snapshot"],
        3,
        "no/such/*.gz",
    );
    fails(
        &["fit", &path(&empty), "--snapshot", "sample-logs/snapshot"],
        3,
        "no CloudTrail log",
    );
    fails(
        &["fit", &path(&other), "--snapshot", "sample-logs/snapshot"],
        3,
        "no CloudTrail log",
    );
    fails(
        &["fit", "sample-logs", "--snapshot", "no/such/snapshot"],
        1,
        "no/such/snapshot",
    );
    fails(
        &["fit", "sample-logs", "--snapshot", &path(&empty)],
        1,
        "account-authorization-details.json",
    );
    fails(
        &[
            "fit",
            "sample-logs",
            "--snapshot",
            "sample-logs/snapshot",
            "--account",
            "12",
        ],
        2,
        "`12` is not an account",
    );
    fails(
        &[
            "fit",
            "sample-logs",
            "--snapshot",
            "sample-logs/snapshot",
            "--since",
            "soon",
        ],
        2,
        "`soon` is not an age",
    );
    fails(
        &[
            "fit",
            "sample-logs",
            "--snapshot",
            "sample-logs/snapshot",
            "--account",
            "999999999999",
        ],
        3,
        "no CloudTrail log",
    );
}

#[test]
fn malformed_iam_json_says_where() {
    let world = World::new();
    world.write_snapshot_text(
        "account-authorization-details.json",
        "{\"RoleDetailList\": [\n  {\"RoleName\": }]}",
    );
    fails(
        &["fit", "sample-logs", "--snapshot", &world.snapshot()],
        1,
        "line 2 column 16",
    );
}

#[test]
fn one_malformed_policy_refuses_its_role_alone() {
    let mut world = World::new();
    world.cover(0..61);
    world.call(
        1,
        "sns",
        "DeleteTopic",
        json!({"requestParameters": {"topicArn": "arn:aws:sns:us-east-1:111122223333:t"}}),
    );
    world.write_logs();
    let mut broken = world::role("broken-role", &json!([]));
    broken["RolePolicyList"][0]["PolicyDocument"] = json!("%7B%22Version%22%3A");
    let details = json!({"RoleDetailList": [broken, world::role("worker-role", &json!([{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}]))], "Policies": []});
    world.write_snapshot("account-authorization-details.json", &details);
    let (report, code) = report(&[&world.logs(), "--snapshot", &world.snapshot()]);
    assert_eq!(code, 4);
    assert_eq!(role(&report, "broken-role")["status"], "refused");
    assert_eq!(codes(role(&report, "broken-role")), ["policy-unreadable"]);
    assert_ne!(role(&report, "worker-role")["status"], "refused");
}

#[test]
fn a_role_that_the_snapshot_lacks_is_told_and_refused() {
    let mut world = World::new();
    world.call(
        1,
        "sns",
        "DeleteTopic",
        json!({"requestParameters": {"topicArn": "arn:aws:sns:us-east-1:111122223333:t"}}),
    );
    world.write_logs();
    world.write_snapshot(
        "account-authorization-details.json",
        &json!({"RoleDetailList": [], "Policies": []}),
    );
    let (report, code) = report(&[&world.logs(), "--snapshot", &world.snapshot()]);
    assert_eq!(code, 4);
    let role = role(&report, "worker-role");
    assert_eq!(role["status"], "refused");
    assert_eq!(codes(role), ["role-not-in-snapshot"]);
    assert_eq!(role["proposed"], Value::Null);
    assert_eq!(
        role["decisions"][0]["action"], "sns:DeleteTopic",
        "what it did is not lost"
    );
}

#[test]
fn a_truncated_object_keeps_its_records_and_tightens_nothing() {
    let mut world = World::new();
    world.cover(0..61);
    world.write_logs();
    for day in 0..61 {
        world.call(day, "sns", "ListTopics", json!({}));
    }
    let path = world.write_logs();
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() * 2 / 3]).unwrap();
    world.write_role(&json!([{"Effect": "Allow", "Action": ["sns:ListTopics", "sns:DeleteTopic"], "Resource": "*"}]));
    world.write_selectors(&[]);
    let (report, code) = report(&[&world.logs(), "--snapshot", &world.snapshot()]);
    assert_eq!(code, 4);
    assert_eq!(report["input"]["objects"]["failed"], 1);
    let role = role(&report, "worker-role");
    assert_eq!(role["status"], "review");
    assert!(codes(role).contains(&"partial-input"));
    let verdicts: Vec<_> = role["decisions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| {
            (
                d["action"].as_str().unwrap(),
                d["verdict"].as_str().unwrap(),
            )
        })
        .collect();
    assert_eq!(
        verdicts,
        [("sns:DeleteTopic", "unseen"), ("sns:ListTopics", "used")],
        "unread input means unseen use"
    );
    let count = role["decisions"][1]["count"].as_u64().unwrap();
    assert!(
        (1..61).contains(&count),
        "what came before the break counts: {count}"
    );
}

#[test]
fn a_folder_that_is_not_empty_is_not_overwritten() {
    let temp = tempfile::tempdir().unwrap();
    fs::write(temp.path().join("mine.txt"), "mine").unwrap();
    let folder = temp.path().display().to_string();
    fails(
        &[
            "fit",
            "sample-logs",
            "--snapshot",
            "sample-logs/snapshot",
            "--out-dir",
            &folder,
        ],
        2,
        "is not empty",
    );
    assert_eq!(fs::read_dir(temp.path()).unwrap().count(), 1);
}

#[test]
fn strict_makes_incomplete_a_failure() {
    let output = rolefit(&[
        "fit",
        "sample-logs",
        "--snapshot",
        "sample-logs/snapshot",
        "--strict",
        "--role",
        "image-resizer-role",
    ]);
    assert_eq!(code(&output), 1);
    let output = rolefit(&[
        "fit",
        "sample-logs",
        "--snapshot",
        "sample-logs/snapshot",
        "--account",
        "111122223333",
        "--role",
        "order-processor-role",
    ]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
}

#[test]
fn hostile_names_stay_text() {
    let mut world = World::new();
    world.cover(0..61);
    let agent = "aws-cli/2.0 Darwin/23.4.0 \u{1b}[31m<script>alert(1)</script>\u{202e}";
    world.call(1, "sns", "ListTopics", json!({"userAgent": agent}));
    world.call(2, "s3", "PutObject", json!({
        "requestParameters": {"bucketName": "b", "key": "*/${aws:username}/../\u{0}\n"},
        "resources": [{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::b/*/${aws:username}/../\u{0}\n"}], "eventCategory": "Data"
    }));
    world.write_logs();
    world.write_role(
        &json!([{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::b/*"}]),
    );
    let output = rolefit(&["fit", &world.logs(), "--snapshot", &world.snapshot()]);
    let text = stdout(&output);
    assert!(text.contains("outside-use"), "{text}");
    assert!(
        !text.contains('\u{1b}') && !text.contains('\u{202e}'),
        "{text}"
    );
    let (report, _) = report(&[&world.logs(), "--snapshot", &world.snapshot()]);
    let verification = &role(&report, "worker-role")["verification"];
    assert_eq!(
        verification["no_new_access"]["holds"], true,
        "{verification}"
    );
    assert_eq!(
        verification["replay"]["denied"],
        json!([]),
        "{verification}"
    );
}

#[test]
fn a_region_selection_and_a_damaged_member_are_never_ready() {
    let mut world = World::new();
    world.cover(0..61);
    world.call(
        1,
        "sns",
        "ListTopics",
        json!({"eventID": "00000000-0000-4000-8000-aaaaaaaaaaaa"}),
    );
    let path = world.write_logs();
    world.write_role(
        &json!([{"Effect": "Allow", "Action": ["sns:ListTopics", "sns:DeleteTopic"], "Resource": "*"}]),
    );
    world.write_selectors(&[]);
    let (whole, code) = report(&[&world.logs(), "--snapshot", &world.snapshot()]);
    assert_eq!(role(&whole, "worker-role")["status"], "ready");
    assert_eq!(code, 0);
    let (one, _) = report(&[
        &world.logs(),
        "--snapshot",
        &world.snapshot(),
        "--region",
        "us-east-1",
    ]);
    assert!(codes(role(&one, "worker-role")).contains(&"region-selection"));
    // A member of the list that is no record was one before somebody redacted it.
    fs::write(
        path.with_file_name("111122223333_CloudTrail_us-east-1_20261031T2350Z_aaaaaaaaaaaaaaaa.json"),
        "{\"Records\":[\"redacted\",{\"userIdentity\":{\"type\":\"Root\"},\"eventSource\":\"sns.amazonaws.com\",\"eventName\":\"ListTopics\"}]}",
    )
    .unwrap();
    let (damaged, _) = report(&[&world.logs(), "--snapshot", &world.snapshot()]);
    assert_eq!(damaged["input"]["records"]["undecodable"], 1);
    assert!(codes(role(&damaged, "worker-role")).contains(&"partial-input"));
}
