//! rolefit reads CloudTrail and gives each AWS Lambda execution role the smallest inline policy that
//! still lets its functions do what they do, with a proof that nothing was widened.
//!
//! ```text
//!   log objects ── read ─ trail ─┐             snapshot ── grants
//!                                ▼                           │
//!              catalog ──────► usage ──────► synthesize ◄────┘
//!                                                 │
//!                                 verify ◄────────┼────────► diff
//!                                                 ▼
//!                                              render
//! ```
//!
//! Events become IAM requests by the [`catalog`], requests a table per role in [`usage`]; [`grants`] says
//! what a role may do today, [`synthesize`] proposes what it needs, [`verify`] proves the promises on the
//! proposal, and [`render`] writes it down. [`pipeline`] wires the stages.
//!
//! Three records are enough for a policy:
//!
//! ```
//! use rolefit::catalog::Catalog;
//! use rolefit::grants::Snapshot;
//! use rolefit::pipeline::{FitOptions, fit, scan};
//! use rolefit::read::{Disk, Selection};
//!
//! let folder = tempfile::tempdir()?;
//! let role = "arn:aws:iam::111122223333:role/worker-role";
//! let record = |name: &str, key: &str| format!(r#"{{"eventTime": "2026-11-02T10:00:00Z", "eventID": "{key}",
//!     "eventSource": "s3.amazonaws.com", "eventName": "{name}", "awsRegion": "us-east-1",
//!     "recipientAccountId": "111122223333", "eventCategory": "Data",
//!     "userIdentity": {{"type": "AssumedRole", "sessionContext": {{"sessionIssuer": {{"type": "Role", "arn": "{role}"}}}}}},
//!     "resources": [{{"type": "AWS::S3::Object", "ARN": "arn:aws:s3:::in/{key}"}}]}}"#);
//! let records = ["2026/11/01/a.csv", "2026/11/02/a.csv", "2026/11/03/a.csv"].map(|key| record("GetObject", key));
//! let logs = folder.path().join("logs.json");
//! std::fs::write(&logs, format!(r#"{{"Records": [{}]}}"#, records.join(",")))?;
//! let details = folder.path().join("details.json");
//! std::fs::write(&details, format!(r#"{{"RoleDetailList": [{{"RoleName": "worker-role", "Arn": "{role}",
//!     "AssumeRolePolicyDocument": {{"Statement": [{{"Effect": "Allow", "Principal": {{"Service": "lambda.amazonaws.com"}}}}]}},
//!     "RolePolicyList": [{{"PolicyName": "all", "PolicyDocument": {{"Version": "2012-10-17",
//!         "Statement": [{{"Effect": "Allow", "Action": "s3:*Object", "Resource": "*"}}]}}}}]}}]}}"#))?;
//!
//! let catalog = Catalog::builtin();
//! let pool = rayon::ThreadPoolBuilder::new().num_threads(1).build()?;
//! let source = Disk::new(&[logs.display().to_string()], &[])?;
//! let read = scan(&source, &Selection::default(), catalog, &pool, &rolefit::event::Silent);
//! let snapshot = Snapshot::load(None, &[details], catalog)?;
//! let report = fit(read, &snapshot, &FitOptions::default(), catalog, &pool);
//! let proposed = report.roles[0].proposed.as_ref().unwrap();
//! let policy = proposed.policy.as_ref().unwrap();
//! assert_eq!(policy["Statement"][0]["Action"], "s3:GetObject");
//! assert_eq!(policy["Statement"][0]["Resource"], "arn:aws:s3:::in/*/a.csv");
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

pub mod access;
pub mod catalog;
pub mod diff;
pub mod event;
pub mod grants;
pub mod iam;
pub mod pipeline;
pub mod read;
pub mod render;
pub mod synthesize;
pub mod trail;
pub mod usage;
pub mod verify;

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "cli")]
pub mod cli;
