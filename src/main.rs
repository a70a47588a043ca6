//! Parse, run, exit code.

fn main() -> rolefit::cli::Exit {
    rolefit::cli::main()
}
