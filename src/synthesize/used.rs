//! What the trail shows: kept, as far as the current grants allow it.

use std::collections::{BTreeMap, BTreeSet};

use super::clip::allows;
use super::draft::Draft;
use super::patterns::{Granularity, Seen, patterns};
use super::{ConditionRule, Verdict};
use crate::catalog::{Certainty, ResourceRef};
use crate::iam::ConditionBlock;
use crate::trail::Class;
use crate::usage::ladder::open_text;
use crate::usage::{Call, Tally};

/// Condition keys that a used request pins without cost.
const PINNED: [&str; 3] = ["kms:ViaService", "iam:PassedToService", "ec2:CreateAction"];

/// Keeps every authorised request.
pub(super) fn keep_used(draft: &mut Draft<'_>) {
    let calls = draft.inputs.calls();
    let mut by_action: BTreeMap<&str, Vec<&Call<'_>>> = BTreeMap::new();
    for call in &calls {
        by_action
            .entry(call.shape.action.as_str())
            .or_default()
            .push(call);
    }
    for (action, calls) in by_action {
        let (platform, code): (Vec<_>, Vec<_>) = calls
            .into_iter()
            .partition(|call| call.shape.class == Class::Platform);
        keep(draft, action, &code, Verdict::Used);
        keep(draft, action, &platform, Verdict::Configured);
    }
}

fn keep(draft: &mut Draft<'_>, action: &str, calls: &[&Call<'_>], verdict: Verdict) {
    let Some((facts, grants)) = draft.granted.actions.get(action).cloned() else {
        return elsewhere(draft, action, calls.iter().copied());
    };
    let resource_level = !facts.resource_types.is_empty();
    let mut by_resource: BTreeMap<&ResourceRef, Vec<&Call<'_>>> = BTreeMap::new();
    for call in calls {
        let allowed = grants.iter().any(|&g| {
            allows(
                &draft.granted.grants[g].statement.resources,
                call.resource,
                resource_level,
            )
        });
        if allowed {
            by_resource.entry(call.resource).or_default().push(call);
        } else {
            elsewhere(draft, action, std::iter::once(*call));
        }
    }
    let seen = by_resource.iter().map(|(resource, calls)| {
        let seen = Seen {
            first: calls.iter().filter_map(|call| call.tally.first).min(),
            last: calls.iter().filter_map(|call| call.tally.last).max(),
        };
        (*resource, seen)
    });
    for (pattern, resources) in patterns(seen, draft.granularity) {
        let calls: Vec<&Call<'_>> = resources
            .iter()
            .flat_map(|r| by_resource[*r].iter().copied())
            .collect();
        let grants: Vec<usize> = grants
            .iter()
            .copied()
            .filter(|&g| {
                resources.iter().any(|r| {
                    allows(
                        &draft.granted.grants[g].statement.resources,
                        r,
                        resource_level,
                    )
                })
            })
            .collect();
        let reason = reason(&calls, verdict);
        let pinned = pinned(&calls, draft.options.conditions, draft.granularity);
        if excludes_part(draft, &grants, &pattern) {
            // A grant that excludes part of the pattern: the resources themselves are what it allows.
            for resource in &resources {
                draft.keep_clipped(
                    action,
                    &resource.pattern(),
                    &grants,
                    &pinned,
                    verdict,
                    &reason,
                );
            }
        } else {
            draft.keep_clipped(action, &pattern, &grants, &pinned, verdict, &reason);
        }
        if action == "logs:CreateLogStream" {
            keep_writing(draft, &pattern, &reason);
        }
        let mut tally = Tally::default();
        calls.iter().for_each(|call| tally.merge(call.tally));
        let functions: BTreeSet<String> = calls
            .iter()
            .filter_map(|call| call.shape.function.clone())
            .collect();
        let kept = draft.note(action, verdict, &reason);
        kept.tally.merge(&tally);
        kept.functions.extend(functions);
    }
}

/// Whoever makes a log stream writes to it, and that is never an event.
fn keep_writing(draft: &mut Draft<'_>, stream: &str, reason: &str) {
    let group = stream.split(":log-stream:").next().unwrap_or(stream);
    let group = group.strip_suffix(":*").unwrap_or(group);
    let pattern = format!("{group}:*");
    let Some((_, grants)) = draft.granted.actions.get("logs:PutLogEvents").cloned() else {
        return;
    };
    let reason = format!("writing to a stream is never an event; making one was {reason}");
    if draft.keep_clipped(
        "logs:PutLogEvents",
        &pattern,
        &grants,
        &[],
        Verdict::Configured,
        &reason,
    ) {
        draft.note("logs:PutLogEvents", Verdict::Configured, &reason);
    }
}

fn excludes_part(draft: &Draft<'_>, grants: &[usize], pattern: &str) -> bool {
    use crate::iam::{ResourceMatch, pattern::overlaps};
    grants
        .iter()
        .any(|&g| match &draft.granted.grants[g].statement.resources {
            ResourceMatch::NotResource(list) => list.iter().any(|out| overlaps(out, pattern)),
            _ => false,
        })
}

/// Calls that another policy than the role's own allowed: a bucket policy, a key policy, or a policy
/// that the role had then.
fn elsewhere<'c>(draft: &mut Draft<'_>, action: &str, calls: impl Iterator<Item = &'c Call<'c>>) {
    for call in calls.filter(|call| call.shape.certainty == Certainty::Seen) {
        draft
            .granted_elsewhere
            .insert((action.to_owned(), call.resource.pattern()));
    }
}

fn reason(calls: &[&Call<'_>], verdict: Verdict) -> String {
    if verdict == Verdict::Configured {
        return "Lambda itself does this for the function".into();
    }
    let derived = calls
        .iter()
        .all(|call| call.shape.certainty != Certainty::Seen);
    let forwarded = calls
        .iter()
        .all(|call| call.shape.class == Class::Forwarded);
    match (derived, forwarded) {
        (true, _) => "needed by a call that was seen",
        (_, true) => "another AWS service did this for the role",
        _ => "seen in the trail",
    }
    .into()
}

/// The conditions that all calls share.
fn pinned(
    calls: &[&Call<'_>],
    rule: ConditionRule,
    granularity: Granularity,
) -> Vec<ConditionBlock> {
    let mut blocks = Vec::new();
    if rule == ConditionRule::None {
        return blocks;
    }
    for key in PINNED {
        let Some(values) = shared(calls, key) else {
            continue;
        };
        let values = values.into_iter().cloned().collect();
        blocks.push(ConditionBlock {
            operator: "StringEquals".into(),
            key: key.into(),
            values,
        });
    }
    blocks.extend(prefixes(calls, rule, granularity));
    blocks
}

/// The values of a key, where every call has one.
fn shared<'c>(calls: &[&'c Call<'_>], key: &str) -> Option<BTreeSet<&'c String>> {
    let values: Option<BTreeSet<&String>> = calls
        .iter()
        .map(|call| call.shape.context.get(key))
        .collect();
    values.filter(|values| !values.is_empty())
}

/// `s3:prefix` of listings: the prefixes with volatile pieces as `*`, where a few stand for all.
fn prefixes(
    calls: &[&Call<'_>],
    rule: ConditionRule,
    granularity: Granularity,
) -> Option<ConditionBlock> {
    const FEW: usize = 5;
    let listing = calls
        .iter()
        .all(|call| call.shape.action.as_str().starts_with("s3:List"));
    if rule != ConditionRule::All || !listing || granularity == Granularity::Container {
        return None;
    }
    let values = shared(calls, "s3:prefix")?;
    let open = |value: &String| match granularity {
        Granularity::Exact => value.clone(),
        _ => open_text(value),
    };
    let plain = |value: &&String| !value.is_empty() && !value.contains(['*', '?', '$']);
    if !values.iter().all(plain) {
        return None;
    }
    let values: BTreeSet<String> = values.into_iter().map(open).collect();
    (values.len() <= FEW && !values.contains("*")).then(|| ConditionBlock {
        operator: "StringLike".into(),
        key: "s3:prefix".into(),
        values: values.into_iter().collect(),
    })
}
