//! What else than the calls themselves speaks for or against a granted action.

use std::collections::{BTreeMap, BTreeSet};

use super::accessed::Accessed;
use super::draft::Draft;
use super::{Target, Verdict};
use crate::catalog::{ActionFacts, Visibility};
use crate::iam::Action;
use crate::usage::Call;

/// What else speaks for or against a service.
pub(super) struct Witness<'a> {
    /// Service last accessed data.
    pub(super) accessed: Accessed<'a>,
    /// Service → what speaks for it.
    pub(super) services: BTreeMap<String, String>,
    /// The role may use S3 objects: Bucket Keys then hide calls to KMS.
    pub(super) objects: bool,
    /// Data event type → the resources that the role used, as patterns.
    pub(super) data_used: BTreeMap<&'static str, BTreeSet<String>>,
    /// Actions that AWS names beside a used one → the used one.
    pub(super) dependents: BTreeMap<&'static str, Action>,
    /// Services that an unmapped event may belong to; `None` for any.
    pub(super) unmapped: Option<BTreeSet<String>>,
}

impl<'a> Witness<'a> {
    pub(super) fn of(draft: &Draft<'a>) -> Self {
        let calls = draft.inputs.calls();
        let beside = |call: &Call<'_>| {
            draft
                .inputs
                .catalog
                .dependents(&call.shape.action)
                .map(|name| (name, call.shape.action.clone()))
                .collect::<Vec<_>>()
        };
        Self {
            accessed: Accessed::of(draft),
            services: service_evidence(draft),
            objects: uses_objects(draft),
            data_used: data_used(draft, &calls),
            dependents: calls.iter().flat_map(beside).collect(),
            unmapped: unmapped_services(draft),
        }
    }
}

/// Whether the role may read or write S3 objects.
fn uses_objects(draft: &Draft<'_>) -> bool {
    ["s3:GetObject", "s3:PutObject"]
        .iter()
        .any(|action| draft.granted.actions.contains_key(action))
}

/// What the role used of each data event type.
fn data_used(draft: &Draft<'_>, calls: &[Call<'_>]) -> BTreeMap<&'static str, BTreeSet<String>> {
    let catalog = draft.inputs.catalog;
    let mut used: BTreeMap<&'static str, BTreeSet<String>> = BTreeMap::new();
    for call in calls {
        let Some(facts) = catalog.action(call.shape.action.as_str()) else {
            continue;
        };
        if let Visibility::Data(types) = catalog.visibility(facts) {
            for kind in types {
                used.entry(kind)
                    .or_default()
                    .insert(call.resource.pattern());
            }
        }
    }
    used
}

/// Services that something else than the role's data calls speaks for: its other calls, the
/// configuration of its functions, their environment.
fn service_evidence(draft: &Draft<'_>) -> BTreeMap<String, String> {
    let mut evidence = BTreeMap::new();
    let mut add = |service: &str, witness: String| {
        evidence.entry(service.to_owned()).or_insert(witness);
    };
    for call in draft.inputs.calls() {
        add(
            call.shape.action.service(),
            format!("the role called {}", call.shape.action),
        );
    }
    for (action, kept) in &draft.kept {
        if kept.verdict == Some(Verdict::Configured) {
            add(
                action.split(':').next().unwrap_or_default(),
                format!("the configuration needs {action}"),
            );
        }
    }
    for event in draft.inputs.usage.unmapped.keys() {
        for service in draft.inputs.catalog.services_of(&event.event_source) {
            add(
                &service,
                format!(
                    "the role called {} of {}",
                    event.event_name, event.event_source
                ),
            );
        }
    }
    for function in draft.inputs.snapshot.functions_of(&draft.inputs.role.arn) {
        for value in &function.environment {
            let host = value
                .strip_prefix("https://")
                .and_then(|rest| rest.split('.').next());
            let arn = value
                .strip_prefix("arn:")
                .and_then(|rest| rest.split(':').nth(1));
            for service in host
                .into_iter()
                .chain(arn)
                .filter(|s| !draft.inputs.catalog.service_actions(s).is_empty())
            {
                add(
                    service,
                    format!(
                        "an environment variable of {} names {service}",
                        function.name
                    ),
                );
            }
        }
    }
    evidence
}

/// Services that an event no rule maps may belong to; `None` where it may be any.
fn unmapped_services(draft: &Draft<'_>) -> Option<BTreeSet<String>> {
    let mut services = BTreeSet::new();
    for event in draft.inputs.usage.unmapped.keys() {
        let of = draft.inputs.catalog.services_of(&event.event_source);
        if of.is_empty() {
            return None;
        }
        services.extend(of);
    }
    Some(services)
}

/// Buckets whose objects the role reads, or may read unseen.
pub(super) fn buckets_read(draft: &Draft<'_>) -> BTreeMap<String, Verdict> {
    let mut buckets = BTreeMap::new();
    for emit in &draft.emits {
        if !matches!(emit.action.as_str(), "s3:GetObject" | "s3:GetObjectVersion") {
            continue;
        }
        let Target::Resource(resource) = &emit.target else {
            continue;
        };
        if let Some(bucket) = bucket_of(resource) {
            let verdict = match emit.verdict {
                Verdict::Used => Verdict::Used,
                _ => Verdict::Unseen,
            };
            let known = buckets.entry(bucket.to_owned()).or_insert(verdict);
            *known = verdict.min(*known);
        }
    }
    buckets
}

/// What listing the objects is checked on: the bucket, or the access point they are read through.
fn bucket_of(resource: &str) -> Option<&str> {
    if resource.contains(":accesspoint/") {
        return Some(resource.split("/object/").next().unwrap_or(resource));
    }
    resource.split_once('/').map(|(bucket, _)| bucket)
}

/// Whether some resource of the grant is of a type that the action accepts: `s3:GetObject` on a bucket's
/// own ARN, or `sqs:ListQueues` on a queue, allows nothing.
pub(super) fn takes(draft: &Draft<'_>, facts: &ActionFacts, target: &Target) -> bool {
    let Target::Resource(resource) = target else {
        return true;
    };
    draft.inputs.catalog.takes(facts, resource)
}
