//! Measures a Barrow server against what the machine can do at best, and prints one table. See `--help`.

use std::io::Write;
use std::process::ExitCode;
use testkit::load::{Failed, bench, floors, options};

fn main() -> ExitCode {
    match run() {
        Ok(code) => code,
        Err(failed) => {
            let _ = writeln!(std::io::stderr(), "barrow-bench: {failed}");
            ExitCode::from(2)
        }
    }
}

fn run() -> Result<ExitCode, Failed> {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    let io = |doing: &str| {
        let doing = doing.to_owned();
        move |source| Failed::Io { doing, source }
    };
    if arguments.iter().any(|argument| argument == "--help" || argument == "-h") {
        std::io::stdout().write_all(options::HELP.as_bytes()).map_err(io("printing"))?;
        return Ok(ExitCode::SUCCESS);
    }
    if arguments.first().is_some_and(|first| first == floors::SUBCOMMAND) {
        floors::serve_bare_hyper().map_err(io("serving bare hyper"))?;
        return Ok(ExitCode::SUCCESS);
    }
    let options = options::Options::parse(arguments)?;
    let own_program = std::env::current_exe().map_err(io("finding this program"))?;
    let runtime =
        tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(io("starting"))?;
    let outcome = runtime.block_on(Box::pin(bench::run(&options, &own_program)))?;
    std::io::stdout().write_all(outcome.text().as_bytes()).map_err(io("printing"))?;
    Ok(if options.check && !outcome.good() { ExitCode::FAILURE } else { ExitCode::SUCCESS })
}
