//! What ties a role to its one function: `lambda:SourceFunctionArn` on the statements that the function's
//! code alone uses, `aws:SourceAccount` in the trust policy. A part and its policy in, tighter ones out.
//!
//! Lambda puts the function into the context of the credentials that code gets, and of its own calls for
//! logs, traces and mounting; not of its calls for network interfaces, pollers and environment keys
//! (Lambda developer guide, "Using source function ARN to control function access behavior"). The key
//! works in identity policies, not in trust or other resource policies.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use super::split::Part;
use crate::catalog::Catalog;
use crate::grants::{Role, Snapshot};
use crate::iam::{ActionMatch, ConditionBlock, Effect, PolicyDocument, Statement};
use crate::trail::Class;
use crate::usage::CallShape;

/// The condition key of identity policies that names the function.
pub const SOURCE_FUNCTION: &str = "lambda:SourceFunctionArn";

/// Whether the context of a call has [`SOURCE_FUNCTION`]: the trail shows the function's credentials, and
/// its code made the call itself.
#[must_use]
pub fn in_context(part: &Part, shape: &CallShape) -> bool {
    part.proven && shape.class == Class::Code && shape.function.as_deref() == Some(&part.name)
}

/// The policy with the function's ARN on every statement whose actions its code alone is known to use,
/// and how many statements that are. `used` are the actions with the verdict `used`.
#[must_use]
pub fn scoped(
    document: &PolicyDocument,
    part: &Part,
    used: &BTreeSet<String>,
    catalog: &Catalog,
) -> (PolicyDocument, usize) {
    // Lambda itself may make any call that some feature of it needs.
    let lambdas: BTreeSet<String> = catalog
        .features()
        .flat_map(|feature| catalog.needs(feature))
        .map(|need| need.action.to_ascii_lowercase())
        .collect();
    let calls = part.usage.calls(false);
    let own = |action: &String| {
        let mut of = calls
            .iter()
            .filter(|call| call.shape.action.as_str() == action)
            .peekable();
        used.contains(action)
            && !lambdas.contains(&action.to_ascii_lowercase())
            && of.peek().is_some()
            && of.all(|call| in_context(part, call.shape))
    };
    // The replicas of Lambda@Edge run elsewhere, under ARNs of their own.
    let may = part.proven && part.described && !part.at_edge;
    let mut count = 0;
    let statements = document.statements().iter().map(|statement| {
        let alone = match &statement.actions {
            ActionMatch::Action(list) => list.iter().all(own),
            ActionMatch::NotAction(_) => false,
        };
        if !may || !alone || statement.effect != Effect::Allow {
            return statement.clone();
        }
        let mut conditions = statement.conditions.clone();
        let added = conditions.add(ConditionBlock {
            operator: "ArnEquals".into(),
            key: SOURCE_FUNCTION.into(),
            values: vec![part.arn.clone()],
        });
        if !added {
            return statement.clone();
        }
        count += 1;
        Statement::new(
            statement.sid.as_deref(),
            statement.effect,
            statement.actions.clone(),
            statement.resources.clone(),
            conditions,
        )
    });
    let statements: Vec<Statement> = statements.collect();
    (PolicyDocument::new(statements), count)
}

/// Whether Lambda takes the role under a condition on the source account today.
fn has_source_account(trust: &Value) -> bool {
    let statements = match trust.get("Statement") {
        Some(Value::Array(list)) => list.as_slice(),
        Some(one) => std::slice::from_ref(one),
        None => &[],
    };
    let holds = |statement: &Value, key: &str, text: &str| {
        let part = statement.get(key).map(Value::to_string).unwrap_or_default();
        part.to_ascii_lowercase().contains(text)
    };
    let mut of_lambda = statements
        .iter()
        .filter(|s| holds(s, "Principal", "\"lambda.amazonaws.com\""))
        .peekable();
    of_lambda.peek().is_some() && of_lambda.all(|s| holds(s, "Condition", "aws:sourceaccount"))
}

/// The trust policy of a role for one function, and why it is as it is.
#[must_use]
pub fn trust_policy(role: &Role, part: &Part, snapshot: &Snapshot) -> (Value, String) {
    let mut services = vec!["lambda.amazonaws.com"];
    if part.at_edge {
        services.push("edgelambda.amazonaws.com");
    }
    let service = match services[..] {
        [one] => json!(one),
        _ => json!(services),
    };
    let mut statement =
        json!({"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"});
    let function = part.snapshot.functions.first();
    let works_today = role.trust.as_ref().is_some_and(has_source_account);
    let own_calls = function.is_none_or(|f| f.vpc || f.kms_key.is_some())
        || !part.snapshot.mappings.is_empty()
        || !snapshot.has_mappings
        || part.at_edge;
    let reason = if works_today {
        "aws:SourceAccount, as the shared role has it today"
    } else if own_calls {
        "no aws:SourceAccount: Lambda takes the role for calls of its own (pollers, network interfaces, keys), or the snapshot does not tell, and AWS does not say that those requests carry the key"
    } else {
        "aws:SourceAccount: only runs of the function take the role"
    };
    if works_today || !own_calls {
        statement["Condition"] = json!({"StringEquals": {"aws:SourceAccount": role.account}});
    }
    (
        json!({"Version": "2012-10-17", "Statement": [statement]}),
        reason.to_owned(),
    )
}
