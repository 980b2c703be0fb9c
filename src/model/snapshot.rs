//! What one full read of a tracker saw.

use std::collections::{BTreeMap, BTreeSet};

use super::{MessageId, PatchId, ProjectId, ProjectName, UserName};

/// A project of a tracker, read from its own address.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Project {
    /// Patchwork's number of the project.
    pub id: ProjectId,
    /// Its `link_name`.
    pub name: ProjectName,
    /// Who may write to its patches.
    pub maintainers: BTreeSet<UserName>,
}

/// A patch, as a row of the patches list tells it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// Patchwork's number of the patch.
    pub id: PatchId,
    /// The project that it belongs to.
    pub project: ProjectId,
    /// The mail that brought it. The same mail in two projects is two patches.
    pub message_id: MessageId,
    /// The day of the mail, by the mail's own clock; `None` where the tracker tells none.
    pub date: Option<jiff::civil::Date>,
    /// The commit that the patch became, in the tracker's own words; `None` where it says nothing or an empty text.
    pub commit_ref: Option<String>,
    /// The other members of its relation; empty when it is in none. A relation of one cannot be told from none.
    pub related: BTreeSet<PatchId>,
}

/// Everything in a tracker's configured projects at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Snapshot {
    /// The projects that the configuration names.
    pub projects: BTreeMap<ProjectId, Project>,
    /// Their patches. [`Patch::related`] may name patches of other projects, which are not listed here.
    pub patches: BTreeMap<PatchId, Patch>,
}
