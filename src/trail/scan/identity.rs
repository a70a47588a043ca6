//! `userIdentity`, remembered: a session makes many calls, each with the same bytes.

use std::borrow::Cow;

use super::block::Way;
use super::skip::Cut;
use super::spans::slice;
use super::walk::{Keys, Span, Walk};
use crate::trail::record::{InScopeOf, SessionContext, SessionIssuer, UserIdentity};

/// Identities remembered: the sessions that are at work at the same time.
const REMEMBERED: usize = 64;
/// A longer one is left to serde_json.
const LONGEST: usize = 64 * 1024;

const OUTER: [&str; 11] = [
    "type",
    "principalId",
    "arn",
    "accountId",
    "invokedBy",
    "sessionContext",
    "inScopeOf",
    "accessKeyId",
    "userName",
    "sessionIssuer",
    "attributes",
];
const CONTEXT: [&str; 3] = ["sessionIssuer", "attributes", "webIdFederationData"];
const ISSUER: [&str; 5] = ["type", "principalId", "arn", "accountId", "userName"];
const SCOPE: [&str; 4] = [
    "issuerType",
    "credentialsIssuedTo",
    "sourceArn",
    "sourceAccount",
];

const KIND: usize = 0;
const PRINCIPAL: usize = 1;
const ARN: usize = 2;
const ACCOUNT: usize = 3;
const INVOKED_BY: usize = 4;
const ISSUER_KIND: usize = 5;
const ISSUER_PRINCIPAL: usize = 6;
const ISSUER_ARN: usize = 7;
const SCOPE_KIND: usize = 8;
const SCOPE_ARN: usize = 9;
/// Texts of an identity.
const PARTS: usize = 10;

/// One identity: its JSON, and where in it the texts lie.
#[derive(Default)]
pub(super) struct Identity {
    json: Vec<u8>,
    parts: [Span; PARTS],
    has_context: bool,
    has_issuer: bool,
    has_scope: bool,
    ascii: bool,
    /// Another one for every identity that was learnt.
    pub(super) number: u64,
}

/// The identities met lately.
pub(super) struct Identities {
    known: Vec<Identity>,
    learnt: u64,
    outer: Keys,
    context: Keys,
    issuer: Keys,
    scope: Keys,
}

impl Identities {
    pub(super) fn new() -> Self {
        Self {
            known: (0..REMEMBERED).map(|_| Identity::default()).collect(),
            learnt: 0,
            outer: Keys::new(&OUTER),
            context: Keys::new(&CONTEXT),
            issuer: Keys::new(&ISSUER),
            scope: Keys::new(&SCOPE),
        }
    }

    pub(super) fn get(&self, place: usize) -> Option<&Identity> {
        self.known.get(place)
    }

    /// Passes the identity at the cursor, which is on `{`; gives the place where it is remembered.
    #[inline(always)]
    pub(super) fn pass<W: Way>(&mut self, walk: &mut Walk<'_>) -> Result<usize, Cut> {
        let rest = walk.rest();
        let place = place_of(rest);
        if let Some(known) = self.known.get(place)
            && !known.json.is_empty()
            && rest.starts_with(&known.json)
        {
            walk.at += known.json.len();
            walk.ascii &= known.ascii;
            return Ok(place);
        }
        self.learn::<W>(walk, place)?;
        Ok(place)
    }

    #[inline(never)]
    fn learn<W: Way>(&mut self, walk: &mut Walk<'_>, place: usize) -> Result<(), Cut> {
        let Some(slot) = self.known.get_mut(place) else {
            return Err(Cut::Odd);
        };
        // Until it is whole there is nothing to remember.
        slot.json.clear();
        let (start, rest) = (walk.at, walk.rest());
        let was_ascii = std::mem::replace(&mut walk.ascii, true);
        let mut out = Identity::default();
        let mut escaped = false;
        let mut part = |place: usize, span: Span| {
            escaped |= span.is_escaped();
            if let Some(part) = out.parts.get_mut(place) {
                *part = span;
            }
        };
        let (mut has_context, mut has_issuer, mut has_scope) = (false, false, false);
        let mut more = walk.enter(b'}')?;
        let mut before = self.outer.start();
        while more {
            before = self.outer.key::<W>(walk, before)?;
            match before {
                ..5 => part(before, walk.text::<W>()?),
                5 => {
                    has_context = walk.byte()? == b'{';
                    has_issuer = false;
                    for place in [ISSUER_KIND, ISSUER_PRINCIPAL, ISSUER_ARN] {
                        part(place, Span::default());
                    }
                    if !has_context {
                        walk.nothing::<W>()?;
                    } else {
                        let mut more = walk.enter(b'}')?;
                        let mut before = self.context.start();
                        while more {
                            before = self.context.key::<W>(walk, before)?;
                            if before != 0 {
                                walk.value::<W>()?;
                            } else {
                                has_issuer = walk.byte()? == b'{';
                                let texts = [ISSUER_KIND, ISSUER_PRINCIPAL, ISSUER_ARN];
                                texts_of::<W>(walk, &mut self.issuer, &texts, &mut part)?;
                            }
                            more = walk.more(b'}')?;
                        }
                    }
                }
                6 => {
                    has_scope = walk.byte()? == b'{';
                    texts_of::<W>(walk, &mut self.scope, &[SCOPE_KIND, SCOPE_ARN], &mut part)?;
                }
                _ => {
                    walk.value::<W>()?;
                }
            }
            more = walk.more(b'}')?;
        }
        let length = walk.at - start;
        if length > LONGEST || escaped {
            return Err(Cut::Odd);
        }
        self.learnt += 1;
        slot.json
            .extend_from_slice(rest.get(..length).unwrap_or_default());
        slot.parts = out.parts.map(|part| part.less(start));
        (slot.has_context, slot.has_issuer, slot.has_scope) = (has_context, has_issuer, has_scope);
        slot.ascii = walk.ascii;
        slot.number = self.learnt;
        walk.ascii &= was_ascii;
        Ok(())
    }
}

/// Passes a value; where it is an object, the texts under its first keys go to these places. They are
/// empty before.
#[inline(always)]
fn texts_of<W: Way>(
    walk: &mut Walk<'_>,
    keys: &mut Keys,
    places: &[usize],
    part: &mut impl FnMut(usize, Span),
) -> Result<(), Cut> {
    for place in places {
        part(*place, Span::default());
    }
    if walk.byte()? != b'{' {
        return walk.nothing::<W>();
    }
    let mut more = walk.enter(b'}')?;
    let mut before = keys.start();
    while more {
        before = keys.key::<W>(walk, before)?;
        match places.get(before) {
            Some(place) => part(*place, walk.text::<W>()?),
            None => {
                walk.value::<W>()?;
            }
        }
        more = walk.more(b'}')?;
    }
    Ok(())
}

/// Where an identity is remembered: by the bytes in which that of one session differs from another's.
#[inline(always)]
fn place_of(json: &[u8]) -> usize {
    let Some(telling) = json.get(40..).and_then(|rest| rest.first_chunk::<32>()) else {
        return 0;
    };
    let mut hash = 0_u64;
    for word in telling.as_chunks::<8>().0 {
        hash =
            (hash.rotate_left(5) ^ u64::from_le_bytes(*word)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    }
    (hash >> 58) as usize % REMEMBERED
}

impl Identity {
    fn text<'t>(
        &self,
        json: &'t str,
        start: usize,
        part: usize,
    ) -> Result<Option<Cow<'t, str>>, Cut> {
        match self.parts.get(part) {
            Some(span) if !span.is_absent() => {
                let text = slice(json, start + span.from(), start + span.to())?;
                Ok(Some(Cow::Borrowed(text)))
            }
            _ => Ok(None),
        }
    }

    pub(super) fn json(&self) -> &[u8] {
        &self.json
    }

    /// `accountId`.
    pub(super) fn account(&self) -> Option<&[u8]> {
        let span = self.parts.get(ACCOUNT).filter(|span| !span.is_absent())?;
        self.json.get(span.from()..span.to())
    }

    /// The identity in the JSON of a record, from its start there.
    pub(super) fn of<'t>(&self, json: &'t str, start: usize) -> Result<UserIdentity<'t>, Cut> {
        let text = |part: usize| self.text(json, start, part);
        let session_issuer = match self.has_issuer {
            true => Some(SessionIssuer {
                kind: text(ISSUER_KIND)?,
                principal_id: text(ISSUER_PRINCIPAL)?,
                arn: text(ISSUER_ARN)?,
            }),
            false => None,
        };
        let in_scope_of = match self.has_scope {
            true => Some(InScopeOf {
                issuer_type: text(SCOPE_KIND)?,
                credentials_issued_to: text(SCOPE_ARN)?,
            }),
            false => None,
        };
        Ok(UserIdentity {
            kind: text(KIND)?,
            principal_id: text(PRINCIPAL)?,
            arn: text(ARN)?,
            account_id: text(ACCOUNT)?,
            invoked_by: text(INVOKED_BY)?,
            session_context: self
                .has_context
                .then_some(SessionContext { session_issuer }),
            in_scope_of,
        })
    }
}
