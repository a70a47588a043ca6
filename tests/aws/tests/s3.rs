//! S3 over HTTP, in this process: what is asked, what goes wrong, and that the result is that of the disk.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use aws_config::retry::RetryConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use aws_sdk_s3::config::{Credentials, SharedCredentialsProvider};
use rolefit::aws::{S3, S3Options, Session};
use rolefit::catalog::Catalog;
use rolefit::event::Silent;
use rolefit::grants::Snapshot;
use rolefit::pipeline::{FitOptions, Objects, Scan, fit, scan};
use rolefit::read::{Disk, Selection, Source};
use rolefit::usage::Records;
use rolefit_aws_tests::{Asked, FakeS3, Fault, KEY_ID, SECRET};

const BUCKET: &str = "trail-bucket";

fn session(url: &str) -> Session {
    let credentials = Credentials::new(KEY_ID, SECRET, None, None, "test");
    let config = SdkConfig::builder()
        .behavior_version(BehaviorVersion::latest())
        .region(Region::new("us-east-1"))
        .endpoint_url(url)
        .retry_config(
            RetryConfig::standard()
                .with_max_attempts(8)
                .with_initial_backoff(Duration::from_millis(3)),
        )
        .credentials_provider(SharedCredentialsProvider::new(credentials))
        .build();
    Session::with_config(config).unwrap()
}

fn source(s3: &FakeS3, urls: &[&str], selection: &Selection) -> S3 {
    let options = S3Options {
        digests: false,
        selection: selection.clone(),
        concurrency: 8,
        request_payer: false,
        stall: Duration::from_millis(400),
        pause: Duration::from_millis(3),
    };
    let urls: Vec<String> = urls.iter().map(|url| (*url).to_owned()).collect();
    S3::new(session(&s3.url), &urls, options).unwrap()
}

fn run(source: &dyn Source, selection: &Selection) -> Scan {
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build()
        .unwrap();
    scan(source, selection, Catalog::builtin(), &pool, &Silent)
}

/// The report of a run, in bytes; names of objects without the place they were read from.
fn outcome(scan: Scan, place: &str) -> String {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sample-logs/snapshot");
    let catalog = Catalog::builtin();
    let snapshot = Snapshot::load(Some(&folder), &[], catalog).unwrap();
    let options = FitOptions {
        all_roles: true,
        ..FitOptions::default()
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build()
        .unwrap();
    let report = fit(scan, &snapshot, &options, catalog, &pool);
    serde_json::to_string_pretty(&report)
        .unwrap()
        .replace(place, "")
}

/// A folder of buckets with the trail of the samples in one.
fn samples() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    copy(
        &PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../sample-logs/AWSLogs"),
        &root.path().join(BUCKET).join("AWSLogs"),
    );
    root
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap() {
        let path = entry.unwrap().path();
        let target = to.join(path.file_name().unwrap());
        if path.is_dir() {
            copy(&path, &target);
        } else {
            fs::copy(&path, &target).unwrap();
        }
    }
}

/// Reads the bucket from disk and from S3 with these faults; both must give the same.
fn same_as_disk(
    root: &Path,
    rule: impl Fn(&Asked) -> Option<Fault> + Send + Sync + 'static,
) -> (Objects, Records, Vec<Asked>) {
    let all = Selection::default();
    let place = root.join(BUCKET).join("AWSLogs").display().to_string();
    let disk = run(&Disk::new(std::slice::from_ref(&place), &[]).unwrap(), &all);
    let s3 = FakeS3::start(root, rule);
    let url = format!("s3://{BUCKET}/AWSLogs/");
    let read = run(&source(&s3, &[&url], &all), &all);
    // Folders of other logs are passed over whole.
    let mut on_disk = disk;
    assert!(on_disk.objects.read > 0);
    on_disk.objects.skipped = read.objects.skipped.clone();
    on_disk.objects.listed = read.objects.listed;
    let objects = read.objects.clone();
    let records = read.usage.records;
    pretty_equal(
        &outcome(on_disk, &place),
        &outcome(read, url.trim_end_matches('/')),
    );
    (objects, records, s3.log())
}

fn pretty_equal(left: &str, right: &str) {
    for (at, (a, b)) in left.lines().zip(right.lines()).enumerate() {
        assert_eq!(a, b, "line {at}");
    }
    assert_eq!(left.len(), right.len());
}

fn gets(log: &[Asked]) -> Vec<&Asked> {
    log.iter()
        .filter(|asked| asked.method == "GET" && !asked.lists())
        .collect()
}

#[test]
fn the_samples_read_from_s3_are_the_samples_read_from_disk() {
    let root = samples();
    let (objects, _, log) = same_as_disk(root.path(), |_| None);
    let gets = gets(&log);
    assert_eq!(
        gets.len() as u64,
        objects.read + objects.failed.len() as u64,
        "each object once"
    );
    let paths: BTreeSet<&str> = gets.iter().map(|asked| asked.path.as_str()).collect();
    assert_eq!(paths.len(), gets.len());
    assert!(
        !log.iter()
            .any(|asked| asked.prefix().is_some_and(|p| p.contains("Digest")))
    );
}

#[test]
fn busy_servers_broken_connections_short_and_stalled_bodies_change_nothing() {
    let root = samples();
    let (objects, _, log) = same_as_disk(root.path(), |asked| {
        if asked.lists() {
            return (asked.before == 0).then_some(Fault::Answer(503, "SlowDown"));
        }
        match (asked.path.len() % 7, asked.before) {
            (_, before) if before > 3 => None,
            (0, 0 | 1) => Some(Fault::Answer(503, "SlowDown")),
            (1, 0) => Some(Fault::CutAfter(100)),
            (1, 1) => Some(Fault::CutAfter(7)),
            (2, 0) => Some(Fault::CutAfter(0)),
            (3, 0) => Some(Fault::Answer(500, "InternalError")),
            (4, 0) => Some(Fault::CutAfter(1_000_000)),
            _ => None,
        }
    });
    // One object of the samples is cut, on disk too.
    assert_eq!(objects.failed.len(), 1, "{:?}", objects.failed);
    let resumed = gets(&log)
        .iter()
        .filter(|asked| asked.range.is_some())
        .count();
    assert!(resumed > 0, "some were resumed");
}

#[test]
fn a_stalled_body_is_given_up_and_resumed() {
    let root = tempfile::tempdir().unwrap();
    one_day(root.path(), 3);
    let (_, _, log) = same_as_disk(root.path(), |asked| {
        (!asked.lists() && asked.before == 0).then_some(Fault::StallAfter(60))
    });
    let ranges: Vec<_> = gets(&log)
        .iter()
        .filter_map(|asked| asked.range.clone())
        .collect();
    assert_eq!(ranges, vec!["bytes=60-"; 3]);
}

/// `count` objects of one record each on one day.
fn one_day(root: &Path, count: usize) {
    let day = root
        .join(BUCKET)
        .join("AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/05");
    fs::create_dir_all(&day).unwrap();
    for at in 0..count {
        let name = format!(
            "111122223333_CloudTrail_us-east-1_20261105T{:02}{:02}Z_{at:016}.json.gz",
            at / 60 % 24,
            at % 60
        );
        write_object(&day.join(name), at);
    }
}

fn record(at: usize) -> String {
    format!(
        r#"{{"Records":[{{"eventVersion":"1.11","eventTime":"2026-11-05T10:00:00Z","eventID":"{at:032x}",
        "eventSource":"s3.amazonaws.com","eventName":"GetObject","awsRegion":"us-east-1","eventCategory":"Data",
        "recipientAccountId":"111122223333","sourceIPAddress":"203.0.113.7","userAgent":"aws-sdk exec-env/AWS_Lambda_python3.12",
        "userIdentity":{{"type":"AssumedRole","accountId":"111122223333","sessionContext":{{"sessionIssuer":{{"type":"Role",
        "arn":"arn:aws:iam::111122223333:role/worker"}}}}}},"requestParameters":{{"bucketName":"in","key":"k-{at}"}},
        "resources":[{{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::in/k-{at}"}}]}}]}}"#
    )
}

fn write_object(path: &Path, at: usize) {
    use std::io::Write;
    let mut gz =
        flate2::write::GzEncoder::new(fs::File::create(path).unwrap(), flate2::Compression::fast());
    gz.write_all(record(at).as_bytes()).unwrap();
    gz.finish().unwrap();
}

#[test]
fn five_thousand_small_objects_are_listed_in_pages_and_each_is_counted_once() {
    let root = tempfile::tempdir().unwrap();
    one_day(root.path(), 5_000);
    let (objects, records, log) = same_as_disk(root.path(), |_| None);
    assert_eq!(objects.read, 5_000);
    assert_eq!(records.read, 5_000);
    assert_eq!(gets(&log).len(), 5_000);
    let lists = log.iter().filter(|asked| asked.lists());
    let pages = lists
        .filter(|asked| asked.query.contains("continuation-token"))
        .count();
    assert_eq!(pages, 4, "the day alone takes five pages");
}

fn at(text: &str) -> Option<i64> {
    rolefit::trail::time::epoch_seconds(text)
}

/// Two accounts of an organisation, two Regions, five months of 2026, two days a month, one object a day.
fn organisation(root: &Path) {
    for account in ["111122223333", "444455556666"] {
        for region in ["us-east-1", "eu-west-1"] {
            for month in ["07", "08", "09", "10", "11"] {
                for day in ["03", "17"] {
                    let folder = root.join(BUCKET).join(format!(
                        "backup/AWSLogs/o-abc123/{account}/CloudTrail/{region}/2026/{month}/{day}"
                    ));
                    fs::create_dir_all(&folder).unwrap();
                    let name =
                        format!("{account}_CloudTrail_{region}_2026{month}{day}T1200Z_A.json.gz");
                    write_object(&folder.join(name), 0);
                }
            }
            let other =
                format!("backup/AWSLogs/o-abc123/{account}/CloudTrail-Digest/{region}/2026/11/03");
            fs::create_dir_all(root.join(BUCKET).join(&other)).unwrap();
            fs::write(root.join(BUCKET).join(other).join("digest.json.gz"), "x").unwrap();
        }
    }
}

#[test]
fn what_is_not_wanted_is_not_listed() {
    let root = tempfile::tempdir().unwrap();
    organisation(root.path());
    let wanted = Selection {
        accounts: ["111122223333".to_owned()].into(),
        regions: ["us-east-1".to_owned()].into(),
        from: at("2026-10-10T00:00:00Z"),
        to: at("2026-11-05T00:00:00Z"),
    };
    for argument in [
        "s3://trail-bucket",
        "s3://trail-bucket/backup",
        "s3://trail-bucket/backup/AWSLogs/o-abc123/",
    ] {
        let s3 = FakeS3::start(root.path(), |_| None);
        let listing = source(&s3, &[argument], &wanted).list(&Silent);
        assert_eq!(listing.failed, Vec::new());
        let names: Vec<&str> = listing.objects.iter().map(|o| o.name.as_str()).collect();
        let trail =
            "s3://trail-bucket/backup/AWSLogs/o-abc123/111122223333/CloudTrail/us-east-1/2026";
        assert_eq!(
            names,
            [
                format!("{trail}/10/17/111122223333_CloudTrail_us-east-1_20261017T1200Z_A.json.gz"),
                format!("{trail}/11/03/111122223333_CloudTrail_us-east-1_20261103T1200Z_A.json.gz"),
            ]
        );
        let asked: Vec<String> = s3.log().iter().filter_map(Asked::prefix).collect();
        for never in [
            "444455556666",
            "eu-west-1",
            "/07",
            "/08",
            "/09",
            "10/03",
            "11/17",
            "Digest",
        ] {
            assert!(
                !asked.iter().any(|prefix| prefix.contains(never)),
                "{never}: {asked:?}"
            );
        }
        // From the organisation down: it, the account, CloudTrail, the Region, the year, two months, two days.
        let from_organisation = asked.iter().filter(|p| p.contains("o-abc123/")).count();
        assert_eq!(from_organisation, 9, "{asked:?}");
        assert_eq!(s3.log().len(), asked.len(), "nothing else was asked");
    }
}

#[test]
fn whole_months_take_one_request_each_and_everything_is_found_without_a_selection() {
    let root = tempfile::tempdir().unwrap();
    organisation(root.path());
    let s3 = FakeS3::start(root.path(), |_| None);
    let listing = source(&s3, &["s3://trail-bucket/backup/"], &Selection::default()).list(&Silent);
    assert_eq!(listing.objects.len(), 40);
    assert_eq!(listing.skipped.len(), 2, "{:?}", listing.skipped);
    // backup, AWSLogs, the organisation, two accounts, two folders, four Regions, four years, twenty months.
    assert_eq!(s3.log().len(), 1 + 1 + 1 + 2 + 2 + 4 + 4 + 20);
}

#[test]
fn several_arguments_meet_in_one_listing_and_each_object_is_there_once() {
    let root = tempfile::tempdir().unwrap();
    organisation(root.path());
    one_day(&root.path().join("second"), 2);
    fs::rename(
        root.path().join("second").join(BUCKET),
        root.path().join("other-bucket"),
    )
    .unwrap();
    let object = "s3://other-bucket/AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/05/111122223333_CloudTrail_us-east-1_20261105T0000Z_0000000000000000.json.gz";
    let s3 = FakeS3::start(root.path(), |_| None);
    let urls = [
        "s3://trail-bucket/backup/AWSLogs/o-abc123/111122223333",
        "s3://trail-bucket/backup/AWSLogs/",
        object,
        "s3://other-bucket",
        "s3://trail-bucket/nothing/here/",
    ];
    let listing = source(&s3, &urls, &Selection::default()).list(&Silent);
    assert_eq!(listing.objects.len(), 42);
    assert_eq!(listing.failed, Vec::new());
}

#[test]
fn odd_keys_are_found_and_opened_by_their_names() {
    let root = tempfile::tempdir().unwrap();
    let folder = root.path().join(BUCKET).join("odd logs+x/é%20&<'\">");
    fs::create_dir_all(&folder).unwrap();
    for (at, name) in [
        "a b.json.gz",
        "a+b.json.gz",
        "a%2Bb.json.gz",
        "é🦀.json.gz",
        "a=b;c.json.gz",
        ".hidden.json.gz",
    ]
    .iter()
    .enumerate()
    {
        write_object(&folder.join(name), at);
    }
    let s3 = FakeS3::start(root.path(), |_| None);
    let all = Selection::default();
    let read = run(&source(&s3, &["s3://trail-bucket/"], &all), &all);
    assert_eq!(read.objects.failed, Vec::new());
    assert_eq!(
        (
            read.objects.listed,
            read.objects.read,
            read.objects.skipped_total()
        ),
        (6, 5, 1)
    );
    assert_eq!(read.usage.records.read, 5);
}

#[test]
fn an_empty_prefix_holds_nothing_and_a_missing_bucket_or_permission_is_told() {
    let root = samples();
    let s3 = FakeS3::start(root.path(), |asked| {
        asked
            .path
            .starts_with("/secret")
            .then_some(Fault::Answer(403, "AccessDenied"))
    });
    let all = Selection::default();
    let listing = |url: &str| source(&s3, &[url], &all).list(&Silent);
    let empty = listing("s3://trail-bucket/no/such/folder/");
    assert_eq!((empty.objects.len(), empty.failed.len()), (0, 0));
    let missing = listing("s3://no-such-bucket/");
    assert_eq!(missing.objects.len(), 0);
    assert!(
        missing.failed[0].1.contains("NoSuchBucket"),
        "{:?}",
        missing.failed
    );
    let refused = listing("s3://secret-bucket/AWSLogs/");
    let why = &refused.failed[0].1;
    assert!(
        why.contains("s3:ListBucket on arn:aws:s3:::secret-bucket is missing"),
        "{why}"
    );
}

#[test]
fn objects_that_cannot_be_had_are_failures_in_the_accounts_and_the_others_are_read() {
    let root = tempfile::tempdir().unwrap();
    one_day(root.path(), 40);
    let s3 = FakeS3::start(root.path(), |asked| {
        if asked.lists() {
            return None;
        }
        let number: usize = asked
            .path
            .split('_')
            .next_back()?
            .split('.')
            .next()?
            .parse()
            .ok()?;
        match number {
            3 => Some(Fault::Answer(403, "AccessDenied")),
            5 => Some(Fault::Answer(404, "NoSuchKey")),
            7 => Some(Fault::Answer(403, "InvalidObjectState")),
            9 => Some(Fault::Damage),
            11 => Some(Fault::CutAfter(10))
                .filter(|_| asked.range.is_none())
                .or(Some(Fault::Answer(412, "PreconditionFailed"))),
            _ => None,
        }
    });
    let all = Selection::default();
    let read = run(&source(&s3, &["s3://trail-bucket"], &all), &all);
    let objects = &read.objects;
    assert_eq!(objects.listed, 40);
    assert_eq!(
        objects.listed,
        objects.read + objects.skipped_total() + objects.failed.len() as u64
    );
    assert_eq!(objects.read, 35, "{:?}", objects.failed);
    assert_eq!(
        read.usage.records.read, 35,
        "nothing is counted twice, nothing of a failed object"
    );
    for (number, words) in [
        (
            3,
            "s3:GetObject on arn:aws:s3:::trail-bucket/AWSLogs/111122223333/",
        ),
        (5, "no longer there"),
        (7, "archived"),
        (11, "changed while it was read"),
    ] {
        let name = format!("{number:016}");
        let (_, why) = objects
            .failed
            .iter()
            .find(|(object, _)| object.contains(&name))
            .unwrap();
        assert!(why.contains(words), "{number}: {why}");
    }
}

#[test]
fn an_object_that_never_comes_is_given_up() {
    let root = tempfile::tempdir().unwrap();
    one_day(root.path(), 2);
    let s3 = FakeS3::start(root.path(), |asked| {
        (!asked.lists() && asked.path.ends_with("1.json.gz"))
            .then_some(Fault::Answer(500, "InternalError"))
    });
    let all = Selection::default();
    let read = run(&source(&s3, &["s3://trail-bucket"], &all), &all);
    assert_eq!((read.objects.read, read.objects.failed.len()), (1, 1));
    assert!(
        read.objects.failed[0].1.contains("tried 8 times"),
        "{:?}",
        read.objects.failed
    );
}
