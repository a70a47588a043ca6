//! Roles and usage made by chance: every proposal keeps the promises and IAM's limits.

use std::collections::{BTreeMap, BTreeSet};

use rolefit::catalog::{Catalog, Certainty, ResourceRef};
use rolefit::grants::{Attached, PolicyKind, Role, Snapshot};
use rolefit::iam::{Action, NamedPolicy, PolicyDocument};
use rolefit::synthesize::{
    ConditionRule, Granularity, Inputs, Options, configured_needs, synthesize,
};
use rolefit::trail::Class;
use rolefit::usage::{CallShape, Coverage, RoleUsage};
use rolefit::verify::{NoNewAccess, Subject, verify};

use crate::dice::Dice;

const DAY: i64 = 86_400;
const ARN: &str = "arn:aws:iam::111122223333:role/worker-role";

const WORDS: [&str; 10] = [
    "orders", "mails", "users", "raw", "daily", "acme", "wayne", "audit", "in", "2026",
];

fn key(dice: &mut Dice) -> String {
    let depth = 1 + dice.roll(4);
    let mut segments: Vec<String> = (0..depth)
        .map(|_| match dice.roll(8) {
            0 => format!("dt=2026-{:02}-{:02}", 1 + dice.roll(12), 1 + dice.roll(28)),
            1 => dice.hex(32),
            2 => dice.roll(100_000).to_string(),
            3 => format!("{}-{}", dice.pick(&WORDS), dice.roll(99)),
            4 => ["a*b", "x?y", "${aws:username}", "ü", "日本", " "][dice.roll(6)].to_owned(),
            _ => dice.pick(&WORDS).to_owned(),
        })
        .collect();
    segments.push(format!("{}.json", dice.pick(&WORDS)));
    segments.join("/")
}

fn request(dice: &mut Dice, many: bool) -> (&'static str, ResourceRef) {
    let spread = if many { 400 } else { 4 };
    let name = format!("{}-{}", dice.pick(&WORDS), dice.roll(spread));
    let arn = |service: &str, resource: String| {
        ResourceRef::Literal(format!(
            "arn:aws:{service}:eu-west-1:111122223333:{resource}"
        ))
    };
    match dice.roll(8) {
        0 => ("dynamodb:PutItem", arn("dynamodb", format!("table/{name}"))),
        1 => (
            "dynamodb:Query",
            arn(
                "dynamodb",
                format!("table/{name}/index/by-{}", dice.pick(&WORDS)),
            ),
        ),
        2 => ("sqs:SendMessage", arn("sqs", name)),
        3 => (
            "lambda:InvokeFunction",
            arn("lambda", format!("function:{name}:{}", dice.roll(30))),
        ),
        4 => (
            "s3:ListBucket",
            ResourceRef::Literal(format!("arn:aws:s3:::{name}")),
        ),
        5 => ("ec2:DescribeInstances", ResourceRef::Any),
        6 => (
            "s3:GetObject",
            ResourceRef::Literal(format!("arn:aws:s3:::{name}/{}", key(dice))),
        ),
        _ => (
            "s3:PutObject",
            ResourceRef::Literal(format!("arn:aws:s3:::{name}/{}", key(dice))),
        ),
    }
}

fn statements(dice: &mut Dice) -> String {
    let pool = [
        r#"{"Effect":"Allow","Action":"*","Resource":"*"}"#,
        r#"{"Sid":"Wide","Effect":"Allow","Action":["s3:*","dynamodb:*","sqs:*","lambda:*","ec2:Describe*"],"Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":["s3:Get*","s3:Put*","s3:List*"],"Resource":["arn:aws:s3:::orders-*","arn:aws:s3:::mails-1/*"]}"#,
        r#"{"Effect":"Allow","Action":"dynamodb:*","Resource":"arn:aws:dynamodb:*:*:table/*","Condition":{"StringEquals":{"aws:RequestedRegion":"eu-west-1"}}}"#,
        r#"{"Effect":"Allow","Action":"s3:*","NotResource":"arn:aws:s3:::audit-*"}"#,
        r#"{"Effect":"Allow","NotAction":["iam:*","kms:*"],"Resource":"*"}"#,
        r#"{"Effect":"Allow","Action":"sqs:SendMessage","Resource":"arn:aws:sqs:*:*:*"}"#,
        r#"{"Effect":"Deny","Action":"s3:DeleteObject","Resource":"*"}"#,
        r#"{"Effect":"Deny","Action":"s3:*","Resource":"arn:aws:s3:::users-*/*"}"#,
    ];
    let count = 1 + dice.roll(3);
    let list: Vec<&str> = (0..count).map(|_| dice.pick(&pool)).collect();
    format!(
        r#"{{"Version":"2012-10-17","Statement":[{}]}}"#,
        list.join(",")
    )
}

struct Made {
    role: Role,
    usage: RoleUsage,
    coverage: Coverage,
}

fn made(dice: &mut Dice) -> Made {
    let many = dice.roll(12) == 0;
    let document = PolicyDocument::parse(&statements(dice)).unwrap();
    let role = Role {
        arn: ARN.into(),
        name: "worker-role".into(),
        account: "111122223333".into(),
        role_id: "AROAEXAMPLE".into(),
        created: None,
        policies: vec![Attached {
            kind: PolicyKind::Inline,
            arn: None,
            policy: NamedPolicy {
                name: "inline".into(),
                document,
            },
            from_catalog: false,
            since: None,
        }],
        boundary: None,
        trust: None,
        trusted_services: vec!["lambda.amazonaws.com".into()],
        trusts_others: false,
        problems: Vec::new(),
    };
    let mut usage = RoleUsage::default();
    usage.lambda = true;
    let mut coverage = Coverage::default();
    let calls = if many { 600 } else { 1 + dice.roll(60) };
    for at in 0..calls {
        let (action, resource) = request(dice, many);
        let time = i64::try_from(dice.roll(90)).unwrap() * DAY;
        let shape = CallShape {
            action: Action::new(action),
            function: Some("worker".into()),
            class: Class::Code,
            certainty: Certainty::Seen,
            region: "eu-west-1".into(),
            context: BTreeMap::new(),
        };
        let tally = rolefit::usage::Tally::one(Some(time), Some(&format!("id-{at}")));
        usage.add_call(&shape, resource, &tally);
        coverage.place("111122223333", "eu-west-1").add(Some(time));
    }
    for day in 0..90 {
        let place = coverage.place("111122223333", "eu-west-1");
        place.days.insert(day);
        place.add(Some(i64::from(day) * DAY));
    }
    Made {
        role,
        usage,
        coverage,
    }
}

#[test]
fn what_fits_is_never_over_quota_nor_refused() {
    let rounds = if std::env::var_os("ROLEFIT_FULL").is_some() {
        2_000
    } else {
        20
    };
    let catalog = Catalog::builtin();
    let snapshot = Snapshot::default();
    let mut dice = Dice::new(20_261_122);
    let (mut spilled, mut coarser, mut too_large, mut requests) = (0, 0, 0, 0);
    for round in 0..rounds {
        let made = made(&mut dice);
        let inputs = Inputs {
            role: &made.role,
            usage: &made.usage,
            snapshot: &snapshot,
            coverage: &made.coverage,
            failed_anywhere: 0,
            catalog,
        };
        let options = Options {
            granularity: [
                Granularity::Exact,
                Granularity::Prefix,
                Granularity::Container,
            ][round % 3],
            conditions: [
                ConditionRule::Standard,
                ConditionRule::All,
                ConditionRule::None,
            ][round % 5 % 3],
            action_wildcards: round % 4 == 0,
            ..Options::default()
        };
        let proposal = synthesize(inputs, &options);
        let calls = inputs.calls();
        let verification = verify(
            Subject {
                role: ARN,
                current: &made.role.identity(),
                proposed: proposal.document.as_ref(),
                managed: &proposal.managed,
                added: &BTreeSet::new(),
                calls: &calls,
                needs: &configured_needs(inputs),
            },
            catalog,
        );
        assert!(
            matches!(verification.no_new_access, NoNewAccess::Holds),
            "{round}: {:?}",
            verification.no_new_access
        );
        assert!(
            verification.replay.denied.is_empty(),
            "{round}: {:?}",
            verification.replay.denied
        );
        assert!(
            verification.valid.unknown.is_empty(),
            "{round}: {:?}",
            verification.valid.unknown
        );
        // What no inline policy and ten managed ones can hold is refused, and only that.
        if !verification.fits() {
            assert!(
                verification.characters > 66_000,
                "{round}: {}",
                verification.characters
            );
            too_large += 1;
        }
        requests += verification.replay.requests;
        spilled += usize::from(!proposal.managed.is_empty());
        coarser += usize::from(proposal.granularity != options.granularity);
    }
    println!(
        "{rounds} roles, {requests} requests replayed, {coarser} coarser than asked, {spilled} with managed policies, {too_large} too large for any"
    );
    assert!(
        requests > 200 && coarser + spilled > 0,
        "{requests} {coarser} {spilled}"
    );
}
