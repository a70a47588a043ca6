//! Requests that never are events of their own: the role that a call passes, the tags given at creation.

use serde_json::Value;

use super::resolve::{self, Found};
use super::resource::ResourceRef;
use super::{Call, CallRequest, Certainty, params, tables};
use crate::catalog::{AccessLevel, ActionFacts};

/// Calls that only look do not pass roles nor set tags.
fn changes(facts: &ActionFacts) -> bool {
    !matches!(
        facts.access,
        AccessLevel::List | AccessLevel::Read | AccessLevel::Tagging
    )
}

/// `iam:PassRole` for every role that a parameter hands to a service.
pub(super) fn passed_roles(call: &Call<'_>, facts: &ActionFacts, out: &mut Vec<CallRequest>) {
    if matches!(call.service, "iam" | "sts") || !changes(facts) {
        return;
    }
    let Some(pass) = call.catalog.action("iam:PassRole") else {
        return;
    };
    let mut members: Vec<&str> = call
        .operations()
        .iter()
        .flat_map(|operation| operation.role_members.iter().copied())
        .collect();
    let common = ["iamInstanceProfile", "roleArn", "deliverLogsPermissionArn"];
    members.extend(common.into_iter().filter(|name| call.has(name)));
    members.sort_unstable();
    members.dedup_by(|a, b| a.eq_ignore_ascii_case(b));
    let mut named: Vec<(&str, String)> = Vec::new();
    for member in members {
        let last = last_name(member);
        named.extend(call.texts(member).into_iter().map(|text| (last, text)));
    }
    // Roles in places that no list of members names: actions of a rule, settings of an input.
    if call.mentions_roles() {
        let mut more = Vec::new();
        roles_within(call.params(), "", &mut more);
        more.retain(|(_, text)| named.iter().all(|(_, known)| known != text));
        named.extend(more);
    }
    for (member, text) in named {
        // Service-linked roles are not passed.
        if text.contains(":role/aws-service-role/") || text.contains(":role/aws-reserved/") {
            continue;
        }
        let Some(resource) = role(call, &text, is_profile(member)) else {
            continue;
        };
        let principal = principal(call, member);
        let certainty = if principal.is_some() || needs_pass(call, facts) {
            Certainty::Derived
        } else {
            Certainty::Possible
        };
        let mut request = CallRequest::new(pass, resource, certainty);
        let to = principal.and_then(|to| in_partition(call, to));
        request
            .context
            .extend(to.map(|to| ("iam:PassedToService".to_owned(), to)));
        out.push(request);
    }
}

/// The last step of a path, without the mark of a list.
fn last_name(path: &str) -> &str {
    path.rsplit('.')
        .next()
        .unwrap_or(path)
        .trim_end_matches("[]")
}

/// Members that name an instance profile: which role is in it is not shown.
fn is_profile(member: &str) -> bool {
    let member = member.to_ascii_lowercase();
    member.contains("instanceprofile") || member == "instancerole" || member == "jobflowrole"
}

/// The ARNs of roles under members that are called after a role or credentials, and instance profiles by
/// ARN or name, at any depth.
fn roles_within<'a>(value: &'a Value, name: &'a str, out: &mut Vec<(&'a str, String)>) {
    match value {
        Value::String(text) => {
            let lower = name.to_ascii_lowercase();
            let called = ["role", "credentials", "snscallerarn"];
            let role = called.iter().any(|called| lower.contains(called));
            let profile = lower.contains("iaminstanceprofile");
            if params::usable(text) && (profile || role && text.starts_with("arn:")) {
                out.push((name, text.clone()));
            }
        }
        Value::Array(list) => list.iter().for_each(|value| roles_within(value, name, out)),
        Value::Object(object) => {
            for (key, value) in object {
                // `{"roles":{"authenticated":"arn:…"}}`, `{"iamInstanceProfile":{"name":"web"}}`.
                let holds = ["roles", "iamInstanceProfile"];
                let holds = holds.iter().any(|holds| name.eq_ignore_ascii_case(holds));
                let inner = if holds { name } else { key };
                roles_within(value, inner, out);
            }
        }
        _ => {}
    }
}

/// A service principal where it is the same everywhere; other partitions have names of their own for
/// some services, and a wrong condition would deny.
pub(super) fn in_partition(call: &Call<'_>, principal: &str) -> Option<String> {
    matches!(call.scope.partition.as_str(), "aws" | "aws-us-gov").then(|| principal.to_owned())
}

/// Whether AWS says that the action may need `iam:PassRole`.
fn needs_pass(call: &Call<'_>, facts: &ActionFacts) -> bool {
    let listed = call.catalog.listed.of(call.service, &call.key);
    let listed = listed.iter().copied();
    call.catalog
        .dependents(&facts.action)
        .chain(listed)
        .any(|name| name == "iam:PassRole")
}

/// What the call may have needed beside its own action, as a file of additions lists it. Passed roles and
/// tags are left out: the parameters tell of those.
pub(super) fn listed<'a>(
    call: &Call<'a>,
    own: &ActionFacts,
    listed: &[&str],
) -> impl Iterator<Item = &'a ActionFacts> {
    let catalog = call.catalog;
    listed
        .iter()
        .filter_map(move |name| catalog.action(name))
        .filter(|facts| facts.action != own.action)
        .filter(|facts| {
            facts.access != AccessLevel::Tagging && facts.action.as_str() != "iam:PassRole"
        })
}

/// The role behind a value: an ARN, a name whose path is unknown, or, for an instance profile, any role
/// of the account.
fn role(call: &Call<'_>, text: &str, profile: bool) -> Option<ResourceRef> {
    let kinds = resolve::kinds(call.catalog, "iam", text);
    if kinds.contains(&"role") {
        return Some(ResourceRef::Literal(text.to_owned()));
    }
    if profile || text.contains(":instance-profile/") {
        return resolve::container(call, "iam", "role").into_iter().next();
    }
    if text.starts_with("arn:") || text.contains([':', '/', ' ']) {
        return None;
    }
    let format = call.catalog.arn_formats("iam", "role").first()?;
    let name = super::arns::Part::Glob(format!("*{}", super::resource::escape(text)));
    Some(super::arns::fill(format, &call.scope, |_| name.clone()))
}

/// The service that receives the role, where the table knows it for sure.
fn principal(call: &Call<'_>, member: &str) -> Option<&'static str> {
    let names = tables::tables().pass_role.get(call.service)?;
    let by = |name: &str| names.get(name).copied();
    let member = member.to_ascii_lowercase();
    let found = by(&format!("{}.{member}", call.key))
        .or_else(|| by(&call.key))
        .or_else(|| by(&member))
        .or_else(|| by("*"));
    found.filter(|principal| *principal != "-")
}

/// The context of a PassRole that the event table itself asked for.
pub(super) fn passed_to(call: &Call<'_>) -> Option<String> {
    principal(call, "").and_then(|to| in_partition(call, to))
}

/// The service's tagging action where a creating call carries tags.
pub(super) fn tags(
    call: &Call<'_>,
    facts: &ActionFacts,
    own: &[Found],
    out: &mut Vec<CallRequest>,
) {
    if !changes(facts) {
        return;
    }
    if call.service == "ec2" {
        return ec2_tags(call, out);
    }
    let member = call
        .operations()
        .iter()
        .find_map(|operation| operation.tag_member);
    if !member.is_some_and(|member| call.has(member)) {
        return;
    }
    let table = tables::tables().tagging.get(call.service);
    let row = table.and_then(|rows| rows.get(&call.key).or_else(|| rows.get("*")));
    let (name, certainty) = match row {
        Some(&"-") => return,
        Some(name) => (*name, Certainty::Derived),
        None => ("TagResource", Certainty::Possible),
    };
    // `TagResource@task`: of what the call touches, the tags go on this.
    let (name, on) = name
        .split_once('@')
        .map_or((name, None), |(name, on)| (name, Some(on)));
    let action = format!("{}:{name}", call.service);
    let Some(tagging) = call.catalog.action(&action) else {
        return;
    };
    if tagging.action == facts.action {
        return;
    }
    let made = on.or_else(|| made(call, tagging));
    let is_made = |resource: &ResourceRef| {
        made.is_none_or(|made| {
            resolve::is_kind(call.catalog, call.service, made, &resource.to_string())
        })
    };
    // CloudWatch Logs checks tagging on the group's own ARN, all else on `…:*`.
    let reusable = if call.service == "logs" { &[] } else { own };
    let accepted: Vec<&Found> = reusable
        .iter()
        .filter(|found| is_made(&found.resource))
        .filter(|found| found.resource != ResourceRef::Any || tagging.resource_types.is_empty())
        .filter(|found| super::accepts(call, tagging, &found.resource))
        .collect();
    if accepted.is_empty() {
        let found = match made {
            Some(made) => resolve::of_kind(call, tagging, made),
            None => resolve::resources(call, tagging),
        };
        for found in found {
            out.push(CallRequest::new(tagging, found.resource, certainty));
        }
    }
    for found in accepted {
        out.push(CallRequest::new(tagging, found.resource.clone(), certainty));
    }
}

/// The type of the thing that the call makes, where the end of its name tells: `RunTask`.
fn made(call: &Call<'_>, tagging: &ActionFacts) -> Option<&'static str> {
    let ends = |kind: &&str| {
        let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).collect();
        call.key.ends_with(&kind.to_ascii_lowercase())
    };
    let mut kinds = tagging.resource_types.iter().map(|kind| kind.name);
    let made = kinds.clone().filter(ends).max_by_key(|kind| kind.len())?;
    // `loadbalancer` beside `loadbalancer/app/`: which of them is not told.
    let front = format!("{made}/");
    let told = !kinds.any(|kind| kind.starts_with(&front));
    told.then_some(made)
}

/// `tagSpecificationSet.items[]`: one `ec2:CreateTags` per type, told apart from later tagging by
/// `ec2:CreateAction`.
fn ec2_tags(call: &Call<'_>, out: &mut Vec<CallRequest>) {
    let Some(create_tags) = call.catalog.action("ec2:CreateTags") else {
        return;
    };
    let mut specifications = Vec::new();
    for path in [
        "tagSpecificationSet",
        "tagSpecification",
        "tagSpecifications",
    ] {
        params::collect(call.params(), path, &mut specifications);
    }
    for specification in specifications {
        let tagged = ["tags", "tag"]
            .iter()
            .any(|name| params::present(specification, name));
        let Some(kind) = params::text(specification, "resourceType").filter(|_| tagged) else {
            continue;
        };
        for resource in resolve::container(call, "ec2", &kind) {
            let mut request = CallRequest::new(create_tags, resource, Certainty::Derived);
            request
                .context
                .insert("ec2:CreateAction".to_owned(), call.event.to_owned());
            out.push(request);
        }
    }
}
