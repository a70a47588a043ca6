//! What this input can show of an action: the difference between "not used" and "not visible".

mod data;
mod days;
mod directions;
mod regions;

use std::collections::BTreeSet;

pub(super) use days::{Days, Gap, date, date_of};

use super::{Inputs, Options};
use crate::catalog::{ActionFacts, Visibility};
use crate::grants::Selectors;
use crate::iam::{Arn, pattern};
use crate::usage::Place;
use directions::directions;

/// Whether silence about an action means that it was not used.
#[derive(Clone, Debug)]
pub(super) enum Sight {
    /// It would have been logged, and here is why.
    Logged(Proof),
    /// Silence proves nothing.
    Blind(Blind, String),
}

/// Why an action would have been logged.
#[derive(Clone, Debug)]
pub(super) struct Proof {
    /// In words.
    pub(super) reason: String,
    /// No selectors say it: events of this data event type are in the input, and that is all.
    pub(super) inferred: Option<&'static str>,
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
    /// Trails that could have delivered the input; each group must log what is to be seen.
    selectors: Vec<Vec<&'a Selectors>>,
    /// The Regions of the account's trails, where none of them takes every Region.
    single: Option<BTreeSet<&'a str>>,
    /// Regions the role works in.
    home: BTreeSet<String>,
    /// Regions its functions run in.
    ran: BTreeSet<String>,
    places: Vec<(&'a str, &'a Place)>,
    pub(super) time: Days,
    missing: Option<String>,
    /// Days of events for silence to say that rare work did not happen.
    least: i64,
}

impl<'a> View<'a> {
    pub(super) fn new(inputs: Inputs<'a>, options: &Options) -> Self {
        let role = inputs.role;
        let places: Vec<_> = inputs.coverage.of_account(&role.account).collect();
        let mut ran: BTreeSet<String> = inputs
            .functions()
            .into_iter()
            .map(|function| function.region.clone())
            .collect();
        ran.extend(
            inputs
                .snapshot
                .functions_of(&role.arn)
                .filter_map(|f| Arn::parse(&f.arn))
                .map(|arn| arn.region),
        );
        let mut home = ran.clone();
        home.extend(inputs.calls().iter().map(|call| call.shape.region.clone()));
        if home.is_empty() {
            home.extend(places.iter().map(|(region, _)| (*region).to_owned()));
        }
        let failed: u64 =
            places.iter().map(|(_, place)| place.failed).sum::<u64>() + inputs.failed_anywhere;
        let missing = (failed > 0)
            .then(|| format!("{failed} log objects that may hold its events could not be read"));
        Self {
            inputs,
            selectors: selectors(inputs, &places),
            single: regions::single(inputs),
            time: Days::new(inputs, options, &home, &ran),
            home,
            ran,
            places,
            missing,
            least: options.min_window_days,
        }
    }

    /// The Regions that the role works in.
    pub(super) fn home(&self) -> &BTreeSet<String> {
        &self.home
    }

    /// The same view as if every object had been read: what the trail itself can show.
    pub(super) fn of_trail(&mut self) {
        self.missing = None;
    }

    /// Days between first and last event where the role works.
    pub(super) fn days(&self) -> i64 {
        self.time.span()
    }

    /// Whether the input has any event of the role's account.
    pub(super) fn covered(&self) -> bool {
        self.places.iter().any(|(_, place)| !place.days.is_empty())
    }

    /// Whether log objects were delivered for the role's account.
    pub(super) fn delivered(&self) -> bool {
        self.places
            .iter()
            .any(|(_, place)| !place.delivered.is_empty())
    }

    /// Why part of the input is missing.
    pub(super) fn missing(&self) -> Option<&str> {
        self.missing.as_deref()
    }

    /// Whether the input has events of a Region.
    pub(super) fn has_region(&self, region: &str) -> bool {
        self.place(region).is_some()
    }

    /// Regions that the role's functions run in and the input has no event of.
    pub(super) fn uncovered_regions(&self) -> Vec<&str> {
        self.ran
            .iter()
            .map(String::as_str)
            .filter(|region| self.place(region).is_none())
            .collect()
    }

    /// The Regions of the account's trails, where the snapshot says that none takes every Region.
    pub(super) fn single_regions(&self) -> Option<Vec<&str>> {
        let regions = self.single.as_ref()?;
        Some(regions.iter().copied().collect())
    }

    /// Calls that stopped a trail or changed what it logs: event name and time, of the accounts whose
    /// trails may have delivered the input.
    pub(super) fn trail_changes(&self) -> Vec<(&'a str, i64)> {
        let trails = self.selectors.iter().flatten();
        let mut accounts: BTreeSet<&str> = trails.map(|trail| trail.account.as_str()).collect();
        accounts.insert(&self.inputs.role.account);
        let mut changes: Vec<_> = self
            .inputs
            .coverage
            .places()
            .filter(|(account, ..)| accounts.contains(account))
            .flat_map(|(_, _, place)| place.trail_changes.iter())
            .map(|(name, time)| (name.as_str(), *time))
            .collect();
        changes.sort_by_key(|(name, time)| (*time, *name));
        changes
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
            Visibility::OnlyFor(services) => self.only_for(&services),
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
        format!("not used in {} days", self.days())
    }

    /// Regions, and since when the input has events of all of them.
    fn since(&self, regions: &BTreeSet<String>) -> String {
        let firsts = regions
            .iter()
            .filter_map(|region| self.place(region)?.first);
        match firsts.max() {
            Some(first) => format!("{} since {}", words(regions), date_of(first)),
            None => words(regions),
        }
    }

    fn only_for(&self, services: &[&str]) -> Sight {
        let trusted = &self.inputs.role.trusted_services;
        let by = services.iter().find(|service| {
            trusted
                .iter()
                .any(|t| pattern::matches_ignore_case(t, service))
        });
        match by {
            Some(service) => Sight::Blind(
                Blind::Never,
                format!("{service} may use it, and CloudTrail does not show that"),
            ),
            None => logged(
                "only other services use it, with roles that trust them; this role does not".into(),
            ),
        }
    }

    fn management(&self, facts: &ActionFacts, resource: &str) -> Sight {
        let regions = match self.regions(facts, resource) {
            Ok(regions) => regions,
            Err(blind) => return blind,
        };
        let service = facts.action.service();
        let directions = directions(facts);
        let (read, write) = (directions.contains(&true), directions.contains(&false));
        if self.selectors.is_empty() {
            return self.inferred_management(service, read, write, &regions);
        }
        let catalog = self.inputs.catalog;
        let source_of = |source: &str| {
            catalog.excludable_source(service) == Some(source)
                || catalog.services_of(source).iter().any(|of| of == service)
        };
        let logged_all = directions.iter().all(|&read| {
            self.every_group(&regions, |trail| trail.logs_management(read, source_of))
        });
        if logged_all {
            return logged(format!(
                "{}; management events of this account are logged in {}, as the trail's selectors say",
                self.period(),
                self.since(&regions)
            ));
        }
        let kind = match (read, write) {
            (true, true) => "read-only or write",
            (true, false) => "read-only",
            _ => "write",
        };
        not_logged(format!(
            "the trail's selectors leave out {kind} management events of {service}"
        ))
    }

    /// Without selectors: what kinds of management events the input holds.
    fn inferred_management(
        &self,
        service: &str,
        read: bool,
        write: bool,
        regions: &BTreeSet<String>,
    ) -> Sight {
        let met = |pick: fn(&Place) -> bool| self.places.iter().any(|(_, place)| pick(place));
        if read && !met(|place| place.management_reads) {
            return not_logged(
                "the input holds no read-only management event: the trail may log writes alone"
                    .into(),
            );
        }
        if write && !met(|place| place.management_writes) {
            return not_logged(
                "the input holds no management event that writes: the trail may log reads alone"
                    .into(),
            );
        }
        if let Some(source) = self.inputs.catalog.excludable_source(service)
            && !self
                .places
                .iter()
                .any(|(_, place)| place.sources.contains(source))
        {
            return not_logged(format!(
                "the input holds no event of {source}: the trail may exclude it"
            ));
        }
        logged(format!(
            "{}; management events of this account are logged in {}, which is inferred from such events in the input",
            self.period(),
            self.since(regions)
        ))
    }

    /// Whether in each of these Regions each group of trails has one that takes it and logs.
    fn every_group(&self, regions: &BTreeSet<String>, logs: impl Fn(&Selectors) -> bool) -> bool {
        regions.iter().all(|region| {
            self.selectors.iter().all(|group| {
                group
                    .iter()
                    .any(|trail| trail.takes_region(region) && logs(trail))
            })
        })
    }

    /// Silence of the carriers means silence of what they carry; use of one settles it only where the
    /// event shows what it carried.
    fn carried(&self, by: &[&str], shown: bool, resource: &str) -> Sight {
        let mut proof = Proof {
            reason: format!(
                "{}; it would show in events of {}",
                self.period(),
                by.join(", ")
            ),
            inferred: None,
        };
        for carrier in by {
            let called = || {
                let calls = self.inputs.calls();
                calls
                    .iter()
                    .any(|call| call.shape.action.as_str() == *carrier)
            };
            if !shown && called() {
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
                Sight::Logged(of) => proof.inferred = proof.inferred.or(of.inferred),
                blind => return blind,
            }
        }
        Sight::Logged(proof)
    }
}

fn logged(reason: String) -> Sight {
    Sight::Logged(Proof {
        reason,
        inferred: None,
    })
}

fn not_logged(reason: String) -> Sight {
    Sight::Blind(Blind::NotLogged, reason)
}

fn words(regions: &BTreeSet<String>) -> String {
    let names: Vec<&str> = regions.iter().map(String::as_str).collect();
    names.join(", ")
}

/// The trails that could have delivered the input. An organisation's trail lives in another account and
/// logs its members; a member may have trails of its own.
fn selectors<'a>(inputs: Inputs<'a>, places: &[(&str, &Place)]) -> Vec<Vec<&'a Selectors>> {
    let all = inputs.snapshot.selectors.iter();
    let (own, others): (Vec<_>, Vec<_>) =
        all.partition(|s| s.account == inputs.role.account || s.account.is_empty());
    let organisation = places.iter().any(|(_, place)| place.organisation);
    let plain = places.iter().any(|(_, place)| place.plain);
    let groups = match (organisation, plain) {
        // Which of them delivered an organisation's objects is not said: both must log.
        (true, false) => vec![own, others],
        _ => vec![own],
    };
    groups
        .into_iter()
        .filter(|group| !group.is_empty())
        .collect()
}
