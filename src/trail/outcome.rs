//! Whether a call was allowed: one record in, one answer out.
//!
//! Almost every error means that IAM said yes and the service then said no: throttling, not found,
//! validation, `DryRunOperation`. Only the codes with which services report a refused permission are
//! denials. In doubt a call counts as authorised, and that is the safe side: whatever is proposed is
//! clipped to what the current policy allows, so a denial taken for a use widens nothing, while a use
//! taken for a denial breaks the function.

use super::record::Record;

/// The codes of a refused permission, without `Client.` and the like, in lower case. Beside these,
/// every code that starts with `AccessDenied` counts (`AccessDenied` of S3, IAM and STS,
/// `AccessDeniedException` of most services, `AccessDeniedFault`).
const DENIALS: [&str; 11] = [
    "authorizationerror",          // SNS
    "authorizationerrorexception", // SNS, newer
    "forbidden",
    "forbiddenexception", // IoT, Kafka, MediaLive: "the caller isn't authorized to make the request"
    "notauthorized", // the common error of the query protocol; not Cognito's NotAuthorizedException
    "unauthorized",
    "unauthorizedaccess",
    "unauthorizedexception", // IoT, AppSync, Amplify
    "unauthorizedoperation", // EC2
    "vpceaccessdenied",      // the policy of a VPC endpoint
    "vpcendpointaccessdenied",
];
// Not denials, though they sound like it:
// - AllAccessDisabled, AccountProblem, InvalidObjectState (S3): the state of the bucket or object.
// - NotAuthorizedException (Cognito): a wrong password, of a call that IAM allowed.
// - KMSAccessDeniedException, KmsAccessDenied, KMS.AccessDeniedException: the call itself was allowed,
//   the key was not; KMS writes a record of its own.
// - AuthFailure, OptInRequired, OperationNotPermitted (EC2): not from a policy.
// - ExpiredToken, InvalidClientTokenId, SignatureDoesNotMatch: IAM was never asked.
// - AuthorizationNotFound, AuthorizationAlreadyExists (RDS): database security groups.

/// Whether IAM (or a policy beside it) refused the call. False where it succeeded or failed otherwise.
#[must_use]
pub fn denied(record: &Record<'_>) -> bool {
    record.error_code.as_deref().is_some_and(|code| {
        let message = record.error_message.as_deref().unwrap_or_default();
        is_denial(code, message, &record.event_name)
    })
}

/// The same of a call by its `errorCode`, `errorMessage` and `eventName`.
#[must_use]
pub fn is_denial(code: &str, message: &str, event_name: &str) -> bool {
    let code = code.rsplit('#').next().unwrap_or(code).trim();
    let code = ["Client.", "Server."]
        .iter()
        .find_map(|from| code.strip_prefix(from))
        .unwrap_or(code);
    let code = code.to_ascii_lowercase();
    code.starts_with("accessdenied")
        || DENIALS.contains(&code.as_str())
        || names_the_call(message, event_name)
}

/// IAM's own sentence, "… is not authorized to perform: sqs:SendMessage …", about this very call.
/// The same sentence about another action is a refusal further down, of a call that was allowed.
fn names_the_call(message: &str, event_name: &str) -> bool {
    const SENTENCE: &str = "is not authorized to perform: ";
    let Some((_, after)) = message.split_once(SENTENCE) else {
        return false;
    };
    let action = after.split_whitespace().next().unwrap_or_default();
    action
        .split_once(':')
        .is_some_and(|(_, name)| name.eq_ignore_ascii_case(event_name))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(code: Option<&str>, message: &str, expected: bool) {
        let record = Record {
            event_source: "sqs.amazonaws.com".into(),
            event_name: "SendMessage".into(),
            error_code: code.map(Into::into),
            error_message: Some(message.into()),
            ..Record::default()
        };
        assert_eq!(denied(&record), expected, "{code:?} {message}");
    }

    #[test]
    fn a_refused_permission_is_denied() {
        for code in [
            "AccessDenied",
            "AccessDeniedException",
            "AccessDeniedFault",
            "accessdenied",
            "Client.UnauthorizedOperation",
            "UnauthorizedOperation",
            "Client.AccessDenied",
            "com.amazonaws.kms#AccessDeniedException",
            "VpceAccessDenied",
            "AuthorizationError",
            "AuthorizationErrorException",
            "UnauthorizedException",
            "ForbiddenException",
            "NotAuthorized",
        ] {
            check(Some(code), "", true);
        }
    }

    #[test]
    fn any_other_failure_was_authorised() {
        check(None, "", false);
        check(None, "AccessDenied", false);
        for code in [
            "",
            "NoSuchBucketPolicy",
            "NoSuchTagSet",
            "ReplicationConfigurationNotFoundError",
            "ResourceNotFoundException",
            "Client.DryRunOperation",
            "ThrottlingException",
            "Client.RequestLimitExceeded",
            "ValidationException",
            "ConditionalCheckFailedException",
            "NotAuthorizedException",
            "KMSAccessDeniedException",
            "KMS.AccessDeniedException",
            "KmsAccessDenied",
            "AllAccessDisabled",
            "Client.AuthFailure",
            "AuthorizationNotFound",
            "InvalidCloudWatchLogsRoleArnException",
            "ExpiredToken",
        ] {
            check(Some(code), "", false);
        }
    }

    #[test]
    fn the_sentence_of_iam_about_this_call_is_a_denial_under_any_code() {
        let sentence = |action: &str| {
            format!(
                "User: arn:aws:sts::111122223333:assumed-role/r/f is not authorized to perform: {action} on resource: x"
            )
        };
        check(Some("InvalidRequest"), &sentence("sqs:SendMessage"), true);
        check(Some("InvalidRequest"), &sentence("sqs:sendmessage"), true);
        check(
            Some("InvalidRequest"),
            &sentence("kms:GenerateDataKey"),
            false,
        );
        check(
            Some("InvalidRequest"),
            "is not authorized to perform: ",
            false,
        );
    }
}
