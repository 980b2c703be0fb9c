//! What is said of a stream of a module.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::{Obsoletes, Platforms};
use crate::model::packages::{ContextName, ModuleName, NameError, PackageName, SeriesName, StreamName};

/// A stream of a module. Its text is `nodejs:10`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct StreamPath {
    /// The module.
    pub module: ModuleName,
    /// The stream.
    pub stream: StreamName,
}

impl fmt::Display for StreamPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.module, self.stream)
    }
}

impl FromStr for StreamPath {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (module, stream) = text.split_once(':').unwrap_or((text, ""));
        Ok(Self {
            module: module.parse()?,
            stream: stream.parse()?,
        })
    }
}

impl TryFrom<String> for StreamPath {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<StreamPath> for String {
    fn from(path: StreamPath) -> Self {
        path.to_string()
    }
}

/// What is said of a stream.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamDetails {
    /// When it ends, as whoever looks after it says, apart from its documents.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub eol: Option<StreamEol>,
    /// What it is made of, by context; one that was not built yet has the empty context alone.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub contexts: BTreeMap<ContextName, ContextDetails>,
    /// What is said of its being obsolete: of each context, and of all together, the newest.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub obsoletes: Vec<Obsoletes>,
}

impl StreamDetails {
    /// Adds what is said of its being obsolete: of each context, and of all together, the newest stays. Of two that are equally new any would do, if it
    /// is always the same one.
    pub fn add_obsoletes(&mut self, new: Obsoletes) {
        match self.obsoletes.iter_mut().find(|old| old.context == new.context) {
            Some(old) if *old < new => *old = new,
            Some(_) => {}
            None => self.obsoletes.push(new),
        }
        self.obsoletes.sort_by(|left, right| left.context.cmp(&right.context));
    }

    /// What is said of the end of a context, or of all.
    #[must_use]
    pub fn obsoletes_of(&self, context: Option<&ContextName>) -> Option<&Obsoletes> {
        self.obsoletes.iter().find(|said| said.context.as_ref() == context)
    }

    /// Whether nothing is said of it.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.eol.is_none() && self.contexts.is_empty() && self.obsoletes.is_empty()
    }

    /// The source packages in any of its contexts.
    #[must_use]
    pub fn packages(&self) -> BTreeSet<&PackageName> {
        self.contexts.values().flat_map(|context| &context.packages).collect()
    }

    /// The same with the newest of what is said of its being obsolete, in the order of contexts.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        for said in std::mem::take(&mut self.obsoletes) {
            self.add_obsoletes(said);
        }
        self
    }
}

/// The two forms that the third seed has for an end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum StreamEol {
    /// On a day.
    Date(Date),
    /// With a release, which is the last that it is built for.
    Release(SeriesName),
}

impl fmt::Display for StreamEol {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Date(date) => date.fmt(f),
            Self::Release(release) => release.fmt(f),
        }
    }
}

impl FromStr for StreamEol {
    type Err = NameError;

    /// A date is a date; anything else is the name of a release.
    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.parse() {
            Ok(date) => Ok(Self::Date(date)),
            Err(_) => text.parse().map(Self::Release),
        }
    }
}

/// What a stream is in one context: built against one choice of what it needs.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ContextDetails {
    /// The newest build; 0 if it was not built yet.
    #[serde(default)]
    pub version: u64,
    /// For which releases it is wanted: where it runs.
    #[serde(default)]
    pub platforms: Platforms,
    /// How well it is looked after until when; a level without a date says nothing.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub service_levels: BTreeMap<String, Option<Date>>,
    /// The source packages in it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub packages: BTreeSet<PackageName>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stream_is_text_whatever_it_looks_like() {
        for text in ["nodejs:10", "perl:5.30", "postgresql:9.6", "x:1.10", "x:010", "x:yes", "x:stream_☃"] {
            assert_eq!(text.parse::<StreamPath>().unwrap().to_string(), text);
        }
        for text in ["nodejs", "nodejs:", ":10", "nodejs:10:2", "nodejs:1 0"] {
            assert!(text.parse::<StreamPath>().is_err(), "{text}");
        }
    }

    #[test]
    fn an_end_is_a_date_or_a_release() {
        assert_eq!("2019-12-31".parse(), Ok(StreamEol::Date(jiff::civil::date(2019, 12, 31))));
        assert_eq!("f30".parse(), Ok(StreamEol::Release("f30".parse().unwrap())));
    }
}
