//! What Launchpad's API (`devel`) sends, as far as it is of interest.
//!
//! Fields that it hides hold a text in place of whatever they hold otherwise ([`Shown`]). Links that lead nowhere are absent, not null.

use serde::{Deserialize, Deserializer, de::DeserializeOwned, de::Error as _};
use serde_json::Value;

/// What stands in a field that whoever asks may not see.
const REDACTED: &str = "tag:launchpad.net:2008:redacted";

/// A field that may be hidden.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Shown<T> {
    Hidden,
    Value(T),
}

impl<T> Shown<T> {
    pub(super) fn value(self) -> Option<T> {
        match self {
            Self::Hidden => None,
            Self::Value(value) => Some(value),
        }
    }
}

impl<'de, T: DeserializeOwned> Deserialize<'de> for Shown<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let value = Value::deserialize(deserializer)?;
        if value == REDACTED {
            return Ok(Self::Hidden);
        }
        T::deserialize(value).map(Self::Value).map_err(D::Error::custom)
    }
}

/// A page of a collection or of what an operation returns.
#[derive(Debug, Deserialize)]
pub(super) struct Page<T> {
    pub(super) entries: Vec<T>,
    /// Absent where the server would have to count: then there is a link to the number.
    #[serde(default)]
    pub(super) total_size: Option<u64>,
    #[serde(default)]
    pub(super) next_collection_link: Option<String>,
}

#[derive(Debug, Deserialize)]
pub(super) struct DistributionRow {
    pub(super) series_collection_link: String,
    #[serde(default)]
    pub(super) current_series_link: Option<Shown<Option<String>>>,
    #[serde(default)]
    pub(super) main_archive_link: Option<Shown<Option<String>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct SeriesRow {
    pub(super) self_link: String,
    pub(super) name: String,
    pub(super) version: Shown<Option<String>>,
    pub(super) title: Shown<String>,
    pub(super) status: Shown<String>,
    #[serde(default)]
    pub(super) datereleased: Option<Shown<Option<String>>>,
    #[serde(default)]
    pub(super) owner_link: Option<Shown<Option<String>>>,
}

#[derive(Clone, Debug, Deserialize)]
pub(super) struct SetRow {
    pub(super) self_link: String,
    pub(super) name: String,
    pub(super) id: Shown<u64>,
    pub(super) date_created: Shown<String>,
    pub(super) description: Shown<String>,
    pub(super) relative_build_score: Shown<i64>,
    pub(super) distroseries_link: String,
    #[serde(default)]
    pub(super) owner_link: Option<Shown<Option<String>>>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PermissionRow {
    pub(super) self_link: String,
    pub(super) permission: Shown<String>,
    #[serde(default)]
    pub(super) person_link: Option<Shown<Option<String>>>,
    #[serde(default)]
    pub(super) component_name: Option<Shown<Option<String>>>,
    #[serde(default)]
    pub(super) source_package_name: Option<Shown<Option<String>>>,
    #[serde(default)]
    pub(super) package_set_name: Option<Shown<Option<String>>>,
    #[serde(default)]
    pub(super) pocket: Option<Shown<Option<String>>>,
    #[serde(default)]
    pub(super) distro_series_name: Option<Shown<Option<String>>>,
    pub(super) explicit: Shown<bool>,
}

#[derive(Debug, Deserialize)]
pub(super) struct PersonRow {
    pub(super) name: Shown<String>,
    pub(super) is_team: Shown<bool>,
}

/// What may be absent, null, hidden or there.
pub(super) enum Field<T> {
    Absent,
    Hidden,
    There(T),
}

impl<T> From<Option<Shown<Option<T>>>> for Field<T> {
    fn from(field: Option<Shown<Option<T>>>) -> Self {
        match field {
            None | Some(Shown::Value(None)) => Self::Absent,
            Some(Shown::Hidden) => Self::Hidden,
            Some(Shown::Value(Some(value))) => Self::There(value),
        }
    }
}

/// The last part of a link: the name of what it leads to, of a person without the tilde.
pub(super) fn name_in(link: &str) -> String {
    let last = link.trim_end_matches('/').rsplit('/').next().unwrap_or_default();
    let name = percent_encoding::percent_decode_str(last).decode_utf8_lossy();
    name.strip_prefix('~').unwrap_or(&name).to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hidden_field_is_told_from_any_value() {
        let hidden = format!(r#""{REDACTED}""#);
        assert_eq!(serde_json::from_str::<Shown<u64>>(&hidden).unwrap(), Shown::Hidden);
        assert_eq!(serde_json::from_str::<Shown<String>>(&hidden).unwrap(), Shown::Hidden);
        assert_eq!(serde_json::from_str::<Shown<u64>>("7").unwrap(), Shown::Value(7));
        assert!(serde_json::from_str::<Shown<u64>>(r#""seven""#).is_err());
    }

    #[test]
    fn the_name_is_the_last_part_of_a_link() {
        assert_eq!(name_in("https://api.launchpad.net/devel/~ubuntu-core-dev"), "ubuntu-core-dev");
        assert_eq!(name_in("https://api.launchpad.net/devel/ubuntu/noble/"), "noble");
        assert_eq!(name_in("https://api.launchpad.net/devel/~a%2Bb"), "a+b");
    }
}
