//! Every log object to one usage table.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::ThreadPool;

use crate::catalog::Catalog;
use crate::event::{Event, Observer};
use crate::read::{ObjectRef, Selection, Source, read_object_into};
use crate::trail::{Decoder, Dedupe, Status};
use crate::usage::{Collector, Usage};

/// Fingerprints of events held at once to tell copies apart, at 16 bytes each with the room around them:
/// never fewer than the least (1 MB), never more than the most (64 MB).
const FINGERPRINTS: std::ops::Range<u64> = 1 << 16..1 << 22;
/// The least that a record takes in a log object of a real trail, gzipped.
const LEAST_RECORD: u64 = 120;
/// What it may take where records repeat each other, and up to how many events there is room for that.
const REPEATED_RECORD: u64 = 24;
const REPEATED: u64 = 1 << 20;
/// Copies of one event are delivered within this many seconds of each other, with a wide margin.
const COPIES: i64 = 6 * 3_600;

/// The accounts of log objects: listed = read + skipped + failed.
#[derive(Clone, Debug, Default)]
pub struct Objects {
    /// Found.
    pub listed: u64,
    /// Read to their end.
    pub read: u64,
    /// Why objects were left out, with counts.
    pub skipped: BTreeMap<String, u64>,
    /// Objects not read, or not to their end, and why.
    pub failed: Vec<(String, String)>,
    /// Of the failed, those whose account no key tells.
    pub failed_anywhere: u64,
    /// Of the objects read, those that no digest vouches for, though digests were asked, and their records.
    pub uncovered: u64,
    /// See `uncovered`.
    pub uncovered_records: u64,
    /// Bytes as stored.
    pub compressed: u64,
    /// Bytes after inflating.
    pub inflated: u64,
}

impl Objects {
    /// All skipped objects.
    #[must_use]
    pub fn skipped_total(&self) -> u64 {
        self.skipped.values().sum()
    }

    fn merge(&mut self, other: Self) {
        self.listed += other.listed;
        self.read += other.read;
        for (reason, count) in other.skipped {
            *self.skipped.entry(reason).or_default() += count;
        }
        self.failed.extend(other.failed);
        self.failed_anywhere += other.failed_anywhere;
        self.uncovered += other.uncovered;
        self.uncovered_records += other.uncovered_records;
        self.compressed += other.compressed;
        self.inflated += other.inflated;
    }
}

/// What reading gave.
#[derive(Debug, Default)]
pub struct Scan {
    /// The table.
    pub usage: Usage,
    /// The accounts.
    pub objects: Objects,
    /// Every copy of an event was told apart; otherwise some may have counted twice.
    pub exact: bool,
    /// What the source says of its objects as a whole.
    pub remarks: Vec<String>,
}

/// Reads everything that `source` lists and `selection` wants.
#[must_use]
pub fn scan(
    source: &dyn Source,
    selection: &Selection,
    catalog: &Catalog,
    pool: &ThreadPool,
    observer: &dyn Observer,
) -> Scan {
    scan_passing_over(&BTreeSet::new(), source, selection, catalog, pool, observer)
}

/// The same, but of the roles in `passed_over` only the records are counted. Where a record shows that
/// Lambda uses one of them after all, everything is read once more, with those roles.
#[must_use]
pub fn scan_passing_over(
    passed_over: &BTreeSet<String>,
    source: &dyn Source,
    selection: &Selection,
    catalog: &Catalog,
    pool: &ThreadPool,
    observer: &dyn Observer,
) -> Scan {
    let read = read(passed_over, source, selection, catalog, pool, observer);
    if read.usage.proven.is_empty() {
        return read;
    }
    let rest = passed_over - &read.usage.proven;
    self::read(&rest, source, selection, catalog, pool, observer)
}

fn read(
    passed_over: &BTreeSet<String>,
    source: &dyn Source,
    selection: &Selection,
    catalog: &Catalog,
    pool: &ThreadPool,
    observer: &dyn Observer,
) -> Scan {
    let (mut wanted, mut objects) = wanted(source, selection, observer);
    // Copies of one event are delivered about the same time: by day, they meet while both are remembered.
    by_delivery(&mut wanted);
    source.expect(&wanted);
    announce(&wanted, observer);
    let dedupe = dedupe(&wanted, true);
    let next = AtomicUsize::new(0);
    let shards = pool.broadcast(|_| {
        let mut worker = Worker {
            collector: Collector::new(catalog, selection, &dedupe).passing_over(passed_over),
            objects: Objects::default(),
            decoder: Decoder::new(),
        };
        while let Some(object) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            worker.object(source, object, observer);
        }
        (worker.collector.finish(), worker.objects)
    });
    let mut usage = Usage::default();
    for (shard, accounts) in shards {
        usage.merge(shard);
        objects.merge(accounts);
    }
    objects.failed.sort();
    observer.event(Event::Read);
    Scan {
        usage,
        objects,
        exact: dedupe.exact(),
        remarks: source.remarks(),
    }
}

/// The objects to open, and the accounts of those that are not.
pub(super) fn wanted(
    source: &dyn Source,
    selection: &Selection,
    observer: &dyn Observer,
) -> (Vec<ObjectRef>, Objects) {
    let listing = source.list(observer).select(selection);
    let mut objects = Objects {
        listed: (listing.objects.len() + listing.skipped.len() + listing.failed.len()) as u64,
        failed_anywhere: listing.failed.len() as u64,
        failed: listing.failed,
        ..Objects::default()
    };
    for (_, reason) in listing.skipped {
        *objects.skipped.entry(reason).or_default() += 1;
    }
    (listing.objects, objects)
}

/// Sorts objects by the time of their delivery, then by name.
pub(super) fn by_delivery(objects: &mut [ObjectRef]) {
    objects.sort_by_cached_key(|object| {
        (
            object.key.as_ref().and_then(|key| key.delivered),
            object.name.clone(),
        )
    });
}

pub(super) fn announce(wanted: &[ObjectRef], observer: &dyn Observer) {
    observer.event(Event::Listed {
        objects: wanted.len() as u64,
        bytes: wanted.iter().map(|object| object.size).sum(),
    });
}

/// A memory of events, as large as the copies that may meet in these objects ask for. `sorted` says that
/// they are read in the order of their delivery.
pub(super) fn dedupe(wanted: &[ObjectRef], sorted: bool) -> Dedupe {
    let delivered = |object: &ObjectRef| object.key.as_ref().and_then(|key| key.delivered);
    let in_order = sorted && wanted.iter().all(|object| delivered(object).is_some());
    let known = wanted.iter().all(|object| object.size > 0);
    // The most bytes delivered within one window; all of them where nobody knows when.
    let (mut most, mut within, mut oldest) = (0, 0, 0);
    for object in wanted {
        within += object.size;
        while in_order
            && wanted
                .get(oldest)
                .is_some_and(|old| delivered(old) < delivered(object).map(|at| at - COPIES))
        {
            within -= wanted.get(oldest).map_or(0, |old| old.size);
            oldest += 1;
        }
        most = most.max(within);
    }
    let events = if known {
        (most / REPEATED_RECORD)
            .min(REPEATED)
            .max(most / LEAST_RECORD)
    } else {
        FINGERPRINTS.end
    };
    let events = events.clamp(FINGERPRINTS.start, FINGERPRINTS.end);
    Dedupe::new(usize::try_from(events).unwrap_or_default(), in_order)
}

struct Worker<'c> {
    collector: Collector<'c>,
    objects: Objects,
    decoder: Decoder,
}

impl Worker<'_> {
    fn object(&mut self, source: &dyn Source, object: &ObjectRef, observer: &dyn Observer) {
        let (collector, decoder) = (&mut self.collector, &mut self.decoder);
        let outcome = read_object_into(source, object, decoder, collector);
        let records = outcome.records;
        let damaged = self.collector.take_damaged();
        self.objects.compressed += outcome.compressed;
        self.objects.inflated += outcome.inflated;
        self.collector.undecodable(outcome.undecodable);
        let failure = match outcome.status {
            Status::Read => {
                self.objects.read += 1;
                // Read to its end, but a record in it may be unseen use all the same.
                self.place(object, outcome.undecodable + damaged > 0);
                None
            }
            Status::Skipped(why) => {
                *self.objects.skipped.entry(why.to_string()).or_default() += 1;
                None
            }
            Status::Failed(why) => Some(why.to_string()),
        };
        if failure.is_none() && !source.vouches_for(object) {
            self.objects.uncovered += 1;
            self.objects.uncovered_records += records;
        }
        if let Some(why) = failure {
            self.objects.failed.push((object.name.clone(), why));
            self.place(object, true);
        }
        observer.event(Event::Object {
            bytes: object.size,
            records,
        });
    }

    /// Notes where and when the object was delivered.
    fn place(&mut self, object: &ObjectRef, failed: bool) {
        let key = object.key.as_ref();
        match key.and_then(|key| Some((key.account.as_deref()?, key.region.as_deref()?, key))) {
            Some((account, region, key)) => {
                let day = key
                    .delivered
                    .map(|at| i32::try_from(at.div_euclid(86_400)).unwrap_or_default());
                self.collector
                    .delivered(account, region, day, key.organization.is_some(), failed);
            }
            None if failed => self.objects.failed_anywhere += 1,
            None => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Records that repeat each other take a fraction of what real ones do; a small input must not run out
    /// of room for them, or its copies would count by chance.
    #[test]
    fn small_inputs_have_room_for_records_that_hardly_take_any() {
        for (bytes, events) in [
            (1_000, 40_000_u64),
            (1_000_000, 40_000),
            (20_000_000, 800_000),
        ] {
            let object = ObjectRef {
                name: "a.json.gz".into(),
                key: None,
                size: bytes,
            };
            let dedupe = dedupe(&[object], true);
            for event in 0..u128::from(events) {
                let fingerprint =
                    (event + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835);
                assert!(dedupe.first(fingerprint, 0));
            }
            assert!(dedupe.exact(), "{events} events in {bytes} bytes");
        }
    }
}
