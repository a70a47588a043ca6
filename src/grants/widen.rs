//! The selectors that a trail would need to show more, nothing of what it logs today lost.
//!
//! `put-event-selectors` replaces all selectors of a trail, and advanced ones replace basic ones, so the
//! new list holds the old selection, said in advanced selectors. (AWS: CloudTrail user guide, "Logging
//! data events", and the API's `AdvancedFieldSelector`.)

use serde_json::{Value, json};

use super::selectors::{Selectors, strings, whole_type};

impl Selectors {
    /// Advanced selectors that log what the trail logs today, all data events of `kinds`, and with
    /// `management` all management events too. An array, as `--advanced-event-selectors` takes it.
    #[must_use]
    pub fn widened(&self, kinds: &[&str], management: bool) -> Value {
        let mut out: Vec<Value> = if self.advanced.is_empty() {
            self.basic.iter().flat_map(as_advanced).collect()
        } else {
            self.advanced.clone()
        };
        if management {
            out.retain(|selector| !is_management(selector));
            out.insert(
                0,
                named(
                    "Management events",
                    &[field("eventCategory", "Equals", &["Management"])],
                ),
            );
        }
        for kind in kinds {
            let fields = [
                field("eventCategory", "Equals", &["Data"]),
                field("resources.type", "Equals", &[kind]),
            ];
            out.push(named(&format!("All {kind} data events"), &fields));
        }
        Value::Array(out)
    }
}

fn is_management(selector: &Value) -> bool {
    selector
        .get("FieldSelectors")
        .and_then(Value::as_array)
        .into_iter()
        .flatten()
        .any(|field| {
            field.get("Field").and_then(Value::as_str) == Some("eventCategory")
                && strings(field.get("Equals"))
                    .iter()
                    .any(|c| c == "Management")
        })
}

fn field(name: &str, operator: &str, values: &[&str]) -> Value {
    json!({"Field": name, operator: values})
}

fn named(name: &str, fields: &[Value]) -> Value {
    json!({"Name": name, "FieldSelectors": fields})
}

/// A basic selector in the words of advanced ones.
fn as_advanced(selector: &Value) -> Vec<Value> {
    let direction = match selector.get("ReadWriteType").and_then(Value::as_str) {
        Some("ReadOnly") => Some(field("readOnly", "Equals", &["true"])),
        Some("WriteOnly") => Some(field("readOnly", "Equals", &["false"])),
        _ => None,
    };
    let mut out = Vec::new();
    let management = selector
        .get("IncludeManagementEvents")
        .and_then(Value::as_bool)
        .unwrap_or(true);
    if management {
        let mut fields = vec![field("eventCategory", "Equals", &["Management"])];
        fields.extend(direction.clone());
        let excluded = strings(selector.get("ExcludeManagementEventSources"));
        if !excluded.is_empty() {
            fields.push(json!({"Field": "eventSource", "NotEquals": excluded}));
        }
        out.push(named("Management events", &fields));
    }
    let data = selector.get("DataResources").and_then(Value::as_array);
    for resource in data.into_iter().flatten() {
        let Some(kind) = resource.get("Type").and_then(Value::as_str) else {
            continue;
        };
        let values = strings(resource.get("Values"));
        if values.is_empty() {
            continue;
        }
        let mut fields = vec![
            field("eventCategory", "Equals", &["Data"]),
            field("resources.type", "Equals", &[kind]),
        ];
        fields.extend(direction.clone());
        if !values.iter().any(|value| whole_type(value)) {
            // An S3 value is a prefix of object ARNs, any other is an ARN.
            let operator = if kind == "AWS::S3::Object" {
                "StartsWith"
            } else {
                "Equals"
            };
            fields.push(json!({"Field": "resources.ARN", operator: values}));
        }
        out.push(named(&format!("{kind} data events"), &fields));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::selectors::parse;
    use super::*;

    fn trail(text: &str) -> Selectors {
        parse(&serde_json::from_str(text).unwrap())
            .unwrap()
            .remove(0)
    }

    /// The new selectors, read as a trail's.
    fn after(before: &Selectors, kinds: &[&str], management: bool) -> Selectors {
        let new = before.widened(kinds, management);
        parse(&json!({"TrailARN": before.trail, "AdvancedEventSelectors": new}))
            .unwrap()
            .remove(0)
    }

    /// What a trail logs of a few things that the cases below differ in.
    fn logs(trail: &Selectors) -> Vec<String> {
        let mut out = Vec::new();
        for read in [true, false] {
            for source in ["ec2.amazonaws.com", "kms.amazonaws.com"] {
                if trail.logs_management(read, |of| of == source) {
                    out.push(format!("{source} {read}"));
                }
            }
            for (kind, arn) in [
                ("AWS::S3::Object", "arn:aws:s3:::kept/a/*"),
                ("AWS::S3::Object", "*"),
                ("AWS::DynamoDB::Table", "*"),
                (
                    "AWS::Lambda::Function",
                    "arn:aws:lambda:us-east-1:111122223333:function:f",
                ),
                ("AWS::SQS::Queue", "*"),
            ] {
                if trail.logs_data(kind, read, arn) {
                    out.push(format!("{kind} {arn} {read}"));
                }
            }
        }
        out
    }

    #[test]
    fn nothing_that_is_logged_today_is_lost() {
        let basic = r#"{"TrailARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/t","EventSelectors":[
            {"ReadWriteType":"WriteOnly","IncludeManagementEvents":true,"ExcludeManagementEventSources":["kms.amazonaws.com"],
             "DataResources":[{"Type":"AWS::S3::Object","Values":["arn:aws:s3:::kept/"]},{"Type":"AWS::Lambda::Function","Values":["arn:aws:lambda:us-east-1:111122223333:function:f"]}]},
            {"ReadWriteType":"All","IncludeManagementEvents":false,"DataResources":[{"Type":"AWS::DynamoDB::Table","Values":["arn:aws:dynamodb"]}]}]}"#;
        let advanced = r#"{"TrailARN":"arn:aws:cloudtrail:us-east-1:111122223333:trail/t","AdvancedEventSelectors":[
            {"Name":"m","FieldSelectors":[{"Field":"eventCategory","Equals":["Management"]},{"Field":"readOnly","Equals":["false"]}]},
            {"FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]},{"Field":"resources.ARN","StartsWith":["arn:aws:s3:::kept/"]}]}]}"#;
        for text in [basic, advanced] {
            let before = trail(text);
            let kept = logs(&before);
            assert!(kept.len() >= 3, "{kept:?}");
            assert_eq!(
                logs(&after(&before, &[], false)),
                kept,
                "the same, said anew"
            );
            let wider = logs(&after(&before, &["AWS::SQS::Queue"], true));
            assert!(kept.iter().all(|of| wider.contains(of)), "{wider:?}");
            for new in [
                "AWS::SQS::Queue * true",
                "AWS::SQS::Queue * false",
                "kms.amazonaws.com true",
                "ec2.amazonaws.com true",
            ] {
                assert!(wider.iter().any(|of| of == new), "{new} in {wider:?}");
            }
            assert!(
                !wider.contains(&"AWS::S3::Object * true".to_owned()),
                "no more than was asked for"
            );
        }
    }

    #[test]
    fn selectors_of_other_kinds_stay_word_for_word() {
        let text = r#"{"AdvancedEventSelectors":[
            {"Name":"no deletes","FieldSelectors":[{"Field":"eventCategory","Equals":["Data"]},{"Field":"resources.type","Equals":["AWS::S3::Object"]},{"Field":"eventName","NotEquals":["DeleteObject"]}]},
            {"Name":"endpoint","FieldSelectors":[{"Field":"eventCategory","Equals":["NetworkActivity"]},{"Field":"eventSource","Equals":["kms.amazonaws.com"]}]}]}"#;
        let before = trail(text);
        let new = before.widened(&["AWS::SNS::Topic"], false);
        assert_eq!(new[0], before.advanced[0]);
        assert_eq!(new[1], before.advanced[1]);
        assert_eq!(new.as_array().unwrap().len(), 3);
    }
}
