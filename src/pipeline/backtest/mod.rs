//! Fit on the past, replay the rest: what would have been denied, and how much wider than used the
//! policy is, for each granularity.

mod breadth;
mod read;
mod replay;

use std::collections::{BTreeMap, BTreeSet};

use rayon::ThreadPool;
use rayon::prelude::*;

use super::fit::{FitOptions, selected};
use super::namesakes::settle;
use super::rows::{reason, timestamp};
use super::scan::{Objects, Scan};
use super::stored::StoredError;
use crate::catalog::Catalog;
use crate::event::Observer;
use crate::grants::{Attached, PolicyKind, Role, Snapshot};
use crate::iam::{NamedPolicy, PolicyDocument};
use crate::read::{Selection, Source};
use crate::render::{
    Backtest, DeniedCall, Failure, Outcome, ReasonRow, RoleBacktest, Score, Split, Tool, Window,
};
use crate::synthesize::Granularity;
use crate::usage::Usage;
use crate::usage::file::UsageFile;
use breadth::Universe;
use replay::{Trial, worst_first};

/// Where the past ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SplitAt {
    /// After this share of the logs' time, in per cent. Where the logs span more than five days, at the
    /// midnight before.
    Percent(u32),
    /// At this second since 1970.
    Time(i64),
}

/// What is fitted and how it is split.
#[derive(Clone, Debug)]
pub struct BacktestOptions {
    /// Which roles, and how they are fitted; the granularity in it is not looked at.
    pub fit: FitOptions,
    /// The granularities to compare.
    pub granularities: Vec<Granularity>,
    /// Where the first split lies.
    pub split: SplitAt,
    /// Into how many parts the time after the split is cut; each is replayed against a fit of all before.
    pub rolling: u32,
}

/// Why nothing could be tested.
#[derive(Debug, thiserror::Error)]
pub enum BacktestError {
    /// No event with a time.
    #[error("no event with a time was found")]
    NoEvents,
    /// All events lie on one side.
    #[error("the split leaves no event on one side of it")]
    OneSided,
    /// A usage file that has no answer.
    #[error(transparent)]
    Stored(#[from] StoredError),
}

/// Where the events are.
#[derive(Clone, Copy)]
pub enum Events<'e> {
    /// In logs, which are read twice.
    Logs(&'e dyn Source, &'e dyn Observer),
    /// In a usage file, which answers for whole days.
    Stored(&'e UsageFile),
}

/// Runs the backtest.
///
/// # Errors
///
/// When the logs have no events, or all of them on one side of the split.
pub fn backtest(
    events: Events<'_>,
    selection: &Selection,
    snapshot: &Snapshot,
    options: &BacktestOptions,
    catalog: &Catalog,
    pool: &ThreadPool,
) -> Result<Backtest, BacktestError> {
    let (first, last) = read::window(events, selection, pool)?.ok_or(BacktestError::NoEvents)?;
    let at = match options.split {
        SplitAt::Time(at) => at,
        SplitAt::Percent(percent) => share(first, last, percent),
    };
    if at <= first || at > last {
        return Err(BacktestError::OneSided);
    }
    let starts = starts(at, last, options.rolling);
    let mut periods = read::periods(events, selection, &starts, catalog, pool)?;
    let mut notes = Vec::new();
    if periods.undecodable > 0 {
        notes.push(reason(
            "undecodable-records",
            &format!("{} records could not be decoded", periods.undecodable),
        ));
    }
    let assumed = snapshot.roles.is_empty().then(|| assumed(&periods.usage));
    if assumed.is_some() {
        notes.push(reason(
            "no-snapshot",
            "no current policies were given: every role is taken to be allowed everything today",
        ));
    }
    let snapshot = assumed.as_ref().unwrap_or(snapshot);
    let mut replayed = periods.usage.split_off(1).into_iter();
    let mut past = Scan {
        usage: periods.usage.pop().unwrap_or_default(),
        objects: Objects {
            failed: periods.failed.clone(),
            failed_anywhere: periods.failed_anywhere,
            ..Objects::default()
        },
        exact: true,
        remarks: Vec::new(),
    };
    settle(&mut past, snapshot);
    let mut roles: BTreeMap<String, BTreeMap<&'static str, Outcome>> = BTreeMap::new();
    let mut splits = Vec::new();
    let mut strangers = BTreeSet::new();
    for (nth, at) in starts.iter().enumerate() {
        let mut future = Scan {
            usage: replayed.next().unwrap_or_default(),
            ..Scan::default()
        };
        settle(&mut future, snapshot);
        let universe = Universe::of([&past.usage, &future.usage], catalog);
        let mut wanted = selected(&past, snapshot, &options.fit);
        wanted.extend(selected(&future, snapshot, &options.fit));
        let trial = Trial {
            past: &past,
            future: &future.usage,
            universe: &universe,
            snapshot,
            options,
            catalog,
            at: *at,
        };
        let wanted: Vec<&String> = wanted.iter().collect();
        let outcomes: Vec<_> = pool.install(|| {
            wanted
                .par_iter()
                .map(|arn| snapshot.roles.get(*arn).map(|role| trial.role(role)))
                .collect()
        });
        let mut total: BTreeMap<&'static str, Score> = BTreeMap::new();
        for (arn, outcomes) in wanted.into_iter().zip(outcomes) {
            let Some(outcomes) = outcomes else {
                strangers.insert(arn.clone());
                continue;
            };
            let known = roles.entry(arn.clone()).or_default();
            for (name, outcome) in outcomes {
                total.entry(name).or_default().add(&outcome.score);
                join(known.entry(name).or_default(), outcome);
            }
        }
        let to = starts.get(nth + 1).copied().or(selection.to).map(timestamp);
        splits.push(Split {
            at: timestamp(*at),
            to,
            total,
        });
        past.usage.merge(future.usage);
    }
    let mut total: BTreeMap<&'static str, Score> = BTreeMap::new();
    for (name, score) in splits.iter().flat_map(|split| &split.total) {
        total.entry(name).or_default().add(score);
    }
    notes.extend(strangers.iter().map(|arn| {
        reason(
            "role-not-in-snapshot",
            &format!(
                "{arn} is not in the snapshot, or its policies cannot be read, so it was left out"
            ),
        )
    }));
    Ok(Backtest {
        schema: "rolefit.backtest/1",
        tool: Tool {
            version: env!("CARGO_PKG_VERSION"),
            catalog: catalog.version().to_owned(),
        },
        window: Window {
            from: Some(timestamp(first)),
            to: Some(timestamp(last)),
        },
        splits,
        failures: periods
            .failed
            .into_iter()
            .map(|(object, reason)| Failure { object, reason })
            .collect(),
        notes: sorted(notes),
        roles: roles
            .into_iter()
            .map(|(arn, granularities)| RoleBacktest { arn, granularities })
            .collect(),
        total,
    })
}

fn sorted(mut notes: Vec<ReasonRow>) -> Vec<ReasonRow> {
    notes.sort();
    notes
}

fn share(first: i64, last: i64, percent: u32) -> i64 {
    const DAY: i64 = 86_400;
    let span = last - first;
    let at = first + 1 + span / 100 * i64::from(percent) + span % 100 * i64::from(percent) / 100;
    let midnight = at.div_euclid(DAY) * DAY;
    if span > 5 * DAY && midnight > first {
        midnight
    } else {
        at.min(last)
    }
}

/// The beginnings of the parts that are replayed; at midnight where the first does and each is a day or
/// longer.
fn starts(at: i64, last: i64, parts: u32) -> Vec<i64> {
    const DAY: i64 = 86_400;
    let parts = i64::from(parts.max(1));
    let days = at.rem_euclid(DAY) == 0 && (last + 1 - at) / parts >= DAY;
    let whole = |start: i64| {
        if days {
            start.div_euclid(DAY) * DAY
        } else {
            start
        }
    };
    let mut starts: Vec<i64> = (0..parts)
        .map(|nth| whole(at + (last + 1 - at) * nth / parts))
        .collect();
    starts.dedup();
    starts
}

/// Roles that may do everything, for logs without a snapshot.
fn assumed(tables: &[Usage]) -> Snapshot {
    let everything =
        r#"{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}"#;
    let mut snapshot = Snapshot::default();
    let Ok(document) = PolicyDocument::parse(everything) else {
        return snapshot;
    };
    for (arn, usage) in tables.iter().flat_map(|table| &table.roles) {
        let lambda = if usage.lambda {
            vec!["lambda.amazonaws.com".to_owned()]
        } else {
            Vec::new()
        };
        snapshot.roles.insert(
            arn.clone(),
            Role {
                arn: arn.clone(),
                name: arn.rsplit('/').next().unwrap_or(arn).to_owned(),
                account: arn.split(':').nth(4).unwrap_or_default().to_owned(),
                role_id: String::new(),
                created: None,
                policies: vec![Attached {
                    kind: PolicyKind::Inline,
                    arn: None,
                    policy: NamedPolicy {
                        name: "everything".into(),
                        document: document.clone(),
                    },
                    from_catalog: false,
                    since: None,
                }],
                boundary: None,
                trust: None,
                trusted_services: lambda,
                trusts_others: false,
                problems: Vec::new(),
            },
        );
    }
    snapshot
}

/// Adds the outcome of a later split; what the policy allows is that of the later one.
fn join(known: &mut Outcome, later: Outcome) {
    let (allowed, used) = (later.score.allowed_actions, later.score.used_actions);
    known.score.add(&later.score);
    known.score.allowed_actions = allowed;
    known.score.used_actions = used;
    known.score.over_quota = u64::from(!later.within_quota);
    known.within_quota = later.within_quota;
    let mut calls: BTreeMap<(String, String), DeniedCall> = BTreeMap::new();
    for call in known.denied_calls.drain(..).chain(later.denied_calls) {
        let key = (call.action.clone(), call.resource.clone());
        match calls.entry(key) {
            std::collections::btree_map::Entry::Vacant(entry) => {
                entry.insert(call);
            }
            std::collections::btree_map::Entry::Occupied(mut entry) => {
                entry.get_mut().count += call.count;
            }
        }
    }
    known.denied_calls = worst_first(calls.into_values().collect());
}
