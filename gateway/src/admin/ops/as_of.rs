//! `as_of`: a bucket, or what is under a prefix of it, as it was at a moment in the past.
//!
//! Page by page over the names: what each meant then and means now is read, [`decide`] says what would bring the one back
//! to the other, and that is carried out in one grouped call; in a second one, where something has to have gone first. A
//! dry run asks for the same and has it undone.

mod decide;

use super::restore_objects::{Item, Report, Restoring};
use crate::admin::error::Complaint;
use decide::{Ground, Step, Verdict, decide, looks_above};
use http::StatusCode;
use lifecycle::{Cause, Condition, State, Time, VersionId};
use metadata::{
    Delete, Failure, Markers, Metadata, ObjectCommand, Outcome, Past, Restore, RestoreWhat, Which,
};

/// Names in a page.
const PAGE: u32 = 250;
/// Versions of one name that are taken away for one.
const ABOVE_MAX: u32 = 1_000;

/// One name on its way back.
struct Course {
    name: String,
    verdict: Verdict,
    /// What went wrong, if anything did.
    failure: Option<Failure>,
    /// Bytes of what came back.
    bytes: u64,
}

impl Restoring<'_> {
    /// Brings everything under `prefix` back to what it was at `at`.
    pub(super) async fn as_it_was(
        &self,
        at: Time,
        prefix: &str,
        report: &mut Report,
    ) -> Result<(), Complaint> {
        let metadata = &self.gateway.metadata;
        let now = self.gateway.clock.now();
        let gone = Complaint::refused(lifecycle::Refusal::ContainerGone);
        let ground = metadata.past_ground(self.contents).await?.ok_or(gone)?;
        if at < ground.created_at {
            return Err(self.held_something_else(at, ground.created_at).await?);
        }
        if at < now.minus(self.gateway.settings.deletion_memory) {
            report
                .note("tombstones are not kept that long: what was purged and forgotten since is not listed");
        }
        let ground = Ground { at, now, versioning: ground.versioning, replace: self.replace };
        let mut marker = String::new();
        loop {
            let page = metadata.past_page(self.contents, at, prefix, &marker, PAGE).await?;
            let Some(last) = page.last() else { return Ok(()) };
            marker.clone_from(&last.name);
            let mut courses = Vec::with_capacity(page.len());
            for past in page {
                let verdict = self.judge(&past, &ground).await?;
                courses.push(Course { name: past.name, verdict, failure: None, bytes: 0 });
            }
            self.take(&mut courses).await;
            for course in courses {
                self.tell(course, report);
            }
        }
    }

    /// The bucket did not hold these contents then.
    async fn held_something_else(&self, at: Time, since: Time) -> Result<Complaint, Failure> {
        let taken_out = self.gateway.metadata.taken_out_since(self.bucket, at).await?;
        Ok(match taken_out {
            Some(taken_out) => {
                let (contents, emptied) = (taken_out.contents, taken_out.removed_at);
                let next = match taken_out.state {
                    State::Removed => format!(
                        "restore them as a whole first, with contents {contents} (barrow trash restore BUCKET --contents \
                         {contents})"
                    ),
                    State::Staged | State::Live | State::Purging | State::Purged | State::Forgotten => {
                        format!("and contents {contents} are {}", taken_out.state)
                    }
                };
                let message = format!("what the bucket held at {at} was taken out at {emptied}: {next}");
                Complaint::new(StatusCode::CONFLICT, "Emptied", message)
            }
            None => Complaint::bad_request(format!("as_of cannot be {at}: the bucket begins at {since}")),
        })
    }

    async fn judge(&self, past: &Past, ground: &Ground) -> Result<Verdict, Failure> {
        let Some(seq) = looks_above(past, ground) else { return Ok(decide(past, Some(&[]), ground)) };
        let metadata = &self.gateway.metadata;
        let mut above = metadata.live_above(self.contents, &past.name, seq, ABOVE_MAX + 1).await?;
        if above.len() > ABOVE_MAX as usize {
            return Ok(decide(past, None, ground));
        }
        // The current one is the newest of all, where there is one.
        above.extend(past.current.clone().filter(|current| current.seq > Some(seq)));
        Ok(decide(past, Some(&above), ground))
    }

    /// Carries a page out, or rehearses it.
    async fn take(&self, courses: &mut [Course]) {
        if self.dry_run {
            let metadata = self.gateway.metadata.rehearsal();
            return self.run(&metadata, courses, |first, then| [first, then].concat()).await;
        }
        let metadata = &self.gateway.metadata;
        self.run(metadata, courses, |first, _| first.to_vec()).await;
        self.run(metadata, courses, |_, then| then.to_vec()).await;
    }

    async fn run(&self, metadata: &Metadata, courses: &mut [Course], of: fn(&[Step], &[Step]) -> Vec<Step>) {
        let (mut commands, mut whose) = (Vec::new(), Vec::new());
        for (at, course) in courses.iter().enumerate().filter(|(_, course)| course.failure.is_none()) {
            let Verdict::Change { first, then, .. } = &course.verdict else { continue };
            for step in of(first, then) {
                commands.push(self.command(&course.name, step));
                whose.push(at);
            }
        }
        if commands.is_empty() {
            return;
        }
        let outcomes = metadata.objects(commands, false).await;
        for (at, outcome) in whose.into_iter().zip(outcomes) {
            let course = &mut courses[at];
            match outcome {
                Ok(Outcome::Restored(restored)) => course.bytes = restored.size,
                Ok(Outcome::Staged | Outcome::Published(_) | Outcome::Deleted(_)) => {}
                // The first one tells why; what follows from it tells nothing.
                Err(failure) => course.failure = course.failure.take().or(Some(failure)),
            }
        }
    }

    fn command(&self, name: &str, step: Step) -> ObjectCommand {
        let grace = self.gateway.settings.object_delete_delay;
        match step {
            Step::Restore { version, replace } => ObjectCommand::Restore(Restore {
                domain: self.domain,
                bucket: self.bucket,
                what: RestoreWhat::Version(version),
                as_name: None,
                replace,
                actor: self.actor.clone(),
                grace,
            }),
            Step::Remove(version) => ObjectCommand::Delete(Delete {
                domain: self.domain,
                bucket: self.bucket,
                name: name.to_owned(),
                which: Which::Version(version),
                marker: VersionId::ordered(self.gateway.clock.now()),
                markers: Markers::Single,
                hides_guarded: false,
                bypass: false,
                heeds_spec: false,
                expects: None,
                condition: Condition::NONE,
                cause: Cause::Restore,
                actor: self.actor.clone(),
                grace,
            }),
        }
    }

    fn tell(&self, course: Course, report: &mut Report) {
        let Course { name, verdict, failure, bytes } = course;
        match (verdict, failure) {
            (Verdict::Same, _) => *report.unchanged.get_or_insert(0) += 1,
            (Verdict::Change { back, gone, .. }, None) => {
                *report.removed.get_or_insert(0) += gone;
                let what = if back.is_some() { "restored" } else { "removed" };
                if back.is_some() {
                    report.restored += 1;
                    report.bytes += bytes;
                }
                report.list(Item::done(name, back, what));
            }
            (Verdict::Change { back, .. }, Some(failure)) => {
                report.failed += 1;
                report.list(self.failed(Some(name), back, "failed", failure.into()));
            }
            (Verdict::Kept(version), _) => {
                *report.kept.get_or_insert(0) += 1;
                report.list(Item::done(name, Some(version), "kept"));
            }
            (Verdict::Lost { version, message }, _) => {
                *report.lost.get_or_insert(0) += 1;
                let complaint = Complaint::new(StatusCode::GONE, "Purged", message);
                report.list(self.failed(Some(name), Some(version), "lost", complaint));
            }
            (Verdict::Stuck { version, code, message }, _) => {
                report.failed += 1;
                let complaint = Complaint::new(StatusCode::CONFLICT, code, message);
                report.list(self.failed(Some(name), Some(version), "failed", complaint));
            }
        }
    }
}
