//! What `apply` and its scripts refuse before anything is changed.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::program::{code, rolefit, stderr};

/// A fit of the samples, and the folder of a role in it that is to be applied.
fn fitted(folder: &Path) -> (String, PathBuf) {
    let out = folder.join("out").display().to_string();
    let output = rolefit(&[
        "fit",
        "sample-logs/AWSLogs",
        "--snapshot",
        "sample-logs/snapshot",
        "--out-dir",
        &out,
    ]);
    assert!(matches!(code(&output), 0 | 4), "{}", stderr(&output));
    let role = Path::new(&out).join("111122223333/order-processor-role");
    assert!(role.join("apply.sh").is_file());
    (out, role)
}

fn apply(out: &str) -> (i32, String) {
    let output = rolefit(&[
        "apply",
        "order-processor-role",
        "--accept-review",
        "--out-dir",
        out,
    ]);
    (code(&output), stderr(&output))
}

#[test]
fn nothing_is_put_that_allows_more_than_what_was_read() {
    let folder = tempfile::tempdir().unwrap();
    let (out, role) = fitted(folder.path());
    // The role is narrower now than it was, and its file says so; the report is the old one.
    let file = role.join("current.json");
    let mut current: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
    for policy in current["Policies"].as_array_mut().unwrap() {
        policy["PolicyDocument"] = serde_json::json!({"Version": "2012-10-17", "Statement": [
            {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]});
    }
    fs::write(&file, current.to_string()).unwrap();
    let (exit, says) = apply(&out);
    assert_eq!(exit, 1, "{says}");
    assert!(says.contains("which current.json does not"), "{says}");
}

#[test]
fn scripts_put_documents_only_as_they_were_proven() {
    let folder = tempfile::tempdir().unwrap();
    let (_, role) = fitted(folder.path());
    let text = fs::read_to_string(role.join("apply.sh")).unwrap();
    let checked: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.strip_prefix("same ")?.split_once(' '))
        .collect();
    for (file, digest) in &checked {
        let mut found = String::new();
        for byte in Sha256::digest(fs::read(role.join(file)).unwrap()) {
            found.push_str(&format!("{byte:02x}"));
        }
        assert_eq!(&found, digest, "{file}");
    }
    // Everything that a step of either script puts is among them.
    let back = fs::read_to_string(role.join("rollback.sh")).unwrap();
    for script in [&text, &back] {
        for put in script.split("file://").skip(1) {
            let file = put.split_whitespace().next().unwrap();
            assert!(checked.iter().any(|(known, _)| *known == file), "{file}");
        }
    }
    if cfg!(not(unix)) {
        return;
    }
    // Another document is refused before AWS is asked for anything.
    fs::write(role.join("policy.json"), "{\"Version\": \"2012-10-17\", \"Statement\": [{\"Effect\": \"Allow\", \"Action\": \"*\", \"Resource\": \"*\"}]}").unwrap();
    let output = Command::new("bash")
        .args([role.join("apply.sh").to_str().unwrap(), "--accept-review"])
        .env("PATH", std::env::var("PATH").unwrap())
        .output()
        .unwrap();
    let says = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(!output.status.success());
    assert!(says.contains("policy.json is not the file"), "{says}");
}
