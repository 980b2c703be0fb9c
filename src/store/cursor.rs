//! How far events were read, as the two columns `newest_event` and `recent_events`.

use std::collections::BTreeSet;

use rusqlite::Row;

use super::database::unreadable;
use crate::model::{EventCursor, EventId};

/// The values of the two columns.
pub(super) fn columns(cursor: Option<&EventCursor>) -> (Option<u64>, Option<String>) {
    let newest = cursor.and_then(|cursor| cursor.newest).map(|event| event.0);
    let recent = cursor.map(|cursor| serde_json::json!(cursor.recent).to_string());
    (newest, recent)
}

/// The cursor that stands in a row, of which `newest_event` is the column `first` and `recent_events` the next.
pub(super) fn from_row(row: &Row<'_>, first: usize) -> rusqlite::Result<Option<EventCursor>> {
    let Some(recent) = row.get_ref(first + 1)?.as_str_or_null()? else {
        return Ok(None);
    };
    let recent: BTreeSet<EventId> = serde_json::from_str(recent).map_err(|error| unreadable(first + 1, error))?;
    let newest: Option<u64> = row.get(first)?;
    Ok(Some(EventCursor {
        newest: newest.map(EventId),
        recent,
    }))
}
