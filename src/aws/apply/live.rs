//! A role as it is now.

use std::collections::BTreeMap;

use aws_sdk_iam::Client;
use serde_json::Value;

use super::name;
use crate::aws::AwsError;
use crate::aws::collect::document;
use crate::render::{Change, RoleState};

/// Reads everything that decides what the role may do, and the policies that the change makes.
///
/// # Errors
/// What IAM refuses, with the permission that is missing.
pub async fn read_role(client: &Client, change: &Change) -> Result<RoleState, AwsError> {
    let mut state = RoleState::default();
    for policy in inline_names(client, change).await? {
        let answer = client
            .get_role_policy()
            .role_name(name(change))
            .policy_name(&policy)
            .send()
            .await
            .map_err(|error| AwsError::of(&error).needing("iam:GetRolePolicy", &change.arn))?;
        state
            .inline
            .insert(policy, document(answer.policy_document())?);
    }
    let mut known: BTreeMap<String, Value> = BTreeMap::new();
    for arn in attached(client, change).await? {
        let document = managed(client, &arn).await?.ok_or_else(|| gone(&arn))?;
        known.insert(arn.clone(), document.clone());
        state.attached.insert(arn, document);
    }
    if let Some(arn) = boundary_arn(client, change).await? {
        let document = managed(client, &arn).await?.ok_or_else(|| gone(&arn))?;
        state.boundary = Some((arn, document));
    }
    for arn in change.made() {
        let document = match known.get(arn) {
            Some(document) => Some(document.clone()),
            None => managed(client, arn).await?,
        };
        if let Some(document) = document {
            state.made.insert(arn.to_owned(), document);
        }
    }
    Ok(state)
}

fn gone(arn: &str) -> AwsError {
    AwsError::plain(format!("policy {arn} is attached and not there"))
}

async fn inline_names(client: &Client, change: &Change) -> Result<Vec<String>, AwsError> {
    let mut names = Vec::new();
    let mut marker = None;
    loop {
        let page = client
            .list_role_policies()
            .role_name(name(change))
            .set_marker(marker)
            .send()
            .await
            .map_err(|error| AwsError::of(&error).needing("iam:ListRolePolicies", &change.arn))?;
        names.extend(page.policy_names().iter().cloned());
        marker = page
            .marker()
            .filter(|_| page.is_truncated())
            .map(str::to_owned);
        if marker.is_none() {
            return Ok(names);
        }
    }
}

async fn attached(client: &Client, change: &Change) -> Result<Vec<String>, AwsError> {
    let mut arns = Vec::new();
    let mut marker = None;
    loop {
        let page = client
            .list_attached_role_policies()
            .role_name(name(change))
            .set_marker(marker)
            .send()
            .await
            .map_err(|error| {
                AwsError::of(&error).needing("iam:ListAttachedRolePolicies", &change.arn)
            })?;
        let found = page.attached_policies().iter();
        arns.extend(found.filter_map(|policy| policy.policy_arn().map(str::to_owned)));
        marker = page
            .marker()
            .filter(|_| page.is_truncated())
            .map(str::to_owned);
        if marker.is_none() {
            return Ok(arns);
        }
    }
}

/// The boundary's ARN; and that the role is the one that was analysed, not another of its name.
pub(super) async fn boundary_arn(
    client: &Client,
    change: &Change,
) -> Result<Option<String>, AwsError> {
    let answer = client
        .get_role()
        .role_name(name(change))
        .send()
        .await
        .map_err(|error| AwsError::of(&error).needing("iam:GetRole", &change.arn))?;
    let role = answer
        .role()
        .ok_or_else(|| AwsError::plain("IAM described no role"))?;
    if role.arn() != change.arn {
        return Err(AwsError::plain(format!(
            "the role of this name is {}, another than was analysed",
            role.arn()
        )));
    }
    let boundary = role.permissions_boundary();
    Ok(boundary.and_then(|boundary| boundary.permissions_boundary_arn().map(str::to_owned)))
}

/// What a managed policy says; `None` where there is none.
async fn managed(client: &Client, arn: &str) -> Result<Option<Value>, AwsError> {
    let policy = match client.get_policy().policy_arn(arn).send().await {
        Ok(answer) => answer,
        Err(error) => {
            let error = AwsError::of(&error);
            if error.is("NoSuchEntity") || error.is("NoSuchEntityException") {
                return Ok(None);
            }
            return Err(error.needing("iam:GetPolicy", arn));
        }
    };
    let version = policy
        .policy()
        .and_then(|policy| policy.default_version_id())
        .ok_or_else(|| AwsError::plain(format!("policy {arn} has no default version")))?;
    let answer = client
        .get_policy_version()
        .policy_arn(arn)
        .version_id(version)
        .send()
        .await
        .map_err(|error| AwsError::of(&error).needing("iam:GetPolicyVersion", arn))?;
    let text = answer
        .policy_version()
        .and_then(|version| version.document())
        .ok_or_else(|| AwsError::plain(format!("policy {arn} has no document")))?;
    document(text).map(Some)
}
