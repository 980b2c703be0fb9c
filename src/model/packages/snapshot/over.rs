//! What a distribution is to be once what a source knows is taken in.

mod listings;
mod permissions;
mod withdrawn;

use std::collections::{BTreeMap, BTreeSet};

use permissions::Given;

use super::{PartialList, SeriesFacts, SetFacts, SourceSnapshot};
use crate::model::packages::document::{DistributionDocument, Origin, SeriesDocument, SetBody, SetContent, SetDocument};
use crate::model::packages::{DistributionName, GroupName, PackageSetName, Party, SeriesDetails, SeriesName, compare_series_versions};

/// A set of a series, whoever shares it.
#[derive(Clone, Debug)]
struct Set {
    score: i64,
    content: SetContent,
}

/// The sets of all series.
type Sets = BTreeMap<(SeriesName, PackageSetName), Set>;

/// What there is to know around a source that is taken in.
#[derive(Clone, Copy, Debug)]
pub struct Around<'a> {
    /// The series that have all packages that sources tell of; of the others they tell only what is retired there.
    pub listed: &'a BTreeSet<SeriesName>,
    /// What the other sources say, those first that are believed before others.
    pub others: &'a [&'a SourceSnapshot],
    /// What those of them said last whose turn is still to come: it is for them to take it away.
    pub held: &'a [&'a SourceSnapshot],
    /// What the source said when it was last read, and nobody says any more: where it still holds, it goes.
    pub gone: &'a SourceSnapshot,
}

impl<'a> Around<'a> {
    /// What others say, or said last.
    fn told(self) -> impl Iterator<Item = &'a SourceSnapshot> {
        self.others.iter().chain(self.held).copied()
    }
}

impl SourceSnapshot {
    /// What a distribution is to be when it is as the snapshot says, as far as that speaks of it, and else as it is.
    ///
    /// - A series that is not there is added if the snapshot says what it is, and not only what is in it. Its sets begin as those of the series before it.
    /// - What nobody is known to own belongs to [the orphan](Party::orphan()).
    /// - A permission on a set or a series that the distribution does not have is left out. Those in series whose sets it does not tell of stay, and so do
    ///   permissions and sets that another source tells of.
    /// - A team that the snapshot does not speak of stays as it is.
    /// - Of a list that shows less than there is ([`PartialList`]) what it shows is taken in, and nothing is taken away.
    /// - Modules are none of a document: they have [operations of their own](super::ModuleFacts::operations).
    #[must_use]
    pub fn over(&self, have: &DistributionDocument, around: Around<'_>) -> DistributionDocument {
        let Self {
            is_additive,
            current_series,
            series,
            teams,
            permissions,
            packages: _,
            modules: _,
            partial,
            remarks: _,
        } = self;
        let mut want = have.clone();
        around.gone.take_out(&mut want);
        self.take_in_series(&mut want);
        if let Some(current) = current_series.as_ref().filter(|name| has_series(&want, name)) {
            want.current_series = Some(current.clone());
        }
        let mut sets = sets(have);
        self.take_out_sets(&mut sets, around);
        for (name, facts) in series {
            if let Some(said) = facts.sets.as_ref().filter(|_| has_series(&want, name)) {
                let stays = |set: &PackageSetName| said.contains_key(set) || around.told().any(|other| other.brings_set(name, set));
                take_in_sets(&mut sets, &want.name, name, said, *is_additive || facts.partial_sets, stays);
            }
        }
        for (team, members) in teams.iter().flatten() {
            let known = want.teams.entry(team.clone()).or_default();
            if !partial.contains(&PartialList::Team(team.clone())) {
                known.clear();
            }
            known.extend(members.iter().cloned());
        }
        want.teams.retain(|_, members| !members.is_empty());
        let told = series.iter().filter(|(_, facts)| facts.sets.is_some());
        let told: BTreeSet<&SeriesName> = told.map(|(name, _)| name).collect();
        let nothing = BTreeSet::new();
        let are_all = permissions.is_some() && !is_additive && !partial.contains(&PartialList::Permissions);
        let given = Given {
            told: are_all.then_some(&told),
            permissions: permissions.as_ref().unwrap_or(&nothing),
            around,
        };
        given.take_in(&mut sets, &mut want);
        self.take_in_listings(&mut want, around);
        keep_what_is_there(&mut sets);
        put_back(&sets, have, &mut want);
        want
    }

    /// What is said of series, and those that are new, the oldest first.
    fn take_in_series(&self, want: &mut DistributionDocument) {
        let mut new: Vec<SeriesDocument> = Vec::new();
        for (name, facts) in &self.series {
            if let Some(document) = want.series.iter_mut().find(|document| document.name == *name) {
                take_in_details(&mut document.details, facts);
            } else if facts.says_what_it_is() {
                let mut details = SeriesDetails::owned_by(Party::orphan());
                take_in_details(&mut details, facts);
                new.push(SeriesDocument::new(name.clone(), details));
            }
        }
        new.sort_by(|left, right| {
            compare_series_versions(&left.details.version, &right.details.version).then_with(|| left.name.cmp(&right.name))
        });
        for mut document in new {
            let has_sets = |name: &SeriesName| {
                self.series
                    .get(name)
                    .and_then(|facts| facts.sets.as_ref())
                    .is_some_and(|sets| !sets.is_empty())
            };
            if has_sets(&document.name) {
                let is_before = |other: &&SeriesDocument| {
                    compare_series_versions(&other.details.version, &document.details.version).is_lt()
                        && (has_sets(&other.name) || !other.packagesets.is_empty())
                };
                let before = want.series.iter().filter(is_before);
                let last = before.max_by(|left, right| compare_series_versions(&left.details.version, &right.details.version));
                document.from = last.map(|last| Origin::Here(last.name.clone()));
            }
            want.series.push(document);
        }
    }
}

fn has_series(document: &DistributionDocument, name: &SeriesName) -> bool {
    document.series.iter().any(|series| series.name == *name)
}

fn take_in_details(details: &mut SeriesDetails, facts: &SeriesFacts) {
    let SeriesFacts {
        version,
        title,
        codename,
        is_long_term,
        status,
        owner,
        branch,
        dates,
        sets: _,
        partial_sets: _,
        retired: _,
        remarks: _,
    } = facts;
    if let Some(version) = version {
        details.version = version.clone();
    }
    if title.is_some() {
        details.title.clone_from(title);
    }
    if let Some(codename) = codename {
        details.summary = Some(summary(codename, *is_long_term));
    }
    if let Some(status) = status {
        details.status = *status;
    }
    if let Some(owner) = owner {
        details.owner = owner.clone();
    }
    if branch.is_some() {
        details.branch.clone_from(branch);
    }
    details
        .dates
        .extend(dates.iter().map(|(milestone, date)| (milestone.clone(), *date)));
}

fn summary(codename: &str, is_long_term: Option<bool>) -> String {
    let term = if is_long_term == Some(true) { " (LTS)" } else { "" };
    format!("{codename}{term}")
}

/// The sets of a document, each with what is in it.
fn sets(document: &DistributionDocument) -> Sets {
    let with_content = |(series, set): (&SeriesName, &SetDocument)| {
        let (score, content) = (set.score, document.content(set)?.clone());
        Some(((series.clone(), set.name.clone()), Set { score, content }))
    };
    all_sets(document).filter_map(with_content).collect()
}

fn all_sets(document: &DistributionDocument) -> impl Iterator<Item = (&SeriesName, &SetDocument)> {
    document
        .series
        .iter()
        .flat_map(|series| series.packagesets.iter().map(move |set| (&series.name, set)))
}

fn take_in_sets(
    sets: &mut Sets,
    distribution: &DistributionName,
    series: &SeriesName,
    said: &BTreeMap<PackageSetName, SetFacts>,
    is_partial: bool,
    stays: impl Fn(&PackageSetName) -> bool,
) {
    // A set that got another name is known by its group.
    let mut by_group: BTreeMap<GroupName, Set> = BTreeMap::new();
    let groups: BTreeSet<&GroupName> = said.values().filter_map(|facts| facts.group.as_ref()).collect();
    sets.retain(|(of, name), set| {
        if of != series || stays(name) {
            return true;
        }
        let group = &set.content.group;
        let group = group.clone().unwrap_or_else(|| GroupName::beginning_with(distribution, name));
        let stays = is_partial && !groups.contains(&group);
        if !stays {
            by_group.insert(group, set.clone());
        }
        stays
    });
    for (name, facts) in said {
        // What is merely said of a set does not make one.
        if !facts.says_what_is_in_it() && !sets.contains_key(&(series.clone(), name.clone())) {
            continue;
        }
        let SetFacts {
            group,
            created: _,
            owner,
            description,
            score,
            sources,
            subsets,
            partial_subsets,
            remarks: _,
        } = facts;
        let new = || {
            let renamed = group.as_ref().and_then(|group| by_group.get(group)).cloned();
            renamed.unwrap_or_else(|| Set {
                score: 0,
                content: SetContent {
                    group: None,
                    owner: Party::orphan(),
                    description: String::new(),
                    subsets: BTreeSet::new(),
                    sources: BTreeSet::new(),
                    permissions: Vec::new(),
                },
            })
        };
        let set = sets.entry((series.clone(), name.clone())).or_insert_with(new);
        let content = &mut set.content;
        if let Some(group) = group {
            let is_usual = *group == GroupName::beginning_with(distribution, name);
            content.group = (!is_usual).then(|| group.clone());
        }
        take(&mut content.owner, owner);
        take(&mut content.description, description);
        take(&mut set.score, score);
        take(&mut content.sources, sources);
        match subsets {
            Some(subsets) if *partial_subsets => content.subsets.extend(subsets.iter().cloned()),
            _ => take(&mut content.subsets, subsets),
        }
    }
}

fn take<T: Clone>(value: &mut T, said: &Option<T>) {
    if let Some(said) = said {
        value.clone_from(said);
    }
}

/// Takes out of sets the sets that are not there: what includes one that was removed may not have been read again since.
fn keep_what_is_there(sets: &mut Sets) {
    let there: BTreeSet<(SeriesName, PackageSetName)> = sets.keys().cloned().collect();
    for ((series, _), set) in sets.iter_mut() {
        set.content
            .subsets
            .retain(|subset| there.contains(&(series.clone(), subset.clone())));
    }
}

/// Puts the sets into the series. One that was the same as in another series, and still is, says so.
fn put_back(sets: &Sets, have: &DistributionDocument, want: &mut DistributionDocument) {
    let shared: BTreeMap<(&SeriesName, &PackageSetName), &SeriesName> = all_sets(have)
        .filter_map(|(series, set)| match &set.body {
            SetBody::AsIn { as_in } => Some(((series, &set.name), as_in)),
            SetBody::Own(_) => None,
        })
        .collect();
    for document in &mut want.series {
        document.packagesets.clear();
    }
    for ((series, name), set) in sets {
        let Some(document) = want.series.iter_mut().find(|document| document.name == *series) else {
            continue;
        };
        let as_in = shared.get(&(series, name)).filter(|&&as_in| {
            let there = sets.get(&(as_in.clone(), name.clone()));
            there.is_some_and(|there| there.content == set.content)
        });
        document.packagesets.push(SetDocument {
            name: name.clone(),
            score: set.score,
            body: match as_in {
                Some(&as_in) => SetBody::AsIn { as_in: as_in.clone() },
                None => SetBody::Own(set.content.clone()),
            },
        });
    }
}
