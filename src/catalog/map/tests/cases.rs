//! The tables of cases: an event at the left margin (`source event parameters | more members of the
//! record`), the requests it stands for indented below it, in any order.

use serde_json::{Value, json};

use super::{lines, map, record};
use crate::catalog::Catalog;

/// What the event of a case stands for, a line a request.
fn lines_of(head: &str) -> Vec<String> {
    let (call, more) = head.split_once(" | ").unwrap_or((head, "{}"));
    let mut words = call.splitn(3, ' ');
    let (source, event) = (words.next().unwrap(), words.next().unwrap());
    let params: Value = match words.next() {
        Some(params) => serde_json::from_str(params).expect(head),
        None => json!(null),
    };
    let more: Value = serde_json::from_str(more).expect(head);
    lines(&map(&record(source, event, &params, &more)))
}

fn check(cases: &str) {
    let mut count = 0;
    let mut failures = Vec::new();
    let mut rest = cases
        .lines()
        .filter(|line| !line.starts_with('#'))
        .peekable();
    while let Some(head) = rest.next() {
        if head.trim().is_empty() {
            continue;
        }
        let mut wanted = Vec::new();
        while let Some(line) = rest.next_if(|line| line.starts_with("  ")) {
            wanted.push(line.trim().to_owned());
        }
        assert!(!wanted.is_empty(), "a case without expectation: {head}");
        let mut got = lines_of(head);
        got.sort();
        wanted.sort();
        if got != wanted {
            failures.push(format!(
                "{head}\n  wanted\n    {}\n  got\n    {}",
                wanted.join("\n    "),
                got.join("\n    ")
            ));
        }
        count += 1;
    }
    assert!(count > 0);
    assert!(
        failures.is_empty(),
        "{} of {count} cases\n{}",
        failures.len(),
        failures.join("\n")
    );
}

/// The lines of `facts.txt`.
#[test]
fn every_fact_about_names_and_actions() {
    let mut failures = Vec::new();
    let lines = include_str!("facts.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#') && !line.is_empty()) {
        let (head, wanted) = line.rsplit_once(" = ").expect(line);
        let qualified = |action: &str| match action.split_once(' ') {
            Some(_) => action.to_owned(),
            None => format!("seen {action}"),
        };
        let mut wanted: Vec<String> = wanted.split(", ").map(qualified).collect();
        let mut got: Vec<String> = lines_of(head)
            .iter()
            .map(|line| line.splitn(3, ' ').take(2).collect::<Vec<_>>().join(" "))
            .collect();
        for list in [&mut wanted, &mut got] {
            list.sort();
            list.dedup();
        }
        if got != wanted {
            failures.push(format!("{head}\n  got {}", got.join(", ")));
        }
    }
    assert!(failures.is_empty(), "{}", failures.join("\n"));
}

/// The lines of `sources.txt`, and the source that only a parameter tells.
#[test]
fn every_event_source_has_its_prefix() {
    let catalog = Catalog::builtin();
    let lines = include_str!("sources.txt").lines();
    for line in lines.filter(|line| !line.starts_with('#')) {
        let (host, prefix) = line.split_once(" =").expect(line);
        let found = catalog.services_of(&format!("{host}.amazonaws.com"));
        let first = found.first().map_or("", String::as_str);
        assert_eq!(first, prefix.trim(), "{host}");
    }
    let scaling = r#"autoscaling PutScalingPolicy {"serviceNamespace":"ecs"}"#;
    assert!(lines_of(scaling)[0].starts_with("seen application-autoscaling:"));
}

/// Clients whose prefix is neither their signing name nor their endpoint nor their own name.
#[test]
fn every_odd_client_has_its_prefix() {
    let clients = Catalog::builtin().clients();
    for (name, prefix) in [
        ("cloudcontrol", "cloudformation"),
        ("iot-data", "iot"),
        ("iot-jobs-data", "iotjobsdata"),
        ("iotsecuretunneling", "iot"),
        ("mturk", "mechanicalturk"),
        ("partnercentral-account", "partnercentral"),
        ("partnercentral-benefits", "partnercentral"),
        ("partnercentral-channel", "partnercentral"),
        ("partnercentral-selling", "partnercentral"),
        ("resourcegroupstaggingapi", "tag"),
        ("connectparticipant", "connect"),
        ("applicationcostprofiler", ""),
        ("iotthingsgraph", ""),
        ("opensearchmemory", ""),
        ("opensearch", "es"),
    ] {
        let client = clients.iter().find(|client| client.name == name);
        assert_eq!(client.map(|client| client.prefix), Some(prefix), "{name}");
    }
}

/// With SSE-KMS and its like the service calls KMS as the role: `kms:ViaService` says which.
#[test]
fn kms_through_services() {
    for (service, event) in [
        ("dynamodb", "Decrypt"),
        ("dynamodb", "CreateGrant"),
        ("dynamodb", "DescribeKey"),
        ("kinesis", "GenerateDataKey"),
        ("s3", "Decrypt"),
        ("s3", "GenerateDataKey"),
        ("sqs", "Decrypt"),
        ("sns", "GenerateDataKey"),
        ("secretsmanager", "Decrypt"),
        ("ssm", "Encrypt"),
    ] {
        let more = format!(
            r#"{{"userIdentity":{{"invokedBy":"{service}.amazonaws.com"}},"resources":[{{"ARN":"arn:aws:kms:eu-west-1:111122223333:key/k"}}]}}"#
        );
        let wanted = format!(
            "seen kms:{event} arn:aws:kms:eu-west-1:111122223333:key/k kms:ViaService={service}.eu-west-1.amazonaws.com"
        );
        assert_eq!(lines_of(&format!("kms {event} {{}} | {more}")), [wanted]);
    }
}

#[test]
fn s3_speaks_its_own_language() {
    check(include_str!("s3.txt"));
}

#[test]
fn databases_name_tables_indexes_and_streams() {
    check(include_str!("databases.txt"));
}

#[test]
fn functions_queues_topics_streams_and_state_machines() {
    check(include_str!("application.txt"));
}

#[test]
fn keys_secrets_parameters_and_roles() {
    check(include_str!("security.txt"));
}

#[test]
fn logs_metrics_and_traces() {
    check(include_str!("observability.txt"));
}

#[test]
fn instances_containers_and_gateways() {
    check(include_str!("compute.txt"));
}

#[test]
fn sources_suffixes_and_silent_events() {
    check(include_str!("names.txt"));
}

#[test]
fn analytics_and_other_services() {
    check(include_str!("other.txt"));
}

#[test]
fn identifiers_names_and_lists_of_both() {
    check(include_str!("identifiers.txt"));
}

#[test]
fn what_a_call_asks_for_beside_its_own_action() {
    check(include_str!("beside.txt"));
}

#[test]
fn hostile_and_missing_values() {
    check(include_str!("hostile.txt"));
}
