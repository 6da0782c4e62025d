//! What stands behind a lifepoint's end date: `reps`, `delete`, `deletable`, and words of one's own.

/// The constraints of one lifepoint.
#[derive(Debug, Default)]
pub(super) struct Constraints {
    deletable: Option<bool>,
    delete: bool,
    reps: bool,
    /// Something here is broken that resembles a guard: it is taken for `deletable=no`.
    pub(super) presumed_guard: bool,
}

/// What is wrong with a constraint, and how far that reaches.
enum Fault {
    /// It alone does not count, as SCSP wants it.
    Ignored(&'static str),
    /// The lifepoint is broken.
    Broken(&'static str),
    /// And it looks as if it should have protected the object.
    BrokenGuard(&'static str),
}

impl Constraints {
    /// Reads the comma-separated constraints behind an end date, and what is wrong with them.
    pub(super) fn read(text: &str, open: bool) -> (Self, Vec<&'static str>) {
        let mut read = Constraints::default();
        let mut wrong = Vec::new();
        let mut broken = false;
        for constraint in text.split(',').map(str::trim) {
            let Err(fault) = read.take(constraint, open) else { continue };
            let reason = match fault {
                Fault::Ignored(reason) => reason,
                Fault::Broken(reason) => {
                    broken = true;
                    reason
                }
                Fault::BrokenGuard(reason) => {
                    read.presumed_guard = true;
                    reason
                }
            };
            if !wrong.contains(&reason) {
                wrong.push(reason);
            }
        }
        // Even if another word of it is the broken one: whoever wrote this had a guard in mind.
        read.presumed_guard |= broken && resembles_guard(text);
        (read, wrong)
    }

    /// Whether DELETE is allowed; if nothing is said, it is.
    pub(super) fn deletable(&self) -> bool {
        !self.presumed_guard && self.deletable.unwrap_or(true)
    }

    /// Whether the object goes.
    pub(super) fn delete(&self) -> bool {
        !self.presumed_guard && self.delete
    }

    fn take(&mut self, constraint: &str, open: bool) -> Result<(), Fault> {
        let (name, value) = match constraint.split_once('=') {
            Some((name, value)) => (name.trim(), Some(value.trim())),
            None => (constraint, None),
        };
        let once = "'delete' and 'deletable' stand at most once, and not together";
        match (name.to_ascii_lowercase().as_str(), value) {
            ("", None) => Err(Fault::Broken("a constraint is missing")),
            ("reps", Some(count)) if mentions_delete(count) => {
                Err(Fault::BrokenGuard("'reps' takes a number, or data:parity; a comma is missing?"))
            }
            ("reps", _) if self.reps => Err(Fault::Ignored("'reps' stands twice")),
            ("reps", Some(count)) if is_reps(count) => {
                self.reps = true;
                Ok(())
            }
            ("reps", _) => Err(Fault::Ignored("'reps' takes a number, or data:parity")),
            ("delete", Some(_)) => Err(Fault::Broken("'delete' takes no value")),
            ("delete", None) if !open => Err(Fault::Broken(
                "'delete' belongs into the open lifepoint []; here it would delete at once",
            )),
            ("delete" | "deletable", _) if self.delete || self.deletable.is_some() => {
                Err(Fault::Broken(once))
            }
            ("delete", None) => {
                self.delete = true;
                Ok(())
            }
            ("deletable", value) => {
                let yes = match value.map(str::to_ascii_lowercase).as_deref() {
                    None | Some("yes" | "true") => true,
                    Some("no" | "false") => false,
                    Some(_) => return Err(Fault::BrokenGuard("'deletable' is yes or no")),
                };
                self.deletable = Some(yes);
                Ok(())
            }
            (name, _) if resembles_guard(constraint) || mentions_delete(name) => {
                Err(Fault::BrokenGuard("unknown constraint; 'deletable' was meant?"))
            }
            (name, _) if strsim::osa_distance(name, "delete") < 2 => {
                Err(Fault::Broken("unknown constraint; 'delete' was meant?"))
            }
            _ if is_custom(constraint) => Ok(()),
            _ if mentions_delete(constraint) => {
                Err(Fault::BrokenGuard("unknown constraint; a comma is missing?"))
            }
            _ => Err(Fault::Broken("a constraint is a word, or a word with a value, without spaces")),
        }
    }
}

/// A count of replicas, or an erasure coding. Whether the cluster can do it is not asked here: it does what it can.
fn is_reps(count: &str) -> bool {
    let number = |text: &str| !text.is_empty() && text.bytes().all(|b| b.is_ascii_digit());
    match count.split_once(':') {
        Some((data, parity)) => number(data) && number(parity),
        None => number(count),
    }
}

/// A constraint of one's own: letters, then anything visible.
fn is_custom(constraint: &str) -> bool {
    let spaced = |(name, value): (&str, &str)| format!("{}={}", name.trim_end(), value.trim_start());
    let text = constraint.split_once('=').map_or_else(|| constraint.to_owned(), spaced);
    text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.bytes().all(|b| b.is_ascii_graphic() && b != b']')
}

fn mentions_delete(text: &str) -> bool {
    text.to_lowercase().contains("delet")
}

/// Whether something in `text` is, or nearly is, `deletable`. A mistyped `deletable=no` protects nothing, silently,
/// wherever constraints of one's own are allowed.
pub(super) fn resembles_guard(text: &str) -> bool {
    let text = text.to_lowercase();
    let letters: String = text.chars().filter(|c| c.is_alphanumeric()).collect();
    letters.contains("deletab")
        || text.split(|c: char| !c.is_alphanumeric()).any(|word| {
            // The lengths first: comparing takes time, and a header may hold thousands of words.
            let length = word.chars().count();
            let near =
                |meant: &str| length.abs_diff(meant.len()) <= 2 && strsim::osa_distance(word, meant) <= 2;
            near("deletable") || near("undeletable")
        })
}
