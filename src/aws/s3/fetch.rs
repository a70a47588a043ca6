//! One object from S3 into its pipe: tried again where that may help, resumed where it broke off.

use std::time::Duration;

use aws_sdk_s3::Client;
use aws_sdk_s3::config::retry::RetryConfig;
use aws_sdk_s3::config::timeout::TimeoutConfig;
use aws_sdk_s3::config::{Builder, StalledStreamProtectionConfig};
use aws_sdk_s3::types::RequestPayer;

use super::pipe::Writer;
use super::window::Window;
use crate::aws::AwsError;
use crate::aws::error::pause;

/// Tries without a single new byte before an object counts as failed.
const TRIES: u32 = 8;
/// Tries in all: an object that breaks off after every few bytes must end too.
const MOST_TRIES: u32 = 200;

/// How objects are fetched.
#[derive(Clone)]
pub(super) struct Fetch {
    pub(super) client: Client,
    pub(super) bucket: String,
    pub(super) payer: bool,
    /// Bytes that stay away this long count as a broken connection.
    pub(super) stall: Duration,
    /// The wait before another try; it doubles.
    pub(super) pause: Duration,
    pub(super) window: Window,
}

/// What was got of an object so far.
struct Progress {
    /// Bytes handed on.
    at: u64,
    /// The whole length, by the first answer.
    length: Option<u64>,
    /// Which content it is.
    tag: Option<String>,
}

enum Broken {
    /// Nobody reads any more.
    Unwanted,
    /// No try will help.
    For(String),
    /// Another try may help.
    Passing { why: String, slow_down: bool },
}

impl Fetch {
    /// Fetches the object into its pipe.
    pub(super) async fn run(self, key: String, size: u64, pipe: Writer) {
        let mut progress = Progress {
            at: 0,
            length: None,
            tag: None,
        };
        let (mut tries, mut in_vain) = (0, 0);
        loop {
            let before = progress.at;
            match self.attempt(&key, size, &mut progress, &pipe).await {
                Ok(()) => {
                    self.window.went_well();
                    return pipe.end();
                }
                Err(Broken::Unwanted) => return,
                Err(Broken::For(why)) => return pipe.fail(why),
                Err(Broken::Passing { why, slow_down }) => {
                    tries += 1;
                    in_vain = if progress.at > before { 0 } else { in_vain + 1 };
                    if slow_down {
                        self.window.slow_down();
                    }
                    if in_vain >= TRIES || tries >= MOST_TRIES {
                        return pipe.fail(format!("{why} (tried {tries} times)"));
                    }
                }
            }
            tokio::time::sleep(pause(self.pause, in_vain)).await;
        }
    }

    async fn attempt(
        &self,
        key: &str,
        size: u64,
        progress: &mut Progress,
        pipe: &Writer,
    ) -> Result<(), Broken> {
        let mut request = self
            .client
            .get_object()
            .bucket(&self.bucket)
            .key(key)
            .set_request_payer(self.payer.then_some(RequestPayer::Requester));
        if progress.at > 0 {
            request = request
                .range(format!("bytes={}-", progress.at))
                .set_if_match(progress.tag.clone());
        }
        let settings = Builder::new()
            .retry_config(RetryConfig::disabled())
            .stalled_stream_protection(StalledStreamProtectionConfig::disabled())
            .timeout_config(
                TimeoutConfig::builder()
                    .connect_timeout(Duration::from_secs(10))
                    .read_timeout(self.stall)
                    .build(),
            );
        let answer = request
            .customize()
            .config_override(settings)
            .send()
            .await
            .map_err(|error| self.broken(AwsError::of(&error), key))?;
        // A server that does not know ranges sends the object from its beginning.
        let mut skip = match (progress.at, answer.content_range()) {
            (0, _) => 0,
            (at, Some(range)) if begins_at(range, at) => 0,
            (at, None) => at,
            (_, Some(range)) => {
                return Err(Broken::For(format!("asked for the rest, got `{range}`")));
            }
        };
        let sent = answer
            .content_length()
            .and_then(|length| u64::try_from(length).ok());
        if progress.length.is_none() {
            progress.length = sent;
            progress.tag = answer.e_tag().map(str::to_owned);
        } else if progress.at > 0 && skip > 0 && answer.e_tag() != progress.tag.as_deref() {
            return Err(Broken::For("it changed while it was read".to_owned()));
        }
        let mut body = answer.body;
        loop {
            let piece = tokio::time::timeout(self.stall, body.next()).await;
            let mut bytes = match piece {
                Ok(Some(Ok(bytes))) => bytes,
                Ok(None) => break,
                Ok(Some(Err(error))) => {
                    let why = format!("the connection broke: {}", causes(&error));
                    // All has come, and still it is wrong: a checksum does not fit.
                    return Err(if progress.length == Some(progress.at) {
                        Broken::For(why)
                    } else {
                        passing(why)
                    });
                }
                Err(_) => {
                    return Err(passing(format!(
                        "no byte came for {} s",
                        self.stall.as_secs_f32()
                    )));
                }
            };
            let over = skip.min(bytes.len() as u64);
            bytes::Buf::advance(&mut bytes, usize::try_from(over).unwrap_or(usize::MAX));
            skip -= over;
            progress.at += bytes.len() as u64;
            if !pipe.data(bytes).await {
                return Err(Broken::Unwanted);
            }
        }
        match progress.length.or((size > 0).then_some(size)) {
            Some(length) if progress.at < length => {
                Err(passing(format!("{} of {length} bytes came", progress.at)))
            }
            Some(length) if progress.at > length => Err(Broken::For(format!(
                "{} bytes came of an object of {length}",
                progress.at
            ))),
            _ => Ok(()),
        }
    }

    fn broken(&self, error: AwsError, key: &str) -> Broken {
        if error.passing {
            return Broken::Passing {
                slow_down: error.slow_down,
                why: error.message,
            };
        }
        Broken::For(match (error.status, error.code.as_deref()) {
            (Some(412), _) => "it changed while it was read".to_owned(),
            (_, Some("InvalidObjectState")) => {
                "it is archived: restore it, or leave it out by --from".to_owned()
            }
            (Some(404), _) => format!("{} (listed, but no longer there)", error.message),
            _ => {
                let arn = super::arn(&self.bucket, key);
                error.needing("s3:GetObject", &arn).message
            }
        })
    }
}

fn passing(why: String) -> Broken {
    Broken::Passing {
        why,
        slow_down: false,
    }
}

/// `bytes 5-9/10` begins at 5.
fn begins_at(range: &str, at: u64) -> bool {
    range
        .strip_prefix("bytes ")
        .and_then(|range| range.split_once('-'))
        .is_some_and(|(first, _)| first.trim().parse() == Ok(at))
}

fn causes(error: &dyn std::error::Error) -> String {
    let mut text = error.to_string();
    let mut at = error.source();
    while let Some(cause) = at {
        let cause_text = cause.to_string();
        if !text.contains(&cause_text) {
            text = format!("{text}: {cause_text}");
        }
        at = cause.source();
    }
    text
}
