//! What one call asks for beside its own action, where a row of the event table says which parameter
//! names it: `object:BUCKET/KEY`, `below:BUCKET/PREFIX` (all objects in that folder),
//! `starting:BUCKET/PREFIX` (all whose keys begin so), `bucket:BUCKET`, `uri:PATH` (`s3://bucket/key`), `arn:PATH` (the ARNs there), `role:PRINCIPAL` (any role, passed to that
//! service), `any` (`*`). Nothing where the call has no such parameter.

use super::arns::{self, Part};
use super::resolve::{self, Found};
use super::resource::{ResourceRef, escape};
use super::{Call, s3};
use crate::catalog::ActionFacts;

/// The resources of an action by a rule of the event table; `None` where the rule is none of these.
pub(super) fn resources(call: &Call<'_>, facts: &ActionFacts, rule: &str) -> Option<Vec<Found>> {
    if rule == "any" {
        return Some(vec![ResourceRef::Any.into()]);
    }
    let (name, path) = rule.split_once(':')?;
    let (first, second) = path.split_once('/').unwrap_or((path, ""));
    let found = match name {
        "arn" => {
            let texts = call.texts(path).into_iter();
            let arns = texts.filter(|text| text.starts_with("arn:"));
            arns.map(ResourceRef::Literal).collect()
        }
        "role" => resolve::container(call, "iam", "role"),
        "bucket" => buckets(call, first)
            .map(|bucket| {
                let format = "arn:${Partition}:s3:::${BucketName}";
                arns::fill(format, &call.scope, |_| Part::Text(bucket.clone()))
            })
            .collect(),
        "object" => buckets(call, first)
            .map(|bucket| s3::object(call, &bucket, key(call, second)))
            .collect(),
        "below" | "starting" => buckets(call, first)
            .map(|bucket| {
                let prefix = call.text(second).unwrap_or_default();
                let folder = name == "below" && !prefix.is_empty() && !prefix.ends_with('/');
                let slash = if folder { "/" } else { "" };
                let keys = format!("{}{slash}*", escape(&prefix));
                s3::object(call, &bucket, Part::Glob(keys))
            })
            .collect(),
        "uri" => {
            let texts = call.texts(path).into_iter();
            let split = |text: String| {
                let (bucket, key) = text.strip_prefix("s3://")?.split_once('/')?;
                Some(s3::object(call, bucket, Part::Text(key.to_owned())))
            };
            texts.filter_map(split).collect()
        }
        _ => return None,
    };
    let fits = |resource: &ResourceRef| super::accepts(call, facts, resource);
    let found = found.into_iter().filter(fits);
    Some(found.map(Found::from).collect())
}

/// The service that a `role:` rule says the role is passed to.
pub(super) fn passed_to(rule: &'static str) -> Option<&'static str> {
    rule.strip_prefix("role:").filter(|to| !to.is_empty())
}

/// The names of buckets at a path; ARNs of buckets lose their front.
fn buckets<'a>(call: &Call<'a>, path: &str) -> impl Iterator<Item = String> + use<'a> {
    let texts = call.texts(path).into_iter();
    texts.map(|text| match text.split_once(":::") {
        Some((_, name)) => name.to_owned(),
        None => text,
    })
}

fn key(call: &Call<'_>, path: &str) -> Part {
    call.text(path).map_or(Part::Unknown, Part::Text)
}
