//! The hand-kept tables of `data/map-*.tsv`, read once.

use std::sync::LazyLock;

use foldhash::fast::RandomState;

use super::super::table;

/// One row of `map-events.tsv`.
#[derive(Debug)]
pub(super) struct EventRow {
    /// When the row holds.
    pub(super) condition: &'static str,
    /// The actions, each with its service.
    pub(super) actions: Vec<String>,
    /// A named rule for the resource; empty for the action's own.
    pub(super) rule: &'static str,
    /// `seen`, `derived` or `possible`.
    pub(super) certainty: super::Certainty,
}

/// One row of `map-arns.tsv`.
#[derive(Debug)]
pub(super) struct ArnRow {
    /// The actions it is for: a name, `*`, or a name with `*` at its end.
    pub(super) action: &'static str,
    /// When the row holds.
    pub(super) condition: &'static str,
    /// Whether the parameters go before the event's own list of resources.
    pub(super) first: bool,
    /// (variable, alternatives), the first alternative with a value wins.
    pub(super) bindings: Vec<(&'static str, Vec<&'static str>)>,
    /// Whether a leading `?` says that IAM may have asked for it, no more.
    pub(super) perhaps: bool,
    /// What the row does instead of binding.
    pub(super) instead: Instead,
}

/// What a row of `map-arns.tsv` may say in place of bindings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Instead {
    /// It binds.
    Bind,
    /// `*`: the call is checked against no resource in particular.
    Any,
    /// `-`: the type takes no part in the call.
    Never,
    /// `?`: any of the type may have been asked for, the parameters do not say.
    Perhaps,
    /// `named`: the templates, of a type whose identifier in the ARN is its name.
    Named,
}

/// One row of `map-sources.tsv`.
#[derive(Debug)]
pub(super) struct SourceRow {
    /// When the row holds.
    pub(super) condition: &'static str,
    /// The IAM prefixes, tried in order.
    pub(super) prefixes: Vec<&'static str>,
}

/// A table that is asked for every record.
pub(super) type HashMap<K, V> = std::collections::HashMap<K, V, RandomState>;

/// Service first, then a name in lower case.
pub(super) type Nested<T> = HashMap<&'static str, HashMap<String, T>>;

/// All tables.
#[derive(Debug)]
pub(super) struct Tables {
    /// Event source host to prefixes.
    pub(super) sources: HashMap<&'static str, Vec<SourceRow>>,
    /// Prefix and event in lower case to rows.
    pub(super) events: Nested<Vec<EventRow>>,
    /// Prefix to (event pattern in lower case, reason).
    pub(super) silent: HashMap<&'static str, Vec<(String, &'static str)>>,
    /// Service and type in lower case to rows.
    pub(super) arns: Nested<Vec<ArnRow>>,
    /// Service and operation, member or `*`, in lower case, to the principal that receives the role.
    pub(super) pass_role: Nested<&'static str>,
    /// Service and operation or `*`, in lower case, to the tagging action.
    pub(super) tagging: Nested<&'static str>,
    /// Service in `invokedBy` to the label of `kms:ViaService`.
    pub(super) via: HashMap<&'static str, &'static str>,
    /// EC2 resource type to (parameter names in lower case, identifier prefix).
    pub(super) ec2: HashMap<&'static str, (Vec<&'static str>, &'static str)>,
}

/// The tables that the program carries.
pub(super) fn tables() -> &'static Tables {
    static TABLES: LazyLock<Tables> = LazyLock::new(read);
    &TABLES
}

pub(super) const SOURCES: &str = include_str!("../data/map-sources.tsv");
pub(super) const EVENTS: &str = include_str!("../data/map-events.tsv");
pub(super) const SILENT: &str = include_str!("../data/map-silent.tsv");
pub(super) const ARNS: &str = include_str!("../data/map-arns.tsv");
pub(super) const PASS_ROLE: &str = include_str!("../data/map-pass-role.tsv");
pub(super) const TAGGING: &str = include_str!("../data/map-tagging.tsv");
pub(super) const VIA: &str = include_str!("../data/map-via.tsv");
pub(super) const EC2: &str = include_str!("../data/map-ec2.tsv");

fn read() -> Tables {
    let mut tables = Tables {
        sources: HashMap::default(),
        events: HashMap::default(),
        silent: HashMap::default(),
        arns: HashMap::default(),
        pass_role: HashMap::default(),
        tagging: HashMap::default(),
        via: HashMap::default(),
        ec2: HashMap::default(),
    };
    for [host, condition, prefixes, _] in table::rows(SOURCES) {
        tables.sources.entry(host).or_default().push(SourceRow {
            condition,
            prefixes: prefixes.split(',').collect(),
        });
    }
    for [service, event, condition, actions, rule, certainty, _] in table::rows(EVENTS) {
        let row = EventRow {
            condition,
            actions: actions
                .split(',')
                .map(|action| qualified(service, action))
                .collect(),
            rule: if rule == "-" { "" } else { rule },
            certainty: super::Certainty::parse(certainty),
        };
        let events = tables.events.entry(service).or_default();
        events
            .entry(event.to_ascii_lowercase())
            .or_default()
            .push(row);
    }
    for [service, event, reason, _] in table::rows(SILENT) {
        tables
            .silent
            .entry(service)
            .or_default()
            .push((event.to_ascii_lowercase(), reason));
    }
    for [service, kind, action, condition, bindings, _] in table::rows(ARNS) {
        let row = ArnRow {
            action: action.trim_start_matches('!'),
            condition,
            first: action.starts_with('!'),
            bindings: bindings
                .split_ascii_whitespace()
                .filter_map(|binding| binding.split_once('='))
                .map(|(variable, paths)| (variable, paths.split('|').collect()))
                .collect(),
            perhaps: bindings.starts_with("? "),
            instead: match bindings {
                "*" => Instead::Any,
                "-" => Instead::Never,
                "?" => Instead::Perhaps,
                "named" => Instead::Named,
                _ => Instead::Bind,
            },
        };
        let types = tables.arns.entry(service).or_default();
        types
            .entry(kind.to_ascii_lowercase())
            .or_default()
            .push(row);
    }
    for [service, operation, principal, _] in table::rows(PASS_ROLE) {
        let names = tables.pass_role.entry(service).or_default();
        names.insert(operation.to_ascii_lowercase(), principal);
    }
    for [service, operation, action, _] in table::rows(TAGGING) {
        let names = tables.tagging.entry(service).or_default();
        names.insert(operation.to_ascii_lowercase(), action);
    }
    for [invoked_by, label, _] in table::rows(VIA) {
        tables.via.insert(invoked_by, label);
    }
    for [kind, names, prefix, _] in table::rows(EC2) {
        tables
            .ec2
            .insert(kind, (names.split(',').collect(), prefix));
    }
    tables
}

/// `PutObject` of service `s3` as `s3:PutObject`; names with a service of their own stay.
pub(super) fn qualified(service: &str, action: &str) -> String {
    if action.contains(':') {
        action.to_owned()
    } else {
        format!("{service}:{action}")
    }
}
