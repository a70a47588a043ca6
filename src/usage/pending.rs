//! Records counted by shape, before they go to the table.
//!
//! What a record does ([`Effect`]) is worked out for the first two of a shape; those that follow are only
//! counted, and settled together: the table's merge is associative, so this changes nothing but the
//! time it takes. Bounded: when too many shapes or objects are pending, all are settled.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::effect::Effect;
use super::role::{CallShape, RoleUsage};
use super::shape::{Shape, Shapes};
use super::tally::Tally;
use crate::catalog::{Catalog, Mapping, ResourceRef};
use crate::trail::{self, Record};

/// Shapes known at once: some 16 MB.
const MOST_SHAPES: usize = 16_384;
/// Hashes of shapes remembered, met once or more: 4 MB.
const MOST_KNOWN: usize = 1 << 17;
/// Objects of all shapes pending at once: some 4 MB.
const MOST_OBJECTS: usize = 16_384;

/// The records of a worker that are not in its table yet.
#[derive(Default)]
pub(super) struct Pending {
    shapes: Shapes,
    known: HashMap<u128, Entry, RandomState>,
    slots: Vec<Slot>,
    objects: usize,
}

#[derive(Clone, Copy)]
enum Entry {
    Slot(usize),
    /// Met once: most that are met once are never met again.
    Once,
    /// What the shape leaves out decides something after all: these are told apart by everything.
    Literal,
}

struct Slot {
    effect: Effect,
    tally: Tally,
    /// Where the effect's resources are objects, one per key: the calls with what stands before the key.
    objects: Option<Objects>,
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
        if record.error_code.is_some()
            || record.user_identity.kind.as_deref() != Some("AssumedRole")
        {
            return false;
        }
        let Some((slot, object)) = self.find(record) else {
            return false;
        };
        let Some(slot) = self.slots.get_mut(slot) else {
            return false;
        };
        let id = record.event_id.as_deref();
        slot.tally.add(time, id);
        if let (Some(objects), Some(object)) = (&mut slot.objects, object) {
            match objects.tallies.get_mut(object) {
                Some(tally) => tally.add(time, id),
                None => {
                    let tally = Tally::one(time, id);
                    objects.tallies.insert(object.into(), tally);
                    self.objects += 1;
                }
            }
        }
        true
    }

    fn find<'r>(&mut self, record: &'r Record<'_>) -> Option<(usize, Option<&'r str>)> {
        let mut shape = self.shapes.of(record, false)?;
        if let Some(Entry::Literal) = self.known.get(&shape.hash) {
            shape = self.shapes.of(record, true)?;
        }
        match self.known.get(&shape.hash)? {
            Entry::Slot(slot) => Some((*slot, shape.object)),
            Entry::Once | Entry::Literal => None,
        }
    }

    /// Remembers the effect of a record whose shape is not known, for those that follow.
    pub(super) fn learn(
        &mut self,
        record: &Record<'_>,
        effect: Effect,
        catalog: &Catalog,
        roles: &mut HashMap<String, RoleUsage, RandomState>,
    ) {
        if self.slots.len() >= MOST_SHAPES || self.known.len() >= MOST_KNOWN {
            self.settle(roles);
            self.known.clear();
            self.slots.clear();
        }
        if record.error_code.is_some()
            || record.user_identity.kind.as_deref() != Some("AssumedRole")
            || !effect.is_of_shape()
        {
            return;
        }
        let Some(mut shape) = self.shapes.of(record, false) else {
            return;
        };
        if let Some(Entry::Literal) = self.known.get(&shape.hash) {
            let Some(literal) = self.shapes.of(record, true) else {
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
            effect,
            tally: Tally::default(),
            objects: objects.map(|calls| Objects {
                calls,
                ..Objects::default()
            }),
        });
    }

    /// Whether it is time to settle.
    pub(super) fn is_full(&self) -> bool {
        self.objects >= MOST_OBJECTS
    }

    /// Puts everything that was counted into the table. The shapes stay known.
    pub(super) fn settle(&mut self, roles: &mut HashMap<String, RoleUsage, RandomState>) {
        self.objects = 0;
        for slot in &mut self.slots {
            if slot.tally.count == 0 {
                continue;
            }
            let tally = std::mem::take(&mut slot.tally);
            slot.effect.apply(roles, &tally, slot.objects.is_none());
            let Some(objects) = &mut slot.objects else {
                continue;
            };
            let usage = slot.effect.usage(roles);
            for (object, mine) in objects.tallies.drain() {
                for (shape, template) in &objects.calls {
                    if let Template::Before(before) = template {
                        let arn = format!("{before}{object}");
                        usage.add_call(shape, ResourceRef::Literal(arn), &mine);
                    }
                }
            }
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
        trail::actor(twin) == trail::actor(record) && templates(&catalog.map(twin), object) == mine
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
mod tests;
