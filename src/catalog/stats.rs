//! The catalog in numbers.

use std::collections::BTreeMap;

use super::map::keeps_its_letters;
use super::{Catalog, Survey, table};

/// What the catalog holds, and how well it does. Counts unless said otherwise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stats {
    /// IAM service prefixes.
    pub services: usize,
    /// Actions.
    pub actions: usize,
    /// Resource types.
    pub resource_types: usize,
    /// Their ARN formats.
    pub arn_formats: usize,
    /// Actions that are gone and still parse.
    pub retired_actions: usize,
    /// Actions with dependent actions.
    pub dependents: usize,
    /// Actions with a risk class.
    pub risky_actions: usize,
    /// API operations that a further file lists actions for.
    pub listed_operations: usize,
    /// How API operations map.
    pub survey: Survey,
    /// Names of actions that the rule for version suffixes would change: none.
    pub harmed_by_suffix_rule: usize,
    /// Actions by [`super::Visibility::as_str`].
    pub visibility: BTreeMap<&'static str, usize>,
    /// Package, version, day it was built or `undated`, licence.
    pub pins: Vec<[&'static str; 4]>,
}

impl Catalog {
    /// Counts. Takes a second, most of it for the survey of operations.
    #[must_use]
    pub fn stats(&self) -> Stats {
        let mut visibility = BTreeMap::new();
        for facts in self.actions() {
            *visibility
                .entry(self.visibility(facts).as_str())
                .or_default() += 1;
        }
        let types = || self.services.values().map(super::actions::Service::types);
        let names = self.actions().map(|facts| facts.action.name());
        Stats {
            services: self.services.len(),
            actions: self.actions().count(),
            resource_types: types().map(BTreeMap::len).sum(),
            arn_formats: types().flat_map(BTreeMap::values).map(Vec::len).sum(),
            retired_actions: table::rows::<1>(include_str!("data/retired-actions.tsv")).count(),
            dependents: table::rows::<1>(include_str!("data/dependent-actions.tsv")).count(),
            risky_actions: self.risk.len(),
            listed_operations: self.listed.all().count(),
            survey: self.survey(),
            harmed_by_suffix_rule: names.filter(|name| !keeps_its_letters(name)).count(),
            visibility,
            pins: table::rows(include_str!("data/pins.tsv")).collect(),
        }
    }

    /// The resource types of a service with their ARN formats, sorted without regard to case, in the
    /// spelling of the actions that take them; empty for an unknown service.
    pub fn resource_types(&self, service: &str) -> impl Iterator<Item = (&str, &[&'static str])> {
        let types = self.service(service).map(super::actions::Service::types);
        let kinds = self.service_actions(service).iter();
        let spelled: BTreeMap<String, &str> = kinds
            .flat_map(|facts| &facts.resource_types)
            .map(|kind| (kind.name.to_ascii_lowercase(), kind.name))
            .collect();
        types.into_iter().flatten().map(move |(name, formats)| {
            let name = spelled.get(name).copied().unwrap_or(name);
            (name, formats.as_slice())
        })
    }
}
