//! Several sources as one: a disk and a bucket, in one run.

use std::io::{self, Read};

use super::{Listing, ObjectRef, Source};
use crate::event::Observer;

/// What stands at the beginning of the names of S3's objects.
pub const S3_SCHEME: &str = "s3://";

/// Log objects on disk and in S3. The names tell where each is: no path of the disk begins with `s3://`.
pub struct Joined {
    disk: Box<dyn Source + Send>,
    s3: Box<dyn Source + Send>,
}

impl Joined {
    /// Joins the two.
    #[must_use]
    pub fn new(disk: Box<dyn Source + Send>, s3: Box<dyn Source + Send>) -> Self {
        Self { disk, s3 }
    }

    fn of(&self, name: &str) -> &(dyn Source + Send) {
        if name.starts_with(S3_SCHEME) {
            self.s3.as_ref()
        } else {
            self.disk.as_ref()
        }
    }
}

impl Source for Joined {
    fn list(&self, observer: &dyn Observer) -> Listing {
        let mut all = self.disk.list(observer);
        let s3 = self.s3.list(observer);
        all.objects.extend(s3.objects);
        all.skipped.extend(s3.skipped);
        all.failed.extend(s3.failed);
        all.objects.sort_by(|a, b| a.name.cmp(&b.name));
        all.skipped.sort();
        all.failed.sort();
        all
    }

    fn expect(&self, objects: &[ObjectRef]) {
        let (s3, disk): (Vec<_>, Vec<_>) = objects
            .iter()
            .cloned()
            .partition(|object| object.name.starts_with(S3_SCHEME));
        self.disk.expect(&disk);
        self.s3.expect(&s3);
    }

    fn open(&self, object: &ObjectRef) -> io::Result<Box<dyn Read + Send + '_>> {
        self.of(&object.name).open(object)
    }

    fn signature(&self, object: &ObjectRef) -> Option<String> {
        self.of(&object.name).signature(object)
    }
}
