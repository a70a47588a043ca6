//! Event times: the text of a record in, seconds since 1970 out. Knows nothing of local time.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

/// Seconds since 1970 of `YYYY-MM-DDTHH:MM:SSZ`, of the same with a fraction, and of times with an
/// offset (`2022-02-08 09:23:37+11:00`). `None` for anything else.
#[must_use]
pub fn epoch_seconds(text: &str) -> Option<i64> {
    usual(text.as_bytes()).or_else(|| patient(text))
}

/// As [`epoch_seconds`], of bytes.
#[must_use]
pub fn epoch_seconds_of(text: &[u8]) -> Option<i64> {
    usual(text).or_else(|| patient(std::str::from_utf8(text).ok()?))
}

/// Any time that jiff reads.
fn patient(text: &str) -> Option<i64> {
    text.trim()
        .parse::<Timestamp>()
        .ok()
        .map(Timestamp::as_second)
}

/// `YYYY-MM-DDTHH:MM:SSZ`, as CloudTrail writes it: once for every record, so it must be quick.
fn usual(text: &[u8]) -> Option<i64> {
    let text: &[u8; 20] = text.try_into().ok()?;
    let pattern = b"0000-00-00T00:00:00Z";
    let fits = text.iter().zip(pattern).all(|(byte, like)| match like {
        b'0' => byte.is_ascii_digit(),
        _ => byte == like,
    });
    if !fits {
        return None;
    }
    let two = |at: usize| i64::from(text[at] - b'0') * 10 + i64::from(text[at + 1] - b'0');
    let (year, month, day) = (two(0) * 100 + two(2), two(5), two(8));
    let (hour, minute, second) = (two(11), two(14), two(17));
    // The end of February, leap seconds and year 0 are for the patient way.
    let last = match month {
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if !(1..=12).contains(&month)
        || !(1..=last).contains(&day)
        || hour > 23
        || minute > 59
        || second > 59
        || year == 0
    {
        return None;
    }
    // Days since 1970 in the proleptic Gregorian calendar, with years that begin in March.
    let (year, month) = if month > 2 {
        (year, month - 3)
    } else {
        (year - 1, month + 9)
    };
    let days =
        365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 719_469;
    Some(((days * 24 + hour) * 60 + minute) * 60 + second)
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
    fn the_quick_way_reads_what_the_patient_way_reads() {
        let (mut read, mut at) = (0, -62_135_596_800_i64);
        while at < 253_402_300_799 {
            let text = Timestamp::from_second(at).unwrap().to_string();
            assert_eq!(epoch_seconds(&text), Some(at), "{text}");
            if let Some(usual) = usual(text.as_bytes()) {
                assert_eq!(usual, at, "{text}");
                read += 1;
            }
            at += 86_400 * 11 + 3_601;
        }
        assert!(read > 200_000, "{read}");
    }

    #[test]
    fn days_and_hours_are_those_of_utc() {
        assert_eq!(day(1_627_598_701), Some(Date::constant(2021, 7, 29)));
        assert_eq!(day(-1), Some(Date::constant(1969, 12, 31)));
        assert_eq!(day(i64::MAX), None);
        assert_eq!((hour(3599), hour(3600), hour(-1)), (0, 1, -1));
    }
}
