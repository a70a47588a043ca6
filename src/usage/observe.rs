//! One record, read as IAM decided it: who, with what outcome, and which requests.

use crate::catalog::{CallRequest, Catalog, Mapping};
use crate::trail::{self, Actor, Record};

/// Whether IAM let the call pass.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The call was authorised, whatever became of it then.
    Authorised,
    /// IAM refused.
    Denied,
    /// IAM decided nothing: no call, or one that needs no permission.
    None,
}

impl Outcome {
    /// The word used in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Authorised => "authorised",
            Self::Denied => "denied",
            Self::None => "none",
        }
    }
}

/// What a record stands for.
#[derive(Debug)]
pub struct Observation<'a> {
    /// Who acted.
    pub actor: Actor<'a>,
    /// What IAM said.
    pub outcome: Outcome,
    /// The requests IAM decided on; empty for unmapped calls and for those that need no permission.
    pub requests: Vec<CallRequest>,
    /// No rule maps the event.
    pub unmapped: bool,
}

/// Reads one record.
#[must_use]
pub fn observe<'a>(record: &'a Record<'a>, catalog: &Catalog) -> Observation<'a> {
    observed(record, trail::actor(record), catalog.map(record))
}

/// Reads one record whose actor and mapping are known.
pub(super) fn observed<'a>(
    record: &Record<'_>,
    actor: Actor<'a>,
    mapping: Mapping,
) -> Observation<'a> {
    let denied = trail::denied(record);
    let (outcome, requests, unmapped) = match mapping {
        // What the policy of a VPC endpoint refuses never reaches the service: the copy for the
        // endpoint's owner is the only record of it.
        Mapping::NoPermission(_)
            if denied && record.event_category.as_deref() == Some("NetworkActivity") =>
        {
            (Outcome::Denied, Vec::new(), false)
        }
        Mapping::NoPermission(_) => (Outcome::None, Vec::new(), false),
        _ if matches!(actor, Actor::LambdaTookRole { .. }) => (Outcome::None, Vec::new(), false),
        mapping => {
            let outcome = if denied {
                Outcome::Denied
            } else {
                Outcome::Authorised
            };
            match mapping {
                Mapping::Requests(requests) => (outcome, requests, false),
                _ => (outcome, Vec::new(), true),
            }
        }
    };
    Observation {
        actor,
        outcome,
        requests,
        unmapped,
    }
}
