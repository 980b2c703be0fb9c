//! The shapes of Patchwork's answers: only what is read of them. Fields that are not named here are passed over.

use jiff::civil::DateTime;
use serde::{Deserialize, de::IgnoredAny};

use super::{Address, Error};
use crate::model::{MessageId, Patch, PatchId, Project, ProjectId, ProjectName, UserName};

/// The index of an API version. It does not tell its version; that it lists patches tells that it is Patchwork's.
#[derive(Debug, Deserialize)]
pub(super) struct Index {
    #[serde(rename = "patches")]
    _patches: IgnoredAny,
}

/// A refusal.
#[derive(Debug, Deserialize)]
pub(super) struct Detail {
    pub(super) detail: String,
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
            date: date.and_then(|date| date.parse::<DateTime>().ok()).map(DateTime::date),
            commit_ref: commit_ref.filter(|commit| !commit.is_empty()),
            related,
        }))
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
