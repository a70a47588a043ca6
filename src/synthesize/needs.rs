//! What Lambda itself does with the role because of how its functions are configured: log groups, event
//! sources, networks, destinations. None of it shows reliably in a trail.

use std::collections::BTreeSet;

use super::draft::Draft;
use super::features::{Values, features, values};
use super::{Emit, Inputs, MissingNeed, Reason, Target, Verdict};
use crate::catalog::Need;
use crate::iam::{Arn, Conditions};

/// One permission that the configuration of a function asks for.
struct Wanted {
    action: String,
    resource: String,
    feature: &'static str,
    function: String,
    optional: bool,
    /// Every name in the resource is known.
    complete: bool,
}

/// Keeps the needs that the current grants allow; the others are reported as missing.
pub(super) fn keep_needs(draft: &mut Draft<'_>) {
    let wanted = wanted(draft.inputs);
    if wanted.is_empty() {
        return keep_any_logging(draft);
    }
    for need in wanted {
        let Some(facts) = draft.inputs.catalog.action(&need.action) else {
            continue;
        };
        let action = facts.action.as_str();
        let mut grants = draft
            .granted
            .actions
            .get(action)
            .map(|(_, grants)| grants.clone())
            .unwrap_or_default();
        if need.optional && !need.complete {
            // A customer key that may or may not be there: kept where somebody granted it by name.
            grants.retain(|&g| {
                !draft.granted.grants[g]
                    .resources()
                    .iter()
                    .any(|resource| resource.chars().all(|c| c == '*'))
            });
        }
        let reason = format!("{}: {}", need.function, feature_words(need.feature));
        if draft.keep_clipped(
            action,
            &need.resource,
            &grants,
            &[],
            Verdict::Configured,
            &reason,
        ) {
            let kept = draft.note(action, Verdict::Configured, &reason);
            kept.functions.insert(need.function);
        } else if !need.optional {
            missing(draft, action, need);
        }
    }
    // A replica of a function at the edge logs elsewhere than the function: one of the two is enough.
    if !is_edge(draft.inputs) {
        return;
    }
    let kept = &draft.kept;
    draft.missing.retain(|need| {
        need.feature != "logging"
            || !kept.get(&need.action).is_some_and(|k| {
                matches!(k.verdict, Some(Verdict::Configured))
                    && k.functions.contains(&need.function)
            })
    });
}

fn is_edge(inputs: Inputs<'_>) -> bool {
    let trusted = &inputs.role.trusted_services;
    trusted
        .iter()
        .any(|service| service == "edgelambda.amazonaws.com")
}

fn missing(draft: &mut Draft<'_>, action: &str, need: Wanted) {
    if need.feature == "logging" && draft.options.ensure_logging {
        let reason = format!(
            "{}: added because --ensure-logging asked for it; the role lacks it today",
            need.function
        );
        draft.note(action, Verdict::Added, &reason);
        draft.emits.push(Emit {
            action: action.to_owned(),
            target: Target::Resource(need.resource.clone()),
            conditions: Conditions::none(),
            verdict: Verdict::Added,
            reason: reason.clone(),
        });
        let already = draft
            .reasons
            .iter()
            .any(|reason| reason.code == "logging-added");
        if !already {
            draft.reasons.push(Reason {
                code: "logging-added",
                message: "logging permissions that the role lacks today were added".into(),
                review: false,
            });
        }
        return;
    }
    draft.missing.insert(MissingNeed {
        action: action.to_owned(),
        resource: need.resource,
        feature: need.feature.to_owned(),
        function: need.function,
    });
}

/// No function of the role is known, so its log group is not either: what it may log today it may log
/// tomorrow, unless everything is granted on everything.
fn keep_any_logging(draft: &mut Draft<'_>) {
    let usage = draft.inputs.usage;
    if !(draft.inputs.role.trusts_lambda() || usage.lambda) {
        return;
    }
    for action in [
        "logs:CreateLogGroup",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
    ] {
        let Some((_, grants)) = draft.granted.actions.get(action).cloned() else {
            continue;
        };
        for g in grants {
            let grant = &draft.granted.grants[g];
            if grant.is_wide("logs") {
                continue;
            }
            let reason = "no function of the role is known, so its log group is not either";
            let conditions = grant.statement.conditions.clone();
            for target in grant.targets() {
                draft.emits.push(Emit {
                    action: action.to_owned(),
                    target,
                    conditions: conditions.clone(),
                    verdict: Verdict::Configured,
                    reason: reason.to_owned(),
                });
            }
            draft.note(action, Verdict::Configured, reason);
        }
    }
}

fn feature_words(feature: &str) -> &'static str {
    match feature {
        "logging" => "Lambda writes the function's log",
        "vpc" => "Lambda connects the function to its VPC",
        "dead-letter-sqs" | "dead-letter-sns" => {
            "Lambda sends failed invocations to the dead letter target"
        }
        "destination-sqs" | "destination-sns" | "destination-lambda" | "destination-events"
        | "destination-s3" | "destination-kafka" => {
            "Lambda sends invocation records to the destination"
        }
        "xray" => "X-Ray tracing is active",
        "insights" => "the Lambda Insights layer is attached",
        "efs" => "Lambda mounts the file system",
        "durable" => "the function is durable",
        "app-signals" => "the layer of Application Signals is attached",
        "kms-env" => "a customer key encrypts the environment",
        _ => "Lambda polls the event source",
    }
}

/// Everything the configuration asks for, as action and resource pattern, for the replay.
pub(super) fn listed(inputs: Inputs<'_>) -> BTreeSet<(String, String)> {
    wanted(inputs)
        .into_iter()
        .filter(|need| !need.optional)
        .map(|need| (need.action, need.resource))
        .collect()
}

/// Everything the configuration asks for. Functions that only the trail knows get their log group.
fn wanted(inputs: Inputs<'_>) -> Vec<Wanted> {
    let role = inputs.role;
    let partition = Arn::parse(&role.arn).map_or_else(|| "aws".to_owned(), |arn| arn.partition);
    let mut out = Vec::new();
    let mut described = Vec::new();
    let edge = is_edge(inputs);
    for function in inputs.snapshot.functions_of(&role.arn) {
        described.push((
            function.name.as_str(),
            Arn::parse(&function.arn)
                .map(|arn| arn.region)
                .unwrap_or_default(),
        ));
        if edge {
            add_edge(inputs, &mut out, &partition, &function.name);
        }
        for (feature, values) in features(inputs, function) {
            add(inputs, &mut out, feature, &function.name, &values);
        }
    }
    for key in inputs
        .functions()
        .into_iter()
        .filter(|key| !described.contains(&(key.name.as_str(), key.region.clone())))
    {
        let log_group = format!("/aws/lambda/{}", key.name);
        let values = values(
            &partition,
            &key.region,
            &role.account,
            &key.name,
            &[("log_group", &log_group)],
        );
        add(inputs, &mut out, "logging", &key.name, &values);
        if edge {
            add_edge(inputs, &mut out, &partition, &key.name);
        }
    }
    out
}

/// Lambda@Edge runs replicas in any Region, whose log group carries the home Region in its name. (Amazon
/// CloudFront developer guide, "edge functions logs".)
fn add_edge(inputs: Inputs<'_>, out: &mut Vec<Wanted>, partition: &str, name: &str) {
    let log_group = format!("/aws/lambda/us-east-1.{name}");
    let values = values(
        partition,
        "*",
        &inputs.role.account,
        name,
        &[("log_group", &log_group)],
    );
    add(inputs, out, "logging", name, &values);
}

fn add(
    inputs: Inputs<'_>,
    out: &mut Vec<Wanted>,
    feature: &'static str,
    function: &str,
    values: &Values,
) {
    for need in inputs.catalog.needs(feature) {
        let (resource, complete) = fill(need, values);
        out.push(Wanted {
            action: need.action.to_owned(),
            resource,
            complete,
            feature,
            function: function.to_owned(),
            optional: need.optional,
        });
    }
}

/// A template with its placeholders filled; a name the configuration does not give becomes `*`.
fn fill(need: &Need, values: &Values) -> (String, bool) {
    let mut out = String::new();
    let mut complete = true;
    let mut rest = need.resource_template;
    while let Some(start) = rest.find('{') {
        let Some(length) = rest[start..].find('}') else {
            break;
        };
        out.push_str(&rest[..start]);
        match values.get(&rest[start + 1..start + length]) {
            Some(value) => out.push_str(value),
            None => {
                complete = false;
                out.push('*');
            }
        }
        rest = &rest[start + length + 1..];
    }
    out.push_str(rest);
    (out, complete)
}
