//! Place: the Regions in which a call would have been logged.

use std::collections::BTreeSet;

use super::{Sight, View, not_logged};
use crate::catalog::ActionFacts;
use crate::iam::Arn;
use crate::synthesize::Inputs;
use crate::usage::Place;

/// Services whose events are in one Region whatever the caller's. (CloudTrail user guide, "global
/// service events", and the services' own pages.)
const GLOBAL: [&str; 18] = [
    "account",
    "artifact",
    "billing",
    "budgets",
    "ce",
    "cloudfront",
    "cur",
    "globalaccelerator",
    "health",
    "iam",
    "importexport",
    "organizations",
    "route53",
    "route53domains",
    "shield",
    "support",
    "trustedadvisor",
    "waf",
];

fn global_region(role: &str) -> &'static str {
    match role.split(':').nth(1) {
        Some("aws-cn") => "cn-north-1",
        Some("aws-us-gov") => "us-gov-west-1",
        Some("aws-eusc") => "eusc-de-east-1",
        _ => "us-east-1",
    }
}

/// The Regions of the account's trails, where the snapshot describes trails and none takes every Region.
pub(super) fn single(inputs: Inputs<'_>) -> Option<BTreeSet<&str>> {
    let trails: Vec<_> = inputs.snapshot.trails_of(&inputs.role.account).collect();
    let all = trails.is_empty() || trails.iter().any(|trail| trail.multi_region);
    (!all).then(|| {
        let homes = trails.iter().map(|trail| trail.home_region.as_str());
        homes.collect()
    })
}

impl View<'_> {
    pub(super) fn place(&self, region: &str) -> Option<&Place> {
        self.places
            .iter()
            .find(|(r, place)| *r == region && !place.days.is_empty())
            .map(|(_, place)| *place)
    }

    /// The Regions whose events must be in the input for silence to count: the resource's own, or where
    /// the role works; for services without Regions the one that they log to.
    pub(in crate::synthesize) fn regions(
        &self,
        facts: &ActionFacts,
        resource: &str,
    ) -> Result<BTreeSet<String>, Sight> {
        let service = facts.action.service();
        let global = global_region(&self.inputs.role.arn);
        let own = Arn::parse(resource)
            .map(|arn| arn.region)
            .filter(|region| !region.is_empty() && !region.contains(['*', '?', '$']));
        let anywhere = own.is_none() && !GLOBAL.contains(&service);
        let mut regions = match own {
            _ if GLOBAL.contains(&service) => BTreeSet::from([global.to_owned()]),
            Some(own) => BTreeSet::from([own]),
            None => self.home.clone(),
        };
        if service == "sts" {
            // Older SDKs call the global endpoint, whose events are there.
            regions.insert(global.to_owned());
        }
        if let Some(trails) = &self.single {
            let outside = regions
                .iter()
                .find(|region| !trails.contains(region.as_str()));
            if anywhere || outside.is_some() {
                let only: Vec<&str> = trails.iter().copied().collect();
                let grant = if anywhere {
                    "every Region".to_owned()
                } else {
                    outside.cloned().unwrap_or_default()
                };
                return Err(not_logged(format!(
                    "the account's trails take events of {} alone, and the grant is for {grant}",
                    only.join(", ")
                )));
            }
        }
        if let Some(region) = regions.iter().find(|region| self.place(region).is_none()) {
            return Err(not_logged(format!("the input has no events of {region}")));
        }
        // A Region that shows up late in a long window may have been silent for want of a trail.
        let late = regions.iter().find_map(|region| {
            let days = self.days_since(self.place(region)?.first);
            (days < self.least && self.days() >= self.least).then_some((region, days))
        });
        match late {
            Some((region, days)) => Err(not_logged(format!(
                "the input has events of {region} for its last {days} days alone"
            ))),
            None => Ok(regions),
        }
    }
}
