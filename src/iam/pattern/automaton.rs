//! Many patterns read side by side: every distinguishable string, shortest first.
//!
//! The subset construction over the product of the patterns, built as it is walked. At each state
//! only the characters that some pattern waits for differ; all others stand as one `other`.

use std::collections::VecDeque;
use std::collections::{BTreeSet, HashMap};
use std::rc::Rc;

use super::token::Token;

/// A set of strings: the union of patterns, or everything but that union.
#[derive(Clone, Debug)]
pub(crate) struct Language {
    pub(crate) patterns: Vec<Rc<[Token]>>,
    pub(crate) negated: bool,
}

impl Language {
    /// The union of the patterns.
    pub(crate) fn union(patterns: Vec<Rc<[Token]>>) -> Self {
        Self {
            patterns,
            negated: false,
        }
    }

    /// Everything one pattern matches.
    pub(crate) fn one(pattern: Vec<Token>) -> Self {
        Self::union(vec![pattern.into()])
    }
}

/// Work that may still be done, in moves of one pattern position over one character.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Budget {
    left: u64,
}

/// The budget was used up before the answer was found.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Exhausted;

impl Budget {
    pub(crate) fn new(moves: u64) -> Self {
        Self { left: moves }
    }

    /// What a single question may take of it: `most`, or what is left.
    pub(crate) fn part(&self, most: u64) -> Self {
        Self::new(self.left.min(most))
    }

    /// What is left of it when a part of `most` is taken away.
    pub(crate) fn without(&self, most: u64) -> Self {
        Self::new(self.left.saturating_sub(most))
    }

    /// Takes off what was used of a part.
    pub(crate) fn settle(&mut self, given: Self, left: Self) {
        self.left -= given.left - left.left;
    }

    /// Takes `moves` from what is left.
    pub(crate) fn spend(&mut self, moves: u64) -> Result<(), Exhausted> {
        self.left = self.left.checked_sub(moves).ok_or(Exhausted)?;
        Ok(())
    }
}

/// What the visitor of [`explore`] wants next.
pub(crate) enum Next {
    /// Go on to longer strings.
    Longer,
    /// Nothing that begins with this string is of interest.
    Prune,
    /// Enough.
    Stop,
}

/// One distinguishable string, as the visitor of [`explore`] sees it.
pub(crate) struct Visit<'a> {
    /// For each language, whether it holds the string.
    pub(crate) holds: &'a [bool],
    /// For each language, whether it holds every string that begins with this one.
    pub(crate) holds_on: &'a [bool],
    trail: &'a Trail,
    at: usize,
}

impl Visit<'_> {
    /// The string; `variable` stands in it where it has a variable.
    pub(crate) fn text(&self, variable: &str) -> String {
        self.trail.text(self.at, variable)
    }

    /// The character that stands for all that no pattern names.
    pub(crate) fn unnamed(&self) -> char {
        self.trail.other
    }
}

#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Symbol {
    Other,
    Char(char),
    Variable(u32),
}

struct Trail {
    steps: Vec<(usize, Symbol)>,
    other: char,
}

impl Trail {
    fn text(&self, mut at: usize, variable: &str) -> String {
        let mut out = Vec::new();
        while at != 0 {
            let (before, symbol) = self.steps[at];
            match symbol {
                Symbol::Other => out.push(self.other),
                Symbol::Char(c) => out.push(c),
                Symbol::Variable(_) => out.extend(variable.chars().rev()),
            }
            at = before;
        }
        out.iter().rev().collect()
    }
}

/// A pattern position of the product: (pattern number, token number).
type Place = (u32, u32);

struct Product<'a> {
    /// Every pattern with the number of its language.
    patterns: Vec<(usize, &'a [Token])>,
    languages: &'a [Language],
    must: usize,
}

/// Visits the strings that the first `must` languages all hold or may come to hold, shortest first,
/// one of each kind that the languages can tell apart.
///
/// Variables of the first language count as single letters of their own, which its own wildcards do
/// not stand for. Another language holds a string with such a letter only through the same variable
/// or a `*`; a negated one is told of every string the variable may stand for. Variables may stand
/// in the first language and in those that are not needed.
///
/// # Errors
/// [`Exhausted`] when the budget ends first.
pub(crate) fn explore(
    languages: &[Language],
    must: usize,
    budget: &mut Budget,
    mut visit: impl FnMut(&Visit<'_>) -> Next,
) -> Result<(), Exhausted> {
    let product = Product {
        patterns: languages
            .iter()
            .enumerate()
            .flat_map(|(number, language)| language.patterns.iter().map(move |p| (number, &p[..])))
            .collect(),
        languages,
        must,
    };
    let mut trail = Trail {
        steps: vec![(0, Symbol::Other)],
        other: product.unused_char(),
    };
    let start = product.start();
    let mut seen: HashMap<Rc<[Place]>, ()> = HashMap::new();
    let mut queue: VecDeque<(usize, Rc<[Place]>)> = VecDeque::new();
    let start: Rc<[Place]> = start.into();
    seen.insert(Rc::clone(&start), ());
    queue.push_back((0, start));
    let mut holds = vec![false; languages.len()];
    let mut holds_on = vec![false; languages.len()];
    while let Some((at, state)) = queue.pop_front() {
        budget.spend(1 + (state.len() + languages.len() / 8) as u64)?;
        if !product.judge(&state, &mut holds, &mut holds_on) {
            continue;
        }
        let here = Visit {
            holds: &holds,
            holds_on: &holds_on,
            trail: &trail,
            at,
        };
        match visit(&here) {
            Next::Stop => return Ok(()),
            Next::Prune => continue,
            Next::Longer => {}
        }
        for symbol in product.symbols(&state) {
            budget.spend(1 + state.len() as u64)?;
            let next: Rc<[Place]> = product.step(&state, symbol).into();
            if seen.contains_key(&next) {
                continue;
            }
            seen.insert(Rc::clone(&next), ());
            trail.steps.push((at, symbol));
            queue.push_back((trail.steps.len() - 1, next));
        }
    }
    Ok(())
}

impl Product<'_> {
    /// A character no pattern names, a plain one where there is one.
    fn unused_char(&self) -> char {
        let used: BTreeSet<char> = self
            .patterns
            .iter()
            .flat_map(|(_, tokens)| tokens.iter())
            .filter_map(|token| match token {
                Token::Char(c) => Some(*c),
                _ => None,
            })
            .collect();
        ('a'..='z')
            .chain('0'..='9')
            .chain('A'..='Z')
            .chain("-_./".chars())
            .chain('\u{a1}'..=char::MAX)
            .find(|c| !used.contains(c))
            .unwrap_or('~')
    }

    fn start(&self) -> Vec<Place> {
        let mut state = Vec::new();
        for number in 0..self.patterns.len() {
            self.arrive(&mut state, number as u32, 0);
        }
        self.tidy(&mut state);
        state
    }

    fn tokens(&self, pattern: u32) -> &[Token] {
        self.patterns[pattern as usize].1
    }

    /// Adds a place and what it reaches by taking nothing.
    fn arrive(&self, state: &mut Vec<Place>, pattern: u32, mut position: u32) {
        loop {
            state.push((pattern, position));
            match self.tokens(pattern).get(position as usize) {
                Some(token) if token.repeats() => position += 1,
                _ => return,
            }
        }
    }

    /// One form per state: sorted, and without places that others make superfluous.
    ///
    /// Every way from an earlier place to the end passes a later `*`, and that `*` can take what
    /// the way took: earlier places add nothing. A pattern that can no longer fail makes the other
    /// patterns of its union superfluous.
    fn tidy(&self, state: &mut Vec<Place>) {
        state.sort_unstable();
        state.dedup();
        let mut kept: Vec<Place> = Vec::with_capacity(state.len());
        let mut settled: Option<usize> = None;
        for block in state.chunk_by(|a, b| a.0 == b.0) {
            let pattern = block[0].0;
            let (language, tokens) = self.patterns[pattern as usize];
            if settled == Some(language) {
                continue;
            }
            let last_star = block
                .iter()
                .rposition(|&(_, p)| tokens.get(p as usize) == Some(&Token::Many))
                .unwrap_or(0);
            if tokens.get(block[last_star].1 as usize) == Some(&Token::Many)
                && block[last_star].1 as usize + 1 == tokens.len()
            {
                settled = Some(language);
                while kept
                    .last()
                    .is_some_and(|&(p, _)| self.patterns[p as usize].0 == language)
                {
                    kept.pop();
                }
            }
            kept.extend_from_slice(&block[last_star..]);
        }
        *state = kept;
    }

    /// Fills what each language says of the state; false when a needed language has lost it.
    fn judge(&self, state: &[Place], holds: &mut [bool], holds_on: &mut [bool]) -> bool {
        let mut alive = vec![false; self.languages.len()];
        holds.fill(false);
        holds_on.fill(false);
        for &(pattern, position) in state {
            let (language, tokens) = self.patterns[pattern as usize];
            alive[language] = true;
            if position as usize == tokens.len() {
                holds[language] = true;
            } else if tokens[position as usize] == Token::Many
                && position as usize + 1 == tokens.len()
            {
                holds_on[language] = true;
            }
        }
        for (number, language) in self.languages.iter().enumerate() {
            if language.negated {
                let never = holds_on[number];
                holds[number] = !holds[number];
                holds_on[number] = !alive[number];
                alive[number] = !never;
            }
        }
        alive[..self.must].iter().all(|&a| a)
    }

    /// The symbols that lead to different states from here, and `Other` for all the rest.
    fn symbols(&self, state: &[Place]) -> BTreeSet<Symbol> {
        let mut out = BTreeSet::from([Symbol::Other]);
        for &(pattern, position) in state {
            let (language, tokens) = self.patterns[pattern as usize];
            match tokens.get(position as usize) {
                Some(Token::Char(c)) => {
                    out.insert(Symbol::Char(*c));
                }
                Some(Token::OneWithin | Token::ManyWithin) => {
                    out.insert(Symbol::Char(':'));
                }
                Some(Token::Variable(v)) if language == 0 => {
                    out.insert(Symbol::Variable(*v));
                }
                _ => {}
            }
        }
        out
    }

    fn step(&self, state: &[Place], symbol: Symbol) -> Vec<Place> {
        let mut next = Vec::with_capacity(state.len() + 4);
        for &(pattern, position) in state {
            let (language, tokens) = self.patterns[pattern as usize];
            let Some(&token) = tokens.get(position as usize) else {
                continue;
            };
            let taken = match symbol {
                Symbol::Char(c) => token.accepts(c),
                Symbol::Other => !matches!(token, Token::Char(_) | Token::Variable(_)),
                Symbol::Variable(v) if language == 0 => token == Token::Variable(v),
                Symbol::Variable(_) if self.languages[language].negated => {
                    next.extend((position..=tokens.len() as u32).map(|p| (pattern, p)));
                    continue;
                }
                Symbol::Variable(v) => token == Token::Variable(v) || token == Token::Many,
            };
            if taken {
                let to = if token.repeats() {
                    position
                } else {
                    position + 1
                };
                self.arrive(&mut next, pattern, to);
            }
        }
        self.tidy(&mut next);
        next
    }
}
