//! From the text of a parameter to the text of an ARN variable: the cutting rules of `map-arns.tsv`.

use super::arns::Part;
use super::{Call, Certainty, params};

/// What a path of the table gives.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Value {
    /// A whole ARN.
    Arn(String),
    /// A whole ARN with wildcards, in IAM policy syntax, and how sure it is where not as the action.
    Pattern(String, Option<Certainty>),
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
    let one = |alternative: &str| {
        let (path, rule) = alternative.split_once(':').unwrap_or((alternative, ""));
        let texts = call.texts(path).into_iter();
        let mut values: Vec<Value> = texts.flat_map(|text| cut(call, rule, &text)).collect();
        if rule == "bus" {
            values.extend(default_bus(call, path));
        }
        values
    };
    alternative.split('+').flat_map(one).collect()
}

/// The default bus, where an element of a list names none.
fn default_bus(call: &Call<'_>, path: &str) -> Option<Value> {
    let (list, member) = path.rsplit_once('.')?;
    let mut items = Vec::new();
    params::collect(call.params(), list, &mut items);
    let all = items.iter().all(|item| params::present(item, member));
    (items.is_empty() || !all).then(|| Value::Part(Part::Text("default".to_owned())))
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
        "" | "bus" if is_arn => vec![Value::Arn(text.to_owned())],
        "" | "bus" => part(Some(text)),
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
        // Which key an alias stands for is not shown, but its ARN tells whose it is.
        "key-id" if is_arn && text.contains(":alias/") => glob("*".to_owned()),
        "key-id" if is_arn || text.starts_with("alias/") => Vec::new(),
        "key-id" => part(Some(text)),
        "alias" => part(text.rsplit_once("alias/").map(|(_, name)| name)),
        // Version and alias ARNs of a state machine are authorised on the machine itself.
        "unqualified" if is_arn => vec![Value::Arn(fields(text, 7).to_owned())],
        "unqualified" => part(Some(text)),
        "sns-topic" if is_arn => vec![Value::Arn(fields(text, 6).to_owned())],
        "sns-topic" => Vec::new(),
        "kinesis-stream" => match text.split_once("/consumer/") {
            Some((stream, _)) => vec![Value::Arn(stream.to_owned())],
            None => Vec::new(),
        },
        "secret" => secret(text),
        // The selector behind a parameter's ARN (`…:parameter/a:3`) is not part of it.
        "ssm-arn" if is_arn => vec![Value::Arn(fields(text, 6).to_owned())],
        "ssm-arn" => part(Some(text)),
        "waf-scope" => part(match text {
            "REGIONAL" => Some("regional"),
            "CLOUDFRONT" => Some("global"),
            _ => None,
        }),
        "short-id" => part(Some(text).filter(|text| is_short_id(text))),
        "table-bucket" => part(text.rsplit_once(":bucket/").map(|(_, name)| name)),
        // A catalog inside the account's (`ACCOUNT:s3tablescatalog/b`) is part of the names below it.
        "catalogued" => {
            let catalog = call.text("catalogId").unwrap_or_default();
            match catalog.split_once(':') {
                Some((_, catalog)) => part(Some(&format!("{catalog}/{text}"))),
                None => part(Some(text)),
            }
        }
        "catalog-account" => part(text.split(':').next().filter(|part| is_account(part))),
        "registry" => part(text.split('/').nth(1).filter(|_| is_arn)),
        "revised" => part(
            text.rsplit('/')
                .next()
                .and_then(|text| text.split(':').next()),
        ),
        "revision" => part(
            text.rsplit('/')
                .next()
                .and_then(|text| Some(text.split_once(':')?.1)),
        ),
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
        "path" if is_arn => vec![Value::Arn(text.to_owned())],
        "path" => iam_path(call, text),
        "service-linked" => glob(format!(
            "aws-service-role/{}/*",
            super::resource::escape(text)
        )),
        "mail" => mail(text),
        rule => {
            if let Some(prefix) = rule.strip_prefix("if-") {
                return part(Some(text).filter(|text| text.starts_with(prefix)));
            }
            let under = rule.strip_prefix("under/");
            let Some((path, default)) = under.and_then(|rule| rule.split_once('/')) else {
                return Vec::new();
            };
            let parent = call.text(path).unwrap_or_else(|| default.to_owned());
            part(
                (!parent.is_empty())
                    .then(|| format!("{parent}/{text}"))
                    .as_deref(),
            )
        }
    }
}

/// The first fields of an ARN.
fn fields(arn: &str, count: usize) -> &str {
    let end = arn.match_indices(':').nth(count - 1);
    &arn[..end.map_or(arn.len(), |(at, _)| at)]
}

/// AppConfig's own identifiers: seven lower-case letters and digits. What could be a name as well is
/// not taken for one. (AppConfig API reference, pattern `[a-z0-9]{4,7}`.)
fn is_short_id(text: &str) -> bool {
    let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    let digit = text.bytes().position(|byte| byte.is_ascii_digit());
    text.len() == 7
        && text.bytes().all(letter)
        && digit.is_some_and(|at| text[at..].bytes().any(|byte| byte.is_ascii_lowercase()))
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
            vec![Value::Pattern(format!("{name}-??????"), None)]
        } else {
            vec![Value::Part(Part::Glob(format!("{name}-??????")))]
        };
    };
    let open = |certainty| {
        let pattern = format!("{}-??????", super::resource::escape(text));
        Value::Pattern(pattern, certainty)
    };
    if suffix.len() != 6 || !suffix.bytes().all(|byte| byte.is_ascii_alphanumeric()) {
        return vec![open(None)];
    }
    // A name may end like that too, `db-config`: what looks like a word is no sure suffix.
    let word = suffix.bytes().all(|byte| byte.is_ascii_lowercase())
        || suffix.bytes().all(|byte| byte.is_ascii_uppercase())
        || suffix.bytes().all(|byte| byte.is_ascii_digit());
    let named = word.then(|| open(Some(Certainty::Possible)));
    std::iter::once(Value::Arn(text.to_owned()))
        .chain(named)
        .collect()
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
