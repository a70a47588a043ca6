//! Annotations of GitHub Actions: one workflow command a line.

use std::io;

use super::Report;
use super::escape::{plain, thousands};
use super::findings::{Level, findings};

/// Annotations of one kind that GitHub shows of a step; what is more would be dropped without a word.
const SHOWN: usize = 10;

/// Writes `::error`, `::warning` and `::notice` commands, at most ten of each.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_github(report: &Report, out: &mut impl io::Write) -> io::Result<()> {
    let findings = findings(report);
    for (level, command) in [
        (Level::Error, "error"),
        (Level::Warning, "warning"),
        (Level::Note, "notice"),
    ] {
        let of_level: Vec<_> = findings.iter().filter(|f| f.rule.level == level).collect();
        let shown = if of_level.len() > SHOWN {
            SHOWN - 1
        } else {
            of_level.len()
        };
        for finding in &of_level[..shown] {
            let title = format!("rolefit {}", finding.rule.id);
            writeln!(
                out,
                "::{command} title={}::{}",
                property(&title),
                message(&finding.message)
            )?;
        }
        let more = of_level.len() - shown;
        if more > 0 {
            writeln!(
                out,
                "::{command} title=rolefit::{} more findings of this kind are in the report",
                thousands(more as u64)
            )?;
        }
    }
    Ok(())
}

/// The text of a command: nothing in it can end the line or be read as an escape.
fn message(text: &str) -> String {
    plain(text)
        .replace('%', "%25")
        .replace('\r', "%0D")
        .replace('\n', "%0A")
}

fn property(text: &str) -> String {
    message(text).replace(':', "%3A").replace(',', "%2C")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_can_start_a_command() {
        assert_eq!(message("a%0A::error::b"), "a%250A::error::b");
        assert_eq!(message("a\n::error::b"), "a\\u{a}::error::b");
        assert_eq!(property("a,b:c"), "a%2Cb%3Ac");
    }
}
