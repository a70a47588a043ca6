//! The fast way from bytes to a [`Record`]: compact JSON, borrowed, in one pass.
//!
//! In: bytes from a `{` on. Out: the record and its JSON, the same record that serde_json makes of it
//! (`record.rs`), or "not here": cut off, or odd in any way. What is odd is left to the patient way, so
//! the fast one never rejects anything by itself.

mod block;
mod identity;
mod skip;
mod spans;
mod walk;

use super::record::Record;
use block::{Task, Way, fastest};
use identity::Identities;
use spans::{
    ENTRY, EVENTS, Entry, FLAGS, IDENTITY, NAME, NAMES, RECORDS, RESOURCES, SOURCE, Spans, TEXTS,
};
use walk::{Keys, Walk};

pub(super) use skip::Cut;

/// Reads records, one after the other. Remembers the order of their keys and the last identities.
pub(super) struct Scanner {
    spans: Spans,
    keys: Keys,
    entry: Keys,
    identities: Identities,
}

impl Scanner {
    pub(super) fn new() -> Self {
        Self {
            spans: Spans::default(),
            keys: Keys::new(&NAMES),
            entry: Keys::new(&ENTRY),
            identities: Identities::new(),
        }
    }

    /// Reads the record at the start of `bytes`, which begin with `{`; its JSON is given beside it.
    ///
    /// # Errors
    /// [`Cut::Short`] where the bytes end first, [`Cut::Odd`] where serde_json must decide.
    pub(super) fn record<'t>(&mut self, bytes: &'t [u8]) -> Result<(Record<'t>, &'t str), Cut> {
        fastest(Reading {
            scanner: self,
            bytes,
        })?;
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
        let mut walk = Walk::new(bytes);
        let mut more = walk.enter(b'}')?;
        let mut before = self.keys.start();
        while more {
            let key = self.keys.key::<W>(&mut walk, before)?;
            before = key;
            if let Some(text) = spans.texts.get_mut(key) {
                walk.text_into::<W>(text)?;
            } else if let Some(json) = spans.json.get_mut(key - TEXTS) {
                *json = walk.value::<W>()?;
            } else if let Some(flag) = spans.flags.get_mut(key - FLAGS) {
                *flag = self::flag::<W>(&mut walk, bytes)?;
            } else {
                match key {
                    IDENTITY => {
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
                        resources::<W>(&mut walk, &mut self.entry, &mut spans.resources)?;
                    }
                    // An object around records, perhaps.
                    RECORDS | EVENTS => return Err(Cut::Odd),
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
