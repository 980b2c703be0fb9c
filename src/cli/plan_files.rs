//! `kinset plan --current FILE --desired FILE`: the fewest writes between two group files, with no tracker at all.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::num::NonZeroU32;
use std::path::Path;
use std::sync::mpsc;

use serde::{Serialize, Serializer};

use super::args::{FilesArguments, Format};
use super::failure::Failure;
use super::render::words;
use super::{Status, output};
use crate::model::relations::checker::{Terms, check};
use crate::model::relations::{AttachLimit, Change, Element, Operation, Partition, Plan, Step, plan};
use crate::pasta::{GroupFile, TokenUniverse, compare_files, read_pair};
use crate::reconcile::Error;

pub(super) fn run(arguments: &FilesArguments) -> Result<Status, Failure> {
    let (current_file, desired_file) = read_pair(&arguments.current, &arguments.desired)?;
    warn_if_empty(&current_file, &arguments.current, "every relation is made anew");
    warn_if_empty(&desired_file, &arguments.desired, "every relation is taken apart");
    let (universe, current, desired) = compare_files(&current_file, &desired_file);
    let attach_limit = AttachLimit::Ids(arguments.attach_limit);
    let plan = plan(Change {
        universe: &universe,
        current: &current,
        desired: &desired,
        attach_limit,
    });
    let held = BTreeSet::new();
    let terms = Terms {
        current: &current,
        target: &desired,
        held: &held,
        policy: None,
        decisions: None,
        attach_limit,
        max_relation_size: None,
    };
    check(&plan, &terms).map_err(Error::Unsound)?;
    let between = Between {
        plan: &plan,
        universe: &universe,
        current: &current,
        desired: &desired,
    };
    output::data(|out| match arguments.format {
        Format::Text => between.text(out),
        Format::Json => between.json(out),
    })?;
    let is_change = arguments.detailed_exitcode && !plan.is_empty();
    Ok(if is_change { Status::Changes } else { Status::Done })
}

/// An empty file may be meant here, as nothing is written, but it is more often a slip.
fn warn_if_empty(file: &GroupFile, path: &Path, so: &str) {
    if file.is_empty() {
        output::say(&format!("warning: {} holds no groups, so {so}", path.display()));
    }
}

/// A plan between two files, to be printed.
struct Between<'a> {
    plan: &'a Plan,
    universe: &'a TokenUniverse<'a>,
    current: &'a Partition,
    desired: &'a Partition,
}

impl Between<'_> {
    fn text(&self, out: &mut dyn Write) -> io::Result<()> {
        self.each_step(out, b"", |text, step| self.line(text, step))?;
        let total = words::Total {
            clears: self.plan.clears(),
            relates: self.plan.relates(),
            commits: 0,
            before: self.current.len(),
            after: self.desired.len(),
            undone: 0,
            commits_undone: 0,
        };
        writeln!(out, "{total}")
    }

    fn line(&self, text: &mut Vec<u8>, Step { patch, operation }: Step<'_>) -> io::Result<()> {
        let token = |text: &mut Vec<u8>, element| text.extend_from_slice(self.universe.bytes(element));
        match operation {
            Operation::Clear(reason) => {
                text.extend_from_slice(b"clear  ");
                token(text, patch);
                writeln!(text, "  # {}", words::clear(reason))
            }
            Operation::Relate(related, reason) => {
                text.extend_from_slice(b"relate ");
                token(text, patch);
                text.extend_from_slice(b" with");
                for &element in related {
                    text.push(b' ');
                    token(text, element);
                }
                writeln!(text, "  # {}", words::relate(reason))
            }
        }
    }

    /// Prints `{"writes": …, "clears": …, "relates": …, "steps": […], "current": …, "desired": …}` on one line.
    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let (writes, clears, relates) = (self.plan.writes(), self.plan.clears(), self.plan.relates());
        write!(out, r#"{{"writes":{writes},"clears":{clears},"relates":{relates},"steps":["#)?;
        self.each_step(out, b",", |text, step| {
            let universe = self.universe;
            serde_json::to_writer(text, &StepOf { universe, step }).map_err(io::Error::from)
        })?;
        let (current, desired) = (
            serde_json::to_string(&Side::of(self.current))?,
            serde_json::to_string(&Side::of(self.desired))?,
        );
        writeln!(out, r#"],"current":{current},"desired":{desired}}}"#)
    }

    /// Prints all steps in order, while two threads put them into text: a plan's patches are scattered over two large files, so that most of
    /// the time goes into waiting for memory.
    fn each_step(
        &self,
        out: &mut dyn Write,
        separator: &[u8],
        print: impl Fn(&mut Vec<u8>, Step<'_>) -> io::Result<()> + Sync,
    ) -> io::Result<()> {
        let batches = self.plan.batches(BATCH);
        let text_of = |number: usize| -> io::Result<Vec<u8>> {
            let mut text = Vec::new();
            for step in self.plan.steps_of(&batches[number]) {
                if number > 0 || !text.is_empty() {
                    text.extend_from_slice(separator);
                }
                print(&mut text, step)?;
            }
            Ok(text)
        };
        let (batches, text_of) = (batches.len(), &text_of);
        std::thread::scope(|scope| {
            let (sender, receiver) = mpsc::sync_channel(1);
            // It stops when nobody receives any more.
            scope.spawn(move || (1..batches).step_by(2).map(text_of).try_for_each(|text| sender.send(text)));
            for number in 0..batches {
                let text = if number % 2 == 0 {
                    text_of(number)
                } else {
                    receiver.recv().map_err(io::Error::other)?
                };
                out.write_all(&text?)?;
            }
            Ok(())
        })
    }
}

/// How many steps are put into text at a time.
const BATCH: NonZeroU32 = NonZeroU32::MIN.saturating_add(4095);

#[derive(Serialize)]
struct Side {
    relations: usize,
    related: usize,
}

impl Side {
    fn of(partition: &Partition) -> Self {
        Self {
            relations: partition.len(),
            related: partition.related(),
        }
    }
}

struct StepOf<'a> {
    universe: &'a TokenUniverse<'a>,
    step: Step<'a>,
}

impl Serialize for StepOf<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        use serde::ser::SerializeStruct as _;
        let Step { patch, operation } = self.step;
        let mut step = serializer.serialize_struct("Step", 4)?;
        match operation {
            Operation::Clear(reason) => {
                step.serialize_field("op", "clear")?;
                step.serialize_field("patch", self.universe.token(patch))?;
                step.serialize_field("reason", &reason)?;
            }
            Operation::Relate(related, reason) => {
                step.serialize_field("op", "relate")?;
                step.serialize_field("patch", self.universe.token(patch))?;
                step.serialize_field(
                    "related",
                    &Tokens {
                        universe: self.universe,
                        elements: related,
                    },
                )?;
                step.serialize_field("reason", &reason)?;
            }
        }
        step.end()
    }
}

struct Tokens<'a> {
    universe: &'a TokenUniverse<'a>,
    elements: &'a [Element],
}

impl Serialize for Tokens<'_> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_seq(self.elements.iter().map(|&element| self.universe.token(element)))
    }
}
