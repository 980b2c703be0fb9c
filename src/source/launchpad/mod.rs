//! Launchpad: the series of a distribution, their package sets, and who may upload what, from the `devel` version of its API.
//!
//! What is asked for, and in which order:
//!
//! 1. the distribution, and the list of its series;
//! 2. for each series that is wanted the list of its package sets, and for each set what is directly in it, sources and sets;
//! 3. the groups of sets, by asking one set of each for its relatives in other series;
//! 4. all permissions of the archive, in bulk;
//! 5. for whoever owns something or has a permission whether that is a team, and of teams with permissions who takes part in them.
//!
//! **What is read again.** Launchpad knows conditional requests for entries, but not for lists and for what operations return. The `ETag` of a set does not
//! change with what is in it, and may change with the version of Launchpad. So nothing is asked for on condition; what a list shows of a set is compared with
//! what is known. That somebody put a package into a set which is otherwise as it was, no cheap request tells:
//!
//! - a series that has ended is read once after its end;
//! - a series that is not released yet, where most of the changes are, is read each time;
//! - of a series that is released and looked after, the list of its sets is read each time, and those that are new there, or whose own facts changed, are
//!   read again. What else changed is found when the caller asks for [`Reread::Living`], as it should every now and then;
//! - permissions and the members of teams are read each time.
//!
//! Whether an account is a team is asked once, and so is which group a set is of, for Launchpad has no way to change either.
//!
//! **What is hidden.** A field that whoever asks may not see holds a text that says so, and a list leaves out rows without a word. What is
//! hidden is absent from the snapshot, with a remark, and a list that it is absent from is marked as one that shows less than there is
//! ([`PartialList`]): what was known to be in it is not taken away.

mod groups;
mod list;
mod people;
mod permissions;
mod sets;
mod wire;

use std::{
    collections::{BTreeMap, BTreeSet},
    num::NonZeroU32,
};

use jiff::{Timestamp, tz::TimeZone};
use url::Url;

use super::{
    HttpSettings, Previous, Reading, SourceError, Trouble,
    web::{Web, under},
};
use crate::model::packages::{
    CollectionStatus, DistributionName, Milestone, SeriesName,
    snapshot::{PartialList, Remark, SeriesFacts, SourceSnapshot},
};

use people::People;
use wire::{DistributionRow, Field, SeriesRow, Shown, name_in};

/// How to read Launchpad.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The source's name in the configuration.
    pub name: String,
    /// The address of the API: `https://api.launchpad.net/devel/`.
    pub url: Url,
    /// The distribution.
    pub distribution: DistributionName,
    /// The series whose package sets are wanted; `None` for all.
    pub series: Option<BTreeSet<SeriesName>>,
    /// What is read again.
    pub reread: Reread,
    /// The rows to ask for at once: up to 300, which takes the fewest requests.
    pub rows_per_page: NonZeroU32,
    /// How to treat the server.
    pub http: HttpSettings,
}

/// What is read again of what was read before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Reread {
    /// Sets that the lists of series that have not ended show as new or changed.
    Listed,
    /// These, and all sets of series that are not released yet.
    #[default]
    Unreleased,
    /// All sets of series that have not ended.
    Living,
    /// Everything, as if nothing had been read before.
    Everything,
}

/// Reads the distribution.
///
/// # Errors
/// When any request fails for good: then nothing is returned.
pub async fn read(settings: &Settings, previous: &Previous) -> Result<Reading, SourceError> {
    let nothing = Previous::default();
    let previous = match settings.reread {
        Reread::Listed | Reread::Unreleased | Reread::Living => previous,
        Reread::Everything => &nothing,
    };
    let read = async {
        let web = Web::new(&settings.http)?;
        let service = Service {
            web: &web,
            settings,
            previous,
        };
        let (snapshot, unread) = service.read().await?;
        Ok(Reading {
            snapshot,
            traffic: web.traffic(),
            unread,
            ..Reading::default()
        })
    };
    read.await.map_err(|trouble| SourceError {
        name: settings.name.clone(),
        trouble,
    })
}

/// One read.
struct Service<'a> {
    web: &'a Web,
    settings: &'a Settings,
    previous: &'a Previous,
}

/// A series, as it is listed.
struct Listed {
    url: Url,
    /// The account of its owner.
    owner: Option<String>,
    facts: SeriesFacts,
}

impl Service<'_> {
    /// What Launchpad knows, and the sets that were not looked into again.
    async fn read(&self) -> Result<(SourceSnapshot, BTreeMap<SeriesName, usize>), Trouble> {
        let mut snapshot = SourceSnapshot::default();
        let address = under(&self.settings.url, &[self.settings.distribution.as_str()]);
        let distribution: DistributionRow = self.web.json(&address, "a distribution").await?;
        let mut listed = self.series(&distribution, &mut snapshot).await?;
        if let Field::There(link) = distribution.current_series_link.into() {
            snapshot.current_series = name_in(&link).parse().ok().filter(|name| listed.contains_key(name));
        }

        let mut found = self.sets(&listed).await?;
        self.group(&mut found, &mut snapshot.remarks).await?;
        let archive = match distribution.main_archive_link.into() {
            Field::There(link) => Some(self.web.link(&address, &link, "the archive")?),
            Field::Hidden | Field::Absent => None,
        };
        let rows = match &archive {
            Some(archive) => Some(self.permission_rows(archive, &mut snapshot).await?),
            None => {
                snapshot.partial.insert(PartialList::Permissions);
                snapshot.remarks.insert(Remark::hidden("the archive with its permissions"));
                None
            }
        };

        let mut people = People::known_from(&self.previous.snapshot);
        let owners = listed.values().filter_map(|series| series.owner.clone());
        let holders = rows.iter().flatten().filter_map(permissions::holder);
        let asked: BTreeSet<String> = owners.chain(found.owners()).chain(holders).collect();
        self.ask_for(asked, &mut people, &mut snapshot.remarks).await?;

        for (name, series) in &mut listed {
            if let Some(owner) = &series.owner {
                series.facts.owner = people.party(owner, || format!("the owner of {name}"), &mut series.facts.remarks);
            }
        }
        snapshot.series = listed.into_iter().map(|(name, series)| (name, series.facts)).collect();
        let unread = found.unread();
        found.settle(&mut snapshot.series, &people);
        if let Some(rows) = rows {
            let permissions = permissions::permissions(rows, &people, &mut snapshot);
            let teams = self.teams(&permissions, &mut snapshot).await?;
            snapshot.permissions = Some(permissions);
            snapshot.teams = Some(teams);
        }
        Ok((snapshot, unread))
    }

    /// The series of the distribution, without their sets.
    async fn series(&self, distribution: &DistributionRow, snapshot: &mut SourceSnapshot) -> Result<BTreeMap<SeriesName, Listed>, Trouble> {
        let SourceSnapshot { partial, remarks, .. } = snapshot;
        let list = self
            .web
            .link(&self.settings.url, &distribution.series_collection_link, "the series")?;
        let rows = self.list::<SeriesRow>(list.clone(), "series").await?;
        if let Some(fewer) = rows.fewer("the list of series") {
            partial.insert(PartialList::Series);
            remarks.insert(fewer);
        }
        let mut listed = BTreeMap::new();
        for row in rows.rows {
            let url = self.web.link(&list, &row.self_link, "a series")?;
            match row.name.parse::<SeriesName>() {
                Ok(name) => {
                    listed.insert(name.clone(), listed_series(url, &name, row));
                }
                Err(error) => {
                    remarks.insert(Remark::unknown("a series", &row.name, error));
                }
            }
        }
        for wanted in self.settings.series.iter().flatten().filter(|name| !listed.contains_key(name)) {
            let reason = format!("{} has no such series", self.settings.distribution);
            remarks.insert(Remark::unknown("a series of the configuration", wanted.as_str(), reason));
        }
        Ok(listed)
    }

    /// Whether all sets of a series of that stage are read again. One that has ended comes here once, and that is its last time.
    fn rereads(&self, status: Option<CollectionStatus>) -> bool {
        let is_released = matches!(status, Some(CollectionStatus::Active | CollectionStatus::Maintenance));
        match self.settings.reread {
            Reread::Listed => has_ended(status),
            Reread::Unreleased => !is_released,
            Reread::Living | Reread::Everything => true,
        }
    }

    fn is_wanted(&self, series: &SeriesName) -> bool {
        self.settings.series.as_ref().is_none_or(|wanted| wanted.contains(series))
    }
}

fn has_ended(status: Option<CollectionStatus>) -> bool {
    status.is_some_and(CollectionStatus::is_ended)
}

fn listed_series(url: Url, name: &SeriesName, row: SeriesRow) -> Listed {
    let mut facts = SeriesFacts::default();
    let mut owner = None;
    let hidden = |what: &str| Remark::hidden(format!("{what} of {name}"));
    match row.version {
        Shown::Value(Some(text)) => match text.parse() {
            Ok(version) => facts.version = Some(version),
            Err(error) => {
                facts
                    .remarks
                    .insert(Remark::unknown(format!("the version of {name}"), &text, error));
            }
        },
        Shown::Value(None) => {}
        Shown::Hidden => {
            facts.remarks.insert(hidden("the version"));
        }
    }
    match row.title {
        Shown::Value(title) => facts.title = Some(title),
        Shown::Hidden => {
            facts.remarks.insert(hidden("the title"));
        }
    }
    match row.status {
        Shown::Value(text) => match text.parse::<CollectionStatus>() {
            Ok(status) => facts.status = Some(status),
            Err(error) => {
                facts.remarks.insert(Remark::unknown(format!("the status of {name}"), &text, error));
            }
        },
        Shown::Hidden => {
            facts.remarks.insert(hidden("the status"));
        }
    }
    match row.datereleased.into() {
        Field::There(text) => match text.parse::<Timestamp>() {
            Ok(time) => {
                let date = TimeZone::UTC.to_datetime(time).date();
                facts.dates.insert(Milestone::RELEASED, date);
            }
            Err(error) => {
                facts
                    .remarks
                    .insert(Remark::unknown(format!("the release of {name}"), &text, error));
            }
        },
        Field::Absent => {}
        Field::Hidden => {
            facts.remarks.insert(hidden("the release"));
        }
    }
    match row.owner_link.into() {
        Field::There(link) => owner = Some(name_in(&link)),
        Field::Absent => {}
        Field::Hidden => {
            facts.remarks.insert(hidden("the owner"));
        }
    }
    Listed { url, owner, facts }
}
