//! What sources said counts for as long as it is asked: when settings change, when kinset does, and while they cannot be read.

use rusqlite::Connection;
use serde_json::json;

use crate::cli_sources::Ubuntu;
use crate::support::launchpad::permission;

/// When noble was released: a day later by the table of dates, which stands after Launchpad.
fn released(ubuntu: &Ubuntu) -> &'static str {
    let shown = ubuntu.place.data("collection show --series noble --format json");
    let days = ["2024-04-25", "2024-04-26"];
    days.into_iter()
        .find(|day| shown.contains(day))
        .unwrap_or_else(|| panic!("{shown}"))
}

fn configure(ubuntu: &Ubuntu, old: &str, new: &str) {
    let config = ubuntu.place.read("kinset.toml");
    assert!(config.contains(old), "{config}");
    ubuntu.place.write("kinset.toml", config.replacen(old, new, 1));
}

/// Nothing answers any more.
fn silence(ubuntu: &Ubuntu) {
    ubuntu.runtime.block_on(ubuntu.server.reset());
}

/// Changes what is kept of Launchpad in the state.
fn keep(ubuntu: &Ubuntu, change: &str) {
    let state = Connection::open(ubuntu.place.path("state/kinset.sqlite3")).unwrap();
    let changed = state.execute(&format!("UPDATE reading SET {change} WHERE source = 'launchpad'"), []);
    assert_eq!(changed.unwrap(), 1);
}

const OF_ANOTHER_KINSET: &str = "asked = json_set(asked, '$.kinset', '0.0.1')";

#[test]
fn a_source_that_is_asked_for_less_and_cannot_be_read_is_believed_in_what_it_said() {
    let ubuntu = Ubuntu::pulled();
    configure(&ubuntu, "kind = \"launchpad\"\n", "kind = \"launchpad\"\nseries = [\"noble\"]\n");
    silence(&ubuntu);
    let told = ubuntu.run("pull");
    assert!(told.contains("cannot read source launchpad"), "{told}");
    assert!(told.contains("ubuntu: distro-info: nothing changed"), "{told}");
    assert_eq!(released(&ubuntu), "2024-04-25");
}

#[test]
fn a_source_at_another_address_was_never_asked() {
    let ubuntu = Ubuntu::pulled();
    configure(&ubuntu, "/devel/\"", "/other/\"");
    let told = ubuntu.run("pull");
    assert!(told.contains("cannot read source launchpad"), "{told}");
    assert!(told.contains("ubuntu: distro-info: 2 changes taken in"), "{told}");
    assert_eq!(released(&ubuntu), "2024-04-26");
}

#[test]
fn what_another_kinset_was_told_counts_until_the_source_is_read_again() {
    let ubuntu = Ubuntu::pulled();
    keep(&ubuntu, OF_ANOTHER_KINSET);
    let before = ubuntu.requests();
    assert!(ubuntu.run("pull").contains("launchpad: nothing changed"));
    let first = before / 2 * 2;
    assert!(
        ubuntu.requests() - before >= first,
        "it may find more in what it reads, so it reads everything"
    );
    keep(&ubuntu, OF_ANOTHER_KINSET);
    silence(&ubuntu);
    let told = ubuntu.run("pull");
    assert!(told.contains("ubuntu: distro-info: nothing changed"), "{told}");
    assert_eq!(released(&ubuntu), "2024-04-25");
}

#[test]
fn a_guard_compares_with_what_another_kinset_was_told_and_with_no_answer_to_another_question() {
    let ubuntu = Ubuntu::pulled();
    keep(&ubuntu, OF_ANOTHER_KINSET);
    ubuntu.change(|world| world.teams.values_mut().for_each(Vec::clear));
    let told = ubuntu.run("pull");
    assert!(
        told.starts_with("exit 1\n") && told.contains("members of teams that the source told of"),
        "{told}"
    );
    keep(&ubuntu, "asked = json_set(asked, '$.what.series', json('[\"noble\"]'))");
    let told = ubuntu.run("pull");
    assert!(
        told.contains("memberships and permissions") || told.starts_with("exit 0\n"),
        "{told}"
    );
}

#[test]
fn what_another_kinset_kept_and_this_one_does_not_understand_is_in_nobodys_way() {
    let ubuntu = Ubuntu::pulled();
    let unheard_of = "snapshot = json_set(snapshot, '$.unheard_of', 1)";
    keep(&ubuntu, &format!("{OF_ANOTHER_KINSET}, {unheard_of}"));
    assert!(ubuntu.run("pull").contains("launchpad: nothing changed"));
    keep(&ubuntu, unheard_of);
    let told = ubuntu.run("pull");
    assert!(
        told.starts_with("exit 1\n") && told.contains("is damaged"),
        "of this one it is damage: {told}"
    );
}

#[test]
fn permissions_on_sets_of_a_series_that_is_not_asked_for_any_more_stay() {
    let ubuntu = Ubuntu::new();
    let of_a_pocket = permission("alice", &json!({"pocket": "Updates", "distro_series_name": "noble"}));
    ubuntu.change(|world| world.permissions.push(of_a_pocket));
    assert!(ubuntu.run("pull").starts_with("exit 0\n"));
    configure(&ubuntu, "kind = \"launchpad\"\n", "kind = \"launchpad\"\nseries = [\"plucky\"]\n");
    assert!(ubuntu.run("pull").contains("launchpad: nothing changed"));
    assert!(ubuntu.run("acl can bob upload linux --series noble").starts_with("exit 0\n"));
}
