//! Arguments, one file a subcommand, progress, exit codes.
