use std::fs;
use std::io::Write;
use std::path::Path;

use super::*;
use crate::event::Silent;
use crate::read::Disk;

fn listed(manifest: &Path) -> Result<Listed<Disk>, ManifestError> {
    let disk = Disk::new(&[], &[]).unwrap();
    Listed::new(&[manifest.display().to_string()], disk)
}

/// Writes a manifest and reads it.
fn check(text: &str) -> Result<Vec<(String, u64)>, String> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("manifest.txt");
    fs::write(&path, text).unwrap();
    let listed = listed(&path).map_err(|error| error.to_string())?;
    let objects = listed.list(&Silent).objects.into_iter();
    Ok(objects.map(|object| (object.name, object.size)).collect())
}

fn names(names: &[&str]) -> Result<Vec<(String, u64)>, String> {
    Ok(names.iter().map(|name| ((*name).to_owned(), 0)).collect())
}

#[test]
fn a_plain_list_is_taken_as_it_is_sorted_and_each_object_once() {
    assert_eq!(
        check("s3://b/2.json.gz\r\n\n s3/with space\ns3://b/1+%20.json.gz\ns3://b/2.json.gz\n"),
        names(&[" s3/with space", "s3://b/1+%20.json.gz", "s3://b/2.json.gz"])
    );
    assert_eq!(check(""), Ok(Vec::new()));
}

#[test]
fn csv_keys_are_decoded_and_sizes_kept() {
    assert_eq!(
        check(
            "\"b\",\"AWSLogs/a+b%2Bc%20%C3%A9.json.gz\",\"17\"\n\"b\",\"folder/\",\"0\"\n\"b\",\"q\"\"q\"\n"
        ),
        Ok(vec![
            ("s3://b/AWSLogs/a b+c é.json.gz".to_owned(), 17),
            ("s3://b/q\"q".to_owned(), 0)
        ])
    );
}

#[test]
fn a_line_that_means_nothing_is_an_error_with_its_number() {
    for (text, message) in [
        (
            "a.json\ns3://bucket-only\n",
            "line 2: an object is `s3://bucket/key`",
        ),
        ("\"b\"\n", "line 1: lacks a bucket or a key"),
        ("\"b\",\"k\n", "line 1: not a line of CSV"),
        ("\"b\",\"%FF\"\n", "line 1: its key is not UTF-8"),
        ("{\"fileFormat\": \"Parquet\"}", "is no S3 Inventory in CSV"),
        ("{\"fileFormat\": \"CSV\"", "is not valid JSON"),
    ] {
        let error = check(text).unwrap_err();
        assert!(error.contains(message), "{text}: {error}");
    }
    assert!(listed(Path::new("no-such-manifest")).is_err());
}

/// The layout of S3 Inventory, copied to disk: `SOURCE/CONFIG/TIME/manifest.json` and `SOURCE/CONFIG/data/`.
#[test]
fn an_inventory_names_its_gzipped_files() {
    let folder = tempfile::tempdir().unwrap();
    let config = folder.path().join("logs/daily");
    fs::create_dir_all(config.join("2026-11-01T01-00Z")).unwrap();
    fs::create_dir_all(config.join("data")).unwrap();
    let mut gz = flate2::write::GzEncoder::new(
        fs::File::create(config.join("data/1.csv.gz")).unwrap(),
        flate2::Compression::default(),
    );
    gz.write_all(
        b"\"logs\",\"AWSLogs/1.json.gz\",\"\",\"true\",\"false\",\"5\"\n\"logs\",\"AWSLogs/old.json.gz\",\"v1\",\"false\",\"false\",\"5\"\n\"logs\",\"AWSLogs/gone.json.gz\",\"v2\",\"true\",\"true\",\"\"\n",
    )
    .unwrap();
    gz.finish().unwrap();
    let manifest = config.join("2026-11-01T01-00Z/manifest.json");
    fs::write(
        &manifest,
        r#"{"sourceBucket": "logs", "destinationBucket": "arn:aws:s3:::inventories", "version": "2016-11-30",
            "fileFormat": "CSV", "fileSchema": "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size",
            "files": [{"key": "logs/daily/data/1.csv.gz", "size": 1, "MD5checksum": "x"}]}"#,
    )
    .unwrap();
    let objects = listed(&manifest).unwrap().list(&Silent).objects;
    assert_eq!(objects.len(), 1);
    assert_eq!(
        (objects[0].name.as_str(), objects[0].size),
        ("s3://logs/AWSLogs/1.json.gz", 5)
    );
    fs::remove_dir_all(config.join("data")).unwrap();
    assert!(listed(&manifest).is_err());
}
