//! What a source knows of modules, and what it takes for a distribution to know it too.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

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

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// Streams with their packages, each in one context of this version.
    fn facts(version: u64, streams: &[(&str, &[&str])]) -> ModuleFacts {
        let stream = |(path, packages): &(&str, &[&str])| {
            let details = json!({ "contexts": { "c": { "version": version, "packages": packages } } });
            (path.parse().unwrap(), serde_json::from_value(details).unwrap())
        };
        ModuleFacts {
            streams: streams.iter().map(stream).collect(),
            ..ModuleFacts::default()
        }
    }

    fn known(facts: &ModuleFacts) -> KnownModules {
        KnownModules {
            streams: facts.streams.clone(),
            defaults: BTreeMap::new(),
        }
    }

    fn with_default(release: Option<&str>, stream: &str) -> ModuleFacts {
        ModuleFacts {
            release: release.map(|release| release.parse().unwrap()),
            defaults: [("m".parse().unwrap(), Some(stream.parse().unwrap()))].into(),
            ..ModuleFacts::default()
        }
    }

    fn told(facts: &ModuleFacts, known: &KnownModules, gone: &ModuleFacts) -> Vec<String> {
        let operations = facts.operations(&"d".parse().unwrap(), known, gone);
        let told = |operation: &Operation| serde_json::to_string(operation).unwrap();
        operations.iter().map(told).collect()
    }

    #[test]
    fn what_is_known_already_takes_nothing_and_an_older_build_neither() {
        let (old, new) = (facts(1, &[("m:1", &["a"])]), facts(2, &[("m:1", &["b"])]));
        let nothing = ModuleFacts::default();
        assert_eq!(told(&old, &known(&old), &nothing), [""; 0]);
        assert_eq!(told(&old, &known(&new), &nothing), [""; 0]);
        assert_eq!(
            told(&new, &known(&old), &nothing),
            [r#"{"op":"set-stream","distribution":"d","stream":"m:1","contexts":{"c":{"version":2,"platforms":[],"packages":["b"]}}}"#]
        );
    }

    #[test]
    fn what_is_gone_is_taken_away_as_long_as_it_is_as_it_was_said() {
        let gone = ModuleFacts {
            streams: facts(1, &[("m:1", &[]), ("m:2", &[])]).streams,
            ..with_default(Some("f29"), "1")
        };
        let defaults = |text: &str| KnownModules {
            streams: facts(1, &[("m:1", &[])]).streams,
            defaults: serde_json::from_str(text).unwrap(),
        };
        let nothing = ModuleFacts::default();
        let stream = r#"{"op":"remove-stream","distribution":"d","stream":"m:1"}"#;
        let default = r#"{"op":"remove-default","distribution":"d","module":"m","release":"f29"}"#;
        assert_eq!(
            told(&nothing, &defaults(r#"{"m":{"releases":{"f29":"1"}}}"#), &gone),
            [stream, default]
        );
        for changed in [r#"{"m":{"releases":{"f29":"2"}}}"#, r#"{"m":{"everywhere":"1"}}"#, "{}"] {
            assert_eq!(told(&nothing, &defaults(changed), &gone), [stream], "{changed}");
        }
    }

    #[test]
    fn nothing_is_gone_of_which_another_speaks() {
        let streams = facts(1, &[("m:1", &[]), ("m:2", &[])]);
        assert_eq!(streams.clone().without(&[&facts(2, &[("m:2", &["x"])])]), facts(1, &[("m:1", &[])]));
        let default = with_default(Some("f29"), "1");
        let others = [with_default(Some("f28"), "1"), with_default(None, "1")];
        assert_eq!(default.clone().without(&[&others[0], &others[1], &streams]), default);
        let other = with_default(Some("f29"), "2");
        assert!(default.without(&[&other]).defaults.is_empty(), "it is for the other to say which");
    }
}
