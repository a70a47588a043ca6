//! A context in which a request is allowed by one set of policies and denied by another.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::cell::Cell;
use super::cover::Point;
use crate::iam::condition::operator::{Kind, Operator, Set};
use crate::iam::condition::value::{Network, network};
use crate::iam::condition::{Context, Truth, holds};
use crate::iam::document::PolicySet;
use crate::iam::evaluate::{Request, applies};
use crate::iam::statement::{ConditionBlock, Effect, Statement};
use crate::iam::template::{Part, parts};

/// Contexts that are tried.
const TRIES: usize = 3_000;

/// Values that are tried for one key.
const VALUES: usize = 12;

type Values = Vec<String>;

/// Finds values for the keys that matter to the point. `None` where none of those tried do it, or where
/// `looks`, the number of statements that may be evaluated, is used up.
pub(super) fn context(
    [proposed, current]: [&PolicySet; 2],
    cell: &Cell<'_>,
    point: &Point,
    looks: &std::cell::Cell<usize>,
) -> Option<BTreeMap<String, Values>> {
    let spend = |statements: usize| {
        let left = looks.get().checked_sub(statements);
        looks.set(left.unwrap_or(0));
        left
    };
    let all = [proposed, current].map(|set| set.documents().map(|p| p.document.statements().len()));
    spend(all.into_iter().flatten().sum())?;
    let mut request = Request::new(&point.action, &point.resource);
    let nothing = BTreeMap::new();
    let unknown = Context::new(&nothing, false);
    let about = |policies: &PolicySet| -> [Vec<Statement>; 3] {
        let pick = |boundary: bool, effect: Option<Effect>| {
            let policies: Vec<_> = if boundary {
                policies.boundary.iter().collect()
            } else {
                policies.identity.iter().collect()
            };
            let statements = policies.into_iter().flat_map(|p| p.document.statements());
            statements
                .filter(|s| effect.is_none_or(|e| s.effect == e))
                .filter(|s| applies(s, &request, &unknown) != Truth::No)
                .cloned()
                .collect::<Vec<_>>()
        };
        let mut denies = pick(false, Some(Effect::Deny));
        denies.extend(pick(true, Some(Effect::Deny)));
        [
            pick(false, Some(Effect::Allow)),
            pick(true, Some(Effect::Allow)),
            denies,
        ]
    };
    let (left, right) = (about(proposed), about(current));
    let keys = candidates(left.iter().chain(&right).flatten(), cell, point);
    let allowed =
        |[allow, boundary, deny]: &[Vec<Statement>; 3], bounded: bool, request: &Request| {
            let context = Context::new(&request.context, true);
            let any = |list: &[Statement]| {
                list.iter()
                    .any(|s| applies(s, request, &context) == Truth::Yes)
            };
            !any(deny) && any(allow) && (!bounded || any(boundary))
        };
    let near = left.iter().chain(&right).map(Vec::len).sum::<usize>();
    for values in choices(&keys) {
        spend(1 + near)?;
        request.context = values;
        if allowed(&left, proposed.boundary.is_some(), &request)
            && !allowed(&right, current.boundary.is_some(), &request)
        {
            return Some(request.context);
        }
    }
    None
}

/// For each key the values to try, those first that the cell's own conditions let pass.
fn candidates<'a>(
    statements: impl Iterator<Item = &'a Statement> + Clone,
    cell: &Cell<'_>,
    point: &Point,
) -> Vec<(String, Vec<Values>)> {
    let own = cell.clauses.iter().map(|c| c.block);
    let others = statements.clone().flat_map(|s| &s.conditions.blocks);
    let mut keys: BTreeMap<String, (String, Vec<Values>)> = BTreeMap::new();
    fn entry<'k>(
        keys: &'k mut BTreeMap<String, (String, Vec<Values>)>,
        key: &str,
    ) -> &'k mut Vec<Values> {
        let fresh = || (key.to_owned(), vec![Vec::new()]);
        &mut keys.entry(key.to_ascii_lowercase()).or_insert_with(fresh).1
    }
    for block in own.chain(others) {
        let variables = block.values.iter().flat_map(|v| parts(v, true));
        for part in variables {
            if let Part::Variable(v) = part {
                let tries = entry(&mut keys, &v.key);
                let value = vec![point.variable.clone()];
                if !tries.contains(&value) && tries.len() < VALUES {
                    tries.push(value);
                }
            }
        }
        let tries = entry(&mut keys, &block.key);
        for value in samples(block, &point.variable) {
            if !tries.contains(&value) && tries.len() < VALUES {
                tries.push(value);
            }
        }
    }
    for pattern in statements.flat_map(|s| s.resources.patterns()) {
        let fits = fitting(pattern, &point.resource);
        for part in parts(pattern, true) {
            if let Part::Variable(v) = part {
                let tries = entry(&mut keys, &v.key);
                if tries.len() >= VALUES {
                    continue;
                }
                for value in [Some(&point.variable), fits.as_ref()] {
                    let value: Values = value.into_iter().cloned().collect();
                    if !tries.contains(&value) {
                        tries.insert(1, value);
                    }
                }
            }
        }
    }
    let mut out: Vec<(String, Vec<Values>)> = keys.into_values().collect();
    for (key, tries) in &mut out {
        let blocks: Vec<ConditionBlock> = cell
            .clauses
            .iter()
            .filter(|c| c.block.key.eq_ignore_ascii_case(key))
            .map(|c| c.block.clone())
            .collect();
        // A stable sort: the key absent comes first where that is possible.
        tries.sort_by_key(|values| {
            let context = BTreeMap::from([(key.clone(), values.clone())]);
            holds(&blocks, true, &Context::new(&context, false)) == Truth::No
        });
    }
    out
}

/// What a pattern's variable must hold for the pattern to match the resource, where plain text stands
/// on both sides of it.
fn fitting(pattern: &str, resource: &str) -> Option<String> {
    let (before, rest) = pattern.split_once("${")?;
    let (_, after) = rest.split_once('}')?;
    let value = resource.strip_prefix(before)?;
    let plain = after.split(['*', '?']).next().unwrap_or_default();
    let end = if plain.is_empty() {
        value.len()
    } else {
        value.find(plain)?
    };
    Some(value[..end].to_owned())
}

/// Values that lie on both sides of what a block asks.
fn samples(block: &ConditionBlock, variable: &str) -> Vec<Values> {
    let Some(operator) = Operator::parse(&block.operator) else {
        return Vec::new();
    };
    let mut out: Vec<String> = Vec::new();
    for value in &block.values {
        let plain = |star: &str| -> String {
            parts(value, true)
                .into_iter()
                .map(|part| match part {
                    Part::Plain('*') => star.to_owned(),
                    Part::Plain('?') => "x".to_owned(),
                    Part::Plain(c) | Part::Literal(c) => c.to_string(),
                    Part::Variable(_) => variable.to_owned(),
                })
                .collect()
        };
        match operator.kind {
            Kind::StringLike | Kind::Arn => out.extend([plain(""), plain("x"), plain("~y")]),
            Kind::Bool => out.extend(["true".to_owned(), "false".to_owned()]),
            Kind::IpAddress => {
                out.extend(network(value).into_iter().flat_map(ends));
                out.extend(["192.0.2.1".to_owned(), "2001:db8::1".to_owned()]);
            }
            kind if kind.is_number() => {
                if let Ok(number) = value.trim().parse::<f64>() {
                    out.extend([number, number - 1.0, number + 1.0].map(|n| n.to_string()));
                }
            }
            kind if kind.is_date() => {
                out.push(value.clone());
                out.extend(["1970-01-01T00:00:00Z", "2999-01-01T00:00:00Z"].map(ToOwned::to_owned));
            }
            Kind::Null => out.push("x".to_owned()),
            _ => out.push(plain("*")),
        }
    }
    if operator.kind.takes_variables() {
        out.push("other".to_owned());
    }
    let other = out.last().cloned();
    let mut out: Vec<Values> = out.into_iter().map(|v| vec![v]).collect();
    if operator.set != Set::None
        && let (Some(first), Some(other)) = (out.first().cloned(), other)
    {
        out.insert(1, vec![first[0].clone(), other]);
    }
    out
}

/// The first and the last address of a network.
fn ends((base, length): Network) -> [String; 2] {
    let last: IpAddr = match base {
        IpAddr::V4(v4) => {
            let open = u32::MAX.checked_shr(length.into()).unwrap_or(0);
            Ipv4Addr::from(v4.to_bits() | open).into()
        }
        IpAddr::V6(v6) => {
            let open = u128::MAX.checked_shr(length.into()).unwrap_or(0);
            Ipv6Addr::from(v6.to_bits() | open).into()
        }
    };
    [base.to_string(), last.to_string()]
}

/// Assignments of values to keys: first choices for all, then others for one key, for two, and then
/// all in order, up to a bound.
fn choices(keys: &[(String, Vec<Values>)]) -> impl Iterator<Item = BTreeMap<String, Values>> {
    let others: Vec<(usize, usize)> = keys
        .iter()
        .enumerate()
        .flat_map(|(key, (_, tries))| (1..tries.len()).map(move |value| (key, value)))
        .collect();
    let pairs = (0..others.len()).flat_map(|a| (0..=a).map(move |b| (a, b)));
    let few = pairs.map(move |(a, b)| {
        let (a, b) = (others[a], others[b]);
        build(keys, |i| {
            if i == a.0 {
                a.1
            } else if i == b.0 {
                b.1
            } else {
                0
            }
        })
    });
    let combinations = keys.iter().fold(1_usize, |product, (_, tries)| {
        product.saturating_mul(tries.len())
    });
    let all = (0..combinations).map(|number| {
        let mut number = number;
        build(keys, |i| {
            let tries = keys[i].1.len();
            let pick = number % tries;
            number /= tries;
            pick
        })
    });
    // A hostile policy can have thousands of keys; what is built must stay bounded too.
    let most = TRIES / (1 + keys.len() / 16);
    std::iter::once(build(keys, |_| 0))
        .chain(few.take(most))
        .chain(all.take(most))
}

fn build(
    keys: &[(String, Vec<Values>)],
    mut pick: impl FnMut(usize) -> usize,
) -> BTreeMap<String, Values> {
    let chosen = keys.iter().enumerate();
    chosen
        .map(|(i, (key, tries))| (key.clone(), tries[pick(i)].clone()))
        .collect()
}
