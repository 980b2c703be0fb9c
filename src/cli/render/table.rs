//! Rows under headings.

use std::io::{self, Write};

/// Writes rows under their headings, indented, each column as wide as its longest cell.
pub(in crate::cli) fn table<const N: usize>(out: &mut dyn Write, head: [&str; N], rows: &[[String; N]]) -> io::Result<()> {
    let width = |column: usize| {
        let cells = rows.iter().map(|row| row[column].chars().count());
        cells.chain([head[column].chars().count()]).max().unwrap_or_default()
    };
    let widths: [usize; N] = std::array::from_fn(width);
    let mut line = |cells: [&str; N]| {
        let padded: Vec<String> = cells.iter().zip(widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        writeln!(out, "  {}", padded.join("  ").trim_end())
    };
    line(head)?;
    rows.iter().try_for_each(|row| line(row.each_ref().map(String::as_str)))
}

#[cfg(test)]
mod tests {
    use super::table;

    #[test]
    fn a_column_is_as_wide_as_its_longest_cell_and_no_line_ends_in_spaces() {
        let rows = [["1", "ä"], ["1234567", "b c"]].map(|row| row.map(str::to_owned));
        let mut out = Vec::new();
        table(&mut out, ["PATCH", "MAIL"], &rows).unwrap();
        insta::assert_snapshot!(String::from_utf8(out).unwrap(), @r"
          PATCH    MAIL
          1        ä
          1234567  b c
        ");
    }
}
