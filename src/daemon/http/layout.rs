//! What all pages have in common: their frame, and how things are shown in them.

use std::sync::LazyLock;

use axum::http::StatusCode;
use axum::http::header::{CACHE_CONTROL, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use maud::{DOCTYPE, Markup, html};
use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};
use sha2::{Digest as _, Sha256};

/// The kind of a page.
pub(super) const HTML: &str = "text/html; charset=utf-8";

const STYLE: &str = include_str!("style.css");
const ICON: &str = include_str!("icon.svg");

/// Where the style is, with the hash of what it says: another style has another address.
static STYLE_ADDRESS: LazyLock<String> = LazyLock::new(|| {
    let hash = Sha256::digest(STYLE);
    let hash: String = hash.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    format!("/style/{hash}.css")
});

/// The same, for whatever style.
pub(super) const STYLE_ROUTE: &str = "/style/{name}";

/// The style, to be kept for ever.
pub(super) async fn style(uri: axum::http::Uri) -> Response {
    if uri.path() != STYLE_ADDRESS.as_str() {
        return super::problem::Problem::nothing_at(uri.path()).into_response();
    }
    let headers = [
        (CONTENT_TYPE, "text/css; charset=utf-8"),
        (CACHE_CONTROL, "public, max-age=31536000, immutable"),
    ];
    (StatusCode::OK, headers, STYLE).into_response()
}

/// The picture in the tab of a browser.
pub(super) async fn icon() -> Response {
    let headers = [(CONTENT_TYPE, "image/svg+xml"), (CACHE_CONTROL, "public, max-age=86400")];
    (StatusCode::OK, headers, ICON).into_response()
}

/// What stands around the text of a page.
#[derive(Clone, Debug)]
pub(super) struct Frame<'a> {
    title: &'a str,
    above: Vec<(String, String)>,
    as_of: Option<Timestamp>,
}

impl<'a> Frame<'a> {
    /// A page of this title, which no other page has.
    pub(super) const fn new(title: &'a str) -> Self {
        Self {
            title,
            above: Vec::new(),
            as_of: None,
        }
    }

    /// A page that this one is part of, by its address and name.
    pub(super) fn under(mut self, address: String, name: impl Into<String>) -> Self {
        self.above.push((address, name.into()));
        self
    }

    /// When what it tells was read.
    pub(super) const fn read_at(mut self, time: Timestamp) -> Self {
        self.as_of = Some(time);
        self
    }

    /// The page. Whatever in it would move a cursor, hide or turn round what stands beside it is written out.
    pub(super) fn with_body(self, body: &Markup) -> String {
        let Self { title, above, as_of } = self;
        let page = html! {
            (DOCTYPE)
            html lang="en" {
                head {
                    meta charset="utf-8";
                    meta name="viewport" content="width=device-width, initial-scale=1";
                    meta name="color-scheme" content="light dark";
                    title { (title) " · kinset" }
                    link rel="icon" type="image/svg+xml" href="/icon.svg";
                    link rel="stylesheet" href=(STYLE_ADDRESS.as_str());
                }
                body {
                    a.skip href="#main" { "Skip to the text" }
                    header {
                        a.home href="/" { "kinset" }
                        nav aria-label="Site" {
                            ul {
                                li { a href="/" { "Overview" } }
                                li { a href="/api/status" { "JSON" } }
                                li { a href="/metrics" { "Metrics" } }
                            }
                        }
                    }
                    @if !above.is_empty() {
                        nav.above aria-label="Where this is" {
                            ol {
                                li { a href="/" { "Overview" } }
                                @for (address, name) in &above {
                                    li { a href=(address) { (name) } }
                                }
                            }
                        }
                    }
                    main id="main" tabindex="-1" {
                        h1 { (title) }
                        (body)
                    }
                    footer {
                        @if let Some(as_of) = as_of {
                            p { "As of " (time(as_of)) "; nothing has changed since." }
                        }
                        p { "kinset " (env!("CARGO_PKG_VERSION")) ". All times are in UTC." }
                    }
                }
            }
        };
        visible(&page.into_string())
    }
}

/// Writes out what cannot be seen. No markup of ours has any of it but ends of lines.
fn visible(page: &str) -> String {
    let is_hidden = |letter: char| {
        let turns = matches!(letter, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{200e}' | '\u{200f}' | '\u{61c}');
        let is_nothing = matches!(letter, '\u{200b}'..='\u{200d}' | '\u{2028}' | '\u{2029}' | '\u{2060}' | '\u{feff}');
        turns || is_nothing || letter.is_control() && letter != '\n'
    };
    let mut shown = String::with_capacity(page.len());
    for letter in page.chars() {
        match letter {
            '\t' => shown.push(' '),
            _ if is_hidden(letter) => shown.push_str(&format!("\\u{{{:x}}}", u32::from(letter))),
            _ => shown.push(letter),
        }
    }
    shown
}

/// A time, for people and for programs.
pub(super) fn time(at: Timestamp) -> Markup {
    let shown = at.to_zoned(TimeZone::UTC).strftime("%Y-%m-%d %H:%M:%S").to_string();
    let exact = at.strftime("%Y-%m-%dT%H:%M:%SZ").to_string();
    html! { time datetime=(exact) { (shown) } }
}

/// The same, where there may be none.
pub(super) fn time_or(at: Option<Timestamp>, none: &str) -> Markup {
    at.map_or_else(|| html! { (none) }, time)
}

/// A link.
pub(super) fn way(address: &str, words: &str) -> Markup {
    html! { a href=(address) { (words) } }
}

/// A table, which scrolls by itself where it is too wide for the page.
pub(super) fn table(caption: &str, headings: &[&str], rows: &[Vec<Markup>]) -> Markup {
    html! {
        div.scroll role="region" tabindex="0" aria-label=(caption) {
            table {
                caption { (caption) }
                thead { tr { @for heading in headings { th scope="col" { (heading) } } } }
                tbody {
                    @for row in rows {
                        tr {
                            @for (place, cell) in row.iter().enumerate() {
                                @if place == 0 { th scope="row" { (cell) } } @else { td { (cell) } }
                            }
                        }
                    }
                }
            }
        }
    }
}

/// A picture, which scrolls by itself, and leads to itself alone.
pub(super) fn picture(address: &str, words: &str) -> Markup {
    html! {
        figure {
            figcaption { (words) }
            div.scroll role="region" tabindex="0" aria-label={ (words) ", as a picture" } {
                a href=(address) { img src=(address) alt={ (words) ", alone" }; }
            }
        }
    }
}

/// Names of things and what there is to say of each.
pub(super) fn facts(facts: &[(&str, Markup)]) -> Markup {
    html! {
        dl {
            @for (name, said) in facts { div { dt { (name) } dd { (said) } } }
        }
    }
}

/// One of several pages of something long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Leaf {
    number: usize,
    most: usize,
}

impl Leaf {
    /// The page of this number, from 1, with so many on each.
    pub(super) fn new(number: Option<usize>, most: usize) -> Self {
        Self {
            number: number.unwrap_or(1).max(1),
            most,
        }
    }

    /// What is on it.
    pub(super) fn of<T>(self, all: &[T]) -> &[T] {
        let from = (self.number - 1).saturating_mul(self.most).min(all.len());
        &all[from..from.saturating_add(self.most).min(all.len())]
    }

    /// The way to the others. `address` is that of a page without its number.
    pub(super) fn others(self, of: usize, label: &str, address: impl Fn(usize) -> String) -> Markup {
        let pages = of.div_ceil(self.most).max(1);
        html! {
            @if pages > 1 {
                nav.pages aria-label=(label) {
                    p {
                        "Page " (self.number) " of " (pages) ". "
                        @if self.number > 1 { a rel="prev" href=(address(self.number - 1)) { "Page " (self.number - 1) " of " (label) } " " }
                        @if self.number < pages { a rel="next" href=(address(self.number + 1)) { "Page " (self.number + 1) " of " (label) } }
                    }
                }
            }
        }
    }
}

/// What can stand in an address as it is.
const PLAIN: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// A name as a part of an address. One that is a dot or two would be taken for a way.
pub(super) fn part(name: &str) -> String {
    match name {
        "." | ".." => name.replace('.', "%2E"),
        _ => utf8_percent_encode(name, PLAIN).to_string(),
    }
}

/// The page of a tracker.
pub(super) fn tracker_address(name: &str) -> String {
    format!("/trackers/{}", part(name))
}

/// The page of a distribution.
pub(super) fn distribution_address(name: &str) -> String {
    format!("/distributions/{}", part(name))
}

/// The package sets of a series.
pub(super) fn sets_address(distribution: &str, series: &str) -> String {
    format!("{}/series/{}/sets", distribution_address(distribution), part(series))
}

/// The page of a package set.
pub(super) fn set_address(distribution: &str, series: &str, set: &str) -> String {
    format!("{}/{}", sets_address(distribution, series), part(set))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_seen_is_written_out() {
        assert_eq!(visible("a\u{1b}[2Kb\u{202e}c\u{0}\td\ne"), "a\\u{1b}[2Kb\\u{202e}c\\u{0} d\ne");
    }

    #[test]
    fn each_page_of_a_long_list_has_its_part_and_those_beyond_have_nothing() {
        let all: Vec<usize> = (0..7).collect();
        let on = |number| Leaf::new(number, 3).of(&all).to_vec();
        assert_eq!(
            [on(None), on(Some(2)), on(Some(3)), on(Some(4)), on(Some(0))],
            [vec![0, 1, 2], vec![3, 4, 5], vec![6], vec![], vec![0, 1, 2]]
        );
        assert_eq!(on(Some(usize::MAX)), Vec::<usize>::new());
    }

    #[test]
    fn names_become_parts_of_addresses_that_lead_nowhere_else() {
        assert_eq!(
            [part("a b/c"), part(".."), part("g++-13"), part("<x>")],
            ["a%20b%2Fc", "%2E%2E", "g%2B%2B-13", "%3Cx%3E"]
        );
    }
}
