//! Passing over the roles that Lambda does not use changes nothing in the report.

use std::collections::BTreeSet;
use std::path::Path;

use rolefit::catalog::Catalog;
use rolefit::event::Silent;
use rolefit::grants::Snapshot;
use rolefit::pipeline::{FitOptions, Scan, fit, passed_over, scan, scan_passing_over};
use rolefit::read::{Disk, Selection};
use rolefit::render::write_json;

#[test]
fn the_report_is_the_same_and_a_role_that_lambda_uses_is_read_again() {
    let catalog = Catalog::builtin();
    let pool = rayon::ThreadPoolBuilder::new()
        .num_threads(2)
        .build()
        .unwrap();
    let source = Disk::new(&["sample-logs/AWSLogs".to_owned()], &[]).unwrap();
    let snapshot = Snapshot::load(Some(Path::new("sample-logs/snapshot")), &[], catalog).unwrap();
    let options = FitOptions::default();
    let report = |read: Scan| {
        let mut out = Vec::new();
        write_json(&fit(read, &snapshot, &options, catalog, &pool), &mut out).unwrap();
        String::from_utf8(out).unwrap()
    };
    let over = |roles: &BTreeSet<String>| {
        let selection = Selection::default();
        scan_passing_over(roles, &source, &selection, catalog, &pool, &Silent)
    };
    let all = scan(&source, &Selection::default(), catalog, &pool, &Silent);
    let of_lambda: BTreeSet<String> = all
        .usage
        .roles
        .iter()
        .filter(|(_, usage)| usage.lambda)
        .map(|(arn, _)| arn.clone())
        .collect();
    let others = passed_over(&snapshot, &options);
    assert!(!others.is_empty() && of_lambda.len() > 5);
    let passed = over(&others);
    assert!(passed.usage.roles.len() < all.usage.roles.len());
    assert_eq!(passed.usage.records, all.usage.records);
    let expected = report(all);
    assert_eq!(report(passed), expected);
    assert_eq!(report(over(&(&others | &of_lambda))), expected);
}
