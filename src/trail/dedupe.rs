//! Which events have been seen: fingerprints in, "first" or "again" out, from any number of threads,
//! in bounded memory.
//!
//! Copies of an event carry the same event time, so fingerprints are kept by the hour of the event
//! and whole hours are forgotten, oldest first, when there are too many. From then on a copy may
//! count twice, and [`Dedupe::exact`] says so. Counting twice keeps a permission; it never costs one.

use std::collections::{BTreeMap, HashSet};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Mutex, PoisonError};

/// Locks: enough that threads rarely meet.
const SHARDS: usize = 64;

/// The fingerprints seen so far.
pub struct Dedupe {
    shards: Vec<Mutex<Shard>>,
    cap: usize,
    exact: AtomicBool,
}

#[derive(Default)]
struct Shard {
    hours: BTreeMap<i64, HashSet<u128, foldhash::fast::RandomState>>,
    held: usize,
}

impl Dedupe {
    /// Holds about `cap` fingerprints (at least one in each of 64 shards), at 17 to 40 bytes each.
    #[must_use]
    pub fn new(cap: usize) -> Self {
        Self {
            shards: (0..SHARDS).map(|_| Mutex::default()).collect(),
            cap: (cap / SHARDS).max(1),
            exact: AtomicBool::new(true),
        }
    }

    /// Whether this fingerprint is new. `event_hour` is the hour of the event (0 for none): the same
    /// for every copy.
    pub fn first(&self, fingerprint: u128, event_hour: i64) -> bool {
        let index = (fingerprint >> 64) as usize % SHARDS;
        let Some(shard) = self.shards.get(index) else {
            return true;
        };
        let mut shard = shard.lock().unwrap_or_else(PoisonError::into_inner);
        if !shard
            .hours
            .entry(event_hour)
            .or_default()
            .insert(fingerprint)
        {
            return false;
        }
        shard.held += 1;
        if shard.held > self.cap {
            self.exact.store(false, Ordering::Relaxed);
            if let Some((_, oldest)) = shard.hours.pop_first() {
                shard.held -= oldest.len();
            }
        }
        true
    }

    /// False once fingerprints had to be forgotten: copies may then have counted twice.
    pub fn exact(&self) -> bool {
        self.exact.load(Ordering::Relaxed)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Fingerprints that all fall into one shard.
    fn nth(n: u128) -> u128 {
        n
    }

    #[test]
    fn an_event_is_new_once() {
        let seen = Dedupe::new(1000);
        assert!(seen.first(7, 1));
        assert!(!seen.first(7, 1));
        assert!(seen.first(8, 1));
        assert!(seen.exact());
    }

    #[test]
    fn of_many_threads_exactly_one_sees_an_event_first() {
        let seen = Dedupe::new(1 << 20);
        let firsts: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..10_000_u128)
                            .filter(|n| seen.first(n << 60 | n, (n % 7) as i64))
                            .count()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(firsts, 10_000);
        assert!(seen.exact());
    }

    #[test]
    fn past_the_cap_the_oldest_hour_is_forgotten_and_said_so() {
        let seen = Dedupe::new(4 * SHARDS);
        for (n, hour) in [(1, 10), (2, 10), (3, 11), (4, 12)] {
            assert!(seen.first(nth(n), hour));
        }
        assert!(seen.exact());
        assert!(seen.first(nth(5), 12));
        assert!(!seen.exact());
        assert!(!seen.first(nth(3), 11), "a younger hour is kept");
        assert!(seen.first(nth(1), 10), "the oldest hour is forgotten");
    }

    #[test]
    fn memory_stays_within_the_cap() {
        let seen = Dedupe::new(64 * 100);
        for n in 0..100_000_u128 {
            seen.first(n << 64 | n, (n / 50) as i64);
        }
        let held: usize = seen
            .shards
            .iter()
            .map(|shard| shard.lock().unwrap().held)
            .sum();
        assert!((1..=64 * 100).contains(&held), "{held}");
    }
}
