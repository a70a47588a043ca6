//! From the resources that were used to the patterns that will hold tomorrow.
//!
//! Piece by piece the ladder of [`crate::usage::ladder`] decides what is volatile; here the set as a
//! whole does: a path segment that takes many values under one parent becomes `*`.

use std::collections::{BTreeMap, BTreeSet};

use crate::catalog::ResourceRef;
use crate::usage::ladder::{Rung, climb};

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

/// Values of one path segment that are still taken for a fixed set of names.
const FANOUT: usize = 3;
/// Patterns of one container that a statement still lists.
const LISTED: usize = 8;

/// The patterns for a set of resources, each with the resources it stands for.
pub(super) fn patterns<'r>(
    resources: impl IntoIterator<Item = &'r ResourceRef>,
    granularity: Granularity,
) -> BTreeMap<String, Vec<&'r ResourceRef>> {
    let mut out: BTreeMap<String, Vec<&ResourceRef>> = BTreeMap::new();
    let mut containers: BTreeMap<String, BTreeMap<String, Vec<&ResourceRef>>> = BTreeMap::new();
    for resource in resources {
        let rung = match granularity {
            Granularity::Exact => Rung::Exact,
            Granularity::Prefix => Rung::Volatile,
            Granularity::Container => Rung::Container,
        };
        let pattern = climb(resource.clone(), rung).pattern();
        let container = climb(resource.clone(), Rung::Container).pattern();
        if granularity == Granularity::Prefix && container != pattern {
            containers
                .entry(container)
                .or_default()
                .entry(pattern)
                .or_default()
                .push(resource);
        } else {
            out.entry(pattern).or_default().push(resource);
        }
    }
    for (container, patterns) in containers {
        for (pattern, resources) in generalize(&container, patterns) {
            out.entry(pattern).or_default().extend(resources);
        }
    }
    out
}

type Patterns<'r> = BTreeMap<String, Vec<&'r ResourceRef>>;

/// All patterns of one container.
fn generalize<'r>(container: &str, patterns: Patterns<'r>) -> Patterns<'r> {
    let base = container.strip_suffix('*').unwrap_or(container);
    let keys: Vec<String> = patterns.keys().cloned().collect();
    let inner: BTreeSet<Vec<&str>> = keys
        .iter()
        .filter_map(|p| p.strip_prefix(base))
        .map(|p| p.split('/').collect())
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
fn collapse<'p>(paths: &BTreeSet<Vec<&'p str>>) -> BTreeMap<Vec<&'p str>, String> {
    let mut current: BTreeMap<Vec<&str>, Vec<String>> = paths
        .iter()
        .map(|path| (path.clone(), path.iter().map(|s| (*s).to_owned()).collect()))
        .collect();
    let depth = paths.iter().map(Vec::len).max().unwrap_or_default();
    for level in 0..depth {
        // Siblings are the values of one segment below the same, already collapsed, parent and on the
        // same depth: a file is no sibling of a folder.
        let mut siblings: BTreeMap<(Vec<String>, bool), BTreeSet<String>> = BTreeMap::new();
        for path in current.values().filter(|path| path.len() > level) {
            let last = path.len() == level + 1;
            siblings
                .entry((path[..level].to_vec(), last))
                .or_default()
                .insert(path[level].clone());
        }
        for path in current.values_mut().filter(|path| path.len() > level) {
            let last = path.len() == level + 1;
            let Some(values) = siblings.get(&(path[..level].to_vec(), last)) else {
                continue;
            };
            if values.len() > FANOUT {
                path[level] = common(values);
            }
        }
    }
    current
        .into_iter()
        .map(|(path, segments)| (path, join(&segments)))
        .collect()
}

/// `*` between what all values begin and end with, cut back to whole words.
fn common(values: &BTreeSet<String>) -> String {
    let mut values = values.iter();
    let first = values.next().map(String::as_str).unwrap_or_default();
    let (mut prefix, mut suffix) = (first, first);
    for value in values {
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
    let prefix = prefix.rfind(word).map_or("", |at| {
        &prefix[..at + prefix[at..].chars().next().map_or(0, char::len_utf8)]
    });
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
mod tests {
    use super::*;

    fn of(keys: &[&str], granularity: Granularity) -> Vec<String> {
        let resources: Vec<ResourceRef> = keys
            .iter()
            .map(|key| ResourceRef::Literal(format!("arn:aws:s3:::b/{key}")))
            .collect();
        let out = patterns(&resources, granularity);
        assert_eq!(
            out.values().map(Vec::len).sum::<usize>(),
            keys.len(),
            "no resource is lost"
        );
        out.into_keys()
            .map(|p| p.replace("arn:aws:s3:::b/", ""))
            .collect()
    }

    #[test]
    fn yesterdays_keys_make_tomorrows_pattern() {
        assert_eq!(
            of(
                &[
                    "receipts/2026/11/14/order-1.json",
                    "receipts/2026/11/15/order-77.json"
                ],
                Granularity::Prefix
            ),
            ["receipts/*/order-*.json"]
        );
        assert_eq!(
            of(
                &[
                    "users/ann/a.png",
                    "users/bob/a.png",
                    "users/cid/a.png",
                    "users/dee/a.png"
                ],
                Granularity::Prefix
            ),
            ["users/*/a.png"]
        );
        assert_eq!(
            of(&["in/a.csv", "in/b.csv", "out/x.csv"], Granularity::Prefix),
            ["in/a.csv", "in/b.csv", "out/x.csv"]
        );
        assert_eq!(
            of(
                &[
                    "in/one.csv",
                    "in/two.csv",
                    "in/six.csv",
                    "in/ten.csv",
                    "in/old.csv"
                ],
                Granularity::Prefix
            ),
            ["in/*.csv"]
        );
        assert_eq!(of(&["in/one.csv", "out/1"], Granularity::Container), ["*"]);
        assert_eq!(
            of(&["in/1.csv", "in/2.csv"], Granularity::Exact),
            ["in/1.csv", "in/2.csv"]
        );
    }
}
