//! Handing the mails of new patches to an analysis.

use std::path::Path;

use futures_util::{StreamExt as _, TryStreamExt as _, stream};

use super::prepare::require_pulled;
use super::{Error, Keeper, Session};
use crate::config::Tracker;
use crate::model::PatchId;
use crate::pasta::append_mails;

/// So many mails are added to the file before it is remembered that they were.
const AT_ONCE: usize = 50;

/// What an export of mails came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportedMails {
    /// How many mails were added.
    pub added: usize,
    /// How many patches the tracker has no mail of any more.
    pub missing: usize,
    /// How many patches are left for the next export.
    pub left: usize,
}

/// Adds the mails of patches that were not exported yet to an mbox, at most `limit` of them, those of the lowest numbers first.
///
/// Patches count as exported once their mails are on the disk, so an export that was cut short goes on where it ended; the mails of its last
/// moments may be added twice.
///
/// # Errors
/// When the tracker was never pulled or cannot be read, or the file not be written.
pub async fn export_mails(session: &Session<'_>, keeper: &Keeper, mbox: &Path, limit: u32) -> Result<ExportedMails, Error> {
    require_pulled(keeper, session.tracker).await?;
    let name = session.tracker.name.to_string();
    let patches = keeper.with(move |store, _| store.unexported(&name, limit)).await?;
    let mut exported = ExportedMails::default();
    for batch in patches.chunks(AT_ONCE) {
        let width = session.tracker.limits.concurrent_requests.get();
        let reads = stream::iter(batch).map(|(patch, message_id)| session.reader.mail(*patch, message_id));
        let read: Vec<Option<Vec<u8>>> = reads.buffered(width).try_collect().await?;
        let mails: Vec<Vec<u8>> = read.into_iter().flatten().collect();
        exported.added += mails.len();
        exported.missing += batch.len() - mails.len();
        append(mbox, mails).await?;
        let (name, done): (_, Vec<PatchId>) = (session.tracker.name.to_string(), batch.iter().map(|(patch, _)| *patch).collect());
        keeper.with(move |store, _| store.mark_exported(&name, &done)).await?;
    }
    let name = session.tracker.name.to_string();
    exported.left = keeper.with(move |store, _| store.count_unexported(&name)).await?;
    Ok(exported)
}

/// Lets the mails of all patches that are known count as exported, so that the next export begins with those that arrive from now on. Returns
/// how many did not until now.
///
/// # Errors
/// When the tracker was never pulled, or the state cannot be written.
pub async fn skip_mails(keeper: &Keeper, tracker: &Tracker) -> Result<usize, Error> {
    require_pulled(keeper, tracker).await?;
    let name = tracker.name.to_string();
    keeper.with(move |store, _| store.mark_all_exported(&name)).await
}

async fn append(mbox: &Path, mails: Vec<Vec<u8>>) -> Result<(), Error> {
    let mbox = mbox.to_owned();
    let append = tokio::task::spawn_blocking(move || append_mails(&mbox, mails.iter().map(Vec::as_slice)));
    match append.await {
        Ok(appended) => appended.map_err(Error::Mbox),
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}
