//! What changed since `check` last ran on a state.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use anyhow::anyhow;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::baseline::Baseline;
use super::fit::Fitted;
use super::{Exit, Fault, printable};
use crate::access::DeniedGroup;
use crate::pipeline::denied;
use crate::usage::file::atomically;

const SCHEMA: &str = "rolefit.last-check/1";
/// The file of a state that holds it.
const FILE: &str = "last-check.json";
/// Resources of one kind of denial that are remembered by name.
const NAMED: usize = 50;

/// What a run knew.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Memory {
    schema: String,
    /// First and last event.
    window: (Option<String>, Option<String>),
    roles: BTreeMap<String, RoleMemory>,
}

#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct RoleMemory {
    /// Actions that were used.
    used: BTreeSet<String>,
    /// What could be removed, `ACTION RESOURCE`.
    removable: BTreeSet<String>,
    /// What was denied: `ACTION DOOR` → on what.
    denied: BTreeMap<String, BTreeSet<String>>,
}

/// What is new.
#[derive(Debug)]
pub(super) struct Drift {
    now: Memory,
    /// When the last run's events ended; `None` for the first run.
    since: Option<String>,
    /// Role → actions.
    used: BTreeMap<String, BTreeSet<String>>,
    /// Role → `ACTION RESOURCE`.
    removable: BTreeMap<String, BTreeSet<String>>,
    denied: Vec<NewDenial>,
}

/// Calls that are denied now and were not.
#[derive(Debug, Serialize)]
struct NewDenial {
    role: String,
    action: String,
    door: &'static str,
    resources: Vec<String>,
    first_seen: Option<String>,
    /// The same action worked before.
    broke: bool,
    /// The change, in words.
    change: Option<String>,
}

impl Drift {
    /// Compares with what the state remembers. `None` without a state.
    pub(super) fn since_last(fitted: &Fitted) -> Result<Option<Self>, Fault> {
        let Some(state) = fitted.input.state() else {
            return Ok(None);
        };
        let path = state.beside(FILE);
        let wrong = |what: String| {
            Fault::new(
                Exit::Failed,
                anyhow!("cannot use `{}`: {what}", path.display()),
            )
            .hint("delete it: the next run then has nothing to compare with")
        };
        let before: Option<Memory> = match std::fs::read(&path) {
            Ok(bytes) => Some(serde_json::from_slice(&bytes).map_err(|e| wrong(e.to_string()))?),
            Err(error) if error.kind() == io::ErrorKind::NotFound => None,
            Err(error) => return Err(wrong(error.to_string())),
        };
        if let Some(before) = before.as_ref().filter(|before| before.schema != SCHEMA) {
            return Err(wrong(format!("it is `{}`, not `{SCHEMA}`", before.schema)));
        }
        // Every role: what is passed over is not looked at.
        let scan = fitted
            .input
            .scan(&BTreeSet::new(), fitted.catalog, &fitted.pool)?;
        let doors = denied(scan, &fitted.snapshot, &fitted.options, fitted.catalog);
        let groups: Vec<(&str, &DeniedGroup)> = doors
            .roles
            .iter()
            .flat_map(|role| role.denied.iter().map(|group| (role.arn.as_str(), group)))
            .filter(|(_, group)| !group.outside)
            .collect();
        let now = Memory::of(fitted, &groups);
        Ok(Some(Self::between(before.as_ref(), now, &groups)))
    }

    fn between(before: Option<&Memory>, now: Memory, groups: &[(&str, &DeniedGroup)]) -> Self {
        let mut drift = Self {
            now,
            since: None,
            used: BTreeMap::new(),
            removable: BTreeMap::new(),
            denied: Vec::new(),
        };
        let Some(before) = before else {
            return drift;
        };
        drift.since = Some(before.window.1.clone().unwrap_or_default());
        let none = RoleMemory::default();
        let looked_at: Vec<String> = drift.now.roles.keys().cloned().collect();
        // Roles that were not asked for this time are not forgotten.
        for (arn, role) in &before.roles {
            let now = drift.now.roles.entry(arn.clone());
            now.or_insert_with(|| role.clone());
        }
        for arn in &looked_at {
            let Some(role) = drift.now.roles.get(arn) else {
                continue;
            };
            let known = before.roles.get(arn).unwrap_or(&none);
            let new = |now: &BTreeSet<String>, known: &BTreeSet<String>| -> BTreeSet<String> {
                now.difference(known).cloned().collect()
            };
            let used = new(&role.used, &known.used);
            if !used.is_empty() {
                drift.used.insert(arn.clone(), used);
            }
            let removable = new(&role.removable, &known.removable);
            if !removable.is_empty() {
                drift.removable.insert(arn.clone(), removable);
            }
        }
        for (arn, group) in groups {
            let role = before.roles.get(*arn).unwrap_or(&none);
            let known = role.denied.get(&key(group));
            let full = known.is_some_and(|known| known.len() >= NAMED);
            let resources: Vec<String> = on(group)
                .filter(|resource| known.is_none_or(|known| !known.contains(resource)))
                .collect();
            if resources.is_empty() || full {
                continue;
            }
            drift.denied.push(NewDenial {
                role: (*arn).to_owned(),
                action: group.action.clone(),
                door: group.verdict.door,
                resources,
                first_seen: group.first_seen.clone(),
                broke: role.used.contains(&group.action)
                    || group.change.as_ref().is_some_and(|tie| tie.worked_before),
                change: group.change.as_ref().map(|tie| tie.message.clone()),
            });
        }
        drift
    }

    /// Whether no run came before.
    pub(super) fn first(&self) -> bool {
        self.since.is_none()
    }

    /// Whether calls are denied that were not.
    pub(super) fn is_broken(&self) -> bool {
        !self.denied.is_empty()
    }

    /// Whether permissions became removable.
    pub(super) fn has_slack(&self) -> bool {
        !self.removable.is_empty()
    }

    /// Remembers this run.
    pub(super) fn remember(&self, fitted: &Fitted) -> Result<(), Fault> {
        let Some(state) = fitted.input.state() else {
            return Ok(());
        };
        let path = state.beside(FILE);
        atomically(&path, |out| {
            serde_json::to_writer_pretty(&mut *out, &self.now).map_err(io::Error::from)?;
            writeln!(out)
        })
        .map_err(|error| {
            Fault::new(
                Exit::Failed,
                anyhow!("cannot write `{}`: {error}", path.display()),
            )
        })
    }

    /// For people.
    pub(super) fn text(&self, out: &mut impl Write) -> io::Result<()> {
        let Some(since) = &self.since else {
            return writeln!(
                out,
                "first check of this state: the next one tells what changed"
            );
        };
        writeln!(out, "since the last check, whose events end at {since}:")?;
        let short = |arn: &str| printable(arn.rsplit('/').next().unwrap_or(arn));
        for denial in &self.denied {
            let role = short(&denial.role);
            let when = denial.first_seen.as_deref().unwrap_or("a time unknown");
            let day = when.get(..10).unwrap_or(when);
            let word = if denial.broke {
                "broke on"
            } else {
                "denied since"
            };
            let (first, more) = (denial.resources.first(), denial.resources.len() - 1);
            let first = printable(first.map_or("*", String::as_str));
            let more = if more > 0 {
                format!(" and {more} more")
            } else {
                String::new()
            };
            writeln!(out, "{word} {day}  {role}")?;
            writeln!(
                out,
                "           {} on {first}{more} ({})",
                printable(&denial.action),
                denial.door
            )?;
            if let Some(change) = &denial.change {
                writeln!(out, "           {}", printable(change))?;
            }
        }
        for (word, rows) in [("newly used", &self.used), ("removable", &self.removable)] {
            for (arn, list) in rows {
                writeln!(out, "{word:<10} {}", short(arn))?;
                for one in list.iter().take(8) {
                    writeln!(out, "           {}", printable(one))?;
                }
                if list.len() > 8 {
                    writeln!(out, "           and {} more", list.len() - 8)?;
                }
            }
        }
        if self.denied.is_empty() && self.used.is_empty() && self.removable.is_empty() {
            writeln!(out, "           nothing changed")?;
        }
        Ok(())
    }

    /// For programs.
    pub(super) fn value(&self) -> Value {
        json!({
            "since": self.since, "denied": self.denied,
            "newly_used": self.used, "newly_removable": self.removable,
        })
    }
}

impl Memory {
    fn of(fitted: &Fitted, groups: &[(&str, &DeniedGroup)]) -> Self {
        let report = &fitted.report;
        let mut removable = Baseline::of(report).roles;
        let mut roles: BTreeMap<String, RoleMemory> = report
            .roles
            .iter()
            .map(|role| {
                let used = role
                    .decisions
                    .iter()
                    .filter(|row| row.count > 0 && row.verdict != "denied-only");
                let memory = RoleMemory {
                    used: used.map(|row| row.action.clone()).collect(),
                    removable: removable.remove(&role.arn).unwrap_or_default(),
                    denied: BTreeMap::new(),
                };
                (role.arn.clone(), memory)
            })
            .collect();
        for (arn, group) in groups {
            let role = roles.entry((*arn).to_owned()).or_default();
            let known = role.denied.entry(key(group)).or_default();
            known.extend(on(group));
        }
        Self {
            schema: SCHEMA.to_owned(),
            window: (report.window.from.clone(), report.window.to.clone()),
            roles,
        }
    }
}

fn key(group: &DeniedGroup) -> String {
    format!("{} {}", group.action, group.verdict.door)
}

fn on(group: &DeniedGroup) -> impl Iterator<Item = String> {
    let resources = group.resources.iter().take(NAMED);
    resources.map(|refused| refused.resource.clone())
}
