//! Permissions as rows.

use std::collections::BTreeSet;

use rusqlite::types::Type;
use rusqlite::{Row, ToSql, params};
use serde_json::json;

use super::act::{Act, OPEN, Scope};
use super::sets::writable;
use super::view::{DistributionRow, SeriesRow, View, holds, parsed, word};
use crate::model::packages::{
    Action, DistributionName, PackageName, PackageSetName, Party, Permission, PermissionStatus, Pocket, Refusal, SeriesPath, Target,
};
use crate::store::database::Fault;

/// The columns that say what a permission is for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Columns {
    package_set: Option<i64>,
    package: Option<i64>,
    component: Option<String>,
    pocket: Option<&'static str>,
    collection: Option<i64>,
}

pub(super) fn grant(act: &mut Act<'_>, distribution: &DistributionName, permission: &Permission) -> Result<(), Fault> {
    let Permission {
        party,
        action,
        target,
        status,
        explicit,
    } = permission;
    require_fit(*action, target)?;
    if *explicit && !matches!(target, Target::PackageSet { .. }) {
        return Err(Refusal::NotExplicit(target.clone()).into());
    }
    let distribution = act.view.distribution(distribution)?;
    let series = series_of(act, &distribution, target)?;
    let shown = columns(act, &distribution, target, Access::ToRead)?;
    let before = find(act, &distribution, party, *action, &shown)?;
    if before
        .as_ref()
        .is_some_and(|before| before.status == *status && before.explicit == *explicit)
    {
        return Ok(());
    }
    let columns = columns(act, &distribution, target, Access::ToChange)?;
    // A copy on write has permissions of its own.
    let there = if columns == shown {
        before
    } else {
        find(act, &distribution, party, *action, &columns)?
    };
    if let Some(row) = there {
        act.close("permission", "id = ?1", &[&row.id])?;
    }
    act.execute(
        "INSERT INTO permission (since, distribution, party, action, status, explicit, package_set, package, component, pocket, collection)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)",
        params![
            act.log,
            distribution.id,
            party.to_string(),
            action.word(),
            status.word(),
            explicit,
            columns.package_set,
            columns.package,
            columns.component,
            columns.pocket,
            columns.collection
        ],
    )?;
    enter(
        act,
        &distribution,
        series.as_ref(),
        before.map(|before| before.permission(party, *action, target)),
        Some(permission.clone()),
    )
}

pub(super) fn revoke(
    act: &mut Act<'_>,
    distribution: &DistributionName,
    party: &Party,
    action: Action,
    target: &Target,
) -> Result<(), Fault> {
    let distribution = act.view.distribution(distribution)?;
    let series = series_of(act, &distribution, target)?;
    let no_permission = || Refusal::NoPermission {
        party: party.clone(),
        action,
        target: target.clone(),
    };
    let shown = columns(act, &distribution, target, Access::ToRead)?;
    let before = find(act, &distribution, party, action, &shown)?.ok_or_else(no_permission)?;
    let columns = columns(act, &distribution, target, Access::ToChange)?;
    let there = if columns == shown {
        before
    } else {
        find(act, &distribution, party, action, &columns)?.ok_or_else(no_permission)?
    };
    act.close("permission", "id = ?1", &[&there.id])?;
    let before = before.permission(party, action, target);
    enter(act, &distribution, series.as_ref(), Some(before), None)
}

/// Enters what became of a permission.
pub(super) fn enter(
    act: &mut Act<'_>,
    distribution: &DistributionRow,
    series: Option<&SeriesRow>,
    before: Option<Permission>,
    after: Option<Permission>,
) -> Result<(), Fault> {
    let name = before
        .as_ref()
        .or(after.as_ref())
        .map(|permission| permission.party.to_string())
        .unwrap_or_default();
    let scope = series.map_or(Scope::Distribution(distribution), Scope::Series);
    let json = |permission: Permission| json!(permission);
    act.changed(scope, "permission", &name, before.map(json), after.map(json))
}

fn require_fit(action: Action, target: &Target) -> Result<(), Fault> {
    if target.allows(action) {
        return Ok(());
    }
    Err(Refusal::WrongTarget {
        action,
        target: target.clone(),
    }
    .into())
}

fn series_of(act: &Act<'_>, distribution: &DistributionRow, target: &Target) -> Result<Option<SeriesRow>, Fault> {
    let open = |series: &_| {
        act.open_series(&SeriesPath {
            distribution: distribution.name.clone(),
            series: Clone::clone(series),
        })
    };
    target.series().map(open).transpose()
}

/// What a target is looked up for.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Access {
    ToRead,
    ToChange,
}

fn columns(act: &mut Act<'_>, distribution: &DistributionRow, target: &Target, access: Access) -> Result<Columns, Fault> {
    let package = |act: &Act<'_>, name| match act.view.package_id(distribution.id, name)? {
        Some(id) => Ok(Some(id)),
        None => Err(Fault::from(act.view.no_packages(distribution, [name])?)),
    };
    Ok(match target {
        Target::PackageSet { series, set } => {
            let series = act.view.series_in(distribution, series)?;
            let set = act.view.set(&series, set)?;
            let set = if access == Access::ToChange {
                writable(act, &series, set)?
            } else {
                set
            };
            Columns {
                package_set: Some(set.id),
                ..Columns::default()
            }
        }
        Target::Listing { series, package: name } => {
            let series = act.view.series_in(distribution, series)?;
            let package = package(act, name)?;
            if access == Access::ToChange {
                act.view.listing(&series, name)?;
            }
            Columns {
                collection: Some(series.id),
                package,
                ..Columns::default()
            }
        }
        Target::Package { package: name } => Columns {
            package: package(act, name)?,
            ..Columns::default()
        },
        Target::Component { component } => Columns {
            component: Some(component.to_string()),
            ..Columns::default()
        },
        Target::Pocket { pocket, series } => {
            let series = series.as_ref().map(|series| act.view.series_in(distribution, series)).transpose()?;
            Columns {
                pocket: Some(pocket.word()),
                collection: series.map(|series| series.id),
                ..Columns::default()
            }
        }
        Target::TrackerProject { .. } => return Err(Refusal::TrackersOwn(target.clone()).into()),
    })
}

/// A permission that holds, besides what it was found by.
#[derive(Clone, Copy, Debug)]
struct Held {
    id: i64,
    status: PermissionStatus,
    explicit: bool,
}

impl Held {
    fn permission(self, party: &Party, action: Action, target: &Target) -> Permission {
        Permission {
            party: party.clone(),
            action,
            target: target.clone(),
            status: self.status,
            explicit: self.explicit,
        }
    }
}

/// The permission of a party to do something. It is looked for among those on the same set or package: there are few of them, and many of a party.
fn find(act: &Act<'_>, distribution: &DistributionRow, party: &Party, action: Action, columns: &Columns) -> Result<Option<Held>, Fault> {
    let Columns {
        package_set,
        package,
        component,
        pocket,
        collection,
    } = columns;
    let place = if package_set.is_some() {
        "package_set = ?4 AND package IS ?5"
    } else if package.is_some() {
        "package_set IS ?4 AND package = ?5"
    } else {
        "package_set IS NULL AND package IS NULL"
    };
    let select = format!(
        "SELECT id, status, explicit FROM permission
         WHERE {place} AND until = {OPEN} AND component IS ?6 AND pocket IS ?7 AND collection IS ?8
           AND distribution = ?1 AND +party = ?2 AND action = ?3"
    );
    let party = party.to_string();
    let params = params![
        distribution.id,
        party,
        action.word(),
        package_set,
        package,
        component,
        pocket,
        collection
    ];
    act.view.one(&select, params, |row| {
        Ok(Held {
            id: row.get(0)?,
            status: word(row, 1, &PermissionStatus::ALL, PermissionStatus::word)?,
            explicit: row.get(2)?,
        })
    })
}

/// Which permissions are looked up.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Which {
    /// Those of a person, or of a team itself.
    Party(Party),
    /// Those on sets of a series.
    Sets(Box<SeriesRow>, BTreeSet<PackageSetName>),
    /// Those on a package, in all series or in one.
    Package(PackageName),
    /// Those on components and pockets.
    Rest,
}

impl View<'_> {
    /// The permissions of a distribution, in order; with a series those that say something there, without one those on the sets of all series.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn permissions(&self, distribution: &DistributionRow, series: Option<&SeriesRow>) -> Result<Vec<Permission>, Fault> {
        let condition = "?3 IS NULL OR coalesce(link.collection, permission.collection, ?3) = ?3";
        self.select(distribution, condition, &[&series.map(|series| series.id)])
    }

    /// Some of the permissions of a distribution, in no order.
    pub(super) fn permissions_of(&self, distribution: &DistributionRow, which: &Which) -> Result<Vec<Permission>, Fault> {
        match which {
            Which::Party(party) => self.select(distribution, "permission.party = ?3", &[&party.to_string()]),
            Which::Sets(series, names) => {
                let condition = "permission.package_set = ?3 AND link.collection = ?4";
                let sets = self.sets(series)?.into_iter().filter(|set| names.contains(&set.name));
                let permissions = sets.map(|set| self.select(distribution, condition, &[&set.id, &series.id]));
                Ok(permissions.collect::<Result<Vec<_>, Fault>>()?.concat())
            }
            Which::Package(package) => {
                let condition = "permission.package = (SELECT id FROM package WHERE distribution = ?2 AND name = ?3)";
                self.select(distribution, condition, &[&package.as_str()])
            }
            Which::Rest => self.select(distribution, "permission.package_set IS NULL AND permission.package IS NULL", &[]),
        }
    }

    fn select(&self, distribution: &DistributionRow, condition: &str, more: &[&dyn ToSql]) -> Result<Vec<Permission>, Fault> {
        let select = format!(
            "{} AND ({condition})",
            concat!(
                "SELECT permission.party, permission.action, permission.status, permission.explicit, record.name, package.name,
                        permission.component, permission.pocket, coalesce(place.name, collection.name)
                 FROM permission
                 LEFT JOIN package ON package.id = permission.package
                 LEFT JOIN collection ON collection.id = permission.collection
                 LEFT JOIN set_record AS record ON record.package_set = permission.package_set AND ",
                holds!("record"),
                " LEFT JOIN series_set AS link ON link.package_set = permission.package_set AND ",
                holds!("link"),
                " LEFT JOIN collection AS place ON place.id = link.collection
                 WHERE permission.distribution = ?2 AND ",
                holds!("permission"),
                " AND (permission.package_set IS NULL OR link.collection IS NOT NULL)"
            )
        );
        let mut params: Vec<&dyn ToSql> = vec![&self.at, &distribution.id];
        params.extend(more);
        let mut permissions: Vec<Permission> = self.all(&select, params.as_slice(), |row| {
            Ok(Permission {
                party: parsed(row, 0)?,
                action: word(row, 1, &Action::ALL, Action::word)?,
                target: target(row)?,
                status: word(row, 2, &PermissionStatus::ALL, PermissionStatus::word)?,
                explicit: row.get(3)?,
            })
        })?;
        permissions.sort();
        Ok(permissions)
    }
}

fn target(row: &Row<'_>) -> rusqlite::Result<Target> {
    let has = |column: usize| Ok::<_, rusqlite::Error>(row.get_ref(column)?.data_type() != Type::Null);
    let (set, package, component) = (has(4)?, has(5)?, has(6)?);
    Ok(if set {
        Target::PackageSet {
            series: parsed(row, 8)?,
            set: parsed(row, 4)?,
        }
    } else if package && has(8)? {
        Target::Listing {
            series: parsed(row, 8)?,
            package: parsed(row, 5)?,
        }
    } else if package {
        Target::Package { package: parsed(row, 5)? }
    } else if component {
        Target::Component {
            component: parsed(row, 6)?,
        }
    } else {
        Target::Pocket {
            pocket: word(row, 7, &Pocket::ALL, Pocket::word)?,
            series: has(8)?.then(|| parsed(row, 8)).transpose()?,
        }
    })
}
