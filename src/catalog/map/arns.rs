//! ARN formats as AWS writes them (`arn:${Partition}:sqs:${Region}:${Account}:${QueueName}`): filled from
//! values, and read backwards to tell what kind of thing an ARN names.

use super::resource::{ResourceRef, escape};

/// Partition, region and account that fill the front of an ARN.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Scope {
    /// `aws`, `aws-cn`, ...
    pub(super) partition: String,
    /// The region of the event; empty where unknown.
    pub(super) region: String,
    /// The account that owns what the call names; empty where unknown.
    pub(super) account: String,
}

/// A value for one variable of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Part {
    /// These letters.
    Text(String),
    /// A piece of IAM policy syntax, wildcards and all.
    Glob(String),
    /// Not known.
    Unknown,
}

/// Fills a format; `value` is asked for every variable that [`Scope`] does not fill. Whatever stays
/// unknown becomes `*` and the whole a pattern.
pub(super) fn fill(
    format: &str,
    scope: &Scope,
    mut value: impl FnMut(&str) -> Part,
) -> ResourceRef {
    let mut literal = String::with_capacity(format.len() + 32);
    let mut pattern = String::with_capacity(format.len() + 32);
    let mut open = false;
    for piece in pieces(format) {
        let own = match piece {
            Piece::Literal(text) => Some(text),
            Piece::Variable("Partition") => Some(scope.partition.as_str()),
            Piece::Variable("Region") => Some(scope.region.as_str()),
            Piece::Variable("Account") => Some(scope.account.as_str()),
            Piece::Variable(_) => None,
        };
        // Neither the letters of a format nor what a scope holds need an escape.
        if let Some(own) = own.filter(|own| !own.is_empty()) {
            pattern.push_str(own);
            literal.push_str(own);
            continue;
        }
        let part = match piece {
            Piece::Literal(_) | Piece::Variable("Partition" | "Region" | "Account") => {
                Part::Unknown
            }
            Piece::Variable("*") => Part::Glob("*".to_owned()),
            Piece::Variable(name) => value(name),
        };
        match part {
            Part::Text(text) => {
                // `ou/${OrganizationId}/ou-${Id}`: identifiers may come with their prefix.
                let lead = pattern.rsplit(['/', ':']).next().unwrap_or_default();
                let again = lead.ends_with('-') && text.starts_with(lead);
                let text = if again { &text[lead.len()..] } else { &text };
                pattern.push_str(&escape(text));
                literal.push_str(text);
            }
            Part::Glob(glob) => {
                open = true;
                pattern.push_str(&glob);
            }
            Part::Unknown => {
                open = true;
                if !pattern.ends_with('*') {
                    pattern.push('*');
                }
            }
        }
    }
    if open {
        ResourceRef::Pattern(pattern)
    } else {
        ResourceRef::Literal(literal)
    }
}

/// The variables of a format, without the ones that every ARN has.
pub(super) fn variables(format: &str) -> impl Iterator<Item = &str> {
    pieces(format).filter_map(|piece| match piece {
        Piece::Variable(name) if !matches!(name, "Partition" | "Region" | "Account" | "*") => {
            Some(name)
        }
        _ => None,
    })
}

enum Piece<'a> {
    Literal(&'a str),
    Variable(&'a str),
}

/// The pieces of a format in order. Some formats hold a bare `*`: a variable of that name.
fn pieces(format: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = format;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((name, after)) = rest
            .strip_prefix("${")
            .and_then(|rest| rest.split_once('}'))
        {
            rest = after;
            return Some(Piece::Variable(name));
        }
        if let Some(after) = rest.strip_prefix('*') {
            rest = after;
            return Some(Piece::Variable("*"));
        }
        let mut bytes = rest.bytes().enumerate().skip(1);
        let end = bytes.find(|(_, byte)| matches!(byte, b'$' | b'*'));
        let end = end.map_or(rest.len(), |(at, _)| at);
        let (text, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Literal(text))
    })
}

/// The text before the first colon, and the text behind it.
fn field(text: &str) -> Option<(&str, &str)> {
    let at = text.bytes().position(|byte| byte == b':')?;
    Some((&text[..at], &text[at + 1..]))
}

/// How well an ARN fits a format: the number of letters the format itself gives, more is closer. `None`
/// where it does not fit. The last variable may hold `/` and `:`, the others end at the next letter of
/// the format.
pub(super) fn fit(format: &str, arn: &str) -> Option<usize> {
    let (mut want, mut got) = (format, arn);
    for _ in 0..5 {
        let ((want_field, want_rest), (got_field, got_rest)) = (field(want)?, field(got)?);
        let open = want_field == "*" || want_field.starts_with("${");
        if (open && got_field.is_empty()) || (!open && want_field != got_field) {
            return None;
        }
        (want, got) = (want_rest, got_rest);
    }
    let mut letters = 0;
    let mut pieces = pieces(want).peekable();
    while let Some(piece) = pieces.next() {
        match (piece, pieces.peek()) {
            (Piece::Literal(text), _) => {
                got = got.strip_prefix(text)?;
                letters += text.len();
            }
            (Piece::Variable(_), Some(Piece::Literal(next))) => {
                let at = match next.as_bytes() {
                    [byte] => memchr::memchr(*byte, got.as_bytes()),
                    _ => got.find(next),
                };
                let at = at.filter(|at| *at > 0)?;
                got = &got[at..];
            }
            (Piece::Variable(_), Some(Piece::Variable(_))) => {}
            (Piece::Variable(_), None) => {
                return (!got.is_empty()).then_some(letters);
            }
        }
    }
    got.is_empty().then_some(letters)
}
