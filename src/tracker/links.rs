//! The `Link` header (RFC 8288), by which a list tells where its other pages are.

use reqwest::header::{HeaderMap, LINK};
use url::Url;

use crate::http::Place;

/// Where the pages around a page are.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Links {
    /// The next page; none on the last.
    pub(super) next: Option<Url>,
    /// The last page; not every server tells.
    pub(super) last: Option<Url>,
}

/// Why a `Link` header cannot be followed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum BadLink {
    /// It is not what RFC 8288 says.
    Unreadable(String),
    /// It leads to another server, or to this one without encryption.
    Elsewhere(Url),
}

impl Links {
    /// Reads the links of an answer that came from `page`.
    pub(super) fn read(headers: &HeaderMap, page: &Url) -> Result<Self, BadLink> {
        let mut links = Self::default();
        for header in headers.get_all(LINK) {
            let text = header.to_str().map_err(|error| BadLink::Unreadable(error.to_string()))?;
            let parsed = http_link::parse_link_header(text, page).map_err(|error| BadLink::Unreadable(error.to_string()))?;
            for link in parsed {
                match link.rel.as_str() {
                    "next" => links.next = Some(on_same_server(page, link.target)?),
                    "last" => links.last = Some(on_same_server(page, link.target)?),
                    _ => {}
                }
            }
        }
        Ok(links)
    }
}

/// A link that an answer from `page` holds, if it stays on the server.
///
/// Behind a proxy a server often takes itself for `http` when it is reached by `https`: such a link is followed by `https`.
pub(super) fn on_same_server(page: &Url, mut link: Url) -> Result<Url, BadLink> {
    match Place::of(page, &link) {
        Place::Same | Place::Encrypted => Ok(link),
        Place::InTheClear if link.port().is_none() && page.port().is_none() && link.set_scheme("https").is_ok() => Ok(link),
        Place::InTheClear | Place::Elsewhere => Err(BadLink::Elsewhere(link)),
    }
}

/// The number in a page's address, unless the server tells its pages apart by something else.
pub(super) fn page_number(url: &Url) -> Option<usize> {
    let (_, number) = url.query_pairs().find(|(key, _)| key == "page")?;
    number.parse().ok()
}

/// The address of another page of the list that `url` is a page of: only `page` and `per_page` differ.
pub(super) fn page_at(url: &Url, number: usize, rows: usize) -> Url {
    let numbers = [("page", number.to_string()), ("per_page", rows.to_string())];
    let kept: Vec<(String, String)> = url
        .query_pairs()
        .into_owned()
        .filter(|(key, _)| numbers.iter().all(|(name, _)| key != name))
        .collect();
    let mut page = url.clone();
    page.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(numbers);
    page
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderMap, HeaderValue, LINK};
    use url::Url;

    use super::{BadLink, Links, page_at, page_number};

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    fn read(page: &str, headers: &[&str]) -> Result<Links, BadLink> {
        let mut map = HeaderMap::new();
        for header in headers {
            map.append(LINK, HeaderValue::from_bytes(header.as_bytes()).unwrap());
        }
        Links::read(&map, &url(page))
    }

    #[test]
    fn next_and_last_are_found_among_others_whatever_commas_the_addresses_hold() {
        let links = read(
            "https://h/p/",
            &[
                "<https://h/p/?q=a,b;c&page=2>; rel=\"next\", <https://h/p/?page=1>; rel=\"prev first\", </p/?page=9>; title=\"x, y\"; rel=last",
            ],
        );
        assert_eq!(
            links.unwrap(),
            Links {
                next: Some(url("https://h/p/?q=a,b;c&page=2")),
                last: Some(url("https://h/p/?page=9"))
            }
        );
    }

    #[test]
    fn several_headers_are_read_as_one() {
        let links = read("https://h/p/", &["</style.css>; rel=preload; as=style", "<?page=2>; rel=next"]).unwrap();
        assert_eq!(
            links,
            Links {
                next: Some(url("https://h/p/?page=2")),
                last: None
            }
        );
    }

    #[test]
    fn no_header_is_no_links() {
        assert_eq!(read("https://h/p/", &[]).unwrap(), Links::default());
    }

    #[test]
    fn a_link_that_forgot_the_encryption_is_followed_with_it() {
        assert_eq!(
            read("https://h/p/", &["<http://h/p/?page=2>; rel=next"]).unwrap().next,
            Some(url("https://h/p/?page=2"))
        );
        let other_port = read("https://h/p/", &["<http://h:8000/p/?page=2>; rel=next"]);
        assert_eq!(other_port, Err(BadLink::Elsewhere(url("http://h:8000/p/?page=2"))));
    }

    #[test]
    fn a_link_to_another_server_is_not_followed() {
        assert_eq!(
            read("https://h/p/", &["<https://i/p/>; rel=next"]),
            Err(BadLink::Elsewhere(url("https://i/p/")))
        );
    }

    #[test]
    fn nonsense_is_told_rather_than_taken_for_the_end_of_the_list() {
        for header in [
            "next",
            "<https://h/p/?page=2; rel=next",
            "<https://h/>; rel=\"next",
            "<https://h/>; rel=\"n\u{e9}xt\"",
        ] {
            assert!(matches!(read("https://h/p/", &[header]), Err(BadLink::Unreadable(_))), "{header}");
        }
    }

    #[test]
    fn a_page_has_a_number_only_where_its_address_says_so() {
        assert_eq!(page_number(&url("https://h/p/?page=7&per_page=3")), Some(7));
        assert_eq!(page_number(&url("https://h/p/?cursor=abc&per_page=3")), None);
        assert_eq!(page_number(&url("https://h/p/?page=abc")), None);
    }

    #[test]
    fn another_page_keeps_everything_else() {
        let page = page_at(&url("https://h/p/?order=id&page=2&per_page=250&project=a%26b"), 3, 125);
        assert_eq!(page.as_str(), "https://h/p/?order=id&project=a%26b&page=3&per_page=125");
    }
}
