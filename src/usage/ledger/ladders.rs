//! The ladders of one place and day: how far the resources of each call shape, of each kind of denied
//! call, the strangers of each role and the callers of each function have climbed.
//!
//! They climb as those of the table do, but within a day: what is climbed there would be climbed in any
//! table that the day is part of, so that days can be left out and put together and the table is that of
//! their events, to the byte.

use std::collections::{BTreeMap, BTreeSet};

use super::super::bounded::Coarser;
use super::super::invoked::Caller;
use super::super::outside::OutsideKey;
use super::super::role::{CallShape, DeniedKey};
use crate::catalog::ResourceRef;

/// What becomes of the parts of a deed that climb.
pub(super) trait Step {
    fn call(&mut self, role: &str, shape: &CallShape, resource: ResourceRef) -> ResourceRef;
    fn denied(&mut self, role: &str, key: &DeniedKey, resource: ResourceRef) -> ResourceRef;
    fn outside(&mut self, role: &str, key: OutsideKey) -> OutsideKey;
    fn caller(&mut self, function: &str, caller: Caller) -> Caller;
}

/// Every rung above the first, sorted.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(in crate::usage) struct Rungs {
    pub(in crate::usage) calls: BTreeMap<(String, CallShape), u8>,
    pub(in crate::usage) denied: BTreeMap<(String, DeniedKey), u8>,
    pub(in crate::usage) outside: BTreeMap<String, u8>,
    pub(in crate::usage) callers: BTreeMap<String, u8>,
}

impl Rungs {
    pub(super) fn is_empty(&self) -> bool {
        self.calls.is_empty()
            && self.denied.is_empty()
            && self.outside.is_empty()
            && self.callers.is_empty()
    }
}

/// What stands on the ladders.
#[derive(Debug, Default)]
pub(super) struct Ladders {
    calls: BTreeMap<String, BTreeMap<CallShape, Ladder<ResourceRef>>>,
    denied: BTreeMap<String, BTreeMap<DeniedKey, Ladder<ResourceRef>>>,
    outside: BTreeMap<String, Ladder<OutsideKey>>,
    callers: BTreeMap<String, Ladder<Caller>>,
}

#[derive(Debug)]
struct Ladder<K> {
    rung: u8,
    keys: BTreeSet<K>,
}

impl<K> Default for Ladder<K> {
    fn default() -> Self {
        Self {
            rung: 0,
            keys: BTreeSet::new(),
        }
    }
}

impl<K: Coarser> Ladder<K> {
    fn add(&mut self, key: K) -> K {
        let key = key.on_rung(self.rung);
        if !self.keys.contains(&key) {
            self.keys.insert(key.clone());
            while self.keys.len() > K::CAP && self.rung < K::TOP {
                self.raise(self.rung + 1);
            }
        }
        key.on_rung(self.rung)
    }

    fn raise(&mut self, rung: u8) {
        let rung = rung.min(K::TOP);
        if rung > self.rung {
            self.rung = rung;
            let keys = std::mem::take(&mut self.keys).into_iter();
            self.keys = keys.map(|key| key.on_rung(rung)).collect();
        }
    }
}

impl Ladders {
    /// Climbs at least as far.
    pub(super) fn raise(&mut self, rungs: &Rungs) {
        for ((role, shape), rung) in &rungs.calls {
            let shapes = self.calls.entry(role.clone()).or_default();
            shapes.entry(shape.clone()).or_default().raise(*rung);
        }
        for ((role, key), rung) in &rungs.denied {
            let keys = self.denied.entry(role.clone()).or_default();
            keys.entry(key.clone()).or_default().raise(*rung);
        }
        for (role, rung) in &rungs.outside {
            self.outside.entry(role.clone()).or_default().raise(*rung);
        }
        for (function, rung) in &rungs.callers {
            let callers = self.callers.entry(function.clone()).or_default();
            callers.raise(*rung);
        }
    }

    /// How far each has climbed.
    pub(super) fn rungs(&self) -> Rungs {
        fn nested<G: Clone + Ord, K>(
            ladders: &BTreeMap<String, BTreeMap<G, Ladder<K>>>,
        ) -> BTreeMap<(String, G), u8> {
            let all = ladders
                .iter()
                .flat_map(|(role, of)| of.iter().map(move |(group, ladder)| (role, group, ladder)));
            all.filter(|(_, _, ladder)| ladder.rung > 0)
                .map(|(role, group, ladder)| ((role.clone(), group.clone()), ladder.rung))
                .collect()
        }
        fn flat<K>(ladders: &BTreeMap<String, Ladder<K>>) -> BTreeMap<String, u8> {
            let climbed = ladders.iter().filter(|(_, ladder)| ladder.rung > 0);
            climbed
                .map(|(of, ladder)| (of.clone(), ladder.rung))
                .collect()
        }
        Rungs {
            calls: nested(&self.calls),
            denied: nested(&self.denied),
            outside: flat(&self.outside),
            callers: flat(&self.callers),
        }
    }
}

impl Step for Ladders {
    fn call(&mut self, role: &str, shape: &CallShape, resource: ResourceRef) -> ResourceRef {
        at(at(&mut self.calls, role), shape).add(resource)
    }

    fn denied(&mut self, role: &str, key: &DeniedKey, resource: ResourceRef) -> ResourceRef {
        at(at(&mut self.denied, role), key).add(resource)
    }

    fn outside(&mut self, role: &str, key: OutsideKey) -> OutsideKey {
        at(&mut self.outside, role).add(key)
    }

    fn caller(&mut self, function: &str, caller: Caller) -> Caller {
        at(&mut self.callers, function).add(caller)
    }
}

/// The entry of a key, made if new.
fn at<'m, Q, V>(map: &'m mut BTreeMap<Q::Owned, V>, key: &Q) -> &'m mut V
where
    Q: ToOwned + ?Sized,
    Q::Owned: Ord,
    V: Default,
{
    map.entry(key.to_owned()).or_default()
}

/// Takes what is already on the ladders to where they ended.
impl Step for &Rungs {
    fn call(&mut self, role: &str, shape: &CallShape, resource: ResourceRef) -> ResourceRef {
        match self.calls.get(&(role.to_owned(), shape.clone())) {
            Some(rung) => resource.on_rung(*rung),
            None => resource,
        }
    }

    fn denied(&mut self, role: &str, key: &DeniedKey, resource: ResourceRef) -> ResourceRef {
        match self.denied.get(&(role.to_owned(), key.clone())) {
            Some(rung) => resource.on_rung(*rung),
            None => resource,
        }
    }

    fn outside(&mut self, role: &str, key: OutsideKey) -> OutsideKey {
        match self.outside.get(role) {
            Some(rung) => key.on_rung(*rung),
            None => key,
        }
    }

    fn caller(&mut self, function: &str, caller: Caller) -> Caller {
        match self.callers.get(function) {
            Some(rung) => caller.on_rung(*rung),
            None => caller,
        }
    }
}
