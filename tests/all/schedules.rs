//! The examples for schedulers and array jobs say what the program understands, and do what they say.

use std::fs;
use std::path::Path;
use std::process::Command;

use yaml_serde::Value;

use crate::program::{code, home, rolefit, stderr, stdout};

fn example(name: &str) -> String {
    fs::read_to_string(home().join("scripts").join(name)).unwrap()
}

/// Runs a shell command of an example with the program on its path, in a folder of its own.
fn shell(command: &str, folder: &Path, variables: &[(&str, &str)]) -> (i32, String) {
    let program = Path::new(env!("CARGO_BIN_EXE_rolefit"));
    let path = format!("{}:/usr/bin:/bin", program.parent().unwrap().display());
    let output = Command::new("sh")
        .args(["-c", command])
        .current_dir(folder)
        .env_clear()
        .env("PATH", path)
        .envs(variables.iter().copied())
        .output()
        .unwrap();
    (code(&output), stdout(&output) + &stderr(&output))
}

/// The example's places as those of the samples, and no age: the samples are not of today.
fn here(command: &str, folder: &Path) -> String {
    let samples = home().join("sample-logs");
    command
        .replace(
            "/var/lib/rolefit/AWSLogs",
            &samples.join("AWSLogs").display().to_string(),
        )
        .replace(
            "/var/lib/rolefit/snapshot",
            &samples.join("snapshot").display().to_string(),
        )
        .replace(
            "/var/lib/rolefit/state",
            &folder.join("state").display().to_string(),
        )
        .replace("--since 90d", "--from 2026-09-01")
}

/// Slack the first time, nothing new the second time.
fn twice(command: &str, folder: &Path, variables: &[(&str, &str)]) {
    let (exit, says) = shell(command, folder, variables);
    assert_eq!(exit, 10, "{says}");
    let (exit, says) = shell(command, folder, variables);
    assert_eq!(exit, 4, "{says}");
}

#[test]
fn the_cron_line_and_the_unit_run() {
    let folder = tempfile::tempdir().unwrap();
    let crontab = example("schedules/crontab");
    let line = crontab.lines().find(|line| !line.starts_with('#')).unwrap();
    let command = line.splitn(6, ' ').nth(5).unwrap();
    twice(&here(command, folder.path()), folder.path(), &[]);
    let unit = example("schedules/rolefit-check.service");
    let start = unit
        .lines()
        .find_map(|line| line.strip_prefix("ExecStart="))
        .unwrap();
    assert_eq!(start, command);
    assert!(unit.contains("SuccessExitStatus=4 10 12"));
    assert!(example("schedules/rolefit-check.timer").contains("OnCalendar="));
}

#[test]
fn the_workflow_runs() {
    let folder = tempfile::tempdir().unwrap();
    let workflow: Value = yaml_serde::from_str(&example("schedules/github-actions.yml")).unwrap();
    let steps = workflow["jobs"]["check"]["steps"].as_sequence().unwrap();
    let runs: Vec<&str> = steps
        .iter()
        .filter_map(|step| step["run"].as_str())
        .collect();
    assert_eq!(runs.len(), 1);
    let samples = home().join("sample-logs");
    let (logs, snapshot) = (samples.join("AWSLogs"), samples.join("snapshot"));
    let variables = [
        ("LOGS", logs.to_str().unwrap()),
        ("SNAPSHOT", snapshot.to_str().unwrap()),
    ];
    for (name, _) in variables {
        assert!(workflow["jobs"]["check"]["env"][name].is_string(), "{name}");
    }
    twice(&here(runs[0], folder.path()), folder.path(), &variables);
    assert!(
        folder.path().join("state/usage").is_file(),
        "where the cache looks for it"
    );
}

#[test]
fn the_task_definition_says_what_the_program_understands() {
    let template: Value = yaml_serde::from_str(&example("schedules/ecs.yaml")).unwrap();
    let container = &template["Resources"]["Task"]["Properties"]["ContainerDefinitions"][0];
    let command = container["Command"].as_sequence().unwrap();
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state").display().to_string();
    let arguments: Vec<&str> = command
        .iter()
        .skip(1)
        .map(|word| match word.as_str() {
            Some("/snapshot") => "sample-logs/snapshot",
            Some("/state") => &state,
            Some("--since") => "--from",
            Some("90d") => "2026-09-01",
            Some(word) if word.starts_with("s3://") => "sample-logs/AWSLogs",
            Some(word) => word,
            None => panic!("{word:?}"),
        })
        .collect();
    let output = rolefit(&arguments);
    assert_eq!(code(&output), 10, "{}", stderr(&output));
    let rule = &template["Resources"]["Nightly"]["Properties"];
    assert!(
        rule["ScheduleExpression"]
            .as_str()
            .unwrap()
            .starts_with("cron(")
    );
}

#[test]
fn array_jobs_are_one_run() {
    let folder = tempfile::tempdir().unwrap();
    let out = folder.path().join("usage");
    fs::create_dir(&out).unwrap();
    let logs = home().join("sample-logs/AWSLogs").display().to_string();
    let name = out.display().to_string();
    let whole = folder.path().join("whole").display().to_string();
    rolefit(&["scan", &logs, "--from", "2026-09-01", "--out", &whole]);
    let common = [
        ("LOGS", logs.as_str()),
        ("FROM", "2026-09-01"),
        ("OUT", name.as_str()),
    ];
    for (script, first, index, of) in [
        (
            "slurm.sh",
            1,
            "SLURM_ARRAY_TASK_ID",
            "SLURM_ARRAY_TASK_COUNT",
        ),
        (
            "indexed.sh",
            0,
            "AWS_BATCH_JOB_ARRAY_INDEX",
            "AWS_BATCH_JOB_ARRAY_SIZE",
        ),
        ("indexed.sh", 0, "JOB_COMPLETION_INDEX", "SHARDS"),
    ] {
        for number in first..first + 3 {
            let number = number.to_string();
            let mut variables = common.to_vec();
            variables.extend([(index, number.as_str()), (of, "3")]);
            let script = home().join("scripts/array-jobs").join(script);
            let (exit, says) = shell(
                &format!("sh {}", script.display()),
                folder.path(),
                &variables,
            );
            assert!(matches!(exit, 0 | 4), "{says}");
        }
        let merged = folder.path().join("merged").display().to_string();
        let (exit, says) = shell(
            &format!("rolefit merge {name}/shard-*.rolefit --out {merged}"),
            folder.path(),
            &[],
        );
        assert!(matches!(exit, 0 | 4), "{says}");
        assert!(
            fs::read(&merged).unwrap() == fs::read(&whole).unwrap(),
            "{index}"
        );
        for entry in fs::read_dir(&out).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
    let job: Value = yaml_serde::from_str(&example("array-jobs/kubernetes.yaml")).unwrap();
    assert_eq!(job["spec"]["completionMode"].as_str(), Some("Indexed"));
    let container = &job["spec"]["template"]["spec"]["containers"][0];
    let shards = container["env"].as_sequence().unwrap().iter();
    let shards = shards
        .filter(|v| v["name"].as_str() == Some("SHARDS"))
        .count();
    assert_eq!(shards, 1);
    assert_eq!(job["spec"]["completions"].as_i64(), Some(64));
}
