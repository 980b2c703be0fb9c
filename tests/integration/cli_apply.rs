//! `kinset apply`: whom it asks, when it writes nothing, and what it tells of its writes.

use std::fs::File;
use std::io::Write as _;
use std::os::fd::OwnedFd;

use insta::assert_snapshot;
use kinset::tracker::simulator::{Fault, FaultKind, When};
use rustix::fs::{Mode, OFlags};
use rustix::pty::{OpenptFlags, grantpt, openpt, ptsname, unlockpt};

use super::cli_support::{Place, Tracker, world};

#[test]
fn a_user_who_maintains_nothing_may_plan_and_is_told_when_applying() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = tracker.place("1 2\n3 4\n");
    place.write_token("t-nobody", 0o600);
    assert_snapshot!(place.run("plan"), @r"
    exit 0
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as a user who maintains none of its projects
      undone 3 4  # left out of their class: the token's user does not maintain project alpha
    nothing to write; 1 wanted change left undone
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    ");
    assert_snapshot!(place.run("apply --yes"), @r"
    exit 1
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as a user who maintains none of its projects
      undone 3 4  # left out of their class: the token's user does not maintain project alpha
    nothing to write; 1 wanted change left undone
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    error: the token's user maintains none of the projects of tracker kernel (alpha), so nothing can be written to it
      help: have the tracker's administrators make the token's user a maintainer of these projects, or use the token of one
    ");
    place.write("patch-groups", "1 2\n");
    assert!(place.run("apply --yes").starts_with("exit 0"), "nothing has to be written");
}

#[test]
fn without_a_token_there_is_a_plan_but_no_write() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = Place::configured(&tracker.config().replace("token_file = \"token\"\n", ""), "1 2\n3 4\n");
    assert_snapshot!(place.run("apply --yes"), @r"
    exit 1
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, without a token
      relate 3 with 4  # <m3@example.org>: new relation
    1 write: 0 clears, 1 relate; 1 relation becomes 2
    unmatched: 0 of 4 elements only in the analysis, 8 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    error: tracker kernel has no token, so nothing can be written to it
      help: create a token on your Patchwork profile page and name its file with `token_file` under [[tracker]]
    ");
    assert_eq!(tracker.writes(), 0);
}

#[test]
fn without_a_terminal_apply_wants_to_be_told_yes() {
    let tracker = Tracker::serving(world(&[]));
    assert_snapshot!(tracker.place("1 2\n").run("apply"), @r"
    exit 1
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 1 with 2  # <m1@example.org>: new relation
    1 write: 0 clears, 1 relate; 0 relations become 1
    unmatched: 0 of 2 elements only in the analysis, 10 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    error: nothing was written: there is no terminal to ask on
      help: read first what would be done, as it was printed or with `kinset plan`; then run the command again with --yes
    ");
    assert_eq!(tracker.writes(), 0);
}

/// A terminal: what is typed on it goes into the first, whatever reads from it gets the second.
fn terminal() -> (File, OwnedFd) {
    let ours = openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).unwrap();
    grantpt(&ours).unwrap();
    unlockpt(&ours).unwrap();
    let name = ptsname(&ours, Vec::new()).unwrap();
    let theirs = rustix::fs::open(name, OFlags::RDWR | OFlags::NOCTTY | OFlags::CLOEXEC, Mode::empty()).unwrap();
    (File::from(ours), theirs)
}

#[test]
fn on_a_terminal_apply_asks_and_only_yes_means_yes() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    let answer = |typed: &str| {
        let (mut keyboard, stdin) = terminal();
        keyboard.write_all(typed.as_bytes()).unwrap();
        let output = place.command("apply").stdin(stdin).output().unwrap();
        place.tell(&output).split_once("--- stderr\n").unwrap().1.to_owned()
    };
    assert_snapshot!(answer("n\n"), @"Send 1 write to kernel? [y/N] nothing was written");
    let end_of_input = "\u{4}";
    for typed in ["\n", "yesterday\n", end_of_input] {
        assert_eq!(answer(typed), answer("n\n"), "{typed:?}");
    }
    assert_eq!(tracker.writes(), 0);
    assert_snapshot!(answer("Yes\n"), @r"
    Send 1 write to kernel? [y/N] kernel: 1 write took effect
    kernel: 1 relation as planned, verified
    ");
    assert_eq!(tracker.writes(), 1);
}

#[test]
fn nothing_is_written_when_nobody_reads_the_plan() {
    let tracker = Tracker::serving(world(&[]));
    let place = tracker.place("1 2\n");
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = place.command("apply --yes").stdout(writer).output().unwrap();
    assert_snapshot!(place.tell(&output), @r"
    exit 1
    --- stderr
    error: nothing was written: standard output was closed before all of the plan was shown
      help: let all of the plan be read, or send it to a file
    ");
    assert_eq!(tracker.writes(), 0);
}

#[test]
fn projects_that_the_tracker_refuses_to_have_written_to_are_named() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    tracker
        .simulator()
        .set_faults([Fault::new(FaultKind::Forbid, When::every(1)).on_writes()]);
    let place = Place::configured(&format!("{}concurrent_requests = 1\n", tracker.config()), "1 2 3\n4 5\n");
    assert_snapshot!(place.run("apply --yes"), @r#"
    exit 1
    --- stdout
    tracker kernel at http://TRACKER/: 12 patches as of TIME, policy authoritative, as bot
      relate 3 with 1  # <m3@example.org>: joins a relation
      relate 4 with 5  # <m4@example.org>: new relation
    2 writes: 0 clears, 2 relates; 1 relation becomes 2
    unmatched: 0 of 5 elements only in the analysis, 7 of 12 patches only in the tracker (see `kinset relations unmatched`)
    --- stderr
    TIME  WARN the projects of this write are left alone from here on tracker="kernel" patch=3 error=http://TRACKER/api/1.3/patches/3/ refused the write: You do not have permission to perform this action.
    TIME  WARN the projects of this write are left alone from here on tracker="kernel" patch=4 error=http://TRACKER/api/1.3/patches/4/ refused the write: You do not have permission to perform this action.
    kernel: 0 writes took effect
    kernel: the tracker refused writes to these projects: alpha; `kinset plan` shows what is left
    "#);
}

#[test]
fn when_the_tracker_stops_taking_writes_it_is_told_how_many_there_were() {
    let tracker = Tracker::serving(world(&[]));
    let failing = Fault::new(FaultKind::status(503), When::At(vec![2, 3, 4])).on_writes();
    tracker.simulator().set_faults([failing]);
    let place = Place::configured(&format!("{}concurrent_requests = 1\n", tracker.config()), "1 2\n3 4\n5 6\n");
    let apply = place.run("apply --yes");
    assert_snapshot!(apply.split_once("--- stderr\n").unwrap().1, @r#"
    kernel: 1 write took effect before it failed
    error: the tracker takes no writes
      because: it was left open whether http://TRACKER/api/1.3/patches/3/ was written
      because: http://TRACKER/api/1.3/patches/3/ answered 503 Service Unavailable (text/html; charset=utf-8): <!doctype html> <html lang="en"> <head><title>Something is wrong in front of Patchwork</title></head> <body><h1>Something is wrong in front of Patchwork</h1></body> </html>
      help: the next run reads the patch first and goes on from what it finds
    "#);
}
