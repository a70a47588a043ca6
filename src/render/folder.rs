//! `--out-dir`: the reports and a folder per role, never overwriting what is there unless told to.
//!
//! Each file is written beside its place and then moved there, so that no reader meets half of one; the last
//! is `report.json`, and one of an earlier run goes first, so that it is there only where all else is. Nothing
//! is written through links, and what is written is for the user alone: it describes an account.

use std::collections::BTreeSet;
use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use serde_json::json;

use super::apart;
use super::escape::json_text;
use super::infra::{
    InfraOptions, script_files, write_cloudformation, write_sam, write_steps, write_terraform,
};
use super::paths::role_folders;
use super::{Report, RoleReport, Status, write_html, write_json, write_markdown};

/// Why the folder was not written.
#[derive(Debug, thiserror::Error)]
pub enum FolderError {
    /// It holds files already.
    #[error("`{0}` is not empty")]
    NotEmpty(PathBuf),
    /// Something in it leads elsewhere.
    #[error("`{0}` is a link: nothing is written through links")]
    Link(PathBuf),
    /// It cannot be made or written.
    #[error("cannot write `{path}`: {source}")]
    Io {
        /// The file or folder.
        path: PathBuf,
        /// The system's word.
        source: io::Error,
    },
}

/// The list of the files of a run, by which a later one with `force` knows what it may delete.
const LIST: &str = ".rolefit-files";
/// The file that says that all others are there.
const REPORT: &str = "report.json";

/// Writes `report.json`, `report.html`, `report.md` and per role `ACCOUNT/ROLE-NAME/` with
/// `policy.json`, `managed-policy-N.json`, `current.json`, `policy.diff`, `decisions.json`, `role.tf`, `template.yaml`, `sam.yaml`,
/// `aws-cli.txt`, `apply.sh` and `rollback.sh`. A refused role gets no policy and no code. Gives the files written, relative to
/// `folder`. Files of an earlier run that this one does not have are deleted.
///
/// # Errors
///
/// When `folder` holds files and `force` is not set, or when writing fails.
pub fn write_folder(
    report: &Report,
    folder: &Path,
    infra: InfraOptions,
    force: bool,
) -> Result<Vec<PathBuf>, FolderError> {
    let occupied = fs::read_dir(folder).is_ok_and(|mut entries| entries.next().is_some());
    if occupied && !force {
        return Err(FolderError::NotEmpty(folder.to_owned()));
    }
    let earlier = fs::read_to_string(folder.join(LIST)).unwrap_or_default();
    let report_json = folder.join(REPORT);
    if let Err(source) = fs::remove_file(&report_json)
        && source.kind() != io::ErrorKind::NotFound
    {
        let path = report_json;
        return Err(FolderError::Io { path, source });
    }
    let mut target = Target {
        folder,
        written: Vec::new(),
    };
    for (role, relative) in report.roles.iter().zip(role_folders(report)) {
        write_role(role, Path::new(&relative), infra, &mut target)?;
    }
    target.file(Path::new("report.md"), |out| write_markdown(report, out))?;
    target.file(Path::new("report.html"), |out| write_html(report, out))?;
    target.written.push(PathBuf::from(REPORT));
    let files: BTreeSet<String> = target.written.iter().map(|p| slashes(p)).collect();
    for old in earlier.lines().filter(|old| !files.contains(*old)) {
        remove_old(folder, old);
    }
    let list: String = files.iter().map(|file| format!("{file}\n")).collect();
    target.file(Path::new(LIST), |out| out.write_all(list.as_bytes()))?;
    target.written.pop();
    target.file(Path::new(REPORT), |out| write_json(report, out))?;
    target.written.pop();
    Ok(target.written)
}

struct Target<'a> {
    folder: &'a Path,
    written: Vec<PathBuf>,
}

impl Target<'_> {
    /// Makes the folders above a file, for the user alone. The out-dir itself may be a link: the user named it.
    fn make_folders(&self, relative: &Path) -> Result<(), FolderError> {
        let mut builder = fs::DirBuilder::new();
        #[cfg(unix)]
        std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
        let io = |path: &Path| {
            let path = path.to_owned();
            move |source| FolderError::Io { path, source }
        };
        if !self.folder.is_dir() {
            builder
                .recursive(true)
                .create(self.folder)
                .map_err(io(self.folder))?;
            builder.recursive(false);
        }
        let mut path = self.folder.to_owned();
        for part in relative.parent().into_iter().flat_map(Path::components) {
            path.push(part);
            match fs::symlink_metadata(&path) {
                Ok(found) if found.is_symlink() => return Err(FolderError::Link(path)),
                Ok(_) => {}
                Err(_) => builder.create(&path).map_err(io(&path))?,
            }
        }
        Ok(())
    }

    fn file(
        &mut self,
        relative: &Path,
        write: impl FnOnce(&mut BufWriter<fs::File>) -> io::Result<()>,
    ) -> Result<(), FolderError> {
        let path = self.folder.join(relative);
        self.make_folders(relative)?;
        let put = || {
            let mut part = path.clone().into_os_string();
            part.push(".part");
            let mut out = BufWriter::new(create(Path::new(&part))?);
            let done = write(&mut out).and_then(|()| out.flush());
            drop(out);
            match done {
                Ok(()) => fs::rename(&part, &path),
                Err(error) => {
                    // The error matters, not whether the rest can be cleared away.
                    let _ = fs::remove_file(&part);
                    Err(error)
                }
            }
        };
        put().map_err(|source| FolderError::Io {
            path: path.clone(),
            source,
        })?;
        self.written.push(relative.to_owned());
        Ok(())
    }
}

/// A new file for the user alone. One that is there, or a link, is what an earlier run left, and goes.
fn create(path: &Path) -> io::Result<fs::File> {
    let mut options = fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    match options.open(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            fs::remove_file(path)?;
            options.open(path)
        }
        opened => opened,
    }
}

fn write_role(
    role: &RoleReport,
    folder: &Path,
    infra: InfraOptions,
    target: &mut Target<'_>,
) -> Result<(), FolderError> {
    let mut texts: Vec<(String, String)> = Vec::new();
    let policy = role.proposed.as_ref().and_then(|p| p.policy.as_ref());
    if let Some(policy) = policy.filter(|_| role.status != Status::Refused) {
        texts.push(("policy.json".to_owned(), json_text(policy)));
    }
    let managed = role.proposed.iter().flat_map(|p| &p.managed_policies);
    for (at, managed) in managed
        .filter(|_| role.status != Status::Refused)
        .enumerate()
    {
        let name = format!("managed-policy-{}.json", at + 1);
        texts.push((name, json_text(&managed.policy)));
    }
    if !role.current_policies.is_null() {
        texts.push(("current.json".to_owned(), json_text(&role.current_policies)));
    }
    if !role.diff.is_empty() {
        texts.push(("policy.diff".to_owned(), role.diff.clone()));
    }
    let decisions = json!({
        "arn": role.arn, "status": role.status, "reasons": role.reasons,
        "statement_reasons": role.proposed.as_ref().map(|p| &p.statement_reasons),
        "changes": role.changes, "risks": role.risks,
        "decisions": role.decisions, "removed": role.removed,
    });
    texts.push(("decisions.json".to_owned(), json_text(&decisions)));
    texts.extend(apart::files(role));
    type Code = fn(&RoleReport, InfraOptions, &mut Vec<u8>) -> io::Result<bool>;
    let codes: [(&str, Code); 4] = [
        ("role.tf", write_terraform),
        ("template.yaml", write_cloudformation),
        ("sam.yaml", write_sam),
        ("aws-cli.txt", write_steps),
    ];
    texts.extend(script_files(role, infra));
    for (name, text) in texts {
        target.file(&folder.join(&name), |out| out.write_all(text.as_bytes()))?;
    }
    for (name, code) in codes {
        let mut text = Vec::new();
        // Writing to memory cannot fail.
        if code(role, infra, &mut text).unwrap_or(false) {
            target.file(&folder.join(name), |out| out.write_all(&text))?;
        }
    }
    Ok(())
}

fn slashes(path: &Path) -> String {
    let parts: Vec<_> = path.iter().map(|part| part.to_string_lossy()).collect();
    parts.join("/")
}

/// Deletes a file of an earlier run, and its folders where that leaves them empty. The list may have been
/// edited: nothing outside the folder is touched.
fn remove_old(folder: &Path, old: &str) {
    let relative = Path::new(old);
    let inside = relative
        .components()
        .all(|part| matches!(part, std::path::Component::Normal(_)));
    if !inside || fs::remove_file(folder.join(relative)).is_err() {
        return;
    }
    for parent in relative
        .ancestors()
        .skip(1)
        .filter(|p| !p.as_os_str().is_empty())
    {
        if fs::remove_dir(folder.join(parent)).is_err() {
            break;
        }
    }
}
