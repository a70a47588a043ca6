//! `rolefit denied`.

use std::io::{self, BufWriter, Write};

use super::args::{self, DeniedArgs};
use super::{Exit, Fault, coverage};
use crate::pipeline::denied;
use crate::render::{write_denied_text, write_json};

pub(super) fn run(args: &DeniedArgs) -> Result<Exit, Fault> {
    let read = coverage::read(&args.logs, &args.roles)?;
    let incomplete = read.incomplete;
    let report = denied(read.scan, &read.snapshot, &read.options, read.catalog);
    let mut out = BufWriter::new(io::stdout().lock());
    match args.output {
        args::Output::Json => write_json(&report, &mut out)?,
        args::Output::Text => write_denied_text(&report, &mut out)?,
    }
    out.flush()?;
    Ok(if incomplete {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}
