//! Facts of a further file on top of the catalog that the program carries.
//!
//! In comes the text of a file that [`Catalog::additions`] wrote; out comes a catalog, or the first line
//! that is wrong. The file is of the kind of the files in `data/`: `#` comment lines, then one row a line,
//! cells between tabs. It only adds: an action, a resource type, the actions of an operation, and where an
//! action's use would be seen. What is kept by hand stays.
//!
//! ```text
//! # rolefit catalog 1
//! action      s3:NewThing  Write  bucket,object  s3:prefix
//! operation   s3  PutNewThing  s3:NewThing,s3:GetObject
//! source      s3  v1.4
//! type        s3  shelf  arn:${Partition}:s3:::${BucketName}/shelf/${ShelfName}
//! visibility  s3:NewThing  management
//! ```

use std::collections::{BTreeMap, BTreeSet};

use super::actions::{AccessLevel, Service};
use super::{Catalog, table};

/// The first line, without the number of the format's version.
pub(super) const HEADER: &str = "# rolefit catalog ";
/// The version of the format that is written, and the only one that is read.
pub(super) const VERSION: &str = "1";

/// Why a file of additions cannot be used.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum AdditionsError {
    /// The first line is not the header.
    #[error("not a catalog file: line 1 does not begin with `# rolefit catalog`")]
    Header,
    /// The file is of another version of the format.
    #[error("format version `{0}` is not known, only version 1 is")]
    Version(String),
    /// A row is wrong.
    #[error("line {line}: {reason}")]
    Row {
        /// The number of the line, from 1.
        line: usize,
        /// What is wrong with it.
        reason: String,
    },
}

/// The actions of API operations as AWS lists them: what a call may need, not what it must.
#[derive(Debug, Default)]
pub(super) struct Listed(
    BTreeMap<&'static str, BTreeMap<String, (&'static str, Vec<&'static str>)>>,
);

impl Listed {
    /// The actions of an operation, its name in lower case; the one that is sure comes first.
    pub(super) fn of(&self, service: &str, operation: &str) -> &[&'static str] {
        let operations = self.0.get(service);
        operations
            .and_then(|operations| operations.get(operation))
            .map_or(&[], |(_, actions)| actions)
    }

    /// Service, operation, actions.
    pub(super) fn all(
        &self,
    ) -> impl Iterator<Item = (&'static str, &'static str, &[&'static str])> {
        self.0.iter().flat_map(|(service, operations)| {
            operations
                .values()
                .map(move |(name, actions)| (*service, *name, actions.as_slice()))
        })
    }
}

impl Catalog {
    /// The catalog that the program carries with the facts of a further file, as [`Catalog::additions`]
    /// writes it.
    ///
    /// The text is leaked, because all facts point into the text they come from, most of them into the
    /// program itself: meant for one call in a process.
    ///
    /// # Errors
    ///
    /// Another format, another version of it, and the first row that is malformed, given twice, or names
    /// an action or a resource type that neither the catalog nor the file knows.
    pub fn with_additions(text: &str) -> Result<Self, AdditionsError> {
        let version = text
            .lines()
            .next()
            .and_then(|line| line.strip_prefix(HEADER))
            .ok_or(AdditionsError::Header)?;
        if version != VERSION {
            return Err(AdditionsError::Version(version.to_owned()));
        }
        let text: &'static str = Box::leak(text.into());
        let rows: Vec<(usize, &'static str)> = text
            .lines()
            .enumerate()
            .filter(|(_, line)| !line.is_empty() && !line.starts_with('#'))
            .map(|(at, line)| (at + 1, line))
            .collect();
        let wrong = |line: usize| move |reason: String| AdditionsError::Row { line, reason };
        let mut catalog = Self::new();
        let mut seen = BTreeSet::new();
        let mut sources = 0;
        for (line, row) in &rows {
            sources += usize::from(row.starts_with("source\t"));
            catalog.add_row(row, &mut seen).map_err(wrong(*line))?;
        }
        for (line, row) in &rows {
            catalog.check_row(row).map_err(wrong(*line))?;
        }
        let more = format!(" with the AWS Service Reference of {sources} services");
        catalog.version.push_str(&more);
        Ok(catalog)
    }

    /// Takes a row whose cells are each well-formed.
    fn add_row(
        &mut self,
        row: &'static str,
        seen: &mut BTreeSet<[&'static str; 4]>,
    ) -> Result<(), String> {
        let cells: Vec<&'static str> = row.split('\t').collect();
        let cell = |at: usize| cells.get(at).copied().unwrap_or_default();
        let (kind, most, key) = match cell(0) {
            "action" => ("action", 5, 1),
            "operation" => ("operation", 4, 2),
            "source" => ("source", 3, 1),
            "type" => ("type", 4, 3),
            "visibility" => ("visibility", 3, 1),
            other => return Err(format!("`{other}` is no kind of row")),
        };
        if cells.len() > most {
            return Err(format!("more than {most} cells"));
        }
        let mut own = [kind, "", "", ""];
        own[1..=key].copy_from_slice(&[cell(1), cell(2), cell(3)][..key]);
        if !seen.insert(own) {
            return Err(format!("`{}` is given twice", own[1..=key].join(" ")));
        }
        match kind {
            "action" => {
                let service = action(cell(1))?;
                if AccessLevel::parse(cell(2)).is_none() {
                    return Err(format!("`{}` is no access level", cell(2)));
                }
                self.service_mut(service)
                    .add_action([cell(1), cell(2), cell(3), cell(4)]);
            }
            "operation" => {
                let (service, name) = (service(cell(1))?, cell(2));
                if !is_name(name) {
                    return Err(format!("`{name}` is no operation"));
                }
                let operations = self.listed.0.entry(service).or_default();
                let actions = cell(3).split(',').collect();
                operations.insert(name.to_ascii_lowercase(), (name, actions));
            }
            "type" => {
                let (service, name, arn) = (service(cell(1))?, cell(2), cell(3));
                if !is_type(name) {
                    return Err(format!("`{name}` is no resource type"));
                }
                if !is_arn_format(arn) {
                    return Err(format!("`{arn}` is no ARN format"));
                }
                self.service_mut(service).add_type([name, arn]);
            }
            "visibility" => {
                action(cell(1))?;
                let management = match cell(2) {
                    "management" => true,
                    "unknown" => false,
                    other => {
                        return Err(format!("`{other}` is neither `management` nor `unknown`"));
                    }
                };
                self.visibility.add(cell(1), management);
            }
            _ => {
                service(cell(1))?;
            }
        }
        Ok(())
    }

    /// Whether what a row names is known, now that all rows are taken.
    fn check_row(&self, row: &'static str) -> Result<(), String> {
        let [kind, first, _, third]: [&'static str; 4] = table::cells(row);
        let known = |name: &str| match self.action(name) {
            Some(_) => Ok(()),
            None => Err(format!("no action `{name}`")),
        };
        match kind {
            "action" => {
                let service = first.split(':').next().unwrap_or_default();
                let unknown = third
                    .split(',')
                    .find(|name| !name.is_empty() && self.arn_formats(service, name).is_empty());
                match unknown {
                    Some(name) => Err(format!("no ARN format of resource type `{name}`")),
                    None => Ok(()),
                }
            }
            "operation" => third.split(',').try_for_each(known),
            "visibility" => known(first),
            _ => Ok(()),
        }
    }

    fn service_mut(&mut self, name: &'static str) -> &mut Service {
        self.services
            .entry(name)
            .or_insert_with(|| Service::named(name))
    }
}

/// The service prefix of a well-formed action.
fn action(text: &'static str) -> Result<&'static str, String> {
    match text.split_once(':') {
        Some((prefix, name)) if is_service(prefix) && is_name(name) => Ok(prefix),
        _ => Err(format!("`{text}` is no action")),
    }
}

fn service(text: &'static str) -> Result<&'static str, String> {
    if is_service(text) {
        Ok(text)
    } else {
        Err(format!("`{text}` is no service prefix"))
    }
}

/// Whether a text has the form of an IAM service prefix.
pub(super) fn is_service(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
    !text.is_empty() && text.bytes().all(letter)
}

/// Whether a text has the form of an action's or operation's name.
pub(super) fn is_name(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    !text.is_empty() && text.bytes().all(letter)
}

/// Whether a text can be the name of a resource type in a cell: `stream group`, `listener/app`.
pub(super) fn is_type(text: &str) -> bool {
    let letter = |byte: u8| byte == b' ' || (byte.is_ascii_graphic() && !b",*?".contains(&byte));
    !text.is_empty() && text.bytes().all(letter)
}

/// Whether a text has the form of an ARN format: six fields, `${…}` closed.
pub(super) fn is_arn_format(text: &str) -> bool {
    let closed = text.split("${").skip(1).all(|part| part.contains('}'));
    text.starts_with("arn:")
        && text.splitn(6, ':').filter(|field| *field != "arn").count() == 5
        && text.bytes().all(|byte| byte.is_ascii_graphic())
        && closed
}

#[cfg(test)]
mod tests;
