//! Which features of a function's configuration make Lambda itself use the role, and on what.

use std::collections::BTreeMap;

use super::Inputs;
use crate::grants::{EventSourceMapping, Function};
use crate::iam::Arn;

pub(super) type Values = BTreeMap<String, String>;

/// The names that every template may ask for, and `more`.
pub(super) fn values(
    partition: &str,
    region: &str,
    account: &str,
    function: &str,
    more: &[(&str, &str)],
) -> Values {
    [
        ("partition", partition),
        ("region", region),
        ("account", account),
        ("function", function),
    ]
    .iter()
    .chain(more)
    .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()))
    .collect()
}

/// The features of one function, each with the names its templates need.
pub(super) fn features(inputs: Inputs<'_>, function: &Function) -> Vec<(&'static str, Values)> {
    let Some(arn) = Arn::parse(&function.arn) else {
        return Vec::new();
    };
    let with = |more: &[(&str, &str)]| {
        values(
            &arn.partition,
            &arn.region,
            &arn.account,
            &function.name,
            more,
        )
    };
    let mut out = vec![("logging", with(&[("log_group", &function.log_group)]))];
    if function.vpc {
        out.push(("vpc", with(&[])));
    }
    if function.tracing {
        out.push(("xray", with(&[])));
    }
    if function
        .layers
        .iter()
        .any(|layer| layer.contains(":layer:LambdaInsightsExtension"))
    {
        out.push(("insights", with(&[])));
    }
    if function
        .layers
        .iter()
        .any(|layer| layer.contains(":layer:AWSOpenTelemetryDistro"))
    {
        out.push(("app-signals", with(&[])));
    }
    if function.durable {
        out.push(("durable", with(&[("function", &function.arn)])));
    }
    for access_point in &function.file_systems {
        // IAM checks the file system; the configuration names an access point of it.
        let base = access_point
            .split(":access-point/")
            .next()
            .unwrap_or_default();
        out.push((
            "efs",
            with(&[("file_system", &format!("{base}:file-system/*"))]),
        ));
    }
    if let Some(target) = &function.dead_letter {
        let feature = if service(target) == "sns" {
            "dead-letter-sns"
        } else {
            "dead-letter-sqs"
        };
        out.push((feature, with(&targets(target))));
    }
    if let Some(key) = &function.kms_key {
        out.push(("kms-env", with(&[("key", key)])));
    }
    for target in destinations(inputs, function) {
        let feature = match service(target) {
            "sqs" => "destination-sqs",
            "sns" => "destination-sns",
            "lambda" => "destination-lambda",
            "events" => "destination-events",
            "s3" => "destination-s3",
            _ => continue,
        };
        out.push((feature, with(&targets(target))));
    }
    for mapping in mappings(inputs, function) {
        for (feature, names) in polled(mapping) {
            let log_group = ("log_group", function.log_group.as_str());
            let names: Vec<(&str, &str)> = names
                .iter()
                .map(|(name, value)| (*name, value.as_str()))
                .chain([log_group])
                .collect();
            out.push((feature, with(&names)));
        }
    }
    out
}

fn is_of(function: &Function, arn: &str) -> bool {
    arn == function.arn
        || arn
            .strip_prefix(&function.arn)
            .is_some_and(|rest| rest.starts_with(':'))
}

fn mappings<'a>(
    inputs: Inputs<'a>,
    function: &'a Function,
) -> impl Iterator<Item = &'a EventSourceMapping> {
    let all = inputs.snapshot.mappings.iter();
    all.filter(|mapping| is_of(function, &mapping.function_arn))
}

/// Where Lambda sends records of invocations, asynchronous ones and those of event sources.
fn destinations<'a>(inputs: Inputs<'a>, function: &'a Function) -> Vec<&'a String> {
    let invokes = inputs
        .snapshot
        .invokes
        .iter()
        .filter(|config| is_of(function, &config.function_arn))
        .flat_map(|config| config.destinations.iter());
    invokes
        .chain(mappings(inputs, function).filter_map(|mapping| mapping.on_failure.as_ref()))
        .collect()
}

type Names = Vec<(&'static str, String)>;

/// What polling one event source needs, each feature with the names that the mapping gives.
fn polled(mapping: &EventSourceMapping) -> Vec<(&'static str, Names)> {
    let source = mapping.event_source_arn.as_deref();
    let feature = match source.map(service) {
        Some("sqs") => "sqs",
        Some("kinesis") => "kinesis",
        Some("dynamodb") => "dynamodb-stream",
        Some("kafka") => "msk",
        Some("mq") => "mq",
        Some("rds") => "documentdb",
        None if mapping.self_managed => "self-managed-kafka",
        _ => return Vec::new(),
    };
    let mut names: Names = Vec::new();
    if let Some(source) = source {
        // Enhanced fan-out names a consumer of the stream.
        let (stream, consumer) = match source.split_once("/consumer/") {
            Some((stream, _)) => (stream, Some(source)),
            None => (source, None),
        };
        names.extend(consumer.map(|consumer| ("consumer", consumer.to_owned())));
        names.extend(
            ["queue", "stream", "cluster", "broker", "db_cluster"]
                .map(|name| (name, stream.to_owned())),
        );
        if let Some(group) = &mapping.consumer_group {
            let group = format!("{}/{group}", source.replacen(":cluster/", ":group/", 1));
            names.push(("group", group));
        }
    }
    let topic = |name: &str| {
        let source = source.unwrap_or_default();
        format!("{}/{name}", source.replacen(":cluster/", ":topic/", 1))
    };
    let mut out = Vec::new();
    let topics = mapping.topics.iter().filter(|_| feature == "msk");
    for name in topics {
        out.push((feature, with_name(&names, "topic", topic(name))));
    }
    // The secret is in the feature of a broker or database, and beside that of Kafka.
    let of = match feature {
        "mq" | "documentdb" => feature,
        _ => "kafka-secret",
    };
    for secret in &mapping.secrets {
        out.push((of, with_name(&names, "secret", secret.clone())));
    }
    if !out.iter().any(|(of, _)| *of == feature) {
        out.push((feature, names.clone()));
    }
    if mapping.vpc && feature == "self-managed-kafka" {
        out.push(("self-managed-kafka-vpc", names.clone()));
    }
    let kafka = mapping
        .on_failure
        .as_deref()
        .and_then(|to| to.strip_prefix("kafka://"));
    if let Some(name) = kafka {
        out.push(("destination-kafka", with_name(&names, "topic", topic(name))));
    }
    out
}

fn with_name(names: &Names, name: &'static str, value: String) -> Names {
    let mut names = names.clone();
    names.push((name, value));
    names
}

/// A target under every name the templates have for one.
fn targets(target: &str) -> [(&'static str, &str); 5] {
    ["queue", "topic", "function", "bus", "bucket"].map(|name| (name, target))
}

fn service(arn: &str) -> &str {
    arn.split(':').nth(2).unwrap_or_default()
}
