//! Report to bytes, one file a format. Nothing here decides anything.

mod apart;
mod backtest;
mod coverage;
mod denied;
mod doors;
mod escape;
mod explain;
mod findings;
mod fold;
mod folder;
mod github;
mod html;
mod infra;
mod json;
mod markdown;
mod paths;
mod report;
mod sarif;
mod text;

pub use apart::{FunctionRole, PerFunction, Union};
pub use backtest::{
    Backtest, DeniedCall, Outcome, RoleBacktest, Score, Split, write_backtest_json,
    write_backtest_text,
};
pub use coverage::{
    BlindRow, ChangeRow, CoverageReport, DataRow, PlaceCoverage, StretchRow, selectors_command,
    write_coverage_text,
};
pub use denied::{DeniedReport, DeniedRole, write_denied_text};
pub use doors::{Doors, OutsideRow};
pub use escape::plain;
pub use explain::{Explanation, RoleExplanation, write_explanation_text};
pub use folder::{FolderError, write_folder};
pub use github::write_github;
pub use html::write_html;
pub use infra::{
    Change, ChangeError, InfraOptions, RoleState, Step, Target, cli_steps, script_files,
    write_cloudformation, write_sam, write_steps, write_terraform,
};
pub use json::{REPORT_SCHEMA, write_json};
pub use markdown::write_markdown;
pub use report::{
    Bytes, Changes, Current, DecisionRow, DeniedRow, DocumentRow, Failure, Input, ManagedPolicyRow,
    MissingRow, NoNewAccess, Objects, PlaceRow, Proposed, Quota, ReasonRow, RecordCounts,
    RemovedRow, Replay, Report, RequestRow, RiskRow, RoleReport, Status, Tool, UnmappedRow, Valid,
    Verification, Window, WitnessRow,
};
pub use sarif::write_sarif;
pub use text::{TextOptions, write_text};
