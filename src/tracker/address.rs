//! Where a tracker's API starts, and what is under it.

use url::{Host, Url};

use super::Error;
use crate::http::{Address, Scrubber};

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

#[cfg(test)]
mod tests {
    use url::Url;

    use super::{api_root, keeps_secrets, under};

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
}
