//! Denied calls: AWS's sentences in all their forms.

use serde_json::json;

use super::record;
use crate::catalog::Catalog;
use crate::catalog::map::denied::parse;
use crate::trail::Record;

/// `action | resource | door`, a hyphen for what the message does not say.
fn read(message: &str) -> String {
    let denied = parse(message);
    let or = |text: Option<String>| text.unwrap_or_else(|| "-".to_owned());
    format!(
        "{} | {} | {}",
        or(denied.action),
        or(denied.resource),
        denied.door.code()
    )
}

#[test]
fn the_sentences_of_aws() {
    let who = "User: arn:aws:sts::111122223333:assumed-role/orders-role/orders";
    let table = [
        (
            "is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::data/a b.csv\" because no identity-based policy allows the s3:GetObject action",
            "s3:GetObject | arn:aws:s3:::data/a b.csv | no-identity-policy",
        ),
        (
            "is not authorized to perform: kms:Decrypt on resource: arn:aws:kms:eu-west-1:444455556666:key/k1 because no resource-based policy allows the kms:Decrypt action",
            "kms:Decrypt | arn:aws:kms:eu-west-1:444455556666:key/k1 | no-resource-policy",
        ),
        (
            "is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:eu-west-1:111122223333:jobs with an explicit deny in a service control policy",
            "sqs:SendMessage | arn:aws:sqs:eu-west-1:111122223333:jobs | service-control-policy-deny",
        ),
        (
            "is not authorized to perform: sqs:SendMessage on resource: arn:aws:sqs:eu-west-1:111122223333:jobs with an explicit deny in a resource control policy",
            "sqs:SendMessage | arn:aws:sqs:eu-west-1:111122223333:jobs | resource-control-policy-deny",
        ),
        (
            "is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::data/k\" with an explicit deny in a permissions boundary",
            "s3:PutObject | arn:aws:s3:::data/k | permissions-boundary-deny",
        ),
        (
            "is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::data/k\" with an explicit deny in a session policy",
            "s3:PutObject | arn:aws:s3:::data/k | session-policy-deny",
        ),
        (
            "is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::data/k\" with an explicit deny in an identity-based policy: arn:aws:iam::111122223333:policy/no",
            "s3:PutObject | arn:aws:s3:::data/k | identity-policy-deny",
        ),
        (
            "is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::data/k\" with an explicit deny in a resource-based policy",
            "s3:PutObject | arn:aws:s3:::data/k | resource-policy-deny",
        ),
        (
            "is not authorized to perform: s3:PutObject on resource: \"arn:aws:s3:::data/k\" with an explicit deny in a VPC endpoint policy",
            "s3:PutObject | arn:aws:s3:::data/k | vpc-endpoint-policy-deny",
        ),
        (
            "is not authorized to perform: s3:PutObject because no VPC endpoint policy allows the s3:PutObject action",
            "s3:PutObject | - | no-vpc-endpoint-policy",
        ),
        (
            "is not authorized to perform: s3:PutObject because no permissions boundary allows the s3:PutObject action",
            "s3:PutObject | - | no-permissions-boundary",
        ),
        (
            "is not authorized to perform: s3:PutObject because no session policy allows the s3:PutObject action",
            "s3:PutObject | - | no-session-policy",
        ),
        (
            "is not authorized to perform: s3:PutObject because no service control policy allows the s3:PutObject action",
            "s3:PutObject | - | no-service-control-policy",
        ),
        (
            "is not authorized to perform: sts:AssumeRole on resource: arn:aws:iam::444455556666:role/read",
            "sts:AssumeRole | arn:aws:iam::444455556666:role/read | unknown",
        ),
        (
            "is not authorized to perform: logs:CreateLogStream on resource: arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/orders:log-stream:2026/10/01/[$LATEST]1993 because no identity-based policy allows the logs:CreateLogStream action",
            "logs:CreateLogStream | arn:aws:logs:eu-west-1:111122223333:log-group:/aws/lambda/orders:log-stream:2026/10/01/[$LATEST]1993 | no-identity-policy",
        ),
        (
            "is not authorized to perform: dynamodb:DeleteTable with an explicit deny",
            "dynamodb:DeleteTable | - | explicit-deny",
        ),
        (
            "is not authorized to perform: organizations:ListAccounts on resource: * because no resource-based policy allows the organizations:ListAccounts action",
            "organizations:ListAccounts | - | no-resource-policy",
        ),
        (
            "is not authorized to perform `ses:SendRawEmail' on resource `arn:aws:ses:eu-west-1:111122223333:identity/a@example.com'",
            "ses:SendRawEmail | arn:aws:ses:eu-west-1:111122223333:identity/a@example.com | unknown",
        ),
    ];
    for (message, wanted) in table {
        assert_eq!(read(&format!("{who} {message}")), wanted, "{message}");
    }
}

#[test]
fn messages_that_say_little() {
    let nothing = "- | - | unknown";
    assert_eq!(read(""), nothing);
    assert_eq!(read("Access Denied"), nothing);
    assert_eq!(
        read(
            "You are not authorized to perform this operation. Encoded authorization failure message: abc"
        ),
        nothing
    );
    assert_eq!(
        read(
            "You are not authorized to perform this operation. User: arn:aws:sts::1:assumed-role/r/s is not authorized to perform: ec2:RunInstances on resource: arn:aws:ec2:eu-west-1:111122223333:instance/* because no identity-based policy allows the ec2:RunInstances action. Encoded authorization failure message: abc"
        ),
        "ec2:RunInstances | arn:aws:ec2:eu-west-1:111122223333:instance/* | no-identity-policy"
    );
    // Cut at one kilobyte, in the middle of the resource; letters outside ASCII.
    assert_eq!(
        read("User: ü is not authorized to perform: s3:GetObject on resource: \"arn:aws:s3:::dat"),
        "s3:GetObject | arn:aws:s3:::dat | unknown"
    );
    assert_eq!(
        read("is not authorized to perform: <script>:x on resource: arn:"),
        "- | - | unknown"
    );
}

#[test]
fn the_event_fills_what_the_message_leaves_out() {
    let denied = |source: &str, event: &str, params, message: &str| {
        let more = json!({"errorCode": "AccessDenied", "errorMessage": message});
        let text = record(source, event, &params, &more);
        let record: Record<'_> = serde_json::from_str(&text).unwrap();
        Catalog::builtin().denied_call(&record)
    };
    let by_event = denied(
        "s3",
        "HeadObject",
        json!({"bucketName": "b", "key": "k"}),
        "Access Denied",
    );
    assert_eq!(by_event.action.as_deref(), Some("s3:GetObject"));
    assert_eq!(by_event.resource.as_deref(), Some("arn:aws:s3:::b/k"));
    assert_eq!(by_event.door.code(), "unknown");
    // The message knows better than the event, and the catalog knows the spelling.
    let message = "User: u is not authorized to perform: SNS:publish on resource: arn:aws:sns:eu-west-1:111122223333:t because no identity-based policy allows it";
    let by_message = denied("sns", "PublishBatch", json!(null), message);
    assert_eq!(by_message.action.as_deref(), Some("sns:Publish"));
    assert_eq!(
        by_message.resource.as_deref(),
        Some("arn:aws:sns:eu-west-1:111122223333:t")
    );
    // No action of that name: the event's own mapping has the one that IAM refused.
    let message = "User: u is not authorized to perform: lambda:Invoke on resource: arn:aws:lambda:eu-west-1:111122223333:function:f";
    let invoke = denied("lambda", "Invoke", json!(null), message);
    assert_eq!(invoke.action.as_deref(), Some("lambda:InvokeFunction"));
    // Which of the many things that a launch needs was refused is only in the encoded message.
    let image = json!({"instancesSet": {"items": [{"imageId": "ami-0a"}]}});
    let message = "You are not authorized to perform this operation. Encoded authorization failure message: abc";
    let launch = denied("ec2", "RunInstances", image, message);
    assert_eq!(launch.action.as_deref(), Some("ec2:RunInstances"));
    assert_eq!(launch.resource, None);
    let unknown = denied("made-up", "DoThings", json!(null), "no");
    assert_eq!((unknown.action, unknown.resource), (None, None));
}
