//! Making a document fit IAM's size limits without changing what it means: statements that can be one are
//! merged, then what does not fit inline goes to customer managed policies. Nothing here widens anything.

use std::collections::{BTreeMap, BTreeSet};

use crate::iam::{
    ActionMatch, Effect, NamedPolicy, PolicyDocument, ResourceMatch, Statement, quota,
};

/// The longest name that IAM takes for a policy.
const LONGEST_NAME: usize = 128;

/// A statement with its reason.
type Line = (Statement, String);

/// Statements of the same resources and conditions as one, then those of the same actions and conditions;
/// without Sids. The order of what comes first is kept.
pub(super) fn merged(
    document: &PolicyDocument,
    reasons: &[String],
) -> (PolicyDocument, Vec<String>) {
    let mut lines: Vec<Line> = document
        .statements()
        .iter()
        .cloned()
        .zip(reasons.iter().cloned())
        .collect();
    for same_resources in [true, false] {
        let mut out: Vec<Line> = Vec::new();
        for line in lines {
            match out
                .iter_mut()
                .find(|known| one(&known.0, &line.0, same_resources))
            {
                Some(known) => *known = join(known, &line),
                None => out.push(line),
            }
        }
        lines = out;
    }
    let (statements, reasons): (Vec<Statement>, Vec<String>) = lines
        .into_iter()
        .map(|(statement, reason)| (renamed(statement, None), reason))
        .unzip();
    (PolicyDocument::new(statements), reasons)
}

/// Whether two Allow statements can be one.
fn one(a: &Statement, b: &Statement, same_resources: bool) -> bool {
    let lists = |s: &Statement| {
        s.effect == Effect::Allow
            && matches!(s.actions, ActionMatch::Action(_))
            && (same_resources || matches!(s.resources, ResourceMatch::Resource(_)))
    };
    let same = if same_resources {
        a.resources == b.resources
    } else {
        a.actions == b.actions
    };
    lists(a) && lists(b) && same && a.conditions == b.conditions
}

fn join(a: &Line, b: &Line) -> Line {
    let reason = if a.1.contains(&b.1) {
        a.1.clone()
    } else {
        format!("{}; {}", a.1, b.1)
    };
    (union(&a.0, &b.0), reason)
}

/// Both as one, where they differ in actions or in resources alone.
fn union(a: &Statement, b: &Statement) -> Statement {
    let all = |a: &[String], b: &[String]| -> Vec<String> {
        let all: BTreeSet<&String> = a.iter().chain(b).collect();
        all.into_iter().cloned().collect()
    };
    let actions = ActionMatch::Action(all(a.actions.patterns(), b.actions.patterns()));
    let resources = match &a.resources {
        ResourceMatch::Resource(list) => ResourceMatch::Resource(all(list, b.resources.patterns())),
        other => other.clone(),
    };
    Statement::new(
        a.sid.as_deref(),
        Effect::Allow,
        actions,
        resources,
        a.conditions.clone(),
    )
}

/// The statement under another name. A Deny stays to the letter.
fn renamed(statement: Statement, sid: Option<&str>) -> Statement {
    if statement.effect == Effect::Deny {
        return statement;
    }
    Statement::new(
        sid,
        statement.effect,
        statement.actions,
        statement.resources,
        statement.conditions,
    )
}

/// An inline document and the managed policies beside it.
pub(super) struct Spilled {
    pub(super) inline: PolicyDocument,
    pub(super) managed: Vec<NamedPolicy>,
    /// Of the inline statements, then of each managed policy's.
    pub(super) reasons: Vec<String>,
}

/// The document spread over the inline policy and as many managed policies as a role can have. `None`
/// where that is not enough.
pub(super) fn spilled(
    document: &PolicyDocument,
    reasons: &[String],
    role: &str,
) -> Option<Spilled> {
    let empty = quota::characters(&PolicyDocument::new(Vec::new()));
    // Small pieces fill each policy; those of one statement that meet in a policy are one again.
    let mut pieces: Vec<(usize, Statement)> = Vec::new();
    for (origin, statement) in document.statements().iter().enumerate() {
        pieces.extend(parts(statement).into_iter().map(|part| (origin, part)));
    }
    // A Deny is looked at first when a role is read, so it stays inline.
    pieces.sort_by_key(|(_, statement)| statement.effect == Effect::Allow);
    let mut bins: Vec<(usize, Vec<(usize, Statement)>)> = vec![(empty, Vec::new())];
    for (origin, part) in pieces {
        let alone = size(&part) + 1;
        // Beside another piece of its statement only its own list counts.
        let more = length(part.actions.patterns()).max(length(part.resources.patterns()));
        let added = |bin: &Vec<(usize, Statement)>| {
            let joins = bin.iter().any(|(known, _)| *known == origin);
            if joins { more.min(alone) } else { alone }
        };
        let limit = |at: usize| {
            if at == 0 {
                quota::INLINE_ROLE
            } else {
                quota::MANAGED
            }
        };
        let room = bins
            .iter()
            .enumerate()
            .position(|(at, (used, bin))| used + added(bin) < limit(at));
        let at = room.unwrap_or_else(|| {
            bins.push((empty, Vec::new()));
            bins.len() - 1
        });
        // A statement of two or more holds brackets and a longer Sid.
        bins[at].0 += if bins[at].1.iter().any(|(known, _)| *known == origin) {
            more.min(alone)
        } else {
            alone + 12
        };
        bins[at].1.push((origin, part));
    }
    if bins.len() > quota::MANAGED_PER_ROLE + 1 {
        return None;
    }
    let mut times: BTreeMap<usize, usize> = BTreeMap::new();
    let mut all = Vec::new();
    let mut documents = Vec::new();
    for (_, pieces) in bins {
        let mut by_origin: BTreeMap<usize, Statement> = BTreeMap::new();
        for (origin, part) in pieces {
            let whole = match by_origin.get(&origin) {
                Some(known) => union(known, &part),
                None => part,
            };
            by_origin.insert(origin, whole);
        }
        let mut statements = Vec::new();
        for (origin, statement) in by_origin {
            let nth = times.entry(origin).or_default();
            *nth += 1;
            let sid = statement.sid.clone();
            let sid = sid.map(|sid| {
                if *nth == 1 {
                    sid
                } else {
                    format!("{sid}Part{nth}")
                }
            });
            statements.push(renamed(statement, sid.as_deref()));
            all.push(reasons.get(origin).cloned().unwrap_or_default());
        }
        documents.push(PolicyDocument::new(statements));
    }
    let mut documents = documents.into_iter();
    let inline = documents.next()?;
    let managed: Vec<NamedPolicy> = documents
        .enumerate()
        .map(|(at, document)| NamedPolicy {
            name: name(role, at + 1),
            document,
        })
        .collect();
    let fits = quota::characters(&inline) <= quota::INLINE_ROLE
        && managed
            .iter()
            .all(|policy| quota::characters(&policy.document) <= quota::MANAGED);
    fits.then_some(Spilled {
        inline,
        managed,
        reasons: all,
    })
}

/// `ROLE-rolefit-1`, within the length that IAM takes.
fn name(role: &str, number: usize) -> String {
    let end = format!("-rolefit-{number}");
    let role: String = role.chars().take(LONGEST_NAME - end.len()).collect();
    format!("{role}{end}")
}

fn size(statement: &Statement) -> usize {
    statement.raw.to_compact().chars().count()
}

/// Characters of a list, with quotes and commas.
fn length(list: &[String]) -> usize {
    list.iter().map(|text| text.chars().count() + 3).sum()
}

/// Characters of a piece that a large statement is cut into.
const PIECE: usize = 200;

/// A large Allow statement in pieces, by resources, else by actions; any other as it is. What is allowed
/// on all but some resources can be taken apart by actions only.
fn parts(statement: &Statement) -> Vec<Statement> {
    let ActionMatch::Action(actions) = &statement.actions else {
        return vec![statement.clone()];
    };
    let resources = match &statement.resources {
        ResourceMatch::Resource(resources) => resources.as_slice(),
        ResourceMatch::NotResource(_) => &[],
        ResourceMatch::None => return vec![statement.clone()],
    };
    if statement.effect == Effect::Deny || size(statement) <= 2 * PIECE {
        return vec![statement.clone()];
    }
    let by_resources = length(resources) >= length(actions);
    let list = if by_resources { resources } else { actions };
    let mut chunks: Vec<Vec<String>> = vec![Vec::new()];
    let mut used = 0;
    for text in list {
        if used > PIECE {
            chunks.push(Vec::new());
            used = 0;
        }
        used += text.chars().count() + 3;
        if let Some(chunk) = chunks.last_mut() {
            chunk.push(text.clone());
        }
    }
    let make = |chunk: Vec<String>| {
        let (actions, resources) = if by_resources {
            (actions.clone(), ResourceMatch::Resource(chunk))
        } else {
            (chunk, statement.resources.clone())
        };
        let actions = ActionMatch::Action(actions);
        Statement::new(
            statement.sid.as_deref(),
            Effect::Allow,
            actions,
            resources,
            statement.conditions.clone(),
        )
    };
    chunks.into_iter().map(make).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::iam::Conditions;

    fn allow(actions: &[&str], resources: &[String]) -> Statement {
        let actions = actions.iter().map(|a| (*a).to_owned()).collect();
        Statement::allow(Some("Sid"), actions, resources.to_vec(), Conditions::none())
    }

    fn names(count: usize) -> Vec<String> {
        (0..count)
            .map(|n| format!("arn:aws:s3:::bucket-number-{n}/some/folder/*"))
            .collect()
    }

    #[test]
    fn merging_changes_no_meaning() {
        let document = PolicyDocument::new(vec![
            allow(&["s3:GetObject"], &names(1)),
            allow(&["s3:PutObject"], &names(1)),
            allow(&["sqs:SendMessage"], &["arn:aws:sqs:eu-west-1:1:a".into()]),
            allow(&["sqs:SendMessage"], &["arn:aws:sqs:eu-west-1:1:b".into()]),
        ]);
        let reasons = vec!["r".to_owned(); 4];
        let (merged, reasons) = merged(&document, &reasons);
        assert_eq!(merged.statements().len(), 2);
        assert_eq!(reasons.len(), 2);
        assert!(quota::characters(&merged) < quota::characters(&document));
        let set = |document: &PolicyDocument| crate::iam::PolicySet::of("p", document.clone());
        assert_eq!(
            crate::iam::contained(&set(&merged), &set(&document)),
            crate::iam::Containment::Contained
        );
        assert_eq!(
            crate::iam::contained(&set(&document), &set(&merged)),
            crate::iam::Containment::Contained
        );
    }

    #[test]
    fn what_does_not_fit_inline_goes_to_managed_policies() {
        let document = PolicyDocument::new(vec![allow(&["s3:GetObject"], &names(500))]);
        let total = quota::characters(&document);
        assert!(total > quota::INLINE_ROLE * 2);
        let spilled = spilled(&document, &["r".into()], "worker").unwrap();
        assert!(quota::characters(&spilled.inline) <= quota::INLINE_ROLE);
        assert!((1..=quota::MANAGED_PER_ROLE).contains(&spilled.managed.len()));
        assert_eq!(spilled.managed[0].name, "worker-rolefit-1");
        let documents =
            || std::iter::once(&spilled.inline).chain(spilled.managed.iter().map(|m| &m.document));
        assert!(
            documents()
                .skip(1)
                .all(|d| quota::characters(d) <= quota::MANAGED)
        );
        let listed: usize = documents()
            .flat_map(PolicyDocument::statements)
            .map(|s| s.resources.patterns().len())
            .sum();
        assert_eq!(listed, 500);
        let sids: BTreeSet<_> = documents()
            .flat_map(PolicyDocument::statements)
            .map(|s| s.sid.clone())
            .collect();
        assert_eq!(
            sids.len(),
            documents().flat_map(PolicyDocument::statements).count()
        );
        assert_eq!(spilled.reasons.len(), sids.len());
    }

    #[test]
    fn too_much_for_a_role_is_told() {
        let document = PolicyDocument::new(vec![allow(&["s3:GetObject"], &names(3_000))]);
        assert!(spilled(&document, &["r".into()], "worker").is_none());
    }

    #[test]
    fn long_names_are_cut() {
        assert_eq!(name(&"x".repeat(200), 10).len(), LONGEST_NAME);
    }
}
