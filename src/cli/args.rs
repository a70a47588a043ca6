//! The arguments as they are typed. Nothing below `cli` sees them in this form.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Parser, Subcommand, ValueEnum};

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
    after_help = "Examples:\n  rolefit fit ./AWSLogs --snapshot ./snapshot --since 90d --out-dir ./out\n  rolefit check ./AWSLogs --snapshot ./snapshot --max-sensitive-unused 0 --forbid-admin\n  rolefit verify --current current.json --proposed policy.json\n\nExit codes:\n   0  done\n   1  failed, nothing trustworthy was produced\n   2  wrong arguments\n   3  no input matched\n   4  done, but something could not be read or a role needs a person (--strict makes it 1)\n  10  check: a role can be tightened beyond the limits\n  11  verify: not contained; check: something forbidden is granted, or a promise failed"
)]
pub(super) struct Args {
    #[command(subcommand)]
    pub(super) command: Command,
    /// Defaults for options; rolefit.toml of the working directory where it exists
    #[arg(long, value_name = "FILE", global = true, help_heading = "Run")]
    pub(super) config: Option<PathBuf>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(super) enum Command {
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
pub(super) struct SchemaArgs {
    /// Which one
    #[arg(value_enum)]
    pub(super) of: SchemaOf,
}

/// What has a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum SchemaOf {
    /// report.json
    Report,
    /// rolefit.toml
    Config,
}

/// Where events come from, and which of them.
#[derive(Debug, ClapArgs)]
pub(super) struct LogArgs {
    /// Log files, folders, globs in quotes, or `-` for standard input
    #[arg(required = true, value_name = "LOGS")]
    pub(super) logs: Vec<String>,
    /// Only events from this far back: 90d, 12h, 2w
    #[arg(
        long,
        value_name = "AGE",
        conflicts_with = "from",
        help_heading = "Selection"
    )]
    pub(super) since: Option<String>,
    /// Only events from this time on: 2026-09-20 or 2026-09-20T12:00:00Z
    #[arg(long, value_name = "TIME", help_heading = "Selection")]
    pub(super) from: Option<String>,
    /// Only events before this time; a date includes its whole day
    #[arg(long, value_name = "TIME", help_heading = "Selection")]
    pub(super) to: Option<String>,
    /// Only this account; may be given several times
    #[arg(long, value_name = "ACCOUNT", help_heading = "Selection")]
    pub(super) account: Vec<String>,
    /// Only this Region; may be given several times
    #[arg(long, value_name = "REGION", help_heading = "Selection")]
    pub(super) region: Vec<String>,
    /// Add the facts of this file, written by `rolefit catalog build`
    #[arg(long, value_name = "FILE", help_heading = "Run")]
    pub(super) catalog: Option<PathBuf>,
    /// Worker threads; all processors by default
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub(super) threads: Option<usize>,
    /// No progress bar
    #[arg(long, help_heading = "Run")]
    pub(super) no_progress: bool,
}

/// Which roles are looked at, against which snapshot, and how policies are proposed.
#[derive(Debug, ClapArgs)]
pub(super) struct ProposalArgs {
    #[command(flatten)]
    pub(super) logs: LogArgs,
    /// Folder with account-authorization-details.json, functions.json and the like, as the AWS CLI prints them
    #[arg(long, value_name = "DIR", help_heading = "Snapshot")]
    pub(super) snapshot: Option<PathBuf>,
    /// Output of `aws iam get-account-authorization-details`; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Snapshot")]
    pub(super) account_details: Vec<PathBuf>,
    /// Only roles of this name or ARN, `*` and `?` allowed; may be given several times
    #[arg(long, value_name = "PATTERN", help_heading = "Roles")]
    pub(super) role: Vec<String>,
    /// All roles, not only those that Lambda uses
    #[arg(long, help_heading = "Roles")]
    pub(super) all_roles: bool,
    /// A role of its own for every function that shares one, with the plan to move there
    #[arg(long, help_heading = "Policy")]
    pub(super) per_function: bool,
    /// Count calls made with a role's credentials outside Lambda as use
    #[arg(long, help_heading = "Policy")]
    pub(super) include_outside: bool,
    /// How far resources are generalised
    #[arg(long, value_enum, default_value_t = Granularity::Prefix, help_heading = "Policy")]
    pub(super) granularity: Granularity,
    /// What becomes of granted actions that these logs cannot show
    #[arg(long, value_enum, default_value_t = Unseen::Keep, help_heading = "Policy")]
    pub(super) unseen: Unseen,
    /// Days that the logs must span before silence counts as enough for `ready`
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 30,
        help_heading = "Policy"
    )]
    pub(super) min_window: u32,
    /// Do not keep s3:ListBucket beside object reads (missing keys then answer 403 instead of 404)
    #[arg(long, help_heading = "Policy")]
    pub(super) no_neighbours: bool,
    /// Conditions to pin where all uses share them; those of the current policies always stay
    #[arg(long, value_enum, default_value_t = Conditions::Standard, help_heading = "Policy")]
    pub(super) conditions: Conditions,
    /// Shorten action lists by wildcards that name no further action of today (they will name what AWS adds)
    #[arg(long, help_heading = "Policy")]
    pub(super) action_wildcards: bool,
    /// Add the logging permissions that a function lacks today; marked as added
    #[arg(long, help_heading = "Policy")]
    pub(super) ensure_logging: bool,
    /// Never touch the grants of these actions, `*` and `?` allowed; may be given several times.
    /// Statements whose Sid starts with KEEP are never touched either
    #[arg(long, value_name = "PATTERN", help_heading = "Policy")]
    pub(super) keep: Vec<String>,
}

/// `rolefit fit`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  rolefit fit ./trail --snapshot ./snapshot --out-dir ./out\n  rolefit fit ./trail --account-details account-authorization-details.json --role 'order-*'\n  rolefit fit './trail/**/2026/11/*/*.json.gz' --snapshot ./snapshot --since 30d --output json"
)]
pub(super) struct FitArgs {
    #[command(flatten)]
    pub(super) roles: ProposalArgs,
    /// Folder for the report and a folder per role
    #[arg(long, value_name = "DIR", help_heading = "Output")]
    pub(super) out_dir: Option<PathBuf>,
    /// Write into a folder that is not empty
    #[arg(long, requires = "out_dir", help_heading = "Output")]
    pub(super) force: bool,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    pub(super) output: Format,
    /// Where logging comes from in role.tf, template.yaml, sam.yaml and aws-cli.txt
    #[arg(long, value_enum, default_value_t = Logging::Inline, help_heading = "Output")]
    pub(super) logging: Logging,
    /// Account, Region and partition as pseudo parameters in role.tf, template.yaml and sam.yaml
    #[arg(long, help_heading = "Output")]
    pub(super) portable: bool,
    /// Diffs in two columns, where the terminal has 100 or more
    #[arg(long, help_heading = "Output")]
    pub(super) side_by_side: bool,
    /// Incomplete input or a role that needs a person is a failure
    #[arg(long, help_heading = "Run")]
    pub(super) strict: bool,
}

/// `rolefit denied`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  rolefit denied ./trail --snapshot ./snapshot\n  rolefit denied ./trail --snapshot ./snapshot --role order-processor-role --since 7d --output json"
)]
pub(super) struct DeniedArgs {
    #[command(flatten)]
    pub(super) logs: LogArgs,
    #[command(flatten)]
    pub(super) roles: RoleArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text, help_heading = "Output")]
    pub(super) output: Output,
}

/// The account's description, and which of its roles.
#[derive(Debug, ClapArgs)]
pub(super) struct RoleArgs {
    /// Folder with account-authorization-details.json, functions.json and the like, as the AWS CLI prints them
    #[arg(long, value_name = "DIR", help_heading = "Snapshot")]
    pub(super) snapshot: Option<PathBuf>,
    /// Output of `aws iam get-account-authorization-details`; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Snapshot")]
    pub(super) account_details: Vec<PathBuf>,
    /// Only roles of this name or ARN, `*` and `?` allowed; may be given several times
    #[arg(long, value_name = "PATTERN", help_heading = "Roles")]
    pub(super) role: Vec<String>,
    /// All roles, not only those that Lambda uses
    #[arg(long, help_heading = "Roles")]
    pub(super) all_roles: bool,
}

/// `rolefit backtest`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Without a snapshot every role is taken to be allowed everything today.\n\nExamples:\n  rolefit backtest ./trail --snapshot ./snapshot --split 80%\n  rolefit backtest ./trail --snapshot ./snapshot --split 2026-11-01 --rolling 4 --output json"
)]
pub(super) struct BacktestArgs {
    #[command(flatten)]
    pub(super) logs: LogArgs,
    #[command(flatten)]
    pub(super) roles: RoleArgs,
    /// Fit on what comes before: a share of the time, or a date
    #[arg(
        long,
        value_name = "PERCENT%|TIME",
        default_value = "80%",
        help_heading = "Split"
    )]
    pub(super) split: String,
    /// Cut the rest into N parts and replay each against a fit of all before it
    #[arg(long, value_name = "N", default_value_t = 1, value_parser = clap::value_parser!(u32).range(1..=100), help_heading = "Split")]
    pub(super) rolling: u32,
    /// Only this granularity; may be given several times, all three side by side by default
    #[arg(long, value_enum, help_heading = "Policy")]
    pub(super) granularity: Vec<Granularity>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text, help_heading = "Output")]
    pub(super) output: Output,
}

/// `rolefit coverage`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  rolefit coverage ./trail --snapshot ./snapshot\n  rolefit coverage ./trail --snapshot ./snapshot --output json"
)]
pub(super) struct CoverageArgs {
    #[command(flatten)]
    pub(super) logs: LogArgs,
    #[command(flatten)]
    pub(super) roles: RoleArgs,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text, help_heading = "Output")]
    pub(super) output: Output,
}

/// `rolefit explain`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Examples:\n  rolefit explain order-processor-role s3:PutObject ./trail --snapshot ./snapshot\n  rolefit explain order-processor-role --report ./out\n  rolefit explain 'order-*' 'kms:*' ./trail --snapshot ./snapshot --output json"
)]
pub(super) struct ExplainArgs {
    /// The role's name or ARN, `*` and `?` allowed
    pub(super) role: String,
    /// An action or a pattern of actions (all that is granted without one), then log files, folders,
    /// globs in quotes, or `-`
    #[arg(value_name = "[ACTION] LOGS")]
    pub(super) rest: Vec<String>,
    /// In place of LOGS: the report.json of `fit`, or the folder of its --out-dir
    #[arg(long, value_name = "FILE")]
    pub(super) report: Option<PathBuf>,
    /// Folder as for `fit`
    #[arg(long, value_name = "DIR", help_heading = "Snapshot")]
    pub(super) snapshot: Option<PathBuf>,
    /// Output of `aws iam get-account-authorization-details`; may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Snapshot")]
    pub(super) account_details: Vec<PathBuf>,
    /// Only events from this far back: 90d, 12h, 2w
    #[arg(
        long,
        value_name = "AGE",
        conflicts_with = "from",
        help_heading = "Selection"
    )]
    pub(super) since: Option<String>,
    /// Only events from this time on
    #[arg(long, value_name = "TIME", help_heading = "Selection")]
    pub(super) from: Option<String>,
    /// Only events before this time; a date includes its whole day
    #[arg(long, value_name = "TIME", help_heading = "Selection")]
    pub(super) to: Option<String>,
    /// Worker threads; all processors by default
    #[arg(long, value_name = "N", help_heading = "Run")]
    pub(super) threads: Option<usize>,
    /// No progress bar
    #[arg(long, help_heading = "Run")]
    pub(super) no_progress: bool,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text, help_heading = "Output")]
    pub(super) output: Output,
}

/// `rolefit requests`.
#[derive(Debug, ClapArgs)]
pub(super) struct RequestsArgs {
    #[command(flatten)]
    pub(super) logs: LogArgs,
}

/// `rolefit verify`.
#[derive(Debug, ClapArgs)]
#[command(after_help = "Exit codes: 0 contained, 11 not contained or not decided")]
pub(super) struct VerifyArgs {
    /// Policy documents of today, or a `current.json` that `fit` wrote
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(super) current: Vec<PathBuf>,
    /// Policy documents to come, such as a `policy.json` that `fit` wrote
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(super) proposed: Vec<PathBuf>,
    /// The permissions boundary of the role, before and after
    #[arg(long, value_name = "FILE")]
    pub(super) boundary: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,
}

/// `rolefit simulate`.
#[derive(Debug, ClapArgs)]
pub(super) struct SimulateArgs {
    /// Policy documents of the principal, or a `current.json` that `fit` wrote
    #[arg(long, value_name = "FILE", required = true, num_args = 1..)]
    pub(super) policy: Vec<PathBuf>,
    /// Its permissions boundary, in place of one that a `current.json` holds
    #[arg(long, value_name = "FILE")]
    pub(super) boundary: Option<PathBuf>,
    /// The action, such as s3:GetObject
    #[arg(long)]
    pub(super) action: String,
    /// The resource's ARN, or `*`
    #[arg(long, default_value = "*")]
    pub(super) resource: String,
    /// A condition key of the request and its value; may be given several times, also for one key
    #[arg(long, value_name = "KEY=VALUE", num_args = 1..)]
    pub(super) context: Vec<String>,
    /// The request has no other condition keys than those given
    #[arg(long)]
    pub(super) complete: bool,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,
}

/// `rolefit catalog`.
#[derive(Debug, Subcommand)]
pub(super) enum CatalogCommand {
    /// The facts of a service or of an action, with the events that stand for it
    #[command(
        after_help = "Examples:\n  rolefit catalog show s3:GetObject\n  rolefit catalog show 'dynamodb:Batch*'\n  rolefit catalog show sqs --output json"
    )]
    Show(ShowArgs),
    /// The catalog in numbers: what it holds, from where, and how many API operations it maps
    #[command(
        after_help = "Examples:\n  rolefit catalog stats\n  rolefit catalog stats --unmapped\n  rolefit catalog stats --catalog additions.tsv --output json"
    )]
    Stats(StatsArgs),
    /// Write what a folder of AWS Service Reference files adds, for --catalog
    #[command(
        after_help = "AWS publishes a file per service; https://servicereference.us-east-1.amazonaws.com lists them.\n\nExamples:\n  rolefit catalog build --service-reference ./reference --out additions.tsv\n  rolefit fit ./trail --snapshot ./snapshot --catalog additions.tsv"
    )]
    Build(BuildArgs),
}

/// `rolefit catalog show`.
#[derive(Debug, ClapArgs)]
pub(super) struct ShowArgs {
    /// A service prefix, an action, or a pattern of actions
    #[arg(value_name = "SERVICE[:ACTION]")]
    pub(super) what: String,
    #[command(flatten)]
    pub(super) common: CatalogOptions,
}

/// `rolefit catalog stats`.
#[derive(Debug, ClapArgs)]
pub(super) struct StatsArgs {
    /// List the API operations that are not mapped
    #[arg(long)]
    pub(super) unmapped: bool,
    #[command(flatten)]
    pub(super) common: CatalogOptions,
}

/// `rolefit catalog build`.
#[derive(Debug, ClapArgs)]
pub(super) struct BuildArgs {
    /// Folder of AWS Service Reference files, one *.json a service
    #[arg(long, value_name = "DIR")]
    pub(super) service_reference: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(super) out: PathBuf,
}

/// Options of `catalog show` and `catalog stats`.
#[derive(Debug, ClapArgs)]
pub(super) struct CatalogOptions {
    /// Add the facts of this file, written by `rolefit catalog build`
    #[arg(long, value_name = "FILE")]
    pub(super) catalog: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(super) output: Output,
}

/// `--granularity`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Granularity {
    /// As IAM checked them
    Exact,
    /// Volatile parts as `*`, stable prefixes and suffixes kept
    Prefix,
    /// Whole buckets, tables, log groups
    Container,
}

/// `--conditions`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Conditions {
    /// None
    None,
    /// iam:PassedToService, kms:ViaService, ec2:CreateAction
    Standard,
    /// s3:prefix of listings too, where a few prefixes stand for all
    All,
}

/// `--unseen`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum Unseen {
    /// Keep them, narrowed to what cannot be seen
    Keep,
    /// Remove them, and say so
    Drop,
    /// Refuse a proposal for a role that has any
    Refuse,
}

/// `--output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Output {
    /// For people
    Text,
    /// For programs
    Json,
}

/// `--output` of the commands that make a report.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
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
pub(super) enum Logging {
    /// Statements of the inline policy
    Inline,
    /// AWSLambdaBasicExecutionRole, where today's policies allow all of it
    Managed,
}
