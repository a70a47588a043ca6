//! Looking into `requestParameters`: names without regard to case, lists in every spelling, values that
//! CloudTrail hid left out.

use serde_json::Value;

/// Longer values are not names of resources: an ARN has at most 2,048 characters.
const LONGEST: usize = 2048;

/// Members of an object that is searched from front to back.
const SMALL: usize = 16;

/// A member of an object, its name in any case.
pub(super) fn member<'a>(value: &'a Value, name: &str) -> Option<&'a Value> {
    let object = value.as_object()?;
    // In an object of usual size looking at each key is cheaper than hashing the name.
    let exact = if object.len() > SMALL {
        object.get(name)
    } else {
        let mut members = object.iter();
        members.find_map(|(key, value)| (key == name).then_some(value))
    };
    exact.or_else(|| {
        object
            .iter()
            .find_map(|(key, value)| key.eq_ignore_ascii_case(name).then_some(value))
    })
}

/// Whether a name (with `*` at its end: any name that begins so) has a value that says something.
pub(super) fn present(value: &Value, name: &str) -> bool {
    match name.strip_suffix('*') {
        Some(start) => value.as_object().is_some_and(|object| {
            object.iter().any(|(key, value)| {
                key.get(..start.len())
                    .is_some_and(|head| head.eq_ignore_ascii_case(start))
                    && says_something(value)
            })
        }),
        None if name.contains(['.', '[', '{']) => {
            let mut found = Vec::new();
            collect(value, name, &mut found);
            found.into_iter().any(says_something)
        }
        None => member(value, name).is_some_and(says_something),
    }
}

fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(list) => list.iter().any(says_something),
        Value::Object(object) => object.values().any(says_something),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

/// The text at a path: `a.b`, `list[].name`, `map{}` (the keys of an object). Lists are followed with or
/// without the mark, in the forms `[…]`, `{"items":[…]}` and `{"member":[…]}`; EC2's
/// `{"content":"…","tag":1}` counts as its content. Hidden, empty and oversized values are left out.
pub(super) fn texts(root: &Value, path: &str) -> Vec<String> {
    let mut found = Vec::new();
    collect(root, path, &mut found);
    let mut texts = Vec::new();
    for value in found {
        leaves(value, &mut texts);
    }
    if let Some(parent) = path.strip_suffix("{}") {
        texts.clear();
        let mut maps = Vec::new();
        collect(root, parent, &mut maps);
        for map in maps {
            texts.extend(
                map.as_object()
                    .into_iter()
                    .flat_map(|map| map.keys().cloned()),
            );
        }
    }
    texts.retain(|text| usable(text));
    texts
}

/// The first text at a path.
pub(super) fn text(root: &Value, path: &str) -> Option<String> {
    texts(root, path).into_iter().next()
}

/// The values at a path, lists opened.
pub(super) fn collect<'a>(value: &'a Value, path: &str, out: &mut Vec<&'a Value>) {
    let (step, rest) = match path.split_once('.') {
        Some((step, rest)) => (step, Some(rest)),
        None => (path, None),
    };
    let name = step
        .strip_suffix("[]")
        .or_else(|| step.strip_suffix("{}"))
        .unwrap_or(step);
    for item in items(value) {
        let Some(found) = member(item, name) else {
            continue;
        };
        match rest {
            Some(rest) => collect(found, rest, out),
            None => out.extend(items(found)),
        }
    }
}

/// The elements of a list in any of its forms; a value that is no list is its own only element.
fn items(value: &Value) -> &[Value] {
    match value {
        Value::Array(list) => list,
        Value::Object(object) if object.len() == 1 => match object.iter().next() {
            Some((key, Value::Array(list))) if key == "items" || key == "member" => list,
            _ => std::slice::from_ref(value),
        },
        _ => std::slice::from_ref(value),
    }
}

fn leaves(value: &Value, out: &mut Vec<String>) {
    match value {
        Value::String(text) => out.push(text.clone()),
        Value::Number(number) => out.push(number.to_string()),
        Value::Array(list) => list.iter().for_each(|value| leaves(value, out)),
        Value::Object(object) => {
            if let Some(Value::String(text)) = object.get("content") {
                out.push(text.clone());
            }
        }
        Value::Null | Value::Bool(_) => {}
    }
}

/// Whether a value can name a resource: not empty, not hidden or masked, not absurdly long.
pub(super) fn usable(text: &str) -> bool {
    !text.is_empty()
        && text.len() <= LONGEST
        && text != "HIDDEN_DUE_TO_SECURITY_REASONS"
        && !text.eq_ignore_ascii_case("<sensitiveDataRemoved>")
        && !text.starts_with("***")
        && !text.contains("****")
        && text.bytes().any(|byte| byte != b'*')
}
