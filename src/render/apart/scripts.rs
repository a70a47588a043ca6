//! The scripts that move a function to its own role, back again, and delete the shared role at last.

use std::fmt::Write as _;

use super::super::RoleReport;
use super::super::infra::shell as quoted;
use super::{FunctionRole, PerFunction};

const SHELL: &str = "#!/usr/bin/env bash\n";

pub(super) fn apply(role: &RoleReport, function: &FunctionRole) -> String {
    let name = quoted(&function.role_name);
    let arn = quoted(&function.function);
    let region = quoted(&function.region);
    let boundary = function.boundary.as_ref().map_or_else(String::new, |arn| {
        format!(" --permissions-boundary {}", quoted(arn))
    });
    let own = quoted(&function.role_arn(&role.arn));
    format!(
        r#"{SHELL}# Moves one function from the shared role to a role of its own. Needs iam:CreateRole, iam:PutRolePolicy,
# iam:PassRole on the new role and lambda:UpdateFunctionConfiguration.
set -euo pipefail
cd "$(dirname "$0")"

# 1. The role.
aws iam create-role --role-name {name} --path {path} --assume-role-policy-document file://trust-policy.json{boundary}
aws iam put-role-policy --role-name {name} --policy-name least-privilege --policy-document file://policy.json
{managed}aws iam wait role-exists --role-name {name}
sleep 15 # until every place where IAM decides knows it

# 2. The function.
aws lambda update-function-configuration --function-name {arn} --role {own} --region {region}
aws lambda wait function-updated-v2 --function-name {arn} --region {region}

# 3. Look at it.
test "$(aws lambda get-function-configuration --function-name {arn} --region {region} --query Role --output text)" = {own}
aws lambda list-versions-by-function --function-name {arn} --region {region} --query 'Versions[].[Version,Role]' --output text
echo 'Versions that still show the old role keep it: publish a new version and move the aliases to it.'
"#,
        path = quoted(&function.role_path),
        managed = attach(role, function),
    )
}

fn policy_arn(role: &RoleReport, name: &str) -> String {
    let (prefix, _) = role.arn.split_once(":role/").unwrap_or((&role.arn, ""));
    quoted(&format!("{prefix}:policy/{name}"))
}

fn attach(role: &RoleReport, function: &FunctionRole) -> String {
    let mut out = String::new();
    for (at, managed) in function.managed().iter().enumerate() {
        let _ = writeln!(
            out,
            "aws iam create-policy --policy-name {} --policy-document file://managed-policy-{}.json\naws iam attach-role-policy --role-name {} --policy-arn {}",
            quoted(&managed.name),
            at + 1,
            quoted(&function.role_name),
            policy_arn(role, &managed.name)
        );
    }
    out
}

pub(super) fn rollback(role: &RoleReport, function: &FunctionRole) -> String {
    let name = quoted(&function.role_name);
    let arn = quoted(&function.function);
    let region = quoted(&function.region);
    format!(
        r"{SHELL}# Points the function back to the shared role and deletes its own.
set -euo pipefail
aws lambda update-function-configuration --function-name {arn} --role {shared} --region {region}
aws lambda wait function-updated-v2 --function-name {arn} --region {region}
aws iam delete-role-policy --role-name {name} --policy-name least-privilege
{managed}aws iam delete-role --role-name {name}
",
        shared = quoted(&role.arn),
        managed = detach(role, function),
    )
}

fn detach(role: &RoleReport, function: &FunctionRole) -> String {
    let mut out = String::new();
    for managed in function.managed() {
        let arn = policy_arn(role, &managed.name);
        let _ = writeln!(
            out,
            "aws iam detach-role-policy --role-name {} --policy-arn {arn}\naws iam delete-policy --policy-arn {arn}",
            quoted(&function.role_name)
        );
    }
    out
}

/// The last step, for later.
pub(super) fn finish(role: &RoleReport, apart: &PerFunction) -> String {
    let name = quoted(role.name());
    let mut out = format!(
        "{SHELL}# Deletes the shared role, once nothing uses it. Run it only after every function works with its own.\nset -euo pipefail\n\n"
    );
    for region in apart
        .functions
        .iter()
        .map(|function| function.region.as_str())
        .collect::<std::collections::BTreeSet<_>>()
    {
        let _ = writeln!(
            out,
            "left=$(aws lambda list-functions --function-version ALL --region {} --query {} --output text)\ntest -z \"$left\" || {{ echo \"still used by: $left\"; exit 1; }}",
            quoted(region),
            quoted(&format!("Functions[?Role=='{}'].FunctionArn", role.arn))
        );
    }
    out.push('\n');
    for document in &role.current.documents {
        match (document.kind.as_str(), &document.arn) {
            ("inline", _) => {
                let _ = writeln!(
                    out,
                    "aws iam delete-role-policy --role-name {name} --policy-name {}",
                    quoted(&document.name)
                );
            }
            ("boundary", _) => {
                let _ = writeln!(
                    out,
                    "aws iam delete-role-permissions-boundary --role-name {name}"
                );
            }
            (_, Some(arn)) => {
                let _ = writeln!(
                    out,
                    "aws iam detach-role-policy --role-name {name} --policy-arn {}",
                    quoted(arn)
                );
            }
            _ => {}
        }
    }
    let _ = writeln!(out, "aws iam delete-role --role-name {name}");
    out
}
