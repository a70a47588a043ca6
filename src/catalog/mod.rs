//! The bridge: which IAM requests an event stands for, and what a trail can show.
//!
//! In come the data files of `data/`, each with its pins and its date; out go facts about actions,
//! resource types, API operations, visibility and Lambda's own needs. The catalog knows what AWS
//! says, never what a role may do nor what a log held.

mod actions;
mod operations;
mod table;

use std::collections::BTreeMap;
use std::ops::Range;
use std::sync::OnceLock;

pub use actions::{AccessLevel, ActionFacts, ResourceUse};
pub use operations::{Client, MatchClass, Operation, Template};

/// Everything rolefit knows about AWS. Immutable; one for the whole process.
#[derive(Debug)]
pub struct Catalog {
    actions: Vec<ActionFacts>,
    services: BTreeMap<&'static str, Range<usize>>,
    types: BTreeMap<(&'static str, String), Vec<&'static str>>,
    condition_keys: BTreeMap<(&'static str, u16), &'static str>,
    clients: Vec<Client>,
}

impl Catalog {
    /// The catalog that the program carries, read on first use.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalog> = OnceLock::new();
        BUILTIN.get_or_init(|| {
            let (actions, services) = actions::parse(include_str!("data/actions.tsv"));
            Self {
                actions,
                services,
                types: actions::parse_types(include_str!("data/resource-types.tsv")),
                condition_keys: actions::parse_condition_keys(include_str!(
                    "data/condition-keys.tsv"
                )),
                clients: operations::parse_clients(include_str!("data/clients.tsv")),
            }
        })
    }

    /// The facts of one concrete action, in any case: `s3:getobject` finds `s3:GetObject`. `None` for
    /// unknown actions and for patterns.
    #[must_use]
    pub fn action(&self, action: &str) -> Option<&ActionFacts> {
        let (service, name) = action.split_once(':')?;
        let actions = self.service_actions(service);
        let found = actions
            .binary_search_by(|facts| actions::compare_ignoring_case(facts.action.name(), name));
        found.ok().map(|at| &actions[at])
    }

    /// All actions, by service and then by name without regard to case.
    #[must_use]
    pub fn actions(&self) -> &[ActionFacts] {
        &self.actions
    }

    /// The actions of one IAM service prefix, in any case; empty for an unknown prefix.
    #[must_use]
    pub fn service_actions(&self, service: &str) -> &[ActionFacts] {
        let range = match self.services.get(service) {
            Some(range) => Some(range),
            None => self.services.get(service.to_ascii_lowercase().as_str()),
        };
        range.map_or(&[], |range| &self.actions[range.clone()])
    }

    /// All IAM service prefixes, sorted.
    pub fn services(&self) -> impl Iterator<Item = &'static str> {
        self.services.keys().copied()
    }

    /// The actions that an action pattern of a policy names: `s3:Get*`, `*`, in any case.
    pub fn expand<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = &'a ActionFacts> {
        let literal_service = pattern
            .split_once(':')
            .filter(|(service, _)| !service.contains(['*', '?']));
        let candidates = match literal_service {
            Some((service, _)) => self.service_actions(service),
            None => self.actions(),
        };
        candidates
            .iter()
            .filter(move |facts| actions::matches_ignoring_case(pattern, facts.action.as_str()))
    }

    /// The ARN formats of a resource type as AWS writes them, `arn:${Partition}:s3:::${BucketName}`.
    /// The type name is taken in any case. Empty for an unknown type.
    #[must_use]
    pub fn arn_formats(&self, service: &str, resource_type: &str) -> &[&'static str] {
        let Some((service, _)) = self.services.get_key_value(service) else {
            return &[];
        };
        self.types
            .get(&(*service, resource_type.to_ascii_lowercase()))
            .map_or(&[], Vec::as_slice)
    }

    /// The condition keys that AWS lists for an action, beside the global ones that every request has.
    pub fn condition_keys(&self, facts: &ActionFacts) -> impl Iterator<Item = &'static str> {
        let service = self.services.get_key_value(facts.action.service());
        service
            .and_then(|(service, _)| self.condition_keys.get(&(*service, facts.condition_set)))
            .copied()
            .unwrap_or_default()
            .split_ascii_whitespace()
    }

    /// The API clients, sorted by name; each reads its operations on first use.
    #[must_use]
    pub fn clients(&self) -> &[Client] {
        &self.clients
    }

    /// Every API operation of every client.
    pub fn operations(&self) -> impl Iterator<Item = &Operation> {
        self.clients.iter().flat_map(Client::operations)
    }

    /// The operations of that name, in any case, whose actions carry that IAM prefix. More than one
    /// where several clients share the prefix.
    pub fn operations_named<'a>(
        &'a self,
        prefix: &'a str,
        name: &'a str,
    ) -> impl Iterator<Item = &'a Operation> {
        self.clients
            .iter()
            .filter(move |client| client.prefix == prefix)
            .filter_map(move |client| client.operation(name))
    }
}

#[cfg(test)]
mod tests;
