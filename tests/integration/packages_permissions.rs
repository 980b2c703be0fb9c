//! Permissions that are on no package set, and teams: what the store answers, now and for any time, is what a list of them would.

use std::collections::{BTreeMap, BTreeSet};

use jiff::{SignedDuration, Timestamp};
use kinset::model::ProjectName;
use kinset::model::packages::acl::{Decision, InComponent, Question, Upload, What, decide};
use kinset::model::packages::{
    Action, DistributionDetails, DistributionName, Operation, Party, Permission, PermissionStatus, Pocket, SeriesDetails, Sharing, Target,
    TeamName, VersionScheme,
};
use kinset::remedy::Remedy as _;
use kinset::store::packages::{Force, Hand};
use kinset::store::{Store, StoreError};
use proptest::prelude::*;
use proptest::sample::select;

fn d() -> DistributionName {
    "d".parse().unwrap()
}

/// A store with a distribution of two series and a package, and the time of the last change there.
struct Place {
    store: Store,
    now: Timestamp,
    _folder: tempfile::TempDir,
}

impl Place {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut place = Self {
            store: Store::open(folder.path()).unwrap(),
            now: "2026-01-01T00:00:00Z".parse().unwrap(),
            _folder: folder,
        };
        let details = DistributionDetails {
            sharing: Sharing::CopyOnWrite,
            versions: VersionScheme::Debian,
            series: None,
            permit_obsolete_uploads: false,
        };
        let series = |name: &str| Operation::CreateSeries {
            series: name.parse().unwrap(),
            details: SeriesDetails::owned_by("ann".parse().unwrap()),
        };
        for operation in [
            Operation::CreateDistribution {
                distribution: d(),
                details,
            },
            Operation::AddPackages {
                distribution: d(),
                packages: ["p".parse().unwrap()].into(),
            },
            series("d/s0"),
            series("d/s1"),
        ] {
            place.perform(operation).unwrap();
        }
        place
    }

    fn perform(&mut self, operation: Operation) -> Result<(), StoreError> {
        self.now += SignedDuration::from_mins(1);
        let hand = Hand {
            actor: "ann".to_owned(),
            at: self.now,
            force: Force::Not,
        };
        self.store.perform(&hand, &[operation]).map(|_| ())
    }

    fn known(&self, as_of: Option<Timestamp>) -> Known {
        let known = self.store.ask(as_of, |view| {
            let distribution = view.distribution(&d())?;
            Ok((view.permissions(&distribution, None)?, view.teams(&distribution)?))
        });
        known.unwrap()
    }
}

/// The permissions, in order, and the teams with who is directly in them.
type Known = (Vec<Permission>, BTreeMap<TeamName, BTreeSet<Party>>);

fn party() -> impl Strategy<Value = Party> {
    select(&["ann", "bob", "@red", "@blue", "@green"][..]).prop_map(|name| name.parse().unwrap())
}

fn target() -> impl Strategy<Value = Target> {
    let series = prop::option::of(select(&["s0", "s1"][..]).prop_map(|name| name.parse().unwrap()));
    prop_oneof![
        Just(Target::Package {
            package: "p".parse().unwrap()
        }),
        select(&["main", "universe"][..]).prop_map(|name| Target::Component {
            component: name.parse().unwrap()
        }),
        (select(&Pocket::ALL[..]), series).prop_map(|(pocket, series)| Target::Pocket { pocket, series }),
    ]
}

fn operation() -> impl Strategy<Value = Operation> {
    let action = || select(&[Action::Upload, Action::QueueAdmin][..]);
    let grant = (party(), action(), target(), select(&PermissionStatus::ALL[..]));
    let member = || (select(&["red", "blue", "green"][..]), party());
    prop_oneof![
        4 => grant.prop_map(|(party, action, target, status)| Operation::Grant {
            distribution: d(),
            permission: Permission { party, action, target, status, explicit: false },
        }),
        2 => (party(), action(), target()).prop_map(|(party, action, target)| Operation::Revoke { distribution: d(), party, action, target }),
        3 => member().prop_map(|(team, member)| Operation::AddMembers {
            distribution: d(),
            team: team.parse().unwrap(),
            members: [member].into(),
        }),
        1 => member().prop_map(|(team, member)| Operation::RemoveMembers {
            distribution: d(),
            team: team.parse().unwrap(),
            members: [member].into(),
        }),
    ]
}

/// Does an operation to lists; `false` if it has to be refused.
fn perform(known: &mut Known, operation: &Operation) -> bool {
    let (permissions, teams) = known;
    match operation {
        Operation::Grant { permission, .. } => {
            permissions
                .retain(|other| (&other.party, other.action, &other.target) != (&permission.party, permission.action, &permission.target));
            permissions.push(permission.clone());
            permissions.sort();
            true
        }
        Operation::Revoke { party, action, target, .. } => {
            let before = permissions.len();
            permissions.retain(|other| (&other.party, other.action, &other.target) != (party, *action, target));
            permissions.len() < before
        }
        Operation::AddMembers { team, members, .. } => {
            let mut next = teams.clone();
            next.entry(team.clone()).or_default().extend(members.iter().cloned());
            let is_round = next.keys().any(|team| is_in_itself(&next, team));
            if !is_round {
                *teams = next;
            }
            !is_round
        }
        Operation::RemoveMembers { team, members, .. } => {
            let Some(having) = teams.get_mut(team) else { return false };
            let gone = members.iter().all(|member| having.remove(member));
            teams.retain(|_, members| !members.is_empty());
            gone
        }
        other => panic!("nobody made {other:?}"),
    }
}

/// Whether a walk down from a team comes back to it.
fn is_in_itself(teams: &BTreeMap<TeamName, BTreeSet<Party>>, team: &TeamName) -> bool {
    let mut open: Vec<&TeamName> = vec![team];
    let mut seen = BTreeSet::new();
    while let Some(next) = open.pop() {
        for member in teams.get(next).into_iter().flatten() {
            if let Party::Team(member) = member {
                if member == team {
                    return true;
                }
                if seen.insert(member) {
                    open.push(member);
                }
            }
        }
    }
    false
}

#[test]
fn who_maintains_a_trackers_project_is_for_the_tracker_to_say() {
    let mut place = Place::new();
    let target = Target::TrackerProject {
        tracker: "kernel".to_owned(),
        project: ProjectName("alpha".to_owned()),
    };
    let grant = Operation::Grant {
        distribution: d(),
        permission: Permission {
            party: "ann".parse().unwrap(),
            action: Action::Maintain,
            target,
            status: PermissionStatus::Approved,
            explicit: false,
        },
    };
    let error = place.perform(grant).unwrap_err();
    insta::assert_snapshot!(error, @"project alpha of tracker kernel takes no permission here: its maintainers are those that the tracker has");
    insta::assert_snapshot!(error.remedy().unwrap(), @"make them maintainers in the tracker; from the next `kinset pull` on they are known here");
    assert_eq!(place.known(None).0, []);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn permissions_and_teams_are_what_was_done_to_them_now_and_for_any_time(operations in prop::collection::vec(operation(), 1..40)) {
        let mut place = Place::new();
        let mut known = Known::default();
        let mut moments = Vec::new();
        for operation in &operations {
            let mut next = known.clone();
            let expected = perform(&mut next, operation);
            prop_assert_eq!(place.perform(operation.clone()).is_ok(), expected, "{:?}", operation);
            if expected {
                known = next;
            }
            prop_assert_eq!(&place.known(None), &known, "{:?}", operation);
            moments.push((place.now, known.clone()));
        }
        for (at, expected) in &moments {
            prop_assert_eq!(&place.known(Some(*at)), expected, "as of {}", at);
        }
    }
}

#[test]
fn the_evaluator_gets_what_the_store_knew_at_the_time() {
    let mut place = Place::new();
    let may_upload = |place: &Place, as_of| -> Decision {
        let what = What::Upload(Upload {
            series: "s0".parse().unwrap(),
            package: "p".parse().unwrap(),
            component: InComponent::Any,
            pocket: Pocket::Release,
        });
        let who: Party = "bob".parse().unwrap();
        let facts = place
            .store
            .ask(as_of, |view| view.facts(&view.distribution(&d())?, Some(&who), &what));
        decide(&facts.unwrap(), &Question { who, what })
    };
    let distribution = d();
    place
        .perform(Operation::Grant {
            distribution: distribution.clone(),
            permission: Permission {
                party: "@red".parse().unwrap(),
                action: Action::Upload,
                target: Target::Package {
                    package: "p".parse().unwrap(),
                },
                status: PermissionStatus::Approved,
                explicit: false,
            },
        })
        .unwrap();
    let granted = place.now;
    for (team, member) in [("red", "@blue"), ("blue", "bob")] {
        let members = [member.parse().unwrap()].into();
        let team = team.parse().unwrap();
        place
            .perform(Operation::AddMembers {
                distribution: distribution.clone(),
                team,
                members,
            })
            .unwrap();
    }
    let joined = place.now;
    place
        .perform(Operation::RemoveMembers {
            distribution,
            team: "red".parse().unwrap(),
            members: ["@blue".parse().unwrap()].into(),
        })
        .unwrap();

    assert!(!may_upload(&place, Some(granted)).is_allowed());
    insta::assert_snapshot!(may_upload(&place, Some(joined)), @"allowed: @red has upload on package p; through @blue, which is in @red");
    assert!(!may_upload(&place, None).is_allowed());
}
