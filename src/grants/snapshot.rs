//! The snapshot folder: which file is what, and what is done when one cannot be read.
//!
//! Only the account details are required. A file that cannot be read is a note that makes the run
//! incomplete: a missing witness keeps permissions, so nothing becomes less safe.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use serde_json::Value;

use super::config::{self, EventSourceMapping, Function, InvokeConfig};
use super::details::{self, Managed, Role};
use super::function_policies;
use super::last_accessed::{self, LastAccessed};
use super::selectors::{self, Selectors};
use super::trails::{self, Trail};
use crate::catalog::Catalog;

/// Everything the account says about its roles and functions.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// Role ARN → role.
    pub roles: BTreeMap<String, Role>,
    /// Every function of `functions*.json`.
    pub functions: Vec<Function>,
    /// Every mapping of `event-source-mappings*.json`.
    pub mappings: Vec<EventSourceMapping>,
    /// Every entry of `event-invoke-configs*.json`.
    pub invokes: Vec<InvokeConfig>,
    /// Every trail of `event-selectors*.json`.
    pub selectors: Vec<Selectors>,
    /// Every trail of `trails*.json`.
    pub trails: Vec<Trail>,
    /// Function ARN without a qualifier → its resource policy, from `function-policies/*.json`.
    pub function_policies: BTreeMap<String, Value>,
    /// Role ARN → its report.
    pub last_accessed: BTreeMap<String, LastAccessed>,
    /// Whether Lambda's configuration was given at all.
    pub has_functions: bool,
    /// Whether event source mappings were given at all.
    pub has_mappings: bool,
    /// Files or entries that could not be used.
    pub notes: Vec<SnapshotNote>,
}

/// The file in which `collect` says what it could not have.
pub const GAPS_FILE: &str = "gaps.json";

/// A part of the snapshot that could not be used.
#[derive(Clone, Debug)]
pub struct SnapshotNote {
    /// The file.
    pub file: String,
    /// What is wrong with it.
    pub message: String,
    /// Whose proposal lacks something because of it.
    pub concern: Concern,
}

/// Whom a broken file leaves without a witness.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Concern {
    /// Any role may be concerned.
    Everyone,
    /// The roles of this name.
    Role(String),
    /// No proposal is the poorer for it.
    Nobody,
}

/// Why there is no snapshot.
#[derive(Debug, thiserror::Error)]
pub enum SnapshotError {
    /// The folder or file is not there or cannot be read.
    #[error("cannot read snapshot `{path}`: {source}")]
    Io {
        /// As the user gave it.
        path: String,
        /// The system's word.
        source: std::io::Error,
    },
    /// No file of the folder holds account details.
    #[error("no `account-authorization-details.json` in snapshot `{0}`")]
    NoDetails(String),
    /// Every details file is unusable.
    #[error("cannot use `{path}`: {message}")]
    BadDetails {
        /// The file.
        path: String,
        /// What is wrong, with line and column for malformed JSON.
        message: String,
    },
}

impl Snapshot {
    /// Reads a snapshot folder, and `extra` account details files beside it.
    ///
    /// # Errors
    ///
    /// When no account details can be used.
    pub fn load(
        folder: Option<&Path>,
        extra: &[PathBuf],
        catalog: &Catalog,
    ) -> Result<Self, SnapshotError> {
        let mut snapshot = Self::default();
        let mut details_files = extra.to_vec();
        let mut reports = Vec::new();
        if let Some(folder) = folder {
            for path in files_of(folder)? {
                let name = path
                    .file_name()
                    .map(|n| n.to_string_lossy().into_owned())
                    .unwrap_or_default();
                if name.starts_with("account-authorization-details") {
                    details_files.push(path);
                } else if ["functions", "event-source-mappings", "event-invoke-configs"]
                    .iter()
                    .any(|stem| name.starts_with(stem))
                {
                    snapshot.add_config(&path, &name);
                } else if name.starts_with("event-selectors") {
                    snapshot.add_selectors(&path);
                } else if name.starts_with("trails") {
                    snapshot.add_trails(&path);
                } else if name == GAPS_FILE {
                    snapshot.add_gaps(&path);
                }
            }
            let policies = folder.join("function-policies");
            if policies.is_dir() {
                for path in files_of(&policies)? {
                    snapshot.add_function_policy(&path);
                }
            }
            let reports_folder = folder.join("service-last-accessed");
            if reports_folder.is_dir() {
                reports = report_files(&reports_folder)?;
            }
            if details_files.is_empty() {
                return Err(SnapshotError::NoDetails(folder.display().to_string()));
            }
        }
        snapshot.tell_regions();
        snapshot.add_details(&details_files, catalog)?;
        for (account, path) in reports {
            snapshot.add_report(account.as_deref(), &path);
        }
        Ok(snapshot)
    }

    /// The functions that run with this role.
    pub fn functions_of<'a>(&'a self, role_arn: &'a str) -> impl Iterator<Item = &'a Function> {
        self.functions
            .iter()
            .filter(move |function| function.role == role_arn)
    }

    /// The account as it would describe a role that one function alone has, or none that it describes.
    #[must_use]
    pub fn around(&self, role_arn: &str, function: Option<&Function>) -> Self {
        let of_function = |arn: &str| {
            function.is_some_and(|function| {
                let rest = arn.strip_prefix(&function.arn);
                rest.is_some_and(|rest| rest.is_empty() || rest.starts_with(':'))
            })
        };
        let mappings = self.mappings.iter();
        let invokes = self.invokes.iter();
        let accessed = self.last_accessed.get_key_value(role_arn);
        Self {
            roles: BTreeMap::new(),
            functions: function.into_iter().cloned().collect(),
            mappings: mappings
                .filter(|mapping| of_function(&mapping.function_arn))
                .cloned()
                .collect(),
            invokes: invokes
                .filter(|config| of_function(&config.function_arn))
                .cloned()
                .collect(),
            selectors: self.selectors.clone(),
            trails: self.trails.clone(),
            last_accessed: accessed
                .map(|(arn, report)| (arn.clone(), report.clone()))
                .into_iter()
                .collect(),
            notes: self.notes.clone(),
            function_policies: BTreeMap::new(),
            ..*self
        }
    }

    fn note(&mut self, path: &Path, message: impl Into<String>) {
        self.note_for(Concern::Everyone, path, message);
    }

    fn note_for(&mut self, concern: Concern, path: &Path, message: impl Into<String>) {
        self.notes.push(SnapshotNote {
            file: path.display().to_string(),
            message: message.into(),
            concern,
        });
    }

    /// The notes that leave a role of this name without a witness.
    pub fn notes_for<'a>(&'a self, role: &'a str) -> impl Iterator<Item = &'a SnapshotNote> {
        self.notes.iter().filter(move |note| match &note.concern {
            Concern::Everyone => true,
            Concern::Role(name) => name == role,
            Concern::Nobody => false,
        })
    }

    /// One page of several, as the AWS CLI prints when it is told not to fetch them all.
    fn note_page(&mut self, path: &Path, value: &Value) {
        let more = ["NextToken", "NextMarker"]
            .iter()
            .any(|key| value.get(key).is_some_and(Value::is_string));
        if more || value.get("IsTruncated").and_then(Value::as_bool) == Some(true) {
            self.note(path, "it is one page of several: fetch all pages");
        }
    }

    fn add_details(&mut self, files: &[PathBuf], catalog: &Catalog) -> Result<(), SnapshotError> {
        let mut managed = Managed::default();
        let mut parsed = Vec::new();
        let mut failed = None;
        for path in files {
            let value = read_json(path);
            if let Ok(value) = &value {
                self.note_page(path, value);
            }
            match value.and_then(|value| details::parse(value, &mut managed)) {
                Ok(file) => parsed.push((path, file)),
                Err(message) => {
                    self.note(path, message.clone());
                    failed = Some(SnapshotError::BadDetails {
                        path: path.display().to_string(),
                        message,
                    });
                }
            }
        }
        if let (true, Some(error)) = (parsed.is_empty(), failed) {
            return Err(error);
        }
        for (path, file) in parsed {
            for bad in &file.bad {
                self.note(path, bad.clone());
            }
            for mut role in details::resolve(file, &managed, catalog) {
                if let Some(twin) = self.roles.get(&role.arn)
                    && !twin.same_policies(&role)
                {
                    role.problems
                        .push("it is in the account details twice, with different policies".into());
                }
                self.roles.insert(role.arn.clone(), role);
            }
        }
        Ok(())
    }

    fn add_config(&mut self, path: &Path, name: &str) {
        let value = read_json(path);
        if let Ok(value) = &value {
            self.note_page(path, value);
        }
        match value.and_then(config::parse) {
            Ok(config) => {
                self.has_functions |= name.starts_with("functions");
                self.has_mappings |= name.starts_with("event-source-mappings");
                if config.bad > 0 {
                    self.note(
                        path,
                        format!(
                            "{} entries without a name, ARN or role are left out",
                            config.bad
                        ),
                    );
                }
                if let Some(place) = config.odd {
                    self.note(path, format!("`{place}` of an entry cannot be read"));
                }
                self.functions.extend(config.functions);
                self.mappings.extend(config.mappings);
                self.invokes.extend(config.invokes);
            }
            Err(message) => self.note(path, message),
        }
    }

    fn add_selectors(&mut self, path: &Path) {
        match read_json(path).and_then(|value| selectors::parse(&value)) {
            Ok(trails) => self.selectors.extend(trails),
            Err(message) => self.note(path, message),
        }
    }

    /// Nothing that a role may do turns on it: a file that cannot be read only leaves the inbound door out.
    fn add_function_policy(&mut self, path: &Path) {
        let (function, policy) =
            match read_json(path).and_then(|value| function_policies::parse(&value)) {
                Ok(parsed) => parsed,
                Err(message) => return self.note_for(Concern::Nobody, path, message),
            };
        let stem = path.file_stem().unwrap_or_default().to_string_lossy();
        let mut named = self.functions.iter().filter(|f| f.name == stem);
        let function = function.or_else(|| match (named.next(), named.next()) {
            (Some(only), None) => Some(only.arn.clone()),
            _ => None,
        });
        match function {
            Some(function) => match self.function_policies.get_mut(&function) {
                Some(known) => function_policies::join(known, &policy),
                None => {
                    self.function_policies.insert(function, policy);
                }
            },
            None => self.note_for(Concern::Nobody, path, "no statement names the function"),
        }
    }

    /// What `collect` could not have: missing input, not empty input.
    fn add_gaps(&mut self, path: &Path) {
        let value = match read_json(path) {
            Ok(value) => value,
            Err(message) => return self.note(path, message),
        };
        for gap in value
            .get("Gaps")
            .and_then(Value::as_array)
            .into_iter()
            .flatten()
        {
            let member = |name: &str| gap.get(name).and_then(Value::as_str).unwrap_or("?");
            let what = member("What");
            let concern = if let Some(arn) = what.strip_prefix("last accesses of ") {
                Concern::Role(arn.rsplit('/').next().unwrap_or(arn).to_owned())
            } else if what.starts_with("function policies") {
                Concern::Nobody
            } else {
                Concern::Everyone
            };
            self.note_for(
                concern,
                path,
                format!("{what} could not be had: {}", member("Why")),
            );
        }
    }

    fn add_trails(&mut self, path: &Path) {
        match read_json(path).and_then(|value| trails::parse(&value)) {
            Ok(trails) => self.trails.extend(trails),
            Err(message) => self.note(path, message),
        }
    }

    /// Trails of one Region take nothing of another, whatever their selectors say.
    fn tell_regions(&mut self) {
        for selectors in &mut self.selectors {
            selectors.only_region = self
                .trails
                .iter()
                .find(|trail| trail.arn == selectors.trail && !trail.multi_region)
                .map(|trail| trail.home_region.clone());
        }
    }

    /// The trails that may take an account's events: its own, and any organisation's.
    pub fn trails_of<'a>(&'a self, account: &'a str) -> impl Iterator<Item = &'a Trail> {
        self.trails
            .iter()
            .filter(move |trail| trail.account == account || trail.organisation)
    }

    /// A report is named for its role; the folder above may name the account when two accounts use one name.
    fn add_report(&mut self, account: Option<&str>, path: &Path) {
        let name = path
            .file_stem()
            .map(|n| n.to_string_lossy().into_owned())
            .unwrap_or_default();
        let report = match read_json(path).and_then(|value| last_accessed::parse(&value)) {
            Ok(report) => report,
            Err(message) => return self.note_for(Concern::Role(name), path, message),
        };
        let candidates: Vec<String> = self
            .roles
            .values()
            .filter(|role| {
                role.name == name && account.is_none_or(|account| account == role.account)
            })
            .map(|role| role.arn.clone())
            .collect();
        let named = report
            .entity
            .clone()
            .filter(|entity| candidates.contains(entity));
        match (candidates.as_slice(), named) {
            ([], _) => self.note_for(
                Concern::Nobody,
                path,
                format!("no role `{name}` in the account details"),
            ),
            (_, Some(arn)) => {
                self.last_accessed.insert(arn, report);
            }
            ([only], None) => {
                self.last_accessed.insert(only.clone(), report);
            }
            (_, None) => {
                let message = format!(
                    "several accounts have a role `{name}`: put the report into a folder named for its account"
                );
                self.note_for(Concern::Role(name), path, message);
            }
        }
    }
}

pub(super) fn read_json(path: &Path) -> Result<Value, String> {
    let bytes = fs::read(path).map_err(|e| e.to_string())?;
    let bytes = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&bytes);
    serde_json::from_slice(bytes).map_err(|e| format!("malformed JSON: {e}"))
}

/// The JSON files of a folder, by name.
fn files_of(folder: &Path) -> Result<Vec<PathBuf>, SnapshotError> {
    let error = |source| SnapshotError::Io {
        path: folder.display().to_string(),
        source,
    };
    let mut files = Vec::new();
    for entry in fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.is_file()
            && path
                .extension()
                .is_some_and(|extension| extension == "json")
        {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

fn report_files(folder: &Path) -> Result<Vec<(Option<String>, PathBuf)>, SnapshotError> {
    let error = |source| SnapshotError::Io {
        path: folder.display().to_string(),
        source,
    };
    let mut files: Vec<_> = files_of(folder)?
        .into_iter()
        .map(|path| (None, path))
        .collect();
    let mut accounts = Vec::new();
    for entry in fs::read_dir(folder).map_err(error)? {
        let path = entry.map_err(error)?.path();
        if path.is_dir() {
            accounts.push(path);
        }
    }
    accounts.sort();
    for account in accounts {
        let name = account
            .file_name()
            .map(|n| n.to_string_lossy().into_owned());
        files.extend(
            files_of(&account)?
                .into_iter()
                .map(|path| (name.clone(), path)),
        );
    }
    Ok(files)
}
