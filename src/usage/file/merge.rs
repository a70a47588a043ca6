//! Usage files to one: a union of objects, deeds and marks, a day at a time.
//!
//! What stands in one file alone is copied as it is. Memory holds the pages of one day and a chunk of
//! marks of each file.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Write};

use thiserror::Error;

use super::super::ledger::{Draft, End, Mark, ObjectRow, Page, Where};
use super::output::Output;
use super::read::{Marks, UsageFile};
use super::{FileError, Header, Kind, failed};

/// How files are put together.
#[derive(Clone, Debug, Default)]
pub struct MergeOptions {
    /// Days before this one (since 1970), and objects delivered before it, are left out.
    pub drop_before: Option<i32>,
    /// The marks of days before this one are not kept.
    pub seal_before: Option<i32>,
    /// Days whose marks are kept all the same: some object that may hold their events is to be read again.
    pub keep: BTreeSet<i32>,
    /// An object may have been read again after the marks of its days were sealed. The result then says
    /// that events may have counted twice; otherwise such files are refused.
    pub again: bool,
    /// The files are readings one after the other: of an object the last one counts.
    pub in_turn: bool,
    /// What the first file could not list below these places was listed anew.
    pub listed_anew: Vec<String>,
}

/// Why files cannot be put together.
#[derive(Debug, Error)]
pub enum MergeError {
    /// One of them cannot be used.
    #[error(transparent)]
    File(#[from] FileError),
    /// The result cannot be written.
    #[error("cannot write the usage file: {0}")]
    Io(#[from] io::Error),
    /// They do not answer the same question.
    #[error("`{}` and `{}` were read with another {what}", one.display(), other.display())]
    Selection {
        /// The first file.
        one: std::path::PathBuf,
        /// The one that differs from it.
        other: std::path::PathBuf,
        /// In what.
        what: &'static str,
    },
    /// Events that can no longer be told apart may be in several of them.
    #[error(
        "several files hold the same log objects, and one of them no longer tells the events of {0} apart"
    )]
    Sealed(String),
}

impl MergeError {
    /// What to do about it, for people.
    #[must_use]
    pub fn hint(&self) -> &'static str {
        match self {
            Self::File(error) => error.hint(),
            Self::Io(_) => "check the space and the permissions of its folder",
            Self::Selection { .. } => {
                "scan every shard with the same --from, --to, --account and --region"
            }
            Self::Sealed(_) => {
                "merge files of `rolefit scan --out` instead of a state, or a state with files of other log objects"
            }
        }
    }
}

/// What the result says of itself.
///
/// # Errors
/// [`MergeError::Selection`] where the files were read with different selections.
pub fn header(files: &[UsageFile]) -> Result<Header, MergeError> {
    let mut header = Header {
        tool: env!("CARGO_PKG_VERSION").to_owned(),
        catalogs: BTreeSet::new(),
        selection: files
            .first()
            .map(|file| file.header().selection.clone())
            .unwrap_or_default(),
        exact: true,
        shards: super::Shards::new(),
    };
    for file in files {
        let (own, all) = (&file.header().selection, &header.selection);
        let differs = [
            (own.from != all.from, "--from or --since"),
            (own.to != all.to, "--to"),
            (own.accounts != all.accounts, "--account"),
            (own.regions != all.regions, "--region"),
        ];
        if let Some((_, what)) = differs.into_iter().find(|(differs, _)| *differs) {
            return Err(MergeError::Selection {
                one: files
                    .first()
                    .map(|file| file.path().to_owned())
                    .unwrap_or_default(),
                other: file.path().to_owned(),
                what,
            });
        }
        header
            .catalogs
            .extend(file.header().catalogs.iter().cloned());
        header.exact &= file.header().exact;
    }
    Ok(header)
}

/// Writes the union of files.
///
/// # Errors
/// [`MergeError`] where one of them cannot be read, the result not be written, or nobody could say how
/// often an event was counted.
pub fn merge(
    files: &[UsageFile],
    mut header: Header,
    options: &MergeOptions,
    out: &mut impl Write,
) -> Result<(), MergeError> {
    let mut output = Output::new(out)?;
    let kept = |day: &Option<i32>| {
        options
            .drop_before
            .is_none_or(|from| day.is_none_or(|day| day >= from))
    };
    let mut overlap = false;
    let mut more = false;
    for day in days(files, Kind::Objects).iter().filter(|day| kept(day)) {
        let found = objects(files, *day, options, &mut output)?;
        overlap |= found.overlap;
        more |= found.more;
    }
    header.shards = shards(files, more);
    for day in days(files, Kind::Pages).iter().filter(|day| kept(day)) {
        let holders: Vec<&UsageFile> = files
            .iter()
            .filter(|file| file.find(Kind::Pages, *day).is_some())
            .collect();
        let seal = day.is_some_and(|day| {
            options.seal_before.is_some_and(|before| day < before) && !options.keep.contains(&day)
        });
        match holders.as_slice() {
            [file] => copy(file, *day, seal, &mut output)?,
            _ if same(&holders, *day) => {
                if let Some(file) = holders.first() {
                    copy(file, *day, seal, &mut output)?;
                }
            }
            _ => header.exact &= join(&holders, *day, seal, overlap, options.again, &mut output)?,
        }
    }
    output.finish(&header)?;
    Ok(())
}

fn days(files: &[UsageFile], kind: Kind) -> BTreeSet<Option<i32>> {
    let sections = files.iter().flat_map(UsageFile::sections);
    sections
        .filter(|section| section.kind == kind)
        .map(|section| section.day)
        .collect()
}

/// Whether all files hold the same bytes of a day.
fn same(files: &[&UsageFile], day: Option<i32>) -> bool {
    let of = |file: &UsageFile| {
        [Kind::Pages, Kind::Marks]
            .map(|kind| file.find(kind, day).map(|s| (s.stored, s.length, s.crc)))
    };
    files
        .windows(2)
        .all(|pair| matches!(pair, [a, b] if of(a) == of(b)))
}

/// Which shards the union holds. A shard that has no object beside those of whole files (`more` is
/// false) is part of them.
fn shards(files: &[UsageFile], more: bool) -> super::Shards {
    let mut shards = super::Shards::new();
    let whole = files.iter().any(|file| file.header().shards.is_empty());
    if more || !whole {
        for file in files {
            super::unite(&mut shards, &file.header().shards);
        }
    }
    shards
}

/// What was found among the objects of a day.
#[derive(Default)]
struct Found {
    /// One stands in several files.
    overlap: bool,
    /// A shard has one that no whole file has.
    more: bool,
}

/// The objects of a day.
fn objects<W: Write>(
    files: &[UsageFile],
    day: Option<i32>,
    options: &MergeOptions,
    output: &mut Output<W>,
) -> Result<Found, MergeError> {
    let known = files.first().and_then(|file| file.find(Kind::Objects, day));
    let forget =
        !options.listed_anew.is_empty() && known.is_some_and(|section| section.facts.failed > 0);
    let mut holders = files
        .iter()
        .filter_map(|file| Some((file, file.find(Kind::Objects, day)?)));
    let (first, rest) = (holders.next(), holders.collect::<Vec<_>>());
    let Some((file, section)) = first else {
        return Ok(Found::default());
    };
    let is_whole = |file: &UsageFile| file.header().shards.is_empty();
    let mut found = Found::default();
    if rest.is_empty() && !forget {
        file.copy_to(section, output)?;
        found.more = !is_whole(file);
        return Ok(found);
    }
    let mut joined: BTreeMap<String, ObjectRow> = file.object_rows(section)?;
    let mut whole: BTreeSet<String> = BTreeSet::new();
    if is_whole(file) {
        whole.extend(joined.keys().cloned());
    }
    if forget {
        let anew = |name: &String| options.listed_anew.iter().any(|at| name.starts_with(at));
        joined.retain(|name, row| !(matches!(row.end, End::Unlisted(_)) && anew(name)));
    }
    for (file, section) in rest {
        for (name, row) in file.object_rows(section)? {
            if is_whole(file) {
                whole.insert(name.clone());
            }
            match joined.get_mut(&name) {
                Some(known) => {
                    // What was never opened has no events.
                    found.overlap |= known.compressed > 0;
                    if options.in_turn {
                        *known = row;
                    } else {
                        known.join(row);
                    }
                }
                None => {
                    joined.insert(name, row);
                }
            }
        }
    }
    found.more = joined.keys().any(|name| !whole.contains(name));
    if joined.is_empty() {
        return Ok(found);
    }
    let rows: Vec<(&str, &ObjectRow)> = joined.iter().map(|(n, r)| (n.as_str(), r)).collect();
    output.objects(day, &rows)?;
    Ok(found)
}

/// A day that one file holds.
fn copy<W: Write>(
    file: &UsageFile,
    day: Option<i32>,
    seal: bool,
    output: &mut Output<W>,
) -> Result<(), MergeError> {
    let marks = file.find(Kind::Marks, day);
    if seal && marks.is_some() {
        let mut pages = file.pages(day)?;
        pages.values_mut().for_each(sealed);
        output.pages(day, pages.iter())?;
        return Ok(());
    }
    for section in marks.into_iter().chain(file.find(Kind::Pages, day)) {
        file.copy_to(section, output)?;
    }
    Ok(())
}

fn sealed(page: &mut Page) {
    for (_, cell) in &mut page.deeds {
        cell.sealed = cell.tally.count;
    }
}

/// One file's part in a day.
struct Part<'f> {
    file: &'f UsageFile,
    marks: Option<Marks>,
    /// Its places, in order, with the numbers that its deeds have in the result.
    places: std::collections::VecDeque<(Where, Vec<u32>)>,
}

/// A day that several files hold. Says whether no event can have counted twice.
fn join<W: Write>(
    files: &[&UsageFile],
    day: Option<i32>,
    seal: bool,
    overlap: bool,
    again: bool,
    output: &mut Output<W>,
) -> Result<bool, MergeError> {
    let mut drafts: BTreeMap<Where, Draft> = BTreeMap::new();
    let mut parts = Vec::new();
    let mut any_sealed = false;
    for file in files {
        let mut places = std::collections::VecDeque::new();
        for (place, page) in file.pages(day)? {
            any_sealed |= page.deeds.iter().any(|(_, cell)| cell.sealed > 0);
            let draft = drafts.entry(place.clone()).or_default();
            places.push_back((place, draft.absorb(page)));
        }
        parts.push(Part {
            file,
            marks: file.marks(day)?,
            places,
        });
    }
    if any_sealed && overlap && !again {
        return Err(MergeError::Sealed(name(day)));
    }
    let mut pages: BTreeMap<Where, Page> = BTreeMap::new();
    for (place, draft) in drafts {
        let (page, numbers) = draft.settle();
        for part in &mut parts {
            for (_, own) in part.places.iter_mut().filter(|(own, _)| *own == place) {
                for number in own {
                    *number = numbers.get(*number as usize).copied().unwrap_or_default();
                }
            }
        }
        pages.insert(place, page);
    }
    if parts.iter().any(|part| part.marks.is_some()) {
        let mut writer = output.begin_marks();
        for (place, page) in &mut pages {
            for (_, cell) in &mut page.deeds {
                cell.tally.count = cell.sealed;
            }
            union(&mut parts, place, |mark| {
                if let Some((_, cell)) = page.deeds.get_mut(mark.deed as usize) {
                    cell.tally.count += 1;
                }
                if seal { Ok(()) } else { writer.mark(mark) }
            })?;
            if !seal {
                writer.end_place()?;
            }
        }
        drop(writer);
        for part in parts {
            let io = |error| failed(part.file.path(), error);
            if let Some(marks) = part.marks {
                marks
                    .end()
                    .and_then(super::read::Checked::check)
                    .map_err(io)?;
            }
        }
        if !seal {
            output.end_marks(day)?;
        }
    }
    if seal {
        pages.values_mut().for_each(sealed);
    }
    output.pages(day, pages.iter())?;
    Ok(!(any_sealed && overlap))
}

/// The marks of a place, of all files that have it, in order and each once.
fn union(
    parts: &mut [Part<'_>],
    place: &Where,
    mut with: impl FnMut(Mark) -> io::Result<()>,
) -> Result<(), MergeError> {
    /// A file whose next mark is known.
    struct Head<'p> {
        marks: &'p mut Marks,
        numbers: Vec<u32>,
        file: &'p UsageFile,
        next: Mark,
    }
    impl Head<'_> {
        /// The mark, in the numbers of the result; the next one takes its place. False at the end.
        fn step(&mut self) -> Result<bool, FileError> {
            let next = self.marks.mark();
            let next = next.map_err(|error| failed(self.file.path(), error))?;
            Ok(match next {
                Some(mark) => {
                    self.next = mark;
                    true
                }
                None => false,
            })
        }
    }
    let mut heads = Vec::new();
    for part in parts {
        if part.places.front().is_none_or(|(own, _)| own != place) {
            continue;
        }
        let (Some((_, numbers)), Some(marks)) = (part.places.pop_front(), &mut part.marks) else {
            continue;
        };
        let mut head = Head {
            marks,
            numbers,
            file: part.file,
            next: Mark::default(),
        };
        if head.step()? {
            heads.push(head);
        }
    }
    let mut same = Vec::new();
    // A heap of what comes next: (second, print), then the file.
    let mut queue: std::collections::BinaryHeap<_> = heads
        .iter()
        .enumerate()
        .map(|(at, head)| std::cmp::Reverse((head.next.second, head.next.print, at)))
        .collect();
    while let Some(std::cmp::Reverse((second, print, first))) = queue.pop() {
        same.clear();
        let mut at = first;
        loop {
            if let Some(head) = heads.get_mut(at) {
                let mut more = true;
                while more && (head.next.second, head.next.print) == (second, print) {
                    let number = head.numbers.get(head.next.deed as usize).copied();
                    same.push(number.unwrap_or_default());
                    more = head.step()?;
                }
                if more {
                    queue.push(std::cmp::Reverse((head.next.second, head.next.print, at)));
                }
            }
            match queue.peek() {
                Some(std::cmp::Reverse((s, p, next))) if (*s, *p) == (second, print) => {
                    at = *next;
                    queue.pop();
                }
                _ => break,
            }
        }
        same.sort_unstable();
        same.dedup();
        for deed in &same {
            with(Mark {
                second,
                print,
                deed: *deed,
            })?;
        }
    }
    Ok(())
}

fn name(day: Option<i32>) -> String {
    let start = day.and_then(|day| crate::trail::time::day(i64::from(day) * 86_400));
    start.map_or_else(|| "no day".to_owned(), |day| day.to_string())
}
