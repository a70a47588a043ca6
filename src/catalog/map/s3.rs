//! S3: buckets, keys, copy sources, access points.

use super::arns::{self, Part};
use super::params;
use super::resolve::Found;
use super::resource::{ResourceRef, escape};
use super::{Call, Certainty};
use crate::catalog::ActionFacts;

/// Where a copy reads from.
pub(super) struct CopySource {
    /// A bucket name, or the ARN of an access point.
    bucket: String,
    key: String,
    /// Whether the copy names a version.
    pub(super) version: bool,
}

/// `x-amz-copy-source`: `bucket/key?versionId=v`, with or without a leading slash, or
/// `arn:aws:s3:…:accesspoint/name/object/key`; percent-encoded.
pub(super) fn copy_source(call: &Call<'_>) -> Option<CopySource> {
    let raw = call
        .text("x-amz-copy-source")
        .or_else(|| call.text("copySource"))?;
    let (path, version) = match raw.split_once("?versionId=") {
        Some((path, _)) => (path, true),
        None => (raw.as_str(), false),
    };
    let path = percent_encoding::percent_decode_str(path).decode_utf8_lossy();
    let (bucket, key) = if path.starts_with("arn:") {
        path.split_once("/object/")?
    } else {
        path.trim_start_matches('/').split_once('/')?
    };
    (!bucket.is_empty() && !key.is_empty()).then(|| CopySource {
        bucket: bucket.to_owned(),
        key: key.to_owned(),
        version,
    })
}

/// The object that a copy reads; any object where the source is not shown.
pub(super) fn copied(call: &Call<'_>) -> Vec<Found> {
    let resource = match copy_source(call) {
        Some(source) => object(call, &source.bucket, Part::Text(source.key)),
        None => object(call, "", Part::Unknown),
    };
    vec![resource.into()]
}

/// The bucket of a call: a name, or an access point's ARN.
fn bucket(call: &Call<'_>) -> Option<String> {
    call.text("bucketName").or_else(|| call.text("bucket"))
}

/// The ARN of an object; an empty bucket is unknown.
pub(super) fn object(call: &Call<'_>, bucket: &str, key: Part) -> ResourceRef {
    if bucket.starts_with("arn:") {
        return match key {
            Part::Text(key) => ResourceRef::Literal(format!("{bucket}/object/{key}")),
            _ => ResourceRef::Pattern(format!("{}/object/*", escape(bucket))),
        };
    }
    let bucket = match bucket {
        "" => Part::Unknown,
        bucket => Part::Text(bucket.to_owned()),
    };
    let format = "arn:${Partition}:s3:::${BucketName}/${ObjectName}";
    let open = bucket == Part::Unknown && key == Part::Unknown;
    if open {
        return ResourceRef::Pattern(format!("arn:{}:s3:::*/*", call.scope.partition));
    }
    arns::fill(format, &call.scope, |variable| match variable {
        "BucketName" => bucket.clone(),
        "ObjectName" => key.clone(),
        _ => Part::Unknown,
    })
}

/// Buckets and objects; `None` for the other types of the service (jobs, access grants, ...).
pub(super) fn resources(call: &Call<'_>, facts: &ActionFacts) -> Option<Vec<Found>> {
    let takes = |name: &str| facts.resource_types.iter().any(|kind| kind.name == name);
    if takes("object") {
        Some(objects(call))
    } else if takes("bucket") && (bucket(call).is_some() || !listed_buckets(call).is_empty()) {
        Some(buckets(call))
    } else {
        None
    }
}

fn objects(call: &Call<'_>) -> Vec<Found> {
    let bucket = bucket(call).unwrap_or_default();
    let of_access_point = bucket.starts_with("arn:");
    let certainty = of_access_point.then_some(Certainty::Possible);
    let mut found = Vec::new();
    if of_access_point {
        // The access point decides; the bucket behind it may be asked too.
        let key = call.text("key").map_or(Part::Unknown, Part::Text);
        found.push(Found::from(object(call, &bucket, key)));
    }
    let entries = call.record.resources.iter();
    let listed = entries.filter_map(|entry| match (&entry.arn, &entry.arn_prefix) {
        (Some(arn), _) if is_object(arn) && params::usable(arn) => {
            Some(ResourceRef::Literal(arn.to_string()))
        }
        (None, Some(prefix)) if is_object(prefix) && params::usable(prefix) => {
            Some(ResourceRef::Pattern(format!("{}*", escape(prefix))))
        }
        _ => None,
    });
    let listed: Vec<Found> = listed
        .map(|resource| Found {
            resource,
            certainty,
        })
        .collect();
    let exact = listed.iter().any(|found| !found.resource.is_open());
    // A copy lists both of its sides.
    let copy = copy_source(call).is_some() && !bucket.is_empty() && call.has("key");
    let key = call.text("key");
    // An access point named by its alias is told by the event's list alone.
    if !of_access_point && let Some(point) = listed_access_point(call) {
        let key = key.clone().map_or(Part::Unknown, Part::Text);
        found.push(object(call, point, key).into());
    }
    if !copy && !listed.is_empty() && (exact || key.is_none()) {
        found.extend(listed);
    } else if !of_access_point {
        found.push(object(call, &bucket, key.map_or(Part::Unknown, Part::Text)).into());
    }
    found
}

/// The access point that the event lists beside bucket and object.
fn listed_access_point<'a>(call: &Call<'a>) -> Option<&'a str> {
    let entries = call.record.resources.iter();
    let mut arns = entries.filter_map(|entry| entry.arn.as_deref());
    arns.find(|arn| {
        let name = arn.splitn(6, ':').nth(5).unwrap_or_default();
        let point = name.strip_prefix("accesspoint/");
        params::usable(arn) && point.is_some_and(|point| !point.is_empty() && !point.contains('/'))
    })
}

fn buckets(call: &Call<'_>) -> Vec<Found> {
    let bucket = bucket(call).unwrap_or_default();
    let listed = listed_buckets(call);
    let mut found = Vec::new();
    if bucket.starts_with("arn:") {
        found.push(Found::from(ResourceRef::Literal(bucket.clone())));
    }
    if !listed.is_empty() {
        let certainty = (!found.is_empty()).then_some(Certainty::Possible);
        found.extend(listed.into_iter().map(|resource| Found {
            resource,
            certainty,
        }));
    } else if found.is_empty() {
        let format = "arn:${Partition}:s3:::${BucketName}";
        let fill = arns::fill(format, &call.scope, |_| Part::Text(bucket.clone()));
        found.push(fill.into());
    }
    found
}

fn listed_buckets(call: &Call<'_>) -> Vec<ResourceRef> {
    let arns = call
        .record
        .resources
        .iter()
        .filter_map(|entry| entry.arn.as_deref());
    arns.filter(|arn| params::usable(arn) && is_bucket(arn))
        .map(|arn| ResourceRef::Literal(arn.to_owned()))
        .collect()
}

fn is_bucket(arn: &str) -> bool {
    let mut fields = arn.splitn(6, ':').skip(2);
    let front = [fields.next(), fields.next(), fields.next()];
    front == [Some("s3"), Some(""), Some("")]
        && fields
            .next()
            .is_some_and(|name| !name.is_empty() && !name.contains('/'))
}

fn is_object(arn: &str) -> bool {
    let mut fields = arn.splitn(6, ':').skip(2);
    let front = [fields.next(), fields.next(), fields.next()];
    let Some(name) = fields.next() else {
        return false;
    };
    match front {
        [Some("s3"), Some(""), Some("")] => name.contains('/'),
        [Some("s3"), ..] => name.contains("/object/"),
        _ => false,
    }
}
