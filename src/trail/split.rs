//! Finds where values begin and end in a stream of JSON, in a bounded window.
//!
//! Comes in: an object's bytes, inflated as they are asked for. Goes out: one leaf after another, as a
//! record where the fast way of [`super::scan`] takes it, else as bytes. A leaf is an object that is no wrapper, or a string; lists are entered, and so are the
//! lists under the wrapper keys of an object (`{"Records":[…]}`), wherever among the keys they stand.
//! Only the structure is looked at (quotes, escapes, brackets): whether a leaf is sound JSON is for
//! whoever reads it. Nesting costs a counter, never stack.

use std::io::Read;

use super::inflate::{Inflate, InflateError};
use super::record::Record;
use super::scan::{Cut, Glance, Scanner};

/// The window starts with this many bytes and grows only to hold one leaf.
const WINDOW: usize = 256 * 1024;
/// The keys whose lists hold leaves: log files, and the answer of `lookup-events`.
const WRAPPERS: [&[u8]; 2] = [b"Records", b"Events"];
/// Lists within lists are entered this deep; below, they are passed over.
const DEEPEST: usize = 8;

/// One value that is no wrapper.
pub(super) enum Leaf<'b> {
    /// A record that need not be taken apart where the answer is true; else it follows.
    Glance(&'b Glance<'b>),
    /// A record and its JSON.
    Record(&'b Record<'b>, &'b str),
    /// From `{` to `}`.
    Object(&'b [u8]),
    /// From quote to quote.
    Text(&'b [u8]),
    /// A number, a literal, or a list too deep to enter.
    Other,
}

/// Why the stream could not be followed to its end.
#[derive(Debug)]
pub(super) enum Broken {
    /// No more bytes, and not because they are finished.
    Inflate(InflateError),
    /// The bytes ended inside a value.
    Cut,
    /// A byte that no JSON has at its place, counted in inflated bytes.
    Syntax(u64),
    /// A leaf that does not fit the largest window.
    TooLong,
}

impl From<InflateError> for Broken {
    fn from(error: InflateError) -> Self {
        Self::Inflate(error)
    }
}

/// What the stream was made of.
pub(super) struct Structure {
    /// A wrapper key with a list was met.
    pub(super) wrapper: bool,
    /// A list was entered, in a wrapper or not: emptiness then means "no records".
    pub(super) list: bool,
    /// Whether the end was reached.
    pub(super) end: Result<(), Broken>,
}

/// What is open around the cursor.
#[derive(Clone, Copy)]
enum Frame {
    /// A list; `wrapped` says that it stands under a wrapper key, so that its objects are leaves.
    List { wrapped: bool },
    /// The rest of an object after the list of a wrapper key.
    Wrapper,
}

/// What can be used again for the next object.
pub(super) struct Room {
    bytes: Vec<u8>,
    scanner: Scanner,
}

impl Room {
    pub(super) fn new() -> Self {
        Self {
            bytes: Vec::new(),
            scanner: Scanner::new(),
        }
    }
}

/// Hands every leaf to `leaf`, up to the end or the first break. Holds at most `largest` bytes. The answer
/// counts for a [`Leaf::Glance`] alone.
pub(super) fn split<R: Read>(
    input: &mut Inflate<R>,
    largest: usize,
    room: &mut Room,
    leaf: &mut dyn FnMut(Leaf<'_>) -> bool,
) -> Structure {
    let mut splitter = Splitter {
        window: Window::new(input, largest, std::mem::take(&mut room.bytes)),
        scanner: &mut room.scanner,
        open: Vec::new(),
        wrapper: false,
        list: false,
        leaf,
    };
    let end = splitter.run();
    let structure = Structure {
        wrapper: splitter.wrapper,
        list: splitter.list,
        end,
    };
    // One long record must not stay for the rest of the run.
    if splitter.window.bytes.len() <= WINDOW {
        room.bytes = splitter.window.bytes;
    }
    structure
}

struct Splitter<'s, R> {
    window: Window<'s, R>,
    scanner: &'s mut Scanner,
    open: Vec<Frame>,
    wrapper: bool,
    list: bool,
    leaf: &'s mut dyn FnMut(Leaf<'_>) -> bool,
}

impl<R: Read> Splitter<'_, R> {
    fn run(&mut self) -> Result<(), Broken> {
        self.window.skip_mark()?;
        loop {
            // Between values separators are not insisted on: concatenated objects have none.
            let Some(byte) = self.window.next_of_interest(b",")? else {
                return if self.open.is_empty() {
                    Ok(())
                } else {
                    Err(Broken::Cut)
                };
            };
            match (self.open.last().copied(), byte) {
                (Some(Frame::List { .. }), b']') | (Some(Frame::Wrapper), b'}') => {
                    self.open.pop();
                    self.window.at += 1;
                }
                (Some(Frame::Wrapper), b'"') => self.member()?,
                (None, b'{' | b'[' | b'"') => self.value(byte, false)?,
                (Some(Frame::List { wrapped }), _) => self.value(byte, wrapped)?,
                (None | Some(Frame::Wrapper), _) => return Err(self.window.syntax()),
            }
        }
    }

    fn value(&mut self, first: u8, wrapped: bool) -> Result<(), Broken> {
        match first {
            b'[' if self.open.len() < DEEPEST => {
                self.window.at += 1;
                self.enter(wrapped);
                Ok(())
            }
            b'{' if self.scan(wrapped)? => Ok(()),
            b'{' if !wrapped => self.object(),
            _ => {
                self.window.keep();
                self.window.skip_value()?;
                self.hand_out(first);
                Ok(())
            }
        }
    }

    /// Hands out the object at the cursor, if the fast way takes it for a record.
    fn scan(&mut self, wrapped: bool) -> Result<bool, Broken> {
        loop {
            let ahead = self.window.ahead();
            if !wrapped
                && [&b"{\"Records\":"[..], b"{\"Events\":"]
                    .iter()
                    .any(|w| ahead.starts_with(w))
            {
                return Ok(false);
            }
            match self.scanner.pass(ahead) {
                Ok(length) => {
                    let glance = self.scanner.glance(ahead);
                    if !glance.is_some_and(|glance| (self.leaf)(Leaf::Glance(&glance))) {
                        let Ok((record, json)) = self.scanner.taken(ahead) else {
                            return Ok(false);
                        };
                        (self.leaf)(Leaf::Record(&record, json));
                    }
                    self.window.at += length;
                    return Ok(true);
                }
                Err(Cut::Odd) => return Ok(false),
                // A window full of one object: a long record, or a wrapper.
                Err(Cut::Short) if ahead.len() == self.window.bytes.len() => return Ok(false),
                Err(Cut::Short) => {}
            }
            if !self.window.fill()? {
                return Ok(false);
            }
        }
    }

    fn enter(&mut self, wrapped: bool) {
        self.open.push(Frame::List { wrapped });
        self.wrapper |= wrapped;
        self.list = true;
    }

    fn hand_out(&mut self, first: u8) {
        let bytes = self.window.kept();
        (self.leaf)(match first {
            b'{' => Leaf::Object(bytes),
            b'"' => Leaf::Text(bytes),
            _ => Leaf::Other,
        });
        self.window.forget();
    }

    /// An object that may be a wrapper: its keys are looked at one by one until it shows.
    fn object(&mut self) -> Result<(), Broken> {
        self.window.keep();
        match self.find_wrapper_key() {
            Ok(true) => {
                self.window.forget();
                self.window.at += 1;
                self.open.push(Frame::Wrapper);
                self.enter(true);
            }
            Ok(false) => self.hand_out(b'{'),
            Err(Broken::Syntax(_)) => {
                // Not sound JSON, but it may still end: then only this leaf is lost.
                self.window.rewind();
                self.window.skip_value()?;
                self.hand_out(b'{');
            }
            Err(broken) => return Err(broken),
        }
        Ok(())
    }

    /// With the cursor on `{`: true and on the `[` of a wrapper key, or false and behind the object.
    fn find_wrapper_key(&mut self) -> Result<bool, Broken> {
        self.window.at += 1;
        loop {
            match self.window.need(b",")? {
                b'}' => {
                    self.window.at += 1;
                    return Ok(false);
                }
                b'"' if self.key()? && self.window.need(b"")? == b'[' => return Ok(true),
                b'"' => self.window.skip_value()?,
                _ => return Err(self.window.syntax()),
            }
        }
    }

    /// A member of a wrapper behind its first list: another such list, or nothing of interest.
    fn member(&mut self) -> Result<(), Broken> {
        self.window.keep();
        let wrapper = self.key()?;
        self.window.forget();
        if self.window.need(b"")? == b'[' && wrapper {
            self.window.at += 1;
            self.enter(true);
            return Ok(());
        }
        self.window.skip_value()
    }

    /// Passes a key and its colon, up to the value; says whether it is a wrapper key. Something must be kept.
    fn key(&mut self) -> Result<bool, Broken> {
        let start = self.window.kept().len() + 1;
        self.window.skip_string()?;
        let key = self
            .window
            .kept()
            .get(start..)
            .and_then(|key| key.strip_suffix(b"\""));
        let wrapper = key.is_some_and(|key| WRAPPERS.contains(&key));
        if self.window.need(b"")? != b':' {
            return Err(self.window.syntax());
        }
        self.window.at += 1;
        self.window.need(b"")?;
        Ok(wrapper)
    }
}

/// The part of the stream that is held: `bytes[kept..at]` is the leaf so far, `bytes[at..end]` is ahead.
struct Window<'s, R> {
    input: &'s mut Inflate<R>,
    bytes: Vec<u8>,
    at: usize,
    end: usize,
    kept: Option<usize>,
    largest: usize,
    passed: u64,
}

impl<'s, R: Read> Window<'s, R> {
    fn new(input: &'s mut Inflate<R>, largest: usize, mut bytes: Vec<u8>) -> Self {
        bytes.resize(WINDOW.min(largest), 0);
        Self {
            input,
            bytes,
            at: 0,
            end: 0,
            kept: None,
            largest,
            passed: 0,
        }
    }

    fn keep(&mut self) {
        self.kept = Some(self.at);
    }

    fn forget(&mut self) {
        self.kept = None;
    }

    fn rewind(&mut self) {
        self.at = self.kept.unwrap_or(self.at);
    }

    fn kept(&self) -> &[u8] {
        self.bytes
            .get(self.kept.unwrap_or(self.at)..self.at)
            .unwrap_or_default()
    }

    fn ahead(&self) -> &[u8] {
        self.bytes.get(self.at..self.end).unwrap_or_default()
    }

    fn syntax(&self) -> Broken {
        Broken::Syntax(self.passed + self.at as u64)
    }

    /// Adds bytes behind those ahead. False at the end of the stream.
    fn fill(&mut self) -> Result<bool, Broken> {
        if self.end == self.bytes.len() {
            let from = self.kept.unwrap_or(self.at);
            if from > 0 {
                self.bytes.copy_within(from..self.end, 0);
                self.at -= from;
                self.end -= from;
                self.kept = self.kept.map(|_| 0);
                self.passed += from as u64;
            } else if self.bytes.len() < self.largest {
                self.bytes
                    .resize((self.bytes.len() * 2).min(self.largest), 0);
            } else {
                return Err(Broken::TooLong);
            }
        }
        let room = self.bytes.get_mut(self.end..).unwrap_or_default();
        let count = self.input.read(room)?;
        self.end += count;
        Ok(count > 0)
    }

    /// Passes a byte order mark at the start of the stream.
    fn skip_mark(&mut self) -> Result<(), Broken> {
        while self.ahead().len() < 3 && self.fill()? {}
        if self.ahead().starts_with(b"\xef\xbb\xbf") {
            self.at += 3;
        }
        Ok(())
    }

    /// Passes white space and the bytes of `also`; gives the byte behind, without passing it.
    fn next_of_interest(&mut self, also: &[u8]) -> Result<Option<u8>, Broken> {
        loop {
            let ahead = self.ahead();
            let blank =
                |byte: &u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t') || also.contains(byte);
            if let Some(offset) = ahead.iter().position(|byte| !blank(byte)) {
                let byte = ahead.get(offset).copied();
                self.at += offset;
                return Ok(byte);
            }
            self.at = self.end;
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    fn need(&mut self, also: &[u8]) -> Result<u8, Broken> {
        self.next_of_interest(also)?.ok_or(Broken::Cut)
    }

    fn more(&mut self) -> Result<(), Broken> {
        self.at = self.end;
        if self.fill()? {
            Ok(())
        } else {
            Err(Broken::Cut)
        }
    }

    /// Passes the value at the cursor. A number or literal ends at the first byte it cannot hold.
    fn skip_value(&mut self) -> Result<(), Broken> {
        match self.need(b"")? {
            b'"' => self.skip_string(),
            b'{' | b'[' => self.skip_nested(),
            b'-' | b'0'..=b'9' | b't' | b'f' | b'n' => self.skip_scalar(),
            _ => Err(self.syntax()),
        }
    }

    fn skip_scalar(&mut self) -> Result<(), Broken> {
        loop {
            let word =
                |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'+' | b'.');
            if let Some(offset) = self.ahead().iter().position(|byte| !word(byte)) {
                self.at += offset;
                return Ok(());
            }
            self.at = self.end;
            if !self.fill()? {
                return Ok(());
            }
        }
    }

    /// With the cursor on the opening quote: passes the closing one.
    fn skip_string(&mut self) -> Result<(), Broken> {
        self.at += 1;
        loop {
            let ahead = self.ahead();
            let Some(offset) = memchr::memchr2(b'"', b'\\', ahead) else {
                self.more()?;
                continue;
            };
            let quote = ahead.get(offset) == Some(&b'"');
            self.at += offset + 1;
            if quote {
                return Ok(());
            }
            while self.at >= self.end {
                self.more()?;
            }
            self.at += 1; // whatever was escaped
        }
    }

    /// With the cursor on an opening bracket: passes the one that closes it.
    fn skip_nested(&mut self) -> Result<(), Broken> {
        let mut depth = 0_usize;
        loop {
            let structural = |byte: &u8| matches!(byte, b'"' | b'{' | b'}' | b'[' | b']');
            let ahead = self.ahead();
            let Some(offset) = ahead.iter().position(structural) else {
                self.more()?;
                continue;
            };
            let byte = ahead.get(offset).copied();
            self.at += offset;
            match byte {
                Some(b'"') => {
                    self.skip_string()?;
                    continue;
                }
                Some(b'{' | b'[') => depth += 1,
                _ => depth -= 1,
            }
            self.at += 1;
            if depth == 0 {
                return Ok(());
            }
        }
    }
}
