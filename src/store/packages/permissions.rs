//! Permissions as rows.

use rusqlite::{ToSql, params};
use serde_json::json;

use super::act::{Act, OPEN, Scope};
use super::sets::writable;
use super::view::{DistributionRow, SeriesRow, View, holds, parsed, word};
use crate::model::packages::{Action, DistributionName, Party, Permission, PermissionStatus, Pocket, Refusal, SeriesPath, Target};
use crate::store::database::Fault;

/// The columns that say what a permission is for.
#[derive(Debug, Default)]
struct Columns {
    package_set: Option<i64>,
    package: Option<i64>,
    component: Option<String>,
    pocket: Option<&'static str>,
    project: Option<String>,
    collection: Option<i64>,
    tracker: Option<String>,
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
    let before = find(act, &distribution, party, *action, target)?;
    if before.as_ref().is_some_and(|(_, before)| before == permission) {
        return Ok(());
    }
    let columns = columns(act, &distribution, target, Access::ToChange)?;
    // A copy on write has permissions of its own.
    if let Some((id, _)) = find(act, &distribution, party, *action, target)? {
        act.close("permission", "id = ?1", &[&id])?;
    }
    act.execute(
        "INSERT INTO permission (since, distribution, party, action, status, explicit, package_set, package, component, pocket, project, collection, tracker)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
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
            columns.project,
            columns.collection,
            columns.tracker
        ],
    )?;
    enter(
        act,
        &distribution,
        series.as_ref(),
        before.map(|(_, before)| before),
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
    let (_, before) = find(act, &distribution, party, action, target)?.ok_or_else(no_permission)?;
    columns(act, &distribution, target, Access::ToChange)?;
    let (id, _) = find(act, &distribution, party, action, target)?.ok_or_else(no_permission)?;
    act.close("permission", "id = ?1", &[&id])?;
    enter(act, &distribution, series.as_ref(), Some(before), None)
}

fn enter(
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
    let package = |act: &Act<'_>, name| Ok::<_, Fault>(act.view.packages(distribution, [name])?.into_keys().next());
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
        Target::Listing { series, package: name } => Columns {
            collection: Some(act.view.series_in(distribution, series)?.id),
            package: package(act, name)?,
            ..Columns::default()
        },
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
        Target::TrackerProject { tracker, project } => Columns {
            tracker: Some(tracker.clone()),
            project: Some(project.to_string()),
            ..Columns::default()
        },
    })
}

/// The permission of a party to do something, with its number.
fn find(
    act: &mut Act<'_>,
    distribution: &DistributionRow,
    party: &Party,
    action: Action,
    target: &Target,
) -> Result<Option<(i64, Permission)>, Fault> {
    let columns = columns(act, distribution, target, Access::ToRead)?;
    let select = format!(
        "SELECT id, status, explicit FROM permission
         WHERE distribution = ?1 AND party = ?2 AND until = {OPEN} AND action = ?3
           AND package_set IS ?4 AND package IS ?5 AND component IS ?6 AND pocket IS ?7 AND project IS ?8 AND collection IS ?9 AND tracker IS ?10"
    );
    let party_text = party.to_string();
    let params: [&dyn ToSql; 10] = [
        &distribution.id,
        &party_text,
        &action.word(),
        &columns.package_set,
        &columns.package,
        &columns.component,
        &columns.pocket,
        &columns.project,
        &columns.collection,
        &columns.tracker,
    ];
    act.view.one(&select, params.as_slice(), |row| {
        let permission = Permission {
            party: party.clone(),
            action,
            target: target.clone(),
            status: word(row, 1, &PermissionStatus::ALL, PermissionStatus::word)?,
            explicit: row.get(2)?,
        };
        Ok((row.get(0)?, permission))
    })
}

impl View<'_> {
    /// The permissions of a distribution, in order; with a series those that say something there, without one those on the sets of all series.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn permissions(&self, distribution: &DistributionRow, series: Option<&SeriesRow>) -> Result<Vec<Permission>, Fault> {
        let select = concat!(
            "SELECT permission.party, permission.action, permission.status, permission.explicit, record.name, package.name, permission.component,
                    permission.pocket, permission.project, coalesce(place.name, collection.name), permission.tracker
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
            " AND (permission.package_set IS NULL OR link.collection IS NOT NULL)
               AND (?3 IS NULL OR coalesce(link.collection, permission.collection, ?3) = ?3)"
        );
        let mut permissions: Vec<Permission> =
            self.all(select, params![self.at, distribution.id, series.map(|series| series.id)], |row| {
                let set: Option<String> = row.get(4)?;
                let package: Option<String> = row.get(5)?;
                let component: Option<String> = row.get(6)?;
                let pocket: Option<String> = row.get(7)?;
                let collection: Option<String> = row.get(9)?;
                let target = match (set, package, component, pocket, &collection) {
                    (Some(_), ..) => Target::PackageSet {
                        series: parsed(row, 9)?,
                        set: parsed(row, 4)?,
                    },
                    (_, Some(_), _, _, Some(_)) => Target::Listing {
                        series: parsed(row, 9)?,
                        package: parsed(row, 5)?,
                    },
                    (_, Some(_), ..) => Target::Package { package: parsed(row, 5)? },
                    (_, _, Some(_), ..) => Target::Component {
                        component: parsed(row, 6)?,
                    },
                    (_, _, _, Some(_), series) => Target::Pocket {
                        pocket: word(row, 7, &Pocket::ALL, Pocket::word)?,
                        series: series.as_ref().map(|_| parsed(row, 9)).transpose()?,
                    },
                    _ => Target::TrackerProject {
                        tracker: row.get(10)?,
                        project: crate::model::ProjectName(row.get(8)?),
                    },
                };
                Ok(Permission {
                    party: parsed(row, 0)?,
                    action: word(row, 1, &Action::ALL, Action::word)?,
                    target,
                    status: word(row, 2, &PermissionStatus::ALL, PermissionStatus::word)?,
                    explicit: row.get(3)?,
                })
            })?;
        permissions.sort();
        Ok(permissions)
    }
}
