//! The steps from the policies that a role has to those proposed, and back; pure, so that every state on the
//! way can be proven.
//!
//! What is put comes before what goes: at each step the role allows everything that the proposal allows, and
//! nothing that it does not allow today. Deny statements of today are all in the proposal, so none is missing
//! on the way. The inline policies of a role share [`quota::INLINE_ROLE`] characters, also on the way: where
//! old and new do not fit together, the new one takes the place (and name) of an old one in one call, or is
//! attached as managed policies until the old ones are gone.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::POLICY_NAME;
use crate::iam::quota;

/// What of a role decides what it may do.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RoleState {
    /// Inline policies: name → document.
    pub inline: BTreeMap<String, Value>,
    /// Attached policies: ARN → document.
    pub attached: BTreeMap<String, Value>,
    /// The permissions boundary: ARN and document.
    pub boundary: Option<(String, Value)>,
    /// Policies that apply makes and that exist: ARN → document.
    pub made: BTreeMap<String, Value>,
}

/// One call to IAM.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", tag = "step")]
pub enum Step {
    /// Puts an inline policy, in the place of one of its name.
    Put {
        /// Its name.
        name: String,
        /// What it says.
        document: Value,
        /// What it said before.
        before: Option<Value>,
    },
    /// Deletes an inline policy.
    Delete {
        /// Its name.
        name: String,
        /// What it says.
        document: Value,
    },
    /// Makes a customer managed policy.
    Create {
        /// Its ARN.
        arn: String,
        /// What it says.
        document: Value,
    },
    /// Deletes a customer managed policy that an earlier step made.
    Drop {
        /// Its ARN.
        arn: String,
        /// What it says.
        document: Value,
    },
    /// Attaches a policy.
    Attach {
        /// Its ARN.
        arn: String,
        /// What it says.
        document: Value,
    },
    /// Detaches a policy; it stays in the account.
    Detach {
        /// Its ARN.
        arn: String,
        /// What it says.
        document: Value,
    },
}

impl Step {
    /// The step back.
    #[must_use]
    pub fn undone(&self) -> Self {
        match self.clone() {
            Self::Put {
                name,
                document,
                before: None,
            } => Self::Delete { name, document },
            Self::Put {
                name,
                document,
                before: Some(before),
            } => Self::Put {
                name,
                document: before,
                before: Some(document),
            },
            Self::Delete { name, document } => Self::Put {
                name,
                document,
                before: None,
            },
            Self::Create { arn, document } => Self::Drop { arn, document },
            Self::Drop { arn, document } => Self::Create { arn, document },
            Self::Attach { arn, document } => Self::Detach { arn, document },
            Self::Detach { arn, document } => Self::Attach { arn, document },
        }
    }

    /// Takes the step on paper.
    pub fn take(&self, state: &mut RoleState) {
        match self.clone() {
            Self::Put { name, document, .. } => {
                state.inline.insert(name, document);
            }
            Self::Delete { name, .. } => {
                state.inline.remove(&name);
            }
            Self::Create { arn, document } => {
                state.made.insert(arn, document);
            }
            Self::Drop { arn, .. } => {
                state.made.remove(&arn);
            }
            Self::Attach { arn, document } => {
                state.attached.insert(arn, document);
            }
            Self::Detach { arn, .. } => {
                state.attached.remove(&arn);
            }
        }
    }

    /// In words.
    #[must_use]
    pub fn words(&self) -> String {
        match self {
            Self::Put {
                name, before: None, ..
            } => format!("put inline policy {name}"),
            Self::Put { name, .. } => {
                format!("put inline policy {name} in the place of what it was")
            }
            Self::Delete { name, .. } => format!("delete inline policy {name}"),
            Self::Create { arn, .. } => format!("create policy {arn}"),
            Self::Drop { arn, .. } => format!("delete policy {arn}, made before"),
            Self::Attach { arn, .. } => format!("attach policy {arn}"),
            Self::Detach { arn, .. } => format!("detach policy {arn}"),
        }
    }
}

/// The way from one state to another.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Change {
    /// The role.
    pub arn: String,
    /// The state that was analysed.
    pub before: RoleState,
    /// The calls, in their order.
    pub steps: Vec<Step>,
}

/// What the proposal puts.
#[derive(Clone, Debug, Default)]
pub struct Target {
    /// The inline policy.
    pub inline: Option<Value>,
    /// Customer managed policies beside it: name and document.
    pub managed: Vec<(String, Value)>,
    /// A policy of AWS to attach: ARN and document.
    pub attach: Option<(String, Value)>,
}

/// Why there is no way.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// `current.json` is not what `fit` writes.
    #[error("the current policies cannot be read: {0}")]
    Current(&'static str),
    /// AWS looks after the role.
    #[error("it is a service-linked role: AWS manages its policies")]
    ServiceLinked,
    /// Old and new do not fit side by side in any way.
    #[error(
        "its inline policies hold {now} characters and the new one {new}: together they pass the {} that IAM allows, and a statement is too large for a managed policy meanwhile",
        quota::INLINE_ROLE
    )]
    TooLarge {
        /// Characters of the inline policies of today.
        now: usize,
        /// Characters of the new one.
        new: usize,
    },
}

impl Change {
    /// Finds the way. `current` is what `current.json` holds.
    ///
    /// # Errors
    /// [`ChangeError`] where there is none that never takes away what the role needs.
    pub fn plan(arn: &str, current: &Value, target: &Target) -> Result<Self, ChangeError> {
        if arn.contains(":role/aws-service-role/") {
            return Err(ChangeError::ServiceLinked);
        }
        let before = read(current)?;
        let mut way = Way {
            arn,
            state: before.clone(),
            steps: Vec::new(),
        };
        let mut keep: Vec<String> = Vec::new();
        if let Some((policy, document)) = &target.attach {
            way.attach(policy, document);
            keep.push(policy.clone());
        }
        for (name, document) in &target.managed {
            keep.push(way.managed(name, document));
        }
        let last = match &target.inline {
            Some(document) => Some(way.inline(document, &keep)?),
            None => None,
        };
        way.remove_rest(&keep, last.as_deref());
        Ok(Self {
            arn: arn.to_owned(),
            before,
            steps: way.steps,
        })
    }

    /// The states on the way, from the first to the last: one more than steps.
    #[must_use]
    pub fn states(&self) -> Vec<RoleState> {
        let mut state = self.before.clone();
        let mut out = vec![state.clone()];
        for step in &self.steps {
            step.take(&mut state);
            out.push(state.clone());
        }
        out
    }

    /// The policies that the steps make, by ARN.
    #[must_use]
    pub fn made(&self) -> Vec<&str> {
        self.steps
            .iter()
            .filter_map(|step| match step {
                Step::Create { arn, .. } => Some(arn.as_str()),
                _ => None,
            })
            .collect()
    }
}

struct Way<'a> {
    arn: &'a str,
    state: RoleState,
    steps: Vec<Step>,
}

impl Way<'_> {
    fn step(&mut self, step: Step) {
        step.take(&mut self.state);
        self.steps.push(step);
    }

    fn attach(&mut self, arn: &str, document: &Value) {
        if !self.state.attached.contains_key(arn) {
            let (arn, document) = (arn.to_owned(), document.clone());
            self.step(Step::Attach { arn, document });
        }
    }

    fn policy_arn(&self, name: &str) -> String {
        let mut parts = self.arn.split(':');
        let partition = parts.nth(1).unwrap_or("aws");
        let account = parts.nth(2).unwrap_or_default();
        format!("arn:{partition}:iam::{account}:policy/{name}")
    }

    /// Makes and attaches a policy, under a name that the role does not have yet; gives its ARN. One that is
    /// attached already and says the same is kept.
    fn managed(&mut self, name: &str, document: &Value) -> String {
        let mut number = 1;
        loop {
            let numbered = match number {
                1 => name.to_owned(),
                number => {
                    let end = format!("-{number}");
                    let start: String = name.chars().take(128 - end.len()).collect();
                    format!("{start}{end}")
                }
            };
            let arn = self.policy_arn(&numbered);
            match self.state.attached.get(&arn) {
                Some(held) if held == document => return arn,
                Some(_) => number += 1,
                None => {
                    self.step(Step::Create {
                        arn: arn.clone(),
                        document: document.clone(),
                    });
                    self.attach(&arn, document);
                    return arn;
                }
            }
        }
    }

    /// Brings the inline policy in; gives the name under which it ends.
    fn inline(&mut self, document: &Value, keep: &[String]) -> Result<String, ChangeError> {
        let sizes: BTreeMap<String, usize> = self
            .state
            .inline
            .iter()
            .map(|(name, document)| (name.clone(), characters(document)))
            .collect();
        let now: usize = sizes.values().sum();
        let new = characters(document);
        let fits_for = |name: &str| {
            now - sizes.get(name).copied().unwrap_or_default() + new <= quota::INLINE_ROLE
        };
        let same = |name: &str, state: &RoleState| state.inline.get(name) == Some(document);
        if same(POLICY_NAME, &self.state) {
            return Ok(POLICY_NAME.to_owned());
        }
        // Under its own name where there is room, else in the place of the largest one.
        let largest = sizes
            .iter()
            .max_by_key(|(name, size)| (**size, std::cmp::Reverse(*name)));
        let name = std::iter::once(POLICY_NAME)
            .chain(largest.map(|(name, _)| name.as_str()))
            .find(|name| fits_for(name))
            .map(str::to_owned);
        if let Some(name) = name {
            self.put(&name, document);
            return Ok(name);
        }
        let parts = parts(document).ok_or(ChangeError::TooLarge { now, new })?;
        let role = self.arn.rsplit('/').next().unwrap_or_default().to_owned();
        let mut passing = Vec::new();
        for (at, part) in parts.iter().enumerate() {
            let end = format!("-rolefit-transition-{}", at + 1);
            let start: String = role.chars().take(128 - end.len()).collect();
            passing.push(self.managed(&format!("{start}{end}"), part));
        }
        self.remove_inline(None);
        self.put(POLICY_NAME, document);
        for arn in passing.iter().filter(|arn| !keep.contains(arn)) {
            if let Some(document) = self.state.attached.get(arn).cloned() {
                self.step(Step::Detach {
                    arn: arn.clone(),
                    document: document.clone(),
                });
                if self.state.made.contains_key(arn) {
                    self.step(Step::Drop {
                        arn: arn.clone(),
                        document,
                    });
                }
            }
        }
        Ok(POLICY_NAME.to_owned())
    }

    fn put(&mut self, name: &str, document: &Value) {
        self.step(Step::Put {
            name: name.to_owned(),
            document: document.clone(),
            before: self.state.inline.get(name).cloned(),
        });
    }

    fn remove_inline(&mut self, keep: Option<&str>) {
        for (name, document) in self.state.inline.clone() {
            if Some(name.as_str()) != keep {
                self.step(Step::Delete { name, document });
            }
        }
    }

    fn remove_rest(&mut self, keep: &[String], inline: Option<&str>) {
        for (arn, document) in self.state.attached.clone() {
            if !keep.contains(&arn) {
                self.step(Step::Detach { arn, document });
            }
        }
        self.remove_inline(inline);
    }
}

/// The state that `current.json` describes.
fn read(current: &Value) -> Result<RoleState, ChangeError> {
    let wrong = ChangeError::Current;
    let mut state = RoleState::default();
    let list = current
        .get("Policies")
        .and_then(Value::as_array)
        .ok_or(wrong("no `Policies`"))?;
    for policy in list {
        let text = |key: &str| policy.get(key).and_then(Value::as_str);
        let document = policy
            .get("PolicyDocument")
            .filter(|document| document.is_object())
            .ok_or(wrong("a policy without a document"))?
            .clone();
        match (text("PolicyArn"), text("PolicyName")) {
            (Some(arn), _) => state.attached.insert(arn.to_owned(), document),
            (None, Some(name)) => state.inline.insert(name.to_owned(), document),
            (None, None) => return Err(wrong("a policy without a name")),
        };
    }
    match current.get("PermissionsBoundary") {
        None | Some(Value::Null) => {}
        Some(boundary) => {
            let arn = boundary
                .get("PermissionsBoundaryArn")
                .and_then(Value::as_str);
            let document = boundary.get("PolicyDocument");
            let (Some(arn), Some(document)) = (arn, document) else {
                return Err(wrong("a boundary without a document"));
            };
            state.boundary = Some((arn.to_owned(), document.clone()));
        }
    }
    Ok(state)
}

/// Characters as IAM counts them.
fn characters(document: &Value) -> usize {
    document.to_string().chars().count()
}

/// The document as several, each small enough for a managed policy; `None` where a statement is not.
fn parts(document: &Value) -> Option<Vec<Value>> {
    if characters(document) <= quota::MANAGED {
        return Some(vec![document.clone()]);
    }
    let statements = match document.get("Statement")? {
        Value::Array(list) => list.clone(),
        one => vec![one.clone()],
    };
    let with = |list: &[Value]| {
        let mut part = document.clone();
        part["Statement"] = json!(list);
        part
    };
    let mut parts: Vec<Vec<Value>> = Vec::new();
    for statement in statements {
        if characters(&with(std::slice::from_ref(&statement))) > quota::MANAGED {
            return None;
        }
        if let Some(last) = parts.last_mut() {
            last.push(statement.clone());
            if characters(&with(last)) <= quota::MANAGED {
                continue;
            }
            last.pop();
        }
        parts.push(vec![statement]);
    }
    Some(parts.iter().map(|list| with(list)).collect())
}

#[cfg(test)]
mod tests;
