//! A proposal as infrastructure code: Terraform, CloudFormation, SAM and AWS CLI steps.
//!
//! Every form says the same thing: one inline policy in place of everything that the role has today.
//! None of them is run here.

mod change;
mod cloudformation;
mod quote;
mod scripts;
mod steps;
mod terraform;

use serde_json::Value;

pub use change::{Change, ChangeError, RoleState, Step, Target};
pub use cloudformation::{write_cloudformation, write_sam};
pub use scripts::script_files;
pub use steps::{cli_steps, write_steps};
pub use terraform::write_terraform;

pub(super) use cloudformation::value as yaml;
pub(super) use quote::{quoted as yaml_text, shell};
pub(super) use terraform::{literal as hcl_text, value as hcl};

use super::{RoleReport, Status};
use crate::catalog::Catalog;
use crate::iam::{Containment, NamedPolicy, PolicyDocument, PolicySet, contained};

/// How proposals are written as code.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct InfraOptions {
    /// Name `AWSLambdaBasicExecutionRole` in place of inline logging statements, where today's policies
    /// allow all of it.
    pub managed_logging: bool,
    /// Account, Region and partition as pseudo parameters.
    pub portable: bool,
}

/// The name of the inline policy.
pub(super) const POLICY_NAME: &str = "rolefit";
const BASIC: &str = "AWSLambdaBasicExecutionRole";
const LOGGING: [&str; 3] = [
    "logs:CreateLogGroup",
    "logs:CreateLogStream",
    "logs:PutLogEvents",
];

/// What the code of one role says.
pub(super) struct Plan<'a> {
    pub(super) role: &'a RoleReport,
    /// The inline policy; `None` where nothing is left for it.
    pub(super) inline: Option<Value>,
    /// Customer managed policies beside the inline one: name and document.
    pub(super) spilled: Vec<(&'a str, &'a Value)>,
    /// The managed policy for logging, by ARN.
    pub(super) managed: Option<String>,
    /// Managed policies of today that go, by ARN.
    pub(super) detach: Vec<String>,
    /// Inline policies of today that go, by name.
    pub(super) delete: Vec<String>,
    /// What a reader should know, a line each; plain.
    pub(super) notes: Vec<String>,
    pub(super) portable: Portable<'a>,
}

/// How ARNs are written: as they are, or by pseudo parameters.
#[derive(Clone, Copy, Default)]
pub(in crate::render) struct Portable<'a>(Option<Places<'a>>);

/// What is replaced by pseudo parameters.
#[derive(Clone, Copy)]
struct Places<'a> {
    partition: &'a str,
    account: &'a str,
    /// Where all ARNs of the policy name the same Region.
    region: Option<&'a str>,
}

/// A part of a string in portable code.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::render) enum Piece<'a> {
    Text(&'a str),
    Partition,
    Region,
    Account,
}

impl<'a> Plan<'a> {
    /// `None` for a role without a proposal that may be applied.
    pub(super) fn new(role: &'a RoleReport, options: InfraOptions) -> Option<Self> {
        let proposed = role.proposed.as_ref()?;
        if role.status == Status::Refused {
            return None;
        }
        let mut notes = vec![format!(
            "Proposed by rolefit for {}: {} of {} allowed actions stay.",
            role.arn, proposed.allowed_actions, role.current.allowed_actions
        )];
        for reason in &role.reasons {
            notes.push(format!("{}: {}", reason.code, reason.message));
        }
        let mut inline = proposed.policy.clone();
        let mut managed = None;
        if options.managed_logging {
            match basic_execution_role(role) {
                Some(arn) if without_logging(&mut inline) => managed = Some(arn),
                Some(_) => {}
                None => notes.push(format!(
                    "Logging stays inline: {BASIC} allows it on all log groups, today's policies do not."
                )),
            }
        }
        let of = |inline: bool| {
            role.current
                .documents
                .iter()
                .filter(move |d| (d.kind == "inline") == inline && d.kind != "boundary")
        };
        let detach = of(false).filter_map(|d| d.arn.clone());
        let portable = options.portable.then(|| Places {
            partition: role.arn.split(':').nth(1).unwrap_or("aws"),
            account: role.account(),
            region: only_region(
                proposed.policy.iter().chain(
                    proposed
                        .managed_policies
                        .iter()
                        .map(|spilled| &spilled.policy),
                ),
            ),
        });
        if portable.is_some_and(|places| places.region.is_none()) {
            notes.push("Regions stay as they are: the policy names none, or more than one.".into());
        }
        Some(Self {
            role,
            // What the proposal attaches again, under its own name, is not detached.
            detach: detach
                .filter(|arn| Some(arn) != managed.as_ref())
                .filter(|arn| {
                    let again = |name: &str| arn.ends_with(&format!(":policy/{name}"));
                    !proposed.managed_policies.iter().any(|p| again(&p.name))
                })
                .collect(),
            delete: of(true)
                .map(|d| d.name.clone())
                .filter(|name| inline.is_none() || name != POLICY_NAME)
                .collect(),
            inline,
            managed,
            spilled: proposed
                .managed_policies
                .iter()
                .map(|spilled| (spilled.name.as_str(), &spilled.policy))
                .collect(),
            notes: notes
                .iter()
                .map(|note| super::escape::plain(note))
                .collect(),
            portable: Portable(portable),
        })
    }

    /// The calls that put the proposal in place.
    pub(super) fn change(&self) -> Result<Change, ChangeError> {
        let attach = self.managed.as_ref().and_then(|arn| {
            let policy = Catalog::builtin().managed_policy(BASIC)?;
            let document = serde_json::from_str(policy.document).ok()?;
            Some((arn.clone(), document))
        });
        let target = Target {
            inline: self.inline.clone(),
            managed: self
                .spilled
                .iter()
                .map(|(name, document)| ((*name).to_owned(), (*document).clone()))
                .collect(),
            attach,
        };
        Change::plan(&self.role.arn, &self.role.current_policies, &target)
    }

    pub(super) fn is_portable(&self) -> bool {
        self.portable.0.is_some()
    }
}

impl Portable<'_> {
    /// A string of the policy in pieces; one piece where nothing is portable in it.
    fn pieces<'t>(&self, text: &'t str) -> Vec<Piece<'t>> {
        let whole = vec![Piece::Text(text)];
        let Some(places) = self.0 else {
            return whole;
        };
        let parts: Vec<&str> = text.splitn(6, ':').collect();
        let [head, partition, service, region, account, rest] = parts[..] else {
            return whole;
        };
        if head != "arn" {
            return whole;
        }
        let mut pieces = vec![Piece::Text("arn:")];
        let mut part = |text: &'t str, is: bool, piece: Piece<'t>| {
            pieces.push(if is { piece } else { Piece::Text(text) });
            pieces.push(Piece::Text(":"));
        };
        part(partition, partition == places.partition, Piece::Partition);
        part(service, false, Piece::Text(service));
        part(region, places.region == Some(region), Piece::Region);
        part(account, account == places.account, Piece::Account);
        pieces.push(Piece::Text(rest));
        pieces.retain(|piece| *piece != Piece::Text(""));
        pieces
    }
}

/// The ARN of the managed policy, where the role may do all of it today.
fn basic_execution_role(role: &RoleReport) -> Option<String> {
    let managed = Catalog::builtin().managed_policy(BASIC)?;
    let wanted = PolicySet::of(BASIC, PolicyDocument::parse(managed.document).ok()?);
    let policies = role.current_policies.get("Policies")?.as_array()?;
    let current = PolicySet {
        identity: policies
            .iter()
            .filter_map(|policy| {
                Some(NamedPolicy {
                    name: policy.get("PolicyName")?.as_str()?.to_owned(),
                    document: PolicyDocument::from_value(policy.get("PolicyDocument")?).ok()?,
                })
            })
            .collect(),
        boundary: None,
    };
    let all_read = current.identity.len() == policies.len();
    let partition = role.arn.split(':').nth(1)?;
    (all_read && contained(&wanted, &current) == Containment::Contained)
        .then(|| format!("arn:{partition}:iam::aws:policy{}{BASIC}", managed.path))
}

/// Takes the statements that only log out of the policy; whether there were any.
fn without_logging(policy: &mut Option<Value>) -> bool {
    let Some(statements) = policy
        .as_mut()
        .and_then(|policy| policy.get_mut("Statement")?.as_array_mut())
    else {
        return false;
    };
    let before = statements.len();
    statements.retain(|statement| !only_logs(statement));
    let gone = statements.len() < before;
    if statements.is_empty() {
        *policy = None;
    }
    gone
}

fn only_logs(statement: &Value) -> bool {
    let is = |action: &Value| action.as_str().is_some_and(|a| LOGGING.contains(&a));
    statement.get("Effect").and_then(Value::as_str) == Some("Allow")
        && statement.get("Condition").is_none()
        && match statement.get("Action") {
            Some(Value::Array(list)) => list.iter().all(is),
            Some(one) => is(one),
            None => false,
        }
}

/// The Region, where every ARN of the policy that has one has the same.
fn only_region<'v>(policies: impl Iterator<Item = &'v Value>) -> Option<&'v str> {
    fn walk<'v>(value: &'v Value, regions: &mut std::collections::BTreeSet<&'v str>) {
        match value {
            Value::String(text) if text.starts_with("arn:") => {
                regions.extend(text.split(':').nth(3).filter(|region| !region.is_empty()));
            }
            Value::Array(list) => list.iter().for_each(|item| walk(item, regions)),
            Value::Object(object) => object.values().for_each(|item| walk(item, regions)),
            _ => {}
        }
    }
    let mut regions = std::collections::BTreeSet::new();
    for policy in policies {
        walk(policy, &mut regions);
    }
    let one = regions.pop_first()?;
    (regions.is_empty() && !one.contains(['*', '?', '$'])).then_some(one)
}

/// A name that Terraform and CloudFormation take: letters and digits of the role's name.
pub(in crate::render) fn identifier(name: &str, separator: &str) -> String {
    let mut out = String::new();
    for word in name
        .split(|c: char| !c.is_ascii_alphanumeric())
        .filter(|word| !word.is_empty())
    {
        if separator.is_empty() {
            let (first, rest) = word.split_at(1);
            out.push_str(&first.to_ascii_uppercase());
            out.push_str(rest);
        } else {
            if !out.is_empty() {
                out.push_str(separator);
            }
            out.push_str(&word.to_ascii_lowercase());
        }
    }
    if !out.starts_with(|c: char| c.is_ascii_alphabetic()) {
        out.insert_str(
            0,
            if separator.is_empty() {
                "Role"
            } else {
                "role_"
            },
        );
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn identifiers() {
        assert_eq!(
            identifier("order-processor.role", "_"),
            "order_processor_role"
        );
        assert_eq!(identifier("order-processor_role", ""), "OrderProcessorRole");
        assert_eq!(identifier("7-up", "_"), "role_7_up");
        assert_eq!(identifier("\"}é${x}", ""), "X");
        assert_eq!(identifier("", ""), "Role");
    }

    #[test]
    fn only_statements_that_log_and_nothing_else_are_logging() {
        let policy = serde_json::json!({"Statement": [
            {"Effect": "Allow", "Action": ["logs:PutLogEvents"], "Resource": "x"},
            {"Effect": "Deny", "Action": ["logs:PutLogEvents"], "Resource": "x"},
            {"Effect": "Allow", "Action": ["logs:PutLogEvents", "s3:GetObject"], "Resource": "x"}]});
        let mut left = Some(policy);
        assert!(without_logging(&mut left));
        assert_eq!(left.unwrap()["Statement"].as_array().unwrap().len(), 2);
    }
}
