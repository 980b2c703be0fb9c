//! Which rows can be read, and of which table they are.

use rusqlite::ffi::{SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE, SQLITE_ERROR};
use rusqlite::types::Value;
use rusqlite::{Connection, ErrorCode, params_from_iter};

use super::error::RepairError;
use super::rebuild::{Building, NUMBERS, building};
use crate::store::salvage::{Gap, Kind, Object, Pages, Roots, Row, Stray, Walk, assign};

/// A part of a tree that is all of it.
const ALL: Gap = Gap { after: None, up_to: None };

impl Building<'_> {
    /// Takes over the rows that can be read.
    pub(super) fn take(&mut self, pages: &Pages, walk: &mut Walk<'_>, roots: &Roots, objects: &[Object]) -> Result<(), RepairError> {
        let mut missing = Vec::new();
        for object in objects {
            match roots.of(&object.name) {
                Some(root) => self.tree(walk, object, root)?,
                None => missing.push(object),
            }
        }
        self.count_off();
        let are_whole = self.broken_indexes.is_empty() && self.taken.values().all(|taken| taken.gaps.is_empty());
        let mut strays = Stray::all(pages, walk, objects);
        let assigned = assign(walk, roots, objects, &strays, are_whole);
        for &(object, root) in &assigned.trees {
            self.tree(walk, object, root)?;
        }
        self.count_off();
        for object in missing.into_iter().filter(|object| !assigned.has(object)) {
            self.lacks_all(object);
        }
        strays.retain(|stray| stray.has_rows && !assigned.takes(stray));
        self.take_strays(walk, objects, &strays)?;
        self.take_from_indexes(pages, roots, objects)
    }

    /// Notes of which tables an index has more rows than they have: those were on pages that look whole.
    fn count_off(&mut self) {
        for taken in self.taken.values_mut() {
            if taken.indexed > Some(taken.read + taken.rejected) {
                taken.gaps.push(ALL);
            }
        }
    }

    /// Notes that there may be more rows of a table or index anywhere.
    fn lacks_all(&mut self, object: &Object) {
        let taken = self.taken.entry(object.table.clone()).or_default();
        if object.is_table() {
            taken.gaps.push(ALL);
        } else {
            taken.indexed = None;
            self.broken_indexes.insert(object.name.clone());
        }
    }

    /// Takes over what broke off a tree, where it can be of one table only.
    fn take_strays(&mut self, walk: &mut Walk<'_>, objects: &[Object], strays: &[Stray<'_>]) -> Result<(), RepairError> {
        // What no tree lacks broke off one that looks whole, and which one that is nobody knows.
        for stray in strays {
            let could_be = || objects.iter().filter(|object| stray.could_be(object));
            if !could_be().any(|object| self.lacks(object, stray)) {
                could_be().for_each(|object| self.lacks_all(object));
            }
        }
        for stray in strays {
            let mut homes = objects.iter().filter(|object| stray.could_be(object) && self.lacks(object, stray));
            if let (Some(home), None) = (homes.next(), homes.next())
                && home.is_table()
            {
                self.tree(walk, home, stray.root)?;
            }
        }
        Ok(())
    }

    /// Whether something like this broke off a table or index.
    fn lacks(&self, object: &Object, stray: &Stray<'_>) -> bool {
        if object.is_table() {
            let taken = self.taken.get(&object.name);
            taken.is_some_and(|taken| taken.gaps.iter().any(|gap| stray.could_be_in(gap)))
        } else {
            self.broken_indexes.contains(&object.name)
        }
    }

    /// Reads one tree: the rows of a table into the new one, those of an index to be counted.
    fn tree(&mut self, walk: &mut Walk<'_>, object: &Object, root: u32) -> Result<(), RepairError> {
        let Kind::Table { columns } = &object.kind else {
            let mut count = 0;
            if !walk.tree(root, object.shape, &mut |_| count += 1).is_empty() {
                self.broken_indexes.insert(object.name.clone());
            } else if matches!(object.kind, Kind::Index { is_partial: false, .. }) {
                let taken = self.taken.entry(object.table.clone()).or_default();
                taken.indexed = taken.indexed.max(Some(count));
            }
            return Ok(());
        };
        let names: Vec<&str> = columns.iter().map(|column| column.name.as_str()).collect();
        let number = columns.iter().position(|column| column.is_rowid);
        let (mut read, mut rejected, mut is_doubled) = (0, 0, false);
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
                Ok(()) => read += 1,
                Err(error) if is_of_another(&error) => is_doubled = true,
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
        // What is there twice stands where something else was.
        taken.gaps.extend(is_doubled.then_some(ALL));
        taken.read += read;
        taken.rejected += rejected;
        Ok(())
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
                let mut failed = None;
                Walk::new(pages).tree(root, index.shape, &mut |row| {
                    if index.could_hold(&row) {
                        let insert = self.connection.prepare_cached(&insert);
                        match insert.and_then(|mut insert| insert.execute(params_from_iter(row.values))) {
                            Ok(_) => {}
                            Err(error) if is_of_the_row(&error) => {}
                            Err(error) => failed = failed.take().or(Some(error)),
                        }
                    }
                });
                if let Some(error) = failed {
                    return Err(building(self.state_dir, error));
                }
            }
        }
        Ok(())
    }
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

/// Whether there is such a row already.
fn is_of_another(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    [SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_ROWID, SQLITE_CONSTRAINT_UNIQUE].contains(&failure.extended_code)
}

/// Whether it is the row that cannot be taken over: a check says no, or cannot even be reckoned, as `json_type()` of what is no JSON.
fn is_of_the_row(error: &rusqlite::Error) -> bool {
    let rusqlite::Error::SqliteFailure(failure, _) = error else {
        return false;
    };
    failure.code == ErrorCode::ConstraintViolation || failure.extended_code == SQLITE_ERROR
}
