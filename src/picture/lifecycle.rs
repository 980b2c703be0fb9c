//! Lifecycles: which stream of a module is built for which release, and releases and streams over time.

use std::collections::BTreeSet;

use jiff::civil::Date;

use super::svg::{Area, Svg};
use crate::model::packages::SeriesName;
use crate::model::packages::modules::{Cell, Lifecycles, Matrix, Standing, StreamPath};

/// The height of a row.
const ROW: u32 = 26;
/// Between shapes, and around all of them.
const GAP: u32 = 4;
/// The width of a cell of the matrix.
const CELL: u32 = 100;
/// The width of the time line itself.
const TIME: u32 = 800;
/// The width of a day that is written out.
const DAY: u32 = 80;

/// The width of a colour that is explained.
const KEY: u32 = 18;

/// The width of a column of labels.
fn labels<'l>(labels: impl Iterator<Item = &'l str>) -> u32 {
    let letters = labels.map(|label| label.chars().count()).max().unwrap_or_default();
    u32::try_from(letters).unwrap_or(80).min(80) * 8 + 4 * GAP
}

/// The matrix, with the reasons of each cell as its title.
pub fn matrix(matrix: &Matrix) -> String {
    let names: Vec<String> = matrix.streams.keys().map(ToString::to_string).collect();
    let left = labels(names.iter().map(String::as_str));
    let mut svg = Svg::new();
    let mut x = left;
    for release in &matrix.releases {
        svg.text(x + GAP, ROW - 2 * GAP, "", release.as_str());
        x += CELL;
    }
    let mut y = ROW;
    for (stream, cells) in &matrix.streams {
        svg.text(GAP, y + ROW - 2 * GAP, "", &stream.to_string());
        let mut x = left;
        for release in &matrix.releases {
            if let Some(cell) = cells.get(release) {
                draw_cell(&mut svg, (x, y), stream, release, cell);
            }
            x += CELL;
        }
        y += ROW;
    }
    let title = "Streams of modules by release";
    let description = format!(
        "For each stream and release whether the stream is the default of its module there, available, or not built, by the policy {}",
        matrix.policy
    );
    svg.finish(x + GAP, y + GAP, title, &description)
}

fn draw_cell(svg: &mut Svg, (x, y): (u32, u32), stream: &StreamPath, release: &SeriesName, cell: &Cell) {
    let (class, ink) = match cell.standing {
        Standing::Default => ("default", "on-dark"),
        Standing::Available => ("available", "on-light"),
        Standing::NotBuilt => ("none", ""),
    };
    let until = cell.until.map(|until| format!(" until {until}")).unwrap_or_default();
    let reasons: Vec<String> = cell.because.iter().map(|because| because.sentence(stream, release)).collect();
    let title = format!("{stream} in {release}: {}{until}\n{}", cell.standing, reasons.join("\n"));
    let area = Area {
        x: x + 1,
        y: y + 1,
        width: CELL - 2,
        height: ROW - 2,
    };
    svg.area(area, class, &title);
    if cell.standing != Standing::NotBuilt {
        svg.text(x + 2 * GAP, y + ROW - 2 * GAP, &format!("small {ink}"), cell.standing.word());
    }
}

/// A row of the time line.
struct Bar {
    name: String,
    class: &'static str,
    /// `None`: it was there before all that is drawn.
    from: Option<Date>,
    /// `None`: it is there after all that is drawn.
    to: Option<Date>,
}

fn bars(lifecycles: &Lifecycles, matrix: &Matrix) -> Vec<Bar> {
    let shown: BTreeSet<&SeriesName> = matrix.releases.iter().collect();
    let releases = lifecycles.releases.iter().filter(|release| shown.contains(&release.name));
    let mut bars: Vec<Bar> = releases
        .map(|release| Bar {
            name: release.name.to_string(),
            class: "release",
            from: release.released,
            to: release.eol,
        })
        .collect();
    for (stream, cells) in &matrix.streams {
        let built: Vec<_> = cells.iter().filter(|(_, cell)| cell.standing != Standing::NotBuilt).collect();
        if built.is_empty() {
            continue;
        }
        let out = built
            .iter()
            .map(|(release, _)| lifecycles.releases.get(release).and_then(|release| release.released));
        let until: Option<Vec<Date>> = built.iter().map(|(_, cell)| cell.until).collect();
        let is_default = built.iter().any(|(_, cell)| cell.standing == Standing::Default);
        bars.push(Bar {
            name: stream.to_string(),
            class: if is_default { "default" } else { "available" },
            from: out.flatten().min(),
            to: until.and_then(|until| until.into_iter().max()),
        });
    }
    bars
}

/// Releases and streams as bars, with a line at the day on which was asked.
pub fn timeline(lifecycles: &Lifecycles, matrix: &Matrix) -> String {
    let bars = bars(lifecycles, matrix);
    let days: BTreeSet<Date> = bars
        .iter()
        .flat_map(|bar| [bar.from, bar.to])
        .flatten()
        .chain([lifecycles.today])
        .collect();
    let first = days.first().map_or(lifecycles.today, |day| day.first_of_year());
    let last = days.last().map_or(lifecycles.today, |day| day.last_of_year());
    let span = i64::from(days_between(first, last)).max(1);
    let left = labels(bars.iter().map(|bar| bar.name.as_str()));
    let place = |day: Date| {
        let done = i64::from(days_between(first, day)).clamp(0, span) * i64::from(TIME) / span;
        left + u32::try_from(done).unwrap_or_default()
    };
    let bottom = ROW + ROW * u32::try_from(bars.len()).unwrap_or_default();
    let mut svg = Svg::new();
    let mut last_label = None;
    for year in first.year()..=last.year() {
        let x = place(Date::constant(year, 1, 1));
        if last_label.is_none_or(|last| x >= last + 40) {
            svg.upright(x, (GAP, bottom), "line", &year.to_string());
            svg.text(x + GAP, ROW - 2 * GAP, "small", &year.to_string());
            last_label = Some(x);
        }
    }
    let mut y = ROW;
    for Bar { name, class, from, to } in &bars {
        svg.text(GAP, y + ROW - 2 * GAP, "", name);
        let (start, end) = (from.map_or(left, place), to.map_or(left + TIME, place));
        let is_open = from.is_none() || to.is_none();
        let said = |day: &Option<Date>, unknown: &str| day.map_or_else(|| unknown.to_owned(), |day| day.to_string());
        let title = format!("{name}: {} to {}", said(from, "an unknown day"), said(to, "no end that is known"));
        let area = Area {
            x: start,
            y: y + GAP,
            width: end.saturating_sub(start).max(2),
            height: ROW - 2 * GAP,
        };
        svg.area(area, &format!("{class}{}", if is_open { " open" } else { "" }), &title);
        if let Some(to) = to {
            svg.text(area.x + area.width + GAP, y + ROW - 2 * GAP, "small", &to.to_string());
        }
        y += ROW;
    }
    let today = format!("{}, the day on which this was asked", lifecycles.today);
    svg.upright(place(lifecycles.today), (GAP, bottom), "today", &today);
    let used: BTreeSet<&str> = bars.iter().map(|bar| bar.class).collect();
    let keys = [("release", "release"), ("default", "stream, a default"), ("available", "stream")];
    let mut x = GAP;
    for (class, words) in keys.into_iter().filter(|(class, _)| used.contains(class)) {
        x = draw_key(&mut svg, (x, bottom), class, words);
    }
    svg.upright(x + KEY / 2, (bottom + GAP, bottom + ROW - GAP), "today", &today);
    svg.text(x + KEY + GAP, bottom + ROW - 2 * GAP, "small", &lifecycles.today.to_string());
    let description = format!(
        "Releases from the day on which they are out to their end, then streams from the first release that has them to the end of the last, by the policy {}",
        matrix.policy
    );
    svg.finish(
        (left + TIME + DAY + 2 * GAP).max(x + KEY + DAY + 2 * GAP),
        bottom + ROW + GAP,
        "Releases and streams of modules over time",
        &description,
    )
}

/// What a class of bars means; tells where the next such is to stand.
fn draw_key(svg: &mut Svg, (x, y): (u32, u32), class: &str, words: &str) -> u32 {
    let area = Area {
        x,
        y: y + GAP,
        width: KEY,
        height: ROW - 2 * GAP,
    };
    svg.area(area, class, words);
    svg.text(x + KEY + GAP, y + ROW - 2 * GAP, "small", words);
    x + KEY + labels([words].into_iter())
}

fn days_between(from: Date, to: Date) -> i32 {
    from.duration_until(to)
        .as_hours()
        .checked_div(24)
        .and_then(|days| i32::try_from(days).ok())
        .unwrap_or_default()
}
