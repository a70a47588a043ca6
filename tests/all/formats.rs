//! Every format, for the sample logs as snapshots and for hostile names as attacks.
//!
//! After a change that is meant, `INSTA_UPDATE=always cargo test --test all formats` writes the snapshots
//! anew; read their diff.

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use serde_json::{Value, json};

use crate::program::{code, rolefit, stderr, stdout};
use crate::world::{self, World};

const STORIES: [&str; 3] = [
    "order-processor-role",
    "pipeline-starter-role",
    "catalog-sync-role",
];

/// Runs `fit` on the sample logs for the stories alone.
fn samples(more: &[&str]) -> String {
    let mut arguments = vec!["fit", "sample-logs", "--snapshot", "sample-logs/snapshot"];
    for story in STORIES {
        arguments.extend(["--role", story]);
    }
    arguments.extend(more);
    let output = rolefit(&arguments);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    stdout(&output)
}

/// The out-dir of the sample logs, portable and with managed logging.
fn folder() -> &'static Path {
    static FOLDER: OnceLock<tempfile::TempDir> = OnceLock::new();
    FOLDER
        .get_or_init(|| {
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("out").display().to_string();
            samples(&["--out-dir", &path, "--portable", "--logging", "managed"]);
            folder
        })
        .path()
}

fn file(name: &str) -> String {
    fs::read_to_string(folder().join("out/111122223333").join(name)).unwrap()
}

/// What no format may show raw.
fn assert_inert(what: &str, text: &str) {
    let bad = text.chars().find(|c| {
        (c.is_control() && *c != '\n')
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    });
    assert_eq!(bad, None, "{what} shows {bad:?} raw");
}

#[test]
fn text_of_the_sample_logs() {
    let text = samples(&[]);
    assert!(
        text.lines().all(|line| line.chars().count() <= 80),
        "80 columns hold"
    );
    insta::assert_snapshot!("text", text);
    let wide = samples(&["--side-by-side", "--role", "order-processor-role"]);
    assert!(wide.lines().all(|line| line.chars().count() <= 160));
    assert!(wide.contains(" │ "), "two columns");
}

#[test]
fn markdown_and_annotations_of_the_sample_logs() {
    insta::assert_snapshot!("markdown", samples(&["--output", "markdown"]));
    insta::assert_snapshot!("github", samples(&["--output", "github"]));
}

#[test]
fn sarif_of_the_sample_logs_keeps_to_its_schema() {
    let text = samples(&["--output", "sarif"]);
    let sarif: Value = serde_json::from_str(&text).unwrap();
    let schema: Value = serde_json::from_str(
        &fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/sarif-2.1.0.json"),
        )
        .unwrap(),
    )
    .unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&sarif)
        .map(|e| e.to_string())
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut broken = sarif.clone();
    broken["runs"][0]["results"][0]["level"] = json!("fatal");
    assert!(!validator.is_valid(&broken), "the schema is read");
    let results = sarif["runs"][0]["results"].as_array().unwrap();
    assert!(results.len() >= 5);
    insta::assert_snapshot!("sarif", text);
}

#[test]
fn report_json_keeps_to_its_schema() {
    let output = rolefit(&["schema", "report"]);
    let schema: Value = serde_json::from_slice(&output.stdout).unwrap();
    let validator = jsonschema::validator_for(&schema).unwrap();
    let report = rolefit(&[
        "fit",
        "sample-logs",
        "--snapshot",
        "sample-logs/snapshot",
        "--output",
        "json",
    ]);
    let report: Value = serde_json::from_slice(&report.stdout).unwrap();
    let errors: Vec<String> = validator
        .iter_errors(&report)
        .take(5)
        .map(|e| format!("{}: {e}", e.instance_path))
        .collect();
    assert!(errors.is_empty(), "{errors:?}");
    let mut broken = report.clone();
    broken["roles"][0]["status"] = json!("fine");
    assert!(!validator.is_valid(&broken));
    // Every field that is written is in the schema.
    let described = schema.to_string();
    for key in report["roles"][0].as_object().unwrap().keys() {
        assert!(
            described.contains(&format!("\"{key}\"")),
            "{key} is not described"
        );
    }
}

#[test]
fn code_of_the_sample_logs() {
    for name in ["role.tf", "template.yaml", "sam.yaml", "aws-cli.txt"] {
        insta::assert_snapshot!(name, file(&format!("pipeline-starter-role/{name}")));
    }
    let sam = file("pipeline-starter-role/sam.yaml");
    assert!(sam.contains("- \"AWSLambdaBasicExecutionRole\""));
    assert!(!sam.contains("logs:PutLogEvents"));
}

#[test]
fn the_page_is_one_file_with_a_strict_policy() {
    let page = fs::read_to_string(folder().join("out/report.html")).unwrap();
    let policy = page
        .split("Content-Security-Policy\" content=\"")
        .nth(1)
        .unwrap();
    let policy = policy.split('"').next().unwrap();
    assert!(
        policy.starts_with("default-src 'none'; script-src 'sha256-"),
        "{policy}"
    );
    assert!(!policy.contains("unsafe") && !policy.contains("http"));
    for outside in [
        "src=",
        "href=\"http",
        "url(",
        "@import",
        "fetch(",
        "XMLHttpRequest",
        "innerHTML",
        " style=\"",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    let block = page
        .split("id=\"overview\">")
        .nth(1)
        .unwrap()
        .split("</script>")
        .next()
        .unwrap();
    let overview: Value = serde_json::from_str(block).unwrap();
    insta::assert_snapshot!(
        "html-overview",
        serde_json::to_string_pretty(&overview).unwrap()
    );
    assert_eq!(overview["roles"].as_array().unwrap().len(), 3);
    assert!(page.len() < 400_000, "{}", page.len());
}

/// `role.tf` and `template.yaml` say what `policy.json` says.
fn assert_code_equals_policy(folder: &Path) {
    let read = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
    let policy: Value = serde_json::from_str(&read("policy.json")).unwrap();
    let body: hcl::Body = hcl::from_str(&read("role.tf")).unwrap();
    let resource = body
        .blocks()
        .find(|b| b.identifier() == "resource")
        .unwrap();
    let expression = resource
        .body()
        .attributes()
        .find(|a| a.key() == "policy")
        .unwrap();
    let hcl::Expression::FuncCall(call) = expression.expr() else {
        panic!("jsonencode")
    };
    assert_eq!(literal(&call.args[0]), policy, "role.tf");
    let yaml: Value = yaml_serde::from_str(&read("template.yaml")).unwrap();
    let resources = yaml["Resources"].as_object().unwrap();
    let document = &resources.values().next().unwrap()["Properties"]["PolicyDocument"];
    assert_eq!(document, &policy, "template.yaml");
    if folder.join("sam.yaml").exists() {
        let sam: Value = yaml_serde::from_str(&read("sam.yaml")).unwrap();
        let function = sam["Resources"]
            .as_object()
            .unwrap()
            .values()
            .next()
            .unwrap();
        assert_eq!(function["Properties"]["Policies"][0], policy, "sam.yaml");
    }
}

/// An HCL expression without templates as JSON.
fn literal(expression: &hcl::Expression) -> Value {
    match expression {
        hcl::Expression::String(text) => json!(text),
        hcl::Expression::Bool(b) => json!(b),
        hcl::Expression::Number(n) => serde_json::from_str(&n.to_string()).unwrap(),
        hcl::Expression::Array(list) => list.iter().map(literal).collect(),
        hcl::Expression::Object(object) => object
            .iter()
            .map(|(key, value)| {
                let key = match key {
                    hcl::ObjectKey::Identifier(id) => id.to_string(),
                    hcl::ObjectKey::Expression(e) => literal(e).as_str().unwrap().to_owned(),
                    other => panic!("{other:?}"),
                };
                (key, literal(value))
            })
            .collect(),
        // A string with `$${` is a template of literals.
        hcl::Expression::TemplateExpr(template) => {
            let template = hcl::Template::from_expr(template).unwrap();
            let text: String = template
                .elements()
                .iter()
                .map(|element| match element {
                    hcl::template::Element::Literal(text) => text.clone(),
                    other => panic!("{other:?}"),
                })
                .collect();
            json!(text)
        }
        other => panic!("{other:?}"),
    }
}

const NASTY: [&str; 9] = [
    "<script>alert(1)</script>",
    "\u{1b}[31mred\u{1b}[0m",
    "%0A::error::owned",
    "a | b | `c`",
    "${aws:username}%{ if true }",
    "\u{202e}gpj.exe",
    "```\n## heading\n::error::owned",
    "\"];}'$(touch owned)'\\",
    "</script><!-- @everyone https://evil.example",
];

/// A world whose role, session, function, key, agent and error fields are all hostile.
fn hostile() -> World {
    let mut world = World::new();
    for (day, nasty) in NASTY.iter().enumerate() {
        let key = format!("arn:aws:s3:::in/{nasty}");
        world.call(
            u32::try_from(day).unwrap(),
            "s3",
            "GetObject",
            json!({"eventCategory": "Data", "managementEvent": false, "userAgent": nasty,
                "requestParameters": {"bucketName": "in", "key": nasty},
                "resources": [{"type": "AWS::S3::Object", "ARN": key}, {"type": "AWS::S3::Bucket", "ARN": "arn:aws:s3:::in", "accountId": world::ACCOUNT}]}),
        );
        world.call(
            u32::try_from(day).unwrap(),
            "secretsmanager",
            "GetSecretValue",
            json!({"errorCode": "AccessDenied", "errorMessage": format!("User: {nasty} is not authorized to perform: secretsmanager:GetSecretValue because no identity-based policy allows it: {nasty}"),
                "requestParameters": {"secretId": nasty}}),
        );
        world.call(3, &nasty.replace(['"', '\\'], ""), nasty, json!({}));
    }
    world.cover(0..45);
    world.write_logs();
    let statement = |resource: &str| json!({"Sid": "Read", "Effect": "Allow", "Action": "s3:*", "Resource": resource, "Condition": {"StringNotEquals": {"aws:PrincipalTag/team": NASTY[7]}}});
    let mut roles = vec![world::role(
        "worker-role",
        &json!([statement("arn:aws:s3:::in/*"), {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:111122223333:${aws:username}-*"}]),
    )];
    for nasty in NASTY {
        let mut role = world::role(
            "x",
            &json!([statement(&format!("arn:aws:s3:::b/{nasty}/*"))]),
        );
        role["RoleName"] = json!(nasty);
        role["Arn"] = json!(World::role_arn(nasty));
        role["RolePolicyList"][0]["PolicyName"] = json!(nasty);
        roles.push(role);
    }
    world.write_snapshot(
        "account-authorization-details.json",
        &json!({"RoleDetailList": roles, "Policies": [], "UserDetailList": [], "GroupDetailList": []}),
    );
    world.write_snapshot(
        "functions.json",
        &json!({"Functions": NASTY.iter().map(|nasty| json!({"FunctionName": nasty, "FunctionArn": format!("arn:aws:lambda:us-east-1:111122223333:function:{nasty}"), "Role": World::role_arn("worker-role"), "Runtime": "python3.13"})).collect::<Vec<_>>()}),
    );
    world.write_selectors(&["AWS::S3::Object"]);
    world
}

#[test]
fn hostile_names_are_inert_in_every_format() {
    let world = hostile();
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let out = world.path().join("out");
    let out_text = out.display().to_string();
    let run = |more: &[&str]| {
        let mut arguments = vec!["fit", &logs, "--snapshot", &snapshot];
        arguments.extend(more);
        let output = rolefit(&arguments);
        assert!([0, 4].contains(&code(&output)), "{}", stderr(&output));
        assert_inert("stderr", &stderr(&output));
        stdout(&output)
    };
    let text = run(&[]);
    assert_inert("text", &text);
    assert!(text.contains("\\u{1b}[31mred"), "the name is told");
    assert!(text.lines().all(|line| line.chars().count() <= 80));

    let github = run(&["--output", "github"]);
    assert_inert("github", &github);
    for line in github.lines() {
        let command = ["::error title=", "::warning title=", "::notice title="];
        assert!(command.iter().any(|c| line.starts_with(c)), "{line}");
    }
    assert!(!github.contains("%0A"));

    let sarif = run(&["--output", "sarif"]);
    assert_inert("sarif", &sarif);
    let sarif: Value = serde_json::from_str(&sarif).unwrap();
    for result in sarif["runs"][0]["results"].as_array().unwrap() {
        let uri = result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]
            .as_str()
            .unwrap();
        assert!(
            uri.chars()
                .all(|c| c.is_ascii_alphanumeric() || "/%._-~".contains(c)),
            "{uri}"
        );
        assert!(!uri.contains(".."), "{uri}");
    }

    let json_report = run(&["--output", "json"]);
    assert_inert("json", &json_report);
    serde_json::from_str::<Value>(&json_report).unwrap();

    assert_markdown_inert(&run(&["--output", "markdown"]));
    assert_page_inert(&run(&["--output", "html"]));

    run(&["--out-dir", &out_text]);
    let mut checked = 0;
    for entry in fs::read_dir(out.join(world::ACCOUNT)).unwrap() {
        let folder = entry.unwrap().path();
        for path in files(&folder) {
            if path.extension().is_some_and(|e| e == "sh") {
                // Names stay one word each: the shell reads the script as it was written.
                let parsed = std::process::Command::new("bash")
                    .arg("-n")
                    .arg(&path)
                    .status();
                assert!(
                    parsed.is_ok_and(|status| status.success()),
                    "{}",
                    path.display()
                );
            }
            if path.extension().is_none_or(|e| e != "diff") {
                assert_inert(
                    &path.display().to_string(),
                    &fs::read_to_string(&path).unwrap(),
                );
            }
        }
        if folder.join("role.tf").exists() && folder.join("policy.json").exists() {
            assert_code_equals_policy(&folder);
            checked += 1;
        }
        if let Ok(steps) = fs::read_to_string(folder.join("aws-cli.txt")) {
            for line in steps.lines() {
                assert!(
                    line.starts_with('#') || line.starts_with("aws iam "),
                    "{line}"
                );
            }
        }
    }
    assert!(checked >= 1, "some role has code");
}

/// The files of a folder, at any depth.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap();
    let paths = entries.map(|entry| entry.unwrap().path());
    paths
        .flat_map(|path| {
            if path.is_dir() {
                files(&path)
            } else {
                vec![path]
            }
        })
        .collect()
}

fn assert_markdown_inert(text: &str) {
    assert_inert("markdown", text);
    let mut fence: Option<String> = None;
    for line in text.lines() {
        let run: String = line.chars().take_while(|c| *c == '`').collect();
        match &fence {
            Some(open) if run.len() >= open.len() && line.trim_end() == run => fence = None,
            Some(_) => continue,
            None if run.len() >= 3 => fence = Some(run),
            None => {
                let outside = without_code(line);
                for evil in ["<script", "@everyone", "https://evil", "<!--"] {
                    assert!(!outside.contains(evil), "{evil} in {line}");
                }
                assert!(
                    !line.starts_with("## heading") && !line.starts_with("::"),
                    "{line}"
                );
            }
        }
    }
    assert!(fence.is_none(), "every fence is closed");
}

/// A line of Markdown without its code spans.
fn without_code(line: &str) -> String {
    let mut out = String::new();
    let mut rest = line;
    while let Some(at) = rest.find('`') {
        out.push_str(&rest[..at]);
        let run = rest[at..].chars().take_while(|c| *c == '`').count();
        let after = &rest[at + run..];
        let mut from = 0;
        let close = loop {
            let Some(start) = after[from..].find('`').map(|s| s + from) else {
                break None;
            };
            let length = after[start..].chars().take_while(|c| *c == '`').count();
            if length == run {
                break Some(start + length);
            }
            from = start + length;
        };
        let Some(close) = close else {
            out.push_str(&rest[at..]);
            return out;
        };
        rest = &after[close..];
    }
    out + rest
}

fn assert_page_inert(page: &str) {
    assert_inert("html", &page.replace('\t', " "));
    assert!(!page.contains("<script>alert") && !page.contains("<!--"));
    let blocks = page.matches("<script type=\"application/json\"").count();
    assert_eq!(
        page.matches("<script").count(),
        blocks + 1,
        "data blocks and one script"
    );
    assert_eq!(page.matches("</script>").count(), blocks + 1);
}

#[test]
fn code_says_what_the_policy_says() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("out").display().to_string();
    let output = rolefit(&[
        "fit",
        "sample-logs",
        "--snapshot",
        "sample-logs/snapshot",
        "--out-dir",
        &path,
    ]);
    assert_eq!(code(&output), 4, "{}", stderr(&output));
    let mut roles = 0;
    for account in [
        "111122223333",
        "444455556666",
        "777788889999",
        "888899990000",
    ] {
        for role in fs::read_dir(folder.path().join("out").join(account)).unwrap() {
            assert_code_equals_policy(&role.unwrap().path());
            roles += 1;
        }
    }
    assert_eq!(roles, 14);
    let parts = fs::read_dir(folder.path().join("out")).unwrap();
    let names: Vec<String> = parts
        .map(|e| e.unwrap().file_name().into_string().unwrap())
        .collect();
    assert!(
        names.iter().all(|name| !name.ends_with(".part")),
        "{names:?}"
    );
    assert!(names.contains(&"report.html".to_owned()) && names.contains(&"report.md".to_owned()));

    // A later run with fewer roles leaves nothing of this one that it does not have.
    let output = rolefit(&[
        "fit",
        "sample-logs",
        "--snapshot",
        "sample-logs/snapshot",
        "--out-dir",
        &path,
        "--force",
        "--role",
        "order-processor-role",
    ]);
    assert!([0, 4].contains(&code(&output)), "{}", stderr(&output));
    assert!(!folder.path().join("out/444455556666").exists());
    assert!(
        folder
            .path()
            .join("out/111122223333/order-processor-role/policy.json")
            .exists()
    );
}
