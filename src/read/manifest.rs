//! `--manifest`: a list of log objects in place of a listing.
//!
//! Understood: a plain list (one `s3://bucket/key` or path a line), CSV with a bucket, a key and maybe a
//! size a line, as S3 Inventory writes them (keys URL-encoded), and the `manifest.json` of an S3
//! Inventory in CSV, which names such files; each plain or gzipped. What a line means is decided by its
//! form, and a line that means nothing is an error: a list that is read by half would look like silence.

use std::io::{self, Read};

use percent_encoding::percent_decode_str;
use serde_json::Value;
use thiserror::Error;

use super::joined::S3_SCHEME;
use super::{Listing, ObjectRef, Source};
use crate::event::{Event, Observer};
use crate::trail::inflate::Inflate;
use crate::trail::key::LogKey;

/// Why a manifest cannot be used.
#[derive(Debug, Error)]
pub enum ManifestError {
    /// It cannot be opened or read to its end.
    #[error("cannot read manifest `{name}`: {message}")]
    Unreadable {
        /// The file or object.
        name: String,
        /// Why.
        message: String,
    },
    /// A line is no object.
    #[error("manifest `{name}`, line {line}: {message}")]
    Line {
        /// The file or object.
        name: String,
        /// Counted from 1.
        line: usize,
        /// What is wrong with it.
        message: String,
    },
    /// A `manifest.json` of another form.
    #[error("manifest `{name}` {message}")]
    Inventory {
        /// The file or object.
        name: String,
        /// What is wrong with it.
        message: String,
    },
}

/// The objects of manifests, opened from where their names lead.
pub struct Listed<S> {
    objects: Vec<ObjectRef>,
    source: S,
}

impl<S: Source> Listed<S> {
    /// Reads manifests, each a path or an `s3://` URL that `source` opens. Objects that stand in them several
    /// times are one.
    ///
    /// # Errors
    /// [`ManifestError`] for the first manifest, or line of one, that cannot be used.
    pub fn new(manifests: &[String], source: S) -> Result<Self, ManifestError> {
        let mut objects = Vec::new();
        for name in manifests {
            read(name, &source, &mut objects)?;
        }
        objects.sort_by(|a, b| a.name.cmp(&b.name).then(b.size.cmp(&a.size)));
        objects.dedup_by(|a, b| a.name == b.name);
        Ok(Self { objects, source })
    }
}

impl<S: Source> Source for Listed<S> {
    fn list(&self, observer: &dyn Observer) -> Listing {
        let mut listing = Listing {
            objects: self.objects.clone(),
            ..Listing::default()
        };
        observer.event(Event::Found {
            objects: listing.objects.len() as u64,
            bytes: listing.objects.iter().map(|object| object.size).sum(),
        });
        listing.settle(&|_| false);
        listing
    }

    fn expect(&self, objects: &[ObjectRef]) {
        self.source.expect(objects);
    }

    fn open(&self, object: &ObjectRef) -> io::Result<Box<dyn Read + Send + '_>> {
        self.source.open(object)
    }
}

fn object(name: String, size: u64) -> ObjectRef {
    ObjectRef {
        key: LogKey::parse(&name),
        name,
        size,
    }
}

fn read(
    name: &str,
    source: &dyn Source,
    objects: &mut Vec<ObjectRef>,
) -> Result<(), ManifestError> {
    let text = text(name, source)?;
    if text.trim_start().starts_with('{') {
        return inventory(name, &text, source, objects);
    }
    lines(name, &text, None, objects)
}

/// The whole text, inflated.
fn text(name: &str, source: &dyn Source) -> Result<String, ManifestError> {
    let unreadable = |message: String| ManifestError::Unreadable {
        name: name.to_owned(),
        message,
    };
    let reader = source
        .open(&object(name.to_owned(), 0))
        .map_err(|error| unreadable(error.to_string()))?;
    let mut inflate = Inflate::new(reader);
    let mut bytes = Vec::new();
    let mut piece = vec![0; 64 * 1024];
    loop {
        match inflate.read(&mut piece) {
            Ok(0) => break,
            Ok(count) => bytes.extend_from_slice(piece.get(..count).unwrap_or_default()),
            Err(error) => return Err(unreadable(error.to_string())),
        }
    }
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    String::from_utf8(bytes.to_vec()).map_err(|_| unreadable("it is not UTF-8".to_owned()))
}

/// A `manifest.json` of S3 Inventory. Its files are sought in the destination bucket where the manifest is in
/// S3, else beside the manifest: as the whole key below any folder above it, or by its last part.
fn inventory(
    name: &str,
    text: &str,
    source: &dyn Source,
    objects: &mut Vec<ObjectRef>,
) -> Result<(), ManifestError> {
    let wrong = |message: &str| ManifestError::Inventory {
        name: name.to_owned(),
        message: message.to_owned(),
    };
    let value: Value = serde_json::from_str(text)
        .map_err(|error| wrong(&format!("is not valid JSON: {error}")))?;
    let field = |key: &str| value.get(key).and_then(Value::as_str);
    if field("fileFormat") != Some("CSV") {
        return Err(wrong(
            "is no S3 Inventory in CSV: inventories in ORC and Parquet are not read",
        ));
    }
    let schema: Vec<String> = field("fileSchema")
        .ok_or_else(|| wrong("has no `fileSchema`"))?
        .split(',')
        .map(|column| column.trim().to_owned())
        .collect();
    let columns = Columns::of(&schema).ok_or_else(|| wrong("lists no buckets and keys"))?;
    let destination = field("destinationBucket")
        .and_then(|arn| arn.rsplit(':').next())
        .ok_or_else(|| wrong("has no `destinationBucket`"))?;
    let files = value
        .get("files")
        .and_then(Value::as_array)
        .ok_or_else(|| wrong("has no `files`"))?;
    for file in files {
        let key = file
            .get("key")
            .and_then(Value::as_str)
            .ok_or_else(|| wrong("has a file without a key"))?;
        let (found, text) = if name.starts_with(S3_SCHEME) {
            let url = format!("{S3_SCHEME}{destination}/{key}");
            let text = self::text(&url, source)?;
            (url, text)
        } else {
            beside(name, key, source)?
        };
        lines(&found, &text, Some(&columns), objects)?;
    }
    Ok(())
}

/// A file of an inventory that was copied to disk.
fn beside(
    manifest: &str,
    key: &str,
    source: &dyn Source,
) -> Result<(String, String), ManifestError> {
    let last = key.rsplit('/').next().unwrap_or(key);
    let mut first = None;
    for folder in std::path::Path::new(manifest).ancestors().skip(1) {
        for part in [key, &format!("data/{last}"), last] {
            let name = folder.join(part).to_string_lossy().into_owned();
            match text(&name, source) {
                Ok(text) => return Ok((name, text)),
                Err(error) => {
                    first.get_or_insert(error);
                }
            }
        }
    }
    Err(first.unwrap_or_else(|| ManifestError::Unreadable {
        name: manifest.to_owned(),
        message: format!("its file `{key}` is not beside it"),
    }))
}

/// Where things stand in a line of CSV.
struct Columns {
    bucket: usize,
    key: usize,
    size: Option<usize>,
    /// Older versions and markers of deletion are not listed by S3 either.
    latest: Option<usize>,
    deleted: Option<usize>,
}

impl Columns {
    fn of(schema: &[String]) -> Option<Self> {
        let at = |name: &str| schema.iter().position(|column| column == name);
        Some(Self {
            bucket: at("Bucket")?,
            key: at("Key")?,
            size: at("Size"),
            latest: at("IsLatest"),
            deleted: at("IsDeleteMarker"),
        })
    }
}

fn lines(
    name: &str,
    text: &str,
    columns: Option<&Columns>,
    objects: &mut Vec<ObjectRef>,
) -> Result<(), ManifestError> {
    let plain = Columns {
        bucket: 0,
        key: 1,
        size: Some(2),
        latest: None,
        deleted: None,
    };
    for (at, line) in text.lines().enumerate() {
        let wrong = |message: &str| ManifestError::Line {
            name: name.to_owned(),
            line: at + 1,
            message: message.to_owned(),
        };
        if line.trim().is_empty() {
            continue;
        }
        if columns.is_none() && !line.starts_with('"') {
            if let Some(rest) = line.strip_prefix(S3_SCHEME)
                && !rest
                    .split_once('/')
                    .is_some_and(|(bucket, key)| !bucket.is_empty() && !key.is_empty())
            {
                return Err(wrong("an object is `s3://bucket/key`"));
            }
            objects.push(object(line.to_owned(), 0));
            continue;
        }
        let columns = columns.unwrap_or(&plain);
        let fields = fields(line).ok_or_else(|| wrong("not a line of CSV"))?;
        let field = |at: usize| fields.get(at).map(String::as_str);
        let is = |at: Option<usize>, what: &str| at.and_then(field) == Some(what);
        if is(columns.latest, "false") || is(columns.deleted, "true") {
            continue;
        }
        let (Some(bucket), Some(key)) = (field(columns.bucket), field(columns.key)) else {
            return Err(wrong("lacks a bucket or a key"));
        };
        // Inventories write keys URL-encoded, spaces as `+` or `%20`.
        let key = key.replace('+', " ");
        let key = percent_decode_str(&key)
            .decode_utf8()
            .map_err(|_| wrong("its key is not UTF-8"))?;
        if bucket.is_empty() || key.is_empty() {
            return Err(wrong("lacks a bucket or a key"));
        }
        if key.ends_with('/') {
            continue;
        }
        let size = columns
            .size
            .and_then(field)
            .and_then(|size| size.parse().ok());
        objects.push(object(
            format!("{S3_SCHEME}{bucket}/{key}"),
            size.unwrap_or_default(),
        ));
    }
    Ok(())
}

/// The fields of a line of CSV: quoted, with quotes doubled, or bare.
fn fields(line: &str) -> Option<Vec<String>> {
    let mut out = Vec::new();
    let mut rest = line;
    loop {
        if let Some(quoted) = rest.strip_prefix('"') {
            let mut field = String::new();
            let mut at = quoted;
            loop {
                let (text, after) = at.split_once('"')?;
                field.push_str(text);
                match after.strip_prefix('"') {
                    Some(more) => {
                        field.push('"');
                        at = more;
                    }
                    None => {
                        rest = after;
                        break;
                    }
                }
            }
            out.push(field);
        } else {
            let end = rest.find(',').unwrap_or(rest.len());
            let (field, after) = rest.split_at(end);
            out.push(field.to_owned());
            rest = after;
        }
        if rest.is_empty() {
            return Some(out);
        }
        rest = rest.strip_prefix(',')?;
    }
}

#[cfg(test)]
mod tests;
