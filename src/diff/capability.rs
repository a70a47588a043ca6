//! What changes by what a role can do, not by how its policies are written.
//!
//! In: the current and the proposed policies. Out: for every action of the catalog that either allows,
//! whether it is kept, narrowed, removed or added. Statements that are ordered, split or spelled
//! differently and mean the same show no change.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{ActionFacts, Catalog, RiskClass};
use crate::iam::{
    Action, ActionMatch, ConditionBlock, Conditions, Containment, Effect, PolicyDocument,
    PolicySet, ResourceMatch, Statement, contained,
};

/// What becomes of one action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// Allowed as before.
    Kept,
    /// Allowed on less, or under more conditions, than before.
    Narrowed,
    /// No longer allowed.
    Removed,
    /// Allowed where it was not. Only what the user asked for.
    Added,
}

impl Change {
    /// The stable word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Kept => "kept",
            Self::Narrowed => "narrowed",
            Self::Removed => "removed",
            Self::Added => "added",
        }
    }
}

/// The catalog actions that these policies allow on anything. An action that is denied on all resources
/// without conditions is not allowed; other Deny statements are left out of the count.
#[must_use]
pub fn allowed_actions(documents: &[&PolicyDocument], catalog: &Catalog) -> BTreeSet<String> {
    let statements = || documents.iter().flat_map(|document| document.statements());
    let mut actions = BTreeSet::new();
    for statement in statements().filter(|s| s.effect == Effect::Allow) {
        match &statement.actions {
            ActionMatch::Action(list) => {
                actions.extend(
                    list.iter()
                        .flat_map(|pattern| catalog.expand(pattern))
                        .map(|facts| facts.action.to_string()),
                );
            }
            ActionMatch::NotAction(_) => {
                actions.extend(
                    catalog
                        .actions()
                        .map(|facts| facts.action.as_str())
                        .filter(|action| statement.actions.matches(action))
                        .map(str::to_owned),
                );
            }
        }
    }
    let denied: Vec<&Statement> = statements()
        .filter(|s| s.effect == Effect::Deny && s.conditions.is_empty() && on_everything(s))
        .collect();
    actions.retain(|action| !denied.iter().any(|s| s.actions.matches(action)));
    actions
}

fn on_everything(statement: &Statement) -> bool {
    match &statement.resources {
        ResourceMatch::Resource(list) => list.iter().any(|r| r.chars().all(|c| c == '*')),
        ResourceMatch::NotResource(_) | ResourceMatch::None => false,
    }
}

/// What becomes of every action that the current or the proposed policies allow, by action.
#[must_use]
pub fn capabilities(
    current: &[&PolicyDocument],
    proposed: &[&PolicyDocument],
    catalog: &Catalog,
) -> BTreeMap<String, Change> {
    let before = allowed_actions(current, catalog);
    let after = allowed_actions(proposed, catalog);
    let mut out: BTreeMap<String, Change> = BTreeMap::new();
    for action in after.difference(&before) {
        out.insert(action.clone(), Change::Added);
    }
    // Actions that the same statements speak of, on the same resources, share an answer.
    let mut answers: BTreeMap<(Vec<Part>, Vec<Part>), Change> = BTreeMap::new();
    for action in before {
        let change = if after.contains(&action) {
            let facts = catalog.action(&action);
            let key = (
                parts(current, &action, facts, catalog),
                parts(proposed, &action, facts, catalog),
            );
            *answers.entry(key).or_insert_with_key(|(old, new)| {
                let set = |parts| restricted(parts, &action);
                match contained(&set(old), &set(new)) {
                    Containment::Contained => Change::Kept,
                    Containment::NotContained(_) | Containment::Unknown(_) => Change::Narrowed,
                }
            })
        } else {
            Change::Removed
        };
        out.insert(action, change);
    }
    out
}

/// What one statement says of one action: its effect, the resources of it that the action takes, and
/// the statement's own text for its conditions.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Part {
    allow: bool,
    negated: bool,
    resources: Vec<String>,
    conditions: Vec<ConditionBlock>,
    variables: bool,
}

fn parts(
    documents: &[&PolicyDocument],
    action: &str,
    facts: Option<&ActionFacts>,
    catalog: &Catalog,
) -> Vec<Part> {
    let takes = |resource: &&String| facts.is_none_or(|facts| reaches(catalog, facts, resource));
    let mut out: Vec<Part> = documents
        .iter()
        .flat_map(|document| document.statements())
        .filter(|statement| statement.actions.matches(action))
        .map(|statement| Part {
            allow: statement.effect == Effect::Allow,
            negated: statement.resources.negated(),
            resources: if statement.resources.negated() {
                statement.resources.patterns().to_vec()
            } else {
                let patterns = statement.resources.patterns().iter();
                patterns.filter(takes).cloned().collect()
            },
            conditions: statement.conditions.blocks.clone(),
            variables: statement.variables,
        })
        .filter(|part| part.negated || !part.resources.is_empty())
        .collect();
    out.sort();
    out.dedup();
    out
}

/// As [`Catalog::takes`]; and no bucket has a slash in its name.
fn reaches(catalog: &Catalog, facts: &ActionFacts, resource: &str) -> bool {
    let of_objects = resource.contains(":s3:::") && resource.contains('/');
    let takes_objects = || {
        facts
            .resource_types
            .iter()
            .any(|kind| kind.name == "object")
    };
    catalog.takes(facts, resource)
        && !(of_objects && facts.action.service() == "s3" && !takes_objects())
}

fn restricted(parts: &[Part], action: &str) -> PolicySet {
    let statements = parts
        .iter()
        .map(|part| {
            let conditions = Conditions {
                blocks: part.conditions.clone(),
            };
            let resources = if part.negated {
                ResourceMatch::NotResource(part.resources.clone())
            } else {
                ResourceMatch::Resource(part.resources.clone())
            };
            let effect = if part.allow {
                Effect::Allow
            } else {
                Effect::Deny
            };
            Statement {
                variables: part.variables,
                ..Statement::new(
                    None,
                    effect,
                    ActionMatch::Action(vec![action.to_owned()]),
                    resources,
                    conditions,
                )
            }
        })
        .collect();
    PolicySet::of("one action", PolicyDocument::new(statements))
}

/// What the role can do in one class of risk, before and after.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Risk {
    /// The class.
    pub class: RiskClass,
    /// Actions of the class that are no longer allowed.
    pub closed: Vec<String>,
    /// Actions that stay, on less than before.
    pub narrowed: Vec<String>,
    /// Actions that stay as they are, or are added.
    pub open: Vec<String>,
}

/// The classes of risk that the role has today or would have, in the order of their weight.
#[must_use]
pub fn risks(changes: &BTreeMap<String, Change>, catalog: &Catalog) -> Vec<Risk> {
    let order = [
        RiskClass::PrivilegeEscalation,
        RiskClass::PrivilegeEscalationStep,
        RiskClass::CredentialExposure,
        RiskClass::DataAccess,
        RiskClass::ResourceExposure,
    ];
    order
        .into_iter()
        .map(|class| {
            let of = |wanted: &[Change]| -> Vec<String> {
                changes
                    .iter()
                    .filter(|(action, change)| {
                        wanted.contains(change)
                            && catalog.risk(&Action::new(action)).contains(&class)
                    })
                    .map(|(action, _)| action.clone())
                    .collect()
            };
            Risk {
                class,
                closed: of(&[Change::Removed]),
                narrowed: of(&[Change::Narrowed]),
                open: of(&[Change::Kept, Change::Added]),
            }
        })
        .filter(|risk| {
            !(risk.closed.is_empty() && risk.narrowed.is_empty() && risk.open.is_empty())
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn policy(statements: &str) -> PolicyDocument {
        PolicyDocument::parse(&format!(
            r#"{{"Version": "2012-10-17", "Statement": {statements}}}"#
        ))
        .unwrap()
    }

    fn changes(current: &str, proposed: &str) -> Vec<String> {
        capabilities(
            &[&policy(current)],
            &[&policy(proposed)],
            Catalog::builtin(),
        )
        .iter()
        .map(|(action, change)| format!("{action} {}", change.as_str()))
        .collect()
    }

    #[test]
    fn equal_meaning_is_no_change_however_it_is_written() {
        let together = r#"{"Effect": "Allow", "Action": ["S3:getobject", "s3:ListBucket"], "Resource": ["arn:aws:s3:::in", "arn:aws:s3:::in/*"]}"#;
        let apart = r#"[{"Sid": "B", "Effect": "Allow", "Action": "s3:ListBucket", "Resource": "arn:aws:s3:::in"},
            {"Sid": "A", "Effect": "Allow", "Action": "s3:GetObject", "Resource": ["arn:aws:s3:::in/a*", "arn:aws:s3:::in/*"]}]"#;
        assert_eq!(
            changes(together, apart),
            ["s3:GetObject kept", "s3:ListBucket kept"]
        );
    }

    #[test]
    fn less_is_narrowed_or_removed_and_more_is_added() {
        let current = r#"[{"Effect": "Allow", "Action": ["sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteQueue"], "Resource": "*"},
            {"Effect": "Deny", "Action": "sqs:DeleteQueue", "Resource": "*"}]"#;
        let proposed = r#"[{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:us-east-1:111122223333:q"},
            {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}]"#;
        assert_eq!(
            changes(current, proposed),
            [
                "logs:PutLogEvents added",
                "sqs:ReceiveMessage removed",
                "sqs:SendMessage narrowed"
            ],
            "what is denied everywhere was never allowed"
        );
    }

    #[test]
    fn a_new_condition_narrows() {
        let current = r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}"#;
        let proposed = r#"{"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*", "Condition": {"StringEquals": {"iam:PassedToService": "ecs-tasks.amazonaws.com"}}}"#;
        assert_eq!(changes(current, proposed), ["iam:PassRole narrowed"]);
        let changes = capabilities(
            &[&policy(current)],
            &[&policy(proposed)],
            Catalog::builtin(),
        );
        let risks = risks(&changes, Catalog::builtin());
        assert!(
            risks
                .iter()
                .any(|risk| risk.narrowed == ["iam:PassRole"] && risk.open.is_empty()),
            "{risks:?}"
        );
    }
}
