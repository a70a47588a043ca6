//! ARNs by the templates made from the API models: input members matched to ARN variables by name alone.

use super::arns::{self, Part};
use super::resolve::{MANY, fill_all, is_kind, makes};
use super::resource::ResourceRef;
use super::{Call, params};
use crate::catalog::{ActionFacts, MatchClass, Operation, ResourceUse, Template};

/// Fills the ARN of a type by the templates of the operation.
pub(super) fn by_template(
    call: &Call<'_>,
    facts: &ActionFacts,
    kind: ResourceUse,
) -> Option<(Vec<ResourceRef>, bool)> {
    let mut partial: Option<(Vec<ResourceRef>, bool)> = None;
    for operation in operations(call, facts) {
        let templates = operation.templates.iter();
        for template in templates.filter(|template| template.resource_type == kind.name) {
            if !trusted(call, template, kind) {
                continue;
            }
            let Some((resources, whole)) = by_one(call, facts, template) else {
                continue;
            };
            if resources.iter().all(|resource| !resource.is_open()) {
                return Some((resources, whole));
            }
            partial.get_or_insert((resources, whole));
        }
    }
    partial
}

/// Fills the ARN of a type without a template: from a parameter that holds an ARN of the type, else from
/// parameters called like the variables.
pub(super) fn by_likeness(
    call: &Call<'_>,
    service: &str,
    kind: &str,
) -> Option<(Vec<ResourceRef>, bool)> {
    let members = call.params().as_object()?;
    let mut arns = members.values().filter_map(serde_json::Value::as_str);
    let arn = arns.find(|text| {
        text.starts_with("arn:")
            && params::usable(text)
            && is_kind(call.catalog, service, kind, text)
    });
    if let Some(arn) = arn {
        return Some((vec![ResourceRef::Literal(arn.to_owned())], true));
    }
    let format = call.catalog.arn_formats(service, kind).first()?;
    let parts: Vec<(&str, Vec<Part>)> = arns::variables(format)
        .map(|name| (name, call.texts(name).into_iter().map(Part::Text).collect()))
        .collect();
    let named = !parts.is_empty() && parts.iter().all(|(_, values)| !values.is_empty());
    let resources = named
        .then(|| fill_all(call, service, kind, Some(0), &parts))
        .flatten()?;
    Some((resources, false))
}

/// The operations whose templates may fit: the one called like the event, then the one called like the
/// action.
fn operations<'a>(
    call: &'a Call<'_>,
    facts: &'a ActionFacts,
) -> impl Iterator<Item = &'a Operation> {
    let service = facts.action.service();
    let by_event = if service == call.service {
        call.operations()
    } else {
        &[]
    };
    let other = service != call.service || !facts.action.name().eq_ignore_ascii_case(call.event);
    let by_action = other.then(|| call.catalog.operations_named(service, facts.action.name()));
    by_event
        .iter()
        .copied()
        .chain(by_action.into_iter().flatten())
}

/// Loose matches are believed only where a resource is required, and never for the identifier of a thing
/// that the call is about to make: its name is not its identifier.
fn trusted(call: &Call<'_>, template: &Template, kind: ResourceUse) -> bool {
    match template.class {
        MatchClass::Exact | MatchClass::Whole => true,
        MatchClass::Fixed => kind.required,
        MatchClass::Stem => !names_for_ids(call, template, kind),
        MatchClass::Generic => kind.required && !names_for_ids(call, template, kind),
        MatchClass::Partial => kind.required,
    }
}

fn names_for_ids(call: &Call<'_>, template: &Template, kind: ResourceUse) -> bool {
    makes(call, kind.name)
        && template.bindings.iter().any(|(variable, member)| {
            let variable = variable.to_ascii_lowercase();
            (variable.ends_with("id") || variable.ends_with("uuid"))
                && member.to_ascii_lowercase().ends_with("name")
        })
}

fn by_one(
    call: &Call<'_>,
    facts: &ActionFacts,
    template: &Template,
) -> Option<(Vec<ResourceRef>, bool)> {
    let service = facts.action.service();
    let mut parts = Vec::new();
    for (variable, member) in &template.bindings {
        let mut own = Vec::new();
        for text in call.texts(member) {
            if text.starts_with("arn:") {
                return is_kind(call.catalog, service, template.resource_type, &text)
                    .then(|| (whole_arns(call, service, template, member), true));
            }
            if template.class == MatchClass::Whole {
                return None;
            }
            let text = match text.split_once("://") {
                Some((_, path)) => path.rsplit('/').next().unwrap_or(path).to_owned(),
                None => text,
            };
            own.push(Part::Text(text));
        }
        parts.push((*variable, own));
    }
    let resources = fill_all(
        call,
        service,
        template.resource_type,
        Some(template.format),
        &parts,
    )?;
    Some((resources, false))
}

fn whole_arns(
    call: &Call<'_>,
    service: &str,
    template: &Template,
    member: &str,
) -> Vec<ResourceRef> {
    let texts = call.texts(member).into_iter();
    texts
        .filter(|text| is_kind(call.catalog, service, template.resource_type, text))
        .map(ResourceRef::Literal)
        .take(MANY)
        .collect()
}
