//! What the client can read.

use super::Reply;

/// What a reply is written in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Format {
    Json,
    /// A page to look at in a browser.
    Html,
    /// Nothing that the server has.
    None,
}

/// Picks what the most specific media types of the `Accept` header allow, JSON before HTML. Weights are passed over, as Patchwork does.
pub(super) fn format(accept: Option<&str>) -> Format {
    let Some(accept) = accept else { return Format::Json };
    let types: Vec<String> = accept
        .split(',')
        .map(|media_type| media_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase())
        .collect();
    let has = |wanted: &str| types.iter().any(|media_type| media_type == wanted);
    for (json, html) in [("application/json", "text/html"), ("application/*", "text/*"), ("*/*", "*/*")] {
        if has(json) {
            return Format::Json;
        }
        if has(html) {
            return Format::Html;
        }
    }
    Format::None
}

/// The same reply as a page.
pub(super) fn browsable(reply: Reply) -> Reply {
    let links = reply.headers.into_iter().filter(|(name, _)| *name == "Link");
    let mut page = Reply::html(reply.status, "Patchwork – Django REST framework");
    page.headers.extend(links);
    page
}
