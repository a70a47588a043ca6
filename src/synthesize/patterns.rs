//! From the resources that were used to the patterns that will hold tomorrow.
//!
//! Piece by piece the ladder of [`crate::usage::ladder`] decides what is volatile; here the set as a
//! whole does. The values of one path segment under one parent are a set of names, and when each was
//! first and last seen tells which kind: a set that was complete early and comes back again and again
//! (`settings.json`, `rules.yaml`) stays as it is, one that still grows (users, tenants, months) or is
//! large becomes `*` between what all values share.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::ResourceRef;
use crate::usage::ladder::{Rung, climb, family, joined, may_be_date, segments};

/// How far resources are generalised.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Granularity {
    /// As IAM checked them.
    Exact,
    /// Volatile pieces as `*`, stable prefixes and suffixes kept.
    Prefix,
    /// Whole containers.
    Container,
}

impl Granularity {
    /// The next coarser one.
    pub(super) fn coarser(self) -> Option<Self> {
        match self {
            Self::Exact => Some(Self::Prefix),
            Self::Prefix => Some(Self::Container),
            Self::Container => None,
        }
    }

    /// The word on the command line.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Exact => "exact",
            Self::Prefix => "prefix",
            Self::Container => "container",
        }
    }
}

/// Values of one path segment that are still taken for a fixed set of names, where times tell nothing.
const FANOUT: usize = 3;
/// Patterns of one container that a statement still lists; also the largest set of names that counts as
/// fixed because none is new.
const LISTED: usize = 8;
const DAY: i64 = 86_400;
/// So many names over so many days, and a number among them was always the same: it is no counter.
const CONSTANT_NAMES: usize = 10;
const CONSTANT_DAYS: i64 = 14;

/// When something was seen, in seconds since 1970.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Seen {
    pub(super) first: Option<i64>,
    pub(super) last: Option<i64>,
}

impl Seen {
    fn join(&mut self, other: Self) {
        self.first = match (self.first, other.first) {
            (Some(a), Some(b)) => Some(a.min(b)),
            (a, b) => a.or(b),
        };
        self.last = self.last.max(other.last);
    }
}

/// The patterns for a set of resources, each with the resources it stands for.
pub(super) fn patterns<'r>(
    resources: impl IntoIterator<Item = (&'r ResourceRef, Seen)>,
    granularity: Granularity,
) -> BTreeMap<String, Vec<&'r ResourceRef>> {
    let mut out: BTreeMap<String, Vec<&ResourceRef>> = BTreeMap::new();
    let mut containers: BTreeMap<String, (Patterns<'r>, BTreeMap<String, Seen>)> = BTreeMap::new();
    let mut seen_at: BTreeMap<&ResourceRef, Seen> = BTreeMap::new();
    for (resource, seen) in resources {
        seen_at.entry(resource).or_default().join(seen);
    }
    let constants = match granularity {
        Granularity::Prefix => Constants::of(&seen_at),
        Granularity::Exact | Granularity::Container => Constants::default(),
    };
    for (&resource, &seen) in &seen_at {
        let rung = match granularity {
            Granularity::Exact => Rung::Exact,
            Granularity::Prefix => Rung::Volatile,
            Granularity::Container => Rung::Container,
        };
        let pattern = constants
            .keep(resource)
            .unwrap_or_else(|| climb(resource.clone(), rung).pattern());
        let container = climb(resource.clone(), Rung::Container).pattern();
        if granularity == Granularity::Prefix && container != pattern {
            let (patterns, times) = containers.entry(container).or_default();
            times.entry(pattern.clone()).or_default().join(seen);
            patterns.entry(pattern).or_default().push(resource);
        } else {
            out.entry(pattern).or_default().push(resource);
        }
    }
    for (container, (patterns, times)) in containers {
        for (pattern, resources) in generalize(&container, patterns, &times) {
            out.entry(pattern).or_default().extend(resources);
        }
    }
    if granularity == Granularity::Prefix {
        out = indexes(families(out, &seen_at));
    }
    out
}

/// Folders with a number or id in their name that never changed: `billing-157/`, `AWSLogs/111122223333/`.
#[derive(Default)]
struct Constants {
    /// Up to and with such a folder, from the container on.
    folders: BTreeSet<String>,
}

impl Constants {
    fn of(resources: &BTreeMap<&ResourceRef, Seen>) -> Self {
        // Under one parent and with the same open form: which names, how many below, when.
        type Names<'r> = BTreeMap<&'r str, (usize, Seen)>;
        let mut forms: BTreeMap<(String, String), Names<'_>> = BTreeMap::new();
        for (resource, seen) in resources {
            let Some((container, path)) = segments(resource) else {
                continue;
            };
            let mut parent = container.to_owned();
            for (raw, open) in &path[..path.len() - 1] {
                if raw != open && !may_be_date(raw) && !raw.contains(['*', '?', '$']) {
                    let names = forms.entry((parent.clone(), open.clone())).or_default();
                    let (count, times) = names.entry(raw).or_default();
                    *count += 1;
                    times.join(*seen);
                }
                parent.push_str(raw);
                parent.push('/');
            }
        }
        let constant = |names: &Names<'_>| match names.iter().next() {
            Some((_, (count, seen))) if names.len() == 1 && *count >= CONSTANT_NAMES => seen
                .first
                .zip(seen.last)
                .is_some_and(|(first, last)| last - first >= CONSTANT_DAYS * DAY),
            _ => false,
        };
        let folders = forms
            .into_iter()
            .filter(|(_, names)| constant(names))
            .flat_map(|((parent, _), names)| {
                names
                    .into_keys()
                    .map(move |name| format!("{parent}{name}/"))
                    .collect::<Vec<_>>()
            })
            .collect();
        Self { folders }
    }

    /// The resource's pattern with such folders as they are; `None` where there are none.
    fn keep(&self, resource: &ResourceRef) -> Option<String> {
        if self.folders.is_empty() {
            return None;
        }
        let (container, path) = segments(resource)?;
        let mut parent = container.to_owned();
        let mut kept: Vec<&str> = Vec::new();
        let mut any = false;
        for (raw, open) in &path {
            parent.push_str(raw);
            parent.push('/');
            let constant = self.folders.contains(&parent);
            any |= constant;
            kept.push(if constant { raw } else { open });
        }
        any.then(|| format!("{container}{}", joined(&kept)))
    }
}

/// Containers whose names differ in volatile pieces alone (a table a month, a function deployed anew under
/// another random suffix) are one family once a new member was seen to come; queues and topics also where
/// they differ in a word (one for each tenant) and share the rest. One alone stays exact.
fn families<'r>(patterns: Patterns<'r>, seen_at: &BTreeMap<&ResourceRef, Seen>) -> Patterns<'r> {
    let mut window = Seen::default();
    seen_at.values().for_each(|seen| window.join(*seen));
    let mut groups: BTreeMap<String, BTreeMap<String, Seen>> = BTreeMap::new();
    let mut fans: BTreeMap<String, BTreeMap<String, Seen>> = BTreeMap::new();
    for (pattern, resources) in &patterns {
        let mut seen = Seen::default();
        resources
            .iter()
            .filter_map(|r| seen_at.get(r))
            .for_each(|at| seen.join(*at));
        if let Some(family) = family(pattern) {
            groups
                .entry(family)
                .or_default()
                .insert(pattern.clone(), seen);
        } else if let Some((head, name)) = pattern.rsplit_once(':')
            && ["sqs", "sns"].contains(&pattern.split(':').nth(2).unwrap_or_default())
        {
            fans.entry(head.to_owned())
                .or_default()
                .insert(name.to_owned(), seen);
        }
    }
    groups.retain(|_, members| grows(members, window, false));
    let mut to: BTreeMap<String, String> = BTreeMap::new();
    for (family, members) in groups {
        to.extend(members.into_keys().map(|member| (member, family.clone())));
    }
    for (head, members) in fans {
        let shared = common(&members.keys());
        let says_something = shared
            .split('*')
            .any(|part| part.bytes().filter(u8::is_ascii_alphanumeric).count() >= 3);
        if members.len() > FANOUT && says_something && grows(&members, window, false) {
            to.extend(
                members
                    .into_keys()
                    .map(|name| (format!("{head}:{name}"), format!("{head}:{shared}"))),
            );
        }
    }
    regroup(patterns, |pattern| {
        to.get(pattern)
            .cloned()
            .unwrap_or_else(|| pattern.to_owned())
    })
}

/// Several indexes of one table are all of its indexes.
fn indexes(patterns: Patterns<'_>) -> Patterns<'_> {
    let table = |pattern: &str| -> Option<String> {
        let (table, _) = pattern.split_once("/index/")?;
        (table.split(':').nth(2) == Some("dynamodb")).then(|| table.to_owned())
    };
    let mut of_table: BTreeMap<String, usize> = BTreeMap::new();
    for table in patterns.keys().filter_map(|pattern| table(pattern)) {
        *of_table.entry(table).or_default() += 1;
    }
    regroup(patterns, |pattern| match table(pattern) {
        Some(table) if of_table.get(&table).is_some_and(|count| *count > 1) => {
            format!("{table}/index/*")
        }
        _ => pattern.to_owned(),
    })
}

type Patterns<'r> = BTreeMap<String, Vec<&'r ResourceRef>>;

/// All patterns of one container.
fn generalize<'r>(
    container: &str,
    patterns: Patterns<'r>,
    times: &BTreeMap<String, Seen>,
) -> Patterns<'r> {
    let base = container.strip_suffix('*').unwrap_or(container);
    let inner: BTreeMap<Vec<&str>, Seen> = times
        .iter()
        .filter_map(|(pattern, seen)| {
            Some((pattern.strip_prefix(base)?.split('/').collect(), *seen))
        })
        .collect();
    let fewer = collapse(&inner);
    let mut out = regroup(patterns, |pattern| {
        let Some(path) = pattern.strip_prefix(base) else {
            return pattern.to_owned();
        };
        let segments: Vec<&str> = path.split('/').collect();
        let to = fewer
            .get(&segments)
            .cloned()
            .unwrap_or_else(|| path.to_owned());
        format!("{base}{to}")
    });
    for rung in [Rung::Prefix, Rung::Container] {
        if out.len() > LISTED {
            out = regroup(out, |pattern| {
                climb(ResourceRef::Pattern(pattern.to_owned()), rung).pattern()
            });
        }
    }
    out
}

fn regroup<'r>(patterns: Patterns<'r>, to: impl Fn(&str) -> String) -> Patterns<'r> {
    let mut out = Patterns::new();
    for (pattern, resources) in patterns {
        out.entry(to(&pattern)).or_default().extend(resources);
    }
    out
}

/// For each path, the path with segments of many values as `*`, neighbouring stars as one.
fn collapse<'p>(paths: &BTreeMap<Vec<&'p str>, Seen>) -> BTreeMap<Vec<&'p str>, String> {
    let mut window = Seen::default();
    paths.values().for_each(|seen| window.join(*seen));
    let mut current: BTreeMap<Vec<&str>, Vec<String>> = paths
        .keys()
        .map(|path| (path.clone(), path.iter().map(|s| (*s).to_owned()).collect()))
        .collect();
    let depth = paths.keys().map(Vec::len).max().unwrap_or_default();
    for level in 0..depth {
        // Siblings are the values of one segment below the same, already collapsed, parent and on the
        // same depth: a file is no sibling of a folder.
        let mut siblings: BTreeMap<(Vec<String>, bool), BTreeMap<String, Seen>> = BTreeMap::new();
        for (path, segments) in current.iter().filter(|(_, path)| path.len() > level) {
            let last = segments.len() == level + 1;
            siblings
                .entry((segments[..level].to_vec(), last))
                .or_default()
                .entry(segments[level].clone())
                .or_default()
                .join(paths[path]);
        }
        for path in current.values_mut().filter(|path| path.len() > level) {
            let last = path.len() == level + 1;
            let Some(values) = siblings.get(&(path[..level].to_vec(), last)) else {
                continue;
            };
            let top_folder = level == 0 && !last;
            if grows(values, window, top_folder) {
                let open = common(&values.keys());
                // At the top of a container `*` is all of it: that takes more than a few names.
                if level > 0 || open != "*" || values.len() > LISTED {
                    path[level] = open;
                }
            }
        }
    }
    current
        .into_iter()
        .map(|(path, segments)| (path, join(&segments)))
        .collect()
}

/// Whether a set of names will hold another one tomorrow. `window` is the time in which the container
/// was used. Of the folders at the top of a container a few are never taken for a growing set: `*` in
/// their place is the whole container.
fn grows(values: &BTreeMap<String, Seen>, window: Seen, top_folder: bool) -> bool {
    let many = values.len() > FANOUT;
    let (Some(start), Some(end)) = (window.first, window.last) else {
        return many;
    };
    if values.len() < 2 || end - start < DAY {
        return many;
    }
    let late = |seen: &Seen| {
        seen.first
            .is_none_or(|first| (first - start) * 4 > end - start)
    };
    let returns = |seen: &Seen| {
        let days = seen.first.zip(seen.last).map(|(first, last)| last - first);
        days.is_some_and(|days| days >= DAY)
    };
    if many {
        let fixed =
            values.len() <= LISTED && values.values().all(|seen| returns(seen) && !late(seen));
        return !fixed;
    }
    let partition = values.keys().all(|value| value.contains('='));
    (!top_folder || partition) && values.values().any(late)
}

/// `*` between what all values begin and end with, cut back to whole words.
fn common<'v>(values: &(impl Iterator<Item = &'v String> + Clone)) -> String {
    let mut all = values.clone();
    let first = all.next().map(String::as_str).unwrap_or_default();
    let (mut prefix, mut suffix) = (first, first);
    for value in all {
        let same = prefix
            .char_indices()
            .zip(value.chars())
            .take_while(|((_, a), b)| a == b)
            .map(|((at, a), _)| at + a.len_utf8())
            .last();
        prefix = &prefix[..same.unwrap_or_default()];
        let same = suffix
            .char_indices()
            .rev()
            .zip(value.chars().rev())
            .take_while(|((_, a), b)| a == b)
            .map(|((at, _), _)| at)
            .last();
        suffix = &suffix[same.unwrap_or(suffix.len())..];
    }
    let word = |c: char| !c.is_alphanumeric();
    // `page1`, `page2`: the letters before numbers are a word too.
    let numbered = prefix.ends_with(|c: char| c.is_alphabetic())
        && values.clone().all(|value| {
            value[prefix.len()..].starts_with(|c: char| c.is_ascii_digit() || c == '*')
        });
    let prefix = if numbered {
        prefix
    } else {
        prefix.rfind(word).map_or("", |at| {
            &prefix[..at + prefix[at..].chars().next().map_or(0, char::len_utf8)]
        })
    };
    let suffix = suffix.find(word).map_or("", |at| &suffix[at..]);
    let prefix = prefix.split('*').next().unwrap_or_default();
    let suffix = suffix.rsplit('*').next().unwrap_or_default();
    format!("{prefix}*{suffix}")
}

fn join(segments: &[String]) -> String {
    let mut out: Vec<&str> = Vec::new();
    for segment in segments {
        if segment == "*" && out.last().is_some_and(|last| *last == "*") {
            continue;
        }
        out.push(segment);
    }
    out.join("/")
}

#[cfg(test)]
mod tests;
