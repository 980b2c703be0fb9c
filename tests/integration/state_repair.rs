//! A damaged state, repaired by the program itself, and what a pull from the simulator and a plan make of it then.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Output};

use kinset::reconcile::Extent;
use kinset::reconcile::Pulling;
use rusqlite::Connection;

use crate::support::change::Change;
use crate::support::rig::{Rig, Terms};

const PAGE: usize = 4096;

fn database(rig: &Rig) -> PathBuf {
    rig.file("state/kinset.sqlite3")
}

fn kinset(rig: &Rig, arguments: &str) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kinset"));
    command.arg("--config").arg(rig.config_file()).args(arguments.split_whitespace());
    command.env_clear().output().unwrap()
}

fn told(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

/// The first and the last page of a table or index, as far down as they go.
fn pages_of(database: &Path, name: &str) -> BTreeSet<usize> {
    let connection = Connection::open(database).unwrap();
    let root: usize = connection
        .query_row("SELECT rootpage FROM sqlite_schema WHERE name = ?1", [name], |row| row.get(0))
        .unwrap();
    connection.close().unwrap();
    let bytes = fs::read(database).unwrap();
    let number = |place: usize| u32::from_be_bytes(bytes[place..place + 4].try_into().unwrap()) as usize;
    let mut pages = BTreeSet::from([root]);
    let mut last = root;
    while [0x02, 0x05].contains(&bytes[(last - 1) * PAGE]) {
        let start = (last - 1) * PAGE;
        let first = usize::from(u16::from_be_bytes([bytes[start + 12], bytes[start + 13]]));
        pages.insert(number(start + first));
        last = number(start + 8);
        pages.insert(last);
    }
    pages
}

fn overwrite(database: &Path, pages: &BTreeSet<usize>, with: u8) {
    let mut bytes = fs::read(database).unwrap();
    for page in pages {
        bytes[(page - 1) * PAGE..page * PAGE].fill(with);
    }
    fs::write(database, bytes).unwrap();
}

/// A tracker that was written to, with decisions of people and a write of unknown outcome.
fn worked_on(change: &Change) -> Rig {
    let rig = Rig::serving(
        &change.world().with_user("human", "t-human", &["alpha", "beta"]),
        Terms {
            policy: "preserve",
            ..Terms::for_pasta()
        },
    );
    rig.want(&change.groups());
    rig.apply(Pulling::Fresh(Extent::Full)).unwrap();
    // Somebody takes a patch out of a relation and joins two others.
    let out = rig.relations().into_iter().find(|class| class.len() > 2).unwrap();
    rig.human_writes(out.first().unwrap().0, &[]);
    rig.apply(Pulling::Fresh(Extent::Full)).unwrap();
    assert!(!rig.standing().is_empty());
    rig
}

/// What is no copy of the tracker, as far as it can be asked for.
fn own(rig: &Rig) -> impl PartialEq + std::fmt::Debug + use<> {
    let connection = Connection::open(database(rig)).unwrap();
    let tables = [
        "tracker",
        "address",
        "run",
        "journal",
        "base",
        "base_member",
        "decision",
        "decision_patch",
        "sighting",
        "sighting_patch",
    ];
    let rows = tables.map(|table| {
        let mut select = connection.prepare(&format!("SELECT * FROM {table}")).unwrap();
        let columns = select.column_count();
        let rows = select.query_map([], |row| {
            let values: Vec<rusqlite::types::Value> = (0..columns).map(|column| row.get(column)).collect::<Result<_, _>>()?;
            Ok(format!("{values:?}"))
        });
        rows.unwrap().map(Result::unwrap).collect::<BTreeSet<String>>()
    });
    (rows, rig.standing(), rig.settled_entries(), rig.open_entries())
}

/// Damages the state, repairs it, pulls, and finds everything as it was and nothing to do.
fn mends(rig: &Rig, damage: impl Fn(&Path)) {
    let before = own(rig);
    let sound = fs::read(database(rig)).unwrap();
    let relations = rig.relations();
    damage(&database(rig));
    assert_eq!(kinset(rig, "state check").status.code(), Some(1));
    let repaired = kinset(rig, "state repair --yes");
    assert!(repaired.status.success(), "{}", told(&repaired));
    assert_eq!(own(rig), before);
    rig.pull_to(Extent::Due).unwrap();
    assert_eq!(own(rig), before);
    rig.assert_at_rest(&relations);
    assert!(kinset(rig, "state check").status.success());
    fs::write(database(rig), sound).unwrap();
}

#[test]
fn whatever_is_damaged_that_is_a_copy_or_stands_twice_a_pull_mends_it_and_nothing_is_to_be_done() {
    let rig = worked_on(&Change::generated(5, 1000));
    for name in [
        "patch",
        "relation_member",
        "snapshot",
        "journal_by_run",
        "base_member_by_relation",
        "sighting_by_patch",
        "base_member",
    ] {
        let pages = pages_of(&database(&rig), name);
        mends(&rig, |database| overwrite(database, &pages, 0xa5));
    }
}

#[test]
fn a_state_without_its_first_page_is_mended() {
    let rig = worked_on(&Change::generated(5, 300));
    mends(&rig, |database| overwrite(database, &BTreeSet::from([1]), 0));
}

#[test]
fn a_state_without_part_of_its_list_of_tables_is_mended() {
    let rig = worked_on(&Change::generated(5, 300));
    let bytes = fs::read(database(&rig)).unwrap();
    let cell = usize::from(u16::from_be_bytes([bytes[112], bytes[113]]));
    assert_eq!(bytes[100], 0x05, "the list is on several pages");
    let part = u32::from_be_bytes(bytes[cell..cell + 4].try_into().unwrap()) as usize;
    mends(&rig, |database| overwrite(database, &BTreeSet::from([part]), 0x5a));
}

#[test]
fn what_is_lost_of_the_journal_is_counted_and_has_to_be_accepted() {
    let rig = worked_on(&Change::generated(5, 2000));
    let entries = rig.settled_entries().len();
    let relations = rig.relations();
    let standing = rig.standing();
    let last = pages_of(&database(&rig), "journal").into_iter().next_back().unwrap();
    overwrite(&database(&rig), &BTreeSet::from([last]), 0xa5);
    let damaged = fs::read(database(&rig)).unwrap();

    let refused = kinset(&rig, "state repair --yes");
    assert_eq!(refused.status.code(), Some(1));
    assert!(
        told(&refused).contains("error: the state file was not repaired: what is lost is nowhere else"),
        "{}",
        told(&refused)
    );
    assert_eq!(fs::read(database(&rig)).unwrap(), damaged);

    let accepted = kinset(&rig, "state repair --yes --accept-loss --format json");
    assert!(accepted.status.success(), "{}", told(&accepted));
    let report: serde_json::Value = serde_json::from_slice(&accepted.stdout).unwrap();
    let lost = report["tables"]
        .as_array()
        .unwrap()
        .iter()
        .find(|table| table["table"] == "journal")
        .unwrap();
    let lost = usize::try_from(lost["lost"].as_u64().unwrap()).unwrap();
    assert!(lost > 0 && lost < entries, "{lost} of {entries}");
    assert_eq!(rig.settled_entries().len(), entries - lost);
    assert_eq!(fs::read(rig.file("state/kinset.sqlite3.damaged-1")).unwrap(), damaged);

    rig.pull_to(Extent::Due).unwrap();
    assert_eq!(rig.standing(), standing, "the base knows what had been written");
    rig.assert_at_rest(&relations);
}

#[test]
fn a_state_that_was_cut_off_is_repaired_as_far_as_it_goes_and_pulled_again() {
    let rig = worked_on(&Change::generated(5, 1000));
    let bytes = fs::read(database(&rig)).unwrap();
    fs::write(database(&rig), &bytes[..bytes.len() / 2 / PAGE * PAGE]).unwrap();
    let repaired = kinset(&rig, "state repair --yes --accept-loss");
    assert!(repaired.status.success(), "{}", told(&repaired));
    assert!(told(&repaired).contains("lost: "), "{}", told(&repaired));
    // Whatever was lost of what people decided, a run comes to its end, and the next has nothing to do.
    rig.apply(Pulling::Fresh(Extent::Due)).unwrap();
    rig.assert_at_rest(&rig.relations());
}
