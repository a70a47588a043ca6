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

/// What is kept of one log object. Of two readings of it the greater counts: it is the one that ended
/// better, and saw more.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ObjectRow {
    /// How it ended.
    pub end: End,
    /// Bytes as listed; 0 where nobody knew.
    pub size: u64,
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
