//! The inbound door: who invoked a function, which statements of its resource policy that used, and a
//! tighter policy where the evidence allows one. A function, its callers and its policy in, that out.
//!
//! The policy is the function's own, as `aws lambda get-policy` prints it. A tighter one only takes
//! statements out or adds conditions to them.

use serde::Serialize;
use serde_json::{Value, json};

use super::fix::quoted;
use crate::iam::pattern;
use crate::usage::{Bounded, Caller, CallerKind, Tally};

/// The inbound door of one function.
#[derive(Clone, Debug, Serialize)]
pub struct Inbound {
    /// The function's ARN.
    pub function: String,
    /// Whether the input shows invocations of the function at all, if there were any.
    pub visible: bool,
    /// Times that Lambda took the role to run the function, where the input shows that (`AssumeRole`).
    pub started: u64,
    /// Who invoked it.
    pub callers: Vec<CallerRow>,
    /// The statements of its resource policy; empty where the snapshot has none.
    pub statements: Vec<StatementRow>,
    /// A tighter policy; `None` where nothing can be tightened.
    pub tightened: Option<Value>,
    /// Commands that make it so: what is added first, what is removed last.
    pub commands: Vec<String>,
    /// What the policy may miss, in words.
    pub notes: Vec<String>,
}

/// One who invoked a function.
#[derive(Clone, Debug, Serialize)]
pub struct CallerRow {
    /// `service`, `role`, `user`, `account`, `other`.
    pub kind: &'static str,
    /// Who.
    pub who: String,
    /// For which resource a service did it.
    pub source_arn: Option<String>,
    /// For which account.
    pub source_account: Option<String>,
    /// Which version or alias was asked for.
    pub qualifier: Option<String>,
    /// Invocations.
    pub count: u64,
    /// ISO 8601.
    pub first_seen: Option<String>,
    /// ISO 8601.
    pub last_seen: Option<String>,
}

/// One statement of a function's resource policy.
#[derive(Clone, Debug, Serialize)]
pub struct StatementRow {
    /// Its Sid.
    pub sid: String,
    /// Its principal as it is written.
    pub principal: Value,
    /// `used`, `unused` or `invisible`.
    pub verdict: &'static str,
    /// Invocations that it let in.
    pub count: u64,
    /// ISO 8601.
    pub last_seen: Option<String>,
    /// In words.
    pub reason: String,
}

/// What is known of a function's inbound door.
#[derive(Clone, Copy)]
pub struct Door<'a> {
    /// The function's ARN without a qualifier.
    pub function: &'a str,
    /// Who invoked it.
    pub callers: Option<&'a Bounded<Caller>>,
    /// Times that Lambda took the role to run it.
    pub started: u64,
    /// Invocations of it would be in the input.
    pub visible: bool,
    /// Days that the input covers are enough for silence to mean "unused".
    pub long: bool,
    /// Its resource policy.
    pub policy: Option<&'a Value>,
}

/// Source ARNs that a tightened statement names one by one.
const SOURCES: usize = 5;

/// Describes the inbound door of a function.
#[must_use]
pub fn inbound(door: Door<'_>) -> Inbound {
    let callers: Vec<(&Caller, &Tally)> =
        door.callers.into_iter().flat_map(Bounded::iter).collect();
    let mut out = Inbound {
        function: door.function.to_owned(),
        visible: door.visible,
        started: door.started,
        callers: callers.iter().map(|(c, t)| caller_row(c, t)).collect(),
        statements: Vec::new(),
        tightened: None,
        commands: Vec::new(),
        notes: Vec::new(),
    };
    let Some(policy) = door.policy else {
        return out;
    };
    let statements = match policy.get("Statement") {
        Some(Value::Array(list)) => list.clone(),
        Some(one) => vec![one.clone()],
        None => Vec::new(),
    };
    let mut kept = Vec::new();
    let mut changed = false;
    let mut additions = Vec::new();
    let mut removals = Vec::new();
    for statement in &statements {
        let by: Vec<(&Caller, &Tally)> = callers
            .iter()
            .copied()
            .filter(|(caller, _)| lets_in(statement, caller))
            .collect();
        let row = statement_row(statement, &by, door);
        let sid = row.sid.clone();
        match row.verdict {
            "unused" if door.long => {
                changed = true;
                removals.push(remove(door.function, &sid, statement));
            }
            "used" => match tighter(statement, &by) {
                Some(tight) => {
                    changed = true;
                    for (at, one) in tight.iter().enumerate() {
                        let sid = format!("{sid}-{}", at + 1);
                        let mut one = one.clone();
                        one["Sid"] = json!(sid);
                        additions.push(add(door.function, &sid, &one));
                        kept.push(one);
                    }
                    removals.push(remove(door.function, &sid, statement));
                }
                None => kept.push(statement.clone()),
            },
            _ => kept.push(statement.clone()),
        }
        out.statements.push(row);
    }
    unmatched(&statements, &callers, &mut out.notes);
    if changed {
        let mut tightened = policy.clone();
        tightened["Statement"] = json!(kept);
        out.tightened = Some(tightened);
        out.commands = additions;
        out.commands.extend(removals);
    }
    out
}

fn caller_row(caller: &Caller, tally: &Tally) -> CallerRow {
    CallerRow {
        kind: caller.kind.as_str(),
        who: caller.who.clone(),
        source_arn: caller.source_arn.clone(),
        source_account: caller.source_account.clone(),
        qualifier: caller.qualifier.clone(),
        count: tally.count,
        first_seen: tally.first.map(timestamp),
        last_seen: tally.last.map(timestamp),
    }
}

fn timestamp(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds)
        .map_or_else(|_| seconds.to_string(), |time| time.to_string())
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

/// `(kind, principal)`.
fn principals(statement: &Value) -> Vec<(&str, &str)> {
    match statement.get("Principal") {
        Some(Value::String(any)) => vec![("AWS", any.as_str())],
        Some(Value::Object(kinds)) => kinds
            .iter()
            .flat_map(|(kind, list)| {
                strings(Some(list))
                    .into_iter()
                    .map(move |p| (kind.as_str(), p))
            })
            .collect(),
        _ => Vec::new(),
    }
}

/// The values of a condition key, whatever the operator; AWS writes it with capitals or without.
fn condition<'s>(statement: &'s Value, wanted: &str) -> Option<Vec<&'s str>> {
    let operators = statement.get("Condition")?.as_object()?;
    operators
        .values()
        .filter_map(Value::as_object)
        .find_map(|keys| {
            let mut keys = keys.iter();
            let found = keys.find(|(key, _)| key.eq_ignore_ascii_case(wanted))?;
            Some(strings(Some(found.1)))
        })
}

/// Whether the statement is about invoking by the API, which `Invoke` data events show.
fn about_invoking(statement: &Value) -> bool {
    let actions = strings(statement.get("Action"));
    actions
        .iter()
        .any(|action| pattern::matches_ignore_case(action, "lambda:InvokeFunction"))
}

/// Whether the statement lets the caller in, as far as the record tells.
fn lets_in(statement: &Value, caller: &Caller) -> bool {
    let qualifier = strings(statement.get("Resource"))
        .first()
        .and_then(|resource| resource.splitn(8, ':').nth(7));
    let version = match (qualifier, caller.qualifier.as_deref()) {
        (None, _) | (_, Some("*")) => true,
        (Some(own), Some(asked)) => pattern::matches(own, asked),
        (Some(own), None) => own == "$LATEST",
    };
    let allow = statement.get("Effect").and_then(Value::as_str) == Some("Allow");
    let who = principals(statement).iter().any(|(kind, principal)| {
        let any = *principal == "*";
        match (caller.kind, *kind) {
            (CallerKind::Service, "Service") => any || *principal == caller.who,
            (CallerKind::Role | CallerKind::User, "AWS") => {
                any || *principal == caller.who
                    || account_of(principal)
                        .is_some_and(|account| caller.account.as_deref() == Some(account))
            }
            (CallerKind::Account, "AWS") => {
                any || account_in(principal) == Some(caller.who.as_str())
            }
            _ => false,
        }
    });
    let source = match (condition(statement, "aws:SourceArn"), &caller.source_arn) {
        (Some(patterns), Some(source)) if source != "*" => {
            patterns.iter().any(|p| pattern::matches(p, source))
        }
        _ => true,
    };
    let account = match (
        condition(statement, "aws:SourceAccount"),
        &caller.source_account,
    ) {
        (Some(accounts), Some(account)) if account != "*" => accounts.contains(&account.as_str()),
        _ => true,
    };
    allow && about_invoking(statement) && who && source && account && version
}

/// The account that a principal stands for as a whole.
fn account_of(principal: &str) -> Option<&str> {
    if principal.len() == 12 {
        return Some(principal);
    }
    principal
        .ends_with(":root")
        .then(|| principal.split(':').nth(4))
        .flatten()
}

/// The account that a principal is in.
fn account_in(principal: &str) -> Option<&str> {
    account_of(principal).or_else(|| principal.split(':').nth(4))
}

fn statement_row(statement: &Value, by: &[(&Caller, &Tally)], door: Door<'_>) -> StatementRow {
    let mut all = Tally::default();
    by.iter().for_each(|(_, tally)| all.merge(tally));
    let (verdict, reason) = if !about_invoking(statement) {
        (
            "invisible",
            "CloudTrail shows invocations by the API only, not this action",
        )
    } else if !by.is_empty() {
        let blurred = condition(statement, "aws:SourceArn").is_some()
            && by.iter().all(|(caller, _)| caller.source_arn.is_none());
        let reason = if blurred {
            "invoked by its principal; the records do not say for which source"
        } else {
            "invocations of its principal were seen"
        };
        ("used", reason)
    } else if !door.visible {
        (
            "invisible",
            "invocations of the function are not in this input",
        )
    } else if door.long {
        (
            "unused",
            "invocations are logged, and none was by its principal and source",
        )
    } else {
        (
            "unused",
            "none was seen, but the input is too short to remove it",
        )
    };
    StatementRow {
        sid: statement
            .get("Sid")
            .and_then(Value::as_str)
            .unwrap_or_default()
            .to_owned(),
        principal: statement.get("Principal").cloned().unwrap_or_default(),
        verdict,
        count: all.count,
        last_seen: all.last.map(timestamp),
        reason: reason.to_owned(),
    }
}

/// Statements for the sources that were seen, where the statement names none. `None` where some
/// invocation shows no source, where there are many, or where there is nothing to add.
fn tighter(statement: &Value, by: &[(&Caller, &Tally)]) -> Option<Vec<Value>> {
    let service = principals(statement)
        .iter()
        .all(|(kind, principal)| *kind == "Service" && *principal != "*");
    if !service || condition(statement, "aws:SourceArn").is_some() {
        return None;
    }
    let mut sources = std::collections::BTreeSet::new();
    for (caller, _) in by {
        let arn = caller.source_arn.as_deref().filter(|arn| *arn != "*")?;
        let account = caller.source_account.as_deref().filter(|a| *a != "*");
        sources.insert((source_pattern(arn), account));
    }
    if sources.is_empty() || sources.len() > SOURCES {
        return None;
    }
    let known = condition(statement, "aws:SourceAccount").is_some();
    let tight = sources.into_iter().map(|(arn, account)| {
        let mut one = statement.clone();
        let operators = one
            .as_object_mut()
            .map(|map| map.entry("Condition").or_insert_with(|| json!({})));
        if let Some(operators) = operators {
            operators["ArnLike"]["AWS:SourceArn"] = json!(arn);
            if let (Some(account), false) = (account, known) {
                operators["StringEquals"]["AWS:SourceAccount"] = json!(account);
            }
        }
        one
    });
    Some(tight.collect())
}

/// The source as a policy should name it: an API with all its stages and methods, others as they are.
fn source_pattern(arn: &str) -> String {
    let api = arn.split(':').nth(2) == Some("execute-api");
    match arn.split_once('/') {
        Some((api_arn, _)) if api => format!("{api_arn}/*"),
        _ => arn.to_owned(),
    }
}

fn command(verb: &str, function: &str, sid: &str, statement: &Value) -> String {
    let region = function.split(':').nth(3).unwrap_or_default();
    let qualifier = strings(statement.get("Resource"))
        .first()
        .and_then(|resource| resource.splitn(8, ':').nth(7))
        .map_or_else(String::new, |q| format!(" --qualifier {}", quoted(q)));
    format!(
        "aws lambda {verb} --function-name {}{qualifier} --statement-id {} --region {}",
        quoted(function),
        quoted(sid),
        quoted(region)
    )
}

fn remove(function: &str, sid: &str, statement: &Value) -> String {
    command("remove-permission", function, sid, statement)
}

fn add(function: &str, sid: &str, statement: &Value) -> String {
    let mut out = command("add-permission", function, sid, statement);
    let action = strings(statement.get("Action"));
    let principal = principals(statement);
    let mut option = |name: &str, value: Option<&str>| {
        if let Some(value) = value {
            out.push_str(&format!(" --{name} {}", quoted(value)));
        }
    };
    option("action", action.first().copied());
    option("principal", principal.first().map(|(_, p)| *p));
    let of = |key: &str| condition(statement, key).and_then(|list| list.first().copied());
    option("source-arn", of("aws:SourceArn"));
    option("source-account", of("aws:SourceAccount"));
    option("principal-org-id", of("aws:PrincipalOrgID"));
    out
}

/// Services that invoked and that no statement lets in: the policy of the snapshot is older, or was
/// changed since.
fn unmatched(statements: &[Value], callers: &[(&Caller, &Tally)], notes: &mut Vec<String>) {
    for (caller, _) in callers {
        let service = caller.kind == CallerKind::Service && caller.who != "*";
        if service && !statements.iter().any(|s| lets_in(s, caller)) {
            let source = caller.source_arn.as_deref().unwrap_or("an unnamed source");
            notes.push(format!(
                "{} invoked the function for {source}, and no statement of its policy lets that in today",
                caller.who
            ));
        }
    }
    notes.sort();
    notes.dedup();
}

#[cfg(test)]
mod tests;
