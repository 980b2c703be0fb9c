//! Launchpad and Fedora's services at their real size, out of a seed: no real names.

use std::collections::BTreeMap;
use std::sync::Mutex;
use std::sync::atomic::{AtomicU64, Ordering};

use serde_json::{Value, json};
use wiremock::{Request, Respond, ResponseTemplate};

use crate::chance::Chance;

pub(crate) const SERIES: usize = 45;
const SETS: usize = 60;
const SOURCES: usize = 35_000;
pub(crate) const PACKAGES: usize = 40_000;
const PEOPLE: usize = 2_000;

/// A number below another, as a place.
fn below(chance: &mut Chance, limit: usize) -> usize {
    chance.below(limit as u64) as usize
}

/// What was asked and answered.
#[derive(Default)]
pub(crate) struct Traffic {
    pub(crate) requests: AtomicU64,
    pub(crate) bytes: AtomicU64,
}

impl Traffic {
    fn answer(&self, status: u16, body: Vec<u8>) -> ResponseTemplate {
        self.requests.fetch_add(1, Ordering::Relaxed);
        self.bytes.fetch_add(body.len() as u64, Ordering::Relaxed);
        ResponseTemplate::new(status).set_body_raw(body, "application/json")
    }

    pub(crate) fn take(&self) -> (u64, u64) {
        (self.requests.swap(0, Ordering::Relaxed), self.bytes.swap(0, Ordering::Relaxed))
    }
}

/// Launchpad with 45 series, of which five live, each with the same sets.
pub(crate) struct Launchpad {
    pub(crate) traffic: Traffic,
    /// The sources of each set, and those that the newest series has besides.
    sets: Vec<Vec<String>>,
    /// Sources that the newest series has more than the others, in its first set.
    pub(crate) newest: Mutex<Vec<String>>,
}

impl Launchpad {
    pub(crate) fn new() -> Self {
        let mut chance = Chance::new(1);
        let mut sets = vec![Vec::new(); SETS];
        for source in 0..SOURCES {
            sets[below(&mut chance, SETS) * below(&mut chance, SETS) / SETS].push(format!("source-{source:05}"));
        }
        Self {
            traffic: Traffic::default(),
            sets,
            newest: Mutex::default(),
        }
    }

    fn body(&self, request: &Request) -> Value {
        let arguments: BTreeMap<String, String> = request.url.query_pairs().into_owned().collect();
        let root = format!("http://{}/devel", request.headers["host"].to_str().unwrap());
        let path = request.url.path().strip_prefix("/devel").unwrap();
        let operation = arguments.get("ws.op").map(String::as_str);
        let start: usize = arguments.get("ws.start").map_or(0, |text| text.parse().unwrap());
        let page = |rows: Vec<Value>| {
            let total = rows.len();
            let rows: Vec<Value> = rows.into_iter().skip(start).take(300).collect();
            let mut page = json!({ "start": start, "total_size": total, "entries": rows });
            if start + 300 < total {
                let mut next = request.url.clone();
                let kept: Vec<_> = arguments.iter().filter(|(name, _)| *name != "ws.start").collect();
                next.query_pairs_mut()
                    .clear()
                    .extend_pairs(kept)
                    .append_pair("ws.start", &(start + 300).to_string());
                page["next_collection_link"] = format!("{root}{}", next.as_str().split_once("/devel").unwrap().1).into();
            }
            page
        };
        match (path, operation) {
            ("/ubuntu", None) => json!({
                "name": "ubuntu", "series_collection_link": format!("{root}/ubuntu/series"),
                "current_series_link": format!("{root}/ubuntu/series-{:02}", SERIES - 1),
                "main_archive_link": format!("{root}/ubuntu/+archive/primary"),
            }),
            ("/ubuntu/series", None) => page((0..SERIES).map(|number| series(&root, number)).collect()),
            (_, Some("getBySeries")) => {
                let of = arguments["distroseries"].rsplit('/').next().unwrap().to_owned();
                page((0..SETS).map(|place| set(&root, &of, place)).collect())
            }
            (_, Some("getAllPermissions")) => page((0..SERIES * SETS * 2).map(|place| permission(&root, place)).collect()),
            (path, Some("getSourcesIncluded")) => {
                let place: usize = path.rsplit_once("set-").unwrap().1.parse().unwrap();
                let mut sources = self.sets[place].clone();
                if place == 0 && path.contains(&format!("series-{:02}", SERIES - 1)) {
                    sources.extend(self.newest.lock().unwrap().iter().cloned());
                }
                json!(sources)
            }
            (path, Some("setsIncluded")) => {
                let (of, place) = of_path(path);
                page((place + 1..SETS).step_by(7).map(|place| set(&root, &of, place)).collect())
            }
            (path, Some("relatedSets")) => {
                let (of, place) = of_path(path);
                let others = (0..SERIES).map(|number| format!("series-{number:02}")).filter(|other| *other != of);
                page(others.map(|of| set(&root, &of, place)).collect())
            }
            (path, None) if path.ends_with("/participants") => {
                page((0..20).map(|number| person(&root, &format!("person-{number:03}"))).collect())
            }
            (path, None) => person(&root, path.strip_prefix("/~").unwrap()),
            other => json!({ "unexpected": format!("{other:?}") }),
        }
    }
}

fn of_path(path: &str) -> (String, usize) {
    let (rest, place) = path.rsplit_once("/set-").unwrap();
    (rest.rsplit('/').next().unwrap().to_owned(), place.parse().unwrap())
}

fn series(root: &str, number: usize) -> Value {
    let status = match SERIES - 1 - number {
        0 => "Active Development",
        1 => "Current Stable Release",
        2..5 => "Supported",
        _ => "Obsolete",
    };
    let name = format!("series-{number:02}");
    json!({
        "self_link": format!("{root}/ubuntu/{name}"), "name": name, "version": format!("{}.{:02}", 4 + number / 2, 4 + 6 * (number % 2)),
        "title": format!("Series {number}"), "status": status, "datereleased": null, "owner_link": format!("{root}/~team-00"),
    })
}

fn set(root: &str, series: &str, place: usize) -> Value {
    json!({
        "self_link": format!("{root}/package-sets/ubuntu/{series}/set-{place:02}"), "id": place, "name": format!("set-{place:02}"),
        "description": format!("Set {place}"), "date_created": "2010-01-02T03:04:05+00:00", "owner_link": format!("{root}/~team-00"),
        "distroseries_link": format!("{root}/ubuntu/{series}"), "relative_build_score": 0,
    })
}

fn permission(root: &str, place: usize) -> Value {
    let (number, set, who) = (place / (SETS * 2), place / 2 % SETS, ["team", "person"][place % 2]);
    let who = if who == "team" {
        format!("team-{:02}", set % 20)
    } else {
        format!("person-{:03}", set * 2)
    };
    json!({
        "self_link": format!("{root}/ubuntu/+archive/primary/+upload/{who}?type=packageset&item=set-{set:02}&series=series-{number:02}"),
        "permission": "Archive Upload Rights", "person_link": format!("{root}/~{who}"), "component_name": null, "source_package_name": null,
        "package_set_name": format!("set-{set:02}"), "pocket": null, "explicit": false, "distro_series_name": format!("series-{number:02}"),
        "date_created": "2010-02-03T04:05:06+00:00",
    })
}

fn person(root: &str, name: &str) -> Value {
    json!({
        "self_link": format!("{root}/~{name}"), "id": 1, "name": name, "display_name": name, "is_team": name.starts_with("team"),
        "participants_collection_link": format!("{root}/~{name}/participants"),
    })
}

impl Respond for &'static Launchpad {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        self.traffic.answer(200, self.body(request).to_string().into_bytes())
    }
}

/// Fedora's dist-git and Bodhi: four releases, and 40,000 packages, of which every third is orphaned and one in ten retired.
pub(crate) struct Fedora {
    pub(crate) traffic: Traffic,
    files: Mutex<BTreeMap<String, Value>>,
}

impl Fedora {
    pub(crate) fn new() -> Self {
        let mut chance = Chance::new(2);
        let mut user = || format!("user-{:04}", below(&mut chance, PEOPLE));
        let (mut owners, mut watchers) = (serde_json::Map::new(), serde_json::Map::new());
        for package in 0..PACKAGES {
            let owner = if package % 3 == 0 { "orphan".to_owned() } else { user() };
            let mut people = vec![owner];
            people.extend((0..package % 3).map(|_| user()));
            owners.insert(format!("package-{package:05}"), json!(people));
            people.truncate(2);
            watchers.insert(format!("package-{package:05}"), json!(people));
        }
        let around =
            |rpms: serde_json::Map<String, Value>| json!({ "container": {}, "flatpaks": {}, "modules": {}, "rpms": rpms, "tests": {} });
        let release = |number: usize| {
            let (branch, state) = if number == 45 {
                ("rawhide".to_owned(), "pending")
            } else {
                (format!("f{number}"), "current")
            };
            json!({
                "name": format!("F{number}"), "long_name": format!("Fedora {number}"), "version": number.to_string(), "id_prefix": "FEDORA",
                "branch": branch, "dist_tag": format!("f{number}"), "state": state, "released_on": null, "eol": null,
            })
        };
        let mut files = BTreeMap::from([
            ("/extras/pagure_owner_alias.json".to_owned(), around(owners)),
            ("/extras/pagure_bz.json".to_owned(), around(watchers)),
            (
                "/releases/".to_owned(),
                json!({ "page": 1, "pages": 1, "rows_per_page": 1000, "total": 4, "releases": (42..=45).map(release).collect::<Vec<_>>() }),
            ),
        ]);
        let retired: Vec<String> = (0..PACKAGES).step_by(10).map(|package| format!("package-{package:05}")).collect();
        for branch in ["rawhide", "f44", "f43", "f42"] {
            files.insert(format!("/lookaside/retired_in_{branch}.json"), json!({ branch: retired }));
        }
        Self {
            traffic: Traffic::default(),
            files: Mutex::new(files),
        }
    }

    /// Gives one package in a hundred another owner.
    pub(crate) fn change(&self) {
        let mut files = self.files.lock().unwrap();
        let owners = files.get_mut("/extras/pagure_owner_alias.json").unwrap();
        for package in (0..PACKAGES).step_by(100) {
            owners["rpms"][format!("package-{package:05}")][0] = "user-9999".into();
        }
    }
}

impl Respond for &'static Fedora {
    fn respond(&self, request: &Request) -> ResponseTemplate {
        let files = self.files.lock().unwrap();
        let Some(file) = files.get(request.url.path()) else {
            return self.traffic.answer(404, b"{}".to_vec());
        };
        let body = file.to_string().into_bytes();
        let etag = format!(
            "\"{}-{}\"",
            body.len(),
            body.iter()
                .fold(0_u64, |sum, byte| sum.wrapping_mul(31).wrapping_add(u64::from(*byte)))
        );
        if request.headers.get("if-none-match").is_some_and(|state| *state == *etag) {
            return self.traffic.answer(304, Vec::new());
        }
        self.traffic.answer(200, body).insert_header("ETag", etag.as_str())
    }
}
