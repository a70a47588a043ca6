//! What changes between the current policies and the proposal: as text, for the reviewer who pastes it,
//! and by capability.

use std::collections::BTreeSet;

use serde_json::{Value, json};
use similar::TextDiff;

use crate::catalog::Catalog;
use crate::grants::Role;
use crate::iam::{ActionMatch, Effect, PolicyDocument};

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

/// The catalog actions that Allow statements name, on any resource. Deny statements are left out of the
/// count: most deny on some resources or conditions alone.
#[must_use]
pub fn allowed_actions(documents: &[&PolicyDocument], catalog: &Catalog) -> BTreeSet<String> {
    let mut actions = BTreeSet::new();
    for statement in documents
        .iter()
        .flat_map(|document| document.statements())
        .filter(|s| s.effect == Effect::Allow)
    {
        match &statement.actions {
            ActionMatch::Action(list) => {
                actions.extend(
                    list.iter()
                        .flat_map(|pattern| catalog.expand(pattern))
                        .map(|facts| facts.action.to_string()),
                );
            }
            ActionMatch::NotAction(_) => {
                actions.extend(
                    catalog
                        .actions()
                        .map(|facts| facts.action.as_str())
                        .filter(|action| statement.actions.matches(action))
                        .map(str::to_owned),
                );
            }
        }
    }
    actions
}
