//! The AWS Service Reference, which AWS publishes as one JSON file a service, read for what it knows and
//! the catalog does not.
//!
//! In come the texts of such files, out goes the text of a file of additions. The reference does not say
//! which resource types an action requires, so new ones count as not required; and the actions that it
//! lists for an operation are those that a call may need, so only the first is sure.

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;

use super::additions::{HEADER, VERSION, is_arn_format, is_name, is_service, is_type};
use super::{AccessLevel, Catalog, Visibility};

/// One file of the reference.
#[derive(Clone, Debug)]
pub struct ReferenceFile {
    /// What to call it in errors, `s3.json`.
    pub name: String,
    /// Its JSON.
    pub text: String,
}

/// What a folder of the reference adds.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ReferenceAdditions {
    /// The file for [`Catalog::with_additions`].
    pub text: String,
    /// Rows by kind: `action`, `operation`, `source`, `type`, `visibility`.
    pub rows: BTreeMap<&'static str, usize>,
    /// What was left out, and why.
    pub notes: Vec<String>,
}

/// Why a file is no file of the reference.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ReferenceError {
    /// There is none.
    #[error("no file of the AWS Service Reference")]
    Empty,
    /// It is not JSON of the known shape.
    #[error("`{file}`, line {line}: {message}")]
    Json {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// What the parser says.
        message: String,
    },
    /// A name or an ARN format cannot be one, or stands there twice.
    #[error("`{file}`, line {line}: `{text}` is {what}")]
    Name {
        /// The file.
        file: String,
        /// The line, from 1.
        line: usize,
        /// The text.
        text: String,
        /// What is wrong with it.
        what: &'static str,
    },
    /// It is of another version of the format.
    #[error("`{file}`: version `{version}` of the AWS Service Reference is not known, only v1 is")]
    Version {
        /// The file.
        file: String,
        /// The version.
        version: String,
    },
    /// Two files are of one service.
    #[error("`{first}` and `{second}` are both of service `{service}`")]
    Twice {
        /// The one.
        first: String,
        /// The other.
        second: String,
        /// The service.
        service: String,
    },
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Document {
    name: String,
    version: Option<String>,
    #[serde(default)]
    actions: Vec<ActionEntry>,
    #[serde(default)]
    resources: Vec<ResourceEntry>,
    #[serde(default)]
    operations: Vec<OperationEntry>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ActionEntry {
    name: String,
    #[serde(default)]
    resources: Vec<Named>,
    #[serde(default)]
    action_condition_keys: Vec<String>,
    #[serde(default)]
    annotations: Annotations,
    #[serde(default)]
    supported_by: SupportedBy,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Named {
    name: String,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Annotations {
    properties: Properties,
}

#[derive(Deserialize, Default)]
#[serde(rename_all = "PascalCase", default)]
struct Properties {
    is_list: bool,
    is_permission_management: bool,
    is_tagging_only: bool,
    is_write: bool,
}

#[derive(Deserialize, Default)]
struct SupportedBy {
    #[serde(rename = "IAM Access Analyzer Policy Generation")]
    policy_generation: Option<bool>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ResourceEntry {
    name: String,
    #[serde(default, rename = "ARNFormats")]
    arn_formats: Vec<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct OperationEntry {
    name: String,
    #[serde(default)]
    authorized_actions: Vec<Authorized>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Authorized {
    name: String,
    service: String,
}

impl Properties {
    fn access(&self) -> AccessLevel {
        match self {
            Self {
                is_permission_management: true,
                ..
            } => AccessLevel::PermissionsManagement,
            Self {
                is_tagging_only: true,
                ..
            } => AccessLevel::Tagging,
            Self { is_list: true, .. } => AccessLevel::List,
            Self { is_write: true, .. } => AccessLevel::Write,
            _ => AccessLevel::Read,
        }
    }
}

impl Catalog {
    /// What files of the AWS Service Reference add to this catalog, as the text of a file for
    /// [`Catalog::with_additions`]: sorted, the same for the same files in any order.
    ///
    /// # Errors
    ///
    /// The first file that is malformed, of an unknown version, or of a service that another file has.
    pub fn additions(&self, files: &[ReferenceFile]) -> Result<ReferenceAdditions, ReferenceError> {
        let mut documents: BTreeMap<String, (&ReferenceFile, Document)> = BTreeMap::new();
        for file in files {
            let document = read(file)?;
            if let Some((first, _)) = documents.get(&document.name) {
                return Err(ReferenceError::Twice {
                    first: first.name.clone(),
                    second: file.name.clone(),
                    service: document.name,
                });
            }
            documents.insert(document.name.clone(), (file, document));
        }
        if documents.is_empty() {
            return Err(ReferenceError::Empty);
        }
        let known: BTreeSet<String> = documents
            .values()
            .flat_map(|(_, document)| {
                let names = document.actions.iter();
                names.map(|action| format!("{}:{}", document.name, action.name).to_lowercase())
            })
            .collect();
        let known = |action: &str| {
            self.action(action).is_some() || known.contains(&action.to_ascii_lowercase())
        };
        let mut rows = BTreeSet::new();
        let mut notes = Vec::new();
        for (_, document) in documents.values() {
            let version = document.version.as_deref().unwrap_or_default();
            rows.insert(format!("source\t{}\t{version}", document.name));
            self.types(document, &mut rows);
            for action in &document.actions {
                self.action_rows(document, action, &mut rows, &mut notes);
            }
            for operation in &document.operations {
                operation_row(document, operation, &known, &mut rows, &mut notes);
            }
        }
        let mut out = ReferenceAdditions {
            text: format!(
                "{HEADER}{VERSION}\n\
                 # What the AWS Service Reference adds to the facts that rolefit carries. Use it with --catalog.\n\
                 # Written by rolefit {} on its facts of {}.\n\
                 # columns: action | name | access level | further resource types | further condition keys\n\
                 # columns: operation | service | name | actions, the sure one first\n\
                 # columns: source | service | version of its file\n\
                 # columns: type | service | name | ARN format\n\
                 # columns: visibility | action | management or unknown\n",
                env!("CARGO_PKG_VERSION"),
                self.version()
            ),
            notes,
            ..ReferenceAdditions::default()
        };
        for kind in ["action", "operation", "source", "type", "visibility"] {
            let own = |row: &&String| row.split('\t').next() == Some(kind);
            out.rows.insert(kind, rows.iter().filter(own).count());
        }
        for row in rows {
            out.text.push_str(&row);
            out.text.push('\n');
        }
        Ok(out)
    }

    /// ARN formats that the catalog has in no spelling of their variables.
    fn types(&self, document: &Document, rows: &mut BTreeSet<String>) {
        let service = &document.name;
        for kind in &document.resources {
            let mut shapes: Vec<String> = self
                .arn_formats(service, &kind.name)
                .iter()
                .map(|format| shape(format))
                .collect();
            for format in &kind.arn_formats {
                let new = shape(format);
                if !shapes.contains(&new) {
                    rows.insert(format!("type\t{service}\t{}\t{format}", kind.name));
                    shapes.push(new);
                }
            }
        }
    }

    fn action_rows(
        &self,
        document: &Document,
        entry: &ActionEntry,
        rows: &mut BTreeSet<String>,
        notes: &mut Vec<String>,
    ) {
        let service = &document.name;
        let name = format!("{service}:{}", entry.name);
        let facts = self.action(&name);
        let has_format = |kind: &str| {
            !self.arn_formats(service, kind).is_empty()
                || document.resources.iter().any(|entry| {
                    entry.name.eq_ignore_ascii_case(kind) && !entry.arn_formats.is_empty()
                })
        };
        let mut types = BTreeSet::new();
        for kind in entry.resources.iter().map(|kind| kind.name.as_str()) {
            let old = facts.is_some_and(|facts| {
                let mut kinds = facts.resource_types.iter();
                kinds.any(|old| old.name.eq_ignore_ascii_case(kind))
            });
            if !has_format(kind) {
                notes.push(format!("{name}: no ARN format of resource type `{kind}`"));
            } else if !old {
                types.insert(kind);
            }
        }
        let old: BTreeSet<&str> = facts
            .into_iter()
            .flat_map(|facts| self.condition_keys(facts))
            .collect();
        let keys = entry.action_condition_keys.iter().map(String::as_str);
        let keys: BTreeSet<&str> = keys.filter(|key| !old.contains(key)).collect();
        let spelled = facts.map_or(name.as_str(), |facts| facts.action.as_str());
        if facts.is_none() || !types.is_empty() || !keys.is_empty() {
            let access = facts.map_or(entry.annotations.properties.access(), |facts| facts.access);
            let join =
                |set: BTreeSet<&str>, with: &str| set.into_iter().collect::<Vec<_>>().join(with);
            let row = format!(
                "action\t{spelled}\t{}\t{}\t{}",
                access.as_str(),
                join(types, ","),
                join(keys, " ")
            );
            rows.insert(row.trim_end_matches('\t').to_owned());
        }
        // In a service without a single yes AWS has not looked, and a no says nothing.
        let looked = || {
            let mut actions = document.actions.iter();
            actions.any(|action| action.supported_by.policy_generation == Some(true))
        };
        if facts.is_some_and(|facts| self.visibility.by_hand(facts).is_some()) {
            return;
        }
        let management = facts.is_some_and(|f| self.visibility(f) == Visibility::Management);
        match entry.supported_by.policy_generation {
            Some(true) if !management => {
                rows.insert(format!("visibility\t{spelled}\tmanagement"));
            }
            Some(false) if management && looked() => {
                rows.insert(format!("visibility\t{spelled}\tunknown"));
            }
            _ => {}
        }
    }
}

/// What an operation needs, unless it is just the action of its own name.
fn operation_row(
    document: &Document,
    operation: &OperationEntry,
    known: &impl Fn(&str) -> bool,
    rows: &mut BTreeSet<String>,
    notes: &mut Vec<String>,
) {
    let (service, name) = (&document.name, &operation.name);
    let own = format!("{service}:{name}");
    let mut actions: Vec<String> = Vec::new();
    for action in &operation.authorized_actions {
        let action = format!("{}:{}", action.service, action.name);
        if !known(&action) {
            notes.push(format!("{own}: no action `{action}`"));
        } else if action.eq_ignore_ascii_case(&own) {
            actions.insert(0, action);
        } else if !actions.contains(&action) {
            actions.push(action);
        }
    }
    let alone = matches!(&actions[..], [only] if only.eq_ignore_ascii_case(&own));
    if !actions.is_empty() && !alone {
        rows.insert(format!(
            "operation\t{service}\t{name}\t{}",
            actions.join(",")
        ));
    }
}

/// One file, every name in it of the right form.
fn read(file: &ReferenceFile) -> Result<Document, ReferenceError> {
    let document: Document = serde_json::from_str(&file.text).map_err(|error| {
        let message = error.to_string();
        let place = format!(" at line {} column {}", error.line(), error.column());
        ReferenceError::Json {
            file: file.name.clone(),
            line: error.line().max(1),
            message: message.strip_suffix(&place).unwrap_or(&message).to_owned(),
        }
    })?;
    if let Some(version) = &document.version
        && !version
            .strip_prefix("v1")
            .is_some_and(|minor| minor.bytes().all(|b| b == b'.' || b.is_ascii_digit()))
    {
        return Err(ReferenceError::Version {
            file: file.name.clone(),
            version: version.clone(),
        });
    }
    let check = |right: bool, text: &str, what: &'static str| {
        if right {
            return Ok(());
        }
        // Where the text stands; the parser has forgotten.
        let quoted = serde_json::Value::from(text).to_string();
        let at = file.text.find(&quoted).unwrap_or_default();
        Err(ReferenceError::Name {
            file: file.name.clone(),
            line: file.text[..at].matches('\n').count() + 1,
            text: text.to_owned(),
            what,
        })
    };
    check(
        is_service(&document.name),
        &document.name,
        "no service prefix",
    )?;
    let (mut actions, mut operations) = (BTreeSet::new(), BTreeSet::new());
    for action in &document.actions {
        let new = actions.insert(action.name.to_ascii_lowercase());
        check(new, &action.name, "there twice")?;
        check(is_name(&action.name), &action.name, "no action name")?;
        for kind in &action.resources {
            check(is_type(&kind.name), &kind.name, "no resource type")?;
        }
        for key in &action.action_condition_keys {
            let right = key.contains(':') && key.bytes().all(|byte| byte.is_ascii_graphic());
            check(right, key, "no condition key")?;
        }
    }
    for kind in &document.resources {
        check(is_type(&kind.name), &kind.name, "no resource type")?;
        for format in &kind.arn_formats {
            check(is_arn_format(format), format, "no ARN format")?;
        }
    }
    for operation in &document.operations {
        let new = operations.insert(operation.name.to_ascii_lowercase());
        check(new, &operation.name, "there twice")?;
        check(
            is_name(&operation.name),
            &operation.name,
            "no operation name",
        )?;
        for action in &operation.authorized_actions {
            check(is_name(&action.name), &action.name, "no action name")?;
            check(
                is_service(&action.service),
                &action.service,
                "no service prefix",
            )?;
        }
    }
    Ok(document)
}

/// An ARN format without the names of its variables.
fn shape(format: &str) -> String {
    let mut parts = format.split("${");
    let mut shape = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        shape.push_str("${");
        shape.push_str(part.split_once('}').map_or(part, |(_, after)| after));
    }
    shape
}

#[cfg(test)]
mod tests;
