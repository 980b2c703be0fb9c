//! What holds for every answer: who may ask, how, and what a browser may make of it.

use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use axum::error_handling::HandleErrorLayer;
use axum::extract::{Request, State};
use axum::http::header::{
    ALLOW, CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, HOST, HeaderName, HeaderValue, REFERRER_POLICY, X_CONTENT_TYPE_OPTIONS,
};
use axum::http::{Method, StatusCode};
use axum::middleware::Next;
use axum::response::{IntoResponse as _, Response};
use axum::{BoxError, Router};
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower::load_shed::LoadShedLayer;
use tower::timeout::TimeoutLayer;

use super::Service;
use super::problem::Problem;

/// What a browser may do with a page: show it, with this program's own style and pictures, and send its forms back here.
const PAGE_POLICY: &str =
    "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

/// No name and no answer is longer, and nobody types more.
const LONGEST_ADDRESS: usize = 2048;

/// So many pages are worked on at once; who comes on top is told to come back.
const AT_ONCE: usize = 128;

/// How long somebody waits for a page.
const PATIENCE: Duration = Duration::from_secs(10);

/// Whom a question has to be addressed to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Manners {
    /// To this machine by one of its own names for itself. A page of somebody else's whose name was made to point here asks under that name, and
    /// learns nothing.
    ThisMachine,
    /// To whatever name brought it here.
    AnyHost,
}

impl Manners {
    /// What suits an address that is listened on.
    #[must_use]
    pub const fn at(address: SocketAddr) -> Self {
        if address.ip().to_canonical().is_loopback() {
            Self::ThisMachine
        } else {
            Self::AnyHost
        }
    }

    /// Whether a host, with or without a port, is the right one.
    fn accepts(self, host: &str) -> bool {
        if self == Self::AnyHost {
            return true;
        }
        let is_port = |text: &str| text.is_empty() || text.strip_prefix(':').is_some_and(|port| port.parse::<u16>().is_ok());
        if let Some(rest) = host.strip_prefix('[') {
            let parts = rest.split_once(']');
            return parts.is_some_and(|(ip, port)| is_port(port) && is_loopback(ip));
        }
        let (name, port) = host.find(':').map_or((host, ""), |colon| host.split_at(colon));
        is_port(port) && (name.eq_ignore_ascii_case("localhost") || is_loopback(name))
    }
}

fn is_loopback(ip: &str) -> bool {
    ip.parse().is_ok_and(|ip: IpAddr| ip.to_canonical().is_loopback())
}

/// Pages cost something, so only so many are made at once, and nobody waits for ever.
pub(super) fn bounded(pages: Router<Service>) -> Router<Service> {
    pages.layer(
        ServiceBuilder::new()
            .layer(HandleErrorLayer::new(overloaded))
            .layer(LoadShedLayer::new())
            .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE))
            .layer(TimeoutLayer::new(PATIENCE)),
    )
}

async fn overloaded(error: BoxError) -> Response {
    let problem = if error.is::<tower::timeout::error::Elapsed>() {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "This took too long",
            "the state could not be read in time",
        )
    } else {
        Problem::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many ask at once",
            "more pages are asked for than are made at once",
        )
    };
    problem.with_remedy("Try again in a few seconds.").into_response()
}

/// Refuses what is not asked in the right way, and adds to each answer what a browser has to know.
pub(super) async fn keep(State(manners): State<Manners>, request: Request, next: Next) -> Response {
    let is_head = request.method() == Method::HEAD;
    let mut response = match refusal(manners, &request) {
        Some(response) => response,
        None => next.run(request).await,
    };
    let headers = response.headers_mut();
    let mut set = |name: HeaderName, value: &'static str| {
        headers.entry(name).or_insert(HeaderValue::from_static(value));
    };
    set(CONTENT_SECURITY_POLICY, PAGE_POLICY);
    set(X_CONTENT_TYPE_OPTIONS, "nosniff");
    set(REFERRER_POLICY, "no-referrer");
    set(CACHE_CONTROL, "no-store");
    set(HeaderName::from_static("cross-origin-resource-policy"), "same-origin");
    set(CONTENT_TYPE, "text/plain; charset=utf-8");
    if is_head {
        let (parts, _) = response.into_parts();
        return Response::from_parts(parts, axum::body::Body::empty());
    }
    response
}

fn refusal(manners: Manners, request: &Request) -> Option<Response> {
    if !matches!(*request.method(), Method::GET | Method::HEAD) {
        let problem = Problem::new(
            StatusCode::METHOD_NOT_ALLOWED,
            "Nothing can be changed here",
            "only GET and HEAD are answered",
        );
        let problem = problem.with_remedy("Changes are made with kinset's commands.");
        return Some(([(ALLOW, "GET, HEAD")], problem.into_response()).into_response());
    }
    let hosts: Vec<&HeaderValue> = request.headers().get_all(HOST).iter().collect();
    let is_for_us = match (request.uri().authority(), hosts.as_slice()) {
        (Some(authority), _) => manners.accepts(authority.as_str()),
        (None, [host]) => host.to_str().is_ok_and(|host| manners.accepts(host)),
        (None, _) => false,
    };
    if !is_for_us {
        let problem = Problem::new(
            StatusCode::MISDIRECTED_REQUEST,
            "This is not the host that was asked for",
            "only questions to localhost or a loopback address are answered",
        );
        let remedy = "Ask with http://localhost and the port. Something that passes questions on has to name localhost as the host.";
        return Some(problem.with_remedy(remedy).into_response());
    }
    let length = request.uri().path_and_query().map_or(0, |asked| asked.as_str().len());
    if length > LONGEST_ADDRESS {
        let problem = Problem::new(
            StatusCode::URI_TOO_LONG,
            "The address is too long",
            "no page has an address of this length",
        );
        return Some(problem.into_response());
    }
    None
}

#[cfg(test)]
mod tests {
    use super::Manners;

    #[test]
    fn only_names_of_this_machine_for_itself_pass_the_check() {
        for host in [
            "localhost",
            "LOCALHOST:7319",
            "127.0.0.1",
            "127.0.0.1:80",
            "[::1]",
            "[::1]:7319",
            "[::ffff:127.0.0.1]:1",
        ] {
            assert!(Manners::ThisMachine.accepts(host), "{host}");
        }
        for host in [
            "",
            "evil.example",
            "localhost.evil.example",
            "127.0.0.1.evil.example",
            "192.0.2.1",
            "[::2]:80",
            "[::1",
            "localhost:x",
            "[::1]evil",
            "localhost:80:80",
        ] {
            assert!(!Manners::ThisMachine.accepts(host), "{host}");
            assert!(Manners::AnyHost.accepts(host), "{host}");
        }
    }

    #[test]
    fn the_check_is_made_where_only_this_machine_can_ask() {
        assert_eq!(Manners::at("127.0.0.1:1".parse().unwrap()), Manners::ThisMachine);
        assert_eq!(Manners::at("[::1]:1".parse().unwrap()), Manners::ThisMachine);
        assert_eq!(Manners::at("0.0.0.0:1".parse().unwrap()), Manners::AnyHost);
    }
}
