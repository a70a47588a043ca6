//! Glancing against taking every record apart.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use crate::catalog::Catalog;
use crate::read::Selection;
use crate::trail::{Decoder, Dedupe, Record};
use crate::usage::pending::tests::{records, rows};
use crate::usage::{Collector, Usage};

fn shown(usage: &Usage) -> String {
    let roles: Vec<_> = usage
        .roles
        .iter()
        .map(|(arn, role)| (arn, rows(role)))
        .collect();
    format!(
        "{roles:#?} {:#?} {:?} {:?} {:?} {:?}",
        usage.coverage, usage.records, usage.changes, usage.invoked, usage.proven
    )
}

/// Reads objects in both ways; gives how many records a glance was enough for.
fn check(objects: &[Vec<u8>], selection: &Selection, passed_over: &BTreeSet<String>) -> (u64, u64) {
    let catalog = Catalog::builtin();
    let dedupes = [(), ()].map(|()| Dedupe::new(1 << 16, true));
    let mut fast = Collector::new(catalog, selection, &dedupes[0]).passing_over(passed_over);
    let mut slow = Collector::new(catalog, selection, &dedupes[1]).passing_over(passed_over);
    struct Counting<'c, 'd>(&'c mut Collector<'d>, u64);
    impl crate::trail::container::Sink for Counting<'_, '_> {
        fn glance(&mut self, glance: &crate::trail::Glance<'_>) -> bool {
            let enough = self.0.glance(glance);
            self.1 += u64::from(enough);
            enough
        }
        fn record(&mut self, record: &Record<'_>, _: &[u8]) {
            self.0.record(record);
        }
    }
    let mut sink = Counting(&mut fast, 0);
    let mut decoder = Decoder::new();
    let mut all = 0;
    for object in objects {
        let glanced = decoder.records_into(object.as_slice(), &mut sink);
        let whole = decoder.records(object.as_slice(), |record, _| slow.record(record));
        assert_eq!(format!("{glanced:?}"), format!("{whole:?}"));
        all += whole.records;
    }
    let glanced = sink.1;
    assert_eq!(shown(&fast.finish()), shown(&slow.finish()));
    (glanced, all)
}

/// Records of every kind that the two ways treat differently, each several times, some of them copies.
fn objects() -> Vec<Vec<u8>> {
    let mut all = Vec::new();
    for (round, change) in [
        ("", ""),
        (r#""type":"AssumedRole""#, r#""type":"IAMUser""#),
        (
            r#""type":"AssumedRole""#,
            r#""type":"AWSService","invokedBy":"lambda.amazonaws.com""#,
        ),
        (
            r#""type":"AssumedRole""#,
            r#""type":"AWSService","invokedBy":"ec2.amazonaws.com""#,
        ),
        (r#"role/r""#, r#"role/s""#),
        (r#""type":"Role""#, r#""type":"User""#),
        (r#"exec-env/AWS_Lambda_python3.13"#, "awslambda-worker"),
        (
            r#""eventName":"GetObject""#,
            r#""eventName":"PutBucketPolicy""#,
        ),
        (
            r#""eventName":"GetItem""#,
            r#""eventName":"PutResourcePolicy""#,
        ),
        (
            r#""eventSource":"sqs.amazonaws.com","eventName":"SendMessage""#,
            r#""eventSource":"lambda.amazonaws.com","eventName":"Invoke""#,
        ),
        (
            r#""eventSource":"sqs.amazonaws.com","eventName":"SendMessage""#,
            r#""eventSource":"cloudtrail.amazonaws.com","eventName":"StopLogging""#,
        ),
        (
            r#""eventSource":"sqs.amazonaws.com","eventName":"SendMessage""#,
            r#""eventSource":"sts.amazonaws.com","eventName":"AssumeRole""#,
        ),
        (r#""awsRegion":"eu-west-1""#, r#""awsRegion":"us-east-1""#),
        (
            r#""recipientAccountId":"111122223333""#,
            r#""sharedEventID":"x""#,
        ),
        (r#""eventID":"#, r#""x":"#),
    ]
    .into_iter()
    .enumerate()
    {
        for (n, json) in records().into_iter().enumerate() {
            let category = ["Management", "Data", "NetworkActivity"][n % 7 % 3];
            let json = json
                .replace(change.0, change.1)
                .replace("\"id-", &format!("\"{round}-"))
                .replace(
                    r#""eventType""#,
                    &format!(
                        r#""eventCategory":"{category}","managementEvent":{},"eventType""#,
                        n % 7 % 3 != 1
                    ),
                );
            let _: Record<'_> = serde_json::from_str(&json).unwrap();
            all.push(json);
        }
    }
    let file =
        |records: &[String]| format!(r#"{{"Records":[{}]}}"#, records.join(",")).into_bytes();
    let half = all.len() / 2;
    vec![file(&all[..half]), file(&all[half / 2..]), file(&all)]
}

#[test]
fn a_glance_gives_the_same_table() {
    let objects = objects();
    let none = BTreeSet::new();
    let every = Selection::default();
    let (glanced, all) = check(&objects, &every, &none);
    assert!(glanced * 4 > all && glanced < all, "{glanced} of {all}");
    let roles = ["r", "s"].map(|role| format!("arn:aws:iam::111122223333:role/{role}"));
    for passed_over in [[roles[0].clone()].into(), roles.clone().into()] {
        let (glanced, all) = check(&objects, &every, &passed_over);
        assert!(glanced * 4 > all && glanced < all, "{glanced} of {all}");
    }
    let selection = Selection {
        regions: ["eu-west-1".to_owned()].into(),
        from: crate::trail::time::epoch_seconds("2026-09-23T19:05:00Z"),
        ..Selection::default()
    };
    check(&objects, &selection, &none);
    check(&objects, &selection, &roles.into());
}

/// The samples, and the logs in the folder `ROLEFIT_REAL_LOGS`.
#[test]
fn real_records_give_the_same_table() {
    fn visit(path: &Path, objects: &mut Vec<Vec<u8>>) {
        match fs::read_dir(path) {
            Ok(entries) => {
                let mut paths: Vec<_> = entries.flatten().map(|entry| entry.path()).collect();
                paths.sort();
                paths.iter().for_each(|path| visit(path, objects));
            }
            Err(_) => objects.push(fs::read(path).unwrap()),
        }
    }
    let samples = Path::new(env!("CARGO_MANIFEST_DIR")).join("sample-logs/AWSLogs");
    let real = std::env::var_os("ROLEFIT_REAL_LOGS");
    for folder in [Some(samples.as_os_str()), real.as_deref()]
        .into_iter()
        .flatten()
    {
        let mut objects = Vec::new();
        visit(Path::new(folder), &mut objects);
        let mut roles = BTreeSet::new();
        for object in &objects {
            Decoder::new().records(object.as_slice(), |record, _| {
                if let crate::trail::Actor::Role(session) = crate::trail::actor(record) {
                    roles.insert(session.role_arn.into_owned());
                }
            });
        }
        let half = roles.iter().step_by(2).cloned().collect();
        for passed_over in [BTreeSet::new(), half, roles] {
            let (glanced, all) = check(&objects, &Selection::default(), &passed_over);
            println!("{}: {glanced} of {all}", folder.display());
            assert!(glanced > 20, "{glanced}");
        }
    }
}
