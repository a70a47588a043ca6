//! One log object in, its records out, one at a time.
//!
//! Understood: log files (`{"Records":[…]}`), lists, single records, records one after another or one
//! a line, the answer of `lookup-events` whole or line by line, EventBridge events, `_raw` strings;
//! each gzipped or plain, compact or pretty-printed. Memory is bounded by the largest record. JSON
//! that is known not to be CloudTrail's is skipped with a reason; a broken tail makes the object
//! failed and keeps what came before it.

use std::borrow::Cow;
use std::io::Read;

use serde_json::error::Category;
use thiserror::Error;

use super::inflate::{Inflate, InflateError, Limits};
use super::record::{Envelope, Record};
use super::scan::Glance;
use super::split::{Broken, Leaf, Room, split};

/// The longest record (or envelope around one) that is held in memory.
const LARGEST_RECORD: usize = 32 * 1024 * 1024;
/// Envelopes within envelopes: a line of `lookup-events` inside an EventBridge event, and no deeper.
const DEEPEST_ENVELOPE: u8 = 3;

/// How reading an object ended.
#[derive(Debug)]
pub enum Status {
    /// To its end. It may have held no record at all.
    Read,
    /// It holds something other than calls.
    Skipped(Skip),
    /// Something in it could not be read; what came before has been handed out.
    Failed(Failure),
}

/// What an object holds instead of calls.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum Skip {
    /// Events of CloudTrail Insights.
    #[error("CloudTrail Insights, not calls")]
    Insights,
    /// Summaries of data events.
    #[error("aggregated data events, not calls")]
    Aggregated,
    /// A digest of log files.
    #[error("digest of log files, not events")]
    Digest,
    /// A CloudWatch Logs subscription event.
    #[error("a CloudWatch Logs event, not a CloudTrail log")]
    CloudWatchLogs,
    /// JSON of another kind.
    #[error("JSON, but not CloudTrail's")]
    OtherJson,
    /// Not JSON.
    #[error("not JSON")]
    NotJson,
}

/// Why an object could not be read to its end.
#[derive(Debug, Error)]
pub enum Failure {
    /// It has no content.
    #[error("empty file")]
    Empty,
    /// It could not be opened.
    #[error("cannot be opened: {0}")]
    Open(std::io::Error),
    /// Its bytes could not be read or inflated.
    #[error(transparent)]
    Inflate(InflateError),
    /// It ends inside a value.
    #[error("ends in the middle of a record")]
    Cut,
    /// The JSON breaks off.
    #[error("not valid JSON at byte {0}")]
    Syntax(u64),
    /// A record longer than what is held in memory.
    #[error("holds a record of more than {} MiB", LARGEST_RECORD / 1024 / 1024)]
    TooLong,
    /// Its name says that it is a CloudTrail log, or JSON, and it is not.
    #[error("not what its name says: {0}")]
    NotWhatItsNameSays(Skip),
    /// A defect of this program; what was handed out before it stays.
    #[error("internal error while decoding it")]
    Panicked,
}

/// What became of an object.
#[derive(Debug)]
pub struct ObjectOutcome {
    /// How it ended.
    pub status: Status,
    /// Records handed out.
    pub records: u64,
    /// Objects that are meant as CloudTrail records but cannot be read as such: unseen use.
    pub undecodable: u64,
    /// Events that are no calls: Insights and aggregated ones. Not handed out.
    pub summaries: u64,
    /// Values that are no CloudTrail at all. Not handed out.
    pub other: u64,
    /// Bytes of the object as stored.
    pub compressed: u64,
    /// Bytes after inflating.
    pub inflated: u64,
}

impl ObjectOutcome {
    /// The outcome of an object of which nothing was read.
    #[must_use]
    pub fn failed(failure: Failure) -> Self {
        Self {
            status: Status::Failed(failure),
            records: 0,
            undecodable: 0,
            summaries: 0,
            other: 0,
            compressed: 0,
            inflated: 0,
        }
    }
}

/// Takes the records of objects.
pub trait Sink {
    /// Whether this look at a record is enough: if not, it comes again as [`Sink::record`].
    fn glance(&mut self, _: &Glance<'_>) -> bool {
        false
    }

    /// Takes a record and its JSON: UTF-8, from `{` to `}`.
    fn record(&mut self, record: &Record<'_>, json: &[u8]);
}

/// A sink that takes every record apart.
pub fn each<F: FnMut(&Record<'_>, &[u8])>(on_record: F) -> impl Sink {
    Each(on_record)
}

struct Each<F>(F);

impl<F: FnMut(&Record<'_>, &[u8])> Sink for Each<F> {
    fn record(&mut self, record: &Record<'_>, json: &[u8]) {
        (self.0)(record, json);
    }
}

/// Reads an object and hands every record to `on_record`, with its JSON: UTF-8, from `{` to `}`.
///
/// Never fails as a function: see [`ObjectOutcome::status`]. Records are handed out as they are found,
/// so a caller that wants all or nothing of an object keeps them until the outcome is known.
pub fn records(reader: impl Read, on_record: impl FnMut(&Record<'_>, &[u8])) -> ObjectOutcome {
    Decoder::new().records(reader, on_record)
}

/// Reads objects, one after the other, in buffers that are made once: small objects cost little more
/// than their bytes.
pub struct Decoder {
    inflate: Option<Inflate<std::io::Empty>>,
    room: Room,
    limits: Limits,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// Holds 320 KiB while it is used, and up to 32 MiB while it reads a record of that length.
    #[must_use]
    pub fn new() -> Self {
        Self {
            inflate: None,
            room: Room::new(),
            limits: Limits::default(),
        }
    }

    /// Sets how far the next objects may swell.
    pub fn limit(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// As [`records`].
    pub fn records(
        &mut self,
        reader: impl Read,
        on_record: impl FnMut(&Record<'_>, &[u8]),
    ) -> ObjectOutcome {
        self.records_within(reader, LARGEST_RECORD, &mut each(on_record))
    }

    /// As [`records`], for a sink that glances at them first.
    pub fn records_into(&mut self, reader: impl Read, sink: &mut dyn Sink) -> ObjectOutcome {
        self.records_within(reader, LARGEST_RECORD, sink)
    }

    fn records_within(
        &mut self,
        reader: impl Read,
        largest: usize,
        sink: &mut dyn Sink,
    ) -> ObjectOutcome {
        let mut input = match self.inflate.take() {
            Some(inflate) => inflate.restart(reader),
            None => Inflate::new(reader),
        };
        input.limit(self.limits);
        let outcome = decode(&mut input, largest, &mut self.room, sink);
        self.inflate = Some(input.restart(std::io::empty()));
        outcome
    }
}

fn decode<R: Read>(
    input: &mut Inflate<R>,
    largest: usize,
    room: &mut Room,
    sink: &mut dyn Sink,
) -> ObjectOutcome {
    let mut tally = Tally {
        sink,
        records: 0,
        undecodable: 0,
        insights: 0,
        aggregated: 0,
        other: 0,
        first_other: None,
    };
    let structure = split(input, largest, room, &mut |leaf| {
        match leaf {
            Leaf::Glance(glance) => {
                let enough = tally.sink.glance(glance);
                tally.records += u64::from(enough);
                return enough;
            }
            Leaf::Record(record, json) => tally.record(record, json),
            Leaf::Object(bytes) => tally.object(bytes, 0),
            Leaf::Text(bytes) => tally.text(bytes),
            Leaf::Other => tally.other(Skip::OtherJson),
        }
        true
    });
    // Beside records in a log file, whatever is no record was meant as one.
    if structure.wrapper && tally.records + tally.undecodable > 0 {
        tally.undecodable += std::mem::take(&mut tally.other);
    }
    let seen = tally.records + tally.undecodable + tally.insights + tally.aggregated;
    let status = match structure.end {
        Err(Broken::Syntax(_)) if seen == 0 && !structure.wrapper => Status::Skipped(Skip::NotJson),
        Err(broken) => Status::Failed(broken.into()),
        Ok(()) if tally.records + tally.undecodable > 0 => Status::Read,
        Ok(()) if tally.insights > 0 => Status::Skipped(Skip::Insights),
        Ok(()) if tally.aggregated > 0 => Status::Skipped(Skip::Aggregated),
        Ok(()) => match tally.first_other {
            Some(skip) => Status::Skipped(skip),
            None if structure.list => Status::Read,
            None => Status::Failed(Failure::Empty),
        },
    };
    ObjectOutcome {
        status,
        records: tally.records,
        undecodable: tally.undecodable,
        summaries: tally.insights + tally.aggregated,
        other: tally.other,
        compressed: input.compressed(),
        inflated: input.inflated(),
    }
}

impl From<Broken> for Failure {
    fn from(broken: Broken) -> Self {
        match broken {
            Broken::Inflate(error) => Self::Inflate(error),
            Broken::Cut => Self::Cut,
            Broken::Syntax(at) => Self::Syntax(at),
            Broken::TooLong => Self::TooLong,
        }
    }
}

struct Tally<'f> {
    sink: &'f mut dyn Sink,
    records: u64,
    undecodable: u64,
    insights: u64,
    aggregated: u64,
    other: u64,
    first_other: Option<Skip>,
}

impl Tally<'_> {
    fn other(&mut self, skip: Skip) {
        self.other += 1;
        self.first_other.get_or_insert(skip);
    }

    fn object(&mut self, bytes: &[u8], depth: u8) {
        match std::str::from_utf8(bytes) {
            Ok(json) => self.json(json, depth),
            Err(_) => self.unsound(bytes, depth),
        }
    }

    fn json(&mut self, json: &str, depth: u8) {
        match serde_json::from_str::<Record<'_>>(json) {
            Ok(record) => self.record(&record, json),
            Err(error) if error.classify() == Category::Data => self.envelope(json, depth),
            Err(_) => self.unsound(json.as_bytes(), depth),
        }
    }

    fn record(&mut self, record: &Record<'_>, json: &str) {
        // Notifications of S3 and queues call their sender `aws:…`.
        if record.event_source.starts_with("aws:") {
            return self.other(Skip::OtherJson);
        }
        match summary(
            record.event_type.as_deref(),
            record.event_category.as_deref(),
        ) {
            Some(skip) => self.summary(skip),
            None => {
                self.records += 1;
                self.sink.record(record, json.as_bytes());
            }
        }
    }

    fn unsound(&mut self, bytes: &[u8], depth: u8) {
        match repair(bytes) {
            Some(sound) => self.json(&sound, depth),
            None => self.undecodable += 1,
        }
    }

    /// A sound object that is no record: something around a record, or something else.
    fn envelope(&mut self, json: &str, depth: u8) {
        let Ok(envelope) = serde_json::from_str::<Envelope<'_>>(json) else {
            self.undecodable += 1;
            return;
        };
        if depth < DEEPEST_ENVELOPE {
            if let Some(detail) = envelope
                .detail
                .filter(|detail| detail.get().starts_with('{'))
            {
                return self.json(detail.get(), depth + 1);
            }
            if let Some(text) = envelope.event_text.or(envelope.raw_text) {
                return self.inner(&text, depth + 1);
            }
        }
        let category = envelope.event_category.as_deref();
        if let Some(skip) = summary(envelope.event_type.as_deref(), category) {
            self.summary(skip);
        } else if envelope.insight_details.is_some() {
            self.summary(Skip::Insights);
        } else if envelope.digest_start_time.is_some() {
            self.other(Skip::Digest);
        } else if envelope.awslogs.is_some() || envelope.log_events.is_some() {
            self.other(Skip::CloudWatchLogs);
        } else if envelope.event_version.is_some() && envelope.user_identity.is_some()
            || envelope.event_source.is_some()
            || envelope.event_name.is_some()
        {
            self.undecodable += 1;
        } else {
            self.other(Skip::OtherJson);
        }
    }

    fn summary(&mut self, skip: Skip) {
        match skip {
            Skip::Aggregated => self.aggregated += 1,
            _ => self.insights += 1,
        }
    }

    /// A string where a record is expected: `lookup-events` with a query leaves lists of them.
    fn text(&mut self, bytes: &[u8]) {
        match serde_json::from_slice::<Cow<'_, str>>(bytes) {
            Ok(text) => self.inner(&text, 1),
            Err(_) => self.other(Skip::OtherJson),
        }
    }

    fn inner(&mut self, text: &str, depth: u8) {
        if text.trim_start().starts_with('{') {
            self.json(text.trim(), depth);
        } else {
            self.other(Skip::OtherJson);
        }
    }
}

/// Whether an event is a summary of calls rather than a call.
fn summary(event_type: Option<&str>, category: Option<&str>) -> Option<Skip> {
    match (event_type, category) {
        (Some("AwsCloudTrailInsight"), _) | (_, Some("Insight")) => Some(Skip::Insights),
        (Some("AwsAggregatedEvent"), _) | (_, Some("Aggregated")) => Some(Skip::Aggregated),
        _ => None,
    }
}

/// The same JSON with what strict parsers stop at made harmless: bytes that are no UTF-8, control
/// characters inside strings, and halves of surrogate pairs. A caller of AWS can put such things into
/// a user agent or a file name, and must not make their record unreadable by it. `None` where there
/// was nothing of the kind, so that what is returned is always one step sounder.
fn repair(bytes: &[u8]) -> Option<String> {
    let text = String::from_utf8_lossy(bytes);
    let mut changed = matches!(text, Cow::Owned(_));
    let mut out = String::with_capacity(text.len() + 16);
    let mut rest = text.as_ref();
    let mut inside = false;
    while let Some(next) = rest.chars().next() {
        let (mut taken, mut instead) = (next.len_utf8(), None);
        match next {
            '"' => inside = !inside,
            '\\' if inside => {
                taken = 1 + rest.chars().nth(1).map_or(0, char::len_utf8);
                if let Some(unit) = unit(rest) {
                    taken = 6;
                    match (unit, rest.get(6..).and_then(self::unit)) {
                        (0xd800..=0xdbff, Some(0xdc00..=0xdfff)) => taken = 12,
                        (0xd800..=0xdfff, _) => instead = Some("\\ufffd".to_owned()),
                        _ => {}
                    }
                }
            }
            control if inside && u32::from(control) < 0x20 => {
                instead = Some(format!("\\u{:04x}", u32::from(control)));
            }
            _ => {}
        }
        changed |= instead.is_some();
        match instead {
            Some(instead) => out.push_str(&instead),
            None => out.push_str(rest.get(..taken).unwrap_or_default()),
        }
        rest = rest.get(taken..).unwrap_or_default();
    }
    changed.then_some(out)
}

/// The UTF-16 unit of a `\uXXXX` at the start.
fn unit(text: &str) -> Option<u16> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits
        .bytes()
        .all(|byte| byte.is_ascii_hexdigit())
        .then(|| u16::from_str_radix(digits, 16).ok())?
}

#[cfg(test)]
mod tests;
