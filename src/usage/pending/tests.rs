//! Counting by shape against counting record by record.

use super::*;
use crate::read::Selection;
use crate::trail::Dedupe;
use crate::usage::Collector;
use crate::usage::observe::observed;

/// Records of one function that differ in everything a shape may leave out, and in more.
pub(in super::super) fn records() -> Vec<String> {
    let mut records = Vec::new();
    let mut n = 0;
    let mut add = |source: &str, name: &str, params: &str, resources: &str, more: &str| {
        n += 1;
        records.push(format!(
            r#"{{"eventVersion":"1.11","userIdentity":{{"type":"AssumedRole","principalId":"AROAX:f","arn":"arn:aws:sts::111122223333:assumed-role/r/f","accountId":"111122223333","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAX","arn":"arn:aws:iam::111122223333:role/r"}}}}}},"eventTime":"2026-09-23T19:{:02}:{:02}Z","eventSource":"{source}.amazonaws.com","eventName":"{name}","awsRegion":"eu-west-1","userAgent":"exec-env/AWS_Lambda_python3.13","requestParameters":{params},"eventID":"id-{n:05}"{more},"readOnly":true,"resources":{resources},"eventType":"AwsApiCall","recipientAccountId":"111122223333"}}"#,
            n / 60 % 60, n % 60
        ));
    };
    let odd = [
        "a",
        "b",
        "in/1.json",
        "in/2.json",
        "/lead",
        "tail/",
        "a//b",
        "x*y",
        "sp ace",
        "q\\\"uote",
        "${aws:username}",
        "HIDDEN_DUE_TO_SECURITY_REASONS",
        "****",
        "arn:aws:s3:::other/k",
        "é",
        "",
        "in/1.json",
        "twin/of-another.object",
        "a=1/b=2",
        "buck",
        "b/buck",
    ];
    for name in [
        "GetObject",
        "PutObject",
        "HeadObject",
        "DeleteObject",
        "CopyObject",
        "GetObjectTagging",
        "UploadPart",
        "NoSuchEvent",
    ] {
        for bucket in ["buck", "other"] {
            for key in odd {
                let params = format!(r#"{{"bucketName":"{bucket}","Host":"h","key":"{key}"}}"#);
                let object = format!(
                    r#"[{{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::{bucket}/{key}"}},{{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::{bucket}"}}]"#
                );
                add("s3", name, &params, &object, "");
                add("s3", name, &params, "[]", "");
                add(
                    "s3",
                    name,
                    &params,
                    &object,
                    r#","additionalEventData":{"AuthenticationMethod":"QueryString"}"#,
                );
            }
        }
    }
    for stream in [
        "2026/09/23/[$LATEST]0123456789abcdef",
        "2026/09/24/[$LATEST]fedcba9876543210",
        "2026/09/24/[7]fedcba9876543210",
        "plain",
        "with*star",
        "${aws:username}",
    ] {
        for agent in ["", r#","userAgent":"awslambda-worker/1.0""#] {
            for group in [r#""logGroupName":"/aws/lambda/f","#, ""] {
                let params = format!(r#"{{{group}"logStreamName":"{stream}"}}"#);
                add("logs", "CreateLogStream", &params, "[]", agent);
                add("logs", "GetLogEvents", &params, "[]", agent);
            }
        }
    }
    for (function, qualifier) in [("g", "1"), ("g", "2"), ("h:live", "$LATEST"), ("", "")] {
        let params = format!(r#"{{"functionName":"{function}","qualifier":"{qualifier}"}}"#);
        let listed = r#"[{"type":"AWS::Lambda::Function","ARN":"arn:aws:lambda:eu-west-1:111122223333:function:g"}]"#;
        for resources in ["[]", listed, &listed.replace("Function\"", "Other\"")] {
            for more in [
                "",
                r#","errorCode":"TooManyRequestsException""#,
                r#","errorCode":"AccessDenied""#,
            ] {
                add("lambda", "Invoke", &params, resources, more);
            }
        }
    }
    for more in [
        r#","errorCode":"ThrottlingException""#,
        r#","errorCode":"ValidationException","errorMessage":"x is not authorized to perform: dynamodb:Query on y""#,
        r#","errorCode":"ValidationException","errorMessage":"x is not authorized to perform: dynamodb:Scan on y""#,
        r#","errorCode":"Client.UnauthorizedOperation""#,
        r#","errorCode":"AccessDenied","errorMessage":"one""#,
        r#","errorCode":"AccessDenied","errorMessage":"two","vpcEndpointId":"vpce-1""#,
        r#","errorCode":"VpceAccessDenied","errorMessage":"two","vpcEndpointId":"vpce-2""#,
    ] {
        let denied = more.replace("one", "User: x is not authorized to perform: dynamodb:Scan on resource: arn:aws:dynamodb:eu-west-1:111122223333:table/T");
        add("dynamodb", "Scan", "null", "[]", &denied);
        add("kms", "Decrypt", "null", "[]", more);
        add("lambda", "Invoke", "null", "[]", more);
        add("dynamodb", "Query", r#"{"tableName":"T"}"#, "[]", more);
        add(
            "monitoring",
            "PutMetricData",
            r#"{"namespace":"N"}"#,
            "[]",
            more,
        );
        add(
            "monitoring",
            "PutMetricData",
            r#"{"namespace":"N"}"#,
            "[]",
            "",
        );
    }
    for uuid in [
        "01234567-89ab-cdef-0123-456789abcdef",
        "fedcba98-7654-3210-fedc-ba9876543210",
        "no-uuid",
    ] {
        for table in ["T", "U"] {
            let params = format!(r#"{{"tableName":"{table}","key":{{"id":"{uuid}"}}}}"#);
            add("dynamodb", "GetItem", &params, "[]", "");
            add(
                "dynamodb",
                "GetItem",
                &params,
                "[]",
                r#","errorCode":"AccessDenied""#,
            );
        }
        add(
            "kms",
            "DescribeKey",
            &format!(r#"{{"keyId":"{uuid}"}}"#),
            "[]",
            "",
        );
        add(
            "kms",
            "Decrypt",
            &format!(
                r#"{{"encryptionContext":{{"aws:lambda:FunctionArn":"arn:aws:lambda:eu-west-1:111122223333:function:f","u":"{uuid}"}}}}"#
            ),
            "[]",
            "",
        );
        add(
            "states",
            "StartExecution",
            &format!(
                r#"{{"stateMachineArn":"arn:aws:states:eu-west-1:111122223333:stateMachine:M","name":"{uuid}"}}"#
            ),
            "[]",
            "",
        );
        add(
            "sqs",
            "SendMessage",
            &format!(r#"{{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/111122223333/{uuid}"}}"#),
            "[]",
            "",
        );
    }
    records
}

/// The rows of a table, to compare.
pub(in super::super) fn rows(role: &RoleUsage) -> String {
    let calls: Vec<String> = role
        .calls(true)
        .iter()
        .map(|call| format!("{:?} {:?} {:?}", call.shape, call.resource, call.tally))
        .collect();
    let mut denied: Vec<String> = role.denied().map(|row| format!("{row:?}")).collect();
    for (key, denial) in role.denials() {
        denied.push(format!(
            "{key:?} {:?} {:?}",
            denial.functions, denial.endpoints
        ));
    }
    format!(
        "{}\n{}\n{:?} {:?} {:?} {:?} {:?} {:?} {:?} {:?}",
        calls.join("\n"),
        denied.join("\n"),
        role.unmapped,
        role.outside,
        role.functions,
        role.likely_functions,
        role.lambda,
        role.principal_ids,
        role.records,
        role.seen
    )
}

#[test]
fn counting_by_shape_gives_the_same_table() {
    let catalog = Catalog::builtin();
    let (selection, dedupe) = (Selection::default(), Dedupe::new(1 << 16, true));
    let mut fast = Collector::new(catalog, &selection, &dedupe);
    let mut slow: HashMap<String, RoleUsage, RandomState> = HashMap::default();
    let records = records();
    for round in 0..4 {
        for json in &records {
            let json = json.replace("\"id-", &format!("\"{round}-"));
            let record: Record<'_> = serde_json::from_str(&json).unwrap();
            fast.record(&record);
            let observation = observed(&record, trail::actor(&record), catalog.map(&record));
            let trail::Actor::Role(session) = &observation.actor else {
                panic!("{json}");
            };
            let tally = Tally::one(record.epoch_seconds(), record.event_id.as_deref());
            Effect::of(&record, session, &observation, catalog).apply(&mut slow, &tally, true);
        }
    }
    let shapes = fast.pending.slots.len();
    let counted: u64 = fast.pending.slots.iter().map(|slot| slot.tally.count).sum();
    assert!(shapes > 50 && counted > shapes as u64, "{shapes} {counted}");
    let usage = fast.finish();
    assert_eq!(usage.records.by_role, 4 * records.len() as u64);
    assert_eq!(usage.roles.len(), slow.len());
    for (arn, role) in &usage.roles {
        assert_eq!(rows(role), rows(&slow[arn]));
    }
}
