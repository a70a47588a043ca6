//! Sets of resources and the patterns they become.

use super::*;

fn of(keys: &[&str], granularity: Granularity) -> Vec<String> {
    let resources: Vec<ResourceRef> = keys
        .iter()
        .map(|key| ResourceRef::Literal(format!("arn:aws:s3:::b/{key}")))
        .collect();
    let out = patterns(resources.iter().map(|r| (r, Seen::default())), granularity);
    assert_eq!(
        out.values().map(Vec::len).sum::<usize>(),
        keys.len(),
        "no resource is lost"
    );
    out.into_keys()
        .map(|p| p.replace("arn:aws:s3:::b/", ""))
        .collect()
}

/// Each key with the days on which it was first and last seen.
fn over(keys: &[(&str, i64, i64)]) -> Vec<String> {
    let resources: Vec<(ResourceRef, Seen)> = keys
        .iter()
        .map(|(key, first, last)| {
            let seen = Seen {
                first: Some(first * DAY),
                last: Some(last * DAY),
            };
            (ResourceRef::Literal(format!("arn:aws:s3:::b/{key}")), seen)
        })
        .collect();
    let mut rotated = resources.clone();
    rotated.rotate_left(1);
    let names = |set: &[(ResourceRef, Seen)]| -> Vec<String> {
        patterns(set.iter().map(|(r, seen)| (r, *seen)), Granularity::Prefix)
            .into_keys()
            .map(|p| p.replace("arn:aws:s3:::b/", ""))
            .collect()
    };
    assert_eq!(names(&resources), names(&rotated), "order");
    names(&resources)
}

#[test]
fn a_set_that_is_complete_stays_and_one_that_grows_opens() {
    // Read every day from the first day on.
    assert_eq!(
        over(&[("in/a.csv", 0, 90), ("in/b.csv", 1, 89)]),
        ["in/a.csv", "in/b.csv"]
    );
    let fixed: Vec<String> = (0..6)
        .map(|n| format!("in/{}.csv", ["a", "b", "c", "d", "e", "f"][n]))
        .collect();
    let fixed: Vec<(&str, i64, i64)> = fixed.iter().map(|key| (key.as_str(), 2, 88)).collect();
    assert_eq!(over(&fixed).len(), 6);
    // Two users, the second of them new.
    assert_eq!(
        over(&[("users/ann/x.png", 0, 9), ("users/bob/x.png", 8, 9)]),
        ["users/*/x.png"]
    );
    assert_eq!(
        over(&[
            ("tenant=acme/a/x.png", 0, 1),
            ("tenant=wayne/a/x.png", 1, 1)
        ]),
        ["tenant=*/a/x.png"]
    );
    // Two folders at the top are not the whole bucket.
    assert_eq!(
        over(&[("raw/x.png", 0, 9), ("curated/x.png", 8, 9)]),
        ["curated/x.png", "raw/x.png"]
    );
    assert_eq!(
        over(&[("in/page1.csv", 0, 0), ("in/page2.csv", 5, 5)]),
        ["in/page*.csv"]
    );
}

fn named(arns: &[(&str, i64, i64)]) -> Vec<String> {
    let resources: Vec<(ResourceRef, Seen)> = arns
        .iter()
        .map(|(arn, first, last)| {
            let seen = Seen {
                first: Some(first * DAY),
                last: Some(last * DAY),
            };
            (ResourceRef::Literal(format!("arn:aws:{arn}")), seen)
        })
        .collect();
    let out = patterns(
        resources.iter().map(|(r, seen)| (r, *seen)),
        Granularity::Prefix,
    );
    out.into_keys()
        .map(|p| p.replacen("arn:aws:", "", 1))
        .collect()
}

#[test]
fn containers_open_where_a_new_member_of_the_family_came() {
    // A table a month.
    assert_eq!(
        named(&[
            ("dynamodb:r:1:table/events-2026-09", 0, 29),
            ("dynamodb:r:1:table/events-2026-10", 30, 59)
        ]),
        ["dynamodb:r:1:table/events-*"]
    );
    assert_eq!(
        named(&[("dynamodb:r:1:table/events-2026-09", 0, 29)]),
        ["dynamodb:r:1:table/events-2026-09"]
    );
    // Shards that were there from the beginning.
    assert_eq!(
        named(&[
            ("kinesis:r:1:stream/in-1", 0, 59),
            ("kinesis:r:1:stream/in-2", 0, 59)
        ]),
        ["kinesis:r:1:stream/in-1", "kinesis:r:1:stream/in-2"]
    );
    // Deployed anew under another suffix.
    assert_eq!(
        named(&[
            ("lambda:r:1:function:stack-Worker-1A2B3C4D5E6F", 0, 29),
            ("lambda:r:1:function:stack-Worker-9X8Y7Z6W5V4U", 30, 59)
        ]),
        ["lambda:r:1:function:stack-Worker-*"]
    );
    // A queue for each tenant.
    assert_eq!(
        named(&[
            ("sqs:r:1:acme-jobs", 0, 59),
            ("sqs:r:1:wayne-jobs", 9, 59),
            ("sqs:r:1:duff-jobs", 20, 59),
            ("sqs:r:1:bluth-jobs", 40, 59)
        ]),
        ["sqs:r:1:*-jobs"]
    );
    assert_eq!(
        named(&[
            ("sqs:r:1:orders", 0, 59),
            ("sqs:r:1:mails", 9, 59),
            ("sqs:r:1:carts", 20, 59),
            ("sqs:r:1:stock", 40, 59)
        ])
        .len(),
        4
    );
    // Indexes.
    assert_eq!(
        named(&[
            ("dynamodb:r:1:table/T", 0, 9),
            ("dynamodb:r:1:table/T/index/a", 0, 9),
            ("dynamodb:r:1:table/T/index/b", 0, 9)
        ]),
        ["dynamodb:r:1:table/T", "dynamodb:r:1:table/T/index/*"]
    );
    assert_eq!(
        named(&[("dynamodb:r:1:table/T/index/a", 0, 9)]),
        ["dynamodb:r:1:table/T/index/a"]
    );
}

#[test]
fn yesterdays_keys_make_tomorrows_pattern() {
    assert_eq!(
        of(
            &[
                "receipts/2026/11/14/order-1.json",
                "receipts/2026/11/15/order-77.json"
            ],
            Granularity::Prefix
        ),
        ["receipts/*/order-*.json"]
    );
    assert_eq!(
        of(
            &[
                "users/ann/a.png",
                "users/bob/a.png",
                "users/cid/a.png",
                "users/dee/a.png"
            ],
            Granularity::Prefix
        ),
        ["users/*/a.png"]
    );
    assert_eq!(
        of(&["in/a.csv", "in/b.csv", "out/x.csv"], Granularity::Prefix),
        ["in/a.csv", "in/b.csv", "out/x.csv"]
    );
    assert_eq!(
        of(
            &[
                "in/one.csv",
                "in/two.csv",
                "in/six.csv",
                "in/ten.csv",
                "in/old.csv"
            ],
            Granularity::Prefix
        ),
        ["in/*.csv"]
    );
    assert_eq!(of(&["in/one.csv", "out/1"], Granularity::Container), ["*"]);
    assert_eq!(
        of(&["in/1.csv", "in/2.csv"], Granularity::Exact),
        ["in/1.csv", "in/2.csv"]
    );
}
