//! `aws-cli.txt`: the steps of the AWS CLI, to be read and pasted one by one.

use std::io;

use super::quote::comments;
use super::scripts::calls;
use super::{InfraOptions, Plan};
use crate::render::{RoleReport, Status};

/// The commands that put the proposal in the place of today's policies, in an order in which the role is
/// never without what it needs. Empty for a role without an applicable proposal.
#[must_use]
pub fn cli_steps(role: &RoleReport, options: InfraOptions) -> Vec<String> {
    Plan::new(role, options).map_or_else(Vec::new, |plan| commands(&plan))
}

/// Writes the commands with what they do. Nothing for a role without an applicable proposal; whether
/// anything was written.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_steps(
    role: &RoleReport,
    options: InfraOptions,
    out: &mut impl io::Write,
) -> io::Result<bool> {
    let Some(plan) = Plan::new(role, options) else {
        return Ok(false);
    };
    let mut notes = plan.notes.clone();
    if role.status == Status::Review {
        notes.push("A person should look at the reasons above before any of this is run.".into());
    }
    match plan.change() {
        Ok(_) => notes.push("Run in this folder, or run apply.sh, which checks before each step. The new policy comes first, so the role is never without what it needs. current.json holds what is taken away.".into()),
        Err(error) => notes.push(format!("There are no steps that never take away what the role needs: {error}.")),
    }
    write!(out, "{}", comments(&notes))?;
    for command in commands(&plan) {
        writeln!(out, "{command}")?;
    }
    Ok(true)
}

/// The steps as commands; where there is no way that fits, none.
fn commands(plan: &Plan<'_>) -> Vec<String> {
    match plan.change() {
        Ok(change) => calls(plan.role, &change, &mut Vec::new()),
        Err(_) => Vec::new(),
    }
}
