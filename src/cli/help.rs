//! The command as clap builds it, with its commands in groups; completions and manual pages of it.

use std::fmt::Write as _;
use std::io::{self, Write};

use anyhow::anyhow;
use clap::{Command, CommandFactory};

use super::args::Args;
use super::{Exit, Fault};

/// The commands by what they are for; what is in none of these stands at the end.
const GROUPS: [(&str, &[&str]); 4] = [
    (
        "Tighten",
        &["fit", "check", "backtest", "collect", "apply", "rollback"],
    ),
    (
        "Understand",
        &[
            "explain", "coverage", "denied", "requests", "simulate", "verify",
        ],
    ),
    ("Large trails", &["scan", "merge"]),
    (
        "Reference",
        &["catalog", "schema", "completions", "man", "help"],
    ),
];

/// The command with its overview.
pub(super) fn command() -> Command {
    let command = Args::command();
    let overview = overview(&command);
    command.help_template(format!(
        "{{about-with-newline}}\n{{usage-heading}} {{usage}}\n\n{overview}Options:\n{{options}}{{after-help}}"
    ))
}

fn overview(command: &Command) -> String {
    let width = command
        .get_subcommands()
        .map(|c| c.get_name().len())
        .max()
        .unwrap_or(0);
    let mut out = String::new();
    let mut group = |title: &str, names: &mut dyn Iterator<Item = &Command>| {
        let lines: String = names
            .map(|c| {
                let about = c.get_about().map(ToString::to_string).unwrap_or_default();
                format!("  {:<width$}  {about}\n", c.get_name())
            })
            .collect();
        if !lines.is_empty() {
            let _ = writeln!(out, "{title}:\n{lines}");
        }
    };
    for (title, names) in GROUPS {
        group(
            title,
            &mut names
                .iter()
                .filter_map(|name| command.find_subcommand(name)),
        );
    }
    let known = |c: &&Command| {
        GROUPS
            .iter()
            .any(|(_, names)| names.contains(&c.get_name()))
    };
    group(
        "More",
        &mut command
            .get_subcommands()
            .filter(|c| !known(c) && !c.is_hide_set()),
    );
    out
}

pub(super) fn completions(shell: clap_complete::Shell) -> Exit {
    let mut text = Vec::new();
    clap_complete::generate(shell, &mut Args::command(), "rolefit", &mut text);
    // A reader that goes away has what it wanted.
    let _ = io::stdout().write_all(&text);
    Exit::Done
}

pub(super) fn man(wanted: Option<&str>) -> Result<Exit, Fault> {
    let mut command = Args::command().version(env!("CARGO_PKG_VERSION"));
    command.build();
    let page = match wanted {
        None => command,
        Some(name) => {
            let names: Vec<String> = command
                .get_subcommands()
                .map(|c| c.get_name().to_owned())
                .collect();
            let Some(found) = command.find_subcommand(name) else {
                let fault = Fault::new(Exit::Usage, anyhow!("`{name}` is no command"));
                return Err(match closest(name, names.iter().map(String::as_str)) {
                    Some(meant) => fault.hint(format!("`{meant}` is")),
                    None => fault.hint(names.join(", ")),
                });
            };
            found.clone()
        }
    };
    let mut text = Vec::new();
    clap_mangen::Man::new(page).render(&mut text)?;
    io::stdout().write_all(&text)?;
    Ok(Exit::Done)
}

/// The name that was probably meant.
pub(super) fn closest<'a>(name: &str, names: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    names
        .map(|known| (strsim::jaro_winkler(name, known), known))
        .filter(|(likeness, _)| *likeness > 0.8)
        .max_by(|a, b| a.0.total_cmp(&b.0))
        .map(|(_, known)| known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_command_is_well_formed_and_every_command_is_in_the_overview() {
        command().debug_assert();
        let text = command().render_help().to_string();
        for sub in Args::command().get_subcommands() {
            let line = format!("\n  {} ", sub.get_name());
            assert!(text.contains(&line), "{}", sub.get_name());
        }
        assert!(
            text.lines().all(|line| line.chars().count() <= 100),
            "{text}"
        );
    }

    #[test]
    fn slips_are_understood() {
        assert_eq!(
            closest("snapshots", ["since", "snapshot"].into_iter()),
            Some("snapshot")
        );
        assert_eq!(closest("zebra", ["since", "snapshot"].into_iter()), None);
    }
}
