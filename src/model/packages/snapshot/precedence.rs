//! Which source is believed in what, where several speak of the same.
//!
//! Sources have an order. Of each fact the first that speaks of it is believed, and what the others say is kept as a [`Disagreement`] if it is
//! something else. A fact is one thing that is said of a series, such as its status or one of its dates, or of a package set, such as its owner or its
//! packages; who is in a team; whether one permission counts; all packages; all that are retired in a series; one context of a module's stream, of which
//! the newest build counts whoever tells of it; what is said of the end of a stream; the default stream of a module.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;

use serde::{Deserialize, Serialize};

use super::modules::called;
use super::{ModuleFacts, SeriesFacts, SetFacts, SourceSnapshot};
use crate::model::packages::modules::{ContextDetails, Obsoletes};
use crate::model::packages::{PackageSetName, Party, Permission, SeriesName};
use crate::text::count;

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
        is_additive: _,
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
    if let Some(permissions) = permissions {
        weighing.permissions(permissions);
    }
    weighing.weigh(
        || "packages".to_owned(),
        packages,
        |other| other.packages.as_ref(),
        |all| count(all.len(), "package"),
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
        for (set, facts) in sets.iter_mut().flatten() {
            self.set(name, set, facts);
        }
        self.weigh(
            || of("retired packages"),
            retired,
            |other| other.series.get(name)?.retired.as_ref(),
            |retired| count(retired.len(), "package"),
        );
    }

    fn set(&mut self, series: &SeriesName, name: &PackageSetName, facts: &mut SetFacts) {
        let SetFacts {
            created: _,
            group,
            owner,
            description,
            score,
            sources,
            subsets,
            partial_subsets: _,
            remarks: _,
        } = facts;
        let of = |what: &str| format!("the {what} of {name} in {series}");
        self.weigh(
            || of("group"),
            group,
            |other| other.set(series, name)?.group.as_ref(),
            ToString::to_string,
        );
        self.weigh(
            || of("owner"),
            owner,
            |other| other.set(series, name)?.owner.as_ref(),
            ToString::to_string,
        );
        self.weigh(
            || of("description"),
            description,
            |other| other.set(series, name)?.description.as_ref(),
            |text| format!("{text:?}"),
        );
        self.weigh(
            || of("score"),
            score,
            |other| other.set(series, name)?.score.as_ref(),
            ToString::to_string,
        );
        self.weigh(
            || of("packages"),
            sources,
            |other| other.set(series, name)?.sources.as_ref(),
            |sources| count(sources.len(), "package"),
        );
        self.weigh(
            || of("sets"),
            subsets,
            |other| other.set(series, name)?.subsets.as_ref(),
            |subsets| count(subsets.len(), "set"),
        );
    }

    /// Each permission by itself: who may do what to what is one, and whether it counts is what sources may disagree in.
    fn permissions(&mut self, permissions: &mut BTreeSet<Permission>) {
        let theirs = self
            .before
            .iter()
            .filter_map(|layer| Some((layer.source, layer.snapshot.permissions.as_ref()?)));
        let theirs: Vec<(&str, BTreeMap<_, &Permission>)> = theirs
            .map(|(source, all)| (source, all.iter().map(|theirs| (theirs.grant(), theirs)).collect()))
            .collect();
        permissions.retain(|own| {
            let mut spoken = theirs
                .iter()
                .filter_map(|(source, grants)| Some((*source, *grants.get(&own.grant())?)));
            let Some((source, believed)) = spoken.next() else {
                return true;
            };
            if own != believed {
                self.disagreements.push(Disagreement {
                    fact: format!("the permission of {} to {} {}", own.party, own.action, own.target),
                    believed: source.to_owned(),
                    says: counts(believed),
                    other: self.source.to_owned(),
                    says_otherwise: counts(own),
                });
            }
            false
        });
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
                let fact = || called(path, name);
                let as_new = |theirs: &&ContextDetails| theirs.version == context.version;
                !self.is_spoken_of(
                    fact,
                    context,
                    |other| other.modules.as_ref()?.context(path, name).filter(as_new),
                    built,
                )
            });
            details.obsoletes.retain(|said| {
                let context = said.context.as_ref();
                let fact = || match context {
                    Some(context) => format!("the end of {}", called(path, context)),
                    None => format!("the end of the stream {path}"),
                };
                !self.is_spoken_of(fact, said, |other| other.modules.as_ref()?.obsoletes(path, context), ended)
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

fn counts(permission: &Permission) -> String {
    let explicit = if permission.explicit { ", explicit" } else { "" };
    format!("{}{explicit}", permission.status)
}

fn built(context: &ContextDetails) -> String {
    let ContextDetails {
        version,
        platforms,
        service_levels: _,
        packages,
    } = context;
    format!("version {version} for {platforms} with {}", count(packages.len(), "package"))
}

fn ended(obsoletes: &Obsoletes) -> String {
    let Obsoletes {
        modified,
        context: _,
        reset,
        eol,
        message,
        obsoleted_by,
    } = obsoletes;
    if *reset {
        return format!("on {modified} that there is none");
    }
    let end = eol.map_or_else(|| "at once".to_owned(), |eol| eol.to_string());
    let by = obsoleted_by.as_ref().map(|by| format!(", for {by}")).unwrap_or_default();
    format!("on {modified} {end}{by} ({message:?})")
}

#[cfg(test)]
mod tests;
