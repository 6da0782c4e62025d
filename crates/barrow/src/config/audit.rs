//! Where requests, purges and restores are written down.

use super::section::Section;
use std::path::PathBuf;

/// `[audit]`.
#[derive(Clone, Debug)]
pub struct Audit {
    /// Where to.
    pub to: AuditTo,
    /// How a record looks.
    pub format: AuditFormat,
}

/// Where audit records go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AuditTo {
    /// Nowhere.
    Off,
    /// To the standard output.
    Stdout,
    /// To the end of this file.
    File(PathBuf),
}

/// How an audit record looks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuditFormat {
    /// One line, fields between tabs.
    Line,
    /// One JSON object a line.
    Json,
}

impl Audit {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        // Without a slash in it a mistyped word would be the name of a file, and nobody would look there.
        let to = |text: &str| match text {
            "off" => Some(AuditTo::Off),
            "stdout" => Some(AuditTo::Stdout),
            path if path.contains('/') && !path.ends_with('/') && !path.contains('\0') => {
                Some(AuditTo::File(PathBuf::from(path)))
            }
            _ => None,
        };
        let allowed =
            "\"off\", \"stdout\", or the path of a file with a slash in it, such as \"./audit.log\"";
        Audit {
            to: section.text("to", "off", allowed, to),
            format: section.choice(
                "format",
                "line",
                &[("line", AuditFormat::Line), ("json", AuditFormat::Json)],
            ),
        }
    }
}
