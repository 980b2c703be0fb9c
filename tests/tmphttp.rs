#![allow(clippy::unwrap_used, dead_code)]
#[path = "integration/http.rs"]
mod http;
#[path = "integration/http_pages.rs"]
mod http_pages;
mod support {
    #[path = "/work/wt/page/tests/integration/support/watched.rs"]
    pub mod watched;
}
