//! Golden cases as folders of `tests/golden`: what the trail delivered, what the account says, what the
//! role may do today, and what comes out. A folder with `expected.txt` is a case; files of the folders
//! above it belong to it too, the nearest of a name wins. `ROLEFIT_BLESS=1` writes what comes out.
//!
//! `events.txt` holds a line for each thing that happened on each of some days after 2026-09-01:
//! `DAYS | others` for what somebody else did, `DAYS | SERVICE NAME | ARN or parameters` for a call of
//! function `worker` with `worker-role`, `DAYS | ACTOR SERVICE NAME | …` for one of another role.
//! `current.json` holds the statements of the role's inline policy. `expected.txt` says the status, the
//! codes of the reasons, the verdict on each action that is not plainly unused, what the policy then
//! allows, and the needs that it does not meet.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::program::{allows, codes, home, report, role};
use crate::world::World;

/// The files of a case by name, with their text.
type Files = BTreeMap<String, String>;

fn cases(folder: &Path, above: &Files, out: &mut Vec<(PathBuf, Files)>) {
    let mut files = above.clone();
    let mut folders = Vec::new();
    let mut entries: Vec<PathBuf> = fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().path())
        .collect();
    entries.sort();
    for path in entries {
        if path.is_dir() {
            folders.push(path);
        } else {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            files.insert(name, fs::read_to_string(&path).unwrap());
        }
    }
    if files.contains_key("current.json") && folders.is_empty() {
        out.push((folder.to_owned(), files.clone()));
    }
    for folder in folders {
        cases(&folder, &files, out);
    }
}

fn days(text: &str) -> std::ops::Range<u32> {
    let (from, to) = text.split_once('-').unwrap_or((text, text));
    from.parse().unwrap()..to.parse::<u32>().unwrap() + 1
}

/// What a call's record says beside its name.
fn details(service: &str, what: &str, day: u32) -> Value {
    let what = what.replace("{day}", &format!("{day:02}"));
    let data = json!({"eventCategory": "Data", "managementEvent": false});
    let mut record = match (service, what.as_str()) {
        (_, "") => json!({}),
        ("s3", arn) if arn.starts_with("arn:") => {
            let (bucket, key) = arn.split_once('/').unwrap();
            let name = bucket.rsplit(':').next().unwrap();
            let mut record = data;
            record["requestParameters"] = json!({"bucketName": name, "key": key});
            record["resources"] = json!([{"type": "AWS::S3::Object", "ARN": arn}]);
            record
        }
        ("dynamodb", arn) if arn.starts_with("arn:") => {
            let mut record = data;
            let table = arn.rsplit('/').next().unwrap();
            record["requestParameters"] = json!({"tableName": table});
            record["resources"] = json!([{"type": "AWS::DynamoDB::Table", "ARN": arn}]);
            record
        }
        ("kms", arn) => {
            json!({"resources": [{"type": "AWS::KMS::Key", "ARN": arn}], "readOnly": true})
        }
        (_, parameters) => {
            json!({"requestParameters": serde_json::from_str::<Value>(parameters).unwrap()})
        }
    };
    if service == "sts" {
        record["readOnly"] = json!(true);
    }
    record
}

fn happen(world: &mut World, line: &str) {
    let parts: Vec<&str> = line.split('|').map(str::trim).collect();
    let range = days(parts[0]);
    let words: Vec<&str> = parts[1].split(' ').collect();
    match words.as_slice() {
        ["others"] => {
            world.cover(range);
        }
        [actor @ .., service, name] => {
            for day in range {
                let mut record = details(service, parts.get(2).unwrap_or(&""), day);
                if let [other] = actor {
                    record["userIdentity"] =
                        json!({"type": "IAMUser", "accountId": "111122223333", "userName": other});
                }
                world.call(day, service, name, record);
            }
        }
        other => panic!("{other:?}"),
    }
}

/// Runs a case and says what came out.
fn outcome(files: &Files) -> String {
    let mut world = World::new();
    for line in files["events.txt"].lines() {
        if !line.is_empty() && !line.starts_with('#') {
            happen(&mut world, line);
        }
    }
    world.write_logs();
    let options: Vec<&str> = files
        .get("options.txt")
        .map(|text| text.split_whitespace().collect())
        .unwrap_or_default();
    world.write_role(&serde_json::from_str(&files["current.json"]).unwrap());
    for (name, text) in files {
        match name.as_str() {
            "current.json" | "expected.txt" | "why.md" | "events.txt" | "options.txt" => {}
            "service-last-accessed.json" => {
                world.write_snapshot_text("service-last-accessed/worker-role.json", text);
            }
            _ => world.write_snapshot_text(name, text),
        }
    }
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let mut arguments = vec![logs.as_str(), "--snapshot", snapshot.as_str()];
    arguments.extend(options);
    let (report, _) = report(&arguments);
    let role = role(&report, "worker-role");
    for promise in ["no_new_access", "valid", "quota"] {
        assert_eq!(
            role["verification"][promise]["holds"], true,
            "{}",
            role["verification"]
        );
    }
    assert_eq!(role["verification"]["replay"]["denied"], json!([]));
    describe(role)
}

fn describe(role: &Value) -> String {
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    let mut out = format!("{}\n", text(&role["status"]));
    let mut reasons = codes(role);
    reasons.sort_unstable();
    for code in reasons {
        let _ = writeln!(out, "  {code}");
    }
    let mut verdicts: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for decision in role["decisions"].as_array().unwrap() {
        let actions = verdicts.entry(text(&decision["verdict"])).or_default();
        actions.push(text(&decision["action"]));
    }
    out.push_str("\nverdicts\n");
    for (verdict, actions) in &verdicts {
        if actions.len() > 20 {
            let _ = writeln!(out, "  {verdict}: {} of them", actions.len());
        } else {
            let _ = writeln!(out, "  {verdict}: {}", actions.join(" "));
        }
    }
    out.push_str("\nallowed\n");
    for line in allows(&role["proposed"]["policy"]) {
        let _ = writeln!(out, "  {line}");
    }
    let missing = role["missing"].as_array().unwrap();
    if !missing.is_empty() {
        out.push_str("\nmissing\n");
    }
    for need in missing {
        let _ = writeln!(
            out,
            "  {} {} ({})",
            text(&need["action"]),
            text(&need["resource"]),
            text(&need["feature"])
        );
    }
    out
}

#[test]
fn golden_cases_come_out_as_written() {
    let mut all = Vec::new();
    cases(&home().join("tests/golden"), &Files::new(), &mut all);
    assert!(all.len() >= 60, "the cases are there: {}", all.len());
    let bless = std::env::var_os("ROLEFIT_BLESS").is_some();
    let mut wrong = Vec::new();
    for (folder, files) in all {
        let name = folder.strip_prefix(home()).unwrap().display().to_string();
        assert!(files.contains_key("why.md"), "{name} says what it shows");
        let outcome = outcome(&files);
        let expected = folder.join("expected.txt");
        if bless {
            fs::write(expected, outcome).unwrap();
        } else if fs::read_to_string(expected).unwrap_or_default() != outcome {
            wrong.push(format!("{name} came out as\n{outcome}"));
        }
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
