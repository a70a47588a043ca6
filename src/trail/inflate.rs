//! Gzip or plain bytes in, plain bytes out, with a bounded buffer.
//!
//! The first bytes decide, never the name. The gzip frame is read here (RFC 1952: any number of
//! members, optional header fields, checksum and length verified) around raw deflate from flate2:
//! its own gzip reader spends a third of its time in a slow checksum. What was inflated before an
//! error is handed out first; the error comes with the next call. A stream that swells beyond what
//! logs can is stopped.

use std::io::{self, Read};

use flate2::{Decompress, FlushDecompress, Status};
use thiserror::Error;

/// Bytes of input held at a time.
const INPUT: usize = 64 * 1024;
/// Up to this many inflated bytes no ratio is asked for.
const FREE_INFLATED: u64 = 256 * 1024 * 1024;

/// How far an object may swell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Times its size, beyond 256 MiB. Logs shrink 5 to 14 times, the same record over and over a few
    /// hundred times, zeros 1,030 times.
    pub ratio: u64,
    /// Bytes. CloudTrail's largest objects have some hundred million.
    pub inflated: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            ratio: 400,
            inflated: 16 * 1024 * 1024 * 1024,
        }
    }
}

/// Why no more bytes come.
#[derive(Debug, Error)]
pub enum InflateError {
    /// The input ended inside a gzip member.
    #[error("gzip ends early")]
    Truncated,
    /// The header of a member is not one of RFC 1952.
    #[error("gzip header is damaged")]
    Header,
    /// The deflate stream is damaged.
    #[error("gzip data is damaged")]
    Corrupt,
    /// Checksum or length of a member do not fit its content.
    #[error("gzip checksum does not fit the data")]
    Checksum,
    /// Something other than a member or zeros follows a member.
    #[error("bytes after the end of the gzip data")]
    Trailing,
    /// The data grows as no log does.
    #[error("inflates to more than {0} times its size (--max-ratio)")]
    Ratio(u64),
    /// The data is longer than any log.
    #[error("inflates to more than {0} bytes (--max-inflated)")]
    TooMuch(u64),
    /// Compressed in another way.
    #[error("compressed with {0}: only gzip and plain text are read")]
    OtherCompression(&'static str),
    /// The input could not be read.
    #[error("read failed: {0}")]
    Input(#[from] io::Error),
}

enum State {
    Start,
    Plain,
    Header,
    Body,
    Trailer,
    Between,
    End,
    Failed(Option<InflateError>),
}

/// The bytes of an object, inflated where they are gzip.
pub struct Inflate<R> {
    input: R,
    buffer: Box<[u8]>,
    start: usize,
    end: usize,
    state: State,
    gzip: bool,
    deflate: Decompress,
    checksum: crc32fast::Hasher,
    member: u32,
    compressed: u64,
    inflated: u64,
    limits: Limits,
}

impl<R: Read> Inflate<R> {
    /// Reads from `input`; nothing is read yet.
    pub fn new(input: R) -> Self {
        Self {
            input,
            buffer: vec![0; INPUT].into_boxed_slice(),
            start: 0,
            end: 0,
            state: State::Start,
            gzip: false,
            deflate: Decompress::new(false),
            checksum: crc32fast::Hasher::new(),
            member: 0,
            compressed: 0,
            inflated: 0,
            limits: Limits::default(),
        }
    }

    /// Sets how far the object may swell.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// Reads from another input, in the same buffers.
    #[must_use]
    pub fn restart<S: Read>(self, input: S) -> Inflate<S> {
        Inflate {
            input,
            buffer: self.buffer,
            start: 0,
            end: 0,
            state: State::Start,
            gzip: false,
            deflate: self.deflate,
            checksum: crc32fast::Hasher::new(),
            member: 0,
            compressed: 0,
            inflated: 0,
            limits: self.limits,
        }
    }

    /// Bytes taken from the input so far.
    pub fn compressed(&self) -> u64 {
        self.compressed
    }

    /// Bytes handed out so far.
    pub fn inflated(&self) -> u64 {
        self.inflated
    }

    /// Whether the input is gzip; false before the first read.
    pub fn is_gzip(&self) -> bool {
        self.gzip
    }

    /// Fills some of `out` (not empty) and says how much; 0 is the end.
    ///
    /// # Errors
    /// [`InflateError`], after everything before the damage has been handed out.
    pub fn read(&mut self, out: &mut [u8]) -> Result<usize, InflateError> {
        loop {
            let step = match &mut self.state {
                State::Start => self.sniff(),
                State::Plain => self.plain(out),
                State::Header => self.header(),
                State::Body => self.body(out),
                State::Trailer => self.trailer(),
                State::Between => self.between(),
                State::End => return Ok(0),
                State::Failed(error) => {
                    let error = error.take();
                    self.state = State::End;
                    return error.map_or(Ok(0), Err);
                }
            };
            match step {
                Ok(0) => {}
                Ok(count) => {
                    self.inflated += count as u64;
                    let Limits { ratio, inflated } = self.limits;
                    if self.gzip
                        && self.inflated > FREE_INFLATED
                        && self.inflated / ratio.max(1) > self.compressed
                    {
                        self.state = State::Failed(Some(InflateError::Ratio(ratio)));
                    } else if self.inflated > inflated {
                        self.state = State::Failed(Some(InflateError::TooMuch(inflated)));
                    }
                    return Ok(count);
                }
                Err(error) => self.state = State::Failed(Some(error)),
            }
        }
    }

    /// Adds input behind what is held. False at the end of the input.
    fn fill(&mut self) -> Result<bool, InflateError> {
        if self.start == self.end {
            self.start = 0;
            self.end = 0;
        }
        loop {
            let Some(room) = self.buffer.get_mut(self.end..) else {
                return Ok(false);
            };
            match self.input.read(room) {
                Ok(count) => {
                    let count = count.min(room.len());
                    self.end += count;
                    self.compressed += count as u64;
                    return Ok(count > 0);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn held(&self) -> &[u8] {
        self.buffer.get(self.start..self.end).unwrap_or_default()
    }

    fn byte(&mut self) -> Result<Option<u8>, InflateError> {
        if self.start == self.end && !self.fill()? {
            return Ok(None);
        }
        let byte = self.held().first().copied();
        self.start += 1;
        Ok(byte)
    }

    fn need(&mut self) -> Result<u8, InflateError> {
        self.byte()?.ok_or(InflateError::Truncated)
    }

    fn need_u32(&mut self) -> Result<u32, InflateError> {
        Ok(u32::from_le_bytes([
            self.need()?,
            self.need()?,
            self.need()?,
            self.need()?,
        ]))
    }

    fn sniff(&mut self) -> Result<usize, InflateError> {
        while self.held().len() < 6 && self.fill()? {}
        self.gzip = self.held().starts_with(b"\x1f\x8b");
        let held = self.held();
        for (magic, name) in [
            (&b"\x28\xb5\x2f\xfd"[..], "zstd"),
            (b"BZh", "bzip2"),
            (b"\xfd7zXZ\0", "xz"),
            (b"PK\x03\x04", "zip"),
            (b"PAR1", "Parquet"),
        ] {
            if held.starts_with(magic) {
                return Err(InflateError::OtherCompression(name));
            }
        }
        self.state = if self.gzip {
            State::Header
        } else {
            State::Plain
        };
        Ok(0)
    }

    fn plain(&mut self, out: &mut [u8]) -> Result<usize, InflateError> {
        if self.start == self.end && !self.fill()? {
            self.state = State::End;
            return Ok(0);
        }
        let count = self.held().len().min(out.len());
        if let (Some(to), Some(from)) = (out.get_mut(..count), self.held().get(..count)) {
            to.copy_from_slice(from);
        }
        self.start += count;
        Ok(count)
    }

    fn header(&mut self) -> Result<usize, InflateError> {
        const HEADER_CHECKSUM: u8 = 2;
        const EXTRA: u8 = 4;
        const NAME: u8 = 8;
        const COMMENT: u8 = 16;
        const RESERVED: u8 = 0xe0;
        if (self.need()?, self.need()?, self.need()?) != (0x1f, 0x8b, 8) {
            return Err(InflateError::Header);
        }
        let flags = self.need()?;
        if flags & RESERVED != 0 {
            return Err(InflateError::Header);
        }
        for _ in 0..6 {
            self.need()?; // time, level, system
        }
        if flags & EXTRA != 0 {
            for _ in 0..u16::from_le_bytes([self.need()?, self.need()?]) {
                self.need()?;
            }
        }
        for text in [NAME, COMMENT] {
            if flags & text != 0 {
                while self.need()? != 0 {}
            }
        }
        if flags & HEADER_CHECKSUM != 0 {
            self.need()?;
            self.need()?;
        }
        self.deflate.reset(false);
        self.checksum = crc32fast::Hasher::new();
        self.member = 0;
        self.state = State::Body;
        Ok(0)
    }

    fn body(&mut self, out: &mut [u8]) -> Result<usize, InflateError> {
        let more = self.start < self.end || self.fill()?;
        let (taken, given) = (self.deflate.total_in(), self.deflate.total_out());
        let held = self.buffer.get(self.start..self.end).unwrap_or_default();
        let step = self.deflate.decompress(held, out, FlushDecompress::None);
        let taken = usize::try_from(self.deflate.total_in() - taken).unwrap_or(usize::MAX);
        let given = usize::try_from(self.deflate.total_out() - given).unwrap_or(usize::MAX);
        self.start = self.start.saturating_add(taken).min(self.end);
        let fresh = out.get(..given).unwrap_or_default();
        self.checksum.update(fresh);
        self.member = self.member.wrapping_add(fresh.len() as u32);
        match step {
            Ok(Status::StreamEnd) => self.state = State::Trailer,
            Ok(_) if taken > 0 || given > 0 => {}
            Ok(_) if !more => self.state = State::Failed(Some(InflateError::Truncated)),
            Ok(_) | Err(_) => self.state = State::Failed(Some(InflateError::Corrupt)),
        }
        Ok(fresh.len())
    }

    fn trailer(&mut self) -> Result<usize, InflateError> {
        if (self.need_u32()?, self.need_u32()?) != (self.checksum.clone().finalize(), self.member) {
            return Err(InflateError::Checksum);
        }
        self.state = State::Between;
        Ok(0)
    }

    /// After a member: another member, zeros up to the end (tape padding), or the end.
    fn between(&mut self) -> Result<usize, InflateError> {
        loop {
            match self.byte()? {
                None => {
                    self.state = State::End;
                    return Ok(0);
                }
                Some(0) => {}
                Some(0x1f) => {
                    self.start -= 1;
                    self.state = State::Header;
                    return Ok(0);
                }
                Some(_) => return Err(InflateError::Trailing),
            }
        }
    }
}
