use serde_json::json;

use super::*;
use crate::catalog::Catalog;
use crate::grants::Snapshot;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:f";

fn check(statements: &Value, functions: &[&str], expected: &[&str]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("account-authorization-details.json");
    let details = json!({"RoleDetailList": [{"RoleName": "r", "Arn": "arn:aws:iam::111122223333:role/r",
        "AssumeRolePolicyDocument": {"Version": "2012-10-17", "Statement": statements}}]});
    std::fs::write(&path, details.to_string()).unwrap();
    let snapshot = Snapshot::load(None, &[path], Catalog::builtin()).unwrap();
    let role = snapshot.roles.values().next().unwrap();
    let found: Vec<&str> = review(role, functions)
        .iter()
        .map(|finding| finding.code.as_str())
        .collect();
    assert_eq!(found, expected, "{statements}");
}

fn allow(principal: &Value, condition: &Value) -> Value {
    let mut statement =
        json!({"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"});
    if !condition.is_null() {
        statement["Condition"] = condition.clone();
    }
    statement
}

fn lambda() -> Value {
    allow(&json!({"Service": "lambda.amazonaws.com"}), &Value::Null)
}

#[test]
fn lambda_alone_is_fine() {
    check(&json!([lambda()]), &[FUNCTION], &[]);
    check(&lambda(), &[FUNCTION], &[]);
    check(
        &json!([allow(
            &json!({"Service": ["lambda.amazonaws.com", "edgelambda.amazonaws.com"]}),
            &Value::Null
        )]),
        &[FUNCTION],
        &[],
    );
    check(
        &json!([allow(
            &json!({"Service": "lambda.amazonaws.com"}),
            &json!({"StringEquals": {"aws:SourceAccount": "111122223333"}})
        )]),
        &[FUNCTION],
        &[],
    );
}

#[test]
fn others_are_told_by_what_they_can_do() {
    for (principal, condition, code) in [
        (json!("*"), Value::Null, "trust-anyone"),
        (
            json!({"AWS": "*"}),
            json!({"StringEquals": {"sts:ExternalId": "*"}}),
            "trust-anyone",
        ),
        (
            json!({"AWS": "*"}),
            json!({"StringNotEquals": {"aws:PrincipalOrgID": "o-1"}}),
            "trust-anyone",
        ),
        (
            json!({"AWS": "*"}),
            json!({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}),
            "trust-other-principal",
        ),
        (
            json!({"AWS": "999988887777"}),
            Value::Null,
            "trust-cross-account-unconditional",
        ),
        (
            json!({"AWS": "arn:aws:iam::999988887777:root"}),
            Value::Null,
            "trust-cross-account-unconditional",
        ),
        (
            json!({"AWS": "arn:aws:iam::999988887777:root"}),
            json!({"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
            "trust-cross-account-unconditional",
        ),
        (
            json!({"AWS": "arn:aws:iam::999988887777:root"}),
            json!({"StringEquals": {"sts:ExternalId": "x"}}),
            "trust-cross-account",
        ),
        (
            json!({"AWS": "arn:aws:iam::111122223333:role/deploy"}),
            Value::Null,
            "trust-other-principal",
        ),
        (
            json!({"Service": "ec2.amazonaws.com"}),
            Value::Null,
            "trust-other-principal",
        ),
    ] {
        check(
            &json!([lambda(), allow(&principal, &condition)]),
            &[FUNCTION],
            &[code],
        );
    }
    let mut federated = allow(
        &json!({"Federated": "token.actions.githubusercontent.com"}),
        &Value::Null,
    );
    federated["Action"] = json!("sts:AssumeRoleWithWebIdentity");
    check(
        &json!([lambda(), federated]),
        &[FUNCTION],
        &["trust-federated-unconditional"],
    );
    federated["Condition"] =
        json!({"StringLike": {"token.actions.githubusercontent.com:sub": "repo:o/r:*"}});
    check(
        &json!([lambda(), federated]),
        &[FUNCTION],
        &["trust-other-principal"],
    );
    let not = json!({"Effect": "Allow", "NotPrincipal": {"AWS": "111122223333"}, "Action": "sts:AssumeRole"});
    check(
        &json!([lambda(), not]),
        &[FUNCTION],
        &["trust-not-principal"],
    );
}

#[test]
fn roles_that_lambda_cannot_take() {
    let ec2 = allow(&json!({"Service": "ec2.amazonaws.com"}), &Value::Null);
    check(
        &json!([ec2]),
        &[FUNCTION],
        &["trust-no-lambda", "trust-other-principal"],
    );
    check(&json!([ec2]), &[], &["trust-other-principal"]);
    let deny = json!({"Effect": "Deny", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:*"});
    check(&json!([lambda(), deny]), &[FUNCTION], &["trust-no-lambda"]);
    let other = allow(
        &json!({"Service": "lambda.amazonaws.com"}),
        &json!({"StringEquals": {"AWS:SourceAccount": "999988887777"}}),
    );
    check(
        &json!([other]),
        &[FUNCTION],
        &["trust-lambda-condition-fails"],
    );
    check(&json!([other, lambda()]), &[FUNCTION], &[]);
    let wrong = allow(
        &json!({"Service": "lambda.amazonaws.com"}),
        &json!({"ArnLike": {"aws:SourceArn": "arn:aws:lambda:us-east-1:111122223333:function:g"}}),
    );
    check(
        &json!([wrong]),
        &[FUNCTION],
        &["trust-lambda-condition-fails"],
    );
    let key = allow(
        &json!({"Service": "lambda.amazonaws.com"}),
        &json!({"ArnLike": {"lambda:SourceFunctionArn": FUNCTION}}),
    );
    check(
        &json!([key]),
        &[FUNCTION],
        &["trust-lambda-condition-fails"],
    );
}
