//! What periodic runs remember: a folder with a usage file, and a lock that keeps two runs apart.
//!
//! Only objects that are not in the file are read. The file is replaced as a whole, after every batch of
//! them, so that a run that is killed leaves what it had, and the next one goes on from there.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use thiserror::Error;

use super::batches::{Parts, Reading, batches};
use super::record::unopened;
use super::scan::announce;
use crate::event::Event;
use crate::read::{Listing, ObjectRef, Selection};
use crate::trail::key::LogKey;
use crate::usage::file::{
    Header, MergeError, MergeOptions, UsageFile, atomically, leftovers, merge,
};
use crate::usage::ledger::{End, ObjectRow};

/// Days whose events are told apart by their marks, the newest among them: copies of an event are
/// delivered within hours of each other.
const MARKED_DAYS: i32 = 3;
/// Why an object is failed that was listed and not come to.
const WAITING: &str = "not read yet: the run that found it was cut short";
/// Seconds of a day.
const DAY: i64 = 86_400;

/// A state that is locked.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    /// Held until it is dropped, or the process ends in whatever way.
    _lock: File,
}

/// What an update did.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Updated {
    /// Log objects that were read now.
    pub read: u64,
    /// Log objects that an earlier run had read.
    pub known: u64,
}

/// Why a state cannot be used.
#[derive(Debug, Error)]
pub enum StateError {
    /// The operating system says no.
    #[error("cannot use `{}`: {error}", path.display())]
    Io {
        /// The folder or file.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// Another run is at work.
    #[error("another run uses `{}`: {who}", folder.display())]
    Locked {
        /// The state.
        folder: PathBuf,
        /// What it left of itself.
        who: String,
    },
    /// It was made with another selection.
    #[error("`{}` holds another {what} than asked for", folder.display())]
    Selection {
        /// The state.
        folder: PathBuf,
        /// In what.
        what: &'static str,
    },
    /// Its file cannot be read or written.
    #[error(transparent)]
    Merge(#[from] MergeError),
}

impl StateError {
    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::Io { .. } => "give a folder that can be written to",
            Self::Locked { .. } => "wait until it has ended, or give another --state",
            Self::Selection { .. } => "give another --state for another question",
            Self::Merge(MergeError::Io(_)) => {
                "the state is as it was: check the space and the permissions of its folder"
            }
            Self::Merge(error) => error.hint(),
        }
    }
}

impl State {
    /// Opens the state in a folder, which is made if it is not there, and locks it.
    ///
    /// # Errors
    /// [`StateError`] where another run has locked it, or it cannot be written to.
    pub fn open(folder: &Path) -> Result<Self, StateError> {
        let path = folder.join("lock");
        let io = |error| StateError::Io {
            path: folder.to_owned(),
            error,
        };
        fs::create_dir_all(folder).map_err(io)?;
        let mut lock = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .open(&path)
            .map_err(io)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut who = String::new();
                let _ = (&mut lock).take(200).read_to_string(&mut who);
                return Err(StateError::Locked {
                    folder: folder.to_owned(),
                    who: who.trim().to_owned(),
                });
            }
            Err(TryLockError::Error(error)) => return Err(io(error)),
        }
        // For those who find it locked. That it could not be written keeps nobody from working.
        let host = fs::read_to_string("/proc/sys/kernel/hostname").unwrap_or_default();
        let now = jiff::Timestamp::now().as_second();
        let since = super::rows::timestamp(now);
        let on = match host.trim() {
            "" => String::new(),
            host => format!(" on {host}"),
        };
        let _ = lock
            .set_len(0)
            .and_then(|()| lock.rewind())
            .and_then(|()| writeln!(lock, "process {}{on}, since {since}", std::process::id()));
        Ok(Self {
            folder: folder.to_owned(),
            _lock: lock,
        })
    }

    /// Its usage file, which the first update makes.
    #[must_use]
    pub fn file(&self) -> PathBuf {
        self.folder.join("usage")
    }

    /// A further file of the state.
    #[must_use]
    pub fn beside(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// Reads what was listed at `places` (files, folders, globs) and is not yet known. `selection.from` is
    /// the first day that is kept.
    ///
    /// # Errors
    /// [`StateError`]; the state is then that of the last batch that was written.
    pub fn update(
        &self,
        places: &[String],
        listing: Listing,
        reading: Reading<'_>,
    ) -> Result<Updated, StateError> {
        let path = self.file();
        for partial in leftovers(&path).unwrap_or_default() {
            let _ = fs::remove_file(partial);
        }
        let before = match UsageFile::open(&path) {
            Ok(file) => Some(file),
            Err(_) if !path.exists() => None,
            Err(error) => return Err(MergeError::from(error).into()),
        };
        if let Some(file) = &before {
            self.agrees(&file.header().selection, reading.selection)?;
        }
        let mut known = match &before {
            Some(file) => file.objects().map_err(MergeError::from)?,
            None => BTreeMap::new(),
        };
        let mut listing = listing;
        // What the selection passes over was counted when it was listed, and need not be remembered.
        let by_name = listing.skipped.len();
        let named: BTreeSet<String> = listing.skipped.iter().map(|(n, _)| n.clone()).collect();
        listing = listing.select(reading.selection);
        if listing.skipped.len() > by_name {
            listing.skipped.retain(|(name, _)| named.contains(name));
        }
        let listed = listing.objects.len();
        listing.objects.retain(|object| is_new(object, &known));
        let updated = Updated {
            read: listing.objects.len() as u64,
            known: (listed - listing.objects.len()) as u64,
        };
        announce(&listing.objects, reading.observer);
        let mut rest = unopened(&listing);
        // A run that is cut short leaves word of what it did not come to.
        for object in &listing.objects {
            let row = ObjectRow::unread(End::Failed(WAITING.to_owned()), 0);
            rest.object(object.name.clone(), row);
        }
        let mut batches = batches(listing.objects, reading.checkpoint);
        if batches.is_empty() {
            batches.push(Vec::new());
        }
        let last = batches.len() - 1;
        for (at, batch) in batches.into_iter().enumerate() {
            let mut ledger = std::mem::take(&mut rest);
            ledger.merge(reading.record(&batch));
            for (name, row) in ledger.rows() {
                known.insert(name.to_owned(), row.clone());
            }
            let mut options = MergeOptions {
                again: true,
                in_turn: true,
                ..MergeOptions::default()
            };
            if at == 0 && before.is_some() {
                options.listed_anew = places.iter().map(|place| literal(place)).collect();
            }
            if at == last {
                options.drop_before = first_day(reading.selection);
                (options.seal_before, options.keep) = plan(&known);
            }
            self.add(&ledger, reading, &options)?;
        }
        reading.observer.event(Event::Read);
        Ok(updated)
    }

    /// One batch.
    fn add(
        &self,
        ledger: &crate::usage::ledger::Ledger,
        reading: Reading<'_>,
        options: &MergeOptions,
    ) -> Result<(), StateError> {
        let path = self.file();
        let mut parts = Parts::of(&path);
        parts.write(ledger, &reading.header())?;
        let mut files = Vec::new();
        let mut header: Header = reading.header();
        if path.exists() {
            files.push(UsageFile::open(&path).map_err(MergeError::from)?);
        }
        for part in &parts.paths {
            files.push(UsageFile::open(part).map_err(MergeError::from)?);
        }
        for file in &files {
            header
                .catalogs
                .extend(file.header().catalogs.iter().cloned());
            header.exact &= file.header().exact;
        }
        atomically(&path, |out| merge(&files, header, options, out))?;
        Ok(())
    }

    fn agrees(&self, held: &Selection, asked: &Selection) -> Result<(), StateError> {
        let differs = [
            (held.accounts != asked.accounts, "--account"),
            (held.regions != asked.regions, "--region"),
            (asked.to.is_some(), "--to (a state has no end)"),
            (
                held.from
                    .is_some_and(|held| asked.from.is_none_or(|asked| asked < held)),
                "--from or --since: it begins later",
            ),
        ];
        match differs.into_iter().find(|(differs, _)| *differs) {
            Some((_, what)) => Err(StateError::Selection {
                folder: self.folder.clone(),
                what,
            }),
            None => Ok(()),
        }
    }
}

/// The part of a place that is no pattern.
fn literal(place: &str) -> String {
    let end = place.find(['*', '?', '[']).unwrap_or(place.len());
    place.chars().take(place[..end].chars().count()).collect()
}

/// Whether an object was not read to its end before, or has another size now.
fn is_new(object: &ObjectRef, known: &BTreeMap<String, ObjectRow>) -> bool {
    known.get(&object.name).is_none_or(|row| {
        matches!(row.end, End::Failed(_) | End::Unlisted(_))
            || object.size > 0 && row.size != object.size
    })
}

/// The first day that is kept.
fn first_day(selection: &Selection) -> Option<i32> {
    i32::try_from(selection.from?.div_euclid(DAY)).ok()
}

/// Before which day marks are not kept any more, and the days that stay open: objects that failed may
/// be whole the next time.
fn plan(objects: &BTreeMap<String, ObjectRow>) -> (Option<i32>, BTreeSet<i32>) {
    let mut newest = None;
    let mut keep = BTreeSet::new();
    for (name, row) in objects {
        newest = newest.max(delivered(name));
        if matches!(row.end, End::Failed(_)) {
            keep.extend(row.records.keys().filter_map(|(day, _)| *day));
            keep.extend(delivered(name).into_iter().flat_map(|day| [day - 1, day]));
        }
    }
    (newest.map(|newest| newest + 1 - MARKED_DAYS), keep)
}

/// The day on which an object was delivered, as its name tells.
fn delivered(name: &str) -> Option<i32> {
    let at = LogKey::parse(name)?.delivered?;
    i32::try_from(at.div_euclid(DAY)).ok()
}
