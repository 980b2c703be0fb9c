//! The commands of the package model.

pub(super) mod arguments;
pub(super) mod distribution;
mod distribution_file;
pub(super) mod log;
pub(super) mod packageset;
mod packageset_show;
pub(super) mod series;
mod show;
pub(super) mod words;

use jiff::Timestamp;

use super::Status;
use super::failure::Failure;
use super::wiring::ConfigFile;
use crate::model::packages::Operation;
use crate::store::packages::{Force, Hand, Performed, View};
use crate::store::{Fault, Store, StoreError};

use arguments::{AsOf, Doing};

/// Asks the package model.
fn ask<T>(file: &ConfigFile, as_of: AsOf, question: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> Result<T, Failure> {
    let config = file.load()?;
    Ok(Store::open_read_only(&config.state_dir)?.ask(as_of.as_of, question)?)
}

/// Changes the package model: what is to be done follows from what there is. Tells what was changed.
fn perform(
    file: &ConfigFile,
    doing: &Doing,
    operations: impl FnOnce(&View<'_>) -> Result<Vec<Operation>, Fault>,
) -> Result<Status, Failure> {
    let config = file.load()?;
    let mut store = Store::open(&config.state_dir)?;
    let operations = store.ask(None, operations)?;
    let done = carry_out(&mut store, doing, &operations)?;
    words::tell(&done, doing.dry_run)?;
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
