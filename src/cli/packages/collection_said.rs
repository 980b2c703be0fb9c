//! What can be said of a collection on the command line.

use std::str::FromStr;

use clap::Args;
use jiff::civil::Date;

use super::arguments::{Doing, day};
use crate::cli::failure::Failure;
use crate::model::packages::{
    Base, Branch, BranchName, CollectionStatus, DistTag, Milestone, MilestoneError, NameError, Party, SeriesDetails, SeriesName,
    SeriesVersion, UrlTemplate,
};

/// Something that is said, or with an empty text said no longer.
#[derive(Clone, Debug)]
pub(in crate::cli) struct OrNothing<T>(pub(super) Option<T>);

impl<T: FromStr> FromStr for OrNothing<T> {
    type Err = T::Err;

    fn from_str(text: &str) -> Result<Self, T::Err> {
        (!text.is_empty()).then(|| text.parse()).transpose().map(Self)
    }
}

/// What is said from now on: what was said before, unless something is said now.
pub(super) fn now<T>(said: Option<OrNothing<T>>, before: Option<T>) -> Option<T> {
    said.map_or(before, |said| said.0)
}

/// What is said of a collection.
#[derive(Debug, Args)]
pub(in crate::cli) struct Said {
    /// The stage that it is at, in kinset's words, Launchpad's or PackageDB's
    #[arg(long)]
    status: Option<CollectionStatus>,
    /// What people call it; together with the version unique in its distribution
    #[arg(long, value_name = "TEXT")]
    title: Option<OrNothing<String>>,
    /// The version, as text
    #[arg(long)]
    version: Option<SeriesVersion>,
    /// Who is in charge of it: a person, or @ and a team
    #[arg(long, value_name = "WHO")]
    owner: Option<Party>,
    /// What it is, in a line; like all texts here, nothing if it is empty
    #[arg(long, value_name = "TEXT")]
    summary: Option<OrNothing<String>>,
    /// What it is, at length
    #[arg(long, value_name = "TEXT")]
    description: Option<OrNothing<String>>,
    /// Its branch in version control
    #[arg(long, value_name = "NAME", requires = "dist_tag")]
    branch: Option<BranchName>,
    /// What marks the builds of the branch
    #[arg(long, value_name = "TAG", requires = "branch")]
    dist_tag: Option<DistTag>,
    /// The series that it was branched from
    #[arg(long, value_name = "SERIES", requires = "branch")]
    parent: Option<SeriesName>,
    /// Where its packages are published: a URL with `[ARCH]` and `[PACKAGE]` in it
    #[arg(long, value_name = "URL")]
    publish_url: Option<OrNothing<UrlTemplate>>,
    /// Where packages are that are built and not published yet
    #[arg(long, value_name = "URL")]
    pending_url: Option<OrNothing<UrlTemplate>>,
    /// A series that provides what this one lacks; the lowest priority, 0 if there is none, is asked first; may be given several times
    #[arg(long = "base", value_name = "SERIES[=PRIORITY]", value_parser = base)]
    bases: Vec<Base>,
    /// When something happened to it or is to happen, as in released=2025-04-15: created, released, eol, eol-esm, or a source's own word; may be
    /// given several times
    #[arg(long = "date", value_name = "MILESTONE=DATE", value_parser = dated)]
    dates: Vec<(Milestone, Date)>,
}

/// What is said of a collection no longer.
#[derive(Debug, Args)]
pub(in crate::cli) struct Unsaid {
    /// It has no branch any more
    #[arg(long, conflicts_with = "branch")]
    no_branch: bool,
    /// It lies over this series no longer; may be given several times
    #[arg(long = "no-base", value_name = "SERIES")]
    no_bases: Vec<SeriesName>,
    /// Nothing is known of when this happens; may be given several times
    #[arg(long = "no-date", value_name = "MILESTONE")]
    no_dates: Vec<Milestone>,
}

/// Reads a base, perhaps with a priority.
fn base(text: &str) -> Result<Base, String> {
    let (base, priority) = text.split_once('=').unwrap_or((text, "0"));
    Ok(Base {
        base: base.parse().map_err(|error: NameError| error.to_string())?,
        priority: priority
            .parse()
            .map_err(|_| "expected a series, and perhaps `=` and a whole number, as in devel=10".to_owned())?,
    })
}

/// Reads what happens when.
pub(super) fn dated(text: &str) -> Result<(Milestone, Date), String> {
    const EXPECTED: &str = "expected a milestone, `=` and a date, as in released=2025-04-15";
    let (milestone, date) = text.split_once('=').ok_or(EXPECTED)?;
    let milestone = milestone.parse().map_err(|error: MilestoneError| error.to_string())?;
    Ok((milestone, day(date).map_err(|_| EXPECTED.to_owned())?))
}

impl Said {
    /// What is said of a new series: it is in development and has no version, unless something else is said.
    pub(super) fn of_new(self, doing: &Doing) -> Result<SeriesDetails, Failure> {
        let owner = doing.owner(self.owner.clone())?;
        Ok(self.over(SeriesDetails::owned_by(owner)))
    }

    /// What is said of a series that was this before.
    pub(super) fn over(self, before: SeriesDetails) -> SeriesDetails {
        let Self {
            status,
            title,
            version,
            owner,
            summary,
            description,
            branch,
            dist_tag,
            parent,
            publish_url,
            pending_url,
            bases: said,
            dates: dated,
        } = self;
        let branch = branch.zip(dist_tag).map(|(name, dist_tag)| Branch { name, dist_tag, parent });
        let mut bases = before.bases;
        bases.retain(|base| said.iter().all(|said| said.base != base.base));
        bases.extend(said);
        let mut dates = before.dates;
        dates.extend(dated);
        SeriesDetails {
            title: now(title, before.title),
            version: version.unwrap_or(before.version),
            status: status.unwrap_or(before.status),
            owner: owner.unwrap_or(before.owner),
            summary: now(summary, before.summary),
            description: now(description, before.description),
            branch: branch.or(before.branch),
            publish_url: now(publish_url, before.publish_url),
            pending_url: now(pending_url, before.pending_url),
            bases,
            dates,
        }
    }
}

impl Unsaid {
    /// What is said of a series without this.
    pub(super) fn over(self, mut before: SeriesDetails) -> SeriesDetails {
        before.branch = before.branch.filter(|_| !self.no_branch);
        before.bases.retain(|base| !self.no_bases.contains(&base.base));
        before.dates.retain(|milestone, _| !self.no_dates.contains(milestone));
        before
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_base_may_have_a_priority() {
        let read = |text| base(text).map(|base| (base.base.to_string(), base.priority));
        assert_eq!(read("devel"), Ok(("devel".to_owned(), 0)));
        assert_eq!(read("devel=-3"), Ok(("devel".to_owned(), -3)));
        assert!(read("devel=x").is_err());
        assert!(read("=1").is_err());
    }

    #[test]
    fn a_date_is_of_something() {
        let read = |text| dated(text).map(|(milestone, date)| (milestone.to_string(), date.to_string()));
        assert_eq!(read("eol-esm=2030-04-25"), Ok(("eol-esm".to_owned(), "2030-04-25".to_owned())));
        for text in ["2030-04-25", "=2030-04-25", "eol=", "eol=2030-02-30", "eol=soon", "EOL=2030-04-25"] {
            assert!(read(text).is_err(), "{text}");
        }
    }

    #[test]
    fn an_empty_text_is_nothing() {
        assert!("".parse::<OrNothing<UrlTemplate>>().unwrap().0.is_none());
        assert!("x".parse::<OrNothing<UrlTemplate>>().is_err());
        assert_eq!(now(Some(OrNothing(None)), Some(1)), None);
        assert_eq!(now(None, Some(1)), Some(1));
        assert_eq!(now(Some(OrNothing(Some(2))), Some(1)), Some(2));
    }
}
