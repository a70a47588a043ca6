//! Log objects held against CloudTrail's digests: a source in, the same source out, but for what was altered,
//! removed or added since CloudTrail delivered it.
//!
//! Digests chain: each holds the signature of the one before it. The signature of the last stands in the
//! metadata of its object alone; where a source has no metadata, the answer of `aws s3api head-object` may lie
//! beside the digest, as `NAME.json.gz.metadata.json`.
//!
//! An altered object is not read: it fails. One that a digest lists and that is not there fails too, and so
//! does a digest that a later one vouches for and that is altered or gone. Objects that no digest lists are
//! read and counted, or, where digests are required, not read: what they hold is then unseen, unless the
//! chain is whole around the time of their delivery and all trails of the account are known to write digests.
//! Then CloudTrail did not deliver them, and they are passed over: whoever can write to the bucket can
//! neither win nor keep a permission by them.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Cursor, Read};
use std::sync::atomic::{AtomicUsize, Ordering};

use serde::Deserialize;

use super::{Listing, ObjectRef, Selection, Source};
use crate::event::Observer;
use crate::trail::digest::{Digest, Hasher, PublicKeys};
use crate::trail::inflate::{Inflate, Limits};
use crate::trail::key::{LogKey, LogKind};
use crate::trail::time;

/// The longest object, as stored, that is held in memory to be hashed before it is read. CloudTrail's are
/// some 50 MB at most.
const LARGEST: u64 = 256 * 1024 * 1024;
/// The longest digest, inflated: it has 300 bytes a log object of one hour.
const LARGEST_DIGEST: usize = 256 * 1024 * 1024;
/// How long after its delivery an object may be listed: by the digest of the hour, or a later one that makes
/// up for delays.
const LISTED_WITHIN: i64 = 86_400;

/// Digests that are named in the remarks.
const SHOWN: usize = 5;

/// What objects are held against.
#[derive(Clone, Debug, Default)]
pub struct Vouchers {
    /// The keys of the Regions.
    pub keys: PublicKeys,
    /// Read nothing that no digest lists.
    pub require: bool,
    /// Accounts all of whose trails are known to write digests.
    pub whole: BTreeSet<String>,
    /// The buckets of the account's trails; empty where nobody said.
    pub buckets: BTreeSet<String>,
}

/// A source whose objects are held against digests.
pub struct Vouched<S> {
    inner: S,
    listing: Listing,
    /// File name of a log object → the SHA-256 of its inflated bytes.
    hashes: BTreeMap<String, String>,
    accounts: VouchedAccounts,
}

/// What the digests said.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct VouchedAccounts {
    /// Digests whose signature fits.
    pub valid: u64,
    /// Digests that are not CloudTrail's as they are, and why. What only they list is not vouched for.
    pub invalid: Vec<(String, String)>,
    /// Log objects that a valid digest lists.
    pub listed: u64,
    /// Of these, gone.
    pub removed: u64,
    /// Objects that no digest lists.
    pub uncovered: u64,
    /// Objects that CloudTrail did not deliver.
    pub planted: u64,
}

/// A digest that was read.
struct Found {
    name: String,
    digest: Digest,
    bytes: Vec<u8>,
    start: i64,
    end: i64,
    valid: bool,
}

impl<S: Source> Vouched<S> {
    /// Lists `inner` and reads its digests.
    pub fn new(
        inner: S,
        selection: &Selection,
        vouchers: &Vouchers,
        observer: &dyn Observer,
    ) -> Self {
        let listing = inner.list(observer);
        let mut vouched = Self {
            inner,
            listing,
            hashes: BTreeMap::new(),
            accounts: VouchedAccounts::default(),
        };
        let mut digests = vouched.read_digests(vouchers);
        vouched.check_chains(&mut digests, vouchers);
        vouched.fail_gaps(&digests, selection);
        vouched.settle(&digests, selection, vouchers);
        vouched
    }

    /// What the digests said.
    #[must_use]
    pub fn accounts(&self) -> &VouchedAccounts {
        &self.accounts
    }

    /// From a bucket one at a time would take an hour for a season of all Regions.
    fn read_digests(&mut self, vouchers: &Vouchers) -> Vec<Found> {
        const AT_ONCE: usize = 32;
        let skipped = self.listing.skipped.iter().map(|(name, _)| name);
        let names: Vec<&String> = skipped.filter(|name| is_digest(name)).collect();
        let next = AtomicUsize::new(0);
        let read = || {
            let mut read = Vec::new();
            while let Some(name) = names.get(next.fetch_add(1, Ordering::Relaxed)) {
                read.push(
                    self.read_digest(name, vouchers)
                        .map_err(|why| ((*name).clone(), why)),
                );
            }
            read
        };
        let read: Vec<Result<Found, (String, String)>> = std::thread::scope(|scope| {
            let workers: Vec<_> = (0..AT_ONCE.min(names.len()))
                .map(|_| scope.spawn(read))
                .collect();
            workers
                .into_iter()
                .flat_map(|worker| worker.join().unwrap_or_default())
                .collect()
        });
        let mut found = Vec::new();
        for read in read {
            match read {
                Ok(digest) => found.push(digest),
                Err(invalid) => self.accounts.invalid.push(invalid),
            }
        }
        found.sort_by(|a, b| (b.end, &b.name).cmp(&(a.end, &a.name)));
        found
    }

    fn read_digest(&self, name: &str, vouchers: &Vouchers) -> Result<Found, String> {
        let object = ObjectRef {
            name: name.to_owned(),
            key: LogKey::parse(name),
            size: 0,
        };
        let words = |error: io::Error| error.to_string();
        let mut bytes = Vec::new();
        let stored = stored(&self.inner, &object).map_err(words)?;
        inflate(&stored, self.inner.limits(), &mut |part| {
            bytes.extend_from_slice(part);
            bytes.len() <= LARGEST_DIGEST
        })
        .map_err(words)?;
        let digest = Digest::parse(&bytes)?;
        if file_name(name) != file_name(&digest.object) {
            return Err("it is not where CloudTrail delivered it".into());
        }
        let account = LogKey::parse(&digest.object).and_then(|key| key.account);
        if account.as_deref() != Some(digest.account.as_str()) {
            return Err("it names another account than its key".into());
        }
        if !vouchers.buckets.is_empty() && !vouchers.buckets.contains(&digest.bucket) {
            return Err(format!(
                "it is of bucket `{}`, which no trail of the snapshot delivers to",
                digest.bucket
            ));
        }
        let moment = |text: &str| time::epoch_seconds(text).ok_or("its times cannot be read");
        let (start, end) = (
            moment(&digest.digest_start_time)?,
            moment(&digest.digest_end_time)?,
        );
        Ok(Found {
            name: name.to_owned(),
            digest,
            bytes,
            start,
            end,
            valid: false,
        })
    }

    /// Says which digests are CloudTrail's. They are sorted from the newest to the oldest, so that the signature
    /// that a digest holds is known before the one that it signs. The metadata are asked where no digest
    /// holds it.
    fn check_chains(&mut self, digests: &mut [Found], vouchers: &Vouchers) {
        let mut held: BTreeMap<String, String> = BTreeMap::new();
        for found in digests {
            let digest = &found.digest;
            let name = file_name(&digest.object);
            let why = match vouchers.keys.get(&digest.fingerprint) {
                None => Some(format!(
                    "no public key has its fingerprint `{}`",
                    digest.fingerprint
                )),
                Some(key) => {
                    let signed = |signature: &str| digest.is_signed(&found.bytes, signature, key);
                    let chained = held.get(name);
                    let fits = chained.is_some_and(|signature| signed(signature));
                    let object = || ObjectRef {
                        name: found.name.clone(),
                        key: None,
                        size: 0,
                    };
                    let own = (!fits).then(|| self.inner.signature(&object())).flatten();
                    match (fits, own) {
                        (true, _) => None,
                        (false, Some(own)) if signed(&own) => None,
                        (false, None) if chained.is_none() => Some(
                            "no digest after it and no metadata holds its signature".to_owned(),
                        ),
                        (false, _) => Some("its signature does not fit: it was altered".to_owned()),
                    }
                }
            };
            if let (Some(previous), Some(signature)) =
                (&digest.previous, &digest.previous_signature)
            {
                held.insert(file_name(previous).to_owned(), signature.clone());
            }
            found.valid = why.is_none();
            self.accounts
                .invalid
                .extend(why.map(|why| (found.name.clone(), why)));
        }
        self.accounts.invalid.sort();
    }

    /// A digest that a valid one names as the one before it must be there and valid, unless the chain
    /// begins there in this input.
    fn fail_gaps(&mut self, digests: &[Found], selection: &Selection) {
        let mut failed: Vec<(String, String)> = Vec::new();
        for found in digests.iter().filter(|found| found.valid) {
            let Some(previous) = &found.digest.previous else {
                continue;
            };
            let name = file_name(previous);
            let there = digests.iter().find(|other| file_name(&other.name) == name);
            let key = LogKey::parse(previous);
            if there.is_some_and(|there| there.valid)
                || key.is_some_and(|key| selection.passes_over(&key).is_some())
            {
                continue;
            }
            let broken = self
                .accounts
                .invalid
                .iter()
                .find(|(broken, _)| file_name(broken) == name);
            if let Some((broken, why)) = broken {
                failed.push((broken.clone(), format!("digest: {why}")));
                continue;
            }
            let chain = chain(previous);
            let older = digests
                .iter()
                .any(|other| other.end < found.end && self::chain(&other.name) == chain);
            if older {
                let why = "digest: the one after it names it, and it is not there";
                failed.push((previous.clone(), why.to_owned()));
            }
        }
        let names: BTreeSet<&String> = failed.iter().map(|(name, _)| name).collect();
        self.listing
            .skipped
            .retain(|(name, _)| !names.contains(name));
        self.listing.failed.extend(failed);
    }

    /// Objects that are gone, that nobody delivered, and that nobody vouches for.
    fn settle(&mut self, digests: &[Found], selection: &Selection, vouchers: &Vouchers) {
        let mut periods: BTreeMap<(String, String), Vec<(i64, i64)>> = BTreeMap::new();
        let mut gone: BTreeMap<String, String> = BTreeMap::new();
        for found in digests.iter().filter(|found| found.valid) {
            if let Some(LogKey {
                account: Some(account),
                region: Some(region),
                ..
            }) = LogKey::parse(&found.digest.object)
            {
                periods
                    .entry((account, region))
                    .or_default()
                    .push((found.start, found.end));
            }
            for log in &found.digest.log_files {
                let name = file_name(&log.object).to_owned();
                gone.insert(name.clone(), log.object.clone());
                self.hashes
                    .insert(name, log.hash_value.to_ascii_lowercase());
            }
        }
        self.accounts.valid = digests.iter().filter(|found| found.valid).count() as u64;
        self.accounts.listed = self.hashes.len() as u64;
        let listing = &mut self.listing;
        let there = listing.objects.iter().map(|object| object.name.as_str());
        let named = listing
            .skipped
            .iter()
            .chain(&listing.failed)
            .map(|(name, _)| name.as_str());
        for name in there.chain(named) {
            gone.remove(file_name(name));
        }
        for object in gone.into_values() {
            let unwanted =
                LogKey::parse(&object).is_some_and(|key| selection.passes_over(&key).is_some());
            if !unwanted {
                self.accounts.removed += 1;
                listing
                    .failed
                    .push((object, "a digest lists it, and it is not there".to_owned()));
            }
        }
        for merged in periods.values_mut() {
            merge(merged);
        }
        let mut kept = Vec::with_capacity(listing.objects.len());
        for object in listing.objects.drain(..) {
            if self.hashes.contains_key(file_name(&object.name)) {
                kept.push(object);
                continue;
            }
            let unwanted = object
                .key
                .as_ref()
                .is_some_and(|key| selection.passes_over(key).is_some());
            if unwanted {
                kept.push(object);
            } else if vouchers.require && is_planted(&object, &periods, vouchers) {
                self.accounts.planted += 1;
                listing.skipped.push((
                    object.name,
                    "CloudTrail did not deliver it: no digest lists it".to_owned(),
                ));
            } else if vouchers.require {
                self.accounts.uncovered += 1;
                listing
                    .failed
                    .push((object.name, "no digest vouches for it".to_owned()));
            } else {
                self.accounts.uncovered += 1;
                kept.push(object);
            }
        }
        listing.objects = kept;
        listing.skipped.sort();
        listing.failed.sort();
    }
}

impl<S: Source> Source for Vouched<S> {
    fn list(&self, _: &dyn Observer) -> Listing {
        self.listing.clone()
    }

    fn expect(&self, objects: &[ObjectRef]) {
        self.inner.expect(objects);
    }

    fn open(&self, object: &ObjectRef) -> io::Result<Box<dyn Read + Send + '_>> {
        let Some(hash) = self.hashes.get(file_name(&object.name)) else {
            return self.inner.open(object);
        };
        // The bytes that are hashed are the bytes that are read: the file may change in between.
        let bytes = stored(&self.inner, object)?;
        let mut hasher = Hasher::default();
        let altered =
            |_| io::Error::other("altered since CloudTrail delivered it, as its digest shows");
        inflate(&bytes, self.inner.limits(), &mut |part| {
            hasher.add(part);
            true
        })
        .map_err(altered)?;
        if hasher.finish() != *hash {
            return Err(altered(io::ErrorKind::InvalidData.into()));
        }
        Ok(Box::new(Cursor::new(bytes)))
    }

    fn signature(&self, object: &ObjectRef) -> Option<String> {
        self.inner.signature(object)
    }

    fn vouches_for(&self, object: &ObjectRef) -> bool {
        self.hashes.contains_key(file_name(&object.name))
    }

    fn limits(&self) -> Limits {
        self.inner.limits()
    }

    fn remarks(&self) -> Vec<String> {
        let accounts = &self.accounts;
        let mut remarks = vec![format!(
            "{} digests are CloudTrail's and list {} log objects, of which {} are gone; no digest lists {} that are there{}",
            accounts.valid,
            accounts.listed,
            accounts.removed,
            accounts.uncovered + accounts.planted,
            if accounts.planted > 0 {
                format!(
                    ", and CloudTrail did not deliver {} of these",
                    accounts.planted
                )
            } else {
                String::new()
            }
        )];
        let invalid = accounts.invalid.iter().take(SHOWN);
        remarks.extend(invalid.map(|(name, why)| format!("{name} vouches for nothing: {why}")));
        if accounts.invalid.len() > SHOWN {
            remarks.push(format!(
                "nor do {} more digests",
                accounts.invalid.len() - SHOWN
            ));
        }
        remarks
    }
}

/// The bytes of an object as they are stored.
fn stored(source: &impl Source, object: &ObjectRef) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    source
        .open(object)?
        .take(LARGEST + 1)
        .read_to_end(&mut bytes)?;
    if bytes.len() as u64 > LARGEST {
        return Err(io::Error::other("too long to be held against its digest"));
    }
    Ok(bytes)
}

/// Hands out the inflated bytes, as long as `part` wants more.
fn inflate(stored: &[u8], limits: Limits, part: &mut dyn FnMut(&[u8]) -> bool) -> io::Result<()> {
    let mut input = Inflate::new(stored);
    input.limit(limits);
    let mut buffer = vec![0; 64 * 1024];
    loop {
        let count = input.read(&mut buffer).map_err(io::Error::other)?;
        if count == 0 {
            return Ok(());
        }
        if !part(buffer.get(..count).unwrap_or_default()) {
            return Err(io::Error::other("too long for a digest"));
        }
    }
}

/// Whether CloudTrail would have listed the object, had it delivered it.
fn is_planted(
    object: &ObjectRef,
    periods: &BTreeMap<(String, String), Vec<(i64, i64)>>,
    vouchers: &Vouchers,
) -> bool {
    let Some(key) = &object.key else { return false };
    // Which trails an organisation has is known in its own account alone.
    if key.organization.is_some() {
        return false;
    }
    let (Some(account), Some(region), Some(delivered)) = (&key.account, &key.region, key.delivered)
    else {
        return false;
    };
    vouchers.whole.contains(account)
        && periods
            .get(&(account.clone(), region.clone()))
            .into_iter()
            .flatten()
            .any(|(start, end)| *start <= delivered && delivered + LISTED_WITHIN <= *end)
}

/// Joins periods that meet. A digest begins where the one before it ends.
fn merge(periods: &mut Vec<(i64, i64)>) {
    periods.sort_unstable();
    let mut out: Vec<(i64, i64)> = Vec::new();
    for (start, end) in periods.drain(..) {
        match out.last_mut() {
            Some(last) if start <= last.1 => last.1 = last.1.max(end),
            _ => out.push((start, end)),
        }
    }
    *periods = out;
}

fn is_digest(name: &str) -> bool {
    let by_key = LogKey::parse(name).is_some_and(|key| key.kind == LogKind::Digest);
    by_key && (name.ends_with(".json.gz") || name.ends_with(".json") && !name.ends_with(SIDECAR))
}

/// What follows the name of a digest in that of the file that holds its metadata.
pub(super) const SIDECAR: &str = ".metadata.json";

/// `Metadata.signature` of what `aws s3api head-object` prints.
pub(super) fn signature_of_metadata(json: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Head {
        #[serde(rename = "Metadata")]
        metadata: BTreeMap<String, String>,
    }
    let head: Head = serde_json::from_slice(json).ok()?;
    head.metadata.get("signature").cloned()
}

/// The chain of a digest: its file name without the time.
fn chain(name: &str) -> &str {
    let name = file_name(name);
    name.rsplit_once('_').map_or(name, |(chain, _)| chain)
}

/// The part of a name behind its last separator. That of a log object holds account, Region, time and a
/// random part, so it says which one it is wherever it lies.
fn file_name(name: &str) -> &str {
    name.rsplit(['/', '\\']).next().unwrap_or(name)
}
