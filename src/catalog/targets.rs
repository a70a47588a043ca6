//! Which resources an action takes at all: a grant on others allows nothing.

use super::{ActionFacts, Catalog};
use crate::iam::{Arn, pattern};

impl Catalog {
    /// Whether something that `resource`, a pattern of a policy, matches is of a type that the action
    /// accepts: `s3:GetObject` on a bucket's own ARN, or `sqs:ListQueues` on a queue, allows nothing.
    /// A policy variable may hold anything.
    #[must_use]
    pub fn takes(&self, facts: &ActionFacts, resource: &str) -> bool {
        let opened;
        let resource = if resource.contains("${") {
            // A default in quotes, or a brace left open: not worth reading, and it may be of any type.
            if resource.contains('\'')
                || resource.matches("${").count() != resource.matches('}').count()
            {
                return true;
            }
            opened = any_names(resource);
            opened.as_str()
        } else {
            resource
        };
        if facts.resource_types.is_empty() {
            return pattern::matches(resource, "*");
        }
        let service = facts.action.service();
        let mut formats = facts
            .resource_types
            .iter()
            .flat_map(|kind| self.arn_formats(service, kind.name));
        // Every format meets what most wide grants are on; thousands of actions ask.
        if resource == "*" {
            return formats.next().is_some();
        }
        formats.any(|format| {
            match (Arn::parse(format), Arn::parse(resource)) {
                // Part by part: a format that has a Region is not met by an ARN without one.
                (Some(format), Some(arn)) => {
                    let part = |format: &str, part: &str| {
                        pattern::overlaps(
                            &format
                                .replace("${Region}", "?*")
                                .replace("${Account}", "?*"),
                            part,
                        )
                    };
                    part(&format.region, &arn.region)
                        && part(&format.account, &arn.account)
                        && part(&format.service, &arn.service)
                        && pattern::overlaps(&any_names(&format.resource), &arn.resource)
                }
                _ => pattern::overlaps(&any_names(format), resource),
            }
        })
    }
}

/// A format with every `${Name}` as `*`.
fn any_names(format: &str) -> String {
    let mut out = String::with_capacity(format.len());
    let mut rest = format;
    while let Some((before, after)) = rest.split_once("${") {
        out.push_str(before);
        out.push('*');
        rest = after.split_once('}').map_or("", |(_, after)| after);
    }
    out + rest
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_grant_on_another_type_is_not_taken() {
        let catalog = Catalog::builtin();
        let takes =
            |action: &str, resource: &str| catalog.takes(catalog.action(action).unwrap(), resource);
        assert!(takes("s3:GetObject", "arn:aws:s3:::in/*"));
        assert!(takes("s3:GetObject", "*"));
        assert!(!takes("s3:GetObject", "arn:aws:s3:::in"));
        assert!(!takes(
            "sqs:ListQueues",
            "arn:aws:sqs:us-east-1:111122223333:q"
        ));
        assert!(takes("sqs:SendMessage", "arn:aws:sqs:*:111122223333:q"));
        assert!(takes(
            "s3:GetObject",
            "arn:aws:s3:::${aws:PrincipalTag/team}/*"
        ));
        assert!(takes(
            "dynamodb:GetItem",
            "arn:aws:dynamodb:us-east-1:${aws:PrincipalAccount}:table/*"
        ));
        assert!(!takes(
            "a2c:StartDeploymentJob",
            "arn:aws:s3:::b/${aws:userid}/*"
        ));
        assert!(takes(
            "sqs:SendMessage",
            "arn:aws:s3:::${aws:PrincipalTag/team, 'x'}"
        ));
    }
}
