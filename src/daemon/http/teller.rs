//! Where how things stand is told, which the configuration may change while the daemon lives.

use std::io::ErrorKind;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use tokio::net::TcpListener;
use tokio::sync::{oneshot, watch};
use tokio::time::{Instant, timeout};

use super::server::accept;
use super::{Manners, ServeError, Sight, bind, router};
use crate::config::Listen;

/// How long nothing is told after a defect has ended it; twice as long each time that it does so again, up to [`SELDOM`].
const AGAIN: Duration = Duration::from_secs(1);

/// The longest such pause, and how long telling has to go on for the next to be short again.
const SELDOM: Duration = Duration::from_secs(60);

/// Tells how things stand, at one place at a time.
#[derive(Debug)]
pub struct Teller {
    sight: Sight,
    listen: Listen,
    told: Option<Told>,
}

/// An address that is listened on.
#[derive(Debug)]
struct Told {
    /// It ends once this is dropped.
    stop: watch::Sender<()>,
    /// Ends when the address is free again.
    closed: oneshot::Receiver<()>,
}

impl Teller {
    /// Tells how things stand where that is wanted.
    ///
    /// # Errors
    /// When the address is not to be had.
    pub async fn begin(sight: Sight, listen: Listen) -> Result<Self, ServeError> {
        let mut teller = Self {
            sight,
            listen: Listen::Off,
            told: None,
        };
        teller.go_to(listen).await?;
        Ok(teller)
    }

    /// Goes on elsewhere, if it is elsewhere. Whoever has asked at the old address gets the answer.
    ///
    /// # Errors
    /// When the address is not to be had. Then all stays as it is.
    pub async fn go_to(&mut self, listen: Listen) -> Result<(), ServeError> {
        if listen == self.listen {
            return Ok(());
        }
        match listen {
            Listen::Off => {
                self.leave().await;
                tracing::info!("how things stand is told nowhere");
            }
            Listen::At(address) => {
                let listener = self.take_hold_of(address).await?;
                self.leave().await;
                self.tell(listener, address);
            }
        }
        Ok(())
    }

    /// Takes hold of an address. One that has the present one in it, or the other way round, can only be had when that is given up first.
    async fn take_hold_of(&mut self, address: SocketAddr) -> Result<TcpListener, ServeError> {
        let Listen::At(present) = self.listen else {
            return bind(address).await;
        };
        let is_everywhere = present.ip().is_unspecified() || address.ip().is_unspecified();
        match bind(address).await {
            Err(ServeError::Listen { source, .. })
                if source.kind() == ErrorKind::AddrInUse && present.port() == address.port() && is_everywhere => {}
            bound => return bound,
        }
        self.leave().await;
        let bound = bind(address).await;
        if bound.is_err() {
            match bind(present).await {
                Ok(listener) => self.tell(listener, present),
                Err(error) => {
                    let reason = crate::daemon::jobs::told(&error);
                    tracing::error!(reason, "how things stand is told no longer; the work goes on");
                }
            }
        }
        bound
    }

    /// Ends as soon as the address is free.
    async fn leave(&mut self) {
        self.listen = Listen::Off;
        if let Some(Told { stop, closed }) = self.told.take() {
            drop(stop);
            // Nothing is ever sent: an error is the end.
            _ = closed.await;
        }
    }

    fn tell(&mut self, listener: TcpListener, address: SocketAddr) {
        self.listen = Listen::At(address);
        if let Some(address) = self.listen.open_to_others() {
            tracing::warn!(%address, "other machines may ask how things stand, and nobody has to say who they are");
        }
        let address = listener.local_addr().unwrap_or(address);
        tracing::info!(%address, "how things stand is told at http://{address}/");
        let router = router(self.sight.clone(), Manners::at(address));
        let (stop, stopped) = watch::channel(());
        let mut told_to_stop = stopped.clone();
        let (close, closed) = oneshot::channel();
        self.told = Some(Told { stop, closed });
        let listener = Arc::new(listener);
        let serve = move || {
            let (listener, router, mut stopped) = (Arc::clone(&listener), router.clone(), stopped.clone());
            async move {
                let stopped = async {
                    // Nothing is ever sent, so it was dropped.
                    _ = stopped.changed().await;
                };
                accept(&listener, router, stopped).await
            }
        };
        let rest = async move |pause| {
            // Told to stop, it is begun anew at once, and ends as it should.
            _ = timeout(pause, told_to_stop.changed()).await;
        };
        tokio::spawn(async move {
            let connections = persevere(serve, rest).await;
            drop(close);
            connections.end().await;
        });
    }
}

/// Does what is to end only when it is told to, on threads of its own: answers are made while the worker works, and the other way round. Where a defect
/// ends it, it begins anew after a `rest`.
async fn persevere<T, F>(work: impl Fn() -> F, mut rest: impl AsyncFnMut(Duration)) -> T
where
    T: Send + 'static,
    F: Future<Output = T> + Send + 'static,
{
    let mut pause = AGAIN;
    loop {
        let began = Instant::now();
        match tokio::spawn(work()).await {
            Ok(done) => return done,
            Err(error) => {
                tracing::error!(%error, "a defect keeps how things stand from being told; it is begun anew, and the work goes on");
                if began.elapsed() > SELDOM {
                    pause = AGAIN;
                }
                rest(pause).await;
                pause = SELDOM.min(pause * 2);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[tokio::test(start_paused = true)]
    async fn what_a_defect_ends_is_begun_anew_and_not_at_once() {
        static TRIES: AtomicU32 = AtomicU32::new(0);
        let began = Instant::now();
        let work = || async {
            let earlier = TRIES.fetch_add(1, Ordering::Relaxed);
            if earlier == 9 {
                tokio::time::sleep(2 * SELDOM).await;
            }
            assert!(earlier >= 10, "a defect");
            "told"
        };
        assert_eq!(persevere(work, tokio::time::sleep).await, "told");
        let doubled = AGAIN * (1 + 2 + 4 + 8 + 16 + 32);
        let pauses = doubled + 3 * SELDOM + AGAIN;
        assert_eq!((TRIES.load(Ordering::Relaxed), began.elapsed()), (11, pauses + 2 * SELDOM));
    }
}
