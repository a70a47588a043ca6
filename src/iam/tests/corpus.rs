//! Whole policies: a hundred varied ones written here, and AWS's managed policies where they are.
//!
//! `ROLEFIT_MANAGED_POLICIES` names a file that holds one JSON object of
//! `{name: {"Document": policy}}`, as `moto/iam/aws_managed_policies.py` of PyPI `moto==5.2.5` does
//! between its triple quotes.

use super::dice::{Dice, rounds};
use crate::iam::*;
use proptest::prelude::*;
use rayon::prelude::*;
use std::time::{Duration, Instant};

fn written() -> Vec<(String, Json)> {
    let mut dice = Dice(0xd1b5_4a32_d192_ed03);
    let text = |s: &str| Json::String(s.to_owned());
    let actions = [
        "s3:*",
        "s3:Get*",
        "dynamodb:PutItem",
        "logs:CreateLogStream",
        "iam:Pass?ole",
        "*",
        "sqs:*Message",
        "KMS:decrypt",
    ];
    let resources = [
        "*",
        "arn:aws:s3:::b/*",
        "arn:aws:s3:::b/${aws:username}/*",
        "arn:*:dynamodb:*:123456789012:table/t",
        "arn:aws:logs:eu-*-1:*:log-group:/aws/*",
    ];
    (0..100)
        .map(|number| {
            let list = |from: &[&str], dice: &mut Dice| match dice.roll(3) {
                0 => text(from[dice.roll(from.len())]),
                n => Json::Array((0..=n).map(|_| text(from[dice.roll(from.len())])).collect()),
            };
            let mut statements: Vec<Json> = (0..1 + dice.roll(4))
                .map(|index| {
                    let not = |dice: &mut Dice| if dice.roll(6) == 0 { "Not" } else { "" };
                    let mut fields = vec![
                        (
                            "Effect".to_owned(),
                            text(if dice.roll(4) == 0 { "Deny" } else { "Allow" }),
                        ),
                        (
                            format!("{}Action", not(&mut dice)),
                            list(&actions, &mut dice),
                        ),
                        (
                            format!("{}Resource", not(&mut dice)),
                            list(&resources, &mut dice),
                        ),
                    ];
                    if dice.roll(2) == 0 {
                        fields.push(("Sid".into(), text(&format!("S{index}"))));
                    }
                    if dice.roll(3) == 0 {
                        let (operator, value) = match dice.roll(5) {
                            0 => ("Bool", Json::Bool(true)),
                            1 => ("NumericLessThan", Json::Number("5.0".into())),
                            2 => ("StringLike", Json::Array(vec![text("a"), text("b*")])),
                            3 => ("ForAnyValue:StringNotEqualsIfExists", text("a")),
                            _ => ("StringLike", text("${aws:PrincipalTag/team}")),
                        };
                        let keys = Json::Object(vec![("aws:x".into(), value)]);
                        fields.push((
                            "Condition".into(),
                            Json::Object(vec![(operator.into(), keys)]),
                        ));
                    }
                    if dice.roll(2) == 0 {
                        fields.reverse();
                    }
                    Json::Object(fields)
                })
                .collect();
            let statement = match statements.len() {
                1 if dice.roll(2) == 0 => statements.remove(0),
                _ => Json::Array(statements),
            };
            let mut root = vec![("Statement".to_owned(), statement)];
            if dice.roll(3) != 0 {
                let version = ["2012-10-17", "2012-10-17", "2008-10-17"][dice.roll(3)];
                root.insert(dice.roll(2), ("Version".into(), text(version)));
            }
            if dice.roll(5) == 0 {
                root.push(("Id".into(), text("\u{e9}\"\\\n")));
            }
            (format!("written-{number}"), Json::Object(root))
        })
        .collect()
}

fn managed() -> Vec<(String, Json)> {
    let Some(path) = std::env::var_os("ROLEFIT_MANAGED_POLICIES") else {
        return Vec::new();
    };
    let text = std::fs::read_to_string(path).unwrap();
    let json = text.split("\"\"\"").nth(1).unwrap_or(&text);
    let Json::Object(policies) = Json::parse(json).unwrap() else {
        panic!("an object of policies");
    };
    policies
        .into_iter()
        .map(|(name, entry)| (name, entry.get("Document").unwrap().clone()))
        .collect()
}

fn all() -> Vec<(String, Json)> {
    [written(), managed()].concat()
}

fn read(json: &Json) -> PolicyDocument {
    PolicyDocument::parse(&json.to_pretty()).unwrap()
}

#[test]
fn what_is_parsed_prints_as_it_was() {
    for (name, json) in all() {
        let document = read(&json);
        assert_eq!(document.json(), &json, "{name}");
        assert_eq!(
            PolicyDocument::parse(&document.to_json_compact()).unwrap(),
            document,
            "{name}"
        );
        let value: serde_json::Value = serde_json::from_str(&json.to_compact()).unwrap();
        assert_eq!(
            document.to_json_pretty(),
            serde_json::to_string_pretty(&value).unwrap(),
            "{name}"
        );
        assert_eq!(
            PolicyDocument::from_value(&value).unwrap(),
            document,
            "{name}"
        );
    }
}

/// Some of the document's statements; those that deny all stay. With `fewer`, also some of their
/// actions go.
fn part(document: &PolicyDocument, dice: &mut Dice, fewer: bool) -> PolicyDocument {
    let mut kept = Vec::new();
    for statement in document.statements() {
        if statement.effect == Effect::Deny {
            kept.push(statement.clone());
        } else if dice.roll(2) == 0 {
            let actions = match &statement.actions {
                ActionMatch::Action(list) if fewer => {
                    ActionMatch::Action(list.iter().filter(|_| dice.roll(3) > 0).cloned().collect())
                }
                other => other.clone(),
            };
            let mut changed = Statement::new(
                None,
                Effect::Allow,
                actions,
                statement.resources.clone(),
                statement.conditions.clone(),
            );
            changed.variables = statement.variables;
            kept.push(changed);
        }
    }
    PolicyDocument::new(kept)
}

#[test]
fn a_policy_contains_itself_and_its_parts() {
    let mut dice = Dice(0x8000_0000_dead_beef);
    let (mut smaller, mut shown, mut unknown) = (0, 0, Vec::new());
    let mut slowest = (Duration::ZERO, String::new());
    let all = all();
    for (name, json) in &all {
        let document = read(json);
        let whole = PolicySet::of(name, document.clone());
        assert_eq!(contained(&whole, &whole), Containment::Contained, "{name}");
        for fewer in [false, true] {
            let less = PolicySet::of("part", part(&document, &mut dice, fewer));
            let start = Instant::now();
            assert_eq!(
                contained(&less, &whole),
                Containment::Contained,
                "{name}: {less:?}"
            );
            match contained(&whole, &less) {
                Containment::Contained => {}
                Containment::NotContained(w) => {
                    let request = Request {
                        action: w.action,
                        resource: w.resource,
                        context: w.context,
                    };
                    assert_eq!(
                        evaluate(&whole, &request).decision,
                        Decision::Allowed,
                        "{name}"
                    );
                    assert!(
                        matches!(
                            evaluate(&less, &request).decision,
                            Decision::ImplicitDeny | Decision::ExplicitDeny
                        ),
                        "{name}"
                    );
                    shown += 1;
                }
                Containment::Unknown(why) => unknown.push((name, why)),
            }
            slowest = slowest.max((start.elapsed(), name.clone()));
            smaller += 1;
        }
    }
    println!("{smaller} parts, {shown} shown to be smaller, slowest {slowest:?}");
    for (name, why) in &unknown {
        println!("{name}: {why}");
    }
    assert!(shown > smaller / 3, "{shown} of {smaller}");
    assert!(unknown.len() * 50 < smaller, "{unknown:?}");
}

#[test]
fn a_role_with_much_is_verified_quickly() {
    let managed = managed();
    let pool = if managed.is_empty() {
        written()
    } else {
        managed
    };
    let mut named: Vec<NamedPolicy> = pool
        .iter()
        .map(|(name, json)| NamedPolicy {
            name: name.clone(),
            document: read(json),
        })
        .collect();
    // The ten with the most to compare.
    named.sort_by_key(|p| std::cmp::Reverse(p.document.to_json_compact().len()));
    named.truncate(10);
    let statement = |action: &str, resource: &str| {
        Statement::allow(
            None,
            vec![action.into()],
            vec![resource.into()],
            Conditions::none(),
        )
    };
    let admin = PolicyDocument::new(vec![statement("*", "*")]);
    let actions = (0..200).map(|n| format!("s3:GetThing{n}")).collect();
    let resources = (0..20)
        .map(|n| format!("arn:aws:s3:::bucket-{n}/*"))
        .collect();
    let denies = named
        .iter()
        .flat_map(|p| p.document.statements())
        .filter(|s| s.effect == Effect::Deny);
    let mut statements: Vec<Statement> = denies.cloned().collect();
    statements.push(Statement::allow(
        None,
        actions,
        resources,
        Conditions::none(),
    ));
    let proposed = PolicySet::of("proposed", PolicyDocument::new(statements));
    let all = |with: Option<PolicyDocument>| PolicySet {
        identity: with
            .into_iter()
            .map(|document| NamedPolicy {
                name: "admin".into(),
                document,
            })
            .chain(named.iter().cloned())
            .collect(),
        boundary: None,
    };
    let (with, without) = (all(Some(admin)), all(None));
    for (what, current) in [("with", &with), ("without", &without)] {
        let start = Instant::now();
        let answer = contained(&proposed, current);
        println!(
            "{what} AdministratorAccess: {:?} in {:?}",
            std::mem::discriminant(&answer),
            start.elapsed()
        );
        assert!(!matches!(answer, Containment::Unknown(_)), "{answer:?}");
        // It is known to end at all: exponential time would not, and a busy machine is no fault.
        assert!(start.elapsed() < Duration::from_secs(120));
    }
    assert_eq!(contained(&proposed, &with), Containment::Contained);
}

#[test]
fn thousands_of_roles_are_verified_in_parallel() {
    let managed = managed();
    let pool = if managed.is_empty() {
        written()
    } else {
        managed
    };
    let documents: Vec<NamedPolicy> = pool
        .iter()
        .map(|(name, json)| NamedPolicy {
            name: name.clone(),
            document: read(json),
        })
        .collect();
    let roles = rounds(60, 5_000);
    let start = Instant::now();
    let contained = (0..roles)
        .into_par_iter()
        .filter(|&role| {
            // Ten policies a role, and a part of them as the proposal.
            let mut dice = Dice(0x2545_f491_4f6c_dd1d ^ role as u64);
            let current = PolicySet {
                identity: (0..10)
                    .map(|_| documents[dice.roll(documents.len())].clone())
                    .collect(),
                boundary: None,
            };
            let parts = current.identity.iter().flat_map(|policy| {
                let part = part(&policy.document, &mut dice, true);
                part.statements().to_vec()
            });
            let proposed = PolicyDocument::new(parts.collect());
            contained(&PolicySet::of("proposed", proposed), &current) == Containment::Contained
        })
        .count();
    println!(
        "{roles} roles of ten policies each in {:?}",
        start.elapsed()
    );
    assert_eq!(contained, roles);
}

#[test]
fn hostile_policies_end() {
    let statement = |n: usize, action: &str, resource: &str| {
        Statement::allow(
            Some(&format!("S{n}")),
            vec![action.into()],
            vec![resource.into()],
            Conditions::none(),
        )
    };
    let stars = "*".repeat(2_000);
    let letters = "*a".repeat(1_000);
    let many = |tail: &str| {
        PolicyDocument::new(
            (0..10_000)
                .map(|n| statement(n, &format!("s{n}:*{tail}"), &format!("arn:aws:s3:::*{n}*")))
                .collect(),
        )
    };
    let keys = (0..2_000).map(|n| ConditionBlock {
        operator: "StringLike".into(),
        key: format!("k{n}"),
        values: vec![format!("*{n}*")],
    });
    let conditional = Statement::allow(
        None,
        vec!["*".into()],
        vec!["*".into()],
        Conditions {
            blocks: keys.collect(),
        },
    );
    let documents = [
        many(""),
        many("x"),
        PolicyDocument::new(vec![
            statement(0, &format!("s:{stars}"), &stars),
            statement(1, &letters, &letters),
        ]),
        PolicyDocument::new(
            (0..300)
                .map(|n| statement(n, &format!("*{n}*"), &format!("{}{n}", "*a?".repeat(20))))
                .collect(),
        ),
        PolicyDocument::new(vec![conditional]),
    ];
    for (i, proposed) in documents.iter().enumerate() {
        for (j, current) in documents.iter().enumerate() {
            let start = Instant::now();
            let answer = contained(
                &PolicySet::of("p", proposed.clone()),
                &PolicySet::of("c", current.clone()),
            );
            let kind = match &answer {
                Containment::Contained => "contained".to_owned(),
                Containment::NotContained(w) => format!("{} {}", w.action, w.resource.len()),
                Containment::Unknown(why) => why.clone(),
            };
            println!(
                "{i} in {j}: {:?} {}",
                start.elapsed(),
                &kind[..kind.len().min(200)]
            );
            assert!(start.elapsed() < Duration::from_secs(60), "{i} in {j}");
            assert!(
                i != j || answer == Containment::Contained,
                "{i}: {answer:?}"
            );
        }
    }
}

proptest! {
    /// Whatever the bytes, reading ends with a policy that prints as it reads, or with an error that
    /// has a place in the text.
    #[test]
    fn any_text_is_a_policy_or_an_error(text in r#"[\[\]{}",:a-z0-9.\\\n é-]{0,40}"#, cut in 0_usize..300, seed in 1_u64..) {
        let policies = written();
        let whole = policies[Dice(seed).roll(policies.len())].1.to_pretty();
        let cut = (0..=cut.min(whole.len())).rev().find(|&at| whole.is_char_boundary(at)).unwrap_or(0);
        for text in [format!("{}{text}{}", &whole[..cut], &whole[cut..]), format!("{}{text}", &whole[..cut]), text.clone()] {
            match PolicyDocument::parse(&text) {
                Ok(document) => prop_assert_eq!(&PolicyDocument::parse(&document.to_json_compact()).unwrap(), &document),
                Err(error) => {
                    prop_assert!(error.line >= 1 && error.line <= text.matches('\n').count() + 1, "{}", error);
                    prop_assert!(error.column >= 1, "{}", error);
                }
            }
            let _ = PolicyDocument::decode(&text);
        }
    }

    /// Whatever stands in a statement, comparing and evaluating end, and a policy contains itself.
    #[test]
    fn any_patterns_are_compared(
        actions in prop::collection::vec("[a-c:*?é]{0,8}", 0..3),
        resources in prop::collection::vec(r"(arn:|\$\{|[a-b:*?/}$',])[a-c:*?/{}$', ]{0,10}", 0..3),
        deny in "[ab:*?]{0,4}",
        action in "[a-c]:[a-c]{1,3}",
        resource in "arn:[a-c:]{0,8}",
    ) {
        let statement = |effect, actions: Vec<String>, resources: Vec<String>| Statement::new(
            None, effect, ActionMatch::Action(actions), ResourceMatch::Resource(resources), Conditions::none());
        let allow = statement(Effect::Allow, actions.clone(), resources.clone());
        let whole = PolicySet::of("whole", PolicyDocument::new(vec![allow.clone()]));
        let less = PolicySet::of("less", PolicyDocument::new(vec![
            allow.clone(),
            statement(Effect::Deny, vec![deny], vec!["*".into()]),
        ]));
        let halves = PolicySet::of("halves", PolicyDocument::new(resources.iter()
            .map(|r| statement(Effect::Allow, actions.iter().rev().cloned().collect(), vec![r.clone()]))
            .collect()));
        prop_assert_eq!(contained(&less, &whole), Containment::Contained);
        prop_assert_eq!(contained(&whole, &halves), Containment::Contained);
        prop_assert_eq!(contained(&halves, &whole), Containment::Contained);
        let request = Request::new(&action, &resource);
        let decisions = [&whole, &halves].map(|set| evaluate(set, &request).decision);
        prop_assert_eq!(decisions[0], decisions[1]);
    }
}
