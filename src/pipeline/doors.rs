//! From the usage table and the snapshot to the doors around the roles: the report of denied calls, and
//! what the report of a role says of who comes in and goes out.

use std::collections::{BTreeMap, BTreeSet};

use super::apart::apart;
use super::assemble::{tool, window};
use super::fit::{FitOptions, notes, selected};
use super::namesakes::settle;
use super::rows::{reason, timestamp};
use super::scan::Scan;
use crate::access::{self, Around, Inbound, InboundDoor};
use crate::catalog::Catalog;
use crate::grants::Snapshot;
use crate::render::{DeniedReport, DeniedRole, OutsideRow, RoleReport, Status};
use crate::synthesize::Options;
use crate::usage::RoleUsage;

/// Makes the report.
#[must_use]
pub fn denied(
    mut scan: Scan,
    snapshot: &Snapshot,
    options: &FitOptions,
    catalog: &Catalog,
) -> DeniedReport {
    settle(&mut scan, snapshot);
    let arns: Vec<String> = selected(&scan, snapshot, options).into_iter().collect();
    let roles = arns
        .iter()
        .filter_map(|arn| {
            let usage = scan.usage.roles.get(arn)?;
            let role = snapshot.roles.get(arn);
            let denied = access::denied(Around {
                arn,
                role,
                usage,
                changes: &scan.usage.changes,
                catalog,
            });
            (!denied.is_empty()).then(|| DeniedRole {
                arn: arn.clone(),
                in_snapshot: role.is_some(),
                denied,
            })
        })
        .collect();
    DeniedReport {
        schema: "rolefit.denied/1",
        tool: tool(catalog),
        window: window(&scan, options.synthesis.from, options.synthesis.to),
        roles,
        notes: notes(&scan, snapshot, options, &arns),
    }
}

/// Adds what is known of the doors around a role: who may take it, who used it elsewhere, who invokes its
/// functions, and a role for each function where that was asked for.
pub(super) fn add(
    report: &mut RoleReport,
    scan: &Scan,
    snapshot: &Snapshot,
    usage: &RoleUsage,
    options: &FitOptions,
    catalog: &Catalog,
) {
    report.doors.outside = usage
        .outside
        .iter()
        .map(|(key, tally)| OutsideRow {
            agent: key.agent.clone(),
            address: key.address.clone(),
            session: key.session.clone(),
            count: tally.count,
            first_seen: tally.first.map(timestamp),
            last_seen: tally.last.map(timestamp),
            event_ids: tally.event_ids().map(str::to_owned).collect(),
        })
        .collect();
    report.doors.inbound = inbound(&report.arn, scan, snapshot, usage, &options.synthesis);
    let Some(role) = snapshot.roles.get(&report.arn) else {
        return;
    };
    let arns: Vec<&str> = snapshot
        .functions_of(&role.arn)
        .map(|function| function.arn.as_str())
        .collect();
    let lambda = !arns.is_empty() || usage.lambda || role.trusts_lambda();
    if lambda {
        report.doors.trust = access::review_trust(role, &arns);
    }
    for finding in report.doors.trust.clone() {
        if finding.code.alarming() {
            report
                .reasons
                .push(reason(finding.code.as_str(), &finding.message));
            if matches!(report.status, Status::Ready | Status::Unchanged) {
                report.status = Status::Review;
            }
        }
    }
    report.reasons.sort();
    if options.per_function {
        report.doors.per_function = apart(scan, snapshot, role, usage, &options.synthesis, catalog);
    }
}

fn inbound(
    role: &str,
    scan: &Scan,
    snapshot: &Snapshot,
    usage: &RoleUsage,
    options: &Options,
) -> Vec<Inbound> {
    let account = role.split(':').nth(4).unwrap_or_default();
    let partition = role.split(':').nth(1).unwrap_or("aws");
    let mut functions: BTreeMap<String, u64> = snapshot
        .functions_of(role)
        .map(|function| (function.arn.clone(), 0))
        .collect();
    let mut ran = BTreeSet::new();
    for (key, tally) in &usage.functions {
        let arn = format!(
            "arn:{partition}:lambda:{}:{account}:function:{}",
            key.region, key.name
        );
        let started = usage.taken.get(key).map_or(0, |taken| taken.count);
        *functions.entry(arn.clone()).or_default() += started;
        if tally.count > 0 {
            ran.insert(arn);
        }
    }
    functions
        .into_iter()
        .map(|(function, started)| {
            let callers = scan.usage.invoked.get(&function);
            let region = function.split(':').nth(3).unwrap_or_default();
            let place = scan
                .usage
                .coverage
                .of_account(account)
                .find(|(own, _)| *own == region)
                .map(|(_, place)| place);
            let days = place
                .and_then(|place| Some((place.last? - place.first?).div_euclid(86_400)))
                .unwrap_or_default();
            let whole =
                scan.objects.failed_anywhere == 0 && place.is_some_and(|place| place.failed == 0);
            // It ran, and nobody is seen to have invoked it: its invocations are not logged after all.
            let contradicted = callers.is_none() && ran.contains(&function);
            let door = InboundDoor {
                function: &function,
                callers,
                started,
                visible: whole
                    && !contradicted
                    && logged(snapshot, account, region, &function, callers.is_some()),
                long: days >= options.min_window_days,
                policy: snapshot.function_policies.get(&function),
            };
            access::inbound(door)
        })
        .filter(|inbound| {
            inbound.started > 0 || !inbound.callers.is_empty() || !inbound.statements.is_empty()
        })
        .collect()
}

/// Whether invocations of a function are in the input: as the selectors say; without any, only where
/// some were met, since a trail may log some functions and not others.
fn logged(snapshot: &Snapshot, account: &str, region: &str, function: &str, met: bool) -> bool {
    let mut of_account = snapshot
        .selectors
        .iter()
        .filter(|trail| trail.account == account && trail.takes_region(region))
        .peekable();
    if of_account.peek().is_none() {
        return met;
    }
    // Which of the trails delivered the input is not known: all must log them, or some were met.
    met || of_account.all(|trail| trail.logs_data("AWS::Lambda::Function", false, function))
}
