//! Policy documents: read without losing anything, printed as they were read.
//!
//! In comes the text of a policy, plain or URL-encoded as the IAM API gives it, or a parsed value;
//! out come its statements and the same text again. Elements that no policy has are kept and not
//! interpreted.

use std::fmt::Write as _;

use percent_encoding::percent_decode_str;

use super::json::{self, Json, JsonError, Step};
use super::statement::Statement;

/// Why a text is not a policy: line, column and what was expected there.
pub type PolicyError = JsonError;

/// A policy document.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PolicyDocument {
    root: Json,
    statements: Vec<Statement>,
}

/// A policy under the name by which it is spoken of: the name of an inline policy, the ARN or name
/// of a managed one, or a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NamedPolicy {
    /// The name.
    pub name: String,
    /// What it says.
    pub document: PolicyDocument,
}

/// The policies that together decide what one role may do.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PolicySet {
    /// Inline and attached policies.
    pub identity: Vec<NamedPolicy>,
    /// The permissions boundary: allows nothing by itself, and without it nothing is allowed.
    pub boundary: Option<NamedPolicy>,
}

impl PolicySet {
    /// One policy without a boundary.
    #[must_use]
    pub fn of(name: &str, document: PolicyDocument) -> Self {
        Self {
            identity: vec![NamedPolicy {
                name: name.to_owned(),
                document,
            }],
            boundary: None,
        }
    }

    /// All policies, the boundary last.
    pub(crate) fn documents(&self) -> impl Iterator<Item = &NamedPolicy> {
        self.identity.iter().chain(&self.boundary)
    }
}

const VERSIONS: [&str; 2] = ["2012-10-17", "2008-10-17"];

impl PolicyDocument {
    /// Parses a policy.
    ///
    /// # Errors
    /// The first place where the text is not JSON or not a policy.
    pub fn parse(text: &str) -> Result<Self, PolicyError> {
        let text = text.trim_start_matches('\u{feff}');
        Self::read(Json::parse(text)?).map_err(|(path, message)| {
            let (line, column) = json::locate(text, &path);
            JsonError {
                line,
                column,
                message,
            }
        })
    }

    /// Parses a policy that may be URL-encoded, as the IAM API and the files of the AWS CLI's
    /// `get-account-authorization-details` may have it.
    ///
    /// # Errors
    /// As [`PolicyDocument::parse`], for the decoded text.
    pub fn decode(text: &str) -> Result<Self, PolicyError> {
        if text
            .trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n'])
            .starts_with('{')
        {
            return Self::parse(text);
        }
        let decoded = percent_decode_str(text.trim())
            .decode_utf8()
            .map_err(|_| JsonError {
                line: 1,
                column: 1,
                message: "expected UTF-8 text after URL decoding".into(),
            })?;
        Self::parse(&decoded)
    }

    /// Takes a policy from a value of `serde_json`. (Such a value has lost what a text can have: a
    /// key that stands twice.)
    ///
    /// # Errors
    /// The place in the value as a path; line and column are 0.
    pub fn from_value(value: &serde_json::Value) -> Result<Self, PolicyError> {
        Self::read(Json::from_value(value)).map_err(|(path, message)| JsonError {
            line: 0,
            column: 0,
            message: format!("{message} at `{}`", shown(&path)),
        })
    }

    /// A policy of version 2012-10-17 with these statements in this order.
    ///
    /// Statements read from a 2008-10-17 policy keep their meaning: a `${` in them is escaped.
    #[must_use]
    pub fn new(statements: Vec<Statement>) -> Self {
        let statements: Vec<Statement> = statements
            .into_iter()
            .map(|s| if s.variables { s } else { s.with_variables() })
            .collect();
        let list = statements.iter().map(|s| s.raw.clone()).collect();
        Self {
            root: Json::Object(vec![
                ("Version".into(), Json::String(VERSIONS[0].into())),
                ("Statement".into(), Json::Array(list)),
            ]),
            statements,
        }
    }

    fn read(root: Json) -> Result<Self, (Vec<Step>, String)> {
        let Json::Object(_) = root else {
            return Err((
                Vec::new(),
                format!("expected a policy object, found {}", root.kind()),
            ));
        };
        let variables = match root.get("Version") {
            None => false,
            Some(Json::String(version)) if VERSIONS.contains(&version.as_str()) => {
                version == VERSIONS[0]
            }
            Some(other) => {
                let [new, old] = VERSIONS;
                let message = format!("expected `{new}` or `{old}`, found {}", other.kind());
                return Err((vec![Step::Key("Version".into())], message));
            }
        };
        let key = || Step::Key("Statement".into());
        let statements = match root.get("Statement") {
            None => return Err((Vec::new(), "expected `Statement` in the policy".into())),
            Some(Json::Array(list)) => list
                .iter()
                .enumerate()
                .map(|(number, raw)| {
                    Statement::read(raw, variables).map_err(|(path, message)| {
                        ([vec![key(), Step::Index(number)], path].concat(), message)
                    })
                })
                .collect::<Result<_, _>>()?,
            Some(one) => vec![
                Statement::read(one, variables)
                    .map_err(|(path, message)| ([vec![key()], path].concat(), message))?,
            ],
        };
        Ok(Self { root, statements })
    }

    /// The statements in the order of the document.
    #[must_use]
    pub fn statements(&self) -> &[Statement] {
        &self.statements
    }

    /// The `Version` element where there is one. Without it IAM takes `2008-10-17`.
    #[must_use]
    pub fn version(&self) -> Option<&str> {
        match self.root.get("Version") {
            Some(Json::String(version)) => Some(version),
            _ => None,
        }
    }

    /// The whole document as it was read.
    #[must_use]
    pub fn json(&self) -> &Json {
        &self.root
    }

    /// The document as a value of `serde_json`, for embedding in other JSON.
    #[must_use]
    pub fn to_value(&self) -> serde_json::Value {
        self.root.to_value()
    }

    /// The document on one line without white space.
    #[must_use]
    pub fn to_json_compact(&self) -> String {
        self.root.to_compact()
    }

    /// The document indented by two spaces, without a final line break.
    #[must_use]
    pub fn to_json_pretty(&self) -> String {
        self.root.to_pretty()
    }
}

fn shown(path: &[Step]) -> String {
    let mut out = String::new();
    for step in path {
        // Writing to a string cannot fail.
        let _ = match step {
            Step::Key(key) if out.is_empty() => write!(out, "{key}"),
            Step::Key(key) => write!(out, ".{key}"),
            Step::Index(number) => write!(out, "[{number}]"),
        };
    }
    out
}

#[cfg(test)]
mod tests;
