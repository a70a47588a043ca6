//! The command line: arguments, one file a subcommand, progress, exit codes. The one place that prints
//! and the one place that chooses between sources.

mod args;
mod backtest;
mod catalog;
mod coverage;
mod exit;
mod explain;
mod fit;
mod inputs;
mod policy;
mod progress;
mod requests;

use std::io::{self, Write};

use clap::Parser;

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
    let args = match Args::try_parse() {
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
        Command::Coverage(args) => coverage::run(args),
        Command::Explain(args) => explain::run(args),
        Command::Requests(args) => requests::run(args),
        Command::Verify(args) => policy::verify(args),
        Command::Simulate(args) => policy::simulate(args),
        Command::Catalog(command) => catalog::run(command),
    };
    match result {
        Ok(exit) => exit,
        // The reader of our output went away, as `head` does: it has what it wanted.
        Err(fault) if is_broken_pipe(&fault.error) => Exit::Done,
        Err(fault) => {
            say("error", &format!("{:#}", fault.error));
            if let Some(hint) = fault.hint {
                say("hint", &hint);
            }
            fault.exit
        }
    }
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
    let message: String = message
        .chars()
        .flat_map(|c| {
            if c.is_control() {
                c.escape_unicode().collect::<Vec<_>>()
            } else {
                vec![c]
            }
        })
        .collect();
    let _ = writeln!(io::stderr().lock(), "{kind}: {message}");
}
