//! Answers as the service sent them: fields that this SDK does not know yet are kept, too.

use std::sync::{Arc, Mutex, PoisonError};

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::context::AfterDeserializationInterceptorContextRef;
use aws_smithy_runtime_api::client::interceptors::{Intercept, dyn_dispatch_hint};
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde_json::Value;

use crate::aws::AwsError;

/// Keeps the body of the last answer.
#[derive(Clone, Debug, Default)]
pub(super) struct Capture(Arc<Mutex<Vec<u8>>>);

#[dyn_dispatch_hint]
impl Intercept for Capture {
    fn name(&self) -> &'static str {
        "Capture"
    }

    fn read_after_deserialization(
        &self,
        context: &AfterDeserializationInterceptorContextRef<'_>,
        _: &RuntimeComponents,
        _: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        if let Some(bytes) = context.response().body().bytes() {
            *self.0.lock().unwrap_or_else(PoisonError::into_inner) = bytes.to_vec();
        }
        Ok(())
    }
}

impl Capture {
    /// The answer as JSON, without the members that are null: so the AWS CLI prints it.
    pub(super) fn json(&self) -> Result<Value, AwsError> {
        let bytes = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut value = serde_json::from_slice(&bytes)
            .map_err(|error| AwsError::plain(format!("an answer is not JSON: {error}")))?;
        without_nulls(&mut value);
        Ok(value)
    }
}

fn without_nulls(value: &mut Value) {
    match value {
        Value::Object(members) => {
            members.retain(|_, member| !member.is_null());
            members.values_mut().for_each(without_nulls);
        }
        Value::Array(list) => list.iter_mut().for_each(without_nulls),
        _ => {}
    }
}

/// Times that are numbers on the wire, as the AWS CLI prints them.
pub(super) fn tell_times(list: &mut [Value], members: &[&str]) {
    for entry in list {
        for member in members {
            if let Some(value) = entry.get_mut(*member)
                && let Some(seconds) = value.as_f64()
            {
                let time = aws_smithy_types::DateTime::from_secs_f64(seconds);
                *value = super::iam::time(&time);
            }
        }
    }
}
