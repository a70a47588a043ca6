//! Ctrl-C: the run ends at once, says how far it came, and fails.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, Once, PoisonError};

use super::{Exit, say};

/// Log objects that ended, and that there are.
pub(super) static ENDED: AtomicU64 = AtomicU64::new(0);
pub(super) static LISTED: AtomicU64 = AtomicU64::new(0);

/// A folder that goes with the run.
static PASSING: Mutex<Option<PathBuf>> = Mutex::new(None);

/// Listens for Ctrl-C from here on.
pub(super) fn listen() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        // Without a handler Ctrl-C still ends the run, only less politely.
        let _ = ctrlc::set_handler(|| {
            let (ended, listed) = (
                ENDED.load(Ordering::Relaxed),
                LISTED.load(Ordering::Relaxed),
            );
            if let Some(folder) = PASSING
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .take()
            {
                let _ = std::fs::remove_dir_all(folder);
            }
            let how_far = match listed {
                0 => "while listing".to_owned(),
                _ => format!("{ended} of {listed} log objects were read"),
            };
            say("interrupted", &format!("{how_far}; no report was written"));
            std::process::exit(i32::from(Exit::Failed.code()));
        });
    });
}

/// This folder is deleted when the run is interrupted.
pub(super) fn passing(folder: &Path) {
    *PASSING.lock().unwrap_or_else(PoisonError::into_inner) = Some(folder.to_owned());
}
