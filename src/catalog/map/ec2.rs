//! EC2: its parameters have a spelling of their own (`instancesSet.items[].instanceId`, `groupSet`,
//! `{"FlowLogId":{"content":…}}`), but names and identifier prefixes tell what each value is.

use serde_json::Value;

use super::arns::{self, Part};
use super::resolve::{self, Found};
use super::resource::ResourceRef;
use super::{Call, Certainty, params, tables};
use crate::catalog::{ActionFacts, ResourceUse};

/// One text in the parameters: how deep, under which name, what.
struct Leaf {
    depth: usize,
    name: String,
    text: String,
}

/// The resources of an EC2 call. A type that is required and not in the parameters is one that the call
/// makes, or one that its parameters leave to a default: open.
pub(super) fn resources(call: &Call<'_>, facts: &ActionFacts) -> Vec<Found> {
    let mut leaves = Vec::new();
    walk(call.params(), "", 0, &mut leaves);
    if matches!(call.key.as_str(), "createtags" | "deletetags") {
        return tagged(call, &leaves);
    }
    let launch = call.key == "runinstances";
    let mut found: Vec<Found> = Vec::new();
    let mut open = Vec::new();
    // What a launch template brings along, and what an existing interface is in, is not shown.
    let template = launch && call.has("launchTemplate");
    let attached = launch && leaves.iter().any(|leaf| leaf.name == "networkinterfaceid");
    let mut perhaps = Vec::new();
    for kind in &facts.resource_types {
        let named = named(call, *kind, &leaves, launch);
        if !named.is_empty() {
            found.extend(named.into_iter().map(Found::from));
        } else if template && kind.name == "launch-template" {
            open.push(*kind);
        } else if template && matches!(kind.name, "key-pair" | "snapshot" | "placement-group")
            || attached && matches!(kind.name, "subnet" | "security-group")
        {
            perhaps.push(*kind);
        } else if kind.required || (launch && kind.name == "volume") {
            open.push(*kind);
        }
    }
    for kind in open {
        found.extend(
            resolve::container(call, "ec2", kind.name)
                .into_iter()
                .map(Found::from),
        );
    }
    for kind in perhaps {
        let resources = resolve::container(call, "ec2", kind.name).into_iter();
        found.extend(resources.map(|resource| Found {
            resource,
            certainty: Some(Certainty::Possible),
        }));
    }
    if found.is_empty() {
        found.push(ResourceRef::Any.into());
    }
    found
}

/// The resources of one type, from the shallowest names that fit it.
fn named(call: &Call<'_>, kind: ResourceUse, leaves: &[Leaf], launch: bool) -> Vec<ResourceRef> {
    let Some((names, prefix)) = tables::tables().ec2.get(kind.name) else {
        return Vec::new();
    };
    // In RunInstances a group name is a security group's, save the placement's.
    if launch && kind.name == "placement-group" {
        let group = call.text("placement.groupName");
        return group
            .and_then(|group| of(call, kind.name, &group))
            .into_iter()
            .collect();
    }
    let fits = |leaf: &&Leaf| {
        let by_name = names.iter().any(|name| same(&leaf.name, name));
        let by_prefix =
            *prefix != "-" && leaf.text.starts_with(prefix) && same(&leaf.name, "resourceid");
        by_name || by_prefix
    };
    let Some(depth) = leaves.iter().filter(fits).map(|leaf| leaf.depth).min() else {
        return Vec::new();
    };
    let mut resources = Vec::new();
    for leaf in leaves
        .iter()
        .filter(fits)
        .filter(|leaf| leaf.depth == depth)
    {
        let resource = of(call, kind.name, &leaf.text);
        resources.extend(resource.filter(|resource| !resources.contains(resource)));
    }
    resources
}

/// `instanceId` and `instanceIds` are one name.
fn same(name: &str, wanted: &str) -> bool {
    name == wanted || name.strip_suffix('s') == Some(wanted)
}

fn of(call: &Call<'_>, kind: &str, id: &str) -> Option<ResourceRef> {
    let format = call.catalog.arn_formats("ec2", kind).first()?;
    if id.starts_with("arn:") {
        return arns::fit(format, id).map(|_| ResourceRef::Literal(id.to_owned()));
    }
    Some(arns::fill(format, &call.scope, |_| {
        Part::Text(id.to_owned())
    }))
}

/// The things that tags were put on or taken from, told by their prefix.
fn tagged(call: &Call<'_>, leaves: &[Leaf]) -> Vec<Found> {
    let mut found: Vec<Found> = Vec::new();
    for leaf in leaves
        .iter()
        .filter(|leaf| same(&leaf.name, "resourceid") || leaf.name == "resources")
    {
        match kind_of(&leaf.text).and_then(|kind| of(call, kind, &leaf.text)) {
            Some(resource) => found.push(resource.into()),
            // The other ones stay exact: this one may be anything.
            None if !found.contains(&every(call).into()) => found.push(every(call).into()),
            None => {}
        }
    }
    if found.is_empty() {
        vec![every(call).into()]
    } else {
        found
    }
}

/// Every EC2 resource of the account and region.
fn every(call: &Call<'_>) -> ResourceRef {
    arns::fill(
        "arn:${Partition}:ec2:${Region}:${Account}:${Type}/${Id}",
        &call.scope,
        |_| Part::Unknown,
    )
}

/// The type with the longest prefix that an identifier begins with.
fn kind_of(id: &str) -> Option<&'static str> {
    let types = tables::tables().ec2.iter();
    types
        .filter(|(_, (_, prefix))| *prefix != "-" && id.starts_with(prefix))
        .max_by_key(|(kind, (_, prefix))| (prefix.len(), std::cmp::Reverse(**kind)))
        .map(|(kind, _)| *kind)
}

/// All texts with their names; lists and `items` add no depth.
fn walk(value: &Value, name: &str, depth: usize, leaves: &mut Vec<Leaf>) {
    match value {
        Value::String(text) if params::usable(text) => leaves.push(Leaf {
            depth,
            name: name.to_ascii_lowercase(),
            text: text.clone(),
        }),
        Value::Array(list) => list
            .iter()
            .for_each(|value| walk(value, name, depth, leaves)),
        Value::Object(object) => {
            for (key, inner) in object {
                match key.as_str() {
                    "items" | "content" => walk(inner, name, depth, leaves),
                    key => walk(inner, key, depth + 1, leaves),
                }
            }
        }
        _ => {}
    }
}
