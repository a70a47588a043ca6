//! The sharing table, for the terminal and as `sharing.md`.

use std::fmt::Write as _;
use std::io;

use super::super::RoleReport;
use super::super::escape::{plain, thousands};
use super::super::text::wrapped;
use super::PerFunction;

/// Writes the sharing table of a role.
pub(in crate::render) fn write_table(
    role: &RoleReport,
    out: &mut impl io::Write,
) -> io::Result<()> {
    let Some(apart) = &role.doors.per_function else {
        return Ok(());
    };
    let union = match (&apart.union_contained.holds, &apart.union_contained.reason) {
        (true, _) => "together they allow nothing new",
        (false, Some(_)) => "it could not be proven that together they allow nothing new",
        (false, None) => "TOGETHER THEY WOULD ALLOW SOMETHING NEW",
    };
    wrapped(
        out,
        "             ",
        &format!(
            "a role per function: {} functions; {union}",
            apart.functions.len()
        ),
    )?;
    for function in &apart.functions {
        let actions = function
            .proposed
            .as_ref()
            .map_or_else(|| "?".to_owned(), |p| thousands(p.allowed_actions as u64));
        writeln!(
            out,
            "               {:<9} {} → {}: {} → {actions} actions, {} of the others gone",
            function.status.as_str(),
            plain(&function.name),
            plain(&function.role_name),
            thousands(role.current.allowed_actions as u64),
            function.loses.len()
        )?;
    }
    for said in &apart.said {
        wrapped(out, "               ", &plain(said))?;
    }
    Ok(())
}

pub(super) fn page(role: &RoleReport, apart: &PerFunction) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# {}: a role per function\n\n{} functions share the role, which allows {} actions. Each row is a function with its own role: the actions that role allows, the calls that are surely the function's, and what it loses of what the others need.\n",
        cell(role.name()),
        apart.functions.len(),
        thousands(role.current.allowed_actions as u64)
    );
    out.push_str("| function | status | own role | actions | own calls | calls it may have made | loses |\n|---|---|---|---|---|---|---|\n");
    for function in &apart.functions {
        let actions = function
            .proposed
            .as_ref()
            .map_or_else(|| "?".to_owned(), |p| thousands(p.allowed_actions as u64));
        let loses: Vec<String> = function.loses.iter().take(12).map(|a| cell(a)).collect();
        let more = function.loses.len().saturating_sub(12);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {actions} | {} | {} | {}{more} |",
            cell(&function.name),
            function.status.as_str(),
            cell(&function.role_name),
            thousands(function.own_calls),
            thousands(function.shared_calls),
            if loses.is_empty() {
                "nothing".to_owned()
            } else {
                loses.join(", ")
            }
        );
    }
    if !apart.said.is_empty() {
        out.push_str("\n## What is of no one function\n\n");
        for said in &apart.said {
            let _ = writeln!(out, "- {}", cell(said));
        }
    }
    out.push_str("\n## The way there\n\n1. `functions/FUNCTION/apply.sh` makes the role, waits, points the function to it and looks at the result; `rollback.sh` points it back. `role.tf` and `template.yaml` hold the same role for Terraform and SAM.\n2. Published versions keep the role they were published with: publish a new version and move the aliases.\n3. Policies elsewhere that name the shared role (buckets, keys, queues, trust policies of roles it assumes) must name the new roles too.\n4. Watch `rolefit denied` for a window that holds the rare work.\n5. `functions/finish.sh` deletes the shared role once no function and no version uses it.\n");
    if !role.allowed_elsewhere.is_empty() {
        out.push_str("\nCalls that another policy than the role's own allowed today, so that it must name the new roles:\n\n");
        for row in role.allowed_elsewhere.iter().take(50) {
            let _ = writeln!(out, "- {} on {}", cell(&row.action), cell(&row.resource));
        }
    }
    out
}

/// Markdown cells: names come from logs.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        match c {
            '|' | '`' | '<' | '>' | '*' | '_' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}
