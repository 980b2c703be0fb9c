use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::{Agenda, Ended, Known};
use crate::config::Config;
use crate::model::{Job, JobKind};

fn config(daemon: &str, schedule: &str) -> Config {
    let text = format!(
        "[daemon]\n{daemon}\n[[tracker]]\nname = \"kernel\"\nurl = \"https://example.org\"\nprojects = [\"alpha\"]\npolicy = \"additive\"\n\
         [tracker.desired]\npath = \"groups\"\nformat = \"ids\"\n[tracker.schedule]\n{schedule}\n"
    );
    Config::parse(&text, Path::new("/etc/kinset.toml")).unwrap()
}

/// Times are told by the clock of one day.
fn at(time: &str) -> Timestamp {
    format!("2026-06-10T{time}Z").parse().unwrap()
}

fn sync() -> Job {
    Job::of_tracker("kernel", JobKind::Sync)
}

const PUNCTUAL: &str = "jitter_seconds = 0\nbackoff_seconds = 60\nmax_backoff_seconds = 600";

fn agenda(schedule: &str, now: &str) -> Agenda {
    Agenda::new(&config(PUNCTUAL, schedule), 7, at(now))
}

fn due(agenda: &Agenda, job: &Job) -> Timestamp {
    agenda.entry(job).unwrap().due.unwrap()
}

#[test]
fn a_job_is_due_when_its_rule_says_so_and_not_before() {
    let mut agenda = agenda("sync = \"5 * * * *\"", "08:00:00");
    assert_eq!(agenda.due(at("08:04:59")), None);
    assert_eq!(agenda.due(at("08:05:00")), Some(sync()));
    agenda.ended(&sync(), at("08:05:00"), at("08:06:00"), Ended::Well);
    assert_eq!(agenda.due(at("08:06:00")), None);
    assert_eq!(due(&agenda, &sync()), at("09:05:00"));
}

#[test]
fn what_comes_due_during_a_run_is_remembered_once() {
    let mut agenda = agenda("sync = \"*/10 * * * *\"", "08:00:00");
    assert_eq!(agenda.due(at("08:10:00")), Some(sync()));
    agenda.ended(&sync(), at("08:10:00"), at("08:45:00"), Ended::Well);
    assert_eq!(agenda.due(at("08:45:00")), Some(sync()));
    agenda.ended(&sync(), at("08:45:00"), at("08:46:00"), Ended::Well);
    assert_eq!(agenda.due(at("08:46:00")), None);
    assert_eq!(due(&agenda, &sync()), at("08:50:00"));
}

#[test]
fn what_waits_longest_comes_first() {
    let mut agenda = agenda("pull = \"*/10 * * * *\"\nsync = \"5 * * * *\"", "08:00:00");
    assert_eq!(agenda.due(at("08:30:00")), Some(sync()));
    agenda.ended(&sync(), at("08:30:00"), at("08:31:00"), Ended::Well);
    assert_eq!(agenda.due(at("08:31:00")), Some(Job::of_tracker("kernel", JobKind::Pull)));
}

#[test]
fn failures_are_counted_and_waited_for_ever_longer_up_to_a_bound_until_it_goes_well() {
    let mut agenda = agenda("sync = \"* * * * *\"", "08:00:00");
    let now = at("09:00:00");
    for (failures, longest) in (1..).zip([60, 120, 240, 480, 600, 600, 600]) {
        agenda.ended(&sync(), now, now, Ended::Failed);
        assert_eq!(agenda.entry(&sync()).unwrap().failures, failures);
        let wait = due(&agenda, &sync()).duration_since(now);
        let longest = SignedDuration::from_secs(longest);
        assert!(wait >= longest / 2 && wait <= longest, "{wait:?} of {longest:?}");
    }
    agenda.ended(&sync(), now, now, Ended::Well);
    assert_eq!(agenda.entry(&sync()).unwrap().failures, 0);
    assert_eq!(due(&agenda, &sync()), at("09:01:00"));
}

#[test]
fn failures_without_end_do_not_overflow() {
    let config = config(
        "backoff_seconds = 4294967295\nmax_backoff_seconds = 4294967295",
        "sync = \"* * * * *\"",
    );
    let mut agenda = Agenda::new(&config, 7, at("08:00:00"));
    for _ in 0..100 {
        agenda.ended(&sync(), at("08:00:00"), at("08:00:00"), Ended::Failed);
    }
    assert_eq!(agenda.entry(&sync()).unwrap().failures, 100);
    assert!(due(&agenda, &sync()) > at("08:00:00"));
}

#[test]
fn whoever_works_on_the_state_puts_a_job_off_shortly_and_that_is_no_failure() {
    let mut agenda = agenda("sync = \"5 * * * *\"", "08:00:00");
    let by = "process 7 (kinset apply)".to_owned();
    agenda.ended(&sync(), at("08:05:00"), at("08:05:00"), Ended::Held { by: by.clone() });
    let entry = agenda.entry(&sync()).unwrap();
    assert_eq!((entry.failures, entry.held_by.clone()), (0, Some(by)));
    assert!(due(&agenda, &sync()) > at("08:05:00") && due(&agenda, &sync()) <= at("08:06:00"));
    agenda.ended(&sync(), at("08:05:20"), at("08:05:21"), Ended::Well);
    assert_eq!(agenda.entry(&sync()).unwrap().held_by, None);
}

#[test]
fn a_clock_that_is_set_back_brings_no_silence() {
    let mut agenda = agenda("sync = \"5 * * * *\"", "20:00:00");
    assert_eq!(agenda.due(at("20:05:00")), Some(sync()));
    agenda.ended(&sync(), at("20:05:00"), at("20:05:10"), Ended::Well);
    agenda.set_back(at("03:00:00"));
    assert_eq!(agenda.due(at("03:00:00")), None);
    assert_eq!(due(&agenda, &sync()), at("03:05:00"));
    assert_eq!(agenda.due(at("03:05:00")), Some(sync()));
}

#[test]
fn what_is_due_by_the_old_clock_and_by_the_new_one_stays_due() {
    let mut agenda = agenda("pull = \"*/10 * * * *\"\nsync = \"5 * * * *\"", "08:00:00");
    assert_eq!(agenda.due(at("08:06:00")), Some(sync()));
    agenda.ended(&sync(), at("08:06:00"), at("08:30:00"), Ended::Well);
    agenda.set_back(at("08:29:30"));
    let pull = Job::of_tracker("kernel", JobKind::Pull);
    assert_eq!(due(&agenda, &pull), at("08:10:00"));
    assert_eq!(agenda.due(at("08:29:30")), Some(pull));
}

#[test]
fn what_is_due_soon_is_not_put_off_to_the_next_day_by_a_clock_that_is_set_back_a_little() {
    let mut agenda = agenda("sync = \"5 20 * * *\"", "19:00:00");
    agenda.ended(&sync(), at("20:05:00"), at("20:05:02"), Ended::Held { by: "somebody".to_owned() });
    assert_eq!(due(&agenda, &sync()), at("20:05:22"));
    agenda.set_back(at("20:05:08"));
    assert_eq!(due(&agenda, &sync()), at("20:05:22"));
}

#[test]
fn a_clock_that_is_set_back_does_not_prolong_the_wait_after_a_failure() {
    let mut agenda = agenda("sync = \"5 * * * *\"", "20:00:00");
    agenda.ended(&sync(), at("20:05:00"), at("20:05:00"), Ended::Failed);
    agenda.set_back(at("03:00:00"));
    assert_eq!(agenda.entry(&sync()).unwrap().failures, 1);
    assert!(due(&agenda, &sync()) <= at("03:01:00"), "{}", due(&agenda, &sync()));
}

#[test]
fn a_clock_that_is_set_forward_brings_one_run_and_no_burst() {
    let mut agenda = agenda("sync = \"*/5 * * * *\"", "03:00:00");
    assert_eq!(agenda.due(at("20:02:00")), Some(sync()));
    agenda.ended(&sync(), at("20:02:00"), at("20:02:01"), Ended::Well);
    assert_eq!(agenda.due(at("20:02:01")), None);
    assert_eq!(due(&agenda, &sync()), at("20:05:00"));
}

#[test]
fn times_are_spread_within_the_jitter_and_the_same_seed_spreads_them_alike() {
    let config = config("jitter_seconds = 120", "sync = \"5 * * * *\"\npull = \"5 * * * *\"");
    let drawn = |seed: u64, now: &str| due(&Agenda::new(&config, seed, at(now)), &sync());
    let all: std::collections::BTreeSet<Timestamp> = (0..50).map(|seed| drawn(seed, "08:00:00")).collect();
    assert!(all.len() > 40, "{all:?}");
    assert!(all.iter().all(|due| *due >= at("08:05:00") && *due <= at("08:07:00")), "{all:?}");
    assert_eq!(drawn(7, "08:00:00"), drawn(7, "08:00:30"));
    let agenda = Agenda::new(&config, 7, at("08:00:00"));
    assert_ne!(due(&agenda, &sync()), due(&agenda, &Job::of_tracker("kernel", JobKind::Pull)));
}

#[test]
fn another_configuration_changes_only_what_it_is_about() {
    let mut agenda = agenda("sync = \"5 * * * *\"\npull = \"*/10 * * * *\"\nsweep = \"0 3 * * *\"", "08:00:00");
    agenda.ended(&sync(), at("08:05:00"), at("08:05:00"), Ended::Failed);
    let before = due(&agenda, &sync());
    let pull = Job::of_tracker("kernel", JobKind::Pull);
    agenda.adopt(&config(PUNCTUAL, "sync = \"5 * * * *\"\npull = \"*/20 * * * *\""), at("08:06:00"));
    assert_eq!(due(&agenda, &sync()), before);
    assert_eq!(agenda.entry(&sync()).unwrap().failures, 1);
    assert_eq!(due(&agenda, &pull), at("08:20:00"));
    assert!(agenda.entry(&Job::of_tracker("kernel", JobKind::Sweep)).is_none());
    agenda.adopt(
        &config(
            PUNCTUAL,
            "sync = \"5 * * * *\"\npull = \"*/20 * * * *\"\ntime_zone = \"Asia/Kathmandu\"",
        ),
        at("08:06:00"),
    );
    assert_eq!(
        due(&agenda, &sync()),
        at("08:20:00"),
        "five past is twenty past, a quarter of an hour from there"
    );
}

/// The agenda of a daemon that follows one which left this.
fn after(agenda: &Agenda, was_cut_short: bool, now: &str) -> Agenda {
    let known = |job| Known { job, was_cut_short };
    let known = agenda.rows().into_iter().map(known).collect();
    let mut agenda = Agenda::new(&config(PUNCTUAL, "sync = \"5 * * * *\""), 7, at(now));
    agenda.recall(known, at(now));
    agenda
}

#[test]
fn what_was_missed_while_no_daemon_ran_is_made_up_for_once() {
    let mut first = agenda("sync = \"5 * * * *\"", "08:00:00");
    first.told_mut(&sync()).unwrap().decision = Some(9);
    let mut second = after(&first, false, "13:30:00");
    assert_eq!(second.due(at("13:30:00")), Some(sync()));
    assert_eq!(second.last_decision(&sync()), Some(9));
    second.ended(&sync(), at("13:30:00"), at("13:31:00"), Ended::Well);
    assert_eq!(due(&second, &sync()), at("14:05:00"));
}

#[test]
fn a_job_that_a_daemon_ended_in_the_middle_of_has_failed() {
    let first = agenda("sync = \"5 * * * *\"", "08:00:00");
    let second = after(&first, true, "08:05:30");
    assert_eq!(second.entry(&sync()).unwrap().failures, 1);
    assert!(due(&second, &sync()) >= at("08:06:00"));
}

#[test]
fn what_an_earlier_daemon_left_counts_though_it_is_read_late() {
    let mut first = agenda("sync = \"5 * * * *\"", "08:00:00");
    first.ended(&sync(), at("08:05:00"), at("08:05:00"), Ended::Failed);
    first.told_mut(&sync()).unwrap().failing = true;
    let known = |job| Known { job, was_cut_short: false };
    let left = first.rows().into_iter().map(known).collect();
    let mut second = agenda("sync = \"5 * * * *\"", "13:30:00");
    second.ended(&sync(), at("14:05:00"), at("14:05:00"), Ended::Failed);
    second.told_mut(&sync()).unwrap().refused = Some("no-token".to_owned());
    let before = due(&second, &sync());
    second.recall(left, at("14:05:01"));
    let entry = second.entry(&sync()).unwrap();
    assert_eq!((entry.failures, entry.due), (2, Some(before)));
    assert!(entry.told.failing);
    assert_eq!(entry.told.refused.as_deref(), Some("no-token"));
}
