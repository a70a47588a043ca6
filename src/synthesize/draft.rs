//! A proposal in the making: what the steps share, and the one way to keep something.

use std::collections::{BTreeMap, BTreeSet};

use super::clip::clip;
use super::granted::Granted;
use super::pack;
use super::patterns::Granularity;
use super::visible::View;
use super::{Emit, Inputs, MissingNeed, Options, Reason, Removed, Target, Verdict};
use crate::iam::ConditionBlock;
use crate::usage::Tally;

/// The state that the steps share.
pub(super) struct Draft<'a> {
    pub(super) inputs: Inputs<'a>,
    pub(super) options: &'a Options,
    pub(super) granularity: Granularity,
    pub(super) granted: Granted<'a>,
    pub(super) view: View<'a>,
    pub(super) emits: Vec<Emit>,
    pub(super) kept: BTreeMap<String, Kept>,
    pub(super) removed: BTreeSet<Removed>,
    pub(super) missing: BTreeSet<MissingNeed>,
    pub(super) granted_elsewhere: BTreeSet<(String, String)>,
    pub(super) reasons: Vec<Reason>,
}

/// What is known of an action that stays.
#[derive(Debug, Default)]
pub(super) struct Kept {
    pub(super) verdict: Option<Verdict>,
    pub(super) tally: Tally,
    pub(super) functions: BTreeSet<String>,
    pub(super) reason: String,
}

impl Draft<'_> {
    /// Keeps `wanted` of an action as far as the current grants allow it, under their conditions and
    /// `extra` ones. Gives whether any grant does.
    pub(super) fn keep_clipped(
        &mut self,
        action: &str,
        wanted: &str,
        grants: &[usize],
        extra: &[ConditionBlock],
        verdict: Verdict,
        reason: &str,
    ) -> bool {
        let Some((facts, _)) = self.granted.actions.get(action) else {
            return false;
        };
        let resource_level = !facts.resource_types.is_empty();
        // An unconditional grant that covers all of it makes the conditional ones superfluous.
        let (free, conditional): (Vec<usize>, Vec<usize>) = grants
            .iter()
            .partition(|&&g| self.granted.grants[g].statement.conditions.is_empty());
        let mut emits = Vec::new();
        for g in free.into_iter().chain(conditional) {
            let grant = &self.granted.grants[g];
            let targets = clip(&grant.statement.resources, wanted, resource_level);
            let whole = grant.statement.conditions.is_empty()
                && targets.len() == 1
                && matches!(&targets[0], Target::Resource(r) if r == wanted || !resource_level);
            if whole {
                emits.clear();
            }
            for target in targets {
                let conditions = pack::merge_conditions(&grant.statement.conditions, extra);
                emits.push(Emit {
                    action: action.to_owned(),
                    target,
                    conditions,
                    verdict,
                    reason: reason.to_owned(),
                });
            }
            if whole {
                break;
            }
        }
        let any = !emits.is_empty();
        self.emits.extend(emits);
        any
    }

    pub(super) fn note(&mut self, action: &str, verdict: Verdict, reason: &str) -> &mut Kept {
        let kept = self.kept.entry(action.to_owned()).or_default();
        if kept.verdict.is_none_or(|known| verdict < known) {
            kept.verdict = Some(verdict);
            reason.clone_into(&mut kept.reason);
        }
        kept
    }

    pub(super) fn reason(&mut self, code: &'static str, review: bool, message: String) {
        self.reasons.push(Reason {
            code,
            message,
            review,
        });
    }
}
