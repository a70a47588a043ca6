//! Functions, their event sources, where their asynchronous calls end, and who may invoke them.

use std::sync::Arc;

use aws_sdk_lambda::Client;
use serde_json::{Value, json};
use tokio::sync::Semaphore;
use tokio::task::JoinSet;

use super::raw::{Capture, tell_times};
use crate::aws::AwsError;

/// Requests under way at once: Lambda's control plane answers 15 a second.
const AT_ONCE: usize = 4;

/// All pages of one list, as one answer of the AWS CLI.
struct Pages {
    member: &'static str,
    list: Vec<Value>,
}

impl Pages {
    fn of(member: &'static str) -> Self {
        Self {
            member,
            list: Vec::new(),
        }
    }

    /// Takes a page, gives the marker of the next.
    fn add(&mut self, mut page: Value) -> Option<String> {
        if let Some(Value::Array(list)) = page.get_mut(self.member) {
            self.list.append(list);
        }
        let marker = page.get("NextMarker").and_then(Value::as_str);
        marker
            .filter(|marker| !marker.is_empty())
            .map(str::to_owned)
    }

    fn done(self) -> Value {
        json!({ self.member: self.list })
    }
}

/// `aws lambda list-functions`, all pages.
///
/// # Errors
/// What Lambda refuses, with the permission that is missing.
pub async fn functions(client: &Client) -> Result<Value, AwsError> {
    let mut pages = Pages::of("Functions");
    let mut marker = None;
    loop {
        let capture = Capture::default();
        client
            .list_functions()
            .set_marker(marker)
            .customize()
            .interceptor(capture.clone())
            .send()
            .await
            .map_err(|error| AwsError::of(&error).needing("lambda:ListFunctions", "*"))?;
        marker = pages.add(capture.json()?);
        if marker.is_none() {
            return Ok(pages.done());
        }
    }
}

/// `aws lambda list-event-source-mappings`, all pages.
///
/// # Errors
/// What Lambda refuses, with the permission that is missing.
pub async fn event_source_mappings(client: &Client) -> Result<Value, AwsError> {
    let mut pages = Pages::of("EventSourceMappings");
    let mut marker = None;
    loop {
        let capture = Capture::default();
        client
            .list_event_source_mappings()
            .set_marker(marker)
            .customize()
            .interceptor(capture.clone())
            .send()
            .await
            .map_err(|error| AwsError::of(&error).needing("lambda:ListEventSourceMappings", "*"))?;
        marker = pages.add(capture.json()?);
        if marker.is_none() {
            let times = ["LastModified", "StartingPositionTimestamp"];
            tell_times(&mut pages.list, &times);
            return Ok(pages.done());
        }
    }
}

/// The names of the functions in an answer of [`functions`].
pub(super) fn names(functions: &Value) -> Vec<String> {
    let list = functions.get("Functions").and_then(Value::as_array);
    list.into_iter()
        .flatten()
        .filter_map(|function| function.get("FunctionName")?.as_str().map(str::to_owned))
        .collect()
}

/// `aws lambda list-function-event-invoke-configs` of every function, as one answer.
///
/// # Errors
/// What Lambda refuses, with the permission that is missing.
pub async fn event_invoke_configs(client: &Client, names: &[String]) -> Result<Value, AwsError> {
    let mut all = Pages::of("FunctionEventInvokeConfigs");
    for mut list in each(client, names, invoke_configs).await? {
        all.list.append(&mut list);
    }
    tell_times(&mut all.list, &["LastModified"]);
    Ok(all.done())
}

async fn invoke_configs(client: Client, name: String) -> Result<Vec<Value>, AwsError> {
    let mut pages = Pages::of("FunctionEventInvokeConfigs");
    let mut marker = None;
    loop {
        let capture = Capture::default();
        let sent = client
            .list_function_event_invoke_configs()
            .function_name(&name)
            .set_marker(marker)
            .customize()
            .interceptor(capture.clone())
            .send()
            .await;
        if let Err(error) = sent {
            let error = AwsError::of(&error);
            // The function was deleted meanwhile.
            if error.is("ResourceNotFoundException") {
                return Ok(pages.list);
            }
            return Err(error.needing("lambda:ListFunctionEventInvokeConfigs", &name));
        }
        marker = pages.add(capture.json()?);
        if marker.is_none() {
            return Ok(pages.list);
        }
    }
}

/// `aws lambda get-policy` of every function that has one: name and answer.
///
/// # Errors
/// What Lambda refuses, with the permission that is missing.
pub async fn policies(client: &Client, names: &[String]) -> Result<Vec<(String, Value)>, AwsError> {
    Ok(each(client, names, policy)
        .await?
        .into_iter()
        .flatten()
        .collect())
}

async fn policy(client: Client, name: String) -> Result<Option<(String, Value)>, AwsError> {
    let capture = Capture::default();
    let sent = client
        .get_policy()
        .function_name(&name)
        .customize()
        .interceptor(capture.clone())
        .send()
        .await;
    match sent {
        Ok(_) => Ok(Some((name, capture.json()?))),
        Err(error) => match AwsError::of(&error) {
            error if error.is("ResourceNotFoundException") => Ok(None),
            error => Err(error.needing("lambda:GetPolicy", &name)),
        },
    }
}

/// Asks for each function, a few at once, and gives the answers in the order of the names.
async fn each<T, F>(
    client: &Client,
    names: &[String],
    ask: impl Fn(Client, String) -> F,
) -> Result<Vec<T>, AwsError>
where
    T: Send + 'static,
    F: Future<Output = Result<T, AwsError>> + Send + 'static,
{
    let places = Arc::new(Semaphore::new(AT_ONCE));
    let mut running = JoinSet::new();
    for (at, name) in names.iter().enumerate() {
        let (places, asked) = (places.clone(), ask(client.clone(), name.clone()));
        running.spawn(async move {
            let _place = places.acquire().await;
            (at, asked.await)
        });
    }
    let mut answers = Vec::with_capacity(names.len());
    while let Some(done) = running.join_next().await {
        let (at, answer) = done.map_err(|_| AwsError::plain("internal error while asking"))?;
        answers.push((at, answer?));
    }
    answers.sort_by_key(|(at, _)| *at);
    Ok(answers.into_iter().map(|(_, answer)| answer).collect())
}
