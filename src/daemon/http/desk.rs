//! Where answers are made: each once, as long as nothing has changed.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use axum::http::StatusCode;
use axum::http::header::{CONTENT_SECURITY_POLICY, CONTENT_TYPE};
use axum::response::{IntoResponse as _, Response};
use bytes::Bytes;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use tokio::sync::{OnceCell, Semaphore};
use tokio::time::Instant;

use super::layout::HTML;
use super::problem::Problem;
use super::{Sight, document};
use crate::config::Config;
use crate::daemon::LiveDocument;
use crate::reconcile::Keeper;
use crate::store::{Stamp, Store, StoreError};

/// So many read the state at once: on a machine with few processors, the worker needs one as well.
const READERS: usize = 2;

/// How long nobody looks whether something has changed, after somebody did.
const LOOKS: Duration = Duration::from_millis(100);

/// More bytes of answers are not kept.
const MOST_KEPT: usize = 16 << 20;

/// More answers are not kept.
const MOST_ANSWERS: usize = 1024;

/// An answer, as it is given to each who asks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Answer {
    status: StatusCode,
    kind: &'static str,
    policy: Option<String>,
    body: Bytes,
}

impl Answer {
    pub(super) fn page(html: String) -> Self {
        Self {
            status: StatusCode::OK,
            kind: HTML,
            policy: None,
            body: html.into(),
        }
    }

    pub(super) fn json(status: StatusCode, document: &impl serde::Serialize) -> Self {
        Self {
            status,
            kind: "application/json",
            policy: None,
            body: format!("{}\n", serde_json::json!(document)).into(),
        }
    }

    /// A picture, with leave for the style that it brings along.
    pub(super) fn picture(svg: String) -> Self {
        Self {
            status: StatusCode::OK,
            kind: "image/svg+xml",
            policy: Some(document::picture_policy(&svg)),
            body: svg.into(),
        }
    }

    pub(super) fn with_status(mut self, status: StatusCode) -> Self {
        self.status = status;
        self
    }

    fn of(made: Result<Self, Problem>) -> Self {
        made.unwrap_or_else(|problem| Self::page(problem.html()).with_status(problem.status()))
    }

    pub(super) fn into_response(self) -> Response {
        let Self {
            status,
            kind,
            policy,
            body,
        } = self;
        let mut response = (status, [(CONTENT_TYPE, kind)], body).into_response();
        if let Some(policy) = policy.and_then(|policy| policy.parse().ok()) {
            response.headers_mut().insert(CONTENT_SECURITY_POLICY, policy);
        }
        response
    }
}

/// All that decides what answers say. As long as it is the same, so are they.
#[derive(Clone, Debug, PartialEq)]
struct Grounds {
    state: Option<Stamp>,
    config: Arc<Config>,
    live: LiveDocument,
    refused_config: Option<String>,
    is_beating: bool,
    today: Date,
}

type Kept = Arc<OnceCell<Answer>>;

#[derive(Debug, Default)]
struct Drawer {
    grounds: Option<Grounds>,
    looked: Option<Instant>,
    answers: HashMap<String, Kept>,
    bytes: usize,
}

/// Where answers are made and kept.
#[derive(Debug)]
pub(super) struct Desk {
    sight: Sight,
    readers: Semaphore,
    drawer: Mutex<Drawer>,
    look: tokio::sync::Mutex<()>,
}

/// What an answer is made from.
#[derive(Debug)]
pub(super) struct Material {
    pub(super) sight: Sight,
    pub(super) config: Arc<Config>,
    pub(super) live: LiveDocument,
}

impl Material {
    /// Opens the state to look at it; where there is none yet, an empty one.
    pub(super) async fn keeper(&self) -> Result<Keeper, Problem> {
        let folder = self.config.state_dir.clone();
        let store = blocking(move || Store::open_read_only_or_empty(&folder)).await;
        let store = store.map_err(|error| Problem::of_state(&error))?;
        Ok(Keeper::new(store, self.sight.clock))
    }

    /// Asks the state something.
    pub(super) async fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Store) -> Result<T, StoreError> + Send + 'static,
    ) -> Result<T, Problem> {
        let keeper = self.keeper().await?;
        Ok(keeper.with(move |store, _| question(store)).await?)
    }

    /// The day, in UTC.
    pub(super) fn today(&self) -> Date {
        (self.sight.clock)().to_zoned(TimeZone::UTC).date()
    }
}

async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(result) => result,
        Err(panic) => std::panic::resume_unwind(panic.into_panic()),
    }
}

impl Desk {
    pub(super) fn new(sight: Sight) -> Self {
        Self {
            sight,
            readers: Semaphore::new(READERS),
            drawer: Mutex::new(Drawer::default()),
            look: tokio::sync::Mutex::new(()),
        }
    }

    /// Gives an answer that was made already, or makes it. `name` is the answer's, and says all that it depends on but how things stand.
    pub(super) async fn answer<F>(&self, name: impl Into<String>, make: impl FnOnce(Material) -> F) -> Response
    where
        F: Future<Output = Result<Answer, Problem>>,
    {
        self.look().await;
        let kept = self.place(name.into());
        let answer = kept.get_or_init(|| async {
            // Nobody closes the semaphore.
            let turn = self.readers.acquire().await;
            let answer = Answer::of(make(self.material()).await);
            drop(turn);
            self.weigh(answer.body.len());
            answer
        });
        answer.await.clone().into_response()
    }

    pub(super) fn material(&self) -> Material {
        Material {
            config: self.sight.config(),
            live: self.sight.live.borrow().clone(),
            sight: self.sight.clone(),
        }
    }

    fn place(&self, name: String) -> Kept {
        let mut drawer = self.drawer.lock().unwrap_or_else(PoisonError::into_inner);
        if drawer.answers.len() >= MOST_ANSWERS || drawer.bytes > MOST_KEPT {
            drawer.answers.clear();
            drawer.bytes = 0;
        }
        Arc::clone(drawer.answers.entry(name).or_default())
    }

    fn weigh(&self, bytes: usize) {
        self.drawer.lock().unwrap_or_else(PoisonError::into_inner).bytes += bytes;
    }

    /// Throws all answers away if something has changed. Of many who come at once, one looks.
    async fn look(&self) {
        let is_fresh = || {
            let drawer = self.drawer.lock().unwrap_or_else(PoisonError::into_inner);
            drawer.looked.is_some_and(|looked| looked.elapsed() < LOOKS)
        };
        if is_fresh() {
            return;
        }
        let _turn = self.look.lock().await;
        if is_fresh() {
            return;
        }
        let config = self.sight.config();
        let folder: PathBuf = config.state_dir.clone();
        let state = blocking(move || settled(&folder)).await;
        let grounds = Grounds {
            // A folder that cannot be looked at is told by whoever reads it next.
            state: state.clone(),
            config,
            live: self.sight.live.borrow().clone(),
            refused_config: self.sight.heart.reloads().reason,
            is_beating: self.sight.heart.is_beating(),
            today: (self.sight.clock)().to_zoned(TimeZone::UTC).date(),
        };
        let mut drawer = self.drawer.lock().unwrap_or_else(PoisonError::into_inner);
        if state.is_none() || drawer.grounds.as_ref() != Some(&grounds) {
            drawer.answers.clear();
            drawer.bytes = 0;
            drawer.grounds = Some(grounds);
        }
        drawer.looked = Some(Instant::now());
    }
}

/// The state as it is seen from outside, unless it was changed so recently that another change could look the same.
fn settled(folder: &Path) -> Option<Stamp> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).ok()?;
    let stamp = Stamp::of(folder).ok()?;
    stamp.is_settled(i128::try_from(now.as_nanos()).ok()?).then_some(stamp)
}
