//! Everything granted today that neither the trail nor the configuration asks for: visible and unused
//! goes, invisible stays, and what nothing speaks for is left to a person.

use std::collections::{BTreeMap, BTreeSet};

use super::clip::without_variables;
use super::draft::Draft;
use super::removed::{record_removed, unknown_actions};
use super::visible::{Blind, Sight};
use super::witness::{Witness, buckets_read, takes};
use super::words::{as_granted, whole_services};
use super::{Emit, Target, UnseenRule, Verdict};
use crate::catalog::{ActionFacts, Need};
use crate::iam::pattern;

/// What becomes of one granted (action, resource).
enum Fate {
    /// With the data event type whose logging is only inferred, and whether nothing but events of others
    /// says so.
    Gone(Verdict, String, Option<(&'static str, bool)>),
    Stays(String),
    /// It stays because another witness contradicts the trail's silence.
    Doubted(String),
    /// The grant allows nothing of it.
    Idle(String),
}

/// Decides every granted action.
pub(super) fn decide_rest(draft: &mut Draft<'_>) {
    let witness = Witness::of(draft);
    let old_report = witness.accessed.old;
    let denied: BTreeSet<String> = draft
        .inputs
        .usage
        .denied()
        .filter_map(|(key, ..)| draft.inputs.catalog.action(&key.action))
        .map(|facts| facts.action.to_string())
        .collect();
    let actions: Vec<(&ActionFacts, Vec<usize>)> = draft
        .granted
        .actions
        .values()
        .map(|(facts, grants)| (*facts, grants.clone()))
        .collect();
    let mut wide_unseen: BTreeMap<String, usize> = BTreeMap::new();
    let mut undecided: BTreeSet<String> = BTreeSet::new();
    let mut unseen: BTreeMap<usize, Vec<Emit>> = BTreeMap::new();
    let mut touched: BTreeSet<usize> = BTreeSet::new();
    let mut idle: Vec<(usize, &str, String)> = Vec::new();
    let mut inferred: BTreeSet<(&'static str, bool)> = BTreeSet::new();
    let mut contradicted: BTreeSet<String> = BTreeSet::new();
    for (facts, grants) in actions {
        let action = facts.action.as_str();
        for g in grants {
            if let Some(reason) = pinned(draft, action, g) {
                let grant = &draft.granted.grants[g];
                let conditions = &grant.statement.conditions;
                let emits = grant.targets().into_iter().map(|target| Emit {
                    action: action.to_owned(),
                    target,
                    conditions: conditions.clone(),
                    verdict: Verdict::Pinned,
                    reason: reason.clone(),
                });
                unseen.entry(g).or_default().extend(emits);
                draft.note(action, Verdict::Pinned, &reason);
                continue;
            }
            let wide = draft.granted.grants[g].is_wide(facts.action.service());
            for target in draft.granted.grants[g].targets() {
                match fate(draft, facts, g, &target, wide, &witness) {
                    None => {
                        touched.insert(g);
                    }
                    Some(Fate::Idle(reason)) => idle.push((g, action, reason)),
                    Some(fate @ (Fate::Stays(_) | Fate::Doubted(_))) => {
                        let reason = match fate {
                            Fate::Doubted(reason) => {
                                contradicted.insert(facts.action.service().to_owned());
                                reason
                            }
                            Fate::Stays(reason) | Fate::Gone(_, reason, _) | Fate::Idle(reason) => {
                                reason
                            }
                        };
                        let narrower = !facts.resource_types.is_empty();
                        if wide || (narrower && matches!(&target, Target::Resource(r) if r == "*"))
                        {
                            *wide_unseen
                                .entry(facts.action.service().to_owned())
                                .or_default() += 1;
                        }
                        draft.note(action, Verdict::Unseen, &reason);
                        let conditions = draft.granted.grants[g].statement.conditions.clone();
                        unseen.entry(g).or_default().push(Emit {
                            action: action.to_owned(),
                            target,
                            conditions,
                            verdict: Verdict::Unseen,
                            reason,
                        });
                    }
                    Some(Fate::Gone(verdict, reason, kind)) => {
                        inferred.extend(kind);
                        let verdict = if verdict == Verdict::Unused && denied.contains(action) {
                            Verdict::DeniedOnly
                        } else {
                            verdict
                        };
                        if verdict == Verdict::Undecided {
                            undecided.insert(facts.action.service().to_owned());
                        }
                        touched.insert(g);
                        draft.note(action, verdict, &reason);
                    }
                }
            }
        }
    }
    for (g, emits) in unseen {
        let emits = if !touched.contains(&g) {
            as_granted(draft, g, emits)
        } else if draft.view.missing().is_some() {
            whole_services(draft, emits)
        } else {
            emits
        };
        draft.emits.extend(emits);
    }
    for (g, action, reason) in idle {
        let worded = draft.emits.iter().any(|emit| {
            emit.action.contains('*') && pattern::matches_ignore_case(&emit.action, action)
        });
        let verdict = if worded && !touched.contains(&g) {
            Verdict::Unseen
        } else {
            Verdict::Unused
        };
        draft.note(action, verdict, &reason);
    }
    let buckets = buckets_read(draft);
    keep_bucket_listing(draft, &buckets);
    record_removed(draft);
    unknown_actions(draft);
    explain(draft, &wide_unseen, &undecided);
    explain_witnesses(draft, &inferred, &contradicted, old_report);
}

/// What Lambda does seldom, so that no window is sure to show it: connecting to networks when a function
/// changes, describing a cluster or broker when a mapping is made. The feature that would need the
/// action, where the snapshot lacks the configuration that would tell.
fn undescribed(draft: &Draft<'_>, action: &str) -> Option<&'static str> {
    const RARE: [&str; 5] = ["vpc", "msk", "self-managed-kafka-vpc", "mq", "documentdb"];
    let snapshot = draft.inputs.snapshot;
    RARE.into_iter().find(|feature| {
        let told = if *feature == "vpc" {
            snapshot.has_functions
        } else {
            snapshot.has_mappings
        };
        let seldom = |need: &Need| {
            need.action == action
                && ["ec2:", "kafka:", "mq:", "rds:"]
                    .iter()
                    .any(|service| action.starts_with(service))
        };
        !told && draft.inputs.catalog.needs(feature).iter().any(seldom)
    })
}

/// `None` where what is kept of the action already answers for this grant.
fn fate(
    draft: &Draft<'_>,
    facts: &ActionFacts,
    g: usize,
    target: &Target,
    wide: bool,
    witness: &Witness<'_>,
) -> Option<Fate> {
    let action = facts.action.as_str();
    let service = facts.action.service();
    let resource = match target {
        Target::Resource(resource) => resource.as_str(),
        Target::NotResource(_) => "*",
    };
    let explained = draft.kept.get(action).is_some_and(|kept| {
        matches!(
            kept.verdict,
            Some(Verdict::Used | Verdict::Configured | Verdict::Added)
        )
    });
    if !takes(draft, facts, target) {
        return Some(Fate::Idle(
            "no resource of the grant is one that the action takes, so the grant allows nothing"
                .into(),
        ));
    }
    let (blind, reason) = match hidden(draft, facts, g, wide, witness) {
        Some(hidden) => hidden,
        None => match draft.view.sight(facts, resource) {
            Sight::Logged(_) if explained => return None,
            Sight::Logged(proof) => {
                return Some(match witness.accessed.contradicts(action, service) {
                    Some(said) => Fate::Doubted(said),
                    None => {
                        let rests = |kind| rests_on_inference(witness, kind, resource, service);
                        let inferred = proof.inferred.map(|kind| (kind, rests(kind)));
                        Fate::Gone(Verdict::Unused, proof.reason, inferred)
                    }
                });
            }
            Sight::Blind(blind, reason) => (blind, reason),
        },
    };
    if explained && answered(draft, action, g, resource, blind) {
        return None;
    }
    if !wide {
        return Some(Fate::Stays(reason));
    }
    if blind == Blind::Aside {
        return Some(match witness.dependents.get(action) {
            Some(beside) => Fate::Stays(format!(
                "{reason}; AWS names it beside {beside}, which was used"
            )),
            None => Fate::Gone(
                Verdict::Unused,
                format!("{reason}; nothing was used that AWS names it beside"),
                None,
            ),
        });
    }
    match witness.accessed.decides(action, service) {
        Some(Ok(said)) => return Some(Fate::Stays(format!("{reason}; {said}"))),
        Some(Err(said)) => {
            let reason = format!("{reason}; {said}");
            return Some(Fate::Gone(Verdict::Unused, reason, None));
        }
        None => {}
    }
    Some(match witness.services.get(service) {
        Some(speaks) => Fate::Stays(format!("{reason}; {speaks}")),
        None if blind == Blind::Missing => Fate::Stays(reason),
        None => Fate::Gone(
            Verdict::Undecided,
            format!("{reason}; nothing speaks for {service}"),
            None,
        ),
    })
}

/// Whether nothing but events of others says that the type is logged for these resources: a trail may
/// log it for some alone.
fn rests_on_inference(witness: &Witness<'_>, kind: &str, resource: &str, service: &str) -> bool {
    let used = witness.data_used.get(kind).is_some_and(|used| {
        used.iter()
            .any(|used| pattern::overlaps(used, &without_variables(resource)))
    });
    !used && !witness.accessed.proves_absence(service)
}

/// Why the user wants the grant of an action left as it is.
fn pinned(draft: &Draft<'_>, action: &str, g: usize) -> Option<String> {
    let sid = draft.granted.grants[g].statement.sid.as_deref();
    if let Some(sid) = sid.filter(|sid| sid.starts_with("KEEP")) {
        return Some(format!("never touched: the statement's Sid is {sid}"));
    }
    let keep = draft.options.keep.iter();
    let named = keep
        .into_iter()
        .find(|named| pattern::matches_ignore_case(named, action))?;
    Some(format!("never touched: --keep {named}"))
}

/// Whether the resources kept for a used or configured action already answer for a grant that is blind.
fn answered(draft: &Draft<'_>, action: &str, g: usize, resource: &str, blind: Blind) -> bool {
    let kept = || {
        let emits = draft.emits.iter().filter(|emit| emit.action == action);
        emits.filter_map(|emit| match &emit.target {
            Target::Resource(kept) => Some((kept.as_str(), emit.conditions.is_empty())),
            Target::NotResource(_) => None,
        })
    };
    if kept().any(|(kept, always)| always && kept == resource) {
        return true;
    }
    let used = draft
        .kept
        .get(action)
        .is_some_and(|kept| kept.verdict == Some(Verdict::Used));
    let meets = || kept().any(|(kept, _)| kept == "*" || pattern::overlaps(kept, resource));
    match blind {
        // What was seen or derived says what the grant is for, and so does a log group.
        Blind::Never | Blind::Aside if used || action.starts_with("logs:") => meets(),
        // An AWS managed policy for Lambda grants what Lambda does, on all resources because it cannot
        // know them; the configuration knows them.
        _ => draft.granted.grants[g].lambda_managed && meets(),
    }
}

/// Actions whose events exist but do not show every use.
fn hidden(
    draft: &Draft<'_>,
    facts: &ActionFacts,
    g: usize,
    wide: bool,
    witness: &Witness<'_>,
) -> Option<(Blind, String)> {
    let unmapped = witness.unmapped.as_ref();
    let action = facts.action.as_str();
    if unmapped.is_none_or(|services| services.contains(facts.action.service())) {
        let message = format!(
            "the trail has events of {} that the catalog does not know; one may have used it",
            facts.action.service()
        );
        return Some((Blind::Never, message));
    }
    if !wide && let Some(feature) = undescribed(draft, action) {
        let message = format!(
            "Lambda may do it for the function ({feature}), seldom, and its configuration is not in the snapshot"
        );
        return Some((Blind::Never, message));
    }
    let snapshot = draft.inputs.snapshot;
    let told = snapshot.has_functions && snapshot.has_mappings;
    if draft.granted.grants[g].lambda_managed && !told && facts.action.service() != "logs" {
        let message =
            "Lambda may need it for the function, whose configuration is not in the snapshot";
        return Some((Blind::Never, message.into()));
    }
    let caching = matches!(
        action,
        "kms:Decrypt" | "kms:GenerateDataKey" | "kms:GenerateDataKeyWithoutPlaintext"
    );
    if caching && !wide && witness.objects {
        return Some((
            Blind::Never,
            "S3 Bucket Keys and data key caching can hide its use".into(),
        ));
    }
    None
}

/// Without `s3:ListBucket` S3 answers 403 instead of 404 for a key that does not exist.
fn keep_bucket_listing(draft: &mut Draft<'_>, buckets: &BTreeMap<String, Verdict>) {
    let already = draft
        .kept
        .get("s3:ListBucket")
        .is_some_and(|kept| matches!(kept.verdict, Some(Verdict::Used)));
    if !draft.options.neighbours || (already && buckets.is_empty()) {
        return;
    }
    let Some((_, grants)) = draft.granted.actions.get("s3:ListBucket").cloned() else {
        return;
    };
    for (bucket, verdict) in buckets {
        let reason = match verdict {
            Verdict::Used => {
                "needed beside reads that were seen: without it a missing key answers 403, not 404"
            }
            _ => "needed beside reads: without it a missing key answers 403, not 404",
        };
        if draft.keep_clipped("s3:ListBucket", bucket, &grants, &[], *verdict, reason) {
            draft.note("s3:ListBucket", *verdict, reason);
        }
    }
}

fn explain(
    draft: &mut Draft<'_>,
    wide_unseen: &BTreeMap<String, usize>,
    undecided: &BTreeSet<String>,
) {
    let unseen = draft
        .kept
        .values()
        .filter(|kept| kept.verdict == Some(Verdict::Unseen))
        .count();
    if !wide_unseen.is_empty() && draft.options.unseen == UnseenRule::Keep {
        let total: usize = wide_unseen.values().sum();
        let services: Vec<&str> = wide_unseen.keys().map(String::as_str).collect();
        draft.reason(
            "unseen-under-wildcard",
            true,
            format!(
                "{total} granted actions that this trail cannot show stay on all resources ({})",
                shorten(&services)
            ),
        );
    }
    if unseen > 0 && draft.options.unseen == UnseenRule::Drop {
        draft.reason("unseen-dropped", true, format!("{unseen} granted actions that this trail cannot show were removed because --unseen drop asked for it"));
    }
    if unseen > 0 && draft.options.unseen == UnseenRule::Refuse {
        draft.reason("unseen-refused", true, format!("{unseen} granted actions cannot be seen in this trail and --unseen refuse asked to stop there"));
    }
    if !undecided.is_empty() {
        let services: Vec<&str> = undecided.iter().map(String::as_str).collect();
        let message = format!(
            "nothing speaks for {}, whose calls this trail cannot fully show, so they are removed; service last accessed data would decide",
            shorten(&services)
        );
        draft.reason("undecided-services", true, message);
    }
    if !draft.inputs.usage.unmapped.is_empty() {
        let events: Vec<String> = draft
            .inputs
            .usage
            .unmapped
            .keys()
            .map(|e| format!("{} {}", e.event_source, e.event_name))
            .collect();
        let events: Vec<&str> = events.iter().map(String::as_str).collect();
        draft.reason(
            "unmapped-events",
            true,
            format!(
                "the catalog does not know what {} needs; the grants it could have used stay",
                shorten(&events)
            ),
        );
    }
}

/// Reasons from what speaks beside the trail's events.
fn explain_witnesses(
    draft: &mut Draft<'_>,
    inferred: &BTreeSet<(&'static str, bool)>,
    contradicted: &BTreeSet<String>,
    old_report: bool,
) {
    let kinds: Vec<&str> = inferred
        .iter()
        .filter(|(_, of_others)| *of_others)
        .map(|(kind, _)| *kind)
        .collect();
    if !kinds.is_empty() {
        let message = format!(
            "no event selectors are known: {} data events are taken as logged because the input holds some, but none on what the role would lose",
            shorten(&kinds)
        );
        draft.reason("inferred-data-events", true, message);
    }
    let least = draft.options.min_window_days;
    let kinds: BTreeSet<&str> = inferred.iter().map(|(kind, _)| *kind).collect();
    let short: Vec<String> = kinds
        .into_iter()
        .map(|kind| (kind, draft.view.data_days(kind)))
        .filter(|(_, days)| *days < least)
        .map(|(kind, days)| format!("{kind} for {days} days"))
        .collect();
    if !short.is_empty() {
        let message = format!(
            "data events are in the input for less than the {least} days that rare work needs: {}",
            short.join(", ")
        );
        draft.reason("short-data-window", true, message);
    }
    if !contradicted.is_empty() {
        let services: Vec<&str> = contradicted.iter().map(String::as_str).collect();
        let message = format!(
            "service last accessed shows attempts since the window began that the input lacks, so its silence proves nothing ({})",
            shorten(&services)
        );
        draft.reason("last-accessed-contradicts", true, message);
    }
    if old_report {
        draft.reason(
            "last-accessed-old",
            false,
            "service last accessed data are older than the end of the input, so they prove no absence".into(),
        );
    }
}

fn shorten(names: &[&str]) -> String {
    match names {
        [a, b, c, d, rest @ ..] if !rest.is_empty() => {
            format!("{a}, {b}, {c}, {d} and {} more", rest.len())
        }
        _ => names.join(", "),
    }
}
