//! What a trail can and cannot show of what is granted today, and what would make it show more.

use std::collections::{BTreeMap, BTreeSet};

use rayon::ThreadPool;
use rayon::prelude::*;

use super::fit::{FitOptions, selected};
use super::namesakes::settle;
use super::rows::timestamp;
use super::scan::Scan;
use crate::catalog::{Catalog, Visibility};
use crate::grants::{Selectors, Snapshot};
use crate::render::{
    BlindRow, ChangeRow, CoverageReport, DataRow, PlaceCoverage, StretchRow, Tool, Window,
    selectors_command,
};
use crate::synthesize::{BlindAction, Cause, Inputs, blind_actions, regions};
use crate::usage::{Place, RoleUsage};

/// What one role cannot be seen to do, where.
struct RoleSight<'a> {
    arn: &'a str,
    account: &'a str,
    regions: BTreeSet<String>,
    blind: Vec<BlindAction>,
}

/// Says per account and Region what the input shows, and what of the selected roles' grants it cannot.
#[must_use]
pub fn coverage(
    mut scan: Scan,
    snapshot: &Snapshot,
    options: &FitOptions,
    catalog: &Catalog,
    pool: &ThreadPool,
) -> CoverageReport {
    settle(&mut scan, snapshot);
    let scan = &scan;
    let none = RoleUsage::default();
    let arns: Vec<String> = selected(scan, snapshot, options).into_iter().collect();
    let roles: Vec<RoleSight<'_>> = pool.install(|| {
        arns.par_iter()
            .filter_map(|arn| {
                let role = snapshot.roles.get(arn)?;
                let inputs = Inputs {
                    role,
                    usage: scan.usage.roles.get(arn).unwrap_or(&none),
                    snapshot,
                    coverage: &scan.usage.coverage,
                    failed_anywhere: 0,
                    catalog,
                };
                Some(RoleSight {
                    arn: &role.arn,
                    account: &role.account,
                    regions: regions(inputs, &options.synthesis),
                    blind: blind_actions(inputs, &options.synthesis),
                })
            })
            .collect()
    });
    let kinds = data_kinds(catalog);
    let mut places: BTreeMap<(String, String), Option<&Place>> = BTreeMap::new();
    for (account, region, place) in scan.usage.coverage.places() {
        places.insert((account.to_owned(), region.to_owned()), Some(place));
    }
    for role in &roles {
        for region in &role.regions {
            places
                .entry((role.account.to_owned(), region.clone()))
                .or_insert(None);
        }
    }
    let rows = places
        .iter()
        .map(|((account, region), place)| {
            let of: Vec<&RoleSight<'_>> = roles
                .iter()
                .filter(|role| role.account == account && role.regions.contains(region))
                .collect();
            place_row(account, region, *place, &of, snapshot, &kinds)
        })
        .collect();
    let window = scan.usage.coverage.window();
    let asked = &options.synthesis;
    CoverageReport {
        schema: "rolefit.coverage/1",
        tool: Tool {
            version: env!("CARGO_PKG_VERSION"),
            catalog: catalog.version().to_owned(),
        },
        window: Window {
            from: asked.from.or(window.map(|(first, _)| first)).map(timestamp),
            to: asked.to.or(window.map(|(_, last)| last)).map(timestamp),
        },
        roles: roles.len(),
        places: rows,
        changes: changes(snapshot, scan, &roles),
    }
}

/// Every data event type that some action shows in.
fn data_kinds(catalog: &Catalog) -> BTreeSet<&'static str> {
    let types = |facts| match catalog.visibility(facts) {
        Visibility::Data(types) => types,
        _ => Vec::new(),
    };
    catalog.actions().flat_map(types).collect()
}

/// The trails whose selectors are known and that may have delivered an account's events: its own, else
/// those that an organisation's prefix stands for.
fn trails<'a>(snapshot: &'a Snapshot, account: &str, organisation: bool) -> Vec<&'a Selectors> {
    let all = snapshot.selectors.iter();
    let (own, others): (Vec<_>, Vec<_>) =
        all.partition(|trail| trail.account == account || trail.account.is_empty());
    if own.is_empty() && organisation {
        others
    } else {
        own
    }
}

fn place_row(
    account: &str,
    region: &str,
    place: Option<&Place>,
    roles: &[&RoleSight<'_>],
    snapshot: &Snapshot,
    kinds: &BTreeSet<&'static str>,
) -> PlaceCoverage {
    let organisation = place.is_some_and(|place| place.organisation);
    let trails: Vec<&Selectors> = trails(snapshot, account, organisation)
        .into_iter()
        .filter(|trail| trail.takes_region(region))
        .collect();
    let mut blind: BTreeMap<&Cause, Hidden<'_>> = BTreeMap::new();
    for role in roles {
        for action in &role.blind {
            let hidden = blind.entry(&action.cause).or_default();
            hidden.grants += 1;
            hidden.actions.insert(&action.action);
            hidden.roles.insert(role.arn);
            hidden.named |= action.named;
        }
    }
    let mut types: BTreeSet<&str> = trails
        .iter()
        .flat_map(|trail| trail.data.iter().map(|selector| selector.kind.as_str()))
        .collect();
    let seen = place.map(|place| &place.data_types);
    types.extend(
        seen.into_iter()
            .flat_map(|seen| seen.keys().map(String::as_str))
            .filter(|kind| kinds.contains(kind)),
    );
    let data = types
        .into_iter()
        .map(|kind| {
            let since = place
                .and_then(|place| place.data_types.get(kind))
                .and_then(|seen| seen.first());
            DataRow {
                kind: kind.to_owned(),
                logged: logged(&trails, kind, place),
                since: since.map(timestamp),
            }
        })
        .collect();
    PlaceCoverage {
        account: account.to_owned(),
        region: region.to_owned(),
        from: place.and_then(|place| place.first).map(timestamp),
        to: place.and_then(|place| place.last).map(timestamp),
        days: place.map_or(0, |place| place.days.len()),
        missing: place.map(missing).unwrap_or_default(),
        failed: place.map_or(0, |place| place.failed),
        trails: trails
            .iter()
            .map(|trail| trail.trail.clone())
            .filter(|trail| !trail.is_empty())
            .collect(),
        known_by: if trails.is_empty() {
            "events"
        } else {
            "selectors"
        },
        management: management(&trails, place),
        data,
        blind: blind
            .into_iter()
            .map(|(cause, hidden)| blind_row(cause, hidden))
            .collect(),
    }
}

/// Granted actions that cannot be seen for one cause.
#[derive(Default)]
struct Hidden<'a> {
    /// Pairs of a role and an action.
    grants: usize,
    actions: BTreeSet<&'a str>,
    roles: BTreeSet<&'a str>,
    named: bool,
}

fn blind_row(cause: &Cause, hidden: Hidden<'_>) -> BlindRow {
    let (code, words) = match cause {
        Cause::Data(kind) => ("data-not-logged", *kind),
        Cause::Management => ("management-not-logged", "management events"),
        Cause::Region => ("region-not-covered", "in other Regions"),
        Cause::Never => ("never-logged", "never in CloudTrail"),
        Cause::NoEvents => ("no-events", "no events of the account"),
    };
    BlindRow {
        code,
        cause: words.to_owned(),
        grants: hidden.grants,
        actions: hidden.actions.into_iter().map(str::to_owned).collect(),
        roles: hidden.roles.into_iter().map(str::to_owned).collect(),
        named: hidden.named,
    }
}

/// Stretches of days without events between the first and the last.
fn missing(place: &Place) -> Vec<StretchRow> {
    let days: Vec<i32> = place.days.iter().copied().collect();
    let date = |day: i32| {
        let time = timestamp(i64::from(day) * 86_400);
        time.get(..10).unwrap_or(&time).to_owned()
    };
    days.windows(2)
        .filter(|pair| pair[1] - pair[0] > 1)
        .map(|pair| StretchRow {
            from: date(pair[0] + 1),
            to: date(pair[1] - 1),
        })
        .collect()
}

fn management(trails: &[&Selectors], place: Option<&Place>) -> String {
    if !trails.is_empty() {
        let gaps: Option<Vec<String>> =
            trails.iter().map(|trail| trail.management_gaps()).collect();
        return match gaps {
            None => "logged".into(),
            Some(gaps) => gaps.join("; "),
        };
    }
    match place.map(|place| (place.management_reads, place.management_writes)) {
        Some((true, true)) => "reads and writes are in the input".into(),
        Some((true, false)) => "only reads are in the input".into(),
        Some((false, true)) => "only writes are in the input".into(),
        _ => "none are in the input".into(),
    }
}

/// `all`, `some` (a part of the resources, reads or writes), `none`; without selectors what the input holds.
fn logged(trails: &[&Selectors], kind: &str, place: Option<&Place>) -> &'static str {
    if trails.is_empty() {
        let seen = place.and_then(|place| place.data_types.get(kind));
        return match seen.map(|seen| (seen.reads.is_some(), seen.writes.is_some())) {
            Some((true, true)) => "seen",
            Some((true, false)) => "seen-reads",
            Some((false, _)) => "seen-writes",
            None => "none",
        };
    }
    let whole = |read| trails.iter().any(|trail| trail.logs_data(kind, read, "*"));
    if whole(true) && whole(false) {
        return "all";
    }
    let any = trails
        .iter()
        .any(|trail| trail.data.iter().any(|selector| selector.kind == kind));
    if any { "some" } else { "none" }
}

/// For each trail whose selectors are known, what would show the blind grants that something speaks for.
fn changes(snapshot: &Snapshot, scan: &Scan, roles: &[RoleSight<'_>]) -> Vec<ChangeRow> {
    let mut wanted: BTreeMap<usize, (BTreeSet<&'static str>, bool)> = BTreeMap::new();
    for role in roles {
        let organisation = scan
            .usage
            .coverage
            .of_account(role.account)
            .any(|(_, place)| place.organisation);
        let of = trails(snapshot, role.account, organisation);
        // One trail is enough; the one that logs most already.
        let Some(trail) = of.iter().max_by_key(|trail| trail.data.len()) else {
            continue;
        };
        let at = snapshot
            .selectors
            .iter()
            .position(|known| std::ptr::eq(known, *trail));
        let Some(at) = at else { continue };
        for blind in role.blind.iter().filter(|blind| blind.named) {
            let (kinds, management) = wanted.entry(at).or_default();
            match blind.cause {
                Cause::Data(kind) => {
                    kinds.insert(kind);
                }
                Cause::Management => *management |= trail.management_gaps().is_some(),
                // No selector brings events of another Region, or of calls that no trail shows.
                Cause::Region | Cause::Never | Cause::NoEvents => {}
            }
        }
    }
    wanted
        .into_iter()
        .filter(|(_, (kinds, management))| !kinds.is_empty() || *management)
        .map(|(at, (kinds, management))| {
            let trail = &snapshot.selectors[at];
            let kinds: Vec<&str> = kinds
                .into_iter()
                .filter(|kind| {
                    !(trail.logs_data(kind, true, "*") && trail.logs_data(kind, false, "*"))
                })
                .collect();
            (trail, kinds, management)
        })
        .filter(|(_, kinds, management)| !kinds.is_empty() || *management)
        .map(|(trail, kinds, management)| {
            let selectors = trail.widened(&kinds, management);
            ChangeRow {
                command: selectors_command(&trail.trail, &selectors),
                trail: trail.trail.clone(),
                replaces_basic: trail.advanced.is_empty() && !trail.basic.is_empty(),
                adds: kinds.iter().map(|kind| (*kind).to_owned()).collect(),
                management,
                advanced_event_selectors: selectors,
            }
        })
        .collect()
}
