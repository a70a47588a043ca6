//! The fast way from bytes to a [`Record`]: compact JSON, borrowed, in one pass.
//!
//! In: bytes from a `{` on. Out: the record and its JSON, the same record that serde_json makes of it
//! (`record.rs`), or "not here": cut off, or odd in any way. What is odd is left to the patient way, so
//! the fast one never rejects anything by itself.

mod block;
mod members;

use std::borrow::Cow;

use super::record::{
    InScopeOf, RawJson, Record, ResourceEntry, SessionContext, SessionIssuer, UserIdentity,
};
use members::{Members, cut};

pub(super) use members::Cut;

/// Reads records, one after the other. Remembers the last `userIdentity`: sessions make many calls.
pub(super) struct Scanner {
    record: Members,
    inner: Members,
    entry: Members,
    identity: KnownIdentity,
}

/// The parts of a `userIdentity` by their offsets in it.
#[derive(Default)]
struct KnownIdentity {
    json: String,
    /// In the order of [`parts`].
    parts: [Option<(u32, u32)>; PARTS],
    has_context: bool,
    has_issuer: bool,
    has_scope: bool,
}

/// Texts in a [`UserIdentity`].
const PARTS: usize = 10;

impl Scanner {
    pub(super) fn new() -> Self {
        Self {
            record: Members::new(),
            inner: Members::new(),
            entry: Members::new(),
            identity: KnownIdentity::default(),
        }
    }

    /// Reads the record at the start of `bytes`, which begin with `{`; its JSON is given beside it.
    ///
    /// # Errors
    /// [`Cut::Short`] where the bytes end first, [`Cut::Odd`] where serde_json must decide.
    pub(super) fn record<'t>(&mut self, bytes: &'t [u8]) -> Result<(Record<'t>, &'t str), Cut> {
        cut(bytes, &mut self.record)?;
        let json = bytes.get(..self.record.length()).ok_or(Cut::Odd)?;
        let json = std::str::from_utf8(json).map_err(|_| Cut::Odd)?;
        let mut out = Record::default();
        let escapes = self.record.escapes();
        for [key, key_end, value, end] in self.record.of_object() {
            let (key, json) = (slice(json, key, key_end)?, slice(json, value, end)?);
            match key.as_bytes() {
                b"userIdentity" => {
                    out.user_identity =
                        user_identity(json, &mut self.inner, &mut self.entry, &mut self.identity)?;
                }
                b"eventTime" => out.event_time = text(json)?,
                b"eventSource" => out.event_source = text(json)?.unwrap_or_default(),
                b"eventName" => out.event_name = text(json)?.unwrap_or_default(),
                b"awsRegion" => out.aws_region = text(json)?,
                b"sourceIPAddress" => out.source_ip_address = text(json)?,
                b"userAgent" => out.user_agent = text(json)?,
                b"errorCode" => out.error_code = text(json)?,
                b"errorMessage" => out.error_message = text(json)?,
                b"requestParameters" => out.request_parameters = RawJson::of_compact(json),
                b"responseElements" => out.response_elements = RawJson::of_compact(json),
                b"additionalEventData" => out.additional_event_data = RawJson::of_compact(json),
                b"eventID" => out.event_id = text(json)?,
                b"readOnly" => out.read_only = flag(json)?,
                b"resources" => {
                    out.resources = resources(json, &mut self.inner, &mut self.entry)?;
                }
                b"eventType" => out.event_type = text(json)?,
                b"managementEvent" => out.management_event = flag(json)?,
                b"eventCategory" => out.event_category = text(json)?,
                b"recipientAccountId" => out.recipient_account_id = text(json)?,
                b"sharedEventID" => out.shared_event_id = text(json)?,
                b"vpcEndpointId" => out.vpc_endpoint_id = text(json)?,
                b"sessionCredentialFromConsole" => {
                    out.session_credential_from_console = flag(json)?;
                }
                // An object around records, perhaps.
                b"Records" | b"Events" => return Err(Cut::Odd),
                // Escaped, it may be any of those above.
                _ if escapes && key.contains('\\') => return Err(Cut::Odd),
                _ => {}
            }
        }
        if out.event_source.is_empty() || out.event_name.is_empty() {
            return Err(Cut::Odd);
        }
        Ok((out, json))
    }
}

fn slice(text: &str, from: usize, to: usize) -> Result<&str, Cut> {
    text.get(from..to).ok_or(Cut::Odd)
}

/// The inside of a JSON string without escapes; `None` where the value is no string.
fn plain(json: &str) -> Result<Option<&str>, Cut> {
    match json.as_bytes().first() {
        Some(b'"') => {
            let text = slice(json, 1, json.len() - 1)?;
            if memchr::memchr(b'\\', text.as_bytes()).is_some() {
                return Err(Cut::Odd);
            }
            Ok(Some(text))
        }
        // A number may be too large, for serde_json to say so.
        Some(b'-' | b'0'..=b'9') if json.len() > 18 || json.contains(['e', 'E']) => Err(Cut::Odd),
        _ => Ok(None),
    }
}

/// A string; `None` where the value is something else.
fn text(json: &str) -> Result<Option<Cow<'_, str>>, Cut> {
    match plain(json) {
        Ok(text) => Ok(text.map(Cow::Borrowed)),
        Err(_) if json.starts_with('"') => match serde_json::from_str(json) {
            Ok(text) => Ok(Some(Cow::Owned(text))),
            Err(_) => Err(Cut::Odd),
        },
        Err(cut) => Err(cut),
    }
}

/// A boolean, which some tools write as a string.
fn flag(json: &str) -> Result<Option<bool>, Cut> {
    let word = match json {
        "true" | "false" => json,
        _ => match plain(json)? {
            Some(word) => word,
            None => return Ok(None),
        },
    };
    Ok(match word {
        _ if word.eq_ignore_ascii_case("true") => Some(true),
        _ if word.eq_ignore_ascii_case("false") => Some(false),
        _ => None,
    })
}

/// The members of an object, for `each`; `false` where the value is something else.
fn object<'t>(
    json: &'t str,
    members: &mut Members,
    mut each: impl FnMut(&'t str, &'t str) -> Result<(), Cut>,
) -> Result<bool, Cut> {
    if !json.starts_with('{') {
        plain(json)?;
        return Ok(false);
    }
    cut(json.as_bytes(), members)?;
    for [key, key_end, value, end] in members.of_object() {
        let key = slice(json, key, key_end)?;
        if members.escapes() && key.contains('\\') {
            return Err(Cut::Odd);
        }
        each(key, slice(json, value, end)?)?;
    }
    Ok(true)
}

fn resources<'t>(
    json: &'t str,
    list: &mut Members,
    entry: &mut Members,
) -> Result<Vec<ResourceEntry<'t>>, Cut> {
    if !json.starts_with('[') {
        plain(json)?;
        return Ok(Vec::new());
    }
    cut(json.as_bytes(), list)?;
    let mut out = Vec::new();
    for (from, to) in list.of_list() {
        let mut resource = ResourceEntry::default();
        object(slice(json, from, to)?, entry, |key, json| {
            match key {
                "ARN" | "arn" => resource.arn = text(json)?,
                "ARNPrefix" | "arnPrefix" => resource.arn_prefix = text(json)?,
                "type" => resource.kind = text(json)?,
                "accountId" => resource.account_id = text(json)?,
                _ => {}
            }
            Ok(())
        })?;
        if resource != ResourceEntry::default() {
            out.push(resource);
        }
    }
    Ok(out)
}

fn user_identity<'t>(
    json: &'t str,
    members: &mut Members,
    inner: &mut Members,
    known: &mut KnownIdentity,
) -> Result<UserIdentity<'t>, Cut> {
    if known.json == json {
        return known.identity(json);
    }
    let mut out = UserIdentity::default();
    object(json, members, |key, json| {
        match key {
            "type" => out.kind = text(json)?,
            "principalId" => out.principal_id = text(json)?,
            "arn" => out.arn = text(json)?,
            "accountId" => out.account_id = text(json)?,
            "invokedBy" => out.invoked_by = text(json)?,
            "sessionContext" => out.session_context = session_context(json, inner)?,
            "inScopeOf" => out.in_scope_of = in_scope_of(json, inner)?,
            _ => {}
        }
        Ok(())
    })?;
    known.learn(json, &out);
    Ok(out)
}

fn session_context<'t>(
    json: &'t str,
    members: &mut Members,
) -> Result<Option<SessionContext<'t>>, Cut> {
    let mut issuer = None;
    let is_object = object(json, members, |key, json| {
        if key == "sessionIssuer" && issuer.replace(json).is_some() {
            return Err(Cut::Odd);
        }
        Ok(())
    })?;
    let session_issuer = match issuer {
        Some(json) => session_issuer(json, members)?,
        None => None,
    };
    Ok(is_object.then_some(SessionContext { session_issuer }))
}

fn session_issuer<'t>(
    json: &'t str,
    members: &mut Members,
) -> Result<Option<SessionIssuer<'t>>, Cut> {
    let mut out = SessionIssuer::default();
    let is_object = object(json, members, |key, json| {
        match key {
            "type" => out.kind = text(json)?,
            "principalId" => out.principal_id = text(json)?,
            "arn" => out.arn = text(json)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(is_object.then_some(out))
}

fn in_scope_of<'t>(json: &'t str, members: &mut Members) -> Result<Option<InScopeOf<'t>>, Cut> {
    let mut out = InScopeOf::default();
    let is_object = object(json, members, |key, json| {
        match key {
            "issuerType" => out.issuer_type = text(json)?,
            "credentialsIssuedTo" => out.credentials_issued_to = text(json)?,
            _ => {}
        }
        Ok(())
    })?;
    Ok(is_object.then_some(out))
}

/// Every text of an identity.
fn parts<'i, 't>(identity: &'i UserIdentity<'t>) -> [Option<&'i Cow<'t, str>>; PARTS] {
    let context = identity.session_context.as_ref();
    let issuer = context.and_then(|context| context.session_issuer.as_ref());
    let scope = identity.in_scope_of.as_ref();
    [
        identity.kind.as_ref(),
        identity.principal_id.as_ref(),
        identity.arn.as_ref(),
        identity.account_id.as_ref(),
        identity.invoked_by.as_ref(),
        issuer.and_then(|issuer| issuer.kind.as_ref()),
        issuer.and_then(|issuer| issuer.principal_id.as_ref()),
        issuer.and_then(|issuer| issuer.arn.as_ref()),
        scope.and_then(|scope| scope.issuer_type.as_ref()),
        scope.and_then(|scope| scope.credentials_issued_to.as_ref()),
    ]
}

impl KnownIdentity {
    /// Remembers an identity all of whose texts stand in its JSON; forgets the last one otherwise.
    fn learn(&mut self, json: &str, identity: &UserIdentity<'_>) {
        self.json.clear();
        let place = |text: &Cow<'_, str>| {
            let Cow::Borrowed(text) = text else {
                return None;
            };
            let from = (text.as_ptr() as usize).checked_sub(json.as_ptr() as usize)?;
            let to = from + text.len();
            (json.get(from..to) == Some(text))
                .then_some((u32::try_from(from).ok()?, u32::try_from(to).ok()?))
        };
        for (mine, text) in self.parts.iter_mut().zip(parts(identity)) {
            *mine = text.and_then(place);
            if mine.is_none() && text.is_some() {
                return;
            }
        }
        let context = identity.session_context.as_ref();
        self.has_context = context.is_some();
        self.has_issuer = context.is_some_and(|context| context.session_issuer.is_some());
        self.has_scope = identity.in_scope_of.is_some();
        self.json.push_str(json);
    }

    /// The remembered identity, in an equal JSON.
    fn identity<'t>(&self, json: &'t str) -> Result<UserIdentity<'t>, Cut> {
        let mut texts = [const { None }; PARTS];
        for (text, part) in texts.iter_mut().zip(self.parts) {
            if let Some((from, to)) = part {
                *text = Some(Cow::Borrowed(slice(json, from as usize, to as usize)?));
            }
        }
        let [
            kind,
            principal_id,
            arn,
            account_id,
            invoked_by,
            issuer_kind,
            issuer_principal,
            issuer_arn,
            issuer_type,
            credentials_issued_to,
        ] = texts;
        let session_issuer = self.has_issuer.then_some(SessionIssuer {
            kind: issuer_kind,
            principal_id: issuer_principal,
            arn: issuer_arn,
        });
        Ok(UserIdentity {
            kind,
            principal_id,
            arn,
            account_id,
            invoked_by,
            session_context: self
                .has_context
                .then_some(SessionContext { session_issuer }),
            in_scope_of: self.has_scope.then_some(InScopeOf {
                issuer_type,
                credentials_issued_to,
            }),
        })
    }
}

#[cfg(test)]
mod tests;
