//! What makes two records the same event: a record in, 128 bits out.
//!
//! Two trails deliver the same event under the same `eventID`, byte for byte. The id alone is not
//! trusted: a record with the id of another but other content must not be taken for its copy, since
//! that would lose a use. So the fingerprint covers who, what, when, on what and how it ended. White
//! space outside strings does not count: a pretty-printed copy is a copy.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};

use foldhash::quality::FixedState;

use super::record::Record;

/// Makes fingerprints, in a buffer of its own.
#[derive(Default)]
pub struct Fingerprints {
    bytes: Vec<u8>,
}

/// The fingerprint of an event, the same in every run. `None` without an `eventID`: such records
/// cannot be told from each other and all count.
#[must_use]
pub fn fingerprint(record: &Record<'_>) -> Option<u128> {
    Fingerprints::default().of(record)
}

impl Fingerprints {
    /// As [`fingerprint`].
    pub fn of(&mut self, record: &Record<'_>) -> Option<u128> {
        let id = record.event_id.as_deref()?;
        let identity = &record.user_identity;
        let bytes = &mut self.bytes;
        bytes.clear();
        let mut add = |part: Option<&str>| {
            // Length first, so that no two lists of parts give the same bytes.
            bytes.extend_from_slice(
                &part
                    .map_or(u64::MAX, |part| part.len() as u64)
                    .to_le_bytes(),
            );
            bytes.extend_from_slice(part.unwrap_or_default().as_bytes());
        };
        add(record.event_time.as_deref());
        add(Some(&record.event_source));
        add(Some(&record.event_name));
        add(record.aws_region.as_deref());
        add(record.recipient_account_id.as_deref());
        add(identity.kind.as_deref());
        add(identity.arn.as_deref());
        add(identity.principal_id.as_deref());
        add(identity.invoked_by.as_deref());
        let session = identity.session_context.as_ref();
        add(session
            .and_then(|session| session.session_issuer.as_ref())
            .and_then(|issuer| issuer.arn.as_deref()));
        add(identity
            .in_scope_of
            .as_ref()
            .and_then(|scope| scope.credentials_issued_to.as_deref()));
        add(record.error_code.as_deref());
        match record.request_parameters {
            Some(raw) if raw.is_compact() => add(Some(raw.get())),
            raw => add(raw.map(|raw| compact(raw.get())).as_deref()),
        }
        for resource in &record.resources {
            add(resource.arn.as_deref());
            add(resource.arn_prefix.as_deref());
            add(resource.kind.as_deref());
        }
        let half = |seed: u64, bytes: &[u8]| {
            let mut hasher = FixedState::with_seed(seed).build_hasher();
            hasher.write(bytes);
            u128::from(hasher.finish())
        };
        let content = half(0x726f_6c65, &self.bytes);
        // The id alone is another 64 bits: what has an id of its own is never taken for something else.
        Some(half(0x6669_7421, id.as_bytes()) << 64 | (content ^ half(0x6964, id.as_bytes())))
    }
}

/// JSON without the white space between its tokens.
fn compact(json: &str) -> Cow<'_, str> {
    let blank = |byte: u8| matches!(byte, b' ' | b'\n' | b'\r' | b'\t');
    let (mut inside, mut escaped) = (false, false);
    let mut between = |c: char| {
        let outside = !inside;
        if escaped {
            escaped = false;
        } else if c == '"' {
            inside = !inside;
        } else if c == '\\' {
            escaped = inside;
        }
        outside
    };
    if !json.bytes().any(blank) {
        return Cow::Borrowed(json);
    }
    Cow::Owned(
        json.chars()
            .filter(|c| !(between(*c) && u8::try_from(*c).is_ok_and(blank)))
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
    fn without_an_id_there_is_no_fingerprint() {
        assert_eq!(of(&RECORD.replace("eventID", "eventId")), None);
    }

    #[test]
    fn it_is_the_same_in_every_run() {
        assert_eq!(
            of(r#"{"eventSource":"a","eventName":"b","eventID":"c"}"#),
            Some(299_045_731_638_894_487_236_830_490_074_568_392_332)
        );
    }
}
