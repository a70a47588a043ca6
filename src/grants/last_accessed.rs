//! Service last accessed data, as `aws iam get-service-last-accessed-details` prints it.
//!
//! AWS counts attempts, denied ones too, for 400 days: it can prove absence, not need.

use std::collections::BTreeMap;

use serde_json::Value;

use super::details::epoch;

/// When one service was last tried.
#[derive(Clone, Debug, Default)]
pub struct ServiceAccess {
    /// Seconds since 1970; `None` when never within the tracking period.
    pub last: Option<i64>,
}

/// The report of one role: IAM service prefix → last access.
#[derive(Clone, Debug, Default)]
pub struct LastAccessed {
    services: BTreeMap<String, ServiceAccess>,
    /// The role that the report names as last user of any service.
    pub(super) entity: Option<String>,
}

impl LastAccessed {
    /// Whether the role tried the service in the tracking period. AWS lists every service that the
    /// role's policies grant, so a service that is not listed was not tried either.
    #[must_use]
    pub fn accessed(&self, service: &str) -> bool {
        self.services
            .get(service)
            .is_some_and(|access| access.last.is_some())
    }

    /// The services that were tried, with the time.
    pub fn tried(&self) -> impl Iterator<Item = (&str, i64)> {
        self.services
            .iter()
            .filter_map(|(service, access)| Some((service.as_str(), access.last?)))
    }
}

/// Reads one report. A job that did not complete, or a truncated page, proves no absence and is refused.
pub(super) fn parse(value: &Value) -> Result<LastAccessed, String> {
    let list = value
        .get("ServicesLastAccessed")
        .and_then(Value::as_array)
        .ok_or("expected the output of `aws iam get-service-last-accessed-details`: no `ServicesLastAccessed` in it")?;
    if let Some(status) = value.get("JobStatus").and_then(Value::as_str)
        && status != "COMPLETED"
    {
        return Err(format!("the report is `{status}`, not `COMPLETED`"));
    }
    if value.get("IsTruncated").and_then(Value::as_bool) == Some(true) {
        return Err("the report is truncated: fetch all its pages".into());
    }
    let mut report = LastAccessed::default();
    for service in list {
        let Some(prefix) = service.get("ServiceNamespace").and_then(Value::as_str) else {
            continue;
        };
        let last = service.get("LastAuthenticated").and_then(epoch);
        if last.is_some() && report.entity.is_none() {
            report.entity = service
                .get("LastAuthenticatedEntity")
                .and_then(Value::as_str)
                .map(str::to_owned);
        }
        // A prefix listed twice was accessed if either row says so.
        let entry = report.services.entry(prefix.to_owned()).or_default();
        entry.last = entry.last.max(last);
    }
    Ok(report)
}
