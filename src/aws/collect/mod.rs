//! `rolefit collect`: an account as it is now, as a snapshot folder.
//!
//! Every file holds what the AWS CLI prints for the same question, all pages in one answer. What cannot be had is
//! a gap with a reason, never an empty list: an empty list would say that there is nothing.

mod files;
mod iam;
mod lambda;
mod raw;
mod trails;

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::Value;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::{AwsError, Session};
use crate::catalog::Catalog;
use crate::grants::{GAPS_FILE, Snapshot};

pub use iam::{account_details, document, last_accessed};
pub use lambda::{event_invoke_configs, event_source_mappings, functions, policies};
pub use trails::{event_selectors, trails};

use files::Files;

/// Regions by partition, as botocore 1.44.8 lists them: `PARTITION REGION`, a line each.
const REGIONS: &str = include_str!("regions.txt");
/// Regions asked at once.
const REGIONS_AT_ONCE: usize = 8;
/// Jobs for last accesses at once.
const JOBS_AT_ONCE: usize = 4;

/// What is collected.
#[derive(Clone, Debug, Default)]
pub struct CollectOptions {
    /// Regions to look for functions and trails in; all of the partition where none is named.
    pub regions: Vec<String>,
    /// Reports of last accesses for every role, not only for those that Lambda uses.
    pub all_roles: bool,
    /// No reports of last accesses.
    pub no_last_accessed: bool,
    /// Accounts to collect, each as this role there; the own account where there are none.
    pub accounts: Vec<String>,
    /// The role in the accounts.
    pub assume_role: Option<String>,
    /// Write over what is in the folder.
    pub force: bool,
}

/// What became of it.
#[derive(Clone, Debug, Default)]
pub struct Collected {
    /// Accounts.
    pub accounts: BTreeSet<String>,
    /// Roles described.
    pub roles: usize,
    /// Functions described.
    pub functions: usize,
    /// Parts that an earlier run that was cut short had finished.
    pub kept: usize,
    /// What could not be had, and why, sorted.
    pub gaps: Vec<(String, String)>,
}

/// Writes the snapshot into `folder`. `tell` hears what is asked for, part by part.
///
/// # Errors
/// When there are no credentials, the account's details cannot be had, or the folder cannot be written. Anything
/// else that is refused is a gap.
pub fn collect(
    session: &Session,
    options: &CollectOptions,
    folder: &Path,
    tell: &dyn Fn(&str),
) -> Result<Collected, AwsError> {
    let (own, arn) = session.caller()?;
    let partition = arn.split(':').nth(1).unwrap_or("aws").to_owned();
    let accounts = if options.accounts.is_empty() {
        vec![own.clone()]
    } else {
        options.accounts.clone()
    };
    let title = format!("rolefit collect of {}", accounts.join(" "));
    let mut collected = Collected::default();
    let files = Files::open(folder, &title, options.force)?;
    collected.kept = files.kept;
    let mut run = Run {
        files,
        options,
        partition,
        several: accounts.len() > 1,
        collected,
        tell,
    };
    for account in &accounts {
        let session = match &options.assume_role {
            Some(role) if *account != own || !options.accounts.is_empty() => {
                let arn = format!("arn:{}:iam::{account}:role/{role}", run.partition);
                session.assuming(&arn)
            }
            _ => session.clone(),
        };
        run.account(&session, account)?;
    }
    run.reports(session, folder, &own)?;
    run.collected.gaps.sort();
    run.gaps()?;
    if run.collected.gaps.is_empty() {
        run.files.done()?;
    }
    Ok(run.collected)
}

struct Run<'a> {
    files: Files,
    options: &'a CollectOptions,
    partition: String,
    several: bool,
    collected: Collected,
    tell: &'a dyn Fn(&str),
}

/// What one Region holds: files by name, and gaps.
#[derive(Default)]
struct Found {
    functions: usize,
    files: Vec<(String, Value)>,
    gaps: Vec<(String, String)>,
}

impl Found {
    fn gap(&mut self, what: impl Into<String>, error: &AwsError) {
        self.gaps.push((what.into(), error.message.clone()));
    }
}

impl Run<'_> {
    /// A part of a file's name that tells accounts apart, where there are several.
    fn of(&self, account: &str) -> String {
        if self.several {
            format!("-{account}")
        } else {
            String::new()
        }
    }

    /// A snapshot with gaps says so to whoever reads it.
    fn gaps(&self) -> Result<(), AwsError> {
        let gaps: Vec<Value> = self
            .collected
            .gaps
            .iter()
            .map(|(what, why)| serde_json::json!({"What": what, "Why": why}))
            .collect();
        self.files
            .write(GAPS_FILE, &serde_json::json!({ "Gaps": gaps }))
    }

    fn account(&mut self, session: &Session, account: &str) -> Result<(), AwsError> {
        let (found, _) = session.caller()?;
        if found != account {
            return Err(AwsError::plain(format!(
                "these credentials are of account {found}, not of {account}"
            )));
        }
        self.collected.accounts.insert(account.to_owned());
        let part = format!("details {account}");
        if !self.files.has(&part) {
            (self.tell)(&format!("account details of {account}"));
            let client = aws_sdk_iam::Client::new(&session.config);
            let details = session.runtime.block_on(account_details(&client))?;
            let roles = details.get("RoleDetailList").and_then(Value::as_array);
            self.collected.roles += roles.map_or(0, Vec::len);
            let name = format!("account-authorization-details{}.json", self.of(account));
            self.files.write(&name, &details)?;
            self.files.finish(&part)?;
        }
        self.regions(session, account)
    }

    fn regions(&mut self, session: &Session, account: &str) -> Result<(), AwsError> {
        let regions = if self.options.regions.is_empty() {
            regions_of(&self.partition)
        } else {
            self.options.regions.clone()
        };
        let wanted: Vec<String> = regions
            .into_iter()
            .filter(|region| !self.files.has(&format!("region {account} {region}")))
            .collect();
        (self.tell)(&format!(
            "functions and trails of {account} in {} Regions",
            wanted.len()
        ));
        let suffix = self.of(account);
        let runtime = session.runtime.clone();
        let mut running = JoinSet::new();
        let places = Arc::new(Semaphore::new(REGIONS_AT_ONCE));
        runtime.block_on(async {
            for region in wanted {
                let (session, places, suffix) = (session.clone(), places.clone(), suffix.clone());
                running.spawn(async move {
                    let _place = places.acquire().await;
                    let found = region_of(&session, &region, &suffix).await;
                    (region, found)
                });
            }
            while let Some(done) = running.join_next().await {
                let (region, found) =
                    done.map_err(|_| AwsError::plain("internal error while collecting"))?;
                let whole = found.gaps.is_empty();
                self.collected.functions += found.functions;
                for (name, value) in found.files {
                    self.files.write(&name, &value)?;
                }
                for (what, why) in found.gaps {
                    self.collected
                        .gaps
                        .push((format!("{what} of {account} in {region}"), why));
                }
                if whole {
                    self.files.finish(&format!("region {account} {region}"))?;
                }
            }
            Ok(())
        })
    }

    /// Last accesses of the roles that Lambda uses.
    fn reports(&mut self, session: &Session, folder: &Path, own: &str) -> Result<(), AwsError> {
        if self.options.no_last_accessed {
            return Ok(());
        }
        let snapshot = Snapshot::load(Some(folder), &[], Catalog::builtin())
            .map_err(|error| AwsError::plain(error.to_string()))?;
        let used: BTreeSet<&str> = snapshot.functions.iter().map(|f| f.role.as_str()).collect();
        let roles: Vec<(String, String, String)> = snapshot
            .roles
            .values()
            .filter(|role| {
                self.options.all_roles || role.trusts_lambda() || used.contains(role.arn.as_str())
            })
            .map(|role| (role.account.clone(), role.name.clone(), role.arn.clone()))
            .filter(|(_, _, arn)| !self.files.has(&format!("accessed {arn}")))
            .collect();
        (self.tell)(&format!("last accesses of {} roles", roles.len()));
        let mut running = JoinSet::new();
        let places = Arc::new(Semaphore::new(JOBS_AT_ONCE));
        let sessions: std::collections::BTreeMap<String, Session> = roles
            .iter()
            .map(|(account, _, _)| account)
            .collect::<BTreeSet<_>>()
            .into_iter()
            .map(|account| {
                let session = match &self.options.assume_role {
                    Some(role) if account != own || !self.options.accounts.is_empty() => session
                        .assuming(&format!(
                            "arn:{}:iam::{account}:role/{role}",
                            self.partition
                        )),
                    _ => session.clone(),
                };
                (account.clone(), session)
            })
            .collect();
        session.runtime.block_on(async {
            for (account, name, arn) in roles {
                let Some(session) = sessions.get(&account).cloned() else {
                    continue;
                };
                let places = places.clone();
                running.spawn(async move {
                    let _place = places.acquire().await;
                    let client = aws_sdk_iam::Client::new(&session.config);
                    let report = last_accessed(&client, &arn).await;
                    (account, name, arn, report)
                });
            }
            while let Some(done) = running.join_next().await {
                let (account, name, arn, report) =
                    done.map_err(|_| AwsError::plain("internal error while collecting"))?;
                match report {
                    Ok(report) => {
                        let file = if self.several {
                            format!("service-last-accessed/{account}/{name}.json")
                        } else {
                            format!("service-last-accessed/{name}.json")
                        };
                        self.files.write(&file, &report)?;
                        self.files.finish(&format!("accessed {arn}"))?;
                    }
                    Err(error) => {
                        let what = format!("last accesses of {arn}");
                        self.collected.gaps.push((what, error.message));
                    }
                }
            }
            Ok(())
        })
    }
}

/// The Regions of a partition.
fn regions_of(partition: &str) -> Vec<String> {
    REGIONS
        .lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(of, _)| *of == partition)
        .map(|(_, region)| region.to_owned())
        .collect()
}

/// Everything of one Region. Nothing at all where the account has not enabled it.
async fn region_of(session: &Session, region: &str, suffix: &str) -> Found {
    let config = session.config_in(region);
    let lambda = aws_sdk_lambda::Client::new(&config);
    let mut found = Found::default();
    match functions(&lambda).await {
        // An account that has not enabled a Region is not known there.
        Err(error)
            if ["UnrecognizedClientException", "InvalidClientTokenId"]
                .iter()
                .any(|code| error.is(code)) =>
        {
            return found;
        }
        Err(error) => found.gap("functions", &error),
        Ok(list) => functions_of(&lambda, list, region, suffix, &mut found).await,
    }
    let client = aws_sdk_cloudtrail::Client::new(&config);
    match trails(&client).await {
        Err(error) => found.gap("trails", &error),
        Ok(mut list) => {
            // Other Regions tell of their own; here they are but shadows.
            if let Some(Value::Array(all)) = list.get_mut("trailList") {
                all.retain(|trail| trail.get("HomeRegion").and_then(Value::as_str) == Some(region));
            }
            let here = trails::places(&list);
            for arn in &here {
                match event_selectors(&client, arn).await {
                    Ok(selectors) => {
                        let name = arn.rsplit('/').next().unwrap_or("trail");
                        let name = format!("event-selectors{suffix}-{region}-{name}.json");
                        found.files.push((name, selectors));
                    }
                    Err(error) => found.gap(format!("event selectors of {arn}"), &error),
                }
            }
            if !here.is_empty() {
                found
                    .files
                    .push((format!("trails{suffix}-{region}.json"), list));
            }
        }
    }
    found
}

async fn functions_of(
    client: &aws_sdk_lambda::Client,
    list: Value,
    region: &str,
    suffix: &str,
    found: &mut Found,
) {
    let names = lambda::names(&list);
    found.functions = names.len();
    found
        .files
        .push((format!("functions{suffix}-{region}.json"), list));
    match event_source_mappings(client).await {
        Ok(list) => {
            let name = format!("event-source-mappings{suffix}-{region}.json");
            found.files.push((name, list));
        }
        Err(error) => found.gap("event source mappings", &error),
    }
    if names.is_empty() {
        return;
    }
    match event_invoke_configs(client, &names).await {
        Ok(list) => {
            let name = format!("event-invoke-configs{suffix}-{region}.json");
            found.files.push((name, list));
        }
        Err(error) => found.gap("event invoke configs", &error),
    }
    match policies(client, &names).await {
        Ok(list) => {
            for (name, policy) in list {
                let file = format!("function-policies/{name}{suffix}-{region}.json");
                found.files.push((file, policy));
            }
        }
        Err(error) => found.gap("function policies", &error),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_partition_has_its_regions() {
        for (partition, region) in [
            ("aws", "us-east-1"),
            ("aws", "eu-central-1"),
            ("aws-cn", "cn-north-1"),
            ("aws-us-gov", "us-gov-west-1"),
            ("aws-eusc", "eusc-de-east-1"),
        ] {
            assert!(
                regions_of(partition).iter().any(|r| r == region),
                "{region}"
            );
        }
        assert!(regions_of("aws").len() > 25);
    }
}
