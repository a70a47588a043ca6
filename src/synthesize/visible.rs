//! What this input can show of an action: the difference between "not used" and "not visible".

use std::collections::BTreeSet;

use super::Inputs;
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
    /// Trails that could have delivered the input; each group must log what is to be seen.
    selectors: Vec<Vec<&'a Selectors>>,
    /// Regions the role works in.
    home: BTreeSet<String>,
    places: Vec<(&'a str, &'a Place)>,
    days: i64,
    /// Days since 1970 with events or objects where the role works.
    seen: BTreeSet<i32>,
    missing: Option<String>,
}

impl<'a> View<'a> {
    pub(super) fn new(inputs: Inputs<'a>) -> Self {
        let role = inputs.role;
        let places: Vec<_> = inputs.coverage.of_account(&role.account).collect();
        let selectors = selectors(inputs, &places);
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
        // The days that were delivered where the role works, not the days that were asked for.
        let at_home: BTreeSet<i32> =
            days_of(places.iter().filter(|(region, _)| home.contains(*region)));
        let seen = if at_home.is_empty() {
            days_of(places.iter())
        } else {
            at_home
        };
        // A quiet trail delivers objects without events; its days count, but events say it best.
        let worked = || places.iter().filter(|(region, _)| home.contains(*region));
        let first = worked().filter_map(|(_, place)| place.first).min();
        let last = worked().filter_map(|(_, place)| place.last).max();
        let days = match (first, last, seen.first(), seen.last()) {
            (Some(first), Some(last), ..) => (last - first).div_euclid(86_400).max(1),
            (_, _, Some(first), Some(last)) => i64::from(last - first).max(1),
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
            seen,
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
        let days: Vec<i32> = self.seen.iter().copied().collect();
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
        if let Some(blind) = self.elsewhere(facts, resource) {
            return blind;
        }
        let directions = directions(facts);
        let (read, write) = (directions.contains(&true), directions.contains(&false));
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
            if write && !met(|place| place.management_writes) {
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
        let logged = directions.iter().all(|&read| {
            self.every_group(|trail| trail.logs_management(source.unwrap_or_default(), read))
        });
        if logged {
            return Sight::Logged(format!(
                "{}; the trail's selectors log it as a management event",
                self.period()
            ));
        }
        let kind = match (read, write) {
            (true, true) => "read-only or write",
            (true, false) => "read-only",
            _ => "write",
        };
        Sight::Blind(
            Blind::NotLogged,
            format!(
                "the trail's selectors leave out {kind} management events of {}",
                facts.action.service()
            ),
        )
    }

    /// Whether each group of trails has one that logs.
    fn every_group(&self, logs: impl Fn(&Selectors) -> bool) -> bool {
        self.selectors
            .iter()
            .all(|group| group.iter().any(|trail| logs(trail)))
    }

    /// A Region that the resource is in and the input is not. Services without Regions log to one.
    fn elsewhere(&self, facts: &ActionFacts, resource: &str) -> Option<Sight> {
        let mut regions = self.regions(resource);
        if GLOBAL.contains(&facts.action.service()) {
            regions = BTreeSet::from([global_region(&self.inputs.role.arn).to_owned()]);
        }
        let missing = regions
            .into_iter()
            .find(|region| self.place(region).is_none())?;
        Some(Sight::Blind(
            Blind::NotLogged,
            format!("the input has no events of {missing}"),
        ))
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
        if let Some(blind) = self.elsewhere(facts, resource) {
            return blind;
        }
        let Some(kind) = kind_of(types, resource) else {
            return Sight::Blind(Blind::Never, "no data event type is known for it".into());
        };
        // A table's stream reads are logged with it.
        let table = (kind == "AWS::DynamoDB::Stream").then_some("AWS::DynamoDB::Table");
        let met = |region: &String| {
            self.place(region).is_some_and(|place| {
                place.data_types.contains(kind)
                    || table.is_some_and(|table| place.data_types.contains(table))
            })
        };
        let unmet = self
            .regions(resource)
            .into_iter()
            .find(|region| !met(region));
        // Selectors say what a trail delivers; records that no trail delivered must show it themselves.
        let delivered = self
            .places
            .iter()
            .any(|(_, place)| place.plain || place.organisation);
        if !self.selectors.is_empty() && (delivered || unmet.is_none()) {
            let resource = data_resource(facts, resource);
            let logged = directions(facts)
                .iter()
                .all(|&read| self.every_group(|trail| trail.logs_data(kind, read, &resource)));
            return if logged {
                Sight::Logged(format!(
                    "{}; the trail's selectors log {kind} data events",
                    self.period()
                ))
            } else {
                Sight::Blind(
                    Blind::NotLogged,
                    format!("the trail's selectors do not log {kind} data events here"),
                )
            };
        }
        match unmet {
            Some(region) => Sight::Blind(
                Blind::NotLogged,
                format!("data events of {kind} are not in the input for {region}"),
            ),
            None => Sight::Logged(format!(
                "{}; {kind} data events of this account are in the input, so they are taken as logged",
                self.period()
            )),
        }
    }
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

fn days_of<'p>(places: impl Iterator<Item = &'p (&'p str, &'p Place)>) -> BTreeSet<i32> {
    places
        .flat_map(|(_, place)| place.days.iter().copied())
        .collect()
}

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

/// The data event type that a resource's events have: the ordinary one, unless it names an access point.
fn kind_of(types: &[&'static str], resource: &str) -> Option<&'static str> {
    let access_point = resource
        .contains(":accesspoint/")
        .then(|| types.iter().find(|kind| kind.ends_with("::AccessPoint")))
        .flatten();
    access_point.or(types.first()).copied()
}

/// What CloudTrail's `readOnly` may say of the action: `[true]`, `[false]`, or both where its name does
/// not tell. IAM's access level alone does not: `kms:Decrypt` is a write to IAM and read-only to
/// CloudTrail.
fn directions(facts: &ActionFacts) -> &'static [bool] {
    const READS: [&str; 10] = [
        "Get", "List", "Describe", "Head", "BatchGet", "Query", "Scan", "Lookup", "Search",
        "Select",
    ];
    const WRITES: [&str; 22] = [
        "Create",
        "Delete",
        "Put",
        "Update",
        "Modify",
        "Attach",
        "Detach",
        "Add",
        "Remove",
        "Set",
        "Tag",
        "Untag",
        "Run",
        "Terminate",
        "Register",
        "Deregister",
        "Associate",
        "Disassociate",
        "Enable",
        "Disable",
        "Start",
        "Stop",
    ];
    let named = |prefixes: &[&str]| {
        prefixes
            .iter()
            .any(|prefix| facts.action.name().starts_with(prefix))
    };
    match facts.access {
        AccessLevel::Read | AccessLevel::List if named(&READS) => &[true],
        AccessLevel::Write | AccessLevel::Tagging | AccessLevel::PermissionsManagement
            if named(&WRITES) =>
        {
            &[false]
        }
        _ => &[true, false],
    }
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
