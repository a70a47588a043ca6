//! Who may take a role: its trust policy reviewed. A role in, findings with stable codes out; the trust
//! policy itself stays as it is.

use serde::Serialize;
use serde_json::Value;

use crate::grants::Role;
use crate::iam::{Arn, pattern};

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrustCode {
    /// Anyone in the world may take the role.
    TrustAnyone,
    /// An Allow for everyone but some.
    TrustNotPrincipal,
    /// Another account may take the role, and no condition says who or for whom.
    TrustCrossAccountUnconditional,
    /// Tokens of an identity provider may take the role, and no condition says which.
    TrustFederatedUnconditional,
    /// Functions run with the role, and Lambda may not take it.
    TrustNoLambda,
    /// Lambda may take it only under a condition that its functions do not meet.
    TrustLambdaConditionFails,
    /// Another account may take the role under a condition.
    TrustCrossAccount,
    /// Something else than Lambda may take the role: a service, a user, a role, an identity provider.
    TrustOtherPrincipal,
    /// The trust policy cannot be read.
    TrustUnreadable,
}

impl TrustCode {
    /// The code.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::TrustAnyone => "trust-anyone",
            Self::TrustNotPrincipal => "trust-not-principal",
            Self::TrustCrossAccountUnconditional => "trust-cross-account-unconditional",
            Self::TrustFederatedUnconditional => "trust-federated-unconditional",
            Self::TrustNoLambda => "trust-no-lambda",
            Self::TrustLambdaConditionFails => "trust-lambda-condition-fails",
            Self::TrustCrossAccount => "trust-cross-account",
            Self::TrustOtherPrincipal => "trust-other-principal",
            Self::TrustUnreadable => "trust-unreadable",
        }
    }

    /// Whether a person should act on it; the others only inform.
    #[must_use]
    pub fn alarming(self) -> bool {
        !matches!(self, Self::TrustCrossAccount | Self::TrustOtherPrincipal)
    }
}

/// One finding on a trust policy.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct TrustFinding {
    /// Stable.
    pub code: TrustCode,
    /// The principal as the policy writes it; `None` where the finding is about none.
    pub principal: Option<String>,
    /// The statement: its Sid, or its place from 1.
    pub statement: Option<String>,
    /// In words.
    pub message: String,
}

/// What Lambda's services are called.
const LAMBDA: [&str; 2] = ["lambda.amazonaws.com", "edgelambda.amazonaws.com"];
/// Condition keys that say who assumes, or for whom (IAM user guide, global condition keys; STS keys).
const NARROWING: [&str; 14] = [
    "aws:principalaccount",
    "aws:principalarn",
    "aws:principalorgid",
    "aws:principalorgpaths",
    "aws:sourceaccount",
    "aws:sourcearn",
    "aws:sourceip",
    "aws:sourceorgid",
    "aws:sourceorgpaths",
    "aws:sourcevpc",
    "aws:sourcevpce",
    "aws:userid",
    "sts:externalid",
    "sts:sourceidentity",
];

struct Trust<'t> {
    value: &'t Value,
    name: String,
}

impl<'t> Trust<'t> {
    fn allows(&self) -> bool {
        self.value.get("Effect").and_then(Value::as_str) == Some("Allow")
    }

    /// Whether it is about a service, or a token, taking the role.
    fn assumes(&self) -> bool {
        let named = |key| strings(self.value.get(key));
        let about = |actions: &[&str]| {
            let calls = [
                "sts:AssumeRole",
                "sts:AssumeRoleWithWebIdentity",
                "sts:AssumeRoleWithSAML",
            ];
            calls.iter().any(|call| {
                let mut actions = actions.iter();
                actions.any(|action| pattern::matches_ignore_case(action, call))
            })
        };
        match (named("Action"), named("NotAction")) {
            (actions, _) if !actions.is_empty() => about(&actions),
            (_, not) if !not.is_empty() => !about(&not),
            _ => false,
        }
    }

    /// `(kind, principal)`, with kind `*` for a bare wildcard.
    fn principals(&self) -> Vec<(&'t str, &'t str)> {
        match self.value.get("Principal") {
            Some(Value::String(any)) => vec![("*", any.as_str())],
            Some(Value::Object(kinds)) => kinds
                .iter()
                .flat_map(|(kind, list)| {
                    let list = strings(Some(list)).into_iter();
                    list.map(move |principal| (kind.as_str(), principal))
                })
                .collect(),
            _ => Vec::new(),
        }
    }

    /// `(operator, key, values)`.
    fn conditions(&self) -> Vec<(&'t str, &'t str, Vec<&'t str>)> {
        let operators = self.value.get("Condition").and_then(Value::as_object);
        operators
            .into_iter()
            .flatten()
            .flat_map(|(operator, keys)| {
                let keys = keys.as_object().into_iter().flatten();
                keys.map(move |(key, values)| {
                    (operator.as_str(), key.as_str(), strings(Some(values)))
                })
            })
            .collect()
    }

    /// Whether a condition leaves less than everyone.
    fn narrowed(&self) -> bool {
        self.conditions().iter().any(|(operator, key, values)| {
            let operator = operator.to_ascii_lowercase();
            let key = key.to_ascii_lowercase();
            let of_provider =
                key.ends_with(":sub") || key.ends_with(":aud") || key.starts_with("saml:");
            let says = NARROWING.contains(&key.as_str())
                || of_provider
                || key.starts_with("aws:principaltag/");
            let positive = !operator.contains("not")
                && !operator.contains("ifexists")
                && !operator.starts_with("null")
                && !operator.starts_with("forallvalues");
            let bare = |value: &&str| value.chars().all(|c| c == '*');
            says && positive && !values.is_empty() && !values.iter().any(bare)
        })
    }
}

fn strings(value: Option<&Value>) -> Vec<&str> {
    match value {
        Some(Value::String(one)) => vec![one.as_str()],
        Some(Value::Array(list)) => list.iter().filter_map(Value::as_str).collect(),
        _ => Vec::new(),
    }
}

fn statements(trust: &Value) -> Vec<Trust<'_>> {
    let list: Vec<&Value> = match trust.get("Statement") {
        Some(Value::Array(list)) => list.iter().collect(),
        Some(one) => vec![one],
        None => Vec::new(),
    };
    list.into_iter()
        .enumerate()
        .map(|(at, value)| Trust {
            value,
            name: match value.get("Sid").and_then(Value::as_str) {
                Some(sid) if !sid.is_empty() => sid.to_owned(),
                _ => (at + 1).to_string(),
            },
        })
        .collect()
}

/// Reviews the trust policy of a role. `functions` are the ARNs of the functions that run with it.
#[must_use]
pub fn review(role: &Role, functions: &[&str]) -> Vec<TrustFinding> {
    let Some(trust) = &role.trust else {
        return vec![TrustFinding {
            code: TrustCode::TrustUnreadable,
            principal: None,
            statement: None,
            message: "the snapshot has no readable trust policy of the role".into(),
        }];
    };
    let mut findings = Vec::new();
    let statements = statements(trust);
    for statement in statements.iter().filter(|s| s.allows() && s.assumes()) {
        others(role, statement, &mut findings);
    }
    lambda(role, &statements, functions, &mut findings);
    findings.sort();
    findings.dedup();
    findings
}

fn others(role: &Role, statement: &Trust<'_>, findings: &mut Vec<TrustFinding>) {
    let mut found = |code, principal: &str, message: String| {
        findings.push(TrustFinding {
            code,
            principal: Some(principal.to_owned()),
            statement: Some(statement.name.clone()),
            message,
        });
    };
    let narrowed = statement.narrowed();
    if let Some(not) = statement.value.get("NotPrincipal") {
        let shown = not.to_string();
        let message = format!("everyone but {shown} may take the role");
        found(TrustCode::TrustNotPrincipal, &shown, message);
    }
    for (kind, principal) in statement.principals() {
        let wild = principal.chars().all(|c| c == '*');
        match kind {
            "*" | "AWS" if wild && !narrowed => found(
                TrustCode::TrustAnyone,
                principal,
                "anyone with AWS credentials, of any account, may take the role".into(),
            ),
            "*" | "AWS" if wild => found(
                TrustCode::TrustOtherPrincipal,
                principal,
                "any principal that meets the condition may take the role".into(),
            ),
            "AWS" => {
                let account = if principal.len() == 12 {
                    principal.to_owned()
                } else {
                    Arn::parse(principal)
                        .map(|arn| arn.account)
                        .unwrap_or_default()
                };
                let foreign = account.len() == 12 && account != role.account;
                match (foreign, narrowed) {
                    (true, false) => found(
                        TrustCode::TrustCrossAccountUnconditional,
                        principal,
                        format!(
                            "account {account} may take the role, and no condition says who or for whom"
                        ),
                    ),
                    (true, true) => found(
                        TrustCode::TrustCrossAccount,
                        principal,
                        format!("account {account} may take the role under a condition"),
                    ),
                    // A deleted user or role is left as its id, which nobody has any more.
                    _ => found(
                        TrustCode::TrustOtherPrincipal,
                        principal,
                        format!("`{principal}` may take the role beside Lambda"),
                    ),
                }
            }
            "Federated" if !narrowed => found(
                TrustCode::TrustFederatedUnconditional,
                principal,
                format!("any token of `{principal}` may take the role"),
            ),
            "Service" if LAMBDA.contains(&principal) => {}
            _ => found(
                TrustCode::TrustOtherPrincipal,
                principal,
                format!("`{principal}` may take the role beside Lambda"),
            ),
        }
    }
}

fn lambda(
    role: &Role,
    statements: &[Trust<'_>],
    functions: &[&str],
    findings: &mut Vec<TrustFinding>,
) {
    if functions.is_empty() {
        return;
    }
    let about_lambda = |s: &&Trust<'_>| {
        s.assumes()
            && s.principals().iter().any(|(kind, principal)| {
                matches!(*kind, "Service" | "*")
                    && pattern::matches_ignore_case(principal, LAMBDA[0])
            })
    };
    let shown: Vec<&str> = functions
        .iter()
        .map(|arn| arn.rsplit(':').next().unwrap_or(arn))
        .collect();
    let shown = shown.join(", ");
    let denies = statements
        .iter()
        .filter(|s| !s.allows() && s.value.get("Condition").is_none())
        .find(about_lambda);
    let allows: Vec<&Trust<'_>> = statements
        .iter()
        .filter(|s| s.allows())
        .filter(about_lambda)
        .collect();
    if let Some(deny) = denies {
        findings.push(TrustFinding {
            code: TrustCode::TrustNoLambda,
            principal: Some(LAMBDA[0].into()),
            statement: Some(deny.name.clone()),
            message: format!("a Deny keeps Lambda from taking the role of {shown}"),
        });
        return;
    }
    if allows.is_empty() {
        findings.push(TrustFinding {
            code: TrustCode::TrustNoLambda,
            principal: None,
            statement: None,
            message: format!(
                "{shown} cannot start: no statement lets {} take the role",
                LAMBDA[0]
            ),
        });
        return;
    }
    let failing: Vec<Option<String>> = allows
        .iter()
        .map(|statement| fails(role, statement, functions))
        .collect();
    if let (true, Some(Some(why))) = (failing.iter().all(Option::is_some), failing.first()) {
        findings.push(TrustFinding {
            code: TrustCode::TrustLambdaConditionFails,
            principal: Some(LAMBDA[0].into()),
            statement: Some(allows[0].name.clone()),
            message: why.clone(),
        });
    }
}

/// Why a condition of Lambda's statement cannot hold for some function. Only the two keys that Lambda's
/// own requests can carry and that can be compared are looked at.
fn fails(role: &Role, statement: &Trust<'_>, functions: &[&str]) -> Option<String> {
    for (operator, key, values) in statement.conditions() {
        let operator = operator.to_ascii_lowercase();
        if operator.contains("not") || operator.contains("ifexists") || operator.contains(':') {
            continue;
        }
        let any = |text: &str| values.iter().any(|value| pattern::matches(value, text));
        match key.to_ascii_lowercase().as_str() {
            "aws:sourceaccount" if !any(&role.account) => {
                return Some(format!(
                    "Lambda may take the role for account {} only, and its functions are in {}",
                    values.join(", "),
                    role.account
                ));
            }
            "aws:sourcearn" => {
                let outside = functions
                    .iter()
                    .find(|arn| !any(arn) && !any(&format!("{arn}:$LATEST")));
                // Pollers may name another source than the function: only what names functions counts.
                let names = values.iter().any(|value| value.contains(":function:"));
                if let (Some(function), true) = (outside, names) {
                    return Some(format!(
                        "Lambda may take the role for {} only, and {function} is not among them",
                        values.join(", ")
                    ));
                }
            }
            // A condition key of identity policies: Lambda's request to take a role never has it.
            "lambda:sourcefunctionarn" => {
                return Some(
                    "the condition key lambda:SourceFunctionArn is not in Lambda's request to take a role".into(),
                );
            }
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests;
