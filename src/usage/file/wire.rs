//! Numbers and texts as bytes, and back: what comes in from a file is not trusted.

use std::collections::HashMap;

use foldhash::fast::RandomState;

/// What is wrong with the bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub(super) struct Corrupt(pub(super) &'static str);

/// Bytes under construction, and the texts that they name by number.
#[derive(Default)]
pub(super) struct Writer {
    pub(super) bytes: Vec<u8>,
    texts: Vec<String>,
    known: HashMap<String, u64, RandomState>,
}

impl Writer {
    /// An unsigned number: seven bits a byte, the lowest first.
    pub(super) fn number(&mut self, number: impl TryInto<u64>) {
        // Every length and count of memory fits.
        put(&mut self.bytes, number.try_into().unwrap_or(u64::MAX));
    }

    /// A signed number: small ones of either sign are short.
    pub(super) fn signed(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    pub(super) fn flag(&mut self, flag: bool) {
        self.bytes.push(u8::from(flag));
    }

    /// Nothing, or something.
    pub(super) fn option<T>(&mut self, value: Option<T>, with: impl FnOnce(&mut Self, T)) {
        self.flag(value.is_some());
        if let Some(value) = value {
            with(self, value);
        }
    }

    /// A text that may come again: its number.
    pub(super) fn text(&mut self, text: &str) {
        let number = match self.known.get(text) {
            Some(number) => *number,
            None => {
                let number = self.texts.len() as u64;
                self.texts.push(text.to_owned());
                self.known.insert(text.to_owned(), number);
                number
            }
        };
        self.number(number);
    }

    /// A text that comes once.
    pub(super) fn inline(&mut self, text: &str) {
        self.number(text.len());
        self.bytes.extend_from_slice(text.as_bytes());
    }

    pub(super) fn maybe_text(&mut self, text: Option<&str>) {
        self.option(text, Writer::text);
    }

    /// Everything: the texts, in the order in which they were first named, then the rest.
    pub(super) fn finish(self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.bytes.len() + self.texts.len() * 24);
        put(&mut out, self.texts.len() as u64);
        for text in &self.texts {
            put(&mut out, text.len() as u64);
            out.extend_from_slice(text.as_bytes());
        }
        out.extend_from_slice(&self.bytes);
        out
    }
}

pub(super) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push((number as u8) | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// Texts that a section may name: what they take in memory is bounded by it, however few bytes they take.
const MOST_TEXTS: usize = 1 << 24;

/// Bytes to be read.
pub(super) struct Reader<'b> {
    rest: &'b [u8],
    texts: Vec<&'b str>,
}

impl<'b> Reader<'b> {
    /// Bytes without texts that are named by number.
    pub(super) fn plain(bytes: &'b [u8]) -> Self {
        Self {
            rest: bytes,
            texts: Vec::new(),
        }
    }

    /// Bytes that [`Writer::finish`] gave.
    pub(super) fn new(bytes: &'b [u8]) -> Result<Self, Corrupt> {
        let mut reader = Self::plain(bytes);
        let mut first = Self::plain(bytes);
        if first.count()? > MOST_TEXTS {
            return Err(Corrupt("too many texts"));
        }
        reader.texts = reader.list(Self::inline)?;
        Ok(reader)
    }

    pub(super) fn number(&mut self) -> Result<u64, Corrupt> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7f);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Corrupt("a number that is too large"))
    }

    pub(super) fn small<T: TryFrom<u64>>(&mut self) -> Result<T, Corrupt> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| Corrupt("a number that is too large"))
    }

    pub(super) fn signed(&mut self) -> Result<i64, Corrupt> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    pub(super) fn byte(&mut self) -> Result<u8, Corrupt> {
        let (byte, rest) = self.rest.split_first().ok_or(Corrupt("it ends early"))?;
        self.rest = rest;
        Ok(*byte)
    }

    pub(super) fn bytes(&mut self, count: usize) -> Result<&'b [u8], Corrupt> {
        let (bytes, rest) = self
            .rest
            .split_at_checked(count)
            .ok_or(Corrupt("it ends early"))?;
        self.rest = rest;
        Ok(bytes)
    }

    pub(super) fn flag(&mut self) -> Result<bool, Corrupt> {
        match self.byte()? {
            0 => Ok(false),
            1 => Ok(true),
            _ => Err(Corrupt("neither yes nor no")),
        }
    }

    pub(super) fn option<T>(
        &mut self,
        with: impl FnOnce(&mut Self) -> Result<T, Corrupt>,
    ) -> Result<Option<T>, Corrupt> {
        if self.flag()? {
            with(self).map(Some)
        } else {
            Ok(None)
        }
    }

    /// A number of things, each of at least a byte.
    pub(super) fn list<T>(
        &mut self,
        mut each: impl FnMut(&mut Self) -> Result<T, Corrupt>,
    ) -> Result<Vec<T>, Corrupt> {
        let count = self.count()?;
        // What a thing takes in memory is not what it takes in the file: grow as they come.
        let mut list = Vec::with_capacity(count.min(4_096));
        for _ in 0..count {
            list.push(each(self)?);
        }
        Ok(list)
    }

    /// How many things follow, each of at least a byte.
    pub(super) fn count(&mut self) -> Result<usize, Corrupt> {
        let count: usize = self.small()?;
        if count > self.rest.len() {
            return Err(Corrupt("it ends early"));
        }
        Ok(count)
    }

    pub(super) fn inline(&mut self) -> Result<&'b str, Corrupt> {
        let length: usize = self.small()?;
        std::str::from_utf8(self.bytes(length)?).map_err(|_| Corrupt("a text that is not UTF-8"))
    }

    pub(super) fn text(&mut self) -> Result<&'b str, Corrupt> {
        let number: usize = self.small()?;
        self.texts
            .get(number)
            .copied()
            .ok_or(Corrupt("a text that is not there"))
    }

    pub(super) fn owned(&mut self) -> Result<String, Corrupt> {
        self.text().map(str::to_owned)
    }

    pub(super) fn maybe_text(&mut self) -> Result<Option<String>, Corrupt> {
        self.option(Self::owned)
    }

    /// Nothing may follow.
    pub(super) fn end(&self) -> Result<(), Corrupt> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Corrupt("more than there should be"))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_texts_come_back() {
        let numbers = [0, 1, 127, 128, 300, u64::MAX - 1, u64::MAX];
        let signed = [0, -1, 1, i64::MIN, i64::MAX, 86_399];
        let mut writer = Writer::default();
        numbers.iter().for_each(|n| writer.number(*n));
        signed.iter().for_each(|n| writer.signed(*n));
        for text in ["a", "", "é", "a"] {
            writer.text(text);
        }
        writer.maybe_text(None);
        let bytes = writer.finish();
        let mut reader = Reader::new(&bytes).unwrap();
        for number in numbers {
            assert_eq!(reader.number(), Ok(number));
        }
        for number in signed {
            assert_eq!(reader.signed(), Ok(number));
        }
        for text in ["a", "", "é", "a"] {
            assert_eq!(reader.text(), Ok(text));
        }
        assert_eq!(reader.maybe_text(), Ok(None));
        assert_eq!(reader.end(), Ok(()));
        for cut in 0..bytes.len() {
            let whole = Reader::new(&bytes[..cut]).and_then(|mut reader| {
                numbers.iter().try_for_each(|_| reader.number().map(drop))?;
                signed.iter().try_for_each(|_| reader.signed().map(drop))?;
                (0..4).try_for_each(|_| reader.text().map(drop))?;
                reader.maybe_text()
            });
            assert!(whole.is_err(), "{cut}");
        }
    }

    #[test]
    fn lengths_that_nothing_stands_behind_are_refused() {
        let mut bytes = Vec::new();
        put(&mut bytes, u64::MAX / 2);
        assert!(Reader::plain(&bytes).list(Reader::byte).is_err());
        assert!(Reader::plain(&bytes).inline().is_err());
        assert!(Reader::plain(&[0xff; 12]).number().is_err());
        assert!(Reader::plain(&[2]).flag().is_err());
    }
}
