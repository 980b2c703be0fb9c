//! The six actions of Package DB schema v3: `PackageListing`, `PackageACL`, `PersonPackageACL` and `GroupPackagePermissions`.

use super::*;

fn on_listing(action: Action) -> What {
    What::OnListing {
        action,
        series: "noble".parse().unwrap(),
        package: "linux".parse().unwrap(),
    }
}

fn owned(owner: Option<&str>, rows: &[&str]) -> Facts {
    let owner = owner.map(|owner| owner.parse().unwrap());
    Facts {
        listing: Some(Listing { owner }),
        ..facts(rows)
    }
}

const SIX: [Action; 6] = [
    Action::Commit,
    Action::Build,
    Action::WatchBugzilla,
    Action::WatchCommits,
    Action::ApproveAcls,
    Action::Checkout,
];

#[test]
fn the_owner_has_all_six_without_being_given_them_and_nothing_else() {
    let facts = owned(Some("alice"), &[]);
    for action in Action::ALL {
        let answer = answer(&facts, "alice", on_listing(action));
        if SIX.contains(&action) {
            assert_eq!(answer, "allowed: alice owns package linux in noble");
        } else {
            assert_eq!(answer, "refused: nothing permits it", "{action}");
        }
    }
}

#[test]
fn nobody_owns_an_orphan() {
    let facts = owned(None, &["bob commit listing:linux"]);
    assert_eq!(answer(&facts, "alice", on_listing(Action::Commit)), "refused: nothing permits it");
    assert_eq!(
        answer(&facts, "bob", on_listing(Action::Commit)),
        "allowed: bob has commit on package linux in noble"
    );
}

#[test]
fn where_a_team_is_the_owner_its_people_are() {
    let facts = owned(Some("@kernel"), &["@kernel: @drivers", "@drivers: alice"]);
    assert_eq!(
        answer(&facts, "alice", on_listing(Action::ApproveAcls)),
        "allowed: @kernel owns package linux in noble; through @drivers, which is in @kernel"
    );
    assert_eq!(
        answer(&facts, "bob", on_listing(Action::ApproveAcls)),
        "refused: nothing permits it"
    );
}

#[test]
fn each_of_the_six_is_given_by_itself() {
    for given in SIX {
        let facts = owned(Some("alice"), &[&format!("bob {given} listing:linux")]);
        for asked in SIX {
            let expected = if given == asked {
                format!("allowed: bob has {given} on package linux in noble")
            } else {
                "refused: nothing permits it".to_owned()
            };
            assert_eq!(answer(&facts, "bob", on_listing(asked)), expected);
        }
    }
}

#[test]
fn of_the_four_statuses_only_approved_gives() {
    for status in PermissionStatus::ALL {
        let row = format!("bob build listing:linux {status}");
        let answer = answer(&owned(None, &[&row]), "bob", on_listing(Action::Build));
        if status == PermissionStatus::Approved {
            assert_eq!(answer, "allowed: bob has build on package linux in noble");
        } else {
            assert_eq!(
                answer,
                format!("refused: nothing permits it\n  bob has build on package linux in noble, but it is {status}")
            );
        }
    }
}

#[test]
fn a_denial_takes_nothing_that_is_given_otherwise() {
    let facts = owned(
        Some("alice"),
        &[
            "@packagers: bob",
            "@packagers commit listing:linux",
            "bob commit listing:linux denied",
            "alice commit listing:linux denied",
        ],
    );
    assert_eq!(
        answer(&facts, "bob", on_listing(Action::Commit)),
        "allowed: @packagers has commit on package linux in noble"
    );
    assert!(answer(&facts, "alice", on_listing(Action::Commit)).starts_with("allowed"));
}

#[test]
fn a_permission_is_for_one_package_in_one_series() {
    let facts = owned(None, &["bob commit listing:jammy/linux", "bob commit listing:bash"]);
    assert_eq!(
        answer(&facts, "bob", on_listing(Action::Commit)),
        "refused: nothing permits it\n  bob has commit on package linux in jammy, but not for series noble"
    );
}

#[test]
fn a_package_that_is_not_listed_is_nobodys() {
    let facts = facts(&["bob commit listing:linux"]);
    assert_eq!(
        answer(&facts, "bob", on_listing(Action::Commit)),
        "refused: package linux is not listed in noble\n  bob has commit on package linux in noble, which would do otherwise"
    );
}

#[test]
fn these_permissions_know_no_stage_of_the_series() {
    for status in CollectionStatus::ALL {
        let facts = Facts {
            status: Some(status),
            ..owned(Some("alice"), &[])
        };
        assert!(
            answer(&facts, "alice", on_listing(Action::Checkout)).starts_with("allowed"),
            "{status}"
        );
    }
}

#[test]
fn rights_to_upload_are_none_to_commit_nor_the_other_way_round() {
    let facts = owned(None, &["alice upload package:linux", "bob commit listing:linux"]);
    assert_eq!(answer(&facts, "alice", on_listing(Action::Commit)), "refused: nothing permits it");
    assert_eq!(refused(&facts, "bob", upload("")), Refusal::NoRightsForArchive);
}
