//! Every log object to a ledger, for a usage file.

use std::sync::atomic::{AtomicUsize, Ordering};

use rayon::ThreadPool;
use sha2::{Digest, Sha256};

use crate::catalog::Catalog;
use crate::event::{Event, Observer};
use crate::read::{Listing, ObjectRef, Selection, Source, read_object};
use crate::trail::{Decoder, Status};
use crate::usage::ledger::{End, Ledger, ObjectRow, Recorder};

/// A part of the log objects: every process can tell which are its own, without asking the others.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shard {
    /// From 1 to `of`.
    pub number: u64,
    /// How many there are.
    pub of: u64,
}

impl Shard {
    /// Whether the object of this name is part of it: by the first eight bytes of the SHA-256 of the name,
    /// from `AWSLogs/` on where it has that. The place may be spelled in several ways.
    #[must_use]
    pub fn holds(self, name: &str) -> bool {
        let name = name.find("AWSLogs/").map_or_else(
            || name.trim_start_matches("./"),
            |at| name.get(at..).unwrap_or(name),
        );
        let digest = Sha256::digest(name.as_bytes());
        let mut first = [0; 8];
        first.copy_from_slice(&digest[..8]);
        u64::from_be_bytes(first) % self.of.max(1) + 1 == self.number
    }
}

/// Leaves in a listing what is part of a shard.
pub fn only_shard(listing: &mut Listing, shard: Shard) {
    listing.objects.retain(|object| shard.holds(&object.name));
    listing.skipped.retain(|(name, _)| shard.holds(name));
    listing.failed.retain(|(name, _)| shard.holds(name));
}

/// What a listing says of objects that are not opened.
#[must_use]
pub fn unopened(listing: &Listing) -> Ledger {
    let mut ledger = Ledger::default();
    for (name, why) in &listing.skipped {
        let row = ObjectRow::unread(End::Skipped(why.clone()), 0);
        ledger.object(name.clone(), row);
    }
    for (name, why) in &listing.failed {
        let row = ObjectRow::unread(End::Unlisted(why.clone()), 0);
        ledger.object(name.clone(), row);
    }
    ledger
}

/// Reads these objects.
#[must_use]
pub fn record(
    objects: &[ObjectRef],
    source: &dyn Source,
    selection: &Selection,
    catalog: &Catalog,
    pool: &ThreadPool,
    observer: &dyn Observer,
) -> Ledger {
    source.expect(objects);
    let next = AtomicUsize::new(0);
    let shards = pool.broadcast(|_| {
        let mut recorder = Recorder::new(catalog, selection);
        let mut decoder = Decoder::new();
        while let Some(object) = objects.get(next.fetch_add(1, Ordering::Relaxed)) {
            read(&mut recorder, &mut decoder, source, object, observer);
        }
        recorder.finish()
    });
    let mut ledger = Ledger::default();
    for shard in shards {
        ledger.merge(shard);
    }
    ledger
}

fn read(
    recorder: &mut Recorder<'_>,
    decoder: &mut Decoder,
    source: &dyn Source,
    object: &ObjectRef,
    observer: &dyn Observer,
) {
    recorder.begin(&object.name);
    let mut row = ObjectRow::unread(End::Read, object.size);
    let outcome = read_object(source, object, decoder, |record, _| recorder.record(record));
    let records = outcome.records;
    row.compressed = outcome.compressed;
    row.inflated = outcome.inflated;
    // A manifest need not tell how large its objects are.
    if row.size == 0 {
        row.size = outcome.compressed;
    }
    row.undecodable = outcome.undecodable;
    match outcome.status {
        Status::Read => {}
        Status::Skipped(why) => row.end = End::Skipped(why.to_string()),
        Status::Failed(why) => row.end = End::Failed(why.to_string()),
    }
    recorder.end(&object.name, row);
    observer.event(Event::Object {
        bytes: object.size,
        records,
    });
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_object_is_in_one_shard() {
        let shards = (1..=7).map(|number| Shard { number, of: 7 });
        let shards: Vec<Shard> = shards.collect();
        let mut sizes = [0; 7];
        for n in 0..700 {
            let name = format!("AWSLogs/111122223333/CloudTrail/{n}.json.gz");
            let held: Vec<usize> = (0..7).filter(|at| shards[*at].holds(&name)).collect();
            assert_eq!(held.len(), 1);
            sizes[held[0]] += 1;
        }
        assert!(
            sizes.iter().all(|size| (60..140).contains(size)),
            "{sizes:?}"
        );
        // Part of what is promised: other programs may tell the shards too.
        assert!(Shard { number: 3, of: 4 }.holds("a.json.gz"));
    }
}
