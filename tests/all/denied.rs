//! `rolefit denied`: the door of every refusal, how it opens, and the change that shut it.

use serde_json::{Value, json};

use crate::program::{code, rolefit, stderr, stdout};
use crate::world::{ACCOUNT, World, session};

const ROLE: &str = "arn:aws:iam::111122223333:role/worker-role";
const TABLE: &str = "arn:aws:dynamodb:us-east-1:111122223333:table/Orders";

fn groups(world: &World, more: &[&str]) -> Vec<Value> {
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let mut arguments = vec!["denied", &logs, "--snapshot", &snapshot, "--output", "json"];
    arguments.extend(more);
    let output = rolefit(&arguments);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let roles = report["roles"].as_array().unwrap();
    roles
        .iter()
        .flat_map(|role| role["denied"].as_array().unwrap().clone())
        .collect()
}

/// The worker's role with inline statements, a boundary if given, and the table's bucket in mind.
fn world(statements: &Value, boundary: Option<&Value>) -> World {
    let world = World::new();
    let mut role = crate::world::role("worker-role", statements);
    let mut policies = Vec::new();
    let mut managed = |name: &str, statements: &Value| {
        let arn = format!("arn:aws:iam::{ACCOUNT}:policy/{name}");
        policies.push(json!({"PolicyName": name, "Arn": arn, "DefaultVersionId": "v1", "PolicyVersionList": [
            {"VersionId": "v1", "IsDefaultVersion": true, "Document": {"Version": "2012-10-17", "Statement": statements}}]}));
        arn
    };
    if let Some(boundary) = boundary {
        let arn = managed("edge", boundary);
        role["PermissionsBoundary"] =
            json!({"PermissionsBoundaryType": "Policy", "PermissionsBoundaryArn": arn});
    }
    let shared = managed(
        "shared",
        &json!([{"Effect": "Allow", "Action": "sns:ListTopics", "Resource": "*"}]),
    );
    role["AttachedManagedPolicies"] = json!([{"PolicyName": "shared", "PolicyArn": shared}]);
    let details = json!({"RoleDetailList": [role], "Policies": policies});
    world.write_snapshot("account-authorization-details.json", &details);
    world
}

/// A refused call, as services log it without a message.
fn refused(parameters: &Value) -> Value {
    json!({"errorCode": "AccessDenied", "requestParameters": parameters})
}

fn said(words: &str) -> Value {
    let sentence = format!(
        "User: arn:aws:sts::{ACCOUNT}:assumed-role/worker-role/worker is not authorized to perform: {words}"
    );
    json!({"errorCode": "AccessDenied", "errorMessage": sentence})
}

/// One refusal with an own world: its door, how that is known, and the doors that remain.
fn check(world: &mut World, source: &str, name: &str, record: Value, expected: &str) -> Value {
    world.call(3, source, name, record).write_logs();
    let groups = groups(world, &[]);
    assert_eq!(groups.len(), 1, "{groups:?}");
    let group = groups[0].clone();
    let candidates: Vec<&str> = group["candidates"]
        .as_array()
        .unwrap()
        .iter()
        .map(|door| door.as_str().unwrap())
        .collect();
    let found = format!(
        "{} {} {}",
        group["door"].as_str().unwrap(),
        group["how"].as_str().unwrap(),
        candidates.join("+")
    );
    assert_eq!(found.trim(), expected, "{group}");
    group
}

fn get_items() -> Value {
    json!([{"Sid": "Read", "Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": "*"}])
}

#[test]
fn the_message_says_the_door() {
    for (kind, door) in [
        ("identity-based policy", "execution-role"),
        ("permissions boundary", "permissions-boundary"),
        ("service control policy", "service-control-policy"),
        ("resource control policy", "resource-control-policy"),
        ("session policy", "session-policy"),
        ("resource-based policy", "resource-policy"),
        ("VPC endpoint policy", "vpc-endpoint-policy"),
    ] {
        let why = format!("because no {kind} allows the dynamodb:PutItem action");
        let mut missing = world(&get_items(), None);
        let record = said(&format!("dynamodb:PutItem on resource: {TABLE} {why}"));
        let group = check(
            &mut missing,
            "dynamodb",
            "PutItem",
            record,
            &format!("{door} message"),
        );
        assert_eq!(group["explicit_deny"], false);
        let mut denied = world(&get_items(), None);
        let record = said(&format!(
            "dynamodb:PutItem on resource: {TABLE} with an explicit deny in a {kind}"
        ));
        let group = check(
            &mut denied,
            "dynamodb",
            "PutItem",
            record,
            &format!("{door} message"),
        );
        assert_eq!(group["explicit_deny"], true);
        assert!(
            group["fix"]["note"]
                .as_str()
                .unwrap()
                .starts_with("no Allow helps")
        );
        assert_eq!(group["fix"]["statement"], Value::Null);
    }
}

#[test]
fn the_policies_say_the_door_where_the_message_does_not() {
    let call = || refused(&json!({"tableName": "Orders"}));
    // The role's own policies have nothing.
    let mut own = world(&get_items(), None);
    let group = check(
        &mut own,
        "dynamodb",
        "PutItem",
        call(),
        "execution-role policies",
    );
    assert_eq!(
        group["fix"]["statement"],
        json!({"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": TABLE})
    );
    // They allow it, the boundary does not.
    let all = json!([{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"}]);
    let mut boundary = world(&all, Some(&get_items()));
    let group = check(
        &mut boundary,
        "dynamodb",
        "PutItem",
        call(),
        "permissions-boundary policies",
    );
    assert!(
        group["fix"]["note"]
            .as_str()
            .unwrap()
            .contains("policy/edge")
    );
    // A Deny of their own.
    let deny = json!([{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*"},
        {"Sid": "NoWrites", "Effect": "Deny", "Action": "dynamodb:Put*", "Resource": "*"}]);
    let mut denied = world(&deny, None);
    let group = check(
        &mut denied,
        "dynamodb",
        "PutItem",
        call(),
        "execution-role policies",
    );
    assert_eq!(group["statements"], json!(["inline/NoWrites"]));
    assert_eq!(group["explicit_deny"], true);
    // Both allow: tables have policies of their own.
    let mut open = world(&all, Some(&all));
    let group = check(
        &mut open,
        "dynamodb",
        "PutItem",
        call(),
        "cannot-tell cannot-tell resource-policy+service-control-policy+resource-control-policy",
    );
    assert_eq!(group["allowed_today"], true);
    // Nothing but the organization is left where resources have no policies.
    let ec2 = json!([{"Effect": "Allow", "Action": "ec2:*", "Resource": "*"}]);
    let mut organization = world(&ec2, None);
    let record = json!({"errorCode": "Client.UnauthorizedOperation"});
    check(
        &mut organization,
        "ec2",
        "DescribeVpcs",
        record,
        "service-control-policy policies",
    );
    // The endpoint that the call went through may have refused.
    let mut endpoint = world(&all, None);
    let mut record = call();
    record["vpcEndpointId"] = json!("vpce-0a1b");
    check(
        &mut endpoint,
        "dynamodb",
        "PutItem",
        record,
        "cannot-tell cannot-tell resource-policy+service-control-policy+resource-control-policy+vpc-endpoint-policy",
    );
    // An explicit deny that none of the role's policies holds.
    let mut elsewhere = world(&all, None);
    let record = said(&format!(
        "dynamodb:PutItem on resource: {TABLE} with an explicit deny"
    ));
    check(
        &mut elsewhere,
        "dynamodb",
        "PutItem",
        record,
        "cannot-tell cannot-tell resource-policy+service-control-policy+resource-control-policy",
    );
    // The policies turn on what no record shows.
    let turns = json!([{"Effect": "Allow", "Action": "dynamodb:*", "Resource": "*", "Condition": {"StringEquals": {"aws:SourceVpc": "vpc-1"}}}]);
    let mut depends = world(&turns, None);
    let group = check(
        &mut depends,
        "dynamodb",
        "PutItem",
        call(),
        "cannot-tell cannot-tell execution-role+permissions-boundary+resource-policy+service-control-policy+resource-control-policy",
    );
    assert!(group["reason"].as_str().unwrap().contains("aws:SourceVpc"));
    // No record names the resource, and the role may use some.
    let some = json!([{"Effect": "Allow", "Action": "dynamodb:PutItem", "Resource": TABLE}]);
    let mut blurred = world(&some, None);
    let group = check(
        &mut blurred,
        "dynamodb",
        "PutItem",
        json!({"errorCode": "AccessDeniedException"}),
        "cannot-tell cannot-tell execution-role+permissions-boundary+resource-policy+service-control-policy+resource-control-policy",
    );
    assert_eq!(
        group["resources"][0]["resource"],
        "arn:aws:dynamodb:us-east-1:111122223333:table/*"
    );
}

#[test]
fn without_a_snapshot_only_the_message_tells() {
    let mut world = World::new();
    let named = said(&format!(
        "dynamodb:PutItem on resource: {TABLE} because no identity-based policy allows the dynamodb:PutItem action"
    ));
    world
        .call(1, "dynamodb", "PutItem", named)
        .call(
            2,
            "dynamodb",
            "DeleteItem",
            refused(&json!({"tableName": "Orders"})),
        )
        .write_logs();
    let logs = world.logs();
    let output = rolefit(&["denied", &logs, "--output", "json"]);
    assert_eq!(code(&output), 0);
    let report: Value = serde_json::from_slice(&output.stdout).unwrap();
    let doors: Vec<&str> = report["roles"][0]["denied"]
        .as_array()
        .unwrap()
        .iter()
        .map(|group| group["door"].as_str().unwrap())
        .collect();
    assert_eq!(doors, ["cannot-tell", "execution-role"]);
    assert_eq!(report["roles"][0]["in_snapshot"], false);
}

#[test]
fn what_an_endpoint_refuses_is_in_no_other_record() {
    let all = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]);
    let mut world = world(&all, None);
    let record = json!({"errorCode": "VpceAccessDenied", "errorMessage": "The request was denied due to a VPC endpoint policy",
        "eventCategory": "NetworkActivity", "eventType": "AwsVpceEvent", "managementEvent": false, "vpcEndpointId": "vpce-0a1b"});
    let group = check(
        &mut world,
        "s3",
        "PutObject",
        record,
        "vpc-endpoint-policy message",
    );
    assert_eq!(group["action"], "s3:PutObject");
    assert_eq!(group["endpoints"], json!(["vpce-0a1b"]));
}

#[test]
fn the_other_door_opens_by_its_own_command() {
    let all = json!([{"Effect": "Allow", "Action": "*", "Resource": "*"}]);
    for (source, name, action, resource, command, principal) in [
        (
            "lambda",
            "Invoke",
            "lambda:InvokeFunction",
            "arn:aws:lambda:eu-west-1:999988887777:function:pay",
            "aws lambda add-permission --function-name arn:aws:lambda:eu-west-1:999988887777:function:pay --statement-id allow-worker-role --action lambda:InvokeFunction --principal arn:aws:iam::111122223333:role/worker-role --region eu-west-1",
            true,
        ),
        (
            "s3",
            "GetObject",
            "s3:GetObject",
            "arn:aws:s3:::their-feed/a.json",
            "aws s3api put-bucket-policy --bucket their-feed ",
            true,
        ),
        (
            "kms",
            "Decrypt",
            "kms:Decrypt",
            "arn:aws:kms:us-east-1:111122223333:key/12345678-1234-1234-1234-123456789012",
            "aws kms put-key-policy --key-id arn:aws:kms:us-east-1:111122223333:key/12345678-1234-1234-1234-123456789012",
            true,
        ),
        (
            "sqs",
            "SendMessage",
            "sqs:SendMessage",
            "arn:aws:sqs:us-east-1:999988887777:theirs",
            "aws sqs set-queue-attributes",
            true,
        ),
        (
            "sts",
            "AssumeRole",
            "sts:AssumeRole",
            "arn:aws:iam::999988887777:role/theirs",
            "aws iam update-assume-role-policy --role-name theirs",
            true,
        ),
    ] {
        let mut world = world(&all, None);
        let record = said(&format!(
            "{action} on resource: {resource} because no resource-based policy allows the {action} action"
        ));
        let group = check(&mut world, source, name, record, "resource-policy message");
        let commands = group["fix"]["commands"].to_string();
        assert!(commands.contains(command), "{commands}");
        assert_eq!(
            group["fix"]["statement"]["Principal"]["AWS"] == ROLE,
            principal
        );
    }
}

/// The worker puts items until something changes, and is refused from then on.
fn changed(source: &str, name: &str, parameters: &Value, scoped: bool) -> World {
    let mut world = world(&get_items(), None);
    let identity = session("worker-role", "AROAEXAMPLEWORKER0001", "worker", scoped);
    let with = |mut record: Value| {
        record["userIdentity"] = identity.clone();
        record
    };
    let alice = json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice", "accountId": ACCOUNT});
    world
        .call(
            1,
            "dynamodb",
            "PutItem",
            with(json!({"requestParameters": {"tableName": "Orders"}})),
        )
        .call(
            5,
            source,
            name,
            json!({"userIdentity": alice, "requestParameters": parameters}),
        )
        .call(
            9,
            "dynamodb",
            "PutItem",
            with(refused(&json!({"tableName": "Orders"}))),
        )
        .write_logs();
    world
}

#[test]
fn denials_that_began_after_a_change_are_tied_to_it() {
    let shared = "arn:aws:iam::111122223333:policy/shared";
    for (name, parameters) in [
        (
            "DeleteRolePolicy",
            json!({"roleName": "worker-role", "policyName": "writes"}),
        ),
        (
            "PutRolePolicy",
            json!({"roleName": "worker-role", "policyName": "writes"}),
        ),
        (
            "DetachRolePolicy",
            json!({"roleName": "worker-role", "policyArn": "arn:aws:iam::aws:policy/X"}),
        ),
        (
            "PutRolePermissionsBoundary",
            json!({"roleName": "worker-role", "permissionsBoundary": shared}),
        ),
        (
            "CreatePolicyVersion",
            json!({"policyArn": shared, "setAsDefault": true}),
        ),
        (
            "SetDefaultPolicyVersion",
            json!({"policyArn": shared, "versionId": "v1"}),
        ),
    ] {
        for scoped in [true, false] {
            let groups = groups(
                &changed("iam", name, &parameters, scoped),
                &["--role", "worker-role"],
            );
            let change = &groups[0]["change"];
            assert_eq!(change["event_name"], name);
            assert_eq!(change["worked_before"], true);
            assert_eq!(change["by"], "arn:aws:iam::111122223333:user/alice");
            assert!(
                change["message"]
                    .as_str()
                    .unwrap()
                    .contains("first denied 4 days later"),
                "{change}"
            );
        }
    }
}

#[test]
fn changes_of_other_things_are_not_blamed() {
    for (source, name, parameters) in [
        (
            "iam",
            "DeleteRolePolicy",
            json!({"roleName": "other-role", "policyName": "writes"}),
        ),
        (
            "iam",
            "AttachRolePolicy",
            json!({"roleName": "worker-role", "policyArn": "arn:aws:iam::aws:policy/X"}),
        ),
        (
            "iam",
            "DeleteRolePermissionsBoundary",
            json!({"roleName": "worker-role"}),
        ),
        (
            "iam",
            "CreatePolicyVersion",
            json!({"policyArn": "arn:aws:iam::111122223333:policy/shared", "setAsDefault": false}),
        ),
        ("s3", "PutBucketPolicy", json!({"bucketName": "orders"})),
    ] {
        let groups = groups(&changed(source, name, &parameters, true), &[]);
        assert_eq!(groups[0]["change"], Value::Null, "{name}");
    }
    // It still worked two days after the change.
    let mut world = changed(
        "iam",
        "PutRolePolicy",
        &json!({"roleName": "worker-role", "policyName": "p"}),
        true,
    );
    world
        .call(
            7,
            "dynamodb",
            "PutItem",
            json!({"requestParameters": {"tableName": "Orders"}}),
        )
        .write_logs();
    assert_eq!(groups(&world, &[])[0]["change"], Value::Null);
}

#[test]
fn a_bucket_policy_that_changed_is_tied_to_what_it_refuses() {
    let all = json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]);
    let mut world = world(&all, None);
    let object = json!({"requestParameters": {"bucketName": "feed", "key": "a.json"}, "eventCategory": "Data", "managementEvent": false});
    let mut no = object.clone();
    no["errorCode"] = json!("AccessDenied");
    let alice = json!({"type": "IAMUser", "arn": "arn:aws:iam::111122223333:user/alice"});
    world
        .call(1, "s3", "GetObject", object)
        .call(
            5,
            "s3",
            "PutBucketPolicy",
            json!({"userIdentity": alice, "requestParameters": {"bucketName": "feed"}}),
        )
        .call(6, "s3", "GetObject", no)
        .write_logs();
    let groups = groups(&world, &[]);
    assert_eq!(
        groups[0]["change"]["event_name"], "PutBucketPolicy",
        "{groups:?}"
    );
}

#[test]
fn the_page_reads_well_and_hostile_names_stay_text() {
    let mut world = world(&get_items(), None);
    let mut record = said(
        "dynamodb:PutItem on resource: arn:aws:dynamodb:us-east-1:111122223333:table/O\u{1b}[31m because no identity-based policy allows the dynamodb:PutItem action",
    );
    record["userIdentity"] = session("worker-role", "AROAEXAMPLEWORKER0001", "worker", true);
    world.call(1, "dynamodb", "PutItem", record).write_logs();
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let output = rolefit(&["denied", &logs, "--snapshot", &snapshot]);
    let text = stdout(&output);
    assert!(
        text.starts_with("1 denied call of 1 role\n\narn:aws:iam::111122223333:role/worker-role\n"),
        "{text}"
    );
    assert!(!text.contains('\u{1b}'), "{text}");
    let samples = rolefit(&[
        "denied",
        "sample-logs",
        "--snapshot",
        "sample-logs/snapshot",
    ]);
    let text = stdout(&samples);
    assert!(text.starts_with("22 denied calls of 2 roles\n"), "{text}");
    assert!(text.contains("from\n    outside Lambda") || text.contains("from outside Lambda"));
}

#[test]
fn only_a_role_of_lambda_alone_has_an_outside() {
    for (principal, outside) in [
        (json!("lambda.amazonaws.com"), true),
        (json!(["lambda.amazonaws.com", "ec2.amazonaws.com"]), false),
    ] {
        let mut world = World::new();
        let mut role = crate::world::role("worker-role", &get_items());
        role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["Service"] = principal;
        let details = json!({"RoleDetailList": [role]});
        world.write_snapshot("account-authorization-details.json", &details);
        let mut record = refused(&json!({"tableName": "Orders"}));
        record["userIdentity"] = session("worker-role", "AROAEXAMPLEWORKER0001", "worker", false);
        record["userAgent"] = json!("aws-cli/2.31.1 ua/2.1 os/macos#22.6.0 md/arch#arm64");
        let group = check(
            &mut world,
            "dynamodb",
            "PutItem",
            record,
            "execution-role policies",
        );
        assert_eq!(group["outside"], outside);
        assert_eq!(group["fix"]["statement"].is_null(), outside, "{group}");
    }
}
