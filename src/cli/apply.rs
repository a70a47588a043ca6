//! `rolefit apply` and `rolefit rollback`: what `fit` wrote to its --out-dir, put in place through the SDK.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::Args as ClapArgs;
use serde_json::Value;

use super::remote::ConnectArgs;
use super::{Exit, Fault};
use crate::catalog::Catalog;
use crate::iam::{Conditions, Containment, NamedPolicy, PolicyDocument, PolicySet, Statement};
use crate::pipeline::names;
use crate::render::{Change, Target};
use crate::verify;

/// `rolefit apply`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Without --yes nothing is changed: the steps are shown, and whether the role still is as it was analysed.\nThe new policy comes before the old ones go, the role is compared before each step, a backup is written first,\nand where a step fails the role is put back.\n\nExamples:\n  rolefit apply order-processor-role --out-dir ./out\n  rolefit apply order-processor-role --out-dir ./out --yes\n  rolefit apply 'order-*' --out-dir ./out --accept-review --yes"
)]
pub(super) struct ApplyArgs {
    #[command(flatten)]
    pub(super) what: RolesArgs,
    /// Also apply proposals of roles for review: their reasons were read
    #[arg(long)]
    pub(super) accept_review: bool,
}

/// `rolefit rollback`.
#[derive(Debug, ClapArgs)]
#[command(
    after_help = "Goes back by the last backup that `apply` wrote beside the role's files, from wherever the role is on that way.\n\nExamples:\n  rolefit rollback order-processor-role --out-dir ./out\n  rolefit rollback order-processor-role --out-dir ./out --yes"
)]
pub(super) struct RollbackArgs {
    #[command(flatten)]
    pub(super) what: RolesArgs,
}

/// Which roles of which run.
#[derive(Debug, ClapArgs)]
pub(super) struct RolesArgs {
    /// Names or ARNs of roles, `*` and `?` allowed
    #[arg(required = true, value_name = "ROLE")]
    pub(super) roles: Vec<String>,
    /// The --out-dir of `fit`
    #[arg(long, value_name = "DIR")]
    pub(super) out_dir: PathBuf,
    /// Do it
    #[arg(long)]
    pub(super) yes: bool,
    #[command(flatten)]
    pub(super) connect: ConnectArgs,
}

/// A role of the run.
struct Found {
    arn: String,
    folder: PathBuf,
    current: Value,
}

impl Found {
    fn name(&self) -> &str {
        self.arn.rsplit('/').next().unwrap_or(&self.arn)
    }
}

fn failed(error: anyhow::Error) -> Fault {
    Fault::new(Exit::Failed, error)
}

fn json(path: &Path) -> Result<Value, Fault> {
    let name = path.display();
    let bytes = fs::read(path).map_err(|error| failed(anyhow!("cannot read `{name}`: {error}")))?;
    serde_json::from_slice(&bytes)
        .map_err(|error| failed(anyhow!("`{name}` is malformed JSON: {error}")))
}

/// The roles of the out-dir that the patterns name; each pattern must name one.
fn found(args: &RolesArgs) -> Result<Vec<Found>, Fault> {
    let mut all = Vec::new();
    for account in folders(&args.out_dir)? {
        for folder in folders(&account)? {
            let file = folder.join("current.json");
            if !file.is_file() {
                continue;
            }
            let current = json(&file)?;
            if let Some(arn) = current.get("Arn").and_then(Value::as_str) {
                all.push(Found {
                    arn: arn.to_owned(),
                    folder,
                    current,
                });
            }
        }
    }
    for pattern in &args.roles {
        if !all.iter().any(|role| names(pattern, &role.arn)) {
            let error = anyhow!("no role `{pattern}` in `{}`", args.out_dir.display());
            return Err(Fault::new(Exit::NoInput, error)
                .hint("give the --out-dir of a `fit` that proposed a policy for it"));
        }
    }
    all.retain(|role| args.roles.iter().any(|pattern| names(pattern, &role.arn)));
    all.sort_by(|a, b| a.arn.cmp(&b.arn));
    Ok(all)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, Fault> {
    let entries = fs::read_dir(folder)
        .map_err(|error| failed(anyhow!("cannot read `{}`: {error}", folder.display())))?;
    let mut out: Vec<PathBuf> = entries
        .filter_map(|entry| Some(entry.ok()?.path()))
        .filter(|path| path.is_dir())
        .collect();
    out.sort();
    Ok(out)
}

/// The report's rows by ARN.
fn rows(out_dir: &Path) -> Result<BTreeMap<String, Value>, Fault> {
    let report = json(&out_dir.join("report.json"))?;
    if report.get("schema").and_then(Value::as_str) != Some("rolefit.report/1") {
        let error = anyhow!("`{}` holds no `rolefit.report/1`", out_dir.display());
        return Err(failed(error));
    }
    let list = report.get("roles").and_then(Value::as_array);
    Ok(list
        .into_iter()
        .flatten()
        .filter_map(|row| Some((row.get("arn")?.as_str()?.to_owned(), row.clone())))
        .collect())
}

/// The change for a role; `None` where it is as tight already.
fn change(role: &Found, row: Option<&Value>, accept_review: bool) -> Result<Option<Change>, Fault> {
    let name = role.name();
    let refuse = |why: &str| Fault::new(Exit::Failed, anyhow!("{name} is not applied: {why}"));
    let row = row.ok_or_else(|| refuse("report.json does not know it"))?;
    let status = row
        .get("status")
        .and_then(Value::as_str)
        .unwrap_or_default();
    match status {
        "ready" => {}
        "unchanged" => return Ok(None),
        "review" if accept_review => {}
        "review" => {
            return Err(refuse("it is for review")
                .hint("read its reasons in report.md, then give --accept-review"));
        }
        _ => return Err(refuse(&format!("its status is `{status}`"))),
    }
    let proposed = row.get("proposed").filter(|p| p.is_object());
    let proposed = proposed.ok_or_else(|| refuse("nothing is proposed for it"))?;
    let inline = proposed.get("policy").filter(|p| !p.is_null()).cloned();
    let file = role.folder.join("policy.json");
    let written = file.is_file().then(|| json(&file)).transpose()?;
    if written != inline {
        return Err(refuse("policy.json is not what report.json proves")
            .hint("fit again; a policy written by hand is put by hand, after `rolefit verify`"));
    }
    let managed = proposed.get("managed_policies").and_then(Value::as_array);
    let managed = managed
        .into_iter()
        .flatten()
        .filter_map(|policy| {
            Some((
                policy.get("name")?.as_str()?.to_owned(),
                policy.get("policy")?.clone(),
            ))
        })
        .collect();
    let target = Target {
        inline,
        managed,
        attach: None,
    };
    narrower(role, row, &target).map_err(|why| {
        refuse(&why).hint("fit again: its files are of several runs, or were changed")
    })?;
    Change::plan(&role.arn, &role.current, &target)
        .map(Some)
        .map_err(|error| refuse(&error.to_string()))
}

/// Proves once more, from the files that are about to be put, that they allow nothing that `current.json` does
/// not, but for what the user had added.
fn narrower(role: &Found, row: &Value, target: &Target) -> Result<(), String> {
    let words = |error: &dyn std::fmt::Display| error.to_string();
    let mut current = super::policy::documents(&[role.folder.join("current.json")])
        .map_err(|fault| words(&fault.error))?;
    let decisions = row.get("decisions").and_then(Value::as_array);
    let added: Vec<Statement> = decisions
        .into_iter()
        .flatten()
        .filter(|decision| decision.get("verdict").and_then(Value::as_str) == Some("added"))
        .filter_map(|decision| {
            // Nothing else is ever added.
            let action = decision.get("action")?.as_str()?.to_owned();
            if !action.starts_with("logs:") {
                return None;
            }
            let resources = decision.get("resources")?.as_array()?.iter();
            let resources = resources.filter_map(|r| r.as_str().map(str::to_owned));
            let (actions, resources) = (vec![action], resources.collect());
            Some(Statement::allow(
                None,
                actions,
                resources,
                Conditions::none(),
            ))
        })
        .collect();
    if !added.is_empty() {
        current.identity.push(NamedPolicy {
            name: "added".into(),
            document: PolicyDocument::new(added),
        });
    }
    let inline = target.inline.iter().map(|document| ("inline", document));
    let managed = target
        .managed
        .iter()
        .map(|(name, text)| (name.as_str(), text));
    let identity = inline
        .chain(managed)
        .map(|(name, document)| {
            let document = PolicyDocument::from_value(document).map_err(|error| words(&error))?;
            let name = name.to_owned();
            Ok(NamedPolicy { name, document })
        })
        .collect::<Result<_, String>>()?;
    let proposed = PolicySet {
        identity,
        boundary: current.boundary.clone(),
    };
    match verify::contained(&proposed, &current, Catalog::builtin()) {
        Containment::Contained => Ok(()),
        Containment::NotContained(witness) => Err(format!(
            "it would allow {} on {}, which current.json does not",
            witness.action, witness.resource
        )),
        Containment::Unknown(why) => {
            Err(format!("nobody can tell that it allows nothing new: {why}"))
        }
    }
}

#[cfg(not(feature = "aws"))]
pub(super) fn run(args: &ApplyArgs) -> Result<Exit, Fault> {
    // What can be refused without AWS is refused in its own words.
    let rows = rows(&args.what.out_dir)?;
    for role in found(&args.what)? {
        change(&role, rows.get(&role.arn), args.accept_review)?;
    }
    Err(super::remote::not_built())
}

#[cfg(not(feature = "aws"))]
pub(super) fn rollback(_: &RollbackArgs) -> Result<Exit, Fault> {
    Err(super::remote::not_built())
}

#[cfg(feature = "aws")]
pub(super) use live::{rollback, run};

#[cfg(feature = "aws")]
mod live {
    use std::fs;
    use std::path::{Path, PathBuf};

    use anyhow::anyhow;

    use super::super::remote::{connect, fault};
    use super::super::{Exit, Fault, say};
    use super::{ApplyArgs, Found, RolesArgs, RollbackArgs, change, failed, found, json, rows};
    use crate::aws::apply::{Applier, Ended};
    use crate::render::{Change, Step};

    pub(in crate::cli) fn run(args: &ApplyArgs) -> Result<Exit, Fault> {
        let rows = rows(&args.what.out_dir)?;
        let mut changes = Vec::new();
        // Everything that can be refused is, before anything is changed.
        for role in found(&args.what)? {
            match change(&role, rows.get(&role.arn), args.accept_review)? {
                Some(change) => changes.push((role, change)),
                None => say("apply", &format!("{}: as tight already", role.name())),
            }
        }
        let applier = applier(&args.what)?;
        let mut places = Vec::new();
        for (role, change) in &changes {
            places.push(place(&applier, role, change)?);
        }
        for ((role, change), place) in changes.iter().zip(places) {
            let left = change.steps.iter().skip(place);
            if change.steps.len() == place {
                say("apply", &format!("{}: in place already", role.name()));
                continue;
            }
            if !args.what.yes {
                plan(role, left.map(Step::words));
                continue;
            }
            let backup = write_backup(role, change)?;
            say("backup", &backup.display().to_string());
            let ended = applier
                .apply(change, &mut |step| say(role.name(), &step.words()))
                .map_err(fault)?;
            match ended {
                Ended::Done { .. } => say("applied", role.name()),
                Ended::RolledBack { why } => {
                    let error = anyhow!("{} is as it was before: {why}", role.name());
                    return Err(failed(error));
                }
                Ended::Stuck { why, back, steps } => {
                    let error = anyhow!(
                        "{} stands after {steps} of {} steps: {why}; on the way back: {back}",
                        role.name(),
                        change.steps.len()
                    );
                    return Err(failed(error).hint("it may do all that it needs at each step; look at it, then run `rolefit rollback` or `rolefit apply` again"));
                }
            }
        }
        told(&args.what);
        Ok(Exit::Done)
    }

    pub(in crate::cli) fn rollback(args: &RollbackArgs) -> Result<Exit, Fault> {
        let mut changes = Vec::new();
        for role in found(&args.what)? {
            let change = read_backup(&role)?;
            changes.push((role, change));
        }
        let applier = applier(&args.what)?;
        for (role, change) in &changes {
            if args.what.yes {
                applier
                    .rollback(change, &mut |step| say(role.name(), &step.words()))
                    .map_err(|error| {
                        fault(error).hint(format!("{} is left as it is", role.name()))
                    })?;
                say("rolled back", role.name());
            } else {
                let place = place(&applier, role, change)?;
                let back = change.steps.iter().take(place).rev();
                plan(role, back.map(|step| step.undone().words()));
            }
        }
        told(&args.what);
        Ok(Exit::Done)
    }

    fn applier(args: &RolesArgs) -> Result<Applier, Fault> {
        Ok(Applier::new(&connect(&args.connect, None)?))
    }

    fn place(applier: &Applier, role: &Found, change: &Change) -> Result<usize, Fault> {
        applier.place(change).map_err(|error| {
            let message = format!("{} is left alone: {error}", role.name());
            let mut error = error;
            error.message = message;
            fault(error)
        })
    }

    fn plan(role: &Found, steps: impl Iterator<Item = String>) {
        for (at, words) in steps.enumerate() {
            say(role.name(), &format!("{}. {words}", at + 1));
        }
    }

    fn told(args: &RolesArgs) {
        if !args.yes {
            say("hint", "nothing was changed; --yes does it");
        }
    }

    /// The change with the state before it, under the time.
    fn write_backup(role: &Found, change: &Change) -> Result<PathBuf, Fault> {
        let now = jiff::Timestamp::now().strftime("%Y%m%dT%H%M%S%.3fZ");
        let path = role.folder.join(format!("backup-{now}.json"));
        let text = serde_json::to_string_pretty(change)
            .map_err(|error| failed(anyhow!("cannot write the backup: {error}")))?;
        let mut part = path.clone().into_os_string();
        part.push(".part");
        fs::write(&part, text + "\n")?;
        fs::rename(&part, &path)?;
        Ok(path)
    }

    /// The last backup.
    fn read_backup(role: &Found) -> Result<Change, Fault> {
        let is_backup = |path: &Path| {
            path.file_name()
                .is_some_and(|name| name.to_string_lossy().starts_with("backup-"))
                && path
                    .extension()
                    .is_some_and(|extension| extension == "json")
        };
        let mut backups: Vec<PathBuf> = fs::read_dir(&role.folder)?
            .filter_map(|entry| Some(entry.ok()?.path()))
            .filter(|path| is_backup(path))
            .collect();
        backups.sort();
        let last = backups.pop().ok_or_else(|| {
            failed(anyhow!(
                "{} has no backup in `{}`",
                role.name(),
                role.folder.display()
            ))
            .hint("`apply` writes one before it changes anything")
        })?;
        let change: Change = serde_json::from_value(json(&last)?)
            .map_err(|error| failed(anyhow!("`{}` is no backup: {error}", last.display())))?;
        if change.arn != role.arn {
            return Err(failed(anyhow!("`{}` is of another role", last.display())));
        }
        Ok(change)
    }
}
