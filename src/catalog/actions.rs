//! Actions, their resource types and condition keys.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::ops::Range;

use crate::iam::Action;

use super::table;

/// What AWS's Service Authorization Reference says of one action.
#[derive(Debug)]
pub struct ActionFacts {
    /// The action in its canonical spelling.
    pub action: Action,
    /// How far the action reaches.
    pub access: AccessLevel,
    /// The resource types that can be named in a statement with it. Empty: only `*`.
    pub resource_types: Vec<ResourceUse>,
    /// The number of its set of condition keys within the service; 0 where there is none.
    pub(super) condition_set: u16,
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

/// Actions in file order, with the range of each service.
pub(super) fn parse(
    text: &'static str,
) -> (Vec<ActionFacts>, BTreeMap<&'static str, Range<usize>>) {
    let mut actions = Vec::with_capacity(24_000);
    let mut services: BTreeMap<&'static str, Range<usize>> = BTreeMap::new();
    let mut service = "";
    let mut start = 0;
    for [name, access, types, set, clients] in table::rows(text) {
        let prefix = name.split(':').next().unwrap_or_default();
        if prefix != service {
            services.insert(service, start..actions.len());
            (service, start) = (prefix, actions.len());
        }
        let resource_types = if types.is_empty() {
            Vec::new()
        } else {
            types.split(',').map(resource_use).collect()
        };
        actions.push(ActionFacts {
            action: Action::new(name),
            access: AccessLevel::parse(access),
            resource_types,
            condition_set: set.parse().unwrap_or_default(),
            clients,
        });
    }
    services.insert(service, start..actions.len());
    services.remove("");
    (actions, services)
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

/// (service, type in lower case) to its ARN formats.
pub(super) fn parse_types(
    text: &'static str,
) -> BTreeMap<(&'static str, String), Vec<&'static str>> {
    let mut types: BTreeMap<_, Vec<_>> = BTreeMap::new();
    for [service, name, _, arn] in table::rows(text) {
        types
            .entry((service, name.to_ascii_lowercase()))
            .or_default()
            .push(arn);
    }
    types
}

/// (service, number of the set) to its keys between blanks.
pub(super) fn parse_condition_keys(
    text: &'static str,
) -> BTreeMap<(&'static str, u16), &'static str> {
    table::rows(text)
        .map(|[service, number, keys]| ((service, number.parse().unwrap_or_default()), keys))
        .collect()
}

/// The order of the data files: names without regard to case.
pub(super) fn compare_ignoring_case(a: &str, b: &str) -> Ordering {
    let lower = |text: &str| text.as_bytes().to_ascii_lowercase();
    if a.eq_ignore_ascii_case(b) {
        Ordering::Equal
    } else {
        lower(a).cmp(&lower(b))
    }
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
