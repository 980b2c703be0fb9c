//! Inputs that nobody would write: bytes at random, and samples that were cut, repeated, nested, and given numbers without measure.

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::Config;

/// How many inputs each parser gets unless `KINSET_FUZZ_CASES` says otherwise.
const CASES: u32 = 128;

/// No input is much longer, so that none takes long to be read.
const LONGEST: usize = 300_000;

/// Numbers that fit nowhere, or only just.
const NUMBERS: &[&str] = &[
    "0",
    "-1",
    "1.5",
    "1e400",
    "4294967296",
    "9223372036854775807",
    "9223372036854775808",
    "18446744073709551615",
    "18446744073709551616",
    "99999999999999999999999999999999999999",
];

/// What begins something in something, in one language or another.
const OPENINGS: &[&str] = &[
    "[", "{", "{\"a\":", "[[", "{a: ", "- ", "<a>", "<a b='", "a.", "\"", "&a [*a, ", "? ",
];

/// How often to try, and that nothing is left behind by it.
pub(crate) fn config() -> Config {
    let asked = std::env::var("KINSET_FUZZ_CASES").ok().and_then(|cases| cases.parse().ok());
    Config {
        cases: asked.unwrap_or(CASES),
        failure_persistence: None,
        ..Config::default()
    }
}

#[derive(Clone, Debug)]
enum Mutation {
    Cut(Index),
    Set(Index, u8),
    Remove(Index, usize),
    Insert(Index, Vec<u8>),
    Repeat(Index, usize, usize),
    Move(Index, Index, usize),
    Number(Index, &'static str),
    Nest(Index, &'static str, usize),
    Long(Index, u8, usize),
}

fn mutation() -> impl Strategy<Value = Mutation> {
    let place = any::<Index>;
    prop_oneof![
        place().prop_map(Mutation::Cut),
        (place(), any::<u8>()).prop_map(|(place, byte)| Mutation::Set(place, byte)),
        (place(), 1_usize..60).prop_map(|(place, length)| Mutation::Remove(place, length)),
        (place(), vec(any::<u8>(), 1..20)).prop_map(|(place, bytes)| Mutation::Insert(place, bytes)),
        (place(), 1_usize..200, 1_usize..1000).prop_map(|(place, length, times)| Mutation::Repeat(place, length, times)),
        (place(), place(), 1_usize..200).prop_map(|(from, to, length)| Mutation::Move(from, to, length)),
        (place(), select(NUMBERS)).prop_map(|(place, number)| Mutation::Number(place, number)),
        (place(), select(OPENINGS), 1_usize..60_000).prop_map(|(place, opening, times)| Mutation::Nest(place, opening, times)),
        (place(), select(&b"a0 \n\"-"[..]), 1_usize..100_000).prop_map(|(place, byte, length)| Mutation::Long(place, byte, length)),
    ]
}

impl Mutation {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let at = |place: &Index| place.index(bytes.len() + 1);
        let part = |place: &Index, length: usize| {
            let start = at(place);
            start..(start + length).min(bytes.len())
        };
        match self {
            Self::Cut(place) => {
                let place = at(place);
                bytes.truncate(place);
            }
            Self::Set(place, byte) => {
                let place = at(place);
                if let Some(there) = bytes.get_mut(place) {
                    *there = *byte;
                }
            }
            Self::Remove(place, length) => {
                let part = part(place, *length);
                bytes.drain(part);
            }
            Self::Insert(place, new) => insert(bytes, place, new),
            Self::Repeat(place, length, times) => {
                let again = bytes[part(place, *length)].repeat(*times);
                insert(bytes, place, &again);
            }
            Self::Move(from, to, length) => {
                let moved: Vec<u8> = bytes[part(from, *length)].to_vec();
                insert(bytes, to, &moved);
            }
            Self::Number(place, number) => {
                let starts: Vec<usize> = (0..bytes.len())
                    .filter(|&place| bytes[place].is_ascii_digit() && (place == 0 || !bytes[place - 1].is_ascii_digit()))
                    .collect();
                if !starts.is_empty() {
                    let start = starts[place.index(starts.len())];
                    let length = bytes[start..].iter().take_while(|byte| byte.is_ascii_digit()).count();
                    bytes.splice(start..start + length, number.bytes());
                }
            }
            Self::Nest(place, opening, times) => insert(bytes, place, opening.repeat(*times).as_bytes()),
            Self::Long(place, byte, length) => insert(bytes, place, &vec![*byte; *length]),
        }
        bytes.truncate(LONGEST);
    }
}

fn insert(bytes: &mut Vec<u8>, place: &Index, new: &[u8]) {
    let place = place.index(bytes.len() + 1);
    bytes.splice(place..place, new.iter().take(LONGEST).copied());
}

/// A few changes to whatever they are applied to.
#[derive(Clone, Debug)]
pub(crate) struct Changes(Vec<Mutation>);

impl Changes {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        vec(mutation(), 1..5).prop_map(Self)
    }

    pub(crate) fn apply(&self, sample: &[u8]) -> Vec<u8> {
        let mut bytes = sample.to_vec();
        for mutation in &self.0 {
            mutation.apply(&mut bytes);
        }
        bytes
    }
}
