//! Real pages are damaged, and what is read of them is compared with what stood there.

mod older;
mod told;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use proptest::prelude::*;
use rusqlite::types::Value;
use rusqlite::{Connection, params};
use tempfile::TempDir;

use super::{Repair, RepairError, RepairReport, waiting};
use crate::store::check::check;
use crate::store::database::{FILE_NAME, with_suffix};
use crate::store::tables::{TABLES, origin_of};
use crate::store::{Store, StoreError};

const PAGE: usize = 4096;

type Rows = BTreeMap<String, BTreeSet<String>>;

fn file(folder: &Path) -> PathBuf {
    folder.join(FILE_NAME)
}

/// A state in which the tables that matter have several pages each.
fn state() -> TempDir {
    let folder = tempfile::tempdir().unwrap();
    drop(Store::open(folder.path()).unwrap());
    let mut connection = Connection::open(file(folder.path())).unwrap();
    let transaction = connection.transaction().unwrap();
    let at = "2026-06-10T12:00:00Z";
    transaction
        .execute_batch(
            "INSERT INTO tracker VALUES (1, 't'), (2, 'u');
             INSERT INTO address VALUES (1, 1, 'https://example.org/');
             INSERT INTO snapshot (tracker, url, pulled_at, recent_events, newest_event) VALUES (1, 'https://example.org/', '2026-06-10T12:00:00Z', '[7]', 7);
             INSERT INTO project VALUES (1, 7, 'alpha'); INSERT INTO maintainer VALUES (1, 7, 'bot');
             INSERT INTO base VALUES (1, 1, '2026-06-10T12:00:00Z', 400);
             INSERT INTO distribution VALUES (1, 'd');
             INSERT INTO collection VALUES (1, 1, 's');
             INSERT INTO set_group VALUES (1, 'g'); INSERT INTO package_set VALUES (1, 1);
             INSERT INTO run (id, tracker, what, began_at) VALUES (1, 1, 'apply', '2026-06-10T12:00:00Z');",
        )
        .unwrap();
    for number in 1..=900_i64 {
        let text = format!("<{number}.{}@example.org>", "m".repeat(30));
        let values = [
            ("INSERT INTO patch (tracker, id, project, message_id) VALUES (1, ?1, 7, ?2)", true),
            ("INSERT INTO exported_mail VALUES (1, ?1, ?2)", true),
            ("INSERT INTO relation_member VALUES (1, ?1, (?1 + 1) / 2)", false),
            ("INSERT INTO base_member VALUES (1, ?1, (?1 + 1) / 2)", false),
            ("INSERT INTO gone_patch VALUES (1, ?1, 'gone ' || ?2)", true),
            (
                "INSERT INTO log (id, at, actor, operation) VALUES (?1, ?1, 'ann', json_object('op', ?2))",
                true,
            ),
            ("INSERT INTO package (id, distribution, name, since) VALUES (?1, 1, ?2, 1)", true),
            ("INSERT INTO set_source (package_set, package, since) VALUES (1, ?1, ?1)", false),
        ];
        for (sql, has_text) in values {
            let mut insert = transaction.prepare_cached(sql).unwrap();
            let inserted = if has_text {
                insert.execute(params![number, text])
            } else {
                insert.execute([number])
            };
            inserted.unwrap();
        }
        let values = [
            "INSERT INTO journal (id, run, component, patch, related, intended_at) VALUES (?1, 1, 0, ?1, '[1,2]', ?2)",
            "INSERT INTO decision (id, address, kind, seen_at, who) VALUES (?1, 1, 'joined', ?2, 'maya')",
            "INSERT INTO decision_patch VALUES (?1, ?1, 7, '<' || ?2 || '>'), (?1, ?1 + 1, 7, '<' || ?2 || '>')",
            "INSERT INTO sighting (id, address, seen_at, writer) VALUES (?1, 1, ?2, 'found')",
            "INSERT INTO sighting_patch SELECT ?1, ?1 UNION SELECT ?1, ?1 + 1 WHERE ?2 IS NOT NULL",
        ];
        for sql in values.iter().filter(|_| number <= 400) {
            transaction.prepare_cached(sql).unwrap().execute(params![number, at]).unwrap();
        }
    }
    // A row that goes on over several pages.
    transaction
        .execute(
            "INSERT INTO reading VALUES ('d', 'x', '{}', ?1, json_object('long', ?2), '{}')",
            [at, &"long ".repeat(5000)],
        )
        .unwrap();
    transaction.commit().unwrap();
    connection.close().unwrap();
    folder
}

/// All rows of all tables.
fn rows(path: &Path) -> Rows {
    let connection = Connection::open(path).unwrap();
    let mut rows = Rows::new();
    for (table, _) in TABLES.iter().chain(&[("sqlite_sequence", crate::store::Origin::Own)]) {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = select.column_count();
        let told = select.query_map([], |row| {
            let values: Vec<Value> = (0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?;
            Ok(format!("{values:?}"))
        });
        rows.insert((*table).to_owned(), told.unwrap().map(Result::unwrap).collect());
    }
    rows
}

fn number(bytes: &[u8], place: usize) -> u32 {
    u32::from_be_bytes(bytes[place..place + 4].try_into().unwrap())
}

/// The pages of a table or index, the root first.
fn pages_of(folder: &Path, name: &str) -> Vec<u32> {
    let connection = Connection::open(file(folder)).unwrap();
    let root: u32 = match name {
        "sqlite_schema" => 1,
        _ => connection
            .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0))
            .unwrap(),
    };
    connection.close().unwrap();
    let bytes = fs::read(file(folder)).unwrap();
    let mut pages = vec![root];
    let mut next = 0;
    while let Some(&page) = pages.get(next) {
        next += 1;
        let page_bytes = &bytes[(page as usize - 1) * PAGE..page as usize * PAGE];
        let start = if page == 1 { 100 } else { 0 };
        if [0x02, 0x05].contains(&page_bytes[start]) {
            let cells = usize::from(u16::from_be_bytes([page_bytes[start + 3], page_bytes[start + 4]]));
            for cell in 0..cells {
                let place = start + 12 + 2 * cell;
                let place = usize::from(u16::from_be_bytes([page_bytes[place], page_bytes[place + 1]]));
                pages.push(number(page_bytes, place));
            }
            pages.push(number(page_bytes, start + 8));
        }
    }
    pages
}

fn overwrite(folder: &Path, page: u32, with: &[u8]) {
    let mut bytes = fs::read(file(folder)).unwrap();
    let start = (page as usize - 1) * PAGE;
    for (place, byte) in bytes[start..start + PAGE].iter_mut().enumerate() {
        *byte = with[place % with.len()];
    }
    fs::write(file(folder), bytes).unwrap();
}

/// Repairs a state, and tells what was said of it.
fn repaired(folder: &Path) -> RepairReport {
    let damaged = fs::read(file(folder)).unwrap();
    let report = match Repair::prepare(folder).unwrap() {
        Repair::Ready(rebuilt) => {
            assert_eq!(fs::read(file(folder)).unwrap(), damaged, "nothing happens before somebody wants it");
            let report = rebuilt.report().clone();
            rebuilt.install().unwrap();
            report
        }
        other => panic!("{other:?}"),
    };
    assert_eq!(fs::read(&report.kept_as).unwrap(), damaged);
    let checked = check(folder).unwrap();
    assert_eq!(checked.damage, []);
    drop(Store::open(folder).unwrap());
    assert!(matches!(Repair::prepare(folder).unwrap(), Repair::Needless { .. }));
    report
}

/// How many rows of each table are gone, as the report says it.
fn told(report: &RepairReport) -> BTreeMap<&str, Option<u64>> {
    let lost = report.tables.iter().filter(|table| table.lost != Some(0));
    lost.map(|table| (table.table.as_str(), table.lost)).collect()
}

/// That the report tells the truth: nothing was made up, and what is said to be lost is what is.
fn assert_honest(report: &RepairReport, before: &Rows, after: &Rows) {
    for (table, rows) in after {
        if table != "sqlite_sequence" {
            assert!(rows.is_subset(&before[table]), "{table} has rows that were never there");
        }
    }
    let told = told(report);
    for (table, _) in TABLES {
        let lost = (before[*table].len() - after[*table].len()) as u64;
        match told.get(table) {
            None => assert_eq!(lost, 0, "{table}"),
            Some(None) => {}
            Some(Some(told)) => assert_eq!(*told, lost, "{table}"),
        }
    }
}

fn assert_own_kept(before: &Rows, after: &Rows) {
    for (table, rows) in before.iter().filter(|(table, _)| !origin_of(table).is_copy()) {
        assert_eq!(rows, &after[table], "{table}");
    }
}

#[test]
fn a_sound_state_needs_no_repair() {
    let folder = state();
    let before = fs::read(file(folder.path())).unwrap();
    assert!(matches!(Repair::prepare(folder.path()).unwrap(), Repair::Needless { .. }));
    assert_eq!(fs::read(file(folder.path())).unwrap(), before);
}

#[test]
fn a_damaged_index_costs_nothing() {
    for index in [
        "journal_by_run",
        "base_member_by_relation",
        "log_by_time",
        "sighting_by_patch",
        "sqlite_autoindex_package_1",
    ] {
        let folder = state();
        let before = rows(&file(folder.path()));
        for page in pages_of(folder.path(), index) {
            overwrite(folder.path(), page, b"\xa5");
        }
        let report = repaired(folder.path());
        assert_eq!(told(&report), BTreeMap::new(), "{index}");
        assert_eq!(rows(&file(folder.path())), before, "{index}");
    }
}

#[test]
fn a_damaged_page_of_a_table_costs_the_rows_on_it_and_they_are_counted() {
    for table in ["journal", "log", "decision", "sighting", "package"] {
        let folder = state();
        let before = rows(&file(folder.path()));
        let pages = pages_of(folder.path(), table);
        assert!(pages.len() > 3, "{table}: {pages:?}");
        overwrite(folder.path(), pages[2], b"\xa5");
        let report = repaired(folder.path());
        let after = rows(&file(folder.path()));
        assert_honest(&report, &before, &after);
        let lost = told(&report)[table].unwrap();
        assert!(lost > 0 && lost < before[table].len() as u64, "{table}: {lost}");
        assert!(report.loses());
    }
}

/// A check that cannot be reckoned is an error of its own in `SQLite`, and says no all the same.
#[test]
fn what_is_no_json_any_more_costs_its_row() {
    let folder = state();
    let before = rows(&file(folder.path()));
    let end = b"long \"}";
    let place = fs::read(file(folder.path()))
        .unwrap()
        .windows(end.len())
        .position(|part| part == end);
    overwrite(folder.path(), u32::try_from(place.unwrap() / PAGE + 1).unwrap(), b"I");
    let report = repaired(folder.path());
    assert_honest(&report, &before, &rows(&file(folder.path())));
    assert_eq!(told(&report)["reading"], Some(1));
}

#[test]
fn what_an_index_says_too_is_taken_from_there() {
    for table in [
        "base_member",
        "sighting_patch",
        "tracker",
        "address",
        "distribution",
        "collection",
        "set_group",
    ] {
        let folder = state();
        let before = rows(&file(folder.path()));
        let pages = pages_of(folder.path(), table);
        overwrite(folder.path(), pages[pages.len() / 2], b"\xa5");
        let report = repaired(folder.path());
        assert_eq!(told(&report), BTreeMap::new(), "{table}");
        assert_eq!(rows(&file(folder.path())), before, "{table}");
    }
}

#[test]
fn where_only_the_way_to_the_rows_is_lost_the_rows_are_found() {
    for table in ["journal", "base_member", "log", "gone_patch", "package", "set_source"] {
        let folder = state();
        let before = rows(&file(folder.path()));
        overwrite(folder.path(), pages_of(folder.path(), table)[0], b"\0");
        let report = repaired(folder.path());
        let after = rows(&file(folder.path()));
        assert_honest(&report, &before, &after);
        let lost = before[table].len() - after[table].len();
        // In trees without numbers of rows, some rows stand on the page that leads to the others.
        assert!(lost < 20, "{table}: {lost} rows are lost");
    }
}

#[test]
fn damage_in_a_copy_costs_the_copy_and_nothing_else() {
    let folder = state();
    let before = rows(&file(folder.path()));
    overwrite(folder.path(), pages_of(folder.path(), "patch")[1], b"\xa5");
    let report = repaired(folder.path());
    let after = rows(&file(folder.path()));
    assert_own_kept(&before, &after);
    for table in ["snapshot", "project", "maintainer", "patch", "relation_member"] {
        assert!(after[table].is_empty(), "{table}");
    }
    assert!(!report.loses());
    assert_eq!((report.export_marks_lost, report.patches_unread), (0, Some(0)));
}

#[test]
fn damage_in_the_list_of_tables_costs_nothing() {
    let folder = state();
    let pages = pages_of(folder.path(), "sqlite_schema");
    assert!(pages.len() > 4);
    for &page in &pages {
        let folder = state();
        let before = rows(&file(folder.path()));
        overwrite(folder.path(), page, b"\0");
        let report = repaired(folder.path());
        assert_eq!(told(&report), BTreeMap::new(), "page {page}");
        assert_eq!(rows(&file(folder.path())), before, "page {page}");
    }
}

#[test]
fn a_state_that_was_cut_short_keeps_what_is_left() {
    let folder = state();
    let before = rows(&file(folder.path()));
    let bytes = fs::read(file(folder.path())).unwrap();
    for part in [1, 2, 3] {
        fs::write(file(folder.path()), &bytes[..bytes.len() * part / 4 / PAGE * PAGE]).unwrap();
        let report = repaired(folder.path());
        assert_honest(&report, &before, &rows(&file(folder.path())));
        assert!(report.loses());
    }
    let damaged = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
    let damaged: BTreeSet<_> = damaged
        .filter(|name| {
            name.to_string_lossy().contains("damaged-")
                && !name.to_string_lossy().ends_with("-wal")
                && !name.to_string_lossy().ends_with("-shm")
        })
        .collect();
    assert_eq!(damaged.len(), 3, "each has a name of its own: {damaged:?}");
}

#[test]
fn what_is_in_the_write_ahead_log_counts() {
    let folder = state();
    let connection = Connection::open(file(folder.path())).unwrap();
    connection.pragma_update(None, "journal_mode", "WAL").unwrap();
    connection.execute("UPDATE decision SET who = 'late' WHERE id < 200", []).unwrap();
    let before = rows(&file(folder.path()));
    let left = tempfile::tempdir().unwrap();
    for suffix in ["", "-wal"] {
        fs::copy(with_suffix(&file(folder.path()), suffix), with_suffix(&file(left.path()), suffix)).unwrap();
    }
    overwrite(left.path(), 1, b"\0");
    let report = repaired_with_log(left.path());
    assert_eq!(told(&report), BTreeMap::new());
    assert_eq!(rows(&file(left.path())), before);
}

fn repaired_with_log(folder: &Path) -> RepairReport {
    let log = fs::read(with_suffix(&file(folder), "-wal")).unwrap();
    let Repair::Ready(rebuilt) = Repair::prepare(folder).unwrap() else {
        panic!("it is damaged")
    };
    let report = rebuilt.report().clone();
    rebuilt.install().unwrap();
    assert_eq!(fs::read(with_suffix(&report.kept_as, "-wal")).unwrap(), log);
    assert!(!with_suffix(&file(folder), "-wal").exists());
    report
}

#[test]
fn a_repair_that_was_cut_short_is_finished_by_the_next() {
    // What is left behind: the damaged file still beside its log, and the new one waiting.
    for has_log in [true, false] {
        let folder = state();
        let new = fs::read(file(folder.path())).unwrap();
        let path = file(folder.path());
        fs::write(waiting(&path), &new).unwrap();
        fs::rename(&path, with_suffix(&path, ".damaged-3")).unwrap();
        if has_log {
            fs::write(with_suffix(&path, "-wal"), "log").unwrap();
        }
        assert!(matches!(Store::open(folder.path()).unwrap_err(), StoreError::HalfRepaired { .. }));
        assert!(matches!(
            Store::open_read_only(folder.path()).unwrap_err(),
            StoreError::HalfRepaired { .. }
        ));
        assert!(matches!(Repair::prepare(folder.path()).unwrap(), Repair::Finished { .. }));
        assert_eq!(fs::read(&path).unwrap(), new);
        assert!(!waiting(&path).exists());
        assert_eq!(with_suffix(&path, ".damaged-3-wal").exists(), has_log);
        Store::open(folder.path()).unwrap();
    }
}

#[test]
fn a_repair_that_nobody_wants_leaves_nothing_behind() {
    let folder = state();
    overwrite(folder.path(), pages_of(folder.path(), "journal")[1], b"\xa5");
    let names = || {
        let names = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name());
        names
            .filter(|name| !name.to_string_lossy().ends_with("-shm"))
            .collect::<BTreeSet<_>>()
    };
    let mut allowed = names();
    allowed.extend(["kinset.lock".into(), "kinset.sqlite3-wal".into()]);
    drop(Repair::prepare(folder.path()).unwrap());
    assert!(names().is_subset(&allowed));
}

#[test]
fn a_file_of_which_nothing_is_left_is_not_replaced() {
    for bytes in [&b"hello"[..], &[0xff; 70_000], &[0; 8192]] {
        let folder = tempfile::tempdir().unwrap();
        fs::write(file(folder.path()), bytes).unwrap();
        assert!(matches!(
            Repair::prepare(folder.path()).unwrap_err(),
            RepairError::NothingLeft { .. }
        ));
        assert_eq!(fs::read(file(folder.path())).unwrap(), bytes);
    }
}

#[test]
fn only_one_kinset_at_a_time_repairs() {
    let folder = state();
    let _at_work = Store::open(folder.path()).unwrap();
    assert!(matches!(
        Repair::prepare(folder.path()).unwrap_err(),
        RepairError::Store(StoreError::InUse { .. })
    ));
}

#[test]
fn numbers_of_decisions_are_not_given_again_after_a_repair() {
    let folder = state();
    let connection = Connection::open(file(folder.path())).unwrap();
    connection
        .execute_batch("UPDATE sqlite_sequence SET seq = 401 WHERE name = 'decision'")
        .unwrap();
    connection.close().unwrap();
    overwrite(folder.path(), pages_of(folder.path(), "journal_by_run")[0], b"\xa5");
    repaired(folder.path());
    let connection = Connection::open(file(folder.path())).unwrap();
    let insert = "INSERT INTO decision (address, kind, seen_at) VALUES (1, 'joined', ?1) RETURNING id";
    let next: i64 = connection.query_row(insert, [Timestamp::UNIX_EPOCH], |row| row.get(0)).unwrap();
    assert_eq!(next, 402);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 16, ..ProptestConfig::default() })]

    #[test]
    fn whatever_pages_are_damaged_nothing_is_made_up_and_what_is_lost_is_told(
        damage in prop::collection::vec((any::<prop::sample::Index>(), prop::collection::vec(any::<u8>(), 1..64)), 1..4),
    ) {
        thread_local! {
            static STATE: (Vec<u8>, Rows) = {
                let folder = state();
                (fs::read(file(folder.path())).unwrap(), rows(&file(folder.path())))
            };
        }
        STATE.with(|(bytes, before)| {
            let folder = tempfile::tempdir().unwrap();
            fs::write(file(folder.path()), bytes).unwrap();
            for (page, with) in &damage {
                let page = u32::try_from(page.index(bytes.len() / PAGE) + 1).unwrap();
                overwrite(folder.path(), page, with);
            }
            match Repair::prepare(folder.path()).unwrap() {
                // Pages that hold nothing may be anything.
                Repair::Needless { .. } => assert_eq!(&rows(&file(folder.path())), before),
                Repair::Finished { .. } => panic!("nothing was begun"),
                Repair::Ready(rebuilt) => {
                    let report = rebuilt.report().clone();
                    rebuilt.install().unwrap();
                    assert_honest(&report, before, &rows(&file(folder.path())));
                    assert_eq!(check(folder.path()).unwrap().damage, []);
                }
            }
        });
    }
}
