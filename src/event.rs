//! What the pipeline tells an observer: progress bars, logs and tests listen, the pipeline prints nothing.

/// Something that happened.
#[derive(Clone, Debug)]
pub enum Event {
    /// More log objects were found, while listing goes on.
    Found {
        /// Objects, beyond those told before.
        objects: u64,
        /// Their stored size.
        bytes: u64,
    },
    /// The log objects are listed: how many will be opened and how many bytes they hold.
    Listed {
        /// Objects to open.
        objects: u64,
        /// Their stored size.
        bytes: u64,
    },
    /// An object ended, read or not.
    Object {
        /// Its stored size.
        bytes: u64,
        /// Records in it.
        records: u64,
    },
    /// All objects ended.
    Read,
}

/// Listens to the pipeline, from any of its threads.
pub trait Observer: Sync {
    /// Takes one event; must return quickly.
    fn event(&self, event: Event);
}

/// Listens to nothing.
#[derive(Clone, Copy, Debug)]
pub struct Silent;

impl Observer for Silent {
    fn event(&self, _: Event) {}
}
