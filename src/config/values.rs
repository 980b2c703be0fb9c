//! From single TOML values to the types of the configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::num::{NonZeroU32, NonZeroUsize};
use std::path::PathBuf;
use std::str::FromStr;

use toml::Spanned;
use toml::de::{DeString, DeValue};
use url::Url;

use super::error::ProblemKind;
use super::keys::Key;
use super::schedule::{CronRule, NoRule, SyncMode, Zone};
use super::{CommitPolicy, DesiredFormat, Fraction, Policy, ReadSets, TrackerName};
use crate::model::ProjectName;
use crate::model::packages::DistributionName;

type Value<T> = Result<T, ProblemKind>;

/// A text that is not empty.
pub(super) fn text(key: &Key, value: &DeValue<'_>) -> Value<String> {
    match value.as_str() {
        Some(text) if !text.trim().is_empty() => Ok(text.to_owned()),
        _ => Err(ProblemKind::wrong(key, value)),
    }
}

/// A path, as it stands.
pub(super) fn path(key: &Key, value: &DeValue<'_>) -> Value<PathBuf> {
    match value.as_str() {
        Some(text) if !text.is_empty() && !text.contains('\0') => Ok(PathBuf::from(text)),
        _ => Err(ProblemKind::wrong(key, value)),
    }
}

pub(super) fn tracker_name(key: &Key, value: &DeValue<'_>) -> Value<TrackerName> {
    value
        .as_str()
        .and_then(TrackerName::new)
        .ok_or_else(|| ProblemKind::wrong(key, value))
}

pub(super) fn distribution_name(key: &Key, value: &DeValue<'_>) -> Value<DistributionName> {
    let text = value.as_str().ok_or_else(|| ProblemKind::wrong(key, value))?;
    text.parse().map_err(|_| ProblemKind::wrong(key, value))
}

/// The address of a Patchwork site. A text that may hold a password is never repeated in a message.
pub(super) fn site(key: &Key, value: &DeValue<'_>) -> Value<Url> {
    let text = text(key, value)?;
    let mut url = Url::parse(&text).map_err(|error| ProblemKind::found(key, format!("a text that is no address ({error})")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ProblemKind::PasswordInUrl);
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ProblemKind::found(key, format!("an address that starts with `{}:`", url.scheme())));
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err(ProblemKind::found(key, "an address with a `?` or `#` in it"));
    }
    let path = url.path().trim_end_matches('/').to_owned();
    let site = match path.rsplit_once("/api") {
        Some((site, "")) => site,
        Some((site, version)) if is_version(version) => site,
        Some((_, rest)) if rest.starts_with('/') => return Err(ProblemKind::ApiInUrl),
        _ => &path,
    };
    url.set_path(&format!("{site}/"));
    Ok(url)
}

/// Whether this is what stands behind `/api` in the address of one version, such as `/1.3`.
fn is_version(text: &str) -> bool {
    text.strip_prefix('/')
        .is_some_and(|version| !version.is_empty() && version.chars().all(|letter| letter.is_ascii_digit() || letter == '.'))
}

/// The word that stands for a project in addresses. Patchwork makes sure of letters, digits, `-` and `_` now, but did not always.
pub(super) fn project(key: &Key, value: &DeValue<'_>) -> Value<ProjectName> {
    let illegal = |letter: char| letter.is_whitespace() || letter.is_control() || "/?#%&,\\".contains(letter);
    match value.as_str() {
        Some(text) if !text.is_empty() && !text.contains(illegal) => Ok(ProjectName(text.to_owned())),
        _ => Err(ProblemKind::wrong(key, value)),
    }
}

pub(super) fn policy(key: &Key, value: &DeValue<'_>) -> Value<Policy> {
    match value.as_str() {
        Some("additive") => Ok(Policy::Additive),
        Some("preserve") => Ok(Policy::Preserve),
        Some("authoritative") => Ok(Policy::Authoritative),
        _ => Err(ProblemKind::wrong(key, value)),
    }
}

pub(super) fn commit_policy(key: &Key, value: &DeValue<'_>) -> Value<CommitPolicy> {
    match value.as_str() {
        Some("off") => Ok(CommitPolicy::Off),
        Some("fill") => Ok(CommitPolicy::Fill),
        Some("overwrite") => Ok(CommitPolicy::Overwrite),
        _ => Err(ProblemKind::wrong(key, value)),
    }
}

pub(super) fn sync_mode(key: &Key, value: &DeValue<'_>) -> Value<SyncMode> {
    let found = [SyncMode::PlanOnly, SyncMode::Apply]
        .into_iter()
        .find(|mode| value.as_str() == Some(mode.as_str()));
    found.ok_or_else(|| ProblemKind::wrong(key, value))
}

pub(super) fn cron_rule(key: &Key, value: &DeValue<'_>) -> Value<CronRule> {
    let text = text(key, value)?;
    CronRule::new(&text).map_err(|NoRule(why)| ProblemKind::found(key, format!("{text:?} ({why})")))
}

/// The name of a time zone. Which there are is a matter of the machine.
pub(super) fn zone(key: &Key, value: &DeValue<'_>) -> Value<Zone> {
    value.as_str().and_then(Zone::new).ok_or_else(|| ProblemKind::wrong(key, value))
}

/// A command and its arguments.
pub(super) fn command(key: &Key, value: &DeValue<'_>) -> Value<Vec<String>> {
    let words: Vec<String> = list_of(key, value)?;
    let is_command = words.first().is_some_and(|command| !command.is_empty()) && !words.iter().any(|word| word.contains('\0'));
    if is_command {
        Ok(words)
    } else {
        Err(ProblemKind::wrong(key, value))
    }
}

pub(super) fn token_file(key: &Key, value: &DeValue<'_>) -> Value<PathBuf> {
    path(key, value).map_err(|_| ProblemKind::hidden(key))
}

/// The name of a variable, as POSIX has them.
pub(super) fn variable(key: &Key, value: &DeValue<'_>) -> Value<String> {
    let legal = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    match value.as_str() {
        Some(text) if text.chars().all(legal) && !text.starts_with(|first: char| first.is_ascii_digit()) && !text.is_empty() => {
            Ok(text.to_owned())
        }
        _ => Err(ProblemKind::hidden(key)),
    }
}

/// The name of a systemd credential: a file name, because systemd lays credentials down as files of one folder.
pub(super) fn credential(key: &Key, value: &DeValue<'_>) -> Value<String> {
    let illegal = |letter: char| letter.is_control() || letter.is_whitespace() || matches!(letter, '/' | ':');
    match value.as_str() {
        Some(text) if !matches!(text, "" | "." | "..") && !text.contains(illegal) => Ok(text.to_owned()),
        _ => Err(ProblemKind::hidden(key)),
    }
}

/// Whom to reach: it travels in a header, between parentheses.
pub(super) fn contact(key: &Key, value: &DeValue<'_>) -> Value<String> {
    let legal = |letter: char| (letter.is_ascii_graphic() || letter == ' ') && !matches!(letter, '(' | ')' | '\\');
    let text = text(key, value)?;
    if text.chars().all(legal) {
        Ok(text)
    } else {
        Err(ProblemKind::wrong(key, value))
    }
}

pub(super) fn format(key: &Key, value: &DeValue<'_>) -> Value<DesiredFormat> {
    match value.as_str() {
        Some("pasta") => Ok(DesiredFormat::Pasta),
        Some("ids") => Ok(DesiredFormat::Ids),
        _ => Err(ProblemKind::wrong(key, value)),
    }
}

/// A whole number that fits 32 bits: far more than any of these limits needs, and safe to hand to any library.
pub(super) fn count(key: &Key, value: &DeValue<'_>) -> Value<u32> {
    value
        .as_integer()
        .and_then(|number| u32::from_str_radix(number.as_str(), number.radix()).ok())
        .ok_or_else(|| ProblemKind::wrong(key, value))
}

pub(super) fn at_least_one(key: &Key, value: &DeValue<'_>) -> Value<NonZeroU32> {
    NonZeroU32::new(count(key, value)?).ok_or_else(|| ProblemKind::wrong(key, value))
}

pub(super) fn at_least_one_at_once(key: &Key, value: &DeValue<'_>) -> Value<NonZeroUsize> {
    NonZeroUsize::try_from(at_least_one(key, value)?).map_err(|_| ProblemKind::wrong(key, value))
}

/// Less than whoever watches over the daemon waits for a sign of life.
pub(super) fn up_to_two_minutes(key: &Key, value: &DeValue<'_>) -> Value<NonZeroU32> {
    let seconds = at_least_one(key, value)?;
    if seconds.get() > 120 {
        return Err(ProblemKind::wrong(key, value));
    }
    Ok(seconds)
}

pub(super) fn at_least_two(key: &Key, value: &DeValue<'_>) -> Value<u32> {
    match count(key, value)? {
        0 | 1 => Err(ProblemKind::wrong(key, value)),
        size => Ok(size),
    }
}

/// A share of a whole; 0 and 1 may be written without a point.
pub(super) fn fraction(key: &Key, value: &DeValue<'_>) -> Value<Fraction> {
    let number = match value {
        DeValue::Float(float) => float.as_str().parse().ok(),
        DeValue::Integer(_) => count(key, value).ok().map(f64::from),
        _ => None,
    };
    number.and_then(Fraction::new).ok_or_else(|| ProblemKind::wrong(key, value))
}

pub(super) fn read_sets(key: &Key, value: &DeValue<'_>) -> Value<ReadSets> {
    let found = ReadSets::ALL
        .into_iter()
        .find(|read_sets| value.as_str() == Some(read_sets.as_str()));
    found.ok_or_else(|| ProblemKind::wrong(key, value))
}

/// A text that means something.
pub(super) fn parsed<T: FromStr>(key: &Key, value: &DeValue<'_>) -> Value<T> {
    let text = value.as_str().ok_or_else(|| ProblemKind::wrong(key, value))?;
    text.parse().map_err(|_| ProblemKind::wrong(key, value))
}

/// A list of texts that mean something, in their order.
pub(super) fn list_of<T: FromStr>(key: &Key, value: &DeValue<'_>) -> Value<Vec<T>> {
    let elements = value.as_array().ok_or_else(|| ProblemKind::wrong(key, value))?;
    elements.iter().map(|element| parsed(key, element.get_ref())).collect()
}

/// A list of different texts that mean something.
pub(super) fn set_of<T: FromStr + Ord>(key: &Key, value: &DeValue<'_>) -> Value<BTreeSet<T>> {
    let elements = value.as_array().ok_or_else(|| ProblemKind::wrong(key, value))?;
    elements.iter().map(|element| parsed(key, element.get_ref())).collect()
}

/// The same, of at least one.
pub(super) fn some_of<T: FromStr + Ord>(key: &Key, value: &DeValue<'_>) -> Value<BTreeSet<T>> {
    let set = set_of(key, value)?;
    if set.is_empty() {
        Err(ProblemKind::wrong(key, value))
    } else {
        Ok(set)
    }
}

/// A table of texts by texts.
pub(super) fn table_of<K: FromStr + Ord, V: FromStr>(key: &Key, value: &DeValue<'_>) -> Value<BTreeMap<K, V>> {
    let table = value.as_table().ok_or_else(|| ProblemKind::wrong(key, value))?;
    let entry = |(name, value): (&Spanned<DeString<'_>>, &Spanned<DeValue<'_>>)| {
        let name = name
            .get_ref()
            .parse()
            .map_err(|_| ProblemKind::found(key, format!("a table with the key {:?}", name.get_ref())))?;
        Ok((name, parsed(key, value.get_ref())?))
    };
    table.iter().map(entry).collect()
}

/// The address of a service, or of a folder on a server, with a slash at its end.
pub(super) fn service(key: &Key, value: &DeValue<'_>) -> Value<Url> {
    let mut url = file_on_a_server(key, value)?;
    if !url.path().ends_with('/') {
        let path = format!("{}/", url.path());
        url.set_path(&path);
    }
    Ok(url)
}

/// The address of a file; a password in it would be shown.
pub(super) fn file_on_a_server(key: &Key, value: &DeValue<'_>) -> Value<Url> {
    let text = text(key, value)?;
    let url = Url::parse(&text).map_err(|error| ProblemKind::found(key, format!("a text that is no address ({error})")))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err(ProblemKind::PasswordInUrl);
    }
    if !matches!(url.scheme(), "http" | "https") {
        return Err(ProblemKind::found(key, format!("an address that starts with `{}:`", url.scheme())));
    }
    Ok(url)
}

pub(super) fn boolean(key: &Key, value: &DeValue<'_>) -> Value<bool> {
    value.as_bool().ok_or_else(|| ProblemKind::wrong(key, value))
}
