//! Report to bytes, one file a format. Nothing here decides anything.

mod backtest;
mod coverage;
mod explain;
mod folder;
mod json;
mod report;
mod text;

pub use backtest::{
    Backtest, DeniedCall, Outcome, RoleBacktest, Score, Split, write_backtest_json,
    write_backtest_text,
};
pub use coverage::{
    BlindRow, ChangeRow, CoverageReport, DataRow, PlaceCoverage, StretchRow, selectors_command,
    write_coverage_text,
};
pub use explain::{Explanation, RoleExplanation, write_explanation_text};
pub use folder::{FolderError, write_folder};
pub use json::write_json;
pub use report::{
    Bytes, Changes, Current, DecisionRow, DeniedRow, DocumentRow, Failure, Input, ManagedPolicyRow,
    MissingRow, NoNewAccess, Objects, PlaceRow, Proposed, Quota, ReasonRow, RecordCounts,
    RemovedRow, Replay, Report, RequestRow, RiskRow, RoleReport, Status, Tool, UnmappedRow, Valid,
    Verification, Window, WitnessRow,
};
pub use text::write_text;
