//! The list of patches, and one patch.

use std::borrow::Cow;

use serde::Serialize;

use super::message::Detail;
use super::python;
use super::query::{Direction, NotSimulated, Query};
use super::write_body::{self, BodyError, Update};
use super::{Reply, Visit};
use crate::model::{PatchId, UserName};
use crate::tracker::simulator::api::version::ApiVersion;
use crate::tracker::simulator::catalogue::{Patch, Project};
use crate::tracker::simulator::rules::{Extent, Refusal, Rules};

/// Filters that a real server has besides.
const OTHER_FILTERS: [&str; 9] = [
    "series",
    "submitter",
    "delegate",
    "state",
    "archived",
    "hash",
    "since",
    "before",
    "q",
];
/// Orders that a real server has besides.
const OTHER_ORDERS: [&str; 7] = ["name", "project", "date", "state", "archived", "submitter", "check"];

#[derive(Serialize)]
struct RelatedError {
    related: [String; 1],
}

pub(super) fn unknown_related(patch: PatchId) -> Reply {
    Reply::json(
        400,
        &RelatedError {
            related: [write_body::no_such_patch(&patch.to_string())],
        },
    )
}

impl From<BodyError> for Reply {
    fn from(error: BodyError) -> Self {
        match error {
            BodyError::MediaType(media_type) => Self::detail(415, &format!("Unsupported media type \"{media_type}\" in request.")),
            BodyError::Malformed(words) => Self::detail(400, &words),
            BodyError::NotADict(words) => Self::json(400, &Detail { detail: [words] }),
            BodyError::Fields(errors) => Self::json(400, &errors),
            BodyError::Crash => Self::crash(),
            BodyError::NotSimulated(what) => NotSimulated(what.to_owned()).into(),
        }
    }
}

impl Visit<'_> {
    pub(super) fn patches(&self, rules: &Rules, query: &Query) -> Result<Reply, Reply> {
        query.refuse(&OTHER_FILTERS)?;
        let direction = query.direction("id", Direction::Ascending, &OTHER_ORDERS)?;
        let site = self.site(rules);
        self.list(query, &self.filtered(rules, query), direction, |&id| {
            found_patch(rules, id).map(|(patch, project)| site.patch_row(patch, project))
        })
    }

    /// The message id is asked for without its brackets; with them, it finds nothing. An empty one asks for nothing in particular.
    fn filtered<'r>(&self, rules: &'r Rules, query: &Query) -> Cow<'r, [PatchId]> {
        let projects = self.project_filter(rules, query);
        let message = query
            .last("msgid")
            .map(python::strip)
            .filter(|bare| !bare.is_empty() && self.version >= ApiVersion::V1_2);
        let Some(bare) = message else {
            return rules.catalogue().patches_of(projects.as_ref());
        };
        let found = rules.catalogue().patches_by_message(bare);
        let Some(projects) = projects else { return Cow::Borrowed(found) };
        let is_wanted = |id: &PatchId| rules.catalogue().patch(*id).is_some_and(|patch| projects.contains(&patch.project));
        Cow::Owned(found.iter().copied().filter(is_wanted).collect())
    }

    pub(super) fn patch(&self, rules: &Rules, id: Option<u64>) -> Result<Reply, Reply> {
        let (patch, project) = id.and_then(|id| found_patch(rules, PatchId(id))).ok_or(Refusal::UnknownPatch)?;
        Ok(Reply::json(
            200,
            &self.site(rules).patch_detail(patch, project, Some(rules.related(patch.id))),
        ))
    }

    pub(super) fn write_patch(&self, rules: &mut Rules, id: Option<u64>, user: Option<&UserName>) -> Result<Reply, Reply> {
        let id = id.map(PatchId).ok_or(Refusal::UnknownPatch)?;
        rules.admit(user, id)?;
        let update = if self.request.method == "PUT" {
            Update::Full
        } else {
            Update::Partial
        };
        let media_type = self.request.headers.content_type.as_deref().unwrap_or_default();
        let changes = write_body::read(&self.request.body, media_type, update, |patch| {
            rules.catalogue().patch(patch).is_some()
        })?;
        let shown = match changes.related {
            Some(related) => rules.write_to_extent(user, id, &related, self.extent)?.related,
            None => rules.listed(id),
        };
        if let Some(commit_ref) = changes.commit_ref.filter(|_| self.extent == Extent::Whole) {
            rules.set_commit_ref(user, id, commit_ref)?;
        }
        if changes.undelegates && self.extent == Extent::Whole {
            rules.undelegate(user, id)?;
        }
        // Patchwork fills a field that it lost only where the whole patch was sent.
        let shown = shown.or((update == Update::Full).then(Vec::new));
        let (patch, project) = found_patch(rules, id).ok_or(Refusal::UnknownPatch)?;
        Ok(Reply::json(200, &self.site(rules).patch_detail(patch, project, shown)))
    }
}

fn found_patch(rules: &Rules, id: PatchId) -> Option<(&Patch, &Project)> {
    let patch = rules.catalogue().patch(id)?;
    rules.catalogue().project(patch.project).map(|project| (patch, project))
}
