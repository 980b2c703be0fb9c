//! What a source knows of modules, and what it takes for a distribution to know it too.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use super::{ByHand, Remark};
use crate::model::packages::modules::{ContextDetails, Defaults, ModuleOperation, Obsoletes, StreamDetails, StreamPath};
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

/// What there is to know around the modules of a source that is taken in among others.
#[derive(Clone, Copy, Debug)]
pub struct AmongModules<'a> {
    /// What somebody said who is no source.
    pub by_hand: &'a ByHand,
    /// What the other sources say.
    pub others: &'a [&'a ModuleFacts],
    /// The contexts that sources had when they were last read, and have no longer.
    pub dropped: &'a BTreeSet<(StreamPath, ContextName)>,
    /// What the source said when it was last read, and no source says any more.
    pub gone: &'a ModuleFacts,
}

impl AmongModules<'_> {
    /// Whether a build that is known counts no longer, however new it is: whoever had it has none of its context any more.
    fn is_void(&self, path: &StreamPath, name: &ContextName, known: &ContextDetails) -> bool {
        let key = (path.clone(), name.clone());
        let has_it = |other: &&ModuleFacts| other.context(path, name).is_some_and(|theirs| theirs.version >= known.version);
        self.dropped.contains(&key) && !self.by_hand.contexts.contains(&key) && !self.others.iter().any(has_it)
    }
}

impl ModuleFacts {
    /// The fewest operations after which a distribution that knows `known` knows this too: what it knows of other contexts, newer builds, what was said
    /// later of its being obsolete, and an end that somebody said stay.
    #[must_use]
    pub fn operations(&self, distribution: &DistributionName, known: &KnownModules) -> Vec<Operation> {
        let is_void = |_: &StreamPath, _: &ContextName, _: &ContextDetails| false;
        let is_kept = |_: &StreamPath, known: &Obsoletes, new: &Obsoletes| known >= new;
        let mut streams = BTreeMap::new();
        self.take_in_streams(&mut streams, known, is_void, is_kept);
        self.planned(distribution, known, streams, None)
    }

    /// The same where this is what one source among others is believed in. The order of sources decides what is said of a stream's being obsolete, unless
    /// somebody said later otherwise. What is gone is taken away: contexts with what is said of them, streams of which nothing is left, and
    /// defaults that are still as they were said.
    #[must_use]
    pub fn operations_among(&self, distribution: &DistributionName, known: &KnownModules, among: AmongModules<'_>) -> Vec<Operation> {
        let gone = among.by_hand.spare(among.gone.clone());
        let mut streams = BTreeMap::new();
        for (path, gone) in &gone.streams {
            let Some(details) = known.streams.get(path) else { continue };
            let mut left = details.clone().in_order();
            left.contexts.retain(|name, _| !gone.contexts.contains_key(name));
            left.obsoletes.retain(|said| gone.obsoletes_of(said.context.as_ref()).is_none());
            streams.insert(path.clone(), left);
        }
        let is_kept = |path: &StreamPath, known: &Obsoletes, new: &Obsoletes| {
            known >= new && among.by_hand.obsoletes.contains(&(path.clone(), known.context.clone()))
        };
        let is_void = |path: &StreamPath, name: &ContextName, known: &ContextDetails| among.is_void(path, name, known);
        self.take_in_streams(&mut streams, known, is_void, is_kept);
        self.planned(distribution, known, streams, Some(&gone))
    }

    /// The builds that are not taken in because a newer one is known that no source has.
    #[must_use]
    pub fn outdated(&self, known: &KnownModules, among: AmongModules<'_>) -> BTreeSet<Remark> {
        let mut outdated = BTreeSet::new();
        for (path, details) in &self.streams {
            for (name, context) in &details.contexts {
                let known = known.streams.get(path).and_then(|known| known.contexts.get(name));
                let newer = known.filter(|known| known.version > context.version && !among.is_void(path, name, known));
                let has_it = |version| {
                    among
                        .others
                        .iter()
                        .any(|other| other.context(path, name).is_some_and(|theirs| theirs.version >= version))
                };
                if let Some(newer) = newer.filter(|newer| !has_it(newer.version)) {
                    outdated.insert(Remark::Outdated {
                        what: called(path, name),
                        version: context.version,
                        known: newer.version,
                    });
                }
            }
        }
        outdated
    }

    /// Adds what it says of streams to what is to become of those that are known.
    fn take_in_streams(
        &self,
        streams: &mut BTreeMap<StreamPath, StreamDetails>,
        known: &KnownModules,
        is_void: impl Fn(&StreamPath, &ContextName, &ContextDetails) -> bool,
        is_kept: impl Fn(&StreamPath, &Obsoletes, &Obsoletes) -> bool,
    ) {
        for (path, new) in &self.streams {
            let known = || known.streams.get(path).cloned().unwrap_or_default().in_order();
            let details = streams.entry(path.clone()).or_insert_with(known);
            let StreamDetails {
                eol: _,
                contexts,
                obsoletes,
            } = new;
            for (name, context) in contexts {
                let old = details.contexts.get(name);
                // Of two builds of the same version the one that is new counts.
                if old.is_none_or(|old| old.version <= context.version || is_void(path, name, old)) {
                    details.contexts.insert(name.clone(), context.clone());
                }
            }
            for said in obsoletes {
                let old = details.obsoletes_of(said.context.as_ref());
                if !old.is_some_and(|old| is_kept(path, old, said)) {
                    details.obsoletes.retain(|old| old.context != said.context);
                    details.add_obsoletes(said.clone());
                }
            }
        }
    }

    /// The operations after which streams are as they are to be, the defaults are these, and those that are gone are so.
    fn planned(
        &self,
        distribution: &DistributionName,
        known: &KnownModules,
        streams: BTreeMap<StreamPath, StreamDetails>,
        gone: Option<&Self>,
    ) -> Vec<Operation> {
        let (mut removed, mut set) = (Vec::new(), Vec::new());
        for (path, details) in streams {
            let old = known.streams.get(&path).map(|known| known.clone().in_order());
            if details.is_empty() && !self.streams.contains_key(&path) {
                removed.push(ModuleOperation::RemoveStream {
                    distribution: distribution.clone(),
                    stream: path,
                });
            } else if old.as_ref() != Some(&details) {
                set.push(ModuleOperation::SetStream {
                    distribution: distribution.clone(),
                    stream: path,
                    details,
                });
            }
        }
        if let Some(gone) = gone {
            for (module, stream) in &gone.defaults {
                let release = gone.release.as_ref();
                if stream.is_some() && known.default_of(module, release) == stream.as_ref() {
                    removed.push(ModuleOperation::RemoveDefault {
                        distribution: distribution.clone(),
                        module: module.clone(),
                        release: release.cloned(),
                    });
                }
            }
        }
        let mut operations = removed;
        operations.extend(set);
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

    /// What it says of the end of a stream in one context, or in all.
    pub(super) fn obsoletes(&self, path: &StreamPath, context: Option<&ContextName>) -> Option<&Obsoletes> {
        self.streams.get(path)?.obsoletes_of(context)
    }

    /// The contexts that it has and `now` does not.
    #[must_use]
    pub fn dropped(&self, now: Option<&Self>) -> BTreeSet<(StreamPath, ContextName)> {
        let contexts = self
            .streams
            .iter()
            .flat_map(|(path, details)| details.contexts.keys().map(move |name| (path, name)));
        contexts
            .filter(|(path, name)| now.is_none_or(|now| now.context(path, name).is_none()))
            .map(|(path, name)| (path.clone(), name.clone()))
            .collect()
    }

    /// The contexts of streams, what is said of their end, and the defaults, of which none of `others` speaks.
    #[must_use]
    pub fn without(mut self, others: &[&Self]) -> Self {
        let Self {
            release,
            streams,
            defaults,
        } = &mut self;
        streams.retain(|path, details| {
            details
                .contexts
                .retain(|name, _| !others.iter().any(|other| other.context(path, name).is_some()));
            details
                .obsoletes
                .retain(|said| !others.iter().any(|other| other.obsoletes(path, said.context.as_ref()).is_some()));
            !details.is_empty() || !others.iter().any(|other| other.streams.contains_key(path))
        });
        let same_release = others.iter().filter(|other| other.release == *release);
        defaults.retain(|module, _| !same_release.clone().any(|other| other.defaults.contains_key(module)));
        self
    }
}

/// What a context of a stream is called where people read of it.
pub(super) fn called(path: &StreamPath, context: &ContextName) -> String {
    match context.as_str() {
        "" => format!("the stream {path}"),
        name => format!("the context {name} of the stream {path}"),
    }
}

#[cfg(test)]
mod tests;
