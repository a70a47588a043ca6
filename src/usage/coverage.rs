//! Where and when the input has events at all: what makes silence mean something.

use std::collections::{BTreeMap, BTreeSet};

/// What the input holds per (account, Region).
#[derive(Clone, Debug, Default)]
pub struct Coverage {
    places: BTreeMap<(String, String), Place>,
}

/// One account and Region.
#[derive(Clone, Debug, Default)]
pub struct Place {
    /// Days since 1970 with events.
    pub days: BTreeSet<i32>,
    /// Days since 1970 for which log objects were delivered, as their keys say, events in them or not.
    pub delivered: BTreeSet<i32>,
    /// Seconds since 1970 of the first event.
    pub first: Option<i64>,
    /// Of the last event.
    pub last: Option<i64>,
    /// Resource types of the data events met, `AWS::S3::Object` and the like.
    pub data_types: BTreeMap<String, DataSeen>,
    /// Calls that stop a trail or change what it logs: event name → seconds since 1970 of the last.
    pub trail_changes: BTreeMap<String, i64>,
    /// Some read-only management event was met.
    pub management_reads: bool,
    /// Some management event that writes was met.
    pub management_writes: bool,
    /// Sources of management events that a trail can exclude, where met.
    pub sources: BTreeSet<String>,
    /// Delivered by a trail of the account's own, as a key shows.
    pub plain: bool,
    /// Delivered under an organisation's prefix.
    pub organisation: bool,
    /// Log objects of this place that could not be read to their end.
    pub failed: u64,
}

/// What of a management event shows what a trail logs.
pub(super) struct ManagementEvent<'r> {
    pub(super) source: &'r str,
    pub(super) name: &'r str,
    pub(super) read_only: Option<bool>,
    pub(super) failed: bool,
    pub(super) time: Option<i64>,
}

/// Since when data events of one type are in the input: a trail may log reads or writes alone, and may
/// have begun to in the middle of the window.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct DataSeen {
    /// Seconds since 1970 of the first event that reads.
    pub reads: Option<i64>,
    /// Of the first event that writes.
    pub writes: Option<i64>,
}

impl DataSeen {
    /// The first event of either kind.
    #[must_use]
    pub fn first(self) -> Option<i64> {
        earlier(self.reads, self.writes)
    }

    fn merge(&mut self, other: Self) {
        self.reads = earlier(self.reads, other.reads);
        self.writes = earlier(self.writes, other.writes);
    }
}

fn earlier(a: Option<i64>, b: Option<i64>) -> Option<i64> {
    match (a, b) {
        (Some(a), Some(b)) => Some(a.min(b)),
        (a, b) => a.or(b),
    }
}

impl Coverage {
    /// The place of an account and Region, made if new.
    pub fn place(&mut self, account: &str, region: &str) -> &mut Place {
        // The key is built once per event; two small strings are cheap beside parsing it.
        self.places
            .entry((account.to_owned(), region.to_owned()))
            .or_default()
    }

    /// Every place, sorted.
    pub fn places(&self) -> impl Iterator<Item = (&str, &str, &Place)> {
        self.places
            .iter()
            .map(|((account, region), place)| (account.as_str(), region.as_str(), place))
    }

    /// The places of one account.
    pub fn of_account<'a>(
        &'a self,
        account: &'a str,
    ) -> impl Iterator<Item = (&'a str, &'a Place)> {
        self.places()
            .filter(move |(a, _, _)| *a == account)
            .map(|(_, region, place)| (region, place))
    }

    /// Adds what another worker met.
    pub fn merge(&mut self, other: Self) {
        for ((account, region), place) in other.places {
            self.place(&account, &region).merge(place);
        }
    }

    /// First and last event of the whole input.
    #[must_use]
    pub fn window(&self) -> Option<(i64, i64)> {
        let first = self.places.values().filter_map(|p| p.first).min()?;
        let last = self.places.values().filter_map(|p| p.last).max()?;
        Some((first, last))
    }
}

impl Place {
    /// Adds what another worker met.
    pub fn merge(&mut self, place: Self) {
        self.days.extend(place.days);
        self.delivered.extend(place.delivered);
        self.first = earlier(self.first, place.first);
        self.last = self.last.max(place.last);
        for (kind, seen) in place.data_types {
            self.data_types.entry(kind).or_default().merge(seen);
        }
        for (name, time) in place.trail_changes {
            self.trail_change(&name, Some(time));
        }
        self.management_reads |= place.management_reads;
        self.management_writes |= place.management_writes;
        self.sources.extend(place.sources);
        self.plain |= place.plain;
        self.organisation |= place.organisation;
        self.failed += place.failed;
    }

    /// Notes a log object that was delivered, read to its end or not.
    pub(super) fn delivered(&mut self, day: Option<i32>, organisation: bool, failed: bool) {
        self.plain |= !organisation;
        self.organisation |= organisation;
        if failed {
            self.failed += 1;
        } else if let Some(day) = day {
            self.delivered.insert(day);
        }
    }

    /// Notes an event's time.
    pub fn add(&mut self, time: Option<i64>) {
        let Some(time) = time else { return };
        let day = i32::try_from(time.div_euclid(86_400)).unwrap_or_default();
        if self.days.last() != Some(&day) {
            self.days.insert(day);
        }
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }
    /// Notes a data event of a type. One that does not say whether it reads counts as both.
    pub fn data(&mut self, kind: &str, read_only: Option<bool>, time: Option<i64>) {
        let time = time.or(Some(i64::MAX));
        let seen = DataSeen {
            reads: time.filter(|_| read_only != Some(false)),
            writes: time.filter(|_| read_only != Some(true)),
        };
        match self.data_types.get_mut(kind) {
            Some(known) => known.merge(seen),
            None => {
                self.data_types.insert(kind.to_owned(), seen);
            }
        }
    }

    /// Notes a management event. A trail can leave out reads, writes, or the events of two services: what
    /// was met shows that it does not.
    pub(super) fn management(&mut self, event: &ManagementEvent<'_>) {
        match event.read_only {
            Some(true) => self.management_reads = true,
            Some(false) => self.management_writes = true,
            None => {}
        }
        let source = event.source;
        if matches!(source, "kms.amazonaws.com" | "rdsdata.amazonaws.com")
            && !self.sources.contains(source)
        {
            self.sources.insert(source.to_owned());
        }
        let changes = [
            "DeleteTrail",
            "PutEventSelectors",
            "StartLogging",
            "StopLogging",
            "UpdateTrail",
        ];
        if source == "cloudtrail.amazonaws.com" && changes.contains(&event.name) && !event.failed {
            self.trail_change(event.name, event.time);
        }
    }

    /// Notes a call that stops a trail or changes what it logs.
    pub fn trail_change(&mut self, name: &str, time: Option<i64>) {
        let last = self.trail_changes.entry(name.to_owned()).or_insert(0);
        *last = (*last).max(time.unwrap_or_default());
    }
}
