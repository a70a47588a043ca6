//! Reads LOGS to the usage table, as `rolefit fit` does before it fits, and stops there.
//! `scan_only THREADS SNAPSHOT|- LOGS…`: with a snapshot, the roles that Lambda does not use are passed
//! over as `fit` passes over them.

use std::collections::BTreeSet;
use std::error::Error;
use std::path::Path;

use rolefit::catalog::Catalog;
use rolefit::event::Silent;
use rolefit::grants::Snapshot;
use rolefit::pipeline::scan_passing_over;
use rolefit::read::{Disk, Selection};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "scan_only THREADS SNAPSHOT|- LOGS…";
    let threads: usize = arguments.next().ok_or(usage)?.parse()?;
    let snapshot = arguments.next().ok_or(usage)?;
    let logs: Vec<String> = arguments.collect();
    let source = Disk::new(&logs, &[])?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    let catalog = Catalog::builtin();
    let mut over = BTreeSet::new();
    if snapshot != "-" {
        let snapshot = Snapshot::load(Some(Path::new(&snapshot)), &[], catalog)?;
        let functions: BTreeSet<&String> = snapshot.functions.iter().map(|f| &f.role).collect();
        let roles = snapshot.roles.iter();
        over = roles
            .filter(|(arn, role)| !role.trusts_lambda() && !functions.contains(arn))
            .map(|(arn, _)| arn.clone())
            .collect();
    }
    let selection = Selection::default();
    let read = scan_passing_over(&over, &source, &selection, catalog, &pool, &Silent);
    #[expect(clippy::print_stdout, reason = "an example's result")]
    {
        println!("{:?} in {} objects", read.usage.records, read.objects.read);
    }
    Ok(())
}
