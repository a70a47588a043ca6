//! rolefit reads CloudTrail and gives each AWS Lambda execution role the smallest inline policy that
//! still lets its functions do what they do, with a proof that nothing was widened.

pub mod catalog;
pub mod diff;
pub mod event;
pub mod grants;
pub mod iam;
pub mod pipeline;
pub mod read;
pub mod render;
pub mod synthesize;
pub mod trail;
pub mod usage;
pub mod verify;

#[cfg(feature = "aws")]
pub mod aws;
#[cfg(feature = "cli")]
pub mod cli;
