use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

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
fn a_broken_tail_keeps_what_came_before() {
    let (a, b) = (record("A"), record("B"));
    for text in [
        format!(r#"{{"Records":[{a},{b}"#),
        format!(r#"{{"Records":[{a},{b}]"#),
        format!(r#"{{"Records":[{a},{b},{{"eventSource":"#),
        format!(r#"[{a},{b},"eventSou"#),
        format!("{a}{b}{{"),
    ] {
        check(&text, &["A", "B"], "failed: ends in the middle of a record");
    }
    let text = format!("{a}\n{b}\n<html>");
    let (names, outcome) = read(text.as_bytes());
    assert_eq!(names, ["A", "B"]);
    assert_eq!(
        describe(&outcome),
        format!("failed: not valid JSON at byte {}", text.len() - 6)
    );
    let text = format!(r#"{{"Records":[{a},{b},@"#);
    assert_eq!(
        describe(&read(text.as_bytes()).1),
        format!("failed: not valid JSON at byte {}", text.len() - 1)
    );
}

#[test]
fn emptiness() {
    assert_eq!(describe(&read(b"").1), "failed: empty file");
    assert_eq!(describe(&read(b" \n").1), "failed: empty file");
    assert_eq!(describe(&read(&gzip(b"")).1), "read");
    assert_eq!(describe(&read(&gzip(br#"{"Records":[]}"#)).1), "read");
}

#[test]
fn gzip_of_one_or_more_members_with_every_header_field() {
    let (a, b) = (format!("[{}", record("A")), format!(",{}]", record("B")));
    let mut two = gzip(a.as_bytes());
    two.extend(gzip(b.as_bytes()));
    assert_eq!(read(&two).0, ["A", "B"]);
    two.extend([0; 512]);
    assert_eq!(
        describe(&read(&two).1),
        "read",
        "padding with zeros is no damage"
    );

    let mut encoder = flate2::GzBuilder::new()
        .extra(vec![1, 2, 3])
        .filename("x.json")
        .comment("c")
        .mtime(7)
        .write(Vec::new(), Compression::best());
    encoder
        .write_all(record("A").to_string().as_bytes())
        .unwrap();
    assert_eq!(read(&encoder.finish().unwrap()).0, ["A"]);
}

#[test]
fn damaged_gzip_says_how() {
    let file = json!({"Records": [record("A"), record("B")]}).to_string();
    let sound = gzip(file.as_bytes());
    let with = |change: &dyn Fn(&mut Vec<u8>)| {
        let mut bytes = sound.clone();
        change(&mut bytes);
        let (names, outcome) = read(&bytes);
        (names.len(), describe(&outcome))
    };
    let end = sound.len();
    assert_eq!(
        with(&|bytes| bytes[end - 8] ^= 1),
        (2, "failed: gzip checksum does not fit the data".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes[end - 1] ^= 1),
        (2, "failed: gzip checksum does not fit the data".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes.extend(b"garbage")),
        (2, "failed: bytes after the end of the gzip data".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes.extend(b"\x1f\x8b")),
        (2, "failed: gzip ends early".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes[2] = 9),
        (0, "failed: gzip header is damaged".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes[3] = 0x80),
        (0, "failed: gzip header is damaged".to_owned())
    );
    assert_eq!(
        with(&|bytes| bytes[10] = 0xff),
        (0, "failed: gzip data is damaged".to_owned())
    );
}

#[test]
fn other_compressions_are_named() {
    for (bytes, name) in [
        (&b"\x28\xb5\x2f\xfd0000"[..], "zstd"),
        (b"BZh91AY", "bzip2"),
        (b"PK\x03\x040000", "zip"),
    ] {
        assert_eq!(
            describe(&read(bytes).1),
            format!("failed: compressed with {name}: only gzip and plain text are read")
        );
    }
}

#[test]
fn cut_anywhere_gzip_gives_whole_records_and_a_failure() {
    let all: Vec<String> = (0..5).map(|n| format!("Event{n}")).collect();
    let file =
        json!({"Records": all.iter().map(|name| record(name)).collect::<Vec<_>>()}).to_string();
    let mut encoder = GzEncoder::new(Vec::new(), Compression::none());
    encoder.write_all(file.as_bytes()).unwrap();
    let mut most = 0;
    for sound in [gzip(file.as_bytes()), encoder.finish().unwrap()] {
        for cut in 0..sound.len() {
            let (names, outcome) = read(&sound[..cut]);
            assert_eq!(names, all[..names.len()], "cut at {cut}");
            assert_eq!(outcome.undecodable, 0, "cut at {cut}");
            // One byte is not yet recognisable as gzip.
            assert!(!matches!(outcome.status, Status::Read), "cut at {cut}");
            assert!(
                cut < 2
                    || matches!(
                        outcome.status,
                        Status::Failed(Failure::Inflate(InflateError::Truncated))
                    ),
                "cut at {cut}"
            );
            if cut + 9 < sound.len() {
                most = most.max(names.len());
            }
        }
        assert_eq!(read(&sound).0, all);
    }
    assert!(most >= 4, "some cuts left records before them");
}

#[test]
fn nesting_a_hundred_thousand_deep_is_no_danger() {
    let deep =
        |open: &str, close: &str| format!("{}{}", open.repeat(100_000), close.repeat(100_000));
    let (lists, objects) = (
        deep("[", "]"),
        format!("{}1{}", "{\"a\":".repeat(100_000), "}".repeat(100_000)),
    );
    for bomb in [&lists, &objects] {
        let with = format!(
            r#"{{"Records":[{{"eventSource":"s","eventName":"A","requestParameters":{bomb},"x":{bomb}}},{bomb},{}]}}"#,
            record("B")
        );
        assert_eq!(read(with.as_bytes()).0, ["A", "B"]);
        assert!(matches!(
            read(bomb.as_bytes()).1.status,
            Status::Skipped(Skip::OtherJson)
        ));
        assert!(matches!(
            read(&bomb.as_bytes()[..bomb.len() - 1]).1.status,
            Status::Failed(Failure::Cut)
        ));
    }
    let wrapped = format!(
        "{}{}{}",
        "{\"Records\":[".repeat(5_000),
        record("A"),
        "]}".repeat(5_000)
    );
    assert_eq!(
        describe(&read(wrapped.as_bytes()).1),
        "skipped: JSON, but not CloudTrail's, other 1"
    );
    let detail = format!(
        "{}{}{}",
        "{\"detail\":".repeat(5_000),
        record("A"),
        "}".repeat(5_000)
    );
    assert!(read(detail.as_bytes()).0.is_empty());
}

#[test]
fn a_record_longer_than_memory_allows_fails_and_keeps_what_came_before() {
    let long = format!(
        r#"{{"Records":[{},{{"eventSource":"s","eventName":"B","x":"{}"}}]}}"#,
        record("A"),
        "x".repeat(3000)
    );
    let mut names = Vec::new();
    let outcome = records_within(long.as_bytes(), 3000, |record, _| {
        names.push(record.event_name.to_string())
    });
    assert_eq!(names, ["A"]);
    assert!(matches!(outcome.status, Status::Failed(Failure::TooLong)));
    assert_eq!(records_within(long.as_bytes(), 3100, |_, _| ()).records, 2);
}

#[test]
fn a_stream_far_longer_than_the_window_needs_no_more_memory() {
    let mut file = String::from(r#"{"Records":["#);
    for n in 0..3000 {
        file += &format!("{},", record(&format!("Event{n}")));
    }
    file += &format!("{}]}}", record("Last"));
    let mut count = 0;
    let outcome = records_within(gzip(file.as_bytes()).as_slice(), 1000, |_, _| count += 1);
    assert_eq!((count, describe(&outcome).as_str()), (3001, "read"));
}

#[test]
fn a_stream_that_swells_as_no_log_does_is_stopped() {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    let zeros = vec![b' '; 1 << 20];
    for _ in 0..300 {
        encoder.write_all(&zeros).unwrap();
    }
    let outcome = read(&encoder.finish().unwrap()).1;
    assert_eq!(
        describe(&outcome),
        "failed: inflates to more than 400 times its size"
    );
}

#[test]
fn an_input_that_breaks_keeps_what_came_before() {
    struct Broken;
    impl Read for Broken {
        fn read(&mut self, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::other("gone"))
        }
    }
    let start = format!(r#"{{"Records":[{},"#, record("A"));
    let mut count = 0;
    let outcome = records(start.as_bytes().chain(Broken), |_, _| count += 1);
    assert_eq!(
        (count, describe(&outcome).as_str()),
        (1, "failed: read failed: gone")
    );
}

/// JSON of any shape, with the characters that could confuse a splitter.
fn any_json() -> impl Strategy<Value = Value> {
    let text = "[a-c\\[\\]{}\",:\\\\\n\u{e9}\u{1f600} ]{0,8}";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i32>().prop_map(Value::from),
        any::<i16>().prop_map(|n| Value::from(f64::from(n) / 8.0)),
        text.prop_map(Value::from),
    ];
    leaf.prop_recursive(4, 24, 5, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::btree_map(
                prop_oneof![text, Just("Records".to_owned()), Just("detail".to_owned())],
                inner,
                0..5
            )
            .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn any_record() -> impl Strategy<Value = Value> {
    (
        "[A-Z][a-z]{0,5}",
        any_json(),
        any_json(),
        any_json(),
        any::<bool>(),
    )
        .prop_map(|(name, parameters, odd, other, first)| {
            let mut record = json!({});
            if first {
                record["zzz"] = other.clone();
            }
            record["eventVersion"] = json!("1.08");
            record["userIdentity"] = odd.clone();
            record["requestParameters"] = parameters;
            record["resources"] = other;
            record["userAgent"] = odd;
            record["eventName"] = json!(name);
            record["eventSource"] = json!("s");
            record
        })
}

/// The same JSON, with white space from `blanks` between its tokens.
fn spread(value: &Value, blanks: &mut impl Iterator<Item = &'static str>, out: &mut String) {
    let mut blank = |out: &mut String| out.push_str(blanks.next().unwrap_or_default());
    blank(out);
    match value {
        Value::Array(list) => {
            out.push('[');
            for (n, item) in list.iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                spread(item, blanks, out);
            }
            out.push(']');
        }
        Value::Object(object) => {
            out.push('{');
            for (n, (key, item)) in object.iter().enumerate() {
                out.push_str(if n > 0 { "," } else { "" });
                spread(&Value::from(key.as_str()), blanks, out);
                out.push(':');
                spread(item, blanks, out);
            }
            out.push('}');
        }
        other => out.push_str(&other.to_string()),
    }
    out.push_str(blanks.next().unwrap_or_default());
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 300, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_splitter_gives_what_a_parser_finds(
        list in prop::collection::vec(any_record(), 0..6),
        shape in 0..4,
        blanks in prop::collection::vec(prop_oneof![Just(""), Just(" "), Just("\n"), Just("\r\n\t ")], 1..20),
        most in 1_usize..40,
        largest in prop_oneof![Just(16_usize), Just(100), Just(1 << 20)],
    ) {
        let document = match shape {
            0 => json!({"Records": list}),
            1 => json!({"a": [{"Records": [1]}], "Records": list, "b": {"c": "]"}}),
            _ => Value::from(list.clone()),
        };
        let mut text = String::new();
        let mut blanks = blanks.into_iter().cycle();
        if shape == 3 {
            list.iter().for_each(|record| spread(record, &mut blanks, &mut text));
        } else {
            spread(&document, &mut blanks, &mut text);
        }
        let mut found = Vec::new();
        let outcome = records_within(Trickle { bytes: text.as_bytes(), most, next: 0 }, largest.max(16), |_, raw| {
            found.push(serde_json::from_slice::<Value>(raw).unwrap());
        });
        if matches!(outcome.status, Status::Failed(Failure::TooLong)) {
            prop_assert!(largest < 1 << 20);
            prop_assert_eq!(&found[..], &list[..found.len()]);
        } else {
            prop_assert_eq!(outcome.undecodable, 0);
            prop_assert_eq!(found, list);
        }
    }

    #[test]
    fn no_bytes_are_a_danger(bytes in prop::collection::vec(any::<u8>(), 0..400), zipped in any::<bool>()) {
        let bytes = if zipped { gzip(&bytes) } else { bytes };
        records(bytes.as_slice(), |_, _| ());
    }

    #[test]
    fn no_damage_to_a_log_file_is_a_danger(
        list in prop::collection::vec(any_record(), 1..4),
        hits in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
        zipped in any::<bool>(),
    ) {
        let text = json!({"Records": list}).to_string().into_bytes();
        let mut bytes = if zipped { gzip(&text) } else { text };
        for (at, byte) in hits {
            let at = at.index(bytes.len());
            bytes[at] = byte;
        }
        records(bytes.as_slice(), |record, raw| {
            assert!(!record.event_name.is_empty());
            assert!(std::str::from_utf8(raw).is_ok_and(|json| json.starts_with('{') && json.ends_with('}')));
        });
    }
}
