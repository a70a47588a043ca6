//! The account's roles and policies, and what they last used.

use std::time::Duration;

use aws_sdk_iam::Client;
use aws_sdk_iam::types::{
    AccessAdvisorUsageGranularityType, EntityType, JobStatusType, ManagedPolicyDetail, RoleDetail,
    ServiceLastAccessed,
};
use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;
use percent_encoding::percent_decode_str;
use serde_json::{Map, Value, json};

use crate::aws::AwsError;

/// How often a job that is not done is looked at, and after how long: half a second at first, five in the end.
const LOOKS: u32 = 40;

/// `aws iam get-account-authorization-details --filter Role LocalManagedPolicy AWSManagedPolicy`, all pages.
///
/// # Errors
/// What IAM refuses, with the permission that is missing; a document that is not JSON.
pub async fn account_details(client: &Client) -> Result<Value, AwsError> {
    let (mut roles, mut policies) = (Vec::new(), Vec::new());
    let mut marker = None;
    loop {
        let page = client
            .get_account_authorization_details()
            .filter(EntityType::Role)
            .filter(EntityType::LocalManagedPolicy)
            .filter(EntityType::AwsManagedPolicy)
            .set_marker(marker)
            .send()
            .await
            .map_err(|error| {
                AwsError::of(&error).needing("iam:GetAccountAuthorizationDetails", "*")
            })?;
        for role in page.role_detail_list() {
            roles.push(self::role(role)?);
        }
        for policy in page.policies() {
            policies.push(self::policy(policy)?);
        }
        if !page.is_truncated() {
            break;
        }
        let next = page.marker().map(str::to_owned);
        if next.is_none() {
            return Err(AwsError::plain(
                "IAM has more account details but does not say where they begin",
            ));
        }
        marker = next;
    }
    Ok(json!({
        "UserDetailList": [], "GroupDetailList": [], "RoleDetailList": roles, "Policies": policies,
    }))
}

/// `2026-11-25T10:00:00+00:00`.
pub(super) fn time(time: &DateTime) -> Value {
    let text = time.fmt(Format::DateTime).unwrap_or_default();
    match text.strip_suffix('Z') {
        Some(text) => json!(format!("{text}+00:00")),
        None => json!(text),
    }
}

/// A policy document, which IAM sends URL-encoded.
///
/// # Errors
/// When it is no JSON.
pub fn document(encoded: &str) -> Result<Value, AwsError> {
    let wrong = |why: &str| AwsError::plain(format!("IAM sent a policy document that is {why}"));
    let text = percent_decode_str(encoded)
        .decode_utf8()
        .map_err(|_| wrong("not UTF-8"))?;
    serde_json::from_str(&text).map_err(|_| wrong("not JSON"))
}

/// Members that are there, in the order of the AWS CLI.
struct Members(Map<String, Value>);

impl Members {
    fn put(&mut self, name: &str, value: Option<impl Into<Value>>) {
        if let Some(value) = value {
            self.0.insert(name.to_owned(), value.into());
        }
    }
}

fn role(role: &RoleDetail) -> Result<Value, AwsError> {
    let mut out = Members(Map::new());
    out.put("Path", role.path());
    out.put("RoleName", role.role_name());
    out.put("RoleId", role.role_id());
    out.put("Arn", role.arn());
    out.put("CreateDate", role.create_date().map(time));
    let trust = role
        .assume_role_policy_document()
        .map(document)
        .transpose()?;
    out.put("AssumeRolePolicyDocument", trust);
    // What runs on EC2 is nothing to rolefit; the member is always there.
    out.put("InstanceProfileList", Some(json!([])));
    let mut inline = Vec::new();
    for policy in role.role_policy_list() {
        inline.push(json!({
            "PolicyName": policy.policy_name(),
            "PolicyDocument": policy.policy_document().map(document).transpose()?,
        }));
    }
    out.put("RolePolicyList", Some(inline));
    let attached: Vec<Value> = role
        .attached_managed_policies()
        .iter()
        .map(|policy| json!({"PolicyName": policy.policy_name(), "PolicyArn": policy.policy_arn()}))
        .collect();
    out.put("AttachedManagedPolicies", Some(attached));
    let boundary = role.permissions_boundary().map(|boundary| {
        json!({
            "PermissionsBoundaryType": boundary.permissions_boundary_type().map(aws_sdk_iam::types::PermissionsBoundaryAttachmentType::as_str),
            "PermissionsBoundaryArn": boundary.permissions_boundary_arn(),
        })
    });
    out.put("PermissionsBoundary", boundary);
    let tags: Vec<Value> = role
        .tags()
        .iter()
        .map(|tag| json!({"Key": tag.key(), "Value": tag.value()}))
        .collect();
    out.put("Tags", Some(tags));
    let used = role.role_last_used().map(|used| {
        let mut out = Members(Map::new());
        out.put("LastUsedDate", used.last_used_date().map(time));
        out.put("Region", used.region());
        Value::Object(out.0)
    });
    out.put("RoleLastUsed", used);
    Ok(Value::Object(out.0))
}

fn policy(policy: &ManagedPolicyDetail) -> Result<Value, AwsError> {
    let mut out = Members(Map::new());
    out.put("PolicyName", policy.policy_name());
    out.put("PolicyId", policy.policy_id());
    out.put("Arn", policy.arn());
    out.put("Path", policy.path());
    out.put("DefaultVersionId", policy.default_version_id());
    out.put("AttachmentCount", policy.attachment_count());
    out.put(
        "PermissionsBoundaryUsageCount",
        policy.permissions_boundary_usage_count(),
    );
    out.put("IsAttachable", Some(policy.is_attachable()));
    out.put("Description", policy.description());
    out.put("CreateDate", policy.create_date().map(time));
    out.put("UpdateDate", policy.update_date().map(time));
    let mut versions = Vec::new();
    for version in policy.policy_version_list() {
        let mut out = Members(Map::new());
        out.put("Document", version.document().map(document).transpose()?);
        out.put("VersionId", version.version_id());
        out.put("IsDefaultVersion", Some(version.is_default_version()));
        out.put("CreateDate", version.create_date().map(time));
        versions.push(Value::Object(out.0));
    }
    out.put("PolicyVersionList", Some(versions));
    Ok(Value::Object(out.0))
}

/// `aws iam get-service-last-accessed-details` of a role, action by action: asks for the job, waits for it,
/// fetches all pages.
///
/// # Errors
/// What IAM refuses, a job that fails, and one that is not done after three minutes.
pub async fn last_accessed(client: &Client, role_arn: &str) -> Result<Value, AwsError> {
    let job = client
        .generate_service_last_accessed_details()
        .arn(role_arn)
        .granularity(AccessAdvisorUsageGranularityType::ActionLevel)
        .send()
        .await
        .map_err(|error| {
            AwsError::of(&error).needing("iam:GenerateServiceLastAccessedDetails", role_arn)
        })?;
    let id = job
        .job_id()
        .ok_or_else(|| AwsError::plain("IAM named no job"))?
        .to_owned();
    let mut services: Vec<Value> = Vec::new();
    let mut marker: Option<String> = None;
    let mut looks = 0;
    loop {
        let page = client
            .get_service_last_accessed_details()
            .job_id(&id)
            .set_marker(marker.clone())
            .send()
            .await
            .map_err(|error| {
                AwsError::of(&error).needing("iam:GetServiceLastAccessedDetails", role_arn)
            })?;
        match page.job_status() {
            JobStatusType::Completed => {}
            JobStatusType::InProgress => {
                looks += 1;
                if looks >= LOOKS {
                    return Err(AwsError::plain("the job was not done in time"));
                }
                let pause = Duration::from_millis(500 * u64::from(looks.min(10)));
                tokio::time::sleep(pause).await;
                continue;
            }
            status => {
                let why = page.error().map(|error| error.message().to_owned());
                return Err(AwsError::plain(format!(
                    "the job ended as {}{}",
                    status.as_str(),
                    why.map(|why| format!(": {why}")).unwrap_or_default()
                )));
            }
        }
        services.extend(page.services_last_accessed().iter().map(service));
        let next = page.marker().map(str::to_owned);
        match (page.is_truncated(), next) {
            (true, Some(next)) => marker = Some(next),
            (true, None) => {
                return Err(AwsError::plain("the report has more pages but no marker"));
            }
            (false, _) => {
                return Ok(json!({
                    "JobStatus": "COMPLETED",
                    "JobType": page.job_type().map(AccessAdvisorUsageGranularityType::as_str),
                    "JobCreationDate": time(page.job_creation_date()),
                    "ServicesLastAccessed": services,
                    "JobCompletionDate": time(page.job_completion_date()),
                    "IsTruncated": false,
                }));
            }
        }
    }
}

fn service(service: &ServiceLastAccessed) -> Value {
    let mut out = Members(Map::new());
    out.put("ServiceName", Some(service.service_name()));
    out.put("LastAuthenticated", service.last_authenticated().map(time));
    out.put("ServiceNamespace", Some(service.service_namespace()));
    out.put(
        "LastAuthenticatedEntity",
        service.last_authenticated_entity(),
    );
    out.put(
        "LastAuthenticatedRegion",
        service.last_authenticated_region(),
    );
    out.put(
        "TotalAuthenticatedEntities",
        service.total_authenticated_entities(),
    );
    let actions: Vec<Value> = service
        .tracked_actions_last_accessed()
        .iter()
        .map(|action| {
            let mut out = Members(Map::new());
            out.put("ActionName", action.action_name());
            out.put("LastAccessedEntity", action.last_accessed_entity());
            out.put("LastAccessedTime", action.last_accessed_time().map(time));
            out.put("LastAccessedRegion", action.last_accessed_region());
            Value::Object(out.0)
        })
        .collect();
    if !actions.is_empty() {
        out.put("TrackedActionsLastAccessed", Some(actions));
    }
    Value::Object(out.0)
}
