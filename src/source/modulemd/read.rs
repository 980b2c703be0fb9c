//! Modules as a source: a file, one on a server, or one that a repository's index names.
//!
//! A file on a server is read on condition that it changed. Of a repository that goes for its index: while that stays as it is, nothing else is read.

use url::Url;

use super::{Index, MOST_BYTES, Repomd};
use crate::model::packages::SeriesName;
use crate::model::packages::snapshot::SourceSnapshot;
use crate::source::file_at::FileSort;
use crate::source::web::{Fetched, Web};
use crate::source::{FileAt, HttpSettings, Previous, Reading, SourceError, Trouble, Validators};

/// Where a repository has its index, from its root.
const INDEX: &str = "repodata/repomd.xml";

/// A file of modules. Packed or not, servers call these all sorts of things.
const MODULES: FileSort = FileSort {
    expected: "documents about modules",
    accept: "*/*",
    most_bytes: MOST_BYTES,
};

/// How to read modules.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The source's name in the configuration.
    pub name: String,
    /// Where they are.
    pub at: At,
    /// The release that their defaults are of; `None`: all that have none of their own.
    pub release: Option<SeriesName>,
}

/// Where modules are.
#[derive(Clone, Debug)]
pub enum At {
    /// In a file.
    File(FileAt),
    /// In a repository of packages, such as `https://mirror.stream.centos.org/9-stream/AppStream/x86_64/os/`.
    Repository {
        /// The address of its root, which ends in a slash.
        url: Url,
        /// How to treat the server.
        http: HttpSettings,
    },
}

/// Reads the streams of modules and their defaults.
///
/// # Errors
/// When one document cannot be read, or when a repository's file of modules is not the one that its index names.
pub async fn read(settings: &Settings, previous: &Previous) -> Result<Reading, SourceError> {
    let Settings { name, at, release } = settings;
    let read = match at {
        At::File(at) => {
            let parse = |place: &str, bytes: &[u8]| snapshot(place, bytes, release.as_ref());
            at.read(&MODULES, previous, parse).await
        }
        At::Repository { url, http } => read_repository(url, http, release.as_ref(), previous).await,
    };
    read.map_err(|trouble| SourceError {
        name: name.clone(),
        trouble,
    })
}

async fn read_repository(root: &Url, http: &HttpSettings, release: Option<&SeriesName>, previous: &Previous) -> Result<Reading, Trouble> {
    let web = Web::new(http)?;
    let within = |path: &str| {
        let url = root.join(path).map_err(|_no_url| Trouble::BadLink {
            url: web.shown(root),
            expected: "the place of the file of modules",
            found: path.chars().take(200).collect(),
        })?;
        web.link(root, url.as_str(), "the place of the file of modules")
    };
    let index = within(INDEX)?;
    let unless = previous.validators.get(&index);
    let fetched = web.file_unless(&index, "the index of a repository", "application/xml, text/xml, */*", unless);
    let Fetched::New(bytes, validator) = fetched.await? else {
        return Ok(Reading::unchanged(previous, web.traffic()));
    };
    let untaken = |source| Trouble::Repository {
        url: web.shown(&index),
        source,
    };
    let modules = Repomd::of_modules(&bytes).map_err(untaken)?;
    let url = within(&modules.href)?;
    let bytes = web.file(&url, MODULES.expected, MODULES.accept).await?;
    modules.verify(&bytes).map_err(untaken)?;
    let mut validators = Validators::default();
    validators.keep(&index, validator);
    Ok(Reading {
        snapshot: snapshot(web.shown(&url).as_str(), &bytes, release)?,
        validators,
        traffic: web.traffic(),
        ..Reading::default()
    })
}

fn snapshot(place: &str, bytes: &[u8], release: Option<&SeriesName>) -> Result<SourceSnapshot, Trouble> {
    let index = Index::read(place, bytes)?;
    Ok(SourceSnapshot {
        modules: Some(index.facts(release)),
        remarks: index.remarks(),
        ..SourceSnapshot::default()
    })
}
