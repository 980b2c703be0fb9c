//! What a tracker tells of its past.

use std::collections::BTreeSet;

use super::{EventId, MessageId, PatchId, ProjectId, UserName};

/// What an event is about, as far as kinset cares.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum EventKind {
    /// A patch arrived.
    PatchCreated,
    /// A patch joined or left a relation. Which one is not told, and not every change leaves an event.
    RelationChanged,
    /// Anything else.
    Other,
}

/// The patch that an event is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Subject {
    /// The patch.
    pub patch: PatchId,
    /// The mail that brought it; `None` where the tracker has a malformed message id.
    pub message_id: Option<MessageId>,
    /// The day of the mail, by the mail's own clock; `None` where the tracker tells none.
    pub date: Option<jiff::civil::Date>,
}

/// One event of a tracker.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// Its number.
    pub id: EventId,
    /// What happened.
    pub kind: EventKind,
    /// Where.
    pub project: ProjectId,
    /// To which patch; `None` for events about something else.
    pub subject: Option<Subject>,
    /// Who did it, where the tracker tells: for the patch at the address of a write only, and not for every write.
    pub actor: Option<UserName>,
}

/// How far a tracker's events were read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct EventCursor {
    /// The highest number that was seen; `None` when there was no event at all.
    pub newest: Option<EventId>,
    /// The numbers seen from [`Self::OVERLAP`] below the newest up to it: what else turns up among them came into sight late.
    pub recent: BTreeSet<EventId>,
}

impl EventCursor {
    /// How far below the newest event late ones are looked for. Less than a page, so that looking costs one request at most.
    pub const OVERLAP: u64 = 200;
}
