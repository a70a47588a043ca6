//! The end of a record, from `eventType` on, remembered: for one kind of call in one account and Region
//! it is the same bytes again and again.

use super::spans::{Spans, TEXTS};
use super::walk::{Span, Walk};

/// Longer ends are not remembered.
const LONGEST: usize = 1024;

/// One end: sound members up to the closing bracket, all ASCII and without escapes, none of them an
/// identity, a list of resources or one of the JSON values that are handed out.
#[derive(Clone, Default)]
pub(super) struct Tail {
    bytes: Vec<u8>,
    texts: [Span; TEXTS],
    flags: [Option<Option<bool>>; 3],
}

/// What is noted of an end while it is walked.
#[derive(Clone, Copy)]
pub(super) struct Walked {
    /// Where it began.
    pub(super) from: usize,
    /// Nothing in it forbids to remember it.
    pub(super) plain: bool,
    /// The flags it holds.
    pub(super) flags: [Option<Option<bool>>; 3],
}

impl Tail {
    /// Passes the end of the record at the cursor, if it is this one.
    #[inline(always)]
    pub(super) fn pass(&self, walk: &mut Walk<'_>, spans: &mut Spans) -> bool {
        if self.bytes.is_empty() || !walk.rest().starts_with(&self.bytes) {
            return false;
        }
        let met = spans.texts.iter().zip(&self.texts);
        if met
            .clone()
            .any(|(met, mine)| met.is_escaped() && !mine.is_absent())
        {
            return false;
        }
        for (place, mine) in spans.texts.iter_mut().zip(&self.texts) {
            if !mine.is_absent() {
                *place = mine.more(walk.at);
            }
        }
        for (place, mine) in spans.flags.iter_mut().zip(&self.flags) {
            if let Some(flag) = mine {
                *place = *flag;
            }
        }
        walk.at += self.bytes.len();
        true
    }

    /// Remembers the end that was walked, of a record of these bytes.
    #[inline(never)]
    pub(super) fn learn(&mut self, record: &[u8], walked: Walked, spans: &Spans) {
        self.bytes.clear();
        let end = record.get(walked.from..).unwrap_or_default();
        if !walked.plain
            || end.len() > LONGEST
            || !end.is_ascii()
            || memchr::memchr(b'\\', end).is_some()
        {
            return;
        }
        self.texts = spans.texts.map(|text| match text.from() >= walked.from {
            true => text.less(walked.from),
            false => Span::default(),
        });
        self.flags = walked.flags;
        self.bytes.extend_from_slice(end);
    }
}
