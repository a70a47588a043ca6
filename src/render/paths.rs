//! Where the files of a role lie in the out-dir: `ACCOUNT/ROLE-NAME`.

use std::collections::BTreeSet;

use super::Report;

/// The folder of each role, in the order of the report, parts joined by `/`. No two are the same, also
/// where a file system does not tell case apart.
pub(super) fn role_folders(report: &Report) -> Vec<String> {
    // Two roles of different paths cannot share a name in IAM; a snapshot made by hand can hold them.
    let folders = report.roles.iter().map(|role| {
        format!(
            "{}/{}",
            account_folder(role.account()),
            file_name(role.name())
        )
    });
    distinct(folders, &[])
}

/// The names, those that are taken (in lower case) or were there before, in whatever case, with `~` added.
pub(super) fn distinct(names: impl Iterator<Item = String>, taken: &[&str]) -> Vec<String> {
    let mut taken: BTreeSet<String> = taken.iter().map(|&name| name.to_owned()).collect();
    names
        .map(|mut name| {
            while !taken.insert(name.to_ascii_lowercase()) {
                name.push('~');
            }
            name
        })
        .collect()
}

/// What is no account must not clash with the report's own files.
fn account_folder(account: &str) -> String {
    let safe = file_name(account);
    if account.len() == 12 && account.bytes().all(|b| b.is_ascii_digit()) {
        safe
    } else {
        format!("account-{safe}")
    }
}

/// A name that stays inside its folder: role names may be `..`, and logs may hold anything.
pub(super) fn file_name(name: &str) -> String {
    let safe: String = name
        .chars()
        .map(|c| {
            if c.is_ascii_alphanumeric() || "+=,.@_-".contains(c) {
                c
            } else {
                '_'
            }
        })
        .take(128)
        .collect();
    // Windows drops a dot at the end, and opens devices by their names, whatever ending they have.
    let stem = safe.split('.').next().unwrap_or_default();
    let device = DEVICES
        .iter()
        .any(|device| stem.eq_ignore_ascii_case(device));
    if safe.is_empty() || device {
        return format!("_{safe}");
    }
    let start = safe.trim_end_matches('.');
    format!("{start}{}", "_".repeat(safe.len() - start.len()))
}

/// Names that are devices on Windows.
const DEVICES: [&str; 22] = [
    "AUX", "COM1", "COM2", "COM3", "COM4", "COM5", "COM6", "COM7", "COM8", "COM9", "CON", "LPT1",
    "LPT2", "LPT3", "LPT4", "LPT5", "LPT6", "LPT7", "LPT8", "LPT9", "NUL", "PRN",
];

#[cfg(test)]
mod tests {
    use super::{account_folder, distinct, file_name};

    #[test]
    fn names_are_told_apart_where_case_is_not() {
        let names = ["Role", "role", "ROLE", "sharing.md"].map(str::to_owned);
        assert_eq!(
            distinct(names.into_iter(), &["sharing.md"]),
            ["Role", "role~", "ROLE~~", "sharing.md~"]
        );
    }

    #[test]
    fn role_names_stay_in_their_folder() {
        assert_eq!(file_name("order-processor-role"), "order-processor-role");
        assert_eq!(file_name(".."), "__");
        assert_eq!(file_name("a/../../b"), "a_.._.._b");
        assert_eq!(file_name(""), "_");
        for device in ["con", "NUL.txt", "Com1", "lpt9.tar.gz", "aux", "PRN"] {
            assert_eq!(file_name(device), format!("_{device}"));
        }
        assert_eq!(file_name("console"), "console");
        assert_eq!(file_name("name."), "name_");
        assert_eq!(file_name("name "), "name_");
        assert_eq!(file_name("COM\u{b9}"), "COM_");
        assert_eq!(file_name("a:b\\c"), "a_b_c");
        assert_eq!(file_name(&"x".repeat(4096)).len(), 128);
        assert_eq!(account_folder("111122223333"), "111122223333");
        assert_eq!(account_folder("report.json"), "account-report.json");
    }
}
