//! The fast way from bytes to a [`Record`]: compact JSON, borrowed, in one pass.
//!
//! In: bytes from a `{` on. Out: the record and its JSON, the same record that serde_json makes of it
//! (`record.rs`), or "not here": cut off, or odd in any way. What is odd is left to the patient way, so
//! the fast one never rejects anything by itself.

mod block;
mod glance;
mod identity;
mod skip;
mod spans;
mod tail;
mod walk;

use super::record::Record;
use block::{Task, Way, fastest};
use identity::Identities;
use spans::{
    ENTRY, EVENTS, Entry, FLAGS, ID, IDENTITY, NAME, NAMES, RECORDS, RESOURCES, SHARED, SOURCE,
    Spans, TEXTS, TLS, TYPE,
};
use tail::{Tail, Walked};
use walk::{CONTEXTS, Keys, Walk};

pub(super) use block::prefetch;
pub use glance::Glance;
pub(super) use skip::Cut;

/// Reads records, one after the other. Remembers the order of their keys and the last identities.
pub(super) struct Scanner {
    spans: Spans,
    keys: Keys,
    entry: Keys,
    identities: Identities,
    /// By context, the `tlsDetails` met last: the same for one kind of call and client.
    tls: Vec<Vec<u8>>,
    /// By context, the end of the last record.
    tails: Vec<Tail>,
}

/// Longer `tlsDetails` are not remembered.
const LONGEST_TLS: usize = 512;

impl Scanner {
    pub(super) fn new() -> Self {
        Self {
            spans: Spans::default(),
            keys: Keys::new(&NAMES),
            entry: Keys::new(&ENTRY),
            identities: Identities::new(),
            tls: vec![Vec::new(); CONTEXTS],
            tails: vec![Tail::default(); CONTEXTS],
        }
    }

    /// Passes the record at the start of `bytes`, which begin with `{`; gives its length.
    ///
    /// # Errors
    /// [`Cut::Short`] where the bytes end first, [`Cut::Odd`] where serde_json must decide.
    pub(super) fn pass(&mut self, bytes: &[u8]) -> Result<usize, Cut> {
        fastest(Reading {
            scanner: self,
            bytes,
        })?;
        Ok(self.spans.length)
    }

    /// A look at the record that was passed last, at the start of the same bytes; `None` where it must be
    /// taken apart.
    pub(super) fn glance<'t>(&'t self, bytes: &'t [u8]) -> Option<Glance<'t>> {
        let json = bytes.get(..self.spans.length)?;
        let (_, place) = self.spans.identity?;
        Glance::of(json, &self.spans, self.identities.get(place))
    }

    /// The record that was passed last, at the start of the same bytes, and its JSON.
    ///
    /// # Errors
    /// [`Cut::Odd`] where serde_json must decide.
    pub(super) fn taken<'t>(&self, bytes: &'t [u8]) -> Result<(Record<'t>, &'t str), Cut> {
        let spans = &self.spans;
        let json = bytes.get(..spans.length).ok_or(Cut::Odd)?;
        let json = std::str::from_utf8(json).map_err(|_| Cut::Odd)?;
        let identity = spans.identity;
        let identity = identity.and_then(|(_, place)| self.identities.get(place));
        Ok((spans.record(json, identity)?, json))
    }

    #[inline(always)]
    fn read<W: Way>(&mut self, bytes: &[u8]) -> Result<(), Cut> {
        let spans = &mut self.spans;
        spans.clear();
        let mut context = 0;
        self.keys.context(context);
        self.entry.context(context);
        let mut walk = Walk::new(bytes);
        let mut more = walk.enter(b'}')?;
        let mut before = self.keys.start();
        let mut tail: Option<Walked> = None;
        while more {
            let from = walk.at;
            let key = self.keys.key::<W>(&mut walk, before)?;
            before = key;
            if key == TYPE && tail.is_none() {
                let after = std::mem::replace(&mut walk.at, from);
                if let Some(tail) = self.tails.get(context)
                    && tail.pass(&mut walk, spans)
                {
                    break;
                }
                walk.at = after;
                tail = Some(Walked {
                    from,
                    plain: true,
                    flags: [None; 3],
                });
            }
            if let Some(text) = spans.texts.get_mut(key) {
                walk.text_into::<W>(text)?;
                if text.is_absent() || matches!(key, SHARED | ID) {
                    // It may take back what came before; or another one for every record is not worth it.
                    unplain(&mut tail);
                }
                if key == NAME {
                    context = context_of(spans, bytes);
                    self.keys.context(context);
                    self.entry.context(context);
                }
            } else if let Some(json) = spans.json.get_mut(key - TEXTS) {
                *json = walk.value::<W>()?;
                unplain(&mut tail);
            } else if let Some(flag) = spans.flags.get_mut(key - FLAGS) {
                *flag = self::flag::<W>(&mut walk, bytes)?;
                if let Some(tail) = &mut tail
                    && let Some(mine) = tail.flags.get_mut(key - FLAGS)
                {
                    *mine = Some(*flag);
                }
            } else {
                match key {
                    IDENTITY => {
                        unplain(&mut tail);
                        let at = walk.at;
                        spans.identity = match walk.byte()? {
                            b'{' => Some((at, self.identities.pass::<W>(&mut walk)?)),
                            _ => {
                                walk.nothing::<W>()?;
                                None
                            }
                        };
                    }
                    RESOURCES => {
                        unplain(&mut tail);
                        resources::<W>(&mut walk, &mut self.entry, &mut spans.resources)?;
                    }
                    // An object around records, perhaps.
                    RECORDS | EVENTS => return Err(Cut::Odd),
                    TLS => {
                        if let Some(tls) = self.tls.get_mut(context) {
                            tls_details::<W>(&mut walk, tls)?;
                        }
                    }
                    _ => {
                        walk.value::<W>()?;
                    }
                }
            }
            more = walk.more(b'}')?;
        }
        spans.length = walk.at;
        spans.ascii = walk.ascii;
        let empty = |field: usize| {
            let text = spans.texts.get(field).copied().unwrap_or_default();
            text.from() == text.to()
        };
        if empty(SOURCE) || empty(NAME) {
            return Err(Cut::Odd);
        }
        if let (Some(walked), Some(tail)) = (tail, self.tails.get_mut(context)) {
            let record = bytes.get(..spans.length).unwrap_or_default();
            tail.learn(record, walked, spans);
        }
        Ok(())
    }
}

struct Reading<'s, 't> {
    scanner: &'s mut Scanner,
    bytes: &'t [u8],
}

impl Task for Reading<'_, '_> {
    type Output = Result<(), Cut>;

    #[inline(always)]
    fn run<W: Way>(self) -> Result<(), Cut> {
        self.scanner.read::<W>(self.bytes)
    }
}

fn unplain(tail: &mut Option<Walked>) {
    if let Some(tail) = tail {
        tail.plain = false;
    }
}

/// What kind of call it is, roughly: the same kind has the same keys.
#[inline(always)]
fn context_of(spans: &Spans, bytes: &[u8]) -> usize {
    let mut hash = 0_u64;
    for field in [SOURCE, NAME] {
        let span = spans.texts.get(field).copied().unwrap_or_default();
        // What follows the text is about the same everywhere.
        let text = bytes
            .get(span.from()..)
            .and_then(|rest| rest.first_chunk::<8>());
        let text = u64::from_le_bytes(text.copied().unwrap_or_default());
        let length = span.to().wrapping_sub(span.from()) as u64;
        hash = (hash.rotate_left(5) ^ text ^ length).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    1 + (hash >> 57) as usize
}

/// Passes `tlsDetails`, which may be what they were the last time.
#[inline(always)]
fn tls_details<W: Way>(walk: &mut Walk<'_>, known: &mut Vec<u8>) -> Result<(), Cut> {
    let rest = walk.rest();
    if !known.is_empty() && rest.starts_with(known) {
        walk.at += known.len();
        return Ok(());
    }
    known.clear();
    let object = walk.byte()? == b'{';
    let value = walk.value::<W>()?;
    let value = rest.get(..value.to() - value.from()).unwrap_or_default();
    if object && value.len() <= LONGEST_TLS && value.is_ascii() {
        known.extend_from_slice(value);
    }
    Ok(())
}

/// A boolean, which some tools write as a string.
#[inline(always)]
fn flag<W: Way>(walk: &mut Walk<'_>, bytes: &[u8]) -> Result<Option<bool>, Cut> {
    let rest = walk.rest();
    let text = walk.text::<W>()?;
    if text.is_absent() {
        return Ok(match rest.first() {
            Some(b't') => Some(true),
            Some(b'f') => Some(false),
            _ => None,
        });
    }
    if text.is_escaped() {
        return Err(Cut::Odd);
    }
    let word = bytes.get(text.from()..text.to()).unwrap_or_default();
    Ok(match word {
        _ if word.eq_ignore_ascii_case(b"true") => Some(true),
        _ if word.eq_ignore_ascii_case(b"false") => Some(false),
        _ => None,
    })
}

/// Passes `resources`. Entries that name nothing are left out.
#[inline(always)]
fn resources<W: Way>(
    walk: &mut Walk<'_>,
    keys: &mut Keys,
    out: &mut Vec<Entry>,
) -> Result<(), Cut> {
    if !out.is_empty() {
        return Err(Cut::Odd);
    }
    if walk.byte()? != b'[' {
        return walk.nothing::<W>();
    }
    let mut more = walk.enter(b']')?;
    while more {
        if walk.byte()? == b'{' {
            let mut entry = Entry::default();
            let mut more = walk.enter(b'}')?;
            let mut before = keys.start();
            while more {
                before = keys.key::<W>(walk, before)?;
                match before {
                    0 => walk.text_into::<W>(&mut entry.account)?,
                    1 => walk.text_into::<W>(&mut entry.kind)?,
                    2 | 4 => walk.text_into::<W>(&mut entry.arn)?,
                    3 | 5 => walk.text_into::<W>(&mut entry.prefix)?,
                    _ => {
                        walk.value::<W>()?;
                    }
                }
                more = walk.more(b'}')?;
            }
            if entry != Entry::default() {
                out.push(entry);
            }
        } else {
            walk.nothing::<W>()?;
        }
        more = walk.more(b']')?;
    }
    Ok(())
}

#[cfg(test)]
mod tests;
