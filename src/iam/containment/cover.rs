//! Whether statements together hold a cell, over actions and resources at once.
//!
//! Actions fall into kinds: two actions are of one kind when the same statements are about them. For
//! each kind the resources of those statements together must hold the cell's resources.

use std::collections::{BTreeMap, HashMap};

use super::cell::{Cell, Field, Rule};
use crate::iam::pattern::QUESTION;
use crate::iam::pattern::automaton::{Budget, Exhausted, Language, Next, explore};
use crate::iam::pattern::token::{Token, glob};

/// A request of a cell that the statements do not hold, as far as conditions are left aside.
#[derive(Clone, Debug)]
pub(super) struct Point {
    pub(super) action: String,
    pub(super) resource: String,
    /// What stands in the resource where the cell has a policy variable.
    pub(super) variable: String,
}

/// Kinds of actions for which points are tried before the search for a shown one ends.
const TRIES: usize = 24;

/// A point of the cell that none of the rules is about: the first, in order of the length of the
/// action, that is `accepted`. `None` where all were refused or there is none.
///
/// # Errors
/// [`Exhausted`] where the bound on work was reached first.
pub(super) fn gap(
    cell: &Cell<'_>,
    rules: &[&Rule<'_>],
    budget: &mut Budget,
    mut accepted: impl FnMut(&Point) -> bool,
) -> Result<Option<Point>, Exhausted> {
    // Statements with the same resources count as one.
    let mut classes: Vec<(&Field, Vec<&Rule<'_>>)> = Vec::new();
    let mut places = HashMap::new();
    for rule in rules {
        let resources = &rule.resources;
        let same = places.entry((resources.negated, &resources.exact));
        if rule.actions.negated {
            classes.push((resources, vec![rule]));
        } else {
            let place = *same.or_insert_with(|| {
                classes.push((resources, Vec::new()));
                classes.len() - 1
            });
            classes[place].1.push(rule);
        }
    }
    let single = cell.actions.len() == 1;
    let mut languages: Vec<Language> = cell.actions.iter().map(|f| f.needed(single)).collect();
    languages.push(Language::one(glob("?*:?*")));
    let must = languages.len();
    for (_, members) in &classes {
        let mut language = members[0].actions.helping(&cell.actions);
        for rule in &members[1..] {
            language
                .patterns
                .extend(rule.actions.helping(&cell.actions).patterns);
        }
        language.patterns.sort();
        language.patterns.dedup();
        languages.push(language);
    }
    let fields: Vec<&Field> = classes.iter().map(|(field, _)| *field).collect();
    let mut known: BTreeMap<Vec<usize>, bool> = BTreeMap::new();
    let mut found = None;
    let mut failed = false;
    let mut tries = 0;
    // One share for actions, the rest for resources.
    let given = [budget.part(QUESTION), budget.without(QUESTION)];
    let [mut left, mut rest] = given;
    let walked = explore(&languages, must, &mut left, |here| {
        let held = |flags: &[bool]| -> Vec<usize> {
            (0..fields.len()).filter(|i| flags[must + i]).collect()
        };
        let settled = held(here.holds_on);
        if known.get(&settled) == Some(&true) {
            return Next::Prune;
        }
        if !here.holds[..must].iter().all(|&h| h) {
            return Next::Longer;
        }
        let kind = held(here.holds);
        if known.contains_key(&kind) {
            return Next::Longer;
        }
        let by: Vec<&Field> = kind.iter().map(|&i| fields[i]).collect();
        let action = here.text("");
        match uncovered(cell, &by, &action, &mut rest) {
            Err(Exhausted) => failed = true,
            Ok(None) => {
                let done = kind == settled;
                known.insert(kind, true);
                return if done { Next::Prune } else { Next::Longer };
            }
            Ok(Some(resources)) => {
                known.insert(kind, false);
                tries += 1;
                found = resources
                    .into_iter()
                    .map(|(resource, variable)| Point {
                        action: action.clone(),
                        resource,
                        variable,
                    })
                    .find(&mut accepted);
                if found.is_none() && tries < TRIES {
                    return Next::Longer;
                }
            }
        }
        Next::Stop
    });
    budget.settle(given[0], left);
    budget.settle(given[1], rest);
    if failed {
        return Err(Exhausted);
    }
    walked.map(|()| found)
}

/// A resource, and what stands in it where the cell has a policy variable.
type Resource = (String, String);

/// A resource of the cell in none of the fields: of the shape of an ARN of the action's service
/// where there is one. Where a variable is part of it, with several values for the variable, as a
/// pattern without variables may hold some of them.
fn uncovered(
    cell: &Cell<'_>,
    by: &[&Field],
    action: &str,
    budget: &mut Budget,
) -> Result<Option<Vec<Resource>>, Exhausted> {
    let Some(any) = shortest(cell, by, None, budget)? else {
        return Ok(None);
    };
    if any[0].0.starts_with("arn:") && any[0].0.matches(':').count() >= 5 {
        return Ok(Some(any));
    }
    let service = action.split(':').next().unwrap_or_default();
    let star = Language::one(vec![Token::Char('*')]);
    let own = Language::one(glob(&format!("arn:aws:{service}:*:*:?*")));
    for shape in [own, star, Language::one(glob("arn:?*:?*:*:*:?*"))] {
        if let Ok(Some(better)) = shortest(cell, by, Some(shape), budget) {
            return Ok(Some(better));
        }
    }
    Ok(Some(any))
}

fn shortest(
    cell: &Cell<'_>,
    by: &[&Field],
    shape: Option<Language>,
    budget: &mut Budget,
) -> Result<Option<Vec<Resource>>, Exhausted> {
    let single = cell.resources.len() == 1;
    let mut languages: Vec<Language> = cell.resources.iter().map(|f| f.needed(single)).collect();
    languages.extend(shape);
    let must = languages.len();
    languages.extend(by.iter().map(|field| field.helping(&cell.resources)));
    let given = budget.part(QUESTION);
    let mut left = given;
    let mut found = None;
    let walked = explore(&languages, must, &mut left, |here| {
        if here.holds_on[must..].contains(&true) {
            return Next::Prune;
        }
        if here.holds[..must].iter().all(|&h| h) && !here.holds[must..].contains(&true) {
            let c = here.unnamed();
            let mut resources: Vec<Resource> =
                [format!("{c}"), format!("{c}{c}"), format!("{c}:{c}")]
                    .into_iter()
                    .map(|variable| (here.text(&variable), variable))
                    .collect();
            if resources[0].0 == resources[1].0 {
                resources.truncate(1);
            }
            found = Some(resources);
            return Next::Stop;
        }
        Next::Longer
    });
    budget.settle(given, left);
    walked.map(|()| found)
}
