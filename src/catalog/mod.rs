//! The bridge: which IAM requests an event stands for, and what a trail can show.
