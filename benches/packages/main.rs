//! What a distribution of Ubuntu's size takes in each of the four ways of tying package sets to series: 60 sets, 35,000 sources, 45 series. Then
//! what a transitive question costs over 10^5 memberships, and a lookup through ten overlays.
//!
//! `cargo bench --bench packages`; `docs/performance.md` says what the figures mean. CPU time is that of the one thread there is.

#![expect(clippy::print_stdout, reason = "the figures are what is wanted")]
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    reason = "a benchmark that cannot be set up has nothing to say"
)]

#[path = "../shared/chance.rs"]
mod chance;
mod generated;

use std::fs;
use std::hint::black_box;
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use kinset::model::packages::acl::{InComponent, Question, Upload, What, decide};
use kinset::model::packages::{Operation, PackageName, Pocket, Refusal, Sharing};
use kinset::store::packages::{Force, Hand, Inclusion, Performed, SeriesRow, View};
use kinset::store::{Fault, Store, StoreError};
use rusqlite::Connection;
use rustix::time::{ClockId, clock_gettime};
use tempfile::TempDir;

use generated::{Chance, Shape};

const SERIES: u64 = 45;
const UBUNTU: Shape = Shape {
    sources: 35_000,
    in_two_sets_of_100: 50,
};
const MEMBERSHIPS_100_000: Shape = Shape {
    sources: 50_000,
    in_two_sets_of_100: 100,
};

/// How many questions of a kind are asked, each about something else.
const QUESTIONS: u64 = 200;
/// How many collections a lookup goes through beyond the one that is asked, and how many listings they have in all.
const OVERLAYS: u64 = 10;
const LISTINGS: u64 = 100_000;
/// How many series more are begun to see what a change in a set that they share costs.
const MORE_SERIES: u64 = 5;

/// The tables of the package model that grow with series.
const TABLES: [&str; 6] = ["set_source", "permission", "series_set", "flat_set", "set_subset", "change"];

fn main() {
    for sharing in Sharing::ALL {
        grow(sharing);
    }
    println!("## 100,000 memberships in one series");
    let mut rig = Rig::new(MEMBERSHIPS_100_000, Sharing::CopyOnWrite);
    rig.questions(0);
    overlays();
}

/// Wall time and CPU time.
#[derive(Clone, Copy)]
struct Took {
    wall: Duration,
    cpu: Duration,
}

impl Took {
    fn by<T>(work: impl FnOnce() -> T) -> (T, Self) {
        let (start, cpu) = (Instant::now(), cpu());
        let result = work();
        let took = Self {
            wall: start.elapsed(),
            cpu: self::cpu().saturating_sub(cpu),
        };
        (result, took)
    }

    fn median(all: &[Self]) -> Self {
        let median = |figure: fn(&Self) -> Duration| {
            let mut figures: Vec<Duration> = all.iter().map(figure).collect();
            figures.sort_unstable();
            figures.swap_remove(figures.len() / 2)
        };
        Self {
            wall: median(|took| took.wall),
            cpu: median(|took| took.cpu),
        }
    }

    fn print(self, what: &str) {
        let milliseconds = |duration: Duration| duration.as_secs_f64() * 1e3;
        println!(
            "{what:<58}{:>10.3} ms{:>10.3} ms CPU",
            milliseconds(self.wall),
            milliseconds(self.cpu)
        );
    }
}

fn cpu() -> Duration {
    clock_gettime(ClockId::ThreadCPUTime).try_into().unwrap()
}

fn grow(sharing: Sharing) {
    println!("## {sharing}: {SERIES} series");
    let (mut rig, built) = Took::by(|| Rig::new(UBUNTU, sharing));
    built.print("the first series");
    rig.print_size();
    let mut inits = Vec::new();
    for number in 1..SERIES {
        inits.push(rig.init(number));
        for operation in generated::changes(number, UBUNTU) {
            rig.perform_with_clones(&operation);
        }
    }
    rig.print_size();
    Took::median(&inits).print("series init, median");
    rig.questions(SERIES - 1);
    let mut changes = [Vec::new(), Vec::new()];
    for number in SERIES..SERIES + MORE_SERIES {
        rig.init(number);
        for (place, took) in changes.iter_mut().enumerate() {
            let source = rig.outside(number, place);
            let operation = generated::add(number, generated::largest(), [source]);
            took.push(Took::by(|| rig.perform_with_clones(&operation)).1);
        }
    }
    let [first, second] = changes;
    println!("largest set: {} sources", rig.sources_of_largest());
    Took::median(&first).print("first change in the largest set after an init");
    Took::median(&second).print("second change there");
    println!();
}

/// A state folder with one distribution in it, and the time that passes there.
struct Rig {
    store: Store,
    now: Timestamp,
    folder: TempDir,
}

impl Rig {
    fn new(shape: Shape, sharing: Sharing) -> Self {
        let mut rig = Self::empty();
        rig.perform(&generated::beginning(shape, sharing)).unwrap();
        rig
    }

    fn empty() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self {
            store: Store::open(folder.path()).unwrap(),
            now: "2004-10-20T00:00:00Z".parse().unwrap(),
            folder,
        }
    }

    fn perform(&mut self, operations: &[Operation]) -> Result<Vec<Performed>, StoreError> {
        self.now += SignedDuration::from_hours(24);
        let hand = Hand {
            actor: "bench".to_owned(),
            at: self.now,
            force: Force::Not,
        };
        self.store.perform(&hand, operations)
    }

    /// Does an operation, and before it the clone that it asks for.
    fn perform_with_clones(&mut self, operation: &Operation) {
        let Err(error) = self.perform(std::slice::from_ref(operation)) else {
            return;
        };
        let StoreError::Refused(refusal) = &error else { panic!("{error}") };
        let Refusal::Shared { path, .. } = refusal.as_ref() else {
            panic!("{refusal}")
        };
        let clone = Operation::CloneSet { path: path.clone() };
        self.perform(&[clone]).unwrap();
        self.perform(std::slice::from_ref(operation)).unwrap();
    }

    fn init(&mut self, number: u64) -> Took {
        let init = [generated::init(number, number - 1)];
        Took::by(|| self.perform(&init).unwrap()).1
    }

    fn ask<T>(&self, as_of: Option<Timestamp>, question: impl FnOnce(&View<'_>) -> Result<T, Fault>) -> T {
        self.store.ask(as_of, question).unwrap()
    }

    fn series(&self, number: u64) -> SeriesRow {
        self.ask(None, |view| view.series(&generated::series_path(number)))
    }

    fn sources_of_largest(&self) -> usize {
        let series = self.series(0);
        self.ask(None, |view| Ok(view.content(&view.set(&series, &generated::largest())?)?.sources))
    }

    /// A source that is not in the largest set.
    fn outside(&self, number: u64, place: usize) -> u64 {
        let series = self.series(number);
        let inside = self.ask(None, |view| {
            view.sources(&series, &view.set(&series, &generated::largest())?, Inclusion::Direct)
        });
        let mut outside = (0..UBUNTU.sources).filter(|source| !inside.contains(&generated::source(*source)));
        outside.nth(place).unwrap()
    }

    /// Rows and bytes of the whole file and of the tables that grow.
    fn print_size(&self) {
        let file = self.folder.path().join("kinset.sqlite3");
        let connection = Connection::open(&file).unwrap();
        connection.pragma_update(None, "wal_checkpoint", "TRUNCATE").unwrap();
        let megabytes = |bytes: u64| bytes as f64 / 1e6;
        println!("file: {:.2} MB", megabytes(fs::metadata(&file).unwrap().len()));
        for table in TABLES {
            let rows: u64 = connection
                .query_row(&format!("SELECT count(*) FROM {table}"), [], |row| row.get(0))
                .unwrap();
            let bytes = "SELECT sum(pgsize) FROM dbstat JOIN sqlite_schema USING (name) WHERE tbl_name = ?1";
            let bytes: u64 = connection.query_row(bytes, [table], |row| row.get(0)).unwrap();
            println!("  {table:<12}{rows:>10} rows{:>10.2} MB with its indexes", megabytes(bytes));
        }
    }

    /// What questions cost in a series.
    fn questions(&mut self, number: u64) {
        let series = self.series(number);
        let mut chance = Chance::new(2);
        let packages: Vec<PackageName> = (0..QUESTIONS).map(|_| generated::source(chance.below(UBUNTU.sources))).collect();
        let each = |what: &str, question: &mut dyn FnMut(&PackageName)| {
            let took: Vec<Took> = packages.iter().map(|package| Took::by(|| question(package)).1).collect();
            Took::median(&took).print(what);
        };
        for (what, inclusion) in [
            ("sets with a source directly", Inclusion::Direct),
            ("sets with a source through others", Inclusion::Transitive),
        ] {
            each(what, &mut |package| {
                black_box(self.ask(None, |view| view.containing(&series, package, inclusion)));
            });
        }
        let top = generated::top();
        each("whether a source is in the top set through others", &mut |package| {
            let sets = self.ask(None, |view| view.containing(&series, package, Inclusion::Transitive));
            assert!(sets.iter().any(|set| set.name == top));
        });
        let past = self.now - SignedDuration::from_hours(24 * 4 * i64::try_from(number / 2).unwrap());
        each("sets with a source through others, as of halfway", &mut |package| {
            let question = |view: &View<'_>| {
                let distribution = view.distribution(&generated::distribution())?;
                let newest = view.series_of(&distribution)?.pop().unwrap();
                view.containing(&newest, package, Inclusion::Transitive)
            };
            black_box(self.ask(Some(past), question));
        });
        let mut asked = 0;
        each("may somebody upload a source: facts and decision", &mut |package| {
            asked += 1;
            let question = Question {
                who: generated::person(asked % 150),
                what: What::Upload(Upload {
                    series: series.path.series.clone(),
                    package: package.clone(),
                    component: InComponent::Published,
                    pocket: Pocket::Release,
                }),
            };
            let facts = self.ask(None, |view| {
                let distribution = view.distribution(&generated::distribution())?;
                view.facts(&distribution, Some(&question.who), &question.what)
            });
            black_box(decide(&facts, &question));
        });
        let mut found = 0;
        let all: Vec<Took> = (0..9)
            .map(|_| {
                let question = |view: &View<'_>| view.sources(&series, &view.set(&series, &top)?, Inclusion::Transitive);
                let (sources, took) = Took::by(|| self.ask(None, question));
                found = sources.len();
                took
            })
            .collect();
        Took::median(&all).print(&format!("the {found} sources of the top set through others"));
    }
}

/// Lookups in a collection that lies over ten others, one over the next, of packages that only the last one lists: 100,000 listings in all.
fn overlays() {
    println!("## ten overlays, 100,000 listings");
    let mut rig = Rig::empty();
    rig.perform(&generated::overlaid(OVERLAYS, LISTINGS)).unwrap();
    let asked = rig.series(OVERLAYS);
    let of_the_last = (0..LISTINGS).filter(|source| source % (OVERLAYS + 1) == 0);
    let took: Vec<Took> = of_the_last
        .take(QUESTIONS as usize)
        .map(|source| {
            let package = generated::source(source);
            let (found, took) = Took::by(|| rig.ask(None, |view| view.lookup(&asked, &package)));
            assert_eq!(found.path.len() as u64, OVERLAYS + 1);
            took
        })
        .collect();
    Took::median(&took).print("a package of the last base");
}
