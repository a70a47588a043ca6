//! What commands answer from: logs, a usage file, or a state that takes in what is new first.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use anyhow::anyhow;
use rayon::ThreadPool;

use super::args::{LogArgs, StoredArgs};
use super::progress::Progress;
use super::{Exit, Fault, inputs, say};
use crate::catalog::Catalog;
use crate::pipeline::{
    Events, Reading, Scan, State, StateError, StoredError, scan_passing_over, selection, stored,
};
use crate::read::{Selection, Source};
use crate::usage::file::UsageFile;

/// Where the events are.
pub(super) enum Input {
    /// In logs.
    Logs {
        source: Box<dyn Source + Send>,
        selection: Selection,
        progress: Progress,
    },
    /// In a usage file; that of a state stays locked.
    Usage {
        file: UsageFile,
        selection: Selection,
        state: Option<State>,
    },
}

impl Input {
    /// Which of them are asked for.
    pub(super) fn selection(&self) -> &Selection {
        match self {
            Self::Logs { selection, .. } | Self::Usage { selection, .. } => selection,
        }
    }

    /// The state, where that is what was named.
    pub(super) fn state(&self) -> Option<&State> {
        match self {
            Self::Usage { state, .. } => state.as_ref(),
            Self::Logs { .. } => None,
        }
    }

    /// For a backtest.
    pub(super) fn events(&self) -> Events<'_> {
        match self {
            Self::Logs {
                source, progress, ..
            } => Events::Logs(source.as_ref(), progress),
            Self::Usage { file, .. } => Events::Stored(file),
        }
    }

    /// Reads them. Of the roles in `passed_over` nothing is needed.
    pub(super) fn scan(
        &self,
        passed_over: &BTreeSet<String>,
        catalog: &Catalog,
        pool: &ThreadPool,
    ) -> Result<Scan, Fault> {
        match self {
            Self::Logs {
                source,
                selection,
                progress,
            } => Ok(scan_passing_over(
                passed_over,
                source.as_ref(),
                selection,
                catalog,
                pool,
                progress,
            )),
            Self::Usage {
                file, selection, ..
            } => stored(file, selection).map_err(of_file),
        }
    }
}

/// What the arguments name. `excluded` folders are not searched for logs.
pub(super) fn input(
    logs: &LogArgs,
    excluded: &[PathBuf],
    catalog: &'static Catalog,
    pool: &ThreadPool,
) -> Result<Input, Fault> {
    let asked = inputs::selection(&logs.selection)?;
    if let Some(file) = &logs.stored.usage {
        if logs.given() {
            return Err(Fault::new(
                Exit::Usage,
                anyhow!("--usage takes the place of LOGS: give one of the two"),
            ));
        }
        return usage(file, &whole_days(logs, asked), catalog, None);
    }
    if let Some(folder) = &logs.stored.state {
        let state = State::open(folder).map_err(of_state)?;
        let selection = whole_days(logs, asked);
        if logs.given() {
            update(&state, logs, excluded, &selection, catalog, pool)?;
        }
        let file = state.file();
        if !file.exists() {
            let error = anyhow!("`{}` remembers nothing yet", folder.display());
            return Err(Fault::new(Exit::NoInput, error).hint("name the LOGS to read into it"));
        }
        return usage(&file, &selection, catalog, Some(state));
    }
    Ok(Input::Logs {
        source: inputs::source(logs, &asked, excluded)?,
        selection: asked,
        progress: Progress::new(!logs.run.no_progress),
    })
}

/// Reads what is new into a state.
pub(super) fn update(
    state: &State,
    logs: &LogArgs,
    excluded: &[PathBuf],
    selection: &Selection,
    catalog: &Catalog,
    pool: &ThreadPool,
) -> Result<(), Fault> {
    no_stdin(logs)?;
    if selection
        .from
        .is_some_and(|from| from.rem_euclid(86_400) != 0)
    {
        let error = anyhow!("a state keeps whole days, and --from is a time within one");
        return Err(Fault::new(Exit::Usage, error).hint("give --from as a date, or --since"));
    }
    let mut excluded = excluded.to_vec();
    excluded.extend(logs.stored.state.iter().cloned());
    let source = inputs::source(logs, selection, &excluded)?;
    let progress = Progress::new(!logs.run.no_progress);
    let reading = Reading {
        source: source.as_ref(),
        selection,
        catalog,
        pool,
        observer: &progress,
        checkpoint: logs.stored.checkpoint as usize,
        shard: None,
    };
    let listing = source.list(&progress);
    if listing.objects.is_empty() && listing.skipped.is_empty() && listing.failed.is_empty() {
        let error = anyhow!("no CloudTrail log in {}", name(logs));
        return Err(Fault::new(Exit::NoInput, error)
            .hint("give the folder that holds AWSLogs/, or log files (*.json.gz)"));
    }
    let updated = state
        .update(logs.named(), listing, reading)
        .map_err(of_state)?;
    drop(progress);
    say(
        "state",
        &format!(
            "{} log objects read, {} known from earlier runs",
            updated.read, updated.known
        ),
    );
    Ok(())
}

fn usage(
    path: &Path,
    asked: &Selection,
    catalog: &Catalog,
    state: Option<State>,
) -> Result<Input, Fault> {
    let file = UsageFile::open(path).map_err(|error| of_file(StoredError::File(error)))?;
    let selection = selection(&file, asked).map_err(of_file)?;
    for mapped in &file.header().catalogs {
        if mapped != catalog.version() {
            say(
                "warning",
                &format!(
                    "`{}` holds requests that were mapped by the catalog of {mapped}",
                    path.display()
                ),
            );
        }
    }
    Ok(Input::Usage {
        file,
        selection,
        state,
    })
}

/// Usage files answer for whole days: what is counted back from now begins with its day.
pub(super) fn whole_days(logs: &LogArgs, mut selection: Selection) -> Selection {
    if logs.selection.since.is_some() {
        selection.from = selection.from.map(|from| from.div_euclid(86_400) * 86_400);
    }
    selection
}

/// Standard input has no name by which another run could know it again.
pub(super) fn no_stdin(logs: &LogArgs) -> Result<(), Fault> {
    if logs.logs.iter().any(|logs| logs == "-") {
        let error = anyhow!("a usage file cannot tell standard input from another one");
        return Err(Fault::new(Exit::Usage, error).hint("name the log files"));
    }
    Ok(())
}

/// For commands that need the records themselves.
pub(super) fn not_here(stored: &StoredArgs, command: &str) -> Result<(), Fault> {
    if stored.usage.is_some() || stored.state.is_some() {
        let error = anyhow!("`{command}` needs LOGS: a usage file holds no records");
        return Err(Fault::new(Exit::Usage, error));
    }
    Ok(())
}

/// The input, for people.
pub(super) fn name(logs: &LogArgs) -> String {
    let stored = logs.stored.usage.as_ref().or(logs.stored.state.as_ref());
    match stored.filter(|_| !logs.given()) {
        Some(path) => path.display().to_string(),
        None => logs.named().join(" "),
    }
}

pub(super) fn of_file(error: StoredError) -> Fault {
    let hint = error.hint();
    let exit = match &error {
        StoredError::File(_) => Exit::Failed,
        StoredError::NotThere(_) | StoredError::WithinADay(_) => Exit::Usage,
    };
    Fault::new(exit, error).hint(hint)
}

pub(super) fn of_state(error: StateError) -> Fault {
    let hint = error.hint();
    let exit = match &error {
        StateError::Selection { .. } => Exit::Usage,
        _ => Exit::Failed,
    };
    Fault::new(exit, error).hint(hint)
}
