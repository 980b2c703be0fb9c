//! Launchpad's API, as far as kinset asks it, in the shapes and with the whims that were recorded of it.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard};

use serde_json::{Value, json};

use super::service::{Asked, Reply, Service, fingerprint};

/// What stands in a field that is hidden.
pub(crate) const REDACTED: &str = "tag:launchpad.net:2008:redacted";

/// What Launchpad knows.
#[derive(Default)]
pub(crate) struct World {
    pub(crate) current: String,
    /// In no order that means anything.
    pub(crate) series: Vec<Series>,
    pub(crate) sets: Vec<Set>,
    pub(crate) permissions: Vec<Value>,
    /// Teams with who takes part in them, teams in teams included; everybody else is a person.
    pub(crate) teams: BTreeMap<String, Vec<String>>,
    /// Rows of permissions that are left out without a word, by their place.
    pub(crate) hidden_permissions: Vec<usize>,
    /// Where the next page of every list is said to be, in place of where it is.
    pub(crate) next_page: Option<String>,
    /// The ids of package sets that are left out of the lists of series.
    pub(crate) hidden_sets: Vec<u64>,
    /// Accounts whose pages are not for whoever asks.
    pub(crate) hidden_people: Vec<String>,
    /// What stands in fields of entries in place of what they hold, by the entry's path.
    pub(crate) overlaid: BTreeMap<String, Value>,
}

pub(crate) struct Series {
    pub(crate) name: String,
    pub(crate) version: String,
    pub(crate) status: String,
    pub(crate) released: Option<String>,
}

pub(crate) struct Set {
    pub(crate) id: u64,
    pub(crate) series: String,
    pub(crate) name: String,
    pub(crate) owner: String,
    pub(crate) description: String,
    pub(crate) group: u64,
    pub(crate) sources: Vec<String>,
    pub(crate) subsets: Vec<String>,
}

pub(crate) struct Launchpad(Mutex<World>);

/// A permission; `target` has the fields that tell what it is on.
pub(crate) fn permission(person: &str, target: &Value) -> Value {
    let mut row = json!({
        "permission": "Archive Upload Rights", "person": person, "component_name": null, "source_package_name": null,
        "package_set_name": null, "pocket": null, "explicit": false, "distro_series_name": null, "date_created": "2010-02-03T04:05:06+00:00",
    });
    for (name, value) in target.as_object().unwrap() {
        row[name] = value.clone();
    }
    row
}

impl Launchpad {
    pub(crate) const fn new(world: World) -> Self {
        Self(Mutex::new(world))
    }

    pub(crate) fn world(&self) -> MutexGuard<'_, World> {
        self.0.lock().unwrap()
    }
}

impl World {
    pub(crate) fn add_series(&mut self, name: &str, version: &str, status: &str) {
        let released =
            matches!(status, "Supported" | "Obsolete" | "Current Stable Release").then(|| "2024-04-25T13:37:00+00:00".to_owned());
        let (name, version, status) = (name.to_owned(), version.to_owned(), status.to_owned());
        self.series.push(Series {
            name,
            version,
            status,
            released,
        });
    }

    pub(crate) fn add_set(&mut self, series: &str, name: &str, group: u64, sources: &[&str], subsets: &[&str]) {
        let names = |names: &[&str]| names.iter().copied().map(str::to_owned).collect();
        self.sets.push(Set {
            id: self.sets.len() as u64 + 1,
            series: series.to_owned(),
            name: name.to_owned(),
            owner: "techboard".to_owned(),
            description: format!("All of {name}"),
            group,
            sources: names(sources),
            subsets: names(subsets),
        });
    }

    pub(crate) fn set(&mut self, series: &str, name: &str) -> &mut Set {
        let set = self.sets.iter_mut().find(|set| set.series == series && set.name == name);
        set.unwrap()
    }

    fn overlay(&self, path: &str, mut entry: Value) -> Value {
        for (name, value) in self.overlaid.get(path).and_then(Value::as_object).into_iter().flatten() {
            if value == "absent" {
                entry.as_object_mut().unwrap().remove(name);
            } else {
                entry[name] = value.clone();
            }
        }
        entry
    }

    fn series_entry(&self, root: &str, series: &Series) -> Value {
        let Series {
            name,
            version,
            status,
            released,
        } = series;
        let path = format!("/ubuntu/{name}");
        let entry = json!({
            "self_link": format!("{root}{path}"), "resource_type_link": format!("{root}/#distro_series"), "name": name, "version": version,
            "title": format!("The {name} release"), "displayname": name, "fullseriesname": format!("Ubuntu {name}"), "status": status,
            "datereleased": released, "date_created": "2005-01-01T00:00:00+00:00", "active": true, "supported": status == "Supported",
            "distribution_link": format!("{root}/ubuntu"), "owner_link": format!("{root}/~techboard"), "driver_link": null,
        });
        self.overlay(&path, entry)
    }

    fn set_entry(&self, root: &str, set: &Set) -> Value {
        let Set {
            id,
            series,
            name,
            owner,
            description,
            ..
        } = set;
        let path = format!("/package-sets/ubuntu/{series}/{name}");
        let entry = json!({
            "self_link": format!("{root}{path}"), "resource_type_link": format!("{root}/#packageset"), "id": id, "name": name,
            "description": description, "date_created": format!("2010-01-{:02}T00:00:00.123456+00:00", id % 28 + 1),
            "owner_link": format!("{root}/~{owner}"), "distroseries_link": format!("{root}/ubuntu/{series}"), "relative_build_score": 0,
        });
        let mut entry = self.overlay(&path, entry);
        // Of the entry's own fields only: what is in the set is none of them.
        entry["http_etag"] = format!("\"{:x}\"", fingerprint(entry.to_string().as_bytes())).into();
        entry
    }

    fn person_entry(&self, root: &str, name: &str) -> Value {
        let path = format!("/~{name}");
        let is_team = self.teams.contains_key(name);
        let entry = json!({
            "self_link": format!("{root}{path}"), "id": REDACTED, "name": name, "display_name": name, "is_team": is_team,
            "participants_collection_link": format!("{root}{path}/participants"), "http_etag": "\"e\"",
        });
        self.overlay(&path, entry)
    }

    fn permission_entry(&self, root: &str, row: &Value) -> Value {
        let mut entry = row.clone();
        let person = entry.as_object_mut().unwrap().remove("person").unwrap();
        let person = person.as_str().unwrap();
        let (kind, item) = ["package_set_name", "component_name", "source_package_name", "pocket"]
            .into_iter()
            .find_map(|kind| Some((kind, row[kind].as_str()?)))
            .unwrap();
        let named = if person == REDACTED { "somebody" } else { person };
        let path = format!("/ubuntu/+archive/primary/+upload/{named}?type={kind}&item={item}");
        entry["self_link"] = format!("{root}{path}").into();
        entry["archive_link"] = format!("{root}/ubuntu/+archive/primary").into();
        entry["person_link"] = if person == REDACTED {
            REDACTED.into()
        } else {
            format!("{root}/~{person}").into()
        };
        self.overlay(&path, entry)
    }

    fn related(&self, set: &Set) -> impl Iterator<Item = &Set> {
        let (id, group) = (set.id, set.group);
        self.sets.iter().filter(move |other| other.group == group && other.id != id)
    }
}

/// A page of rows; a row that is hidden is `None`. What counts its rows at once is a collection, an operation only does at its end.
fn page(world: &World, asked: &Asked, rows: &[Option<Value>], is_collection: bool) -> Reply {
    let number = |name: &str, default: usize| asked.argument(name).map_or(default, |text| text.parse().unwrap());
    let (size, start) = (number("ws.size", 75), number("ws.start", 0));
    if size > 300 {
        return Reply::text(400, "Maximum for batch size is 300.");
    }
    let is_last = start + size >= rows.len();
    let mut body = json!({
        "start": start,
        "entries": rows.iter().skip(start).take(size).flatten().collect::<Vec<_>>(),
    });
    let with = |arguments: &[(&str, String)]| {
        let mut url = asked.url.clone();
        let kept: Vec<(String, String)> = url
            .query_pairs()
            .into_owned()
            .filter(|(name, _)| !matches!(name.as_str(), "ws.start" | "memo"))
            .collect();
        url.query_pairs_mut().clear().extend_pairs(kept).extend_pairs(arguments);
        url.to_string()
    };
    if is_collection || is_last {
        body["total_size"] = rows.len().into();
    } else {
        body["total_size_link"] = with(&[("ws.show", "total_size".to_owned())]).into();
    }
    if is_collection {
        body["resource_type_link"] = "http://example.org/#page".into();
    }
    if !is_last {
        let next = (start + size).to_string();
        let next = with(&[("memo", next.clone()), ("ws.start", next)]);
        body["next_collection_link"] = world.next_page.clone().unwrap_or(next).into();
    }
    Reply::json(&body)
}

impl Service for Launchpad {
    fn answer(&self, asked: &Asked) -> Reply {
        let world = self.world();
        let root = format!("{}/devel", &asked.url[..url::Position::BeforePath]);
        let root = root.as_str();
        let Some(path) = asked.url.path().strip_prefix("/devel") else {
            return Reply::text(404, "no such version");
        };
        let shown = |rows: Vec<Value>| rows.into_iter().map(Some).collect::<Vec<_>>();
        let operation = asked.argument("ws.op");
        match (path, operation.as_deref()) {
            ("/ubuntu", None) => {
                let entry = json!({
                    "name": "ubuntu", "series_collection_link": format!("{root}/ubuntu/series"),
                    "current_series_link": format!("{root}/ubuntu/{}", world.current),
                    "main_archive_link": format!("{root}/ubuntu/+archive/primary"), "http_etag": "\"e\"",
                });
                Reply::json(&world.overlay(path, entry))
            }
            ("/ubuntu/series", None) => {
                let rows = world.series.iter().map(|series| world.series_entry(root, series)).collect();
                page(&world, asked, &shown(rows), true)
            }
            ("/package-sets", Some("getBySeries")) => {
                let series = asked.argument("distroseries").unwrap();
                let of_series = |set: &&Set| series.ends_with(&format!("/ubuntu/{}", set.series));
                let rows = world.sets.iter().filter(of_series).map(|set| {
                    let is_hidden = world.hidden_sets.contains(&set.id);
                    (!is_hidden).then(|| world.set_entry(root, set))
                });
                page(&world, asked, &rows.collect::<Vec<_>>(), false)
            }
            ("/ubuntu/+archive/primary", Some("getAllPermissions")) => {
                let rows = world.permissions.iter().enumerate().map(|(place, row)| {
                    let is_hidden = world.hidden_permissions.contains(&place);
                    (!is_hidden).then(|| world.permission_entry(root, row))
                });
                page(&world, asked, &rows.collect::<Vec<_>>(), false)
            }
            (path, operation) if path.starts_with("/package-sets/ubuntu/") => {
                let (series, name) = path["/package-sets/ubuntu/".len()..].split_once('/').unwrap();
                let Some(set) = world.sets.iter().find(|set| set.series == series && set.name == name) else {
                    return Reply::text(404, "No such package set");
                };
                let entries = |sets: Vec<&Set>| shown(sets.into_iter().map(|set| world.set_entry(root, set)).collect());
                let is_direct = asked.argument("direct_inclusion").as_deref() == Some("true");
                match operation.unwrap() {
                    "getSourcesIncluded" if is_direct => Reply::json(&json!(set.sources)),
                    "setsIncluded" if is_direct => {
                        let is_in = |other: &&Set| other.series == series && set.subsets.contains(&other.name);
                        page(&world, asked, &entries(world.sets.iter().filter(is_in).collect()), false)
                    }
                    "relatedSets" => page(&world, asked, &entries(world.related(set).collect()), false),
                    other => Reply::text(400, &format!("not in this test: {other}")),
                }
            }
            (path, None) if path.starts_with("/~") => {
                let (name, rest) = path[2..].split_once('/').unwrap_or((&path[2..], ""));
                if world.hidden_people.iter().any(|hidden| hidden == name) {
                    return Reply::text(401, "not for you");
                }
                match rest {
                    "" => Reply::json(&world.person_entry(root, name)),
                    "participants" => {
                        let rows = world.teams[name].iter().map(|member| world.person_entry(root, member)).collect();
                        page(&world, asked, &shown(rows), true)
                    }
                    _ => Reply::text(404, "no such page"),
                }
            }
            _ => Reply::text(404, "no such page"),
        }
    }
}
