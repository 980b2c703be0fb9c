//! Addresses: as they are shown, and which of them are the same place.

use std::fmt;

use secrecy::{ExposeSecret, SecretString};
use url::Url;

/// An address as it may be shown: without the user name and the password that it may have carried, and without a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Address(String);

impl Address {
    pub(crate) fn new(url: &Url, scrubber: &Scrubber) -> Self {
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

/// Takes a token out of what a server sent, before it is shown: a server may well send back what it was sent.
#[derive(Clone)]
pub(crate) struct Scrubber(Option<SecretString>);

impl Scrubber {
    /// For requests that carry this token.
    pub(crate) const fn of(secret: SecretString) -> Self {
        Self(Some(secret))
    }

    /// For requests that carry no token.
    pub(crate) const fn none() -> Self {
        Self(None)
    }

    /// `text` with each occurrence of the token as `***`.
    pub(crate) fn scrub(&self, text: &str) -> String {
        match &self.0 {
            Some(secret) => text.replace(secret.expose_secret(), "***"),
            None => text.to_owned(),
        }
    }
}

/// What a second address is to a first.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Place {
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
    pub(crate) fn of(from: &Url, to: &Url) -> Self {
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

    use super::{Address, Place, Scrubber};

    fn url(text: &str) -> Url {
        Url::parse(text).unwrap()
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
