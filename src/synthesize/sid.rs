//! Sids that say what a statement does: `ReadOrdersTable`, `WriteOrderReceipts`.

use std::collections::BTreeMap;

use super::pack::Group;
use crate::catalog::{AccessLevel, Catalog};
use crate::iam::Arn;

/// One Sid for each group, unique, letters and digits alone as IAM asks.
pub(super) fn sids(groups: &[Group], catalog: &Catalog) -> Vec<String> {
    let mut used: BTreeMap<String, usize> = BTreeMap::new();
    groups
        .iter()
        .map(|group| {
            let sid = sid(group, catalog);
            let times = used.entry(sid.clone()).or_default();
            *times += 1;
            if *times == 1 {
                sid
            } else {
                format!("{sid}{times}")
            }
        })
        .collect()
}

fn sid(group: &Group, catalog: &Catalog) -> String {
    let verb = if group.unseen {
        "Unseen"
    } else {
        verb(group, catalog)
    };
    format!("{verb}{}", noun(group))
}

/// Verbs that say more than the access level.
const VERBS: [(&str, &str); 9] = [
    ("iam:PassRole", "Pass"),
    ("kms:", "Use"),
    ("lambda:InvokeFunction", "Invoke"),
    ("logs:", "Write"),
    ("sns:Publish", "PublishTo"),
    ("sqs:SendMessage", "SendTo"),
    ("states:Start", "Start"),
    ("sts:AssumeRole", "Assume"),
    ("events:PutEvents", "PutEventsTo"),
];

fn verb(group: &Group, catalog: &Catalog) -> &'static str {
    if let Some((_, verb)) = VERBS.iter().find(|(prefix, _)| {
        group
            .actions
            .iter()
            .all(|action| action.starts_with(prefix))
    }) {
        return verb;
    }
    let levels: Vec<AccessLevel> = group
        .actions
        .iter()
        .filter_map(|action| catalog.action(action))
        .map(|facts| facts.access)
        .collect();
    let any = |wanted: &[AccessLevel]| levels.iter().any(|level| wanted.contains(level));
    let reads = any(&[AccessLevel::Read, AccessLevel::List]);
    let writes = any(&[AccessLevel::Write, AccessLevel::Tagging]);
    match (any(&[AccessLevel::PermissionsManagement]), reads, writes) {
        (true, ..) => "Manage",
        (_, true, false) if !any(&[AccessLevel::Read]) => "List",
        (_, true, false) => "Read",
        (_, false, true) if levels.iter().all(|level| *level == AccessLevel::Tagging) => "Tag",
        (_, false, _) => "Write",
        (_, true, true) => "ReadWrite",
    }
}

/// What a resource is called after its name, by service.
const KINDS: [(&str, &str); 9] = [
    ("dynamodb", "Table"),
    ("iam", "Role"),
    ("kinesis", "Stream"),
    ("kms", "Key"),
    ("logs", "Logs"),
    ("secretsmanager", "Secret"),
    ("sns", "Topic"),
    ("sqs", "Queue"),
    ("ssm", "Parameter"),
];

fn noun(group: &Group) -> String {
    let mut names: Vec<String> = group
        .resources
        .iter()
        .filter_map(|resource| name_of(resource))
        .collect();
    names.sort();
    names.dedup();
    let kind = KINDS
        .iter()
        .find(|(service, _)| *service == group.service)
        .map_or("", |(_, kind)| kind);
    let index = group
        .resources
        .iter()
        .any(|resource| resource.contains("/index/"));
    let kind = if index { "Index" } else { kind };
    let with_kind = |name: &String| {
        if name.ends_with(kind) {
            name.clone()
        } else {
            format!("{name}{kind}")
        }
    };
    match names.as_slice() {
        [one] => with_kind(one),
        [one, two] => format!("{}And{}", with_kind(one), with_kind(two)),
        _ => camel(&group.service),
    }
}

/// The name of the container: bucket, table, queue. `None` where a wildcard hides it.
fn name_of(resource: &str) -> Option<String> {
    let arn = Arn::parse(resource)?;
    let path = arn.resource.as_str();
    let name = match arn.service.as_str() {
        "s3" => path.split('/').next()?,
        "logs" => path
            .strip_prefix("log-group:")?
            .split(':')
            .next()?
            .rsplit('/')
            .next()?,
        "kms" => return (!path.contains('*')).then(String::new),
        "dynamodb" => {
            let mut parts = path.strip_prefix("table/")?.split('/');
            let table = parts.next()?;
            return match (parts.next(), parts.next()) {
                (Some("index"), Some(index)) => Some(format!(
                    "{}{}",
                    camel(table),
                    camel(index.trim_end_matches('*'))
                )),
                _ => Some(camel(table)).filter(|name| !name.is_empty()),
            };
        }
        "ecs" => path.split('/').nth(1)?.split(':').next()?,
        "lambda" => path.strip_prefix("function:")?.split(':').next()?,
        "secretsmanager" => {
            let name = path.strip_prefix("secret:")?;
            match name.rsplit_once('-') {
                Some((name, suffix)) if suffix.len() == 6 => name,
                _ => name,
            }
        }
        "ssm" => path.strip_prefix("parameter/")?,
        _ => path.rsplit(['/', ':']).find(|part| *part != "*")?,
    };
    let name = camel(name.trim_end_matches('*'));
    (!name.is_empty()).then_some(name)
}

/// `order-receipts` → `OrderReceipts`; anything but letters and digits separates words.
fn camel(name: &str) -> String {
    let mut out = String::new();
    for word in name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        let (first, rest) = word.split_at(1);
        out.push_str(&first.to_ascii_uppercase());
        out.push_str(rest);
    }
    out.truncate(40);
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_the_containers() {
        for (resource, expected) in [
            (
                "arn:aws:s3:::order-receipts/receipts/*",
                Some("OrderReceipts"),
            ),
            (
                "arn:aws:dynamodb:us-east-1:111122223333:table/Orders/index/by-email",
                Some("OrdersByEmail"),
            ),
            (
                "arn:aws:logs:us-east-1:111122223333:log-group:/aws/lambda/order-processor:*",
                Some("OrderProcessor"),
            ),
            (
                "arn:aws:secretsmanager:us-east-1:111122223333:secret:prod/db-AbCdEf",
                Some("ProdDb"),
            ),
            (
                "arn:aws:iam::111122223333:role/service/worker",
                Some("Worker"),
            ),
            ("arn:aws:sqs:us-east-1:111122223333:jobs", Some("Jobs")),
            ("*", None),
        ] {
            assert_eq!(name_of(resource).as_deref(), expected, "{resource}");
        }
    }
}
