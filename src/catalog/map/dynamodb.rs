//! DynamoDB: tables, indexes, streams, transactions and PartiQL.

use serde_json::Value;

use super::arns::{self, Part};
use super::resolve::{self, Found};
use super::resource::ResourceRef;
use super::{Call, Certainty, params};
use crate::catalog::ActionFacts;

const TABLE: &str = "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}";
const INDEX: &str =
    "arn:${Partition}:dynamodb:${Region}:${Account}:table/${TableName}/index/${IndexName}";

/// Tables, and the index instead of the table where the call reads one. `None` for other types.
pub(super) fn resources(call: &Call<'_>, facts: &ActionFacts) -> Option<Vec<Found>> {
    let takes = |name: &str| facts.resource_types.iter().any(|kind| kind.name == name);
    if takes("stream") && !takes("table") {
        return Some(streams(call));
    }
    if !takes("table") {
        return None;
    }
    if let Some(arn) = call.text("resourceArn") {
        return Some(vec![ResourceRef::Literal(arn).into()]);
    }
    // The event lists the table where an index is read: the parameter knows better.
    let index = call.text("indexName").filter(|_| takes("index"));
    let mut names = call.texts("tableName");
    if !call
        .params()
        .get("requestItems")
        .is_some_and(Value::is_array)
    {
        names.extend(call.texts("requestItems{}"));
    }
    names.extend(call.texts("requestItems[].tableName"));
    for path in [
        "tableCreationParameters.tableName",
        "targetTableName",
        "sourceTableName",
        "tableArn",
        "sourceTableArn",
    ] {
        names.extend(call.texts(path));
    }
    let listed = listed(call);
    let tables = if index.is_some() || listed.is_empty() {
        let mut tables: Vec<ResourceRef> = names
            .iter()
            .map(|name| table(call, name, index.as_deref()))
            .collect();
        if tables.is_empty() {
            tables = listed;
        }
        tables
    } else {
        // A batch may list fewer tables than it names.
        let mut tables = listed;
        for table in names.iter().map(|name| table(call, name, None)) {
            if !tables.contains(&table) && facts.action.name().starts_with("Batch") {
                tables.push(table);
            }
        }
        tables
    };
    if tables.is_empty() {
        // Other members may still name it (`backupArn`, `exportArn`).
        return (facts.resource_types.len() == 1)
            .then(|| vec![arns::fill(TABLE, &call.scope, |_| Part::Unknown).into()]);
    }
    let backup = call.text("backupArn").filter(|_| takes("backup"));
    let tables = tables.into_iter().chain(backup.map(ResourceRef::Literal));
    Some(tables.map(Found::from).collect())
}

/// The tables in the event's own list.
fn listed(call: &Call<'_>) -> Vec<ResourceRef> {
    resolve::reported(call, "dynamodb")
        .into_iter()
        .filter(|(_, kinds)| kinds.contains(&"table"))
        .map(|(resource, _)| resource)
        .collect()
}

/// The ARN of a table or index, from a name or an ARN.
fn table(call: &Call<'_>, name: &str, index: Option<&str>) -> ResourceRef {
    if name.starts_with("arn:") {
        // A table named by an index or stream ARN is the part before.
        let end = name
            .match_indices('/')
            .nth(1)
            .map_or(name.len(), |(at, _)| at);
        let table = &name[..end];
        return ResourceRef::Literal(match index {
            Some(index) => format!("{table}/index/{index}"),
            None => table.to_owned(),
        });
    }
    let format = if index.is_some() { INDEX } else { TABLE };
    arns::fill(format, &call.scope, |variable| match variable {
        "TableName" => Part::Text(name.to_owned()),
        "IndexName" => index.map_or(Part::Unknown, |index| Part::Text(index.to_owned())),
        _ => Part::Unknown,
    })
}

/// A stream: its ARN, else the one inside a shard iterator (`arn…/stream/label|1|…`), else all streams of
/// the table.
fn streams(call: &Call<'_>) -> Vec<Found> {
    let named = call.text("streamArn").or_else(|| {
        let iterator = raw_text(call.params(), "shardIterator")?;
        let arn = iterator.split('|').next()?;
        (arn.starts_with("arn:") && arn.contains("/stream/") && params::usable(arn))
            .then(|| arn.to_owned())
    });
    if let Some(arn) = named {
        return vec![ResourceRef::Literal(arn).into()];
    }
    let reported = resolve::reported(call, "dynamodb");
    let streams: Vec<Found> = reported
        .iter()
        .filter(|(_, kinds)| kinds.contains(&"stream"))
        .map(|(resource, _)| resource.clone().into())
        .collect();
    if !streams.is_empty() {
        return streams;
    }
    let tables = listed(call);
    if tables.is_empty() {
        return resolve::container(call, "dynamodb", "stream")
            .into_iter()
            .map(Found::from)
            .collect();
    }
    tables
        .iter()
        .map(|table| ResourceRef::Pattern(format!("{}/stream/*", table.pattern())).into())
        .collect()
}

/// A text of any length: iterators are longer than names.
fn raw_text<'a>(root: &'a Value, name: &str) -> Option<&'a str> {
    params::member(root, name)?.as_str()
}

/// The tables on which a transaction did what the action is named after: `{"put":{"tableName":…}}` in
/// the API's words, `{"operation":"Put","tableName":…}` in CloudTrail's.
pub(super) fn transaction(call: &Call<'_>, facts: &ActionFacts) -> Vec<Found> {
    let verb = match facts.action.name() {
        "GetItem" => "get",
        "PutItem" => "put",
        "UpdateItem" => "update",
        "DeleteItem" => "delete",
        _ => "conditioncheck",
    };
    let mut items = Vec::new();
    for path in ["transactItems", "requestItems"] {
        params::collect(call.params(), path, &mut items);
    }
    let mut readable = false;
    let mut found = Vec::new();
    for item in items {
        let spoken = params::text(item, "operation").map(|operation| squash(&operation));
        let names = match &spoken {
            Some(operation) => {
                readable = true;
                if operation == verb {
                    params::texts(item, "tableName")
                } else {
                    Vec::new()
                }
            }
            None => {
                let members = item.as_object().into_iter().flatten();
                let mut names = Vec::new();
                for (key, inner) in members {
                    readable |= params::member(inner, "tableName").is_some();
                    if squash(key) == verb {
                        names.extend(params::texts(inner, "tableName"));
                    }
                }
                names
            }
        };
        found.extend(
            names
                .iter()
                .map(|name| Found::from(table(call, name, None))),
        );
    }
    if readable {
        return found;
    }
    // Which of the verbs it was is hidden.
    let certainty = (verb != "get").then_some(Certainty::Possible);
    unknown(call, certainty)
}

fn squash(text: &str) -> String {
    let letters = text.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}

/// The tables of the event's list, else any table.
fn unknown(call: &Call<'_>, certainty: Option<Certainty>) -> Vec<Found> {
    let mut tables = listed(call);
    if tables.is_empty() {
        tables.push(arns::fill(TABLE, &call.scope, |_| Part::Unknown));
    }
    let found = tables.into_iter();
    found
        .map(|resource| Found {
            resource,
            certainty,
        })
        .collect()
}

/// The tables that statements with the action's verb name.
pub(super) fn partiql(call: &Call<'_>, facts: &ActionFacts) -> Vec<Found> {
    let mut statements = Vec::new();
    for path in [
        "statement",
        "statements",
        "requestItems",
        "transactStatements",
    ] {
        params::collect(call.params(), path, &mut statements);
    }
    let (mut read, mut hidden) = (false, false);
    let mut found = Vec::new();
    for statement in statements {
        let text = statement
            .as_str()
            .or_else(|| params::member(statement, "statement").and_then(Value::as_str));
        let Some((action, table_name, index)) = text.and_then(parse) else {
            hidden = true;
            continue;
        };
        read = true;
        if action == facts.action.name() {
            let index = index.filter(|_| action == "PartiQLSelect");
            found.push(Found::from(table(call, &table_name, index.as_deref())));
        }
    }
    if hidden || !read {
        found.extend(unknown(call, Some(Certainty::Possible)));
    }
    found
}

/// The action, table and index of one statement; `None` where its text is hidden or no PartiQL.
fn parse(statement: &str) -> Option<(&'static str, String, Option<String>)> {
    let mut words = statement.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let verb = word(&mut words)?.to_ascii_uppercase();
    let (action, before) = match verb.as_str() {
        "SELECT" | "EXISTS" => ("PartiQLSelect", Some("FROM")),
        "DELETE" => ("PartiQLDelete", Some("FROM")),
        "INSERT" => ("PartiQLInsert", Some("INTO")),
        "UPDATE" => ("PartiQLUpdate", None),
        _ => return None,
    };
    if let Some(before) = before {
        while !word(&mut words)?.eq_ignore_ascii_case(before) {}
    }
    let (table, rest) = name(words)?;
    let index = rest
        .strip_prefix('.')
        .and_then(name)
        .map(|(index, _)| index);
    params::usable(&table).then_some((action, table, index))
}

/// The next word; quoted text counts as one.
fn word<'a>(rest: &mut &'a str) -> Option<&'a str> {
    let text = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '(');
    let first = text.chars().next()?;
    let end = if matches!(first, '\'' | '"') {
        text[1..].find(first).map_or(text.len(), |at| at + 2)
    } else {
        text.find(|c: char| c.is_whitespace() || matches!(c, '(' | '\'' | '"' | '*'))
            .unwrap_or(text.len())
            .max(1)
    };
    let end = (end..=text.len())
        .find(|at| text.is_char_boundary(*at))
        .unwrap_or(text.len());
    let (word, after) = text.split_at(end);
    *rest = after;
    Some(word)
}

/// A table or index name, quoted or bare, and what follows it.
fn name(text: &str) -> Option<(String, &str)> {
    let text = text.trim_start();
    if let Some(quoted) = text.strip_prefix('"') {
        let (name, rest) = quoted.split_once('"')?;
        return (!name.is_empty()).then(|| (name.to_owned(), rest));
    }
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '_' | '-')))
        .unwrap_or(text.len());
    let (name, rest) = text.split_at(end);
    (!name.is_empty()).then(|| (name.to_owned(), rest))
}
