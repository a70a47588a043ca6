//! Running the program in a scrubbed environment, and the accounts that must balance in every report.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use serde_json::Value;

/// The repository's folder.
pub(crate) fn home() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// Runs rolefit in the repository's folder.
pub(crate) fn rolefit<S: AsRef<std::ffi::OsStr>>(arguments: &[S]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_rolefit"))
        .args(arguments)
        .current_dir(home())
        .env_clear()
        .output()
        .unwrap()
}

pub(crate) fn stderr(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

pub(crate) fn stdout(output: &Output) -> String {
    String::from_utf8_lossy(&output.stdout).into_owned()
}

pub(crate) fn code(output: &Output) -> i32 {
    output.status.code().unwrap_or(-1)
}

/// Runs `fit --output json` and gives the report, whose accounts balance.
pub(crate) fn report(arguments: &[&str]) -> (Value, i32) {
    let mut all = vec!["fit", "--output", "json"];
    all.extend(arguments);
    let output = rolefit(&all);
    let report: Value = serde_json::from_slice(&output.stdout)
        .unwrap_or_else(|e| panic!("{e}: {}", stderr(&output)));
    balance(&report);
    (report, code(&output))
}

/// Objects: listed = read + skipped + failed. Records: read = the sum of their classes.
pub(crate) fn balance(report: &Value) {
    let number = |path: &str| {
        report
            .pointer(path)
            .and_then(Value::as_u64)
            .unwrap_or_else(|| panic!("{path}"))
    };
    assert_eq!(
        number("/input/objects/listed"),
        number("/input/objects/read")
            + number("/input/objects/skipped")
            + number("/input/objects/failed")
    );
    let classes = [
        "used",
        "denied",
        "platform",
        "foreign",
        "duplicate",
        "undecodable",
    ];
    let sum: u64 = classes
        .iter()
        .map(|class| number(&format!("/input/records/{class}")))
        .sum();
    assert_eq!(number("/input/records/read"), sum);
}

/// The row of a role by its name.
pub(crate) fn role<'r>(report: &'r Value, name: &str) -> &'r Value {
    let roles = report["roles"].as_array().unwrap();
    roles
        .iter()
        .find(|role| role["arn"].as_str().unwrap().ends_with(&format!("/{name}")))
        .unwrap_or_else(|| panic!("no {name}"))
}

/// The stable codes of a role's reasons.
pub(crate) fn codes(role: &Value) -> Vec<&str> {
    role["reasons"]
        .as_array()
        .unwrap()
        .iter()
        .map(|reason| reason["code"].as_str().unwrap())
        .collect()
}

/// What a policy allows, a line for each statement and action: `action resource,resource [condition]`.
pub(crate) fn allows(policy: &Value) -> Vec<String> {
    let list = |value: &Value| -> Vec<String> {
        match value {
            Value::String(one) => vec![one.clone()],
            Value::Array(list) => list
                .iter()
                .map(|v| v.as_str().unwrap().to_owned())
                .collect(),
            _ => Vec::new(),
        }
    };
    let mut lines = Vec::new();
    for statement in policy["Statement"].as_array().into_iter().flatten() {
        let deny = if statement["Effect"] == "Deny" {
            "deny "
        } else {
            ""
        };
        let mut resources = list(&statement["Resource"]);
        resources.extend(
            list(&statement["NotResource"])
                .iter()
                .map(|r| format!("!{r}")),
        );
        resources.sort();
        let condition = statement
            .get("Condition")
            .map(|c| format!(" {c}"))
            .unwrap_or_default();
        let mut actions = list(&statement["Action"]);
        actions.extend(
            list(&statement["NotAction"])
                .iter()
                .map(|a| format!("!{a}")),
        );
        for action in actions {
            lines.push(format!("{deny}{action} {}{condition}", resources.join(",")));
        }
    }
    lines.sort();
    lines
}

/// Every file below a folder.
pub(crate) fn tree(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    fn walk(folder: &Path, base: &Path, out: &mut BTreeMap<String, Vec<u8>>) {
        for entry in fs::read_dir(folder).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                walk(&path, base, out);
            } else {
                out.insert(
                    path.strip_prefix(base).unwrap().display().to_string(),
                    fs::read(&path).unwrap(),
                );
            }
        }
    }
    let mut out = BTreeMap::new();
    walk(folder, folder, &mut out);
    out
}
