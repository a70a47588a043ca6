//! One role for each function: the model, the page of the sharing table, and the files that move a
//! function to its own role. Pure text: what is in it was decided elsewhere.

mod code;
mod scripts;
mod sharing;

use super::paths::{distinct, file_name};
use serde::Serialize;
use serde_json::Value;

pub(super) use sharing::write_table;

use super::{ManagedPolicyRow, Proposed, ReasonRow, RoleReport, Status, Verification, WitnessRow};

/// A shared role taken apart.
#[derive(Clone, Debug, Serialize)]
pub struct PerFunction {
    /// The own policies together allow nothing that the shared role's current policies do not.
    pub union_contained: Union,
    /// What was decided about calls that are of no one function.
    pub said: Vec<String>,
    /// A role for each function.
    pub functions: Vec<FunctionRole>,
}

/// The proof over all own policies of a shared role.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Union {
    /// Proven.
    pub holds: bool,
    /// A request that breaks it.
    pub witness: Option<WitnessRow>,
    /// Why it could not be decided.
    pub reason: Option<String>,
}

/// The own role of one function.
#[derive(Clone, Debug, Serialize)]
pub struct FunctionRole {
    /// The function's ARN.
    pub function: String,
    /// Its name.
    pub name: String,
    /// Its Region.
    pub region: String,
    /// The snapshot describes it.
    pub described: bool,
    /// Verdict on the proposal.
    pub status: Status,
    /// Why it is not `ready`, and what else to know.
    pub reasons: Vec<ReasonRow>,
    /// The name of the role to make.
    pub role_name: String,
    /// Its path.
    pub role_path: String,
    /// Its permissions boundary, as the shared role has it.
    pub boundary: Option<String>,
    /// Who may take it.
    pub trust_policy: Value,
    /// Why the trust policy is as it is.
    pub trust_reason: String,
    /// Statements that carry `lambda:SourceFunctionArn`.
    pub source_function_statements: usize,
    /// What it may do.
    pub proposed: Option<Proposed>,
    /// The promises, for the calls of this function.
    pub verification: Option<Verification>,
    /// Authorised calls that are surely the function's.
    pub own_calls: u64,
    /// Authorised calls that it may have made.
    pub shared_calls: u64,
    /// Actions that other functions' policies have and this one's has not.
    pub loses: Vec<String>,
}

impl FunctionRole {
    fn applicable(&self) -> Option<&Value> {
        let proposed = self
            .proposed
            .as_ref()
            .filter(|_| self.status != Status::Refused);
        proposed.and_then(|proposed| proposed.policy.as_ref())
    }

    /// Customer managed policies to make and attach beside the inline one.
    fn managed(&self) -> &[ManagedPolicyRow] {
        let proposed = self.proposed.as_ref();
        proposed.map_or(&[], |proposed| &proposed.managed_policies)
    }

    fn role_arn(&self, shared: &str) -> String {
        let (prefix, _) = shared.split_once(":role/").unwrap_or((shared, ""));
        format!("{prefix}:role{}{}", self.role_path, self.role_name)
    }

    /// The name of its folder: two functions of one name differ by their Region.
    fn folder(&self, all: &[Self]) -> String {
        let twins = all.iter().filter(|other| other.name == self.name).count();
        if twins > 1 {
            format!("{}.{}", self.name, self.region)
        } else {
            self.name.clone()
        }
    }
}

/// The files of a shared role, relative to the role's folder.
pub(super) fn files(role: &RoleReport) -> Vec<(String, String)> {
    let Some(apart) = &role.doors.per_function else {
        return Vec::new();
    };
    let mut files = vec![
        (
            "functions/sharing.md".to_owned(),
            sharing::page(role, apart),
        ),
        (
            "functions/finish.sh".to_owned(),
            scripts::finish(role, apart),
        ),
    ];
    let names = apart
        .functions
        .iter()
        .map(|function| file_name(&function.folder(&apart.functions)));
    let names = distinct(names, &["sharing.md", "finish.sh"]);
    for (function, name) in apart.functions.iter().zip(names) {
        let folder = format!("functions/{name}");
        let mut file = |name: &str, text: String| files.push((format!("{folder}/{name}"), text));
        file(
            "decision.json",
            pretty(&serde_json::to_value(function).unwrap_or_default()),
        );
        let Some(policy) = function.applicable() else {
            continue;
        };
        file("policy.json", pretty(policy));
        for (at, managed) in function.managed().iter().enumerate() {
            file(
                &format!("managed-policy-{}.json", at + 1),
                pretty(&managed.policy),
            );
        }
        file("trust-policy.json", pretty(&function.trust_policy));
        file("apply.sh", scripts::apply(role, function));
        file("rollback.sh", scripts::rollback(role, function));
        file("role.tf", code::terraform(function, policy));
        file("template.yaml", code::sam(function, policy));
    }
    files
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}
