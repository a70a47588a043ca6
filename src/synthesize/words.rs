//! Shorter words for what stays: a grant's own, or a whole service's.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::{Emit, Target, Verdict};
use crate::iam::ActionMatch;

/// Where part of the input is missing, a service of which every action stays is kept as a whole.
pub(super) fn whole_services(draft: &Draft<'_>, emits: Vec<Emit>) -> Vec<Emit> {
    let mut services: BTreeMap<(String, Target), Vec<Emit>> = BTreeMap::new();
    for emit in emits {
        let service = emit.action.split(':').next().unwrap_or_default().to_owned();
        services
            .entry((service, emit.target.clone()))
            .or_default()
            .push(emit);
    }
    let mut out = Vec::new();
    for ((service, _), mut emits) in services {
        if emits.len() > 1 && emits.len() == draft.inputs.catalog.service_actions(&service).len() {
            emits.truncate(1);
            emits[0].action = format!("{service}:*");
        }
        out.append(&mut emits);
    }
    out
}

/// A grant of which everything stays is kept in its own words: `s3:*` is shorter than its 180 actions,
/// and no wider than today.
pub(super) fn as_granted(draft: &Draft<'_>, g: usize, emits: Vec<Emit>) -> Vec<Emit> {
    let grant = &draft.granted.grants[g];
    let ActionMatch::Action(list) = &grant.statement.actions else {
        return emits;
    };
    let verdict = emits.first().map_or(Verdict::Unseen, |emit| emit.verdict);
    if emits.iter().any(|emit| emit.verdict != verdict) {
        return emits;
    }
    let unknown = draft.granted.unknown.iter().any(|(_, of)| *of == g);
    let Some(first) = emits
        .first()
        .filter(|_| !unknown && list.len() < emits.len())
    else {
        return emits;
    };
    let reasons: BTreeSet<&str> = emits.iter().map(|emit| emit.reason.as_str()).collect();
    let reason = if reasons.len() == 1 {
        first.reason.clone()
    } else {
        "nothing that it allows can be seen to be unused".to_owned()
    };
    let emit = |action: &String, target: Target| Emit {
        action: action.clone(),
        target,
        conditions: first.conditions.clone(),
        verdict,
        reason: reason.clone(),
    };
    grant
        .targets()
        .into_iter()
        .flat_map(|target| list.iter().map(move |action| (action, target.clone())))
        .map(|(action, target)| emit(action, target))
        .collect()
}
