use std::collections::BTreeMap;

use super::*;
use crate::model::packages::{
    Base, CategoryDetails, CollectionStatus, GroupDetails, ListingDetails, ListingStatus, Operation, PackageDetails, VersionStatus,
    document,
};

/// A set of series `s0`, `s1` and so on, in a word or more: its name, then its group after `#`, its subsets after `>`, its packages after `+`, and
/// whom it is as after `=`.
fn set(text: &str) -> SetDocument {
    let after = |mark: char| text.split(' ').filter_map(move |word| word.strip_prefix(mark));
    let body = match after('=').next() {
        Some(series) => SetBody::AsIn {
            as_in: series.parse().unwrap(),
        },
        None => SetBody::Own(SetContent {
            group: after('#').next().map(|group| group.parse().unwrap()),
            owner: "ann".parse().unwrap(),
            description: String::new(),
            subsets: after('>').map(|subset| subset.parse().unwrap()).collect(),
            sources: after('+').map(|source| source.parse().unwrap()).collect(),
            permissions: Vec::new(),
        }),
    };
    SetDocument {
        name: text.split(' ').next().unwrap().parse().unwrap(),
        score: 0,
        body,
    }
}

fn document(sharing: Sharing, series: &[&[&str]]) -> DistributionDocument {
    let details = DistributionDetails {
        sharing,
        versions: VersionScheme::Debian,
        series: None,
        permit_obsolete_uploads: false,
    };
    let mut document = DistributionDocument::new("d".parse().unwrap(), details);
    for (number, sets) in series.iter().enumerate() {
        let details = SeriesDetails {
            status: CollectionStatus::Active,
            ..SeriesDetails::owned_by("ann".parse().unwrap())
        };
        let series = SeriesDocument::new(format!("s{number}").parse().unwrap(), details);
        document.series.push(SeriesDocument {
            packagesets: sets.iter().map(|text| set(text)).collect(),
            ..series
        });
    }
    document
}

/// The operations in short, one a line.
fn planned(have: &DistributionDocument, want: &DistributionDocument) -> String {
    planned_by(have, want, false)
}

fn planned_by(have: &DistributionDocument, want: &DistributionDocument, force: bool) -> String {
    let wish = Wish {
        have: Some(have),
        want,
        elsewhere: &BTreeMap::new(),
        force,
    };
    let operations = document::difference(wish).unwrap();
    let lines: Vec<String> = operations.iter().map(short).collect();
    lines.join("\n")
}

fn short(operation: &Operation) -> String {
    let value = serde_json::to_value(operation).unwrap();
    let fields = ["op", "in", "set", "to", "from", "status", "sources", "subsets", "packages"];
    let fields = fields.iter().filter_map(|field| value.get(field));
    let words = fields.map(|field| field.as_str().map_or_else(|| field.to_string(), str::to_owned));
    words.collect::<Vec<_>>().join(" ")
}

#[test]
fn nothing_is_done_where_sets_say_the_same_in_another_way() {
    let shared = document(Sharing::CopyOnWrite, &[&["core +bash", "all >core"], &["core =s0", "all =s0"]]);
    let spelled = document(Sharing::CopyOnWrite, &[&["core +bash", "all >core"], &["core +bash", "all >core"]]);
    assert_eq!(planned(&shared, &spelled), "");
    assert_eq!(planned(&spelled, &shared), "");
}

#[test]
fn a_group_tells_a_new_name_from_a_new_set_and_names_may_go_round() {
    let have = document(Sharing::SharedNothing, &[&["a +p", "b +q", "c"]]);
    let want = document(Sharing::SharedNothing, &[&["b #d/a +p", "a #d/b +q", "d #d/c"]]);
    insta::assert_snapshot!(planned(&have, &want), @r"
    rename-set d/s0 c d
    rename-set d/s0 a renamed-1
    rename-set d/s0 b a
    rename-set d/s0 renamed-1 b
    ");
}

#[test]
fn what_turns_round_is_never_a_cycle_on_the_way() {
    let have = document(Sharing::SharedNothing, &[&["a >b", "b >c", "c"]]);
    let want = document(Sharing::SharedNothing, &[&["a", "b >a", "c >b"]]);
    insta::assert_snapshot!(planned(&have, &want), @r#"
    remove-subsets d/s0 a ["b"]
    remove-subsets d/s0 b ["c"]
    add-subsets d/s0 b ["a"]
    add-subsets d/s0 c ["b"]
    "#);
}

#[test]
fn sets_go_from_the_top_and_are_cloned_only_where_they_stay() {
    let have = document(
        Sharing::ManualClone,
        &[&["a >b >c", "b >c", "c +p", "z >b"], &["a =s0", "b =s0", "c =s0", "z =s0"]],
    );
    let want = document(Sharing::ManualClone, &[&["a >b >c", "b >c", "c +p", "z >b"], &["c =s0", "z"]]);
    insta::assert_snapshot!(planned(&have, &want), @r"
    remove-set d/s1 a
    clone-set d/s1 z
    remove-set d/s1 b
    ");
}

#[test]
fn a_new_series_begins_with_the_one_that_it_is_most_like() {
    let have = document(Sharing::CopyOnWrite, &[&["a +p", "b +q", "c +r"], &["a +q", "b =s0", "c =s0"]]);
    let mut want = have.clone();
    let new = document(Sharing::CopyOnWrite, &[&[], &[], &["a =s1", "b =s0", "c +r +p", "e"]]);
    want.series.push(new.series[2].clone());
    insta::assert_snapshot!(planned(&have, &want), @r#"
    init-series d/s2 d/s1 active
    create-set d/s2 e
    add-sources d/s2 c ["p"]
    "#);
}

#[test]
fn an_end_comes_last_and_what_begins_again_is_opened_first() {
    let mut have = document(Sharing::SharedNothing, &[&["a +p"], &["a +p"]]);
    let mut want = document(Sharing::SharedNothing, &[&["a +q"], &["a +q"], &["a +q"]]);
    have.series[1].details.status = CollectionStatus::Eol;
    want.series[0].details.status = CollectionStatus::Eol;
    want.series[2].details.status = CollectionStatus::Eol;
    let refused = "series s1 has ended (eol), and its record is closed: leave it as it is, or change it all the same with `--force`";
    assert_eq!(told(&have, &want), refused);
    insta::assert_snapshot!(planned_by(&have, &want, true), @r#"
    add-packages ["q"]
    change-series d/s1 active
    remove-sources d/s0 a ["p"]
    add-sources d/s0 a ["q"]
    remove-sources d/s1 a ["p"]
    add-sources d/s1 a ["q"]
    create-series d/s2 maintenance
    create-set d/s2 a
    add-sources d/s2 a ["q"]
    change-series d/s0 eol
    change-series d/s2 eol
    "#);
}

#[test]
fn what_has_ended_and_would_change_is_refused_with_its_place() {
    let mut have = document(Sharing::SharedNothing, &[&[], &["a +p"]]);
    have.series[1].details.status = CollectionStatus::Eol;
    let mut want = document(Sharing::SharedNothing, &[&["b"], &["a +p", "b +p"]]);
    want.series[1].details.status = CollectionStatus::Eol;
    let elsewhere = &BTreeMap::new();
    let wish = |force| Wish {
        have: Some(&have),
        want: &want,
        elsewhere,
        force,
    };
    let mistakes = document::difference(wish(false)).unwrap_err();
    assert_eq!(mistakes.len(), 1);
    assert_eq!(mistakes[0].at, Place::series(1));
    insta::assert_snapshot!(mistakes[0].kind, @"series s1 has ended (eol), and its record is closed: leave it as it is, or change it all the same with `--force`");
    assert_eq!(document::difference(wish(true)).map(|operations| operations.len()), Ok(3));
}

#[test]
fn what_has_ended_is_not_changed_by_way_of_what_it_has_in_common_with_others() {
    let mut have = document(Sharing::Tethered, &[&["a", "b"], &["a", "b"]]);
    let mut want = document(Sharing::Tethered, &[&["a >b", "b"], &["a >b", "b"]]);
    for document in [&mut have, &mut want] {
        document.series[1].details.status = CollectionStatus::Eol;
    }
    let refused = "series s1 has ended (eol), and its record is closed: leave it as it is, or change it all the same with `--force`";
    assert_eq!(told(&have, &want), refused);
    assert_eq!(planned_by(&have, &want, true).lines().count(), 1);

    let mut have = document(Sharing::SharedNothing, &[&[], &[]]);
    have.series[1].details.status = CollectionStatus::Eol;
    let version = |status| VersionDocument {
        version: "5.2-1".parse().unwrap(),
        status,
        built: Vec::new(),
    };
    have.described.push(PackageDocument {
        name: "bash".parse().unwrap(),
        details: PackageDetails::default(),
        versions: vec![version(VersionStatus::Approved)],
    });
    let mut want = have.clone();
    want.described[0].versions = vec![version(VersionStatus::Obsolete)];
    assert_eq!(planned(&have, &want).lines().count(), 1, "no series has it that has ended");
    let listing = ListingDocument {
        package: "bash".parse().unwrap(),
        details: ListingDetails {
            owner: "ann".parse().unwrap(),
            qa_contact: None,
            component: None,
            status: ListingStatus::Approved,
        },
        versions: vec![ListedVersion {
            version: "5.2-1".parse().unwrap(),
            built: BTreeSet::new(),
        }],
    };
    for document in [&mut have, &mut want] {
        document.series[1].listings.push(listing.clone());
    }
    assert_eq!(told(&have, &want), refused);
    assert_eq!(planned_by(&have, &want, true).lines().count(), 1);
}

#[test]
fn a_series_never_vanishes() {
    let have = document(Sharing::SharedNothing, &[&[], &[]]);
    let want = document(Sharing::SharedNothing, &[&[]]);
    let wish = Wish {
        have: Some(&have),
        want: &want,
        elsewhere: &BTreeMap::new(),
        force: true,
    };
    let mistakes = document::difference(wish).unwrap_err();
    insta::assert_snapshot!(mistakes[0].kind, @"there are series that this file does not have: s1; a file never takes a series away, so add what `kinset distribution export d` says of it");
}

#[test]
fn guards_trip_on_what_is_taken_away_and_not_on_new_names() {
    let thresholds = Thresholds {
        max_removed_fraction: 0.25,
        min_removed: 2,
        allow_empty: false,
    };
    let have = document(Sharing::SharedNothing, &[&["a +p +q +r +s >b", "b +p +q +r"]]);
    let trips = |sets: &[&str]| document::guard(&have, &document(Sharing::SharedNothing, &[sets]), &thresholds).unwrap();
    assert_eq!(trips(&["x #d/a +p +q +r +s >b", "b +p +q"]), None);
    assert_eq!(trips(&["a +p +q >b", "b +p +q +r"]), None);
    let tripped = Tripped::Removed {
        series: None,
        removed: 3,
        held: 8,
        allowed: 0.25,
    };
    assert_eq!(trips(&["a +p >b", "b +p +q +r"]), Some(tripped.clone()));
    insta::assert_snapshot!(tripped, @"3 of 8 memberships and permissions (37.5 %) would be taken away, at most 25.0 % may be");
    assert_eq!(trips(&["a", "b"]), Some(Tripped::Empty { held: 8 }));
}

#[test]
fn guards_trip_on_what_one_series_loses_of_a_large_distribution() {
    let thresholds = Thresholds {
        max_removed_fraction: 0.25,
        min_removed: 2,
        allow_empty: false,
    };
    let large = "a +p +q +r +s";
    let have = document(Sharing::SharedNothing, &[&[large], &[large], &[large, "b +p"]]);
    let trips = |last: &[&str]| {
        let want = document(Sharing::SharedNothing, &[&[large], &[large], last]);
        document::guard(&have, &want, &thresholds).unwrap()
    };
    assert_eq!(trips(&[large]), None);
    let tripped = trips(&["a +p +q +r"]).unwrap();
    insta::assert_snapshot!(tripped, @"2 of 5 memberships and permissions of series s2 (40.0 %) would be taken away, at most 25.0 % may be");
}

fn base(name: &str) -> Base {
    Base {
        base: name.parse().unwrap(),
        priority: 0,
    }
}

/// The kinds of all that is wrong, or the number of operations.
fn told(have: &DistributionDocument, want: &DistributionDocument) -> String {
    let wish = Wish {
        have: Some(have),
        want,
        elsewhere: &BTreeMap::new(),
        force: false,
    };
    match document::difference(wish) {
        Ok(operations) => format!("{} operations", operations.len()),
        Err(mistakes) => {
            let lines: Vec<String> = mistakes.iter().map(|mistake| mistake.kind.to_string()).collect();
            lines.join("\n")
        }
    }
}

#[test]
fn overlays_turn_round_and_titles_change_hands_by_way_of_what_is_allowed() {
    let mut have = document(Sharing::SharedNothing, &[&[], &[]]);
    have.series[0].details.bases = vec![base("s1")];
    let mut want = document(Sharing::SharedNothing, &[&[], &[]]);
    want.series[1].details.bases = vec![base("s0")];
    insta::assert_snapshot!(planned(&have, &want), @r"
    change-series d/s0 active
    change-series d/s1 active
    ");
    for (number, title) in ["Core", "Extras"].into_iter().enumerate() {
        have.series[number].details.title = Some(title.to_owned());
        want.series[1 - number].details.title = Some(title.to_owned());
    }
    insta::assert_snapshot!(planned(&have, &want), @r"
    change-series d/s0 active
    change-series d/s1 active
    change-series d/s0 active
    change-series d/s1 active
    ");
}

#[test]
fn a_status_follows_the_one_that_there_is_unless_somebody_insists() {
    let have = document(Sharing::SharedNothing, &[&[]]);
    let mut want = have.clone();
    want.series[0].details.status = CollectionStatus::Frozen;
    insta::assert_snapshot!(told(&have, &want), @"a collection that is active does not become frozen, only maintenance or eol: change it step by step, or all at once with `--force`");
    let mut have = have;
    have.series.clear();
    assert_eq!(told(&have, &want), "1 operations", "what is new may be at any stage");
}

#[test]
fn new_versions_follow_the_rules_that_the_document_names() {
    let mut have = document(Sharing::SharedNothing, &[]);
    have.versions = VersionScheme::Rpm;
    let mut want = have.clone();
    want.described.push(PackageDocument {
        name: "bash".parse().unwrap(),
        details: PackageDetails::default(),
        versions: vec![VersionDocument {
            version: "5.2".parse().unwrap(),
            status: VersionStatus::Approved,
            built: Vec::new(),
        }],
    });
    insta::assert_snapshot!(told(&have, &want), @r#"the release of version "5.2" is missing; versions follow the rules that `versions` names"#);
    want.versions = VersionScheme::Debian;
    insta::assert_snapshot!(planned(&have, &want), @r#"
    change-distribution
    add-packages ["bash"]
    add-version approved
    "#);
}

#[test]
fn a_group_that_goes_is_taken_out_of_categories_once() {
    let group = |name: &str| GroupDocument {
        name: name.parse().unwrap(),
        details: GroupDetails {
            title: name.to_owned(),
            summary: None,
            members: BTreeMap::new(),
        },
    };
    let category = |groups: &[&str]| CategoryDocument {
        name: "all".parse().unwrap(),
        details: CategoryDetails {
            title: "All".to_owned(),
            summary: None,
            groups: groups.iter().map(|name| name.parse().unwrap()).collect(),
        },
    };
    let mut have = document(Sharing::SharedNothing, &[&[]]);
    have.series[0].groups = vec![group("games"), group("office")];
    have.series[0].categories = vec![category(&["games", "office"])];
    let mut want = have.clone();
    want.series[0].groups.remove(0);
    want.series[0].categories = vec![category(&["office"])];
    insta::assert_snapshot!(planned(&have, &want), @"remove-group d/s0");
}
