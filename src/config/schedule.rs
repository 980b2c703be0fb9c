//! When the daemon does something, and when it must not write.

use std::fmt;
use std::str::FromStr;

use croner::Cron;
use croner::parser::{CronParser, Seconds, Year};
use jiff::civil::Time;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

/// When something is done, as cron has it: minute, hour, day, month, weekday, and a second before them if need be.
///
/// Where clocks are set forward, a fixed time that is left out comes as soon as they are; where they are set back, a fixed time comes once. What
/// comes every so many minutes goes on doing so in both cases. That is Vixie cron's way.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CronRule {
    text: String,
    cron: Cron,
}

/// Why a text is no rule, in cron's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NoRule(pub(super) String);

impl CronRule {
    /// Takes a text as a rule.
    pub(super) fn new(text: &str) -> Result<Self, NoRule> {
        let parser = CronParser::builder().seconds(Seconds::Optional).year(Year::Disallowed).build();
        let cron = parser.parse(text).map_err(|error| NoRule(error.to_string()))?;
        let rule = Self {
            text: text.to_owned(),
            cron,
        };
        // A date that no year has, such as the 30th of February. The search for it takes long, so it is made here, once.
        match rule.next_after(Timestamp::UNIX_EPOCH, &Zone::default()) {
            Some(_) => Ok(rule),
            None => Err(NoRule("it never comes".to_owned())),
        }
    }

    /// The rule as it stands in the configuration.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The first time after this one that the rule names; `None` at the end of time.
    #[must_use]
    pub fn next_after(&self, after: Timestamp, zone: &Zone) -> Option<Timestamp> {
        let after = after.to_zoned(zone.0.clone());
        self.cron.find_next_occurrence(&after, false).ok().map(|next| next.timestamp())
    }
}

impl fmt::Display for CronRule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text.fmt(f)
    }
}

/// A time zone, by its name in the database of the IANA. Default: UTC.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Zone(TimeZone);

impl Default for Zone {
    fn default() -> Self {
        Self(TimeZone::UTC)
    }
}

impl Zone {
    /// Looks a name up among the zones that this machine knows.
    pub(super) fn new(name: &str) -> Option<Self> {
        TimeZone::get(name).ok().filter(|zone| zone.iana_name().is_some()).map(Self)
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        self.0.iana_name().unwrap_or("UTC")
    }
}

/// A time of each day, from one minute to another; over midnight where the second is the earlier one. The first minute belongs to it, the last does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct QuietTime {
    from: Time,
    to: Time,
}

impl FromStr for QuietTime {
    type Err = NoQuietTime;

    fn from_str(text: &str) -> Result<Self, NoQuietTime> {
        let time = |text: &str| match text.as_bytes() {
            [_, _, b':', _, _] => Time::strptime("%H:%M", text).map_err(|_| NoQuietTime),
            _ => Err(NoQuietTime),
        };
        let (from, to) = text.split_once('-').ok_or(NoQuietTime)?;
        let (from, to) = (time(from.trim())?, time(to.trim())?);
        // From a time to itself is either never or always, and nobody knows which.
        if from == to { Err(NoQuietTime) } else { Ok(Self { from, to }) }
    }
}

/// A text that is no time of day.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not two different times of day")]
pub struct NoQuietTime;

impl QuietTime {
    fn has(self, time: Time) -> bool {
        if self.from < self.to {
            self.from <= time && time < self.to
        } else {
            self.from <= time || time < self.to
        }
    }
}

impl fmt::Display for QuietTime {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { from, to } = self;
        write!(f, "{}-{}", from.strftime("%H:%M"), to.strftime("%H:%M"))
    }
}

/// What a sync of a tracker may do.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SyncMode {
    /// Plans are made and recorded, and nothing is ever written.
    #[default]
    PlanOnly,
    /// Plans are carried out, unless a guard trips.
    Apply,
}

impl SyncMode {
    /// The word that stands for it in the configuration.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PlanOnly => "plan-only",
            Self::Apply => "apply",
        }
    }
}

/// When the daemon does what with a tracker. What has no rule is never done by itself.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TrackerSchedule {
    /// When what changed is read.
    pub pull: Option<CronRule>,
    /// When everything is read.
    pub sweep: Option<CronRule>,
    /// When a plan is made, and carried out if the tracker's [`SyncMode`] is to do so.
    pub sync: Option<CronRule>,
    /// The zone that rules and times of day are meant in.
    pub zone: Zone,
    /// When nothing is written.
    pub quiet: Vec<QuietTime>,
}

impl TrackerSchedule {
    /// Whether nothing must be written now.
    #[must_use]
    pub fn is_quiet(&self, now: Timestamp) -> bool {
        let time = now.to_zoned(self.zone.0.clone()).time();
        self.quiet.iter().any(|quiet| quiet.has(time))
    }

    /// When nothing must be written any more, if there is such a time.
    #[must_use]
    pub fn next_quiet(&self, now: Timestamp) -> Option<Timestamp> {
        let zone = &self.zone.0;
        let today = now.to_zoned(zone.clone()).date();
        let begins = |quiet: &QuietTime| {
            let days = [Some(today), today.checked_add(1.day()).ok()];
            let times = days
                .into_iter()
                .flatten()
                .filter_map(|day| zone.to_timestamp(day.to_datetime(quiet.from)).ok());
            times.filter(|begin| *begin > now).min()
        };
        self.quiet.iter().filter_map(begins).min()
    }
}

/// When the daemon does what with a distribution that follows services.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DistributionSchedule {
    /// When its services are read, and what they say is taken in.
    pub pull: Option<CronRule>,
    /// The zone that the rule is meant in.
    pub zone: Zone,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moment(text: &str) -> Timestamp {
        text.parse().unwrap()
    }

    /// The next times that a rule names.
    fn next(rule: &str, zone: &str, after: &str, count: usize) -> Vec<String> {
        let (rule, zone) = (CronRule::new(rule).unwrap(), Zone::new(zone).unwrap());
        let times = std::iter::successors(rule.next_after(moment(after), &zone), |last| rule.next_after(*last, &zone));
        times.take(count).map(|time| time.to_string()).collect()
    }

    #[test]
    fn a_fixed_time_that_is_left_out_in_spring_comes_when_clocks_are_set_and_once_that_day() {
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", "2026-03-28T12:00:00Z", 3),
            ["2026-03-29T01:00:00Z", "2026-03-30T00:30:00Z", "2026-03-31T00:30:00Z"]
        );
    }

    #[test]
    fn a_fixed_time_that_comes_twice_in_autumn_counts_once() {
        assert_eq!(
            next("30 2 * * *", "Europe/Berlin", "2026-10-24T12:00:00Z", 2),
            ["2026-10-25T00:30:00Z", "2026-10-26T01:30:00Z"]
        );
    }

    #[test]
    fn what_comes_every_half_hour_goes_on_doing_so_while_clocks_are_set() {
        assert_eq!(
            next("*/30 * * * *", "Europe/Berlin", "2026-10-25T00:15:00Z", 4),
            [
                "2026-10-25T00:30:00Z",
                "2026-10-25T01:00:00Z",
                "2026-10-25T01:30:00Z",
                "2026-10-25T02:00:00Z"
            ]
        );
        assert_eq!(
            next("*/30 * * * *", "Europe/Berlin", "2026-03-29T00:15:00Z", 3),
            ["2026-03-29T00:30:00Z", "2026-03-29T01:00:00Z", "2026-03-29T01:30:00Z"]
        );
    }

    #[test]
    fn a_date_that_no_year_has_is_no_rule() {
        assert_eq!(CronRule::new("0 0 30 2 *"), Err(NoRule("it never comes".to_owned())));
        assert!(CronRule::new("0 0 29 2 *").is_ok());
    }

    fn schedule(zone: &str, quiet: &[&str]) -> TrackerSchedule {
        TrackerSchedule {
            zone: Zone::new(zone).unwrap(),
            quiet: quiet.iter().map(|quiet| quiet.parse().unwrap()).collect(),
            ..TrackerSchedule::default()
        }
    }

    #[test]
    fn a_quiet_time_goes_over_midnight_in_its_own_zone() {
        let schedule = schedule("Europe/Berlin", &["22:00-06:00"]);
        for (time, is_quiet) in [
            ("2026-07-01T19:59:59Z", false),
            ("2026-07-01T20:00:00Z", true),
            ("2026-07-02T03:59:59Z", true),
            ("2026-07-02T04:00:00Z", false),
            ("2026-12-01T20:30:00Z", false),
        ] {
            assert_eq!(schedule.is_quiet(moment(time)), is_quiet, "{time}");
        }
    }

    #[test]
    fn the_next_quiet_time_is_the_first_to_begin() {
        let schedule = schedule("UTC", &["22:00-06:00", "12:00-13:00"]);
        for (now, begin) in [
            ("2026-07-01T11:00:00Z", "2026-07-01T12:00:00Z"),
            ("2026-07-01T12:00:00Z", "2026-07-01T22:00:00Z"),
            ("2026-07-01T22:30:00Z", "2026-07-02T12:00:00Z"),
        ] {
            assert_eq!(schedule.next_quiet(moment(now)), Some(moment(begin)), "{now}");
        }
        assert_eq!(TrackerSchedule::default().next_quiet(moment("2026-07-01T11:00:00Z")), None);
    }

    #[test]
    fn times_of_day_that_mean_nothing_are_refused() {
        for text in [
            "",
            "22:00",
            "22:00-",
            "22:00-24:00",
            "22-06",
            "22:00-22:00",
            "2:00-3:00",
            "22:00-06:00-07:00",
        ] {
            assert_eq!(text.parse::<QuietTime>(), Err(NoQuietTime), "{text}");
        }
        assert_eq!("22:00 - 06:30".parse::<QuietTime>().unwrap().to_string(), "22:00-06:30");
    }
}
