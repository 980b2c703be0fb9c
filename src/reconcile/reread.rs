//! Reading patches anew until what is known of their relations hangs together.

use std::collections::{BTreeMap, BTreeSet};

use super::Error;
use crate::model::{MessageId, Patch, PatchId};
use crate::tracker::Reader;

/// What reading patches anew has shown.
#[derive(Debug, Default)]
pub(super) struct Reread {
    /// The rows that were read, in that order. Each speaks for its whole relation.
    pub(super) fresh: Vec<Patch>,
    /// Patches that the tracker does not have any more.
    pub(super) absent: Vec<PatchId>,
    /// Patches whose relation is known now: those read, and those that they speak for.
    settled: BTreeSet<PatchId>,
    pending: BTreeMap<PatchId, MessageId>,
}

impl Reread {
    /// Reads `patches`, whoever was related to them, and whoever was related to those that they are related to now: one request for each
    /// relation that there is among all these, and for each patch on its own.
    ///
    /// They are read one after the other, because each row tells which of the others need no reading. `look_up` tells what was known.
    pub(super) async fn of(
        reader: &Reader,
        patches: BTreeMap<PatchId, MessageId>,
        mut look_up: impl AsyncFnMut(BTreeSet<PatchId>) -> Result<BTreeMap<PatchId, Patch>, Error>,
    ) -> Result<Self, Error> {
        let mut reread = Self {
            pending: patches,
            ..Self::default()
        };
        while let Some((patch, message_id)) = reread.pending.pop_first() {
            let mut class = BTreeSet::from([patch]);
            match reader.patch(patch, &message_id).await? {
                Some(row) => {
                    class.extend(&row.related);
                    reread.fresh.push(row);
                }
                None => reread.absent.push(patch),
            }
            reread.settled.extend(&class);
            reread.pending.retain(|pending, _| !class.contains(pending));
            let known = look_up(class).await?;
            let companions: BTreeSet<PatchId> = known.values().flat_map(|row| &row.related).copied().collect();
            let left_behind = &companions - &reread.settled;
            let left_behind = look_up(left_behind).await?;
            reread
                .pending
                .extend(left_behind.into_iter().map(|(patch, row)| (patch, row.message_id)));
        }
        Ok(reread)
    }
}
