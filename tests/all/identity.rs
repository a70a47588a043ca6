//! Who a role is and who acts under its name: roles made anew, functions that move, credentials that
//! left Lambda.

use serde_json::{Value, json};

use crate::program::{allows, codes, report, role};
use crate::world::{World, function, role as a_role, session};

const ID: &str = "AROAEXAMPLEWORKER0001";
const PARAMETERS: &str = "arn:aws:ssm:us-east-1:111122223333:parameter";

/// `worker-role` may read parameters and start queries, with functions as given.
fn world(functions: &[Value]) -> World {
    let world = World::new();
    world.write_role(&json!([{"Sid": "Read", "Effect": "Allow", "Action": ["ssm:GetParameter", "athena:*"], "Resource": "*"}]));
    if !functions.is_empty() {
        world.write_snapshot("functions.json", &json!({ "Functions": functions }));
    }
    world
}

fn parameter(name: &str, identity: &Value) -> Value {
    json!({"requestParameters": {"name": name}, "userIdentity": identity})
}

fn fit(world: &World, more: &[&str]) -> Value {
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let mut arguments = vec![logs.as_str(), "--snapshot", &snapshot];
    arguments.extend(more);
    report(&arguments).0
}

fn reads(report: &Value) -> Vec<String> {
    let lines = allows(&role(report, "worker-role")["proposed"]["policy"]);
    lines
        .into_iter()
        .filter_map(|line| {
            line.strip_prefix(&format!("ssm:GetParameter {PARAMETERS}"))
                .map(str::to_owned)
        })
        .collect()
}

fn message<'r>(report: &'r Value, code: &str) -> &'r str {
    let reasons = role(report, "worker-role")["reasons"].as_array().unwrap();
    reasons
        .iter()
        .find(|reason| reason["code"] == code)
        .unwrap_or_else(|| panic!("no {code}: {reasons:?}"))["message"]
        .as_str()
        .unwrap()
}

#[test]
fn a_role_made_anew_under_another_path_keeps_what_the_earlier_one_used() {
    let mut world = world(&[]);
    let old = session(
        "old/path/worker-role",
        "AROAEXAMPLEOLDROLE001",
        "worker",
        true,
    );
    world
        .cover(0..40)
        .call(1, "ssm", "GetParameter", parameter("/a", &old))
        .call(
            35,
            "ssm",
            "GetParameter",
            parameter("/b", &session("worker-role", ID, "worker", true)),
        )
        .write_logs();
    let report = fit(&world, &[]);
    assert_eq!(report["roles"].as_array().unwrap().len(), 1);
    assert_eq!(
        reads(&report),
        ["/a,arn:aws:ssm:us-east-1:111122223333:parameter/b"]
    );
    assert!(message(&report, "role-moved").contains("role/old/path/worker-role"));
    assert!(message(&report, "role-recreated").contains("2 ids"));
    assert_eq!(role(&report, "worker-role")["status"], "review");
}

#[test]
fn a_role_made_anew_under_its_name_is_said() {
    let mut world = world(&[]);
    let old = session("worker-role", "AROAEXAMPLEOLDROLE001", "worker", false);
    world
        .cover(0..40)
        .call(1, "ssm", "GetParameter", parameter("/a", &old))
        .write_logs();
    let report = fit(&world, &[]);
    assert!(
        message(&report, "role-recreated")
            .contains("today's role is AROAEXAMPLEWORKER0001 and did nothing yet")
    );
    assert_eq!(reads(&report), ["/a"]);
}

#[test]
fn a_function_that_is_gone_is_said_and_what_it_used_is_kept() {
    for scoped in [true, false] {
        let mut world = world(&[function("renamed", "worker-role", &json!({}))]);
        let old = session("worker-role", ID, "worker", scoped);
        let new = session("worker-role", ID, "renamed", scoped);
        let taken = json!({"userIdentity": {"type": "AWSService", "invokedBy": "lambda.amazonaws.com"},
            "requestParameters": {"roleArn": World::role_arn("worker-role"), "roleSessionName": "worker"}});
        world
            .cover(0..40)
            .call(1, "sts", "AssumeRole", taken)
            .call(1, "ssm", "GetParameter", parameter("/a", &old))
            .call(35, "ssm", "GetParameter", parameter("/b", &new))
            .write_logs();
        let report = fit(&world, &[]);
        assert!(message(&report, "function-gone").contains("worker (last seen 2026-09-02)"));
        assert_eq!(reads(&report).len(), 1);
    }
}

#[test]
fn a_function_brings_along_what_it_did_with_another_role() {
    let mut world = world(&[function("worker", "worker-role", &json!({}))]);
    let details = json!({"RoleDetailList": [
        a_role("worker-role", &json!([{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}])),
        a_role("old-role", &json!([{"Effect": "Allow", "Action": "ssm:*", "Resource": "*"}]))]});
    world.write_snapshot("account-authorization-details.json", &details);
    // Somebody takes the other role under a session of the same name: that is not the function.
    let fake = session("old-role", ID, "worker", false);
    let real = session("old-role", ID, "worker", true);
    world
        .cover(0..40)
        .call(1, "ssm", "GetParameter", parameter("/a", &real))
        .call(
            35,
            "ssm",
            "GetParameter",
            parameter("/b", &session("worker-role", ID, "worker", true)),
        )
        .write_logs();
    let report = fit(&world, &[]);
    assert!(message(&report, "function-came").contains("role old-role"));
    assert_eq!(reads(&report).len(), 1);
    assert!(reads(&report)[0].starts_with("/a,"), "{:?}", reads(&report));
    let old = role(&report, "old-role");
    assert!(codes(old).contains(&"function-moved"), "{:?}", codes(old));

    let mut other = World::new();
    other.write_snapshot("account-authorization-details.json", &details);
    other.write_snapshot(
        "functions.json",
        &json!({"Functions": [function("worker", "worker-role", &json!({}))]}),
    );
    other
        .cover(0..40)
        .call(1, "ssm", "GetParameter", parameter("/a", &fake))
        .call(
            35,
            "ssm",
            "GetParameter",
            parameter("/b", &session("worker-role", ID, "worker", true)),
        )
        .write_logs();
    assert_eq!(reads(&fit(&other, &[])), ["/b"]);
}

#[test]
fn credentials_that_left_lambda_do_not_count_unless_asked() {
    let mac =
        "aws-cli/2.31.1 md/awscrt#0.27.6 ua/2.1 os/macos#22.6.0 md/arch#arm64 lang/python#3.13.7";
    let mut world = world(&[function("worker", "worker-role", &json!({}))]);
    let own = session("worker-role", ID, "worker", true);
    let plain = session("worker-role", ID, "worker", false);
    let named = session("worker-role", ID, "eve@example.com", false);
    let mut stolen = parameter("/stolen", &plain);
    stolen["userAgent"] = json!(mac);
    stolen["sourceIPAddress"] = json!("203.0.113.9");
    let mut strange = parameter("/strange", &named);
    strange["userAgent"] = json!("Boto3/1.40.0 os/linux#6.1.0 lang/python#3.12");
    world
        .cover(0..40)
        .call(1, "ssm", "GetParameter", parameter("/a", &own))
        .call(2, "ssm", "GetParameter", stolen)
        .call(3, "ssm", "GetParameter", strange)
        .write_logs();
    let report = fit(&world, &[]);
    assert_eq!(reads(&report), ["/a"]);
    let row = role(&report, "worker-role");
    assert_eq!(row["status"], "review");
    let told = message(&report, "outside-use");
    for part in ["2 calls", "do not count", "203.0.113.9", "eve@example.com"] {
        assert!(told.contains(part), "{told}");
    }
    let counted = fit(&world, &["--include-outside"]);
    let all = reads(&counted);
    assert!(
        all.iter().any(|line| line.contains("/stolen"))
            && all.iter().any(|line| line.contains("/strange")),
        "{all:?}"
    );
    assert!(message(&counted, "outside-use").contains("count as use, as asked for"));
    assert_eq!(role(&counted, "worker-role")["status"], "review");
}

#[test]
fn vpc_functions_custom_runtimes_go_programs_and_extensions_are_no_outside_use() {
    let agents = [
        (
            "aws-sdk-go-v2/1.36.3 ua/2.1 os/linux lang/go#1.26.4 md/GOOS#linux md/GOARCH#arm64 m/E,g",
            "203.0.113.20",
        ), // behind NAT
        ("aws-sdk-go/1.44.1 (go1.19; linux; amd64)", "10.0.3.17"),
        ("aws-sdk-rust/1.3.9 os/linux lang/rust/1.90.0", "172.31.4.4"),
        (
            "aws-cli/1.20.26 Python/3.6.14 Linux/4.14.225-175.364.amzn2.x86_64 botocore/1.21.26",
            "198.51.100.4",
        ), // a shell as runtime
        ("my-extension/1.2 (linux)", "198.51.100.4"),
        (
            "AWS-Parameters-and-Secrets-Lambda-Extension/1.0",
            "169.254.100.5",
        ),
        ("", "198.51.100.4"),
    ];
    for scoped in [true, false] {
        let mut world = world(&[function(
            "worker",
            "worker-role",
            &json!({"VpcConfig": {"SubnetIds": ["subnet-1"]}}),
        )]);
        world.cover(0..40);
        for (at, (agent, address)) in agents.iter().enumerate() {
            let mut call = parameter(
                &format!("/p{at}"),
                &session("worker-role", ID, "worker", scoped),
            );
            call["userAgent"] = json!(agent);
            call["sourceIPAddress"] = json!(address);
            call["vpcEndpointId"] = json!("vpce-0a1b2c3d");
            world.call(1, "ssm", "GetParameter", call);
        }
        world.write_logs();
        let report = fit(&world, &[]);
        let row = role(&report, "worker-role");
        assert!(!codes(row).contains(&"outside-use"), "{:?}", codes(row));
        assert_eq!(report["input"]["records"]["used"], agents.len());
    }
}
