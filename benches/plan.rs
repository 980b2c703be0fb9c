//! How the phases of a plan between two group files grow with the number of patches: reading, comparing, planning, checking.
//!
//! `cargo bench --bench plan`; `docs/performance.md` says what the figures mean and how to take them.

#![expect(clippy::unwrap_used, reason = "a benchmark that cannot be set up has nothing to say")]

use std::collections::BTreeSet;
use std::num::NonZeroU32;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, OnceLock};

use divan::Bencher;
use divan::counter::{BytesCount, ItemsCount};
use kinset::model::relations::checker::{Terms, check};
use kinset::model::relations::{AttachLimit, Change, Element, Numbered, Partition, Plan, plan};
use kinset::pasta::generate::{Commits, Generated, Shape, generate};
use kinset::pasta::{Dialect, Ending, GroupFile, TokenUniverse, compare_files};

const SIZES: [usize; 4] = [10_000, 100_000, 1_000_000, 10_000_000];

/// Where the generated files lie while the benchmarks run.
static FOLDER: OnceLock<PathBuf> = OnceLock::new();

fn main() {
    let folder = tempfile::tempdir().unwrap();
    FOLDER.set(folder.path().to_owned()).unwrap();
    divan::main();
}

/// A pair of group files of one size, and what is made of them. All is made once, and kept until the process ends.
struct Input {
    ids: usize,
    new: PathBuf,
    current: &'static GroupFile,
    desired: &'static GroupFile,
}

impl Input {
    fn of_size(ids: usize) -> &'static Self {
        static INPUTS: Mutex<Vec<&'static Input>> = Mutex::new(Vec::new());
        let mut inputs = INPUTS.lock().unwrap();
        if let Some(input) = inputs.iter().find(|input| input.ids == ids) {
            return input;
        }
        let folder = FOLDER.get().unwrap();
        let (old, new) = (folder.join(format!("old-{ids}")), folder.join(format!("new-{ids}")));
        let generated = generate(Shape {
            ids,
            seed: 1,
            commits: Commits::Named,
        });
        write(&old, &new, &generated);
        let input = Box::leak(Box::new(Self {
            ids,
            current: Box::leak(Box::new(read(&old))),
            desired: Box::leak(Box::new(read(&new))),
            new,
        }));
        inputs.push(input);
        input
    }

    fn compare(&self) -> (TokenUniverse<'static>, Partition, Partition) {
        compare_files(self.current, self.desired)
    }
}

fn write(old: &Path, new: &Path, generated: &Generated) {
    std::fs::write(old, &generated.old).unwrap();
    std::fs::write(new, &generated.new).unwrap();
}

fn read(path: &Path) -> GroupFile {
    GroupFile::read(path, Dialect::MessageIds, Ending::Complete).unwrap()
}

/// The default of the configuration.
fn attach_limit() -> AttachLimit {
    AttachLimit::Ids(NonZeroU32::new(50).unwrap())
}

fn plan_between(universe: &TokenUniverse<'_>, current: &Partition, desired: &Partition) -> Plan {
    plan(Change {
        universe,
        current,
        desired,
        attach_limit: attach_limit(),
    })
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1, max_time = 15)]
fn a_read_one_file(bencher: Bencher<'_, '_>, ids: usize) {
    let input = Input::of_size(ids);
    let bytes = std::fs::metadata(&input.new).unwrap().len();
    bencher.counter(BytesCount::new(bytes)).bench(|| read(&input.new));
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1, max_time = 15)]
fn b_compare_two_files(bencher: Bencher<'_, '_>, ids: usize) {
    let input = Input::of_size(ids);
    bencher.counter(ItemsCount::new(ids)).bench(|| input.compare());
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1, max_time = 15)]
fn c_plan(bencher: Bencher<'_, '_>, ids: usize) {
    let (universe, current, desired) = Input::of_size(ids).compare();
    bencher
        .counter(ItemsCount::new(ids))
        .bench(|| plan_between(&universe, &current, &desired));
}

#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1, max_time = 15)]
fn d_check(bencher: Bencher<'_, '_>, ids: usize) {
    let (universe, current, desired) = Input::of_size(ids).compare();
    let plan = plan_between(&universe, &current, &desired);
    let terms = Terms {
        current: &current,
        target: &desired,
        held: &BTreeSet::new(),
        policy: None,
        decisions: None,
        attach_limit: attach_limit(),
        max_relation_size: None,
    };
    bencher.counter(ItemsCount::new(ids)).bench(|| check(&plan, &terms).unwrap());
}

/// Unlike real data: one component of all patches, each relation sharing two members with either of two wanted classes.
#[divan::bench(args = SIZES, sample_count = 20, sample_size = 1, max_time = 15)]
fn e_plan_a_single_chain(bencher: Bencher<'_, '_>, patches: usize) {
    let shifted = |shift: usize| {
        let element = move |place: usize| Element((place + shift) as u32);
        let classes = (0..patches / 4).map(move |class| (0..4).map(move |member| element(4 * class + member)));
        Partition::from_disjoint(patches + 2, classes.map(|class| class.collect::<Vec<_>>().into_iter())).unwrap()
    };
    let (current, desired) = (shifted(0), shifted(2));
    bencher.counter(ItemsCount::new(patches)).bench(|| {
        plan(Change {
            universe: &Numbered::default(),
            current: &current,
            desired: &desired,
            attach_limit: attach_limit(),
        })
    });
}
