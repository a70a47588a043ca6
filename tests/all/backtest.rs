//! `rolefit backtest`: what a fit on the past would have denied.

use serde_json::{Value, json};

use crate::program::{code, rolefit, stderr};
use crate::world::World;

fn object(world: &mut World, day: u32, name: &str, bucket: &str, key: &str) {
    world.call(
        day,
        "s3",
        name,
        json!({
            "requestParameters": {"bucketName": bucket, "key": key}, "managementEvent": false, "eventCategory": "Data",
            "resources": [
                {"type": "AWS::S3::Object", "ARN": format!("arn:aws:s3:::{bucket}/{key}")},
                {"type": "AWS::S3::Bucket", "ARN": format!("arn:aws:s3:::{bucket}"), "accountId": "111122223333"}
            ]
        }),
    );
}

/// Twenty days of dated writes; after the split a new bucket, an action that never was, and a folder
/// that never was.
fn world() -> World {
    let mut world = World::new();
    world.cover(0..20);
    for day in 0..20 {
        object(
            &mut world,
            day,
            "PutObject",
            "data",
            &format!("in/dt=2026-09-{:02}/a.json", day + 1),
        );
        object(
            &mut world,
            day,
            "PutObject",
            "data",
            &format!("in/dt=2026-09-{:02}/a.json", day + 1),
        );
    }
    object(&mut world, 17, "PutObject", "fresh", "in/x.json");
    object(
        &mut world,
        18,
        "GetObject",
        "data",
        "in/dt=2026-09-01/a.json",
    );
    object(&mut world, 19, "PutObject", "data", "out/table.csv");
    world.write_logs();
    world.write_selectors(&["AWS::S3::Object"]);
    world.write_role(&json!([{"Effect": "Allow", "Action": "s3:*", "Resource": "*"}]));
    world
}

fn run(world: &World, more: &[&str]) -> Value {
    let (logs, snapshot) = (world.logs(), world.snapshot());
    let mut arguments = vec![
        "backtest",
        &logs,
        "--snapshot",
        &snapshot,
        "--output",
        "json",
    ];
    arguments.extend(more);
    let output = rolefit(&arguments);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn granularities_stand_side_by_side() {
    let report = run(&world(), &["--split", "2026-09-16"]);
    assert_eq!(report["schema"], "rolefit.backtest/1");
    let of = |name: &str| &report["roles"][0]["granularities"][name];
    // Five dated writes, the new bucket, the new action, the new folder.
    for (name, denied, calls) in [("exact", 8, 13), ("prefix", 3, 3), ("container", 2, 2)] {
        let outcome = of(name);
        assert_eq!(outcome["requests"], 8, "{name}");
        assert_eq!(outcome["calls"], 13, "{name}");
        assert_eq!(outcome["denied"], denied, "{name}");
        assert_eq!(outcome["calls_denied"], calls, "{name}");
        assert_eq!(outcome["denied_new_resource"], 1, "{name}");
        assert_eq!(report["total"][name]["denied"], denied, "{name}");
    }
    let breadth = |name: &str| of(name)["breadth"].as_f64().unwrap();
    assert!(breadth("exact") <= breadth("prefix") && breadth("prefix") < breadth("container"));
    let denied = of("prefix")["denied_calls"].as_array().unwrap();
    let rows: Vec<String> = denied
        .iter()
        .map(|row| {
            format!(
                "{} {} {} {} {}",
                row["count"], row["action"], row["resource"], row["first_day"], row["new_resource"]
            )
            .replace('"', "")
        })
        .collect();
    assert_eq!(
        rows,
        [
            "1 s3:GetObject arn:aws:s3:::data/in/dt=2026-09-01/a.json 2026-09-19 false",
            "1 s3:PutObject arn:aws:s3:::data/out/table.csv 2026-09-20 false",
            "1 s3:PutObject arn:aws:s3:::fresh/in/x.json 2026-09-18 true",
        ]
    );
    // The worst comes first.
    assert_eq!(of("exact")["denied_calls"][0]["count"], 2);
}

#[test]
fn rolling_fits_again_before_each_part() {
    let report = run(
        &world(),
        &[
            "--split",
            "2026-09-16",
            "--rolling",
            "5",
            "--granularity",
            "prefix",
        ],
    );
    assert_eq!(report["splits"].as_array().unwrap().len(), 5);
    assert_eq!(report["total"]["prefix"]["denied"], 3);
    assert!(report["total"].get("exact").is_none());
}

#[test]
fn a_share_splits_at_midnight_and_a_missing_snapshot_is_said() {
    let world = world();
    let report = run(&world, &["--split", "80%"]);
    assert_eq!(report["splits"][0]["at"], "2026-09-16T00:00:00Z");
    let output = rolefit(&["backtest", &world.logs(), "--split", "80%"]);
    assert_eq!(code(&output), 0, "{}", stderr(&output));
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(
        text.contains("every role is taken to be allowed everything"),
        "{text}"
    );
}

#[test]
fn wrong_splits_are_told() {
    let world = world();
    for (split, expected) in [
        ("0%", 2),
        ("100%", 2),
        ("soon", 2),
        ("2031-01-01", 2),
        ("2020-01-01", 2),
    ] {
        let output = rolefit(&["backtest", &world.logs(), "--split", split]);
        assert_eq!(code(&output), expected, "{split}: {}", stderr(&output));
    }
}
