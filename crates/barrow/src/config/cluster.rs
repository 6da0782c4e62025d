//! What this installation is called and where it keeps its own files.

use super::section::Section;
use lifecycle::DomainName;
use std::path::PathBuf;

/// `[cluster]`.
#[derive(Clone, Debug)]
pub struct Cluster {
    /// The installation's name, as SCSP answers show it.
    pub name: String,
    /// This member's name, unlike any other member's: the host's name unless set.
    pub node: String,
    /// The domain of requests whose Host names none.
    pub default_domain: DomainName,
    /// Where key files, the lock and the embedded stores live.
    pub data_dir: PathBuf,
}

const NAME_MAX: usize = 63;
const NAME: &str = "1 to 63 ASCII letters, digits, '.', '_' and '-'";

impl Cluster {
    pub(super) fn read(section: &mut Section<'_>) -> Self {
        Cluster {
            name: section.text("name", "barrow", NAME, name),
            node: section.text("node", &host(), NAME, name),
            default_domain: section.text(
                "default_domain",
                "barrow.local",
                "a domain name: letters, digits, '_' and single '.' and '-' between them; not an IP address",
                |text| DomainName::parse(text).ok(),
            ),
            data_dir: section.text("data_dir", "./data", "a path", path),
        }
    }
}

fn is_name_character(c: char) -> bool {
    c.is_ascii_alphanumeric() || matches!(c, '.' | '_' | '-')
}

fn name(text: &str) -> Option<String> {
    let good = (1..=NAME_MAX).contains(&text.len()) && text.chars().all(is_name_character);
    good.then(|| text.to_owned())
}

/// A path: anything but nothing.
pub(super) fn path(text: &str) -> Option<PathBuf> {
    (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text))
}

/// This machine's name, made to fit.
fn host() -> String {
    let name: String = rustix::system::uname().nodename().to_string_lossy().into_owned();
    let name: String =
        name.chars().take(NAME_MAX).map(|c| if is_name_character(c) { c } else { '-' }).collect();
    if name.is_empty() { "barrow".to_owned() } else { name }
}
