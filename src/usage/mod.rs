//! The mergeable table of requests per role and function.
//!
//! In: records, one at a time, through [`Collector`]. Out: [`Usage`], whose merge is associative and
//! commutative, so that any number of workers and any order of log objects give the same table. Memory
//! is bounded by the ladder of [`ladder`]. Knows nothing of policies.

mod bounded;
mod changes;
mod collect;
mod coverage;
mod effect;
pub mod file;
mod glance;
mod invoked;
pub mod ladder;
pub mod ledger;
mod observe;
mod outside;
mod pending;
mod role;
mod shape;
mod table;
mod tally;
mod volatile;

use std::collections::{BTreeMap, BTreeSet};

pub use bounded::{Bounded, Coarser};
pub use changes::{ChangeTarget, Changes, PolicyChange};
pub use collect::Collector;
pub use coverage::{Coverage, DataSeen, Place};
pub use invoked::{Caller, CallerKind};
pub use observe::{Observation, Outcome, observe};
pub use outside::OutsideKey;
pub use role::{Call, CallShape, Denial, DeniedKey, FunctionKey, RoleUsage, Unmapped};
pub use table::Table;
pub use tally::Tally;

/// What every role did, and what the input covers.
#[derive(Debug, Default)]
pub struct Usage {
    /// Role ARN → what it did.
    pub roles: BTreeMap<String, RoleUsage>,
    /// Where and when the input has events at all.
    pub coverage: Coverage,
    /// Every record that was read, by what became of it.
    pub records: Records,
    /// Policies that were changed, by whatever principal.
    pub changes: Changes,
    /// Function ARN without a qualifier → who invoked it.
    pub invoked: BTreeMap<String, Bounded<Caller>>,
    /// Roles that were passed over although a record shows that Lambda uses them: to be read again.
    pub proven: BTreeSet<String>,
}

/// The records of the input. `read` is the sum of the others.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Records {
    /// All records.
    pub read: u64,
    /// Acted by a role session; the role's own tallies say what became of them.
    pub by_role: u64,
    /// Acted by anything else, or outside the selected accounts, Regions or dates.
    pub other: u64,
    /// Seen before under the same event id.
    pub duplicate: u64,
    /// Not a readable record.
    pub undecodable: u64,
}

impl Usage {
    /// Adds another worker's table.
    pub fn merge(&mut self, other: Self) {
        for (arn, usage) in other.roles {
            match self.roles.entry(arn) {
                std::collections::btree_map::Entry::Vacant(entry) => {
                    entry.insert(usage);
                }
                std::collections::btree_map::Entry::Occupied(mut entry) => {
                    entry.get_mut().merge(usage);
                }
            }
        }
        self.coverage.merge(other.coverage);
        self.changes.merge(other.changes);
        self.proven.extend(other.proven);
        for (function, callers) in other.invoked {
            self.invoked.entry(function).or_default().merge(callers);
        }
        self.records.read += other.records.read;
        self.records.by_role += other.records.by_role;
        self.records.other += other.records.other;
        self.records.duplicate += other.records.duplicate;
        self.records.undecodable += other.records.undecodable;
    }
}
