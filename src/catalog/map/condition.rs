//! The conditions of the tables: `-` always, `a` present, `!a` absent, `a=v`, `a!=v`, `a|b` any, `,` all.

use super::Call;

/// Whether a condition holds for a call.
pub(super) fn holds(call: &Call<'_>, condition: &str) -> bool {
    let service_event = call.record.event_type.as_deref() == Some("AwsServiceEvent");
    if condition == "@service-event" {
        return service_event;
    }
    condition == "-"
        || condition
            .split(',')
            .all(|all| all.split('|').any(|one| term(call, one)))
}

fn term(call: &Call<'_>, term: &str) -> bool {
    if let Some((name, value)) = term.split_once("!=") {
        return !equals(call, name, value);
    }
    if let Some((name, value)) = term.split_once('=') {
        return equals(call, name, value);
    }
    match term.strip_prefix('!') {
        Some(name) => !there(call, name),
        None => there(call, term),
    }
}

fn there(call: &Call<'_>, name: &str) -> bool {
    match name {
        // The version of a copy's source is part of the source, not a parameter.
        "copySourceVersion" => super::s3::copy_source(call).is_some_and(|source| source.version),
        name => call.has(name),
    }
}

fn equals(call: &Call<'_>, name: &str, value: &str) -> bool {
    let mut found = Vec::new();
    super::params::collect(call.params(), name, &mut found);
    found.into_iter().any(|found| match found {
        serde_json::Value::Bool(found) => value == if *found { "true" } else { "false" },
        serde_json::Value::String(found) => found.eq_ignore_ascii_case(value),
        _ => false,
    })
}
