//! Who is told what happens to objects.

use super::reader::Reader;
use std::path::PathBuf;
use std::time::Duration;
use url::Url;

/// `[events]`.
#[derive(Clone, Debug)]
pub struct Events {
    /// How long a target may take over one message. From 100 ms.
    pub timeout: Duration,
    /// How long after something happened it is given up to tell of it. From 1 min.
    pub give_up: Duration,
    /// The targets, by name.
    pub targets: Vec<EventTarget>,
}

/// `[events.targets.NAME]`: a webhook.
#[derive(Clone, Debug)]
pub struct EventTarget {
    /// What buckets call it: `arn:barrow:sqs::NAME:webhook`.
    pub name: String,
    /// Where messages are posted.
    pub url: Url,
    /// The file with the secret by which messages are signed; `None`: they are not.
    pub secret_file: Option<PathBuf>,
    /// The file of authorities that its certificate must come from; `None`: those that this machine trusts.
    pub ca: Option<PathBuf>,
}

/// Where targets stand.
const TARGETS: &str = "events.targets.";
const NAME_MAX: usize = 64;
const DAY: Duration = Duration::from_secs(24 * 3600);

impl Events {
    pub(super) fn read(reader: &mut Reader) -> Self {
        let mut section = reader.section("events");
        let timeout =
            section.duration("timeout", "10s", Duration::from_millis(100)..=Duration::from_secs(60));
        let give_up = section.duration("give_up", "7days", Duration::from_secs(60)..=366 * DAY);
        let names = reader.below(TARGETS);
        let targets = names.into_iter().filter_map(|name| target(reader, name)).collect();
        Events { timeout, give_up, targets }
    }
}

/// A target that has a good name and an address. Of one that has not, there is a problem.
fn target(reader: &mut Reader, name: String) -> Option<EventTarget> {
    let mut section = reader.section(format!("{TARGETS}{name}"));
    let url =
        section.optional("url", "an address that begins with http:// or https://, without a user", address);
    let file = |text: &str| (!text.is_empty() && !text.contains('\0')).then(|| PathBuf::from(text));
    let secret_file = section.optional("secret_file", "the path of a file", file);
    let ca = section.optional("ca", "the path of a file with certificates (PEM)", file);
    let key = format!("{TARGETS}{name}.url");
    if !is_name(&name) {
        let what = format!(
            "{name:?} is no name of a target: it has up to {NAME_MAX} of a-z, 0-9, '-' and '_', and begins with one of the \
             first two"
        );
        reader.clash(&[&key], what);
        return None;
    }
    if url.is_none() {
        reader.clash(&[&key], "a target has an address".to_owned());
    }
    Some(EventTarget { name, url: url?, secret_file, ca })
}

fn is_name(name: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit();
    name.len() <= NAME_MAX
        && name.bytes().next().is_some_and(plain)
        && name.bytes().all(|byte| plain(byte) || matches!(byte, b'-' | b'_'))
}

/// What is shown in `barrow config` and in logs must hold no password.
fn address(text: &str) -> Option<Url> {
    let url = Url::parse(text).ok()?;
    let plain = url.username().is_empty() && url.password().is_none() && url.fragment().is_none();
    (matches!(url.scheme(), "http" | "https") && url.host().is_some() && plain).then_some(url)
}
