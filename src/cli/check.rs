//! `rolefit check`: the gate.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, BufWriter, Write};
use std::path::PathBuf;

use anyhow::anyhow;
use clap::Args as ClapArgs;
use serde_json::{Value, json};

use super::args::{Format, ProposalArgs};
use super::baseline::{Baseline, Slack, documents};
use super::drift::Drift;
use super::fit::Fitted;
use super::{Exit, Fault, fit, inputs, printable};
use crate::catalog::Catalog;
use crate::diff;
use crate::iam::{ActionMatch, Effect, PolicyDocument, ResourceMatch, pattern};
use crate::render::{Report, RoleReport, Status};

/// `rolefit check`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Without a threshold any role that can be tightened fails. With --baseline only what is new counts.\n\nExamples:\n  rolefit check ./trail --snapshot ./snapshot --max-sensitive-unused 0\n  rolefit check ./trail --snapshot ./snapshot --write-baseline rolefit-baseline.json\n  rolefit check ./trail --snapshot ./snapshot --baseline rolefit-baseline.json --forbid 'iam:*' --forbid-admin\n  rolefit check ./trail --snapshot ./snapshot --max-unused 20% --output github\n  rolefit check ./trail --snapshot ./snapshot --since 90d --state ./state --new-only\n\nExit codes:\n   0  every role is within the limits\n   4  so far as could be read: something could not be, or no proposal was possible\n  10  a role can be tightened beyond the limits\n  11  a policy grants something forbidden, or a promise failed\n  12  with --state: calls are denied that were not when it last ran"
)]
pub(super) struct CheckArgs {
    #[command(flatten)]
    pub(super) roles: ProposalArgs,
    /// Unused actions that a role may have: a number, or a share of its allowed actions such as 20%
    #[arg(long, value_name = "N|N%", help_heading = "Limits")]
    pub(super) max_unused: Option<String>,
    /// Unused sensitive actions that a role may have
    #[arg(long, value_name = "N", help_heading = "Limits")]
    pub(super) max_sensitive_unused: Option<usize>,
    /// Actions that no role may be granted, `*` and `?` allowed; may be given several times
    #[arg(long, value_name = "PATTERN", help_heading = "Limits")]
    pub(super) forbid: Vec<String>,
    /// No role may be granted all actions on all resources
    #[arg(long, help_heading = "Limits")]
    pub(super) forbid_admin: bool,
    /// Accept the slack that this file lists; only more of it counts
    #[arg(long, value_name = "FILE", help_heading = "Limits")]
    pub(super) baseline: Option<PathBuf>,
    /// With --state: only what became removable since it last ran counts as slack
    #[arg(long, requires = "state", help_heading = "Limits")]
    pub(super) new_only: bool,
    /// Write today's slack to this file, to be accepted from now on
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    pub(super) write_baseline: Option<PathBuf>,
    /// What goes to standard output; json is the verdict, the others but text are the report
    #[arg(long, value_enum, default_value_t = Format::Text, help_heading = "Output")]
    pub(super) output: Format,
    /// What could not be read, or a role without a proposal, is a failure
    #[arg(long, help_heading = "Run")]
    pub(super) strict: bool,
}

/// What a role may have unused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Limit {
    Actions(usize),
    /// Of the allowed actions.
    Percent(usize),
}

/// The gate's word on one role.
struct Verdict<'a> {
    role: &'a RoleReport,
    slack: Slack,
    /// Beyond the limits.
    fails: bool,
    /// What is granted and forbidden, in words.
    forbidden: Vec<String>,
    /// A promise that does not hold.
    broken: bool,
}

pub(super) fn run(args: &CheckArgs) -> Result<Exit, Fault> {
    let limit = args.max_unused.as_deref().map(limit).transpose()?;
    let catalog = inputs::catalog(args.roles.logs.run.catalog.as_deref())?;
    for wanted in &args.forbid {
        if catalog.expand(wanted).next().is_none() {
            return Err(Fault::new(
                Exit::Usage,
                anyhow!("--forbid `{wanted}` matches no action that AWS has"),
            )
            .hint("`rolefit catalog show SERVICE` lists the actions of a service"));
        }
    }
    let baseline = args.baseline.as_deref().map(Baseline::read).transpose()?;
    let fitted = fit::report(&args.roles, None, None)?;
    let drift = Drift::since_last(&fitted)?;
    let Fitted {
        report, snapshot, ..
    } = &fitted;
    let verdicts: Vec<Verdict<'_>> = report
        .roles
        .iter()
        .map(|role| verdict(role, args, limit, baseline.as_ref(), catalog))
        .collect();
    if let Some(file) = &args.write_baseline {
        Baseline::of(report).write(file)?;
    }
    let accepted = args.write_baseline.is_some();
    let grown = drift
        .as_ref()
        .is_none_or(|drift| drift.has_slack() || drift.first());
    let mut out = BufWriter::new(io::stdout().lock());
    match args.output {
        Format::Text => {
            text(report, &verdicts, accepted, &mut out)?;
            if let Some(drift) = &drift {
                drift.text(&mut out)?;
            }
        }
        Format::Json => {
            let mut values = values(&verdicts);
            if let Some(drift) = &drift {
                values["drift"] = drift.value();
            }
            serde_json::to_writer_pretty(&mut out, &values).map_err(io::Error::from)?;
            writeln!(out)?;
        }
        format => fit::write_format(report, format, None, &mut out)?,
    }
    out.flush()?;
    if let (Some(drift), false) = (&drift, matches!(args.output, Format::Text | Format::Json)) {
        // The other formats have no place for it.
        drift.text(&mut io::stderr().lock())?;
    }
    // What was said is remembered once it was said.
    if let Some(drift) = &drift {
        drift.remember(&fitted)?;
    }
    let refused = report.roles.iter().any(|r| r.status == Status::Refused);
    Ok(
        if verdicts.iter().any(|v| v.broken || !v.forbidden.is_empty()) {
            Exit::Broken
        } else if drift.as_ref().is_some_and(Drift::is_broken) {
            Exit::Drift
        } else if !accepted && (grown || !args.new_only) && verdicts.iter().any(|v| v.fails) {
            Exit::Slack
        } else {
            fit::exit(args.strict, refused, report, snapshot)
        },
    )
}

fn limit(text: &str) -> Result<Limit, Fault> {
    let (number, percent) = match text.strip_suffix('%') {
        Some(number) => (number, true),
        None => (text, false),
    };
    match number.trim().parse() {
        Ok(number) if percent && number <= 100 => Ok(Limit::Percent(number)),
        Ok(number) if !percent => Ok(Limit::Actions(number)),
        _ => Err(Fault::new(
            Exit::Usage,
            anyhow!("--max-unused `{text}` is neither a number of actions nor a share such as 20%"),
        )),
    }
}

fn verdict<'a>(
    role: &'a RoleReport,
    args: &CheckArgs,
    limit: Option<Limit>,
    baseline: Option<&Baseline>,
    catalog: &Catalog,
) -> Verdict<'a> {
    let documents = documents(role);
    let documents: Vec<&PolicyDocument> = documents.iter().map(|(_, d)| d).collect();
    let allowed = diff::allowed_actions(&documents, catalog);
    let slack = Slack::of(role, &allowed, baseline, catalog);
    let over = |most: Limit| match most {
        Limit::Actions(most) => slack.unused.len() > most,
        Limit::Percent(most) => slack.unused.len() * 100 > most * role.current.allowed_actions,
    };
    let fails = if limit.is_none() && args.max_sensitive_unused.is_none() {
        !slack.unused.is_empty() || !slack.narrowed.is_empty()
    } else {
        limit.is_some_and(over)
            || args
                .max_sensitive_unused
                .is_some_and(|most| slack.sensitive.len() > most)
    };
    let broken = role.verification.as_ref().is_some_and(|v| {
        !v.no_new_access.holds || !v.replay.denied.is_empty() || !v.valid.holds || !v.quota.holds
    });
    Verdict {
        role,
        fails: fails && role.status != Status::Refused,
        forbidden: forbidden(role, args, &allowed, catalog),
        slack,
        broken,
    }
}

fn forbidden(
    role: &RoleReport,
    args: &CheckArgs,
    allowed: &BTreeSet<String>,
    catalog: &Catalog,
) -> Vec<String> {
    let mut out = Vec::new();
    let stays: BTreeSet<&str> = role
        .decisions
        .iter()
        .filter(|row| row.change != "removed")
        .map(|row| row.action.as_str())
        .collect();
    for wanted in &args.forbid {
        let granted: Vec<&str> = catalog
            .expand(wanted)
            .map(|facts| facts.action.as_str())
            .filter(|action| allowed.contains(*action))
            .collect();
        if let Some(first) = granted.first() {
            let more = match granted.len() - 1 {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let kept = granted.iter().any(|action| stays.contains(action));
            let after = if kept {
                "the proposal keeps some of it"
            } else {
                "the proposal removes it"
            };
            out.push(format!("--forbid {wanted}: grants {first}{more}; {after}"));
        }
    }
    if args.forbid_admin {
        for (name, document) in documents(role) {
            if document.statements().iter().any(|s| {
                s.effect == Effect::Allow && everything(&s.actions) && everywhere(&s.resources)
            }) {
                out.push(format!(
                    "--forbid-admin: {name} allows all actions on all resources"
                ));
            }
        }
    }
    out
}

fn everything(actions: &ActionMatch) -> bool {
    match actions {
        ActionMatch::Action(list) => list.iter().any(|p| pattern::covers_ignore_case(p, "?*:*")),
        ActionMatch::NotAction(list) => list.is_empty(),
    }
}

fn everywhere(resources: &ResourceMatch) -> bool {
    match resources {
        ResourceMatch::Resource(list) => list.iter().any(|p| p.chars().all(|c| c == '*')),
        ResourceMatch::NotResource(_) | ResourceMatch::None => false,
    }
}

fn text(
    report: &Report,
    verdicts: &[Verdict<'_>],
    accepted: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let mut slack = 0;
    for v in verdicts {
        let name = printable(v.role.name());
        let account = printable(v.role.account());
        if v.fails {
            slack += 1;
            let kind = if accepted { "accepted" } else { "slack" };
            writeln!(out, "{kind:<9}  {name} ({account})")?;
            writeln!(
                out,
                "           {} unused, {} of them sensitive; {} wider than used",
                v.slack.unused.len(),
                v.slack.sensitive.len(),
                v.slack.narrowed.len()
            )?;
        }
        for forbidden in &v.forbidden {
            writeln!(out, "forbidden  {name} ({account})")?;
            writeln!(out, "           {}", printable(forbidden))?;
        }
        if v.broken {
            writeln!(out, "broken     {name} ({account})")?;
        }
        if v.broken || v.role.status == Status::Refused {
            for reason in &v.role.reasons {
                writeln!(
                    out,
                    "           {name}: {}: {}",
                    reason.code,
                    printable(&reason.message)
                )?;
            }
        }
    }
    let forbidden = verdicts.iter().filter(|v| !v.forbidden.is_empty()).count();
    let broken = verdicts.iter().filter(|v| v.broken).count();
    let refused = verdicts
        .iter()
        .filter(|v| v.role.status == Status::Refused)
        .count();
    writeln!(
        out,
        "{} roles: {slack} with slack{}, {forbidden} with forbidden grants, {broken} with a broken promise, {refused} without a proposal",
        report.roles.len(),
        if accepted {
            " (written to the baseline)"
        } else {
            ""
        }
    )
}

fn values(verdicts: &[Verdict<'_>]) -> Value {
    let roles: Vec<Value> = verdicts
        .iter()
        .map(|v| {
            json!({
                "arn": v.role.arn, "status": v.role.status, "within_limits": !v.fails,
                "unused_actions": v.slack.unused.len(),
                "sensitive_unused": v.slack.sensitive, "narrowed": v.slack.narrowed,
                "forbidden": v.forbidden, "promise_broken": v.broken,
            })
        })
        .collect();
    let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
    for (name, of) in [
        ("slack", verdicts.iter().filter(|v| v.fails).count()),
        (
            "forbidden",
            verdicts.iter().filter(|v| !v.forbidden.is_empty()).count(),
        ),
        ("broken", verdicts.iter().filter(|v| v.broken).count()),
    ] {
        counts.insert(name, of);
    }
    json!({"schema": "rolefit.check/1", "counts": counts, "roles": roles})
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits() {
        assert_eq!(limit("5").ok(), Some(Limit::Actions(5)));
        assert_eq!(limit("20%").ok(), Some(Limit::Percent(20)));
        for wrong in ["", "-1", "101%", "x", "%"] {
            assert!(limit(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn all_actions_however_they_are_written() {
        let everything = |list: &[&str]| {
            everything(&ActionMatch::Action(
                list.iter().map(|s| (*s).to_owned()).collect(),
            ))
        };
        assert!(everything(&["*"]) && everything(&["*:*"]) && everything(&["s3:*", "**"]));
        assert!(!everything(&["s3:*"]) && !everything(&["*:Get*"]));
    }
}
