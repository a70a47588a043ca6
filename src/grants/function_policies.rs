//! Resource policies of functions, as `aws lambda get-policy` prints them: the policy is JSON inside a
//! string. Statements name the function, so the file need not.

use serde_json::{Value, json};

/// The function's ARN without a qualifier, where a statement names it, and the policy document.
pub(super) fn parse(value: &Value) -> Result<(Option<String>, Value), String> {
    let policy = match value.get("Policy") {
        Some(Value::String(text)) => {
            serde_json::from_str(text).map_err(|e| format!("`Policy` is no JSON: {e}"))?
        }
        Some(policy) => policy.clone(),
        None => value.clone(),
    };
    if policy.get("Statement").is_none() {
        return Err(
            "expected the output of `aws lambda get-policy`: no policy with a `Statement` in it"
                .into(),
        );
    }
    let function = statements(&policy).iter().find_map(|statement| {
        let resource = match statement.get("Resource")? {
            Value::Array(list) => list.first()?.as_str()?,
            one => one.as_str()?,
        };
        let parts: Vec<&str> = resource.splitn(8, ':').collect();
        (parts.len() >= 7 && parts[5] == "function").then(|| parts[..7].join(":"))
    });
    Ok((function, policy))
}

/// The statements of a policy, which may be one alone.
fn statements(policy: &Value) -> Vec<Value> {
    match policy.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    }
}

/// Adds the statements of another policy of the function: versions and aliases have their own.
pub(super) fn join(policy: &mut Value, other: &Value) {
    let mut all = statements(policy);
    all.extend(statements(other));
    policy["Statement"] = json!(all);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn policies_come_inside_strings() {
        let policy = json!({"Version": "2012-10-17", "Statement": [{"Sid": "a", "Resource": "arn:aws:lambda:us-east-1:111122223333:function:f:live"}]});
        let printed = json!({"Policy": policy.to_string(), "RevisionId": "1"});
        let function = Some("arn:aws:lambda:us-east-1:111122223333:function:f".to_owned());
        assert_eq!(parse(&printed), Ok((function.clone(), policy.clone())));
        assert_eq!(parse(&policy), Ok((function, policy.clone())));
        assert!(parse(&json!({"Policy": "x"})).is_err());
        assert!(parse(&json!({"Functions": []})).is_err());
        let mut joined = policy.clone();
        join(&mut joined, &policy);
        assert_eq!(joined["Statement"].as_array().map(Vec::len), Some(2));
    }
}
