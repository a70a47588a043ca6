//! `aws-cli.txt`: the steps of the AWS CLI, to be read and pasted one by one.

use std::io;

use super::quote::{comments, shell};
use super::{InfraOptions, POLICY_NAME, Plan};
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
    notes.push("Run in this folder. The new policy comes first, so the role is never without what it needs. current.json holds what is taken away.".into());
    if plan.managed.is_some() {
        notes.push(
            "Logging comes from the managed policy, so policy.json holds it once more than needed."
                .into(),
        );
    }
    if !plan.spilled.is_empty() {
        notes.push("Where a policy of that name exists already, aws iam create-policy-version --set-as-default takes the place of create-policy.".into());
    }
    write!(out, "{}", comments(&notes))?;
    for command in commands(&plan) {
        writeln!(out, "{command}")?;
    }
    Ok(true)
}

fn commands(plan: &Plan<'_>) -> Vec<String> {
    let name = shell(plan.role.name());
    let mut out = Vec::new();
    if let Some(arn) = &plan.managed {
        out.push(format!(
            "aws iam attach-role-policy --role-name {name} --policy-arn {}",
            shell(arn)
        ));
    }
    if plan.inline.is_some() {
        out.push(format!(
            "aws iam put-role-policy --role-name {name} --policy-name {POLICY_NAME} --policy-document file://policy.json"
        ));
    }
    for (at, (policy, _)) in plan.spilled.iter().enumerate() {
        let arn = format!(
            "arn:{}:iam::{}:policy/{policy}",
            plan.role.arn.split(':').nth(1).unwrap_or("aws"),
            plan.role.account()
        );
        out.push(format!(
            "aws iam create-policy --policy-name {} --policy-document file://managed-policy-{}.json",
            shell(policy),
            at + 1
        ));
        out.push(format!(
            "aws iam attach-role-policy --role-name {name} --policy-arn {}",
            shell(&arn)
        ));
    }
    out.extend(plan.detach.iter().map(|arn| {
        format!(
            "aws iam detach-role-policy --role-name {name} --policy-arn {}",
            shell(arn)
        )
    }));
    out.extend(plan.delete.iter().map(|policy| {
        format!(
            "aws iam delete-role-policy --role-name {name} --policy-name {}",
            shell(policy)
        )
    }));
    out
}
