//! One JSON object or list, checked and passed over.
//!
//! In: bytes that begin with `{` or `[`. Out: how long the value is and whether it is all ASCII.
//! Accepts exactly the sound JSON that has no white space between its tokens and does not nest absurdly;
//! everything else is [`Cut::Odd`] or [`Cut::Short`], for a patient parser to decide on. Whether bytes
//! that are not ASCII are UTF-8 is for the caller to ask.
//!
//! Soundness is decided by what may stand beside what, for 64 bytes at a time: a string, bracket or word
//! only after `{`, `[`, `:` or `,`; a `,` or a closing bracket only after a value; a `:` only after a
//! string that follows `{` or `,`. What that leaves open is counted per bracket: an object has one colon
//! more than commas, or nothing at all in it; a list has no colon. Words and escapes are read one by one.

use super::block::{BLOCK, Way};

/// Values within values that are followed.
const DEEPEST: usize = 64;

/// Why a value could not be cut.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) enum Cut {
    /// It does not end within the bytes.
    Short,
    /// Not sound, or not compact: for the patient parser.
    Odd,
}

/// A value that was passed over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Skipped {
    /// Bytes of the value, brackets included.
    pub(super) length: usize,
    /// Every byte of it is ASCII; may be false of one that is, where others follow it closely.
    pub(super) ascii: bool,
}

/// What the last byte of the block before was: 1 or 0 each.
#[derive(Default)]
struct Before {
    /// `{`, `[`, `:` or `,`.
    starts: u64,
    /// `{`, `[` or `,`.
    key: u64,
    /// `{` or `[`.
    open: u64,
    /// The end of a value.
    ended: u64,
    word: u64,
    key_closed: u64,
}

/// Checks the value at the start of `text`.
#[inline(always)]
pub(super) fn skip<W: Way>(text: &[u8]) -> Result<Skipped, Cut> {
    let mut high = 0_u64;
    let mut before = Before {
        starts: 1,
        ..Before::default()
    };
    let mut inside = 0_u64; // all ones inside a string
    let mut escape = 0_u64; // 1: the next byte is escaped
    let mut in_key = 0_u64; // 1: inside a string that may be a key
    let mut depth = 0_usize;
    let mut objects = 0_u64; // bit n: what is open, n levels out
    let mut kept = [0_i32; DEEPEST]; // colons less commas of what is open further out
    let mut balance = 0_i32;
    let mut opened = usize::MAX; // where the last bracket was opened, if no other came since
    let mut at = 0;
    loop {
        let mut padded = [b' '; BLOCK];
        let rest = text.get(at..).unwrap_or_default();
        let (block, last) = match rest.first_chunk::<BLOCK>() {
            Some(block) => (block, false),
            None if rest.is_empty() => return Err(Cut::Short),
            None => {
                for (to, from) in padded.iter_mut().zip(rest) {
                    *to = *from;
                }
                (&padded, true)
            }
        };
        let found = W::masks(block);
        high |= found.high;

        // Strings.
        let escaped = if found.backslash == 0 {
            std::mem::take(&mut escape)
        } else {
            escaped(found.backslash, &mut escape)
        };
        let quote = found.quote & !escaped;
        let string = W::parity(quote) ^ inside; // from the opening quote up to before the closing one
        inside = 0_u64.wrapping_sub(string >> 63);
        let opening = quote & string;
        let closing = quote & !string;
        let open = found.open & !string;
        let close = found.close & !string;
        let colon = found.colon & !string;
        let comma = found.comma & !string;
        let word = !(string | closing | open | close | colon | comma);

        // Neighbours.
        let after = |these: u64, carry: &mut u64| {
            let after = these << 1 | *carry;
            *carry = these >> 63;
            after
        };
        let after_start = after(open | colon | comma, &mut before.starts);
        let after_open = after(open, &mut before.open);
        let after_end = after(closing | close | word, &mut before.ended);
        let after_word = after(word, &mut before.word);
        let may_be_key = opening & after(open | comma, &mut before.key);
        // Adding to the first bit of a string's run of ones carries to its closing quote.
        let (sum, over) = string.overflowing_add(may_be_key);
        let (sum, over_too) = sum.overflowing_add(in_key);
        in_key = u64::from(over | over_too);
        let after_key = after(sum & !string, &mut before.key_closed);
        let first_of_word = word & !after_word;
        let mut wrong = (opening | open | first_of_word) & !after_start
            | comma & !after_end
            | close & !(after_end | after_open)
            | colon & !after_key
            | found.control;

        // Brackets.
        let mut brackets = open | close;
        let mut ahead = u64::MAX; // the bits behind the last bracket
        let mut end = None;
        while brackets != 0 {
            let bit = brackets & brackets.wrapping_neg();
            let place = bit.trailing_zeros() as usize;
            let between = ahead & (bit - 1);
            ahead = !(bit - 1) & !bit;
            brackets &= brackets - 1;
            level(objects, between & colon, between & comma, &mut balance)?;
            let offset = at + place;
            let object = block.get(place).is_some_and(|byte| byte & 0x20 != 0);
            if open & bit != 0 {
                *kept.get_mut(depth).ok_or(Cut::Odd)? = balance;
                depth += 1;
                objects = objects << 1 | u64::from(object);
                balance = 0;
                opened = offset;
                continue;
            }
            let empty = opened.wrapping_add(1) == offset;
            if (objects & 1 == 1) != object || object && balance != 1 && !empty {
                return Err(Cut::Odd);
            }
            opened = usize::MAX;
            objects >>= 1;
            depth = depth.wrapping_sub(1);
            balance = *kept.get(depth).ok_or(Cut::Odd)?;
            if depth == 0 {
                end = Some((offset + 1, bit | (bit - 1)));
                break;
            }
        }
        let valid = end.map_or(u64::MAX, |(_, valid)| valid);
        if end.is_none() {
            if last {
                return Err(Cut::Short);
            }
            level(objects, ahead & colon, ahead & comma, &mut balance)?;
        }
        wrong &= valid;
        if wrong != 0 {
            return Err(Cut::Odd);
        }
        let mut words = first_of_word & valid;
        while words != 0 {
            word_length(
                rest.get(words.trailing_zeros() as usize..)
                    .unwrap_or_default(),
            )?;
            words &= words - 1;
        }
        if found.backslash & valid != 0 {
            // An escaped byte, or the first of the next block.
            let mut escapes = found.backslash & !escaped & valid;
            while escapes != 0 {
                is_escape(
                    rest.get(escapes.trailing_zeros() as usize..)
                        .unwrap_or_default(),
                )?;
                escapes &= escapes - 1;
            }
        }
        if let Some((length, _)) = end {
            let ascii = high == 0;
            return Ok(Skipped { length, ascii });
        }
        at += BLOCK;
    }
}

/// Counts the colons and commas of the innermost open value between two brackets.
#[inline(always)]
fn level(objects: u64, colon: u64, comma: u64, balance: &mut i32) -> Result<(), Cut> {
    if objects & 1 == 0 && colon != 0 {
        return Err(Cut::Odd);
    }
    *balance += colon.count_ones().cast_signed() - comma.count_ones().cast_signed();
    Ok(())
}

/// The bytes behind an odd number of backslashes. `carry` says whether the first byte is one, and then
/// whether the first of the next block is.
#[inline(always)]
fn escaped(backslash: u64, carry: &mut u64) -> u64 {
    const EVEN: u64 = 0x5555_5555_5555_5555;
    // simdjson's way: a run that starts on an odd place, added to itself, flips what is even in it.
    let backslash = backslash & !*carry;
    let follows = backslash << 1 | *carry;
    let odd_starts = backslash & !EVEN & !follows;
    let (sum, over) = odd_starts.overflowing_add(backslash);
    *carry = u64::from(over);
    (EVEN ^ (sum << 1)) & follows
}

/// How long the number, `true`, `false` or `null` is that `text` begins with.
#[inline]
pub(super) fn word_length(text: &[u8]) -> Result<usize, Cut> {
    let ends = |length: usize| match text.get(length) {
        Some(b',' | b'}' | b']') => Ok(length),
        Some(_) => Err(Cut::Odd),
        None => Err(Cut::Short),
    };
    if text.starts_with(b"true") || text.starts_with(b"null") {
        return ends(4);
    }
    if text.starts_with(b"false") {
        return ends(5);
    }
    // A word or number cut off by the end of the bytes is not told apart from a wrong one.
    let digits = |from: usize| {
        let digits = text.get(from..).unwrap_or_default().iter();
        digits.take_while(|byte| byte.is_ascii_digit()).count()
    };
    let mut length = usize::from(text.first() == Some(&b'-'));
    let whole = digits(length);
    if whole == 0 || whole > 1 && text.get(length) == Some(&b'0') {
        return Err(Cut::Odd);
    }
    length += whole;
    if text.get(length) == Some(&b'.') {
        let fraction = digits(length + 1);
        if fraction == 0 {
            return Err(Cut::Odd);
        }
        length += 1 + fraction;
    }
    if let Some(b'e' | b'E') = text.get(length) {
        length += 1;
        length += usize::from(matches!(text.get(length), Some(b'+' | b'-')));
        let exponent = digits(length);
        if exponent == 0 {
            return Err(Cut::Odd);
        }
        length += exponent;
    }
    ends(length)
}

/// Whether `text`, from a backslash on, begins with a whole escape.
#[inline]
pub(super) fn is_escape(text: &[u8]) -> Result<(), Cut> {
    match text.get(1) {
        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => Ok(()),
        Some(b'u') => match text.get(2..6) {
            Some(digits) if digits.iter().all(u8::is_ascii_hexdigit) => Ok(()),
            _ => Err(Cut::Odd),
        },
        _ => Err(Cut::Odd),
    }
}
