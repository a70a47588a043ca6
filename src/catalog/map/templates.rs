//! ARNs by the templates made from the API models: input members matched to ARN variables by name alone.

use super::arns::{self, Part};
use super::resolve::{MANY, fill_all, is_kind, names_itself};
use super::resource::ResourceRef;
use super::{Call, params};
use crate::catalog::{ActionFacts, MatchClass, Operation, ResourceUse, Template};

/// Fills the ARN of a type by the templates of the operation.
pub(super) fn by_template(
    call: &Call<'_>,
    facts: &ActionFacts,
    kind: ResourceUse,
) -> Option<Vec<ResourceRef>> {
    let mut partial = None;
    // ARNs whose end AWS does not spell out (`task:*`) are known from a parameter alone.
    let unspelled = |template: &&Template| {
        let formats = call.catalog.arn_formats(facts.action.service(), kind.name);
        let format = formats.get(template.format);
        template.class == MatchClass::Fixed && format.is_some_and(|format| format.ends_with('*'))
    };
    for operation in operations(call, facts) {
        let templates = operation
            .templates
            .iter()
            .filter(|template| !unspelled(template));
        for template in templates.filter(|template| template.resource_type == kind.name) {
            if !trusted(template, kind) {
                continue;
            }
            let Some(resources) = by_one(call, facts, template) else {
                continue;
            };
            if resources.iter().all(|resource| !resource.is_open()) {
                return Some(resources);
            }
            partial.get_or_insert(resources);
        }
    }
    partial
}

/// Whether a parameter that could have named a thing of the type holds the ARN of something else.
pub(super) fn name_other(call: &Call<'_>, facts: &ActionFacts, kind: ResourceUse) -> bool {
    operations(call, facts)
        .flat_map(|operation| &operation.templates)
        .filter(|template| template.resource_type == kind.name)
        .flat_map(|template| &template.bindings)
        .any(|(_, member)| {
            let texts = call.texts(member);
            texts.iter().any(|text| text.starts_with("arn:"))
        })
}

/// Fills the ARN of a type without a template: from a parameter that holds an ARN of the type, else from
/// parameters called like the variables.
pub(super) fn by_likeness(call: &Call<'_>, service: &str, kind: &str) -> Option<Vec<ResourceRef>> {
    let members = call.params().as_object()?;
    let mut arns = members.values().filter_map(serde_json::Value::as_str);
    let arn = arns.find(|text| {
        text.starts_with("arn:")
            && params::usable(text)
            && is_kind(call.catalog, service, kind, text)
    });
    if let Some(arn) = arn {
        return Some(vec![ResourceRef::Literal(arn.to_owned())]);
    }
    let format = call.catalog.arn_formats(service, kind).first()?;
    let parts: Vec<(&str, Vec<Part>)> = arns::variables(format)
        .map(|name| (name, call.texts(name).into_iter().map(Part::Text).collect()))
        .collect();
    let named = !parts.is_empty() && parts.iter().all(|(_, values)| !values.is_empty());
    named
        .then(|| fill_all(call, service, kind, Some(0), &parts))
        .flatten()
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

/// Loose matches are believed only where a resource is required.
fn trusted(template: &Template, kind: ResourceUse) -> bool {
    match template.class {
        MatchClass::Exact | MatchClass::Whole | MatchClass::Stem => true,
        MatchClass::Fixed | MatchClass::Generic | MatchClass::Partial => kind.required,
    }
}

/// Whether a name would stand in the place of an identifier: AWS makes those itself, and no call shows
/// them.
fn name_for_id(variable: &str, member: &str) -> bool {
    let ends = |text: &str, end: &str| {
        let at = text.len().checked_sub(end.len());
        at.and_then(|at| text.get(at..))
            .is_some_and(|tail| tail.eq_ignore_ascii_case(end))
    };
    let member = member.strip_suffix("[]").unwrap_or(member);
    (ends(variable, "id") || ends(variable, "uuid"))
        && (ends(member, "name") || ends(member, "names"))
}

fn by_one(call: &Call<'_>, facts: &ActionFacts, template: &Template) -> Option<Vec<ResourceRef>> {
    let (service, kind) = (facts.action.service(), template.resource_type);
    let mut parts = Vec::new();
    let mut whole = Vec::new();
    for (variable, member) in &template.bindings {
        let texts = call.texts(member).into_iter();
        let (arns, names): (Vec<String>, Vec<String>) =
            texts.partition(|text| text.starts_with("arn:"));
        if !arns.is_empty() {
            let arns = arns.into_iter();
            let own = arns.filter(|arn| is_kind(call.catalog, service, kind, arn));
            whole.extend(own.map(ResourceRef::Literal).take(MANY));
            if whole.is_empty() || names.is_empty() {
                return (!whole.is_empty()).then_some(whole);
            }
        }
        if template.class == MatchClass::Whole && !names.is_empty() {
            return (!whole.is_empty()).then_some(whole);
        }
        let opaque = name_for_id(variable, member) && !names_itself(service, kind);
        let names = if opaque {
            // Calls that change a name have the identifier beside it.
            call.texts("id")
        } else {
            names
        };
        let own = names.into_iter().map(|text| {
            Part::Text(match text.split_once("://") {
                Some((_, path)) => path.rsplit('/').next().unwrap_or(path).to_owned(),
                None => text,
            })
        });
        parts.push((*variable, own.collect()));
    }
    let filled = fill_all(call, service, kind, Some(template.format), &parts);
    whole.extend(filled.into_iter().flatten());
    (!whole.is_empty()).then_some(whole)
}
