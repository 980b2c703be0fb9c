//! What was last read of each tracker.
//!
//! Relations are kept as classes, each once, and not as every patch tells them: a snapshot in which two patches tell different tales has no
//! such form and is refused.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::Store;
use super::database::unreadable;
use super::error::{Inconsistency, StoreError};
use crate::model::{MessageId, Patch, PatchId, Project, ProjectId, ProjectName, Snapshot, UserName};

/// A snapshot, and where and when it was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StoredSnapshot {
    /// What was read.
    pub snapshot: Snapshot,
    /// The address that it was read from. Where the configuration now names another, the snapshot says nothing about that one.
    pub url: String,
    /// When the last full read ended.
    pub pulled_at: Timestamp,
    /// When single patches were last read anew since.
    pub refreshed_at: Option<Timestamp>,
}

impl Store {
    /// Keeps what a full read of a tracker saw, in place of everything that was known of it. All or nothing is stored.
    ///
    /// # Errors
    /// When the snapshot contradicts itself, or the database cannot be written.
    pub fn save_snapshot(&mut self, tracker: &str, url: &str, snapshot: &Snapshot, pulled_at: Timestamp) -> Result<(), StoreError> {
        let relations = relations_of(snapshot).map_err(|source| StoreError::Inconsistent {
            tracker: tracker.to_owned(),
            source,
        })?;
        self.database.write(|transaction| {
            let tracker = tracker_number(transaction, tracker)?;
            forget_snapshot(transaction, tracker)?;
            transaction
                .prepare_cached("INSERT INTO snapshot (tracker, url, pulled_at) VALUES (?1, ?2, ?3)")?
                .execute(params![tracker, url, pulled_at])?;
            insert_projects(transaction, tracker, snapshot)?;
            for patch in snapshot.patches.values() {
                upsert_patch(transaction, tracker, patch)?;
            }
            for (members, relation) in relations.iter().zip(1..) {
                insert_relation(transaction, tracker, relation, members)?;
            }
            Ok(())
        })
    }

    /// What was last read of a tracker, or `None` when nothing ever was. It equals what was saved, but for [later reads](Self::record_reads).
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn snapshot(&self, tracker: &str) -> Result<Option<StoredSnapshot>, StoreError> {
        self.database.read(|connection| {
            let mut select = connection.prepare_cached(
                "SELECT id, url, pulled_at, refreshed_at FROM snapshot JOIN tracker ON tracker.id = snapshot.tracker WHERE name = ?1",
            )?;
            let row = |row: &Row<'_>| Ok((row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?));
            let Some((tracker, url, pulled_at, refreshed_at)) = select.query_row([tracker], row).optional()? else {
                return Ok(None);
            };
            let mut patches = load_patches(connection, tracker)?;
            relate(&mut patches, load_relations(connection, tracker)?);
            let snapshot = Snapshot {
                projects: load_projects(connection, tracker)?,
                patches,
            };
            Ok(Some(StoredSnapshot {
                snapshot,
                url,
                pulled_at,
                refreshed_at,
            }))
        })
    }

    /// How many patches the last read of a tracker saw, or `None` when it was never read.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn patch_count(&self, tracker: &str) -> Result<Option<u64>, StoreError> {
        self.database.read(|connection| {
            let Some(tracker) = pulled_tracker_number(connection, tracker)? else {
                return Ok(None);
            };
            let count = "SELECT count(*) FROM patch WHERE tracker = ?1";
            Ok(Some(connection.prepare_cached(count)?.query_row([tracker], |row| row.get(0))?))
        })
    }

    /// Takes in what single patches turned out to be when they were read anew, in this order.
    ///
    /// Each row speaks for all patches that it names: they form one relation, and leave those that they were in. `absent` are patches that the
    /// tracker no longer has. A relation of which one member is left is none. Rows of projects that are not in the snapshot count for their
    /// relation only.
    ///
    /// # Errors
    /// When the tracker was never pulled, or the database cannot be written.
    pub fn record_reads(&mut self, tracker: &str, fresh: &[Patch], absent: &[PatchId], read_at: Timestamp) -> Result<(), StoreError> {
        self.database.write(|transaction| {
            let Some(tracker) = pulled_tracker_number(transaction, tracker)? else {
                return Err(StoreError::NeverPulled {
                    tracker: tracker.to_owned(),
                }
                .into());
            };
            let projects = load_projects(transaction, tracker)?;
            for patch in fresh {
                if projects.contains_key(&patch.project) {
                    upsert_patch(transaction, tracker, patch)?;
                }
                regroup(transaction, tracker, &class_of(patch))?;
            }
            for patch in absent {
                regroup(transaction, tracker, &BTreeSet::from([*patch]))?;
                transaction
                    .prepare_cached("DELETE FROM patch WHERE tracker = ?1 AND id = ?2")?
                    .execute(params![tracker, patch.0])?;
            }
            transaction
                .prepare_cached("UPDATE snapshot SET refreshed_at = ?2 WHERE tracker = ?1")?
                .execute(params![tracker, read_at])?;
            Ok(())
        })
    }
}

/// A tracker's number in the database; it gets one when it has none.
pub(super) fn tracker_number(transaction: &Transaction<'_>, name: &str) -> rusqlite::Result<i64> {
    transaction
        .prepare_cached("INSERT INTO tracker (name) VALUES (?1) ON CONFLICT DO NOTHING")?
        .execute([name])?;
    transaction
        .prepare_cached("SELECT id FROM tracker WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
}

/// The number of a tracker that there is a snapshot of.
fn pulled_tracker_number(connection: &Connection, name: &str) -> rusqlite::Result<Option<i64>> {
    connection
        .prepare_cached("SELECT id FROM tracker JOIN snapshot ON snapshot.tracker = tracker.id WHERE name = ?1")?
        .query_row([name], |row| row.get(0))
        .optional()
}

fn forget_snapshot(transaction: &Transaction<'_>, tracker: i64) -> rusqlite::Result<()> {
    for table in ["relation_member", "patch", "maintainer", "project", "snapshot"] {
        transaction.execute(&format!("DELETE FROM {table} WHERE tracker = ?1"), [tracker])?;
    }
    Ok(())
}

fn insert_projects(transaction: &Transaction<'_>, tracker: i64, snapshot: &Snapshot) -> rusqlite::Result<()> {
    let mut insert_project = transaction.prepare_cached("INSERT INTO project (tracker, id, name) VALUES (?1, ?2, ?3)")?;
    let mut insert_maintainer = transaction.prepare_cached("INSERT INTO maintainer (tracker, project, user) VALUES (?1, ?2, ?3)")?;
    for Project { id, name, maintainers } in snapshot.projects.values() {
        insert_project.execute(params![tracker, id.0, name.0])?;
        for user in maintainers {
            insert_maintainer.execute(params![tracker, id.0, user.0])?;
        }
    }
    Ok(())
}

fn upsert_patch(transaction: &Transaction<'_>, tracker: i64, patch: &Patch) -> rusqlite::Result<()> {
    let Patch {
        id,
        project,
        message_id,
        date,
        commit_ref,
        related: _,
    } = patch;
    transaction
        .prepare_cached(
            "INSERT INTO patch (tracker, id, project, message_id, date, commit_ref) VALUES (?1, ?2, ?3, ?4, ?5, ?6)
             ON CONFLICT DO UPDATE SET project = excluded.project, message_id = excluded.message_id,
                 date = excluded.date, commit_ref = excluded.commit_ref",
        )?
        .execute(params![tracker, id.0, project.0, message_id.as_str(), date, commit_ref])?;
    Ok(())
}

fn insert_relation(transaction: &Transaction<'_>, tracker: i64, relation: i64, members: &BTreeSet<PatchId>) -> rusqlite::Result<()> {
    let mut insert = transaction.prepare_cached("INSERT INTO relation_member (tracker, relation, patch) VALUES (?1, ?2, ?3)")?;
    for patch in members {
        insert.execute(params![tracker, relation, patch.0])?;
    }
    Ok(())
}

/// Makes these patches, and no others with them, one class.
fn regroup(transaction: &Transaction<'_>, tracker: i64, class: &BTreeSet<PatchId>) -> rusqlite::Result<()> {
    let mut leave = transaction.prepare_cached("DELETE FROM relation_member WHERE tracker = ?1 AND patch = ?2 RETURNING relation")?;
    let mut left = BTreeSet::new();
    for patch in class {
        left.extend(leave.query_row(params![tracker, patch.0], |row| row.get::<_, i64>(0)).optional()?);
    }
    let mut dissolve = transaction.prepare_cached(
        "DELETE FROM relation_member WHERE tracker = ?1 AND relation = ?2
         AND (SELECT count(*) FROM relation_member WHERE tracker = ?1 AND relation = ?2) = 1",
    )?;
    for relation in left {
        dissolve.execute(params![tracker, relation])?;
    }
    if class.len() < 2 {
        return Ok(());
    }
    let next = "SELECT coalesce(max(relation), 0) + 1 FROM relation_member WHERE tracker = ?1";
    let relation = transaction.prepare_cached(next)?.query_row([tracker], |row| row.get(0))?;
    insert_relation(transaction, tracker, relation, class)
}

fn load_projects(connection: &Connection, tracker: i64) -> rusqlite::Result<BTreeMap<ProjectId, Project>> {
    let mut projects = BTreeMap::new();
    let mut select = connection.prepare_cached("SELECT id, name FROM project WHERE tracker = ?1")?;
    let mut rows = select.query([tracker])?;
    while let Some(row) = rows.next()? {
        let id = ProjectId(row.get(0)?);
        projects.insert(
            id,
            Project {
                id,
                name: ProjectName(row.get(1)?),
                maintainers: BTreeSet::new(),
            },
        );
    }
    let mut select = connection.prepare_cached("SELECT project, user FROM maintainer WHERE tracker = ?1")?;
    let mut rows = select.query([tracker])?;
    while let Some(row) = rows.next()? {
        if let Some(project) = projects.get_mut(&ProjectId(row.get(0)?)) {
            project.maintainers.insert(UserName(row.get(1)?));
        }
    }
    Ok(projects)
}

/// The patches of a tracker, unrelated as yet.
fn load_patches(connection: &Connection, tracker: i64) -> rusqlite::Result<BTreeMap<PatchId, Patch>> {
    let mut select =
        connection.prepare_cached("SELECT id, project, message_id, date, commit_ref FROM patch WHERE tracker = ?1 ORDER BY id")?;
    let patches = select.query_map([tracker], |row| {
        let id = PatchId(row.get(0)?);
        let message_id = MessageId::parse(row.get_ref(2)?.as_str()?).map_err(|error| unreadable(2, error))?;
        Ok((
            id,
            Patch {
                id,
                project: ProjectId(row.get(1)?),
                message_id,
                date: row.get(3)?,
                commit_ref: row.get(4)?,
                related: BTreeSet::new(),
            },
        ))
    })?;
    patches.collect()
}

fn load_relations(connection: &Connection, tracker: i64) -> rusqlite::Result<Vec<BTreeSet<PatchId>>> {
    let mut select = connection.prepare_cached("SELECT relation, patch FROM relation_member WHERE tracker = ?1")?;
    let mut relations: BTreeMap<i64, BTreeSet<PatchId>> = BTreeMap::new();
    let mut rows = select.query([tracker])?;
    while let Some(row) = rows.next()? {
        relations.entry(row.get(0)?).or_default().insert(PatchId(row.get(1)?));
    }
    Ok(relations.into_values().collect())
}

/// Tells every patch who is related to it.
fn relate(patches: &mut BTreeMap<PatchId, Patch>, relations: Vec<BTreeSet<PatchId>>) {
    for members in relations {
        for member in &members {
            if let Some(patch) = patches.get_mut(member) {
                patch.related.clone_from(&members);
                patch.related.remove(member);
            }
        }
    }
}

/// The relation that a patch tells of, itself included.
fn class_of(patch: &Patch) -> BTreeSet<PatchId> {
    let mut class = patch.related.clone();
    class.insert(patch.id);
    class
}

/// The relations that the patches of a snapshot tell of, each once.
fn relations_of(snapshot: &Snapshot) -> Result<Vec<BTreeSet<PatchId>>, Inconsistency> {
    let mut classes: Vec<BTreeSet<PatchId>> = Vec::new();
    // For each patch, who told first of the class that it is in, and the place of that class.
    let mut told: BTreeMap<PatchId, (PatchId, usize)> = BTreeMap::new();
    for patch in snapshot.patches.values() {
        if !snapshot.projects.contains_key(&patch.project) {
            return Err(Inconsistency::StrayPatch {
                patch: patch.id,
                project: patch.project,
            });
        }
        let class = class_of(patch);
        if let Some(&(first, place)) = told.get(&patch.id) {
            if classes[place] != class {
                return Err(Inconsistency::Torn {
                    patch: first,
                    other: patch.id,
                });
            }
            continue;
        }
        for member in &class {
            if let Some((first, _)) = told.insert(*member, (patch.id, classes.len())) {
                return Err(Inconsistency::Torn {
                    patch: first,
                    other: patch.id,
                });
            }
        }
        classes.push(class);
    }
    classes.retain(|class| class.len() > 1);
    Ok(classes)
}
