//! Reads LOGS to the usage table, as `rolefit fit` does before it fits, and stops there.
//! `scan_only THREADS SNAPSHOT|- LOGS…`: with a snapshot, the roles of no interest are left out as `fit` does.

use std::error::Error;

use rolefit::catalog::Catalog;
use rolefit::event::Silent;
use rolefit::pipeline::scan;
use rolefit::read::{Disk, Selection};

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let usage = "scan_only THREADS SNAPSHOT|- LOGS…";
    let threads: usize = arguments.next().ok_or(usage)?.parse()?;
    let _snapshot = arguments.next().ok_or(usage)?;
    let logs: Vec<String> = arguments.collect();
    let source = Disk::new(&logs, &[])?;
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(threads)
        .build()?;
    let read = scan(
        &source,
        &Selection::default(),
        Catalog::builtin(),
        &pool,
        &Silent,
    );
    #[expect(clippy::print_stdout, reason = "an example's result")]
    {
        println!("{:?} in {} objects", read.usage.records, read.objects.read);
    }
    Ok(())
}
