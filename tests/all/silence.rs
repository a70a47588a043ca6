//! What silence may never do: the properties that hold for any account, and cases beside the golden ones.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use rolefit::catalog::Catalog;
use rolefit::grants::Snapshot;
use rolefit::iam::pattern;
use rolefit::pipeline::{FitOptions, fit, scan};
use rolefit::read::{Disk, Selection};
use serde_json::{Value, json};

use crate::program::{allows, codes, report, role};
use crate::world::{self, World};

/// What can be granted and called: action, resource of the grant, event source and name, the data event
/// type where it is one. Management, data, never shown, neighbours.
const ACTIONS: [(&str, &str, &str, &str, &str); 12] = [
    ("sns:CreateTopic", "*", "sns", "CreateTopic", ""),
    ("sns:DeleteTopic", "*", "sns", "DeleteTopic", ""),
    ("sqs:CreateQueue", "*", "sqs", "CreateQueue", ""),
    ("ec2:DescribeInstances", "*", "ec2", "DescribeInstances", ""),
    (
        "s3:GetObject",
        "arn:aws:s3:::in/*",
        "s3",
        "GetObject",
        "AWS::S3::Object",
    ),
    (
        "s3:PutObject",
        "arn:aws:s3:::in/*",
        "s3",
        "PutObject",
        "AWS::S3::Object",
    ),
    ("s3:ListBucket", "arn:aws:s3:::in", "", "", ""),
    (
        "dynamodb:GetItem",
        "arn:aws:dynamodb:us-east-1:111122223333:table/T",
        "dynamodb",
        "GetItem",
        "AWS::DynamoDB::Table",
    ),
    (
        "dynamodb:PutItem",
        "arn:aws:dynamodb:us-east-1:111122223333:table/T",
        "dynamodb",
        "PutItem",
        "AWS::DynamoDB::Table",
    ),
    (
        "sqs:SendMessage",
        "arn:aws:sqs:us-east-1:111122223333:q",
        "",
        "",
        "",
    ),
    ("events:PutEvents", "*", "", "", ""),
    (
        "kms:Decrypt",
        "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-1111-4222-8333-444455556666",
        "kms",
        "Decrypt",
        "",
    ),
];

/// One account: what is granted, called and logged, and what the snapshot tells.
#[derive(Clone, Debug)]
struct Account {
    granted: BTreeSet<usize>,
    wide: bool,
    /// Day, index of the action, log object.
    calls: Vec<(u32, usize, usize)>,
    /// Log objects with nothing but what others did.
    quiet: usize,
    selectors: Option<(bool, bool, bool)>,
    functions: bool,
    mappings: bool,
    last_accessed: bool,
    /// Log objects that are deleted, by bits.
    deleted: u8,
}

fn account() -> impl Strategy<Value = Account> {
    (
        prop::collection::btree_set(0..ACTIONS.len(), 1..9),
        prop::bool::weighted(0.15),
        prop::collection::vec((0..45_u32, 0..ACTIONS.len(), 0..5_usize), 0..14),
        0..3_usize,
        prop::option::weighted(0.5, (any::<bool>(), any::<bool>(), any::<bool>())),
        any::<bool>(),
        any::<bool>(),
        prop::bool::weighted(0.3),
        1..32_u8,
    )
        .prop_map(
            |(
                granted,
                wide,
                calls,
                quiet,
                selectors,
                functions,
                mappings,
                last_accessed,
                deleted,
            )| Account {
                granted,
                wide,
                calls,
                quiet,
                selectors,
                functions,
                mappings,
                last_accessed,
                deleted,
            },
        )
}

/// Verdict and resources by action.
type Verdicts = BTreeMap<String, (String, Vec<String>)>;

struct Bench {
    pool: rayon::ThreadPool,
}

impl Bench {
    fn verdicts(&self, world: &World) -> Verdicts {
        let catalog = Catalog::builtin();
        let snapshot = Snapshot::load(Some(&world.path().join("snapshot")), &[], catalog).unwrap();
        let source = Disk::new(&[world.logs()], &[]).unwrap();
        let read = scan(
            &source,
            &Selection::default(),
            catalog,
            &self.pool,
            &rolefit::event::Silent,
        );
        let options = FitOptions::default();
        let report = fit(read, &snapshot, &options, catalog, &self.pool);
        let role = report.roles.first().unwrap();
        role.decisions
            .iter()
            .map(|row| {
                (
                    row.action.clone(),
                    (row.verdict.to_owned(), row.resources.clone()),
                )
            })
            .collect()
    }
}

fn call(world: &mut World, day: u32, action: usize) {
    let (_, resource, source, name, kind) = ACTIONS[action];
    if source.is_empty() {
        return;
    }
    let arn = resource.replace('*', &format!("a{day:02}/x"));
    let read = ["Get", "Describe", "Decrypt"]
        .iter()
        .any(|verb| name.starts_with(verb));
    let mut record = json!({"readOnly": read});
    let topic = "arn:aws:sns:us-east-1:111122223333:t";
    let parameters = match source {
        "s3" => json!({"bucketName": "in", "key": format!("a{day:02}/x")}),
        "dynamodb" => json!({"tableName": "T"}),
        "sns" => json!({"name": "t", "topicArn": topic}),
        "sqs" => json!({"queueName": "q"}),
        _ => json!({}),
    };
    record["requestParameters"] = parameters;
    if source == "kms" {
        record["resources"] = json!([{"type": "AWS::KMS::Key", "ARN": resource}]);
    }
    if !kind.is_empty() {
        record["resources"] = json!([{"type": kind, "ARN": arn}]);
        record["eventCategory"] = json!("Data");
        record["managementEvent"] = json!(false);
    }
    world.call(day, source, name, record);
}

impl Account {
    fn statements(&self) -> Value {
        if self.wide {
            return json!([{"Effect": "Allow", "Action": ["s3:*", "sns:*", "sqs:*", "events:*"], "Resource": "*"}]);
        }
        let all: Vec<Value> = self
            .granted
            .iter()
            .map(|&at| json!({"Effect": "Allow", "Action": ACTIONS[at].0, "Resource": ACTIONS[at].1}))
            .chain([json!({"Effect": "Allow", "Action": ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "arn:aws:logs:*:*:*"})])
            .collect();
        Value::Array(all)
    }

    /// Writes everything, and gives the paths of the log objects.
    fn build(&self, world: &mut World) -> Vec<std::path::PathBuf> {
        let mut objects = Vec::new();
        for object in 0..5 {
            for (day, action, _) in self.calls.iter().filter(|(_, _, at)| *at == object) {
                call(world, *day, *action);
            }
            if object < 2 + self.quiet {
                let from = 9 * u32::try_from(object).unwrap();
                world.cover(from..from + 9);
            }
            objects.push(world.write_logs());
        }
        world.write_role(&self.statements());
        if let Some((s3, dynamodb, sqs)) = self.selectors {
            let all = [
                (s3, "AWS::S3::Object"),
                (dynamodb, "AWS::DynamoDB::Table"),
                (sqs, "AWS::SQS::Queue"),
            ];
            let kinds: Vec<&str> = all
                .iter()
                .filter(|(on, _)| *on)
                .map(|(_, kind)| *kind)
                .collect();
            world.write_selectors(&kinds);
        }
        objects
    }

    fn write_witnesses(&self, world: &World) {
        let function = "arn:aws:lambda:us-east-1:111122223333:function:worker";
        if self.functions {
            world.write_snapshot(
                "functions.json",
                &json!({"Functions": [{"FunctionName": "worker", "FunctionArn": function, "Role": World::role_arn("worker-role"),
                    "DeadLetterConfig": {"TargetArn": "arn:aws:sqs:us-east-1:111122223333:q"}}]}),
            );
        }
        if self.mappings {
            world.write_snapshot(
                "event-source-mappings.json",
                &json!({"EventSourceMappings": []}),
            );
        }
        if self.last_accessed {
            world.write_snapshot(
                "service-last-accessed/worker-role.json",
                &json!({"JobStatus": "COMPLETED", "JobCreationDate": "2026-11-02T00:00:00Z", "IsTruncated": false, "ServicesLastAccessed": [
                    {"ServiceNamespace": "s3", "LastAuthenticated": "2026-11-01T00:00:00Z", "LastAuthenticatedRegion": "us-east-1"},
                    {"ServiceNamespace": "sns"}, {"ServiceNamespace": "sqs"}]}),
            );
        }
    }
}

const KEPT: [&str; 5] = ["used", "configured", "pinned", "unseen", "added"];

/// What was kept because it was used or configured stays, used resources and all.
fn never_loses(
    poorer: &Verdicts,
    richer: &Verdicts,
    seen: &mut usize,
) -> Result<(), TestCaseError> {
    for (action, (verdict, resources)) in poorer {
        if verdict != "used" && verdict != "configured" {
            continue;
        }
        *seen += 1;
        let Some((after, wider)) = richer.get(action) else {
            return Err(TestCaseError::fail(format!(
                "{action} was {verdict} and is gone"
            )));
        };
        prop_assert!(
            KEPT.contains(&after.as_str()),
            "{action} was {verdict} and is {after}"
        );
        if verdict == "used" {
            for resource in resources {
                prop_assert!(
                    wider.iter().any(|wider| pattern::covers(wider, resource)),
                    "{action} on {resource} is not in {wider:?}"
                );
            }
        }
    }
    Ok(())
}

#[test]
fn more_input_never_costs_what_was_used_and_less_never_proves_absence() {
    let bench = Bench {
        pool: rayon::ThreadPoolBuilder::new()
            .num_threads(1)
            .build()
            .unwrap(),
    };
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &[7; 32]);
    let cases = if std::env::var_os("ROLEFIT_FULL").is_some() {
        1_500
    } else {
        120
    };
    let mut runner = TestRunner::new_with_rng(
        Config {
            cases,
            failure_persistence: None,
            ..Config::default()
        },
        rng,
    );
    let (used, witnessed, unseen) = (
        std::cell::Cell::new(0_usize),
        std::cell::Cell::new(0_usize),
        std::cell::Cell::new(0_usize),
    );
    let outcome = runner.run(&account(), |account| {
        let mut world = World::new();
        let objects = account.build(&mut world);
        let bare = bench.verdicts(&world);
        account.write_witnesses(&world);
        let whole = bench.verdicts(&world);
        let mut count = 0;
        never_loses(&bare, &whole, &mut count)?;
        witnessed.set(witnessed.get() + count);
        // Some log objects go.
        for (at, path) in objects.iter().enumerate() {
            if account.deleted & (1 << at) != 0 {
                std::fs::remove_file(path).unwrap();
            }
        }
        let less = bench.verdicts(&world);
        let mut count = 0;
        never_loses(&less, &whole, &mut count)?;
        used.set(used.get() + count);
        for (action, (verdict, _)) in &whole {
            if verdict != "unseen" {
                continue;
            }
            unseen.set(unseen.get() + 1);
            // A service of which nothing stays has one row.
            let service = format!("{}:*", action.split(':').next().unwrap_or_default());
            let after = less.get(action).or_else(|| less.get(&service));
            let after = after.map(|(verdict, _)| verdict.as_str());
            prop_assert!(
                after.is_some_and(|after| after != "unused"),
                "{action} was unseen and is {after:?} with less input"
            );
        }
        Ok(())
    });
    outcome.unwrap();
    let floor = cases as usize;
    assert!(
        used.get() > floor && witnessed.get() > floor && unseen.get() > floor,
        "cases that show something: {} {} {}",
        used.get(),
        witnessed.get(),
        unseen.get()
    );
}

#[test]
fn a_trail_of_the_wrong_account_removes_nothing() {
    let mut world = World::new();
    world.cover(0..61);
    world.call(
        1,
        "sns",
        "CreateTopic",
        json!({"requestParameters": {"name": "t"}}),
    );
    world.write_logs();
    let mut other = world::role(
        "worker-role",
        &json!([{"Effect": "Allow", "Action": ["sns:DeleteTopic", "s3:GetObject"], "Resource": "*"}]),
    );
    other["Arn"] = json!("arn:aws:iam::999988887777:role/worker-role");
    world.write_snapshot(
        "account-authorization-details.json",
        &json!({"RoleDetailList": [other], "Policies": [], "UserDetailList": [], "GroupDetailList": []}),
    );
    let (report, code) = report(&[&world.logs(), "--snapshot", &world.snapshot()]);
    assert_eq!(code, 4);
    let roles = report["roles"].as_array().unwrap();
    assert!(
        roles.iter().all(|role| role["status"] != "ready"),
        "{roles:#?}"
    );
    let wrong = roles
        .iter()
        .find(|role| role["arn"].as_str().unwrap().contains("999988887777"))
        .unwrap();
    assert_eq!(wrong["status"], "review");
    assert!(codes(wrong).contains(&"account-not-covered"));
    assert_eq!(
        allows(&wrong["proposed"]["policy"]),
        ["s3:GetObject *", "sns:DeleteTopic *"]
    );
}

#[test]
fn a_young_role_and_a_young_grant_are_for_a_person() {
    let details = |created: &str, version: &str| {
        let mut role = world::role("worker-role", &json!([]));
        role["CreateDate"] = json!(created);
        role["RolePolicyList"] = json!([]);
        role["AttachedManagedPolicies"] =
            json!([{"PolicyName": "work", "PolicyArn": "arn:aws:iam::111122223333:policy/work"}]);
        json!({"RoleDetailList": [role], "Policies": [{"PolicyName": "work", "Arn": "arn:aws:iam::111122223333:policy/work", "CreateDate": "2024-01-01T00:00:00Z", "DefaultVersionId": "v2",
            "PolicyVersionList": [{"VersionId": "v2", "IsDefaultVersion": true, "CreateDate": version, "Document": {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": ["sns:CreateTopic", "sns:DeleteTopic"], "Resource": "*"}]}}]}]})
    };
    for (created, version, expected) in [
        ("2024-01-01T00:00:00Z", "2024-01-01T00:00:00Z", None),
        (
            "2026-10-20T00:00:00Z",
            "2024-01-01T00:00:00Z",
            Some("young-role"),
        ),
        (
            "2024-01-01T00:00:00Z",
            "2026-10-20T00:00:00Z",
            Some("young-grant"),
        ),
    ] {
        let mut world = World::new();
        world.cover(0..61);
        world.call(
            55,
            "sns",
            "CreateTopic",
            json!({"requestParameters": {"name": "t"}}),
        );
        world.write_logs();
        world.write_snapshot(
            "account-authorization-details.json",
            &details(created, version),
        );
        let (report, _) = report(&[&world.logs(), "--snapshot", &world.snapshot()]);
        let worker = role(&report, "worker-role");
        let found: Vec<&str> = codes(worker)
            .into_iter()
            .filter(|code| code.starts_with("young"))
            .collect();
        assert_eq!(
            found,
            expected.into_iter().collect::<Vec<_>>(),
            "{}",
            worker["reasons"]
        );
        assert_eq!(
            worker["status"],
            if expected.is_some() {
                "review"
            } else {
                "ready"
            }
        );
    }
}
