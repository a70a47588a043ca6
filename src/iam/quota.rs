//! IAM's limits on policies of a role.
//!
//! From the IAM quotas page: inline policies of one role together hold at most 10,240 characters, a
//! managed policy at most 6,144, and ten managed policies can be attached to a role by default. IAM
//! does not count white space.

use super::PolicyDocument;

/// Characters that all inline policies of one role may hold together.
pub const INLINE_ROLE: usize = 10_240;

/// Characters that one managed policy may hold.
pub const MANAGED: usize = 6_144;

/// Managed policies that can be attached to a role unless AWS raised the quota.
pub const MANAGED_PER_ROLE: usize = 10;

/// The size of a policy as IAM counts it: characters of its compact form.
///
/// White space within strings is counted here: the documentation does not say whether it is, and
/// too large a number never makes IAM refuse a policy.
#[must_use]
pub fn characters(document: &PolicyDocument) -> usize {
    document.to_json_compact().chars().count()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn white_space_between_elements_is_not_counted() {
        let spread = r#"{ "Version" : "2012-10-17",
            "Statement": [ {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"} ] }"#;
        let compact = r#"{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"s3:GetObject","Resource":"*"}]}"#;
        assert_eq!(
            characters(&PolicyDocument::parse(spread).unwrap()),
            compact.len()
        );
    }

    #[test]
    fn characters_are_not_bytes() {
        let policy = r#"{"Id":"ü","Statement":[]}"#;
        assert_eq!(
            characters(&PolicyDocument::parse(policy).unwrap()),
            policy.chars().count()
        );
    }
}
