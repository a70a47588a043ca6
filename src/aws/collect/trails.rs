//! Trails and what they select.

use aws_sdk_cloudtrail::Client;
use serde_json::Value;

use super::raw::Capture;
use crate::aws::AwsError;

/// `aws cloudtrail describe-trails`, shadows of trails of other Regions and of the organisation included.
///
/// # Errors
/// What CloudTrail refuses, with the permission that is missing.
pub async fn trails(client: &Client) -> Result<Value, AwsError> {
    let capture = Capture::default();
    client
        .describe_trails()
        .include_shadow_trails(true)
        .customize()
        .interceptor(capture.clone())
        .send()
        .await
        .map_err(|error| AwsError::of(&error).needing("cloudtrail:DescribeTrails", "*"))?;
    capture.json()
}

/// The ARN of each trail of an answer of [`trails`].
pub(super) fn places(trails: &Value) -> Vec<String> {
    let list = trails.get("trailList").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|trail| trail.get("TrailARN")?.as_str().map(str::to_owned))
        .collect()
}

/// `aws cloudtrail get-event-selectors --trail-name ARN`.
///
/// # Errors
/// What CloudTrail refuses, with the permission that is missing.
pub async fn event_selectors(client: &Client, trail: &str) -> Result<Value, AwsError> {
    let capture = Capture::default();
    client
        .get_event_selectors()
        .trail_name(trail)
        .customize()
        .interceptor(capture.clone())
        .send()
        .await
        .map_err(|error| AwsError::of(&error).needing("cloudtrail:GetEventSelectors", trail))?;
    capture.json()
}
