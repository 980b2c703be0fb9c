//! What can go wrong between a client and Patchwork, and when.

use std::num::NonZeroU64;
use std::time::Duration;

use serde::{Deserialize, Serialize};

/// Something that goes wrong, and when it does.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Fault {
    /// What goes wrong.
    pub kind: FaultKind,
    /// Which requests count.
    #[serde(default)]
    pub requests: Requests,
    /// Only requests whose path and query hold this text count; all do where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// Which of the requests that count are struck.
    pub when: When,
    /// After how many strikes it is over; never where there is none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<u64>,
}

/// What goes wrong with a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub enum FaultKind {
    /// An error with an HTML page, as from a proxy or an overloaded server. The request is not carried out.
    Status {
        /// The HTTP status, such as 429, 502, 503 or 504.
        code: u16,
        /// What the `Retry-After` header says, in seconds; none where there is none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_s: Option<u64>,
    },
    /// The request is carried out at once, and answered late.
    Delay {
        /// How late, in milliseconds.
        duration_ms: u64,
    },
    /// The request is carried out late, and answered then if somebody still waits: the client may be long gone.
    Late {
        /// How late, in milliseconds.
        duration_ms: u64,
    },
    /// 504 at once, as from a proxy that has lost patience. The request is carried out all the same, late.
    GivenUp {
        /// How late, in milliseconds.
        duration_ms: u64,
    },
    /// The request is carried out, and the body of its answer comes byte by byte.
    Drip {
        /// How long before each byte, in milliseconds.
        byte_ms: u64,
    },
    /// The connection is reset before the request is carried out.
    Reset,
    /// The request is carried out, and the connection ends half-way through the answer.
    Truncate,
    /// 200 with an HTML page where JSON was due, as from a proxy's login page. The request is not carried out.
    Html,
    /// The request is carried out, and the connection is reset before the answer.
    LostReply,
    /// 500. Of a relate, the first half of its rows has been saved (see [`super::Extent::FirstHalf`]); of anything else, nothing.
    HalfWrite,
    /// The request is carried out, and answered in JSON of another shape: what should be an object comes in a list, what should be a list
    /// comes in an object.
    WrongType,
    /// The request is carried out, and the patches in the answer have no field `related`.
    NoRelated,
    /// 403, as if the user maintained nothing. The request is not carried out.
    Forbid,
}

impl FaultKind {
    /// An answer that comes this late, to the millisecond.
    #[must_use]
    pub fn delay(duration: Duration) -> Self {
        Self::Delay {
            duration_ms: u64::try_from(duration.as_millis()).unwrap_or(u64::MAX),
        }
    }

    /// An error with an HTML page and no `Retry-After`.
    #[must_use]
    pub fn status(code: u16) -> Self {
        Self::Status { code, retry_after_s: None }
    }
}

/// Which requests a fault counts.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Requests {
    /// All.
    #[default]
    Any,
    /// `GET`, `HEAD` and `OPTIONS`.
    Reads,
    /// All others.
    Writes,
}

/// Which of the requests that count are struck.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum When {
    /// The n-th, the 2n-th, and so on.
    Every(NonZeroU64),
    /// Those of these ordinals, counted from 1.
    At(Vec<u64>),
}

impl Fault {
    /// A fault that strikes any request, whatever its path, without a limit.
    #[must_use]
    pub fn new(kind: FaultKind, when: When) -> Self {
        Self {
            kind,
            requests: Requests::Any,
            path: None,
            when,
            limit: None,
        }
    }

    /// The same, for reads only.
    #[must_use]
    pub fn on_reads(self) -> Self {
        Self {
            requests: Requests::Reads,
            ..self
        }
    }

    /// The same, for writes only.
    #[must_use]
    pub fn on_writes(self) -> Self {
        Self {
            requests: Requests::Writes,
            ..self
        }
    }

    /// The same, for requests only whose path and query hold this text.
    #[must_use]
    pub fn on_path(self, path: &str) -> Self {
        Self {
            path: Some(path.to_owned()),
            ..self
        }
    }

    /// The same, over after so many strikes.
    #[must_use]
    pub fn at_most(self, limit: u64) -> Self {
        Self {
            limit: Some(limit),
            ..self
        }
    }

    fn counts(&self, method: &str, path_and_query: &str) -> bool {
        let is_read = matches!(method, "GET" | "HEAD" | "OPTIONS");
        let is_of_kind = match self.requests {
            Requests::Any => true,
            Requests::Reads => is_read,
            Requests::Writes => !is_read,
        };
        is_of_kind && self.path.as_ref().is_none_or(|part| path_and_query.contains(part))
    }
}

impl When {
    /// The n-th request of those that count, and every n-th after it.
    #[must_use]
    pub fn every(n: u64) -> Self {
        NonZeroU64::new(n).map_or_else(|| Self::At(Vec::new()), Self::Every)
    }

    fn strikes(&self, ordinal: u64) -> bool {
        match self {
            Self::Every(n) => ordinal.is_multiple_of(n.get()),
            Self::At(ordinals) => ordinals.contains(&ordinal),
        }
    }
}

/// Faults, and how far each has counted.
#[derive(Clone, Debug, Default)]
pub(super) struct Faults(Vec<Armed>);

#[derive(Clone, Debug)]
struct Armed {
    fault: Fault,
    counted: u64,
    struck: u64,
}

impl Faults {
    pub(super) fn new(faults: impl IntoIterator<Item = Fault>) -> Self {
        Self(
            faults
                .into_iter()
                .map(|fault| Armed {
                    fault,
                    counted: 0,
                    struck: 0,
                })
                .collect(),
        )
    }

    /// What goes wrong with this request: of several faults that are due, the first. All of them count it.
    pub(super) fn strike(&mut self, method: &str, path_and_query: &str) -> Option<FaultKind> {
        let mut due = None;
        for armed in &mut self.0 {
            if armed.is_due(method, path_and_query) && due.is_none() {
                armed.struck += 1;
                due = Some(armed.fault.kind);
            }
        }
        due
    }
}

impl Armed {
    fn is_due(&mut self, method: &str, path_and_query: &str) -> bool {
        if !self.fault.counts(method, path_and_query) {
            return false;
        }
        self.counted += 1;
        self.fault.limit.is_none_or(|limit| self.struck < limit) && self.fault.when.strikes(self.counted)
    }
}

#[cfg(test)]
mod tests {
    use super::{Fault, FaultKind, Faults, When};

    fn struck(fault: Fault, requests: &[(&str, &str)]) -> Vec<usize> {
        let mut faults = Faults::new([fault]);
        (1..)
            .zip(requests)
            .filter(|(_, (method, path))| faults.strike(method, path).is_some())
            .map(|(ordinal, _)| ordinal)
            .collect()
    }

    #[test]
    fn a_fault_strikes_every_nth_of_the_requests_that_it_counts() {
        let requests = [
            ("GET", "/a/"),
            ("PATCH", "/a/"),
            ("PUT", "/b/"),
            ("PATCH", "/b/"),
            ("HEAD", "/b/"),
            ("PATCH", "/a/?x=b"),
        ];
        let every_second = Fault::new(FaultKind::Reset, When::every(2));
        assert_eq!(struck(every_second.clone(), &requests), [2, 4, 6]);
        assert_eq!(struck(every_second.clone().on_reads(), &requests), [5]);
        assert_eq!(struck(every_second.clone().on_writes(), &requests), [3, 6]);
        assert_eq!(struck(every_second.clone().on_writes().on_path("b"), &requests), [4]);
        assert_eq!(struck(every_second.at_most(1), &requests), [2]);
        assert_eq!(struck(Fault::new(FaultKind::Reset, When::At(vec![1, 5, 9])), &requests), [1, 5]);
    }

    #[test]
    fn of_two_faults_that_are_due_the_first_strikes() {
        let mut faults = Faults::new([
            Fault::new(FaultKind::Html, When::At(vec![2])),
            Fault::new(FaultKind::Reset, When::every(1)),
        ]);
        let kinds: Vec<_> = (0..3).map(|_| faults.strike("GET", "/")).collect();
        assert_eq!(kinds, [Some(FaultKind::Reset), Some(FaultKind::Html), Some(FaultKind::Reset)]);
    }
}
