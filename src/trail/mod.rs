//! What happened: the record view, who acted, the key grammar, inflating and splitting log objects.
//! No IAM, no network.

pub mod record;

pub use record::Record;
