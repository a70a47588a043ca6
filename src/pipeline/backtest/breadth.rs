//! How much a policy reaches beside what the role used: counted over the resources that the logs know.
//!
//! The universe of an action is every resource that any role used with an action on the same resource
//! types. A log shows but a part of what a container holds, so beside every object (or stream, or other
//! inner part) stand [`UNKNOWN`] more in a folder that nobody used: a policy for a whole bucket reaches
//! them, a policy for a folder of it does not. The number is the same way of counting for every
//! granularity, so the three can be compared.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, ResourceRef};
use crate::iam::{
    Decision, Effect, PolicyDocument, PolicySet, Request, ResourceMatch, evaluate, pattern,
};
use crate::usage::Usage;
use crate::usage::ladder::{Rung, climb};

/// Unknown neighbours that a resource inside a container stands for.
pub(super) const UNKNOWN: u64 = 9;

/// Name of the folder that nobody used.
const NOBODYS: &str = "~nobody";

/// Every known resource, by what kind of resource it is.
#[derive(Debug, Default)]
pub(super) struct Universe {
    /// (service, resource types) → text → how many it stands for.
    kinds: BTreeMap<(String, String), BTreeMap<String, u64>>,
}

impl Universe {
    /// Everything that was used in these tables.
    pub(super) fn of<'u>(tables: impl IntoIterator<Item = &'u Usage>, catalog: &Catalog) -> Self {
        let mut universe = Self::default();
        for usage in tables.into_iter().flat_map(|table| table.roles.values()) {
            for call in usage.calls(true) {
                let Some(kind) = kind(call.shape.action.as_str(), catalog) else {
                    continue;
                };
                let known = universe.kinds.entry(kind).or_default();
                let text = text(call.resource);
                if known.contains_key(&text) {
                    continue;
                }
                let container = climb(call.resource.clone(), Rung::Container).pattern();
                if let Some(base) = container.strip_suffix('*')
                    && let Some(inner) = text.strip_prefix(base)
                {
                    let tail = inner.split_once('/').map_or("", |(_, tail)| tail);
                    let beside = format!("{base}{NOBODYS}/{tail}");
                    *known.entry(beside).or_default() += UNKNOWN;
                }
                known.insert(text, 1);
            }
        }
        universe
    }

    /// How many (action, resource) pairs of these actions the policy allows.
    pub(super) fn reached(
        &self,
        document: Option<&PolicyDocument>,
        actions: &BTreeSet<String>,
        catalog: &Catalog,
    ) -> u64 {
        let Some(document) = document else { return 0 };
        let policies = PolicySet::of("proposal", document.clone());
        // Whether matching the patterns of Allow statements says it all.
        let exact = document.statements().iter().all(|statement| {
            let list = matches!(&statement.resources, ResourceMatch::Resource(list) if list.iter().all(|r| !r.contains('$')));
            statement.effect == Effect::Allow && list
        });
        let mut total = 0;
        for action in actions {
            let Some(known) = kind(action, catalog).and_then(|kind| self.kinds.get(&kind)) else {
                continue;
            };
            let mut allowed: BTreeMap<&String, u64> = BTreeMap::new();
            for statement in document.statements() {
                if statement.effect != Effect::Allow || !statement.actions.matches(action) {
                    continue;
                }
                match &statement.resources {
                    ResourceMatch::Resource(list) => {
                        for wanted in list {
                            let start = wanted.split(['*', '?', '$']).next().unwrap_or_default();
                            let near = known.range(start.to_owned()..);
                            let near = near.take_while(|(text, _)| text.starts_with(start));
                            // A variable or an escaped letter is for the evaluator.
                            let plain = !wanted.contains('$');
                            let all =
                                plain && wanted.len() == start.len() + 1 && wanted.ends_with('*');
                            let met = near.filter(|(text, _)| {
                                all || !plain || pattern::matches(wanted, text)
                            });
                            allowed.extend(met.map(|(text, n)| (text, *n)));
                        }
                    }
                    _ => allowed.extend(known.iter().map(|(text, n)| (text, *n))),
                }
            }
            for (text, stands_for) in allowed {
                let plain = exact
                    || matches!(
                        evaluate(&policies, &Request::new(action, text)).decision,
                        Decision::Allowed | Decision::Depends
                    );
                total += if plain { stands_for } else { 0 };
            }
        }
        total
    }
}

/// `None` for actions that take no resource: there is nothing to reach beside.
fn kind(action: &str, catalog: &Catalog) -> Option<(String, String)> {
    let facts = catalog.action(action)?;
    if facts.resource_types.is_empty() {
        return None;
    }
    let types: Vec<&str> = facts.resource_types.iter().map(|kind| kind.name).collect();
    Some((facts.action.service().to_owned(), types.join(" ")))
}

/// The text of a resource, as it is replayed.
pub(super) fn text(resource: &ResourceRef) -> String {
    resource.to_string()
}
