//! What a source is given, and what it gives.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use url::Url;

use crate::http::Validator;
use crate::model::packages::SeriesName;
use crate::model::packages::snapshot::SourceSnapshot;

/// What came of the last read of a source; the default before the first, and whenever everything is to be read anew.
///
/// The two belong together: a validator says that what the snapshot has of an address still holds. So they are worth nothing once the settings of the
/// source are others, or the version of kinset is, which may find more in what it reads.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Previous {
    /// What was read.
    pub snapshot: SourceSnapshot,
    /// What tells whether it still holds.
    #[serde(default, skip_serializing_if = "Validators::is_empty")]
    pub validators: Validators,
}

/// For each address the state of what was read there, in the service's own words.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Validators(BTreeMap<String, Validator>);

impl Validators {
    /// Whether nothing is known of any address.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(super) fn get(&self, url: &Url) -> Option<&Validator> {
        self.0.get(url.as_str())
    }

    pub(super) fn merge(&mut self, others: Self) {
        self.0.extend(others.0);
    }

    pub(super) fn keep(&mut self, url: &Url, validator: Option<Validator>) {
        if let Some(validator) = validator {
            self.0.insert(url.as_str().to_owned(), validator);
        }
    }
}

/// What came of a read.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Reading {
    /// What the source knows.
    pub snapshot: SourceSnapshot,
    /// What will tell whether it still holds.
    pub validators: Validators,
    /// What it cost.
    pub traffic: Traffic,
    /// In how many package sets of which series it was not looked for what is in them, though that may have changed.
    pub unread: BTreeMap<SeriesName, usize>,
}

impl Reading {
    /// That all still holds.
    pub(super) fn unchanged(previous: &Previous, traffic: Traffic) -> Self {
        let Previous { snapshot, validators } = previous.clone();
        Self {
            snapshot,
            validators,
            traffic,
            unread: BTreeMap::new(),
        }
    }

    /// What the next read is to be given.
    #[must_use]
    pub fn into_previous(self) -> Previous {
        Previous {
            snapshot: self.snapshot,
            validators: self.validators,
        }
    }
}

/// What a read cost.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Traffic {
    /// The answers that came, those that were asked for again counted once.
    pub answers: u64,
    /// Of these, how many said that nothing had changed.
    pub unchanged: u64,
    /// The bytes of their bodies.
    pub bytes: u64,
}
