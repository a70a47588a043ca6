//! `rolefit verify` and `rolefit simulate`: questions about policies alone.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, Write};
use std::path::Path;

use anyhow::anyhow;
use serde_json::json;

use super::args::{Output, SimulateArgs, VerifyArgs};
use super::{Exit, Fault, say};
use crate::catalog::Catalog;
use crate::iam::{
    self, Containment, Decision, Effect, NamedPolicy, PolicyDocument, PolicySet, Request,
};
use crate::verify;

pub(super) fn verify(args: &VerifyArgs) -> Result<Exit, Fault> {
    // A boundary limits both sides alike; only the one that is given counts.
    let boundary = args.boundary.as_deref().map(document).transpose()?;
    let bounded = |set: PolicySet| PolicySet {
        boundary: boundary.clone(),
        ..set
    };
    let current = bounded(documents(&args.current)?);
    let proposed = bounded(documents(&args.proposed)?);
    let compared = verify::contained(&proposed, &current, Catalog::builtin());
    let (result, witness, reason) = match compared {
        Containment::Contained => ("contained", None, None),
        Containment::NotContained(witness) => ("not-contained", Some(witness), None),
        Containment::Unknown(why) => ("unknown", None, Some(why)),
    };
    let mut out = io::stdout().lock();
    if args.output == Output::Json {
        let witness = witness
            .map(|w| json!({"action": w.action, "resource": w.resource, "context": w.context}));
        writeln!(
            out,
            "{}",
            json!({"result": result, "witness": witness, "reason": reason})
        )?;
    } else {
        writeln!(out, "{result}")?;
        if let Some(w) = witness {
            writeln!(
                out,
                "only the proposed policies allow {} on {}",
                w.action, w.resource
            )?;
            for (key, values) in &w.context {
                writeln!(out, "  with {key} = {}", values.join(", "))?;
            }
        }
        if let Some(why) = reason {
            writeln!(out, "{why}")?;
        }
    }
    Ok(if result == "contained" {
        Exit::Done
    } else {
        Exit::Broken
    })
}

pub(super) fn simulate(args: &SimulateArgs) -> Result<Exit, Fault> {
    let mut policies = documents(&args.policy)?;
    if let Some(path) = &args.boundary {
        policies.boundary = Some(document(path)?);
    }
    let mut context: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for pair in &args.context {
        let (key, value) = pair.split_once('=').ok_or_else(|| {
            Fault::new(Exit::Usage, anyhow!("`{pair}` is not KEY=VALUE"))
                .hint("for example --context aws:SourceVpc=vpc-1")
        })?;
        context
            .entry(key.to_owned())
            .or_default()
            .push(value.to_owned());
    }
    let named = args
        .action
        .split_once(':')
        .is_some_and(|(service, name)| !service.is_empty() && !name.is_empty());
    if !named || args.action.contains(['*', '?']) {
        return Err(
            Fault::new(Exit::Usage, anyhow!("`{}` is not one action", args.action))
                .hint("for example s3:GetObject"),
        );
    }
    for policy in policies.identity.iter().chain(&policies.boundary) {
        let principals = policy.document.statements().iter();
        for index in principals
            .enumerate()
            .filter(|(_, s)| s.principal().is_some())
        {
            say(
                "warning",
                &format!(
                    "statement {} of `{}` names principals; they are not looked at",
                    index.0 + 1,
                    policy.name
                ),
            );
        }
    }
    let request = Request {
        action: args.action.clone(),
        resource: args.resource.clone(),
        context,
    };
    let evaluation = if args.complete {
        iam::evaluate_complete(&policies, &request)
    } else {
        iam::evaluate(&policies, &request)
    };
    let decision = match evaluation.decision {
        Decision::Allowed => "allowed",
        Decision::ExplicitDeny => "explicit-deny",
        Decision::ImplicitDeny => "implicit-deny",
        Decision::Depends => "depends",
    };
    let effect = |effect| {
        if effect == Effect::Allow {
            "Allow"
        } else {
            "Deny"
        }
    };
    let mut out = io::stdout().lock();
    if args.output == Output::Json {
        let statements: Vec<_> = evaluation
            .statements
            .iter()
            .map(|s| json!({"document": s.document, "sid": s.sid, "effect": effect(s.effect)}))
            .collect();
        writeln!(
            out,
            "{}",
            json!({"decision": decision, "statements": statements, "missing_context": evaluation.missing_context})
        )?;
    } else {
        writeln!(out, "{decision}")?;
        for s in &evaluation.statements {
            writeln!(
                out,
                "  {} by statement {} of {}",
                effect(s.effect),
                s.sid.clone().unwrap_or_else(|| (s.index + 1).to_string()),
                s.document
            )?;
        }
        if !evaluation.missing_context.is_empty() {
            writeln!(
                out,
                "  depends on {}: give --context KEY=VALUE",
                evaluation.missing_context.join(", ")
            )?;
        }
    }
    Ok(Exit::Done)
}

/// The policies of several files as one set.
pub(super) fn documents(paths: &[std::path::PathBuf]) -> Result<PolicySet, Fault> {
    let mut set = PolicySet::default();
    for path in paths {
        let of_file = file(path)?;
        set.identity.extend(of_file.identity);
        set.boundary = set.boundary.or(of_file.boundary);
    }
    Ok(set)
}

/// The one policy of a file.
fn document(path: &Path) -> Result<NamedPolicy, Fault> {
    let policies = file(path)?.identity;
    let [policy] = <[NamedPolicy; 1]>::try_from(policies).map_err(|policies| {
        let (name, count) = (path.display(), policies.len());
        Fault::new(
            Exit::Usage,
            anyhow!("`{name}` holds {count} policies where one is wanted"),
        )
        .hint("give the JSON of one IAM policy")
    })?;
    Ok(policy)
}

/// The policies of a file: one document, bare or as `aws iam get-role-policy` and `get-policy-version`
/// print it, or those of a role with its boundary as `fit --out-dir` writes them in `current.json`.
fn file(path: &Path) -> Result<PolicySet, Fault> {
    let name = path.display().to_string();
    let text = text(path)?;
    let wrapped = serde_json::from_str::<Wrapped>(&text).unwrap_or_default();
    let named = |name: String, raw: &serde_json::value::RawValue| {
        // Documents are JSON, or one string of it, URL-encoded as the API has it.
        let text = serde_json::from_str::<String>(raw.get());
        let document = one(&name, text.as_deref().unwrap_or(raw.get()))?;
        Ok(NamedPolicy { name, document })
    };
    let set = |identity| PolicySet {
        identity,
        boundary: None,
    };
    match wrapped {
        Wrapped {
            statement: None,
            policies: Some(policies),
            permissions_boundary,
            ..
        } => {
            let of_role = policies.iter().map(|policy| {
                let name = format!("{} of {name}", policy.policy_name);
                named(name, &policy.policy_document)
            });
            let boundary = permissions_boundary.map(|boundary| {
                let name = format!("the permissions boundary of {name}");
                named(name, &boundary.policy_document)
            });
            Ok(PolicySet {
                identity: of_role.collect::<Result<_, Fault>>()?,
                boundary: boundary.transpose()?,
            })
        }
        Wrapped {
            statement: None,
            policy_document: Some(raw),
            ..
        } => Ok(set(vec![named(name, &raw)?])),
        Wrapped {
            statement: None,
            policy_version: Some(version),
            ..
        } => Ok(set(vec![named(name, &version.document)?])),
        // Whatever has a `Statement` is a policy and nothing else.
        _ => {
            let document = one(&name, &text)?;
            Ok(set(vec![NamedPolicy { name, document }]))
        }
    }
}

/// What a policy may be wrapped in.
#[derive(Default, serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Wrapped {
    statement: Option<serde::de::IgnoredAny>,
    policies: Option<Vec<RolePolicy>>,
    permissions_boundary: Option<Boundary>,
    policy_document: Option<Box<serde_json::value::RawValue>>,
    policy_version: Option<Version>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RolePolicy {
    policy_name: String,
    policy_document: Box<serde_json::value::RawValue>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Boundary {
    policy_document: Box<serde_json::value::RawValue>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Version {
    document: Box<serde_json::value::RawValue>,
}

fn text(path: &Path) -> Result<String, Fault> {
    let unreadable = |error: &dyn std::fmt::Display| {
        let name = path.display();
        Fault::new(Exit::Failed, anyhow!("cannot read `{name}`: {error}"))
    };
    let bytes = fs::read(path).map_err(|error| {
        unreadable(&error).hint("give a file that holds the JSON of one policy")
    })?;
    String::from_utf8(bytes)
        .map_err(|error| unreadable(&error.utf8_error()).hint("save it as UTF-8"))
}

fn one(name: &str, text: &str) -> Result<PolicyDocument, Fault> {
    PolicyDocument::decode(text).map_err(|error| {
        Fault::new(
            Exit::Failed,
            anyhow!("`{name}` is not a policy document: {error}"),
        )
        .hint("give the JSON of one IAM policy, the object that holds `Statement`")
    })
}
