//! One document about modules.

use std::collections::{BTreeMap, BTreeSet};

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::ReadError;
use super::fields::Field;
use super::index::DefaultStream;
use crate::model::packages::modules::{ContextDetails, Obsoletes, Platforms, StreamPath};
use crate::model::packages::{ContextName, ModuleName, PackageName, StreamName};

const DATE: &str = "a date, as 2020-03-19";
const MODULE: &str = "the name of a module";
const STREAM: &str = "the name of a stream, which has no white space and no `:`";
const PACKAGE: &str = "the name of a package";
const TIME: &str = "a time in UTC, as 2020-03-19T00:00Z";

/// What a document says.
pub(super) enum Document {
    /// Of a stream, in some contexts.
    Stream(StreamPath, Vec<(ContextName, ContextDetails)>),
    /// Of the default stream of a module.
    Defaults(ModuleName, DefaultStream),
    /// Of the end of a stream.
    Obsoletes(StreamPath, Obsoletes),
    /// Nothing that bears on lifecycles.
    Irrelevant,
    /// Something that kinset does not know.
    Unknown { document: String, version: String },
}

/// Reads a document. `unnamed` is the stream that is meant where one does not say which it is of.
pub(super) fn read(document: &Field<'_>, unnamed: Option<&StreamPath>) -> Result<Document, ReadError> {
    let kind = document.get("document", "the kind of the document, as modulemd")?;
    let version = document.get("version", "a version")?;
    let data = || document.get("data", "what the document says");
    match (kind.text()?, version.text()?) {
        ("modulemd", "1") => stream_v1(&data()?, unnamed),
        ("modulemd" | "modulemd-stream" | "modulemd-packager", "2") => stream_v2(&data()?, unnamed),
        ("modulemd-packager", "3") => packager_v3(&data()?, unnamed),
        ("modulemd-defaults", "1") => defaults(&data()?),
        ("modulemd-obsoletes", "1") => obsoletes(&data()?),
        ("modulemd-translations", "1") => Ok(Document::Irrelevant),
        (kind, version) => Ok(Document::Unknown {
            document: kind.to_owned(),
            version: version.to_owned(),
        }),
    }
}

fn path(data: &Field<'_>, module: &str) -> Result<StreamPath, ReadError> {
    Ok(StreamPath {
        module: data.get(module, MODULE)?.parsed(MODULE)?,
        stream: stream_name(&data.get("stream", STREAM)?)?,
    })
}

/// The stream that a document is of. Packagers leave that to the name of the repository and of its branch.
fn named(data: &Field<'_>, unnamed: Option<&StreamPath>) -> Result<StreamPath, ReadError> {
    let Some(StreamPath { module, stream }) = unnamed else {
        return path(data, "name");
    };
    let said = (data.find("name")?, data.find("stream")?);
    Ok(StreamPath {
        module: said.0.map_or_else(|| Ok(module.clone()), |name| name.parsed(MODULE))?,
        stream: said.1.map_or_else(|| Ok(stream.clone()), |name| stream_name(&name))?,
    })
}

fn stream_name(field: &Field<'_>) -> Result<StreamName, ReadError> {
    field.text()?.parse().map_err(|_| field.error(STREAM))
}

fn context(data: &Field<'_>) -> Result<ContextName, ReadError> {
    let context = data.find("context")?;
    let context = context.map(|context| context.parsed("a context: letters, digits, `+`, `-`, `.` and `_`"));
    Ok(context.transpose()?.unwrap_or_default())
}

fn version(data: &Field<'_>) -> Result<u64, ReadError> {
    let version = data.find("version")?.map(|version| version.parsed("a version: a whole number"));
    Ok(version.transpose()?.unwrap_or_default())
}

/// A list of dependencies, each with what is needed to build and what is needed to run.
fn stream_v2(data: &Field<'_>, unnamed: Option<&StreamPath>) -> Result<Document, ReadError> {
    let mut platforms: Option<Platforms> = None;
    for alternative in data.find("dependencies")?.map_or_else(|| Ok(Vec::new()), |list| list.items())? {
        let these = platform_of(&alternative)?;
        platforms = Some(match platforms {
            Some(others) => others.or(these),
            None => these,
        });
    }
    let mut service_levels = BTreeMap::new();
    if let Some(levels) = data.find("servicelevels")? {
        for (level, field) in levels.entries()? {
            let eol = field.find("eol")?.map(|eol| eol.parsed(DATE)).transpose()?;
            service_levels.insert(level.to_owned(), eol);
        }
    }
    let details = ContextDetails {
        version: version(data)?,
        platforms: platforms.unwrap_or_default(),
        service_levels,
        packages: packages(data)?,
    };
    Ok(Document::Stream(named(data, unnamed)?, vec![(context(data)?, details)]))
}

/// The releases that one of several alternatives is for: where it runs, and if that is not said, where it is built.
fn platform_of(alternative: &Field<'_>) -> Result<Platforms, ReadError> {
    for key in ["requires", "buildrequires"] {
        let Some(needed) = alternative.find(key)? else { continue };
        let entries = needed.entries()?;
        if let Some((_, platform)) = entries.iter().find(|(module, _)| *module == "platform") {
            return platforms(platform);
        }
    }
    Ok(Platforms::All)
}

fn platforms(field: &Field<'_>) -> Result<Platforms, ReadError> {
    let items = field.items()?;
    let words: Vec<&str> = items.iter().map(Field::text).collect::<Result<_, _>>()?;
    Platforms::from_words(words).map_err(|error| field.error(format!("platforms, as f29 or -f29 ({error})")))
}

/// The first version: what is needed has one stream each, and there is one end.
fn stream_v1(data: &Field<'_>, unnamed: Option<&StreamPath>) -> Result<Document, ReadError> {
    let platforms = match data.find("dependencies")? {
        Some(dependencies) => platform_of(&dependencies)?,
        None => Platforms::All,
    };
    let eol: Option<Date> = data.find("eol")?.map(|eol| eol.parsed(DATE)).transpose()?;
    let details = ContextDetails {
        version: version(data)?,
        platforms,
        // libmodulemd's name for the end of the first version.
        service_levels: eol.map(|eol| ("rawhide".to_owned(), Some(eol))).into_iter().collect(),
        packages: packages(data)?,
    };
    Ok(Document::Stream(named(data, unnamed)?, vec![(context(data)?, details)]))
}

/// What packagers write since the third version: a context for each configuration, with one platform each.
fn packager_v3(data: &Field<'_>, unnamed: Option<&StreamPath>) -> Result<Document, ReadError> {
    let packages = packages(data)?;
    let mut contexts = Vec::new();
    for configuration in data.get("configurations", "a list of configurations")?.items()? {
        let platform = configuration.get("platform", "a platform, as f29")?;
        let details = ContextDetails {
            platforms: platforms(&platform)?,
            packages: packages.clone(),
            ..ContextDetails::default()
        };
        contexts.push((context(&configuration)?, details));
    }
    Ok(Document::Stream(named(data, unnamed)?, contexts))
}

fn packages(data: &Field<'_>) -> Result<BTreeSet<PackageName>, ReadError> {
    let mut packages = BTreeSet::new();
    let components = data.find("components")?;
    let rpms = components.map(|components| components.find("rpms")).transpose()?.flatten();
    for (package, field) in rpms.map_or_else(|| Ok(Vec::new()), |rpms| rpms.entries())? {
        let name = match field.find("name")? {
            Some(name) => name.parsed(PACKAGE)?,
            None => package.parse().map_err(|_| field.error(PACKAGE))?,
        };
        packages.insert(name);
    }
    Ok(packages)
}

fn defaults(data: &Field<'_>) -> Result<Document, ReadError> {
    let modified = data.find("modified")?.map(|modified| modified.parsed("a number, as 201812071200"));
    let stream = data.find("stream")?.map(|stream| stream_name(&stream));
    let defaults = DefaultStream {
        modified: modified.transpose()?.unwrap_or_default(),
        stream: stream.transpose()?,
        is_contradicted: false,
    };
    Ok(Document::Defaults(data.get("module", MODULE)?.parsed(MODULE)?, defaults))
}

fn obsoletes(data: &Field<'_>) -> Result<Document, ReadError> {
    let reset = data.find("reset")?.map(|reset| reset.truth()).transpose()?.unwrap_or_default();
    let eol = data.find("eol_date")?;
    if let (true, Some(eol)) = (reset, &eol) {
        return Err(eol.error("no end where what was said is taken back"));
    }
    let date = |field: Field<'_>| Ok::<_, ReadError>(field.parsed::<Timestamp>(TIME)?.to_zoned(TimeZone::UTC).date());
    let obsoletes = Obsoletes {
        modified: data.get("modified", TIME)?.parsed(TIME)?,
        context: data.find("context")?.map(|context| context.parsed("a context")).transpose()?,
        reset,
        eol: eol.map(date).transpose()?,
        message: data.get("message", "a text")?.text()?.to_owned(),
        obsoleted_by: data.find("obsoleted_by")?.map(|by| path(&by, "module")).transpose()?,
    };
    Ok(Document::Obsoletes(path(data, "module")?, obsoletes))
}
