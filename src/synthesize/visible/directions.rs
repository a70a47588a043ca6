//! What CloudTrail's `readOnly` may say of an action: a trail may log reads or writes alone.

use crate::catalog::{AccessLevel, ActionFacts};

const READS: [&str; 10] = [
    "Get", "List", "Describe", "Head", "BatchGet", "Query", "Scan", "Lookup", "Search", "Select",
];

const WRITES: [&str; 26] = [
    "Create",
    "Delete",
    "Put",
    "Update",
    "Modify",
    "Attach",
    "Detach",
    "Add",
    "Remove",
    "Set",
    "Tag",
    "Untag",
    "Run",
    "Terminate",
    "Register",
    "Deregister",
    "Associate",
    "Disassociate",
    "Enable",
    "Disable",
    "Start",
    "Stop",
    "Send",
    "Publish",
    "InvokeFunction",
    "BatchWrite",
];

/// `[true]`, `[false]`, or both where its name does not tell. IAM's access level alone does not:
/// `kms:Decrypt` is a write to IAM and read-only to CloudTrail.
pub(super) fn directions(facts: &ActionFacts) -> &'static [bool] {
    let named = |prefixes: &[&str]| {
        prefixes
            .iter()
            .any(|prefix| facts.action.name().starts_with(prefix))
    };
    match facts.access {
        AccessLevel::Read | AccessLevel::List if named(&READS) => &[true],
        AccessLevel::Write | AccessLevel::Tagging | AccessLevel::PermissionsManagement
            if named(&WRITES) =>
        {
            &[false]
        }
        _ => &[true, false],
    }
}
