//! What many documents say together.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;

use super::ReadError;
use super::document::{self, Document};
use super::fields::Field;
use super::packed::unpacked;
use super::yaml::Documents;
use crate::model::packages::modules::{ContextDetails, Defaults, ModuleOperation, Obsoletes, StreamDetails, StreamPath};
use crate::model::packages::{ContextName, DistributionName, ModuleName, Operation, SeriesName, StreamName};

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

    /// What it takes for a distribution to know what these documents say too: what it knows of other contexts, newer builds and an end that somebody
    /// said stays. A default is one of `release`; of `None` one of all releases that have none of their own.
    #[must_use]
    pub fn operations(
        &self,
        distribution: &DistributionName,
        release: Option<&SeriesName>,
        streams: &BTreeMap<StreamPath, StreamDetails>,
        defaults: &BTreeMap<ModuleName, Defaults>,
    ) -> Vec<Operation> {
        let mut operations = Vec::new();
        for (path, new) in &self.streams {
            let mut details = streams.get(path).cloned().unwrap_or_default();
            for (name, context) in &new.contexts {
                let known = details.contexts.get(name).map(|known| known.version);
                if known.is_none_or(|known| known <= context.version) {
                    details.contexts.insert(name.clone(), context.clone());
                }
            }
            for obsoletes in &new.obsoletes {
                details.add_obsoletes(obsoletes.clone());
            }
            operations.push(ModuleOperation::SetStream {
                distribution: distribution.clone(),
                stream: path.clone(),
                details,
            });
        }
        for (module, default) in &self.defaults {
            let known = defaults.get(module);
            let (distribution, module, release) = (distribution.clone(), module.clone(), release.cloned());
            let is_known = known.is_some_and(|known| match &release {
                Some(release) => known.releases.contains_key(release),
                None => known.everywhere.is_some(),
            });
            match default.stream.clone() {
                Some(stream) => operations.push(ModuleOperation::SetDefault {
                    distribution,
                    module,
                    release,
                    stream,
                }),
                None if is_known => operations.push(ModuleOperation::RemoveDefault {
                    distribution,
                    module,
                    release,
                }),
                None => {}
            }
        }
        operations.into_iter().map(Operation::Module).collect()
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
