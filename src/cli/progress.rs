//! The progress bar: an observer of the pipeline that draws on stderr, on a terminal alone.

use std::io::IsTerminal;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use indicatif::{HumanBytes, HumanCount, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::interrupt::{ENDED, LISTED};
use crate::event::{Event, Observer};

/// Draws what the pipeline tells.
pub(super) struct Progress {
    bar: ProgressBar,
    started: Instant,
    found: AtomicU64,
    found_bytes: AtomicU64,
    objects: AtomicU64,
    total: AtomicU64,
    records: AtomicU64,
}

impl Progress {
    /// Silent unless stderr is a terminal.
    pub(super) fn new(wanted: bool) -> Self {
        super::interrupt::listen();
        let visible = wanted && std::io::stderr().is_terminal();
        let bar = ProgressBar::with_draw_target(
            None,
            if visible {
                ProgressDrawTarget::stderr()
            } else {
                ProgressDrawTarget::hidden()
            },
        );
        if visible {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        bar.set_message("listing log objects");
        Self {
            bar,
            started: Instant::now(),
            found: AtomicU64::new(0),
            found_bytes: AtomicU64::new(0),
            objects: AtomicU64::new(0),
            total: AtomicU64::new(0),
            records: AtomicU64::new(0),
        }
    }
}

impl Observer for Progress {
    fn event(&self, event: Event) {
        match event {
            Event::Found { objects, bytes } => {
                let found = self.found.fetch_add(objects, Ordering::Relaxed) + objects;
                let size = self.found_bytes.fetch_add(bytes, Ordering::Relaxed) + bytes;
                if !self.bar.is_hidden() {
                    self.bar.set_message(format!(
                        "listing: {} objects, {}",
                        HumanCount(found),
                        HumanBytes(size)
                    ));
                }
            }
            Event::Listed { objects, bytes } => {
                self.total.store(objects, Ordering::Relaxed);
                LISTED.store(objects, Ordering::Relaxed);
                // Standard input has no size: count objects then.
                let template = if bytes > 0 {
                    "{bar:16} {percent:>3}% {eta:>4} left  {wide_msg}"
                } else {
                    "{spinner} {wide_msg}"
                };
                if let Ok(style) = ProgressStyle::with_template(template) {
                    self.bar.set_style(style.progress_chars("█▉▊▋▌▍▎▏ "));
                }
                self.bar.set_length(bytes);
                self.bar
                    .set_message(format!("0/{} objects", HumanCount(objects)));
            }
            Event::Object { bytes, records } => {
                let objects = self.objects.fetch_add(1, Ordering::Relaxed) + 1;
                ENDED.store(objects, Ordering::Relaxed);
                let records = self.records.fetch_add(records, Ordering::Relaxed) + records;
                self.bar.inc(bytes);
                if !self.bar.is_hidden() {
                    let seconds = self.started.elapsed().as_secs_f64().max(0.001);
                    self.bar.set_message(format!(
                        "{}/{} objects, {}, {} events/s",
                        HumanCount(objects),
                        HumanCount(self.total.load(Ordering::Relaxed)),
                        HumanBytes(self.bar.position()),
                        HumanCount((records as f64 / seconds) as u64)
                    ));
                }
            }
            Event::Read => self.bar.finish_and_clear(),
        }
    }
}
