//! From records to the table: one collector a worker.

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::LazyLock;

use foldhash::fast::RandomState;
use memchr::memmem::Finder;

use super::changes::change;
use super::coverage::ManagementEvent;
use super::effect::{Effect, region_of};
use super::glance::Glances;
use super::invoked::invoked;
use super::observe::observed;
use super::pending::{Pending, Table, Taking};
use super::role::FunctionKey;
use super::{Changes, Coverage, Place, Records, Tally, Usage};
use crate::catalog::{Catalog, Mapping, Memo, Visibility};
use crate::read::Selection;
use crate::trail::dedupe::Dedupe;
use crate::trail::fingerprint::Key;
use crate::trail::record::UserIdentity;
use crate::trail::{Actor, Class, Record, fingerprint, is_damaged, time};

/// Adds records to one worker's table.
pub struct Collector<'c> {
    catalog: &'c Catalog,
    memo: Memo<'c>,
    pub(super) selection: &'c Selection,
    pub(super) dedupe: &'c Dedupe,
    pub(super) glances: Glances,
    /// Roles of which nothing but the number of records is wanted.
    passed_over: HashSet<&'c str, RandomState>,
    /// Of these, those that a record shows to be Lambda's.
    pub(super) proven: BTreeSet<String>,
    pub(super) table: Table,
    pub(super) pending: Pending,
    coverage: Coverage,
    /// Where the last records were, apart from `coverage` until others come.
    pub(super) here: (String, String, Place),
    pub(super) records: Records,
    /// Records without a word of who acted, since somebody asked.
    damaged: u64,
    /// Of the fingerprints.
    pub(super) key: Key,
    changes: Changes,
    /// Data event types by event source and name, for data events that list no resource.
    pub(super) data_types: DataTypes,
}

impl<'c> Collector<'c> {
    /// A collector for one worker; all workers share `dedupe`.
    #[must_use]
    pub fn new(catalog: &'c Catalog, selection: &'c Selection, dedupe: &'c Dedupe) -> Self {
        Self {
            passed_over: HashSet::default(),
            proven: BTreeSet::new(),
            catalog,
            memo: Memo::new(catalog),
            selection,
            dedupe,
            glances: Glances::default(),
            table: Table::default(),
            pending: Pending::default(),
            coverage: Coverage::default(),
            here: Default::default(),
            records: Records::default(),
            damaged: 0,
            key: Key::of_this_run(),
            changes: Changes::default(),
            data_types: HashMap::default(),
        }
    }

    /// Counts the records of these roles and looks no further, as long as none of their records shows
    /// Lambda: see [`Usage::proven`].
    #[must_use]
    pub fn passing_over(mut self, roles: &'c BTreeSet<String>) -> Self {
        self.passed_over = roles.iter().map(String::as_str).collect();
        self
    }

    /// The table so far.
    #[must_use]
    pub fn finish(mut self) -> Usage {
        self.pending.settle(&mut self.table);
        self.leave();
        self.decide_copies();
        Usage {
            roles: self.table.roles.into_iter().collect(),
            coverage: self.coverage,
            records: self.records,
            changes: self.changes,
            invoked: self.table.invoked,
            proven: self.proven,
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
        place.delivered(day, organisation, failed);
    }

    /// Counts records that could not be decoded.
    pub fn undecodable(&mut self, count: u64) {
        self.records.read += count;
        self.records.undecodable += count;
    }

    /// Records that were handed in since the last question and cannot be anybody's, though somebody acted:
    /// they count as undecodable, and are unseen use of whoever it was.
    pub fn take_damaged(&mut self) -> u64 {
        std::mem::take(&mut self.damaged)
    }

    /// Adds one record.
    pub fn record(&mut self, record: &Record<'_>) {
        self.records.read += 1;
        let time = record.event_time.as_deref().and_then(time::epoch_seconds);
        if !self.selection.selects_record(record) {
            self.records.other += 1;
            return;
        }
        let identity = fingerprint::of_identity(&record.user_identity, self.key);
        if let Some(print) = fingerprint::of(record, identity, self.key)
            && !self
                .dedupe
                .first(print, time.unwrap_or_default().div_euclid(3_600))
        {
            self.records.duplicate += 1;
            return;
        }
        if is_damaged(record) {
            self.records.undecodable += 1;
            self.damaged += 1;
            return;
        }
        self.cover(record, time);
        self.changed(record);
        if let Some(role) = self.passed_over_role(&record.user_identity) {
            self.records.by_role += 1;
            self.invocation(record, time);
            if may_show_lambda(record) && shows_lambda(record) && !self.proven.contains(role) {
                self.proven.insert(role.to_owned());
            }
            return;
        }
        if self.pending.count(record, time) {
            self.records.by_role += 1;
            if self.pending.is_full() {
                self.pending.settle(&mut self.table);
            }
            return;
        }
        self.invocation(record, time);
        match crate::trail::actor(record) {
            actor @ Actor::Role(_) => {
                let observation = observed(record, actor, self.memo.map(record));
                let Actor::Role(session) = &observation.actor else {
                    return;
                };
                self.records.by_role += 1;
                let effect = Effect::of(record, session, &observation, self.catalog);
                let tally = Tally::one(time, record.event_id.as_deref());
                effect.apply(&mut self.table.roles, &tally, true);
                self.pending
                    .learn(record, effect, self.catalog, &mut self.table);
            }
            Actor::LambdaTookRole { role, function } => {
                self.records.other += 1;
                if self.passed_over.contains(&*role) {
                    self.proven.insert(role.into_owned());
                    return;
                }
                let taking = Taking {
                    role: role.into_owned(),
                    function: function.map(|name| FunctionKey {
                        name: name.into_owned(),
                        region: region_of(record),
                    }),
                };
                taking.apply(
                    &mut self.table.roles,
                    &Tally::one(time, record.event_id.as_deref()),
                );
                self.pending.learn_taking(record, taking, &mut self.table);
            }
            Actor::Other => self.records.other += 1,
        }
    }

    /// The role that made the call, where it is passed over.
    pub(super) fn passed_over_role<'r>(&self, identity: &'r UserIdentity<'_>) -> Option<&'r str> {
        if self.passed_over.is_empty() || identity.kind.as_deref() != Some("AssumedRole") {
            return None;
        }
        let issuer = identity.session_context.as_ref()?.session_issuer.as_ref()?;
        let role = issuer
            .arn
            .as_deref()
            .filter(|_| issuer.kind.as_deref() == Some("Role"))?;
        self.passed_over.contains(role).then_some(role)
    }

    /// What the record tells of the doors around a role: a policy changed.
    fn changed(&mut self, record: &Record<'_>) {
        let about = || match self.catalog.map(record) {
            Mapping::Requests(requests) => requests
                .iter()
                .find_map(|request| request.resource.as_arn().map(str::to_owned)),
            _ => None,
        };
        if let Some((target, change)) = change(record, about) {
            self.changes.add(target, change);
        }
    }

    /// The same: a function was invoked.
    fn invocation(&mut self, record: &Record<'_>, time: Option<i64>) {
        if let Some((function, caller)) = invoked(record) {
            let callers = self.table.invoked.entry(function).or_default();
            callers.add(caller, time, record.event_id.as_deref());
        }
    }

    fn cover(&mut self, record: &Record<'_>, time: Option<i64>) {
        let Some((account, region)) = covers(record) else {
            return;
        };
        self.place(account.as_bytes(), region.as_bytes());
        let place = &mut self.here.2;
        note_event(place, &mut self.data_types, self.catalog, record, time);
    }

    /// Where the records are now, apart from what is known of it before.
    pub(super) fn place(&mut self, account: &[u8], region: &[u8]) -> &mut Place {
        if self.here.0.as_bytes() != account || self.here.1.as_bytes() != region {
            self.leave();
            let own = |text: &[u8]| String::from_utf8_lossy(text).into_owned();
            self.here = (own(account), own(region), Place::default());
        }
        &mut self.here.2
    }

    /// Adds what was met where the last records were.
    fn leave(&mut self) {
        let (account, region, place) = std::mem::take(&mut self.here);
        if !account.is_empty() || !region.is_empty() || place.first.is_some() {
            self.coverage.place(&account, &region).merge(place);
        }
    }
}

/// The account and Region whose coverage a record is part of.
pub(super) fn covers<'r>(record: &'r Record<'_>) -> Option<(&'r str, &'r str)> {
    // A copy for the owner of an endpoint: the call itself is another event.
    if record.event_category.as_deref() == Some("NetworkActivity") {
        return None;
    }
    let account = record
        .recipient_account_id
        .as_deref()
        .or(record.user_identity.account_id.as_deref());
    account.zip(record.aws_region.as_deref())
}

/// Notes an event where it happened.
pub(super) fn note_event(
    place: &mut Place,
    data_types: &mut DataTypes,
    catalog: &Catalog,
    record: &Record<'_>,
    time: Option<i64>,
) {
    // Before version 1.08 records carry no category.
    let category = record.event_category.as_deref();
    let data = match (category, record.management_event) {
        (Some(category), _) => category == "Data",
        (None, Some(management)) => !management,
        (None, None) => !types_of(data_types, catalog, record).is_empty(),
    };
    place.add(time);
    if !data {
        place.management(&ManagementEvent {
            source: &record.event_source,
            name: &record.event_name,
            read_only: record.read_only,
            failed: record.error_code.is_some(),
            time,
        });
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
        for kind in types_of(data_types, catalog, record) {
            place.data(kind, record.read_only, time);
        }
    }
}

/// Whether a record has any of the marks without which [`shows_lambda`] is false: cheap to ask.
fn may_show_lambda(record: &Record<'_>) -> bool {
    let named = |name: Option<&str>| name.is_some_and(|name| name.contains("lambda"));
    identity_may_show_lambda(&record.user_identity)
        || named(record.user_agent.as_deref())
        || named(record.source_ip_address.as_deref())
        || record.event_source == "kms.amazonaws.com"
}

/// Whether the identity of a record has one.
pub(super) fn identity_may_show_lambda(identity: &UserIdentity<'_>) -> bool {
    static LAMBDA: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new("lambda"));
    let named =
        |name: Option<&str>| name.is_some_and(|name| LAMBDA.find(name.as_bytes()).is_some());
    identity.in_scope_of.is_some()
        || named(identity.arn.as_deref())
        || named(identity.principal_id.as_deref())
        || named(identity.invoked_by.as_deref())
}

/// Whether a record of a session proves that Lambda uses its role.
fn shows_lambda(record: &Record<'_>) -> bool {
    match crate::trail::actor(record) {
        Actor::Role(session) => {
            session.class == Class::Service
                || session.class != Class::Outside
                    && session.lambda
                    && (session.class == Class::Platform
                        || session
                            .function
                            .is_some_and(|function| function.arn.is_some()))
        }
        _ => false,
    }
}

pub(super) type DataTypes = HashMap<String, HashMap<String, Vec<String>>, RandomState>;

/// The data event types of an event, if one of this source and name was met before.
pub(super) fn known_types<'t>(
    known: &'t DataTypes,
    source: &[u8],
    name: &[u8],
) -> Option<&'t [String]> {
    let names = known.get(std::str::from_utf8(source).ok()?)?;
    names
        .get(std::str::from_utf8(name).ok()?)
        .map(Vec::as_slice)
}

/// The data event types of an event by its source and name; empty for management events.
fn types_of<'t>(known: &'t mut DataTypes, catalog: &Catalog, record: &Record<'_>) -> &'t [String] {
    let (source, name) = (&*record.event_source, &*record.event_name);
    if !known
        .get(source)
        .is_some_and(|names| names.contains_key(name))
    {
        let types = data_types(catalog, record);
        let names = known.entry(source.to_owned()).or_default();
        names.insert(name.to_owned(), types);
    }
    known
        .get(source)
        .and_then(|names| names.get(name))
        .map_or(&[], Vec::as_slice)
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
