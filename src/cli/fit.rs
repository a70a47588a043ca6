//! `rolefit fit`.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, IsTerminal, Write};
use std::path::{Path, PathBuf};

use anyhow::anyhow;

use super::args::{self, FitArgs, Format, LogArgs, Logging, ProposalArgs};
use super::stored::Input;
use super::{Exit, Fault, inputs, say, stored};
use crate::catalog::Catalog;
use crate::grants::{Concern, Snapshot, SnapshotError};
use crate::pipeline::{FitOptions, Scan, fit, passed_over};
use crate::render::{
    FolderError, InfraOptions, Report, Status, TextOptions, write_folder, write_github, write_html,
    write_json, write_markdown, write_sarif, write_text,
};
use crate::synthesize::{ConditionRule, Granularity, Options, UnseenRule};

pub(super) fn run(args: &FitArgs) -> Result<Exit, Fault> {
    check_folder(args)?;
    let live = args.live.then(|| live(args)).transpose()?;
    let folder = live.as_ref().map(|live| live.folder.as_path());
    let Fitted {
        report, snapshot, ..
    } = report(&args.roles, args.out_dir.as_deref(), folder)?;
    write(args, &report)?;
    let person = report
        .roles
        .iter()
        .any(|role| matches!(role.status, Status::Review | Status::Refused));
    Ok(exit(args.strict, person, &report, &snapshot))
}

/// A report, and what it was made from.
pub(super) struct Fitted {
    pub(super) report: Report,
    pub(super) snapshot: Snapshot,
    pub(super) input: Input,
    pub(super) options: FitOptions,
    pub(super) catalog: &'static Catalog,
    pub(super) pool: rayon::ThreadPool,
}

/// A snapshot taken in this run; deleted with this value where nobody named a folder for it.
struct Live {
    folder: PathBuf,
    passing: bool,
}

impl Drop for Live {
    fn drop(&mut self) {
        if self.passing {
            // What is left of it hurts nobody but the disk.
            let _ = std::fs::remove_dir_all(&self.folder);
        }
    }
}

/// Takes the snapshot: into --snapshot where it is given, else into a folder that goes with the run.
fn live(args: &FitArgs) -> Result<Live, Fault> {
    let named = args.roles.roles.account.snapshot.clone();
    let live = match named {
        Some(folder) => Live {
            folder,
            passing: false,
        },
        None => Live {
            folder: private_folder()?,
            passing: true,
        },
    };
    let collect = super::collect::CollectArgs {
        out: None,
        what: args.collect.clone(),
        all_roles: args.roles.roles.all_roles,
        region: Vec::new(),
        force: args.force,
        strict: args.strict,
        connect: args.roles.logs.s3.connect.clone(),
        print_policy: None,
    };
    super::collect::into(&collect, &live.folder)?;
    Ok(live)
}

/// A new folder that only this user can read.
fn private_folder() -> Result<PathBuf, Fault> {
    let folder = std::env::temp_dir().join(format!("rolefit-{}", std::process::id()));
    let mut builder = std::fs::DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder.create(&folder)?;
    super::interrupt::passing(&folder);
    Ok(folder)
}

/// Reads and fits. `out_dir` is not searched for logs; a `live` snapshot takes the place of the one named.
pub(super) fn report(
    args: &ProposalArgs,
    out_dir: Option<&Path>,
    live: Option<&Path>,
) -> Result<Fitted, Fault> {
    let pool = inputs::pool(&args.logs.run)?;
    let catalog = inputs::catalog(args.logs.run.catalog.as_deref())?;
    let snapshot = snapshot(
        live.or(args.roles.account.snapshot.as_deref()),
        &args.roles.account.account_details,
        catalog,
    )?;
    let excluded: Vec<PathBuf> = args
        .roles
        .account
        .snapshot
        .iter()
        .map(PathBuf::as_path)
        .chain(out_dir)
        .map(Path::to_owned)
        .collect();
    let input = stored::input(&args.logs, &excluded, catalog, &pool)?;
    let selection = input.selection().clone();
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
        roles: args.roles.role.clone(),
        all_roles: args.roles.all_roles,
        accounts: args.logs.selection.account.clone(),
        include_outside: args.include_outside,
        per_function: args.per_function,
    };
    // Standard input cannot be read a second time, should a role turn out to be Lambda's.
    let passed_over = if args.logs.logs.iter().any(|logs| logs == "-") {
        BTreeSet::new()
    } else {
        passed_over(&snapshot, &options)
    };
    let read = input.scan(&passed_over, catalog, &pool)?;
    nothing_read(&args.logs, &read)?;
    let report = fit(read, &snapshot, &options, catalog, &pool);
    Ok(Fitted {
        report,
        snapshot,
        input,
        options,
        catalog,
        pool,
    })
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

pub(super) fn nothing_read(logs: &LogArgs, read: &Scan) -> Result<(), Fault> {
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
    let error = anyhow!("no CloudTrail log in {} ({found})", stored::name(logs));
    Err(Fault::new(Exit::NoInput, error).hint("give the folder that holds AWSLogs/, or log files (*.json.gz); check --account, --region, --from and --to"))
}

fn write(args: &FitArgs, report: &Report) -> Result<(), Fault> {
    if let Some(folder) = &args.out_dir {
        let infra = InfraOptions {
            managed_logging: args.logging == Logging::Managed,
            portable: args.portable,
        };
        write_folder(report, folder, infra, args.force).map_err(|error| match error {
            FolderError::NotEmpty(folder) => not_empty(folder),
            error => Fault::new(Exit::Failed, error),
        })?;
    }
    let stdout = io::stdout();
    let terminal = stdout.is_terminal();
    let mut out = BufWriter::new(stdout.lock());
    match args.output {
        Format::Text => {
            write_text(report, text_options(args, terminal), &mut out)?;
            if let Some(folder) = &args.out_dir {
                writeln!(
                    out,
                    "\nWritten to {}: report.html, report.md, report.json, and a folder per role",
                    folder.display()
                )?;
            }
        }
        format => write_format(report, format, args.out_dir.as_deref(), &mut out)?,
    }
    out.flush()?;
    Ok(())
}

/// A format that is the same for every command. Text is the command's own.
pub(super) fn write_format(
    report: &Report,
    format: Format,
    out_dir: Option<&Path>,
    out: &mut impl Write,
) -> io::Result<()> {
    match format {
        Format::Json => write_json(report, out),
        Format::Markdown => write_markdown(report, out),
        Format::Sarif => write_sarif(report, &relative(out_dir), out),
        Format::Github => write_github(report, out),
        Format::Html => write_html(report, out),
        Format::Text => Ok(()),
    }
}

/// The out-dir as a path in a repository; empty where it lies elsewhere.
fn relative(folder: Option<&Path>) -> String {
    folder
        .filter(|folder| folder.is_relative())
        .map(|folder| folder.display().to_string())
        .unwrap_or_default()
}

/// The width of the terminal within reason; pipes get 80 columns and no colour.
fn text_options(args: &FitArgs, terminal: bool) -> TextOptions {
    let no_color = std::env::var_os("NO_COLOR").is_some_and(|value| !value.is_empty());
    let columns = std::env::var("COLUMNS")
        .ok()
        .and_then(|c| c.parse::<usize>().ok());
    let own = || terminal_size::terminal_size().map(|(width, _)| usize::from(width.0));
    let width = match (terminal, args.side_by_side) {
        (true, _) => columns.or_else(own).unwrap_or(80),
        (false, true) => columns.unwrap_or(160),
        (false, false) => 80,
    };
    TextOptions {
        color: terminal && !no_color,
        width: width.clamp(80, if args.side_by_side { 240 } else { 120 }),
        details: args.out_dir.is_none() || args.side_by_side,
        side_by_side: args.side_by_side,
    }
}

/// `person`: a role needs one.
pub(super) fn exit(strict: bool, person: bool, report: &Report, snapshot: &Snapshot) -> Exit {
    let incomplete = report.input.objects.failed > 0
        || report.input.records.undecodable > 0
        || snapshot
            .notes
            .iter()
            .any(|note| note.concern != Concern::Nobody);
    match (person || incomplete, strict) {
        (false, _) => Exit::Done,
        (true, false) => Exit::Incomplete,
        (true, true) => Exit::Failed,
    }
}
