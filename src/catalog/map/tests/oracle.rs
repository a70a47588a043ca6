//! The tables against the catalog, and every API operation that the SDKs know as a synthetic event.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::{Mapping, ResourceRef, map, record};
use crate::catalog::map::arns;
use crate::catalog::map::suffix::without_date;
use crate::catalog::map::tables;
use crate::catalog::map::{Certainty, resolve};
use crate::catalog::table;
use crate::catalog::{Catalog, Operation};

/// An event as CloudTrail would write it: members in lower case at the front, plausible values at every
/// path that a template reads.
fn synthetic(operation: &Operation) -> String {
    let mut params = Value::Object(Map::new());
    for template in &operation.templates {
        for (variable, path) in &template.bindings {
            let value = if *variable == "arn" {
                let formats =
                    Catalog::builtin().arn_formats(operation.prefix, template.resource_type);
                let format = formats.get(template.format).copied().unwrap_or_default();
                let scope = arns::Scope {
                    partition: "aws".to_owned(),
                    region: "eu-west-1".to_owned(),
                    account: "111122223333".to_owned(),
                };
                let filled = arns::fill(format, &scope, |_| arns::Part::Text("x1".to_owned()));
                filled.to_string()
            } else {
                "x1".to_owned()
            };
            put(&mut params, path, &value);
        }
    }
    if let Some((_, path)) = operation.http {
        for hole in path
            .split('{')
            .skip(1)
            .filter_map(|part| part.split('}').next())
        {
            put(&mut params, &hole.replace(['_', '-'], ""), "x1");
        }
    }
    for path in &operation.role_members {
        put(&mut params, path, "arn:aws:iam::111122223333:role/app");
    }
    if let Some(tags) = operation.tag_member {
        put(&mut params, tags, "x1");
    }
    let source = if operation.prefix.is_empty() {
        operation.client
    } else {
        operation.prefix
    };
    record(source, operation.name, &params, &json!({}))
}

/// Sets a text at `A.B[].C`, the first letters in lower case; what is there stays.
fn put(root: &mut Value, path: &str, text: &str) {
    let mut at = root;
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let name = step.trim_end_matches("[]");
        let name = name[..1].to_ascii_lowercase() + &name[1..];
        let Value::Object(object) = at else { return };
        let list = step.ends_with("[]");
        let leaf = steps.peek().is_none();
        let new = match (list, leaf) {
            (false, true) => json!(text),
            (true, true) => json!([text]),
            (false, false) => json!({}),
            (true, false) => json!([{}]),
        };
        at = object.entry(name).or_insert(new);
        if let Value::Array(items) = at {
            let Some(first) = items.first_mut() else {
                return;
            };
            at = first;
        }
    }
}

#[test]
fn every_operation_as_an_event() {
    let catalog = Catalog::builtin();
    let (mut all, mut mapped, mut bearing, mut exact, mut requests) = (0, 0, 0, 0, 0);
    let mut unmapped: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for operation in catalog.operations() {
        all += 1;
        let event = synthetic(operation);
        let made = match map(&event) {
            Mapping::Requests(made) => made,
            Mapping::NoPermission(_) => {
                mapped += 1;
                continue;
            }
            Mapping::Unmapped => {
                unmapped
                    .entry(operation.client)
                    .or_default()
                    .push(operation.name);
                continue;
            }
        };
        mapped += 1;
        assert!(!made.is_empty());
        requests += made.len();
        for request in &made {
            let facts = catalog.action(request.action.as_str());
            let facts = facts.unwrap_or_else(|| panic!("{} is no action", request.action));
            assert_eq!(facts.action, request.action, "spelling");
            if facts.resource_types.is_empty() {
                let by_path = facts.action.service() == "apigateway";
                assert!(
                    by_path || request.resource == ResourceRef::Any,
                    "{event} {request:?}"
                );
            } else if facts.action.service() != "apigateway" {
                let text = request.resource.to_string();
                let fits = facts.resource_types.iter().any(|kind| {
                    let formats = catalog
                        .arn_formats(facts.action.service(), kind.name)
                        .iter();
                    formats
                        .into_iter()
                        .any(|format| arns::fit(format, &text).is_some())
                });
                assert!(text == "*" || fits, "{} takes no {text}", facts.action);
            }
        }
        let own = made
            .iter()
            .find(|request| request.certainty == Certainty::Seen);
        let Some(own) = own else { continue };
        let facts = catalog.action(own.action.as_str()).unwrap();
        if !facts.resource_types.is_empty() {
            bearing += 1;
            let known = made.iter().any(|request| {
                request.action == own.action
                    && match &request.resource {
                        ResourceRef::Literal(_) => true,
                        ResourceRef::Pattern(pattern) => container_known(pattern),
                        ResourceRef::Any => false,
                    }
            });
            exact += usize::from(known);
        }
    }
    let share = |part: usize, whole: usize| part as f64 * 100.0 / whole as f64;
    println!(
        "operations {all}, mapped {mapped} ({:.2} %)",
        share(mapped, all)
    );
    println!(
        "resource-bearing {bearing}, container known {exact} ({:.2} %)",
        share(exact, bearing)
    );
    println!("requests {requests}");
    for (client, names) in &unmapped {
        println!("{client}: {}", names.join(" "));
    }
    assert!(all > 19_000);
    assert!(share(mapped, all) >= 96.5);
    assert!(share(exact, bearing) >= 82.0);
}

/// Whether the first part of the resource that names something is not open.
fn container_known(pattern: &str) -> bool {
    let resource = pattern.splitn(6, ':').nth(5).unwrap_or_default();
    resource
        .find('*')
        .is_some_and(|at| resource[..at].contains("x1"))
}

#[test]
fn no_action_name_loses_a_letter() {
    let catalog = Catalog::builtin();
    let mut seen = 0;
    for facts in catalog.actions() {
        let name = facts.action.name();
        assert_eq!(without_date(name), None, "{}", facts.action);
        for suffix in ["20150331", "20170331v2", "2020_05_31"] {
            let dated = format!("{name}{suffix}");
            let plain = name.bytes().all(|byte| byte.is_ascii_alphabetic());
            assert_eq!(without_date(&dated), plain.then_some(name));
        }
        seen += 1;
    }
    assert!(seen > 22_000);
}

/// Every row names known services, actions, types, variables and operations, and none twice.
#[test]
fn the_tables_name_only_what_exists() {
    let catalog = Catalog::builtin();
    let services: BTreeSet<&str> = catalog.services().collect();
    let known = |action: &str| {
        let facts = catalog
            .action(action)
            .unwrap_or_else(|| panic!("no action {action}"));
        assert_eq!(facts.action.as_str(), action, "spelling");
    };
    let mut rows = BTreeSet::new();
    let mut once = |file: &str, cells: &[&str]| {
        assert!(
            rows.insert(format!("{file} {}", cells.join(" | "))),
            "twice: {cells:?}"
        );
    };
    for [host, condition, prefixes, source] in table::rows(tables::SOURCES) {
        once("sources", &[host, condition]);
        prefixes
            .split(',')
            .for_each(|prefix| assert!(services.contains(prefix), "{prefix}"));
        assert!(
            !source.is_empty() && (condition != "-" || host != prefixes),
            "{host}"
        );
    }
    for [service, event, condition, actions, rule, certainty, source] in table::rows(tables::EVENTS)
    {
        once("events", &[service, event, condition, actions, rule]);
        assert!(services.contains(service), "{service}");
        assert!(
            matches!(certainty, "seen" | "derived" | "possible"),
            "{certainty}"
        );
        assert!(matches!(source, "D" | "E" | "I"), "{source}");
        for action in actions.split(',') {
            known(&if action.contains(':') {
                action.to_owned()
            } else {
                format!("{service}:{action}")
            });
        }
    }
    for [service, event, reason, source] in table::rows(tables::SILENT) {
        once("silent", &[service, event]);
        assert!(services.contains(service), "{service}");
        assert!(!reason.is_empty() && !source.is_empty());
    }
    for [service, kind, action, condition, bindings, source] in table::rows(tables::ARNS) {
        once("arns", &[service, kind, action, condition]);
        let formats = catalog.arn_formats(service, kind);
        assert!(!formats.is_empty(), "{service} has no {kind}");
        assert!(!source.is_empty());
        let action = action.trim_start_matches('!');
        if !action.ends_with('*') {
            known(&format!("{service}:{action}"));
        }
        for (variable, _) in bindings
            .split(' ')
            .filter_map(|binding| binding.split_once('='))
        {
            let of_format = formats
                .iter()
                .any(|format| arns::variables(format).any(|name| name == variable));
            assert!(
                of_format || matches!(variable, "arn" | "Account"),
                "{service} {kind} {variable}"
            );
        }
    }
    for [service, operation, principal, _] in table::rows(tables::PASS_ROLE) {
        once("pass role", &[service, operation]);
        assert!(services.contains(service), "{service}");
        assert!(principal.ends_with(".amazonaws.com"), "{principal}");
    }
    for [service, operation, action, _] in table::rows(tables::TAGGING) {
        once("tagging", &[service, operation]);
        if action != "-" {
            known(&format!("{service}:{action}"));
        }
    }
    for [invoked_by, label, _] in table::rows(tables::VIA) {
        once("via", &[invoked_by]);
        assert!(services.contains(label), "{label}");
    }
    for [kind, names, prefix, _] in table::rows(tables::EC2) {
        once("ec2", &[kind]);
        assert!(!catalog.arn_formats("ec2", kind).is_empty(), "{kind}");
        assert!(
            names == names.to_ascii_lowercase() && !prefix.is_empty(),
            "{kind}"
        );
    }
}

/// An ARN made by a format is recognised as of that type, among all types of the service.
#[test]
fn formats_read_back_what_they_fill() {
    let catalog = Catalog::builtin();
    let scope = arns::Scope {
        partition: "aws".to_owned(),
        region: "eu-west-1".to_owned(),
        account: "111122223333".to_owned(),
    };
    let (mut all, mut own) = (0, 0);
    for service in catalog.services() {
        let uses = catalog
            .service_actions(service)
            .iter()
            .flat_map(|facts| &facts.resource_types);
        for kind in uses.map(|kind| kind.name).collect::<BTreeSet<_>>() {
            for format in catalog.arn_formats(service, kind) {
                let arn =
                    arns::fill(format, &scope, |_| arns::Part::Text("x1".to_owned())).to_string();
                assert!(
                    arns::fit(format, &arn).is_some(),
                    "{format} does not fit {arn}"
                );
                let kinds = resolve::kinds(catalog, service, &arn);
                all += 1;
                own += usize::from(kinds.iter().any(|name| name.eq_ignore_ascii_case(kind)));
            }
        }
    }
    println!("{own} of {all} formats are recognised");
    assert!(all > 2_000);
    assert!(own * 100 >= all * 98);
}
