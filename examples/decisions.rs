//! Many decisions at once: a JSON object a line on standard input, its answer a line on standard output.
//!
//! - `{"policies": [document…], "boundary"?: document, "action", "resource", "context": {key: [value…]}}`
//!   asks as `rolefit simulate` does, `{"decision"}`. A key with an empty list is known to be absent.
//! - `{"proposed": [document…], "current": [document…]}` asks as `rolefit verify` does, without boundaries,
//!   `{"result", "witness", "reason"}`.

use std::error::Error;
use std::io::{self, BufRead, Write};

use rolefit::iam::{
    Containment, Decision, NamedPolicy, PolicyDocument, PolicySet, Request, contained, evaluate,
};
use serde_json::{Value, json};

fn main() -> Result<(), Box<dyn Error>> {
    let mut out = io::BufWriter::new(io::stdout().lock());
    for line in io::stdin().lock().lines() {
        let question: Value = serde_json::from_str(&line?)?;
        let answer = if question.get("proposed").is_some() {
            compare(&question)?
        } else {
            decide(&question)?
        };
        writeln!(out, "{answer}")?;
    }
    Ok(out.flush()?)
}

fn decide(question: &Value) -> Result<Value, Box<dyn Error>> {
    let text = |key: &str| question[key].as_str().unwrap_or_default().to_owned();
    let request = Request {
        action: text("action"),
        resource: text("resource"),
        context: serde_json::from_value(question["context"].clone())?,
    };
    let decision = match evaluate(&set(question, "policies")?, &request).decision {
        Decision::Allowed => "allowed",
        Decision::ExplicitDeny => "explicit-deny",
        Decision::ImplicitDeny => "implicit-deny",
        Decision::Depends => "depends",
    };
    Ok(json!({ "decision": decision }))
}

fn compare(question: &Value) -> Result<Value, Box<dyn Error>> {
    let answer = contained(&set(question, "proposed")?, &set(question, "current")?);
    Ok(match answer {
        Containment::Contained => json!({"result": "contained"}),
        Containment::NotContained(w) => json!({"result": "not-contained", "witness":
            {"action": w.action, "resource": w.resource, "context": w.context}}),
        Containment::Unknown(why) => json!({"result": "unknown", "reason": why}),
    })
}

/// The documents under a key, and the boundary where the question has one.
fn set(question: &Value, key: &str) -> Result<PolicySet, Box<dyn Error>> {
    let named = |value: &Value| -> Result<NamedPolicy, Box<dyn Error>> {
        Ok(NamedPolicy {
            name: key.to_owned(),
            document: PolicyDocument::from_value(value)?,
        })
    };
    let documents = question[key].as_array().into_iter().flatten();
    Ok(PolicySet {
        identity: documents.map(named).collect::<Result<_, _>>()?,
        boundary: question.get("boundary").map(named).transpose()?,
    })
}
