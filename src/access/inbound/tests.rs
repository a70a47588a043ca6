use super::*;

const FUNCTION: &str = "arn:aws:lambda:us-east-1:111122223333:function:f";

fn caller(who: &str, source: Option<&str>) -> Caller {
    Caller {
        kind: CallerKind::Service,
        who: who.into(),
        account: None,
        source_arn: source.map(str::to_owned),
        source_account: source.map(|_| "111122223333".to_owned()),
        qualifier: None,
    }
}

fn statement(sid: &str, service: &str, source: Option<&str>) -> Value {
    let mut statement = json!({"Sid": sid, "Effect": "Allow", "Principal": {"Service": service}, "Action": "lambda:InvokeFunction", "Resource": FUNCTION});
    if let Some(source) = source {
        statement["Condition"] = json!({"ArnLike": {"AWS:SourceArn": source}});
    }
    statement
}

fn check(statements: &Value, callers: &[Caller], visible: bool, expected: &[&str]) -> Inbound {
    let mut seen = Bounded::default();
    for caller in callers {
        seen.add(caller.clone(), Some(0), Some("id"));
    }
    let policy = json!({"Version": "2012-10-17", "Statement": statements});
    let found = inbound(Door {
        function: FUNCTION,
        callers: Some(&seen),
        started: 0,
        visible,
        long: true,
        policy: Some(&policy),
    });
    let verdicts: Vec<String> = found
        .statements
        .iter()
        .map(|row| format!("{} {}", row.sid, row.verdict))
        .collect();
    assert_eq!(verdicts, expected);
    found
}

#[test]
fn used_unused_and_invisible_statements() {
    let api = "arn:aws:execute-api:us-east-1:111122223333:api/prod/GET/orders/{id}";
    let url = json!({"Sid": "url", "Effect": "Allow", "Principal": "*", "Action": "lambda:InvokeFunctionUrl", "Resource": FUNCTION, "Condition": {"StringEquals": {"lambda:FunctionUrlAuthType": "NONE"}}});
    let statements = json!([
        statement(
            "api",
            "apigateway.amazonaws.com",
            Some("arn:aws:execute-api:us-east-1:111122223333:api/*")
        ),
        statement(
            "other-api",
            "apigateway.amazonaws.com",
            Some("arn:aws:execute-api:us-east-1:111122223333:old/*")
        ),
        statement("bucket", "s3.amazonaws.com", None),
        url,
    ]);
    let callers = [caller("apigateway.amazonaws.com", Some(api))];
    let found = check(
        &statements,
        &callers,
        true,
        &[
            "api used",
            "other-api unused",
            "bucket unused",
            "url invisible",
        ],
    );
    let kept = found.tightened.unwrap();
    let sids: Vec<&str> = kept["Statement"]
        .as_array()
        .unwrap()
        .iter()
        .map(|s| s["Sid"].as_str().unwrap())
        .collect();
    assert_eq!(sids, ["api", "url"]);
    assert_eq!(found.commands.len(), 2);
    let found = check(
        &statements,
        &[],
        false,
        &[
            "api invisible",
            "other-api invisible",
            "bucket invisible",
            "url invisible",
        ],
    );
    assert!(found.tightened.is_none() && found.commands.is_empty());
}

#[test]
fn a_statement_without_a_source_gets_those_that_were_seen() {
    let statements = json!([statement("s3", "s3.amazonaws.com", None)]);
    let callers = [caller("s3.amazonaws.com", Some("arn:aws:s3:::inbox"))];
    let found = check(&statements, &callers, true, &["s3 used"]);
    let tight = &found.tightened.unwrap()["Statement"][0];
    assert_eq!(
        tight["Condition"],
        json!({"ArnLike": {"AWS:SourceArn": "arn:aws:s3:::inbox"}, "StringEquals": {"AWS:SourceAccount": "111122223333"}})
    );
    assert_eq!(
        found.commands,
        [
            "aws lambda add-permission --function-name arn:aws:lambda:us-east-1:111122223333:function:f --statement-id s3-1 --region us-east-1 --action lambda:InvokeFunction --principal s3.amazonaws.com --source-arn arn:aws:s3:::inbox --source-account 111122223333",
            "aws lambda remove-permission --function-name arn:aws:lambda:us-east-1:111122223333:function:f --statement-id s3 --region us-east-1",
        ]
    );
    // One invocation without a source, and nothing is tightened.
    let callers = [callers[0].clone(), caller("s3.amazonaws.com", None)];
    assert!(
        check(&statements, &callers, true, &["s3 used"])
            .tightened
            .is_none()
    );
}

#[test]
fn who_came_in_by_no_statement_is_said() {
    let statements = json!([statement("s3", "s3.amazonaws.com", None)]);
    let callers = [caller(
        "sns.amazonaws.com",
        Some("arn:aws:sns:us-east-1:111122223333:t"),
    )];
    let found = check(&statements, &callers, true, &["s3 unused"]);
    assert!(found.notes[0].contains("sns.amazonaws.com invoked"));
}
