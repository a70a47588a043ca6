//! The promises, checked on every proposal.
//!
//! In: a proposal's document, the current policies, and what was seen. Out: a verdict per promise. It
//! shares no code with synthesis: containment and evaluation are [`crate::iam`]'s, and it reads the
//! proposal as AWS would, from its JSON.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::{Catalog, ResourceRef};
use crate::iam::{
    self, ActionMatch, Arn, Containment, Decision, Effect, NamedPolicy, PolicyDocument, PolicySet,
    Request, ResourceMatch, quota,
};
use crate::usage::Call;

/// P1: what the proposal allows, the current policies allow.
#[derive(Clone, Debug)]
pub enum NoNewAccess {
    /// Proven.
    Holds,
    /// Refuted, with a request that only the proposal allows.
    Fails(iam::Witness),
    /// Not decided, and why; not a pass.
    Unknown(String),
}

/// P2: what was seen and needed is still allowed.
#[derive(Clone, Debug, Default)]
pub struct Replay {
    /// Distinct requests replayed that the current policies allow.
    pub requests: u64,
    /// Of these, allowed by the proposal.
    pub allowed: u64,
    /// Allowed today and not by the proposal: action, resource.
    pub denied: Vec<(String, String)>,
}

/// P4: actions exist, ARNs have the right shape and partition.
#[derive(Clone, Debug, Default)]
pub struct Valid {
    /// Actions that match nothing in the catalog, resources of no right shape.
    pub unknown: Vec<String>,
}

/// All promises of one proposal.
#[derive(Clone, Debug)]
pub struct Verification {
    /// P1.
    pub no_new_access: NoNewAccess,
    /// P2.
    pub replay: Replay,
    /// P4.
    pub valid: Valid,
    /// Characters of the inline policy without white space, as IAM counts them.
    pub characters: usize,
    /// Of each managed policy.
    pub managed: Vec<usize>,
}

impl Verification {
    /// Whether every promise holds.
    #[must_use]
    pub fn holds(&self) -> bool {
        matches!(self.no_new_access, NoNewAccess::Holds)
            && self.replay.denied.is_empty()
            && self.valid.unknown.is_empty()
            && self.fits()
    }

    /// Whether the policies are within IAM's size limits.
    #[must_use]
    pub fn fits(&self) -> bool {
        self.characters <= quota::INLINE_ROLE
            && self.managed.len() <= quota::MANAGED_PER_ROLE
            && self.managed.iter().all(|size| *size <= quota::MANAGED)
    }
}

/// What is checked.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// The role's ARN.
    pub role: &'a str,
    /// Its identity policies today.
    pub current: &'a PolicySet,
    /// The proposal; `None` allows nothing.
    pub proposed: Option<&'a PolicyDocument>,
    /// Managed policies of the proposal beside the inline one.
    pub managed: &'a [NamedPolicy],
    /// Additions that the user asked for, compared as if they were there today: action, resource.
    pub added: &'a BTreeSet<(String, String)>,
    /// Authorised calls.
    pub calls: &'a [Call<'a>],
    /// Needs of the configuration: action, resource pattern.
    pub needs: &'a BTreeSet<(String, String)>,
}

/// Checks one proposal.
#[must_use]
pub fn verify(subject: Subject<'_>, catalog: &Catalog) -> Verification {
    let proposed = PolicySet {
        identity: subject
            .proposed
            .map(|document| NamedPolicy {
                name: "proposal".into(),
                document: document.clone(),
            })
            .into_iter()
            .chain(subject.managed.iter().cloned())
            .collect(),
        boundary: None,
    };
    Verification {
        no_new_access: no_new_access(&proposed, &with_added(subject), catalog),
        replay: replay(&proposed, subject),
        valid: valid(subject, catalog),
        characters: subject.proposed.map_or(0, quota::characters),
        managed: subject
            .managed
            .iter()
            .map(|policy| quota::characters(&policy.document))
            .collect(),
    }
}

fn with_added(subject: Subject<'_>) -> PolicySet {
    let mut current = subject.current.clone();
    if !subject.added.is_empty() {
        let statements = subject
            .added
            .iter()
            .map(|(action, resource)| {
                iam::Statement::allow(
                    None,
                    vec![action.clone()],
                    vec![resource.clone()],
                    iam::Conditions::none(),
                )
            })
            .collect();
        current.identity.push(NamedPolicy {
            name: "added".into(),
            document: PolicyDocument::new(statements),
        });
    }
    current
}

/// [`iam::contained`], with a witness that a reader can try: the action is spelled as AWS spells it, and
/// is one that AWS has where such a one shows the same. Actions of tomorrow count as ever, so where only
/// they differ the witness stays as it was found.
#[must_use]
pub fn contained(proposed: &PolicySet, current: &PolicySet, catalog: &Catalog) -> Containment {
    match iam::contained(proposed, current) {
        Containment::NotContained(witness) => {
            let statements = |set: &PolicySet| -> usize {
                let documents = set.identity.iter().chain(&set.boundary);
                documents.map(|p| p.document.statements().len()).sum()
            };
            let tries = TRIES / (1 + statements(proposed) + statements(current));
            let real = catalog.action(&witness.action).or_else(|| {
                let service = witness.action.split(':').next().unwrap_or_default();
                let own = catalog.service_actions(service);
                let any = catalog.actions().filter(|_| own.is_empty());
                own.iter().chain(any).take(tries).find(|facts| {
                    let request = Request {
                        action: facts.action.to_string(),
                        resource: witness.resource.clone(),
                        context: witness.context.clone(),
                    };
                    iam::differ(proposed, current, &request)
                })
            });
            Containment::NotContained(iam::Witness {
                action: real.map_or(witness.action, |facts| facts.action.to_string()),
                ..witness
            })
        }
        other => other,
    }
}

/// Statements that are evaluated to find an action that AWS has: bounds what hostile policies cost.
const TRIES: usize = 200_000;

fn no_new_access(proposed: &PolicySet, current: &PolicySet, catalog: &Catalog) -> NoNewAccess {
    match contained(proposed, current, catalog) {
        Containment::Contained => NoNewAccess::Holds,
        Containment::NotContained(witness) => NoNewAccess::Fails(witness),
        Containment::Unknown(why) => NoNewAccess::Unknown(why),
    }
}

/// Every call and need, as a request to both policy sets. Where only a pattern of the resource is known
/// its text stands for itself: a policy pattern that covers it matches its text too.
fn replay(proposed: &PolicySet, subject: Subject<'_>) -> Replay {
    let mut replay = Replay::default();
    let mut denied = BTreeSet::new();
    let mut known =
        BTreeMap::from([("aws:PrincipalArn".to_owned(), vec![subject.role.to_owned()])]);
    if let Some(arn) = Arn::parse(subject.role) {
        known.insert("aws:PrincipalAccount".into(), vec![arn.account]);
    }
    let calls = subject.calls.iter().map(|call| {
        let resource = match call.resource {
            ResourceRef::Literal(text) | ResourceRef::Pattern(text) => text.clone(),
            ResourceRef::Any => "*".to_owned(),
        };
        let mut context = known.clone();
        if !call.shape.region.is_empty() {
            context.insert(
                "aws:RequestedRegion".into(),
                vec![call.shape.region.clone()],
            );
        }
        context.extend(
            call.shape
                .context
                .iter()
                .map(|(key, value)| (key.clone(), vec![value.clone()])),
        );
        Request {
            action: call.shape.action.to_string(),
            resource,
            context,
        }
    });
    let needs = subject.needs.iter().map(|(action, resource)| Request {
        action: action.clone(),
        resource: resource.clone(),
        context: known.clone(),
    });
    for request in calls.chain(needs) {
        let now = iam::evaluate(subject.current, &request).decision;
        if !matches!(now, Decision::Allowed | Decision::Depends) {
            continue;
        }
        replay.requests += 1;
        match iam::evaluate(proposed, &request).decision {
            Decision::Allowed => replay.allowed += 1,
            Decision::Depends if now == Decision::Depends => replay.allowed += 1,
            _ => {
                denied.insert((request.action, request.resource));
            }
        }
    }
    replay.denied = denied.into_iter().collect();
    replay
}

fn valid(subject: Subject<'_>, catalog: &Catalog) -> Valid {
    let mut unknown = BTreeSet::new();
    let partition = Arn::parse(subject.role).map(|arn| arn.partition);
    for statement in subject
        .proposed
        .into_iter()
        .chain(subject.managed.iter().map(|policy| &policy.document))
        .flat_map(super::iam::document::PolicyDocument::statements)
    {
        // A current Deny is kept to the letter, whatever it names.
        if statement.effect == Effect::Deny {
            continue;
        }
        if let ActionMatch::Action(list) = &statement.actions {
            unknown.extend(
                list.iter()
                    .filter(|action| catalog.expand(action).next().is_none())
                    .cloned(),
            );
        }
        if let ResourceMatch::Resource(list) = &statement.resources {
            unknown.extend(
                list.iter()
                    .filter(|resource| !right_shape(resource, partition.as_deref()))
                    .cloned(),
            );
        }
    }
    Valid {
        unknown: unknown.into_iter().collect(),
    }
}

/// `*`, or six parts that begin with `arn:` and the role's own partition or a wildcard.
fn right_shape(resource: &str, partition: Option<&str>) -> bool {
    if resource.chars().all(|c| c == '*') {
        return true;
    }
    // A wildcard may swallow colons: `arn:aws:s3*` and `arn:*` are shorter and still ARNs.
    let mut parts = resource.splitn(6, ':');
    let (arn, named) = (parts.next(), parts.next());
    let wild = resource.contains('*');
    arn == Some("arn")
        && named.is_some_and(|named| {
            named.contains(['*', '?', '$']) || partition.is_none_or(|own| own == named)
        })
        && (wild || resource.split(':').count() >= 6)
}
