//! The pages of one day as bytes, and back.

mod get;
mod put;

use std::collections::BTreeMap;

use super::super::invoked::CallerKind;
use super::super::ledger::{DAY, Page, Where};
use super::wire::{Corrupt, Reader, Writer};
use crate::catalog::Certainty;
use crate::trail::Class;
use get::In;
use put::Out;

const CLASSES: [Class; 5] = [
    Class::Code,
    Class::Platform,
    Class::Forwarded,
    Class::Service,
    Class::Outside,
];
const CERTAINTIES: [Certainty; 3] = [Certainty::Seen, Certainty::Derived, Certainty::Possible];
const CALLERS: [CallerKind; 5] = [
    CallerKind::Service,
    CallerKind::Role,
    CallerKind::User,
    CallerKind::Account,
    CallerKind::Other,
];

/// The pages of a day by place.
pub(super) type Pages = BTreeMap<Where, Page>;

/// Pages to bytes: the same pages, the same bytes.
pub(super) fn encode<'p>(
    day: Option<i32>,
    pages: impl ExactSizeIterator<Item = (&'p Where, &'p Page)>,
) -> Vec<u8> {
    let mut w = Writer::default();
    w.number(pages.len());
    for (place, page) in pages {
        put_where(&mut w, place);
        let mut out = Out {
            w: &mut w,
            start: start(day),
            shapes: BTreeMap::new(),
        };
        out.page(page);
    }
    w.finish()
}

/// Bytes to pages.
pub(super) fn decode(day: Option<i32>, bytes: &[u8]) -> Result<Pages, Corrupt> {
    let mut r = Reader::new(bytes)?;
    let mut pages = Pages::new();
    for _ in 0..r.count()? {
        let place = get_where(&mut r)?;
        let mut input = In {
            r: &mut r,
            day,
            shapes: Vec::new(),
        };
        let page = input.page()?;
        if pages.insert(place, page).is_some() {
            return Err(Corrupt("a place that comes twice"));
        }
    }
    r.end()?;
    Ok(pages)
}

pub(super) fn put_where(w: &mut Writer, place: &Where) {
    w.maybe_text(place.account.as_deref());
    w.maybe_text(place.region.as_deref());
}

pub(super) fn get_where(r: &mut Reader<'_>) -> Result<Where, Corrupt> {
    Ok(Where {
        account: r.maybe_text()?,
        region: r.maybe_text()?,
    })
}

fn start(day: Option<i32>) -> i64 {
    day.map_or(0, |day| i64::from(day) * DAY)
}

/// An event id: most are UUIDs, which are sixteen bytes.
fn put_id(w: &mut Writer, id: &str) {
    match uuid(id) {
        Some(bytes) => {
            w.number(0_u8);
            w.bytes.extend_from_slice(&bytes);
        }
        None => {
            w.number(id.len() + 1);
            w.bytes.extend_from_slice(id.as_bytes());
        }
    }
}

fn get_id(r: &mut Reader<'_>) -> Result<String, Corrupt> {
    match r.small::<usize>()?.checked_sub(1) {
        None => {
            let mut text = String::with_capacity(36);
            for (at, byte) in r.bytes(16)?.iter().enumerate() {
                if matches!(at, 4 | 6 | 8 | 10) {
                    text.push('-');
                }
                for half in [byte >> 4, byte & 15] {
                    text.extend(char::from_digit(u32::from(half), 16));
                }
            }
            Ok(text)
        }
        Some(length) => std::str::from_utf8(r.bytes(length)?)
            .map(str::to_owned)
            .map_err(|_| Corrupt("an event id that is not UTF-8")),
    }
}

/// The bytes of a UUID that is written as CloudTrail does: lower case, with four dashes.
fn uuid(text: &str) -> Option<[u8; 16]> {
    let text: &[u8; 36] = text.as_bytes().try_into().ok()?;
    let mut bytes = [0; 16];
    let mut at = 0;
    for (place, byte) in text.iter().enumerate() {
        if matches!(place, 8 | 13 | 18 | 23) {
            if *byte != b'-' {
                return None;
            }
            continue;
        }
        let digit = match byte {
            b'0'..=b'9' => byte - b'0',
            b'a'..=b'f' => byte - b'a' + 10,
            _ => return None,
        };
        let slot = bytes.get_mut(at / 2)?;
        *slot = *slot << 4 | digit;
        at += 1;
    }
    Some(bytes)
}
