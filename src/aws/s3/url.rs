//! `s3://bucket/key`.

use crate::aws::AwsError;
use crate::read::joined::S3_SCHEME;

/// A place in S3. The key is a folder where it is empty or ends in `/`; otherwise the URL does not tell.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Url {
    pub(super) bucket: String,
    pub(super) key: String,
}

impl Url {
    /// Reads an URL. For a bucket the ARN of an access point is taken too.
    pub(super) fn parse(url: &str) -> Result<Self, AwsError> {
        let wrong = || AwsError::plain(format!("`{url}` is not `s3://bucket/prefix`"));
        let rest = url.strip_prefix(S3_SCHEME).ok_or_else(wrong)?;
        let (bucket, key) = if rest.starts_with("arn:") {
            // arn:aws:s3:REGION:ACCOUNT:accesspoint/NAME[/key]
            let name = rest.find('/').ok_or_else(wrong)? + 1;
            let end = rest[name..].find('/').map_or(rest.len(), |at| name + at);
            (&rest[..end], rest.get(end + 1..).unwrap_or_default())
        } else {
            rest.split_once('/').unwrap_or((rest, ""))
        };
        if bucket.is_empty() {
            return Err(wrong());
        }
        Ok(Self {
            bucket: bucket.to_owned(),
            key: key.to_owned(),
        })
    }

    /// Whether everything below `other` is below this, too.
    pub(super) fn holds(&self, other: &Self) -> bool {
        let folder = self.key.is_empty() || self.key.ends_with('/');
        self != other && self.bucket == other.bucket && folder && other.key.starts_with(&self.key)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_access_points_and_nonsense() {
        let parse = |url: &str| Url::parse(url).map(|url| (url.bucket, url.key)).ok();
        let pair = |a: &str, b: &str| Some((a.to_owned(), b.to_owned()));
        assert_eq!(parse("s3://b"), pair("b", ""));
        assert_eq!(parse("s3://b/AWSLogs/x y"), pair("b", "AWSLogs/x y"));
        assert_eq!(
            parse("s3://arn:aws:s3:us-east-1:111122223333:accesspoint/logs/AWSLogs/a"),
            pair(
                "arn:aws:s3:us-east-1:111122223333:accesspoint/logs",
                "AWSLogs/a"
            )
        );
        for wrong in ["s3://", "s3:///x", "b", "s3://arn:aws:s3"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn a_folder_holds_what_is_below_it() {
        let url = |url| Url::parse(url).unwrap();
        assert!(url("s3://b").holds(&url("s3://b/a")));
        assert!(url("s3://b/a/").holds(&url("s3://b/a/b")));
        assert!(!url("s3://b/a").holds(&url("s3://b/ab")));
        assert!(!url("s3://b/a/").holds(&url("s3://c/a/b")));
        assert!(!url("s3://b").holds(&url("s3://b")));
    }
}
