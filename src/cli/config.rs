//! `rolefit.toml`: defaults for options, under the options' own names.
//!
//! ```toml
//! snapshot = "snapshot"
//! since = "90d"
//!
//! [check]
//! max-sensitive-unused = 0
//! ```
//!
//! A key outside a table is for every command that has the option. What is given on the command line
//! wins. The keys are those that clap knows, so nothing is listed twice.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use clap::{Arg, ArgAction, Command, CommandFactory};
use serde_json::{Value, json};
use toml::Table;

use super::args::Args;
use super::help::closest;
use super::{Exit, Fault};

const FILE: &str = "rolefit.toml";

/// The arguments with the defaults of the configuration file put in.
pub(super) fn with_defaults(arguments: Vec<OsString>) -> Result<Vec<OsString>, Fault> {
    let Some(file) = file(&arguments) else {
        return Ok(arguments);
    };
    let name = file.display();
    let fault = |error: anyhow::Error| Fault::new(Exit::Usage, error);
    let text = std::fs::read_to_string(&file)
        .map_err(|error| fault(anyhow!("cannot read `{name}`: {error}")))?;
    let table: Table = text.parse().map_err(|error: toml::de::Error| {
        fault(anyhow!("`{name}` is not TOML: {}", error.message()))
    })?;
    let command = Args::command();
    unknown_keys(&command, &table)
        .map_err(|(what, hint)| fault(anyhow!("`{name}`: {what}")).hint(hint))?;
    merge(&command, &table, arguments).map_err(|what| fault(anyhow!("`{name}`: {what}")))
}

/// What `--config` names, else the file of the working directory where there is one.
fn file(arguments: &[OsString]) -> Option<PathBuf> {
    let mut rest = arguments.iter().skip(1);
    while let Some(argument) = rest.next() {
        let text = argument.to_string_lossy();
        if text == "--" {
            break;
        }
        if text == "--config" {
            return rest.next().map(PathBuf::from);
        }
        if let Some(value) = text.strip_prefix("--config=") {
            return Some(PathBuf::from(value));
        }
    }
    Path::new(FILE).is_file().then(|| PathBuf::from(FILE))
}

/// The options of a command that a file may set, by their long names.
fn options(command: &Command) -> impl Iterator<Item = (&str, &Arg)> {
    command.get_arguments().filter_map(|argument| {
        let name = argument.get_long()?;
        (!["help", "version", "config", "force"].contains(&name)).then_some((name, argument))
    })
}

/// The first key that is no option, and what was probably meant.
fn unknown_keys(command: &Command, table: &Table) -> Result<(), (String, String)> {
    let commands: Vec<&Command> = command
        .get_subcommands()
        .filter(|c| options(c).next().is_some())
        .collect();
    let everywhere: BTreeSet<&str> = commands
        .iter()
        .flat_map(|c| options(c).map(|(name, _)| name))
        .collect();
    let hint = |key: &str, known: &BTreeSet<&str>| match closest(key, known.iter().copied()) {
        Some(meant) => format!("did you mean `{meant}`?"),
        None => "`rolefit schema config` lists every key".to_owned(),
    };
    for (key, value) in table {
        if let toml::Value::Table(inner) = value {
            let Some(of) = commands.iter().find(|c| c.get_name() == key) else {
                let names = commands.iter().map(|c| c.get_name()).collect();
                return Err((format!("unknown table `[{key}]`"), hint(key, &names)));
            };
            let known: BTreeSet<&str> = options(of).map(|(name, _)| name).collect();
            if let Some(wrong) = inner.keys().find(|key| !known.contains(key.as_str())) {
                return Err((
                    format!("unknown key `{wrong}` in `[{key}]`"),
                    hint(wrong, &known),
                ));
            }
        } else if !everywhere.contains(key.as_str()) {
            return Err((format!("unknown key `{key}`"), hint(key, &everywhere)));
        }
    }
    Ok(())
}

fn merge(
    command: &Command,
    table: &Table,
    mut arguments: Vec<OsString>,
) -> Result<Vec<OsString>, String> {
    let place = arguments.iter().position(|argument| {
        argument
            .to_str()
            .is_some_and(|name| command.find_subcommand(name).is_some())
    });
    let Some(of) = place.and_then(|at| command.find_subcommand(arguments[at].to_str()?)) else {
        return Ok(arguments);
    };
    let given = |name: &str| {
        arguments.iter().any(|argument| {
            let text = argument.to_string_lossy();
            text.strip_prefix("--")
                .and_then(|text| text.strip_prefix(name))
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('='))
        })
    };
    let own = table.get(of.get_name()).and_then(toml::Value::as_table);
    let mut defaults: Vec<OsString> = Vec::new();
    for (name, argument) in options(of) {
        let value = own
            .and_then(|own| own.get(name))
            .or_else(|| table.get(name));
        let Some(value) = value.filter(|value| !value.is_table()) else {
            continue;
        };
        // --from on the command line takes the place of a configured --since.
        let rivals = of.get_arg_conflicts_with(argument);
        let replaced = rivals
            .iter()
            .any(|rival| rival.get_long().is_some_and(given))
            || (name == "from" && given("since"));
        if given(name) || replaced {
            continue;
        }
        let wrong = |what: &str| format!("`{name}` must be {what}");
        match (argument.get_action(), value) {
            (ArgAction::SetTrue, toml::Value::Boolean(true)) => {
                defaults.push(format!("--{name}").into());
            }
            (ArgAction::SetTrue, toml::Value::Boolean(false)) => {}
            (ArgAction::SetTrue, _) => return Err(wrong("true or false")),
            (ArgAction::Append, toml::Value::Array(list)) => {
                for item in list {
                    let text = word(item).ok_or_else(|| wrong("a list of strings"))?;
                    defaults.push(format!("--{name}={text}").into());
                }
            }
            (_, value) => {
                let text = word(value).ok_or_else(|| wrong("a string or a number"))?;
                defaults.push(format!("--{name}={text}").into());
            }
        }
    }
    let at = place.unwrap_or(0) + 1;
    arguments.splice(at..at, defaults);
    Ok(arguments)
}

fn word(value: &toml::Value) -> Option<String> {
    match value {
        toml::Value::String(text) => Some(text.clone()),
        toml::Value::Integer(number) => Some(number.to_string()),
        _ => None,
    }
}

/// The JSON Schema (2020-12) of the file.
pub(super) fn schema() -> Value {
    let command = Args::command();
    let mut everywhere = serde_json::Map::new();
    let mut tables = serde_json::Map::new();
    for of in command.get_subcommands() {
        let mut own = serde_json::Map::new();
        for (name, argument) in options(of) {
            let property = property(argument);
            own.insert(name.to_owned(), property.clone());
            everywhere.entry(name.to_owned()).or_insert(property);
        }
        if !own.is_empty() {
            let table = json!({"type": "object", "description": of.get_about().map(ToString::to_string),
                "properties": own, "additionalProperties": false});
            tables.insert(of.get_name().to_owned(), table);
        }
    }
    everywhere.extend(tables);
    json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema", "title": FILE,
        "description": "Defaults for options of rolefit, under the options' own names. A key outside a table is for every command that has the option; what is given on the command line wins.",
        "type": "object", "properties": everywhere, "additionalProperties": false
    })
}

fn property(argument: &Arg) -> Value {
    let values: Vec<String> = argument
        .get_possible_values()
        .iter()
        .map(|value| value.get_name().to_owned())
        .collect();
    let one = if values.is_empty() {
        json!({"type": ["string", "integer"]})
    } else {
        json!({"enum": values})
    };
    let mut property = match argument.get_action() {
        ArgAction::SetTrue => json!({"type": "boolean"}),
        ArgAction::Append => json!({"oneOf": [one.clone(), {"type": "array", "items": one}]}),
        _ => one,
    };
    if let Some(object) = property.as_object_mut() {
        let help = argument.get_help().map(ToString::to_string);
        object.insert("description".into(), json!(help));
    }
    property
}

#[cfg(test)]
mod tests {
    use super::*;

    fn merged(toml: &str, arguments: &[&str]) -> Result<Vec<String>, String> {
        let table: Table = toml.parse().unwrap();
        let arguments = arguments.iter().map(OsString::from).collect();
        merge(&Args::command(), &table, arguments)
            .map(|list| list.into_iter().map(|a| a.into_string().unwrap()).collect())
    }

    fn wrong(toml: &str) -> (String, String) {
        unknown_keys(&Args::command(), &toml.parse().unwrap()).unwrap_err()
    }

    #[test]
    fn the_command_line_wins_and_commands_get_what_they_know() {
        let toml = "since = \"90d\"\nrole = [\"a\", \"b\"]\nall-roles = true\n[check]\nmax-unused = 3\n[fit]\nsince = \"30d\"\n";
        assert_eq!(
            merged(toml, &["rolefit", "fit", "logs"]).unwrap(),
            [
                "rolefit",
                "fit",
                "--since=30d",
                "--role=a",
                "--role=b",
                "--all-roles",
                "logs"
            ]
        );
        assert_eq!(
            merged(
                toml,
                &[
                    "rolefit",
                    "check",
                    "logs",
                    "--from",
                    "2026-01-01",
                    "--role",
                    "c"
                ]
            )
            .unwrap(),
            [
                "rolefit",
                "check",
                "--all-roles",
                "--max-unused=3",
                "logs",
                "--from",
                "2026-01-01",
                "--role",
                "c"
            ]
        );
        assert_eq!(
            merged(toml, &["rolefit", "man"]).unwrap(),
            ["rolefit", "man"]
        );
        assert!(merged("all-roles = 1", &["rolefit", "fit", "x"]).is_err());
    }

    #[test]
    fn unknown_keys_are_errors_with_a_suggestion() {
        assert_eq!(
            wrong("snapshots = \"x\""),
            (
                "unknown key `snapshots`".into(),
                "did you mean `snapshot`?".into()
            )
        );
        assert_eq!(
            wrong("[check]\nmax-unsued = 1").1,
            "did you mean `max-unused`?"
        );
        assert_eq!(wrong("[chek]\na = 1").1, "did you mean `check`?");
        assert!(wrong("zzz = 1").1.contains("schema config"));
    }

    #[test]
    fn the_schema_takes_what_the_program_takes() {
        let schema = schema();
        let validator = jsonschema::validator_for(&schema).unwrap();
        assert!(
            validator
                .is_valid(&json!({"since": "90d", "role": ["a"], "check": {"max-unused": "5%"}}))
        );
        assert!(!validator.is_valid(&json!({"sinc": "90d"})));
        assert!(!validator.is_valid(&json!({"fit": {"max-unused": 1}})));
        assert!(!validator.is_valid(&json!({"granularity": "fine"})));
    }
}
