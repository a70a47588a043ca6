use std::borrow::Cow;

use super::*;

fn record(json: &str) -> Record<'_> {
    serde_json::from_str(json).unwrap()
}

#[test]
fn strings_point_into_the_record_unless_they_hold_an_escape() {
    let record = record(
        r#"{"eventSource":"s3.amazonaws.com","eventName":"Get\u004fbject","awsRegion":"us-east-1","userIdentity":{"type":"AssumedRole"},"resources":[{"ARN":"arn:aws:s3:::b"}]}"#,
    );
    assert!(matches!(
        record.event_source,
        Cow::Borrowed("s3.amazonaws.com")
    ));
    assert!(matches!(
        record.aws_region,
        Some(Cow::Borrowed("us-east-1"))
    ));
    assert!(matches!(
        record.user_identity.kind,
        Some(Cow::Borrowed("AssumedRole"))
    ));
    assert!(matches!(
        record.resources[0].arn,
        Some(Cow::Borrowed("arn:aws:s3:::b"))
    ));
    assert!(matches!(&record.event_name, Cow::Owned(name) if name == "GetObject"));
}

#[test]
fn one_field_of_an_odd_type_does_not_cost_the_record() {
    for field in [
        "userIdentity",
        "eventTime",
        "awsRegion",
        "sourceIPAddress",
        "userAgent",
        "errorCode",
        "errorMessage",
        "requestParameters",
        "responseElements",
        "additionalEventData",
        "eventID",
        "readOnly",
        "resources",
        "eventType",
        "managementEvent",
        "eventCategory",
        "recipientAccountId",
        "sharedEventID",
        "sessionCredentialFromConsole",
    ] {
        for value in [
            "null",
            "true",
            "12",
            "-1.5e3",
            r#""x""#,
            "[]",
            r#"[1,null,{"a":[2]}]"#,
            "{}",
            r#"{"type":7,"arn":[]}"#,
        ] {
            let json =
                format!(r#"{{"{field}":{value},"eventSource":"a","eventName":"b","zzz":{value}}}"#);
            let record: Record<'_> =
                serde_json::from_str(&json).unwrap_or_else(|error| panic!("{json}: {error}"));
            assert_eq!(
                (&*record.event_source, &*record.event_name),
                ("a", "b"),
                "{json}"
            );
        }
    }
}

#[test]
fn absent_null_and_wrongly_typed_mean_the_same() {
    let record = record(
        r#"{"eventSource":"a","eventName":"b","errorCode":null,"userAgent":7,"requestParameters":null,"resources":null,"userIdentity":"root"}"#,
    );
    assert!(record.error_code.is_none());
    assert!(record.user_agent.is_none());
    assert!(record.request_parameters.is_none());
    assert!(record.resources.is_empty());
    assert!(record.user_identity.kind.is_none());
}

#[test]
fn of_two_values_for_one_key_the_last_wins() {
    let record = record(
        r#"{"eventName":"First","eventSource":"a","eventName":"Last","resources":[{"ARN":"x","arn":"y"}]}"#,
    );
    assert_eq!(record.event_name, "Last");
    assert_eq!(record.resources[0].arn.as_deref(), Some("y"));
}

#[test]
fn booleans_may_be_strings() {
    let record = record(
        r#"{"eventSource":"a","eventName":"b","readOnly":"true","managementEvent":"False","sessionCredentialFromConsole":true}"#,
    );
    assert_eq!(record.read_only, Some(true));
    assert_eq!(record.management_event, Some(false));
    assert_eq!(record.session_credential_from_console, Some(true));
}

#[test]
fn entries_of_resources_that_name_nothing_are_left_out() {
    let record = record(
        r#"{"eventSource":"a","eventName":"b","resources":[null,3,{},"x",{"type":"AWS::S3::Object","ARNPrefix":"arn:aws:s3:::b/"}]}"#,
    );
    assert_eq!(record.resources.len(), 1);
    assert_eq!(
        record.resources[0].arn_prefix.as_deref(),
        Some("arn:aws:s3:::b/")
    );
}

#[test]
fn an_empty_scope_is_a_scope_without_an_issuer() {
    let record = record(r#"{"eventSource":"a","eventName":"b","userIdentity":{"inScopeOf":{}}}"#);
    assert!(
        record
            .user_identity
            .in_scope_of
            .is_some_and(|scope| scope.issuer_type.is_none())
    );
}

#[test]
fn without_source_or_name_it_is_no_record() {
    for json in [
        "{}",
        "[]",
        "3",
        r#"{"eventSource":"a"}"#,
        r#"{"eventName":"b"}"#,
        r#"{"eventSource":7,"eventName":"b"}"#,
        r#"{"eventSource":"","eventName":"b"}"#,
    ] {
        assert!(serde_json::from_str::<Record<'_>>(json).is_err(), "{json}");
    }
}

#[test]
fn parameters_keep_their_bytes_however_deep_they_nest() {
    let deep = format!("{}{}", "[".repeat(100_000), "]".repeat(100_000));
    let json = format!(
        r#"{{"eventSource":"a","requestParameters":{deep},"other":{deep},"eventName":"b"}}"#
    );
    assert_eq!(
        record(&json).request_parameters.map(RawJson::get),
        Some(deep.as_str())
    );
}
