//! From the text of a parameter to the text of an ARN variable: the cutting rules of `map-arns.tsv`.

use super::Call;
use super::arns::Part;

/// What a path of the table gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A whole ARN.
    Arn(String),
    /// A whole ARN with wildcards, in IAM policy syntax.
    Pattern(String),
    /// A value for the variable.
    Part(Part),
}

/// The values at one alternative of a binding: `'constant'`, `path` or `path:rule`. Empty where the call
/// has none.
pub(super) fn values(call: &Call<'_>, alternative: &str) -> Vec<Value> {
    if let Some(constant) = alternative.strip_prefix('\'') {
        let constant = constant.trim_end_matches('\'');
        return vec![Value::Part(if constant.contains('*') {
            Part::Glob(constant.to_owned())
        } else {
            Part::Text(constant.to_owned())
        })];
    }
    let (path, rule) = alternative.split_once(':').unwrap_or((alternative, ""));
    let texts = call.texts(path);
    texts
        .iter()
        .flat_map(|text| cut(call, rule, text))
        .collect()
}

fn cut(call: &Call<'_>, rule: &str, text: &str) -> Vec<Value> {
    let part = |part: Option<&str>| {
        part.filter(|part| !part.is_empty())
            .map(|part| Value::Part(Part::Text(part.to_owned())))
            .into_iter()
            .collect::<Vec<_>>()
    };
    let glob = |glob: String| vec![Value::Part(Part::Glob(glob))];
    let is_arn = text.starts_with("arn:");
    match rule {
        "" if is_arn => vec![Value::Arn(text.to_owned())],
        "" => part(Some(text)),
        // The last part of a URL, a path or an ARN.
        "tail" => part(text.trim_end_matches('/').rsplit(['/', ':']).next()),
        "url-account" => part(text.rsplit('/').nth(1).filter(|part| is_account(part))),
        "url-host" => part(text.split("//").last()),
        "account" => part(Some(text).filter(|text| is_account(text))),
        "arn-account" => part(text.split(':').nth(4).filter(|part| is_account(part))),
        "before-colon" if is_arn => vec![Value::Arn(text.to_owned())],
        "before-colon" => part(text.split(':').next()),
        "after-colon" if is_arn => Vec::new(),
        "after-colon" => part(text.split_once(':').map(|(_, tail)| tail)),
        "layer" => match text.splitn(8, ':').collect::<Vec<_>>()[..] {
            ["arn", .., name, _version] if text.matches(':').count() == 7 && !name.is_empty() => {
                let end = text.rfind(':').unwrap_or(text.len());
                vec![Value::Arn(text[..end].to_owned())]
            }
            _ if is_arn => vec![Value::Arn(text.to_owned())],
            _ => part(Some(text)),
        },
        "layer-name" if is_arn => part(text.split(':').nth(6)),
        "layer-name" => part(Some(text)),
        "key-id" if is_arn || text.starts_with("alias/") => Vec::new(),
        "key-id" => part(Some(text)),
        "alias" => part(text.rsplit_once("alias/").map(|(_, name)| name)),
        // Version and alias ARNs of a state machine are authorised on the machine itself.
        "unqualified" => {
            let end = text
                .match_indices(':')
                .nth(6)
                .map_or(text.len(), |(at, _)| at);
            if is_arn {
                vec![Value::Arn(text[..end].to_owned())]
            } else {
                part(Some(text))
            }
        }
        "sns-topic" => {
            let end = text
                .match_indices(':')
                .nth(5)
                .map_or(text.len(), |(at, _)| at);
            if is_arn {
                vec![Value::Arn(text[..end].to_owned())]
            } else {
                Vec::new()
            }
        }
        "kinesis-stream" => match text.split_once("/consumer/") {
            Some((stream, _)) => vec![Value::Arn(stream.to_owned())],
            None => Vec::new(),
        },
        "secret" => secret(text),
        "ssm-name" if is_arn => Vec::new(),
        // A selector (`name:3`, `name:label`) is not part of the name.
        "ssm-name" => part(text.trim_start_matches('/').split(':').next()),
        "ssm-path" => {
            let path = text.trim_matches('/');
            let below = if path.is_empty() {
                "*".to_owned()
            } else {
                format!("{}/*", super::resource::escape(path))
            };
            let mut values = part(Some(path));
            values.push(Value::Part(Part::Glob(below)));
            values
        }
        // Documents that AWS owns have no account, or a partner's: `AWS-RunShellScript`.
        "ssm-owner"
            if ["AWS", "Amazon"]
                .iter()
                .any(|owner| text.starts_with(owner)) =>
        {
            glob("*".to_owned())
        }
        "ssm-owner" => Vec::new(),
        "instance" => part(Some(text).filter(|text| text.starts_with("i-"))),
        "managed-instance" => part(Some(text).filter(|text| text.starts_with("mi-"))),
        "path" if is_arn => vec![Value::Arn(text.to_owned())],
        "path" => iam_path(call, text),
        "service-linked" => glob(format!(
            "aws-service-role/{}/*",
            super::resource::escape(text)
        )),
        "mail" => mail(text),
        _ => Vec::new(),
    }
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A secret's ARN ends in a hyphen and six characters that no name shows. (Secrets Manager user guide,
/// "partial ARNs".)
fn secret(text: &str) -> Vec<Value> {
    let Some((_, suffix)) = text.rsplit_once('-').filter(|_| text.starts_with("arn:")) else {
        let name = super::resource::escape(text);
        return if text.starts_with("arn:") {
            vec![Value::Pattern(format!("{name}-??????"))]
        } else {
            vec![Value::Part(Part::Glob(format!("{name}-??????")))]
        };
    };
    if suffix.len() == 6 && suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        vec![Value::Arn(text.to_owned())]
    } else {
        vec![Value::Pattern(format!(
            "{}-??????",
            super::resource::escape(text)
        ))]
    }
}

/// IAM names stand without their path in the parameters: known where the call creates the thing, else
/// open in front.
fn iam_path(call: &Call<'_>, name: &str) -> Vec<Value> {
    let value = match call.text("path") {
        Some(path) if path.starts_with('/') => {
            Part::Text(format!("{}{name}", path.trim_start_matches('/')))
        }
        _ if creates(call) => Part::Text(name.to_owned()),
        _ => Part::Glob(format!("*{}", super::resource::escape(name))),
    };
    vec![Value::Part(value)]
}

/// Whether the call makes the named thing itself, so that an absent path is `/`.
fn creates(call: &Call<'_>) -> bool {
    matches!(
        call.key.as_str(),
        "createrole"
            | "createuser"
            | "creategroup"
            | "createpolicy"
            | "createinstanceprofile"
            | "createvirtualmfadevice"
            | "uploadservercertificate"
    )
}

/// A sender may be verified as an address or as its domain: `Name <a@b>` gives `a@b` and `b`.
fn mail(text: &str) -> Vec<Value> {
    let address = match text.split_once('<') {
        Some((_, rest)) => rest.trim_end().trim_end_matches('>'),
        None => text.trim(),
    };
    let domain = address.rsplit_once('@').map(|(_, domain)| domain);
    [Some(address), domain]
        .into_iter()
        .flatten()
        .filter(|part| !part.is_empty())
        .map(|part| Value::Part(Part::Text(part.to_owned())))
        .collect()
}
