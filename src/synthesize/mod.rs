//! Usage, catalog and grants become a proposal.
//!
//! In: what a role did, what its functions are configured to need, what it may do today, and what this
//! input can show. Out: a policy document, a verdict with a reason for every action granted today, and
//! the reasons that a person should look at it. Every allowed (action, resource) of the document is
//! clipped to a current grant and carries that grant's conditions, and every current Deny statement
//! stays. Whether that is so is not checked here but in [`crate::verify`], which shares no code with it.

mod accessed;
mod blind;
mod clip;
mod decide;
mod draft;
mod features;
mod granted;
mod identity;
mod needs;
mod pack;
mod patterns;
mod reasons;
mod removed;
mod rest;
mod sid;
mod size;
mod used;
mod visible;
mod wildcards;
mod witness;
mod words;

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::Catalog;
use crate::grants::{Role, Snapshot};
use crate::iam::{Conditions, NamedPolicy, PolicyDocument};
use crate::usage::{Call, Coverage, FunctionKey, RoleUsage, Tally};

pub use blind::{BlindAction, Cause};
pub use patterns::Granularity;

/// What to do with granted actions that this input cannot show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnseenRule {
    /// Keep them, narrowed to what cannot be seen.
    Keep,
    /// Remove them, and say so.
    Drop,
    /// Refuse a proposal for a role that has any.
    Refuse,
}

/// Which conditions are pinned where all uses share them. Those of the current grants always stay.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ConditionRule {
    /// None.
    None,
    /// Those that cost nothing: `iam:PassedToService`, `kms:ViaService`, `ec2:CreateAction`.
    Standard,
    /// `s3:prefix` of listings too, where a few prefixes stand for all.
    All,
}

/// Choices that change proposals.
#[derive(Clone, Debug)]
pub struct Options {
    /// How far resources are generalised.
    pub granularity: Granularity,
    /// What becomes of unseen grants.
    pub unseen: UnseenRule,
    /// Windows shorter than this many days are not trusted to show rare work.
    pub min_window_days: i64,
    /// Keep `s3:ListBucket` beside object reads: without it a missing key answers 403, not 404.
    pub neighbours: bool,
    /// Conditions to pin beside those of the grants.
    pub conditions: ConditionRule,
    /// Shorten action lists by wildcards that add no action of today.
    pub action_wildcards: bool,
    /// Add the logging permissions a function lacks today.
    pub ensure_logging: bool,
    /// Action patterns that are kept as they are granted, whatever the logs say.
    pub keep: Vec<String>,
    /// The Regions that the user asked for; empty for all. What happened elsewhere is then not seen.
    pub regions: Vec<String>,
    /// The window that the user asked for, as seconds since 1970; the input's own where open.
    pub from: Option<i64>,
    /// Its end, exclusive.
    pub to: Option<i64>,
}

/// What is done unless the user says otherwise.
impl Default for Options {
    fn default() -> Self {
        Self {
            granularity: Granularity::Prefix,
            unseen: UnseenRule::Keep,
            min_window_days: 30,
            neighbours: true,
            conditions: ConditionRule::Standard,
            action_wildcards: false,
            ensure_logging: false,
            keep: Vec::new(),
            regions: Vec::new(),
            from: None,
            to: None,
        }
    }
}

/// What becomes of one granted action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Seen in the trail.
    Used,
    /// Needed by the configuration of a function.
    Configured,
    /// On the never-touch list of the user, so kept as it is granted.
    Pinned,
    /// Not visible in this input, so kept.
    Unseen,
    /// Not granted today; added because the user asked.
    Added,
    /// Only ever denied: removed.
    DeniedOnly,
    /// Visible and not used: removed.
    Unused,
    /// Not visible, granted by a wildcard over everything, and nothing speaks for it: removed, listed.
    Undecided,
}

impl Verdict {
    /// The stable code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Used => "used",
            Self::Configured => "configured",
            Self::Pinned => "pinned",
            Self::Unseen => "unseen",
            Self::Added => "added",
            Self::DeniedOnly => "denied-only",
            Self::Unused => "unused",
            Self::Undecided => "undecided",
        }
    }
}

/// The verdict on one granted action, with its evidence.
#[derive(Clone, Debug)]
pub struct Decision {
    /// `service:Name`, or `service:*` where all granted actions of a service share one verdict.
    pub action: String,
    /// What becomes of it.
    pub verdict: Verdict,
    /// Resources that the proposal keeps, as policy patterns.
    pub resources: BTreeSet<String>,
    /// Evidence of use.
    pub tally: Tally,
    /// Functions that used or need it.
    pub functions: BTreeSet<String>,
    /// Grants that allow it today, `policy` or `policy/Sid`.
    pub from: BTreeSet<String>,
    /// Why, in words.
    pub reason: String,
}

/// One thing that the current policies allow and the proposal does not.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Removed {
    /// `service:Name`, or `service:*` where all granted actions of a service go.
    pub action: String,
    /// The resource of the grant.
    pub resource: String,
    /// The grant, `policy` or `policy/Sid`.
    pub from: String,
    /// Unused, denied only, undecided; used where only the resource was narrowed.
    pub verdict: Verdict,
    /// Why, in words.
    pub reason: String,
}

/// A need of the configuration that the current policies do not meet.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct MissingNeed {
    /// The action.
    pub action: String,
    /// The resource, as a policy pattern.
    pub resource: String,
    /// The part of the configuration that needs it.
    pub feature: String,
    /// The function.
    pub function: String,
}

/// A reason for a person to look, with a stable code.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Reason {
    /// Kebab-case.
    pub code: &'static str,
    /// In words.
    pub message: String,
    /// Whether it lowers the status to `review`; otherwise it only informs.
    pub review: bool,
}

/// A proposal for one role, not yet verified.
#[derive(Clone, Debug)]
pub struct Proposal {
    /// The tightened policy; `None` where nothing at all would be allowed.
    pub document: Option<PolicyDocument>,
    /// Customer managed policies to attach beside it, where it does not fit inline.
    pub managed: Vec<NamedPolicy>,
    /// Why each statement is there, in the order of the statements, those of `managed` last.
    pub statement_reasons: Vec<String>,
    /// Verdicts, sorted by action.
    pub decisions: Vec<Decision>,
    /// What goes, sorted.
    pub removed: Vec<Removed>,
    /// Needs that the current policies do not meet.
    pub missing: Vec<MissingNeed>,
    /// Authorised calls that no current identity policy allows: action and resource.
    pub granted_elsewhere: BTreeSet<(String, String)>,
    /// Reasons to look.
    pub reasons: Vec<Reason>,
    /// Granularity that the quota left.
    pub granularity: Granularity,
}

impl Proposal {
    /// All documents of the proposal, the inline one first.
    pub fn documents(&self) -> impl Iterator<Item = &PolicyDocument> {
        self.document
            .iter()
            .chain(self.managed.iter().map(|policy| &policy.document))
    }

    /// All statements of the proposal as one document; `None` where nothing would be allowed.
    #[must_use]
    pub fn combined(&self) -> Option<PolicyDocument> {
        let statements = self
            .documents()
            .flat_map(PolicyDocument::statements)
            .cloned()
            .collect();
        self.document
            .is_some()
            .then(|| PolicyDocument::new(statements))
    }
}

/// What synthesis reads of one role.
#[derive(Clone, Copy, Debug)]
pub struct Inputs<'a> {
    /// The role today.
    pub role: &'a Role,
    /// What it did.
    pub usage: &'a RoleUsage,
    /// The account's description of functions, trails and last accesses.
    pub snapshot: &'a Snapshot,
    /// Where and when the input has events.
    pub coverage: &'a Coverage,
    /// Log objects that failed and whose account is not known.
    pub failed_anywhere: u64,
    /// The bridge.
    pub catalog: &'a Catalog,
}

impl<'a> Inputs<'a> {
    /// The calls that count as use. Credentials that left Lambda do not, unless something else than
    /// Lambda may take the role.
    #[must_use]
    pub fn calls(&self) -> Vec<Call<'a>> {
        self.usage.calls(self.counts_outside())
    }

    /// Whether use of the role's credentials outside Lambda counts as use.
    #[must_use]
    pub fn counts_outside(&self) -> bool {
        self.usage.count_outside || !self.is_for_lambda_alone()
    }

    /// The functions that the trail shows to use the role.
    #[must_use]
    pub fn functions(&self) -> BTreeSet<&'a FunctionKey> {
        self.usage.function_keys(self.role.trusts_lambda())
    }

    /// Whether Lambda alone can be using the role.
    #[must_use]
    pub fn is_for_lambda_alone(&self) -> bool {
        self.role.trusts_lambda() && !self.role.trusts_others
    }
}

/// Makes the proposal for one role. Where it is over IAM's size limit, the quota ladder is climbed: merge
/// statements; the next coarser granularity, as far as the grants allow it; customer managed policies beside
/// the inline one. What fits nowhere is given as it is, for the verification to refuse with the numbers.
#[must_use]
pub fn synthesize(inputs: Inputs<'_>, options: &Options) -> Proposal {
    let mut rungs: Vec<Proposal> = Vec::new();
    let mut next = Some(options.granularity);
    while let Some(granularity) = next {
        let mut proposal = decide::propose(inputs, options, granularity);
        if options.action_wildcards {
            shorten(&mut proposal, inputs);
        }
        if !rungs.is_empty() {
            proposal.reasons.push(Reason {
                code: "coarser-for-quota",
                message: format!(
                    "resources are generalised to `{}` to fit the size limit of inline policies",
                    granularity.as_str()
                ),
                review: false,
            });
        }
        if !over_quota(&proposal) {
            return proposal;
        }
        let merged = merge(&proposal);
        if !over_quota(&merged) {
            return merged;
        }
        rungs.push(merged);
        next = granularity.coarser();
    }
    // The finest that the managed policies can hold.
    let spilled = rungs
        .iter()
        .find_map(|proposal| spill(proposal, &inputs.role.name));
    spilled
        .or_else(|| rungs.pop())
        .unwrap_or_else(|| decide::propose(inputs, options, options.granularity))
}

fn shorten(proposal: &mut Proposal, inputs: Inputs<'_>) {
    let Some(document) = &proposal.document else {
        return;
    };
    let (document, replaced) =
        wildcards::shorten(document, &inputs.role.identity(), inputs.catalog);
    if replaced == 0 {
        return;
    }
    proposal.document = Some(document);
    proposal.reasons.push(Reason {
        code: "action-wildcards",
        message: format!(
            "wildcards stand for {replaced} more actions, as asked: none that is not listed today, but they will name what AWS adds"
        ),
        review: false,
    });
}

fn merge(proposal: &Proposal) -> Proposal {
    let mut merged = proposal.clone();
    if let Some(document) = &proposal.document {
        let (document, reasons) = size::merged(document, &proposal.statement_reasons);
        merged.document = Some(document);
        merged.statement_reasons = reasons;
        merged.reasons.push(Reason {
            code: "merged-for-quota",
            message:
                "statements are merged, and Sids left out, to fit the size limit of inline policies"
                    .into(),
            review: false,
        });
    }
    merged
}

fn spill(proposal: &Proposal, role: &str) -> Option<Proposal> {
    let document = proposal.document.as_ref()?;
    let spilled = size::spilled(document, &proposal.statement_reasons, role)?;
    let names: Vec<&str> = spilled
        .managed
        .iter()
        .map(|policy| policy.name.as_str())
        .collect();
    let message = format!(
        "{} characters do not fit the {} of inline policies: {} customer managed policies hold the rest ({})",
        crate::iam::quota::characters(document),
        crate::iam::quota::INLINE_ROLE,
        names.len(),
        names.join(", ")
    );
    let mut proposal = proposal.clone();
    proposal.document = Some(spilled.inline);
    proposal.managed = spilled.managed;
    proposal.statement_reasons = spilled.reasons;
    proposal.reasons.push(Reason {
        code: "spilled-to-managed",
        message,
        review: true,
    });
    Some(proposal)
}

/// The proposal at exactly the granularity that was asked for, whether it fits the size limit or not: for
/// comparing granularities.
#[must_use]
pub fn synthesize_at(inputs: Inputs<'_>, options: &Options) -> Proposal {
    decide::propose(inputs, options, options.granularity)
}

/// What the configuration of a role's functions needs: action and resource pattern. The replay checks
/// these beside what was seen.
#[must_use]
pub fn configured_needs(inputs: Inputs<'_>) -> BTreeSet<(String, String)> {
    needs::listed(inputs)
}

/// The actions granted to a role today whose silence in this input proves nothing, sorted.
#[must_use]
pub fn blind_actions(inputs: Inputs<'_>, options: &Options) -> Vec<BlindAction> {
    let mut draft = decide::explained(inputs, options, options.granularity);
    draft.view.of_trail();
    blind::of(&draft)
}

/// The Regions that a role works in, as its functions and its calls show; without any, those of its
/// account in the input.
#[must_use]
pub fn regions(inputs: Inputs<'_>, options: &Options) -> BTreeSet<String> {
    visible::View::new(inputs, options).home().clone()
}

fn over_quota(proposal: &Proposal) -> bool {
    proposal.document.as_ref().is_some_and(|document| {
        crate::iam::quota::characters(document) > crate::iam::quota::INLINE_ROLE
    })
}

/// One thing the proposal will allow.
#[derive(Clone, Debug)]
struct Emit {
    action: String,
    target: Target,
    conditions: Conditions,
    verdict: Verdict,
    /// Why, in words.
    reason: String,
}

#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Target {
    /// A resource pattern.
    Resource(String),
    /// A current grant's `NotResource`, kept as it is.
    NotResource(Vec<String>),
}

type Evidence = BTreeMap<String, Tally>;
