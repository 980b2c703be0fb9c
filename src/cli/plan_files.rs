//! `kinset plan --current FILE --desired FILE`: the fewest writes between two group files, with no tracker at all.

use std::collections::BTreeSet;
use std::io::{self, Write};
use std::path::Path;

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
        for Step { patch, operation } in self.plan.steps() {
            let patch = self.universe.token(patch);
            match operation {
                Operation::Clear(reason) => writeln!(out, "clear  {patch}  # {}", words::clear(reason))?,
                Operation::Relate(related, reason) => {
                    write!(out, "relate {patch} with")?;
                    for &element in related {
                        write!(out, " {}", self.universe.token(element))?;
                    }
                    writeln!(out, "  # {}", words::relate(reason))?;
                }
            }
        }
        let total = words::Total {
            clears: self.plan.clears(),
            relates: self.plan.relates(),
            before: self.current.len(),
            after: self.desired.len(),
            undone: 0,
        };
        writeln!(out, "{total}")
    }

    fn json(&self, out: &mut dyn Write) -> io::Result<()> {
        let document = Document {
            writes: self.plan.writes(),
            clears: self.plan.clears(),
            relates: self.plan.relates(),
            steps: self,
            current: Side::of(self.current),
            desired: Side::of(self.desired),
        };
        serde_json::to_writer(&mut *out, &document)?;
        writeln!(out)
    }
}

#[derive(Serialize)]
struct Document<'a> {
    writes: usize,
    clears: usize,
    relates: usize,
    #[serde(serialize_with = "steps")]
    steps: &'a Between<'a>,
    current: Side,
    desired: Side,
}

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

fn steps<S: Serializer>(between: &Between<'_>, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_seq(between.plan.steps().map(|step| StepOf {
        universe: between.universe,
        step,
    }))
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
