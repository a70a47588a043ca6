//! `rolefit scan` and `rolefit merge`.

use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args as ClapArgs;

use super::args::{LogArgs, on_disk};
use super::progress::Progress;
use super::{Exit, Fault, inputs, printable, say, stored};
use crate::pipeline::{Reading, Shard, State, merge_into, only_shard, scan_into};
use crate::usage::file::{FileError, MergeError, UsageFile};

/// `rolefit scan`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Every shard of a job gets the same LOGS and the same selection: give --from as a date, since --since ends where each\nprocess starts. A shard that ran twice, or twice as often, counts once.\n\nExamples:\n  rolefit scan ./AWSLogs --from 2026-09-01 --out usage.rolefit\n  rolefit scan ./AWSLogs --from 2026-09-01 --shard 3/16 --out shard-3.rolefit\n  rolefit scan ./AWSLogs --since 90d --state ./state"
)]
pub(super) struct ScanArgs {
    #[command(flatten)]
    pub(super) logs: LogArgs,
    /// The usage file to write; one that is there is replaced as a whole
    #[arg(long, value_name = "FILE", help_heading = "Output", value_parser = on_disk)]
    pub(super) out: Option<PathBuf>,
    /// Only the Ith of N parts of the log objects, told apart by their names
    #[arg(
        long,
        value_name = "I/N",
        conflicts_with = "state",
        help_heading = "Selection"
    )]
    pub(super) shard: Option<String>,
}

/// `rolefit merge`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "The order does not matter, and files may hold the same log objects: each counts once.\n\nExamples:\n  rolefit merge shard-*.rolefit --out usage.rolefit"
)]
pub(super) struct MergeArgs {
    /// Usage files
    #[arg(required = true, value_name = "FILES", value_parser = on_disk)]
    pub(super) files: Vec<PathBuf>,
    /// The usage file to write; may be one of FILES
    #[arg(long, value_name = "FILE", help_heading = "Output", value_parser = on_disk)]
    pub(super) out: PathBuf,
}

pub(super) fn run(args: &ScanArgs) -> Result<Exit, Fault> {
    if args.logs.stored.usage.is_some() {
        return Err(
            Fault::new(Exit::Usage, anyhow!("`scan` reads LOGS, no usage file"))
                .hint("`rolefit merge` puts usage files together"),
        );
    }
    let shard = args.shard.as_deref().map(shard).transpose()?;
    stored::no_stdin(&args.logs)?;
    let pool = inputs::pool(&args.logs.run)?;
    let catalog = inputs::catalog(args.logs.run.catalog.as_deref())?;
    let asked = inputs::selection(&args.logs.selection)?;
    let selection = stored::whole_days(&args.logs, asked);
    match (&args.out, &args.logs.stored.state) {
        (Some(out), None) => {
            replaceable(out)?;
            let source = inputs::source(&args.logs, &selection, &[])?;
            let progress = Progress::new(!args.logs.run.no_progress);
            let reading = Reading {
                source: source.as_ref(),
                selection: &selection,
                catalog,
                pool: &pool,
                observer: &progress,
                checkpoint: args.logs.stored.checkpoint as usize,
                shard,
            };
            let mut listing = source.list(&progress).select(&selection);
            let none = listing.objects.is_empty() && listing.failed.is_empty();
            if let Some(shard) = shard {
                only_shard(&mut listing, shard);
            } else if none {
                let error = anyhow!("no CloudTrail log in {}", stored::name(&args.logs));
                return Err(Fault::new(Exit::NoInput, error).hint("give the folder that holds AWSLogs/, or log files (*.json.gz); check --account, --region, --from and --to"));
            }
            scan_into(out, listing, reading).map_err(of_merge)?;
            drop(progress);
            summary(out)
        }
        (None, Some(folder)) => {
            let state = State::open(folder).map_err(stored::of_state)?;
            if args.logs.given() {
                stored::update(&state, &args.logs, &[], &selection, catalog, &pool)?;
            }
            summary(&state.file())
        }
        _ => Err(Fault::new(
            Exit::Usage,
            anyhow!("give --out FILE, or --state DIR, and not both"),
        )),
    }
}

pub(super) fn merge(args: &MergeArgs) -> Result<Exit, Fault> {
    replaceable(&args.out)?;
    merge_into(&args.out, &args.files).map_err(of_merge)?;
    summary(&args.out)
}

/// Nothing but a usage file is replaced: `--out` beside a slip of the finger may name anything.
fn replaceable(out: &Path) -> Result<(), Fault> {
    let held = std::fs::metadata(out).is_ok_and(|found| !found.is_file() || found.len() > 0);
    match UsageFile::open(out) {
        Err(FileError::Other(_)) if held => {
            let error = anyhow!("`{}` is there and is no usage file", out.display());
            Err(Fault::new(Exit::Usage, error).hint("give another --out"))
        }
        _ => Ok(()),
    }
}

/// What a usage file holds.
fn summary(path: &Path) -> Result<Exit, Fault> {
    let file = UsageFile::open(path)
        .map_err(|error| stored::of_file(crate::pipeline::StoredError::File(error)))?;
    let (objects, events) = file.facts();
    let bytes = std::fs::metadata(path)?.len();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "{}: {} events of {} records in {} of {} log objects, {} days, {bytes} bytes",
        printable(&path.display().to_string()),
        events.count,
        objects.records,
        objects.read,
        objects.count,
        file.days().iter().flatten().count()
    )?;
    if objects.failed == 0 {
        return Ok(Exit::Done);
    }
    say(
        "warning",
        &format!("{} log objects could not be read", objects.failed),
    );
    Ok(Exit::Incomplete)
}

fn shard(text: &str) -> Result<Shard, Fault> {
    let parsed = text.split_once('/').and_then(|(number, of)| {
        let (number, of) = (number.parse().ok()?, of.parse().ok()?);
        (1..=of).contains(&number).then_some(Shard { number, of })
    });
    parsed.ok_or_else(|| {
        Fault::new(
            Exit::Usage,
            anyhow!("--shard `{text}` is no part of a whole: 3/16 is"),
        )
        .hint("from 1/N to N/N")
    })
}

fn of_merge(error: MergeError) -> Fault {
    let hint = error.hint();
    let exit = match &error {
        MergeError::Selection { .. } | MergeError::Sealed(_) => Exit::Usage,
        _ => Exit::Failed,
    };
    Fault::new(exit, error).hint(hint)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shards() {
        assert_eq!(shard("3/16").ok(), Some(Shard { number: 3, of: 16 }));
        for wrong in ["", "0/4", "5/4", "1", "1/0", "a/b", "-1/4"] {
            assert!(shard(wrong).is_err(), "{wrong}");
        }
    }
}
