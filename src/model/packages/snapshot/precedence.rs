//! Which source is believed in what, where several speak of the same.
//!
//! Sources have an order. Of each fact the first that speaks of it is believed, and what the others say is kept as a [`Disagreement`] if it is
//! something else. A fact is one thing that is said of a series, such as its status or one of its dates; who is in a team; all sets of a series
//! with what is in them; all permissions; all packages; all that are retired in a series; one context of a module's stream, of which the newest build
//! counts whoever tells of it; the default stream of a module.

use std::collections::BTreeSet;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{ModuleFacts, SeriesFacts, SourceSnapshot};
use crate::model::packages::modules::ContextDetails;
use crate::model::packages::{Party, SeriesName};

/// What one source says where another is believed.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub struct Disagreement {
    /// What it is about.
    pub fact: String,
    /// The source that is believed.
    pub believed: String,
    /// What that says.
    pub says: String,
    /// The source that says otherwise.
    pub other: String,
    /// What that says.
    pub says_otherwise: String,
}

impl fmt::Display for Disagreement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            fact,
            believed,
            says,
            other,
            says_otherwise,
        } = self;
        write!(f, "{fact}: {believed} says {says}, {other} says {says_otherwise}")
    }
}

/// A source with what it knows.
#[derive(Clone, Copy, Debug)]
pub struct Layer<'a> {
    /// The source's name.
    pub source: &'a str,
    /// What it knows.
    pub snapshot: &'a SourceSnapshot,
}

/// What a source is believed in: what it knows, but for what sources that come before it speak of.
#[must_use]
pub fn believed(source: Layer<'_>, before: &[Layer<'_>]) -> (SourceSnapshot, Vec<Disagreement>) {
    let mut weighing = Weighing {
        source: source.source,
        before,
        disagreements: Vec::new(),
    };
    let mut snapshot = source.snapshot.clone();
    let SourceSnapshot {
        current_series,
        series,
        teams,
        permissions,
        packages,
        modules,
        partial: _,
        remarks: _,
    } = &mut snapshot;
    weighing.weigh(
        || "the current series".to_owned(),
        current_series,
        |other| other.current_series.as_ref(),
        ToString::to_string,
    );
    for (name, facts) in series {
        weighing.series(name, facts);
    }
    if let Some(teams) = teams {
        teams.retain(|team, members| {
            !weighing.is_spoken_of(
                || format!("team {team}"),
                members,
                |other| other.teams.as_ref()?.get(team),
                members_listed,
            )
        });
    }
    weighing.weigh(
        || "permissions".to_owned(),
        permissions,
        |other| other.permissions.as_ref(),
        |all| counted(all.len(), "permission"),
    );
    weighing.weigh(
        || "packages".to_owned(),
        packages,
        |other| other.packages.as_ref(),
        |all| counted(all.len(), "package"),
    );
    if let Some(modules) = modules {
        weighing.modules(modules);
    }
    (snapshot, weighing.disagreements)
}

struct Weighing<'a> {
    source: &'a str,
    before: &'a [Layer<'a>],
    disagreements: Vec<Disagreement>,
}

impl Weighing<'_> {
    fn series(&mut self, name: &SeriesName, facts: &mut SeriesFacts) {
        let SeriesFacts {
            version,
            title,
            codename,
            is_long_term,
            status,
            owner,
            branch,
            dates,
            sets,
            partial_sets: _,
            retired,
            remarks: _,
        } = facts;
        let of = |what: &str| format!("the {what} of {name}");
        self.weigh(
            || of("version"),
            version,
            |other| other.series.get(name)?.version.as_ref(),
            ToString::to_string,
        );
        self.weigh(
            || of("title"),
            title,
            |other| other.series.get(name)?.title.as_ref(),
            |title| format!("{title:?}"),
        );
        self.weigh(
            || of("codename"),
            codename,
            |other| other.series.get(name)?.codename.as_ref(),
            |codename| format!("{codename:?}"),
        );
        self.weigh(
            || of("term"),
            is_long_term,
            |other| other.series.get(name)?.is_long_term.as_ref(),
            |is_long| if *is_long { "long" } else { "short" }.to_owned(),
        );
        self.weigh(
            || of("status"),
            status,
            |other| other.series.get(name)?.status.as_ref(),
            ToString::to_string,
        );
        self.weigh(
            || of("owner"),
            owner,
            |other| other.series.get(name)?.owner.as_ref(),
            ToString::to_string,
        );
        self.weigh(
            || of("branch"),
            branch,
            |other| other.series.get(name)?.branch.as_ref(),
            |branch| format!("{} ({})", branch.name, branch.dist_tag),
        );
        dates.retain(|milestone, date| {
            let fact = || format!("{milestone} of {name}");
            !self.is_spoken_of(
                fact,
                date,
                |other| other.series.get(name)?.dates.get(milestone),
                ToString::to_string,
            )
        });
        self.weigh(
            || of("package sets"),
            sets,
            |other| other.series.get(name)?.sets.as_ref(),
            |sets| counted(sets.len(), "set"),
        );
        self.weigh(
            || of("retired packages"),
            retired,
            |other| other.series.get(name)?.retired.as_ref(),
            |retired| counted(retired.len(), "package"),
        );
    }

    fn modules(&mut self, facts: &mut ModuleFacts) {
        let ModuleFacts {
            release,
            streams,
            defaults,
        } = facts;
        for (path, details) in streams {
            details.contexts.retain(|name, context| {
                let theirs = self
                    .before
                    .iter()
                    .filter_map(|layer| layer.snapshot.modules.as_ref()?.context(path, name));
                let newest = theirs.map(|theirs| theirs.version).max();
                if newest.is_some_and(|newest| newest > context.version) {
                    return false;
                }
                let fact = || match name.as_str() {
                    "" => format!("the stream {path}"),
                    name => format!("the context {name} of the stream {path}"),
                };
                let as_new = |theirs: &&ContextDetails| theirs.version == context.version;
                !self.is_spoken_of(
                    fact,
                    context,
                    |other| other.modules.as_ref()?.context(path, name).filter(as_new),
                    built,
                )
            });
        }
        defaults.retain(|module, stream| {
            let fact = || match &*release {
                Some(release) => format!("the default stream of {module} in {release}"),
                None => format!("the default stream of {module}"),
            };
            !self.is_spoken_of(
                fact,
                stream,
                |other| {
                    other
                        .modules
                        .as_ref()
                        .filter(|other| other.release == *release)?
                        .defaults
                        .get(module)
                },
                |stream| stream.as_ref().map_or_else(|| "none".to_owned(), ToString::to_string),
            )
        });
    }

    /// Takes a fact away if a source that comes before speaks of it.
    fn weigh<T: PartialEq>(
        &mut self,
        fact: impl Fn() -> String,
        own: &mut Option<T>,
        theirs: impl Fn(&SourceSnapshot) -> Option<&T>,
        say: impl Fn(&T) -> String,
    ) {
        if own.as_ref().is_some_and(|value| self.is_spoken_of(fact, value, theirs, say)) {
            *own = None;
        }
    }

    /// Whether a source that comes before speaks of a fact. If it says something else, that is noted.
    fn is_spoken_of<T: PartialEq>(
        &mut self,
        fact: impl Fn() -> String,
        own: &T,
        theirs: impl Fn(&SourceSnapshot) -> Option<&T>,
        say: impl Fn(&T) -> String,
    ) -> bool {
        let Some((layer, believed)) = self.before.iter().find_map(|layer| Some((layer, theirs(layer.snapshot)?))) else {
            return false;
        };
        if own != believed {
            self.disagreements.push(Disagreement {
                fact: fact(),
                believed: layer.source.to_owned(),
                says: say(believed),
                other: self.source.to_owned(),
                says_otherwise: say(own),
            });
        }
        true
    }
}

fn members_listed(members: &BTreeSet<Party>) -> String {
    let members: Vec<String> = members.iter().map(ToString::to_string).collect();
    if members.is_empty() {
        "nobody".to_owned()
    } else {
        members.join(", ")
    }
}

fn built(context: &ContextDetails) -> String {
    let ContextDetails {
        version,
        platforms,
        service_levels: _,
        packages,
    } = context;
    format!("version {version} for {platforms} with {}", counted(packages.len(), "package"))
}

/// A number of things; all that is said of what is too long to be repeated.
fn counted(number: usize, what: &str) -> String {
    let plural = if number == 1 { "" } else { "s" };
    format!("{number} {what}{plural}")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn snapshot(json: serde_json::Value) -> SourceSnapshot {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn the_first_source_that_speaks_of_a_fact_is_believed_and_the_others_are_kept_as_they_disagree() {
        let launchpad = snapshot(serde_json::json!({
            "series": { "noble": { "version": "24.04", "status": "maintenance", "dates": { "released": "2024-04-25" } } },
            "teams": { "core": ["ann"] },
            "permissions": [],
        }));
        let distro_info = snapshot(serde_json::json!({
            "series": { "noble": { "version": "24.04", "codename": "Noble Numbat", "dates": { "released": "2024-04-26", "eol": "2029-05-31" } } },
            "teams": { "core": ["bob"], "other": ["cid"] },
        }));
        let first = Layer {
            source: "launchpad",
            snapshot: &launchpad,
        };
        let (left, disagreements) = believed(
            Layer {
                source: "distro-info",
                snapshot: &distro_info,
            },
            &[first],
        );
        let wanted = snapshot(serde_json::json!({
            "series": { "noble": { "codename": "Noble Numbat", "dates": { "eol": "2029-05-31" } } },
            "teams": { "other": ["cid"] },
        }));
        assert_eq!(left, wanted);
        let lines: Vec<String> = disagreements.iter().map(ToString::to_string).collect();
        assert_eq!(
            lines,
            [
                "released of noble: launchpad says 2024-04-25, distro-info says 2024-04-26",
                "team core: launchpad says ann, distro-info says bob",
            ]
        );
        assert_eq!(believed(first, &[]), (launchpad.clone(), Vec::new()));
    }

    #[test]
    fn a_source_that_says_nothing_is_in_nobodys_way_and_one_that_says_there_is_nothing_is() {
        let nobody = snapshot(serde_json::json!({ "permissions": [] }));
        let somebody = snapshot(serde_json::json!({
            "permissions": [{ "party": "ann", "action": "upload", "on": "component", "component": "main", "status": "approved" }],
        }));
        let silent = SourceSnapshot::default();
        let own = Layer {
            source: "b",
            snapshot: &somebody,
        };
        let (left, disagreements) = believed(
            own,
            &[Layer {
                source: "a",
                snapshot: &silent,
            }],
        );
        assert_eq!((left.permissions, disagreements), (somebody.permissions.clone(), Vec::new()));
        let (left, disagreements) = believed(
            own,
            &[Layer {
                source: "a",
                snapshot: &nobody,
            }],
        );
        assert_eq!(left.permissions, None);
        assert_eq!(
            disagreements[0].to_string(),
            "permissions: a says 0 permissions, b says 1 permission"
        );
    }

    #[test]
    fn of_a_context_the_first_is_believed_that_has_the_newest_build() {
        let modules = |version: u64, package: &str, default: &str| {
            snapshot(serde_json::json!({ "modules": {
                "streams": { "m:1": { "contexts": { "c": { "version": version, "platforms": [], "packages": [package] } } } },
                "defaults": { "m": default },
            } }))
        };
        let left = |own: &SourceSnapshot| {
            let before = modules(2, "a", "1");
            let before = [Layer {
                source: "base",
                snapshot: &before,
            }];
            let source = "updates";
            let (left, disagreements) = believed(Layer { source, snapshot: own }, &before);
            let modules = left.modules.unwrap();
            assert!(modules.defaults.is_empty());
            let contexts = modules.streams.values().map(|stream| stream.contexts.len()).sum::<usize>();
            let lines: Vec<String> = disagreements.iter().map(ToString::to_string).collect();
            (contexts, lines)
        };
        assert_eq!(left(&modules(2, "a", "1")), (0, vec![]));
        assert_eq!(left(&modules(3, "b", "1")), (1, vec![]));
        assert_eq!(left(&modules(1, "b", "1")), (0, vec![]));
        assert_eq!(
            left(&modules(2, "b", "2")).1,
            [
                "the context c of the stream m:1: base says version 2 for all with 1 package, updates says version 2 for all with 1 package",
                "the default stream of m: base says 1, updates says 2",
            ]
        );
    }
}
