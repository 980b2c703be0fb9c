//! Disjoint classes of two or more patches, kept as rows that tell which class a patch is in.
//!
//! A patch is in one class at most: the primary key of each such table says so. Classes are numbered for their table only.

use std::collections::BTreeSet;

use rusqlite::{Connection, OptionalExtension, Transaction, params};

use crate::model::PatchId;

/// The members of a class.
pub(super) type Class = BTreeSet<PatchId>;

/// A table of classes, as the statements that work on it.
pub(super) struct ClassTable {
    all: &'static str,
    companions: &'static str,
    highest: &'static str,
    insert: &'static str,
    leave: &'static str,
    delete_single: &'static str,
    delete_class: &'static str,
    delete_all: &'static str,
}

macro_rules! class_table {
    ($table:literal) => {
        ClassTable {
            all: concat!(
                "SELECT relation, patch FROM ",
                $table,
                " WHERE tracker = ?1 ORDER BY relation, patch"
            ),
            companions: concat!(
                "SELECT other.patch FROM ",
                $table,
                " AS own JOIN ",
                $table,
                " AS other
                 ON other.tracker = own.tracker AND other.relation = own.relation AND other.patch <> own.patch
                 WHERE own.tracker = ?1 AND own.patch = ?2"
            ),
            highest: concat!("SELECT coalesce(max(relation), 0) FROM ", $table, " WHERE tracker = ?1"),
            insert: concat!("INSERT INTO ", $table, " (tracker, relation, patch) VALUES (?1, ?2, ?3)"),
            leave: concat!("DELETE FROM ", $table, " WHERE tracker = ?1 AND patch = ?2 RETURNING relation"),
            delete_single: concat!(
                "DELETE FROM ",
                $table,
                " WHERE tracker = ?1 AND relation = ?2
                 AND (SELECT count(*) FROM ",
                $table,
                " WHERE tracker = ?1 AND relation = ?2) = 1"
            ),
            delete_class: concat!("DELETE FROM ", $table, " WHERE tracker = ?1 AND relation = ?2"),
            delete_all: concat!("DELETE FROM ", $table, " WHERE tracker = ?1"),
        }
    };
}

/// The relations of the last read.
pub(super) const RELATIONS: ClassTable = class_table!("relation_member");

/// What tracker and kinset last agreed on.
pub(super) const BASE: ClassTable = class_table!("base_member");

impl ClassTable {
    /// All classes of a tracker.
    pub(super) fn load(&self, connection: &Connection, tracker: i64) -> rusqlite::Result<Vec<Class>> {
        Ok(self.numbered(connection, tracker)?.into_iter().map(|(_, class)| class).collect())
    }

    /// The other members of a patch's class; none when it is on its own.
    pub(super) fn companions(&self, connection: &Connection, tracker: i64, patch: PatchId) -> rusqlite::Result<Class> {
        let mut select = connection.prepare_cached(self.companions)?;
        let companions = select.query_map(params![tracker, patch.0], |row| Ok(PatchId(row.get(0)?)))?;
        companions.collect()
    }

    /// Makes the classes of a tracker these, and leaves the rows of those alone that are among them already.
    pub(super) fn replace(&self, transaction: &Transaction<'_>, tracker: i64, mut classes: BTreeSet<Class>) -> rusqlite::Result<()> {
        let mut next = 1;
        let mut delete = transaction.prepare_cached(self.delete_class)?;
        for (number, class) in self.numbered(transaction, tracker)? {
            next = number + 1;
            if !classes.remove(&class) {
                delete.execute(params![tracker, number])?;
            }
        }
        for (class, number) in classes.iter().zip(next..) {
            self.insert(transaction, tracker, number, class)?;
        }
        Ok(())
    }

    /// Makes these patches, and no others with them, one class; one patch is made to be on its own.
    pub(super) fn regroup(&self, transaction: &Transaction<'_>, tracker: i64, class: &Class) -> rusqlite::Result<()> {
        let mut leave = transaction.prepare_cached(self.leave)?;
        let mut left = BTreeSet::new();
        for patch in class {
            left.extend(leave.query_row(params![tracker, patch.0], |row| row.get::<_, i64>(0)).optional()?);
        }
        let mut delete_single = transaction.prepare_cached(self.delete_single)?;
        for number in left {
            delete_single.execute(params![tracker, number])?;
        }
        if class.len() < 2 {
            return Ok(());
        }
        let highest: i64 = transaction.prepare_cached(self.highest)?.query_row([tracker], |row| row.get(0))?;
        self.insert(transaction, tracker, highest + 1, class)
    }

    /// Leaves every patch of a tracker on its own.
    pub(super) fn clear(&self, transaction: &Transaction<'_>, tracker: i64) -> rusqlite::Result<()> {
        transaction.prepare_cached(self.delete_all)?.execute([tracker])?;
        Ok(())
    }

    /// The classes of a tracker with their numbers, which ascend.
    fn numbered(&self, connection: &Connection, tracker: i64) -> rusqlite::Result<Vec<(i64, Class)>> {
        let mut select = connection.prepare_cached(self.all)?;
        let mut classes: Vec<(i64, Class)> = Vec::new();
        let mut rows = select.query([tracker])?;
        while let Some(row) = rows.next()? {
            let (number, patch) = (row.get(0)?, PatchId(row.get(1)?));
            match classes.last_mut() {
                Some((last, class)) if *last == number => {
                    class.insert(patch);
                }
                _ => classes.push((number, Class::from([patch]))),
            }
        }
        Ok(classes)
    }

    fn insert(&self, transaction: &Transaction<'_>, tracker: i64, number: i64, class: &Class) -> rusqlite::Result<()> {
        let mut insert = transaction.prepare_cached(self.insert)?;
        for patch in class {
            insert.execute(params![tracker, number, patch.0])?;
        }
        Ok(())
    }
}
