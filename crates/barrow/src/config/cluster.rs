//! What this installation is called and where it keeps its own files.

use super::section::Section;
use lifecycle::DomainName;
use std::path::PathBuf;
use std::time::Duration;

const HOUR: Duration = Duration::from_secs(3_600);

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
    /// How long one heartbeat lets a member serve. From 2 s; at least twice the heartbeat.
    pub lease: Duration,
    /// How often a member tells that it lives.
    pub heartbeat: Duration,
    /// How much earlier than its lease says a member stops by itself, and how much later others believe that it has.
    pub margin: Duration,
    /// Whether members listen for notifications of the database. Without, everything comes with the next heartbeat.
    pub notifications: bool,
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
            lease: section.duration("lease", "15s", Duration::from_secs(2)..=HOUR),
            heartbeat: section.duration("heartbeat", "3s", Duration::from_millis(100)..=HOUR),
            margin: section.duration("margin", "2s", Duration::from_millis(100)..=HOUR),
            notifications: section.truth("notifications", true),
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
