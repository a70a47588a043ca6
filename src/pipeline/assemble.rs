//! One role's proposal, verified, as a row of the report; and the report around the rows.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::rows::{
    decision_row, denied, reason, timestamp, unmapped, usage_rows, verification_rows,
};
use super::scan::Scan;
use crate::catalog::Catalog;
use crate::diff::{self, Change};
use crate::grants::{Role, Snapshot};
use crate::iam::{self, Action, NamedPolicy, PolicyDocument, PolicySet, quota};
use crate::render::{
    Bytes, Changes, Current, DocumentRow, Doors, Failure, Input, ManagedPolicyRow, MissingRow,
    Objects, PlaceRow, Proposed, ReasonRow, RecordCounts, RemovedRow, Report, RequestRow, RiskRow,
    RoleReport, Status, Tool, Window,
};
use crate::synthesize::{self, Inputs, Options, Proposal, Verdict};
use crate::usage::RoleUsage;
use crate::verify::{self, Subject};

/// Fits, verifies and describes one role.
pub(super) fn role(
    scan: &Scan,
    snapshot: &Snapshot,
    role: &Role,
    usage: &RoleUsage,
    options: &Options,
    catalog: &Catalog,
) -> RoleReport {
    let current = current(role, catalog);
    let mut report = RoleReport {
        arn: role.arn.clone(),
        status: Status::Refused,
        reasons: Vec::new(),
        functions: functions(role, usage, snapshot),
        current,
        proposed: None,
        verification: None,
        changes: Changes::default(),
        risks: Vec::new(),
        decisions: Vec::new(),
        removed: Vec::new(),
        denied: denied(usage),
        unmapped: unmapped(usage),
        missing: Vec::new(),
        allowed_elsewhere: Vec::new(),
        diff: String::new(),
        doors: Doors::default(),
        current_policies: diff::current_policies(role),
    };
    if !role.problems.is_empty() {
        report.reasons = role
            .problems
            .iter()
            .map(|why| reason("policy-unreadable", why))
            .collect();
        report.decisions = usage_rows(usage);
        return report;
    }
    let inputs = Inputs {
        role,
        usage,
        snapshot,
        coverage: &scan.usage.coverage,
        failed_anywhere: scan.objects.failed_anywhere,
        catalog,
    };
    let proposal = synthesize::synthesize(inputs, options);
    let identity = role.identity();
    let calls = inputs.calls();
    let needs = synthesize::configured_needs(inputs);
    let added = proposal
        .decisions
        .iter()
        .filter(|decision| decision.verdict == Verdict::Added)
        .flat_map(|decision| {
            decision
                .resources
                .iter()
                .map(|resource| (decision.action.clone(), resource.clone()))
        })
        .collect();
    let verification = verify::verify(
        Subject {
            role: &role.arn,
            current: &identity,
            proposed: proposal.document.as_ref(),
            managed: &proposal.managed,
            added: &added,
            calls: &calls,
            needs: &needs,
        },
        catalog,
    );
    report.diff = diff::unified(role, proposal.combined().as_ref());
    report.status = status(&proposal, &verification, &identity);
    report.reasons = proposal
        .reasons
        .iter()
        .map(|r| reason(r.code, &r.message))
        .collect();
    report.reasons.extend(broken_promises(&verification));
    report.proposed = Some(proposed(&proposal, &verification, catalog));
    report.verification = Some(verification_rows(&verification));
    let changes = capabilities(role, &proposal, catalog);
    report.changes = count(&changes);
    report.risks = risk_rows(&changes, catalog);
    report.decisions = proposal
        .decisions
        .iter()
        .map(|decision| decision_row(decision, &changes))
        .collect();
    report.removed = proposal
        .removed
        .iter()
        .map(|r| RemovedRow {
            action: r.action.clone(),
            resource: r.resource.clone(),
            from: r.from.clone(),
            verdict: r.verdict.as_str(),
            reason: r.reason.clone(),
        })
        .collect();
    report.missing = proposal
        .missing
        .iter()
        .map(|m| MissingRow {
            action: m.action.clone(),
            resource: m.resource.clone(),
            feature: m.feature.clone(),
            function: m.function.clone(),
        })
        .collect();
    report.allowed_elsewhere = proposal
        .granted_elsewhere
        .iter()
        .map(|(action, resource)| RequestRow {
            action: action.clone(),
            resource: resource.clone(),
        })
        .collect();
    report
}

/// A role that acts in the logs and is not in the snapshot: its use is told, nothing is proposed.
pub(super) fn unknown_role(
    arn: &str,
    usage: &RoleUsage,
    snapshot: &Snapshot,
    catalog: &Catalog,
) -> RoleReport {
    let _ = catalog;
    let message = if snapshot.roles.is_empty() {
        "no snapshot was given, so its current policies are not known".to_owned()
    } else {
        "it is not in the snapshot, so its current policies are not known; take a new snapshot, or one of its account".to_owned()
    };
    RoleReport {
        arn: arn.to_owned(),
        status: Status::Refused,
        reasons: vec![reason("role-not-in-snapshot", &message)],
        functions: usage
            .function_keys(false)
            .into_iter()
            .map(|function| function.name.clone())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
        current: Current::default(),
        proposed: None,
        verification: None,
        changes: Changes::default(),
        risks: Vec::new(),
        decisions: usage_rows(usage),
        removed: Vec::new(),
        denied: denied(usage),
        unmapped: unmapped(usage),
        missing: Vec::new(),
        allowed_elsewhere: Vec::new(),
        diff: String::new(),
        doors: Doors::default(),
        current_policies: Value::Null,
    }
}

pub(super) fn status(
    proposal: &Proposal,
    verification: &verify::Verification,
    current: &PolicySet,
) -> Status {
    let refused = proposal
        .reasons
        .iter()
        .any(|reason| reason.code == "unseen-refused");
    if refused || !verification.holds() {
        return Status::Refused;
    }
    if proposal.reasons.iter().any(|reason| reason.review) {
        return Status::Review;
    }
    let proposed = PolicySet {
        identity: proposal
            .documents()
            .map(|document| NamedPolicy {
                name: "proposal".into(),
                document: document.clone(),
            })
            .collect(),
        boundary: None,
    };
    // As tight already: the current policies allow nothing that the proposal does not.
    match iam::contained(current, &proposed) {
        iam::Containment::Contained => Status::Unchanged,
        _ => Status::Ready,
    }
}

pub(super) fn broken_promises(verification: &verify::Verification) -> Vec<ReasonRow> {
    let mut rows = Vec::new();
    match &verification.no_new_access {
        verify::NoNewAccess::Holds => {}
        verify::NoNewAccess::Fails(witness) => {
            rows.push(reason(
                "new-access",
                &format!(
                    "the proposal would allow {} on {}, which the current policies do not",
                    witness.action, witness.resource
                ),
            ));
        }
        verify::NoNewAccess::Unknown(why) => rows.push(reason(
            "new-access-undecided",
            &format!("it could not be proven that nothing is widened: {why}"),
        )),
    }
    if let Some((action, resource)) = verification.replay.denied.first() {
        rows.push(reason(
            "replay-denied",
            &format!(
                "{} requests allowed today would be denied, first {action} on {resource}",
                verification.replay.denied.len()
            ),
        ));
    }
    if let Some(first) = verification.valid.unknown.first() {
        rows.push(reason(
            "invalid-policy",
            &format!(
                "{} names in the proposal are not valid, first `{first}`",
                verification.valid.unknown.len()
            ),
        ));
    }
    if !verification.fits() {
        rows.push(reason(
            "over-quota",
            &format!(
                "the proposal has {} characters, the limit for inline policies of a role is {}, and {} managed policies of {} do not hold the rest",
                verification.characters,
                quota::INLINE_ROLE,
                quota::MANAGED_PER_ROLE,
                quota::MANAGED
            ),
        ));
    }
    rows
}

fn current(role: &Role, catalog: &Catalog) -> Current {
    let documents: Vec<&PolicyDocument> =
        role.policies.iter().map(|p| &p.policy.document).collect();
    let allowed = diff::allowed_actions(&documents, catalog);
    let mut rows: Vec<DocumentRow> = role
        .policies
        .iter()
        .map(|p| DocumentRow {
            name: p.policy.name.clone(),
            kind: p.kind.as_str().to_owned(),
            arn: p.arn.clone(),
        })
        .collect();
    rows.extend(role.boundary.iter().map(|b| DocumentRow {
        name: b.name.clone(),
        kind: "boundary".into(),
        arn: Some(b.name.clone()),
    }));
    Current {
        documents: rows,
        allowed_actions: allowed.len(),
        sensitive_actions: sensitive(&allowed, catalog),
        characters: documents
            .iter()
            .map(|document| quota::characters(document))
            .sum(),
    }
}

fn sensitive(actions: &BTreeSet<String>, catalog: &Catalog) -> usize {
    actions
        .iter()
        .filter(|action| !catalog.risk(&Action::new(action)).is_empty())
        .count()
}

pub(super) fn proposed(
    proposal: &Proposal,
    verification: &verify::Verification,
    catalog: &Catalog,
) -> Proposed {
    let documents: Vec<&PolicyDocument> = proposal.documents().collect();
    let allowed = diff::allowed_actions(&documents, catalog);
    Proposed {
        policy: proposal.document.as_ref().map(PolicyDocument::to_value),
        allowed_actions: allowed.len(),
        sensitive_actions: sensitive(&allowed, catalog),
        characters: verification.characters + verification.managed.iter().sum::<usize>(),
        managed_policies: proposal
            .managed
            .iter()
            .map(|policy| ManagedPolicyRow {
                name: policy.name.clone(),
                characters: quota::characters(&policy.document),
                policy: policy.document.to_value(),
            })
            .collect(),
        statement_reasons: proposal.statement_reasons.clone(),
        granularity: proposal.granularity.as_str().to_owned(),
    }
}

fn capabilities(role: &Role, proposal: &Proposal, catalog: &Catalog) -> BTreeMap<String, Change> {
    let current: Vec<&PolicyDocument> = role.policies.iter().map(|p| &p.policy.document).collect();
    let proposed: Vec<&PolicyDocument> = proposal.documents().collect();
    diff::capabilities(&current, &proposed, catalog)
}

fn count(changes: &BTreeMap<String, Change>) -> Changes {
    let of = |wanted| changes.values().filter(|change| **change == wanted).count();
    Changes {
        removed: of(Change::Removed),
        narrowed: of(Change::Narrowed),
        kept: of(Change::Kept),
        added: of(Change::Added),
    }
}

fn risk_rows(changes: &BTreeMap<String, Change>, catalog: &Catalog) -> Vec<RiskRow> {
    diff::risks(changes, catalog)
        .into_iter()
        .map(|risk| RiskRow {
            class: risk.class.as_str(),
            closed: risk.closed,
            narrowed: risk.narrowed,
            open: risk.open,
        })
        .collect()
}

fn functions(role: &Role, usage: &RoleUsage, snapshot: &Snapshot) -> Vec<String> {
    let mut names: BTreeSet<String> = usage
        .function_keys(role.trusts_lambda())
        .into_iter()
        .map(|function| function.name.clone())
        .collect();
    names.extend(
        snapshot
            .functions_of(&role.arn)
            .map(|function| function.name.clone()),
    );
    names.into_iter().collect()
}

/// The report around the roles.
pub(super) fn report(
    scan: &Scan,
    roles: Vec<RoleReport>,
    notes: Vec<ReasonRow>,
    options: &Options,
    catalog: &Catalog,
) -> Report {
    let all = &scan.usage.records;
    let mut records = RecordCounts {
        read: all.read,
        duplicate: all.duplicate,
        undecodable: all.undecodable,
        ..RecordCounts::default()
    };
    for usage in roles
        .iter()
        .filter_map(|role| scan.usage.roles.get(&role.arn))
    {
        records.used += usage.records.used;
        records.denied += usage.records.denied;
        records.platform += usage.records.platform;
    }
    records.foreign = all.read
        - all.duplicate
        - all.undecodable
        - records.used
        - records.denied
        - records.platform;
    let objects = &scan.objects;
    Report {
        schema: "rolefit.report/1",
        tool: tool(catalog),
        window: window(scan, options.from, options.to),
        input: Input {
            objects: Objects {
                listed: objects.listed,
                read: objects.read,
                skipped: objects.skipped_total(),
                failed: objects.failed.len() as u64,
                skipped_reasons: objects.skipped.clone(),
                failures: objects
                    .failed
                    .iter()
                    .map(|(object, reason)| Failure {
                        object: object.clone(),
                        reason: reason.clone(),
                    })
                    .collect(),
            },
            records,
            bytes: Bytes {
                compressed: objects.compressed,
                inflated: objects.inflated,
            },
            coverage: coverage(scan),
        },
        roles,
        notes,
    }
}

/// What made a report.
pub(super) fn tool(catalog: &Catalog) -> Tool {
    Tool {
        version: env!("CARGO_PKG_VERSION"),
        catalog: catalog.version().to_owned(),
    }
}

/// What the user asked for, else the first and last event.
pub(super) fn window(scan: &Scan, from: Option<i64>, to: Option<i64>) -> Window {
    let window = scan.usage.coverage.window();
    Window {
        from: from.or(window.map(|(first, _)| first)).map(timestamp),
        to: to.or(window.map(|(_, last)| last)).map(timestamp),
    }
}

fn coverage(scan: &Scan) -> Vec<PlaceRow> {
    scan.usage
        .coverage
        .places()
        .map(|(account, region, place)| PlaceRow {
            account: account.to_owned(),
            region: region.to_owned(),
            from: place.first.map(timestamp),
            to: place.last.map(timestamp),
            days: place.days.len(),
            management_reads: place.management_reads,
            management_writes: place.management_writes,
            data_types: place.data_types.keys().cloned().collect(),
            failed: place.failed,
        })
        .collect()
}
