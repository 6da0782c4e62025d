//! The question before what cannot be undone.

use crate::exit::Failed;
use std::io::{BufRead, IsTerminal, Write};

/// Passes if `yes` was given, or if somebody at a terminal types `name`.
pub(crate) fn confirm(yes: bool, deed: &str, name: &str) -> Result<(), Failed> {
    confirm_that(yes, &format!("{deed} cannot be undone"), name)
}

/// As [`confirm`], of something that can be undone for a while.
pub(crate) fn confirm_that(yes: bool, says: &str, name: &str) -> Result<(), Failed> {
    if yes {
        return Ok(());
    }
    let input = std::io::stdin();
    if !input.is_terminal() {
        return Err(Failed::Refused(format!(
            "{says}; confirm it on a terminal by typing {name:?}, or give --yes"
        )));
    }
    eprint!("{says}. Type {name} to go on: ");
    let mut typed = String::new();
    let read = std::io::stderr().flush().and_then(|()| input.lock().read_line(&mut typed));
    match read {
        Ok(_) if typed.trim_end_matches(['\r', '\n']) == name => Ok(()),
        _ => Err(Failed::Refused("not confirmed; nothing was done".to_owned())),
    }
}
