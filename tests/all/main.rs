//! The integration tests, one binary: the structure of the crate, and the program as its users run it.
#![expect(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod apart;
mod apply;
mod architecture;
mod backtest;
mod catalog;
mod check;
mod coverage;
mod denied;
mod dice;
mod digests;
mod errors;
mod faults;
mod fit;
mod formats;
mod fuzzed;
mod generated;
mod golden;
mod identity;
mod mutation;
mod passed_over;
mod places;
mod policy;
mod policy_files;
mod program;
mod samples;
mod schedules;
mod silence;
mod state;
mod unread;
mod usage;
mod world;
