//! What is said of a collection, as plain data.

use std::collections::BTreeMap;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};

use super::milestone::Milestone;
use super::template::UrlTemplate;
use crate::model::packages::{BranchName, CollectionStatus, DistTag, Party, SeriesName, SeriesVersion};

/// What is said of a collection, a set of packages: a distribution's series or release, or what a special interest group looks after. Its name
/// is unique within its distribution.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SeriesDetails {
    /// What people call it: PackageDB's name, "Fedora Core". Of a distribution's release this is the product in its bug tracker. A distribution
    /// has each title and version only once, as PackageDB has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Its version; `0` if it has no releases.
    #[serde(default)]
    pub version: SeriesVersion,
    /// Its stage.
    #[serde(default)]
    pub status: CollectionStatus,
    /// Who is in charge of it.
    pub owner: Party,
    /// What it is, in a line.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub summary: Option<String>,
    /// What it is, at length.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Its branch in version control, if it has one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub branch: Option<Branch>,
    /// Where its packages are published.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub publish_url: Option<UrlTemplate>,
    /// Where packages are that were built for it and are not published yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub pending_url: Option<UrlTemplate>,
    /// The collections that provide what it lacks itself, as [`Overlays`](super::Overlays) asks them; by priority and name.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub bases: Vec<Base>,
    /// What happened, or is to happen, when.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub dates: BTreeMap<Milestone, Date>,
}

impl SeriesDetails {
    /// What is said of a collection of which only the owner is known: it is in development, has no releases, and lies over no other.
    #[must_use]
    pub fn owned_by(owner: Party) -> Self {
        Self {
            title: None,
            version: SeriesVersion::default(),
            status: CollectionStatus::default(),
            owner,
            summary: None,
            description: None,
            branch: None,
            publish_url: None,
            pending_url: None,
            bases: Vec::new(),
            dates: BTreeMap::new(),
        }
    }

    /// The same with its bases in the order in which they are asked.
    #[must_use]
    pub fn in_order(mut self) -> Self {
        self.bases
            .sort_by(|left, right| (left.priority, &left.base).cmp(&(right.priority, &right.base)));
        self
    }
}

/// A collection's branch in version control and in the build system.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Branch {
    /// The branch's name.
    pub name: BranchName,
    /// What marks its builds.
    pub dist_tag: DistTag,
    /// The collection that it was branched from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub parent: Option<SeriesName>,
}

/// A collection that another, its overlay, lies over.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Base {
    /// The collection below.
    pub base: SeriesName,
    /// Where it comes among the bases of the same overlay: the lowest is asked first.
    #[serde(default)]
    pub priority: i32,
}

/// Whether a package with this owner is orphaned: somebody else may take it. A team of that name is just a team.
#[must_use]
pub fn is_orphan(owner: &Party) -> bool {
    *owner == Party::orphan()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collection_reads_back_from_json() {
        let text = concat!(
            r#"{"title":"Fedora Core","version":"6","status":"active","owner":"@releng","summary":"The sixth","#,
            r#""branch":{"name":"FC-6","dist_tag":".fc6","parent":"devel"},"#,
            r#""publish_url":"https://example.org/6/[ARCH]/[PACKAGE].rpm","bases":[{"base":"extras","priority":-1}],"#,
            r#""dates":{"eol":"2007-12-07","eol-new":"2008-01-01","released":"2006-10-24"}}"#
        );
        let collection: SeriesDetails = serde_json::from_str(text).unwrap();
        assert_eq!(serde_json::to_string(&collection).unwrap(), text);
    }

    #[test]
    fn a_new_collection_is_in_development_and_has_no_releases() {
        let text = r#"{"title":"GNOME","owner":"alice","bases":[{"base":"devel"}]}"#;
        let collection: SeriesDetails = serde_json::from_str(text).unwrap();
        assert_eq!(collection.status, CollectionStatus::Development);
        assert_eq!(collection.version.as_str(), "0");
        assert_eq!(collection.bases[0].priority, 0);
        let owner = "alice".parse().unwrap();
        assert_eq!(
            serde_json::from_str::<SeriesDetails>(r#"{"owner":"alice"}"#).unwrap(),
            SeriesDetails::owned_by(owner)
        );
    }

    #[test]
    fn a_misspelt_key_is_refused() {
        let text = r#"{"title":"GNOME","owner":"alice","publishURL":"https://example.org/"}"#;
        assert!(serde_json::from_str::<SeriesDetails>(text).is_err());
    }

    #[test]
    fn only_the_special_account_is_the_orphan() {
        assert!(is_orphan(&"orphan".parse().unwrap()));
        assert!(!is_orphan(&"@orphan".parse().unwrap()));
        assert!(!is_orphan(&"alice".parse().unwrap()));
    }
}
