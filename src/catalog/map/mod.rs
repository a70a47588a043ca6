//! From one CloudTrail record to the requests that IAM decided on.
//!
//! In comes a record, out come (action, resource, context) triples, each with how sure it is. The rules
//! run in a fixed order: events that IAM decided nothing on; the event table; API Gateway's verbs; the
//! action of the event's own name, or the first that a file of additions lists. What none of them knows is [`Mapping::Unmapped`], never dropped and
//! never guessed. The module knows neither whether the call was denied nor what any role may do.
//!
//! The knowledge is in `data/map-*.tsv`; the code holds only the ways in which values are spelled.

mod apigateway;
mod arns;
mod bedrock;
mod beside;
mod call;
mod condition;
mod denied;
mod dynamodb;
mod ec2;
mod events;
mod extras;
mod kms;
mod lambda;
mod logs;
mod memo;
mod params;
mod resolve;
mod resource;
mod s3;
mod suffix;
mod survey;
mod tables;
mod templates;
mod values;

use std::collections::BTreeMap;

pub use denied::{DeniedCall, Door, PolicyKind};
pub use events::EventOf;
pub use memo::Memo;
pub use resource::ResourceRef;
pub use survey::Survey;

pub(super) use suffix::keeps_its_letters;

use call::Call;
use resolve::Found;
use tables::EventRow;

use super::{ActionFacts, Catalog};
use crate::iam::Action;
use crate::trail::Record;

/// What an event stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Mapping {
    /// The requests that IAM decided on because of it. Never empty.
    Requests(Vec<CallRequest>),
    /// IAM decided nothing; a stable kebab-case code says why: `no-permission-needed`, `service-event`,
    /// `sign-in`, `role-assumed-by-service`, ...
    NoPermission(&'static str),
    /// Not known. Whatever it used must be kept.
    Unmapped,
}

/// One request: an action on a resource under conditions.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CallRequest {
    /// An action of the catalog.
    pub action: Action,
    /// What it was checked against.
    pub resource: ResourceRef,
    /// Condition keys whose value the event shows: `kms:ViaService`, `iam:PassedToService`,
    /// `ec2:CreateAction`, `s3:prefix`.
    pub context: BTreeMap<String, String>,
    /// How sure the action is.
    pub certainty: Certainty,
}

/// How sure it is that IAM checked the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Certainty {
    /// The event is the call of this action.
    Seen,
    /// The parameters of the event show that it was checked.
    Derived,
    /// It may have been checked: to be kept where granted, never to be added.
    Possible,
}

impl Certainty {
    /// `seen`, `derived` or `possible`.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Seen => "seen",
            Self::Derived => "derived",
            Self::Possible => "possible",
        }
    }

    fn parse(text: &str) -> Self {
        match text {
            "seen" => Self::Seen,
            "derived" => Self::Derived,
            _ => Self::Possible,
        }
    }
}

impl CallRequest {
    fn new(facts: &ActionFacts, resource: ResourceRef, certainty: Certainty) -> Self {
        Self {
            action: facts.action.clone(),
            resource,
            context: BTreeMap::new(),
            certainty,
        }
    }
}

impl Catalog {
    /// The requests of one record. Takes any record, whoever acted and however it ended; attribution and
    /// denials are the caller's to sort out.
    #[must_use]
    pub fn map(&self, record: &Record<'_>) -> Mapping {
        if let Some(reason) = no_call(record) {
            return Mapping::NoPermission(reason);
        }
        let call = Call::new(self, record);
        let service_event = record.event_type.as_deref() == Some("AwsServiceEvent");
        if service_event
            && !rows(&call)
                .iter()
                .any(|row| condition::holds(&call, row.condition))
        {
            return Mapping::NoPermission("service-event");
        }
        if let Some(reason) = silence(call.service, &call.key) {
            return Mapping::NoPermission(reason);
        }
        let by_service = record.user_identity.kind.as_deref() == Some("AWSService");
        if by_service && call.service == "sts" && call.key.starts_with("assumerole") {
            return Mapping::NoPermission("role-assumed-by-service");
        }
        let requests = requests(&call);
        if requests.is_empty() {
            Mapping::Unmapped
        } else {
            Mapping::Requests(requests)
        }
    }
}

/// Records that are no API call, by their type.
fn no_call(record: &Record<'_>) -> Option<&'static str> {
    if record.event_category.as_deref() == Some("NetworkActivity") {
        return Some("network-activity");
    }
    match record.event_type.as_deref()? {
        "AwsConsoleSignIn" => Some("sign-in"),
        "AwsConsoleAction" => Some("console-action"),
        "AwsVpceEvent" | "AwsVpceEvents" => Some("network-activity"),
        "AwsCloudTrailInsight" => Some("insight"),
        _ => None,
    }
}

/// Why IAM decided nothing on an event, by the table; the event in lower case.
fn silence(service: &str, event: &str) -> Option<&'static str> {
    let rows = tables::tables().silent.get(service)?;
    let named = |name: &str| match (name.strip_prefix('*'), name.strip_suffix('*')) {
        (Some(end), _) => event.ends_with(end),
        (None, Some(start)) => event.starts_with(start),
        (None, None) => event == name,
    };
    rows.iter()
        .find(|(name, _)| named(name))
        .map(|(_, reason)| *reason)
}

fn rows(call: &Call<'_>) -> &'static [EventRow] {
    let events = tables::tables().events.get(call.service);
    events
        .and_then(|events| events.get(&call.key))
        .map_or(&[], Vec::as_slice)
}

fn requests(call: &Call<'_>) -> Vec<CallRequest> {
    let mut out = Vec::new();
    for row in rows(call)
        .iter()
        .filter(|row| condition::holds(call, row.condition))
    {
        for name in &row.actions {
            if let Some(facts) = call.catalog.action(name) {
                add(call, facts, row.rule, row.certainty, &mut out);
            }
        }
    }
    let main = if let Some(operation) = apigateway::operation(call) {
        let Some((verb, path)) = operation.http else {
            return out;
        };
        let facts = call.catalog.action(&format!("apigateway:{verb}"));
        if let Some(facts) = facts {
            let resource = apigateway::resource(call, path);
            out.insert(0, CallRequest::new(facts, resource, Certainty::Seen));
        }
        facts
    } else if out.is_empty() {
        let listed = call.catalog.listed.of(call.service, &call.key);
        let facts = call
            .same_named()
            .or_else(|| call.catalog.action(listed.first()?));
        if let Some(facts) = facts {
            add(call, facts, "", Certainty::Seen, &mut out);
            for more in extras::listed(call, facts, listed) {
                add(call, more, "", Certainty::Possible, &mut out);
            }
        }
        facts
    } else {
        out.first()
            .and_then(|request| call.catalog.action(request.action.as_str()))
    };
    if let Some(main) = main {
        let own: Vec<Found> = out
            .iter()
            .filter(|request| request.action == main.action)
            .map(|request| request.resource.clone().into())
            .collect();
        extras::tags(call, main, &own, &mut out);
        extras::passed_roles(call, main, &mut out);
    }
    contexts(call, &mut out);
    unique(out)
}

/// Adds the requests of one action.
fn add(
    call: &Call<'_>,
    facts: &ActionFacts,
    rule: &'static str,
    certainty: Certainty,
    out: &mut Vec<CallRequest>,
) {
    if let Some(found) = beside::resources(call, facts, rule) {
        for found in found {
            let mut request = CallRequest::new(facts, found.resource, certainty);
            if let Some(to) = beside::passed_to(rule).and_then(|to| extras::in_partition(call, to))
            {
                request.context.insert("iam:PassedToService".to_owned(), to);
            }
            out.push(request);
        }
        return;
    }
    let found = match rule {
        "copy-source" => s3::copied(call),
        "transaction" => dynamodb::transaction(call, facts),
        "partiql" => dynamodb::partiql(call, facts),
        "kms-source" => kms::re_encrypt(call, false),
        "kms-destination" => kms::re_encrypt(call, true),
        "kms-via" => kms::any_key(call),
        _ => resolve::resources(call, facts),
    };
    for found in found {
        let accepted = if accepts(call, facts, &found.resource) {
            vec![found]
        } else {
            resolve::containers(call, facts)
        };
        for found in accepted {
            let certainty = found.certainty.map_or(certainty, |own| own.max(certainty));
            let mut request = CallRequest::new(facts, found.resource, certainty);
            if rule == "kms-via" {
                let via = kms::via(call.service, &call.scope.region);
                request
                    .context
                    .extend(via.map(|via| ("kms:ViaService".to_owned(), via)));
            }
            out.push(request);
        }
    }
}

/// Services whose parameters need more than the tables. `None`: the general way.
fn special(call: &Call<'_>, facts: &ActionFacts) -> Option<Vec<Found>> {
    match facts.action.service() {
        "s3" => s3::resources(call, facts),
        "dynamodb" => dynamodb::resources(call, facts),
        "lambda" => lambda::resources(call, facts),
        "logs" => logs::resources(call, facts),
        "bedrock" => bedrock::resources(call, facts),
        "ec2" => Some(ec2::resources(call, facts)),
        _ => None,
    }
}

/// Whether an action takes a resource: its ARN is of a type that the action names.
fn accepts(call: &Call<'_>, facts: &ActionFacts, resource: &ResourceRef) -> bool {
    let text = match resource {
        ResourceRef::Any => return true,
        ResourceRef::Literal(text) | ResourceRef::Pattern(text) => text,
    };
    // Multi-Region access points are the one kind without a Region.
    let placed;
    let text = match text.split_once(":s3::") {
        Some((front, rest)) if rest.contains(":accesspoint/") => {
            placed = format!("{front}:s3:*:{rest}");
            &placed
        }
        _ => text,
    };
    let mut kinds = facts.resource_types.iter();
    kinds.any(|kind| {
        let formats = call.catalog.arn_formats(facts.action.service(), kind.name);
        formats
            .iter()
            .any(|format| arns::fit(format, text).is_some())
    })
}

/// The condition keys that the event shows.
fn contexts(call: &Call<'_>, requests: &mut [CallRequest]) {
    for request in requests {
        match (
            call.service,
            request.action.service(),
            request.action.name(),
        ) {
            ("kms", "kms", _) => {
                let via = kms::via_service(call);
                request
                    .context
                    .extend(via.map(|via| ("kms:ViaService".to_owned(), via)));
            }
            ("s3", "s3", "ListBucket" | "ListBucketVersions") => {
                let prefix = call.text("prefix");
                request
                    .context
                    .extend(prefix.map(|prefix| ("s3:prefix".to_owned(), prefix)));
            }
            ("iam", "iam", "PassRole") => {
                let principal = extras::passed_to(call);
                request
                    .context
                    .extend(principal.map(|to| ("iam:PassedToService".to_owned(), to)));
            }
            _ => {}
        }
    }
}

/// Each (action, resource, context) once, with its surest certainty, in the order of first mention.
fn unique(requests: Vec<CallRequest>) -> Vec<CallRequest> {
    let mut out: Vec<CallRequest> = Vec::with_capacity(requests.len());
    for request in requests {
        let same = out.iter_mut().find(|other| {
            other.action == request.action
                && other.resource == request.resource
                && other.context == request.context
        });
        match same {
            Some(other) => other.certainty = other.certainty.min(request.certainty),
            None => out.push(request),
        }
    }
    out
}

#[cfg(test)]
mod tests;
