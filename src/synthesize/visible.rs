//! What this input can show of an action: the difference between "not used" and "not visible".

use std::collections::BTreeSet;

use super::{Inputs, Options};
use crate::catalog::{AccessLevel, ActionFacts, Visibility};
use crate::grants::Selectors;
use crate::iam::{Arn, pattern};
use crate::usage::Place;

/// Whether silence about an action means that it was not used.
#[derive(Clone, Debug)]
pub(super) enum Sight {
    /// It would have been logged, and here is why.
    Logged(String),
    /// Silence proves nothing.
    Blind(Blind, String),
}

/// Why silence proves nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Blind {
    /// Events of this kind are not in this trail.
    NotLogged,
    /// No CloudTrail event exists for it, and no call that code makes asks for it alone.
    Aside,
    /// No CloudTrail event exists for it, or nobody knows.
    Never,
    /// Part of the input is missing.
    Missing,
}

/// What is known of the trail around one role.
#[derive(Debug)]
pub(super) struct View<'a> {
    inputs: Inputs<'a>,
    selectors: Vec<&'a Selectors>,
    /// Regions the role works in.
    home: BTreeSet<String>,
    places: Vec<(&'a str, &'a Place)>,
    days: i64,
    missing: Option<String>,
}

impl<'a> View<'a> {
    pub(super) fn new(inputs: Inputs<'a>, options: &Options) -> Self {
        let role = inputs.role;
        let places: Vec<_> = inputs.coverage.of_account(&role.account).collect();
        let organisation = places.iter().any(|(_, place)| place.organisation);
        let all = &inputs.snapshot.selectors;
        let own: Vec<_> = all
            .iter()
            .filter(|s| s.account == role.account || s.account.is_empty())
            .collect();
        // An organisation's trail lives in another account and logs its members.
        let selectors = if own.is_empty() && organisation {
            all.iter().collect()
        } else {
            own
        };
        let mut home: BTreeSet<String> = inputs
            .functions()
            .into_iter()
            .map(|function| function.region.clone())
            .collect();
        home.extend(
            inputs
                .snapshot
                .functions_of(&role.arn)
                .filter_map(|f| Arn::parse(&f.arn))
                .map(|arn| arn.region),
        );
        home.extend(inputs.calls().iter().map(|call| call.shape.region.clone()));
        if home.is_empty() {
            home.extend(places.iter().map(|(region, _)| (*region).to_owned()));
        }
        let (first, last) = (
            places.iter().filter_map(|(_, p)| p.first).min(),
            places.iter().filter_map(|(_, p)| p.last).max(),
        );
        let days = match (
            options.from.or(first),
            options.to.or(last.map(|last| last + 1)),
        ) {
            (Some(from), Some(to)) => (to - from).div_euclid(86_400).max(1),
            _ => 0,
        };
        let failed: u64 =
            places.iter().map(|(_, place)| place.failed).sum::<u64>() + inputs.failed_anywhere;
        let missing = (failed > 0)
            .then(|| format!("{failed} log objects that may hold its events could not be read"));
        Self {
            inputs,
            selectors,
            home,
            places,
            days,
            missing,
        }
    }

    /// Days between first and last event of the role's account.
    pub(super) fn days(&self) -> i64 {
        self.days
    }

    /// Whether the input has any event or object of the role's account.
    pub(super) fn covered(&self) -> bool {
        self.places.iter().any(|(_, place)| !place.days.is_empty())
    }

    /// Why part of the input is missing.
    pub(super) fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// Whole days between the first and the last day of the account on which nothing was delivered.
    pub(super) fn gaps(&self) -> Vec<(i32, i32)> {
        let days: BTreeSet<i32> = self
            .places
            .iter()
            .flat_map(|(_, place)| place.days.iter().copied())
            .collect();
        let days: Vec<i32> = days.into_iter().collect();
        days.windows(2)
            .filter(|pair| pair[1] - pair[0] > 1)
            .map(|pair| (pair[0] + 1, pair[1] - 1))
            .collect()
    }

    /// Whether `action` on everything that `resource` matches would be in this input if it had happened.
    pub(super) fn sight(&self, facts: &ActionFacts, resource: &str) -> Sight {
        if let Some(why) = &self.missing {
            return Sight::Blind(Blind::Missing, why.clone());
        }
        if !self.covered() {
            return Sight::Blind(
                Blind::Missing,
                format!(
                    "the input has no events of account {}",
                    self.inputs.role.account
                ),
            );
        }
        match self.inputs.catalog.visibility(facts) {
            Visibility::Management => self.management(facts, resource),
            Visibility::Data(types) => self.data(facts, &types, resource),
            Visibility::Carried { by, shown } => self.carried(&by, shown, resource),
            Visibility::OnlyFor(services) => {
                let trusted = &self.inputs.role.trusted_services;
                match services.iter().find(|service| trusted.iter().any(|t| pattern::matches_ignore_case(t, service))) {
                    Some(service) => Sight::Blind(Blind::Never, format!("{service} may use it, and CloudTrail does not show that")),
                    None => Sight::Logged("only other services use it, with roles that trust them; this role does not".into()),
                }
            }
            Visibility::Aside(why) => {
                Sight::Blind(Blind::Aside, format!("no event shows it: {why}"))
            }
            Visibility::Never(why) => {
                Sight::Blind(Blind::Never, format!("CloudTrail never shows it: {why}"))
            }
            Visibility::Unknown(why) => Sight::Blind(
                Blind::Never,
                format!("whether CloudTrail shows it is not known: {why}"),
            ),
        }
    }

    fn period(&self) -> String {
        format!("not used in {} days", self.days)
    }

    /// The Regions that a resource pattern can be in: its own, or where the role works.
    fn regions(&self, resource: &str) -> BTreeSet<String> {
        match Arn::parse(resource) {
            Some(arn) if !arn.region.is_empty() && !arn.region.contains(['*', '?', '$']) => {
                BTreeSet::from([arn.region])
            }
            _ => self.home.clone(),
        }
    }

    fn place(&self, region: &str) -> Option<&Place> {
        self.places
            .iter()
            .find(|(r, _)| *r == region)
            .map(|(_, place)| *place)
    }

    fn management(&self, facts: &ActionFacts, resource: &str) -> Sight {
        for region in self.regions(resource) {
            if self.place(&region).is_none() {
                return Sight::Blind(
                    Blind::NotLogged,
                    format!("the input has no events of {region}"),
                );
            }
        }
        let read = is_read(facts);
        let source = self
            .inputs
            .catalog
            .excludable_source(facts.action.service());
        if self.selectors.is_empty() {
            let met = |pick: fn(&Place) -> bool| self.places.iter().any(|(_, place)| pick(place));
            if read && !met(|place| place.management_reads) {
                return Sight::Blind(
                    Blind::NotLogged,
                    "the input holds no read-only management event: the trail may log writes alone"
                        .into(),
                );
            }
            if !read && !met(|place| place.management_writes) {
                return Sight::Blind(Blind::NotLogged, "the input holds no management event that writes: the trail may log reads alone".into());
            }
            if let Some(source) = source
                && !self
                    .places
                    .iter()
                    .any(|(_, place)| place.sources.contains(source))
            {
                return Sight::Blind(
                    Blind::NotLogged,
                    format!("the input holds no event of {source}: the trail may exclude it"),
                );
            }
            return Sight::Logged(format!("{}; management events are logged", self.period()));
        }
        if self
            .selectors
            .iter()
            .any(|trail| trail.logs_management(source.unwrap_or_default(), read))
        {
            return Sight::Logged(format!(
                "{}; the trail's selectors log it as a management event",
                self.period()
            ));
        }
        let kind = if read { "read-only" } else { "write" };
        Sight::Blind(
            Blind::NotLogged,
            format!(
                "the trail's selectors leave out {kind} management events of {}",
                facts.action.service()
            ),
        )
    }

    /// Silence of the carriers means silence of what they carry; use of one settles it only where the
    /// event shows what it carried.
    fn carried(&self, by: &[&str], shown: bool, resource: &str) -> Sight {
        let mut reason = String::new();
        for carrier in by {
            if !shown
                && self
                    .inputs
                    .calls()
                    .iter()
                    .any(|call| call.shape.action.as_str() == *carrier)
            {
                return Sight::Blind(
                    Blind::Never,
                    format!(
                        "{carrier} was used, and its events do not show whether this was needed for it"
                    ),
                );
            }
            let Some(facts) = self.inputs.catalog.action(carrier) else {
                return Sight::Blind(
                    Blind::Never,
                    format!("it shows only in events of {carrier}"),
                );
            };
            match self.sight(facts, resource) {
                Sight::Logged(_) => {
                    reason = format!(
                        "not used in {} days; it would show in events of {}",
                        self.days,
                        by.join(", ")
                    );
                }
                blind => return blind,
            }
        }
        Sight::Logged(reason)
    }

    fn data(&self, facts: &ActionFacts, types: &[&'static str], resource: &str) -> Sight {
        let names = types.join(" or ");
        if !self.selectors.is_empty() {
            let read = is_read(facts);
            let resource = data_resource(facts, resource);
            return match types.iter().find(|kind| {
                self.selectors
                    .iter()
                    .any(|trail| trail.logs_data(kind, read, &resource))
            }) {
                Some(kind) => Sight::Logged(format!(
                    "{}; the trail's selectors log {kind} data events",
                    self.period()
                )),
                None => Sight::Blind(
                    Blind::NotLogged,
                    format!("the trail's selectors do not log {names} data events here"),
                ),
            };
        }
        for region in self.regions(resource) {
            let met = self
                .place(&region)
                .is_some_and(|place| types.iter().any(|kind| place.data_types.contains(*kind)));
            if !met {
                return Sight::Blind(
                    Blind::NotLogged,
                    format!("data events of {names} are not in the input for {region}"),
                );
            }
        }
        Sight::Logged(format!(
            "{}; {names} data events of this account are in the input, so they are taken as logged",
            self.period()
        ))
    }
}

fn is_read(facts: &ActionFacts) -> bool {
    matches!(facts.access, AccessLevel::Read | AccessLevel::List)
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
