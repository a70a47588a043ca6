//! The order of decisions for one role: used, configured, neighbours, and then everything else that is
//! granted today.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::granted::Granted;
use super::patterns::Granularity;
use super::removed::{service_reason, whole_services};
use super::visible::View;
use super::{Decision, Evidence, Inputs, Options, Proposal, UnseenRule, Verdict};
use super::{needs, pack, rest, used};
use crate::iam::pattern;

/// Makes the proposal at one granularity.
pub(super) fn propose(inputs: Inputs<'_>, options: &Options, granularity: Granularity) -> Proposal {
    let mut draft = Draft {
        inputs,
        options,
        granularity,
        granted: Granted::new(inputs.role, inputs.catalog),
        view: View::new(inputs),
        emits: Vec::new(),
        kept: BTreeMap::new(),
        removed: BTreeSet::new(),
        missing: BTreeSet::new(),
        granted_elsewhere: BTreeSet::new(),
        reasons: Vec::new(),
    };
    used::keep_used(&mut draft);
    needs::keep_needs(&mut draft);
    rest::decide_rest(&mut draft);
    input_reasons(&mut draft);
    finish(draft)
}

/// Reasons that come from the input as a whole.
fn input_reasons(draft: &mut Draft<'_>) {
    let role = draft.inputs.role;
    let usage = draft.inputs.usage;
    if !draft.view.covered() {
        draft.reason(
            "account-not-covered",
            true,
            format!(
                "the input has no events of account {}: nothing was removed for want of use",
                role.account
            ),
        );
    } else if usage.seen.count == 0 {
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
    let long: Vec<_> = draft
        .view
        .gaps()
        .into_iter()
        .filter(|(from, to)| to - from + 1 >= 3)
        .collect();
    if let Some((from, to)) = long.first() {
        let message = format!(
            "nothing was delivered for this account on {} consecutive days from day {}, {} such gaps in all",
            to - from + 1,
            date(*from),
            long.len()
        );
        draft.reason("missing-days", true, message);
    }
    if let Some(created) = role.created {
        let end = draft
            .options
            .to
            .or(draft.inputs.coverage.window().map(|(_, last)| last));
        if let Some(end) = end
            && (end - created).div_euclid(86_400) < draft.options.min_window_days
        {
            let age = (end - created).div_euclid(86_400).max(0);
            draft.reason("young-role", true, format!("the role is {age} days old at the end of the input: it may not have done all its work yet"));
        }
    }
    if !draft.options.regions.is_empty() {
        let message = format!(
            "only events of {} were looked at: what the role does elsewhere is not seen",
            draft.options.regions.join(", ")
        );
        draft.reason("region-selection", true, message);
    }
    if usage.principal_ids.len() > 1 {
        draft.reason(
            "role-recreated",
            true,
            format!(
                "the role was deleted and created again: {} ids acted under its name",
                usage.principal_ids.len()
            ),
        );
    }
    if usage.records.outside > 0 {
        let agents: Vec<&str> = usage.outside.keys().map(String::as_str).take(3).collect();
        let counts = if draft.inputs.is_for_lambda_alone() {
            "do not count as use"
        } else {
            "count as use, since others may assume it"
        };
        let message = format!(
            "{} calls with the role's credentials came from outside Lambda and {counts}: {}",
            usage.records.outside,
            agents.join("; ")
        );
        draft.reason("outside-use", true, message);
    }
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

pub(super) fn date(day: i32) -> String {
    jiff::Timestamp::from_second(i64::from(day) * 86_400)
        .map_or_else(|_| day.to_string(), |t| t.strftime("%Y-%m-%d").to_string())
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
