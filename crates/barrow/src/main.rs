//! The `barrow` program. Everything is in the library; see there.

use std::process::ExitCode;

fn main() -> ExitCode {
    barrow::run()
}
