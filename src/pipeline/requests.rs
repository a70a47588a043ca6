//! One line for every distinct record: who, what IAM decided on, and with what outcome.

use std::io;

use rayon::ThreadPool;
use rayon::prelude::*;
use serde::Serialize;

use super::Objects;
use super::scan::{announce, dedupe, wanted};
use crate::catalog::Catalog;
use crate::event::{Event, Observer};
use crate::read::{ObjectRef, Selection, Source, read_object};
use crate::trail::{Actor, Decoder, ObjectOutcome, Record, Status, fingerprint, time};
use crate::usage::{Records, observe};

/// One line of `rolefit requests`.
#[derive(Debug, Serialize)]
pub struct RequestLine {
    /// `eventID`.
    pub event_id: Option<String>,
    /// `eventTime`.
    pub event_time: Option<String>,
    /// `eventSource`.
    pub event_source: String,
    /// `eventName`.
    pub event_name: String,
    /// The role that acted; null where none did.
    pub role: Option<String>,
    /// The function, where the record shows one.
    pub function: Option<String>,
    /// `authorised`, `denied`, `none`.
    pub outcome: &'static str,
    /// `code`, `platform`, `forwarded`, `service`, `outside`; null where no role acted.
    pub class: Option<&'static str>,
    /// What IAM decided on.
    pub requests: Vec<RequestRow>,
    /// No rule maps the event.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub unmapped: bool,
}

/// One request.
#[derive(Debug, Serialize)]
pub struct RequestRow {
    /// The action.
    pub action: String,
    /// The resource: exact, a pattern where only its container is known, or `*`.
    pub resource: String,
    /// `seen`, `derived`, `possible`.
    pub certainty: &'static str,
    /// Condition keys that the record shows.
    #[serde(skip_serializing_if = "std::collections::BTreeMap::is_empty")]
    pub context: std::collections::BTreeMap<String, String>,
}

struct Line {
    fingerprint: Option<u128>,
    hour: i64,
    line: RequestLine,
}

/// Writes the lines in the order of the objects' names and of the records in them. Gives the accounts.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn requests(
    source: &dyn Source,
    selection: &Selection,
    catalog: &Catalog,
    pool: &ThreadPool,
    observer: &dyn Observer,
    out: &mut impl io::Write,
) -> io::Result<(Objects, Records)> {
    let (wanted, mut objects) = wanted(source, selection, observer);
    source.expect(&wanted);
    announce(&wanted, observer);
    let seen = dedupe(&wanted, false);
    let mut records = Records::default();
    for batch in wanted.chunks(pool.current_num_threads() * 4) {
        let read: Vec<_> = pool.install(|| {
            batch
                .par_iter()
                .map_init(Decoder::new, |decoder, object| {
                    let read = lines(source, object, decoder, selection, catalog);
                    (object, read)
                })
                .collect()
        });
        for (object, (lines, outcome)) in read {
            let count = lines.len() as u64;
            for line in lines {
                records.read += 1;
                let Some(line) = line else {
                    records.other += 1;
                    continue;
                };
                if line
                    .fingerprint
                    .is_some_and(|print| !seen.first(print, line.hour))
                {
                    records.duplicate += 1;
                    continue;
                }
                if line.line.role.is_some() {
                    records.by_role += 1;
                } else {
                    records.other += 1;
                }
                serde_json::to_writer(&mut *out, &line.line).map_err(io::Error::from)?;
                out.write_all(b"\n")?;
            }
            objects.compressed += outcome.compressed;
            objects.inflated += outcome.inflated;
            records.read += outcome.undecodable;
            records.undecodable += outcome.undecodable;
            match outcome.status {
                Status::Read => objects.read += 1,
                Status::Skipped(why) => *objects.skipped.entry(why.to_string()).or_default() += 1,
                Status::Failed(why) => objects.failed.push((object.name.clone(), why.to_string())),
            }
            observer.event(Event::Object {
                bytes: object.size,
                records: count,
            });
        }
    }
    observer.event(Event::Read);
    Ok((objects, records))
}

/// `None` for records that the selection leaves out.
fn lines(
    source: &dyn Source,
    object: &ObjectRef,
    decoder: &mut Decoder,
    selection: &Selection,
    catalog: &Catalog,
) -> (Vec<Option<Line>>, ObjectOutcome) {
    let mut lines = Vec::new();
    let outcome = read_object(source, object, decoder, |record, _| {
        lines.push(
            selection
                .selects_record(record)
                .then(|| line(record, catalog)),
        );
    });
    (lines, outcome)
}

fn line(record: &Record<'_>, catalog: &Catalog) -> Line {
    let observation = observe(record, catalog);
    let (role, function, class) = match &observation.actor {
        Actor::Role(session) => {
            let function = session
                .function
                .as_ref()
                .map(|function| function.name.to_string());
            let function = function.or_else(|| {
                session
                    .lambda
                    .then(|| session.function_by_session())
                    .flatten()
                    .map(std::borrow::Cow::into_owned)
            });
            (
                Some(session.role_arn.to_string()),
                function,
                Some(session.class.as_str()),
            )
        }
        _ => (None, None, None),
    };
    let time = record.event_time.as_deref().and_then(time::epoch_seconds);
    Line {
        fingerprint: fingerprint(record),
        hour: time.unwrap_or_default().div_euclid(3_600),
        line: RequestLine {
            event_id: record.event_id.as_deref().map(str::to_owned),
            event_time: record.event_time.as_deref().map(str::to_owned),
            event_source: record.event_source.to_string(),
            event_name: record.event_name.to_string(),
            role,
            function,
            outcome: observation.outcome.as_str(),
            class,
            requests: observation
                .requests
                .into_iter()
                .map(|request| RequestRow {
                    action: request.action.to_string(),
                    resource: request.resource.pattern(),
                    certainty: request.certainty.as_str(),
                    context: request.context,
                })
                .collect(),
            unmapped: observation.unmapped,
        },
    }
}
