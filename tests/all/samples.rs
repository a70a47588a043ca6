//! The stories of sample-logs/README.md: what a right proposal is, checked on the program's own output.

use std::sync::OnceLock;

use serde_json::Value;

use crate::program::{allows, codes, report, role};

fn samples() -> &'static Value {
    static REPORT: OnceLock<Value> = OnceLock::new();
    REPORT.get_or_init(|| {
        let (report, code) = report(&["sample-logs", "--snapshot", "sample-logs/snapshot"]);
        assert_eq!(code, 4, "one object is broken and some roles need a person");
        report
    })
}

fn policy(name: &str) -> Vec<String> {
    allows(&role(samples(), name)["proposed"]["policy"])
}

fn status(name: &str) -> &'static str {
    role(samples(), name)["status"].as_str().unwrap()
}

/// The three lines of a function's own log group.
fn logs(place: &str, group: &str) -> Vec<String> {
    ["CreateLogGroup", "CreateLogStream", "PutLogEvents"]
        .map(|action| format!("logs:{action} arn:{place}:log-group:{group}:*"))
        .to_vec()
}

fn with_logs(lines: &[&str], place: &str, group: &str) -> Vec<String> {
    let mut all: Vec<String> = lines.iter().map(|line| (*line).to_owned()).collect();
    all.extend(logs(place, group));
    all.sort();
    all
}

const SHOP: &str = "aws:logs:us-east-1:111122223333";

#[test]
fn order_processor_leaves_administrator_access() {
    assert_eq!(
        policy("order-processor-role"),
        with_logs(
            &[
                "dynamodb:GetItem arn:aws:dynamodb:us-east-1:111122223333:table/Orders",
                "dynamodb:Query arn:aws:dynamodb:us-east-1:111122223333:table/Orders",
                "s3:PutObject arn:aws:s3:::order-receipts/receipts/*/order-*.json",
            ],
            SHOP,
            "/aws/lambda/order-processor"
        )
    );
    assert_eq!(status("order-processor-role"), "ready");
    assert_eq!(
        role(samples(), "order-processor-role")["reasons"],
        serde_json::json!([])
    );
}

#[test]
fn a_shared_role_keeps_what_both_functions_do() {
    let mut expected = vec![
        "dynamodb:GetItem arn:aws:dynamodb:us-east-1:111122223333:table/Orders".to_owned(),
        "dynamodb:PutItem arn:aws:dynamodb:us-east-1:111122223333:table/Orders".to_owned(),
        "dynamodb:UpdateItem arn:aws:dynamodb:us-east-1:111122223333:table/OrderCounters"
            .to_owned(),
        "sns:Publish arn:aws:sns:us-east-1:111122223333:order-events".to_owned(),
    ];
    for action in ["CreateLogGroup", "CreateLogStream", "PutLogEvents"] {
        let groups =
            ["create", "get"].map(|f| format!("arn:{SHOP}:log-group:/aws/lambda/api-orders-{f}:*"));
        expected.push(format!("logs:{action} {}", groups.join(",")));
    }
    expected.sort();
    assert_eq!(policy("shared-api-role"), expected);
    let decisions = role(samples(), "shared-api-role")["decisions"]
        .as_array()
        .unwrap();
    let put = decisions
        .iter()
        .find(|d| d["action"] == "dynamodb:PutItem")
        .unwrap();
    assert_eq!(put["functions"], serde_json::json!(["api-orders-create"]));
}

#[test]
fn a_management_only_trail_keeps_what_it_cannot_show() {
    let lines = policy("nightly-report-role");
    for kept in [
        "dynamodb:GetItem",
        "dynamodb:PutItem",
        "s3:GetObject",
        "s3:PutObject",
        "ses:SendEmail",
    ] {
        assert!(
            lines
                .iter()
                .any(|line| line.starts_with(&format!("{kept} "))),
            "{kept} is not visible, so it stays"
        );
    }
    for gone in [
        "s3:DeleteBucket",
        "s3:PutBucketPolicy",
        "dynamodb:DeleteTable",
        "dynamodb:CreateTable",
        "ssm:GetParameters",
    ] {
        assert!(
            !lines
                .iter()
                .any(|line| line.starts_with(&format!("{gone} "))),
            "{gone} is a management event and was not used"
        );
    }
    assert!(lines.iter().any(|line| line == "ssm:GetParameter arn:aws:ssm:eu-west-1:444455556666:parameter/reports/currency,arn:aws:ssm:eu-west-1:444455556666:parameter/reports/recipients"));
    assert!(
        lines.iter().all(|line| !line.ends_with(" *")),
        "each on its own bucket, table and identity"
    );
}

#[test]
fn a_vpc_function_keeps_what_lambda_does_for_it() {
    let lines = policy("invoice-worker-role");
    let queue = "arn:aws:sqs:us-east-1:111122223333:invoice-queue";
    for expected in [
        "dynamodb:GetItem arn:aws:dynamodb:us-east-1:111122223333:table/Invoices".to_owned(),
        "dynamodb:UpdateItem arn:aws:dynamodb:us-east-1:111122223333:table/Invoices".to_owned(),
        "ec2:CreateNetworkInterface *".to_owned(),
        "ec2:DeleteNetworkInterface *".to_owned(),
        "ec2:DescribeNetworkInterfaces *".to_owned(),
        format!("sqs:ReceiveMessage {queue}"),
        format!("sqs:DeleteMessage {queue}"),
        format!("sqs:GetQueueAttributes {queue}"),
        "sqs:SendMessage arn:aws:sqs:us-east-1:111122223333:invoice-dlq".to_owned(),
    ] {
        assert!(lines.contains(&expected), "{expected} in {lines:#?}");
    }
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("elasticfilesystem:ClientMount "))
    );
    assert_eq!(status("invoice-worker-role"), "ready");
}

#[test]
fn forwarded_kms_calls_are_the_roles_own() {
    let lines = policy("payment-gateway-role");
    let key = "kms:Decrypt arn:aws:kms:us-east-1:111122223333:key/";
    assert!(lines.iter().any(|line| line.starts_with(key)));
    assert!(
        !lines
            .iter()
            .any(|line| line.starts_with("kms:") && !line.starts_with("kms:Decrypt ")),
        "key administration is gone"
    );
    assert!(lines.iter().any(|line| line.starts_with("secretsmanager:GetSecretValue arn:aws:secretsmanager:us-east-1:111122223333:secret:payments/acquirer-api-")));
    assert!(lines.iter().any(|line| line == "xray:PutTraceSegments *"));
}

#[test]
fn denied_calls_grant_nothing() {
    let role = role(samples(), "catalog-sync-role");
    let lines = policy("catalog-sync-role");
    assert!(
        !lines
            .iter()
            .any(|line| line.contains("DeleteTable") || line.contains("partner-catalog-feed")),
        "{lines:#?}"
    );
    let denied: Vec<&str> = role["denied"]
        .as_array()
        .unwrap()
        .iter()
        .map(|d| d["action"].as_str().unwrap())
        .collect();
    assert!(
        denied.contains(&"dynamodb:DeleteTable") && denied.contains(&"s3:GetObject"),
        "{denied:?}"
    );
}

#[test]
fn passed_roles_are_found_in_parameters() {
    let lines: Vec<String> = policy("pipeline-starter-role")
        .into_iter()
        .filter(|line| line.starts_with("iam:"))
        .collect();
    assert_eq!(
        lines,
        [
            r#"iam:PassRole arn:aws:iam::111122223333:role/etl-adhoc-role {"StringEquals":{"iam:PassedToService":"lambda.amazonaws.com"}}"#,
            r#"iam:PassRole arn:aws:iam::111122223333:role/pipeline-task-execution-role,arn:aws:iam::111122223333:role/pipeline-task-role {"StringEquals":{"iam:PassedToService":"ecs-tasks.amazonaws.com"}}"#,
        ]
    );
}

#[test]
fn an_index_query_names_the_index() {
    assert_eq!(
        policy("customer-search-role"),
        with_logs(
            &[
                "dynamodb:GetItem arn:aws:dynamodb:us-east-1:111122223333:table/Customers",
                "dynamodb:Query arn:aws:dynamodb:us-east-1:111122223333:table/Customers/index/email-index",
            ],
            SHOP,
            "/shop/customer-search"
        )
    );
}

#[test]
fn govcloud_keeps_its_partition() {
    let lines = policy("gov-intake-role");
    assert!(
        lines.iter().all(|line| line.contains(" arn:aws-us-gov:")),
        "{lines:#?}"
    );
    assert!(
        lines
            .iter()
            .any(|line| line.starts_with("sqs:ReceiveMessage ")),
        "basic selectors cannot log SQS"
    );
}

#[test]
fn an_unused_role_is_for_a_person() {
    assert_eq!(status("legacy-cleanup-role"), "review");
    assert!(codes(role(samples(), "legacy-cleanup-role")).contains(&"unused-role"));
    assert!(
        policy("legacy-cleanup-role")
            .iter()
            .all(|line| !line.starts_with("deny"))
    );
}

#[test]
fn conditions_denies_and_boundary_stay() {
    let lines = policy("audit-export-role");
    let condition = r#" {"StringEquals":{"aws:RequestedRegion":"us-east-1"}}"#;
    for line in lines.iter().filter(|line| !line.starts_with("deny ")) {
        assert!(line.ends_with(condition), "{line}");
    }
    assert!(lines.contains(&"deny s3:DeleteObject arn:aws:s3:::audit-archive/*".to_owned()));
    assert!(lines.contains(&format!(
        "sns:Publish arn:aws:sns:us-east-1:111122223333:audit-failures{condition}"
    )));
    let role = role(samples(), "audit-export-role");
    assert!(
        role["current"]["documents"]
            .as_array()
            .unwrap()
            .iter()
            .any(|d| d["kind"] == "boundary")
    );
}

#[test]
fn copies_count_once_and_a_broken_object_touches_its_own_account_alone() {
    assert_eq!(samples()["input"]["records"]["read"], 3_154);
    assert_eq!(samples()["input"]["records"]["duplicate"], 332);
    assert_eq!(samples()["input"]["objects"]["failed"], 1);
    assert_eq!(status("image-resizer-role"), "review");
    for role in samples()["roles"].as_array().unwrap() {
        let partial = codes(role).contains(&"partial-input");
        assert_eq!(
            partial,
            role["arn"].as_str().unwrap().contains("888899990000"),
            "{}",
            role["arn"]
        );
    }
}

#[test]
fn credentials_used_elsewhere_do_not_count() {
    let lines = policy("metrics-shipper-role");
    assert!(
        !lines.iter().any(|line| line.starts_with("ecr:")
            || line.starts_with("s3:ListBucket")
            || line.starts_with("lambda:GetFunction ")),
        "{lines:#?}"
    );
    assert_eq!(status("metrics-shipper-role"), "review");
    assert!(codes(role(samples(), "metrics-shipper-role")).contains(&"outside-use"));
}

#[test]
fn every_promise_is_kept_on_every_role() {
    let roles = samples()["roles"].as_array().unwrap();
    assert_eq!(roles.len(), 14);
    for role in roles {
        let verification = &role["verification"];
        assert_eq!(
            verification["no_new_access"]["holds"], true,
            "{}",
            role["arn"]
        );
        assert_eq!(
            verification["replay"]["denied"],
            serde_json::json!([]),
            "{}",
            role["arn"]
        );
        assert_eq!(verification["valid"]["holds"], true, "{}", role["arn"]);
        assert_eq!(verification["quota"]["holds"], true, "{}", role["arn"]);
        assert!(
            verification["replay"]["requests"].as_u64().unwrap() >= 3,
            "{}",
            role["arn"]
        );
    }
}
