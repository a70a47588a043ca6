//! Reads LOGS as `rolefit scan` would and does nothing but inflate: the floor to measure against.
//! `inflate_only THREADS LOGS…`

use std::error::Error;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};

use rolefit::read::{Disk, Source};
use rolefit::trail::inflate::Inflate;

fn main() -> Result<(), Box<dyn Error>> {
    let mut arguments = std::env::args().skip(1);
    let threads: usize = arguments
        .next()
        .ok_or("inflate_only THREADS LOGS…")?
        .parse()?;
    let logs: Vec<String> = arguments.collect();
    let source = Disk::new(&logs, &[])?;
    let listing = source.list(&rolefit::event::Silent);
    let (next, total) = (AtomicUsize::new(0), AtomicU64::new(0));
    std::thread::scope(|scope| {
        for _ in 0..threads {
            scope.spawn(|| {
                let mut window = vec![0; 256 * 1024];
                let mut buffers = Inflate::new(std::io::empty());
                while let Some(object) = listing.objects.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let Ok(bytes) = source.open(object) else {
                        continue;
                    };
                    let mut inflate = buffers.restart(bytes);
                    while let Ok(1..) = inflate.read(&mut window) {}
                    total.fetch_add(inflate.inflated(), Ordering::Relaxed);
                    buffers = inflate.restart(std::io::empty());
                }
            });
        }
    });
    #[expect(clippy::print_stdout, reason = "an example's result")]
    {
        println!("{}", total.into_inner());
    }
    Ok(())
}
