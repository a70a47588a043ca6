//! The summary for a terminal: what happened to each role and what needs attention.
//!
//! Names, agents and messages come from logs that strangers can write to, so nothing of them reaches
//! the terminal unescaped.

use std::fmt::Write as _;
use std::io;

use super::{Report, RoleReport, Status};

const WIDTH: usize = 80;

/// Writes the summary; with `diffs` the policy diff of every role follows.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_text(
    report: &Report,
    color: bool,
    diffs: bool,
    out: &mut impl io::Write,
) -> io::Result<()> {
    header(report, out)?;
    let mut roles: Vec<&RoleReport> = report.roles.iter().collect();
    roles.sort_by_key(|role| (role.account(), role.name()));
    if roles.is_empty() {
        writeln!(
            out,
            "\nNo Lambda role was found. --all-roles looks at every role, --role NAME at one."
        )?;
    }
    let width = roles
        .iter()
        .map(|role| plain(role.name()).chars().count())
        .max()
        .unwrap_or(0)
        .clamp(4, 34);
    let mut account = "";
    for role in &roles {
        if role.account() != account {
            account = role.account();
            writeln!(
                out,
                "\n{}",
                paint(color, BOLD, &format!("account {}", plain(account)))
            )?;
            writeln!(
                out,
                "{}",
                paint(
                    color,
                    DIM,
                    &format!(
                        "  {:<9}  {:<width$}  {:>16}  {:>17}",
                        "status", "role", "allowed actions", "characters"
                    )
                )
            )?;
        }
        role_lines(role, width, color, out)?;
    }
    let count = |status| {
        report
            .roles
            .iter()
            .filter(|role| role.status == status)
            .count()
    };
    writeln!(
        out,
        "\n{} roles: {} ready, {} unchanged, {} to review, {} refused",
        report.roles.len(),
        count(Status::Ready),
        count(Status::Unchanged),
        count(Status::Review),
        count(Status::Refused)
    )?;
    for note in &report.notes {
        wrapped(
            out,
            "! ",
            &format!("{}: {}", note.code, plain(&note.message)),
        )?;
    }
    if diffs {
        for role in roles {
            write_diff(role, color, out)?;
        }
    }
    Ok(())
}

fn header(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let objects = &report.input.objects;
    let records = &report.input.records;
    let day = |time: &Option<String>| {
        time.as_deref()
            .map_or("?", |t| t.get(..10).unwrap_or(t))
            .to_owned()
    };
    writeln!(
        out,
        "rolefit {}, catalog {}",
        report.tool.version,
        report.tool.catalog.split(' ').next().unwrap_or_default()
    )?;
    writeln!(
        out,
        "{} records from {} to {} in {} of {} log objects ({} skipped, {} failed)",
        thousands(records.read),
        day(&report.window.from),
        day(&report.window.to),
        thousands(objects.read),
        thousands(objects.listed),
        thousands(objects.skipped),
        thousands(objects.failed)
    )
}

fn role_lines(
    role: &RoleReport,
    width: usize,
    color: bool,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let style = match role.status {
        Status::Ready | Status::Unchanged => GREEN,
        Status::Review => YELLOW,
        Status::Refused => RED,
    };
    let change = |before: usize, after: Option<usize>| match after {
        Some(after) => format!("{} → {}", thousands(before as u64), thousands(after as u64)),
        None => thousands(before as u64),
    };
    let actions = change(
        role.current.allowed_actions,
        role.proposed.as_ref().map(|p| p.allowed_actions),
    );
    let characters = change(
        role.current.characters,
        role.proposed.as_ref().map(|p| p.characters),
    );
    let status = paint(color, style, &format!("{:<9}", role.status.as_str()));
    writeln!(
        out,
        "  {status}  {:<width$}  {actions:>16}  {characters:>17}",
        plain(role.name())
    )?;
    for reason in &role.reasons {
        wrapped(
            out,
            "             ",
            &format!("{}: {}", reason.code, plain(&reason.message)),
        )?;
    }
    Ok(())
}

fn write_diff(role: &RoleReport, color: bool, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out)?;
    for line in role.diff.lines() {
        let style = match line.as_bytes().first() {
            Some(b'+') => GREEN,
            Some(b'-') => RED,
            Some(b'@') => DIM,
            _ => "",
        };
        writeln!(out, "{}", paint(color, style, &plain(line)))?;
    }
    Ok(())
}

/// Breaks at spaces so that 80 columns hold; a long word stays whole.
pub(super) fn wrapped(out: &mut impl io::Write, indent: &str, text: &str) -> io::Result<()> {
    let mut line = String::from(indent);
    let blank = " ".repeat(indent.chars().count());
    for word in text.split(' ') {
        let started = line.trim_end() != indent.trim_end();
        if started && line.chars().count() + 1 + word.chars().count() > WIDTH {
            writeln!(out, "{line}")?;
            line.clone_from(&blank);
            line.push_str("  ");
            line.push_str(word);
            continue;
        }
        if started {
            line.push(' ');
        }
        line.push_str(word);
    }
    writeln!(out, "{line}")
}

const BOLD: &str = "1";
const DIM: &str = "2";
const RED: &str = "31";
const GREEN: &str = "32";
const YELLOW: &str = "33";

fn paint(color: bool, style: &str, text: &str) -> String {
    if color && !style.is_empty() {
        format!("\x1b[{style}m{text}\x1b[0m")
    } else {
        text.to_owned()
    }
}

/// Control characters and marks that reorder text, as escapes.
pub(super) fn plain(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for c in text.chars() {
        let reorders = matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{61c}');
        if c.is_control() || reorders {
            let _ = write!(out, "{}", c.escape_unicode());
        } else {
            out.push(c);
        }
    }
    out
}

fn thousands(number: u64) -> String {
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
    }

    #[test]
    fn long_lines_break_at_80_columns() {
        let mut out = Vec::new();
        wrapped(&mut out, "    ", &"word ".repeat(40)).unwrap();
        let text = String::from_utf8(out).unwrap();
        assert!(text.lines().count() > 1);
        assert!(text.lines().all(|line| line.chars().count() <= WIDTH));
    }
}
