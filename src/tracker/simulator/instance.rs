//! One simulated Patchwork: its state, what was asked of it, and what goes wrong with it.

use std::fmt;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use bytes::Bytes;
use serde_json::Value;

use super::api::{self, Delivery, Reply, Request, Settings};
use super::fault::{Fault, FaultKind, Faults};
use super::rules::{Extent, Rules};
use super::world::{World, WorldError};
use crate::model::UserName;

/// A request that reached the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoggedRequest {
    /// Its place among all requests, from 1.
    pub ordinal: u64,
    /// Its method.
    pub method: String,
    /// Its path, with its query.
    pub path_and_query: String,
    /// Whose token it carried.
    pub user: Option<UserName>,
    /// What it was answered; `None` before that, and where the connection was reset instead.
    pub status: Option<u16>,
}

/// When a hook is called.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    /// The request has arrived; nothing has been done.
    Before,
    /// The request has been carried out, as far as it will be; the reply has not been sent.
    After,
}

type Hook = Box<dyn Fn(&LoggedRequest, Moment, &mut Rules) + Send>;

/// A simulated Patchwork. Requests are handled one at a time.
pub struct Simulator {
    settings: Settings,
    state: Mutex<State>,
}

struct State {
    rules: Rules,
    faults: Faults,
    log: Vec<LoggedRequest>,
    arrived: u64,
    hook: Option<Hook>,
}

impl fmt::Debug for Simulator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Simulator")
            .field("settings", &self.settings)
            .finish_non_exhaustive()
    }
}

impl Simulator {
    /// A Patchwork that holds this world.
    ///
    /// # Errors
    /// When the world contradicts itself.
    pub fn new(world: &World) -> Result<Self, WorldError> {
        let settings = Settings {
            versions: world.api_versions.iter().copied().collect(),
            max_per_page: world.max_per_page.get(),
        };
        let faults = Faults::new(world.faults.iter().cloned());
        let state = State {
            rules: world.rules()?,
            faults,
            log: Vec::new(),
            arrived: 0,
            hook: None,
        };
        Ok(Self {
            settings,
            state: Mutex::new(state),
        })
    }

    /// Answers one request, or fails to, as its faults have it.
    pub fn handle(&self, request: &Request) -> Reply {
        let State {
            rules,
            faults,
            log,
            arrived,
            hook,
        } = &mut *self.state();
        *arrived += 1;
        let mut logged = LoggedRequest {
            ordinal: *arrived,
            method: request.method.clone(),
            path_and_query: path_and_query(request),
            user: api::user_of(rules, request),
            status: None,
        };
        if let Some(hook) = hook {
            hook(&logged, Moment::Before, rules);
        }
        let fault = faults.strike(&logged.method, &logged.path_and_query);
        if let Some(FaultKind::Late { duration_ms } | FaultKind::GivenUp { duration_ms }) = fault {
            let is_given_up = matches!(fault, Some(FaultKind::GivenUp { .. }));
            let delivery = Delivery::Late {
                duration: Duration::from_millis(duration_ms),
                ordinal: logged.ordinal,
                is_given_up,
            };
            let reply = Reply::html(504, "Nothing came from Patchwork in time");
            logged.status = is_given_up.then_some(reply.status);
            log.push(logged);
            return Reply { delivery, ..reply };
        }
        let reply = answer(rules, &self.settings, request, fault);
        logged.status = (reply.delivery != Delivery::Reset).then_some(reply.status);
        if let Some(hook) = hook {
            hook(&logged, Moment::After, rules);
        }
        log.push(logged);
        reply
    }

    /// Carries out a request that arrived some time ago, and answers it.
    pub(super) fn handle_late(&self, ordinal: u64, request: &Request) -> Reply {
        let State { rules, log, hook, .. } = &mut *self.state();
        let reply = answer(rules, &self.settings, request, None);
        // The log may have been cleared meanwhile.
        if let Some(logged) = log.iter_mut().find(|logged| logged.ordinal == ordinal) {
            logged.status.get_or_insert(reply.status);
            if let Some(hook) = hook {
                hook(logged, Moment::After, rules);
            }
        }
        reply
    }

    /// The requests that arrived, in order.
    #[must_use]
    pub fn log(&self) -> Vec<LoggedRequest> {
        self.state().log.clone()
    }

    /// Forgets the requests that arrived. Their count goes on.
    pub fn clear_log(&self) {
        self.state().log.clear();
    }

    /// Puts these faults in place of those there are. They count from here.
    pub fn set_faults(&self, faults: impl IntoIterator<Item = Fault>) {
        self.state().faults = Faults::new(faults);
    }

    /// Calls this for every request from here on, before and after it is carried out, with the state to look at and to change: the place
    /// to end a client in mid-request, or to let a person edit behind its back. It must not call the simulator.
    pub fn on_request(&self, hook: impl Fn(&LoggedRequest, Moment, &mut Rules) + Send + 'static) {
        self.state().hook = Some(Box::new(hook));
    }

    /// Looks at the state, or changes it as somebody on the server could.
    pub fn with_rules<T>(&self, look: impl FnOnce(&mut Rules) -> T) -> T {
        look(&mut self.state().rules)
    }

    /// A test's hook may have panicked; what it left is looked at all the same.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn path_and_query(request: &Request) -> String {
    if request.query.is_empty() {
        request.path.clone()
    } else {
        format!("{}?{}", request.path, request.query)
    }
}

fn answer(rules: &mut Rules, settings: &Settings, request: &Request, fault: Option<FaultKind>) -> Reply {
    let mut carried_out = || api::answer(rules, settings, request, Extent::Whole);
    match fault {
        // A late one comes here when its time has come.
        None | Some(FaultKind::Late { .. } | FaultKind::GivenUp { .. }) => carried_out(),
        Some(FaultKind::Status { code, retry_after_s }) => {
            let page = Reply::html(code, "Something is wrong in front of Patchwork");
            match retry_after_s {
                Some(seconds) => page.with_header("Retry-After", seconds.to_string()),
                None => page,
            }
        }
        Some(FaultKind::Delay { duration_ms }) => Reply {
            delivery: Delivery::After(Duration::from_millis(duration_ms)),
            ..carried_out()
        },
        Some(FaultKind::Drip { byte_ms }) => Reply {
            delivery: Delivery::Dripping(Duration::from_millis(byte_ms)),
            ..carried_out()
        },
        Some(FaultKind::Reset) => Reply {
            delivery: Delivery::Reset,
            ..Reply::crash()
        },
        Some(FaultKind::Truncate) => Reply {
            delivery: Delivery::Truncated,
            ..carried_out()
        },
        Some(FaultKind::Html) => Reply::html(200, "Please log in"),
        Some(FaultKind::LostReply) => Reply {
            delivery: Delivery::Reset,
            ..carried_out()
        },
        Some(FaultKind::HalfWrite) => {
            api::answer(rules, settings, request, Extent::FirstHalf);
            Reply::crash()
        }
        Some(FaultKind::WrongType) => with_json(carried_out(), reshaped),
        Some(FaultKind::NoRelated) => with_json(carried_out(), without_related),
        Some(FaultKind::Forbid) => api::powerless(),
    }
}

/// The reply with its JSON changed; one without JSON as it is.
fn with_json(reply: Reply, change: fn(Value) -> Value) -> Reply {
    match serde_json::from_slice(&reply.body) {
        Ok(body) => Reply {
            body: Bytes::from(change(body).to_string()),
            ..reply
        },
        Err(_) => reply,
    }
}

fn reshaped(body: Value) -> Value {
    match body {
        Value::Array(rows) => serde_json::json!({ "results": rows }),
        other => Value::Array(vec![other]),
    }
}

fn without_related(mut body: Value) -> Value {
    let rows = match &mut body {
        Value::Array(rows) => rows.as_mut_slice(),
        row => std::slice::from_mut(row),
    };
    for row in rows.iter_mut().filter_map(Value::as_object_mut) {
        row.remove("related");
    }
    body
}
