//! What several commands take: where events come from, which of them, whose roles, and how policies are
//! proposed.

use std::path::PathBuf;

use clap::{Args as ClapArgs, ValueEnum};

use crate::cli::remote::S3Args;

/// Where events come from, and which of them.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct LogArgs {
    /// Log files, folders, globs in quotes, `s3://bucket/prefix`, or `-` for standard input
    #[arg(required_unless_present_any = ["usage", "state", "manifest"], value_name = "LOGS")]
    pub(in crate::cli) logs: Vec<String>,
    #[command(flatten)]
    pub(in crate::cli) stored: StoredArgs,
    #[command(flatten)]
    pub(in crate::cli) selection: SelectionArgs,
    #[command(flatten)]
    pub(in crate::cli) s3: S3Args,
    #[command(flatten)]
    pub(in crate::cli) digests: DigestArgs,
    #[command(flatten)]
    pub(in crate::cli) run: RunArgs,
}

impl LogArgs {
    /// Whether there is anything to read.
    pub(in crate::cli) fn given(&self) -> bool {
        !self.named().is_empty()
    }

    /// LOGS, or what stands for them.
    pub(in crate::cli) fn named(&self) -> &[String] {
        if self.logs.is_empty() {
            &self.s3.manifest
        } else {
            &self.logs
        }
    }
}

/// What earlier runs found.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Usage files")]
pub(in crate::cli) struct StoredArgs {
    /// In place of LOGS: a file that `rolefit scan` or `rolefit merge` wrote
    #[arg(long, value_name = "FILE", value_parser = on_disk)]
    pub(in crate::cli) usage: Option<PathBuf>,
    /// A folder that remembers what was read: only log objects that are new are, days before --since
    /// or --from drop out. Without LOGS it answers from what it holds
    #[arg(long, value_name = "DIR", conflicts_with = "usage", value_parser = on_disk)]
    pub(in crate::cli) state: Option<PathBuf>,
    /// Write down what was found after this many log objects: what a run that is killed has done stays done
    #[arg(long, value_name = "OBJECTS", default_value_t = 20_000, value_parser = clap::value_parser!(u32).range(1..))]
    pub(in crate::cli) checkpoint: u32,
}

/// A path of usage files and states: what lies in S3 has to be brought here.
pub(in crate::cli) fn on_disk(text: &str) -> Result<PathBuf, String> {
    if text.starts_with("s3://") {
        return Err(
            "usage files and states lie on disk: `aws s3 cp` brings them there and back".into(),
        );
    }
    Ok(PathBuf::from(text))
}

/// Which events.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Selection")]
pub(in crate::cli) struct SelectionArgs {
    /// Only events from this far back: 90d, 12h, 2w
    #[arg(long, value_name = "AGE", conflicts_with = "from")]
    pub(in crate::cli) since: Option<String>,
    /// Only events from this time on: 2026-09-20 or 2026-09-20T12:00:00Z
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) from: Option<String>,
    /// Only events before this time; a date includes its whole day
    #[arg(long, value_name = "TIME")]
    pub(in crate::cli) to: Option<String>,
    /// Only this account; may be given several times
    #[arg(long, value_name = "ACCOUNT")]
    pub(in crate::cli) account: Vec<String>,
    /// Only this Region; may be given several times
    #[arg(long, value_name = "REGION")]
    pub(in crate::cli) region: Vec<String>,
}

/// What log objects are held against.
#[derive(Clone, Debug, Default, ClapArgs)]
#[command(next_help_heading = "Digests")]
pub(in crate::cli) struct DigestArgs {
    /// Hold log objects against CloudTrail's digest files beside them (AWSLogs/…/CloudTrail-Digest): altered
    /// ones are not read, missing ones count as unread
    #[arg(long)]
    pub(in crate::cli) verify_digests: bool,
    /// The same, and read nothing that no digest lists
    #[arg(long)]
    pub(in crate::cli) require_digests: bool,
    /// Output of `aws cloudtrail list-public-keys`, of every Region; cloudtrail-public-keys*.json of the
    /// snapshot where this is not given
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) public_keys: Vec<PathBuf>,
}

/// How the work is done.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Run")]
pub(in crate::cli) struct RunArgs {
    /// Add the facts of this file, written by `rolefit catalog build`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) catalog: Option<PathBuf>,
    /// Give up on a log object that inflates to more than this many times its size, beyond 256 MiB
    #[arg(long, value_name = "N", default_value_t = 400, value_parser = clap::value_parser!(u64).range(1..))]
    pub(in crate::cli) max_ratio: u64,
    /// Give up on a log object that inflates to more than this many MiB
    #[arg(long, value_name = "MIB", default_value_t = 16_384, value_parser = clap::value_parser!(u64).range(1..=1 << 40))]
    pub(in crate::cli) max_inflated: u64,
    /// Worker threads; all processors by default
    #[arg(long, value_name = "N")]
    pub(in crate::cli) threads: Option<usize>,
    /// No progress bar
    #[arg(long)]
    pub(in crate::cli) no_progress: bool,
}

/// What the account says.
#[derive(Clone, Debug, ClapArgs)]
#[command(next_help_heading = "Snapshot")]
pub(in crate::cli) struct SnapshotArgs {
    /// Folder with account-authorization-details.json, functions.json and the like, as the AWS CLI prints them
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) snapshot: Option<PathBuf>,
    /// Output of `aws iam get-account-authorization-details`; may be given several times
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) account_details: Vec<PathBuf>,
}

/// The account's description, and which of its roles.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct RoleArgs {
    #[command(flatten)]
    pub(in crate::cli) account: SnapshotArgs,
    /// Only roles of this name or ARN, `*` and `?` allowed; may be given several times
    #[arg(long, value_name = "PATTERN", help_heading = "Roles")]
    pub(in crate::cli) role: Vec<String>,
    /// All roles, not only those that Lambda uses
    #[arg(long, help_heading = "Roles")]
    pub(in crate::cli) all_roles: bool,
}

/// Which roles are looked at, against which snapshot, and how policies are proposed.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct ProposalArgs {
    #[command(flatten)]
    pub(in crate::cli) logs: LogArgs,
    #[command(flatten)]
    pub(in crate::cli) roles: RoleArgs,
    /// A role of its own for every function that shares one, with the plan to move there
    #[arg(long, help_heading = "Policy")]
    pub(in crate::cli) per_function: bool,
    /// Count calls made with a role's credentials outside Lambda as use
    #[arg(long, help_heading = "Policy")]
    pub(in crate::cli) include_outside: bool,
    /// How far resources are generalised
    #[arg(long, value_enum, default_value_t = Granularity::Prefix, help_heading = "Policy")]
    pub(in crate::cli) granularity: Granularity,
    /// What becomes of granted actions that these logs cannot show
    #[arg(long, value_enum, default_value_t = Unseen::Keep, help_heading = "Policy")]
    pub(in crate::cli) unseen: Unseen,
    /// Days that the logs must span before silence counts as enough for `ready`
    #[arg(
        long,
        value_name = "DAYS",
        default_value_t = 30,
        help_heading = "Policy"
    )]
    pub(in crate::cli) min_window: u32,
    /// Do not keep s3:ListBucket beside object reads (missing keys then answer 403 instead of 404)
    #[arg(long, help_heading = "Policy")]
    pub(in crate::cli) no_neighbours: bool,
    /// Conditions to pin where all uses share them; those of the current policies always stay
    #[arg(long, value_enum, default_value_t = Conditions::Standard, help_heading = "Policy")]
    pub(in crate::cli) conditions: Conditions,
    /// Shorten action lists by wildcards that name no further action of today (they will name what AWS adds)
    #[arg(long, help_heading = "Policy")]
    pub(in crate::cli) action_wildcards: bool,
    /// Add the logging permissions that a function lacks today; marked as added
    #[arg(long, help_heading = "Policy")]
    pub(in crate::cli) ensure_logging: bool,
    /// Never touch the grants of these actions, `*` and `?` allowed; may be given several times.
    /// Statements whose Sid starts with KEEP are never touched either
    #[arg(long, value_name = "PATTERN", help_heading = "Policy")]
    pub(in crate::cli) keep: Vec<String>,
}

/// `--granularity`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum Granularity {
    /// As IAM checked them
    Exact,
    /// Volatile parts as `*`, stable prefixes and suffixes kept
    Prefix,
    /// Whole buckets, tables, log groups
    Container,
}

/// `--conditions`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum Conditions {
    /// None
    None,
    /// iam:PassedToService, kms:ViaService, ec2:CreateAction
    Standard,
    /// s3:prefix of listings too, where a few prefixes stand for all
    All,
}

/// `--unseen`.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(in crate::cli) enum Unseen {
    /// Keep them, narrowed to what cannot be seen
    Keep,
    /// Remove them, and say so
    Drop,
    /// Refuse a proposal for a role that has any
    Refuse,
}
