//! Two compiled patterns against each other.

use std::rc::Rc;

use super::INTERSECTION_PARTS;
use super::automaton::{Budget, Language, Next, explore};
use super::token::{Token, matches, normal};

/// An answer that may not have been found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Tri<W> {
    /// Yes.
    Yes,
    /// No, and why.
    No(W),
    /// The bound was reached.
    Unknown,
}

/// Whether `wide` holds every string of `narrow`; false also when the budget ends.
///
/// A variable of `narrow` is held by the same variable and by `*` alone.
pub(crate) fn covers_tokens(wide: &[Token], narrow: &[Token], budget: &mut Budget) -> bool {
    if holds_symbolically(wide, narrow) {
        return true;
    }
    if refuted_by_samples(wide, narrow) {
        return false;
    }
    let languages = [Language::one(narrow.to_vec()), Language::one(wide.to_vec())];
    let mut held = true;
    let walked = explore(&languages, 1, budget, |here| {
        if here.holds_on[1] {
            return Next::Prune;
        }
        if here.holds[0] && !here.holds[1] {
            held = false;
            return Next::Stop;
        }
        Next::Longer
    });
    walked.is_ok() && held
}

/// A sufficient test: `wide` matches the text of `narrow` read symbol by symbol, where `*` of the
/// narrow one is matched by `*` alone and `?` by `?` or `*`.
pub(crate) fn holds_symbolically(wide: &[Token], narrow: &[Token]) -> bool {
    let takes = |w: Token, n: Token| match n {
        Token::Char(c) => w.accepts(c),
        Token::Variable(_) => w == n || w == Token::Many,
        Token::One => matches!(w, Token::One | Token::Many),
        Token::OneWithin => !matches!(w, Token::Char(_) | Token::Variable(_)),
        Token::Many => w == Token::Many,
        Token::ManyWithin => w.repeats(),
    };
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < narrow.len() {
        match wide.get(p) {
            Some(&w) if w.repeats() => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some(&w) if takes(w, narrow[t]) && !narrow[t].repeats() => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        match star {
            Some((at, taken)) if takes(wide[at], narrow[taken]) => {
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
            _ => return false,
        }
    }
    wide[p..].iter().all(|w| w.repeats())
}

/// A cheap refutation: some strings of `narrow`, made with a character neither pattern names, that
/// `wide` does not match. Says nothing where variables are involved.
fn refuted_by_samples(wide: &[Token], narrow: &[Token]) -> bool {
    const UNNAMED: char = '\u{f8ff}';
    let named = |token: &Token| match token {
        Token::Variable(_) => true,
        Token::Char(c) => *c == UNNAMED,
        _ => false,
    };
    if wide.iter().any(named) || narrow.iter().any(named) {
        return false;
    }
    [0, 1, 3].iter().any(|&times| {
        let mut sample = Vec::with_capacity(narrow.len());
        for token in narrow {
            match token {
                Token::Char(c) => sample.push(*c),
                Token::One | Token::OneWithin => sample.push(UNNAMED),
                _ => sample.extend(std::iter::repeat_n(UNNAMED, times)),
            }
        }
        !matches(wide, &sample)
    })
}

/// The longest comparison of two patterns, in places of the one times places of the other. Those of a
/// policy within IAM's limits are far from it.
const PAIRS: usize = 16_000_000;

/// Whether some string is matched by both. Exact, but for patterns so long that it would take too much
/// time: they are said to meet.
///
/// A variable meets the same variable, any one character or a star: it may hold anything, but two
/// patterns that meet through a variable's text alone are found only by widening it first.
pub(crate) fn overlaps_tokens(a: &[Token], b: &[Token]) -> bool {
    // Most pairs differ in their first few characters.
    let apart =
        |(x, y): (&Token, &Token)| matches!((x, y), (Token::Char(x), Token::Char(y)) if x != y);
    let before_stars = |(x, y): &(&Token, &Token)| !x.repeats() && !y.repeats();
    let fixed = a.iter().zip(b).take_while(before_stars);
    if fixed.clone().any(apart) {
        return false;
    }
    // Up to the first star, place stands against place.
    let same = |(x, y): &(&Token, &Token)| x == y;
    let begin = fixed.take_while(same).count();
    let (a, b) = (&a[begin..], &b[begin..]);
    if a.len().saturating_mul(b.len()) > PAIRS {
        return true;
    }
    let mut reached = vec![false; b.len() + 1];
    reached[0] = true;
    for i in 0..=a.len() {
        let next = reach_row(a.get(i).copied(), b, &mut reached);
        if i == a.len() {
            return reached[b.len()];
        }
        if !next.contains(&true) {
            return false;
        }
        reached = next;
    }
    false
}

/// From the places of `b` that a common beginning reaches before `x`: completes the row with those
/// reached by going on in `b` alone, and gives the row behind `x`.
fn reach_row(x: Option<Token>, b: &[Token], reached: &mut [bool]) -> Vec<bool> {
    let mut next = vec![false; b.len() + 1];
    for j in 0..=b.len() {
        if !reached[j] {
            continue;
        }
        let y = b.get(j).copied();
        if y.is_some_and(Token::repeats) {
            reached[j + 1] = true;
        }
        if x.is_some_and(Token::repeats) {
            next[j] = true;
        }
        let (Some(x), Some(y)) = (x, y) else { continue };
        if !meet(x, y) {
            continue;
        }
        match (x.repeats(), y.repeats()) {
            (false, false) => next[j + 1] = true,
            (true, false) => reached[j + 1] = true,
            (false, true) => next[j] = true,
            (true, true) => {}
        }
    }
    next
}

/// Whether the two tokens can take the same single symbol.
fn meet(x: Token, y: Token) -> bool {
    match (x, y) {
        (Token::Variable(v), Token::Variable(w)) => v == w,
        (Token::Variable(_), other) | (other, Token::Variable(_)) => {
            !matches!(other, Token::Char(_))
        }
        (Token::Char(c), other) | (other, Token::Char(c)) => other.accepts(c),
        _ => true,
    }
}

type Parts = Vec<Vec<Token>>;

/// Pairs of places in two patterns that [`intersect_tokens`] looks at; ARNs need hundreds.
const PLACES: usize = 20_000;

/// Tokens it writes down before it settles for a part of the intersection.
const WRITTEN: u64 = 2_000_000;

/// Moves for finding out whether one part of an intersection holds another.
const HELD: u64 = 20_000;

/// Patterns whose union is the intersection of two plain globs, where few are enough; a part of it
/// where not.
///
/// A table from the ends of both patterns to their beginnings; each place holds the intersection of
/// the two rests, its parts written backwards.
pub(crate) fn intersect_tokens(a: &[Token], b: &[Token]) -> Parts {
    let width = b.len() + 1;
    let mut places = 0;
    let mut budget = Budget::new(WRITTEN);
    let mut rows = Vec::with_capacity(a.len() + 1);
    let mut row = vec![false; width];
    row[0] = true;
    for i in 0..=a.len() {
        let next = reach_row(a.get(i).copied(), b, &mut row);
        places += row.iter().filter(|&&reached| reached).count();
        if places > PLACES {
            return Vec::new();
        }
        rows.push(row);
        row = next;
    }
    let mut below: Vec<Rc<Parts>> = vec![Rc::default(); width];
    for (i, reached) in rows.iter().enumerate().rev() {
        let mut cells: Vec<Rc<Parts>> = vec![Rc::default(); width];
        for j in (0..width).rev() {
            if !reached[j] {
                continue;
            }
            let diagonal = below.get(j + 1).cloned().unwrap_or_default();
            let right = cells.get(j + 1).cloned().unwrap_or_default();
            let down = Rc::clone(&below[j]);
            let parts = match (a.get(i).copied(), b.get(j).copied()) {
                (None, None) => vec![Vec::new()],
                (Some(Token::Many), Some(Token::Many)) => [
                    led_by(Some(Token::Many), &down),
                    led_by(Some(Token::Many), &right),
                ]
                .concat(),
                (Some(Token::Many), other) => {
                    let taken = other.map_or_else(Vec::new, |y| led_by(Some(y), &right));
                    [led_by(None, &down), taken].concat()
                }
                (other, Some(Token::Many)) => {
                    let taken = other.map_or_else(Vec::new, |x| led_by(Some(x), &down));
                    [led_by(None, &right), taken].concat()
                }
                (Some(x), Some(y)) if meet(x, y) => {
                    let narrower = if matches!(x, Token::Char(_)) { x } else { y };
                    led_by(Some(narrower), &diagonal)
                }
                _ => Vec::new(),
            };
            let written: usize = parts.iter().map(Vec::len).sum();
            let spare = budget.spend(written as u64).is_ok();
            cells[j] = Rc::new(widest(
                parts,
                if spare { 2 * INTERSECTION_PARTS } else { 1 },
            ));
        }
        below = cells;
    }
    let parts: Parts = below[0]
        .iter()
        .map(|part| normal(part.iter().rev().copied()))
        .collect();
    let held = |i: usize, part: &[Token], by: usize, other: &[Token]| {
        let covered = |a: &[Token], b: &[Token]| covers_tokens(a, b, &mut Budget::new(HELD));
        i != by && covered(other, part) && (by < i || !covered(part, other))
    };
    let minimal = parts.iter().enumerate().filter(|(i, part)| {
        !parts
            .iter()
            .enumerate()
            .any(|(by, other)| held(*i, part, by, other))
    });
    minimal.map(|(_, part)| part.clone()).collect()
}

/// The parts with one more token before them, which stands last as they are written backwards.
fn led_by(token: Option<Token>, rests: &Parts) -> Parts {
    rests
        .iter()
        .map(|rest| rest.iter().copied().chain(token).collect())
        .collect()
}

/// Drops parts that another part plainly holds and keeps the widest few of the rest.
fn widest(mut parts: Parts, most: usize) -> Parts {
    if parts.len() < 2 {
        return parts;
    }
    for part in &mut parts {
        *part = normal(part.iter().copied());
    }
    parts.sort_by_key(|part| (part.iter().filter(|t| !t.repeats()).count(), part.len()));
    let mut kept: Parts = Vec::new();
    for part in parts {
        if !kept.iter().any(|k| holds_symbolically(k, &part)) {
            kept.push(part);
        }
        if kept.len() >= most {
            break;
        }
    }
    kept
}
