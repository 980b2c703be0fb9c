//! The shapes of Patchwork's answers: only what is read of them. Fields that are not named here are passed over.

use jiff::civil::{Date, DateTime};
use serde::{
    Deserialize, Deserializer,
    de::{Error as _, IgnoredAny},
};
use url::Url;

use super::{Address, Error};
use crate::model::{Event, EventId, EventKind, MessageId, Patch, PatchId, Project, ProjectId, ProjectName, Subject, UserName};

/// Patchwork's word for the events of patches that arrived.
pub(super) const PATCH_CREATED: &str = "patch-created";

/// Patchwork's word for the events of patches that joined or left a relation.
pub(super) const RELATION_CHANGED: &str = "patch-relation-changed";

/// The index of an API version. It does not tell its version; that it lists patches tells that it is Patchwork's.
#[derive(Debug, Deserialize)]
pub(super) struct Index {
    #[serde(rename = "patches")]
    _patches: IgnoredAny,
}

/// A project at its own address.
#[derive(Debug, Deserialize)]
pub(super) struct ProjectBody {
    id: ProjectId,
    link_name: ProjectName,
    maintainers: Option<Vec<Maintainer>>,
}

/// A maintainer. Its `id` is that of the profile and not of the user, so it is not even read.
#[derive(Debug, Deserialize)]
struct Maintainer {
    username: UserName,
}

impl ProjectBody {
    pub(super) fn into_project(self, url: Address) -> Result<Project, Error> {
        let Self {
            id,
            link_name: name,
            maintainers,
        } = self;
        match maintainers {
            Some(list) => Ok(Project {
                id,
                name,
                maintainers: list.into_iter().map(|one| one.username).collect(),
            }),
            None => Err(Error::MissingMaintainers { url, project: name }),
        }
    }
}

/// A project in the list of projects.
#[derive(Debug, Deserialize)]
pub(super) struct ProjectRow {
    pub(super) link_name: ProjectName,
}

/// A patch in a list of patches.
#[derive(Debug, Deserialize)]
pub(super) struct PatchRow {
    pub(super) id: PatchId,
    project: ProjectReference,
    msgid: String,
    date: Option<String>,
    commit_ref: Option<String>,
    related: Option<Vec<Relative>>,
}

#[derive(Debug, Deserialize)]
struct ProjectReference {
    id: ProjectId,
}

#[derive(Debug, Deserialize)]
struct Relative {
    id: PatchId,
}

impl PatchRow {
    /// The patch, or `None` where its message id is malformed: Patchwork keeps what a broken mailer sent, cut at 255 characters, and
    /// neither its `msgid` filter nor an analysis could name it.
    pub(super) fn into_patch(self, url: &Address) -> Result<Option<Patch>, Error> {
        let Self {
            id,
            project,
            msgid,
            date,
            commit_ref,
            related,
        } = self;
        let Some(related) = related else {
            return Err(Error::MissingRelated {
                url: url.clone(),
                patch: id,
            });
        };
        let Ok(message_id) = MessageId::parse(&msgid) else {
            return Ok(None);
        };
        let related = related
            .into_iter()
            .map(|relative| relative.id)
            .filter(|other| *other != id)
            .collect();
        Ok(Some(Patch {
            id,
            project: project.id,
            message_id,
            date: day(date),
            commit_ref: commit_ref.filter(|commit| !commit.is_empty()),
            related,
        }))
    }
}

/// A patch in a list of patches, for its mail.
#[derive(Debug, Deserialize)]
pub(super) struct MailRow {
    pub(super) id: PatchId,
    /// Where the mail is.
    #[serde(deserialize_with = "address")]
    pub(super) mbox: Url,
}

fn address<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Url, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(D::Error::custom)
}

/// The day of a date as Patchwork writes it, without a zone.
fn day(date: Option<String>) -> Option<Date> {
    date.and_then(|date| date.parse::<DateTime>().ok()).map(DateTime::date)
}

/// An event in the list of events.
#[derive(Debug, Deserialize)]
pub(super) struct EventRow {
    id: EventId,
    category: String,
    project: ProjectReference,
    actor: Option<Actor>,
    payload: Payload,
}

#[derive(Debug, Deserialize)]
struct Actor {
    username: UserName,
}

/// What an event is about. Which fields there are depends on its category.
#[derive(Debug, Deserialize)]
struct Payload {
    patch: Option<Mention>,
}

#[derive(Debug, Deserialize)]
struct Mention {
    id: PatchId,
    msgid: String,
    date: Option<String>,
}

impl EventRow {
    pub(super) fn into_event(self) -> Event {
        let Self {
            id,
            category,
            project,
            actor,
            payload,
        } = self;
        Event {
            id,
            kind: match category.as_str() {
                PATCH_CREATED => EventKind::PatchCreated,
                RELATION_CHANGED => EventKind::RelationChanged,
                _ => EventKind::Other,
            },
            project: project.id,
            subject: payload.patch.map(Mention::into_subject),
            actor: actor.map(|actor| actor.username),
        }
    }
}

impl Mention {
    fn into_subject(self) -> Subject {
        let Self { id, msgid, date } = self;
        Subject {
            patch: id,
            message_id: MessageId::parse(&msgid).ok(),
            date: day(date),
        }
    }
}

/// Patchwork's number of a user, which is not that of the user's profile.
#[derive(Clone, Copy, Debug, Deserialize)]
#[serde(transparent)]
pub(super) struct UserId(pub(super) u64);

/// A user in the list of users.
#[derive(Debug, Deserialize)]
pub(super) struct UserRow {
    pub(super) id: UserId,
    pub(super) username: UserName,
}

/// A user at their own address. Only the token's own user is shown their settings.
#[derive(Debug, Deserialize)]
pub(super) struct UserBody {
    pub(super) settings: Option<IgnoredAny>,
}
