//! What the scanner remembers from record to record is never taken for something else.

use super::*;

/// `tlsDetails`, which are only passed over.
#[test]
fn remembered_tls_details_are_never_taken_for_others() {
    let mut scanner = Scanner::new();
    let values = [
        r#"{"a":"b"}"#,
        r#"{"a":"c"}"#,
        r#"{"a":"b","c":1}"#,
        r#"{"a":{"a":"b"}}"#,
        r#""a""#,
        "null",
        "{}",
        r#"{"é":1}"#,
    ];
    for first in values {
        for second in values.into_iter().chain([r#"{"a":b}"#, r#"{"a":"b"]"#]) {
            for (value, sound) in [
                (first, true),
                (
                    second,
                    !second.contains(['b', ']']) || values.contains(&second),
                ),
            ] {
                let json =
                    format!(r#"{{"eventSource":"s","eventName":"n","tlsDetails":{value},"x":1}}"#);
                assert_eq!(check(&mut scanner, json.as_bytes()), sound, "{json}");
            }
        }
    }
}

/// Records that end in one of many ways, in turn: no end is taken for another.
#[test]
fn a_remembered_end_is_never_taken_for_another() {
    let mut scanner = Scanner::new();
    let ends = [
        r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"1","eventCategory":"Data"}"#,
        r#""eventType":"AwsApiCall","managementEvent":true,"recipientAccountId":"1","eventCategory":"Data","x":1}"#,
        r#""eventType":"AwsApiCall","managementEvent":false,"recipientAccountId":"2","eventCategory":"Data"}"#,
        r#""eventType":"AwsApiCall","eventType":"Other","readOnly":"false"}"#,
        r#""eventType":"AwsApiCall","resources":[{"ARN":"a"}]}"#,
        r#""eventType":"AwsApiCall","requestParameters":{"a":1}}"#,
        r#""eventType":"AwsApiCall","userIdentity":{"arn":"a"}}"#,
        r#""eventType":"AwsApiCall","eventName":"m"}"#,
        r#""eventType":"AwsApiCall","userAgent":"\u00e9"}"#,
        r#""eventType":"AwsApiCall","userAgent":"é"}"#,
        r#""eventType":"AwsApiCall","userAgent":null,"managementEvent":null}"#,
        r#""eventType":"AwsApiCall","eventID":"f"}"#,
        r#""eventType":7}"#,
    ];
    let beginnings = [
        "",
        r#""userAgent":"a","managementEvent":true,"recipientAccountId":"3","#,
        r#""userAgent":"\n","eventCategory":"\n","#,
        r#""resources":[{"ARN":"b"}],"requestParameters":{"b":1},"readOnly":true,"#,
    ];
    let mut taken = 0;
    for first in ends {
        for second in ends {
            for beginning in beginnings {
                for end in [first, second, first] {
                    let json = format!(r#"{{"eventSource":"s","eventName":"n",{beginning}{end}"#);
                    taken += usize::from(check(&mut scanner, json.as_bytes()));
                    let more = format!("{json},{{}}");
                    check(&mut scanner, more.as_bytes());
                    check(&mut scanner, &json.as_bytes()[..json.len() - 1]);
                }
            }
        }
    }
    assert!(taken > 1000, "{taken}");
}

/// Identities that differ in one place, in turn: none is taken for another.
#[test]
fn a_remembered_identity_is_never_taken_for_another() {
    let mut scanner = Scanner::new();
    let changes = [
        ("", ""),
        ("AROA:f", "AROA:g"),
        ("role/r\"}", "role/s\"}"),
        ("\"false\"", "\"true\""),
        ("\"type\":\"Role\"", "\"type\":\"Rule\""),
        ("function:f\"}}", "function:f\"},\"arn\":\"x\"}"),
        ("\"arn\":\"arn:aws:sts", "\"arn\":\"arn:\u{e9}"),
        (",\"inScopeOf\":{", ",\"inScopeOf\":null,\"x\":{"),
        (",\"sessionContext\":{", ",\"sessionContext\":7,\"x\":{"),
        ("\"sessionIssuer\":{", "\"sessionIssuer\":null,\"x\":{"),
    ];
    for first in changes {
        for second in changes {
            for (from, to) in [first, second, first] {
                let json = RECORD.replacen(from, to, 1);
                assert!(from.is_empty() || json != RECORD, "{from}");
                assert!(check(&mut scanner, json.as_bytes()), "{json}");
            }
        }
    }
}
