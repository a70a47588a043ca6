//! Which events have been seen: fingerprints in, "first" or "again" out, from any number of threads,
//! without a lock, in memory that is set aside once.
//!
//! A table of buckets, a cache line each, of eight marks. A fingerprint has one bucket; its mark there is
//! 52 of its bits beside 12 for the hour of the event. With those that choose the bucket some 70 of its
//! 128 bits tell events apart: among a thousand million events the chance that any two are taken for one
//! is about two in a million.
//!
//! Where a bucket is full, the mark of the oldest hour makes room. Copies of an event are delivered within
//! minutes of each other and log objects are read in the order of their delivery, so what makes room is
//! long past its copies; if it is not, [`Dedupe::exact`] says so from then on. A copy that is not told
//! apart counts twice: that keeps a permission, it never costs one.

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

use super::scan::prefetch;

/// Marks in a bucket.
const WAYS: usize = 8;
/// Hours within which copies of one event are delivered, with a wide margin.
const WINDOW_HOURS: i64 = 6;
/// Bits of the hour in a mark.
const HOUR_BITS: u32 = 12;

/// The fingerprints seen so far.
pub struct Dedupe {
    buckets: Vec<[AtomicU64; WAYS]>,
    in_order: bool,
    exact: AtomicBool,
}

impl Dedupe {
    /// Room for `events` fingerprints at eight bytes each, doubled so that few buckets fill up. `in_order`
    /// says that events come about in the order of their time.
    #[must_use]
    pub fn new(events: usize, in_order: bool) -> Self {
        let buckets = (events.max(1) * 2).div_ceil(WAYS).next_power_of_two();
        Self {
            buckets: (0..buckets).map(|_| Default::default()).collect(),
            in_order,
            exact: AtomicBool::new(true),
        }
    }

    /// Fetches from memory what [`Dedupe::first`] will ask for: it is seldom in a cache, and much can be done
    /// meanwhile.
    pub fn fetch(&self, fingerprint: u128) {
        if let Some(bucket) = self.bucket(fingerprint) {
            prefetch(bucket);
        }
    }

    fn bucket(&self, fingerprint: u128) -> Option<&[AtomicU64; WAYS]> {
        let index = (fingerprint >> 64) as usize & (self.buckets.len() - 1);
        self.buckets.get(index)
    }

    /// Whether this fingerprint is new. `event_hour` is the hour of the event since 1970 (0 for none): the
    /// same for every copy.
    pub fn first(&self, fingerprint: u128, event_hour: i64) -> bool {
        let Some(bucket) = self.bucket(fingerprint) else {
            return true;
        };
        let hour = event_hour.rem_euclid(1 << HOUR_BITS).cast_unsigned();
        let mark = (fingerprint as u64) << HOUR_BITS | hour;
        // An empty place is zero; no mark may look like one.
        let mark = if mark == 0 { 1 << HOUR_BITS } else { mark };
        loop {
            let mut victim = (0, 0, i64::MIN);
            for (place, slot) in bucket.iter().enumerate() {
                let held = slot.load(Ordering::Relaxed);
                if held == mark {
                    return false;
                }
                if held == 0 {
                    victim = (place, held, i64::MAX);
                    break;
                }
                let age = age(event_hour, held);
                if age > victim.2 {
                    victim = (place, held, age);
                }
            }
            let (place, held, age) = victim;
            let taken = bucket.get(place).is_none_or(|slot| {
                let taken = slot.compare_exchange(held, mark, Ordering::Relaxed, Ordering::Relaxed);
                taken.is_ok()
            });
            // Another thread was faster: it may have brought the same event.
            if !taken {
                continue;
            }
            if held != 0 && !(self.in_order && age > WINDOW_HOURS) {
                self.exact.store(false, Ordering::Relaxed);
            }
            return true;
        }
    }

    /// False once a fingerprint had to make room while its copies might still come: they may then have
    /// counted twice.
    pub fn exact(&self) -> bool {
        self.exact.load(Ordering::Relaxed)
    }
}

/// How many hours a mark is older than an event: from minus to plus half of what the bits can hold.
fn age(event_hour: i64, mark: u64) -> i64 {
    const SPAN: i64 = 1 << HOUR_BITS;
    let hour = (mark & (SPAN.cast_unsigned() - 1)).cast_signed();
    (event_hour - hour + SPAN / 2).rem_euclid(SPAN) - SPAN / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The fingerprint of the nth event.
    fn print(n: u128) -> u128 {
        (n << 64 | n).wrapping_mul(0x9e37_79b9_7f4a_7c15_f39c_c060_5ced_c835)
    }

    #[test]
    fn an_event_is_new_once() {
        let seen = Dedupe::new(1000, true);
        for n in 0..1000_u128 {
            assert!(seen.first(print(n), 7));
            assert!(!seen.first(print(n), 7));
        }
        assert!(seen.exact());
    }

    #[test]
    fn of_many_threads_exactly_one_sees_an_event_first() {
        let seen = Dedupe::new(1 << 16, true);
        let firsts: usize = std::thread::scope(|scope| {
            let threads: Vec<_> = (0..4)
                .map(|_| {
                    scope.spawn(|| {
                        (0..20_000_u128)
                            .filter(|n| seen.first(print(*n), (n % 7) as i64))
                            .count()
                    })
                })
                .collect();
            threads
                .into_iter()
                .map(|thread| thread.join().unwrap())
                .sum()
        });
        assert_eq!(firsts, 20_000);
        assert!(seen.exact());
    }

    /// Fills one bucket with events of these hours, then asks for more.
    fn full(in_order: bool, hour: impl Fn(u128) -> i64) -> Dedupe {
        let seen = Dedupe::new(1, in_order);
        for n in 1..=8 {
            assert!(seen.first(n, hour(n)));
        }
        assert!(seen.exact());
        seen
    }

    #[test]
    fn the_oldest_hour_makes_room_and_matters_only_while_copies_may_come() {
        let seen = full(true, |n| 500_000 + n as i64);
        assert!(seen.first(9, 500_020));
        assert!(seen.exact(), "long past");
        assert!(!seen.first(2, 500_002), "a younger hour is kept");
        assert!(seen.first(1, 500_001), "the oldest is forgotten");

        let seen = full(true, |_| 500_000);
        assert!(seen.first(9, 500_001));
        assert!(!seen.exact(), "its copies may still come");

        let seen = full(false, |n| 500_000 + n as i64);
        assert!(seen.first(9, 500_020));
        assert!(!seen.exact(), "no order: anything may still come");
    }

    #[test]
    fn ages_wrap_around() {
        for (event, other, expected) in [(10, 7, 3), (7, 10, -3), (4096 + 2, 4095, 3), (0, 4095, 1)]
        {
            assert_eq!(age(event, other), expected, "{event} {other}");
        }
    }
}
