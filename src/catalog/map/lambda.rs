//! Lambda: a function in any of its names, with its version or alias.

use super::arns::{self, Part};
use super::params;
use super::resolve::Found;
use super::resource::ResourceRef;
use super::{Call, Certainty};
use crate::catalog::ActionFacts;

/// A function as a parameter names it.
struct Named {
    region: Option<String>,
    partition: Option<String>,
    account: Option<String>,
    name: String,
    qualifier: Option<String>,
}

/// The function of a call; `None` for other types of the service.
pub(super) fn resources(call: &Call<'_>, facts: &ActionFacts) -> Option<Vec<Found>> {
    let takes = |name: &str| facts.resource_types.iter().any(|kind| kind.name == name);
    let qualified = takes("function alias") || takes("function version");
    if !takes("function") && !qualified {
        return None;
    }
    let text = call.text("functionName").or_else(|| {
        let arn = call.text("resource").or_else(|| call.text("resourceArn"))?;
        arn.contains(":function:").then_some(arn)
    });
    let listed = || {
        let mut arns = call
            .record
            .resources
            .iter()
            .filter_map(|entry| entry.arn.as_deref());
        arns.find(|arn| arn.contains(":function:") && params::usable(arn))
            .map(str::to_owned)
    };
    let Some(mut named) = text.or_else(listed).as_deref().and_then(parse) else {
        let other = ["resource", "resourceArn"]
            .iter()
            .any(|name| call.has(name));
        return (!other && facts.resource_types.len() == 1).then(|| {
            let format = "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}";
            vec![arns::fill(format, &call.scope, |_| Part::Unknown).into()]
        });
    };
    if named.qualifier.is_none() {
        named.qualifier = call.text("qualifier");
    }
    let mut found = Vec::new();
    let plain = arn(call, &named, None);
    match &named.qualifier {
        // Invoke and the calls on aliases are checked on the qualified ARN alone; for the others AWS
        // names the function, and which of the two is checked is not written down.
        Some(qualifier) => {
            found.push(Found::from(arn(call, &named, Some(qualifier))));
            if !qualified && !facts.action.name().starts_with("Invoke") {
                found.push(Found {
                    resource: plain,
                    certainty: Some(Certainty::Possible),
                });
            }
        }
        None if qualified && !takes("function") => {
            let pattern = format!("{}:*", plain.pattern());
            found.push(ResourceRef::Pattern(pattern).into());
        }
        None => found.push(plain.into()),
    }
    // PutFunctionCodeSigningConfig and the like name a second thing.
    if let Some(config) = call
        .text("codeSigningConfigArn")
        .filter(|_| takes("code signing config"))
    {
        found.push(ResourceRef::Literal(config).into());
    }
    Some(found)
}

/// `name`, `name:qualifier`, `account:function:name[:qualifier]`, `function:name`, or an ARN.
fn parse(text: &str) -> Option<Named> {
    let fields: Vec<&str> = text.split(':').collect();
    let owned = |text: &str| (!text.is_empty()).then(|| text.to_owned());
    let (front, name, qualifier): (&[&str], &str, Option<&str>) = match fields[..] {
        ["arn", _, "lambda", _, _, "function", name] => (&fields[..5], name, None),
        ["arn", _, "lambda", _, _, "function", name, qualifier] => {
            (&fields[..5], name, Some(qualifier))
        }
        ["function", name, qualifier] if name != "function" => (&[], name, Some(qualifier)),
        [_, "function", name] => (&fields[..1], name, None),
        [_, "function", name, qualifier] => (&fields[..1], name, Some(qualifier)),
        ["function", name] => (&[], name, None),
        [name] => (&[], name, None),
        [name, qualifier] => (&[], name, Some(qualifier)),
        _ => return None,
    };
    let (partition, region, account) = match front {
        [_, partition, _, region, account] => (owned(partition), owned(region), owned(account)),
        [account] => (None, None, owned(account)),
        _ => (None, None, None),
    };
    Some(Named {
        region,
        partition,
        account,
        name: owned(name)?,
        qualifier: qualifier.and_then(owned),
    })
}

fn arn(call: &Call<'_>, named: &Named, qualifier: Option<&str>) -> ResourceRef {
    let mut scope = call.scope.clone();
    for (own, given) in [
        (&mut scope.partition, &named.partition),
        (&mut scope.region, &named.region),
        (&mut scope.account, &named.account),
    ] {
        if let Some(given) = given {
            own.clone_from(given);
        }
    }
    let name = match qualifier {
        Some(qualifier) => format!("{}:{qualifier}", named.name),
        None => named.name.clone(),
    };
    let format = "arn:${Partition}:lambda:${Region}:${Account}:function:${FunctionName}";
    arns::fill(format, &scope, |_| Part::Text(name.clone()))
}
