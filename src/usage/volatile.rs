//! Which pieces of a name will be others tomorrow.
//!
//! In: one inner part (object key, stream name) as a log holds it. Out: the same with dates, times,
//! counters, uuids, hashes and other ids as `*`, words and extensions as they are. A function of the one
//! name alone; what a set of names tells beyond that is for [`crate::synthesize`].

/// Volatile pieces of an inner part as `*`. `literal` says that `*`, `?` and `$` in it are characters of
/// a name: a piece that holds one is given up too, since a policy could read it as a wildcard.
pub(super) fn generalize(inner: &str, literal: bool) -> String {
    collapse(&segments(inner, literal).join("/"))
}

/// The same segment by segment, stars beside stars left alone.
pub(super) fn segments(inner: &str, literal: bool) -> Vec<String> {
    let segments: Vec<&str> = inner.split('/').collect();
    let dated = segments.iter().any(|segment| holds_year(segment));
    let open = |(at, segment): (usize, &&str)| {
        let fanned = at + 1 < segments.len() && is_fan_out(segment, &segments[at + 1..]);
        if fanned {
            "*".to_owned()
        } else {
            one_segment(segment, literal, dated)
        }
    };
    segments.iter().enumerate().map(open).collect()
}

/// Whether a segment that never changed so far may still be a part of a date: a year, a month, a short
/// number alone or behind a few letters.
pub(super) fn may_be_date(segment: &str) -> bool {
    let short = segment
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|piece| piece.bytes().any(|b| b.is_ascii_digit()))
        .any(|piece| {
            let digits = piece.bytes().filter(u8::is_ascii_digit).count();
            digits <= 2
                && piece.len() - digits <= 4
                && piece.len() == segment.len().min(piece.len())
                && segment.len() <= 9
        });
    let month = segment
        .split(|c: char| !c.is_ascii_alphabetic())
        .any(is_month);
    short || month || holds_year(segment)
}

/// A piece between separators, and what is known of it.
struct Piece<'s> {
    text: &'s str,
    /// The separator behind it.
    behind: Option<char>,
    kind: Kind,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Stable,
    /// Digits, times, months: other tomorrow, but no id.
    Number,
    /// Random letters and digits.
    Id,
    /// Letters that stay, then digits that do not: how many bytes stay.
    Numbered(usize),
}

fn one_segment(segment: &str, literal: bool, dated: bool) -> String {
    if literal && segment.contains(['*', '?', '$']) {
        return "*".to_owned();
    }
    let segment = without_uuids(segment);
    let mut pieces = pieces(&segment, dated);
    months(&mut pieces, dated);
    versions(&mut pieces);
    keep_regions(&mut pieces);
    spread(&mut pieces);
    let mut out = String::with_capacity(segment.len());
    for piece in &pieces {
        match piece.kind {
            Kind::Stable => out.push_str(piece.text),
            Kind::Number | Kind::Id => out.push('*'),
            Kind::Numbered(stays) => {
                out.push_str(&piece.text[..stays]);
                out.push('*');
            }
        }
        out.extend(piece.behind);
    }
    out
}

/// Uuids are found first: their groups alone can look like words. A `*` stands for each.
fn without_uuids(segment: &str) -> String {
    const GROUPS: [usize; 5] = [8, 4, 4, 4, 12];
    let bytes = segment.as_bytes();
    let is_uuid = |at: usize| {
        let Some(candidate) = bytes.get(at..at + 36) else {
            return false;
        };
        let mut groups = candidate.split(|b| *b == b'-' || *b == b'_');
        let framed = GROUPS.iter().all(|length| {
            groups.next().is_some_and(|group| {
                group.len() == *length && group.iter().all(u8::is_ascii_hexdigit)
            })
        });
        let ends = |byte: Option<&u8>| byte.is_none_or(|b| !b.is_ascii_alphanumeric());
        framed
            && groups.next().is_none()
            && ends(bytes.get(at + 36))
            && ends(at.checked_sub(1).and_then(|b| bytes.get(b)))
    };
    let mut out = String::with_capacity(segment.len());
    let mut at = 0;
    while at < segment.len() {
        if is_uuid(at) {
            out.push('*');
            at += 36;
        } else {
            let length = segment[at..].chars().next().map_or(1, char::len_utf8);
            out.push_str(&segment[at..at + length]);
            at += length;
        }
    }
    out
}

fn pieces(segment: &str, dated: bool) -> Vec<Piece<'_>> {
    let mut pieces = Vec::new();
    let mut start = 0;
    let ends = segment.char_indices().filter(|(_, c)| is_separator(*c));
    for (at, behind) in ends
        .map(|(at, c)| (at, Some(c)))
        .chain([(segment.len(), None)])
    {
        let text = &segment[start..at];
        // The extension says what a file is, digits in it too: `.mp4`, `.7z`.
        let extension = behind.is_none()
            && segment[..start].ends_with('.')
            && text.len() <= 5
            && text.bytes().any(|b| b.is_ascii_alphabetic())
            && segment[..start].len() > 1;
        let kind = if extension {
            Kind::Stable
        } else {
            kind(text, dated)
        };
        pieces.push(Piece { text, behind, kind });
        start = at + behind.map_or(0, char::len_utf8);
    }
    pieces
}

fn kind(text: &str, dated: bool) -> Kind {
    // What is a wildcard already says nothing of its neighbours, so that a second look changes nothing.
    if text == "*" {
        return Kind::Number;
    }
    if text.is_empty() || !text.is_ascii() {
        return Kind::Stable;
    }
    let digits = text.bytes().filter(u8::is_ascii_digit).count();
    if digits == text.len() || is_time(text, digits) {
        return Kind::Number;
    }
    let hex = text.bytes().all(|b| b.is_ascii_hexdigit());
    if (hex && digits > 0 && text.len() >= 6) || is_random(text) {
        return Kind::Id;
    }
    let stays = text.trim_end_matches(|c: char| c.is_ascii_digit()).len();
    let (word, number) = text.split_at(stays);
    let letters = word.bytes().all(|b| b.is_ascii_alphabetic());
    let named = NAMED.iter().any(|known| text.eq_ignore_ascii_case(known));
    if letters
        && !named
        && (number.len() >= 3
            || (!number.is_empty() && dated && stays <= 4 && !word.eq_ignore_ascii_case("v")))
    {
        return Kind::Numbered(stays);
    }
    Kind::Stable
}

/// Names of things, whose digits never change.
const NAMED: [&str; 16] = [
    "sha1", "sha256", "sha384", "sha512", "md5", "s3", "ec2", "h264", "h265", "x264", "x265",
    "i386", "utf8", "mp3", "mp4", "win32",
];

/// `20261114T1905Z`, `22T07`, `19h05`, `05Z`, `14Nov2026`, `2026W47`, `2026Q4`.
fn is_time(text: &str, digits: usize) -> bool {
    if digits < 2 {
        return false;
    }
    let marks = text.bytes().all(|b| {
        b.is_ascii_digit()
            || matches!(
                b,
                b'T' | b't' | b'Z' | b'z' | b'h' | b'm' | b's' | b'W' | b'w' | b'Q' | b'q'
            )
    });
    if marks && digits * 2 > text.len() && text.as_bytes()[0].is_ascii_digit() {
        return true;
    }
    let letters: String = text.chars().filter(char::is_ascii_alphabetic).collect();
    let one_run = text
        .split(|c: char| c.is_ascii_digit())
        .filter(|run| !run.is_empty())
        .count()
        == 1;
    one_run && is_month(&letters)
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = [
    "monday",
    "tuesday",
    "wednesday",
    "thursday",
    "friday",
    "saturday",
    "sunday",
];

/// `November`, `nov`, `Sunday`, `sun`.
fn is_month(text: &str) -> bool {
    let lower = text.to_ascii_lowercase();
    let named = |name: &&str| lower == **name || (lower.len() == 3 && name.starts_with(&lower));
    lower == "sept" || MONTHS.iter().chain(&DAYS).any(named)
}

/// A month or a day of the week beside a number, or under a year, is part of a date.
fn months(pieces: &mut [Piece<'_>], dated: bool) {
    for at in 0..pieces.len() {
        let beside = |other: Option<usize>| {
            other
                .and_then(|other| pieces.get(other))
                .is_some_and(|piece| piece.kind == Kind::Number && piece.text != "*")
        };
        if pieces[at].kind == Kind::Stable
            && is_month(pieces[at].text)
            && (dated || beside(at.checked_sub(1)) || beside(Some(at + 1)))
        {
            pieces[at].kind = Kind::Number;
        }
    }
}

/// `v1.12.3` is a release, another one soon; `v1` alone is an interface and stays.
fn versions(pieces: &mut [Piece<'_>]) {
    for at in 1..pieces.len() {
        let (front, number) = (&pieces[at - 1], &pieces[at]);
        let version = front
            .text
            .strip_prefix(['v', 'V'])
            .is_some_and(|digits| !digits.is_empty() && digits.bytes().all(|b| b.is_ascii_digit()));
        if version && front.behind == Some('.') && number.kind == Kind::Number && number.text != "*"
        {
            pieces[at - 1].kind = Kind::Numbered(1);
        }
    }
}

/// The number of a Region (`eu-central-1`) never changes.
fn keep_regions(pieces: &mut [Piece<'_>]) {
    const AREAS: [&str; 12] = [
        "us", "eu", "ap", "sa", "ca", "me", "af", "il", "mx", "cn", "gov", "iso",
    ];
    const SIDES: [&str; 9] = [
        "east",
        "west",
        "north",
        "south",
        "central",
        "northeast",
        "northwest",
        "southeast",
        "southwest",
    ];
    for at in 2..pieces.len() {
        if pieces[at].text.len() == 1
            && pieces[at].kind == Kind::Number
            && SIDES.contains(&pieces[at - 1].text)
            && AREAS.contains(&pieces[at - 2].text)
            && pieces[at - 1].behind == Some('-')
        {
            pieces[at].kind = Kind::Stable;
        }
    }
}

/// An id can hold `-` and `_`: what is joined by these to a random piece and is no word belongs to it.
fn spread(pieces: &mut [Piece<'_>]) {
    let joined = |behind: Option<char>| matches!(behind, Some('-' | '_' | '='));
    let absorbs = |piece: &Piece<'_>| {
        piece.kind == Kind::Stable && !is_word(piece.text) && !piece.text.contains('*')
    };
    for at in 1..pieces.len() {
        if pieces[at - 1].kind == Kind::Id
            && joined(pieces[at - 1].behind)
            && absorbs(&pieces[at])
            && is_last_of_name(pieces, at)
        {
            pieces[at].kind = Kind::Id;
        }
    }
    for at in (1..pieces.len()).rev() {
        if pieces[at].kind == Kind::Id && joined(pieces[at - 1].behind) && absorbs(&pieces[at - 1])
        {
            pieces[at - 1].kind = Kind::Id;
        }
    }
}

/// Whether a piece is not the extension.
fn is_last_of_name(pieces: &[Piece<'_>], at: usize) -> bool {
    pieces[at - 1].behind != Some('.')
}

/// Letters in one case or with a capital, and something to pronounce in it; or a version such as `v2`.
fn is_word(text: &str) -> bool {
    if text.is_empty() || !text.is_ascii() {
        return !text.is_ascii();
    }
    let rest = &text[1..];
    let even = rest.bytes().all(|b| b.is_ascii_lowercase())
        || text.bytes().all(|b| b.is_ascii_uppercase());
    let vowel = text.bytes().any(|b| b"aeiouyAEIOUY".contains(&b));
    let version =
        text.len() <= 3 && text.starts_with(['v', 'V']) && rest.bytes().all(|b| b.is_ascii_digit());
    version
        || (even
            && text.bytes().all(|b| b.is_ascii_alphabetic())
            && (vowel || text.len() <= 3)
            && text.len() >= 2)
}

/// Letters and digits mixed, or cases mixed, the way generators of ids mix them.
fn is_random(piece: &str) -> bool {
    let bytes = piece.as_bytes();
    if bytes.len() < 8 || !bytes.iter().all(u8::is_ascii_alphanumeric) {
        return false;
    }
    let digits = bytes.iter().filter(|b| b.is_ascii_digit()).count();
    let changes = |class: fn(&u8) -> bool| {
        bytes
            .windows(2)
            .filter(|pair| class(&pair[0]) != class(&pair[1]))
            .count()
    };
    let mixes = changes(u8::is_ascii_digit);
    if digits >= 2 && mixes >= 3 {
        return true;
    }
    let upper = bytes.iter().filter(|b| b.is_ascii_uppercase()).count();
    let lower = bytes.iter().filter(|b| b.is_ascii_lowercase()).count();
    let cases = changes(u8::is_ascii_uppercase);
    if upper * 10 >= bytes.len() * 3 && lower * 10 >= bytes.len() * 2 && cases * 3 >= bytes.len() {
        return true;
    }
    // Long and without a word's vowels: base32 and base36 ids that happen to hold few digits.
    bytes.len() >= 16 && digits >= 1 && mixes >= 2 && (upper == 0 || lower == 0)
}

/// `ab/cd/abcdef0123…`: folders that repeat the beginning of the id below them.
fn is_fan_out(segment: &str, below: &[&str]) -> bool {
    let short = segment.len() <= 4 && segment.bytes().all(|b| b.is_ascii_alphanumeric());
    short
        && !segment.is_empty()
        && below.iter().any(|name| {
            let name = name.split('.').next().unwrap_or(name);
            let id = name.len() >= 16 && matches!(kind(name, false), Kind::Id);
            id && name.find(segment).is_some_and(|at| at <= 6)
        })
}

/// A year of now, alone or at the beginning of a date: `2026`, `20261122`.
fn holds_year(segment: &str) -> bool {
    segment.split(|c: char| !c.is_ascii_digit()).any(|run| {
        matches!(run.len(), 4 | 6 | 8 | 10 | 12 | 14)
            && (run.starts_with("20") || run.starts_with("19"))
            || run.len() == 8 && (run[4..].starts_with("20"))
    })
}

pub(super) fn is_separator(c: char) -> bool {
    matches!(
        c,
        '-' | '_'
            | '.'
            | '='
            | ':'
            | '+'
            | '@'
            | ' '
            | ','
            | '~'
            | '('
            | ')'
            | '%'
            | '&'
            | '#'
            | '['
            | ']'
            | '{'
            | '}'
            | '!'
            | ';'
            | '\''
    )
}

/// `*-*` within a segment and `*/*` between whole segments as one `*`, which matches separators too. A
/// folder that keeps a word stays a folder: `backup-*/*.csv`.
pub(super) fn collapse(pattern: &str) -> String {
    let mut out = String::with_capacity(pattern.len());
    let mut rest = pattern;
    while let Some(at) = rest.find('*') {
        out.push_str(&rest[..=at]);
        rest = &rest[at + 1..];
        let whole = out.len() == 1 || out.ends_with("/*");
        // Swallow separators as long as another star follows them.
        loop {
            let kept = rest.trim_start_matches(|c| is_separator(c) || (whole && c == '/'));
            match kept.strip_prefix('*') {
                Some(after) => rest = after,
                None => break,
            }
        }
    }
    out.push_str(rest);
    out
}

#[cfg(test)]
mod tests;
