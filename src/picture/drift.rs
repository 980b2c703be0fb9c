//! How far a tracker was from what is wanted, over time.

use jiff::Timestamp;

use super::svg::{Area, Svg};

/// The width of the picture without the numbers at its left.
const TIME: u32 = 640;
/// The height of the same.
const HEIGHT: u32 = 120;
/// Left of the time: room for numbers.
const LEFT: u32 = 64;
/// Above and below: room for words.
const EDGE: u32 = 22;

/// The writes that were left to do at each of these times, oldest first. Between two times it stays as it was, because nobody looked.
pub fn drift(points: &[(Timestamp, u64)]) -> String {
    let mut svg = Svg::new();
    let (width, height) = (LEFT + TIME + 16, HEIGHT + 2 * EDGE);
    let most = points.iter().map(|(_, drift)| *drift).max().unwrap_or_default();
    let bottom = EDGE + HEIGHT;
    svg.text(4, EDGE + 5, "small", &most.to_string());
    svg.text(4, bottom + 4, "small", "0");
    let (Some((first, _)), Some((last, now))) = (points.first(), points.last()) else {
        svg.text(LEFT, EDGE + HEIGHT / 2, "", "No plan was made yet.");
        return svg.finish(width, height, "Writes left to do over time", "No plan was made yet");
    };
    let span = last.as_millisecond() - first.as_millisecond();
    let across = |at: &Timestamp| {
        let done = i128::from(at.as_millisecond() - first.as_millisecond());
        LEFT + scaled(done, i128::from(span), TIME)
    };
    let down = |drift: u64| bottom - scaled(i128::from(drift), i128::from(most), HEIGHT);
    svg.area(
        Area {
            x: LEFT,
            y: bottom,
            width: TIME,
            height: 1,
        },
        "none",
        "nothing left to do",
    );
    let mut course: Vec<(u32, u32)> = Vec::new();
    for (at, drift) in points {
        let (x, y) = (across(at), down(*drift));
        if let Some(&(_, before)) = course.last()
            && before != y
        {
            course.push((x, before));
        }
        // Of many that fall on one spot, the first and the last say it all.
        if course.len() > 1 && course[course.len() - 2..].iter().all(|point| *point == (x, y)) {
            continue;
        }
        course.push((x, y));
    }
    svg.course(&course, "course");
    let said = |at: &Timestamp| at.strftime("%Y-%m-%d %H:%M").to_string();
    // A course of one look has no length.
    let (x, y) = course.last().copied().unwrap_or((LEFT, bottom));
    svg.area(
        Area {
            x: x - 3,
            y: y - 3,
            width: 7,
            height: 7,
        },
        "default",
        &format!("{now} left to do at {}", said(last)),
    );
    svg.text(LEFT, bottom + EDGE - 6, "small", &said(first));
    if first != last {
        svg.text(LEFT + TIME - 104, bottom + EDGE - 6, "small", &said(last));
    }
    let description = format!("From {} to {}, at most {most}, {now} at the end", said(first), said(last));
    svg.finish(width, height, "Writes left to do over time", &description)
}

/// A part of a whole, on a scale.
fn scaled(part: i128, whole: i128, scale: u32) -> u32 {
    let Some(scaled) = (part.max(0) * i128::from(scale)).checked_div(whole) else {
        return 0;
    };
    u32::try_from(scaled).unwrap_or(scale).min(scale)
}

#[cfg(test)]
mod tests {
    use super::drift;

    fn at(points: &[(i64, u64)]) -> String {
        let points: Vec<_> = points
            .iter()
            .map(|(second, drift)| (jiff::Timestamp::from_second(*second).unwrap(), *drift))
            .collect();
        drift(&points)
    }

    #[test]
    fn what_was_left_to_do_stays_until_somebody_looks_again() {
        let picture = at(&[(0, 10), (50, 5), (100, 0)]);
        assert!(
            picture.contains("<polyline points=\"64,22 384,22 384,82 704,82 704,142\""),
            "{picture}"
        );
        assert!(picture.contains("at most 10, 0 at the end"), "{picture}");
    }

    #[test]
    fn nothing_and_one_look_are_pictures_too() {
        assert!(at(&[]).contains("No plan was made yet."));
        let one = at(&[(7, 0)]);
        assert!(one.contains("<polyline points=\"64,142\""), "{one}");
        assert!(
            one.contains(
                "<rect x=\"61\" y=\"139\" width=\"7\" height=\"7\" class=\"default\"><title>0 left to do at 1970-01-01 00:00</title>"
            ),
            "{one}"
        );
    }
}
