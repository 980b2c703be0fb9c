//! Uploads, in the order of Launchpad's `Archive.checkUpload`, and what its own tests say of it (`lib/lp/soyuz/tests/test_archive.py`,
//! `test_packageset.py`).

use super::*;

/// Everybody who asks has this one.
const COMPONENT: &str = "alice upload component:main";

#[test]
fn a_pocket_is_open_at_these_stages_of_the_series() {
    let open = [
        (CollectionStatus::Future, "release proposed backports"),
        (CollectionStatus::Experimental, "release proposed backports"),
        (CollectionStatus::Development, "release proposed backports"),
        (CollectionStatus::Frozen, "release security updates proposed backports"),
        (CollectionStatus::Active, "security updates proposed backports"),
        (CollectionStatus::Maintenance, "security updates proposed backports"),
        (CollectionStatus::Eol, "security updates proposed backports"),
        (CollectionStatus::Rejected, "release proposed backports"),
    ];
    assert_eq!(open.map(|(status, _)| status), CollectionStatus::ALL);
    for (status, open) in open {
        let facts = Facts {
            status: Some(status),
            archive: Archive {
                takes_ended_series: true,
                ..Archive::default()
            },
            ..facts(&[COMPONENT])
        };
        let allowed: Vec<&str> = Pocket::ALL
            .map(Pocket::word)
            .into_iter()
            .filter(|pocket| answer(&facts, "alice", upload(pocket)).starts_with("allowed"))
            .collect();
        assert_eq!(allowed.join(" "), open, "{status}");
    }
}

#[test]
fn a_closed_pocket_comes_first_then_a_disabled_archive_then_a_series_that_has_ended() {
    let closed = Facts {
        status: Some(CollectionStatus::Eol),
        archive: Archive {
            is_enabled: false,
            takes_ended_series: false,
        },
        ..facts(&[COMPONENT])
    };
    assert!(matches!(refused(&closed, "alice", upload("release")), Refusal::PocketClosed { .. }));
    assert_eq!(refused(&closed, "alice", upload("updates")), Refusal::ArchiveDisabled);
    let ended = Facts {
        archive: Archive::default(),
        ..closed
    };
    assert!(matches!(refused(&ended, "alice", upload("updates")), Refusal::SeriesEnded { .. }));
    let rejected = Facts {
        status: Some(CollectionStatus::Rejected),
        ..ended.clone()
    };
    assert!(matches!(
        refused(&rejected, "alice", upload("release")),
        Refusal::SeriesEnded { .. }
    ));
    let taken = Facts {
        archive: Archive {
            takes_ended_series: true,
            ..Archive::default()
        },
        ..ended
    };
    assert_eq!(
        answer(&taken, "alice", upload("updates")),
        "allowed: alice has upload on component main"
    );
}

#[test]
fn no_series_no_upload() {
    let unknown = Facts {
        status: None,
        ..facts(&[COMPONENT])
    };
    assert_eq!(
        answer(&unknown, "alice", upload("release")),
        "refused: there is no series noble\n  alice has upload on component main, which would do otherwise"
    );
}

#[test]
fn each_kind_of_right_allows_and_the_first_of_the_order_is_told() {
    let rows = [
        "alice upload pocket:release",
        "alice upload package:linux",
        "alice upload set:kernel",
        "alice upload component:main",
        "set kernel",
    ];
    for (first, told) in ["pocket release", "package linux", "package set kernel in noble", "component main"]
        .iter()
        .enumerate()
    {
        assert_eq!(
            answer(&facts(&rows[first..]), "alice", upload("main")),
            format!("allowed: alice has upload on {told}")
        );
    }
}

#[test]
fn a_right_to_a_pocket_is_to_that_pocket_and_to_the_series_that_it_names() {
    let security = |right| Facts {
        status: Some(CollectionStatus::Active),
        ..facts(&[right])
    };
    let everywhere = security("alice upload pocket:security");
    assert_eq!(
        answer(&everywhere, "alice", upload("security")),
        "allowed: alice has upload on pocket security"
    );
    assert_eq!(
        answer(&everywhere, "alice", upload("updates")),
        "refused: no rights to any component or package set\n  alice has upload on pocket security, but not for pocket updates"
    );
    assert_eq!(
        answer(&security("alice upload pocket:noble/security"), "alice", upload("security")),
        "allowed: alice has upload on pocket security of noble"
    );
    let elsewhere = security("alice upload pocket:jammy/security");
    assert_eq!(
        answer(&elsewhere, "alice", upload("security")),
        "refused: no rights to any component or package set\n  alice has upload on pocket security of jammy, but not for series noble"
    );
    assert_eq!(refused(&elsewhere, "alice", upload("updates")), Refusal::NoRightsForArchive);
}

#[test]
fn a_right_to_a_package_is_to_that_package() {
    assert_eq!(
        refused(&facts(&["alice upload package:bash"]), "alice", upload("")),
        Refusal::NoRightsForArchive,
        "Launchpad does not ask whether there are rights to other packages"
    );
}

#[test]
fn a_right_to_a_set_is_to_all_that_it_includes_in_its_own_series() {
    let direct = facts(&["set kernel", "alice upload set:kernel"]);
    assert_eq!(
        answer(&direct, "alice", upload("")),
        "allowed: alice has upload on package set kernel in noble"
    );
    let indirect = facts(&["set core base kernel", "alice upload set:core"]);
    assert_eq!(
        answer(&indirect, "alice", upload("")),
        "allowed: alice has upload on package set core in noble, which includes base, which includes kernel"
    );
    let another = facts(&["set kernel", "alice upload set:desktop"]);
    assert_eq!(
        answer(&another, "alice", upload("")),
        "refused: no rights to the package, to one of its package sets, or to any component"
    );
    let elsewhere = facts(&["set kernel", "alice upload set:jammy/kernel"]);
    assert_eq!(
        answer(&elsewhere, "alice", upload("")),
        "refused: no rights to the package, to one of its package sets, or to any component\n  \
         alice has upload on package set kernel in jammy, but not for series noble"
    );
}

#[test]
fn rights_to_sets_make_the_difference_between_some_rights_and_none_whatever_they_permit() {
    assert_eq!(refused(&facts(&[]), "alice", upload("")), Refusal::NoRightsForArchive);
    for right in ["alice upload set:desktop", "alice queue-admin set:jammy/desktop"] {
        assert_eq!(refused(&facts(&[right]), "alice", upload("")), Refusal::InsufficientUploadRights);
    }
    for none in [
        "bob upload set:desktop",
        "alice upload set:desktop denied",
        "alice queue-admin component:main",
        "alice upload component:main obsolete",
    ] {
        assert_eq!(
            refused(&facts(&[none]), "alice", upload("main")),
            Refusal::NoRightsForArchive,
            "{none}"
        );
    }
}

#[test]
fn a_component_that_is_asked_for_strictly_needs_a_right_to_it() {
    let main = facts(&[COMPONENT]);
    assert_eq!(
        answer(&main, "alice", upload("main")),
        "allowed: alice has upload on component main"
    );
    assert_eq!(answer(&main, "alice", upload("")), "allowed: alice has upload on component main");
    assert_eq!(
        answer(&main, "alice", upload("universe")),
        "refused: no rights to component universe\n  alice has upload on component main, but not for component universe"
    );
    let both = facts(&[COMPONENT, "alice upload component:universe", "alice upload set:desktop"]);
    assert_eq!(
        answer(&both, "alice", upload("universe")),
        "allowed: alice has upload on component universe"
    );
    assert!(matches!(
        refused(&both, "alice", upload("restricted")),
        Refusal::NoRightsForComponent { .. }
    ));
}

#[test]
fn the_published_component_is_asked_for_strictly_where_it_is_known() {
    let unknown = facts(&[COMPONENT]);
    assert!(answer(&unknown, "alice", upload("published")).starts_with("allowed"));
    for (component, allowed) in [("main", true), ("universe", false)] {
        let known = Facts {
            component: Some(component.parse().unwrap()),
            ..unknown.clone()
        };
        assert_eq!(answer(&known, "alice", upload("published")).starts_with("allowed"), allowed);
        assert!(answer(&known, "alice", upload("main")).starts_with("allowed"));
    }
}

#[test]
fn an_explicit_permission_on_a_set_that_has_the_package_directly_shuts_out_all_others_on_sets() {
    let facts = facts(&[
        "set kernel",
        "set base",
        "set core kernel",
        "bob upload set:kernel explicit",
        "carol upload set:kernel",
        "dave upload set:base",
        "erin upload set:core explicit",
        "frank upload set:base explicit",
    ]);
    for allowed in ["bob", "frank"] {
        assert!(answer(&facts, allowed, upload("")).starts_with("allowed"), "{allowed}");
    }
    let shut_out = "refused: no rights to the package, to one of its package sets, or to any component\n  ";
    let but = "but only explicit permissions count on the sets that have the package directly: base, kernel";
    for (who, has) in [
        ("carol", "upload on package set kernel in noble"),
        ("dave", "upload on package set base in noble"),
        ("erin", "explicit upload on package set core in noble, which includes kernel"),
    ] {
        assert_eq!(answer(&facts, who, upload("")), format!("{shut_out}{who} has {has}, {but}"));
    }
}

#[test]
fn an_explicit_permission_shuts_others_out_whatever_it_permits() {
    let facts = facts(&["set kernel", "bob queue-admin set:kernel explicit", "alice upload set:kernel"]);
    assert_eq!(refused(&facts, "alice", upload("")), Refusal::InsufficientUploadRights);
    assert_eq!(refused(&facts, "bob", upload("")), Refusal::InsufficientUploadRights);
}

#[test]
fn explicit_means_nothing_through_another_set_in_another_series_unapproved_or_on_anything_but_a_set() {
    for nothing in [
        "bob upload set:core explicit",
        "bob upload set:jammy/kernel explicit",
        "bob upload set:kernel explicit awaitingreview",
        "bob upload set:kernel explicit denied",
        "bob upload set:kernel explicit obsolete",
        "bob upload set:desktop explicit",
        "bob upload package:linux explicit",
    ] {
        let facts = facts(&["set kernel", "set core kernel", "alice upload set:core", nothing]);
        assert!(answer(&facts, "alice", upload("")).starts_with("allowed"), "{nothing}");
    }
}

#[test]
fn an_explicit_permission_through_another_set_counts_like_any_while_nobody_is_shut_out() {
    let facts = facts(&["set core kernel", "alice upload set:core explicit"]);
    assert_eq!(
        answer(&facts, "alice", upload("")),
        "allowed: alice has explicit upload on package set core in noble, which includes kernel"
    );
}

#[test]
fn rights_to_pockets_packages_and_components_pass_all_explicit_sets() {
    for right in ["pocket:release", "package:linux", "component:main"] {
        let right = format!("alice upload {right}");
        let facts = facts(&["set kernel", "bob upload set:kernel explicit", &right]);
        assert!(answer(&facts, "alice", upload("main")).starts_with("allowed"), "{right}");
    }
}

#[test]
fn only_what_is_approved_counts_and_a_denial_is_no_veto() {
    for status in ["awaitingreview", "denied", "obsolete"] {
        let unapproved = format!("alice upload package:linux {status}");
        assert_eq!(
            answer(&facts(&[&unapproved]), "alice", upload("")),
            format!("refused: no rights to any component or package set\n  alice has upload on package linux, but it is {status}")
        );
        let besides = facts(&[&unapproved, COMPONENT]);
        assert_eq!(answer(&besides, "alice", upload("")), "allowed: alice has upload on component main");
    }
}

#[test]
fn two_things_amiss_are_no_near_miss() {
    let facts = facts(&[
        "set kernel",
        "alice upload set:jammy/kernel denied",
        "alice upload pocket:jammy/updates",
    ]);
    assert_eq!(
        answer(&facts, "alice", upload("")),
        "refused: no rights to any component or package set"
    );
}

#[test]
fn what_a_team_has_its_people_have_through_other_teams_too() {
    let facts = facts(&["@core-dev: @motu carol", "@motu: alice", "@core-dev upload component:main"]);
    assert_eq!(
        answer(&facts, "carol", upload("main")),
        "allowed: @core-dev has upload on component main"
    );
    assert_eq!(
        answer(&facts, "alice", upload("main")),
        "allowed: @core-dev has upload on component main; through @motu, which is in @core-dev"
    );
    assert!(answer(&facts, "@motu", upload("main")).starts_with("allowed"));
    assert!(answer(&facts, "@core-dev", upload("main")).starts_with("allowed"));
    assert_eq!(refused(&facts, "bob", upload("main")), Refusal::NoRightsForArchive);
}

#[test]
fn what_a_member_has_the_team_has_not() {
    let facts = facts(&["@motu: alice", "alice upload component:main"]);
    assert_eq!(refused(&facts, "@motu", upload("")), Refusal::NoRightsForArchive);
}

#[test]
fn the_right_through_the_fewest_teams_and_then_the_fewest_sets_is_told() {
    let facts = facts(&[
        "@motu: alice",
        "@core: @motu",
        "set kernel",
        "set base kernel",
        "@core upload set:kernel",
        "@motu upload set:base",
        "@motu upload set:kernel",
    ]);
    assert_eq!(
        answer(&facts, "alice", upload("")),
        "allowed: @motu has upload on package set kernel in noble"
    );
}
