//! A cursor over compact JSON that passes one token after another and says where each lies.
//!
//! Every string, word and bracket is checked as it is passed: what is not sound is [`Cut::Odd`]. Objects
//! of one kind have their keys in about the same order, so the next key is guessed first ([`Keys`]).

use super::block::{CHUNK, Way};
use super::skip::{Cut, is_escape, skip, word_length};

/// Where something lies: the inside of a string, or a whole value. Absent by default.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Span {
    /// Beside the offset, whether the string has escapes.
    from: u32,
    to: u32,
}

const ESCAPED: u32 = 1 << 31;

impl Span {
    #[inline(always)]
    fn new(from: usize, to: usize, escaped: bool) -> Result<Self, Cut> {
        if to >= ESCAPED as usize {
            return Err(Cut::Odd);
        }
        let from = from as u32 | if escaped { ESCAPED } else { 0 };
        Ok(Self {
            from,
            to: to as u32,
        })
    }

    pub(super) fn is_absent(self) -> bool {
        self.to == 0
    }

    pub(super) fn is_escaped(self) -> bool {
        self.from & ESCAPED != 0
    }

    pub(super) fn from(self) -> usize {
        (self.from & !ESCAPED) as usize
    }

    pub(super) fn to(self) -> usize {
        self.to as usize
    }

    /// The same span where its origin lies this much further on. It must not be absent.
    pub(super) fn more(self, start: usize) -> Self {
        let start = start as u32;
        Self {
            from: self.from.wrapping_add(start),
            to: self.to.wrapping_add(start),
        }
    }

    /// The same span from another place on; it must have no escapes. Absent stays absent.
    pub(super) fn less(self, start: usize) -> Self {
        if self.is_absent() {
            return self;
        }
        let start = start as u32;
        Self {
            from: self.from.wrapping_sub(start),
            to: self.to.wrapping_sub(start),
        }
    }
}

/// The cursor.
pub(super) struct Walk<'t> {
    text: &'t [u8],
    pub(super) at: usize,
    /// Nothing passed so far is other than ASCII.
    pub(super) ascii: bool,
}

impl<'t> Walk<'t> {
    pub(super) fn new(text: &'t [u8]) -> Self {
        Self {
            text,
            at: 0,
            ascii: true,
        }
    }

    pub(super) fn rest(&self) -> &'t [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    #[inline(always)]
    pub(super) fn byte(&self) -> Result<u8, Cut> {
        self.text.get(self.at).copied().ok_or(Cut::Short)
    }

    /// Passes the string that begins at the cursor; gives its inside.
    #[inline(always)]
    pub(super) fn string<W: Way>(&mut self) -> Result<Span, Cut> {
        if self.byte()? != b'"' {
            return Err(Cut::Odd);
        }
        let from = self.at + 1;
        let mut at = from;
        while let Some(chunk) = self.text.get(at..).and_then(|rest| rest.first_chunk()) {
            let (quotes, odd) = W::text(chunk);
            let before = (quotes & quotes.wrapping_neg()).wrapping_sub(1);
            if odd & before != 0 {
                break;
            }
            if quotes != 0 {
                let to = at + quotes.trailing_zeros() as usize;
                self.at = to + 1;
                return Span::new(from, to, false);
            }
            at += CHUNK;
        }
        self.odd_string()
    }

    /// As [`Walk::string`], byte by byte: with escapes, with more than ASCII, or at the end of the bytes.
    #[cold]
    #[inline(never)]
    fn odd_string(&mut self) -> Result<Span, Cut> {
        let from = self.at + 1;
        let mut at = from;
        let mut escaped = false;
        loop {
            match self.text.get(at).copied().ok_or(Cut::Short)? {
                b'"' => break,
                b'\\' => {
                    let rest = self.text.get(at..).unwrap_or_default();
                    is_escape(rest).map_err(|cut| if rest.len() < 6 { Cut::Short } else { cut })?;
                    escaped = true;
                    at += 2;
                }
                0..0x20 => return Err(Cut::Odd),
                byte => {
                    self.ascii &= byte.is_ascii();
                    at += 1;
                }
            }
        }
        self.at = at + 1;
        Span::new(from, at, escaped)
    }

    /// Passes any value; gives all of it.
    #[inline(always)]
    pub(super) fn value<W: Way>(&mut self) -> Result<Span, Cut> {
        let from = self.at;
        match self.byte()? {
            b'"' => {
                self.string::<W>()?;
            }
            b'{' | b'[' => {
                let skipped = skip::<W>(self.rest())?;
                self.at += skipped.length;
                self.ascii &= skipped.ascii;
            }
            _ => self.at += word_length(self.rest())?,
        }
        Span::new(from, self.at, false)
    }

    /// Passes a value; gives the inside of a string, and nothing for what is none. A number that may be
    /// too large is left to serde_json to reject.
    #[inline(always)]
    pub(super) fn text<W: Way>(&mut self) -> Result<Span, Cut> {
        match self.byte()? {
            b'"' => self.string::<W>(),
            b'{' | b'[' => {
                self.value::<W>()?;
                Ok(Span::default())
            }
            first => {
                let rest = self.rest();
                let length = word_length(rest)?;
                let number = rest.get(..length).unwrap_or_default();
                let large = length > 18 || number.iter().any(|byte| matches!(byte, b'e' | b'E'));
                if large && (first == b'-' || first.is_ascii_digit()) {
                    return Err(Cut::Odd);
                }
                self.at += length;
                Ok(Span::default())
            }
        }
    }

    /// Passes a value of which nothing is wanted, but which serde_json reads.
    #[inline(always)]
    pub(super) fn nothing<W: Way>(&mut self) -> Result<(), Cut> {
        if self.text::<W>()?.is_escaped() {
            return Err(Cut::Odd);
        }
        Ok(())
    }

    /// Passes a value into a place. What stood there before it is left to serde_json where it has escapes.
    #[inline(always)]
    pub(super) fn text_into<W: Way>(&mut self, place: &mut Span) -> Result<(), Cut> {
        if place.is_escaped() {
            return Err(Cut::Odd);
        }
        *place = self.text::<W>()?;
        Ok(())
    }

    /// Behind a member of an object or an element of a list: true where another one follows.
    #[inline(always)]
    pub(super) fn more(&mut self, close: u8) -> Result<bool, Cut> {
        let byte = self.byte()?;
        self.at += 1;
        match byte {
            b',' => Ok(true),
            byte if byte == close => Ok(false),
            _ => Err(Cut::Odd),
        }
    }

    /// With the cursor on an opening bracket: passes it; false where the value is empty, and passed.
    #[inline(always)]
    pub(super) fn enter(&mut self, close: u8) -> Result<bool, Cut> {
        self.at += 1;
        if self.byte()? == close {
            self.at += 1;
            return Ok(false);
        }
        Ok(true)
    }
}

/// The keys of one kind of object, and which comes after which.
pub(super) struct Keys {
    names: &'static [&'static str],
    /// `"name":`, and ones where its bytes are.
    tokens: Vec<([u8; CHUNK], [u8; CHUNK])>,
    /// By context and key: the one that followed it last. The last entry of a context is for the first key
    /// of an object.
    next: Vec<u8>,
    /// Where in `next` the context begins.
    context: usize,
}

/// Contexts told apart: one more than a power of two.
pub(super) const CONTEXTS: usize = 1 + 128;

impl Keys {
    /// Names of at most 29 bytes.
    pub(super) fn new(names: &'static [&'static str]) -> Self {
        let token = |name: &&str| {
            let (mut bytes, mut mask) = ([0; CHUNK], [0; CHUNK]);
            let token = ["\"", name, "\":"].concat();
            for ((to, mask), from) in bytes.iter_mut().zip(&mut mask).zip(token.bytes()) {
                (*to, *mask) = (from, 0xff);
            }
            (bytes, mask)
        };
        Self {
            names,
            tokens: names.iter().map(token).collect(),
            next: (1..=names.len() as u8)
                .chain([0, 0])
                .collect::<Vec<u8>>()
                .repeat(CONTEXTS),
            context: 0,
        }
    }

    /// From here on keys follow each other as they did in this context. 0 is none.
    #[inline(always)]
    pub(super) fn context(&mut self, context: usize) {
        self.context = context * (self.names.len() + 2);
    }

    /// What is given for a key that is none of the names.
    pub(super) fn other(&self) -> usize {
        self.names.len()
    }

    /// What comes before the first key.
    pub(super) fn start(&self) -> usize {
        self.names.len() + 1
    }

    /// Passes a key and its colon; gives its place among the names. `before` is the key before it.
    #[inline(always)]
    pub(super) fn key<W: Way>(&mut self, walk: &mut Walk<'_>, before: usize) -> Result<usize, Cut> {
        let next = self.next.get(self.context + before);
        let guess = usize::from(next.copied().unwrap_or_default());
        if let (Some((token, mask)), Some(chunk)) =
            (self.tokens.get(guess), walk.rest().first_chunk::<CHUNK>())
        {
            let mut differ = 0;
            for ((byte, token), mask) in chunk.iter().zip(token).zip(mask) {
                differ |= (byte ^ token) & mask;
            }
            if differ == 0 {
                let name = self.names.get(guess).map_or(0, |name| name.len());
                walk.at += name + 3;
                return Ok(guess);
            }
        }
        self.unexpected::<W>(walk, before)
    }

    #[inline(never)]
    fn unexpected<W: Way>(&mut self, walk: &mut Walk<'_>, before: usize) -> Result<usize, Cut> {
        let from = walk.at + 1;
        // Escaped, it may be any of the names.
        let key = walk.string::<W>()?;
        if key.is_escaped() {
            return Err(Cut::Odd);
        }
        if walk.byte()? != b':' {
            return Err(Cut::Odd);
        }
        let name = walk.text.get(from..key.to()).unwrap_or_default();
        walk.at += 1;
        let known = self.names.iter().position(|known| known.as_bytes() == name);
        if let (Some(known), Some(next)) = (known, self.next.get_mut(self.context + before)) {
            *next = known as u8;
        }
        Ok(known.unwrap_or(self.other()))
    }
}
