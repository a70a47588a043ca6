//! What is written where: no name of a log or a snapshot leads out of the out-dir or through a link, and no
//! secret of a log comes out at all.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::program::{code, rolefit, stderr};
use crate::world::{self, World, gunzip, gzip};

fn walk(folder: &Path, out: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            walk(&path, out);
        } else {
            out.push(path);
        }
    }
}

fn fit(world: &World, out: &Path, more: &[&str]) -> std::process::Output {
    let (logs, snapshot, out) = (world.logs(), world.snapshot(), out.display().to_string());
    let mut arguments = vec![
        "fit",
        &logs,
        "--snapshot",
        &snapshot,
        "--out-dir",
        &out,
        "--all-roles",
    ];
    arguments.extend(more);
    rolefit(&arguments)
}

fn small() -> World {
    let mut world = World::new();
    world.cover(0..40);
    world.call(
        1,
        "sns",
        "CreateTopic",
        json!({"requestParameters": {"name": "t"}}),
    );
    world.write_logs();
    world.write_role(&json!([{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}]));
    world
}

#[test]
fn names_of_roles_stay_in_the_out_dir() {
    let world = small();
    let names = [
        "..",
        ".",
        "../../escape",
        "/etc/passwd",
        "con",
        "NUL",
        "com1.txt",
        "Worker",
        "worker",
        "WORKER",
        "dot.",
        "blank ",
        "a\u{0}b",
        "a\nb",
        "",
        "-rf",
        "~",
        "$(id)",
        "\u{202e}x",
    ];
    let long = "x".repeat(4_096);
    let roles: Vec<Value> = names
        .into_iter()
        .chain([long.as_str()])
        .map(|name| {
            world::role(
                name,
                &json!([{"Effect": "Allow", "Action": "sns:*", "Resource": "*"}]),
            )
        })
        .collect();
    let count = roles.len();
    world.write_snapshot(
        "account-authorization-details.json",
        &json!({"RoleDetailList": roles, "Policies": []}),
    );
    let out = world.path().join("deep/out");
    let output = fit(&world, &out, &[]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    let mut files = Vec::new();
    walk(world.path(), &mut files);
    let outside = files.iter().filter(|file| {
        !file.starts_with(&out)
            && !file.starts_with(world.logs())
            && !file.starts_with(world.snapshot())
    });
    assert_eq!(outside.count(), 0);
    let mut folders: Vec<String> = fs::read_dir(out.join("111122223333"))
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    // Names that are empty or end an ARN oddly may have another account.
    assert!(folders.len() + 3 >= count, "{folders:?}");
    for folder in &folders {
        assert!(
            folder.len() <= 140
                && folder
                    .bytes()
                    .all(|b| b.is_ascii_alphanumeric() || b"+=,.@_-~".contains(&b)),
            "{folder}"
        );
        assert!(!folder.ends_with(['.', ' ']), "{folder}");
        let stem = folder.split('.').next().unwrap().to_ascii_lowercase();
        assert!(!["con", "nul", "com1"].contains(&stem.as_str()), "{folder}");
    }
    let all = folders.len();
    folders
        .iter_mut()
        .for_each(|folder| folder.make_ascii_lowercase());
    folders.sort();
    folders.dedup();
    assert_eq!(folders.len(), all, "told apart where case is not");
}

#[cfg(unix)]
#[test]
fn nothing_is_written_through_links_and_files_are_the_users_alone() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let world = small();
    let out = world.path().join("out");
    assert_eq!(code(&fit(&world, &out, &[])), 4);
    let mut files = Vec::new();
    walk(&out, &mut files);
    assert!(files.len() > 8);
    for file in &files {
        let mode = fs::metadata(file).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode, 0o600, "{}", file.display());
    }
    // Links in place of files are replaced, never followed.
    let victim = world.path().join("victim");
    fs::write(&victim, "mine").unwrap();
    let policy = out.join("111122223333/worker-role/current.json");
    for name in [
        "report.json",
        "report.html",
        "report.json.part",
        "report.md.part",
    ] {
        let path = out.join(name);
        let _ = fs::remove_file(&path);
        symlink(&victim, &path).unwrap();
    }
    fs::remove_file(&policy).unwrap();
    symlink(&victim, &policy).unwrap();
    assert_eq!(code(&fit(&world, &out, &["--force"])), 4);
    assert_eq!(fs::read_to_string(&victim).unwrap(), "mine");
    assert!(!fs::symlink_metadata(&policy).unwrap().is_symlink());
    // A link in place of a folder is an error.
    let elsewhere = world.path().join("elsewhere");
    fs::create_dir(&elsewhere).unwrap();
    fs::remove_dir_all(out.join("111122223333")).unwrap();
    symlink(&elsewhere, out.join("111122223333")).unwrap();
    let output = fit(&world, &out, &["--force"]);
    assert_eq!(code(&output), 1);
    assert!(
        stderr(&output).contains("is a link: nothing is written through links"),
        "{}",
        stderr(&output)
    );
    assert_eq!(fs::read_dir(&elsewhere).unwrap().count(), 0);
    assert!(
        !out.join("report.json").exists(),
        "what is not whole has no report"
    );
}

/// Puts a canary behind every string of a record but those that rolefit reports by design.
fn canaries(value: &mut Value, path: &str, planted: &mut Vec<String>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map.iter_mut() {
                canaries(inner, &format!("{path}/{key}"), planted);
            }
        }
        Value::Array(list) => list
            .iter_mut()
            .for_each(|inner| canaries(inner, &format!("{path}/0"), planted)),
        Value::String(text) => {
            let canary = format!("CANARY{:04}", planted.len());
            text.push_str(&canary);
            planted.push(format!("{canary} {path}"));
        }
        _ => {}
    }
}

#[test]
fn no_secret_of_a_log_comes_out() {
    let mut world = World::new();
    world.cover(0..40);
    let credentials = json!({"accessKeyId": "ASIACANARY", "sessionToken": "CANARYTOKEN", "secretAccessKey": "CANARYSECRET", "expiration": "Nov 1, 2026"});
    let role_arn = World::role_arn("other");
    world.call(1, "sts", "AssumeRole", json!({
        "requestParameters": {"roleArn": role_arn, "roleSessionName": "s", "externalId": "CANARYEXTERNAL", "serialNumber": "CANARYSERIAL", "tokenCode": "CANARYCODE"},
        "responseElements": {"credentials": credentials, "assumedRoleUser": {"assumedRoleId": "AROACANARY:s", "arn": role_arn}}}));
    world.call(2, "secretsmanager", "CreateSecret", json!({"requestParameters": {"name": "db", "secretString": "CANARYSTRING", "clientRequestToken": "CANARYREQUEST"}}));
    world.call(3, "lambda", "UpdateFunctionConfiguration20150331v2", json!({
        "requestParameters": {"functionName": "worker", "environment": {"variables": {"PASSWORD": "CANARYPASSWORD"}}},
        "responseElements": {"environment": {"variables": {"PASSWORD": "CANARYANSWER"}}}, "additionalEventData": {"x": "CANARYMORE"}}));
    world.call(4, "iam", "CreateAccessKey", json!({"requestParameters": {"userName": "u"}, "responseElements": {"accessKey": {"accessKeyId": "AKIACANARY", "secretAccessKey": "CANARYKEY"}}}));
    world.call(
        5,
        "ssm",
        "PutParameter",
        json!({"requestParameters": {"name": "/p", "value": "CANARYVALUE", "type": "String"}}),
    );
    world.call(6, "kms", "Decrypt", json!({"requestParameters": {"ciphertextBlob": "CANARYBLOB", "encryptionContext": {"k": "CANARYCONTEXT"}}}));
    world.call(7, "sqs", "SendMessage", json!({"requestParameters": {"queueUrl": "https://sqs.us-east-1.amazonaws.com/111122223333/q", "messageBody": "CANARYBODY"}, "eventCategory": "Data", "managementEvent": false,
        "resources": [{"type": "AWS::SQS::Queue", "ARN": "arn:aws:sqs:us-east-1:111122223333:q"}]}));
    world.call(
        8,
        "sns",
        "Unheard",
        json!({"requestParameters": {"a": {"b": ["CANARYUNHEARD"]}}}),
    );
    world.call(9, "sts", "AssumeRole", json!({"errorCode": "AccessDenied", "errorMessage": "User: x is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::111122223333:role/other", "requestParameters": {"externalId": "CANARYDENIED"}}));
    let path = world.write_logs();
    // Fields of which no word is ever printed, whatever the call.
    let mut log: Value = serde_json::from_str(&gunzip(&fs::read(&path).unwrap())).unwrap();
    let mut planted = Vec::new();
    for record in log["Records"].as_array_mut().unwrap() {
        record["requestID"] = json!("r");
        record["tlsDetails"] = json!({"clientProvidedHostHeader": "h", "cipherSuite": "c"});
        record["userIdentity"]["accessKeyId"] = json!("ASIA");
        record["userIdentity"]["sessionContext"]["attributes"] =
            json!({"creationDate": "2026", "mfaAuthenticated": "false"});
        record["userIdentity"]["sessionContext"]["webIdFederationData"] =
            json!({"federatedProvider": "p", "attributes": {"a": "b"}});
        record["responseElements"]["extra"] = json!({"token": ["t"], "nested": {"password": "p"}});
        record["additionalEventData"]["extra"] = json!("a");
        for place in [
            "/requestID",
            "/tlsDetails",
            "/userIdentity/accessKeyId",
            "/userIdentity/sessionContext/attributes",
            "/userIdentity/sessionContext/webIdFederationData",
            "/responseElements/extra",
            "/additionalEventData/extra",
        ] {
            canaries(record.pointer_mut(place).unwrap(), place, &mut planted);
        }
    }
    assert!(planted.len() > 500);
    fs::write(&path, gzip(log.to_string().as_bytes())).unwrap();
    world.write_role(&json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
    let variables = json!({"Environment": {"Variables": {"PASSWORD": "CANARYENV", "URL": "https://sqs.us-east-1.amazonaws.com/CANARYURL"}}});
    world.write_snapshot(
        "functions.json",
        &json!({"Functions": [world::function("worker", "worker-role", &variables)]}),
    );
    let out = world.path().join("out");
    let mut told: Vec<(String, Vec<u8>)> = Vec::new();
    let output = fit(&world, &out, &["--per-function"]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    told.push(("fit, stdout".into(), output.stdout));
    told.push(("fit, stderr".into(), output.stderr));
    let mut files = Vec::new();
    walk(&out, &mut files);
    for file in files {
        told.push((file.display().to_string(), fs::read(&file).unwrap()));
    }
    let (logs, snapshot) = (world.logs(), world.snapshot());
    for arguments in [
        vec!["requests", &logs],
        vec!["denied", &logs, "--snapshot", &snapshot],
        vec!["denied", &logs, "--snapshot", &snapshot, "--output", "json"],
        vec![
            "coverage",
            &logs,
            "--snapshot",
            &snapshot,
            "--output",
            "json",
        ],
        vec![
            "explain",
            "worker-role",
            &logs,
            "--snapshot",
            &snapshot,
            "--output",
            "json",
        ],
        vec!["check", &logs, "--snapshot", &snapshot, "--output", "sarif"],
        vec!["fit", &logs, "--snapshot", &snapshot, "--output", "github"],
        vec![
            "backtest",
            &logs,
            "--snapshot",
            &snapshot,
            "--output",
            "json",
        ],
    ] {
        let output = rolefit(&arguments);
        assert!(
            !output.stdout.is_empty(),
            "{arguments:?}: {}",
            stderr(&output)
        );
        told.push((arguments[0].to_owned(), output.stdout));
        told.push((arguments[0].to_owned(), output.stderr));
    }
    let usage = world.path().join("usage");
    let output = rolefit(&["scan", &logs, "--out", &usage.display().to_string()]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    told.push(("usage file".into(), fs::read(&usage).unwrap()));
    for (place, bytes) in told {
        let text = String::from_utf8_lossy(&bytes);
        if let Some(at) = text.find("CANARY") {
            let from = text[..at]
                .char_indices()
                .rev()
                .nth(60)
                .map_or(0, |(at, _)| at);
            let canary: String = text[at..].chars().take(20).collect();
            let field = planted
                .iter()
                .find(|planted| canary.starts_with(planted.split(' ').next().unwrap()));
            panic!("{place} tells {canary}: …{}… {field:?}", &text[from..at]);
        }
    }
}
