//! Versions of the API, and what each of them shows.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

/// A version that the simulator can serve.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum ApiVersion {
    /// Without relations, as Patchwork 2.1 has it.
    #[serde(rename = "1.1")]
    V1_1,
    /// The first with relations: Patchwork 2.2.
    #[serde(rename = "1.2")]
    V1_2,
    /// Patchwork 3.1 and later.
    #[serde(rename = "1.3")]
    V1_3,
}

impl ApiVersion {
    /// All versions, oldest first.
    pub const ALL: [Self; 3] = [Self::V1_1, Self::V1_2, Self::V1_3];

    fn as_str(self) -> &'static str {
        match self {
            Self::V1_1 => "1.1",
            Self::V1_2 => "1.2",
            Self::V1_3 => "1.3",
        }
    }
}

/// Takes the version off a path under `/api/`; without one, the newest is meant.
pub(super) fn split<'a>(path: &'a str, served: &BTreeSet<ApiVersion>) -> Option<(ApiVersion, &'a str)> {
    let versioned = served.iter().find_map(|&version| {
        let rest = path.strip_prefix(version.as_str())?.strip_prefix('/')?;
        Some((version, rest))
    });
    versioned.or_else(|| served.last().map(|&newest| (newest, path)))
}
