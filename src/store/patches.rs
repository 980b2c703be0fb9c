//! The rows of patches, without their relations.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, OptionalExtension, Row, Transaction, params};

use super::database::unreadable;
use super::gone;
use crate::model::{MessageId, Patch, PatchId, ProjectId};

/// The patches of a tracker, unrelated as yet.
pub(super) fn load(connection: &Connection, tracker: i64) -> rusqlite::Result<BTreeMap<PatchId, Patch>> {
    let mut select =
        connection.prepare_cached("SELECT id, project, message_id, date, commit_ref FROM patch WHERE tracker = ?1 ORDER BY id")?;
    let patches = select.query_map([tracker], |row| from_row(row).map(|patch| (patch.id, patch)))?;
    patches.collect()
}

/// One patch of a tracker, unrelated as yet.
pub(super) fn find(connection: &Connection, tracker: i64, patch: PatchId) -> rusqlite::Result<Option<Patch>> {
    connection
        .prepare_cached("SELECT id, project, message_id, date, commit_ref FROM patch WHERE tracker = ?1 AND id = ?2")?
        .query_row(params![tracker, patch.0], from_row)
        .optional()
}

/// A row that begins with id, project, message id, date and commit, as a patch that is unrelated as yet.
pub(super) fn from_row(row: &Row<'_>) -> rusqlite::Result<Patch> {
    Ok(Patch {
        id: PatchId(row.get(0)?),
        project: ProjectId(row.get(1)?),
        message_id: message_id(row, 2)?,
        date: row.get(3)?,
        commit_ref: row.get(4)?,
        related: BTreeSet::new(),
    })
}

pub(super) fn message_id(row: &Row<'_>, column: usize) -> rusqlite::Result<MessageId> {
    MessageId::parse(row.get_ref(column)?.as_str()?).map_err(|error| unreadable(column, error))
}

/// Writes a patch, new or not.
pub(super) fn upsert(transaction: &Transaction<'_>, tracker: i64, patch: &Patch) -> rusqlite::Result<()> {
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

/// Deletes a patch, if it is there.
pub(super) fn delete(transaction: &Transaction<'_>, tracker: i64, patch: PatchId) -> rusqlite::Result<()> {
    gone::keep_mail(transaction, tracker, patch)?;
    transaction
        .prepare_cached("DELETE FROM patch WHERE tracker = ?1 AND id = ?2")?
        .execute(params![tracker, patch.0])?;
    Ok(())
}

/// Makes the patches of a tracker these, and leaves the rows alone that are as they should be.
pub(super) fn replace(transaction: &Transaction<'_>, tracker: i64, patches: &BTreeMap<PatchId, Patch>) -> rusqlite::Result<()> {
    let Difference { changed, gone } = difference(transaction, tracker, patches)?;
    for patch in gone {
        delete(transaction, tracker, patch)?;
    }
    for patch in changed {
        upsert(transaction, tracker, patch)?;
    }
    Ok(())
}

/// What has to be written to make the stored patches others.
#[derive(Default)]
struct Difference<'p> {
    changed: Vec<&'p Patch>,
    gone: Vec<PatchId>,
}

fn difference<'p>(connection: &Connection, tracker: i64, patches: &'p BTreeMap<PatchId, Patch>) -> rusqlite::Result<Difference<'p>> {
    let mut difference = Difference::default();
    let mut wanted = patches.values().peekable();
    let mut select =
        connection.prepare_cached("SELECT id, project, message_id, date, commit_ref FROM patch WHERE tracker = ?1 ORDER BY id")?;
    let mut rows = select.query([tracker])?;
    // Both are in the order of the ids.
    while let Some(row) = rows.next()? {
        let id = PatchId(row.get(0)?);
        while let Some(new) = wanted.next_if(|patch| patch.id < id) {
            difference.changed.push(new);
        }
        match wanted.next_if(|patch| patch.id == id) {
            Some(patch) if is_stored_as(row, patch)? => {}
            Some(patch) => difference.changed.push(patch),
            None => difference.gone.push(id),
        }
    }
    difference.changed.extend(wanted);
    Ok(difference)
}

/// Whether a row holds exactly this patch, told without making a patch of it.
fn is_stored_as(row: &Row<'_>, patch: &Patch) -> rusqlite::Result<bool> {
    let Patch {
        id,
        project,
        message_id,
        date,
        commit_ref,
        related: _,
    } = patch;
    Ok(row.get::<_, u64>(0)? == id.0
        && row.get::<_, u64>(1)? == project.0
        && row.get_ref(2)?.as_str()? == message_id.as_str()
        && row.get::<_, Option<jiff::civil::Date>>(3)? == *date
        && row.get_ref(4)?.as_str_or_null()? == commit_ref.as_deref())
}
