//! A new database out of the rows of a damaged one.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use rusqlite::ffi::SQLITE_ERROR;
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, params_from_iter};
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
use crate::store::salvage::{Gap, Kind, Object, Pages, Roots, Row, Shape, Walk, objects, read_alone};
use crate::store::schema::{APPLICATION_ID, MIGRATIONS};
use crate::store::tables::{Origin, TABLES, origin_of};

/// Where `SQLite` notes the last number that was given where none is given twice.
const NUMBERS: &str = "sqlite_sequence";

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
struct Taken {
    /// The parts that could not be read. One without bounds stands for all of it.
    gaps: Vec<Gap>,
    /// Rows that no such table can hold.
    rejected: u64,
    /// How many rows there were, by an index that is whole.
    indexed: Option<u64>,
}

/// The database in the making.
struct Building<'s> {
    connection: Connection,
    state_dir: &'s Path,
    taken: BTreeMap<String, Taken>,
    /// The highest numbers ever given, by table.
    numbers: BTreeMap<String, i64>,
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
    let (version, objects) = version_of(state_dir, &file, &pages, &roots)?;
    let new = tempfile::Builder::new()
        .prefix(&format!(".{FILE_NAME}."))
        .suffix(".partial")
        .tempfile_in(state_dir)
        .and_then(|new| private::give_away(new.as_file(), new.path()).map(|()| new))
        .map_err(|source| unwritable(state_dir, source))?;
    let mut database = Building::begin(state_dir, new.path(), version)?;
    database.take(&pages, &mut walk, &roots, &objects)?;
    let Settled {
        tables,
        export_marks_lost,
        patches_unread,
        unsound,
    } = database.settle(&objects).map_err(|source| building(state_dir, source))?;
    if let Some(found) = unsound {
        return Err(RepairError::Unsound { found });
    }
    new.as_file().sync_all().map_err(|source| unwritable(state_dir, source))?;
    Ok(Outcome {
        new,
        version,
        tables,
        export_marks_lost,
        patches_unread,
    })
}

/// Which version a damaged database is of, and the tables and indexes of that version: by its own word, or where that is lost, the first version
/// that has all that is listed.
fn version_of(state_dir: &Path, file: &Path, pages: &Pages, roots: &Roots) -> Result<(u32, Vec<Object>), RepairError> {
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
            (APPLICATION_ID, version) if version > 0 => return Ok((version, objects_of(version)?)),
            (application_id, _) => {
                return Err(StoreError::Foreign {
                    path: file.to_path_buf(),
                    application_id,
                }
                .into());
            }
        }
    }
    for version in 1..=newest {
        let objects = objects_of(version)?;
        if roots.are_of(&objects) {
            return Ok((version, objects));
        }
    }
    Err(RepairError::NothingLeft { path: file.to_path_buf() })
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

fn building(folder: &Path, source: rusqlite::Error) -> RepairError {
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
            numbers: BTreeMap::new(),
        })
    }

    /// Takes over the rows that can be read.
    fn take(&mut self, pages: &Pages, walk: &mut Walk<'_>, roots: &Roots, objects: &[Object]) -> Result<(), RepairError> {
        let mut missing = Vec::new();
        for object in objects {
            match roots.of(&object.name) {
                Some(root) => self.tree(walk, object, root)?,
                None => missing.push(object),
            }
        }
        let is_broken = self.taken.values().any(|taken| !taken.gaps.is_empty());
        if missing.is_empty() && !is_broken {
            return Ok(());
        }
        let strays = walk.strays();
        for (object, root) in Roots::assign(pages, &missing, &strays) {
            self.tree(walk, object, root)?;
        }
        for object in missing.iter().filter(|object| object.is_table()) {
            self.taken.entry(object.name.clone()).or_insert_with(|| Taken {
                gaps: vec![ALL],
                ..Taken::default()
            });
        }
        self.take_strays(pages, walk, objects)?;
        self.take_from_indexes(pages, roots, objects)
    }

    /// Takes over the rows of broken tables that stand in an index with all that they say.
    fn take_from_indexes(&mut self, pages: &Pages, roots: &Roots, objects: &[Object]) -> Result<(), RepairError> {
        let is_broken = |object: &&Object| self.taken.get(&object.name).is_some_and(|taken| !taken.gaps.is_empty());
        for table in objects.iter().filter(|object| object.is_table()).filter(is_broken) {
            for index in objects.iter().filter(|index| index.table == table.name) {
                let (Some(columns), Some(root)) = (index.columns_if_all(table), roots.of(&index.name)) else {
                    continue;
                };
                let names = columns.join(", ");
                let places = vec!["?"; columns.len()].join(", ");
                let insert = format!("INSERT OR IGNORE INTO {} ({names}) VALUES ({places})", table.name);
                let (rows, _) = read_alone(pages, root, index.shape);
                for row in rows.into_iter().filter(|row| row.values.len() == columns.len()) {
                    let inserted = self
                        .connection
                        .prepare_cached(&insert)
                        .and_then(|mut insert| insert.execute(params_from_iter(row.values)));
                    match inserted {
                        Err(error) if is_of_the_row(&error) => {}
                        inserted => drop(inserted.map_err(|source| building(self.state_dir, source))?),
                    }
                }
            }
        }
        Ok(())
    }

    /// Takes over what broke off a tree, where it can be of one table only.
    fn take_strays(&mut self, pages: &Pages, walk: &mut Walk<'_>, objects: &[Object]) -> Result<(), RepairError> {
        for (root, shape) in walk.strays() {
            let (rows, _) = read_alone(pages, root, shape);
            let is_home = |object: &&Object| {
                let gaps = self.taken.get(&object.name).map_or(&[][..], |taken| &taken.gaps);
                object.shape == shape && object.could_hold(&rows) && gaps.iter().any(|gap| holds(gap, &rows))
            };
            let mut homes = objects.iter().filter(is_home);
            if let (false, Some(home), None) = (rows.is_empty(), homes.next(), homes.next()) {
                self.tree(walk, home, root)?;
            }
        }
        Ok(())
    }

    /// Reads one tree: the rows of a table into the new one, those of an index to be counted.
    fn tree(&mut self, walk: &mut Walk<'_>, object: &Object, root: u32) -> Result<(), RepairError> {
        let Kind::Table { columns } = &object.kind else {
            let mut count = 0;
            let is_whole = walk.tree(root, object.shape, &mut |_| count += 1).is_empty();
            if is_whole && matches!(object.kind, Kind::Index { is_partial: false, .. }) {
                self.taken.entry(object.table.clone()).or_default().indexed = Some(count);
            }
            return Ok(());
        };
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let number = columns.iter().position(|column| column.is_rowid);
        let mut rejected = 0;
        let mut failed = None;
        let connection = &self.connection;
        let numbers = &mut self.numbers;
        let mut insert = |row: Row| {
            if object.name == NUMBERS {
                if let [Value::Text(table), Value::Integer(last)] = row.values.as_slice() {
                    numbers.insert(table.clone(), *last);
                }
                return;
            }
            match insert(connection, &object.name, &names, number, row) {
                Ok(()) => {}
                Err(error) if is_of_the_row(&error) => rejected += 1,
                Err(rusqlite::Error::InvalidParameterCount(..)) => rejected += 1,
                Err(error) => failed = failed.take().or(Some(error)),
            }
        };
        let gaps = walk.tree(root, object.shape, &mut insert);
        if let Some(error) = failed {
            return Err(building(self.state_dir, error));
        }
        let taken = self.taken.entry(object.name.clone()).or_default();
        taken.gaps.extend(gaps);
        taken.rejected += rejected;
        Ok(())
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
        let Some(Taken { gaps, rejected, indexed }) = self.taken.get(&object.name) else {
            return Ok(Some(0));
        };
        if gaps.is_empty() {
            return Ok(Some(*rejected));
        }
        if let Some(indexed) = indexed {
            return Ok(Some(indexed.saturating_sub(read)));
        }
        if object.shape == Shape::Record || *rejected > 0 {
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

/// A part of a tree that is all of it.
const ALL: Gap = Gap { after: None, up_to: None };

/// Whether rows were in a part of a tree that cannot be read from above.
fn holds(gap: &Gap, rows: &[Row]) -> bool {
    rows.iter()
        .filter_map(|row| row.rowid)
        .all(|rowid| gap.after.is_none_or(|after| rowid > after) && gap.up_to.is_none_or(|up_to| rowid <= up_to))
}

/// Puts a row into a table. `names` are its columns in the order in which they are stored, `number` the place of the one that is the row's number.
fn insert(connection: &Connection, table: &str, names: &[&str], number: Option<usize>, row: Row) -> rusqlite::Result<()> {
    let Row { rowid, mut values } = row;
    let Some(names) = names.get(..values.len()) else {
        return Err(rusqlite::Error::InvalidParameterCount(values.len(), names.len()));
    };
    let mut names = names.join(", ");
    match (rowid, number.and_then(|number| values.get_mut(number))) {
        (Some(rowid), Some(value)) => *value = Value::Integer(rowid),
        (Some(rowid), None) => {
            names.push_str(", rowid");
            values.push(Value::Integer(rowid));
        }
        (None, _) => {}
    }
    let places = vec!["?"; values.len()].join(", ");
    let insert = format!("INSERT INTO {table} ({names}) VALUES ({places})");
    connection.prepare_cached(&insert)?.execute(params_from_iter(values))?;
    Ok(())
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

/// Whether it is the row that cannot be taken over: a check says no, or cannot even be reckoned, as `json_type()` of what is no JSON.
fn is_of_the_row(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    failure.code == ErrorCode::ConstraintViolation || failure.extended_code == SQLITE_ERROR
}
