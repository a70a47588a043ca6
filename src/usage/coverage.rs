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
    /// Days since 1970 with events or delivered objects.
    pub days: BTreeSet<i32>,
    /// Seconds since 1970 of the first event.
    pub first: Option<i64>,
    /// Of the last event.
    pub last: Option<i64>,
    /// Resource types of the data events met, `AWS::S3::Object` and the like.
    pub data_types: BTreeSet<String>,
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
            let mine = self.place(&account, &region);
            mine.days.extend(place.days);
            mine.first = match (mine.first, place.first) {
                (Some(a), Some(b)) => Some(a.min(b)),
                (a, b) => a.or(b),
            };
            mine.last = mine.last.max(place.last);
            mine.data_types.extend(place.data_types);
            mine.management_reads |= place.management_reads;
            mine.management_writes |= place.management_writes;
            mine.sources.extend(place.sources);
            mine.plain |= place.plain;
            mine.organisation |= place.organisation;
            mine.failed += place.failed;
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
    /// Notes an event's time.
    pub fn add(&mut self, time: Option<i64>) {
        let Some(time) = time else { return };
        self.days
            .insert(i32::try_from(time.div_euclid(86_400)).unwrap_or_default());
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }
}
