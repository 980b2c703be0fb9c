//! The permit to write, without which the daemon writes to no tracker.

use jiff::Timestamp;

use crate::config::{SyncMode, Tracker};
use crate::http::Pulse;
use crate::reconcile::{Applied, Error, Keeper, Prepared, Remaining, Session, Shutdown, begin};
use crate::store::WaitingBecause;

/// That a tracker may be written to. The configuration gives it, at times that are not quiet, and nothing else does.
#[derive(Debug)]
pub(super) struct WritePermit(());

impl WritePermit {
    /// The permit to write to a tracker now, or why there is none.
    pub(super) fn of(tracker: &Tracker, now: Timestamp) -> Result<Self, WaitingBecause> {
        match tracker.sync {
            SyncMode::PlanOnly => Err(WaitingBecause::PlanOnly),
            SyncMode::Apply if tracker.schedule.is_quiet(now) => Err(WaitingBecause::Quiet),
            SyncMode::Apply => Ok(Self(())),
        }
    }
}

/// Carries out a plan as `kinset apply --yes` would, and ends early when it is told to stop. `None` where nothing was to be written.
///
/// # Errors
/// As of [`begin`] and of [`Apply::run`](crate::reconcile::Apply::run).
pub(super) async fn carry_out(
    WritePermit(()): WritePermit,
    session: Session<'_>,
    keeper: &Keeper,
    prepared: Prepared,
    stop: &Shutdown,
    pulse: &Pulse,
) -> Result<Option<Applied>, Error> {
    match begin(session, keeper, prepared, stop).await? {
        Remaining::Nothing(_) => Ok(None),
        Remaining::Writes(begun) => {
            let (apply, prepared) = *begun;
            apply.run(prepared, &|| pulse.beat()).await.map(Some)
        }
    }
}
