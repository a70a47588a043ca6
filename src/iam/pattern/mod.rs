//! Glob patterns as plain strings: does one match, does one hold another, where do two meet, and do
//! several together hold one.
//!
//! In come patterns of `*` (any characters, also none) and `?` (any one character), over all
//! characters alike: `:` and `/` are nothing special here. How IAM lets wildcards cross the segments
//! of an ARN is said in [`crate::iam::ResourceMatch`], not here. All answers are exact unless the
//! function says otherwise; all work is bounded.

pub(crate) mod automaton;
mod compare;
pub(crate) mod token;

pub(crate) use compare::{Tri, covers_tokens, overlaps_tokens};

use automaton::{Budget, Language, Next, explore};
use token::{Token, glob, glob_ignore_case, text};

/// Moves one question about patterns may cost before it is given up.
pub(crate) const QUESTION: u64 = 1_000_000;

/// How many patterns [`intersect`] gives at most.
pub const INTERSECTION_PARTS: usize = 16;

/// Whether `text` is matched by `pattern`, case-sensitive, as resources and condition values are.
///
/// ```
/// assert!(rolefit::iam::pattern::matches("arn:aws:s3:::logs-*/?", "arn:aws:s3:::logs-eu/a"));
/// ```
#[must_use]
pub fn matches(pattern: &str, text: &str) -> bool {
    matches_by(pattern, text, |c| c)
}

/// Whether `text` is matched by `pattern` without regard to ASCII case, as actions are.
#[must_use]
pub fn matches_ignore_case(pattern: &str, text: &str) -> bool {
    matches_by(pattern, text, |c| c.to_ascii_lowercase())
}

/// Greedy matching that remembers the last star only; no allocation, since evaluating a policy does
/// this thousands of times.
fn matches_by(pattern: &str, text: &str, fold: fn(char) -> char) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    loop {
        let wanted = pattern[p..].chars().next();
        let found = text[t..].chars().next();
        match (wanted, found) {
            (Some('*'), _) => {
                p += 1;
                star = Some((p, t));
                continue;
            }
            (Some(w), Some(f)) if w == '?' || fold(w) == fold(f) => {
                p += w.len_utf8();
                t += f.len_utf8();
                continue;
            }
            (None, None) => return true,
            _ => {}
        }
        let Some((after, taken)) = star else {
            return false;
        };
        let Some(c) = text[taken..].chars().next() else {
            return false;
        };
        star = Some((after, taken + c.len_utf8()));
        p = after;
        t = taken + c.len_utf8();
    }
}

/// Whether every string that `narrow` matches is matched by `wide`.
///
/// Exact. The work is bounded; a pair of patterns built to exhaust the bound counts as not covered.
#[must_use]
pub fn covers(wide: &str, narrow: &str) -> bool {
    wide == narrow || covers_tokens(&glob(wide), &glob(narrow), &mut Budget::new(QUESTION))
}

/// [`covers`] without regard to ASCII case, for actions.
#[must_use]
pub fn covers_ignore_case(wide: &str, narrow: &str) -> bool {
    covers_tokens(
        &glob_ignore_case(wide),
        &glob_ignore_case(narrow),
        &mut Budget::new(QUESTION),
    )
}

/// Whether some string is matched by both patterns. Exact.
#[must_use]
pub fn overlaps(a: &str, b: &str) -> bool {
    overlaps_tokens(&glob(a), &glob(b))
}

/// [`overlaps`] without regard to ASCII case, for actions.
#[must_use]
pub fn overlaps_ignore_case(a: &str, b: &str) -> bool {
    overlaps_tokens(&glob_ignore_case(a), &glob_ignore_case(b))
}

/// Patterns that together match exactly the strings that both `a` and `b` match; none of them is
/// held by another. Empty when the two have no string in common.
///
/// At most [`INTERSECTION_PARTS`] patterns come back. Where two patterns with many wildcards would
/// need more, the ones given match a part of what both match, never more than that; for patterns of
/// hundreds of wildcards that part may be nothing.
#[must_use]
pub fn intersect(a: &str, b: &str) -> Vec<String> {
    let (a, b) = (glob(a), glob(b));
    let mut budget = Budget::new(QUESTION);
    if covers_tokens(&a, &b, &mut budget) {
        return vec![text(&b)];
    }
    if covers_tokens(&b, &a, &mut budget) {
        return vec![text(&a)];
    }
    if !overlaps_tokens(&a, &b) {
        return Vec::new();
    }
    let mut parts: Vec<String> = compare::intersect_tokens(&a, &b)
        .iter()
        .map(|part| text(part))
        .collect();
    parts.sort();
    parts.truncate(INTERSECTION_PARTS);
    parts
}

/// What [`covered_by_union`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cover {
    /// Every string of the one pattern is matched by one of the others.
    Covered,
    /// This string, a shortest one, is matched by the one pattern and by none of the others.
    NotCovered(String),
    /// The bound on work was reached first; the text says so.
    Unknown(String),
}

/// Whether every string that `narrow` matches is matched by at least one of `wide`.
///
/// Exact up to a bound on work: pairwise comparison would miss that `?*` and the empty pattern
/// together hold `*`.
#[must_use]
pub fn covered_by_union(narrow: &str, wide: &[&str]) -> Cover {
    let narrow = glob(narrow);
    let wide: Vec<Vec<Token>> = wide.iter().map(|w| glob(w)).collect();
    let mut budget = Budget::new(QUESTION);
    match uncovered(&narrow, &wide, &mut budget) {
        Tri::Yes => Cover::Covered,
        Tri::No(witness) => Cover::NotCovered(witness),
        Tri::Unknown => Cover::Unknown(format!(
            "comparing it with {} patterns took more than {QUESTION} steps",
            wide.len()
        )),
    }
}

fn uncovered(narrow: &[Token], wide: &[Vec<Token>], budget: &mut Budget) -> Tri<String> {
    if wide.iter().any(|w| compare::holds_symbolically(w, narrow)) {
        return Tri::Yes;
    }
    let mut languages = vec![Language::one(narrow.to_vec())];
    languages.push(Language::union(
        wide.iter()
            .filter(|w| overlaps_tokens(w, narrow))
            .map(|w| w.as_slice().into())
            .collect(),
    ));
    let mut found = None;
    let walked = explore(&languages, 1, budget, |here| {
        if here.holds_on[1] {
            return Next::Prune;
        }
        if here.holds[0] && !here.holds[1] {
            found = Some(here.text(""));
            return Next::Stop;
        }
        Next::Longer
    });
    match (walked, found) {
        (Err(automaton::Exhausted), _) => Tri::Unknown,
        (Ok(()), Some(witness)) => Tri::No(witness),
        (Ok(()), None) => Tri::Yes,
    }
}

#[cfg(test)]
mod tests;
