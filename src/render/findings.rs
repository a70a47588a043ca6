//! What a gate, a code scanner or a pull request is told: one finding a role and rule, with a stable name.

use super::escape::{counted, first_of, thousands};
use super::{Report, RoleReport, Status};

/// How much a finding matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Level {
    Error,
    Warning,
    Note,
}

/// A kind of finding. Ids are stable.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Rule {
    pub(super) id: &'static str,
    pub(super) level: Level,
    /// From 0 to 10, as code scanning ranks.
    pub(super) severity: &'static str,
    pub(super) title: &'static str,
    pub(super) help: &'static str,
}

pub(super) const RULES: [Rule; 7] = [
    Rule {
        id: "role-refused",
        level: Level::Error,
        severity: "7.0",
        title: "No trustworthy proposal for a role",
        help: "Something that a proposal rests on could not be read or proven. The role keeps what it has until the reason is removed.",
    },
    Rule {
        id: "unused-sensitive-access",
        level: Level::Warning,
        severity: "8.0",
        title: "A role holds sensitive permissions that it does not use",
        help: "Privilege escalation, credential exposure, data access or resource exposure that nothing in the window used. Put the proposed policy in place.",
    },
    Rule {
        id: "unused-access",
        level: Level::Warning,
        severity: "5.0",
        title: "A role allows more than it uses",
        help: "The proposed policy allows what was used, what the functions are configured to need, and what the trail cannot show.",
    },
    Rule {
        id: "needs-review",
        level: Level::Warning,
        severity: "3.0",
        title: "A proposal needs a person",
        help: "Read the reasons before the policy is put in place.",
    },
    Rule {
        id: "missing-permission",
        level: Level::Warning,
        severity: "2.0",
        title: "A configured need is not granted today",
        help: "A function is configured to need an action that its role does not allow. Nothing is added; grant it or change the configuration.",
    },
    Rule {
        id: "unseen-access-kept",
        level: Level::Note,
        severity: "1.0",
        title: "Access is kept because the trail cannot show its use",
        help: "Log the data events that are named, and the next run can decide.",
    },
    Rule {
        id: "denied-calls",
        level: Level::Note,
        severity: "1.0",
        title: "Calls were denied",
        help: "Denied calls grant nothing. Where the code needs them, grant them by hand.",
    },
];

pub(super) struct Finding<'a> {
    pub(super) rule: &'static Rule,
    pub(super) role: &'a RoleReport,
    /// Place of the role in the report.
    pub(super) index: usize,
    /// In words; what comes from logs is not yet escaped.
    pub(super) message: String,
}

/// Every finding, the weightiest first, then by rule and role.
pub(super) fn findings(report: &Report) -> Vec<Finding<'_>> {
    let mut out = Vec::new();
    for rule in &RULES {
        for (index, role) in report.roles.iter().enumerate() {
            if let Some(message) = message(rule.id, role) {
                out.push(Finding {
                    rule,
                    role,
                    index,
                    message,
                });
            }
        }
    }
    out.sort_by_key(|finding| finding.rule.level);
    out
}

fn message(rule: &str, role: &RoleReport) -> Option<String> {
    let name = role.name();
    let reasons = || {
        let list: Vec<String> = role
            .reasons
            .iter()
            .map(|r| format!("{}: {}", r.code, r.message))
            .collect();
        list.join("; ")
    };
    let refused = role.status == Status::Refused;
    match rule {
        "role-refused" if refused => Some(format!("{name}: {}", reasons())),
        "needs-review" if role.status == Status::Review => Some(format!("{name}: {}", reasons())),
        "unused-sensitive-access" if !refused => {
            let closed: Vec<String> = role
                .risks
                .iter()
                .filter(|risk| !risk.closed.is_empty())
                .map(|risk| {
                    format!(
                        "{} ({})",
                        risk.class.replace('-', " "),
                        first_of(&super::fold::notable(&risk.closed), 4)
                    )
                })
                .collect();
            (!closed.is_empty()).then(|| format!("{name} does not use: {}", closed.join("; ")))
        }
        "unused-access" if !refused => {
            let changes = role.changes;
            (changes.removed + changes.narrowed > 0).then(|| {
                format!(
                    "{name} allows {}, the proposal {}: {} removed, {} narrowed to fewer resources",
                    counted(role.current.allowed_actions, "action"),
                    thousands(role.proposed.as_ref().map_or(0, |p| p.allowed_actions) as u64),
                    thousands(changes.removed as u64),
                    thousands(changes.narrowed as u64)
                )
            })
        }
        "missing-permission" => {
            let rows: Vec<String> = role
                .missing
                .iter()
                .map(|m| {
                    format!(
                        "{} on {} ({} of {})",
                        m.action, m.resource, m.feature, m.function
                    )
                })
                .collect();
            (!rows.is_empty()).then(|| format!("{name} lacks {}", first_of(&rows, 4)))
        }
        "unseen-access-kept" if !refused => {
            let groups = super::fold::unseen(role);
            let rows: Vec<String> = groups
                .iter()
                .map(|g| {
                    let services = first_of(&g.services, 3);
                    format!(
                        "{services}: {} ({})",
                        counted(g.actions, "action"),
                        g.reason
                    )
                })
                .collect();
            (!rows.is_empty()).then(|| format!("{name} keeps {}", first_of(&rows, 4)))
        }
        "denied-calls" => {
            let rows: Vec<String> = role
                .denied
                .iter()
                .map(|d| {
                    let times = counted(usize::try_from(d.count).unwrap_or(usize::MAX), "time");
                    format!("{} on {} ({times})", d.action, d.resource)
                })
                .collect();
            (!rows.is_empty()).then(|| format!("{name} was denied {}", first_of(&rows, 4)))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn rules_have_names_of_their_own() {
        let ids: BTreeSet<_> = RULES.iter().map(|rule| rule.id).collect();
        assert_eq!(ids.len(), RULES.len());
        assert!(
            RULES
                .iter()
                .all(|rule| rule.severity.parse::<f32>().is_ok())
        );
    }
}
