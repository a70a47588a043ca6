//! `report.md`: for the comment of a pull request, and for `$GITHUB_STEP_SUMMARY`.

use std::fmt::Write as _;
use std::io;

use super::escape::{counted, first_of, plain, thousands};
use super::fold::{self, Group};
use super::{Report, RoleReport, Status};

/// A comment takes 65,536 characters.
const ROOM: usize = 60_000;
/// Of these, for the table.
const TABLE: usize = 24_000;

/// Writes the report. What does not fit into a comment is left out from the end, and said.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_markdown(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let mut text = String::new();
    head(report, &mut text);
    let mut roles: Vec<&RoleReport> = report.roles.iter().collect();
    roles.sort_by_key(|role| (weight(role.status), role.account(), role.name()));
    table(&roles, &mut text);
    details(&roles, &mut text);
    out.write_all(text.as_bytes())
}

fn weight(status: Status) -> u8 {
    match status {
        Status::Refused => 0,
        Status::Review => 1,
        Status::Ready => 2,
        Status::Unchanged => 3,
    }
}

fn sign(status: Status) -> &'static str {
    match status {
        Status::Ready => "🟢 ready",
        Status::Unchanged => "⚪ unchanged",
        Status::Review => "🟡 review",
        Status::Refused => "🔴 refused",
    }
}

fn head(report: &Report, text: &mut String) {
    let of = |status| report.roles.iter().filter(|r| r.status == status).count();
    let day = |time: &Option<String>| {
        let time = time.as_deref().unwrap_or("?");
        prose(time.get(..10).unwrap_or(time))
    };
    let _ = writeln!(text, "## rolefit: Lambda execution roles\n");
    let _ = writeln!(
        text,
        "**{}**: {} ready, {} to review, {} refused, {} unchanged. {} records from {} to {}.\n",
        counted(report.roles.len(), "role"),
        of(Status::Ready),
        of(Status::Review),
        of(Status::Refused),
        of(Status::Unchanged),
        thousands(report.input.records.read),
        day(&report.window.from),
        day(&report.window.to)
    );
    for note in report.notes.iter().take(20) {
        let _ = writeln!(
            text,
            "> [!WARNING]\n> {}: {}\n",
            code(&note.code),
            prose(&note.message)
        );
    }
    if report.notes.len() > 20 {
        let _ = writeln!(
            text,
            "And {} more notes in the report.\n",
            report.notes.len() - 20
        );
    }
}

fn table(roles: &[&RoleReport], text: &mut String) {
    if roles.is_empty() {
        text.push_str("No Lambda role was found.\n");
        return;
    }
    text.push_str(
        "| status | role | allowed actions | sensitive | characters |\n|---|---|--:|--:|--:|\n",
    );
    for (at, role) in roles.iter().enumerate() {
        let after = role.proposed.as_ref();
        let line = format!(
            "| {} | {}<br><sub>{}</sub> | {} | {} | {} |\n",
            sign(role.status),
            code(role.name()),
            prose(role.account()),
            change(
                role.current.allowed_actions,
                after.map(|p| p.allowed_actions)
            ),
            change(
                role.current.sensitive_actions,
                after.map(|p| p.sensitive_actions)
            ),
            change(role.current.characters, after.map(|p| p.characters)),
        );
        if text.len() + line.len() > TABLE {
            let _ = writeln!(
                text,
                "\n{} more are in the full report.",
                counted(roles.len() - at, "role")
            );
            break;
        }
        text.push_str(&line);
    }
    text.push('\n');
}

fn details(roles: &[&RoleReport], text: &mut String) {
    let mut left_out = 0;
    for role in roles.iter().filter(|r| r.status != Status::Unchanged) {
        let full = role_text(role, true);
        let short = || role_text(role, false);
        let room = ROOM.saturating_sub(text.len());
        if full.len() <= room.min(ROOM / 4) {
            text.push_str(&full);
            continue;
        }
        let short = short();
        if short.len() <= room {
            text.push_str(&short);
        } else {
            left_out += 1;
        }
    }
    if left_out > 0 {
        let _ = writeln!(
            text,
            "The details of {} do not fit here; they are in the full report.",
            counted(left_out, "role")
        );
    }
}

fn role_text(role: &RoleReport, with_diff: bool) -> String {
    let mut text = String::new();
    let after = role.proposed.as_ref().map(|p| p.allowed_actions);
    let _ = writeln!(
        text,
        "<details><summary><code>{}</code>: {}, {} allowed actions</summary>\n",
        html(role.name()),
        role.status.as_str(),
        change(role.current.allowed_actions, after)
    );
    for reason in &role.reasons {
        let _ = writeln!(text, "- {}: {}", code(&reason.code), prose(&reason.message));
    }
    for (word, groups) in [
        ("Removed", fold::removed(role)),
        ("Kept, not visible", fold::unseen(role)),
    ] {
        for group in groups.iter().take(8) {
            let _ = writeln!(text, "- {word}: {}", group_text(group));
        }
        if groups.len() > 8 {
            let _ = writeln!(text, "- {word}: and {} more groups", groups.len() - 8);
        }
    }
    for risk in role.risks.iter().filter(|_| role.proposed.is_some()) {
        let mut parts = Vec::new();
        for (word, list) in [
            ("closed", &risk.closed),
            ("narrowed", &risk.narrowed),
            ("still open", &risk.open),
        ] {
            if !list.is_empty() {
                let names: Vec<String> = fold::notable(list)
                    .iter()
                    .map(|action| code(action))
                    .collect();
                parts.push(format!("{} {word} ({})", list.len(), first_of(&names, 4)));
            }
        }
        let _ = writeln!(
            text,
            "- {}: {}",
            risk.class.replace('-', " "),
            parts.join("; ")
        );
    }
    if with_diff && !role.diff.is_empty() {
        let diff: String = role.diff.lines().map(|line| plain(line) + "\n").collect();
        let fence = "`".repeat(longest_run(&diff, '`').max(2) + 1);
        let _ = writeln!(text, "\n{fence}diff\n{diff}{fence}");
    } else if !role.diff.is_empty() {
        text.push_str("\nThe diff is too long for a comment; it is `policy.diff` in the folder of the role.\n");
    }
    text.push_str("\n</details>\n\n");
    text
}

fn group_text(group: &Group) -> String {
    let services: Vec<String> = group.services.iter().map(|s| code(s)).collect();
    let mut text = format!("{}: {}", first_of(&services, 4), prose(&group.headline()));
    let details: Vec<String> = group
        .details
        .iter()
        .map(|(detail, count)| format!("{} {}", thousands(*count as u64), prose(detail)))
        .collect();
    if !details.is_empty() {
        let _ = write!(text, " ({})", first_of(&details, 3));
    }
    text
}

fn change(before: usize, after: Option<usize>) -> String {
    match after {
        Some(after) => format!("{} → {}", thousands(before as u64), thousands(after as u64)),
        None => thousands(before as u64),
    }
}

fn longest_run(text: &str, wanted: char) -> usize {
    let mut longest = 0;
    let mut run = 0;
    for c in text.chars() {
        run = if c == wanted { run + 1 } else { 0 };
        longest = longest.max(run);
    }
    longest
}

/// A name as code: nothing in it is markup, a mention or a link, also in a table.
fn code(text: &str) -> String {
    let text = plain(text).replace('|', "\\|");
    if text.trim().is_empty() {
        return String::new();
    }
    let fence = "`".repeat(longest_run(&text, '`') + 1);
    if text.starts_with('`') || text.ends_with('`') {
        format!("{fence} {text} {fence}")
    } else {
        format!("{fence}{text}{fence}")
    }
}

/// A message: punctuation escaped, and words that would become mentions or links as code.
fn prose(text: &str) -> String {
    plain(text)
        .split(' ')
        .map(|word| {
            let links = word.contains(['@', '#', '<', '>', '`', '|'])
                || word.contains("//")
                || word.starts_with("www.");
            if links {
                return code(word);
            }
            let mut out = String::new();
            for c in word.chars() {
                if c == '&' {
                    out.push_str("&amp;");
                    continue;
                }
                if matches!(
                    c,
                    '\\' | '*' | '_' | '{' | '}' | '[' | ']' | '!' | '~' | '$'
                ) {
                    out.push('\\');
                }
                out.push(c);
            }
            out
        })
        .collect::<Vec<_>>()
        .join(" ")
}

fn html(text: &str) -> String {
    plain(text)
        .replace('&', "&amp;")
        .replace('<', "&lt;")
        .replace('>', "&gt;")
        .replace('@', "&#64;")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_no_markup() {
        assert_eq!(code("a|b`c"), "``a\\|b`c``");
        assert_eq!(code("`x`"), "`` `x` ``");
        assert_eq!(
            prose("<script>alert(1)</script> | @team *x*"),
            "`<script>alert(1)</script>` `\\|` `@team` \\*x\\*"
        );
        assert_eq!(
            prose("see https://evil.example now"),
            "see `https://evil.example` now"
        );
        assert_eq!(html("</summary><img>"), "&lt;/summary&gt;&lt;img&gt;");
    }
}
