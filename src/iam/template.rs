//! Policy text with wildcards and policy variables, cut into what each piece stands for.
//!
//! Variables exist in policies of version 2012-10-17 only; in older ones `${aws:username}` is text.
//! `${*}`, `${?}` and `${$}` are the characters themselves, and `${key, 'text'}` has a default (IAM
//! user guide, policy variables).

use super::pattern::token::{Token, normal};

/// A reference to a key of the request context.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Variable {
    /// The context key as it is written; keys are compared without regard to case.
    pub(crate) key: String,
    /// What stands for it when the request does not have the key.
    pub(crate) default: Option<String>,
}

/// A piece of a template.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// A character of the text, which may be a wildcard.
    Plain(char),
    /// A character that stands for itself even if it is `*` or `?`.
    Literal(char),
    /// A variable.
    Variable(Variable),
}

/// Whether the text holds variables or escapes, were they to be read.
pub(crate) fn has_variables(text: &str) -> bool {
    text.contains("${")
}

/// Cuts a text into its parts. What looks like a variable but has no end is text.
pub(crate) fn parts(text: &str, variables: bool) -> Vec<Part> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(c) = rest.chars().next() {
        if variables && let Some((part, after)) = rest.strip_prefix("${").and_then(variable) {
            out.push(part);
            rest = after;
        } else {
            out.push(Part::Plain(c));
            rest = &rest[c.len_utf8()..];
        }
    }
    out
}

/// Reads what follows `${`, up to and with `}`.
fn variable(text: &str) -> Option<(Part, &str)> {
    for c in ['*', '?', '$'] {
        if let Some(after) = text.strip_prefix(c).and_then(|t| t.strip_prefix('}')) {
            return Some((Part::Literal(c), after));
        }
    }
    // A key holds neither `$` nor `{`; to look no further keeps the cutting linear in the text.
    let end = text.find(['}', '\'', '$', '{'])?;
    if text[end..].starts_with(['$', '{']) {
        return None;
    }
    let (key, default, after) = if text[end..].starts_with('\'') {
        let key = text[..end].trim_end().strip_suffix(',')?;
        let quoted = &text[end + 1..];
        let close = quoted.find('\'')?;
        let after = quoted[close + 1..].trim_start().strip_prefix('}')?;
        (key, Some(quoted[..close].to_owned()), after)
    } else {
        (&text[..end], None, &text[end + 1..])
    };
    let key = key.trim().to_owned();
    (!key.is_empty()).then_some((Part::Variable(Variable { key, default }), after))
}

/// How wildcards of a resource pattern treat the colons between the segments of an ARN.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Colons {
    /// As the user guide says: within one of the first five segments a wildcard does not match `:`,
    /// unless it is a `*` at the very end of the segment, which can match beyond. From there on, and
    /// in the resource part, wildcards match everything.
    Segments,
    /// Wildcards match everything everywhere.
    Whole,
    /// As the ARN condition operators do: each of the six parts of the ARN is matched for itself. A
    /// pattern that has fewer parts is matched as a whole.
    Parts,
}

/// Compiles the parts of a resource pattern; `variable` says what a variable stands for.
///
/// Segments are counted in the pattern as it is written; colons in a variable's value do not count.
pub(crate) fn resource_tokens(
    parts: &[Part],
    colons: Colons,
    mut variable: impl FnMut(&Variable) -> Vec<Token>,
) -> Vec<Token> {
    let mut pinned = match colons {
        Colons::Segments => true,
        Colons::Whole => false,
        Colons::Parts => parts.iter().filter(|p| **p == Part::Plain(':')).count() >= 5,
    };
    let mut segment = 0;
    let mut out = Vec::with_capacity(parts.len());
    for (at, part) in parts.iter().enumerate() {
        match part {
            Part::Plain('*') => {
                let ends = matches!(parts.get(at + 1), None | Some(Part::Plain(':')));
                pinned &= colons == Colons::Parts || !ends;
                out.push(if pinned {
                    Token::ManyWithin
                } else {
                    Token::Many
                });
            }
            Part::Plain('?') => out.push(if pinned { Token::OneWithin } else { Token::One }),
            Part::Plain(c) => {
                if *c == ':' {
                    segment += 1;
                    pinned &= segment < 5;
                }
                out.push(Token::Char(*c));
            }
            Part::Literal(c) => out.push(Token::Char(*c)),
            Part::Variable(v) => out.extend(variable(v)),
        }
    }
    normal(out)
}

/// Numbers for variables: equal for the same key and default, so that tokens can be compared.
#[derive(Debug, Default)]
pub(crate) struct Names {
    known: std::collections::BTreeMap<(String, Option<String>), u32>,
}

impl Names {
    /// The token of a variable.
    pub(crate) fn token(&mut self, variable: &Variable) -> Token {
        let next = self.known.len() as u32;
        let id = (variable.key.to_ascii_lowercase(), variable.default.clone());
        Token::Variable(*self.known.entry(id).or_insert(next))
    }
}

/// Compiles the parts of a condition value: wildcards match everything where the operator has
/// wildcards, and are text where it has none.
pub(crate) fn value_tokens(
    parts: &[Part],
    wildcards: bool,
    mut variable: impl FnMut(&Variable) -> Vec<Token>,
) -> Vec<Token> {
    let mut out = Vec::with_capacity(parts.len());
    for part in parts {
        match part {
            Part::Plain('*') if wildcards => out.push(Token::Many),
            Part::Plain('?') if wildcards => out.push(Token::One),
            Part::Plain(c) | Part::Literal(c) => out.push(Token::Char(*c)),
            Part::Variable(v) => out.extend(variable(v)),
        }
    }
    normal(out)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::pattern::token;

    fn matches(pattern: &str, text: &str) -> bool {
        let tokens = resource_tokens(&parts(pattern, false), Colons::Segments, |_| Vec::new());
        token::matches(&tokens, &text.chars().collect::<Vec<_>>())
    }

    #[test]
    fn wildcards_cross_colons_as_the_user_guide_says() {
        let function = "arn:aws:lambda:eu-west-1:123456789012:function:a:b";
        for (pattern, text, expected) in [
            ("*", "*", true),
            ("*", function, true),
            ("arn:*", function, true),
            ("arn:aws:lambda:*", function, true),
            ("arn:aws:lambda:*:function:a:b", function, true),
            (
                "arn:aws:lambda:eu-*-1:123456789012:function:*",
                function,
                true,
            ),
            ("arn:aws:lambda:eu-*", function, true),
            (
                "arn:aws:lambda:eu*1:123456789012:function:a:b",
                function,
                true,
            ),
            // A wildcard inside one of the first five segments stays in it.
            ("arn:aws:lambda:e*2:function:a:b", function, false),
            (
                "arn:aws:lambda:eu-west-1?123456789012:function:a:b",
                function,
                false,
            ),
            (
                "arn:a*a:eu-west-1:123456789012:function:a:b",
                function,
                false,
            ),
            // The resource part is one segment, whatever colons it holds.
            (
                "arn:aws:lambda:eu-west-1:123456789012:function*b",
                function,
                true,
            ),
            (
                "arn:aws:lambda:eu-west-1:123456789012:function?a?b",
                function,
                true,
            ),
            (
                "arn:aws:s3:::bucket/*.txt",
                "arn:aws:s3:::bucket/a:b.txt",
                true,
            ),
            ("arn:aws:s3:::bucket", "arn:aws:s3:::bucket/a", false),
        ] {
            assert_eq!(matches(pattern, text), expected, "{pattern} on {text}");
        }
    }

    #[test]
    fn variables_are_read_in_the_newer_version_only() {
        let variable = |key: &str, default: Option<&str>| {
            Part::Variable(Variable {
                key: key.into(),
                default: default.map(Into::into),
            })
        };
        assert_eq!(
            parts("${aws:UserName}", true),
            [variable("aws:UserName", None)]
        );
        assert_eq!(
            parts("${aws:PrincipalTag/a b, 'x}y'}", true),
            [variable("aws:PrincipalTag/a b", Some("x}y"))]
        );
        assert_eq!(
            parts("${*}${?}${$}", true),
            ['*', '?', '$'].map(Part::Literal)
        );
        for text in ["${aws:UserName", "${}", "$x", "${a'b}", "${a ${b}"] {
            assert!(!matches!(parts(text, true)[0], Part::Variable(_)), "{text}");
        }
        assert_eq!(parts("${a}", false), ['$', '{', 'a', '}'].map(Part::Plain));
    }
}
