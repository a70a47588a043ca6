//! Where the files of a role lie in the out-dir: `ACCOUNT/ROLE-NAME`.

use std::collections::BTreeSet;

use super::Report;

/// The folder of each role, in the order of the report, parts joined by `/`. No two are the same, also
/// where a file system does not tell case apart.
pub(super) fn role_folders(report: &Report) -> Vec<String> {
    let mut taken = BTreeSet::new();
    report
        .roles
        .iter()
        .map(|role| {
            let mut folder = format!(
                "{}/{}",
                account_folder(role.account()),
                file_name(role.name())
            );
            // Two roles of different paths cannot share a name in IAM; a snapshot made by hand can hold them.
            while !taken.insert(folder.to_ascii_lowercase()) {
                folder.push('~');
            }
            folder
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
    if safe.is_empty() || safe.chars().all(|c| c == '.') {
        format!("_{safe}")
    } else {
        safe
    }
}

#[cfg(test)]
mod tests {
    use super::{account_folder, file_name};

    #[test]
    fn role_names_stay_in_their_folder() {
        assert_eq!(file_name("order-processor-role"), "order-processor-role");
        assert_eq!(file_name(".."), "_..");
        assert_eq!(file_name("a/../../b"), "a_.._.._b");
        assert_eq!(file_name(""), "_");
        assert_eq!(account_folder("111122223333"), "111122223333");
        assert_eq!(account_folder("report.json"), "account-report.json");
    }
}
