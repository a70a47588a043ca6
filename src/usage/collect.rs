//! From records to the table: one collector a worker.

use std::collections::{BTreeMap, HashMap};

use foldhash::fast::RandomState;

use super::changes::change;
use super::invoked::invoked;
use super::observe::{Observation, Outcome, observed};
use super::role::{CallShape, DeniedKey, FunctionKey, RoleUsage, Unmapped};
use super::{Bounded, Caller, Changes, Coverage, OutsideKey, Place, Records, Usage};
use crate::catalog::{
    CallRequest, Catalog, Door, Mapping, Memo, PolicyKind, ResourceRef, Visibility,
};
use crate::read::Selection;
use crate::trail::dedupe::Dedupe;
use crate::trail::{Actor, Class, Record, RoleSession, fingerprint, time};

/// Adds records to one worker's table.
pub struct Collector<'c> {
    catalog: &'c Catalog,
    memo: Memo<'c>,
    selection: &'c Selection,
    dedupe: &'c Dedupe,
    roles: HashMap<String, RoleUsage, RandomState>,
    coverage: Coverage,
    records: Records,
    changes: Changes,
    invoked: BTreeMap<String, Bounded<Caller>>,
    /// Data event types by event source and name, for data events that list no resource.
    data_types: HashMap<(String, String), Vec<String>, RandomState>,
}

impl<'c> Collector<'c> {
    /// A collector for one worker; all workers share `dedupe`.
    #[must_use]
    pub fn new(catalog: &'c Catalog, selection: &'c Selection, dedupe: &'c Dedupe) -> Self {
        Self {
            catalog,
            memo: Memo::new(catalog),
            selection,
            dedupe,
            roles: HashMap::default(),
            coverage: Coverage::default(),
            records: Records::default(),
            changes: Changes::default(),
            invoked: BTreeMap::new(),
            data_types: HashMap::default(),
        }
    }

    /// The table so far.
    #[must_use]
    pub fn finish(self) -> Usage {
        Usage {
            roles: self.roles.into_iter().collect(),
            coverage: self.coverage,
            records: self.records,
            changes: self.changes,
            invoked: self.invoked,
        }
    }

    /// Notes a log object that was delivered for a place, read to its end or not.
    pub fn delivered(
        &mut self,
        account: &str,
        region: &str,
        day: Option<i32>,
        organisation: bool,
        failed: bool,
    ) {
        let place = self.coverage.place(account, region);
        place.plain |= !organisation;
        place.organisation |= organisation;
        if failed {
            place.failed += 1;
        } else if let Some(day) = day {
            place.delivered.insert(day);
        }
    }

    /// Counts records that could not be decoded.
    pub fn undecodable(&mut self, count: u64) {
        self.records.read += count;
        self.records.undecodable += count;
    }

    /// Adds one record.
    pub fn record(&mut self, record: &Record<'_>) {
        self.records.read += 1;
        let time = record.event_time.as_deref().and_then(time::epoch_seconds);
        if !self.selection.selects_record(record) {
            self.records.other += 1;
            return;
        }
        if let Some(print) = fingerprint(record)
            && !self
                .dedupe
                .first(print, time.unwrap_or_default().div_euclid(3_600))
        {
            self.records.duplicate += 1;
            return;
        }
        self.cover(record, time);
        self.doors(record, time);
        match crate::trail::actor(record) {
            actor @ Actor::Role(_) => {
                let observation = observed(record, actor, self.memo.map(record));
                self.role_record(record, &observation, time);
            }
            Actor::LambdaTookRole { role, function } => {
                self.records.other += 1;
                let usage = self.roles.entry(role.into_owned()).or_default();
                usage.lambda = true;
                if let Some(name) = function {
                    let key = FunctionKey {
                        name: name.into_owned(),
                        region: region_of(record),
                    };
                    usage
                        .functions
                        .entry(key)
                        .or_default()
                        .add(time, record.event_id.as_deref());
                }
            }
            Actor::Other => self.records.other += 1,
        }
    }

    /// What the record tells of the doors around a role: a policy changed, a function invoked.
    fn doors(&mut self, record: &Record<'_>, time: Option<i64>) {
        let about = || match self.catalog.map(record) {
            Mapping::Requests(requests) => requests
                .iter()
                .find_map(|request| request.resource.as_arn().map(str::to_owned)),
            _ => None,
        };
        if let Some((target, change)) = change(record, about) {
            self.changes.add(target, change);
        }
        if let Some((function, caller)) = invoked(record) {
            let callers = self.invoked.entry(function).or_default();
            callers.add(caller, time, record.event_id.as_deref());
        }
    }

    fn cover(&mut self, record: &Record<'_>, time: Option<i64>) {
        let account = record
            .recipient_account_id
            .as_deref()
            .or(record.user_identity.account_id.as_deref());
        let (Some(account), Some(region)) = (account, record.aws_region.as_deref()) else {
            return;
        };
        let category = record.event_category.as_deref();
        // A copy for the owner of an endpoint: the call itself is another event.
        if category == Some("NetworkActivity") {
            return;
        }
        // Before version 1.08 records carry no category.
        let data = match (category, record.management_event) {
            (Some(category), _) => category == "Data",
            (None, Some(management)) => !management,
            (None, None) => !self.types_of(record).is_empty(),
        };
        let place = self.coverage.place(account, region);
        place.add(time);
        if !data {
            note_management(place, record, time);
            return;
        }
        let kinds = record
            .resources
            .iter()
            .filter_map(|resource| resource.kind.as_deref());
        let mut listed = false;
        for kind in kinds {
            listed = true;
            place.data(kind, record.read_only, time);
        }
        if !listed {
            let types = self.types_of(record).to_vec();
            let place = self.coverage.place(account, region);
            for kind in types {
                place.data(&kind, record.read_only, time);
            }
        }
    }

    /// The data event types of an event by its source and name; empty for management events.
    fn types_of(&mut self, record: &Record<'_>) -> &[String] {
        let key = (
            record.event_source.to_string(),
            record.event_name.to_string(),
        );
        let catalog = self.catalog;
        self.data_types
            .entry(key)
            .or_insert_with(|| data_types(catalog, record))
    }

    fn role_record(
        &mut self,
        record: &Record<'_>,
        observation: &Observation<'_>,
        time: Option<i64>,
    ) {
        let Actor::Role(session) = &observation.actor else {
            return;
        };
        self.records.by_role += 1;
        let id = record.event_id.as_deref();
        let usage = self.roles.entry(session.role_arn.to_string()).or_default();
        if let Some(principal) = &session.principal_id {
            let principal = principal.split(':').next().unwrap_or(principal);
            if !usage.principal_ids.contains(principal) {
                usage.principal_ids.insert(principal.to_owned());
            }
        }
        if session.class == Class::Outside {
            usage.records.outside += 1;
            let key = OutsideKey::of(record, session.session_name);
            usage.outside.add(key, time, id);
            match observation.outcome {
                Outcome::Authorised => add_calls(usage, record, session, observation, time),
                Outcome::Denied => {
                    add_denied(usage, self.catalog, record, session, observation, time);
                }
                Outcome::None => {}
            }
            return;
        }
        usage.seen.add(time, id);
        if let Some(function) = &session.function
            && session.lambda
        {
            let region = function
                .arn
                .as_deref()
                .and_then(|arn| arn.split(':').nth(3))
                .map_or_else(|| region_of(record), str::to_owned);
            let key = FunctionKey {
                name: function.name.to_string(),
                region,
            };
            // A function that takes a second role carries the agent of its runtime into that one's
            // records: the agent alone proves no execution role.
            let proven = function.arn.is_some() || session.class == Class::Platform;
            usage.lambda |= proven;
            let functions = if proven {
                &mut usage.functions
            } else {
                &mut usage.likely_functions
            };
            functions.entry(key).or_default().add(time, id);
        }
        usage.lambda |= session.class == Class::Service;
        match observation.outcome {
            Outcome::Denied => {
                usage.records.denied += 1;
                add_denied(usage, self.catalog, record, session, observation, time);
            }
            _ if session.class == Class::Platform => {
                usage.records.platform += 1;
                add_calls(usage, record, session, observation, time);
            }
            Outcome::None => {
                usage.records.used += 1;
                usage.records.no_permission += 1;
            }
            Outcome::Authorised => {
                usage.records.used += 1;
                if observation.unmapped {
                    usage.records.unmapped += 1;
                    let key = Unmapped {
                        event_source: record.event_source.to_string(),
                        event_name: record.event_name.to_string(),
                    };
                    usage.unmapped.entry(key).or_default().add(time, id);
                } else {
                    add_calls(usage, record, session, observation, time);
                }
            }
        }
    }
}

/// A trail can leave out reads, writes, or the events of two services: what was met shows that it does not.
fn note_management(place: &mut Place, record: &Record<'_>, time: Option<i64>) {
    match record.read_only {
        Some(true) => place.management_reads = true,
        Some(false) => place.management_writes = true,
        None => {}
    }
    if matches!(
        &*record.event_source,
        "kms.amazonaws.com" | "rdsdata.amazonaws.com"
    ) && !place.sources.contains(&*record.event_source)
    {
        place.sources.insert(record.event_source.to_string());
    }
    let changes = [
        "DeleteTrail",
        "PutEventSelectors",
        "StartLogging",
        "StopLogging",
        "UpdateTrail",
    ];
    if record.event_source == "cloudtrail.amazonaws.com"
        && changes.contains(&&*record.event_name)
        && record.error_code.is_none()
    {
        place.trail_change(&record.event_name, time);
    }
}

fn region_of(record: &Record<'_>) -> String {
    record.aws_region.as_deref().unwrap_or_default().to_owned()
}

fn data_types(catalog: &Catalog, record: &Record<'_>) -> Vec<String> {
    let crate::catalog::Mapping::Requests(requests) = catalog.map(record) else {
        return Vec::new();
    };
    requests
        .iter()
        .filter_map(|request| catalog.action(request.action.as_str()))
        .filter_map(|facts| match catalog.visibility(facts) {
            Visibility::Data(types) => types.first().map(|kind| (*kind).to_owned()),
            _ => None,
        })
        .collect()
}

fn add_calls(
    usage: &mut RoleUsage,
    record: &Record<'_>,
    session: &RoleSession<'_>,
    observation: &Observation<'_>,
    time: Option<i64>,
) {
    for request in &observation.requests {
        let shape = CallShape {
            action: request.action.clone(),
            function: session
                .function_by_session()
                .map(std::borrow::Cow::into_owned),
            class: session.class,
            certainty: request.certainty,
            region: region_of(record),
            context: request.context.clone(),
        };
        usage.add_call(
            shape,
            request.resource.clone(),
            time,
            record.event_id.as_deref(),
        );
    }
}

/// What the first action of a call was checked against, where that is one thing alone: of several nobody
/// knows which was refused.
fn sole_resource(requests: &[CallRequest]) -> Option<ResourceRef> {
    let first = requests.first()?;
    let mut same = requests.iter().filter(|other| other.action == first.action);
    same.nth(1).is_none().then(|| first.resource.clone())
}

/// What was denied: the message says it best, since most denied calls have no parameters.
fn add_denied(
    usage: &mut RoleUsage,
    catalog: &Catalog,
    record: &Record<'_>,
    session: &RoleSession<'_>,
    observation: &Observation<'_>,
    time: Option<i64>,
) {
    let id = record.event_id.as_deref();
    let message = record.error_message.as_deref().unwrap_or_default();
    let parsed = catalog.denied_call(record);
    // The policy of a VPC endpoint refuses under a code of its own.
    let by_endpoint = record.error_code.as_deref().is_some_and(|code| {
        let code = code.to_ascii_lowercase();
        code.contains("vpceaccessdenied") || code.contains("vpcendpointaccessdenied")
    });
    let door = match parsed.door {
        Door::Unknown | Door::ExplicitDeny if by_endpoint => Door::Denied(PolicyKind::VpcEndpoint),
        door => door,
    };
    let said = parsed.resource.map(|arn| {
        // A `*` in a message is AWS's own: what was refused had no name yet.
        match arn.as_str() {
            "*" => ResourceRef::Any,
            arn if arn.contains('*') => ResourceRef::Pattern(arn.to_owned()),
            arn => ResourceRef::Literal(arn.to_owned()),
        }
    });
    let mapped = observation.requests.first();
    let action = match (parsed.action, mapped) {
        (Some(action), _) => action,
        (None, Some(request)) => request.action.to_string(),
        (None, None) => format!(
            "{}:{}",
            record.event_source.split('.').next().unwrap_or_default(),
            record.event_name
        ),
    };
    let resource = said
        .or_else(|| sole_resource(&observation.requests))
        .unwrap_or(ResourceRef::Any);
    let key = DeniedKey {
        action,
        door: door.code().to_owned(),
        outside: session.class == Class::Outside,
    };
    let denial = usage.add_denied(key, resource, message, time, id);
    denial.through(
        session.function_by_session().as_deref(),
        record.vpc_endpoint_id.as_deref(),
    );
}
