//! `barrow config`: whether the configuration can be used, and what is in effect. Needs no server.

use crate::cli::ConfigCommand;
use crate::config::Config;
use crate::exit::{Exit, Failed};
use crate::output::say;

/// What could not be used was told before anything came here.
pub(crate) fn run(config: &Config, command: ConfigCommand) -> Result<Exit, Failed> {
    match command {
        ConfigCommand::Check => {
            for warning in config.warnings() {
                say(&format!("warning: {warning}"));
            }
            say("ok");
        }
        ConfigCommand::Show => say(config.show().trim_end()),
    }
    Ok(Exit::Done)
}
