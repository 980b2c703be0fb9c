//! The rows of projects and their maintainers.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::{Connection, Transaction, params};

use crate::model::{Project, ProjectId, ProjectName, UserName};

/// The projects of a tracker.
pub(super) fn load(connection: &Connection, tracker: i64) -> rusqlite::Result<BTreeMap<ProjectId, Project>> {
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

/// Writes the projects that are new or differ, and tells which are to be [deleted](delete).
pub(super) fn replace(
    transaction: &Transaction<'_>,
    tracker: i64,
    projects: &BTreeMap<ProjectId, Project>,
) -> rusqlite::Result<Vec<ProjectId>> {
    let stored = load(transaction, tracker)?;
    for project in projects.values().filter(|project| stored.get(&project.id) != Some(project)) {
        upsert(transaction, tracker, project)?;
    }
    Ok(stored.into_keys().filter(|id| !projects.contains_key(id)).collect())
}

/// Deletes projects of which no patch is stored any more.
pub(super) fn delete(transaction: &Transaction<'_>, tracker: i64, projects: &[ProjectId]) -> rusqlite::Result<()> {
    let mut delete = transaction.prepare_cached("DELETE FROM project WHERE tracker = ?1 AND id = ?2")?;
    for project in projects {
        delete_maintainers(transaction, tracker, *project)?;
        delete.execute(params![tracker, project.0])?;
    }
    Ok(())
}

/// Writes a project with its maintainers, new or not.
pub(super) fn upsert(transaction: &Transaction<'_>, tracker: i64, project: &Project) -> rusqlite::Result<()> {
    let Project { id, name, maintainers } = project;
    transaction
        .prepare_cached("INSERT INTO project (tracker, id, name) VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET name = excluded.name")?
        .execute(params![tracker, id.0, name.0])?;
    delete_maintainers(transaction, tracker, *id)?;
    let mut insert = transaction.prepare_cached("INSERT INTO maintainer (tracker, project, user) VALUES (?1, ?2, ?3)")?;
    for user in maintainers {
        insert.execute(params![tracker, id.0, user.0])?;
    }
    Ok(())
}

fn delete_maintainers(transaction: &Transaction<'_>, tracker: i64, project: ProjectId) -> rusqlite::Result<()> {
    transaction
        .prepare_cached("DELETE FROM maintainer WHERE tracker = ?1 AND project = ?2")?
        .execute(params![tracker, project.0])?;
    Ok(())
}
