//! Group files that look like PaStA's, for demonstrations, tests and benchmarks.
//!
//! [`generate`] makes two states of one analysis, as two runs of PaStA over a growing archive would leave them. All figures are those of
//! the groups that PaStA published for busybox, jailhouse, flac (an older and a newer state each) and one month of linux-kernel, counted
//! together:
//!
//! - of 11,454 lines with mails, 79 in 100 hold a single mail, the rest 2 to 13. So 42 in 100 mails are in a relation;
//! - upstream commits stand on about 6 in 10 lines of one mail and 8 in 10 of the others. Lines that name a commit only are one to twenty
//!   mails here, as in jailhouse; other projects have from none to six to each mail;
//! - message ids have 39 to 52 bytes on average (65 in jailhouse, where two of five are one person's long ones); here they have 48. They
//!   come in the ten styles that are most frequent, `$`, `%`, `+`, `=` and `/` included;
//! - of 1,146 relations in the older states, 86 in 100 are in the newer ones as they were. The others lose or hand over a member, dissolve,
//!   split, merge or grow, each as often as there;
//! - a newer state names about a tenth more mails, and next to none is gone. New mails are grouped like the old ones, which is somewhat more
//!   than in the data;
//! - ids stand in the order of their bytes within a line, and lines in that of their first ids, with those that name only commits last.
//!   The mails of a group come from one person mostly, and weeks apart.

use std::fmt;
use std::ops::Range;

/// What to generate.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Shape {
    /// How many message ids the newer state names. The older one names nine tenths of them. Below 2^32.
    pub ids: usize,
    /// Decides everything that is left to chance: the same shape gives the same text.
    pub seed: u64,
    /// Whether upstream commits are named.
    pub commits: Commits,
}

/// Whether lines name upstream commits, ` => ` and a hash.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Commits {
    /// As often as in real data.
    Named,
    /// Nowhere: there is nothing in the text but message ids.
    LeftOut,
}

/// Two states of one analysis, as the text of their group files.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generated {
    /// The older state.
    pub old: String,
    /// The newer state.
    pub new: String,
}

/// Makes two states of an analysis.
#[must_use]
pub fn generate(shape: Shape) -> Generated {
    let mut chance = Chance(shape.seed);
    let history = History::invent(shape.ids, &mut chance);
    let mails = Mails::invent(&history, &mut chance);
    Generated {
        old: mails.print(&history.old, shape),
        new: mails.print(&history.new, shape),
    }
}

/// What happens as a rule, and what else, so many times out of so many.
struct Odds<T: 'static> {
    of: u32,
    usual: T,
    others: &'static [(u32, T)],
}

/// How many mails a line holds.
const LINES: Odds<usize> = Odds {
    of: 11_454,
    usual: 1,
    others: &[
        (1484, 2),
        (476, 3),
        (252, 4),
        (82, 5),
        (42, 6),
        (35, 7),
        (6, 8),
        (3, 9),
        (5, 10),
        (1, 11),
        (2, 13),
    ],
};

/// What becomes of a relation.
const RELATIONS: Odds<Fate> = Odds {
    of: 1146,
    usual: Fate::Stays,
    others: &[
        (39, Fate::LosesOne),
        (43, Fate::Dissolves),
        (11, Fate::Splits),
        (5, Fate::HandsOver),
        (12, Fate::Merges),
        (39, Fate::Grows),
    ],
};

/// What becomes of a mail on its own.
const SINGLES: Odds<Fate> = Odds {
    of: 4899,
    usual: Fate::Stays,
    others: &[(63, Fate::Merges), (52, Fate::Grows)],
};

#[derive(Clone, Copy)]
enum Fate {
    Stays,
    /// One member is on its own afterwards.
    LosesOne,
    /// All members are on their own afterwards.
    Dissolves,
    /// One half of the members makes another relation.
    Splits,
    /// One member goes over to the last line before it of the same kind.
    HandsOver,
    /// It joins the last line before it of the same kind.
    Merges,
    /// The next mail that arrives belongs to it.
    Grows,
}

/// One line of either state, by number.
type Line = u32;

/// Which lines the mails stand on; mails are numbered as they arrived.
struct History {
    /// The lines of the mails that had arrived by the older state.
    old: Vec<Line>,
    /// The lines of all mails in the newer state.
    new: Vec<Line>,
    /// Which mails are the first of a thread.
    begins: Vec<bool>,
    lines: Line,
}

impl History {
    fn invent(ids: usize, chance: &mut Chance) -> Self {
        let mut history = Self {
            old: Vec::with_capacity(ids),
            new: Vec::with_capacity(ids),
            begins: Vec::with_capacity(ids),
            lines: 0,
        };
        history.arrive(ids - ids / 10, chance);
        history.old.clone_from(&history.new);
        let growing = history.change(chance);
        for line in growing.into_iter().take(ids - history.new.len()) {
            history.begins.push(true);
            history.new.push(line);
        }
        history.arrive(ids, chance);
        history
    }

    /// Mails arrive on lines of their own until there are so many.
    fn arrive(&mut self, mails: usize, chance: &mut Chance) {
        while self.new.len() < mails {
            let first = self.new.len();
            let size = chance.pick(&LINES).min(mails - first);
            let line = self.fresh();
            self.new.extend(std::iter::repeat_n(line, size));
            self.begins.extend((0..size).map(|member| member == 0));
        }
    }

    fn fresh(&mut self) -> Line {
        self.lines += 1;
        self.lines - 1
    }

    /// Lets something become of each line; returns the lines that the next mails belong to.
    fn change(&mut self, chance: &mut Chance) -> Vec<Line> {
        let mut growing = Vec::new();
        let (mut last_single, mut last_relation) = (None, None);
        let mut first = 0;
        while let Some(&line) = self.old.get(first) {
            let size = self.old[first..].iter().take_while(|&&other| other == line).count();
            let (odds, last) = match size {
                1 => (&SINGLES, &mut last_single),
                _ => (&RELATIONS, &mut last_relation),
            };
            let last = last.replace(line);
            let members = first..first + size;
            match chance.pick(odds) {
                Fate::Stays => {}
                Fate::LosesOne => self.new[first + chance.below(size)] = self.fresh(),
                Fate::Dissolves => {
                    for member in members {
                        self.new[member] = self.fresh();
                    }
                }
                Fate::Splits => {
                    let other = self.fresh();
                    self.new[members][size / 2..].fill(other);
                }
                Fate::HandsOver => self.new[first] = last.unwrap_or(line),
                Fate::Merges => self.new[members].fill(last.unwrap_or(line)),
                Fate::Grows => growing.push(line),
            }
            first += size;
        }
        growing
    }
}

/// The texts of the mails' ids, and their order.
struct Mails {
    text: String,
    ends: Vec<usize>,
    /// All mails by the bytes of their ids.
    sorted: Vec<u32>,
}

impl Mails {
    fn invent(history: &History, chance: &mut Chance) -> Self {
        let mut mails = Self {
            text: String::with_capacity(48 * history.new.len()),
            ends: Vec::with_capacity(history.new.len()),
            sorted: (0..history.new.len() as u32).collect(),
        };
        let mut thread = Thread::invent(chance);
        for (mail, &begins) in (0..).zip(&history.begins) {
            if begins {
                thread = Thread::invent(chance);
            }
            mails.text.push_str(&thread.next_id(mail, chance));
            mails.ends.push(mails.text.len());
        }
        let Self { text, ends, sorted } = &mut mails;
        sorted.sort_unstable_by_key(|&mail| id(text, ends, mail));
        mails
    }

    fn id(&self, mail: u32) -> &str {
        id(&self.text, &self.ends, mail)
    }

    /// The group file of a state: the mails of each line, ascending, and the lines by their first mails.
    fn print(&self, line_of: &[Line], shape: Shape) -> String {
        let lines = Lines::new(line_of, &self.sorted);
        let mut text = String::with_capacity(self.text.len() * 3 / 2);
        for (line, members) in lines.iter() {
            for (place, &mail) in members.iter().enumerate() {
                text.push_str(if place == 0 { "" } else { " " });
                text.push_str(self.id(mail));
            }
            let mut chance = Chance::of_line(shape.seed, line);
            let odds = if members.len() == 1 { 6 } else { 8 };
            if shape.commits == Commits::Named && chance.below(10) < odds {
                text.push_str(" => ");
                text.push_str(&chance.hash());
            }
            text.push('\n');
        }
        if shape.commits == Commits::Named {
            for line in 0..line_of.len() / 20 {
                text.push_str("=> ");
                text.push_str(&Chance::of_line(!shape.seed, line as Line).hash());
                text.push('\n');
            }
        }
        text
    }
}

fn id<'a>(text: &'a str, ends: &[usize], mail: u32) -> &'a str {
    let mail = mail as usize;
    let start = mail.checked_sub(1).map_or(0, |before| ends[before]);
    &text[start..ends[mail]]
}

/// Mails dealt out to their lines.
struct Lines {
    /// The lines in the order of their first mails.
    numbers: Vec<Line>,
    /// Where the mails of each begin in [`Self::mails`]; then the number of mails.
    starts: Vec<u32>,
    mails: Vec<u32>,
}

impl Lines {
    fn new(line_of: &[Line], sorted: &[u32]) -> Self {
        const UNSEEN: u32 = u32::MAX;
        let present = || sorted.iter().copied().filter(|&mail| (mail as usize) < line_of.len());
        let most = line_of.iter().max().map_or(0, |&line| line as usize + 1);
        let mut place_of = vec![UNSEEN; most];
        let mut numbers = Vec::new();
        let mut sizes: Vec<u32> = Vec::new();
        for mail in present() {
            let line = line_of[mail as usize];
            let place = &mut place_of[line as usize];
            if *place == UNSEEN {
                *place = numbers.len() as u32;
                numbers.push(line);
                sizes.push(0);
            }
            sizes[*place as usize] += 1;
        }
        let mut starts = vec![0];
        starts.extend(sizes.iter().scan(0, |total, size| {
            *total += size;
            Some(*total)
        }));
        let mut next = starts.clone();
        let mut mails = vec![0; line_of.len()];
        for mail in present() {
            let slot = &mut next[place_of[line_of[mail as usize] as usize] as usize];
            mails[*slot as usize] = mail;
            *slot += 1;
        }
        Self { numbers, starts, mails }
    }

    fn iter(&self) -> impl Iterator<Item = (Line, &[u32])> {
        self.numbers
            .iter()
            .zip(self.starts.windows(2))
            .map(|(&line, pair)| (line, &self.mails[pair[0] as usize..pair[1] as usize]))
    }
}

/// How a mail program spells its message ids.
#[derive(Clone, Copy)]
enum Style {
    /// `git send-email` before 2.8.
    GitEpoch,
    /// `git send-email` since.
    GitDate,
    /// `git format-patch --thread`.
    GitThread,
    Mutt,
    Evolution,
    Thunderbird,
    StackedGit,
    Gmail,
    Outlook,
    Tip,
}

/// The styles of mails; those of no great number are counted with their likes.
const STYLES: Odds<Style> = Odds {
    of: 15_539,
    usual: Style::GitEpoch,
    others: &[
        (1592, Style::GitDate),
        (800, Style::GitThread),
        (2336, Style::Mutt),
        (1429, Style::Evolution),
        (3000, Style::Thunderbird),
        (855, Style::StackedGit),
        (337, Style::Gmail),
        (360, Style::Outlook),
        (372, Style::Tip),
    ],
};

const NAMES: [&str; 8] = ["amara", "bela", "chidi", "dunja", "eskil", "farah", "goran", "hana"];

/// Revisions of one patch: the same person, the same program, weeks apart.
struct Thread {
    style: Style,
    name: &'static str,
    host: usize,
    /// When the next mail is sent, in seconds since 1970.
    time: u64,
}

impl Thread {
    fn invent(chance: &mut Chance) -> Self {
        const YEARS_2004_TO_2024: Range<u64> = 1_072_915_200..1_735_689_600;
        let span = (YEARS_2004_TO_2024.end - YEARS_2004_TO_2024.start) as usize;
        Self {
            style: chance.pick(&STYLES),
            name: NAMES[chance.below(NAMES.len())],
            host: chance.below(1000),
            time: YEARS_2004_TO_2024.start + chance.below(span) as u64,
        }
    }

    /// The id of the thread's next mail. No two ids are the same: each style spells a number out that every mail has another of.
    fn next_id(&mut self, mail: u32, chance: &mut Chance) -> String {
        const WEEKS: usize = 6 * 7 * 24 * 3600;
        self.time += chance.below(WEEKS) as u64;
        let Self { style, name, host, time } = *self;
        // An odd factor makes this one-to-one, and looks like chance.
        let own = mail.wrapping_mul(2_654_435_761);
        let date = Date(time);
        let some = chance.below(100_000);
        match style {
            Style::GitEpoch => format!("<{time}-{own}-{}-git-send-email-{name}@h{host}.example>", some % 20),
            Style::GitDate => format!("<{date}.{own}-{}-{name}@h{host}.example>", some % 20),
            Style::GitThread => {
                let (first, second) = (chance.draw(), chance.draw());
                format!("<{own:08x}{first:016x}{second:016x}.{time}.git.{name}@h{host}.example>")
            }
            Style::Mutt => format!("<{date}.GA{own}@h{host}.example>"),
            Style::Evolution => format!("<{time}.{own}.{}.camel@h{host}.example>", some % 600),
            Style::Thunderbird => format!("<{own:08X}.{some:07}@h{host}.example>"),
            Style::StackedGit => format!("<{date}.{some}.{own}.stgit@h{host}.example>"),
            Style::Gmail => {
                let (first, second) = (chance.draw(), chance.draw());
                format!("<CA+{own:08x}_{first:016x}={second:016x}/{name}@mail.example.com>")
            }
            Style::Outlook => format!("<{:012x}${own:08x}${some:08x}$%{name}@h{host}.example>", time >> 4),
            Style::Tip => {
                let (first, second) = (chance.draw(), chance.draw());
                format!("<tip-{own:08x}{first:016x}{second:016x}@git.example.org>")
            }
        }
    }
}

/// A time as `20120501123456`, in a calendar of months of 28 days, which is near enough.
#[derive(Clone, Copy)]
struct Date(u64);

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (days, seconds) = (self.0 / 86_400, self.0 % 86_400);
        let (months, day) = (days * 12 / 365, days % 28 + 1);
        let (year, month) = (1970 + months / 12, months % 12 + 1);
        let (hour, minute, second) = (seconds / 3600, seconds / 60 % 60, seconds % 60);
        write!(f, "{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")
    }
}

/// Numbers that look like chance and are the same for the same seed (`SplitMix64`, of Steele, Lea and Flood).
struct Chance(u64);

impl Chance {
    /// What is left to chance about one line, in whichever state it stands.
    fn of_line(seed: u64, line: Line) -> Self {
        Self(Self(seed ^ u64::from(line)).draw())
    }

    fn draw(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ mixed >> 31
    }

    fn below(&mut self, bound: usize) -> usize {
        ((u128::from(self.draw()) * bound as u128) >> 64) as usize
    }

    fn pick<T: Copy>(&mut self, odds: &Odds<T>) -> T {
        let mut drawn = self.below(odds.of as usize) as u32;
        for &(times, other) in odds.others {
            match drawn.checked_sub(times) {
                Some(rest) => drawn = rest,
                None => return other,
            }
        }
        odds.usual
    }

    /// A commit's hash.
    fn hash(&mut self) -> String {
        format!("{:016x}{:016x}{:08x}", self.draw(), self.draw(), self.draw() as u32)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    fn sample(ids: usize, commits: Commits) -> Generated {
        generate(Shape { ids, seed: 7, commits })
    }

    fn ids_of(line: &str) -> Vec<&str> {
        line.split(' ').take_while(|word| *word != "=>").collect()
    }

    fn ids(text: &str) -> Vec<&str> {
        text.lines().flat_map(ids_of).collect()
    }

    #[test]
    fn the_same_shape_gives_the_same_text_and_another_seed_another() {
        let shape = Shape {
            ids: 300,
            seed: 1,
            commits: Commits::Named,
        };
        assert_eq!(generate(shape), generate(shape));
        assert_ne!(generate(shape), generate(Shape { seed: 2, ..shape }));
    }

    #[test]
    fn ids_are_distinct_and_as_many_as_asked_for() {
        for size in [0, 1, 2, 10, 5000] {
            let Generated { old, new } = sample(size, Commits::Named);
            let (old, new) = (ids(&old), ids(&new));
            assert_eq!((old.len(), new.len()), (size - size / 10, size));
            let distinct: BTreeSet<&str> = new.iter().copied().collect();
            assert_eq!(distinct.len(), size);
            assert!(old.iter().all(|id| distinct.contains(id)));
        }
    }

    #[test]
    fn ids_look_like_message_ids_of_about_48_bytes() {
        let text = sample(5000, Commits::LeftOut).new;
        let ids = ids(&text);
        assert!(ids.iter().all(|id| crate::model::MessageId::parse(id).is_ok()));
        let mean = ids.iter().map(|id| id.len()).sum::<usize>() / ids.len();
        assert!((47..=49).contains(&mean), "{mean}");
        for special in ['$', '%', '+', '=', '/'] {
            assert!(ids.iter().any(|id| id.contains(special)), "{special}");
        }
    }

    #[test]
    fn lines_and_their_ids_are_sorted_with_commits_alone_last() {
        let text = sample(2000, Commits::Named).new;
        let (with_mails, alone): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with('<'));
        assert!(text.starts_with(with_mails[0]) && text.trim_end().ends_with(alone[alone.len() - 1]));
        assert!(with_mails.iter().all(|line| ids_of(line).is_sorted()));
        assert!(with_mails.iter().map(|line| ids_of(line)[0]).is_sorted());
        let commits: BTreeSet<&str> = text
            .lines()
            .filter_map(|line| line.split_once("=> "))
            .map(|(_, commit)| commit)
            .collect();
        assert!(commits.iter().all(|commit| commit.len() == 40));
        assert_eq!(commits.len(), text.matches("=>").count());
    }

    #[test]
    fn relations_are_as_frequent_as_in_real_data() {
        let text = sample(20_000, Commits::LeftOut).old;
        let related: usize = text.lines().map(|line| ids_of(line).len()).filter(|&members| members > 1).sum();
        let percent = related * 100 / ids(&text).len();
        assert!((40..=44).contains(&percent), "{percent} in 100");
    }

    #[test]
    fn most_relations_stay_as_they_are() {
        let Generated { old, new } = sample(20_000, Commits::LeftOut);
        let relations = |text: &str| -> BTreeSet<String> { text.lines().filter(|line| line.contains(' ')).map(str::to_owned).collect() };
        let (old, new) = (relations(&old), relations(&new));
        let percent = old.intersection(&new).count() * 100 / old.len();
        assert!((83..=89).contains(&percent), "{percent} in 100");
    }
}
