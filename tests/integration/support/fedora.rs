//! Bodhi and dist-git, in the shapes that were recorded of them.

use std::sync::Mutex;

use kinset::source::{FileAt, HttpSettings, bodhi, distgit, distro_info};
use serde_json::{Map, Value, json};
use url::Url;

use super::service::{Asked, Reply, Service};

/// How to read the releases of a Bodhi that have these prefixes.
pub(crate) fn bodhi_at(url: Url, prefixes: &[&str], http: HttpSettings) -> bodhi::Settings {
    bodhi::Settings {
        name: "releases".to_owned(),
        url,
        id_prefixes: prefixes.iter().copied().map(str::to_owned).collect(),
        http,
    }
}

/// How to read a dist-git, with its branches and the series that they are of.
pub(crate) fn distgit_at(url: Url, branches: &[(&str, &str)], http: HttpSettings) -> distgit::Settings {
    let branch = |(branch, series): &(&str, &str)| (branch.parse().unwrap(), series.parse().unwrap());
    distgit::Settings {
        name: "dist-git".to_owned(),
        url,
        forge: distgit::ForgeKind::Pagure,
        namespace: "rpms".to_owned(),
        branches: branches.iter().map(branch).collect(),
        http,
    }
}

/// How to read a server's table of dates.
pub(crate) fn dates_at(server: &Url, http: HttpSettings) -> distro_info::Settings {
    distro_info::Settings {
        name: "dates".to_owned(),
        at: FileAt::Web {
            url: server.join("/ubuntu.csv").unwrap(),
            http,
        },
    }
}

/// Bodhi with these releases.
pub(crate) struct Bodhi {
    pub(crate) releases: Mutex<Vec<Value>>,
    /// No page has more rows, whatever is asked for.
    pub(crate) most_rows: usize,
}

/// A release as Bodhi has it.
pub(crate) fn release(name: &str, long_name: &str, version: &str, id_prefix: &str, dist_tag: &str, state: &str) -> Value {
    json!({
        "name": name, "long_name": long_name, "version": version, "id_prefix": id_prefix, "branch": dist_tag, "dist_tag": dist_tag,
        "stable_tag": format!("{dist_tag}-updates"), "testing_tag": format!("{dist_tag}-updates-testing"),
        "candidate_tag": format!("{dist_tag}-updates-candidate"), "override_tag": format!("{dist_tag}-override"),
        "mail_template": "fedora_errata_template", "state": state, "composed_by_bodhi": true, "create_automatic_updates": null,
        "package_manager": "unspecified", "testing_repository": null, "released_on": null, "eol": null, "setting_status": null,
    })
}

/// A release with some of its fields changed.
pub(crate) fn changed(mut release: Value, fields: &Value) -> Value {
    for (name, value) in fields.as_object().unwrap() {
        release[name] = value.clone();
    }
    release
}

impl Bodhi {
    pub(crate) fn new(releases: Vec<Value>) -> Self {
        Self {
            releases: Mutex::new(releases),
            most_rows: 1000,
        }
    }
}

impl Service for Bodhi {
    fn answer(&self, asked: &Asked) -> Reply {
        if asked.url.path() != "/releases/" {
            return Reply::text(404, "no such page");
        }
        let number = |name: &str, default: usize| asked.argument(name).map_or(default, |text| text.parse().unwrap());
        let (page, rows) = (number("page", 1), number("rows_per_page", 20).min(self.most_rows));
        let releases = self.releases.lock().unwrap();
        Reply::json(&json!({
            "releases": releases.iter().skip((page - 1) * rows).take(rows).collect::<Vec<_>>(),
            "page": page, "pages": releases.len().div_ceil(rows), "rows_per_page": rows, "total": releases.len(),
        }))
    }
}

/// A dist-git on Pagure with these files, by their addresses.
pub(crate) struct DistGit {
    pub(crate) files: Mutex<Map<String, Value>>,
}

pub(crate) const OWNERS: &str = "/extras/pagure_owner_alias.json";
pub(crate) const WATCHERS: &str = "/extras/pagure_bz.json";

impl DistGit {
    /// The packages with their owners, those who are told of bugs, and those that are retired by branch.
    pub(crate) fn new(owners: Value, watchers: Value, retired: &[(&str, &[&str])]) -> Self {
        let around = |rpms: Value| json!({"container": {}, "flatpaks": {}, "modules": {"bash": ["orphan"]}, "rpms": rpms, "tests": {}});
        let mut files = Map::new();
        files.insert(OWNERS.to_owned(), around(owners));
        files.insert(WATCHERS.to_owned(), around(watchers));
        for (branch, packages) in retired {
            files.insert(format!("/lookaside/retired_in_{branch}.json"), json!({*branch: packages}));
        }
        Self { files: Mutex::new(files) }
    }

    pub(crate) fn put(&self, address: &str, file: Value) {
        self.files.lock().unwrap().insert(address.to_owned(), file);
    }

    /// Changes who is who at the packages of a file.
    pub(crate) fn change(&self, address: &str, package: &str, users: Value) {
        self.files.lock().unwrap()[address]["rpms"][package] = users;
    }
}

impl Service for DistGit {
    fn answer(&self, asked: &Asked) -> Reply {
        match self.files.lock().unwrap().get(asked.url.path()) {
            Some(file) => Reply::file(asked, "application/json", file.to_string().as_bytes()),
            None => Reply::text(404, "no such file"),
        }
    }
}

/// A web server with one file.
pub(crate) struct Table(pub(crate) Mutex<String>);

impl Service for Table {
    fn answer(&self, asked: &Asked) -> Reply {
        Reply::file(asked, "text/csv", self.0.lock().unwrap().as_bytes())
    }
}
