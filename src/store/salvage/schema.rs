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
    /// Where its tree begins in a database that was made at once.
    made_at: u32,
    /// Where it begins in a copy.
    copied_to: u32,
    sql: Option<String>,
}

/// How a database can have got all that it has. In one that was brought from an older version to this, the trees that came later are elsewhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Layout {
    /// All migrations made it at once.
    Made,
    /// It was copied from another one, as a backup is.
    Copied,
}

impl Layout {
    pub(super) const ALL: [Self; 2] = [Self::Made, Self::Copied];
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
        /// In the order in which they are stored.
        columns: Vec<IndexColumn>,
    },
}

/// A column of an index.
#[derive(Clone, Debug)]
pub(in crate::store) struct IndexColumn {
    /// The column of the table; `None` is the number of the row.
    name: Option<String>,
    values: Values,
}

/// A column of a table.
#[derive(Clone, Debug)]
pub(in crate::store) struct Column {
    pub(in crate::store) name: String,
    values: Values,
    is_key: bool,
    /// It was there from the beginning: one that is added later is no key, and may be null or has a default.
    is_in_all_rows: bool,
    /// Another name for the number of the row, in whose place nothing is stored.
    pub(in crate::store) is_rowid: bool,
}

/// What may stand in a column.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Values {
    holds: Holds,
    is_never_null: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Holds {
    Numbers,
    Text,
    Either,
}

impl Holds {
    fn declared(kind: &str) -> Self {
        match kind {
            "INTEGER" => Self::Numbers,
            "TEXT" => Self::Text,
            _ => Self::Either,
        }
    }
}

impl Values {
    fn allow(self, value: &Value) -> bool {
        match value {
            Value::Null => !self.is_never_null,
            Value::Integer(_) => self.holds != Holds::Text,
            Value::Text(_) => self.holds != Holds::Numbers,
            Value::Real(_) | Value::Blob(_) => false,
        }
    }
}

impl Object {
    pub(in crate::store) const fn is_table(&self) -> bool {
        matches!(self.kind, Kind::Table { .. })
    }

    /// Where its tree begins in a database of this layout.
    pub(super) const fn place(&self, layout: Layout) -> u32 {
        match layout {
            Layout::Made => self.made_at,
            Layout::Copied => self.copied_to,
        }
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
        let columns = columns.iter().map(|column| column.name.as_deref().or(number));
        let columns: Vec<&str> = columns.collect::<Option<_>>()?;
        all.iter().all(|column| columns.contains(&column.name.as_str())).then_some(columns)
    }

    /// Whether its rows have numbers that it gives itself.
    pub(in crate::store) fn has_numbers(&self) -> bool {
        matches!(&self.kind, Kind::Table { columns } if columns.iter().any(|column| column.is_rowid))
    }

    /// Whether a row could be of this table or index: the right number of values, each of a kind that may stand there.
    pub(in crate::store) fn could_hold(&self, row: &Row) -> bool {
        match &self.kind {
            Kind::Table { columns } => {
                let fits = |(value, column): (&Value, &Column)| match column.is_rowid {
                    true => *value == Value::Null,
                    false => column.values.allow(value),
                };
                // Columns that came later are not there in older rows.
                let is_complete = columns
                    .get(row.values.len()..)
                    .is_some_and(|rest| rest.iter().all(|column| !column.is_in_all_rows));
                is_complete && row.values.iter().zip(columns).all(fits)
            }
            Kind::Index { columns, .. } => {
                let mut values = row.values.iter().zip(columns);
                row.values.len() == columns.len() && values.all(|(value, column)| column.values.allow(value))
            }
        }
    }
}

/// The tables and indexes of a version, in the order in which they were made, from a database that has them and nothing else.
pub(in crate::store) fn objects(connection: &Connection) -> rusqlite::Result<Vec<Object>> {
    let mut objects = Vec::new();
    {
        let mut select =
            connection.prepare("SELECT type, name, tbl_name, sql, rootpage FROM sqlite_schema WHERE rootpage > 0 ORDER BY rowid")?;
        let mut rows = select.query([])?;
        while let Some(row) = rows.next()? {
            objects.push(object(connection, row)?);
        }
    }
    connection.execute_batch("VACUUM")?;
    let mut select = connection.prepare("SELECT rootpage FROM sqlite_schema WHERE name = ?1")?;
    for object in &mut objects {
        object.copied_to = select.query_row([&object.name], |row| row.get(0))?;
    }
    Ok(objects)
}

fn object(connection: &Connection, row: &SqlRow<'_>) -> rusqlite::Result<Object> {
    let (kind, name, table, sql): (String, String, String, Option<String>) = (row.get(0)?, row.get(1)?, row.get(2)?, row.get(3)?);
    let made_at = row.get(4)?;
    if kind != "table" {
        let is_partial = "SELECT partial FROM pragma_index_list(?1) WHERE name = ?2";
        let is_partial = connection.query_row(is_partial, [&table, &name], |row| row.get(0))?;
        let mut columns = connection.prepare(
            "SELECT of_index.name, of_table.type, of_table.\"notnull\" OR of_table.pk > 0
             FROM pragma_index_xinfo(?1) AS of_index LEFT JOIN pragma_table_info(?2) AS of_table ON of_table.name = of_index.name
             ORDER BY of_index.seqno",
        )?;
        let columns = columns.query_map([&name, &table], |row| {
            let name: Option<String> = row.get(0)?;
            let kind: Option<String> = row.get(1)?;
            Ok(IndexColumn {
                values: Values {
                    holds: kind.as_deref().map_or(Holds::Numbers, Holds::declared),
                    is_never_null: row.get::<_, Option<bool>>(2)?.unwrap_or(true),
                },
                name,
            })
        });
        return Ok(Object {
            table,
            shape: Shape::Record,
            kind: Kind::Index {
                is_partial,
                columns: columns?.collect::<Result<_, _>>()?,
            },
            name,
            made_at,
            copied_to: made_at,
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
            values: Values {
                holds: Holds::declared(row.get_ref(1)?.as_str()?),
                is_never_null: row.get(2)?,
            },
            is_key: row.get::<_, i64>(3)? > 0,
            is_in_all_rows: row.get(4)?,
            is_rowid: false,
        })
    })?;
    let mut columns: Vec<Column> = columns.collect::<Result<_, _>>()?;
    let mut keys = columns.iter_mut().filter(|column| column.is_key);
    if let (true, Some(key), None) = (has_rowids, keys.next(), keys.next()) {
        key.is_rowid = key.values.holds == Holds::Numbers;
    }
    Ok(Object {
        table: name.clone(),
        name,
        shape: if has_rowids { Shape::Rowid } else { Shape::Record },
        kind: Kind::Table { columns },
        made_at,
        copied_to: made_at,
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
}

/// The rows of a tree, and whether all of them can be read.
fn read_alone(pages: &Pages, root: u32, shape: Shape) -> (Vec<Row>, bool) {
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
