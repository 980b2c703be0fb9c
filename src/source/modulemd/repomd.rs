//! Where a repository has its file of modules: `repodata/repomd.xml`.

use std::borrow::Cow;

use quick_xml::events::{BytesStart, Event};
use quick_xml::{Reader, XmlVersion};
use sha2::{Digest as _, Sha256, Sha512};

use crate::remedy::Remedy;

/// A file that a repository's index names.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Repomd {
    /// Where it is, from the root of the repository.
    pub href: String,
    /// How its checksum is made: `sha256`.
    pub checksum_kind: String,
    /// Its checksum, in hexadecimal digits.
    pub checksum: String,
}

/// Why a repository's file of modules is not known, or not believed.
#[derive(Debug, thiserror::Error)]
pub enum RepomdError {
    /// The index is no text.
    #[error("the index of the repository is no UTF-8 text")]
    NoText(#[source] std::str::Utf8Error),
    /// The index is no XML.
    #[error("the index of the repository is no XML")]
    Syntax(#[source] quick_xml::Error),
    /// The index is of something else, such as a page that says that there is none.
    #[error("expected the index of a repository, `<repomd>`; found `<{found}>`")]
    NoIndex {
        /// What its first element is.
        found: String,
    },
    /// The repository has no modules.
    #[error("the repository has no modules")]
    NoModules,
    /// Something is not said of the file of modules.
    #[error("the index of the repository does not say the {what} of its file of modules")]
    Missing {
        /// What.
        what: &'static str,
    },
    /// The checksum is of a kind that kinset does not know.
    #[error("checksums of the kind {kind} are not known")]
    UnknownKind {
        /// The kind.
        kind: String,
    },
    /// The checksum is another one.
    #[error("{href} has the checksum {found}, and its repository says {expected}")]
    Checksum {
        /// The file.
        href: String,
        /// What the index says.
        expected: String,
        /// What it is.
        found: String,
    },
}

impl Remedy for RepomdError {
    fn remedy(&self) -> Option<String> {
        match self {
            Self::NoModules => Some("an index that names them has `<data type=\"modules\">`".to_owned()),
            Self::UnknownKind { .. } => Some("those that are known are sha256 and sha512".to_owned()),
            Self::Checksum { .. } => Some("a mirror that is being updated mends itself: try again later".to_owned()),
            Self::NoText(_) | Self::Syntax(_) | Self::NoIndex { .. } | Self::Missing { .. } => None,
        }
    }
}

impl Repomd {
    /// Finds the file of modules in a repository's index.
    ///
    /// # Errors
    /// When the index is not as it should be, and when the repository has no modules.
    pub fn of_modules(index: &[u8]) -> Result<Self, RepomdError> {
        let text = std::str::from_utf8(index).map_err(RepomdError::NoText)?;
        let mut reader = Reader::from_str(text);
        let mut found: Option<Self> = None;
        let (mut is_index, mut is_modules, mut is_checksum) = (false, false, false);
        loop {
            let event = reader.read_event().map_err(RepomdError::Syntax)?;
            match event {
                Event::Start(element) | Event::Empty(element) if !is_index => {
                    let name = element.local_name();
                    if name.as_ref() != "repomd" {
                        let found = name.as_ref().chars().take(80).collect();
                        return Err(RepomdError::NoIndex { found });
                    }
                    is_index = true;
                }
                Event::Start(element) if element.local_name().as_ref() == "data" => {
                    is_modules = attribute(&element, "type")?.as_deref() == Some("modules");
                    if is_modules {
                        found = Some(Self::default());
                    }
                }
                Event::End(element) if element.local_name().as_ref() == "data" => is_modules = false,
                Event::Start(element) if is_modules && element.local_name().as_ref() == "checksum" => {
                    is_checksum = true;
                    let kind = attribute(&element, "type")?.unwrap_or_default();
                    found.iter_mut().for_each(|found| found.checksum_kind.clone_from(&kind));
                }
                Event::End(_) => is_checksum = false,
                Event::Text(text) if is_checksum => {
                    let text = text.xml10_content();
                    found.iter_mut().for_each(|found| found.checksum.push_str(text.trim()));
                }
                Event::Start(element) | Event::Empty(element) if is_modules && element.local_name().as_ref() == "location" => {
                    let href = attribute(&element, "href")?.unwrap_or_default();
                    found.iter_mut().for_each(|found| found.href.clone_from(&href));
                }
                Event::Eof => break,
                _ => {}
            }
        }
        if !is_index {
            return Err(RepomdError::NoIndex { found: String::new() });
        }
        let found = found.ok_or(RepomdError::NoModules)?;
        for (what, text) in [("place", &found.href), ("checksum", &found.checksum)] {
            if text.is_empty() {
                return Err(RepomdError::Missing { what });
            }
        }
        Ok(found)
    }

    /// Refuses bytes that are not those of the file.
    ///
    /// # Errors
    /// When their checksum is another one, or of a kind that is not known.
    pub fn verify(&self, bytes: &[u8]) -> Result<(), RepomdError> {
        let found = match self.checksum_kind.as_str() {
            "sha256" => hexadecimal(&Sha256::digest(bytes)),
            "sha512" => hexadecimal(&Sha512::digest(bytes)),
            kind => return Err(RepomdError::UnknownKind { kind: kind.to_owned() }),
        };
        if found.eq_ignore_ascii_case(&self.checksum) {
            return Ok(());
        }
        Err(RepomdError::Checksum {
            href: self.href.clone(),
            expected: self.checksum.clone(),
            found,
        })
    }
}

fn attribute(element: &BytesStart<'_>, name: &str) -> Result<Option<String>, RepomdError> {
    let attribute = element.try_get_attribute(name).map_err(|error| RepomdError::Syntax(error.into()))?;
    let value = attribute.map(|attribute| attribute.normalized_value(XmlVersion::Implicit1_0).map(Cow::into_owned));
    value.transpose().map_err(RepomdError::Syntax)
}

fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}
