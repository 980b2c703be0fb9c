//! What a file says of how much it holds, so that one that was cut off is known.
//!
//! A TOML file that ends after any of its tables is TOML, and so is one that ends after most of its lines. Where `contents` says at the top what is to
//! come, an empty `[end]` has to close the file: that leaves no place to cut it. JSON that is cut is no JSON.

use super::super::FileFormat;
use super::super::error::{ProblemKind, Problems};
use super::super::table::{Keys, Table};
use super::super::tree::{Node, Value};

const CONTENTS: Keys = Keys {
    prefix: "contents.",
    known: &["series", "packagesets"],
};

/// Compares what stands under `contents` with what is there, where the file has it.
pub(super) fn check(root: &Table<'_>, format: FileFormat, problems: &mut Problems<'_>) {
    let end = root.entry("end");
    if let Some(end) = end
        && !matches!(&end.node.value, Value::Table(entries) if entries.is_empty())
    {
        let kind = ProblemKind::wrong("a table with nothing in it", &end.node);
        root.report("end", end.node.offset, kind, problems);
    }
    let Some(contents) = root.entry("contents") else { return };
    let Some(table) = Table::new(&contents.node, CONTENTS, &[], problems) else {
        return;
    };
    let series = root.entry("series").map_or(&[][..], |series| elements(&series.node));
    let of_series = |series: &Node| series.entry("packageset").map_or(0, |sets| elements(&sets.node).len());
    for (key, found) in [("series", series.len()), ("packagesets", series.iter().map(of_series).sum())] {
        let said = table.integer(key, problems);
        if let (Some(said), Some(entry)) = (said, table.entry(key))
            && usize::try_from(said) != Ok(found)
        {
            table.report(key, entry.node.offset, ProblemKind::Counted { said, found }, problems);
        }
    }
    if end.is_none() && format == FileFormat::Toml {
        root.report("end", contents.offset, ProblemKind::NoEnd, problems);
    }
}

fn elements(node: &Node) -> &[Node] {
    match &node.value {
        Value::List(nodes) => nodes,
        _ => &[],
    }
}
