//! The way back: which events stand for an action.

use std::collections::{BTreeMap, BTreeSet};

use super::{Certainty, Mapping, tables};
use crate::catalog::{Catalog, table};
use crate::iam::Action;

/// An event that stands for an action.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct EventOf {
    /// The IAM prefix of its source, `s3`.
    pub service: &'static str,
    /// Its name, `HeadObject`.
    pub event: &'static str,
    /// When it does, in the words of `data/map-events.tsv`: `versionId` (the parameter is there),
    /// `!versionId` (it is not), `a=v`, `|` for or, `,` for and. Empty: always.
    pub condition: &'static str,
    /// How sure it is then.
    pub certainty: Certainty,
}

impl Catalog {
    /// The events that stand for an action, of all actions that have any, sorted: the rows of the event
    /// table, the API operations whose synthetic event does, and the operations of a further file. Takes a
    /// second.
    #[must_use]
    pub fn events(&self) -> BTreeMap<Action, Vec<EventOf>> {
        let mut events: BTreeMap<Action, BTreeSet<EventOf>> = BTreeMap::new();
        let mut tabled = BTreeSet::new();
        for [service, event, condition, actions, _, certainty] in table::rows(tables::EVENTS) {
            for name in actions.split(',') {
                let Some(facts) = self.action(&tables::qualified(service, name)) else {
                    continue;
                };
                let condition = if condition == "-" { "" } else { condition };
                let certainty = Certainty::parse(certainty);
                tabled.insert((service, event, facts.action.clone()));
                events
                    .entry(facts.action.clone())
                    .or_default()
                    .insert(EventOf {
                        service,
                        event,
                        condition,
                        certainty,
                    });
            }
        }
        self.survey_each(|operation, mapping| {
            let Mapping::Requests(requests) = mapping else {
                return;
            };
            for request in requests {
                let key = (operation.prefix, operation.name, request.action.clone());
                if !tabled.contains(&key) {
                    let own = events.entry(request.action.clone()).or_default();
                    own.insert(EventOf {
                        service: operation.prefix,
                        event: operation.name,
                        condition: "",
                        certainty: request.certainty,
                    });
                }
            }
        });
        for (service, event, actions) in self.listed.all() {
            let rows = tables::tables().events.get(service);
            if rows.is_some_and(|rows| rows.contains_key(&event.to_ascii_lowercase())) {
                continue;
            }
            for (at, name) in actions.iter().enumerate() {
                let Some(facts) = self.action(name) else {
                    continue;
                };
                let own = events.entry(facts.action.clone()).or_default();
                if !own
                    .iter()
                    .any(|other| other.service == service && other.event == event)
                {
                    let certainty = if at == 0 {
                        Certainty::Seen
                    } else {
                        Certainty::Possible
                    };
                    own.insert(EventOf {
                        service,
                        event,
                        condition: "",
                        certainty,
                    });
                }
            }
        }
        let sorted =
            |(action, own): (Action, BTreeSet<EventOf>)| (action, own.into_iter().collect());
        events.into_iter().map(sorted).collect()
    }
}
