//! The order of decisions for one role: used, configured, neighbours, and then everything else that is
//! granted today.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::granted::Granted;
use super::patterns::Granularity;
use super::removed::{service_reason, whole_services};
use super::visible::View;
use super::{Decision, Evidence, Inputs, Options, Proposal, UnseenRule, Verdict};
use super::{needs, pack, reasons, rest, used};
use crate::iam::pattern;

/// Makes the proposal at one granularity.
pub(super) fn propose(inputs: Inputs<'_>, options: &Options, granularity: Granularity) -> Proposal {
    let mut draft = explained(inputs, options, granularity);
    rest::decide_rest(&mut draft);
    reasons::input_reasons(&mut draft);
    finish(draft)
}

/// The draft with what the trail and the configuration ask for.
pub(super) fn explained<'a>(
    inputs: Inputs<'a>,
    options: &'a Options,
    granularity: Granularity,
) -> Draft<'a> {
    let mut draft = Draft {
        inputs,
        options,
        granularity,
        granted: Granted::new(inputs.role, inputs.catalog),
        view: View::new(inputs, options),
        emits: Vec::new(),
        kept: BTreeMap::new(),
        removed: BTreeSet::new(),
        missing: BTreeSet::new(),
        granted_elsewhere: BTreeSet::new(),
        reasons: Vec::new(),
    };
    used::keep_used(&mut draft);
    needs::keep_needs(&mut draft);
    draft
}

fn finish(mut draft: Draft<'_>) -> Proposal {
    if draft.options.unseen == UnseenRule::Drop {
        draft.emits.retain(|emit| emit.verdict != Verdict::Unseen);
    }
    let packed = pack::pack(
        std::mem::take(&mut draft.emits),
        &draft.granted.denies,
        draft.inputs.catalog,
    );
    let mut decisions: Vec<Decision> = Vec::new();
    let kept_resources = KeptResources::new(&packed.allowed);
    let denied = denied_evidence(&draft);
    for (action, kept) in &draft.kept {
        let Some(verdict) = kept.verdict else {
            continue;
        };
        let from = match draft.granted.actions.get(action.as_str()) {
            Some((_, grants)) => grants
                .iter()
                .map(|&g| draft.granted.grants[g].label.clone())
                .collect(),
            None => BTreeSet::new(),
        };
        decisions.push(Decision {
            action: action.clone(),
            verdict,
            resources: kept_resources.of(action),
            tally: if verdict == Verdict::DeniedOnly {
                denied.get(action).cloned().unwrap_or_default()
            } else {
                kept.tally.clone()
            },
            functions: kept.functions.clone(),
            from,
            reason: kept.reason.clone(),
        });
    }
    let decisions = fold_services(decisions, &draft);
    draft.reasons.sort();
    Proposal {
        document: packed.document,
        managed: Vec::new(),
        statement_reasons: packed.reasons,
        decisions,
        removed: draft.removed.into_iter().collect(),
        missing: draft.missing.into_iter().collect(),
        granted_elsewhere: draft.granted_elsewhere,
        reasons: draft.reasons,
        granularity: draft.granularity,
    }
}

/// What the proposal keeps, by action; a grant kept in its own words names actions by wildcards.
struct KeptResources<'p> {
    exact: BTreeMap<&'p str, BTreeSet<&'p str>>,
    wildcards: Vec<(&'p str, &'p str)>,
}

impl<'p> KeptResources<'p> {
    fn new(allowed: &'p BTreeSet<(String, String)>) -> Self {
        let mut kept = Self {
            exact: BTreeMap::new(),
            wildcards: Vec::new(),
        };
        for (action, resource) in allowed {
            if action.contains(['*', '?']) {
                kept.wildcards.push((action, resource));
            } else {
                kept.exact.entry(action).or_default().insert(resource);
            }
        }
        kept
    }

    fn of(&self, action: &str) -> BTreeSet<String> {
        let exact = self.exact.get(action).into_iter().flatten().copied();
        let wild = self
            .wildcards
            .iter()
            .filter(|(named, _)| pattern::matches_ignore_case(named, action))
            .map(|(_, resource)| *resource);
        exact.chain(wild).map(str::to_owned).collect()
    }
}

fn denied_evidence(draft: &Draft<'_>) -> Evidence {
    let mut evidence = Evidence::new();
    for (key, _, tally, _) in draft.inputs.usage.denied() {
        let action = draft
            .inputs
            .catalog
            .action(&key.action)
            .map_or_else(|| key.action.clone(), |facts| facts.action.to_string());
        evidence.entry(action).or_default().merge(tally);
    }
    evidence
}

/// One line for a service of which nothing stays: `AdministratorAccess` grants 22,000 actions, and nobody
/// reads as many lines.
fn fold_services(decisions: Vec<Decision>, draft: &Draft<'_>) -> Vec<Decision> {
    let whole = whole_services(draft);
    let mut out: Vec<Decision> = Vec::new();
    for mut decision in decisions {
        let service = decision.action.split(':').next().unwrap_or_default();
        let Some((verdict, _)) = whole.get(service) else {
            out.push(decision);
            continue;
        };
        let folded = format!("{service}:*");
        if out.last().is_none_or(|last| last.action != folded) {
            decision.reason = service_reason(draft, service, *verdict);
            decision.verdict = *verdict;
            decision.action = folded;
            out.push(decision);
        }
    }
    out
}
