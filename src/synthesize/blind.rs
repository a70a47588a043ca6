//! What of today's grants a trail cannot show, and what would make it visible.

use super::Target;
use super::draft::Draft;
use super::visible::{Blind, Sight};
use super::witness::{Witness, takes};
use crate::catalog::{ActionFacts, Visibility};

/// Why an action cannot be seen.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Cause {
    /// Data events of this type are not in the input where the role works.
    Data(&'static str),
    /// Management events of this kind are left out.
    Management,
    /// The grant is for a Region that the input has no events of.
    Region,
    /// No trail shows it.
    Never,
    /// The input has no events of the account.
    NoEvents,
}

/// One granted action that the input cannot show.
#[derive(Clone, Debug)]
pub struct BlindAction {
    /// `service:Name`.
    pub action: String,
    /// Why.
    pub cause: Cause,
    /// Something speaks for it: a grant that names it or its resource, or the role's other calls, the
    /// configuration of its functions, service last accessed data. Otherwise a wildcard over everything
    /// grants it and nothing else tells of it.
    pub named: bool,
    /// In words.
    pub reason: String,
}

/// The blind actions of a draft to which what is used and configured was added.
pub(super) fn of(draft: &Draft<'_>) -> Vec<BlindAction> {
    let mut witness_of: Option<Witness<'_>> = None;
    let mut out = Vec::new();
    for (action, (facts, grants)) in &draft.granted.actions {
        let service = facts.action.service();
        let mut found: Option<(Cause, String)> = None;
        let mut named = false;
        for &g in grants {
            let grant = &draft.granted.grants[g];
            for target in grant.targets() {
                let resource = match &target {
                    Target::Resource(resource) => resource.as_str(),
                    Target::NotResource(_) => "*",
                };
                if !takes(draft, facts, &target) {
                    continue;
                }
                if let Sight::Blind(blind, reason) = draft.view.sight(facts, resource) {
                    named |= !grant.is_wide(service);
                    found.get_or_insert_with(|| (cause(draft, facts, resource, blind), reason));
                }
            }
        }
        let Some((cause, reason)) = found else {
            continue;
        };
        if !named {
            let witness = witness_of.get_or_insert_with(|| Witness::of(draft));
            let tried = witness.accessed.decides(action, service);
            named = tried.map_or_else(
                || witness.services.contains_key(service),
                |said| said.is_ok(),
            );
        }
        out.push(BlindAction {
            action: (*action).to_owned(),
            cause,
            named,
            reason,
        });
    }
    out
}

fn cause(draft: &Draft<'_>, facts: &ActionFacts, resource: &str, blind: Blind) -> Cause {
    match (blind, draft.inputs.catalog.visibility(facts)) {
        (Blind::Missing, _) => Cause::NoEvents,
        (Blind::NotLogged, _) if draft.view.regions(facts, resource).is_err() => Cause::Region,
        (Blind::NotLogged, Visibility::Data(types)) => {
            types.first().map_or(Cause::Never, |kind| Cause::Data(kind))
        }
        (Blind::NotLogged, Visibility::Management) => Cause::Management,
        // What shows only beside another action is seen with that one.
        (Blind::NotLogged, Visibility::Carried { by, .. }) => by
            .iter()
            .filter_map(|carrier| draft.inputs.catalog.action(carrier))
            .find_map(|carrier| match draft.view.sight(carrier, resource) {
                Sight::Blind(blind, _) => Some(cause(draft, carrier, resource, blind)),
                Sight::Logged(_) => None,
            })
            .unwrap_or(Cause::Management),
        _ => Cause::Never,
    }
}
