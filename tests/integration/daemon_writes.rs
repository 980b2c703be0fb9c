//! The daemon as a process that writes: stopped, killed and held up in the middle of it.

use std::process::{Command, Stdio};
use std::sync::mpsc;

use kinset::store::{DaemonOutcome, DecisionFilter};
use kinset::tracker::simulator::{Fault, FaultKind, Moment, Requests, When};
use rustix::process::Signal;

use crate::support::change::Classes;
use crate::support::daemon::{Daemon, EACH_SECOND, is_number, told_each_second};
use crate::support::log::writes;
use crate::support::rig::{Held, Rig, TRACKER, Terms};
use crate::support::town::{change_users, classes, town};

/// A rig whose daemon may write.
fn rig(before: &[&[u64]]) -> Rig {
    Rig::serving(&town(before), terms())
}

fn terms() -> Terms {
    Terms {
        sync: "apply",
        tables: EACH_SECOND,
        concurrent_requests: 1,
        ..Terms::default()
    }
}

fn command(rig: &Rig, name: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_kinset"));
    command.env_clear().arg("--config").arg(rig.config_file()).arg(name);
    command
}

fn start_on(rig: &Rig) -> Daemon {
    Daemon::start(&mut command(rig, "daemon"), rig.config_file().parent().unwrap())
}

const WANTED: &[&[u64]] = &[&[1, 2], &[3, 4], &[5, 6]];

fn wanted() -> Classes {
    classes(WANTED)
}

fn wait_for(Held { arrived, release }: Held, act: impl FnOnce()) {
    arrived.blocking_recv().unwrap();
    act();
    drop(release);
}

/// Another daemon does what is left.
fn assert_next_daemon_goes_on(rig: &Rig) {
    let daemon = start_on(rig);
    daemon.runs(2);
    daemon.stop();
    assert_eq!(writes(&rig.log()), 3, "no write is made twice");
    rig.assert_at_rest(&wanted());
}

#[test]
fn told_to_stop_during_a_write_it_finishes_that_one_and_the_next_daemon_goes_on() {
    let rig = rig(&[]);
    rig.want("1 2\n3 4\n5 6\n");
    let held = rig.hold_at(2, Requests::Writes, Moment::After);
    let daemon = start_on(&rig);
    wait_for(held, || daemon.signal(Signal::TERM));
    daemon.hears("STOPPING=1");
    let log = daemon.end();
    let told = "outcome=\"stopped\" reason=\"the daemon was told to stop; the next run goes on\"";
    assert!(log.contains(told), "{log}");
    assert_eq!(rig.open_entries(), []);
    assert_eq!(rig.own_writes(), (0, 2));
    rig.leave_alone();

    assert_next_daemon_goes_on(&rig);
}

/// What `kinset status` prints of a rig, but for times.
fn status(rig: &Rig) -> String {
    let output = command(rig, "status").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let time = regex::Regex::new("[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9:]+Z").unwrap();
    time.replace_all(&String::from_utf8(output.stdout).unwrap(), "TIME").into_owned()
}

#[test]
fn what_a_sync_is_in_the_middle_of_is_told_from_what_an_earlier_one_left() {
    let rig = rig(&[]);
    rig.want("1 2\n3 4\n5 6\n");
    let held = rig.hold_at(2, Requests::Writes, Moment::After);
    let daemon = start_on(&rig);
    let told = [
        "  open        1 write in flight or of unknown outcome\n",
        "  sync        under way\n",
    ];
    wait_for(held, || {
        let status = status(&rig);
        assert!(told.iter().all(|told| status.contains(told)), "{status}");
        assert!(
            status.contains("  last run    1, TIME: under way, 1 write took effect\n"),
            "{status}"
        );
        daemon.kill();
    });
    let left = status(&rig);
    assert!(left.contains("  open        1 write of unknown outcome\n"), "{left}");
    assert!(left.contains("  last run    1, TIME: open, 1 write took effect\n"), "{left}");
    assert!(!left.contains("  sync        under way\n"), "{left}");
}

#[test]
fn what_somebody_else_is_in_the_middle_of_is_told_with_who_it_is() {
    let rig = rig(&[]);
    rig.want("1 2\n3 4\n");
    let held = rig.hold_at(1, Requests::Writes, Moment::After);
    let mut apply = command(&rig, "apply");
    let mut apply = apply.arg("--yes").stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap();
    wait_for(held, || {
        let status = status(&rig);
        let told = format!("  at work     process {} (kinset --config ", apply.id());
        assert!(status.contains(&told), "{status}");
        assert!(
            status.contains("  open        1 write in flight or of unknown outcome\n"),
            "{status}"
        );
    });
    assert!(apply.wait().unwrap().success());
    let status = status(&rig);
    assert!(!status.contains("  at work  ") && !status.contains("  open  "), "{status}");
}

#[test]
fn a_plan_that_waits_is_carried_out_by_the_next_sync_where_that_may_write() {
    let mut rig = Rig::serving(
        &town(&[]),
        Terms {
            tables: EACH_SECOND,
            ..Terms::default()
        },
    );
    rig.want("1 2\n");
    let daemon = start_on(&rig);
    daemon.runs(2);
    daemon.stop();
    assert!(status(&rig).contains("1 write; the daemon only plans; "), "{}", status(&rig));
    rig.reconfigure(Terms {
        sync: "apply",
        tables: EACH_SECOND,
        ..Terms::default()
    });
    let next = "1 write; the next sync of the daemon's plans anew and writes what may be written; ";
    assert!(status(&rig).contains(next), "{}", status(&rig));
    let held = rig.hold_at(1, Requests::Any, Moment::Before);
    let daemon = start_on(&rig);
    wait_for(held, || {
        let now = "1 write; the sync under way plans anew and writes what may be written; ";
        assert!(status(&rig).contains(now), "{}", status(&rig));
    });
    rig.leave_alone();
    daemon.stop();
}

#[test]
fn a_project_that_the_account_lost_in_mid_run_is_named_with_the_way_out() {
    let rig = rig(&[]);
    rig.want("1 2\n3 4\n21 22\n");
    let dismissed = town(&[]).with_user("bot", "t-bot", &["beta"]);
    rig.at_write(1, Moment::Before, move |rules| change_users(rules, &dismissed));
    let daemon = start_on(&rig);
    daemon.logs("outcome=\"refused\"");
    daemon.stop();
    let runs = rig.state().daemon_runs(None, 100).unwrap();
    let (_, end) = runs.last().unwrap().ended.clone().unwrap();
    assert_eq!(end.message.unwrap(), "the tracker refused writes: relations in project alpha");
    assert_eq!(
        end.remedy.unwrap(),
        "have the tracker's administrators make the token's user a maintainer of these projects, or use the token of one; `kinset plan pw` shows what is left"
    );
    rig.leave_alone();
    rig.assert_at_rest(&classes(&[&[21, 22]]));
}

#[test]
fn a_run_that_hangs_gives_no_sign_of_life_and_one_that_goes_on_does() {
    let rig = rig(&[]);
    rig.want("1 2\n");
    let held = rig.hold_at(3, Requests::Reads, Moment::After);
    let daemon = start_on(&rig);
    wait_for(held, || assert!(!daemon.is_alive()));
    assert!(daemon.is_alive());
    rig.leave_alone();
    daemon.stop();
}

#[test]
fn killed_during_a_write_the_next_daemon_says_so_settles_the_journal_and_goes_on() {
    let rig = rig(&[]);
    rig.want("1 2\n3 4\n5 6\n");
    let held = rig.hold_at(2, Requests::Writes, Moment::After);
    let daemon = start_on(&rig);
    wait_for(held, || daemon.kill());
    rig.leave_alone();
    assert_eq!(rig.open_entries().len(), 1);

    let daemon = start_on(&rig);
    daemon.runs(2);
    let log = daemon.stop();
    assert!(log.contains("an earlier daemon ended in the middle of this run"), "{log}");
    let runs = rig.state().daemon_runs(None, 100).unwrap();
    let (_, first) = runs.last().unwrap().ended.clone().unwrap();
    assert_eq!(first.outcome, DaemonOutcome::CutShort);
    assert_eq!(runs.last().unwrap().relates, 1, "what was known to be written when it ended");
    rig.assert_at_rest(&wanted());
}

#[test]
fn told_to_stop_while_the_tracker_does_not_say_what_became_of_a_write_it_leaves_that_to_the_next_daemon() {
    let terms = Terms {
        limits: "patience_seconds = 600",
        tables: told_each_second().leak(),
        ..terms()
    };
    let rig = Rig::serving(&town(&[]), terms);
    rig.want("1 2\n3 4\n5 6\n");
    let lost = Fault::new(FaultKind::LostReply, When::At(vec![1])).on_writes();
    // It is read once before it is written.
    let silent = Fault::new(FaultKind::status(503), When::At((2..1000).collect()));
    rig.simulator().set_faults([lost, silent.on_path("?msgid=20121.")]);
    let daemon = start_on(&rig);
    is_number(daemon.address(), "kinset_failed_requests_in_a_row", |requests| requests >= 3.0);
    daemon.signal(Signal::TERM);
    daemon.hears("STOPPING=1");
    let log = daemon.end();
    assert!(log.contains("outcome=\"stopped\" reason=\"the daemon was told to stop"), "{log}");
    assert_eq!(rig.open_entries().len(), 1, "{log}");
    rig.leave_alone();

    assert_next_daemon_goes_on(&rig);
}

/// A rig whose daemon is to respect what people did, and whose tracker is slow with the second of three writes.
fn slow_with_the_second(kind: FaultKind, limits: &'static str) -> Rig {
    let terms = Terms {
        policy: "preserve",
        limits,
        ..terms()
    };
    let rig = Rig::serving(&town(&[]), terms);
    rig.want("1 2\n3 4\n5 6\n");
    rig.simulator().set_faults([Fault::new(kind, When::At(vec![2])).on_writes()]);
    rig
}

/// All is written, nothing twice, and nothing of it is taken for a person's.
fn assert_written_once(rig: &Rig) {
    assert_eq!(writes(&rig.log()), 3);
    assert_eq!(rig.state().decisions(TRACKER, DecisionFilter::All).unwrap(), []);
    rig.assert_at_rest(&wanted());
}

#[test]
fn a_write_that_a_proxy_gave_up_is_looked_after_by_the_next_run_and_not_taken_for_a_person_s() {
    let given_up = FaultKind::GivenUp { duration_ms: 5000 };
    let rig = slow_with_the_second(given_up, "timeout_seconds = 30\npatience_seconds = 0");
    let daemon = start_on(&rig);
    daemon.logs("answered 504");
    daemon.logs("waiting for it");
    daemon.logs("outcome=\"changed\"");
    daemon.stop();
    assert_written_once(&rig);
}

#[test]
fn killed_and_started_at_once_it_waits_for_the_write_that_the_tracker_has_in_hand() {
    let rig = slow_with_the_second(FaultKind::Late { duration_ms: 5000 }, "timeout_seconds = 30");
    let (arrive, arrived) = mpsc::channel();
    rig.at(2, Requests::Writes, Moment::Before, move |_| arrive.send(()).unwrap());
    let daemon = start_on(&rig);
    arrived.recv().unwrap();
    daemon.kill();
    rig.leave_alone();

    let daemon = start_on(&rig);
    daemon.runs(3);
    let log = daemon.stop();
    assert!(
        log.contains("which the tracker may still be at work on: waiting for it") && log.contains("seconds="),
        "{log}"
    );
    assert_written_once(&rig);
}
