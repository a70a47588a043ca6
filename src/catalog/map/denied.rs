//! Denied calls: what was refused and which door stayed shut, from the words of `errorMessage`. Where
//! the message names no action, the event's own mapping is the best guess.

use super::{Certainty, Mapping, params};
use crate::catalog::Catalog;
use crate::trail::Record;

/// One denied call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeniedCall {
    /// The action that was refused, `service:Name` in the catalog's spelling where it knows it.
    pub action: Option<String>,
    /// The ARN that it was refused on.
    pub resource: Option<String>,
    /// Which policy to look at.
    pub door: Door,
}

/// What refused a call, by the words of AWS's message. (IAM user guide, "troubleshoot access denied".)
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Door {
    /// No policy of this kind allows the call.
    Missing(PolicyKind),
    /// A policy of this kind denies it.
    Denied(PolicyKind),
    /// Some policy denies it.
    ExplicitDeny,
    /// The message does not say.
    Unknown,
}

/// The kinds of policies that AWS names in its messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PolicyKind {
    /// Policies of the role.
    Identity,
    /// The policy of the bucket, key, queue, ...
    Resource,
    /// The role's permissions boundary.
    Boundary,
    /// The policy of the session.
    Session,
    /// A service control policy of the organization.
    ServiceControl,
    /// A resource control policy of the organization.
    ResourceControl,
    /// The policy of a VPC endpoint.
    VpcEndpoint,
}

/// AWS's words and our codes for each kind: without an allow, with a deny.
const KINDS: [(PolicyKind, &str, &str, &str); 7] = [
    (
        PolicyKind::Identity,
        "identity-based policy",
        "no-identity-policy",
        "identity-policy-deny",
    ),
    (
        PolicyKind::Resource,
        "resource-based policy",
        "no-resource-policy",
        "resource-policy-deny",
    ),
    (
        PolicyKind::Boundary,
        "permissions boundary",
        "no-permissions-boundary",
        "permissions-boundary-deny",
    ),
    (
        PolicyKind::Session,
        "session policy",
        "no-session-policy",
        "session-policy-deny",
    ),
    (
        PolicyKind::ServiceControl,
        "service control policy",
        "no-service-control-policy",
        "service-control-policy-deny",
    ),
    (
        PolicyKind::ResourceControl,
        "resource control policy",
        "no-resource-control-policy",
        "resource-control-policy-deny",
    ),
    (
        PolicyKind::VpcEndpoint,
        "vpc endpoint policy",
        "no-vpc-endpoint-policy",
        "vpc-endpoint-policy-deny",
    ),
];

impl Door {
    /// A stable code: `no-identity-policy`, `service-control-policy-deny`, `explicit-deny`, `unknown`, ...
    #[must_use]
    pub fn code(self) -> &'static str {
        let of = |kind: PolicyKind| KINDS.iter().find(|(own, ..)| *own == kind);
        match self {
            Self::Missing(kind) => of(kind).map_or("unknown", |(_, _, missing, _)| missing),
            Self::Denied(kind) => of(kind).map_or("unknown", |(.., denied)| denied),
            Self::ExplicitDeny => "explicit-deny",
            Self::Unknown => "unknown",
        }
    }
}

impl Catalog {
    /// What a denied record says was refused. Takes any record; one that was not denied gives its own
    /// call and an unknown door.
    #[must_use]
    pub fn denied_call(&self, record: &Record<'_>) -> DeniedCall {
        let mut denied = parse(record.error_message.as_deref().unwrap_or_default());
        // Messages may name what is no action (`lambda:Invoke`): then the event's own mapping knows.
        let said = denied.action.take();
        let known = said.as_deref().and_then(|action| self.action(action));
        denied.action = known.map(|facts| facts.action.to_string());
        if denied.action.is_some() && denied.resource.is_some() {
            return denied;
        }
        if let Mapping::Requests(requests) = self.map(record) {
            let own = requests.iter().find(|request| match &denied.action {
                Some(action) => request.action.as_str() == action,
                None => request.certainty == Certainty::Seen,
            });
            if let Some(own) = own {
                denied.action.get_or_insert_with(|| own.action.to_string());
                let mut same = requests.iter().filter(|other| other.action == own.action);
                // Of several resources the message would have to say which was refused.
                if denied.resource.is_none() && same.nth(1).is_none() {
                    denied.resource = own.resource.as_arn().map(str::to_owned);
                }
            }
        }
        denied.action = denied.action.or(said);
        denied
    }
}

/// Reads AWS's sentence: `User: U is not authorized to perform: A on resource: R because no K policy
/// allows the A action`, `… with an explicit deny in a K policy`, and their older, shorter forms.
#[must_use]
pub(super) fn parse(message: &str) -> DeniedCall {
    let lower = message.to_ascii_lowercase();
    let after = |text: &str| -> Vec<&str> {
        let ends = lower.match_indices(text).map(|(at, _)| at + text.len());
        let rests = ends.filter_map(|at| message.get(at..));
        rests
            .map(|rest| rest.trim_start_matches([':', ' ', '"', '\'', '`']))
            .collect()
    };
    let words = after("authorized to perform").into_iter().map(first_word);
    let action = words.into_iter().find(|word| is_action(word));
    let mut arns = after("on resource")
        .into_iter()
        .chain(after("on the resource"))
        .map(first_word);
    let resource = arns.find(|word| {
        word.starts_with("arn:")
            && word.matches(':').count() >= 5
            && params::usable(word)
            && !word.contains(char::is_control)
    });
    DeniedCall {
        action: action.map(str::to_owned),
        resource: resource.map(str::to_owned),
        door: door(&lower),
    }
}

fn door(message: &str) -> Door {
    let kind = |text: &str| {
        let mut kinds = KINDS.iter();
        kinds
            .find(|(_, words, ..)| text.contains(words))
            .map(|(kind, ..)| *kind)
    };
    if let Some((_, rest)) = message.split_once("explicit deny") {
        return kind(rest).map_or(Door::ExplicitDeny, Door::Denied);
    }
    match message.split_once("because no ") {
        Some((_, rest)) => kind(rest).map_or(Door::Unknown, Door::Missing),
        None => Door::Unknown,
    }
}

/// Up to the next blank; quotes, commas and a final full stop are not part of it. Resources with blanks
/// in their names end at ` because ` or ` with an explicit deny`, or at their closing quote.
fn first_word(text: &str) -> &str {
    let end = [" because ", " with an explicit deny", "\" ", "' "]
        .iter()
        .filter_map(|mark| text.find(mark))
        .min();
    let text = match end {
        Some(end) if text.starts_with("arn:") => &text[..end],
        _ => text.split_ascii_whitespace().next().unwrap_or_default(),
    };
    text.trim_end_matches(['.', ',', '"', '\'', '`', ';'])
}

fn is_action(text: &str) -> bool {
    text.split_once(':').is_some_and(|(service, name)| {
        !name.is_empty()
            && !service.is_empty()
            && text
                .bytes()
                .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b':' | b'-'))
    })
}
