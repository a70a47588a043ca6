//! The border to live AWS: S3 as a [`crate::read::Source`], and the account snapshot.
//!
//! Comes in: what the AWS CLI takes (profile, Region, endpoint) and names of things in AWS. Goes out: bytes,
//! files, and errors in words. Nothing outside this module names an AWS SDK type. Everything in it is
//! asynchronous inside and blocks outside, on a small runtime of its own.

pub mod apply;
pub mod collect;
mod error;
pub mod s3;
mod session;

pub use collect::{CollectOptions, Collected, collect};
pub use error::AwsError;
pub use s3::{S3, S3Options};
pub use session::{Session, SessionOptions};
