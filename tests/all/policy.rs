//! `rolefit verify` and `rolefit simulate` as their users run them: answers, exit codes, the exact JSON, and
//! what becomes of files that are no policies.

use std::fs;
use std::path::PathBuf;
use std::time::{Duration, Instant};

use crate::program::{code, rolefit, stderr, stdout};

/// A folder of policy files, named in what is run and in what comes back.
pub(crate) struct Folder(tempfile::TempDir);

impl Folder {
    pub(crate) fn new() -> Self {
        let folder = Self(tempfile::tempdir().unwrap());
        folder.put("all", policy(ALL));
        folder.put("read", policy(READ));
        folder.put(
            "write",
            policy(r#"{"Effect": "Allow", "Action": "s3:PutObject", "Resource": "*"}"#),
        );
        folder
    }

    pub(crate) fn put(&self, name: &str, text: impl AsRef<[u8]>) {
        fs::write(self.path(name), text).unwrap();
    }

    fn path(&self, name: &str) -> PathBuf {
        self.0.path().join(name)
    }

    /// Runs `line`, in which `@name` stands for a file; gives exit code, standard output and standard
    /// error with the files back as `@name`.
    pub(crate) fn run(&self, line: &str) -> (i32, String, String) {
        let place = format!("{}/", self.0.path().display());
        let arguments: Vec<String> = line
            .split_whitespace()
            .map(|word| word.replace('@', &place))
            .collect();
        let output = rolefit(&arguments);
        let back = |text: String| text.replace(&place, "@");
        (code(&output), back(stdout(&output)), back(stderr(&output)))
    }
}

pub(crate) const ALL: &str =
    r#"{"Sid": "All", "Effect": "Allow", "Action": "s3:*", "Resource": "*"}"#;
pub(crate) const READ: &str =
    r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/*"}"#;

pub(crate) fn policy(statements: &str) -> String {
    format!(r#"{{"Version": "2012-10-17", "Statement": [{statements}]}}"#)
}

#[test]
fn verify_answers_in_text_and_json() {
    let folder = Folder::new();
    folder.put(
        "vpc",
        policy(
            r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}"#,
        ),
    );
    folder.put(
        "strange",
        policy(
            r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"StringMatches": {"a": "b"}}}"#,
        ),
    );
    for (line, exit, expected) in [
        ("--current @all --proposed @read", 0, "contained\n"),
        (
            "--current @all --proposed @read --output json",
            0,
            "{\"result\":\"contained\",\"witness\":null,\"reason\":null}\n",
        ),
        // Several files on a side are one set of policies.
        (
            "--current @read @write --proposed @read @write",
            0,
            "contained\n",
        ),
        (
            "--current @read --current @write --proposed @write",
            0,
            "contained\n",
        ),
        (
            "--current @read --proposed @read @write --output json",
            11,
            "{\"result\":\"not-contained\",\"witness\":{\"action\":\"s3:PutObject\",\"resource\":\"arn:aws:s3:::b\",\"context\":{}},\"reason\":null}\n",
        ),
        (
            "--current @read --proposed @write",
            11,
            "not-contained\nonly the proposed policies allow s3:PutObject on arn:aws:s3:::b\n",
        ),
        ("--current @all --proposed @vpc", 0, "contained\n"),
        (
            "--current @vpc --proposed @all --output json",
            11,
            "{\"result\":\"not-contained\",\"witness\":{\"action\":\"s3:AbortMultipartUpload\",\"resource\":\"arn:aws:s3:::b\",\"context\":{\"aws:SourceVpc\":[]}},\"reason\":null}\n",
        ),
        (
            "--current @strange --proposed @all --output json",
            11,
            "{\"result\":\"unknown\",\"witness\":null,\"reason\":\"",
        ),
    ] {
        let (exited, out, error) = folder.run(&format!("verify {line}"));
        assert_eq!((exited, error.as_str()), (exit, ""), "{line}: {out}");
        assert!(out.starts_with(expected), "{line}: {out}");
        assert!(
            !expected.ends_with('\n') || out == expected,
            "{line}: {out}"
        );
    }
}

#[test]
fn simulate_says_which_statement_decided() {
    let folder = Folder::new();
    folder.put(
        "tls",
        policy(
            r#"{"Sid": "Tls", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}}"#,
        ),
    );
    for (line, expected) in [
        (
            "--policy @all --action s3:GetObject",
            r#"{"decision":"allowed","statements":[{"document":"@all","sid":"All","effect":"Allow"}],"missing_context":[]}"#,
        ),
        (
            "--policy @all @read --action S3:getobject --resource arn:aws:s3:::logs/a",
            r#"{"decision":"allowed","statements":[{"document":"@all","sid":"All","effect":"Allow"},{"document":"@read","sid":null,"effect":"Allow"}],"missing_context":[]}"#,
        ),
        (
            "--policy @read --action s3:GetObject --resource arn:aws:s3:::other/a",
            r#"{"decision":"implicit-deny","statements":[],"missing_context":[]}"#,
        ),
        (
            "--policy @all @tls --action s3:GetObject",
            r#"{"decision":"depends","statements":[{"document":"@all","sid":"All","effect":"Allow"},{"document":"@tls","sid":"Tls","effect":"Deny"}],"missing_context":["aws:SecureTransport"]}"#,
        ),
        (
            "--policy @all @tls --action s3:GetObject --context AWS:securetransport=false",
            r#"{"decision":"explicit-deny","statements":[{"document":"@tls","sid":"Tls","effect":"Deny"}],"missing_context":[]}"#,
        ),
        (
            "--policy @all --boundary @read --action s3:PutObject",
            r#"{"decision":"implicit-deny","statements":[],"missing_context":[]}"#,
        ),
        (
            "--policy @all --boundary @read --action s3:GetObject --resource arn:aws:s3:::logs/a",
            r#"{"decision":"allowed","statements":[{"document":"@all","sid":"All","effect":"Allow"},{"document":"@read","sid":null,"effect":"Allow"}],"missing_context":[]}"#,
        ),
        (
            "--policy @all --boundary @tls --action s3:GetObject --context aws:SecureTransport=false",
            r#"{"decision":"explicit-deny","statements":[{"document":"@tls","sid":"Tls","effect":"Deny"}],"missing_context":[]}"#,
        ),
    ] {
        let (exited, out, error) = folder.run(&format!("simulate {line} --output json"));
        assert_eq!((exited, error.as_str()), (0, ""), "{line}");
        assert_eq!(out.trim_end(), expected, "{line}");
    }
    let (_, out, _) = folder.run("simulate --policy @read @all @tls --action s3:GetObject");
    assert_eq!(
        out,
        "depends\n  Allow by statement All of @all\n  Deny by statement Tls of @tls\n  depends on aws:SecureTransport: give --context KEY=VALUE\n"
    );
    let (_, out, _) =
        folder.run("simulate --policy @read --action s3:GetObject --resource arn:aws:s3:::logs/a");
    assert_eq!(out, "allowed\n  Allow by statement 1 of @read\n");
}

#[test]
fn every_form_of_a_policy_is_read() {
    let folder = Folder::new();
    let encoded: String = policy(ALL)
        .bytes()
        .map(|byte| format!("%{byte:02X}"))
        .collect();
    folder.put("encoded", encoded + "\n");
    folder.put("marked", format!("\u{feff}\r\n{}", policy(ALL)));
    folder.put(
        "single",
        format!(r#"{{"Version": "2012-10-17", "Statement": {ALL}}}"#),
    );
    folder.put(
        "old",
        format!(r#"{{"Version": "2008-10-17", "Statement": {ALL}}}"#),
    );
    folder.put("none", format!(r#"{{"Statement": {ALL}}}"#));
    folder.put(
        "more",
        format!(
            r#"{{"Id": "x", "Later": {{"a": [1]}}, "Statement": [{}]}}"#,
            ALL.replace("{\"Sid", "{\"New\": null, \"Sid")
        ),
    );
    for name in ["encoded", "marked", "single", "old", "none", "more"] {
        for line in [
            format!("verify --current @{name} --proposed @all"),
            format!("verify --current @all --proposed @{name}"),
        ] {
            assert_eq!(
                folder.run(&line),
                (0, "contained\n".into(), String::new()),
                "{line}"
            );
        }
        let (exit, out, _) =
            folder.run(&format!("simulate --policy @{name} --action s3:GetObject"));
        assert_eq!((exit, out.lines().next()), (0, Some("allowed")), "{name}");
    }
    // A variable is one in the newer version only.
    let own =
        r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::${aws:username}"}"#;
    folder.put(
        "text",
        format!(r#"{{"Version": "2008-10-17", "Statement": {own}}}"#),
    );
    folder.put("variable", policy(own));
    for (name, expected) in [("text", "implicit-deny"), ("variable", "allowed")] {
        let line = format!(
            "simulate --policy @{name} --action s3:GetObject --resource arn:aws:s3:::ann --context aws:username=ann"
        );
        assert_eq!(folder.run(&line).1.lines().next(), Some(expected), "{name}");
    }
    assert_eq!(
        folder.run("verify --current @variable --proposed @text").0,
        11
    );
}

#[test]
fn policies_of_resources_are_no_role_policies() {
    let folder = Folder::new();
    folder.put(
        "bucket",
        policy(
            r#"{"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": "*"}"#,
        ),
    );
    folder.put(
        "trust",
        policy(r#"{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}"#),
    );
    for (name, why) in [
        (
            "bucket",
            "statement 1 of `@bucket` names principals, which a role's policy cannot",
        ),
        ("trust", "statement 1 of `@trust` names "),
    ] {
        let (exit, out, _) = folder.run(&format!("verify --current @all --proposed @{name}"));
        assert_eq!(exit, 11, "{name}");
        assert!(
            out.starts_with("unknown\n") && out.contains(why),
            "{name}: {out}"
        );
        let (exit, _, error) =
            folder.run(&format!("simulate --policy @{name} --action s3:GetObject"));
        assert_eq!(exit, 0, "{name}");
        assert_eq!(
            error,
            format!("warning: statement 1 of `@{name}` names principals; they are not looked at\n")
        );
    }
}

#[test]
fn what_is_no_policy_is_an_error_with_a_place_and_a_hint() {
    let folder = Folder::new();
    let statement = |inner: &str| {
        format!("{{\n \"Version\": \"2012-10-17\",\n \"Statement\": [\n  {{{inner}}}\n ]\n}}\n")
    };
    fs::create_dir(folder.path("folder")).unwrap();
    let deep = "[".repeat(200_000);
    let deeper = "{\"Statement\":".repeat(200_000);
    let cases: [(&str, &[u8], &str); 17] = [
        ("empty", b"", "line 1, column 1: expected a value, found the end of the text"),
        ("cut", b"{\n \"Statement\": [\n", "line 3, column 1: expected a value, found the end of the text"),
        ("list", b"[]", "line 1, column 1: expected a policy object, found a list"),
        ("words", b"Allow everything", "line 1, column 1: "),
        ("utf16", b"\xff\xfe{\0}\0", "invalid utf-8"),
        ("percent", b"%FF%FE", "expected UTF-8 text after URL decoding"),
        ("lower", b"{\"statement\": []}", "expected `Statement` in the policy"),
        ("answer", b"{\"Policy\": {\"Statement\": []}}", "expected `Statement` in the policy"),
        ("version", b"{\"Version\": \"2015-01-01\", \"Statement\": []}", "line 1, column 13: expected `2012-10-17` or `2008-10-17`"),
        ("tail", b"{\"Statement\": []} x", "line 1, column 19: "),
        ("effect", &statement(r#""Effect": "allow", "Action": "*", "Resource": "*""#).into_bytes(), "line 4, column 14: expected `Allow` or `Deny`"),
        ("action", &statement(r#""Effect": "Allow", "Action": ["s3:*", 7], "Resource": "*""#).into_bytes(), "line 4, column 42: expected a string"),
        ("both", &statement(r#""Effect": "Allow", "Action": "*", "NotAction": "*", "Resource": "*""#).into_bytes(), "expected `Action` or `NotAction`, found both"),
        ("twice", &statement(r#""Effect": "Deny", "Effect": "Allow", "Action": "*", "Resource": "*""#).into_bytes(), "line 4, column 22: the key `Effect` stands twice"),
        ("condition", &statement(r#""Effect": "Allow", "Action": "*", "Resource": "*", "Condition": {"Bool": "true"}"#).into_bytes(), "expected an object of condition keys"),
        ("deep", deep.as_bytes(), "nested deeper than 100"),
        ("deeper", deeper.as_bytes(), "nested deeper than 100"),
    ];
    for (name, bytes, _) in &cases {
        folder.put(name, bytes);
    }
    let texts = cases.iter().map(|(name, _, expected)| (*name, *expected));
    for (name, expected) in texts.chain([
        ("absent", "cannot read `@absent`"),
        ("folder", "cannot read `@folder`"),
    ]) {
        for line in [
            format!("verify --current @all --proposed @{name}"),
            format!("verify --current @{name} --proposed @all --output json"),
            format!("simulate --policy @all --boundary @{name} --action s3:GetObject"),
            format!("simulate --policy @all @{name} --action s3:GetObject --output json"),
        ] {
            let (exit, out, error) = folder.run(&line);
            assert_eq!((exit, out.as_str()), (1, ""), "{line}: {error}");
            let lines: Vec<&str> = error.lines().collect();
            assert!(
                lines[0].starts_with("error: ") && lines[0].contains(expected),
                "{line}: {error}"
            );
            assert!(lines[0].contains(&format!("`@{name}`")), "{line}: {error}");
            assert!(
                lines.len() == 2 && lines[1].starts_with("hint: "),
                "{line}: {error}"
            );
        }
    }
}

#[test]
fn wrong_arguments_exit_2() {
    let folder = Folder::new();
    for line in [
        "verify --current @all",
        "verify --proposed @all",
        "simulate --policy @all",
        "simulate --action s3:GetObject",
        "simulate --policy @all --action s3:Get*",
        "simulate --policy @all --action GetObject",
        "simulate --policy @all --action s3:",
        "simulate --policy @all --action :GetObject",
        "simulate --policy @all --action s3:GetObject --context aws:SourceVpc",
        "simulate --policy @all --action s3:GetObject --output yaml",
    ] {
        let (exit, out, error) = folder.run(line);
        assert_eq!((exit, out.as_str()), (2, ""), "{line}: {error}");
        assert!(error.starts_with("error: "), "{line}: {error}");
    }
}

#[test]
fn huge_policies_end() {
    let folder = Folder::new();
    let many: Vec<String> = (0..3_000)
        .map(|n| {
            format!(
                r#"{{"Effect": "Allow", "Action": ["s3:Get*", "s3:Put{n}"], "Resource": ["arn:aws:s3:::b{n}/*", "arn:aws:s3:::*{n}*"]}}"#
            )
        })
        .collect();
    folder.put("huge", policy(&many.join(",\n")));
    let start = Instant::now();
    assert_eq!(folder.run("verify --current @huge --proposed @huge").0, 0);
    assert_eq!(folder.run("verify --current @all --proposed @huge").0, 0);
    assert_eq!(folder.run("verify --current @huge --proposed @all").0, 11);
    assert_eq!(
        folder
            .run("simulate --policy @huge --action s3:GetObject")
            .0,
        0
    );
    assert!(start.elapsed() < Duration::from_secs(120));
}
