//! The three places a setting can be given, each poured into the reader as (name, value, place).

use super::problem::{Problem, Source};
use super::reader::{Raw, Reader};
use std::path::Path;

const PREFIX: &str = "BARROW_";

/// The environment variable that sets `section.name`.
pub(super) fn variable(key: &str) -> String {
    format!("{PREFIX}{}", key.replace('.', "__").to_ascii_uppercase())
}

/// The file's settings: two levels, `[section]` and `name = value`.
pub(super) fn file(path: Option<&Path>, into: &mut Reader) {
    let Some(path) = path else { return };
    let text = match std::fs::read_to_string(path) {
        Ok(text) => text,
        Err(error) => {
            return into.problem(Problem::File { path: path.to_owned(), reason: error.to_string() });
        }
    };
    let table = match text.parse::<toml::Table>() {
        Ok(table) => table,
        Err(error) => {
            // Not the parser's own rendering: that quotes the line, and the line may hold a password.
            let line =
                error.span().map_or(1, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
            let reason = format!("line {line}: {}", error.message().trim_end().replace('\n', ", "));
            return into.problem(Problem::File { path: path.to_owned(), reason });
        }
    };
    let source = Source::File(path.to_owned());
    for (section, content) in table {
        match content {
            toml::Value::Table(settings) if settings.is_empty() => {
                into.empty_section(section, source.clone())
            }
            toml::Value::Table(settings) => {
                for (name, value) in settings {
                    let key = format!("{section}.{name}");
                    match value {
                        toml::Value::Table(named) if key == NAMED => give_named(named, &source, into),
                        value => into.give(key, Raw::of_toml(&value), source.clone()),
                    }
                }
            }
            value => into.give(section, Raw::of_toml(&value), source.clone()),
        }
    }
}

/// The one place where sections have names of the operator's own: `[events.targets.NAME]`.
const NAMED: &str = "events.targets";

fn give_named(sections: toml::Table, source: &Source, into: &mut Reader) {
    for (section, content) in sections {
        match content {
            toml::Value::Table(settings) if !settings.is_empty() => {
                for (name, value) in settings {
                    into.give(format!("{NAMED}.{section}.{name}"), Raw::of_toml(&value), source.clone());
                }
            }
            // A target without anything is asked for its address.
            toml::Value::Table(_) => {
                let nothing = Raw::of_text("");
                into.give(format!("{NAMED}.{section}.url"), nothing, source.clone());
            }
            value => into.give(format!("{NAMED}.{section}"), Raw::of_toml(&value), source.clone()),
        }
    }
}

/// The environment's settings: `BARROW_SECTION__NAME`. Other variables that begin with `BARROW_` (an operator's
/// `BARROW_KEY`, say) have no double underscore and are nobody's setting.
pub(super) fn environment(variables: impl Iterator<Item = (String, String)>, into: &mut Reader) {
    // In a fixed order, so that the same mistakes are told in the same order.
    let mut variables: Vec<(String, String)> = variables.collect();
    variables.sort();
    for (variable, value) in variables {
        let Some((section, name)) = variable.strip_prefix(PREFIX).and_then(|rest| rest.split_once("__"))
        else {
            continue;
        };
        let key = format!("{section}.{}", name.replace("__", ".")).to_ascii_lowercase();
        into.give(key, Raw::of_text(&value), Source::Environment(variable));
    }
}

/// The command line's settings.
pub(super) fn command_line(overrides: &[(String, String)], into: &mut Reader) {
    for (key, value) in overrides {
        into.give(key.clone(), Raw::of_text(value), Source::CommandLine);
    }
}
