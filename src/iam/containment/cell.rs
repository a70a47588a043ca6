//! Statements as sets of actions times sets of resources, compiled for comparison.

use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;

use super::named;
use crate::iam::condition::implies::{Clause, clauses};
use crate::iam::document::NamedPolicy;
use crate::iam::pattern::automaton::{Budget, Language};
use crate::iam::pattern::token::{Token, glob_ignore_case, widened};
use crate::iam::pattern::{QUESTION, covers_tokens, overlaps_tokens};
use crate::iam::statement::{Effect, Statement};
use crate::iam::template::{Colons, Names, parts, resource_tokens};

type Pattern = Rc<[Token]>;

/// The `Action` or `Resource` element of a statement: the union of patterns, or all but it.
#[derive(Clone, Debug)]
pub(super) struct Field {
    pub(super) negated: bool,
    /// The patterns, variables as symbols.
    pub(super) exact: Vec<Pattern>,
    /// The same patterns, or more, where a variable may hold anything.
    wide: Vec<Pattern>,
    /// The patterns as they are written.
    texts: Vec<Rc<str>>,
    /// The places of the patterns by the plain text before their first colon; `None` for those with
    /// a wildcard before it. Of thousands of actions few are of the service asked for.
    services: BTreeMap<Option<u64>, Vec<usize>>,
}

/// A hash of the plain text before the first colon, where there are no wildcards and no variables in
/// it. Equal hashes of different texts only cost time.
fn service(pattern: &[Token]) -> Option<u64> {
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for token in pattern {
        match token {
            Token::Char(':') => return Some(hash),
            Token::Char(c) => hash = (hash ^ u64::from(*c)).wrapping_mul(0x100_0000_01b3),
            _ => return None,
        }
    }
    None
}

impl Field {
    fn new(negated: bool, texts: &[String], compile: impl FnMut(&String) -> Vec<Token>) -> Self {
        let exact: Vec<Pattern> = texts.iter().map(compile).map(Into::into).collect();
        let texts = texts.iter().map(|t| t.as_str().into()).collect();
        let wide = exact.iter().map(|p| {
            if has_variable(p) {
                widened(p).into()
            } else {
                Rc::clone(p)
            }
        });
        let wide = wide.collect();
        Self::of(negated, exact, wide, texts)
    }

    fn of(negated: bool, exact: Vec<Pattern>, wide: Vec<Pattern>, texts: Vec<Rc<str>>) -> Self {
        let mut services: BTreeMap<_, Vec<usize>> = BTreeMap::new();
        for (at, pattern) in exact.iter().enumerate() {
            services.entry(service(pattern)).or_default().push(at);
        }
        Self {
            negated,
            exact,
            wide,
            texts,
            services,
        }
    }

    /// The places of the patterns that may have a string in common with this one.
    fn near(&self, pattern: &[Token]) -> impl Iterator<Item = usize> {
        let (some, all) = match service(pattern) {
            Some(service) => {
                let same = self.services.get(&Some(service));
                let wild = self.services.get(&None);
                (same.into_iter().chain(wild).flatten().copied(), 0..0)
            }
            None => (
                None.into_iter().chain(None).flatten().copied(),
                0..self.exact.len(),
            ),
        };
        some.chain(all)
    }

    /// The parts that can be asked for one by one.
    pub(super) fn split(&self) -> Vec<Rc<Self>> {
        if self.negated {
            return vec![Rc::new(self.clone())];
        }
        (0..self.exact.len())
            .map(|at| Rc::new(self.at(&[at])))
            .collect()
    }

    /// The field with the patterns at these places only.
    fn at(&self, places: &[usize]) -> Self {
        let pick = |from: &[Pattern]| places.iter().map(|&at| Rc::clone(&from[at])).collect();
        let texts = places
            .iter()
            .map(|&at| Rc::clone(&self.texts[at]))
            .collect();
        Self::of(self.negated, pick(&self.exact), pick(&self.wide), texts)
    }

    /// The places of the patterns that may have a string in common with each of the fields.
    fn touching(&self, fields: &[Rc<Self>]) -> Vec<usize> {
        let positive = || fields.iter().filter(|field| !field.negated);
        let mut places: Vec<usize> = match positive().next() {
            Some(field) => field.wide.iter().flat_map(|own| self.near(own)).collect(),
            None => (0..self.exact.len()).collect(),
        };
        places.sort_unstable();
        places.dedup();
        let touches = |place: &usize| {
            let pattern = &self.wide[*place];
            positive().all(|f| {
                f.near(pattern)
                    .any(|own| overlaps_tokens(&f.wide[own], pattern))
            })
        };
        places.retain(touches);
        places
    }

    /// Whether this and the other may have a string in common; true where that is not plain.
    pub(super) fn meets(&self, other: &Self) -> bool {
        match (self.negated, other.negated) {
            (false, false) => self
                .wide
                .iter()
                .any(|a| other.near(a).any(|b| overlaps_tokens(a, &other.wide[b]))),
            (false, true) => !other.excludes(self),
            (true, false) => !self.excludes(other),
            (true, true) => true,
        }
    }

    /// Whether this, a negated field, plainly has nothing of the other.
    fn excludes(&self, other: &Self) -> bool {
        let mut budget = Budget::new(1_000);
        let mut held = |o: &Pattern| {
            self.near(o)
                .any(|own| covers_tokens(&self.exact[own], o, &mut budget))
        };
        other.exact.iter().all(&mut held)
    }

    /// Whether every string of `narrow` is one of this field, found by pairs; false says nothing.
    fn holds(&self, narrow: &Self, budget: &mut Budget) -> bool {
        let given = budget.part(QUESTION / 10);
        let mut left = given;
        let held = match (narrow.negated, self.negated) {
            (false, false) => narrow.exact.iter().all(|n| {
                let wide = || self.near(n).map(|w| &self.exact[w]);
                wide().any(|w| w == n) || wide().any(|w| covers_tokens(w, n, &mut left))
            }),
            (false, true) => narrow
                .wide
                .iter()
                .all(|n| !self.near(n).any(|w| overlaps_tokens(&self.wide[w], n))),
            (true, false) => self.exact.iter().any(|w| **w == [Token::Many]),
            (true, true) => self.exact.iter().all(|w| {
                narrow.exact.contains(w)
                    || narrow.exact.iter().any(|n| covers_tokens(n, w, &mut left))
            }),
        };
        budget.settle(given, left);
        held
    }

    /// The language that must hold a string. `symbols`: variables may stand in it as symbols, else
    /// it is widened to all they may hold.
    pub(super) fn needed(&self, symbols: bool) -> Language {
        let patterns = match (self.negated, symbols) {
            // What is excluded through a variable may not be excluded.
            (true, _) => self
                .exact
                .iter()
                .filter(|p| !has_variable(p))
                .cloned()
                .collect(),
            (false, true) => self.exact.clone(),
            (false, false) => self.wide.clone(),
        };
        Language {
            patterns,
            negated: self.negated,
        }
    }

    /// The language that helps to hold the strings of a cell's fields; what lies outside them is
    /// left out.
    pub(super) fn helping(&self, cell: &[Rc<Self>]) -> Language {
        let patterns = if self.negated {
            &self.wide
        } else {
            &self.exact
        };
        let places = self.touching(cell);
        Language {
            patterns: places.iter().map(|&at| Rc::clone(&patterns[at])).collect(),
            negated: self.negated,
        }
    }

    fn shown(&self) -> String {
        let texts: Vec<String> = self
            .texts
            .iter()
            .take(3)
            .map(|t| format!("`{t}`"))
            .collect();
        let more = if self.texts.len() > 3 { ", …" } else { "" };
        let not = if self.negated { "all but " } else { "" };
        format!("{not}{}{more}", texts.join(", "))
    }
}

fn has_variable(pattern: &[Token]) -> bool {
    pattern.iter().any(|t| matches!(t, Token::Variable(_)))
}

/// A statement, compiled.
#[derive(Debug)]
pub(super) struct Rule<'a> {
    policy: &'a NamedPolicy,
    index: usize,
    statement: &'a Statement,
    pub(super) actions: Field,
    pub(super) resources: Field,
    pub(super) clauses: Vec<Clause<'a>>,
}

/// What a statement says, apart from order, spelling of case and its name.
pub(super) type Identity<'a> = (
    bool,
    BTreeSet<String>,
    bool,
    BTreeSet<&'a str>,
    BTreeSet<BlockIdentity<'a>>,
);
type BlockIdentity<'a> = (String, String, BTreeSet<&'a str>, bool);

impl<'a> Rule<'a> {
    pub(super) fn new(
        policy: &'a NamedPolicy,
        index: usize,
        statement: &'a Statement,
        colons: Colons,
        names: &mut Names,
    ) -> Self {
        let actions = &statement.actions;
        let resources = &statement.resources;
        Self {
            policy,
            index,
            statement,
            actions: Field::new(actions.negated(), actions.patterns(), |p| {
                glob_ignore_case(p)
            }),
            resources: Field::new(resources.negated(), resources.patterns(), |p| {
                let parts = parts(p, statement.variables);
                resource_tokens(&parts, colons, |v| vec![names.token(v)])
            }),
            clauses: clauses(&statement.conditions, statement.variables),
        }
    }

    pub(super) fn effect(&self) -> Effect {
        self.statement.effect
    }

    pub(super) fn name(&self) -> String {
        named(self.policy, self.index, self.statement.sid.as_deref())
    }

    /// Numbers that are equal for statements that say the same, and quickly found.
    pub(super) fn shape(&self) -> (usize, usize, usize) {
        let Self {
            actions,
            resources,
            clauses,
            ..
        } = self;
        (actions.exact.len(), resources.exact.len(), clauses.len())
    }

    /// Whether a wildcard in it keeps to a segment of an ARN.
    pub(super) fn keeps_to_segments(&self) -> bool {
        let within = |t: &Token| matches!(t, Token::OneWithin | Token::ManyWithin);
        self.resources.exact.iter().any(|p| p.iter().any(within))
    }

    /// How many patterns it has.
    pub(super) fn size(&self) -> usize {
        self.actions.exact.len() + self.resources.exact.len()
    }

    /// Equal for statements of the same effect that say the same.
    pub(super) fn identity(&self) -> Identity<'a> {
        let statement = self.statement;
        // Text that looks like a variable is one in one version only.
        let dollar = |text: &str| !statement.variables && text.contains("${");
        let blocks = statement.conditions.blocks.iter().map(|b| {
            let dollars = b.values.iter().any(|v| dollar(v));
            let values = b.values.iter().map(String::as_str).collect();
            (
                b.operator.to_ascii_lowercase(),
                b.key.to_ascii_lowercase(),
                values,
                dollars,
            )
        });
        let dollars = statement.resources.patterns().iter().any(|r| dollar(r));
        let mut blocks: BTreeSet<_> = blocks.collect();
        if dollars {
            blocks.insert((String::new(), String::new(), BTreeSet::new(), true));
        }
        (
            self.actions.negated,
            statement
                .actions
                .patterns()
                .iter()
                .map(|a| a.to_ascii_lowercase())
                .collect(),
            self.resources.negated,
            statement
                .resources
                .patterns()
                .iter()
                .map(String::as_str)
                .collect(),
            blocks,
        )
    }

    /// What the statement is about, of the given parts of its actions and resources.
    pub(super) fn cell(&self, action: &Rc<Field>, resource: &Rc<Field>) -> Cell<'a> {
        Cell {
            actions: vec![Rc::clone(action)],
            resources: vec![Rc::clone(resource)],
            clauses: self.clauses.clone(),
        }
    }
}

/// Requests to be held: those whose action is in all of the action fields, whose resource is in all
/// of the resource fields, and for which all clauses hold.
#[derive(Clone, Debug)]
pub(super) struct Cell<'a> {
    pub(super) actions: Vec<Rc<Field>>,
    pub(super) resources: Vec<Rc<Field>>,
    pub(super) clauses: Vec<Clause<'a>>,
}

impl<'a> Cell<'a> {
    /// The requests of the cell that the statement is about too; `None` where there plainly are
    /// none.
    pub(super) fn within(&self, rule: &Rule<'a>) -> Option<Self> {
        if !self.meets_resources(rule) || !self.actions.iter().all(|f| f.meets(&rule.actions)) {
            return None;
        }
        let mut cell = self.clone();
        cell.actions.push(touching(&rule.actions, &self.actions));
        cell.resources
            .push(touching(&rule.resources, &self.resources));
        cell.clauses.extend(rule.clauses.iter().copied());
        Some(cell)
    }

    /// Whether the statement may be about some of the cell's resources.
    pub(super) fn meets_resources(&self, rule: &Rule<'_>) -> bool {
        self.resources.iter().all(|f| f.meets(&rule.resources))
    }

    /// Whether the statement alone is about all of the cell's requests, found by pairs of patterns.
    pub(super) fn held_by(&self, rule: &Rule<'_>, budget: &mut Budget) -> bool {
        self.actions.iter().any(|f| rule.actions.holds(f, budget))
            && self
                .resources
                .iter()
                .any(|f| rule.resources.holds(f, budget))
    }

    pub(super) fn shown_actions(&self) -> String {
        self.actions
            .first()
            .map_or_else(String::new, |field| field.shown())
    }

    pub(super) fn shown_resources(&self) -> String {
        self.resources
            .first()
            .map_or_else(String::new, |field| field.shown())
    }
}

/// The field without the patterns that no string of the others matches. A negated field stays whole:
/// what it excludes need not be near.
fn touching(field: &Field, others: &[Rc<Field>]) -> Rc<Field> {
    Rc::new(if field.negated {
        field.clone()
    } else {
        field.at(&field.touching(others))
    })
}
