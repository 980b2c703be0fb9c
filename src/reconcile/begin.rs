//! Between plan and writes: what has to hold before anything is written, for whoever asks and for whoever does not.

use std::path::PathBuf;

use super::{Apply, Error, Keeper, Patience, Prepared, Rights, Session, Shutdown, conclude};

/// What is left to do about a plan that may be carried out.
#[derive(Debug)]
pub enum Remaining<'a> {
    /// Nothing: all is as wanted. These files of feedback were changed.
    Nothing(Vec<PathBuf>),
    /// Writes, and all that it takes to make them.
    Writes(Box<(Apply<'a>, Prepared)>),
}

/// Turns a plan that no guard holds back into writes, or concludes where there are none. Writes nothing to the tracker.
///
/// # Errors
/// [`Error::Guarded`], [`Error::NoMaintainer`], [`Error::NoToken`], and when the state or the feedback cannot be written.
pub async fn begin<'a>(
    session: Session<'a>,
    keeper: &'a Keeper,
    mut prepared: Prepared,
    shutdown: &'a Shutdown,
) -> Result<Remaining<'a>, Error> {
    let tracker = session.tracker;
    prepared.draft = prepared.draft.require_unguarded(tracker)?;
    prepared.require_maintainer(tracker)?;
    if prepared.draft.writes() == 0 {
        let feedback = conclude(tracker, keeper, &prepared.analysis, &Rights::of(prepared.identity)).await?;
        return Ok(Remaining::Nothing(feedback));
    }
    let apply = Apply::begin(session, keeper, Patience::lasting(tracker.limits.patience()), shutdown)?;
    Ok(Remaining::Writes(Box::new((apply, prepared))))
}
