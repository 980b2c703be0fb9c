//! What a source knows of modules, and what it takes for a distribution to know it too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::packages::document::{Thresholds, Tripped};
use crate::model::packages::modules::{ContextDetails, Defaults, ModuleOperation, StreamDetails, StreamPath};
use crate::model::packages::{ContextName, DistributionName, ModuleName, Operation, SeriesName, StreamName};

/// The modules that a source tells of.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct ModuleFacts {
    /// The release that its defaults are of; `None`: all that have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub release: Option<SeriesName>,
    /// All of its streams; an end that somebody told kinset is none of theirs.
    pub streams: BTreeMap<StreamPath, StreamDetails>,
    /// The default streams of modules; `None` where a module is said to have none.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub defaults: BTreeMap<ModuleName, Option<StreamName>>,
}

/// What a distribution knows of modules.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct KnownModules {
    /// The streams.
    pub streams: BTreeMap<StreamPath, StreamDetails>,
    /// The default streams of modules.
    pub defaults: BTreeMap<ModuleName, Defaults>,
}

impl KnownModules {
    fn default_of(&self, module: &ModuleName, release: Option<&SeriesName>) -> Option<&StreamName> {
        let defaults = self.defaults.get(module)?;
        match release {
            Some(release) => defaults.releases.get(release),
            None => defaults.everywhere.as_ref(),
        }
    }
}

impl ModuleFacts {
    /// The fewest operations after which a distribution that knows `known` knows this too: what it knows of other contexts, newer builds and an end that
    /// somebody said stays. Streams in `gone` are taken away, and so are defaults in it that are still as it has them.
    #[must_use]
    pub fn operations(&self, distribution: &DistributionName, known: &KnownModules, gone: &Self) -> Vec<Operation> {
        let streams = gone.streams.keys().filter(|path| known.streams.contains_key(*path));
        let mut operations: Vec<ModuleOperation> = streams
            .map(|path| ModuleOperation::RemoveStream {
                distribution: distribution.clone(),
                stream: path.clone(),
            })
            .collect();
        for (module, stream) in &gone.defaults {
            let release = gone.release.as_ref();
            if stream.is_some() && known.default_of(module, release) == stream.as_ref() {
                operations.push(ModuleOperation::RemoveDefault {
                    distribution: distribution.clone(),
                    module: module.clone(),
                    release: release.cloned(),
                });
            }
        }
        for (path, new) in &self.streams {
            let old = known.streams.get(path).map(|known| known.clone().in_order());
            let details = with(old.clone().unwrap_or_default(), new);
            if old.as_ref() != Some(&details) {
                operations.push(ModuleOperation::SetStream {
                    distribution: distribution.clone(),
                    stream: path.clone(),
                    details,
                });
            }
        }
        for (module, stream) in &self.defaults {
            let known = known.default_of(module, self.release.as_ref());
            let (distribution, module, release) = (distribution.clone(), module.clone(), self.release.clone());
            match stream.clone() {
                Some(stream) if known != Some(&stream) => operations.push(ModuleOperation::SetDefault {
                    distribution,
                    module,
                    release,
                    stream,
                }),
                None if known.is_some() => operations.push(ModuleOperation::RemoveDefault {
                    distribution,
                    module,
                    release,
                }),
                _ => {}
            }
        }
        operations.into_iter().map(Operation::Module).collect()
    }

    /// What it says of a context of a stream.
    pub(super) fn context(&self, path: &StreamPath, name: &ContextName) -> Option<&ContextDetails> {
        self.streams.get(path)?.contexts.get(name)
    }

    /// The streams and defaults of which none of `others` speaks.
    #[must_use]
    pub fn without(mut self, others: &[&Self]) -> Self {
        let Self {
            release,
            streams,
            defaults,
        } = &mut self;
        streams.retain(|path, _| !others.iter().any(|other| other.streams.contains_key(path)));
        let same_release = others.iter().filter(|other| other.release == *release);
        defaults.retain(|module, _| !same_release.clone().any(|other| other.defaults.contains_key(module)));
        self
    }

    /// Guards against a source that suddenly tells of far fewer streams, or packages in them, than `before`.
    #[must_use]
    pub fn guard(&self, before: &Self, thresholds: &Thresholds) -> Option<Tripped> {
        let held = before.streams.values().map(|stream| 1 + stream.packages().len()).sum();
        let kept = before.streams.iter().map(|(path, stream)| {
            let now = self.streams.get(path);
            now.map_or(0, |now| 1 + stream.packages().intersection(&now.packages()).count())
        });
        let removed = held - kept.sum::<usize>();
        if held > 0 && self.streams.is_empty() && !thresholds.allow_empty {
            Some(Tripped::NoStreams { held })
        } else if thresholds.is_too_much(removed, held) {
            Some(Tripped::Streams {
                removed,
                held,
                allowed: thresholds.max_removed_fraction,
            })
        } else {
            None
        }
    }
}

/// What is known of a stream together with what is new. Of two builds of a context the newer counts, and of two of the same version the one that is new.
fn with(mut known: StreamDetails, new: &StreamDetails) -> StreamDetails {
    let StreamDetails {
        eol: _,
        contexts,
        obsoletes,
    } = new;
    for (name, context) in contexts {
        let version = known.contexts.get(name).map(|known| known.version);
        if version.is_none_or(|version| version <= context.version) {
            known.contexts.insert(name.clone(), context.clone());
        }
    }
    for obsoletes in obsoletes {
        known.add_obsoletes(obsoletes.clone());
    }
    known
}
