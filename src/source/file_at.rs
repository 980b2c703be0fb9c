//! A source that is one file, on this machine or on a server.

use std::path::PathBuf;

use url::Url;

use super::web::{Fetched, Web};
use super::{HttpSettings, Previous, Reading, Trouble, Validators, file};
use crate::model::packages::snapshot::SourceSnapshot;

/// Where a file is.
#[derive(Clone, Debug)]
pub enum FileAt {
    /// On this machine.
    Disk(PathBuf),
    /// On a server.
    Web {
        /// The address.
        url: Url,
        /// How to treat the server.
        http: HttpSettings,
    },
}

/// What is expected of a file.
pub(super) struct FileSort {
    /// What it is, in the words of an error.
    pub(super) expected: &'static str,
    /// What a server is to call it.
    pub(super) accept: &'static str,
    /// The largest on this machine that is read, in bytes.
    pub(super) most_bytes: u64,
}

impl FileAt {
    /// Reads the file, one on a server on condition that it changed; `parse` is told how to call it, and makes a snapshot of its bytes.
    pub(super) async fn read(
        &self,
        sort: &FileSort,
        previous: &Previous,
        parse: impl FnOnce(&str, &[u8]) -> Result<SourceSnapshot, Trouble>,
    ) -> Result<Reading, Trouble> {
        match self {
            Self::Disk(path) => {
                let bytes = file::bytes(path, sort.most_bytes)?;
                Ok(Reading {
                    snapshot: parse(&path.display().to_string(), &bytes)?,
                    ..Reading::default()
                })
            }
            Self::Web { url, http } => {
                let web = Web::new(http)?;
                let unless = previous.validators.get(url);
                let Fetched::New(bytes, validator) = web.file_unless(url, sort.expected, sort.accept, unless).await? else {
                    return Ok(Reading::unchanged(previous, web.traffic()));
                };
                let mut validators = Validators::default();
                validators.keep(url, validator);
                Ok(Reading {
                    snapshot: parse(web.shown(url).as_str(), &bytes)?,
                    validators,
                    traffic: web.traffic(),
                    ..Reading::default()
                })
            }
        }
    }
}
