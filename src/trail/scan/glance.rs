//! A record that was passed but not taken apart: enough to say that it need not be.

use super::identity::Identity;
use super::skip::Cut;
use super::spans::{
    ADDITIONAL, ADDRESS, AGENT, CATEGORY, CONSOLE, ENDPOINT, ERROR, ERROR_MESSAGE, ID, MANAGEMENT,
    NAME, READ_ONLY, RECIPIENT, REGION, REQUEST, SOURCE, Spans, TIME, TYPE,
};
use super::walk::Span;
use crate::trail::look::Look;
use crate::trail::record::UserIdentity;

/// A record all of which is ASCII and sound, with no escape in any field that can be asked for here.
pub struct Glance<'t> {
    json: &'t [u8],
    spans: &'t Spans,
    identity: &'t Identity,
}

impl<'t> Glance<'t> {
    /// Where a record is such, and an API call by someone.
    pub(super) fn of(
        json: &'t [u8],
        spans: &'t Spans,
        identity: Option<&'t Identity>,
    ) -> Option<Self> {
        let identity = identity?;
        let texts = spans.texts.iter().any(|text| text.is_escaped());
        let entries = || {
            let entries = spans.resources.iter();
            let mut texts = entries.flat_map(|entry| [entry.arn, entry.prefix, entry.kind]);
            texts.any(Span::is_escaped)
        };
        let glance = Self {
            json,
            spans,
            identity,
        };
        let plain = spans.ascii && !texts && !entries();
        let call = glance.event_type() == Some(b"AwsApiCall")
            && matches!(glance.category(), Some(b"Management" | b"Data"));
        (plain && call && !glance.source().starts_with(b"aws:")).then_some(glance)
    }

    /// A number for the `userIdentity`: of two records that one [`super::super::Decoder`] read, the same
    /// only if theirs are byte for byte the same.
    pub fn identity_number(&self) -> u64 {
        self.identity.number
    }

    /// The `userIdentity`, for `with`.
    pub fn with_identity<T>(&self, with: impl FnOnce(&UserIdentity<'_>) -> T) -> Option<T> {
        let json = std::str::from_utf8(self.identity.json()).ok()?;
        let identity: Result<_, Cut> = self.identity.of(json, 0);
        Some(with(&identity.ok()?))
    }

    /// `userIdentity.accountId`.
    pub fn identity_account(&self) -> Option<&'t [u8]> {
        self.identity.account()
    }

    /// `readOnly`.
    pub fn read_only(&self) -> Option<bool> {
        self.flag(READ_ONLY)
    }

    /// `managementEvent`.
    pub fn management(&self) -> Option<bool> {
        self.flag(MANAGEMENT)
    }

    fn flag(&self, flag: usize) -> Option<bool> {
        self.spans.flags.get(flag).copied().flatten()
    }

    #[inline(always)]
    fn at(&self, span: Span) -> Option<&'t [u8]> {
        match span.is_absent() {
            true => None,
            false => self.json.get(span.from()..span.to()),
        }
    }

    #[inline(always)]
    fn text(&self, field: usize) -> Option<&'t [u8]> {
        self.at(*self.spans.texts.get(field)?)
    }

    #[inline(always)]
    fn value(&self, field: usize) -> Option<&'t [u8]> {
        let json = self.at(*self.spans.json.get(field)?)?;
        (json != b"null").then_some(json)
    }
}

impl Look for Glance<'_> {
    fn time(&self) -> Option<&[u8]> {
        self.text(TIME)
    }

    fn source(&self) -> &[u8] {
        self.text(SOURCE).unwrap_or_default()
    }

    fn name(&self) -> &[u8] {
        self.text(NAME).unwrap_or_default()
    }

    fn region(&self) -> Option<&[u8]> {
        self.text(REGION)
    }

    fn address(&self) -> Option<&[u8]> {
        self.text(ADDRESS)
    }

    fn agent(&self) -> Option<&[u8]> {
        self.text(AGENT)
    }

    fn error(&self) -> Option<&[u8]> {
        self.text(ERROR)
    }

    fn error_message(&self) -> Option<&[u8]> {
        self.text(ERROR_MESSAGE)
    }

    fn id(&self) -> Option<&[u8]> {
        self.text(ID)
    }

    fn event_type(&self) -> Option<&[u8]> {
        self.text(TYPE)
    }

    fn category(&self) -> Option<&[u8]> {
        self.text(CATEGORY)
    }

    fn recipient(&self) -> Option<&[u8]> {
        self.text(RECIPIENT)
    }

    fn endpoint(&self) -> Option<&[u8]> {
        self.text(ENDPOINT)
    }

    fn console(&self) -> Option<bool> {
        self.flag(CONSOLE)
    }

    fn parameters(&self) -> Option<(&[u8], bool)> {
        self.value(REQUEST).map(|json| (json, true))
    }

    fn additional(&self) -> Option<&[u8]> {
        self.value(ADDITIONAL)
    }

    fn resources(&self) -> impl Iterator<Item = [Option<&[u8]>; 3]> {
        let entries = self.spans.resources.iter();
        entries.map(|entry| {
            [
                self.at(entry.arn),
                self.at(entry.prefix),
                self.at(entry.kind),
            ]
        })
    }
}
