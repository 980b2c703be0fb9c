//! The daemon as a process, watched as systemd would watch it.

use std::fs;
use std::io::{BufRead as _, BufReader, Read as _};
use std::os::unix::net::UnixDatagram;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use insta::assert_snapshot;
use kinset::store::Store;
use rustix::process::Signal;
use serde_json::Value;

use crate::cli_support::{Place, Tracker, world};
use crate::support::daemon::{Daemon, EACH_SECOND, place};

#[test]
fn it_is_ready_alive_and_at_work_and_a_plan_is_all_that_comes_of_it_unless_more_is_allowed() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = place(&tracker, "plan-only", EACH_SECOND, "1 2\n3 4\n");
    let daemon = Daemon::of(&place);
    daemon.hears("READY=1");
    for _ in 0..3 {
        daemon.hears("WATCHDOG=1");
    }
    assert!(daemon.hears("STATUS=run ").ends_with(": sync of tracker kernel"));
    daemon.runs(1);
    let log = daemon.stop();
    let first = log.lines().find(|line| line.contains("run{run=1 ")).unwrap();
    let said = "job=sync of tracker kernel}: sync of tracker kernel: waiting outcome=\"waiting\" writes=0";
    assert!(first.contains(said) && first.contains("drift=1"), "{first}");
    assert_eq!(tracker.writes(), 0);
    let status = place.run("status");
    assert!(
        status.contains("1 write; the daemon only plans; `kinset plan kernel` shows it"),
        "{status}"
    );
    let status: Value = serde_json::from_str(&place.data("status --format json")).unwrap();
    assert_eq!(status[0]["waiting"]["because"], "plan-only");
    assert_eq!(status[0]["jobs"][0]["job"], "sync");
    assert!(status[0]["jobs"][0]["last_run"]["run"].as_u64().unwrap() >= 2);
}

#[test]
fn a_service_manager_that_does_not_read_keeps_nobody_from_work_and_hears_all_when_it_does() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = place(&tracker, "apply", EACH_SECOND, "1 2\n3 4\n");
    let path = place.path("notify");
    let socket = UnixDatagram::bind(&path).unwrap();
    let filler = UnixDatagram::unbound().unwrap();
    filler.set_nonblocking(true).unwrap();
    while filler.send_to(b"full", &path).is_ok() {}
    let mut daemon = Daemon::unheard(&mut place.command("daemon"), path, Duration::from_millis(400));
    // Behind the daemon, so that it is gone first if the test fails, and whoever tells it something with it.
    let manager = socket;
    for _ in 0..1200 {
        if tracker.writes() > 0 {
            break;
        }
        thread::sleep(Duration::from_millis(100));
    }
    assert_eq!(tracker.writes(), 1);
    daemon.listen(manager);
    daemon.hears("READY=1");
    daemon.hears("WATCHDOG=1");
    daemon.runs(1);
    daemon.stop();
}

#[test]
fn where_it_is_allowed_to_it_writes_on_schedule_and_logs_json_when_asked() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = place(&tracker, "apply", EACH_SECOND, "1 2\n3 4\n");
    let daemon = Daemon::start(&mut place.command("daemon --log-format json"), &place.path(""));
    daemon.runs(2);
    let log = daemon.stop();
    let first: Value = serde_json::from_str(log.lines().find(|line| line.contains("outcome")).unwrap()).unwrap();
    assert_eq!(
        (
            &first["outcome"],
            &first["writes"],
            &first["relates"],
            &first["drift"],
            &first["journal_run"],
            &first["span"]["run"]
        ),
        (&"changed".into(), &1.into(), &1.into(), &0.into(), &1.into(), &1.into())
    );
    assert_eq!(tracker.writes(), 1);
    assert!(place.run("plan --detailed-exitcode").starts_with("exit 0"));
}

#[test]
fn a_second_daemon_is_told_whose_the_state_is_and_commands_work_beside_the_first() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let rarely = "[tracker.schedule]\nsweep = \"0 0 1 1 *\"\n[daemon]\nlisten = \"127.0.0.1:0\"\n";
    let place = place(&tracker, "plan-only", rarely, "1 2\n3 4\n");
    let daemon = Daemon::of(&place);
    daemon.hears("READY=1");
    // The other one wants the very same address.
    let config = place.read("kinset.toml");
    place.write("kinset.toml", config.replace("127.0.0.1:0", &daemon.address().to_string()));
    assert_snapshot!(place.run("daemon"), @r"
    exit 1
    --- stderr
    error: the daemon cannot look after the state
      because: process PID (kinset daemon, since TIME) is the daemon of the state in DIR/state
      help: a state has one daemon: stop that one first, or set another folder with `state_dir` in the configuration
    ");
    assert!(place.run("apply --yes").starts_with("exit 0"));
    assert_eq!(tracker.writes(), 1);
    daemon.stop();
}

#[test]
fn a_command_waits_until_a_run_of_the_daemon_s_is_over_and_says_so() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let place = place(&tracker, "plan-only", EACH_SECOND, "1 2\n3 4\n");
    let held = tracker.hold();
    let daemon = Daemon::of(&place);
    held.arrives();
    let command = |arguments: &str| {
        let mut command = place.command(arguments);
        command.stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap()
    };
    // One that asks a tracker, and one that does not.
    let waiting = [
        command("plan kernel"),
        command("distribution create ubuntu --versions debian --sharing tethered"),
    ]
    .map(|mut child| {
        let mut said = BufReader::new(child.stderr.take().unwrap());
        let mut first = String::new();
        said.read_line(&mut first).unwrap();
        assert!(
            first.starts_with("waiting for process ") && first.ends_with(" (kinset daemon), which is in the middle of a run\n"),
            "{first}"
        );
        (child, said)
    });
    drop(held);
    for (mut child, mut said) in waiting {
        let mut rest = String::new();
        said.read_to_string(&mut rest).unwrap();
        let status = child.wait().unwrap();
        assert!(status.success(), "{status}: {rest}");
    }
    daemon.stop();
}

#[test]
fn without_a_schedule_it_says_so_and_does_not_begin() {
    let tracker = Tracker::serving(world(&[]));
    assert_snapshot!(place(&tracker, "apply", "", "1 2\n").run("daemon"), @r"
    exit 1
    --- stderr
    error: the configuration DIR/kinset.toml has no schedule, so there is nothing to do
      help: say when something is to be done, under [tracker.schedule] or [distribution.schedule]; `kinset config init` shows how
    ");
}

#[test]
fn a_bad_configuration_is_refused_whole_and_a_good_one_takes_effect_without_a_restart() {
    let tracker = Tracker::serving(world(&[&[1, 2]]));
    let rarely = "[tracker.schedule]\nsweep = \"0 0 1 1 *\"\n[daemon]\nlisten = \"off\"\n";
    let place = place(&tracker, "plan-only", rarely, "1 2\n3 4\n");
    let good = place.read("kinset.toml").replace(rarely, EACH_SECOND).replace("plan-only", "apply");
    let daemon = Daemon::of(&place);
    daemon.hears("READY=1");

    place.write("kinset.toml", good.replace("* * * * * *", "61 * * * * *"));
    daemon.signal(Signal::HUP);
    daemon.hears("RELOADING=1");
    assert_eq!(
        daemon.hears("STATUS="),
        "STATUS=the configuration cannot be read again; the old configuration stays in effect"
    );
    daemon.hears("READY=1");
    place.write("kinset.toml", good.replace("state_dir = \"state\"", "state_dir = \"elsewhere\""));
    daemon.signal(Signal::HUP);
    assert!(
        daemon
            .hears("STATUS=the state in ")
            .ends_with("; the old configuration stays in effect")
    );
    daemon.hears("READY=1");
    assert_eq!(tracker.simulator().log().len(), 0, "nothing was due");

    place.write("kinset.toml", &good);
    daemon.signal(Signal::HUP);
    daemon.runs(2);
    let log = daemon.stop();
    assert!(log.contains("61 * * * * *"), "{log}");
    assert_eq!(tracker.writes(), 1);
}

/// The notices that a command was given, as `kind: job, run`.
fn notices(place: &Place) -> Vec<Value> {
    let told = fs::read_to_string(place.path("notices")).unwrap_or_default();
    told.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn a_command_is_told_once_of_each_thing_that_is_new() {
    let tracker = Tracker::serving(world(&[&[1, 2], &[3, 4]]));
    let notice = "[daemon.notice]\ncommand = [\"/bin/sh\", \"-c\", \"cat >> notices; echo >> notices\"]\n";
    let guard = "[tracker.guard]\nmin_clears = 1\nmax_clear_fraction = 0\n";
    let place = place(&tracker, "apply", &format!("{guard}{EACH_SECOND}{notice}"), "1 2\n");
    let daemon = Daemon::of(&place);
    daemon.runs(3);
    let [refused] = &notices(&place)[..] else {
        panic!("{:?}", notices(&place))
    };
    assert_eq!(
        (&refused["notice"], &refused["tracker"], &refused["run"]),
        (&"refused".into(), &"kernel".into(), &1.into())
    );
    assert_eq!(refused["guards"][0]["option"], "max_clear_fraction");
    assert_eq!(refused["format"], 1);

    tracker.somebody_writes(7, &[8]);
    while notices(&place).len() < 2 {
        daemon.runs(1);
    }
    daemon.runs(2);
    daemon.stop();
    let [_, decisions] = &notices(&place)[..] else {
        panic!("{:?}", notices(&place))
    };
    assert_eq!(decisions["notice"], "decisions");
    assert_eq!(decisions["decisions"][0]["kind"], "joined");
}

#[test]
fn a_command_that_fails_or_hangs_is_killed_counted_and_keeps_nobody_from_work() {
    let tracker = Tracker::serving(world(&[]));
    let notice = "[daemon.notice]\ncommand = [\"/bin/sh\", \"-c\", \"if test -e once; then exec sleep 1000; fi; touch once; exit 3\"]\nseconds = 1\nfailures = 1\n";
    let place = place(&tracker, "apply", &format!("{EACH_SECOND}{notice}"), "1 2\n");
    fs::remove_file(place.path("patch-groups")).unwrap();
    let daemon = Daemon::of(&place);
    daemon.runs(3);
    let log = daemon.stop();
    assert!(log.contains("/bin/sh ended with exit status: 3"), "{log}");
    assert!(log.contains("/bin/sh took longer than 1 s, and was killed"), "{log}");
    let known = Store::open_read_only(&place.path("state")).unwrap().daemon_jobs().unwrap();
    assert!(known[0].told.contains("\"failed_notices\":"), "{}", known[0].told);
}
