//! Amazon Resource Names.

use std::fmt;

/// An ARN, `arn:partition:service:region:account:resource`, cut at its first five colons.
///
/// Fields may hold wildcards or be empty; the resource keeps every colon and slash after the fifth
/// colon. Printing gives back exactly the text that was parsed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Arn {
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub partition: String,
    /// The service namespace, such as `s3`.
    pub service: String,
    /// The region, empty for global resources.
    pub region: String,
    /// The twelve-digit account, empty for resources such as buckets.
    pub account: String,
    /// All after the fifth colon, such as `function:NAME` or `bucket/key`.
    pub resource: String,
}

impl Arn {
    /// Parses a text with at least five colons that begins with `arn`; nothing else is checked.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut parts = text.splitn(6, ':');
        if parts.next()? != "arn" {
            return None;
        }
        Some(Self {
            partition: parts.next()?.to_owned(),
            service: parts.next()?.to_owned(),
            region: parts.next()?.to_owned(),
            account: parts.next()?.to_owned(),
            resource: parts.next()?.to_owned(),
        })
    }
}

impl fmt::Display for Arn {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            partition,
            service,
            region,
            account,
            resource,
        } = self;
        write!(f, "arn:{partition}:{service}:{region}:{account}:{resource}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_arn_prints_as_it_was_written() {
        for text in [
            "arn:aws:s3:::bucket/a:b/c",
            "arn:aws-us-gov:lambda:us-gov-west-1:123456789012:function:f:1",
            "arn:*:*:*:*:*",
            "arn:::::",
        ] {
            assert_eq!(Arn::parse(text).unwrap().to_string(), text);
        }
        let arn = Arn::parse("arn:aws:lambda:eu-west-1:123456789012:function:f:1").unwrap();
        assert_eq!(
            (arn.service.as_str(), arn.resource.as_str()),
            ("lambda", "function:f:1")
        );
    }

    #[test]
    fn what_is_not_an_arn_is_none() {
        for text in ["", "*", "arn:aws:s3", "ARN:aws:s3:::b", "x:a:b:c:d:e"] {
            assert_eq!(Arn::parse(text), None, "{text}");
        }
    }
}
