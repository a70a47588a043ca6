//! Requests that never are events of their own: the role that a call passes, the tags given at creation.

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
    for member in members {
        let last = member
            .rsplit('.')
            .next()
            .unwrap_or(member)
            .trim_end_matches("[]");
        let profile = member.to_ascii_lowercase().contains("instanceprofile");
        let mut texts = call.texts(member);
        if profile {
            texts.extend(call.texts("iamInstanceProfile.name"));
            texts.extend(call.texts("iamInstanceProfile.arn"));
        }
        for text in texts {
            // Service-linked roles are not passed.
            if text.contains(":role/aws-service-role/") || text.contains(":role/aws-reserved/") {
                continue;
            }
            let named = role(call, &text, profile);
            let Some(resource) = named else { continue };
            let principal = principal(call, last);
            let certainty = if principal.is_some() || needs_pass(call, facts) {
                Certainty::Derived
            } else {
                Certainty::Possible
            };
            let mut request = CallRequest::new(pass, resource, certainty);
            if let Some(principal) = principal {
                let key = "iam:PassedToService".to_owned();
                request.context.insert(key, principal.to_owned());
            }
            out.push(request);
        }
    }
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
    if kinds.iter().any(|kind| kind == "role") {
        return Some(ResourceRef::Literal(text.to_owned()));
    }
    if profile {
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
    let by = |name: &str| names.get(&name.to_ascii_lowercase()).copied();
    by(call.event).or_else(|| by(member)).or_else(|| by("*"))
}

/// The context of a PassRole that the event table itself asked for.
pub(super) fn passed_to(call: &Call<'_>) -> Option<&'static str> {
    principal(call, "")
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
    let action = format!("{}:{name}", call.service);
    let Some(tagging) = call.catalog.action(&action) else {
        return;
    };
    if tagging.action == facts.action {
        return;
    }
    // CloudWatch Logs checks tagging on the group's own ARN, all else on `…:*`.
    let reusable = if call.service == "logs" { &[] } else { own };
    let accepted: Vec<&Found> = reusable
        .iter()
        .filter(|found| found.resource != ResourceRef::Any || tagging.resource_types.is_empty())
        .filter(|found| super::accepts(call, tagging, &found.resource))
        .collect();
    if accepted.is_empty() {
        for found in resolve::resources(call, tagging) {
            out.push(CallRequest::new(tagging, found.resource, certainty));
        }
    }
    for found in accepted {
        out.push(CallRequest::new(tagging, found.resource.clone(), certainty));
    }
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
