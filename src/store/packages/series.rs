//! Series, what is said of them, and which lie over which.

use std::collections::BTreeMap;

use jiff::civil::Date;
use rusqlite::params;
use serde_json::json;

use super::act::{Act, OPEN, Scope};
use super::distributions::exists;
use super::view::{DistributionRow, SeriesRow};
use crate::model::packages::{Milestone, Overlays, Refusal, SeriesDetails, SeriesName, SeriesPath, UrlTemplate};
use crate::store::database::Fault;

/// Adds a series without any set.
pub(super) fn create(act: &mut Act<'_>, path: &SeriesPath, details: &SeriesDetails) -> Result<SeriesRow, Fault> {
    let distribution = act.view.distribution(&path.distribution)?;
    let known = act.view.series_of(&distribution)?;
    if known.iter().any(|row| row.path == *path) {
        return Err(exists(format!("a series {path}")));
    }
    let id = act.insert(
        "INSERT INTO collection (distribution, name) VALUES (?1, ?2)",
        params![distribution.id, path.series.as_str()],
    )?;
    let row = SeriesRow {
        id,
        distribution_id: distribution.id,
        path: path.clone(),
        details: details.clone().in_order(),
    };
    enter(act, &distribution, &known, &row)?;
    act.changed(Scope::Series(&row), "series", &path.series, None, Some(json!(row.details)))?;
    Ok(row)
}

pub(super) fn change(act: &mut Act<'_>, path: &SeriesPath, details: &SeriesDetails) -> Result<(), Fault> {
    let distribution = act.view.distribution(&path.distribution)?;
    let before = act.view.series_in(&distribution, &path.series)?;
    let row = SeriesRow {
        details: details.clone().in_order(),
        ..before.clone()
    };
    if before.details == row.details {
        return Ok(());
    }
    if before.details.status != details.status {
        let follows = before.details.status.require_may_become(details.status);
        act.require_may_follow(|| format!("series {path}"), follows)?;
    }
    // A change of its stage is one too: what has ended does not begin again unasked.
    act.require_open(&before)?;
    act.close("collection_record", "collection = ?1", &[&row.id])?;
    let mut known = act.view.series_of(&distribution)?;
    known.retain(|other| other.id != row.id);
    enter(act, &distribution, &known, &row)?;
    act.changed(
        Scope::Series(&row),
        "series",
        &path.series,
        Some(json!(before.details)),
        Some(json!(row.details)),
    )
}

/// Enters what is said of a series, next to the others of its distribution.
fn enter(act: &Act<'_>, distribution: &DistributionRow, others: &[SeriesRow], row: &SeriesRow) -> Result<(), Fault> {
    let SeriesDetails {
        title,
        version,
        status,
        owner,
        summary,
        description,
        branch,
        publish_url,
        pending_url,
        bases: _,
        dates,
    } = &row.details;
    let is_same = |other: &&SeriesRow| title.is_some() && (&other.details.title, &other.details.version) == (title, version);
    if let (Some(other), Some(title)) = (others.iter().find(is_same), title) {
        return Err(exists(format!("a series {title} {version}, {},", other.path)));
    }
    let parent = branch.as_ref().and_then(|branch| branch.parent.as_ref());
    let parent = parent.map(|parent| meant(act, distribution, others, row, parent)).transpose()?;
    let bases = bases(act, distribution, others, row)?;
    act.execute(
        "INSERT INTO collection_record (collection, since, title, version, status, owner, summary, description, branch, dist_tag, parent,
                                        publish_template, pending_template)
         VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        params![
            row.id,
            act.log,
            title,
            version.as_str(),
            status.word(),
            owner.to_string(),
            summary,
            description,
            branch.as_ref().map(|branch| branch.name.as_str()),
            branch.as_ref().map(|branch| branch.dist_tag.as_str()),
            parent,
            publish_url.as_ref().map(UrlTemplate::as_str),
            pending_url.as_ref().map(UrlTemplate::as_str),
        ],
    )?;
    set_bases(act, row, &bases)?;
    set_dates(act, row, dates)
}

/// The number of a series that another one of the same distribution refers to; that may be itself.
fn meant(act: &Act<'_>, distribution: &DistributionRow, others: &[SeriesRow], row: &SeriesRow, name: &SeriesName) -> Result<i64, Fault> {
    let mut known = others.iter().chain([row]);
    if let Some(found) = known.find(|other| other.path.series == *name) {
        return Ok(found.id);
    }
    let paths = act.view.paths()?;
    let elsewhere: Vec<SeriesPath> = paths.into_values().filter(|path| path.series == *name).collect();
    if elsewhere.is_empty() {
        return act.view.series_in(distribution, name).map(|found| found.id);
    }
    Err(Refusal::BaseElsewhere {
        name: name.clone(),
        distribution: distribution.name.clone(),
        elsewhere,
    }
    .into())
}

/// The bases that a series is to have, with their priorities.
fn bases(act: &Act<'_>, distribution: &DistributionRow, others: &[SeriesRow], row: &SeriesRow) -> Result<BTreeMap<i64, i32>, Fault> {
    let mut found = BTreeMap::new();
    for base in &row.details.bases {
        found.insert(meant(act, distribution, others, row, &base.base)?, base.priority);
    }
    let all = others.iter().map(|other| (&other.path.series, other.details.bases.as_slice()));
    let mut overlays = Overlays::of(all).map_err(Refusal::Overlay)?;
    for base in &row.details.bases {
        overlays.add(&row.path.series, base.clone()).map_err(Refusal::Overlay)?;
    }
    Ok(found)
}

/// Makes these the bases of a series.
fn set_bases(act: &Act<'_>, row: &SeriesRow, wanted: &BTreeMap<i64, i32>) -> Result<(), Fault> {
    let select = format!("SELECT base, priority FROM overlay WHERE collection = ?1 AND until = {OPEN}");
    let found: BTreeMap<i64, i32> = act.view.all(&select, [row.id], |row| Ok((row.get(0)?, row.get(1)?)))?;
    for (base, priority) in &found {
        if wanted.get(base) != Some(priority) {
            act.close("overlay", "collection = ?1 AND base = ?2", &[&row.id, base])?;
        }
    }
    for (base, priority) in wanted {
        if found.get(base) != Some(priority) {
            let insert = "INSERT INTO overlay (collection, base, since, priority) VALUES (?1, ?2, ?3, ?4)";
            act.execute(insert, params![row.id, base, act.log, priority])?;
        }
    }
    Ok(())
}

/// Makes these the dates of a series.
fn set_dates(act: &Act<'_>, row: &SeriesRow, wanted: &BTreeMap<Milestone, Date>) -> Result<(), Fault> {
    let found = act
        .view
        .dates(row.distribution_id, Some(&row.path.series))?
        .remove(&row.path.series);
    let found = found.unwrap_or_default();
    for (milestone, date) in &found {
        if wanted.get(milestone) != Some(date) {
            act.close("milestone", "collection = ?1 AND name = ?2", &[&row.id, &milestone.as_str()])?;
        }
    }
    for (milestone, date) in wanted {
        if found.get(milestone) != Some(date) {
            let insert = "INSERT INTO milestone (collection, name, since, date) VALUES (?1, ?2, ?3, ?4)";
            act.execute(insert, params![row.id, milestone.as_str(), act.log, date.to_string()])?;
        }
    }
    Ok(())
}
