//! Why a line is there or gone, for a terminal and for programs.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;
use serde_json::Value;

use super::escape::plain;
use super::text::wrapped;

/// One role and what is asked of it.
#[derive(Clone, Debug, Serialize)]
pub struct RoleExplanation {
    /// The ARN.
    pub role: String,
    /// Of the proposal.
    pub status: String,
    /// First and last event of the input, as the report has them.
    pub window: Value,
    /// Reasons to look, as the report has them.
    pub reasons: Vec<Value>,
    /// Functions that run with the role.
    pub functions: Vec<String>,
    /// What was asked for, sorted by action.
    pub actions: Vec<Explanation>,
}

/// The evidence on one action.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Explanation {
    /// `service:Name`, or `service:*` where a whole service has one verdict.
    pub action: String,
    /// The verdict; `not-granted` or `unknown-action` where there is none.
    pub verdict: String,
    /// Why, with the witness that decided.
    pub reason: String,
    /// Where CloudTrail would show it.
    pub visibility: Option<String>,
    /// Events that used it.
    pub count: u64,
    /// The first; ISO 8601.
    pub first_seen: Option<String>,
    /// The last.
    pub last_seen: Option<String>,
    /// A few of them.
    pub event_ids: Vec<String>,
    /// Functions that used or need it.
    pub functions: Vec<String>,
    /// Resources that the proposal keeps.
    pub resources: Vec<String>,
    /// Grants that allow it today.
    pub granted_by: Vec<String>,
    /// What of it goes, as the report has it.
    pub removed: Vec<Value>,
    /// Denied calls of it.
    pub denied: Vec<Value>,
    /// Needs of the configuration that the role does not meet.
    pub missing: Vec<Value>,
    /// Uses that other policies than the role's own allowed.
    pub allowed_elsewhere: Vec<Value>,
}

/// Writes it for people: one action in full, several as a line each.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_explanation_text(
    roles: &[RoleExplanation],
    out: &mut impl io::Write,
) -> io::Result<()> {
    for (at, role) in roles.iter().enumerate() {
        if at > 0 {
            writeln!(out)?;
        }
        writeln!(out, "{}", plain(&role.role))?;
        writeln!(out, "  status     {}", plain(&role.status))?;
        let day = |key: &str| {
            let time = role.window.get(key).and_then(Value::as_str).unwrap_or("?");
            plain(time.get(..10).unwrap_or(time))
        };
        writeln!(out, "  window     {} to {}", day("from"), day("to"))?;
        list(out, "functions", &role.functions)?;
        for reason in &role.reasons {
            let line = format!("{}: {}", field(reason, "code"), field(reason, "message"));
            wrapped(out, "  ! ", &plain(&line))?;
        }
        match role.actions.as_slice() {
            [] => writeln!(out, "\n  no action that is granted today is one of these")?,
            [one] => in_full(one, out)?,
            several => lines(several, out)?,
        }
    }
    Ok(())
}

/// A line for each action, or for those of a service that share their reason, under the verdict.
fn lines(actions: &[Explanation], out: &mut impl io::Write) -> io::Result<()> {
    let mut verdicts: BTreeMap<&str, Vec<&Explanation>> = BTreeMap::new();
    for action in actions {
        verdicts.entry(&action.verdict).or_default().push(action);
    }
    for (verdict, actions) in verdicts {
        writeln!(out, "\n  {} ({})", plain(verdict), actions.len())?;
        for (names, action) in alike(&actions) {
            let times = match action.count {
                0 => String::new(),
                count => format!("{count} times; "),
            };
            wrapped(
                out,
                "    ",
                &plain(&format!("{names}: {times}{}", action.reason)),
            )?;
        }
    }
    Ok(())
}

/// Actions of one line, before the rest is counted.
const NAMES: usize = 12;

/// Actions of one service that are what they are for one reason, under their names, in the order of the
/// first of each.
fn alike<'e>(actions: &[&'e Explanation]) -> Vec<(String, &'e Explanation)> {
    let mut groups: Vec<(&Explanation, Vec<&str>)> = Vec::new();
    let mut places = BTreeMap::new();
    for action in actions {
        let (service, name) = action
            .action
            .split_once(':')
            .unwrap_or(("", &action.action));
        let key = (service, action.count, action.reason.as_str());
        let place = *places.entry(key).or_insert_with(|| {
            groups.push((action, Vec::new()));
            groups.len() - 1
        });
        groups[place].1.push(name);
    }
    let named = |(first, names): (&'e Explanation, Vec<&str>)| {
        let more = names.len().saturating_sub(NAMES);
        let mut text = format!(
            "{}{}",
            first.action,
            ", ".repeat(usize::from(names.len() > 1))
        );
        text += &names[1..names.len() - more].join(", ");
        if more > 0 {
            text += &format!(" and {more} more");
        }
        (text, first)
    };
    groups.into_iter().map(named).collect()
}

fn in_full(of: &Explanation, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out, "\n{}", plain(&of.action))?;
    writeln!(out, "  verdict    {}", plain(&of.verdict))?;
    wrapped(out, "  why        ", &plain(&of.reason))?;
    if let Some(visibility) = &of.visibility {
        wrapped(out, "  shown by   ", &plain(visibility))?;
    }
    if of.count > 0 {
        let first = of.first_seen.as_deref().unwrap_or("?");
        let last = of.last_seen.as_deref().unwrap_or("?");
        let line = format!("{} times, first {first}, last {last}", of.count);
        writeln!(out, "  seen       {}", plain(&line))?;
    }
    list(out, "events", &of.event_ids)?;
    list(out, "functions", &of.functions)?;
    list(out, "keeps", &of.resources)?;
    list(out, "granted by", &of.granted_by)?;
    for row in &of.removed {
        let line = format!("{} (of {})", field(row, "resource"), field(row, "from"));
        wrapped(out, "  removes    ", &plain(&line))?;
    }
    for row in &of.denied {
        let count = row.get("count").and_then(Value::as_u64).unwrap_or(0);
        let line = format!(
            "{count} times on {}, by {}",
            field(row, "resource"),
            field(row, "door")
        );
        wrapped(out, "  denied     ", &plain(&line))?;
    }
    for row in &of.missing {
        let line = format!(
            "{} of {} needs it on {}",
            field(row, "feature"),
            field(row, "function"),
            field(row, "resource")
        );
        wrapped(out, "  missing    ", &plain(&line))?;
    }
    for row in &of.allowed_elsewhere {
        let line = format!(
            "{}, by another policy than the role's own",
            field(row, "resource")
        );
        wrapped(out, "  allowed on ", &plain(&line))?;
    }
    Ok(())
}

fn list(out: &mut impl io::Write, name: &str, values: &[String]) -> io::Result<()> {
    for (at, value) in values.iter().enumerate() {
        let name = if at == 0 { name } else { "" };
        writeln!(out, "  {name:<10} {}", plain(value))?;
    }
    Ok(())
}

fn field<'v>(row: &'v Value, key: &str) -> &'v str {
    row.get(key).and_then(Value::as_str).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn actions_that_share_their_reason_are_one_line() {
        let of = |action: &str, count, reason: &str| Explanation {
            action: action.into(),
            verdict: "unused".into(),
            reason: reason.into(),
            count,
            ..Explanation::default()
        };
        let mut actions = vec![
            of("kms:Decrypt", 3, "seen"),
            of("kms:Encrypt", 0, "not used"),
            of("sqs:SendMessage", 0, "not used"),
            of("kms:Sign", 0, "not used"),
            of("kms:Verify", 0, "hidden"),
        ];
        actions.extend((0..20).map(|i| of(&format!("s3:A{i}"), 0, "not used")));
        let actions: Vec<&Explanation> = actions.iter().collect();
        let lines: Vec<String> = alike(&actions)
            .into_iter()
            .map(|(names, _)| names)
            .collect();
        assert_eq!(
            lines,
            [
                "kms:Decrypt",
                "kms:Encrypt, Sign",
                "sqs:SendMessage",
                "kms:Verify",
                "s3:A0, A1, A2, A3, A4, A5, A6, A7, A8, A9, A10, A11 and 8 more",
            ]
        );
    }
}
