//! One role for each function: the model, the page of the sharing table, and the files that move a
//! function to its own role. Pure text: what is in it was decided elsewhere.

use std::fmt::Write as _;
use std::io;

use serde::Serialize;
use serde_json::Value;

use super::escape::{plain, thousands};
use super::text::wrapped;
use super::{Proposed, ReasonRow, RoleReport, Status, Verification, WitnessRow};

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
    fn managed(&self) -> &[super::ManagedPolicyRow] {
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

/// Writes the sharing table of a role.
pub(super) fn write_table(role: &RoleReport, out: &mut impl io::Write) -> io::Result<()> {
    let Some(apart) = &role.doors.per_function else {
        return Ok(());
    };
    let union = match (&apart.union_contained.holds, &apart.union_contained.reason) {
        (true, _) => "together they allow nothing new",
        (false, Some(_)) => "it could not be proven that together they allow nothing new",
        (false, None) => "TOGETHER THEY WOULD ALLOW SOMETHING NEW",
    };
    wrapped(
        out,
        "             ",
        &format!(
            "a role per function: {} functions; {union}",
            apart.functions.len()
        ),
    )?;
    for function in &apart.functions {
        let actions = function
            .proposed
            .as_ref()
            .map_or_else(|| "?".to_owned(), |p| thousands(p.allowed_actions as u64));
        writeln!(
            out,
            "               {:<9} {} → {}: {} → {actions} actions, {} of the others gone",
            function.status.as_str(),
            plain(&function.name),
            plain(&function.role_name),
            thousands(role.current.allowed_actions as u64),
            function.loses.len()
        )?;
    }
    for said in &apart.said {
        wrapped(out, "               ", &plain(said))?;
    }
    Ok(())
}

/// The files of a shared role, relative to the role's folder.
pub(super) fn files(role: &RoleReport) -> Vec<(String, String)> {
    let Some(apart) = &role.doors.per_function else {
        return Vec::new();
    };
    let mut files = vec![
        ("functions/sharing.md".to_owned(), sharing(role, apart)),
        ("functions/finish.sh".to_owned(), finish(role, apart)),
    ];
    for function in &apart.functions {
        let folder = format!(
            "functions/{}",
            super::paths::file_name(&function.folder(&apart.functions))
        );
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
        file("apply.sh", apply(role, function));
        file("rollback.sh", rollback(role, function));
        file("role.tf", terraform(function, policy));
        file("template.yaml", sam(function, policy));
    }
    files
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// Markdown cells: names come from logs.
fn cell(text: &str) -> String {
    let mut out = String::new();
    for c in plain(text).chars() {
        match c {
            '|' | '`' | '<' | '>' | '*' | '_' | '[' | ']' | '\\' => {
                out.push('\\');
                out.push(c);
            }
            c => out.push(c),
        }
    }
    out
}

fn sharing(role: &RoleReport, apart: &PerFunction) -> String {
    let mut out = String::new();
    let _ = writeln!(
        out,
        "# {}: a role per function\n\n{} functions share the role, which allows {} actions. Each row is a function with its own role: the actions that role allows, the calls that are surely the function's, and what it loses of what the others need.\n",
        cell(role.name()),
        apart.functions.len(),
        thousands(role.current.allowed_actions as u64)
    );
    out.push_str("| function | status | own role | actions | own calls | calls it may have made | loses |\n|---|---|---|---|---|---|---|\n");
    for function in &apart.functions {
        let actions = function
            .proposed
            .as_ref()
            .map_or_else(|| "?".to_owned(), |p| thousands(p.allowed_actions as u64));
        let loses: Vec<String> = function.loses.iter().take(12).map(|a| cell(a)).collect();
        let more = function.loses.len().saturating_sub(12);
        let more = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        let _ = writeln!(
            out,
            "| {} | {} | {} | {actions} | {} | {} | {}{more} |",
            cell(&function.name),
            function.status.as_str(),
            cell(&function.role_name),
            thousands(function.own_calls),
            thousands(function.shared_calls),
            if loses.is_empty() {
                "nothing".to_owned()
            } else {
                loses.join(", ")
            }
        );
    }
    if !apart.said.is_empty() {
        out.push_str("\n## What is of no one function\n\n");
        for said in &apart.said {
            let _ = writeln!(out, "- {}", cell(said));
        }
    }
    out.push_str("\n## The way there\n\n1. `functions/FUNCTION/apply.sh` makes the role, waits, points the function to it and looks at the result; `rollback.sh` points it back. `role.tf` and `template.yaml` hold the same role for Terraform and SAM.\n2. Published versions keep the role they were published with: publish a new version and move the aliases.\n3. Policies elsewhere that name the shared role (buckets, keys, queues, trust policies of roles it assumes) must name the new roles too.\n4. Watch `rolefit denied` for a window that holds the rare work.\n5. `functions/finish.sh` deletes the shared role once no function and no version uses it.\n");
    if !role.allowed_elsewhere.is_empty() {
        out.push_str("\nCalls that another policy than the role's own allowed today, so that it must name the new roles:\n\n");
        for row in role.allowed_elsewhere.iter().take(50) {
            let _ = writeln!(out, "- {} on {}", cell(&row.action), cell(&row.resource));
        }
    }
    out
}

/// Text that a shell takes literally.
fn quoted(text: &str) -> String {
    format!("'{}'", plain(text).replace('\'', r"'\''"))
}

const SHELL: &str = "#!/usr/bin/env bash\n";

fn apply(role: &RoleReport, function: &FunctionRole) -> String {
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

fn rollback(role: &RoleReport, function: &FunctionRole) -> String {
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
fn finish(role: &RoleReport, apart: &PerFunction) -> String {
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

/// JSON as an expression of HCL: templates in strings are escaped.
fn hcl(value: &Value, indent: &str) -> String {
    let text = serde_json::to_string_pretty(value).unwrap_or_default();
    let text = text.replace("${", "$${").replace("%{", "%%{");
    text.replace('\n', &format!("\n{indent}"))
}

fn identifier(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| if c.is_ascii_alphanumeric() { c } else { '_' })
        .collect();
    if safe.starts_with(|c: char| c.is_ascii_digit()) {
        format!("_{safe}")
    } else {
        safe
    }
}

fn terraform(function: &FunctionRole, policy: &Value) -> String {
    let id = identifier(&function.role_name);
    let text = |text: &str| hcl(&Value::String(text.to_owned()), "");
    let boundary = function.boundary.as_ref().map_or_else(String::new, |arn| {
        format!("  permissions_boundary = {}\n", text(arn))
    });
    format!(
        r#"resource "aws_iam_role" "{id}" {{
  name               = {name}
  path               = {path}
{boundary}  assume_role_policy = jsonencode({trust})
}}

resource "aws_iam_role_policy" "{id}" {{
  name   = "least-privilege"
  role   = aws_iam_role.{id}.id
  policy = jsonencode({policy})
}}
{managed}
# In the aws_lambda_function of the function:
#   role = aws_iam_role.{id}.arn
"#,
        name = text(&function.role_name),
        path = text(&function.role_path),
        trust = hcl(&function.trust_policy, "  "),
        policy = hcl(policy, "  "),
        managed = managed_terraform(function, &id),
    )
}

fn managed_terraform(function: &FunctionRole, id: &str) -> String {
    let mut out = String::new();
    for (at, managed) in function.managed().iter().enumerate() {
        let number = at + 1;
        let name = hcl(&Value::String(managed.name.clone()), "");
        let policy = hcl(&managed.policy, "  ");
        let _ = write!(
            out,
            r#"
resource "aws_iam_policy" "{id}_{number}" {{
  name   = {name}
  policy = jsonencode({policy})
}}

resource "aws_iam_role_policy_attachment" "{id}_{number}" {{
  role       = aws_iam_role.{id}.name
  policy_arn = aws_iam_policy.{id}_{number}.arn
}}
"#
        );
    }
    out
}

fn sam(function: &FunctionRole, policy: &Value) -> String {
    // JSON is YAML.
    let json = |value: &Value| {
        let text = serde_json::to_string_pretty(value).unwrap_or_default();
        text.replace('\n', "\n        ")
    };
    let id: String = function
        .role_name
        .chars()
        .filter(char::is_ascii_alphanumeric)
        .collect();
    let text = |text: &str| Value::String(text.to_owned()).to_string();
    let boundary = function.boundary.as_ref().map_or_else(String::new, |arn| {
        format!("      PermissionsBoundary: {}\n", text(arn))
    });
    format!(
        r#"# Deploy with CAPABILITY_NAMED_IAM. In the AWS::Serverless::Function of the function, in place of its
# policies:
#   Role: !GetAtt Role{id}.Arn
AWSTemplateFormatVersion: "2010-09-09"
Transform: AWS::Serverless-2016-10-31
Resources:
  Role{id}:
    Type: AWS::IAM::Role
    Properties:
      RoleName: {name}
      Path: {path}
{boundary}      AssumeRolePolicyDocument:
        {trust}
      Policies:
        - PolicyName: least-privilege
          PolicyDocument:
            {policy}
{managed}"#,
        name = text(&function.role_name),
        path = text(&function.role_path),
        trust = json(&function.trust_policy),
        policy = json(policy).replace("\n        ", "\n            "),
        managed = managed_sam(function, &id),
    )
}

fn managed_sam(function: &FunctionRole, id: &str) -> String {
    let mut out = String::new();
    for (at, managed) in function.managed().iter().enumerate() {
        let policy = serde_json::to_string_pretty(&managed.policy).unwrap_or_default();
        let _ = write!(
            out,
            "  Policy{id}{}:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      ManagedPolicyName: {}\n      Roles: [!Ref Role{id}]\n      PolicyDocument:\n        {}\n",
            at + 1,
            Value::String(managed.name.clone()),
            policy.replace('\n', "\n        ")
        );
    }
    out
}
