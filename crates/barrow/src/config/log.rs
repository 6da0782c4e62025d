//! What is logged, and how.

use super::section::Section;

/// `[log]`.
#[derive(Clone, Debug)]
pub struct Log {
    /// The least important level that is written.
    pub level: Level,
    /// How a line looks.
    pub format: Format,
}

/// How important a line must be to be written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// What is broken.
    Error,
    /// What may break.
    Warn,
    /// What an operator wants to know.
    Info,
    /// What a developer wants to know.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    /// The level's name, as log filters take it.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Error => "error",
            Level::Warn => "warn",
            Level::Info => "info",
            Level::Debug => "debug",
            Level::Trace => "trace",
        }
    }
}

/// How a line of the log looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON object each, for machines.
    Json,
}

impl Log {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        let levels = [Level::Error, Level::Warn, Level::Info, Level::Debug, Level::Trace];
        Log {
            level: section.choice("level", "info", &levels.map(|level| (level.as_str(), level))),
            format: section.choice("format", "text", &[("text", Format::Text), ("json", Format::Json)]),
        }
    }
}
