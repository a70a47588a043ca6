//! One role for each function: who of the functions that share a role made which calls. The role's
//! usage and the snapshot in, a part for each function out, each as if its function had the role alone.
//!
//! What cannot be attributed to one function goes to every function that could have made it, and is
//! said. Knows nothing of policies.

use std::collections::{BTreeMap, BTreeSet};

use crate::grants::{Function, Role, Snapshot};
use crate::iam::Arn;
use crate::trail::Class;
use crate::usage::{CallShape, FunctionKey, RoleUsage, Tally};

/// What one function did with the role.
#[derive(Debug)]
pub struct Part {
    /// Its name.
    pub name: String,
    /// Its ARN without a version.
    pub arn: String,
    /// Its Region.
    pub region: String,
    /// The snapshot describes it; otherwise only the trail knows it.
    pub described: bool,
    /// Credentials that the trail shows issued to it by name (`inScopeOf`), or Lambda took the role
    /// for it.
    pub proven: bool,
    /// The role may be taken by Lambda@Edge, and the function is where such functions are.
    pub at_edge: bool,
    /// What it did, and what may have been it.
    pub usage: RoleUsage,
    /// The account's description with this function as the only one of the role.
    pub snapshot: Snapshot,
    /// Authorised calls that are surely its own.
    pub own_calls: u64,
    /// Authorised calls that it may have made.
    pub shared_calls: u64,
}

/// A role taken apart.
#[derive(Debug)]
pub struct Split {
    /// A part for each function, by name and Region.
    pub parts: Vec<Part>,
    /// What was decided about calls that are of no one function, in words.
    pub said: Vec<String>,
}

/// Where a call shape goes.
enum To {
    /// The parts of this name: its own.
    Own,
    /// These parts: each could have made it.
    These(BTreeSet<usize>),
}

/// Takes a role apart. `None` where fewer than two functions use it.
#[must_use]
pub fn split(role: &Role, usage: &RoleUsage, snapshot: &Snapshot, outside: bool) -> Option<Split> {
    let mut parts = functions(role, usage, snapshot);
    if parts.len() < 2 {
        return None;
    }
    let mut said = BTreeSet::new();
    let mut shapes: BTreeMap<CallShape, (Tally, To)> = BTreeMap::new();
    for call in usage.calls(outside) {
        let entry = shapes
            .entry(call.shape.clone())
            .or_insert_with(|| (Tally::default(), To::Own));
        entry.0.merge(call.tally);
    }
    let last = last_seen(&shapes);
    for (shape, (tally, to)) in &mut shapes {
        *to = target(shape, tally, &parts, role, snapshot, &last, &mut said);
    }
    for (at, part) in parts.iter_mut().enumerate() {
        let takes = |shape: &CallShape| match shapes.get(shape) {
            Some((_, To::Own)) => shape.function.as_deref() == Some(&part.name),
            Some((_, To::These(these))) => these.contains(&at),
            None => false,
        };
        part.usage = usage.only(takes);
        for (shape, (tally, to)) in shapes.iter().filter(|(shape, _)| takes(shape)) {
            match to {
                To::Own if twins(shape, usage) < 2 => part.own_calls += tally.count,
                _ => part.shared_calls += tally.count,
            }
            part.usage.seen.merge(tally);
        }
        let mine = |key: &FunctionKey| key.name == part.name && key.region == part.region;
        let functions = |of: &BTreeMap<FunctionKey, Tally>| {
            let own = of.iter().filter(|(key, _)| mine(key));
            own.map(|(key, tally)| (key.clone(), tally.clone()))
                .collect()
        };
        part.usage.functions = functions(&usage.functions);
        part.usage.likely_functions = functions(&usage.likely_functions);
        part.usage.lambda = usage.lambda;
        part.usage.unmapped = usage.unmapped.clone();
        part.usage.principal_ids = usage.principal_ids.clone();
        part.usage.count_outside = usage.count_outside;
    }
    if !usage.unmapped.is_empty() {
        said.insert(
            "events that no rule maps keep the grants they could have used in every policy".into(),
        );
    }
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for part in &parts {
        *names.entry(&part.name).or_default() += 1;
    }
    for (name, _) in names.iter().filter(|(_, count)| **count > 1) {
        said.insert(format!(
            "functions of several Regions are called {name}: what one of them did counts for all of them"
        ));
    }
    Some(Split {
        parts,
        said: said.into_iter().collect(),
    })
}

/// How many functions of this name the trail shows.
fn twins(shape: &CallShape, usage: &RoleUsage) -> usize {
    usage
        .functions
        .keys()
        .filter(|key| Some(key.name.as_str()) == shape.function.as_deref())
        .count()
}

/// When each name was last seen, and first.
fn last_seen(
    shapes: &BTreeMap<CallShape, (Tally, To)>,
) -> BTreeMap<String, (Option<i64>, Option<i64>)> {
    let mut seen: BTreeMap<String, Tally> = BTreeMap::new();
    for (shape, (tally, _)) in shapes {
        if let Some(name) = &shape.function {
            seen.entry(name.clone()).or_default().merge(tally);
        }
    }
    seen.into_iter()
        .map(|(name, tally)| (name, (tally.first, tally.last)))
        .collect()
}

fn region_and_account(arn: &str) -> Option<(String, String)> {
    Arn::parse(arn).map(|arn| (arn.region, arn.account))
}

/// The functions that use the role: those of the snapshot, and those that the trail alone knows, where
/// the snapshot describes no function of their Region.
fn functions(role: &Role, usage: &RoleUsage, snapshot: &Snapshot) -> Vec<Part> {
    let mut parts: BTreeMap<(String, String), Part> = BTreeMap::new();
    let part = |name: &str, arn: String, region: String, function: Option<&Function>| Part {
        name: name.to_owned(),
        arn,
        proven: usage
            .functions
            .keys()
            .any(|key| key.name == name && key.region == region),
        at_edge: region == "us-east-1"
            && role
                .trusted_services
                .iter()
                .any(|service| service == "edgelambda.amazonaws.com"),
        region,
        described: function.is_some(),
        usage: RoleUsage::default(),
        snapshot: snapshot.around(&role.arn, function),
        own_calls: 0,
        shared_calls: 0,
    };
    for function in snapshot.functions_of(&role.arn) {
        let region = region_and_account(&function.arn).map_or_else(String::new, |(r, _)| r);
        let made = part(
            &function.name,
            function.arn.clone(),
            region.clone(),
            Some(function),
        );
        parts.insert((function.name.clone(), region), made);
    }
    let partition = Arn::parse(&role.arn).map_or_else(|| "aws".to_owned(), |arn| arn.partition);
    for key in usage.function_keys(role.trusts_lambda()) {
        if described(&key.name, &key.region, role, snapshot)
            || parts.contains_key(&(key.name.clone(), key.region.clone()))
        {
            continue;
        }
        let arn = format!(
            "arn:{partition}:lambda:{}:{}:function:{}",
            key.region, role.account, key.name
        );
        let made = part(&key.name, arn, key.region.clone(), None);
        parts.insert((key.name.clone(), key.region.clone()), made);
    }
    parts.into_values().collect()
}

/// Whether the snapshot would have the function, if it were there: it describes functions of its Region,
/// or one of its name elsewhere (replicas of Lambda@Edge).
fn described(name: &str, region: &str, role: &Role, snapshot: &Snapshot) -> bool {
    snapshot.functions.iter().any(|function| {
        region_and_account(&function.arn).is_some_and(|(own, account)| {
            account == role.account && (own == region || function.name == name)
        })
    })
}

fn target(
    shape: &CallShape,
    tally: &Tally,
    parts: &[Part],
    role: &Role,
    snapshot: &Snapshot,
    seen: &BTreeMap<String, (Option<i64>, Option<i64>)>,
    said: &mut BTreeSet<String>,
) -> To {
    let all = || To::These((0..parts.len()).collect());
    let Some(name) = &shape.function else {
        if shape.class != Class::Service {
            said.insert(
                "calls that name no function go to every function that shares the role".into(),
            );
            return all();
        }
        // Lambda acts with the role for its pollers and network interfaces.
        let these: BTreeSet<usize> = parts
            .iter()
            .enumerate()
            .filter(|(_, part)| acted_for(part, shape))
            .map(|(at, _)| at)
            .collect();
        if these.is_empty() {
            said.insert(
                "Lambda's own sessions (awslambda_…) name no function: their calls go to every function that shares the role".into(),
            );
            return all();
        }
        said.insert(
            "Lambda's own sessions (awslambda_…) name no function: their calls go to every function that is in a VPC or has an event source mapping, or that the snapshot does not describe".into(),
        );
        return To::These(these);
    };
    if parts.iter().any(|part| part.name == *name) {
        return To::Own;
    }
    let elsewhere = snapshot.functions.iter().any(|function| {
        function.name == *name
            && region_and_account(&function.arn).is_some_and(|(_, a)| a == role.account)
    });
    if elsewhere {
        said.insert(format!(
            "{name} runs with another role today: what it did with this one is in no function's policy here"
        ));
        return To::These(BTreeSet::new());
    }
    if role.trusts_others && shape.class == Class::Code {
        said.insert(format!(
            "session {name} is of no function of the role, which others may take: what it did is in no function's policy"
        ));
        return To::These(BTreeSet::new());
    }
    // A function that is gone may live on under another name: one that began after it ended, or that
    // was not seen at all.
    let ended = seen.get(name).and_then(|(_, last)| *last).or(tally.last);
    let heirs: BTreeSet<usize> = parts
        .iter()
        .enumerate()
        .filter(|(_, part)| match seen.get(&part.name) {
            Some((Some(first), _)) => ended.is_none_or(|ended| *first >= ended),
            _ => true,
        })
        .map(|(at, _)| at)
        .collect();
    let names: Vec<&str> = heirs.iter().map(|&at| parts[at].name.as_str()).collect();
    said.insert(if names.is_empty() {
        format!(
            "{name} is gone, and every function of today ran beside it: what it did is in no function's policy"
        )
    } else {
        format!(
            "{name} is gone, deleted or renamed: what it did goes to every function that may be it under a new name ({})",
            names.join(", ")
        )
    });
    To::These(heirs)
}

/// Whether Lambda may have made the call for this function.
fn acted_for(part: &Part, shape: &CallShape) -> bool {
    let Some(function) = part.snapshot.functions.first() else {
        return true;
    };
    let polled = !part.snapshot.mappings.is_empty() || !part.snapshot.has_mappings;
    let network = shape.action.service() == "ec2";
    if network {
        // Pollers of Kafka and MQ make network interfaces too.
        function.vpc || polled
    } else {
        polled || function.vpc
    }
}
