//! Damage never costs a used permission: accounts made by chance, one log object or one field of the snapshot
//! corrupted at random, and the outcome held against that of the sound input.
//!
//! What is covered: every damage that leaves a trace. A log object that is cut, has a bit flipped, is empty,
//! is garbage, another compression, or something other than a log; a record in it of which a field is
//! missing, renamed or of another type; a snapshot file that is cut, missing or garbage; a field of it that is
//! missing, renamed or of another type. In principle not covered, since nothing in the input tells it from
//! the truth: a sound object that is gone or replaced by another sound one, a sound record that is gone or
//! whose values are replaced by other values of the same kind. `--verify-digests` is the answer to those.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};

use rolefit::catalog::Catalog;
use rolefit::grants::Snapshot;
use rolefit::iam::{NamedPolicy, PolicyDocument, PolicySet};
use rolefit::pipeline::{FitOptions, fit, passed_over, scan_passing_over};
use rolefit::read::{Disk, Selection};
use rolefit::render::Status;
use rolefit::usage::RoleUsage;
use rolefit::verify::{Subject, verify};
use serde_json::{Map, Value, json};

use crate::dice::Dice;
use crate::world::{self, ACCOUNT, REGION, World, gunzip, gzip};

/// A call that a function can make: the action, a grant that just allows it, the data event type, and the
/// record's own fields (`DAY` stands for a day).
struct Kind {
    action: &'static str,
    grant: &'static str,
    data: &'static str,
    source: &'static str,
    name: &'static str,
    fields: &'static str,
}

const KEY: &str = "arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-1111-4222-8333-444455556666";

#[rustfmt::skip]
const KINDS: [Kind; 16] = [
    Kind { action: "sns:CreateTopic", grant: "arn:aws:sns:us-east-1:111122223333:*", data: "", source: "sns", name: "CreateTopic",
        fields: r#"{"requestParameters":{"name":"t"},"responseElements":{"topicArn":"arn:aws:sns:us-east-1:111122223333:t"}}"# },
    Kind { action: "sns:SetTopicAttributes", grant: "*", data: "", source: "sns", name: "SetTopicAttributes",
        fields: r#"{"requestParameters":{"topicArn":"arn:aws:sns:us-east-1:111122223333:t","attributeName":"DisplayName"}}"# },
    Kind { action: "sqs:CreateQueue", grant: "*", data: "", source: "sqs", name: "CreateQueue",
        fields: r#"{"requestParameters":{"queueName":"q"}}"# },
    Kind { action: "ec2:DescribeInstances", grant: "*", data: "", source: "ec2", name: "DescribeInstances",
        fields: r#"{"requestParameters":{"instancesSet":{}},"readOnly":true}"# },
    Kind { action: "s3:GetObject", grant: "arn:aws:s3:::in/*", data: "AWS::S3::Object", source: "s3", name: "GetObject",
        fields: r#"{"requestParameters":{"bucketName":"in","key":"aDAY/x"},"readOnly":true,"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::in/aDAY/x"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::in"}],"additionalEventData":{"AuthenticationMethod":"AuthHeader","SignatureVersion":"SigV4"}}"# },
    Kind { action: "s3:PutObject", grant: "arn:aws:s3:::in/*", data: "AWS::S3::Object", source: "s3", name: "PutObject",
        fields: r#"{"requestParameters":{"bucketName":"in","key":"aDAY/y"},"resources":[{"type":"AWS::S3::Object","ARN":"arn:aws:s3:::in/aDAY/y"},{"accountId":"111122223333","type":"AWS::S3::Bucket","ARN":"arn:aws:s3:::in"}]}"# },
    Kind { action: "dynamodb:GetItem", grant: "arn:aws:dynamodb:us-east-1:111122223333:table/T", data: "AWS::DynamoDB::Table", source: "dynamodb", name: "GetItem",
        fields: r#"{"requestParameters":{"tableName":"T","key":{"id":"7"}},"readOnly":true,"resources":[{"accountId":"111122223333","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:us-east-1:111122223333:table/T"}]}"# },
    Kind { action: "dynamodb:PutItem", grant: "arn:aws:dynamodb:us-east-1:111122223333:table/*", data: "AWS::DynamoDB::Table", source: "dynamodb", name: "PutItem",
        fields: r#"{"requestParameters":{"tableName":"T","key":{"id":"7"}},"resources":[{"accountId":"111122223333","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:us-east-1:111122223333:table/T"}]}"# },
    Kind { action: "dynamodb:DescribeTable", grant: "arn:aws:dynamodb:*:111122223333:table/T", data: "", source: "dynamodb", name: "DescribeTable",
        fields: r#"{"requestParameters":{"tableName":"T"},"readOnly":true,"resources":[{"accountId":"111122223333","type":"AWS::DynamoDB::Table","ARN":"arn:aws:dynamodb:us-east-1:111122223333:table/T"}]}"# },
    Kind { action: "sqs:SendMessage", grant: "arn:aws:sqs:us-east-1:111122223333:q", data: "AWS::SQS::Queue", source: "sqs", name: "SendMessage",
        fields: r#"{"requestParameters":{"queueUrl":"https://sqs.us-east-1.amazonaws.com/111122223333/q"},"resources":[{"accountId":"111122223333","type":"AWS::SQS::Queue","ARN":"arn:aws:sqs:us-east-1:111122223333:q"}]}"# },
    Kind { action: "kms:Decrypt", grant: KEY, data: "", source: "kms", name: "Decrypt",
        fields: r#"{"requestParameters":{"encryptionAlgorithm":"SYMMETRIC_DEFAULT","encryptionContext":{"SecretARN":"arn:aws:secretsmanager:us-east-1:111122223333:secret:db-a1b2c3"}},"readOnly":true,"invokedBy":"secretsmanager.amazonaws.com","sourceIPAddress":"secretsmanager.amazonaws.com","userAgent":"secretsmanager.amazonaws.com","resources":[{"accountId":"111122223333","type":"AWS::KMS::Key","ARN":"arn:aws:kms:us-east-1:111122223333:key/0a1b2c3d-1111-4222-8333-444455556666"}]}"# },
    Kind { action: "secretsmanager:GetSecretValue", grant: "arn:aws:secretsmanager:us-east-1:111122223333:secret:*", data: "", source: "secretsmanager", name: "GetSecretValue",
        fields: r#"{"requestParameters":{"secretId":"arn:aws:secretsmanager:us-east-1:111122223333:secret:db-a1b2c3"},"readOnly":true}"# },
    Kind { action: "ssm:GetParameter", grant: "arn:aws:ssm:us-east-1:111122223333:parameter/app/*", data: "", source: "ssm", name: "GetParameter",
        fields: r#"{"requestParameters":{"name":"/app/url","withDecryption":true},"readOnly":true,"resources":[{"accountId":"111122223333","ARN":"arn:aws:ssm:us-east-1:111122223333:parameter/app/url"}]}"# },
    Kind { action: "states:StartExecution", grant: "arn:aws:states:us-east-1:111122223333:stateMachine:m", data: "", source: "states", name: "StartExecution",
        fields: r#"{"requestParameters":{"stateMachineArn":"arn:aws:states:us-east-1:111122223333:stateMachine:m","input":"HIDDEN_DUE_TO_SECURITY_REASONS"}}"# },
    Kind { action: "lambda:UpdateFunctionCode", grant: "arn:aws:lambda:*:*:function:*", data: "", source: "lambda", name: "UpdateFunctionCode20150331v2",
        fields: r#"{"requestParameters":{"functionName":"other","publish":false}}"# },
    Kind { action: "iam:GetRole", grant: "arn:aws:iam::111122223333:role/*", data: "", source: "iam", name: "GetRole",
        fields: r#"{"requestParameters":{"roleName":"other"},"readOnly":true,"awsRegion":"us-east-1"}"# },
];

/// Granted beside what may be used, and never used: what the sound input removes.
const SPARE: [&str; 4] = [
    "sns:DeleteTopic",
    "s3:DeleteObject",
    "dynamodb:DeleteTable",
    "events:PutEvents",
];

fn record(world: &mut World, dice: &mut Dice, day: u32, kind: &Kind, outside: bool) {
    let fields = kind.fields.replace("DAY", &format!("{day:02}"));
    let mut fields: Map<String, Value> = serde_json::from_str(&fields).unwrap();
    if !kind.data.is_empty() {
        fields.insert("eventCategory".into(), json!("Data"));
        fields.insert("managementEvent".into(), json!(false));
    }
    let mut identity = world::session(
        "worker-role",
        "AROAEXAMPLEWORKER0001",
        "worker",
        dice.roll(3) > 0 && !outside,
    );
    if let Some(by) = fields.remove("invokedBy") {
        identity["invokedBy"] = by;
    }
    identity["sessionContext"]["attributes"] =
        json!({"creationDate": "2026-09-01T00:00:00Z", "mfaAuthenticated": "false"});
    if outside {
        fields.insert("userAgent".into(), json!("aws-cli/2.17.0 md/awscrt#0.20.11 ua/2.0 os/macos#23.5.0 md/arch#arm64 lang/python#3.11.8"));
    }
    fields.insert("userIdentity".into(), identity);
    fields.insert("requestID".into(), json!("5f1e2d3c"));
    fields.insert("tlsDetails".into(), json!({"tlsVersion": "TLSv1.3"}));
    world.call(day, kind.source, kind.name, Value::Object(fields));
}

/// Makes an account; gives its log objects.
fn make(world: &mut World, dice: &mut Dice) -> Vec<PathBuf> {
    let used: Vec<&Kind> = KINDS.iter().filter(|_| dice.roll(3) == 0).collect();
    let others = dice.roll(4) == 0;
    let mut objects = Vec::new();
    for object in 0..4_u32 {
        for day in object * 11..object * 11 + 11 {
            for kind in &used {
                if dice.roll(8) == 0 {
                    let outside = others && dice.roll(2) == 0;
                    record(world, dice, day, kind, outside);
                }
            }
        }
        if object == 3 {
            // What is used at least once.
            for kind in &used {
                let outside = others && dice.roll(3) == 0;
                record(world, dice, 40, kind, outside);
            }
        }
        world.cover(object * 11..object * 11 + 11);
        objects.push(world.write_logs());
    }
    write_account(world, dice, &used, others);
    objects
}

fn write_account(world: &World, dice: &mut Dice, used: &[&Kind], others: bool) {
    let document = |statements: Value| json!({"Version": "2012-10-17", "Statement": statements});
    let mut statements: Vec<Value> = used
        .iter()
        .map(|kind| json!({"Sid": "S", "Effect": "Allow", "Action": [kind.action], "Resource": kind.grant}))
        .collect();
    statements.extend(
        SPARE
            .iter()
            .map(|action| json!({"Effect": "Allow", "Action": action, "Resource": ["*"]})),
    );
    if dice.roll(3) == 0 {
        statements.push(json!({"Effect": "Deny", "Action": "iam:Delete*", "Resource": "*"}));
        statements.push(json!({"Effect": "Allow", "Action": "kms:*", "Resource": KEY, "Condition": {"StringEquals": {"aws:RequestedRegion": REGION}}}));
    }
    let mut role = world::role("worker-role", &json!([]));
    let mut policies = json!([]);
    match dice.roll(12) {
        0 => {
            role["RolePolicyList"][0]["PolicyDocument"] =
                document(json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]));
        }
        1..4 => {
            let arn = format!("arn:aws:iam::{ACCOUNT}:policy/work");
            role["RolePolicyList"] = json!([]);
            role["AttachedManagedPolicies"] = json!([{"PolicyName": "work", "PolicyArn": arn}]);
            policies = json!([{"PolicyName": "work", "PolicyId": "ANPAEXAMPLE", "Arn": arn, "Path": "/", "DefaultVersionId": "v2", "AttachmentCount": 1, "IsAttachable": true,
                "CreateDate": "2024-01-01T00:00:00Z", "PolicyVersionList": [
                    {"VersionId": "v1", "IsDefaultVersion": false, "CreateDate": "2024-01-01T00:00:00Z", "Document": document(json!([{"Effect": "Allow", "Action": "sns:DeleteTopic", "Resource": "*"}]))},
                    {"VersionId": "v2", "IsDefaultVersion": true, "CreateDate": "2024-02-01T00:00:00Z", "Document": document(Value::Array(statements))}]}]);
        }
        4..7 => {
            let rest = statements.split_off(statements.len() / 2);
            role["RolePolicyList"] = json!([{"PolicyName": "a", "PolicyDocument": document(Value::Array(statements))}, {"PolicyName": "b", "PolicyDocument": document(Value::Array(rest))}]);
        }
        _ => role["RolePolicyList"][0]["PolicyDocument"] = document(Value::Array(statements)),
    }
    if others {
        let principal = json!({"AWS": format!("arn:aws:iam::{ACCOUNT}:root"), "Service": "lambda.amazonaws.com"});
        role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"] = principal;
    }
    world.write_snapshot(
        "account-authorization-details.json",
        &json!({"RoleDetailList": [role], "Policies": policies, "UserDetailList": [], "GroupDetailList": []}),
    );
    let trail = format!("arn:aws:cloudtrail:{REGION}:{ACCOUNT}:trail/all");
    match dice.roll(3) {
        0 => {
            let kinds: Vec<&str> = ["AWS::S3::Object", "AWS::DynamoDB::Table", "AWS::SQS::Queue"]
                .into_iter()
                .filter(|_| dice.roll(2) == 0)
                .collect();
            world.write_selectors(&kinds);
        }
        1 => {
            let kms = if dice.roll(2) == 0 {
                json!(["kms.amazonaws.com"])
            } else {
                json!([])
            };
            world.write_snapshot("event-selectors.json", &json!({"TrailARN": trail, "EventSelectors": [{"ReadWriteType": "All", "IncludeManagementEvents": true,
                "ExcludeManagementEventSources": kms, "DataResources": [{"Type": "AWS::S3::Object", "Values": ["arn:aws:s3:::in/"]}]}]}));
        }
        _ => {}
    }
    if dice.roll(2) == 0 {
        world.write_snapshot("trails.json", &json!({"trailList": [{"Name": "all", "S3BucketName": "logs", "HomeRegion": REGION, "TrailARN": trail,
            "IsMultiRegionTrail": dice.roll(4) > 0, "IsOrganizationTrail": false, "IncludeGlobalServiceEvents": true}]}));
    }
    if dice.roll(2) == 0 {
        let queue = "arn:aws:sqs:us-east-1:111122223333:q";
        let more = json!({"DeadLetterConfig": {"TargetArn": queue}, "TracingConfig": {"Mode": "Active"}, "VpcConfig": {"SubnetIds": ["subnet-1"], "VpcId": "vpc-1"},
            "LoggingConfig": {"LogFormat": "Text", "LogGroup": "/aws/lambda/worker"}, "Environment": {"Variables": {"QUEUE": queue}}});
        world.write_snapshot(
            "functions.json",
            &json!({"Functions": [world::function("worker", "worker-role", &more)]}),
        );
        world.write_snapshot("event-source-mappings.json", &json!({"EventSourceMappings": [{"UUID": "1", "EventSourceArn": queue, "State": "Enabled",
            "FunctionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:worker")}]}));
        world.write_snapshot("event-invoke-configs.json", &json!({"FunctionEventInvokeConfigs": [{"FunctionArn": format!("arn:aws:lambda:{REGION}:{ACCOUNT}:function:worker:$LATEST"),
            "MaximumRetryAttempts": 0, "DestinationConfig": {"OnSuccess": {}, "OnFailure": {"Destination": "arn:aws:sns:us-east-1:111122223333:t"}}}]}));
    }
    if dice.roll(2) == 0 {
        let mut services: BTreeMap<&str, Value> = BTreeMap::new();
        for service in ["sns", "sqs", "s3", "events", "dynamodb"] {
            services.insert(service, json!({"ServiceName": service, "ServiceNamespace": service, "TotalAuthenticatedEntities": 0}));
        }
        let some = if dice.roll(3) == 0 {
            vec!["s3"]
        } else {
            Vec::new()
        };
        for service in used
            .iter()
            .map(|kind| kind.action.split(':').next().unwrap())
            .chain(some)
        {
            services.insert(service, json!({"ServiceName": service, "ServiceNamespace": service, "LastAuthenticated": "2026-10-31T00:00:00Z",
                "LastAuthenticatedEntity": World::role_arn("worker-role"), "LastAuthenticatedRegion": REGION, "TotalAuthenticatedEntities": 1}));
        }
        let services: Vec<Value> = services.into_values().collect();
        world.write_snapshot("service-last-accessed/worker-role.json", &json!({"JobStatus": "COMPLETED", "JobType": "SERVICE_LEVEL",
            "JobCreationDate": "2026-11-02T00:00:00Z", "JobCompletionDate": "2026-11-02T00:00:01Z", "IsTruncated": false, "ServicesLastAccessed": services}));
    }
}

/// What a run said of the role.
#[derive(Debug)]
enum Outcome {
    /// Nothing is proposed: an error, a refusal, or no word of the role.
    Nothing(String),
    Proposal(Box<Proposed>),
}

/// A proposal, and what it rests on.
#[derive(Debug)]
struct Proposed {
    status: Status,
    reasons: Vec<String>,
    /// By action.
    verdicts: BTreeMap<String, (&'static str, Vec<String>)>,
    documents: Vec<NamedPolicy>,
    current: PolicySet,
    usage: RoleUsage,
    /// Calls from outside Lambda count.
    outside: bool,
}

fn run(world: &World, pool: &rayon::ThreadPool) -> Outcome {
    let catalog = Catalog::builtin();
    let snapshot = match Snapshot::load(Some(&world.path().join("snapshot")), &[], catalog) {
        Ok(snapshot) => snapshot,
        Err(error) => return Outcome::Nothing(error.to_string()),
    };
    let source = Disk::new(&[world.logs()], &[]).unwrap();
    let options = FitOptions::default();
    let read = scan_passing_over(
        &passed_over(&snapshot, &options),
        &source,
        &Selection::default(),
        catalog,
        pool,
        &rolefit::event::Silent,
    );
    let objects = &read.objects;
    assert_eq!(
        objects.listed,
        objects.read + objects.skipped_total() + objects.failed.len() as u64
    );
    if objects.read == 0 && read.usage.records.read == 0 {
        return Outcome::Nothing("no log object could be read".into());
    }
    let arn = World::role_arn("worker-role");
    let usage = read.usage.roles.get(&arn).cloned().unwrap_or_default();
    let report = fit(read, &snapshot, &options, catalog, pool);
    let Some(role) = report.roles.iter().find(|role| role.arn == arn) else {
        return Outcome::Nothing("the role is not spoken of".into());
    };
    if role.status == Status::Refused {
        return Outcome::Nothing(format!("refused: {:?}", role.reasons));
    }
    let reasons = role
        .reasons
        .iter()
        .map(|reason| format!("{}: {}", reason.code, reason.message));
    let verdicts = role
        .decisions
        .iter()
        .map(|row| (row.action.clone(), (row.verdict, row.resources.clone())));
    let proposed = role.proposed.as_ref().unwrap();
    let managed = proposed
        .managed_policies
        .iter()
        .map(|managed| &managed.policy);
    let documents = proposed
        .policy
        .iter()
        .chain(managed)
        .map(|policy| NamedPolicy {
            name: "proposal".into(),
            document: PolicyDocument::from_value(policy).unwrap(),
        });
    let known = &snapshot.roles[&arn];
    Outcome::Proposal(Box::new(Proposed {
        status: role.status,
        reasons: reasons.collect(),
        verdicts: verdicts.collect(),
        documents: documents.collect(),
        current: known.identity(),
        usage,
        outside: !known.trusts_lambda() || known.trusts_others,
    }))
}

/// What is done to the input.
#[derive(Debug)]
struct Damage {
    /// The file, from the folder of the case.
    file: PathBuf,
    what: String,
    /// Nothing in the input tells that there was more: a field or file that may lack is gone.
    silent: bool,
}

const KEPT: [&str; 5] = ["used", "configured", "pinned", "unseen", "added"];

/// Why `after` is less cautious than `before`, if it is.
fn less_cautious(
    before: &Outcome,
    after: &Outcome,
    damage: &Damage,
    counted: &mut u64,
) -> Option<String> {
    let (Outcome::Proposal(before), Outcome::Proposal(after)) = (before, after) else {
        return match (before, after) {
            (Outcome::Nothing(why), Outcome::Proposal(_)) => {
                Some(format!("the sound input gave nothing ({why})"))
            }
            _ => None,
        };
    };
    // Every use that the sound input shows is replayed against what the damaged one led to.
    let calls = before.usage.calls(before.outside);
    let replayed = verify(
        Subject {
            role: &World::role_arn("worker-role"),
            current: &before.current,
            proposed: None,
            managed: &after.documents,
            added: &BTreeSet::new(),
            calls: &calls,
            needs: &BTreeSet::new(),
        },
        Catalog::builtin(),
    );
    *counted += replayed.replay.allowed;
    if let Some((action, resource)) = replayed.replay.denied.first() {
        return Some(format!(
            "{action} on {resource} was used and is gone: {:?}",
            after.verdicts.get(action)
        ));
    }
    if damage.silent || after.status == Status::Review {
        return None;
    }
    if before.status == Status::Review {
        return Some(format!(
            "a person was to look at it, and is no longer: {:?}",
            before.reasons
        ));
    }
    // What silence or the configuration kept must not go where nobody looks.
    let gone = before.verdicts.iter().find(|(action, (verdict, _))| {
        KEPT.contains(verdict)
            && after
                .verdicts
                .get(*action)
                .is_none_or(|(after, _)| !KEPT.contains(after))
    });
    gone.map(|(action, (verdict, _))| {
        format!("{action} was {verdict} and is gone, and nobody is told")
    })
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut out = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            out.extend(files(&path));
        } else {
            out.push(path);
        }
    }
    out.sort();
    out
}

/// Every place of a value that has a key, as a JSON pointer of its object and the key.
fn keys(value: &Value, at: &str, out: &mut Vec<(String, String)>) {
    match value {
        Value::Object(map) => {
            for (key, inner) in map {
                out.push((at.to_owned(), key.clone()));
                keys(
                    inner,
                    &format!("{at}/{}", key.replace('~', "~0").replace('/', "~1")),
                    out,
                );
            }
        }
        Value::Array(list) => {
            for (place, inner) in list.iter().enumerate() {
                keys(inner, &format!("{at}/{place}"), out);
            }
        }
        _ => {}
    }
}

/// Changes one field, and says which and how; `silent` where it is gone without a trace.
fn field(value: &mut Value, dice: &mut Dice) -> (String, bool) {
    let mut places = Vec::new();
    keys(value, "", &mut places);
    let (at, key) = places.swap_remove(dice.roll(places.len()));
    let object = value
        .pointer_mut(&at)
        .and_then(Value::as_object_mut)
        .unwrap();
    let old = object.get(&key).cloned().unwrap();
    match dice.roll(3) {
        0 => {
            object.shift_remove(&key);
            (format!("{at}/{key} is gone"), true)
        }
        1 => {
            *object = object
                .iter()
                .map(|(k, v)| {
                    (
                        if *k == key {
                            format!("{k}x")
                        } else {
                            k.clone()
                        },
                        v.clone(),
                    )
                })
                .collect();
            (format!("{at}/{key} is renamed"), false)
        }
        _ => {
            let kinds = [
                json!(null),
                json!(7),
                json!(true),
                json!("text"),
                json!([7]),
                json!({"a": 7}),
            ];
            let other: Vec<&Value> = kinds
                .iter()
                .filter(|new| std::mem::discriminant(*new) != std::mem::discriminant(&old))
                .collect();
            let new = other[dice.roll(other.len())].clone();
            // AWS and its CLI write null for what is not there.
            let silent = new.is_null();
            let what = format!("{at}/{key} is {new} instead of {old}");
            object.insert(key, new);
            (what, silent)
        }
    }
}

fn damage_logs(objects: &[PathBuf], world: &World, dice: &mut Dice) -> Damage {
    let path = &objects[dice.roll(objects.len())];
    let mut bytes = fs::read(path).unwrap();
    let mut silent = false;
    let what = match dice.roll(8) {
        0 => {
            let at = dice.roll(bytes.len());
            bytes[at] ^= 1 << dice.roll(8);
            format!("a bit of byte {at} of {} flipped", bytes.len())
        }
        1 => {
            let length = dice.roll(bytes.len());
            bytes.truncate(length);
            format!("cut to {length} bytes")
        }
        2 => {
            let (name, content): (&str, Vec<u8>) = match dice.roll(9) {
                0 => ("nothing", Vec::new()),
                1 => ("garbage", (0..400).map(|_| u8::try_from(dice.roll(256)).unwrap()).collect()),
                2 => ("gzip of nothing", gzip(b"")),
                3 => ("gzip of blanks", gzip(b" \n")),
                4 => ("a digest", gzip(br#"{"awsAccountId":"111122223333","digestStartTime":"2026-10-31T00:00:00Z","digestEndTime":"2026-10-31T01:00:00Z","logFiles":[]}"#)),
                5 => ("Insights", gzip(br#"{"Records":[{"eventVersion":"1.07","eventTime":"2026-10-31T00:00:00Z","awsRegion":"us-east-1","eventID":"i","eventType":"AwsCloudTrailInsight","recipientAccountId":"111122223333","insightDetails":{},"eventCategory":"Insight"}]}"#)),
                6 => ("other JSON", gzip(br#"{"a":[1,2,3]}"#)),
                7 => ("text", b"hello".to_vec()),
                _ => ("zeros", vec![0; 500]),
            };
            bytes = content;
            format!("replaced by {name}")
        }
        3 => {
            // Sound gzip of a log that breaks off.
            let text = gunzip(&bytes).into_bytes();
            let at = dice.roll(text.len());
            bytes = gzip(&text[..at]);
            format!("its text cut to {at} bytes")
        }
        _ => {
            let mut log: Value = serde_json::from_str(&gunzip(&bytes)).unwrap();
            let records = log["Records"].as_array_mut().unwrap();
            // A record of the role, if there is one.
            let of_role: Vec<usize> = (0..records.len())
                .filter(|at| records[*at]["userIdentity"]["type"] == "AssumedRole")
                .collect();
            let at = if of_role.is_empty() {
                0
            } else {
                of_role[dice.roll(of_role.len())]
            };
            let (what, gone) = field(&mut records[at], dice);
            silent = gone;
            bytes = gzip(log.to_string().as_bytes());
            format!("record {at}: {what}")
        }
    };
    fs::write(path, bytes).unwrap();
    Damage {
        file: path.strip_prefix(world.path()).unwrap().to_owned(),
        what,
        silent,
    }
}

fn damage_snapshot(world: &World, dice: &mut Dice) -> Damage {
    let all = files(&world.path().join("snapshot"));
    // The account details decide most, and have most fields.
    let path = if dice.roll(2) == 0 {
        all[0].clone()
    } else {
        all[dice.roll(all.len())].clone()
    };
    let file = path.strip_prefix(world.path()).unwrap().to_owned();
    let text = fs::read_to_string(&path).unwrap();
    let (what, silent) = match dice.roll(10) {
        0 => {
            fs::remove_file(&path).unwrap();
            ("missing".to_owned(), true)
        }
        1 => {
            let length = dice.roll(text.len());
            fs::write(&path, &text[..length]).unwrap();
            (format!("cut to {length} bytes"), false)
        }
        2 => {
            let content = ["[]", "{}", "null", "7", "garbage", "[{}]"][dice.roll(6)];
            fs::write(&path, content).unwrap();
            (format!("replaced by {content}"), false)
        }
        _ => {
            let mut value: Value = serde_json::from_str(&text).unwrap();
            let told = field(&mut value, dice);
            fs::write(&path, value.to_string()).unwrap();
            told
        }
    };
    Damage { file, what, silent }
}

#[test]
fn damage_never_costs_what_was_used_nor_goes_unnoticed() {
    let rounds: u64 = match std::env::var("ROLEFIT_MUTATIONS") {
        Ok(rounds) => rounds.parse().unwrap(),
        Err(_) if std::env::var_os("ROLEFIT_FULL").is_some() => 1_000,
        Err(_) => 60,
    };
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(1)
        .build()
        .unwrap();
    let (mut counted, mut proposals, mut nothing, mut same) = (0, 0, 0, 0);
    let mut findings = Vec::new();
    let mut hit: BTreeSet<String> = BTreeSet::new();
    for round in 0..rounds {
        let mut dice = Dice::new(round);
        let mut world = World::new();
        let objects = make(&mut world, &mut dice);
        let before = run(&world, &pool);
        let damage = if dice.roll(2) == 0 {
            damage_logs(&objects, &world, &mut dice)
        } else {
            damage_snapshot(&world, &mut dice)
        };
        hit.insert(
            damage
                .file
                .file_name()
                .unwrap()
                .to_string_lossy()
                .into_owned(),
        );
        let after = match catch_unwind(AssertUnwindSafe(|| run(&world, &pool))) {
            Ok(after) => after,
            Err(_) => {
                findings.push(format!("round {round}: {damage:?}: a panic"));
                continue;
            }
        };
        match (&before, &after) {
            (Outcome::Proposal(a), Outcome::Proposal(b)) => {
                proposals += 1;
                same += usize::from(a.status == b.status && a.verdicts == b.verdicts);
            }
            _ => nothing += 1,
        }
        if let Some(why) = less_cautious(&before, &after, &damage, &mut counted) {
            let reasons = if let Outcome::Proposal(after) = &after {
                after.reasons.clone()
            } else {
                Vec::new()
            };
            findings.push(format!(
                "round {round}: {} {}: {why} {reasons:?}",
                damage.file.display(),
                damage.what
            ));
        }
    }
    println!(
        "{rounds} cases: {same} with the same outcome, {} with a more cautious proposal, {nothing} with none; {counted} used permissions held",
        proposals - same
    );
    assert!(
        findings.is_empty(),
        "{} findings:\n{}",
        findings.len(),
        findings.join("\n")
    );
    assert!(counted > rounds, "permissions were compared: {counted}");
    assert!(hit.len() > 5, "files of every kind were damaged: {hit:?}");
    assert!(
        nothing > 0 && same > 0 && proposals > same,
        "{nothing} {same} {proposals}"
    );
}
