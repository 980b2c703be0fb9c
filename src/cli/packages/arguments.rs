//! What the commands of the package model have in common on the command line.

use std::fs;
use std::os::unix::fs::MetadataExt as _;

use clap::Args;
use jiff::civil::{Date, DateTime};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan as _};

use crate::cli::args::Format;
use crate::model::packages::{DistributionName, NameError, Party, SeriesName};
use crate::store::Fault;
use crate::store::packages::{SeriesRow, View};

/// Which distribution and series are meant.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Place {
    /// The distribution [default: the only one]
    #[arg(long, value_name = "NAME")]
    pub distribution: Option<DistributionName>,
    /// The series [default: the current one]
    #[arg(long, value_name = "NAME")]
    pub series: Option<SeriesName>,
}

impl Place {
    pub(super) fn series(&self, view: &View<'_>) -> Result<SeriesRow, Fault> {
        view.series_meant(self.distribution.as_ref(), self.series.as_ref())
    }
}

/// Which moment is meant.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::cli) struct AsOf {
    /// Answer as it was: a time such as 2026-03-01T12:00:00Z, or a date, which is its end in UTC
    #[arg(long, value_name = "DATE", value_parser = moment)]
    pub as_of: Option<Timestamp>,
}

/// How answers are printed.
#[derive(Clone, Copy, Debug, Args)]
pub(in crate::cli) struct Shape {
    /// How to print it
    #[arg(long, value_enum, default_value_t = Format::Text)]
    pub format: Format,
    /// Print names only, one a line
    #[arg(long, short, conflicts_with = "format")]
    pub quiet: bool,
}

/// How something is changed.
#[derive(Clone, Debug, Args)]
pub(in crate::cli) struct Doing {
    /// Who the log says did it [default: `$KINSET_ACTOR`, else the user who is logged in, else their number]
    #[arg(long, value_name = "NAME", env = "KINSET_ACTOR", hide_env = true)]
    pub actor: Option<String>,
    /// Change series that have ended, too
    #[arg(long)]
    pub force: bool,
    /// Show what would change, and change nothing
    #[arg(long)]
    pub dry_run: bool,
}

impl Doing {
    /// Who does it. Whoever became root for it is meant, not root.
    pub(super) fn actor(&self) -> String {
        let named = self.actor.clone().into_iter();
        let logged_in = ["SUDO_USER", "LOGNAME", "USER"]
            .iter()
            .filter_map(|variable| std::env::var(variable).ok());
        let known = named.chain(logged_in).find(|name| !name.is_empty());
        // A service has no name in its environment, but a number.
        let number = || fs::metadata("/proc/self").map_or_else(|_| "unknown".to_owned(), |me| format!("uid{}", me.uid()));
        known.unwrap_or_else(number)
    }

    /// Who is in charge of what is made: whoever is named, else whoever makes it.
    pub(super) fn owner(&self, named: Option<Party>) -> Result<Party, NameError> {
        named.map_or_else(|| self.actor().parse().map(Party::Person), Ok)
    }
}

/// Reads a time, or a date: the last moment of it, in UTC.
pub(super) fn moment(text: &str) -> Result<Timestamp, String> {
    time_or(text, |date| midnight(date.tomorrow()?)?.checked_sub(1.microsecond()))
}

/// Reads a time, or a date: the first moment of it, in UTC.
pub(super) fn beginning(text: &str) -> Result<Timestamp, String> {
    time_or(text, midnight)
}

fn time_or(text: &str, of_date: impl FnOnce(Date) -> Result<Timestamp, jiff::Error>) -> Result<Timestamp, String> {
    if let Ok(time) = text.parse::<Timestamp>() {
        return Ok(time);
    }
    if text.parse::<DateTime>().is_ok() && date(text).is_err() {
        return Err("a time needs its zone: add `Z` for UTC, as in 2026-03-01T12:00:00Z".to_owned());
    }
    let time = date(text).and_then(of_date);
    time.map_err(|_| "expected a date such as 2026-03-01, or a time such as 2026-03-01T12:00:00Z".to_owned())
}

/// A date and nothing behind it: of a date with a time, the time would be lost.
fn date(text: &str) -> Result<Date, jiff::Error> {
    Date::strptime("%Y-%m-%d", text)
}

/// Reads a day.
pub(super) fn day(text: &str) -> Result<Date, String> {
    date(text).map_err(|_| "expected a date such as 2026-03-01".to_owned())
}

fn midnight(date: Date) -> Result<Timestamp, jiff::Error> {
    Ok(date.to_zoned(TimeZone::UTC)?.timestamp())
}

#[cfg(test)]
mod tests {
    use super::{beginning, moment};

    #[test]
    fn a_date_is_the_end_of_it() {
        assert_eq!(moment("2026-02-28").unwrap().to_string(), "2026-02-28T23:59:59.999999Z");
        assert_eq!(moment("2026-03-01T12:00:00+02:00").unwrap().to_string(), "2026-03-01T10:00:00Z");
        assert_eq!(beginning("2026-03-01").unwrap().to_string(), "2026-03-01T00:00:00Z");
        assert!(moment("March").is_err());
        assert!(moment("2026-02-30").is_err());
    }
}
