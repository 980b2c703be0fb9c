//! Who looks after which package, and which are retired where: Fedora's dist-git.
//!
//! What a forge is asked for is `Forge`; how the one that there is today answers is `pagure`. The forge is moving, and the next one gets a file of its own
//! and a word in [`ForgeKind`].
//!
//! A forge knows packages and their branches, not releases, so [`Settings::branches`] says which branch is which series. A package has its owner in
//! all of them. In which releases a package is at all, a forge tells for one package at a time only; those where it is retired it tells for all.

mod pagure;

use std::collections::{BTreeMap, BTreeSet};

use futures_util::{StreamExt, TryStreamExt, stream};
use url::Url;

use super::{HttpSettings, Previous, Reading, SourceError, Trouble, Validators, web::Web};
use crate::model::packages::{
    BranchName, PackageName, SeriesName,
    snapshot::{PackageFacts, Remark, SeriesFacts, SourceSnapshot},
};

use pagure::Pagure;

/// How to read a dist-git.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The source's name in the configuration.
    pub name: String,
    /// Its address: `https://src.fedoraproject.org/`.
    pub url: Url,
    /// What serves it.
    pub forge: ForgeKind,
    /// The namespace that packages are in: `rpms`.
    pub namespace: String,
    /// The branches of the series whose retired packages are of interest: `rawhide` of the series in the making.
    pub branches: BTreeMap<BranchName, SeriesName>,
    /// How to treat the server.
    pub http: HttpSettings,
}

/// What serves a dist-git.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ForgeKind {
    /// Pagure, with the files that Fedora's cron jobs put beside it.
    Pagure,
}

/// What is asked of a forge, whichever it is. `None` is the answer where all is as it `was`; the states that go with the answer come with it.
trait Forge {
    /// All packages.
    async fn packages(&self, was: &Validators) -> Result<(Option<Packages>, Validators), Trouble>;

    /// The packages that are retired on a branch; none if the forge has no list of them.
    async fn retired(&self, branch: &BranchName, was: &Validators) -> Result<(Option<Retired>, Validators), Trouble>;
}

/// All packages of a forge.
#[derive(Debug, Default)]
struct Packages {
    packages: BTreeMap<PackageName, PackageFacts>,
    remarks: BTreeSet<Remark>,
}

/// The packages that are retired on a branch.
#[derive(Debug, Default)]
struct Retired {
    packages: BTreeSet<PackageName>,
    remarks: BTreeSet<Remark>,
}

/// Reads all packages with their owners, and those that are retired in each series.
///
/// # Errors
/// When one of these cannot be read in whole.
pub async fn read(settings: &Settings, previous: &Previous) -> Result<Reading, SourceError> {
    let read = async {
        let web = Web::new(&settings.http)?;
        let forge = match settings.forge {
            ForgeKind::Pagure => Pagure::new(&web, &settings.url, &settings.namespace),
        };
        let (snapshot, validators) = read_from(&forge, settings, previous, web.width()).await?;
        Ok(Reading {
            snapshot,
            validators,
            traffic: web.traffic(),
            ..Reading::default()
        })
    };
    read.await.map_err(|trouble| SourceError {
        name: settings.name.clone(),
        trouble,
    })
}

/// Whether anything was retired when it was last read.
fn has_any(before: Option<&SeriesFacts>) -> bool {
    before
        .and_then(|facts| facts.retired.as_ref())
        .is_some_and(|retired| !retired.is_empty())
}

async fn read_from(
    forge: &impl Forge,
    settings: &Settings,
    previous: &Previous,
    width: usize,
) -> Result<(SourceSnapshot, Validators), Trouble> {
    let none = Validators::default();
    let mut snapshot = SourceSnapshot::default();

    // A validator without what it is of is worth nothing.
    let was = if previous.snapshot.packages.is_some() {
        &previous.validators
    } else {
        &none
    };
    let (packages, mut validators) = forge.packages(was).await?;
    if let Some(Packages { packages, remarks }) = packages {
        snapshot.packages = Some(packages);
        snapshot.remarks = remarks;
    } else {
        snapshot.packages.clone_from(&previous.snapshot.packages);
        snapshot.remarks.clone_from(&previous.snapshot.remarks);
    }

    let retired = settings.branches.iter().map(|(branch, series)| {
        let before = previous.snapshot.series.get(series).filter(|facts| facts.retired.is_some());
        let was = if before.is_some() { &previous.validators } else { &none };
        async move {
            let (retired, validators) = forge.retired(branch, was).await?;
            let facts = match retired {
                // The lists are of living branches: what was retired in a release stays so when that has ended.
                Some(Retired { packages, .. }) if packages.is_empty() && has_any(before) => {
                    let mut facts = before.cloned().unwrap_or_default();
                    let reason = "there is no list any more, so those that were stay";
                    facts
                        .remarks
                        .insert(Remark::unknown("the packages that are retired", branch.as_str(), reason));
                    facts
                }
                Some(Retired { packages, remarks }) => SeriesFacts {
                    retired: Some(packages),
                    remarks,
                    ..SeriesFacts::default()
                },
                None => before.cloned().unwrap_or_default(),
            };
            Ok::<_, Trouble>((series.clone(), facts, validators))
        }
    });
    let retired: Vec<_> = stream::iter(retired).buffered(width).try_collect().await?;
    for (series, facts, states) in retired {
        snapshot.series.insert(series, facts);
        validators.merge(states);
    }
    Ok((snapshot, validators))
}
