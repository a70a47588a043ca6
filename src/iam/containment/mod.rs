//! Whether some policies allow nothing that others do not allow.
//!
//! In come two sets of policies; out comes yes, no with a request that shows it, or "not found out"
//! with the reason. Patterns are compared exactly, for all strings, over actions and resources
//! together; conditions soundly: a condition counts where it can be shown to follow. It must never
//! say yes where the answer is no; where a comparison ends without an answer, that is what it says.
//!
//! How: everything a proposed Allow matches must be matched by current Allows (of the identity
//! policies, and of the boundary where there is one) or be taken away by a proposed Deny; and
//! nothing of it may be matched by a current Deny unless a proposed Deny matches it too. Each such
//! question is one about a cell, actions times resources under conditions, and the cells that must
//! together hold it.

mod cell;
mod cover;
mod split;
mod witness;

use std::collections::{BTreeMap, BTreeSet};

use super::condition::exclude::contradict;
use super::condition::implies::{Clause, implies_clauses};
use super::document::{NamedPolicy, PolicySet};
use super::evaluate::{Decision, Request, evaluate};
use super::pattern::automaton::{Budget, Exhausted};
use super::statement::{Effect, ResourceMatch};
use super::template::{Colons, Names};
use cell::{Cell, Identity, Rule};
use cover::Point;

/// A request that shows a difference.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Witness {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// The context keys that matter with their values; an empty list means the key is absent.
    pub context: BTreeMap<String, Vec<String>>,
}

/// What [`contained`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Containment {
    /// Nothing is allowed that was not.
    Contained,
    /// This request is allowed by the one and denied by the other, as [`evaluate`] confirms.
    NotContained(Witness),
    /// Not found out, for this reason. Not a pass.
    Unknown(String),
}

/// Moves of pattern places and comparisons of statements one call may cost.
const WORK: u64 = 20_000_000;

/// Parts without an answer after which no more are looked at for a witness: the answer is not yes.
const OPENS: usize = 8;

/// Context keys that are left out of a witness where they do not matter.
const KEYS: usize = 40;

/// Whether every request that `proposed` allows is allowed by `current`.
///
/// Actions are all strings with something before and after a colon, not a list of today's; resources
/// are all strings. Context keys may have any values or be absent. The answer holds both where
/// wildcards cross the colons of an ARN as [`ResourceMatch`] says and where they cross all.
///
/// Work is bounded, whatever the policies; a typical role takes well under a millisecond.
///
/// ```
/// use rolefit::iam::{Containment, PolicyDocument, PolicySet, contained};
/// let policy = |statements: &str| PolicyDocument::parse(&format!(
///     r#"{{"Version": "2012-10-17", "Statement": {statements}}}"#)).map(|d| PolicySet::of("p", d));
/// let current = policy(r#"{"Effect": "Allow", "Action": "s3:*", "Resource": "arn:aws:s3:::logs/*"}"#)?;
/// let proposed = policy(r#"{"Effect": "Allow", "Action": "s3:GetObject", "Resource": "arn:aws:s3:::logs/2*"}"#)?;
/// assert_eq!(contained(&proposed, &current), Containment::Contained);
/// let Containment::NotContained(witness) = contained(&current, &proposed) else { panic!() };
/// assert_eq!(witness.resource, "arn:aws:s3:::logs/");
/// # Ok::<(), rolefit::iam::PolicyError>(())
/// ```
#[must_use]
pub fn contained(proposed: &PolicySet, current: &PolicySet) -> Containment {
    if let Some(reason) = not_for_identities(proposed).or_else(|| not_for_identities(current)) {
        return Containment::Unknown(reason);
    }
    match compared(proposed, current) {
        Containment::Unknown(reason) => split::by_values(proposed)
            .map(|parts| compared(&parts, current))
            .filter(|answer| !matches!(answer, Containment::Unknown(_)))
            .unwrap_or(Containment::Unknown(reason)),
        answer => answer,
    }
}

fn compared(proposed: &PolicySet, current: &PolicySet) -> Containment {
    let mut budget = Budget::new(WORK);
    let segments = Question::new(proposed, current, Colons::Segments);
    let answer = segments.answer(&mut budget);
    if answer != Containment::Contained {
        return answer;
    }
    let same_in_both_readings = !segments.keeps_to_segments();
    if same_in_both_readings
        || Question::new(proposed, current, Colons::Whole).answer(&mut budget)
            == Containment::Contained
    {
        return Containment::Contained;
    }
    Containment::Unknown(
        "whether it is contained turns on whether a wildcard within one of the first five segments \
         of an ARN matches a colon"
            .into(),
    )
}

/// Why the policies are not those of a role, where they are not.
fn not_for_identities(policies: &PolicySet) -> Option<String> {
    for policy in policies.documents() {
        for (index, statement) in policy.document.statements().iter().enumerate() {
            let what = if statement.resources == ResourceMatch::None {
                "names no resources"
            } else if statement.principal().is_some() {
                "names principals"
            } else {
                continue;
            };
            let statement = named(policy, index, statement.sid.as_deref());
            return Some(format!("{statement} {what}, which a role's policy cannot"));
        }
    }
    None
}

/// A statement in a message.
fn named(policy: &NamedPolicy, index: usize, sid: Option<&str>) -> String {
    match sid {
        Some(sid) => format!("statement `{sid}` of `{}`", policy.name),
        None => format!("statement {} of `{}`", index + 1, policy.name),
    }
}

/// The statements of a set of policies by the part they play.
struct Side<'a> {
    allow: Vec<Rule<'a>>,
    /// The allows of the boundary, where there is one.
    boundary: Option<Vec<Rule<'a>>>,
    deny: Vec<Rule<'a>>,
}

impl<'a> Side<'a> {
    fn new(policies: &'a PolicySet, colons: Colons, names: &mut Names) -> Self {
        let mut rules = |policy: &'a NamedPolicy, effect: Effect| -> Vec<Rule<'a>> {
            let statements = policy.document.statements().iter().enumerate();
            statements
                .filter(|(_, statement)| statement.effect == effect)
                .map(|(index, statement)| Rule::new(policy, index, statement, colons, names))
                .collect()
        };
        let allow = policies
            .identity
            .iter()
            .flat_map(|p| rules(p, Effect::Allow))
            .collect();
        let boundary = policies.boundary.as_ref().map(|p| rules(p, Effect::Allow));
        let deny = policies
            .documents()
            .flat_map(|p| rules(p, Effect::Deny))
            .collect();
        Self {
            allow,
            boundary,
            deny,
        }
    }

    fn rules(&self) -> impl Iterator<Item = &Rule<'a>> {
        self.allow
            .iter()
            .chain(self.boundary.iter().flatten())
            .chain(&self.deny)
    }
}

/// Two sets of policies, compiled for comparison.
struct Question<'a> {
    proposed_set: &'a PolicySet,
    current_set: &'a PolicySet,
    proposed: Side<'a>,
    current: Side<'a>,
    /// Statements that may still be evaluated in search of a witness.
    looks: std::cell::Cell<usize>,
}

/// Statements that are evaluated in search of witnesses: bounds what hostile policies cost.
const LOOKS: usize = 4_000_000;

/// What became of one obligation.
enum Outcome {
    Met,
    Failed(Witness),
    Open(String),
}

impl<'a> Question<'a> {
    fn new(proposed_set: &'a PolicySet, current_set: &'a PolicySet, colons: Colons) -> Self {
        let mut names = Names::default();
        Self {
            proposed_set,
            current_set,
            proposed: Side::new(proposed_set, colons, &mut names),
            current: Side::new(current_set, colons, &mut names),
            looks: LOOKS.into(),
        }
    }

    /// Whether it matters how wildcards and the colons of ARNs go together.
    fn keeps_to_segments(&self) -> bool {
        let mut rules = self.proposed.rules().chain(self.current.rules());
        rules.any(Rule::keeps_to_segments)
    }

    fn answer(&self, budget: &mut Budget) -> Containment {
        let allowed = identities(&self.current.allow, &self.proposed.allow);
        let denied = identities(&self.proposed.deny, &self.current.deny);
        let new_denies: Vec<&Rule<'_>> = self
            .current
            .deny
            .iter()
            .filter(|rule| denied.is_empty() || !denied.contains(&rule.identity()))
            .collect();
        let mut opens: Vec<String> = Vec::new();
        for rule in &self.proposed.allow {
            if opens.len() >= OPENS {
                break;
            }
            let mut outcomes = Vec::new();
            if allowed.is_empty() || !allowed.contains(&rule.identity()) {
                outcomes.push(self.allowed_by(rule, &self.current.allow, budget));
            }
            if let Some(boundary) = &self.current.boundary {
                outcomes.push(self.allowed_by(rule, boundary, budget));
            }
            let denies = new_denies.iter();
            let denies = denies.map(|deny| self.not_denied_by(rule, deny, &mut *budget));
            for outcome in outcomes.into_iter().chain(denies) {
                match outcome {
                    Outcome::Met => {}
                    Outcome::Failed(witness) => return Containment::NotContained(witness),
                    Outcome::Open(reason) => opens.push(reason),
                }
                if opens.len() >= OPENS {
                    break;
                }
            }
        }
        opens
            .into_iter()
            .next()
            .map_or(Containment::Contained, Containment::Unknown)
    }

    /// What the statement allows is allowed by these, or denied by the proposal itself.
    fn allowed_by(&self, rule: &Rule<'a>, by: &'a [Rule<'a>], budget: &mut Budget) -> Outcome {
        let covers: Vec<&Rule<'_>> = by.iter().chain(&self.proposed.deny).collect();
        self.all_held(rule, None, &covers, budget)
    }

    /// What the statement allows and this denies is denied by the proposal itself.
    fn not_denied_by(&self, rule: &Rule<'a>, deny: &Rule<'a>, budget: &mut Budget) -> Outcome {
        if contradict(&rule.clauses, &deny.clauses) {
            return Outcome::Met;
        }
        let covers: Vec<&Rule<'_>> = self.proposed.deny.iter().collect();
        self.all_held(rule, Some(deny), &covers, budget)
    }

    /// Whether all the statement is about, of it only what `inside` is about too, is held.
    fn all_held(
        &self,
        rule: &Rule<'a>,
        inside: Option<&Rule<'a>>,
        covers: &[&Rule<'a>],
        budget: &mut Budget,
    ) -> Outcome {
        let mut outcome = Outcome::Met;
        let mut opens = 0;
        let resources = rule.resources.split();
        for action in rule.actions.split() {
            let meets = |other: &Rule<'_>| action.meets(&other.actions);
            if inside.is_some_and(|inside| !meets(inside)) {
                continue;
            }
            let cost: usize = covers.iter().map(|c| 1 + c.actions.exact.len() / 16).sum();
            if budget.spend(cost as u64).is_err() {
                return Outcome::Open(too_much(rule));
            }
            let mut near: Vec<&Rule<'_>> = covers.iter().copied().filter(|c| meets(c)).collect();
            for resource in &resources {
                let cell = rule.cell(&action, resource);
                let Some(cell) = (match inside {
                    None => Some(cell),
                    Some(inside) => cell.within(inside),
                }) else {
                    continue;
                };
                match self.held(&cell, rule, &mut near, budget) {
                    Outcome::Met => {}
                    Outcome::Failed(witness) => return Outcome::Failed(witness),
                    Outcome::Open(reason) => {
                        outcome = Outcome::Open(reason);
                        opens += 1;
                        if opens == OPENS {
                            return outcome;
                        }
                    }
                }
            }
        }
        outcome
    }

    fn held(
        &self,
        cell: &Cell<'a>,
        rule: &Rule<'a>,
        covers: &mut [&Rule<'a>],
        budget: &mut Budget,
    ) -> Outcome {
        let whole = self.settle(cell, rule, covers, budget);
        let (Outcome::Open(_), Some(limits)) = (&whole, &self.proposed.boundary) else {
            return whole;
        };
        // Only what the proposal's boundary allows too need be held.
        for cell in limits.iter().filter_map(|limit| cell.within(limit)) {
            match self.settle(&cell, rule, covers, budget) {
                Outcome::Met => {}
                other => return other,
            }
        }
        Outcome::Met
    }

    /// Whether these rules hold the cell; if not, a request in it that shows the difference. A rule
    /// that holds it alone moves to the front, as it is likely to hold the next one.
    fn settle<'r>(
        &self,
        cell: &Cell<'_>,
        rule: &Rule<'_>,
        covers: &mut [&Rule<'r>],
        budget: &mut Budget,
    ) -> Outcome {
        let mut meeting: Vec<&Rule<'_>> = Vec::new();
        let mut following: Vec<&Rule<'_>> = Vec::new();
        for at in 0..covers.len() {
            let candidate = covers[at];
            let cost = 1 + candidate.size() as u64 / 16;
            if budget.spend(cost).is_err() {
                return Outcome::Open(too_much(rule));
            }
            if !cell.meets_resources(candidate) {
                continue;
            }
            if follows(&cell.clauses, &candidate.clauses) {
                if cell.held_by(candidate, budget) {
                    covers[..=at].rotate_right(1);
                    return Outcome::Met;
                }
                following.push(candidate);
            }
            meeting.push(candidate);
        }
        match cover::gap(cell, &following, budget, |_| true) {
            Ok(None) => return Outcome::Met,
            Err(Exhausted) => return Outcome::Open(too_much(rule)),
            Ok(Some(_)) => {}
        }
        // A place that no condition can fill is shown by any context the cell allows. Where there is
        // none, a context that the conditional statements do not hold in has to be found.
        let allows: Vec<&Rule<'_>> = meeting
            .iter()
            .copied()
            .filter(|m| {
                m.effect() == Effect::Allow || following.iter().any(|f| std::ptr::eq(*f, *m))
            })
            .collect();
        let mut shown = None;
        for rules in [&allows, &following] {
            let tried = cover::gap(cell, rules, budget, |point| {
                shown = self.witness(cell, point);
                shown.is_some()
            });
            if let Some(witness) = shown {
                return Outcome::Failed(witness);
            }
            if tried.is_err() {
                return Outcome::Open(too_much(rule));
            }
        }
        let conditions = if meeting.len() > following.len() {
            "; the conditions of other statements do not provably follow from its own"
        } else {
            ""
        };
        Outcome::Open(format!(
            "{} allows {} on {}, of which neither a proof nor a request against it was found{conditions}",
            rule.name(),
            cell.shown_actions(),
            cell.shown_resources(),
        ))
    }

    /// A request at this point that shows the difference, confirmed by evaluating it.
    fn witness(&self, cell: &Cell<'_>, point: &Point) -> Option<Witness> {
        let sets = [self.proposed_set, self.current_set];
        let context = witness::context(sets, cell, point, &self.looks)?;
        let request = Request {
            action: point.action.clone(),
            resource: point.resource.clone(),
            context,
        };
        let mut request = request;
        if !self.shows(&request) {
            return None;
        }
        // Only the keys that matter stay; a hostile policy may have too many to ask for each.
        let statements = sets.map(|set| set.documents().map(|p| p.document.statements().len()));
        let statements: usize = statements.into_iter().flatten().sum();
        let keys = KEYS.min(self.looks.get() / (1 + statements));
        for key in request
            .context
            .keys()
            .take(keys)
            .cloned()
            .collect::<Vec<_>>()
        {
            let values = request.context.remove(&key);
            if !self.shows(&request) {
                request.context.extend(values.map(|v| (key, v)));
            }
        }
        Some(Witness {
            action: request.action,
            resource: request.resource,
            context: request.context,
        })
    }

    fn shows(&self, request: &Request) -> bool {
        differ(self.proposed_set, self.current_set, request)
    }
}

/// Whether `proposed` certainly allows the request and `current` certainly does not.
#[must_use]
pub fn differ(proposed: &PolicySet, current: &PolicySet, request: &Request) -> bool {
    evaluate(proposed, request).decision == Decision::Allowed
        && matches!(
            evaluate(current, request).decision,
            Decision::ExplicitDeny | Decision::ImplicitDeny
        )
}

/// What those of the rules say that may say the same as one of the others.
fn identities<'a>(rules: &[Rule<'a>], others: &[Rule<'a>]) -> BTreeSet<Identity<'a>> {
    let shapes: BTreeSet<_> = others.iter().map(Rule::shape).collect();
    let alike = rules.iter().filter(|rule| shapes.contains(&rule.shape()));
    alike.map(Rule::identity).collect()
}

fn follows(from: &[Clause<'_>], what: &[Clause<'_>]) -> bool {
    what.is_empty() || implies_clauses(from, what)
}

fn too_much(rule: &Rule<'_>) -> String {
    format!("comparing {} takes too many steps", rule.name())
}

#[cfg(test)]
mod tests;
