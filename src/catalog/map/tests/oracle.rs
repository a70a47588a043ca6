//! The tables against the catalog, and every API operation that the SDKs know as a synthetic event.

use std::collections::BTreeSet;

use crate::catalog::map::arns;
use crate::catalog::map::suffix::without_date;
use crate::catalog::map::tables;
use crate::catalog::map::{Mapping, resolve};
use crate::catalog::{Catalog, table};

#[test]
fn the_share_of_operations_that_are_mapped() {
    let survey = Catalog::builtin().survey();
    let share = |part: usize, whole: usize| part as f64 * 100.0 / whole as f64;
    let mapped = share(survey.mapped, survey.operations);
    let known = share(survey.container_known, survey.resource_bearing);
    println!(
        "mapped {} of {} ({mapped:.2} %)",
        survey.mapped, survey.operations
    );
    println!(
        "container known {} of {} ({known:.2} %)",
        survey.container_known, survey.resource_bearing
    );
    for (client, names) in &survey.unmapped {
        println!("{client}: {}", names.join(" "));
    }
    assert!(survey.operations > 19_000);
    assert_eq!(survey.outside, 0);
    assert!(mapped >= 96.5);
    assert!(known >= 82.0);
}

#[test]
fn every_request_is_an_action_on_a_resource_that_it_takes() {
    let catalog = Catalog::builtin();
    let mut requests = 0;
    catalog.survey_each(|operation, mapping| {
        let Mapping::Requests(made) = mapping else {
            return;
        };
        assert!(!made.is_empty());
        requests += made.len();
        for request in made {
            let facts = catalog.action(request.action.as_str());
            let facts = facts.unwrap_or_else(|| panic!("{} is no action", request.action));
            assert_eq!(facts.action, request.action, "spelling");
            // API Gateway's resources are paths, more than it has types for.
            if facts.action.service() == "apigateway" {
                continue;
            }
            let text = request.resource.to_string();
            let fits = facts.resource_types.iter().any(|kind| {
                let formats = catalog.arn_formats(facts.action.service(), kind.name);
                formats
                    .iter()
                    .any(|format| arns::fit(format, &text).is_some())
            });
            assert!(
                text == "*" || fits,
                "{}: {} takes no {text}",
                operation.name,
                facts.action
            );
        }
    });
    assert!(requests > 20_000);
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

/// The named rules of `map-events.tsv`.
const RULES: [&str; 15] = [
    "-",
    "any",
    "arn",
    "below",
    "bucket",
    "copy-source",
    "kms-destination",
    "kms-source",
    "kms-via",
    "object",
    "partiql",
    "role",
    "starting",
    "transaction",
    "uri",
];

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
        let rule = rule.split(':').next().unwrap_or(rule);
        assert!(RULES.contains(&rule), "{rule}");
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
        assert!(
            principal == "-" || principal.ends_with(".amazonaws.com"),
            "{principal}"
        );
    }
    for [service, operation, action, _] in table::rows(tables::TAGGING) {
        once("tagging", &[service, operation]);
        let (action, kind) = action.split_once('@').unwrap_or((action, ""));
        if action != "-" {
            known(&format!("{service}:{action}"));
        }
        let formats = catalog.arn_formats(service, kind);
        assert!(kind.is_empty() || !formats.is_empty(), "{service} {kind}");
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
