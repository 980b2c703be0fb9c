//! Modules: their streams, and their defaults.

use std::collections::{BTreeMap, BTreeSet};

use jiff::civil::Date;
use rusqlite::{Row, params};
use serde_json::json;

use super::act::{Act, Scope};
use super::view::{DistributionRow, View, holds, optional, parsed};
use crate::model::packages::modules::{
    Branches, ContextDetails, Defaults, Lifecycles, ModuleOperation, Obsoletes, Release, Releases, StreamDetails, StreamEol, StreamPath,
};
use crate::model::packages::snapshot::KnownModules;
use crate::model::packages::{
    CollectionStatus, ContextName, DistributionName, ListingStatus, Milestone, ModuleName, PackageName, PlatformName, Refusal, SeriesName,
    SeriesPath, SeriesVersion, StreamName, Unknown,
};
use crate::store::database::{Fault, unreadable};

pub(super) fn perform(act: &mut Act<'_>, operation: &ModuleOperation) -> Result<(), Fault> {
    match operation {
        ModuleOperation::SetStream {
            distribution,
            stream,
            details,
        } => set_stream(act, distribution, stream, details),
        ModuleOperation::RemoveStream { distribution, stream } => remove_stream(act, distribution, stream),
        ModuleOperation::SetDefault {
            distribution,
            module,
            release,
            stream,
        } => set_default(act, distribution, module, release.as_ref(), Some(stream)),
        ModuleOperation::RemoveDefault {
            distribution,
            module,
            release,
        } => set_default(act, distribution, module, release.as_ref(), None),
    }
}

fn set_stream(act: &mut Act<'_>, distribution: &DistributionName, path: &StreamPath, details: &StreamDetails) -> Result<(), Fault> {
    let details = &details.clone().in_order();
    let distribution = act.view.distribution(distribution)?;
    let before = act.view.select_streams(&distribution, Some(path))?.remove(path);
    if before.as_ref() == Some(details) {
        return Ok(());
    }
    let id = match act.view.stream_id(&distribution, path)? {
        Some(id) => id,
        None => act.insert(
            "INSERT INTO module_stream (distribution, module, name) VALUES (?1, ?2, ?3)",
            params![distribution.id, path.module.as_str(), path.stream.as_str()],
        )?,
    };
    let nothing = StreamDetails::default();
    let old = before.as_ref().unwrap_or(&nothing);
    if before.is_none() || old.eol != details.eol {
        enter_record(act, &distribution, id, details.eol.as_ref())?;
    }
    enter_contexts(act, id, &old.contexts, &details.contexts)?;
    enter_obsoletes(act, id, &old.obsoletes, &details.obsoletes)?;
    tell(act, &distribution, path, before.as_ref(), Some(details))
}

fn remove_stream(act: &mut Act<'_>, distribution: &DistributionName, path: &StreamPath) -> Result<(), Fault> {
    let distribution = act.view.distribution(distribution)?;
    let before = act.view.stream(&distribution, path)?;
    if let Some(id) = act.view.stream_id(&distribution, path)? {
        for table in ["stream_record", "stream_context", "context_package", "stream_obsoletes"] {
            act.close(table, "stream = ?1", &[&id])?;
        }
    }
    tell(act, &distribution, path, Some(&before), None)
}

fn enter_record(act: &Act<'_>, distribution: &DistributionRow, id: i64, eol: Option<&StreamEol>) -> Result<(), Fault> {
    let (date, release) = match eol {
        None => (None, None),
        Some(StreamEol::Date(date)) => (Some(date.to_string()), None),
        Some(StreamEol::Release(release)) => (None, Some(act.view.series_in(distribution, release)?.id)),
    };
    act.close("stream_record", "stream = ?1", &[&id])?;
    let insert = "INSERT INTO stream_record (stream, since, eol_date, eol_release) VALUES (?1, ?2, ?3, ?4)";
    act.execute(insert, params![id, act.log, date, release]).map(|_| ())
}

/// Makes these the contexts of a stream. Only rows that differ are touched.
fn enter_contexts(
    act: &Act<'_>,
    id: i64,
    old: &BTreeMap<ContextName, ContextDetails>,
    new: &BTreeMap<ContextName, ContextDetails>,
) -> Result<(), Fault> {
    let none = BTreeSet::new();
    let said = |context: &ContextDetails| (context.version, json!(context.platforms), json!(context.service_levels));
    for name in old.keys().chain(new.keys().filter(|name| !old.contains_key(name))) {
        let (before, after) = (old.get(name), new.get(name));
        if before.map(said) != after.map(said) {
            act.close("stream_context", "stream = ?1 AND context = ?2", &[&id, &name.as_str()])?;
            if let Some((version, platforms, levels)) = after.map(said) {
                let insert = "INSERT INTO stream_context (stream, context, since, version, platforms, service_levels)
                              VALUES (?1, ?2, ?3, ?4, ?5, ?6)";
                let row = params![id, name.as_str(), act.log, version, platforms.to_string(), levels.to_string()];
                act.execute(insert, row)?;
            }
        }
        let (before, after) = (
            before.map_or(&none, |context| &context.packages),
            after.map_or(&none, |context| &context.packages),
        );
        for package in before.difference(after) {
            let condition = "stream = ?1 AND context = ?2 AND package = ?3";
            act.close("context_package", condition, &[&id, &name.as_str(), &package.as_str()])?;
        }
        for package in after.difference(before) {
            let insert = "INSERT INTO context_package (stream, context, package, since) VALUES (?1, ?2, ?3, ?4)";
            act.execute(insert, params![id, name.as_str(), package.as_str(), act.log])?;
        }
    }
    Ok(())
}

/// What `stream_obsoletes.subject` is for a context.
fn subject(context: Option<&ContextName>) -> String {
    context.map_or_else(String::new, |context| format!(":{context}"))
}

fn enter_obsoletes(act: &Act<'_>, id: i64, old: &[Obsoletes], new: &[Obsoletes]) -> Result<(), Fault> {
    for gone in old.iter().filter(|one| !new.contains(one)) {
        act.close(
            "stream_obsoletes",
            "stream = ?1 AND subject = ?2",
            &[&id, &subject(gone.context.as_ref())],
        )?;
    }
    for said in new.iter().filter(|one| !old.contains(one)) {
        let insert = "INSERT INTO stream_obsoletes (stream, subject, since, said) VALUES (?1, ?2, ?3, ?4)";
        act.execute(
            insert,
            params![id, subject(said.context.as_ref()), act.log, json!(said).to_string()],
        )?;
    }
    Ok(())
}

/// Enters what became of a stream: its packages apart, and those that come and go alone, because there are so many of them.
fn tell(
    act: &mut Act<'_>,
    distribution: &DistributionRow,
    path: &StreamPath,
    before: Option<&StreamDetails>,
    after: Option<&StreamDetails>,
) -> Result<(), Fault> {
    let said = |details: &StreamDetails| {
        let mut said = json!(details);
        if !details.contexts.is_empty() {
            let context = |(name, context): (&ContextName, &ContextDetails)| {
                let ContextDetails {
                    version,
                    platforms,
                    service_levels,
                    packages: _,
                } = context;
                let name = if name.as_str().is_empty() { "not-built" } else { name.as_str() };
                let mut said = json!({ "version": version, "platforms": platforms.to_string() });
                if !service_levels.is_empty() {
                    said["service_levels"] = json!(service_levels);
                }
                (name.to_owned(), said)
            };
            said["contexts"] = details.contexts.iter().map(context).collect::<serde_json::Map<_, _>>().into();
        }
        said
    };
    let packages = |details: Option<&StreamDetails>| -> BTreeSet<PackageName> {
        let contexts = details.into_iter().flat_map(|details| details.contexts.values());
        contexts.flat_map(|context| context.packages.iter().cloned()).collect()
    };
    let scope = Scope::Distribution(distribution);
    let (old, new) = (before.map(said), after.map(said));
    let (had, has) = (packages(before), packages(after));
    if old != new || had == has {
        act.changed(scope, "stream", path, old, new)?;
    }
    if had != has {
        let only = |these: &BTreeSet<PackageName>, those: &BTreeSet<PackageName>| {
            let only: Vec<&PackageName> = these.difference(those).collect();
            (!only.is_empty()).then(|| json!(only))
        };
        act.changed(scope, "stream-packages", path, only(&had, &has), only(&has, &had))?;
    }
    Ok(())
}

fn set_default(
    act: &mut Act<'_>,
    distribution: &DistributionName,
    module: &ModuleName,
    release: Option<&SeriesName>,
    stream: Option<&StreamName>,
) -> Result<(), Fault> {
    let distribution = act.view.distribution(distribution)?;
    let series = release.map(|release| {
        act.open_series(&SeriesPath {
            distribution: distribution.name.clone(),
            series: release.clone(),
        })
    });
    let series = series.transpose()?;
    let before = act.view.module_defaults(&distribution)?.remove(module).unwrap_or_default();
    let before = match release {
        Some(release) => before.releases.get(release).cloned(),
        None => before.everywhere,
    };
    if before.as_ref() == stream {
        return Ok(());
    }
    let collection = series.as_ref().map(|series| series.id);
    act.close(
        "module_default",
        "distribution = ?1 AND module = ?2 AND collection IS ?3",
        &[&distribution.id, &module.as_str(), &collection],
    )?;
    if let Some(stream) = stream {
        let insert = "INSERT INTO module_default (distribution, module, collection, stream, since) VALUES (?1, ?2, ?3, ?4, ?5)";
        act.execute(
            insert,
            params![distribution.id, module.as_str(), collection, stream.as_str(), act.log],
        )?;
    }
    let scope = match &series {
        Some(series) => Scope::Series(series),
        None => Scope::Distribution(&distribution),
    };
    act.changed(
        scope,
        "module-default",
        module,
        before.map(|stream| json!(stream)),
        stream.map(|stream| json!(stream)),
    )
}

fn path(row: &Row<'_>) -> rusqlite::Result<StreamPath> {
    Ok(StreamPath {
        module: parsed(row, 0)?,
        stream: parsed(row, 1)?,
    })
}

fn from_json<T: serde::de::DeserializeOwned>(row: &Row<'_>, column: usize) -> rusqlite::Result<T> {
    let text: String = row.get(column)?;
    serde_json::from_str(&text).map_err(|error| unreadable(column, error))
}

/// A question about what is said of streams in a table: of all of a distribution, or of one.
macro_rules! of_streams {
    ($columns:literal, $table:literal, $joins:literal) => {
        concat!(
            "SELECT module_stream.module, module_stream.name, ",
            $columns,
            " FROM module_stream JOIN ",
            $table,
            " ON ",
            $table,
            ".stream = module_stream.id ",
            $joins,
            " WHERE module_stream.distribution = ?2 AND (?3 IS NULL OR (module_stream.module = ?3 AND module_stream.name = ?4)) AND ",
            holds!($table)
        )
    };
}

impl View<'_> {
    fn stream_id(&self, distribution: &DistributionRow, path: &StreamPath) -> Result<Option<i64>, Fault> {
        let select = "SELECT id FROM module_stream WHERE distribution = ?1 AND module = ?2 AND name = ?3";
        self.one(
            select,
            params![distribution.id, path.module.as_str(), path.stream.as_str()],
            |row| row.get(0),
        )
    }

    /// The streams of the modules of a distribution.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn streams(&self, distribution: &DistributionRow) -> Result<BTreeMap<StreamPath, StreamDetails>, Fault> {
        self.select_streams(distribution, None)
    }

    /// All that is known of the modules of a distribution.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn known_modules(&self, distribution: &DistributionRow) -> Result<KnownModules, Fault> {
        Ok(KnownModules {
            streams: self.streams(distribution)?,
            defaults: self.module_defaults(distribution)?,
        })
    }

    /// A stream of a module.
    ///
    /// # Errors
    /// When there is none of that name, and when the database cannot be read.
    pub fn stream(&self, distribution: &DistributionRow, path: &StreamPath) -> Result<StreamDetails, Fault> {
        match self.select_streams(distribution, Some(path))?.remove(path) {
            Some(details) => Ok(details),
            None => {
                let known: Vec<String> = self.streams(distribution)?.keys().map(ToString::to_string).collect();
                Err(Refusal::NoStream {
                    distribution: distribution.name.clone(),
                    name: Unknown::new(path, known.iter().map(String::as_str)),
                }
                .into())
            }
        }
    }

    fn select_streams(
        &self,
        distribution: &DistributionRow,
        only: Option<&StreamPath>,
    ) -> Result<BTreeMap<StreamPath, StreamDetails>, Fault> {
        let (module, name) = (only.map(|path| path.module.as_str()), only.map(|path| path.stream.as_str()));
        let meant = params![self.at, distribution.id, module, name];
        let select = of_streams!(
            "stream_record.eol_date, collection.name",
            "stream_record",
            "LEFT JOIN collection ON collection.id = stream_record.eol_release"
        );
        let mut streams: BTreeMap<StreamPath, StreamDetails> = self.all(select, meant, |row| {
            let date: Option<Date> = optional(row, 2)?;
            let release: Option<SeriesName> = optional(row, 3)?;
            let details = StreamDetails {
                eol: date.map(StreamEol::Date).or(release.map(StreamEol::Release)),
                ..StreamDetails::default()
            };
            Ok((path(row)?, details))
        })?;
        let select = of_streams!(
            "stream_context.context, stream_context.version, stream_context.platforms, stream_context.service_levels",
            "stream_context",
            ""
        );
        let contexts: Vec<(StreamPath, ContextName, ContextDetails)> = self.all(select, meant, |row| {
            let details = ContextDetails {
                version: row.get(3)?,
                platforms: from_json(row, 4)?,
                service_levels: from_json(row, 5)?,
                packages: BTreeSet::new(),
            };
            Ok((path(row)?, parsed(row, 2)?, details))
        })?;
        for (path, context, details) in contexts {
            streams.entry(path).or_default().contexts.insert(context, details);
        }
        let select = of_streams!("context_package.context, context_package.package", "context_package", "");
        let packages: Vec<(StreamPath, ContextName, PackageName)> =
            self.all(select, meant, |row| Ok((path(row)?, parsed(row, 2)?, parsed(row, 3)?)))?;
        for (path, context, package) in packages {
            let contexts = &mut streams.entry(path).or_default().contexts;
            contexts.entry(context).or_default().packages.insert(package);
        }
        let select = of_streams!("stream_obsoletes.said", "stream_obsoletes", "");
        let obsoletes: Vec<(StreamPath, Obsoletes)> = self.all(select, meant, |row| Ok((path(row)?, from_json(row, 2)?)))?;
        for (path, said) in obsoletes {
            streams.entry(path).or_default().add_obsoletes(said);
        }
        Ok(streams)
    }

    /// The default streams of the modules of a distribution.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn module_defaults(&self, distribution: &DistributionRow) -> Result<BTreeMap<ModuleName, Defaults>, Fault> {
        let select = concat!(
            "SELECT module_default.module, collection.name, module_default.stream FROM module_default
             LEFT JOIN collection ON collection.id = module_default.collection WHERE module_default.distribution = ?2 AND ",
            holds!("module_default")
        );
        let rows: Vec<(ModuleName, Option<SeriesName>, StreamName)> = self.all(select, params![self.at, distribution.id], |row| {
            Ok((parsed(row, 0)?, optional(row, 1)?, parsed(row, 2)?))
        })?;
        let mut defaults: BTreeMap<ModuleName, Defaults> = BTreeMap::new();
        for (module, release, stream) in rows {
            let known = defaults.entry(module).or_default();
            match release {
                Some(release) => _ = known.releases.insert(release, stream),
                None => known.everywhere = Some(stream),
            }
        }
        Ok(defaults)
    }

    /// All that decides where the streams of a distribution are built. Its releases are its series, without those that were rejected and those that
    /// have no releases and lie over others.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn lifecycles(&self, distribution: &DistributionRow, today: Date) -> Result<Lifecycles, Fault> {
        let series = self.series_of(distribution)?.into_iter();
        let releases = series.filter_map(|row| {
            let name = row.path.series;
            let details = row.details;
            let is_picked = details.version == SeriesVersion::default() && !details.bases.is_empty();
            if details.status == CollectionStatus::Rejected || is_picked {
                return None;
            }
            let branch = details.branch.iter();
            let tags = branch.flat_map(|branch| [branch.name.as_str(), branch.dist_tag.as_str().trim_start_matches('.')]);
            let called = tags.chain([name.as_str()]).filter_map(|text| text.parse::<PlatformName>().ok());
            Some(Release {
                platforms: called.collect(),
                version: details.version,
                status: details.status,
                released: details.dates.get(&Milestone::RELEASED).copied(),
                eol: details.dates.get(&Milestone::EOL).copied(),
                name,
            })
        });
        Ok(Lifecycles {
            releases: Releases::new(releases),
            streams: self.streams(distribution)?,
            defaults: self.module_defaults(distribution)?,
            today,
        })
    }

    /// The traditional branches of the packages of a distribution: the series that list them, and those in which they are obsolete.
    ///
    /// # Errors
    /// When the database cannot be read.
    pub fn branches(&self, distribution: &DistributionRow) -> Result<BTreeMap<PackageName, Branches>, Fault> {
        let mut branches: BTreeMap<PackageName, Branches> = BTreeMap::new();
        for series in self.series_of(distribution)? {
            for listing in self.listings(&series)? {
                let known = branches.entry(listing.package).or_default();
                match listing.details.status {
                    ListingStatus::Approved => _ = known.listed.insert(series.path.series.clone()),
                    ListingStatus::Obsolete => _ = known.retired.insert(series.path.series.clone()),
                    _ => {}
                }
            }
        }
        Ok(branches)
    }
}
