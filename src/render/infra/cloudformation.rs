//! `template.yaml` for CloudFormation and `sam.yaml` for SAM.

use std::collections::BTreeSet;
use std::io;

use serde_json::{Value, json};

use super::quote::{comments, escaped, quoted};
use super::{InfraOptions, POLICY_NAME, Piece, Plan, Portable, identifier};
use crate::render::RoleReport;

/// Writes the inline policy as `AWS::IAM::RolePolicy` of the role as it is. Nothing for a role without an
/// applicable proposal; whether anything was written.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_cloudformation(
    role: &RoleReport,
    options: InfraOptions,
    out: &mut impl io::Write,
) -> io::Result<bool> {
    let Some(plan) = Plan::new(role, options) else {
        return Ok(false);
    };
    if plan.inline.is_none() && plan.spilled.is_empty() {
        return Ok(false);
    }
    let mut notes = plan.notes.clone();
    notes.push(
        "Where the role is a resource of this stack, write its RoleName as !Ref, or move the document under Policies of its AWS::IAM::Role.".into(),
    );
    replaced(&plan, &mut notes);
    let id = identifier(role.name(), "");
    write!(
        out,
        "{}AWSTemplateFormatVersion: \"2010-09-09\"\nDescription: {}\nResources:\n",
        comments(&notes),
        quoted(&format!("Tightened policy of {}", role.name()))
    )?;
    if let Some(policy) = &plan.inline {
        write!(
            out,
            "  {id}Policy:\n    Type: AWS::IAM::RolePolicy\n    Properties:\n      PolicyName: {}\n      RoleName: {}\n      PolicyDocument:{}",
            quoted(POLICY_NAME),
            quoted(role.name()),
            value(plan.portable, policy, 8)
        )?;
    }
    spilled(&plan, &id, Some(role.name()), out)?;
    Ok(true)
}

/// Writes each function of the role as `AWS::Serverless::Function` with its `Policies`. Nothing where the
/// role has no known function; whether anything was written.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_sam(
    role: &RoleReport,
    options: InfraOptions,
    out: &mut impl io::Write,
) -> io::Result<bool> {
    let Some(plan) = Plan::new(role, options) else {
        return Ok(false);
    };
    if role.functions.is_empty()
        || (plan.inline.is_none() && plan.managed.is_none() && plan.spilled.is_empty())
    {
        return Ok(false);
    }
    let mut notes = plan.notes.clone();
    notes.push("Handler, Runtime and CodeUri are placeholders; what counts is Policies. SAM makes a role for each function that has no Role property.".into());
    if role.functions.len() > 1 {
        notes.push(
            "The functions share one role today, so each gets what any of them needs.".into(),
        );
    }
    replaced(&plan, &mut notes);
    let mut policies: Vec<Value> = Vec::new();
    policies.extend(plan.managed.iter().map(|arn| json!(arn.rsplit('/').next())));
    policies.extend(plan.inline.clone());
    let mut policies = if policies.is_empty() {
        "\n".to_owned()
    } else {
        value(plan.portable, &Value::Array(policies), 8)
    };
    let role_id = identifier(role.name(), "");
    for at in 1..=plan.spilled.len() {
        policies.push_str(&format!("        - !Ref {role_id}Managed{at}\n"));
    }
    write!(
        out,
        "{}AWSTemplateFormatVersion: \"2010-09-09\"\nTransform: AWS::Serverless-2016-10-31\nResources:\n",
        comments(&notes)
    )?;
    spilled(&plan, &role_id, None, out)?;
    let mut taken: BTreeSet<String> = (1..=plan.spilled.len())
        .map(|at| format!("{role_id}Managed{at}"))
        .collect();
    for function in &role.functions {
        let mut id = identifier(function, "");
        while !taken.insert(id.clone()) {
            id.push('X');
        }
        write!(
            out,
            "  {id}:\n    Type: AWS::Serverless::Function\n    Properties:\n      FunctionName: {}\n      Handler: index.handler\n      Runtime: python3.13\n      CodeUri: ./src\n      Policies:{policies}",
            quoted(function)
        )?;
    }
    Ok(true)
}

/// The policies that did not fit inline, attached to `role` where one is given.
fn spilled(
    plan: &Plan<'_>,
    id: &str,
    role: Option<&str>,
    out: &mut impl io::Write,
) -> io::Result<()> {
    for (at, (name, policy)) in plan.spilled.iter().enumerate() {
        write!(
            out,
            "  {id}Managed{}:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      ManagedPolicyName: {}\n",
            at + 1,
            quoted(name)
        )?;
        if let Some(role) = role {
            write!(out, "      Roles:\n        - {}\n", quoted(role))?;
        }
        write!(
            out,
            "      PolicyDocument:{}",
            value(plan.portable, policy, 8)
        )?;
    }
    Ok(())
}

fn replaced(plan: &Plan<'_>, notes: &mut Vec<String>) {
    if let Some(arn) = &plan.managed {
        notes.push(format!(
            "Logging comes from {arn}: attach it, or leave it attached."
        ));
    }
    if plan.detach.len() + plan.delete.len() > 0 {
        notes.push("It takes the place of these policies:".into());
    }
    notes.extend(plan.detach.iter().map(|arn| format!("  detach {arn}")));
    notes.extend(
        plan.delete
            .iter()
            .map(|name| format!("  delete inline policy {name}")),
    );
}

/// A JSON value behind a key or a dash: on the same line where it is one word, else as a block at `indent`.
pub(in crate::render) fn value(portable: Portable<'_>, json: &Value, indent: usize) -> String {
    let pad = " ".repeat(indent);
    match json {
        Value::Object(object) if object.is_empty() => " {}\n".to_owned(),
        Value::Object(object) => {
            let fields: String = object
                .iter()
                .map(|(name, item)| {
                    format!("{pad}{}:{}", key(name), value(portable, item, indent + 2))
                })
                .collect();
            format!("\n{fields}")
        }
        Value::Array(list) if list.is_empty() => " []\n".to_owned(),
        Value::Array(list) => {
            let items: String = list
                .iter()
                .map(|item| match item {
                    Value::Object(object) if !object.is_empty() => {
                        // The first field stands behind the dash.
                        let block = value(portable, item, indent + 2);
                        format!("{pad}- {}", block.trim_start())
                    }
                    item => format!("{pad}-{}", value(portable, item, indent + 2)),
                })
                .collect();
            format!("\n{items}")
        }
        Value::String(string) => format!(" {}\n", text(portable, string)),
        other => format!(" {other}\n"),
    }
}

fn key(name: &str) -> String {
    let plain = !name.is_empty() && name.chars().all(|c| c.is_ascii_alphanumeric() || c == ':');
    if plain && !name.ends_with(':') && name.starts_with(|c: char| c.is_ascii_alphabetic()) {
        name.to_owned()
    } else {
        quoted(name)
    }
}

fn text(portable: Portable<'_>, string: &str) -> String {
    let pieces = portable.pieces(string);
    if pieces.iter().all(|piece| matches!(piece, Piece::Text(_))) {
        return quoted(string);
    }
    let mut out = String::from("!Sub \"");
    for piece in pieces {
        match piece {
            // Only `!Sub` reads `${`; `${!` is its escape.
            Piece::Text(text) => out.push_str(&escaped(text).replace("${", "${!")),
            Piece::Partition => out.push_str("${AWS::Partition}"),
            Piece::Region => out.push_str("${AWS::Region}"),
            Piece::Account => out.push_str("${AWS::AccountId}"),
        }
    }
    out.push('"');
    out
}
