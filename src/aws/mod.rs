//! The border to live AWS: S3 as a [`crate::read::Source`], and the account snapshot.
//!
//! Nothing outside this module names an AWS SDK type. It is empty until trails are read from S3; the
//! feature is off by default, because its crates cost minutes of build time.
