//! After a crash: what became of the writes that were under way.

use std::time::Duration;

use jiff::{SignedDuration, Timestamp};
use tokio::time::Instant;

use super::{Error, Keeper, Session};
use crate::model::Patch;
use crate::model::commits::is_same_commit;
use crate::store::{JournalEntry, JournalOperation, Outcome, StoredSnapshot};

/// How often a patch is looked at whose write the tracker may still be at work on.
const LOOKS: Duration = Duration::from_secs(2);

/// Finds out by reading what became of each write that the journal does not know the outcome of, and enters that. Before this, nobody may reckon what
/// people did: a write of kinset's own that the journal does not know of looks like theirs. One that has not taken effect is looked at until it
/// does, or the tracker cannot be at work on it any more ([`SessionOptions::in_hand`](super::SessionOptions::in_hand)).
///
/// A write to another address than the configuration names cannot be looked after.
/// A write that took effect and was undone since cannot be told from one that never did; both leave the tracker as it is now, and it is from
/// there that the next plan starts.
pub(super) async fn settle_left_overs(session: &Session<'_>, keeper: &Keeper) -> Result<(), Error> {
    let tracker = session.tracker.name.as_str();
    let name = tracker.to_owned();
    let left = keeper.with(move |store, now| {
        let entries = store.journal().open_entries(&name)?;
        let known = if entries.is_empty() { None } else { store.snapshot(&name)? };
        Ok((entries, known, now))
    });
    let (entries, known, now) = left.await?;
    let known = known.filter(|stored| stored.url == session.tracker.url.as_str());
    let began = Instant::now();
    for entry in &entries {
        let until = began + still_in_hand(entry.intended_at, now, session.in_hand);
        let (row, outcome) = look_after(session, known.as_ref(), entry, until).await?;
        tracing::info!(tracker, patch = %entry.step.patch, ?outcome, "settled a write that an earlier run left open");
        let (name, id) = (tracker.to_owned(), entry.id);
        keeper
            .with(move |store, now| {
                store.record_reads(&name, row.as_slice(), &[], now)?;
                store.journal().settle(id, &outcome, now)
            })
            .await?;
    }
    Ok(())
}

/// Reads the patch of a write until that has taken effect, at least once, and until then at most.
async fn look_after(
    session: &Session<'_>,
    known: Option<&StoredSnapshot>,
    JournalEntry { step, .. }: &JournalEntry,
    until: Instant,
) -> Result<(Option<Patch>, Outcome), Error> {
    let Some(known) = known.and_then(|stored| stored.snapshot.patches.get(&step.patch)) else {
        return Ok((None, nowhere()));
    };
    let mut is_told = false;
    loop {
        // What is read from then on tells how it ends.
        let is_last = Instant::now() >= until;
        let Some(row) = session.reader.patch(step.patch, &known.message_id).await? else {
            return Ok((None, nowhere()));
        };
        let outcome = outcome(&row, &step.operation);
        if is_last || outcome == Outcome::Done {
            return Ok((Some(row), outcome));
        }
        if !is_told {
            let seconds = until.duration_since(Instant::now()).as_secs();
            let tracker = session.tracker.name.as_str();
            tracing::warn!(tracker, patch = %step.patch, seconds, "an earlier run was cut off in the middle of a write, which the tracker may still be at work on: waiting for it");
            is_told = true;
        }
        tokio::time::sleep_until(until.min(Instant::now() + LOOKS)).await;
    }
}

/// How much longer a tracker may be at work on a write, which is sent as soon as it is entered. A clock that was set back meanwhile does not make it more
/// than all of the time.
fn still_in_hand(intended_at: Timestamp, now: Timestamp, in_hand: Duration) -> Duration {
    let age = now.duration_since(intended_at).max(SignedDuration::ZERO).unsigned_abs();
    in_hand.saturating_sub(age)
}

fn nowhere() -> Outcome {
    Outcome::Unclear("the patch is not in the projects of the tracker that the configuration names now".to_owned())
}

fn outcome(row: &Patch, operation: &JournalOperation) -> Outcome {
    match operation {
        JournalOperation::Clear if row.related.is_empty() => Outcome::Done,
        JournalOperation::Clear => Outcome::NotDone,
        JournalOperation::Relate(related) if related.iter().all(|patch| row.related.contains(patch)) => Outcome::Done,
        JournalOperation::Relate(_) if row.related.is_empty() => Outcome::NotDone,
        JournalOperation::Relate(_) => Outcome::Unclear("the patch was found in another relation than it was to be put into".to_owned()),
        JournalOperation::CommitRef(commit) if row.commit_ref.as_ref().is_some_and(|says| is_same_commit(says, commit)) => Outcome::Done,
        JournalOperation::CommitRef(_) => Outcome::NotDone,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_write_is_in_hand_for_what_is_left_of_the_time_whatever_the_clock_says() {
        let intended_at: Timestamp = "2026-06-10T12:00:00Z".parse().unwrap();
        let left = |after: i64| still_in_hand(intended_at, intended_at + SignedDuration::from_secs(after), Duration::from_secs(60));
        let of_seconds = [-3600, -1, 0, 1, 59, 60, 61, 86_400].map(|after| left(after).as_secs());
        assert_eq!(of_seconds, [60, 60, 60, 59, 1, 0, 0, 0]);
    }
}
