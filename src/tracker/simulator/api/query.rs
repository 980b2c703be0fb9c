//! Query strings: filters, order, pages, and the `Link` header.

use url::form_urlencoded;

use super::python;

/// How many rows Patchwork puts on a page where nobody asks.
const DEFAULT_PER_PAGE: usize = 30;

/// The parameters of a request, in order.
#[derive(Clone, Debug)]
pub(super) struct Query(Vec<(String, String)>);

/// Which way a list goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Direction {
    Ascending,
    Descending,
}

/// A page past the end, or no page at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct InvalidPage;

/// Something that Patchwork can do and this simulator cannot.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct NotSimulated(pub(super) String);

/// Which rows to show, and where the others are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Page {
    pub(super) skip: usize,
    pub(super) take: usize,
    number: usize,
    last: usize,
}

impl Query {
    pub(super) fn parse(query: &str) -> Self {
        Self(form_urlencoded::parse(query.as_bytes()).into_owned().collect())
    }

    /// The last mention counts.
    pub(super) fn last(&self, name: &str) -> Option<&str> {
        self.0.iter().rev().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    pub(super) fn all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        self.0.iter().filter(move |(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    /// Refuses the filters that would change the answer of a real server.
    pub(super) fn refuse(&self, filters: &[&str]) -> Result<(), NotSimulated> {
        let used = filters.iter().find(|&&name| self.last(name).is_some_and(|value| !value.is_empty()));
        used.map_or(Ok(()), |name| Err(NotSimulated(format!("it has no filter `{name}`"))))
    }

    /// The direction of a list by `key`, which is also its order where nobody asks for one; `others` are orders that a real server knows
    /// besides. Words that it does not know are passed over.
    pub(super) fn direction(&self, key: &str, default: Direction, others: &[&str]) -> Result<Direction, NotSimulated> {
        for term in self.last("order").unwrap_or_default().split(',').map(str::trim) {
            let (name, direction) = match term.strip_prefix('-') {
                Some(name) => (name, Direction::Descending),
                None => (term, Direction::Ascending),
            };
            if name == key {
                return Ok(direction);
            }
            if others.contains(&name) {
                return Err(NotSimulated(format!("it cannot order by `{name}`")));
            }
        }
        Ok(default)
    }

    /// The page asked for, of so many rows.
    pub(super) fn page(&self, rows: usize, max_per_page: usize) -> Result<Page, InvalidPage> {
        let asked = self
            .last("per_page")
            .and_then(python::int)
            .and_then(|number| usize::try_from(number).ok());
        let per_page = asked
            .filter(|&number| number > 0)
            .map_or(DEFAULT_PER_PAGE, |number| number.min(max_per_page));
        let last = rows.div_ceil(per_page).max(1);
        let number = match self.last("page") {
            None | Some("") => 1,
            Some("last") => last,
            Some(text) => python::int(text)
                .and_then(|number| usize::try_from(number).ok())
                .ok_or(InvalidPage)?,
        };
        if !(1..=last).contains(&number) {
            return Err(InvalidPage);
        }
        Ok(Page {
            skip: (number - 1) * per_page,
            take: per_page,
            number,
            last,
        })
    }

    /// The `Link` header for a page of the list at this address. Every other parameter is repeated as it came, known or not.
    pub(super) fn links(&self, address: &str, page: &Page) -> String {
        let link = |relation: &str, number: Option<usize>| format!("<{}>; rel=\"{relation}\"", self.with_page(address, number));
        let next = (page.number < page.last).then(|| link("next", Some(page.number + 1)));
        let previous = match page.number {
            1 => None,
            2 => Some(link("prev", None)),
            number => Some(link("prev", Some(number - 1))),
        };
        let ends = [link("first", Some(1)), link("last", Some(page.last))];
        next.into_iter().chain(previous).chain(ends).collect::<Vec<_>>().join(", ")
    }

    fn with_page(&self, address: &str, number: Option<usize>) -> String {
        let mut pairs: Vec<(&str, String)> = self.0.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        pairs.retain(|(name, _)| *name != "page");
        pairs.extend(number.map(|number| ("page", number.to_string())));
        pairs.sort_by_key(|&(name, _)| name);
        if pairs.is_empty() {
            return address.to_owned();
        }
        let query = form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish();
        // The two characters that Python's `urlencode` treats differently.
        format!("{address}?{}", query.replace('*', "%2A").replace("%7E", "~"))
    }
}

#[cfg(test)]
mod tests {
    use super::{Direction, InvalidPage, Query};

    const ADDRESS: &str = "http://h/api/1.3/patches/";

    fn links(query: &str, rows: usize) -> String {
        let query = Query::parse(query);
        let page = query.page(rows, 250).unwrap();
        query.links(ADDRESS, &page)
    }

    #[test]
    fn links_repeat_the_query_sorted_and_name_the_neighbours_and_the_ends() {
        assert_eq!(
            links("project=alpha&per_page=2&order=id&page=3&x=a~b*c+d", 12),
            "<http://h/api/1.3/patches/?order=id&page=4&per_page=2&project=alpha&x=a~b%2Ac+d>; rel=\"next\", \
             <http://h/api/1.3/patches/?order=id&page=2&per_page=2&project=alpha&x=a~b%2Ac+d>; rel=\"prev\", \
             <http://h/api/1.3/patches/?order=id&page=1&per_page=2&project=alpha&x=a~b%2Ac+d>; rel=\"first\", \
             <http://h/api/1.3/patches/?order=id&page=6&per_page=2&project=alpha&x=a~b%2Ac+d>; rel=\"last\""
        );
    }

    #[test]
    fn the_page_before_the_second_has_no_number() {
        assert!(links("page=2", 61).contains("<http://h/api/1.3/patches/>; rel=\"prev\""));
    }

    #[test]
    fn pages_are_capped_and_counted_in_true_pages() {
        let query = Query::parse("per_page=500&page=last");
        let page = query.page(3_800, 250).unwrap();
        assert_eq!((page.skip, page.take), (3_750, 250));
        assert!(query.links(ADDRESS, &page).contains("page=16&per_page=500>; rel=\"last\""));
    }

    #[test]
    fn a_page_that_is_not_there_is_invalid_and_a_senseless_size_is_the_default() {
        for page in ["0", "-1", "abc", "3", "2.0"] {
            assert_eq!(Query::parse(&format!("page={page}")).page(60, 250), Err(InvalidPage), "{page}");
        }
        for size in ["0", "-5", "abc", ""] {
            assert_eq!(Query::parse(&format!("per_page={size}")).page(60, 250).unwrap().take, 30, "{size}");
        }
        assert_eq!(Query::parse("page=").page(0, 250).unwrap().skip, 0);
    }

    #[test]
    fn unknown_orders_are_passed_over_and_unsimulated_ones_refused() {
        let direction = |query: &str| Query::parse(query).direction("id", Direction::Ascending, &["date"]);
        assert_eq!(direction("order=foo,-id"), Ok(Direction::Descending));
        assert_eq!(direction("order=foo"), Ok(Direction::Ascending));
        assert_eq!(direction("order=-id&order=id"), Ok(Direction::Ascending));
        assert!(direction("order=-date").is_err());
    }
}
