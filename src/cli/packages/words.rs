//! What a change to the package model is called.

use serde_json::Value;

use super::show::printable;
use crate::cli::failure::Failure;
use crate::cli::output;
use crate::store::packages::{Change, Performed};

/// Tells what operations changed, or would.
pub(super) fn tell(done: &[Performed], is_dry_run: bool) -> Result<(), Failure> {
    let changes: Vec<&Change> = done.iter().flat_map(|performed| &performed.changes).collect();
    output::data(|out| changes.iter().try_for_each(|change| writeln!(out, "{}", line(change))))?;
    match (changes.is_empty(), is_dry_run) {
        (true, _) => output::say("nothing to do: everything is so already"),
        (false, true) => output::say("nothing was changed: this was a dry run"),
        (false, false) => {}
    }
    Ok(())
}

/// A change in one line.
pub(in crate::cli) fn line(change: &Change) -> String {
    let Change {
        distribution,
        series,
        kind,
        name,
        before,
        after,
    } = change;
    let place = match series {
        Some(series) => format!("{distribution}/{series}"),
        None => distribution.to_string(),
    };
    let what = match (before, after) {
        (None, Some(after)) => format!("+ {}", value(after)),
        (Some(before), None) => format!("- {}", value(before)),
        (Some(before), Some(after)) => difference(before, after),
        (None, None) => String::new(),
    };
    // Of some things there is nothing to say but that they are there.
    printable(format!("{place} {kind} {name}: {what}").trim_end())
}

/// Of two objects the fields that differ; of anything else both.
fn difference(before: &Value, after: &Value) -> String {
    let (Value::Object(old), Value::Object(new)) = (before, after) else {
        return format!("{} > {}", value(before), value(after));
    };
    let mut keys: Vec<&String> = old.keys().chain(new.keys()).collect();
    keys.sort_unstable();
    keys.dedup();
    let nothing = Value::Null;
    let differing = keys.into_iter().filter_map(|key| {
        let (old, new) = (old.get(key).unwrap_or(&nothing), new.get(key).unwrap_or(&nothing));
        (old != new).then(|| format!("{key} {} > {}", value(old), value(new)))
    });
    differing.collect::<Vec<_>>().join(", ")
}

fn value(value: &Value) -> String {
    match value {
        Value::Null => "nothing".to_owned(),
        Value::String(text) if text.is_empty() => "\"\"".to_owned(),
        Value::String(text) => text.clone(),
        Value::Array(values) => values.iter().map(self::value).collect::<Vec<_>>().join(" "),
        Value::Object(fields) => {
            let fields = fields.iter().map(|(key, field)| format!("{key} {}", self::value(field)));
            fields.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    }
}
