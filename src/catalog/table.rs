//! The shape of every data file: `#` comment lines, then one row a line, cells between tabs, sorted by
//! the first cell. Cells missing at the end of a row are empty.

/// All rows of a file.
pub(super) fn rows<const N: usize>(text: &'static str) -> impl Iterator<Item = [&'static str; N]> {
    text.lines()
        .filter(|line| !line.starts_with('#') && !line.is_empty())
        .map(cells)
}

/// The rows whose first cell is `key`, found without reading the rest of the file.
pub(super) fn section<const N: usize>(
    text: &'static str,
    key: &str,
) -> impl Iterator<Item = [&'static str; N]> {
    let start = lower_bound(text, |first| first < key);
    text[start..]
        .lines()
        .take_while(move |line| first_cell(line) == key)
        .map(cells)
}

/// The offset of the first row, behind the comment lines.
pub(super) fn start_of_rows(text: &str) -> usize {
    lower_bound(text, |_| false)
}

/// The cells of one row.
pub(super) fn cells<const N: usize>(line: &'static str) -> [&'static str; N] {
    let mut cells = line.split('\t');
    std::array::from_fn(|_| cells.next().unwrap_or_default())
}

fn first_cell(line: &str) -> &str {
    line.split('\t').next().unwrap_or_default()
}

/// The offset of the first line whose first cell is not `before`; comment lines count as before.
fn lower_bound(text: &str, before: impl Fn(&str) -> bool) -> usize {
    let (mut low, mut high) = (0, text.len());
    while low < high {
        let middle = low + (high - low) / 2;
        let start = text[..middle].rfind('\n').map_or(0, |at| at + 1);
        let end = text[start..]
            .find('\n')
            .map_or(text.len(), |at| start + at + 1);
        let line = text[start..end].trim_end_matches('\n');
        if line.starts_with('#') || before(first_cell(line)) {
            low = end;
        } else {
            high = start;
        }
    }
    low
}
