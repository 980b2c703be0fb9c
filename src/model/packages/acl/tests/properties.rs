//! What holds for all facts, and an evaluator that is written another way.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;
use crate::model::packages::{ComponentName, PackageSetName, SeriesName};

const PARTIES: [&str; 6] = ["alice", "bob", "@motu", "@core", "@kernel", "@all"];
const TARGETS: [&str; 15] = [
    "listing:linux",
    "listing:jammy/linux",
    "set:kernel",
    "set:base",
    "set:core",
    "set:desktop",
    "set:jammy/kernel",
    "package:linux",
    "package:bash",
    "component:main",
    "component:universe",
    "pocket:release",
    "pocket:updates",
    "pocket:noble/updates",
    "pocket:jammy/release",
];

fn parties() -> impl Strategy<Value = Party> {
    prop::sample::select(&PARTIES[..]).prop_map(|party| party.parse().unwrap())
}

/// Any that can be given, and more often one that counts on a set that is known.
fn permissions() -> impl Strategy<Value = Permission> {
    let status = prop_oneof![4 => Just(PermissionStatus::Approved), 1 => prop::sample::select(&PermissionStatus::ALL[..])];
    let action = prop_oneof![3 => Just(Action::Upload), 1 => Just(Action::QueueAdmin), 1 => Just(Action::Commit)];
    let on = prop_oneof![
        1 => prop::sample::select(&TARGETS[..]),
        1 => prop::sample::select(vec!["set:kernel", "set:base", "set:core"]),
    ];
    let any = (parties(), action, on.prop_map(target), status, prop::bool::weighted(0.4));
    any.prop_filter_map("what can be given", |(party, action, target, status, explicit)| {
        target.allows(action).then_some(Permission {
            party,
            action,
            target,
            status,
            explicit,
        })
    })
}

fn memberships() -> impl Strategy<Value = Vec<(usize, Party)>> {
    prop::collection::vec((2..PARTIES.len(), parties()), 0..6)
}

fn teams(memberships: &[(usize, Party)]) -> Teams {
    let team = |number: usize| PARTIES[number][1..].parse().unwrap();
    memberships.iter().map(|(number, member)| (team(*number), member.clone())).collect()
}

fn all_facts() -> impl Strategy<Value = Facts> {
    let sets = prop::sample::select(vec![
        vec![],
        vec!["set kernel"],
        vec!["set core kernel", "set kernel", "set base"],
        vec!["set core base"],
    ]);
    let status = prop_oneof![
        3 => Just(Some(CollectionStatus::Development)),
        2 => prop::sample::select(&CollectionStatus::ALL[..]).prop_map(Some),
        1 => Just(None),
    ];
    let archive = (prop::bool::weighted(0.9), any::<bool>()).prop_map(|(is_enabled, takes_ended_series)| Archive {
        is_enabled,
        takes_ended_series,
    });
    let listing = prop::option::of(prop::option::of(parties()).prop_map(|owner| Listing { owner }));
    let component = prop::option::of(prop::sample::select(vec!["main", "universe"]));
    (
        prop::collection::vec(permissions(), 0..8),
        memberships(),
        sets,
        status,
        archive,
        listing,
        component,
    )
        .prop_map(|(permissions, memberships, sets, status, archive, listing, component)| Facts {
            permissions,
            teams: teams(&memberships),
            status,
            archive,
            listing,
            component: component.map(|component| component.parse().unwrap()),
            sets: facts(&sets).sets,
        })
}

fn questions() -> impl Strategy<Value = Question> {
    let uploads = prop::sample::select(vec!["", "main", "universe", "published", "updates main", "proposed published"]).prop_map(upload);
    let series = || "noble".parse::<SeriesName>().unwrap();
    let others = prop::sample::select(vec![
        What::OnListing {
            action: Action::Commit,
            series: series(),
            package: "linux".parse().unwrap(),
        },
        What::Queue {
            series: series(),
            of: Queue::Upload {
                component: Some("main".parse().unwrap()),
                pocket: Some(Pocket::Updates),
            },
        },
        What::Queue {
            series: series(),
            of: Queue::Package("linux".parse().unwrap()),
        },
        What::Queue {
            series: series(),
            of: Queue::Set("kernel".parse().unwrap()),
        },
    ]);
    (parties(), prop_oneof![3 => uploads, 2 => others]).prop_map(|(who, what)| Question { who, what })
}

/// Whether `who` is `party` or in it, found out by going down from it.
fn is_within(facts: &Facts, who: &Party, party: &Party) -> bool {
    who == party || matches!(party, Party::Team(team) if facts.teams.participants(team).contains(who))
}

/// Launchpad's questions as its SQL asks them: counts of rows, one after the other.
fn launchpad(facts: &Facts, who: &Party, upload: &Upload) -> Result<(), &'static str> {
    let Some(status) = facts.status else { return Err("series") };
    let stable = matches!(
        status,
        CollectionStatus::Active | CollectionStatus::Maintenance | CollectionStatus::Eol
    );
    let early = matches!(upload.pocket, Pocket::Release | Pocket::Proposed | Pocket::Backports);
    let denied = upload.pocket == Pocket::Release && stable || !early && !stable;
    if status != CollectionStatus::Frozen && denied {
        return Err("CannotUploadToPocket");
    }
    if !facts.archive.is_enabled {
        return Err("ArchiveDisabled");
    }
    let obsolete = matches!(status, CollectionStatus::Eol | CollectionStatus::Rejected);
    if obsolete && !facts.archive.takes_ended_series {
        return Err("CannotUploadToSeries");
    }
    let approved: Vec<&Permission> = facts
        .permissions
        .iter()
        .filter(|row| row.status == PermissionStatus::Approved)
        .collect();
    let theirs: Vec<&Permission> = approved.iter().copied().filter(|row| is_within(facts, who, &row.party)).collect();
    let uploads: Vec<&Permission> = theirs.iter().copied().filter(|row| row.action == Action::Upload).collect();
    let to = |wanted: Target| uploads.iter().any(|row| row.target == wanted);
    let pocket = |series: Option<&SeriesName>| Target::Pocket {
        pocket: upload.pocket,
        series: series.cloned(),
    };
    let package = Target::Package {
        package: upload.package.clone(),
    };
    if to(pocket(None)) || to(pocket(Some(&upload.series))) || to(package) || source_upload_allowed(facts, &approved, &uploads) {
        return Ok(());
    }
    let components: BTreeSet<&ComponentName> = uploads
        .iter()
        .filter_map(|row| match &row.target {
            Target::Component { component } => Some(component),
            _ => None,
        })
        .collect();
    if components.is_empty() {
        let any_set = theirs.iter().any(|row| matches!(row.target, Target::PackageSet { .. }));
        return Err(if any_set {
            "InsufficientUploadRights"
        } else {
            "NoRightsForArchive"
        });
    }
    let strict = match &upload.component {
        InComponent::Any => None,
        InComponent::Published => facts.component.clone(),
        InComponent::Named(component) => Some(component.clone()),
    };
    match strict {
        Some(component) if !components.contains(&component) => Err("NoRightsForComponent"),
        _ => Ok(()),
    }
}

fn source_upload_allowed(facts: &Facts, approved: &[&Permission], uploads: &[&Permission]) -> bool {
    fn set(row: &Permission) -> Option<&PackageSetName> {
        match &row.target {
            Target::PackageSet { series, set } if series.as_str() == "noble" => Some(set),
            _ => None,
        }
    }
    let has = |row: &Permission| set(row).is_some_and(|set| facts.sets.get(set) == Some(&Vec::new()));
    let includes = |row: &Permission| set(row).is_some_and(|set| facts.sets.contains_key(set));
    if approved.iter().any(|row| row.explicit && has(row)) {
        uploads.iter().any(|row| row.explicit && has(row))
    } else {
        uploads.iter().any(|row| includes(row))
    }
}

fn launchpads_name(refusal: &Refusal) -> &'static str {
    match refusal {
        Refusal::NoSuchSeries { .. } => "series",
        Refusal::PocketClosed { .. } => "CannotUploadToPocket",
        Refusal::ArchiveDisabled => "ArchiveDisabled",
        Refusal::SeriesEnded { .. } => "CannotUploadToSeries",
        Refusal::NoRightsForArchive => "NoRightsForArchive",
        Refusal::InsufficientUploadRights => "InsufficientUploadRights",
        Refusal::NoRightsForComponent { .. } => "NoRightsForComponent",
        Refusal::NotListed { .. } | Refusal::NotGranted => "none of Launchpad's",
    }
}

/// The facts with what is amiss about a near miss put right.
fn amended(facts: &Facts, what: &What, miss: &NearMiss) -> Facts {
    let mut facts = facts.clone();
    let Grant::Permission(amiss) = &miss.held.by else {
        assert_eq!(miss.but, But::Refusal, "an owner's grant has nothing amiss");
        return opened(facts, what);
    };
    let permission = facts.permissions.iter_mut().find(|permission| *permission == amiss).unwrap();
    match (&miss.but, &mut permission.target) {
        (But::Refusal, _) => return opened(facts, what),
        (But::Status(status), _) => {
            assert_eq!(permission.status, *status);
            permission.status = PermissionStatus::Approved;
        }
        (But::OtherSeries(asked), Target::Listing { series, .. } | Target::PackageSet { series, .. }) => *series = asked.clone(),
        (But::OtherSeries(asked), Target::Pocket { series, .. }) => *series = Some(asked.clone()),
        (But::OtherPocket(asked), Target::Pocket { pocket, .. }) => *pocket = *asked,
        (But::OtherComponent(asked), Target::Component { component }) => *component = asked.clone(),
        (But::ShutOut(explicit), Target::PackageSet { .. }) => {
            assert!(explicit.iter().all(|set| facts.sets[set].is_empty()));
            for row in &mut facts.permissions {
                row.explicit = false;
            }
        }
        (but, target) => panic!("{but:?} on {target}"),
    }
    facts
}

fn opened(mut facts: Facts, what: &What) -> Facts {
    let is_for_released = matches!(
        what,
        What::Upload(Upload {
            pocket: Pocket::Updates,
            ..
        })
    );
    facts.status = Some(if is_for_released {
        CollectionStatus::Active
    } else {
        CollectionStatus::Development
    });
    facts.archive = Archive::default();
    facts.listing = facts.listing.or(Some(Listing { owner: None }));
    facts
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2000))]

    #[test]
    fn uploads_are_decided_as_launchpads_sql_decides_them(facts in all_facts(), question in questions()) {
        if let What::Upload(upload) = &question.what {
            let decided = match decide(&facts, &question) {
                Decision::Allowed(_) => Ok(()),
                Decision::Refused { because, .. } => Err(launchpads_name(&because)),
            };
            prop_assert_eq!(decided, launchpad(&facts, &question.who, upload));
        }
    }

    #[test]
    fn the_order_of_facts_changes_nothing(
        (facts, shuffled) in all_facts().prop_flat_map(|facts| (Just(facts.clone()), Just(facts.permissions).prop_shuffle())),
        question in questions(),
    ) {
        let other = Facts { permissions: shuffled, ..facts.clone() };
        prop_assert_eq!(decide(&facts, &question), decide(&other, &question));
        prop_assert_eq!(who_can(&facts, &question.what), who_can(&other, &question.what));
    }

    #[test]
    fn the_order_of_memberships_changes_nothing(
        (memberships, shuffled) in memberships().prop_flat_map(|rows| (Just(rows.clone()), Just(rows).prop_shuffle())),
        facts in all_facts(),
        question in questions(),
    ) {
        let facts = Facts { teams: teams(&memberships), ..facts };
        let other = Facts { teams: teams(&shuffled), ..facts.clone() };
        prop_assert_eq!(decide(&facts, &question), decide(&other, &question));
    }

    /// One more permission takes nothing from anybody, except where an explicit one on a set that has the package comes to shut others out.
    #[test]
    fn a_further_permission_refuses_nothing_but_by_explicit(facts in all_facts(), more in permissions(), question in questions()) {
        let before = decide(&facts, &question);
        let with_more = Facts { permissions: facts.permissions.iter().cloned().chain([more.clone()]).collect(), ..facts.clone() };
        let after = decide(&with_more, &question);
        if before.is_allowed() && !after.is_allowed() {
            let Target::PackageSet { set, .. } = &more.target else { panic!("{more:?}") };
            prop_assert!(more.explicit && more.status == PermissionStatus::Approved);
            prop_assert!(facts.sets[set].is_empty());
            let Decision::Refused { nearest, .. } = after else { unreachable!() };
            let shut_out = nearest.iter().any(|miss| matches!(&miss.but, But::ShutOut(sets) if sets.contains(set)));
            prop_assert!(shut_out, "{nearest:?}");
        }
    }

    #[test]
    fn a_yes_is_one_to_somebody_of_whom_who_can_tells(facts in all_facts(), question in questions()) {
        let named = who_can(&facts, &question.what).iter().any(|held| is_within(&facts, &question.who, held.by.party()));
        prop_assert_eq!(decide(&facts, &question).is_allowed(), named);
    }

    #[test]
    fn the_path_of_teams_leads_from_who_asks_to_who_was_given_it(facts in all_facts(), question in questions()) {
        let decision = decide(&facts, &question);
        let held = match &decision {
            Decision::Allowed(held) => vec![held],
            Decision::Refused { nearest, .. } => nearest.iter().map(|miss| &miss.held).collect(),
        };
        for Held { by, teams, .. } in held {
            let mut member = question.who.clone();
            for team in teams {
                prop_assert_eq!(facts.teams.path(&member, team), Some(vec![team.clone()]));
                member = Party::Team(team.clone());
            }
            prop_assert_eq!(&member, by.party());
        }
    }

    #[test]
    fn a_near_miss_would_do_if_that_one_thing_were_otherwise(facts in all_facts(), question in questions()) {
        if let Decision::Refused { nearest, .. } = decide(&facts, &question) {
            for miss in nearest {
                let amended = amended(&facts, &question.what, &miss);
                prop_assert!(decide(&amended, &question).is_allowed(), "{miss}");
            }
        }
    }
}
