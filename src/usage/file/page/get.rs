//! Bytes to pages. Nothing in them is trusted.

use std::collections::{BTreeMap, BTreeSet};

use super::super::super::changes::{ChangeTarget, Changes, PolicyChange};
use super::super::super::coverage::{DataSeen, Place};
use super::super::super::effect::{Effect, Fate, Refusal};
use super::super::super::invoked::Caller;
use super::super::super::ledger::{Act, Cell, Deed, Denials, Page, Rungs};
use super::super::super::outside::OutsideKey;
use super::super::super::role::{CallShape, DeniedKey, FunctionKey, Unmapped};
use super::super::super::tally::Tally;
use super::super::wire::{Corrupt, Reader};
use super::{CALLERS, CERTAINTIES, CLASSES, get_id, start};
use crate::catalog::ResourceRef;
use crate::iam::Action;

/// The most events that a count may tell: sums of many cannot overflow.
const MOST_EVENTS: u64 = 1 << 48;

pub(super) struct In<'r, 'b> {
    pub(super) r: &'r mut Reader<'b>,
    pub(super) day: Option<i32>,
    pub(super) shapes: Vec<CallShape>,
}

impl In<'_, '_> {
    fn time(&mut self) -> Result<i64, Corrupt> {
        self.r
            .signed()?
            .checked_add(start(self.day))
            .ok_or(Corrupt("a time that is out of range"))
    }

    /// First and last.
    fn span(&mut self) -> Result<(Option<i64>, Option<i64>), Corrupt> {
        if !self.r.flag()? {
            return Ok((None, None));
        }
        let first = self.time()?;
        let last = first
            .checked_add(self.r.signed()?)
            .ok_or(Corrupt("a time that is out of range"))?;
        Ok((Some(first), Some(last)))
    }

    pub(super) fn page(&mut self) -> Result<Page, Corrupt> {
        let mut page = Page {
            cover: if self.r.flag()? {
                Some(self.cover()?)
            } else {
                None
            },
            changes: self.changes()?,
            ..Page::default()
        };
        for _ in 0..self.r.count()? {
            let key = (self.r.owned()?, self.denied_key()?);
            let denials = Denials {
                message: self.r.owned()?,
                functions: self.names()?,
                endpoints: self.names()?,
            };
            page.denials.insert(key, denials);
        }
        for _ in 0..self.r.count()? {
            let shape = self.new_shape()?;
            self.shapes.push(shape);
        }
        page.rungs = self.rungs()?;
        for _ in 0..self.r.count()? {
            let deed = self.deed()?;
            page.deeds.push((deed, self.cell()?));
        }
        Ok(page)
    }

    fn names(&mut self) -> Result<BTreeSet<String>, Corrupt> {
        Ok(self.r.list(Reader::owned)?.into_iter().collect())
    }

    fn code<T: Copy>(&mut self, codes: &[T]) -> Result<T, Corrupt> {
        let number: usize = self.r.small()?;
        codes
            .get(number)
            .copied()
            .ok_or(Corrupt("a word that is not known"))
    }

    fn new_shape(&mut self) -> Result<CallShape, Corrupt> {
        let mut shape = CallShape {
            action: Action::new(self.r.text()?),
            function: self.r.maybe_text()?,
            class: self.code(&CLASSES)?,
            certainty: self.code(&CERTAINTIES)?,
            region: self.r.owned()?,
            context: BTreeMap::new(),
        };
        for _ in 0..self.r.count()? {
            shape.context.insert(self.r.owned()?, self.r.owned()?);
        }
        Ok(shape)
    }

    fn shape(&mut self) -> Result<CallShape, Corrupt> {
        let number: usize = self.r.small()?;
        let shape = self.shapes.get(number).cloned();
        shape.ok_or(Corrupt("a call shape that is not there"))
    }

    fn rungs(&mut self) -> Result<Rungs, Corrupt> {
        let mut rungs = Rungs::default();
        for _ in 0..self.r.count()? {
            let key = (self.r.owned()?, self.shape()?);
            rungs.calls.insert(key, self.r.small()?);
        }
        for _ in 0..self.r.count()? {
            let key = (self.r.owned()?, self.denied_key()?);
            rungs.denied.insert(key, self.r.small()?);
        }
        for rungs in [&mut rungs.outside, &mut rungs.callers] {
            for _ in 0..self.r.count()? {
                rungs.insert(self.r.owned()?, self.r.small()?);
            }
        }
        Ok(rungs)
    }

    fn cover(&mut self) -> Result<Place, Corrupt> {
        let (first, last) = self.span()?;
        let mut place = Place {
            first,
            last,
            days: self.day.filter(|_| first.is_some()).into_iter().collect(),
            ..Place::default()
        };
        for _ in 0..self.r.count()? {
            let kind = self.r.owned()?;
            let seen = DataSeen {
                reads: self.seen()?,
                writes: self.seen()?,
            };
            place.data_types.insert(kind, seen);
        }
        for _ in 0..self.r.count()? {
            let name = self.r.owned()?;
            place.trail_changes.insert(name, self.time()?);
        }
        place.management_reads = self.r.flag()?;
        place.management_writes = self.r.flag()?;
        place.sources = self.names()?;
        Ok(place)
    }

    /// A time that may be later than any other.
    fn seen(&mut self) -> Result<Option<i64>, Corrupt> {
        Ok(if self.r.flag()? {
            Some(self.or_never()?)
        } else {
            None
        })
    }

    fn or_never(&mut self) -> Result<i64, Corrupt> {
        if self.r.flag()? {
            self.time()
        } else {
            Ok(i64::MAX)
        }
    }

    fn changes(&mut self) -> Result<Changes, Corrupt> {
        let mut changes = Changes::default();
        for _ in 0..self.r.count()? {
            let target = match self.r.number()? {
                0 => ChangeTarget::Role {
                    account: self.r.owned()?,
                    name: self.r.owned()?,
                },
                1 => ChangeTarget::Policy(self.r.owned()?),
                2 => ChangeTarget::Resource(self.r.owned()?),
                3 => ChangeTarget::Organization,
                _ => return Err(Corrupt("a word that is not known")),
            };
            for _ in 0..self.r.count()? {
                let change = PolicyChange {
                    time: self.time()?,
                    name: self.r.owned()?,
                    policy: self.r.maybe_text()?,
                    by: self.r.owned()?,
                    event_id: get_id(self.r)?,
                };
                changes.add(target.clone(), change);
            }
        }
        Ok(changes)
    }

    fn denied_key(&mut self) -> Result<DeniedKey, Corrupt> {
        Ok(DeniedKey {
            action: self.r.owned()?,
            door: self.r.owned()?,
            outside: self.r.flag()?,
        })
    }

    fn function(&mut self) -> Result<FunctionKey, Corrupt> {
        Ok(FunctionKey {
            name: self.r.owned()?,
            region: self.r.owned()?,
        })
    }

    fn resource(&mut self) -> Result<ResourceRef, Corrupt> {
        Ok(match self.r.number()? {
            0 => ResourceRef::Any,
            1 => ResourceRef::Literal(self.r.owned()?),
            2 => ResourceRef::Pattern(self.r.owned()?),
            _ => return Err(Corrupt("a word that is not known")),
        })
    }

    fn deed(&mut self) -> Result<Deed, Corrupt> {
        let act = match self.r.number()? {
            0 => Act::Other,
            1 => Act::Took {
                role: self.r.owned()?,
                function: if self.r.flag()? {
                    Some(self.function()?)
                } else {
                    None
                },
            },
            2 => Act::Role(Box::new(self.effect()?)),
            _ => return Err(Corrupt("a word that is not known")),
        };
        let mut invoked = None;
        if self.r.flag()? {
            let function = self.r.owned()?;
            let caller = Caller {
                kind: self.code(&CALLERS)?,
                who: self.r.owned()?,
                account: self.r.maybe_text()?,
                source_arn: self.r.maybe_text()?,
                source_account: self.r.maybe_text()?,
                qualifier: self.r.maybe_text()?,
            };
            invoked = Some((function, caller));
        }
        Ok(Deed { act, invoked })
    }

    fn effect(&mut self) -> Result<Effect, Corrupt> {
        let role = self.r.owned()?;
        let principal = self.r.maybe_text()?;
        let function = if self.r.flag()? {
            Some((self.function()?, self.r.flag()?))
        } else {
            None
        };
        let lambda = self.r.flag()?;
        let fate = match self.r.number()? {
            0 => Fate::Outside(OutsideKey {
                agent: self.r.owned()?,
                address: self.r.owned()?,
                session: self.r.owned()?,
            }),
            1 => Fate::Denied,
            2 => Fate::Platform,
            3 => Fate::NoPermission,
            4 => Fate::Unmapped(Unmapped {
                event_source: self.r.owned()?,
                event_name: self.r.owned()?,
            }),
            5 => Fate::Used,
            _ => return Err(Corrupt("a word that is not known")),
        };
        let refusal = if self.r.flag()? {
            Some(Refusal {
                key: self.denied_key()?,
                resource: self.resource()?,
                message: String::new(),
                function: None,
                endpoint: None,
            })
        } else {
            None
        };
        let mut calls = Vec::new();
        for _ in 0..self.r.count()? {
            calls.push((self.shape()?, self.resource()?));
        }
        Ok(Effect {
            role,
            principal,
            function,
            lambda,
            fate,
            refusal,
            calls,
        })
    }

    fn cell(&mut self) -> Result<Cell, Corrupt> {
        let count = self.r.number()?;
        let sealed = self.r.number()?;
        let mut tally = Tally::default();
        tally.count = count;
        (tally.first, tally.last) = self.span()?;
        for _ in 0..self.r.count()? {
            let time = self.or_never()?;
            tally.add_evidence(time, &get_id(self.r)?);
        }
        if count > MOST_EVENTS {
            return Err(Corrupt("a number that is too large"));
        }
        if sealed > count {
            return Err(Corrupt("more sealed events than events"));
        }
        Ok(Cell { tally, sealed })
    }
}
