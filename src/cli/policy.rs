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
    let current = PolicySet {
        identity: documents(&args.current)?,
        boundary: None,
    };
    let proposed = PolicySet {
        identity: documents(&args.proposed)?,
        boundary: None,
    };
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
    let boundary = args.boundary.as_deref().map(document).transpose()?;
    let policies = PolicySet {
        identity: documents(&args.policy)?,
        boundary,
    };
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
    let evaluation = iam::evaluate(&policies, &request);
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

fn documents(paths: &[std::path::PathBuf]) -> Result<Vec<NamedPolicy>, Fault> {
    let files: Result<Vec<_>, Fault> = paths.iter().map(|path| file(path)).collect();
    Ok(files?.into_iter().flatten().collect())
}

fn document(path: &Path) -> Result<NamedPolicy, Fault> {
    let name = path.display().to_string();
    Ok(NamedPolicy {
        document: one(&name, &text(path)?)?,
        name,
    })
}

/// The policies of a file: one document, or those of a role as `fit --out-dir` writes them in
/// `current.json`. The boundary there is left aside: it limits both sides of a comparison alike.
fn file(path: &Path) -> Result<Vec<NamedPolicy>, Fault> {
    let name = path.display().to_string();
    let text = text(path)?;
    let Some(role) = serde_json::from_str::<RolePolicies>(&text).ok() else {
        let document = one(&name, &text)?;
        return Ok(vec![NamedPolicy { name, document }]);
    };
    let of_role = |policy: RolePolicy| {
        let name = format!("{} of {name}", policy.policy_name);
        let document = one(&name, policy.policy_document.get())?;
        Ok(NamedPolicy { name, document })
    };
    role.policies.into_iter().map(of_role).collect()
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RolePolicies {
    policies: Vec<RolePolicy>,
}

#[derive(serde::Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RolePolicy {
    policy_name: String,
    policy_document: Box<serde_json::value::RawValue>,
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
