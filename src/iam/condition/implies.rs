//! Whether one condition holds only where another does. Sound, not complete: `false` means "not
//! shown", `true` means it is so for every request.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::operator::{Kind, Operator, Set};
use super::value::{network, network_covers, order};
use crate::iam::pattern::automaton::Budget;
use crate::iam::pattern::{QUESTION, covers_tokens};
use crate::iam::statement::{ConditionBlock, Conditions};
use crate::iam::template::{Names, Part, parts};

/// A block with the version of the policy it stands in.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Clause<'a> {
    pub(crate) block: &'a ConditionBlock,
    /// Whether policy variables are replaced in it.
    pub(crate) variables: bool,
}

/// Whether `weaker` holds for every request for which `stronger` holds, both read as in policies of
/// version 2012-10-17.
///
/// Each block of the weaker must follow from one block of the stronger on the same key: the same
/// operator or a stricter one with values that the weaker's values hold (equal, matched by a
/// pattern, within a range or a network), for negated operators the other way round. `false` where
/// this does not show it.
///
/// ```
/// use rolefit::iam::{ConditionBlock, Conditions, condition::implies};
/// let like = |value: &str| Conditions { blocks: vec![ConditionBlock {
///     operator: "StringLike".into(), key: "s3:prefix".into(), values: vec![value.into()] }] };
/// assert!(implies(&like("home/a/*"), &like("home/*")));
/// assert!(!implies(&like("home/*"), &like("home/a/*")));
/// assert!(implies(&like("home/*"), &Conditions::none()));
/// ```
#[must_use]
pub fn implies(stronger: &Conditions, weaker: &Conditions) -> bool {
    implies_clauses(&clauses(stronger, true), &clauses(weaker, true))
}

/// The blocks of a condition.
pub(crate) fn clauses(conditions: &Conditions, variables: bool) -> Vec<Clause<'_>> {
    let blocks = conditions.blocks.iter();
    blocks.map(|block| Clause { block, variables }).collect()
}

/// [`implies`] for blocks that may stand in policies of different versions.
pub(crate) fn implies_clauses(stronger: &[Clause<'_>], weaker: &[Clause<'_>]) -> bool {
    weaker
        .iter()
        .all(|w| stronger.iter().any(|s| block_implies(*s, *w)))
}

/// Whether both can be shown never to hold together: one of them says outright what a block of the
/// other denies.
pub(crate) fn contradict(a: &[Clause<'_>], b: &[Clause<'_>]) -> bool {
    let denied = |one: &[Clause<'_>], other: &[Clause<'_>]| {
        other.iter().any(|clause| {
            opposite(clause.block).is_some_and(|block| {
                let clause = Clause {
                    block: &block,
                    variables: clause.variables,
                };
                one.iter().any(|o| block_implies(*o, clause))
            })
        })
    };
    denied(a, b) || denied(b, a)
}

/// The block that holds exactly where this one does not, where an operator says that.
fn opposite(block: &ConditionBlock) -> Option<ConditionBlock> {
    let operator = Operator::parse(&block.operator)?;
    if operator.set != Set::None || operator.kind == Kind::Null {
        return None;
    }
    // Of an operator and its negation one holds and one does not, also when the key is absent,
    // unless both let an absent key pass.
    let name = match (operator.kind, operator.negated, operator.if_exists) {
        (Kind::StringEquals, true, false) => "StringEquals",
        (Kind::StringEquals, false, false) => "StringNotEquals",
        (Kind::StringEqualsIgnoreCase, true, false) => "StringEqualsIgnoreCase",
        (Kind::StringEqualsIgnoreCase, false, false) => "StringNotEqualsIgnoreCase",
        (Kind::StringLike, true, false) => "StringLike",
        (Kind::StringLike, false, false) => "StringNotLike",
        (Kind::Arn, true, false) => "ArnLike",
        (Kind::Arn, false, false) => "ArnNotLike",
        (Kind::IpAddress, true, false) => "IpAddress",
        (Kind::IpAddress, false, false) => "NotIpAddress",
        _ => return None,
    };
    Some(ConditionBlock {
        operator: name.into(),
        ..block.clone()
    })
}

fn block_implies(s: Clause<'_>, w: Clause<'_>) -> bool {
    if !s.block.key.eq_ignore_ascii_case(&w.block.key) {
        return false;
    }
    if s.block.operator.eq_ignore_ascii_case(&w.block.operator) && meanings(s) == meanings(w) {
        return true;
    }
    let (Some(so), Some(wo)) = (
        Operator::parse(&s.block.operator),
        Operator::parse(&w.block.operator),
    ) else {
        return false;
    };
    if wo.kind == Kind::Null {
        // Whatever fails without the key shows that the key is there.
        let wants_key = w
            .block
            .values
            .iter()
            .all(|v| v.eq_ignore_ascii_case("false"))
            && !w.block.values.is_empty();
        return wants_key && so.kind != Kind::Null && !so.holds_when_absent();
    }
    if so.kind == Kind::Null
        || so.set != wo.set
        || so.negated != wo.negated
        || (so.holds_when_absent() && !wo.holds_when_absent())
    {
        return false;
    }
    let mut names = Names::default();
    let mut budget = Budget::new(QUESTION);
    let mut within = |narrow: (Clause<'_>, Kind, &str), wide: (Clause<'_>, Kind, &str)| {
        value_within(narrow, wide, &mut names, &mut budget)
    };
    let (sv, wv) = (&s.block.values, &w.block.values);
    if so.negated {
        wv.iter().all(|wt| {
            sv.iter()
                .any(|st| within((w, wo.kind, wt), (s, so.kind, st)))
        })
    } else {
        sv.iter().all(|st| {
            wv.iter()
                .any(|wt| within((s, so.kind, st), (w, wo.kind, wt)))
        })
    }
}

/// The values of a block as what they mean in their version of the policy language.
fn meanings(clause: Clause<'_>) -> BTreeSet<Vec<Part>> {
    let kind = Operator::parse(&clause.block.operator).map(|o| o.kind);
    let values = clause.block.values.iter();
    values
        .map(|value| match kind {
            Some(kind) => kind.parts(value, clause.variables),
            None => parts(value, clause.variables),
        })
        .collect()
}

/// Whether every value of a request that the one value of a policy matches is matched by the other.
fn value_within(
    (narrow_in, narrow_kind, narrow): (Clause<'_>, Kind, &str),
    (wide_in, wide_kind, wide): (Clause<'_>, Kind, &str),
    names: &mut Names,
    budget: &mut Budget,
) -> bool {
    use Kind::{
        Arn, BinaryEquals, Bool, IpAddress, StringEquals, StringEqualsIgnoreCase, StringLike,
    };
    match (narrow_kind, wide_kind) {
        (StringEquals, StringEquals | StringLike | StringEqualsIgnoreCase)
        | (StringLike, StringLike)
        | (StringEqualsIgnoreCase, StringEqualsIgnoreCase)
        | (Bool, Bool)
        | (BinaryEquals, BinaryEquals)
        | (Arn, Arn) => {
            // Folding case makes the narrow side no narrower than it is, as the wide side is folded.
            let folded = if wide_kind == StringEqualsIgnoreCase {
                wide_kind
            } else {
                narrow_kind
            };
            let narrow = folded.tokens(&narrow_kind.parts(narrow, narrow_in.variables), &mut |v| {
                vec![names.token(v)]
            });
            let wide = wide_kind.tokens(&wide_kind.parts(wide, wide_in.variables), &mut |v| {
                vec![names.token(v)]
            });
            covers_tokens(&wide, &narrow, budget)
        }
        (IpAddress, IpAddress) => match (network(wide), network(narrow)) {
            (Some(wide), Some(narrow)) => network_covers(wide, narrow),
            _ => narrow == wide,
        },
        (n, w) if (n.is_number() && w.is_number()) || (n.is_date() && w.is_date()) => {
            let Some(ordered) = order(n, narrow, wide) else {
                return n == w && narrow == wide;
            };
            // Where a value on one side of the narrow bound can lie from the wide bound.
            let all = [Ordering::Less, Ordering::Equal, Ordering::Greater];
            let may = |side: Ordering, at: Ordering| match side {
                Ordering::Equal => at == ordered,
                side => ordered == side.reverse() || at == side,
            };
            all.iter().filter(|&&side| n.accepts(side)).all(|&side| {
                let mut reachable = all.iter().filter(|&&at| may(side, at));
                reachable.all(|&at| w.accepts(at))
            })
        }
        _ => false,
    }
}
