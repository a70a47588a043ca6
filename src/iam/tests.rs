//! Tests of the module as a whole, and what tests below it share.

mod corpus;
pub(super) mod dice;
