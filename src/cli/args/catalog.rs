//! The arguments of `rolefit catalog`.

use std::path::PathBuf;

use clap::{Args as ClapArgs, Subcommand};

use super::Output;

/// `rolefit catalog`.
#[derive(Debug, Subcommand)]
pub(in crate::cli) enum CatalogCommand {
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
pub(in crate::cli) struct ShowArgs {
    /// A service prefix, an action, or a pattern of actions
    #[arg(value_name = "SERVICE[:ACTION]")]
    pub(in crate::cli) what: String,
    #[command(flatten)]
    pub(in crate::cli) common: CatalogOptions,
}

/// `rolefit catalog stats`.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct StatsArgs {
    /// List the API operations that are not mapped
    #[arg(long)]
    pub(in crate::cli) unmapped: bool,
    #[command(flatten)]
    pub(in crate::cli) common: CatalogOptions,
}

/// `rolefit catalog build`.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct BuildArgs {
    /// Folder of AWS Service Reference files, one *.json a service
    #[arg(long, value_name = "DIR")]
    pub(in crate::cli) service_reference: PathBuf,
    /// The file to write
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) out: PathBuf,
}

/// Options of `catalog show` and `catalog stats`.
#[derive(Debug, ClapArgs)]
pub(in crate::cli) struct CatalogOptions {
    /// Add the facts of this file, written by `rolefit catalog build`
    #[arg(long, value_name = "FILE")]
    pub(in crate::cli) catalog: Option<PathBuf>,
    /// What goes to standard output
    #[arg(long, value_enum, default_value_t = Output::Text)]
    pub(in crate::cli) output: Output,
}
