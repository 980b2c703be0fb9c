//! Sources of one distribution that speak of the same on the command line: whoever they are and however they stand, one pull takes them in, and the
//! second changes nothing.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::MockServer;

use crate::cli_support::Place;
use crate::support::fedora::{Bodhi, DistGit, OWNERS, release};
use crate::support::service::{Service, serve};

/// A distribution with the sources of a configuration, which run as long as this.
struct Following {
    runtime: Runtime,
    servers: Vec<MockServer>,
    place: Place,
    config: String,
}

impl Following {
    fn new(name: &str, more: &str) -> Self {
        Self {
            runtime: Runtime::new().unwrap(),
            servers: Vec::new(),
            place: Place::new(),
            config: format!("state_dir = \"state\"\n[[distribution]]\nname = \"{name}\"\n{more}"),
        }
    }

    /// One more source; `URL` in its settings stands for the address of the service.
    fn with<S: Service>(mut self, service: &Arc<S>, settings: &str) -> Self {
        let server = self.runtime.block_on(serve(service));
        let settings = settings.replace("URL", &server.uri());
        self.config += &format!("[[distribution.source]]\n{settings}\nrequests_per_second = 1000\n");
        self.servers.push(server);
        self
    }

    fn started(self) -> Self {
        self.place.write("kinset.toml", &self.config);
        self
    }

    /// Pulls, and tells what it said, without what that cost.
    fn pull(&self) -> String {
        let told = self.place.run("pull");
        let told = told.strip_prefix("exit 0\n--- stderr\n").unwrap_or_else(|| panic!("{told}"));
        regex::Regex::new(r" \(.*\)").unwrap().replace_all(told, "").into_owned()
    }

    /// What comes of one more pull, and that of a third.
    fn is_at_rest(&self) -> bool {
        let told = [self.pull(), self.pull()].concat();
        let changed = told.lines().any(|line| line.contains("taken in"));
        let plan: Value = serde_json::from_str(&self.place.data("plan --format json")).unwrap();
        !changed && plan["writes"] == 0
    }

    fn listings(&self, series: &str) -> Vec<String> {
        let export: Value = serde_json::from_str(&self.place.data("distribution export --format json")).unwrap();
        let series = export["series"].as_array().unwrap().iter().find(|one| one["name"] == series);
        let listings = series.unwrap()["listing"].as_array().cloned().unwrap_or_default();
        let told = |listing: &Value| format!("{} {} {}", listing["package"], listing["owner"], listing["status"]).replace('"', "");
        listings.iter().map(told).collect()
    }
}

const BODHI: &str = "kind = \"bodhi\"\nurl = \"URL\"\nid_prefixes = [\"FEDORA\"]";

fn bodhi() -> Arc<Bodhi> {
    Arc::new(Bodhi::new(vec![
        release("F42", "Fedora 42", "42", "FEDORA", "f42", "current"),
        release("F43", "Fedora 43", "43", "FEDORA", "f43", "pending"),
    ]))
}

/// One forge with owners alone, and another with what is retired, and owners that are not believed.
fn forges() -> [Arc<DistGit>; 2] {
    let owners = json!({"bash": ["ann", "bob"], "zsh": ["cid"], "old": ["orphan"]});
    let retired: [(&str, &[&str]); 2] = [("rawhide", &["old", "ancient"]), ("f42", &["zsh"])];
    [
        DistGit::new(owners, json!({"bash": ["ann"], "zsh": [], "old": []}), &[]),
        DistGit::new(json!({"bash": ["dan"]}), json!({"bash": []}), &retired),
    ]
    .map(Arc::new)
}

const OWNED: &str = "kind = \"distgit\"\nname = \"owners\"\nurl = \"URL\"";
const RETIRED: &str = "kind = \"distgit\"\nname = \"retired\"\nurl = \"URL\"\nbranches = { rawhide = \"f43\", f42 = \"f42\" }";

#[test]
fn a_source_that_tells_owners_and_one_that_tells_what_is_retired_come_to_rest() {
    let [owners, retired] = forges();
    let fedora = Following::new("fedora", "versions = \"rpm\"\nlisted = [\"f43\"]\n")
        .with(&bodhi(), BODHI)
        .with(&owners, OWNED)
        .with(&retired, RETIRED)
        .started();
    insta::assert_snapshot!(fedora.pull(), @r"
    fedora: bodhi: 3 changes taken in
    fedora: owners: 6 changes taken in
    fedora: retired: 4 changes taken in
    fedora: retired is not believed in 1 thing that another source says otherwise; `kinset plan fedora` lists them
    ");
    assert_eq!(
        fedora.listings("f43"),
        [
            "ancient orphan obsolete",
            "bash ann approved",
            "old orphan obsolete",
            "zsh cid approved"
        ]
    );
    assert_eq!(fedora.listings("f42"), ["zsh cid obsolete"]);
    assert!(fedora.is_at_rest());
    // What changes in one of them changes what that one says, and nothing else.
    owners.change(OWNERS, "zsh", json!(["eve"]));
    retired.put("/lookaside/retired_in_rawhide.json", json!({"rawhide": ["zsh"]}));
    fedora.pull();
    assert_eq!(
        fedora.listings("f43"),
        ["bash ann approved", "old orphan approved", "zsh eve obsolete"]
    );
    assert_eq!(fedora.listings("f42"), ["zsh eve obsolete"]);
    assert!(fedora.is_at_rest());
}

#[test]
fn a_source_may_stand_before_the_one_that_brings_its_series() {
    let [owners, retired] = forges();
    let fedora = Following::new("fedora", "versions = \"rpm\"\nlisted = [\"f43\"]\n")
        .with(&retired, RETIRED)
        .with(&owners, OWNED)
        .with(&bodhi(), BODHI)
        .started();
    insta::assert_snapshot!(fedora.pull(), @r"
    fedora: bodhi: 3 changes taken in
    fedora: retired: 5 changes taken in
    fedora: owners: nothing changed
    fedora: owners is not believed in 1 thing that another source says otherwise; `kinset plan fedora` lists them
    ");
    assert_eq!(fedora.listings("f42"), ["zsh orphan obsolete"]);
    assert_eq!(
        fedora.listings("f43"),
        ["ancient orphan obsolete", "bash dan approved", "old orphan obsolete"]
    );
    assert!(fedora.is_at_rest());
}

#[test]
fn what_is_in_a_series_that_nobody_brings_is_left_out_and_that_is_said() {
    let [owners, retired] = forges();
    let fedora = Following::new("fedora", "versions = \"rpm\"\nlisted = [\"f44\"]\n")
        .with(&bodhi(), BODHI)
        .with(&retired, &RETIRED.replace("\"f42\" }", "\"f24\" }"))
        .with(&owners, OWNED)
        .started();
    insta::assert_snapshot!(fedora.place.run("plan"), @r"
    exit 0
    --- stdout
    distribution fedora as bodhi has it
      fedora distribution fedora: + sharing copy-on-write, versions rpm
      fedora/f42 series f42: + branch dist_tag f42, name f42, owner orphan, status active, title Fedora 42, version 42
      fedora/f43 series f43: + branch dist_tag f43, name f43, owner orphan, status development, title Fedora 43, version 43
    3 changes

    distribution fedora as retired has it
      fedora packages fedora: + ancient bash old
      fedora/f43 listing ancient: + owner orphan, status obsolete
      fedora/f43 listing old: + owner orphan, status obsolete
    3 changes
    not read: nothing is taken in of the packages in f44: there is no such series, and no source says what it is; create it, or mend its name in the configuration
    not read: nothing is taken in of what is retired in f24: there is no such series, and no source says what it is; create it, or mend its name in the configuration

    distribution fedora as owners has it
    nothing to do: all is as owners says
    not read: nothing is taken in of the packages in f44: there is no such series, and no source says what it is; create it, or mend its name in the configuration
    not believed: packages: retired says 1 package, owners says 3 packages
    ");
    fedora.pull();
    assert!(fedora.is_at_rest());
    fedora.place.data("series create f24 --owner ann --version 24");
    fedora.pull();
    assert_eq!(fedora.listings("f24"), ["zsh orphan obsolete"]);
    assert!(fedora.is_at_rest());
}
