//! Which stream of a module somebody gets who names none.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::model::packages::{SeriesName, StreamName};

/// The default streams of a module.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Defaults {
    /// In releases that have none of their own.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub everywhere: Option<StreamName>,
    /// In these releases.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub releases: BTreeMap<SeriesName, StreamName>,
}

impl Defaults {
    /// The default stream in a release.
    #[must_use]
    pub fn of(&self, release: &SeriesName) -> Option<&StreamName> {
        self.releases.get(release).or(self.everywhere.as_ref())
    }
}
