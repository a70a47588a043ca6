//! What policies decide on one request.
//!
//! In come the policies of a role and a request; out come the decision, the statements that made it,
//! and what would have to be known where it is open. A Deny that matches wins over every Allow; what
//! no Allow matches is denied; a permissions boundary must allow too. Resource policies, session
//! policies and those of the organisation are not part of it.

use std::collections::{BTreeMap, BTreeSet};

use super::condition::{self, Context, Truth};
use super::document::{NamedPolicy, PolicySet};
use super::statement::{Effect, ResourceMatch, Statement};
use super::template::{Colons, has_variables, parts, resource_tokens};

/// One thing someone wants to do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Request {
    /// Such as `s3:GetObject`, in any case.
    pub action: String,
    /// An ARN, or `*` for actions that know no resources. Taken as it is: `*` in it is no wildcard.
    pub resource: String,
    /// Context keys, in any case, with their values. A key with an empty list is known to be absent
    /// from the request; of a key that is not here nothing is known.
    pub context: BTreeMap<String, Vec<String>>,
}

impl Request {
    /// A request of whose context nothing is known.
    #[must_use]
    pub fn new(action: &str, resource: &str) -> Self {
        Self {
            action: action.to_owned(),
            resource: resource.to_owned(),
            context: BTreeMap::new(),
        }
    }
}

/// What IAM does with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Decision {
    /// A statement allows it and none denies it.
    Allowed,
    /// A Deny statement matches.
    ExplicitDeny,
    /// No statement allows it.
    ImplicitDeny,
    /// It turns on context keys of which nothing is known.
    Depends,
}

/// A statement that had a part in a decision.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Decided {
    /// The name of the policy.
    pub document: String,
    /// The name of the statement, where it has one.
    pub sid: Option<String>,
    /// Its place in the policy, from 0.
    pub index: usize,
    /// What it does.
    pub effect: Effect,
}

/// A decision and its reasons.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Evaluation {
    /// The decision.
    pub decision: Decision,
    /// The statements that made it, in the order of the policies: for `Allowed` those that allow,
    /// for `ExplicitDeny` those that deny, for `ImplicitDeny` none, for `Depends` those that allow
    /// and all that may apply.
    pub statements: Vec<Decided>,
    /// For `Depends`: the keys it turns on, as the policies spell them, sorted.
    pub missing_context: Vec<String>,
}

/// Decides a request of which only the given context keys are known.
///
/// ```
/// use rolefit::iam::{Decision, PolicyDocument, PolicySet, Request, evaluate};
/// let policy = PolicyDocument::parse(r#"{"Version": "2012-10-17", "Statement": [
///     {"Effect": "Allow", "Action": "s3:Get*", "Resource": "arn:aws:s3:::logs/*"},
///     {"Effect": "Deny", "Action": "s3:*", "Resource": "*",
///      "Condition": {"Bool": {"aws:SecureTransport": "false"}}}]}"#)?;
/// let policies = PolicySet::of("logs", policy);
/// let mut request = Request::new("s3:GetObject", "arn:aws:s3:::logs/today");
/// let answer = evaluate(&policies, &request);
/// assert_eq!(answer.decision, Decision::Depends);
/// assert_eq!(answer.missing_context, ["aws:SecureTransport"]);
/// request.context.insert("aws:SecureTransport".into(), vec!["true".into()]);
/// assert_eq!(evaluate(&policies, &request).decision, Decision::Allowed);
/// # Ok::<(), rolefit::iam::PolicyError>(())
/// ```
#[must_use]
pub fn evaluate(policies: &PolicySet, request: &Request) -> Evaluation {
    decide(policies, request, &Context::new(&request.context, false))
}

/// Decides a request whose context is complete: a key that is not given is absent. Never `Depends`,
/// unless a policy uses a condition operator that IAM does not have.
#[must_use]
pub fn evaluate_complete(policies: &PolicySet, request: &Request) -> Evaluation {
    decide(policies, request, &Context::new(&request.context, true))
}

/// What the statements of some policies say: those that apply, those that may, and on which keys
/// that turns.
#[derive(Default)]
struct Votes {
    yes: Vec<Decided>,
    open: Vec<Decided>,
    missing: BTreeSet<String>,
}

fn votes<'a>(
    policies: impl IntoIterator<Item = &'a NamedPolicy>,
    effect: Effect,
    request: &Request,
    context: &Context<'_>,
) -> Votes {
    let mut out = Votes::default();
    for policy in policies {
        for (index, statement) in policy.document.statements().iter().enumerate() {
            if statement.effect != effect {
                continue;
            }
            let list = match applies(statement, request, context) {
                Truth::No => continue,
                Truth::Yes => &mut out.yes,
                Truth::Open(keys) => {
                    out.missing.extend(keys);
                    &mut out.open
                }
            };
            list.push(Decided {
                document: policy.name.clone(),
                sid: statement.sid.clone(),
                index,
                effect,
            });
        }
    }
    out
}

fn decide(policies: &PolicySet, request: &Request, context: &Context<'_>) -> Evaluation {
    let settled = |decision, statements| Evaluation {
        decision,
        statements,
        missing_context: Vec::new(),
    };
    let deny = votes(policies.documents(), Effect::Deny, request, context);
    if !deny.yes.is_empty() {
        return settled(Decision::ExplicitDeny, deny.yes);
    }
    let mut allows = vec![votes(&policies.identity, Effect::Allow, request, context)];
    if policies.boundary.is_some() {
        allows.push(votes(&policies.boundary, Effect::Allow, request, context));
    }
    if allows.iter().any(|a| a.yes.is_empty() && a.open.is_empty()) {
        return settled(Decision::ImplicitDeny, Vec::new());
    }
    let certain = allows.iter().all(|a| !a.yes.is_empty());
    if certain && deny.open.is_empty() {
        let statements = allows.into_iter().flat_map(|a| a.yes).collect();
        return settled(Decision::Allowed, statements);
    }
    let mut missing = deny.missing;
    let mut statements = deny.open;
    for allow in allows {
        // What is allowed for certain does not turn on what may allow it too.
        if allow.yes.is_empty() {
            missing.extend(allow.missing);
            statements.extend(allow.open);
        }
        statements.extend(allow.yes);
    }
    statements.sort();
    Evaluation {
        decision: Decision::Depends,
        statements,
        missing_context: missing.into_iter().collect(),
    }
}

/// Whether the statement is about the request.
pub(crate) fn applies(statement: &Statement, request: &Request, context: &Context<'_>) -> Truth {
    if !statement.actions.matches(&request.action) {
        return Truth::No;
    }
    let resource = on_resource(statement, &request.resource, context);
    if resource == Truth::No {
        return resource;
    }
    let blocks = &statement.conditions.blocks;
    resource.and(condition::holds(blocks, statement.variables, context))
}

fn on_resource(statement: &Statement, resource: &str, context: &Context<'_>) -> Truth {
    if statement.resources == ResourceMatch::None {
        return Truth::Yes;
    }
    let text: Vec<char> = resource.chars().collect();
    let any = Truth::any(statement.resources.patterns().iter().map(|pattern| {
        if pattern == "*" {
            return Truth::Yes;
        }
        let variables = statement.variables && has_variables(pattern);
        let parts = parts(pattern, variables);
        context.matches(|v| resource_tokens(&parts, Colons::Segments, v), &text)
    }));
    if statement.resources.negated() {
        any.not()
    } else {
        any
    }
}

#[cfg(test)]
mod tests;
