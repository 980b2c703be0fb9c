//! `kinset pull`

use super::args::PullArguments;
use super::failure::Failure;
use super::wiring::{ConfigFile, open_state};
use super::{Status, output, progress};
use crate::reconcile::{Pulled, Session, SessionOptions, pull};

pub(super) async fn run(arguments: &PullArguments, file: &ConfigFile) -> Result<Status, Failure> {
    let config = file.load()?;
    let trackers = config.select(&arguments.names)?;
    let keeper = open_state(&config)?;
    let mut status = Status::Done;
    for tracker in trackers {
        let pulled = async {
            let session = Session::open(tracker, SessionOptions::default()).await?;
            let bar = progress::bar(None, tracker.name.as_str());
            let pulled = pull(&session, &keeper, &progress::follow(&bar)).await;
            bar.finish_and_clear();
            pulled
        };
        match pulled.await {
            Ok(Pulled {
                projects,
                patches,
                related,
            }) => {
                output::say(&format!(
                    "{}: {patches} patches in {projects} projects, {related} of them related",
                    tracker.name
                ));
            }
            Err(error) => {
                Failure::from(error).report();
                status = Status::Failed;
            }
        }
    }
    Ok(status)
}
