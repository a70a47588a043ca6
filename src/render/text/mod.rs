//! The report for a terminal: a line a role, and for each role what changes, why, and what needs a person.
//!
//! Names, agents and messages come from logs that strangers can write to, so nothing of them reaches
//! the terminal unescaped. Every line keeps to the width, whatever the names.

mod layout;
mod role;

use std::io;

use super::escape::{counted, plain, thousands};
use super::{Report, RoleReport, Status, apart};
pub(super) use layout::wrapped;
use layout::{BOLD, CYAN, DIM, GREEN, Page, RED, YELLOW};

/// How the text is written.
#[derive(Clone, Copy, Debug)]
pub struct TextOptions {
    /// Colour, by escape sequences.
    pub color: bool,
    /// Characters a line; at least 80.
    pub width: usize,
    /// Each role in full after the overview.
    pub details: bool,
    /// The diffs in two columns, where the width is 100 or more.
    pub side_by_side: bool,
}

/// Width of the labels of an entry.
const LABEL: usize = 12;
/// Role names up to this length share a line with their numbers.
const NAME: usize = 36;

/// Writes the overview, and each role in full where wanted.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_text(
    report: &Report,
    options: TextOptions,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let page = Page {
        color: options.color,
        width: options.width.max(80),
    };
    header(report, page, out)?;
    let mut roles: Vec<&RoleReport> = report.roles.iter().collect();
    roles.sort_by_key(|role| (role.account(), role.name()));
    if roles.is_empty() {
        writeln!(
            out,
            "\nNo Lambda role was found. --all-roles looks at every role, --role NAME at one."
        )?;
    }
    overview(&roles, page, out)?;
    totals(report, page, out)?;
    if options.details {
        for role in roles {
            role::write_role(role, page, options.side_by_side, out)?;
        }
    }
    Ok(())
}

fn header(report: &Report, page: Page, out: &mut impl io::Write) -> io::Result<()> {
    let objects = &report.input.objects;
    let day = |time: &Option<String>| {
        time.as_deref()
            .map_or("?", |t| t.get(..10).unwrap_or(t))
            .to_owned()
    };
    let text = format!(
        "rolefit {}, catalog {}",
        report.tool.version,
        report.tool.catalog.split(' ').next().unwrap_or_default()
    );
    page.entry(out, ("", ""), 0, &text)?;
    let text = format!(
        "{} records from {} to {} in {} of {} log objects ({} skipped, {} failed)",
        thousands(report.input.records.read),
        day(&report.window.from),
        day(&report.window.to),
        thousands(objects.read),
        thousands(objects.listed),
        thousands(objects.skipped),
        thousands(objects.failed)
    );
    page.entry(out, ("", ""), 0, &text)
}

fn overview(roles: &[&RoleReport], page: Page, out: &mut impl io::Write) -> io::Result<()> {
    let width = roles
        .iter()
        .map(|role| plain(role.name()).chars().count())
        .filter(|length| *length <= NAME)
        .max()
        .unwrap_or(0)
        .max(12);
    let mut account = None;
    for role in roles {
        if account != Some(role.account()) {
            account = Some(role.account());
            let title = format!("account {}", plain(role.account()));
            writeln!(out, "\n{}", page.paint(BOLD, &title))?;
            let columns = format!(
                "  {:<9}  {:<width$}  {:>16}  {:>11}",
                "status", "role", "allowed actions", "sensitive"
            );
            writeln!(out, "{}", page.paint(DIM, &columns))?;
        }
        role_lines(role, width, page, out)?;
    }
    Ok(())
}

fn role_lines(
    role: &RoleReport,
    width: usize,
    page: Page,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let proposed = role.proposed.as_ref();
    let actions = change(
        role.current.allowed_actions,
        proposed.map(|p| p.allowed_actions),
    );
    let sensitive = change(
        role.current.sensitive_actions,
        proposed.map(|p| p.sensitive_actions),
    );
    let status = page.paint(style(role.status), &format!("{:<9}", role.status.as_str()));
    let name = plain(role.name());
    if name.chars().count() <= width {
        writeln!(
            out,
            "  {status}  {name:<width$}  {actions:>16}  {sensitive:>11}"
        )?;
    } else {
        let label = format!("  {:<9}", role.status.as_str());
        page.entry(out, (style(role.status), &label), 13, role.name())?;
        let blank = "";
        writeln!(
            out,
            "             {blank:<width$}  {actions:>16}  {sensitive:>11}"
        )?;
    }
    apart::write_table(role, out)?;
    for reason in &role.reasons {
        let text = format!("{}: {}", reason.code, reason.message);
        page.entry(out, ("", ""), 13, &text)?;
    }
    Ok(())
}

fn totals(report: &Report, page: Page, out: &mut impl io::Write) -> io::Result<()> {
    let count = |status| {
        report
            .roles
            .iter()
            .filter(|role| role.status == status)
            .count()
    };
    writeln!(
        out,
        "\n{}: {} ready, {} unchanged, {} to review, {} refused",
        counted(report.roles.len(), "role"),
        count(Status::Ready),
        count(Status::Unchanged),
        count(Status::Review),
        count(Status::Refused)
    )?;
    for note in &report.notes {
        let text = format!("{}: {}", note.code, note.message);
        page.entry(out, (YELLOW, "!"), 2, &text)?;
    }
    Ok(())
}

fn style(status: Status) -> &'static str {
    match status {
        Status::Ready | Status::Unchanged => GREEN,
        Status::Review => YELLOW,
        Status::Refused => RED,
    }
}

fn change(before: usize, after: Option<usize>) -> String {
    match after {
        Some(after) => format!("{} → {}", thousands(before as u64), thousands(after as u64)),
        None => thousands(before as u64),
    }
}
