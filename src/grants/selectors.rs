//! What a trail is told to log, as `aws cloudtrail get-event-selectors` prints it: basic and advanced.
//!
//! Anything that filters in a way that cannot be compared with a grant (`Not…` operators, event names,
//! identities) counts as not logging: absence of events then proves nothing.

use std::collections::BTreeSet;

use serde_json::Value;

use super::sound;
use crate::iam::{Arn, pattern};

/// The selectors of one trail.
#[derive(Clone, Debug, Default)]
pub struct Selectors {
    /// The trail's ARN; empty when the file does not say.
    pub trail: String,
    /// The account the trail belongs to; empty when the file does not say.
    pub account: String,
    /// The only Region whose events the trail takes; `None` for all, or where nobody said.
    pub only_region: Option<String>,
    /// Its basic selectors as the file holds them.
    pub basic: Vec<Value>,
    /// Its advanced selectors as the file holds them.
    pub advanced: Vec<Value>,
    /// Management events, as reads logged and writes logged, each with the sources left out.
    management: Vec<ManagementSelector>,
    /// Data events.
    pub data: Vec<DataSelector>,
}

#[derive(Clone, Debug)]
struct ManagementSelector {
    read: bool,
    write: bool,
    excluded: Vec<String>,
}

/// One resource type whose data events are logged.
#[derive(Clone, Debug)]
pub struct DataSelector {
    /// `AWS::S3::Object` and the like.
    pub kind: String,
    read: bool,
    write: bool,
    /// Resource ARN patterns; empty means all resources of the type.
    resources: Vec<String>,
}

impl Selectors {
    /// Whether management events are logged, for reads or writes, of a service whose event sources
    /// (`kms.amazonaws.com`) `source_of` knows.
    #[must_use]
    pub fn logs_management(&self, read: bool, source_of: impl Fn(&str) -> bool) -> bool {
        self.management.iter().any(|selector| {
            (if read { selector.read } else { selector.write })
                && !selector.excluded.iter().any(|source| source_of(source))
        })
    }

    /// Whether the trail takes events of a Region.
    #[must_use]
    pub fn takes_region(&self, region: &str) -> bool {
        self.only_region
            .as_deref()
            .is_none_or(|only| only == region)
    }

    /// What the trail leaves out of its management events, in words; `None` where it logs them all.
    #[must_use]
    pub fn management_gaps(&self) -> Option<String> {
        let logs = |read| self.logs_management(read, |_| false);
        let excluded: BTreeSet<&str> = self
            .management
            .iter()
            .flat_map(|selector| selector.excluded.iter().map(String::as_str))
            .filter(|source| {
                let of = |other: &str| other == *source;
                !(self.logs_management(true, of) && self.logs_management(false, of))
            })
            .collect();
        match (logs(true), logs(false)) {
            (false, false) => Some("no management events".into()),
            (false, true) => Some("no management events that read".into()),
            (true, false) => Some("no management events that write".into()),
            _ if excluded.is_empty() => None,
            _ => {
                let excluded: Vec<&str> = excluded.into_iter().collect();
                Some(format!("no management events of {}", excluded.join(", ")))
            }
        }
    }

    /// Whether data events of `kind` are logged on everything that `resource` (an ARN pattern) matches.
    #[must_use]
    pub fn logs_data(&self, kind: &str, read: bool, resource: &str) -> bool {
        self.data.iter().any(|selector| {
            (selector.kind == kind || stream_of_table(kind, &selector.kind))
                && (if read { selector.read } else { selector.write })
                && (selector.resources.is_empty()
                    || selector
                        .resources
                        .iter()
                        .any(|logged| pattern::covers(logged, resource)))
        })
    }
}

/// AWS logs the stream reads of a table with the table's type unless an event name filter excludes them
/// (CloudTrail `AdvancedFieldSelector`, note on `AWS::DynamoDB::Table`).
fn stream_of_table(wanted: &str, selected: &str) -> bool {
    wanted == "AWS::DynamoDB::Stream" && selected == "AWS::DynamoDB::Table"
}

/// Reads one trail's selectors or an array of them.
pub(super) fn parse(value: &Value) -> Result<Vec<Selectors>, String> {
    let trails = match value {
        Value::Array(trails) => trails.as_slice(),
        one => std::slice::from_ref(one),
    };
    trails.iter().map(parse_trail).collect()
}

fn parse_trail(value: &Value) -> Result<Selectors, String> {
    let trail = value.get("TrailARN").and_then(Value::as_str);
    let mut selectors = Selectors {
        trail: trail.unwrap_or_default().to_owned(),
        account: trail
            .and_then(Arn::parse)
            .map(|arn| arn.account)
            .unwrap_or_default(),
        ..Selectors::default()
    };
    let basic = value.get("EventSelectors").and_then(Value::as_array);
    let advanced = value
        .get("AdvancedEventSelectors")
        .and_then(Value::as_array);
    if basic.is_none() && advanced.is_none() {
        return Err("expected the output of `aws cloudtrail get-event-selectors`: neither `EventSelectors` nor `AdvancedEventSelectors` in it".into());
    }
    selectors.basic = basic.cloned().unwrap_or_default();
    selectors.advanced = advanced.cloned().unwrap_or_default();
    for selector in basic.into_iter().flatten() {
        add_basic(&mut selectors, selector);
    }
    for selector in advanced.into_iter().flatten() {
        add_advanced(&mut selectors, selector);
    }
    Ok(selectors)
}

/// What filters and cannot be read may filter everything.
const BASIC: [sound::Fits<'static>; 4] = [
    ("ReadWriteType", |value| {
        matches!(value.as_str(), Some("All" | "ReadOnly" | "WriteOnly"))
    }),
    ("IncludeManagementEvents", Value::is_boolean),
    ("ExcludeManagementEventSources", sound::is_texts),
    ("DataResources", Value::is_array),
];

/// The operators of a field of an advanced selector.
const ADVANCED: [&str; 6] = [
    "Equals",
    "StartsWith",
    "EndsWith",
    "NotEquals",
    "NotStartsWith",
    "NotEndsWith",
];

fn add_basic(selectors: &mut Selectors, selector: &Value) {
    if !selector.is_object() || sound::odd_key(selector, &BASIC).is_some() {
        return;
    }
    let kind = selector
        .get("ReadWriteType")
        .and_then(Value::as_str)
        .unwrap_or("All");
    let (read, write) = (kind != "WriteOnly", kind != "ReadOnly");
    if selector
        .get("IncludeManagementEvents")
        .and_then(Value::as_bool)
        .unwrap_or(true)
    {
        let excluded = strings(selector.get("ExcludeManagementEventSources"));
        selectors.management.push(ManagementSelector {
            read,
            write,
            excluded,
        });
    }
    for resource in selector
        .get("DataResources")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        let Some(kind) = resource.get("Type").and_then(Value::as_str) else {
            continue;
        };
        let resources: Vec<String> = strings(resource.get("Values"))
            .iter()
            .map(|value| basic_pattern(kind, value))
            .collect();
        if !resources.is_empty() {
            // `arn:aws:s3` stands for everything of the type.
            let resources = if resources.iter().any(String::is_empty) {
                Vec::new()
            } else {
                resources
            };
            selectors.data.push(DataSelector {
                kind: kind.to_owned(),
                read,
                write,
                resources,
            });
        }
    }
}

/// A basic selector's value is an ARN, for S3 objects a prefix of one (`arn:aws:s3:::bucket/`), or
/// `arn:aws:SERVICE` for all; the last gives an empty string.
fn basic_pattern(kind: &str, value: &str) -> String {
    match (whole_type(value), kind) {
        (true, _) => String::new(),
        (_, "AWS::S3::Object") => format!("{value}*"),
        _ => value.to_owned(),
    }
}

/// Whether a basic selector's value stands for everything of its type.
pub(super) fn whole_type(value: &str) -> bool {
    value.split(':').count() <= 3
        || value.ends_with(":::")
        || value.ends_with(":function")
        || value.ends_with(":table")
}

fn add_advanced(selectors: &mut Selectors, selector: &Value) {
    let mut category = String::new();
    let (mut read, mut write) = (true, true);
    let mut excluded = Vec::new();
    let mut kinds = Vec::new();
    let mut resources = Vec::new();
    let mut comparable = true;
    for field in selector
        .get("FieldSelectors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
    {
        if ADVANCED
            .iter()
            .any(|operator| sound::odd_key(field, &[(operator, sound::is_texts)]).is_some())
        {
            comparable = false;
        }
        let equals = strings(field.get("Equals"));
        let starts = strings(field.get("StartsWith"));
        let only = |names: &[&str]| {
            field.as_object().is_some_and(|object| {
                object.iter().all(|(key, value)| {
                    key == "Field"
                        || names.contains(&key.as_str())
                        || value.as_array().is_some_and(Vec::is_empty)
                })
            })
        };
        match field
            .get("Field")
            .and_then(Value::as_str)
            .unwrap_or_default()
        {
            "eventCategory" => category = equals.first().cloned().unwrap_or_default(),
            "readOnly" if only(&["Equals"]) => {
                read = equals.iter().any(|v| v.eq_ignore_ascii_case("true"));
                write = equals.iter().any(|v| v.eq_ignore_ascii_case("false"));
            }
            "resources.type" if only(&["Equals"]) => kinds = equals,
            "resources.ARN" if only(&["Equals", "StartsWith"]) => {
                resources.extend(equals);
                resources.extend(starts.iter().map(|prefix| format!("{prefix}*")));
            }
            "eventSource" if only(&["NotEquals"]) => excluded = strings(field.get("NotEquals")),
            _ => comparable = false,
        }
    }
    if !comparable {
        return;
    }
    match category.as_str() {
        "Management" => selectors.management.push(ManagementSelector {
            read,
            write,
            excluded,
        }),
        "Data" => selectors
            .data
            .extend(kinds.into_iter().map(|kind| DataSelector {
                kind,
                read,
                write,
                resources: resources.clone(),
            })),
        _ => {}
    }
}

pub(super) fn strings(value: Option<&Value>) -> Vec<String> {
    value
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .filter_map(Value::as_str)
        .map(str::to_owned)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn selectors(text: &str) -> Selectors {
        parse(&serde_json::from_str(text).unwrap())
            .unwrap()
            .remove(0)
    }

    fn of(source: &'static str) -> impl Fn(&str) -> bool {
        move |other| other == source
    }

    #[test]
    fn basic_selectors_log_what_they_name() {
        let trail = selectors(
            r#"{"TrailARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/t","EventSelectors":[{"ReadWriteType":"WriteOnly",
            "IncludeManagementEvents":true,"ExcludeManagementEventSources":["kms.amazonaws.com"],
            "DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::logged/"]},{"Type":"AWS::DynamoDB::Table","Values":["arn:aws:dynamodb"]}]}]}"#,
        );
        assert_eq!(trail.account, "111122223333");
        assert!(trail.logs_management(false, of("ec2.amazonaws.com")));
        assert!(
            !trail.logs_management(true, of("ec2.amazonaws.com")),
            "write-only"
        );
        assert!(
            !trail.logs_management(false, of("kms.amazonaws.com")),
            "excluded"
        );
        assert!(trail.logs_data("AWS::S3::Object", false, "arn:aws:s3:::logged/*"));
        assert!(!trail.logs_data("AWS::S3::Object", false, "arn:aws:s3:::other/*"));
        assert!(
            !trail.logs_data("AWS::S3::Object", false, "*"),
            "one bucket is not all buckets"
        );
        assert!(trail.logs_data("AWS::DynamoDB::Table", false, "*"));
        assert!(
            trail.logs_data("AWS::DynamoDB::Stream", false, "*"),
            "a table's stream reads are logged with it"
        );
    }

    #[test]
    fn advanced_selectors_that_filter_by_name_prove_nothing() {
        let trail = selectors(
            r#"{"AdvancedEventSelectors":[
            {"FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"eventSource","NotEquals":["rdsdata.amazonaws.com"]}]},
            {"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::SQS::Queue"]}]},
            {"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]},{"Field":"eventName","Equals":["PutObject"]}]},
            {"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::SNS::Topic"]},{"Field":"resources.ARN","NotStartsWith":["arn:aws:sns:us-east-1"]}]}]}"#,
        );
        assert!(trail.logs_management(true, of("ec2.amazonaws.com")));
        assert!(!trail.logs_management(true, of("rdsdata.amazonaws.com")));
        assert!(trail.logs_data("AWS::SQS::Queue", true, "*"));
        assert!(!trail.logs_data("AWS::S3::Object", false, "*"));
        assert!(!trail.logs_data("AWS::SNS::Topic", false, "*"));
    }
}
