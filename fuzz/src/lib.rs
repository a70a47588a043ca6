//! What is fuzzed: each function takes bytes that a stranger chose and holds what comes out against an
//! oracle or a property. A panic is a finding. The tests of rolefit include this file and run the corpus.

use std::io::{Read, Write};

use flate2::Compression;
use flate2::write::GzEncoder;
use rolefit::catalog::Catalog;
use rolefit::grants::Snapshot;
use rolefit::iam::{Arn, Containment, PolicyDocument, PolicySet, contained, pattern};
use rolefit::pipeline::stored;
use rolefit::read::Selection;
use rolefit::trail::digest::Digest;
use rolefit::trail::key::LogKey;
use rolefit::trail::{Decoder, Record, Status, actor, denied, fingerprint};
use rolefit::usage::file::UsageFile;
use serde_json::value::RawValue;

/// A target and its name: the folder of its corpus.
pub type Target = (&'static str, fn(&[u8]));

/// Every target.
pub const TARGETS: [Target; 10] = [
    ("objects", objects),
    ("record", record),
    ("key", key),
    ("policy", policy),
    ("pattern", pattern),
    ("arn", arn),
    ("denial", denial),
    ("snapshot", snapshot),
    ("digest", digest),
    ("usage", usage),
];

/// Gives few bytes at a time.
struct Drops<'a>(&'a [u8], usize);

impl Read for Drops<'_> {
    fn read(&mut self, out: &mut [u8]) -> std::io::Result<usize> {
        let count = self.1.min(out.len()).min(self.0.len());
        let (now, rest) = self.0.split_at(count);
        out[..count].copy_from_slice(now);
        self.0 = rest;
        Ok(count)
    }
}

/// How an object ended, and its records.
struct Outcome {
    end: String,
    /// To its end, as a log.
    whole: bool,
    undecodable: u64,
    records: Vec<Vec<u8>>,
}

fn read(reader: impl Read) -> Outcome {
    let mut records = Vec::new();
    let outcome = Decoder::new().records(reader, |record, json| {
        assert!(!record.event_source.is_empty() && !record.event_name.is_empty());
        records.push(json.to_vec());
    });
    assert_eq!(outcome.records, records.len() as u64);
    Outcome {
        end: format!("{:?}", outcome.status),
        whole: matches!(outcome.status, Status::Read),
        undecodable: outcome.undecodable,
        records,
    }
}

fn gzip(data: &[u8]) -> Vec<u8> {
    let mut gz = GzEncoder::new(Vec::new(), Compression::fast());
    gz.write_all(data).expect("memory takes everything");
    gz.finish().expect("memory takes everything")
}

/// Log objects: the same records however the bytes arrive, gzipped or not, and of a damaged object no
/// record that the sound one does not hold.
pub fn objects(data: &[u8]) {
    let whole = read(data);
    let drops = read(Drops(data, 7));
    assert_eq!(whole.end, drops.end);
    assert_eq!(whole.records, drops.records);
    if data.starts_with(b"\x1f\x8b") || data.len() < 16 {
        return;
    }
    let zipped = gzip(data);
    let unzipped = read(&zipped[..]);
    assert_eq!(whole.records, unzipped.records);
    assert_eq!(whole.undecodable, unzipped.undecodable);
    // The first bytes say where it is damaged, and how.
    let at = usize::from(u16::from_le_bytes([data[0], data[1]])) % zipped.len();
    let cut = read(&zipped[..at]);
    assert!(!cut.whole, "a cut object was read to its end: {}", cut.end);
    assert!(unzipped.records.starts_with(&cut.records));
    let mut flipped = zipped;
    flipped[at] ^= 1 << (data[2] % 8);
    let flipped = read(&flipped[..]);
    assert!(
        !flipped.whole || flipped.records == unzipped.records,
        "a damaged object was read to its end with other records: {}",
        flipped.end
    );
}

/// One record: the fast way and serde_json see the same fields, or both see none.
pub fn record(data: &[u8]) {
    let mut handed = Vec::new();
    Decoder::new().records(data, |record, json| {
        let slow: Record<'_> =
            serde_json::from_slice(json).expect("serde_json takes what was taken");
        assert_eq!(fields(record), fields(&slow));
        assert_eq!(fingerprint(record), fingerprint(&slow));
        let _ = (actor(record), denied(record), record.epoch_seconds());
        handed.push(json.len());
    });
    let Ok(text) = std::str::from_utf8(data) else {
        return;
    };
    // A lone object that serde_json takes for a record is handed out whole.
    let lone = text.trim_matches([' ', '\n', '\r', '\t']);
    if lone.starts_with('{')
        && let Ok(record) = serde_json::from_str::<Record<'_>>(lone)
        && serde_json::from_str::<&RawValue>(lone).is_ok()
        && !is_summary(&record)
        && !is_wrapper(lone)
    {
        assert_eq!(handed, [lone.len()], "serde_json takes it: {lone}");
    }
}

fn is_summary(record: &Record<'_>) -> bool {
    record.event_source.starts_with("aws:")
        || record
            .event_type
            .as_deref()
            .is_some_and(|kind| kind.contains("Insight") || kind.contains("Aggregated"))
        || matches!(
            record.event_category.as_deref(),
            Some("Insight" | "Aggregated")
        )
}

fn is_wrapper(text: &str) -> bool {
    ["Records", "Events"].iter().any(|key| text.contains(key))
}

fn fields(record: &Record<'_>) -> String {
    format!("{record:?}").replace("compact: true", "compact: false")
}

/// The key of a log object.
pub fn key(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let Some(key) = LogKey::parse(&text) else {
        return;
    };
    if let Some(account) = &key.account {
        assert!(account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()));
    }
    if let (Some(day), Some(delivered)) = (key.day, key.delivered) {
        let start = day
            .to_zoned(jiff_utc())
            .expect("a day of this calendar")
            .timestamp()
            .as_second();
        assert!(
            (0..86_400).contains(&(delivered - start)),
            "{text}: {day} {delivered}"
        );
    }
    // Windows and Unix spell one key.
    assert_eq!(LogKey::parse(&text.replace('/', "\\")), Some(key.clone()));
    let _ = key.kind.skip_reason();
}

fn jiff_utc() -> jiff::tz::TimeZone {
    jiff::tz::TimeZone::UTC
}

/// A policy: prints as it was read, and allows what itself allows.
pub fn policy(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let parsed = PolicyDocument::parse(&text);
    if let Ok(decoded) = PolicyDocument::decode(&text)
        && let Ok(parsed) = &parsed
    {
        assert_eq!(&decoded, parsed);
    }
    let Ok(document) = parsed else { return };
    for printed in [document.to_json_compact(), document.to_json_pretty()] {
        let again = PolicyDocument::parse(&printed).expect("what was printed is a policy");
        assert_eq!(again, document);
    }
    let set = PolicySet::of("p", document);
    if let Containment::NotContained(witness) = contained(&set, &set) {
        panic!("a policy that does not hold itself: {witness:?}");
    }
}

/// Two patterns and a text, a line each: what matches a pattern matches all that covers it.
pub fn pattern(data: &[u8]) {
    let text = String::from_utf8_lossy(&data[..data.len().min(200)]);
    let mut lines = text.splitn(3, '\n');
    let (a, b, text) = (
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
        lines.next().unwrap_or_default(),
    );
    let (in_a, in_b) = (pattern::matches(a, text), pattern::matches(b, text));
    assert_eq!(in_a, plain_match(a, text), "{a} {text}");
    if pattern::covers(a, b) {
        assert!(
            in_a || !in_b,
            "{a} covers {b}, and {text} shows that it does not"
        );
    }
    if in_a && in_b {
        assert!(pattern::overlaps(a, b), "{a} {b} {text}");
    }
    for part in pattern::intersect(a, b) {
        assert!(
            pattern::covers(a, &part) && pattern::covers(b, &part),
            "{part} of {a} and {b}"
        );
    }
    match pattern::covered_by_union(b, &[a, text]) {
        pattern::Cover::Covered => {}
        pattern::Cover::NotCovered(witness) => {
            assert!(pattern::matches(b, &witness));
            assert!(!pattern::matches(a, &witness) && !pattern::matches(text, &witness));
        }
        pattern::Cover::Unknown(_) => {}
    }
}

/// The textbook's matcher: a table of which prefixes match.
fn plain_match(pattern: &str, text: &str) -> bool {
    let (pattern, text): (Vec<char>, Vec<char>) =
        (pattern.chars().collect(), text.chars().collect());
    let mut row = vec![false; text.len() + 1];
    row[0] = true;
    for p in pattern {
        let mut next = vec![false; text.len() + 1];
        next[0] = row[0] && p == '*';
        for t in 0..text.len() {
            next[t + 1] = match p {
                '*' => row[t + 1] || next[t],
                '?' => row[t],
                c => row[t] && c == text[t],
            };
        }
        row = next;
    }
    row[text.len()]
}

/// An ARN prints as it was read.
pub fn arn(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    if let Some(arn) = Arn::parse(&text) {
        assert_eq!(arn.to_string(), text);
    }
}

/// The words of a denial: what is taken for an action or an ARN has the shape of one.
pub fn denial(data: &[u8]) {
    let text = String::from_utf8_lossy(data);
    let json = serde_json::json!({
        "eventSource": "sqs.amazonaws.com", "eventName": "SendMessage", "awsRegion": "us-east-1",
        "errorCode": "AccessDenied", "errorMessage": text, "recipientAccountId": "111122223333",
        "userIdentity": {"type": "AssumedRole", "arn": "arn:aws:sts::111122223333:assumed-role/r/f"}
    })
    .to_string();
    let record: Record<'_> = serde_json::from_str(&json).expect("a record");
    let call = Catalog::builtin().denied_call(&record);
    if let Some(action) = call.action {
        assert!(
            action
                .split_once(':')
                .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty())
        );
    }
    if let Some(resource) = call.resource {
        assert!(Arn::parse(&resource).is_some(), "{resource}");
        assert!(!resource.contains(char::is_control), "{resource:?}");
    }
    assert!(!call.door.code().is_empty());
}

/// A digest: nobody signs with noise, and no signature fits it.
pub fn digest(data: &[u8]) {
    let Ok(digest) = Digest::parse(data) else {
        return;
    };
    assert_eq!(digest.algorithm, "SHA256withRSA");
    let signature = String::from_utf8_lossy(data);
    assert!(!digest.is_signed(data, &signature, data));
    for log in &digest.log_files {
        let _ = LogKey::parse(&log.object);
    }
}

/// A folder in memory, where there is one.
fn folder() -> tempfile::TempDir {
    let shm = std::path::Path::new("/dev/shm");
    let made = if shm.is_dir() {
        tempfile::tempdir_in(shm)
    } else {
        tempfile::tempdir()
    };
    made.expect("a folder")
}

/// A usage file: it is read, or refused.
pub fn usage(data: &[u8]) {
    let folder = folder();
    let path = folder.path().join("usage");
    std::fs::write(&path, data).expect("a file");
    if let Ok(file) = UsageFile::open(&path)
        && let Ok(scan) = stored(&file, &Selection::default())
    {
        let objects = &scan.objects;
        assert!(objects.read + objects.failed.len() as u64 <= objects.listed);
    }
}

/// A file of the snapshot: the first byte says which. It is used, or there is a note, or no snapshot.
pub fn snapshot(data: &[u8]) {
    const FILES: [&str; 8] = [
        "account-authorization-details.json",
        "functions.json",
        "event-source-mappings.json",
        "event-invoke-configs.json",
        "event-selectors.json",
        "trails.json",
        "service-last-accessed/r.json",
        "function-policies/f.json",
    ];
    const DETAILS: &str =
        r#"{"RoleDetailList":[{"RoleName":"r","Arn":"arn:aws:iam::111122223333:role/r"}]}"#;
    let Some((which, content)) = data.split_first() else {
        return;
    };
    let file = FILES[usize::from(*which) % FILES.len()];
    let folder = folder();
    let write = |name: &str, content: &[u8]| {
        let path = folder.path().join(name);
        std::fs::create_dir_all(path.parent().expect("a folder")).expect("a folder");
        std::fs::write(path, content).expect("a file");
    };
    write(FILES[0], DETAILS.as_bytes());
    write(file, content);
    match Snapshot::load(Some(folder.path()), &[], Catalog::builtin()) {
        Ok(snapshot) => {
            let sound = serde_json::from_slice::<serde_json::Value>(
                content.strip_prefix(b"\xef\xbb\xbf").unwrap_or(content),
            )
            .is_ok();
            assert!(
                sound || !snapshot.notes.is_empty(),
                "what is not JSON is noted"
            );
            for (arn, role) in &snapshot.roles {
                assert_eq!(arn, &role.arn);
                let _ = role.effective();
            }
        }
        Err(error) => assert_eq!(file, FILES[0], "{error}"),
    }
}
