//! `role.tf`, laid out as `terraform fmt` does.

use std::io;

use serde_json::Value;

use super::quote::{comments, escaped, quoted};
use super::{InfraOptions, POLICY_NAME, Piece, Plan, Portable, identifier};
use crate::render::RoleReport;

/// Writes the inline policy as `aws_iam_role_policy`, and what to do with what it replaces. Nothing for a
/// role without an applicable proposal; whether anything was written.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_terraform(
    role: &RoleReport,
    options: InfraOptions,
    out: &mut impl io::Write,
) -> io::Result<bool> {
    let Some(plan) = Plan::new(role, options) else {
        return Ok(false);
    };
    let id = identifier(role.name(), "_");
    let mut notes = plan.notes.clone();
    if plan.inline.is_some() {
        notes.push(format!(
            "A resource of yours that holds this policy already keeps its state with: moved {{ from = aws_iam_role_policy.YOURS, to = aws_iam_role_policy.{id} }}"
        ));
    }
    let replaced = plan.detach.len() + plan.delete.len();
    if replaced > 0 {
        notes.push(
            "It takes the place of these policies. Delete their resources from your code (aws_iam_role_policy_attachment, aws_iam_role_policy, or a removed block with destroy = true), in one plan with this:".into(),
        );
        notes.extend(plan.detach.iter().map(|arn| format!("  detach {arn}")));
        notes.extend(
            plan.delete
                .iter()
                .map(|name| format!("  delete inline policy {name}")),
        );
    }
    write!(out, "{}", comments(&notes))?;
    if plan.is_portable() {
        write!(
            out,
            "\ndata \"aws_caller_identity\" \"current\" {{}}\n\ndata \"aws_partition\" \"current\" {{}}\n\ndata \"aws_region\" \"current\" {{}}\n"
        )?;
    }
    if let Some(policy) = &plan.inline {
        write!(
            out,
            "\nresource \"aws_iam_role_policy\" \"{id}\" {{\n  name = {}\n  role = {}\n  policy = jsonencode({})\n}}\n",
            quoted(POLICY_NAME),
            literal(role.name()),
            value(plan.portable, policy, 2)
        )?;
    }
    for (at, (name, policy)) in plan.spilled.iter().enumerate() {
        let id = format!("{id}_{}", at + 1);
        write!(
            out,
            "\nresource \"aws_iam_policy\" \"{id}\" {{\n  name = {}\n  policy = jsonencode({})\n}}\n\nresource \"aws_iam_role_policy_attachment\" \"{id}\" {{\n  role       = {}\n  policy_arn = aws_iam_policy.{id}.arn\n}}\n",
            literal(name),
            value(plan.portable, policy, 2),
            literal(role.name())
        )?;
    }
    if let Some(arn) = &plan.managed {
        write!(
            out,
            "\nresource \"aws_iam_role_policy_attachment\" \"{id}_logging\" {{\n  role       = {}\n  policy_arn = {}\n}}\n",
            literal(role.name()),
            text(&plan.portable.pieces(arn))
        )?;
    }
    Ok(true)
}

/// A JSON value as an HCL expression whose closing bracket stands at `indent`.
pub(in crate::render) fn value(portable: Portable<'_>, json: &Value, indent: usize) -> String {
    let inner = " ".repeat(indent + 2);
    let close = " ".repeat(indent);
    match json {
        Value::Object(object) if object.is_empty() => "{}".to_owned(),
        Value::Object(object) => {
            let mut lines = Vec::new();
            // `terraform fmt` aligns neighbours that take one line each.
            let mut group: Vec<(String, String)> = Vec::new();
            let flush = |group: &mut Vec<(String, String)>, lines: &mut Vec<String>| {
                let width = group.iter().map(|(key, _)| key.chars().count()).max();
                for (key, item) in group.drain(..) {
                    let pad = " ".repeat(width.unwrap_or(0) - key.chars().count());
                    lines.push(format!("{inner}{key}{pad} = {item}"));
                }
            };
            for (name, item) in object {
                let item = value(portable, item, indent + 2);
                let key = key(name);
                if item.contains('\n') {
                    flush(&mut group, &mut lines);
                    lines.push(format!("{inner}{key} = {item}"));
                } else {
                    group.push((key, item));
                }
            }
            flush(&mut group, &mut lines);
            format!("{{\n{}\n{close}}}", lines.join("\n"))
        }
        Value::Array(list) if list.is_empty() => "[]".to_owned(),
        Value::Array(list) => {
            let items: Vec<String> = list
                .iter()
                .map(|item| format!("{inner}{},", value(portable, item, indent + 2)))
                .collect();
            format!("[\n{}\n{close}]", items.join("\n"))
        }
        Value::String(string) => text(&portable.pieces(string)),
        other => other.to_string(),
    }
}

fn key(name: &str) -> String {
    let plain = name.starts_with(|c: char| c.is_ascii_alphabetic())
        && name.chars().all(|c| c.is_ascii_alphanumeric());
    if plain {
        name.to_owned()
    } else {
        literal(name)
    }
}

/// A string of the policy or about it as it stands.
pub(in crate::render) fn literal(string: &str) -> String {
    text(&[Piece::Text(string)])
}

/// A string in which `${` and `%{` of the policy are no templates.
fn text(pieces: &[Piece<'_>]) -> String {
    let mut out = String::from("\"");
    for piece in pieces {
        match piece {
            Piece::Text(text) => {
                out.push_str(&escaped(text).replace("${", "$${").replace("%{", "%%{"));
            }
            Piece::Partition => out.push_str("${data.aws_partition.current.partition}"),
            Piece::Region => out.push_str("${data.aws_region.current.name}"),
            Piece::Account => out.push_str("${data.aws_caller_identity.current.account_id}"),
        }
    }
    out.push('"');
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policy_variables_and_templates_are_text() {
        assert_eq!(
            text(&[Piece::Text("a/${aws:username}/%{if x}\"")]),
            r#""a/$${aws:username}/%%{if x}\"""#
        );
        assert_eq!(key("Effect"), "Effect");
        assert_eq!(key("aws:username"), "\"aws:username\"");
    }
}
