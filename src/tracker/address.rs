//! Addresses: as they are shown, where a tracker's API starts, and which of them are the same place.

use std::fmt;

use url::{Host, Url};

use super::{Error, token::Scrubber};

/// An address as it may be shown: without the user name and the password that it may have carried, and without a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    pub(super) fn new(url: &Url, scrubber: &Scrubber) -> Self {
        if url.username().is_empty() && url.password().is_none() {
            return Self(scrubber.scrub(url.as_str()));
        }
        let start = &url[..url::Position::BeforeUsername];
        let rest = &url[url::Position::BeforeHost..];
        Self(scrubber.scrub(&format!("{start}{rest}")))
    }

    /// The address as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for Address {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The address that API versions hang under (`…/api/`), from what a person may have written: the site, its API, or one version of that.
///
/// # Errors
/// When it is not `http` or `https`, or carries a user name or a password, for which a token is the better place.
pub(super) fn api_root(configured: &Url) -> Result<Url, Error> {
    let shown = || Address::new(configured, &Scrubber::none());
    if !matches!(configured.scheme(), "http" | "https") {
        return Err(Error::NotHttp { url: shown() });
    }
    if !configured.username().is_empty() || configured.password().is_some() {
        return Err(Error::CredentialsInUrl { url: shown() });
    }
    let mut segments: Vec<&str> = configured
        .path_segments()
        .into_iter()
        .flatten()
        .filter(|segment| !segment.is_empty())
        .collect();
    if let [.., "api", version] = segments[..]
        && version.starts_with(|first: char| first.is_ascii_digit())
    {
        segments.pop();
    }
    if segments.last() == Some(&"api") {
        segments.pop();
    }
    segments.push("api");
    let path = segments.join("/");
    let mut root = configured.clone();
    root.set_path(&format!("/{path}/"));
    root.set_query(None);
    root.set_fragment(None);
    Ok(root)
}

/// The address under `api` that `segments` name, with the slash at the end that Patchwork wants.
pub(super) fn under(api: &Url, segments: &[&str]) -> Url {
    let mut url = api.clone();
    if let Ok(mut path) = url.path_segments_mut() {
        path.pop_if_empty().extend(segments).push("");
    }
    url
}

/// Whether a token sent to this address can be read by nobody on the way: it is encrypted, or does not leave the machine.
pub(super) fn keeps_secrets(url: &Url) -> bool {
    let loopback = match url.host() {
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
        None => false,
    };
    url.scheme() == "https" || loopback
}

/// What a second address is to a first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    /// The same scheme, host and port.
    Same,
    /// The same server, now encrypted.
    Encrypted,
    /// The same server, no longer encrypted.
    InTheClear,
    /// Another server, or with other credentials.
    Elsewhere,
}

impl Place {
    /// What `to` is to somebody at `from`.
    pub(super) fn of(from: &Url, to: &Url) -> Self {
        let default_ports = from.port().is_none() && to.port().is_none();
        let with_credentials = !to.username().is_empty() || to.password().is_some();
        if with_credentials || from.host() != to.host() {
            Self::Elsewhere
        } else if from.origin() == to.origin() {
            Self::Same
        } else {
            match (from.scheme(), to.scheme()) {
                ("http", "https") if default_ports => Self::Encrypted,
                ("https", "http") => Self::InTheClear,
                _ => Self::Elsewhere,
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{Address, Place, Scrubber, api_root, keeps_secrets, under};

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
    }

    #[test]
    fn the_site_its_api_and_one_version_of_it_all_lead_to_the_api() {
        for text in [
            "",
            "/",
            "/api",
            "/api/",
            "/api/1.3",
            "/api/1.3/",
            "/api/1.2/?page=2#top",
            "//api//1.1//",
        ] {
            assert_eq!(
                api_root(&url(&format!("https://example.org{text}"))).unwrap().as_str(),
                "https://example.org/api/",
                "{text}"
            );
        }
        assert_eq!(
            api_root(&url("http://example.org:81/patchwork/api/1.3/")).unwrap().as_str(),
            "http://example.org:81/patchwork/api/"
        );
        assert_eq!(
            api_root(&url("http://example.org/api/patchwork/")).unwrap().as_str(),
            "http://example.org/api/patchwork/api/"
        );
    }

    #[test]
    fn what_is_not_on_the_web_or_carries_a_password_is_refused() {
        assert_eq!(
            api_root(&url("ftp://example.org/")).unwrap_err().to_string(),
            "ftp://example.org/ cannot be a tracker's address: it starts neither with https:// nor with http://"
        );
        assert_eq!(
            api_root(&url("https://bot:pass@example.org/")).unwrap_err().to_string(),
            "the tracker's address https://example.org/ carries a user name or a password"
        );
    }

    #[test]
    fn a_shown_address_carries_no_credentials() {
        assert_eq!(
            Address::new(&url("http://bot:pass@h:8/a?b=c"), &Scrubber::none()).as_str(),
            "http://h:8/a?b=c"
        );
        assert_eq!(Address::new(&url("http://bot@h/"), &Scrubber::none()).as_str(), "http://h/");
    }

    #[test]
    fn names_in_addresses_cannot_leave_their_place() {
        let api = url("https://example.org/api/1.3/");
        assert_eq!(
            under(&api, &["projects", "a/b?c"]).as_str(),
            "https://example.org/api/1.3/projects/a%2Fb%3Fc/"
        );
    }

    #[test]
    fn a_secret_is_safe_on_this_machine_and_when_encrypted() {
        for text in [
            "https://example.org/",
            "http://127.0.0.1:8/",
            "http://[::1]/",
            "http://localhost/",
            "http://a.localhost/",
        ] {
            assert!(keeps_secrets(&url(text)), "{text}");
        }
        assert!(!keeps_secrets(&url("http://example.org/")));
        assert!(!keeps_secrets(&url("http://10.0.0.1/")));
    }

    #[test]
    fn another_port_is_another_server_but_encryption_may_be_taken_up() {
        let place = |from: &str, to: &str| Place::of(&url(from), &url(to));
        assert_eq!(place("https://h/a", "https://h:443/b"), Place::Same);
        assert_eq!(place("http://h/", "https://h/"), Place::Encrypted);
        assert_eq!(place("https://h/", "http://h/"), Place::InTheClear);
        assert_eq!(place("http://h:1/", "http://h:2/"), Place::Elsewhere);
        assert_eq!(place("http://h:1/", "https://h:2/"), Place::Elsewhere);
        assert_eq!(place("http://h/", "http://i/"), Place::Elsewhere);
        assert_eq!(place("http://h/", "http://bot@h/"), Place::Elsewhere);
    }
}
