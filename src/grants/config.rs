//! Lambda's own description of functions, as `aws lambda list-functions`, `list-event-source-mappings`
//! and `list-function-event-invoke-configs` print it.

use serde::Deserialize;
use serde_json::Value;

use super::sound::Fits;

/// One function's configuration: what of it makes Lambda itself use the execution role.
#[derive(Clone, Debug)]
pub struct Function {
    /// `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME`, without a qualifier.
    pub arn: String,
    /// The name.
    pub name: String,
    /// The execution role's ARN.
    pub role: String,
    /// The log group, `/aws/lambda/NAME` unless configured.
    pub log_group: String,
    /// Attached to a VPC.
    pub vpc: bool,
    /// The dead letter queue or topic.
    pub dead_letter: Option<String>,
    /// X-Ray active tracing.
    pub tracing: bool,
    /// Access point ARNs of mounted EFS file systems.
    pub file_systems: Vec<String>,
    /// Layer version ARNs.
    pub layers: Vec<String>,
    /// Values of the environment variables, where the snapshot holds them: they name resources.
    pub environment: Vec<String>,
    /// The customer key that encrypts its environment.
    pub kms_key: Option<String>,
    /// A durable function.
    pub durable: bool,
}

/// An event source that Lambda polls with the execution role.
#[derive(Clone, Debug)]
pub struct EventSourceMapping {
    /// The function's ARN, possibly with a qualifier.
    pub function_arn: String,
    /// The queue, stream, cluster or broker; absent for self-managed Kafka.
    pub event_source_arn: Option<String>,
    /// Self-managed Apache Kafka.
    pub self_managed: bool,
    /// Where records go that could not be processed.
    pub on_failure: Option<String>,
    /// Secrets that authenticate to the source.
    pub secrets: Vec<String>,
    /// Lambda reaches the source through subnets of a VPC.
    pub vpc: bool,
    /// Kafka topics that are read.
    pub topics: Vec<String>,
    /// The Kafka consumer group, where it is named.
    pub consumer_group: Option<String>,
}

/// Destinations of asynchronous invocations.
#[derive(Clone, Debug)]
pub struct InvokeConfig {
    /// The function's ARN, possibly with a qualifier.
    pub function_arn: String,
    /// Destinations on success and on failure.
    pub destinations: Vec<String>,
}

fn text(value: &Value, path: &[&str]) -> Option<String> {
    let mut at = value;
    for key in path {
        at = at.get(key)?;
    }
    at.as_str().filter(|s| !s.is_empty()).map(str::to_owned)
}

fn list<'a>(value: &'a Value, key: &str) -> &'a [Value] {
    value
        .get(key)
        .and_then(Value::as_array)
        .map_or(&[], Vec::as_slice)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Lists {
    functions: Option<Vec<Value>>,
    event_source_mappings: Option<Vec<Value>>,
    function_event_invoke_configs: Option<Vec<Value>>,
}

/// What one configuration file held.
#[derive(Default)]
pub(super) struct Config {
    pub(super) functions: Vec<Function>,
    pub(super) mappings: Vec<EventSourceMapping>,
    pub(super) invokes: Vec<InvokeConfig>,
    /// Entries that could not be read.
    pub(super) bad: usize,
    /// A place in an entry that holds something else than it should.
    pub(super) odd: Option<&'static str>,
}

/// What is read of a function, as JSON pointers, and what the AWS CLI prints there. Something else there may
/// have been a need.
const FUNCTION: [Fits<'static>; 14] = [
    ("/VpcConfig", Value::is_object),
    ("/VpcConfig/SubnetIds", Value::is_array),
    ("/VpcConfig/VpcId", Value::is_string),
    ("/DeadLetterConfig", Value::is_object),
    ("/DeadLetterConfig/TargetArn", Value::is_string),
    ("/TracingConfig", Value::is_object),
    ("/TracingConfig/Mode", Value::is_string),
    ("/LoggingConfig", Value::is_object),
    ("/LoggingConfig/LogGroup", Value::is_string),
    ("/FileSystemConfigs", Value::is_array),
    ("/Layers", Value::is_array),
    ("/Environment", Value::is_object),
    ("/Environment/Variables", Value::is_object),
    ("/KMSKeyArn", Value::is_string),
];
/// The same of an event source mapping.
const MAPPING: [Fits<'static>; 6] = [
    ("/EventSourceArn", Value::is_string),
    ("/DestinationConfig", Value::is_object),
    ("/DestinationConfig/OnFailure", Value::is_object),
    ("/DestinationConfig/OnFailure/Destination", Value::is_string),
    ("/SourceAccessConfigurations", Value::is_array),
    ("/Topics", Value::is_array),
];
/// The same of the destinations of asynchronous invocations.
const INVOKE: [Fits<'static>; 5] = [
    ("/DestinationConfig", Value::is_object),
    ("/DestinationConfig/OnSuccess", Value::is_object),
    ("/DestinationConfig/OnSuccess/Destination", Value::is_string),
    ("/DestinationConfig/OnFailure", Value::is_object),
    ("/DestinationConfig/OnFailure/Destination", Value::is_string),
];

fn odd(value: &Value, shape: &[Fits<'static>]) -> Option<&'static str> {
    let odd = |(path, fits): &&Fits<'static>| {
        let found = value.pointer(path);
        found.is_some_and(|found| !found.is_null() && !fits(found))
    };
    shape.iter().find(odd).map(|(path, _)| *path)
}

/// Reads any of the three lists; a file that holds none of them is an error.
pub(super) fn parse(value: Value) -> Result<Config, String> {
    let pages = match value {
        Value::Array(pages) => pages,
        page => vec![page],
    };
    let mut config = Config::default();
    for page in pages {
        let lists: Lists = serde_json::from_value(page).map_err(|e| e.to_string())?;
        if lists.functions.is_none()
            && lists.event_source_mappings.is_none()
            && lists.function_event_invoke_configs.is_none()
        {
            return Err(
                "none of `Functions`, `EventSourceMappings`, `FunctionEventInvokeConfigs` is in it"
                    .into(),
            );
        }
        for (list, shape) in [
            (&lists.functions, &FUNCTION[..]),
            (&lists.event_source_mappings, &MAPPING),
            (&lists.function_event_invoke_configs, &INVOKE),
        ] {
            let odd = list.iter().flatten().find_map(|value| odd(value, shape));
            config.odd = config.odd.or(odd);
        }
        for value in lists.functions.unwrap_or_default() {
            match function(&value) {
                Some(function) => config.functions.push(function),
                None => config.bad += 1,
            }
        }
        for value in lists.event_source_mappings.unwrap_or_default() {
            match mapping(&value) {
                Some(mapping) => config.mappings.push(mapping),
                None => config.bad += 1,
            }
        }
        for value in lists.function_event_invoke_configs.unwrap_or_default() {
            match text(&value, &["FunctionArn"]) {
                Some(function_arn) => config.invokes.push(InvokeConfig {
                    function_arn,
                    destinations: ["OnSuccess", "OnFailure"]
                        .iter()
                        .filter_map(|on| text(&value, &["DestinationConfig", on, "Destination"]))
                        .collect(),
                }),
                None => config.bad += 1,
            }
        }
    }
    Ok(config)
}

/// `list-functions --function-version ALL` prints ARNs of versions.
fn unqualified(arn: &str) -> String {
    arn.splitn(8, ':').take(7).collect::<Vec<_>>().join(":")
}

fn function(value: &Value) -> Option<Function> {
    let name = text(value, &["FunctionName"])?;
    let environment = value
        .get("Environment")
        .and_then(|e| e.get("Variables"))
        .and_then(Value::as_object)
        .map(|variables| {
            variables
                .values()
                .filter_map(Value::as_str)
                .map(str::to_owned)
                .collect()
        })
        .unwrap_or_default();
    Some(Function {
        arn: unqualified(&text(value, &["FunctionArn"])?),
        role: text(value, &["Role"])?,
        log_group: text(value, &["LoggingConfig", "LogGroup"])
            .unwrap_or_else(|| format!("/aws/lambda/{name}")),
        vpc: !list(value.get("VpcConfig").unwrap_or(&Value::Null), "SubnetIds").is_empty()
            || text(value, &["VpcConfig", "VpcId"]).is_some(),
        dead_letter: text(value, &["DeadLetterConfig", "TargetArn"]),
        tracing: text(value, &["TracingConfig", "Mode"]).as_deref() == Some("Active"),
        file_systems: list(value, "FileSystemConfigs")
            .iter()
            .filter_map(|fs| text(fs, &["Arn"]))
            .collect(),
        layers: list(value, "Layers")
            .iter()
            .filter_map(|layer| text(layer, &["Arn"]))
            .collect(),
        environment,
        kms_key: text(value, &["KMSKeyArn"]),
        durable: value
            .get("DurableConfig")
            .is_some_and(|durable| !durable.is_null()),
        name,
    })
}

fn mapping(value: &Value) -> Option<EventSourceMapping> {
    let secrets = list(value, "SourceAccessConfigurations")
        .iter()
        .filter(|access| {
            text(access, &["Type"]).is_some_and(|kind| {
                !matches!(
                    kind.as_str(),
                    "VPC_SUBNET" | "VPC_SECURITY_GROUP" | "VIRTUAL_HOST"
                )
            })
        })
        .filter_map(|access| text(access, &["URI"]))
        .collect();
    Some(EventSourceMapping {
        function_arn: text(value, &["FunctionArn"])?,
        event_source_arn: text(value, &["EventSourceArn"]),
        self_managed: value
            .get("SelfManagedEventSource")
            .is_some_and(Value::is_object),
        on_failure: text(value, &["DestinationConfig", "OnFailure", "Destination"]),
        secrets,
        vpc: list(value, "SourceAccessConfigurations")
            .iter()
            .any(|access| text(access, &["Type"]).as_deref() == Some("VPC_SUBNET")),
        topics: list(value, "Topics")
            .iter()
            .filter_map(Value::as_str)
            .map(str::to_owned)
            .collect(),
        consumer_group: [
            "AmazonManagedKafkaEventSourceConfig",
            "SelfManagedKafkaEventSourceConfig",
        ]
        .iter()
        .find_map(|of| text(value, &[of, "ConsumerGroupId"])),
    })
}
