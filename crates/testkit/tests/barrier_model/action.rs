//! Everything that can happen next.

/// One step.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Action {
    /// Of nobody in particular.
    Some(Deed),
    /// Something happens to a member.
    To(usize, Fate),
    /// A process does something.
    By(usize, Step),
}

/// What clients and operators ask of whichever member, and time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Deed {
    Tick,
    Remove,
    Restore,
    /// The barrier is asked, and holds.
    FindOpen,
    /// The purge that was found to be permitted.
    Purge,
    /// The object is deleted.
    Delete,
}

/// What happens to a member.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Fate {
    StandStill,
    GoOn,
    Die,
    /// Another process starts under the name of the dead one.
    StartAgain,
    FencedAsLapsed,
    FencedByHand,
    /// A heartbeat that was given up arrives.
    StrayArrives,
}

/// What a process does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(crate) enum Step {
    /// A heartbeat at once, of a process in which nothing flows nor will.
    Beat,
    // A heartbeat in its steps.
    ReadLog,
    LookForPinned,
    PassMoment,
    Gather,
    Tell,
    GiveUpBeat,
    CutAll,
    Register,

    // A download.
    LookUp,
    PinRead,
    Compare,
    Start,
    EndRead,
    /// It has lasted too long in a bucket that is removed.
    CutLong,

    // An upload.
    BeginWrite,
    Stage,
    BeginCommit,
    Commit,
    GiveUpWrite,

    // The destruction of bytes.
    Claim,
    AskWhoReads,
    HearWhoReads,
    Destroy,
    Finish,
}

impl Deed {
    const ALL: [Deed; 6] =
        [Deed::Tick, Deed::Remove, Deed::Restore, Deed::FindOpen, Deed::Purge, Deed::Delete];
}

impl Fate {
    const ALL: [Fate; 7] = [
        Fate::StandStill,
        Fate::GoOn,
        Fate::Die,
        Fate::StartAgain,
        Fate::FencedAsLapsed,
        Fate::FencedByHand,
        Fate::StrayArrives,
    ];
}

impl Step {
    const ALL: [Step; 25] = [
        Step::Beat,
        Step::ReadLog,
        Step::LookForPinned,
        Step::PassMoment,
        Step::Gather,
        Step::Tell,
        Step::GiveUpBeat,
        Step::CutAll,
        Step::Register,
        Step::LookUp,
        Step::PinRead,
        Step::Compare,
        Step::Start,
        Step::EndRead,
        Step::CutLong,
        Step::BeginWrite,
        Step::Stage,
        Step::BeginCommit,
        Step::Commit,
        Step::GiveUpWrite,
        Step::Claim,
        Step::AskWhoReads,
        Step::HearWhoReads,
        Step::Destroy,
        Step::Finish,
    ];
}

impl Action {
    /// Every action there is, possible or not.
    pub(crate) fn all() -> impl Iterator<Item = Action> {
        let of_a_member = |node| {
            let fates = Fate::ALL.into_iter().map(move |fate| Action::To(node, fate));
            fates.chain(Step::ALL.into_iter().map(move |step| Action::By(node, step)))
        };
        Deed::ALL.into_iter().map(Action::Some).chain((0..2).flat_map(of_a_member))
    }
}
