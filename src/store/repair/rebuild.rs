//! A new database out of the rows of a damaged one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::Connection;
use rusqlite_migration::Migrations;
use tempfile::NamedTempFile;

use super::TableRepair;
use super::count::missing;
use super::error::RepairError;
use super::swap::unwritable;
use crate::store::StoreError;
use crate::store::check::unsound;
use crate::store::database::{FILE_NAME, with_suffix};
use crate::store::private;
use crate::store::salvage::{Gap, Kind, Object, Pages, Roots, Walk, objects};
use crate::store::schema::{APPLICATION_ID, MIGRATIONS};
use crate::store::tables::{Origin, TABLES, origin_of};

/// Where `SQLite` notes the last number that was given where none is given twice.
pub(super) const NUMBERS: &str = "sqlite_sequence";

/// Tables with numbers of which some are free: rows go in time, or have the numbers of others.
const HAS_FREE_NUMBERS: [&str; 6] = ["base", "cycle", "daemon_run", "permission", "snapshot", "sweep"];

/// Rows that say nothing without others that are lost: of decisions and sightings without patches, and relations of one.
const BEREFT: [(&str, &str); 4] = [
    ("decision", "(SELECT count(*) FROM decision_patch WHERE decision = decision.id) < 2"),
    ("sighting", "NOT EXISTS (SELECT 1 FROM sighting_patch WHERE sighting = sighting.id)"),
    ("base_member", ALONE_IN_BASE),
    ("relation_member", ALONE_IN_RELATION),
];

const ALONE_IN_BASE: &str = "(SELECT count(*) FROM base_member AS other WHERE other.tracker = base_member.tracker
                              AND other.relation = base_member.relation) = 1";
const ALONE_IN_RELATION: &str = "(SELECT count(*) FROM relation_member AS other WHERE other.tracker = relation_member.tracker
                                  AND other.relation = relation_member.relation) = 1";

/// A new database, complete and checked.
pub(super) struct Outcome {
    pub(super) new: NamedTempFile,
    pub(super) version: u32,
    pub(super) tables: Vec<TableRepair>,
    pub(super) export_marks_lost: u64,
    pub(super) patches_unread: Option<u64>,
}

/// What became of the rows.
struct Settled {
    tables: Vec<TableRepair>,
    export_marks_lost: u64,
    patches_unread: Option<u64>,
    /// The first thing that is wrong with the new database.
    unsound: Option<String>,
}

/// What was read of a table.
#[derive(Debug, Default)]
pub(super) struct Taken {
    /// The parts that could not be read. One without bounds stands for all of it.
    pub(super) gaps: Vec<Gap>,
    /// How many rows its own tree gave.
    pub(super) read: u64,
    /// Rows that no such table can hold.
    pub(super) rejected: u64,
    /// How many rows there were, by an index that is whole.
    pub(super) indexed: Option<u64>,
}

/// The database in the making.
pub(super) struct Building<'s> {
    pub(super) connection: Connection,
    pub(super) state_dir: &'s Path,
    /// By table.
    pub(super) taken: BTreeMap<String, Taken>,
    /// The indexes of which parts cannot be read.
    pub(super) broken_indexes: BTreeSet<String>,
    /// The highest numbers ever given, by table.
    pub(super) numbers: BTreeMap<String, i64>,
}

/// Builds a new database in a state folder out of what is left of the one there.
pub(super) fn rebuild(state_dir: &Path) -> Result<Outcome, RepairError> {
    let file = state_dir.join(FILE_NAME);
    let pages = Pages::open(&file, &with_suffix(&file, "-wal")).map_err(|source| RepairError::Unreadable {
        path: file.clone(),
        source,
    })?;
    let mut walk = Walk::new(&pages);
    let roots = Roots::read(&pages, &mut walk);
    let Version { version, objects, later } = version_of(state_dir, &file, &pages, &roots)?;
    let new = tempfile::Builder::new()
        .prefix(&format!(".{FILE_NAME}."))
        .suffix(".partial")
        .tempfile_in(state_dir)
        .and_then(|new| private::give_away(new.as_file(), new.path()).map(|()| new))
        .map_err(|source| unwritable(state_dir, source))?;
    let mut database = Building::begin(state_dir, new.path(), version)?;
    database.take(&pages, &mut walk, &roots, &objects)?;
    let Settled {
        mut tables,
        export_marks_lost,
        patches_unread,
        unsound,
    } = database.settle(&objects).map_err(|source| building(state_dir, source))?;
    if let Some(found) = unsound {
        return Err(RepairError::Unsound { found });
    }
    tables.extend(later.into_iter().map(|table| TableRepair {
        origin: origin_of(&table),
        table,
        kept: 0,
        lost: None,
    }));
    new.as_file().sync_all().map_err(|source| unwritable(state_dir, source))?;
    Ok(Outcome {
        new,
        version,
        tables,
        export_marks_lost,
        patches_unread,
    })
}

/// Which version a damaged database is of.
struct Version {
    version: u32,
    /// The tables and indexes that it has.
    objects: Vec<Object>,
    /// The tables that it would have, too, were it of a later version, which cannot be told apart any more.
    later: Vec<String>,
}

/// Which version a damaged database is of: by its own word, or where that is lost, the first version that has all that is listed.
fn version_of(state_dir: &Path, file: &Path, pages: &Pages, roots: &Roots) -> Result<Version, RepairError> {
    let newest = u32::try_from(MIGRATIONS.len()).unwrap_or(u32::MAX);
    let objects_of = |version: u32| objects_of(version).map_err(|source| building(state_dir, source));
    if let Some(header) = pages.header() {
        match (header.application_id, header.version) {
            (APPLICATION_ID, found) if found > newest => {
                return Err(StoreError::Newer {
                    path: file.to_path_buf(),
                    found,
                    known: newest,
                }
                .into());
            }
            (APPLICATION_ID, version) if version > 0 => {
                return Ok(Version {
                    version,
                    objects: objects_of(version)?,
                    later: Vec::new(),
                });
            }
            (application_id, _) => {
                return Err(StoreError::Foreign {
                    path: file.to_path_buf(),
                    application_id,
                }
                .into());
            }
        }
    }
    let mut first: Option<Version> = None;
    for version in 1..=newest {
        let objects = objects_of(version)?;
        if !roots.are_of(&objects) {
            continue;
        }
        if let Some(first) = &mut first {
            let tables = objects.into_iter().filter(Object::is_table).map(|object| object.name);
            let is_known = |table: &String| first.objects.iter().any(|object| object.name == *table);
            first.later = tables.filter(|table| !is_known(table)).collect();
        } else {
            first = Some(Version {
                version,
                objects,
                later: Vec::new(),
            });
        }
    }
    first.ok_or_else(|| RepairError::NothingLeft { path: file.to_path_buf() })
}

fn objects_of(version: u32) -> rusqlite::Result<Vec<Object>> {
    let mut connection = Connection::open_in_memory()?;
    migrate(&mut connection, version)?;
    objects(&connection)
}

fn migrate(connection: &mut Connection, version: u32) -> rusqlite::Result<()> {
    let migrations = MIGRATIONS.get(..version as usize).unwrap_or(MIGRATIONS);
    match Migrations::from_slice(migrations).to_latest(connection) {
        Ok(()) => Ok(()),
        Err(rusqlite_migration::Error::RusqliteError { err, .. }) => Err(err),
        Err(error) => Err(rusqlite::Error::ToSqlConversionFailure(Box::new(error))),
    }
}

pub(super) fn building(folder: &Path, source: rusqlite::Error) -> RepairError {
    RepairError::Building {
        folder: folder.to_path_buf(),
        source,
    }
}

impl<'s> Building<'s> {
    /// An empty database of a version. Nothing in it is on the disk before all of it is, and no reference has to lead anywhere before the end.
    fn begin(state_dir: &'s Path, path: &Path, version: u32) -> Result<Self, RepairError> {
        let open = || {
            let mut connection = Connection::open(path)?;
            connection.pragma_update(None, "journal_mode", "MEMORY")?;
            connection.pragma_update(None, "synchronous", "OFF")?;
            migrate(&mut connection, version)?;
            connection.pragma_update(None, "foreign_keys", false)?;
            connection.execute_batch("BEGIN")?;
            Ok(connection)
        };
        Ok(Self {
            connection: open().map_err(|source| building(state_dir, source))?,
            state_dir,
            taken: BTreeMap::new(),
            broken_indexes: BTreeSet::new(),
            numbers: BTreeMap::new(),
        })
    }

    /// Leaves out what is not whole or leads nowhere, checks the whole, and counts.
    fn settle(self, objects: &[Object]) -> rusqlite::Result<Settled> {
        for (table, last) in &self.numbers {
            let known = self
                .connection
                .execute("UPDATE sqlite_sequence SET seq = max(seq, ?2) WHERE name = ?1", (table, last))?;
            if known == 0 {
                self.connection
                    .execute("INSERT INTO sqlite_sequence (name, seq) VALUES (?1, ?2)", (table, last))?;
            }
        }
        let read: BTreeMap<String, u64> = self.counts(objects)?;
        let marks_before = self.export_marks(objects)?;
        let patches = objects.iter().find(|object| has_export_marks(object));
        // By what was read, before anything of it is left out.
        let mut unread = BTreeMap::new();
        for object in objects.iter().filter(|object| object.is_table()) {
            unread.insert(object.name.as_str(), self.lost(object, read[&object.name])?);
        }
        // What rows refer to was there.
        for parent in lost_tables(&self.connection)? {
            if let Some(lost) = unread.get_mut(parent.as_str()).filter(|lost| **lost == Some(0)) {
                *lost = None;
            }
        }
        let patches_unread = patches.map_or(Some(0), |patches| unread[patches.name.as_str()]);
        for family in [Origin::Snapshot, Origin::Sweep] {
            self.require_whole(objects, &unread, family)?;
        }
        while self.drop_bereft(objects)? > 0 {}
        let kept = self.counts(objects)?;
        let export_marks_lost = marks_before - self.export_marks(objects)?;
        let mut tables = Vec::new();
        for object in objects.iter().filter(|object| object.is_table() && object.name != NUMBERS) {
            let (read, kept) = (read[&object.name], kept[&object.name]);
            let lost = unread[object.name.as_str()].map(|unread| unread + (read - kept));
            if kept > 0 || lost != Some(0) {
                tables.push(TableRepair {
                    table: object.name.clone(),
                    origin: origin_of(&object.name),
                    kept,
                    lost,
                });
            }
        }
        self.connection.execute_batch("COMMIT")?;
        let unsound = unsound(&self.connection)?;
        self.connection.close().map_err(|(_, error)| error)?;
        Ok(Settled {
            tables,
            export_marks_lost,
            patches_unread,
            unsound,
        })
    }

    /// How many rows of a table could not be read, as far as that can be told.
    fn lost(&self, object: &Object, read: u64) -> rusqlite::Result<Option<u64>> {
        let Some(Taken {
            gaps, rejected, indexed, ..
        }) = self.taken.get(&object.name)
        else {
            return Ok(Some(0));
        };
        if gaps.is_empty() {
            return Ok(Some(*rejected));
        }
        if let Some(indexed) = indexed {
            // An index that has less is not what it seems.
            return Ok(indexed.checked_sub(read));
        }
        if !object.has_numbers() || HAS_FREE_NUMBERS.contains(&object.name.as_str()) || *rejected > 0 {
            return Ok(None);
        }
        let numbers = self
            .connection
            .prepare(&format!("SELECT rowid FROM {}", object.name))?
            .query_map([], |row| row.get(0))?
            .collect::<Result<BTreeSet<i64>, _>>()?;
        Ok(missing(gaps, &numbers, self.numbers.get(&object.name).copied()))
    }

    fn counts(&self, objects: &[Object]) -> rusqlite::Result<BTreeMap<String, u64>> {
        let tables = objects.iter().filter(|object| object.is_table());
        let count = |object: &Object| {
            let select = format!("SELECT count(*) FROM {}", object.name);
            Ok((object.name.clone(), self.connection.query_row(&select, [], |row| row.get(0))?))
        };
        tables.map(count).collect()
    }

    fn export_marks(&self, objects: &[Object]) -> rusqlite::Result<u64> {
        if !objects.iter().any(has_export_marks) {
            return Ok(0);
        }
        let select = "SELECT count(*) FROM patch WHERE exported";
        self.connection.query_row(select, [], |row| row.get(0))
    }

    /// Leaves out tables that belong together where one of them is not whole.
    fn require_whole(&self, objects: &[Object], unread: &BTreeMap<&str, Option<u64>>, family: Origin) -> rusqlite::Result<()> {
        let tables = || {
            let names = TABLES.iter().filter(|(_, origin)| *origin == family);
            names.filter_map(|(name, _)| objects.iter().find(|object| object.name == *name))
        };
        let is_whole = tables().all(|object| unread[object.name.as_str()] == Some(0));
        if !is_whole {
            for object in tables() {
                self.connection.execute(&format!("DELETE FROM {}", object.name), [])?;
            }
        }
        Ok(())
    }

    /// Leaves out rows that refer to lost ones, and those that say nothing without them. Returns how many.
    fn drop_bereft(&self, objects: &[Object]) -> rusqlite::Result<usize> {
        let mut dropped = 0;
        for object in objects.iter().filter(|object| object.is_table()) {
            for lost in lost_parents(&self.connection, &object.name)? {
                dropped += self.connection.execute(&format!("DELETE FROM {} WHERE {lost}", object.name), [])?;
            }
            let was_broken = self.taken.values().any(|taken| !taken.gaps.is_empty() || taken.rejected > 0);
            for (_, condition) in BEREFT.iter().filter(|(table, _)| was_broken && *table == object.name) {
                dropped += self
                    .connection
                    .execute(&format!("DELETE FROM {} WHERE {condition}", object.name), [])?;
            }
        }
        Ok(dropped)
    }
}

/// Whether a table tells which mails were exported.
fn has_export_marks(object: &Object) -> bool {
    match &object.kind {
        Kind::Table { columns } => object.name == "patch" && columns.iter().any(|column| column.name == "exported"),
        Kind::Index { .. } => false,
    }
}

/// The tables of which rows are missing that others refer to.
fn lost_tables(connection: &Connection) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare("SELECT DISTINCT parent FROM pragma_foreign_key_check")?;
    select.query_map([], |row| row.get(0))?.collect()
}

/// For each reference of a table, the condition that it leads nowhere.
fn lost_parents(connection: &Connection, table: &str) -> rusqlite::Result<Vec<String>> {
    let mut select = connection.prepare_cached(
        "SELECT \"table\", group_concat('parent.' || \"to\" || ' = child.' || \"from\", ' AND '),
                group_concat('child.' || \"from\" || ' IS NOT NULL', ' AND ')
         FROM pragma_foreign_key_list(?1) GROUP BY id",
    )?;
    let conditions = select.query_map([table], |row| {
        let (parent, same, known): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
        Ok(format!(
            "{} AND NOT EXISTS (SELECT 1 FROM {parent} AS parent WHERE {})",
            known.replace("child.", &format!("{table}.")),
            same.replace("child.", &format!("{table}."))
        ))
    })?;
    conditions.collect()
}
