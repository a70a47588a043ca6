//! The resource of one request: an ARN taken letter by letter, a pattern where only the container is
//! known, or everything.

use std::fmt;

/// What IAM checked a call against, as far as the event shows it.
///
/// The three are apart because a literal ARN may hold `*`, `?` or `${`: object keys are chosen by
/// whoever uploads. In a policy those letters would become a wildcard or a variable, so a literal is
/// escaped when it is written as a pattern, never before.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ResourceRef {
    /// Exactly this ARN, no letter of it special.
    Literal(String),
    /// An IAM policy pattern: `*` and `?` are wildcards, literal ones inside are already escaped.
    Pattern(String),
    /// `*`: the action takes no resource, or nothing of it is known.
    Any,
}

/// IAM accepts these characters in a policy document; all others must be left to a wildcard.
/// (IAM API reference, `PolicyDocument`: `[\u0009\u000A\u000D\u0020-\u00FF]+`.)
fn writable(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | '\u{20}'..='\u{ff}')
}

impl ResourceRef {
    /// The resource in IAM policy syntax: a literal with `*` as `${*}`, `?` as `${?}`, `${` as `${$}{`,
    /// and every character that a policy document cannot hold as the wildcard `*`. (IAM user guide,
    /// policy variables, "specifying special characters".)
    #[must_use]
    pub fn pattern(&self) -> String {
        match self {
            Self::Literal(arn) => escape(arn),
            Self::Pattern(pattern) => pattern.clone(),
            Self::Any => "*".to_owned(),
        }
    }

    /// The ARN as AWS would print it, where it is known to the letter.
    #[must_use]
    pub fn as_arn(&self) -> Option<&str> {
        match self {
            Self::Literal(arn) => Some(arn),
            Self::Pattern(_) | Self::Any => None,
        }
    }

    /// Whether some part of it is a wildcard.
    #[must_use]
    pub fn is_open(&self) -> bool {
        !matches!(self, Self::Literal(_))
    }
}

impl fmt::Display for ResourceRef {
    /// The text as it is, without escapes: for people, not for policies.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Literal(text) | Self::Pattern(text) => f.write_str(text),
            Self::Any => f.write_str("*"),
        }
    }
}

/// Literal text in IAM policy syntax.
pub(super) fn escape(text: &str) -> String {
    let plain = |byte: u8| matches!(byte, b' '..=b'~') && !matches!(byte, b'*' | b'?' | b'$');
    if text.bytes().all(plain) {
        return text.to_owned();
    }
    let mut out = String::with_capacity(text.len());
    let mut letters = text.chars().peekable();
    while let Some(letter) = letters.next() {
        match letter {
            '*' => out.push_str("${*}"),
            '?' => out.push_str("${?}"),
            '$' if letters.peek() == Some(&'{') => out.push_str("${$}"),
            letter if writable(letter) => out.push(letter),
            // A run of unwritable characters needs one wildcard.
            _ if out.ends_with('*') => {}
            _ => out.push('*'),
        }
    }
    out
}
