//! Tallies by a key that strangers choose, in bounded memory.

use std::collections::BTreeMap;

use super::Tally;

/// A key with a fixed ladder of coarser forms. Each rung must be a function of the one below, so that
/// neither the order of events nor the split over workers shows in the result.
pub trait Coarser: Ord + Clone {
    /// The last rung: few forms are left there.
    const TOP: u8;
    /// Keys held below the last rung before the next one is climbed.
    const CAP: usize = 256;

    /// The form of the key on a rung, which is at most [`Coarser::TOP`].
    #[must_use]
    fn on_rung(self, rung: u8) -> Self;
}

/// Tallies by key, at most [`Coarser::CAP`] of them below the top rung.
#[derive(Clone, Debug)]
pub struct Bounded<K> {
    rung: u8,
    tallies: BTreeMap<K, Tally>,
}

impl<K> Default for Bounded<K> {
    fn default() -> Self {
        Self {
            rung: 0,
            tallies: BTreeMap::new(),
        }
    }
}

impl<K: Coarser> Bounded<K> {
    /// Counts one event.
    pub fn add(&mut self, key: K, time: Option<i64>, id: Option<&str>) {
        let key = key.on_rung(self.rung);
        self.tallies.entry(key).or_default().add(time, id);
        self.bound();
    }

    /// Counts events of one key.
    pub fn add_all(&mut self, key: K, tally: &Tally) {
        let key = key.on_rung(self.rung);
        self.tallies.entry(key).or_default().merge(tally);
        self.bound();
    }

    /// Adds what another worker counted.
    pub fn merge(&mut self, other: Self) {
        self.raise(other.rung);
        for (key, tally) in other.tallies {
            let key = key.on_rung(self.rung);
            self.tallies.entry(key).or_default().merge(&tally);
        }
        self.bound();
    }

    /// Every key with its tally, sorted.
    pub fn iter(&self) -> impl Iterator<Item = (&K, &Tally)> {
        self.tallies.iter()
    }

    /// Whether nothing was counted.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.tallies.is_empty()
    }

    fn bound(&mut self) {
        while self.tallies.len() > K::CAP && self.rung < K::TOP {
            self.raise(self.rung + 1);
        }
    }

    /// Climbs to a rung, where it is higher than that of today.
    pub(super) fn raise(&mut self, rung: u8) {
        if rung <= self.rung {
            return;
        }
        self.rung = rung;
        for (key, tally) in std::mem::take(&mut self.tallies) {
            let key = key.on_rung(rung);
            self.tallies.entry(key).or_default().merge(&tally);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
    struct Pair(u32, u32);

    impl Coarser for Pair {
        const TOP: u8 = 2;

        fn on_rung(self, rung: u8) -> Self {
            match rung {
                0 => self,
                1 => Self(self.0, 0),
                _ => Self(0, 0),
            }
        }
    }

    fn counted(pairs: impl Iterator<Item = Pair>) -> Bounded<Pair> {
        let mut bounded = Bounded::default();
        for pair in pairs {
            bounded.add(pair, Some(1), None);
        }
        bounded
    }

    #[test]
    fn memory_is_bounded_and_neither_order_nor_split_shows() {
        let all = || (0..4_000).map(|n| Pair(n % 7, n / 7));
        let forward = counted(all());
        let backward = counted(all().collect::<Vec<_>>().into_iter().rev());
        let mut split = counted(all().skip(100));
        split.merge(counted(all().take(100)));
        let rows = |b: &Bounded<Pair>| -> Vec<(Pair, u64)> {
            b.iter().map(|(k, t)| (k.clone(), t.count)).collect()
        };
        assert_eq!(rows(&forward).len(), 7);
        assert_eq!(rows(&forward), rows(&backward));
        assert_eq!(rows(&forward), rows(&split));
        assert_eq!(
            rows(&counted((0..3_000).map(|n| Pair(n, n)))),
            [(Pair(0, 0), 3_000)]
        );
    }
}
