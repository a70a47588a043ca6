//! The tables of cases: an event at the left margin (`source event parameters | more members of the
//! record`), the requests it stands for indented below it, in any order.

use serde_json::{Value, json};

use super::{lines, map, record};

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
        let (call, more) = head.split_once(" | ").unwrap_or((head, "{}"));
        let mut words = call.splitn(3, ' ');
        let (source, event) = (words.next().unwrap(), words.next().unwrap());
        let params: Value = match words.next() {
            Some(params) => serde_json::from_str(params).expect(head),
            None => json!(null),
        };
        let more: Value = serde_json::from_str(more).expect(head);
        let mut got = lines(&map(&record(source, event, &params, &more)));
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
fn hostile_and_missing_values() {
    check(include_str!("hostile.txt"));
}
