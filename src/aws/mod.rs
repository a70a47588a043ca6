//! The border to live AWS. Nothing outside this module names an AWS SDK type.
