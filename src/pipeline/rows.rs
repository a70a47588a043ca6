//! What the stages found, as rows of the report.

use std::collections::{BTreeMap, BTreeSet};

use crate::diff::Change;
use crate::iam::quota;
use crate::render::{
    DecisionRow, DeniedRow, NoNewAccess, Quota, ReasonRow, Replay, RequestRow, UnmappedRow, Valid,
    Verification, WitnessRow,
};
use crate::synthesize;
use crate::usage::{RoleUsage, Tally};
use crate::verify;

pub(super) fn verification_rows(verification: &verify::Verification) -> Verification {
    let (witness, undecided) = match &verification.no_new_access {
        verify::NoNewAccess::Holds => (None, None),
        verify::NoNewAccess::Fails(w) => (
            Some(WitnessRow {
                action: w.action.clone(),
                resource: w.resource.clone(),
                context: w.context.clone(),
            }),
            None,
        ),
        verify::NoNewAccess::Unknown(why) => (None, Some(why.clone())),
    };
    let replay = &verification.replay;
    Verification {
        no_new_access: NoNewAccess {
            holds: matches!(verification.no_new_access, verify::NoNewAccess::Holds),
            witness,
            reason: undecided,
        },
        replay: Replay {
            requests: replay.requests,
            allowed: replay.allowed,
            denied: replay
                .denied
                .iter()
                .map(|(action, resource)| RequestRow {
                    action: action.clone(),
                    resource: resource.clone(),
                })
                .collect(),
        },
        valid: Valid {
            holds: verification.valid.unknown.is_empty(),
            unknown: verification.valid.unknown.clone(),
        },
        quota: Quota {
            holds: verification.fits(),
            characters: verification.characters,
            limit: quota::INLINE_ROLE,
        },
    }
}

pub(super) fn denied(usage: &RoleUsage) -> Vec<DeniedRow> {
    usage
        .denied()
        .map(|(key, resource, tally, message)| DeniedRow {
            action: key.action.clone(),
            resource: resource.pattern(),
            count: tally.count,
            door: key.door.clone(),
            message: message.to_owned(),
        })
        .collect()
}

pub(super) fn unmapped(usage: &RoleUsage) -> Vec<UnmappedRow> {
    usage
        .unmapped
        .iter()
        .map(|(event, tally)| UnmappedRow {
            event_source: event.event_source.clone(),
            event_name: event.event_name.clone(),
            count: tally.count,
        })
        .collect()
}

/// A decision with what becomes of its action by meaning; `service:*` stands for the actions of the
/// service that `changes` knows.
pub(super) fn decision_row(
    decision: &synthesize::Decision,
    changes: &BTreeMap<String, Change>,
) -> DecisionRow {
    let (actions, change) = match decision.action.strip_suffix('*') {
        Some(service) => {
            let of_service = || {
                changes
                    .range(service.to_owned()..)
                    .take_while(|(action, _)| action.starts_with(service))
                    .map(|(_, change)| *change)
            };
            let stays = of_service().find(|change| *change != Change::Removed);
            (of_service().count(), stays.unwrap_or(Change::Removed))
        }
        None => (
            1,
            changes
                .get(&decision.action)
                .copied()
                .unwrap_or(Change::Removed),
        ),
    };
    let row = row(
        decision.action.clone(),
        decision.verdict.as_str(),
        decision.resources.iter().cloned().collect(),
        &decision.tally,
        decision.functions.iter().cloned().collect(),
        decision.from.iter().cloned().collect(),
        decision.reason.clone(),
    );
    DecisionRow {
        change: change.as_str(),
        actions,
        ..row
    }
}

pub(super) fn row(
    action: String,
    verdict: &'static str,
    resources: Vec<String>,
    tally: &Tally,
    functions: Vec<String>,
    from: Vec<String>,
    reason: String,
) -> DecisionRow {
    DecisionRow {
        action,
        verdict,
        change: Change::Kept.as_str(),
        actions: 1,
        resources,
        count: tally.count,
        first_seen: tally.first.map(timestamp),
        last_seen: tally.last.map(timestamp),
        event_ids: tally.event_ids().map(str::to_owned).collect(),
        functions,
        from,
        reason,
    }
}

/// What a role did, where nothing can be decided about its policies.
pub(super) fn usage_rows(usage: &RoleUsage) -> Vec<DecisionRow> {
    let mut by_action: BTreeMap<String, (Tally, BTreeSet<String>, BTreeSet<String>)> =
        BTreeMap::new();
    for call in usage.calls(true) {
        let (tally, resources, functions) =
            by_action.entry(call.shape.action.to_string()).or_default();
        tally.merge(call.tally);
        resources.insert(call.resource.pattern());
        functions.extend(call.shape.function.clone());
    }
    by_action
        .into_iter()
        .map(|(action, (tally, resources, functions))| {
            row(
                action,
                "used",
                resources.into_iter().collect(),
                &tally,
                functions.into_iter().collect(),
                Vec::new(),
                "seen in the trail; current policies not known".into(),
            )
        })
        .collect()
}

/// ISO 8601 in UTC.
pub(super) fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

pub(super) fn reason(code: &str, message: &str) -> ReasonRow {
    ReasonRow {
        code: code.to_owned(),
        message: message.to_owned(),
    }
}
