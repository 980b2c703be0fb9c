//! After a crash: what became of the writes that were under way.

use super::{Error, Keeper};
use crate::model::{Patch, Snapshot};
use crate::store::{JournalEntry, JournalOperation, Outcome};
use crate::tracker::Reader;

/// Finds out by reading what became of each write that the journal does not know the outcome of, and enters that.
///
/// `known` is what is known of the tracker at the address that the configuration names; a write to another address cannot be looked after.
/// A write that took effect and was undone since cannot be told from one that never did; both leave the tracker as it is now, and it is from
/// there that the next plan starts.
pub(super) async fn settle_left_overs(reader: &Reader, keeper: &Keeper, tracker: &str, known: Option<&Snapshot>) -> Result<(), Error> {
    let name = tracker.to_owned();
    let entries = keeper.with(move |store, _| store.journal().open_entries(&name)).await?;
    for entry in &entries {
        let JournalEntry { id, step, .. } = entry;
        let row = match known.and_then(|snapshot| snapshot.patches.get(&step.patch)) {
            Some(known) => reader.patch(step.patch, &known.message_id).await?,
            None => None,
        };
        let outcome = row.as_ref().map_or_else(
            || Outcome::Unclear("the patch is not in the projects of the tracker that the configuration names now".to_owned()),
            |row| outcome(row, &step.operation),
        );
        tracing::info!(tracker, patch = %step.patch, ?outcome, "settled a write that an earlier run left open");
        let (name, id) = (tracker.to_owned(), *id);
        keeper
            .with(move |store, now| {
                store.record_reads(&name, row.as_slice(), &[], now)?;
                store.journal().settle(id, &outcome, now)
            })
            .await?;
    }
    Ok(())
}

fn outcome(row: &Patch, operation: &JournalOperation) -> Outcome {
    match operation {
        JournalOperation::Clear if row.related.is_empty() => Outcome::Done,
        JournalOperation::Clear => Outcome::NotDone,
        JournalOperation::Relate(related) if related.iter().all(|patch| row.related.contains(patch)) => Outcome::Done,
        JournalOperation::Relate(_) if row.related.is_empty() => Outcome::NotDone,
        JournalOperation::Relate(_) => Outcome::Unclear("the patch was found in another relation than it was to be put into".to_owned()),
        JournalOperation::CommitRef(commit) if row.commit_ref.as_ref() == Some(commit) => Outcome::Done,
        JournalOperation::CommitRef(_) => Outcome::NotDone,
    }
}
