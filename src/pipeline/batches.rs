//! Log objects to a usage file in bounded memory: a batch at a time, each to a file of its own, then one.

use std::collections::BTreeSet;
use std::fs;
use std::io::BufWriter;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::ThreadPool;

use super::record::{Shard, record, unopened};
use super::scan::{announce, by_delivery};
use crate::catalog::Catalog;
use crate::event::{Event, Observer};
use crate::read::{Listing, ObjectRef, Selection, Source};
use crate::usage::file::{
    self, Header, MergeError, MergeOptions, UsageFile, atomically, beside, merge,
};
use crate::usage::ledger::Ledger;

/// Files that are merged at once; more go in rounds.
const FAN_IN: usize = 64;
/// Stored bytes that a batch holds at most, unless one object is larger.
const BATCH: u64 = 64 << 20;

/// How log objects are read.
#[derive(Clone, Copy)]
pub struct Reading<'r> {
    /// Where they come from.
    pub source: &'r dyn Source,
    /// What is asked for.
    pub selection: &'r Selection,
    /// What events mean.
    pub catalog: &'r Catalog,
    /// The workers.
    pub pool: &'r ThreadPool,
    /// Who listens.
    pub observer: &'r dyn Observer,
    /// Log objects after which what was found is written down.
    pub checkpoint: usize,
    /// Only this part of them is read.
    pub shard: Option<Shard>,
}

impl Reading<'_> {
    /// What a usage file of this reading says of itself.
    #[must_use]
    pub fn header(&self) -> Header {
        Header {
            tool: env!("CARGO_PKG_VERSION").to_owned(),
            catalogs: BTreeSet::from([self.catalog.version().to_owned()]),
            selection: self.selection.clone(),
            exact: true,
            shards: self
                .shard
                .filter(|shard| shard.of > 1)
                .map(|shard| (shard.of, BTreeSet::from([shard.number])))
                .into_iter()
                .collect(),
        }
    }

    pub(super) fn record(&self, objects: &[ObjectRef]) -> Ledger {
        record(
            objects,
            self.source,
            self.selection,
            self.catalog,
            self.pool,
            self.observer,
        )
    }
}

/// Reads what was listed into the usage file `out`.
///
/// # Errors
/// [`MergeError`] where the file cannot be written.
pub fn scan_into(out: &Path, listing: Listing, reading: Reading<'_>) -> Result<(), MergeError> {
    announce(&listing.objects, reading.observer);
    let mut rest = unopened(&listing);
    let mut parts = Parts::of(out);
    let batches = batches(listing.objects, reading.checkpoint);
    let several = batches.len() > 1;
    for batch in batches {
        let mut ledger = std::mem::take(&mut rest);
        ledger.merge(reading.record(&batch));
        if several {
            parts.write(&ledger, &reading.header())?;
        } else {
            rest = ledger;
        }
    }
    reading.observer.event(Event::Read);
    if several {
        return merge_into(out, &parts.paths);
    }
    atomically(out, |out| {
        file::write(&rest, &reading.header(), out).map_err(MergeError::from)
    })
}

/// Objects in the order of their delivery, so that a batch is of few days.
pub(super) fn batches(mut objects: Vec<ObjectRef>, most: usize) -> Vec<Vec<ObjectRef>> {
    by_delivery(&mut objects);
    let mut batches: Vec<Vec<ObjectRef>> = Vec::new();
    let mut bytes = 0;
    for object in objects {
        let size = object.size;
        match batches.last_mut() {
            Some(batch) if bytes + size <= BATCH && batch.len() < most => batch.push(object),
            _ => {
                batches.push(vec![object]);
                bytes = 0;
            }
        }
        bytes += size;
    }
    batches
}

/// Writes the union of usage files to `out`, which may be one of them.
///
/// # Errors
/// [`MergeError`] where one cannot be read, they do not fit together, or the result cannot be written.
pub fn merge_into(out: &Path, files: &[PathBuf]) -> Result<(), MergeError> {
    let mut files = files.to_vec();
    let mut rounds = Vec::new();
    // All answer the same question, whatever the round they are merged in.
    let header = {
        let mut opened: Option<UsageFile> = None;
        let mut all: Option<Header> = None;
        for path in &files {
            let file = UsageFile::open(path)?;
            let pair: Vec<UsageFile> = opened.take().into_iter().chain([file]).collect();
            let header = file::header(&pair)?;
            let known = all.get_or_insert_with(|| header.clone());
            known.catalogs.extend(header.catalogs);
            known.exact &= header.exact;
            opened = pair.into_iter().next();
        }
        all.unwrap_or(file::header(&[])?)
    };
    while files.len() > FAN_IN {
        let mut parts = Parts::of(out);
        for group in files.chunks(FAN_IN) {
            let group = open(group)?;
            let own = file::header(&group)?;
            parts.add(|out| merge(&group, own, &MergeOptions::default(), out))?;
        }
        files.clone_from(&parts.paths);
        rounds.push(parts);
        if rounds.len() > 1 {
            rounds.remove(0);
        }
    }
    let files = open(&files)?;
    atomically(out, |out| {
        merge(&files, header, &MergeOptions::default(), out)
    })
}

fn open(paths: &[PathBuf]) -> Result<Vec<UsageFile>, MergeError> {
    let files = paths.iter().map(|path| UsageFile::open(path));
    Ok(files.collect::<Result<_, _>>()?)
}

/// Files beside the one that is made, gone when it is.
pub(super) struct Parts {
    out: PathBuf,
    pub(super) paths: Vec<PathBuf>,
}

impl Parts {
    pub(super) fn of(out: &Path) -> Self {
        Self {
            out: out.to_owned(),
            paths: Vec::new(),
        }
    }

    /// A part of what was read.
    pub(super) fn write(&mut self, ledger: &Ledger, header: &Header) -> Result<(), MergeError> {
        self.add(|out| file::write(ledger, header, out).map_err(MergeError::from))
    }

    fn add(
        &mut self,
        with: impl FnOnce(&mut BufWriter<fs::File>) -> Result<(), MergeError>,
    ) -> Result<(), MergeError> {
        // Parts of one round are merged into those of the next: no two have the same name.
        static NEXT: AtomicUsize = AtomicUsize::new(1);
        let path = beside(&self.out, NEXT.fetch_add(1, Ordering::Relaxed));
        let mut out = BufWriter::new(fs::File::create(&path)?);
        self.paths.push(path);
        with(&mut out)?;
        std::io::Write::flush(&mut out)?;
        Ok(())
    }
}

impl Drop for Parts {
    fn drop(&mut self) {
        for path in &self.paths {
            let _ = fs::remove_file(path);
        }
    }
}
