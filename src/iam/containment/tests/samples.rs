//! Random pairs of policies against a grid of requests.

use super::*;
use crate::iam::evaluate_complete;
use crate::iam::tests::dice::{Dice, rounds};

fn list(dice: &mut Dice, from: &[&str]) -> String {
    let count = 1 + dice.roll(3);
    let list: Vec<&str> = (0..count).map(|_| dice.pick(from)).collect();
    format!(
        "{}{}",
        if dice.roll(6) == 0 { "!" } else { "" },
        list.join(",")
    )
}

fn random_statement(dice: &mut Dice, conditions: bool) -> String {
    const ACTIONS: &[&str] = &[
        "*", "s:*", "s:a", "s:A*", "s:*b", "s:?", "s:??*", "t:*", "t:b", "?:a", "*b", "s:a?",
        "s:b*", "S:ab",
    ];
    const RESOURCES: &[&str] = &[
        "*",
        "arn:aws:s:::a",
        "arn:aws:s:::b",
        "arn:aws:s:::a*",
        "arn:aws:s:::*b",
        "arn:aws:s:::?",
        "arn:aws:s:::a?*",
        "arn:aws:s:r:1:*",
        "arn:aws:s:*",
        "arn:aws:s:*:1:a",
        "arn:aws:s:r*:1:a",
        "arn:aws:s:?:1:a",
        "arn:*",
        "arn:aws:s:r?1:a",
        "arn:aws:s:*r:1:ab",
        "arn:aws:s:::*",
    ];
    const VARIABLES: &[&str] = &[
        "arn:aws:s:::${u}",
        "arn:aws:s:::a${u}",
        "arn:aws:s:::${u}*",
        "arn:aws:s:${v}:1:a",
    ];
    const CONDITIONS: &[&str] = &[
        r#"{"StringEquals":{"k":"a"}}"#,
        r#"{"StringEquals":{"k":["a","b"]}}"#,
        r#"{"StringLike":{"k":"a*"}}"#,
        r#"{"StringLike":{"K":"*"}}"#,
        r#"{"StringNotEquals":{"k":["a","b"]}}"#,
        r#"{"StringNotEquals":{"k":"a"}}"#,
        r#"{"StringNotLike":{"k":"a*"},"Bool":{"u":"false"}}"#,
        r#"{"StringEqualsIfExists":{"k":"a"}}"#,
        r#"{"Null":{"k":"true"}}"#,
        r#"{"Null":{"k":"false"}}"#,
        r#"{"StringEquals":{"k":"a"},"StringLike":{"u":"a"}}"#,
        r#"{"ForAllValues:StringEquals":{"k":["a","b"]}}"#,
        r#"{"ForAnyValue:StringLike":{"k":"a*"}}"#,
        r#"{"StringEquals":{"k":"${u}"}}"#,
    ];
    let effect = if dice.roll(4) == 0 { "-" } else { "+" };
    let actions = list(dice, ACTIONS);
    let resources = if conditions && dice.roll(4) == 0 {
        list(dice, VARIABLES)
    } else {
        list(dice, RESOURCES)
    };
    if conditions && dice.roll(3) == 0 {
        format!("{effect} {actions} {resources} {}", dice.pick(CONDITIONS))
    } else {
        format!("{effect} {actions} {resources}")
    }
}

fn random_statements(dice: &mut Dice, most: usize, conditions: bool) -> Vec<String> {
    (0..1 + dice.roll(most))
        .map(|_| random_statement(dice, conditions))
        .collect()
}

fn requests(conditions: bool) -> Vec<Request> {
    let mut out = Vec::new();
    let contexts: Vec<BTreeMap<String, Vec<String>>> = if conditions {
        let values = [&[][..], &["a"], &["b"], &["ab"], &["a", "b"], &["z"]];
        let list = |v: &[&str]| v.iter().map(ToString::to_string).collect();
        values
            .iter()
            .flat_map(|k| {
                [&[][..], &["a"], &["b"], &["a:1"]].map(|u| {
                    BTreeMap::from([
                        ("k".into(), list(k)),
                        ("u".into(), list(u)),
                        ("v".into(), list(u)),
                    ])
                })
            })
            .collect()
    } else {
        vec![BTreeMap::new()]
    };
    for action in [
        "s:a", "s:b", "s:ab", "s:aab", "s:c", "t:a", "t:b", "t:c", "st:ab", "x:yb",
    ] {
        for resource in [
            "*",
            "arn:aws:s:::a",
            "arn:aws:s:::b",
            "arn:aws:s:::ab",
            "arn:aws:s:::aab",
            "arn:aws:s:::c",
            "arn:aws:s:r:1:a",
            "arn:aws:s:r:1:b",
            "arn:aws:s:q:1:a",
            "arn:aws:s:rr:1:a",
            "arn:aws:s:r:1:ab",
            "arn:aws:s:r:1:1:a",
            "arn:aws:s:rx:2:1:a",
            "arn:aws:t:::a",
            "x",
            "arn:aws:s:a:1:1:a",
        ] {
            out.extend(contexts.iter().map(|context| Request {
                action: action.into(),
                resource: resource.into(),
                context: context.clone(),
            }));
        }
    }
    out
}

/// Random pairs: what is said to be contained no sample contradicts, and every witness is one.
fn against_samples(rounds: usize, conditions: bool, seed: u64) -> [usize; 3] {
    let requests = requests(conditions);
    let mut dice = Dice(seed);
    let mut counts = [0; 3];
    for _ in 0..rounds {
        let current = random_statements(&mut dice, 4, conditions);
        let mut proposed = random_statements(&mut dice, 2, conditions);
        if dice.roll(2) == 0 {
            // As real proposals do: a part of what is there, its Denies kept.
            proposed.retain(|s| s.starts_with('-') || dice.roll(3) == 0);
            proposed.extend(
                current
                    .iter()
                    .filter(|s| s.starts_with('-') || dice.roll(2) == 0)
                    .cloned(),
            );
        }
        let mut sets =
            [&proposed, &current].map(|s| short(&s.iter().map(String::as_str).collect::<Vec<_>>()));
        for (set, statements) in sets.iter_mut().zip([&proposed, &current]) {
            if dice.roll(5) == 0 {
                let boundary = random_statements(&mut dice, 3, conditions);
                let text: Vec<String> = boundary
                    .iter()
                    .chain(&statements[..dice.roll(2).min(statements.len())])
                    .map(|s| statement(s))
                    .collect();
                set.boundary = Some(NamedPolicy {
                    name: "b".into(),
                    document: document(&text.join(",")),
                });
            }
        }
        let [left, right] = &sets;
        let wider = || {
            requests.iter().find(|r| {
                evaluate_complete(left, r).decision == Decision::Allowed
                    && evaluate_complete(right, r).decision != Decision::Allowed
            })
        };
        let case = || {
            format!(
                "{proposed:?} {:?} in {current:?} {:?}",
                left.boundary, right.boundary
            )
        };
        match contained(left, right) {
            Containment::Contained => {
                assert_eq!(wider(), None, "{}", case());
                counts[0] += 1;
            }
            Containment::NotContained(w) => {
                let request = Request {
                    action: w.action,
                    resource: w.resource,
                    context: w.context,
                };
                assert_eq!(
                    evaluate(left, &request).decision,
                    Decision::Allowed,
                    "{}",
                    case()
                );
                let denied = evaluate(right, &request).decision;
                assert!(
                    matches!(denied, Decision::ImplicitDeny | Decision::ExplicitDeny),
                    "{}",
                    case()
                );
                counts[1] += 1;
            }
            Containment::Unknown(why) => {
                // Patterns alone are compared exactly; only the readings of colons may differ.
                assert!(conditions || why.contains("colon"), "{why}: {}", case());
                counts[2] += 1;
            }
        }
    }
    counts
}

#[test]
fn patterns_alone_are_decided_and_agree_with_samples() {
    let rounds = rounds(1_500, 50_000);
    let [yes, no, unknown] = against_samples(rounds, false, 0x51_7c_c1_b7_27_22_0a_95);
    println!("{yes} contained, {no} not, {unknown} unknown");
    assert!(
        yes > rounds / 5 && no > rounds / 5,
        "{yes} contained, {no} not, {unknown} unknown"
    );
    assert!(unknown < rounds / 20, "{unknown} unknown");
}

#[test]
fn with_conditions_and_variables_answers_agree_with_samples() {
    let rounds = rounds(500, 50_000);
    let [yes, no, unknown] = against_samples(rounds, true, 0x9e_37_79_b9_7f_4a_7c_15);
    println!("{yes} contained, {no} not, {unknown} unknown");
    assert!(
        yes > rounds / 6 && no > rounds / 6,
        "{yes} contained, {no} not, {unknown} unknown"
    );
    assert!(unknown < rounds / 8, "{unknown} unknown");
}
