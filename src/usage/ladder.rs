//! The ladder of coarsenings that bounds memory and makes yesterday's keys into tomorrow's patterns.
//!
//! A resource has a container (bucket, log group, state machine) that stays exact and sometimes an inner
//! part (object key, log stream, execution) that changes from call to call. The rungs, each a function
//! of the one below, so that a set of resources ends on the same patterns in any order:
//!
//! 0. exact;
//! 1. volatile pieces of the inner part (dates, times, counters, uuids, hashes, random ids) become `*`;
//! 2. the inner part is cut at its first `*`, or after its first segment: a prefix;
//! 3. the container: all of the inner part is `*`.
//!
//! One (role, function, action, Region, context) keeps at most [`CAP`] resources below the last rung;
//! what is left then is the number of containers.

use super::bounded::Coarser;
use super::volatile::{self, generalize};
use crate::catalog::ResourceRef;

/// Resources of one call shape kept before the next rung is climbed.
pub const CAP: usize = 2_000;

/// A step of the ladder.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Rung {
    /// As IAM checked it.
    #[default]
    Exact,
    /// Volatile pieces as `*`.
    Volatile,
    /// The stable beginning of the inner part.
    Prefix,
    /// The container.
    Container,
}

impl Rung {
    /// The rung of a number, counted from [`Rung::Exact`]; the last for higher ones.
    #[must_use]
    pub fn of(number: u8) -> Self {
        match number {
            0 => Self::Exact,
            1 => Self::Volatile,
            2 => Self::Prefix,
            _ => Self::Container,
        }
    }

    /// The next coarser rung.
    #[must_use]
    pub fn next(self) -> Option<Self> {
        match self {
            Self::Exact => Some(Self::Volatile),
            Self::Volatile => Some(Self::Prefix),
            Self::Prefix => Some(Self::Container),
            Self::Container => None,
        }
    }
}

impl Coarser for ResourceRef {
    const TOP: u8 = Rung::Container as u8;
    const CAP: usize = CAP;

    fn on_rung(self, rung: u8) -> Self {
        climb(self, Rung::of(rung))
    }
}

/// The resource on a rung. A resource that is already coarser stays as it is.
#[must_use]
pub fn climb(resource: ResourceRef, rung: Rung) -> ResourceRef {
    let arn = match &resource {
        _ if rung == Rung::Exact => return resource,
        ResourceRef::Any => return resource,
        ResourceRef::Literal(arn) | ResourceRef::Pattern(arn) => arn,
    };
    let Some((container, inner, fixed)) = split(arn) else {
        return resource;
    };
    let literal = matches!(resource, ResourceRef::Literal(_));
    if fixed {
        // Ids of executions, streams and instances never come back.
        return ResourceRef::Pattern(format!("{container}*"));
    }
    let volatile = generalize(inner, literal);
    let inner = match rung {
        Rung::Exact | Rung::Volatile => volatile,
        Rung::Prefix => prefix(&volatile),
        Rung::Container => "*".to_owned(),
    };
    let unchanged = inner == split(arn).map_or("", |(_, inner, _)| inner);
    if literal && unchanged && !inner.contains(['*', '?', '$']) {
        return resource;
    }
    ResourceRef::Pattern(format!("{container}{inner}"))
}

/// The inner part of a resource that is known to the letter, segment by segment: as it is, and with its
/// volatile pieces as `*`; and the container with its separator. `None` where there is no inner part, or
/// one that is an id.
#[must_use]
pub fn segments(resource: &ResourceRef) -> Option<(&str, Vec<(&str, String)>)> {
    let arn = resource.as_arn()?;
    let (container, inner, fixed) = split(arn)?;
    let open = volatile::segments(inner, true);
    (!fixed).then(|| (container, inner.split('/').zip(open).collect()))
}

/// Whether a segment that never changed so far may still be a part of a date.
#[must_use]
pub fn may_be_date(segment: &str) -> bool {
    volatile::may_be_date(segment)
}

/// A text that is no resource, such as the prefix of a listing, with its volatile pieces as `*`.
#[must_use]
pub fn open_text(text: &str) -> String {
    generalize(text, true)
}

/// Neighbouring stars as one, in an inner part put together from [`segments`].
#[must_use]
pub fn joined(segments: &[&str]) -> String {
    volatile::collapse(&segments.join("/"))
}

/// A pattern with the volatile pieces of its container's name as `*`: `table/events-2026-11` as
/// `table/events-*`. `None` where nothing of the name is volatile, where no word of it would stay, and
/// for services whose resources carry ids instead of names.
#[must_use]
pub fn family(pattern: &str) -> Option<String> {
    // Not S3: names of buckets are everyone's, and a pattern would hold those of strangers.
    const NAMED: [&str; 18] = [
        "athena",
        "cloudformation",
        "codebuild",
        "dynamodb",
        "events",
        "firehose",
        "glue",
        "kinesis",
        "lambda",
        "logs",
        "rds",
        "sagemaker",
        "scheduler",
        "sns",
        "sqs",
        "ssm",
        "states",
        "transcribe",
    ];
    let start = pattern.match_indices(':').nth(4)?.0 + 1;
    let service = pattern.split(':').nth(2)?;
    if !NAMED.contains(&service) || pattern.contains("${") {
        return None;
    }
    let (head, inner) = match split(pattern) {
        Some((container, inner, _)) => (&container[..container.len()], inner),
        None => (pattern, ""),
    };
    // The type of the resource stays: `table/`, `function:`, `log-group:`.
    let types = head[start..].find(['/', ':']);
    let name = start + types.map_or(0, |at| at + 1);
    let tail = head.len() - usize::from(head.ends_with(['/', ':']) && head.len() > name);
    let open = generalize(&head[name..tail], false);
    let words = open
        .split(|c: char| !c.is_ascii_alphabetic())
        .any(|word| word.len() >= 3);
    (open != head[name..tail] && words)
        .then(|| format!("{}{open}{}{inner}", &head[..name], &head[tail..]))
}

/// Container with its separator, inner part, and whether the inner part is an id that never returns.
/// `None` where the whole resource is a container.
fn split(arn: &str) -> Option<(&str, &str, bool)> {
    let mut colons = arn.match_indices(':').map(|(at, _)| at);
    let (_, service_end) = (colons.next()?, colons.nth(1)?);
    let service = arn[..service_end].rsplit(':').next()?;
    let resource_start = colons.nth(1)? + 1;
    let resource = &arn[resource_start..];
    let cut = |at: usize, fixed: bool| {
        let at = resource_start + at;
        (at < arn.len()).then(|| (&arn[..at], &arn[at..], fixed))
    };
    let after = |prefix: &str, separator: char, count: usize, fixed: bool| {
        let rest = resource.strip_prefix(prefix)?;
        let (at, _) = rest.match_indices(separator).nth(count.checked_sub(1)?)?;
        cut(prefix.len() + at + 1, fixed)
    };
    match service {
        "s3" if resource.starts_with("accesspoint/") => {
            let at = resource.find("/object/")? + "/object/".len();
            cut(at, false)
        }
        "s3" => cut(resource.find('/')? + 1, false),
        "logs" => {
            let at = resource.find(":log-stream:")?;
            cut(at + 1, true)
        }
        "states" => after("execution:", ':', 1, true).or_else(|| after("express:", ':', 1, true)),
        "dynamodb" => resource
            .find("/stream/")
            .and_then(|at| cut(at + "/stream/".len(), true)),
        // Each deployment registers a new revision.
        "ecs" if resource.starts_with("task-definition/") => {
            after("task-definition/", ':', 1, true)
        }
        "batch" => after("job-definition/", ':', 1, true),
        "ecs" => {
            after("task/", '/', 1, true).or_else(|| after("container-instance/", '/', 1, true))
        }
        // Networks and templates are set up once and stay; instances, interfaces and volumes come and go.
        "ec2" => {
            const SET_UP: [&str; 9] = [
                "vpc",
                "subnet",
                "security-group",
                "route-table",
                "key-pair",
                "launch-template",
                "placement-group",
                "internet-gateway",
                "vpc-endpoint",
            ];
            let kind = resource.split('/').next().unwrap_or_default();
            after("", '/', 1, true)
                .filter(|(_, inner, _)| inner.contains('-') && !SET_UP.contains(&kind))
        }
        // Each publication of a function or layer is a new version.
        "lambda" => {
            let (at, _) = resource.match_indices(':').nth(1)?;
            let version = resource[at + 1..].bytes().all(|b| b.is_ascii_digit());
            version.then(|| cut(at + 1, true)).flatten()
        }
        _ => None,
    }
}

fn prefix(volatile: &str) -> String {
    let end = volatile
        .find('*')
        .or_else(|| volatile.find('/').map(|at| at + 1))
        .unwrap_or(volatile.len());
    if end == volatile.len() {
        volatile.to_owned()
    } else {
        format!("{}*", &volatile[..end])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn on(rung: Rung, arn: &str) -> String {
        match climb(ResourceRef::Literal(arn.to_owned()), rung) {
            ResourceRef::Literal(arn) => format!("={arn}"),
            ResourceRef::Pattern(pattern) => pattern,
            ResourceRef::Any => "*".into(),
        }
    }

    #[test]
    fn object_keys_lose_what_changes_and_keep_what_stays() {
        for (key, expected) in [
            (
                "receipts/2026/11/14/order-48213.json",
                "receipts/*/order-*.json",
            ),
            (
                "incoming/8f14e45f-ceea-467f-9b1c-2f1f2b7a1c11/order.json",
                "incoming/*/order.json",
            ),
            (
                "dt=2026-11-22/hour=07/part-00000.parquet",
                "dt=*/hour=*/part-*.parquet",
            ),
            ("reports/20261114T190500Z.csv", "reports/*.csv"),
            ("uploads/01ARZ3NDEKTSV4RRFFQ69G5FAV", "uploads/*"),
            ("users/alice/avatar.png", "=users/alice/avatar.png"),
            ("config/settings.json", "=config/settings.json"),
            (
                "models/bert-base/weights.bin",
                "=models/bert-base/weights.bin",
            ),
            (
                "thumbs/d41d8cd98f00b204e9800998ecf8427e.jpg",
                "thumbs/*.jpg",
            ),
            ("odd/*/name", "odd/*/name"),
            ("odd/${aws:username}/x", "odd/*/x"),
        ] {
            let expected = match expected.strip_prefix('=') {
                Some(key) => format!("=arn:aws:s3:::bucket/{key}"),
                None => format!("arn:aws:s3:::bucket/{expected}"),
            };
            assert_eq!(
                on(Rung::Volatile, &format!("arn:aws:s3:::bucket/{key}")),
                expected,
                "{key}"
            );
        }
    }

    #[test]
    fn containers_stay_exact_and_ids_that_never_return_become_a_star() {
        for (arn, expected) in [
            ("arn:aws:s3:::bucket-2026", "=arn:aws:s3:::bucket-2026"),
            (
                "arn:aws:sqs:us-east-1:111122223333:queue-1",
                "=arn:aws:sqs:us-east-1:111122223333:queue-1",
            ),
            (
                "arn:aws:states:us-east-1:111122223333:execution:Machine:0a1b2c3d",
                "arn:aws:states:us-east-1:111122223333:execution:Machine:*",
            ),
            (
                "arn:aws:ec2:us-east-1:111122223333:subnet/subnet-0abc",
                "=arn:aws:ec2:us-east-1:111122223333:subnet/subnet-0abc",
            ),
            (
                "arn:aws:ec2:us-east-1:111122223333:network-interface/eni-0abc",
                "arn:aws:ec2:us-east-1:111122223333:network-interface/*",
            ),
            (
                "arn:aws:s3:us-east-1:111122223333:accesspoint/ap1/object/in/2026/11/22/a.csv",
                "arn:aws:s3:us-east-1:111122223333:accesspoint/ap1/object/in/*/a.csv",
            ),
            (
                "arn:aws:ecs:us-east-1:111122223333:task/jobs/0123456789abcdef0123456789abcdef",
                "arn:aws:ecs:us-east-1:111122223333:task/jobs/*",
            ),
            (
                "arn:aws:secretsmanager:us-east-1:111122223333:secret:db/orders-Ab1Cd2",
                "=arn:aws:secretsmanager:us-east-1:111122223333:secret:db/orders-Ab1Cd2",
            ),
            (
                "arn:aws:states:us-east-1:111122223333:execution:nightly:9f14e45f-ceea-467f-9b1c-2f1f2b7a1c11",
                "arn:aws:states:us-east-1:111122223333:execution:nightly:*",
            ),
            (
                "arn:aws:logs:us-east-1:111122223333:log-group:/app:log-stream:2026/11/22/x",
                "arn:aws:logs:us-east-1:111122223333:log-group:/app:*",
            ),
            (
                "arn:aws:ec2:us-east-1:111122223333:instance/i-0abc",
                "arn:aws:ec2:us-east-1:111122223333:instance/*",
            ),
            (
                "arn:aws:lambda:us-east-1:111122223333:function:other:12",
                "arn:aws:lambda:us-east-1:111122223333:function:other:*",
            ),
            (
                "arn:aws:lambda:us-east-1:111122223333:function:other:live",
                "=arn:aws:lambda:us-east-1:111122223333:function:other:live",
            ),
            (
                "arn:aws:dynamodb:us-east-1:1:table/T/stream/2026",
                "arn:aws:dynamodb:us-east-1:1:table/T/stream/*",
            ),
            (
                "arn:aws:dynamodb:us-east-1:1:table/T/index/by-2026",
                "=arn:aws:dynamodb:us-east-1:1:table/T/index/by-2026",
            ),
        ] {
            assert_eq!(on(Rung::Volatile, arn), expected, "{arn}");
        }
    }

    #[test]
    fn names_of_containers_show_their_family() {
        for (arn, expected) in [
            (
                "arn:aws:dynamodb:eu-west-1:1:table/events-2026-11",
                Some("arn:aws:dynamodb:eu-west-1:1:table/events-*"),
            ),
            (
                "arn:aws:lambda:eu-west-1:1:function:stack-Worker-1A2B3C4D5E6F",
                Some("arn:aws:lambda:eu-west-1:1:function:stack-Worker-*"),
            ),
            (
                "arn:aws:rds:eu-west-1:1:snapshot:snap-2026-08-01",
                Some("arn:aws:rds:eu-west-1:1:snapshot:snap-*"),
            ),
            (
                "arn:aws:sagemaker:eu-west-1:1:training-job/train-20260801-000000",
                Some("arn:aws:sagemaker:eu-west-1:1:training-job/train-*"),
            ),
            ("arn:aws:s3:::data-20261122/in/*.csv", None),
            ("arn:aws:sqs:eu-west-1:1:orders", None),
            ("arn:aws:sqs:eu-west-1:1:20261122", None),
            (
                "arn:aws:kms:eu-west-1:1:key/8f14e45f-ceea-467f-9b1c-2f1f2b7a1c11",
                None,
            ),
        ] {
            assert_eq!(family(arn).as_deref(), expected, "{arn}");
        }
    }

    #[test]
    fn each_rung_is_a_function_of_the_one_below() {
        let mut climbed = 0;
        for key in [
            "a/2026/x.json",
            "a/b/c",
            "file",
            "2026-11-14",
            "a/",
            "x//y/9",
            "k=v/é/8",
        ] {
            let exact = ResourceRef::Literal(format!("arn:aws:s3:::bucket/{key}"));
            let volatile = climb(exact.clone(), Rung::Volatile);
            let prefix = climb(exact.clone(), Rung::Prefix);
            let container = climb(exact.clone(), Rung::Container);
            assert_eq!(climb(volatile.clone(), Rung::Volatile), volatile, "{key}");
            assert_eq!(climb(volatile.clone(), Rung::Prefix), prefix, "{key}");
            assert_eq!(climb(prefix.clone(), Rung::Container), container, "{key}");
            climbed += usize::from(volatile != exact);
        }
        assert!(climbed >= 4);
    }
}
