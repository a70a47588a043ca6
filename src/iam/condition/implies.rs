//! Whether one condition holds only where another does. Sound, not complete: `false` means "not
//! shown", `true` means it is so for every request.

use std::cmp::Ordering;
use std::collections::BTreeSet;

use super::operator::{Kind, Operator};
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

/// Whether the block `w` holds wherever `s` does.
pub(super) fn block_implies(s: Clause<'_>, w: Clause<'_>) -> bool {
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

/// Whether the text of an ARN pattern has the colons of an ARN.
fn has_six_parts(parts: &[Part]) -> bool {
    parts.iter().filter(|p| **p == Part::Plain(':')).count() >= 5
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
        (StringEquals | StringLike, StringEquals | StringLike | StringEqualsIgnoreCase)
        | (StringEqualsIgnoreCase, StringEqualsIgnoreCase)
        | (Bool, Bool)
        | (BinaryEquals, BinaryEquals)
        | (StringEquals | StringLike | Arn, Arn)
        | (Arn, StringEquals | StringLike) => {
            let narrow_parts = narrow_kind.parts(narrow, narrow_in.variables);
            let wide_parts = wide_kind.parts(wide, wide_in.variables);
            if narrow_kind == wide_kind && narrow_parts == wide_parts {
                return true;
            }
            // AWS says of ARN operators that each of the six parts is compared, not what becomes of a
            // pattern with fewer: it may match nothing.
            if wide_kind == Arn && !has_six_parts(&wide_parts) {
                return narrow_kind == Arn && wide_parts == [Part::Plain('*')];
            }
            let mut narrow = narrow_kind.tokens(&narrow_parts, &mut |v| vec![names.token(v)]);
            let wide = wide_kind.tokens(&wide_parts, &mut |v| vec![names.token(v)]);
            if wide_kind == StringEqualsIgnoreCase {
                // Makes the narrow side no narrower than it is, as the wide side is folded.
                narrow = wide_kind.fold_tokens(narrow);
            }
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
