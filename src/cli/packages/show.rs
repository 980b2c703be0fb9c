//! Answers in the three shapes that they may have: a table, JSON, and names only.

use std::io::{IsTerminal as _, stdout};

use comfy_table::{ContentArrangement, Table, presets};
use serde::Serialize;

use super::arguments::Shape;
use crate::cli::args::Format;
use crate::cli::failure::Failure;
use crate::cli::{Status, output};

/// Something that is answered as a row of a table.
pub(super) trait Entry: Serialize {
    /// The headings of the table.
    const HEADINGS: &'static [&'static str];

    /// The row.
    fn cells(&self) -> Vec<String>;

    /// What stands for it where only names are wanted.
    fn name(&self) -> String;
}

/// Prints a list: on a terminal as a table with headings, elsewhere with tabs between the cells.
pub(super) fn list<E: Entry>(entries: &[E], shape: Shape) -> Result<(), Failure> {
    if shape.quiet {
        return output::data(|out| entries.iter().try_for_each(|entry| writeln!(out, "{}", printable(&entry.name()))));
    }
    match shape.format {
        Format::Json => output::json_if_whole(&entries, Status::Done),
        Format::Text if stdout().is_terminal() => {
            let mut table = Table::new();
            table
                .load_style(presets::NOTHING)
                .set_content_arrangement(ContentArrangement::Dynamic);
            table.set_header(E::HEADINGS);
            table.add_rows(entries.iter().map(cells));
            output::data(|out| writeln!(out, "{table}"))
        }
        Format::Text => output::data(|out| entries.iter().try_for_each(|entry| writeln!(out, "{}", cells(entry).join("\t")))),
    }
}

/// Prints a table whose columns are data too, and so have their headings wherever it goes.
pub(super) fn grid(headings: &[String], rows: &[Vec<String>]) -> Result<(), Failure> {
    if stdout().is_terminal() {
        let mut table = Table::new();
        table
            .load_style(presets::NOTHING)
            .set_content_arrangement(ContentArrangement::Dynamic);
        table.set_header(headings);
        table.add_rows(rows.iter().map(|row| row.iter().map(|cell| printable(cell))));
        return output::data(|out| writeln!(out, "{table}"));
    }
    output::data(|out| {
        let mut rows = [headings].into_iter().chain(rows.iter().map(Vec::as_slice));
        rows.try_for_each(|row| writeln!(out, "{}", row.iter().map(|cell| printable(cell)).collect::<Vec<_>>().join("\t")))
    })
}

fn cells<E: Entry>(entry: &E) -> Vec<String> {
    entry.cells().iter().map(|cell| printable(cell)).collect()
}

/// Names, where there is nothing else to say of them.
#[derive(Debug, Serialize)]
#[serde(transparent)]
pub(super) struct Name(pub(super) String);

impl Entry for Name {
    const HEADINGS: &'static [&'static str] = &["NAME"];

    fn cells(&self) -> Vec<String> {
        vec![self.0.clone()]
    }

    fn name(&self) -> String {
        self.0.clone()
    }
}

/// A text as it can be shown: whatever would move the cursor or colour the screen is written out.
pub(super) fn printable(text: &str) -> String {
    let shown = |letter: char| match letter.is_control() {
        true => letter.escape_default().to_string(),
        false => letter.to_string(),
    };
    text.chars().map(shown).collect()
}
