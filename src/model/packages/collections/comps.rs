//! Groups of built packages and categories of groups: what an installer offers, as comps files have them.
//!
//! A group names built packages, and not versions of them: whichever version a collection has is the one that is meant. As in comps files,
//! a name stays in the group while the collection has no such package.

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::model::packages::{BuiltPackageName, CompsName};

/// What is said of a group of built packages in one collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupDetails {
    /// What people call it.
    pub title: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What is in it, and when that is installed with it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub members: BTreeMap<BuiltPackageName, Requirement>,
}

/// When a built package is installed with its group: the `type` of a comps file's `packagereq`.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(tag = "type", rename_all = "kebab-case")]
pub enum Requirement {
    /// Always.
    Mandatory,
    /// Unless somebody leaves it out.
    Default,
    /// If somebody asks for it.
    Optional,
    /// With another package.
    Conditional {
        /// The other package, which need not be in the group.
        requires: BuiltPackageName,
    },
}

impl Requirement {
    /// The word for it in comps files.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Mandatory => "mandatory",
            Self::Default => "default",
            Self::Optional => "optional",
            Self::Conditional { .. } => "conditional",
        }
    }
}

/// What is said of a category of groups in one collection.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CategoryDetails {
    /// What people call it.
    pub title: String,
    /// What it is for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// The groups in it.
    #[serde(default, skip_serializing_if = "BTreeSet::is_empty")]
    pub groups: BTreeSet<CompsName>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_reads_back_from_json() {
        let text = concat!(
            r#"{"title":"Games","members":{"chess":{"type":"mandatory"},"chess-de":{"type":"conditional","requires":"kde-l10n-de"},"#,
            r#""go":{"type":"default"},"hack":{"type":"optional"}}}"#
        );
        let group: GroupDetails = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&group).unwrap(), text);
        for requirement in group.members.values() {
            assert_eq!(serde_json::to_value(requirement).unwrap()["type"], requirement.word());
        }
    }
}
