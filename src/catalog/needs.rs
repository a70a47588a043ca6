//! What the Lambda service does with an execution role, feature by feature.

use std::collections::BTreeMap;

use super::table;

/// One permission that a feature of a function asks of its execution role.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// The action, `sqs:ReceiveMessage`.
    pub action: &'static str,
    /// The resource with placeholders. `{partition}`, `{region}`, `{account}` and `{log_group}` stand
    /// for names; every other placeholder (`{queue}`, `{key}`) stands for a whole ARN.
    pub resource_template: &'static str,
    /// Needed in some setups only, such as with a customer key: keep it where it is granted, never call
    /// it missing.
    pub optional: bool,
    /// Where the row comes from, with its mark: D AWS documentation, K general knowledge.
    pub source: &'static str,
}

/// The rows by feature (`vpc`, `sqs`, …).
pub(super) fn parse(text: &'static str) -> BTreeMap<&'static str, Vec<Need>> {
    let mut features: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for [feature, action, resource_template, optional, source] in table::rows(text) {
        let optional = optional == "optional";
        let need = Need {
            action,
            resource_template,
            optional,
            source,
        };
        features.entry(feature).or_default().push(need);
    }
    features
}
