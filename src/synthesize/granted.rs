//! The current Allow statements, opened up to the actions of the catalog.

use std::collections::BTreeMap;

use super::Target;
use crate::catalog::{ActionFacts, Catalog};
use crate::grants::{PolicyKind, Role};
use crate::iam::{ActionMatch, Effect, ResourceMatch, Statement, pattern};

/// One Allow statement of a current policy.
#[derive(Debug)]
pub(super) struct Grant {
    pub(super) statement: Statement,
    /// `policy` or `policy/Sid`.
    pub(super) label: String,
    /// An AWS managed policy made for what Lambda does with execution roles.
    pub(super) lambda_managed: bool,
}

/// All grants of a role.
#[derive(Debug)]
pub(super) struct Granted<'a> {
    pub(super) grants: Vec<Grant>,
    /// Deny statements, in order.
    pub(super) denies: Vec<&'a Statement>,
    /// Catalog action → indices of grants that name it.
    pub(super) actions: BTreeMap<&'a str, (&'a ActionFacts, Vec<usize>)>,
    /// Action names in grants that the catalog does not know.
    pub(super) unknown: Vec<(String, usize)>,
}

impl Grant {
    /// What the grant is about, as the proposal can keep it.
    pub(super) fn targets(&self) -> Vec<Target> {
        match &self.statement.resources {
            ResourceMatch::Resource(list) => list.iter().cloned().map(Target::Resource).collect(),
            ResourceMatch::NotResource(list) => vec![Target::NotResource(list.clone())],
            ResourceMatch::None => Vec::new(),
        }
    }

    /// The resource patterns, for messages; `NotResource` grants say so.
    pub(super) fn resources(&self) -> Vec<String> {
        match &self.statement.resources {
            ResourceMatch::Resource(list) => list.clone(),
            ResourceMatch::NotResource(list) => vec![format!("everything but {}", list.join(", "))],
            ResourceMatch::None => Vec::new(),
        }
    }

    /// A service-wide or full wildcard on all resources: nobody chose this action when granting it.
    pub(super) fn is_wide(&self, service: &str) -> bool {
        let all_resources = match &self.statement.resources {
            ResourceMatch::Resource(list) => list
                .iter()
                .any(|resource| resource.chars().all(|c| c == '*')),
            ResourceMatch::NotResource(_) => true,
            ResourceMatch::None => false,
        };
        let wildcard = match &self.statement.actions {
            ActionMatch::Action(list) => {
                let whole = format!("{service}:x");
                list.iter().any(|action| match action.split_once(':') {
                    None => action.chars().all(|c| c == '*'),
                    Some((prefix, name)) => {
                        name.chars().all(|c| c == '*')
                            && pattern::matches_ignore_case(&format!("{prefix}:*"), &whole)
                    }
                })
            }
            ActionMatch::NotAction(_) => true,
        };
        all_resources && wildcard
    }
}

impl<'a> Granted<'a> {
    pub(super) fn new(role: &'a Role, catalog: &'a Catalog) -> Self {
        let mut granted = Self {
            grants: Vec::new(),
            denies: Vec::new(),
            actions: BTreeMap::new(),
            unknown: Vec::new(),
        };
        for attached in &role.policies {
            let name = &attached.policy.name;
            for statement in attached.policy.document.statements() {
                match statement.effect {
                    Effect::Deny => granted.denies.push(statement),
                    Effect::Allow => {
                        let label = match &statement.sid {
                            Some(sid) if !sid.is_empty() => format!("{name}/{sid}"),
                            _ => name.clone(),
                        };
                        let lambda_managed = attached.kind == PolicyKind::AwsManaged
                            && name.starts_with("AWSLambda");
                        granted.add(statement, label, lambda_managed, catalog);
                    }
                }
            }
        }
        granted
    }

    fn add(
        &mut self,
        statement: &'a Statement,
        label: String,
        lambda_managed: bool,
        catalog: &'a Catalog,
    ) {
        let index = self.grants.len();
        // Read as version 2012-10-17, which the proposal has.
        self.grants.push(Grant {
            statement: statement.with_variables(),
            label,
            lambda_managed,
        });
        match &statement.actions {
            ActionMatch::Action(list) => {
                for wanted in list {
                    let mut any = false;
                    for facts in catalog.expand(wanted) {
                        any = true;
                        self.name(facts, index);
                    }
                    if !any {
                        self.unknown.push((wanted.clone(), index));
                    }
                }
            }
            ActionMatch::NotAction(_) => {
                for facts in catalog.actions() {
                    if statement.actions.matches(facts.action.as_str()) {
                        self.name(facts, index);
                    }
                }
            }
        }
    }

    fn name(&mut self, facts: &'a ActionFacts, index: usize) {
        let (_, grants) = self
            .actions
            .entry(facts.action.as_str())
            .or_insert((facts, Vec::new()));
        if grants.last() != Some(&index) {
            grants.push(index);
        }
    }
}
