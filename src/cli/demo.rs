//! `kinset demo`: everything against the built-in simulator, with nothing to configure and nothing left behind.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::io::Write as _;
use std::net::SocketAddr;
use std::num::NonZeroU32;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::sync::Arc;

use jiff::Timestamp;
use tokio::net::TcpListener;

use super::failure::{Failure, Misuse};
use super::{Status, output, render};
use crate::config::{Config, Tracker};
use crate::model::relations::RelateReason;
use crate::model::{MessageId, PatchId, UserName};
use crate::pasta::generate::{Commits, Shape, generate};
use crate::pasta::{Dialect, Ending, GroupFile, with_single_file};
use crate::reconcile::{
    Apply, Extent, Keeper, OperationDocument, Patience, PlanDocument, Pulled, Pulling, Session, SessionOptions, Shutdown, prepare, pull,
};
use crate::store::Store;
use crate::text::count;
use crate::tracker::RetryPolicy;
use crate::tracker::simulator::{Simulator, World, serve};

/// How many mails the demo's list has.
const MAILS: usize = 600;

/// How many steps of the plan are shown.
const STEPS_SHOWN: usize = 8;

const TOKEN: &str = "demo-token";

const HUMAN: &str = "human";

pub(super) async fn run() -> Result<Status, Failure> {
    let folder = tempfile::tempdir().map_err(|source| unwritable("a temporary folder", source))?;
    let generated = generate(Shape {
        ids: MAILS,
        seed: 2026,
        commits: Commits::Named,
    });
    let (old, new) = (folder.path().join("old"), folder.path().join("patch-groups"));
    write(&old, &generated.old)?;
    write(&new, &generated.new)?;

    let world = world(&old, &new)?;
    let simulator = Arc::new(Simulator::new(&world)?);
    let listener = TcpListener::bind(SocketAddr::from(([127, 0, 0, 1], 0)))
        .await
        .map_err(Misuse::Runtime)?;
    let address = listener.local_addr().map_err(Misuse::Runtime)?;
    let server = tokio::spawn(serve(listener, Arc::clone(&simulator), std::future::pending()));
    let outcome = walk(folder.path(), address, &simulator).await;
    server.abort();
    folder
        .close()
        .map_err(|source| unwritable("the end of the temporary folder", source))?;
    outcome
}

/// The demo itself: pull, plan, a person's edit, apply, plan again.
async fn walk(folder: &Path, address: SocketAddr, simulator: &Simulator) -> Result<Status, Failure> {
    let config = configure(folder, address)?;
    let tracker = &config.trackers[0];
    let keeper = Keeper::new(Store::open(&config.state_dir)?, Timestamp::now);
    tell(&format!(
        "A simulated Patchwork listens on http://{address}. It has {} between {} of a mailing list,\n\
         as an analysis found them some time ago. The analysis has since run again: more mails, other groups.\n",
        count(simulator.with_rules(|rules| rules.relations().len()), "relation"),
        count(simulator.with_rules(|rules| rules.catalogue().patches().len()), "patch"),
    ))?;

    heading("kinset pull")?;
    let session = open(tracker).await?;
    let Pulled { patches, related, .. } = pull(&session, &keeper, Extent::Due, &|_| {}).await?;
    tell(&format!("{} read, {related} of them in relations\n", count(patches, "patch")))?;

    heading("kinset plan")?;
    let prepared = prepare(&session, &keeper, Pulling::Stored, &|_| {}).await?;
    let plan = PlanDocument::new([prepared.document(tracker)]);
    excerpt(&plan)?;

    heading("meanwhile, a person edits by hand")?;
    tell(&edit_by_hand(simulator, &plan))?;

    heading("kinset apply --yes")?;
    simulator.clear_log();
    let (_request, shutdown) = Shutdown::new();
    let applied = Apply::begin(session, &keeper, Patience::default(), &shutdown)?
        .run(prepared, &|| {})
        .await?;
    let sent = simulator.log().iter().filter(|request| request.method == "PATCH").count();
    tell(&format!(
        "{} reached the server: before it writes, kinset reads what it is about to change, so it found what the person had done.\n\
         Every relation that was written has been read back: {} as planned.\n",
        count(sent, "write"),
        count(applied.draft.merged.target.len(), "relation"),
    ))?;

    heading("kinset plan")?;
    let session = open(tracker).await?;
    let again = prepare(&session, &keeper, Pulling::Fresh(Extent::Due), &|_| {}).await?;
    let plan = PlanDocument::new([again.document(tracker)]);
    output::data(|out| render::plan::text(out, &plan))?;
    if plan.writes > 0 {
        return Ok(Status::Failed);
    }
    tell(
        "\nThat was all in memory and in a temporary folder, which is gone now. For your own tracker: `kinset config init`, then read README.md.",
    )?;
    Ok(Status::Done)
}

/// The first steps of a plan, and its last lines.
fn excerpt(plan: &PlanDocument) -> Result<(), Failure> {
    let mut text = Vec::new();
    render::plan::text(&mut text, plan).map_err(|source| unwritable("to memory", source))?;
    let text = String::from_utf8_lossy(&text).into_owned();
    let (steps, rest): (Vec<&str>, Vec<&str>) = text.lines().partition(|line| line.starts_with("  "));
    let mut shown = String::new();
    for line in rest.iter().take(1).chain(steps.iter().take(STEPS_SHOWN)) {
        let _infallible = writeln!(shown, "{line}");
    }
    let hidden = steps.len().saturating_sub(STEPS_SHOWN);
    if hidden > 0 {
        let _infallible = writeln!(shown, "  … and {hidden} more");
    }
    for line in rest.iter().skip(1) {
        let _infallible = writeln!(shown, "{line}");
    }
    tell(&shown)
}

/// Does by hand what one of the plan's steps was about to do.
fn edit_by_hand(simulator: &Simulator, plan: &PlanDocument) -> String {
    let new_relation = plan.steps.iter().find_map(|step| match &step.operation {
        OperationDocument::Relate {
            patch,
            related,
            reason: RelateReason::Forms,
        } => Some((*patch, related)),
        OperationDocument::Relate { .. } | OperationDocument::Clear { .. } | OperationDocument::CommitRef { .. } => None,
    });
    let Some((patch, related)) = new_relation else {
        return "nobody does\n".to_owned();
    };
    let human = UserName(HUMAN.to_owned());
    match simulator.with_rules(|rules| rules.write(Some(&human), patch, related)) {
        Ok(_) => format!("somebody relates patch {patch} as the plan was about to\n"),
        Err(refusal) => format!("the tracker refuses it: {refusal:?}\n"),
    }
}

async fn open(tracker: &Tracker) -> Result<Session<'_>, Failure> {
    let options = SessionOptions {
        retry: RetryPolicy::without_waiting(NonZeroU32::MIN),
        ..SessionOptions::default()
    };
    Ok(Session::open(tracker, options).await?)
}

/// Writes a configuration as an operator would, shows it, and reads it.
fn configure(folder: &Path, address: SocketAddr) -> Result<Config, Failure> {
    let token = folder.join("token");
    let written = fs::OpenOptions::new().write(true).create_new(true).mode(0o600).open(&token);
    written
        .and_then(|mut file| file.write_all(TOKEN.as_bytes()))
        .map_err(|source| unwritable(&token.display().to_string(), source))?;
    let text = format!(
        "state_dir = \"state\"\n\
         [[tracker]]\n\
         name = \"demo\"\n\
         url = \"http://{address}/\"\n\
         projects = [\"demo\"]\n\
         policy = \"authoritative\"\n\
         token_file = \"token\"\n\
         [tracker.desired]\n\
         path = \"patch-groups\"\n\
         format = \"pasta\"\n\
         [tracker.limits]\n\
         requests_per_second = 100000\n"
    );
    let path = folder.join("kinset.toml");
    write(&path, &text)?;
    heading("cat kinset.toml")?;
    tell(&text)?;
    Ok(Config::load(&path)?)
}

/// A tracker that holds the mails of both files, and the groups of the old one as relations.
fn world(old: &Path, new: &Path) -> Result<World, Failure> {
    let read = |path| GroupFile::read(path, Dialect::MessageIds, Ending::Complete);
    let mut ids: BTreeMap<MessageId, PatchId> = BTreeMap::new();
    let mut relations = Vec::new();
    for (file, is_current) in [(read(old)?, true), (read(new)?, false)] {
        with_single_file(&file, |universe, groups, elements| {
            let mut number = |element| {
                let next = PatchId(ids.len() as u64 + 1);
                let message_id = MessageId::parse(universe.token(element)).ok()?;
                Some(*ids.entry(message_id).or_insert(next))
            };
            for &element in elements {
                number(element);
            }
            if is_current {
                relations.extend(groups.classes().map(|class| {
                    groups
                        .members(class)
                        .iter()
                        .filter_map(|&element| number(element))
                        .collect::<Vec<_>>()
                }));
            }
        });
    }
    let world = World::default()
        .with_project("demo")
        .with_user("bot", TOKEN, &["demo"])
        .with_user(HUMAN, "human-token", &["demo"]);
    let world = ids
        .into_iter()
        .fold(world, |world, (message_id, id)| world.with_patch(id, "demo", message_id));
    Ok(relations.into_iter().fold(world, World::with_relation))
}

fn heading(command: &str) -> Result<(), Failure> {
    tell(&format!("$ {command}"))
}

fn tell(text: &str) -> Result<(), Failure> {
    output::data(|out| writeln!(out, "{text}"))
}

fn write(path: &Path, text: &str) -> Result<(), Failure> {
    fs::write(path, text).map_err(|source| unwritable(&path.display().to_string(), source))
}

fn unwritable(what: &str, source: std::io::Error) -> Failure {
    Misuse::Unwritable {
        what: what.to_owned(),
        source,
    }
    .into()
}
