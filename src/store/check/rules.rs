//! What kinset relies on, and the database itself does not keep.

use jiff::Timestamp;
use rusqlite::{Connection, Row};

use super::Finding;
use crate::model::MessageId;
use crate::model::packages::Operation;
use crate::model::packages::snapshot::SourceSnapshot;
use crate::store::tables::{TABLES, origin_of};

/// A table, what must hold of each of its rows, and the rows of which it does not.
const RULES: &[(&str, &str, &str)] = &[
    (
        "relation_member",
        "a relation has two members or more",
        "SELECT 1 FROM relation_member GROUP BY tracker, relation HAVING count(*) < 2",
    ),
    (
        "base_member",
        "a relation has two members or more",
        "SELECT 1 FROM base_member GROUP BY tracker, relation HAVING count(*) < 2",
    ),
    (
        "base",
        "the base of a tracker is of an address of that tracker",
        "SELECT 1 FROM base JOIN address ON address.id = base.address WHERE address.tracker <> base.tracker",
    ),
    (
        "base",
        "the base ends at an entry of the journal",
        "SELECT 1 FROM base WHERE journal > (SELECT coalesce(max(id), 0) FROM journal)",
    ),
    (
        "decision",
        "a decision is about two patches or more",
        "SELECT 1 FROM decision WHERE (SELECT count(*) FROM decision_patch WHERE decision = decision.id) < 2",
    ),
    (
        "sighting",
        "a sighting has patches",
        "SELECT 1 FROM sighting WHERE NOT EXISTS (SELECT 1 FROM sighting_patch WHERE sighting = sighting.id)",
    ),
    (
        "journal",
        "the patches that a write names are numbers",
        "SELECT 1 FROM journal, json_each(related) WHERE json_each.type <> 'integer' OR json_each.value < 0",
    ),
    (
        "cycle",
        "the projects that a plan may not write to are names",
        "SELECT 1 FROM cycle, json_each(blocked) WHERE json_each.type <> 'text'",
    ),
    (
        "log",
        "no entry of the log is older than the one before",
        "SELECT 1 FROM (SELECT at, lag(at) OVER (ORDER BY id) AS before FROM log) WHERE at < before",
    ),
    (
        "flat_set",
        "each package set of a series is in itself",
        "SELECT 1 FROM series_set WHERE NOT EXISTS (SELECT 1 FROM flat_set WHERE flat_set.collection = series_set.collection
             AND parent = series_set.set_group AND child = series_set.set_group AND flat_set.since <= series_set.since
             AND flat_set.until >= series_set.until)",
    ),
    (
        "flat_set",
        "what a package set includes is in it",
        "SELECT 1 FROM series_set AS outer JOIN set_subset ON set_subset.identity = outer.identity
         JOIN series_set AS inner ON inner.collection = outer.collection AND inner.set_group = set_subset.set_group
         WHERE outer.until = 9223372036854775807 AND inner.until = 9223372036854775807 AND set_subset.until = 9223372036854775807
         AND NOT EXISTS (SELECT 1 FROM flat_set WHERE flat_set.collection = outer.collection AND flat_set.until = 9223372036854775807
             AND parent = outer.set_group AND child = inner.set_group)",
    ),
];

/// What is broken.
pub(super) fn broken(connection: &Connection) -> rusqlite::Result<Vec<Finding>> {
    let mut found = Vec::new();
    for (table, rule, rows) in RULES {
        report(&mut found, table, rule, count(connection, rows)?);
    }
    for (table, _) in TABLES {
        intervals(connection, table, &mut found)?;
        times(connection, table, &mut found)?;
    }
    for (table, column) in [
        ("patch", "message_id"),
        ("decision_patch", "message_id"),
        ("gone_patch", "message_id"),
    ] {
        values(connection, &mut found, (table, column), "a message id is one", |text| {
            MessageId::parse(text).is_ok()
        })?;
    }
    values(
        connection,
        &mut found,
        ("log", "operation"),
        "an operation is one that kinset knows",
        |text| serde_json::from_str::<Operation>(text).is_ok(),
    )?;
    values(
        connection,
        &mut found,
        ("reading", "snapshot"),
        "what a source said can be read",
        |text| serde_json::from_str::<SourceSnapshot>(text).is_ok(),
    )?;
    Ok(found)
}

/// In the package model: a row ends after it begins, where it ends an entry of the log stands, and of two rows of the same one ends first.
fn intervals(connection: &Connection, table: &str, found: &mut Vec<Finding>) -> rusqlite::Result<()> {
    let columns = "SELECT name FROM pragma_table_info(?1) WHERE name IN ('since', 'until')";
    let has_interval = connection.prepare_cached(columns)?.query_map([table], |_| Ok(()))?.count() == 2;
    if !has_interval {
        return Ok(());
    }
    let backward = format!("SELECT 1 FROM {table} WHERE since >= until");
    report(found, table, "a row ends after it begins", count(connection, &backward)?);
    let nowhere =
        format!("SELECT 1 FROM {table} WHERE until < 9223372036854775807 AND NOT EXISTS (SELECT 1 FROM log WHERE log.id = {table}.until)");
    report(found, table, "a row ends with an entry of the log", count(connection, &nowhere)?);
    let mut key = connection.prepare_cached("SELECT name FROM pragma_table_info(?1) WHERE pk > 0 AND name <> 'until' ORDER BY pk")?;
    let key: Vec<String> = key.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    let keeps_the_past = "SELECT 1 FROM pragma_table_info(?1) WHERE pk > 0 AND name = 'until'";
    if !connection.prepare_cached(keeps_the_past)?.exists([table])? {
        return Ok(());
    }
    let overlapping = format!(
        "SELECT 1 FROM (SELECT since, lag(until) OVER (PARTITION BY {} ORDER BY since, until) AS before FROM {table}) WHERE before > since",
        key.join(", ")
    );
    report(
        found,
        table,
        "at no time two rows say different things of the same",
        count(connection, &overlapping)?,
    );
    Ok(())
}

/// A time is one.
fn times(connection: &Connection, table: &str, found: &mut Vec<Finding>) -> rusqlite::Result<()> {
    let columns = "SELECT name FROM pragma_table_info(?1) WHERE name LIKE '%\\_at' ESCAPE '\\' AND type = 'TEXT'";
    let mut columns = connection.prepare_cached(columns)?;
    let columns: Vec<String> = columns.query_map([table], |row| row.get(0))?.collect::<Result<_, _>>()?;
    for column in columns {
        values(connection, found, (table, &column), &format!("{column} is a time"), |text| {
            text.parse::<Timestamp>().is_ok()
        })?;
    }
    Ok(())
}

/// Looks at each text of a column.
fn values(
    connection: &Connection,
    found: &mut Vec<Finding>,
    (table, column): (&str, &str),
    rule: &str,
    holds: impl Fn(&str) -> bool,
) -> rusqlite::Result<()> {
    let mut select = connection.prepare(&format!("SELECT {column} FROM {table} WHERE {column} IS NOT NULL"))?;
    let is_broken = |row: &Row<'_>| Ok(!row.get_ref(0)?.as_str().is_ok_and(&holds));
    let mut broken = 0;
    for row in select.query_map([], is_broken)? {
        broken += u64::from(row?);
    }
    report(found, table, rule, broken);
    Ok(())
}

fn count(connection: &Connection, rows: &str) -> rusqlite::Result<u64> {
    connection.query_row(&format!("SELECT count(*) FROM ({rows})"), [], |row| row.get(0))
}

fn report(found: &mut Vec<Finding>, table: &str, rule: &str, broken: u64) {
    if broken > 0 {
        found.push(Finding {
            table: Some(table.to_owned()),
            origin: Some(origin_of(table)),
            rows_readable: true,
            what: match broken {
                1 => format!("{rule}; not so once"),
                _ => format!("{rule}; not so {broken} times"),
            },
        });
    }
}
