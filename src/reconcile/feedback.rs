//! What the analysis hears of people's decisions.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use jiff::Timestamp;
use serde::Serialize;

use super::{Error, Keeper};
use crate::config::Tracker;
use crate::model::{MessageId, PatchId, UserName};
use crate::pasta::{self, Pair, Written};
use crate::store::{Decision, DecisionFilter, DecisionId, DecisionKind, Ended};

/// People's decisions as a document. `decisions list`, `drop` and `export` print one for each tracker, in a list; the feedback folder's
/// `decisions.json` is the one of its tracker, and holds only what the analysis was told.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
pub struct DecisionsDocument {
    /// The tracker's name.
    pub tracker: String,
    /// The decisions, oldest first.
    pub decisions: Vec<DecisionDocument>,
}

/// One decision.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct DecisionDocument {
    /// Its number.
    pub id: u64,
    /// `joined` or `parted`.
    pub kind: &'static str,
    /// The tracker's address when it was made, where that is another than now: there the same numbers are other patches.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub elsewhere: Option<String>,
    /// The patches, with their mails as far as they are known.
    pub patches: BTreeMap<PatchId, Option<MessageId>>,
    /// When it was seen.
    pub seen_at: Timestamp,
    /// By whom, where the tracker tells.
    pub by: Option<UserName>,
    /// How it ended; `null` while it stands.
    pub ended: Option<EndDocument>,
}

/// How a decision ended.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EndDocument {
    /// When.
    pub at: Timestamp,
    /// `agreed`: the analysis has come round to it; `superseded`: somebody decided otherwise since; `vanished`: its patches are gone; `dropped`:
    /// by an operator.
    pub because: &'static str,
}

impl DecisionDocument {
    /// A tracker's decision as a part of a document.
    #[must_use]
    pub fn new(tracker: &Tracker, decision: &Decision) -> Self {
        let Decision {
            id,
            url,
            kind,
            patches,
            seen_at,
            who,
            fed_back: _,
            ended,
        } = decision;
        let because = |ended: &Ended| match ended {
            Ended::Agreed => "agreed",
            Ended::Superseded => "superseded",
            Ended::Vanished => "vanished",
            Ended::Dropped => "dropped",
        };
        Self {
            id: id.0,
            kind: match kind {
                DecisionKind::Joined => "joined",
                DecisionKind::Parted => "parted",
            },
            elsewhere: (url != tracker.url.as_str()).then(|| url.clone()),
            patches: patches
                .iter()
                .map(|(&patch, decided)| (patch, decided.message_id.clone()))
                .collect(),
            seen_at: *seen_at,
            by: who.clone(),
            ended: ended.as_ref().map(|(at, ended)| EndDocument {
                at: *at,
                because: because(ended),
            }),
        }
    }
}

/// A tracker's decisions. One that was made at another address than the configuration names now does not stand, even if it did not end yet.
///
/// # Errors
/// When the state cannot be read.
pub async fn decisions_of(keeper: &Keeper, tracker: &Tracker, filter: DecisionFilter) -> Result<Vec<Decision>, Error> {
    let name = tracker.name.to_string();
    let decisions = keeper.with(move |store, _| store.decisions(&name, filter)).await?;
    let is_meant = |decision: &Decision| filter == DecisionFilter::All || decision.url == tracker.url.as_str();
    Ok(decisions.into_iter().filter(is_meant).collect())
}

/// What an analysis should hear of decisions, and what it was told that holds no longer.
#[derive(Default)]
struct Message {
    parted: BTreeMap<Pair, DecisionId>,
    taken_back: BTreeMap<Pair, DecisionId>,
    joined: BTreeMap<DecisionId, BTreeSet<MessageId>>,
    told: Vec<DecisionDocument>,
}

impl Message {
    /// What stands is told. So is what the analysis has come to agree with because it was told: if that were taken back, it would forget.
    fn new(tracker: &Tracker, decisions: &[Decision]) -> Self {
        let mut message = Self::default();
        for decision in decisions {
            let mails: BTreeSet<MessageId> = decision.patches.values().filter_map(|decided| decided.message_id.clone()).collect();
            let is_told = match decision.ended {
                None => true,
                Some((_, Ended::Agreed)) => decision.fed_back,
                Some((_, Ended::Superseded | Ended::Vanished | Ended::Dropped)) => false,
            };
            let pair = match (decision.kind, mails.first(), mails.last()) {
                (DecisionKind::Parted, Some(one), Some(other)) => Pair::new(one.clone(), other.clone()),
                _ => None,
            };
            match (decision.kind, pair) {
                (DecisionKind::Parted, Some(pair)) if is_told => _ = message.parted.insert(pair, decision.id),
                (DecisionKind::Parted, Some(pair)) if decision.fed_back => _ = message.taken_back.insert(pair, decision.id),
                (DecisionKind::Joined, _) if is_told && mails.len() > 1 => _ = message.joined.insert(decision.id, mails),
                _ => continue,
            }
            if is_told {
                message.told.push(DecisionDocument::new(tracker, decision));
            }
        }
        message.taken_back.retain(|pair, _| !message.parted.contains_key(pair));
        message
    }
}

/// Tells the analysis what people decided, where the configuration names a folder for that. Returns the files that were changed.
pub(super) async fn feed_back(tracker: &Tracker, keeper: &Keeper) -> Result<Vec<PathBuf>, Error> {
    let Some(folder) = tracker.feedback.clone() else {
        return Ok(Vec::new());
    };
    let message = Message::new(tracker, &decisions_of(keeper, tracker, DecisionFilter::All).await?);
    let feedback = pasta::Feedback {
        parted: message.parted.keys().cloned().collect(),
        taken_back: message.taken_back.keys().cloned().collect(),
        joined: message.joined.values().cloned().collect(),
        document: DecisionsDocument {
            tracker: tracker.name.to_string(),
            decisions: message.told,
        },
    };
    let write = tokio::task::spawn_blocking(move || pasta::write_feedback(&folder, &feedback));
    let Written { changed, added, removed } = match write.await {
        Ok(written) => written.map_err(Error::Feedback)?,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    };
    let own = added.iter().filter_map(|pair| message.parted.get(pair));
    let told: Vec<DecisionId> = own.chain(message.joined.keys()).copied().collect();
    let forgotten: Vec<DecisionId> = removed.iter().filter_map(|pair| message.taken_back.get(pair)).copied().collect();
    keeper
        .with(move |store, _| {
            store.mark_fed_back(&told, true)?;
            store.mark_fed_back(&forgotten, false)
        })
        .await?;
    Ok(changed)
}
