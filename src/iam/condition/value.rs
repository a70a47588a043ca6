//! Values that are not text: numbers, dates and addresses.

use std::cmp::Ordering;
use std::net::IpAddr;

use jiff::civil;

use super::operator::Kind;

/// Whether the value of a request stands to the value of a policy as the operator asks. A value that
/// cannot be read as what the operator compares matches nothing.
pub(crate) fn compare(kind: Kind, wanted: &str, found: &str) -> bool {
    if kind == Kind::IpAddress {
        return match (network(wanted), found.trim().parse()) {
            (Some(network), Ok(address)) => inside(address, network),
            _ => false,
        };
    }
    order(kind, found, wanted).is_some_and(|order| kind.accepts(order))
}

/// How two values of a number or date operator are ordered, where both can be read.
pub(crate) fn order(kind: Kind, a: &str, b: &str) -> Option<Ordering> {
    if kind.is_date() {
        Some(instant(a)?.cmp(&instant(b)?))
    } else {
        number(a)?.partial_cmp(&number(b)?)
    }
}

impl Kind {
    /// Whether dates are compared.
    pub(crate) fn is_date(self) -> bool {
        matches!(
            self,
            Kind::DateEquals
                | Kind::DateLessThan
                | Kind::DateLessThanEquals
                | Kind::DateGreaterThan
                | Kind::DateGreaterThanEquals
        )
    }

    /// Whether numbers are compared.
    pub(crate) fn is_number(self) -> bool {
        matches!(
            self,
            Kind::NumericEquals
                | Kind::NumericLessThan
                | Kind::NumericLessThanEquals
                | Kind::NumericGreaterThan
                | Kind::NumericGreaterThanEquals
        )
    }

    /// Whether a request's value that stands in this order to the policy's matches.
    pub(crate) fn accepts(self, order: Ordering) -> bool {
        match self {
            Kind::NumericEquals | Kind::DateEquals => order == Ordering::Equal,
            Kind::NumericLessThan | Kind::DateLessThan => order == Ordering::Less,
            Kind::NumericLessThanEquals | Kind::DateLessThanEquals => order != Ordering::Greater,
            Kind::NumericGreaterThan | Kind::DateGreaterThan => order == Ordering::Greater,
            Kind::NumericGreaterThanEquals | Kind::DateGreaterThanEquals => order != Ordering::Less,
            _ => false,
        }
    }
}

fn number(text: &str) -> Option<f64> {
    let text = text.trim();
    // The words `inf` and `nan` are numbers to Rust alone.
    let plain = text
        .bytes()
        .all(|b| b.is_ascii_digit() || matches!(b, b'-' | b'+' | b'.' | b'e' | b'E'));
    text.parse().ok().filter(|n: &f64| plain && n.is_finite())
}

/// Whether a policy's date says one time for sure.
pub(crate) fn is_date(text: &str) -> bool {
    instant(text).is_some()
}

/// Nanoseconds since 1970 of an ISO 8601 time, day or month, or of seconds since 1970. Four digits may
/// be a year or such seconds: `None`.
fn instant(text: &str) -> Option<i128> {
    let text = text.trim();
    let digits = |part: &str| part.bytes().all(|b| b.is_ascii_digit());
    if text.len() == 4 && digits(text) {
        return None;
    }
    if text.len() == 7 && text.as_bytes()[4] == b'-' {
        return instant(&format!("{text}-01"));
    }
    if let Ok(seconds) = text.parse::<i64>() {
        return Some(i128::from(seconds) * 1_000_000_000);
    }
    if let Ok(time) = text.parse::<jiff::Timestamp>() {
        return Some(time.as_nanosecond());
    }
    let time = text.parse::<civil::DateTime>().ok()?;
    let zoned = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
    Some(zoned.timestamp().as_nanosecond())
}

/// An address and how many of its leading bits count.
pub(crate) type Network = (IpAddr, u8);

/// Reads an address or a CIDR block.
pub(crate) fn network(text: &str) -> Option<Network> {
    let text = text.trim();
    let (address, length) = text
        .split_once('/')
        .map_or((text, None), |(a, l)| (a, Some(l)));
    let address: IpAddr = address.parse().ok()?;
    let all = if address.is_ipv4() { 32 } else { 128 };
    let length = length.map_or(Some(all), |l| l.parse().ok())?;
    (length <= all).then_some((address, length))
}

fn inside(address: IpAddr, (base, length): Network) -> bool {
    let bits = |ip: IpAddr| match ip {
        IpAddr::V4(v4) => (u128::from(v4.to_bits()) << 96, true),
        IpAddr::V6(v6) => (v6.to_bits(), false),
    };
    let ((a, a4), (b, b4)) = (bits(address), bits(base));
    a4 == b4 && (length == 0 || (a ^ b) >> (128 - u32::from(length)) == 0)
}

/// Whether every address of `narrow` lies in `wide`.
pub(crate) fn network_covers(wide: Network, narrow: Network) -> bool {
    narrow.1 >= wide.1 && inside(narrow.0, wide)
}
