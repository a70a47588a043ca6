//! Time: which days of the window the input has events of, where the role works.

use std::collections::BTreeSet;

use crate::synthesize::{Inputs, Options};
use crate::usage::Place;

/// The days around one role.
#[derive(Debug)]
pub(in crate::synthesize) struct Days {
    /// Seconds since 1970 of the first and the last event where the role works.
    pub(in crate::synthesize) first: Option<i64>,
    pub(in crate::synthesize) last: Option<i64>,
    /// Stretches of whole days without any event, first and last day since 1970, by Region.
    pub(in crate::synthesize) gaps: Vec<Gap>,
}

/// Days without any event of a Region.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::synthesize) struct Gap {
    /// The Region, or several where one of them would do.
    pub(in crate::synthesize) region: String,
    pub(in crate::synthesize) from: i32,
    pub(in crate::synthesize) to: i32,
    /// Log objects are there for these days, with nothing in them.
    pub(in crate::synthesize) emptied: bool,
}

impl Gap {
    pub(in crate::synthesize) fn days(&self) -> i32 {
        self.to - self.from + 1
    }
}

impl Days {
    /// `worked` are the Regions where the role works, `ran` those where its functions run.
    pub(super) fn new(
        inputs: Inputs<'_>,
        options: &Options,
        worked: &BTreeSet<String>,
        ran: &BTreeSet<String>,
    ) -> Self {
        let places: Vec<(&str, &Place)> = inputs
            .coverage
            .of_account(&inputs.role.account)
            .filter(|(_, place)| !place.days.is_empty())
            .collect();
        let of = |regions: &BTreeSet<String>| -> Vec<(&str, &Place)> {
            let at: Vec<_> = places
                .iter()
                .filter(|(region, _)| regions.contains(*region))
                .copied()
                .collect();
            if at.is_empty() { places.clone() } else { at }
        };
        let at_work = of(worked);
        // Where functions run, something happens on every day that they run; a Region that the role
        // only calls into may be quiet for weeks.
        let mut gaps = Vec::new();
        let running: Vec<_> = places
            .iter()
            .filter(|(region, _)| ran.contains(*region))
            .copied()
            .collect();
        if running.is_empty() {
            gaps.extend(gaps_of(&at_work, options));
        }
        for place in running {
            gaps.extend(gaps_of(&[place], options));
        }
        Self {
            first: at_work.iter().filter_map(|(_, place)| place.first).min(),
            last: at_work.iter().filter_map(|(_, place)| place.last).max(),
            gaps,
        }
    }

    /// Days between the first and the last event.
    pub(in crate::synthesize) fn span(&self) -> i64 {
        match (self.first, self.last) {
            (Some(first), Some(last)) => (last - first).div_euclid(86_400).max(1),
            _ => 0,
        }
    }
}

/// The days without events between the first and the last day, and up to the ends of the window that the
/// user asked for.
fn gaps_of(places: &[(&str, &Place)], options: &Options) -> Vec<Gap> {
    let days: BTreeSet<i32> = places
        .iter()
        .flat_map(|(_, place)| place.days.iter().copied())
        .collect();
    let (Some(first), Some(last)) = (days.first(), days.last()) else {
        return Vec::new();
    };
    let keyed = places
        .iter()
        .any(|(_, place)| place.plain || place.organisation);
    // Records that no key tells the delivery of may be few; three days of silence are odd all the same.
    let least = if keyed { 1 } else { 3 };
    // The asked window, in whole days.
    let from = options.from.map(|from| day(from + 86_399));
    let to = options.to.map(|to| day(to) - 1);
    let names: Vec<&str> = places.iter().map(|(region, _)| *region).collect();
    let mut stretches = Vec::new();
    stretches.extend(from.map(|from| (from, first - 1)));
    let all: Vec<i32> = days.iter().copied().collect();
    stretches.extend(all.windows(2).map(|pair| (pair[0] + 1, pair[1] - 1)));
    stretches.extend(to.map(|to| (last + 1, to)));
    stretches
        .into_iter()
        .filter(|(from, to)| to - from + 1 >= least)
        .map(|(from, to)| Gap {
            region: names.join(", "),
            from,
            to,
            emptied: places
                .iter()
                .any(|(_, place)| place.delivered.range(from..=to).next().is_some()),
        })
        .collect()
}

fn day(seconds: i64) -> i32 {
    i32::try_from(seconds.div_euclid(86_400)).unwrap_or_default()
}

/// A day since 1970 as a date.
pub(in crate::synthesize) fn date(day: i32) -> String {
    date_of(i64::from(day) * 86_400)
}

/// The date of a time in seconds since 1970.
pub(in crate::synthesize) fn date_of(seconds: i64) -> String {
    jiff::Timestamp::from_second(seconds).map_or_else(
        |_| "an unknown day".to_owned(),
        |t| t.strftime("%Y-%m-%d").to_string(),
    )
}
