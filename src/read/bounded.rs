//! A source with limits of the user's own: nothing else changes.

use std::io::{self, Read};

use super::{Listing, ObjectRef, Source};
use crate::event::Observer;
use crate::trail::inflate::Limits;

/// Objects that may swell so far and no further.
pub struct Bounded<S> {
    inner: S,
    limits: Limits,
}

impl<S: Source> Bounded<S> {
    /// Sets the limits.
    pub fn new(inner: S, limits: Limits) -> Self {
        Self { inner, limits }
    }
}

impl<S: Source> Source for Bounded<S> {
    fn list(&self, observer: &dyn Observer) -> Listing {
        self.inner.list(observer)
    }

    fn expect(&self, objects: &[ObjectRef]) {
        self.inner.expect(objects);
    }

    fn open(&self, object: &ObjectRef) -> io::Result<Box<dyn Read + Send + '_>> {
        self.inner.open(object)
    }

    fn signature(&self, object: &ObjectRef) -> Option<String> {
        self.inner.signature(object)
    }

    fn vouches_for(&self, object: &ObjectRef) -> bool {
        self.inner.vouches_for(object)
    }

    fn limits(&self) -> Limits {
        self.limits
    }

    fn remarks(&self) -> Vec<String> {
        self.inner.remarks()
    }
}
