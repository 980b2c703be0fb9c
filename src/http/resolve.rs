//! Where servers are, by their names.

use std::io;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

/// Looks names up as every program on this machine does, each time anew.
#[derive(Debug)]
pub(super) struct Resolver;

/// A name could not be looked up. Without this, what the system says of it could not be told from what it says of connections.
#[derive(Debug, thiserror::Error)]
#[error("the name cannot be looked up")]
pub(super) struct LookupError(#[source] io::Error);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            // Whoever connects puts the port of the address in place of this one.
            let found = tokio::net::lookup_host((name.as_str(), 0)).await.map_err(LookupError)?;
            let addresses: Addrs = Box::new(found.collect::<Vec<_>>().into_iter());
            Ok(addresses)
        })
    }
}
