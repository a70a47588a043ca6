//! The slack of roles, and the file that accepts it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use anyhow::anyhow;
use serde::{Deserialize, Serialize};

use super::{Exit, Fault};
use crate::catalog::Catalog;
use crate::iam::{Action, Effect, PolicyDocument, Statement, pattern};
use crate::render::{Report, RoleReport};

const SCHEMA: &str = "rolefit.baseline/1";

/// What roles allow and do not need, as it was accepted.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Baseline {
    schema: String,
    /// Role ARN → `ACTION RESOURCE`, as the report's removed rows have them.
    pub(super) roles: BTreeMap<String, BTreeSet<String>>,
}

impl Baseline {
    pub(super) fn of(report: &Report) -> Self {
        let roles = report.roles.iter().map(|role| {
            let removed = role.removed.iter();
            let removed = removed.map(|row| format!("{} {}", row.action, row.resource));
            let narrowed = narrowed(role);
            let narrowed = narrowed.iter().map(|(action, on)| format!("{action} {on}"));
            (role.arn.clone(), removed.chain(narrowed).collect())
        });
        Self {
            schema: SCHEMA.into(),
            roles: roles.collect(),
        }
    }

    pub(super) fn read(file: &Path) -> Result<Self, Fault> {
        let name = file.display();
        let text = fs::read_to_string(file)
            .map_err(|error| Fault::new(Exit::Failed, anyhow!("cannot read `{name}`: {error}")))?;
        let wrong = |what: String| {
            Fault::new(Exit::Failed, anyhow!("cannot use `{name}`: {what}"))
                .hint("write the file anew with `rolefit check … --write-baseline FILE`")
        };
        let baseline: Self = serde_json::from_str(&text).map_err(|e| wrong(e.to_string()))?;
        if baseline.schema != SCHEMA {
            return Err(wrong(format!(
                "it is `{}`, not `{SCHEMA}`",
                baseline.schema
            )));
        }
        Ok(baseline)
    }

    /// Writes the file whole: beside its place first, then there.
    pub(super) fn write(&self, file: &Path) -> Result<(), Fault> {
        let mut text =
            serde_json::to_string_pretty(self).map_err(|error| Fault::new(Exit::Failed, error))?;
        text.push('\n');
        let mut part = file.as_os_str().to_owned();
        part.push(".part");
        fs::write(&part, text)
            .and_then(|()| fs::rename(&part, file))
            .map_err(|error| {
                Fault::new(
                    Exit::Failed,
                    anyhow!("cannot write `{}`: {error}", file.display()),
                )
            })
    }
}

/// The actions that the proposal allows on less, each with every resource pattern that it is granted on.
fn narrowed(role: &RoleReport) -> Vec<(String, String)> {
    let documents = documents(role);
    let statements: Vec<&Statement> = documents
        .iter()
        .flat_map(|(_, document)| document.statements())
        .filter(|s| s.effect == Effect::Allow)
        .collect();
    let mut out = Vec::new();
    for row in role.decisions.iter().filter(|row| row.change == "narrowed") {
        for statement in statements.iter().filter(|s| s.actions.matches(&row.action)) {
            let not = if statement.resources.negated() {
                "everything but "
            } else {
                ""
            };
            out.extend(
                statement
                    .resources
                    .patterns()
                    .iter()
                    .map(|resource| (row.action.clone(), format!("{not}{resource}"))),
            );
        }
    }
    out
}

/// The role's policies, by name. One that cannot be read is left out: its role is refused anyway.
pub(super) fn documents(role: &RoleReport) -> Vec<(String, PolicyDocument)> {
    role.current_policies["Policies"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|policy| {
            let name = policy["PolicyName"].as_str().unwrap_or_default().to_owned();
            Some((
                name,
                PolicyDocument::from_value(&policy["PolicyDocument"]).ok()?,
            ))
        })
        .collect()
}

/// What one role allows and does not need, without what the baseline accepts.
#[derive(Debug, Default)]
pub(super) struct Slack {
    /// Actions that the proposal does not allow.
    pub(super) unused: BTreeSet<String>,
    /// The sensitive ones of these.
    pub(super) sensitive: BTreeSet<String>,
    /// Actions that the proposal allows on less.
    pub(super) narrowed: BTreeSet<String>,
}

impl Slack {
    /// `allowed` are the actions that the role has today.
    pub(super) fn of(
        role: &RoleReport,
        allowed: &BTreeSet<String>,
        baseline: Option<&Baseline>,
        catalog: &Catalog,
    ) -> Self {
        let rows = baseline.and_then(|baseline| baseline.roles.get(&role.arn));
        let stays: BTreeSet<&str> = role
            .decisions
            .iter()
            .filter(|row| row.change != "removed")
            .map(|row| row.action.as_str())
            .collect();
        let accepted = Accepted::new(rows);
        let mut slack = Self::default();
        for row in &role.removed {
            if rows.is_some_and(|rows| rows.contains(&format!("{} {}", row.action, row.resource))) {
                continue;
            }
            let actions: Vec<&str> = match row.action.strip_suffix('*') {
                Some(service) => allowed
                    .range(service.to_owned()..)
                    .take_while(|action| action.starts_with(service))
                    .map(String::as_str)
                    .collect(),
                None => vec![&row.action],
            };
            for action in actions {
                if accepted.covers(action, &row.resource) {
                    continue;
                }
                if stays.contains(action) {
                    slack.narrowed.insert(action.to_owned());
                } else if allowed.contains(action) {
                    slack.unused.insert(action.to_owned());
                }
            }
        }
        for (action, resource) in narrowed(role) {
            if !accepted.covers(&action, &resource) {
                slack.narrowed.insert(action);
            }
        }
        slack.sensitive = slack
            .unused
            .iter()
            .filter(|action| !catalog.risk(&Action::new(action)).is_empty())
            .cloned()
            .collect();
        slack
    }
}

/// The rows of a baseline by service, so that thousands of actions stay quick.
struct Accepted<'a> {
    services: BTreeMap<&'a str, Vec<(&'a str, &'a str)>>,
}

impl<'a> Accepted<'a> {
    fn new(rows: Option<&'a BTreeSet<String>>) -> Self {
        let mut services: BTreeMap<&str, Vec<(&str, &str)>> = BTreeMap::new();
        for (action, resource) in rows.into_iter().flatten().filter_map(|r| r.split_once(' ')) {
            let service = action.split(':').next().unwrap_or_default();
            services
                .entry(service)
                .or_default()
                .push((action, resource));
        }
        Self { services }
    }

    fn covers(&self, action: &str, resource: &str) -> bool {
        let service = action.split(':').next().unwrap_or_default();
        self.services.get(service).is_some_and(|rows| {
            rows.iter().any(|(accepted, on)| {
                pattern::matches_ignore_case(accepted, action)
                    && (*on == resource || pattern::covers(on, resource))
            })
        })
    }
}
