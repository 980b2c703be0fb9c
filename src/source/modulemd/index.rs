//! What many documents say together.

use std::collections::btree_map::Entry;
use std::collections::{BTreeMap, BTreeSet};

use super::ReadError;
use super::document::{self, Document};
use super::fields::Field;
use super::packed::unpacked;
use super::yaml::Documents;
use crate::model::packages::modules::{ContextDetails, Obsoletes, StreamDetails, StreamPath};
use crate::model::packages::snapshot::{ModuleFacts, Remark};
use crate::model::packages::{ContextName, ModuleName, SeriesName, StreamName};

/// What documents say of modules, put together by libmodulemd's rules for sources of the same priority: whatever was modified later counts, and the order
/// in which documents come makes no difference.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Index {
    /// The streams; an end that somebody told kinset is none of theirs.
    pub streams: BTreeMap<StreamPath, StreamDetails>,
    /// The default streams of modules.
    pub defaults: BTreeMap<ModuleName, DefaultStream>,
    /// The documents that kinset does not know.
    pub skipped: Vec<Skipped>,
}

/// The default stream of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DefaultStream {
    /// When it was said: a number such as 201812071200, 0 if it does not say.
    pub modified: u64,
    /// The stream; `None` if the module has no default.
    pub stream: Option<StreamName>,
    /// Whether it has none because two documents that are equally new name different ones.
    pub is_contradicted: bool,
}

/// A document that was skipped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Skipped {
    /// Its first line, from 1.
    pub line: usize,
    /// What it says it is.
    pub document: String,
    /// Its version.
    pub version: String,
}

impl Index {
    /// Reads the documents in a file of modules, which may be packed. `name` is what errors call it.
    ///
    /// # Errors
    /// When one document is not as it should be: then none is believed. And when there is none.
    pub fn read(name: &str, bytes: &[u8]) -> Result<Self, ReadError> {
        Self::read_of(name, bytes, None)
    }

    /// The same, where a document that does not say which stream it is of is of `unnamed`: packagers leave that to the name of the repository and of
    /// its branch.
    ///
    /// # Errors
    /// As for [`Self::read`].
    pub fn read_of(name: &str, bytes: &[u8], unnamed: Option<&StreamPath>) -> Result<Self, ReadError> {
        let bytes = unpacked(name, bytes)?;
        let text = std::str::from_utf8(&bytes).map_err(|source| ReadError::NoText {
            name: name.to_owned(),
            source,
        })?;
        let mut index = Self::default();
        let mut is_empty = true;
        for node in Documents::of(name, text) {
            let node = node?;
            let field = Field::document(name, &node);
            if field.entries()?.is_empty() {
                continue;
            }
            is_empty = false;
            match document::read(&field, unnamed)? {
                Document::Stream(path, contexts) => index.add_stream(path, contexts),
                Document::Defaults(module, defaults) => index.add_defaults(module, defaults),
                Document::Obsoletes(path, obsoletes) => index.add_obsoletes(path, obsoletes),
                Document::Irrelevant => {}
                Document::Unknown { document, version } => index.skipped.push(Skipped {
                    line: node.line,
                    document,
                    version,
                }),
            }
        }
        match is_empty {
            true => Err(ReadError::Nothing { name: name.to_owned() }),
            false => Ok(index),
        }
    }

    /// The same with what another index of the same priority says.
    #[must_use]
    pub fn merged(mut self, other: Self) -> Self {
        let Self {
            streams,
            defaults,
            skipped,
        } = other;
        for (
            path,
            StreamDetails {
                contexts,
                obsoletes,
                eol: _,
            },
        ) in streams
        {
            self.add_stream(path.clone(), contexts);
            for obsoletes in obsoletes {
                self.add_obsoletes(path.clone(), obsoletes);
            }
        }
        for (module, defaults) in defaults {
            self.add_defaults(module, defaults);
        }
        self.skipped.extend(skipped);
        self
    }

    /// What these documents say, as facts. Their defaults are of `release`, or of all releases that have none of their own.
    #[must_use]
    pub fn facts(&self, release: Option<&SeriesName>) -> ModuleFacts {
        let defaults = self.defaults.iter();
        ModuleFacts {
            release: release.cloned(),
            streams: self.streams.clone(),
            defaults: defaults.map(|(module, default)| (module.clone(), default.stream.clone())).collect(),
        }
    }

    /// What could not be taken of these documents.
    #[must_use]
    pub fn remarks(&self) -> BTreeSet<Remark> {
        let skipped = self.skipped.iter().map(|skipped| {
            let Skipped { line, document, version } = skipped;
            let what = format!("the document on line {line}");
            Remark::unknown(what, &format!("{document} {version}"), "kinset knows no such documents")
        });
        let contradicted = self.defaults.iter().filter(|(_, default)| default.is_contradicted);
        let contradicted = contradicted.map(|(module, _)| Remark::Contradicted {
            what: format!("the default stream of {module}"),
        });
        skipped.chain(contradicted).collect()
    }

    fn add_stream(&mut self, path: StreamPath, contexts: impl IntoIterator<Item = (ContextName, ContextDetails)>) {
        let stream = self.streams.entry(path).or_default();
        for (name, context) in contexts {
            match stream.contexts.entry(name) {
                Entry::Vacant(place) => _ = place.insert(context),
                Entry::Occupied(mut place) if place.get().version < context.version => _ = place.insert(context),
                Entry::Occupied(mut place) if place.get().version == context.version => add(place.get_mut(), context),
                Entry::Occupied(_) => {}
            }
        }
    }

    fn add_defaults(&mut self, module: ModuleName, new: DefaultStream) {
        let old = self.defaults.entry(module).or_default();
        if old.modified < new.modified {
            *old = new;
        } else if old.modified == new.modified {
            old.is_contradicted |= new.is_contradicted || matches!((&old.stream, &new.stream), (Some(old), Some(new)) if old != new);
            old.stream = old.stream.take().or(new.stream).filter(|_| !old.is_contradicted);
        }
    }

    fn add_obsoletes(&mut self, path: StreamPath, new: Obsoletes) {
        self.streams.entry(path).or_default().add_obsoletes(new);
    }
}

/// Adds what the same build is for another architecture.
fn add(known: &mut ContextDetails, other: ContextDetails) {
    let ContextDetails {
        version: _,
        platforms,
        service_levels,
        packages,
    } = other;
    known.platforms = std::mem::take(&mut known.platforms).or(platforms);
    for (level, eol) in service_levels {
        let known = known.service_levels.entry(level).or_default();
        *known = (*known).max(eol);
    }
    known.packages.extend(packages);
}
