//! A role for each function that shares one: each part fitted and verified as if its function had the
//! role alone, and all parts together proven to allow nothing new.

use std::collections::BTreeSet;

use super::assemble::{broken_promises, proposed, status};
use super::rows::{reason, verification_rows};
use super::scan::Scan;
use crate::access::{self, Part, SOURCE_FUNCTION};
use crate::catalog::Catalog;
use crate::grants::{Role, Snapshot};
use crate::iam::{self, NamedPolicy, PolicyDocument, PolicySet, pattern};
use crate::render::{FunctionRole, PerFunction, Status, Union, WitnessRow};
use crate::synthesize::{self, Inputs, Options, Proposal, Verdict};
use crate::usage::{Call, CallShape, RoleUsage};
use crate::verify::{self, Subject, Verification};

/// Takes a shared role apart. `None` for a role of one function, and for one whose policies are not known.
pub(super) fn apart(
    scan: &Scan,
    snapshot: &Snapshot,
    role: &Role,
    usage: &RoleUsage,
    options: &Options,
    catalog: &Catalog,
) -> Option<PerFunction> {
    if !role.problems.is_empty() {
        return None;
    }
    let all = Inputs {
        role,
        usage,
        snapshot,
        coverage: &scan.usage.coverage,
        failed_anywhere: scan.objects.failed_anywhere,
        catalog,
    };
    let split = access::split(role, usage, snapshot, all.counts_outside())?;
    let mut taken: BTreeSet<String> = snapshot
        .roles
        .values()
        .filter(|other| other.account == role.account)
        .map(|other| other.name.to_ascii_lowercase())
        .collect();
    let mut documents: Vec<(NamedPolicy, BTreeSet<String>)> = Vec::new();
    let mut functions = Vec::new();
    for part in &split.parts {
        let inputs = Inputs {
            usage: &part.usage,
            snapshot: &part.snapshot,
            ..all
        };
        let fitted = fitted(inputs, part, options);
        let name = name(part, &split.parts, &mut taken);
        let added: BTreeSet<String> = fitted
            .added
            .iter()
            .map(|(action, _)| action.clone())
            .collect();
        let document = fitted.proposal.combined();
        documents.push((
            NamedPolicy {
                name: name.clone(),
                document: document.unwrap_or_else(|| PolicyDocument::new(Vec::new())),
            },
            added,
        ));
        functions.push(row(role, part, name, &fitted, snapshot, catalog));
    }
    let union = union(role, &documents, catalog);
    losses(&documents, &mut functions, catalog);
    if !union.holds {
        for function in &mut functions {
            function.status = Status::Refused;
            function.reasons.push(reason(
                "union-not-contained",
                "it could not be proven that the own policies together allow nothing new",
            ));
        }
    }
    Some(PerFunction {
        union_contained: union,
        said: split.said,
        functions,
    })
}

struct Fitted {
    proposal: Proposal,
    verification: Verification,
    added: BTreeSet<(String, String)>,
    scoped: usize,
    identity: PolicySet,
}

/// The part's proposal, tied to its function where that passes the promises too.
fn fitted(inputs: Inputs<'_>, part: &Part, options: &Options) -> Fitted {
    let mut proposal = synthesize::synthesize(inputs, options);
    let identity = inputs.role.identity();
    let added: BTreeSet<(String, String)> = proposal
        .decisions
        .iter()
        .filter(|decision| decision.verdict == Verdict::Added)
        .flat_map(|decision| {
            let resources = decision.resources.iter();
            resources.map(|resource| (decision.action.clone(), resource.clone()))
        })
        .collect();
    let verified = |document: Option<&PolicyDocument>, managed: &[NamedPolicy]| {
        let calls = inputs.calls();
        let shapes: Vec<CallShape> = calls
            .iter()
            .map(|call| {
                let mut shape = call.shape.clone();
                if access::in_context(part, &shape) {
                    shape
                        .context
                        .insert(SOURCE_FUNCTION.into(), part.arn.clone());
                }
                shape
            })
            .collect();
        let calls: Vec<Call<'_>> = calls
            .iter()
            .zip(&shapes)
            .map(|(call, shape)| Call { shape, ..*call })
            .collect();
        verify::verify(
            Subject {
                role: &inputs.role.arn,
                current: &identity,
                proposed: document,
                managed,
                added: &added,
                calls: &calls,
                needs: &synthesize::configured_needs(inputs),
            },
            inputs.catalog,
        )
    };
    let used: BTreeSet<String> = proposal
        .decisions
        .iter()
        .filter(|decision| decision.verdict == Verdict::Used)
        .map(|decision| decision.action.clone())
        .collect();
    let mut scoped = 0;
    let mut tie = |document: &PolicyDocument| {
        let (document, count) = access::scoped(document, part, &used, inputs.catalog);
        scoped += count;
        document
    };
    let document = proposal.document.as_ref().map(&mut tie);
    let managed: Vec<NamedPolicy> = proposal
        .managed
        .iter()
        .map(|policy| NamedPolicy {
            name: policy.name.clone(),
            document: tie(&policy.document),
        })
        .collect();
    let tied = verified(document.as_ref(), &managed);
    let verification = if scoped > 0 && tied.holds() {
        proposal.document = document;
        proposal.managed = managed;
        tied
    } else {
        scoped = 0;
        verified(proposal.document.as_ref(), &proposal.managed)
    };
    Fitted {
        proposal,
        verification,
        added,
        scoped,
        identity,
    }
}

fn row(
    role: &Role,
    part: &Part,
    name: String,
    fitted: &Fitted,
    snapshot: &Snapshot,
    catalog: &Catalog,
) -> FunctionRole {
    let (trust_policy, trust_reason) = access::trust_policy(role, part, snapshot);
    let mut verdict = status(&fitted.proposal, &fitted.verification, &fitted.identity);
    // As tight as the shared role, and a role of its own all the same.
    if verdict == Status::Unchanged {
        verdict = Status::Ready;
    }
    let mut reasons: Vec<_> = fitted
        .proposal
        .reasons
        .iter()
        .map(|r| reason(r.code, &r.message))
        .collect();
    reasons.extend(broken_promises(&fitted.verification));
    let mut review = |code: &str, message: &str| {
        reasons.push(reason(code, message));
        if verdict == Status::Ready {
            verdict = Status::Review;
        }
    };
    if names_principal(role) {
        review(
            "principal-condition",
            "the shared role's policies have conditions or variables on the principal: with another role they decide otherwise",
        );
    }
    if !part.described {
        review(
            "function-not-described",
            "only the trail knows the function: what Lambda itself needs for it is not known",
        );
    }
    reasons.sort();
    let path = role
        .arn
        .split_once(":role/")
        .and_then(|(_, path)| path.rsplit_once('/'))
        .map_or_else(|| "/".to_owned(), |(path, _)| format!("/{path}/"));
    // What nobody but AWS may make roles under.
    let path = if path.starts_with("/aws-") {
        "/".to_owned()
    } else {
        path
    };
    let mut proposed = proposed(&fitted.proposal, &fitted.verification, catalog);
    for (at, managed) in proposed.managed_policies.iter_mut().enumerate() {
        managed.name = format!("{name}-{}", at + 1);
    }
    FunctionRole {
        function: part.arn.clone(),
        name: part.name.clone(),
        region: part.region.clone(),
        described: part.described,
        status: verdict,
        reasons,
        role_name: name,
        role_path: path,
        boundary: role.boundary.as_ref().map(|boundary| boundary.name.clone()),
        trust_policy,
        trust_reason,
        source_function_statements: fitted.scoped,
        proposed: Some(proposed),
        verification: Some(verification_rows(&fitted.verification)),
        own_calls: part.own_calls,
        shared_calls: part.shared_calls,
        loses: Vec::new(),
    }
}

/// Whether what the role may do turns on who it is.
fn names_principal(role: &Role) -> bool {
    let keys = [
        "aws:principalarn",
        "aws:principaltag/",
        "aws:userid",
        "aws:username",
    ];
    role.policies.iter().any(|attached| {
        let text = attached
            .policy
            .document
            .to_json_compact()
            .to_ascii_lowercase();
        keys.iter().any(|key| text.contains(key))
    })
}

/// `FUNCTION-role`, made to differ from every role of the account. IAM compares names without case.
fn name(part: &Part, parts: &[Part], taken: &mut BTreeSet<String>) -> String {
    let twins = parts.iter().filter(|other| other.name == part.name).count();
    let region = format!("-{}", part.region);
    let mut endings = vec!["-role".to_owned(), "-function-role".to_owned()];
    if twins > 1 {
        endings.insert(0, format!("{region}-role"));
    }
    endings.extend((2..10_000).map(|number| format!("-role-{number}")));
    for ending in endings {
        let kept: String = part.name.chars().take(64 - ending.len()).collect();
        let name = format!("{kept}{ending}");
        if taken.insert(name.to_ascii_lowercase()) {
            return name;
        }
    }
    part.name.clone()
}

/// The proof over all own policies: what the user asked to add is left out of it, as in each.
fn union(role: &Role, documents: &[(NamedPolicy, BTreeSet<String>)], catalog: &Catalog) -> Union {
    let together = PolicySet {
        identity: documents
            .iter()
            .map(|(policy, added)| NamedPolicy {
                name: policy.name.clone(),
                document: without(&policy.document, added),
            })
            .collect(),
        boundary: None,
    };
    match verify::contained(&together, &role.identity(), catalog) {
        iam::Containment::Contained => Union {
            holds: true,
            ..Union::default()
        },
        iam::Containment::NotContained(witness) => Union {
            witness: Some(WitnessRow {
                action: witness.action,
                resource: witness.resource,
                context: witness.context,
            }),
            ..Union::default()
        },
        iam::Containment::Unknown(why) => Union {
            reason: Some(why),
            ..Union::default()
        },
    }
}

/// The document without the statements that were added as asked for; each own proof compares those.
fn without(document: &PolicyDocument, added: &BTreeSet<String>) -> PolicyDocument {
    if added.is_empty() {
        return document.clone();
    }
    let kept = document.statements().iter().filter(|statement| {
        let named = statement.actions.patterns();
        !named.iter().all(|action| added.contains(action))
    });
    PolicyDocument::new(kept.cloned().collect())
}

/// What each function's policy lacks of the actions that the others' have.
fn losses(
    documents: &[(NamedPolicy, BTreeSet<String>)],
    functions: &mut [FunctionRole],
    catalog: &Catalog,
) {
    let allowed: Vec<BTreeSet<String>> = documents
        .iter()
        .map(|(policy, _)| crate::diff::allowed_actions(&[&policy.document], catalog))
        .collect();
    let all: BTreeSet<&String> = allowed.iter().flatten().collect();
    for (function, own) in functions.iter_mut().zip(&allowed) {
        function.loses = all
            .iter()
            .filter(|action| {
                !own.contains(**action)
                    && !own
                        .iter()
                        .any(|known| pattern::matches_ignore_case(known, action))
            })
            .map(|action| (*action).clone())
            .collect();
    }
}
