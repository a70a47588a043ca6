//! Data events: off by default, for some types, some resources, reads or writes alone.

use super::days::date_of;
use super::directions::directions;
use super::{Blind, Proof, Sight, View, not_logged, words};
use crate::catalog::ActionFacts;
use crate::iam::Arn;
use crate::usage::DataSeen;

impl View<'_> {
    pub(super) fn data(
        &self,
        facts: &ActionFacts,
        types: &[&'static str],
        resource: &str,
    ) -> Sight {
        let regions = match self.regions(facts, resource) {
            Ok(regions) => regions,
            Err(blind) => return blind,
        };
        let Some(kind) = kind_of(types, resource) else {
            return Sight::Blind(Blind::Never, "no data event type is known for it".into());
        };
        let owner = Arn::parse(resource).map(|arn| arn.account);
        let foreign = owner.filter(|owner| {
            owner.bytes().all(|b| b.is_ascii_digit())
                && !owner.is_empty()
                && *owner != self.inputs.role.account
        });
        if let Some(owner) = foreign {
            return not_logged(format!(
                "the resource is of account {owner}, and its {kind} data events may be logged there alone"
            ));
        }
        let directions = directions(facts);
        let met = |region: &String| self.seen(kind, region).is_some();
        let unmet = regions.iter().find(|region| !met(region));
        // Selectors say what a trail delivers; records that no trail delivered must show it themselves.
        let delivered = self
            .places
            .iter()
            .any(|(_, place)| place.plain || place.organisation);
        if !self.selectors.is_empty() && (delivered || unmet.is_none()) {
            let resource = data_resource(facts, resource);
            let logged = directions.iter().all(|&read| {
                self.every_group(&regions, |trail| trail.logs_data(kind, read, &resource))
            });
            if !logged {
                return not_logged(format!(
                    "the trail's selectors do not log {kind} data events here"
                ));
            }
            return Sight::Logged(Proof {
                reason: format!(
                    "{}; {kind} data events of this account are logged in {}, as the trail's selectors say",
                    self.period(),
                    self.since(&regions)
                ),
                inferred: None,
            });
        }
        if let Some(region) = unmet {
            return not_logged(format!(
                "data events of {kind} are not in the input for {region}"
            ));
        }
        // A trail that logs writes alone is common. Where reads are seen, both are taken as logged.
        let unread = regions.iter().find(|region| {
            self.seen(kind, region)
                .is_some_and(|seen| seen.reads.is_none())
        });
        if let Some(region) = unread
            && directions.contains(&true)
        {
            return not_logged(format!(
                "of {kind} the input holds for {region} only data events that write: the trail may log writes alone"
            ));
        }
        let since = regions
            .iter()
            .filter_map(|region| self.seen(kind, region)?.first())
            .max();
        Sight::Logged(Proof {
            reason: format!(
                "not used in {} days; {kind} data events of this account are logged in {} since {}, which is inferred from such events in the input",
                self.days_since(since),
                words(&regions),
                since.map(date_of).unwrap_or_default()
            ),
            inferred: Some(kind),
        })
    }

    /// Since when the input has data events of a type in a Region. A table's stream reads are logged with it.
    fn seen(&self, kind: &str, region: &str) -> Option<DataSeen> {
        let types = &self.place(region)?.data_types;
        let of = |kind: &str| types.get(kind).copied();
        let table = (kind == "AWS::DynamoDB::Stream").then_some("AWS::DynamoDB::Table");
        of(kind).or_else(|| of(table?))
    }

    /// Days from a time to the last event.
    pub(super) fn days_since(&self, since: Option<i64>) -> i64 {
        match (since, self.time.last) {
            (Some(since), Some(last)) => (last - since.min(last)).div_euclid(86_400).max(1),
            _ => self.days(),
        }
    }

    /// Days for which the input has had data events of a type, where that is all that says it is logged:
    /// the shortest of the Regions that the role works in.
    pub(in crate::synthesize) fn data_days(&self, kind: &str) -> i64 {
        let since = self
            .home
            .iter()
            .filter_map(|region| self.seen(kind, region)?.first())
            .max();
        self.days_since(since)
    }
}

/// The data event type that a resource's events have: the ordinary one, unless it names an access point.
fn kind_of(types: &[&'static str], resource: &str) -> Option<&'static str> {
    let access_point = resource
        .contains(":accesspoint/")
        .then(|| types.iter().find(|kind| kind.ends_with("::AccessPoint")))
        .flatten();
    access_point.or(types.first()).copied()
}

/// Selectors compare with the ARN of the object, table or queue: a bucket-level grant is about all of
/// the bucket's objects.
fn data_resource(facts: &ActionFacts, resource: &str) -> String {
    let bucket =
        facts.action.service() == "s3" && !resource.contains('/') && !resource.ends_with('*');
    if bucket {
        format!("{resource}/*")
    } else {
        resource.to_owned()
    }
}
