//! The operators of conditions, by their names in the IAM user guide.

use crate::iam::pattern::token::Token;
use crate::iam::template::{Colons, Part, Variable, parts, resource_tokens, value_tokens};

/// Which values of a key with several values are asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Set {
    /// The operator stands alone: any of them, for negated operators none of them.
    None,
    /// `ForAllValues:`
    All,
    /// `ForAnyValue:`
    Any,
}

/// What is compared, without regard to negation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    StringEquals,
    StringEqualsIgnoreCase,
    StringLike,
    NumericEquals,
    NumericLessThan,
    NumericLessThanEquals,
    NumericGreaterThan,
    NumericGreaterThanEquals,
    DateEquals,
    DateLessThan,
    DateLessThanEquals,
    DateGreaterThan,
    DateGreaterThanEquals,
    Bool,
    BinaryEquals,
    IpAddress,
    /// `ArnEquals` and `ArnLike`, which the user guide says behave the same.
    Arn,
    Null,
}

/// A parsed operator.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Operator {
    pub(crate) set: Set,
    pub(crate) kind: Kind,
    /// Whether no value may match, as in `StringNotLike`.
    pub(crate) negated: bool,
    pub(crate) if_exists: bool,
}

const NAMES: [(&str, Kind, bool); 27] = [
    ("StringEquals", Kind::StringEquals, false),
    ("StringNotEquals", Kind::StringEquals, true),
    (
        "StringEqualsIgnoreCase",
        Kind::StringEqualsIgnoreCase,
        false,
    ),
    (
        "StringNotEqualsIgnoreCase",
        Kind::StringEqualsIgnoreCase,
        true,
    ),
    ("StringLike", Kind::StringLike, false),
    ("StringNotLike", Kind::StringLike, true),
    ("NumericEquals", Kind::NumericEquals, false),
    ("NumericNotEquals", Kind::NumericEquals, true),
    ("NumericLessThan", Kind::NumericLessThan, false),
    ("NumericLessThanEquals", Kind::NumericLessThanEquals, false),
    ("NumericGreaterThan", Kind::NumericGreaterThan, false),
    (
        "NumericGreaterThanEquals",
        Kind::NumericGreaterThanEquals,
        false,
    ),
    ("DateEquals", Kind::DateEquals, false),
    ("DateNotEquals", Kind::DateEquals, true),
    ("DateLessThan", Kind::DateLessThan, false),
    ("DateLessThanEquals", Kind::DateLessThanEquals, false),
    ("DateGreaterThan", Kind::DateGreaterThan, false),
    ("DateGreaterThanEquals", Kind::DateGreaterThanEquals, false),
    ("Bool", Kind::Bool, false),
    ("BinaryEquals", Kind::BinaryEquals, false),
    ("IpAddress", Kind::IpAddress, false),
    ("NotIpAddress", Kind::IpAddress, true),
    ("ArnEquals", Kind::Arn, false),
    ("ArnLike", Kind::Arn, false),
    ("ArnNotEquals", Kind::Arn, true),
    ("ArnNotLike", Kind::Arn, true),
    ("Null", Kind::Null, false),
];

impl Operator {
    /// Reads an operator as it stands in a policy; `None` for what IAM does not know.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (set, rest) = match text.split_once(':') {
            None => (Set::None, text),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAllValues") => (Set::All, rest),
            Some((set, rest)) if set.eq_ignore_ascii_case("ForAnyValue") => (Set::Any, rest),
            Some(_) => return None,
        };
        let cut = rest.len().saturating_sub("IfExists".len());
        let (name, if_exists) = match (rest.get(..cut), rest.get(cut..)) {
            (Some(name), Some(end)) if end.eq_ignore_ascii_case("IfExists") => (name, true),
            _ => (rest, false),
        };
        let &(_, kind, negated) = NAMES.iter().find(|(n, ..)| n.eq_ignore_ascii_case(name))?;
        (kind != Kind::Null || !if_exists).then_some(Self {
            set,
            kind,
            negated,
            if_exists,
        })
    }

    /// What the block is when the request does not have the key.
    pub(crate) fn holds_when_absent(self) -> bool {
        self.if_exists
            || match self.set {
                Set::All => true,
                Set::Any => false,
                Set::None => self.negated,
            }
    }
}

impl Kind {
    /// Whether values are compared as text.
    pub(crate) fn is_text(self) -> bool {
        matches!(
            self,
            Kind::StringEquals
                | Kind::StringEqualsIgnoreCase
                | Kind::StringLike
                | Kind::Bool
                | Kind::BinaryEquals
                | Kind::Arn
        )
    }

    /// Whether policy variables are replaced in its values: the user guide names the string and the
    /// ARN operators.
    pub(crate) fn takes_variables(self) -> bool {
        self.is_text() && !matches!(self, Kind::Bool | Kind::BinaryEquals)
    }

    /// The parts of a value, `variables` where the version of the policy has them.
    pub(crate) fn parts(self, value: &str, variables: bool) -> Vec<Part> {
        parts(value, variables && self.takes_variables())
    }

    /// Compiles a value of a kind that is compared as text.
    pub(crate) fn tokens(
        self,
        parts: &[Part],
        variable: &mut dyn FnMut(&Variable) -> Vec<Token>,
    ) -> Vec<Token> {
        let tokens = match self {
            Kind::Arn => resource_tokens(parts, Colons::Parts, variable),
            _ => value_tokens(parts, self == Kind::StringLike, variable),
        };
        self.fold_tokens(tokens)
    }

    /// A pattern as this kind compares it.
    pub(crate) fn fold_tokens(self, tokens: Vec<Token>) -> Vec<Token> {
        match self {
            Kind::StringEqualsIgnoreCase | Kind::Bool => tokens
                .into_iter()
                .map(|token| match token {
                    Token::Char(c) => Token::Char(c.to_ascii_lowercase()),
                    other => other,
                })
                .collect(),
            _ => tokens,
        }
    }

    /// The text of a request as this kind compares it.
    pub(crate) fn fold(self, text: &[char]) -> Vec<char> {
        match self {
            Kind::StringEqualsIgnoreCase | Kind::Bool => {
                text.iter().map(char::to_ascii_lowercase).collect()
            }
            _ => text.to_vec(),
        }
    }
}
