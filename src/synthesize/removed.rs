//! What goes, with its reasons: one row per action and grant, folded where a whole service goes.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::{Removed, Verdict};

/// Services of which nothing at all stays, though every action is granted, and by the same grants:
/// service → the verdict and the grants. Undecided actions among unused ones leave the whole undecided.
pub(super) fn whole_services<'d>(
    draft: &'d Draft<'_>,
) -> BTreeMap<&'d str, (Verdict, &'d [usize])> {
    type Whole<'d> = Option<(usize, Verdict, &'d [usize])>;
    let mut services: BTreeMap<&str, Whole<'_>> = BTreeMap::new();
    for (action, (facts, grants)) in &draft.granted.actions {
        let gone = match draft.kept.get(*action).and_then(|kept| kept.verdict) {
            Some(verdict @ (Verdict::Unused | Verdict::Undecided)) => Some(verdict),
            _ => None,
        };
        let whole = services
            .entry(facts.action.service())
            .or_insert_with(|| Some((0, Verdict::Unused, grants)));
        *whole = match (*whole, gone) {
            (Some((count, verdict, of)), Some(gone)) if of == grants.as_slice() => {
                Some((count + 1, verdict.max(gone), of))
            }
            _ => None,
        };
    }
    services
        .into_iter()
        .filter_map(|(service, whole)| {
            let (count, verdict, grants) = whole?;
            let all = count > 1 && count == draft.inputs.catalog.service_actions(service).len();
            all.then_some((service, (verdict, grants)))
        })
        .collect()
}

/// What goes, one row per action and grant, folded where a whole service goes.
pub(super) fn record_removed(draft: &mut Draft<'_>) {
    let mut rows = BTreeSet::new();
    let whole = whole_services(draft);
    for (service, (verdict, grants)) in &whole {
        let reason = service_reason(draft, service, *verdict);
        rows.extend(rows_of(
            draft,
            &format!("{service}:*"),
            grants,
            *verdict,
            &reason,
        ));
    }
    for (action, (facts, grants)) in &draft.granted.actions {
        let Some(kept) = draft
            .kept
            .get(*action)
            .filter(|_| !whole.contains_key(facts.action.service()))
        else {
            continue;
        };
        if let Some(verdict @ (Verdict::Unused | Verdict::Undecided | Verdict::DeniedOnly)) =
            kept.verdict
        {
            rows.extend(rows_of(draft, action, grants, verdict, &kept.reason));
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
