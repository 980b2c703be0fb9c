//! Fedora's releases, as Bodhi has them: versions, stages, branches, dates.
//!
//! Bodhi has releases that are none of the distribution's own, since what it calls a release is what updates are for: the containers and flatpaks
//! of Fedora 40 (`F40C`, `F40F`) besides Fedora 40 itself, all from one branch. They differ by their `id_prefix`, and those that are asked for are
//! taken. A series goes by its dist tag (`f41`, `epel9`, `eln`), which is one release's alone, where branches are not: that of the release in the
//! making is `rawhide`.
//!
//! Bodhi knows no conditional requests; all there is fits into one answer.

use std::{
    cmp::Ordering,
    collections::{BTreeMap, BTreeSet},
};

use serde::Deserialize;
use url::Url;

use super::{
    HttpSettings, Previous, Reading, SourceError, Trouble,
    web::{Web, under},
};
use crate::model::packages::{
    Branch, CollectionStatus, Milestone, SeriesName, compare_series_versions,
    snapshot::{Remark, SeriesFacts, SourceSnapshot},
};

/// The most rows that Bodhi gives at once.
const ROWS_PER_PAGE: &str = "1000";

/// How to read Bodhi.
#[derive(Clone, Debug)]
pub struct Settings {
    /// The source's name in the configuration.
    pub name: String,
    /// Bodhi's address: `https://bodhi.fedoraproject.org/`.
    pub url: Url,
    /// The `id_prefix` of the distribution's own releases: `FEDORA`, or `FEDORA-EPEL` and `FEDORA-EPEL-NEXT`.
    pub id_prefixes: BTreeSet<String>,
    /// How to treat the server.
    pub http: HttpSettings,
}

/// A page of releases.
#[derive(Deserialize)]
struct Page {
    pages: u64,
    total: u64,
    releases: Vec<Row>,
}

/// A release, with what is of interest of it.
#[derive(Deserialize)]
struct Row {
    name: String,
    long_name: String,
    version: String,
    id_prefix: String,
    branch: String,
    dist_tag: String,
    state: String,
    #[serde(default)]
    released_on: Option<String>,
    #[serde(default)]
    eol: Option<String>,
}

/// Reads the releases.
///
/// # Errors
/// When they cannot be read in whole.
pub async fn read(settings: &Settings, _previous: &Previous) -> Result<Reading, SourceError> {
    let read = async {
        let web = Web::new(&settings.http)?;
        let rows = rows(&web, &settings.url).await?;
        Ok(Reading {
            snapshot: snapshot(rows, &settings.id_prefixes),
            traffic: web.traffic(),
            ..Reading::default()
        })
    };
    read.await.map_err(|trouble| SourceError {
        name: settings.name.clone(),
        trouble,
    })
}

/// All releases, by name.
async fn rows(web: &Web, base: &Url) -> Result<BTreeMap<String, Row>, Trouble> {
    const EXPECTED: &str = "releases";
    // With the slash at its end, for Bodhi redirects what has none.
    let list = under(base, &["releases", ""]);
    let mut rows = BTreeMap::new();
    for number in 1_u64.. {
        let mut url = list.clone();
        url.query_pairs_mut()
            .append_pair("rows_per_page", ROWS_PER_PAGE)
            .append_pair("page", &number.to_string());
        let page: Page = web.json(&url, EXPECTED).await?;
        rows.extend(page.releases.into_iter().map(|row| (row.name.clone(), row)));
        if number < page.pages {
            continue;
        }
        if rows.len() as u64 != page.total {
            return Err(Trouble::Inconsistent {
                url: web.shown(&list),
                expected: EXPECTED,
                total: page.total,
                shown: rows.len() as u64,
            });
        }
        break;
    }
    Ok(rows)
}

fn snapshot(rows: BTreeMap<String, Row>, id_prefixes: &BTreeSet<String>) -> SourceSnapshot {
    let mut snapshot = SourceSnapshot::default();
    let mut current = Vec::new();
    for row in rows.into_values().filter(|row| id_prefixes.contains(&row.id_prefix)) {
        let name: SeriesName = match row.dist_tag.parse() {
            Ok(name) => name,
            Err(error) => {
                let what = format!("the dist tag of {}", row.name);
                snapshot.remarks.insert(Remark::unknown(what, &row.dist_tag, error));
                continue;
            }
        };
        if let Some(SeriesFacts { title: Some(taken), .. }) = snapshot.series.get(&name) {
            snapshot.remarks.insert(Remark::Twice {
                what: format!("the release with the dist tag {name}"),
                taken: taken.clone(),
                left: row.long_name,
            });
            continue;
        }
        if row.state == "current" {
            current.push(name.clone());
        }
        snapshot.series.insert(name, facts(row));
    }
    for name in newest(&current, &snapshot.series) {
        if let Some(facts) = snapshot.series.get_mut(&name) {
            facts.status = Some(CollectionStatus::Active);
        }
    }
    snapshot
}

fn facts(row: Row) -> SeriesFacts {
    let mut facts = SeriesFacts {
        title: Some(row.long_name),
        ..SeriesFacts::default()
    };
    match row.version.parse() {
        Ok(version) => facts.version = Some(version),
        Err(error) => {
            facts.remarks.insert(Remark::unknown("the version", &row.version, error));
        }
    }
    match stage(&row.state) {
        Some(status) => facts.status = Some(status),
        None => {
            let remark = Remark::unknown("the state", &row.state, "it says nothing about the stage of the release");
            facts.remarks.insert(remark);
        }
    }
    match (row.branch.parse(), row.dist_tag.parse()) {
        (Ok(name), Ok(dist_tag)) => {
            facts.branch = Some(Branch {
                name,
                dist_tag,
                parent: None,
            });
        }
        (Err(error), _) | (_, Err(error)) => {
            facts.remarks.insert(Remark::unknown("the branch", &row.branch, error));
        }
    }
    let dates = [(Milestone::RELEASED, row.released_on), (Milestone::EOL, row.eol)];
    for (milestone, text) in dates.into_iter().filter_map(|(milestone, text)| Some((milestone, text?))) {
        match text.parse() {
            Ok(date) => {
                facts.dates.insert(milestone.clone(), date);
            }
            Err(_) if text.is_empty() => {}
            Err(error) => {
                facts
                    .remarks
                    .insert(Remark::unknown(format!("the date of {milestone}"), &text, error));
            }
        }
    }
    facts
}

/// The stage that a state means. Bodhi calls every release `current` that gets updates; the newest of them is [`CollectionStatus::Active`]
/// afterwards. One that is `disabled` may have ended, or not have begun.
fn stage(state: &str) -> Option<CollectionStatus> {
    match state {
        "pending" => Some(CollectionStatus::Development),
        "frozen" => Some(CollectionStatus::Frozen),
        "current" => Some(CollectionStatus::Maintenance),
        "archived" => Some(CollectionStatus::Eol),
        _ => None,
    }
}

/// The newest of these series, several if they are of one version. A version that is no number (`eln`) is newer than none.
fn newest(names: &[SeriesName], series: &BTreeMap<SeriesName, SeriesFacts>) -> Vec<SeriesName> {
    let numbered = names.iter().filter_map(|name| {
        let version = series.get(name)?.version.as_ref()?;
        version
            .as_str()
            .starts_with(|first: char| first.is_ascii_digit())
            .then_some((name, version))
    });
    let Some((_, newest)) = numbered
        .clone()
        .max_by(|(_, left), (_, right)| compare_series_versions(left, right))
    else {
        return Vec::new();
    };
    numbered
        .filter(|(_, version)| compare_series_versions(version, newest) == Ordering::Equal)
        .map(|(name, _)| name.clone())
        .collect()
}
