//! Log objects to one usage table a period, in one pass.

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::ThreadPool;

use super::Events;
use crate::catalog::Catalog;
use crate::event::{Event, Observer};
use crate::pipeline::scan::{announce, by_delivery, dedupe, wanted};
use crate::pipeline::stored::{StoredError, stored_periods, stored_window};
use crate::read::{ObjectRef, Selection, Source, read_object};
use crate::trail::{Decoder, Status};
use crate::usage::{Collector, Usage};

/// What reading gave.
pub(super) struct Periods {
    /// A table for each period.
    pub(super) usage: Vec<Usage>,
    /// Objects that could not be read to their end, and why, sorted.
    pub(super) failed: Vec<(String, String)>,
    /// Of these, those whose account no key tells.
    pub(super) failed_anywhere: u64,
    /// Objects read to their end.
    pub(super) read: u64,
    /// Records that could not be decoded.
    pub(super) undecodable: u64,
}

/// The seconds of the first and the last event of the selection; `None` where no event has a time.
pub(super) fn window(
    events: Events<'_>,
    selection: &Selection,
    pool: &ThreadPool,
) -> Result<Option<(i64, i64)>, StoredError> {
    match events {
        Events::Logs(source, observer) => Ok(window_of_logs(source, selection, pool, observer)),
        Events::Stored(file) => stored_window(file, selection),
    }
}

fn window_of_logs(
    source: &dyn Source,
    selection: &Selection,
    pool: &ThreadPool,
    observer: &dyn Observer,
) -> Option<(i64, i64)> {
    let (wanted, _) = wanted(source, selection, observer);
    source.expect(&wanted);
    announce(&wanted, observer);
    let next = AtomicUsize::new(0);
    let found: Vec<Option<(i64, i64)>> = pool.broadcast(|_| {
        let mut span: Option<(i64, i64)> = None;
        let mut decoder = Decoder::new();
        while let Some(object) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            // Whatever is wrong with an object is told by the pass that counts.
            read_object(source, object, &mut decoder, |record, _| {
                if !selection.selects_record(record) {
                    return;
                }
                if let Some(at) = record.epoch_seconds() {
                    let (first, last) = span.unwrap_or((at, at));
                    span = Some((first.min(at), last.max(at)));
                }
            });
            observer.event(Event::Object {
                bytes: object.size,
                records: 0,
            });
        }
        span
    });
    observer.event(Event::Read);
    found
        .into_iter()
        .flatten()
        .reduce(|a, b| (a.0.min(b.0), a.1.max(b.1)))
}

/// Reads the selection into periods; the first begins with the selection, each of `starts` (sorted)
/// begins a further one. Records without a time belong to the first.
pub(super) fn periods(
    events: Events<'_>,
    selection: &Selection,
    starts: &[i64],
    catalog: &Catalog,
    pool: &ThreadPool,
) -> Result<Periods, StoredError> {
    match events {
        Events::Logs(source, observer) => Ok(periods_of_logs(
            source, selection, starts, catalog, pool, observer,
        )),
        Events::Stored(file) => {
            let found = stored_periods(file, selection, starts)?;
            Ok(Periods {
                undecodable: found.usage.iter().map(|u| u.records.undecodable).sum(),
                usage: found.usage,
                failed: found.objects.failed,
                failed_anywhere: found.objects.failed_anywhere,
                read: found.objects.read,
            })
        }
    }
}

fn periods_of_logs(
    source: &dyn Source,
    selection: &Selection,
    starts: &[i64],
    catalog: &Catalog,
    pool: &ThreadPool,
    observer: &dyn Observer,
) -> Periods {
    let (mut wanted, objects) = wanted(source, selection, observer);
    by_delivery(&mut wanted);
    source.expect(&wanted);
    announce(&wanted, observer);
    let dedupe = dedupe(&wanted, true);
    let next = AtomicUsize::new(0);
    let accounts = Mutex::new(Periods {
        usage: Vec::new(),
        failed: objects.failed,
        failed_anywhere: objects.failed_anywhere,
        read: 0,
        undecodable: 0,
    });
    let shards: Vec<Vec<Usage>> = pool.broadcast(|_| {
        let mut collectors: Vec<Collector<'_>> = (0..=starts.len())
            .map(|_| Collector::new(catalog, selection, &dedupe))
            .collect();
        let mut decoder = Decoder::new();
        while let Some(object) = wanted.get(next.fetch_add(1, Ordering::Relaxed)) {
            let outcome = read_object(source, object, &mut decoder, |record, _| {
                let at = record.epoch_seconds().unwrap_or(i64::MIN);
                collectors[starts.partition_point(|start| *start <= at)].record(record);
            });
            let damaged: u64 = collectors.iter_mut().map(Collector::take_damaged).sum();
            let undecodable = outcome.undecodable + damaged;
            let records = outcome.records;
            let failure = match outcome.status {
                Status::Read => None,
                Status::Skipped(_) => continue,
                Status::Failed(why) => Some(why.to_string()),
            };
            let broken = failure.is_some() || undecodable > 0;
            let placed = place(&mut collectors, object, starts, broken);
            // A poisoned lock still holds whole numbers: each is set in one step.
            let mut accounts = accounts
                .lock()
                .unwrap_or_else(std::sync::PoisonError::into_inner);
            accounts.undecodable += undecodable;
            accounts.read += u64::from(failure.is_none());
            accounts.failed_anywhere += u64::from(broken && !placed);
            accounts
                .failed
                .extend(failure.map(|why| (object.name.clone(), why)));
            drop(accounts);
            observer.event(Event::Object {
                bytes: object.size,
                records,
            });
        }
        collectors.into_iter().map(Collector::finish).collect()
    });
    observer.event(Event::Read);
    let mut periods = accounts
        .into_inner()
        .unwrap_or_else(std::sync::PoisonError::into_inner);
    periods.usage = (0..=starts.len()).map(|_| Usage::default()).collect();
    for shard in shards {
        for (usage, part) in periods.usage.iter_mut().zip(shard) {
            usage.merge(part);
        }
    }
    periods.failed.sort();
    periods
}

/// Notes where and when the object was delivered; a broken one leaves a hole in every period. Gives
/// whether its key tells where.
fn place(
    collectors: &mut [Collector<'_>],
    object: &ObjectRef,
    starts: &[i64],
    broken: bool,
) -> bool {
    let Some(key) = object.key.as_ref() else {
        return false;
    };
    let (Some(account), Some(region)) = (key.account.as_deref(), key.region.as_deref()) else {
        return false;
    };
    let organisation = key.organization.is_some();
    let day = key
        .delivered
        .and_then(|at| i32::try_from(at.div_euclid(86_400)).ok());
    let period = starts.partition_point(|start| *start <= key.delivered.unwrap_or(i64::MIN));
    for (at, collector) in collectors.iter_mut().enumerate() {
        if broken || at == period {
            collector.delivered(account, region, day, organisation, broken);
        }
    }
    true
}
