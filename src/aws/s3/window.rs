//! How many objects are under way at once: more while all goes well, half as many when S3 asks to slow down.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::Notify;

/// Where the number begins, unless fewer are asked for.
const START: usize = 16;

struct State {
    limit: usize,
    used: usize,
    /// Objects that went well since the limit last changed.
    well: usize,
}

/// The window. Cheap to clone.
#[derive(Clone)]
pub(super) struct Window {
    state: Arc<Mutex<State>>,
    freed: Arc<Notify>,
    most: usize,
}

/// A place in the window; dropping it frees the place.
pub(super) struct Permit(Window);

impl Window {
    /// At most `most` at once.
    pub(super) fn new(most: usize) -> Self {
        let most = most.max(1);
        Self {
            state: Arc::new(Mutex::new(State {
                limit: most.min(START),
                used: 0,
                well: 0,
            })),
            freed: Arc::new(Notify::new()),
            most,
        }
    }

    fn with<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        // Counters only: a poisoned lock still holds whole numbers.
        change(&mut self.state.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Waits for a place. One waits at a time.
    pub(super) async fn enter(&self) -> Permit {
        loop {
            let entered = self.with(|state| {
                let free = state.used < state.limit;
                state.used += usize::from(free);
                free
            });
            if entered {
                return Permit(self.clone());
            }
            self.freed.notified().await;
        }
    }

    /// An object came whole.
    pub(super) fn went_well(&self) {
        self.with(|state| {
            state.well += 1;
            if state.well >= state.limit && state.limit < self.most {
                state.limit += 1;
                state.well = 0;
            }
        });
        self.freed.notify_one();
    }

    /// S3 asked to slow down.
    pub(super) fn slow_down(&self) {
        self.with(|state| {
            state.limit = (state.limit / 2).max(1);
            state.well = 0;
        });
    }

    /// How many may be under way now.
    #[cfg(test)]
    fn limit(&self) -> usize {
        self.with(|state| state.limit)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.with(|state| state.used -= 1);
        self.0.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_window_grows_with_success_and_halves_when_asked_to_slow_down() {
        let window = Window::new(64);
        assert_eq!(window.limit(), 16);
        for _ in 0..16 + 17 {
            window.went_well();
        }
        assert_eq!(window.limit(), 18);
        window.slow_down();
        assert_eq!(window.limit(), 9);
        for _ in 0..10 {
            window.slow_down();
        }
        assert_eq!(window.limit(), 1);
        for _ in 0..10_000 {
            window.went_well();
        }
        assert_eq!(window.limit(), 64);
        assert_eq!(Window::new(3).limit(), 3);
    }
}
