//! A usage file in the place of logs: the scan that it stands for.

use super::scan::{Objects, Scan};
use crate::read::Selection;
use crate::trail::key::LogKey;
use crate::usage::file::{FileError, UsageFile};
use crate::usage::ledger::{End, ObjectRow};
use crate::usage::{Table, Usage};

/// Why a usage file has no answer.
#[derive(Debug, thiserror::Error)]
pub enum StoredError {
    /// It cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// It does not hold what is asked for.
    #[error("the usage file does not hold {0}")]
    NotThere(String),
    /// It holds days, and something else was asked for.
    #[error("a usage file answers for whole days (UTC): {0} is within one")]
    WithinADay(String),
}

impl StoredError {
    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File(error) => error.hint(),
            Self::NotThere(_) => "scan the logs with a wider selection",
            Self::WithinADay(_) => "give a date, such as 2026-11-20",
        }
    }
}

/// What can be asked of a usage file: `asked`, or what its logs were read with where that says nothing.
///
/// # Errors
/// Where the file does not hold it.
pub fn selection(file: &UsageFile, asked: &Selection) -> Result<Selection, StoredError> {
    let own = &file.header().selection;
    let part = |asked: &std::collections::BTreeSet<String>,
                own: &std::collections::BTreeSet<String>,
                what: &str| {
        if asked.is_empty() {
            return Ok(own.clone());
        }
        match asked
            .iter()
            .find(|one| !own.is_empty() && !own.contains(*one))
        {
            Some(one) => Err(StoredError::NotThere(format!("{what} {one}"))),
            None => Ok(asked.clone()),
        }
    };
    let told = |second: i64| super::rows::timestamp(second);
    let from = match (asked.from, own.from) {
        (None, own) => own,
        (Some(asked), Some(own)) if asked < own => {
            let what = format!("events before {}, {} was asked for", told(own), told(asked));
            return Err(StoredError::NotThere(what));
        }
        (Some(asked), own) => {
            if own != Some(asked) && asked.rem_euclid(86_400) != 0 {
                return Err(StoredError::WithinADay(told(asked)));
            }
            Some(asked)
        }
    };
    let to = match (asked.to, own.to) {
        (None, own) => own,
        (Some(asked), Some(own)) if asked > own => {
            let what = format!(
                "events from {} on, {} was asked for",
                told(own),
                told(asked)
            );
            return Err(StoredError::NotThere(what));
        }
        (Some(asked), own) => {
            if own != Some(asked) && asked.rem_euclid(86_400) != 0 {
                return Err(StoredError::WithinADay(told(asked)));
            }
            Some(asked)
        }
    };
    Ok(Selection {
        accounts: part(&asked.accounts, &own.accounts, "account")?,
        regions: part(&asked.regions, &own.regions, "Region")?,
        from,
        to,
    })
}

/// What reading the logs with this selection (see [`selection`]) would have given.
///
/// # Errors
/// Where the file cannot be read.
pub fn stored(file: &UsageFile, selection: &Selection) -> Result<Scan, StoredError> {
    let mut tables = stored_periods(file, selection, &[])?;
    let usage = tables.usage.pop().unwrap_or_default();
    Ok(Scan {
        usage,
        objects: tables.objects,
        exact: file.header().exact,
        remarks: Vec::new(),
    })
}

/// The seconds of the first and the last event of the selection; `None` where no event has a time.
///
/// # Errors
/// Where the file cannot be read.
pub(super) fn stored_window(
    file: &UsageFile,
    selection: &Selection,
) -> Result<Option<(i64, i64)>, StoredError> {
    let mut span: Option<(i64, i64)> = None;
    for day in file.days() {
        if let Some((first, last)) = Table::span(file, day, selection)? {
            let (from, to) = span.unwrap_or((first, last));
            span = Some((from.min(first), to.max(last)));
        }
    }
    Ok(span)
}

/// Missing shards that are named.
const MOST_MISSING: usize = 1_000;

/// One table a period.
pub(super) struct Periods {
    pub(super) usage: Vec<Usage>,
    pub(super) objects: Objects,
}

/// The same, but one table for each period: the first begins with the selection, each of `starts`
/// (sorted, midnights) begins a further one.
///
/// # Errors
/// Where the file cannot be read, or a period does not begin at midnight.
pub(super) fn stored_periods(
    file: &UsageFile,
    selection: &Selection,
    starts: &[i64],
) -> Result<Periods, StoredError> {
    if let Some(within) = starts.iter().find(|start| start.rem_euclid(86_400) != 0) {
        return Err(StoredError::WithinADay(super::rows::timestamp(*within)));
    }
    let mut tables: Vec<Table> = (0..=starts.len()).map(|_| Table::default()).collect();
    for day in file.days() {
        let start = day.map_or(i64::MIN, |day| i64::from(day) * 86_400);
        let period = starts.partition_point(|at| *at <= start);
        if let Some(table) = tables.get_mut(period) {
            table.add(file, day, selection)?;
        }
    }
    let mut objects = Objects::default();
    let mut read = 0;
    let mut selected = 0;
    let mut undecodable = 0;
    for (name, row) in file.objects()? {
        read += account(&name, &row, selection, &mut objects);
        if passed_over(&name, &row, selection).is_none() {
            undecodable += row.undecodable;
            selected += Table::selected(&row, selection);
        }
        delivered(&name, &row, selection, starts, &mut tables);
    }
    for (of, held) in &file.header().shards {
        for number in (1..=*of)
            .filter(|number| !held.contains(number))
            .take(MOST_MISSING)
        {
            let why = "it was not merged into the usage file".to_owned();
            objects.failed.push((format!("shard {number}/{of}"), why));
            objects.failed_anywhere += 1;
            objects.listed += 1;
        }
    }
    objects.failed.sort();
    let mut usage: Vec<Usage> = tables.into_iter().map(Table::finish).collect();
    let apart: u64 = usage
        .iter()
        .map(|usage| usage.records.by_role + usage.records.other)
        .sum();
    if let Some(first) = usage.first_mut() {
        let records = &mut first.records;
        records.undecodable = undecodable;
        records.duplicate = selected.saturating_sub(apart);
        // What is outside the selection.
        let outside = read.saturating_sub(undecodable + selected);
        records.other += outside;
        // The table also holds events of objects that are others now, or were delivered past the selection.
        records.read = apart + records.duplicate + undecodable + outside;
    }
    Ok(Periods { usage, objects })
}

/// Why an object has nothing of the selection.
fn passed_over(name: &str, row: &ObjectRow, selection: &Selection) -> Option<String> {
    match &row.end {
        End::Unlisted(_) => None,
        _ => selection
            .passes_over(&LogKey::parse(name)?)
            .map(str::to_owned),
    }
}

/// Adds an object to the accounts. Gives its records.
fn account(name: &str, row: &ObjectRow, selection: &Selection, objects: &mut Objects) -> u64 {
    objects.listed += 1;
    if let Some(why) = passed_over(name, row, selection) {
        let why = match &row.end {
            // Passed over by its name, before anything was asked for.
            End::Skipped(own) if row.compressed == 0 => own.clone(),
            _ => why,
        };
        *objects.skipped.entry(why).or_default() += 1;
        return 0;
    }
    objects.compressed += row.compressed;
    objects.inflated += row.inflated;
    let key = LogKey::parse(name);
    let placed = key.is_some_and(|key| key.account.is_some() && key.region.is_some());
    match &row.end {
        End::Read => {
            objects.read += 1;
            objects.failed_anywhere += u64::from(row.undecodable > 0 && !placed);
        }
        End::Skipped(why) => *objects.skipped.entry(why.clone()).or_default() += 1,
        End::Failed(why) => {
            objects.failed.push((name.to_owned(), why.clone()));
            objects.failed_anywhere += u64::from(!placed);
        }
        End::Unlisted(why) => {
            objects.failed.push((name.to_owned(), why.clone()));
            objects.failed_anywhere += 1;
        }
    }
    row.records.values().sum::<u64>() + row.undecodable + row.outside
}

/// Notes where and when an object was delivered; a broken one leaves a hole in every period.
fn delivered(
    name: &str,
    row: &ObjectRow,
    selection: &Selection,
    starts: &[i64],
    tables: &mut [Table],
) {
    let broken = match &row.end {
        End::Read => row.undecodable > 0,
        End::Failed(_) => true,
        End::Skipped(_) | End::Unlisted(_) => return,
    };
    let Some(key) = LogKey::parse(name) else {
        return;
    };
    let (Some(account), Some(region)) = (&key.account, &key.region) else {
        return;
    };
    if selection.passes_over(&key).is_some() {
        return;
    }
    let day = key
        .delivered
        .and_then(|at| i32::try_from(at.div_euclid(86_400)).ok());
    let period = starts.partition_point(|start| *start <= key.delivered.unwrap_or(i64::MIN));
    for (at, table) in tables.iter_mut().enumerate() {
        if broken || at == period {
            let organisation = key.organization.is_some();
            table.delivered(account, region, day, organisation, broken);
        }
    }
}
