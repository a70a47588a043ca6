//! `rolefit catalog`: what rolefit knows of AWS, in words and numbers, and what a folder of the AWS Service
//! Reference adds to it.

use std::collections::BTreeMap;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::anyhow;
use serde_json::{Value, json};

use super::args::{BuildArgs, CatalogCommand, Output, ShowArgs, StatsArgs};
use super::{Exit, Fault, inputs, say};
use crate::catalog::{ActionFacts, Catalog, EventOf, ReferenceFile, Stats, Visibility};
use crate::iam::Action;

/// Events in text before the rest is a number.
const SHOWN: usize = 20;

pub(super) fn run(command: &CatalogCommand) -> Result<Exit, Fault> {
    match command {
        CatalogCommand::Show(args) => show(args),
        CatalogCommand::Stats(args) => stats(args),
        CatalogCommand::Build(args) => build(args),
    }
}

fn show(args: &ShowArgs) -> Result<Exit, Fault> {
    let catalog = inputs::catalog(args.common.catalog.as_deref())?;
    let mut out = BufWriter::new(io::stdout().lock());
    let json = args.common.output == Output::Json;
    if !args.what.contains(':') && !catalog.service_actions(&args.what).is_empty() {
        let service = args.what.to_ascii_lowercase();
        if json {
            writeln!(out, "{:#}", service_json(catalog, &service))?;
        } else {
            service_text(catalog, &service, &mut out)?;
        }
        out.flush()?;
        return Ok(Exit::Done);
    }
    let found: Vec<&ActionFacts> = catalog.expand(&args.what).collect();
    if found.is_empty() {
        return unknown(catalog, &args.what, json, &mut out);
    }
    let events = catalog.events();
    if json {
        let actions: Vec<Value> = found
            .iter()
            .map(|facts| action_json(catalog, facts, &events))
            .collect();
        writeln!(out, "{:#}", json!({"actions": actions}))?;
    } else {
        for (at, facts) in found.iter().enumerate() {
            if at > 0 {
                writeln!(out)?;
            }
            action_text(catalog, facts, &events, &mut out)?;
        }
    }
    out.flush()?;
    Ok(Exit::Done)
}

/// An action that is gone is a fact too; all else is a wrong argument.
fn unknown(catalog: &Catalog, what: &str, json: bool, out: &mut impl Write) -> Result<Exit, Fault> {
    if let Some(action) = catalog.retired(what) {
        if json {
            writeln!(
                out,
                "{:#}",
                json!({"actions": [{"action": action, "retired": true}]})
            )?;
        } else {
            writeln!(
                out,
                "{action}\n  retired         AWS does not list it any more"
            )?;
        }
        return Ok(Exit::Done);
    }
    let known = what.split_once(':').map(|(service, _)| service);
    let known = known.filter(|service| !catalog.service_actions(service).is_empty());
    let (what, hint) = match known {
        Some(service) => (
            format!("no action is called `{what}`"),
            format!("`rolefit catalog show {service}` lists the actions of the service"),
        ),
        None => (
            format!("`{what}` is no IAM service prefix"),
            "for example s3, s3:GetObject or 's3:Get*'".to_owned(),
        ),
    };
    Err(Fault::new(Exit::Usage, anyhow!(what)).hint(hint))
}

fn service_json(catalog: &Catalog, service: &str) -> Value {
    let actions: Vec<Value> = catalog
        .service_actions(service)
        .iter()
        .map(|facts| {
            json!({
                "action": facts.action.as_str(),
                "access_level": facts.access.as_str(),
                "visibility": catalog.visibility(facts).as_str(),
            })
        })
        .collect();
    let types: Vec<Value> = catalog
        .resource_types(service)
        .map(|(name, formats)| json!({"name": name, "arn_formats": formats}))
        .collect();
    json!({"service": service, "actions": actions, "resource_types": types})
}

fn service_text(catalog: &Catalog, service: &str, out: &mut impl Write) -> io::Result<()> {
    let actions = catalog.service_actions(service);
    writeln!(out, "{service}: {} actions", actions.len())?;
    let longest = actions.iter().map(|facts| facts.action.name().len()).max();
    let width = longest.unwrap_or_default();
    for facts in actions {
        writeln!(
            out,
            "  {:width$}  {:22}  {}",
            facts.action.name(),
            facts.access.as_str(),
            catalog.visibility(facts).as_str()
        )?;
    }
    for (at, (name, formats)) in catalog.resource_types(service).enumerate() {
        if at == 0 {
            writeln!(out, "resource types")?;
        }
        writeln!(out, "  {name}")?;
        for format in formats {
            writeln!(out, "    {format}")?;
        }
    }
    Ok(())
}

fn action_json(
    catalog: &Catalog,
    facts: &ActionFacts,
    events: &BTreeMap<Action, Vec<EventOf>>,
) -> Value {
    let service = facts.action.service();
    let types: Vec<Value> = facts
        .resource_types
        .iter()
        .map(|kind| {
            json!({
                "name": kind.name,
                "required": kind.required,
                "arn_formats": catalog.arn_formats(service, kind.name),
            })
        })
        .collect();
    let visibility = catalog.visibility(facts);
    let (with, data_types, reason) = visibility_parts(&visibility);
    let events: Vec<Value> = events
        .get(&facts.action)
        .into_iter()
        .flatten()
        .map(|event| {
            json!({
                "service": event.service,
                "event": event.event,
                "when": (!event.condition.is_empty()).then_some(event.condition),
                "certainty": event.certainty.as_str(),
            })
        })
        .collect();
    json!({
        "action": facts.action.as_str(),
        "access_level": facts.access.as_str(),
        "resource_types": types,
        "condition_keys": catalog.condition_keys(facts).collect::<Vec<_>>(),
        "visibility": {
            "kind": visibility.as_str(),
            "data_types": data_types,
            "with": with,
            "reason": reason,
        },
        "events": events,
        "dependents": catalog.dependents(&facts.action).collect::<Vec<_>>(),
        "risk": catalog.risk(&facts.action).iter().map(|class| class.as_str()).collect::<Vec<_>>(),
    })
}

/// Actions or principals, data event types, and the reason, each where the kind has it.
fn visibility_parts(
    visibility: &Visibility,
) -> (&[&'static str], &[&'static str], Option<&'static str>) {
    match visibility {
        Visibility::Management => (&[], &[], None),
        Visibility::Data(types) => (&[], types, None),
        Visibility::Carried { by, .. } | Visibility::OnlyFor(by) => (by, &[], None),
        Visibility::Aside(why) | Visibility::Never(why) | Visibility::Unknown(why) => {
            (&[], &[], Some(why))
        }
    }
}

fn visibility_words(visibility: &Visibility) -> String {
    match visibility {
        Visibility::Management => "in management events".to_owned(),
        Visibility::Data(types) => format!("in data events of {}", types.join(", ")),
        Visibility::Carried { by, shown: true } => {
            format!("in the parameters of {}", by.join(", "))
        }
        Visibility::Carried { by, shown: false } => {
            format!("not by itself: asked for beside {}", by.join(", "))
        }
        Visibility::OnlyFor(principals) => format!("used by {} only", principals.join(", ")),
        Visibility::Aside(why) => format!("never, and no code calls it: {why}"),
        Visibility::Never(why) => format!("never: {why}"),
        Visibility::Unknown(why) => format!("not known: {why}"),
    }
}

fn action_text(
    catalog: &Catalog,
    facts: &ActionFacts,
    events: &BTreeMap<Action, Vec<EventOf>>,
    out: &mut impl Write,
) -> io::Result<()> {
    let service = facts.action.service();
    writeln!(out, "{}", facts.action)?;
    let mut types = Vec::new();
    for kind in &facts.resource_types {
        let required = if kind.required { " (required)" } else { "" };
        types.push(format!("{}{required}", kind.name));
        let formats = catalog.arn_formats(service, kind.name);
        types.extend(formats.iter().map(|format| format!("  {format}")));
    }
    if types.is_empty() {
        types.push("* only".to_owned());
    }
    let own = events.get(&facts.action).map_or(&[][..], Vec::as_slice);
    let mut lines: Vec<String> = own.iter().take(SHOWN).map(event_words).collect();
    if own.len() > SHOWN {
        lines.push(format!(
            "and {} more (--output json has all)",
            own.len() - SHOWN
        ));
    }
    let strings = |list: Vec<&str>| list.into_iter().map(str::to_owned).collect();
    let risk = catalog.risk(&facts.action).iter();
    let rows: [(&str, Vec<String>); 7] = [
        ("access level", vec![facts.access.as_str().to_owned()]),
        ("resources", types),
        (
            "condition keys",
            strings(catalog.condition_keys(facts).collect()),
        ),
        ("seen", vec![visibility_words(&catalog.visibility(facts))]),
        ("events", lines),
        (
            "may also need",
            strings(catalog.dependents(&facts.action).collect()),
        ),
        ("risk", strings(risk.map(|class| class.as_str()).collect())),
    ];
    for (name, lines) in rows {
        for (at, line) in lines.iter().enumerate() {
            writeln!(out, "  {:14}  {line}", if at == 0 { name } else { "" })?;
        }
    }
    Ok(())
}

fn event_words(event: &EventOf) -> String {
    let mut words = format!("{} {}", event.service, event.event);
    if !event.condition.is_empty() {
        words.push_str(&format!(" when {}", event.condition));
    }
    match event.certainty.as_str() {
        "seen" => words,
        certainty => format!("{words} ({certainty})"),
    }
}

fn stats(args: &StatsArgs) -> Result<Exit, Fault> {
    let catalog = inputs::catalog(args.common.catalog.as_deref())?;
    let stats = catalog.stats();
    let mut out = BufWriter::new(io::stdout().lock());
    if args.common.output == Output::Json {
        writeln!(out, "{:#}", stats_json(catalog, &stats, args.unmapped))?;
    } else {
        stats_text(catalog, &stats, args.unmapped, &mut out)?;
    }
    out.flush()?;
    Ok(Exit::Done)
}

fn percent(part: usize, whole: usize) -> f64 {
    // Two digits after the point.
    (part as f64 * 10_000.0 / whole.max(1) as f64).round() / 100.0
}

fn stats_json(catalog: &Catalog, stats: &Stats, unmapped: bool) -> Value {
    let survey = &stats.survey;
    let pins: Vec<Value> = stats
        .pins
        .iter()
        .map(|[package, version, built, licence]| {
            json!({"package": package, "version": version, "built": built, "licence": licence})
        })
        .collect();
    let mut value = json!({
        "version": catalog.version(),
        "services": stats.services,
        "actions": stats.actions,
        "resource_types": stats.resource_types,
        "arn_formats": stats.arn_formats,
        "retired_actions": stats.retired_actions,
        "actions_with_dependents": stats.dependents,
        "actions_with_risk": stats.risky_actions,
        "operations": survey.operations,
        "operations_mapped": survey.mapped,
        "operations_mapped_percent": percent(survey.mapped, survey.operations),
        "operations_listed_by_reference": stats.listed_operations,
        "resource_bearing": survey.resource_bearing,
        "container_known": survey.container_known,
        "container_known_percent": percent(survey.container_known, survey.resource_bearing),
        "actions_outside_catalog": survey.outside,
        "names_harmed_by_suffix_rule": stats.harmed_by_suffix_rule,
        "visibility": stats.visibility,
        "pins": pins,
    });
    if unmapped {
        value["unmapped"] = json!(survey.unmapped);
    }
    value
}

fn stats_text(
    catalog: &Catalog,
    stats: &Stats,
    unmapped: bool,
    out: &mut impl Write,
) -> io::Result<()> {
    let survey = &stats.survey;
    writeln!(out, "catalog of {}", catalog.version())?;
    let missing = survey.operations - survey.mapped;
    let rows = [
        (stats.services, "services".to_owned()),
        (stats.actions, "actions".to_owned()),
        (
            stats.resource_types,
            format!("resource types, {} ARN formats", stats.arn_formats),
        ),
        (
            stats.retired_actions,
            "retired actions that old policies may name".to_owned(),
        ),
        (
            stats.dependents,
            "actions with actions they may also need".to_owned(),
        ),
        (stats.risky_actions, "actions with a risk class".to_owned()),
        (
            survey.operations,
            format!(
                "API operations; mapped {} ({:.2} %), not mapped {missing}",
                survey.mapped,
                percent(survey.mapped, survey.operations)
            ),
        ),
        (
            survey.resource_bearing,
            format!(
                "of them on resources; container known {} ({:.2} %)",
                survey.container_known,
                percent(survey.container_known, survey.resource_bearing)
            ),
        ),
        (
            stats.listed_operations,
            "operations with actions by the AWS Service Reference".to_owned(),
        ),
        (
            survey.outside,
            "emitted actions outside the catalog".to_owned(),
        ),
        (
            stats.harmed_by_suffix_rule,
            "action names harmed by the rule for version suffixes".to_owned(),
        ),
    ];
    for (count, what) in rows {
        writeln!(out, "  {count:>6}  {what}")?;
    }
    writeln!(out, "visibility of actions")?;
    for (kind, count) in &stats.visibility {
        writeln!(out, "  {count:>6}  {kind}")?;
    }
    writeln!(out, "sources")?;
    for [package, version, built, licence] in &stats.pins {
        writeln!(out, "  {package} {version}, {built}, {licence}")?;
    }
    if unmapped {
        writeln!(out, "API operations that are not mapped")?;
        for (client, names) in &survey.unmapped {
            writeln!(out, "  {client}: {}", names.join(" "))?;
        }
    }
    Ok(())
}

fn build(args: &BuildArgs) -> Result<Exit, Fault> {
    let (files, mut notes) = reference(&args.service_reference)?;
    let built = Catalog::builtin().additions(&files).map_err(|error| {
        Fault::new(Exit::Failed, error).hint(
            "give a folder of the JSON files that https://servicereference.us-east-1.amazonaws.com lists, one a service",
        )
    })?;
    // What was written can be read.
    Catalog::with_additions(&built.text).map_err(|error| Fault::new(Exit::Failed, error))?;
    fs::write(&args.out, &built.text).map_err(|error| {
        let name = args.out.display();
        Fault::new(Exit::Failed, anyhow!("cannot write `{name}`: {error}"))
    })?;
    notes.extend(built.notes);
    for note in notes.iter().take(SHOWN) {
        say("note", &format!("left out {note}"));
    }
    if notes.len() > SHOWN {
        say("note", &format!("left out {} more", notes.len() - SHOWN));
    }
    let rows = |kind| built.rows.get(kind).copied().unwrap_or_default();
    let mut out = io::stdout().lock();
    writeln!(
        out,
        "Written to {}: {} services read; {} actions, {} ARN formats, {} operations and {} visibilities that rolefit does not carry",
        args.out.display(),
        rows("source"),
        rows("action"),
        rows("type"),
        rows("operation"),
        rows("visibility")
    )?;
    Ok(Exit::Done)
}

/// The files of a folder by name, and what was not taken.
fn reference(folder: &Path) -> Result<(Vec<ReferenceFile>, Vec<String>), Fault> {
    let cannot = |path: &Path, error: &io::Error| {
        Fault::new(
            Exit::NoInput,
            anyhow!("cannot read `{}`: {error}", path.display()),
        )
        .hint("give a folder of AWS Service Reference files, one *.json a service")
    };
    let entries = fs::read_dir(folder).map_err(|error| cannot(folder, &error))?;
    let mut paths = Vec::new();
    for entry in entries {
        let path = entry.map_err(|error| cannot(folder, &error))?.path();
        if path.extension().is_some_and(|end| end == "json") {
            paths.push(path);
        }
    }
    paths.sort();
    let (mut files, mut notes) = (Vec::new(), Vec::new());
    for path in paths {
        let text = fs::read_to_string(&path).map_err(|error| cannot(&path, &error))?;
        let name = path.display().to_string();
        // AWS's list of the files is a list of links.
        if text.trim_start().starts_with('[') {
            notes.push(format!("{name}: it is a list, not the file of a service"));
        } else {
            files.push(ReferenceFile { name, text });
        }
    }
    Ok((files, notes))
}
