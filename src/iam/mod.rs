//! What may happen: ARNs, actions, patterns, policy documents, evaluation, containment, quotas.
//!
//! In come policy documents as IAM stores them and requests as IAM decides on them; out come
//! decisions, and the answer to "does the first set of policies allow anything the second does
//! not?". No CloudTrail, no network, no list of the actions that exist: what is said here holds for
//! every string, also for actions AWS adds tomorrow.

pub mod action;
pub mod arn;
pub mod condition;
pub mod containment;
pub mod document;
pub mod evaluate;
pub mod json;
pub mod pattern;
pub mod quota;
pub mod statement;
mod template;

#[cfg(test)]
mod tests;

pub use action::Action;
pub use arn::Arn;
pub use containment::{Containment, Witness, contained, differ};
pub use document::{NamedPolicy, PolicyDocument, PolicyError, PolicySet};
pub use evaluate::{Decided, Decision, Evaluation, Request, evaluate, evaluate_complete};
pub use json::Json;
pub use statement::{
    ActionMatch, ConditionBlock, Conditions, ELEMENTS, Effect, ResourceMatch, Statement,
};
