//! Which door refused a call: by AWS's words where they say, by the role's policies where they do not,
//! "cannot tell" where neither does. A refusal and a role in, a verdict out.

use std::collections::BTreeMap;

use serde::Serialize;

use crate::catalog::{Catalog, ResourceRef};
use crate::grants::Role;
use crate::iam::{
    self, Arn, Decision, Effect, NamedPolicy, PolicySet, Request, ResourceMatch, pattern,
};

/// How a verdict was reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum How {
    /// AWS's message names the policy.
    Message,
    /// The role's policies of today leave one door.
    Policies,
    /// They leave several, or nothing is known of them.
    CannotTell,
}

/// Which door refused.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Verdict {
    /// `execution-role`, `permissions-boundary`, `resource-policy`, `service-control-policy`,
    /// `resource-control-policy`, `session-policy`, `vpc-endpoint-policy`, or `cannot-tell`.
    pub door: &'static str,
    /// How that is known.
    pub how: How,
    /// A Deny statement refused, not a missing Allow; `None` where that is not known.
    pub explicit_deny: Option<bool>,
    /// The doors that remain, where it cannot be told.
    pub candidates: Vec<&'static str>,
    /// Deny statements of the role's own policies that match, `policy` or `policy/Sid`.
    pub statements: Vec<String>,
    /// The role's policies of today allow the call: it was before a change, or the door is elsewhere.
    pub allowed_today: bool,
    /// In words.
    pub reason: String,
}

pub(super) const ROLE: &str = "execution-role";
pub(super) const BOUNDARY: &str = "permissions-boundary";
pub(super) const RESOURCE: &str = "resource-policy";
pub(super) const SCP: &str = "service-control-policy";
pub(super) const RCP: &str = "resource-control-policy";
pub(super) const SESSION: &str = "session-policy";
pub(super) const ENDPOINT: &str = "vpc-endpoint-policy";
const CANNOT_TELL: &str = "cannot-tell";

/// The parts of the codes that message parsing gives, and the doors they stand for.
const SAID: [(&str, &str); 7] = [
    ("identity-policy", ROLE),
    ("resource-policy", RESOURCE),
    ("permissions-boundary", BOUNDARY),
    ("session-policy", SESSION),
    ("service-control-policy", SCP),
    ("resource-control-policy", RCP),
    ("vpc-endpoint-policy", ENDPOINT),
];

/// Services whose resources carry policies of their own (IAM user guide, "AWS services that work with
/// IAM", resource-based policies), as far as functions call them.
const WITH_POLICIES: [&str; 28] = [
    "acm-pca",
    "apigateway",
    "aoss",
    "backup",
    "bedrock",
    "codeartifact",
    "codebuild",
    "dynamodb",
    "ecr",
    "elasticfilesystem",
    "es",
    "events",
    "execute-api",
    "glacier",
    "glue",
    "iot",
    "kinesis",
    "kms",
    "lambda",
    "lex",
    "logs",
    "s3",
    "s3express",
    "secretsmanager",
    "ses",
    "sns",
    "sqs",
    "sts",
];
/// Services of which resource control policies take notice (Organizations user guide, November 2026).
const WITH_RCP: [&str; 10] = [
    "aoss",
    "cognito-idp",
    "dynamodb",
    "ecr",
    "kms",
    "logs",
    "s3",
    "secretsmanager",
    "sqs",
    "sts",
];

/// One refused call.
#[derive(Clone, Copy)]
pub(super) struct Refusal<'a> {
    pub(super) action: &'a str,
    pub(super) resource: &'a ResourceRef,
    /// The code that the message gave.
    pub(super) said: &'a str,
    /// Some refused calls of the kind went through a VPC endpoint.
    pub(super) endpoint: bool,
    /// Made with credentials that left Lambda.
    pub(super) outside: bool,
}

/// Says which door refused. `role` is `None` where the snapshot does not hold it.
pub(super) fn verdict(
    refusal: Refusal<'_>,
    arn: &str,
    role: Option<&Role>,
    catalog: &Catalog,
) -> Verdict {
    let said = SAID
        .iter()
        .find(|(part, _)| refusal.said.contains(part))
        .map(|(_, door)| *door);
    let explicit = (refusal.said != "unknown").then(|| refusal.said.ends_with("deny"));
    let known = role.filter(|role| role.problems.is_empty());
    let today = known.map(|role| Today::of(role, refusal, catalog));
    match (said, today) {
        (Some(door), today) => by_message(door, explicit, today),
        (None, Some(today)) => by_policies(refusal, explicit, &today, arn),
        (None, None) => Verdict {
            door: CANNOT_TELL,
            how: How::CannotTell,
            explicit_deny: explicit,
            candidates: rest(refusal, arn, explicit, &[ROLE, BOUNDARY]),
            statements: Vec::new(),
            allowed_today: false,
            reason: match role {
                None => "the record does not say, and the role's policies are not in the snapshot"
                    .into(),
                Some(_) => {
                    "the record does not say, and the role's policies could not be read".into()
                }
            },
        },
    }
}

/// What the role's own policies decide today.
struct Today {
    identity: Decision,
    boundary: Option<Decision>,
    statements: Vec<String>,
    missing: Vec<String>,
    /// The record names no resource, and the policies decide by resource.
    blurred: bool,
}

impl Today {
    fn of(role: &Role, refusal: Refusal<'_>, catalog: &Catalog) -> Self {
        let identity = role.identity();
        let by_resource = catalog
            .action(refusal.action)
            .is_none_or(|facts| !facts.resource_types.is_empty());
        let request = request(role, refusal);
        let mut missing = Vec::new();
        let mut statements = Vec::new();
        let mut decide = |policies: &PolicySet| {
            let answer = iam::evaluate(policies, &request);
            missing.extend(answer.missing_context);
            let denies = answer
                .statements
                .iter()
                .filter(|s| s.effect == Effect::Deny);
            statements.extend(denies.map(|s| match &s.sid {
                Some(sid) if !sid.is_empty() => format!("{}/{sid}", s.document),
                _ => s.document.clone(),
            }));
            answer.decision
        };
        let own = decide(&identity);
        let boundary = role.boundary.as_ref().map(|boundary| {
            decide(&PolicySet {
                identity: vec![boundary.clone()],
                boundary: None,
            })
        });
        let documents = role.boundary.iter().chain(&identity.identity);
        let blurred = by_resource && names(documents, refusal);
        Self {
            identity: own,
            boundary,
            statements,
            missing,
            blurred: blurred && own != Decision::Allowed,
        }
    }
}

/// Whether the record does not say which resource it was, and an Allow statement allows the action on
/// some that it may have been.
fn names<'a>(mut policies: impl Iterator<Item = &'a NamedPolicy>, refusal: Refusal<'_>) -> bool {
    let may_be = |resources: &ResourceMatch| match (refusal.resource, resources) {
        (ResourceRef::Literal(_), _) => false,
        (ResourceRef::Pattern(pattern), ResourceMatch::Resource(list)) => list
            .iter()
            .any(|granted| pattern::overlaps(granted, pattern)),
        _ => true,
    };
    policies.any(|policy| {
        let mut statements = policy.document.statements().iter();
        statements.any(|s| {
            s.effect == Effect::Allow && s.actions.matches(refusal.action) && may_be(&s.resources)
        })
    })
}

fn request(role: &Role, refusal: Refusal<'_>) -> Request {
    let known = [
        ("aws:PrincipalArn", role.arn.clone()),
        ("aws:PrincipalAccount", role.account.clone()),
    ];
    Request {
        action: refusal.action.to_owned(),
        resource: match refusal.resource {
            ResourceRef::Literal(text) | ResourceRef::Pattern(text) => text.clone(),
            ResourceRef::Any => "*".to_owned(),
        },
        context: BTreeMap::from(known.map(|(key, value)| (key.to_owned(), vec![value]))),
    }
}

fn by_message(door: &'static str, explicit: Option<bool>, today: Option<Today>) -> Verdict {
    let mut reason = match explicit {
        Some(true) => "AWS's message names an explicit deny in it".to_owned(),
        _ => "AWS's message names it as what allows nothing".to_owned(),
    };
    let own = match door {
        ROLE => today.as_ref().map(|today| today.identity),
        BOUNDARY => today.as_ref().and_then(|today| today.boundary),
        _ => None,
    };
    let allowed_today = own == Some(Decision::Allowed);
    if allowed_today {
        reason.push_str("; the policies of the snapshot allow the call, so it has changed since");
    }
    Verdict {
        door,
        how: How::Message,
        explicit_deny: explicit,
        candidates: Vec::new(),
        statements: match (explicit, door) {
            (Some(true), ROLE | BOUNDARY) => today.map(|t| t.statements).unwrap_or_default(),
            _ => Vec::new(),
        },
        allowed_today,
        reason,
    }
}

fn by_policies(refusal: Refusal<'_>, explicit: Option<bool>, today: &Today, arn: &str) -> Verdict {
    let settled = |door, explicit_deny, reason: &str| Verdict {
        door,
        how: How::Policies,
        explicit_deny: Some(explicit_deny),
        candidates: Vec::new(),
        statements: today.statements.clone(),
        allowed_today: false,
        reason: reason.to_owned(),
    };
    let open = |candidates: Vec<&'static str>, allowed_today, reason: String| match candidates[..] {
        [only] => Verdict {
            door: only,
            how: How::Policies,
            explicit_deny: explicit,
            candidates: Vec::new(),
            statements: Vec::new(),
            allowed_today,
            reason,
        },
        _ => Verdict {
            door: CANNOT_TELL,
            how: How::CannotTell,
            explicit_deny: explicit,
            candidates,
            statements: Vec::new(),
            allowed_today,
            reason,
        },
    };
    if today.blurred {
        return open(
            rest(refusal, arn, explicit, &[ROLE, BOUNDARY]),
            false,
            "the record names no resource, and the role's policies allow the action on some".into(),
        );
    }
    match (today.identity, today.boundary, explicit) {
        (Decision::ExplicitDeny, ..) => {
            settled(ROLE, true, "a Deny statement of the role's own policies matches")
        }
        // An explicit deny was said, and the role's policies have none: another policy has it.
        (Decision::ImplicitDeny, _, Some(true)) => open(
            rest(refusal, arn, explicit, &[]),
            false,
            "AWS's message says explicit deny, and no policy of the role has one that matches; the role allows the call neither".into(),
        ),
        (Decision::ImplicitDeny, ..) => {
            settled(ROLE, false, "no statement of the role's own policies allows it")
        }
        (_, Some(Decision::ExplicitDeny), _) => {
            settled(BOUNDARY, true, "a Deny statement of the permissions boundary matches")
        }
        (Decision::Allowed, Some(Decision::ImplicitDeny), None | Some(false)) => settled(
            BOUNDARY,
            false,
            "the role's own policies allow it, its permissions boundary does not",
        ),
        (Decision::Allowed, None | Some(Decision::Allowed), _) => open(
            rest(refusal, arn, explicit, &[]),
            true,
            "the role's own policies (and its boundary, if any) allow it, so another policy refused"
                .into(),
        ),
        _ => {
            let mut keys = today.missing.clone();
            keys.sort();
            keys.dedup();
            let reason = format!(
                "it turns on context that the record does not show ({})",
                keys.join(", ")
            );
            open(rest(refusal, arn, explicit, &[ROLE, BOUNDARY]), false, reason)
        }
    }
}

/// The doors that may have refused: `first` and those beyond the role's own policies.
fn rest(
    refusal: Refusal<'_>,
    arn: &str,
    explicit: Option<bool>,
    first: &[&'static str],
) -> Vec<&'static str> {
    let service = refusal.action.split(':').next().unwrap_or_default();
    let other_account = refusal
        .resource
        .as_arn()
        .and_then(Arn::parse)
        .is_some_and(|target| {
            target.account.len() == 12
                && Arn::parse(arn).is_some_and(|own| own.account != target.account)
        });
    let mut doors = first.to_vec();
    if WITH_POLICIES.contains(&service) || other_account {
        doors.push(RESOURCE);
    }
    doors.push(SCP);
    if WITH_RCP.contains(&service) && explicit != Some(false) {
        doors.push(RCP);
    }
    if refusal.endpoint {
        doors.push(ENDPOINT);
    }
    // Lambda takes roles without a session policy; others may add one.
    if refusal.outside {
        doors.push(SESSION);
    }
    doors
}
