//! One page of the ledger: what happened in one account and Region on one day.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use foldhash::fast::RandomState;

use super::super::effect::Refusal;
use super::super::ladder::Rung;
use super::super::role::{DeniedKey, RoleUsage, cut, keep_smaller};
use super::super::{Changes, Place, Tally, Usage};
use super::deed::{Act, Deed};
use super::ladders::{Ladders, Rungs};

/// An event: what makes it another one than the others of its page, and what it did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::usage) struct Mark {
    /// Of the day; 0 where the event has no time.
    pub(in crate::usage) second: u32,
    /// 56 bits of its fingerprint.
    pub(in crate::usage) print: u64,
    /// The number of its deed on the page.
    pub(in crate::usage) deed: u32,
}

/// How many events did the same, when, and the ids of the earliest.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::usage) struct Cell {
    /// All of them.
    pub(in crate::usage) tally: Tally,
    /// Of these, those whose marks are not kept any more.
    pub(in crate::usage) sealed: u64,
}

/// What else is known of denied calls: it may differ from call to call without being counted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::usage) struct Denials {
    pub(in crate::usage) message: String,
    pub(in crate::usage) functions: BTreeSet<String>,
    pub(in crate::usage) endpoints: BTreeSet<String>,
}

impl Denials {
    fn merge(&mut self, other: &Self) {
        keep_smaller(&mut self.message, &other.message);
        self.functions.extend(other.functions.iter().cloned());
        self.endpoints.extend(other.endpoints.iter().cloned());
        cut(&mut self.functions);
        cut(&mut self.endpoints);
    }
}

/// A page as it is kept: sorted, every deed on the rung where its ladder ended.
#[derive(Clone, Debug, Default)]
pub(in crate::usage) struct Page {
    /// `None` where no event covers the place.
    pub(in crate::usage) cover: Option<Place>,
    pub(in crate::usage) changes: Changes,
    pub(in crate::usage) denials: BTreeMap<(String, DeniedKey), Denials>,
    pub(in crate::usage) rungs: Rungs,
    /// Sorted by deed.
    pub(in crate::usage) deeds: Vec<(Deed, Cell)>,
}

impl Page {
    /// All events of the page.
    pub(in crate::usage) fn events(&self) -> u64 {
        self.deeds.iter().map(|(_, cell)| cell.tally.count).sum()
    }

    /// Puts the page into a table.
    pub(in crate::usage) fn apply(
        &self,
        roles: &mut HashMap<String, RoleUsage, RandomState>,
        usage: &mut Usage,
    ) {
        for ((role, shape), rung) in &self.rungs.calls {
            let usage = roles.entry(role.clone()).or_default();
            usage.raise_calls(shape, Rung::of(*rung));
        }
        for ((role, key), rung) in &self.rungs.denied {
            let usage = roles.entry(role.clone()).or_default();
            usage.raise_denied(key, Rung::of(*rung));
        }
        for (role, rung) in &self.rungs.outside {
            let usage = roles.entry(role.clone()).or_default();
            usage.outside.raise(*rung);
        }
        for (function, rung) in &self.rungs.callers {
            let callers = usage.invoked.entry(function.clone()).or_default();
            callers.raise(*rung);
        }
        for (deed, cell) in &self.deeds {
            deed.apply(&cell.tally, roles, usage);
        }
        for ((role, key), denials) in &self.denials {
            let usage = roles.entry(role.clone()).or_default();
            usage.note_denied(
                key.clone(),
                &denials.message,
                &denials.functions,
                &denials.endpoints,
            );
        }
        usage.changes.merge(self.changes.clone());
    }
}

/// A page under construction.
#[derive(Debug, Default)]
pub(in crate::usage) struct Draft {
    pub(in crate::usage) cover: Option<Place>,
    pub(in crate::usage) changes: Changes,
    denials: BTreeMap<(String, DeniedKey), Denials>,
    ladders: Ladders,
    numbers: HashMap<Deed, u32, RandomState>,
    cells: Vec<Cell>,
}

impl Draft {
    /// The number of a deed, on the page until it is settled.
    pub(in crate::usage) fn deed(&mut self, mut deed: Deed) -> u32 {
        if let Act::Role(effect) = &mut deed.act
            && let Some(refusal) = &mut effect.refusal
        {
            let role = effect.role.clone();
            self.note_denied(role, refusal);
        }
        if let Some(number) = self.numbers.get(&deed) {
            return *number;
        }
        self.number(deed)
    }

    /// The cell of a deed.
    pub(in crate::usage) fn cell(&mut self, number: u32) -> Option<&mut Cell> {
        self.cells.get_mut(number as usize)
    }

    /// Takes what differs from call to call out of a refusal.
    fn note_denied(&mut self, role: String, refusal: &mut Refusal) {
        let denials = self.denials.entry((role, refusal.key.clone())).or_default();
        let names = |name: Option<String>| name.into_iter().collect();
        denials.merge(&Denials {
            message: std::mem::take(&mut refusal.message),
            functions: names(refusal.function.take()),
            endpoints: names(refusal.endpoint.take()),
        });
    }

    /// Adds what is on another page of the same place and day. Gives the number here for each of its
    /// deeds. What is counted of them: the sealed events; those with marks are counted by their marks.
    pub(in crate::usage) fn absorb(&mut self, page: Page) -> Vec<u32> {
        if let Some(cover) = page.cover {
            self.cover.get_or_insert_default().merge(cover);
        }
        self.changes.merge(page.changes);
        for (key, denials) in &page.denials {
            self.denials.entry(key.clone()).or_default().merge(denials);
        }
        self.ladders.raise(&page.rungs);
        let deeds = page.deeds.into_iter();
        deeds
            .map(|(deed, cell)| {
                let number = self.number(deed);
                if let Some(mine) = self.cell(number) {
                    mine.sealed += cell.sealed;
                    mine.tally.merge(&cell.tally);
                    mine.tally.count = mine.sealed;
                }
                number
            })
            .collect()
    }

    /// Of a deed that has nothing to be taken out.
    fn number(&mut self, deed: Deed) -> u32 {
        let deed = deed.climb(&mut self.ladders);
        let next = u32::try_from(self.cells.len()).unwrap_or(u32::MAX);
        let cells = &mut self.cells;
        *self.numbers.entry(deed).or_insert_with(|| {
            cells.push(Cell::default());
            next
        })
    }

    /// The page, and for each number of a deed the one that it has there.
    pub(in crate::usage) fn settle(self) -> (Page, Vec<u32>) {
        let rungs = self.ladders.rungs();
        let mut sorted: BTreeMap<Deed, Vec<u32>> = BTreeMap::new();
        for (deed, number) in self.numbers {
            let deed = if rungs.is_empty() {
                deed
            } else {
                deed.climb(&mut &rungs)
            };
            sorted.entry(deed).or_default().push(number);
        }
        let mut places = vec![0; self.cells.len()];
        let mut deeds = Vec::with_capacity(sorted.len());
        for (deed, numbers) in sorted {
            let mut joined = Cell::default();
            for number in numbers {
                if let Some(cell) = self.cells.get(number as usize) {
                    joined.sealed += cell.sealed;
                    joined.tally.merge(&cell.tally);
                }
                if let Some(place) = places.get_mut(number as usize) {
                    *place = u32::try_from(deeds.len()).unwrap_or(u32::MAX);
                }
            }
            deeds.push((deed, joined));
        }
        let page = Page {
            cover: self.cover,
            changes: self.changes,
            denials: self.denials,
            rungs,
            deeds,
        };
        (page, places)
    }
}
