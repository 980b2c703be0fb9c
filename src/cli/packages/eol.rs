//! `kinset eol`

use clap::Args;
use jiff::civil::Date;
use serde::Serialize;

use super::arguments::{AsOf, Shape, day};
use super::ask;
use super::module::today;
use super::show::{self, Entry};
use crate::cli::Status;
use crate::cli::failure::Failure;
use crate::cli::wiring::ConfigFile;
use crate::model::packages::DistributionName;
use crate::model::packages::modules::{DatePolicy, Ended, Ending, StreamPath};

#[derive(Debug, Args)]
pub(in crate::cli) struct EolArguments {
    /// What ends on this day or before
    #[arg(long, value_name = "DATE", value_parser = day)]
    by: Date,
    /// What ends on this day or after [default: today]
    #[arg(long, value_name = "DATE", value_parser = day)]
    from: Option<Date>,
    /// The distribution [default: all]
    #[arg(long, value_name = "NAME")]
    distribution: Option<DistributionName>,
    /// How a day on which a stream ends meets releases, as for `kinset module matrix`
    #[arg(long, value_name = "POLICY", default_value_t = DatePolicy::default())]
    policy: DatePolicy,
    #[command(flatten)]
    as_of: AsOf,
    #[command(flatten)]
    shape: Shape,
}

#[derive(Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
struct EndingEntry {
    #[serde(flatten)]
    ending: Ending,
    distribution: DistributionName,
}

impl EndingEntry {
    fn path(&self) -> String {
        let name = match &self.ending.what {
            Ended::Series { series, .. } => series.to_string(),
            Ended::Stream { stream, .. } => stream.to_string(),
            Ended::Package { package, .. } => package.to_string(),
        };
        format!("{}/{name}", self.distribution)
    }
}

impl Entry for EndingEntry {
    const HEADINGS: &'static [&'static str] = &["DATE", "KIND", "NAME", "BECAUSE"];

    fn cells(&self) -> Vec<String> {
        let because = match &self.ending.what {
            Ended::Series { milestone, .. } => milestone.to_string(),
            Ended::Stream { cause, .. } => cause.words(),
            Ended::Package { through, .. } if through.is_empty() => "branch".to_owned(),
            Ended::Package { through, .. } => through.iter().map(StreamPath::to_string).collect::<Vec<_>>().join(" "),
        };
        vec![
            self.ending.date.to_string(),
            self.ending.what.kind().to_owned(),
            self.path(),
            because,
        ]
    }

    fn name(&self) -> String {
        self.path()
    }
}

pub(in crate::cli) fn run(arguments: &EolArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let EolArguments {
        by,
        from,
        distribution,
        policy,
        as_of,
        shape,
    } = arguments;
    let today = today(*as_of);
    let from = from.unwrap_or(today);
    let mut entries = ask(file, *as_of, |view| {
        let rows = match distribution {
            Some(name) => vec![view.distribution(name)?],
            None => view.distributions()?,
        };
        let mut entries = Vec::new();
        for row in rows {
            let lifecycles = view.lifecycles(&row, today)?;
            let mut endings = lifecycles.endings(&lifecycles.matrix(*policy), &view.branches(&row)?, from, *by);
            for series in view.series_of(&row)? {
                let dates = series.details.dates.iter().filter(|(milestone, _)| milestone.is_end());
                endings.extend(
                    dates
                        .filter(|(_, date)| (from..=*by).contains(date))
                        .map(|(milestone, date)| Ending {
                            date: *date,
                            what: Ended::Series {
                                series: series.path.series.clone(),
                                milestone: milestone.clone(),
                            },
                        }),
                );
            }
            entries.extend(endings.into_iter().map(|ending| EndingEntry {
                ending,
                distribution: row.name.clone(),
            }));
        }
        Ok(entries)
    })?;
    entries.sort();
    show::list(&entries, *shape)?;
    Ok(Status::Done)
}
