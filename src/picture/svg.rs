//! Pictures as SVG: few shapes, each with a title that a screen reader reads, and every text escaped.

/// A picture that grows.
#[derive(Debug)]
pub(super) struct Svg {
    body: String,
}

/// Where a shape is, in pixels from the upper left corner, and how big.
#[derive(Clone, Copy, Debug)]
pub(super) struct Area {
    pub x: u32,
    pub y: u32,
    pub width: u32,
    pub height: u32,
}

/// What the classes of shapes look like, in light and in dark surroundings.
///
/// The picture brings its own ground: a viewer that is dark need not have a dark one to lay it on.
const STYLE: &str = "text{font:13px sans-serif;fill:#222}.small{font-size:11px}.ground{fill:#fff}.default{fill:#2b6cb0}.available{fill:#a7c7e7}\
                     .none{fill:#eee}.release{fill:#6b8e4e}.open{fill-opacity:.6;stroke:#222;stroke-dasharray:3 3}.line{stroke:#ccc}.course{fill:none;stroke:#2b6cb0;stroke-width:2}\
                     .today{stroke:#c0392b;stroke-width:2}.on-dark{fill:#fff}\
                     @media(prefers-color-scheme:dark){text{fill:#ddd}.ground{fill:#1b1b1b}.none{fill:#333}.open{stroke:#ddd}.line{stroke:#444}.course{stroke:#7db3e8}\
                     .today{stroke:#ff7b6b}.on-light{fill:#222}}";

impl Svg {
    pub(super) const fn new() -> Self {
        Self { body: String::new() }
    }

    /// A text that begins here, on its base line.
    pub(super) fn text(&mut self, x: u32, y: u32, class: &str, text: &str) {
        self.push(&format!("<text x=\"{x}\" y=\"{y}\" class=\"{class}\">{}</text>", escaped(text)));
    }

    /// A rectangle, with what it means.
    pub(super) fn area(&mut self, area: Area, class: &str, title: &str) {
        let Area { x, y, width, height } = area;
        self.push(&format!(
            "<rect x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{height}\" class=\"{class}\"><title>{}</title></rect>",
            escaped(title)
        ));
    }

    /// A line from the top down, with what it means.
    pub(super) fn upright(&mut self, x: u32, (y, to): (u32, u32), class: &str, title: &str) {
        self.push(&format!(
            "<line x1=\"{x}\" y1=\"{y}\" x2=\"{x}\" y2=\"{to}\" class=\"{class}\"><title>{}</title></line>",
            escaped(title)
        ));
    }

    /// A line through points, in the order of time.
    pub(super) fn course(&mut self, points: &[(u32, u32)], class: &str) {
        let points: Vec<String> = points.iter().map(|(x, y)| format!("{x},{y}")).collect();
        self.push(&format!("<polyline points=\"{}\" class=\"{class}\"/>", points.join(" ")));
    }

    fn push(&mut self, shape: &str) {
        self.body.push_str("  ");
        self.body.push_str(shape);
        self.body.push('\n');
    }

    /// The whole picture, with what it shows.
    pub(super) fn finish(self, width: u32, height: u32, title: &str, description: &str) -> String {
        format!(
            "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{width}\" height=\"{height}\" viewBox=\"0 0 {width} {height}\" role=\"img\" aria-labelledby=\"title description\">\n  \
             <title id=\"title\">{}</title>\n  <desc id=\"description\">{}</desc>\n  <style>{STYLE}</style>\n  \
             <rect width=\"{width}\" height=\"{height}\" class=\"ground\"/>\n{}</svg>\n",
            escaped(title),
            escaped(description),
            self.body
        )
    }
}

/// A text as it can stand between tags and in attributes; what XML has no place for becomes a question mark.
fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for letter in text.chars() {
        match letter {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            '\n' | '\t' => escaped.push(letter),
            '\u{fffe}' | '\u{ffff}' => escaped.push('?'),
            _ if letter.is_control() => escaped.push('?'),
            _ => escaped.push(letter),
        }
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_text_becomes_markup() {
        let mut svg = Svg::new();
        let area = Area {
            x: 1,
            y: 2,
            width: 3,
            height: 4,
        };
        svg.area(area, "none", "</title><script>alert(\"1\")</script>");
        svg.text(1, 2, "small", "a & b's \u{1b}[2K\u{0}");
        let picture = svg.finish(10, 10, "<t>", "\"d\"");
        insta::assert_snapshot!(picture.replace(STYLE, "STYLE"), @r#"
        <svg xmlns="http://www.w3.org/2000/svg" width="10" height="10" viewBox="0 0 10 10" role="img" aria-labelledby="title description">
          <title id="title">&lt;t&gt;</title>
          <desc id="description">&quot;d&quot;</desc>
          <style>STYLE</style>
          <rect width="10" height="10" class="ground"/>
          <rect x="1" y="2" width="3" height="4" class="none"><title>&lt;/title&gt;&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;</title></rect>
          <text x="1" y="2" class="small">a &amp; b&#39;s ?[2K?</text>
        </svg>
        "#);
        assert_eq!(picture.matches("<script").count(), 0);
    }
}
