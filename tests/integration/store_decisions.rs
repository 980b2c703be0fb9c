//! Decisions: what people did by hand is kept until it no longer holds, and known afterwards.

use std::collections::BTreeMap;

use kinset::model::{PatchId, ProjectId, UserName};
use kinset::store::{Decided, Decision, DecisionFilter, DecisionId, DecisionKind, Ended, NewDecision, Settlement, Store};

use super::store::{URL, at, message_id};
use super::store_accounts::nothing_new;

/// Patches of project 1, in the order of their numbers.
fn decided(patches: &[u64]) -> BTreeMap<PatchId, Decided> {
    let decided = |&id| Decided {
        project: Some(ProjectId(1)),
        message_id: Some(message_id(id)),
    };
    patches.iter().map(|id| (PatchId(*id), decided(id))).collect()
}

pub(crate) fn joined(patches: &[u64]) -> NewDecision {
    NewDecision {
        kind: DecisionKind::Joined,
        patches: decided(patches),
        seen_at: None,
        who: Some(UserName("maya".into())),
    }
}

pub(crate) fn parted(one: u64, other: u64) -> NewDecision {
    NewDecision {
        kind: DecisionKind::Parted,
        patches: decided(&[one, other]),
        seen_at: None,
        who: None,
    }
}

fn made(decisions: impl IntoIterator<Item = NewDecision>) -> Settlement {
    Settlement {
        made: decisions.into_iter().collect(),
        ..nothing_new()
    }
}

fn ended(decisions: impl IntoIterator<Item = (DecisionId, Ended)>) -> Settlement {
    Settlement {
        ended: decisions.into_iter().collect(),
        ..nothing_new()
    }
}

/// A state in which decisions hold that join 1 and 2, join 5, 6 and 7, and part 3 from 4.
fn decided_upon(folder: &tempfile::TempDir) -> (Store, [DecisionId; 3]) {
    let mut store = Store::open(folder.path()).unwrap();
    let settlement = made([joined(&[1, 2]), joined(&[5, 6, 7]), parted(3, 4)]);
    store.settle_accounts("t", URL, &settlement, at(1)).unwrap();
    let numbers: Vec<DecisionId> = open(&store).iter().map(|decision| decision.id).collect();
    (store, numbers.try_into().unwrap())
}

fn open(store: &Store) -> Vec<Decision> {
    store.decisions("t", DecisionFilter::Open).unwrap()
}

fn endings(store: &Store) -> Vec<Option<Ended>> {
    let all = store.decisions("t", DecisionFilter::All).unwrap();
    all.into_iter().map(|decision| decision.ended.map(|(_, ended)| ended)).collect()
}

#[test]
fn a_decision_is_kept_with_all_that_was_known_of_it() {
    let folder = tempfile::tempdir().unwrap();
    let mut store = Store::open(folder.path()).unwrap();
    let mut partly_unknown = joined(&[1, 2]);
    partly_unknown.patches.insert(PatchId(99), Decided::default());
    store.settle_accounts("t", URL, &made([partly_unknown.clone()]), at(1)).unwrap();
    let what_is_left = NewDecision {
        seen_at: Some(at(-5)),
        ..parted(3, 4)
    };
    store.settle_accounts("t", URL, &made([what_is_left.clone()]), at(2)).unwrap();
    drop(store);
    let store = Store::open_read_only(folder.path()).unwrap();
    let decisions = open(&store);
    let expected = |new: NewDecision, id, second| Decision {
        id,
        url: URL.to_owned(),
        kind: new.kind,
        patches: new.patches,
        seen_at: at(second),
        who: new.who,
        fed_back: false,
        ended: None,
    };
    assert_eq!(
        decisions,
        [
            expected(partly_unknown, decisions[0].id, 1),
            expected(what_is_left, decisions[1].id, -5)
        ]
    );
    assert!(decisions[0].id < decisions[1].id);
    assert_eq!(store.accounts("t", URL).unwrap().decisions, decisions);
    assert_eq!(store.decisions("t", DecisionFilter::All).unwrap(), decisions);
    assert_eq!(store.decisions("other", DecisionFilter::All).unwrap(), []);
}

#[test]
fn a_decision_that_ended_is_listed_with_its_reason_and_holds_no_more() {
    let folder = tempfile::tempdir().unwrap();
    for reason in [Ended::Agreed, Ended::Superseded, Ended::Vanished, Ended::Dropped] {
        let folder = tempfile::tempdir_in(folder.path()).unwrap();
        let (mut store, [_, middle, _]) = decided_upon(&folder);
        store.settle_accounts("t", URL, &ended([(middle, reason)]), at(2)).unwrap();
        assert_eq!(endings(&store), [None, Some(reason), None]);
        assert_eq!(open(&store).len(), 2);
        assert_eq!(store.accounts("t", URL).unwrap().decisions, open(&store));
    }
}

#[test]
fn a_decision_ends_once() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, [first, ..]) = decided_upon(&folder);
    store.settle_accounts("t", URL, &ended([(first, Ended::Agreed)]), at(2)).unwrap();
    store
        .settle_accounts("t", URL, &ended([(first, Ended::Superseded)]), at(3))
        .unwrap();
    assert_eq!(store.end_decisions("t", &[first], Ended::Dropped, at(4)).unwrap(), 0);
    assert_eq!(
        store.decisions("t", DecisionFilter::All).unwrap()[0].ended,
        Some((at(2), Ended::Agreed))
    );
}

#[test]
fn whoever_ends_decisions_names_their_tracker_and_is_told_how_many_held() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, [first, _, last]) = decided_upon(&folder);
    assert_eq!(store.end_decisions("other", &[first], Ended::Dropped, at(2)).unwrap(), 0);
    let dropped = [first, last, DecisionId(77), first];
    assert_eq!(store.end_decisions("t", &dropped, Ended::Dropped, at(3)).unwrap(), 2);
    assert_eq!(endings(&store), [Some(Ended::Dropped), None, Some(Ended::Dropped)]);
    assert_eq!(
        store.decisions("t", DecisionFilter::All).unwrap()[0].ended,
        Some((at(3), Ended::Dropped))
    );
}

#[test]
fn a_settlement_ends_decisions_of_its_own_tracker_only() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, [first, ..]) = decided_upon(&folder);
    store
        .settle_accounts("other", URL, &ended([(first, Ended::Agreed)]), at(2))
        .unwrap();
    assert_eq!(endings(&store), [None, None, None]);
}

#[test]
fn it_is_known_of_which_decisions_the_analysis_was_told() {
    let folder = tempfile::tempdir().unwrap();
    let (mut store, [first, middle, _]) = decided_upon(&folder);
    let told = |store: &Store| open(store).iter().map(|decision| decision.fed_back).collect::<Vec<_>>();
    store.mark_fed_back(&[first, middle], true).unwrap();
    assert_eq!(told(&store), [true, true, false]);
    store.mark_fed_back(&[middle], false).unwrap();
    assert_eq!(told(&store), [true, false, false]);
}
