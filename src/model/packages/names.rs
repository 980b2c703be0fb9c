//! Names of the package model, checked once where they come in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::remedy::Remedy;

/// Longer names are refused: no service that kinset mirrors has any.
const MOST_LETTERS: usize = 200;

/// Why a text is no name.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("expected {what}: {rule}; found {found:?}")]
pub struct NameError {
    what: &'static str,
    rule: &'static str,
    found: String,
}

impl NameError {
    fn new(what: &'static str, rule: &'static str, found: &str) -> Self {
        Self {
            what,
            rule,
            found: found.chars().take(80).collect(),
        }
    }
}

impl Remedy for NameError {}

/// The rule of most names: Launchpad's and Debian's, and the capitals and underscores that RPM allows besides.
const USUAL_RULE: &str = "a letter or digit, then letters, digits, `+`, `-`, `.` and `_`";

fn is_usual(text: &str) -> bool {
    text.len() <= MOST_LETTERS
        && text.starts_with(|first: char| first.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|letter| letter.is_ascii_alphanumeric() || b"+-._".contains(&letter))
}

macro_rules! name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $rule:expr, $is_valid:expr) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[serde(try_from = "String", into = "String")]
        pub struct $name(Box<str>);

        impl $name {
            /// The name as text.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = NameError;

            fn from_str(text: &str) -> Result<Self, NameError> {
                let is_valid: fn(&str) -> bool = $is_valid;
                if is_valid(text) {
                    Ok(Self(text.into()))
                } else {
                    Err(NameError::new($what, $rule, text))
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = NameError;

            fn try_from(text: String) -> Result<Self, NameError> {
                text.parse()
            }
        }

        impl From<$name> for String {
            fn from(name: $name) -> Self {
                name.0.into()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }
    };
}

name! {
    /// The name of a distribution: `ubuntu`, `fedora`.
    DistributionName, "the name of a distribution", USUAL_RULE, is_usual
}
name! {
    /// The name of a collection within its distribution; of most, the name of a series or release: `noble`, `f41`, `devel`.
    SeriesName, "the name of a series", USUAL_RULE, is_usual
}
name! {
    /// The name of a source package within its distribution.
    PackageName, "the name of a package", USUAL_RULE, is_usual
}
name! {
    /// The name of a package set, unique within a series.
    PackageSetName, "the name of a package set", USUAL_RULE, is_usual
}
name! {
    /// The name of a component of an archive: `main`, `universe`.
    ComponentName, "the name of a component", USUAL_RULE, is_usual
}
name! {
    /// The name that a person's account goes by, in the distribution's own system of accounts.
    PersonName, "the name of a person", USUAL_RULE, is_usual
}
name! {
    /// The name of a team: Launchpad's word for a group of people, Fedora's is group.
    TeamName, "the name of a team", USUAL_RULE, is_usual
}
name! {
    /// What ties the incarnations of one package set over several series together, distributions included.
    GroupName, "the name of a package set group", "a distribution's name, `/`, and a set's name, with `~` and a number where that was taken", |text| {
        text.split_once('/').is_some_and(|(distribution, set)| {
            let (set, number) = set.split_once('~').unwrap_or((set, "2"));
            is_usual(distribution) && is_usual(set) && number.bytes().all(|letter| letter.is_ascii_digit()) && !number.is_empty()
        })
    }
}

impl GroupName {
    /// The name of the group that begins with a set of that name.
    #[must_use]
    pub fn beginning_with(distribution: &DistributionName, set: &PackageSetName) -> Self {
        Self(format!("{distribution}/{set}").into())
    }
}

/// A series, with the distribution that it is of. Its text is `ubuntu/noble`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct SeriesPath {
    /// The distribution.
    pub distribution: DistributionName,
    /// The series in it.
    pub series: SeriesName,
}

impl fmt::Display for SeriesPath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.distribution, self.series)
    }
}

impl FromStr for SeriesPath {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        let (distribution, series) = text
            .split_once('/')
            .ok_or_else(|| NameError::new("a distribution and a series", "as in `ubuntu/noble`", text))?;
        Ok(Self {
            distribution: distribution.parse()?,
            series: series.parse()?,
        })
    }
}

impl TryFrom<String> for SeriesPath {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<SeriesPath> for String {
    fn from(path: SeriesPath) -> Self {
        path.to_string()
    }
}

/// Who is given something: a person, or all people in a team. The text of a team begins with `@`, as in Fedora's own files.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub enum Party {
    /// One person.
    Person(PersonName),
    /// Whoever is in the team, through other teams too.
    Team(TeamName),
}

impl fmt::Display for Party {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Person(person) => person.fmt(f),
            Self::Team(team) => write!(f, "@{team}"),
        }
    }
}

impl FromStr for Party {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        match text.strip_prefix('@') {
            Some(team) => team.parse().map(Self::Team),
            None => text.parse().map(Self::Person),
        }
    }
}

impl TryFrom<String> for Party {
    type Error = NameError;

    fn try_from(text: String) -> Result<Self, NameError> {
        text.parse()
    }
}

impl From<Party> for String {
    fn from(party: Party) -> Self {
        party.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_real_packages_and_sets_are_names() {
        for text in [
            "gtk+2.0",
            "libc++",
            "NetworkManager",
            "python3.12",
            "0ad",
            "mod_ssl",
            "canonical-oem-metapackages",
        ] {
            assert_eq!(text.parse::<PackageName>().unwrap().as_str(), text);
            assert_eq!(text.parse::<PackageSetName>().unwrap().to_string(), text);
        }
    }

    #[test]
    fn what_is_no_name_is_refused_with_what_was_expected() {
        for text in ["", "-x", "a b", "a/b", "a\u{1b}[2K", "ä", "@team", &"x".repeat(201)] {
            assert!(text.parse::<PackageName>().is_err(), "{text:?}");
        }
        insta::assert_snapshot!("a b".parse::<PackageSetName>().unwrap_err(), @r#"expected the name of a package set: a letter or digit, then letters, digits, `+`, `-`, `.` and `_`; found "a b""#);
    }

    #[test]
    fn parties_and_series_have_one_text_each() {
        for text in ["alice", "@kernel-team"] {
            assert_eq!(text.parse::<Party>().unwrap().to_string(), text);
        }
        assert_eq!("ubuntu/noble".parse::<SeriesPath>().unwrap().to_string(), "ubuntu/noble");
        assert!("noble".parse::<SeriesPath>().is_err());
        assert!("@".parse::<Party>().is_err());
    }

    #[test]
    fn a_group_is_named_by_where_it_began() {
        for text in ["ubuntu/core", "ubuntu/core~2"] {
            assert_eq!(text.parse::<GroupName>().unwrap().as_str(), text);
        }
        for text in ["core", "ubuntu/", "ubuntu/core~", "ubuntu/core~x"] {
            assert!(text.parse::<GroupName>().is_err(), "{text}");
        }
    }
}
