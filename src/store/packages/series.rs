//! Series, and what is said of them.

use rusqlite::params;
use serde_json::json;

use super::act::{Act, Scope};
use super::distributions::exists;
use super::view::SeriesRow;
use crate::model::packages::{SeriesDetails, SeriesPath};
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
        details: details.clone(),
    };
    enter(act, &row)?;
    act.changed(Scope::Series(&row), "series", &path.series, None, Some(json!(details)))?;
    Ok(row)
}

pub(super) fn change(act: &mut Act<'_>, path: &SeriesPath, details: &SeriesDetails) -> Result<(), Fault> {
    let before = act.view.series(path)?;
    if before.details == *details {
        return Ok(());
    }
    // Whoever changes no more than the stage need not insist: else nothing that has ended could begin again.
    let stays_ended = before.details.status == details.status;
    let before = if stays_ended { act.open_series(path)? } else { before };
    let row = SeriesRow {
        details: details.clone(),
        ..before.clone()
    };
    act.close("collection_record", "collection = ?1", &[&row.id])?;
    enter(act, &row)?;
    act.changed(
        Scope::Series(&row),
        "series",
        &path.series,
        Some(json!(before.details)),
        Some(json!(details)),
    )
}

fn enter(act: &Act<'_>, row: &SeriesRow) -> Result<(), Fault> {
    let SeriesDetails { version, status, owner } = &row.details;
    act.execute(
        "INSERT INTO collection_record (collection, since, version, status, owner) VALUES (?1, ?2, ?3, ?4, ?5)",
        params![row.id, act.log, version.as_str(), status.word(), owner.to_string()],
    )
    .map(|_| ())
}
