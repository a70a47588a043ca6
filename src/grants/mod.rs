//! What each role may do today.
//!
//! In: the account snapshot, each file exactly as the AWS CLI prints it. Out: roles with every policy
//! document that applies to them, Lambda's description of their functions, trail selectors and service
//! last accessed data. Knows nothing of what happened.

mod config;
mod details;
mod function_policies;
mod last_accessed;
mod selectors;
mod snapshot;
mod sound;
mod trails;
mod trust;
mod vouchers;
mod widen;

pub use config::{EventSourceMapping, Function, InvokeConfig};
pub use details::{Attached, PolicyKind, Role};
pub use last_accessed::{Attempt, LastAccessed};
pub use selectors::{DataSelector, Selectors};
pub use snapshot::{Concern, GAPS_FILE, Snapshot, SnapshotError, SnapshotNote};
pub use trails::Trail;
pub use vouchers::vouchers;
