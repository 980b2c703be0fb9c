//! What is said of a stream in a release, in words.

use crate::model::packages::modules::Standing;

/// What a stream is to a release, in a word.
pub(super) const fn standing(standing: Standing) -> &'static str {
    match standing {
        Standing::Default => "default",
        Standing::Available => "available",
        Standing::NotBuilt => "-",
    }
}
