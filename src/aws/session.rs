//! Who asks, where: credentials, Region and endpoint as the AWS CLI finds them, and the runtime.

use std::sync::Arc;
use std::time::Duration;

use aws_config::meta::region::RegionProviderChain;
use aws_config::retry::RetryConfig;
use aws_config::sts::AssumeRoleProvider;
use aws_config::timeout::TimeoutConfig;
use aws_config::{BehaviorVersion, Region, SdkConfig};
use tokio::runtime::Runtime;

use super::AwsError;

/// What the AWS CLI takes under the same names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct SessionOptions {
    /// A profile of the shared configuration; `AWS_PROFILE` or `default` without.
    pub profile: Option<String>,
    /// A Region; that of the environment or profile without, `us-east-1` where there is none.
    pub region: Option<String>,
    /// Another address than AWS's, for every service.
    pub endpoint_url: Option<String>,
    /// Send requests without credentials.
    pub no_sign_request: bool,
}

/// A connection to AWS under one identity. Cheap to clone.
#[derive(Clone)]
pub struct Session {
    pub(super) runtime: Arc<Runtime>,
    pub(super) config: SdkConfig,
}

/// Threads of the runtime: bytes are moved there, never decoded.
const THREADS: usize = 2;
/// How often a request is tried, as the AWS CLI's `standard` mode but more patient.
const TRIES: u32 = 8;

impl Session {
    /// Finds Region, endpoint and the way to credentials. The credentials themselves are fetched with the
    /// first request: profiles, SSO, assumed roles, `credential_process`, containers and instances.
    ///
    /// # Errors
    /// When the runtime cannot start.
    pub fn connect(options: &SessionOptions) -> Result<Self, AwsError> {
        let runtime = tokio::runtime::Builder::new_multi_thread()
            .worker_threads(THREADS)
            .thread_name("rolefit-aws")
            .enable_all()
            .build()
            .map_err(|error| AwsError::plain(format!("cannot start threads: {error}")))?;
        let config = runtime.block_on(load(options));
        Ok(Self {
            runtime: Arc::new(runtime),
            config,
        })
    }

    /// A session on a configuration made by hand: what tests connect with.
    ///
    /// # Errors
    /// When the runtime cannot start.
    pub fn with_config(config: SdkConfig) -> Result<Self, AwsError> {
        Ok(Self {
            config,
            ..Self::connect(&SessionOptions {
                no_sign_request: true,
                region: Some("us-east-1".to_owned()),
                ..SessionOptions::default()
            })?
        })
    }

    /// The Region in use.
    #[must_use]
    pub fn region(&self) -> String {
        self.config
            .region()
            .map(|region| region.as_ref().to_owned())
            .unwrap_or_default()
    }

    /// The account that the credentials belong to, and the ARN of who asks.
    ///
    /// # Errors
    /// When there are no credentials, or STS refuses them.
    pub fn caller(&self) -> Result<(String, String), AwsError> {
        self.runtime.block_on(async {
            let client = aws_sdk_sts::Client::new(&self.config);
            let answer = client
                .get_caller_identity()
                .send()
                .await
                .map_err(|error| AwsError::of(&error))?;
            Ok((
                answer.account().unwrap_or_default().to_owned(),
                answer.arn().unwrap_or_default().to_owned(),
            ))
        })
    }

    /// The same in another account, as a role there.
    #[must_use]
    pub fn assuming(&self, role_arn: &str) -> Self {
        let provider = self.runtime.block_on(
            AssumeRoleProvider::builder(role_arn)
                .session_name("rolefit")
                .configure(&self.config)
                .build(),
        );
        let config = self
            .config
            .to_builder()
            .credentials_provider(aws_sdk_sts::config::SharedCredentialsProvider::new(
                provider,
            ))
            .build();
        Self {
            runtime: self.runtime.clone(),
            config,
        }
    }

    /// The same in another Region.
    pub(super) fn config_in(&self, region: &str) -> SdkConfig {
        self.config
            .to_builder()
            .region(Region::new(region.to_owned()))
            .build()
    }
}

async fn load(options: &SessionOptions) -> SdkConfig {
    let mut regions = RegionProviderChain::first_try(options.region.clone().map(Region::new));
    let profile_files = aws_config::default_provider::region::Builder::default();
    let from_profile = match &options.profile {
        Some(profile) => profile_files.profile_name(profile),
        None => profile_files,
    };
    regions = regions
        .or_else(from_profile.build())
        .or_else(Region::new("us-east-1"));
    let mut loader = aws_config::defaults(BehaviorVersion::latest())
        .region(regions)
        .retry_config(RetryConfig::standard().with_max_attempts(TRIES))
        .timeout_config(
            TimeoutConfig::builder()
                .connect_timeout(Duration::from_secs(10))
                .read_timeout(Duration::from_secs(60))
                .build(),
        );
    if let Some(profile) = &options.profile {
        loader = loader.profile_name(profile);
    }
    if let Some(url) = &options.endpoint_url {
        loader = loader.endpoint_url(url);
    }
    if options.no_sign_request {
        loader = loader.no_credentials();
    }
    loader.load().await
}
