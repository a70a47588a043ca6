//! What may happen: ARNs, actions, patterns, policy documents, evaluation, containment, quotas.
//! No CloudTrail, no network.

pub mod action;

pub use action::Action;
