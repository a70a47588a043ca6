//! Wires the stages: reading in parallel, then one role after the other.
//!
//! Log objects are opened and decoded by a pool of workers, each with a table of its own; the tables
//! merge once at the end. Nothing is printed here: an [`crate::event::Observer`] listens.

mod apart;
mod assemble;
mod backtest;
mod batches;
mod coverage;
mod doors;
mod explain;
mod fit;
mod namesakes;
mod record;
mod requests;
mod rows;
mod scan;
mod state;
mod stored;

pub use backtest::{BacktestError, BacktestOptions, Events, SplitAt, backtest};
pub use batches::{Reading, merge_into, scan_into};
pub use coverage::coverage;
pub use doors::denied;
pub use explain::explain;
pub use fit::{FitOptions, fit, names, passed_over};
pub use record::{Shard, only_shard, record, unopened};
pub use requests::{RequestLine, requests};
pub use scan::{Objects, Scan, scan, scan_passing_over};
pub use state::{State, StateError, Updated};
pub use stored::{StoredError, selection, stored};
