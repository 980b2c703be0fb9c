//! Reading the tables of a TOML document, and gathering what is wrong in them.

use std::collections::BTreeSet;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

use super::error::{Problem, ProblemKind};
use super::keys::{Key, TABLES, Table};
use crate::remedy::nearest;
use crate::text::position;

/// Reads one value, or says what is wrong with it.
pub(super) type Read<T> = fn(&Key, &DeValue<'_>) -> Result<T, ProblemKind>;

/// The problems found so far in one text.
#[derive(Debug)]
pub(super) struct Problems<'d> {
    text: &'d str,
    found: Vec<(usize, Problem)>,
}

impl<'d> Problems<'d> {
    /// No problem yet.
    pub(super) const fn new(text: &'d str) -> Self {
        Self { text, found: Vec::new() }
    }

    /// Adds a problem at an offset in bytes. What concerns no key in particular has an empty one.
    pub(super) fn push(&mut self, offset: usize, key: String, kind: ProblemKind) {
        let (line, column) = position(self.text, offset);
        self.found.push((offset, Problem { line, column, key, kind }));
    }

    /// The line that an offset stands on.
    pub(super) fn line(&self, offset: usize) -> usize {
        position(self.text, offset).0
    }

    /// All of them, in the order of the text.
    ///
    /// Where the text is not TOML, what was read of it is a guess. Problems that may come of the guess alone are left out: anything else on a
    /// line that could not be read, anything missing, and, where a table's header could not be read, everything but the syntax.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        self.found.sort_by_key(|(offset, problem)| (*offset, !problem.is_syntax()));
        let mut problems: Vec<Problem> = self.found.into_iter().map(|(_, problem)| problem).collect();
        let broken: BTreeSet<usize> = problems
            .iter()
            .filter(|problem| problem.is_syntax())
            .map(|problem| problem.line)
            .collect();
        if broken.is_empty() {
            return problems;
        }
        let is_header = |line: &str| line.trim_start().starts_with('[');
        let headers_hold = !self
            .text
            .lines()
            .enumerate()
            .any(|(index, line)| broken.contains(&(index + 1)) && is_header(line));
        problems.retain(|problem| problem.is_syntax() || headers_hold && !problem.is_absence() && !broken.contains(&problem.line));
        problems.dedup_by(|later, earlier| later.is_syntax() && later.line == earlier.line);
        problems
    }
}

/// One table of the document, seen as what it is meant to be.
#[derive(Clone, Copy, Debug)]
pub(super) struct Section<'d> {
    table: &'static Table,
    entries: &'d DeTable<'d>,
    offset: usize,
}

impl<'d> Section<'d> {
    /// Looks at a table that starts at an offset, and reports the keys in it that it should not have.
    pub(super) fn new(table: &'static Table, entries: &'d DeTable<'d>, offset: usize, problems: &mut Problems<'_>) -> Self {
        for key in entries.keys().filter(|key| !table.names().any(|known| known == key.get_ref())) {
            problems.push(
                key.span().start,
                table.full_name(&key.get_ref().escape_debug().to_string()),
                unknown(table, key.get_ref()),
            );
        }
        Self { table, entries, offset }
    }

    /// The value of a key as it stands in the document.
    pub(super) fn raw(&self, key: &Key) -> Option<&'d Spanned<DeValue<'d>>> {
        self.entries.get(key.name)
    }

    /// Reports something about a key, at an offset.
    pub(super) fn report(&self, key: &Key, offset: usize, kind: ProblemKind, problems: &mut Problems<'_>) {
        problems.push(offset, self.table.full_name(key.name), kind);
    }

    /// Reports something about what stands for a key.
    pub(super) fn report_at(&self, key: &Key, kind: ProblemKind, problems: &mut Problems<'_>) {
        let offset = self.raw(key).map_or(self.offset, |value| value.span().start);
        self.report(key, offset, kind, problems);
    }

    /// Reports that what stands for a key is not what it expects.
    pub(super) fn report_wrong(&self, key: &Key, value: &Spanned<DeValue<'_>>, problems: &mut Problems<'_>) {
        self.report(key, value.span().start, ProblemKind::wrong(key, value.get_ref()), problems);
    }

    /// Reports that a key should be here and is not.
    pub(super) fn report_missing(&self, key: &Key, problems: &mut Problems<'_>) {
        self.report(
            key,
            self.offset,
            ProblemKind::Missing {
                expected: key.expected,
                place: self.table.place,
            },
            problems,
        );
    }

    /// The value of a key that may be left out.
    pub(super) fn optional<T>(&self, key: &Key, read: Read<T>, problems: &mut Problems<'_>) -> Option<T> {
        let value = self.raw(key)?;
        match read(key, value.get_ref()) {
            Ok(value) => Some(value),
            Err(kind) => {
                self.report(key, value.span().start, kind, problems);
                None
            }
        }
    }

    /// The value of a key that must be there.
    pub(super) fn required<T>(&self, key: &Key, read: Read<T>, problems: &mut Problems<'_>) -> Option<T> {
        if self.raw(key).is_none() {
            self.report_missing(key, problems);
        }
        self.optional(key, read, problems)
    }

    /// The table that is the value of a key.
    pub(super) fn subsection(&self, key: &Key, table: &'static Table, problems: &mut Problems<'_>) -> Option<Self> {
        let value = self.raw(key)?;
        match value.get_ref() {
            DeValue::Table(entries) => Some(Self::new(table, entries, value.span().start, problems)),
            _ => {
                self.report_wrong(key, value, problems);
                None
            }
        }
    }
}

/// What to say about a key that a table does not have: where it belongs, if it is known elsewhere, else what may have been meant.
fn unknown(table: &Table, key: &str) -> ProblemKind {
    match TABLES.iter().find(|other| other.names().any(|known| known == key)) {
        Some(home) => ProblemKind::Misplaced { home: home.place },
        None => ProblemKind::Unknown {
            nearest: nearest(key, table.names()),
            known: table.names().collect(),
        },
    }
}
