//! What changes between the current policies and the proposal: as text, for the reviewer who pastes it,
//! and by capability.

mod capability;

use serde_json::{Value, json};
use similar::TextDiff;

use crate::grants::Role;
use crate::iam::PolicyDocument;

pub use capability::{Change, Risk, allowed_actions, capabilities, risks};

/// All identity policies of a role as one document, statement by statement in their order: what the
/// proposal is compared with.
#[must_use]
pub fn current_document(role: &Role) -> Value {
    let statements: Vec<Value> = role
        .policies
        .iter()
        .flat_map(|p| p.policy.document.statements())
        .map(|s| s.raw.to_value())
        .collect();
    json!({ "Version": "2012-10-17", "Statement": statements })
}

/// The current policies, each under its name, as they are today.
#[must_use]
pub fn current_policies(role: &Role) -> Value {
    let policies: Vec<Value> = role
        .policies
        .iter()
        .map(|p| {
            let mut entry = json!({ "PolicyName": p.policy.name, "Kind": p.kind.as_str() });
            if let (Some(arn), Some(object)) = (&p.arn, entry.as_object_mut()) {
                object.insert("PolicyArn".into(), json!(arn));
            }
            if let Some(object) = entry.as_object_mut() {
                object.insert("PolicyDocument".into(), p.policy.document.to_value());
            }
            entry
        })
        .collect();
    let boundary = role.boundary.as_ref().map(
        |b| json!({ "PermissionsBoundaryArn": b.name, "PolicyDocument": b.document.to_value() }),
    );
    json!({ "RoleName": role.name, "Arn": role.arn, "Policies": policies, "PermissionsBoundary": boundary })
}

/// A unified diff from the current document to the proposal, with file headers.
#[must_use]
pub fn unified(role: &Role, proposed: Option<&PolicyDocument>) -> String {
    let current = pretty(&current_document(role));
    let proposed = proposed
        .map(PolicyDocument::to_json_pretty)
        .map_or_else(String::new, |text| text.trim_end().to_owned() + "\n");
    TextDiff::from_lines(&current, &proposed)
        .unified_diff()
        .context_radius(3)
        .header(
            &format!("{}/current", role.name),
            &format!("{}/proposed", role.name),
        )
        .to_string()
}

/// Two-space JSON with a final newline.
#[must_use]
pub fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
