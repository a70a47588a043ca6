//! How often, from when to when, and a few event ids as evidence.

/// Counts of one thing. Merging is associative and commutative: of the ids the earliest are kept.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Tally {
    /// Number of events.
    pub count: u64,
    /// Seconds since 1970 of the first event; `None` where no event had a time.
    pub first: Option<i64>,
    /// Of the last event.
    pub last: Option<i64>,
    /// The ids of the earliest events, by time, then by id; at most [`Tally::IDS`].
    ids: Vec<(i64, Box<str>)>,
}

impl Tally {
    /// Event ids kept as evidence.
    pub const IDS: usize = 3;

    /// One event.
    #[must_use]
    pub fn one(time: Option<i64>, id: Option<&str>) -> Self {
        let mut tally = Self::default();
        tally.add(time, id);
        tally
    }

    /// Counts one event.
    pub fn add(&mut self, time: Option<i64>, id: Option<&str>) {
        self.count += 1;
        if let Some(time) = time {
            self.first = Some(self.first.map_or(time, |first| first.min(time)));
            self.last = Some(self.last.map_or(time, |last| last.max(time)));
        }
        if let Some(id) = id {
            self.add_id(time.unwrap_or(i64::MAX), id);
        }
    }

    /// Adds what another worker counted.
    pub fn merge(&mut self, other: &Self) {
        self.count += other.count;
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
        for (time, id) in &other.ids {
            self.add_id(*time, id);
        }
    }

    /// The ids of the earliest events with their times, earliest first; `i64::MAX` for events without one.
    pub(super) fn ids(&self) -> &[(i64, Box<str>)] {
        &self.ids
    }

    /// Notes an event that is counted elsewhere.
    pub(super) fn note(&mut self, time: Option<i64>, id: Option<&str>) {
        self.add(time, id);
        self.count -= 1;
    }

    /// Takes an id as evidence.
    pub(super) fn add_evidence(&mut self, time: i64, id: &str) {
        self.add_id(time, id);
    }

    /// The evidence, earliest first.
    pub fn event_ids(&self) -> impl Iterator<Item = &str> {
        self.ids.iter().map(|(_, id)| &**id)
    }

    fn add_id(&mut self, time: i64, id: &str) {
        let at = self.ids.partition_point(|(t, i)| (*t, &**i) < (time, id));
        if at < Self::IDS
            && self
                .ids
                .get(at)
                .is_none_or(|(t, i)| (*t, &**i) != (time, id))
        {
            self.ids.insert(at, (time, id.into()));
            self.ids.truncate(Self::IDS);
        }
    }
}
