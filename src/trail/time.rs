//! Event times: the text of a record in, seconds since 1970 out. Knows nothing of local time.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Seconds since 1970 of `YYYY-MM-DDTHH:MM:SSZ`, of the same with a fraction, and of times with an
/// offset (`2022-02-08 09:23:37+11:00`). `None` for anything else.
#[must_use]
pub fn epoch_seconds(text: &str) -> Option<i64> {
    text.trim()
        .parse::<Timestamp>()
        .ok()
        .map(Timestamp::as_second)
}

/// The day in UTC of a time in seconds since 1970. `None` outside the years -9999 to 9999.
#[must_use]
pub fn day(epoch_seconds: i64) -> Option<Date> {
    let time = Timestamp::from_second(epoch_seconds).ok()?;
    Some(time.to_zoned(TimeZone::UTC).date())
}

/// The hour since 1970 in which a time in seconds since 1970 lies.
#[must_use]
pub fn hour(epoch_seconds: i64) -> i64 {
    epoch_seconds.div_euclid(3600)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_of_records_are_read() {
        for (text, expected) in [
            ("1970-01-01T00:00:00Z", Some(0)),
            ("2021-07-29T22:45:01Z", Some(1_627_598_701)),
            ("2021-07-29T22:45:01.999Z", Some(1_627_598_701)),
            ("2022-02-08 09:23:37+11:00", Some(1_644_272_617)),
            ("2021-07-29T22:45:01", None),
            ("2021-02-30T00:00:00Z", None),
            ("yesterday", None),
            ("", None),
        ] {
            assert_eq!(epoch_seconds(text), expected, "{text}");
        }
    }

    #[test]
    fn days_and_hours_are_those_of_utc() {
        assert_eq!(day(1_627_598_701), Some(Date::constant(2021, 7, 29)));
        assert_eq!(day(-1), Some(Date::constant(1969, 12, 31)));
        assert_eq!(day(i64::MAX), None);
        assert_eq!((hour(3599), hour(3600), hour(-1)), (0, 1, -1));
    }
}
