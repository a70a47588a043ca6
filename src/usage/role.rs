//! What one role did.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;

use super::bounded::Bounded;
use super::ladder::{self, Rung};
use super::outside::OutsideKey;
use super::tally::Tally;
use crate::catalog::{Certainty, ResourceRef};
use crate::iam::Action;
use crate::trail::Class;

/// Everything about a request but its resource.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct CallShape {
    /// The IAM action.
    pub action: Action,
    /// The function that made it, where known.
    pub function: Option<String>,
    /// Code, platform, forwarded, service.
    pub class: Class,
    /// How sure the mapping is.
    pub certainty: Certainty,
    /// The Region of the event.
    pub region: String,
    /// Condition keys known of the request, such as `kms:ViaService`.
    pub context: BTreeMap<String, String>,
}

/// One row of the table, as read out.
#[derive(Clone, Debug)]
pub struct Call<'a> {
    /// Everything but the resource.
    pub shape: &'a CallShape,
    /// What it was done to; a pattern where the ladder was climbed.
    pub resource: &'a ResourceRef,
    /// Evidence.
    pub tally: &'a Tally,
}

/// What was tried and which door refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct DeniedKey {
    /// The action, `service:Name`; the raw event where no action is known.
    pub action: String,
    /// Stable code of the door.
    pub door: String,
    /// Tried with the role's credentials from outside Lambda.
    pub outside: bool,
}

/// What is known of the denied calls of one action and door.
#[derive(Clone, Debug, Default)]
pub struct Denial {
    resources: Resources,
    /// AWS's words; of several messages the smallest.
    pub message: String,
    /// Functions that were refused, by the names of their sessions; at most [`Denial::NAMES`].
    pub functions: BTreeSet<String>,
    /// VPC endpoints that refused calls went through; at most [`Denial::NAMES`].
    pub endpoints: BTreeSet<String>,
}

impl Denial {
    /// Names kept of a kind: the smallest, so that order does not matter.
    pub const NAMES: usize = 32;

    /// Notes the function that was refused and the endpoint that the call went through.
    pub(super) fn through(&mut self, function: Option<&str>, endpoint: Option<&str>) {
        let names = [
            (&mut self.functions, function),
            (&mut self.endpoints, endpoint),
        ];
        for (names, name) in names {
            if let Some(name) = name.filter(|name| !names.contains(*name)) {
                names.insert(name.to_owned());
                cut(names);
            }
        }
    }

    /// On which resources, and how often, sorted.
    #[must_use]
    pub fn resources(&self) -> Vec<(&ResourceRef, &Tally)> {
        let mut rows: Vec<_> = self.resources.tallies.iter().collect();
        rows.sort_by_key(|(resource, _)| *resource);
        rows
    }

    fn merge(&mut self, other: Self) {
        self.resources.merge(other.resources);
        keep_smaller(&mut self.message, &other.message);
        self.functions.extend(other.functions);
        self.endpoints.extend(other.endpoints);
        cut(&mut self.functions);
        cut(&mut self.endpoints);
    }
}

pub(super) fn cut(names: &mut BTreeSet<String>) {
    while names.len() > Denial::NAMES {
        names.pop_last();
    }
}

/// An event that no rule maps.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Unmapped {
    /// `eventSource`.
    pub event_source: String,
    /// `eventName`.
    pub event_name: String,
}

/// A function as the trail names it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FunctionKey {
    /// The name.
    pub name: String,
    /// The Region it runs in.
    pub region: String,
}

/// Resources of one shape, as fine as the cap allows.
#[derive(Clone, Debug, Default)]
struct Resources {
    rung: Rung,
    tallies: HashMap<ResourceRef, Tally, RandomState>,
}

/// What one role did.
#[derive(Clone, Debug, Default)]
pub struct RoleUsage {
    calls: HashMap<CallShape, Resources, RandomState>,
    denied: BTreeMap<DeniedKey, Denial>,
    /// Events no rule maps.
    pub unmapped: BTreeMap<Unmapped, Tally>,
    /// Calls with the role's credentials from outside Lambda, by agent, address and session.
    pub outside: Bounded<OutsideKey>,
    /// The user wants them counted as use.
    pub count_outside: bool,
    /// Functions that Lambda ran with the role, proven by credentials or by Lambda's own calls.
    pub functions: BTreeMap<FunctionKey, Tally>,
    /// Functions for which Lambda took the role, as events of `AssumeRole` show.
    pub taken: BTreeMap<FunctionKey, Tally>,
    /// Functions whose runtime's agent is in the records: the role's own, if it is an execution role.
    pub likely_functions: BTreeMap<FunctionKey, Tally>,
    /// Some record proves that Lambda uses the role.
    pub lambda: bool,
    /// `AROA…` ids met: more than one means that the role was created again.
    pub principal_ids: BTreeSet<String>,
    /// Records by what became of them.
    pub records: RoleRecords,
    /// All authorised or denied events of the role.
    pub seen: Tally,
}

/// The records of one role session or another, each counted once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct RoleRecords {
    /// Authorised calls that count as use, made by code, by another service for it, or by Lambda.
    pub used: u64,
    /// Refused by IAM.
    pub denied: u64,
    /// Made by the Lambda runtime.
    pub platform: u64,
    /// Made with the credentials outside Lambda.
    pub outside: u64,
    /// Of `used`: calls that need no permission.
    pub no_permission: u64,
    /// Of `used`: calls no rule maps.
    pub unmapped: u64,
}

impl RoleRecords {
    /// All records of the role.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.used + self.denied + self.platform + self.outside
    }
}

impl RoleUsage {
    /// The functions that use the role; `execution` says that it is known to be an execution role.
    #[must_use]
    pub fn function_keys(&self, execution: bool) -> BTreeSet<&FunctionKey> {
        let likely = self
            .likely_functions
            .keys()
            .filter(|_| execution || self.lambda);
        self.functions.keys().chain(likely).collect()
    }

    /// Counts requests of one shape on one resource.
    pub fn add_call(&mut self, shape: &CallShape, resource: ResourceRef, tally: &Tally) {
        match self.calls.get_mut(shape) {
            Some(resources) => resources.add(resource, tally),
            None => {
                let resources = self.calls.entry(shape.clone()).or_default();
                resources.add(resource, tally);
            }
        }
    }

    /// The same on many resources.
    pub(super) fn add_calls<'t>(
        &mut self,
        shape: &CallShape,
        resources: impl Iterator<Item = (ResourceRef, &'t Tally)>,
    ) {
        let mine = match self.calls.get_mut(shape) {
            Some(mine) => mine,
            None => self.calls.entry(shape.clone()).or_default(),
        };
        for (resource, tally) in resources {
            mine.add(resource, tally);
        }
    }

    /// Counts denied calls on a resource, `*` where the record does not say.
    pub fn add_denied(
        &mut self,
        key: DeniedKey,
        resource: ResourceRef,
        message: &str,
        tally: &Tally,
    ) -> &mut Denial {
        let denial = self.denied.entry(key).or_default();
        denial.resources.add(resource, tally);
        keep_smaller(&mut denial.message, message);
        denial
    }

    /// What else is known of denied calls: a message, the functions and endpoints.
    pub(super) fn note_denied(
        &mut self,
        key: DeniedKey,
        message: &str,
        functions: &BTreeSet<String>,
        endpoints: &BTreeSet<String>,
    ) {
        let denial = self.denied.entry(key).or_default();
        keep_smaller(&mut denial.message, message);
        denial.functions.extend(functions.iter().cloned());
        denial.endpoints.extend(endpoints.iter().cloned());
        cut(&mut denial.functions);
        cut(&mut denial.endpoints);
    }

    /// Climbs the resources of a call shape to a rung at least.
    pub(super) fn raise_calls(&mut self, shape: &CallShape, rung: Rung) {
        let resources = self.calls.entry(shape.clone()).or_default();
        resources.raise(rung);
    }

    /// Climbs the resources of denied calls to a rung at least.
    pub(super) fn raise_denied(&mut self, key: &DeniedKey, rung: Rung) {
        let denial = self.denied.entry(key.clone()).or_default();
        denial.resources.raise(rung);
    }

    /// Denied calls of Lambda's own, sorted: what, on which resource, how often, and one message.
    pub fn denied(&self) -> impl Iterator<Item = (&DeniedKey, &ResourceRef, &Tally, &str)> {
        let inside = self.denied.iter().filter(|(key, _)| !key.outside);
        inside.flat_map(|(key, denial)| {
            let rows = denial.resources().into_iter();
            rows.map(move |(resource, tally)| (key, resource, tally, denial.message.as_str()))
        })
    }

    /// Every denied call, those from outside Lambda too, by action and door.
    pub fn denials(&self) -> impl Iterator<Item = (&DeniedKey, &Denial)> {
        self.denied.iter()
    }

    /// Every row that counts as use, sorted. Calls from outside Lambda count where `outside` says that
    /// the role may be used there.
    #[must_use]
    pub fn calls(&self, outside: bool) -> Vec<Call<'_>> {
        let mut rows: Vec<Call<'_>> = self
            .calls
            .iter()
            .filter(|(shape, _)| outside || shape.class != Class::Outside)
            .flat_map(|(shape, resources)| {
                resources.tallies.iter().map(move |(resource, tally)| Call {
                    shape,
                    resource,
                    tally,
                })
            })
            .collect();
        rows.sort_by(|a, b| (a.shape, a.resource).cmp(&(b.shape, b.resource)));
        count_keys_once(&mut rows);
        rows
    }

    /// The calls of the shapes that `keep` takes, and nothing else of the role.
    #[must_use]
    pub fn only(&self, keep: impl Fn(&CallShape) -> bool) -> Self {
        let calls = self.calls.iter().filter(|(shape, _)| keep(shape));
        Self {
            calls: calls.map(|(shape, r)| (shape.clone(), r.clone())).collect(),
            ..Self::default()
        }
    }

    /// Adds what another worker counted.
    pub fn merge(&mut self, other: Self) {
        for (shape, resources) in other.calls {
            self.calls.entry(shape).or_default().merge(resources);
        }
        for (key, denial) in other.denied {
            self.denied.entry(key).or_default().merge(denial);
        }
        for (key, tally) in other.unmapped {
            self.unmapped.entry(key).or_default().merge(&tally);
        }
        self.outside.merge(other.outside);
        self.count_outside |= other.count_outside;
        for (key, tally) in other.functions {
            self.functions.entry(key).or_default().merge(&tally);
        }
        for (key, tally) in other.taken {
            self.taken.entry(key).or_default().merge(&tally);
        }
        for (key, tally) in other.likely_functions {
            self.likely_functions.entry(key).or_default().merge(&tally);
        }
        self.lambda |= other.lambda;
        self.principal_ids.extend(other.principal_ids);
        self.records.used += other.records.used;
        self.records.denied += other.records.denied;
        self.records.platform += other.records.platform;
        self.records.outside += other.records.outside;
        self.records.no_permission += other.records.no_permission;
        self.records.unmapped += other.records.unmapped;
        self.seen.merge(&other.seen);
    }
}

/// S3 logs one `DeleteObjects` call and a `DeleteObject` event for each key of it. Where a bucket has
/// events of keys, the call without keys says nothing more (S3 user guide, CloudTrail events).
fn count_keys_once(rows: &mut Vec<Call<'_>>) {
    let deletes = |row: &Call<'_>| row.shape.action.as_str() == "s3:DeleteObject";
    let keyed: BTreeSet<String> = rows
        .iter()
        .filter(|row| deletes(row))
        .filter_map(|row| row.resource.as_arn()?.split_once('/'))
        .map(|(bucket, _)| format!("{bucket}/*"))
        .collect();
    rows.retain(|row| {
        !(deletes(row)
            && matches!(row.resource, ResourceRef::Pattern(pattern) if keyed.contains(pattern)))
    });
}

/// Of several messages the smallest is shown, so that order does not matter.
pub(super) fn keep_smaller(mine: &mut String, other: &str) {
    if !other.is_empty() && (mine.is_empty() || other < mine.as_str()) {
        other.clone_into(mine);
    }
}

impl Resources {
    fn add(&mut self, resource: ResourceRef, tally: &Tally) {
        let resource = ladder::climb(resource, self.rung);
        self.tallies.entry(resource).or_default().merge(tally);
        self.bound();
    }

    fn merge(&mut self, other: Self) {
        self.raise(other.rung);
        for (resource, tally) in other.tallies {
            self.tallies
                .entry(ladder::climb(resource, self.rung))
                .or_default()
                .merge(&tally);
        }
        self.bound();
    }

    /// Climbs until the cap holds. Each rung is a function of the one below, so the rung that a set of
    /// resources ends on does not depend on the order they came in.
    fn bound(&mut self) {
        while self.tallies.len() > ladder::CAP {
            let Some(next) = self.rung.next() else { return };
            self.raise(next);
        }
    }

    fn raise(&mut self, rung: Rung) {
        if rung <= self.rung {
            return;
        }
        self.rung = rung;
        for (resource, tally) in std::mem::take(&mut self.tallies) {
            self.tallies
                .entry(ladder::climb(resource, rung))
                .or_default()
                .merge(&tally);
        }
    }
}
