//! How many statements operations take: for tests of what work depends on.

use std::cell::Cell;

use jiff::Timestamp;
use rusqlite::trace::{TraceEvent, TraceEventCodes};
use serde_json::Value;

use super::{Force, Hand, Performed};
use crate::model::packages::Operation;
use crate::store::{Store, StoreError};

thread_local! {
    static STATEMENTS: Cell<usize> = const { Cell::new(0) };
}

#[expect(clippy::needless_pass_by_value, reason = "this is how SQLite's tracer is called")]
fn count(event: TraceEvent<'_>) {
    if let TraceEvent::Stmt(..) = event {
        STATEMENTS.set(STATEMENTS.get() + 1);
    }
}

/// Carries operations out in one transaction.
pub(super) fn perform(store: &mut Store, operations: Vec<Value>) -> Result<Vec<Performed>, StoreError> {
    let operations: Vec<Operation> = operations.into_iter().map(|json| serde_json::from_value(json).unwrap()).collect();
    let hand = Hand {
        actor: "ann".to_owned(),
        at: Timestamp::UNIX_EPOCH,
        force: Force::Not,
    };
    store.perform(&hand, &operations)
}

/// Carries operations out in one transaction. Returns how many statements that took.
pub(super) fn statements(store: &mut Store, operations: Vec<Value>) -> usize {
    let trace = |connection: &rusqlite::Connection| {
        connection.trace_v2(TraceEventCodes::SQLITE_TRACE_STMT, Some(count));
        Ok(())
    };
    store.database.read(trace).unwrap();
    STATEMENTS.set(0);
    perform(store, operations).unwrap();
    STATEMENTS.get()
}
