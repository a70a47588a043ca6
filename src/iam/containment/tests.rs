use super::*;
use crate::iam::{PolicyDocument, evaluate_complete};

fn document(statements: &str) -> PolicyDocument {
    let text = format!(r#"{{"Version":"2012-10-17","Statement":[{statements}]}}"#);
    PolicyDocument::parse(&text).unwrap_or_else(|e| panic!("{e}: {text}"))
}

fn set(statements: &str) -> PolicySet {
    PolicySet::of("p", document(statements))
}

/// A statement written shortly: `+` or `-`, actions, resources (each with `!` before for Not…) and
/// conditions as JSON.
fn statement(short: &str) -> String {
    let mut words = short.splitn(4, ' ');
    let effect = if words.next() == Some("+") {
        "Allow"
    } else {
        "Deny"
    };
    let mut element = |name: &str| {
        let word = words.next().unwrap_or("*");
        let (not, list) = word.strip_prefix('!').map_or(("", word), |l| ("Not", l));
        let list: Vec<String> = list
            .split(',')
            .filter(|s| !s.is_empty())
            .map(|s| format!("\"{s}\""))
            .collect();
        format!(r#""{not}{name}":[{}]"#, list.join(","))
    };
    let (actions, resources) = (element("Action"), element("Resource"));
    let condition = words
        .next()
        .map_or(String::new(), |c| format!(r#","Condition":{c}"#));
    format!(r#"{{"Effect":"{effect}",{actions},{resources}{condition}}}"#)
}

fn short(statements: &[&str]) -> PolicySet {
    let statements: Vec<String> = statements.iter().map(|s| statement(s)).collect();
    set(&statements.join(","))
}

fn check(proposed: &[&str], current: &[&str]) -> String {
    match contained(&short(proposed), &short(current)) {
        Containment::Contained => "contained".into(),
        Containment::NotContained(w) => {
            let context: Vec<String> = w
                .context
                .iter()
                .map(|(k, v)| format!(" {k}={}", v.join("|")))
                .collect();
            format!("{} {}{}", w.action, w.resource, context.concat())
        }
        Containment::Unknown(why) => format!("unknown: {why}"),
    }
}

#[test]
fn a_proposal_may_only_shrink() {
    for (proposed, current, expected) in [
        (
            &["+ s3:GetObject arn:aws:s3:::b/*"][..],
            &["+ * *"][..],
            "contained",
        ),
        (
            &["+ s3:GetObject arn:aws:s3:::b/*"],
            &["+ s3:getobject *"],
            "contained",
        ),
        (
            &["+ s3:Get* *"],
            &["+ s3:GetObject *"],
            "s3:get arn:aws:s3:::b",
        ),
        (
            &["+ s3:GetObject *"],
            &["+ s3:GetObject arn:aws:s3:::*"],
            "s3:getobject arn:aws:s3:b::b",
        ),
        (
            &["+ s3:GetObject arn:aws:s3:::*"],
            &["+ s3:GetObject arn:aws:s3:::b*"],
            "s3:getobject arn:aws:s3:::",
        ),
        // Nothing that is there already, however it is written.
        (&[], &[], "contained"),
        (&["+ * *"], &["+ *:* *"], "contained"),
        (&["- * *"], &[], "contained"),
        (&["+ s3:a *", "- s3:* *"], &[], "contained"),
        // Unions: no single statement holds it.
        (
            &["+ s3:?* *"],
            &["+ s3:a*,s3:b* *", "+ s3:*c *"],
            "s3:d arn:aws:s3:::b",
        ),
        (&["+ s3:a* *"], &["+ s3:a *", "+ s3:a?* *"], "contained"),
        (
            &["+ s3:a* arn:aws:s3:::b/*"],
            &[
                "+ s3:a arn:aws:s3:::b/?*",
                "+ s3:a?* *",
                "+ s3:* arn:aws:s3:::b/",
            ],
            "contained",
        ),
        (
            &["+ s3:a* arn:aws:s3:::b/*"],
            &["+ s3:a arn:aws:s3:::b/?*", "+ s3:a?* *"],
            "s3:a arn:aws:s3:::b/",
        ),
        (&["+ * *"], &["+ s3:* *", "+ !s3:* *"], "contained"),
        (
            &["+ * *"],
            &["+ * arn:aws:s3:::b", "+ * !arn:aws:s3:::b"],
            "contained",
        ),
        (
            &["+ * *"],
            &["+ * arn:aws:s3:::b", "+ * !arn:aws:s3:::?"],
            "a:a arn:aws:s3:::c",
        ),
        // NotAction and NotResource.
        (&["+ s3:* *"], &["+ !iam:*,sts:* *"], "contained"),
        (&["+ i* *"], &["+ !iam:*,sts:* *"], "iam:b arn:aws:iam:::b"),
        (&["+ !iam:*,s3:* *"], &["+ !iam:* *"], "contained"),
        (&["+ !iam:* *"], &["+ !iam:*,s3:* *"], "s3:b arn:aws:s3:::b"),
        (
            &["+ !iam:* !arn:aws:s3:::b/*"],
            &["+ !iam:Get* !arn:aws:s3:::b/x"],
            "contained",
        ),
        (
            &["+ s3:* !arn:aws:s3:::b/x"],
            &["+ s3:* !arn:aws:s3:::b/*"],
            "s3:a arn:aws:s3:::b/",
        ),
        // Deny on the right: kept, kept in other words, taken away.
        (
            &["+ s3:* *", "- s3:Delete* *"],
            &["+ s3:* *", "- s3:Delete* *"],
            "contained",
        ),
        (
            &["+ s3:* *", "- s3:Del* *"],
            &["+ s3:* *", "- s3:Delete* *"],
            "contained",
        ),
        (
            &["+ s3:* *", "- s3:Delete?* *"],
            &["+ s3:* *", "- s3:Delete* *"],
            "s3:delete arn:aws:s3:::b",
        ),
        (
            &["+ s3:* *", "- s3:Delete?*,s3:Delete *"],
            &["+ s3:* *", "- s3:Delete* *"],
            "contained",
        ),
        (
            &["+ s3:Get* *"],
            &["+ s3:* *", "- s3:Delete* *"],
            "contained",
        ),
        (
            &["+ s3:Get* *"],
            &["+ s3:* *", "- !s3:GetObject *"],
            "s3:get arn:aws:s3:::b",
        ),
        (
            &["+ s3:GetObject *"],
            &["+ s3:* *", "- !s3:GetObject *"],
            "contained",
        ),
        (
            &["+ s3:* *"],
            &["+ s3:* *", "- s3:* arn:aws:s3:::b"],
            "s3:a arn:aws:s3:::b",
        ),
        (
            &["+ s3:* !arn:aws:s3:::b"],
            &["+ s3:* *", "- s3:* arn:aws:s3:::b"],
            "contained",
        ),
        // Deny on the left makes room.
        (&["+ * *", "- !s3:* *"], &["+ s3:* *"], "contained"),
        (
            &["+ * *", "- !s3:* *"],
            &["+ s3:Get* *"],
            "s3:a arn:aws:s3:::b",
        ),
        // Colons in wildcards: yes only if yes in both readings.
        (
            &["+ s3:a arn:aws:s3:eu-*-1:1:x"],
            &["+ s3:a arn:aws:s3:eu-*:1:x"],
            "contained",
        ),
        (
            &["+ s3:a arn:aws:s3:*:x"],
            &["+ s3:a arn:aws:s3:*:*:x"],
            "s3:a arn:aws:s3::x",
        ),
        (
            &["+ s3:a arn:aws:s3:e*1:1:x"],
            &["+ s3:a arn:aws:s3:e?*1:1:x,arn:aws:s3:e1:1:x"],
            "contained",
        ),
    ] {
        assert_eq!(
            check(proposed, current),
            expected,
            "{proposed:?} in {current:?}"
        );
    }
}

#[test]
fn where_the_readings_of_colons_differ_it_is_unknown() {
    // Within a segment `e*1` holds no colon; across segments it does.
    let answer = check(
        &["+ s3:a arn:aws:s3:e*1:1:x"],
        &["+ s3:a arn:aws:s3:e*1:1:x,arn:aws:s3:e*1:1:y"],
    );
    assert_eq!(answer, "contained");
    let answer = check(
        &["+ s3:a arn:aws:s3:e*1:x:y"],
        &["+ s3:a arn:aws:s3:*", "- s3:a arn:aws:s3:*:*:*:y"],
    );
    assert!(answer.starts_with("unknown"), "{answer}");
}

#[test]
fn conditions_count_where_they_follow() {
    let like = r#"{"StringLike":{"s3:prefix":"home/*"}}"#;
    let tight = r#"{"StringEquals":{"S3:Prefix":"home/a"},"Bool":{"aws:SecureTransport":"true"}}"#;
    let region = r#"{"StringNotEquals":{"aws:RequestedRegion":["eu-west-1","eu-west-2"]}}"#;
    let in_region = r#"{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}"#;
    let under = |short: &str, condition: &str| format!("{short} {condition}");
    for (proposed, current, expected) in [
        (
            vec![under("+ s3:a *", tight)],
            vec![under("+ s3:* *", like)],
            "contained",
        ),
        (
            vec![under("+ s3:a *", like)],
            vec!["+ s3:* *".into()],
            "contained",
        ),
        (
            vec!["+ s3:a *".into()],
            vec![under("+ s3:* *", like)],
            "s3:a arn:aws:s3:::b s3:prefix=",
        ),
        (
            vec![under("+ s3:a *", like)],
            vec![under("+ s3:* *", tight)],
            "s3:a arn:aws:s3:::b s3:prefix=home/",
        ),
        // A Deny kept with its condition, and one that was dropped.
        (
            vec!["+ s3:a *".into(), under("- * *", region)],
            vec!["+ * *".into(), under("- * *", region)],
            "contained",
        ),
        (
            vec!["+ s3:a *".into()],
            vec!["+ * *".into(), under("- * *", region)],
            "s3:a arn:aws:s3:::b aws:RequestedRegion=",
        ),
        (
            vec![under("+ s3:a *", in_region)],
            vec!["+ * *".into(), under("- * *", region)],
            "contained",
        ),
        // The proposal's own conditional Deny does not excuse what it allows.
        (
            vec!["+ s3:a *".into(), under("- * *", like)],
            vec!["+ s3:b *".into()],
            "s3:a arn:aws:s3:::b s3:prefix=",
        ),
        // A Deny follows from the conditions of the Allow: then it takes all of it away.
        (
            vec![under("+ s3:a *", tight), under("- s3:a *", like)],
            vec![],
            "contained",
        ),
    ] {
        let proposed: Vec<&str> = proposed.iter().map(String::as_str).collect();
        let current: Vec<&str> = current.iter().map(String::as_str).collect();
        assert_eq!(
            check(&proposed, &current),
            expected,
            "{proposed:?} in {current:?}"
        );
    }
    // Two conditions that together always hold are not recognised, and that is said.
    let answer = check(
        &["+ s3:a *"],
        &[
            r#"+ s3:a * {"Bool":{"k":"true"}}"#,
            r#"+ s3:a * {"StringNotEquals":{"k":"true"}}"#,
        ],
    );
    assert_eq!(
        answer,
        "unknown: statement 1 of `p` allows `s3:a` on `*` and that could not be compared; \
         conditions of other statements do not provably follow from its own"
    );
}

#[test]
fn policy_variables_are_the_same_for_both() {
    for (proposed, current, expected) in [
        (
            "arn:aws:s3:::b/${aws:username}/*",
            "arn:aws:s3:::b/${AWS:UserName}/*",
            "contained",
        ),
        (
            "arn:aws:s3:::b/${aws:username}/x",
            "arn:aws:s3:::b/${aws:username}/*",
            "contained",
        ),
        (
            "arn:aws:s3:::b/${aws:username}/x",
            "arn:aws:s3:::b/*",
            "contained",
        ),
        (
            "arn:aws:s3:::b/${aws:username}",
            "arn:aws:s3:::b/?",
            "s3:a arn:aws:s3:::b/a aws:username=a",
        ),
        (
            "arn:aws:s3:::b/${aws:username}",
            "arn:aws:s3:::b/${aws:userid}",
            "s3:a arn:aws:s3:::b/c aws:userid= aws:username=c",
        ),
        (
            "arn:aws:s3:::b/*",
            "arn:aws:s3:::b/${aws:username}*",
            "s3:a arn:aws:s3:::b/ aws:username=",
        ),
    ] {
        let answer = check(
            &[&format!("+ s3:a {proposed}")],
            &[&format!("+ s3:a {current}")],
        );
        if expected == "contained" {
            assert_eq!(answer, expected, "{proposed} in {current}");
        } else {
            assert!(
                answer.starts_with("s3:a arn:aws:s3:::b/"),
                "{proposed} in {current}: {answer}"
            );
        }
    }
    // A Deny through a variable may hit anything of its shape.
    let deny = "- s3:* arn:aws:s3:::b/${aws:username}";
    assert_eq!(check(&["+ s3:a *", deny], &["+ * *", deny]), "contained");
    assert_eq!(
        check(&["+ s3:a arn:aws:s3:::c"], &["+ * *", deny]),
        "contained"
    );
    let answer = check(&["+ s3:a arn:aws:s3:::b/x"], &["+ * *", deny]);
    assert_eq!(answer, "s3:a arn:aws:s3:::b/x aws:username=x");
}

#[test]
fn boundaries_of_either_side_count() {
    let named = |statements: &[&str]| {
        let statements: Vec<String> = statements.iter().map(|s| statement(s)).collect();
        NamedPolicy {
            name: "boundary".into(),
            document: document(&statements.join(",")),
        }
    };
    let with = |statements: &[&str], boundary: &[&str]| PolicySet {
        boundary: Some(named(boundary)),
        ..short(statements)
    };
    let all = short(&["+ * *"]);
    let get = short(&["+ s3:Get* *"]);
    let bounded = with(
        &["+ * *"],
        &["+ s3:Get* *", "+ sqs:* *", "- sqs:DeleteQueue *"],
    );
    assert_eq!(contained(&bounded, &all), Containment::Contained);
    assert_eq!(contained(&get, &bounded), Containment::Contained);
    assert_eq!(contained(&bounded, &bounded), Containment::Contained);
    for (proposed, current, action) in [
        (&all, &bounded, "a:a"),
        (&bounded, &get, "sqs:a"),
        (&short(&["+ sqs:D* *"]), &bounded, "sqs:deletequeue"),
    ] {
        let Containment::NotContained(witness) = contained(proposed, current) else {
            panic!("{action}: {:?}", contained(proposed, current));
        };
        assert_eq!(witness.action, action);
    }
    assert_eq!(
        contained(&bounded, &short(&["+ s3:* *", "+ sqs:?* *", "+ sqs: *"])),
        Containment::Contained
    );
    assert_eq!(
        contained(&bounded, &short(&["+ !iam:* *"])),
        Containment::Contained
    );
}

#[test]
fn what_is_no_policy_of_a_role_is_unknown() {
    let trust = set(
        r#"{"Effect":"Allow","Principal":{"Service":"lambda.amazonaws.com"},"Action":"sts:AssumeRole"}"#,
    );
    let bucket = set(r#"{"Effect":"Allow","Principal":"*","Action":"s3:*","Resource":"*"}"#);
    for set in [&trust, &bucket] {
        assert!(matches!(
            contained(set, &short(&["+ * *"])),
            Containment::Unknown(_)
        ));
        assert!(matches!(
            contained(&short(&["+ a:b *"]), set),
            Containment::Unknown(_)
        ));
    }
}

struct Dice(u64);

impl Dice {
    fn roll(&mut self, sides: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 >> 11) as usize % sides
    }

    fn pick<'a>(&mut self, from: &[&'a str]) -> &'a str {
        from[self.roll(from.len())]
    }

    fn list(&mut self, from: &[&str]) -> String {
        let count = 1 + self.roll(3);
        let list: Vec<&str> = (0..count).map(|_| self.pick(from)).collect();
        format!(
            "{}{}",
            if self.roll(6) == 0 { "!" } else { "" },
            list.join(",")
        )
    }

    fn statement(&mut self, conditions: bool) -> String {
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
        let effect = if self.roll(4) == 0 { "-" } else { "+" };
        let actions = self.list(ACTIONS);
        let resources = if conditions && self.roll(4) == 0 {
            self.list(VARIABLES)
        } else {
            self.list(RESOURCES)
        };
        if conditions && self.roll(3) == 0 {
            format!("{effect} {actions} {resources} {}", self.pick(CONDITIONS))
        } else {
            format!("{effect} {actions} {resources}")
        }
    }

    fn statements(&mut self, most: usize, conditions: bool) -> Vec<String> {
        (0..1 + self.roll(most))
            .map(|_| self.statement(conditions))
            .collect()
    }
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

fn rounds(quick: usize, full: usize) -> usize {
    if std::env::var_os("ROLEFIT_FULL").is_some() {
        full
    } else {
        quick
    }
}

/// Random pairs: what is said to be contained no sample contradicts, and every witness is one.
fn against_samples(rounds: usize, conditions: bool, seed: u64) -> [usize; 3] {
    let requests = requests(conditions);
    let mut dice = Dice(seed);
    let mut counts = [0; 3];
    for _ in 0..rounds {
        let current = dice.statements(4, conditions);
        let mut proposed = dice.statements(2, conditions);
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
                let boundary = dice.statements(3, conditions);
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
