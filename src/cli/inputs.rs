//! From arguments to what the engine takes: a selection, a source, a pool of workers.

use std::path::{Path, PathBuf};

use anyhow::{Context, anyhow, bail};
use rayon::{ThreadPool, ThreadPoolBuilder};

use super::args::{LogArgs, RunArgs, SelectionArgs};
use super::progress::Progress;
use super::{Exit, Fault};
use crate::catalog::{AdditionsError, Catalog};
use crate::grants;
use crate::read::joined::S3_SCHEME;
use crate::read::{Bounded, Disk, Joined, Listed, Selection, Source, Vouched};
#[cfg(not(feature = "aws"))]
use crate::read::{Listing, ObjectRef, SourceError};
use crate::trail::inflate::Limits;

/// The most log objects under way from S3 at once, unless told otherwise.
#[cfg(feature = "aws")]
const CONCURRENCY: usize = 64;

pub(super) fn selection(args: &SelectionArgs) -> Result<Selection, Fault> {
    let usage = |error: anyhow::Error| {
        Fault::new(Exit::Usage, error).hint("`rolefit help fit` shows every option with an example")
    };
    let now = jiff::Timestamp::now().as_second();
    let from = match (&args.since, &args.from) {
        (Some(age), _) => Some(now - seconds(age).map_err(usage)?),
        (None, Some(time)) => Some(moment(time, false).map_err(usage)?),
        (None, None) => None,
    };
    let to = args
        .to
        .as_deref()
        .map(|time| moment(time, true))
        .transpose()
        .map_err(usage)?;
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        return Err(usage(anyhow!("--from is not before --to")));
    }
    for account in &args.account {
        if account.len() != 12 || !account.bytes().all(|b| b.is_ascii_digit()) {
            return Err(usage(anyhow!(
                "`{account}` is not an account: twelve digits are"
            )));
        }
    }
    Ok(Selection {
        accounts: args.account.iter().cloned().collect(),
        regions: args.region.iter().cloned().collect(),
        from,
        to,
    })
}

/// `90d` in seconds.
fn seconds(age: &str) -> anyhow::Result<i64> {
    let unit = age.chars().last().map_or(0, char::len_utf8);
    let (number, unit) = age.split_at(age.len() - unit);
    let factor = match unit {
        "h" => 3_600,
        "d" => 86_400,
        "w" => 7 * 86_400,
        _ => bail!("`{age}` is not an age: 90d, 12h or 2w are"),
    };
    let number: i64 = number
        .parse()
        .with_context(|| format!("`{age}` is not an age: 90d, 12h or 2w are"))?;
    number
        .checked_mul(factor)
        .filter(|seconds| (1..=100 * 366 * 86_400).contains(seconds))
        .with_context(|| format!("`{age}` is out of range"))
}

/// A date or a time in seconds since 1970; with `end` a date stands for the end of its day.
pub(super) fn moment(text: &str, end: bool) -> anyhow::Result<i64> {
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Ok(time.as_second());
    }
    let wrong = || anyhow!("`{text}` is not a time: 2026-11-20 or 2026-11-20T12:00:00Z are");
    let day: jiff::civil::Date = Some(text)
        .filter(|text| text.len() == 10)
        .ok_or_else(wrong)?
        .parse()
        .map_err(|_| wrong())?;
    let start = day
        .to_zoned(jiff::tz::TimeZone::UTC)
        .map_err(|_| wrong())?
        .timestamp()
        .as_second();
    Ok(if end { start + 86_400 } else { start })
}

/// The log objects, held against digests where that is asked for. `excluded` folders are not searched for
/// logs: the snapshot and the output may lie beside the logs. The snapshot among them holds public keys.
pub(super) fn source(
    args: &LogArgs,
    selection: &Selection,
    excluded: &[PathBuf],
) -> Result<Box<dyn Source + Send>, Fault> {
    let source = plain_source(args, selection, excluded)?;
    let limits = Limits {
        ratio: args.run.max_ratio,
        inflated: args.run.max_inflated * 1024 * 1024,
    };
    let source: Box<dyn Source + Send> = if limits == Limits::default() {
        source
    } else {
        Box::new(Bounded::new(source, limits))
    };
    let asked = &args.digests;
    if !(asked.verify_digests || asked.require_digests) {
        return Ok(source);
    }
    let read = |paths: &[PathBuf]| {
        grants::vouchers(paths).map_err(|error| Fault::new(Exit::Failed, anyhow!("{error}")))
    };
    let mut vouchers = read(excluded)?;
    if !asked.public_keys.is_empty() {
        vouchers.keys = read(&asked.public_keys)?.keys;
    }
    if vouchers.keys.is_empty() {
        return Err(Fault::new(Exit::Failed, anyhow!("no public keys to verify digests with"))
            .hint("aws cloudtrail list-public-keys --region REGION --start-time … > snapshot/cloudtrail-public-keys-REGION.json"));
    }
    vouchers.require = asked.require_digests;
    let progress = Progress::new(!args.run.no_progress);
    Ok(Box::new(Vouched::new(
        source, selection, &vouchers, &progress,
    )))
}

fn plain_source(
    args: &LogArgs,
    selection: &Selection,
    excluded: &[PathBuf],
) -> Result<Box<dyn Source + Send>, Fault> {
    let (s3, disk): (Vec<String>, Vec<String>) = args
        .logs
        .iter()
        .cloned()
        .partition(|logs| logs.starts_with(S3_SCHEME));
    let disk = Disk::new(&disk, excluded).map_err(|error| {
        let hint = error.hint();
        Fault::new(Exit::NoInput, error).hint(hint)
    })?;
    let manifests = &args.s3.manifest;
    if !(manifests.is_empty() || args.logs.is_empty()) {
        let error = anyhow!("--manifest takes the place of LOGS");
        return Err(Fault::new(Exit::Usage, error));
    }
    if manifests.is_empty() && s3.is_empty() {
        return Ok(Box::new(disk));
    }
    let joined = Joined::new(Box::new(disk), self::s3(args, selection, &s3)?);
    if manifests.is_empty() {
        return Ok(Box::new(joined));
    }
    let listed = Listed::new(manifests, joined).map_err(|error| {
        Fault::new(Exit::Failed, error).hint("`rolefit help fit` says what a manifest may be")
    })?;
    Ok(Box::new(listed))
}

/// S3, connected.
#[cfg(feature = "aws")]
fn s3(
    args: &LogArgs,
    selection: &Selection,
    urls: &[String],
) -> Result<Box<dyn Source + Send>, Fault> {
    use super::remote::{connect, fault};
    use crate::aws::{S3, S3Options};
    let options = S3Options {
        selection: selection.clone(),
        digests: args.digests.verify_digests || args.digests.require_digests,
        concurrency: args.s3.concurrency.map_or(CONCURRENCY, usize::from),
        request_payer: args.s3.request_payer.is_some(),
        stall: std::time::Duration::from_secs(30),
        pause: std::time::Duration::from_millis(200),
    };
    let session = connect(&args.s3.connect, None)?;
    Ok(Box::new(S3::new(session, urls, options).map_err(fault)?))
}

/// The same in a build without S3: no object of a bucket can be opened.
#[cfg(not(feature = "aws"))]
fn s3(_: &LogArgs, _: &Selection, urls: &[String]) -> Result<Box<dyn Source + Send>, Fault> {
    match urls.first() {
        Some(url) => {
            let error = SourceError::NoS3(url.clone());
            let hint = error.hint();
            Err(Fault::new(Exit::NoInput, error).hint(hint))
        }
        None => Ok(Box::new(NoS3)),
    }
}

/// Stands where S3 would.
#[cfg(not(feature = "aws"))]
struct NoS3;

#[cfg(not(feature = "aws"))]
impl Source for NoS3 {
    fn list(&self, _: &dyn crate::event::Observer) -> Listing {
        Listing::default()
    }

    fn open(&self, object: &ObjectRef) -> std::io::Result<Box<dyn std::io::Read + Send + '_>> {
        let error = SourceError::NoS3(object.name.clone());
        Err(std::io::Error::other(format!("{error}; {}", error.hint())))
    }
}

/// The catalog, with the facts of a further file. Like the one in the program it lives as long as the process.
pub(super) fn catalog(file: Option<&Path>) -> Result<&'static Catalog, Fault> {
    let Some(file) = file else {
        return Ok(Catalog::builtin());
    };
    let name = file.display();
    let text = std::fs::read_to_string(file)
        .map_err(|error| Fault::new(Exit::Failed, anyhow!("cannot read `{name}`: {error}")))?;
    let catalog = Catalog::with_additions(&text).map_err(|error| {
        let hint = match &error {
            AdditionsError::Header => "give a file that `rolefit catalog build` wrote",
            AdditionsError::Version(_) | AdditionsError::Row { .. } => {
                "write the file anew with `rolefit catalog build`"
            }
        };
        Fault::new(Exit::Failed, anyhow!("cannot use `{name}`: {error}")).hint(hint)
    })?;
    Ok(Box::leak(Box::new(catalog)))
}

pub(super) fn pool(args: &RunArgs) -> Result<ThreadPool, Fault> {
    if args
        .threads
        .is_some_and(|threads| !(1..=256).contains(&threads))
    {
        return Err(
            Fault::new(Exit::Usage, anyhow!("--threads must be from 1 to 256"))
                .hint("leave it out for one a processor"),
        );
    }
    ThreadPoolBuilder::new()
        .num_threads(args.threads.unwrap_or(0))
        .build()
        .map_err(|error| Fault::new(Exit::Failed, error))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ages_and_moments() {
        assert_eq!(seconds("90d").unwrap(), 90 * 86_400);
        assert_eq!(seconds("12h").unwrap(), 12 * 3_600);
        for wrong in ["", "d", "90", "-1d", "9é", "99999999999999999999d", "0d"] {
            assert!(seconds(wrong).is_err(), "{wrong}");
        }
        assert_eq!(moment("1970-01-02", false).unwrap(), 86_400);
        assert_eq!(moment("1970-01-02", true).unwrap(), 2 * 86_400);
        assert_eq!(moment("1970-01-02T00:00:01Z", true).unwrap(), 86_401);
        for wrong in [
            "yesterday",
            "2026-10-01T12:00:00",
            "2026-10-01T12:00:00[Europe/Paris]",
            "9999-99-99",
            "",
        ] {
            assert!(moment(wrong, false).is_err(), "{wrong}");
        }
    }
}
