//! What one event does to the table, apart from when it happened, and how many such events go into it.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::super::effect::{Effect, Fate};
use super::super::invoked::Caller;
use super::super::role::{FunctionKey, RoleUsage};
use super::super::{Records, Tally, Usage};

/// What one event does.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::usage) struct Deed {
    /// To the table of roles.
    pub(in crate::usage) act: Act,
    /// The function that it shows invoked, and by whom.
    pub(in crate::usage) invoked: Option<(String, Caller)>,
}

/// What an event does to the table of roles.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(in crate::usage) enum Act {
    /// Nothing: it is of another principal than a role.
    Other,
    /// Lambda took a role for a function.
    Took {
        role: String,
        function: Option<FunctionKey>,
    },
    /// A session of a role acted.
    Role(Box<Effect>),
}

impl Deed {
    /// Whether events of this kind are shown as evidence.
    pub(in crate::usage) fn is_evidence(&self) -> bool {
        self.act != Act::Other || self.invoked.is_some()
    }

    /// Whether every event of its shape does this.
    pub(in crate::usage) fn is_of_shape(&self) -> bool {
        matches!(&self.act, Act::Role(effect) if effect.is_of_shape())
    }

    /// Puts events of this kind into the table.
    pub(in crate::usage) fn apply(
        &self,
        tally: &Tally,
        roles: &mut HashMap<String, RoleUsage, RandomState>,
        usage: &mut Usage,
    ) {
        if let Some((function, caller)) = &self.invoked {
            let callers = usage.invoked.entry(function.clone()).or_default();
            callers.add_all(caller.clone(), tally);
        }
        let records: &mut Records = &mut usage.records;
        match &self.act {
            Act::Other => records.other += tally.count,
            Act::Took { role, function } => {
                records.other += tally.count;
                let usage = roles.entry(role.clone()).or_default();
                usage.lambda = true;
                if let Some(key) = function {
                    usage.taken.entry(key.clone()).or_default().merge(tally);
                    usage.functions.entry(key.clone()).or_default().merge(tally);
                }
            }
            Act::Role(effect) => {
                records.by_role += tally.count;
                effect.apply(roles, tally, true);
            }
        }
    }

    /// The parts that climb ladders: resources of calls, of denied calls, evidence of strangers, callers.
    pub(super) fn climb(mut self, step: &mut impl super::ladders::Step) -> Self {
        if let Some((function, caller)) = self.invoked.take() {
            let caller = step.caller(&function, caller);
            self.invoked = Some((function, caller));
        }
        if let Act::Role(effect) = &mut self.act {
            let role = &effect.role;
            for (shape, resource) in &mut effect.calls {
                *resource = step.call(role, shape, resource.clone());
            }
            if let Some(refusal) = &mut effect.refusal {
                refusal.resource = step.denied(role, &refusal.key, refusal.resource.clone());
            }
            if let Fate::Outside(key) = &mut effect.fate {
                *key = step.outside(role, key.clone());
            }
        }
        self
    }
}
