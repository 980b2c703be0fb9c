//! What modulemd-obsoletes documents say of a stream.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::{Deserialize, Serialize};

use super::StreamPath;
use crate::model::packages::ContextName;

/// That a stream ends, or that it does not after all.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Obsoletes {
    /// When it was said. Of two for the same context the newer one counts.
    pub modified: Timestamp,
    /// The context that it is about; `None`: all.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub context: Option<ContextName>,
    /// Takes back what was said before.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub reset: bool,
    /// When the stream ends; `None`: at once.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eol: Option<Date>,
    /// Why, for people.
    pub message: String,
    /// What to use instead.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub obsoleted_by: Option<StreamPath>,
}

impl Obsoletes {
    /// The day of the end, in UTC.
    #[must_use]
    pub fn date(&self) -> Date {
        self.eol.unwrap_or_else(|| self.modified.to_zoned(TimeZone::UTC).date())
    }
}

/// What holds of a context: of what is said of it and of all contexts the newest, and of two as new what is said of it alone. `None` if nothing is said,
/// or if that takes back what was said before.
#[must_use]
pub fn newest<'o>(obsoletes: &'o [Obsoletes], context: &ContextName) -> Option<&'o Obsoletes> {
    let is_meant = |one: &&Obsoletes| one.context.as_ref().is_none_or(|meant| meant == context);
    let newest = obsoletes
        .iter()
        .filter(is_meant)
        .max_by_key(|one| (one.modified, &one.context, *one));
    newest.filter(|one| !one.reset)
}
