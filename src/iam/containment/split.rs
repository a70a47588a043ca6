//! Statements taken apart by the values of their conditions.
//!
//! A block that asks for one of several values is held where a statement per value would be. Pairwise
//! comparison of conditions needs that: `[eu, us]` follows neither from a statement for `eu` nor from one
//! for `us`, though both together allow it.

use crate::iam::condition::operator::{Kind, Operator, Set};
use crate::iam::document::{NamedPolicy, PolicyDocument, PolicySet};
use crate::iam::statement::{ConditionBlock, Effect, Statement};

/// Statements that one set of policies may become. More are left whole.
const MOST: usize = 400;

/// The same policies, each Allow of the roles' policies a statement per combination of the values its
/// conditions ask for. `None` where there is nothing to take apart, or too much.
pub(super) fn by_values(policies: &PolicySet) -> Option<PolicySet> {
    let mut total = 0;
    let mut identity = Vec::new();
    let mut changed = false;
    for policy in &policies.identity {
        let mut statements = Vec::new();
        for statement in policy.document.statements() {
            let parts = parts(statement);
            changed |= parts.len() > 1;
            total += parts.len();
            if total > MOST {
                return None;
            }
            statements.extend(parts);
        }
        identity.push(NamedPolicy {
            name: policy.name.clone(),
            document: PolicyDocument::new(statements),
        });
    }
    changed.then(|| PolicySet {
        identity,
        boundary: policies.boundary.clone(),
    })
}

fn parts(statement: &Statement) -> Vec<Statement> {
    let mut out = vec![statement.clone()];
    if statement.effect == Effect::Deny {
        return out;
    }
    for (at, block) in statement.conditions.blocks.iter().enumerate() {
        if !one_of(block) || out.len() * block.values.len() > MOST {
            continue;
        }
        let with = |part: &Statement, value: &String| {
            let mut part = part.clone();
            part.conditions.blocks[at].values = vec![value.clone()];
            part
        };
        out = out
            .iter()
            .flat_map(|part| block.values.iter().map(|value| with(part, value)))
            .collect();
    }
    out
}

/// Whether the block holds where it would hold with one of its values alone.
fn one_of(block: &ConditionBlock) -> bool {
    block.values.len() > 1
        && Operator::parse(&block.operator)
            .is_some_and(|o| !o.negated && o.set != Set::All && o.kind != Kind::Null)
}
