//! What is said, and what is left alone, where a tracker, a token or a state is not what it should be.

use std::net::TcpListener;
use std::process::Stdio;

use insta::assert_snapshot;
use kinset::tracker::simulator::{Fault, FaultKind, When};
use rusqlite::Connection;
use serde_json::json;

use super::cli_support::{Place, Tracker, config_for, world};

/// What `pull` says with the tracker at an address.
fn pull_from(url: &str) -> String {
    Place::configured(&config_for(url), "1 2\n").run("pull")
}

#[test]
fn an_address_where_nobody_listens_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}/", listener.local_addr().unwrap());
    drop(listener);
    assert_snapshot!(pull_from(&url), @r"
    exit 1
    --- stderr
    error: the tracker cannot be read
      because: cannot reach http://TRACKER/api/1.3/
      because: Connection refused (os error 111)
      help: check `url` in the configuration; it is the address at which a browser shows the tracker, and see whether this machine reaches it
    ");
}

#[test]
fn a_web_page_that_is_no_patchwork_is_told() {
    let tracker = Tracker::serving(world(&[]));
    tracker.simulator().set_faults([Fault::new(FaultKind::Html, When::every(1))]);
    assert_snapshot!(pull_from(&tracker.url()), @r#"
    exit 1
    --- stderr
    error: the tracker cannot be read
      because: expected the index of Patchwork's API in JSON, but http://TRACKER/api/1.3/ answered 200 OK (text/html; charset=utf-8): <!doctype html> <html lang="en"> <head><title>Please log in</title></head> <body><h1>Please log in</h1></body> </html>
      help: check `url` in the configuration; it is the address at which a browser shows the tracker; if it is right, a proxy in front of the tracker may have answered: look at the page in a browser
    "#);
}

#[test]
fn a_site_without_patchwork_s_api_is_told() {
    let tracker = Tracker::serving(world(&[]));
    assert_snapshot!(pull_from(&format!("{}blog/", tracker.url())), @r"
    exit 1
    --- stderr
    error: the tracker cannot be read
      because: no Patchwork API found at http://TRACKER/blog/api/
      help: check `url` in the configuration; it is the address at which a browser shows the tracker
    ");
}

#[test]
fn a_page_in_the_middle_of_the_data_is_told() {
    let tracker = Tracker::serving(world(&[]));
    let page = Fault::new(FaultKind::Html, When::every(1)).on_path("/patches/");
    tracker.simulator().set_faults([page]);
    assert_snapshot!(tracker.place("1 2\n").run("pull"), @r#"
    exit 1
    --- stderr
    error: the tracker cannot be read
      because: expected a page of patches in JSON, but http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=250 answered 200 OK (text/html; charset=utf-8): <!doctype html> <html lang="en"> <head><title>Please log in</title></head> <body><h1>Please log in</h1></body> </html>
      help: check `url` in the configuration; it is the address at which a browser shows the tracker; if it is right, a proxy in front of the tracker may have answered: look at the page in a browser
    "#);
}

#[test]
fn data_of_another_shape_are_told() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    let struck = |kind| {
        tracker
            .simulator()
            .set_faults([Fault::new(kind, When::every(1)).on_path("/patches/")]);
        place.run("pull")
    };
    assert_snapshot!(struck(FaultKind::WrongType), @r"
    exit 1
    --- stderr
    error: the tracker cannot be read
      because: expected a page of patches, but what http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=250 sent has another shape at its top: invalid type: map, expected a sequence at line 1 column 0
      help: this is not how Patchwork answers: look at the address with curl, and tell the tracker's operators or kinset's authors
    ");
    assert_snapshot!(struck(FaultKind::NoRelated), @r"
    exit 1
    --- stderr
    error: the tracker cannot be read
      because: expected the relations of patch 1, but what http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=250 sent has no `related` for it
      help: this is not how Patchwork answers: look at the address with curl, and tell the tracker's operators or kinset's authors
    ");
    assert_snapshot!(struck(FaultKind::status(502)), @r#"
    exit 1
    --- stderr
    TIME  WARN page failed, trying with fewer rows url=http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=250 rows=125 reason="expected a page of patches, but http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=250 answered 502 Bad Gateway (text/html; charset=utf-8): <!doctype html> <html lang=\"en\"> <head><title>Something is wrong in front of Patchwork</title></head> <body><h1>Something is wrong in front of Patchwork</h1></body> </html>"
    TIME  WARN page failed, trying with fewer rows url=http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=125 rows=62 reason="expected a page of patches, but http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=125 answered 502 Bad Gateway (text/html; charset=utf-8): <!doctype html> <html lang=\"en\"> <head><title>Something is wrong in front of Patchwork</title></head> <body><h1>Something is wrong in front of Patchwork</h1></body> </html>"
    TIME  WARN page failed, trying with fewer rows url=http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=62 rows=31 reason="expected a page of patches, but http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=62 answered 502 Bad Gateway (text/html; charset=utf-8): <!doctype html> <html lang=\"en\"> <head><title>Something is wrong in front of Patchwork</title></head> <body><h1>Something is wrong in front of Patchwork</h1></body> </html>"
    TIME  WARN page failed, trying with fewer rows url=http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=31 rows=15 reason="expected a page of patches, but http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=31 answered 502 Bad Gateway (text/html; charset=utf-8): <!doctype html> <html lang=\"en\"> <head><title>Something is wrong in front of Patchwork</title></head> <body><h1>Something is wrong in front of Patchwork</h1></body> </html>"
    TIME  WARN page failed, trying with fewer rows url=http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=15 rows=8 reason="expected a page of patches, but http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=15 answered 502 Bad Gateway (text/html; charset=utf-8): <!doctype html> <html lang=\"en\"> <head><title>Something is wrong in front of Patchwork</title></head> <body><h1>Something is wrong in front of Patchwork</h1></body> </html>"
    error: the tracker cannot be read
      because: expected a page of patches, but http://TRACKER/api/1.3/patches/?project=1&order=id&page=1&per_page=8 answered 502 Bad Gateway (text/html; charset=utf-8): <!doctype html> <html lang="en"> <head><title>Something is wrong in front of Patchwork</title></head> <body><h1>Something is wrong in front of Patchwork</h1></body> </html>
      help: the server is in trouble: try again later
    "#);
}

#[test]
fn an_api_that_shows_no_relations_is_too_old() {
    let mut old = world(&[]);
    old["api_versions"] = json!(["1.1"]);
    let tracker = Tracker::serving(old);
    assert_snapshot!(tracker.place("1 2\n").run("pull"), @r"
    exit 1
    --- stderr
    error: the tracker cannot be read
      because: expected Patchwork's API 1.2 or newer at http://TRACKER/api/, found 1.1
      help: relations need Patchwork 2.2 or newer: ask the tracker's operators for an upgrade
    ");
}

#[test]
fn api_1_2_is_new_enough() {
    let mut world = world(&[&[1, 2]]);
    world["api_versions"] = json!(["1.1", "1.2"]);
    let tracker = Tracker::serving(world);
    let place = tracker.place("1 2 3\n");
    assert!(place.run("apply --yes").starts_with("exit 0"));
    assert!(place.run("plan --detailed-exitcode").starts_with("exit 0"));
}

#[test]
fn a_wrong_token_is_told_and_not_shown() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    place.write_token("0123456789abcdef", 0o600);
    let told = place.run("pull");
    assert_snapshot!(told, @r"
    exit 1
    --- stderr
    error: the tracker cannot be read
      because: http://TRACKER/api/1.3/ does not accept the token: Invalid token.
      help: check `token_file`, `token_env` or the systemd credential in the configuration; Patchwork shows the token on the page of its user's profile
    ");
    assert!(!told.contains("0123456789abcdef"));
    assert_eq!(place.run("plan"), told);
    assert_eq!(place.run("apply --yes"), told);
}

#[test]
fn a_misspelt_project_is_told_with_the_nearest_one_and_changes_nothing() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = Place::configured(&tracker.config().replace("[\"alpha\"]", "[\"alpah\"]"), "1 2\n");
    let told = place.run("plan");
    assert_snapshot!(told, @r"
    exit 1
    --- stderr
    error: tracker kernel has no project alpah, did you mean alpha?
      help: nothing was changed; correct `projects` under [[tracker]]: a project's name is the word that stands for it in its address, as in /project/NAME/list/
    ");
    assert_eq!(place.run("pull"), told);
    assert_eq!(place.run("apply --yes"), told);
    place.write("kinset.toml", tracker.config().replace("[\"alpha\"]", "[\"Alpha\", \"linux\"]"));
    assert_snapshot!(place.run("pull"), @r"
    exit 1
    --- stderr
    error: tracker kernel has no project Alpha, did you mean alpha?
      help: nothing was changed; correct `projects` under [[tracker]]: a project's name is the word that stands for it in its address, as in /project/NAME/list/
    ");
    place.write("kinset.toml", tracker.config().replace("[\"alpha\"]", "[\"linux\"]"));
    assert_snapshot!(place.run("pull"), @r"
    exit 1
    --- stderr
    error: tracker kernel has no project linux
      help: nothing was changed; correct `projects` under [[tracker]]: a project's name is the word that stands for it in its address, as in /project/NAME/list/
    ");
}

/// A folder for a tracker that was pulled.
fn pulled(tracker: &Tracker) -> Place {
    let place = tracker.place("1 2\n");
    assert!(place.run("pull").starts_with("exit 0"));
    place
}

#[test]
fn a_state_that_is_no_database_is_left_alone() {
    let tracker = Tracker::serving(world(&[]));
    let place = pulled(&tracker);
    place.write(
        "state/kinset.sqlite3",
        "not a database, but long enough to be looked at as one ".repeat(20),
    );
    let before = place.read("state/kinset.sqlite3");
    let told = place.run("pull");
    assert_snapshot!(told, @r"
    exit 1
    --- stderr
    error: the state file DIR/state/kinset.sqlite3 is not a database
      because: Error code 26: file is not a database
      help: if it was kinset's, `kinset state repair` shows what is left in it; else move DIR/state/kinset.sqlite3 away, or set another folder with `state_dir` in the configuration, and run `kinset pull`; kinset leaves the file alone
    ");
    for command in ["plan", "plan --no-pull", "apply --yes", "relations unmatched"] {
        assert_eq!(place.run(command), told, "{command}");
    }
    assert_eq!(place.read("state/kinset.sqlite3"), before);
}

/// What `plan --no-pull` says to a state on which this was run.
fn plan_with_state(sql: &str) -> String {
    let tracker = Tracker::serving(world(&[]));
    let place = pulled(&tracker);
    Connection::open(place.path("state/kinset.sqlite3"))
        .unwrap()
        .execute_batch(sql)
        .unwrap();
    place.run("plan --no-pull")
}

#[test]
fn a_state_of_a_newer_kinset_or_of_another_program_is_left_alone() {
    assert_snapshot!(plan_with_state("PRAGMA user_version = 99"), @r"
    exit 1
    --- stderr
    error: the state file DIR/state/kinset.sqlite3 is of version 99, and this kinset knows versions up to 10
      help: use the newer kinset that wrote it; the file was not touched
    ");
    assert_snapshot!(plan_with_state("PRAGMA application_id = 42"), @r"
    exit 1
    --- stderr
    error: the state file DIR/state/kinset.sqlite3 is a database of another program (application id 0x2a)
      help: kinset leaves the file alone; move DIR/state/kinset.sqlite3 away, or set another folder with `state_dir` in the configuration, and run `kinset pull`
    ");
}

#[test]
fn a_state_that_is_damaged_is_told_with_what_to_do() {
    assert_snapshot!(plan_with_state("UPDATE patch SET message_id = 'no id' WHERE id = 1"), @r#"
    exit 1
    --- stderr
    error: the local state cannot be used
      because: the state file DIR/state/kinset.sqlite3 is damaged
      because: Conversion error from type Text at index: 2, expected a message id in angle brackets, such as <20120501.1@example.org>, found "no id"
      help: `kinset state check` tells what is damaged, and `kinset state repair` shows what can be saved, and builds the state anew of that when it is told to; the damaged file is kept
    "#);
    let tracker = Tracker::serving(world(&[]));
    let place = pulled(&tracker);
    let file = std::fs::File::options()
        .write(true)
        .open(place.path("state/kinset.sqlite3"))
        .unwrap();
    file.set_len(3 * 4096).unwrap();
    assert_snapshot!(place.run("plan --no-pull"), @r"
    exit 1
    --- stderr
    error: the state file DIR/state/kinset.sqlite3 is damaged
      because: Error code 11: database disk image is malformed
      help: `kinset state check` tells what is damaged, and `kinset state repair` shows what can be saved, and builds the state anew of that when it is told to; the damaged file is kept
    ");
}

#[test]
fn a_state_that_another_program_has_locked_is_told() {
    let tracker = Tracker::serving(world(&[]));
    let place = pulled(&tracker);
    let other = Connection::open(place.path("state/kinset.sqlite3")).unwrap();
    other.execute_batch("BEGIN IMMEDIATE").unwrap();
    assert_snapshot!(place.run("pull"), @r"
    exit 1
    --- stderr
    error: the local state cannot be used
      because: the state file DIR/state/kinset.sqlite3 is locked by another program
      because: Error code 5: database is locked
      help: close the program that has DIR/state/kinset.sqlite3 open (`fuser DIR/state/kinset.sqlite3` names it), and run the command again
    ");
}

#[test]
fn a_second_kinset_on_the_same_state_is_told_of_the_first() {
    let tracker = Tracker::serving(world(&[]));
    let place = pulled(&tracker);
    let held = tracker.hold();
    let first = place.command("pull kernel").stderr(Stdio::piped()).spawn().unwrap();
    held.arrives();
    let told = place.run("apply --yes");
    assert_snapshot!(told, @r"
    exit 1
    --- stderr
    error: process PID (kinset pull kernel) is at work on the state in DIR/state
      help: wait until process PID (kinset pull kernel) is done, or stop it: one kinset at a time works on a state; another state is set with `state_dir`
    ");
    assert_eq!(place.run("pull"), told);
    assert!(place.run("relations unmatched").starts_with("exit 0"), "looking needs no turn");
    drop(held);
    assert!(first.wait_with_output().unwrap().status.success());
    assert!(place.run("plan").starts_with("exit 0"));
}
