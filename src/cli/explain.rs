//! `rolefit explain`.

use std::io::{self, BufWriter, Write};
use std::path::Path;

use anyhow::{Context, anyhow};
use serde_json::{Value, json};

use super::args::{self, ExplainArgs, LogArgs, RoleArgs};
use super::{Exit, Fault, coverage};
use crate::catalog::Catalog;
use crate::pipeline::{explain, fit};
use crate::render::{write_explanation_text, write_json};

pub(super) fn run(args: &ExplainArgs) -> Result<Exit, Fault> {
    let (action, logs) = split(&args.rest);
    let (report, catalog, incomplete) = match (&args.report, logs) {
        (Some(file), []) if args.stored.usage.is_none() && args.stored.state.is_none() => {
            (report_of(file)?, Catalog::builtin(), false)
        }
        (Some(_), _) => {
            return Err(Fault::new(
                Exit::Usage,
                anyhow!("--report stands for LOGS: give one of the two"),
            ));
        }
        (None, [])
            if args.stored.usage.is_none()
                && args.stored.state.is_none()
                && args.s3.manifest.is_empty() =>
        {
            return Err(Fault::new(
                Exit::Usage,
                anyhow!("neither LOGS nor --report nor --usage was given"),
            )
            .hint(
                "rolefit explain order-processor-role s3:PutObject ./trail --snapshot ./snapshot",
            ));
        }
        (None, logs) => fitted(args, logs)?,
    };
    let found = explain(&report, &args.role, action, catalog);
    if found.is_empty() {
        let error = anyhow!("no role matches `{}`", args.role);
        return Err(Fault::new(Exit::NoInput, error)
            .hint("give a role's name or ARN, `*` and `?` allowed, of the snapshot or the logs"));
    }
    let mut out = BufWriter::new(io::stdout().lock());
    match args.output {
        args::Output::Json => {
            let all = json!({"schema": "rolefit.explain/1", "roles": found});
            write_json(&all, &mut out)?;
        }
        args::Output::Text => write_explanation_text(&found, &mut out)?,
    }
    out.flush()?;
    Ok(if incomplete {
        Exit::Incomplete
    } else {
        Exit::Done
    })
}

/// An action has a colon and is no path: `s3:GetObject`, `dynamodb:*`.
fn split(rest: &[String]) -> (Option<&str>, &[String]) {
    match rest {
        [first, logs @ ..] if is_action(first) && !Path::new(first).exists() => (Some(first), logs),
        logs => (None, logs),
    }
}

fn is_action(text: &str) -> bool {
    let of = |part: &str, more: &str| {
        !part.is_empty()
            && part
                .chars()
                .all(|c| c.is_ascii_alphanumeric() || more.contains(c))
    };
    text == "*"
        || text
            .split_once(':')
            .is_some_and(|(service, name)| of(service, "-") && of(name, "*?"))
}

/// Reads what an earlier run wrote: the file, or the folder of `--out-dir`.
fn report_of(path: &Path) -> Result<Value, Fault> {
    let file = if path.is_dir() {
        path.join("report.json")
    } else {
        path.to_owned()
    };
    let read = || -> anyhow::Result<Value> {
        let bytes = std::fs::read(&file)?;
        let report: Value = serde_json::from_slice(&bytes).context("malformed JSON")?;
        let schema = report.get("schema").and_then(Value::as_str);
        if schema != Some("rolefit.report/1") {
            return Err(anyhow!("it is no `rolefit.report/1`"));
        }
        Ok(report)
    };
    read().map_err(|error| {
        let error = error.context(format!("cannot read `{}`", file.display()));
        Fault::new(Exit::Failed, error).hint("give the report.json that `rolefit fit` wrote")
    })
}

fn fitted(args: &ExplainArgs, logs: &[String]) -> Result<(Value, &'static Catalog, bool), Fault> {
    let logs = LogArgs {
        logs: logs.to_vec(),
        stored: args.stored.clone(),
        selection: args.selection.clone(),
        s3: args.s3.clone(),
        digests: args.digests.clone(),
        run: args.run.clone(),
    };
    let roles = RoleArgs {
        account: args.account.clone(),
        role: vec![args.role.clone()],
        all_roles: false,
    };
    let read = coverage::read(&logs, &roles)?;
    let report = fit(
        read.scan,
        &read.snapshot,
        &read.options,
        read.catalog,
        &read.pool,
    );
    let report = serde_json::to_value(&report).map_err(|error| Fault::new(Exit::Failed, error))?;
    Ok((report, read.catalog, read.incomplete))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_told_from_a_path() {
        for action in ["s3:GetObject", "dynamodb:*", "*", "execute-api:Invoke"] {
            assert!(is_action(action), "{action}");
        }
        for path in [
            "./trail",
            "s3://bucket/x",
            "AWSLogs",
            "a:b/c",
            "-",
            "C:\\logs",
        ] {
            assert!(!is_action(path), "{path}");
        }
    }
}
