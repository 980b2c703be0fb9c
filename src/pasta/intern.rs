//! One or two group files as partitions of one universe.
//!
//! Two files of a million message ids each are compared in about the time that it takes to count their words, because little of the work
//! waits for memory. Elements are matched by their 64-bit hashes alone, dealt into buckets by the hashes' top bits so that a bucket's table
//! stays in the processor's cache; the buckets are shared out between two threads. Afterwards every match is compared byte by byte, in
//! the order of the file. Should two different elements ever have the same hash, everything is matched again by the bytes themselves.

use std::cmp::Ordering;
use std::collections::HashMap;
use std::ops::Range;
use std::path::Path;
use std::sync::atomic::{AtomicU32, Ordering as Memory};

use foldhash::fast::FixedState;
use hashbrown::HashTable;

use super::error::GroupsError;
use super::groups::{Dialect, Ending, GroupFile};
use crate::model::relations::{Element, Labels, Partition, Universe};

/// The elements of one or two group files. Their order is that of their bytes.
#[derive(Debug)]
pub struct TokenUniverse<'a> {
    current: &'a GroupFile,
    desired: &'a GroupFile,
    /// For each element that only `desired` names, its place there.
    only_desired: Vec<u32>,
    /// Whether `desired` names an element of `current`.
    named: Vec<bool>,
    ranks: Vec<u64>,
}

impl<'a> TokenUniverse<'a> {
    /// An element as its file spells it.
    #[must_use]
    pub fn token(&self, element: Element) -> &'a str {
        // The files were checked to be UTF-8 when they were read.
        std::str::from_utf8(self.bytes(element)).unwrap_or_default()
    }

    /// An element as its file spells it, as bytes.
    #[must_use]
    pub fn bytes(&self, element: Element) -> &'a [u8] {
        match element.index().checked_sub(self.current.len()) {
            None => self.current.element(element.index()),
            Some(beyond) => self.desired.element(self.only_desired[beyond] as usize),
        }
    }
}

impl Universe for TokenUniverse<'_> {
    fn compare(&self, left: Element, right: Element) -> Ordering {
        self.rank(left)
            .cmp(&self.rank(right))
            .then_with(|| self.bytes(left).cmp(self.bytes(right)))
    }

    fn rank(&self, element: Element) -> u64 {
        self.ranks[element.index()]
    }

    fn is_named(&self, element: Element) -> bool {
        self.named.get(element.index()).is_none_or(|named| *named)
    }
}

/// Reads two group files of any tokens, side by side. Either may be empty.
///
/// # Errors
/// When one of them is missing, cannot be read, or is no group file; the current one is told of first.
pub fn read_pair(current: &Path, desired: &Path) -> Result<(GroupFile, GroupFile), GroupsError> {
    let read = |path| GroupFile::read(path, Dialect::Tokens, Ending::Open);
    let (current, desired) = both(true, || read(current), || read(desired));
    Ok((current?, desired?))
}

/// Two group files as partitions of one universe: what they speak of, the groups of the first and those of the second.
#[must_use]
pub fn compare_files<'a>(current: &'a GroupFile, desired: &'a GroupFile) -> (TokenUniverse<'a>, Partition, Partition) {
    let Interned { repeats, mut element_of } = intern(current, desired);
    let only_desired = close_gaps(&mut element_of, current.len() as u32);
    let universe = current.len() + only_desired.len();
    let common = common_prefix_of(current, desired);
    let rank = |token: &[u8]| rank(&token[common..]);
    let ((current_partition, mut ranks), (desired_partition, beyond)) = both(
        worth_a_thread(current, desired),
        || {
            let partition = partition(current, universe, |place| *repeats.get(&place).unwrap_or(&place));
            let mut ranks = Vec::with_capacity(universe);
            ranks.extend(current.elements().map(rank));
            (partition, ranks)
        },
        || {
            let partition = partition(desired, universe, |place| element_of[place as usize]);
            let ranks: Vec<u64> = only_desired.iter().map(|&place| rank(desired.element(place as usize))).collect();
            (partition, ranks)
        },
    );
    ranks.extend(beyond);
    let mut named = vec![false; current.len()];
    for &element in &element_of {
        if let Some(named) = named.get_mut(element as usize) {
            *named = true;
        }
    }
    (
        TokenUniverse {
            current,
            desired,
            only_desired,
            named,
            ranks,
        },
        current_partition,
        desired_partition,
    )
}

/// Hands the groups of one file to `visit`: its universe, its partition, and each distinct element, once.
pub fn with_single_file<T>(file: &GroupFile, visit: impl FnOnce(&TokenUniverse<'_>, &Partition, &[Element]) -> T) -> T {
    let nothing = GroupFile::empty();
    let Interned { mut element_of, .. } = intern(&nothing, file);
    let only_desired = close_gaps(&mut element_of, 0);
    let partition = partition(file, only_desired.len(), |place| element_of[place as usize]);
    let distinct: Vec<Element> = (0..only_desired.len() as u32).map(Element).collect();
    let common = common_prefix_of(&nothing, file);
    let ranks = only_desired
        .iter()
        .map(|&place| rank(&file.element(place as usize)[common..]))
        .collect();
    let universe = TokenUniverse {
        current: &nothing,
        desired: file,
        only_desired,
        named: Vec::new(),
        ranks,
    };
    visit(&universe, &partition, &distinct)
}

/// The classes that a file's lines make: lines that share an element, or a commit, are one.
fn partition(file: &GroupFile, universe: usize, element_at: impl Fn(u32) -> u32) -> Partition {
    let shared = shared_commits(file);
    let disjoint = || Partition::from_disjoint(universe, file.lines().map(|line| line.map(|place| Element(element_at(place)))));
    match shared[..] {
        [] => disjoint().unwrap_or_else(|| joined_partition(file, universe, element_at, shared)),
        _ => joined_partition(file, universe, element_at, shared),
    }
}

fn joined_partition(file: &GroupFile, universe: usize, element_at: impl Fn(u32) -> u32, same: Vec<(u32, u32)>) -> Partition {
    let JoinedLines { line_of, first_line } = join_lines(file, universe, element_at, same);
    Partition::from_labels(universe, first_line.len(), |element| {
        line_of[element.index()].map(|line| first_line[line as usize])
    })
}

/// Which lines of a file are one class.
pub(super) struct JoinedLines {
    /// For each element, a line that it stands on.
    pub(super) line_of: Vec<Option<u32>>,
    /// For each line, the first line of its class.
    pub(super) first_line: Vec<u32>,
}

/// Joins the lines that share an element, and those that are known to be the `same`.
pub(super) fn join_lines(file: &GroupFile, universe: usize, element_at: impl Fn(u32) -> u32, mut same: Vec<(u32, u32)>) -> JoinedLines {
    let mut line_of: Vec<Option<u32>> = vec![None; universe];
    for (label, line) in (0..).zip(file.lines()) {
        for place in line {
            match &mut line_of[element_at(place) as usize] {
                Some(known) => same.push((*known, label)),
                unknown => *unknown = Some(label),
            }
        }
    }
    let mut labels = Labels::distinct(file.lines().len());
    for (left, right) in same {
        labels.join(left, right);
    }
    JoinedLines {
        line_of,
        first_line: labels.roots(),
    }
}

/// Pairs of lines that name the same upstream commit.
pub(super) fn shared_commits(file: &GroupFile) -> Vec<(u32, u32)> {
    let bits = bucket_bits(file.commit_hashes().len());
    let (commits, nothing) = (Dealt::new(file.commit_hashes(), bits), Dealt::new(&[], bits));
    let mut pairs = Vec::new();
    for (again, earlier) in match_buckets(0..1 << bits, &commits, &nothing, 0, &[]) {
        let ((line, commit), (earlier_line, earlier_commit)) = (file.commit(again as usize), file.commit(earlier as usize));
        if commit != earlier_commit {
            return shared_commits_by_bytes(file);
        }
        pairs.push((earlier_line, line));
    }
    pairs.retain(|(earlier, line)| earlier != line);
    pairs
}

fn shared_commits_by_bytes(file: &GroupFile) -> Vec<(u32, u32)> {
    let mut last_line: HashMap<&[u8], u32, FixedState> = HashMap::default();
    let again = |(line, commit)| {
        last_line
            .insert(commit, line)
            .filter(|&other| other != line)
            .map(|other| (other, line))
    };
    file.commits().filter_map(again).collect()
}

/// How many bytes all elements of both files begin with in common.
fn common_prefix_of(first: &GroupFile, second: &GroupFile) -> usize {
    let common = first
        .common_prefix()
        .into_iter()
        .chain(second.common_prefix())
        .reduce(common_prefix);
    common.map_or(0, <[u8]>::len)
}

/// What two words begin with in common.
pub(super) fn common_prefix<'a>(left: &'a [u8], right: &[u8]) -> &'a [u8] {
    if right.starts_with(left) {
        return left;
    }
    let length = left.iter().zip(right).take_while(|(left, right)| left == right).count();
    &left[..length]
}

/// The first eight of the bytes that follow what all elements begin with: an element's place in the order, nearly always.
fn rank(telling: &[u8]) -> u64 {
    telling.first_chunk().map_or_else(
        || {
            let mut padded = [0; 8];
            padded[..telling.len()].copy_from_slice(telling);
            u64::from_be_bytes(padded)
        },
        |chunk| u64::from_be_bytes(*chunk),
    )
}

/// Which elements of two files are the same.
pub(super) struct Interned {
    /// Places in the first file whose element stands at an earlier place, with that place.
    repeats: HashMap<u32, u32, FixedState>,
    /// For each place in the second file, its element: a place in the first file, or the first file's length plus a place in the second.
    pub(super) element_of: Vec<u32>,
}

/// Numbers the elements that only the second file names without gaps, and returns the place of each.
///
/// Until then such an element has the number of its first place, which leaves a gap for each place whose element has another: arrays over
/// all elements would be up to twice as long as need be.
pub(super) fn close_gaps(element_of: &mut [u32], first_len: u32) -> Vec<u32> {
    let mut places = Vec::new();
    for place in 0..element_of.len() {
        let Some(first_place) = element_of[place].checked_sub(first_len) else {
            continue;
        };
        element_of[place] = if first_place as usize == place {
            places.push(first_place);
            first_len + places.len() as u32 - 1
        } else {
            element_of[first_place as usize]
        };
    }
    places
}

/// Elements in a bucket, about: small enough for a table that stays in the cache.
const BUCKET: usize = 4096;

/// Below this many elements a second thread costs more than it saves.
const WORTH_A_THREAD: usize = 50_000;

/// How many bits of the hashes tell so many elements' buckets apart.
fn bucket_bits(elements: usize) -> u32 {
    (elements / BUCKET).checked_ilog2().map_or(0, |bits| bits + 1)
}

fn worth_a_thread(first: &GroupFile, second: &GroupFile) -> bool {
    first.len() + second.len() >= WORTH_A_THREAD
}

pub(super) fn intern(first: &GroupFile, second: &GroupFile) -> Interned {
    let interned = intern_by_hash(first, second);
    let place_of = |element: u32| match (element as usize).checked_sub(first.len()) {
        None => first.element(element as usize),
        Some(place) => second.element(place),
    };
    let agree = |places: Range<usize>| {
        places
            .into_iter()
            .all(|place| place_of(interned.element_of[place]) == second.element(place))
    };
    let middle = second.len() / 2;
    let (left, right) = both(worth_a_thread(first, second), || agree(0..middle), || agree(middle..second.len()));
    let repeats_agree = interned
        .repeats
        .iter()
        .all(|(&place, &earlier)| first.element(place as usize) == first.element(earlier as usize));
    if left && right && repeats_agree {
        interned
    } else {
        intern_by_bytes(first, second)
    }
}

fn intern_by_bytes(first: &GroupFile, second: &GroupFile) -> Interned {
    let mut element_of_bytes: HashMap<&[u8], u32, FixedState> = HashMap::default();
    let mut repeats = HashMap::default();
    for (place, token) in (0..).zip(first.elements()) {
        let element = *element_of_bytes.entry(token).or_insert(place);
        if element != place {
            repeats.insert(place, element);
        }
    }
    let fresh = first.len() as u32..;
    let element_of = fresh
        .zip(second.elements())
        .map(|(fresh, token)| *element_of_bytes.entry(token).or_insert(fresh))
        .collect();
    Interned { repeats, element_of }
}

fn intern_by_hash(first: &GroupFile, second: &GroupFile) -> Interned {
    let parallel = worth_a_thread(first, second);
    let bits = bucket_bits(first.len() + second.len());
    let dealt = both(parallel, || Dealt::new(first.hashes(), bits), || Dealt::new(second.hashes(), bits));
    let element_of: Vec<AtomicU32> = std::iter::repeat_with(AtomicU32::default).take(second.len()).collect();
    let run = |buckets: Range<usize>| match_buckets(buckets, &dealt.0, &dealt.1, first.len() as u32, &element_of);
    let buckets = 1_usize << bits;
    let (mut repeats, more) = both(parallel, || run(0..buckets / 2), || run(buckets / 2..buckets));
    repeats.extend(more);
    Interned {
        repeats: repeats.into_iter().collect(),
        element_of: element_of.into_iter().map(AtomicU32::into_inner).collect(),
    }
}

/// Does two pieces of work side by side, or one after the other where that is not worth a thread.
pub(super) fn both<A, B: Send>(parallel: bool, one: impl FnOnce() -> A, other: impl FnOnce() -> B + Send) -> (A, B) {
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
    cards: Vec<Card>,
}

#[derive(Clone, Copy, Default)]
struct Card {
    hash: u64,
    place: u32,
}

impl Dealt {
    fn new(hashes: &[u64], bits: u32) -> Self {
        let bucket_of = |hash: u64| hash.checked_shr(64 - bits).unwrap_or(0) as usize;
        let mut starts = vec![0_u32; (1 << bits) + 1];
        for &hash in hashes {
            starts[bucket_of(hash) + 1] += 1;
        }
        for bucket in 1..starts.len() {
            starts[bucket] += starts[bucket - 1];
        }
        let mut next = starts.clone();
        let mut cards = vec![Card::default(); hashes.len()];
        for (place, &hash) in (0..).zip(hashes) {
            let slot = &mut next[bucket_of(hash)];
            cards[*slot as usize] = Card { hash, place };
            *slot += 1;
        }
        Self { starts, cards }
    }

    fn bucket(&self, bucket: usize) -> &[Card] {
        &self.cards[self.starts[bucket] as usize..self.starts[bucket + 1] as usize]
    }
}

/// Settles some buckets; returns the repeats in the first file.
fn match_buckets(buckets: Range<usize>, first: &Dealt, second: &Dealt, first_len: u32, element_of: &[AtomicU32]) -> Vec<(u32, u32)> {
    let mut repeats = Vec::new();
    // Of each hash in a bucket, the first element that has it.
    let mut table: HashTable<(u64, u32)> = HashTable::with_capacity(2 * BUCKET);
    for bucket in buckets {
        table.clear();
        // The table looks at the bottom and the very top of a hash; the bucket has used up the top.
        let mut find_or_insert = |hash: u64, element: u32| {
            let entry = table.entry(hash.rotate_left(32), |entry| entry.0 == hash, |entry| entry.0.rotate_left(32));
            entry.or_insert((hash, element)).get().1
        };
        for &Card { hash, place } in first.bucket(bucket) {
            let element = find_or_insert(hash, place);
            if element != place {
                repeats.push((place, element));
            }
        }
        for &Card { hash, place } in second.bucket(bucket) {
            element_of[place as usize].store(find_or_insert(hash, first_len + place), Memory::Relaxed);
        }
    }
    repeats
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::super::groups::{Dialect, Ending};
    use super::*;

    const OLD: &str = "a b c\nd e\nf\ng a\nh i j\ni k\n";
    const NEW: &str = "b c\nd e f\nl m\nn\nm n\nj h\n";

    fn file(text: &str) -> GroupFile {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("groups");
        std::fs::write(&path, text).unwrap();
        GroupFile::read(&path, Dialect::Tokens, Ending::Complete).unwrap()
    }

    fn classes(universe: &TokenUniverse<'_>, partition: &Partition) -> BTreeSet<String> {
        let spell = |class| {
            let members: BTreeSet<&str> = partition.members(class).iter().map(|&member| universe.token(member)).collect();
            members.into_iter().collect::<Vec<_>>().join(" ")
        };
        partition.classes().map(spell).collect()
    }

    fn expected<const N: usize>(classes: [&str; N]) -> BTreeSet<String> {
        classes.into_iter().map(str::to_owned).collect()
    }

    #[test]
    fn different_elements_of_one_hash_stay_different() {
        let (old, new) = (file(OLD).with_colliding_hashes(), file(NEW).with_colliding_hashes());
        let (universe, current, desired) = compare_files(&old, &new);
        assert_eq!(classes(&universe, &current), expected(["a b c g", "d e", "h i j k"]));
        assert_eq!(classes(&universe, &desired), expected(["b c", "d e f", "h j", "l m n"]));
        let shared = current.members(current.class_of(Element(3)).unwrap());
        assert_eq!(desired.class_of(shared[0]), desired.class_of(shared[1]));
        let unnamed: BTreeSet<&str> = (0..old.len() as u32)
            .map(Element)
            .filter(|&element| current.class_of(element).is_some() && !universe.is_named(element))
            .map(|element| universe.token(element))
            .collect();
        assert_eq!(unnamed, BTreeSet::from(["a", "g", "i", "k"]));
    }

    #[test]
    fn different_elements_of_one_hash_stay_different_in_a_single_file() {
        with_single_file(&file(OLD).with_colliding_hashes(), |universe, partition, distinct| {
            assert_eq!(classes(universe, partition), expected(["a b c g", "d e", "h i j k"]));
            let tokens: Vec<&str> = distinct.iter().map(|&element| universe.token(element)).collect();
            assert_eq!(tokens, ["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "k"]);
        });
    }

    #[test]
    fn different_commits_of_one_hash_stay_different() {
        let text = "a => c1 c2\nb => c3\nc => c2 c4 c4\n=> c5\nd => c6 c5\ne => c3\nf => c7\n";
        for file in [file(text), file(text).with_colliding_hashes()] {
            with_single_file(&file, |universe, partition, _| {
                assert_eq!(classes(universe, partition), expected(["a c", "b e"]));
            });
        }
    }

    #[test]
    fn an_element_that_all_others_begin_with_comes_first() {
        let (old, new) = (
            file("abcdefgh abcdefghijk\nabcdefghijklmnopq abcdefgha\n"),
            file("abcdefghijklmnopqr\n"),
        );
        let (universe, ..) = compare_files(&old, &new);
        let mut elements: Vec<Element> = (0..5).map(Element).collect();
        elements.sort_by(|&left, &right| universe.compare(left, right));
        let tokens: Vec<&str> = elements.into_iter().map(|element| universe.token(element)).collect();
        assert_eq!(
            tokens,
            ["abcdefgh", "abcdefgha", "abcdefghijk", "abcdefghijklmnopq", "abcdefghijklmnopqr"]
        );
    }
}
