//! Errors of every service in one form: what went wrong in words, and whether trying again may help.

use std::time::Duration;

use aws_smithy_runtime_api::client::orchestrator::HttpResponse;
use aws_smithy_runtime_api::client::result::SdkError;
use aws_smithy_types::error::metadata::ProvideErrorMetadata;
use thiserror::Error;

/// Something that AWS, or the way there, refused.
#[derive(Clone, Debug, Error, PartialEq, Eq)]
#[error("{message}")]
pub struct AwsError {
    /// In words, with the service's own.
    pub message: String,
    /// The service's code, `AccessDenied`.
    pub code: Option<String>,
    /// The status of the answer.
    pub status: Option<u16>,
    /// Trying again may help.
    pub passing: bool,
    /// The service asks to slow down.
    pub slow_down: bool,
}

/// Codes by which services ask to slow down.
const SLOW_DOWN: [&str; 8] = [
    "SlowDown",
    "Throttling",
    "ThrottlingException",
    "ThrottledException",
    "TooManyRequestsException",
    "RequestLimitExceeded",
    "RequestThrottled",
    "Busy",
];
/// Codes of passing trouble, whatever the status.
const PASSING: [&str; 4] = [
    "RequestTimeout",
    "InternalError",
    "ServiceUnavailable",
    "RequestTimeTooSkewed",
];
const REFUSED: [&str; 6] = [
    "AccessDenied",
    "AccessDeniedException",
    "AllAccessDisabled",
    "UnauthorizedOperation",
    "UnrecognizedClientException",
    "InvalidClientTokenId",
];

impl AwsError {
    /// An error of our own.
    pub(super) fn plain(message: impl Into<String>) -> Self {
        Self {
            message: message.into(),
            code: None,
            status: None,
            passing: false,
            slow_down: false,
        }
    }

    /// Reads an error of the SDK.
    pub(super) fn of<E>(error: &SdkError<E, HttpResponse>) -> Self
    where
        E: ProvideErrorMetadata + std::error::Error + 'static,
    {
        let status = error.raw_response().map(|answer| answer.status().as_u16());
        let service = error.as_service_error();
        let code = service.and_then(|e| e.code()).map(str::to_owned);
        let is = |codes: &[&str]| code.as_deref().is_some_and(|code| codes.contains(&code));
        let slow_down = is(&SLOW_DOWN) || matches!(status, Some(429 | 503));
        let server = status.is_some_and(|status| status >= 500 && status != 501);
        let passing = match error {
            SdkError::TimeoutError(_) | SdkError::ResponseError(_) => true,
            // Connections that end early are of no kind, and so are credentials that cannot be had.
            SdkError::DispatchFailure(failure) => {
                !failure.is_user() && (!failure.is_other() || !is_about_identity(&root(error)))
            }
            _ => slow_down || server || is(&PASSING),
        };
        let told = service.and_then(|e| e.message()).map(str::to_owned);
        let message = match (&code, told) {
            (Some(code), Some(told)) => format!("{code}: {told}"),
            (Some(code), None) => code.clone(),
            (None, _) if service.is_some() => match status {
                Some(404) => "not found (404)".to_owned(),
                Some(403) => "access denied (403)".to_owned(),
                Some(status) => format!("the service answered {status}"),
                None => root(error),
            },
            (None, _) => root(error),
        };
        Self {
            message,
            code,
            status,
            passing,
            slow_down,
        }
    }

    /// The service knows who asks, and refuses.
    #[must_use]
    pub fn is_refused(&self) -> bool {
        self.status == Some(403) && self.code.as_deref() != Some("InvalidObjectState")
            || self
                .code
                .as_deref()
                .is_some_and(|code| REFUSED.contains(&code))
    }

    /// Has the service's code this name?
    #[must_use]
    pub fn is(&self, code: &str) -> bool {
        self.code.as_deref() == Some(code)
    }

    /// Names the permission that was missing, where that is what went wrong.
    #[must_use]
    pub(super) fn needing(mut self, action: &str, resource: &str) -> Self {
        if self.is_refused() {
            let told = std::mem::take(&mut self.message);
            self.message = if told.contains("kms:") {
                format!("kms:Decrypt on the key of the object is missing ({told})")
            } else {
                format!("{action} on {resource} is missing ({told})")
            };
        }
        self
    }
}

fn is_about_identity(told: &str) -> bool {
    let told = told.to_ascii_lowercase();
    ["credential", "identity", "token", "profile"]
        .iter()
        .any(|word| told.contains(word))
}

/// The chain of causes, without the outermost words that only say that something failed.
fn root(error: &dyn std::error::Error) -> String {
    let mut parts: Vec<String> = Vec::new();
    let mut at = error.source();
    while let Some(cause) = at {
        let text = cause.to_string();
        if !parts.iter().any(|part| part.contains(&text)) {
            parts.push(text);
        }
        at = cause.source();
    }
    if parts.is_empty() {
        error.to_string()
    } else {
        parts.join(": ")
    }
}

/// How long to wait before the next try: doubling from `first` up to a hundred times that, a random part of it,
/// so that many clients do not come back at once.
pub(super) fn pause(first: Duration, tries: u32) -> Duration {
    let first = u64::try_from(first.as_millis()).unwrap_or(u64::MAX).max(1);
    let most = first
        .saturating_mul(1 << tries.min(7))
        .min(first.saturating_mul(100));
    // A fresh hasher has random keys.
    let random = {
        use std::hash::{BuildHasher, RandomState};
        RandomState::new().hash_one(tries)
    };
    Duration::from_millis(most / 4 + random % (most - most / 4).max(1))
}
