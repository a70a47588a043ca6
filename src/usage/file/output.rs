//! Sections and the directory to bytes.

use std::collections::BTreeMap;
use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::write::DeflateEncoder;

use super::super::ledger::{End, Ledger, ObjectRow, Page, Where};
use super::marks::MarkWriter;
use super::wire::Writer;
use super::{END, Facts, HEAD, Header, Kind, MAGIC, Section, VERSION, objects, page};
use crate::trail::key::LogKey;

/// Writes a ledger as a usage file.
///
/// # Errors
/// Those of the operating system.
pub fn write(ledger: &Ledger, header: &Header, out: &mut impl Write) -> io::Result<()> {
    let mut output = Output::new(out)?;
    for (day, rows) in by_delivery(&ledger.objects) {
        output.objects(day, &rows)?;
    }
    for (day, sheets) in &ledger.days {
        let any = sheets.values().any(|sheet| !sheet.marks.is_empty());
        if any {
            let mut writer = output.begin_marks();
            for sheet in sheets.values() {
                for mark in &sheet.marks {
                    writer.mark(*mark)?;
                }
                writer.end_place()?;
            }
            output.end_marks(*day)?;
        }
        let pages = sheets.iter().map(|(place, sheet)| (place, &sheet.page));
        output.pages(*day, pages)?;
    }
    output.finish(header)
}

/// Rows by the day on which their objects were delivered, as their names tell.
pub(super) fn by_delivery(
    rows: &BTreeMap<String, ObjectRow>,
) -> BTreeMap<Option<i32>, Vec<(&str, &ObjectRow)>> {
    let mut days: BTreeMap<Option<i32>, Vec<(&str, &ObjectRow)>> = BTreeMap::new();
    for (name, row) in rows {
        days.entry(delivery(name)).or_default().push((name, row));
    }
    days
}

/// The day since 1970 on which an object was delivered, as its name tells.
pub(super) fn delivery(name: &str) -> Option<i32> {
    let day = LogKey::parse(name)?.day?;
    let start = day.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp();
    i32::try_from(start.as_second().div_euclid(86_400)).ok()
}

/// A usage file under construction.
pub(super) struct Output<W> {
    out: Counted<W>,
    sections: Vec<Section>,
    /// Where the marks that are being written began.
    marks: (u64, u64),
}

/// Counts and checks what passes.
struct Counted<W> {
    out: W,
    at: u64,
    crc: crc32fast::Hasher,
}

impl<W: Write> Write for Counted<W> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let written = self.out.write(bytes)?;
        self.at += written as u64;
        self.crc.update(bytes.get(..written).unwrap_or_default());
        Ok(written)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

impl<W: Write> Output<W> {
    pub(super) fn new(out: W) -> io::Result<Self> {
        let mut out = Counted {
            out,
            at: 0,
            crc: crc32fast::Hasher::new(),
        };
        out.write_all(&head(VERSION))?;
        Ok(Self {
            out,
            sections: Vec::new(),
            marks: (0, 0),
        })
    }

    pub(super) fn objects(
        &mut self,
        day: Option<i32>,
        rows: &[(&str, &ObjectRow)],
    ) -> io::Result<()> {
        let mut facts = Facts::default();
        for (_, row) in rows {
            facts.count += 1;
            facts.read += u64::from(row.end == End::Read);
            facts.failed += u64::from(matches!(row.end, End::Failed(_) | End::Unlisted(_)));
            facts.records += row.records.values().sum::<u64>() + row.undecodable + row.outside;
        }
        let bytes = objects::encode(rows.iter().copied());
        self.section(Kind::Objects, day, &bytes, facts)
    }

    pub(super) fn pages<'p>(
        &mut self,
        day: Option<i32>,
        pages: impl ExactSizeIterator<Item = (&'p Where, &'p Page)> + Clone,
    ) -> io::Result<()> {
        let mut facts = Facts::default();
        for (_, page) in pages.clone() {
            facts.count += page.events();
            for (_, cell) in &page.deeds {
                let Some((first, last)) = cell.tally.first.zip(cell.tally.last) else {
                    continue;
                };
                let (from, to) = facts.span.unwrap_or((first, last));
                facts.span = Some((from.min(first), to.max(last)));
            }
        }
        self.section(Kind::Pages, day, &page::encode(day, pages), facts)
    }

    fn section(
        &mut self,
        kind: Kind,
        day: Option<i32>,
        bytes: &[u8],
        facts: Facts,
    ) -> io::Result<()> {
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::new(5));
        deflated.write_all(bytes)?;
        let deflated = deflated.finish()?;
        let section = Section {
            kind,
            day,
            at: 0,
            stored: deflated.len() as u64,
            length: bytes.len() as u64,
            crc: crc32fast::hash(&deflated),
            facts,
        };
        self.copy(&section, &mut &*deflated)
    }

    /// A section as it stands in another file.
    pub(super) fn copy(&mut self, section: &Section, stored: &mut impl Read) -> io::Result<()> {
        let at = self.out.at;
        io::copy(stored, &mut self.out)?;
        self.sections.push(Section {
            at,
            ..section.clone()
        });
        Ok(())
    }

    /// To be followed by [`Output::end_marks`].
    pub(super) fn begin_marks(&mut self) -> MarkWriter<&mut impl Write> {
        self.out.crc = crc32fast::Hasher::new();
        self.marks = (self.out.at, 0);
        MarkWriter::new(&mut self.out)
    }

    pub(super) fn end_marks(&mut self, day: Option<i32>) -> io::Result<()> {
        let stored = self.out.at - self.marks.0;
        self.sections.push(Section {
            kind: Kind::Marks,
            day,
            at: self.marks.0,
            stored,
            length: stored,
            crc: self.out.crc.clone().finalize(),
            facts: Facts::default(),
        });
        Ok(())
    }

    /// The directory, and the end.
    pub(super) fn finish(mut self, header: &Header) -> io::Result<()> {
        let at = self.out.at;
        let bytes = directory(header, &self.sections);
        self.out.write_all(&bytes)?;
        let mut crc = crc32fast::Hasher::new();
        crc.update(&head(VERSION));
        crc.update(&bytes);
        self.out.write_all(&at.to_le_bytes())?;
        let length = u32::try_from(bytes.len()).map_err(io::Error::other)?;
        self.out.write_all(&length.to_le_bytes())?;
        self.out.write_all(&crc.finalize().to_le_bytes())?;
        self.out.write_all(END)
    }
}

/// Magic and version.
pub(super) fn head(version: u16) -> [u8; HEAD as usize] {
    let mut head = [0; HEAD as usize];
    let (magic, number) = head.split_at_mut(MAGIC.len());
    magic.copy_from_slice(MAGIC);
    number.copy_from_slice(&version.to_le_bytes());
    head
}

fn directory(header: &Header, sections: &[Section]) -> Vec<u8> {
    let mut w = Writer::default();
    w.text(&header.tool);
    let selection = &header.selection;
    for names in [&header.catalogs, &selection.accounts, &selection.regions] {
        w.number(names.len());
        names.iter().for_each(|name| w.text(name));
    }
    w.option(selection.from, Writer::signed);
    w.option(selection.to, Writer::signed);
    w.flag(header.exact);
    w.number(header.shards.len());
    for (of, numbers) in &header.shards {
        w.number(*of);
        w.number(numbers.len());
        numbers.iter().for_each(|number| w.number(*number));
    }
    w.number(sections.len());
    for section in sections {
        w.number(match section.kind {
            Kind::Objects => 0_u8,
            Kind::Pages => 1,
            Kind::Marks => 2,
        });
        w.option(section.day, |w, day| w.signed(i64::from(day)));
        let facts = &section.facts;
        for number in [
            section.at,
            section.stored,
            section.length,
            u64::from(section.crc),
            facts.count,
            facts.read,
            facts.failed,
            facts.records,
        ] {
            w.number(number);
        }
        w.option(facts.span, |w, (first, last)| {
            w.signed(first);
            w.signed(last);
        });
    }
    w.finish()
}
