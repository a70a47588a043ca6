//! What each role may do today, from the account snapshot.
