//! Denied calls of one role, grouped by action and door. The role's usage and policies in, groups with
//! door, fix and the change that shut the door out.

use std::collections::{BTreeMap, BTreeSet};

use serde::Serialize;

use super::door::{Refusal, Verdict, verdict};
use super::fix::{self, Fix, fix};
use super::tie::{Tie, tie};
use crate::catalog::{Catalog, ResourceRef};
use crate::grants::Role;
use crate::usage::ladder::{self, Rung};
use crate::usage::{Changes, RoleUsage, Tally};

/// Denied calls of one role, of one action, refused by one door.
#[derive(Clone, Debug, Serialize)]
pub struct DeniedGroup {
    /// `service:Name`; the event's own words where no action is known.
    pub action: String,
    /// Which policy refused, and how that is known.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// On what.
    pub resources: Vec<RefusedResource>,
    /// Calls.
    pub count: u64,
    /// ISO 8601.
    pub first_seen: Option<String>,
    /// ISO 8601.
    pub last_seen: Option<String>,
    /// A few.
    pub event_ids: Vec<String>,
    /// Functions that were refused, by the names of their sessions.
    pub functions: BTreeSet<String>,
    /// VPC endpoints that refused calls went through.
    pub endpoints: BTreeSet<String>,
    /// Made with credentials that left Lambda.
    pub outside: bool,
    /// AWS's words; one of several messages.
    pub message: String,
    /// How the door opens.
    pub fix: Fix,
    /// The change of a policy after which the denials began.
    pub change: Option<Tie>,
}

/// A resource that was refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct RefusedResource {
    /// The ARN, a pattern where there are many, `*` where no record names one.
    pub resource: String,
    /// Calls.
    pub count: u64,
}

/// What is around a role.
#[derive(Clone, Copy)]
pub struct Around<'a> {
    /// Its ARN.
    pub arn: &'a str,
    /// The role of the snapshot.
    pub role: Option<&'a Role>,
    /// What it did.
    pub usage: &'a RoleUsage,
    /// Policies that were changed.
    pub changes: &'a Changes,
    /// The bridge.
    pub catalog: &'a Catalog,
}

/// Resources that a fix names one by one; with more they are generalised.
const NAMED: usize = 5;

#[derive(Default)]
struct Group {
    resources: BTreeMap<ResourceRef, Tally>,
    functions: BTreeSet<String>,
    endpoints: BTreeSet<String>,
    message: String,
}

/// Groups the denied calls of a role, sorted by action and door.
#[must_use]
pub fn denied(around: Around<'_>) -> Vec<DeniedGroup> {
    let mut groups: BTreeMap<(String, Verdict, bool), Group> = BTreeMap::new();
    // Only a role that Lambda alone may take has an outside.
    let lambdas = match around.role {
        Some(role) => role.trusts_lambda() && !role.trusts_others,
        None => around.usage.lambda,
    };
    for (key, denial) in around.usage.denials() {
        let outside = key.outside && lambdas;
        for (resource, tally) in denial.resources() {
            let refusal = Refusal {
                action: &key.action,
                resource,
                said: &key.door,
                endpoint: !denial.endpoints.is_empty(),
                outside,
            };
            let verdict = verdict(refusal, around.arn, around.role, around.catalog);
            let group = groups
                .entry((key.action.clone(), verdict, outside))
                .or_default();
            group
                .resources
                .entry(resource.clone())
                .or_default()
                .merge(tally);
            group.functions.extend(denial.functions.iter().cloned());
            group.endpoints.extend(denial.endpoints.iter().cloned());
            if group.message.is_empty()
                || !denial.message.is_empty() && denial.message < group.message
            {
                group.message.clone_from(&denial.message);
            }
        }
    }
    let worked = worked(around.usage);
    groups
        .into_iter()
        .map(|((action, verdict, outside), group)| {
            row(around, action, verdict, outside, group, &worked)
        })
        .collect()
}

/// When each action was authorised.
fn worked(usage: &RoleUsage) -> BTreeMap<String, Tally> {
    let mut worked: BTreeMap<String, Tally> = BTreeMap::new();
    for call in usage.calls(false) {
        let tally = worked.entry(call.shape.action.to_string()).or_default();
        tally.merge(call.tally);
    }
    worked
}

fn row(
    around: Around<'_>,
    action: String,
    verdict: Verdict,
    outside: bool,
    group: Group,
    worked: &BTreeMap<String, Tally>,
) -> DeniedGroup {
    let mut all = Tally::default();
    group.resources.values().for_each(|tally| all.merge(tally));
    let exact: Vec<String> = group
        .resources
        .keys()
        .filter_map(|resource| resource.as_arn().map(str::to_owned))
        .collect();
    let named = few(&group.resources);
    let patterns: Vec<String> = named
        .keys()
        .filter(|resource| **resource != ResourceRef::Any)
        .map(ResourceRef::pattern)
        .collect();
    let endpoints: Vec<String> = group.endpoints.iter().cloned().collect();
    let subject = fix::Subject {
        role: around.arn,
        boundary: around
            .role
            .and_then(|role| role.boundary.as_ref())
            .map(|boundary| boundary.name.as_str()),
        action: &action,
        resources: &patterns,
        open: group.resources.keys().any(ResourceRef::is_open),
        endpoints: &endpoints,
        outside,
    };
    let fix = fix(subject, &verdict, around.catalog);
    let change = tie(
        around.changes,
        around.arn,
        around.role,
        &verdict,
        &exact,
        &all,
        worked.get(&action),
    );
    DeniedGroup {
        resources: named
            .into_iter()
            .map(|(resource, count)| RefusedResource {
                resource: resource.pattern(),
                count,
            })
            .collect(),
        count: all.count,
        first_seen: all.first.map(timestamp),
        last_seen: all.last.map(timestamp),
        event_ids: all.event_ids().map(str::to_owned).collect(),
        functions: group.functions,
        endpoints: group.endpoints,
        message: group.message,
        action,
        verdict,
        outside,
        fix,
        change,
    }
}

/// The resources with their counts, on the first rung of the ladder where they are few.
fn few(resources: &BTreeMap<ResourceRef, Tally>) -> BTreeMap<ResourceRef, u64> {
    let mut rung = Some(Rung::Exact);
    loop {
        let at = rung.unwrap_or(Rung::Exact);
        let mut out: BTreeMap<ResourceRef, u64> = BTreeMap::new();
        for (resource, tally) in resources {
            *out.entry(ladder::climb(resource.clone(), at)).or_default() += tally.count;
        }
        rung = at.next();
        if out.len() <= NAMED || rung.is_none() {
            return out;
        }
    }
}

fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.to_string())
}
