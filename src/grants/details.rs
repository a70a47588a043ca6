//! Roles and their policies from `aws iam get-account-authorization-details`.
//!
//! The API returns policy documents as URL-encoded strings, the AWS CLI as objects; both are read. A
//! document that cannot be read makes its role unusable (`problems`), never the whole file.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::Value;

use super::sound;
use super::trust::{read_value, trusted_services, trusts_others};
use crate::catalog::Catalog;
use crate::iam::{Arn, NamedPolicy, PolicyDocument, PolicySet, pattern};

/// Where a policy document of a role comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum PolicyKind {
    /// Embedded in the role.
    Inline,
    /// A managed policy of the account.
    CustomerManaged,
    /// A managed policy of AWS.
    AwsManaged,
}

impl PolicyKind {
    /// The word used in reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Inline => "inline",
            Self::CustomerManaged => "customer-managed",
            Self::AwsManaged => "aws-managed",
        }
    }
}

/// One identity policy of a role.
#[derive(Clone, Debug)]
pub struct Attached {
    /// Inline, customer managed or AWS managed.
    pub kind: PolicyKind,
    /// The ARN of a managed policy.
    pub arn: Option<String>,
    /// Name and document.
    pub policy: NamedPolicy,
    /// The snapshot had no document, so the catalog's copy of the AWS managed policy stands in.
    pub from_catalog: bool,
    /// Seconds since 1970 at which a customer managed policy got its default version.
    pub since: Option<i64>,
}

/// A role and everything its own account says about its permissions.
#[derive(Clone, Debug)]
pub struct Role {
    /// `arn:PARTITION:iam::ACCOUNT:role/PATH/NAME`.
    pub arn: String,
    /// The name, without the path.
    pub name: String,
    /// Twelve digits.
    pub account: String,
    /// `AROA…`: changes when a role is deleted and created again under its name.
    pub role_id: String,
    /// Seconds since 1970, where the snapshot says.
    pub created: Option<i64>,
    /// Every identity policy, inline first, in the order of the snapshot.
    pub policies: Vec<Attached>,
    /// The permissions boundary.
    pub boundary: Option<NamedPolicy>,
    /// Services that the trust policy lets assume the role.
    pub trusted_services: Vec<String>,
    /// The trust policy; `None` where there is none or it cannot be read.
    pub trust: Option<Value>,
    /// Something else than Lambda may assume the role too: another service, an account, a user.
    pub trusts_others: bool,
    /// Why the current permissions are not fully known. Empty for a usable role.
    pub problems: Vec<String>,
}

impl Role {
    /// Whether the trust policy lets the Lambda service assume the role.
    #[must_use]
    pub fn trusts_lambda(&self) -> bool {
        self.trusted_services
            .iter()
            .any(|service| pattern::matches_ignore_case(service, "lambda.amazonaws.com"))
    }

    /// Whether another description of the role has the same policies.
    pub(super) fn same_policies(&self, other: &Self) -> bool {
        let documents = |role: &Self| -> Vec<String> {
            role.policies
                .iter()
                .map(|p| &p.policy.document)
                .chain(role.boundary.iter().map(|b| &b.document))
                .map(PolicyDocument::to_json_compact)
                .collect()
        };
        documents(self) == documents(other)
    }

    /// The identity policies as IAM evaluates them. The boundary is left out: it stays in place, and a
    /// proposal within the identity policies is within their intersection with any boundary.
    #[must_use]
    pub fn identity(&self) -> PolicySet {
        PolicySet {
            identity: self.policies.iter().map(|p| p.policy.clone()).collect(),
            boundary: None,
        }
    }

    /// The policies as IAM evaluates a request, boundary included.
    #[must_use]
    pub fn effective(&self) -> PolicySet {
        PolicySet {
            boundary: self.boundary.clone(),
            ..self.identity()
        }
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Details {
    #[serde(default)]
    role_detail_list: Vec<Value>,
    #[serde(default)]
    policies: Vec<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawRole {
    role_name: String,
    #[serde(default)]
    role_id: String,
    arn: String,
    create_date: Option<Value>,
    assume_role_policy_document: Option<Value>,
    #[serde(default)]
    role_policy_list: Vec<RawInline>,
    #[serde(default)]
    attached_managed_policies: Vec<RawAttached>,
    permissions_boundary: Option<RawBoundary>,
    /// What the AWS CLI prints of every role and is not there.
    #[serde(skip)]
    lacking: Option<&'static str>,
}

/// What the AWS CLI prints of every role: an entry that was printed by it, as the id shows, and lacks one of
/// these is damaged. Entries written by hand may be short.
fn lacking(role: &Value) -> Option<&'static str> {
    const PRINTED: [&str; 4] = [
        "AssumeRolePolicyDocument",
        "AttachedManagedPolicies",
        "CreateDate",
        "RolePolicyList",
    ];
    let printed = role.get("RoleId").is_some() && role.get("Path").is_some();
    let lacks = |key: &&&str| role.get(**key).is_none_or(Value::is_null);
    PRINTED.iter().find(lacks).copied().filter(|_| printed)
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawInline {
    policy_name: String,
    policy_document: Value,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawAttached {
    #[serde(default)]
    policy_name: String,
    policy_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawBoundary {
    permissions_boundary_arn: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawManaged {
    arn: String,
    #[serde(default)]
    default_version_id: String,
    #[serde(default)]
    policy_version_list: Vec<RawVersion>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct RawVersion {
    document: Option<Value>,
    #[serde(default)]
    version_id: String,
    #[serde(default)]
    is_default_version: bool,
    create_date: Option<Value>,
}

/// The managed policies of several details files: ARN → default document, or why there is none.
#[derive(Default)]
pub(super) struct Managed {
    documents: BTreeMap<String, Result<PolicyDocument, String>>,
    /// When the default version was made.
    since: BTreeMap<String, i64>,
}

impl Managed {
    fn find(
        &self,
        name: &str,
        arn: &str,
        catalog: &Catalog,
    ) -> Result<(PolicyDocument, bool), String> {
        match self.documents.get(arn) {
            Some(Ok(document)) => return Ok((document.clone(), false)),
            Some(Err(why)) => return Err(format!("managed policy `{arn}`: {why}")),
            None => {}
        }
        if is_aws_managed(arn)
            && let Some(policy) = catalog.managed_policy(name)
            && let Ok(document) = PolicyDocument::parse(policy.document)
        {
            return Ok((document, true));
        }
        Err(format!(
            "managed policy `{arn}` is attached but its document is not in the snapshot"
        ))
    }
}

fn is_aws_managed(arn: &str) -> bool {
    Arn::parse(arn).is_some_and(|arn| arn.account == "aws")
}

/// One parsed details file, before managed policies are looked up.
pub(super) struct Parsed {
    roles: Vec<RawRole>,
    /// Entries that are not roles, with the reason.
    pub(super) bad: Vec<String>,
}

/// Reads one details document (or an array of pages) and adds its managed policies to `managed`.
pub(super) fn parse(value: Value, managed: &mut Managed) -> Result<Parsed, String> {
    let pages = match value {
        Value::Array(pages) => pages,
        page => vec![page],
    };
    let mut parsed = Parsed {
        roles: Vec::new(),
        bad: Vec::new(),
    };
    for page in pages {
        let known = page.get("RoleDetailList").is_some() || page.get("Policies").is_some();
        if !known {
            return Err("expected the output of `aws iam get-account-authorization-details`: no `RoleDetailList` in it".into());
        }
        let details: Details = serde_json::from_value(page).map_err(|e| e.to_string())?;
        for role in details.role_detail_list {
            let name = role
                .get("RoleName")
                .and_then(Value::as_str)
                .unwrap_or("?")
                .to_owned();
            let lacking = lacking(&role);
            match serde_json::from_value::<RawRole>(role) {
                Ok(mut role) => {
                    role.lacking = lacking;
                    parsed.roles.push(role);
                }
                Err(e) => parsed.bad.push(format!("role `{name}`: {e}")),
            }
        }
        for policy in details.policies {
            let arn = policy.get("Arn").and_then(Value::as_str).map(str::to_owned);
            let policy = match serde_json::from_value::<RawManaged>(policy) {
                Ok(policy) => policy,
                Err(e) => {
                    match arn {
                        Some(arn) => {
                            managed.documents.insert(arn, Err(e.to_string()));
                        }
                        None => parsed.bad.push(format!("a managed policy: {e}")),
                    }
                    continue;
                }
            };
            let version = policy
                .policy_version_list
                .iter()
                .find(|v| v.is_default_version)
                .or_else(|| {
                    policy
                        .policy_version_list
                        .iter()
                        .find(|v| v.version_id == policy.default_version_id)
                });
            let document = match version.and_then(|v| v.document.as_ref()) {
                Some(document) => read_policy(document),
                None => Err("the snapshot holds no default version of it".into()),
            };
            if let Some(since) = version.and_then(|v| v.create_date.as_ref()).and_then(epoch) {
                managed.since.insert(policy.arn.clone(), since);
            }
            managed.documents.insert(policy.arn, document);
        }
    }
    Ok(parsed)
}

/// Turns parsed roles into roles with their documents.
pub(super) fn resolve(parsed: Parsed, managed: &Managed, catalog: &Catalog) -> Vec<Role> {
    parsed
        .roles
        .into_iter()
        .map(|role| resolve_role(role, managed, catalog))
        .collect()
}

fn resolve_role(raw: RawRole, managed: &Managed, catalog: &Catalog) -> Role {
    let mut problems = Vec::new();
    if let Some(key) = raw.lacking {
        problems.push(format!(
            "the entry of the role lacks `{key}`, which the AWS CLI prints of every role"
        ));
    }
    if raw
        .create_date
        .as_ref()
        .is_some_and(|date| epoch(date).is_none())
    {
        problems.push("its `CreateDate` is no time".into());
    }
    let mut policies = Vec::new();
    for inline in &raw.role_policy_list {
        match read_policy(&inline.policy_document) {
            Ok(document) => policies.push(Attached {
                kind: PolicyKind::Inline,
                arn: None,
                policy: NamedPolicy {
                    name: inline.policy_name.clone(),
                    document,
                },
                from_catalog: false,
                since: None,
            }),
            Err(why) => problems.push(format!("inline policy `{}`: {why}", inline.policy_name)),
        }
    }
    for attached in &raw.attached_managed_policies {
        let arn = &attached.policy_arn;
        let name = if attached.policy_name.is_empty() {
            last_segment(arn)
        } else {
            &attached.policy_name
        };
        match managed.find(name, arn, catalog) {
            Ok((document, from_catalog)) => policies.push(Attached {
                kind: if is_aws_managed(arn) {
                    PolicyKind::AwsManaged
                } else {
                    PolicyKind::CustomerManaged
                },
                arn: Some(arn.clone()),
                policy: NamedPolicy {
                    name: name.to_owned(),
                    document,
                },
                from_catalog,
                // What AWS changes in its own policies says nothing of when the role got them.
                since: managed
                    .since
                    .get(arn)
                    .copied()
                    .filter(|_| !is_aws_managed(arn)),
            }),
            Err(why) => problems.push(why),
        }
    }
    let boundary = raw.permissions_boundary.and_then(|boundary| {
        let arn = boundary.permissions_boundary_arn;
        match managed.find(last_segment(&arn), &arn, catalog) {
            Ok((document, _)) => Some(NamedPolicy {
                name: arn,
                document,
            }),
            Err(why) => {
                problems.push(format!("permissions boundary: {why}"));
                None
            }
        }
    });
    let trust = match raw.assume_role_policy_document.as_ref().map(read_value) {
        Some(Ok(trust)) => Some(trust),
        Some(Err(why)) => {
            problems.push(format!("trust policy: {why}"));
            None
        }
        None => None,
    };
    Role {
        account: Arn::parse(&raw.arn)
            .map(|arn| arn.account)
            .unwrap_or_default(),
        name: raw.role_name,
        role_id: raw.role_id,
        created: raw.create_date.as_ref().and_then(epoch),
        arn: raw.arn,
        policies,
        boundary,
        trusts_others: trust.as_ref().is_some_and(trusts_others),
        trusted_services: trust.as_ref().map(trusted_services).unwrap_or_default(),
        trust,
        problems,
    }
}

fn last_segment(arn: &str) -> &str {
    arn.rsplit('/').next().unwrap_or(arn)
}

fn read_document(value: &Value) -> Result<PolicyDocument, String> {
    match value {
        Value::String(text) => PolicyDocument::decode(text),
        other => PolicyDocument::from_value(other),
    }
    .map_err(|e| e.to_string())
}

/// An identity policy that IAM can have stored.
fn read_policy(value: &Value) -> Result<PolicyDocument, String> {
    let document = read_document(value)?;
    sound::policy(&document)?;
    Ok(document)
}

/// The AWS CLI prints dates as ISO 8601 by default and as epoch seconds when asked to.
pub(super) fn epoch(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_f64().map(|seconds| seconds as i64),
        Value::String(text) => text
            .parse::<jiff::Timestamp>()
            .map(jiff::Timestamp::as_second)
            .ok()
            .or_else(|| text.parse::<f64>().ok().map(|seconds| seconds as i64)),
        _ => None,
    }
}
