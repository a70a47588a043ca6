//! Strings and comments of HCL, YAML and the shell.

use std::fmt::Write as _;

use super::super::escape::{is_deceptive, plain};

/// A double-quoted string, as HCL and YAML both read it; no character of it is a control character or
/// reorders text.
pub(in crate::render) fn quoted(text: &str) -> String {
    format!("\"{}\"", escaped(text))
}

/// The inside of [`quoted`].
pub(super) fn escaped(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '"' => out.push_str("\\\""),
            '\\' => out.push_str("\\\\"),
            '\n' => out.push_str("\\n"),
            '\t' => out.push_str("\\t"),
            '\r' => out.push_str("\\r"),
            c if c.is_control() || is_deceptive(c) || u32::from(c) > 0xffff => {
                let code = u32::from(c);
                let _ = if code > 0xffff {
                    write!(out, "\\U{code:08x}")
                } else {
                    write!(out, "\\u{code:04x}")
                };
            }
            c => out.push(c),
        }
    }
    out
}

/// Comment lines of HCL, YAML and the shell, at most 100 columns.
pub(super) fn comments(notes: &[String]) -> String {
    let mut out = String::new();
    for note in notes {
        let mut line = String::from("#");
        for word in plain(note).split(' ') {
            if line.chars().count() + 1 + word.chars().count() > 100 && line.len() > 3 {
                out.push_str(&line);
                out.push('\n');
                line = String::from("#  ");
            }
            line.push(' ');
            line.push_str(word);
        }
        out.push_str(line.trim_end());
        out.push('\n');
    }
    out
}

/// One word of a POSIX shell.
pub(in crate::render) fn shell(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || "-_./:=@%+,".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        text.to_owned()
    } else {
        format!("'{}'", plain(text).replace('\'', "'\\''"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_leaves_its_quotes() {
        assert_eq!(
            quoted("a\"b\\c\n\u{202e}\u{e0041}"),
            r#""a\"b\\c\n\u202e\U000e0041""#
        );
        assert_eq!(shell("$(rm -rf ~)'x'"), r"'$(rm -rf ~)'\''x'\'''");
        assert_eq!(shell("order-role"), "order-role");
        let text = comments(&["a\nresource \"x\" {}".into(), "word ".repeat(60)]);
        assert!(
            text.lines()
                .all(|line| line.starts_with('#') && line.len() <= 100),
            "{text}"
        );
    }
}
