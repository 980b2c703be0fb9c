//! What the daemon is told: schedules, quiet times, and how it goes about its work.

use std::num::NonZeroU32;

use jiff::Timestamp;
use kinset::config::{CronRule, Daemon, Notice, SyncMode, TrackerSchedule, Zone, example};

use super::config::{LEAST, least_with, parse, problems};

/// Every key, none with its default.
const FULL: &str = r#"
[daemon]
jitter_seconds = 0
backoff_seconds = 1
max_backoff_seconds = 2
keep_runs = 3
[daemon.notice]
command = ["tell", "some body"]
seconds = 4
failures = 5
[[tracker]]
name = "kernel"
url = "https://patchwork.example.org"
projects = ["alpha"]
policy = "additive"
sync = "apply"
[tracker.desired]
path = "patch-groups"
format = "pasta"
[tracker.schedule]
pull = "*/10 * * * *"
sweep = "@weekly"
sync = "30 5 * * * MON-FRI"
time_zone = "Europe/Berlin"
quiet = ["22:00-06:00", "12:00-13:00"]
"#;

fn number(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap()
}

#[test]
fn nothing_is_done_by_itself_unless_the_configuration_says_when() {
    let config = parse(LEAST);
    assert_eq!(
        config.daemon,
        Daemon {
            jitter_seconds: 30,
            backoff_seconds: number(60),
            max_backoff_seconds: number(3600),
            keep_runs: number(1000),
            notice: None,
        }
    );
    assert_eq!(config.trackers[0].schedule, TrackerSchedule::default());
    assert_eq!(config.trackers[0].schedule.zone.name(), "UTC");
    assert_eq!(config.trackers[0].sync, SyncMode::PlanOnly);
}

#[test]
fn every_key_of_the_daemon_sets_what_it_says() {
    let config = parse(FULL);
    let Daemon {
        jitter_seconds,
        backoff_seconds,
        max_backoff_seconds,
        keep_runs,
        notice,
    } = config.daemon;
    assert_eq!(
        (jitter_seconds, backoff_seconds, max_backoff_seconds, keep_runs),
        (0, number(1), number(2), number(3))
    );
    let notice = notice.unwrap();
    assert_eq!((notice.patience().as_secs(), notice.failures), (4, number(5)));
    assert_eq!(notice.command, ["tell", "some body"]);
    let tracker = &config.trackers[0];
    assert_eq!(tracker.sync, SyncMode::Apply);
    let TrackerSchedule {
        pull,
        sweep,
        sync,
        zone,
        quiet,
    } = &tracker.schedule;
    let rules = [pull, sweep, sync].map(|rule| rule.as_ref().map(CronRule::as_str));
    assert_eq!(rules, [Some("*/10 * * * *"), Some("@weekly"), Some("30 5 * * * MON-FRI")]);
    assert_eq!(zone.name(), "Europe/Berlin");
    assert_eq!(
        quiet.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["22:00-06:00", "12:00-13:00"]
    );
    let friday: Timestamp = "2026-11-20T23:59:00Z".parse().unwrap();
    let next = sync.as_ref().unwrap().next_after(friday, zone).unwrap();
    assert_eq!(next.to_string(), "2026-11-22T23:05:30Z", "Monday begins an hour earlier in Berlin");
}

#[test]
fn what_is_in_effect_reads_back_as_it_was() {
    for text in [LEAST, FULL, example()] {
        let config = parse(text);
        assert_eq!(parse(&config.to_effective_toml()), config, "{}", config.to_effective_toml());
    }
}

#[test]
fn a_distribution_that_follows_services_has_a_schedule_and_one_in_a_file_has_none() {
    let services = "[[distribution]]\nname = \"ubuntu\"\n[distribution.schedule]\npull = \"15 4 * * *\"\ntime_zone = \"Europe/London\"\n\
                    [[distribution.source]]\nkind = \"launchpad\"\n";
    let config = parse(services);
    let schedule = &config.distributions[0].schedule;
    assert_eq!(schedule.pull.as_ref().unwrap().as_str(), "15 4 * * *");
    assert_ne!(schedule.zone, Zone::default());
    assert_eq!(parse(&config.to_effective_toml()), config);
    assert_eq!(
        problems("[[distribution]]\nname = \"tidewater\"\nfile = \"t.toml\"\nschedule.pull = \"15 4 * * *\"\n"),
        [
            "4:1: `distribution.schedule`: this is for a distribution that follows services, and this one is kept in a file, which says it: remove it"
        ]
    );
}

/// What is said where a line stands under `[tracker.schedule]`.
fn about_schedule(line: &str) -> Vec<String> {
    problems(&format!("{LEAST}[tracker.schedule]\n{line}\n"))
}

#[test]
fn a_rule_that_is_none_is_told_with_what_cron_says_of_it() {
    const EXPECTED: &str = "expected when, as cron has it: minute, hour, day, month, weekday, such as \"5 * * * *\", found";
    let rules = [
        ("61 * * * *", "(Component error: Number out of bounds.)"),
        ("0 0 30 2 *", "(it never comes)"),
        (
            "* * * *",
            "(Invalid pattern: Pattern must have 5 or 6 fields when years are disallowed.)",
        ),
        (
            "0 0 0 1 1 * 2030",
            "(Invalid pattern: Pattern must have 5 or 6 fields when years are disallowed.)",
        ),
    ];
    for (rule, why) in rules {
        assert_eq!(
            about_schedule(&format!("sync = \"{rule}\"")),
            [format!("10:8: `tracker.schedule.sync`: {EXPECTED} \"{rule}\" {why}")]
        );
    }
    assert_eq!(about_schedule("sync = 5"), [format!("10:8: `tracker.schedule.sync`: {EXPECTED} 5")]);
}

#[test]
fn each_other_mistake_is_told_with_its_place_and_what_was_expected() {
    assert_eq!(
        about_schedule("time_zone = \"Europe/Bärlin\""),
        [
            "10:13: `tracker.schedule.time_zone`: expected the name of a time zone that this machine knows, such as \"Europe/Berlin\", found \
          \"Europe/Bärlin\""
        ]
    );
    assert_eq!(
        about_schedule("quiet = [\"22:00\"]"),
        ["10:9: `tracker.schedule.quiet`: expected a list of times of day, such as [\"22:00-06:00\"], found \"22:00\""]
    );
    assert_eq!(
        about_schedule("sinc = \"5 * * * *\""),
        ["10:1: `tracker.schedule.sinc`: unknown key; did you mean `sync`?"]
    );
    assert_eq!(
        problems(&least_with("policy", "sync = \"yes\"\npolicy")),
        [
            "5:8: `tracker.sync`: expected \"plan-only\" (the daemon records its plans and writes nothing) or \"apply\" (it carries them out), found \
          \"yes\""
        ]
    );
    let daemon = |lines: &str| problems(&format!("[daemon]\n{lines}\n{LEAST}"));
    assert_eq!(
        daemon("backoff_seconds = 0"),
        ["2:19: `daemon.backoff_seconds`: expected a whole number from 1 to 4294967295, found 0"]
    );
    assert_eq!(
        daemon("backoff_seconds = 4000"),
        [
            "2:19: `daemon.backoff_seconds`: the wait after a first failure would be 4000 s, and the longest 3600 s: make `backoff_seconds` less, or \
          `max_backoff_seconds` more"
        ]
    );
    assert_eq!(
        daemon("notice = { command = [\"tell\"], seconds = 121 }"),
        ["2:42: `daemon.notice.seconds`: expected a whole number from 1 to 120, found 121"]
    );
    assert_eq!(
        daemon("notice = {}"),
        [
            "2:10: `daemon.notice.command`: missing; add it under [daemon.notice]: a list of a command and its arguments, such as \
          [\"/usr/local/bin/tell-somebody\"]"
        ]
    );
    assert_eq!(
        daemon("notice = { command = [] }"),
        [
            "2:22: `daemon.notice.command`: expected a list of a command and its arguments, such as [\"/usr/local/bin/tell-somebody\"], found an empty \
          list"
        ]
    );
    assert_eq!(
        Notice {
            command: vec!["tell".into()],
            seconds: number(30),
            failures: number(3)
        },
        {
            let text = format!("[daemon.notice]\ncommand = [\"tell\"]\n{LEAST}");
            parse(&text).daemon.notice.unwrap()
        }
    );
}
