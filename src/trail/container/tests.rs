use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use serde_json::{Value, json};

use super::*;

mod damage;
mod properties;

/// Gives 1, 2, … `most` bytes at a time.
struct Trickle<'b> {
    bytes: &'b [u8],
    most: usize,
    next: usize,
}

impl Read for Trickle<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        self.next = self.next % self.most + 1;
        let count = self.next.min(self.bytes.len()).min(out.len());
        let (now, later) = self.bytes.split_at(count);
        out[..count].copy_from_slice(now);
        self.bytes = later;
        Ok(count)
    }
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// Names of the events handed out, and the outcome.
fn read(bytes: &[u8]) -> (Vec<String>, ObjectOutcome) {
    let mut names = Vec::new();
    let outcome = records(bytes, |record, raw| {
        let again: Record<'_> =
            serde_json::from_slice(raw).expect("the bytes are those of a record");
        assert_eq!(again.event_name, record.event_name, "and of this one");
        names.push(record.event_name.to_string());
    });
    assert_eq!(outcome.records, names.len() as u64);
    (names, outcome)
}

fn record(name: &str) -> Value {
    json!({"eventVersion": "1.08", "userIdentity": {"type": "Root"}, "eventTime": "2026-01-01T00:00:00Z", "eventSource": "s3.amazonaws.com", "eventName": name, "requestParameters": {"key": "a]}\"{[\\"}})
}

/// Reads whole and in drips, plain and gzipped; every way must give these events and this status.
fn check(text: &str, expected: &[&str], status: &str) {
    let zipped = gzip(text.as_bytes());
    for most in [1, 3, 1 << 20] {
        for bytes in [text.as_bytes(), &zipped] {
            let mut names = Vec::new();
            let outcome = records(
                Trickle {
                    bytes,
                    most,
                    next: 0,
                },
                |record, _| names.push(record.event_name.to_string()),
            );
            assert_eq!(names, expected, "{text}");
            assert_eq!(describe(&outcome), status, "{text}");
            assert_eq!(outcome.compressed, bytes.len() as u64, "{text}");
            assert_eq!(outcome.inflated, text.len() as u64, "{text}");
        }
    }
}

fn describe(outcome: &ObjectOutcome) -> String {
    let mut out = match &outcome.status {
        Status::Read => "read".to_owned(),
        Status::Skipped(skip) => format!("skipped: {skip}"),
        Status::Failed(failure) => format!("failed: {failure}"),
    };
    for (what, count) in [
        ("undecodable", outcome.undecodable),
        ("summaries", outcome.summaries),
        ("other", outcome.other),
    ] {
        if count > 0 {
            out += &format!(", {what} {count}");
        }
    }
    out
}

#[test]
fn log_files_compact_and_pretty() {
    let file = json!({"Records": [record("A"), record("B")]});
    check(&file.to_string(), &["A", "B"], "read");
    check(
        &serde_json::to_string_pretty(&file).unwrap(),
        &["A", "B"],
        "read",
    );
    check(&format!("\u{feff}{file}\r\n"), &["A", "B"], "read");
    check(r#"{"Records":[]}"#, &[], "read");
}

#[test]
fn the_records_need_not_come_first_nor_last() {
    let file = format!(
        r#"{{"v":[1,{{"Records":[2]}}],"s":"Records","Records":[{}],"Records":[{}],"t":{{}}}}"#,
        record("A"),
        record("B")
    );
    check(&file, &["A", "B"], "read");
}

#[test]
fn lists_single_records_and_records_one_after_another() {
    let (a, b) = (record("A"), record("B"));
    check(&a.to_string(), &["A"], "read");
    check(&serde_json::to_string_pretty(&a).unwrap(), &["A"], "read");
    check(&format!("[{a},{b}]"), &["A", "B"], "read");
    check(&format!("[[{a}],[[{b}]]]"), &["A", "B"], "read");
    check(&format!("{a}\n{b}\n"), &["A", "B"], "read");
    check(&format!("{a}\r\n\r\n{b}"), &["A", "B"], "read");
    check(&format!("{a}{b}"), &["A", "B"], "read");
    check(&format!("{a},{b}"), &["A", "B"], "read");
    check(&format!("{a}\t{b}"), &["A", "B"], "read");
    check("[]", &[], "read");
    let file = json!({"Records": [a]});
    check(&format!("{file}{file}"), &["A", "A"], "read");
    check(&format!("[{file},{file}]"), &["A", "A"], "read");
}

#[test]
fn lookup_events_whole_by_the_line_and_queried() {
    let event = |name: &str| json!({"EventId": "e", "EventName": name, "Resources": [], "CloudTrailEvent": record(name).to_string()});
    check(
        &json!({"Events": [event("A"), event("B")], "NextToken": "t"}).to_string(),
        &["A", "B"],
        "read",
    );
    check(
        &format!("{}\n{}\n", event("A"), event("B")),
        &["A", "B"],
        "read",
    );
    check(
        &json!([record("A").to_string(), record("B").to_string()]).to_string(),
        &["A", "B"],
        "read",
    );
}

#[test]
fn events_of_eventbridge_and_exports_of_log_stores() {
    let event = json!({"version": "0", "id": "x", "detail-type": "AWS API Call via CloudTrail", "resources": [], "detail": record("A")});
    check(&event.to_string(), &["A"], "read");
    check(&json!([event, event]).to_string(), &["A", "A"], "read");
    check(
        &json!({"_raw": record("A").to_string(), "source": "x"}).to_string(),
        &["A"],
        "read",
    );
    let mut stamped = record("A");
    stamped["@timestamp"] = json!("2026-01-01T00:00:00.000Z");
    check(&format!("{stamped}\n{stamped}\n"), &["A", "A"], "read");
}

#[test]
fn what_is_known_not_to_be_calls_is_skipped_with_the_reason() {
    for (text, status) in [
        (
            r#"{"Records":[{"eventType":"AwsCloudTrailInsight","eventVersion":"1.07","insightDetails":{"eventSource":"s"}}]}"#,
            "skipped: CloudTrail Insights, not calls, summaries 1",
        ),
        (
            r#"{"eventCategory":"Aggregated","eventType":"AwsAggregatedEvent","eventSource":"s3.amazonaws.com"}"#,
            "skipped: aggregated data events, not calls, summaries 1",
        ),
        (
            r#"{"awsAccountId":"1","digestStartTime":"2015-08-17T14:01:31Z","logFiles":[{"s3Object":"x"}]}"#,
            "skipped: digest of log files, not events, other 1",
        ),
        (
            r#"{"awslogs":{"data":"H4sI"}}"#,
            "skipped: a CloudWatch Logs event, not a CloudTrail log, other 1",
        ),
        (
            r#"{"messageType":"DATA_MESSAGE","logEvents":[{"message":"{}"}]}"#,
            "skipped: a CloudWatch Logs event, not a CloudTrail log, other 1",
        ),
        (
            r#"{"detail-type":"GuardDuty Finding","detail":{"severity":5,"service":{}}}"#,
            "skipped: JSON, but not CloudTrail's, other 1",
        ),
        (
            r#"{"Records":[{"eventVersion":"2.1","eventSource":"aws:s3","eventName":"ObjectCreated:Put"}]}"#,
            "skipped: JSON, but not CloudTrail's, other 1",
        ),
        (
            r#"{"Version":"2012-10-17","Statement":[]}"#,
            "skipped: JSON, but not CloudTrail's, other 1",
        ),
        ("{}", "skipped: JSON, but not CloudTrail's, other 1"),
        (
            "[1,null,\"x\"]",
            "skipped: JSON, but not CloudTrail's, other 3",
        ),
    ] {
        check(text, &[], status);
    }
}

#[test]
fn what_is_no_json_is_skipped() {
    for text in [
        "eventTime,eventName\n2026-01-01,A\n",
        "79a59df900b949e55d96a1e698fbacedfd6e09d98eacf8f8d5218e7cd47ef2be bucket [06/Feb/2019:00:00:38 +0000]",
        "[06/Feb/2019:00:00:38 +0000] GET /\n",
        "# Notes\n",
        "\"insightDetails\": {}",
        "}",
    ] {
        let (names, outcome) = read(text.as_bytes());
        assert!(names.is_empty());
        assert!(
            matches!(outcome.status, Status::Skipped(Skip::NotJson)),
            "{text}: {:?}",
            outcome.status
        );
    }
}

#[test]
fn insights_among_records_are_counted_and_not_handed_out() {
    let insight =
        json!({"eventType": "AwsCloudTrailInsight", "eventSource": "a", "eventName": "b"});
    check(
        &json!({"Records": [record("A"), insight]}).to_string(),
        &["A"],
        "read, summaries 1",
    );
}

#[test]
fn a_record_that_cannot_be_decoded_does_not_stop_the_rest() {
    for bad in [
        r#"{"eventVersion":"1.08","userIdentity":{},"eventName":"B"}"#,
        r#"{"eventVersion":"1.08","eventSource":7,"eventName":"B"}"#,
        r#"{"eventSource":"s" "eventName":"B"}"#,
        r#"{"eventSource":"s","eventName":B}"#,
        r#"{eventSource:1}"#,
    ] {
        let (a, c) = (record("A"), record("C"));
        check(
            &format!(r#"{{"Records":[{a},{bad},{c}]}}"#),
            &["A", "C"],
            "read, undecodable 1",
        );
        check(
            &format!("{a}\n{bad}\n{c}\n"),
            &["A", "C"],
            "read, undecodable 1",
        );
    }
}

#[test]
fn nobody_can_hide_a_call_behind_an_odd_agent() {
    for agent in [
        r"\ud800",
        r"a\udc00b",
        r"\ud800\u0041",
        "tab\there",
        "line\nbreak",
        r"\ud83d\ude00\ud800",
    ] {
        let text = format!(
            r#"{{"Records":[{{"eventSource":"s","eventName":"A","userAgent":"{agent}","sourceIPAddress":"\\"}}]}}"#
        );
        check(&text, &["A"], "read");
    }
    let (names, outcome) =
        read(b"{\"eventSource\":\"s\",\"eventName\":\"A\",\"userAgent\":\"\xff\xfe\"}");
    assert_eq!((names.len(), outcome.undecodable), (1, 0));
}

#[test]
fn an_odd_agent_is_read_as_far_as_it_makes_sense() {
    let text =
        r#"{"eventSource":"s","eventName":"A","userAgent":"\ud83d\ude00 \ud800 \\ud800 a	b"}"#;
    let mut agents = Vec::new();
    records(text.as_bytes(), |record, _| {
        agents.push(record.user_agent.clone().map(Cow::into_owned));
    });
    assert_eq!(agents, [Some("\u{1f600} \u{fffd} \\ud800 a\tb".to_owned())]);
}
