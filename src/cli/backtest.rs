//! `rolefit backtest`.

use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::anyhow;

use super::args::{self, BacktestArgs};
use super::{Exit, Fault, fit, inputs, stored};
use crate::grants::Snapshot;
use crate::pipeline::{BacktestError, BacktestOptions, FitOptions, SplitAt, backtest};
use crate::render::{write_backtest_json, write_backtest_text};
use crate::synthesize::{Granularity, Options};

pub(super) fn run(args: &BacktestArgs) -> Result<Exit, Fault> {
    let split = split(&args.split)?;
    let pool = inputs::pool(&args.logs.run)?;
    let catalog = inputs::catalog(args.logs.run.catalog.as_deref())?;
    let snapshot =
        if args.roles.account.snapshot.is_none() && args.roles.account.account_details.is_empty() {
            Snapshot::default()
        } else {
            fit::load_snapshot(
                args.roles.account.snapshot.as_deref(),
                &args.roles.account.account_details,
                catalog,
            )?
        };
    let excluded: Vec<PathBuf> = args.roles.account.snapshot.iter().cloned().collect();
    let input = stored::input(&args.logs, &excluded, catalog, &pool)?;
    let selection = input.selection().clone();
    let mut granularities: Vec<Granularity> = args
        .granularity
        .iter()
        .map(|g| fit::granularity(*g))
        .collect();
    if granularities.is_empty() {
        granularities = vec![
            Granularity::Exact,
            Granularity::Prefix,
            Granularity::Container,
        ];
    }
    let options = BacktestOptions {
        fit: FitOptions {
            synthesis: Options {
                min_window_days: 0,
                regions: selection.regions.iter().cloned().collect(),
                from: selection.from,
                ..Options::default()
            },
            roles: args.roles.role.clone(),
            all_roles: args.roles.all_roles,
            accounts: args.logs.selection.account.clone(),
            ..FitOptions::default()
        },
        granularities,
        split,
        rolling: args.rolling,
    };
    let result = backtest(input.events(), &selection, &snapshot, &options, catalog, &pool).map_err(|error| {
        let error = match error {
            BacktestError::Stored(error) => return stored::of_file(error),
            error => error,
        };
        let exit = match error {
            BacktestError::NoEvents => Exit::NoInput,
            _ => Exit::Usage,
        };
        let hint = match error {
            BacktestError::NoEvents => "give the folder that holds AWSLogs/, or log files (*.json.gz); check --account, --region, --from and --to",
            _ => "give a share such as --split 80%, or a date inside the logs",
        };
        Fault::new(exit, error).hint(hint)
    })?;
    let mut out = BufWriter::new(io::stdout().lock());
    match args.output {
        args::Output::Json => write_backtest_json(&result, &mut out)?,
        args::Output::Text => write_backtest_text(&result, &mut out)?,
    }
    out.flush()?;
    let incomplete =
        !result.failures.is_empty() || result.notes.iter().any(|note| note.code != "no-snapshot");
    Ok(if incomplete {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}

/// `80%` or a moment.
fn split(text: &str) -> Result<SplitAt, Fault> {
    let wrong = || {
        Fault::new(
            Exit::Usage,
            anyhow!("`{text}` is not a split: 80%, 2026-11-20 or 2026-11-20T12:00:00Z are"),
        )
        .hint("what comes before the split is fitted, the rest is replayed")
    };
    if let Some(share) = text.strip_suffix('%') {
        let percent: u32 = share.trim().parse().map_err(|_| wrong())?;
        return if (1..=99).contains(&percent) {
            Ok(SplitAt::Percent(percent))
        } else {
            Err(wrong())
        };
    }
    inputs::moment(text, false)
        .map(SplitAt::Time)
        .map_err(|_| wrong())
}
