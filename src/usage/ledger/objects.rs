//! Which log objects the ledger has consumed, and what each held.

use std::collections::BTreeMap;

use super::Where;

/// How reading an object ended. Of two endings of one object the later in this list counts.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum End {
    /// It could not even be listed, and why.
    Unlisted(String),
    /// It could not be read to its end, and why.
    Failed(String),
    /// It was passed over, or holds no calls, and why.
    Skipped(String),
    /// Read to its end.
    Read,
}

/// What is kept of one log object. Of two readings of it the greater counts: the one of more bytes, since
/// objects grow; of as many bytes the one that ended better.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRow {
    /// Bytes as listed; 0 where nobody knew.
    pub size: u64,
    /// How it ended.
    pub end: End,
    /// Bytes as read.
    pub compressed: u64,
    /// Bytes after inflating.
    pub inflated: u64,
    /// Records that could not be decoded.
    pub undecodable: u64,
    /// Records outside the selection.
    pub outside: u64,
    /// The other records by day (since 1970; `None` without a time) and place. Copies count here.
    pub records: BTreeMap<(Option<i32>, Where), u64>,
}

impl ObjectRow {
    /// Adds another reading of the same object, in whatever order. What could not be decoded once stays
    /// said.
    pub fn join(&mut self, other: Self) {
        let undecodable = self.undecodable.max(other.undecodable);
        if *self < other {
            *self = other;
        }
        self.undecodable = undecodable;
    }

    /// An object of which nothing was read.
    #[must_use]
    pub fn unread(end: End, size: u64) -> Self {
        Self {
            end,
            size,
            compressed: 0,
            inflated: 0,
            undecodable: 0,
            outside: 0,
            records: BTreeMap::new(),
        }
    }
}
