//! `apply.sh` and `rollback.sh`: the steps of a [`Change`] for the AWS CLI, each after a check that the role is
//! as it must be before it.
//!
//! A script knows every state on the way by its SHA-256: it begins where the role is, also after a run that was
//! cut short, and does nothing to a role that is anywhere else.

use std::fmt::Write as _;

use serde::Serialize;
use serde_json::Value;
use sha2::{Digest, Sha256};

use super::change::{Change, RoleState, Step};
use super::quote::{comments, shell};
use super::{InfraOptions, Plan};
use crate::render::escape::json_text;
use crate::render::{RoleReport, Status};

/// The text of a state that the scripts also make of what the AWS CLI prints.
fn text(state: &RoleState) -> String {
    let mut out = String::new();
    let mut part = |kind: &str, name: &str, document: &Value| {
        let _ = write!(out, "{kind} {name}\n{}", printed(document));
    };
    for (name, document) in &state.inline {
        part("inline", name, document);
    }
    for (arn, document) in &state.attached {
        part("attached", arn, document);
    }
    if let Some((arn, document)) = &state.boundary {
        part("boundary", arn, document);
    }
    for (arn, document) in &state.made {
        part("policy", arn, document);
    }
    out
}

/// JSON as the AWS CLI prints it, without the indentation.
fn printed(document: &Value) -> String {
    let mut text = Vec::new();
    let indent = serde_json::ser::PrettyFormatter::with_indent(b"    ");
    let mut out = serde_json::Serializer::with_formatter(&mut text, indent);
    // Writing a value to memory cannot fail.
    let _ = document.serialize(&mut out);
    let text = String::from_utf8_lossy(&text);
    text.lines().fold(String::new(), |mut out, line| {
        out.push_str(line.trim_start_matches(' '));
        out.push('\n');
        out
    })
}

fn digest(state: &RoleState) -> String {
    sha256(&text(state))
}

fn sha256(text: &str) -> String {
    let mut out = String::new();
    for byte in Sha256::digest(text.as_bytes()) {
        let _ = write!(out, "{byte:02x}");
    }
    out
}

/// `apply.sh` and `rollback.sh` with the documents that they put and that are in no file yet, by name relative to
/// the role's folder. Nothing for a role without an applicable proposal.
#[must_use]
pub fn script_files(role: &RoleReport, options: InfraOptions) -> Vec<(String, String)> {
    let Some(plan) = Plan::new(role, options) else {
        return Vec::new();
    };
    let Ok(change) = plan.change() else {
        return Vec::new();
    };
    if change.steps.is_empty() {
        return Vec::new();
    }
    let mut out = Vec::new();
    let mut back = Vec::new();
    let forward = calls(role, &change, &mut out);
    for (at, step) in change.steps.iter().enumerate() {
        let undone = step.undone();
        back.push(call(&undone, role, &mut |document| {
            let file = format!("rollback/{}.json", at + 1);
            out.push((file.clone(), json_text(document)));
            file
        }));
    }
    let proposed = role.proposed.as_ref();
    let of_role = proposed.into_iter().flat_map(|proposed| {
        let managed = proposed.managed_policies.iter().enumerate();
        let managed = managed.map(|(at, m)| (format!("managed-policy-{}.json", at + 1), &m.policy));
        let inline = proposed
            .policy
            .iter()
            .map(|p| ("policy.json".to_owned(), p));
        inline.chain(managed)
    });
    let files: Vec<(String, String)> = of_role
        .map(|(file, document)| (file, sha256(&json_text(document))))
        .chain(out.iter().map(|(file, text)| (file.clone(), sha256(text))))
        .collect();
    let states: Vec<String> = change.states().iter().map(digest).collect();
    let mut script = |name: &str, calls: &[String], forward: bool| {
        // Going back must be possible before anything is done, and needs nothing of what was put.
        let files: Vec<&(String, String)> = files
            .iter()
            .filter(|(file, _)| forward || file.starts_with("rollback/"))
            .collect();
        let text = self::script(role, &change, &states, calls, &files, &plan.notes, forward);
        out.push((name.to_owned(), text));
    };
    script("apply.sh", &forward, true);
    script("rollback.sh", &back, false);
    out
}

/// The commands of the steps. A document that no file of the role's folder holds goes into one of its own.
pub(super) fn calls(
    role: &RoleReport,
    change: &Change,
    out: &mut Vec<(String, String)>,
) -> Vec<String> {
    let proposed = role.proposed.as_ref();
    let known = |document: &Value| {
        let proposed = proposed?;
        if proposed.policy.as_ref() == Some(document) {
            return Some("policy.json".to_owned());
        }
        let mut managed = proposed.managed_policies.iter();
        let at = managed.position(|managed| managed.policy == *document)?;
        Some(format!("managed-policy-{}.json", at + 1))
    };
    let steps = change.steps.iter().enumerate();
    steps
        .map(|(at, step)| {
            call(step, role, &mut |document| {
                known(document).unwrap_or_else(|| {
                    let file = format!("apply/{}.json", at + 1);
                    out.push((file.clone(), json_text(document)));
                    file
                })
            })
        })
        .collect()
}

/// The command of a step; `file` tells where the document lies that it puts.
fn call(step: &Step, role: &RoleReport, file: &mut dyn FnMut(&Value) -> String) -> String {
    let name = shell(role.name());
    match step {
        Step::Put {
            name: policy,
            document,
            ..
        } => format!(
            "aws iam put-role-policy --role-name {name} --policy-name {} --policy-document file://{}",
            shell(policy),
            file(document)
        ),
        Step::Delete { name: policy, .. } => format!(
            "aws iam delete-role-policy --role-name {name} --policy-name {}",
            shell(policy)
        ),
        Step::Create { arn, document } => format!(
            "aws iam create-policy --policy-name {} --policy-document file://{}",
            shell(arn.rsplit('/').next().unwrap_or_default()),
            file(document)
        ),
        Step::Drop { arn, .. } => format!("aws iam delete-policy --policy-arn {}", shell(arn)),
        Step::Attach { arn, .. } => format!(
            "aws iam attach-role-policy --role-name {name} --policy-arn {}",
            shell(arn)
        ),
        Step::Detach { arn, .. } => format!(
            "aws iam detach-role-policy --role-name {name} --policy-arn {}",
            shell(arn)
        ),
    }
}

fn script(
    role: &RoleReport,
    change: &Change,
    states: &[String],
    calls: &[String],
    files: &[&(String, String)],
    notes: &[String],
    forward: bool,
) -> String {
    let mut out = String::from("#!/usr/bin/env bash\n");
    if forward {
        out.push_str(&comments(notes));
    }
    out.push_str(&comments(&[
        if forward {
            "Puts the proposal in the place of the policies of today. Needs the AWS CLI and nothing else. The new comes before the old goes; before each step the role is compared with what was analysed, and where a step fails rollback.sh is run.".to_owned()
        } else {
            "Takes back what apply.sh did, from wherever it stopped: the documents and attachments of before, and the permissions boundary.".to_owned()
        },
    ]));
    let _ = writeln!(out, "set -euo pipefail");
    let _ = writeln!(out, "cd \"$(dirname \"$0\")\"");
    let _ = writeln!(out, "export AWS_PAGER= LC_ALL=C");
    let _ = writeln!(out, "role={}", shell(role.name()));
    let _ = writeln!(out, "account={}", shell(role.account()));
    let boundary = change.before.boundary.as_ref().map(|(arn, _)| arn.as_str());
    let _ = writeln!(out, "boundary={}", shell(boundary.unwrap_or_default()));
    let mut made: Vec<String> = change.made().into_iter().map(shell).collect();
    made.sort();
    let _ = writeln!(out, "made=({})", made.join(" "));
    out.push_str("# The role before each step and after the last, as SHA-256 of what `live` prints.\nstates=(\n");
    for state in states {
        let _ = writeln!(out, "  {state}");
    }
    out.push_str(")\n");
    if forward && role.status == Status::Review {
        out.push_str("if [ \"${1-}\" != --accept-review ]; then\n  echo \"$role is for review: read the reasons above, then run $0 --accept-review\" >&2\n  exit 1\nfi\n");
    }
    out.push_str(COMMON);
    for (file, digest) in files {
        let _ = writeln!(out, "same {} {digest}", shell(file));
    }
    out.push_str(ACCOUNT);
    out.push_str("step() {\n  case $1 in\n");
    for (at, (call, step)) in calls.iter().zip(&change.steps).enumerate() {
        let words = if forward {
            step.words()
        } else {
            step.undone().words()
        };
        let number = at + 1;
        let _ = writeln!(
            out,
            "    {number})\n      echo \"$role: \"{}\n      {call} > /dev/null ;;",
            shell(&words)
        );
    }
    out.push_str("    *) return 1 ;;\n  esac\n}\n");
    out.push_str(if forward { APPLY } else { ROLLBACK });
    out
}

/// What both scripts know how to do.
const COMMON: &str = r#"document() { # the default version of a managed policy
  local version
  version=$(aws iam get-policy --policy-arn "$1" --query Policy.DefaultVersionId --output text) || return 1
  aws iam get-policy-version --policy-arn "$1" --version-id "$version" --query PolicyVersion.Document --output json | sed 's/^ *//'
}
live() { # everything that decides what the role may do
  local names name attached arn bound
  names=$(aws iam list-role-policies --role-name "$role" --query 'PolicyNames[]' --output text) || return 1
  names=$(printf '%s\n' "$names" | tr '\t' '\n' | sort)
  for name in $names; do
    printf 'inline %s\n' "$name"
    aws iam get-role-policy --role-name "$role" --policy-name "$name" --query PolicyDocument --output json | sed 's/^ *//' || return 1
  done
  attached=$(aws iam list-attached-role-policies --role-name "$role" --query 'AttachedPolicies[].PolicyArn' --output text) || return 1
  attached=$(printf '%s\n' "$attached" | tr '\t' '\n' | sort)
  for arn in $attached; do
    printf 'attached %s\n' "$arn"
    document "$arn" || return 1
  done
  bound=$(aws iam get-role --role-name "$role" --query 'Role.PermissionsBoundary.PermissionsBoundaryArn || `none`' --output text) || return 1
  if [ "$bound" != none ] && [ "$bound" != None ]; then
    printf 'boundary %s\n' "$bound"
    document "$bound" || return 1
  fi
  for arn in ${made[@]+"${made[@]}"}; do
    local error
    if error=$(aws iam get-policy --policy-arn "$arn" 2>&1 > /dev/null); then
      printf 'policy %s\n' "$arn"
      document "$arn" || return 1
    else
      case $error in *NoSuchEntity*) ;; *) printf '%s\n' "$error" >&2; return 1 ;; esac
    fi
  done
}
sha() { if command -v sha256sum > /dev/null; then sha256sum; else shasum -a 256; fi | cut -d' ' -f1; }
where() { # how many steps were taken; fails where the role is in none of the states
  local now at text
  text=$(live && echo .) || return 1
  now=$(printf '%s' "${text%.}" | sha) || return 1
  for at in "${!states[@]}"; do
    if [ "${states[$at]}" = "$now" ]; then echo "$at"; return 0; fi
  done
  return 1
}
arrive() { # IAM may take a moment to show what was done
  local try
  for try in 1 2 3 4 5 6; do
    if [ "$(where || true)" = "$1" ]; then return 0; fi
    sleep "$try"
  done
  return 1
}
same() { # a document is put only as it was proven
  if [ "$(sha < "$1")" != "$2" ]; then
    echo "$1 is not the file that was written with this script: fit again" >&2
    exit 1
  fi
}
"#;

/// Whose credentials these are.
const ACCOUNT: &str = r#"found=$(aws sts get-caller-identity --query Account --output text)
if [ "$found" != "$account" ]; then
  echo "these credentials are of account $found, $role is of $account" >&2
  exit 1
fi
last=$((${#states[@]} - 1))
"#;

const APPLY: &str = r#"if ! at=$(where); then
  echo "$role is not as it was analysed: collect and fit again" >&2
  exit 1
fi
if [ "$at" = "$last" ]; then
  echo "$role: nothing to do"
  exit 0
fi
while [ "$at" -lt "$last" ]; do
  at=$((at + 1))
  if ! step "$at" || ! arrive "$at"; then
    echo "$role: step $at failed, rolling back" >&2
    bash rollback.sh || true
    exit 1
  fi
done
echo "$role: done"
"#;

const ROLLBACK: &str = r#"# The boundary is set back first, where it is gone. One that somebody set since is left: it may be holding the
# role back.
bound=$(aws iam get-role --role-name "$role" --query 'Role.PermissionsBoundary.PermissionsBoundaryArn || `none`' --output text)
if [ -n "$boundary" ] && { [ "$bound" = none ] || [ "$bound" = None ]; }; then
  echo "$role: put permissions boundary $boundary"
  aws iam put-role-permissions-boundary --role-name "$role" --permissions-boundary "$boundary"
fi
at=
for try in 1 2 3 4; do
  if at=$(where); then break; fi
  sleep "$try"
done
if [ -z "$at" ]; then
  echo "$role is in none of the states that apply.sh knows: somebody else changed it" >&2
  exit 1
fi
while [ "$at" -gt 0 ]; do
  step "$at"
  at=$((at - 1))
  if ! arrive "$at"; then
    echo "$role is not as it must be after step $((at + 1)) was undone" >&2
    exit 1
  fi
done
echo "$role: as it was before"
"#;
