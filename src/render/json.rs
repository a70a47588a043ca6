//! `report.json`, and the JSON Schema that it keeps to.

use std::io;

use serde::Serialize;

use super::escape::write_json_value;

/// The JSON Schema (2020-12) of `rolefit.report/1`.
pub const REPORT_SCHEMA: &str = include_str!("report.schema.json");

/// Writes a report as JSON with two-space indentation and a final newline. Control characters and
/// marks that reorder text are `\uXXXX`.
///
/// # Errors
///
/// When `out` cannot be written.
pub fn write_json(report: &impl Serialize, out: &mut impl io::Write) -> io::Result<()> {
    write_json_value(report, out)
}
