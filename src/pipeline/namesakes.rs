//! Which role of the snapshot a role of the trail is: records without a path, roles made anew under
//! another path, functions that run with another role today. Comes in: the table. Goes out: the table
//! with what belongs together merged, and what to say about it.

use std::collections::BTreeMap;

use super::rows::reason;
use super::scan::Scan;
use crate::grants::Snapshot;
use crate::render::{RoleReport, Status};
use crate::trail::Class;

/// Something to say of a role.
pub(super) struct Told {
    code: &'static str,
    message: String,
    review: bool,
}

impl Told {
    /// Adds it to the reasons of the role, and lowers a status that it contradicts.
    pub(super) fn add_to(&self, report: &mut RoleReport) {
        report.reasons.push(reason(self.code, &self.message));
        report.reasons.sort();
        if self.review && matches!(report.status, Status::Ready | Status::Unchanged) {
            report.status = Status::Review;
        }
    }
}

/// Merges what belongs together. Gives what to say, by role.
pub(super) fn settle(scan: &mut Scan, snapshot: &Snapshot) -> BTreeMap<String, Vec<Told>> {
    let mut told = BTreeMap::new();
    settle_roles(scan, snapshot, &mut told);
    settle_functions(scan, snapshot, &mut told);
    told
}

/// Names are unique in an account whatever the path. A few records name a role without its path; and a
/// role under another path was there before today's, since a path cannot be changed.
fn settle_roles(scan: &mut Scan, snapshot: &Snapshot, told: &mut BTreeMap<String, Vec<Told>>) {
    let by_name: BTreeMap<(&str, &str), &String> = snapshot
        .roles
        .keys()
        .filter_map(|arn| Some((account_and_name(arn)?, arn)))
        .collect();
    let strangers: Vec<String> = scan
        .usage
        .roles
        .keys()
        .filter(|arn| !snapshot.roles.contains_key(*arn))
        .cloned()
        .collect();
    for arn in strangers {
        let Some(known) = account_and_name(&arn).and_then(|key| by_name.get(&key)) else {
            continue;
        };
        let Some(usage) = scan.usage.roles.remove(&arn) else {
            continue;
        };
        let bare = !arn
            .split_once(":role/")
            .is_some_and(|(_, path)| path.contains('/'));
        let id = snapshot.roles.get(*known).map(|role| &role.role_id);
        let same_id = id.is_some_and(|id| {
            !usage.principal_ids.is_empty() && usage.principal_ids.iter().all(|own| own == id)
        });
        if !bare || !(same_id || usage.principal_ids.is_empty()) {
            let seen = usage.seen.count + usage.records.outside;
            told.entry((*known).clone()).or_default().push(Told {
                code: "role-moved",
                message: format!(
                    "{seen} events are of `{arn}`, an earlier role of this name under another path; what it used counts"
                ),
                review: true,
            });
        }
        let mine = scan.usage.roles.entry((*known).clone()).or_default();
        mine.merge(usage);
    }
}

fn account_and_name(arn: &str) -> Option<(&str, &str)> {
    let (prefix, path) = arn.split_once(":role/")?;
    Some((prefix, path.rsplit('/').next()?))
}

/// A function that ran with another role in the window needs from today's role what it did then.
fn settle_functions(scan: &mut Scan, snapshot: &Snapshot, told: &mut BTreeMap<String, Vec<Told>>) {
    let mut ran: BTreeMap<(&str, &str, &str), Vec<&String>> = BTreeMap::new();
    for (arn, usage) in &scan.usage.roles {
        for key in usage.functions.keys() {
            let account = arn.split(':').nth(4).unwrap_or_default();
            let place = (account, key.region.as_str(), key.name.as_str());
            ran.entry(place).or_default().push(arn);
        }
    }
    let mut moves = Vec::new();
    for function in &snapshot.functions {
        let mut parts = function.arn.split(':').skip(3);
        let (Some(region), Some(account)) = (parts.next(), parts.next()) else {
            continue;
        };
        let place = (account, region, function.name.as_str());
        let then = ran.get(&place).into_iter().flatten();
        for &arn in then.filter(|arn| ***arn != function.role) {
            let usage = &scan.usage.roles[arn];
            let then = usage.only(|shape| {
                shape.class != Class::Outside && shape.function.as_deref() == Some(&function.name)
            });
            moves.push((function, arn.clone(), then));
        }
    }
    for (function, arn, then) in moves {
        let name = arn.rsplit('/').next().unwrap_or(&arn);
        told.entry(function.role.clone()).or_default().push(Told {
            code: "function-came",
            message: format!(
                "{} ran with role {name} earlier in the window; what it did with that one counts here too",
                function.name
            ),
            review: false,
        });
        let mine = scan.usage.roles.entry(function.role.clone()).or_default();
        mine.merge(then);
    }
}
