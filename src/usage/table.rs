//! From the pages of a usage file to the table.

use std::collections::HashMap;

use foldhash::fast::RandomState;

use super::file::{FileError, UsageFile};
use super::ledger::{DAY, ObjectRow, Where};
use super::{RoleUsage, Usage};
use crate::read::Selection;

/// A table under construction.
#[derive(Default)]
pub struct Table {
    roles: HashMap<String, RoleUsage, RandomState>,
    usage: Usage,
}

impl Table {
    /// Adds what a file holds of a day (since 1970; `None` for events without a time), as far as it is
    /// part of the selection.
    ///
    /// # Errors
    /// [`FileError`] where it cannot be read.
    pub fn add(
        &mut self,
        file: &UsageFile,
        day: Option<i32>,
        selection: &Selection,
    ) -> Result<(), FileError> {
        if !of_day(day, selection) {
            return Ok(());
        }
        for (place, page) in file.pages(day)? {
            if !of_place(&place, selection) {
                continue;
            }
            page.apply(&mut self.roles, &mut self.usage);
            if let (Some(account), Some(region), Some(cover)) =
                (&place.account, &place.region, page.cover)
            {
                self.usage.coverage.place(account, region).merge(cover);
            }
        }
        Ok(())
    }

    /// The seconds of the first and the last event of a day, as far as it is part of the selection.
    ///
    /// # Errors
    /// [`FileError`] where the day cannot be read.
    pub fn span(
        file: &UsageFile,
        day: Option<i32>,
        selection: &Selection,
    ) -> Result<Option<(i64, i64)>, FileError> {
        if !of_day(day, selection) {
            return Ok(None);
        }
        let pages = file.pages(day)?;
        let asked = pages.iter().filter(|(place, _)| of_place(place, selection));
        let cells = asked.flat_map(|(_, page)| page.deeds.iter().map(|(_, cell)| &cell.tally));
        let first = cells.clone().filter_map(|tally| tally.first).min();
        Ok(first.zip(cells.filter_map(|tally| tally.last).max()))
    }

    /// The records of an object that are part of the selection, copies included.
    #[must_use]
    pub fn selected(row: &ObjectRow, selection: &Selection) -> u64 {
        let records = row.records.iter();
        records
            .filter(|((day, place), _)| of_day(*day, selection) && of_place(place, selection))
            .map(|(_, count)| count)
            .sum()
    }

    /// Notes a log object that was delivered for a place, read to its end or not.
    pub fn delivered(
        &mut self,
        account: &str,
        region: &str,
        day: Option<i32>,
        organisation: bool,
        failed: bool,
    ) {
        let place = self.usage.coverage.place(account, region);
        place.delivered(day, organisation, failed);
    }

    /// The table.
    #[must_use]
    pub fn finish(mut self) -> Usage {
        self.usage.roles = self.roles.into_iter().collect();
        self.usage
    }
}

/// Whether the events of a day are asked for: those of a day that the selection cuts were chosen when
/// the logs were read. What has no time speaks for itself.
fn of_day(day: Option<i32>, selection: &Selection) -> bool {
    day.is_none_or(|day| {
        let start = i64::from(day) * DAY;
        selection.from.is_none_or(|from| start + DAY > from)
            && selection.to.is_none_or(|to| start < to)
    })
}

fn of_place(place: &Where, selection: &Selection) -> bool {
    let has = |wanted: &std::collections::BTreeSet<String>, part: &Option<String>| {
        wanted.is_empty() || part.as_ref().is_none_or(|part| wanted.contains(part))
    };
    has(&selection.accounts, &place.account) && has(&selection.regions, &place.region)
}
