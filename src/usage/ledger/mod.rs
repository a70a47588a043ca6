//! The table with the identity of every event: what shards of a scan can be put together from, in any
//! order and however they overlap, so that an event counts once.
//!
//! In: records, through a [`Recorder`]. Out: a [`Ledger`] of log objects and pages, a page for each day,
//! account and Region. On a page stand the deeds (what an event does to the table) with their tallies,
//! and a mark for each event: its second, 56 bits of its fingerprint, its deed. Joining two ledgers is a
//! union of objects, deeds and marks, so it is associative, commutative and idempotent, and the
//! [`Usage`](super::Usage) is a function of the union.

mod deed;
mod ladders;
mod objects;
mod page;
mod recorder;

use std::collections::BTreeMap;

pub(super) use deed::{Act, Deed};
pub(super) use ladders::Rungs;
pub use objects::{End, ObjectRow};
pub(super) use page::{Cell, Denials, Draft, Mark, Page};
pub use recorder::Recorder;
pub(super) use recorder::{DAY, PRINT_BITS};

/// Where an event happened, as far as its record tells.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Where {
    /// The account that received the record.
    pub account: Option<String>,
    /// The Region.
    pub region: Option<String>,
}

/// Log objects and what happened, in memory.
#[derive(Debug, Default)]
pub struct Ledger {
    /// By name.
    pub(super) objects: BTreeMap<String, ObjectRow>,
    /// By day since 1970, `None` for events without a time.
    pub(super) days: BTreeMap<Option<i32>, BTreeMap<Where, Sheet>>,
}

/// A page with its marks, sorted.
#[derive(Debug, Default)]
pub(super) struct Sheet {
    pub(super) page: Page,
    pub(super) marks: Vec<Mark>,
}

impl Sheet {
    /// `numbers` says which deed of the page each number in `marks` stands for.
    fn new(mut page: Page, mut marks: Vec<Mark>, numbers: &[u32]) -> Self {
        for mark in &mut marks {
            mark.deed = numbers.get(mark.deed as usize).copied().unwrap_or_default();
        }
        marks.sort_unstable();
        marks.dedup();
        for (_, cell) in &mut page.deeds {
            cell.tally.count = cell.sealed;
        }
        for mark in &marks {
            if let Some((_, cell)) = page.deeds.get_mut(mark.deed as usize) {
                cell.tally.count += 1;
            }
        }
        Self { page, marks }
    }

    fn join(self, other: Self) -> Self {
        let mut draft = Draft::default();
        let mut marks = Vec::with_capacity(self.marks.len() + other.marks.len());
        for sheet in [self, other] {
            let numbers = draft.absorb(sheet.page);
            marks.extend(sheet.marks.into_iter().map(|mark| Mark {
                deed: numbers.get(mark.deed as usize).copied().unwrap_or_default(),
                ..mark
            }));
        }
        let (page, numbers) = draft.settle();
        Self::new(page, marks, &numbers)
    }
}

impl Ledger {
    /// Adds what another worker recorded.
    pub fn merge(&mut self, other: Self) {
        for (name, row) in other.objects {
            self.object(name, row);
        }
        for (day, sheets) in other.days {
            let mine = self.days.entry(day).or_default();
            for (place, sheet) in sheets {
                let joined = match mine.remove(&place) {
                    Some(own) => own.join(sheet),
                    None => sheet,
                };
                mine.insert(place, joined);
            }
        }
    }

    /// Every object by name.
    pub fn rows(&self) -> impl Iterator<Item = (&str, &ObjectRow)> {
        self.objects.iter().map(|(name, row)| (name.as_str(), row))
    }

    /// Notes an object; of two readings the greater counts.
    pub fn object(&mut self, name: String, row: ObjectRow) {
        match self.objects.get_mut(&name) {
            Some(known) => known.join(row),
            None => {
                self.objects.insert(name, row);
            }
        }
    }
}
