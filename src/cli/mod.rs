//! The command line: arguments, one file a subcommand, progress, exit codes. The one place that prints
//! and the one place that chooses between sources.

mod apply;
mod args;
mod backtest;
mod baseline;
mod catalog;
mod check;
mod collect;
mod config;
mod coverage;
mod denied;
mod drift;
mod exit;
mod explain;
mod fit;
mod help;
mod inputs;
mod interrupt;
mod policy;
mod progress;
mod remote;
mod requests;
mod scan;
mod stored;

use std::io::{self, Write};

use clap::FromArgMatches;

pub use exit::Exit;

use args::{Args, Command};

/// Something that ends the run, with what to do about it.
#[derive(Debug)]
struct Fault {
    error: anyhow::Error,
    hint: Option<String>,
    exit: Exit,
}

impl Fault {
    fn new(exit: Exit, error: impl Into<anyhow::Error>) -> Self {
        Self {
            error: error.into(),
            hint: None,
            exit,
        }
    }

    fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hint = Some(hint.into());
        self
    }
}

impl From<io::Error> for Fault {
    fn from(error: io::Error) -> Self {
        Self::new(Exit::Failed, error)
    }
}

/// Runs the program on the process's arguments.
#[must_use]
pub fn main() -> Exit {
    let arguments = match config::with_defaults(std::env::args_os().collect()) {
        Ok(arguments) => arguments,
        Err(fault) => return told(fault),
    };
    let parsed = help::command()
        .try_get_matches_from(arguments)
        .and_then(|matches| Args::from_arg_matches(&matches));
    let args = match parsed {
        Ok(args) => args,
        Err(error) => {
            // Help and version go to stdout and are no failure.
            let _ = error.print();
            return if error.use_stderr() {
                Exit::Usage
            } else {
                Exit::Done
            };
        }
    };
    let result = match &args.command {
        Command::Fit(args) => fit::run(args),
        Command::Backtest(args) => backtest::run(args),
        Command::Check(args) => check::run(args),
        Command::Coverage(args) => coverage::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Denied(args) => denied::run(args),
        Command::Collect(args) => collect::run(args),
        Command::Apply(args) => apply::run(args),
        Command::Rollback(args) => apply::rollback(args),
        Command::Scan(args) => scan::run(args),
        Command::Merge(args) => scan::merge(args),
        Command::Requests(args) => requests::run(args),
        Command::Verify(args) => policy::verify(args),
        Command::Simulate(args) => policy::simulate(args),
        Command::Catalog(command) => catalog::run(command),
        Command::Schema(args) => schema(args.of),
        Command::Completions { shell } => Ok(help::completions(*shell)),
        Command::Man { command } => help::man(command.as_deref()),
    };
    match result {
        Ok(exit) => exit,
        // The reader of our output went away, as `head` does: it has what it wanted.
        Err(fault) if is_broken_pipe(&fault.error) => Exit::Done,
        Err(fault) => told(fault),
    }
}

fn told(fault: Fault) -> Exit {
    say("error", &format!("{:#}", fault.error));
    if let Some(hint) = fault.hint {
        say("hint", &hint);
    }
    fault.exit
}

fn schema(of: args::SchemaOf) -> Result<Exit, Fault> {
    let mut out = io::stdout().lock();
    match of {
        args::SchemaOf::Report => out.write_all(crate::render::REPORT_SCHEMA.as_bytes())?,
        args::SchemaOf::Config => {
            serde_json::to_writer_pretty(&mut out, &config::schema()).map_err(io::Error::from)?;
            writeln!(out)?;
        }
    }
    Ok(Exit::Done)
}

fn is_broken_pipe(error: &anyhow::Error) -> bool {
    error.chain().any(|cause| {
        cause
            .downcast_ref::<io::Error>()
            .is_some_and(|e| e.kind() == io::ErrorKind::BrokenPipe)
    })
}

/// One line on stderr, with control characters escaped: names in it may come from logs.
fn say(kind: &str, message: &str) {
    let _ = writeln!(io::stderr().lock(), "{kind}: {}", printable(message));
}

/// Text with control characters and marks that reorder it as escapes.
fn printable(message: &str) -> String {
    crate::render::plain(message)
}
