//! SARIF 2.1.0 for code scanning.

use std::io;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::Report;
use super::escape::{plain, write_json_value};
use super::findings::{Finding, Level, RULES, findings};
use super::paths::role_folders;

/// Results that GitHub's code scanning shows of one run; it would drop the rest by itself.
const RESULTS: usize = 5_000;
/// Characters of one message.
const MESSAGE: usize = 1_000;

const IN_PATH: &AsciiSet = &NON_ALPHANUMERIC
    .remove(b'/')
    .remove(b'-')
    .remove(b'_')
    .remove(b'.')
    .remove(b'~');

/// Writes the findings. Each points to the `current.json` of its role under `folder`, the out-dir as a
/// path relative to the repository, or empty.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_sarif(report: &Report, folder: &str, out: &mut impl io::Write) -> io::Result<()> {
    let folders = role_folders(report);
    let all = findings(report);
    let results: Vec<Value> = all
        .iter()
        .take(RESULTS)
        .map(|finding| result(finding, folder, &folders[finding.index]))
        .collect();
    let dropped = all.len().saturating_sub(RESULTS);
    let mut notifications: Vec<Value> = report
        .notes
        .iter()
        .take(100)
        .map(|note| {
            json!({"level": "warning", "descriptor": {"id": plain(&note.code)}, "message": {"text": text(&note.message)}})
        })
        .collect();
    if dropped > 0 {
        notifications.push(json!({"level": "warning", "message": {"text": format!("{dropped} findings of the least weight are left out: code scanning takes {RESULTS}")}}));
    }
    let rules: Vec<Value> = RULES
        .iter()
        .map(|rule| {
            json!({
                "id": rule.id, "name": rule.id,
                "shortDescription": {"text": rule.title}, "fullDescription": {"text": rule.help},
                "help": {"text": rule.help},
                "defaultConfiguration": {"level": level(rule.level)},
                "properties": {"tags": ["security", "iam"], "security-severity": rule.severity, "precision": "high"}
            })
        })
        .collect();
    let log = json!({
        "$schema": "https://json.schemastore.org/sarif-2.1.0.json",
        "version": "2.1.0",
        "runs": [{
            "tool": {"driver": {
                "name": "rolefit", "semanticVersion": report.tool.version, "rules": rules
            }},
            "automationDetails": {"id": "rolefit/"},
            "columnKind": "unicodeCodePoints",
            "invocations": [{"executionSuccessful": true, "toolExecutionNotifications": notifications}],
            "results": results
        }]
    });
    write_json_value(&log, out)
}

fn result(finding: &Finding<'_>, folder: &str, role_folder: &str) -> Value {
    let mut hash = Sha256::new();
    hash.update(finding.rule.id);
    hash.update([0]);
    hash.update(&finding.role.arn);
    let hash: String = hash.finalize()[..16]
        .iter()
        .map(|b| format!("{b:02x}"))
        .collect();
    let path = if folder.is_empty() {
        format!("{role_folder}/current.json")
    } else {
        format!(
            "{}/{role_folder}/current.json",
            folder.trim_end_matches('/')
        )
    };
    let index = RULES.iter().position(|rule| rule.id == finding.rule.id);
    json!({
        "ruleId": finding.rule.id,
        "ruleIndex": index,
        "level": level(finding.rule.level),
        "message": {"text": text(&finding.message)},
        "locations": [{
            "physicalLocation": {
                "artifactLocation": {"uri": utf8_percent_encode(&path, IN_PATH).to_string()},
                "region": {"startLine": 1}
            },
            "logicalLocations": [{"fullyQualifiedName": plain(&finding.role.arn), "kind": "resource"}]
        }],
        "partialFingerprints": {"primaryLocationLineHash": format!("{hash}:1"), "rolefitFinding/v1": hash},
        "properties": {"role": plain(&finding.role.arn), "status": finding.role.status.as_str()}
    })
}

fn level(level: Level) -> &'static str {
    match level {
        Level::Error => "error",
        Level::Warning => "warning",
        Level::Note => "note",
    }
}

/// Plain text: braces and brackets would be placeholders and links.
fn text(message: &str) -> String {
    let mut out = String::new();
    for c in plain(message).chars() {
        if out.chars().count() >= MESSAGE {
            out.push('…');
            break;
        }
        match c {
            '{' => out.push_str("{{"),
            '}' => out.push_str("}}"),
            '[' | ']' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
