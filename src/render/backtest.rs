//! The backtest: its model, as JSON and as text.

use std::collections::BTreeMap;
use std::io;

use serde::Serialize;

use super::escape::plain;
use super::{Failure, ReasonRow, Tool, Window};

/// `rolefit.backtest/1`.
#[derive(Clone, Debug, Serialize)]
pub struct Backtest {
    /// `rolefit.backtest/1`.
    pub schema: &'static str,
    /// Versions.
    pub tool: Tool,
    /// First and last event, or what the user asked for.
    pub window: Window,
    /// Where the logs were split: fitted before, replayed from there on; one for each of `--rolling`.
    pub splits: Vec<Split>,
    /// Log objects that could not be read.
    pub failures: Vec<Failure>,
    /// What a person should know of the run as a whole.
    pub notes: Vec<ReasonRow>,
    /// Every role looked at, by ARN.
    pub roles: Vec<RoleBacktest>,
    /// All roles together, by granularity.
    pub total: BTreeMap<&'static str, Score>,
}

/// One split.
#[derive(Clone, Debug, Serialize)]
pub struct Split {
    /// Fitted on everything before, ISO 8601.
    pub at: String,
    /// The replay ends before this; null for the end of the logs.
    pub to: Option<String>,
    /// All roles together, by granularity.
    pub total: BTreeMap<&'static str, Score>,
}

/// One role.
#[derive(Clone, Debug, Serialize)]
pub struct RoleBacktest {
    /// The role.
    pub arn: String,
    /// What came of each granularity.
    pub granularities: BTreeMap<&'static str, Outcome>,
}

/// One role at one granularity.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Outcome {
    /// The counts.
    #[serde(flatten)]
    pub score: Score,
    /// Whether the policy is within IAM's limits.
    pub within_quota: bool,
    /// Calls that would have been denied, worst first.
    pub denied_calls: Vec<DeniedCall>,
}

/// The counts of a replay. Requests are distinct pairs of action and resource that the current policies
/// allow; calls are events.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Score {
    /// Distinct requests replayed.
    pub requests: u64,
    /// Of these, denied by the fitted policy.
    pub denied: u64,
    /// Of the denied, those on a container (bucket, table, queue) that the role did not use before.
    pub denied_new_resource: u64,
    /// Calls replayed.
    pub calls: u64,
    /// Of these, denied.
    pub calls_denied: u64,
    /// Distinct actions that the fitted policy allows.
    pub allowed_actions: u64,
    /// Distinct actions that the role used before and after the split.
    pub used_actions: u64,
    /// Pairs of used action and known resource that the policy allows, for each one that was used.
    pub breadth: f64,
    /// The pairs allowed.
    pub reached: u64,
    /// The pairs used.
    pub used: u64,
    /// Roles whose policy at this granularity is over IAM's size limit; `fit` goes on from there.
    pub over_quota: u64,
}

impl Score {
    /// Adds another role or split.
    pub fn add(&mut self, other: &Self) {
        self.requests += other.requests;
        self.denied += other.denied;
        self.denied_new_resource += other.denied_new_resource;
        self.calls += other.calls;
        self.calls_denied += other.calls_denied;
        self.allowed_actions += other.allowed_actions;
        self.used_actions += other.used_actions;
        self.reached += other.reached;
        self.used += other.used;
        self.over_quota += other.over_quota;
        self.settle();
    }

    /// Computes the ratio from its parts, to two decimals.
    pub fn settle(&mut self) {
        let hundredths = (self.reached * 100 + self.used / 2).checked_div(self.used);
        #[expect(clippy::cast_precision_loss, reason = "counts are far below 2^52")]
        let breadth = hundredths.map_or(0.0, |n| n as f64 / 100.0);
        self.breadth = breadth;
    }

    /// Denied requests that are not on new resources, for each thousand that are not.
    fn per_mille(&self) -> String {
        let known = self.requests - self.denied_new_resource;
        let denied = self.denied - self.denied_new_resource;
        let Some(hundredths) = (denied * 10_000 + known / 2).checked_div(known) else {
            return "-".into();
        };
        format!("{}.{:02} %", hundredths / 100, hundredths % 100)
    }
}

/// A call that the fitted policy would have denied.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct DeniedCall {
    /// The action.
    pub action: String,
    /// The resource.
    pub resource: String,
    /// How often it was called after the split.
    pub count: u64,
    /// The day it first appears, `2026-11-22`; null where no event has a time.
    pub first_day: Option<String>,
    /// The container was not used before.
    pub new_resource: bool,
}

/// Writes the backtest as JSON.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_backtest_json(backtest: &Backtest, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, backtest).map_err(io::Error::from)?;
    out.write_all(b"\n")
}

/// Denied calls of one role and granularity shown to a person.
const SHOWN: usize = 5;

/// Writes the backtest for a terminal: the three granularities side by side, then what would have been
/// denied, worst first.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_backtest_text(backtest: &Backtest, out: &mut impl io::Write) -> io::Result<()> {
    for split in &backtest.splits {
        let to = split
            .to
            .as_deref()
            .or(backtest.window.to.as_deref())
            .unwrap_or("the end");
        writeln!(
            out,
            "Fitted on events before {}, replayed up to {to}: {} roles",
            split.at,
            backtest.roles.len()
        )?;
        table(&split.total, out)?;
    }
    if backtest.splits.len() > 1 {
        writeln!(out, "All {} splits", backtest.splits.len())?;
        table(&backtest.total, out)?;
    }
    writeln!(
        out,
        "requests: distinct action and resource, allowed today. denied: of them, not allowed by the\n\
         fitted policy; `known` leaves out buckets, tables and the like that the role had not used before.\n\
         breadth: action and resource pairs that the policy reaches, for each one that was used.\n\
         over quota: roles whose policy is too large for IAM at this granularity; `fit` makes it fit."
    )?;
    let mut quiet = 0;
    for role in &backtest.roles {
        if role
            .granularities
            .values()
            .all(|outcome| outcome.score.denied == 0)
        {
            quiet += 1;
            continue;
        }
        writeln!(out, "\n{}", plain(&role.arn))?;
        let judged = role.granularities.contains_key("prefix");
        for (name, outcome) in finest_first(&role.granularities) {
            let score = &outcome.score;
            writeln!(
                out,
                "  {name:<9}  {} of {} requests denied ({} on new resources), {} of {} calls",
                score.denied,
                score.requests,
                score.denied_new_resource,
                score.calls_denied,
                score.calls
            )?;
            // Where the default is compared, its denials are the ones to read; JSON has all.
            if judged && *name != "prefix" {
                continue;
            }
            for call in outcome.denied_calls.iter().take(SHOWN) {
                let new = if call.new_resource {
                    ", new resource"
                } else {
                    ""
                };
                writeln!(
                    out,
                    "    {:>6} x {} on {} (from {}{new})",
                    call.count,
                    plain(&call.action),
                    plain(&call.resource),
                    call.first_day.as_deref().unwrap_or("no date")
                )?;
            }
            if outcome.denied_calls.len() > SHOWN {
                writeln!(
                    out,
                    "    and {} more; --output json lists all",
                    outcome.denied_calls.len() - SHOWN
                )?;
            }
        }
    }
    if quiet > 0 {
        writeln!(
            out,
            "\n{quiet} roles would have had no call denied at any granularity."
        )?;
    }
    for note in &backtest.notes {
        writeln!(out, "note: {}: {}", plain(&note.code), plain(&note.message))?;
    }
    Ok(())
}

fn table(rows: &BTreeMap<&'static str, Score>, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(
        out,
        "\n  {:<9}  {:>9}  {:>7}  {:>6}  {:>8}  {:>9}  {:>7}  {:>15}  {:>8}  {:>10}",
        "",
        "requests",
        "denied",
        "known",
        "",
        "calls",
        "denied",
        "actions (used)",
        "breadth",
        "over quota"
    )?;
    for (name, score) in finest_first(rows) {
        writeln!(
            out,
            "  {name:<9}  {:>9}  {:>7}  {:>6}  {:>8}  {:>9}  {:>7}  {:>15}  {:>8.2}  {:>10}",
            score.requests,
            score.denied,
            score.denied - score.denied_new_resource,
            score.per_mille(),
            score.calls,
            score.calls_denied,
            format!("{} ({})", score.allowed_actions, score.used_actions),
            score.breadth,
            score.over_quota
        )?;
    }
    writeln!(out)
}

/// `exact`, `prefix`, `container`.
fn finest_first<'a, T>(rows: &'a BTreeMap<&'static str, T>) -> Vec<(&'a &'static str, &'a T)> {
    let mut rows: Vec<_> = rows.iter().collect();
    rows.sort_by_key(|(name, _)| {
        ["exact", "prefix", "container"]
            .iter()
            .position(|known| known == *name)
    });
    rows
}
