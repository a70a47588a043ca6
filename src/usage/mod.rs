//! The mergeable table of requests per role and function.
