//! Trust policies: who may assume a role.

use serde_json::Value;

use crate::iam::Effect;

/// A trust policy has principals and no resources, so it is read as plain JSON.
pub(super) fn read_value(value: &Value) -> Result<Value, String> {
    let Value::String(text) = value else {
        return Ok(value.clone());
    };
    let decoded = percent_encoding::percent_decode_str(text)
        .decode_utf8()
        .map_err(|e| e.to_string())?;
    serde_json::from_str(&decoded).map_err(|e| e.to_string())
}

fn statements(trust: &Value) -> Vec<&Value> {
    match trust.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    }
}

fn principal(statement: &Value) -> Option<&Value> {
    let principal = statement.get("Principal");
    principal.or_else(|| statement.get("NotPrincipal"))
}

/// The principals of the Allow statements of a trust policy.
fn principals(trust: &Value) -> Vec<&Value> {
    statements(trust)
        .into_iter()
        .filter(|statement| {
            statement.get("Effect").and_then(Value::as_str) == Some(effect_name(Effect::Allow))
        })
        .filter_map(principal)
        .collect()
}

/// Whether anything but the Lambda services may assume the role, as far as the policy can be read.
pub(super) fn trusts_others(trust: &Value) -> bool {
    let damaged = |statement: &&Value| {
        let effect = statement.get("Effect").and_then(Value::as_str);
        !matches!(effect, Some("Allow" | "Deny")) || principal(statement).is_none()
    };
    statements(trust).iter().any(damaged)
        || principals(trust)
            .into_iter()
            .any(|principal| match principal {
                Value::Object(kinds) => {
                    kinds.keys().any(|kind| kind != "Service")
                        || strings(kinds.get("Service"))
                            .iter()
                            .any(|service| !is_lambda(service))
                }
                _ => true,
            })
}

fn is_lambda(service: &str) -> bool {
    ["lambda.amazonaws.com", "edgelambda.amazonaws.com"].contains(&service)
}

/// The services that an Allow statement of a trust policy names.
pub(super) fn trusted_services(trust: &Value) -> Vec<String> {
    let mut services: Vec<String> = principals(trust)
        .into_iter()
        .flat_map(|principal| match principal {
            Value::String(any) => vec![any.clone()],
            other => strings(other.get("Service")),
        })
        .collect();
    services.sort();
    services.dedup();
    services
}

fn effect_name(effect: Effect) -> &'static str {
    match effect {
        Effect::Allow => "Allow",
        Effect::Deny => "Deny",
    }
}

fn strings(value: Option<&Value>) -> Vec<String> {
    match value {
        Some(Value::String(one)) => vec![one.clone()],
        Some(Value::Array(list)) => list
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        _ => Vec::new(),
    }
}
