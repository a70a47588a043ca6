//! Whether two condition blocks can be shown never to hold for one request. Sound, not complete:
//! `false` means "not shown".

use std::cmp::Ordering;

use super::implies::{Clause, block_implies};
use super::operator::{Kind, Operator, Set};
use super::value::{network, network_covers, order};
use crate::iam::pattern::overlaps_tokens;
use crate::iam::pattern::token::Token;
use crate::iam::statement::ConditionBlock;

/// Whether some block of the one and some block of the other never hold together.
pub(crate) fn contradict(a: &[Clause<'_>], b: &[Clause<'_>]) -> bool {
    a.iter().any(|a| b.iter().any(|b| exclude(*a, *b)))
}

fn exclude(a: Clause<'_>, b: Clause<'_>) -> bool {
    if !a.block.key.eq_ignore_ascii_case(&b.block.key) {
        return false;
    }
    denies(a, b) || denies(b, a) || (single_valued(&a.block.key) && apart(a, b))
}

/// Whether the one says outright what the other denies.
fn denies(one: Clause<'_>, other: Clause<'_>) -> bool {
    opposite(other.block).is_some_and(|block| {
        let variables = other.variables;
        block_implies(
            one,
            Clause {
                block: &block,
                variables,
            },
        )
    })
}

/// The block that holds exactly where this one does not, where an operator says that.
fn opposite(block: &ConditionBlock) -> Option<ConditionBlock> {
    let operator = Operator::parse(&block.operator)?;
    if operator.kind == Kind::Null {
        let [value] = block.values.as_slice() else {
            return None;
        };
        let other = match value.to_ascii_lowercase().as_str() {
            "true" => "false",
            "false" => "true",
            _ => return None,
        };
        return Some(ConditionBlock {
            values: vec![other.into()],
            ..block.clone()
        });
    }
    // Of an operator and its negation one holds and one does not, also when the key is absent,
    // unless both let an absent key pass.
    if operator.if_exists {
        return None;
    }
    let name = match (operator.kind, operator.negated) {
        (Kind::StringEquals, true) => "StringEquals",
        (Kind::StringEquals, false) => "StringNotEquals",
        (Kind::StringEqualsIgnoreCase, true) => "StringEqualsIgnoreCase",
        (Kind::StringEqualsIgnoreCase, false) => "StringNotEqualsIgnoreCase",
        (Kind::StringLike, true) => "StringLike",
        (Kind::StringLike, false) => "StringNotLike",
        (Kind::Arn, true) => "ArnLike",
        (Kind::Arn, false) => "ArnNotLike",
        (Kind::IpAddress, true) => "IpAddress",
        (Kind::IpAddress, false) => "NotIpAddress",
        _ => return None,
    };
    // What any value does is denied by what all values do not.
    let set = match operator.set {
        Set::None => "",
        Set::Any => "ForAllValues:",
        Set::All => "ForAnyValue:",
    };
    Some(ConditionBlock {
        operator: format!("{set}{name}"),
        ..block.clone()
    })
}

/// Keys that a request has once at most: the global keys, but for those that the IAM user guide calls
/// multivalued ("AWS global condition context keys", value type).
fn single_valued(key: &str) -> bool {
    const SEVERAL: [&str; 7] = [
        "aws:calledvia",
        "aws:principalorgpaths",
        "aws:principalservicenameslist",
        "aws:resourceorgpaths",
        "aws:sourceorgpaths",
        "aws:tagkeys",
        "aws:vpceorgpaths",
    ];
    let key = key.to_ascii_lowercase();
    key.starts_with("aws:") && !SEVERAL.contains(&key.as_str())
}

/// Whether no single value satisfies both, and an absent key not either.
fn apart(a: Clause<'_>, b: Clause<'_>) -> bool {
    let (Some(ao), Some(bo)) = (
        Operator::parse(&a.block.operator),
        Operator::parse(&b.block.operator),
    ) else {
        return false;
    };
    let other = |o: Operator| o.negated || o.kind == Kind::Null;
    if other(ao) || other(bo) || (ao.holds_when_absent() && bo.holds_when_absent()) {
        return false;
    }
    a.block.values.iter().all(|av| {
        let mut others = b.block.values.iter();
        others.all(|bv| values_apart((a, ao.kind, av), (b, bo.kind, bv)))
    })
}

fn values_apart(
    (a_in, a_kind, a): (Clause<'_>, Kind, &str),
    (b_in, b_kind, b): (Clause<'_>, Kind, &str),
) -> bool {
    use Kind::{Arn, Bool, IpAddress, StringEquals, StringLike};
    match (a_kind, b_kind) {
        (Bool, Bool) => {
            let truth = |text: &str| text.parse::<bool>().ok();
            let (a, b) = (a.to_ascii_lowercase(), b.to_ascii_lowercase());
            matches!((truth(&a), truth(&b)), (Some(a), Some(b)) if a != b)
        }
        (StringEquals | StringLike | Arn, StringEquals | StringLike | Arn) => {
            let mut open = false;
            let mut compile = |clause: Clause<'_>, kind: Kind, value: &str| -> Vec<Token> {
                kind.tokens(&kind.parts(value, clause.variables), &mut |_| {
                    open = true;
                    Vec::new()
                })
            };
            let a = compile(a_in, a_kind, a);
            let b = compile(b_in, b_kind, b);
            !open && !overlaps_tokens(&a, &b)
        }
        (IpAddress, IpAddress) => match (network(a), network(b)) {
            (Some(a), Some(b)) => !network_covers(a, b) && !network_covers(b, a),
            _ => false,
        },
        (n, m) if (n.is_number() && m.is_number()) || (n.is_date() && m.is_date()) => {
            let Some(ordered) = order(n, a, b) else {
                return false;
            };
            // A value lies somewhere to `a` and somewhere to `b`; which pairs there are depends on how
            // the two are ordered themselves.
            let all = [Ordering::Less, Ordering::Equal, Ordering::Greater];
            let possible = |to_a: Ordering, to_b: Ordering| match (to_a, to_b) {
                (Ordering::Equal, at) => at == ordered,
                (at, Ordering::Equal) => at == ordered.reverse(),
                (Ordering::Less, Ordering::Greater) => ordered == Ordering::Greater,
                (Ordering::Greater, Ordering::Less) => ordered == Ordering::Less,
                _ => true,
            };
            !all.iter().any(|&to_a| {
                let mut reach = all.iter().filter(|&&to_b| possible(to_a, to_b));
                n.accepts(to_a) && reach.any(|&to_b| m.accepts(to_b))
            })
        }
        _ => false,
    }
}
