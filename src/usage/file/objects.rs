//! Rows of log objects as bytes, and back.

use std::collections::BTreeMap;

use super::super::ledger::{End, ObjectRow};
use super::page::{get_where, put_where};
use super::wire::{Corrupt, Reader, Writer};

/// Rows by name to bytes.
pub(super) fn encode<'o>(rows: impl ExactSizeIterator<Item = (&'o str, &'o ObjectRow)>) -> Vec<u8> {
    let mut w = Writer::default();
    w.number(rows.len());
    let mut before = "";
    for (name, row) in rows {
        // Names are sorted: most of one is in the one before it.
        let shared = before
            .char_indices()
            .zip(name.chars())
            .find(|((_, a), b)| a != b)
            .map_or(before.len().min(name.len()), |((at, _), _)| at);
        w.number(shared);
        w.inline(name.get(shared..).unwrap_or_default());
        before = name;
        match &row.end {
            End::Read => w.number(0_u8),
            End::Skipped(why) => {
                w.number(1_u8);
                w.text(why);
            }
            End::Failed(why) => {
                w.number(2_u8);
                w.text(why);
            }
            End::Unlisted(why) => {
                w.number(3_u8);
                w.text(why);
            }
        }
        for number in [
            row.size,
            row.compressed,
            row.inflated,
            row.undecodable,
            row.outside,
        ] {
            w.number(number);
        }
        w.number(row.records.len());
        for ((day, place), count) in &row.records {
            w.option(*day, |w, day| w.signed(i64::from(day)));
            put_where(&mut w, place);
            w.number(*count);
        }
    }
    w.finish()
}

/// Bytes to rows by name.
pub(super) fn decode(bytes: &[u8]) -> Result<BTreeMap<String, ObjectRow>, Corrupt> {
    let mut r = Reader::new(bytes)?;
    let mut rows = BTreeMap::new();
    let mut before = String::new();
    for _ in 0..r.count()? {
        let shared: usize = r.small()?;
        let shared = before
            .get(..shared)
            .ok_or(Corrupt("a name that is not there"))?;
        let name = format!("{shared}{}", r.inline()?);
        let end = match r.number()? {
            0 => End::Read,
            1 => End::Skipped(r.owned()?),
            2 => End::Failed(r.owned()?),
            3 => End::Unlisted(r.owned()?),
            _ => return Err(Corrupt("a word that is not known")),
        };
        let mut row = ObjectRow::unread(end, counted(&mut r)?);
        row.compressed = counted(&mut r)?;
        row.inflated = counted(&mut r)?;
        row.undecodable = counted(&mut r)?;
        row.outside = counted(&mut r)?;
        for _ in 0..r.count()? {
            let day = r.option(|r| {
                i32::try_from(r.signed()?).map_err(|_| Corrupt("a day that is out of range"))
            })?;
            let key = (day, get_where(&mut r)?);
            row.records.insert(key, counted(&mut r)?);
        }
        rows.insert(name.clone(), row);
        before = name;
    }
    r.end()?;
    Ok(rows)
}

/// A number of which many can be added up.
fn counted(r: &mut Reader<'_>) -> Result<u64, Corrupt> {
    r.number()
        .ok()
        .filter(|number| *number < 1 << 53)
        .ok_or(Corrupt("a number that is too large"))
}
