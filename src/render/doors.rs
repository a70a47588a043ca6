//! The doors around a role, as the report holds them.

use serde::Serialize;

use super::PerFunction;
use crate::access::{Inbound, TrustFinding};

/// Who may take the role, who used it elsewhere, who invokes its functions, and a role for each of them.
#[derive(Clone, Debug, Default, Serialize)]
pub struct Doors {
    /// Findings on the trust policy.
    pub trust: Vec<TrustFinding>,
    /// Where the role's credentials were used outside Lambda.
    pub outside: Vec<OutsideRow>,
    /// Who invokes the role's functions, and what their resource policies let in.
    pub inbound: Vec<Inbound>,
    /// A role for each function, where that was asked for and several share this one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub per_function: Option<PerFunction>,
}

/// Use of the role's credentials that no Lambda runtime makes.
#[derive(Clone, Debug, Serialize)]
pub struct OutsideRow {
    /// The user agent.
    pub agent: String,
    /// The address of the caller; `*` where there were too many to list.
    pub address: String,
    /// The name of the session.
    pub session: String,
    /// Events.
    pub count: u64,
    /// ISO 8601.
    pub first_seen: Option<String>,
    /// ISO 8601.
    pub last_seen: Option<String>,
    /// A few.
    pub event_ids: Vec<String>,
}
