//! Whether a part of the snapshot is as the AWS CLI prints it: a value in, what is wrong with it out.
//!
//! What is damaged must not read as something else that is sound: a policy that lost an element as a wider or
//! a narrower one, a filter that lost its values as none.

use serde_json::Value;

use crate::iam::{ELEMENTS, Json, PolicyDocument};

/// Why IAM cannot have stored this identity policy, though it reads as one. It stores no other elements.
pub(super) fn policy(document: &PolicyDocument) -> Result<(), String> {
    for statement in document.statements() {
        if let Json::Object(fields) = &statement.raw {
            let mut keys = fields.iter().map(|(key, _)| key.as_str());
            if let Some(odd) = keys.find(|key| !ELEMENTS.contains(key)) {
                return Err(format!("`{odd}` is no element of a statement"));
            }
        }
        let actions = statement.actions.patterns();
        if actions.is_empty() {
            return Err("a statement has no action".into());
        }
        let named = |action: &&String| action.contains(':') || action.contains(['*', '?']);
        if let Some(odd) = actions.iter().find(|action| !named(action)) {
            return Err(format!("`{odd}` names no action"));
        }
        let resources = statement.resources.patterns();
        if resources.is_empty() {
            return Err("a statement has no resource".into());
        }
        let named = |resource: &&String| {
            resource.starts_with("arn:") || resource.starts_with(['*', '?', '$'])
        };
        if let Some(odd) = resources.iter().find(|resource| !named(resource)) {
            return Err(format!("`{odd}` is no ARN"));
        }
    }
    Ok(())
}

/// A key, or the JSON pointer of a place, and whether a value may stand there.
pub(super) type Fits<'k> = (&'k str, fn(&Value) -> bool);

/// A key of an object that holds something else than what the AWS CLI prints there; one that is missing or
/// null is as good as never printed.
pub(super) fn odd_key<'k>(value: &Value, keys: &[Fits<'k>]) -> Option<&'k str> {
    let odd = |(key, fits): &&Fits<'k>| {
        value
            .get(*key)
            .is_some_and(|found| !found.is_null() && !fits(found))
    };
    keys.iter().find(odd).map(|(key, _)| *key)
}

/// A list of strings.
pub(super) fn is_texts(value: &Value) -> bool {
    value
        .as_array()
        .is_some_and(|list| list.iter().all(Value::is_string))
}
