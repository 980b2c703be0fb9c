//! A simulated Patchwork on a port of its own, and a client for it.

use std::net::SocketAddr;
use std::sync::Arc;

use kinset::model::{MessageId, PatchId};
use kinset::tracker::simulator::{Simulator, World, serve};
use reqwest::{Method, RequestBuilder};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::oneshot;

/// Served until it is dropped.
pub(crate) struct Patchwork {
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) address: SocketAddr,
    client: reqwest::Client,
    _shutdown: oneshot::Sender<()>,
}

impl Patchwork {
    pub(crate) async fn start(world: &World) -> Self {
        let simulator = Arc::new(Simulator::new(world).unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (shutdown, is_shut_down) = oneshot::channel::<()>();
        let served = Arc::clone(&simulator);
        tokio::spawn(serve(listener, served, async move {
            // The sender is dropped with the test.
            let _ = is_shut_down.await;
        }));
        Self {
            simulator,
            address,
            client: client(),
            _shutdown: shutdown,
        }
    }

    /// A request to a path on the server, as nobody.
    pub(crate) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.client.request(method, format!("http://{}{path}", self.address))
    }

    /// What a path on the server answers to nobody, as JSON.
    pub(crate) async fn json(&self, path: &str) -> Value {
        self.request(Method::GET, path).send().await.unwrap().json().await.unwrap()
    }

    /// A relate, or a clear where nothing is to be related.
    pub(crate) fn relate(&self, token: &str, patch: u64, related: &[u64]) -> RequestBuilder {
        let path = format!("/api/1.3/patches/{patch}/");
        let body = serde_json::json!({ "related": related });
        self.request(Method::PATCH, &path)
            .header("Authorization", format!("Token {token}"))
            .json(&body)
    }

    /// The relations of two and more, by their lowest members.
    pub(crate) fn relations(&self) -> Vec<Vec<u64>> {
        let relations = self.simulator.with_rules(|rules| rules.relations());
        relations
            .into_iter()
            .map(|members| members.into_iter().map(|patch| patch.0).collect())
            .collect()
    }
}

/// A client that follows nothing by itself.
pub(crate) fn client() -> reqwest::Client {
    let _already_installed = rustls::crypto::ring::default_provider().install_default();
    reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .build()
        .unwrap()
}

/// A world of one project `alpha`, a user `bot` (token `t-bot`) who maintains it, a user `nobody` (token `t-nobody`) who does not, and
/// patches from 1.
pub(crate) fn small_world(patches: u64) -> World {
    let world = World::default()
        .with_project("alpha")
        .with_user("bot", "t-bot", &["alpha"])
        .with_user("nobody", "t-nobody", &[]);
    (1..=patches).fold(world, |world, id| world.with_patch(PatchId(id), "alpha", message(id)))
}

pub(crate) fn message(id: u64) -> MessageId {
    MessageId::parse(&format!("<m{id}@example.org>")).unwrap()
}
