//! Names of the package model, checked once where they come in.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::model::UserName;
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
    /// The name of a built (binary) package; of one version only one has it.
    BuiltPackageName, "the name of a built package", USUAL_RULE, is_usual
}
name! {
    /// The id that a group of built packages, or a category of groups, has in a comps file: `gnome-desktop`. Unique within a collection.
    CompsName, "the id of a group or category", USUAL_RULE, is_usual
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
    /// The name that a person's account goes by, in the distribution's own system of accounts, or in a tracker's where the tracker is meant.
    ///
    /// Django, and so Patchwork, allows more letters than others, and no name of an account is to be refused here: this is Django's rule
    /// without its bound of length, and `%`, which stands for whatever else there is (`PersonName::from` of a [`UserName`]). An `@` at the
    /// beginning would make it a [`Party::Team`].
    PersonName, "the name of a person", "letters, digits, `@`, `.`, `+`, `-`, `_` and `%`, and no `@` at the beginning", |text| {
        !text.is_empty() && !text.starts_with('@') && text.chars().all(|letter| is_account_letter(letter) || letter == '%')
    }
}

/// The letters of Django's `UnicodeUsernameValidator`.
fn is_account_letter(letter: char) -> bool {
    letter.is_alphanumeric() || "@.+-_".contains(letter)
}

/// The account that owns packages which nobody looks after: PackageDB's, and today that of Fedora's dist-git.
const ORPHAN: &str = "orphan";

impl From<&UserName> for PersonName {
    /// Each user of a tracker has a name of their own here, whatever the tracker calls them: letters that it cannot have are written as in
    /// addresses, `%40` for an `@` at the beginning, and so is `%`. No name at all is a lone `%`.
    fn from(UserName(user): &UserName) -> Self {
        let mut name = String::with_capacity(user.len());
        for (place, letter) in user.char_indices() {
            if is_account_letter(letter) && (place > 0 || letter != '@') {
                name.push(letter);
                continue;
            }
            for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                name.push_str(&format!("%{byte:02X}"));
            }
        }
        if name.is_empty() {
            name.push('%');
        }
        Self(name.into())
    }
}
name! {
    /// The name of a team: Launchpad's word for a group of people, Fedora's is group.
    TeamName, "the name of a team", USUAL_RULE, is_usual
}
name! {
    /// The name of an architecture that packages are built for: `amd64`, `x86_64`.
    ArchName, "the name of an architecture", USUAL_RULE, is_usual
}
name! {
    /// The version of a series: `24.04`, `41`, `eln`; `0` of a collection that has no releases. Sorts as text;
    /// [`compare_series_versions`](super::compare_series_versions) knows which is newer.
    SeriesVersion, "the version of a series", USUAL_RULE, is_usual
}
name! {
    /// The name of a collection's branch in version control: `FC-3`, `epel9-next`, `ubuntu/noble`.
    BranchName, "the name of a branch", "letters, digits, `+`, `-`, `.` and `_`, each part between slashes beginning with a letter or digit", |text| {
        text.len() <= MOST_LETTERS && text.split('/').all(is_usual)
    }
}
name! {
    /// What the build system marks a collection's packages with: `.fc3` in their releases, `f41` in Koji.
    DistTag, "a dist tag", "perhaps a `.`, a letter or digit, then letters, digits, `+`, `-`, `.` and `_`", |text| {
        is_usual(text.strip_prefix('.').unwrap_or(text))
    }
}
name! {
    /// The name of a module: a unit of packages that live together, in one or more streams.
    ModuleName, "the name of a module", USUAL_RULE, is_usual
}
name! {
    /// The name of a stream of a module. It is text, also where it looks like a number: `1.10` is not `1.1`.
    StreamName, "the name of a stream", "letters, digits and signs, without `:` and without white space", |text| {
        !text.is_empty() && text.len() <= MOST_LETTERS && !text.chars().any(|letter| letter.is_whitespace() || letter.is_control() || letter == ':')
    }
}
name! {
    /// The context of a stream: what it was built against, hashed; empty if it was not built yet.
    #[derive(Default)]
    ContextName, "a context", "letters, digits, `+`, `-`, `.` and `_`, or nothing", |text| text.is_empty() || is_usual(text)
}
name! {
    /// What modules call a release: the stream of the module `platform`, such as `f29` or `el8`.
    PlatformName, "the name of a platform", USUAL_RULE, is_usual
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

impl Default for SeriesVersion {
    /// `0`, as PackageDB has it for a collection that has no releases.
    fn default() -> Self {
        Self("0".into())
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

impl Party {
    /// Whom packages belong to that nobody looks after.
    #[must_use]
    pub fn orphan() -> Self {
        Self::Person(PersonName(ORPHAN.into()))
    }
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
    use proptest::prelude::*;

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
    fn the_accounts_that_django_allows_are_names_of_people() {
        for text in ["alice", "_ci", "-x", "alice@example.org", "a+b", "zoë", "日本"] {
            assert_eq!(PersonName::from(&UserName(text.into())).as_str(), text);
            assert_eq!(text.parse(), Ok(Party::Person(text.parse().unwrap())));
        }
        for text in ["", "a b", "a/b", "a\u{1b}[2K"] {
            assert!(text.parse::<PersonName>().is_err(), "{text:?}");
        }
        assert_eq!("@alice".parse(), Ok(Party::Team("alice".parse().unwrap())));
    }

    proptest! {
        /// Written back it is what it was, so no two users share a name.
        #[test]
        fn each_user_of_a_tracker_has_a_name_of_their_own(user in "\\PC*|[@%a é]{0,4}|.*") {
            let name = PersonName::from(&UserName(user.clone()));
            prop_assert_eq!(name.as_str().parse(), Ok(Party::Person(name.clone())));
            let back = percent_encoding::percent_decode_str(name.as_str()).decode_utf8().unwrap();
            prop_assert_eq!(if name.as_str() == "%" { "" } else { &back }, user);
        }
    }

    #[test]
    fn branches_have_slashes_and_dist_tags_a_dot_in_front() {
        for text in ["FC-3", "devel", "ubuntu/noble"] {
            assert_eq!(text.parse::<BranchName>().unwrap().as_str(), text);
        }
        for text in ["", "/x", "x/", "a//b", "a/../b", "-f"] {
            assert!(text.parse::<BranchName>().is_err(), "{text:?}");
        }
        for text in [".fc3", "f41"] {
            assert_eq!(text.parse::<DistTag>().unwrap().as_str(), text);
        }
        for text in ["", ".", "..fc3"] {
            assert!(text.parse::<DistTag>().is_err(), "{text:?}");
        }
        assert_eq!(SeriesVersion::default(), "0".parse().unwrap());
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
