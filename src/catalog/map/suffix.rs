//! Versions in event names. Only dates count: `GetFunction20150331v2`, `CreateFunction2020_05_31`.

/// The name without its date version; `None` where it carries none. The caller accepts the result only
/// if it is a known name: valid names such as `DescribeTopicV2` never lose a letter here.
pub(super) fn without_date(name: &str) -> Option<&str> {
    let dated = match name.rsplit_once('v') {
        Some((head, tail)) if !tail.is_empty() && tail.bytes().all(|b| b.is_ascii_digit()) => {
            strip_date(head).or_else(|| strip_date(name))
        }
        _ => strip_date(name),
    };
    dated.filter(|name| !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphabetic()))
}

/// `20YY`, `MM`, `DD` at the end, each optionally after an underscore except the first.
fn strip_date(name: &str) -> Option<&str> {
    let digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let (head, day) = name.split_at_checked(name.len().checked_sub(2)?)?;
    let head = head.strip_suffix('_').unwrap_or(head);
    let (head, month) = head.split_at_checked(head.len().checked_sub(2)?)?;
    let head = head.strip_suffix('_').unwrap_or(head);
    let (head, year) = head.split_at_checked(head.len().checked_sub(4)?)?;
    let date = digits(day) && digits(month) && digits(year) && year.starts_with("20");
    let (month, day) = (month.parse::<u8>().ok()?, day.parse::<u8>().ok()?);
    (date && (1..=12).contains(&month) && (1..=31).contains(&day)).then_some(head)
}

/// Whether the rule leaves a name of an action alone.
pub(in crate::catalog) fn keeps_its_letters(name: &str) -> bool {
    without_date(name).is_none()
}
