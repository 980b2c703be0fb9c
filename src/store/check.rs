//! Looking for damage, and for what must hold beyond what `SQLite` keeps.

mod rules;

use std::path::{Path, PathBuf};

use rusqlite::{Connection, ErrorCode};
use serde::Serialize;

use super::USUAL;
use super::database::FILE_NAME;
use super::error::StoreError;
use super::schema::MIGRATIONS;
use super::tables::{Origin, TABLES, origin_of};
use crate::text::count_doing;

/// How much is told of one table: damage of a page shows in many rows.
const TOLD: usize = 5;

/// What is wrong, and where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Finding {
    /// The table; `None` where it is the file as a whole.
    pub table: Option<String>,
    /// Where what stands in the table comes from.
    pub origin: Option<Origin>,
    /// Whether all rows of the table can be read, so that only an index of it is damaged.
    pub rows_readable: bool,
    /// What is wrong, in words: `SQLite`'s own, or the rule that is broken.
    pub what: String,
}

/// What a check found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckReport {
    /// The file that was looked at.
    pub file: PathBuf,
    /// The version of its schema, as far as it can be read.
    pub version: Option<u32>,
    /// What a repair mends.
    pub damage: Vec<Finding>,
    /// What kinset relies on and does not hold, although the file is whole.
    pub broken_rules: Vec<Finding>,
}

impl CheckReport {
    /// Whether nothing is wrong.
    #[must_use]
    pub const fn is_sound(&self) -> bool {
        self.damage.is_empty() && self.broken_rules.is_empty()
    }
}

/// Looks at all of a state, of this version or an older one. Nothing is written, and another kinset may be at work on it. What must hold beyond
/// the database's own rules is looked at in one of this version only.
///
/// # Errors
/// When there is no state, and when it cannot be read, is of a newer version or not kinset's. Damage is no error here.
pub fn check(state_dir: &Path) -> Result<CheckReport, StoreError> {
    let report = |version, damage, broken_rules| CheckReport {
        file: state_dir.join(FILE_NAME),
        version,
        damage,
        broken_rules,
    };
    let looked = USUAL.open_any(state_dir).and_then(|(database, version)| {
        database.read(|connection| {
            let damage = damage(connection)?;
            // What cannot be read breaks no rule.
            let is_readable = damage.is_empty() && version as usize == MIGRATIONS.len();
            let broken_rules = if is_readable { rules::broken(connection)? } else { Vec::new() };
            Ok(report(Some(version), damage, broken_rules))
        })
    });
    looked.or_else(|error| Ok(report(None, vec![unopened(error)?], Vec::new())))
}

/// What is damaged in the state of a folder, whatever its version: what a repair is for.
pub(super) fn structure(state_dir: &Path) -> Result<Vec<Finding>, StoreError> {
    let looked = USUAL
        .open_any(state_dir)
        .and_then(|(database, _)| database.read(|connection| Ok(damage(connection)?)));
    looked.or_else(|error| Ok(vec![unopened(error)?]))
}

/// Damage that does not let the file be opened. Anything else is an error still.
fn unopened(error: StoreError) -> Result<Finding, StoreError> {
    let what = match &error {
        StoreError::NotADatabase { source, .. } => source.to_string(),
        StoreError::Corrupt { source, .. } => source.to_string(),
        _ => return Err(error),
    };
    Ok(Finding {
        table: None,
        origin: None,
        rows_readable: false,
        what,
    })
}

/// What is wrong with the trees of a database, by table, and with the references between them.
fn damage(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let whole = findings(connection, "PRAGMA integrity_check")?;
    let mut found = Vec::new();
    if !whole.is_empty() {
        for (table, origin) in tables(connection)? {
            let told = findings(connection, &format!("PRAGMA integrity_check('{table}')"))?;
            let rows_readable = told.is_empty() || all_can_be_read(connection, &table)?;
            found.extend(told.into_iter().take(TOLD).map(|what| Finding {
                table: Some(table.clone()),
                origin: Some(origin),
                rows_readable,
                what,
            }));
        }
        if found.is_empty() {
            found.extend(whole.into_iter().take(TOLD).map(|what| Finding {
                table: None,
                origin: None,
                rows_readable: true,
                what,
            }));
        }
    }
    if !found.is_empty() {
        // Where rows are missing, what refers to them is no news.
        return Ok(found);
    }
    let mut stray = connection.prepare("SELECT \"table\", parent, count(*) FROM pragma_foreign_key_check GROUP BY 1, 2")?;
    let stray = stray.query_map([], |row| Ok((row.get(0)?, row.get(1)?, row.get(2)?)));
    for row in stray? {
        let (table, parent, rows): (String, String, u64) = row?;
        found.push(Finding {
            origin: Some(origin_of(&table)),
            table: Some(table),
            rows_readable: true,
            what: format!(
                "{} to rows of {parent} that are not there",
                count_doing(rows, "row", ["refers", "refer"])
            ),
        });
    }
    Ok(found)
}

/// The first thing that is wrong with a database that was just made.
pub(super) fn unsound(connection: &Connection) -> rusqlite::Result<Option<String>> {
    Ok(damage(connection)?.into_iter().next().map(|finding| finding.what))
}

/// The tables that are there.
fn tables(connection: &Connection) -> rusqlite::Result<Vec<(String, Origin)>> {
    let mut select = connection.prepare("SELECT name FROM sqlite_schema WHERE type = 'table'")?;
    let there: Vec<String> = select.query_map([], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let known = TABLES.iter().filter(|(name, _)| there.iter().any(|table| table == name));
    Ok(known.map(|(name, origin)| ((*name).to_owned(), *origin)).collect())
}

/// What a check of `SQLite`'s says. That a statement came upon damage is what it says then.
fn findings(connection: &Connection, check: &str) -> rusqlite::Result<Vec<String>> {
    let run = || {
        let mut select = connection.prepare(check)?;
        let told = select.query_map([], |row| row.get::<_, String>(0))?;
        told.collect::<Result<Vec<_>, _>>()
    };
    match run() {
        Ok(told) if told == ["ok"] => Ok(Vec::new()),
        Ok(told) => {
            let lines = told.iter().flat_map(|told| told.lines()).filter(|line| !line.starts_with("***"));
            Ok(lines.map(str::to_owned).collect())
        }
        Err(error) if is_damage(&error) => Ok(vec![error.to_string()]),
        Err(error) => Err(error),
    }
}

/// Whether all rows of a table can be read, whatever its indexes are like.
fn all_can_be_read(connection: &Connection, table: &str) -> rusqlite::Result<bool> {
    let run = || {
        let mut select = connection.prepare(&format!("SELECT * FROM {table} NOT INDEXED"))?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            // What is on pages of its own is read only when it is asked for.
            for column in 0..row.as_ref().column_count() {
                row.get_ref(column)?;
            }
        }
        Ok(())
    };
    match run() {
        Ok(()) => Ok(true),
        Err(error) if is_damage(&error) => Ok(false),
        Err(error) => Err(error),
    }
}

fn is_damage(error: &rusqlite::Error) -> bool {
    matches!(
        error.sqlite_error_code(),
        Some(ErrorCode::DatabaseCorrupt | ErrorCode::NotADatabase)
    )
}
