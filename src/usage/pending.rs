//! Records counted by shape, before they go to the table.
//!
//! What a record does ([`Effect`]) is worked out for the first two of a shape; those that follow are only
//! counted, and settled together: the table's merge is associative, so this changes nothing but the
//! time it takes. Bounded: when too many shapes or objects are pending, all are settled.

use std::collections::{BTreeMap, HashMap, hash_map};

use foldhash::fast::RandomState;

use super::bounded::Bounded;
use super::effect::Effect;
use super::invoked::{Caller, invoked};
use super::role::{CallShape, FunctionKey, RoleUsage};
use super::shape::{Kind, Shape, Shapes};
use super::tally::Tally;
use crate::catalog::{Catalog, Mapping, ResourceRef};
use crate::trail::record::UserIdentity;
use crate::trail::{self, Look, Record};

/// Shapes known at once: some 16 MB.
const MOST_SHAPES: usize = 16_384;
/// Hashes of shapes remembered, met once or more: 4 MB.
const MOST_KNOWN: usize = 1 << 17;
/// Objects of all shapes pending at once: some 4 MB.
const MOST_OBJECTS: usize = 16_384;

/// In place of an identity: Lambda's own name.
const TAKING: u128 = 0;

/// What the records are counted in.
#[derive(Default)]
pub(super) struct Table {
    pub(super) roles: HashMap<String, RoleUsage, RandomState>,
    pub(super) invoked: BTreeMap<String, Bounded<Caller>>,
}

/// The records of a worker that are not in its table yet.
#[derive(Default)]
pub(super) struct Pending {
    shapes: Shapes,
    known: HashMap<u128, Entry, RandomState>,
    slots: Vec<Slot>,
    objects: usize,
}

/// Where a record is counted.
pub(super) struct Found<'r> {
    slot: usize,
    object: Option<&'r str>,
}

#[derive(Clone, Copy)]
enum Entry {
    Slot(usize),
    /// Met once: most that are met once are never met again.
    Once,
    /// What the shape leaves out decides something after all: these are told apart by everything.
    Literal,
}

/// Lambda took a role, to run a function where there is one.
pub(super) struct Taking {
    pub(super) role: String,
    pub(super) function: Option<FunctionKey>,
}

impl Taking {
    /// Counts `tally` records of it.
    pub(super) fn apply(&self, roles: &mut HashMap<String, RoleUsage, RandomState>, tally: &Tally) {
        let usage = roles.entry(self.role.clone()).or_default();
        usage.lambda = true;
        if let Some(key) = &self.function {
            for functions in [&mut usage.taken, &mut usage.functions] {
                functions.entry(key.clone()).or_default().merge(tally);
            }
        }
    }
}

struct Slot {
    deed: Deed,
    tally: Tally,
    /// The function that its records show invoked, and by whom.
    invoked: Option<(String, Caller)>,
    /// Where the effect's resources are objects, one per key: the calls with what stands before the key.
    objects: Option<Objects>,
}

enum Deed {
    Effect(Box<Effect>),
    Taking(Taking),
}

#[derive(Default)]
struct Objects {
    calls: Vec<(CallShape, Template)>,
    tallies: HashMap<Box<str>, Tally, RandomState>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
enum Template {
    /// The same for every key.
    Fixed(ResourceRef),
    /// A literal that ends in the key.
    Before(String),
}

impl Pending {
    /// Counts a record of a known shape. False for others.
    pub(super) fn count(&mut self, record: &Record<'_>, time: Option<i64>) -> bool {
        if record.user_identity.kind.as_deref() != Some("AssumedRole") {
            return false;
        }
        let identity = self.identity(&record.user_identity);
        let Some(found) = self.find(record, identity, trail::denied(record)) else {
            return false;
        };
        self.add(&found, time, record.event_id.as_deref());
        true
    }

    /// What [`Pending::find`] asks for.
    pub(super) fn identity(&mut self, identity: &UserIdentity<'_>) -> u128 {
        self.shapes.of_identity(identity)
    }

    /// Where the records of this shape are counted, if it is known: a call by a session of a role, refused
    /// or not.
    pub(super) fn find<'r>(
        &mut self,
        look: &'r impl Look,
        identity: u128,
        refused: bool,
    ) -> Option<Found<'r>> {
        let kind = if refused { Kind::Refused } else { Kind::Open };
        let mut shape = self.shapes.of(look, identity, kind)?;
        if let Some(Entry::Literal) = self.known.get(&shape.hash) {
            shape = self.shapes.of(look, identity, Kind::Literal)?;
        }
        match self.known.get(&shape.hash)? {
            Entry::Slot(slot) => Some(Found {
                slot: *slot,
                object: shape.object,
            }),
            Entry::Once | Entry::Literal => None,
        }
    }

    /// Counts a record.
    pub(super) fn add(&mut self, found: &Found<'_>, time: Option<i64>, id: Option<&str>) {
        let Some(slot) = self.slots.get_mut(found.slot) else {
            return;
        };
        slot.tally.add(time, id);
        if let (Some(objects), Some(object)) = (&mut slot.objects, found.object) {
            match objects.tallies.get_mut(object) {
                Some(tally) => tally.add(time, id),
                None => {
                    let tally = Tally::one(time, id);
                    objects.tallies.insert(object.into(), tally);
                    self.objects += 1;
                }
            }
        }
    }

    /// Remembers the effect of a record whose shape is not known, for those that follow.
    pub(super) fn learn(
        &mut self,
        record: &Record<'_>,
        effect: Effect,
        catalog: &Catalog,
        table: &mut Table,
    ) {
        self.make_room(table);
        if record.user_identity.kind.as_deref() != Some("AssumedRole") || !effect.is_of_shape() {
            return;
        }
        let identity = self.identity(&record.user_identity);
        let kind = if trail::denied(record) {
            Kind::Refused
        } else {
            Kind::Open
        };
        let Some(mut shape) = self.shapes.of(record, identity, kind) else {
            return;
        };
        if let Some(Entry::Literal) = self.known.get(&shape.hash) {
            let Some(literal) = self.shapes.of(record, identity, Kind::Literal) else {
                return;
            };
            shape = literal;
        }
        if self.known.insert(shape.hash, Entry::Once).is_none() {
            return;
        }
        let mut objects = None;
        if shape.is_open() {
            match left_out_safely(record, &shape, &effect, catalog) {
                Some(calls) => objects = calls,
                None => {
                    self.known.insert(shape.hash, Entry::Literal);
                    return;
                }
            }
        }
        self.known.insert(shape.hash, Entry::Slot(self.slots.len()));
        self.slots.push(Slot {
            deed: Deed::Effect(Box::new(effect)),
            invoked: invoked(record),
            tally: Tally::default(),
            objects: objects.map(|calls| Objects {
                calls,
                ..Objects::default()
            }),
        });
    }

    fn make_room(&mut self, table: &mut Table) {
        if self.slots.len() >= MOST_SHAPES || self.known.len() >= MOST_KNOWN {
            self.settle(table);
            self.known.clear();
            self.slots.clear();
        }
    }

    /// Where the events are counted with which Lambda takes a role, if they were met before: sound ones, that
    /// did not fail.
    pub(super) fn find_taking<'r>(&mut self, look: &'r impl Look) -> Option<Found<'r>> {
        let shape = self.shapes.of(look, TAKING, Kind::Literal)?;
        match self.known.get(&shape.hash)? {
            Entry::Slot(slot) => Some(Found {
                slot: *slot,
                object: None,
            }),
            Entry::Once | Entry::Literal => None,
        }
    }

    /// Remembers what an event shows that Lambda took a role with, for those that follow.
    pub(super) fn learn_taking(&mut self, record: &Record<'_>, taking: Taking, table: &mut Table) {
        self.make_room(table);
        let Some(shape) = self.shapes.of(record, TAKING, Kind::Literal) else {
            return;
        };
        if let hash_map::Entry::Vacant(vacant) = self.known.entry(shape.hash) {
            vacant.insert(Entry::Slot(self.slots.len()));
            self.slots.push(Slot {
                deed: Deed::Taking(taking),
                invoked: None,
                tally: Tally::default(),
                objects: None,
            });
        }
    }

    /// Whether it is time to settle.
    pub(super) fn is_full(&self) -> bool {
        self.objects >= MOST_OBJECTS
    }

    /// Puts everything that was counted into the table. The shapes stay known.
    pub(super) fn settle(&mut self, table: &mut Table) {
        let Table { roles, invoked } = table;
        self.objects = 0;
        for slot in &mut self.slots {
            if slot.tally.count == 0 {
                continue;
            }
            let tally = std::mem::take(&mut slot.tally);
            let effect = match &slot.deed {
                Deed::Effect(effect) => effect,
                Deed::Taking(taking) => {
                    taking.apply(roles, &tally);
                    continue;
                }
            };
            effect.apply(roles, &tally, slot.objects.is_none());
            if let Some((function, caller)) = &slot.invoked {
                let callers = invoked.entry(function.clone()).or_default();
                callers.add_all(caller.clone(), &tally);
            }
            let Some(objects) = &mut slot.objects else {
                continue;
            };
            let usage = effect.usage(roles);
            for (shape, template) in &objects.calls {
                if let Template::Before(before) = template {
                    let mine = objects.tallies.iter();
                    let mine = mine.map(|(object, tally)| {
                        (ResourceRef::Literal([before, &**object].concat()), tally)
                    });
                    usage.add_calls(shape, mine);
                }
            }
            objects.tallies.clear();
            for (shape, template) in &objects.calls {
                if let Template::Fixed(resource) = template {
                    usage.add_call(shape, resource.clone(), &tally);
                }
            }
        }
    }
}

/// Tries whether what a shape leaves out decides nothing: another record of the shape must be attributed
/// and mapped in the same way, but for the object's key, which may stand at the end of an ARN. Gives
/// the calls with their templates where the shape has an object.
fn left_out_safely(
    record: &Record<'_>,
    shape: &Shape<'_>,
    effect: &Effect,
    catalog: &Catalog,
) -> Option<Option<Vec<(CallShape, Template)>>> {
    let mine = templates(&catalog.map(record), shape.object);
    let same = shape.twin(record, |twin, object| {
        trail::actor(twin) == trail::actor(record)
            && templates(&catalog.map(twin), object) == mine
            && invoked(twin) == invoked(record)
    });
    if !same {
        return None;
    }
    let calls = shape.object.map(|object| {
        let calls = effect.calls.iter();
        calls
            .map(|(call, resource)| (call.clone(), template(resource, Some(object))))
            .collect()
    });
    Some(calls)
}

/// A mapping with its resources as templates.
fn templates(mapping: &Mapping, object: Option<&str>) -> (Mapping, Vec<Template>) {
    match mapping {
        Mapping::Requests(requests) => {
            let resources = requests.iter();
            let templates = resources
                .map(|request| template(&request.resource, object))
                .collect();
            let mut requests = requests.clone();
            for request in &mut requests {
                request.resource = ResourceRef::Any;
            }
            (Mapping::Requests(requests), templates)
        }
        other => (other.clone(), Vec::new()),
    }
}

fn template(resource: &ResourceRef, object: Option<&str>) -> Template {
    match (resource, object) {
        (ResourceRef::Literal(arn), Some(object)) if arn.ends_with(object) => {
            let before = arn.get(..arn.len() - object.len()).unwrap_or_default();
            Template::Before(before.to_owned())
        }
        _ => Template::Fixed(resource.clone()),
    }
}

#[cfg(test)]
pub(super) mod tests;
