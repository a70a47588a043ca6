use super::*;
use crate::iam::{ActionMatch, Conditions, Effect, ResourceMatch};

#[test]
fn every_key_order_and_value_survives() {
    for policy in [
        r#"{"Version":"2012-10-17","Id":"x","Statement":[{"Sid":"A","Effect":"Allow","Action":["s3:*"],"Resource":"*","Later":{"b":1.50,"a":[null,true]}}]}"#,
        r#"{"Statement":{"NotResource":"arn:aws:s3:::b/*","NotAction":"iam:*","Effect":"Deny"},"Extra":[],"Empty":{}}"#,
        r#"{"Version":"2008-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"lambda.amazonaws.com"},"Condition":{"Bool":{"aws:SecureTransport":true},"NumericLessThan":{"s3:max-keys":1e400}}}]}"#,
        r#"{"Statement":[],"Id":"\"\\\n\u0001é😀"}"#,
    ] {
        let document = PolicyDocument::parse(policy).unwrap();
        assert_eq!(document.to_json_compact(), policy);
        let again = PolicyDocument::parse(&document.to_json_pretty()).unwrap();
        assert_eq!(again, document);
    }
}

#[test]
fn statements_say_what_the_text_says() {
    let document = PolicyDocument::parse(
        r#"{"Version":"2012-10-17","Statement":{"Sid":"A","Effect":"Deny","NotAction":["iam:*","sts:*"],
            "NotResource":"arn:aws:s3:::b","Condition":{"StringLike":{"s3:prefix":["a","b"]},"Bool":{"x":false}}}}"#,
    )
    .unwrap();
    let [statement] = document.statements() else {
        panic!("one statement");
    };
    assert_eq!(statement.sid.as_deref(), Some("A"));
    assert_eq!(statement.effect, Effect::Deny);
    assert_eq!(
        statement.actions,
        ActionMatch::NotAction(vec!["iam:*".into(), "sts:*".into()])
    );
    assert_eq!(
        statement.resources,
        ResourceMatch::NotResource(vec!["arn:aws:s3:::b".into()])
    );
    let blocks: Vec<_> = statement
        .conditions
        .blocks
        .iter()
        .map(|b| (b.operator.as_str(), b.key.as_str(), b.values.join(" ")))
        .collect();
    assert_eq!(
        blocks,
        [
            ("StringLike", "s3:prefix", "a b".into()),
            ("Bool", "x", "false".into())
        ]
    );
    assert!(statement.variables);
}

#[test]
fn url_encoded_policies_are_read_too() {
    let plain = r#"{"Statement":[{"Effect":"Allow","Action":"a:b+c","Resource":"*"}]}"#;
    let encoded = "%7B%22Statement%22%3A%5B%7B%22Effect%22%3A%22Allow%22%2C%22Action%22%3A%22a%3Ab+c%22%2C%22Resource%22%3A%22%2A%22%7D%5D%7D";
    let expected = PolicyDocument::parse(plain).unwrap();
    assert_eq!(PolicyDocument::decode(encoded).unwrap(), expected);
    assert_eq!(
        PolicyDocument::decode(&format!("\u{feff} {plain}")).unwrap(),
        expected
    );
    assert_eq!(PolicyDocument::decode(plain).unwrap(), expected);
    assert!(PolicyDocument::decode("%ff%fe").is_err());
}

#[test]
fn errors_say_where_and_what_was_expected() {
    for (text, expected) in [
        (
            "",
            "line 1, column 1: expected a value, found the end of the text",
        ),
        (
            "[]",
            "line 1, column 1: expected a policy object, found a list",
        ),
        ("{}", "line 1, column 1: expected `Statement` in the policy"),
        (
            "{\n  \"Version\": \"2012-10-18\", \"Statement\": []}",
            "line 2, column 14: expected `2012-10-17` or `2008-10-17`, found `2012-10-18`",
        ),
        (
            "{\"Statement\": [\n {\"Effect\": \"allow\"}]}",
            "line 2, column 13: expected `Allow` or `Deny`, found `allow`",
        ),
        (
            "{\"Statement\": [\n {\"Effect\": \"Deny\"}]}",
            "line 2, column 2: expected `Action` or `NotAction` in the statement",
        ),
        (
            "{\"Statement\": {\"Effect\":\"Deny\",\"Action\":[\"a\",\n 7]}}",
            "line 2, column 2: expected a string, found the number `7`",
        ),
        (
            "{\"Statement\": {\"Effect\":\"Deny\",\"Action\":\"a\",\"Condition\":{\"Bool\":{\"k\":{}}}}}",
            "line 1, column 70: expected a string, a number, `true`, `false` or a list of them, found an object",
        ),
        (
            "{\"Statement\": {\"Effect\":\"Deny\",\"Effect\":\"Allow\"}}",
            "line 1, column 32: the key `Effect` stands twice",
        ),
        (
            "{\"Statement\": []} x",
            "line 1, column 19: expected the end of the document, found `x`",
        ),
        (
            "{\"Statement\": [,]}",
            "line 1, column 16: expected a value, found `,`",
        ),
        ("{\"a\": \"b", "line 1, column 7: this string has no end"),
        (
            "{\"a\": \"\\x\"}",
            "line 1, column 8: expected a valid escape after `\\`",
        ),
        (
            "{\"a\": 01}",
            "line 1, column 7: expected a number, found `01`",
        ),
        (
            "{\"Statement\":{\"Effect\":\"Deny\",\"Action\":\"a\",\"NotAction\":\"b\"}}",
            "line 1, column 56: expected `Action` or `NotAction`, found both",
        ),
    ] {
        assert_eq!(
            PolicyDocument::parse(text).unwrap_err().to_string(),
            expected,
            "{text}"
        );
    }
    let deep = "[".repeat(100_000);
    assert!(
        PolicyDocument::parse(&deep)
            .unwrap_err()
            .message
            .contains("nested")
    );
    let value = serde_json::json!({"Statement": [{"Effect": "No"}]});
    assert_eq!(
        PolicyDocument::from_value(&value).unwrap_err().to_string(),
        "expected `Allow` or `Deny`, found `No` at `Statement[0].Effect`"
    );
}

#[test]
fn made_policies_print_in_the_conventional_order() {
    let mut conditions = Conditions::none();
    let block = |operator: &str, key: &str, values: &[&str]| crate::iam::ConditionBlock {
        operator: operator.into(),
        key: key.into(),
        values: values.iter().map(ToString::to_string).collect(),
    };
    assert!(conditions.add(block("StringLike", "s3:prefix", &["a/*"])));
    assert!(conditions.add(block("Bool", "aws:SecureTransport", &["true"])));
    assert!(conditions.add(block("StringLike", "s3:delimiter", &["/", "|"])));
    assert!(!conditions.add(block("stringlike", "S3:prefix", &["b"])));
    let document = PolicyDocument::new(vec![
        crate::iam::Statement::allow(
            Some("Read"),
            vec!["s3:GetObject".into(), "s3:ListBucket".into()],
            vec!["arn:aws:s3:::b/*".into()],
            conditions,
        ),
        crate::iam::Statement::allow(
            None,
            vec!["sts:GetCallerIdentity".into()],
            vec!["*".into()],
            Conditions::none(),
        ),
    ]);
    insta::assert_snapshot!(document.to_json_pretty(), @r#"
    {
      "Version": "2012-10-17",
      "Statement": [
        {
          "Sid": "Read",
          "Effect": "Allow",
          "Action": [
            "s3:GetObject",
            "s3:ListBucket"
          ],
          "Resource": "arn:aws:s3:::b/*",
          "Condition": {
            "StringLike": {
              "s3:prefix": "a/*",
              "s3:delimiter": [
                "/",
                "|"
              ]
            },
            "Bool": {
              "aws:SecureTransport": "true"
            }
          }
        },
        {
          "Effect": "Allow",
          "Action": "sts:GetCallerIdentity",
          "Resource": "*"
        }
      ]
    }
    "#);
    let read = PolicyDocument::parse(&document.to_json_compact()).unwrap();
    let mut reordered = document.clone();
    // The order of blocks under one operator is the order of the text.
    reordered.statements[0].conditions = read.statements[0].conditions.clone();
    assert_eq!(read, reordered);
}

#[test]
fn an_old_statement_keeps_its_meaning_in_a_new_policy() {
    let old = PolicyDocument::parse(
        r#"{"Statement":[{"Effect":"Allow","Action":"s3:*","Resource":"arn:aws:s3:::${aws:username}"}]}"#,
    )
    .unwrap();
    assert!(!old.statements()[0].variables);
    let new = PolicyDocument::new(old.statements().to_vec());
    assert_eq!(
        new.statements()[0].resources.patterns(),
        ["arn:aws:s3:::${$}{aws:username}"]
    );
}
