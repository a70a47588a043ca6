//! Which resources a call touched, for one action: the event's own list, then the curated table, then
//! the templates made from the API models, then the type with `*`, then `*`.

use super::arns::{self, Part};
use super::resource::ResourceRef;
use super::tables::{self, ArnRow, Instead};
use super::templates::{self, by_likeness, by_template};
use super::values::{self, Value};
use super::{Call, Certainty, params};
use crate::catalog::{ActionFacts, Catalog, ResourceUse};

/// One resource of an action, with a certainty of its own where it is not the action's.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Found {
    pub(super) resource: ResourceRef,
    pub(super) certainty: Option<Certainty>,
}

impl From<ResourceRef> for Found {
    fn from(resource: ResourceRef) -> Self {
        Self {
            resource,
            certainty: None,
        }
    }
}

/// More resources than this in one call become one pattern per type.
pub(super) const MANY: usize = 256;

/// The resources that an action of a call was checked against. Never empty.
pub(super) fn resources(call: &Call<'_>, facts: &ActionFacts) -> Vec<Found> {
    if facts.resource_types.is_empty() {
        return vec![ResourceRef::Any.into()];
    }
    super::special(call, facts).unwrap_or_else(|| general(call, facts))
}

/// The way of all services without a rule of their own.
pub(super) fn general(call: &Call<'_>, facts: &ActionFacts) -> Vec<Found> {
    let reported = reported(call, facts.action.service());
    let mut found = Vec::new();
    let mut open = Vec::new();
    for kind in &facts.resource_types {
        match of_type(call, facts, *kind, &reported) {
            Outcome::Resources(resources) => found.extend(resources),
            Outcome::Any => return vec![ResourceRef::Any.into()],
            Outcome::Never => {}
            Outcome::Perhaps => open.push((*kind, true)),
            Outcome::Unknown if kind.required => open.push((*kind, false)),
            Outcome::Unknown => {}
        }
    }
    if found.is_empty() {
        return containers(call, facts);
    }
    // A thing that the call makes has no name yet. IAM may have asked for the other required types too.
    for (kind, perhaps) in open {
        let sure = !perhaps && makes(call, kind.name);
        let certainty = (!sure).then_some(Certainty::Possible);
        let resources = container(call, facts.action.service(), kind.name).into_iter();
        found.extend(resources.map(|resource| Found {
            resource,
            certainty,
        }));
    }
    found
}

/// The resources of one type that an action takes.
pub(super) fn of_kind(call: &Call<'_>, facts: &ActionFacts, kind: &str) -> Vec<Found> {
    let mut kinds = facts.resource_types.iter();
    let known = kinds.find(|known| known.name == kind);
    match known.map(|kind| of_type(call, facts, *kind, &Vec::new())) {
        Some(Outcome::Resources(found)) => found,
        _ => {
            let resources = container(call, facts.action.service(), kind).into_iter();
            resources.map(Found::from).collect()
        }
    }
}

/// Nothing is known but the types: each required one with `*`; `*` where none is required or they are
/// many.
pub(super) fn containers(call: &Call<'_>, facts: &ActionFacts) -> Vec<Found> {
    let service = facts.action.service();
    let required = facts.resource_types.iter().filter(|kind| kind.required);
    let required = required.filter(|kind| !matches!(row(call, facts, kind.name), Row::Never));
    let kinds: Vec<&ResourceUse> = required.collect();
    let mut found: Vec<Found> = Vec::new();
    if kinds.len() <= 6 {
        let resources = kinds
            .iter()
            .flat_map(|kind| container(call, service, kind.name));
        found.extend(resources.map(Found::from));
    }
    if found.is_empty() {
        found.push(ResourceRef::Any.into());
    }
    found
}

/// Every ARN of a type in the account and region of the call.
pub(super) fn container(call: &Call<'_>, service: &str, kind: &str) -> Vec<ResourceRef> {
    let formats = call.catalog.arn_formats(service, kind).iter();
    formats
        .map(|format| arns::fill(format, &call.scope, |_| Part::Unknown))
        .collect()
}

/// Whether the call creates a thing of that type.
pub(super) fn makes(call: &Call<'_>, kind: &str) -> bool {
    const VERBS: [&str; 10] = [
        "create", "register", "import", "start", "run", "copy", "restore", "request", "submit",
        "allocate",
    ];
    let kind: String = kind.chars().filter(char::is_ascii_alphanumeric).collect();
    VERBS.iter().any(|verb| call.key.starts_with(verb))
        && call.key.contains(&kind.to_ascii_lowercase())
}

enum Outcome {
    Resources(Vec<Found>),
    Any,
    Never,
    Perhaps,
    Unknown,
}

/// An ARN of the event's list with the types it may be of.
type Reported<'a> = Vec<(ResourceRef, Vec<&'a str>)>;

fn of_type(
    call: &Call<'_>,
    facts: &ActionFacts,
    kind: ResourceUse,
    reported: &Reported<'_>,
) -> Outcome {
    let service = facts.action.service();
    let row = match row(call, facts, kind.name) {
        Row::None => None,
        Row::Bind(row) => Some(row),
        Row::Any => return Outcome::Any,
        Row::Never => return Outcome::Never,
        Row::Perhaps => return Outcome::Perhaps,
    };
    let from_row = |row: Option<&ArnRow>| row.and_then(|row| bind(call, service, kind.name, row));
    if row.is_some_and(|row| row.first)
        && let Some(resources) = from_row(row)
    {
        return Outcome::Resources(resources);
    }
    let listed: Vec<Found> = reported
        .iter()
        .filter(|(_, kinds)| {
            kinds
                .iter()
                .any(|name| name.eq_ignore_ascii_case(kind.name))
        })
        .map(|(resource, _)| resource.clone().into())
        .collect();
    if !listed.is_empty() {
        return Outcome::Resources(listed);
    }
    let found = match row {
        Some(_) => from_row(row),
        None => by_template(call, facts, kind)
            .or_else(|| by_likeness(call, service, kind.name))
            .map(|resources| resources.into_iter().map(Found::from).collect()),
    };
    let elsewhere = || match row {
        Some(row) => names_other(call, row),
        None => templates::name_other(call, facts, kind),
    };
    match found {
        Some(resources) => Outcome::Resources(resources),
        None if !makes(call, kind.name) && elsewhere() => Outcome::Never,
        None => Outcome::Unknown,
    }
}

/// Whether a parameter that could have named a thing of the type holds the ARN of something else.
fn names_other(call: &Call<'_>, row: &ArnRow) -> bool {
    let mut alternatives = row.bindings.iter().flat_map(|(_, paths)| paths);
    alternatives.any(|alternative| {
        let mut paths = alternative.split('+');
        paths.any(|path| {
            let path = path.split(':').next().unwrap_or(path);
            let texts = call.texts(path);
            texts.iter().any(|text| text.starts_with("arn:"))
        })
    })
}

/// What the curated table says of a type in a call.
enum Row {
    /// Nothing.
    None,
    Bind(&'static ArnRow),
    Any,
    Never,
    Perhaps,
}

fn row(call: &Call<'_>, facts: &ActionFacts, kind: &str) -> Row {
    let rows = rows(facts.action.service(), kind).iter();
    let mut rows = rows
        .filter(|row| covers(row.action, facts.action.name()))
        .peekable();
    if rows.peek().is_none() {
        return Row::None;
    }
    let row = rows.find(|row| super::condition::holds(call, row.condition));
    match row.map(|row| (row, row.instead)) {
        None | Some((_, Instead::Never)) => Row::Never,
        Some((_, Instead::Any)) => Row::Any,
        Some((_, Instead::Perhaps)) => Row::Perhaps,
        Some((_, Instead::Named)) => Row::None,
        Some((row, Instead::Bind)) => Row::Bind(row),
    }
}

/// Whether the identifier in the ARNs of a type is the name that its users gave.
pub(super) fn names_itself(service: &str, kind: &str) -> bool {
    let mut rows = rows(service, kind).iter();
    rows.any(|row| row.instead == Instead::Named)
}

fn rows(service: &str, kind: &str) -> &'static [ArnRow] {
    let types = tables::tables().arns.get(service);
    let rows = types.and_then(|types| {
        let exact = types.get(kind);
        exact.or_else(|| types.get(&kind.to_ascii_lowercase()))
    });
    rows.map_or(&[], Vec::as_slice)
}

/// Whether a table's action cell is for an action: `*`, `Put*`, or the name itself.
fn covers(cell: &str, name: &str) -> bool {
    match cell.strip_suffix('*') {
        Some(start) => name.starts_with(start),
        None => cell.eq_ignore_ascii_case(name),
    }
}

/// The ARNs of `resources[]`, with the types of the service that each fits best.
pub(super) fn reported<'a>(call: &Call<'a>, service: &str) -> Reported<'a> {
    let entries = call.record.resources.iter();
    entries
        .filter_map(|entry| entry.arn.as_deref())
        .filter(|arn| params::usable(arn))
        .map(|arn| {
            (
                ResourceRef::Literal(arn.to_owned()),
                kinds(call.catalog, service, arn),
            )
        })
        .collect()
}

/// The resource types of a service that an ARN fits best, in lower case. Several where formats are alike
/// (`function:${FunctionName}:${Alias}` and `…:${Version}`).
pub(super) fn kinds<'a>(catalog: &'a Catalog, service: &str, arn: &str) -> Vec<&'a str> {
    let Some(service) = catalog.service(service) else {
        return Vec::new();
    };
    let mut best = 0;
    let mut kinds = Vec::new();
    for (name, formats) in service.types() {
        let Some(fit) = formats
            .iter()
            .filter_map(|format| arns::fit(format, arn))
            .max()
        else {
            continue;
        };
        if fit > best {
            kinds.clear();
        }
        if fit >= best {
            best = fit;
            kinds.push(name.as_str());
        }
    }
    kinds
}

/// Fills the ARN of a type by a row of the curated table. A list may hold ARNs and names side by side.
fn bind(call: &Call<'_>, service: &str, kind: &str, row: &ArnRow) -> Option<Vec<Found>> {
    let mut parts: Vec<(&str, Vec<Part>)> = Vec::new();
    let mut whole: Vec<Found> = Vec::new();
    for (variable, alternatives) in &row.bindings {
        let mut own = Vec::new();
        for alternative in alternatives {
            let (mut arns, mut names) = (false, false);
            for value in values::values(call, alternative) {
                let (resource, certainty) = match value {
                    Value::Arn(arn) if is_kind(call.catalog, service, kind, &arn) => {
                        (ResourceRef::Literal(arn), None)
                    }
                    Value::Arn(_) => continue,
                    Value::Pattern(pattern, certainty) => {
                        (ResourceRef::Pattern(pattern), certainty)
                    }
                    Value::Part(part) => {
                        names = true;
                        if *variable != "arn" {
                            own.push(part);
                        }
                        continue;
                    }
                };
                arns = true;
                let found = Found {
                    resource,
                    certainty,
                };
                if !whole.contains(&found) {
                    whole.push(found);
                }
            }
            if arns && !names {
                return Some(whole);
            }
            if arns || !own.is_empty() {
                break;
            }
        }
        if *variable != "arn" {
            parts.push((variable, own));
        }
    }
    let filled = fill_all(call, service, kind, None, &parts);
    let certainty = row.perhaps.then_some(Certainty::Possible);
    whole.extend(filled.into_iter().flatten().map(|resource| Found {
        resource,
        certainty,
    }));
    (!whole.is_empty()).then_some(whole)
}

pub(super) fn is_kind(catalog: &Catalog, service: &str, kind: &str, arn: &str) -> bool {
    let kinds = kinds(catalog, service, arn);
    kinds.iter().any(|name| name.eq_ignore_ascii_case(kind))
}

/// Every combination of the values, in the formats of the type. `None` where no variable has a value,
/// except for a format without variables.
pub(super) fn fill_all(
    call: &Call<'_>,
    service: &str,
    kind: &str,
    only: Option<usize>,
    parts: &[(&str, Vec<Part>)],
) -> Option<Vec<ResourceRef>> {
    let formats = call.catalog.arn_formats(service, kind);
    let known = |name: &str| {
        parts
            .iter()
            .find(|(variable, values)| variable.eq_ignore_ascii_case(name) && !values.is_empty())
            .map(|(_, values)| values.as_slice())
    };
    // The format with the most values wins; formats with none are out.
    let format = formats
        .iter()
        .enumerate()
        .filter(|(at, _)| only.is_none_or(|only| only == *at))
        .map(|(_, format)| {
            let (mut have, mut lack) = (0usize, 0usize);
            for name in arns::variables(format) {
                match known(name) {
                    Some(values) if values.iter().any(|part| !is_star(part)) => have += 1,
                    _ => lack += 1,
                }
            }
            (format, have, lack)
        })
        .filter(|(_, have, lack)| {
            *have > 0 || *lack == 0 || parts.iter().any(|(_, own)| own.iter().any(is_star))
        })
        .min_by_key(|(_, have, lack)| (*lack, usize::MAX - *have))
        .map(|(format, _, _)| *format)?;
    // The table may name the owner: a value, or none at all where any owner will do.
    let mut scope = call.scope.clone();
    match known("Account").and_then(|owners| owners.first()) {
        Some(Part::Text(owner)) => scope.account.clone_from(owner),
        Some(Part::Glob(_)) => scope.account.clear(),
        Some(Part::Unknown) | None => {}
    }
    let names: Vec<&str> = arns::variables(format).collect();
    let lists: Vec<&[Part]> = names
        .iter()
        .map(|name| known(name).unwrap_or(&[Part::Unknown]))
        .collect();
    // SageMaker writes names in lower case into its ARNs.
    let lower: Vec<Vec<Part>> = if service == "sagemaker" {
        lists.iter().map(|list| with_lower_case(list)).collect()
    } else {
        Vec::new()
    };
    let lists = if lower.is_empty() {
        lists
    } else {
        lower.iter().map(Vec::as_slice).collect()
    };
    let total = lists.iter().map(|list| list.len()).product::<usize>();
    if total > MANY {
        return Some(vec![arns::fill(format, &scope, |_| Part::Unknown)]);
    }
    let resources = (0..total).map(|mut at| {
        let chosen: Vec<&Part> = lists
            .iter()
            .map(|list| {
                let part = &list[at % list.len()];
                at /= list.len();
                part
            })
            .collect();
        arns::fill(format, &scope, |variable| {
            let at = names.iter().position(|name| *name == variable);
            at.map_or(Part::Unknown, |at| chosen[at].clone())
        })
    });
    Some(resources.collect())
}

/// The values, and those with capitals in lower case too.
fn with_lower_case(parts: &[Part]) -> Vec<Part> {
    let lower = parts.iter().filter_map(|part| match part {
        Part::Text(text) if text.bytes().any(|byte| byte.is_ascii_uppercase()) => {
            Some(Part::Text(text.to_ascii_lowercase()))
        }
        _ => None,
    });
    parts.iter().cloned().chain(lower).collect()
}

fn is_star(part: &Part) -> bool {
    matches!(part, Part::Glob(glob) if glob == "*")
}
