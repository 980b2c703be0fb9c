//! The relations of a tracker as the last pull knows them: listed, looked up, and handed to an analysis.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use serde::Serialize;

use super::prepare::{require_pulled, stored};
use super::views::named;
use super::{Error, Keeper};
use crate::config::Tracker;
use crate::model::{MessageId, Patch, PatchId, Project, ProjectId, ProjectName, Snapshot};
use crate::pasta::groups_text;

/// All relations of a tracker.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelationsDocument {
    /// The tracker's name.
    pub tracker: String,
    /// When the tracker was last read, whole or by its events.
    pub pulled_at: Timestamp,
    /// The relations, by their first patches.
    pub relations: Vec<RelationDocument>,
}

/// The relation that patches are in that were asked for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FoundDocument {
    /// The tracker's name.
    pub tracker: String,
    /// When the tracker was last read, whole or by its events.
    pub pulled_at: Timestamp,
    /// The patches that were asked for.
    pub named: BTreeSet<PatchId>,
    /// All members, those included; just the one patch when it is in no relation.
    #[serde(flatten)]
    pub relation: RelationDocument,
}

/// A relation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RelationDocument {
    /// The members, ascending.
    pub patches: Vec<MemberDocument>,
}

/// A patch in a relation.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct MemberDocument {
    /// Its number.
    pub patch: PatchId,
    /// Its project; `null` for a patch outside the tracker's projects.
    pub project: Option<ProjectName>,
    /// The mail that brought it; `null` for a patch outside the tracker's projects.
    pub message_id: Option<MessageId>,
}

/// A tracker's relations.
///
/// # Errors
/// When the tracker was never pulled, or the state cannot be read.
pub async fn relations(keeper: &Keeper, tracker: &Tracker) -> Result<RelationsDocument, Error> {
    let stored = stored(keeper, tracker).await?;
    let Snapshot { projects, patches } = &stored.snapshot;
    Ok(RelationsDocument {
        tracker: tracker.name.to_string(),
        pulled_at: stored.read_at(),
        relations: classes(&stored.snapshot)
            .iter()
            .map(|class| relation(class, projects, patches))
            .collect(),
    })
}

/// The relations that the patches of a number or of a mail are in, each once.
///
/// # Errors
/// [`Error::NoSuchPatch`] when the tracker's projects have no such patch, and as for [`relations`].
pub async fn find_relations(keeper: &Keeper, tracker: &Tracker, patch: &str) -> Result<Vec<FoundDocument>, Error> {
    let state = require_pulled(keeper, tracker).await?;
    let (name, url, word) = (tracker.name.to_string(), tracker.url.to_string(), patch.to_owned());
    let (asked, patches) = keeper
        .with(move |store, _| {
            let asked = named(store, &name, &url, &word)?;
            let mut patches = store.known(&name, &asked)?;
            let related = patches.values().flat_map(|patch| &patch.related).copied().collect();
            patches.extend(store.known(&name, &related)?);
            Ok((asked, patches))
        })
        .await?;
    let rows = asked.iter().filter_map(|patch| patches.get(patch));
    let found: BTreeSet<BTreeSet<PatchId>> = rows.map(class_of).collect();
    if found.is_empty() {
        return Err(Error::NoSuchPatch {
            tracker: tracker.name.clone(),
            patch: patch.to_owned(),
        });
    }
    let document = |class: &BTreeSet<PatchId>| FoundDocument {
        tracker: tracker.name.to_string(),
        pulled_at: state.read_at(),
        named: class.intersection(&asked).copied().collect(),
        relation: relation(class, &state.projects, &patches),
    };
    Ok(found.iter().map(document).collect())
}

fn relation(class: &BTreeSet<PatchId>, projects: &BTreeMap<ProjectId, Project>, patches: &BTreeMap<PatchId, Patch>) -> RelationDocument {
    let member = |&patch: &PatchId| {
        let row = patches.get(&patch);
        let project = row.and_then(|row| projects.get(&row.project));
        MemberDocument {
            patch,
            project: project.map(|project| project.name.clone()),
            message_id: row.map(|row| row.message_id.clone()),
        }
    };
    RelationDocument {
        patches: class.iter().map(member).collect(),
    }
}

/// The relations of a snapshot.
fn classes(snapshot: &Snapshot) -> BTreeSet<BTreeSet<PatchId>> {
    let related = snapshot.patches.values().filter(|patch| !patch.related.is_empty());
    related.map(class_of).collect()
}

fn class_of(patch: &Patch) -> BTreeSet<PatchId> {
    patch.related.iter().copied().chain([patch.id]).collect()
}

/// A snapshot's relations as groups of Patchwork's numbers.
#[must_use]
pub fn groups_of_ids(snapshot: &Snapshot) -> String {
    groups_text(&classes(snapshot))
}

/// A snapshot's relations as groups of message ids, and what groups of those cannot say.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct GroupsOfMails {
    /// The text of the group file.
    pub text: String,
    /// Related patches outside the tracker's projects: which mails brought them is not known.
    pub outside: BTreeSet<PatchId>,
    /// The mails of the relations that are left out, as only this one mail of theirs is known.
    pub single: Vec<MessageId>,
    /// The mails that stand in several relations, because each brought several patches. An analysis reads those relations as one group.
    pub shared: BTreeSet<MessageId>,
}

/// A snapshot's relations as groups of message ids.
#[must_use]
pub fn groups_of_mails(snapshot: &Snapshot) -> GroupsOfMails {
    let mut groups = GroupsOfMails::default();
    let mut seen = BTreeSet::new();
    let mut written = BTreeSet::new();
    for class in classes(snapshot) {
        let mut mails = BTreeSet::new();
        for patch in class {
            match snapshot.patches.get(&patch) {
                Some(row) => _ = mails.insert(&row.message_id),
                None => _ = groups.outside.insert(patch),
            }
        }
        if mails.len() < 2 {
            groups.single.extend(mails.into_iter().cloned());
            continue;
        }
        groups
            .shared
            .extend(mails.iter().copied().filter(|&mail| !seen.insert(mail)).cloned());
        written.insert(mails);
    }
    groups.text = groups_text(written.iter().map(|mails| mails.iter().copied()));
    groups
}
