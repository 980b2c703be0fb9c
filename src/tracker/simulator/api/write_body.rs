//! What the body of a `PATCH` or `PUT` of a patch asks for.

use serde::Serialize;
use url::form_urlencoded;

use super::python;
use super::python_json::{self, Json, JsonError};
use crate::model::PatchId;

/// The states of a fresh Patchwork, in its order.
const STATES: [&str; 10] = [
    "new",
    "under-review",
    "accepted",
    "rejected",
    "rfc",
    "not-applicable",
    "changes-requested",
    "awaiting-upstream",
    "superseded",
    "deferred",
];
/// The state of every simulated patch.
pub(super) const STATE: &str = STATES[0];
/// Fields that Patchwork lets maintainers write, and this simulator does not.
const OTHER_WRITABLE: [&str; 2] = ["archived", "pull_url"];
/// No commit may be written down with more characters.
const LONGEST_COMMIT_REF: usize = 255;

/// What a body asks for. What it does not ask for stays as it is.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Changes {
    /// What is to become of the patch's relation.
    pub(super) related: Option<Vec<PatchId>>,
    /// What is to become of its commit.
    pub(super) commit_ref: Option<Option<String>>,
    /// Whether it is to be nobody's to look after.
    pub(super) undelegates: bool,
}

/// Which fields must be there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Update {
    /// `PATCH`: what is not named stays.
    Partial,
    /// `PUT`: `state` and `delegate` must be named, and a `related` that is not named is empty.
    Full,
}

/// Why a body asks for nothing that could be done.
#[derive(Debug)]
pub(super) enum BodyError {
    /// A media type that Patchwork does not read.
    MediaType(String),
    /// 400 with one `detail`.
    Malformed(String),
    /// 400 with a list of `detail`.
    NotADict(String),
    /// 400 with what is wrong with each field.
    Fields(FieldErrors),
    /// Patchwork fails.
    Crash,
    /// Patchwork would do it.
    NotSimulated(&'static str),
}

/// What is wrong with the fields of a body, in the order in which Patchwork tells.
#[derive(Debug, Serialize)]
pub(super) struct FieldErrors {
    #[serde(skip_serializing_if = "Option::is_none")]
    commit_ref: Option<[String; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    state: Option<[String; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    delegate: Option<[String; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    related: Option<[String; 1]>,
}

impl FieldErrors {
    fn is_any(&self) -> bool {
        self.commit_ref.is_some() || self.state.is_some() || self.delegate.is_some() || self.related.is_some()
    }
}

enum FieldError {
    Refused(String),
    Crash,
    NotSimulated(&'static str),
}

/// Reads what a body asks for.
pub(super) fn read(body: &[u8], media_type: &str, update: Update, exists: impl Fn(PatchId) -> bool) -> Result<Changes, BodyError> {
    let entries = entries(body, media_type)?;
    let field = |name: &str| entries.iter().find(|(key, _)| key == name).map(|(_, value)| value);
    let (commit_ref, commit_ref_refusal) = outcome(field("commit_ref").map(commit_ref).transpose())?;
    let (_, state_refusal) = outcome(state(field("state"), update))?;
    let (undelegates, delegate_refusal) = outcome(delegate(field("delegate"), update))?;
    let (related, related_refusal) = outcome(field("related").map(|value| related(value, exists)).transpose())?;
    let errors = FieldErrors {
        commit_ref: commit_ref_refusal,
        state: state_refusal,
        delegate: delegate_refusal,
        related: related_refusal,
    };
    if errors.is_any() {
        return Err(BodyError::Fields(errors));
    }
    if OTHER_WRITABLE.iter().any(|name| field(name).is_some()) {
        return Err(BodyError::NotSimulated(
            "it writes no fields of a patch other than `related` and `commit_ref`",
        ));
    }
    let related = related.flatten();
    Ok(Changes {
        related: match update {
            Update::Partial => related,
            Update::Full => Some(related.unwrap_or_default()),
        },
        commit_ref: commit_ref.flatten(),
        undelegates: undelegates.unwrap_or_default(),
    })
}

fn entries(body: &[u8], media_type: &str) -> Result<Vec<(String, Json)>, BodyError> {
    if body.is_empty() {
        return Ok(Vec::new());
    }
    match media_type
        .split(';')
        .next()
        .unwrap_or_default()
        .trim()
        .to_ascii_lowercase()
        .as_str()
    {
        "application/json" | "application/*" | "*/*" => {}
        "application/x-www-form-urlencoded" => return Ok(form_entries(body)),
        "multipart/form-data" => return Err(BodyError::NotSimulated("it reads no multipart forms")),
        _ => return Err(BodyError::MediaType(media_type.to_owned())),
    }
    match python_json::read(body) {
        Ok(Json::Dict(entries)) => Ok(entries),
        Ok(Json::Null) => Err(BodyError::NotADict("No data provided".to_owned())),
        Ok(other) => Err(BodyError::NotADict(format!(
            "Invalid data. Expected a dictionary, but got {}.",
            other.type_name()
        ))),
        Err(JsonError::Refused(words)) => Err(BodyError::Malformed(format!("JSON parse error - {words}"))),
        Err(JsonError::Crash) => Err(BodyError::Crash),
    }
}

/// Of a form, `related` is the list of all its mentions, and every other field its last.
fn form_entries(body: &[u8]) -> Vec<(String, Json)> {
    let pairs: Vec<(String, String)> = form_urlencoded::parse(body).into_owned().collect();
    let (related, others): (Vec<_>, Vec<_>) = pairs.into_iter().partition(|(name, _)| name == "related");
    let mut entries: Vec<(String, Json)> = others.into_iter().rev().map(|(name, value)| (name, Json::Str(value))).collect();
    if !related.is_empty() {
        entries.push((
            "related".to_owned(),
            Json::List(related.into_iter().map(|(_, value)| Json::Str(value)).collect()),
        ));
    }
    entries
}

/// What a field says, or what is wrong with it.
fn outcome<T>(read: Result<T, FieldError>) -> Result<(Option<T>, Option<[String; 1]>), BodyError> {
    match read {
        Ok(value) => Ok((Some(value), None)),
        Err(FieldError::Refused(words)) => Ok((None, Some([words]))),
        Err(FieldError::Crash) => Err(BodyError::Crash),
        Err(FieldError::NotSimulated(what)) => Err(BodyError::NotSimulated(what)),
    }
}

fn required(update: Update) -> Result<(), FieldError> {
    match update {
        Update::Partial => Ok(()),
        Update::Full => Err(FieldError::Refused("This field is required.".to_owned())),
    }
}

fn commit_ref(value: &Json) -> Result<Option<String>, FieldError> {
    let refused = |words: String| Err(FieldError::Refused(words));
    let text = match value {
        Json::Null => return Ok(None),
        Json::Str(_) | Json::Int(_) | Json::Float(_) => value.shown(),
        Json::Bool(_) | Json::List(_) | Json::Dict(_) => return refused("Not a valid string.".to_owned()),
    };
    let text = python::strip(&text);
    if text.chars().count() > LONGEST_COMMIT_REF {
        return refused(format!("Ensure this field has no more than {LONGEST_COMMIT_REF} characters."));
    }
    if text.contains('\0') {
        return refused("Null characters are not allowed.".to_owned());
    }
    Ok(Some(text.to_owned()))
}

fn state(value: Option<&Json>, update: Update) -> Result<(), FieldError> {
    let name = match value {
        None => return required(update),
        Some(Json::Null) => return Err(FieldError::Refused("This field may not be null.".to_owned())),
        Some(Json::Str(text)) => text.trim().to_lowercase().replace(' ', "-"),
        Some(_) => return Err(FieldError::Crash),
    };
    if !STATES.contains(&name.as_str()) {
        let known = STATES.join(", ");
        return Err(FieldError::Refused(format!("Invalid state {name}. Expected one of: {known}.")));
    }
    if name == STATE {
        Ok(())
    } else {
        Err(FieldError::NotSimulated("its patches stay in the state `new`"))
    }
}

fn delegate(value: Option<&Json>, update: Update) -> Result<bool, FieldError> {
    match value {
        None => required(update).map(|()| false),
        Some(Json::Null) => Ok(true),
        Some(_) => Err(FieldError::NotSimulated("it makes nobody the delegate of a patch")),
    }
}

/// Patchwork's reading of `related`: the items one after the other, up to the first that is none. A dictionary counts as the list of its
/// keys.
fn related(value: &Json, exists: impl Fn(PatchId) -> bool) -> Result<Vec<PatchId>, FieldError> {
    let keys: Vec<Json>;
    let items = match value {
        Json::List(items) => items,
        Json::Dict(entries) => {
            keys = entries.iter().map(|(key, _)| Json::Str(key.clone())).collect();
            &keys
        }
        Json::Null => return Err(FieldError::Refused("This field may not be null.".to_owned())),
        other => {
            return Err(FieldError::Refused(format!(
                "Expected a list of items but got type \"{}\".",
                other.type_name()
            )));
        }
    };
    items.iter().map(|item| existing_patch(item, &exists)).collect()
}

fn existing_patch(item: &Json, exists: impl Fn(PatchId) -> bool) -> Result<PatchId, FieldError> {
    let number = match item {
        Json::Int(text) => python::int(text),
        Json::Str(text) => Some(python::int(text).ok_or_else(|| wrong_type(item))?),
        Json::Float(number) if number.is_infinite() => return Err(FieldError::Crash),
        Json::Float(number) => python::int(&format!("{:.0}", number.trunc())),
        Json::Null => None,
        Json::Bool(_) | Json::List(_) | Json::Dict(_) => return Err(wrong_type(item)),
    };
    number
        .and_then(|number| u64::try_from(number).ok())
        .map(PatchId)
        .filter(|&patch| exists(patch))
        .ok_or_else(|| FieldError::Refused(no_such_patch(&item.shown())))
}

fn wrong_type(item: &Json) -> FieldError {
    FieldError::Refused(format!("Incorrect type. Expected pk value, received {}.", item.type_name()))
}

/// What Patchwork says of a number that is no patch's.
pub(super) fn no_such_patch(shown: &str) -> String {
    format!("Invalid pk \"{shown}\" - object does not exist.")
}
