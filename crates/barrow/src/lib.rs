//! The `barrow` program: its configuration, the server processes, and the operator's commands.
//!
//! | file | promise |
//! | --- | --- |
//! | `cli` | every command, flag and exit code |
//! | [`config`] | every setting, its default and bounds |
//! | `serve` | starts what the configuration describes, and stops it without losing anything |
//! | `commands` | one file per group of operator's commands, each a request to the admin door |
//! | `index` | a search index over one bucket, which follows its changes and purges |
//! | `client`, `trust`, `credentials` | how the admin door is found and asked, what it must show, and as whom |
//! | `peer`, `payload` | a door that is asked many things at once, and bodies that pass through |
//! | `output`, `confirm` | tables, JSON, and the question before what cannot be undone |

pub mod config;

mod cli;
mod client;
mod commands;
mod confirm;
mod credentials;
mod exit;
mod index;
mod output;
mod payload;
mod peer;
mod serve;
mod trust;

use clap::Parser;
use cli::{Cli, Command};
use exit::{Exit, Failed};
use serve::Role;
use std::process::ExitCode;

/// Does what the command line says. The exit codes are those that `barrow --help` tells.
pub fn run() -> ExitCode {
    // clap itself exits with 2 on what it does not understand, and with 0 on --help.
    let cli = Cli::parse();
    match carry_out(cli) {
        Ok(exit) => exit.into(),
        Err(failed) => {
            eprintln!("{failed}");
            failed.exit().into()
        }
    }
}

fn carry_out(cli: Cli) -> Result<Exit, Failed> {
    let Cli { global, command } = cli;
    let config = global.load()?;
    match command {
        Command::Serve => serve::run(config, Role::Everything),
        Command::Gateway => serve::run(config, Role::Gateway),
        Command::HealthProcessor => serve::run(config, Role::HealthProcessor),
        Command::Config { command } => commands::config::run(&config, command),
        Command::Operator(operator) => commands::run(&config, &global, operator),
    }
}
