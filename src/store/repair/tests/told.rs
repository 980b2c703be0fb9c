//! What is told to be lost.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use rusqlite::Connection;
use tempfile::TempDir;

use super::{PAGE, RepairReport, Rows, assert_honest, file, number, overwrite, pages_of, repaired, rows, state, told};
use crate::store::Store;
use crate::store::tables::TABLES;

/// A folder with a state of these bytes.
pub(super) fn holding(bytes: &[u8]) -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    fs::write(file(folder.path()), bytes).unwrap();
    folder
}

/// Repairs a state that had these rows, and whose repair is to tell the truth.
fn honestly_repaired(folder: &Path, before: &Rows) -> RepairReport {
    let report = repaired(folder);
    assert_honest(&report, before, &rows(&file(folder)));
    report
}

#[test]
fn a_row_that_is_lost_with_others_is_told_once() {
    let folder = state();
    let before = rows(&file(folder.path()));
    let decisions = pages_of(folder.path(), "decision")[1];
    for page in pages_of(folder.path(), "decision_patch").into_iter().chain([decisions]) {
        overwrite(folder.path(), page, b"\xa5");
    }
    let report = honestly_repaired(folder.path(), &before);
    assert_eq!(told(&report)["decision"], Some(400));
}

#[test]
fn where_the_way_to_rows_and_the_list_of_tables_are_lost_rows_of_other_tables_are_not_taken_for_them() {
    let whole = state();
    let bytes = fs::read(file(whole.path())).unwrap();
    let before = rows(&file(whole.path()));
    let mut tried = 0;
    for (table, _) in TABLES {
        let pages = pages_of(whole.path(), table);
        let sql = format!("CREATE TABLE {table} (");
        let names_it = |&page: &u32| {
            let page = &bytes[(page as usize - 1) * PAGE..page as usize * PAGE];
            page.windows(sql.len()).any(|part| part == sql.as_bytes())
        };
        let list = pages_of(whole.path(), "sqlite_schema").into_iter().find(names_it);
        // Where the first page of all is lost, nothing that breaks off is looked for.
        let Some(list) = list.filter(|&list| list > 1 && pages.len() > 1) else {
            continue;
        };
        for with in [b"\0", b"\xa5"] {
            let folder = holding(&bytes);
            overwrite(folder.path(), list, with);
            overwrite(folder.path(), pages[0], with);
            honestly_repaired(folder.path(), &before);
        }
        tried += 1;
    }
    assert!(tried > 8, "{tried}");
}

#[test]
fn a_row_over_several_pages_that_is_lost_with_its_table_is_told() {
    let folder = state();
    let before = rows(&file(folder.path()));
    let bytes = fs::read(file(folder.path())).unwrap();
    let part = b"long ".repeat(100);
    let goes_on = bytes
        .chunks(PAGE)
        .rposition(|page| page.windows(part.len()).any(|of_page| of_page == part));
    overwrite(folder.path(), *pages_of(folder.path(), "sqlite_schema").last().unwrap(), b"\xa5");
    overwrite(folder.path(), u32::try_from(goes_on.unwrap() + 1).unwrap(), b"\xa5");
    let report = honestly_repaired(folder.path(), &before);
    assert!(told(&report).contains_key("reading"));
}

/// A damaged page may look like a sound one without rows. What it led to then belongs to nobody, what an index has is not there, and within a tree no
/// such page is sound, and what rows refer to was there: each of these tells on it.
#[test]
fn what_an_empty_page_stands_in_the_place_of_is_not_called_whole() {
    let records: &[u8] = &[0x0a, 0, 0, 0, 0, 0x10, 0, 0];
    let numbered: &[u8] = &[0x0d, 0, 0, 0, 0, 0x10, 0, 0];
    let whole = state();
    let bytes = fs::read(file(whole.path())).unwrap();
    let before = rows(&file(whole.path()));
    for (table, leaf) in [
        ("decision_patch", records),
        ("base_member", records),
        ("journal", numbered),
        ("log", numbered),
        ("address", numbered),
        ("base", numbered),
    ] {
        let pages = pages_of(whole.path(), table);
        for page in [pages[0], pages[pages.len() - 1]] {
            let folder = holding(&bytes);
            overwrite(folder.path(), page, leaf);
            honestly_repaired(folder.path(), &before);
        }
    }
}

/// A state that is a backup of another one.
fn backup() -> TempDir {
    let made = state();
    let folder = tempfile::tempdir().unwrap();
    let connection = Connection::open(file(made.path())).unwrap();
    connection.execute("VACUUM INTO ?1", [file(folder.path()).to_str()]).unwrap();
    folder
}

#[test]
fn damage_in_the_list_of_tables_costs_nothing_in_a_backup_either() {
    let folder = backup();
    let bytes = fs::read(file(folder.path())).unwrap();
    let before = rows(&file(folder.path()));
    for page in pages_of(folder.path(), "sqlite_schema") {
        let folder = holding(&bytes);
        overwrite(folder.path(), page, b"\0");
        let report = repaired(folder.path());
        assert_eq!(told(&report), BTreeMap::new(), "page {page}");
        assert_eq!(rows(&file(folder.path())), before, "page {page}");
    }
}

#[test]
fn in_a_backup_no_table_is_taken_for_another_however_much_of_the_list_is_lost() {
    let folder = backup();
    let bytes = fs::read(file(folder.path())).unwrap();
    let before = rows(&file(folder.path()));
    let list = pages_of(folder.path(), "sqlite_schema");
    for kept in 0..list.len() {
        let folder = holding(&bytes);
        for (_, &page) in list.iter().enumerate().filter(|&(place, _)| place != 0 && place != kept) {
            overwrite(folder.path(), page, b"\0");
        }
        honestly_repaired(folder.path(), &before);
    }
}

#[test]
fn what_was_deleted_does_not_come_back_where_it_is_lost_which_pages_are_free() {
    let folder = state();
    let connection = Connection::open(file(folder.path())).unwrap();
    connection.execute_batch("DELETE FROM gone_patch WHERE patch > 200").unwrap();
    connection.close().unwrap();
    let before = rows(&file(folder.path()));
    let free = number(&fs::read(file(folder.path())).unwrap(), 32);
    assert!(free > 1);
    overwrite(folder.path(), free, b"\0");
    overwrite(folder.path(), pages_of(folder.path(), "gone_patch")[1], b"\xa5");
    honestly_repaired(folder.path(), &before);
}

#[test]
fn tables_that_went_with_the_end_of_the_file_are_told() {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path()).unwrap());
    let connection = Connection::open(file(folder.path())).unwrap();
    connection
        .execute_batch(
            "INSERT INTO tracker VALUES (1, 't'); INSERT INTO address VALUES (1, 1, 'https://example.org/');
             INSERT INTO exported_mail VALUES (1, 1, 'a'); PRAGMA wal_checkpoint(TRUNCATE)",
        )
        .unwrap();
    connection.close().unwrap();
    let before = rows(&file(folder.path()));
    let end = *pages_of(folder.path(), "sqlite_schema").last().unwrap();
    let bytes = fs::read(file(folder.path())).unwrap();
    fs::write(file(folder.path()), &bytes[..(end as usize - 1) * PAGE]).unwrap();
    let report = honestly_repaired(folder.path(), &before);
    assert_eq!(told(&report)["exported_mail"], None);
}

/// A disk may write a page in another's place.
#[test]
fn a_page_that_stands_there_twice_is_no_loss_of_its_own() {
    let folder = state();
    let before = rows(&file(folder.path()));
    let pages = pages_of(folder.path(), "set_source");
    let bytes = fs::read(file(folder.path())).unwrap();
    let page = &bytes[(pages[1] as usize - 1) * PAGE..pages[1] as usize * PAGE];
    overwrite(folder.path(), pages[3], page);
    let report = honestly_repaired(folder.path(), &before);
    assert!(told(&report).contains_key("set_source"));
}

/// Where the beginning is lost, the version is what is left of the list says. What a later one would have may have been there.
#[test]
fn tables_that_a_later_version_would_have_are_told_where_the_version_is_lost() {
    let whole = state();
    let bytes = fs::read(file(whole.path())).unwrap();
    let before = rows(&file(whole.path()));
    let list = pages_of(whole.path(), "sqlite_schema");
    let versions = list[1..].iter().map(|kept| {
        let folder = holding(&bytes);
        for &page in list.iter().filter(|&page| page != kept) {
            overwrite(folder.path(), page, b"\0");
        }
        let report = honestly_repaired(folder.path(), &before);
        report.version
    });
    let versions: Vec<u32> = versions.collect();
    assert!(versions.iter().any(|&version| version < 10), "{versions:?}");
}
