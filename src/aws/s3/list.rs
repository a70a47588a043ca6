//! What a bucket holds of a trail: folders are gone down one level at a time, and what the selection does not
//! want is left out there, unlisted.
//!
//! A trail's objects are at `[…/]AWSLogs/[o-…/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/`. Down to the months
//! one request a folder is enough; a month is listed whole, a thousand objects a request, except where the
//! selection wants a part of it, or where a single day fills the first thousand: then its days are listed
//! side by side. Above `AWSLogs` folders are gone down a few levels, below which everything is listed.

use aws_sdk_s3::Client;
use aws_sdk_s3::operation::list_objects_v2::ListObjectsV2Output;
use aws_sdk_s3::types::{EncodingType, RequestPayer};
use jiff::civil::Date;
use percent_encoding::percent_decode_str;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use std::collections::BTreeMap;
use std::sync::Arc;

use super::url::Url;
use super::{S3, name};
use crate::aws::AwsError;
use crate::event::{Event, Observer};
use crate::read::{Listing, ObjectRef, Selection};
use crate::trail::key::{LogKey, LogKind};

/// Requests for listings under way at once.
const AT_ONCE: usize = 32;
/// Folders above `AWSLogs` that are gone down level by level.
const LEVELS_ABOVE: usize = 4;

/// A listing to make, of a folder or all that begins alike.
#[derive(Clone, Debug)]
struct Task {
    bucket: String,
    prefix: String,
    /// The argument that led here.
    root: String,
    how: How,
    /// Where the page before ended.
    token: Option<String>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum How {
    /// This object, or the folder of this name: the argument did not tell.
    Either,
    /// One level: objects here, folders for further tasks.
    Level,
    /// A month: everything below, unless it is crowded.
    Month,
    /// Everything below.
    All,
}

#[derive(Default)]
struct Found {
    objects: Vec<ObjectRef>,
    skipped: Vec<(String, String)>,
    failed: Vec<(String, String)>,
    more: Vec<Task>,
}

struct Lister {
    clients: BTreeMap<String, Client>,
    selection: Selection,
    digests: bool,
    payer: bool,
    requests: Semaphore,
}

pub(super) async fn list(s3: &S3, observer: &dyn Observer) -> Listing {
    let mut clients = BTreeMap::new();
    for url in &s3.urls {
        if !clients.contains_key(&url.bucket) {
            clients.insert(url.bucket.clone(), s3.client(&url.bucket).await);
        }
    }
    let lister = Arc::new(Lister {
        clients,
        selection: s3.options.selection.clone(),
        digests: s3.options.digests,
        payer: s3.options.request_payer,
        requests: Semaphore::new(AT_ONCE),
    });
    let mut running = JoinSet::new();
    for url in &s3.urls {
        let task = first(url, &s3.options.selection);
        running.spawn(lister.clone().page(task));
    }
    let mut listing = Listing::default();
    let mut objects: BTreeMap<String, ObjectRef> = BTreeMap::new();
    while let Some(page) = running.join_next().await {
        let Ok(page) = page else {
            let lost = "internal error while listing".to_owned();
            listing.failed.push(("s3://".to_owned(), lost));
            continue;
        };
        observer.event(Event::Found {
            objects: page.objects.len() as u64,
            bytes: page.objects.iter().map(|object| object.size).sum(),
        });
        for object in page.objects {
            objects.insert(object.name.clone(), object);
        }
        listing.skipped.extend(page.skipped);
        listing.failed.extend(page.failed);
        for task in page.more {
            running.spawn(lister.clone().page(task));
        }
    }
    listing.objects = objects.into_values().collect();
    let named: Vec<String> = s3
        .urls
        .iter()
        .map(|url| name(&url.bucket, &url.key))
        .collect();
    listing.settle(&|object| named.contains(&object.name));
    listing
}

fn first(url: &Url, selection: &Selection) -> Task {
    let folder = url.key.is_empty() || url.key.ends_with('/');
    Task {
        bucket: url.bucket.clone(),
        prefix: url.key.clone(),
        root: url.key.clone(),
        how: if folder {
            how(&url.key, &url.key, selection)
        } else {
            How::Either
        },
        token: None,
    }
}

impl Lister {
    async fn page(self: Arc<Self>, task: Task) -> Found {
        // The semaphore is never closed.
        let _permit = self.requests.acquire().await;
        match self.request(&task).await {
            Ok(answer) => self.read(&task, &answer),
            Err(error) => {
                let arn = match task.bucket.starts_with("arn:") {
                    true => task.bucket.clone(),
                    false => format!("arn:aws:s3:::{}", task.bucket),
                };
                let why = error.needing("s3:ListBucket", &arn).message;
                Found {
                    failed: vec![(
                        name(&task.bucket, &task.prefix),
                        format!("cannot be listed: {why}"),
                    )],
                    ..Found::default()
                }
            }
        }
    }

    async fn request(&self, task: &Task) -> Result<ListObjectsV2Output, AwsError> {
        let client = self
            .clients
            .get(&task.bucket)
            .ok_or_else(|| AwsError::plain("no client for this bucket"))?;
        let level = matches!(task.how, How::Level | How::Either);
        client
            .list_objects_v2()
            .bucket(&task.bucket)
            .prefix(&task.prefix)
            .set_delimiter(level.then(|| "/".to_owned()))
            .set_continuation_token(task.token.clone())
            .set_request_payer(self.payer.then_some(RequestPayer::Requester))
            .encoding_type(EncodingType::Url)
            .send()
            .await
            .map_err(|error| AwsError::of(&error))
    }

    fn read(&self, task: &Task, answer: &ListObjectsV2Output) -> Found {
        let encoded = answer.encoding_type() == Some(&EncodingType::Url);
        let decode = |key: &str| match encoded {
            false => key.to_owned(),
            true => percent_decode_str(&key.replace('+', " "))
                .decode_utf8_lossy()
                .into_owned(),
        };
        let mut found = Found::default();
        for object in answer.contents() {
            let Some(key) = object.key().map(decode) else {
                continue;
            };
            if task.how == How::Either && key != task.prefix {
                continue;
            }
            found.object(task, &key, object.size().unwrap_or_default());
        }
        if answer.is_truncated() == Some(true) {
            match answer.next_continuation_token() {
                Some(token) => found.more.push(Task {
                    token: Some(token.to_owned()),
                    ..task.clone()
                }),
                None => found.failed.push((
                    name(&task.bucket, &task.prefix),
                    "cannot be listed: a page does not say where the next begins".to_owned(),
                )),
            }
            if task.how == How::Month && task.token.is_none() && one_day(&found.objects) {
                return Found {
                    more: vec![Task {
                        how: How::Level,
                        ..task.clone()
                    }],
                    ..Found::default()
                };
            }
        }
        for folder in answer.common_prefixes() {
            let Some(prefix) = folder.prefix().map(decode) else {
                continue;
            };
            if task.how == How::Either && prefix != format!("{}/", task.prefix) {
                continue;
            }
            match self.unwanted(task, &prefix) {
                Some(why) => found.skipped.push((name(&task.bucket, &prefix), why)),
                None => found.more.push(Task {
                    how: how(&prefix, &task.root, &self.selection),
                    prefix,
                    token: None,
                    ..task.clone()
                }),
            }
        }
        found
    }

    /// Why nothing of a folder is wanted; `None` where something may be.
    fn unwanted(&self, task: &Task, prefix: &str) -> Option<String> {
        if is_hidden(prefix, &task.root) {
            return Some("hidden".to_owned());
        }
        if let Some(&[account]) = below(prefix).as_deref()
            && is_account(account)
            && !self.selection.wants_account(account)
        {
            return Some("another account than asked for".to_owned());
        }
        let key = LogKey::parse(prefix)?;
        let digests = self.digests && key.kind == LogKind::Digest;
        if let Some(why) = key.kind.skip_reason().filter(|_| !digests) {
            return Some(why);
        }
        if let Some(why) = self.selection.passes_over(&key) {
            return Some(why.to_owned());
        }
        let (year, month) = month_of(prefix)?;
        let (first, last) = span(year, month)?;
        let why = self.selection.passes_over_days(first, last)?;
        Some(why.to_owned())
    }
}

impl Found {
    fn object(&mut self, task: &Task, key: &str, size: i64) {
        let name = name(&task.bucket, key);
        if key.ends_with('/') {
            self.skipped.push((name, "a folder's marker".to_owned()));
        } else if is_hidden(key, &task.root) && key != task.root {
            self.skipped.push((name, "hidden".to_owned()));
        } else {
            self.objects.push(ObjectRef {
                key: LogKey::parse(&name),
                name,
                size: u64::try_from(size).unwrap_or_default(),
            });
        }
    }
}

/// Whether a part of the key below the argument begins with a dot, as files that folders hide do.
fn is_hidden(key: &str, root: &str) -> bool {
    let below = key.get(root.len()..).unwrap_or(key);
    below.split('/').any(|part| part.starts_with('.'))
}

/// All objects lie in one day's folder.
fn one_day(objects: &[ObjectRef]) -> bool {
    let day = |object: &ObjectRef| object.name.rsplit_once('/').map(|(day, _)| day.to_owned());
    match (objects.first(), objects.last()) {
        (Some(first), Some(last)) => day(first) == day(last),
        _ => false,
    }
}

/// The parts after the last `AWSLogs/`; `None` above it.
fn below(prefix: &str) -> Option<Vec<&str>> {
    let parts: Vec<&str> = prefix.split('/').filter(|part| !part.is_empty()).collect();
    let start = parts.iter().rposition(|part| *part == "AWSLogs")? + 1;
    let mut rest = parts.get(start..)?.to_vec();
    if rest.first().is_some_and(|part| part.starts_with("o-")) {
        rest.remove(0);
    }
    Some(rest)
}

fn is_account(part: &str) -> bool {
    part.len() == 12 && part.bytes().all(|byte| byte.is_ascii_digit())
}

/// How a folder is listed.
fn how(prefix: &str, root: &str, selection: &Selection) -> How {
    let Some(rest) = below(prefix) else {
        let levels = prefix
            .get(root.len()..)
            .unwrap_or_default()
            .matches('/')
            .count();
        return if levels < LEVELS_ABOVE {
            How::Level
        } else {
            How::All
        };
    };
    match rest.as_slice() {
        // AWSLogs, an account, its CloudTrail folder, a Region, a year
        [] | [_] | [_, "CloudTrail"] | [_, "CloudTrail", _] | [_, "CloudTrail", _, _] => How::Level,
        [_, "CloudTrail", _, year, month] => {
            let whole = number(year)
                .zip(number(month))
                .and_then(|(year, month)| span(year, Some(month)))
                .is_none_or(|(first, last)| selection.wants_all_days(first, last));
            if whole { How::Month } else { How::Level }
        }
        _ => How::All,
    }
}

/// The year, and the month where there is one, of a folder of a trail.
fn month_of(prefix: &str) -> Option<(i16, Option<i8>)> {
    match below(prefix)?.as_slice() {
        [_, "CloudTrail", _, year] => Some((number(year)?, None)),
        [_, "CloudTrail", _, year, month] => Some((number(year)?, Some(number(month)?))),
        _ => None,
    }
}

fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

/// The first and the last day of a year or month.
fn span(year: i16, month: Option<i8>) -> Option<(Date, Date)> {
    let first = Date::new(year, month.unwrap_or(1), 1).ok()?;
    let last = Date::new(year, month.unwrap_or(12), 1)
        .ok()?
        .last_of_month();
    Some((first, last))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn november() -> Selection {
        let at = |text: &str| crate::trail::time::epoch_seconds(text);
        Selection {
            from: at("2026-11-01T00:00:00Z"),
            to: at("2026-11-20T00:00:00Z"),
            ..Selection::default()
        }
    }

    #[test]
    fn folders_of_a_trail_are_gone_down_level_by_level_to_the_months() {
        let all = Selection::default();
        for (prefix, wanted) in [
            ("", How::Level),
            ("backup/", How::Level),
            ("a/b/c/d/", How::All),
            ("AWSLogs/", How::Level),
            ("x/AWSLogs/o-1/", How::Level),
            ("AWSLogs/o-1/111122223333/", How::Level),
            ("AWSLogs/111122223333/CloudTrail/", How::Level),
            ("AWSLogs/111122223333/CloudTrail/us-east-1/", How::Level),
            (
                "AWSLogs/111122223333/CloudTrail/us-east-1/2026/",
                How::Level,
            ),
            (
                "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/",
                How::Month,
            ),
            (
                "AWSLogs/111122223333/CloudTrail/us-east-1/2026/11/05/",
                How::All,
            ),
            ("AWSLogs/111122223333/other/", How::All),
            (
                "AWSLogs/111122223333/CloudTrail/us-east-1/twenty/two/",
                How::Month,
            ),
        ] {
            assert_eq!(how(prefix, "", &all), wanted, "{prefix}");
        }
        let month = |month: &str| {
            let prefix = format!("AWSLogs/111122223333/CloudTrail/us-east-1/2026/{month}/");
            how(&prefix, "", &november())
        };
        assert_eq!(month("11"), How::Level, "a part of it is wanted");
    }

    #[test]
    fn hidden_is_judged_below_the_argument() {
        assert!(is_hidden("a/.b/c", "a/"));
        assert!(is_hidden("a/b/.c", ""));
        assert!(!is_hidden("a/.b/c", "a/.b/"));
        assert!(!is_hidden("a/b.c", ""));
    }
}
