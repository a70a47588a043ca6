//! From records to the ledger: one recorder a worker.

use std::collections::{BTreeMap, HashMap};
use std::hash::{BuildHasher, Hasher};

use foldhash::fast::RandomState;
use foldhash::quality::FixedState;

use super::super::changes::change;
use super::super::collect::{DataTypes, covers, note_event};
use super::super::effect::{Effect, region_of};
use super::super::invoked::invoked;
use super::super::observe::observed;
use super::super::role::FunctionKey;
use super::super::shape::{Kind, Shapes};
use super::deed::{Act, Deed};
use super::page::{Draft, Mark};
use super::{Ledger, ObjectRow, Where};
use crate::catalog::{Catalog, Mapping, Memo};
use crate::read::Selection;
use crate::trail::{Actor, Record, fingerprint, is_damaged, time};

/// Bits of a fingerprint that are kept. With the second of the event some seventy bits tell the events
/// of a day apart.
pub(in crate::usage) const PRINT_BITS: u32 = 56;
/// Shapes remembered before all are forgotten: some 3 MB.
const MOST_KNOWN: usize = 1 << 16;
/// Seconds of a day.
pub(in crate::usage) const DAY: i64 = 86_400;

/// Adds records to one worker's ledger.
pub struct Recorder<'c> {
    catalog: &'c Catalog,
    memo: Memo<'c>,
    selection: &'c Selection,
    data_types: DataTypes,
    pages: Vec<Open>,
    numbers: HashMap<(Option<i32>, Where), usize, RandomState>,
    /// The page of the last record.
    here: usize,
    object: Object,
    objects: BTreeMap<String, ObjectRow>,
    shapes: Shapes,
    /// Deeds by page and shape.
    known: HashMap<(usize, u128), u32, RandomState>,
}

/// A page that is being written.
struct Open {
    day: Option<i32>,
    place: Where,
    draft: Draft,
    marks: Vec<Mark>,
}

/// The object that is being read.
#[derive(Default)]
struct Object {
    name: u64,
    record: u64,
    outside: u64,
    damaged: u64,
    /// By page.
    counts: HashMap<usize, u64, RandomState>,
}

impl<'c> Recorder<'c> {
    /// A recorder for one worker.
    #[must_use]
    pub fn new(catalog: &'c Catalog, selection: &'c Selection) -> Self {
        Self {
            catalog,
            memo: Memo::new(catalog),
            selection,
            data_types: HashMap::default(),
            pages: Vec::new(),
            numbers: HashMap::default(),
            here: 0,
            object: Object::default(),
            objects: BTreeMap::new(),
            shapes: Shapes::default(),
            known: HashMap::default(),
        }
    }

    /// The records that follow are of the object of this name.
    pub fn begin(&mut self, name: &str) {
        self.object = Object {
            name: hash(0x6e61_6d65, name.as_bytes()),
            ..Object::default()
        };
    }

    /// The object that was begun has ended; `row` says how, and how large it was.
    pub fn end(&mut self, name: &str, mut row: ObjectRow) {
        row.outside = self.object.outside;
        row.undecodable += self.object.damaged;
        for (page, count) in self.object.counts.drain() {
            if let Some(page) = self.pages.get(page) {
                row.records.insert((page.day, page.place.clone()), count);
            }
        }
        self.objects.insert(name.to_owned(), row);
    }

    /// Adds one record.
    pub fn record(&mut self, record: &Record<'_>) {
        self.object.record += 1;
        if !self.selection.selects_record(record) {
            self.object.outside += 1;
            return;
        }
        // It may have been anybody's: unseen use.
        if is_damaged(record) {
            self.object.damaged += 1;
            return;
        }
        let time = record.event_time.as_deref().and_then(time::epoch_seconds);
        let here = self.page(record, time);
        *self.object.counts.entry(here).or_default() += 1;
        let print = self.print(record);
        let shape = self.shape(record, here);
        let known = shape.and_then(|shape| self.known.get(&shape).copied());
        let deed = match known {
            Some(_) => None,
            None => Some(Deed {
                act: self.act(record),
                invoked: invoked(record),
            }),
        };
        let Some(page) = self.pages.get_mut(here) else {
            return;
        };
        if covers(record).is_some() {
            let cover = page.draft.cover.get_or_insert_default();
            let types = &mut self.data_types;
            note_event(cover, types, self.catalog, record, time);
        }
        let about = || match self.catalog.map(record) {
            Mapping::Requests(requests) => requests
                .iter()
                .find_map(|request| request.resource.as_arn().map(str::to_owned)),
            _ => None,
        };
        if let Some((target, change)) = change(record, about) {
            page.draft.changes.add(target, change);
        }
        // What is known by its shape is of a role.
        let evidence = deed.as_ref().is_none_or(Deed::is_evidence);
        let id = record.event_id.as_deref().filter(|_| evidence);
        let deed = match (known, deed) {
            (Some(number), _) => number,
            (None, Some(deed)) => {
                let by_shape = deed.is_of_shape();
                let number = page.draft.deed(deed);
                if let Some(shape) = shape.filter(|_| by_shape) {
                    if self.known.len() >= MOST_KNOWN {
                        self.known.clear();
                    }
                    self.known.insert(shape, number);
                }
                number
            }
            (None, None) => return,
        };
        if let Some(cell) = page.draft.cell(deed) {
            cell.tally.note(time, id);
        }
        let second = time.map_or(0, |time| time.rem_euclid(DAY));
        page.marks.push(Mark {
            second: u32::try_from(second).unwrap_or_default(),
            print,
            deed,
        });
    }

    /// What decides the deed of a call of a role, where that is cheap to tell: all but its time and id.
    fn shape(&mut self, record: &Record<'_>, page: usize) -> Option<(usize, u128)> {
        let plain = record.error_code.is_none()
            && record.user_identity.kind.as_deref() == Some("AssumedRole")
            && record.event_source != "lambda.amazonaws.com";
        if !plain {
            return None;
        }
        let identity = self.shapes.of_identity(&record.user_identity);
        let shape = self.shapes.of(record, identity, Kind::Literal)?;
        Some((page, shape.hash))
    }

    fn act(&mut self, record: &Record<'_>) -> Act {
        match crate::trail::actor(record) {
            actor @ Actor::Role(_) => {
                let observation = observed(record, actor, self.memo.map(record));
                match &observation.actor {
                    Actor::Role(session) => {
                        let effect = Effect::of(record, session, &observation, self.catalog);
                        Act::Role(Box::new(effect))
                    }
                    _ => Act::Other,
                }
            }
            Actor::LambdaTookRole { role, function } => Act::Took {
                role: role.into_owned(),
                function: function.map(|name| FunctionKey {
                    name: name.into_owned(),
                    region: region_of(record),
                }),
            },
            Actor::Other => Act::Other,
        }
    }

    /// What tells the event from the others of its second: its fingerprint, or its place in its object
    /// where it has no id.
    fn print(&self, record: &Record<'_>) -> u64 {
        let print = match fingerprint(record) {
            Some(print) => (print >> 64) as u64 ^ print as u64,
            None => hash(self.object.name, &self.object.record.to_le_bytes()),
        };
        print >> (u64::BITS - PRINT_BITS)
    }

    /// The page of a record.
    fn page(&mut self, record: &Record<'_>, time: Option<i64>) -> usize {
        let day = time.map(|time| i32::try_from(time.div_euclid(DAY)).unwrap_or_default());
        let account = record
            .recipient_account_id
            .as_deref()
            .or(record.user_identity.account_id.as_deref());
        let region = record.aws_region.as_deref();
        if self.pages.get(self.here).is_some_and(|page| {
            page.day == day
                && page.place.account.as_deref() == account
                && page.place.region.as_deref() == region
        }) {
            return self.here;
        }
        let place = Where {
            account: account.map(str::to_owned),
            region: region.map(str::to_owned),
        };
        let key = (day, place);
        self.here = match self.numbers.get(&key) {
            Some(number) => *number,
            None => {
                let number = self.pages.len();
                self.pages.push(Open {
                    day,
                    place: key.1.clone(),
                    draft: Draft::default(),
                    marks: Vec::new(),
                });
                self.numbers.insert(key, number);
                number
            }
        };
        self.here
    }

    /// What was recorded.
    #[must_use]
    pub fn finish(self) -> Ledger {
        let mut ledger = Ledger {
            objects: self.objects,
            ..Ledger::default()
        };
        for open in self.pages {
            let (page, numbers) = open.draft.settle();
            let sheet = super::Sheet::new(page, open.marks, &numbers);
            let day = ledger.days.entry(open.day).or_default();
            day.insert(open.place, sheet);
        }
        ledger
    }
}

fn hash(seed: u64, bytes: &[u8]) -> u64 {
    let mut hasher = FixedState::with_seed(seed).build_hasher();
    hasher.write(bytes);
    hasher.finish()
}
