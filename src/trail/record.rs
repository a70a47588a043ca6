//! A borrowed view of one CloudTrail record: the fields rolefit reads, nothing else.

use std::borrow::Cow;

use serde::Deserialize;
use serde_json::value::RawValue;

/// One CloudTrail record. Every field may be missing in some era or region; `event_source` and
/// `event_name` alone make a record (AWS: CloudTrail record contents, versions 1.01 to 1.11).
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Record<'a> {
    /// Who acted.
    #[serde(borrow, default)]
    pub user_identity: UserIdentity<'a>,
    /// `YYYY-MM-DDTHH:MM:SSZ`, when the call ended.
    #[serde(borrow, default)]
    pub event_time: Option<Cow<'a, str>>,
    /// `s3.amazonaws.com` and the like.
    #[serde(borrow)]
    pub event_source: Cow<'a, str>,
    /// The operation, in the spelling of the service.
    #[serde(borrow)]
    pub event_name: Cow<'a, str>,
    /// The Region of the call.
    #[serde(borrow, default)]
    pub aws_region: Option<Cow<'a, str>>,
    /// An address, or the DNS name of the service that called.
    #[serde(borrow, default, rename = "sourceIPAddress")]
    pub source_ip_address: Option<Cow<'a, str>>,
    /// The agent through which the call was made.
    #[serde(borrow, default)]
    pub user_agent: Option<Cow<'a, str>>,
    /// Set when the call failed, for whatever cause.
    #[serde(borrow, default)]
    pub error_code: Option<Cow<'a, str>>,
    /// The words of the failure.
    #[serde(borrow, default)]
    pub error_message: Option<Cow<'a, str>>,
    /// The parameters of the call, as raw JSON. `None` where absent or null.
    #[serde(borrow, default)]
    pub request_parameters: Option<&'a RawValue>,
    /// What the call answered, as raw JSON.
    #[serde(borrow, default)]
    pub response_elements: Option<&'a RawValue>,
    /// Anything that is in no other field, as raw JSON.
    #[serde(borrow, default)]
    pub additional_event_data: Option<&'a RawValue>,
    /// The identity of the event; two trails deliver the same event under the same id.
    #[serde(borrow, default, rename = "eventID")]
    pub event_id: Option<Cow<'a, str>>,
    /// The resources the service named.
    #[serde(borrow, default)]
    pub resources: Vec<ResourceEntry<'a>>,
    /// `AwsApiCall`, `AwsServiceEvent`, `AwsConsoleSignIn`, ...
    #[serde(borrow, default)]
    pub event_type: Option<Cow<'a, str>>,
    /// `Management`, `Data`, `NetworkActivity`, `Insight`; absent before version 1.08.
    #[serde(borrow, default)]
    pub event_category: Option<Cow<'a, str>>,
    /// The account whose trail received the event.
    #[serde(borrow, default)]
    pub recipient_account_id: Option<Cow<'a, str>>,
    /// Ties the copies of one event in several accounts.
    #[serde(borrow, default, rename = "sharedEventID")]
    pub shared_event_id: Option<Cow<'a, str>>,
}

/// `userIdentity`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct UserIdentity<'a> {
    /// `AssumedRole`, `IAMUser`, `AWSService`, `AWSAccount`, ...
    #[serde(borrow, default, rename = "type")]
    pub kind: Option<Cow<'a, str>>,
    /// `AROA…:session` for a role session.
    #[serde(borrow, default)]
    pub principal_id: Option<Cow<'a, str>>,
    /// `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` for a role session.
    #[serde(borrow, default)]
    pub arn: Option<Cow<'a, str>>,
    /// The account of the principal.
    #[serde(borrow, default)]
    pub account_id: Option<Cow<'a, str>>,
    /// The service that made the call for the principal.
    #[serde(borrow, default)]
    pub invoked_by: Option<Cow<'a, str>>,
    /// How the credentials were made.
    #[serde(borrow, default)]
    pub session_context: Option<SessionContext<'a>>,
    /// Whose credentials they are, since 2025: for Lambda, the function.
    #[serde(borrow, default)]
    pub in_scope_of: Option<InScopeOf<'a>>,
}

/// `userIdentity.sessionContext`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionContext<'a> {
    /// Who issued the session.
    #[serde(borrow, default)]
    pub session_issuer: Option<SessionIssuer<'a>>,
}

/// `userIdentity.sessionContext.sessionIssuer`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct SessionIssuer<'a> {
    /// `Role` for a role session.
    #[serde(borrow, default, rename = "type")]
    pub kind: Option<Cow<'a, str>>,
    /// `AROA…`: changes when a role is deleted and created again.
    #[serde(borrow, default)]
    pub principal_id: Option<Cow<'a, str>>,
    /// The role ARN with its path.
    #[serde(borrow, default)]
    pub arn: Option<Cow<'a, str>>,
}

/// `userIdentity.inScopeOf`.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct InScopeOf<'a> {
    /// `AWS::Lambda::Function`, `AWS::EC2::Instance`, ...
    #[serde(borrow, default)]
    pub issuer_type: Option<Cow<'a, str>>,
    /// The ARN the credentials were issued to, without a version.
    #[serde(borrow, default)]
    pub credentials_issued_to: Option<Cow<'a, str>>,
}

/// One entry of `resources[]`, in any of its four shapes.
#[derive(Debug, Default, Deserialize)]
pub struct ResourceEntry<'a> {
    /// The ARN of the resource.
    #[serde(borrow, default, rename = "ARN", alias = "arn")]
    pub arn: Option<Cow<'a, str>>,
    /// The ARN prefix, for S3 listings.
    #[serde(borrow, default, rename = "ARNPrefix", alias = "arnPrefix")]
    pub arn_prefix: Option<Cow<'a, str>>,
    /// `AWS::S3::Object` and the like.
    #[serde(borrow, default, rename = "type")]
    pub kind: Option<Cow<'a, str>>,
    /// The account that owns the resource.
    #[serde(borrow, default, rename = "accountId")]
    pub account_id: Option<Cow<'a, str>>,
}
