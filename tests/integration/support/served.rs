//! A simulated Patchwork that lives as long as a test lets it, on a thread of its own.

use std::net::SocketAddr;
use std::sync::{Arc, mpsc};
use std::thread::{self, JoinHandle};

use kinset::tracker::simulator::{Simulator, World, serve};
use tokio::net::TcpListener;
use tokio::runtime;
use tokio::sync::oneshot;

/// A simulator on loopback, apart from whatever runtime a client lives and dies in.
///
/// It has one thread, so what reached it is handled before anything that is sent later, and a hook that waits holds up everything.
pub(crate) struct Served {
    pub(crate) simulator: Arc<Simulator>,
    pub(crate) address: SocketAddr,
    shutdown: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Served {
    pub(crate) fn start(world: &World) -> Self {
        let simulator = Arc::new(Simulator::new(world).unwrap());
        let served = Arc::clone(&simulator);
        let (shutdown, is_shut_down) = oneshot::channel::<()>();
        let (ready, address) = mpsc::channel();
        let thread = thread::spawn(move || {
            let runtime = runtime::Builder::new_current_thread().enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
                ready.send(listener.local_addr().unwrap()).unwrap();
                serve(listener, served, async {
                    // Whether it is sent or dropped, the test is over.
                    let _ = is_shut_down.await;
                })
                .await;
            });
        });
        Self {
            simulator,
            address: address.recv().unwrap(),
            shutdown: Some(shutdown),
            thread: Some(thread),
        }
    }
}

impl Drop for Served {
    fn drop(&mut self) {
        drop(self.shutdown.take());
        if let Some(thread) = self.thread.take() {
            // It panics only when a hook did, and then the test has failed already.
            let _ = thread.join();
        }
    }
}
