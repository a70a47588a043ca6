//! What is allowed, one (action, resource, conditions) at a time, becomes statements a person can read:
//! the actions of one service on the same resources under the same conditions share a statement, and
//! what is kept unseen never shares one with what was seen.

use std::collections::{BTreeMap, BTreeSet};

use super::sid::sids;
use super::{Emit, Target, Verdict};
use crate::catalog::Catalog;
use crate::iam::{
    ActionMatch, ConditionBlock, Conditions, Effect, PolicyDocument, ResourceMatch, Statement,
    pattern,
};

/// A packed document.
#[derive(Debug)]
pub(super) struct Packed {
    /// `None` where nothing is allowed or denied.
    pub(super) document: Option<PolicyDocument>,
    /// Why each statement is there.
    pub(super) reasons: Vec<String>,
    /// What it allows: action, resource pattern.
    pub(super) allowed: BTreeSet<(String, String)>,
}

/// One statement to be.
#[derive(Clone, Debug)]
pub(super) struct Group {
    pub(super) unseen: bool,
    pub(super) service: String,
    pub(super) actions: Vec<String>,
    pub(super) resources: Vec<String>,
    not_resources: Vec<String>,
    conditions: Conditions,
    reasons: BTreeSet<String>,
}

/// Groups, orders and names the statements; current Deny statements follow as they are.
pub(super) fn pack(emits: Vec<Emit>, denies: &[&Statement], catalog: &Catalog) -> Packed {
    let allowed = emits
        .iter()
        .map(|emit| {
            let resource = match &emit.target {
                Target::Resource(resource) => resource.clone(),
                Target::NotResource(list) => format!("everything but {}", list.join(", ")),
            };
            (emit.action.clone(), resource)
        })
        .collect();
    let groups = group(emits);
    let names = sids(&groups, catalog);
    let mut statements: Vec<Statement> = Vec::new();
    let mut reasons = Vec::new();
    for (group, sid) in groups.into_iter().zip(names) {
        reasons.push(group.reasons.into_iter().collect::<Vec<_>>().join("; "));
        let resources = if group.not_resources.is_empty() {
            ResourceMatch::Resource(group.resources)
        } else {
            ResourceMatch::NotResource(group.not_resources)
        };
        statements.push(Statement::new(
            Some(&sid),
            Effect::Allow,
            ActionMatch::Action(group.actions),
            resources,
            group.conditions,
        ));
    }
    for deny in denies {
        reasons.push("a current Deny stays as it is".into());
        statements.push((*deny).clone());
    }
    let document = (!statements.is_empty()).then(|| PolicyDocument::new(statements));
    Packed {
        document,
        reasons,
        allowed,
    }
}

type ByAction =
    BTreeMap<(bool, String, Target0, String), (BTreeSet<String>, BTreeSet<String>, Conditions)>;
/// The `NotResource` list of a target, empty for resource patterns.
type Target0 = Vec<String>;

fn group(emits: Vec<Emit>) -> Vec<Group> {
    // (unseen, action, not-resources, conditions) → resources, reasons
    let mut by_action: ByAction = BTreeMap::new();
    for emit in emits {
        let unseen = emit.verdict == Verdict::Unseen;
        let (resource, not) = match emit.target {
            Target::Resource(resource) => (Some(resource), Vec::new()),
            Target::NotResource(list) => (None, list),
        };
        let key = (
            unseen,
            emit.action,
            not,
            emit.conditions.to_json().to_compact(),
        );
        let entry = by_action
            .entry(key)
            .or_insert_with(|| (BTreeSet::new(), BTreeSet::new(), emit.conditions));
        entry.0.extend(resource);
        entry.1.insert(emit.reason);
    }
    drop_covered(&mut by_action);
    // (unseen, service, not-resources, conditions, resources) → actions
    let mut groups: BTreeMap<(bool, String, Target0, String, Vec<String>), Group> = BTreeMap::new();
    for ((unseen, action, not_resources, conditions), (resources, reasons, block)) in by_action {
        let service = action.split(':').next().unwrap_or_default().to_owned();
        let resources: Vec<String> = resources.into_iter().collect();
        let key = (
            unseen,
            service.clone(),
            not_resources.clone(),
            conditions,
            resources.clone(),
        );
        let group = groups.entry(key).or_insert_with(|| Group {
            unseen,
            service,
            actions: Vec::new(),
            resources,
            not_resources,
            conditions: block,
            reasons: BTreeSet::new(),
        });
        group.actions.push(action);
        group.reasons.extend(reasons);
    }
    groups.into_values().collect()
}

/// Drops what another line of the same action already says: a pattern inside a wider one under the same
/// conditions or under none.
fn drop_covered(by_action: &mut ByAction) {
    let mut unconditional: BTreeMap<String, [Wider; 2]> = BTreeMap::new();
    for ((unseen, action, not, _), (resources, _, block)) in by_action.iter() {
        if not.is_empty() && block.is_empty() {
            let of_action = unconditional.entry(action.clone()).or_default();
            of_action[usize::from(*unseen)].add(resources);
        }
    }
    let none = [Wider::default(), Wider::default()];
    for ((unseen, action, ..), (resources, _, block)) in by_action.iter_mut() {
        let mut own = Wider::default();
        own.add(resources);
        let [seen_lines, unseen_lines] = unconditional.get(action).unwrap_or(&none);
        let own_lines = if *unseen { unseen_lines } else { seen_lines };
        resources.retain(|resource| {
            if own.holds(resource, false) {
                return false;
            }
            // Across statements the seen line stays and the unseen one yields, never both.
            let outranked = *unseen && seen_lines.holds(resource, true);
            let free = !block.is_empty()
                && (own_lines.holds(resource, true)
                    || seen_lines.holds(resource, *unseen)
                    || unseen_lines.holds(resource, false));
            !outranked && !free
        });
    }
    by_action.retain(|(_, _, not, _), (resources, ..)| !resources.is_empty() || !not.is_empty());
}

/// Patterns of one action, found by their beginnings: comparing each with each takes seconds for a
/// thousand of them.
#[derive(Default)]
struct Wider {
    all: BTreeSet<String>,
    /// The letters before the first wildcard → patterns.
    open: BTreeMap<String, Vec<String>>,
    /// Lengths of these beginnings.
    lengths: BTreeSet<usize>,
}

impl Wider {
    fn add(&mut self, patterns: &BTreeSet<String>) {
        for pattern in patterns.iter().filter(|pattern| !pattern.contains("${")) {
            self.all.insert(pattern.clone());
            if let Some(at) = pattern.find(['*', '?']) {
                self.open
                    .entry(pattern[..at].to_owned())
                    .or_default()
                    .push(pattern.clone());
                self.lengths.insert(at);
            }
        }
    }

    /// Whether one of the patterns covers this one, which itself counts only where `equal` says so.
    fn holds(&self, resource: &str, equal: bool) -> bool {
        if resource.contains("${") {
            return false;
        }
        if equal && self.all.contains(resource) {
            return true;
        }
        let fixed = resource.find(['*', '?']).unwrap_or(resource.len());
        let beginnings = self
            .lengths
            .range(..=fixed)
            .filter_map(|at| self.open.get(resource.get(..*at)?));
        beginnings
            .flatten()
            .any(|other| other != resource && pattern::covers(other, resource))
    }
}

/// The grant's conditions with further ones; where both speak of one operator and key, the grant's stay.
pub(super) fn merge_conditions(grant: &Conditions, extra: &[ConditionBlock]) -> Conditions {
    let mut merged = grant.clone();
    for block in extra {
        let _ = merged.add(block.clone());
    }
    merged
}

#[cfg(test)]
mod tests {
    use super::*;

    fn emit(action: &str, resource: &str, verdict: Verdict) -> Emit {
        Emit {
            action: action.into(),
            target: Target::Resource(resource.into()),
            conditions: Conditions::none(),
            verdict,
            reason: "r".into(),
        }
    }

    fn lines(emits: Vec<Emit>) -> Vec<String> {
        group(emits)
            .into_iter()
            .map(|g| {
                format!(
                    "{}{} on {}",
                    if g.unseen { "unseen " } else { "" },
                    g.actions.join("+"),
                    g.resources.join(",")
                )
            })
            .collect()
    }

    #[test]
    fn equal_resources_share_a_statement() {
        assert_eq!(
            lines(vec![
                emit("dynamodb:Query", "t/Orders", Verdict::Used),
                emit("dynamodb:GetItem", "t/Orders", Verdict::Used),
                emit("s3:PutObject", "b/*", Verdict::Used),
                emit("dynamodb:PutItem", "t/Orders", Verdict::Unseen),
            ]),
            [
                "dynamodb:GetItem+dynamodb:Query on t/Orders",
                "s3:PutObject on b/*",
                "unseen dynamodb:PutItem on t/Orders"
            ]
        );
    }

    #[test]
    fn a_line_inside_a_wider_one_is_dropped_but_never_both() {
        assert_eq!(
            lines(vec![
                emit("s3:GetObject", "b/a", Verdict::Used),
                emit("s3:GetObject", "b/*", Verdict::Used)
            ]),
            ["s3:GetObject on b/*"]
        );
        assert_eq!(
            lines(vec![
                emit("s3:GetObject", "b/a", Verdict::Used),
                emit("s3:GetObject", "b/a", Verdict::Unseen)
            ]),
            ["s3:GetObject on b/a"]
        );
        // The wide unseen line stays beside the narrow seen one: both say something.
        assert_eq!(
            lines(vec![
                emit("s3:GetObject", "b/a", Verdict::Used),
                emit("s3:GetObject", "b/*", Verdict::Unseen)
            ]),
            ["s3:GetObject on b/a", "unseen s3:GetObject on b/*"]
        );
        let mut conditional = emit("s3:GetObject", "b/a", Verdict::Used);
        conditional
            .conditions
            .blocks
            .push(block("Bool", "aws:SecureTransport", "true"));
        assert_eq!(
            lines(vec![
                conditional,
                emit("s3:GetObject", "b/a", Verdict::Used)
            ]),
            ["s3:GetObject on b/a"]
        );
    }

    fn block(operator: &str, key: &str, value: &str) -> ConditionBlock {
        ConditionBlock {
            operator: operator.into(),
            key: key.into(),
            values: vec![value.into()],
        }
    }

    #[test]
    fn the_grants_own_condition_wins() {
        let grant = Conditions {
            blocks: vec![block(
                "StringEquals",
                "kms:viaservice",
                "s3.us-east-1.amazonaws.com",
            )],
        };
        let merged = merge_conditions(
            &grant,
            &[
                block("StringEquals", "kms:ViaService", "x"),
                block("StringEquals", "iam:PassedToService", "y"),
            ],
        );
        assert_eq!(
            merged.to_json().to_compact(),
            r#"{"StringEquals":{"kms:viaservice":"s3.us-east-1.amazonaws.com","iam:PassedToService":"y"}}"#
        );
    }
}
