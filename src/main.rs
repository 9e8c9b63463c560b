//! The lifesign program: everything is in the library.

fn main() -> std::process::ExitCode {
    lifesign::cli::main().into()
}
