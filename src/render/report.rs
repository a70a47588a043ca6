//! The one model behind every format: `rolefit.report/1`, as section 8 of the design lists it.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::Value;

/// The whole report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// `rolefit.report/1`.
    pub schema: &'static str,
    /// Versions.
    pub tool: Tool,
    /// First and last event, or what the user asked for; ISO 8601.
    pub window: Window,
    /// What was read.
    pub input: Input,
    /// Every role looked at, by ARN.
    pub roles: Vec<RoleReport>,
    /// What a person should know of the run as a whole.
    pub notes: Vec<ReasonRow>,
}

/// What made the report.
#[derive(Clone, Debug, Serialize)]
pub struct Tool {
    /// Of rolefit.
    pub version: &'static str,
    /// Date and sources of the catalog.
    pub catalog: String,
}

/// A period.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Window {
    /// Start.
    pub from: Option<String>,
    /// End.
    pub to: Option<String>,
}

/// What was read.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Input {
    /// Log objects: listed = read + skipped + failed.
    pub objects: Objects,
    /// Records: read = used + denied + platform + foreign + duplicate + undecodable.
    pub records: RecordCounts,
    /// Sizes.
    pub bytes: Bytes,
    /// Where and when the input has events: what makes silence mean something. By account and Region.
    pub coverage: Vec<PlaceRow>,
}

/// What the input holds of one account and Region.
#[derive(Clone, Debug, Serialize)]
pub struct PlaceRow {
    /// Twelve digits.
    pub account: String,
    /// `us-east-1` and the like.
    pub region: String,
    /// First event; ISO 8601.
    pub from: Option<String>,
    /// Last event; ISO 8601.
    pub to: Option<String>,
    /// Days with events or delivered objects.
    pub days: usize,
    /// Read-only management events were met.
    pub management_reads: bool,
    /// Management events that write were met.
    pub management_writes: bool,
    /// Resource types of the data events met.
    pub data_types: Vec<String>,
    /// Log objects of the place that could not be read to their end.
    pub failed: u64,
}

/// Log objects.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Objects {
    /// Found.
    pub listed: u64,
    /// Read to their end.
    pub read: u64,
    /// Left out for a reason that is no fault.
    pub skipped: u64,
    /// Not read, or not to their end.
    pub failed: u64,
    /// Why objects were skipped, with counts.
    pub skipped_reasons: BTreeMap<String, u64>,
    /// Each failure.
    pub failures: Vec<Failure>,
}

/// One failed object.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct Failure {
    /// As listed.
    pub object: String,
    /// What went wrong.
    pub reason: String,
}

/// Records by what became of them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct RecordCounts {
    /// All.
    pub read: u64,
    /// Authorised calls of the reported roles.
    pub used: u64,
    /// Denied calls of the reported roles.
    pub denied: u64,
    /// The Lambda runtime's calls with the reported roles.
    pub platform: u64,
    /// Everything else: other principals, other roles, credentials used outside Lambda, outside the
    /// selection.
    pub foreign: u64,
    /// Seen before under the same event id.
    pub duplicate: u64,
    /// Not a readable record.
    pub undecodable: u64,
}

/// Sizes of the objects read, in bytes.
#[derive(Clone, Copy, Debug, Default, Serialize)]
pub struct Bytes {
    /// As stored.
    pub compressed: u64,
    /// After inflating.
    pub inflated: u64,
}

/// Whether a proposal can be applied.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Status {
    /// Apply it.
    Ready,
    /// The current policies are as tight already.
    Unchanged,
    /// A person should look first.
    Review,
    /// No trustworthy proposal.
    Refused,
}

impl Status {
    /// The word.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Ready => "ready",
            Self::Unchanged => "unchanged",
            Self::Review => "review",
            Self::Refused => "refused",
        }
    }
}

/// A reason with its stable code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct ReasonRow {
    /// Kebab-case.
    pub code: String,
    /// In words.
    pub message: String,
}

/// One role.
#[derive(Clone, Debug, Serialize)]
pub struct RoleReport {
    /// The role.
    pub arn: String,
    /// Verdict on the proposal.
    pub status: Status,
    /// Why it is not `ready`, and what else to know.
    pub reasons: Vec<ReasonRow>,
    /// Functions known to use it.
    pub functions: Vec<String>,
    /// The policies today.
    pub current: Current,
    /// The proposal; `None` for a refused role.
    pub proposed: Option<Proposed>,
    /// The promises; `None` where nothing was proposed.
    pub verification: Option<Verification>,
    /// How many catalog actions are removed, narrowed, kept and added, by meaning.
    pub changes: Changes,
    /// Sensitive actions by what they can do in the wrong hands: closed and still open.
    pub risks: Vec<RiskRow>,
    /// A verdict per granted action.
    pub decisions: Vec<DecisionRow>,
    /// What goes.
    pub removed: Vec<RemovedRow>,
    /// Denied calls.
    pub denied: Vec<DeniedRow>,
    /// Events no rule maps.
    pub unmapped: Vec<UnmappedRow>,
    /// Needs of the configuration that the current policies do not meet.
    pub missing: Vec<MissingRow>,
    /// Calls that were authorised by something else than the role's own policies.
    pub allowed_elsewhere: Vec<RequestRow>,
    /// Trust policy, use elsewhere, invocations, a role per function.
    #[serde(flatten)]
    pub doors: super::Doors,
    /// The unified diff; written to a file of its own.
    #[serde(skip)]
    pub diff: String,
    /// The current policies in full; written to a file of its own.
    #[serde(skip)]
    pub current_policies: Value,
}

impl RoleReport {
    /// The role's name without its path.
    #[must_use]
    pub fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }

    /// The role's account.
    #[must_use]
    pub fn account(&self) -> &str {
        self.arn.split(':').nth(4).unwrap_or_default()
    }
}

/// Counts of catalog actions by what becomes of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Changes {
    /// No longer allowed.
    pub removed: usize,
    /// Allowed on less, or under more conditions.
    pub narrowed: usize,
    /// Allowed as before.
    pub kept: usize,
    /// Allowed where they were not, because the user asked.
    pub added: usize,
}

/// One class of risk of a role.
#[derive(Clone, Debug, Serialize)]
pub struct RiskRow {
    /// `privilege-escalation`, `privilege-escalation-step`, `credential-exposure`, `data-access` or
    /// `resource-exposure`.
    pub class: &'static str,
    /// Actions of the class that go.
    pub closed: Vec<String>,
    /// Actions that stay on less than before.
    pub narrowed: Vec<String>,
    /// Actions that stay as they are.
    pub open: Vec<String>,
}

/// The policies today.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Current {
    /// Each policy.
    pub documents: Vec<DocumentRow>,
    /// Distinct catalog actions allowed on anything.
    pub allowed_actions: usize,
    /// Of these, sensitive ones.
    pub sensitive_actions: usize,
    /// Characters of all of them, as IAM counts.
    pub characters: usize,
}

/// One policy of a role.
#[derive(Clone, Debug, Serialize)]
pub struct DocumentRow {
    /// Its name.
    pub name: String,
    /// `inline`, `customer-managed`, `aws-managed`, `boundary`.
    pub kind: String,
    /// Of a managed policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub arn: Option<String>,
}

/// The proposal.
#[derive(Clone, Debug, Serialize)]
pub struct Proposed {
    /// The document; `None` where nothing at all is allowed.
    pub policy: Option<Value>,
    /// Distinct catalog actions allowed on anything.
    pub allowed_actions: usize,
    /// Of these, sensitive ones.
    pub sensitive_actions: usize,
    /// Characters, as IAM counts.
    pub characters: usize,
    /// Managed policies to attach beside the inline one.
    pub managed_policies: Vec<ManagedPolicyRow>,
    /// Why each statement is there, in their order.
    pub statement_reasons: Vec<String>,
    /// `exact`, `prefix` or `container`.
    pub granularity: String,
}

/// A customer managed policy of a proposal.
#[derive(Clone, Debug, Serialize)]
pub struct ManagedPolicyRow {
    /// The name to make it under.
    pub name: String,
    /// Characters, as IAM counts.
    pub characters: usize,
    /// The document.
    pub policy: Value,
}

/// The promises.
#[derive(Clone, Debug, Serialize)]
pub struct Verification {
    /// P1.
    pub no_new_access: NoNewAccess,
    /// P2.
    pub replay: Replay,
    /// P4.
    pub valid: Valid,
    /// P4, sizes.
    pub quota: Quota,
}

/// P1.
#[derive(Clone, Debug, Serialize)]
pub struct NoNewAccess {
    /// Proven.
    pub holds: bool,
    /// A request that only the proposal allows.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub witness: Option<WitnessRow>,
    /// Why it was not decided.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
}

/// A request that shows new access.
#[derive(Clone, Debug, Serialize)]
pub struct WitnessRow {
    /// Action.
    pub action: String,
    /// Resource.
    pub resource: String,
    /// Condition keys.
    pub context: BTreeMap<String, Vec<String>>,
}

/// P2.
#[derive(Clone, Debug, Serialize)]
pub struct Replay {
    /// Distinct requests that the current policies allow.
    pub requests: u64,
    /// Of these, allowed by the proposal.
    pub allowed: u64,
    /// The others.
    pub denied: Vec<RequestRow>,
}

/// An action on a resource.
#[derive(Clone, Debug, Serialize)]
pub struct RequestRow {
    /// Action.
    pub action: String,
    /// Resource.
    pub resource: String,
}

/// P4.
#[derive(Clone, Debug, Serialize)]
pub struct Valid {
    /// All actions exist and all ARNs have the right shape.
    pub holds: bool,
    /// Those that do not.
    pub unknown: Vec<String>,
}

/// P4, sizes.
#[derive(Clone, Debug, Serialize)]
pub struct Quota {
    /// Within the limit.
    pub holds: bool,
    /// Of the proposal.
    pub characters: usize,
    /// Of all inline policies of a role.
    pub limit: usize,
}

/// The verdict on one granted action.
#[derive(Clone, Debug, Serialize)]
pub struct DecisionRow {
    /// `service:Name`; `service:*` where a whole service shares a verdict.
    pub action: String,
    /// Stable code.
    pub verdict: &'static str,
    /// What becomes of it by meaning: `removed`, `narrowed`, `kept` or `added`.
    pub change: &'static str,
    /// Catalog actions that the row stands for: one, or those of the service.
    pub actions: usize,
    /// What stays.
    pub resources: Vec<String>,
    /// Events.
    pub count: u64,
    /// ISO 8601.
    pub first_seen: Option<String>,
    /// ISO 8601.
    pub last_seen: Option<String>,
    /// A few.
    pub event_ids: Vec<String>,
    /// Who used or needs it.
    pub functions: Vec<String>,
    /// Grants that allow it today.
    pub from: Vec<String>,
    /// In words.
    pub reason: String,
}

/// What goes.
#[derive(Clone, Debug, Serialize)]
pub struct RemovedRow {
    /// `service:Name` or `service:*`.
    pub action: String,
    /// Of the grant.
    pub resource: String,
    /// The grant.
    pub from: String,
    /// Stable code.
    pub verdict: &'static str,
    /// In words.
    pub reason: String,
}

/// A denied call.
#[derive(Clone, Debug, Serialize)]
pub struct DeniedRow {
    /// What was tried.
    pub action: String,
    /// On what.
    pub resource: String,
    /// How often.
    pub count: u64,
    /// Which policy refused, as far as the record says.
    pub door: String,
    /// AWS's words.
    pub message: String,
}

/// Events no rule maps.
#[derive(Clone, Debug, Serialize)]
pub struct UnmappedRow {
    /// Source.
    pub event_source: String,
    /// Name.
    pub event_name: String,
    /// How often.
    pub count: u64,
}

/// A need that the current policies do not meet.
#[derive(Clone, Debug, Serialize)]
pub struct MissingRow {
    /// Action.
    pub action: String,
    /// Resource pattern.
    pub resource: String,
    /// Part of the configuration.
    pub feature: String,
    /// The function.
    pub function: String,
}
