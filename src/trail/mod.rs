//! What happened: bytes of log objects in, records out, and what each record says about who acted
//! and whether it was allowed. No IAM, no network, no files.

pub mod actor;
mod agent;
pub mod container;
pub mod dedupe;
pub mod digest;
pub mod fingerprint;
pub mod inflate;
pub mod key;
pub mod look;
pub mod outcome;
pub mod record;
mod scan;
mod split;
pub mod time;

pub use actor::{Actor, Class, FunctionRef, RoleSession, actor, is_damaged};
pub use container::{Decoder, Failure, ObjectOutcome, Sink, Skip, Status, records};
pub use dedupe::Dedupe;
pub use fingerprint::fingerprint;
pub use look::Look;
pub use outcome::denied;
pub use record::Record;
pub use scan::Glance;
