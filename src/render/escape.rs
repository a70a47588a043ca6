//! Names and messages come from logs that strangers can write to. Here is what takes their teeth out
//! before a format adds its own escapes.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::ser::{Formatter, PrettyFormatter, Serializer};

/// Marks that reorder, hide or break text: they show one thing and mean another.
pub(super) fn is_deceptive(c: char) -> bool {
    matches!(c,
        '\u{61c}' | '\u{ad}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{feff}' | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e007f}')
}

/// Control characters and deceptive marks as `\u{…}`; everything else as it is.
#[must_use]
pub fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() || is_deceptive(c) {
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

/// Two-space JSON with a final newline in which deceptive marks are `\uXXXX`: the same value, inert as text.
pub(super) fn write_json_value(value: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    let mut serializer = Serializer::with_formatter(&mut *out, Inert(PrettyFormatter::new()));
    value.serialize(&mut serializer).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// As [`write_json_value`], as a string.
pub(super) fn json_text(value: &impl Serialize) -> String {
    let mut out = Vec::new();
    // Writing to memory cannot fail, and neither can a value without keys that are no strings.
    let _ = write_json_value(value, &mut out);
    String::from_utf8(out).unwrap_or_default()
}

struct Inert(PrettyFormatter<'static>);

impl Formatter for Inert {
    fn begin_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_array(writer)
    }
    fn end_array<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array(writer)
    }
    fn begin_array_value<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_array_value(writer, first)
    }
    fn end_array_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_array_value(writer)
    }
    fn begin_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object(writer)
    }
    fn end_object<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object(writer)
    }
    fn begin_object_key<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        first: bool,
    ) -> io::Result<()> {
        self.0.begin_object_key(writer, first)
    }
    fn begin_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.begin_object_value(writer)
    }
    fn end_object_value<W: ?Sized + io::Write>(&mut self, writer: &mut W) -> io::Result<()> {
        self.0.end_object_value(writer)
    }
    fn write_string_fragment<W: ?Sized + io::Write>(
        &mut self,
        writer: &mut W,
        fragment: &str,
    ) -> io::Result<()> {
        // Nearly all text has nothing to escape, and a report may be half a gigabyte of it.
        if fragment.is_ascii() && !fragment.contains('\u{7f}') {
            return writer.write_all(fragment.as_bytes());
        }
        let mut start = 0;
        for (at, c) in fragment.char_indices() {
            // serde_json escapes the control characters of ASCII; U+007F to U+009F are left.
            if is_deceptive(c) || ('\u{7f}'..='\u{9f}').contains(&c) {
                writer.write_all(&fragment.as_bytes()[start..at])?;
                let mut units = [0; 2];
                for unit in c.encode_utf16(&mut units) {
                    write!(writer, "\\u{unit:04x}")?;
                }
                start = at + c.len_utf8();
            }
        }
        writer.write_all(&fragment.as_bytes()[start..])
    }
}

/// `22,321`.
pub(super) fn thousands(number: u64) -> String {
    let digits = number.to_string();
    let mut out = String::new();
    for (at, digit) in digits.chars().enumerate() {
        if at > 0 && (digits.len() - at).is_multiple_of(3) {
            out.push(',');
        }
        out.push(digit);
    }
    out
}

/// `1 action`, `1,024 actions`.
pub(super) fn counted(number: usize, one: &str) -> String {
    let s = if number == 1 { "" } else { "s" };
    format!("{} {one}{s}", thousands(number as u64))
}

/// The first `most` of a list, and how many more there are.
pub(super) fn first_of(list: &[String], most: usize) -> String {
    let mut text = list
        .iter()
        .take(most)
        .map(String::as_str)
        .collect::<Vec<_>>()
        .join(", ");
    if list.len() > most {
        let _ = write!(text, " and {} more", thousands((list.len() - most) as u64));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_from_logs_cannot_steer_a_terminal() {
        assert_eq!(
            plain("a\x1b[31mred\u{202e}b\n"),
            "a\\u{1b}[31mred\\u{202e}b\\u{a}"
        );
        assert_eq!(thousands(22_321), "22,321");
        assert_eq!(thousands(999), "999");
        assert_eq!(counted(1, "action"), "1 action");
        assert_eq!(
            first_of(&["a".into(), "b".into(), "c".into()], 2),
            "a, b and 1 more"
        );
    }

    #[test]
    fn json_hides_no_marks_and_keeps_the_value() {
        let value =
            serde_json::json!({"a\u{202e}b": ["\u{1b}[31m", "\u{9b}31m", "é", "\u{e0041}"]});
        let text = json_text(&value);
        assert!(
            text.contains(r"a\u202eb")
                && text.contains(r"\u001b[31m")
                && text.contains(r"\u009b31m")
        );
        assert!(text.contains(r"\udb40\udc41") && text.contains('é'));
        assert_eq!(
            serde_json::from_str::<serde_json::Value>(&text).unwrap(),
            value
        );
    }
}
