//! Which tree is which table.

use std::collections::{BTreeMap, BTreeSet};

use rusqlite::types::Value;
use rusqlite::{Connection, Row as SqlRow};

use super::pages::Pages;
use super::tree::{Row, Shape, Walk};

/// The root of the tree that all others are listed in.
const LIST: u32 = 1;

/// A table or an index, as a version of the schema has it.
#[derive(Clone, Debug)]
pub(in crate::store) struct Object {
    pub(in crate::store) name: String,
    /// The table that it is, or is of.
    pub(in crate::store) table: String,
    pub(in crate::store) shape: Shape,
    pub(in crate::store) kind: Kind,
    sql: Option<String>,
}

#[derive(Clone, Debug)]
pub(in crate::store) enum Kind {
    Table {
        /// In the order in which they are stored.
        columns: Vec<Column>,
    },
    Index {
        /// Whether it leaves rows out.
        is_partial: bool,
        /// The columns of the table that stand in it, in the order in which they are stored; `None` is the number of the row.
        columns: Vec<Option<String>>,
    },
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(in crate::store) struct Column {
    pub(in crate::store) name: String,
    holds: Holds,
    is_never_null: bool,
    is_key: bool,
    /// It was there from the beginning: one that is added later is no key, and may be null or has a default.
    is_in_all_rows: bool,
    /// Another name for the number of the row, in whose place nothing is stored.
    pub(in crate::store) is_rowid: bool,
}

/// What may stand in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Numbers,
    Text,
    Either,
}

impl Object {
    pub(in crate::store) const fn is_table(&self) -> bool {
        matches!(self.kind, Kind::Table { .. })
    }

    /// The columns of an index, by the names that they have in its table, if each row of the table stands there with all that it says.
    pub(in crate::store) fn columns_if_all<'o>(&'o self, table: &'o Self) -> Option<Vec<&'o str>> {
        let (
            Kind::Index {
                is_partial: false,
                columns,
            },
            Kind::Table { columns: all },
        ) = (&self.kind, &table.kind)
        else {
            return None;
        };
        let number = all.iter().find(|column| column.is_rowid).map(|column| column.name.as_str());
        let columns: Vec<&str> = columns.iter().map(|column| column.as_deref().or(number)).collect::<Option<_>>()?;
        all.iter().all(|column| columns.contains(&column.name.as_str())).then_some(columns)
    }

    /// Whether rows could be of this table: the right number of values, each of a kind that may stand there.
    pub(in crate::store) fn could_hold(&self, rows: &[Row]) -> bool {
        let Kind::Table { columns } = &self.kind else { return false };
        rows.iter().all(|row| {
            let fits = |(value, column): (&Value, &Column)| match value {
                Value::Null => column.is_rowid || !column.is_never_null,
                Value::Integer(_) => column.holds != Holds::Text && !column.is_rowid,
                Value::Text(_) => column.holds != Holds::Numbers,
                Value::Real(_) | Value::Blob(_) => false,
            };
            // Columns that came later are not there in older rows.
            let is_complete = columns
                .get(row.values.len()..)
                .is_some_and(|rest| rest.iter().all(|column| !column.is_in_all_rows));
            is_complete && row.values.iter().zip(columns).all(fits)
        })
    }
}

/// The tables and indexes of a version, in the order in which they were made, from a database that has them.
pub(in crate::store) fn objects(connection: &Connection) -> rusqlite::Result<Vec<Object>> {
    let mut select = connection.prepare("SELECT type, name, tbl_name, sql FROM sqlite_schema WHERE rootpage > 0 ORDER BY rowid")?;
    let mut objects = Vec::new();
    let mut rows = select.query([])?;
    while let Some(row) = rows.next()? {
        objects.push(object(connection, row)?);
    }
    Ok(objects)
}

fn object(connection: &Connection, row: &SqlRow<'_>) -> rusqlite::Result<Object> {
    let (kind, name, table, sql): (String, String, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    if kind != "table" {
        let is_partial = "SELECT partial FROM pragma_index_list(?1) WHERE name = ?2";
        let is_partial = connection.query_row(is_partial, [&table, &name], |row| row.get(0))?;
        let mut columns = connection.prepare("SELECT name FROM pragma_index_xinfo(?1) ORDER BY seqno")?;
        return Ok(Object {
            table,
            shape: Shape::Record,
            kind: Kind::Index {
                is_partial,
                columns: columns.query_map([&name], |row| row.get(0))?.collect::<Result<_, _>>()?,
            },
            name,
            sql,
        });
    }
    let has_rowids = "SELECT NOT wr FROM pragma_table_list WHERE schema = 'main' AND name = ?1";
    let has_rowids: bool = connection.query_row(has_rowids, [&name], |row| row.get(0))?;
    let select = "SELECT name, type, \"notnull\" OR pk > 0, pk, pk > 0 OR \"notnull\" AND dflt_value IS NULL FROM pragma_table_info(?1)
                  ORDER BY CASE WHEN ?2 OR pk = 0 THEN 1 ELSE 0 END, CASE WHEN ?2 THEN 0 ELSE pk END, cid";
    let mut select = connection.prepare(select)?;
    let columns = select.query_map((&name, has_rowids), |row| {
        Ok(Column {
            name: row.get(0)?,
            holds: match row.get_ref(1)?.as_str()? {
                "INTEGER" => Holds::Numbers,
                "TEXT" => Holds::Text,
                _ => Holds::Either,
            },
            is_never_null: row.get(2)?,
            is_key: row.get::<_, i64>(3)? > 0,
            is_in_all_rows: row.get(4)?,
            is_rowid: false,
        })
    })?;
    let mut columns: Vec<Column> = columns.collect::<Result<_, _>>()?;
    let mut keys = columns.iter_mut().filter(|column| column.is_key);
    if let (true, Some(key), None) = (has_rowids, keys.next(), keys.next()) {
        key.is_rowid = key.holds == Holds::Numbers;
    }
    Ok(Object {
        table: name.clone(),
        name,
        shape: if has_rowids { Shape::Rowid } else { Shape::Record },
        kind: Kind::Table { columns },
        sql,
    })
}

/// Where trees begin, as far as the list of them can be read.
#[derive(Debug)]
pub(in crate::store) struct Roots {
    /// By the name of the table or index, with what made it.
    found: BTreeMap<String, (u32, Option<String>)>,
}

impl Roots {
    /// Reads the list of trees, and where it is damaged, looks for its parts.
    pub(in crate::store) fn read(pages: &Pages, walk: &mut Walk<'_>) -> Self {
        let mut rows = Vec::new();
        let is_whole = walk.tree(LIST, Shape::Rowid, &mut |row| rows.push(row)).is_empty();
        if !is_whole {
            for page in walk.unseen_leaves() {
                let (part, is_sound) = read_alone(pages, page, Shape::Rowid);
                if is_sound && !part.is_empty() && part.iter().all(|row| listed(row).is_some()) {
                    walk.tree(page, Shape::Rowid, &mut |row| rows.push(row));
                }
            }
        }
        let mut found = BTreeMap::new();
        let mut doubtful = BTreeSet::new();
        for (name, root, sql) in rows.iter().filter_map(listed).filter(|(_, root, _)| *root > 0) {
            if let Some((other, _)) = found.insert(name.clone(), (root, sql))
                && other != root
            {
                doubtful.insert(name);
            }
        }
        found.retain(|name, _| !doubtful.contains(name));
        Self { found }
    }

    /// Where the tree of a table or index begins.
    pub(in crate::store) fn of(&self, name: &str) -> Option<u32> {
        self.found.get(name).map(|(root, _)| *root)
    }

    /// Whether all that the list has is as these have it, and there is anything.
    pub(in crate::store) fn are_of(&self, objects: &[Object]) -> bool {
        let is_among =
            |(name, (_, sql)): (&String, &(u32, Option<String>))| objects.iter().any(|object| object.name == *name && object.sql == *sql);
        !self.found.is_empty() && self.found.iter().all(is_among)
    }

    /// Which of the trees that nothing leads to are these tables and indexes, which the list has no more.
    ///
    /// They were made one after the other, and so were their trees, unless there was room among older ones. Where the numbers differ, or one does not
    /// fit, only a table counts that a single tree fits, and that tree it alone; and if each has its tree, and none that holds
    /// rows can be of the tables that are left, those have no rows, and it does not matter which of the trees without any is whose.
    pub(in crate::store) fn assign<'o>(pages: &Pages, missing: &[&'o Object], strays: &[(u32, Shape)]) -> Vec<(&'o Object, u32)> {
        let rows_of = |&(root, shape): &(u32, Shape)| read_alone(pages, root, shape).0;
        let fits =
            |object: &Object, stray: &(u32, Shape)| object.shape == stray.1 && (!object.is_table() || object.could_hold(&rows_of(stray)));
        if missing.len() == strays.len() && missing.iter().zip(strays).all(|(object, stray)| fits(object, stray)) {
            return missing.iter().zip(strays).map(|(&object, stray)| (object, stray.0)).collect();
        }
        let holds_rows = |stray: &&(u32, Shape)| !rows_of(stray).is_empty();
        let tables = || missing.iter().copied().filter(|object| object.is_table());
        let mut assigned = Vec::new();
        for object in tables() {
            let mut fitting = strays.iter().filter(holds_rows).filter(|stray| fits(object, stray));
            if let (Some(stray), None) = (fitting.next(), fitting.next())
                && tables().filter(|other| fits(other, stray)).count() == 1
            {
                assigned.push((object, stray.0));
            }
        }
        let is_left = |object: &&&'o Object| assigned.iter().all(|(other, _)| other.name != object.name);
        let without_tree: Vec<&'o Object> = missing.iter().filter(|object| object.is_table()).filter(is_left).copied().collect();
        let is_of_none = |stray: &(u32, Shape)| {
            assigned.iter().any(|(_, root)| *root == stray.0) || without_tree.iter().all(|object| !fits(object, stray))
        };
        if missing.len() == strays.len() && strays.iter().filter(holds_rows).all(is_of_none) {
            let mut empty: Vec<&(u32, Shape)> = strays.iter().filter(|stray| !holds_rows(stray)).collect();
            for object in without_tree {
                if let Some(place) = empty.iter().position(|(_, shape)| *shape == object.shape) {
                    assigned.push((object, empty.remove(place).0));
                }
            }
        }
        assigned
    }
}

/// The rows of a tree, and whether all of them can be read.
pub(in crate::store) fn read_alone(pages: &Pages, root: u32, shape: Shape) -> (Vec<Row>, bool) {
    let mut rows = Vec::new();
    let gaps = Walk::new(pages).tree(root, shape, &mut |row| rows.push(row));
    (rows, gaps.is_empty())
}

/// What a row of the list of trees says: the name, where the tree begins, and what made it.
fn listed(row: &Row) -> Option<(String, u32, Option<String>)> {
    match row.values.as_slice() {
        [
            Value::Text(kind),
            Value::Text(name),
            Value::Text(_),
            Value::Integer(root),
            sql @ (Value::Text(_) | Value::Null),
        ] if kind == "table" || kind == "index" => {
            let sql = match sql {
                Value::Text(sql) => Some(sql.clone()),
                _ => None,
            };
            Some((name.clone(), u32::try_from(*root).ok()?, sql))
        }
        _ => None,
    }
}
