//! JSON that comes out as it went in: order of keys and spelling of numbers survive, a key that
//! stands twice is an error, and errors say line, column and what was expected.
//!
//! Policies decide who may do what, so the reader must not silently take the last of two equal keys,
//! as most readers do.

use std::fmt::Write as _;

use thiserror::Error;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json {
    /// `null`
    Null,
    /// `true` or `false`
    Bool(bool),
    /// A number as it was spelled.
    Number(Box<str>),
    /// A string, its escapes resolved.
    String(String),
    /// A list.
    Array(Vec<Json>),
    /// Keys and values in the order they were written; no key stands twice.
    Object(Vec<(String, Json)>),
}

/// Why a text is not JSON, or not the JSON that was expected.
#[derive(Clone, Debug, PartialEq, Eq, Error)]
#[error("{}{message}", .line.checked_sub(1).map_or(String::new(), |_| format!("line {line}, column {column}: ")))]
pub struct JsonError {
    /// Line, from 1; 0 where the value did not come from a text.
    pub line: usize,
    /// Column in characters, from 1; 0 where the value did not come from a text.
    pub column: usize,
    /// What was expected and what was found.
    pub message: String,
}

/// One step from a value into it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Key(String),
    Index(usize),
}

/// Objects and lists within each other that a policy may have.
const DEPTH: usize = 100;

impl Json {
    /// Parses one value and nothing after it.
    ///
    /// # Errors
    /// The first place where the text is not JSON, an object has a key twice, or the nesting is
    /// deeper than a hundred.
    pub fn parse(text: &str) -> Result<Self, JsonError> {
        Reader::new(text).document()
    }

    /// Takes over a value of `serde_json`.
    #[must_use]
    pub fn from_value(value: &serde_json::Value) -> Self {
        use serde_json::Value;
        match value {
            Value::Null => Json::Null,
            Value::Bool(b) => Json::Bool(*b),
            Value::Number(n) => Json::Number(n.to_string().into()),
            Value::String(s) => Json::String(s.clone()),
            Value::Array(items) => Json::Array(items.iter().map(Json::from_value).collect()),
            Value::Object(fields) => Json::Object(
                fields
                    .iter()
                    .map(|(k, v)| (k.clone(), Json::from_value(v)))
                    .collect(),
            ),
        }
    }

    /// The value for `serde_json`; a number it cannot hold becomes a string.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        use serde_json::Value;
        match self {
            Json::Null => Value::Null,
            Json::Bool(b) => Value::Bool(*b),
            Json::Number(n) => {
                serde_json::from_str(n).unwrap_or_else(|_| Value::String((**n).into()))
            }
            Json::String(s) => Value::String(s.clone()),
            Json::Array(items) => Value::Array(items.iter().map(Json::to_value).collect()),
            Json::Object(fields) => Value::Object(
                fields
                    .iter()
                    .map(|(k, v)| (k.clone(), v.to_value()))
                    .collect(),
            ),
        }
    }

    /// The value of a key, for objects that have it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Json> {
        match self {
            Json::Object(fields) => fields.iter().find(|(k, _)| k == key).map(|(_, v)| v),
            _ => None,
        }
    }

    /// The text without any white space between elements.
    #[must_use]
    pub fn to_compact(&self) -> String {
        let mut out = String::new();
        write(self, &mut out, None);
        out
    }

    /// The text over several lines, indented by two spaces a level, without a final line break.
    #[must_use]
    pub fn to_pretty(&self) -> String {
        let mut out = String::new();
        write(self, &mut out, Some(0));
        out
    }

    /// What kind of value it is, for error messages.
    pub(crate) fn kind(&self) -> String {
        match self {
            Json::Null => "null".into(),
            Json::Bool(b) => format!("`{b}`"),
            Json::Number(n) => format!("the number `{n}`"),
            Json::String(s) => format!("`{}`", shown(s)),
            Json::Array(_) => "a list".into(),
            Json::Object(_) => "an object".into(),
        }
    }
}

/// Where the value at the end of the path begins: line and column.
pub(crate) fn locate(text: &str, path: &[Step]) -> (usize, usize) {
    let mut reader = Reader::new(text);
    reader.sought = Some(path);
    let at = match reader.document() {
        Ok(_) => reader.found.unwrap_or(0),
        Err(error) => return (error.line, error.column),
    };
    place(text, at)
}

fn place(text: &str, at: usize) -> (usize, usize) {
    let before = &text[..at];
    let line = before.matches('\n').count() + 1;
    let start = before.rfind('\n').map_or(0, |newline| newline + 1);
    (line, before[start..].chars().count() + 1)
}

/// Foreign text for a message: short and without control characters.
fn shown(text: &str) -> String {
    let mut out: String = text
        .chars()
        .take(60)
        .map(|c| if c.is_control() { '\u{fffd}' } else { c })
        .collect();
    if text.chars().nth(60).is_some() {
        out.push('…');
    }
    out
}

fn write(value: &Json, out: &mut String, indent: Option<usize>) {
    let line = |out: &mut String, depth: usize| {
        out.push('\n');
        out.extend(std::iter::repeat_n("  ", depth));
    };
    match value {
        Json::Null => out.push_str("null"),
        Json::Bool(b) => out.push_str(if *b { "true" } else { "false" }),
        Json::Number(n) => out.push_str(n),
        Json::String(s) => write_string(s, out),
        Json::Array(items) if items.is_empty() => out.push_str("[]"),
        Json::Object(fields) if fields.is_empty() => out.push_str("{}"),
        Json::Array(items) => {
            for (number, item) in items.iter().enumerate() {
                out.push(if number == 0 { '[' } else { ',' });
                if let Some(depth) = indent {
                    line(out, depth + 1);
                }
                write(item, out, indent.map(|depth| depth + 1));
            }
            if let Some(depth) = indent {
                line(out, depth);
            }
            out.push(']');
        }
        Json::Object(fields) => {
            for (number, (key, item)) in fields.iter().enumerate() {
                out.push(if number == 0 { '{' } else { ',' });
                if let Some(depth) = indent {
                    line(out, depth + 1);
                }
                write_string(key, out);
                out.push_str(if indent.is_some() { ": " } else { ":" });
                write(item, out, indent.map(|depth| depth + 1));
            }
            if let Some(depth) = indent {
                line(out, depth);
            }
            out.push('}');
        }
    }
}

fn write_string(text: &str, out: &mut String) {
    out.push('"');
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\r' => out.push_str("\\r"),
            '\t' => out.push_str("\\t"),
            c if c < ' ' => {
                // Writing to a string cannot fail.
                let _ = write!(out, "\\u{:04x}", c as u32);
            }
            c => out.push(c),
        }
    }
    out.push('"');
}

struct Reader<'a> {
    text: &'a str,
    at: usize,
    depth: usize,
    /// The path whose value's place is wanted, as far as it has not been walked.
    sought: Option<&'a [Step]>,
    found: Option<usize>,
}

impl<'a> Reader<'a> {
    fn new(text: &'a str) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            sought: None,
            found: None,
        }
    }

    fn document(&mut self) -> Result<Json, JsonError> {
        let sought = self.sought.take();
        let value = self.value(sought)?;
        self.space();
        match self.peek() {
            None => Ok(value),
            Some(_) => Err(self.expected("the end of the document")),
        }
    }

    fn peek(&self) -> Option<char> {
        self.text[self.at..].chars().next()
    }

    fn space(&mut self) {
        let rest = &self.text[self.at..];
        self.at += rest.len() - rest.trim_start_matches([' ', '\t', '\n', '\r']).len();
    }

    fn expected(&self, what: &str) -> JsonError {
        let found = match self.peek() {
            None => "the end of the text".to_owned(),
            Some(c) => format!("`{}`", shown(&c.to_string())),
        };
        self.error(self.at, format!("expected {what}, found {found}"))
    }

    fn error(&self, at: usize, message: String) -> JsonError {
        let (line, column) = place(self.text, at);
        JsonError {
            line,
            column,
            message,
        }
    }

    fn value(&mut self, sought: Option<&[Step]>) -> Result<Json, JsonError> {
        self.space();
        if sought.is_some_and(<[Step]>::is_empty) {
            self.found = Some(self.at);
        }
        match self.peek() {
            Some('{') => self.nested(|reader| reader.object(sought)),
            Some('[') => self.nested(|reader| reader.array(sought)),
            Some('"') => Ok(Json::String(self.string()?)),
            Some('-' | '0'..='9') => self.number(),
            _ => {
                for (word, value) in [
                    ("true", Json::Bool(true)),
                    ("false", Json::Bool(false)),
                    ("null", Json::Null),
                ] {
                    if self.text[self.at..].starts_with(word) {
                        self.at += word.len();
                        return Ok(value);
                    }
                }
                Err(self.expected("a value"))
            }
        }
    }

    fn nested(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<Json, JsonError>,
    ) -> Result<Json, JsonError> {
        if self.depth == DEPTH {
            return Err(self.error(self.at, format!("nested deeper than {DEPTH}")));
        }
        self.depth += 1;
        self.at += 1;
        let value = read(self);
        self.depth -= 1;
        value
    }

    fn object(&mut self, sought: Option<&[Step]>) -> Result<Json, JsonError> {
        let mut fields: Vec<(String, Json)> = Vec::new();
        let mut names = std::collections::HashSet::new();
        self.space();
        if self.peek() == Some('}') {
            self.at += 1;
            return Ok(Json::Object(fields));
        }
        loop {
            self.space();
            let begin = self.at;
            if self.peek() != Some('"') {
                return Err(self.expected("a key in double quotes"));
            }
            let key = self.string()?;
            if !names.insert(key.clone()) {
                return Err(self.error(begin, format!("the key `{}` stands twice", shown(&key))));
            }
            self.space();
            if self.peek() != Some(':') {
                return Err(self.expected("`:`"));
            }
            self.at += 1;
            let inner = match sought {
                Some([Step::Key(wanted), rest @ ..]) if *wanted == key => Some(rest),
                _ => None,
            };
            let value = self.value(inner)?;
            fields.push((key, value));
            if self.more('}')? {
                return Ok(Json::Object(fields));
            }
        }
    }

    fn array(&mut self, sought: Option<&[Step]>) -> Result<Json, JsonError> {
        let mut items = Vec::new();
        self.space();
        if self.peek() == Some(']') {
            self.at += 1;
            return Ok(Json::Array(items));
        }
        loop {
            let inner = match sought {
                Some([Step::Index(wanted), rest @ ..]) if *wanted == items.len() => Some(rest),
                _ => None,
            };
            items.push(self.value(inner)?);
            if self.more(']')? {
                return Ok(Json::Array(items));
            }
        }
    }

    /// Takes a comma (false) or the closing bracket (true).
    fn more(&mut self, close: char) -> Result<bool, JsonError> {
        self.space();
        match self.peek() {
            Some(',') => {
                self.at += 1;
                Ok(false)
            }
            Some(c) if c == close => {
                self.at += 1;
                Ok(true)
            }
            _ => Err(self.expected(&format!("`,` or `{close}`"))),
        }
    }

    fn number(&mut self) -> Result<Json, JsonError> {
        let rest = &self.text[self.at..];
        let length = rest
            .find(|c: char| !matches!(c, '0'..='9' | '-' | '+' | '.' | 'e' | 'E'))
            .unwrap_or(rest.len());
        let spelled = &rest[..length];
        if !is_number(spelled) {
            return Err(self.error(
                self.at,
                format!("expected a number, found `{}`", shown(spelled)),
            ));
        }
        self.at += length;
        Ok(Json::Number(spelled.into()))
    }

    fn string(&mut self) -> Result<String, JsonError> {
        let begin = self.at;
        self.at += 1;
        let mut out = String::new();
        loop {
            let Some(c) = self.peek() else {
                return Err(self.error(begin, "this string has no end".to_owned()));
            };
            self.at += c.len_utf8();
            match c {
                '"' => return Ok(out),
                '\\' => out.push(self.escape()?),
                c if c < ' ' => {
                    self.at -= 1;
                    return Err(self.expected("no control character in a string"));
                }
                c => out.push(c),
            }
        }
    }

    fn escape(&mut self) -> Result<char, JsonError> {
        let at = self.at - 1;
        let bad = |reader: &Self| reader.error(at, "expected a valid escape after `\\`".to_owned());
        let Some(c) = self.peek() else {
            return Err(bad(self));
        };
        self.at += c.len_utf8();
        Ok(match c {
            '"' | '\\' | '/' => c,
            'b' => '\u{8}',
            'f' => '\u{c}',
            'n' => '\n',
            'r' => '\r',
            't' => '\t',
            'u' => {
                let first = self.hex().ok_or_else(|| bad(self))?;
                let code = if (0xd800..0xdc00).contains(&first) {
                    if !self.text[self.at..].starts_with("\\u") {
                        return Err(bad(self));
                    }
                    self.at += 2;
                    let second = self.hex().ok_or_else(|| bad(self))?;
                    if !(0xdc00..0xe000).contains(&second) {
                        return Err(bad(self));
                    }
                    0x1_0000 + ((first - 0xd800) << 10) + (second - 0xdc00)
                } else {
                    first
                };
                char::from_u32(code).ok_or_else(|| bad(self))?
            }
            _ => return Err(bad(self)),
        })
    }

    fn hex(&mut self) -> Option<u32> {
        let digits = self.text.get(self.at..self.at + 4)?;
        if !digits.bytes().all(|b| b.is_ascii_hexdigit()) {
            return None;
        }
        self.at += 4;
        u32::from_str_radix(digits, 16).ok()
    }
}

fn is_number(text: &str) -> bool {
    let digits = |s: &str| !s.is_empty() && s.bytes().all(|b| b.is_ascii_digit());
    let text = text.strip_prefix('-').unwrap_or(text);
    let (mantissa, exponent) = text
        .split_once(['e', 'E'])
        .map_or((text, None), |(m, e)| (m, Some(e)));
    let (whole, fraction) = mantissa
        .split_once('.')
        .map_or((mantissa, None), |(w, f)| (w, Some(f)));
    digits(whole)
        && (whole == "0" || !whole.starts_with('0'))
        && fraction.is_none_or(digits)
        && exponent.is_none_or(|e| digits(e.strip_prefix(['+', '-']).unwrap_or(e)))
}
