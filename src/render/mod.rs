//! Report to bytes, one file a format. Nothing here decides anything.

mod folder;
mod json;
mod report;
mod text;

pub use folder::{FolderError, write_folder};
pub use json::write_json;
pub use report::{
    Bytes, Changes, Current, DecisionRow, DeniedRow, DocumentRow, Failure, Input, MissingRow,
    NoNewAccess, Objects, PlaceRow, Proposed, Quota, ReasonRow, RecordCounts, RemovedRow, Replay,
    Report, RequestRow, RiskRow, RoleReport, Status, Tool, UnmappedRow, Valid, Verification,
    Window, WitnessRow,
};
pub use text::write_text;
