//! Where the fields of one record lie, and the record made of them.

use std::borrow::Cow;

use super::identity::Identity;
use super::skip::Cut;
use super::walk::Span;
use crate::trail::record::{RawJson, Record, ResourceEntry};

/// The keys of a record: texts, then JSON, flags and the rest.
pub(super) const NAMES: [&str; 29] = [
    "eventTime",
    "eventSource",
    "eventName",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "errorCode",
    "errorMessage",
    "eventID",
    "eventType",
    "eventCategory",
    "recipientAccountId",
    "sharedEventID",
    "vpcEndpointId",
    "requestParameters",
    "responseElements",
    "additionalEventData",
    "readOnly",
    "managementEvent",
    "sessionCredentialFromConsole",
    "userIdentity",
    "resources",
    "Records",
    "Events",
    // Not of interest, but often there.
    "eventVersion",
    "requestID",
    "apiVersion",
    "tlsDetails",
    "serviceEventDetails",
];

pub(super) const TIME: usize = 0;
pub(super) const SOURCE: usize = 1;
pub(super) const NAME: usize = 2;
pub(super) const REGION: usize = 3;
pub(super) const ADDRESS: usize = 4;
pub(super) const AGENT: usize = 5;
pub(super) const ERROR: usize = 6;
pub(super) const ERROR_MESSAGE: usize = 7;
pub(super) const ID: usize = 8;
pub(super) const TYPE: usize = 9;
pub(super) const CATEGORY: usize = 10;
pub(super) const RECIPIENT: usize = 11;
pub(super) const SHARED: usize = 12;
pub(super) const ENDPOINT: usize = 13;
pub(super) const TEXTS: usize = 14;
/// Among the JSON values.
pub(super) const REQUEST: usize = 0;
pub(super) const RESPONSE: usize = 1;
pub(super) const ADDITIONAL: usize = 2;
pub(super) const FLAGS: usize = TEXTS + 3;
/// Among the flags.
pub(super) const READ_ONLY: usize = 0;
pub(super) const MANAGEMENT: usize = 1;
pub(super) const CONSOLE: usize = 2;
pub(super) const IDENTITY: usize = FLAGS + 3;
pub(super) const RESOURCES: usize = IDENTITY + 1;
pub(super) const RECORDS: usize = RESOURCES + 1;
pub(super) const EVENTS: usize = RECORDS + 1;
pub(super) const TLS: usize = EVENTS + 4;

/// The keys of an entry of `resources`.
pub(super) const ENTRY: [&str; 6] = ["accountId", "type", "ARN", "ARNPrefix", "arn", "arnPrefix"];

/// One entry of `resources`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Entry {
    pub(super) arn: Span,
    pub(super) prefix: Span,
    pub(super) kind: Span,
    pub(super) account: Span,
}

/// The fields of a record.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Spans {
    pub(super) texts: [Span; TEXTS],
    pub(super) json: [Span; 3],
    pub(super) flags: [Option<bool>; 3],
    /// Where `userIdentity` begins and which it is; `None` where it is no object.
    pub(super) identity: Option<(usize, usize)>,
    pub(super) resources: Vec<Entry>,
    pub(super) length: usize,
    pub(super) ascii: bool,
}

impl Spans {
    pub(super) fn clear(&mut self) {
        self.texts = Default::default();
        self.json = Default::default();
        self.flags = Default::default();
        self.identity = None;
        self.resources.clear();
    }

    /// The record, of its JSON and the identity of its user.
    pub(super) fn record<'t>(
        &self,
        json: &'t str,
        identity: Option<&Identity>,
    ) -> Result<Record<'t>, Cut> {
        let at = |field: usize| {
            let span = self.texts.get(field).copied().unwrap_or_default();
            text(json, span)
        };
        let raw = |field: usize| -> Result<_, Cut> {
            match self.json.get(field) {
                Some(span) if !span.is_absent() => {
                    Ok(RawJson::of_compact(slice(json, span.from(), span.to())?))
                }
                _ => Ok(None),
            }
        };
        let flag = |field: usize| self.flags.get(field).copied().flatten();
        let entry = |entry: &Entry| {
            Ok(ResourceEntry {
                arn: text(json, entry.arn)?,
                arn_prefix: text(json, entry.prefix)?,
                kind: text(json, entry.kind)?,
                account_id: text(json, entry.account)?,
            })
        };
        Ok(Record {
            user_identity: match (self.identity, identity) {
                (Some((start, _)), Some(identity)) => identity.of(json, start)?,
                _ => Default::default(),
            },
            event_time: at(TIME)?,
            event_source: at(SOURCE)?.unwrap_or_default(),
            event_name: at(NAME)?.unwrap_or_default(),
            aws_region: at(REGION)?,
            source_ip_address: at(ADDRESS)?,
            user_agent: at(AGENT)?,
            error_code: at(ERROR)?,
            error_message: at(ERROR_MESSAGE)?,
            request_parameters: raw(REQUEST)?,
            response_elements: raw(RESPONSE)?,
            additional_event_data: raw(ADDITIONAL)?,
            event_id: at(ID)?,
            read_only: flag(READ_ONLY),
            resources: self
                .resources
                .iter()
                .map(entry)
                .collect::<Result<_, Cut>>()?,
            event_type: at(TYPE)?,
            management_event: flag(MANAGEMENT),
            event_category: at(CATEGORY)?,
            recipient_account_id: at(RECIPIENT)?,
            shared_event_id: at(SHARED)?,
            vpc_endpoint_id: at(ENDPOINT)?,
            session_credential_from_console: flag(CONSOLE),
        })
    }
}

pub(super) fn slice(text: &str, from: usize, to: usize) -> Result<&str, Cut> {
    text.get(from..to).ok_or(Cut::Odd)
}

/// A string; `None` where it is absent.
fn text(json: &str, span: Span) -> Result<Option<Cow<'_, str>>, Cut> {
    if span.is_absent() {
        return Ok(None);
    }
    if !span.is_escaped() {
        return slice(json, span.from(), span.to()).map(|text| Some(Cow::Borrowed(text)));
    }
    let quoted = slice(json, span.from() - 1, span.to() + 1)?;
    match serde_json::from_str(quoted) {
        Ok(text) => Ok(Some(Cow::Owned(text))),
        Err(_) => Err(Cut::Odd),
    }
}
