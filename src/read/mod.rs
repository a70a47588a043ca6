//! Where log objects come from: names and selections in, bytes out.
//!
//! A [`Source`] lists objects and opens them; what is in them is `trail`'s business. Every object that
//! is listed ends as read, skipped (why) or failed (why), so that the accounts balance.

pub mod bounded;
pub mod disk;
pub mod joined;
pub mod manifest;
pub mod prune;
pub mod vouched;

use std::io::{self, Read};
use std::panic::{AssertUnwindSafe, catch_unwind};

use thiserror::Error;

use crate::event::Observer;
use crate::trail::container::{Failure, Sink, Skip, each};
use crate::trail::inflate::Limits;
use crate::trail::key::{LogKey, LogKind};
use crate::trail::{Decoder, ObjectOutcome, Record, Status};

pub use bounded::Bounded;
pub use disk::Disk;
pub use joined::Joined;
pub use manifest::{Listed, ManifestError};
pub use prune::Selection;
pub use vouched::{Vouched, VouchedAccounts, Vouchers};

/// Where log objects come from.
pub trait Source: Sync {
    /// All objects, in the order of their names. Never fails: what cannot be listed is in `failed`.
    /// A source that takes its time tells `observer` what it has found so far.
    fn list(&self, observer: &dyn Observer) -> Listing;

    /// Told once, after the listing: these objects will be opened, about in this order. A source that is far
    /// away begins to fetch the first of them. Objects that were not told of can be opened all the same.
    fn expect(&self, _objects: &[ObjectRef]) {}

    /// Opens an object of the listing.
    ///
    /// # Errors
    /// Those of the operating system or the service.
    fn open(&self, object: &ObjectRef) -> io::Result<Box<dyn Read + Send + '_>>;

    /// The signature of a digest file, hexadecimal, where the source has its metadata.
    fn signature(&self, _object: &ObjectRef) -> Option<String> {
        None
    }

    /// Whether an object is known to be as CloudTrail delivered it. A source that does not look does not doubt.
    fn vouches_for(&self, _object: &ObjectRef) -> bool {
        true
    }

    /// How far an object may swell.
    fn limits(&self) -> Limits {
        Limits::default()
    }

    /// What a person should know of the objects as a whole, a sentence each.
    fn remarks(&self) -> Vec<String> {
        Vec::new()
    }
}

impl Source for Box<dyn Source + Send> {
    fn list(&self, observer: &dyn Observer) -> Listing {
        (**self).list(observer)
    }

    fn expect(&self, objects: &[ObjectRef]) {
        (**self).expect(objects);
    }

    fn open(&self, object: &ObjectRef) -> io::Result<Box<dyn Read + Send + '_>> {
        (**self).open(object)
    }

    fn signature(&self, object: &ObjectRef) -> Option<String> {
        (**self).signature(object)
    }

    fn vouches_for(&self, object: &ObjectRef) -> bool {
        (**self).vouches_for(object)
    }

    fn limits(&self) -> Limits {
        (**self).limits()
    }

    fn remarks(&self) -> Vec<String> {
        (**self).remarks()
    }
}

/// One log object.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ObjectRef {
    /// Its path or URL, as the user's argument leads to it. Unique in a listing.
    pub name: String,
    /// What the name tells.
    pub key: Option<LogKey>,
    /// Its size as stored, in bytes; 0 where nobody knows.
    pub size: u64,
}

/// What a source holds.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// The objects to read, sorted by name.
    pub objects: Vec<ObjectRef>,
    /// Objects (or whole folders) that are passed over by name, and why, sorted.
    pub skipped: Vec<(String, String)>,
    /// What could not be listed, and why, sorted.
    pub failed: Vec<(String, String)>,
}

impl Listing {
    /// Sorts, and passes over what its key shows to be another kind of log. `named` objects are always tried.
    pub(crate) fn settle(&mut self, named: &dyn Fn(&ObjectRef) -> bool) {
        let skip = |object: &ObjectRef| {
            if named(object) {
                None
            } else {
                object.key.as_ref()?.kind.skip_reason()
            }
        };
        self.move_to_skipped(&skip);
        self.objects.sort_by(|a, b| a.name.cmp(&b.name));
        self.failed.sort();
    }

    /// Moves the objects that hold nothing of the selection, as their keys show, to `skipped`.
    #[must_use]
    pub fn select(mut self, selection: &Selection) -> Self {
        self.move_to_skipped(&|object| {
            selection
                .passes_over(object.key.as_ref()?)
                .map(str::to_owned)
        });
        self
    }

    fn move_to_skipped(&mut self, why: &dyn Fn(&ObjectRef) -> Option<String>) {
        let mut kept = Vec::with_capacity(self.objects.len());
        for object in self.objects.drain(..) {
            match why(&object) {
                Some(reason) => self.skipped.push((object.name, reason)),
                None => kept.push(object),
            }
        }
        self.objects = kept;
        self.skipped.sort();
    }
}

/// Why there is no source for an argument.
#[derive(Debug, Error)]
pub enum SourceError {
    /// There is no such file or folder.
    #[error("no such file or folder: `{0}`")]
    NoSuchPath(String),
    /// A glob that matches nothing.
    #[error("nothing matches `{0}`")]
    NoMatch(String),
    /// Not a glob.
    #[error("`{pattern}` is not a valid pattern: {message}")]
    BadPattern {
        /// The argument.
        pattern: String,
        /// What is wrong with it.
        message: String,
    },
    /// A path that exists but cannot be looked at.
    #[error("cannot read `{path}`: {error}")]
    Unreadable {
        /// The argument.
        path: String,
        /// The words of the operating system.
        error: io::Error,
    },
    /// An S3 URL, in a build that cannot read from S3.
    #[error("cannot read `{0}`: this build has no S3")]
    NoS3(String),
}

impl SourceError {
    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::NoSuchPath(_) => {
                "give a log file, a folder, a glob in quotes, or `-` for standard input"
            }
            Self::NoMatch(_) => "try the folder itself: folders are searched at any depth",
            Self::BadPattern { .. } => {
                "`*`, `?` and `[…]` are special; a file of that very name is found first"
            }
            Self::Unreadable { .. } => "check its permissions",
            Self::NoS3(_) => {
                "build with the feature `aws`, or copy the logs with `aws s3 sync` and name the folder"
            }
        }
    }
}

/// Opens and reads one object, handing out its records. Never fails as a function.
///
/// An object that its name declares to be a CloudTrail log, or JSON, and that is not, is not skipped
/// but failed: it may have been one before it was damaged.
pub fn read_object(
    source: &dyn Source,
    object: &ObjectRef,
    decoder: &mut Decoder,
    on_record: impl FnMut(&Record<'_>, &[u8]),
) -> ObjectOutcome {
    read_object_into(source, object, decoder, &mut each(on_record))
}

/// As [`read_object`], for a sink that glances at the records first. A panic on the way ends this object
/// alone.
pub fn read_object_into(
    source: &dyn Source,
    object: &ObjectRef,
    decoder: &mut Decoder,
    sink: &mut dyn Sink,
) -> ObjectOutcome {
    decoder.limit(source.limits());
    let decoded = catch_unwind(AssertUnwindSafe(|| match source.open(object) {
        Ok(reader) => decoder.records_into(reader, sink),
        Err(error) => ObjectOutcome::failed(Failure::Open(error)),
    }));
    let mut outcome = decoded.unwrap_or_else(|_| ObjectOutcome::failed(Failure::Panicked));
    if let Status::Skipped(skip) = outcome.status {
        let declared = match skip {
            Skip::NotJson => is_log_by_name(object) || is_json_by_name(&object.name),
            // The other kinds have folders and names of their own.
            Skip::OtherJson
            | Skip::CloudWatchLogs
            | Skip::Insights
            | Skip::Aggregated
            | Skip::Digest => is_log_by_name(object),
        };
        if declared {
            outcome.status = Status::Failed(Failure::NotWhatItsNameSays(skip));
        }
    }
    outcome
}

fn is_log_by_name(object: &ObjectRef) -> bool {
    object
        .key
        .as_ref()
        .is_some_and(|key| key.kind == LogKind::CloudTrail)
}

fn is_json_by_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    let name = name.strip_suffix(".gz").unwrap_or(&name);
    [".json", ".jsonl", ".ndjson"]
        .iter()
        .any(|ending| name.ends_with(ending))
}

#[cfg(test)]
mod tests;
