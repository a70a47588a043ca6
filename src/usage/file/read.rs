//! A usage file that was opened: its directory is checked, each section when it is read.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::File;
use std::io::{self, BufReader, Read, Seek, SeekFrom, Take, Write};
use std::path::{Path, PathBuf};

use flate2::read::DeflateDecoder;

use super::super::ledger::{ObjectRow, Page, Where};
use super::marks::MarkReader;
use super::merge::MergeError;
use super::output::Output;
use super::wire::{Corrupt, Reader};
use super::{
    END, Facts, FileError, HEAD, Header, Kind, MAGIC, Section, TAIL, VERSION, damaged, failed,
    objects, output, page,
};
use crate::read::Selection;

/// A deflated byte stands for no more than this many.
const MOST_RATIO: u64 = 1_032;

/// A usage file.
#[derive(Debug)]
pub struct UsageFile {
    path: PathBuf,
    header: Header,
    sections: Vec<Section>,
}

/// The marks of a day.
pub(super) type Marks = MarkReader<Checked<Take<BufReader<File>>>>;

impl UsageFile {
    /// Opens a file and checks its directory.
    ///
    /// # Errors
    /// [`FileError`] where it cannot be used.
    pub fn open(path: &Path) -> Result<Self, FileError> {
        let io = |error| failed(path, error);
        let mut file = File::open(path).map_err(io)?;
        let length = file.metadata().map_err(io)?.len();
        let mut head = [0; HEAD as usize];
        let begins = file.read_exact(&mut head).is_ok();
        if !begins || !head.starts_with(MAGIC) {
            return Err(FileError::Other(path.to_owned()));
        }
        let version = u16::from_le_bytes([head[14], head[15]]);
        if version != VERSION {
            return Err(FileError::Version {
                path: path.to_owned(),
                version,
            });
        }
        if length < HEAD + TAIL {
            return Err(FileError::Truncated(path.to_owned()));
        }
        let mut tail = [0; TAIL as usize];
        file.seek(SeekFrom::Start(length - TAIL)).map_err(io)?;
        file.read_exact(&mut tail).map_err(io)?;
        let (numbers, end) = tail.split_at(16);
        if end != END {
            return Err(FileError::Truncated(path.to_owned()));
        }
        let mut numbers = numbers
            .chunks_exact(4)
            .map(|four| four.try_into().map_or(0, u32::from_le_bytes));
        let mut next = || u64::from(numbers.next().unwrap_or_default());
        let at = next() | next() << 32;
        let (stored, crc) = (next(), next());
        if at < HEAD || at.checked_add(stored) != Some(length - TAIL) {
            return Err(damaged(path, "its directory is not where it should be"));
        }
        let mut bytes = vec![0; usize::try_from(stored).map_err(|e| damaged(path, &e))?];
        file.seek(SeekFrom::Start(at)).map_err(io)?;
        file.read_exact(&mut bytes).map_err(io)?;
        let mut own = crc32fast::Hasher::new();
        own.update(&output::head(VERSION));
        own.update(&bytes);
        if u64::from(own.finalize()) != crc {
            return Err(damaged(path, "the checksum of its directory is another"));
        }
        let (header, sections) = directory(&bytes).map_err(|error| damaged(path, &error))?;
        let mut from = HEAD;
        for section in &sections {
            let apart = section.at == from;
            from = from.saturating_add(section.stored);
            if !apart || from > at {
                return Err(damaged(path, "its sections do not lie side by side"));
            }
        }
        if from != at {
            return Err(damaged(path, "its sections do not lie side by side"));
        }
        Ok(Self {
            path: path.to_owned(),
            header,
            sections,
        })
    }

    /// What the file says of itself.
    #[must_use]
    pub fn header(&self) -> &Header {
        &self.header
    }

    /// Where it is.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The accounts of its objects, and of its events, added up.
    #[must_use]
    pub fn facts(&self) -> (Facts, Facts) {
        let mut sums = [Facts::default(); 2];
        for section in &self.sections {
            let sum = &mut sums[usize::from(section.kind != Kind::Objects)];
            sum.count += section.facts.count;
            sum.read += section.facts.read;
            sum.failed += section.facts.failed;
            sum.records += section.facts.records;
            sum.span = match (sum.span, section.facts.span) {
                (Some((a, b)), Some((c, d))) => Some((a.min(c), b.max(d))),
                (a, b) => a.or(b),
            };
        }
        let [objects, events] = sums;
        (objects, events)
    }

    /// The days of which it has events, since 1970; `None` for events without a time.
    #[must_use]
    pub fn days(&self) -> BTreeSet<Option<i32>> {
        let pages = self.sections.iter().filter(|s| s.kind == Kind::Pages);
        pages.map(|section| section.day).collect()
    }

    /// Bytes that the marks of events take in the file.
    #[must_use]
    pub fn mark_bytes(&self) -> u64 {
        let marks = self.sections.iter().filter(|s| s.kind == Kind::Marks);
        marks.map(|section| section.stored).sum()
    }

    /// Every log object by name.
    ///
    /// # Errors
    /// [`FileError`] where they cannot be read.
    pub fn objects(&self) -> Result<BTreeMap<String, ObjectRow>, FileError> {
        let mut rows = BTreeMap::new();
        for section in self.sections.iter().filter(|s| s.kind == Kind::Objects) {
            rows.append(&mut self.object_rows(section)?);
        }
        Ok(rows)
    }

    pub(super) fn object_rows(
        &self,
        section: &Section,
    ) -> Result<BTreeMap<String, ObjectRow>, FileError> {
        let bytes = self.inflated(section)?;
        objects::decode(&bytes).map_err(|error| damaged(&self.path, &error))
    }

    /// The pages of a day; none where it has no events.
    ///
    /// # Errors
    /// [`FileError`] where they cannot be read.
    pub(in crate::usage) fn pages(
        &self,
        day: Option<i32>,
    ) -> Result<BTreeMap<Where, Page>, FileError> {
        let Some(section) = self.find(Kind::Pages, day) else {
            return Ok(BTreeMap::new());
        };
        let bytes = self.inflated(section)?;
        page::decode(day, &bytes).map_err(|error| damaged(&self.path, &error))
    }

    /// The marks of a day; `None` where they are not kept.
    pub(super) fn marks(&self, day: Option<i32>) -> Result<Option<Marks>, FileError> {
        let Some(section) = self.find(Kind::Marks, day) else {
            return Ok(None);
        };
        let io = |error| failed(&self.path, error);
        let mut file = File::open(&self.path).map_err(io)?;
        file.seek(SeekFrom::Start(section.at)).map_err(io)?;
        Ok(Some(MarkReader::new(Checked {
            input: BufReader::new(file).take(section.stored),
            crc: crc32fast::Hasher::new(),
            expected: section.crc,
        })))
    }

    pub(super) fn sections(&self) -> &[Section] {
        &self.sections
    }

    pub(super) fn find(&self, kind: Kind, day: Option<i32>) -> Option<&Section> {
        let mut sections = self.sections.iter();
        sections.find(|section| section.kind == kind && section.day == day)
    }

    /// A section as it stands in the file, checked.
    pub(super) fn stored(&self, section: &Section) -> Result<Vec<u8>, FileError> {
        let io = |error| failed(&self.path, error);
        let mut file = File::open(&self.path).map_err(io)?;
        file.seek(SeekFrom::Start(section.at)).map_err(io)?;
        // The length was compared with that of the file.
        let mut bytes = vec![0; usize::try_from(section.stored).unwrap_or_default()];
        file.read_exact(&mut bytes).map_err(io)?;
        if crc32fast::hash(&bytes) != section.crc {
            return Err(damaged(&self.path, "the checksum of a section is another"));
        }
        Ok(bytes)
    }

    /// Copies a section as it stands, checked.
    pub(super) fn copy_to<W: Write>(
        &self,
        section: &Section,
        output: &mut Output<W>,
    ) -> Result<(), MergeError> {
        let io = |error| failed(&self.path, error);
        let mut file = File::open(&self.path).map_err(io)?;
        file.seek(SeekFrom::Start(section.at)).map_err(io)?;
        let mut input = Checked {
            input: BufReader::new(file).take(section.stored),
            crc: crc32fast::Hasher::new(),
            expected: section.crc,
        };
        output.copy(section, &mut input)?;
        input.check().map_err(io)?;
        Ok(())
    }

    fn inflated(&self, section: &Section) -> Result<Vec<u8>, FileError> {
        let stored = self.stored(section)?;
        let wrong = || damaged(&self.path, "a section has another length than it should");
        if section.length > section.stored.saturating_mul(MOST_RATIO) {
            return Err(wrong());
        }
        let mut bytes = Vec::new();
        DeflateDecoder::new(&*stored)
            .take(section.length + 1)
            .read_to_end(&mut bytes)
            .map_err(|error| damaged(&self.path, &error))?;
        if bytes.len() as u64 != section.length {
            return Err(wrong());
        }
        Ok(bytes)
    }
}

/// Reads to the end, and compares the checksum there.
pub(super) struct Checked<R> {
    input: R,
    crc: crc32fast::Hasher,
    expected: u32,
}

impl<R: Read> Read for Checked<R> {
    fn read(&mut self, bytes: &mut [u8]) -> io::Result<usize> {
        let read = self.input.read(bytes)?;
        self.crc.update(bytes.get(..read).unwrap_or_default());
        Ok(read)
    }
}

impl<R> Checked<R> {
    /// Whether what was read is what was written.
    pub(super) fn check(self) -> io::Result<()> {
        if self.crc.finalize() == self.expected {
            Ok(())
        } else {
            Err(Corrupt("the checksum of a section is another").into())
        }
    }
}

fn directory(bytes: &[u8]) -> Result<(Header, Vec<Section>), Corrupt> {
    let mut r = Reader::new(bytes)?;
    let tool = r.owned()?;
    let mut names = || Ok(r.list(Reader::owned)?.into_iter().collect());
    let (catalogs, accounts, regions) = (names()?, names()?, names()?);
    let selection = Selection {
        accounts,
        regions,
        from: r.option(Reader::signed)?,
        to: r.option(Reader::signed)?,
    };
    let exact = r.flag()?;
    let shards = r.list(|r| Ok((r.number()?, r.list(Reader::number)?.into_iter().collect())))?;
    let sections = r.list(section)?;
    r.end()?;
    let mut seen = BTreeSet::new();
    if !sections.iter().all(|s| seen.insert((s.kind, s.day))) {
        return Err(Corrupt("a section that comes twice"));
    }
    let header = Header {
        tool,
        catalogs,
        selection,
        exact,
        shards: shards.into_iter().collect(),
    };
    Ok((header, sections))
}

fn section(r: &mut Reader<'_>) -> Result<Section, Corrupt> {
    Ok(Section {
        kind: match r.number()? {
            0 => Kind::Objects,
            1 => Kind::Pages,
            2 => Kind::Marks,
            _ => return Err(Corrupt("a section of an unknown kind")),
        },
        day: r
            .option(Reader::signed)?
            .map(i32::try_from)
            .transpose()
            .map_err(|_| Corrupt("a day that is out of range"))?,
        at: r.number()?,
        stored: r.number()?,
        length: r.number()?,
        crc: r.small()?,
        facts: Facts {
            count: fact(r)?,
            read: fact(r)?,
            failed: fact(r)?,
            records: fact(r)?,
            span: r.option(|r| Ok((r.signed()?, r.signed()?)))?,
        },
    })
}

/// A number of which many can be added up.
fn fact(r: &mut Reader<'_>) -> Result<u64, Corrupt> {
    let number = r.number()?;
    if number < 1 << 53 {
        Ok(number)
    } else {
        Err(Corrupt("a number that is too large"))
    }
}
