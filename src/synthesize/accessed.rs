//! Service last accessed data as a witness: what it shows to be absent, and where it contradicts the
//! trail's silence.

use std::collections::{BTreeMap, BTreeSet};

use super::draft::Draft;
use super::visible::{Sight, date_of};
use super::{Target, Verdict};
use crate::grants::{Attempt, LastAccessed};

/// What the report of the role says.
pub(super) struct Accessed<'a> {
    report: Option<&'a LastAccessed>,
    /// Older than the end of the input: what it does not show may have happened since.
    pub(super) old: bool,
    /// Services that the report shows to be tried since the window began and the input does not show,
    /// with the reason in words.
    pub(super) contradicted: BTreeMap<String, String>,
    /// Seconds since 1970 of the first event. What was tried later is needed of late, whether the input
    /// should show it or ends before it.
    since: i64,
    /// Actions that the role used or was denied, wherever its credentials were.
    attempted: BTreeSet<String>,
}

/// Days by which a report may be older than the last event and still speak for the whole window.
const FRESH_DAYS: i64 = 2;

impl<'a> Accessed<'a> {
    pub(super) fn of(draft: &Draft<'a>) -> Self {
        let inputs = draft.inputs;
        let report = inputs.snapshot.last_accessed.get(&inputs.role.arn);
        let time = &draft.view.time;
        let last = time.last.unwrap_or_default();
        let mut accessed = Self {
            report,
            old: report
                .and_then(|report| report.made)
                .is_some_and(|made| made < last - FRESH_DAYS * 86_400),
            contradicted: BTreeMap::new(),
            since: time.first.unwrap_or(i64::MAX),
            attempted: BTreeSet::new(),
        };
        if report.is_some() && draft.view.covered() {
            accessed.attempted = attempted(draft);
            accessed.contradicted = accessed.contradictions(draft);
        }
        accessed
    }

    /// What a grant over everything becomes where the trail cannot show the action: `Ok` with words that
    /// keep it, `Err` with words that remove it; `None` where the report does not say.
    pub(super) fn decides(&self, action: &str, service: &str) -> Option<Result<String, String>> {
        let report = self.report?;
        match report.last_of_action(action) {
            Some(Some(attempt)) => {
                return Some(Ok(format!(
                    "action last accessed shows an attempt on {}",
                    date_of(attempt.time)
                )));
            }
            Some(None) if !self.old => {
                return Some(Err(
                    "action last accessed shows no attempt in its tracking period".into(),
                ));
            }
            _ => {}
        }
        if report.accessed(service) {
            return Some(Ok(format!(
                "service last accessed shows that the role tried {service}"
            )));
        }
        (!self.old).then(|| {
            Err(format!(
                "service last accessed shows no attempt on {service} in its tracking period"
            ))
        })
    }

    /// Whether the report shows that nothing of the service was tried.
    pub(super) fn proves_absence(&self, service: &str) -> bool {
        self.report
            .is_some_and(|report| !self.old && !report.accessed(service))
    }

    /// Why the silence of the trail about an action is not to be believed.
    pub(super) fn contradicts(&self, action: &str, service: &str) -> Option<String> {
        let attempt = self.report?.last_of_action(action).flatten();
        if let Some(attempt) = attempt.filter(|attempt| self.is_late(attempt))
            && !self.attempted.contains(&action.to_ascii_lowercase())
        {
            return Some(format!(
                "action last accessed shows an attempt on {}{}, which is not in the input",
                date_of(attempt.time),
                in_region(attempt)
            ));
        }
        self.contradicted.get(service).cloned()
    }

    fn is_late(&self, attempt: &Attempt) -> bool {
        attempt.time >= self.since
    }

    /// Services tried since the window began of which the input has nothing, though it would show all that the
    /// role may do with them; or tried in a Region that the input lacks.
    fn contradictions(&self, draft: &Draft<'_>) -> BTreeMap<String, String> {
        let Some(report) = self.report else {
            return BTreeMap::new();
        };
        let services: BTreeSet<&str> = self
            .attempted
            .iter()
            .filter_map(|action| action.split(':').next())
            .collect();
        let mut found = BTreeMap::new();
        for (service, attempt) in report.tried().filter(|(_, at)| self.is_late(at)) {
            let elsewhere = attempt
                .region
                .as_deref()
                .is_some_and(|region| !draft.view.has_region(region));
            if elsewhere || (!services.contains(service) && all_visible(draft, service)) {
                let message = format!(
                    "service last accessed shows an attempt on {service} on {}{}, which is not in the input",
                    date_of(attempt.time),
                    in_region(attempt)
                );
                found.insert(service.to_owned(), message);
            }
        }
        found
    }
}

fn in_region(attempt: &Attempt) -> String {
    attempt
        .region
        .as_ref()
        .map(|region| format!(" in {region}"))
        .unwrap_or_default()
}

/// Everything the input shows the role to have tried, in lower case; `service:` for events that the
/// catalog does not know.
fn attempted(draft: &Draft<'_>) -> BTreeSet<String> {
    let inputs = draft.inputs;
    let mut attempted: BTreeSet<String> = inputs
        .usage
        .calls(true)
        .iter()
        .map(|call| call.shape.action.as_str().to_ascii_lowercase())
        .collect();
    let denied = inputs.usage.denied();
    attempted.extend(denied.map(|(key, ..)| key.action.to_ascii_lowercase()));
    for event in inputs.usage.unmapped.keys() {
        let services = inputs.catalog.services_of(&event.event_source);
        attempted.extend(services.iter().map(|service| format!("{service}:")));
    }
    if inputs.usage.records.no_permission > 0 {
        // Calls that need no permission are not in the table; most are of this service.
        attempted.insert("sts:".into());
    }
    attempted
}

/// Whether the input would show every action of the service that is granted today.
fn all_visible(draft: &Draft<'_>, service: &str) -> bool {
    let of_service = |action: &str| action.split(':').next() == Some(service);
    draft
        .granted
        .actions
        .values()
        .filter(|(facts, _)| of_service(facts.action.as_str()))
        .all(|(facts, grants)| {
            let explained = draft.kept.get(facts.action.as_str()).is_some_and(|kept| {
                matches!(kept.verdict, Some(Verdict::Used | Verdict::Configured))
            });
            !explained
                && grants.iter().all(|&g| {
                    draft.granted.grants[g].targets().iter().all(|target| {
                        let resource = match target {
                            Target::Resource(resource) => resource.as_str(),
                            Target::NotResource(_) => "*",
                        };
                        matches!(draft.view.sight(facts, resource), Sight::Logged(_))
                    })
                })
        })
}
