//! `rolefit collect`, and `fit --live`, which begins with it.

use std::io::{self, Write};
use std::path::PathBuf;

use anyhow::anyhow;
use clap::{Args as ClapArgs, ValueEnum};

use super::remote::ConnectArgs;
#[cfg(feature = "aws")]
use super::say;
use super::{Exit, Fault};

/// `rolefit collect`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Files are as the AWS CLI prints them. A run that was cut short goes on when it is started again.\n\nExamples:\n  rolefit collect --out ./snapshot\n  rolefit collect --out ./snapshot --region eu-central-1 --region us-east-1\n  rolefit collect --out ./snapshot --assume-role audit --accounts 111122223333,444455556666\n  rolefit collect --print-policy > policy.json"
)]
pub(super) struct CollectArgs {
    /// The folder to write
    #[arg(long, value_name = "DIR", required_unless_present = "print_policy")]
    pub(super) out: Option<PathBuf>,
    #[command(flatten)]
    pub(super) what: WhatArgs,
    /// Reports of last accesses for every role, not only for those that Lambda uses
    #[arg(long)]
    pub(super) all_roles: bool,
    /// Look for functions and trails in this Region; may be given several times, all Regions by default
    #[arg(long, value_name = "REGION")]
    pub(super) region: Vec<String>,
    /// Write over what is in the folder
    #[arg(long)]
    pub(super) force: bool,
    /// Incomplete is a failure
    #[arg(long)]
    pub(super) strict: bool,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
    /// Print the least policy that rolefit itself needs for a command, and do nothing else
    #[arg(long, value_name = "COMMAND", num_args = 0..=1, default_missing_value = "all")]
    pub(super) print_policy: Option<PolicyFor>,
}

/// What of which accounts.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(super) struct WhatArgs {
    /// Collect these accounts, through --assume-role
    #[arg(
        long,
        value_name = "ACCOUNTS",
        value_delimiter = ',',
        requires = "assume_role",
        help_heading = "AWS"
    )]
    pub(super) accounts: Vec<String>,
    /// The name of the role to assume in each of --accounts
    #[arg(long, value_name = "NAME", help_heading = "AWS")]
    pub(super) assume_role: Option<String>,
    /// Ask for no reports of last accesses
    #[arg(long, help_heading = "AWS")]
    pub(super) no_last_accessed: bool,
}

/// Which command's policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum PolicyFor {
    /// All of them
    All,
    /// `fit`, `scan` and others that read a trail from S3
    Fit,
    /// `collect` and `fit --live`
    Collect,
    /// `apply` and `rollback`
    Apply,
}

pub(super) fn run(args: &CollectArgs) -> Result<Exit, Fault> {
    if let Some(of) = args.print_policy {
        return print_policy(of);
    }
    let Some(out) = &args.out else {
        return Err(Fault::new(Exit::Usage, anyhow!("--out is missing")));
    };
    let complete = into(args, out)?;
    Ok(match (complete, args.strict) {
        (true, _) => Exit::Done,
        (false, false) => Exit::Incomplete,
        (false, true) => Exit::Failed,
    })
}

/// Collects into a folder, and says what was found; whether it was all.
#[cfg(feature = "aws")]
pub(super) fn into(args: &CollectArgs, out: &std::path::Path) -> Result<bool, Fault> {
    use super::remote::{connect, fault};
    use crate::aws::{CollectOptions, collect};
    let session = connect(&args.connect, args.region.first().map(String::as_str))?;
    let options = CollectOptions {
        regions: args.region.clone(),
        all_roles: args.all_roles,
        no_last_accessed: args.what.no_last_accessed,
        accounts: args.what.accounts.clone(),
        assume_role: args.what.assume_role.clone(),
        force: args.force,
    };
    let collected =
        collect(&session, &options, out, &|part| say("collect", part)).map_err(|error| {
            let occupied = error.message.ends_with("is not empty");
            let fault = fault(error);
            if occupied {
                return fault.hint(
                    "give another folder, or --force to write over what an earlier run collected",
                );
            }
            fault
        })?;
    for (what, why) in &collected.gaps {
        say("warning", &format!("{what} could not be had: {why}"));
    }
    if !collected.gaps.is_empty() {
        say(
            "hint",
            "run it again to fill the gaps; --region leaves out Regions that are not in use",
        );
    }
    if collected.kept > 0 {
        say(
            "collect",
            &format!(
                "{} parts were there from a run that was cut short",
                collected.kept
            ),
        );
    }
    say(
        "collected",
        &format!(
            "{} roles and {} functions of {} into {}",
            collected.roles,
            collected.functions,
            collected
                .accounts
                .iter()
                .cloned()
                .collect::<Vec<_>>()
                .join(", "),
            out.display()
        ),
    );
    Ok(collected.gaps.is_empty())
}

/// The same in a build without AWS.
#[cfg(not(feature = "aws"))]
pub(super) fn into(_: &CollectArgs, _: &std::path::Path) -> Result<bool, Fault> {
    Err(super::remote::not_built())
}

fn print_policy(of: PolicyFor) -> Result<Exit, Fault> {
    let wanted = |part: PolicyFor| of == PolicyFor::All || of == part;
    let mut statements = Vec::new();
    if wanted(PolicyFor::Fit) {
        statements.push(serde_json::json!({
            "Sid": "FitListTrail", "Effect": "Allow", "Action": "s3:ListBucket",
            "Resource": "arn:aws:s3:::TRAIL-BUCKET",
        }));
        statements.push(serde_json::json!({
            "Sid": "FitReadTrail", "Effect": "Allow", "Action": "s3:GetObject",
            "Resource": "arn:aws:s3:::TRAIL-BUCKET/*",
        }));
        statements.push(serde_json::json!({
            "Sid": "FitDecryptTrail", "Effect": "Allow", "Action": "kms:Decrypt",
            "Resource": "arn:aws:kms:*:*:key/KEY-OF-THE-TRAIL",
        }));
    }
    if wanted(PolicyFor::Collect) {
        statements.push(serde_json::json!({
            "Sid": "CollectSnapshot", "Effect": "Allow", "Resource": "*",
            "Action": [
                "cloudtrail:DescribeTrails", "cloudtrail:GetEventSelectors",
                "iam:GenerateServiceLastAccessedDetails", "iam:GetAccountAuthorizationDetails",
                "iam:GetServiceLastAccessedDetails", "lambda:GetPolicy",
                "lambda:ListEventSourceMappings", "lambda:ListFunctionEventInvokeConfigs",
                "lambda:ListFunctions",
            ],
        }));
        statements.push(serde_json::json!({
            "Sid": "CollectOtherAccounts", "Effect": "Allow", "Action": "sts:AssumeRole",
            "Resource": "arn:aws:iam::*:role/NAME-FOR-ASSUME-ROLE",
        }));
    }
    if wanted(PolicyFor::Apply) {
        statements.push(serde_json::json!({
            "Sid": "ApplyReadRoles", "Effect": "Allow", "Resource": "*",
            "Action": [
                "iam:GetPolicy", "iam:GetPolicyVersion", "iam:GetRole", "iam:GetRolePolicy",
                "iam:ListAttachedRolePolicies", "iam:ListRolePolicies",
            ],
        }));
        statements.push(serde_json::json!({
            "Sid": "ApplyChangeRoles", "Effect": "Allow", "Resource": "arn:aws:iam::*:role/*",
            "Action": [
                "iam:AttachRolePolicy", "iam:DeleteRolePolicy", "iam:DetachRolePolicy",
                "iam:PutRolePermissionsBoundary", "iam:PutRolePolicy",
            ],
        }));
        statements.push(serde_json::json!({
            "Sid": "ApplyOwnPolicies", "Effect": "Allow", "Resource": "arn:aws:iam::*:policy/*-rolefit-*",
            "Action": ["iam:CreatePolicy", "iam:DeletePolicy"],
        }));
    }
    let document = serde_json::json!({"Version": "2012-10-17", "Statement": statements});
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &document).map_err(io::Error::from)?;
    writeln!(out)?;
    Ok(Exit::Done)
}
