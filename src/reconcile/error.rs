//! What can go wrong in a cycle.

use std::path::PathBuf;

use super::GuardedSource;
use crate::config::TrackerName;
use crate::model::packages::{self, DistributionName, Refusal, SeriesName, SeriesPath};
use crate::model::relations::checker::Violation;
use crate::model::relations::guard::Tripped;
use crate::model::{PatchId, ProjectName};
use crate::pasta::{FeedbackError, GroupsError, MboxError};
use crate::remedy::Remedy;
use crate::source::SourceError;
use crate::source::local::LocalError;
use crate::store::{DecisionId, StoreError};
use crate::tracker::{TokenError, WriteError};

/// Why a cycle ended before its end.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The tracker's token cannot be had.
    #[error("the token cannot be used")]
    Token(#[source] TokenError),
    /// The configuration names no token, and a write needs one.
    #[error("tracker {tracker} has no token, so nothing can be written to it")]
    NoToken {
        /// The tracker.
        tracker: TrackerName,
    },
    /// The token is of somebody who may write nothing here.
    #[error(
        "the token's user maintains none of the projects of tracker {tracker} ({}), so nothing can be written to it",
        joined(projects)
    )]
    NoMaintainer {
        /// The tracker.
        tracker: TrackerName,
        /// Its projects in the configuration.
        projects: Vec<ProjectName>,
    },
    /// The tracker cannot be read.
    #[error("the tracker cannot be read")]
    Tracker(#[source] Box<crate::tracker::Error>),
    /// Somebody wished to stop, and the tracker did not answer soon enough.
    #[error("stopped while the tracker was asked")]
    Stopped,
    /// Somebody wished to stop before it was known what became of a write.
    #[error("stopped before it was known whether patch {patch} was written")]
    InDoubt {
        /// The patch.
        patch: PatchId,
    },
    /// The tracker does not have a project of that name.
    #[error("tracker {tracker} has no project {project}{}", nearest.as_ref().map(|nearest| format!(", did you mean {nearest}?")).unwrap_or_default())]
    UnknownProject {
        /// The tracker.
        tracker: TrackerName,
        /// The project as the configuration names it.
        project: ProjectName,
        /// The project that is probably meant.
        nearest: Option<ProjectName>,
    },
    /// The configuration says that a project is of a collection that the package model does not have.
    #[error("tracker {tracker} has a project {project} of collection {collection}, and nothing is known of that collection")]
    UnknownCollection {
        /// The tracker.
        tracker: TrackerName,
        /// The project.
        project: ProjectName,
        /// The collection as the configuration names it.
        collection: SeriesPath,
        /// What is not there.
        source: Box<Refusal>,
    },
    /// What was read contradicts itself, and goes on doing so.
    #[error("relations changed again and again while they were read, that of patch {} for one", patches.first().map_or_else(String::new, ToString::to_string))]
    Unsteady {
        /// The patches.
        patches: Vec<PatchId>,
    },
    /// The state cannot be read or written.
    #[error("the local state cannot be used")]
    Store(#[source] StoreError),
    /// The analysis cannot be read.
    #[error("the analysis cannot be read")]
    Groups(#[source] GroupsError),
    /// The analysis cannot be told what people decided.
    #[error("what people decided cannot be told to the analysis")]
    Feedback(#[source] FeedbackError),
    /// Mails cannot be added to a file.
    #[error("the mails cannot be exported")]
    Mbox(#[source] MboxError),
    /// The tracker was not pulled yet.
    #[error("tracker {tracker} was never pulled from {url}{}", elsewhere.as_ref().map(|elsewhere| format!(", only from {elsewhere}")).unwrap_or_default())]
    NeverPulled {
        /// The tracker.
        tracker: TrackerName,
        /// Its address.
        url: String,
        /// Where it was pulled from before, if it was.
        elsewhere: Option<String>,
    },
    /// A decision was named that does not stand.
    #[error("tracker {tracker} has no decision {decision} that stands")]
    NoSuchDecision {
        /// The tracker.
        tracker: TrackerName,
        /// The decision.
        decision: DecisionId,
    },
    /// A patch was named that nobody knows.
    #[error("tracker {tracker} has no patch {patch} in its projects")]
    NoSuchPatch {
        /// The tracker.
        tracker: TrackerName,
        /// The patch as it was named.
        patch: String,
    },
    /// A pull saw too little.
    #[error("the pull was not kept")]
    Shrunk(#[source] Tripped),
    /// Guards tripped.
    #[error("tracker {tracker}: {}", list(tripped))]
    Guarded {
        /// The tracker.
        tracker: TrackerName,
        /// All guards that tripped.
        tripped: Vec<Tripped>,
    },
    /// A plan did not pass the checker: a defect of kinset.
    #[error("kinset made a plan that does not keep to the rules")]
    Unsound(#[source] Violation),
    /// A saved plan cannot be read.
    #[error("{} is no saved plan", path.display())]
    NoPlan {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        source: serde_json::Error,
    },
    /// A saved plan cannot be opened.
    #[error("cannot read {}", path.display())]
    PlanUnreadable {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: std::io::Error,
    },
    /// A saved plan was made by another version of kinset.
    #[error("{} is a plan of format {found}, expected format {expected}", path.display())]
    OtherPlanFormat {
        /// The file.
        path: PathBuf,
        /// Its format.
        found: u32,
        /// The format of this kinset.
        expected: u32,
    },
    /// The file of a distribution cannot be worked with.
    #[error(transparent)]
    Local(LocalError),
    /// A source cannot be read.
    #[error(transparent)]
    Source(Box<SourceError>),
    /// What a source says cannot be brought into the model.
    #[error("what source {source_name} says of distribution {distribution} does not go together: {}", mistakes.join("; "))]
    UnfitSource {
        /// The source.
        source_name: String,
        /// The distribution.
        distribution: DistributionName,
        /// All that is wrong.
        mistakes: Vec<String>,
    },
    /// A source adds to a series that there is none of, and nobody says of it what every series has.
    #[error("distribution {distribution} has no series {series}, and neither source {source_name} nor another says its {}", missing.join(" and its "))]
    UnfoundedSeries {
        /// The source.
        source_name: String,
        /// The distribution.
        distribution: DistributionName,
        /// The series.
        series: SeriesName,
        /// What nobody says.
        missing: Vec<&'static str>,
    },
    /// A source is to speak of a release that there is none of.
    #[error("distribution {distribution} has no series {release}, of which the defaults of source {source_name} are to be")]
    NoRelease {
        /// The source.
        source_name: String,
        /// The distribution.
        distribution: DistributionName,
        /// The release.
        release: SeriesName,
    },
    /// What is kept of the last read of a source cannot be understood.
    #[error("what is kept of source {source_name} cannot be used")]
    BadReading {
        /// The source.
        source_name: String,
        /// Why.
        source: serde_json::Error,
    },
    /// A guard of a distribution tripped.
    #[error("distribution {distribution}: {tripped}")]
    GuardedDistribution {
        /// The distribution.
        distribution: DistributionName,
        /// The guard.
        tripped: packages::document::Tripped,
    },
    /// The plan for a distribution would not lead to what its file says: a defect of kinset.
    #[error("kinset made a plan that does not lead to what the file says of distribution {distribution}")]
    UnsoundDistribution {
        /// The distribution.
        distribution: DistributionName,
    },
    /// A guard against a source tripped.
    #[error(transparent)]
    GuardedSource(Box<GuardedSource>),
    /// The plan for a source would not lead to what that says: a defect of kinset.
    #[error("kinset made a plan that does not lead to what source {distribution}/{source_name} says")]
    UnsoundSource {
        /// The source.
        source_name: String,
        /// The distribution.
        distribution: DistributionName,
    },
    /// A saved plan is for a distribution that was not asked for.
    #[error("the plan says nothing about distribution {distribution}")]
    DistributionNotPlanned {
        /// The distribution.
        distribution: DistributionName,
    },
    /// A saved plan was computed from something else than what is there now.
    #[error("the plan for distribution {distribution} is stale: {what}")]
    StaleDistribution {
        /// The distribution.
        distribution: DistributionName,
        /// What differs.
        what: &'static str,
    },
    /// A saved plan is for a tracker that was not asked for.
    #[error("the plan says nothing about tracker {tracker}")]
    NotPlanned {
        /// The tracker.
        tracker: TrackerName,
    },
    /// A saved plan was computed from something else than what is there now.
    #[error("the plan for tracker {tracker} is stale: {what}")]
    Stale {
        /// The tracker.
        tracker: TrackerName,
        /// What differs.
        what: String,
    },
    /// Something that a saved plan touches changed while it was applied.
    #[error("tracker {tracker} refused a write of the saved plan, or changed under it, at patch {patch} for one")]
    MovedMeanwhile {
        /// The tracker.
        tracker: TrackerName,
        /// A patch of the first component that was not finished.
        patch: PatchId,
    },
    /// The tracker stopped taking writes.
    #[error("the tracker takes no writes")]
    Writes(#[source] Box<WriteError>),
    /// The tracker went on differing from what was written.
    #[error("after {rounds} rounds of writing the tracker still differs from the plan, at patch {patch} for one")]
    Unsettled {
        /// How many rounds.
        rounds: usize,
        /// A patch of the first component that did not come right.
        patch: PatchId,
    },
}

/// What helps where a tracker refuses writes to projects.
pub(crate) const BECOME_MAINTAINER: &str =
    "have the tracker's administrators make the token's user a maintainer of these projects, or use the token of one";

fn list(tripped: &[Tripped]) -> String {
    tripped.iter().map(ToString::to_string).collect::<Vec<_>>().join("; ")
}

fn joined(projects: &[ProjectName]) -> String {
    projects.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
}

impl From<crate::tracker::Error> for Error {
    fn from(error: crate::tracker::Error) -> Self {
        Self::Tracker(Box::new(error))
    }
}

impl Remedy for Error {
    fn remedy(&self) -> Option<String> {
        let text = match self {
            Self::Token(source) => return source.remedy(),
            Self::Tracker(source) => return source.remedy(),
            Self::Store(source) => return source.remedy(),
            Self::Groups(source) => return source.remedy(),
            Self::Feedback(source) => return source.remedy(),
            Self::Mbox(source) => return source.remedy(),
            Self::Shrunk(source) => return source.remedy(),
            Self::Writes(source) => return source.remedy(),
            Self::Guarded { tripped, .. } => {
                return Some(tripped.iter().filter_map(Remedy::remedy).collect::<Vec<_>>().join("\n"));
            }
            Self::Stopped => "nothing is in doubt; run it again when the tracker answers".to_owned(),
            Self::InDoubt { .. } => "run it again: the next run finds out before it does anything else".to_owned(),
            Self::NoToken { .. } => {
                "create a token on your Patchwork profile page and name its file with `token_file` under [[tracker]]".to_owned()
            }
            Self::NoMaintainer { .. } => BECOME_MAINTAINER.to_owned(),
            Self::UnknownProject { .. } => "nothing was changed; correct `projects` under [[tracker]]: a project's name is the word that stands for it in its address, \
                 as in /project/NAME/list/"
                    .to_owned(),
            Self::UnknownCollection { source, .. } => {
                let meant = match &**source {
                    Refusal::NoDistribution(name) | Refusal::NoSeries { name, .. } => name.nearest(),
                    _ => None,
                };
                let meant = meant.map_or_else(String::new, |meant| format!("did you mean `{meant}`? "));
                format!(
                    "nothing was planned; {meant}`kinset series list` shows the collections that there are: correct `collection` under \
                     [[tracker.project]], or bring it into the state first"
                )
            }
            Self::Unsteady { .. } => "nothing was changed; pull again when whoever is writing there is done".to_owned(),
            Self::NeverPulled { tracker, .. } => format!("run `kinset pull {tracker}` first"),
            Self::NoSuchDecision { tracker, .. } => {
                format!("nothing was dropped; `kinset decisions list {tracker}` shows those that stand, by their numbers")
            }
            Self::NoSuchPatch { tracker, .. } => {
                format!("name it by Patchwork's number or by its message id; `kinset pull {tracker}` learns of new ones")
            }
            Self::Unsound(_) => "nothing of it was written; please report this with the output of `kinset plan --format json`".to_owned(),
            Self::NoPlan { .. } | Self::OtherPlanFormat { .. } => "make it anew with `kinset plan --out FILE`".to_owned(),
            Self::PlanUnreadable { .. } => "check the path given with --plan".to_owned(),
            Self::Local(source) => return source.remedy(),
            Self::Source(source) => return source.remedy(),
            Self::UnfitSource { source_name, .. } => format!(
                "nothing of it was taken in; if the service is right, another way of sharing may fit it, else tell whoever runs {source_name}"
            ),
            Self::UnfoundedSeries {
                source_name, missing, ..
            } => format!(
                "say {} of it in the file of source {source_name}, or mend its name there if it is another series that is meant",
                missing.iter().map(|key| format!("`{key}`")).collect::<Vec<_>>().join(" and ")
            ),
            Self::NoRelease { .. } => {
                "check `release` of the source in the configuration: no source tells what that series is; or create it with `kinset series create`".to_owned()
            }
            Self::BadReading { .. } => "read everything anew with `kinset pull --full`".to_owned(),
            Self::GuardedDistribution { tripped, .. } => return tripped.remedy(),
            Self::GuardedSource(guarded) => return guarded.remedy(),
            Self::UnsoundSource { source_name, distribution } => format!(
                "nothing of it was taken in, and what was known of {source_name} before still holds; please report this with what it has now and with the \
                 output of `kinset distribution export {distribution} --format json`"
            ),
            Self::UnsoundDistribution { .. } => {
                "nothing of it was changed; please report this with the file and the output of `kinset distribution export`".to_owned()
            }
            Self::NotPlanned { .. } => "name the trackers that the plan was made for".to_owned(),
            Self::DistributionNotPlanned { .. } => "name the distributions that the plan was made for".to_owned(),
            Self::StaleDistribution { .. } | Self::Stale { .. } => "nothing was written; make it anew with `kinset plan --out FILE` and read it again".to_owned(),
            Self::MovedMeanwhile { .. } => {
                "nothing was written that the plan does not hold; see what is left with `kinset plan`, and save that".to_owned()
            }
            Self::Unsettled { .. } => {
                "somebody or something else keeps changing the same relations; find out who, then run `kinset apply` again".to_owned()
            }
        };
        Some(text)
    }
}
