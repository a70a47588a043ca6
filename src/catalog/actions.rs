//! Actions, their resource types and condition keys.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::sync::OnceLock;

use crate::iam::Action;

use super::table;

const ACTIONS: &str = include_str!("data/actions.tsv");
const TYPES: &str = include_str!("data/resource-types.tsv");
const CONDITION_KEYS: &str = include_str!("data/condition-keys.tsv");

/// What AWS's Service Authorization Reference says of one action.
#[derive(Debug)]
pub struct ActionFacts {
    /// The action in its canonical spelling.
    pub action: Action,
    /// How far the action reaches.
    pub access: AccessLevel,
    /// The resource types that can be named in a statement with it. Empty: only `*`.
    pub resource_types: Vec<ResourceUse>,
    /// The number of its set of condition keys within the service; empty where there is none.
    condition_set: &'static str,
    /// The cell of the data file that names its clients.
    clients: &'static str,
}

impl ActionFacts {
    /// The API clients that have an operation of the action's name; none where the action is a
    /// permission without a call of its own, or its call has another name.
    pub fn clients(&self) -> impl Iterator<Item = &str> {
        let cell = if self.clients == "=" {
            self.action.service()
        } else {
            self.clients
        };
        cell.split(',').filter(|client| !client.is_empty())
    }
}

/// One resource type of an action.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResourceUse {
    /// The name of the type within the service, `bucket`.
    pub name: &'static str,
    /// Whether AWS marks the type as required: a statement that names none of its resources allows
    /// nothing.
    pub required: bool,
}

/// AWS's access levels. Tagging and permissions management are writes too.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AccessLevel {
    /// Sees that resources exist.
    List,
    /// Reads content.
    Read,
    /// Changes content.
    Write,
    /// Changes tags.
    Tagging,
    /// Changes who may do what.
    PermissionsManagement,
}

impl AccessLevel {
    fn parse(text: &str) -> Self {
        match text {
            "List" => Self::List,
            "Read" => Self::Read,
            "Tagging" => Self::Tagging,
            "Permissions management" => Self::PermissionsManagement,
            _ => Self::Write,
        }
    }

    /// AWS's word for the level.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::List => "List",
            Self::Read => "Read",
            Self::Write => "Write",
            Self::Tagging => "Tagging",
            Self::PermissionsManagement => "Permissions management",
        }
    }
}

/// One IAM service prefix with its actions and resource types, each read on first use.
#[derive(Debug)]
pub(super) struct Service {
    name: &'static str,
    /// Its lines of the data file.
    lines: &'static str,
    actions: OnceLock<Vec<ActionFacts>>,
    /// Type name in lower case to ARN formats.
    types: OnceLock<BTreeMap<String, Vec<&'static str>>>,
}

impl Service {
    pub(super) fn actions(&self) -> &[ActionFacts] {
        self.actions
            .get_or_init(|| table::rows(self.lines).map(action).collect())
    }

    pub(super) fn arn_formats(&self, resource_type: &str) -> &[&'static str] {
        let formats = self.types().get(&resource_type.to_ascii_lowercase());
        formats.map_or(&[], Vec::as_slice)
    }

    /// Every resource type, its name in lower case, with its ARN formats.
    pub(super) fn types(&self) -> &BTreeMap<String, Vec<&'static str>> {
        self.types.get_or_init(|| {
            let mut types: BTreeMap<_, Vec<_>> = BTreeMap::new();
            for [_, name, _, arn] in table::section(TYPES, self.name) {
                types
                    .entry(name.to_ascii_lowercase())
                    .or_default()
                    .push(arn);
            }
            types
        })
    }
}

/// The services of the file of actions, by name.
pub(super) fn services() -> BTreeMap<&'static str, Service> {
    let mut services = BTreeMap::new();
    let mut rest = &ACTIONS[table::start_of_rows(ACTIONS)..];
    while let Some((name, _)) = rest.split_once(':') {
        let ours = |line: &str| {
            line.strip_prefix(name)
                .is_some_and(|line| line.starts_with(':'))
        };
        let lines = rest.split_inclusive('\n').take_while(|line| ours(line));
        let (lines, after) = rest.split_at(lines.map(str::len).sum());
        let (actions, types) = (OnceLock::new(), OnceLock::new());
        services.insert(
            name,
            Service {
                name,
                lines,
                actions,
                types,
            },
        );
        rest = after;
    }
    services
}

fn action([name, access, types, set, clients]: [&'static str; 5]) -> ActionFacts {
    let types = types.split(',').filter(|cell| !cell.is_empty());
    ActionFacts {
        action: Action::new(name),
        access: AccessLevel::parse(access),
        resource_types: types.map(resource_use).collect(),
        condition_set: set,
        clients,
    }
}

fn resource_use(cell: &'static str) -> ResourceUse {
    match cell.strip_suffix('*') {
        Some(name) => ResourceUse {
            name,
            required: true,
        },
        None => ResourceUse {
            name: cell,
            required: false,
        },
    }
}

/// The condition keys of an action beside the global ones.
pub(super) fn condition_keys(facts: &ActionFacts) -> impl Iterator<Item = &'static str> {
    let mut sets = table::section(CONDITION_KEYS, facts.action.service());
    let keys = sets.find_map(|[_, set, keys]| (set == facts.condition_set).then_some(keys));
    keys.unwrap_or_default().split_ascii_whitespace()
}

/// The order of the data files: names without regard to case.
pub(super) fn compare_ignoring_case(a: &str, b: &str) -> Ordering {
    let a = a.bytes().map(|byte| byte.to_ascii_lowercase());
    a.cmp(b.bytes().map(|byte| byte.to_ascii_lowercase()))
}

/// IAM's `*` and `?` over action names, without regard to case.
pub(super) fn matches_ignoring_case(pattern: &str, text: &str) -> bool {
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    let (mut p, mut t) = (0, 0);
    let mut retry: Option<(usize, usize)> = None;
    while t < text.len() {
        match pattern.get(p) {
            Some(b'*') => {
                retry = Some((p, t));
                p += 1;
            }
            Some(&byte) if byte == b'?' || byte.eq_ignore_ascii_case(&text[t]) => {
                p += 1;
                t += 1;
            }
            _ => match retry {
                Some((star, at)) => {
                    retry = Some((star, at + 1));
                    (p, t) = (star + 1, at + 1);
                }
                None => return false,
            },
        }
    }
    pattern[p..].iter().all(|&byte| byte == b'*')
}
