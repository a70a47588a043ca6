//! One event seen as a call: where it went, under which name, from which account, with which parameters.

use std::cell::OnceCell;
use std::sync::LazyLock;

use memchr::memmem::Finder;
use serde_json::Value;

use super::arns::Scope;
use super::{params, suffix, tables};
use crate::catalog::{ActionFacts, Catalog, Operation};
use crate::trail::Record;

/// How event sources end: in `aws`, China, the European sovereign cloud and the isolated partitions.
const SUFFIXES: [&str; 8] = [
    ".amazonaws.com",
    ".amazonaws.com.cn",
    ".amazonaws.eu",
    ".c2s.ic.gov",
    ".sc2s.sgov.gov",
    ".cloud.adc-e.uk",
    ".csp.hci.ic.gov",
    ".aws.internal",
];

/// One event as the rules see it.
pub(super) struct Call<'a> {
    pub(super) catalog: &'a Catalog,
    pub(super) record: &'a Record<'a>,
    /// The IAM prefix of the service.
    pub(super) service: &'a str,
    /// The event name without a date version.
    pub(super) event: &'a str,
    /// The event name in lower case.
    pub(super) key: String,
    pub(super) scope: Scope,
    params: OnceCell<Value>,
    operations: OnceCell<Vec<&'a Operation>>,
}

impl<'a> Call<'a> {
    pub(super) fn new(catalog: &'a Catalog, record: &'a Record<'a>) -> Self {
        let mut call = Self {
            catalog,
            record,
            service: "",
            event: &record.event_name,
            key: String::new(),
            scope: scope(record),
            params: OnceCell::new(),
            operations: OnceCell::new(),
        };
        call.name();
        // What an organization owns belongs to its management account, whoever calls.
        if call.service == "organizations" {
            call.scope.account.clear();
        }
        call
    }

    /// Finds the prefix and the name under which the event is known; the first guess of each where it is
    /// known under none.
    fn name(&mut self) {
        let prefixes = self.prefixes();
        let name = self.record.event_name.trim();
        let plain = suffix::without_date(name);
        for event in std::iter::once(name).chain(plain) {
            for prefix in &prefixes {
                self.service = prefix;
                self.event = event;
                self.key = event.to_ascii_lowercase();
                if self.known() {
                    return;
                }
            }
        }
        self.service = prefixes.first().copied().unwrap_or_default();
        self.event = name;
        self.key = name.to_ascii_lowercase();
    }

    fn known(&self) -> bool {
        let tables = tables::tables();
        let events = tables.events.get(self.service);
        events.is_some_and(|events| events.contains_key(&self.key))
            || super::silence(self.service, &self.key).is_some()
            || self.same_named().is_some()
            || super::apigateway::operation(self).is_some()
            || !self.catalog.listed.of(self.service, &self.key).is_empty()
    }

    /// The IAM prefixes that the event source may stand for, likeliest first.
    fn prefixes(&self) -> Vec<&'a str> {
        let source: &'a str = &self.record.event_source;
        let host = SUFFIXES
            .iter()
            .find_map(|suffix| source.strip_suffix(suffix))
            .unwrap_or(source);
        let mut found: Vec<&'a str> = Vec::new();
        for row in tables::tables().sources.get(host).into_iter().flatten() {
            if super::condition::holds(self, row.condition) {
                found.extend(&row.prefixes);
                break;
            }
        }
        if found.is_empty() || host == "autoscaling" {
            // `streams.x`, `runtime.x`, `data.x`: the last label is the service.
            let last = host.rsplit('.').next().unwrap_or(host);
            for guess in [host, last] {
                if !self.catalog.service_actions(guess).is_empty() && !found.contains(&guess) {
                    found.push(guess);
                }
            }
        }
        if found.is_empty() && !host.is_empty() {
            let clients = self.catalog.clients().iter();
            found.extend(
                clients
                    .filter(|client| !client.prefix.is_empty())
                    .filter(|client| {
                        [client.name, client.endpoint, client.signing_name].contains(&host)
                    })
                    .map(|client| client.prefix)
                    .take(1),
            );
        }
        found
    }

    /// `requestParameters`, parsed on first use; null where there are none.
    pub(super) fn params(&self) -> &Value {
        self.params.get_or_init(|| {
            let raw = self
                .record
                .request_parameters
                .map(crate::trail::record::RawJson::get);
            let value = raw.and_then(|raw| serde_json::from_str(raw).ok());
            unwrap_request(value.unwrap_or_default(), &self.key)
        })
    }

    /// Whether the parameters as written may hold a role or an instance profile.
    pub(super) fn mentions_roles(&self) -> bool {
        static MARKS: LazyLock<[Finder<'static>; 2]> =
            LazyLock::new(|| [":role/", "amInstanceProfile"].map(Finder::new));
        let raw = self.record.request_parameters;
        raw.is_some_and(|raw| {
            let bytes = raw.get().as_bytes();
            MARKS.iter().any(|mark| mark.find(bytes).is_some())
        })
    }

    /// The action called like the event.
    pub(super) fn same_named(&self) -> Option<&'a ActionFacts> {
        self.catalog.action_of(self.service, self.event)
    }

    /// The API operations called like the event.
    pub(super) fn operations(&self) -> &[&'a Operation] {
        self.operations.get_or_init(|| {
            self.catalog
                .operations_named(self.service, self.event)
                .collect()
        })
    }

    /// Whether the parameter is there and says something.
    pub(super) fn has(&self, name: &str) -> bool {
        params::present(self.params(), name)
    }

    /// The first text at a path of the parameters.
    pub(super) fn text(&self, path: &str) -> Option<String> {
        params::text(self.params(), path)
    }

    /// All text at a path of the parameters.
    pub(super) fn texts(&self, path: &str) -> Vec<String> {
        params::texts(self.params(), path)
    }
}

/// Some calls are wrapped, alone as EC2's `{"CreateFlowLogsRequest":{…}}` or beside members of the path as
/// `{"restApiId":"…","putIntegrationInput":{…}}`: what is inside counts as outside. The event in lower
/// case.
fn unwrap_request(value: Value, event: &str) -> Value {
    let wraps = |key: &str, value: &Value| {
        let rest = key
            .get(..event.len())
            .filter(|head| head.eq_ignore_ascii_case(event));
        let rest = rest.map(|_| &key[event.len()..]);
        value.is_object() && matches!(rest, Some("Request" | "Req" | "Input"))
    };
    match value {
        Value::Object(mut object)
            if object.len() > 1 && object.iter().any(|(key, value)| wraps(key, value)) =>
        {
            let wrapped: Vec<String> = object
                .iter()
                .filter(|(key, value)| wraps(key, value))
                .map(|(key, _)| key.clone())
                .collect();
            for key in wrapped {
                if let Some(Value::Object(inner)) = object.remove(&key) {
                    for (key, value) in inner {
                        object.entry(key).or_insert(value);
                    }
                }
            }
            Value::Object(object)
        }
        Value::Object(object) if object.len() == 1 => {
            let wrapped = object.iter().next().is_some_and(|(key, value)| {
                value.is_object() && (key.ends_with("Request") || key.ends_with("Req"))
            });
            match (wrapped, object.into_iter().next()) {
                (true, Some((_, inner))) => inner,
                (_, Some((key, inner))) => Value::Object([(key, inner)].into_iter().collect()),
                (_, None) => Value::Null,
            }
        }
        value => value,
    }
}

/// Where the names of a call live. The partition comes from the caller's ARN, else from the region; the
/// account is the caller's, because a name without an account means the caller's own.
fn scope(record: &Record<'_>) -> Scope {
    let identity = &record.user_identity;
    let issuer = identity.session_context.as_ref().and_then(|context| {
        let issuer = context.session_issuer.as_ref()?;
        issuer.arn.as_deref()
    });
    let arns = [issuer, identity.arn.as_deref()]
        .into_iter()
        .flatten()
        .chain(
            record
                .resources
                .iter()
                .filter_map(|entry| entry.arn.as_deref()),
        );
    let region = record.aws_region.as_deref().unwrap_or_default();
    let partition = arns
        .filter_map(|arn| arn.strip_prefix("arn:")?.split(':').next())
        .find(|partition| !partition.is_empty() && plain(partition))
        .unwrap_or_else(|| partition_of(region));
    let own = identity
        .account_id
        .as_deref()
        .filter(|_| !matches!(identity.kind.as_deref(), Some("AWSService" | "AWSAccount")));
    let account = own
        .or_else(|| issuer.and_then(|arn| arn.split(':').nth(4)))
        .or(record.recipient_account_id.as_deref())
        .unwrap_or_default();
    Scope {
        partition: partition.to_owned(),
        region: if plain(region) { region } else { "" }.to_owned(),
        account: if plain(account) { account } else { "" }.to_owned(),
    }
}

/// Letters, digits and hyphens only: nothing that could become a wildcard.
fn plain(text: &str) -> bool {
    text.bytes()
        .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
}

/// The partition of a region by its first letters (AWS partitions metadata).
fn partition_of(region: &str) -> &'static str {
    match region {
        _ if region.starts_with("cn-") => "aws-cn",
        _ if region.starts_with("us-gov-") => "aws-us-gov",
        _ if region.starts_with("eusc-") => "aws-eusc",
        _ if region.starts_with("us-isob-") => "aws-iso-b",
        _ if region.starts_with("us-isof-") => "aws-iso-f",
        _ if region.starts_with("eu-isoe-") => "aws-iso-e",
        _ if region.starts_with("us-iso-") => "aws-iso",
        _ => "aws",
    }
}

impl Catalog {
    /// The IAM prefixes that an event source (`monitoring.amazonaws.com`) may stand for, likeliest
    /// first; empty where nobody knows.
    #[must_use]
    pub fn services_of(&self, event_source: &str) -> Vec<String> {
        let record = Record {
            event_source: event_source.into(),
            ..Record::default()
        };
        let call = Call::new(self, &record);
        call.prefixes().into_iter().map(str::to_owned).collect()
    }
}
