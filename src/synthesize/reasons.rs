//! Why a person should look: what the input as a whole, the role's age and the trail leave open.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::identity;
use super::visible::{Gap, date, date_of};

/// Reasons that come from the input as a whole.
pub(super) fn input_reasons(draft: &mut Draft<'_>) {
    let role = draft.inputs.role;
    let usage = draft.inputs.usage;
    if !draft.view.covered() {
        let emptied = if draft.view.delivered() {
            "; log objects are there for it, with nothing in them"
        } else {
            ""
        };
        draft.reason(
            "account-not-covered",
            true,
            format!(
                "the input has no events of account {}: nothing was removed for want of use{emptied}",
                role.account
            ),
        );
    } else if usage.seen.count == 0 && draft.inputs.calls().is_empty() {
        draft.reason(
            "unused-role",
            true,
            format!(
                "no event of this role in {} days of its account's trail",
                draft.view.days()
            ),
        );
    }
    if let Some(missing) = draft.view.missing() {
        let message = format!("{missing}: what is not seen is kept");
        draft.reason("partial-input", true, message);
    }
    time_reasons(draft);
    age_reasons(draft);
    trail_reasons(draft);
    silent_functions(draft);
    if !draft.options.regions.is_empty() {
        let message = format!(
            "only events of {} were looked at: what the role does elsewhere is not seen",
            draft.options.regions.join(", ")
        );
        draft.reason("region-selection", true, message);
    }
    identity::reasons(draft);
    for note in draft.inputs.snapshot.notes_for(&role.name) {
        let message = format!("{}: {}", note.file, note.message);
        draft.reason("snapshot-incomplete", true, message);
    }
    let copies: Vec<&str> = role
        .policies
        .iter()
        .filter(|p| p.from_catalog)
        .map(|p| p.policy.name.as_str())
        .collect();
    if !copies.is_empty() {
        let message = format!(
            "the snapshot has no document of {}: the catalog's copy of the AWS managed policy was compared with",
            copies.join(", ")
        );
        draft.reason("policy-from-catalog", true, message);
    }
    let denied: u64 = usage.records.denied;
    if denied > 0 {
        draft.reason(
            "denied-calls",
            false,
            format!("{denied} calls were denied; denied calls grant nothing"),
        );
    }
    if !draft.granted_elsewhere.is_empty() {
        let message = format!(
            "{} used (action, resource) pairs are not allowed by the role's own policies today, so they are not added",
            draft.granted_elsewhere.len()
        );
        draft.reason("allowed-elsewhere", false, message);
    }
    if !draft.missing.is_empty() {
        let features: BTreeSet<&str> = draft
            .missing
            .iter()
            .map(|need| need.feature.as_str())
            .collect();
        let features: Vec<&str> = features.into_iter().collect();
        draft.reason(
            "missing-need",
            false,
            format!(
                "the configuration needs permissions that the role lacks today ({})",
                features.join(", ")
            ),
        );
    }
}

/// Windows that are short, and days of them without events.
fn time_reasons(draft: &mut Draft<'_>) {
    let days = draft.view.days();
    if draft.view.covered() && days < draft.options.min_window_days {
        draft.reason(
            "short-window",
            true,
            format!(
                "the input covers {days} days, less than the {} that rare work needs",
                draft.options.min_window_days
            ),
        );
    }
    let gaps = draft.view.time.gaps.clone();
    if let Some(longest) = gaps.iter().max_by_key(|gap| (gap.days(), -gap.from)) {
        let missing: i32 = gaps.iter().map(Gap::days).sum();
        let more = if gaps.len() > 1 {
            format!("; {} such stretches, {missing} days in all", gaps.len())
        } else {
            String::new()
        };
        let emptied = if longest.emptied {
            ", though log objects without records are there"
        } else {
            ""
        };
        let stretch = if longest.days() == 1 {
            format!("on {}", date(longest.from))
        } else {
            format!(
                "on {} days, from {} to {}",
                longest.days(),
                date(longest.from),
                date(longest.to)
            )
        };
        let message = format!(
            "the input has no events of this account in {} {stretch}{emptied}{more}: what was done then is not seen",
            longest.region
        );
        draft.reason("missing-days", true, message);
    }
    let uncovered = draft.view.uncovered_regions();
    if draft.view.covered() && !uncovered.is_empty() {
        let message = format!(
            "functions of the role run in {}, of which the input has no events",
            uncovered.join(", ")
        );
        draft.reason("region-not-covered", true, message);
    }
}

/// Roles and grants that are younger than the window: they had no time to be used.
fn age_reasons(draft: &mut Draft<'_>) {
    let (Some(first), Some(last)) = (draft.view.time.first, draft.view.time.last) else {
        return;
    };
    let role = draft.inputs.role;
    if let Some(created) = role.created.filter(|created| *created > first) {
        let age = (last - created).div_euclid(86_400).max(0);
        let message = format!(
            "the role was made on {}, after the window began: {age} days show what it does",
            date_of(created)
        );
        draft.reason("young-role", true, message);
    }
    let young: Vec<String> = role
        .policies
        .iter()
        .filter_map(|policy| Some((&policy.policy.name, policy.since?)))
        .filter(|(_, since)| *since > first)
        .map(|(name, since)| format!("{name} since {}", date_of(since)))
        .collect();
    if !young.is_empty() {
        let message = format!(
            "policies have their text only for part of the window, so what they grant had less time to be used: {}",
            young.join(", ")
        );
        draft.reason("young-grant", true, message);
    }
}

/// Trails that may have missed something.
fn trail_reasons(draft: &mut Draft<'_>) {
    if let Some(regions) = draft.view.single_regions() {
        let message = format!(
            "the account's trails take events of {} alone: calls in other Regions are not seen",
            regions.join(", ")
        );
        draft.reason("single-region-trail", true, message);
    }
    let changes: Vec<String> = draft
        .view
        .trail_changes()
        .into_iter()
        .map(|(name, time)| format!("{name} on {}", date_of(time)))
        .collect();
    if !changes.is_empty() {
        let message = format!(
            "a trail was changed in the window, so it may not have logged the same all along: {}",
            changes.join(", ")
        );
        draft.reason("trail-changed", true, message);
    }
}

/// Where several functions share the role, one that did not run leaves no trace of what it needs.
fn silent_functions(draft: &mut Draft<'_>) {
    let inputs = draft.inputs;
    let calls = inputs.calls();
    let mut seen: BTreeSet<&str> = inputs
        .functions()
        .into_iter()
        .map(|function| function.name.as_str())
        .collect();
    seen.extend(
        calls
            .iter()
            .filter_map(|call| call.shape.function.as_deref()),
    );
    let described: BTreeSet<&str> = inputs
        .snapshot
        .functions_of(&inputs.role.arn)
        .map(|function| function.name.as_str())
        .collect();
    let silent: Vec<&str> = described.difference(&seen).copied().collect();
    if described.len() > 1 && !silent.is_empty() && inputs.usage.seen.count > 0 {
        let message = format!(
            "{} of the {} functions that share the role did not run in the window: {}",
            silent.len(),
            described.len(),
            silent.join(", ")
        );
        draft.reason("silent-function", true, message);
    }
}
