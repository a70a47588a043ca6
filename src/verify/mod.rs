//! The promises, checked independently of how the proposal was made.
