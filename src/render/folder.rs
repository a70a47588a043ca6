//! `--out-dir`: the report and a folder per role, never overwriting what is there unless told to.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use super::{Report, RoleReport, Status, write_json};

/// Why the folder was not written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It holds files already.
    #[error("`{0}` is not empty")]
    NotEmpty(PathBuf),
    /// It cannot be made or written.
    #[error("cannot write `{path}`: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

/// Writes `report.json` and `ACCOUNT/ROLE-NAME/{policy.json,current.json,policy.diff,decisions.json}`.
/// A refused role gets no `policy.json`. Gives the files written, relative to `folder`.
///
/// # Errors
///
/// When `folder` holds files and `force` is not set, or when writing fails.
pub fn write_folder(
    report: &Report,
    folder: &Path,
    force: bool,
) -> Result<Vec<PathBuf>, FolderError> {
    let error = |path: &Path| {
        let path = path.to_owned();
        move |source| FolderError::Io { path, source }
    };
    let occupied = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied && !force {
        return Err(FolderError::NotEmpty(folder.to_owned()));
    }
    fs::create_dir_all(folder).map_err(error(folder))?;
    let mut written = Vec::new();
    let path = folder.join("report.json");
    let mut out = BufWriter::new(fs::File::create(&path).map_err(error(&path))?);
    write_json(report, &mut out)
        .and_then(|()| out.flush())
        .map_err(error(&path))?;
    written.push(PathBuf::from("report.json"));
    let mut taken = BTreeSet::new();
    for role in &report.roles {
        let mut relative = PathBuf::from(file_name(role.account())).join(file_name(role.name()));
        // Two roles of different paths cannot share a name in IAM; a snapshot made by hand can hold them.
        while !taken.insert(relative.clone()) {
            relative.as_mut_os_string().push("~");
        }
        let role_folder = folder.join(&relative);
        fs::create_dir_all(&role_folder).map_err(error(&role_folder))?;
        for (name, text) in files(role) {
            let path = role_folder.join(&name);
            match text {
                Some(text) => {
                    fs::write(&path, text).map_err(error(&path))?;
                    written.push(relative.join(&name));
                }
                // With --force a stale file of an earlier run must not look like this run's.
                None if path.exists() => fs::remove_file(&path).map_err(error(&path))?,
                None => {}
            }
        }
    }
    Ok(written)
}

fn files(role: &RoleReport) -> Vec<(String, Option<String>)> {
    let policy = match (&role.proposed, role.status) {
        (_, Status::Refused) | (None, _) => None,
        (Some(proposed), _) => proposed.policy.as_ref().map(pretty),
    };
    let decisions = json!({
        "arn": role.arn, "status": role.status, "reasons": role.reasons,
        "statement_reasons": role.proposed.as_ref().map(|p| &p.statement_reasons),
        "decisions": role.decisions, "removed": role.removed,
    });
    let mut files = vec![
        ("policy.json".to_owned(), policy),
        (
            "current.json".to_owned(),
            (!role.current_policies.is_null()).then(|| pretty(&role.current_policies)),
        ),
        (
            "policy.diff".to_owned(),
            (!role.diff.is_empty()).then(|| role.diff.clone()),
        ),
        ("decisions.json".to_owned(), Some(pretty(&decisions))),
    ];
    // All numbers, so that those of an earlier run go.
    for number in 0..crate::iam::quota::MANAGED_PER_ROLE {
        let managed = role
            .proposed
            .as_ref()
            .filter(|_| role.status != Status::Refused)
            .and_then(|proposed| proposed.managed_policies.get(number));
        files.push((
            format!("managed-policy-{}.json", number + 1),
            managed.map(|managed| pretty(&managed.policy)),
        ));
    }
    files
}

fn pretty(value: &Value) -> String {
    let mut text = serde_json::to_string_pretty(value).unwrap_or_default();
    text.push('\n');
    text
}

/// A name that stays inside its folder: role names may be `..`, and logs may hold anything.
fn file_name(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "+=,.@_-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(128)
        .collect();
    if safe.is_empty() || safe.chars().all(|c| c == '.') {
        format!("_{safe}")
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::file_name;

    #[test]
    fn role_names_stay_in_their_folder() {
        assert_eq!(file_name("order-processor-role"), "order-processor-role");
        assert_eq!(file_name(".."), "_..");
        assert_eq!(file_name("a/../../b"), "a_.._.._b");
        assert_eq!(file_name(""), "_");
    }
}
