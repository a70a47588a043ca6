//! What changes between the current policies and the proposal, by text and by meaning.
