//! What an action can do in the wrong hands, and the AWS managed policies written for Lambda.

use std::collections::BTreeMap;

use super::table;

const POLICIES: &str = include_str!("data/managed-policies.tsv");

/// What an action can do in the wrong hands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum RiskClass {
    /// It answers with credentials, secrets or tokens.
    CredentialExposure,
    /// It reads data of the kind that leaks hurt.
    DataAccess,
    /// It alone can lead to more permissions.
    PrivilegeEscalation,
    /// It leads to more permissions together with others.
    PrivilegeEscalationStep,
    /// It changes who may reach a resource.
    ResourceExposure,
}

impl RiskClass {
    fn parse(text: &str) -> Option<Self> {
        Some(match text {
            "credential-exposure" => Self::CredentialExposure,
            "data-access" => Self::DataAccess,
            "privilege-escalation" => Self::PrivilegeEscalation,
            "privilege-escalation-step" => Self::PrivilegeEscalationStep,
            "resource-exposure" => Self::ResourceExposure,
            _ => return None,
        })
    }

    /// The class in the words of the reports.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::CredentialExposure => "credential-exposure",
            Self::DataAccess => "data-access",
            Self::PrivilegeEscalation => "privilege-escalation",
            Self::PrivilegeEscalationStep => "privilege-escalation-step",
            Self::ResourceExposure => "resource-exposure",
        }
    }
}

/// Action to its classes, in order.
pub(super) fn parse(text: &'static str) -> BTreeMap<&'static str, Vec<RiskClass>> {
    table::rows(text)
        .map(|[action, classes]| {
            (
                action,
                classes.split(',').filter_map(RiskClass::parse).collect(),
            )
        })
        .collect()
}

/// An AWS managed policy as it stood when the catalog was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ManagedPolicy {
    /// The name, `AWSLambdaBasicExecutionRole`.
    pub name: &'static str,
    /// The default version, `v1`.
    pub version: &'static str,
    /// The day of that version, `2015-04-09`.
    pub updated: &'static str,
    /// The path in its ARN, `/service-role/`.
    pub path: &'static str,
    /// The policy document as JSON.
    pub document: &'static str,
}

/// The policy of that name, where the catalog has it.
pub(super) fn managed_policy(name: &str) -> Option<ManagedPolicy> {
    let [name, version, updated, path] = table::section(POLICIES, name).next()?;
    let (_, document) = DOCUMENTS.iter().find(|(document, _)| *document == name)?;
    Some(ManagedPolicy {
        name,
        version,
        updated,
        path,
        document,
    })
}

macro_rules! documents {
    ($($name:literal)*) => {
        &[$(($name, include_str!(concat!("data/managed-policies/", $name, ".json")))),*]
    };
}

const DOCUMENTS: &[(&str, &str)] = documents! {
    "AWSLambdaBasicDurableExecutionRolePolicy"
    "AWSLambdaBasicExecutionRole"
    "AWSLambdaDynamoDBExecutionRole"
    "AWSLambdaENIManagementAccess"
    "AWSLambdaExecute"
    "AWSLambdaInvocation-DynamoDB"
    "AWSLambdaKinesisExecutionRole"
    "AWSLambdaMSKExecutionRole"
    "AWSLambdaRole"
    "AWSLambdaSQSQueueExecutionRole"
    "AWSLambdaVPCAccessExecutionRole"
    "AWSXRayDaemonWriteAccess"
    "AmazonS3ObjectLambdaExecutionRolePolicy"
    "CloudWatchLambdaApplicationSignalsExecutionRolePolicy"
    "CloudWatchLambdaInsightsExecutionRolePolicy"
};
