//! What a distribution is to be once what a source knows is taken in.

use std::collections::{BTreeMap, BTreeSet};

use super::{PackageFacts, PartialList, SeriesFacts, SetFacts, SourceSnapshot};
use crate::model::packages::document::{
    DistributionDocument, ListingDocument, OnSet, Origin, PermissionDocument, SeriesDocument, SeriesTarget, SetBody, SetContent,
    SetDocument, WideTarget,
};
use crate::model::packages::{
    Action, DistributionName, GroupName, ListingDetails, ListingStatus, PackageName, PackageSetName, Party, Permission, PermissionStatus,
    SeriesDetails, SeriesName, Target, compare_series_versions,
};

/// What people have on packages by a source's word: those who look after it besides its owner, and those who are told of its bugs.
const ON_PACKAGES: [Action; 2] = [Action::Commit, Action::WatchBugzilla];

/// A set of a series, whoever shares it.
#[derive(Clone, Debug)]
struct Set {
    score: i64,
    content: SetContent,
}

/// The sets of all series.
type Sets = BTreeMap<(SeriesName, PackageSetName), Set>;

impl SourceSnapshot {
    /// What a distribution is to be when it is as the snapshot says, as far as that speaks of it, and else as it is. `listed` are the series that have
    /// all of the snapshot's packages; of the others it tells only what is retired there.
    ///
    /// - A series that is not there is added if the snapshot says what it is, and not only what is in it. Its sets begin as those of the series before it.
    /// - What nobody is known to own belongs to [the orphan](Party::orphan()).
    /// - A permission on a set or a series that the distribution does not have is left out. Those in series whose sets it does not tell of stay.
    /// - A team that the snapshot does not speak of stays as it is.
    /// - Of a list that shows less than there is ([`PartialList`]) what it shows is taken in, and nothing is taken away.
    /// - Modules are none of a document: they have [operations of their own](super::ModuleFacts::operations).
    #[must_use]
    pub fn over(&self, have: &DistributionDocument, listed: &BTreeSet<SeriesName>) -> DistributionDocument {
        let Self {
            current_series,
            series,
            teams,
            permissions,
            packages,
            modules: _,
            partial,
            remarks: _,
        } = self;
        let mut want = have.clone();
        self.take_in_series(&mut want);
        if let Some(current) = current_series.as_ref().filter(|name| has_series(&want, name)) {
            want.current_series = Some(current.clone());
        }
        let mut sets = sets(have);
        for (name, facts) in series {
            if let Some(said) = facts.sets.as_ref().filter(|_| has_series(&want, name)) {
                take_in_sets(&mut sets, &want.name, name, said, facts.partial_sets);
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
        if let Some(permissions) = permissions {
            let told: BTreeSet<&SeriesName> = series
                .iter()
                .filter(|(_, facts)| facts.sets.is_some())
                .map(|(name, _)| name)
                .collect();
            let are_all = !partial.contains(&PartialList::Permissions);
            if are_all {
                withdraw_permissions(&mut sets, &mut want, permissions, &told);
            }
            take_in_permissions(&mut sets, &mut want, permissions, are_all);
        }
        for document in &mut want.series {
            let retired = series.get(&document.name).and_then(|facts| facts.retired.as_ref());
            match packages {
                Some(packages) if listed.contains(&document.name) => list(document, packages, retired),
                _ => mark_retired(document, packages.as_ref(), retired),
            }
        }
        want.packages.extend(packages.iter().flat_map(BTreeMap::keys).cloned());
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
        let term = if *is_long_term == Some(true) { " (LTS)" } else { "" };
        details.summary = Some(format!("{codename}{term}"));
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
) {
    // A set that got another name is known by its group.
    let mut by_group: BTreeMap<GroupName, Set> = BTreeMap::new();
    let groups: BTreeSet<&GroupName> = said.values().filter_map(|facts| facts.group.as_ref()).collect();
    sets.retain(|(of, name), set| {
        if of != series || said.contains_key(name) {
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

/// Takes away all permissions but those on packages of one series. Of a series whose sets are not told of nothing is said of permissions on them, unless
/// there is one, and nothing of others either, unless there is one there: those stay as they are.
fn withdraw_permissions(
    sets: &mut Sets,
    want: &mut DistributionDocument,
    permissions: &BTreeSet<Permission>,
    told: &BTreeSet<&SeriesName>,
) {
    let targets = permissions.iter().map(|permission| &permission.target);
    let with_any: BTreeSet<&SeriesName> = targets.clone().filter_map(Target::series).collect();
    let on_sets = targets.filter(|target| matches!(target, Target::PackageSet { .. }));
    let with_any_on_sets: BTreeSet<&SeriesName> = on_sets.filter_map(Target::series).collect();
    want.permissions.clear();
    for series in &mut want.series {
        if told.contains(&series.name) || with_any.contains(&series.name) {
            series
                .permissions
                .retain(|permission| matches!(permission.target, SeriesTarget::Listing { .. }));
        }
    }
    for ((series, _), set) in sets.iter_mut() {
        if told.contains(series) || with_any_on_sets.contains(series) {
            set.content.permissions.clear();
        }
    }
}

/// All permissions but those on packages of one series: to nothing if they `are_all`, else in place of the same ones.
fn take_in_permissions(sets: &mut Sets, want: &mut DistributionDocument, permissions: &BTreeSet<Permission>, are_all: bool) {
    for permission in permissions {
        let Permission {
            party,
            action,
            target,
            status,
            explicit,
        } = permission;
        let wide = match target {
            Target::PackageSet { series, set } => {
                if let Some(set) = sets.get_mut(&(series.clone(), set.clone())) {
                    let given = entry(party, *action, OnSet { explicit: *explicit }, *status);
                    put(&mut set.content.permissions, given, are_all, |_, _| true);
                }
                continue;
            }
            Target::Pocket {
                pocket,
                series: Some(series),
            } => {
                if let Some(series) = want.series.iter_mut().find(|document| document.name == *series) {
                    let target = SeriesTarget::Pocket { pocket: *pocket };
                    put(
                        &mut series.permissions,
                        entry(party, *action, target, *status),
                        are_all,
                        PartialEq::eq,
                    );
                }
                continue;
            }
            Target::Pocket { pocket, series: None } => WideTarget::Pocket { pocket: *pocket },
            Target::Package { package } => WideTarget::Package { package: package.clone() },
            Target::Component { component } => WideTarget::Component {
                component: component.clone(),
            },
            // Who has something on a package of one series its owners say, and who maintains a project its tracker.
            Target::Listing { .. } | Target::TrackerProject { .. } => continue,
        };
        put(&mut want.permissions, entry(party, *action, wide, *status), are_all, PartialEq::eq);
    }
}

/// Adds a permission, in place of the same one unless there can be none.
fn put<T>(all: &mut Vec<PermissionDocument<T>>, given: PermissionDocument<T>, is_new: bool, is_same: impl Fn(&T, &T) -> bool) {
    let is_it = |old: &&mut PermissionDocument<T>| {
        !is_new && old.party == given.party && old.action == given.action && is_same(&old.target, &given.target)
    };
    match all.iter_mut().find(is_it) {
        Some(old) => *old = given,
        None => all.push(given),
    }
}

fn entry<T>(party: &Party, action: Action, target: T, status: PermissionStatus) -> PermissionDocument<T> {
    PermissionDocument {
        party: party.clone(),
        action,
        target,
        status,
    }
}

/// Lists all packages in a series, with who may do what to them.
fn list(document: &mut SeriesDocument, packages: &BTreeMap<PackageName, PackageFacts>, retired: Option<&BTreeSet<PackageName>>) {
    let mut before = by_package(document);
    document.listings = packages
        .iter()
        .map(|(package, facts)| {
            let mut listing = before
                .remove(package)
                .unwrap_or_else(|| new_listing(package, ListingStatus::Approved));
            take(&mut listing.details.owner, &facts.owner);
            if let Some(retired) = retired {
                listing.details.status = if retired.contains(package) {
                    ListingStatus::Obsolete
                } else {
                    ListingStatus::Approved
                };
            }
            listing
        })
        .collect();
    document.permissions.retain(|permission| match &permission.target {
        SeriesTarget::Listing { package } => packages
            .get(package)
            .is_some_and(|facts| said_of(facts, permission.action).is_none()),
        SeriesTarget::Pocket { .. } => true,
    });
    for (package, facts) in packages {
        for action in ON_PACKAGES {
            let target = SeriesTarget::Listing { package: package.clone() };
            let parties = said_of(facts, action).into_iter().flatten();
            document
                .permissions
                .extend(parties.map(|party| entry(party, action, target.clone(), PermissionStatus::Approved)));
        }
    }
}

/// Who a source says may do this to a package.
const fn said_of(facts: &PackageFacts, action: Action) -> Option<&BTreeSet<Party>> {
    match action {
        Action::Commit => facts.maintainers.as_ref(),
        Action::WatchBugzilla => facts.watchers.as_ref(),
        _ => None,
    }
}

/// Marks the packages that are retired in a series, and those that are so no longer.
fn mark_retired(
    document: &mut SeriesDocument,
    packages: Option<&BTreeMap<PackageName, PackageFacts>>,
    retired: Option<&BTreeSet<PackageName>>,
) {
    let Some(retired) = retired else { return };
    let mut listings = by_package(document);
    for (package, listing) in &mut listings {
        if listing.details.status == ListingStatus::Obsolete && !retired.contains(package) {
            listing.details.status = ListingStatus::Approved;
        }
    }
    for package in retired {
        let listing = listings
            .entry(package.clone())
            .or_insert_with(|| new_listing(package, ListingStatus::Obsolete));
        listing.details.status = ListingStatus::Obsolete;
        if let Some(facts) = packages.and_then(|packages| packages.get(package)) {
            take(&mut listing.details.owner, &facts.owner);
        }
    }
    document.listings = listings.into_values().collect();
}

fn by_package(document: &mut SeriesDocument) -> BTreeMap<PackageName, ListingDocument> {
    let listings = std::mem::take(&mut document.listings).into_iter();
    listings.map(|listing| (listing.package.clone(), listing)).collect()
}

fn new_listing(package: &PackageName, status: ListingStatus) -> ListingDocument {
    ListingDocument {
        package: package.clone(),
        details: ListingDetails {
            owner: Party::orphan(),
            qa_contact: None,
            component: None,
            status,
        },
        versions: Vec::new(),
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
