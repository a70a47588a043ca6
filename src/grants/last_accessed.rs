//! Service last accessed data, as `aws iam get-service-last-accessed-details` prints it, of services and,
//! where the job had `--granularity ACTION_LEVEL`, of actions.
//!
//! AWS counts attempts, denied ones too, for 400 days: it can prove absence, not need.

use std::collections::BTreeMap;

use serde_json::Value;

use super::details::epoch;
use super::sound;

/// When and where something was last tried.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// Seconds since 1970.
    pub time: i64,
    /// The Region, where AWS says.
    pub region: Option<String>,
}

#[derive(Clone, Debug, Default)]
struct ServiceAccess {
    last: Option<Attempt>,
    /// Tracked actions in lower case, without the service; `None` where never tried.
    actions: BTreeMap<String, Option<Attempt>>,
}

/// The report of one role: IAM service prefix → last access.
#[derive(Clone, Debug, Default)]
pub struct LastAccessed {
    services: BTreeMap<String, ServiceAccess>,
    /// Seconds since 1970 at which the report was made, where it says so.
    pub made: Option<i64>,
    /// The role that the report names as last user of any service.
    pub(super) entity: Option<String>,
}

impl LastAccessed {
    /// Whether the role tried the service in the tracking period. AWS lists every service that the
    /// role's policies grant, so a service that is not listed was not tried either.
    #[must_use]
    pub fn accessed(&self, service: &str) -> bool {
        self.last_of_service(service).is_some()
    }

    /// The last attempt on anything of a service.
    #[must_use]
    pub fn last_of_service(&self, service: &str) -> Option<&Attempt> {
        self.services.get(service)?.last.as_ref()
    }

    /// The last attempt on one action; `None` where AWS does not track the action or the report has no
    /// actions, `Some(None)` where it was never tried.
    #[must_use]
    pub fn last_of_action(&self, action: &str) -> Option<Option<&Attempt>> {
        let (service, name) = action.split_once(':')?;
        let tracked = self
            .services
            .get(service)?
            .actions
            .get(&name.to_ascii_lowercase())?;
        Some(tracked.as_ref())
    }

    /// The services that were tried, with the last attempt.
    pub fn tried(&self) -> impl Iterator<Item = (&str, &Attempt)> {
        self.services
            .iter()
            .filter_map(|(service, access)| Some((service.as_str(), access.last.as_ref()?)))
    }
}

/// Reads one report. A job that did not complete, or a truncated page, proves no absence and is refused.
pub(super) fn parse(value: &Value) -> Result<LastAccessed, String> {
    let list = value
        .get("ServicesLastAccessed")
        .and_then(Value::as_array)
        .ok_or("expected the output of `aws iam get-service-last-accessed-details`: no `ServicesLastAccessed` in it")?;
    let odd = sound::odd_key(
        value,
        &[
            ("JobStatus", Value::is_string),
            ("IsTruncated", Value::is_boolean),
            ("JobCreationDate", |date| epoch(date).is_some()),
        ],
    );
    if let Some(key) = odd {
        return Err(format!("its `{key}` cannot be read"));
    }
    if let Some(status) = value.get("JobStatus").and_then(Value::as_str)
        && status != "COMPLETED"
    {
        return Err(format!("the report is `{status}`, not `COMPLETED`"));
    }
    if value.get("IsTruncated").and_then(Value::as_bool) == Some(true) {
        return Err("the report is truncated: fetch all its pages".into());
    }
    let mut report = LastAccessed {
        made: value.get("JobCreationDate").and_then(epoch),
        ..LastAccessed::default()
    };
    for service in list {
        let prefix = service.get("ServiceNamespace").and_then(Value::as_str);
        let prefix = prefix.ok_or("a service has no `ServiceNamespace`")?;
        told(
            service,
            "LastAuthenticated",
            &["LastAuthenticatedEntity", "LastAuthenticatedRegion"],
        )?;
        let last = attempt(service, "LastAuthenticated", "LastAuthenticatedRegion");
        if last.is_some() && report.entity.is_none() {
            report.entity = service
                .get("LastAuthenticatedEntity")
                .and_then(Value::as_str)
                .map(str::to_owned);
        }
        // A prefix listed twice was accessed if either row says so.
        let entry = report.services.entry(prefix.to_owned()).or_default();
        keep_later(&mut entry.last, last);
        for action in service
            .get("TrackedActionsLastAccessed")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let name = action.get("ActionName").and_then(Value::as_str);
            let name = name.ok_or("an action has no `ActionName`")?;
            told(
                action,
                "LastAccessedTime",
                &["LastAccessedEntity", "LastAccessedRegion"],
            )?;
            let last = attempt(action, "LastAccessedTime", "LastAccessedRegion");
            keep_later(
                entry.actions.entry(name.to_ascii_lowercase()).or_default(),
                last,
            );
        }
    }
    Ok(report)
}

/// An attempt has a time: a row that names who tried, or where, and not when is damaged, and would prove
/// an absence that it does not show.
fn told(row: &Value, time: &str, beside: &[&str]) -> Result<(), String> {
    let there = |key: &str| row.get(key).is_some_and(|value| !value.is_null());
    let counted = row
        .get("TotalAuthenticatedEntities")
        .is_some_and(|count| count.as_u64() != Some(0));
    if !there(time) && (counted || beside.iter().any(|key| there(key))) {
        return Err(format!("a row tells of an attempt and has no `{time}`"));
    }
    match row.get("TrackedActionsLastAccessed") {
        Some(list) if !list.is_array() => Err("its tracked actions cannot be read".into()),
        _ => Ok(()),
    }
}

/// A time that cannot be read is an attempt all the same.
fn attempt(value: &Value, time: &str, region: &str) -> Option<Attempt> {
    let time = value.get(time).filter(|time| !time.is_null())?;
    Some(Attempt {
        time: epoch(time).unwrap_or(i64::MAX),
        region: value.get(region).and_then(Value::as_str).map(str::to_owned),
    })
}

fn keep_later(mine: &mut Option<Attempt>, other: Option<Attempt>) {
    if let Some(other) = other
        && mine.as_ref().is_none_or(|mine| mine.time < other.time)
    {
        *mine = Some(other);
    }
}
