//! Reasons to look that come from who acted under the role's name: roles made anew, functions that are
//! gone or run with another role today, credentials used outside Lambda.

use std::collections::BTreeSet;

use super::draft::Draft;
use crate::usage::{FunctionKey, Tally};

/// Adds the reasons.
pub(super) fn reasons(draft: &mut Draft<'_>) {
    recreated(draft);
    outside(draft);
    functions(draft);
}

/// A role that is deleted and made again under its name gets a new id.
fn recreated(draft: &mut Draft<'_>) {
    let today = draft.inputs.role.role_id.clone();
    let ids = &draft.inputs.usage.principal_ids;
    let known = today.starts_with("AROA");
    let mut all: BTreeSet<&str> = ids.iter().map(String::as_str).collect();
    if known {
        all.insert(&today);
    }
    if ids.is_empty() || all.len() < 2 {
        return;
    }
    let listed: Vec<&str> = ids.iter().map(String::as_str).collect();
    let message = if known && !ids.contains(&today) {
        format!(
            "the role was deleted and created again: its events are of {}, today's role is {today} and did nothing yet; what the earlier one used counts",
            listed.join(", ")
        )
    } else {
        format!(
            "the role was deleted and created again: {} ids acted under its name ({}); what all of them used counts",
            ids.len(),
            listed.join(", ")
        )
    };
    draft.reason("role-recreated", true, message);
}

fn outside(draft: &mut Draft<'_>) {
    let usage = draft.inputs.usage;
    if usage.records.outside == 0 {
        return;
    }
    let counts = if usage.count_outside {
        "count as use, as asked for"
    } else if draft.inputs.is_for_lambda_alone() {
        "do not count as use"
    } else {
        "count as use, since others may assume it"
    };
    let shown: Vec<String> = usage
        .outside
        .iter()
        .take(3)
        .map(|(key, tally)| {
            format!(
                "{} from {} as session {} ({} calls)",
                key.agent, key.address, key.session, tally.count
            )
        })
        .collect();
    let message = format!(
        "{} calls with the role's credentials came from outside Lambda and {counts}: {}",
        usage.records.outside,
        shown.join("; ")
    );
    draft.reason("outside-use", true, message);
}

/// Functions that acted with the role and do not run with it today.
fn functions(draft: &mut Draft<'_>) {
    let inputs = draft.inputs;
    let snapshot = inputs.snapshot;
    let account = &inputs.role.account;
    let in_account = |arn: &str| arn.split(':').nth(4) == Some(account);
    let described = |key: &FunctionKey| {
        snapshot
            .functions
            .iter()
            .any(|f| in_account(&f.arn) && f.arn.split(':').nth(3) == Some(&key.region))
    };
    let mut gone: BTreeSet<String> = BTreeSet::new();
    let mut moved: BTreeSet<String> = BTreeSet::new();
    let seen = inputs.usage.functions.iter();
    for (key, tally) in seen {
        let mut same = snapshot
            .functions
            .iter()
            .filter(|f| f.name == key.name && in_account(&f.arn))
            .peekable();
        if same.peek().is_none() {
            if described(key) {
                gone.insert(format!("{} (last seen {})", key.name, last(tally)));
            }
        } else if let Some(now) = same.next()
            && now.role != inputs.role.arn
            && !same.any(|f| f.role == inputs.role.arn)
        {
            let other = now.role.rsplit('/').next().unwrap_or(&now.role);
            moved.insert(format!(
                "{} (last seen {}, now {other})",
                key.name,
                last(tally)
            ));
        }
    }
    let list = |names: BTreeSet<String>| names.into_iter().collect::<Vec<_>>().join(", ");
    if !gone.is_empty() {
        let message = format!(
            "functions that acted with the role are not in the snapshot any more, deleted or renamed: {}; what they used is kept",
            list(gone)
        );
        draft.reason("function-gone", false, message);
    }
    if !moved.is_empty() {
        let message = format!(
            "functions that acted with the role run with another one today: {}; what they used is kept",
            list(moved)
        );
        draft.reason("function-moved", false, message);
    }
}

fn last(tally: &Tally) -> String {
    tally
        .last
        .map_or_else(|| "at an unknown time".to_owned(), super::visible::date_of)
}
