//! Decisions folded into groups that a person can read: hundreds of removed actions become a line a
//! service, hundreds of services of which nothing stays become one line.

use std::collections::BTreeMap;

use super::RoleReport;

/// Some actions that share a fate.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Group {
    /// The services, sorted; several only where they share the whole reason.
    pub(super) services: Vec<String>,
    /// Catalog actions.
    pub(super) actions: usize,
    /// Their names, `service:*` for a whole service; at most [`NAMES`].
    pub(super) names: Vec<String>,
    /// What they have in common.
    pub(super) reason: String,
    /// Further reasons, each with its count, most frequent first.
    pub(super) details: Vec<(String, usize)>,
}

/// Names kept in a group.
const NAMES: usize = 60;
/// Services with one reason that stand on lines of their own before they are put together.
const APART: usize = 3;
/// A service with no more actions than this needs no line of its own.
const FEW: usize = 4;

/// What goes, the largest group first.
pub(super) fn removed(role: &RoleReport) -> Vec<Group> {
    groups(role, |change, _| change == "removed")
}

/// What stays although nothing showed it.
pub(super) fn unseen(role: &RoleReport) -> Vec<Group> {
    groups(role, |change, verdict| {
        change != "removed" && verdict == "unseen"
    })
}

/// The kind of a policy in words.
pub(super) fn kind(kind: &str) -> String {
    kind.replace("aws-", "AWS ").replace('-', " ")
}

/// Actions with the services first that a reviewer looks for first.
pub(super) fn notable(actions: &[String]) -> Vec<String> {
    const FIRST: [&str; 8] = [
        "iam",
        "sts",
        "secretsmanager",
        "kms",
        "lambda",
        "s3",
        "ssm",
        "dynamodb",
    ];
    let rank = |action: &String| {
        let service = action.split(':').next().unwrap_or_default();
        FIRST
            .iter()
            .position(|first| *first == service)
            .unwrap_or(FIRST.len())
    };
    let mut out = actions.to_vec();
    out.sort_by_key(rank);
    out
}

fn groups(role: &RoleReport, wanted: impl Fn(&str, &str) -> bool) -> Vec<Group> {
    // Service → reason → its actions.
    let mut services: BTreeMap<&str, BTreeMap<String, (usize, Vec<String>)>> = BTreeMap::new();
    for row in role
        .decisions
        .iter()
        .filter(|row| wanted(row.change, row.verdict))
    {
        let service = row.action.split(':').next().unwrap_or_default();
        let reason = without_service(&row.reason, service);
        let entry = services
            .entry(service)
            .or_default()
            .entry(reason)
            .or_default();
        entry.0 += row.actions;
        if entry.1.len() < NAMES {
            entry.1.push(row.action.clone());
        }
    }
    let mut shared: BTreeMap<String, Vec<Group>> = BTreeMap::new();
    let mut out = Vec::new();
    for (service, reasons) in services {
        let group = of_service(service, reasons);
        let whole = group.names.iter().all(|name| name.ends_with(":*"));
        if group.details.is_empty() && (whole || group.actions <= FEW) {
            shared.entry(group.reason.clone()).or_default().push(group);
        } else {
            out.push(group);
        }
    }
    for (reason, alike) in shared {
        if alike.len() <= APART {
            out.extend(alike);
            continue;
        }
        out.push(Group {
            actions: alike.iter().map(|group| group.actions).sum(),
            services: alike.iter().flat_map(|g| g.services.clone()).collect(),
            names: alike
                .iter()
                .flat_map(|g| g.names.clone())
                .take(NAMES)
                .collect(),
            reason,
            details: Vec::new(),
        });
    }
    out.sort_by(|a, b| {
        b.actions
            .cmp(&a.actions)
            .then_with(|| a.services.cmp(&b.services))
    });
    out
}

fn of_service(service: &str, reasons: BTreeMap<String, (usize, Vec<String>)>) -> Group {
    let mut names: Vec<String> = reasons.values().flat_map(|(_, n)| n.clone()).collect();
    names.sort();
    names.dedup();
    names.truncate(NAMES);
    let actions = reasons.values().map(|(count, _)| count).sum();
    // The part before the first semicolon says what, the rest how it is known.
    let mut heads: BTreeMap<&str, usize> = BTreeMap::new();
    for (reason, (count, _)) in &reasons {
        *heads.entry(head(reason)).or_default() += count;
    }
    let most = heads
        .iter()
        .max_by_key(|(text, count)| (**count, std::cmp::Reverse(**text)))
        .map_or("", |(text, _)| *text)
        .to_owned();
    if reasons.len() == 1 {
        let reason = reasons.into_keys().next().unwrap_or_default();
        return Group {
            services: vec![service.to_owned()],
            actions,
            names,
            reason,
            details: Vec::new(),
        };
    }
    let mut details: Vec<(String, usize)> = reasons
        .iter()
        .filter(|(reason, _)| **reason != most)
        .map(|(reason, (count, _))| {
            let short = reason
                .strip_prefix(&most)
                .and_then(|rest| rest.strip_prefix("; "))
                .unwrap_or(reason);
            (short.to_owned(), *count)
        })
        .collect();
    details.sort_by(|a, b| b.1.cmp(&a.1).then_with(|| a.0.cmp(&b.0)));
    Group {
        services: vec![service.to_owned()],
        actions,
        names,
        reason: most,
        details,
    }
}

fn head(reason: &str) -> &str {
    reason.split("; ").next().unwrap_or(reason)
}

/// `no call of iam in 61 days` is one reason for all services; and the most frequent words, shorter.
fn without_service(reason: &str, service: &str) -> String {
    reason
        .replace(
            "the trail's selectors log it as a management event",
            "logged as a management event",
        )
        .replace(&format!("call of {service} "), "call of the service ")
        .replace(&format!("attempt on {service} "), "attempt on the service ")
}

impl Group {
    /// `dynamodb: 54 actions not used in 90 days`, `3 services`, without the details.
    pub(super) fn headline(&self) -> String {
        let joint = if self.reason.starts_with("not used") {
            " "
        } else {
            ", "
        };
        let actions = super::escape::counted(self.actions, "action");
        format!("{actions}{joint}{}", self.reason)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reasons(list: &[(&str, usize)]) -> BTreeMap<String, (usize, Vec<String>)> {
        list.iter()
            .map(|(reason, n)| ((*reason).to_owned(), (*n, vec!["a:B".to_owned()])))
            .collect()
    }

    #[test]
    fn a_service_is_one_line_with_the_most_frequent_reason_first() {
        let group = of_service(
            "a",
            reasons(&[
                ("not used in 90 days; logged as a management event", 40),
                ("not used in 90 days; x data events", 12),
                ("only other services use it; this role does not", 2),
            ]),
        );
        assert_eq!(group.headline(), "54 actions not used in 90 days");
        assert_eq!(
            group.details,
            [
                ("logged as a management event".to_owned(), 40),
                ("x data events".to_owned(), 12),
                (
                    "only other services use it; this role does not".to_owned(),
                    2
                )
            ]
        );
        let one = of_service("a", reasons(&[("no call of the service in 61 days", 3)]));
        assert_eq!(
            one.headline(),
            "3 actions, no call of the service in 61 days"
        );
        assert!(one.details.is_empty());
    }

    #[test]
    fn a_reason_is_the_same_for_every_service() {
        assert_eq!(
            without_service("no call of iam in 61 days", "iam"),
            without_service("no call of s3 in 61 days", "s3")
        );
    }
}
