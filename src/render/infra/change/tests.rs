use serde_json::{Value, json};

use super::*;
use crate::iam::{Containment, NamedPolicy, PolicyDocument, PolicySet, contained};

const ROLE: &str = "arn:aws:iam::111122223333:role/team/worker";

fn allow(service: &str, resources: usize) -> Value {
    let list: Vec<String> = (0..resources)
        .map(|at| format!("arn:aws:{service}:us-east-1:111122223333:thing/{at:020}"))
        .collect();
    json!({"Version": "2012-10-17", "Statement": [
        {"Effect": "Allow", "Action": format!("{service}:*"), "Resource": list}]})
}

fn join(parts: &[Value]) -> Value {
    let all: Vec<Value> = parts
        .iter()
        .flat_map(|part| part["Statement"].as_array().unwrap().clone())
        .collect();
    json!({"Version": "2012-10-17", "Statement": all})
}

fn current(inline: &[(&str, Value)], attached: &[(&str, Value)]) -> Value {
    let inline = inline.iter().map(|(name, document)| {
        json!({"PolicyName": name, "Kind": "inline", "PolicyDocument": document})
    });
    let attached = attached.iter().map(|(arn, document)| {
        json!({"PolicyName": arn, "Kind": "customer-managed", "PolicyArn": arn, "PolicyDocument": document})
    });
    json!({"RoleName": "worker", "Arn": ROLE, "Policies": inline.chain(attached).collect::<Vec<_>>(),
        "PermissionsBoundary": null})
}

fn set(documents: impl Iterator<Item = Value>) -> PolicySet {
    PolicySet {
        identity: documents
            .map(|document| NamedPolicy {
                name: "x".to_owned(),
                document: PolicyDocument::from_value(&document).unwrap(),
            })
            .collect(),
        boundary: None,
    }
}

fn of(state: &RoleState) -> PolicySet {
    set(state
        .inline
        .values()
        .chain(state.attached.values())
        .cloned())
}

/// Every state on the way there, and on the way back, allows what the proposal allows, and nothing that was
/// not allowed; and the inline policies are never too large together.
fn check(current: &Value, target: &Target) -> Vec<String> {
    let change = Change::plan(ROLE, current, target).unwrap();
    let wanted = set(target
        .inline
        .iter()
        .cloned()
        .chain(target.managed.iter().map(|(_, document)| document.clone())));
    let before = of(&change.before);
    let states = change.states();
    for (at, state) in states.iter().enumerate() {
        let now = of(state);
        assert_eq!(
            contained(&wanted, &now),
            Containment::Contained,
            "needs, after step {at}"
        );
        assert_eq!(
            contained(&now, &before),
            Containment::Contained,
            "no more, after step {at}"
        );
        let inline: usize = state.inline.values().map(characters).sum();
        assert!(
            inline <= quota::INLINE_ROLE,
            "{inline} characters after step {at}"
        );
        assert!(
            state
                .attached
                .values()
                .all(|d| characters(d) <= quota::MANAGED)
        );
    }
    let last = states.last().unwrap();
    assert_eq!(
        contained(&of(last), &wanted),
        Containment::Contained,
        "nothing else is left"
    );
    // The way back ends where it began, through the same states.
    let mut state = last.clone();
    for (at, step) in change.steps.iter().enumerate().rev() {
        step.undone().take(&mut state);
        assert_eq!(state, states[at]);
    }
    change.steps.iter().map(Step::words).collect()
}

fn inline(document: Value) -> Target {
    Target {
        inline: Some(document),
        ..Target::default()
    }
}

#[test]
fn what_is_put_comes_before_what_goes() {
    let now = current(
        &[("old", allow("s3", 2))],
        &[("arn:aws:iam::aws:policy/Broad", allow("sqs", 3))],
    );
    assert_eq!(
        check(&now, &inline(join(&[allow("s3", 1), allow("sqs", 1)]))),
        [
            "put inline policy rolefit",
            "detach policy arn:aws:iam::aws:policy/Broad",
            "delete inline policy old",
        ]
    );
}

#[test]
fn a_second_time_its_own_policy_is_replaced_and_what_is_there_already_is_no_step() {
    let now = current(&[("rolefit", allow("s3", 2))], &[]);
    assert_eq!(
        check(&now, &inline(allow("s3", 1))),
        ["put inline policy rolefit in the place of what it was"]
    );
    assert!(check(&now, &inline(allow("s3", 2))).is_empty());
}

#[test]
fn one_large_policy_is_replaced_under_its_own_name() {
    let now = current(
        &[("large", allow("s3", 150)), ("small", allow("sqs", 1))],
        &[],
    );
    assert_eq!(
        check(&now, &inline(join(&[allow("s3", 140), allow("sqs", 1)]))),
        [
            "put inline policy large in the place of what it was",
            "delete inline policy small",
        ]
    );
}

#[test]
fn many_policies_that_leave_no_room_go_through_managed_ones_that_do_not_stay() {
    let services = ["s3", "sqs", "sns", "kms", "sts", "ses", "ssm", "rds"];
    let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
    let olds: Vec<(&str, Value)> = names
        .into_iter()
        .zip(services.iter().map(|s| allow(s, 18)))
        .collect();
    let now = current(&olds, &[]);
    let small: Vec<Value> = services.iter().map(|s| allow(s, 9)).collect();
    let steps = check(&now, &inline(join(&small)));
    assert_eq!(
        steps[0],
        "create policy arn:aws:iam::111122223333:policy/worker-rolefit-transition-1"
    );
    assert_eq!(
        steps
            .iter()
            .filter(|step| step.starts_with("delete inline"))
            .count(),
        8
    );
    assert_eq!(
        steps.last().unwrap(),
        "delete policy arn:aws:iam::111122223333:policy/worker-rolefit-transition-1, made before"
    );
    // Too large for one managed policy meanwhile.
    let large: Vec<Value> = services.iter().map(|s| allow(s, 17)).collect();
    let steps = check(&now, &inline(join(&large)));
    assert!(
        steps.iter().any(|step| step.contains("transition-2")),
        "{steps:?}"
    );
}

#[test]
fn what_fits_nowhere_is_refused_with_the_numbers() {
    let olds: Vec<(String, Value)> = (0..5)
        .map(|at| (format!("p{at}"), allow("s3", 28)))
        .collect();
    let olds: Vec<(&str, Value)> = olds.iter().map(|(n, d)| (n.as_str(), d.clone())).collect();
    let now = current(&olds, &[]);
    let error = Change::plan(ROLE, &now, &inline(allow("s3", 120))).unwrap_err();
    assert!(matches!(error, ChangeError::TooLarge { .. }), "{error}");
    assert!(error.to_string().contains("10240"), "{error}");
}

#[test]
fn managed_policies_are_made_under_a_free_name_and_old_ones_are_only_detached() {
    let held = "arn:aws:iam::111122223333:policy/worker-rolefit-1";
    let now = current(&[], &[(held, join(&[allow("s3", 50), allow("sqs", 2)]))]);
    let target = Target {
        inline: Some(allow("sqs", 1)),
        managed: vec![("worker-rolefit-1".to_owned(), allow("s3", 40))],
        attach: None,
    };
    assert_eq!(
        check(&now, &target),
        [
            "create policy arn:aws:iam::111122223333:policy/worker-rolefit-1-2",
            "attach policy arn:aws:iam::111122223333:policy/worker-rolefit-1-2",
            "put inline policy rolefit",
            "detach policy arn:aws:iam::111122223333:policy/worker-rolefit-1",
        ]
    );
    // The same content stays as it is.
    let target = Target {
        managed: vec![(
            "worker-rolefit-1".to_owned(),
            join(&[allow("s3", 50), allow("sqs", 2)]),
        )],
        ..Target::default()
    };
    assert!(check(&now, &target).is_empty());
}

#[test]
fn denies_of_today_hold_at_every_step() {
    let deny = json!({"Effect": "Deny", "Action": "s3:DeleteObject", "Resource": "*"});
    let mut old = allow("s3", 3);
    old["Statement"].as_array_mut().unwrap().push(deny.clone());
    let mut new = allow("s3", 1);
    new["Statement"].as_array_mut().unwrap().push(deny);
    check(&current(&[("old", old)], &[]), &inline(new));
}

#[test]
fn service_linked_roles_and_unreadable_policies_are_left_alone() {
    let linked = "arn:aws:iam::111122223333:role/aws-service-role/lambda.amazonaws.com/X";
    let none = current(&[], &[]);
    assert_eq!(
        Change::plan(linked, &none, &Target::default()),
        Err(ChangeError::ServiceLinked)
    );
    let broken = json!({"Policies": [{"PolicyName": "x"}]});
    assert!(Change::plan(ROLE, &broken, &Target::default()).is_err());
    assert!(Change::plan(ROLE, &json!({}), &Target::default()).is_err());
}
