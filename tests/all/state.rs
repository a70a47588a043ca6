//! `--state`: what periodic runs remember, through nights, kills, full disks and each other.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::program::{code, rolefit, stderr, stdout};
use crate::world::World;

const PROGRAM: &str = env!("CARGO_BIN_EXE_rolefit");

fn text(path: &Path) -> String {
    path.display().to_string()
}

fn full() -> bool {
    std::env::var_os("ROLEFIT_FULL").is_some()
}

/// The log files of the samples, by day of delivery.
fn samples() -> Vec<(String, PathBuf)> {
    fn walk(folder: &Path, out: &mut Vec<(String, PathBuf)>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, out);
            } else if text(&path).contains("/CloudTrail/") {
                let parts: Vec<&str> = path.iter().filter_map(|part| part.to_str()).collect();
                if let [.., year, month, day, _] = parts.as_slice() {
                    out.push((format!("{year}-{month}-{day}"), path));
                }
            }
        }
    }
    let mut out = Vec::new();
    walk(Path::new("sample-logs/AWSLogs"), &mut out);
    out.sort();
    assert!(out.len() > 200, "{}", out.len());
    out
}

/// Puts a file where it would be delivered.
fn deliver(file: &Path, to: &Path) {
    let target = to.join(file.strip_prefix("sample-logs").unwrap());
    fs::create_dir_all(target.parent().unwrap()).unwrap();
    fs::copy(file, target).unwrap();
}

fn update(logs: &str, state: &str, more: &[&str]) {
    let mut arguments = vec!["scan", logs, "--state", state];
    arguments.extend(more);
    let output = rolefit(&arguments);
    assert!(matches!(code(&output), 0 | 4), "{}", stderr(&output));
}

/// A report without what a state does not count: log objects older than the window.
fn report(from: &[&str]) -> Value {
    let mut arguments = vec![
        "fit",
        "--output",
        "json",
        "--snapshot",
        "sample-logs/snapshot",
    ];
    arguments.extend(from);
    let output = rolefit(&arguments);
    let mut report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)));
    let objects = report["input"]["objects"].as_object_mut().unwrap();
    for name in ["listed", "skipped", "skipped_reasons"] {
        objects.remove(name);
    }
    report
}

/// Fails at the first place where two reports say different things.
fn differ(one: &Value, other: &Value, at: &str) {
    match (one, other) {
        (Value::Object(a), Value::Object(b)) => {
            let keys: std::collections::BTreeSet<&String> = a.keys().chain(b.keys()).collect();
            let none = Value::Null;
            for key in keys {
                let of =
                    |map: &serde_json::Map<String, Value>| map.get(key).unwrap_or(&none).clone();
                differ(&of(a), &of(b), &format!("{at}/{key}"));
            }
        }
        (Value::Array(a), Value::Array(b)) if a.len() == b.len() => {
            for (nth, (a, b)) in a.iter().zip(b).enumerate() {
                differ(a, b, &format!("{at}/{nth}"));
            }
        }
        (a, b) => assert_eq!(a, b, "{at}"),
    }
}

#[test]
fn night_by_night_is_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let (logs, state) = (folder.path().join("logs"), folder.path().join("state"));
    let (logs_name, state_name) = (text(&logs.join("AWSLogs")), text(&state));
    let mut files = samples();
    // One arrives nine days late, one breaks on its way and is whole the week after.
    let late = files.remove(40);
    let (broken_day, broken) = files[120].clone();
    let days: std::collections::BTreeSet<String> = files.iter().map(|(d, _)| d.clone()).collect();
    let days: Vec<String> = days.into_iter().collect();
    let from = |night: usize| days[night.saturating_sub(30)].clone();
    let mut compared = 0;
    for (night, day) in days.iter().enumerate() {
        for (_, file) in files.iter().filter(|(of, _)| of == day) {
            deliver(file, &logs);
            if *file == broken {
                let path = logs.join(file.strip_prefix("sample-logs").unwrap());
                let bytes = fs::read(&path).unwrap();
                fs::write(path, &bytes[..bytes.len() / 2]).unwrap();
            }
        }
        if late.0 < *day && night % 10 == 9 {
            deliver(&late.1, &logs);
            if broken_day < *day {
                deliver(&broken, &logs);
            }
        }
        if night % 5 != 4 && night + 1 != days.len() {
            continue;
        }
        update(&logs_name, &state_name, &["--from", &from(night)]);
        if night % 20 == 4 || night + 1 == days.len() {
            let kept = report(&["--state", &state_name]);
            let fresh = report(&[&logs_name, "--from", &from(night)]);
            differ(&kept, &fresh, &format!("night {night} "));
            compared += 1;
        }
    }
    assert!(compared >= 3, "{compared}");
    // A run that finds nothing new changes nothing.
    let before = fs::read(state.join("usage")).unwrap();
    let last = from(days.len() - 1);
    update(&logs_name, &state_name, &["--from", &last]);
    assert!(fs::read(state.join("usage")).unwrap() == before);
    // Marks of old days are gone.
    let whole = text(&folder.path().join("whole"));
    rolefit(&["scan", &logs_name, "--from", &last, "--out", &whole]);
    assert!(before.len() < fs::read(&whole).unwrap().len());
}

#[test]
fn killed_at_any_moment_it_goes_on_to_the_same_bytes() {
    let folder = tempfile::tempdir().unwrap();
    let clean = folder.path().join("clean");
    let arguments = |state: &Path| -> Vec<String> {
        [
            "scan",
            "sample-logs/AWSLogs",
            "--checkpoint",
            "20",
            "--state",
        ]
        .map(str::to_owned)
        .into_iter()
        .chain([text(state)])
        .collect()
    };
    let started = Instant::now();
    let output = rolefit(&arguments(&clean));
    let takes = started.elapsed();
    assert!(matches!(code(&output), 0 | 4), "{}", stderr(&output));
    let expected = fs::read(clean.join("usage")).unwrap();
    let kills = if full() { 100 } else { 12 };
    let (mut killed, mut dice) = (0, 88_172_645_463_325_252_u64);
    let mut state = 0;
    while killed < kills {
        state += 1;
        let path = folder.path().join(format!("state-{state}"));
        // Killed again and again, until a run comes to its end.
        loop {
            dice ^= dice << 13;
            dice ^= dice >> 7;
            dice ^= dice << 17;
            let mut run = Command::new(PROGRAM)
                .args(arguments(&path))
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap();
            std::thread::sleep(takes.mul_f64((dice % 1_000) as f64 / 1_000.0));
            run.kill().unwrap();
            let status = run.wait().unwrap();
            if status.code().is_some() {
                break;
            }
            killed += 1;
            assert!(
                Instant::now() - started < Duration::from_secs(900),
                "no end"
            );
            if killed % 4 == 3 {
                let output = rolefit(&arguments(&path));
                assert!(matches!(code(&output), 0 | 4), "{}", stderr(&output));
                break;
            }
        }
        assert!(
            fs::read(path.join("usage")).unwrap() == expected,
            "after {killed} kills"
        );
        let hidden = fs::read_dir(&path).unwrap().flatten();
        let left = hidden.filter(|e| e.file_name().to_string_lossy().starts_with('.'));
        assert_eq!(left.count(), 0, "what a killed run left is gone");
    }
}

#[test]
fn two_runs_at_once_are_kept_apart() {
    let folder = tempfile::tempdir().unwrap();
    let state = text(folder.path());
    update("sample-logs/AWSLogs", &state, &[]);
    let lock = fs::File::open(folder.path().join("lock")).unwrap();
    lock.lock().unwrap();
    let output = rolefit(&["scan", "sample-logs/AWSLogs", "--state", &state]);
    assert_eq!(code(&output), 1);
    let says = stderr(&output);
    assert!(
        says.contains("another run uses") && says.contains("process "),
        "{says}"
    );
    drop(lock);
    update("sample-logs/AWSLogs", &state, &[]);
}

/// Runs in a shell that lets no file grow past so many blocks of 512 bytes.
fn with_room(blocks: u32, arguments: &[&str]) -> std::process::Output {
    let script = format!("trap '' XFSZ; ulimit -f {blocks}; exec \"$0\" \"$@\"");
    let mut shell = Command::new("sh");
    shell.args(["-c", &script, PROGRAM]).args(arguments);
    shell.output().unwrap()
}

#[test]
fn without_room_or_permission_the_state_stays_as_it_was() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    let name = text(&state);
    let one = "sample-logs/AWSLogs/111122223333";
    update(one, &name, &[]);
    let before = fs::read(state.join("usage")).unwrap();
    let unharmed = |output: &std::process::Output, says: &str| {
        assert_eq!(code(output), 1, "{}", stderr(output));
        assert!(stderr(output).contains(says), "{}", stderr(output));
        assert!(fs::read(state.join("usage")).unwrap() == before, "{says}");
        let hidden = fs::read_dir(&state).unwrap().flatten();
        assert_eq!(
            hidden
                .filter(|e| e.file_name().to_string_lossy().starts_with('.'))
                .count(),
            0
        );
    };
    let grow = ["scan", "sample-logs/AWSLogs", "--state", &name];
    for blocks in [0, 1, 40, before.len() as u32 / 512] {
        unharmed(&with_room(blocks, &grow), "cannot write the usage file");
    }
    // A folder where files should be; a folder that is none.
    let blocked = folder.path().join("blocked");
    fs::create_dir_all(blocked.join("usage/x")).unwrap();
    let output = rolefit(&["scan", one, "--state", &text(&blocked)]);
    assert_eq!(code(&output), 1, "{}", stderr(&output));
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let output = rolefit(&["scan", one, "--state", &text(&file.join("state"))]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("cannot use"),
        "{}",
        stderr(&output)
    );
    // Root may write anywhere; another user is asked where that can be had.
    let mut permissions = fs::metadata(&state).unwrap().permissions();
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o555);
    fs::set_permissions(&state, permissions.clone()).unwrap();
    let lock = state.join("lock");
    let probe = Command::new("setpriv")
        .args([
            "--reuid=65534",
            "--regid=65534",
            "--clear-groups",
            PROGRAM,
            "--version",
        ])
        .output();
    if probe.is_ok_and(|probe| probe.status.success()) {
        let mut open = fs::metadata(&lock).unwrap().permissions();
        std::os::unix::fs::PermissionsExt::set_mode(&mut open, 0o666);
        fs::set_permissions(&lock, open).unwrap();
        for path in [folder.path(), Path::new("sample-logs")] {
            let mut open = fs::metadata(path).unwrap().permissions();
            std::os::unix::fs::PermissionsExt::set_mode(&mut open, 0o755);
            fs::set_permissions(path, open).unwrap();
        }
        let output = Command::new("setpriv")
            .args(["--reuid=65534", "--regid=65534", "--clear-groups", PROGRAM])
            .args(grow)
            .output()
            .unwrap();
        unharmed(&output, "cannot write the usage file");
    }
    std::os::unix::fs::PermissionsExt::set_mode(&mut permissions, 0o755);
    fs::set_permissions(&state, permissions).unwrap();
    // With room again it goes on.
    update("sample-logs/AWSLogs", &name, &[]);
    assert!(fs::read(state.join("usage")).unwrap() != before);
}

#[test]
fn a_state_answers_one_question() {
    let folder = tempfile::tempdir().unwrap();
    let name = text(&folder.path().join("state"));
    let output = rolefit(&["fit", "--state", &name]);
    assert_eq!(code(&output), 3);
    assert!(
        stderr(&output).contains("remembers nothing yet"),
        "{}",
        stderr(&output)
    );
    let logs = "sample-logs/AWSLogs";
    update(logs, &name, &["--from", "2026-10-01"]);
    for (more, says) in [
        (vec!["--from", "2026-09-20"], "begins later"),
        (
            vec!["--from", "2026-10-01", "--account", "111122223333"],
            "another --account",
        ),
        (vec!["--from", "2026-10-01", "--to", "2026-10-05"], "no end"),
    ] {
        let mut arguments = vec!["scan", logs, "--state", &name];
        arguments.extend(more);
        let output = rolefit(&arguments);
        assert_eq!(code(&output), 2, "{}", stderr(&output));
        assert!(stderr(&output).contains(says), "{}", stderr(&output));
    }
}

#[test]
fn what_changed_since_the_last_check_is_told() {
    let mut world = World::new();
    let topic = "arn:aws:sns:us-east-1:111122223333:t";
    let get = json!({"requestParameters": {"topicArn": topic}});
    for day in [0, 20, 40] {
        world.call(day, "sns", "GetTopicAttributes", get.clone());
        world.call(day, "sns", "ListSubscriptionsByTopic", get.clone());
    }
    world.cover(0..45);
    world.write_logs();
    world.write_selectors(&[]);
    let statement =
        |actions: &[&str]| json!([{"Effect": "Allow", "Action": actions, "Resource": topic}]);
    world.write_role(&statement(&[
        "sns:GetTopicAttributes",
        "sns:ListSubscriptionsByTopic",
        "sns:Publish",
    ]));
    let state = text(&world.path().join("state"));
    let check = |world: &World, more: &[&str]| {
        let (logs, snapshot) = (world.logs(), world.snapshot());
        let mut arguments = vec!["check", &logs, "--snapshot", &snapshot, "--state", &state];
        arguments.extend(more);
        let output = rolefit(&arguments);
        (code(&output), stdout(&output) + &stderr(&output))
    };
    let (exit, says) = check(&world, &["--max-unused", "5"]);
    assert_eq!(exit, 0, "{says}");
    assert!(says.contains("first check of this state"), "{says}");
    let (exit, says) = check(&world, &["--max-unused", "5"]);
    assert_eq!(exit, 0, "{says}");
    assert!(says.contains("nothing changed"), "{says}");

    // It begins to use one, and is refused another after a policy was tightened.
    world.call(
        50,
        "sns",
        "GetSubscriptionAttributes",
        json!({"requestParameters": {"subscriptionArn": format!("{topic}:5f1c")}}),
    );
    world.call(50, "iam", "PutRolePolicy", json!({
        "userIdentity": {"type": "IAMUser", "accountId": "111122223333", "arn": "arn:aws:iam::111122223333:user/alice", "userName": "alice"},
        "requestParameters": {"roleName": "worker-role", "policyName": "tight"}, "readOnly": false}));
    world.call(51, "sns", "ListSubscriptionsByTopic", json!({"errorCode": "AuthorizationError",
        "errorMessage": format!("User: arn:aws:sts::111122223333:assumed-role/worker-role/worker is not authorized to perform: SNS:ListSubscriptionsByTopic on resource: {topic} because no identity-based policy allows the SNS:ListSubscriptionsByTopic action"),
        "requestParameters": {"topicArn": topic}}));
    world.write_logs();
    world.write_role(&statement(&[
        "sns:GetTopicAttributes",
        "sns:Publish",
        "sns:DeleteTopic",
        "sns:GetSubscriptionAttributes",
    ]));
    // What was not looked at is neither told nor forgotten; what has no place in a format is told beside it.
    let memory = world.path().join("state/last-check.json");
    let before = fs::read(&memory).unwrap();
    let (exit, says) = check(&world, &["--role", "nobody", "--max-unused", "5"]);
    assert_eq!(exit, 0, "{says}");
    let (exit, says) = check(&world, &["--output", "github", "--max-unused", "5"]);
    assert_eq!(exit, 12, "{says}");
    assert!(says.contains("broke on"), "{says}");
    fs::write(&memory, before).unwrap();
    let (exit, says) = check(&world, &["--output", "json", "--max-unused", "5"]);
    let drift: Value = serde_json::from_str(says.split("\nstate:").next().unwrap()).unwrap();
    let drift = &drift["drift"];
    assert_eq!(exit, 12, "{says}");
    assert_eq!(
        drift["denied"][0]["action"], "sns:ListSubscriptionsByTopic",
        "{says}"
    );
    assert_eq!(drift["denied"][0]["broke"], true, "{says}");
    assert!(
        drift["denied"][0]["change"]
            .as_str()
            .unwrap()
            .contains("PutRolePolicy"),
        "{says}"
    );
    assert_eq!(
        drift["newly_used"][World::role_arn("worker-role")][0],
        "sns:GetSubscriptionAttributes",
        "{says}"
    );
    assert!(
        drift["newly_removable"]
            .to_string()
            .contains("sns:DeleteTopic"),
        "{says}"
    );

    // It was told once.
    let (exit, says) = check(&world, &["--new-only", "--max-unused", "0"]);
    assert_eq!(exit, 0, "{says}");
    assert!(says.contains("nothing changed"), "{says}");
    world.write_role(&statement(&[
        "sns:GetTopicAttributes",
        "sns:Publish",
        "sns:DeleteTopic",
        "sns:GetSubscriptionAttributes",
        "sns:Unsubscribe",
    ]));
    let (exit, says) = check(&world, &["--new-only", "--max-unused", "0"]);
    assert_eq!(exit, 10, "{says}");
    assert!(
        says.contains("removable  worker-role") && says.contains("sns:Unsubscribe"),
        "{says}"
    );
}
