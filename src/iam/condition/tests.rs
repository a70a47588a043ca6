use super::*;
use crate::iam::statement::Conditions;

fn block(operator: &str, values: &[&str]) -> ConditionBlock {
    ConditionBlock {
        operator: operator.into(),
        key: "k".into(),
        values: values.iter().map(ToString::to_string).collect(),
    }
}

/// Whether the block holds when key `K` (in another case than the policy's) has these values;
/// no values: it is absent.
fn check(operator: &str, values: &[&str], found: &[&str]) -> Truth {
    let found = found.iter().map(ToString::to_string).collect();
    let context = BTreeMap::from([
        ("K".to_owned(), found),
        ("aws:Who".to_owned(), vec!["me*".to_owned()]),
        ("aws:Gone".to_owned(), vec![]),
        ("aws:Two".to_owned(), vec!["a".to_owned(), "b".to_owned()]),
    ]);
    holds(
        &[block(operator, values)],
        true,
        &Context::new(&context, false),
    )
}

#[test]
fn operators_hold_as_the_user_guide_says() {
    for (operator, values, found, expected) in [
        ("StringEquals", &["a", "b"][..], &["b"][..], true),
        ("stringequals", &["a"], &["a"], true),
        ("StringEquals", &["a*"], &["ab"], false),
        ("StringEquals", &["a*"], &["a*"], true),
        ("StringEquals", &["a"], &["A"], false),
        ("StringNotEquals", &["a", "b"], &["c"], true),
        ("StringNotEquals", &["a", "b"], &["b"], false),
        ("StringEqualsIgnoreCase", &["aB"], &["Ab"], true),
        ("StringNotEqualsIgnoreCase", &["aB"], &["Ab"], false),
        ("StringLike", &["a*", "x?"], &["xy"], true),
        ("StringLike", &["a*"], &["A"], false),
        ("StringNotLike", &["a*"], &["b"], true),
        ("StringNotLike", &["a*"], &["ab"], false),
        ("NumericEquals", &["10"], &["10.0"], true),
        ("NumericEquals", &["10"], &["ten"], false),
        ("NumericEquals", &["inf"], &["inf"], false),
        ("NumericNotEquals", &["10"], &["11"], true),
        ("NumericLessThan", &["10"], &["9"], true),
        ("NumericLessThan", &["10"], &["10"], false),
        ("NumericLessThanEquals", &["10"], &["10"], true),
        ("NumericGreaterThan", &["10"], &["9", "11"], true),
        ("NumericGreaterThanEquals", &["10"], &["9"], false),
        (
            "DateLessThan",
            &["2026-01-01T00:00:00Z"],
            &["2025-12-31T23:59:59Z"],
            true,
        ),
        (
            "DateLessThan",
            &["2026-01-01"],
            &["2026-01-01T00:00:00Z"],
            false,
        ),
        (
            "DateGreaterThan",
            &["2026-01-01T01:00:00+01:00"],
            &["2026-01-01T00:00:01Z"],
            true,
        ),
        ("DateEquals", &["0"], &["1970-01-01T00:00:00Z"], true),
        ("DateNotEquals", &["0"], &["1970-01-01T00:00:00Z"], false),
        ("DateGreaterThanEquals", &["0"], &["yesterday"], false),
        ("DateLessThanEquals", &["86400"], &["1970-01-02"], true),
        ("Bool", &["true"], &["True"], true),
        ("Bool", &["true"], &["false"], false),
        ("BinaryEquals", &["QmluYXJ5"], &["QmluYXJ5"], true),
        ("BinaryEquals", &["QmluYXJ5"], &["qmluYXJ5"], false),
        (
            "IpAddress",
            &["203.0.113.0/24", "2001:db8::/32"],
            &["203.0.113.9"],
            true,
        ),
        (
            "IpAddress",
            &["203.0.113.0/24", "2001:db8::/32"],
            &["2001:db8:1::1"],
            true,
        ),
        ("IpAddress", &["203.0.113.0/24"], &["203.0.114.9"], false),
        ("IpAddress", &["203.0.113.7"], &["203.0.113.7"], true),
        ("IpAddress", &["0.0.0.0/0"], &["8.8.8.8"], true),
        ("IpAddress", &["0.0.0.0/0"], &["::1"], false),
        ("IpAddress", &["1.2.3.4/33"], &["1.2.3.4"], false),
        ("NotIpAddress", &["203.0.113.0/24"], &["203.0.114.9"], true),
        (
            "ArnLike",
            &["arn:aws:sns:*:123456789012:t*"],
            &["arn:aws:sns:eu-west-1:123456789012:topic"],
            true,
        ),
        (
            "ArnEquals",
            &["arn:aws:sns:*:123456789012:t*"],
            &["arn:aws:sns:eu-west-1:123456789012:topic"],
            true,
        ),
        (
            "ArnLike",
            &["arn:aws:*:x:y:topic"],
            &["arn:aws:sns:a:x:y:topic"],
            false,
        ),
        (
            "ArnLike",
            &["arn:aws:s3:::b*x"],
            &["arn:aws:s3:::b/a:x"],
            true,
        ),
        (
            "ArnNotLike",
            &["arn:aws:sns:*:123456789012:t*"],
            &["arn:aws:sqs:eu-west-1:123456789012:topic"],
            true,
        ),
        (
            "ArnNotEquals",
            &["arn:aws:s3:::b"],
            &["arn:aws:s3:::b"],
            false,
        ),
        // Absent keys.
        ("StringEquals", &["a"], &[], false),
        ("StringEqualsIfExists", &["a"], &[], true),
        ("StringEqualsIfExists", &["a"], &["b"], false),
        ("StringNotEquals", &["a"], &[], true),
        ("NumericNotEquals", &["1"], &[], true),
        ("NotIpAddress", &["1.2.3.4"], &[], true),
        ("Bool", &["false"], &[], false),
        ("BoolIfExists", &["false"], &[], true),
        ("Null", &["true"], &[], true),
        ("Null", &["false"], &[], false),
        ("Null", &["true"], &["x"], false),
        ("Null", &["False"], &["x"], true),
        // Several values.
        ("ForAllValues:StringEquals", &["a", "b"], &["a", "b"], true),
        ("ForAllValues:StringEquals", &["a", "b"], &["a", "c"], false),
        ("ForAllValues:StringEquals", &["a"], &[], true),
        ("ForAllValues:StringNotLike", &["a*"], &["b", "c"], true),
        ("ForAllValues:StringNotLike", &["a*"], &["b", "ab"], false),
        ("ForAnyValue:StringEquals", &["a", "b"], &["c", "a"], true),
        ("ForAnyValue:StringEquals", &["a", "b"], &["c"], false),
        ("ForAnyValue:StringEquals", &["a"], &[], false),
        ("ForAnyValue:StringEqualsIfExists", &["a"], &[], true),
        ("ForAnyValue:StringNotEquals", &["a"], &["a", "b"], true),
        ("ForAnyValue:StringNotEquals", &["a"], &["a"], false),
        ("foranyvalue:stringlike", &["a*"], &["ab"], true),
        // Policy variables: their values are text, not patterns.
        ("StringLike", &["${aws:who}/*"], &["me*/x"], true),
        ("StringLike", &["${AWS:WHO}/*"], &["mex/x"], false),
        ("StringEquals", &["${aws:Gone}"], &[""], false),
        ("StringEquals", &["${aws:Gone, 'x'}"], &["x"], true),
        ("StringNotEquals", &["${aws:Gone}"], &["x"], true),
        ("StringLike", &["${aws:Two}"], &["a"], false),
        ("StringLike", &["a${*}"], &["ab"], false),
        ("StringLike", &["a${*}"], &["a*"], true),
    ] {
        let expected = if expected { Truth::Yes } else { Truth::No };
        assert_eq!(
            check(operator, values, found),
            expected,
            "{operator} {values:?} on {found:?}"
        );
    }
}

#[test]
fn what_cannot_be_known_is_open() {
    let open = |key: &str| Truth::Open(BTreeSet::from([key.to_owned()]));
    assert_eq!(
        check("StringEquals", &["${aws:Unknown}"], &["a"]),
        open("aws:Unknown")
    );
    // Another value settles it.
    assert_eq!(
        check("StringEquals", &["${aws:Unknown}", "a"], &["a"]),
        Truth::Yes
    );
    for operator in [
        "StringResembles",
        "ForSomeValues:StringLike",
        "NullIfExists",
        "",
    ] {
        assert_eq!(check(operator, &["a"], &["a"]), open("k"), "{operator}");
    }
    let nothing = BTreeMap::new();
    for operator in [
        "StringEquals",
        "StringNotEquals",
        "Null",
        "ForAllValues:StringLike",
    ] {
        let holds = |complete| {
            holds(
                &[block(operator, &["true"])],
                true,
                &Context::new(&nothing, complete),
            )
        };
        assert_eq!(holds(false), open("k"), "{operator}");
        assert!(matches!(holds(true), Truth::Yes | Truth::No), "{operator}");
    }
}

fn conditions(blocks: &[(&str, &[&str])]) -> Conditions {
    Conditions {
        blocks: blocks.iter().map(|(o, v)| block(o, v)).collect(),
    }
}

/// Blocks to compare with each other: every operator with values that hold one another or do not.
fn blocks() -> Vec<ConditionBlock> {
    let mut out = Vec::new();
    let families: [(&[&str], &[&[&str]]); 6] = [
        (
            &[
                "StringEquals",
                "StringNotEquals",
                "StringLike",
                "StringNotLike",
                "StringEqualsIgnoreCase",
                "StringNotEqualsIgnoreCase",
            ],
            &[
                &["a"],
                &["A"],
                &["a", "b"],
                &["a*"],
                &["*"],
                &["a*", "?b"],
                &["${aws:who}"],
                &["${aws:who}*"],
                &[],
            ],
        ),
        (
            &[
                "NumericEquals",
                "NumericNotEquals",
                "NumericLessThan",
                "NumericLessThanEquals",
                "NumericGreaterThan",
                "NumericGreaterThanEquals",
            ],
            &[&["1"], &["2"], &["1", "2"], &["x"]],
        ),
        (
            &["DateEquals", "DateLessThan", "DateGreaterThanEquals"],
            &[&["1"], &["1970-01-01T00:00:02Z"]],
        ),
        (
            &["IpAddress", "NotIpAddress"],
            &[
                &["10.0.0.0/8"],
                &["10.1.0.0/16"],
                &["10.1.2.3", "::1"],
                &["::/0"],
            ],
        ),
        (
            &["ArnLike", "ArnNotEquals"],
            &[
                &["arn:aws:s3:::a*"],
                &["arn:aws:s3:::ab"],
                &["arn:*:s3:::a*"],
                &["arn:aws:s3*"],
                &["*"],
            ],
        ),
        (
            &["Bool", "Null"],
            &[&["true"], &["false"], &["true", "false"]],
        ),
    ];
    for (operators, values) in families {
        for operator in operators {
            for set in ["", "ForAllValues:", "ForAnyValue:"] {
                for end in ["", "IfExists"] {
                    out.extend(
                        values
                            .iter()
                            .map(|v| block(&format!("{set}{operator}{end}"), v)),
                    );
                }
            }
        }
    }
    out
}

/// Whether the blocks contradict each other where both are about this key.
fn contradict(a: &ConditionBlock, b: &ConditionBlock, key: &str) -> bool {
    let of_key = |block: &ConditionBlock| Conditions {
        blocks: vec![ConditionBlock {
            key: key.into(),
            ..block.clone()
        }],
    };
    let (a, b) = (of_key(a), of_key(b));
    exclude::contradict(&implies::clauses(&a, true), &implies::clauses(&b, true))
}

/// An implication that is claimed must hold in every context; a claimed contradiction too.
#[test]
fn implications_and_contradictions_are_true_in_every_context() {
    let worlds: Vec<BTreeMap<String, Vec<String>>> = [
        &[][..],
        &["a"],
        &["A"],
        &["b"],
        &["ab"],
        &["me*"],
        &["mex"],
        &["a*"],
        &["a", "b"],
        &["a", "zz"],
        &["0"],
        &["1"],
        &["1.5"],
        &["2"],
        &["3"],
        &["1", "3"],
        &["10.1.2.3"],
        &["10.1.9.9"],
        &["10.9.9.9"],
        &["11.1.1.1"],
        &["::1"],
        &["arn:aws:s3:::ab"],
        &["arn:aws:s3:::ac"],
        &["arn:x:s3:::a"],
        &["arn:aws:s3:::b"],
        &["true"],
        &["false"],
        &["true", "false"],
    ]
    .iter()
    .flat_map(|values| {
        [None, Some("me*"), Some("")].map(|who| {
            let values = values.iter().map(ToString::to_string).collect();
            let who = who.map(ToOwned::to_owned).into_iter().collect();
            BTreeMap::from([("k".to_owned(), values), ("aws:who".to_owned(), who)])
        })
    })
    .collect();
    let blocks = blocks();
    let shows: Vec<Vec<Truth>> = blocks
        .iter()
        .map(|b| {
            let one = std::slice::from_ref(b);
            worlds
                .iter()
                .map(|w| holds(one, true, &Context::new(w, true)))
                .collect()
        })
        .collect();
    let (mut implied, mut contradicted, mut single_contradicted, mut missed) = (0, 0, 0, 0);
    for (i, a) in blocks.iter().enumerate() {
        for (j, b) in blocks.iter().enumerate() {
            let single = |b: &ConditionBlock| Conditions {
                blocks: vec![b.clone()],
            };
            let (stronger, weaker) = (single(a), single(b));
            let both = || worlds.iter().zip(shows[i].iter().zip(&shows[j]));
            let counter = both().find(|(_, (x, y))| **x == Truth::Yes && **y != Truth::Yes);
            if implies(&stronger, &weaker) {
                assert_eq!(counter, None, "{a:?} implies {b:?}");
                implied += usize::from(i != j);
            } else if counter.is_none() && shows[i].contains(&Truth::Yes) {
                missed += 1;
            }
            let met = |most: usize| {
                both().find(|(w, (x, y))| {
                    w["k"].len() <= most && **x == Truth::Yes && **y == Truth::Yes
                })
            };
            if contradict(a, b, "k") {
                assert_eq!(met(usize::MAX), None, "{a:?} contradicts {b:?}");
                contradicted += 1;
            }
            // Of a key that a request has once at most, more can be said.
            if contradict(a, b, "aws:SourceVpc") {
                assert_eq!(met(1), None, "{a:?} contradicts {b:?} for one value");
                single_contradicted += 1;
            }
        }
    }
    assert!(
        implied > 1_500,
        "{implied} implications, {missed} perhaps missed"
    );
    assert!(contradicted > 200, "{contradicted} contradictions");
    assert!(
        single_contradicted > contradicted + 500,
        "{single_contradicted} contradictions of one value"
    );
}

#[test]
fn implications_one_would_expect() {
    for (stronger, weaker, expected) in [
        (
            &[("StringLike", &["a/b*"][..]), ("Bool", &["true"])][..],
            &[("StringLike", &["a/*"][..])][..],
            true,
        ),
        (
            &[("StringEquals", &["a"])],
            &[("StringEquals", &["b", "a"])],
            true,
        ),
        (
            &[("StringEquals", &["a", "b"])],
            &[("StringEquals", &["a"])],
            false,
        ),
        (
            &[("StringEquals", &["ab"])],
            &[("StringLikeIfExists", &["a*"])],
            true,
        ),
        (
            &[("StringEqualsIfExists", &["a"])],
            &[("StringEquals", &["a"])],
            false,
        ),
        (
            &[("StringNotLike", &["a*"])],
            &[("StringNotEquals", &["ab", "ac"])],
            true,
        ),
        (
            &[("StringNotEquals", &["ab"])],
            &[("StringNotLike", &["a*"])],
            false,
        ),
        (
            &[("IpAddress", &["10.1.0.0/16"])],
            &[("IpAddress", &["10.0.0.0/8"])],
            true,
        ),
        (
            &[("NumericLessThan", &["5"])],
            &[("NumericLessThanEquals", &["10"])],
            true,
        ),
        (&[("StringEquals", &["a"])], &[("Null", &["false"])], true),
        (
            &[("StringNotEquals", &["a"])],
            &[("Null", &["false"])],
            false,
        ),
        (&[], &[("StringEquals", &["a"])], false),
        (&[("Weird", &["a"])], &[("Weird", &["a"])], true),
    ] {
        assert_eq!(
            implies(&conditions(stronger), &conditions(weaker)),
            expected,
            "{stronger:?} to {weaker:?}"
        );
    }
}
