use super::*;

const ROLE: &str = "arn:aws:iam::111122223333:role/service-role/orders-role";

/// A record of a session of `orders-role`, with more keys of the identity and of the record.
fn session(session: &str, identity: &str, rest: &str) -> String {
    format!(
        r#"{{"userIdentity":{{"type":"AssumedRole","principalId":"AROAEXAMPLE:{session}","arn":"arn:aws:sts::111122223333:assumed-role/orders-role/{session}","accountId":"111122223333","sessionContext":{{"sessionIssuer":{{"type":"Role","principalId":"AROAEXAMPLE","arn":"{ROLE}"}}}}{identity}}},"eventTime":"2026-01-01T00:00:00Z",{rest}}}"#
    )
}

/// Class, function name, function ARN known, whether the record shows Lambda.
fn check(json: &str, class: Class, function: Option<&str>, arn: bool, lambda: bool) {
    let record: Record<'_> = serde_json::from_str(json).unwrap();
    let Actor::Role(session) = actor(&record) else {
        panic!("no role in {json}")
    };
    assert_eq!(session.role_arn, ROLE);
    assert!(session.path_known);
    assert_eq!(session.principal_id, Some("AROAEXAMPLE"));
    assert_eq!(session.class, class, "{json}");
    assert_eq!(
        session.function.as_ref().map(|function| &*function.name),
        function,
        "{json}"
    );
    assert_eq!(
        session
            .function
            .as_ref()
            .is_some_and(|function| function.arn.is_some()),
        arn,
        "{json}"
    );
    assert_eq!(session.lambda, lambda, "{json}");
}

fn is_other(json: &str) {
    let record: Record<'_> = serde_json::from_str(json).unwrap();
    assert_eq!(actor(&record), Actor::Other, "{json}");
}

const SCOPE: &str = r#","inScopeOf":{"issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"arn:aws:lambda:us-east-1:111122223333:function:orders"}"#;
const GET: &str = r#""eventSource":"dynamodb.amazonaws.com","eventName":"GetItem""#;

fn decrypt(context: &str, agent: &str) -> String {
    format!(
        r#""eventSource":"kms.amazonaws.com","eventName":"Decrypt","userAgent":"{agent}","requestParameters":{{"encryptionContext":{context}}}"#
    )
}

#[test]
fn a_lambda_taking_the_role() {
    let json = |by: &str, session: &str, rest: &str| {
        format!(
            r#"{{"userIdentity":{{"type":"AWSService","invokedBy":"{by}"}},"eventSource":"sts.amazonaws.com","eventName":"AssumeRole","requestParameters":{{"roleArn":"{ROLE}","roleSessionName":"{session}","durationSeconds":43200}}{rest}}}"#
        )
    };
    for (session, expected) in [
        ("orders", Some("orders")),
        ("us-east-1.at-the-edge", Some("at-the-edge")),
        ("awslambda_7_20190521", None),
    ] {
        let json = json("lambda.amazonaws.com", session, "");
        let record: Record<'_> = serde_json::from_str(&json).unwrap();
        let expected = Actor::LambdaTookRole {
            role: ROLE.into(),
            function: expected.map(Into::into),
        };
        assert_eq!(actor(&record), expected);
    }
    is_other(&json("ec2.amazonaws.com", "orders", ""));
    is_other(&json(
        "lambda.amazonaws.com",
        "orders",
        r#","errorCode":"AccessDenied""#,
    ));
}

#[test]
fn b_own_code_with_credentials_issued_to_the_function() {
    check(
        &session("orders", SCOPE, GET),
        Class::Code,
        Some("orders"),
        true,
        true,
    );
    // Several functions share the role: the scope names the one, whatever the session says.
    check(
        &session("else", SCOPE, GET),
        Class::Code,
        Some("orders"),
        true,
        true,
    );
}

#[test]
fn b_an_empty_scope_says_nothing_and_another_issuer_is_not_lambda() {
    check(
        &session("orders", r#","inScopeOf":{}"#, GET),
        Class::Code,
        None,
        false,
        false,
    );
    let instance = r#","inScopeOf":{"issuerType":"AWS::EC2::Instance","credentialsIssuedTo":"arn:aws:ec2:us-east-1:111122223333:instance/i-1"}"#;
    check(
        &session("i-0123456789abcdef0", instance, GET),
        Class::Outside,
        None,
        false,
        false,
    );
}

#[test]
fn c_own_code_before_scopes() {
    let agent = |agent: &str| format!(r#"{GET},"userAgent":"{agent}""#);
    check(
        &session(
            "orders",
            "",
            &agent("Boto3/1.5 Python/2.7 Linux/4.4.amzn1 exec-env/AWS_Lambda_python2.7"),
        ),
        Class::Code,
        Some("orders"),
        false,
        true,
    );
    check(
        &session(
            "orders",
            "",
            &agent("[Boto3/1.5 Python/2.7 Linux/4.4.amzn1 exec-env/AWS_Lambda_python2.7]"),
        ),
        Class::Code,
        Some("orders"),
        false,
        true,
    );
    // Go sends no mark: the role may be anyone's, until other records show it to be Lambda's.
    let go = session(
        "orders",
        "",
        &agent("aws-sdk-go/1.44 (go1.19; linux; amd64)"),
    );
    check(&go, Class::Code, None, false, false);
    let record: Record<'_> = serde_json::from_str(&go).unwrap();
    let Actor::Role(session) = actor(&record) else {
        panic!("no role")
    };
    assert_eq!(session.function_by_session().as_deref(), Some("orders"));
}

#[test]
fn c_functions_of_aws_itself_are_no_proof() {
    let agent = r#""eventSource":"rds.amazonaws.com","eventName":"DescribeDBInstances","userAgent":"aws-internal/3 aws-sdk-java/1.11 Linux/4.14.amzn2, canary exec-env/AWS_Lambda_java8""#;
    check(
        &session("orders", "", agent),
        Class::Code,
        None,
        false,
        false,
    );
}

#[test]
fn d_the_runtime_opening_a_log_stream() {
    let stream = |agent: &str| {
        format!(
            r#""eventSource":"logs.amazonaws.com","eventName":"CreateLogStream","userAgent":"{agent}","requestParameters":{{"logGroupName":"/aws/lambda/orders"}}"#
        )
    };
    check(
        &session("orders", "", &stream("awslambda-worker")),
        Class::Platform,
        Some("orders"),
        false,
        true,
    );
    check(
        &session(
            "orders",
            "",
            &stream("awslambda-worker/1.0 rusoto/0.47.0 rust/1.56.1 linux"),
        ),
        Class::Platform,
        Some("orders"),
        false,
        true,
    );
    let denied = r#""eventSource":"logs.amazonaws.com","eventName":"CreateLogStream","userAgent":"awslambda-worker","errorCode":"AccessDenied","requestParameters":null"#;
    check(
        &session("orders", "", denied),
        Class::Platform,
        Some("orders"),
        false,
        true,
    );
    let own = stream("Boto3/1.5 Linux/4.4.amzn1 exec-env/AWS_Lambda_python2.7");
    check(
        &session("orders", "", &own),
        Class::Code,
        Some("orders"),
        false,
        true,
    );
}

#[test]
fn e_the_runtime_decrypting_the_environment() {
    let own =
        r#"{"aws:lambda:FunctionArn":"arn:aws:lambda:us-east-1:111122223333:function:orders"}"#;
    check(
        &session("orders", "", &decrypt(own, "aws-internal/3")),
        Class::Platform,
        Some("orders"),
        false,
        true,
    );
    check(
        &session(
            "orders",
            "",
            &decrypt(own, "aws-sdk-java/2.20 Linux/5.10.amzn2.x86_64"),
        ),
        Class::Platform,
        Some("orders"),
        false,
        true,
    );
    let refused = r#""eventSource":"kms.amazonaws.com","eventName":"Decrypt","userAgent":"aws-internal/3 aws-sdk-java/1.12","errorCode":"AccessDenied","requestParameters":null"#;
    check(
        &session("orders", "", refused),
        Class::Platform,
        Some("orders"),
        false,
        true,
    );
    // Decrypting something else is the code's own.
    let other = r#"{"LambdaFunctionName":"orders"}"#;
    check(
        &session("orders", SCOPE, &decrypt(other, "Boto3/1.5")),
        Class::Code,
        Some("orders"),
        true,
        true,
    );
}

#[test]
fn f_lambda_answering_a_listing_of_the_role() {
    let others =
        r#"{"aws:lambda:FunctionArn":"arn:aws:lambda:us-east-1:111122223333:function:else"}"#;
    let by = r#","invokedBy":"lambda.amazonaws.com""#;
    check(
        &session("orders", by, &decrypt(others, "lambda.amazonaws.com")),
        Class::Forwarded,
        None,
        false,
        false,
    );
    is_other(&format!(
        r#"{{"userIdentity":{{"type":"IAMUser","arn":"arn:aws:iam::111122223333:user/ann","invokedBy":"lambda.amazonaws.com"}},{}}}"#,
        decrypt(others, "lambda.amazonaws.com")
    ));
}

#[test]
fn g_a_service_decrypting_for_the_role() {
    for by in [
        "secretsmanager.amazonaws.com",
        "AWS Internal",
        "s3.amazonaws.com",
        "internal.amazonaws.com",
    ] {
        let by = format!(r#","invokedBy":"{by}""#);
        check(
            &session(
                "orders",
                &by,
                &decrypt(r#"{"aws:s3:arn":"arn:aws:s3:::b"}"#, "AWS Internal"),
            ),
            Class::Forwarded,
            None,
            false,
            false,
        );
        check(
            &session(
                "orders",
                &format!("{by}{SCOPE}"),
                &decrypt("{}", "AWS Internal"),
            ),
            Class::Forwarded,
            Some("orders"),
            true,
            true,
        );
    }
}

#[test]
fn h_lambda_using_the_role_on_its_own() {
    let poller = decrypt(
        r#"{"aws:kinesis:arn":"arn:aws:kinesis:us-east-1:111122223333:stream/s"}"#,
        "AWS Internal",
    );
    check(
        &session(
            "awslambda_313_20190521153047",
            r#","invokedBy":"AWS Internal""#,
            &poller,
        ),
        Class::Service,
        None,
        false,
        true,
    );
    let interface = r#""eventSource":"ec2.amazonaws.com","eventName":"CreateNetworkInterface","userAgent":"aws-internal/3""#;
    check(
        &session("awslambda_2_20190521153047", "", interface),
        Class::Service,
        None,
        false,
        true,
    );
    // A function may be called almost like that.
    check(
        &session("awslambda_report", "", GET),
        Class::Code,
        None,
        false,
        false,
    );
}

#[test]
fn i_j_invocations_users_and_other_accounts_are_no_action_of_a_role() {
    is_other(
        r#"{"userIdentity":{"type":"AWSService","invokedBy":"apigateway.amazonaws.com"},"eventSource":"lambda.amazonaws.com","eventName":"Invoke"}"#,
    );
    is_other(
        r#"{"userIdentity":{"type":"AWSAccount","principalId":"AROAEXAMPLE:orders","accountId":"111122223333"},"eventSource":"s3.amazonaws.com","eventName":"GetObject","sharedEventID":"x"}"#,
    );
    for kind in [
        "Root",
        "IAMUser",
        "FederatedUser",
        "WebIdentityUser",
        "SAMLUser",
        "Unknown",
        "",
    ] {
        is_other(&session("orders", "", GET).replacen("AssumedRole", kind, 1));
    }
    is_other(r#"{"eventSource":"kms.amazonaws.com","eventName":"RotateKey"}"#);
}

#[test]
fn k_the_credentials_used_elsewhere() {
    let stolen = r#""eventSource":"s3.amazonaws.com","eventName":"ListObjects","userAgent":"[aws-cli/1.16.19 Python/2.7.10 Darwin/17.7.0 botocore/1.12.9]""#;
    check(
        &session("orders", "", stolen),
        Class::Outside,
        None,
        false,
        false,
    );
    check(
        &session("orders", SCOPE, stolen),
        Class::Outside,
        Some("orders"),
        true,
        true,
    );
}

#[test]
fn only_sessions_that_a_role_issued_count() {
    let user = session("orders", "", GET).replacen(r#""type":"Role""#, r#""type":"IAMUser""#, 1);
    is_other(&user);
}

/// Who acted stands in several places: damage to one of them hides no use.
#[test]
fn a_damaged_identity_still_says_whose_session_it_is() {
    let sound = session("orders", "", GET);
    for (from, to) in [
        (ROLE, "arn:aws:iam::111122223333:user/x"),
        (r#""type":"Role""#, r#""type":"Rolx""#),
        (r#""type":"Role""#, r#""type":7"#),
        (r#""type":"AssumedRole""#, r#""typo":"AssumedRole""#),
        (r#""type":"AssumedRole""#, r#""type":["AssumedRole"]"#),
        (r#""sessionContext""#, r#""context""#),
        (r#""sessionIssuer""#, r#""issuer""#),
    ] {
        let json = sound.replacen(from, to, 1);
        assert_ne!(json, sound, "{from}");
        let record: Record<'_> = serde_json::from_str(&json).unwrap();
        let Actor::Role(session) = actor(&record) else {
            panic!("{json}")
        };
        assert!(session.role_arn.ends_with("/orders-role"), "{json}");
        assert!(!is_damaged(&record));
    }
    for none in [
        r#"{"eventSource":"a","eventName":"b"}"#,
        r#"{"userIdentity":"x","eventSource":"a","eventName":"b"}"#,
        r#"{"userIdentity":{},"eventSource":"a","eventName":"b"}"#,
        r#"{"userIdentity":{"type":"AssumedRole","accountId":"1"},"eventSource":"a","eventName":"b"}"#,
    ] {
        assert!(is_damaged(&serde_json::from_str(none).unwrap()), "{none}");
    }
    let service = r#"{"userIdentity":{"invokedBy":"x"},"eventSource":"a","eventName":"b"}"#;
    assert!(!is_damaged(&serde_json::from_str(service).unwrap()));
}

#[test]
fn the_role_keeps_its_path_in_every_partition() {
    for arn in [
        "arn:aws:iam::111122223333:role/orders-role",
        "arn:aws-us-gov:iam::111122223333:role/a/b/orders-role",
        "arn:aws-cn:iam::111122223333:role/orders-role",
        "arn:aws-eusc:iam::111122223333:role/orders-role",
    ] {
        let json = session("orders", "", GET).replacen(ROLE, arn, 1);
        let record: Record<'_> = serde_json::from_str(&json).unwrap();
        assert!(matches!(actor(&record), Actor::Role(session) if session.role_arn == arn));
    }
}

#[test]
fn without_an_issuer_the_role_is_known_but_for_its_path() {
    let json = r#"{"userIdentity":{"type":"AssumedRole","arn":"arn:aws-cn:sts::111122223333:assumed-role/orders-role/orders"},"eventSource":"a","eventName":"b"}"#;
    let record: Record<'_> = serde_json::from_str(json).unwrap();
    let Actor::Role(session) = actor(&record) else {
        panic!("no role")
    };
    assert_eq!(
        session.role_arn,
        "arn:aws-cn:iam::111122223333:role/orders-role"
    );
    assert!(!session.path_known);
    assert_eq!(session.session_name, Some("orders"));
    is_other(r#"{"userIdentity":{"type":"AssumedRole"},"eventSource":"a","eventName":"b"}"#);
    is_other(
        r#"{"userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/"},"eventSource":"a","eventName":"b"}"#,
    );
}

#[test]
fn lambda_calling_in_its_own_name_is_lambda_using_the_role() {
    let by_lambda = |call: &str| format!(r#"{call},"sourceIPAddress":"lambda.amazonaws.com""#);
    let stream = r#""eventSource":"logs.amazonaws.com","eventName":"CreateLogStream""#;
    check(
        &session("orders", "", &by_lambda(GET)),
        Class::Service,
        Some("orders"),
        false,
        true,
    );
    check(
        &session("orders", "", &by_lambda(stream)),
        Class::Platform,
        Some("orders"),
        false,
        true,
    );
}

#[test]
fn service_linked_roles_are_not_lambdas_whatever_the_agent() {
    let agent = format!(r#"{GET},"userAgent":"Boto3/1.5 exec-env/AWS_Lambda_python3.9""#);
    let linked =
        "arn:aws:iam::111122223333:role/aws-service-role/x.amazonaws.com/AWSServiceRoleForX";
    let json = session("orders", "", &agent).replacen(ROLE, linked, 1);
    let record: Record<'_> = serde_json::from_str(&json).unwrap();
    let Actor::Role(session) = actor(&record) else {
        panic!("no role")
    };
    assert_eq!((session.lambda, session.function), (false, None));
}
