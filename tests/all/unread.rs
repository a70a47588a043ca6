//! What could not be read is said from usage files and states as from logs.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::program::{code, rolefit, stderr, stdout};

const GOOD: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"AWSService","invokedBy":"lambda.amazonaws.com"},"eventTime":"2026-11-02T10:00:00Z","eventSource":"sts.amazonaws.com","eventName":"AssumeRole","awsRegion":"eu-west-1","requestParameters":{"roleArn":"arn:aws:iam::111122223333:role/r","roleSessionName":"f"},"eventID":"ID","recipientAccountId":"111122223333"}"#;

/// A file of so many records, that many bytes cut off its end.
fn write(folder: &Path, name: &str, records: usize, cut: usize) -> PathBuf {
    let lines: Vec<String> = (0..records)
        .map(|n| GOOD.replace("ID", &format!("{name}-{n}")))
        .collect();
    let text = lines.join("\n");
    let file = folder.join(name);
    fs::create_dir_all(folder).unwrap();
    fs::write(&file, &text[..text.len() - cut]).unwrap();
    file
}

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn run(arguments: &[&str]) -> i32 {
    let output = rolefit(arguments);
    assert!(matches!(code(&output), 0 | 4), "{}", stderr(&output));
    code(&output)
}

/// Failed objects, read ones, and the records; the exit code says the same.
fn input(from: &[&str]) -> (Vec<String>, u64, Value) {
    let mut arguments = vec!["fit", "--output", "json"];
    arguments.extend(from);
    let output = rolefit(&arguments);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)));
    assert_eq!(code(&output), 4, "no snapshot");
    let objects = &report["input"]["objects"];
    let failed: Vec<String> = objects["failures"]
        .as_array()
        .unwrap()
        .iter()
        .map(|failure| failure["object"].as_str().unwrap().to_owned())
        .collect();
    let count = |name: &str| objects[name].as_u64().unwrap();
    assert_eq!(count("failed"), failed.len() as u64);
    assert_eq!(
        count("listed"),
        count("read") + count("skipped") + count("failed")
    );
    let records = report["input"]["records"].clone();
    let sum: u64 = [
        "used",
        "denied",
        "platform",
        "foreign",
        "duplicate",
        "undecodable",
    ]
    .iter()
    .map(|name| records[*name].as_u64().unwrap())
    .sum();
    assert_eq!(records["read"].as_u64(), Some(sum), "{records}");
    (failed, count("read"), records)
}

#[cfg(unix)]
#[test]
fn a_state_knows_what_could_not_be_listed_until_it_is_listed_again() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, more) = (folder.path().join("logs"), folder.path().join("more"));
    let state = text(&folder.path().join("state"));
    write(&logs, "a.json", 3, 0);
    write(&more, "b.json", 3, 0);
    let dead = logs.join("dead.json.gz");
    std::os::unix::fs::symlink("/nonexistent", &dead).unwrap();
    let failed = vec![text(&dead)];
    let (logs, more) = (text(&logs), text(&more));
    assert_eq!(input(&[&logs]).0, failed);
    assert_eq!(
        input(&[&logs, "--state", &state]).0,
        failed,
        "the first run"
    );
    assert_eq!(input(&["--state", &state]).0, failed, "without logs");
    assert_eq!(input(&[&more, "--state", &state]).0, failed, "other logs");
    assert_eq!(input(&[&logs, "--state", &state]).0, failed);
    fs::remove_file(&dead).unwrap();
    assert_eq!(input(&[&logs, "--state", &state]).0, Vec::<String>::new());
}

#[test]
fn an_object_that_grew_and_is_cut_is_failed_in_states_and_merges() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let path = |name: &str| text(&folder.path().join(name));
    let (state, whole, cut, merged) = (path("state"), path("whole"), path("cut"), path("merged"));
    write(&logs, "other.json", 2, 0);
    let file = write(&logs, "app.json", 3, 0);
    let logs = text(&logs);
    assert_eq!(input(&[&logs, "--state", &state]).0, Vec::<String>::new());
    run(&["scan", &logs, "--out", &whole]);
    write(file.parent().unwrap(), "app.json", 6, 40);
    let failed = vec![text(&file)];
    assert_eq!(input(&[&logs]).0, failed);
    assert_eq!(input(&[&logs, "--state", &state]).0, failed);
    run(&["scan", &logs, "--out", &cut]);
    for order in [[&whole, &cut], [&cut, &whole]] {
        run(&["merge", order[0], order[1], "--out", &merged]);
        assert_eq!(input(&["--usage", &merged]).0, failed);
    }
    // Whole again, it is read again.
    write(file.parent().unwrap(), "app.json", 7, 0);
    let (failed, read, _) = input(&[&logs, "--state", &state]);
    assert_eq!((failed, read), (Vec::new(), 2));
}

#[test]
fn a_shard_that_is_missing_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    for n in 0..12 {
        write(&logs, &format!("{n}.json"), 2, 0);
    }
    let logs = text(&logs);
    let path = |name: String| text(&folder.path().join(name));
    let whole = path("whole".into());
    run(&["scan", &logs, "--out", &whole]);
    let shards: Vec<String> = (1..=4)
        .map(|n| {
            let out = path(format!("shard-{n}"));
            run(&["scan", &logs, "--shard", &format!("{n}/4"), "--out", &out]);
            out
        })
        .collect();
    assert_eq!(
        input(&["--usage", &shards[0]]).0,
        ["shard 2/4", "shard 3/4", "shard 4/4"]
    );
    let merged = path("merged".into());
    run(&[
        "merge", &shards[3], &shards[0], &shards[2], "--out", &merged,
    ]);
    assert_eq!(input(&["--usage", &merged]).0, ["shard 2/4"]);
    // With the last one it is the whole, to the byte, and stays it.
    run(&["merge", &merged, &shards[1], "--out", &merged]);
    assert_eq!(fs::read(&merged).unwrap(), fs::read(&whole).unwrap());
    run(&["merge", &shards[2], &merged, "--out", &merged]);
    assert_eq!(fs::read(&merged).unwrap(), fs::read(&whole).unwrap());
    // Beside something else it is still missing.
    let other = folder.path().join("other");
    write(&other, "x.json", 1, 0);
    let beside = path("beside".into());
    run(&["scan", &text(&other), "--out", &beside]);
    run(&["merge", &beside, &shards[2], "--out", &merged]);
    assert_eq!(input(&["--usage", &merged]).0.len(), 3);
}

#[test]
fn many_checkpoints_are_one_file() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    for n in 0..70 {
        write(&logs, &format!("{n}.json"), 1, 0);
    }
    let path = |name: &str| text(&folder.path().join(name));
    let (logs, one, many) = (text(&logs), path("one"), path("many"));
    run(&["scan", &logs, "--out", &one]);
    run(&["scan", &logs, "--checkpoint", "1", "--out", &many]);
    assert_eq!(fs::read(one).unwrap(), fs::read(many).unwrap());
}

#[test]
fn records_balance_where_an_object_is_another_now() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let state = text(&folder.path().join("state"));
    let file = write(&logs, "a.json", 9, 0);
    let logs = text(&logs);
    assert_eq!(input(&[&logs, "--state", &state]).2["read"], 9);
    // `input` holds that they balance.
    write(file.parent().unwrap(), "a.json", 2, 0);
    input(&[&logs, "--state", &state]);
    let again = stdout(&rolefit(&["scan", "--state", &state, &logs]));
    assert!(again.contains("log objects"), "{again}");
}

#[test]
fn a_state_wants_whole_days_and_logs() {
    let folder = tempfile::tempdir().unwrap();
    let logs = folder.path().join("logs");
    let state = text(&folder.path().join("state"));
    write(&logs, "a.json", 1, 0);
    let logs = text(&logs);
    let refused = |more: &[&str]| {
        let mut arguments = vec!["scan", "--state", &state];
        arguments.extend(more);
        code(&rolefit(&arguments))
    };
    assert_eq!(refused(&[&logs, "--from", "2026-09-20T12:30:00Z"]), 2);
    let empty = folder.path().join("empty");
    fs::create_dir(&empty).unwrap();
    assert_eq!(refused(&[&text(&empty)]), 3);
}
