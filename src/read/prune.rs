//! The accounts, Regions and times that were asked for: keys and records in, yes or no out.

use std::collections::BTreeSet;

use jiff::ToSpan;
use jiff::civil::Date;

use crate::trail::key::LogKey;
use crate::trail::{Record, time};

/// What to look at. Empty sets and `None` ask for everything.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Selection {
    /// 12-digit accounts.
    pub accounts: BTreeSet<String>,
    /// Regions.
    pub regions: BTreeSet<String>,
    /// Events from this second since 1970 on.
    pub from: Option<i64>,
    /// Events before this second since 1970.
    pub to: Option<i64>,
}

impl Selection {
    /// Why an object with this key holds nothing of the selection; `None` where it may. Decided by
    /// account, Region and day. Events are delivered after they happened, most within minutes, some
    /// past midnight: the day after `to` is kept too.
    #[must_use]
    pub fn passes_over(&self, key: &LogKey) -> Option<&'static str> {
        let lacks = |wanted: &BTreeSet<String>, part: Option<&String>| {
            !wanted.is_empty() && part.is_some_and(|part| !wanted.contains(part))
        };
        if lacks(&self.accounts, key.account.as_ref()) {
            return Some("another account than asked for");
        }
        if lacks(&self.regions, key.region.as_ref()) {
            return Some("another Region than asked for");
        }
        let day = key.day?;
        self.passes_over_days(day, day)
    }

    /// Whether the account is part of the selection.
    #[must_use]
    pub fn wants_account(&self, account: &str) -> bool {
        self.accounts.is_empty() || self.accounts.contains(account)
    }

    /// Why nothing that was delivered on these days is of the selection; `None` where something may be.
    #[must_use]
    pub fn passes_over_days(&self, first: Date, last: Date) -> Option<&'static str> {
        let (from, to) = self.days();
        if from.is_some_and(|from| last < from) {
            return Some("delivered before the time asked for");
        }
        if to.is_some_and(|to| first > to) {
            return Some("delivered after the time asked for");
        }
        None
    }

    /// Whether something of the selection may have been delivered on each of these days.
    #[must_use]
    pub fn wants_all_days(&self, first: Date, last: Date) -> bool {
        let (from, to) = self.days();
        from.is_none_or(|from| from <= first) && to.is_none_or(|to| last <= to)
    }

    /// The days on which events of the selection are delivered.
    fn days(&self) -> (Option<Date>, Option<Date>) {
        let last = self
            .to
            .and_then(|to| time::day(to - 1))
            .and_then(|to| to.checked_add(1.day()).ok());
        (self.from.and_then(time::day), last)
    }

    /// Whether a record is part of the selection. What a record does not tell speaks for it.
    #[must_use]
    pub fn selects_record(&self, record: &Record<'_>) -> bool {
        let account = record
            .recipient_account_id
            .as_deref()
            .or(record.user_identity.account_id.as_deref());
        self.selects(account, record.aws_region.as_deref(), || {
            record.epoch_seconds()
        })
    }

    /// Whether no record is left out.
    pub fn selects_all(&self) -> bool {
        self.accounts.is_empty()
            && self.regions.is_empty()
            && self.from.is_none()
            && self.to.is_none()
    }

    /// As [`Selection::selects_record`], by the account and the Region of a record and its time in seconds
    /// since 1970.
    pub fn selects(
        &self,
        account: Option<&str>,
        region: Option<&str>,
        time: impl FnOnce() -> Option<i64>,
    ) -> bool {
        let has = |wanted: &BTreeSet<String>, part: Option<&str>| {
            wanted.is_empty() || part.is_none_or(|part| wanted.contains(part))
        };
        let within = |second: i64| {
            self.from.is_none_or(|from| second >= from) && self.to.is_none_or(|to| second < to)
        };
        has(&self.accounts, account)
            && has(&self.regions, region)
            && (self.from.is_none() && self.to.is_none() || time().is_none_or(within))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<i64> {
        time::epoch_seconds(text)
    }

    fn march() -> Selection {
        Selection {
            from: at("2026-03-01T12:00:00Z"),
            to: at("2026-04-01T00:00:00Z"),
            ..Selection::default()
        }
    }

    fn set(one: &str) -> BTreeSet<String> {
        [one.to_owned()].into()
    }

    #[test]
    fn days_are_decided_from_the_key_and_the_day_after_the_end_is_kept() {
        for (day, kept) in [
            ("2026/02/28", false),
            ("2026/03/01", true),
            ("2026/03/31", true),
            ("2026/04/01", true),
            ("2026/04/02", false),
        ] {
            let key = LogKey::parse(&format!(
                "AWSLogs/111122223333/CloudTrail/us-east-1/{day}/x.json.gz"
            ))
            .unwrap();
            assert_eq!(march().passes_over(&key).is_none(), kept, "{day}");
            assert_eq!(Selection::default().passes_over(&key), None);
        }
    }

    #[test]
    fn accounts_and_regions_are_decided_from_the_key() {
        let key = LogKey::parse("AWSLogs/111122223333/CloudTrail/us-east-1/2026/03/01/x.json.gz")
            .unwrap();
        let account = |account: &str| Selection {
            accounts: set(account),
            ..Selection::default()
        };
        let region = |region: &str| Selection {
            regions: set(region),
            ..Selection::default()
        };
        assert_eq!(account("111122223333").passes_over(&key), None);
        assert!(account("999988887777").passes_over(&key).is_some());
        assert_eq!(region("us-east-1").passes_over(&key), None);
        assert!(region("eu-west-1").passes_over(&key).is_some());
    }

    #[test]
    fn a_key_that_does_not_tell_is_kept() {
        let key = LogKey::parse("AWSLogs/111122223333/CloudTrail/").unwrap();
        assert_eq!(
            Selection {
                regions: set("eu-west-1"),
                ..march()
            }
            .passes_over(&key),
            None
        );
    }

    #[test]
    fn records_are_decided_to_the_second() {
        for (time, kept) in [
            ("2026-03-01T11:59:59Z", false),
            ("2026-03-01T12:00:00Z", true),
            ("2026-03-31T23:59:59Z", true),
            ("2026-04-01T00:00:00Z", false),
            ("no time", true),
        ] {
            let record = Record {
                event_time: Some(time.into()),
                ..Record::default()
            };
            assert_eq!(march().selects_record(&record), kept, "{time}");
        }
        assert!(march().selects_record(&Record::default()));
    }

    #[test]
    fn records_are_decided_by_account_and_region() {
        let record = Record {
            recipient_account_id: Some("111122223333".into()),
            aws_region: Some("us-east-1".into()),
            ..Record::default()
        };
        let select = |account: &str, region: &str| {
            Selection {
                accounts: set(account),
                regions: set(region),
                ..Selection::default()
            }
            .selects_record(&record)
        };
        assert!(select("111122223333", "us-east-1"));
        assert!(!select("111122223333", "eu-west-1"));
        assert!(!select("999988887777", "us-east-1"));
        assert!(
            Selection {
                accounts: set("1"),
                ..Selection::default()
            }
            .selects_record(&Record::default())
        );
    }
}
