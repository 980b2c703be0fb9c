//! The permissions of an archive.

use std::collections::{BTreeMap, BTreeSet};

use url::Url;

use super::{
    Service,
    people::People,
    wire::{Field, PermissionRow, Shown, name_in},
};
use crate::{
    model::packages::{
        Action, Permission, PermissionStatus, SeriesName, Target,
        snapshot::{PartialList, Remark, SeriesFacts, SourceSnapshot},
    },
    source::Trouble,
};

impl Service<'_> {
    pub(super) async fn permission_rows(&self, archive: &Url, snapshot: &mut SourceSnapshot) -> Result<Vec<PermissionRow>, Trouble> {
        let all = Self::operation(archive, "getAllPermissions", &[]);
        let list = self.list(all, "permissions").await?;
        if let Some(fewer) = list.fewer("the list of permissions") {
            snapshot.partial.insert(PartialList::Permissions);
            snapshot.remarks.insert(fewer);
        }
        Ok(list.rows)
    }
}

/// The account that has a permission.
pub(super) fn holder(row: &PermissionRow) -> Option<String> {
    match row.person_link.clone().into() {
        Field::There(link) => Some(name_in(&link)),
        Field::Absent | Field::Hidden => None,
    }
}

/// What the rows say. Permissions on sets of series whose sets were not read are left out: without the sets they mean nothing. Where something of one is
/// hidden, it may be any that was known.
pub(super) fn permissions(rows: Vec<PermissionRow>, people: &People, snapshot: &mut SourceSnapshot) -> BTreeSet<Permission> {
    let SourceSnapshot {
        series, partial, remarks, ..
    } = snapshot;
    let read = rows.into_iter().filter_map(|row| match permission(row, people, series) {
        Ok(permission) => permission,
        Err(remark) => {
            if matches!(remark, Remark::Hidden { .. }) {
                partial.insert(PartialList::Permissions);
            }
            remarks.insert(remark);
            None
        }
    });
    read.collect()
}

fn permission(row: PermissionRow, people: &People, series: &BTreeMap<SeriesName, SeriesFacts>) -> Result<Option<Permission>, Remark> {
    let which = described(&row.self_link);
    let hidden = |what: &str| Remark::hidden(format!("{what} of {which}"));
    let unknown = |what: &str, found: &str, reason: &dyn std::fmt::Display| Remark::unknown(format!("{what} of {which}"), found, reason);
    let action = match row.permission.clone() {
        Shown::Hidden => return Err(hidden("the action")),
        Shown::Value(words) => match words.as_str() {
            "Archive Upload Rights" => Action::Upload,
            "Queue Administration Rights" => Action::QueueAdmin,
            _ => return Err(unknown("the action", &words, &"kinset knows uploading and administering the queue")),
        },
    };
    let Some(holder) = holder(&row) else {
        return Err(hidden("who has it"));
    };
    let series_name = match row.distro_series_name.into() {
        Field::There(name) => Some(name),
        Field::Absent => None,
        Field::Hidden => return Err(hidden("the series")),
    };
    let parsed_series = |name: &str| name.parse::<SeriesName>().map_err(|error| unknown("the series", name, &error));

    let mut targets = Vec::new();
    if let Some(name) = there(row.component_name, || hidden("the component"))? {
        let component = name.parse().map_err(|error| unknown("the component", &name, &error))?;
        targets.push(Target::Component { component });
    }
    if let Some(name) = there(row.source_package_name, || hidden("the package"))? {
        let package = name.parse().map_err(|error| unknown("the package", &name, &error))?;
        targets.push(Target::Package { package });
    }
    if let Some(name) = there(row.package_set_name, || hidden("the package set"))? {
        let Some(series_name) = &series_name else {
            return Err(hidden("the series"));
        };
        let set = name.parse().map_err(|error| unknown("the package set", &name, &error))?;
        let of = parsed_series(series_name)?;
        let Some(facts) = series.get(&of) else { return Ok(None) };
        let Some(sets) = &facts.sets else { return Ok(None) };
        if !sets.contains_key(&set) && !facts.partial_sets {
            return Err(unknown("the package set", &name, &format!("{of} has no such set")));
        }
        targets.push(Target::PackageSet { series: of, set });
    }
    if let Some(name) = there(row.pocket, || hidden("the pocket"))? {
        let pocket = name.parse().map_err(|error| unknown("the pocket", &name, &error))?;
        let series = series_name.as_deref().map(parsed_series).transpose()?;
        targets.push(Target::Pocket { pocket, series });
    }
    let [target] = <[Target; 1]>::try_from(targets).map_err(|targets| {
        unknown(
            "the number of targets",
            &targets.len().to_string(),
            &"a permission is on exactly one thing",
        )
    })?;
    let explicit = match row.explicit {
        Shown::Value(explicit) => explicit,
        Shown::Hidden => return Err(hidden("whether it is explicit")),
    };
    let party = people
        .known(&holder)
        .ok_or_else(|| Remark::hidden(format!("who {holder} is, for {which}")))?;
    Ok(Some(Permission {
        party,
        action,
        explicit: explicit && matches!(target, Target::PackageSet { .. }),
        target,
        status: PermissionStatus::Approved,
    }))
}

/// What stands in a field, unless it is hidden.
fn there(field: Option<Shown<Option<String>>>, hidden: impl FnOnce() -> Remark) -> Result<Option<String>, Remark> {
    match field.into() {
        Field::There(value) => Ok(Some(value)),
        Field::Absent => Ok(None),
        Field::Hidden => Err(hidden()),
    }
}

/// A permission by its address, which tells it from every other.
fn described(self_link: &str) -> String {
    let address = self_link.split_once("/+archive/").map_or(self_link, |(_, address)| address);
    format!("permission {address}")
}
