//! What is read without `SQLite` is what `SQLite` reads.

use std::fs;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::tree::Shape;
use super::{Pages, Row, Walk};

/// The rows of all trees of a database, by the names of tables, as they are read here.
fn rows(path: &Path, table: &str, shape: Shape) -> Vec<Row> {
    let pages = Pages::open(path, &path.with_extension("sqlite3-wal")).unwrap();
    let roots = super::Roots::read(&pages, &mut Walk::new(&pages));
    let mut rows = Vec::new();
    let gaps = Walk::new(&pages).tree(roots.of(table).unwrap(), shape, &mut |row| rows.push(row));
    assert_eq!(gaps, []);
    rows
}

/// The same as `SQLite` reads them.
fn selected(connection: &Connection, select: &str) -> Vec<Row> {
    let mut select = connection.prepare(select).unwrap();
    let columns = select.column_count();
    let rows = select.query_map([], |row| {
        Ok(Row {
            rowid: row.get(0)?,
            values: (1..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?,
        })
    });
    rows.unwrap().map(Result::unwrap).collect()
}

fn value() -> impl Strategy<Value = Value> {
    prop_oneof![
        Just(Value::Null),
        any::<i64>().prop_map(Value::Integer),
        (-3_i64..300).prop_map(Value::Integer),
        (0.5_f64..1e9).prop_map(Value::Real),
        ".{0,40}".prop_map(Value::Text),
        // Longer than a page, and longer than two.
        (0_usize..20_000).prop_map(|length| Value::Text("x".repeat(length))),
        prop::collection::vec(any::<u8>(), 0..50).prop_map(Value::Blob),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, ..ProptestConfig::default() })]

    #[test]
    fn rows_are_read_as_sqlite_reads_them(
        values in prop::collection::vec((any::<i64>(), value(), value()), 0..60),
        logged in any::<bool>(),
        page_size in prop::sample::select(vec![512, 1024, 4096, 65536]),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sqlite3");
        let connection = Connection::open(&path).unwrap();
        connection.pragma_update(None, "page_size", page_size).unwrap();
        connection.pragma_update(None, "synchronous", "OFF").unwrap();
        connection.pragma_update(None, "journal_mode", if logged { "WAL" } else { "DELETE" }).unwrap();
        connection.execute_batch(
            "CREATE TABLE numbered (one, two); CREATE TABLE keyed (key INTEGER, one, two, PRIMARY KEY (key)) WITHOUT ROWID",
        ).unwrap();
        for (key, one, two) in &values {
            let row = || params_from_iter([Value::Integer(*key), one.clone(), two.clone()]);
            connection.execute("INSERT OR REPLACE INTO numbered (rowid, one, two) VALUES (?, ?, ?)", row()).unwrap();
            connection.execute("INSERT OR REPLACE INTO keyed VALUES (?, ?, ?)", row()).unwrap();
        }
        if let Some((key, _, _)) = values.first() {
            connection.execute("DELETE FROM numbered WHERE rowid = ?", [key]).unwrap();
        }
        prop_assert_eq!(path.with_extension("sqlite3-wal").exists(), logged);
        let numbered = selected(&connection, "SELECT rowid, one, two FROM numbered ORDER BY rowid");
        prop_assert_eq!(rows(&path, "numbered", Shape::Rowid), numbered);
        let keyed = selected(&connection, "SELECT NULL, key, one, two FROM keyed ORDER BY key");
        prop_assert_eq!(rows(&path, "keyed", Shape::Record), keyed);
    }

    #[test]
    fn whatever_stands_in_a_file_it_is_read_to_its_end(
        places in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..40),
        cut in any::<prop::sample::Index>(),
        is_cut in any::<bool>(),
    ) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.sqlite3");
        let connection = Connection::open(&path).unwrap();
        connection.execute_batch(
            "PRAGMA page_size = 512; PRAGMA synchronous = OFF; CREATE TABLE t (a INTEGER, b TEXT, PRIMARY KEY (a)) WITHOUT ROWID;
             CREATE TABLE u (a INTEGER PRIMARY KEY, b TEXT); CREATE INDEX i ON u (b)",
        ).unwrap();
        for number in 0..200_usize {
            let text = "y".repeat(number * 7);
            connection.execute("INSERT INTO t VALUES (?, ?)", (number, &text)).unwrap();
            connection.execute("INSERT INTO u VALUES (?, ?)", (number, &text)).unwrap();
        }
        connection.close().unwrap();
        let mut bytes = fs::read(&path).unwrap();
        for (place, byte) in places {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if is_cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        fs::write(&path, &bytes).unwrap();
        let pages = Pages::open(&path, &path.with_extension("none")).unwrap();
        let mut walk = Walk::new(&pages);
        let roots = super::Roots::read(&pages, &mut walk);
        let mut read = 0;
        for (table, shape) in [("t", Shape::Record), ("u", Shape::Rowid), ("i", Shape::Record)] {
            if let Some(root) = roots.of(table) {
                walk.tree(root, shape, &mut |_| read += 1);
            }
        }
        for (root, shape) in walk.strays() {
            walk.tree(root, shape, &mut |_| read += 1);
        }
        prop_assert!(read <= bytes.len());
    }
}
