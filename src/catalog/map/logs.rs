//! CloudWatch Logs: groups and streams. IAM checks group calls on `log-group:G:log-stream:` (an empty
//! stream), which only `log-group:G:*` matches; tagging calls alone go without.
//! (CloudWatch Logs user guide, "resources and operations"; the texts of its denials.)

use super::Call;
use super::arns::{self, Part};
use super::resolve::Found;
use super::resource::{ResourceRef, escape};
use crate::catalog::ActionFacts;

const GROUP: &str = "arn:${Partition}:logs:${Region}:${Account}:log-group:${LogGroupName}";

/// Groups and streams; `None` for other types of the service.
pub(super) fn resources(call: &Call<'_>, facts: &ActionFacts) -> Option<Vec<Found>> {
    let takes = |name: &str| facts.resource_types.iter().any(|kind| kind.name == name);
    let on_stream = takes("log-stream");
    if !on_stream && !takes("log-group") {
        return None;
    }
    let groups = groups(call);
    if groups.is_empty() && facts.resource_types.len() > 1 {
        return None;
    }
    let groups = if groups.is_empty() {
        vec![Part::Glob("*".to_owned())]
    } else {
        groups
    };
    let stream = call.text("logStreamName");
    let name = facts.action.name();
    let mut found = Vec::new();
    for group in groups {
        let arn = match &group {
            Part::Text(arn) if arn.starts_with("arn:") => ResourceRef::Literal(arn.clone()),
            _ => arns::fill(GROUP, &call.scope, |_| group.clone()),
        };
        let bare = |arn: &ResourceRef| arn.pattern();
        match (&stream, &arn) {
            (Some(stream), ResourceRef::Literal(arn)) if on_stream => {
                found.push(ResourceRef::Literal(format!("{arn}:log-stream:{stream}")).into());
            }
            (Some(stream), arn) if on_stream => {
                let pattern = format!("{}:log-stream:{}", bare(arn), escape(stream));
                found.push(ResourceRef::Pattern(pattern).into());
            }
            (None, arn) if on_stream => {
                let pattern = format!("{}:log-stream:*", bare(arn));
                found.push(ResourceRef::Pattern(pattern).into());
            }
            (_, arn) if name.to_ascii_lowercase().contains("tag") => found.push(arn.clone().into()),
            (_, arn) => {
                let open = bare(arn);
                let pattern = if open.ends_with('*') {
                    open
                } else {
                    format!("{open}:*")
                };
                found.push(ResourceRef::Pattern(pattern).into());
            }
        }
    }
    // A subscription to another account's stream goes through a destination, which is asked too.
    if takes("destination")
        && let Some(arn) = call
            .text("destinationArn")
            .filter(|arn| arn.contains(":destination:"))
    {
        found.push(ResourceRef::Literal(arn).into());
    }
    Some(found)
}

/// Group names and ARNs; an ARN loses its trailing `:*`.
fn groups(call: &Call<'_>) -> Vec<Part> {
    const PATHS: [&str; 7] = [
        "logGroupName",
        "logGroupIdentifier",
        "logGroupNames",
        "logGroupIdentifiers",
        "logGroupArn",
        "logGroupArnList",
        "resourceArn",
    ];
    let named = PATHS
        .iter()
        .map(|path| call.texts(path))
        .find(|texts| !texts.is_empty());
    let mut groups: Vec<String> = named.unwrap_or_default();
    groups.retain(|group| !group.starts_with("arn:") || group.contains(":log-group:"));
    groups
        .into_iter()
        .map(|group| Part::Text(group.strip_suffix(":*").unwrap_or(&group).to_owned()))
        .collect()
}
