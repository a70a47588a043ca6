//! What CloudTrail can show of an action at all. Whether a given trail does show it, this module does
//! not know: that depends on the selectors of the trail and on what the input holds.

use std::collections::{BTreeMap, BTreeSet};

use super::actions::{AccessLevel, ActionFacts, matches_ignoring_case};
use super::table;

/// Where an action's use would be seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Visibility {
    /// In management events, which every trail with management events holds.
    Management,
    /// In data events of one of these types (`AWS::S3::Object`), off by default. The first type is the
    /// one of the ordinary resource; the others are further doors to it, such as access points.
    Data(Vec<&'static str>),
    /// IAM asks for it only beside one of `by`: where those are seen to be unused, it is unused.
    Carried {
        /// The actions whose events carry it.
        by: Vec<&'static str>,
        /// Whether the parameters of those events show that it was asked for. If not, use of `by`
        /// leaves it open.
        shown: bool,
    },
    /// Only these service principals use it, with a role that trusts them.
    OnlyFor(Vec<&'static str>),
    /// No API operation of its own asks for it: the console does, or another service beside its own
    /// calls. Code cannot call it by itself, and no event shows it.
    Aside(&'static str),
    /// No event shows it, and why.
    Never(&'static str),
    /// Not settled, and why. To be treated as never seen.
    Unknown(&'static str),
}

impl Visibility {
    /// The word of `data/visibility.tsv` for it, `within` and `carried` told apart.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Management => "management",
            Self::Data(_) => "data",
            Self::Carried { shown: true, .. } => "carried",
            Self::Carried { shown: false, .. } => "within",
            Self::OnlyFor(_) => "only-for",
            Self::Aside(_) => "aside",
            Self::Never(_) => "never",
            Self::Unknown(_) => "unknown",
        }
    }
}

/// The hand-kept tables.
#[derive(Debug)]
pub(super) struct Table {
    /// Rows of single actions, by the action in lower case.
    actions: BTreeMap<String, Visibility>,
    /// Rows of patterns, by the service prefix of the pattern; `*` for every service.
    patterns: BTreeMap<&'static str, Vec<(&'static str, Visibility)>>,
    /// Rows of a further file, by the action in lower case: less than what is kept by hand, more than
    /// what names tell.
    more: BTreeMap<String, Visibility>,
    /// Services with data event types whose operations AWS does not name, with the nouns of the types.
    open: BTreeMap<&'static str, Vec<String>>,
    /// Clients that serve a data plane.
    data_plane: BTreeSet<&'static str>,
}

impl Table {
    pub(super) fn read(
        visibility: &'static str,
        types: &'static str,
        data_plane: &'static str,
    ) -> Self {
        let mut table = Self {
            actions: BTreeMap::new(),
            patterns: BTreeMap::new(),
            more: BTreeMap::new(),
            open: BTreeMap::new(),
            data_plane: table::rows(data_plane).map(|[client]| client).collect(),
        };
        for [action, kind, detail, _, why] in table::rows(visibility) {
            let seen = parse(kind, detail, why);
            if action.contains('*') {
                let service = action.split(':').next().unwrap_or_default();
                table
                    .patterns
                    .entry(service)
                    .or_default()
                    .push((action, seen));
            } else {
                table.actions.insert(action.to_ascii_lowercase(), seen);
            }
        }
        for [name, service, coverage, _] in table::rows(types) {
            if coverage == "open" {
                let noun = letters(name.rsplit("::").next().unwrap_or_default());
                table.open.entry(service).or_default().push(noun);
            }
        }
        table
    }

    /// Takes a row of a further file: whether the action's events are management events.
    pub(super) fn add(&mut self, action: &str, management: bool) {
        let seen = if management {
            Visibility::Management
        } else {
            Visibility::Unknown(
                "AWS's Service Reference does not count it among the calls that management events show",
            )
        };
        self.more.insert(action.to_ascii_lowercase(), seen);
    }

    /// What the tables kept by hand say of an action.
    pub(super) fn by_hand(&self, facts: &ActionFacts) -> Option<&Visibility> {
        let action = facts.action.as_str();
        if let Some(seen) = self.actions.get(&action.to_ascii_lowercase()) {
            return Some(seen);
        }
        for service in [facts.action.service(), "*"] {
            let patterns = self.patterns.get(service).map_or(&[][..], Vec::as_slice);
            let row = patterns
                .iter()
                .find(|(pattern, _)| matches_ignoring_case(pattern, action));
            if let Some((_, seen)) = row {
                return Some(seen);
            }
        }
        None
    }

    pub(super) fn of(&self, facts: &ActionFacts) -> Visibility {
        let action = facts.action.as_str();
        let row = self
            .by_hand(facts)
            .or_else(|| self.more.get(&action.to_ascii_lowercase()));
        if let Some(seen) = row {
            return seen.clone();
        }
        let mut clients = facts.clients().peekable();
        if clients.peek().is_none() {
            return Visibility::Unknown(
                "no API operation has the name, and no list names its events",
            );
        }
        if clients.all(|client| self.data_plane.contains(client)) {
            return Visibility::Unknown(
                "a call of a data plane, and no list says where it is logged",
            );
        }
        match self.open.get(facts.action.service()) {
            Some(nouns) if !of_the_control_plane(facts, nouns) => Visibility::Unknown(
                "the service has data events, and AWS does not say which operations they hold",
            ),
            _ => Visibility::Management,
        }
    }
}

/// The event sources that a trail may leave out of its management events, by
/// `ExcludeManagementEventSources` (AWS: `EventSelector`).
pub(super) fn excludable_source(service: &str) -> Option<&'static str> {
    match service {
        "kms" => Some("kms.amazonaws.com"),
        "rds-data" => Some("rdsdata.amazonaws.com"),
        _ => None,
    }
}

/// In a service with data events of unnamed operations: whether an action makes, changes or removes a
/// resource type that has no data events, or changes tags or permissions.
fn of_the_control_plane(facts: &ActionFacts, data_nouns: &[String]) -> bool {
    if matches!(
        facts.access,
        AccessLevel::Tagging | AccessLevel::PermissionsManagement
    ) {
        return true;
    }
    let verbs = ["Create", "Delete", "Update"];
    let Some(noun) = verbs
        .iter()
        .find_map(|verb| facts.action.name().strip_prefix(verb))
    else {
        return false;
    };
    let noun = letters(noun);
    !data_nouns.contains(&noun)
        && facts
            .resource_types
            .iter()
            .any(|kind| letters(kind.name) == noun)
}

fn letters(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

fn parse(kind: &str, detail: &'static str, why: &'static str) -> Visibility {
    let list = || detail.split(',').collect();
    match kind {
        "management" => Visibility::Management,
        "data" => Visibility::Data(list()),
        "carried" => Visibility::Carried {
            by: list(),
            shown: true,
        },
        "within" => Visibility::Carried {
            by: list(),
            shown: false,
        },
        "only-for" => Visibility::OnlyFor(list()),
        "aside" => Visibility::Aside(why),
        "never" => Visibility::Never(why),
        _ => Visibility::Unknown(why),
    }
}
