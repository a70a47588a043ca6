//! Lines that keep to a width: paint, wrapping, diffs one above the other and side by side.

use std::io;

use super::super::escape::plain;

/// A style of the terminal, as the number between `ESC [` and `m`.
pub(super) const BOLD: &str = "1";
pub(super) const DIM: &str = "2";
pub(super) const RED: &str = "31";
pub(super) const GREEN: &str = "32";
pub(super) const YELLOW: &str = "33";
pub(super) const CYAN: &str = "36";

/// Where lines go: colour or not, and how wide.
#[derive(Clone, Copy, Debug)]
pub(super) struct Page {
    pub(super) color: bool,
    pub(super) width: usize,
}

impl Page {
    /// `text` in a style. The text must be plain already.
    pub(super) fn paint(self, style: &str, text: &str) -> String {
        if self.color && !style.is_empty() && !text.is_empty() {
            format!("\x1b[{style}m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }

    /// `label` in a column of `indent` characters, then the text, broken so that the width holds.
    /// Everything but the label's style may come from logs.
    pub(super) fn entry(
        self,
        out: &mut impl io::Write,
        (style, label): (&str, &str),
        indent: usize,
        text: &str,
    ) -> io::Result<()> {
        let text = plain(text);
        let label = plain(label);
        let room = self.width.saturating_sub(indent).max(20);
        let mut lines = broken(&text, room).into_iter();
        let pad = indent.saturating_sub(label.chars().count());
        let first = if label.chars().count() >= indent && !label.is_empty() {
            // No room beside the label: the text begins below it.
            writeln!(out, "{}", self.paint(style, &label))?;
            " ".repeat(indent) + &lines.next().unwrap_or_default()
        } else {
            self.paint(style, &label) + &" ".repeat(pad) + &lines.next().unwrap_or_default()
        };
        writeln!(out, "{}", first.trim_end())?;
        for line in lines {
            writeln!(out, "{}{line}", " ".repeat(indent))?;
        }
        Ok(())
    }

    /// A unified diff. A line that is too long goes on below, behind `↳`: for `patch` there is `policy.diff`.
    pub(super) fn unified(self, out: &mut impl io::Write, diff: &str) -> io::Result<()> {
        for line in diff.lines() {
            let style = match line.as_bytes().first() {
                Some(b'+') => GREEN,
                Some(b'-') => RED,
                Some(b'@') => CYAN,
                _ => "",
            };
            let line = plain(line);
            let sign = line.chars().next().unwrap_or(' ');
            let indent = line.chars().skip(1).take_while(|c| *c == ' ').count();
            for (at, part) in broken_code(&line, self.width, indent + 4)
                .iter()
                .enumerate()
            {
                let part = if at == 0 {
                    part.clone()
                } else {
                    format!("{sign}{}↳ {part}", " ".repeat(indent + 2))
                };
                writeln!(out, "{}", self.paint(style, &part))?;
            }
        }
        Ok(())
    }

    /// A unified diff with the current policy on the left and the proposal on the right.
    pub(super) fn side_by_side(self, out: &mut impl io::Write, diff: &str) -> io::Result<()> {
        let column = (self.width - 3) / 2;
        let mut gone: Vec<&str> = Vec::new();
        let mut come: Vec<&str> = Vec::new();
        for line in diff.lines() {
            match line.as_bytes().first() {
                Some(b'-') if !line.starts_with("--- ") => {
                    if !come.is_empty() {
                        self.pairs(out, column, &mut gone, &mut come)?;
                    }
                    gone.push(&line[1..]);
                }
                Some(b'+') if !line.starts_with("+++ ") => come.push(&line[1..]),
                Some(b'@') => {
                    self.pairs(out, column, &mut gone, &mut come)?;
                    writeln!(out, "{}", self.paint(CYAN, &plain(line)))?;
                }
                Some(b' ') => {
                    self.pairs(out, column, &mut gone, &mut come)?;
                    self.cells(out, column, ("", &line[1..]), ("", &line[1..]))?;
                }
                _ => {}
            }
        }
        self.pairs(out, column, &mut gone, &mut come)
    }

    fn pairs(
        self,
        out: &mut impl io::Write,
        column: usize,
        gone: &mut Vec<&str>,
        come: &mut Vec<&str>,
    ) -> io::Result<()> {
        for at in 0..gone.len().max(come.len()) {
            let left = gone.get(at).copied().unwrap_or_default();
            let right = come.get(at).copied().unwrap_or_default();
            self.cells(out, column, (RED, left), (GREEN, right))?;
        }
        gone.clear();
        come.clear();
        Ok(())
    }

    fn cells(
        self,
        out: &mut impl io::Write,
        column: usize,
        (left_style, left): (&str, &str),
        (right_style, right): (&str, &str),
    ) -> io::Result<()> {
        let left = broken_code(&plain(left), column, 4);
        let right = broken_code(&plain(right), column, 4);
        let mark = if left_style.is_empty() { " " } else { "│" };
        for at in 0..left.len().max(right.len()) {
            let part = |parts: &[String]| match (at, parts.get(at)) {
                (_, None) => String::new(),
                (0, Some(part)) => part.clone(),
                (_, Some(part)) => format!("  ↳ {part}"),
            };
            let (l, r) = (part(&left), part(&right));
            let pad = " ".repeat(column - l.chars().count().min(column));
            let line = format!(
                "{}{pad} {mark} {}",
                self.paint(left_style, &l),
                self.paint(right_style, &r)
            );
            writeln!(out, "{}", line.trim_end())?;
        }
        Ok(())
    }
}

/// A plain line of 80 columns: `indent`, then the text, its further lines two characters deeper.
pub(in crate::render) fn wrapped(
    out: &mut impl io::Write,
    indent: &str,
    text: &str,
) -> io::Result<()> {
    let width = indent.chars().count();
    for (at, line) in broken(text, 78 - width).iter().enumerate() {
        if at == 0 {
            writeln!(out, "{}", format!("{indent}{line}").trim_end())?;
        } else {
            writeln!(out, "{}  {line}", " ".repeat(width))?;
        }
    }
    Ok(())
}

/// Breaks at spaces, and within words that are longer than a line (ARNs, keys) behind `/`, `:` and `-`.
fn broken(text: &str, room: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    let mut length = 0;
    for word in text.split(' ') {
        let mut word: Vec<char> = word.chars().collect();
        if length > 0 && length + 1 + word.len() <= room {
            push(&mut lines, ' ');
            length += 1;
        } else if length > 0 {
            lines.push(String::new());
            length = 0;
        }
        while length + word.len() > room {
            let rest = word.split_off(cut(&word, room));
            word.iter().for_each(|c| push(&mut lines, *c));
            lines.push(String::new());
            word = rest;
        }
        length += word.len();
        word.iter().for_each(|c| push(&mut lines, *c));
    }
    lines
}

fn push(lines: &mut [String], c: char) {
    if let Some(line) = lines.last_mut() {
        line.push(c);
    }
}

/// Where a word that is longer than `room` is cut: behind the last separator of its second half.
fn cut(word: &[char], room: usize) -> usize {
    let room = room.max(1);
    (room / 2..room)
        .rev()
        .find(|at| matches!(word[*at], '/' | ':' | '-' | ',' | '.'))
        .map_or(room, |at| at + 1)
}

/// A line of code in parts: the first as wide as `room`, the others `hang` characters narrower.
fn broken_code(line: &str, room: usize, hang: usize) -> Vec<String> {
    let mut rest: Vec<char> = line.chars().collect();
    let mut parts = Vec::new();
    let mut room = room;
    while rest.len() > room {
        let tail = rest.split_off(cut(&rest, room));
        parts.push(rest.into_iter().collect());
        rest = tail;
        if parts.len() == 1 {
            room = room.saturating_sub(hang).max(10);
        }
    }
    parts.push(rest.into_iter().collect());
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Page = Page {
        color: false,
        width: 80,
    };

    fn widest(text: &[u8]) -> usize {
        let text = String::from_utf8(text.to_vec()).unwrap();
        assert!(text.lines().count() > 2);
        text.lines().map(|line| line.chars().count()).max().unwrap()
    }

    #[test]
    fn prose_holds_the_width_also_with_long_words() {
        let mut out = Vec::new();
        let text = format!("{} arn:aws:s3:::{}", "word ".repeat(40), "x/".repeat(200));
        PAGE.entry(&mut out, ("", "label"), 10, &text).unwrap();
        assert!(widest(&out) <= 80);
        let joined: String = String::from_utf8(out).unwrap().split_whitespace().collect();
        assert!(joined.contains(&"x/".repeat(200)), "nothing is lost");
    }

    #[test]
    fn diffs_hold_the_width_and_keep_their_signs() {
        let diff = format!(
            "--- a\n+++ b\n@@ -1,2 +1,2 @@\n {{\n-      \"{0}\"\n+      \"{0}{0}\"\n",
            "arn:aws:s3:::bucket/".repeat(5)
        );
        let mut out = Vec::new();
        PAGE.unified(&mut out, &diff).unwrap();
        assert!(widest(&out) <= 80);
        let text = String::from_utf8(out).unwrap();
        assert_eq!(
            text.lines().filter(|l| l.contains('↳')).count(),
            3,
            "{text}"
        );
        assert!(text.lines().skip(3).all(|l| l.starts_with(['+', '-', ' '])));
        let mut out = Vec::new();
        let wide = Page { width: 120, ..PAGE };
        wide.side_by_side(&mut out, &diff).unwrap();
        assert!(widest(&out) <= 120);
    }
}
