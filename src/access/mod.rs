//! The doors around a role: which policy refused a call and how it opens, who may take the role, who
//! invokes its functions, and one role for each function that shares it.
//!
//! Comes in: the usage table, the roles and functions of the snapshot, the catalog. Goes out: findings
//! with stable codes and policies to review. Changes nothing silently: what it proposes stands beside
//! what is there today, and nothing here is a proof: that is [`crate::verify`]'s.

mod denied;
mod door;
mod fix;
mod inbound;
mod scope;
mod split;
mod tie;
mod trust;

pub use denied::{Around, DeniedGroup, RefusedResource, denied};
pub use door::{How, Verdict};
pub use fix::Fix;
pub use inbound::{CallerRow, Door as InboundDoor, Inbound, StatementRow, inbound};
pub use scope::{SOURCE_FUNCTION, in_context, scoped, trust_policy};
pub use split::{Part, Split, split};
pub use tie::Tie;
pub use trust::{TrustCode, TrustFinding, review as review_trust};
