//! What trails there are, as `aws cloudtrail describe-trails` prints it.

use serde_json::Value;

use super::sound;
use crate::iam::Arn;

/// A trail, but for what it logs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trail {
    /// `arn:PARTITION:cloudtrail:HOME-REGION:ACCOUNT:trail/NAME`.
    pub arn: String,
    /// The account it belongs to.
    pub account: String,
    /// The Region it was made in.
    pub home_region: String,
    /// Takes the events of every Region.
    pub multi_region: bool,
    /// Takes the events of every account of the organisation.
    pub organisation: bool,
}

/// Reads one page, or an array of pages. A trail is listed in every Region that it takes events of; once
/// is enough.
pub(super) fn parse(value: &Value) -> Result<Vec<Trail>, String> {
    let pages = match value {
        Value::Array(pages) => pages.as_slice(),
        page => std::slice::from_ref(page),
    };
    let mut trails = Vec::new();
    for page in pages {
        let list = page.get("trailList").and_then(Value::as_array).ok_or(
            "expected the output of `aws cloudtrail describe-trails`: no `trailList` in it",
        )?;
        for entry in list {
            let odd = sound::odd_key(
                entry,
                &[
                    ("HomeRegion", Value::is_string),
                    ("IsMultiRegionTrail", Value::is_boolean),
                    ("IsOrganizationTrail", Value::is_boolean),
                ],
            );
            if let Some(key) = odd {
                return Err(format!("the `{key}` of a trail cannot be read"));
            }
            let trail = trail(entry).ok_or("a trail has no `TrailARN`")?;
            if !trails.contains(&trail) {
                trails.push(trail);
            }
        }
    }
    Ok(trails)
}

fn trail(entry: &Value) -> Option<Trail> {
    let arn = entry.get("TrailARN").and_then(Value::as_str)?;
    let parsed = Arn::parse(arn)?;
    let flag = |key: &str| entry.get(key).and_then(Value::as_bool).unwrap_or_default();
    Some(Trail {
        arn: arn.to_owned(),
        account: parsed.account,
        home_region: entry
            .get("HomeRegion")
            .and_then(Value::as_str)
            .map_or(parsed.region, str::to_owned),
        multi_region: flag("IsMultiRegionTrail"),
        organisation: flag("IsOrganizationTrail"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn trails_are_read_as_the_cli_prints_them() {
        let text = r#"{"trailList": [
            {"Name": "t", "S3BucketName": "logs", "IncludeGlobalServiceEvents": true, "IsMultiRegionTrail": false, "HomeRegion": "eu-west-1",
             "TrailARN": "arn:aws:cloudtrail:eu-west-1:111122223333:trail/t", "LogFileValidationEnabled": false, "HasCustomEventSelectors": true,
             "HasInsightSelectors": false, "IsOrganizationTrail": false},
            {"TrailARN": "arn:aws:cloudtrail:us-east-1:444455556666:trail/o", "HomeRegion": "us-east-1", "IsMultiRegionTrail": true, "IsOrganizationTrail": true}]}"#;
        let trails = parse(&serde_json::from_str(text).unwrap()).unwrap();
        assert_eq!(trails.len(), 2);
        assert_eq!(
            (trails[0].home_region.as_str(), trails[0].multi_region),
            ("eu-west-1", false)
        );
        assert!(trails[1].multi_region && trails[1].organisation);
        assert!(parse(&serde_json::json!({})).is_err());
    }
}
