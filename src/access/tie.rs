//! Denials that began after a policy changed. The first denial and the changes of the policies around
//! it in, the change it is tied to out.

use serde::Serialize;

use super::door::{BOUNDARY, ENDPOINT, RCP, RESOURCE, ROLE, SCP, Verdict};
use crate::grants::Role;
use crate::usage::{ChangeTarget, Changes, PolicyChange, Tally};

/// A change of a policy after which calls were denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Tie {
    /// `eventName`, such as `DeleteRolePolicy`.
    pub event_name: String,
    /// ISO 8601.
    pub time: String,
    /// `eventID`.
    pub event_id: String,
    /// Who made the change.
    pub by: String,
    /// The policy, where the event names one.
    pub policy: Option<String>,
    /// The same action was authorised before the change.
    pub worked_before: bool,
    /// In words.
    pub message: String,
}

/// Without a call that worked before, only a change this close says anything, in seconds.
const CLOSE: i64 = 24 * 3_600;
/// A policy takes up to a few minutes to reach every place where IAM decides.
const SPREAD: i64 = 600;

/// The newest change before the first denial that may have caused it. `worked` is the tally of the same
/// action's authorised calls.
pub(super) fn tie(
    changes: &Changes,
    arn: &str,
    role: Option<&Role>,
    verdict: &Verdict,
    resources: &[String],
    denied: &Tally,
    worked: Option<&Tally>,
) -> Option<Tie> {
    let began = denied.first?;
    let mut best: Option<(&PolicyChange, bool)> = None;
    for target in targets(changes, arn, role, verdict, resources) {
        for change in changes.of(&target) {
            let before = worked
                .and_then(|tally| tally.first)
                .is_some_and(|first| first < change.time);
            // What still worked well after the change was not shut by it.
            let after = worked
                .and_then(|tally| tally.last)
                .is_some_and(|last| last > change.time + SPREAD && last < began);
            let near = before || began - change.time <= CLOSE;
            if change.time <= began
                && near
                && !after
                && can_shut(&change.name, verdict)
                && best.is_none_or(|(known, _)| known < change)
            {
                best = Some((change, before));
            }
        }
    }
    let (change, worked_before) = best?;
    let short = arn.rsplit('/').next().unwrap_or(arn);
    let what = change.policy.as_deref().unwrap_or(short);
    let message = if worked_before {
        format!(
            "worked until {} {} ({what}); first denied {} later",
            change.by,
            verb(&change.name),
            span(began - change.time)
        )
    } else {
        format!(
            "first denied {} after {} {} ({what}); no such call was seen before it",
            span(began - change.time),
            change.by,
            verb(&change.name)
        )
    };
    Some(Tie {
        event_name: change.name.clone(),
        time: jiff::Timestamp::from_second(change.time)
            .map_or_else(|_| change.time.to_string(), |time| time.to_string()),
        event_id: change.event_id.clone(),
        by: change.by.clone(),
        policy: change.policy.clone(),
        worked_before,
        message,
    })
}

fn verb(name: &str) -> String {
    format!("called {name}")
}

fn span(seconds: i64) -> String {
    match seconds {
        i64::MIN..=119 => format!("{seconds} s"),
        120..=7_199 => format!("{} min", seconds / 60),
        7_200..=172_799 => format!("{} h", seconds / 3_600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Whether a change of this kind can shut the door. What only adds rights shuts none, unless it brings
/// a Deny.
fn can_shut(name: &str, verdict: &Verdict) -> bool {
    match name {
        "CreateRole" | "DeleteRolePermissionsBoundary" => false,
        "UpdateAssumeRolePolicy" => false,
        "AttachRolePolicy" | "AttachPolicy" => verdict.explicit_deny != Some(false),
        name if name.starts_with("AddPermission") => false,
        _ => true,
    }
}

/// The policies that may have shut the door.
fn targets(
    changes: &Changes,
    arn: &str,
    role: Option<&Role>,
    verdict: &Verdict,
    resources: &[String],
) -> Vec<ChangeTarget> {
    let may = |door: &str| verdict.door == door || verdict.candidates.contains(&door);
    let mut targets = Vec::new();
    let mut parts = arn.split(':');
    let account = parts.nth(4).unwrap_or_default().to_owned();
    let name = arn.rsplit('/').next().unwrap_or_default().to_owned();
    let own = ChangeTarget::Role { account, name };
    if may(ROLE) || may(BOUNDARY) {
        // Today's policies, and those that were put on or taken off in the window.
        let mut policies: Vec<String> = role
            .into_iter()
            .flat_map(|role| {
                let attached = role.policies.iter().filter_map(|p| p.arn.clone());
                attached.chain(role.boundary.iter().map(|b| b.name.clone()))
            })
            .collect();
        policies.extend(
            changes
                .of(&own)
                .filter_map(|change| change.policy.clone())
                .filter(|policy| policy.starts_with("arn:")),
        );
        policies.sort();
        policies.dedup();
        targets.extend(policies.into_iter().map(ChangeTarget::Policy));
        targets.push(own);
    }
    if may(RESOURCE) {
        for resource in resources {
            targets.push(ChangeTarget::Resource(resource.clone()));
            // The policy of an object is its bucket's, that of an index its table's.
            let whole = match resource.split_once("/index/") {
                Some((table, _)) => table,
                None if resource.contains(":s3:::") => {
                    resource.split('/').next().unwrap_or(resource)
                }
                None => continue,
            };
            targets.push(ChangeTarget::Resource(whole.to_owned()));
        }
    }
    if may(SCP) || may(RCP) {
        targets.push(ChangeTarget::Organization);
    }
    if may(ENDPOINT) {
        targets.extend(
            resources
                .iter()
                .filter(|resource| resource.contains(":vpc-endpoint/"))
                .cloned()
                .map(ChangeTarget::Resource),
        );
    }
    targets
}
