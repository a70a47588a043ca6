//! One role in full.

use std::io;

use super::super::RoleReport;
use super::super::escape::{counted, first_of, plain, thousands};
use super::super::fold::{self, Group};
use super::{BOLD, CYAN, DIM, GREEN, LABEL, Page, RED, YELLOW, change, style};

/// Groups, names and denied calls shown before the rest is counted.
const GROUPS: usize = 12;
const NAMES: usize = 12;

pub(super) fn write_role(
    role: &RoleReport,
    page: Page,
    side_by_side: bool,
    out: &mut impl io::Write,
) -> io::Result<()> {
    writeln!(out)?;
    title(role, page, out)?;
    let entry = |out: &mut _, label: &str, text: &str| page.entry(out, (DIM, label), LABEL, text);
    entry(out, "role", &role.arn)?;
    if !role.functions.is_empty() {
        entry(out, "functions", &first_of(&role.functions, NAMES))?;
    }
    let policies: Vec<String> = role
        .current
        .documents
        .iter()
        .map(|d| format!("{} ({})", d.name, fold::kind(&d.kind)))
        .collect();
    if !policies.is_empty() {
        entry(out, "policies", &first_of(&policies, NAMES))?;
    }
    sizes(role, page, out)?;
    let goes = fold::removed(role);
    if !goes.is_empty() {
        let total = counted(role.changes.removed, "action");
        page.entry(out, (RED, "removed"), LABEL, &total)?;
        groups(&goes, page, out)?;
    }
    let named = |change: &str| -> Vec<String> {
        let rows = role.decisions.iter().filter(|row| row.change == change);
        rows.map(|row| row.action.clone()).collect()
    };
    let narrowed = named("narrowed");
    if !narrowed.is_empty() {
        let text = format!(
            "{}: {}",
            counted(role.changes.narrowed, "action"),
            first_of(&narrowed, NAMES)
        );
        page.entry(out, (CYAN, "narrowed"), LABEL, &text)?;
    }
    let added = named("added");
    if !added.is_empty() {
        page.entry(out, (YELLOW, "added"), LABEL, &first_of(&added, NAMES))?;
    }
    if role.proposed.is_some() && role.changes.removed + role.changes.narrowed == 0 {
        entry(out, "", "no change in meaning: as tight already")?;
    }
    let unseen = fold::unseen(role);
    if !unseen.is_empty() {
        let total = counted(unseen.iter().map(|group| group.actions).sum(), "action");
        let text = format!("{total} that this trail cannot show");
        page.entry(out, (YELLOW, "kept unseen"), LABEL, &text)?;
        groups(&unseen, page, out)?;
    }
    risks(role, page, out)?;
    attention(role, page, out)?;
    promises(role, page, out)?;
    if !role.diff.is_empty() {
        writeln!(out)?;
        if side_by_side && page.width >= 100 {
            page.side_by_side(out, &role.diff)?;
        } else {
            page.unified(out, &role.diff)?;
        }
    }
    Ok(())
}

fn title(role: &RoleReport, page: Page, out: &mut impl io::Write) -> io::Result<()> {
    let status = role.status.as_str();
    let mut name = plain(role.name());
    let room = page.width - 8 - status.len();
    if name.chars().count() > room {
        name = name.chars().take(room - 1).chain(['…']).collect();
    }
    let rule = "─".repeat(page.width - 6 - status.len() - name.chars().count());
    writeln!(
        out,
        "{} {} {} {}",
        page.paint(DIM, "──"),
        page.paint(BOLD, &name),
        page.paint(DIM, &rule),
        page.paint(style(role.status), status)
    )
}

fn sizes(role: &RoleReport, page: Page, out: &mut impl io::Write) -> io::Result<()> {
    let proposed = role.proposed.as_ref();
    if proposed.is_none() && role.current.documents.is_empty() {
        return Ok(());
    }
    let text = format!(
        "{} actions, {} sensitive, {} characters",
        change(
            role.current.allowed_actions,
            proposed.map(|p| p.allowed_actions)
        ),
        change(
            role.current.sensitive_actions,
            proposed.map(|p| p.sensitive_actions)
        ),
        change(role.current.characters, proposed.map(|p| p.characters)),
    );
    page.entry(out, (DIM, "allows"), LABEL, &text)
}

fn groups(list: &[Group], page: Page, out: &mut impl io::Write) -> io::Result<()> {
    for group in list.iter().take(GROUPS) {
        let mut text = match group.services.as_slice() {
            few if few.len() <= 3 => format!("{}: {}", few.join(", "), group.headline()),
            many => format!(
                "{} services: {} ({})",
                thousands(many.len() as u64),
                group.headline(),
                first_of(many, 6)
            ),
        };
        if !group.details.is_empty() {
            let more: Vec<String> = group
                .details
                .iter()
                .map(|(detail, count)| format!("{} {detail}", thousands(*count as u64)))
                .collect();
            text += &format!(" ({})", first_of(&more, 2));
        }
        page.entry(out, (DIM, ""), LABEL, &text)?;
    }
    if list.len() > GROUPS {
        let more: usize = list[GROUPS..].iter().map(|group| group.actions).sum();
        let text = format!(
            "and {} in {} more groups",
            counted(more, "action"),
            list.len() - GROUPS
        );
        page.entry(out, (DIM, ""), LABEL, &text)?;
    }
    Ok(())
}

fn risks(role: &RoleReport, page: Page, out: &mut impl io::Write) -> io::Result<()> {
    for (label, color, what) in [
        ("closed", GREEN, 0),
        ("narrowed to", CYAN, 1),
        ("still open", RED, 2),
    ] {
        if role.proposed.is_none() {
            continue;
        }
        let lists = role.risks.iter().map(|risk| {
            let list = [&risk.closed, &risk.narrowed, &risk.open][what];
            (risk.class.replace('-', " "), list)
        });
        let mut first = true;
        for (class, list) in lists.filter(|(_, list)| !list.is_empty()) {
            let text = if what == 0 {
                format!(
                    "{class}: {} ({})",
                    counted(list.len(), "action"),
                    first_of(list, 3)
                )
            } else {
                format!("{class}: {}", first_of(&fold::notable(list), NAMES))
            };
            let label = if first { label } else { "" };
            first = false;
            page.entry(out, (color, label), LABEL, &text)?;
        }
    }
    Ok(())
}

fn attention(role: &RoleReport, page: Page, out: &mut impl io::Write) -> io::Result<()> {
    let mut lines: Vec<String> = role
        .reasons
        .iter()
        .map(|reason| format!("{}: {}", reason.code, reason.message))
        .collect();
    lines.extend(role.denied.iter().take(3).map(|row| {
        format!(
            "denied {} times ({}): {} on {}",
            thousands(row.count),
            row.door,
            row.action,
            row.resource
        )
    }));
    if role.denied.len() > 3 {
        lines.push(format!("and {} more denied calls", role.denied.len() - 3));
    }
    lines.extend(role.missing.iter().map(|row| {
        format!(
            "{} of {} needs {} on {}, which is not granted today",
            row.feature, row.function, row.action, row.resource
        )
    }));
    lines.extend(role.unmapped.iter().map(|row| {
        format!(
            "{} {} of {} that no rule maps",
            thousands(row.count),
            row.event_name,
            row.event_source
        )
    }));
    for (at, line) in lines.iter().enumerate() {
        let label = if at == 0 { "attention" } else { "" };
        page.entry(out, (YELLOW, label), LABEL, line)?;
    }
    Ok(())
}

fn promises(role: &RoleReport, page: Page, out: &mut impl io::Write) -> io::Result<()> {
    let Some(v) = &role.verification else {
        return Ok(());
    };
    let word = |holds| if holds { "yes" } else { "NO" };
    let text = format!(
        "no new access: {}; replay: {} of {} requests allowed; valid: {}; {} of {} characters",
        if v.no_new_access.holds {
            "proven"
        } else {
            "NOT PROVEN"
        },
        thousands(v.replay.allowed),
        thousands(v.replay.requests),
        word(v.valid.holds),
        thousands(v.quota.characters as u64),
        thousands(v.quota.limit as u64)
    );
    page.entry(out, (DIM, "promises"), LABEL, &text)
}
