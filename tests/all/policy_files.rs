//! What `verify` and `simulate` take for policies beside bare documents: what `fit` wrote, and what the AWS
//! CLI prints.

use crate::policy::{ALL, Folder, READ, policy};

#[test]
fn a_role_is_verified_from_what_fit_wrote() {
    let folder = Folder::new();
    let all = policy(ALL);
    let read = policy(READ);
    folder.put(
        "current.json",
        format!(
            r#"{{"RoleName": "r", "Arn": "arn:aws:iam::111122223333:role/r", "PermissionsBoundary": null, "Policies": [
                {{"PolicyName": "one", "Kind": "inline", "PolicyDocument": {read}}},
                {{"PolicyName": "two", "Kind": "inline", "PolicyDocument": {all}}}]}}"#
        ),
    );
    folder.put(
        "broken.json",
        r#"{"Policies": [{"PolicyName": "one", "PolicyDocument": {"Statement": [{"Effect": "Permit"}]}}]}"#,
    );
    for (line, exit, out, error) in [
        (
            "--current @current.json --proposed @read @all",
            0,
            "contained\n",
            "",
        ),
        (
            "--current @current.json --proposed @write",
            0,
            "contained\n",
            "",
        ),
        (
            "--current @read --proposed @current.json",
            11,
            "not-contained\nonly the proposed policies allow s3:AbortMultipartUpload on arn:aws:s3:::b\n",
            "",
        ),
        (
            "--current @broken.json --proposed @read",
            1,
            "",
            "`one of @broken.json` is not a policy document",
        ),
    ] {
        let (exited, printed, message) = folder.run(&format!("verify {line}"));
        assert_eq!((exited, printed.as_str()), (exit, out), "{line}: {message}");
        assert!(message.contains(error), "{line}: {message}");
    }
}

#[test]
fn files_of_the_aws_cli_and_of_fit_are_policies_with_their_boundary() {
    let folder = Folder::new();
    let all = policy(ALL);
    let boundary = policy(r#"{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}"#);
    folder.put(
        "current.json",
        format!(
            r#"{{"Policies": [{{"PolicyName": "one", "PolicyDocument": {all}}}],
                "PermissionsBoundary": {{"PermissionsBoundaryArn": "b", "PolicyDocument": {boundary}}}}}"#
        ),
    );
    folder.put("boundary", &boundary);
    folder.put(
        "role-policy",
        format!(r#"{{"RoleName": "r", "PolicyName": "p", "PolicyDocument": {all}}}"#),
    );
    folder.put(
        "version",
        format!(r#"{{"PolicyVersion": {{"Document": {all}, "VersionId": "v1"}}}}"#),
    );
    folder.put(
        "encoded",
        r#"{"PolicyDocument": "%7B%22Statement%22%3A%5B%5D%7D"}"#,
    );
    // Whatever has a `Statement` is a policy: nothing beside it hides what it allows.
    let both = r#"{"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}], "Policies": []}"#;
    folder.put("both", both);
    folder.put(
        "spelled",
        policy(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "condition": {"Bool": {"aws:SecureTransport": "true"}}}"#),
    );
    for (line, exit, begins) in [
        (
            "simulate --policy @current.json --action s3:PutObject",
            0,
            "implicit-deny",
        ),
        (
            "simulate --policy @current.json --action s3:GetObject",
            0,
            "allowed",
        ),
        (
            "simulate --policy @current.json --boundary @all --action s3:PutObject",
            0,
            "allowed",
        ),
        (
            "simulate --policy @role-policy --action s3:PutObject",
            0,
            "allowed",
        ),
        (
            "simulate --policy @version --action s3:PutObject",
            0,
            "allowed",
        ),
        (
            "simulate --policy @encoded --action s3:PutObject",
            0,
            "implicit-deny",
        ),
        (
            "verify --current @read --proposed @both",
            11,
            "not-contained",
        ),
        (
            "verify --current @boundary --proposed @all",
            11,
            "not-contained",
        ),
        (
            "verify --current @boundary --proposed @all --boundary @boundary",
            0,
            "contained",
        ),
        ("verify --current @spelled --proposed @read", 1, ""),
    ] {
        let (exited, printed, message) = folder.run(line);
        assert_eq!(exited, exit, "{line}: {message}");
        assert!(printed.starts_with(begins), "{line}: {printed}");
    }
    let (_, _, message) = folder.run("verify --current @spelled --proposed @read");
    assert!(
        message.contains("expected `Condition`, found `condition`"),
        "{message}"
    );
}

#[test]
fn simulate_takes_other_keys_for_absent_where_told() {
    let folder = Folder::new();
    folder.put(
        "keyed",
        policy(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "*", "Condition": {"Null": {"aws:TokenIssueTime": "true"}}}"#),
    );
    folder.put(
        "home",
        policy(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::home/${aws:username}/*"}"#),
    );
    for (line, expected) in [
        ("--policy @keyed --action s3:GetObject", "depends"),
        (
            "--policy @keyed --action s3:GetObject --complete",
            "allowed",
        ),
        (
            "--policy @home --action s3:GetObject --resource arn:aws:s3:::home/a/b",
            "depends",
        ),
        // No name of a user makes the pattern match this.
        (
            "--policy @home --action s3:GetObject --resource arn:aws:s3:::pay/a",
            "implicit-deny",
        ),
    ] {
        let (_, printed, _) = folder.run(&format!("simulate {line}"));
        assert!(printed.starts_with(expected), "{line}: {printed}");
    }
}
