//! What goes, with its reasons: one row per action and grant, folded where a whole service goes.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::{Removed, Verdict};
use crate::catalog::ActionFacts;

/// What goes, one row per action and grant, folded where a whole service goes.
pub(super) fn record_removed(draft: &mut Draft<'_>) {
    let mut services: BTreeMap<&str, Vec<(&ActionFacts, &Vec<usize>)>> = BTreeMap::new();
    for (facts, grants) in draft.granted.actions.values() {
        services
            .entry(facts.action.service())
            .or_default()
            .push((facts, grants));
    }
    let mut rows = BTreeSet::new();
    for (service, actions) in services {
        let gone = |facts: &ActionFacts| {
            draft
                .kept
                .get(facts.action.as_str())
                .and_then(|kept| kept.verdict)
                .filter(|v| {
                    matches!(
                        v,
                        Verdict::Unused | Verdict::Undecided | Verdict::DeniedOnly
                    )
                })
        };
        let first = actions
            .first()
            .and_then(|(facts, grants)| Some((gone(facts)?, *grants)));
        let whole = actions.len() > 1
            && actions.len() == draft.inputs.catalog.service_actions(service).len();
        if let Some((verdict, grants)) = first
            && whole
            && actions
                .iter()
                .all(|(facts, g)| gone(facts) == Some(verdict) && *g == grants)
        {
            let reason = service_reason(draft, service, verdict);
            rows.extend(rows_of(
                draft,
                &format!("{service}:*"),
                grants,
                verdict,
                &reason,
            ));
            continue;
        }
        for (facts, grants) in actions {
            if let (Some(verdict), Some(kept)) =
                (gone(facts), draft.kept.get(facts.action.as_str()))
            {
                rows.extend(rows_of(
                    draft,
                    facts.action.as_str(),
                    grants,
                    verdict,
                    &kept.reason,
                ));
            }
        }
    }
    draft.removed.extend(rows);
}

fn rows_of(
    draft: &Draft<'_>,
    action: &str,
    grants: &[usize],
    verdict: Verdict,
    reason: &str,
) -> Vec<Removed> {
    let row = |label: &str, resource: String| Removed {
        action: action.to_owned(),
        resource,
        from: label.to_owned(),
        verdict,
        reason: reason.to_owned(),
    };
    grants
        .iter()
        .map(|&g| &draft.granted.grants[g])
        .flat_map(|grant| {
            grant
                .resources()
                .into_iter()
                .map(|resource| row(&grant.label, resource))
        })
        .collect()
}

/// The reason for a whole service.
pub(super) fn service_reason(draft: &Draft<'_>, service: &str, verdict: Verdict) -> String {
    let report = draft
        .inputs
        .snapshot
        .last_accessed
        .get(&draft.inputs.role.arn);
    match (verdict, report) {
        (Verdict::Undecided, _) => format!(
            "no call of {service} in {} days; not all of its calls are visible and nothing else speaks for it",
            draft.view.days()
        ),
        (_, Some(report)) if !report.accessed(service) => {
            format!(
                "no call of {service} in {} days, and service last accessed shows no attempt in its tracking period",
                draft.view.days()
            )
        }
        _ => format!("no call of {service} in {} days", draft.view.days()),
    }
}

/// Names that no catalog action matches cannot be proposed; they go, and a person is told.
pub(super) fn unknown_actions(draft: &mut Draft<'_>) {
    let unknown: Vec<(String, usize)> = draft.granted.unknown.clone();
    let mut names = BTreeSet::new();
    for (name, g) in unknown {
        let retired = draft.inputs.catalog.retired(&name).is_some();
        let (verdict, reason) = if retired {
            (Verdict::Unused, "AWS retired this action".to_owned())
        } else {
            names.insert(name.clone());
            (
                Verdict::Undecided,
                format!(
                    "no action of this name is in the catalog of {}",
                    draft.inputs.catalog.version()
                ),
            )
        };
        let rows = rows_of(draft, &name, &[g], verdict, &reason);
        draft.removed.extend(rows);
    }
    if !names.is_empty() {
        let names: Vec<String> = names.into_iter().collect();
        draft.reason(
            "unknown-actions",
            true,
            format!(
                "the current policies name actions that the catalog does not know: {}",
                names.join(", ")
            ),
        );
    }
}
