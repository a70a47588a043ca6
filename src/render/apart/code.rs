//! The own role of a function for Terraform and SAM.

use std::fmt::Write as _;

use serde_json::Value;

use super::super::infra::{Portable, hcl, hcl_text, identifier, yaml, yaml_text};
use super::FunctionRole;

pub(super) fn terraform(function: &FunctionRole, policy: &Value) -> String {
    let id = identifier(&function.role_name, "_");
    let json = |value| hcl(Portable::default(), value, 2);
    let boundary = function.boundary.as_ref().map_or_else(String::new, |arn| {
        format!("  permissions_boundary = {}\n", hcl_text(arn))
    });
    let mut out = format!(
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
"#,
        name = hcl_text(&function.role_name),
        path = hcl_text(&function.role_path),
        trust = json(&function.trust_policy),
        policy = json(policy),
    );
    for (at, managed) in function.managed().iter().enumerate() {
        let number = at + 1;
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
"#,
            name = hcl_text(&managed.name),
            policy = json(&managed.policy),
        );
    }
    let _ = write!(
        out,
        "\n# In the aws_lambda_function of the function:\n#   role = aws_iam_role.{id}.arn\n"
    );
    out
}

pub(super) fn sam(function: &FunctionRole, policy: &Value) -> String {
    let id = identifier(&function.role_name, "");
    let json = |value, indent| yaml(Portable::default(), value, indent);
    let boundary = function.boundary.as_ref().map_or_else(String::new, |arn| {
        format!("      PermissionsBoundary: {}\n", yaml_text(arn))
    });
    let mut out = format!(
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
{boundary}      AssumeRolePolicyDocument:{trust}      Policies:
        - PolicyName: least-privilege
          PolicyDocument:{policy}"#,
        name = yaml_text(&function.role_name),
        path = yaml_text(&function.role_path),
        trust = json(&function.trust_policy, 8),
        policy = json(policy, 12),
    );
    for (at, managed) in function.managed().iter().enumerate() {
        let _ = write!(
            out,
            "  Policy{id}{}:\n    Type: AWS::IAM::ManagedPolicy\n    Properties:\n      ManagedPolicyName: {}\n      Roles: [!Ref Role{id}]\n      PolicyDocument:{}",
            at + 1,
            yaml_text(&managed.name),
            json(&managed.policy, 8)
        );
    }
    out
}
