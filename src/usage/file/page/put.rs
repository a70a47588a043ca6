//! Pages to bytes.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::changes::{ChangeTarget, Changes};
use super::super::super::coverage::Place;
use super::super::super::effect::{Effect, Fate};
use super::super::super::ledger::{Act, Cell, Deed, Page, Rungs};
use super::super::super::role::{CallShape, DeniedKey, FunctionKey};
use super::super::wire::Writer;
use super::{CALLERS, CERTAINTIES, CLASSES, put_id};
use crate::catalog::ResourceRef;

pub(super) struct Out<'w> {
    pub(super) w: &'w mut Writer,
    /// The first second of the day: times are told from there.
    pub(super) start: i64,
    /// Call shapes by number.
    pub(super) shapes: BTreeMap<CallShape, usize>,
}

impl Out<'_> {
    fn time(&mut self, time: i64) {
        self.w.signed(time.saturating_sub(self.start));
    }

    pub(super) fn page(&mut self, page: &Page) {
        self.w.flag(page.cover.is_some());
        if let Some(cover) = &page.cover {
            self.cover(cover);
        }
        self.changes(&page.changes);
        self.w.number(page.denials.len());
        for ((role, key), denials) in &page.denials {
            self.w.text(role);
            self.denied_key(key);
            self.w.text(&denials.message);
            self.names(&denials.functions);
            self.names(&denials.endpoints);
        }
        self.shapes(page);
        self.rungs(&page.rungs);
        self.w.number(page.deeds.len());
        for (deed, cell) in &page.deeds {
            self.deed(deed);
            self.cell(cell);
        }
    }

    fn names(&mut self, names: &BTreeSet<String>) {
        self.w.number(names.len());
        names.iter().for_each(|name| self.w.text(name));
    }

    /// Each shape of the page once.
    fn shapes(&mut self, page: &Page) {
        let effects = page.deeds.iter().filter_map(|(deed, _)| match &deed.act {
            Act::Role(effect) => Some(effect),
            _ => None,
        });
        let mut shapes: BTreeSet<&CallShape> = effects
            .flat_map(|effect| effect.calls.iter().map(|(shape, _)| shape))
            .collect();
        shapes.extend(page.rungs.calls.keys().map(|(_, shape)| shape));
        self.w.number(shapes.len());
        for (number, shape) in shapes.into_iter().enumerate() {
            self.w.text(shape.action.as_str());
            self.w.maybe_text(shape.function.as_deref());
            self.code(&CLASSES, shape.class);
            self.code(&CERTAINTIES, shape.certainty);
            self.w.text(&shape.region);
            self.w.number(shape.context.len());
            for (key, value) in &shape.context {
                self.w.text(key);
                self.w.text(value);
            }
            self.shapes.insert(shape.clone(), number);
        }
    }

    fn code<T: Copy + PartialEq>(&mut self, codes: &[T], value: T) {
        let number = codes.iter().position(|code| *code == value);
        self.w.number(number.unwrap_or(codes.len()));
    }

    fn shape(&mut self, shape: &CallShape) {
        let number = self.shapes.get(shape).copied().unwrap_or_default();
        self.w.number(number);
    }

    fn rungs(&mut self, rungs: &Rungs) {
        self.w.number(rungs.calls.len());
        for ((role, shape), rung) in &rungs.calls {
            self.w.text(role);
            self.shape(shape);
            self.w.number(*rung);
        }
        self.w.number(rungs.denied.len());
        for ((role, key), rung) in &rungs.denied {
            self.w.text(role);
            self.denied_key(key);
            self.w.number(*rung);
        }
        for rungs in [&rungs.outside, &rungs.callers] {
            self.w.number(rungs.len());
            for (of, rung) in rungs {
                self.w.text(of);
                self.w.number(*rung);
            }
        }
    }

    fn cover(&mut self, place: &Place) {
        self.w
            .option(place.first.zip(place.last), |w, (first, last)| {
                w.signed(first.saturating_sub(self.start));
                w.signed(last.saturating_sub(first));
            });
        self.w.number(place.data_types.len());
        for (kind, seen) in &place.data_types {
            self.w.text(kind);
            for time in [seen.reads, seen.writes] {
                // Of events without a time: later than any other.
                self.w.option(time, |w, time| {
                    w.option((time != i64::MAX).then_some(time), |w, time| {
                        w.signed(time.saturating_sub(self.start));
                    });
                });
            }
        }
        self.w.number(place.trail_changes.len());
        for (name, time) in &place.trail_changes {
            self.w.text(name);
            self.time(*time);
        }
        self.w.flag(place.management_reads);
        self.w.flag(place.management_writes);
        self.names(&place.sources);
    }

    fn changes(&mut self, changes: &Changes) {
        self.w.number(changes.by_target.len());
        for (target, changes) in &changes.by_target {
            match target {
                ChangeTarget::Role { account, name } => {
                    self.w.number(0_u8);
                    self.w.text(account);
                    self.w.text(name);
                }
                ChangeTarget::Policy(arn) => {
                    self.w.number(1_u8);
                    self.w.text(arn);
                }
                ChangeTarget::Resource(arn) => {
                    self.w.number(2_u8);
                    self.w.text(arn);
                }
                ChangeTarget::Organization => self.w.number(3_u8),
            }
            self.w.number(changes.len());
            for change in changes {
                self.time(change.time);
                self.w.text(&change.name);
                self.w.maybe_text(change.policy.as_deref());
                self.w.text(&change.by);
                put_id(self.w, &change.event_id);
            }
        }
    }

    fn denied_key(&mut self, key: &DeniedKey) {
        self.w.text(&key.action);
        self.w.text(&key.door);
        self.w.flag(key.outside);
    }

    fn function(&mut self, key: &FunctionKey) {
        self.w.text(&key.name);
        self.w.text(&key.region);
    }

    fn resource(&mut self, resource: &ResourceRef) {
        match resource {
            ResourceRef::Any => self.w.number(0_u8),
            ResourceRef::Literal(arn) => {
                self.w.number(1_u8);
                self.w.text(arn);
            }
            ResourceRef::Pattern(pattern) => {
                self.w.number(2_u8);
                self.w.text(pattern);
            }
        }
    }

    fn deed(&mut self, deed: &Deed) {
        match &deed.act {
            Act::Other => self.w.number(0_u8),
            Act::Took { role, function } => {
                self.w.number(1_u8);
                self.w.text(role);
                self.w.flag(function.is_some());
                if let Some(function) = function {
                    self.function(function);
                }
            }
            Act::Role(effect) => {
                self.w.number(2_u8);
                self.effect(effect);
            }
        }
        self.w.flag(deed.invoked.is_some());
        if let Some((function, caller)) = &deed.invoked {
            self.w.text(function);
            self.code(&CALLERS, caller.kind);
            self.w.text(&caller.who);
            for text in [
                &caller.account,
                &caller.source_arn,
                &caller.source_account,
                &caller.qualifier,
            ] {
                self.w.maybe_text(text.as_deref());
            }
        }
    }

    fn effect(&mut self, effect: &Effect) {
        self.w.text(&effect.role);
        self.w.maybe_text(effect.principal.as_deref());
        self.w.flag(effect.function.is_some());
        if let Some((function, proven)) = &effect.function {
            self.function(function);
            self.w.flag(*proven);
        }
        self.w.flag(effect.lambda);
        match &effect.fate {
            Fate::Outside(key) => {
                self.w.number(0_u8);
                self.w.text(&key.agent);
                self.w.text(&key.address);
                self.w.text(&key.session);
            }
            Fate::Denied => self.w.number(1_u8),
            Fate::Platform => self.w.number(2_u8),
            Fate::NoPermission => self.w.number(3_u8),
            Fate::Unmapped(key) => {
                self.w.number(4_u8);
                self.w.text(&key.event_source);
                self.w.text(&key.event_name);
            }
            Fate::Used => self.w.number(5_u8),
        }
        self.w.flag(effect.refusal.is_some());
        if let Some(refusal) = &effect.refusal {
            self.denied_key(&refusal.key);
            self.resource(&refusal.resource);
        }
        self.w.number(effect.calls.len());
        for (shape, resource) in &effect.calls {
            self.shape(shape);
            self.resource(resource);
        }
    }

    fn cell(&mut self, cell: &Cell) {
        let tally = &cell.tally;
        self.w.number(tally.count);
        self.w.number(cell.sealed);
        self.w
            .option(tally.first.zip(tally.last), |w, (first, last)| {
                w.signed(first.saturating_sub(self.start));
                w.signed(last.saturating_sub(first));
            });
        self.w.number(tally.ids().len());
        for (time, id) in tally.ids() {
            self.w
                .option((*time != i64::MAX).then_some(*time), |w, time| {
                    w.signed(time.saturating_sub(self.start));
                });
            put_id(self.w, id);
        }
    }
}
