//! The report as the page's script reads it: short arrays, cut to a size that keeps the file small.

use std::io::Write;

use flate2::Compression;
use flate2::write::DeflateEncoder;
use serde_json::{Value, json};

use super::super::escape::{json_text, plain};
use super::super::fold::{self, Group};
use super::super::infra::{InfraOptions, cli_steps};
use super::super::paths::role_folders;
use super::super::{DecisionRow, Report, RoleReport};

/// What the data of one role may take, in bytes: 500 roles stay under 3 MB with the shell.
pub(super) fn room(roles: usize) -> usize {
    (2_300_000 / roles.max(1)).clamp(3_000, 240_000)
}

/// How much of a role is shown.
#[derive(Clone, Copy)]
struct Cut {
    diff_lines: usize,
    rows: usize,
    names: usize,
    events: usize,
    /// Characters of a message.
    letters: usize,
}

const CUTS: [Cut; 6] = [
    Cut {
        diff_lines: 4_000,
        rows: 1_000,
        names: 60,
        events: 3,
        letters: 8_000,
    },
    Cut {
        diff_lines: 400,
        rows: 200,
        names: 24,
        events: 2,
        letters: 2_000,
    },
    Cut {
        diff_lines: 120,
        rows: 40,
        names: 8,
        events: 1,
        letters: 1_000,
    },
    Cut {
        diff_lines: 60,
        rows: 16,
        names: 5,
        events: 1,
        letters: 600,
    },
    Cut {
        diff_lines: 24,
        rows: 6,
        names: 3,
        events: 0,
        letters: 300,
    },
    Cut {
        diff_lines: 0,
        rows: 3,
        names: 2,
        events: 0,
        letters: 140,
    },
];

/// The block that is read at once: the run, and a row a role.
pub(super) fn overview(report: &Report) -> String {
    let folders = role_folders(report);
    let rows: Vec<Value> = report
        .roles
        .iter()
        .zip(folders)
        .map(|(role, folder)| {
            let after = role.proposed.as_ref();
            let unseen: usize = fold::unseen(role).iter().map(|g| g.actions).sum();
            json!([
                plain(role.name()),
                plain(role.account()),
                role.status.as_str(),
                role.current.allowed_actions,
                after.map(|p| p.allowed_actions),
                role.current.sensitive_actions,
                after.map(|p| p.sensitive_actions),
                role.current.characters,
                after.map(|p| p.characters),
                unseen,
                role.functions.len(),
                folder,
            ])
        })
        .collect();
    let input = &report.input;
    let places: Vec<Value> = input
        .coverage
        .iter()
        .take(400)
        .map(|p| {
            json!([
                plain(&p.account),
                plain(&p.region),
                p.from,
                p.to,
                p.days,
                p.management_reads,
                p.management_writes,
                strings(&p.data_types, 40),
                p.failed
            ])
        })
        .collect();
    let notes: Vec<Value> = report
        .notes
        .iter()
        .take(50)
        .map(|n| json!([n.code, plain(&n.message)]))
        .collect();
    json!({
        "version": report.tool.version, "catalog": report.tool.catalog,
        "window": [report.window.from, report.window.to],
        "objects": [input.objects.listed, input.objects.read, input.objects.skipped, input.objects.failed],
        "records": [input.records.read, input.records.used, input.records.denied, input.records.platform,
            input.records.foreign, input.records.duplicate, input.records.undecodable],
        "places": places, "places_all": input.coverage.len(),
        "unseen": unseen_of_all(report), "notes": notes, "roles": rows,
    })
    .to_string()
}

/// Why access is kept unseen, over all roles: reason, roles, actions; the most actions first.
fn unseen_of_all(report: &Report) -> Vec<Value> {
    let mut reasons: std::collections::BTreeMap<String, (usize, usize)> =
        std::collections::BTreeMap::new();
    for role in &report.roles {
        let mut of_role = std::collections::BTreeMap::new();
        for row in role
            .decisions
            .iter()
            .filter(|r| r.verdict == "unseen" && r.change != "removed")
        {
            *of_role.entry(plain(&row.reason)).or_insert(0) += row.actions;
        }
        for (reason, actions) in of_role {
            let entry = reasons.entry(reason).or_default();
            entry.0 += 1;
            entry.1 += actions;
        }
    }
    let mut rows: Vec<_> = reasons.into_iter().collect();
    rows.sort_by(|a, b| b.1.1.cmp(&a.1.1).then_with(|| a.0.cmp(&b.0)));
    rows.into_iter()
        .take(40)
        .map(|(reason, (roles, actions))| json!([reason, roles, actions]))
        .collect()
}

/// The block of one role, cut until it fits into `room` bytes or cannot be cut further.
pub(super) fn role(role: &RoleReport, room: usize) -> String {
    let mut text = String::new();
    for cut in CUTS {
        text = with(role, cut).to_string();
        if text.len() <= room {
            break;
        }
    }
    text
}

fn with(role: &RoleReport, cut: Cut) -> Value {
    let list = |rows: Vec<Value>, all: usize| json!({"rows": rows, "all": all});
    let mut kept: Vec<&DecisionRow> = role
        .decisions
        .iter()
        .filter(|r| r.change != "removed")
        .collect();
    // What was used comes first, so that a cut leaves it.
    kept.sort_by_key(|row| row.verdict == "unseen");
    let evidence = kept
        .iter()
        .take(cut.rows)
        .map(|row| decision(row, cut))
        .collect();
    let groups = |groups: &[Group]| {
        let rows = groups
            .iter()
            .take(cut.rows)
            .map(|g| group(g, cut))
            .collect();
        list(rows, groups.len())
    };
    let risks: Vec<Value> = role
        .risks
        .iter()
        .map(|risk| {
            let names = |actions: &[String]| {
                json!([
                    actions.len(),
                    strings(&fold::notable(actions), cut.names.min(24))
                ])
            };
            json!([
                risk.class,
                names(&risk.closed),
                names(&risk.narrowed),
                names(&risk.open)
            ])
        })
        .collect();
    let denied = role
        .denied
        .iter()
        .take(cut.rows)
        .map(|d| {
            json!([
                plain(&d.action),
                plain(&d.resource),
                d.count,
                plain(&d.door),
                plain(&d.message)
            ])
        })
        .collect();
    let missing = role
        .missing
        .iter()
        .take(cut.rows)
        .map(|m| {
            json!([
                plain(&m.action),
                plain(&m.resource),
                plain(&m.feature),
                plain(&m.function)
            ])
        })
        .collect();
    let unmapped = role
        .unmapped
        .iter()
        .take(cut.rows)
        .map(|u| json!([plain(&u.event_source), plain(&u.event_name), u.count]))
        .collect();
    let elsewhere = role
        .allowed_elsewhere
        .iter()
        .take(cut.rows)
        .map(|r| json!([plain(&r.action), plain(&r.resource)]))
        .collect();
    let documents: Vec<Value> = role
        .current
        .documents
        .iter()
        .take(40)
        .map(|d| json!([plain(&d.name), fold::kind(&d.kind)]))
        .collect();
    let policy = role.proposed.as_ref().and_then(|p| p.policy.as_ref());
    let policy = policy.map(|policy| packed(&json_text(policy)));
    let (diff, diff_all) = diff(&role.diff, cut.diff_lines);
    json!({
        "arn": plain(&role.arn),
        "reasons": role.reasons.iter().map(|r| json!([r.code, shortened(&r.message, cut.letters)])).collect::<Vec<_>>(),
        "functions": strings(&role.functions, cut.names.max(8)), "functions_all": role.functions.len(),
        "documents": documents,
        "changes": [role.changes.removed, role.changes.narrowed, role.changes.kept, role.changes.added],
        "policy": policy,
        "diff": diff, "diff_all": diff_all,
        "removed": groups(&fold::removed(role)), "unseen": groups(&fold::unseen(role)), "risks": risks,
        "evidence": list(evidence, kept.len()),
        "denied": list(denied, role.denied.len()), "missing": list(missing, role.missing.len()),
        "unmapped": list(unmapped, role.unmapped.len()),
        "elsewhere": list(elsewhere, role.allowed_elsewhere.len()),
        "steps": cli_steps(role, InfraOptions::default()).iter().map(|s| plain(s)).collect::<Vec<_>>(),
        "promises": role.verification.as_ref().map(|v| json!([
            v.no_new_access.holds, v.replay.allowed, v.replay.requests, v.valid.holds, v.quota.holds,
            v.quota.characters, v.quota.limit
        ])),
    })
}

fn decision(row: &DecisionRow, cut: Cut) -> Value {
    json!([
        plain(&row.action),
        row.verdict,
        row.change,
        row.count,
        row.first_seen,
        row.last_seen,
        strings(&row.resources, cut.names),
        row.resources.len(),
        plain(&row.reason),
        strings(&row.functions, 3),
        strings(&row.event_ids, cut.events),
        strings(&row.from, 3),
    ])
}

fn group(group: &Group, cut: Cut) -> Value {
    let details: Vec<Value> = group
        .details
        .iter()
        .take(cut.names)
        .map(|(detail, count)| json!([plain(detail), count]))
        .collect();
    json!([
        strings(&group.services, cut.names),
        group.services.len(),
        group.actions,
        plain(&group.reason),
        details,
        strings(&group.names, cut.names),
    ])
}

fn strings(list: &[String], most: usize) -> Vec<String> {
    list.iter().take(most).map(|text| plain(text)).collect()
}

/// The policy is the longest text and only needed when it is copied: deflated, in base64.
fn packed(text: &str) -> String {
    let mut out = DeflateEncoder::new(Vec::new(), Compression::best());
    // Writing to memory cannot fail.
    let _ = out.write_all(text.as_bytes());
    super::base64(&out.finish().unwrap_or_default())
}

fn shortened(text: &str, most: usize) -> String {
    let mut out: String = plain(text).chars().take(most).collect();
    if out.chars().count() == most {
        out.push('…');
    }
    out
}

/// The first lines of the diff without its file headers, and how many there are.
fn diff(diff: &str, most: usize) -> (String, usize) {
    let lines: Vec<String> = diff.lines().skip(2).map(plain).collect();
    let shown = lines.len().min(most);
    (lines[..shown].join("\n"), lines.len())
}
