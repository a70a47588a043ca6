//! `rolefit fit`.

use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::args::{self, FitArgs};
use super::progress::Progress;
use super::{Exit, Fault, inputs, say};
use crate::catalog::Catalog;
use crate::grants::{Concern, Snapshot, SnapshotError};
use crate::pipeline::{FitOptions, Scan, fit, scan};
use crate::render::{FolderError, Report, Status, write_folder, write_json, write_text};
use crate::synthesize::{ConditionRule, Granularity, Options, UnseenRule};

pub(super) fn run(args: &FitArgs) -> Result<Exit, Fault> {
    let selection = inputs::selection(&args.logs)?;
    let pool = inputs::pool(&args.logs)?;
    let catalog = inputs::catalog(args.logs.catalog.as_deref())?;
    check_folder(args)?;
    let snapshot = snapshot(args.snapshot.as_deref(), &args.account_details, catalog)?;
    let excluded: Vec<PathBuf> = args.snapshot.iter().chain(&args.out_dir).cloned().collect();
    let source = inputs::source(&args.logs, &excluded)?;
    let progress = Progress::new(!args.logs.no_progress);
    let read = scan(&source, &selection, catalog, &pool, &progress);
    nothing_read(&args.logs.logs, &read)?;
    let options = FitOptions {
        synthesis: Options {
            granularity: granularity(args.granularity),
            unseen: match args.unseen {
                args::Unseen::Keep => UnseenRule::Keep,
                args::Unseen::Drop => UnseenRule::Drop,
                args::Unseen::Refuse => UnseenRule::Refuse,
            },
            min_window_days: i64::from(args.min_window),
            neighbours: !args.no_neighbours,
            conditions: match args.conditions {
                args::Conditions::None => ConditionRule::None,
                args::Conditions::Standard => ConditionRule::Standard,
                args::Conditions::All => ConditionRule::All,
            },
            action_wildcards: args.action_wildcards,
            ensure_logging: args.ensure_logging,
            keep: keep(&args.keep)?,
            regions: selection.regions.iter().cloned().collect(),
            from: selection.from,
            to: selection.to,
        },
        roles: args.role.clone(),
        all_roles: args.all_roles,
        accounts: args.logs.account.clone(),
        include_outside: args.include_outside,
    };
    let report = fit(read, &snapshot, &options, catalog, &pool);
    write(args, &report)?;
    Ok(exit(args, &report, &snapshot))
}

/// Never-touch patterns name actions: one that can name none is a slip that would cost permissions.
fn keep(patterns: &[String]) -> Result<Vec<String>, Fault> {
    let wrong = patterns
        .iter()
        .find(|pattern| !(pattern.contains(':') || pattern.chars().all(|c| c == '*')));
    match wrong {
        Some(pattern) => Err(Fault::new(
            Exit::Usage,
            anyhow!("--keep `{pattern}` names no action: s3:GetObject or kms:* do"),
        )),
        None => Ok(patterns.to_vec()),
    }
}

/// Fails before hours of reading, not after.
fn check_folder(args: &FitArgs) -> Result<(), Fault> {
    let Some(folder) = &args.out_dir else {
        return Ok(());
    };
    let occupied = std::fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied && !args.force {
        return Err(not_empty(folder.clone()));
    }
    Ok(())
}

fn not_empty(folder: PathBuf) -> Fault {
    Fault::new(Exit::Usage, FolderError::NotEmpty(folder))
        .hint("give another --out-dir, or --force to overwrite what an earlier run wrote")
}

pub(super) fn snapshot(
    folder: Option<&Path>,
    details: &[PathBuf],
    catalog: &Catalog,
) -> Result<Snapshot, Fault> {
    if folder.is_none() && details.is_empty() {
        say(
            "warning",
            "no --snapshot and no --account-details: the roles' current policies are not known, so nothing can be proposed",
        );
        say(
            "hint",
            "aws iam get-account-authorization-details > snapshot/account-authorization-details.json",
        );
        return Ok(Snapshot::default());
    }
    load_snapshot(folder, details, catalog)
}

pub(super) fn granularity(asked: args::Granularity) -> Granularity {
    match asked {
        args::Granularity::Exact => Granularity::Exact,
        args::Granularity::Prefix => Granularity::Prefix,
        args::Granularity::Container => Granularity::Container,
    }
}

/// Reads the snapshot and warns of what of it cannot be used.
pub(super) fn load_snapshot(
    folder: Option<&Path>,
    details: &[PathBuf],
    catalog: &Catalog,
) -> Result<Snapshot, Fault> {
    let snapshot = Snapshot::load(folder, details, catalog).map_err(|error| {
        let hint = match &error {
            SnapshotError::Io { .. } => "give the folder that holds account-authorization-details.json",
            SnapshotError::NoDetails(_) => "aws iam get-account-authorization-details > account-authorization-details.json, in that folder",
            SnapshotError::BadDetails { .. } => "the file must be the unchanged output of `aws iam get-account-authorization-details`",
        };
        Fault::new(Exit::Failed, error).hint(hint)
    })?;
    for note in &snapshot.notes {
        say("warning", &format!("{}: {}", note.file, note.message));
    }
    Ok(snapshot)
}

pub(super) fn nothing_read(logs: &[String], read: &Scan) -> Result<(), Fault> {
    let objects = &read.objects;
    if objects.read > 0 || read.usage.records.read > 0 {
        return Ok(());
    }
    for (object, reason) in objects.failed.iter().take(5) {
        say("warning", &format!("{object}: {reason}"));
    }
    if !objects.failed.is_empty() {
        let error = anyhow!("none of {} log objects could be read", objects.failed.len());
        return Err(Fault::new(Exit::Failed, error)
            .hint("nothing is proposed from logs that could not be read"));
    }
    let skipped: Vec<String> = objects
        .skipped
        .iter()
        .map(|(reason, count)| format!("{count} skipped: {reason}"))
        .collect();
    let found = if skipped.is_empty() {
        "nothing is there".to_owned()
    } else {
        skipped.join("; ")
    };
    let error = anyhow!("no CloudTrail log in {} ({found})", logs.join(" "));
    Err(Fault::new(Exit::NoInput, error).hint("give the folder that holds AWSLogs/, or log files (*.json.gz); check --account, --region, --from and --to"))
}

fn write(args: &FitArgs, report: &Report) -> Result<(), Fault> {
    if let Some(folder) = &args.out_dir {
        write_folder(report, folder, args.force).map_err(|error| match error {
            FolderError::NotEmpty(folder) => not_empty(folder),
            error => Fault::new(Exit::Failed, error),
        })?;
    }
    let stdout = io::stdout();
    let color =
        stdout.is_terminal() && std::env::var_os("NO_COLOR").is_none_or(|value| value.is_empty());
    let mut out = BufWriter::new(stdout.lock());
    match args.output {
        args::Output::Json => write_json(report, &mut out)?,
        args::Output::Text => {
            write_text(report, color, args.out_dir.is_none(), &mut out)?;
            if let Some(folder) = &args.out_dir {
                writeln!(
                    out,
                    "Written to {}: report.json, and per role policy.json, policy.diff, decisions.json, current.json",
                    folder.display()
                )?;
            }
        }
    }
    out.flush()?;
    Ok(())
}

fn exit(args: &FitArgs, report: &Report, snapshot: &Snapshot) -> Exit {
    let person = report
        .roles
        .iter()
        .any(|role| matches!(role.status, Status::Review | Status::Refused));
    let incomplete = report.input.objects.failed > 0
        || report.input.records.undecodable > 0
        || snapshot
            .notes
            .iter()
            .any(|note| note.concern != Concern::Nobody);
    match (person || incomplete, args.strict) {
        (false, _) => Exit::Done,
        (true, false) => Exit::Incomplete,
        (true, true) => Exit::Failed,
    }
}
