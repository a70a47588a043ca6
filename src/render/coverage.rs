//! What a trail can show: `rolefit.coverage/1`, and the same for a terminal.

use std::collections::BTreeSet;
use std::io;

use serde::Serialize;
use serde_json::Value;

use super::escape::plain;
use super::text::wrapped;
use super::{Tool, Window};

/// What the input shows, by account and Region.
#[derive(Clone, Debug, Serialize)]
pub struct CoverageReport {
    /// `rolefit.coverage/1`.
    pub schema: &'static str,
    /// Versions.
    pub tool: Tool,
    /// First and last event, or what the user asked for; ISO 8601.
    pub window: Window,
    /// Roles whose grants were looked at.
    pub roles: usize,
    /// By account, then Region.
    pub places: Vec<PlaceCoverage>,
    /// Changes of trails that would make more visible.
    pub changes: Vec<ChangeRow>,
}

/// One account and Region.
#[derive(Clone, Debug, Serialize)]
pub struct PlaceCoverage {
    /// Twelve digits.
    pub account: String,
    /// `us-east-1` and the like.
    pub region: String,
    /// First event; ISO 8601.
    pub from: Option<String>,
    /// Last event.
    pub to: Option<String>,
    /// Days with events.
    pub days: usize,
    /// Days without events between the first and the last.
    pub missing: Vec<StretchRow>,
    /// Log objects that could not be read.
    pub failed: u64,
    /// ARNs of the trails whose selectors are known.
    pub trails: Vec<String>,
    /// `selectors`, or `events` where what is logged is inferred from the input.
    pub known_by: &'static str,
    /// What of the management events is logged, in words.
    pub management: String,
    /// Data event types that are logged, or that the input holds.
    pub data: Vec<DataRow>,
    /// What is granted to roles that work here, and cannot be seen.
    pub blind: Vec<BlindRow>,
}

/// Days without events, both ends included.
#[derive(Clone, Debug, Serialize)]
pub struct StretchRow {
    /// First day.
    pub from: String,
    /// Last day.
    pub to: String,
}

/// One type of data events.
#[derive(Clone, Debug, Serialize)]
pub struct DataRow {
    /// `AWS::S3::Object` and the like.
    #[serde(rename = "type")]
    pub kind: String,
    /// By selectors `all`, `some` or `none`; by events `seen`, `seen-reads` or `seen-writes`.
    pub logged: &'static str,
    /// First such event of the input; ISO 8601.
    pub since: Option<String>,
}

/// Granted actions that cannot be seen, for one reason.
#[derive(Clone, Debug, Serialize)]
pub struct BlindRow {
    /// `data-not-logged`, `management-not-logged`, `region-not-covered`, `never-logged`, `no-events`.
    pub code: &'static str,
    /// The data event type, or the reason in words.
    pub cause: String,
    /// Pairs of a role and an action.
    pub grants: usize,
    /// The actions.
    pub actions: Vec<String>,
    /// ARNs of the roles.
    pub roles: Vec<String>,
    /// Something speaks for one of them: it is more than a part of a wildcard over everything.
    pub named: bool,
}

/// A change of one trail.
#[derive(Clone, Debug, Serialize)]
pub struct ChangeRow {
    /// The trail's ARN; empty where the snapshot does not say.
    pub trail: String,
    /// The trail has basic selectors, which the advanced ones replace.
    pub replaces_basic: bool,
    /// Data event types that it adds.
    pub adds: Vec<String>,
    /// It adds management events that are left out.
    pub management: bool,
    /// What `--advanced-event-selectors` takes.
    pub advanced_event_selectors: Value,
    /// The AWS CLI command, quoted for a POSIX shell.
    pub command: String,
}

/// The AWS CLI command that gives a trail these selectors, quoted for a POSIX shell.
#[must_use]
pub fn selectors_command(trail: &str, selectors: &Value) -> String {
    // The trail's own Region is the only one that takes the call.
    let region = trail
        .split(':')
        .nth(3)
        .map(|region| format!(" --region {}", quoted(region)))
        .unwrap_or_default();
    let trail = if trail.is_empty() {
        "TRAIL".to_owned()
    } else {
        quoted(trail)
    };
    format!(
        "aws cloudtrail put-event-selectors --trail-name {trail}{region} --advanced-event-selectors {}",
        quoted(&selectors.to_string())
    )
}

fn quoted(text: &str) -> String {
    let safe = |c: char| c.is_ascii_alphanumeric() || ":/-_.".contains(c);
    if !text.is_empty() && text.chars().all(safe) {
        text.to_owned()
    } else {
        format!("'{}'", text.replace('\'', "'\\''"))
    }
}

/// Writes it for people.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_coverage_text(report: &CoverageReport, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(
        out,
        "rolefit {}, catalog {}",
        report.tool.version, report.tool.catalog
    )?;
    for place in &report.places {
        place_lines(place, out)?;
    }
    if report.places.is_empty() {
        writeln!(out, "\nThe input has no events, and no role was found.")?;
    }
    for change in &report.changes {
        change_lines(change, out)?;
    }
    let unknown = report.places.iter().any(|place| {
        place.known_by == "events"
            && place
                .blind
                .iter()
                .any(|row| row.named && row.code.ends_with("not-logged"))
    });
    if unknown {
        writeln!(out)?;
        wrapped(
            out,
            "! ",
            "where no selectors are known, add `aws cloudtrail get-event-selectors --trail-name TRAIL` to the snapshot as event-selectors.json, and the change that would show more is printed here",
        )?;
    }
    Ok(())
}

fn place_lines(place: &PlaceCoverage, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(
        out,
        "\naccount {} · {}",
        plain(&place.account),
        plain(&place.region)
    )?;
    match (day(&place.from), day(&place.to)) {
        (Some(from), Some(to)) => {
            writeln!(out, "  events of {} days, {from} to {to}", place.days)?;
        }
        _ => writeln!(out, "  no events")?,
    }
    for stretch in &place.missing {
        writeln!(out, "  ! no events from {} to {}", stretch.from, stretch.to)?;
    }
    if place.failed > 0 {
        writeln!(
            out,
            "  ! {} could not be read",
            plural(
                usize::try_from(place.failed).unwrap_or(usize::MAX),
                "log object"
            )
        )?;
    }
    if place.known_by == "selectors" {
        let names: Vec<String> = place.trails.iter().map(|trail| plain(trail)).collect();
        wrapped(
            out,
            "  ",
            &format!("by the selectors of {}", names.join(", ")),
        )?;
    } else {
        writeln!(out, "  inferred from the events themselves")?;
    }
    writeln!(
        out,
        "  {:<32}  {}",
        "management events",
        plain(&place.management)
    )?;
    for row in &place.data {
        let logged = match row.logged {
            "all" => "logged",
            "some" => "logged in part: some resources, reads or writes alone",
            "seen" => "in the input",
            "seen-reads" => "only reads are in the input",
            "seen-writes" => "only writes are in the input",
            _ => "not logged",
        };
        let since = day(&row.since).map_or_else(String::new, |since| format!(", since {since}"));
        writeln!(out, "  {:<32}  {logged}{since}", plain(&row.kind))?;
    }
    if place.blind.is_empty() {
        return Ok(());
    }
    writeln!(
        out,
        "  cannot be seen of what is granted to roles that work here:"
    )?;
    let (named, wide): (Vec<&BlindRow>, Vec<&BlindRow>) = place
        .blind
        .iter()
        .partition(|row| row.named || row.code != "data-not-logged");
    for row in named {
        let counts = of_roles(row.actions.len(), row.roles.len());
        writeln!(out, "    {:<32}  {counts}", plain(&row.cause))?;
        let first = row.actions.iter().take(4).cloned();
        let mut names = first.collect::<Vec<_>>().join(", ");
        if row.actions.len() > 4 {
            names.push_str(", …");
        }
        wrapped(out, "      ", &names)?;
    }
    if !wide.is_empty() {
        let actions: usize = wide.iter().map(|row| row.actions.len()).sum();
        let roles: BTreeSet<&String> = wide.iter().flat_map(|row| &row.roles).collect();
        let what = plural(wide.len(), "further type");
        writeln!(out, "    {what:<32}  {}", of_roles(actions, roles.len()))?;
        wrapped(
            out,
            "      ",
            "granted by wildcards over everything, and nothing else speaks for them; --output json lists them",
        )?;
    }
    Ok(())
}

fn of_roles(actions: usize, roles: usize) -> String {
    format!("{} of {}", plural(actions, "action"), plural(roles, "role"))
}

fn change_lines(change: &ChangeRow, out: &mut impl io::Write) -> io::Result<()> {
    writeln!(out)?;
    let mut adds = change.adds.clone();
    if change.management {
        adds.insert(0, "all management events".into());
    }
    let replaced = if change.replaces_basic {
        "; its basic selectors are said anew as advanced ones, since a trail has one kind"
    } else {
        ""
    };
    wrapped(
        out,
        "",
        &format!(
            "To see {}, keeping what trail {} logs today{replaced} (data events cost money):",
            adds.join(", "),
            plain(&change.trail)
        ),
    )?;
    writeln!(out, "\n{}", plain(&change.command))
}

fn plural(count: usize, noun: &str) -> String {
    let s = if count == 1 { "" } else { "s" };
    format!("{count} {noun}{s}")
}

fn day(time: &Option<String>) -> Option<&str> {
    time.as_deref().map(|time| time.get(..10).unwrap_or(time))
}
