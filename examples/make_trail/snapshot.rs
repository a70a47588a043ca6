//! What the AWS CLI would print of the invented organisation: roles with policies that are too wide.

use std::fs;
use std::io;
use std::path::Path;

use serde_json::{Value, json};

use crate::words::{KINDS, World};

pub(crate) fn write(folder: &Path, world: &World) -> io::Result<()> {
    fs::create_dir_all(folder)?;
    let roles: Vec<Value> = world
        .roles
        .iter()
        .map(|role| role_json(world, role))
        .collect();
    let details = json!({
        "UserDetailList": [], "GroupDetailList": [], "Policies": [], "RoleDetailList": roles,
    });
    fs::write(
        folder.join("account-authorization-details.json"),
        details.to_string(),
    )?;
    let functions: Vec<Value> = world
        .roles
        .iter()
        .filter(|role| role.lambda)
        .map(|role| {
            let account = &world.accounts[role.account];
            let name = role.name.trim_end_matches("-role");
            json!({
                "FunctionName": name,
                "FunctionArn": format!("arn:aws:lambda:us-east-1:{account}:function:{name}"),
                "Runtime": "python3.13",
                "Role": format!("arn:aws:iam::{account}:role/{}", role.name),
                "Handler": "app.handler",
                "Timeout": 30,
                "MemorySize": 256,
                "Version": "$LATEST",
                "TracingConfig": {"Mode": "PassThrough"},
            })
        })
        .collect();
    fs::write(
        folder.join("functions.json"),
        json!({ "Functions": functions }).to_string(),
    )
}

fn role_json(world: &World, role: &crate::words::Role) -> Value {
    let service = if role.lambda { "lambda" } else { "ec2" };
    let mut services: Vec<String> = role
        .kinds
        .iter()
        .map(|kind| match KINDS[*kind].source {
            "monitoring" => "cloudwatch:*".to_owned(),
            source => format!("{source}:*"),
        })
        .collect();
    services.push("logs:*".to_owned());
    services.sort();
    services.dedup();
    json!({
        "Path": "/",
        "RoleName": role.name,
        "RoleId": role.id,
        "Arn": format!("arn:aws:iam::{}:role/{}", world.accounts[role.account], role.name),
        "CreateDate": "2024-01-01T00:00:00+00:00",
        "AssumeRolePolicyDocument": {
            "Version": "2012-10-17",
            "Statement": [{
                "Effect": "Allow",
                "Principal": {"Service": format!("{service}.amazonaws.com")},
                "Action": "sts:AssumeRole",
            }],
        },
        "InstanceProfileList": [],
        "RolePolicyList": [{
            "PolicyName": "wide",
            "PolicyDocument": {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": services, "Resource": "*"}],
            },
        }],
        "AttachedManagedPolicies": [],
        "Tags": [],
    })
}
