//! API Gateway: the action is the HTTP verb, the resource the path.

use super::arns::{self, Part};
use super::resource::ResourceRef;
use super::{Call, params};
use crate::catalog::Operation;

/// All but the letters that RFC 3986 leaves unreserved.
const ENCODED: &percent_encoding::AsciiSet = &percent_encoding::NON_ALPHANUMERIC
    .remove(b'-')
    .remove(b'.')
    .remove(b'_')
    .remove(b'~');

/// The operation that an API Gateway event is: of the two generations the one whose path the parameters
/// fill. `None` for other services and unknown names.
pub(super) fn operation<'a>(call: &Call<'a>) -> Option<&'a Operation> {
    if call.service != "apigateway" {
        return None;
    }
    let named = call.catalog.operations_named("apigateway", call.event);
    named
        .filter_map(|operation| Some((operation, operation.http?.1)))
        .min_by_key(|(_, path)| {
            holes(path)
                .filter(|hole| value(call, hole).is_none())
                .count()
        })
        .map(|(operation, _)| operation)
}

/// `arn:P:apigateway:REGION::/restapis/ID/…`, holes that no parameter fills as `*`.
pub(super) fn resource(call: &Call<'_>, path: &str) -> ResourceRef {
    let mut format = "arn:${Partition}:apigateway:${Region}::".to_owned();
    format.push_str(&path.replace('{', "${"));
    arns::fill(&format, &call.scope, |hole| {
        value(call, hole).map_or(Part::Unknown, Part::Text)
    })
}

fn holes(path: &str) -> impl Iterator<Item = &str> {
    let mut parts = path.split('{');
    parts.next();
    parts.filter_map(|part| part.split('}').next())
}

/// `{restapi_id}` is the parameter `restApiId`, `{api_Key}` is `apiKey`.
fn value(call: &Call<'_>, hole: &str) -> Option<String> {
    let wanted = squash(hole);
    let members = call.params().as_object()?;
    let found = members.iter().find(|(name, _)| squash(name) == wanted);
    let text = found.and_then(|(name, _)| params::text(call.params(), name))?;
    // An ARN in a path is one encoded segment: `/tags/arn%3Aaws%3A…`.
    if text.starts_with("arn:") {
        return Some(percent_encoding::utf8_percent_encode(&text, ENCODED).to_string());
    }
    Some(text.trim_start_matches('/').to_owned()).filter(|text| !text.is_empty())
}

fn squash(name: &str) -> String {
    let letters = name.chars().filter(char::is_ascii_alphanumeric);
    letters.map(|letter| letter.to_ascii_lowercase()).collect()
}
