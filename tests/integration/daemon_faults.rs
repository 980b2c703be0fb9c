//! What goes wrong around a daemon: it goes on, its page, its numbers and its log say what is wrong, and when that is over nobody has to do anything.
//!
//! A clock that is set is the business of `daemon_hours`, and so is a tracker that is down for hours.

use std::fs::{self, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use jiff::Timestamp;
use kinset::store::DaemonOutcome;
use kinset::tracker::simulator::{Fault, FaultKind, Moment, Requests, When};
use rustix::process::Signal;

use crate::cli_support::{Place, Tracker, world};
use crate::support::daemon::{Daemon, EACH_SECOND, is_number, is_told, place, told_each_second};
use crate::support::log::writes;
use crate::support::rig::{Held, Rig, Terms};
use crate::support::town::{classes, town};

/// The numbers of the one job that there is.
const SYNC: &str = "subject=\"tracker\",name=\"kernel\",job=\"sync\"";

/// A folder with a daemon's configuration, by which one relation is to be made, and this in the table of limits.
fn with_limits(tracker: &Tracker, limits: &str) -> Place {
    let place = place(tracker, "apply", &told_each_second(), "1 2\n3 4\n");
    let config = place.read("kinset.toml");
    place.write(
        "kinset.toml",
        config.replace("patience_seconds", &format!("{limits}patience_seconds")),
    );
    place
}

fn start(command: &mut Command, place: &Place) -> Daemon {
    Daemon::watched(command, &place.path(""), Duration::from_secs(60))
}

/// Waits until the page, the numbers and the log say that syncs fail, for this reason, and what can be done. The daemon is well all the same.
fn fails(daemon: &Daemon, reason: &str, remedy: &str) {
    let address = daemon.address();
    is_told(address, "/", "1 thing needs a person");
    is_told(address, "/", reason);
    is_told(address, "/", remedy);
    is_told(address, "/trackers/kernel", reason);
    is_number(address, &format!("kinset_failures_in_a_row{{{SYNC}}}"), |failures| failures >= 1.0);
    is_number(address, &format!("kinset_runs_total{{{SYNC},outcome=\"failed\"}}"), |runs| {
        runs >= 2.0
    });
    is_told(address, "/healthz", "\"alive\":true");
    daemon.logs("outcome=\"failed\"");
    daemon.logs(reason);
    let log = daemon.log();
    let due = |line| Some(str::split_once(line, " next_due=")?.1.split_whitespace().next().unwrap());
    let due: Vec<&str> = log.lines().filter_map(due).collect();
    assert!(
        !due.is_empty() && due.iter().all(|due| due.ends_with('Z') && !due.contains('.')),
        "whole seconds are enough: {log}"
    );
}

/// Waits until all is well, and what was to be done is done.
fn is_mended(daemon: Daemon, tracker: &Tracker) {
    let address = daemon.address();
    is_number(address, &format!("kinset_runs_total{{{SYNC},outcome=\"changed\"}}"), |runs| {
        runs >= 1.0
    });
    is_number(address, &format!("kinset_failures_in_a_row{{{SYNC}}}"), |failures| failures == 0.0);
    is_number(address, "kinset_unrecorded_runs", |runs| runs == 0.0);
    is_told(address, "/", "<h1>All is well</h1>");
    let log = daemon.stop();
    assert!(log.contains("outcome=\"changed\" writes=1"), "{log}");
    assert_eq!(tracker.writes(), 1);
}

fn always(kind: FaultKind) -> [Fault; 1] {
    [Fault::new(kind, When::every(1))]
}

#[test]
fn a_tracker_that_is_down_is_told_everywhere_and_asked_until_it_is_back() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    tracker.simulator().set_faults(always(FaultKind::status(503)));
    let place = with_limits(&tracker, "");
    let daemon = start(&mut place.command("daemon"), &place);
    fails(&daemon, "answered 503", "the server is in trouble");
    tracker.simulator().set_faults([]);
    is_mended(daemon, &tracker);
}

#[test]
fn a_tracker_that_is_down_is_told_while_the_run_still_tries_again() {
    is_told_while_the_run_still_tries_again(&always(FaultKind::status(503)), "server-error");
}

#[test]
fn a_web_page_in_place_of_answers_is_told_while_the_run_still_tries_again() {
    is_told_while_the_run_still_tries_again(&always(FaultKind::Html).map(|fault| fault.on_path("/projects/")), "web-page");
}

fn is_told_while_the_run_still_tries_again(faults: &[Fault], outcome: &str) {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    tracker.simulator().set_faults(faults.iter().cloned());
    let place = with_limits(&tracker, "");
    let config = place.read("kinset.toml");
    place.write("kinset.toml", config.replace("patience_seconds = 0", "patience_seconds = 600"));
    let daemon = start(&mut place.command("daemon"), &place);
    let address = daemon.address();
    is_told(address, "/", "<h1>1 thing is being tried again</h1>");
    is_told(address, "/", "the tracker does not answer the sync under way");
    is_told(address, "/api/status", &format!("\"outcome\":\"{outcome}\""));
    is_number(address, "kinset_failed_requests_in_a_row", |requests| requests >= 3.0);
    is_number(address, &format!("kinset_failures_in_a_row{{{SYNC}}}"), |failures| failures == 0.0);
    tracker.simulator().set_faults([]);
    is_mended(daemon, &tracker);
}

#[test]
fn a_tracker_that_answers_a_byte_a_second_holds_no_run_for_longer_than_a_request_may_take() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    tracker.simulator().set_faults(always(FaultKind::Drip { byte_ms: 1000 }));
    let place = with_limits(&tracker, "timeout_seconds = 2\n");
    let daemon = start(&mut place.command("daemon"), &place);
    fails(&daemon, "came within 2 s", "timeout_seconds");
    tracker.simulator().set_faults([]);
    is_mended(daemon, &tracker);
}

#[test]
fn a_name_that_nobody_can_look_up_is_told_as_such_and_another_one_needs_no_restart() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = with_limits(&tracker, "");
    let config = place.read("kinset.toml");
    place.write("kinset.toml", config.replace(&tracker.url(), "http://tracker.invalid/"));
    // Where there is no answer from those who know names, it is not waited for.
    let mut command = place.command("daemon");
    let daemon = start(command.env("RES_OPTIONS", "timeout:1 attempts:1"), &place);
    fails(
        &daemon,
        "its name cannot be looked up",
        "see whether this machine can look up names",
    );
    place.write(
        "kinset.toml",
        config.replace(&tracker.url(), &tracker.url().replace("127.0.0.1", "localhost")),
    );
    daemon.signal(Signal::HUP);
    is_number(
        daemon.address(),
        "kinset_configuration_reloads_total{outcome=\"taken\"}",
        |reloads| reloads >= 1.0,
    );
    is_mended(daemon, &tracker);
}

/// Waits until the page, the numbers and the log say that what is done cannot be recorded, for this reason, and what can be done. What is wanted from
/// then on is not written to the tracker.
fn is_unrecorded(daemon: &Daemon, tracker: &Tracker, place: &Place, reason: &str, remedy: &str) {
    let address = daemon.address();
    is_told(address, "/", "cannot be recorded");
    is_told(address, "/", reason);
    is_told(address, "/", remedy);
    is_number(address, &format!("kinset_failures_in_a_row{{{SYNC}}}"), |failures| failures >= 1.0);
    is_told(address, "/healthz", "\"alive\":true");
    daemon.logs("outcome=\"failed\"");
    daemon.logs(reason);
    let so_far = is_number(address, "kinset_unrecorded_runs", |runs| runs >= 1.0);
    place.write("patch-groups", "1 2\n3 4\n");
    is_number(address, "kinset_unrecorded_runs", |runs| runs >= so_far + 2.0);
    assert_eq!(tracker.writes(), 0, "no write without an entry in the journal");
}

/// The daemon where a file that would be too large is an error and not the end.
fn without_xfsz(place: &Path) -> Command {
    let mut command = Command::new("/bin/sh");
    command.args(["-c", "trap '' XFSZ; exec \"$0\" daemon", env!("CARGO_BIN_EXE_kinset")]);
    command.current_dir(place).env_clear().env("KINSET_CONFIG", "kinset.toml");
    command
}

#[test]
fn a_disk_that_is_full_is_told_everywhere_and_used_again_when_there_is_room() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = with_limits(&tracker, "");
    place.write("patch-groups", "1 2\n");
    let daemon = start(&mut without_xfsz(&place.path("")), &place);
    is_told(daemon.address(), "/", "<h1>All is well</h1>");
    daemon.limit_files(Some(0));
    is_unrecorded(
        &daemon,
        &tracker,
        &place,
        "cannot write the state file",
        "make room on the file system of",
    );
    daemon.limit_files(None);
    is_mended(daemon, &tracker);
}

/// A tracker that a daemon may write to, with these tables of its schedule.
fn rig(tables: &'static str) -> Rig {
    let terms = Terms {
        sync: "apply",
        tables,
        concurrent_requests: 1,
        ..Terms::default()
    };
    Rig::serving(&town(&[]), terms)
}

/// A daemon whose first run has ended, and there was no room for that.
fn without_room_for_an_end(rig: &Rig) -> Daemon {
    rig.want("1 2\n");
    let folder = rig.file("");
    let Held { arrived, release } = rig.hold_at(3, Requests::Reads, Moment::After);
    let daemon = Daemon::watched(&mut without_xfsz(&folder), &folder, Duration::from_secs(60));
    arrived.blocking_recv().unwrap();
    daemon.limit_files(Some(0));
    drop(release);
    rig.leave_alone();
    daemon.logs("what was done cannot be recorded");
    daemon
}

/// What the runs of the daemon's came to, in their order; none of one whose end is not recorded.
fn outcomes(rig: &Rig) -> Vec<Option<DaemonOutcome>> {
    let mut runs = rig.state().daemon_runs(None, 100).unwrap();
    runs.reverse();
    runs.iter().map(|run| Some(run.ended.as_ref()?.1.outcome)).collect()
}

#[test]
fn a_run_whose_end_found_no_room_gets_it_when_there_is_some() {
    let rig = rig(EACH_SECOND);
    let daemon = without_room_for_an_end(&rig);
    daemon.limit_files(None);
    daemon.logs("what this run came to is recorded now");
    daemon.logs("outcome=\"changed\"");
    daemon.stop();
    let outcomes = outcomes(&rig);
    assert_eq!(outcomes[0], Some(DaemonOutcome::Failed), "{outcomes:?}");
    assert!(outcomes.iter().all(Option::is_some), "{outcomes:?}");
    assert_eq!(writes(&rig.log()), 1);
    rig.assert_at_rest(&classes(&[&[1, 2]]));
}

/// A sync is due at once, and after a failure not for as long as anybody waits for a test.
const ONCE: &str = "[tracker.schedule]\nsync = \"* * * * * *\"\n[daemon]\nlisten = \"off\"\njitter_seconds = 0\nbackoff_seconds = 36000\nmax_backoff_seconds = 36000\n";

#[test]
fn a_run_whose_end_found_no_room_gets_it_before_the_daemon_ends() {
    let rig = rig(ONCE);
    let daemon = without_room_for_an_end(&rig);
    daemon.limit_files(None);
    let log = daemon.stop();
    assert!(log.contains("what this run came to is recorded now"), "{log}");
    assert_eq!(outcomes(&rig), [Some(DaemonOutcome::Failed)]);
    let [job] = &rig.state().daemon_jobs().unwrap()[..] else { panic!() };
    assert_eq!(job.failures, 1);
    assert!(job.next_due.unwrap() > Timestamp::now(), "not before it has been waited for");
}

#[test]
fn a_run_whose_end_finds_no_room_until_the_daemon_ends_is_told_in_the_log() {
    let rig = rig(ONCE);
    let log = without_room_for_an_end(&rig).stop();
    assert!(
        log.contains("cannot be recorded, and will be told as cut short") && log.contains("make room on the file system of"),
        "{log}"
    );
    assert_eq!(outcomes(&rig), [None]);
}

/// Whether modes of files hold this process: root they do not, unless somebody has taken that from it (capabilities(7), 1 and 2).
fn is_held_by_modes() -> bool {
    let status = fs::read_to_string("/proc/self/status").unwrap();
    let capabilities = status.lines().find_map(|line| line.strip_prefix("CapEff:")).unwrap();
    u64::from_str_radix(capabilities.trim(), 16).unwrap() & 0b110 == 0
}

/// The daemon, held by the modes of files whoever runs it.
fn held_by_modes(place: &Place) -> Command {
    if is_held_by_modes() {
        return place.command("daemon");
    }
    let mut command = Command::new("setpriv");
    command.args([
        "--bounding-set=-dac_override,-dac_read_search",
        env!("CARGO_BIN_EXE_kinset"),
        "daemon",
    ]);
    command.current_dir(place.path("")).env("KINSET_CONFIG", "kinset.toml");
    command
}

/// Gives a folder these modes, and all files in it. They may come and go meanwhile.
fn set_modes(folder: &Path, of_folder: u32, of_files: u32) {
    fs::set_permissions(folder, Permissions::from_mode(of_folder)).unwrap();
    for file in fs::read_dir(folder).unwrap() {
        match fs::set_permissions(file.unwrap().path(), Permissions::from_mode(of_files)) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            set => set.unwrap(),
        }
    }
}

#[test]
fn a_state_that_may_only_be_read_is_told_everywhere_and_written_again_when_it_may_be() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = with_limits(&tracker, "");
    place.write("patch-groups", "1 2\n");
    let daemon = start(&mut held_by_modes(&place), &place);
    is_told(daemon.address(), "/", "<h1>All is well</h1>");
    set_modes(&place.path("state"), 0o500, 0o400);
    is_unrecorded(
        &daemon,
        &tracker,
        &place,
        "cannot write the state file",
        "see to it that this user may write",
    );
    set_modes(&place.path("state"), 0o700, 0o600);
    is_mended(daemon, &tracker);
}
