//! Events in, requests out, in tables of cases; then the tables against the catalog, and every known
//! operation as a synthetic event.

mod cases;
mod denials;
mod oracle;
mod pieces;

use std::cell::RefCell;

use serde_json::{Value, json};

use super::{CallRequest, Mapping, Memo, ResourceRef};
use crate::catalog::Catalog;
use crate::trail::Record;

/// A record of a function's role in account 111122223333 and region eu-west-1, with more members.
pub(super) fn record(source: &str, event: &str, params: &Value, more: &Value) -> String {
    let mut record = json!({
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "principalId": "AROAEXAMPLE:orders",
            "arn": "arn:aws:sts::111122223333:assumed-role/orders-role/orders",
            "accountId": "111122223333",
            "sessionContext": {"sessionIssuer": {
                "type": "Role",
                "arn": "arn:aws:iam::111122223333:role/service-role/orders-role",
            }},
        },
        "eventTime": "2026-10-01T12:00:00Z",
        "eventSource": format!("{source}.amazonaws.com"),
        "eventName": event,
        "awsRegion": "eu-west-1",
        "requestParameters": params,
        "eventType": "AwsApiCall",
        "recipientAccountId": "111122223333",
    });
    merge(&mut record, more);
    record.to_string()
}

fn merge(into: &mut Value, from: &Value) {
    match (into, from) {
        (Value::Object(into), Value::Object(from)) => {
            for (key, value) in from {
                merge(into.entry(key.clone()).or_insert(Value::Null), value);
            }
        }
        (into, from) => *into = from.clone(),
    }
}

thread_local! {
    /// One for all cases of a test, so that cases that differ in a way it overlooks would meet.
    static MEMO: RefCell<Memo<'static>> = RefCell::new(Memo::new(Catalog::builtin()));
}

/// What a record stands for, by heart no other than anew.
pub(super) fn map(record: &str) -> Mapping {
    let record: Record<'_> = serde_json::from_str(record).unwrap();
    let mapping = Catalog::builtin().map(&record);
    MEMO.with_borrow_mut(|memo| {
        assert_eq!(memo.map(&record), mapping);
        assert_eq!(memo.map(&record), mapping, "the second time");
    });
    mapping
}

/// `certainty action resource key=value`, one line a request; a pattern is marked by `~`.
pub(super) fn lines(mapping: &Mapping) -> Vec<String> {
    match mapping {
        Mapping::Requests(requests) => requests.iter().map(line).collect(),
        Mapping::NoPermission(reason) => vec![format!("none {reason}")],
        Mapping::Unmapped => vec!["unmapped".to_owned()],
    }
}

fn line(request: &CallRequest) -> String {
    let mark = if matches!(request.resource, ResourceRef::Pattern(_)) {
        "~"
    } else {
        ""
    };
    let mut line = format!(
        "{} {} {mark}{}",
        request.certainty.as_str(),
        request.action,
        request.resource
    );
    for (key, value) in &request.context {
        line.push_str(&format!(" {key}={value}"));
    }
    line
}
