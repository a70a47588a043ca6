//! One role, fitted on the past and replayed, at each granularity.

use std::collections::{BTreeMap, BTreeSet};

use super::BacktestOptions;
use super::breadth::{self, Universe};
use crate::catalog::{Catalog, ResourceRef};
use crate::diff;
use crate::grants::{Role, Snapshot};
use crate::iam::{Arn, Decision, NamedPolicy, PolicyDocument, PolicySet, Request, evaluate, quota};
use crate::pipeline::rows::timestamp;
use crate::pipeline::scan::Scan;
use crate::render::{DeniedCall, Outcome, Score};
use crate::synthesize::{self, Inputs, Options};
use crate::usage::ladder::{Rung, climb};
use crate::usage::{Call, RoleUsage, Tally, Usage};

/// One split.
pub(super) struct Trial<'a> {
    pub(super) past: &'a Scan,
    pub(super) future: &'a Usage,
    pub(super) universe: &'a Universe,
    pub(super) snapshot: &'a Snapshot,
    pub(super) options: &'a BacktestOptions,
    pub(super) catalog: &'a Catalog,
    pub(super) at: i64,
}

/// One distinct request of the future.
struct Replayed<'c> {
    resource: &'c ResourceRef,
    contexts: BTreeSet<(&'c String, &'c BTreeMap<String, String>)>,
    tally: Tally,
}

impl Trial<'_> {
    /// The role at every granularity; empty where its policies cannot be read.
    pub(super) fn role(&self, role: &Role) -> BTreeMap<&'static str, Outcome> {
        if !role.problems.is_empty() {
            return BTreeMap::new();
        }
        let none = RoleUsage::default();
        let past = self.past.usage.roles.get(&role.arn).unwrap_or(&none);
        let future = self.future.roles.get(&role.arn).unwrap_or(&none);
        let inputs = Inputs {
            role,
            usage: past,
            snapshot: self.snapshot,
            coverage: &self.past.usage.coverage,
            failed_anywhere: self.past.objects.failed_anywhere,
            catalog: self.catalog,
        };
        let before = inputs.calls();
        let after = Inputs {
            usage: future,
            ..inputs
        }
        .calls();
        let current = role.effective();
        let replay = requests(&after, &current, role);
        let known: BTreeSet<String> = before.iter().map(|call| container(call.resource)).collect();
        let mut used: BTreeSet<(String, String)> = BTreeSet::new();
        for call in before.iter().chain(&after) {
            let pair = (call.shape.action.to_string(), breadth::text(call.resource));
            if evaluate(
                &current,
                &request(
                    call.resource,
                    &pair.0,
                    &call.shape.region,
                    &call.shape.context,
                    role,
                ),
            )
            .decision
                != Decision::ImplicitDeny
            {
                used.insert(pair);
            }
        }
        let actions: BTreeSet<String> = used.iter().map(|(action, _)| action.clone()).collect();
        let mut outcomes = BTreeMap::new();
        for granularity in &self.options.granularities {
            let options = Options {
                granularity: *granularity,
                to: Some(self.at),
                ..self.options.fit.synthesis.clone()
            };
            let proposal = synthesize::synthesize_at(inputs, &options);
            let proposed = PolicySet {
                identity: proposal
                    .document
                    .iter()
                    .map(|document| NamedPolicy {
                        name: "proposal".into(),
                        document: document.clone(),
                    })
                    .collect(),
                boundary: current.boundary.clone(),
            };
            let mut score = Score::default();
            let mut denied = Vec::new();
            for ((action, text), replayed) in &replay {
                score.requests += 1;
                score.calls += replayed.tally.count;
                let refused = replayed.contexts.iter().any(|(region, context)| {
                    !matches!(
                        evaluate(
                            &proposed,
                            &request(replayed.resource, action, region, context, role)
                        )
                        .decision,
                        Decision::Allowed | Decision::Depends
                    )
                });
                if !refused {
                    continue;
                }
                let new = *replayed.resource != ResourceRef::Any
                    && !known.contains(&container(replayed.resource));
                score.denied += 1;
                score.calls_denied += replayed.tally.count;
                score.denied_new_resource += u64::from(new);
                denied.push(DeniedCall {
                    action: action.clone(),
                    resource: text.clone(),
                    count: replayed.tally.count,
                    first_day: replayed
                        .tally
                        .first
                        .map(|at| timestamp(at).chars().take(10).collect()),
                    new_resource: new,
                });
            }
            let documents: Vec<&PolicyDocument> = proposal.document.iter().collect();
            score.allowed_actions = diff::allowed_actions(&documents, self.catalog).len() as u64;
            score.used_actions = actions.len() as u64;
            score.used = used
                .iter()
                .filter(|(action, text)| {
                    text != "*"
                        && self
                            .catalog
                            .action(action)
                            .is_some_and(|facts| !facts.resource_types.is_empty())
                })
                .count() as u64;
            score.reached =
                self.universe
                    .reached(proposal.document.as_ref(), &actions, self.catalog);
            let within_quota = proposal
                .document
                .as_ref()
                .is_none_or(|document| quota::characters(document) <= quota::INLINE_ROLE);
            score.over_quota = u64::from(!within_quota);
            score.settle();
            outcomes.insert(
                granularity.as_str(),
                Outcome {
                    score,
                    within_quota,
                    denied_calls: worst_first(denied),
                },
            );
        }
        outcomes
    }
}

/// The distinct requests of the calls that the current policies allow.
fn requests<'c>(
    calls: &'c [Call<'c>],
    current: &PolicySet,
    role: &Role,
) -> BTreeMap<(String, String), Replayed<'c>> {
    let mut replay: BTreeMap<(String, String), Replayed<'_>> = BTreeMap::new();
    for call in calls {
        let action = call.shape.action.to_string();
        let now = evaluate(
            current,
            &request(
                call.resource,
                &action,
                &call.shape.region,
                &call.shape.context,
                role,
            ),
        )
        .decision;
        if !matches!(now, Decision::Allowed | Decision::Depends) {
            continue;
        }
        let replayed = replay
            .entry((action, breadth::text(call.resource)))
            .or_insert_with(|| Replayed {
                resource: call.resource,
                contexts: BTreeSet::new(),
                tally: Tally::default(),
            });
        replayed
            .contexts
            .insert((&call.shape.region, &call.shape.context));
        replayed.tally.merge(call.tally);
    }
    replay
}

fn request(
    resource: &ResourceRef,
    action: &str,
    region: &str,
    context: &BTreeMap<String, String>,
    role: &Role,
) -> Request {
    let mut known: BTreeMap<String, Vec<String>> = context
        .iter()
        .map(|(key, value)| (key.clone(), vec![value.clone()]))
        .collect();
    known.insert("aws:PrincipalArn".into(), vec![role.arn.clone()]);
    known.insert("aws:PrincipalAccount".into(), vec![role.account.clone()]);
    if !region.is_empty() {
        known.insert("aws:RequestedRegion".into(), vec![region.to_owned()]);
    }
    Request {
        action: action.to_owned(),
        resource: breadth::text(resource),
        context: known,
    }
}

/// What has to exist before anything in it can: the bucket of an object, the table of an index, the group
/// of a stream.
fn container(resource: &ResourceRef) -> String {
    let text = climb(resource.clone(), Rung::Container).pattern();
    let Some(arn) = Arn::parse(&text) else {
        return text;
    };
    let end = match arn.service.as_str() {
        "s3" if !arn.resource.starts_with("accesspoint/") => text.find('/'),
        "dynamodb" => ["/index/", "/stream/"]
            .iter()
            .find_map(|part| text.find(part)),
        "logs" => text.find(":log-stream:"),
        _ => None,
    };
    let text = end.map_or(text.as_str(), |at| &text[..at]);
    text.strip_suffix(":*").unwrap_or(text).to_owned()
}

/// Known containers first, then by count.
pub(super) fn worst_first(mut calls: Vec<DeniedCall>) -> Vec<DeniedCall> {
    calls.sort_by(|a, b| {
        (
            a.new_resource,
            std::cmp::Reverse(a.count),
            &a.first_day,
            &a.action,
            &a.resource,
        )
            .cmp(&(
                b.new_resource,
                std::cmp::Reverse(b.count),
                &b.first_day,
                &b.action,
                &b.resource,
            ))
    });
    calls
}
