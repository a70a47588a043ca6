use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::*;
use crate::trail::Decoder;

const RECORD: &str = r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject"}"#;
const DAY: &str = "AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01";
const FILE: &str = "111122223333_CloudTrail_us-east-1_20260301T0005Z_AbCdEfGhIjKlMnOp.json";

/// A folder with these files.
fn folder(files: &[(&str, &str)]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    for (name, content) in files {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }
    folder
}

fn disk(arguments: &[&Path], excluded: &[PathBuf]) -> Result<Disk, SourceError> {
    let arguments: Vec<String> = arguments
        .iter()
        .map(|path| path.to_str().unwrap().to_owned())
        .collect();
    Disk::new(&arguments, excluded)
}

fn list(arguments: &[&Path]) -> Listing {
    disk(arguments, &[]).unwrap().list(&crate::event::Silent)
}

/// Names within the folder.
fn within<'n>(root: &Path, names: impl IntoIterator<Item = &'n String>) -> Vec<String> {
    let root = format!("{}/", root.to_str().unwrap());
    names
        .into_iter()
        .map(|name| name.strip_prefix(&root).unwrap_or(name).to_owned())
        .collect()
}

fn names(root: &Path, listing: &Listing) -> Vec<String> {
    within(root, listing.objects.iter().map(|object| &object.name))
}

#[test]
fn a_folder_is_searched_at_any_depth_and_listed_by_name() {
    let logs = folder(&[
        ("b/2.json", RECORD),
        ("a.json", RECORD),
        ("b/c/1.json", RECORD),
        (".git/x.json", RECORD),
        ("._a.json", ""),
    ]);
    let listing = list(&[logs.path()]);
    assert_eq!(
        names(logs.path(), &listing),
        ["a.json", "b/2.json", "b/c/1.json"]
    );
    assert_eq!(
        within(logs.path(), listing.skipped.iter().map(|(name, _)| name)),
        ["._a.json", ".git"]
    );
    assert_eq!(listing.objects[0].size, RECORD.len() as u64);
}

#[test]
fn digests_insights_and_other_services_are_passed_over_by_name_unless_named() {
    let digest = "AWSLogs/111122223333/CloudTrail-Digest/us-east-1/2026/03/01/d.json";
    let insight = "AWSLogs/111122223333/CloudTrail-Insight/us-east-1/2026/03/01/i.json";
    let config = "AWSLogs/111122223333/Config/us-east-1/2026/3/1/ConfigHistory/c.json";
    let file = format!("{DAY}/{FILE}");
    let logs = folder(&[
        (&file, RECORD),
        (digest, "{}"),
        (insight, "{}"),
        (config, "{}"),
    ]);
    let listing = list(&[logs.path()]);
    assert_eq!(names(logs.path(), &listing), [file.as_str()]);
    let skipped: Vec<_> = listing
        .skipped
        .iter()
        .map(|(_, reason)| reason.as_str())
        .collect();
    assert_eq!(
        skipped,
        [
            "digest of log files, not events",
            "CloudTrail Insights, not calls",
            "logs of another service, `Config`"
        ]
    );
    let named = list(&[&logs.path().join(digest)]);
    assert_eq!(names(logs.path(), &named), [digest]);
}

#[test]
fn what_two_arguments_or_links_lead_to_is_read_once() {
    let logs = folder(&[("a/1.json", RECORD), ("a/2.json", RECORD)]);
    let file = logs.path().join("a/2.json");
    std::os::unix::fs::symlink(logs.path().join("a/1.json"), logs.path().join("z.json")).unwrap();
    std::os::unix::fs::symlink(logs.path().join("a"), logs.path().join("b")).unwrap();
    std::os::unix::fs::symlink("..", logs.path().join("a/loop")).unwrap();
    let one = list(&[logs.path(), &file, &logs.path().join("a")]);
    assert_eq!(names(logs.path(), &one), ["a/1.json", "a/2.json"]);
    let other = list(&[&logs.path().join("a"), &file, logs.path()]);
    assert_eq!(one, other, "the order of the arguments does not show");
}

#[test]
fn a_link_that_leads_nowhere_is_a_failure() {
    let logs = folder(&[("a.json", RECORD)]);
    std::os::unix::fs::symlink("nowhere", logs.path().join("b.json")).unwrap();
    let listing = list(&[logs.path()]);
    assert_eq!(names(logs.path(), &listing), ["a.json"]);
    assert!(
        listing.failed[0].1.starts_with("a link that leads nowhere"),
        "{:?}",
        listing.failed
    );
}

#[test]
fn what_is_neither_file_nor_folder_is_skipped() {
    let logs = folder(&[("a.json", RECORD)]);
    let _socket = std::os::unix::net::UnixListener::bind(logs.path().join("s")).unwrap();
    let listing = list(&[logs.path()]);
    assert_eq!(names(logs.path(), &listing), ["a.json"]);
    assert_eq!(listing.skipped[0].1, "neither a file nor a folder");
}

#[test]
fn excluded_folders_are_left_out() {
    let logs = folder(&[
        ("a.json", RECORD),
        ("snapshot/x.json", "{}"),
        ("out/y.json", "{}"),
    ]);
    let listing = disk(
        &[logs.path()],
        &[logs.path().join("snapshot"), logs.path().join("none")],
    )
    .unwrap()
    .list(&crate::event::Silent);
    assert_eq!(names(logs.path(), &listing), ["a.json", "out/y.json"]);
    let listing = disk(&[logs.path()], &[logs.path().join("snapshot/../out")])
        .unwrap()
        .list(&crate::event::Silent);
    assert_eq!(names(logs.path(), &listing), ["a.json", "snapshot/x.json"]);
}

#[test]
fn globs_and_names_that_look_like_globs() {
    let logs = folder(&[
        ("1.json", RECORD),
        ("2.json", RECORD),
        ("[3].json", RECORD),
        ("sub/4.json", RECORD),
        (".5.json", RECORD),
    ]);
    let of = |pattern: &str| names(logs.path(), &list(&[&logs.path().join(pattern)]));
    assert_eq!(of("[12].json"), ["1.json", "2.json"]);
    assert_eq!(of("*.json"), ["1.json", "2.json", "[3].json"]);
    assert_eq!(of("[3].json"), ["[3].json"]);
    assert_eq!(
        of("**/*.json"),
        ["1.json", "2.json", "[3].json", "sub/4.json"]
    );
    assert_eq!(of("s*"), ["sub/4.json"]);
}

#[test]
fn arguments_that_lead_nowhere_say_so_with_a_hint() {
    let logs = folder(&[]);
    let error = |name: &str| disk(&[&logs.path().join(name)], &[]).unwrap_err();
    let missing = error("none");
    assert!(matches!(missing, SourceError::NoSuchPath(_)));
    assert_eq!(
        missing.to_string(),
        format!("no such file or folder: `{}/none`", logs.path().display())
    );
    assert!(missing.hint().contains("standard input"));
    assert!(matches!(error("*.gz"), SourceError::NoMatch(_)));
    assert!(matches!(error("[a"), SourceError::BadPattern { .. }));
    let s3 = Disk::new(&["s3://bucket/prefix".to_owned()], &[]).unwrap_err();
    assert_eq!(
        s3.to_string(),
        "cannot read `s3://bucket/prefix`: this build has no S3"
    );
    assert!(s3.hint().contains("aws s3 sync"));
    assert!(
        Disk::new(&["-".to_owned()], &[])
            .unwrap()
            .list(&crate::event::Silent)
            .objects[0]
            .name
            == "-"
    );
}

#[test]
fn a_selection_passes_objects_over_by_their_keys() {
    let old = DAY.replace("2026/03/01", "2020/01/01");
    let logs = folder(&[
        (&format!("{DAY}/x.json"), RECORD),
        (&format!("{old}/x.json"), RECORD),
        ("loose.json", RECORD),
    ]);
    let selection = Selection {
        from: crate::trail::time::epoch_seconds("2026-01-01T00:00:00Z"),
        ..Selection::default()
    };
    let listing = list(&[logs.path()]).select(&selection);
    assert_eq!(
        names(logs.path(), &listing),
        [format!("{DAY}/x.json"), "loose.json".to_owned()]
    );
    assert_eq!(listing.skipped[0].1, "delivered before the time asked for");
}

#[test]
fn every_object_ends_as_read_skipped_or_failed() {
    let file = format!("{DAY}/{FILE}");
    let cases = [
        ("a.json", RECORD, "read"),
        ("b.txt", "hello", "skipped: not JSON"),
        (
            "c.json",
            "hello",
            "failed: not what its name says: not JSON",
        ),
        (
            "d.json",
            r#"{"a":1}"#,
            "skipped: JSON, but not CloudTrail's",
        ),
        ("e.json", "", "failed: empty file"),
        ("f.json", "{", "failed: ends in the middle of a record"),
        (
            &file,
            r#"{"a":1}"#,
            "failed: not what its name says: JSON, but not CloudTrail's",
        ),
    ];
    let logs = folder(&cases.map(|(name, content, _)| (name, content)));
    let source = disk(&[logs.path()], &[]).unwrap();
    let listing = source.list(&crate::event::Silent);
    let found: BTreeSet<(String, String)> = listing
        .objects
        .iter()
        .map(|object| {
            let mut count = 0;
            let outcome = read_object(&source, object, &mut Decoder::new(), |_, _| count += 1);
            assert_eq!(outcome.records, count);
            assert_eq!(outcome.compressed, object.size);
            let status = match outcome.status {
                Status::Read => "read".to_owned(),
                Status::Skipped(skip) => format!("skipped: {skip}"),
                Status::Failed(failure) => format!("failed: {failure}"),
            };
            (within(logs.path(), [&object.name]).remove(0), status)
        })
        .collect();
    let expected = cases.map(|(name, _, status)| (name.to_owned(), status.to_owned()));
    assert_eq!(found, BTreeSet::from(expected));
}

#[test]
fn an_object_that_vanished_is_failed() {
    let logs = folder(&[("a.json", RECORD)]);
    let source = disk(&[logs.path()], &[]).unwrap();
    let listing = source.list(&crate::event::Silent);
    fs::remove_file(logs.path().join("a.json")).unwrap();
    let outcome = read_object(&source, &listing.objects[0], &mut Decoder::new(), |_, _| ());
    assert!(matches!(outcome.status, Status::Failed(Failure::Open(_))));
}
