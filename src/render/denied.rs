//! `rolefit denied`: the model, and the page for a terminal.

use std::io;

use serde::Serialize;

use super::escape::{plain, thousands};
use super::text::wrapped;
use super::{ReasonRow, Tool, Window};
use crate::access::{DeniedGroup, How};

/// Denied calls of all roles looked at: `rolefit.denied/1`.
#[derive(Clone, Debug, Serialize)]
pub struct DeniedReport {
    /// `rolefit.denied/1`.
    pub schema: &'static str,
    /// Versions.
    pub tool: Tool,
    /// First and last event, or what the user asked for.
    pub window: Window,
    /// Roles with denied calls, by ARN.
    pub roles: Vec<DeniedRole>,
    /// What a person should know of the run as a whole.
    pub notes: Vec<ReasonRow>,
}

/// Denied calls of one role.
#[derive(Clone, Debug, Serialize)]
pub struct DeniedRole {
    /// The role.
    pub arn: String,
    /// Its policies are known.
    pub in_snapshot: bool,
    /// By action and door.
    pub denied: Vec<DeniedGroup>,
}

/// Writes the page.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_denied_text(report: &DeniedReport, out: &mut impl io::Write) -> io::Result<()> {
    let calls: u64 = report
        .roles
        .iter()
        .flat_map(|role| &role.denied)
        .map(|group| group.count)
        .sum();
    writeln!(
        out,
        "{} of {}",
        counted(calls, "denied call"),
        counted(report.roles.len() as u64, "role")
    )?;
    for role in &report.roles {
        let unknown = if role.in_snapshot {
            ""
        } else {
            " (not in the snapshot)"
        };
        writeln!(out, "\n{}{unknown}", plain(&role.arn))?;
        for group in &role.denied {
            lines(group, out)?;
        }
    }
    for note in &report.notes {
        wrapped(
            out,
            "! ",
            &format!("{}: {}", note.code, plain(&note.message)),
        )?;
    }
    Ok(())
}

const INDENT: &str = "    ";

fn lines(group: &DeniedGroup, out: &mut impl io::Write) -> io::Result<()> {
    let mut head = format!(
        "{}: {}, {} to {}",
        plain(&group.action),
        counted(group.count, "call"),
        day(group.first_seen.as_deref()),
        day(group.last_seen.as_deref())
    );
    if !group.functions.is_empty() {
        let names: Vec<String> = group.functions.iter().map(|name| plain(name)).collect();
        head.push_str(&format!(", by {}", names.join(", ")));
    }
    if group.outside {
        head.push_str(", from outside Lambda");
    }
    writeln!(out)?;
    wrapped(out, "  ", &head)?;
    for resource in &group.resources {
        let text = if resource.resource == "*" {
            "no resource named".to_owned()
        } else {
            plain(&resource.resource)
        };
        let line = format!("{INDENT}on      {text} ({})", thousands(resource.count));
        writeln!(out, "{line}")?;
    }
    let verdict = &group.verdict;
    let mut door = verdict.door.replace('-', " ");
    if verdict.how == How::CannotTell {
        let candidates: Vec<String> = verdict
            .candidates
            .iter()
            .map(|door| door.replace('-', " "))
            .collect();
        door.push_str(&format!(", one of {}", candidates.join(", ")));
    }
    wrapped(
        out,
        &format!("{INDENT}door    "),
        &format!("{door}: {}", plain(&verdict.reason)),
    )?;
    if let Some(change) = &group.change {
        wrapped(
            out,
            &format!("{INDENT}since   "),
            &format!("{} {}", change.time, plain(&change.message)),
        )?;
    }
    wrapped(out, &format!("{INDENT}fix     "), &plain(&group.fix.note))?;
    if let Some(statement) = &group.fix.statement {
        let text = serde_json::to_string(statement).unwrap_or_default();
        writeln!(out, "{INDENT}        {}", plain(&text))?;
    }
    for command in &group.fix.commands {
        writeln!(out, "{INDENT}        {}", plain(command))?;
    }
    Ok(())
}

fn counted(count: u64, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{} {what}{plural}", thousands(count))
}

fn day(time: Option<&str>) -> &str {
    time.map_or("?", |time| time.get(..10).unwrap_or(time))
}
