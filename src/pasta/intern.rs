//! One or two group files as partitions of one universe.
//!
//! Both files' elements are told apart by their hashes and, where those agree, by their bytes. The elements are first dealt into buckets by
//! the top bits of their hashes, small enough that a bucket's table stays in the processor's cache; the buckets are shared out between
//! threads, which never meet because equal elements have equal hashes.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;
use std::sync::atomic::{AtomicU32, Ordering as Memory};

use hashbrown::HashTable;

use super::groups::GroupFile;
use crate::model::relations::{Element, Labels, Partition, Universe};

/// The elements of one or two group files. Their order is that of their bytes.
#[derive(Debug)]
pub struct TokenUniverse<'a> {
    current: Option<&'a GroupFile>,
    desired: &'a GroupFile,
    /// How many of the universe's elements are numbered by their place in `current`; those that only `desired` names follow.
    current_len: u32,
    /// Whether `desired` names an element of `current`.
    named: Vec<bool>,
    /// How many leading bytes say nothing about the order.
    common: usize,
}

impl TokenUniverse<'_> {
    /// An element as its file spells it.
    #[must_use]
    pub fn token(&self, element: Element) -> &str {
        // The files were checked to be UTF-8 when they were read.
        std::str::from_utf8(self.bytes(element)).unwrap_or_default()
    }

    fn bytes(&self, element: Element) -> &[u8] {
        match self.current {
            Some(current) if element.0 < self.current_len => current.element(element.index()),
            _ => self.desired.element((element.0 - self.current_len) as usize),
        }
    }
}

impl Universe for TokenUniverse<'_> {
    fn compare(&self, left: Element, right: Element) -> Ordering {
        self.bytes(left).cmp(self.bytes(right))
    }

    fn rank(&self, element: Element) -> u64 {
        let token = self.bytes(element);
        let distinguishing = &token[self.common.min(token.len())..];
        let mut rank = [0; 8];
        let length = distinguishing.len().min(8);
        rank[..length].copy_from_slice(&distinguishing[..length]);
        u64::from_be_bytes(rank)
    }

    fn is_named(&self, element: Element) -> bool {
        self.named.get(element.index()).is_none_or(|named| *named)
    }
}

/// Two group files as partitions of one universe.
#[must_use]
pub fn compare_files<'a>(current: &'a GroupFile, desired: &'a GroupFile) -> (TokenUniverse<'a>, Partition, Partition) {
    let Interned { repeats, element_of } = intern(current, desired);
    let current_len = current.len() as u32;
    let universe = current.len() + desired.len();
    let mut named = vec![false; current.len()];
    for element in element_of.iter().filter(|&&element| element < current_len) {
        named[*element as usize] = true;
    }
    let first_of: HashMap<u32, u32, foldhash::fast::FixedState> = repeats.into_iter().collect();
    let current_partition = if first_of.is_empty() {
        partition(current, universe, |place| place as u32)
    } else {
        partition(current, universe, |place| first_of.get(&(place as u32)).copied().unwrap_or(place as u32))
    };
    let desired_partition = partition(desired, universe, |place| element_of[place]);
    let common = current.common_with(desired);
    (TokenUniverse { current: Some(current), desired, current_len, named, common }, current_partition, desired_partition)
}

/// One group file as a partition. The distinct elements are those that are the first of their kind; [`single_file`] lists them.
#[must_use]
pub fn single_file(file: &GroupFile) -> (TokenUniverse<'_>, Partition, Vec<Element>) {
    let nothing = GroupFile::empty();
    let Interned { element_of, .. } = intern(&nothing, file);
    let wanted = partition(file, file.len(), |place| element_of[place]);
    let distinct = (0..file.len() as u32).zip(&element_of).filter(|(place, element)| place == *element).map(|(place, _)| Element(place));
    let distinct = distinct.collect();
    (TokenUniverse { current: None, desired: file, current_len: 0, named: Vec::new(), common: file.common_with(&nothing) }, wanted, distinct)
}

/// The classes that a file's lines make: lines that share an element, or a commit, are one.
fn partition(file: &GroupFile, universe: usize, element_at: impl Fn(usize) -> u32) -> Partition {
    const NONE: u32 = u32::MAX;
    let mut joined = shared_commits(file);
    let mut label_of = vec![NONE; universe];
    for (label, line) in (0_u32..).zip(file.lines()) {
        for place in line {
            let known = &mut label_of[element_at(place) as usize];
            if *known == NONE {
                *known = label;
            } else {
                joined.push((*known, label));
            }
        }
    }
    let labelled = |element: Element| Some(label_of[element.index()]).filter(|&label| label != NONE);
    if joined.is_empty() {
        return Partition::from_labels(universe, file.line_count(), labelled);
    }
    let mut labels = Labels::distinct(file.line_count());
    for (left, right) in joined {
        labels.join(left, right);
    }
    let roots = labels.roots();
    Partition::from_labels(universe, roots.len(), |element| labelled(element).map(|label| roots[label as usize]))
}

/// Pairs of lines that name the same upstream commit.
fn shared_commits(file: &GroupFile) -> Vec<(u32, u32)> {
    let commits = file.commits();
    let mut first_line: HashMap<&[u8], u32, foldhash::fast::FixedState> = HashMap::with_capacity_and_hasher(commits.len(), Default::default());
    commits.filter_map(|(line, commit)| first_line.insert(commit, line).filter(|&other| other != line).map(|other| (other, line))).collect()
}

/// Which elements of two files are the same.
struct Interned {
    /// Places in the first file whose element stands at an earlier place, with that place.
    repeats: Vec<(u32, u32)>,
    /// For each place in the second file, its element: a place in the first file, or the first file's length plus a place in the second.
    element_of: Vec<u32>,
}

/// Elements in a bucket, about: small enough for a table that stays in the cache.
const BUCKET: usize = 4096;

/// Below this many elements a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 50_000;

fn intern(first: &GroupFile, second: &GroupFile) -> Interned {
    let total = first.len() + second.len();
    let bits = (total / BUCKET).checked_ilog2().map_or(0, |bits| bits + 1).min(14);
    let (first_dealt, second_dealt) = two_threads_if(
        total >= WORTH_A_THREAD,
        || Dealt::new(first.hashes(), bits),
        || Dealt::new(second.hashes(), bits),
    );
    let element_of: Vec<AtomicU32> = std::iter::repeat_with(AtomicU32::default).take(second.len()).collect();
    let job = Job { first, second, first_dealt: &first_dealt, second_dealt: &second_dealt, element_of: &element_of };
    let buckets = 1_usize << bits;
    let (mut repeats, more) = two_threads_if(total >= WORTH_A_THREAD, || job.run(0..buckets / 2), || job.run(buckets / 2..buckets));
    repeats.extend(more);
    Interned { repeats, element_of: element_of.into_iter().map(AtomicU32::into_inner).collect() }
}

/// Runs two pieces of work side by side, or one after the other when that is not worth a thread.
fn two_threads_if<A, B: Send>(parallel: bool, one: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
    if !parallel {
        return (one(), other());
    }
    std::thread::scope(|scope| {
        let other = scope.spawn(other);
        let one = one();
        match other.join() {
            Ok(other) => (one, other),
            Err(panic) => std::panic::resume_unwind(panic),
        }
    })
}

/// A file's places dealt into buckets by the top bits of their hashes, in order within each bucket.
struct Dealt {
    starts: Vec<u32>,
    places: Vec<u32>,
}

impl Dealt {
    fn new(hashes: &[u64], bits: u32) -> Self {
        let bucket_of = |hash: &u64| hash.checked_shr(64 - bits).unwrap_or(0) as usize;
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for hash in hashes {
            starts[bucket_of(hash) + 1] += 1;
        }
        for bucket in 1..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        let mut next = starts.clone();
        let mut places = vec![0; hashes.len()];
        for (place, hash) in (0_u32..).zip(hashes) {
            let slot = &mut next[bucket_of(hash)];
            places[*slot as usize] = place;
            *slot += 1;
        }
        Self { starts, places }
    }

    fn bucket(&self, bucket: usize) -> &[u32] {
        &self.places[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
    }
}

/// The first of its kind that a bucket's table holds.
#[derive(Clone, Copy)]
struct Entry {
    /// Enough of the hash to tell nearly all others apart without a look at the text.
    hash: u32,
    element: u32,
}

/// The table looks at both ends of a hash; the buckets took the top bits of the whole one.
fn spread(short: u32) -> u64 {
    u64::from(short) << 32 | u64::from(short)
}

struct Job<'a> {
    first: &'a GroupFile,
    second: &'a GroupFile,
    first_dealt: &'a Dealt,
    second_dealt: &'a Dealt,
    element_of: &'a [AtomicU32],
}

impl Job<'_> {
    /// Settles some buckets; returns the repeats in the first file.
    fn run(&self, buckets: Range<usize>) -> Vec<(u32, u32)> {
        let mut repeats = Vec::new();
        let mut table: HashTable<Entry> = HashTable::with_capacity(2 * BUCKET);
        for bucket in buckets {
            table.clear();
            for &place in self.first_dealt.bucket(bucket) {
                let element = self.find_or_insert(&mut table, self.first.hashes()[place as usize], place);
                if element != place {
                    repeats.push((place, element));
                }
            }
            for &place in self.second_dealt.bucket(bucket) {
                let fresh = self.first.len() as u32 + place;
                let element = self.find_or_insert(&mut table, self.second.hashes()[place as usize], fresh);
                self.element_of[place as usize].store(element, Memory::Relaxed);
            }
        }
        repeats
    }

    fn find_or_insert(&self, table: &mut HashTable<Entry>, hash: u64, element: u32) -> u32 {
        let short = hash as u32;
        let is_same = |entry: &Entry| entry.hash == short && self.bytes(entry.element) == self.bytes(element);
        let entry = table.entry(spread(short), is_same, |entry| spread(entry.hash));
        entry.or_insert(Entry { hash: short, element }).get().element
    }

    fn bytes(&self, element: u32) -> &[u8] {
        let element = element as usize;
        if element < self.first.len() { self.first.element(element) } else { self.second.element(element - self.first.len()) }
    }
}
