//! The commands of the package model.

pub(super) mod acl;
mod acl_show;
mod acl_uploaders;
pub(super) mod arguments;
pub(super) mod collection;
mod collection_comps;
mod collection_comps_show;
mod collection_said;
mod collection_show;
pub(super) mod distribution;
mod distribution_file;
pub(super) mod eol;
pub(super) mod log;
pub(super) mod module;
mod module_import;
mod module_picture;
mod module_said;
mod module_show;
pub(super) mod packageset;
mod packageset_show;
pub(super) mod series;
mod show;
pub(super) mod team;
pub(super) mod words;

use jiff::Timestamp;

use super::failure::{Failure, Preview};
use super::wiring::{ConfigFile, block_on, open_store};
use super::{Status, output};
use crate::model::packages::Operation;
use crate::store::packages::{Force, Hand, Performed, View};
use crate::store::{Fault, Store, StoreError};

use arguments::{AsOf, Doing};

/// Asks the package model.
fn ask<T>(file: &ConfigFile, as_of: AsOf, question: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> Result<T, Failure> {
    let config = file.load()?;
    Ok(Store::open_read_only_or_empty(&config.state_dir)?.ask(as_of.as_of, question)?)
}

/// Changes the package model: what is to be done follows from what there is. Tells what was changed.
fn perform(
    file: &ConfigFile,
    doing: &Doing,
    operations: impl FnOnce(&View<'_>) -> Result<Vec<Operation>, Fault>,
) -> Result<Status, Failure> {
    let config = file.load()?;
    let mut store = open_store(&config)?;
    let operations = store.ask(None, operations)?;
    let done = carry_out(&mut store, doing, &operations)?;
    words::tell(&done, doing.dry_run)?;
    Ok(Status::Done)
}

/// The same, but shows first what would be changed, and asks.
fn perform_when_confirmed(
    file: &ConfigFile,
    doing: &Doing,
    operations: impl FnOnce(&View<'_>) -> Result<Vec<Operation>, Fault>,
) -> Result<Status, Failure> {
    let config = file.load()?;
    let mut store = open_store(&config)?;
    let operations = store.ask(None, operations)?;
    let rehearsal = Doing {
        dry_run: true,
        ..doing.clone()
    };
    let would_be = carry_out(&mut store, &rehearsal, &operations)?;
    words::tell(&would_be, false)?;
    if would_be.iter().all(|performed| performed.changes.is_empty()) {
        return Ok(Status::Done);
    }
    if !block_on(output::confirm("Do this?".to_owned(), Preview::DryRun))? {
        output::say("nothing was changed");
        return Ok(Status::Failed);
    }
    // Nobody else has written since: this process holds the state.
    carry_out(&mut store, doing, &operations)?;
    Ok(Status::Done)
}

fn carry_out(store: &mut Store, doing: &Doing, operations: &[Operation]) -> Result<Vec<Performed>, StoreError> {
    let hand = Hand {
        actor: doing.actor(),
        at: Timestamp::now(),
        force: if doing.force { Force::Insisted } else { Force::Not },
    };
    if doing.dry_run {
        store.rehearse(&hand, operations)
    } else {
        store.perform(&hand, operations)
    }
}
