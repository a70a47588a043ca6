//! What makes two records the same event: a record in, 128 bits out.
//!
//! Two trails deliver the same event under the same `eventID`, byte for byte. The id alone is not
//! trusted: a record with the id of another but other content must not be taken for its copy, since
//! that would lose a use. So the fingerprint covers who, what, when, on what and how it ended. White
//! space outside strings does not count: a pretty-printed copy is a copy.
//!
//! Usage files hold fingerprints: another way to make them is another version of the format.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};

use foldhash::SharedSeed;
use foldhash::quality::SeedableRandomState;

use super::look::Look;
use super::record::{Record, UserIdentity};

/// The fingerprint of an event, the same in every run. `None` without an `eventID`: such records
/// cannot be told from each other and all count.
#[must_use]
pub fn fingerprint(record: &Record<'_>) -> Option<u128> {
    let key = Key::fixed();
    of(record, of_identity(&record.user_identity, key), key)
}

/// What the hash is keyed with.
#[derive(Clone, Copy)]
pub struct Key(&'static SharedSeed);

impl Key {
    /// The same in every run, for fingerprints that are kept.
    #[must_use]
    pub fn fixed() -> Self {
        Self(SharedSeed::global_fixed())
    }

    /// This run's own. Whoever can plant records cannot search for one that would be taken for a real event,
    /// which would cost its use; and since nothing but whether two fingerprints are equal ever shows, the
    /// output does not depend on it.
    #[must_use]
    pub fn of_this_run() -> Self {
        Self(SharedSeed::global_random())
    }
}

/// What of an identity goes into the fingerprints of its events.
#[must_use]
pub fn of_identity(identity: &UserIdentity<'_>, key: Key) -> u64 {
    let mut hasher = hasher(0x77686f, key);
    let session = identity.session_context.as_ref();
    let issuer = session.and_then(|session| session.session_issuer.as_ref());
    let scope = identity.in_scope_of.as_ref();
    for part in [
        identity.kind.as_deref(),
        identity.arn.as_deref(),
        identity.principal_id.as_deref(),
        identity.invoked_by.as_deref(),
        issuer.and_then(|issuer| issuer.arn.as_deref()),
        scope.and_then(|scope| scope.credentials_issued_to.as_deref()),
    ] {
        add(&mut hasher, part.map(str::as_bytes));
    }
    hasher.finish()
}

/// The fingerprint of an event by someone of this [`of_identity`].
pub fn of(look: &impl Look, identity: u64, key: Key) -> Option<u128> {
    let id = look.id()?;
    let mut content = hasher(0x726f_6c65, key);
    content.write_u64(identity);
    add(&mut content, look.time());
    add(&mut content, Some(look.source()));
    add(&mut content, Some(look.name()));
    add(&mut content, look.region());
    add(&mut content, look.recipient());
    add(&mut content, look.error());
    match look.parameters() {
        Some((json, false)) => add(&mut content, Some(&compact(json))),
        json => add(&mut content, json.map(|(json, _)| json)),
    }
    for parts in look.resources() {
        for part in parts {
            add(&mut content, part);
        }
    }
    let half = |seed: u64| {
        let mut hasher = hasher(seed, key);
        hasher.write(id);
        hasher.finish()
    };
    let content = content.finish() ^ half(0x6964);
    // The id alone is another 64 bits: what has an id of its own is never taken for something else.
    Some(u128::from(half(0x6669_7421)) << 64 | u128::from(content))
}

fn hasher(seed: u64, key: Key) -> impl Hasher {
    SeedableRandomState::with_seed(seed, key.0).build_hasher()
}

/// Length first, so that no two lists of parts are the same.
#[inline(always)]
fn add(hasher: &mut impl Hasher, part: Option<&[u8]>) {
    hasher.write_u64(part.map_or(u64::MAX, |part| part.len() as u64));
    hasher.write(part.unwrap_or_default());
}

/// JSON without the white space between its tokens.
fn compact(json: &[u8]) -> Cow<'_, [u8]> {
    let blank = |byte: u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    if !json.iter().any(|byte| blank(*byte)) {
        return Cow::Borrowed(json);
    }
    let (mut inside, mut escaped) = (false, false);
    let mut between = |byte: u8| {
        let outside = !inside;
        if escaped {
            escaped = false;
        } else if byte == b'"' {
            inside = !inside;
        } else if byte == b'\\' {
            escaped = inside;
        }
        outside
    };
    let kept = json.iter().copied();
    Cow::Owned(
        kept.filter(|byte| !(between(*byte) && blank(*byte)))
            .collect(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    const RECORD: &str = r#"{"eventSource":"s3.amazonaws.com","eventName":"GetObject","eventTime":"2026-01-01T00:00:00Z","eventID":"e-1","userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/r/f"},"requestParameters":{"key":"a b \" c","n":[1,2]},"resources":[{"ARN":"arn:aws:s3:::b/a b"}]}"#;

    fn of(json: &str) -> Option<u128> {
        fingerprint(&serde_json::from_str(json).unwrap())
    }

    #[test]
    fn a_pretty_printed_copy_is_a_copy() {
        let value: serde_json::Value = serde_json::from_str(RECORD).unwrap();
        let pretty = serde_json::to_string_pretty(&value).unwrap();
        assert_ne!(pretty, RECORD);
        assert_eq!(of(&pretty), of(RECORD));
    }

    #[test]
    fn the_same_id_with_other_content_is_another_event() {
        for (from, to) in [
            ("GetObject", "PutObject"),
            ("s3.amazonaws.com", "sqs.amazonaws.com"),
            ("00:00:00Z", "00:00:01Z"),
            ("role/r/f", "role/r/g"),
            ("a b \\\"", "a  b \\\""),
            ("[1,2]", "[12]"),
            ("b/a b", "b/ab"),
            (
                "\"eventName\"",
                "\"errorCode\":\"AccessDenied\",\"eventName\"",
            ),
        ] {
            let other = RECORD.replacen(from, to, 1);
            assert_ne!(other, RECORD, "{from}");
            assert_ne!(of(&other), of(RECORD), "{from} -> {to}");
        }
    }

    #[test]
    fn a_key_makes_other_fingerprints_of_the_same_equality() {
        let other = RECORD.replacen("GetObject", "PutObject", 1);
        let keyed = |json: &str| {
            let record: Record<'_> = serde_json::from_str(json).unwrap();
            let key = Key::of_this_run();
            super::of(&record, of_identity(&record.user_identity, key), key)
        };
        assert_eq!(keyed(RECORD), keyed(RECORD));
        assert_ne!(keyed(RECORD), keyed(&other));
        assert_ne!(keyed(RECORD), of(RECORD));
    }

    #[test]
    fn without_an_id_there_is_no_fingerprint() {
        assert_eq!(of(&RECORD.replace("eventID", "eventId")), None);
    }

    #[test]
    fn it_is_the_same_in_every_run() {
        assert_eq!(
            of(r#"{"eventSource":"a","eventName":"b","eventID":"c"}"#),
            Some(299_045_731_638_894_487_242_658_604_629_171_819_853)
        );
    }
}
