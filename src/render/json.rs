//! `report.json`.

use std::io;

use serde::Serialize;

/// Writes a report as JSON with two-space indentation and a final newline.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_json(report: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, report).map_err(io::Error::from)?;
    out.write_all(b"\n")
}
