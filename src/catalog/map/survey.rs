//! How much of AWS's API the mapping covers: every operation that the SDKs know as a synthetic event.

use std::collections::BTreeMap;

use serde_json::{Map, Value, json};

use super::arns::{self, Part, Scope};
use super::{CallRequest, Certainty, Mapping, ResourceRef};
use crate::catalog::{Catalog, Operation};
use crate::trail::Record;

/// The counts of one survey.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Survey {
    /// API operations of the SDKs.
    pub operations: usize,
    /// Those whose event stands for requests, or is known to need no permission.
    pub mapped: usize,
    /// Mapped operations whose own action takes a resource.
    pub resource_bearing: usize,
    /// Those of them whose parameters name the resource, or at least its container.
    pub container_known: usize,
    /// Requests whose action is not in the catalog: none.
    pub outside: usize,
    /// Client to the operations that are not mapped.
    pub unmapped: BTreeMap<&'static str, Vec<&'static str>>,
}

/// What stands in every parameter; letters that no ARN format holds.
const VALUE: &str = "x1y2";

impl Catalog {
    /// Maps a synthetic event of every operation. Takes seconds.
    #[must_use]
    pub fn survey(&self) -> Survey {
        let mut survey = Survey::default();
        self.survey_each(|operation, mapping| survey.count(self, operation, mapping));
        survey
    }

    /// Hands every operation with the mapping of its synthetic event to `each`.
    pub(super) fn survey_each(&self, mut each: impl FnMut(&Operation, &Mapping)) {
        for operation in self.operations() {
            let event = event(self, operation);
            if let Ok(record) = serde_json::from_str::<Record<'_>>(&event) {
                each(operation, &self.map(&record));
            }
        }
    }
}

impl Survey {
    fn count(&mut self, catalog: &Catalog, operation: &Operation, mapping: &Mapping) {
        self.operations += 1;
        let requests = match mapping {
            Mapping::Requests(requests) => requests,
            Mapping::NoPermission(_) => {
                self.mapped += 1;
                return;
            }
            Mapping::Unmapped => {
                self.unmapped
                    .entry(operation.client)
                    .or_default()
                    .push(operation.name);
                return;
            }
        };
        self.mapped += 1;
        let known = |request: &&CallRequest| catalog.action(request.action.as_str()).is_some();
        self.outside += requests.len() - requests.iter().filter(known).count();
        let Some(own) = requests
            .iter()
            .find(|request| request.certainty == Certainty::Seen)
        else {
            return;
        };
        let facts = catalog.action(own.action.as_str());
        if facts.is_some_and(|facts| facts.resource_types.is_empty()) {
            return;
        }
        self.resource_bearing += 1;
        let mut same = requests
            .iter()
            .filter(|request| request.action == own.action);
        self.container_known += usize::from(same.any(|request| container_known(&request.resource)));
    }
}

/// Whether the first part of the resource that names something is known.
fn container_known(resource: &ResourceRef) -> bool {
    match resource {
        ResourceRef::Literal(_) => true,
        ResourceRef::Pattern(pattern) => {
            let resource = pattern.splitn(6, ':').nth(5).unwrap_or_default();
            resource
                .find('*')
                .is_some_and(|at| resource[..at].contains(VALUE))
        }
        ResourceRef::Any => false,
    }
}

/// An event as CloudTrail would write it: members in lower case at the front, a value at every path that
/// a template, a verb's path, a role or tags read.
fn event(catalog: &Catalog, operation: &Operation) -> String {
    let scope = Scope {
        partition: "aws".to_owned(),
        region: "eu-west-1".to_owned(),
        account: "111122223333".to_owned(),
    };
    let mut params = Value::Object(Map::new());
    for template in &operation.templates {
        let formats = catalog.arn_formats(operation.prefix, template.resource_type);
        let format = formats.get(template.format).copied().unwrap_or_default();
        for (variable, path) in &template.bindings {
            let whole = *variable == "arn";
            let arn = || arns::fill(format, &scope, |_| Part::Text(VALUE.to_owned())).to_string();
            put(
                &mut params,
                path,
                &if whole { arn() } else { VALUE.to_owned() },
            );
        }
    }
    if let Some((_, path)) = operation.http {
        let holes = path
            .split('{')
            .skip(1)
            .filter_map(|part| part.split('}').next());
        holes.for_each(|hole| put(&mut params, &hole.replace(['_', '-'], ""), VALUE));
    }
    for path in &operation.role_members {
        put(&mut params, path, "arn:aws:iam::111122223333:role/app");
    }
    if let Some(tags) = operation.tag_member {
        put(&mut params, tags, VALUE);
    }
    let host = if operation.prefix.is_empty() {
        operation.client
    } else {
        operation.prefix
    };
    json!({
        "userIdentity": {"type": "AssumedRole", "accountId": "111122223333"},
        "eventSource": format!("{host}.amazonaws.com"),
        "eventName": operation.name,
        "awsRegion": "eu-west-1",
        "eventType": "AwsApiCall",
        "requestParameters": params,
    })
    .to_string()
}

/// Sets a text at `A.B[].C`, the first letters in lower case; what is there stays.
fn put(root: &mut Value, path: &str, text: &str) {
    let mut at = root;
    let mut steps = path.split('.').peekable();
    while let Some(step) = steps.next() {
        let name = step.trim_end_matches("[]");
        let Some(first) = name.get(..1) else { return };
        let name = first.to_ascii_lowercase() + &name[1..];
        let Value::Object(object) = at else { return };
        let new = match (step.ends_with("[]"), steps.peek().is_none()) {
            (false, true) => json!(text),
            (true, true) => json!([text]),
            (false, false) => json!({}),
            (true, false) => json!([{}]),
        };
        at = object.entry(name).or_insert(new);
        if let Value::Array(items) = at {
            let Some(first) = items.first_mut() else {
                return;
            };
            at = first;
        }
    }
}
