//! `check`, `rolefit.toml`, help, completions and manual pages, as their users run them.

use std::fs;
use std::process::Command;

use serde_json::{Value, json};

use crate::program::{code, rolefit, stderr, stdout};
use crate::world::World;

/// A role that uses one of its two actions, over enough days.
fn world(statements: &Value) -> World {
    let mut world = World::new();
    for day in [0, 20, 40] {
        world.call(
            day,
            "sns",
            "GetTopicAttributes",
            json!({"requestParameters": {"topicArn": "arn:aws:sns:us-east-1:111122223333:t"}}),
        );
    }
    world.cover(0..45);
    world.write_logs();
    world.write_role(statements);
    world.write_selectors(&[]);
    world
}

fn check(world: &World, more: &[&str]) -> (i32, String) {
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let mut arguments = vec!["check", &logs, "--snapshot", &snapshot];
    arguments.extend(more);
    let output = rolefit(&arguments);
    (code(&output), stdout(&output) + &stderr(&output))
}

fn allow(actions: &[&str], resource: &str) -> Value {
    json!({"Effect": "Allow", "Action": actions, "Resource": resource})
}

#[test]
fn slack_beyond_the_limits_is_10() {
    let topic = "arn:aws:sns:us-east-1:111122223333:t";
    let slack = world(&json!([allow(
        &[
            "sns:GetTopicAttributes",
            "sns:DeleteTopic",
            "sns:AddPermission"
        ],
        topic
    )]));
    assert_eq!(check(&slack, &[]).0, 10);
    assert_eq!(check(&slack, &["--max-unused", "1"]).0, 10);
    assert_eq!(check(&slack, &["--max-unused", "2"]).0, 0);
    assert_eq!(check(&slack, &["--max-unused", "50%"]).0, 10);
    assert_eq!(check(&slack, &["--max-unused", "70%"]).0, 0);
    assert_eq!(check(&slack, &["--max-sensitive-unused", "0"]).0, 10);
    assert_eq!(check(&slack, &["--max-sensitive-unused", "2"]).0, 0);
    assert_eq!(check(&slack, &["--max-unused", "many"]).0, 2);
    let wide = world(&json!([allow(&["sns:GetTopicAttributes"], "*")]));
    let (exit, text) = check(&wide, &[]);
    assert_eq!(exit, 10, "a wider resource alone: {text}");
    assert!(
        text.contains("0 unused, 0 of them sensitive; 1 wider"),
        "{text}"
    );
    assert_eq!(check(&wide, &["--max-unused", "0"]).0, 0);
    let file = wide.path().join("baseline.json").display().to_string();
    assert_eq!(check(&wide, &["--write-baseline", &file]).0, 0);
    assert_eq!(check(&wide, &["--baseline", &file]).0, 0);
    let tight = world(&json!([allow(&["sns:GetTopicAttributes"], topic)]));
    let (exit, text) = check(&tight, &[]);
    assert_eq!(exit, 0, "{text}");
    let (_, text) = check(&slack, &["--output", "json", "--no-progress"]);
    let verdict: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(verdict["roles"][0]["unused_actions"], 2);
    assert_eq!(verdict["roles"][0]["within_limits"], false);
}

#[test]
fn what_is_forbidden_is_11() {
    let topic = "arn:aws:sns:us-east-1:111122223333:t";
    let role = world(&json!([allow(
        &["sns:GetTopicAttributes", "sns:DeleteTopic"],
        topic
    )]));
    let (exit, text) = check(&role, &["--max-unused", "9", "--forbid", "sns:Delete*"]);
    assert_eq!(exit, 11);
    assert!(
        text.contains("grants sns:DeleteTopic; the proposal removes it"),
        "{text}"
    );
    assert_eq!(
        check(
            &role,
            &["--max-unused", "9", "--forbid", "iam:*", "--forbid-admin"]
        )
        .0,
        0
    );
    let (exit, text) = check(&role, &["--forbid", "iam:Nothing"]);
    assert_eq!(exit, 2, "a slip must not pass: {text}");
    let admin = world(&json!([allow(&["*"], "*")]));
    let (exit, text) = check(&admin, &["--max-unused", "100%", "--forbid-admin"]);
    assert_eq!(exit, 11, "{text}");
}

#[test]
fn a_baseline_accepts_today_and_fails_on_more() {
    let topic = "arn:aws:sns:us-east-1:111122223333:t";
    let role = world(&json!([allow(
        &["sns:GetTopicAttributes", "sns:DeleteTopic"],
        topic
    )]));
    let file = role.path().join("baseline.json").display().to_string();
    let (exit, text) = check(&role, &["--write-baseline", &file]);
    assert_eq!(exit, 0, "{text}");
    assert_eq!(check(&role, &["--baseline", &file]).0, 0);
    role.write_role(&json!([allow(
        &[
            "sns:GetTopicAttributes",
            "sns:DeleteTopic",
            "sns:AddPermission"
        ],
        topic
    )]));
    let (exit, text) = check(&role, &["--baseline", &file]);
    assert_eq!(exit, 10, "a new action");
    assert!(text.contains("1 unused"), "{text}");
    role.write_role(&json!([allow(
        &["sns:GetTopicAttributes", "sns:DeleteTopic"],
        "arn:aws:sns:us-east-1:111122223333:*"
    )]));
    assert_eq!(
        check(&role, &["--baseline", &file]).0,
        10,
        "a wider resource"
    );
    role.write_role(&json!([allow(&["sns:GetTopicAttributes"], topic)]));
    assert_eq!(check(&role, &["--baseline", &file]).0, 0, "less is fine");
    fs::write(&file, "{\"schema\": \"rolefit.baseline/2\", \"roles\": {}}").unwrap();
    let (exit, text) = check(&role, &["--baseline", &file]);
    assert_eq!(exit, 1);
    assert!(text.contains("rolefit.baseline/2"), "{text}");
}

#[test]
fn the_configuration_file_gives_defaults_and_finds_slips() {
    let topic = "arn:aws:sns:us-east-1:111122223333:t";
    let world = world(&json!([allow(
        &["sns:GetTopicAttributes", "sns:DeleteTopic"],
        topic
    )]));
    let run = |toml: &str, more: &[&str]| {
        fs::write(world.path().join("rolefit.toml"), toml).unwrap();
        let mut arguments = vec!["check", "AWSLogs"];
        arguments.extend(more);
        let output = Command::new(env!("CARGO_BIN_EXE_rolefit"))
            .args(&arguments)
            .current_dir(world.path())
            .env_clear()
            .output()
            .unwrap();
        (code(&output), stderr(&output))
    };
    assert_eq!(
        run("snapshot = \"snapshot\"\n[check]\nmax-unused = 5\n", &[]).0,
        0
    );
    assert_eq!(
        run(
            "snapshot = \"snapshot\"\n[check]\nmax-unused = 5\n",
            &["--max-unused", "0"]
        )
        .0,
        10
    );
    let (exit, text) = run("snapshots = \"snapshot\"\n", &[]);
    assert_eq!(exit, 2);
    assert!(text.contains("did you mean `snapshot`?"), "{text}");
    let (exit, text) = run("snapshot = [\n", &[]);
    assert_eq!(exit, 2);
    assert!(text.contains("is not TOML"), "{text}");
}

#[test]
fn help_completions_and_manual_pages() {
    let help = stdout(&rolefit(&["--help"]));
    for part in [
        "Tighten:",
        "Understand:",
        "Reference:",
        "Examples:",
        "Exit codes:",
    ] {
        assert!(help.contains(part), "{part} in {help}");
    }
    for command in ["fit", "check", "catalog"] {
        let help = stdout(&rolefit(&[command, "--help"]));
        assert!(help.contains("Usage:"), "{help}");
    }
    let help = stdout(&rolefit(&["check", "--help"]));
    for part in ["Limits:", "Snapshot:", "Selection:", "Output:", "Examples:"] {
        assert!(help.contains(part), "{part} in {help}");
    }
    for shell in ["bash", "zsh", "fish"] {
        let output = rolefit(&["completions", shell]);
        assert_eq!(code(&output), 0);
        assert!(stdout(&output).contains("max-sensitive-unused"), "{shell}");
    }
    let page = stdout(&rolefit(&["man", "check"]));
    assert!(
        page.contains(".TH") && page.contains("max\\-sensitive\\-unused"),
        "{page}"
    );
    let output = rolefit(&["man", "chek"]);
    assert_eq!(code(&output), 2);
    assert!(
        stderr(&output).contains("`check` is"),
        "{}",
        stderr(&output)
    );
}
