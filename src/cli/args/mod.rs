//! The arguments as they are typed. Nothing below `cli` sees them in this form.

mod catalog;
mod shared;

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

pub(super) use catalog::{BuildArgs, CatalogCommand, ShowArgs, StatsArgs};
pub(super) use shared::{
    Conditions, DigestArgs, Granularity, LogArgs, ProposalArgs, RoleArgs, RunArgs, SelectionArgs,
    SnapshotArgs, StoredArgs, Unseen, on_disk,
};

/// Right-size AWS Lambda execution roles from CloudTrail.
///
/// Reads CloudTrail, works out which actions each Lambda execution role used on which resources, and
/// writes a tightened inline policy with a diff against the current one. Nothing is changed in AWS.
#[derive(Debug, Parser)]
#[command(
    name = "rolefit",
    version,
    max_term_width = 100,
    arg_required_else_help = true
)]
#[command(
    after_help = "Examples:\n  rolefit fit ./AWSLogs --snapshot ./snapshot --since 90d --out-dir ./out\n  rolefit check ./AWSLogs --snapshot ./snapshot --max-sensitive-unused 0 --forbid-admin\n  rolefit verify --current current.json --proposed policy.json\n\nExit codes:\n   0  done\n   1  failed, nothing trustworthy was produced\n   2  wrong arguments\n   3  no input matched\n   4  done, but something could not be read or a role needs a person (--strict makes it 1)\n  10  check: a role can be tightened beyond the limits\n  11  verify: not contained; check: something forbidden is granted, or a promise failed\n  12  check --state: calls are denied that were not when it last ran"
)]
pub(in crate::cli) struct Args {
    #[command(subcommand)]
    pub(in crate::cli) command: Command,
    /// Defaults for options; rolefit.toml of the working directory where it exists
    #[arg(long, value_name = "FILE", global = true, help_heading = "Run")]
    pub(in crate::cli) config: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum Command {
    /// The main job: policies, diffs and a report per Lambda role
    Fit(FitArgs),
    /// Fit on the past, replay the rest: what is denied, and how much wider than used
    Backtest(BacktestArgs),
    /// A gate for pipelines and periodic jobs: fails where roles hold more than they use
    Check(super::check::CheckArgs),
    /// What these logs can and cannot show of what is granted, and how to see more
    Coverage(CoverageArgs),
    /// Why a line is there or gone: the evidence on a role's actions
    Explain(ExplainArgs),
    /// Denied calls, which policy refused each, and how that door opens
    Denied(DeniedArgs),
    /// Logs to one usage file, or to a part of it, for the other commands to answer from
    Scan(super::scan::ScanArgs),
    /// Usage files to one
    Merge(super::scan::MergeArgs),
    /// The account as it is now, as a snapshot folder for the other commands
    Collect(super::collect::CollectArgs),
    /// Put proposals of a `fit` in place, checked before each step; a dry run without --yes
    Apply(super::apply::ApplyArgs),
    /// Put back what a role had before `apply`
    Rollback(super::apply::RollbackArgs),
    /// One JSON line per record: role, function, requests, outcome
    Requests(RequestsArgs),
    /// Is everything that the proposed policies allow allowed by the current ones?
    Verify(VerifyArgs),
    /// One decision: do these policies allow an action on a resource?
    Simulate(SimulateArgs),
    /// What rolefit knows of AWS: actions, events, visibility; and how to add to it
    #[command(subcommand)]
    Catalog(CatalogCommand),
    /// The JSON Schema of a file that rolefit writes or reads
    Schema(SchemaArgs),
    /// Completions for a shell
    #[command(
        after_help = "Examples:\n  rolefit completions bash > ~/.local/share/bash-completion/completions/rolefit\n  rolefit completions zsh > ~/.zfunc/_rolefit"
    )]
    Completions {
        /// The shell
        #[arg(value_enum)]
        shell: clap_complete::Shell,
    },
    /// The manual page, of rolefit or of one command
    #[command(
        after_help = "Examples:\n  rolefit man | man -l -\n  rolefit man fit > rolefit-fit.1"
    )]
    Man {
        /// A command; rolefit itself without
        command: Option<String>,
    },
}

/// `rolefit schema`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  rolefit schema report > rolefit-report.schema.json\n  rolefit schema config > rolefit-toml.schema.json"
)]
pub(in crate::cli) struct SchemaArgs {
    /// Which one
    #[arg(value_enum)]
    pub(in crate::cli) of: SchemaOf,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum SchemaOf {
    /// report.json
    Report,
    /// rolefit.toml
    Config,
}

/// `rolefit fit`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  rolefit fit ./trail --snapshot ./snapshot --out-dir ./out\n  rolefit fit ./trail --account-details account-authorization-details.json --role 'order-*'\n  rolefit fit './trail/**/2026/11/*/*.json.gz' --snapshot ./snapshot --since 30d --output json"
)]
pub(in crate::cli) struct FitArgs {
    #[command(flatten)]
    pub(in crate::cli) roles: ProposalArgs,
    /// Take the snapshot now, as `rolefit collect` does, into --snapshot or a folder that goes with the run
    #[arg(long, help_heading = "AWS")]
    pub(in crate::cli) live: bool,
    #[command(flatten)]
    pub(in crate::cli) collect: super::collect::WhatArgs,
    /// Folder for the report and a folder per role
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(in crate::cli) out_dir: Option<PathBuf>,
    /// Write into a folder that is not empty
    #[arg(long, requires = "out_dir", help_heading = "Output")]
    pub(in crate::cli) force: bool,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    pub(in crate::cli) output: Format,
    /// Where logging comes from in role.tf, template.yaml, sam.yaml and aws-cli.txt
    #[arg(long, value_enum, default_value_t = Logging::Inline, help_heading = "Output")]
    pub(in crate::cli) logging: Logging,
    /// Account, Region and partition as pseudo parameters in role.tf, template.yaml and sam.yaml
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) portable: bool,
    /// Diffs in two columns, where the terminal has 100 or more
    #[arg(long, help_heading = "Output")]
    pub(in crate::cli) side_by_side: bool,
    /// Incomplete input or a role that needs a person is a failure
    #[arg(long, help_heading = "Run")]
    pub(in crate::cli) strict: bool,
}

/// `rolefit denied`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  rolefit denied ./trail --snapshot ./snapshot\n  rolefit denied ./trail --snapshot ./snapshot --role order-processor-role --since 7d --output json"
)]
pub(in crate::cli) struct DeniedArgs {
    #[command(flatten)]
    pub(in crate::cli) logs: LogArgs,
    #[command(flatten)]
    pub(in crate::cli) roles: RoleArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text, help_heading = "Output")]
    pub(in crate::cli) output: Output,
}

/// `rolefit backtest`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Without a snapshot every role is taken to be allowed everything today.\n\nExamples:\n  rolefit backtest ./trail --snapshot ./snapshot --split 80%\n  rolefit backtest ./trail --snapshot ./snapshot --split 2026-11-01 --rolling 4 --output json"
)]
pub(in crate::cli) struct BacktestArgs {
    #[command(flatten)]
    pub(in crate::cli) logs: LogArgs,
    #[command(flatten)]
    pub(in crate::cli) roles: RoleArgs,
    /// Fit on what comes before: a share of the time, or a date
    #[arg(
        long,
        value_name = "PERCENT%|TIME",
        default_value = "80%",
        help_heading = "Split"
    )]
    pub(in crate::cli) split: String,
    /// Cut the rest into N parts and replay each against a fit of all before it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100), help_heading = "Split")]
    pub(in crate::cli) rolling: u32,
    /// Only this granularity; may be given several times, all three side by side by default
    #[arg(long, value_enum, help_heading = "Policy")]
    pub(in crate::cli) granularity: Vec<Granularity>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text, help_heading = "Output")]
    pub(in crate::cli) output: Output,
}

/// `rolefit coverage`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  rolefit coverage ./trail --snapshot ./snapshot\n  rolefit coverage ./trail --snapshot ./snapshot --output json"
)]
pub(in crate::cli) struct CoverageArgs {
    #[command(flatten)]
    pub(in crate::cli) logs: LogArgs,
    #[command(flatten)]
    pub(in crate::cli) roles: RoleArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text, help_heading = "Output")]
    pub(in crate::cli) output: Output,
}

/// `rolefit explain`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  rolefit explain order-processor-role s3:PutObject ./trail --snapshot ./snapshot\n  rolefit explain order-processor-role --report ./out\n  rolefit explain 'order-*' 'kms:*' ./trail --snapshot ./snapshot --output json"
)]
pub(in crate::cli) struct ExplainArgs {
    /// The role's name or ARN, `*` and `?` allowed
    pub(in crate::cli) role: String,
    /// An action or a pattern of actions (all that is granted without one), then log files, folders,
    /// globs in quotes, or `-`
    #[arg(value_name = "[ACTION] LOGS")]
    pub(in crate::cli) rest: Vec<String>,
    /// In place of LOGS: the report.json of `fit`, or the folder of its --out-dir
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) report: Option<PathBuf>,
    #[command(flatten)]
    pub(in crate::cli) stored: StoredArgs,
    #[command(flatten)]
    pub(in crate::cli) account: SnapshotArgs,
    #[command(flatten)]
    pub(in crate::cli) selection: SelectionArgs,
    #[command(flatten)]
    pub(in crate::cli) s3: super::remote::S3Args,
    #[command(flatten)]
    pub(in crate::cli) digests: DigestArgs,
    #[command(flatten)]
    pub(in crate::cli) run: RunArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text, help_heading = "Output")]
    pub(in crate::cli) output: Output,
}

/// `rolefit requests`.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct RequestsArgs {
    #[command(flatten)]
    pub(in crate::cli) logs: LogArgs,
}

/// `rolefit verify`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Exit codes: 0 contained, 11 not contained or not decided")]
pub(in crate::cli) struct VerifyArgs {
    /// Policy documents of today, or a `current.json` that `fit` wrote
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(in crate::cli) current: Vec<PathBuf>,
    /// Policy documents to come, such as a `policy.json` that `fit` wrote
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(in crate::cli) proposed: Vec<PathBuf>,
    /// The permissions boundary of the role, before and after
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) boundary: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(in crate::cli) output: Output,
}

/// `rolefit simulate`.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct SimulateArgs {
    /// Policy documents of the principal, or a `current.json` that `fit` wrote
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(in crate::cli) policy: Vec<PathBuf>,
    /// Its permissions boundary, in place of one that a `current.json` holds
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) boundary: Option<PathBuf>,
    /// The action, such as s3:GetObject
    #[arg(long)]
    pub(in crate::cli) action: String,
    /// The resource's ARN, or `*`
    #[arg(long, default_value = "*")]
    pub(in crate::cli) resource: String,
    /// A condition key of the request and its value; may be given several times, also for one key
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    pub(in crate::cli) context: Vec<String>,
    /// The request has no other condition keys than those given
    #[arg(long)]
    pub(in crate::cli) complete: bool,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(in crate::cli) output: Output,
}

/// `--output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// `--output` of the commands that make a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Format {
    /// For the terminal
    Text,
    /// The whole report for programs; `rolefit schema report` prints its schema
    Json,
    /// For pull requests and step summaries
    Markdown,
    /// One file for the browser
    Html,
    /// SARIF 2.1.0 for code scanning
    Sarif,
    /// Annotations of GitHub Actions
    Github,
}

/// `--logging`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Logging {
    /// Statements of the inline policy
    Inline,
    /// AWSLambdaBasicExecutionRole, where today's policies allow all of it
    Managed,
}
