//! Where servers are, by their names.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks names up as every program on this machine does, each time anew.
#[derive(Debug)]
pub(super) struct Resolver {
    limit: Duration,
}

impl Resolver {
    /// Within nine tenths of the time that a connection may take: past all of it, nobody could tell any more that it was the name that took so long.
    pub(super) fn within(connect_timeout: Duration) -> Self {
        Self {
            limit: connect_timeout.mul_f64(0.9),
        }
    }

    async fn addresses(&self, lookup: impl Future<Output = io::Result<Vec<SocketAddr>>>) -> Result<Addrs, LookupError> {
        let found = tokio::time::timeout(self.limit, lookup).await;
        let found = found.map_err(|_elapsed| LookupError::NoAnswer { limit: self.limit })??;
        Ok(Box::new(found.into_iter()))
    }
}

/// Why a name could not be looked up.
#[derive(Debug, thiserror::Error)]
enum LookupError {
    /// The system says why.
    #[error(transparent)]
    System(#[from] io::Error),
    /// Those who know names are silent.
    #[error("nobody who knows names answered within {} s", limit.as_secs_f64())]
    NoAnswer { limit: Duration },
}

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = Self { limit: self.limit };
        Box::pin(async move {
            // Whoever connects puts the port of the address in place of this one.
            let lookup = async { Ok(tokio::net::lookup_host((name.as_str(), 0)).await?.collect()) };
            Ok(resolver.addresses(lookup).await?)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::Cause;

    /// A machine whose name servers are silent.
    struct Silent(Duration);

    impl Resolve for Silent {
        fn resolve(&self, _: Name) -> Resolving {
            let resolver = Resolver::within(self.0);
            Box::pin(async move { Ok(resolver.addresses(std::future::pending()).await?) })
        }
    }

    #[tokio::test(start_paused = true)]
    async fn name_servers_that_are_silent_are_told_from_a_server_that_is() {
        rustls::crypto::ring::default_provider().install_default().ok();
        let limit = Duration::from_secs(10);
        let client = reqwest::Client::builder().connect_timeout(limit).dns_resolver(Silent(limit));
        let error = client.build().unwrap().get("http://tracker.example/").send().await.unwrap_err();
        assert!(error.is_dns(), "{error:?}");
        assert_eq!(Cause::from(error).to_string(), "nobody who knows names answered within 9 s");
    }
}
