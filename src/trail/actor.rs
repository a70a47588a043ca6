//! Who acted, as one record tells it: a record in, an [`Actor`] out.
//!
//! Told apart: a role session's own calls, the Lambda platform's calls with the role, calls of a
//! service for the role, and use of the role's credentials where no Lambda runtime can be. Knows
//! nothing of other records, so what only a whole trail shows (which roles are Lambda's, whether
//! a forwarded call followed one from outside) is for those who read many.

use std::borrow::Cow;

use serde::Deserialize;

use super::agent;
use super::record::{Record, SessionIssuer};

/// Who acted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Actor<'r> {
    /// A session of a role: IAM checked the role's permissions.
    Role(RoleSession<'r>),
    /// Lambda took a role: the surest sign that it is an execution role. No action of the role.
    LambdaTookRole {
        /// The ARN of the role, with its path.
        role: Cow<'r, str>,
        /// The name of the function, where Lambda took the role to run one.
        function: Option<Cow<'r, str>>,
    },
    /// Anyone else: users, services, other accounts, sessions that no role issued.
    Other,
}

/// A session of a role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleSession<'r> {
    /// The ARN of the role: `sessionIssuer.arn` as it is, with its path. Where a record has no issuer,
    /// made from the ARN of the session, see `path_known`.
    pub role_arn: Cow<'r, str>,
    /// False where the record names the role only by `assumed-role/NAME/…`, which leaves the path out:
    /// `role_arn` is then right for a role without a path. Names are unique in an account whatever the
    /// path, so account and name still say which role it is.
    pub path_known: bool,
    /// `AROA…`: changes when a role is deleted and created again.
    pub principal_id: Option<&'r str>,
    /// The name of the session.
    pub session_name: Option<&'r str>,
    /// The function, where the record itself shows one. For a role that other records show to be
    /// Lambda's, see [`RoleSession::function_by_session`].
    pub function: Option<FunctionRef<'r>>,
    /// What kind of call it was, taking the role for one of Lambda's.
    pub class: Class,
    /// The record itself shows Lambda: credentials issued to a function, Lambda's agent or
    /// environment, or a form of call that only Lambda makes. Credentials issued to a function
    /// (`function` with an ARN) prove an execution role; the others are strong signs, since a function
    /// that takes a second role carries its environment into that one's records.
    pub lambda: bool,
}

impl<'r> RoleSession<'r> {
    /// The function of a session of a role that is known to be Lambda's: as the record shows it, else
    /// by the session name, which Lambda sets to the name of the function. `None` for Lambda's own sessions.
    #[must_use]
    pub fn function_by_session(&self) -> Option<Cow<'r, str>> {
        if let Some(function) = &self.function {
            return Some(function.name.clone());
        }
        self.session_name
            .and_then(function_of_session)
            .map(Cow::Borrowed)
    }
}

/// A function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FunctionRef<'r> {
    /// Its name.
    pub name: Cow<'r, str>,
    /// Its ARN without a version, where the credentials were issued to it by name (`inScopeOf`).
    pub arn: Option<Cow<'r, str>>,
}

/// What kind of call a role session made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// The function's own code, or what cannot be told from it.
    Code,
    /// The runtime around the code: log streams, decrypting environment variables.
    Platform,
    /// A service acting on a call of the role, with the role's permissions (`invokedBy`).
    Forwarded,
    /// Lambda using the role on its own: pollers, network interfaces.
    Service,
    /// From where no Lambda runtime can be: another operating system, the console, another service's
    /// credentials, a session that Lambda would not name so (it names them after functions). For a
    /// Lambda role, use of its credentials outside Lambda.
    Outside,
}

impl Class {
    /// The word for it in output.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Code => "code",
            Self::Platform => "platform",
            Self::Forwarded => "forwarded",
            Self::Service => "service",
            Self::Outside => "outside",
        }
    }
}

/// The services that run functions and take their roles.
const LAMBDA: [&str; 2] = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"];
/// What `inScopeOf` calls a function.
const FUNCTION_ISSUER: &str = "AWS::Lambda::Function";

/// What issues sessions that are no role's. (CloudTrail user guide, `userIdentity`.)
const OTHER_ISSUERS: [&str; 6] = [
    "FederatedUser",
    "IAMUser",
    "Root",
    "SAMLUser",
    "User",
    "WebIdentityUser",
];

/// Says who acted.
#[must_use]
pub fn actor<'r>(record: &'r Record<'_>) -> Actor<'r> {
    let identity = &record.user_identity;
    let session = || role_session(record).map(Actor::Role);
    match identity.kind.as_deref() {
        Some("AssumedRole") => session().unwrap_or(Actor::Other),
        Some("AWSService") => lambda_took_role(record).unwrap_or(Actor::Other),
        // Who acted is in several places: where one is damaged the others tell.
        None => lambda_took_role(record)
            .or_else(session)
            .unwrap_or(Actor::Other),
        Some(_) => Actor::Other,
    }
}

/// Whether a record must have been made by somebody and does not say by whom, or by a role's session
/// and not by which role's: then it may have been any role's use. AWS writes `userIdentity` in every
/// record, and the issuer or the ARN of a session in every one of a session.
#[must_use]
pub fn is_damaged(record: &Record<'_>) -> bool {
    let identity = &record.user_identity;
    match identity.kind.as_deref() {
        Some("AssumedRole") => role_arn(record).is_none(),
        Some(_) => false,
        None => identity.is_empty(),
    }
}

/// Whether `invokedBy` names a service that runs functions and takes their roles.
#[must_use]
pub fn is_lambda(invoked_by: &str) -> bool {
    LAMBDA.contains(&invoked_by)
}

/// Form A. A call that failed took no role.
fn lambda_took_role<'r>(record: &'r Record<'_>) -> Option<Actor<'r>> {
    #[derive(Deserialize)]
    #[serde(rename_all = "camelCase")]
    struct Parameters<'p> {
        #[serde(borrow)]
        role_arn: Cow<'p, str>,
        #[serde(borrow, default)]
        role_session_name: Option<Cow<'p, str>>,
    }
    let by_lambda = record
        .user_identity
        .invoked_by
        .as_deref()
        .is_some_and(is_lambda);
    if !by_lambda
        || record.event_source != "sts.amazonaws.com"
        || record.event_name != "AssumeRole"
        || record.error_code.is_some()
    {
        return None;
    }
    let parameters: Parameters<'r> = serde_json::from_str(record.request_parameters?.get()).ok()?;
    let function = parameters
        .role_session_name
        .and_then(|session| function_of_session(&session).map(|name| Cow::Owned(name.to_owned())));
    Some(Actor::LambdaTookRole {
        role: parameters.role_arn,
        function,
    })
}

/// The ARN of the role whose session it is, and whether its path is known.
fn role_arn<'r>(record: &'r Record<'_>) -> Option<(Cow<'r, str>, bool)> {
    let identity = &record.user_identity;
    let issuer = issuer(record).and_then(|issuer| issuer.arn.as_deref());
    if let Some(arn) = issuer.filter(|arn| is_role_arn(arn)) {
        return Some((Cow::Borrowed(arn), true));
    }
    let session = role_of_session(identity.arn.as_deref()?)?;
    Some((Cow::Owned(session), false))
}

fn issuer<'r>(record: &'r Record<'_>) -> Option<&'r SessionIssuer<'r>> {
    let context = record.user_identity.session_context.as_ref()?;
    context.session_issuer.as_ref()
}

fn role_session<'r>(record: &'r Record<'_>) -> Option<RoleSession<'r>> {
    let identity = &record.user_identity;
    let issuer = issuer(record);
    let other = issuer.and_then(|issuer| issuer.kind.as_deref());
    if other.is_some_and(|kind| OTHER_ISSUERS.contains(&kind)) {
        return None;
    }
    let (role_arn, path_known) = role_arn(record)?;
    let principal = identity.principal_id.as_deref();
    let session_name = identity
        .arn
        .as_deref()
        .and_then(|arn| {
            arn.split_once(":assumed-role/")?
                .1
                .split_once('/')
                .map(|(_, session)| session)
        })
        .or_else(|| {
            principal
                .and_then(|id| id.split_once(':'))
                .map(|(_, session)| session)
        });
    let scope = identity.in_scope_of.as_ref();
    let scope_kind = scope.and_then(|scope| scope.issuer_type.as_deref());
    let issued_to = scope
        .and_then(|scope| scope.credentials_issued_to.as_deref())
        .and_then(function_of_arn);
    let in_scope = scope_kind == Some(FUNCTION_ISSUER) || issued_to.is_some();
    let own_function = function_of_session(session_name.unwrap_or_default());

    let class = if is_platform(record, own_function) {
        Class::Platform
    } else if session_name.is_some_and(is_lambdas_own) || is_lambda_itself(record) {
        Class::Service
    } else if identity
        .invoked_by
        .as_deref()
        .is_some_and(|by| !by.is_empty())
    {
        Class::Forwarded
    } else if scope_kind.is_some() && !in_scope
        || agent::shows_no_lambda(record)
        || session_name.is_some_and(|session| own_function.is_none() && !is_lambdas_own(session))
            && !in_scope
            && !agent::shows_lambda(record)
    {
        Class::Outside
    } else {
        Class::Code
    };
    let lambda = in_scope
        || matches!(class, Class::Platform | Class::Service)
        || class == Class::Code
            && agent::shows_lambda(record)
            && !role_arn.contains(":role/aws-service-role/");
    let scoped = scope
        .filter(|_| in_scope)
        .and_then(|scope| scope.credentials_issued_to.as_deref());
    let function = match scoped.and_then(|arn| Some((arn, function_of_arn(arn)?))) {
        Some((arn, name)) => Some(FunctionRef {
            name: Cow::Borrowed(name),
            arn: Some(Cow::Borrowed(arn)),
        }),
        None => own_function.filter(|_| lambda).map(|name| FunctionRef {
            name: Cow::Borrowed(name),
            arn: None,
        }),
    };
    Some(RoleSession {
        role_arn,
        path_known,
        principal_id: issuer
            .and_then(|issuer| issuer.principal_id.as_deref())
            .or_else(|| principal.map(|id| id.split(':').next().unwrap_or(id))),
        session_name,
        function,
        class,
        lambda,
    })
}

/// Forms D and E: the runtime's log streams, and its decrypting of the function's own environment.
fn is_platform(record: &Record<'_>, own_function: Option<&str>) -> bool {
    let by = record.user_identity.invoked_by.as_deref();
    match (&*record.event_source, &*record.event_name) {
        ("logs.amazonaws.com", "CreateLogStream" | "CreateLogGroup") => {
            agent::of(record).starts_with("awslambda-worker")
                || by.is_some_and(|by| LAMBDA.contains(&by))
                || by.is_none() && is_lambda_itself(record)
        }
        ("kms.amazonaws.com", "Decrypt") if by.is_none() && own_function.is_some() => {
            match record.request_parameters {
                Some(parameters) => {
                    let context = function_in_context(parameters.get());
                    context.as_deref().and_then(function_of_arn) == own_function
                }
                // Refused calls carry no parameters; only AWS has this agent.
                None => {
                    record.error_code.is_some() && agent::of(record).starts_with("aws-internal/")
                }
            }
        }
        _ => false,
    }
}

/// Lambda calling in its own name, not for a call of the role.
fn is_lambda_itself(record: &Record<'_>) -> bool {
    let is_lambda =
        |name: &Option<Cow<'_, str>>| name.as_deref().is_some_and(|name| LAMBDA.contains(&name));
    record.user_identity.invoked_by.is_none()
        && (is_lambda(&record.source_ip_address) || is_lambda(&record.user_agent))
}

/// `encryptionContext["aws:lambda:FunctionArn"]` of the parameters of a KMS call.
fn function_in_context(parameters: &str) -> Option<Cow<'_, str>> {
    #[derive(Deserialize)]
    struct Parameters<'p> {
        #[serde(borrow, rename = "encryptionContext")]
        context: Context<'p>,
    }
    #[derive(Deserialize)]
    struct Context<'p> {
        #[serde(borrow, rename = "aws:lambda:FunctionArn")]
        function: Cow<'p, str>,
    }
    serde_json::from_str::<Parameters<'_>>(parameters)
        .ok()
        .map(|parameters| parameters.context.function)
}

/// `arn:PARTITION:lambda:REGION:ACCOUNT:function:NAME[:VERSION]` to its name.
fn function_of_arn(arn: &str) -> Option<&str> {
    let mut parts = arn.split(':');
    let lambda = (parts.next(), parts.nth(1)) == (Some("arn"), Some("lambda"));
    (lambda && parts.nth(2) == Some("function")).then(|| parts.next())?
}

/// The name of the function that a session is named after. Lambda@Edge puts its home Region before it.
fn function_of_session(session: &str) -> Option<&str> {
    let name = session.strip_prefix("us-east-1.").unwrap_or(session);
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    ((1..=64).contains(&name.len()) && name.bytes().all(plain) && !is_lambdas_own(name))
        .then_some(name)
}

/// `awslambda_<n>_<timestamp>`: form H.
fn is_lambdas_own(session: &str) -> bool {
    let digits = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    session
        .strip_prefix("awslambda_")
        .and_then(|rest| rest.split_once('_'))
        .is_some_and(|(number, time)| digits(number) && digits(time))
}

fn is_role_arn(arn: &str) -> bool {
    arn.starts_with("arn:") && arn.contains(":iam::") && arn.contains(":role/")
}

/// `arn:PARTITION:sts::ACCOUNT:assumed-role/ROLE/SESSION` to the ARN of a role without a path.
fn role_of_session(arn: &str) -> Option<String> {
    let (left, right) = arn.split_once(":assumed-role/")?;
    let (partition, account) = left.strip_prefix("arn:")?.split_once(":sts::")?;
    let role = right.split('/').next().filter(|role| !role.is_empty())?;
    Some(format!("arn:{partition}:iam::{account}:role/{role}"))
}

#[cfg(test)]
mod tests;
