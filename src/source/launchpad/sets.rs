//! The package sets of the series, and what is directly in each.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use url::Url;

use super::{
    Listed, Service, has_ended,
    people::{People, account},
    wire::{Field, SetRow, Shown, name_in},
};
use crate::{
    model::packages::{
        GroupName, PackageName, PackageSetName, SeriesName,
        snapshot::{Remark, SeriesFacts, SetFacts},
    },
    source::{Trouble, web::under},
};

/// What was found in the series that are wanted.
#[derive(Default)]
pub(super) struct Found {
    series: BTreeMap<SeriesName, SeriesSets>,
    pub(super) sets: BTreeMap<SetKey, FoundSet>,
}

/// A series, and its set.
pub(super) type SetKey = (SeriesName, PackageSetName);

/// What was found in a series.
#[derive(Default)]
struct SeriesSets {
    /// All of its sets as they were: it has ended, and was read before.
    as_before: Option<BTreeMap<PackageSetName, SetFacts>>,
    /// Whether the list leaves some out.
    is_partial: bool,
    remarks: BTreeSet<Remark>,
}

/// A set of a series that was listed.
pub(super) struct FoundSet {
    pub(super) url: Url,
    pub(super) row: SetRow,
    pub(super) group: Option<GroupName>,
    /// All of it as it was, or only what is in it.
    content: Content,
}

enum Content {
    AsBefore(SetFacts),
    Read(SetFacts),
}

impl FoundSet {
    fn owner(&self) -> Field<String> {
        owner(&self.row)
    }
}

/// The account of the owner of a set.
fn owner(row: &SetRow) -> Field<String> {
    match row.owner_link.clone().into() {
        Field::There(link) => Field::There(name_in(&link)),
        other => other,
    }
}

/// Whether a set is listed as it was known. One whose date of creation is hidden may be another of the same name.
fn is_same(before: &SetFacts, row: &SetRow) -> bool {
    let owner_before = before.owner.as_ref().map(account);
    let has_same_owner = match owner(row) {
        Field::There(owner) => owner_before == Some(owner.as_str()),
        Field::Absent | Field::Hidden => owner_before.is_none(),
    };
    let score = row.relative_build_score.clone().value();
    before.created.is_some()
        && before.created == created(row)
        && before.description == row.description.clone().value()
        && before.score == score
        && has_same_owner
}

/// The list of sets of a series, in a remark.
fn the_list(series: &SeriesName) -> String {
    format!("the list of package sets of {series}")
}

/// A row of it, in a remark.
fn a_set(series: &SeriesName) -> String {
    format!("a package set of {series}")
}

/// Whether a remark is of the list of sets of a series, and so holds for as long as that is not read again.
fn is_about_the_list(remark: &Remark, series: &SeriesName) -> bool {
    match remark {
        Remark::Fewer { what, .. } => *what == the_list(series),
        Remark::Unknown { what, .. } => *what == a_set(series),
        Remark::Hidden { .. }
        | Remark::Contradicted { .. }
        | Remark::Twice { .. }
        | Remark::Outdated { .. }
        | Remark::NoSeries { .. }
        | Remark::NoSet { .. } => false,
    }
}

/// When a set was made.
pub(super) fn created(row: &SetRow) -> Option<Timestamp> {
    row.date_created.clone().value()?.parse().ok()
}

impl Found {
    pub(super) fn owners(&self) -> Vec<String> {
        let owner = |set: &FoundSet| match set.owner() {
            Field::There(owner) => Some(owner),
            Field::Absent | Field::Hidden => None,
        };
        self.sets.values().filter_map(owner).collect()
    }

    /// How many sets of which series were not looked into again.
    pub(super) fn unread(&self) -> BTreeMap<SeriesName, usize> {
        let mut unread = BTreeMap::new();
        let as_before = self.sets.iter().filter(|(_, set)| matches!(set.content, Content::AsBefore(_)));
        for ((series, _), _) in as_before {
            *unread.entry(series.clone()).or_default() += 1;
        }
        unread
    }

    /// The names of the groups that are taken.
    pub(super) fn group_names(&self) -> BTreeSet<GroupName> {
        let before = self.series.values().filter_map(|series| series.as_before.as_ref());
        let kept = before.flat_map(BTreeMap::values).filter_map(|set| set.group.clone());
        kept.chain(self.sets.values().filter_map(|set| set.group.clone())).collect()
    }

    /// The group of a set, if it is known.
    pub(super) fn group(&self, (series, set): &SetKey) -> Option<&GroupName> {
        let as_before = || self.series.get(series)?.as_before.as_ref()?.get(set)?.group.as_ref();
        match self.sets.get(&(series.clone(), set.clone())) {
            Some(found) => found.group.as_ref(),
            None => as_before(),
        }
    }

    /// Puts what was found into the series.
    pub(super) fn settle(self, series: &mut BTreeMap<SeriesName, SeriesFacts>, people: &People) {
        for (name, sets) in self.series {
            if let Some(facts) = series.get_mut(&name) {
                facts.sets = Some(sets.as_before.unwrap_or_default());
                facts.partial_sets = sets.is_partial;
                facts.remarks.extend(sets.remarks);
            }
        }
        for ((series_name, name), found) in self.sets {
            let facts = found.into_facts(&series_name, &name, people);
            if let Some(sets) = series.get_mut(&series_name).and_then(|series| series.sets.as_mut()) {
                sets.insert(name, facts);
            }
        }
    }
}

impl FoundSet {
    fn into_facts(self, series: &SeriesName, name: &PackageSetName, people: &People) -> SetFacts {
        let owner = self.owner();
        let mut facts = match self.content {
            Content::AsBefore(facts) => {
                return SetFacts {
                    group: self.group,
                    ..facts
                };
            }
            Content::Read(facts) => facts,
        };
        facts.group = self.group;
        facts.created = created(&self.row);
        let of = |what: &str| format!("the {what} of {name} in {series}");
        match owner {
            Field::There(owner) => facts.owner = people.party(&owner, || of("owner"), &mut facts.remarks),
            Field::Hidden => {
                facts.remarks.insert(Remark::hidden(of("owner")));
            }
            Field::Absent => {}
        }
        match self.row.date_created {
            Shown::Value(text) if facts.created.is_none() => {
                facts
                    .remarks
                    .insert(Remark::unknown(of("date of creation"), &text, "it is no time"));
            }
            Shown::Value(_) => {}
            Shown::Hidden => {
                facts.remarks.insert(Remark::hidden(of("date of creation")));
            }
        }
        match self.row.description {
            Shown::Value(description) => facts.description = Some(description),
            Shown::Hidden => {
                facts.remarks.insert(Remark::hidden(of("description")));
            }
        }
        match self.row.relative_build_score {
            Shown::Value(score) => facts.score = Some(score),
            Shown::Hidden => {
                facts.remarks.insert(Remark::hidden(of("score")));
            }
        }
        facts
    }
}

impl Service<'_> {
    /// Reads the sets of the series that are wanted, where they are not known.
    pub(super) async fn sets(&self, listed: &BTreeMap<SeriesName, Listed>) -> Result<Found, Trouble> {
        let mut found = Found::default();
        let mut living = Vec::new();
        for (name, series) in listed.iter().filter(|(name, _)| self.is_wanted(name)) {
            let before = self.previous.snapshot.series.get(name);
            let before = before.filter(|before| has_ended(before.status) && has_ended(series.facts.status));
            let as_before = before.and_then(|before| before.sets.clone());
            let is_partial = before.is_some_and(|before| before.partial_sets);
            let remarks = before.into_iter().flat_map(|before| &before.remarks);
            let remarks = remarks.filter(|remark| is_about_the_list(remark, name)).cloned().collect();
            if as_before.is_none() {
                living.push((name, series));
            }
            let sets = SeriesSets {
                as_before,
                is_partial,
                remarks,
            };
            found.series.insert(name.clone(), sets);
        }
        let lists = stream::iter(living.into_iter().map(|(name, series)| async move {
            let all = under(&self.settings.url, &["package-sets"]);
            let of_series = Self::operation(&all, "getBySeries", &[("distroseries", series.url.as_str())]);
            Ok::<_, Trouble>((name, self.list::<SetRow>(of_series, "package sets").await?))
        }));
        let lists: Vec<_> = lists.buffered(self.web.width()).try_collect().await?;

        let mut rows = Vec::new();
        for (series, list) in lists {
            let sets = found.series.entry(series.clone()).or_default();
            if let Some(fewer) = list.fewer(the_list(series)) {
                sets.is_partial = true;
                sets.remarks.insert(fewer);
            }
            for row in list.rows {
                match row.name.parse::<PackageSetName>() {
                    Ok(name) => rows.push(((series.clone(), name), row)),
                    Err(error) => {
                        sets.remarks.insert(Remark::unknown(a_set(series), &row.name, error));
                    }
                }
            }
        }
        let sets = stream::iter(rows.into_iter().map(|(key, row)| async move {
            let rereads = listed.get(&key.0).is_none_or(|series| self.rereads(series.facts.status));
            let set = self.set(&key, row, rereads).await?;
            Ok::<_, Trouble>((key, set))
        }));
        found.sets = sets.buffered(self.web.width()).try_collect().await?;
        Ok(found)
    }

    /// What is known of a set that is listed, read again if it has to be or `rereads` says so.
    async fn set(&self, key: &SetKey, row: SetRow, rereads: bool) -> Result<FoundSet, Trouble> {
        let (series, name) = key;
        let url = self.web.link(&self.settings.url, &row.self_link, "a package set")?;
        let before = self
            .previous
            .snapshot
            .series
            .get(series)
            .and_then(|facts| facts.sets.as_ref()?.get(name));
        let before = before.filter(|before| is_same(before, &row));
        let group = before.and_then(|facts| facts.group.clone());
        let content = match before {
            Some(facts) if !rereads => Content::AsBefore(facts.clone()),
            _ => Content::Read(self.content(&url, series, name).await?),
        };
        Ok(FoundSet { url, row, group, content })
    }

    /// What is directly in a set.
    async fn content(&self, url: &Url, series: &SeriesName, name: &PackageSetName) -> Result<SetFacts, Trouble> {
        const DIRECTLY: (&str, &str) = ("direct_inclusion", "true");
        let sources: Vec<String> = self
            .web
            .json(
                &Self::operation(url, "getSourcesIncluded", &[DIRECTLY]),
                "the sources in a package set",
            )
            .await?;
        let subsets = self
            .list::<SetRow>(
                Self::operation(url, "setsIncluded", &[DIRECTLY]),
                "the package sets in a package set",
            )
            .await?;
        let mut facts = SetFacts::default();
        let mut names = BTreeSet::<PackageName>::new();
        for source in sources {
            match source.parse() {
                Ok(package) => {
                    names.insert(package);
                }
                Err(error) => {
                    facts
                        .remarks
                        .insert(Remark::unknown(format!("a source in {name} in {series}"), &source, error));
                }
            }
        }
        facts.sources = Some(names);
        if let Some(fewer) = subsets.fewer(format!("the list of sets in {name} in {series}")) {
            facts.partial_subsets = true;
            facts.remarks.insert(fewer);
        }
        let mut names = BTreeSet::new();
        for subset in subsets.rows {
            match subset.name.parse() {
                Ok(subset) => {
                    names.insert(subset);
                }
                Err(error) => {
                    facts
                        .remarks
                        .insert(Remark::unknown(format!("a set in {name} in {series}"), &subset.name, error));
                }
            }
        }
        facts.subsets = Some(names);
        Ok(facts)
    }
}
