//! The name of one IAM action.

use std::fmt;

/// One concrete IAM action in its canonical spelling, such as `s3:GetObject`. No wildcards.
///
/// IAM compares actions without regard to case; the catalog hands out one spelling per action, so
/// comparing two catalog actions as strings is exact.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Action(Box<str>);

impl Action {
    /// Takes a `service:Name` string as it is spelled in the catalog.
    #[must_use]
    pub fn new(name: &str) -> Self {
        Self(name.into())
    }

    /// The IAM service prefix, `s3` in `s3:GetObject`.
    #[must_use]
    pub fn service(&self) -> &str {
        self.0.split_once(':').map_or("", |(service, _)| service)
    }

    /// The part after the colon, `GetObject` in `s3:GetObject`.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.split_once(':').map_or(&*self.0, |(_, name)| name)
    }

    /// The whole `service:Name`.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}
