//! `kinset decisions`

use std::collections::BTreeSet;

use super::args::{DecisionsCommand, Dropped, Format};
use super::failure::{Failure, Misuse};
use super::wiring::{ConfigFile, each, open_state, open_state_if_any};
use super::{Status, output};
use crate::config::Tracker;
use crate::model::PatchId;
use crate::reconcile::{
    DecisionDocument, DecisionsDocument, Error, Keeper, about, decision_documents, decisions_of, drop_decisions, require_pulled,
};
use crate::store::{DecisionFilter, DecisionId};
use crate::text::count;

pub(super) async fn run(command: &DecisionsCommand, file: &ConfigFile) -> Result<Status, Failure> {
    match command {
        DecisionsCommand::List { names, all, format } => {
            let filter = if *all { DecisionFilter::All } else { DecisionFilter::Open };
            list(names, filter, *format, file).await
        }
        DecisionsCommand::Export { names } => list(names, DecisionFilter::All, Format::Json, file).await,
        DecisionsCommand::Drop { name, dropped, format } => drop(name, dropped, *format, file).await,
    }
}

async fn list(names: &[String], filter: DecisionFilter, format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(names)?;
    let keeper = open_state_if_any(&config)?;
    let document = async |tracker: &Tracker| {
        match require_pulled(&keeper, tracker).await {
            Ok(_) => {}
            Err(never @ Error::NeverPulled { .. }) => output::say(&format!("{never}")),
            Err(error) => return Err(error.into()),
        }
        Ok(DecisionsDocument {
            tracker: tracker.name.to_string(),
            decisions: decision_documents(&keeper, tracker, filter).await?,
        })
    };
    let (documents, status) = each(&trackers, document).await;
    match format {
        Format::Json => output::json_if_whole(&documents, status)?,
        Format::Text => documents.iter().try_for_each(print)?,
    }
    Ok(status)
}

fn print(document: &DecisionsDocument) -> Result<(), Failure> {
    let DecisionsDocument { tracker, decisions } = document;
    output::data(|out| {
        writeln!(out, "{tracker}: {}", count(decisions.len(), "decision"))?;
        for decision in decisions {
            let DecisionDocument {
                id,
                kind,
                elsewhere,
                patches,
                seen_at,
                by,
                ended,
            } = decision;
            let by = by.as_ref().map(|user| format!(" by {user}")).unwrap_or_default();
            let elsewhere = elsewhere.as_ref().map(|url| format!(" at {url}")).unwrap_or_default();
            let end = ended
                .as_ref()
                .map(|end| format!(", {} {:.0}", end.because, end.at))
                .unwrap_or_default();
            writeln!(out, "  {id} {kind}{by}{elsewhere}, seen {seen_at:.0}{end}")?;
            for (patch, message_id) in patches {
                match message_id {
                    Some(message_id) => writeln!(out, "    {patch} {message_id}")?,
                    None => writeln!(out, "    {patch} (outside the tracker's projects)")?,
                }
            }
        }
        Ok(())
    })
}

async fn drop(name: &str, dropped: &Dropped, format: Format, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(&[name.to_owned()])?;
    let keeper = open_state(&config)?;
    let (documents, status) = each(&trackers, async |tracker| drop_of(tracker, dropped, &keeper).await).await;
    match format {
        Format::Json => output::json_if_whole(&documents, status)?,
        Format::Text => documents.iter().try_for_each(print)?,
    }
    Ok(status)
}

async fn drop_of(tracker: &Tracker, dropped: &Dropped, keeper: &Keeper) -> Result<DecisionsDocument, Failure> {
    let Dropped { ids, patches, all } = dropped;
    let standing = decisions_of(keeper, tracker, DecisionFilter::Open).await?;
    let mut chosen: BTreeSet<DecisionId> = ids.iter().copied().map(DecisionId).collect();
    for &patch in patches {
        let of_patch = about(&standing, &[PatchId(patch)].into());
        if of_patch.is_empty() {
            return Err(Misuse::NothingDecided { patch }.into());
        }
        chosen.extend(of_patch);
    }
    if *all {
        chosen.extend(standing.iter().map(|decision| decision.id));
    }
    let decisions = drop_decisions(keeper, tracker, &chosen).await?;
    let words = count(decisions.len(), "decision");
    output::say(&format!(
        "{}: {words} dropped; the next plan goes by the analysis there",
        tracker.name
    ));
    Ok(DecisionsDocument {
        tracker: tracker.name.to_string(),
        decisions,
    })
}
