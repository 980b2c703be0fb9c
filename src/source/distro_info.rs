//! Debian's and Ubuntu's dates, from the CSV files of `distro-info-data`: those that its package installs
//! (`/usr/share/distro-info/ubuntu.csv`), or those that its authors publish.
//!
//! Columns go by their header. `version`, `codename` and `series` are what they say; every other is a milestone by its name (`created`, `eol`,
//! `eol-lts`, …; `release` is `released`), also one that is new, if what stands in it are dates. Rows end early where nothing more is known.

use csv::{ReaderBuilder, StringRecord, Trim};
use jiff::civil::Date;

use super::{FileAt, Previous, Reading, SourceError, Trouble, file_at::FileSort};
use crate::model::packages::{
    Milestone, SeriesVersion,
    snapshot::{Remark, SeriesFacts, SourceSnapshot},
};
use crate::text::count;

/// What stands behind the version of a series that is looked after for longer than others.
const LONG_TERM: &str = " LTS";

/// What is read. Files that there are have some thousand bytes.
const TABLE: FileSort = FileSort {
    expected: "a table of series",
    accept: "text/csv, text/plain",
    most_bytes: 16 << 20,
};

/// How to read a file of dates.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The source's name in the configuration.
    pub name: String,
    /// Where it is, such as `/usr/share/distro-info/ubuntu.csv` or `https://debian.pages.debian.net/distro-info-data/ubuntu.csv`.
    pub at: FileAt,
}

/// Reads the series with their versions, code names and dates.
///
/// # Errors
/// When the file cannot be read in whole, has no column `series`, or has a row that cannot be understood.
pub async fn read(settings: &Settings, previous: &Previous) -> Result<Reading, SourceError> {
    let read = settings.at.read(&TABLE, previous, parse).await;
    read.map_err(|trouble| SourceError {
        name: settings.name.clone(),
        trouble,
    })
}

/// What a column holds.
#[derive(PartialEq, Eq)]
enum Column {
    Version,
    Codename,
    Series,
    /// Dates, by the column's name.
    Milestone(Milestone),
    /// Something of a later version of the format.
    Other,
}

fn parse(place: &str, bytes: &[u8]) -> Result<SourceSnapshot, Trouble> {
    let mut reader = ReaderBuilder::new().flexible(true).trim(Trim::All).from_reader(bytes);
    let bad = |error: &csv::Error| Trouble::BadRow {
        place: place.to_owned(),
        line: error.position().map_or(1, csv::Position::line),
        reason: error.to_string(),
    };
    let headers = reader.headers().map_err(|error| bad(&error))?.clone();
    let rows = reader.into_records().collect::<Result<Vec<_>, _>>().map_err(|error| bad(&error))?;
    let columns = columns(&headers, &rows);
    if !columns.iter().any(|column| matches!(column, Column::Series)) {
        return Err(Trouble::NoColumn {
            place: place.to_owned(),
            column: "series",
        });
    }
    if let Some(header) = repeated(&headers, &columns) {
        return Err(Trouble::BadRow {
            place: place.to_owned(),
            line: line(bytes, headers.position()),
            reason: format!("there are two columns {header}, and only one of them can hold"),
        });
    }
    let mut snapshot = SourceSnapshot::default();
    for row in &rows {
        let wrong = |reason: String| Trouble::BadRow {
            place: place.to_owned(),
            line: line(bytes, row.position()),
            reason,
        };
        if row.len() > columns.len() {
            return Err(wrong(format!(
                "expected up to {}, found {}",
                count(columns.len(), "field"),
                row.len()
            )));
        }
        let mut facts = SeriesFacts::default();
        let mut name = None;
        let fields = columns.iter().zip(&headers).zip(row);
        for ((column, header), field) in fields.filter(|(_, field)| !field.is_empty()) {
            match column {
                Column::Series => name = Some(field.parse().map_err(|error| wrong(format!("{error}")))?),
                Column::Codename => facts.codename = Some(field.to_owned()),
                Column::Version => read_version(field, &mut facts),
                Column::Milestone(milestone) => {
                    let date: Date = field
                        .parse()
                        .map_err(|_no_date| wrong(format!("expected a date under {header}, found {field:?}")))?;
                    facts.dates.insert(milestone.clone(), date);
                }
                Column::Other => {}
            }
        }
        let name = name.ok_or_else(|| wrong("expected a name under series, found nothing".to_owned()))?;
        if snapshot.series.contains_key(&name) {
            return Err(wrong(format!("series {name} stands in the table twice")));
        }
        snapshot.series.insert(name, facts);
    }
    Ok(snapshot)
}

/// The line that a row stands on, which empty ones may come before.
fn line(bytes: &[u8], position: Option<&csv::Position>) -> u64 {
    let Some(position) = position else { return 1 };
    let before = bytes
        .iter()
        .skip(position.byte() as usize)
        .take_while(|byte| b"\r\n".contains(byte));
    position.line() + before.filter(|byte| **byte == b'\n').count() as u64
}

/// What each column holds. One that kinset does not know holds dates if everything in it is one.
fn columns(headers: &StringRecord, rows: &[StringRecord]) -> Vec<Column> {
    let holds_dates = |place: usize| {
        let mut fields = rows
            .iter()
            .filter_map(|row| row.get(place))
            .filter(|field| !field.is_empty())
            .peekable();
        fields.peek().is_some() && fields.all(|field| field.parse::<Date>().is_ok())
    };
    let column = |(place, header): (usize, &str)| match header {
        "version" => Column::Version,
        "codename" => Column::Codename,
        "series" => Column::Series,
        "release" => Column::Milestone(Milestone::RELEASED),
        _ if matches!(header, "created" | "eol") || header.starts_with("eol-") || holds_dates(place) => {
            header.parse().map_or(Column::Other, Column::Milestone)
        }
        _ => Column::Other,
    };
    headers.iter().enumerate().map(column).collect()
}

/// A header that stands there twice, or says the same as another.
fn repeated<'a>(headers: &'a StringRecord, columns: &[Column]) -> Option<&'a str> {
    let mut named = headers
        .iter()
        .zip(columns)
        .enumerate()
        .filter(|(_, (header, _))| !header.is_empty());
    named.find_map(|(place, (header, column))| {
        let mut before = headers.iter().zip(columns).take(place);
        let is_same = |(other, means): (&str, &Column)| other == header || (*means != Column::Other && means == column);
        before.any(is_same).then_some(header)
    })
}

fn read_version(field: &str, facts: &mut SeriesFacts) {
    let number = field.strip_suffix(LONG_TERM);
    facts.is_long_term = number.map(|_| true);
    match number.unwrap_or(field).parse::<SeriesVersion>() {
        Ok(version) => facts.version = Some(version),
        Err(error) => {
            facts.remarks.insert(Remark::unknown("the version", field, error));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;

    fn read(text: &str) -> Result<BTreeMap<String, SeriesFacts>, String> {
        let snapshot = parse("table.csv", text.as_bytes()).map_err(|error| error.to_string())?;
        Ok(snapshot.series.into_iter().map(|(name, facts)| (name.to_string(), facts)).collect())
    }

    fn dates(facts: &SeriesFacts) -> Vec<String> {
        facts.dates.iter().map(|(name, date)| format!("{name} {date}")).collect()
    }

    #[test]
    fn columns_go_by_their_header_and_not_by_their_place() {
        let series = read("eol,series,codename,version\n2006-04-30,warty,Warty Warthog,4.10\n").unwrap();
        assert_eq!(dates(&series["warty"]), ["eol 2006-04-30"]);
        assert_eq!(series["warty"].codename.as_deref(), Some("Warty Warthog"));
    }

    #[test]
    fn a_short_row_says_nothing_of_what_is_not_in_it() {
        let series = read("version,codename,series,created,release,eol\n14,Forky,forky,2025-08-09\n").unwrap();
        assert_eq!(dates(&series["forky"]), ["created 2025-08-09"]);
    }

    #[test]
    fn long_term_support_is_no_part_of_the_version() {
        let series = read("version,series\n24.04 LTS,noble\n24.10,oracular\n").unwrap();
        assert_eq!(series["noble"].version.as_ref().unwrap().as_str(), "24.04");
        assert_eq!(series["noble"].is_long_term, Some(true));
        assert_eq!(series["oracular"].is_long_term, None);
    }

    #[test]
    fn an_empty_version_is_none() {
        assert_eq!(read("version,codename,series\n,Sid,sid\n").unwrap()["sid"].version, None);
    }

    #[test]
    fn a_new_column_is_a_milestone_if_it_holds_dates() {
        let series = read("series,eol,eol-legacy,freeze,mascot,score\nnoble,2029-05-31,2036-04-29,2024-04-11,a numbat,7\nsid\n").unwrap();
        assert_eq!(
            dates(&series["noble"]),
            ["eol 2029-05-31", "eol-legacy 2036-04-29", "freeze 2024-04-11"]
        );
    }

    #[test]
    fn columns_without_a_header_are_nobodys() {
        let series = read("series,eol,,\nnoble,2029-05-31,,\n").unwrap();
        assert_eq!(dates(&series["noble"]), ["eol 2029-05-31"]);
    }

    #[test]
    fn what_cannot_be_understood_is_refused_with_its_line() {
        for (text, reason) in [
            (
                "series,eol\nnoble,soon\n",
                r#"table.csv, line 2: expected a date under eol, found "soon""#,
            ),
            (
                "series\nnoble\n\r\n\nnoble\n",
                "table.csv, line 5: series noble stands in the table twice",
            ),
            (
                "series,eol\nnoble,2029-05-31,2029-05-31\n",
                "table.csv, line 2: expected up to 2 fields, found 3",
            ),
            (
                "series,eol\n,2029-05-31\n",
                "table.csv, line 2: expected a name under series, found nothing",
            ),
            (
                "version,eol\n1,2029-05-31\n",
                "expected a table with a column series, but table.csv has none",
            ),
            ("", "expected a table with a column series, but table.csv has none"),
            (
                "\n\nseries,eol,eol\nnoble,2029-05-31,2034-05-31\n",
                "table.csv, line 3: there are two columns eol, and only one of them can hold",
            ),
            (
                "series,release,released\nnoble,2024-04-25,2024-04-26\n",
                "table.csv, line 1: there are two columns released, and only one of them can hold",
            ),
            (
                "series,mascot,mascot\nnoble,a numbat,a number\n",
                "table.csv, line 1: there are two columns mascot, and only one of them can hold",
            ),
        ] {
            assert_eq!(read(text).unwrap_err(), reason);
        }
    }
}
