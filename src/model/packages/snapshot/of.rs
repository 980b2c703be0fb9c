//! What a document says, as what one source knows among others.

use std::collections::{BTreeMap, BTreeSet};

use super::{Remark, SeriesFacts, SetFacts, SourceSnapshot};
use crate::model::packages::document::{DistributionDocument, PermissionDocument, SeriesDocument, SeriesTarget, SetContent};
use crate::model::packages::{PackageSetName, Permission, SeriesName, Target};

impl SourceSnapshot {
    /// A document among other sources: it speaks of what stands in it, and adds that to what others say. Of what every series and every set has in a document,
    /// `is_said` tells whether it is said under that key of the series or of one of its sets, or only there because it has to be. Packages of series, their
    /// versions and groups and where series lie are not taken from it, with a remark.
    #[must_use]
    pub fn of(document: &DistributionDocument, is_said: impl Fn(&SeriesName, Option<&PackageSetName>, &str) -> bool) -> Self {
        let permissions = permissions(document);
        let series = document.series.iter();
        let series = series.map(|series| (series.name.clone(), facts(document, series, &is_said)));
        Self {
            is_additive: true,
            current_series: document.current_series.clone(),
            series: series.collect(),
            teams: (!document.teams.is_empty()).then(|| document.teams.clone()),
            permissions: (!permissions.is_empty()).then_some(permissions),
            ..Self::default()
        }
    }
}

fn facts(
    document: &DistributionDocument,
    series: &SeriesDocument,
    is_said: &impl Fn(&SeriesName, Option<&PackageSetName>, &str) -> bool,
) -> SeriesFacts {
    let details = &series.details;
    let contents = [
        ("listings", series.listings.is_empty()),
        ("groups", series.groups.is_empty()),
        ("categories", series.categories.is_empty()),
        ("description", details.description.is_none()),
        ("addresses", details.publish_url.is_none() && details.pending_url.is_none()),
        ("bases", details.bases.is_empty()),
    ];
    let left = contents.into_iter().filter(|(_, is_empty)| !is_empty);
    let remarks = left.map(|(what, _)| Remark::unknown(format!("the {what} of {}", series.name), what, "only a file alone says them"));
    let sets: BTreeMap<_, _> = series
        .packagesets
        .iter()
        .filter_map(|set| {
            let facts = set_facts(document.content(set)?, set.score, |key| is_said(&series.name, Some(&set.name), key));
            Some((set.name.clone(), facts))
        })
        .collect();
    let is_said = |key: &str| is_said(&series.name, None, key);
    SeriesFacts {
        version: Some(details.version.clone()).filter(|_| is_said("version")),
        title: details.title.clone(),
        codename: details.summary.clone(),
        status: Some(details.status).filter(|_| is_said("status")),
        owner: Some(details.owner.clone()).filter(|_| is_said("owner")),
        branch: details.branch.clone(),
        dates: details.dates.clone(),
        sets: (!sets.is_empty()).then_some(sets),
        remarks: remarks.collect(),
        ..SeriesFacts::default()
    }
}

fn set_facts(content: &SetContent, score: i64, is_said: impl Fn(&str) -> bool) -> SetFacts {
    let SetContent {
        group,
        owner,
        description,
        subsets,
        sources,
        permissions: _,
    } = content;
    SetFacts {
        group: group.clone(),
        owner: Some(owner.clone()).filter(|_| is_said("owner")),
        description: Some(description.clone()).filter(|_| is_said("description")),
        score: Some(score).filter(|_| is_said("score")),
        sources: Some(sources.clone()).filter(|_| is_said("sources")),
        subsets: Some(subsets.clone()).filter(|_| is_said("subsets")),
        ..SetFacts::default()
    }
}

fn permissions(document: &DistributionDocument) -> BTreeSet<Permission> {
    let mut permissions = BTreeSet::new();
    for given in &document.permissions {
        permissions.insert(permission(given, Target::from(&given.target), false));
    }
    for series in &document.series {
        for given in &series.permissions {
            if let SeriesTarget::Pocket { pocket } = given.target {
                let series = Some(series.name.clone());
                permissions.insert(permission(given, Target::Pocket { pocket, series }, false));
            }
        }
        for set in &series.packagesets {
            if let Some(content) = document.content(set) {
                for given in &content.permissions {
                    let target = Target::PackageSet {
                        series: series.name.clone(),
                        set: set.name.clone(),
                    };
                    permissions.insert(permission(given, target, given.target.explicit));
                }
            }
        }
    }
    permissions
}

fn permission<T>(given: &PermissionDocument<T>, target: Target, explicit: bool) -> Permission {
    Permission {
        party: given.party.clone(),
        action: given.action,
        target,
        status: given.status,
        explicit,
    }
}

#[cfg(test)]
mod tests {
    use crate::model::packages::document::{DistributionDocument, SeriesDocument};
    use crate::model::packages::snapshot::SourceSnapshot;
    use crate::model::packages::{DistributionDetails, Milestone, SeriesDetails, Sharing, VersionScheme};

    fn document() -> DistributionDocument {
        let details = DistributionDetails {
            sharing: Sharing::SharedNothing,
            versions: VersionScheme::Debian,
            series: None,
            permit_obsolete_uploads: false,
        };
        DistributionDocument::new("ubuntu".parse().unwrap(), details)
    }

    #[test]
    fn a_document_among_others_says_nothing_by_what_is_not_in_it() {
        let nothing = SourceSnapshot {
            is_additive: true,
            ..SourceSnapshot::default()
        };
        assert_eq!(SourceSnapshot::of(&document(), |_, _, _| true), nothing);
    }

    #[test]
    fn what_is_said_of_a_series_in_a_document_is_what_it_says_among_others() {
        let mut document = document();
        let mut details = SeriesDetails::owned_by("ann".parse().unwrap());
        details.dates.insert(Milestone::EOL, "2029-05-31".parse().unwrap());
        document.series.push(SeriesDocument::new("noble".parse().unwrap(), details));
        let json = |said: &[&str]| serde_json::to_string(&SourceSnapshot::of(&document, |_, _, key| said.contains(&key))).unwrap();
        assert_eq!(
            json(&["status", "owner"]),
            r#"{"is_additive":true,"series":{"noble":{"status":"development","owner":"ann","dates":{"eol":"2029-05-31"}}}}"#
        );
        assert_eq!(
            json(&[]),
            r#"{"is_additive":true,"series":{"noble":{"dates":{"eol":"2029-05-31"}}}}"#
        );
    }
}
