//! The usage file: what a scan found, in a form that shards can be put together from.
//!
//! In: a [`Ledger`](super::ledger::Ledger), or other usage files. Out: one file, versioned and
//! checksummed, of sections that stand for themselves: the rows of log objects by the day of their
//! delivery, and for each day its pages and the marks of its events. `docs/usage-file.md` describes the
//! bytes. What is read is not trusted: a file that is newer, cut short or damaged is refused.

mod atomic;
mod marks;
mod merge;
mod objects;
mod output;
mod page;
mod read;
mod wire;

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::path::PathBuf;

use thiserror::Error;

use crate::read::Selection;

pub use atomic::{atomically, beside, leftovers};
pub use merge::{MergeError, MergeOptions, header, merge};
pub use output::write;
pub use read::UsageFile;

use wire::Corrupt;

/// What a usage file begins with, before its version.
const MAGIC: &[u8; 14] = b"rolefit usage\n";
/// What it ends with.
const END: &[u8; 8] = b"\nend rf\n";
/// Bytes of magic and version.
const HEAD: u64 = 16;
/// Bytes after the directory: where it stands, its length, its checksum, the end.
const TAIL: u64 = 8 + 4 + 4 + 8;
/// The version that is written. How fingerprints are made is part of it.
pub const VERSION: u16 = 1;

/// What a usage file says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Header {
    /// The version of rolefit that wrote it.
    pub tool: String,
    /// The catalogs by which its requests were mapped.
    pub catalogs: BTreeSet<String>,
    /// What was asked for when the logs were read.
    pub selection: Selection,
    /// No event may have counted twice.
    pub exact: bool,
    /// Where the file holds a part of what was asked for.
    pub shards: Shards,
}

/// Into how many shards log objects were divided, and which of them a file holds. Empty where it holds
/// all of them.
pub type Shards = BTreeMap<u64, BTreeSet<u64>>;

/// Adds the shards of another file; a division of which all are there is none.
fn unite(shards: &mut Shards, other: &Shards) {
    for (of, numbers) in other {
        shards.entry(*of).or_default().extend(numbers);
    }
    shards.retain(|of, numbers| (numbers.len() as u64) < *of);
}

/// What a section adds to the accounts of the whole.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Facts {
    /// Log objects, or events.
    pub count: u64,
    /// Of the objects, those read to their end.
    pub read: u64,
    /// Of the objects, those that failed.
    pub failed: u64,
    /// Records in the objects, copies included.
    pub records: u64,
    /// Seconds since 1970 of the first and the last event.
    pub span: Option<(i64, i64)>,
}

/// What a section holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    /// Log objects delivered on the day.
    Objects,
    /// Pages of the day.
    Pages,
    /// Marks of the day's events, in the order of its pages.
    Marks,
}

/// A section, as the directory lists it.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Section {
    kind: Kind,
    day: Option<i32>,
    at: u64,
    /// Bytes in the file.
    stored: u64,
    /// Bytes after inflating; of marks the same as stored.
    length: u64,
    crc: u32,
    facts: Facts,
}

/// Why a usage file cannot be used.
#[derive(Debug, Error)]
pub enum FileError {
    /// The operating system says no.
    #[error("cannot read `{}`: {error}", path.display())]
    Io {
        /// The file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Something else.
    #[error("`{}` is no usage file", .0.display())]
    Other(PathBuf),
    /// Of a version that this program does not know.
    #[error("`{}` is a usage file of version {version}, this rolefit reads version {VERSION}", path.display())]
    Version {
        /// The file.
        path: PathBuf,
        /// Its version.
        version: u16,
    },
    /// Its end is missing.
    #[error("`{}` is a usage file without its end", .0.display())]
    Truncated(PathBuf),
    /// Its checksums do not agree, or what they protect makes no sense.
    #[error("`{}` is damaged: {what}", path.display())]
    Damaged {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        what: String,
    },
}

impl FileError {
    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "give a file that `rolefit scan` or `rolefit merge` wrote",
            Self::Other(_) => "give a file that `rolefit scan` or `rolefit merge` wrote",
            Self::Version { .. } => "read it with the rolefit that wrote it, or scan the logs anew",
            Self::Truncated(_) | Self::Damaged { .. } => {
                "copy it again from where it came from, or scan the logs anew"
            }
        }
    }
}

/// A file and what is wrong with it.
fn damaged(path: &std::path::Path, error: &(impl ToString + ?Sized)) -> FileError {
    FileError::Damaged {
        path: path.to_owned(),
        what: error.to_string(),
    }
}

/// What went wrong while the bytes of a section were read.
fn failed(path: &std::path::Path, error: io::Error) -> FileError {
    match error.kind() {
        io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof => damaged(path, &error),
        _ => FileError::Io {
            path: path.to_owned(),
            error,
        },
    }
}

impl From<Corrupt> for io::Error {
    fn from(error: Corrupt) -> Self {
        marks::broken(error)
    }
}

#[cfg(test)]
mod tests;
