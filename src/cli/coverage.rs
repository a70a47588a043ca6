//! `rolefit coverage`.

use std::collections::BTreeSet;
use std::io::{self, BufWriter, Write};

use super::args::{self, CoverageArgs, RoleArgs};
use super::{Exit, Fault, fit, inputs, say, stored};
use crate::catalog::Catalog;
use crate::grants::{Concern, Snapshot};
use crate::pipeline::{FitOptions, Scan, coverage};
use crate::read::Selection;
use crate::render::{write_coverage_text, write_json};
use crate::synthesize::Options;

/// What `coverage` and `explain` have read.
pub(super) struct Read {
    pub(super) scan: Scan,
    pub(super) snapshot: Snapshot,
    pub(super) options: FitOptions,
    pub(super) catalog: &'static Catalog,
    pub(super) pool: rayon::ThreadPool,
    /// Something could not be read.
    pub(super) incomplete: bool,
}

pub(super) fn run(args: &CoverageArgs) -> Result<Exit, Fault> {
    let read = read(&args.logs, &args.roles)?;
    let incomplete = read.incomplete;
    let report = coverage(
        read.scan,
        &read.snapshot,
        &read.options,
        read.catalog,
        &read.pool,
    );
    let mut out = BufWriter::new(io::stdout().lock());
    match args.output {
        args::Output::Json => write_json(&report, &mut out)?,
        args::Output::Text => write_coverage_text(&report, &mut out)?,
    }
    out.flush()?;
    Ok(if incomplete {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}

/// Reads logs and snapshot, and says what of them could not be read.
pub(super) fn read(logs: &args::LogArgs, roles: &RoleArgs) -> Result<Read, Fault> {
    let pool = inputs::pool(&logs.run)?;
    let catalog = inputs::catalog(logs.run.catalog.as_deref())?;
    let snapshot = fit::snapshot(
        roles.account.snapshot.as_deref(),
        &roles.account.account_details,
        catalog,
    )?;
    let excluded: Vec<_> = roles.account.snapshot.iter().cloned().collect();
    let input = stored::input(logs, &excluded, catalog, &pool)?;
    let selection = input.selection().clone();
    let scan = input.scan(&BTreeSet::new(), catalog, &pool)?;
    fit::nothing_read(logs, &scan)?;
    for (object, reason) in scan.objects.failed.iter().take(5) {
        say("warning", &format!("{object}: {reason}"));
    }
    let incomplete = !scan.objects.failed.is_empty()
        || scan.usage.records.undecodable > 0
        || snapshot
            .notes
            .iter()
            .any(|note| note.concern != Concern::Nobody);
    Ok(Read {
        options: options(logs, roles, &selection),
        scan,
        snapshot,
        catalog,
        pool,
        incomplete,
    })
}

/// What `fit` does unless it is told otherwise.
fn options(logs: &args::LogArgs, roles: &RoleArgs, selection: &Selection) -> FitOptions {
    FitOptions {
        synthesis: Options {
            regions: selection.regions.iter().cloned().collect(),
            from: selection.from,
            to: selection.to,
            ..Options::default()
        },
        roles: roles.role.clone(),
        all_roles: roles.all_roles,
        accounts: logs.selection.account.clone(),
        ..FitOptions::default()
    }
}
