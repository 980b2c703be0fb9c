//! After a crash: what became of the writes that were under way.

use super::{Error, Keeper, Session};
use crate::model::Patch;
use crate::store::{JournalEntry, JournalOperation, Outcome};

/// Finds out by reading what became of each write that the journal does not know the outcome of, and enters that. Before this, nobody may reckon what
/// people did: a write of kinset's own that the journal does not know of looks like theirs.
///
/// A write to another address than the configuration names cannot be looked after.
/// A write that took effect and was undone since cannot be told from one that never did; both leave the tracker as it is now, and it is from
/// there that the next plan starts.
pub(super) async fn settle_left_overs(session: &Session<'_>, keeper: &Keeper) -> Result<(), Error> {
    let tracker = session.tracker.name.as_str();
    let name = tracker.to_owned();
    let left = keeper.with(move |store, _| {
        let entries = store.journal().open_entries(&name)?;
        let known = if entries.is_empty() { None } else { store.snapshot(&name)? };
        Ok((entries, known))
    });
    let (entries, known) = left.await?;
    let known = known.filter(|stored| stored.url == session.tracker.url.as_str());
    for entry in &entries {
        let JournalEntry { id, step, .. } = entry;
        let row = match known.as_ref().and_then(|stored| stored.snapshot.patches.get(&step.patch)) {
            Some(known) => session.reader.patch(step.patch, &known.message_id).await?,
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
