//! The shape of a record: everything that decides what it does to the usage table, in a few bytes.
//!
//! In: a record. Out: a key, equal for two records only if attribution and mapping read the same in
//! both. Left out of it are when it happened and its id, and what changes from call to call without
//! deciding anything: the key of an S3 object, the name of a log
//! stream and the uuids among the parameters. That those decide
//! nothing is not believed but tried: [`Shape::twin`] is the same record with others in their place.

use std::borrow::Cow;
use std::hash::{BuildHasher, Hasher};
use std::sync::LazyLock;

use foldhash::quality::RandomState;
use memchr::memmem::Finder;

use crate::trail::record::{RawJson, ResourceEntry, UserIdentity};
use crate::trail::{Look, Record};

/// Longer parameters are seldom met twice.
const LONGEST: usize = 4096;
/// The longest object key that is left out.
const LONGEST_KEY: usize = 900;
const TWIN_KEY: &str = "twin/of-another.object";
const TWIN_UUID: &str = "00c0ffee-0bad-4cab-8f00-d15ea5e00d15";

/// Makes shapes, in buffers of its own.
#[derive(Default)]
pub(super) struct Shapes {
    hashers: [RandomState; 2],
    key: Vec<u8>,
}

/// How much of a record its shape holds.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// All but what is believed to decide nothing.
    Open,
    /// All but time and id.
    Literal,
    /// The same of a refused call, and the refusal.
    Refused,
}

/// One record's shape.
pub(super) struct Shape<'r> {
    /// 128 bits of the key: another one in every run, so that nobody can make two shapes meet.
    pub(super) hash: u128,
    /// The S3 key or log stream that was left out.
    pub(super) object: Option<&'r str>,
    /// Uuids were left out.
    uuids: bool,
}

impl Shapes {
    /// What of an identity goes into the shapes of its records.
    pub(super) fn of_identity(&mut self, identity: &UserIdentity<'_>) -> u128 {
        let mut key = Key(&mut self.key);
        key.0.clear();
        let issuer = identity.session_context.as_ref();
        let issuer = issuer.and_then(|context| context.session_issuer.as_ref());
        let scope = identity.in_scope_of.as_ref();
        for text in [
            identity.kind.as_deref(),
            identity.principal_id.as_deref(),
            identity.arn.as_deref(),
            identity.account_id.as_deref(),
            identity.invoked_by.as_deref(),
            issuer.and_then(|issuer| issuer.kind.as_deref()),
            issuer.and_then(|issuer| issuer.principal_id.as_deref()),
            issuer.and_then(|issuer| issuer.arn.as_deref()),
            scope.and_then(|scope| scope.issuer_type.as_deref()),
            scope.and_then(|scope| scope.credentials_issued_to.as_deref()),
        ] {
            key.text(text.map(str::as_bytes));
        }
        self.hash()
    }

    fn hash(&self) -> u128 {
        let [high, low] = &self.hashers;
        let half = |state: &RandomState| {
            let mut hasher = state.build_hasher();
            hasher.write(&self.key);
            u128::from(hasher.finish())
        };
        half(high) << 64 | half(low)
    }

    /// The shape of a record by someone of this [`Shapes::of_identity`]; `None` where it is not worth it.
    pub(super) fn of<'r>(
        &mut self,
        look: &'r impl Look,
        identity: u128,
        kind: Kind,
    ) -> Option<Shape<'r>> {
        let literal = kind != Kind::Open;
        let params = look.parameters().map(|(json, _)| json);
        let given = params.is_some();
        let params = params.unwrap_or_default();
        if params.len() > LONGEST {
            return None;
        }
        let object = object_key(look.source(), params).filter(|_| !literal);
        let mut key = Key(&mut self.key);
        key.0.clear();
        key.0.extend_from_slice(&identity.to_le_bytes());
        for text in [
            Some(look.source()),
            Some(look.name()),
            look.region(),
            look.agent(),
            look.event_type(),
            look.category(),
            look.recipient(),
            // With parameters a call that failed is read as one that did not.
            look.error().filter(|_| !given),
            // Only Lambda's own name is of interest.
            look.address()
                .filter(|from| from.ends_with(b".amazonaws.com")),
            signature(look)?,
        ] {
            key.text(text);
        }
        key.0.push(match look.console() {
            None => 0,
            Some(false) => 1,
            Some(true) => 2,
        });
        key.0.push(u8::from(given));
        if kind == Kind::Refused {
            key.text(look.error());
            key.text(look.error_message());
            key.text(look.endpoint());
        }
        let uuids = key.without(
            params,
            object.map(|object| (object.at, object.text.len())),
            literal,
        );
        let object = object.map(|object| object.text);
        for [arn, prefix, kind] in look.resources() {
            key.0.push(u8::from(arn.is_some()));
            match (arn, object) {
                (Some(arn), Some(object)) if is_of(arn, object.as_bytes()) => {
                    key.text(arn.get(..arn.len() - object.len()));
                    key.0.push(1);
                }
                (arn, _) => key.text(arn),
            }
            key.text(prefix);
            key.text(kind);
        }
        Some(Shape {
            hash: self.hash(),
            object,
            uuids,
        })
    }
}

impl Shape<'_> {
    /// Whether something was left out that must be tried.
    pub(super) fn is_open(&self) -> bool {
        self.object.is_some() || self.uuids
    }

    /// Calls `with` on the record with another object key and other uuids, and that object key.
    pub(super) fn twin<T>(
        &self,
        record: &Record<'_>,
        with: impl FnOnce(&Record<'_>, Option<&str>) -> T,
    ) -> T {
        let mut params = record
            .request_parameters
            .map_or("", RawJson::get)
            .to_owned();
        if let Some(found) = object_key(record.source(), params.as_bytes()) {
            let (at, length) = (found.at, found.text.len());
            params.replace_range(at..at + length, TWIN_KEY);
        }
        let places: Vec<usize> = uuids(params.as_bytes()).collect();
        for at in places {
            params.replace_range(at..at + TWIN_UUID.len(), TWIN_UUID);
        }
        let resources = record.resources.iter().map(|entry| {
            let arn = entry.arn.as_deref().map(|arn| match self.object {
                Some(object) if is_of(arn.as_bytes(), object.as_bytes()) => {
                    let before = arn.get(..arn.len() - object.len()).unwrap_or_default();
                    Cow::Owned(format!("{before}{TWIN_KEY}"))
                }
                _ => Cow::Borrowed(arn),
            });
            ResourceEntry {
                arn,
                ..entry.clone()
            }
        });
        let twin = Record {
            request_parameters: record.request_parameters.and_then(|_| RawJson::of(&params)),
            resources: resources.collect(),
            ..record.clone()
        };
        with(&twin, self.object.map(|_| TWIN_KEY))
    }
}

/// The key under construction.
struct Key<'k>(&'k mut Vec<u8>);

impl Key<'_> {
    /// Absent and empty are told apart, and no text runs into the next.
    fn text(&mut self, text: Option<&[u8]>) {
        let length = text.map_or(u32::MAX, |text| {
            u32::try_from(text.len()).unwrap_or_default()
        });
        self.0.extend_from_slice(&length.to_le_bytes());
        self.0.extend_from_slice(text.unwrap_or_default());
    }

    /// A text without its uuids (unless `literal`) and without the part of this place and length. Says
    /// whether there was a uuid.
    fn without(&mut self, text: &[u8], part: Option<(usize, usize)>, literal: bool) -> bool {
        let mut from = 0;
        let mut any = false;
        let (place, length) = part.unwrap_or((usize::MAX, 0));
        let mut cut = |out: &mut Vec<u8>, at: usize, length: usize| {
            out.extend_from_slice(text.get(from..at).unwrap_or_default());
            out.extend_from_slice(b"\0"); // in no JSON
            from = at + length;
        };
        let mut part_is_out = part.is_none();
        for at in uuids(text).take_while(|_| !literal) {
            if !part_is_out && place < at {
                cut(self.0, place, length);
                part_is_out = true;
            }
            if part.is_some() && (place..place + length).contains(&at) {
                continue;
            }
            cut(self.0, at, TWIN_UUID.len());
            any = true;
        }
        if !part_is_out {
            cut(self.0, place, length);
        }
        self.0
            .extend_from_slice(text.get(from..).unwrap_or_default());
        self.0.extend_from_slice(b"\0\0");
        any
    }
}

/// How S3 says the call was signed, as it stands: the attribution looks no further. `Err`-like `None`
/// where it is written in an unusual way.
#[expect(clippy::option_option, reason = "absent, or not worth a shape")]
fn signature(look: &impl Look) -> Option<Option<&[u8]>> {
    const NAME: &[u8] = b"\"AuthenticationMethod\"";
    static FIND: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(NAME));
    let Some(data) = look.additional() else {
        return Some(None);
    };
    let Some(at) = FIND.find(data) else {
        return Some(None);
    };
    let value = data.get(at + NAME.len()..)?.strip_prefix(b":\"")?;
    Some(value.split(|byte| *byte == b'"').next())
}

#[derive(Clone, Copy)]
struct ObjectKey<'p> {
    at: usize,
    text: &'p str,
}

/// The S3 key or the log stream among the parameters, if it is one of the plain ones that are names and
/// nothing else.
fn object_key<'p>(source: &[u8], params: &'p [u8]) -> Option<ObjectKey<'p>> {
    const KEY: &[u8] = b"\"key\":\"";
    const STREAM: &[u8] = b"\"logStreamName\":\"";
    static FIND_KEY: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(KEY));
    static FIND_STREAM: LazyLock<Finder<'_>> = LazyLock::new(|| Finder::new(STREAM));
    let (find, name) = match source {
        b"s3.amazonaws.com" => (&FIND_KEY, KEY),
        b"logs.amazonaws.com" => (&FIND_STREAM, STREAM),
        _ => return None,
    };
    let at = find.find(params)? + name.len();
    let rest = params.get(at..)?;
    let text = rest.get(..memchr::memchr(b'"', rest)?)?;
    let text = std::str::from_utf8(text).ok()?;
    // Lambda's own streams are `2026/09/23/[$LATEST]…`.
    let plain = |byte: u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'-' | b'_' | b'.' | b'/' | b'=')
            || name == STREAM && matches!(byte, b'[' | b']' | b'$')
    };
    let usual = (1..=LONGEST_KEY).contains(&text.len())
        && text.bytes().all(plain)
        && !text.starts_with('/')
        && !text.ends_with('/')
        && !text.contains("//")
        && !text.starts_with("HIDDEN_DUE")
        && find.find(rest).is_none();
    usual.then_some(ObjectKey { at, text })
}

/// Whether an ARN is that of the object in some bucket.
fn is_of(arn: &[u8], object: &[u8]) -> bool {
    arn.strip_suffix(object).is_some_and(|bucket| {
        bucket.ends_with(b"/") && memchr::memchr_iter(b'/', bucket).count() == 1
    })
}

/// Where uuids are that are no part of something longer.
fn uuids(bytes: &[u8]) -> impl Iterator<Item = usize> {
    memchr::memchr_iter(b'-', bytes).filter_map(move |dash| {
        let at = dash.checked_sub(8)?;
        let end = at + TWIN_UUID.len();
        let uuid = bytes.get(at..end)?;
        let apart = |byte: Option<&u8>| byte.is_some_and(|byte| !byte.is_ascii_alphanumeric());
        let alone = apart(bytes.get(at.checked_sub(1)?)) && apart(bytes.get(end));
        let is_uuid = uuid.iter().enumerate().all(|(place, byte)| match place {
            8 | 13 | 18 | 23 => *byte == b'-',
            _ => byte.is_ascii_hexdigit(),
        });
        (alone && is_uuid).then_some(at)
    })
}
