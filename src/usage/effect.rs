//! What a record does to the usage of its role, apart from when it happened: the same for every record
//! of a shape, so it is worked out once and applied with the tally of them all.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::observe::{Observation, Outcome};
use super::outside::OutsideKey;
use super::role::{CallShape, DeniedKey, FunctionKey, RoleUsage, Unmapped};
use super::tally::Tally;
use crate::catalog::{CallRequest, Catalog, Door, PolicyKind, ResourceRef};
use crate::trail::{Class, Record, RoleSession};

/// What one record, or many of one shape, do to a role's usage.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Effect {
    pub(super) role: String,
    pub(super) principal: Option<String>,
    /// The function, and whether the record proves that it runs with the role.
    pub(super) function: Option<(FunctionKey, bool)>,
    pub(super) lambda: bool,
    pub(super) fate: Fate,
    pub(super) refusal: Option<Refusal>,
    /// The requests, where they count.
    pub(super) calls: Vec<(CallShape, ResourceRef)>,
}

/// What became of the record.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Fate {
    Outside(OutsideKey),
    Denied,
    Platform,
    NoPermission,
    Unmapped(Unmapped),
    Used,
}

/// A refusal.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct Refusal {
    pub(super) key: DeniedKey,
    pub(super) resource: ResourceRef,
    pub(super) message: String,
    pub(super) function: Option<String>,
    pub(super) endpoint: Option<String>,
}

impl Effect {
    /// What `record`, made by `session`, does.
    pub(super) fn of(
        record: &Record<'_>,
        session: &RoleSession<'_>,
        observation: &Observation<'_>,
        catalog: &Catalog,
    ) -> Self {
        let outside = session.class == Class::Outside;
        let refused = observation.outcome == Outcome::Denied;
        let fate = match observation.outcome {
            _ if outside => Fate::Outside(OutsideKey::of(record, session.session_name)),
            Outcome::Denied => Fate::Denied,
            _ if session.class == Class::Platform => Fate::Platform,
            Outcome::None => Fate::NoPermission,
            Outcome::Authorised if observation.unmapped => Fate::Unmapped(Unmapped {
                event_source: record.event_source.to_string(),
                event_name: record.event_name.to_string(),
            }),
            Outcome::Authorised => Fate::Used,
        };
        let counts = match fate {
            Fate::Outside(_) => observation.outcome == Outcome::Authorised,
            Fate::Platform | Fate::Used => true,
            Fate::Denied | Fate::NoPermission | Fate::Unmapped(_) => false,
        };
        let function = function(record, session).filter(|_| !outside);
        Self {
            role: session.role_arn.to_string(),
            principal: session
                .principal_id
                .map(|id| id.split(':').next().unwrap_or(id).to_owned()),
            lambda: session.class == Class::Service
                || function.as_ref().is_some_and(|(_, proven)| *proven),
            function,
            fate,
            refusal: refused.then(|| refusal(record, session, observation, catalog)),
            calls: if counts {
                calls(record, session, observation)
            } else {
                Vec::new()
            },
        }
    }

    /// Whether the records of a shape all have this effect: evidence of a stranger holds more than a shape
    /// tells.
    pub(super) fn is_of_shape(&self) -> bool {
        !matches!(self.fate, Fate::Outside(_))
    }

    /// Counts `tally` records of this effect. `requests` says whether their requests are counted too,
    /// or apart.
    pub(super) fn apply(
        &self,
        roles: &mut HashMap<String, RoleUsage, RandomState>,
        tally: &Tally,
        requests: bool,
    ) {
        let usage = self.usage(roles);
        if let Some(principal) = &self.principal
            && !usage.principal_ids.contains(principal)
        {
            usage.principal_ids.insert(principal.clone());
        }
        let records = &mut usage.records;
        match &self.fate {
            Fate::Outside(_) => records.outside += tally.count,
            Fate::Denied => records.denied += tally.count,
            Fate::Platform => records.platform += tally.count,
            Fate::Used => records.used += tally.count,
            Fate::NoPermission => {
                records.used += tally.count;
                records.no_permission += tally.count;
            }
            Fate::Unmapped(_) => {
                records.used += tally.count;
                records.unmapped += tally.count;
            }
        }
        match &self.fate {
            Fate::Outside(key) => usage.outside.add_all(key.clone(), tally),
            Fate::Unmapped(key) => usage.unmapped.entry(key.clone()).or_default().merge(tally),
            _ => {}
        }
        if !matches!(self.fate, Fate::Outside(_)) {
            usage.seen.merge(tally);
            usage.lambda |= self.lambda;
        }
        if let Some((key, proven)) = &self.function {
            let functions = if *proven {
                &mut usage.functions
            } else {
                &mut usage.likely_functions
            };
            functions.entry(key.clone()).or_default().merge(tally);
        }
        if let Some(refusal) = &self.refusal {
            let (key, resource) = (refusal.key.clone(), refusal.resource.clone());
            let denial = usage.add_denied(key, resource, &refusal.message, tally);
            denial.through(refusal.function.as_deref(), refusal.endpoint.as_deref());
        }
        if requests {
            for (shape, resource) in &self.calls {
                usage.add_call(shape, resource.clone(), tally);
            }
        }
    }

    /// The usage of the role.
    pub(super) fn usage<'r>(
        &self,
        roles: &'r mut HashMap<String, RoleUsage, RandomState>,
    ) -> &'r mut RoleUsage {
        roles.entry(self.role.clone()).or_default()
    }
}

/// The function that a session of Lambda's belongs to, and whether the record proves that it runs with
/// the role. A function that takes a second role carries the agent of its runtime into that one's
/// records: the agent alone proves no execution role.
fn function(record: &Record<'_>, session: &RoleSession<'_>) -> Option<(FunctionKey, bool)> {
    let function = session.function.as_ref().filter(|_| session.lambda)?;
    let region = function
        .arn
        .as_deref()
        .and_then(|arn| arn.split(':').nth(3))
        .map_or_else(|| region_of(record), str::to_owned);
    let proven = function.arn.is_some() || session.class == Class::Platform;
    let name = function.name.to_string();
    Some((FunctionKey { name, region }, proven))
}

fn calls(
    record: &Record<'_>,
    session: &RoleSession<'_>,
    observation: &Observation<'_>,
) -> Vec<(CallShape, ResourceRef)> {
    let requests = observation.requests.iter();
    requests
        .map(|request| {
            let shape = CallShape {
                action: request.action.clone(),
                function: session
                    .function_by_session()
                    .map(std::borrow::Cow::into_owned),
                class: session.class,
                certainty: request.certainty,
                region: region_of(record),
                context: request.context.clone(),
            };
            (shape, request.resource.clone())
        })
        .collect()
}

/// What the first action of a call was checked against, where that is one thing alone: of several nobody
/// knows which was refused.
fn sole_resource(requests: &[CallRequest]) -> Option<ResourceRef> {
    let first = requests.first()?;
    let mut same = requests.iter().filter(|other| other.action == first.action);
    same.nth(1).is_none().then(|| first.resource.clone())
}

/// What was denied: the message says it best, since most denied calls have no parameters.
fn refusal(
    record: &Record<'_>,
    session: &RoleSession<'_>,
    observation: &Observation<'_>,
    catalog: &Catalog,
) -> Refusal {
    let message = record.error_message.as_deref().unwrap_or_default();
    let parsed = catalog.denied_call(record);
    // The policy of a VPC endpoint refuses under a code of its own.
    let by_endpoint = record.error_code.as_deref().is_some_and(|code| {
        let code = code.to_ascii_lowercase();
        code.contains("vpceaccessdenied") || code.contains("vpcendpointaccessdenied")
    });
    let door = match parsed.door {
        Door::Unknown | Door::ExplicitDeny if by_endpoint => Door::Denied(PolicyKind::VpcEndpoint),
        door => door,
    };
    let said = parsed.resource.map(|arn| {
        // A `*` in a message is AWS's own: what was refused had no name yet.
        match arn.as_str() {
            "*" => ResourceRef::Any,
            arn if arn.contains('*') => ResourceRef::Pattern(arn.to_owned()),
            arn => ResourceRef::Literal(arn.to_owned()),
        }
    });
    let mapped = observation.requests.first();
    let action = match (parsed.action, mapped) {
        (Some(action), _) => action,
        (None, Some(request)) => request.action.to_string(),
        (None, None) => format!(
            "{}:{}",
            record.event_source.split('.').next().unwrap_or_default(),
            record.event_name
        ),
    };
    let resource = said
        .or_else(|| sole_resource(&observation.requests))
        .unwrap_or(ResourceRef::Any);
    Refusal {
        key: DeniedKey {
            action,
            door: door.code().to_owned(),
            outside: session.class == Class::Outside,
        },
        resource,
        message: message.to_owned(),
        function: session
            .function_by_session()
            .map(std::borrow::Cow::into_owned),
        endpoint: record.vpc_endpoint_id.as_deref().map(str::to_owned),
    }
}

pub(super) fn region_of(record: &Record<'_>) -> String {
    record.aws_region.as_deref().unwrap_or_default().to_owned()
}
