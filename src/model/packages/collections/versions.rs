//! Versions of packages, and which of two is newer.
//!
//! What a version may look like: rpm-version(7) and `rpmCharCheck` in RPM's `build/parsePreamble.c`; section 5.6.12 of Debian's policy,
//! and the first digit that Launchpad insists on. How they compare is left to libraries: `rpm-version`, the RPM library's own comparison, and
//! `deb-version`, which was held against libapt. (The better known `debversion` says that `1.a` is older than `1.a0`; dpkg says that they
//! are equal.)

use std::cmp::Ordering;
use std::fmt;
use std::str::FromStr;

use rpm_version::Evr;
use serde::{Deserialize, Serialize};

use crate::model::packages::word::words;

/// Longer versions are refused.
const MOST_LETTERS: usize = 200;

words! {
    /// Whose rules versions follow.
    VersionScheme, "scheme of versions" {
        /// RPM's: `[epoch:]version-release`.
        Rpm = "rpm",
        /// Debian's: `[epoch:]upstream_version[-debian_revision]`.
        Debian = "debian" | "deb" | "dpkg",
    }
}

/// The version of a package: an epoch, if it has one, the version proper, and the release, which Debian calls revision, if it has one.
///
/// Read by itself it has what the schemes have in common; [`VersionScheme::parse`] knows the rules of one. Two versions are equal here if their
/// texts are. They have no order of their own: which is newer depends on the scheme ([`VersionScheme::compare`]), and `1.0` and `1.00` are
/// different versions of which neither is newer.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Version(Box<str>);

/// Why a text is no version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum VersionError {
    /// A part is missing that has to be there.
    #[error("the {part} of version {found:?} is missing")]
    Missing {
        /// Which part.
        part: &'static str,
        /// The version.
        found: String,
    },
    /// The epoch is no number, or too great a one.
    #[error("the epoch {epoch:?} is no whole number up to {greatest}")]
    Epoch {
        /// What stands there.
        epoch: String,
        /// The greatest that is allowed.
        greatest: u32,
    },
    /// A letter that does not belong there.
    #[error("the {part} {found:?} has {letter:?}; it may have letters, digits and any of `{allowed}`")]
    Letter {
        /// Which part.
        part: &'static str,
        /// What stands there.
        found: String,
        /// The letter.
        letter: char,
        /// What is allowed besides letters and digits.
        allowed: &'static str,
    },
    /// Debian's versions begin with a digit.
    #[error("the version {found:?} does not begin with a digit")]
    FirstLetter {
        /// What stands there.
        found: String,
    },
    /// RPM builds nothing with two dots in a row.
    #[error("the {part} {found:?} has `..`")]
    Dots {
        /// Which part.
        part: &'static str,
        /// What stands there.
        found: String,
    },
    /// It is longer than any version.
    #[error("the version has {letters} letters, at most {MOST_LETTERS} are allowed")]
    TooLong {
        /// How many it has.
        letters: usize,
    },
}

/// Refuses a part that has other letters than ASCII's letters and digits and those that are allowed besides.
fn require_letters(part: &'static str, found: &str, allowed: &'static str) -> Result<(), VersionError> {
    let is_wrong = |letter: &char| !letter.is_ascii_alphanumeric() && !allowed.contains(*letter);
    match found.chars().find(is_wrong) {
        None => Ok(()),
        Some(letter) => Err(VersionError::Letter {
            part,
            found: found.to_owned(),
            letter,
            allowed,
        }),
    }
}

impl Version {
    /// The version with these parts, as PackageDB keeps them in columns.
    ///
    /// # Errors
    ///
    /// When a part is none: a version or a release that reads as several parts included.
    pub fn from_parts(epoch: Option<&str>, version: &str, release: Option<&str>) -> Result<Self, VersionError> {
        // Without a release, a hyphen would begin one.
        require_letters("version", version, if release.is_some() { ".+~^_-" } else { ".+~^_" })?;
        let mut text = epoch.map(|epoch| format!("{epoch}:")).unwrap_or_default();
        text += version;
        if let Some(release) = release {
            require_letters("release", release, ".+~^_")?;
            text.push('-');
            text += release;
        }
        text.parse()
    }

    /// The version as text, as it was read.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The epoch, if it has one. None is the same as `0`.
    #[must_use]
    pub fn epoch(&self) -> Option<&str> {
        self.parts().0
    }

    /// The version proper: upstream's.
    #[must_use]
    pub fn version(&self) -> &str {
        self.parts().1
    }

    /// The release, which Debian calls revision, if it has one.
    #[must_use]
    pub fn release(&self) -> Option<&str> {
        self.parts().2
    }

    fn parts(&self) -> (Option<&str>, &str, Option<&str>) {
        split(&self.0)
    }
}

/// Epoch, version and release. The epoch ends at the first colon, the release begins after the last hyphen.
fn split(text: &str) -> (Option<&str>, &str, Option<&str>) {
    let (epoch, rest) = text.split_once(':').map_or((None, text), |(epoch, rest)| (Some(epoch), rest));
    let (version, release) = rest
        .rsplit_once('-')
        .map_or((rest, None), |(version, release)| (version, Some(release)));
    (epoch, version, release)
}

impl FromStr for Version {
    type Err = VersionError;

    fn from_str(text: &str) -> Result<Self, VersionError> {
        if text.len() > MOST_LETTERS {
            return Err(VersionError::TooLong {
                letters: text.chars().count(),
            });
        }
        let (epoch, version, release) = split(text);
        let missing = |part| VersionError::Missing {
            part,
            found: text.to_owned(),
        };
        if let Some(epoch) = epoch {
            require_epoch(epoch, u32::MAX)?;
        }
        if version.is_empty() {
            return Err(missing("version"));
        }
        // A hyphen before the last one is Debian's.
        require_letters("version", version, ".+~^_-")?;
        if let Some(release) = release {
            if release.is_empty() {
                return Err(missing("release"));
            }
            require_letters("release", release, ".+~^_")?;
        }
        Ok(Self(text.into()))
    }
}

fn require_epoch(epoch: &str, greatest: u32) -> Result<(), VersionError> {
    let is_epoch = epoch.bytes().all(|letter| letter.is_ascii_digit()) && epoch.parse::<u32>().is_ok_and(|number| number <= greatest);
    if is_epoch {
        Ok(())
    } else {
        Err(VersionError::Epoch {
            epoch: epoch.to_owned(),
            greatest,
        })
    }
}

impl VersionScheme {
    /// Reads a version by the rules of this scheme.
    ///
    /// # Errors
    ///
    /// When the text breaks one of them.
    pub fn parse(self, text: &str) -> Result<Version, VersionError> {
        let version = text.parse()?;
        self.require(&version)?;
        Ok(version)
    }

    /// Holds a version against the rules of this scheme.
    ///
    /// # Errors
    ///
    /// When it breaks one of them.
    pub fn require(self, version: &Version) -> Result<(), VersionError> {
        let (epoch, upstream, release) = version.parts();
        match self {
            Self::Rpm => {
                require_letters("version", upstream, "._+~^")?;
                let release = release.ok_or_else(|| VersionError::Missing {
                    part: "release",
                    found: version.to_string(),
                })?;
                for (part, found) in [("version", upstream), ("release", release)] {
                    if found.contains("..") {
                        return Err(VersionError::Dots {
                            part,
                            found: found.to_owned(),
                        });
                    }
                }
                Ok(())
            }
            Self::Debian => {
                if let Some(epoch) = epoch {
                    // dpkg keeps it in an int.
                    require_epoch(epoch, i32::MAX.unsigned_abs())?;
                }
                require_letters("version", upstream, ".+-~")?;
                if let Some(release) = release {
                    require_letters("release", release, ".+~")?;
                }
                if upstream.starts_with(|first: char| first.is_ascii_digit()) {
                    Ok(())
                } else {
                    Err(VersionError::FirstLetter {
                        found: upstream.to_owned(),
                    })
                }
            }
        }
    }

    /// Which of two versions is the newer one. `Equal` is said of different texts too: an epoch of `0` is the same as none, and zeroes before a
    /// number do not count.
    #[must_use]
    pub fn compare(self, left: &Version, right: &Version) -> Ordering {
        match self {
            Self::Rpm => evr(left).cmp(&evr(right)),
            Self::Debian => deb_version::compare_versions(left.as_str(), right.as_str()),
        }
    }

    /// The newest of some versions; of those of which none is newer than another, the last by its text.
    pub fn newest<'v>(self, versions: impl IntoIterator<Item = &'v Version>) -> Option<&'v Version> {
        versions
            .into_iter()
            .max_by(|left, right| self.compare(left, right).then_with(|| left.as_str().cmp(right.as_str())))
    }
}

fn evr(version: &Version) -> Evr<'_> {
    let (epoch, version, release) = version.parts();
    Evr::new(epoch.unwrap_or_default(), version, release.unwrap_or_default())
}

impl TryFrom<String> for Version {
    type Error = VersionError;

    fn try_from(text: String) -> Result<Self, VersionError> {
        text.parse()
    }
}

impl From<Version> for String {
    fn from(version: Version) -> Self {
        version.0.into()
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests;
