//! The log as the journal has it: a line for people that says all, and each field by itself for those who filter.

use std::fmt::Debug;

use libsystemd::logging::{Priority, journal_send};
use tracing::field::{Field, Visit};
use tracing::span::{Attributes, Id, Record};
use tracing::{Event, Level, Subscriber};
use tracing_subscriber::Layer;
use tracing_subscriber::fmt::FormatFields as _;
use tracing_subscriber::fmt::format::{DefaultFields, Writer};
use tracing_subscriber::layer::Context;
use tracing_subscriber::registry::{LookupSpan, Scope};

use super::output;

/// What comes before the names of fields, which are the journal's own otherwise (`systemd.journal-fields(7)`).
const PREFIX: &str = "KINSET_";

/// The name of the field with the words themselves.
const MESSAGE: &str = "message";

/// Sends each event to the journal; what does not get there goes to standard error.
#[derive(Clone, Copy, Debug)]
pub(super) struct Journal;

/// An entry of the journal.
#[derive(Debug, PartialEq, Eq)]
struct Entry {
    line: String,
    fields: Vec<(String, String)>,
}

/// What fields hold, by their names.
#[derive(Clone, Debug, Default)]
struct Fields(Vec<(&'static str, String)>);

impl Fields {
    fn add(&mut self, field: &Field, value: String) {
        let name = field.name();
        if name != MESSAGE {
            self.0.retain(|(other, _)| *other != name);
            self.0.push((name, value));
        }
    }

    /// The same by their names in the journal.
    fn entered(self) -> impl Iterator<Item = (String, String)> {
        self.0.into_iter().map(|(name, value)| {
            let name = name.replace(|letter: char| !letter.is_ascii_alphanumeric(), "_");
            (format!("{PREFIX}{}", name.to_ascii_uppercase()), value)
        })
    }
}

impl Visit for Fields {
    fn record_str(&mut self, field: &Field, value: &str) {
        self.add(field, value.to_owned());
    }

    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        self.add(field, format!("{value:?}"));
    }
}

impl Journal {
    fn entry<S: Subscriber + for<'s> LookupSpan<'s>>(event: &Event<'_>, context: &Context<'_, S>) -> Entry {
        let mut line = String::new();
        let mut fields = Fields::default();
        for span in context.event_scope(event).into_iter().flat_map(Scope::from_root) {
            let extensions = span.extensions();
            if let Some(Fields(of_span)) = extensions.get() {
                let shown = of_span.iter().map(|(name, value)| format!("{name}={value}"));
                line.push_str(&format!("{}{{{}}}: ", span.name(), shown.collect::<Vec<_>>().join(" ")));
                fields.0.extend(of_span.iter().cloned());
            }
        }
        let mut words = String::new();
        if DefaultFields::new().format_fields(Writer::new(&mut words), event).is_err() {
            words.push_str("(there is more that cannot be shown)");
        }
        line.push_str(&words);
        event.record(&mut fields);
        let about = [("TARGET", event.metadata().target()), ("SYSLOG_IDENTIFIER", env!("CARGO_PKG_NAME"))];
        let about = about.map(|(name, value)| (name.to_owned(), value.to_owned()));
        let fields = fields.entered().chain(about).collect();
        Entry { line, fields }
    }
}

fn priority(level: Level) -> Priority {
    match level {
        Level::ERROR => Priority::Error,
        Level::WARN => Priority::Warning,
        Level::INFO => Priority::Info,
        Level::DEBUG | Level::TRACE => Priority::Debug,
    }
}

impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Journal {
    fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
        let mut fields = Fields::default();
        attributes.record(&mut fields);
        if let Some(span) = context.span(id) {
            span.extensions_mut().insert(fields);
        }
    }

    fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
        if let Some(span) = context.span(id)
            && let Some(fields) = span.extensions_mut().get_mut::<Fields>()
        {
            values.record(fields);
        }
    }

    fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
        let Entry { line, fields } = Self::entry(event, &context);
        if let Err(error) = journal_send(priority(*event.metadata().level()), &line, fields.into_iter()) {
            output::say(&format!("{line} (not in the journal: {error})"));
        }
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use tracing::{Event, Subscriber};
    use tracing_subscriber::Layer;
    use tracing_subscriber::layer::{Context, SubscriberExt as _};
    use tracing_subscriber::registry::LookupSpan;

    use super::{Attributes, Entry, Id, Journal, Record};

    /// A journal that keeps what it is sent.
    struct Kept(Arc<Mutex<Vec<Entry>>>);

    impl<S: Subscriber + for<'s> LookupSpan<'s>> Layer<S> for Kept {
        fn on_new_span(&self, attributes: &Attributes<'_>, id: &Id, context: Context<'_, S>) {
            Journal.on_new_span(attributes, id, context);
        }

        fn on_record(&self, id: &Id, values: &Record<'_>, context: Context<'_, S>) {
            Journal.on_record(id, values, context);
        }

        fn on_event(&self, event: &Event<'_>, context: Context<'_, S>) {
            self.0.lock().unwrap().push(Journal::entry(event, &context));
        }
    }

    fn sent(work: impl FnOnce()) -> Vec<(String, Vec<String>)> {
        let entries = Arc::new(Mutex::new(Vec::new()));
        let journal = tracing_subscriber::registry().with(Kept(Arc::clone(&entries)));
        tracing::subscriber::with_default(journal, work);
        let entries = std::mem::take(&mut *entries.lock().unwrap());
        let of_kinset = |fields: Vec<(String, String)>| {
            let fields = fields.into_iter().filter(|(name, _)| name.starts_with("KINSET_"));
            fields.map(|(name, value)| format!("{name}={value}")).collect()
        };
        entries.into_iter().map(|entry| (entry.line, of_kinset(entry.fields))).collect()
    }

    #[test]
    fn the_line_says_all_and_each_field_stands_by_itself() {
        let job = "sync of tracker kernel";
        let entries = sent(|| {
            let _run = tracing::info_span!("run", run = 7, job = %job).entered();
            tracing::error!(reason = "the tracker\nis down", writes = 0, absent = None::<u64>, "{job}: failed");
        });
        let line = "run{run=7 job=sync of tracker kernel}: sync of tracker kernel: failed reason=\"the tracker\\nis down\" writes=0";
        let fields = [
            "KINSET_RUN=7",
            "KINSET_JOB=sync of tracker kernel",
            "KINSET_REASON=the tracker\nis down",
            "KINSET_WRITES=0",
        ];
        assert_eq!(entries, [(line.to_owned(), fields.map(str::to_owned).to_vec())]);
    }

    #[test]
    fn what_is_said_of_a_span_later_counts_and_an_event_knows_better() {
        let entries = sent(|| {
            let run = tracing::info_span!("run", run = 7, job = tracing::field::Empty);
            run.record("job", "pull");
            let _run = run.entered();
            tracing::info!(run = 6, "an earlier run");
        });
        assert_eq!(
            entries,
            [(
                "run{run=7 job=pull}: an earlier run run=6".to_owned(),
                vec!["KINSET_JOB=pull".to_owned(), "KINSET_RUN=6".to_owned()]
            )]
        );
    }
}
