//! What is said of a stream in a release, in words.

use crate::model::packages::SeriesName;
use crate::model::packages::modules::{Because, End, Standing, StreamPath};

/// What a stream is to a release, in a word.
pub(super) const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Default => "default",
        Standing::Available => "available",
        Standing::NotBuilt => "-",
    }
}

/// A reason as a sentence.
pub(super) fn reason(because: &Because, stream: &StreamPath, release: &SeriesName) -> String {
    let ends = |end: &End| match end.date {
        Some(date) => format!("{stream} ends on {date} ({})", end.cause.words()),
        None => format!("{stream} ends, nobody knows when ({})", end.cause.words()),
    };
    match because {
        Because::AllReleases => "it is wanted for all releases".to_owned(),
        Because::Listed => format!("{release} is listed as one that it is wanted for"),
        Because::NotExcluded => format!("{release} is not excluded from those that it is wanted for"),
        Because::NotListed { platforms } => format!("it is wanted for {platforms} alone"),
        Because::Excluded => format!("{release} is excluded from those that it is wanted for"),
        Because::NoEnd => "nothing says that it ends".to_owned(),
        Because::NotAfterLast { last } => format!("it ends with {last}, and {release} is not after that"),
        Because::AfterLast { last } => format!("it ends with {last}, and {release} is after that"),
        Because::OutBeforeEnd { released, end } => format!("{release} is out on {released}, and {}", ends(end)),
        Because::MayBeOutBeforeEnd { end } => format!("nobody knows when {release} is out, and {}", ends(end)),
        Because::OutAfterEnd { released, end } => format!("{release} is out on {released} only, and {}", ends(end)),
        Because::OutAfterEndAnyway { not_before, end } => format!("{release} is out on {not_before} at the earliest, and {}", ends(end)),
        Because::Covers { eol } => format!("{release} ends on {eol}, and not after it"),
        Because::Outlived { eol, end } => format!("{release} lives until {eol}, and {}", ends(end)),
        Because::MayBeOutlived { end } => format!("nobody knows when {release} ends, and {}", ends(end)),
        Because::Undescribed => "no document describes it".to_owned(),
        Because::IsDefault => format!("it is the default of {} in {release}", stream.module),
    }
}
