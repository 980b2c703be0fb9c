//! Numbers, for Prometheus. Nothing but memory is looked at.

use std::sync::atomic::AtomicU64;

use axum::extract::State;
use axum::http::header::{ACCEPT, CONTENT_TYPE};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse as _, Response};
use jiff::Timestamp;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::metrics::info::Info;
use prometheus_client::registry::{Metric, Registry, Unit};

use super::{Service, Sight};
use crate::daemon::{Heart, JobTally, LiveJob, TrackerTally};
use crate::model::Job;

const OPEN_METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";
const CLASSIC: &str = "text/plain; version=0.0.4; charset=utf-8";

/// Names and values. Names of trackers, distributions, sources, jobs, outcomes, guards: there are as many as the configuration has. Nothing that a tracker or a
/// service says is among them.
type Labels = Vec<(&'static str, String)>;
type Counts = Family<Labels, Counter<u64>>;
type Numbers = Family<Labels, Gauge<f64, AtomicU64>>;

/// The numbers, in whichever of the two forms is asked for.
pub(super) async fn page(State(service): State<Service>, headers: HeaderMap) -> Response {
    let Ok(text) = open_metrics(&service.sight) else {
        return (StatusCode::INTERNAL_SERVER_ERROR, "the numbers cannot be written").into_response();
    };
    let accepted = headers.get_all(ACCEPT).iter().filter_map(|accept| accept.to_str().ok());
    if accepts_open_metrics(accepted) {
        ([(CONTENT_TYPE, OPEN_METRICS)], text).into_response()
    } else {
        ([(CONTENT_TYPE, CLASSIC)], classic(&text)).into_response()
    }
}

/// Whether whoever asks names OpenMetrics, and does not like anything else better.
fn accepts_open_metrics<'h>(accepted: impl Iterator<Item = &'h str>) -> bool {
    let mut best = (0.0, false);
    for range in accepted.flat_map(|header| header.split(',')) {
        let mut parts = range.split(';').map(str::trim);
        let kind = parts.next().unwrap_or_default();
        let quality = parts.find_map(|part| part.strip_prefix("q=")).map_or(Ok(1.0), str::parse);
        let quality: f64 = quality.unwrap_or(0.0);
        let is_open = kind.eq_ignore_ascii_case("application/openmetrics-text");
        if quality > best.0 || (quality - best.0).abs() < f64::EPSILON && is_open && quality > 0.0 {
            best = (quality, is_open);
        }
    }
    best.1
}

fn open_metrics(sight: &Sight) -> Result<String, std::fmt::Error> {
    let mut text = String::new();
    encode(&mut text, &registry(sight))?;
    Ok(ordered(&text))
}

/// The same with the numbers of each name in order: the library keeps them in none.
fn ordered(text: &str) -> String {
    let mut ordered = String::with_capacity(text.len());
    let mut lines: Vec<&str> = text.lines().collect();
    for family in lines.chunk_by_mut(|line, next| line.starts_with('#') == next.starts_with('#')) {
        if family.first().is_some_and(|line| !line.starts_with('#')) {
            family.sort_unstable();
        }
        for line in family {
            ordered.push_str(line);
            ordered.push('\n');
        }
    }
    ordered
}

/// The same in the form that Prometheus had before OpenMetrics: a counter is called with its `_total` and an info with its `_info`, there are no units,
/// and no end is marked.
fn classic(text: &str) -> String {
    let mut classic = String::with_capacity(text.len());
    let mut lines = text.lines().peekable();
    while let Some(line) = lines.next() {
        if line == "# EOF" || line.starts_with("# UNIT ") {
            continue;
        }
        // What kind it is comes behind what it is about.
        let renamed = |line: &str, kind: &str| {
            let (suffix, kind) = match kind {
                "counter" => ("_total", "counter"),
                "info" => ("_info", "gauge"),
                kind => ("", kind),
            };
            let mut words = line.splitn(4, ' ');
            let (hash, word, name, rest) = (words.next(), words.next(), words.next(), words.next());
            let rest = if word == Some("TYPE") { kind } else { rest.unwrap_or_default() };
            format!(
                "{} {} {}{suffix} {rest}\n",
                hash.unwrap_or_default(),
                word.unwrap_or_default(),
                name.unwrap_or_default()
            )
        };
        let kind_of = |line: &str| line.rsplit_once(' ').map(|(_, kind)| kind.to_owned());
        if line.starts_with("# HELP ") {
            let kind = lines
                .peek()
                .filter(|next| next.starts_with("# TYPE "))
                .and_then(|next| kind_of(next));
            classic.push_str(&renamed(line, &kind.unwrap_or_default()));
        } else if line.starts_with("# TYPE ") {
            classic.push_str(&renamed(line, &kind_of(line).unwrap_or_default()));
        } else {
            classic.push_str(line);
            classic.push('\n');
        }
    }
    classic
}

fn of_job(job: &Job) -> Labels {
    vec![
        ("subject", job.subject.word().to_owned()),
        ("name", job.subject.name().to_owned()),
        ("job", job.kind.to_string()),
    ]
}

fn and(mut labels: Labels, name: &'static str, value: &str) -> Labels {
    labels.push((name, value.to_string()));
    labels
}

#[expect(clippy::cast_precision_loss, reason = "Prometheus has no other numbers")]
fn float(number: u64) -> f64 {
    number as f64
}

#[expect(clippy::cast_precision_loss, reason = "milliseconds since 1970 are far below the limit")]
fn seconds(at: Timestamp) -> f64 {
    at.as_millisecond() as f64 / 1000.0
}

fn registry(sight: &Sight) -> Registry {
    let mut registry = Registry::default();
    let live = sight.live.borrow().clone();
    let (tally, reloaded) = (&live.tally, sight.heart.reloads());
    let started = Gauge::<f64, AtomicU64>::default();
    started.set(seconds(tally.started_at));
    registry.register_with_unit(
        "process_start_time",
        "When the process began, in seconds since 1970",
        Unit::Seconds,
        started,
    );
    let mut own = Own(registry.sub_registry_with_prefix("kinset"));
    own.add(
        "build",
        "What this is",
        Info::new(vec![("version", env!("CARGO_PKG_VERSION").to_owned())]),
    );
    let is = |so: bool| f64::from(u8::from(so));
    own.one(
        "run_under_way",
        "Whether something is being done at this moment",
        is(live.running.is_some()),
    );
    let in_vain = live.running.iter().flat_map(|run| &run.asked_in_vain);
    own.one(
        "failed_requests_in_a_row",
        "How often in a row the run under way asked its tracker, or one of its sources, in vain",
        f64::from(in_vain.map(|asked| asked.times).max().unwrap_or_default()),
    );
    let silence = Gauge::<f64, AtomicU64>::default();
    silence.set(sight.heart.silence().as_secs_f64());
    let help = "How long the worker has given no sign of life";
    own.0.register_with_unit("worker_silence", help, Unit::Seconds, silence);
    own.one(
        "worker_alive",
        "Whether the worker gives signs of life as often as it has to",
        is(sight.heart.is_beating()),
    );
    own.one(
        "unrecorded_runs",
        "How many times in a row the state could not be told what was done",
        f64::from(live.unrecorded.as_ref().map_or(0, |unrecorded| unrecorded.times)),
    );
    let clock = own.count("clock_set", "How often the clock was set, or the machine slept, by direction");
    for direction in ["back", "forward"] {
        let count = tally.clock_set.get(direction).copied().unwrap_or_default();
        clock.get_or_create(&vec![("direction", direction.to_owned())]).inc_by(count);
    }
    own.one(
        "configuration_refused",
        "Whether the configuration that was read last was refused and an older one is in effect",
        is(reloaded.reason.is_some()),
    );
    let reloads = own.count(
        "configuration_reloads",
        "How often the configuration was read again, by what came of it",
    );
    for (outcome, count) in [("taken", reloaded.taken), ("refused", reloaded.refused)] {
        reloads.get_or_create(&vec![("outcome", outcome.to_owned())]).inc_by(count);
    }
    of_live(&mut own, &live.jobs);
    of_tally(&mut own, tally.jobs.iter());
    of_requests(&mut own, &sight.heart);
    of_trackers(&mut own, tally.trackers.iter());
    registry
}

/// Where kinset's own numbers go.
struct Own<'r>(&'r mut Registry);

impl Own<'_> {
    fn add(&mut self, name: &str, help: &str, metric: impl Metric) {
        self.0.register(name, help, metric);
    }

    fn one(&mut self, name: &str, help: &str, number: f64) {
        let gauge = Gauge::<f64, AtomicU64>::default();
        gauge.set(number);
        self.add(name, help, gauge);
    }

    fn count(&mut self, name: &str, help: &str) -> Counts {
        let counts = Counts::default();
        self.add(name, help, counts.clone());
        counts
    }

    fn number(&mut self, name: &str, help: &str) -> Numbers {
        let numbers = Numbers::default();
        self.add(name, help, numbers.clone());
        numbers
    }

    fn number_of(&mut self, name: &str, help: &str, unit: Unit) -> Numbers {
        let numbers = Numbers::default();
        self.0.register_with_unit(name, help, unit, numbers.clone());
        numbers
    }
}

fn of_live(own: &mut Own<'_>, jobs: &[LiveJob]) {
    let failures = own.number("failures_in_a_row", "How often a job failed in a row");
    let due = own.number_of("next_due_timestamp", "When a job is due next, in seconds since 1970", Unit::Seconds);
    let held = own.number("held", "Whether another kinset keeps a job from the state");
    let notices = own.number(
        "failed_notices",
        "How often nobody could be told what a person should know of a job",
    );
    for job in jobs {
        let labels = of_job(&job.job);
        failures.get_or_create(&labels).set(f64::from(job.failures));
        held.get_or_create(&labels).set(f64::from(u8::from(job.held_by.is_some())));
        notices.get_or_create(&labels).set(f64::from(job.failed_notices));
        if let Some(at) = job.next_due {
            due.get_or_create(&labels).set(seconds(at));
        }
    }
}

fn of_tally<'t>(own: &mut Own<'_>, jobs: impl Iterator<Item = (&'t Job, &'t JobTally)>) {
    let runs = own.count("runs", "Runs of a job since the process began, by what they came to");
    let guards = own.count("guards_tripped", "How often a guard tripped, by the key that sets its limit");
    let changes = own.count(
        "changes",
        "What a job found other than before: patches, or things that services said",
    );
    let success = own.number_of(
        "last_success_timestamp",
        "When a job last came to a good end, in seconds since 1970",
        Unit::Seconds,
    );
    let busy = Family::<Labels, Counter<f64, AtomicU64>>::default();
    let help = "How long the runs of a job took together";
    own.0.register_with_unit("run_duration", help, Unit::Seconds, busy.clone());
    for (job, tally) in jobs {
        let labels = of_job(job);
        for (outcome, count) in &tally.runs {
            runs.get_or_create(&and(labels.clone(), "outcome", outcome)).inc_by(*count);
        }
        for (guard, count) in &tally.guards {
            guards.get_or_create(&and(labels.clone(), "guard", guard)).inc_by(*count);
        }
        changes.get_or_create(&labels).inc_by(tally.changes);
        busy.get_or_create(&labels).inc_by(float(tally.busy_ms) / 1000.0);
        if let Some(at) = tally.last_success {
            success.get_or_create(&labels).set(seconds(at));
        }
    }
}

fn of_requests(own: &mut Own<'_>, heart: &Heart) {
    let requests = own.count(
        "requests",
        "Requests that a job made since the process began, to its tracker or to a source, by what came of them",
    );
    for (alike, count) in heart.requests() {
        let mut labels = of_job(&alike.job);
        labels.extend(alike.source.map(|source| ("source", source)));
        requests
            .get_or_create(&and(labels, "outcome", alike.outcome.as_str()))
            .inc_by(count);
    }
}

fn of_trackers<'t>(own: &mut Own<'_>, trackers: impl Iterator<Item = (&'t String, &'t TrackerTally)>) {
    let writes = own.count("writes", "Writes that took effect on a tracker since the process began, by kind");
    let drift = own.number("drift_writes", "How many writes were left to do at the end of the last run");
    let undone = own.number("undone", "How much of what is wanted the last plan leaves undone");
    let waiting = own.number(
        "waiting_plan_writes",
        "How many writes the plan takes that waits, 0 where none does",
    );
    let decisions = own.number("open_decisions", "How many decisions of people stand");
    let unmatched = own.number("unmatched", "How many elements of the analysis are no patch of the tracker");
    let patches = own.number("patches", "How many patches the tracker has");
    for (name, tally) in trackers {
        let labels = vec![("tracker", name.clone())];
        for (kind, count) in &tally.writes {
            writes.get_or_create(&and(labels.clone(), "kind", kind)).inc_by(*count);
        }
        waiting.get_or_create(&labels).set(float(tally.waiting));
        let known = [
            (&drift, tally.drift),
            (&undone, tally.undone),
            (&decisions, tally.open_decisions),
            (&unmatched, tally.unmatched),
            (&patches, tally.patches),
        ];
        for (numbers, number) in known {
            if let Some(number) = number {
                numbers.get_or_create(&labels).set(float(number));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{accepts_open_metrics, classic};

    #[test]
    fn open_metrics_is_for_those_who_name_it() {
        let prometheus = "application/openmetrics-text;version=1.0.0;q=0.6,text/plain;version=0.0.4;q=0.5,*/*;q=0.1";
        for (accept, is_open) in [
            (prometheus, true),
            ("application/openmetrics-text", true),
            ("text/plain;q=0.9, application/openmetrics-text;q=0.1", false),
            ("application/openmetrics-text;q=0", false),
            ("*/*", false),
            ("", false),
        ] {
            assert_eq!(accepts_open_metrics([accept].into_iter()), is_open, "{accept}");
        }
    }

    #[test]
    fn the_classic_form_has_full_names_and_neither_units_nor_an_end() {
        let open = "# HELP a_seconds When.\n# TYPE a_seconds gauge\n# UNIT a_seconds seconds\na_seconds 1.5\n\
                    # HELP b How many counter.\n# TYPE b counter\nb_total{c=\"# EOF\"} 2\n# HELP d What.\n# TYPE d info\nd_info{v=\"1\"} 1\n# EOF\n";
        assert_eq!(
            classic(open),
            "# HELP a_seconds When.\n# TYPE a_seconds gauge\na_seconds 1.5\n\
             # HELP b_total How many counter.\n# TYPE b_total counter\nb_total{c=\"# EOF\"} 2\n# HELP d_info What.\n# TYPE d_info gauge\nd_info{v=\"1\"} 1\n"
        );
    }
}
