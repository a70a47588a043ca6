//! The fast way against serde_json: the same record, or it steps aside.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use serde::de::IgnoredAny;

use super::block::{Plain, in_every_way};
use super::skip::{Skipped, skip};
use super::*;
use crate::trail::{Decoder, Look};

const RECORD: &str = r#"{"eventVersion":"1.11","userIdentity":{"type":"AssumedRole","principalId":"AROA:f","arn":"arn:aws:sts::111122223333:assumed-role/r/f","accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","principalId":"AROA","arn":"arn:aws:iam::111122223333:role/r"},"attributes":{"mfaAuthenticated":"false"}},"inScopeOf":{"issuerType":"AWS::Lambda::Function","credentialsIssuedTo":"arn:aws:lambda:eu-west-1:111122223333:function:f"}},"eventTime":"2026-09-23T19:12:00Z","eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"eu-west-1","sourceIPAddress":"192.0.2.1","userAgent":"[a \"quoted\" \u00e9 agent]","requestParameters":{"bucketName":"b","key":"k{1}[2],:","n":[1,-2.5e3,true,null,{}],"e":[[],{"a":{}}]},"responseElements":null,"additionalEventData":{"x":"\\"},"requestID":"q","eventID":"e","readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::b/k"},{},7,{"accountId":"1","ARNPrefix":"p"}],"eventType":"AwsApiCall","managementEvent":"False","recipientAccountId":"111122223333","sharedEventID":"s","vpcEndpointId":"vpce-1","sessionCredentialFromConsole":"true","eventCategory":"Data"}"#;

#[derive(Clone)]
struct Skip<'t>(&'t [u8]);

impl Task for Skip<'_> {
    type Output = Result<Skipped, Cut>;

    #[inline(always)]
    fn run<W: Way>(self) -> Self::Output {
        skip::<W>(self.0)
    }
}

/// Reads `bytes` the fast way, in both of its ways, and holds what comes out against serde_json.
/// True where it was taken.
fn check(scanner: &mut Scanner, bytes: &[u8]) -> bool {
    let fast = fastest(Skip(bytes));
    let shown = String::from_utf8_lossy(bytes);
    for other in in_every_way(&Skip(bytes)) {
        assert_eq!(other, fast, "{shown}");
    }
    if let Ok(skipped) = fast {
        let whole = bytes.get(..skipped.length).unwrap();
        assert!(!skipped.ascii || whole.is_ascii());
        if let Ok(text) = std::str::from_utf8(whole) {
            let sound = serde_json::from_str::<IgnoredAny>(text);
            assert!(sound.is_ok(), "{text}: {sound:?}");
        }
    }
    let mut other = Scanner::new();
    let plain = other.read::<Plain>(bytes);
    let fast = fastest(Reading { scanner, bytes });
    assert_eq!(plain, fast, "{shown}");
    if fast.is_ok() {
        let place = scanner.spans.identity.map(|(at, _)| at);
        assert_eq!(place, other.spans.identity.map(|(at, _)| at), "{shown}");
        other.spans.identity = scanner.spans.identity;
        assert_eq!(other.spans, scanner.spans, "{shown}");
        let whole = bytes.get(..scanner.spans.length).unwrap();
        assert!(!scanner.spans.ascii || whole.is_ascii(), "{shown}");
    }
    match scanner.pass(bytes).and_then(|_| scanner.taken(bytes)) {
        Ok((record, json)) => {
            let slow: Record<'_> = serde_json::from_str(json).unwrap_or_else(|error| {
                panic!("serde_json rejects what was taken: {json}: {error}")
            });
            let shown = |record: &Record<'_>| {
                format!("{record:?}").replace("compact: true", "compact: false")
            };
            assert_eq!(shown(&record), shown(&slow), "{json}");
            assert_eq!(json.as_bytes(), &bytes[..json.len()]);
            if let Some(glance) = scanner.glance(bytes) {
                looks_the_same(&glance, &slow);
            }
            true
        }
        Err(_) => false,
    }
}

fn looks_the_same(glance: &Glance<'_>, record: &Record<'_>) {
    fn all(look: &impl Look) -> String {
        let text = |text: Option<&[u8]>| text.map(|text| String::from_utf8(text.into()).unwrap());
        let texts = [
            look.time(),
            Some(look.source()),
            Some(look.name()),
            look.region(),
            look.address(),
            look.agent(),
            look.error(),
            look.error_message(),
            look.endpoint(),
            look.id(),
            look.event_type(),
            look.category(),
            look.recipient(),
            look.parameters().map(|(json, _)| json),
            look.additional(),
        ]
        .map(text);
        let resources: Vec<_> = look.resources().map(|parts| parts.map(text)).collect();
        format!("{texts:?} {:?} {resources:?}", look.console())
    }
    assert_eq!(all(glance), all(record));
    assert_eq!(glance.read_only(), record.read_only);
    assert_eq!(glance.management(), record.management_event);
    let identity = &record.user_identity;
    let account = identity.account_id.as_deref().map(str::as_bytes);
    assert_eq!(glance.identity_account(), account);
    let shown = glance.with_identity(|identity| format!("{identity:?}"));
    assert_eq!(shown, Some(format!("{identity:?}")));
}

fn takes(json: &str) -> bool {
    check(&mut Scanner::new(), json.as_bytes())
}

#[test]
fn a_record_of_every_shape_is_taken_wherever_blocks_begin() {
    let mut scanner = Scanner::new();
    for pad in 0..130 {
        let json = RECORD.replacen("1.11", &"v".repeat(pad), 1);
        assert!(check(&mut scanner, json.as_bytes()), "{pad}");
        let behind = format!("{json},{{\"next\":\n");
        assert!(check(&mut scanner, behind.as_bytes()), "{pad}");
        let (record, taken) = scanner.taken(behind.as_bytes()).unwrap();
        assert_eq!(taken, json);
        assert_eq!(record.user_agent.as_deref(), Some("[a \"quoted\" é agent]"));
        assert_eq!(record.resources.len(), 2);
    }
}

#[test]
fn a_usual_record_can_be_glanced_at() {
    let mut scanner = Scanner::new();
    let plain = RECORD.replace(r#"a \"quoted\" \u00e9 agent"#, "an agent");
    let call = plain.replace("\"eventCategory\"", "\"x\":1,\"eventCategory\"");
    assert!(check(&mut scanner, call.as_bytes()));
    assert!(scanner.glance(call.as_bytes()).is_some());
    for (from, to) in [
        ("an agent", "a \\\\ agent"),
        ("an agent", "an \u{e4}gent"),
        ("s3:::b/k", "s3:::b\\u002fk"),
        ("AwsApiCall", "AwsServiceEvent"),
        ("\"Data\"", "\"Insight\""),
        ("\"s3.amazonaws.com\"", "\"aws:s3\""),
    ] {
        let json = call.replacen(from, to, 1);
        assert_ne!(json, call);
        assert!(check(&mut scanner, json.as_bytes()));
        assert!(scanner.glance(json.as_bytes()).is_none(), "{to}");
    }
}

#[test]
fn a_record_cut_anywhere_is_never_taken() {
    let mut scanner = Scanner::new();
    for end in 1..RECORD.len() {
        assert!(!check(&mut scanner, &RECORD.as_bytes()[..end]), "{end}");
    }
}

#[test]
fn what_is_odd_is_left_to_serde_json() {
    let with = |more: &str| RECORD.replacen('{', &format!("{{{more},"), 1);
    for odd in [
        r#""a": 1"#,
        "\"a\":\n1",
        "\"a\":\"\t\"",
        r#""a":tru"#,
        r#""a":01"#,
        r#""a":1."#,
        r#""a":"\x""#,
        r#""a":"\u12g4""#,
        r#""a":"\ud800","eventID":"\ud800""#,
        r#""event\u0049D":"other""#,
        r#""Records":[]"#,
        r#""a":[1,]"#,
        r#""a":[1 2]"#,
        r#""a":["b":1]"#,
        r#""a":{"b"}"#,
        r#""a":{"b":1,"c"}"#,
        r#""a":{"b":1,2}"#,
        r#""a":{"b":1,"c":2,}"#,
        r#""a":{[]}"#,
        r#""a":{"b":"c":1}"#,
        r#""a":{1:2}"#,
        r#""a":[{]}"#,
        r#""a":"b""c""#,
        r#""a"::1"#,
        r#","a":1"#,
        r#""eventTime":1e999"#,
    ] {
        assert!(!takes(&with(odd)), "{odd}");
    }
    for fine in [
        r#""a":"\ud800""#,
        r#""eventTime":7"#,
        r#""eventTime":{"a":1}"#,
        r#""eventTime":[1],"eventTime":null"#,
        r#""eventSource":null,"eventSource":"sqs.amazonaws.com""#,
        r#""userIdentity":null,"resources":null"#,
        r#""userIdentity":"x","resources":{"a":1}"#,
        r#""userIdentity":{"sessionContext":7,"inScopeOf":{}}"#,
        r#""a":"é 漢字 🦀""#,
        r#""":{"":{"":[]}}"#,
    ] {
        assert!(takes(&with(fine)), "{fine}");
    }
}

/// Every text over the characters of structure, as a value and as an element: taken if and only if sound.
#[test]
fn soundness_is_decided_as_serde_json_does() {
    const LETTERS: &[u8; 10] = b"{}[]:,\"1\\n";
    let longest = if std::env::var_os("ROLEFIT_FULL").is_some() {
        7
    } else {
        5
    };
    let (mut sound, mut text) = (0, Vec::new());
    for length in 0..=longest {
        for number in 0..LETTERS.len().pow(length) {
            for (before, after) in [(&b"{\"k\":"[..], &b"}"[..]), (b"[\"k\",", b"]")] {
                text.clear();
                text.extend_from_slice(before);
                let mut rest = number;
                for _ in 0..length {
                    text.push(LETTERS[rest % LETTERS.len()]);
                    rest /= LETTERS.len();
                }
                text.extend_from_slice(after);
                let json = std::str::from_utf8(&text).unwrap();
                let expected = serde_json::from_str::<IgnoredAny>(json).is_ok();
                let taken = fastest(Skip(&text)).is_ok_and(|it| it.length == text.len());
                assert_eq!(taken, expected, "{json}");
                sound += usize::from(expected);
            }
        }
    }
    assert!(sound > 200, "{sound}");
}

/// Every such text as a value of each kind and as members of a record: what is taken is sound, and what is
/// sound and no member of the record's own is taken.
#[test]
fn soundness_of_what_is_walked_is_decided_as_serde_json_does() {
    const LETTERS: &[u8; 10] = b"{}[]:,\"1\\n";
    let mut scanner = Scanner::new();
    let (mut taken, mut text) = (0, String::new());
    for length in 0..=4 {
        for number in 0..LETTERS.len().pow(length) {
            text.clear();
            let mut rest = number;
            for _ in 0..length {
                text.push(char::from(LETTERS[rest % LETTERS.len()]));
                rest /= LETTERS.len();
            }
            for json in [
                format!(r#"{{"eventSource":"s","eventName":"n","k":{text}}}"#),
                format!(r#"{{"eventSource":"s","eventName":"n",{text}}}"#),
                format!(r#"{{"eventSource":"s","eventName":"n","eventTime":{text}}}"#),
                format!(r#"{{"eventSource":"s","eventName":"n","readOnly":{text}}}"#),
                format!(r#"{{"eventSource":"s","eventName":"n","resources":[{text}]}}"#),
                format!(r#"{{"eventSource":"s","resources":[{{"ARN":{text}}}],"eventName":"n"}}"#),
                format!(r#"{{"userIdentity":{text},"eventSource":"s","eventName":"n"}}"#),
                format!(r#"{{"userIdentity":{{"arn":{text}}},"eventSource":"s","eventName":"n"}}"#),
                format!(
                    r#"{{"userIdentity":{{"sessionContext":{text}}},"eventSource":"s","eventName":"n"}}"#
                ),
                format!(
                    r#"{{"userIdentity":{{"inScopeOf":{{"a":1,{text}}}}},"eventSource":"s","eventName":"n"}}"#
                ),
            ] {
                let was_taken =
                    check(&mut scanner, json.as_bytes()) && scanner.spans.length == json.len();
                let sound = serde_json::from_str::<Record<'_>>(&json).is_ok();
                assert!(sound || !was_taken, "{json}");
                assert!(was_taken || !sound || text.contains('\\'), "{json}");
                taken += usize::from(was_taken);
            }
        }
    }
    assert!(taken > 200, "{taken}");
}

#[test]
fn absurd_depth_is_left_to_serde_json() {
    let deep = |levels: usize| format!("{{\"a\":{}{}}}", "[".repeat(levels), "]".repeat(levels));
    let wide = |count: usize| {
        let members: Vec<String> = (0..count).map(|n| format!("\"m{n}\":{n}")).collect();
        format!("{{{}}}", members.join(","))
    };
    let cuts = |json: &str| fastest(Skip(json.as_bytes())).map(|_| ());
    assert_eq!(cuts(&deep(60)), Ok(()));
    assert_eq!(cuts(&deep(100)), Err(Cut::Odd));
    assert_eq!(cuts(&wide(1000)), Ok(()));
}

/// Some JSON, as services write it.
fn json() -> impl Strategy<Value = serde_json::Value> {
    let leaf = prop_oneof![
        Just(serde_json::Value::Null),
        any::<bool>().prop_map(Into::into),
        any::<i64>().prop_map(Into::into),
        any::<f64>().prop_map(Into::into),
        ".{0,12}".prop_map(Into::into),
        r#"[\\"\{\}\[\]:,]{0,9}"#.prop_map(Into::into),
    ];
    leaf.prop_recursive(5, 40, 6, |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Into::into),
            prop::collection::hash_map(".{0,6}", inner, 0..6)
                .prop_map(|map| map.into_iter().collect::<serde_json::Map<_, _>>().into()),
        ]
    })
}

const KEYS: [&str; 12] = [
    "userIdentity",
    "eventTime",
    "awsRegion",
    "userAgent",
    "errorCode",
    "requestParameters",
    "responseElements",
    "readOnly",
    "resources",
    "managementEvent",
    "sessionContext",
    "other",
];

mod remembered;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(
        if std::env::var_os("ROLEFIT_FULL").is_some() { 20_000 } else { 500 }
    ))]

    #[test]
    fn generated_records_read_the_same(
        members in prop::collection::vec((prop::sample::select(&KEYS[..]), json()), 0..8),
    ) {
        let members: Vec<String> = members
            .iter()
            .map(|(key, value)| format!("\"{key}\":{value}"))
            .chain([r#""eventSource":"s","eventName":"n""#.to_owned()])
            .collect();
        takes(&format!("{{{}}}", members.join(",")));
    }

    #[test]
    fn damaged_records_read_the_same_or_not_at_all(
        damage in prop::collection::vec((any::<prop::sample::Index>(), 0..3, any::<u8>(), any::<prop::sample::Index>()), 1..4),
    ) {
        let structure = b"{}[]:,\"\\ 0en-\n";
        let mut bytes = RECORD.as_bytes().to_vec();
        for (place, kind, byte, structural) in damage {
            let at = place.index(bytes.len());
            let byte = if byte < 128 { *structural.get(structure) } else { byte };
            match kind {
                0 => bytes[at] = byte,
                1 => bytes.insert(at, byte),
                _ => { bytes.remove(at); }
            }
        }
        if bytes.first() == Some(&b'{') {
            check(&mut Scanner::new(), &bytes);
        }
    }
}

/// Every record of the logs in the folder `ROLEFIT_REAL_LOGS`.
#[test]
fn real_records_read_the_same() {
    fn visit(path: &Path, each: &mut dyn FnMut(&Path)) {
        if let Ok(entries) = fs::read_dir(path) {
            entries
                .flatten()
                .for_each(|entry| visit(&entry.path(), each));
        } else {
            each(path);
        }
    }
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/AWSLogs");
    let real = std::env::var_os("ROLEFIT_REAL_LOGS");
    let mut scanner = Scanner::new();
    for folder in [Some(samples.as_os_str()), real.as_deref()]
        .into_iter()
        .flatten()
    {
        let (mut taken, mut odd) = (0, 0);
        visit(Path::new(folder), &mut |file| {
            let bytes = fs::read(file).unwrap();
            Decoder::new().records(bytes.as_slice(), |_, json| {
                let compact = serde_json::from_slice::<serde_json::Value>(json)
                    .unwrap()
                    .to_string();
                for json in [json, compact.as_bytes()] {
                    if check(&mut scanner, json) {
                        taken += 1;
                    } else {
                        odd += 1;
                    }
                }
            });
        });
        println!(
            "{}: {taken} taken, {odd} left to serde_json",
            folder.display()
        );
        assert!(taken > 20 && odd < taken, "{taken} {odd}");
    }
}
