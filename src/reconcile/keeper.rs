//! The store, shared by tasks that must not wait for a disk.

use std::sync::{Arc, Mutex, PoisonError};

use jiff::Timestamp;

use super::Error;
use crate::store::{Store, StoreError};

/// Where the time comes from.
pub type Clock = fn() -> Timestamp;

/// Gives tasks turns at the store, on threads that may block, and tells them the time.
#[derive(Clone, Debug)]
pub struct Keeper {
    store: Arc<Mutex<Store>>,
    clock: Clock,
}

impl Keeper {
    /// Keeps `store`; what is entered into it is dated by `clock`.
    #[must_use]
    pub fn new(store: Store, clock: Clock) -> Self {
        Self {
            store: Arc::new(Mutex::new(store)),
            clock,
        }
    }

    /// Runs `work` with the store and the time.
    pub(crate) async fn with<T, F>(&self, work: F) -> Result<T, Error>
    where
        T: Send + 'static,
        F: FnOnce(&mut Store, Timestamp) -> Result<T, StoreError> + Send + 'static,
    {
        let Self { store, clock } = self.clone();
        let turn = tokio::task::spawn_blocking(move || {
            // A panic while the store was held cannot have left it half-written: its changes are transactions.
            let mut store = store.lock().unwrap_or_else(PoisonError::into_inner);
            work(&mut store, clock())
        });
        let turn = turn.await;
        crate::http::beat();
        match turn {
            Ok(result) => result.map_err(Error::Store),
            Err(panic) => std::panic::resume_unwind(panic.into_panic()),
        }
    }
}
