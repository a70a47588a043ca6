//! The small parts on their own: escapes, suffixes, lookups, formats.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{lines, map, record};
use crate::catalog::Catalog;
use crate::catalog::map::arns::{self, Part, Scope};
use crate::catalog::map::params;
use crate::catalog::map::resource::ResourceRef;
use crate::catalog::map::suffix::without_date;

#[test]
fn literals_are_escaped_when_written_as_patterns() {
    let table = [
        ("arn:aws:s3:::b/k", "arn:aws:s3:::b/k"),
        ("arn:aws:s3:::b/a*b?c", "arn:aws:s3:::b/a${*}b${?}c"),
        (
            "arn:aws:s3:::b/${aws:username}",
            "arn:aws:s3:::b/${$}{aws:username}",
        ),
        ("f:$LATEST", "f:$LATEST"),
        ("[$LATEST]1993", "[$LATEST]1993"),
        ("arn:aws:s3:::b/$", "arn:aws:s3:::b/$"),
        ("arn:aws:s3:::b/日本/é", "arn:aws:s3:::b/*/é"),
        ("arn:aws:s3:::b/a\u{1}b", "arn:aws:s3:::b/a*b"),
    ];
    for (literal, pattern) in table {
        let resource = ResourceRef::Literal(literal.to_owned());
        assert_eq!(resource.pattern(), pattern);
        assert_eq!(resource.as_arn(), Some(literal));
        assert!(!resource.is_open());
    }
    let pattern = ResourceRef::Pattern("arn:aws:s3:::b/*".to_owned());
    assert_eq!(
        (pattern.pattern().as_str(), pattern.as_arn()),
        ("arn:aws:s3:::b/*", None)
    );
    assert_eq!(
        (
            ResourceRef::Any.pattern().as_str(),
            ResourceRef::Any.is_open()
        ),
        ("*", true)
    );
}

#[test]
fn only_dates_are_suffixes() {
    let table = [
        ("GetFunction20150331v2", Some("GetFunction")),
        ("ListFunctions20150331", Some("ListFunctions")),
        ("CreateFunction2020_05_31", Some("CreateFunction")),
        ("DescribeTopicV2", None),
        ("CreateClusterV2", None),
        ("GetThing20151331", None),
        ("GetThing19991231", None),
        ("20150331", None),
        ("v2", None),
        ("Get2Thing20150331", None),
        ("", None),
        ("é20150331", None),
        ("Invoke20150331v", None),
    ];
    for (name, plain) in table {
        assert_eq!(without_date(name), plain, "{name}");
    }
}

#[test]
fn parameters_are_found_in_every_spelling() {
    let root = json!({
        "dBInstanceIdentifier": "a",
        "instancesSet": {"items": [{"instanceId": "i-1"}, {"instanceId": "i-2"}]},
        "members": {"member": [{"name": "m"}]},
        "requestItems": {"t1": [], "t2": []},
        "Nested": {"Deep": ["x", "HIDDEN_DUE_TO_SECURITY_REASONS", ""]},
        "flowLogId": {"content": "fl-1", "tag": 1},
        "count": 3,
        "long": "x".repeat(3000),
    });
    let table: [(&str, &[&str]); 9] = [
        ("DBInstanceIdentifier", &["a"]),
        ("instancesSet.instanceId", &["i-1", "i-2"]),
        ("InstancesSet[].InstanceId", &["i-1", "i-2"]),
        ("members.name", &["m"]),
        ("requestItems{}", &["t1", "t2"]),
        ("nested.deep[]", &["x"]),
        ("FlowLogId", &["fl-1"]),
        ("long", &[]),
        ("none.of.it", &[]),
    ];
    for (path, wanted) in table {
        assert_eq!(params::texts(&root, path), wanted, "{path}");
    }
    assert!(params::present(
        &json!({"X-Amz-Acl": "private"}),
        "x-amz-acl"
    ));
    assert!(params::present(
        &json!({"x-amz-grant-read": "a"}),
        "x-amz-grant-*"
    ));
    assert!(!params::present(
        &json!({"tags": {}, "list": [], "text": ""}),
        "tags"
    ));
    assert!(!params::present(&json!({"tags": []}), "tags"));
}

#[test]
fn formats_are_filled_and_fitted() {
    let scope = Scope {
        partition: "aws-cn".to_owned(),
        region: String::new(),
        account: "1".to_owned(),
    };
    let format = "arn:${Partition}:x:${Region}:${Account}:a/${One}/b/${Two}";
    let text = |text: &str| Part::Text(text.to_owned());
    let filled = arns::fill(format, &scope, |name| {
        if name == "One" {
            text("o*")
        } else {
            Part::Unknown
        }
    });
    assert_eq!(
        filled,
        ResourceRef::Pattern("arn:aws-cn:x:*:1:a/o${*}/b/*".to_owned())
    );
    let fits = [
        (
            "arn:${Partition}:s3:::${Bucket}/${Key}",
            "arn:aws:s3:::b/k/k",
            true,
        ),
        (
            "arn:${Partition}:s3:::${Bucket}/${Key}",
            "arn:aws:s3:::b",
            false,
        ),
        (
            "arn:${Partition}:s3:::${Bucket}/${Key}",
            "arn:aws:s3:eu-west-1::b/k",
            false,
        ),
        (
            "arn:${Partition}:iam::${Account}:role/${Path}",
            "arn:aws:iam::1:role/a/b",
            true,
        ),
        (
            "arn:${Partition}:iam::${Account}:role/${Path}",
            "arn:aws:iam::1:role/",
            false,
        ),
        (
            "arn:${Partition}:iam::${Account}:role/${Path}",
            "arn:aws:iam",
            false,
        ),
        ("arn:${Partition}:iam::${Account}:role/${Path}", "", false),
    ];
    for (format, arn, fit) in fits {
        assert_eq!(arns::fit(format, arn).is_some(), fit, "{format} {arn}");
    }
}

/// Any JSON, with the names that the rules look for among its members.
fn any_params() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        "[ -~é日\u{1}]{0,20}".prop_map(Value::from),
        "arn:[a-z*]{0,4}:[a-z0-9]{0,8}:[a-z0-9-]{0,9}:[0-9*]{0,12}:[ -~]{0,20}"
            .prop_map(Value::from),
        "[a-z]{0,3}://[ -~]{0,20}".prop_map(Value::from),
        "(SELECT|insert into|UPDATE|DELETE FROM|exists\\()[ -~é]{0,20}".prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 32, 5, |inner| {
        let name = prop_oneof![
            prop::sample::select(vec![
                "bucketName",
                "key",
                "x-amz-copy-source",
                "tableName",
                "requestItems",
                "transactItems",
                "statement",
                "functionName",
                "qualifier",
                "queueUrl",
                "secretId",
                "names",
                "path",
                "keyId",
                "tags",
                "roleArn",
                "iamInstanceProfile",
                "items",
                "content",
                "tagSpecificationSet",
                "resourceType",
                "logGroupName",
                "logStreamName",
                "modelId",
                "shardIterator",
                "put",
                "destinationKeyId",
                "restApiId",
                "hostedZoneId",
                "entries",
                "eventBusName",
            ])
            .prop_map(str::to_owned),
            "[a-zA-Z]{1,8}",
        ];
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            prop::collection::vec((name, inner), 0..5)
                .prop_map(|members| Value::Object(members.into_iter().collect())),
        ]
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    /// Whatever the parameters hold: no panic, only known actions, no wildcard from a literal.
    #[test]
    fn no_parameters_break_the_mapping(
        params in any_params(),
        call in prop::sample::select(vec![
            "s3 CopyObject", "s3 GetObject", "s3 ListObjects", "dynamodb ExecuteStatement",
            "dynamodb TransactWriteItems", "dynamodb BatchGetItem", "dynamodb Query", "dynamodb GetRecords",
            "lambda Invoke", "lambda CreateFunction", "sqs SendMessage", "sns Publish", "kms ReEncrypt",
            "kms Decrypt", "secretsmanager GetSecretValue", "ssm GetParametersByPath", "ssm SendCommand",
            "logs CreateLogStream", "ec2 RunInstances", "ec2 CreateTags", "iam CreateRole",
            "apigateway PutIntegration", "bedrock InvokeModel", "ses SendEmail", "glue GetTable",
            "ecs RunTask", "events PutEvents", "route53 ChangeResourceRecordSets", "rds CreateDBInstance",
        ]),
    ) {
        let (source, event) = call.split_once(' ').unwrap();
        let mapping = map(&record(source, event, &params, &json!({})));
        prop_assert!(!lines(&mapping).is_empty());
        if let crate::catalog::Mapping::Requests(requests) = mapping {
            for request in requests {
                prop_assert!(Catalog::builtin().action(request.action.as_str()).is_some());
                let pattern = request.resource.pattern();
                if !request.resource.is_open() {
                    let plain = pattern.replace("${*}", "").replace("${?}", "").replace("${$}", "");
                    prop_assert!(!plain.contains("${") && !plain.contains('?'), "{}", pattern);
                }
                let writable = pattern.chars().all(|letter| u32::from(letter) <= 0xff);
                prop_assert!(writable, "{}", pattern);
            }
        }
    }
}

/// The memo forgets when it is full, and never gives one call for another.
#[test]
fn a_memo_answers_like_the_catalog() {
    let catalog = crate::catalog::Catalog::builtin();
    let mut memo = crate::catalog::Memo::new(catalog);
    for round in 0..2 {
        for number in 0..5_000 {
            let long = if number % 7 == 0 {
                "x".repeat(1_100)
            } else {
                String::new()
            };
            let text = format!(
                r#"{{"eventSource":"s3.amazonaws.com","eventName":"GetObject","requestParameters":{{"bucketName":"b","key":"k{number}{long}"}}}}"#
            );
            let record: crate::trail::Record<'_> = serde_json::from_str(&text).unwrap();
            let made = memo.map(&record);
            let crate::catalog::Mapping::Requests(requests) = &made else {
                panic!("{made:?}");
            };
            let wanted = format!("arn:aws:s3:::b/k{number}{long}");
            assert_eq!(requests[0].resource.as_arn(), Some(&*wanted), "{round}");
        }
    }
}
