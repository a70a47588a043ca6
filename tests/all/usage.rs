//! Usage files: shards in any split, order and number give what one run gives, to the byte.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::program::{code, rolefit, stderr, stdout};

/// Numbers that look random and are the same in every run.
struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self
            .0
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }
}

fn run(arguments: &[&str]) -> String {
    let output = rolefit(arguments);
    assert!(
        [0, 4].contains(&code(&output)),
        "{arguments:?}: {}",
        stderr(&output)
    );
    stdout(&output)
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

/// What one run says, from logs and from the usage file of a scan of them; and that file.
fn single(logs: &[&str], snapshot: &[&str], folder: &Path) -> (String, Vec<u8>) {
    let out = text(&folder.join("single"));
    let mut arguments = vec!["scan", "--out", &out];
    arguments.extend(logs);
    run(&arguments);
    let fit = |from: &[&str]| {
        let mut arguments = vec!["fit", "--output", "json"];
        arguments.extend(from);
        arguments.extend(snapshot);
        run(&arguments)
    };
    let report = fit(logs);
    assert!(
        report == fit(&["--usage", &out]),
        "{logs:?}: the usage file says something else"
    );
    (report, fs::read(&out).unwrap())
}

/// Splits the files at random into groups that overlap, scans each with some number of threads, and
/// merges them in some order, some twice, partly in two steps.
fn shattered(files: &[String], folder: &Path, dice: &mut Dice) -> Vec<u8> {
    let groups = 2 + dice.roll(5) as usize;
    let mut parts: Vec<Vec<&str>> = vec![Vec::new(); groups];
    for file in files {
        parts[dice.roll(groups as u64) as usize].push(file);
        if dice.roll(4) == 0 {
            parts[dice.roll(groups as u64) as usize].push(file);
        }
    }
    let mut shards: Vec<String> = Vec::new();
    for (at, part) in parts
        .iter()
        .enumerate()
        .filter(|(_, part)| !part.is_empty())
    {
        let out = text(&folder.join(format!("part-{at}")));
        let threads = (1 + dice.roll(4)).to_string();
        let mut arguments = vec!["scan", "--threads", &threads, "--out", &out];
        arguments.extend(part);
        run(&arguments);
        shards.insert(dice.roll(shards.len() as u64 + 1) as usize, out);
    }
    let again = shards[dice.roll(shards.len() as u64) as usize].clone();
    shards.push(again);
    let merge = |out: &Path, files: &[String]| {
        let out = text(out);
        let mut arguments = vec!["merge", "--out", &out];
        arguments.extend(files.iter().map(String::as_str));
        run(&arguments);
        out
    };
    if shards.len() > 2 {
        let rest = shards.split_off(1 + dice.roll(shards.len() as u64 - 2) as usize);
        let first = merge(&folder.join("first"), &shards);
        shards = rest;
        shards.insert(dice.roll(shards.len() as u64 + 1) as usize, first);
    }
    let all = merge(&folder.join("all"), &shards);
    fs::read(all).unwrap()
}

/// Every log file, as a walk through the folder names it.
fn files(folder: &str) -> Vec<String> {
    fn walk(folder: &Path, out: &mut Vec<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else {
                out.push(text(&path));
            }
        }
    }
    let mut out = Vec::new();
    walk(Path::new(folder), &mut out);
    out.sort();
    out
}

#[test]
fn shards_of_the_samples_are_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let snapshot = ["--snapshot", "sample-logs/snapshot"];
    let (report, whole) = single(&["sample-logs/AWSLogs"], &snapshot, folder.path());
    assert!(report.contains("\"duplicate\": ") && !report.contains("\"duplicate\": 0,"));
    for of in [1, 3, 8] {
        let shards: Vec<String> = (1..=of)
            .map(|number| {
                let out = text(&folder.path().join(format!("{number}-{of}")));
                let shard = format!("{number}/{of}");
                run(&[
                    "scan",
                    "sample-logs/AWSLogs",
                    "--shard",
                    &shard,
                    "--out",
                    &out,
                ]);
                out
            })
            .rev()
            .collect();
        let out = text(&folder.path().join("merged"));
        let mut arguments = vec!["merge", "--out", &out];
        arguments.extend(shards.iter().map(String::as_str));
        run(&arguments);
        assert!(fs::read(&out).unwrap() == whole, "{of} shards");
    }
}

/// A trail with what makes putting shards together hard: copies in other objects, events without an id
/// or a time, more resources, strangers and callers than are kept apart, and refused calls of all kinds.
fn hard_trail(folder: &Path, dice: &mut Dice) {
    let uuid = |n: u64| {
        format!(
            "{:08x}-0000-4000-8000-{:012x}",
            n.wrapping_mul(2_654_435_761) & 0xffff_ffff,
            n
        )
    };
    let role = |name: &str| format!("arn:aws:iam::111122223333:role/{name}");
    let mut records: Vec<Value> = Vec::new();
    for n in 0..10_000_u64 {
        let day = 1 + dice.roll(12).saturating_sub(8);
        let kind = dice.roll(12);
        let name =
            ["reader", "writer", "stranger"][if kind < 6 { 0 } else { dice.roll(3) as usize }];
        let (hour, minute) = (dice.roll(24), dice.roll(60));
        let mut record = json!({
            "eventVersion": "1.11", "eventCategory": "Data", "readOnly": true,
            "eventTime": format!("2026-11-{day:02}T{hour:02}:{minute:02}:07Z"), "eventID": uuid(n),
            "eventSource": "s3.amazonaws.com", "eventName": "GetObject", "awsRegion": "eu-west-1",
            "recipientAccountId": if dice.roll(9) == 0 { "444455556666" } else { "111122223333" },
            "userAgent": "exec-env/AWS_Lambda_python3.13", "sourceIPAddress": "192.0.2.1",
            "userIdentity": {"type": "AssumedRole", "principalId": format!("AROA{name}:fn-{name}"), "accountId": "111122223333",
                "arn": format!("arn:aws:sts::111122223333:assumed-role/{name}/fn-{name}"),
                "sessionContext": {"sessionIssuer": {"type": "Role", "arn": role(name), "principalId": format!("AROA{name}")}}},
        });
        match kind {
            0..=5 => {
                // On some days more keys than are kept apart, on others fewer.
                let key = dice.roll(if day < 2 { 5_000 } else { 700 });
                record["requestParameters"] =
                    json!({"bucketName": "data", "key": format!("in/2026/{key}/part.csv")});
                record["resources"] = json!([{"type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::data/in/2026/{key}/part.csv")},
                    {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::data"}]);
            }
            6 => {
                record["errorCode"] = json!("AccessDenied");
                record["errorMessage"] = json!(format!(
                    "User: arn:aws:sts::111122223333:assumed-role/{name}/fn-{name} is not authorized to perform: s3:GetObject on resource: arn:aws:s3:::data/x/{n} because no identity-based policy allows the s3:GetObject action"
                ));
                record["requestParameters"] =
                    json!({"bucketName": "data", "key": format!("x/{n}")});
            }
            7 => {
                record["userIdentity"]["arn"] = json!(format!(
                    "arn:aws:sts::111122223333:assumed-role/{name}/someone-{}",
                    dice.roll(400)
                ));
                record["userAgent"] = json!(format!(
                    "[aws-cli/2.{} md/Botocore#1 os/macos#25]",
                    dice.roll(300)
                ));
                record["sourceIPAddress"] = json!(format!("198.51.100.{}", dice.roll(250)));
            }
            8 => {
                record["eventSource"] = json!("lambda.amazonaws.com");
                record["eventName"] = json!("Invoke");
                record["userIdentity"] =
                    json!({"type": "AWSService", "invokedBy": "events.amazonaws.com"});
                record["requestParameters"] = json!({"functionName": "arn:aws:lambda:eu-west-1:111122223333:function:fn",
                    "sourceArn": format!("arn:aws:events:eu-west-1:111122223333:rule/r-{}", dice.roll(500))});
            }
            9 => {
                record["eventCategory"] = json!("Management");
                record["eventSource"] = json!("sqs.amazonaws.com");
                record["eventName"] = json!("GetQueueUrl");
                record["requestParameters"] = json!({"queueName": format!("q-{}", dice.roll(3))});
            }
            10 => {
                record["userIdentity"] =
                    json!({"type": "IAMUser", "userName": "alice", "accountId": "111122223333"});
            }
            _ => {
                record["eventCategory"] = json!("Management");
                record["eventSource"] = json!("iam.amazonaws.com");
                record["eventName"] = json!("PutRolePolicy");
                record["requestParameters"] =
                    json!({"roleName": name, "policyName": format!("p-{n}")});
            }
        }
        if dice.roll(40) == 0 {
            record.as_object_mut().unwrap().remove("eventID");
        }
        if dice.roll(60) == 0 {
            record.as_object_mut().unwrap().remove("eventTime");
        }
        records.push(record);
    }
    // Copies: of another trail, anywhere.
    let copies: Vec<Value> = (0..900)
        .map(|_| records[dice.roll(records.len() as u64) as usize].clone())
        .filter(|record| record.get("eventID").is_some())
        .collect();
    records.extend(copies);
    for at in (1..records.len()).rev() {
        records.swap(at, dice.roll(at as u64 + 1) as usize);
    }
    let key = folder.join("AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/04");
    fs::create_dir_all(&key).unwrap();
    for (at, chunk) in records.chunks(460).enumerate() {
        let name = format!("111122223333_CloudTrail_eu-west-1_20261104T{at:02}05Z_{at:016}.json");
        let mut bytes = serde_json::to_vec(&json!({"Records": chunk})).unwrap();
        if at == 3 {
            bytes.truncate(bytes.len() * 2 / 3);
        }
        fs::write(key.join(name), bytes).unwrap();
    }
    fs::write(
        folder.join("loose.json"),
        "{\"Records\": [{\"eventVersion\": 7}]}",
    )
    .unwrap();
    fs::write(folder.join("other.json"), "{\"not\": \"a trail\"}").unwrap();
}

#[test]
fn random_shards_of_hard_trails_are_one_run() {
    let rounds = if std::env::var_os("ROLEFIT_FULL").is_some() {
        60
    } else {
        3
    };
    let mut climbed = false;
    for round in 0..rounds {
        let mut dice = Dice(round + 1);
        let folder = tempfile::tempdir().unwrap();
        let logs = folder.path().join("logs");
        fs::create_dir_all(&logs).unwrap();
        if round % 3 == 2 {
            // The samples, which the others do not look like.
            let files = files("sample-logs/AWSLogs");
            let named: Vec<&str> = files.iter().map(String::as_str).collect();
            let (_, whole) = single(&named, &[], folder.path());
            let parts = shattered(&files, folder.path(), &mut dice);
            assert!(parts == whole, "round {round}");
            continue;
        }
        hard_trail(&logs, &mut dice);
        let (report, whole) = single(&[&text(&logs)], &["--all-roles"], folder.path());
        climbed |= report.contains("arn:aws:s3:::data/in/*/part.csv");
        let parts = shattered(&files(&text(&logs)), folder.path(), &mut dice);
        assert!(parts == whole, "round {round}");
    }
    assert!(climbed, "the ladder was climbed");
}

/// The same question, asked of logs and of the usage file.
fn same_answer(question: &[&str], logs: &str, usage: &str) {
    let ask = |from: &[&str]| {
        let mut arguments = question.to_vec();
        arguments.extend(from);
        let output = rolefit(&arguments);
        (code(&output), stdout(&output), stderr(&output))
    };
    let (one, other) = (ask(&[logs]), ask(&["--usage", usage]));
    assert!(one.0 != 1 && one.0 != 2, "{question:?}: {}", one.2);
    assert_eq!((one.0, &one.1), (other.0, &other.1), "{question:?}");
}

#[test]
fn every_command_answers_from_a_usage_file_as_from_logs() {
    let folder = tempfile::tempdir().unwrap();
    let usage = text(&folder.path().join("usage"));
    run(&["scan", "sample-logs/AWSLogs", "--out", &usage]);
    for question in [
        "fit --output markdown --per-function",
        "fit --output json --include-outside --all-roles",
        "fit --output json --from 2026-10-01",
        "fit --output json --from 2026-10-01 --to 2026-10-31",
        "fit --output json --account 111122223333",
        "fit --output json --region us-east-1",
        "fit --output json --account 111122223333 --region eu-west-1 --from 2026-10-10",
        "check --output json",
        "denied --output json",
        "coverage --output json",
        "explain order-processor-role",
        "explain * s3:PutObject --output json",
        "backtest --output json --split 2026-11-01 --granularity prefix",
        "backtest --output json --split 60% --rolling 3 --granularity prefix",
    ] {
        let mut question: Vec<&str> = question.split(' ').collect();
        question.extend(["--snapshot", "sample-logs/snapshot"]);
        same_answer(&question, "sample-logs/AWSLogs", &usage);
    }
}

#[test]
fn what_a_usage_file_cannot_answer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| text(&folder.path().join(name));
    let (october, all, other) = (path("october"), path("all"), path("other"));
    let logs = "sample-logs/AWSLogs";
    run(&[
        "scan",
        logs,
        "--from",
        "2026-10-01",
        "--account",
        "111122223333",
        "--out",
        &october,
    ]);
    run(&["scan", logs, "--out", &all]);
    run(&[
        "scan",
        logs,
        "--from",
        "2026-10-02",
        "--account",
        "111122223333",
        "--out",
        &other,
    ]);
    fs::write(path("text"), "not a usage file").unwrap();
    let mut newer = fs::read(&all).unwrap();
    newer[14] = 9;
    fs::write(path("newer"), &newer).unwrap();
    newer[14] = 1;
    fs::write(path("short"), &newer[..newer.len() - 1]).unwrap();
    newer[3_000] ^= 16;
    fs::write(path("flipped"), &newer).unwrap();
    for (arguments, exit, says) in [
        (
            vec!["fit", "--usage", &october, "--from", "2026-09-01"],
            2,
            "does not hold events before",
        ),
        (
            vec!["fit", "--usage", &october, "--account", "444455556666"],
            2,
            "does not hold account",
        ),
        (
            vec!["fit", "--usage", &all, "--from", "2026-10-01T12:00:00Z"],
            2,
            "whole days",
        ),
        (
            vec!["fit", "--usage", &all, logs],
            2,
            "takes the place of LOGS",
        ),
        (
            vec!["fit", "--usage", "s3://bucket/usage"],
            2,
            "lie on disk",
        ),
        (
            vec!["scan", logs, "--state", "s3://bucket/state"],
            2,
            "lie on disk",
        ),
        (vec!["requests", "--usage", &all], 2, "holds no records"),
        (
            vec!["scan", "--usage", &all, "--out", &other],
            2,
            "reads LOGS",
        ),
        (vec!["scan", "-", "--out", &other], 2, "standard input"),
        (
            vec!["scan", logs, "--out", &path("text")],
            2,
            "no usage file",
        ),
        (
            vec!["scan", logs, "--shard", "4/3", "--out", &other],
            2,
            "no part of a whole",
        ),
        (
            vec!["scan", logs, "--out", &path("no/such/folder")],
            1,
            "cannot write",
        ),
        (
            vec!["scan", logs, "--from", "2099-01-01", "--out", &path("new")],
            3,
            "no CloudTrail log",
        ),
        (
            vec!["merge", &october, &other, "--out", &path("new")],
            2,
            "another --from",
        ),
        (
            vec!["merge", &all, &path("nothing"), "--out", &path("new")],
            1,
            "cannot read",
        ),
        (vec!["fit", "--usage", &path("text")], 1, "no usage file"),
        (vec!["fit", "--usage", &path("newer")], 1, "version 9"),
        (vec!["fit", "--usage", &path("short")], 1, "without its end"),
        (
            vec!["merge", &path("flipped"), "--out", &path("new")],
            1,
            "is damaged",
        ),
    ] {
        let output = rolefit(&arguments);
        assert_eq!(code(&output), exit, "{arguments:?}: {}", stderr(&output));
        assert!(
            stderr(&output).contains(says),
            "{arguments:?}: {}",
            stderr(&output)
        );
    }
    assert_eq!(
        fs::read_to_string(path("text")).unwrap(),
        "not a usage file"
    );
    assert!(!Path::new(&path("new")).exists());
    // Nothing half written is left.
    let hidden = fs::read_dir(folder.path()).unwrap();
    assert!(
        !hidden
            .flatten()
            .any(|e| e.file_name().to_string_lossy().starts_with('.'))
    );
}
