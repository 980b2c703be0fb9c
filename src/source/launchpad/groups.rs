//! Which sets are incarnations of one another.
//!
//! Launchpad's groups have no names; one is named here by its oldest set, with a number where that is taken. A set that is known keeps its group, and so
//! do the relatives of such a set, so that names stay as they are when more series come.

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use jiff::Timestamp;
use url::Url;

use super::{
    Service,
    sets::{Found, SetKey, created},
    wire::{SetRow, name_in},
};
use crate::{
    model::packages::{GroupName, snapshot::Remark},
    source::Trouble,
};

/// What makes one set older than another.
type Age = (Option<Timestamp>, Option<u64>, String);

/// Sets that belong together.
struct Group {
    /// The name that some of them have already.
    known: Option<GroupName>,
    /// The oldest, in any series of any distribution.
    oldest: Age,
    /// The distribution and the name of that.
    origin: String,
    /// Those that were found.
    members: BTreeSet<SetKey>,
}

impl Service<'_> {
    /// Gives each set its group. One set of each name is asked, then one of each name that is left, until none is: sets of one name are one group
    /// as a rule, so there are hardly more requests than new groups.
    pub(super) async fn group(&self, found: &mut Found, remarks: &mut BTreeSet<Remark>) -> Result<(), Trouble> {
        let mut left: BTreeSet<SetKey> = found
            .sets
            .iter()
            .filter(|(_, set)| set.group.is_none())
            .map(|(key, _)| key.clone())
            .collect();
        let mut groups = Vec::new();
        while !left.is_empty() {
            let by_name: BTreeMap<_, _> = left.iter().map(|key| (&key.1, key)).collect();
            let asked: Vec<(SetKey, Url, SetRow)> = by_name
                .into_values()
                .filter_map(|key| found.sets.get(key).map(|set| (key.clone(), set.url.clone(), set.row.clone())))
                .collect();
            let answers = stream::iter(asked.into_iter().map(|(key, url, row)| async move {
                let related = Self::operation(&url, "relatedSets", &[]);
                let list = self.list::<SetRow>(related, "the relatives of a package set").await?;
                Ok::<_, Trouble>((key, row, list))
            }));
            let answers: Vec<_> = answers.buffered(self.web.width()).try_collect().await?;
            for (key, row, list) in answers {
                if !left.remove(&key) {
                    continue;
                }
                // A relative that is left out here is left out of the list of its series too, where it is remarked upon.
                let group = self.group_of(key, &row, &list.rows, found);
                for member in &group.members {
                    left.remove(member);
                }
                groups.push(group);
            }
        }
        name(groups, found, remarks);
        Ok(())
    }

    fn group_of(&self, key: SetKey, row: &SetRow, related: &[SetRow], found: &Found) -> Group {
        let mut group = Group {
            known: None,
            oldest: age(row),
            origin: origin(row),
            members: BTreeSet::from([key]),
        };
        for row in related {
            if age(row) < group.oldest {
                group.oldest = age(row);
                group.origin = origin(row);
            }
            if distribution(row) != self.settings.distribution.as_str() {
                continue;
            }
            let (Ok(series), Ok(name)) = (name_in(&row.distroseries_link).parse(), row.name.parse()) else {
                continue;
            };
            let relative = (series, name);
            if let Some(known) = found.group(&relative) {
                group.known.get_or_insert_with(|| known.clone());
            } else if found.sets.contains_key(&relative) {
                group.members.insert(relative);
            }
        }
        group
    }
}

/// Names the groups, the oldest first.
fn name(mut groups: Vec<Group>, found: &mut Found, remarks: &mut BTreeSet<Remark>) {
    groups.sort_by(|left, right| left.oldest.cmp(&right.oldest));
    let mut taken = found.group_names();
    for group in groups {
        let name = match group.known {
            Some(known) => known,
            None => match free(&group.origin, &taken) {
                Ok(name) => name,
                Err(remark) => {
                    remarks.insert(remark);
                    continue;
                }
            },
        };
        taken.insert(name.clone());
        for member in group.members {
            if let Some(set) = found.sets.get_mut(&member) {
                set.group = Some(name.clone());
            }
        }
    }
}

/// The first name for a group of that origin that is not taken.
fn free(origin: &str, taken: &BTreeSet<GroupName>) -> Result<GroupName, Remark> {
    let unknown = |error| Remark::unknown("the name of a group of package sets", origin, error);
    let plain: GroupName = origin.parse().map_err(unknown)?;
    if !taken.contains(&plain) {
        return Ok(plain);
    }
    let mut number = 2;
    loop {
        let numbered: GroupName = format!("{origin}~{number}").parse().map_err(unknown)?;
        if !taken.contains(&numbered) {
            return Ok(numbered);
        }
        number += 1;
    }
}

fn age(row: &SetRow) -> Age {
    (created(row), row.id.clone().value(), row.self_link.clone())
}

/// The distribution of a set: the part before the last of the link to its series.
fn distribution(row: &SetRow) -> String {
    let link = row.distroseries_link.trim_end_matches('/');
    link.rsplit_once('/')
        .map(|(distribution, _)| name_in(distribution))
        .unwrap_or_default()
}

fn origin(row: &SetRow) -> String {
    format!("{}/{}", distribution(row), row.name)
}
