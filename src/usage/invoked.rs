//! The inbound door: who invoked a function, from Lambda's `Invoke` data events. A record in, the
//! function and its caller out. Knows nothing of resource policies.

use std::borrow::Cow;

use serde::Deserialize;

use super::bounded::Coarser;
use crate::trail::{Record, denied};

/// What kind of principal invoked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum CallerKind {
    /// An AWS service in its own name.
    Service,
    /// A session of a role.
    Role,
    /// A user or the root of an account, or a federated user.
    User,
    /// Another account, of which the owner's copy of the event names no more.
    Account,
    /// Anything else.
    Other,
}

impl CallerKind {
    /// The word for it in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Service => "service",
            Self::Role => "role",
            Self::User => "user",
            Self::Account => "account",
            Self::Other => "other",
        }
    }
}

/// Who invoked, on whose behalf, and through which version or alias.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Caller {
    /// What kind of principal.
    pub kind: CallerKind,
    /// `apigateway.amazonaws.com`, the ARN of a role or user, an account; `*` past the cap.
    pub who: String,
    /// The account of the principal, where the record tells.
    pub account: Option<String>,
    /// `sourceArn`: the API, bucket or rule that a service acted for; `*` past the cap.
    pub source_arn: Option<String>,
    /// `sourceAccount`.
    pub source_account: Option<String>,
    /// The version or alias that was asked for.
    pub qualifier: Option<String>,
}

impl Coarser for Caller {
    const TOP: u8 = 3;

    fn on_rung(mut self, rung: u8) -> Self {
        let any = |text: &mut Option<String>| {
            if text.is_some() {
                *text = Some("*".to_owned());
            }
        };
        if rung >= 1 {
            any(&mut self.source_arn);
        }
        if rung >= 2 {
            any(&mut self.qualifier);
        }
        if rung >= 3 {
            "*".clone_into(&mut self.who);
            any(&mut self.account);
            any(&mut self.source_account);
        }
        self
    }
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Parameters<'p> {
    #[serde(borrow, default)]
    function_name: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    qualifier: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    source_arn: Option<Cow<'p, str>>,
    #[serde(borrow, default)]
    source_account: Option<Cow<'p, str>>,
}

/// Whether an event of this source and name may show a function invoked.
pub(super) fn may_invoke(source: &str, name: &str) -> bool {
    source == "lambda.amazonaws.com" && name.starts_with("Invoke")
}

/// The function that an event shows invoked, as an ARN without a qualifier, and who did it. `None` for
/// other events, for refused calls, and for the caller's copy of a call into another account.
#[must_use]
pub(super) fn invoked(record: &Record<'_>) -> Option<(String, Caller)> {
    if !may_invoke(&record.event_source, &record.event_name) || denied(record) {
        return None;
    }
    let parameters: Parameters<'_> = record
        .request_parameters
        .and_then(|raw| serde_json::from_str(raw.get()).ok())
        .unwrap_or_default();
    let recipient = record.recipient_account_id.as_deref();
    let listed = record
        .resources
        .iter()
        .filter(|entry| entry.kind.as_deref() == Some("AWS::Lambda::Function"))
        .find_map(|entry| entry.arn.as_deref());
    let asked = parameters.function_name.as_deref();
    let (arn, qualifier) = match (listed.and_then(split_arn), asked) {
        (Some((arn, qualifier)), asked) => {
            let named = asked.and_then(|name| name_of(name).1);
            (arn, qualifier.or(named.map(str::to_owned)))
        }
        (None, Some(asked)) => match split_arn(asked) {
            Some(known) => known,
            None => {
                let (name, qualifier) = name_of(asked);
                let region = record.aws_region.as_deref()?;
                let partition = match region {
                    r if r.starts_with("us-gov-") => "aws-us-gov",
                    r if r.starts_with("cn-") => "aws-cn",
                    _ => "aws",
                };
                let arn = format!(
                    "arn:{partition}:lambda:{region}:{}:function:{name}",
                    recipient?
                );
                (arn, qualifier.map(str::to_owned))
            }
        },
        (None, None) => return None,
    };
    let owner = arn.split(':').nth(4)?;
    if recipient.is_some_and(|recipient| recipient != owner) {
        return None;
    }
    let qualifier = parameters
        .qualifier
        .map(Cow::into_owned)
        .or(qualifier)
        .filter(|qualifier| qualifier != "$LATEST");
    let own = |text: Option<Cow<'_, str>>| text.map(Cow::into_owned).filter(|t| !t.is_empty());
    let source_arn = own(parameters.source_arn);
    let source_account = own(parameters.source_account).or_else(|| {
        let account = source_arn.as_deref()?.split(':').nth(4)?;
        (!account.is_empty()).then(|| account.to_owned())
    });
    let (kind, who) = principal(record);
    let account = record
        .user_identity
        .account_id
        .as_deref()
        .map(str::to_owned);
    let caller = Caller {
        kind,
        who,
        account: account.filter(|_| kind != CallerKind::Service),
        source_arn,
        source_account,
        qualifier,
    };
    Some((arn, caller))
}

fn principal(record: &Record<'_>) -> (CallerKind, String) {
    let identity = &record.user_identity;
    let own = |text: Option<&str>| text.unwrap_or("unknown").to_owned();
    let issuer = identity
        .session_context
        .as_ref()
        .and_then(|context| context.session_issuer.as_ref())
        .and_then(|issuer| issuer.arn.as_deref());
    match identity.kind.as_deref() {
        Some("AWSService") => (
            CallerKind::Service,
            own(identity.invoked_by.as_deref().or(identity.arn.as_deref())),
        ),
        Some("AssumedRole") => (CallerKind::Role, own(issuer.or(identity.arn.as_deref()))),
        Some("IAMUser" | "Root" | "FederatedUser") => {
            (CallerKind::User, own(identity.arn.as_deref()))
        }
        Some("AWSAccount") => (CallerKind::Account, own(identity.account_id.as_deref())),
        _ if identity.invoked_by.is_some() => {
            (CallerKind::Service, own(identity.invoked_by.as_deref()))
        }
        _ => (
            CallerKind::Other,
            own(identity.arn.as_deref().or(identity.principal_id.as_deref())),
        ),
    }
}

/// `arn:P:lambda:REGION:ACCOUNT:function:NAME[:QUALIFIER]` to the ARN without it, and it.
fn split_arn(arn: &str) -> Option<(String, Option<String>)> {
    let parts: Vec<&str> = arn.splitn(8, ':').collect();
    if parts.len() < 7 || parts[0] != "arn" || parts[2] != "lambda" || parts[5] != "function" {
        return None;
    }
    Some((
        parts[..7].join(":"),
        parts.get(7).map(|text| (*text).to_owned()),
    ))
}

/// `NAME[:QUALIFIER]`, `ACCOUNT:function:NAME[:QUALIFIER]` or an ARN to the name and the qualifier.
fn name_of(text: &str) -> (&str, Option<&str>) {
    let text = text
        .rsplit_once("function:")
        .map_or(text, |(_, after)| after);
    match text.split_once(':') {
        Some((name, qualifier)) => (name, Some(qualifier)),
        None => (text, None),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(record: &str, expected: Option<(&str, &str)>) {
        let record: Record<'_> = serde_json::from_str(record).unwrap();
        let found = invoked(&record).map(|(arn, c)| {
            let source = c.source_arn.as_deref().unwrap_or("-");
            let account = c.source_account.as_deref().unwrap_or("-");
            let qualifier = c.qualifier.as_deref().unwrap_or("-");
            (
                arn,
                format!(
                    "{} {} {source} {account} {qualifier}",
                    c.kind.as_str(),
                    c.who
                ),
            )
        });
        let expected = expected.map(|(arn, caller)| (arn.to_owned(), caller.to_owned()));
        assert_eq!(found, expected);
    }

    const FUNCTION: &str = "arn:aws:lambda:eu-west-1:111122223333:function:resize";

    #[test]
    fn services_roles_accounts_and_versions_are_told_apart() {
        check(
            r#"{"eventSource":"lambda.amazonaws.com","eventName":"Invoke","awsRegion":"eu-west-1","recipientAccountId":"111122223333",
                "userIdentity":{"type":"AWSService","invokedBy":"apigateway.amazonaws.com"},
                "requestParameters":{"functionName":"arn:aws:lambda:eu-west-1:111122223333:function:resize:live","sourceArn":"arn:aws:execute-api:eu-west-1:111122223333:api/prod/GET/x"},
                "resources":[{"type":"AWS::Lambda::Function","ARN":"arn:aws:lambda:eu-west-1:111122223333:function:resize"}]}"#,
            Some((
                FUNCTION,
                "service apigateway.amazonaws.com arn:aws:execute-api:eu-west-1:111122223333:api/prod/GET/x 111122223333 live",
            )),
        );
        check(
            r#"{"eventSource":"lambda.amazonaws.com","eventName":"Invoke","awsRegion":"eu-west-1","recipientAccountId":"111122223333",
                "userIdentity":{"type":"AssumedRole","arn":"arn:aws:sts::111122223333:assumed-role/caller/f","accountId":"111122223333","sessionContext":{"sessionIssuer":{"type":"Role","arn":"arn:aws:iam::111122223333:role/app/caller"}}},
                "requestParameters":{"functionName":"resize","qualifier":"7"}}"#,
            Some((
                FUNCTION,
                "role arn:aws:iam::111122223333:role/app/caller - - 7",
            )),
        );
        check(
            r#"{"eventSource":"lambda.amazonaws.com","eventName":"Invoke","awsRegion":"eu-west-1","recipientAccountId":"111122223333",
                "userIdentity":{"type":"AWSAccount","principalId":"AROAEXAMPLE:s","accountId":"999988887777"},
                "requestParameters":{"functionName":"111122223333:function:resize"}}"#,
            Some((FUNCTION, "account 999988887777 - - -")),
        );
    }

    #[test]
    fn refused_calls_and_the_callers_copy_are_no_invocations() {
        let other = r#"{"eventSource":"lambda.amazonaws.com","eventName":"Invoke","awsRegion":"eu-west-1","recipientAccountId":"999988887777",
            "userIdentity":{"type":"IAMUser"},"requestParameters":{"functionName":"arn:aws:lambda:eu-west-1:111122223333:function:resize"}}"#;
        check(other, None);
        let refused = r#"{"eventSource":"lambda.amazonaws.com","eventName":"Invoke","awsRegion":"eu-west-1","recipientAccountId":"111122223333",
            "errorCode":"AccessDenied","userIdentity":{"type":"IAMUser"},"requestParameters":{"functionName":"resize"}}"#;
        check(refused, None);
        check(
            r#"{"eventSource":"lambda.amazonaws.com","eventName":"ListFunctions20150331"}"#,
            None,
        );
    }
}
