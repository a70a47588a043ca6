//! Where log objects come from.
