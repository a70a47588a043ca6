//! The `Condition` element: whether its blocks hold for a request, and whether one set of blocks
//! holds only where another does.
//!
//! In come blocks and what is known of a request's context; out comes yes, no, or which keys would
//! have to be known. A key that the request is known not to have is not the same as a key nothing
//! is said of.

pub(crate) mod exclude;
pub(crate) mod implies;
pub(crate) mod operator;
pub(crate) mod value;

pub use implies::implies;

use std::collections::{BTreeMap, BTreeSet};

use super::pattern::token::{self, Token};
use super::statement::ConditionBlock;
use super::template::Variable;
use operator::{Kind, Operator, Set};

/// Whether something is so, as far as the context tells.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Truth {
    Yes,
    No,
    /// It turns on these context keys.
    Open(BTreeSet<String>),
}

impl Truth {
    pub(crate) fn from(yes: bool) -> Self {
        if yes { Truth::Yes } else { Truth::No }
    }

    /// Both.
    pub(crate) fn and(self, other: Self) -> Self {
        match (self, other) {
            (Truth::No, _) | (_, Truth::No) => Truth::No,
            (Truth::Yes, x) | (x, Truth::Yes) => x,
            (Truth::Open(mut a), Truth::Open(b)) => {
                a.extend(b);
                Truth::Open(a)
            }
        }
    }

    pub(crate) fn not(self) -> Self {
        match self {
            Truth::Yes => Truth::No,
            Truth::No => Truth::Yes,
            open @ Truth::Open(_) => open,
        }
    }

    /// At least one of several.
    pub(crate) fn any(all: impl IntoIterator<Item = Self>) -> Self {
        let mut out = Truth::No;
        for one in all {
            out = out.not().and(one.not()).not();
            if out == Truth::Yes {
                break;
            }
        }
        out
    }
}

/// What is known of the context of a request.
pub(crate) struct Context<'a> {
    /// By key in lower case.
    values: BTreeMap<String, &'a [String]>,
    /// Whether a key that is not there is known to be absent.
    complete: bool,
}

/// What is known of one key.
pub(crate) enum Held<'a> {
    Values(&'a [String]),
    Absent,
    Unknown,
}

impl<'a> Context<'a> {
    pub(crate) fn new(context: &'a BTreeMap<String, Vec<String>>, complete: bool) -> Self {
        Self {
            values: context
                .iter()
                .map(|(key, values)| (key.to_ascii_lowercase(), values.as_slice()))
                .collect(),
            complete,
        }
    }

    fn get(&self, key: &str) -> Held<'a> {
        match self.values.get(&key.to_ascii_lowercase()) {
            Some([]) => Held::Absent,
            Some(values) => Held::Values(values),
            None if self.complete => Held::Absent,
            None => Held::Unknown,
        }
    }

    /// The characters a variable stands for. An error where it has no value: known to have none
    /// (the empty set), or not known for want of these keys.
    ///
    /// A key with several values has none as a variable.
    pub(crate) fn variable(&self, variable: &Variable) -> Result<Vec<Token>, BTreeSet<String>> {
        let text = match self.get(&variable.key) {
            Held::Values([one]) => one,
            Held::Values(_) => return Err(BTreeSet::new()),
            Held::Absent => variable.default.as_ref().ok_or_else(BTreeSet::new)?,
            Held::Unknown => return Err(BTreeSet::from([variable.key.clone()])),
        };
        Ok(text.chars().map(Token::Char).collect())
    }

    /// Compiles a template with its variables replaced, and matches it.
    pub(crate) fn matches(
        &self,
        compile: impl FnOnce(&mut dyn FnMut(&Variable) -> Vec<Token>) -> Vec<Token>,
        text: &[char],
    ) -> Truth {
        let mut missing = BTreeSet::new();
        let mut valueless = false;
        let mut tokens = compile(&mut |variable| {
            self.variable(variable).unwrap_or_else(|keys| {
                valueless |= keys.is_empty();
                missing.extend(keys);
                vec![Token::Variable(0)]
            })
        });
        if !missing.is_empty() {
            // Where a variable may hold anything and the text still does not match, no value makes it.
            tokens = token::widened(&tokens);
        }
        if valueless || !token::matches(&tokens, text) {
            Truth::No
        } else if missing.is_empty() {
            Truth::Yes
        } else {
            Truth::Open(missing)
        }
    }
}

/// Whether all blocks hold.
pub(crate) fn holds(blocks: &[ConditionBlock], variables: bool, context: &Context<'_>) -> Truth {
    let mut out = Truth::Yes;
    for block in blocks {
        out = out.and(block_holds(block, variables, context));
        if out == Truth::No {
            break;
        }
    }
    out
}

fn block_holds(block: &ConditionBlock, variables: bool, context: &Context<'_>) -> Truth {
    let unknown = || Truth::Open(BTreeSet::from([block.key.clone()]));
    // What is not an operator of IAM decides nothing.
    let Some(operator) = Operator::parse(&block.operator) else {
        return unknown();
    };
    let found = match context.get(&block.key) {
        Held::Unknown => return unknown(),
        Held::Absent => None,
        Held::Values(values) => Some(values),
    };
    if operator.kind == Kind::Null {
        let absent = found.is_none().to_string();
        return Truth::from(block.values.iter().any(|v| v.eq_ignore_ascii_case(&absent)));
    }
    let Some(found) = found else {
        return Truth::from(operator.holds_when_absent());
    };
    // Nor does a date that IAM may read in another way.
    if operator.kind.is_date() && block.values.iter().any(|v| !value::is_date(v)) {
        return unknown();
    }
    let one = |found: &String| {
        let text: Vec<char> = found.chars().collect();
        Truth::any(block.values.iter().map(|wanted| {
            if operator.kind.is_text() {
                context.matches(
                    |variable| {
                        operator
                            .kind
                            .tokens(&operator.kind.parts(wanted, variables), variable)
                    },
                    &operator.kind.fold(&text),
                )
            } else {
                Truth::from(value::compare(operator.kind, wanted, found))
            }
        }))
    };
    match (operator.set, operator.negated) {
        (Set::None | Set::Any, false) => Truth::any(found.iter().map(one)),
        (Set::None | Set::All, true) => Truth::any(found.iter().map(one)).not(),
        (Set::All, false) => Truth::any(found.iter().map(|f| one(f).not())).not(),
        (Set::Any, true) => Truth::any(found.iter().map(|f| one(f).not())),
    }
}

#[cfg(test)]
mod tests;
