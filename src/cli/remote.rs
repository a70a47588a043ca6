//! Options for what is in AWS, under the AWS CLI's own names, and what is made of them.

use clap::Args as ClapArgs;

#[cfg(feature = "aws")]
use super::{Exit, Fault};
#[cfg(feature = "aws")]
use crate::aws::{AwsError, Session, SessionOptions};

/// Who asks, and where.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(super) struct ConnectArgs {
    /// Profile of the AWS configuration; AWS_PROFILE or `default` without
    #[arg(long, value_name = "NAME", help_heading = "AWS")]
    pub(super) profile: Option<String>,
    /// Another address than AWS's own, for every service
    #[arg(long, value_name = "URL", help_heading = "AWS")]
    pub(super) endpoint_url: Option<String>,
    /// Send requests without credentials
    #[arg(long, help_heading = "AWS")]
    pub(super) no_sign_request: bool,
}

/// How logs are read from S3.
#[derive(Clone, Debug, Default, ClapArgs)]
pub(super) struct S3Args {
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
    /// `requester` agrees to pay for requests to buckets where the requester pays
    #[arg(long, value_name = "requester", value_parser = ["requester"], help_heading = "AWS")]
    pub(super) request_payer: Option<String>,
    /// The most log objects under way from S3 at once; fewer when S3 asks to slow down
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..=1024), help_heading = "Run")]
    pub(super) concurrency: Option<u16>,
    /// Read the log objects that this file lists, and list nothing: `s3://` URLs or paths, one a line, or an
    /// S3 Inventory (its manifest.json, or its CSV files); may be given several times
    #[arg(long, value_name = "FILE", help_heading = "Selection")]
    pub(super) manifest: Vec<String>,
}

/// Connects. The first request tells whether there are credentials.
#[cfg(feature = "aws")]
pub(super) fn connect(args: &ConnectArgs, region: Option<&str>) -> Result<Session, Fault> {
    let options = SessionOptions {
        profile: args.profile.clone(),
        region: region.map(str::to_owned),
        endpoint_url: args.endpoint_url.clone(),
        no_sign_request: args.no_sign_request,
    };
    Session::connect(&options).map_err(fault)
}

/// An error of AWS as a fault.
#[cfg(feature = "aws")]
pub(super) fn fault(error: AwsError) -> Fault {
    let hint = hint(&error);
    let fault = Fault::new(Exit::Failed, error);
    match hint {
        Some(hint) => fault.hint(hint),
        None => fault,
    }
}

#[cfg(feature = "aws")]
fn hint(error: &AwsError) -> Option<&'static str> {
    let told = &error.message;
    if told.contains("credential") || told.contains("Credential") || told.contains("SSO") {
        return Some(
            "log in as for the AWS CLI (`aws sso login`, AWS_PROFILE, --profile NAME), or --no-sign-request for public buckets",
        );
    }
    error
        .is_refused()
        .then_some("`rolefit collect --print-policy` prints what each command needs")
}

/// The fault of a command that needs AWS, in a build without it.
#[cfg(not(feature = "aws"))]
pub(super) fn not_built() -> super::Fault {
    super::Fault::new(
        super::Exit::Failed,
        anyhow::anyhow!("this build cannot talk to AWS"),
    )
    .hint("build with `cargo build --release --features aws`")
}
