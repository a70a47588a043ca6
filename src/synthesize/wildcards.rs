//! `--action-wildcards`: shorter action lists, where a wildcard adds no action that AWS has today.

use std::collections::BTreeSet;

use crate::catalog::Catalog;
use crate::iam::{
    ActionMatch, Containment, Effect, PolicyDocument, PolicySet, Statement, contained,
};

/// The document with `service:Get*` for the actions that it stands for, and how many actions the wildcards
/// replace. A wildcard is taken where every action of the catalog that it names is in the list, it replaces
/// at least three, and the current policies allow all that it could ever name.
pub(super) fn shorten(
    document: &PolicyDocument,
    current: &PolicySet,
    catalog: &Catalog,
) -> (PolicyDocument, usize) {
    let mut replaced = 0;
    let statements = document
        .statements()
        .iter()
        .map(|statement| {
            let shorter = shorter(statement, current, catalog);
            if let Some(shorter) = &shorter {
                replaced += statement.actions.patterns().len() - shorter.actions.patterns().len();
            }
            shorter.unwrap_or_else(|| statement.clone())
        })
        .collect();
    (PolicyDocument::new(statements), replaced)
}

fn shorter(statement: &Statement, current: &PolicySet, catalog: &Catalog) -> Option<Statement> {
    let ActionMatch::Action(list) = &statement.actions else {
        return None;
    };
    if statement.effect == Effect::Deny {
        return None;
    }
    let listed: BTreeSet<&str> = list.iter().map(String::as_str).collect();
    let mut left = listed.clone();
    let mut kept: Vec<String> = Vec::new();
    for action in &listed {
        if !left.contains(action) || action.contains(['*', '?']) {
            continue;
        }
        let Some((wildcard, names)) = widest(action, &listed, catalog) else {
            continue;
        };
        let proposed = PolicySet::of(
            "wildcard",
            PolicyDocument::new(vec![with(statement, vec![wildcard.clone()])]),
        );
        if contained(&proposed, current) == Containment::Contained {
            left.retain(|name| !names.contains(*name));
            kept.push(wildcard);
        }
    }
    if kept.is_empty() {
        return None;
    }
    kept.extend(left.into_iter().map(str::to_owned));
    kept.sort();
    Some(with(statement, kept))
}

/// The shortest beginning of the action's name, of whole words, under which all actions of the catalog are
/// listed; at least three of them.
fn widest(
    action: &str,
    listed: &BTreeSet<&str>,
    catalog: &Catalog,
) -> Option<(String, BTreeSet<String>)> {
    let name = action.find(':')? + 1;
    let words = action[name..]
        .char_indices()
        .filter(|(at, c)| *at > 0 && c.is_ascii_uppercase());
    let ends = words.map(|(at, _)| name + at).chain([action.len()]);
    ends.map(|end| format!("{}*", &action[..end]))
        .find_map(|wildcard| {
            let names: BTreeSet<String> = catalog
                .expand(&wildcard)
                .map(|facts| facts.action.to_string())
                .collect();
            let all = names.len() >= 3 && names.iter().all(|name| listed.contains(name.as_str()));
            all.then_some((wildcard, names))
        })
}

fn with(statement: &Statement, actions: Vec<String>) -> Statement {
    Statement::new(
        statement.sid.as_deref(),
        statement.effect,
        ActionMatch::Action(actions),
        statement.resources.clone(),
        statement.conditions.clone(),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Conditions;

    #[test]
    fn a_wildcard_names_nothing_that_is_not_listed_and_stays_in_the_grant() {
        let catalog = Catalog::builtin();
        let lists: Vec<String> = catalog
            .expand("sqs:List*")
            .map(|f| f.action.to_string())
            .collect();
        assert!(lists.len() >= 3, "{lists:?}");
        let mut actions = lists.clone();
        actions.push("sqs:GetQueueUrl".into());
        let statement = Statement::allow(Some("S"), actions, vec!["*".into()], Conditions::none());
        let document = PolicyDocument::new(vec![statement]);
        let grant = |action: &str| {
            let statement = Statement::allow(
                None,
                vec![action.into()],
                vec!["*".into()],
                Conditions::none(),
            );
            PolicySet::of("g", PolicyDocument::new(vec![statement]))
        };
        let (short, replaced) = shorten(&document, &grant("sqs:*"), catalog);
        assert_eq!(
            short.statements()[0].actions.patterns(),
            ["sqs:GetQueueUrl", "sqs:List*"]
        );
        assert_eq!(replaced, lists.len() - 1);
        // A grant of the names alone does not hold what AWS may add.
        let names = PolicySet::of("g", document.clone());
        assert_eq!(shorten(&document, &names, catalog).1, 0);
    }
}
