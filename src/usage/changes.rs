//! Changes of policies that the trail shows: what may have shut a door. A record in, the change out.

use std::borrow::Cow;
use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use crate::trail::Record;

/// What a change was made to.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ChangeTarget {
    /// A role, by its account and name: events of IAM leave the path out.
    Role {
        /// Twelve digits.
        account: String,
        /// The name.
        name: String,
    },
    /// A managed policy, by its ARN.
    Policy(String),
    /// A bucket, queue, key, function, VPC endpoint, by its ARN.
    Resource(String),
    /// Policies of the organization.
    Organization,
}

/// One change of a policy. Ordered by time.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct PolicyChange {
    /// Seconds since 1970.
    pub time: i64,
    /// `eventName`.
    pub name: String,
    /// The policy that was put, attached, detached or deleted, where the event names one.
    pub policy: Option<String>,
    /// The ARN of who did it.
    pub by: String,
    /// `eventID`.
    pub event_id: String,
}

/// The newest changes of each target; merging is associative and commutative.
#[derive(Clone, Debug, Default)]
pub struct Changes {
    pub(super) by_target: BTreeMap<ChangeTarget, BTreeSet<PolicyChange>>,
}

impl Changes {
    /// Changes kept of one target, the newest.
    pub const KEPT: usize = 64;

    /// Notes a change.
    pub fn add(&mut self, target: ChangeTarget, change: PolicyChange) {
        let changes = self.by_target.entry(target).or_default();
        changes.insert(change);
        while changes.len() > Self::KEPT {
            changes.pop_first();
        }
    }

    /// Adds what another worker noted.
    pub fn merge(&mut self, other: Self) {
        for (target, changes) in other.by_target {
            for change in changes {
                self.add(target.clone(), change);
            }
        }
    }

    /// The changes of a target, oldest first.
    pub fn of(&self, target: &ChangeTarget) -> impl Iterator<Item = &PolicyChange> {
        self.by_target.get(target).into_iter().flatten()
    }
}

/// Calls of IAM that change what a role may do, or who may take it.
const OF_ROLES: [&str; 9] = [
    "AttachRolePolicy",
    "CreateRole",
    "DeleteRole",
    "DeleteRolePermissionsBoundary",
    "DeleteRolePolicy",
    "DetachRolePolicy",
    "PutRolePermissionsBoundary",
    "PutRolePolicy",
    "UpdateAssumeRolePolicy",
];

/// Calls that change the policy of a resource, by source and the beginning of the name: Lambda's names
/// carry dates.
const OF_RESOURCES: [(&str, &str); 16] = [
    ("dynamodb.amazonaws.com", "DeleteResourcePolicy"),
    ("dynamodb.amazonaws.com", "PutResourcePolicy"),
    ("ec2.amazonaws.com", "ModifyVpcEndpoint"),
    ("kms.amazonaws.com", "PutKeyPolicy"),
    ("kms.amazonaws.com", "RevokeGrant"),
    ("lambda.amazonaws.com", "AddPermission"),
    ("lambda.amazonaws.com", "RemovePermission"),
    ("s3.amazonaws.com", "DeleteBucketPolicy"),
    ("s3.amazonaws.com", "PutBucketPolicy"),
    ("secretsmanager.amazonaws.com", "DeleteResourcePolicy"),
    ("secretsmanager.amazonaws.com", "PutResourcePolicy"),
    ("sns.amazonaws.com", "RemovePermission"),
    ("sns.amazonaws.com", "SetTopicAttributes"),
    ("sqs.amazonaws.com", "AddPermission"),
    ("sqs.amazonaws.com", "RemovePermission"),
    ("sqs.amazonaws.com", "SetQueueAttributes"),
];

/// Calls of Organizations that change service and resource control policies.
const OF_ORGANIZATIONS: [&str; 4] = [
    "AttachPolicy",
    "DetachPolicy",
    "MoveAccount",
    "UpdatePolicy",
];

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters<'p> {
    #[serde(borrow, default)]
    role_name: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    policy_name: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    policy_arn: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    policy_id: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    permissions_boundary: Option<Cow<'p, str>>,
    #[serde(default)]
    set_as_default: Option<serde_json::Value>,
}

/// Whether an event of this source and name may change a policy.
pub(super) fn may_change(source: &str, name: &str) -> bool {
    let of_resource = |(from, begins): &(&str, &str)| *from == source && name.starts_with(begins);
    match source {
        "iam.amazonaws.com" => {
            OF_ROLES.contains(&name)
                || matches!(name, "CreatePolicyVersion" | "SetDefaultPolicyVersion")
        }
        "organizations.amazonaws.com" => OF_ORGANIZATIONS.contains(&name),
        _ => OF_RESOURCES.iter().any(of_resource),
    }
}

/// The change that an event made. `resource` gives the ARN that the event is about; it is asked only
/// for events that change the policy of a resource.
pub(super) fn change(
    record: &Record<'_>,
    resource: impl FnOnce() -> Option<String>,
) -> Option<(ChangeTarget, PolicyChange)> {
    let source = &*record.event_source;
    let name = &*record.event_name;
    let iam = source == "iam.amazonaws.com";
    let of_role = iam && OF_ROLES.contains(&name);
    let of_policy = iam && matches!(name, "CreatePolicyVersion" | "SetDefaultPolicyVersion");
    let of_organization =
        source == "organizations.amazonaws.com" && OF_ORGANIZATIONS.contains(&name);
    if !may_change(source, name) || record.error_code.is_some() {
        return None;
    }
    let time = record.epoch_seconds()?;
    let raw = record.request_parameters.map_or("{}", |raw| raw.get());
    let parameters: Parameters<'_> = serde_json::from_str(raw).unwrap_or_default();
    let target = if of_role {
        ChangeTarget::Role {
            account: record.recipient_account_id.as_deref()?.to_owned(),
            name: parameters.role_name?.into_owned(),
        }
    } else if of_policy {
        let default = match parameters.set_as_default {
            Some(serde_json::Value::String(text)) => text.eq_ignore_ascii_case("true"),
            Some(other) => other.as_bool() == Some(true),
            None => false,
        };
        if name == "CreatePolicyVersion" && !default {
            return None;
        }
        ChangeTarget::Policy(parameters.policy_arn.as_deref()?.to_owned())
    } else if of_organization {
        ChangeTarget::Organization
    } else {
        // Only attributes that are policies matter.
        if name.starts_with("Set") && !raw.contains("olicy") {
            return None;
        }
        ChangeTarget::Resource(resource()?)
    };
    let identity = &record.user_identity;
    let change = PolicyChange {
        time,
        name: name.to_owned(),
        policy: parameters
            .policy_arn
            .or(parameters.policy_name)
            .or(parameters.permissions_boundary)
            .or(parameters.policy_id)
            .map(Cow::into_owned),
        by: identity
            .arn
            .as_deref()
            .or(identity.invoked_by.as_deref())
            .unwrap_or("unknown")
            .to_owned(),
        event_id: record.event_id.as_deref().unwrap_or_default().to_owned(),
    };
    Some((target, change))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(source: &str, name: &str, parameters: &str, more: &str, expected: Option<&str>) {
        let text = format!(
            r#"{{"eventSource":"{source}.amazonaws.com","eventName":"{name}","eventTime":"2026-10-01T00:00:00Z","recipientAccountId":"111122223333",
                "userIdentity":{{"arn":"arn:aws:iam::111122223333:user/alice"}},"requestParameters":{parameters}{more}}}"#
        );
        let record: Record<'_> = serde_json::from_str(&text).unwrap();
        let found = change(&record, || Some("arn:aws:s3:::bucket".into()))
            .map(|(target, change)| format!("{target:?} {:?}", change.policy));
        assert_eq!(found.as_deref(), expected, "{name}");
    }

    #[test]
    fn changes_of_roles_policies_and_resources() {
        let role = Some(r#"Role { account: "111122223333", name: "r" } Some("p")"#);
        check(
            "iam",
            "PutRolePolicy",
            r#"{"roleName":"r","policyName":"p"}"#,
            "",
            role,
        );
        check(
            "iam",
            "DetachRolePolicy",
            r#"{"roleName":"r","policyArn":"p"}"#,
            "",
            role,
        );
        check(
            "iam",
            "PutRolePermissionsBoundary",
            r#"{"roleName":"r","permissionsBoundary":"p"}"#,
            "",
            role,
        );
        let policy = Some(r#"Policy("a") Some("a")"#);
        check(
            "iam",
            "CreatePolicyVersion",
            r#"{"policyArn":"a","setAsDefault":true}"#,
            "",
            policy,
        );
        check(
            "iam",
            "SetDefaultPolicyVersion",
            r#"{"policyArn":"a"}"#,
            "",
            policy,
        );
        let bucket = Some(r#"Resource("arn:aws:s3:::bucket") None"#);
        check(
            "s3",
            "PutBucketPolicy",
            r#"{"bucketName":"bucket"}"#,
            "",
            bucket,
        );
        check(
            "organizations",
            "DetachPolicy",
            r#"{"policyId":"p-1"}"#,
            "",
            Some(r#"Organization Some("p-1")"#),
        );
    }

    #[test]
    fn what_changes_nothing_is_no_change() {
        check(
            "iam",
            "CreatePolicyVersion",
            r#"{"policyArn":"a"}"#,
            "",
            None,
        );
        check(
            "iam",
            "PutRolePolicy",
            r#"{"roleName":"r"}"#,
            r#","errorCode":"AccessDenied""#,
            None,
        );
        check(
            "sqs",
            "SetQueueAttributes",
            r#"{"attributes":{"DelaySeconds":"5"}}"#,
            "",
            None,
        );
        check("iam", "TagRole", r#"{"roleName":"r"}"#, "", None);
        check("iam", "PutRolePolicy", "null", "", None);
    }

    #[test]
    fn the_newest_changes_of_a_target_are_kept_in_any_order() {
        let of = |times: Vec<i64>| {
            let mut changes = Changes::default();
            for time in times {
                let change = PolicyChange {
                    time,
                    name: "PutRolePolicy".into(),
                    policy: None,
                    by: "alice".into(),
                    event_id: time.to_string(),
                };
                changes.add(ChangeTarget::Organization, change);
            }
            let times: Vec<i64> = changes
                .of(&ChangeTarget::Organization)
                .map(|change| change.time)
                .collect();
            times
        };
        let forward = of((0..200).collect());
        assert_eq!(forward, (136..200).collect::<Vec<_>>());
        assert_eq!(forward, of((0..200).rev().collect()));
    }
}
