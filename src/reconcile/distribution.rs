//! A distribution that is kept in a file: read, compared, checked, guarded, changed.
//!
//! The plan is what the state would have to be told ([`Operation`]s), worked out without it and then rehearsed in it: what comes of the rehearsal is
//! shown, and compared once more with what the file says. All of a plan is one transaction.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::{Deserialize, Serialize};
use sha2::{Digest as _, Sha256};

use super::document::GuardDocument;
use super::{Error, Keeper, PlanDocument};
use crate::model::packages::document::{DistributionDocument, Thresholds, Tripped, Wish, difference, guard};
use crate::model::packages::snapshot::Disagreement;
use crate::model::packages::{DistributionName, Operation, SeriesName};
use crate::source::local::{FileFormat, LocalError, LocalFile};
use crate::store::packages::{Change, Force, Hand, Performed, View};
use crate::store::{Fault, Store, StoreError};

/// A file that a distribution is to follow, and how.
#[derive(Clone, Debug)]
pub struct FileOrder {
    /// The file.
    pub path: PathBuf,
    /// What it is written in; `None`: what its name tells.
    pub format: Option<FileFormat>,
    /// The distribution that it has to be of, if only one will do.
    pub name: Option<DistributionName>,
    /// When its plan is too drastic.
    pub thresholds: Thresholds,
    /// Who the log says did it; `None`: `local:` and the name of the file.
    pub actor: Option<String>,
    /// Whether series that have ended are changed, too.
    pub force: Force,
}

impl FileOrder {
    /// Reads the file.
    ///
    /// # Errors
    /// When it cannot be read, is wrong, or is of another distribution.
    pub fn read(&self) -> Result<LocalFile, LocalError> {
        let file = LocalFile::load(&self.path, self.format)?;
        match &self.name {
            Some(expected) if *expected != file.document.name => Err(LocalError::OtherDistribution {
                path: self.path.clone(),
                expected: expected.to_string(),
                found: file.document.name.to_string(),
            }),
            _ => Ok(file),
        }
    }

    fn actor(&self) -> String {
        let name = self.path.file_name().unwrap_or(self.path.as_os_str());
        self.actor.clone().unwrap_or_else(|| format!("local:{}", name.to_string_lossy()))
    }
}

/// What a file would change, checked and not carried out.
#[derive(Debug)]
pub struct DistributionDraft {
    name: DistributionName,
    path: PathBuf,
    actor: String,
    force: Force,
    operations: Vec<Operation>,
    changes: Vec<Change>,
    tripped: Option<Tripped>,
    digest: String,
}

/// The same as a document.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct DistributionPlan {
    /// The distribution's name.
    pub name: DistributionName,
    /// The file that it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<PathBuf>,
    /// The source that it follows.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source: Option<String>,
    /// What could not be read of the source.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub remarks: Vec<String>,
    /// In how many package sets of which series the source was not read again, though what is in them may have changed.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub unread: BTreeMap<SeriesName, usize>,
    /// What the source says otherwise than one that is believed before it.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub disagreements: Vec<Disagreement>,
    /// What is done, in order, in one transaction.
    pub operations: Vec<Operation>,
    /// What that changes.
    pub changes: Vec<Change>,
    /// Whether series that have ended are changed, too.
    pub force: bool,
    /// Guards that the plan trips.
    pub guards: Vec<GuardDocument>,
    /// Stands for everything that the plan was computed from: a saved plan with another digest is stale.
    pub digest: String,
}

/// What is there: the distribution, if there is one of that name, and those that its new series begin with sets of.
struct Found {
    have: Option<DistributionDocument>,
    elsewhere: BTreeMap<DistributionName, DistributionDocument>,
}

impl DistributionDraft {
    /// Finds out what a file that was read ([`FileOrder::read`]) would change. Nothing is changed.
    ///
    /// # Errors
    /// When the state cannot be read, the file does not go with what there is, and when the plan does not pass the check.
    pub async fn new(keeper: &Keeper, order: &FileOrder, file: &LocalFile) -> Result<Self, Error> {
        let want = file.document.clone();
        let Found { have, elsewhere } = keeper.with(move |store, _| find(store, &want)).await?;
        let wish = Wish {
            have: have.as_ref(),
            want: &file.document,
            elsewhere: &elsewhere,
            force: order.force == Force::Insisted,
        };
        let refused = |mistakes: Vec<_>| Error::Local(file.refuse(&mistakes));
        let operations = difference(wish).map_err(refused)?;
        let tripped = match &have {
            Some(have) => guard(have, &file.document, &order.thresholds).map_err(refused)?,
            None => None,
        };
        let actor = order.actor();
        let name = file.document.name.clone();
        let mut performed = Vec::new();
        // Where nothing is to be done there is nothing to rehearse.
        if !operations.is_empty() {
            let after;
            (performed, after) = rehearse(keeper, &name, &actor, order.force, &operations).await?;
            let left = difference(Wish {
                have: Some(&after),
                force: true,
                ..wish
            });
            if left != Ok(Vec::new()) {
                return Err(Error::UnsoundDistribution { distribution: name });
            }
        }
        Ok(Self {
            digest: digest(wish, &order.thresholds),
            name,
            path: order.path.clone(),
            actor,
            force: order.force,
            operations,
            changes: performed.into_iter().flat_map(|performed| performed.changes).collect(),
            tripped,
        })
    }

    /// The draft as a part of a [`PlanDocument`].
    #[must_use]
    pub fn document(&self) -> DistributionPlan {
        DistributionPlan {
            name: self.name.clone(),
            file: Some(self.path.clone()),
            source: None,
            remarks: Vec::new(),
            unread: BTreeMap::new(),
            disagreements: Vec::new(),
            operations: self.operations.clone(),
            changes: self.changes.clone(),
            force: self.force == Force::Insisted,
            guards: self.tripped.iter().map(GuardDocument::from).collect(),
            digest: self.digest.clone(),
        }
    }

    /// Passes the draft on if no guard tripped.
    ///
    /// # Errors
    /// [`Error::GuardedDistribution`].
    pub fn require_unguarded(self) -> Result<Self, Error> {
        match self.tripped {
            Some(tripped) => Err(Error::GuardedDistribution {
                distribution: self.name,
                tripped,
            }),
            None => Ok(self),
        }
    }

    /// Passes the draft on if it is the plan that was saved.
    ///
    /// # Errors
    /// [`Error::DistributionNotPlanned`] when the saved plan says nothing of the distribution, [`Error::StaleDistribution`] when it was computed from
    /// something else.
    pub fn require_same(self, saved: &PlanDocument) -> Result<Self, Error> {
        let Some(planned) = saved.distributions.iter().find(|planned| planned.name == self.name) else {
            return Err(Error::DistributionNotPlanned { distribution: self.name });
        };
        let what = if planned.digest != self.digest {
            "the file, the configuration or what there is are not what it was computed from"
        } else if planned.operations != self.operations {
            "its operations are not those that its digest stands for"
        } else {
            return Ok(self);
        };
        Err(Error::StaleDistribution {
            distribution: self.name,
            what,
        })
    }

    /// Carries the plan out, all of it or nothing.
    ///
    /// # Errors
    /// When the state cannot be written.
    pub async fn apply(self, keeper: &Keeper) -> Result<Vec<Performed>, Error> {
        let Self {
            actor, force, operations, ..
        } = self;
        keeper
            .with(move |store, at| store.perform(&Hand { actor, at, force }, &operations))
            .await
    }
}

fn find(store: &mut Store, want: &DistributionDocument) -> Result<Found, StoreError> {
    store.ask(None, |view| {
        let named = |name: &DistributionName| -> Result<Option<DistributionDocument>, Fault> {
            let rows = view.distributions()?;
            let row = rows.iter().find(|row| row.name == *name);
            row.map(|row| view.document(row)).transpose()
        };
        let mut elsewhere = BTreeMap::new();
        for name in want.elsewhere() {
            if let Some(document) = named(name)? {
                elsewhere.insert(name.clone(), document);
            }
        }
        Ok(Found {
            have: named(&want.name)?,
            elsewhere,
        })
    })
}

async fn rehearse(
    keeper: &Keeper,
    name: &DistributionName,
    actor: &str,
    force: Force,
    operations: &[Operation],
) -> Result<(Vec<Performed>, DistributionDocument), Error> {
    let (name, actor, operations) = (name.clone(), actor.to_owned(), operations.to_vec());
    let after = move |view: &View<'_>| view.document(&view.distribution(&name)?);
    keeper
        .with(move |store, at| store.rehearse_and_ask(&Hand { actor, at, force }, &operations, after))
        .await
}

/// The SHA-256 of everything that decides the plan, in hexadecimal.
fn digest(wish: Wish<'_>, thresholds: &Thresholds) -> String {
    let digest = Sha256::digest(format!("{wish:?} {thresholds:?}"));
    digest.iter().map(|byte| format!("{byte:02x}")).collect()
}
