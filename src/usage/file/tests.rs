//! No bit of a usage file can change unseen, and none of its bytes can be missing.

use std::collections::BTreeSet;
use std::io;
use std::path::Path;

use super::*;
use crate::catalog::Catalog;
use crate::trail::Record;
use crate::usage::ledger::{End, Ledger, ObjectRow, Recorder};

fn ledger() -> Ledger {
    let selection = Selection::default();
    let mut recorder = Recorder::new(Catalog::builtin(), &selection);
    for object in 0..2 {
        let name = format!(
            "AWSLogs/111122223333/CloudTrail/eu-west-1/2026/11/0{}/111122223333_CloudTrail_eu-west-1_2026110{}T0000Z_x.json.gz",
            object + 1,
            object + 1
        );
        recorder.begin(&name);
        for n in 0..4 {
            let text = format!(
                r#"{{"eventSource":"sqs.amazonaws.com","eventName":"SendMessage","eventID":"{object}{n}3c0ffee-0bad-4cab-8f00-d15ea5e00d15","eventTime":"2026-11-0{}T00:00:0{n}Z",
                "awsRegion":"eu-west-1","recipientAccountId":"111122223333","errorCode":{},"requestParameters":{{"queueUrl":"https://sqs.eu-west-1.amazonaws.com/111122223333/q"}},
                "userIdentity":{{"type":"AssumedRole","sessionContext":{{"sessionIssuer":{{"type":"Role","arn":"arn:aws:iam::111122223333:role/r"}}}}}}}}"#,
                object + 1,
                if n == 3 { "\"AccessDenied\"" } else { "null" }
            );
            let record: Record<'_> = serde_json::from_str(&text).unwrap();
            recorder.record(&record);
        }
        recorder.end(&name, ObjectRow::unread(End::Read, 700));
    }
    let mut ledger = recorder.finish();
    let why = End::Failed("no such file".into());
    ledger.object("gone.json".into(), ObjectRow::unread(why, 3));
    ledger
}

fn written() -> Vec<u8> {
    let header = Header {
        tool: "0".into(),
        catalogs: BTreeSet::from(["c".to_owned()]),
        selection: Selection {
            from: Some(5),
            ..Selection::default()
        },
        shards: super::Shards::from([(4, BTreeSet::from([1, 3]))]),
        exact: true,
    };
    let mut bytes = Vec::new();
    write(&ledger(), &header, &mut bytes).unwrap();
    bytes
}

/// Reads all that can be read.
fn read(path: &Path) -> Result<(), MergeError> {
    let file = UsageFile::open(path)?;
    file.objects()?;
    for day in file.days() {
        file.pages(day)?;
    }
    merge(
        &[file],
        header(&[])?,
        &MergeOptions::default(),
        &mut io::sink(),
    )
}

#[test]
fn what_was_written_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usage");
    let bytes = written();
    std::fs::write(&path, &bytes).unwrap();
    read(&path).unwrap();
    let file = UsageFile::open(&path).unwrap();
    assert_eq!(file.header().selection.from, Some(5));
    let (objects, events) = file.facts();
    assert_eq!((objects.count, objects.read, objects.failed), (3, 2, 1));
    assert_eq!((objects.records, events.count), (8, 8));
    // Merged with itself it is itself.
    let twice = [
        UsageFile::open(&path).unwrap(),
        UsageFile::open(&path).unwrap(),
    ];
    let mut merged = Vec::new();
    let mut header = header(&twice).unwrap();
    header.tool = "0".into();
    merge(&twice, header, &MergeOptions::default(), &mut merged).unwrap();
    assert!(merged == bytes);
}

#[test]
fn every_flipped_bit_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usage");
    let mut bytes = written();
    for at in 0..bytes.len() {
        let bit = 1 << (at % 8);
        bytes[at] ^= bit;
        std::fs::write(&path, &bytes).unwrap();
        assert!(read(&path).is_err(), "bit {bit} of byte {at}");
        bytes[at] ^= bit;
    }
}

#[test]
fn every_missing_end_is_found() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("usage");
    let bytes = written();
    for length in 0..bytes.len() {
        std::fs::write(&path, &bytes[..length]).unwrap();
        assert!(read(&path).is_err(), "{length} bytes");
    }
    std::fs::write(&path, [&bytes[..], b"\n"].concat()).unwrap();
    assert!(read(&path).is_err());
}

/// Checksums keep accidents away, not people: whatever stands in a section with a fitting checksum is
/// read or refused, and never more than it is worth in memory.
#[test]
fn sections_of_strangers_are_read_or_refused() {
    let pages = {
        let ledger = ledger();
        let (day, sheets) = ledger.days.iter().next().unwrap();
        page::encode(
            *day,
            sheets.iter().map(|(place, sheet)| (place, &sheet.page)),
        )
    };
    let mut refused = 0;
    for at in 0..pages.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bytes = pages.clone();
            bytes[at] = byte;
            refused += usize::from(page::decode(Some(1), &bytes).is_err());
        }
        assert!(page::decode(Some(1), &pages[..at]).is_err(), "{at} bytes");
    }
    assert!(refused > pages.len(), "{refused}");
    let rows = objects::encode(ledger().rows().collect::<Vec<_>>().into_iter());
    for at in 0..rows.len() {
        for byte in [0, 1, 0x7f, 0x80, 0xff] {
            let mut bytes = rows.clone();
            bytes[at] = byte;
            let _ = objects::decode(&bytes);
        }
        assert!(objects::decode(&rows[..at]).is_err(), "{at} bytes");
    }
}
