//! From the usage table and the snapshot to the report.

use std::collections::BTreeSet;

use rayon::ThreadPool;
use rayon::prelude::*;

use super::assemble;
use super::doors;
use super::namesakes::settle;
use super::scan::Scan;
use crate::catalog::Catalog;
use crate::grants::Snapshot;
use crate::iam::pattern;
use crate::render::{ReasonRow, Report, RoleReport};
use crate::synthesize::Options;
use crate::usage::RoleUsage;

/// Which roles are fitted, and how.
#[derive(Clone, Debug, Default)]
pub struct FitOptions {
    /// Choices of the synthesis.
    pub synthesis: Options,
    /// Name or ARN patterns; these roles are looked at whether Lambda uses them or not.
    pub roles: Vec<String>,
    /// Every role of the snapshot and the logs.
    pub all_roles: bool,
    /// Only roles of these accounts; empty for all.
    pub accounts: Vec<String>,
    /// Count use of a role's credentials outside Lambda.
    pub include_outside: bool,
    /// A role for each function that shares one.
    pub per_function: bool,
}

/// Makes the report.
#[must_use]
pub fn fit(
    mut scan: Scan,
    snapshot: &Snapshot,
    options: &FitOptions,
    catalog: &Catalog,
    pool: &ThreadPool,
) -> Report {
    let told = settle(&mut scan, snapshot);
    if options.include_outside {
        for usage in scan.usage.roles.values_mut() {
            usage.count_outside = true;
        }
    }
    let scan = &scan;
    let arns: Vec<String> = selected(scan, snapshot, options).into_iter().collect();
    let none = RoleUsage::default();
    let roles: Vec<RoleReport> = pool.install(|| {
        arns.par_iter()
            .map(|arn| {
                let usage = scan.usage.roles.get(arn).unwrap_or(&none);
                let mut report = match snapshot.roles.get(arn) {
                    Some(role) => {
                        assemble::role(scan, snapshot, role, usage, &options.synthesis, catalog)
                    }
                    None => assemble::unknown_role(arn, usage, snapshot, catalog),
                };
                doors::add(&mut report, scan, snapshot, usage, options, catalog);
                for told in told.get(arn).into_iter().flatten() {
                    told.add_to(&mut report);
                }
                report
            })
            .collect()
    });
    assemble::report(
        scan,
        roles,
        notes(scan, snapshot, options, &arns),
        &options.synthesis,
        catalog,
    )
}

/// The roles of the snapshot of which [`fit`] needs no more than to know whether Lambda uses them: what
/// [`crate::pipeline::scan_passing_over`] may pass over.
#[must_use]
pub fn passed_over(snapshot: &Snapshot, options: &FitOptions) -> BTreeSet<String> {
    let functions: BTreeSet<&str> = snapshot
        .functions
        .iter()
        .map(|function| function.role.as_str())
        .collect();
    let roles = snapshot.roles.iter().filter(|(arn, role)| {
        !options.all_roles
            && !role.trusts_lambda()
            && !functions.contains(arn.as_str())
            && !options.roles.iter().any(|wanted| names(wanted, arn))
    });
    roles.map(|(arn, _)| arn.clone()).collect()
}

/// The roles to look at: what the user named, else what Lambda uses by trust policy, by a session that
/// Lambda took, or by credentials issued to a function.
pub(super) fn selected(scan: &Scan, snapshot: &Snapshot, options: &FitOptions) -> BTreeSet<String> {
    let of_account = |arn: &str| {
        options.accounts.is_empty()
            || options
                .accounts
                .iter()
                .any(|account| arn.split(':').nth(4) == Some(account))
    };
    let known = snapshot
        .roles
        .keys()
        .chain(scan.usage.roles.keys())
        .filter(|arn| of_account(arn));
    if !options.roles.is_empty() {
        return known
            .filter(|arn| options.roles.iter().any(|wanted| names(wanted, arn)))
            .cloned()
            .collect();
    }
    known
        .filter(|arn| {
            options.all_roles
                || snapshot
                    .roles
                    .get(*arn)
                    .is_some_and(crate::grants::Role::trusts_lambda)
                || snapshot
                    .functions
                    .iter()
                    .any(|function| function.role == **arn)
                || scan.usage.roles.get(*arn).is_some_and(|usage| usage.lambda)
        })
        .cloned()
        .collect()
}

/// Whether a pattern that a user typed names the role, by its ARN or its name.
#[must_use]
pub fn names(wanted: &str, arn: &str) -> bool {
    pattern::matches(wanted, arn) || pattern::matches(wanted, arn.rsplit('/').next().unwrap_or(arn))
}

pub(super) fn notes(
    scan: &Scan,
    snapshot: &Snapshot,
    options: &FitOptions,
    arns: &[String],
) -> Vec<ReasonRow> {
    let note = |code: &str, message: String| ReasonRow {
        code: code.to_owned(),
        message,
    };
    let mut notes = Vec::new();
    for (object, reason) in scan.objects.failed.iter().take(5) {
        notes.push(note("object-failed", format!("{object}: {reason}")));
    }
    if scan.objects.failed.len() > 5 {
        notes.push(note(
            "object-failed",
            format!(
                "and {} more, listed in report.json",
                scan.objects.failed.len() - 5
            ),
        ));
    }
    for snapshot_note in &snapshot.notes {
        notes.push(note(
            "snapshot-incomplete",
            format!("{}: {}", snapshot_note.file, snapshot_note.message),
        ));
    }
    notes.extend(
        scan.remarks
            .iter()
            .map(|remark| note("digests", remark.clone())),
    );
    if scan.objects.uncovered > 0 {
        notes.push(note(
            "uncovered-events",
            format!(
                "{} records of {} log objects count though no digest vouches for them: whoever can write to the bucket may have planted them; --require-digests leaves them out",
                scan.objects.uncovered_records, scan.objects.uncovered
            ),
        ));
    }
    if !scan.exact {
        notes.push(note(
            "dedupe-inexact",
            "more events than are remembered: copies delivered far apart may have counted twice"
                .into(),
        ));
    }
    for wanted in options
        .roles
        .iter()
        .filter(|wanted| !arns.iter().any(|arn| names(wanted, arn)))
    {
        notes.push(note(
            "no-such-role",
            format!("no role matches `{wanted}`, neither in the snapshot nor in the logs"),
        ));
    }
    notes
}
