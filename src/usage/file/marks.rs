//! The marks of a day's events as a stream of bytes, and back, a chunk at a time.
//!
//! Place by place, in the order of the day's pages, sorted within each. A chunk holds the steps from
//! second to second and the numbers of the deeds, deflated, then the prints, which nothing can shorten.

use std::io::{self, Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::super::ledger::{Mark, PRINT_BITS};
use super::wire::{Corrupt, Reader, put};

/// Marks of a chunk.
const CHUNK: usize = 8_192;
/// Bytes of a print.
const PRINT: usize = PRINT_BITS as usize / 8;

/// Writes marks.
pub(super) struct MarkWriter<W> {
    out: W,
    chunk: Vec<Mark>,
}

impl<W: Write> MarkWriter<W> {
    pub(super) fn new(out: W) -> Self {
        Self {
            out,
            chunk: Vec::new(),
        }
    }

    /// The next mark of the place.
    pub(super) fn mark(&mut self, mark: Mark) -> io::Result<()> {
        self.chunk.push(mark);
        if self.chunk.len() == CHUNK {
            self.flush()?;
        }
        Ok(())
    }

    /// No more marks of this place.
    pub(super) fn end_place(&mut self) -> io::Result<()> {
        self.flush()?;
        self.out.write_all(&[0])
    }

    fn flush(&mut self) -> io::Result<()> {
        if self.chunk.is_empty() {
            return Ok(());
        }
        let mut columns = Vec::with_capacity(self.chunk.len() * 3);
        let mut before = 0;
        for mark in &self.chunk {
            put(&mut columns, u64::from(mark.second - before));
            before = mark.second;
        }
        for mark in &self.chunk {
            put(&mut columns, u64::from(mark.deed));
        }
        let mut deflated = DeflateEncoder::new(Vec::new(), Compression::fast());
        deflated.write_all(&columns)?;
        let deflated = deflated.finish()?;
        let mut head = Vec::new();
        put(&mut head, self.chunk.len() as u64);
        put(&mut head, columns.len() as u64);
        put(&mut head, deflated.len() as u64);
        self.out.write_all(&head)?;
        self.out.write_all(&deflated)?;
        let mut prints = Vec::with_capacity(self.chunk.len() * PRINT);
        for mark in &self.chunk {
            prints.extend_from_slice(mark.print.to_le_bytes().get(..PRINT).unwrap_or_default());
        }
        self.out.write_all(&prints)?;
        self.chunk.clear();
        Ok(())
    }
}

/// Reads marks.
pub(super) struct MarkReader<R> {
    input: R,
    chunk: Vec<Mark>,
    at: usize,
    last: Option<Mark>,
}

impl<R: Read> MarkReader<R> {
    pub(super) fn new(input: R) -> Self {
        Self {
            input,
            chunk: Vec::new(),
            at: 0,
            last: None,
        }
    }

    /// The next mark of the place, `None` once at its end.
    pub(super) fn mark(&mut self) -> io::Result<Option<Mark>> {
        if self.at == self.chunk.len() && !self.fill()? {
            self.last = None;
            return Ok(None);
        }
        let mark = self.chunk.get(self.at).copied();
        self.at += 1;
        if mark <= self.last {
            return Err(broken(Corrupt("marks that are not in order")));
        }
        self.last = mark;
        Ok(mark)
    }

    /// Nothing may follow the last place.
    pub(super) fn end(mut self) -> io::Result<R> {
        if self.input.read(&mut [0])? > 0 {
            return Err(broken(Corrupt("more than there should be")));
        }
        Ok(self.input)
    }

    fn number(&mut self) -> io::Result<usize> {
        let mut number = 0_usize;
        for shift in [0, 7, 14, 21] {
            let mut byte = [0];
            self.input.read_exact(&mut byte)?;
            number |= usize::from(byte[0] & 0x7f) << shift;
            if byte[0] < 0x80 {
                return Ok(number);
            }
        }
        Err(broken(Corrupt("a number that is too large")))
    }

    fn fill(&mut self) -> io::Result<bool> {
        self.chunk.clear();
        self.at = 0;
        let count = self.number()?;
        if count == 0 {
            return Ok(false);
        }
        let (length, stored) = (self.number()?, self.number()?);
        // A second takes at most three bytes, the number of a deed at most five.
        if count > CHUNK || length > count * 8 || stored > length + 1_024 {
            return Err(broken(Corrupt("a number that is too large")));
        }
        let mut deflated = vec![0; stored];
        self.input.read_exact(&mut deflated)?;
        let mut columns = Vec::with_capacity(length);
        DeflateDecoder::new(&*deflated)
            .take(length as u64 + 1)
            .read_to_end(&mut columns)?;
        let mut prints = vec![0; count * PRINT];
        self.input.read_exact(&mut prints)?;
        self.chunk = columns_of(&columns, &prints, count).map_err(broken)?;
        Ok(true)
    }
}

fn columns_of(columns: &[u8], prints: &[u8], count: usize) -> Result<Vec<Mark>, Corrupt> {
    let mut r = Reader::plain(columns);
    let mut marks = Vec::with_capacity(count);
    let mut second = 0_u32;
    for print in prints.chunks_exact(PRINT) {
        let step: u32 = r.small()?;
        second = second
            .checked_add(step)
            .ok_or(Corrupt("a number that is too large"))?;
        let mut bytes = [0; 8];
        bytes[..PRINT].copy_from_slice(print);
        marks.push(Mark {
            second,
            print: u64::from_le_bytes(bytes),
            deed: 0,
        });
    }
    for mark in &mut marks {
        mark.deed = r.small()?;
    }
    r.end()?;
    Ok(marks)
}

pub(super) fn broken(error: Corrupt) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn marks_come_back_place_by_place() {
        let places: [Vec<Mark>; 4] = [0, 1, 20_000, 5].map(|count| {
            (0..count)
                .map(|n| Mark {
                    second: n / 7,
                    print: u64::from(n).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 8,
                    deed: n % 3,
                })
                .collect()
        });
        let places = places.map(|mut marks| {
            marks.sort();
            marks
        });
        let mut bytes = Vec::new();
        let mut writer = MarkWriter::new(&mut bytes);
        for marks in &places {
            marks.iter().for_each(|mark| writer.mark(*mark).unwrap());
            writer.end_place().unwrap();
        }
        assert!(bytes.len() < 20_006 * 9, "{}", bytes.len());
        let mut reader = MarkReader::new(&*bytes);
        for marks in &places {
            let mut found = Vec::new();
            while let Some(mark) = reader.mark().unwrap() {
                found.push(mark);
            }
            assert_eq!(&found, marks);
        }
        reader.end().unwrap();
        let mut short = MarkReader::new(&bytes[..bytes.len() - 1]);
        let read = (0..3).try_for_each(|_| {
            while short.mark()?.is_some() {}
            Ok::<(), io::Error>(())
        });
        assert!(read.is_ok());
        assert!((0..7).any(|_| short.mark().is_err()));
    }
}
