//! Applying a plan while a person does something at every moment there is.

use std::collections::BTreeSet;

use kinset::model::PatchId;
use kinset::reconcile::{Extent, Pulling};
use kinset::tracker::simulator::{Moment, Patch, Rules};

use crate::support::change::{Classes, mail};
use crate::support::rig::{Rig, Terms, try_as_human};
use crate::support::town::{ALPHA, classes, groups, town};

/// What a person does to the relations of [`BEFORE`], as far as Patchwork lets them.
type Deed = fn(&mut Rules);

const BEFORE: &[&[u64]] = &[&[1, 2, 3], &[4, 5], &[21, 22]];
const WANTED: &[&[u64]] = &[&[1, 2, 6], &[3, 4, 7], &[5, 8], &[21, 22], &[23, 24]];

/// Lets the deed be done at every moment of an application: before and after each write, and between plan and application. In the end the
/// tracker is as wanted, less the patches that are gone; what was done too late for this run to see is made up for by the next.
fn holds_out_against(gone: &[u64], deed: Deed) {
    let gone: BTreeSet<PatchId> = gone.iter().copied().map(PatchId).collect();
    let left = |class| &class - &gone;
    let wanted: Classes = classes(WANTED).into_iter().map(left).filter(|class| class.len() > 1).collect();
    let one_by_one = Terms {
        concurrent_requests: 1,
        ..Terms::default()
    };
    let planned = 6;
    let moments = (1..=planned).flat_map(|n| [(n, Moment::Before), (n, Moment::After)]);
    for moment in moments.map(Some).chain([None]) {
        let rig = Rig::serving(&town(BEFORE), one_by_one);
        rig.want(&groups(&classes(WANTED)));
        rig.pull().unwrap();
        if let Some((n, moment)) = moment {
            rig.at_write(n, moment, deed);
        }
        let applied = rig.apply_after(Pulling::Stored, |prepared| {
            assert_eq!(prepared.draft.plan.writes(), planned);
            if moment.is_none() {
                rig.simulator().with_rules(deed);
            }
        });
        assert_eq!(applied.unwrap().refused_patches, BTreeSet::new(), "{moment:?}");
        assert_eq!(rig.open_entries(), [], "{moment:?}");
        rig.leave_alone();
        rig.apply(Pulling::Fresh(Extent::Full)).unwrap();
        rig.assert_at_rest(&wanted);
    }
}

#[test]
fn a_newcomer_joined_to_a_stranger_at_any_moment() {
    holds_out_against(&[], |rules| try_as_human(rules, 6, &[9]));
}

#[test]
fn a_newcomer_joined_to_another_relation_at_any_moment() {
    holds_out_against(&[], |rules| try_as_human(rules, 7, &[21]));
}

#[test]
fn a_stranger_joined_to_a_member_at_any_moment() {
    holds_out_against(&[], |rules| try_as_human(rules, 10, &[1]));
}

#[test]
fn a_stranger_joined_to_a_cleared_patch_at_any_moment() {
    holds_out_against(&[], |rules| try_as_human(rules, 10, &[3]));
}

#[test]
fn a_pair_dissolved_at_any_moment() {
    holds_out_against(&[], |rules| try_as_human(rules, 4, &[]));
}

#[test]
fn a_member_taken_out_at_any_moment() {
    holds_out_against(&[], |rules| try_as_human(rules, 1, &[]));
}

#[test]
fn two_classes_made_one_at_any_moment() {
    holds_out_against(&[], |rules| try_as_human(rules, 7, &[1]));
}

#[test]
fn a_newcomer_put_into_a_relation_of_one_at_any_moment() {
    holds_out_against(&[], |rules| try_as_human(rules, 8, &[8]));
}

#[test]
fn a_freed_patch_put_into_a_relation_of_one_at_any_moment() {
    holds_out_against(&[], |rules| try_as_human(rules, 5, &[5]));
}

#[test]
fn all_relations_deleted_at_any_moment() {
    holds_out_against(&[], |rules| rules.replace_relations([]).unwrap());
}

#[test]
fn all_relations_loaded_anew_at_any_moment() {
    holds_out_against(&[], |rules| {
        let relations: [&[PatchId]; 2] = [&[1, 5, 6, 21].map(PatchId), &[3, 8].map(PatchId)];
        rules.replace_relations(relations).unwrap();
    });
}

#[test]
fn a_mail_that_arrives_and_is_related_at_any_moment() {
    holds_out_against(&[], |rules| {
        let arrived = PatchId(41);
        rules.add_patch(Patch::plain(arrived, ALPHA, mail(arrived))).unwrap();
        try_as_human(rules, 41, &[1]);
    });
}

#[test]
fn a_newcomer_deleted_at_any_moment() {
    holds_out_against(&[6], |rules| rules.remove_patch(PatchId(6)).unwrap());
}

#[test]
fn a_member_deleted_at_any_moment() {
    holds_out_against(&[1], |rules| rules.remove_patch(PatchId(1)).unwrap());
}

#[test]
fn one_of_a_pair_deleted_at_any_moment() {
    holds_out_against(&[5], |rules| rules.remove_patch(PatchId(5)).unwrap());
}
