//! The grammar of log object keys: what a name alone tells about an object.
//!
//! `[prefix/]AWSLogs/[o-…/]ACCOUNT/CloudTrail/REGION/YYYY/MM/DD/ACCOUNT_CloudTrail_REGION_YYYYMMDDTHHMMZ_RANDOM.json.gz`
//! (AWS: CloudTrail log file names; finding your CloudTrail log files). Comes in: a path or object
//! key with either kind of separator, or its folder part, or its file name alone. Goes out:
//! [`LogKey`], with what was there. What a name says about the content is AWS's habit, not a promise:
//! it is good for passing objects over, never for attributing records.

use jiff::civil::{Date, DateTime, Time};
use jiff::tz::TimeZone;

/// What a log object holds, as its key says.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub enum LogKind {
    /// Management and data events: what rolefit reads.
    CloudTrail,
    /// Hashes of delivered log files.
    Digest,
    /// Unusual activity found by CloudTrail Insights.
    Insight,
    /// Five-minute summaries of data events.
    Aggregated,
    /// Calls seen at VPC endpoints; the calls themselves are also in the CloudTrail folder.
    NetworkActivity,
    /// Another kind of CloudTrail folder (`CloudTrail-…`), by name.
    OtherCloudTrail(String),
    /// The logs of another service (`Config`, `elasticloadbalancing`, `vpcflowlogs`, …), by name.
    OtherService(String),
}

impl LogKind {
    fn of(name: &str) -> Self {
        match name {
            "CloudTrail" => Self::CloudTrail,
            "CloudTrail-Digest" => Self::Digest,
            "CloudTrail-Insight" => Self::Insight,
            "CloudTrail-Aggregated" => Self::Aggregated,
            "CloudTrail-NetworkActivity" => Self::NetworkActivity,
            _ if name.starts_with("CloudTrail-") => Self::OtherCloudTrail(name.to_owned()),
            _ => Self::OtherService(name.to_owned()),
        }
    }

    /// Why objects of this kind are passed over without being opened; `None` for those that are read.
    #[must_use]
    pub fn skip_reason(&self) -> Option<String> {
        Some(match self {
            Self::CloudTrail => return None,
            Self::Digest => "digest of log files, not events".to_owned(),
            Self::Insight => "CloudTrail Insights, not calls".to_owned(),
            Self::Aggregated => "aggregated data events, not calls".to_owned(),
            Self::NetworkActivity => {
                "network activity events: the calls are in the CloudTrail folder".to_owned()
            }
            Self::OtherCloudTrail(name) => {
                format!("CloudTrail objects of an unknown kind, `{name}`")
            }
            Self::OtherService(name) => format!("logs of another service, `{name}`"),
        })
    }
}

/// What the key of a log object tells. Absent parts are `None`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogKey {
    /// The organisation, `o-…`, in the keys of an organisation trail.
    pub organization: Option<String>,
    /// The 12-digit account.
    pub account: Option<String>,
    /// The kind of log.
    pub kind: LogKind,
    /// The Region.
    pub region: Option<String>,
    /// The day of delivery, in UTC. Events are from before it ended, some from the day before.
    pub day: Option<Date>,
    /// The minute of delivery, in seconds since 1970. Events are from before the end of that minute.
    pub delivered: Option<i64>,
}

impl LogKey {
    /// Reads a path or key, its folder part or its file name. `None` where it does not follow the
    /// grammar. Where folder and file name disagree, the file name counts: AWS wrote it.
    #[must_use]
    pub fn parse(path: &str) -> Option<Self> {
        let parts: Vec<&str> = path
            .split(['/', '\\'])
            .filter(|part| !part.is_empty())
            .collect();
        let folder = folder(&parts);
        let Some(mut key) = parts.last().and_then(|name| file_name(name)) else {
            return folder;
        };
        if let Some(folder) = folder {
            key.organization = folder.organization;
            key.account = key.account.or(folder.account);
            key.region = key.region.or(folder.region);
            key.day = key.day.or(folder.day);
        }
        Some(key)
    }
}

/// `AWSLogs/[o-…/]ACCOUNT/KIND/[REGION/[YYYY/[MM/DD]]]`; the last `AWSLogs` counts.
fn folder(parts: &[&str]) -> Option<LogKey> {
    let start = parts.iter().rposition(|part| *part == "AWSLogs")? + 1;
    let mut rest = parts.get(start..)?.iter().copied();
    let mut part = rest.next()?;
    let mut organization = None;
    if part.starts_with("o-") {
        organization = Some(part.to_owned());
        part = rest.next()?;
    }
    let account = is_account(part).then(|| part.to_owned())?;
    let kind = LogKind::of(rest.next()?);
    let region = rest
        .next()
        .filter(|part| is_region(part))
        .map(str::to_owned);
    let day = match (rest.next(), rest.next(), rest.next()) {
        (Some(year), Some(month), Some(day)) => date(year, month, day),
        _ => None,
    };
    Some(LogKey {
        organization,
        account: Some(account),
        kind,
        region,
        day,
        delivered: None,
    })
}

/// `ACCOUNT_KIND_REGION_[…_]YYYYMMDDTHHMMZ[_RANDOM].json[.gz]`, for the kinds of CloudTrail; digests
/// put the name of the trail and its Region, and seconds, before and into the time.
fn file_name(name: &str) -> Option<LogKey> {
    let mut parts = name.split('.').next()?.split('_');
    let account = parts.next().filter(|part| is_account(part))?;
    let kind = parts
        .next()
        .filter(|part| *part == "CloudTrail" || part.starts_with("CloudTrail-"))?;
    let region = parts.next().filter(|part| is_region(part))?;
    let delivered = parts.filter_map(stamp).next_back();
    Some(LogKey {
        organization: None,
        account: Some(account.to_owned()),
        kind: LogKind::of(kind),
        region: Some(region.to_owned()),
        day: delivered.map(DateTime::date),
        delivered: delivered
            .and_then(|time| Some(time.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second())),
    })
}

/// `YYYYMMDDTHHMM[SS]Z`.
fn stamp(text: &str) -> Option<DateTime> {
    let (day, time) = text.strip_suffix('Z')?.split_once('T')?;
    if day.len() != 8 || !matches!(time.len(), 4 | 6) {
        return None;
    }
    let date = date(day.get(..4)?, day.get(4..6)?, day.get(6..)?)?;
    let seconds = if time.len() == 6 {
        number(time.get(4..)?)?
    } else {
        0
    };
    let time = Time::new(
        number(time.get(..2)?)?,
        number(time.get(2..4)?)?,
        seconds,
        0,
    )
    .ok()?;
    Some(date.to_datetime(time))
}

fn date(year: &str, month: &str, day: &str) -> Option<Date> {
    if (year.len(), month.len(), day.len()) != (4, 2, 2) {
        return None;
    }
    Date::new(number(year)?, number(month)?, number(day)?).ok()
}

/// Digits only: `parse` alone would take a sign.
fn number<T: std::str::FromStr>(text: &str) -> Option<T> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())?
}

fn is_account(text: &str) -> bool {
    text.len() == 12 && text.bytes().all(|byte| byte.is_ascii_digit())
}

/// A Region in form only (`us-east-1`, `us-gov-west-1`, `eusc-de-east-1`): new ones appear each year.
fn is_region(text: &str) -> bool {
    text.split('-').count() >= 3
        && text.starts_with(|c: char| c.is_ascii_lowercase())
        && text.ends_with(|c: char| c.is_ascii_digit())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-')
}

#[cfg(test)]
mod tests {
    use super::*;

    const FILE: &str = "111122223333_CloudTrail_us-east-1_20260929T2355Z_AbCdEfGhIjKlMnOp.json.gz";

    fn kind(path: &str) -> Option<LogKind> {
        LogKey::parse(path).map(|key| key.kind)
    }

    #[test]
    fn a_whole_key_tells_everything() {
        for path in [
            format!("logs/my/AWSLogs/o-abc123/111122223333/CloudTrail/us-east-1/2026/09/29/{FILE}"),
            format!(
                r"C:\logs\AWSLogs\o-abc123\111122223333\CloudTrail\us-east-1\2026\09\29\{FILE}"
            ),
        ] {
            assert_eq!(
                LogKey::parse(&path),
                Some(LogKey {
                    organization: Some("o-abc123".into()),
                    account: Some("111122223333".into()),
                    kind: LogKind::CloudTrail,
                    region: Some("us-east-1".into()),
                    day: Some(Date::constant(2026, 9, 29)),
                    delivered: Some(1_790_726_100),
                }),
                "{path}"
            );
        }
    }

    #[test]
    fn the_file_name_alone_is_enough() {
        let key = LogKey::parse(FILE).unwrap();
        assert_eq!(key.account.as_deref(), Some("111122223333"));
        assert_eq!(key.region.as_deref(), Some("us-east-1"));
        assert_eq!(key.day, Some(Date::constant(2026, 9, 29)));
        assert_eq!(key.organization, None);
    }

    #[test]
    fn the_folder_alone_is_enough() {
        let key =
            LogKey::parse("AWSLogs/111122223333/CloudTrail/us-gov-west-1/2026/09/29/events.json")
                .unwrap();
        assert_eq!(key.region.as_deref(), Some("us-gov-west-1"));
        assert_eq!(key.day, Some(Date::constant(2026, 9, 29)));
        assert_eq!(key.delivered, None);
        let key = LogKey::parse("AWSLogs/111122223333/CloudTrail/").unwrap();
        assert_eq!((key.region, key.day), (None, None));
    }

    #[test]
    fn the_file_name_wins_over_the_folder_it_was_moved_to() {
        let key = LogKey::parse(&format!(
            "AWSLogs/999988887777/CloudTrail/eu-west-1/2020/01/01/{FILE}"
        ))
        .unwrap();
        assert_eq!(key.account.as_deref(), Some("111122223333"));
        assert_eq!(key.region.as_deref(), Some("us-east-1"));
        assert_eq!(key.day, Some(Date::constant(2026, 9, 29)));
    }

    #[test]
    fn other_folders_beside_the_trail_are_told_apart() {
        let within =
            |kind: &str| format!("b/AWSLogs/111122223333/{kind}/us-east-1/2026/09/29/x.gz");
        assert_eq!(kind(&within("CloudTrail")), Some(LogKind::CloudTrail));
        assert_eq!(kind(&within("CloudTrail-Digest")), Some(LogKind::Digest));
        assert_eq!(kind(&within("CloudTrail-Insight")), Some(LogKind::Insight));
        assert_eq!(
            kind(&within("CloudTrail-Aggregated")),
            Some(LogKind::Aggregated)
        );
        assert_eq!(
            kind(&within("CloudTrail-NetworkActivity")),
            Some(LogKind::NetworkActivity)
        );
        assert_eq!(
            kind(&within("CloudTrail-New")),
            Some(LogKind::OtherCloudTrail("CloudTrail-New".into()))
        );
        for service in [
            "Config",
            "elasticloadbalancing",
            "vpcflowlogs",
            "GuardDuty",
            "WAFLogs",
        ] {
            assert_eq!(
                kind(&within(service)),
                Some(LogKind::OtherService(service.into()))
            );
        }
    }

    #[test]
    fn a_digest_is_known_by_its_file_name() {
        let key = LogKey::parse(
            "111122223333_CloudTrail-Digest_us-east-2_my_trail_us-east-2_20150817T150131Z.json.gz",
        );
        let key = key.unwrap();
        assert_eq!(key.kind, LogKind::Digest);
        assert_eq!(key.day, Some(Date::constant(2015, 8, 17)));
    }

    #[test]
    fn names_outside_the_grammar_tell_nothing() {
        for path in [
            "",
            "/",
            "events.json",
            "AWSLogs",
            "AWSLogs/",
            "AWSLogs/not-an-account/CloudTrail/us-east-1/2026/09/29/x.gz",
            "11112222333_CloudTrail_us-east-1_20260929T2355Z_A.json.gz",
            "111122223333_Config_us-east-1_ConfigHistory_20260929T235500Z_1.json.gz",
            "111122223333_CloudTrail_nowhere_20260929T2355Z_A.json.gz",
        ] {
            assert_eq!(LogKey::parse(path), None, "{path}");
        }
    }

    #[test]
    fn an_impossible_day_is_no_day() {
        for day in [
            "2026/13/01",
            "2026/02/30",
            "2026/2/3",
            "+026/01/01",
            "yyyy/mm/dd",
        ] {
            let key = LogKey::parse(&format!(
                "AWSLogs/111122223333/CloudTrail/us-east-1/{day}/x.gz"
            ))
            .unwrap();
            assert_eq!(key.day, None, "{day}");
        }
    }
}
