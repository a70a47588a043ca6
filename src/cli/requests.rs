//! `rolefit requests`.

use std::io::{self, BufWriter, Write};

use anyhow::anyhow;

use super::args::RequestsArgs;
use super::progress::Progress;
use super::{Exit, Fault, inputs, say, stored};
use crate::pipeline::requests;

pub(super) fn run(args: &RequestsArgs) -> Result<Exit, Fault> {
    stored::not_here(&args.logs.stored, "requests")?;
    let selection = inputs::selection(&args.logs.selection)?;
    let pool = inputs::pool(&args.logs.run)?;
    let catalog = inputs::catalog(args.logs.run.catalog.as_deref())?;
    let source = inputs::source(&args.logs, &selection, &[])?;
    let progress = Progress::new(!args.logs.run.no_progress);
    let mut out = BufWriter::new(io::stdout().lock());
    let (objects, records) = requests(
        source.as_ref(),
        &selection,
        catalog,
        &pool,
        &progress,
        &mut out,
    )?;
    out.flush()?;
    for (object, reason) in &objects.failed {
        say("warning", &format!("{object}: {reason}"));
    }
    let accounts = format!(
        "{} records ({} of roles, {} duplicates, {} undecodable) in {} of {} log objects ({} skipped, {} failed)",
        records.read,
        records.by_role,
        records.duplicate,
        records.undecodable,
        objects.read,
        objects.listed,
        objects.skipped_total(),
        objects.failed.len()
    );
    say("read", &accounts);
    if objects.read == 0 && records.read == 0 && objects.failed.is_empty() {
        return Err(Fault::new(
            Exit::NoInput,
            anyhow!("no CloudTrail log in {}", args.logs.named().join(" ")),
        ));
    }
    let incomplete = !objects.failed.is_empty() || records.undecodable > 0;
    Ok(if incomplete {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}
