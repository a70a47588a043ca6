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
    /// Condition keys of a further file, between spaces.
    more_keys: &'static str,
    /// The cell of the data file that names its clients.
    clients: &'static str,
}

impl ActionFacts {
    /// Adds the types and condition keys of a further file. Its types are never required: the file does
    /// not say.
    fn add(&mut self, [_, _, types, keys]: [&'static str; 4]) {
        for name in types.split(',').filter(|name| !name.is_empty()) {
            let known = |kind: &ResourceUse| kind.name.eq_ignore_ascii_case(name);
            if !self.resource_types.iter().any(known) {
                self.resource_types.push(ResourceUse {
                    name,
                    required: false,
                });
            }
        }
        self.more_keys = keys;
    }

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
    const ALL: [Self; 5] = [
        Self::List,
        Self::Read,
        Self::Write,
        Self::Tagging,
        Self::PermissionsManagement,
    ];

    /// The level of AWS's word.
    pub(super) fn parse(text: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|level| level.as_str() == text)
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
#[derive(Debug, Default)]
pub(super) struct Service {
    name: &'static str,
    /// Its lines of the data file.
    lines: &'static str,
    /// Rows of a further file: action, access level, resource types, condition keys.
    more_actions: Vec<[&'static str; 4]>,
    /// Rows of a further file: resource type, ARN format.
    more_types: Vec<[&'static str; 2]>,
    actions: OnceLock<Vec<ActionFacts>>,
    /// Type name in lower case to ARN formats.
    types: OnceLock<BTreeMap<String, Vec<&'static str>>>,
}

impl Service {
    /// A service with facts of a further file only.
    pub(super) fn named(name: &'static str) -> Self {
        Self {
            name,
            ..Self::default()
        }
    }

    /// Adds an action, or resource types and condition keys to a known one. Only before first use.
    pub(super) fn add_action(&mut self, row: [&'static str; 4]) {
        self.more_actions.push(row);
    }

    /// Adds an ARN format to a resource type, known or new. Only before first use.
    pub(super) fn add_type(&mut self, row: [&'static str; 2]) {
        self.more_types.push(row);
    }

    pub(super) fn actions(&self) -> &[ActionFacts] {
        self.actions.get_or_init(|| {
            let mut actions: Vec<ActionFacts> = table::rows(self.lines).map(action).collect();
            for row in &self.more_actions {
                let found = actions
                    .binary_search_by(|facts| compare_ignoring_case(facts.action.as_str(), row[0]));
                match found {
                    Ok(at) => actions[at].add(*row),
                    Err(at) => {
                        let [name, access, _, _] = *row;
                        let mut facts = action([name, access, "", "", ""]);
                        facts.add(*row);
                        actions.insert(at, facts);
                    }
                }
            }
            actions
        })
    }

    pub(super) fn arn_formats(&self, resource_type: &str) -> &[&'static str] {
        let types = self.types();
        let formats = types
            .get(resource_type)
            .or_else(|| types.get(&resource_type.to_ascii_lowercase()));
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
            for [name, arn] in &self.more_types {
                let formats = types.entry(name.to_ascii_lowercase()).or_default();
                if !formats.contains(arn) {
                    formats.push(arn);
                }
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
        let mut service = Service::named(name);
        service.lines = lines;
        services.insert(name, service);
        rest = after;
    }
    services
}

fn action([name, access, types, set, clients]: [&'static str; 5]) -> ActionFacts {
    let types = types.split(',').filter(|cell| !cell.is_empty());
    ActionFacts {
        action: Action::new(name),
        access: AccessLevel::parse(access).unwrap_or(AccessLevel::Write),
        resource_types: types.map(resource_use).collect(),
        condition_set: set,
        more_keys: "",
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
    let keys = keys.unwrap_or_default().split_ascii_whitespace();
    keys.chain(facts.more_keys.split_ascii_whitespace())
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
