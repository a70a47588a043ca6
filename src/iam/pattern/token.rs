//! Patterns as tokens: what each character of a glob stands for under one reading.

/// One element of a compiled pattern.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Token {
    /// Exactly this character.
    Char(char),
    /// Whatever a policy variable holds, known by its number; equal to itself and nothing else.
    Variable(u32),
    /// Any one character.
    One,
    /// Any one character but `:`.
    OneWithin,
    /// Any characters, also none.
    Many,
    /// Any characters but `:`, also none. Never after a [`Token::Many`]: greedy matching rests on it.
    ManyWithin,
}

impl Token {
    /// Whether the token may stand for several characters or none.
    pub(crate) fn repeats(self) -> bool {
        matches!(self, Token::Many | Token::ManyWithin)
    }

    /// Whether the token, used once, may stand for this character.
    pub(crate) fn accepts(self, c: char) -> bool {
        match self {
            Token::Char(own) => own == c,
            Token::Variable(_) => false,
            Token::One | Token::Many => true,
            Token::OneWithin | Token::ManyWithin => c != ':',
        }
    }
}

/// Compiles a plain glob: `*` any characters, `?` any one, all else itself.
pub(crate) fn glob(pattern: &str) -> Vec<Token> {
    normal(pattern.chars().map(wild))
}

/// Compiles a plain glob that is compared without regard to (ASCII) case.
pub(crate) fn glob_ignore_case(pattern: &str) -> Vec<Token> {
    normal(pattern.chars().map(|c| wild(c.to_ascii_lowercase())))
}

/// What one character of a pattern stands for.
pub(crate) fn wild(c: char) -> Token {
    match c {
        '*' => Token::Many,
        '?' => Token::One,
        other => Token::Char(other),
    }
}

/// The pattern with `*` for variables. What follows a `*` is free to cross colons, as a variable's
/// value may hold some.
pub(crate) fn widened(pattern: &[Token]) -> Vec<Token> {
    let mut open = false;
    normal(pattern.iter().map(|token| match token {
        Token::Variable(_) => {
            open = true;
            Token::Many
        }
        Token::ManyWithin if open => Token::Many,
        Token::OneWithin if open => Token::One,
        other => *other,
    }))
}

/// Brings tokens into one form per language as far as that is cheap: `**` is `*` and `*?` is `?*`.
pub(crate) fn normal(tokens: impl IntoIterator<Item = Token>) -> Vec<Token> {
    let mut out: Vec<Token> = Vec::new();
    for token in tokens {
        match (out.last().copied(), token) {
            (Some(Token::Many), Token::Many | Token::ManyWithin)
            | (Some(Token::ManyWithin), Token::ManyWithin) => {}
            (Some(Token::ManyWithin), Token::Many) => {
                out.pop();
                out.push(Token::Many);
            }
            (Some(star @ Token::Many), one @ Token::One)
            | (Some(star @ Token::ManyWithin), one @ Token::OneWithin) => {
                out.pop();
                out.push(one);
                out.push(star);
            }
            _ => out.push(token),
        }
    }
    out
}

/// Reads tokens as text again. Only for tokens compiled by [`glob`].
pub(crate) fn text(tokens: &[Token]) -> String {
    tokens
        .iter()
        .map(|token| match token {
            Token::Char(c) => *c,
            Token::Variable(_) => '$',
            Token::One | Token::OneWithin => '?',
            Token::Many | Token::ManyWithin => '*',
        })
        .collect()
}

/// Whether the pattern matches the text. Linear in the usual case, at worst the product of lengths.
///
/// Remembering the last star alone is enough: the leftmost place for what stands between two stars
/// is the best one. A star that may not cross `:` ends the search there, since every earlier star is
/// held in its place by the `:` tokens between.
pub(crate) fn matches(pattern: &[Token], text: &[char]) -> bool {
    let (mut p, mut t) = (0, 0);
    let mut star: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(token) if token.repeats() => {
                star = Some((p, t));
                p += 1;
                continue;
            }
            Some(token) if token.accepts(text[t]) => {
                p += 1;
                t += 1;
                continue;
            }
            _ => {}
        }
        match star {
            Some((at, taken)) if pattern[at].accepts(text[taken]) => {
                star = Some((at, taken + 1));
                p = at + 1;
                t = taken + 1;
            }
            _ => return false,
        }
    }
    pattern[p..].iter().all(|token| token.repeats())
}
