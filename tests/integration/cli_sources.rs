//! Distributions that follow services on the command line: plan and pull, who is believed, guards, failures.

use std::sync::Arc;

use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::MockServer;

use crate::cli_support::Place;
use crate::sources_launchpad::launchpad;
use crate::support::fedora::{Bodhi, DistGit, changed, release};
use crate::support::launchpad::{Launchpad, World, permission};
use crate::support::service::{Service, asked, serve};

pub(crate) const DATES: &str = "version,codename,series,created,release,eol\n\
    4.10,Warty Warthog,warty,2004-03-05,2004-10-20,2006-04-30\n\
    24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-26,2029-05-31\n\
    99.04,Zany Zebra,zany,2098-10-01,2099-04-20,2100-01-20\n";

/// A service that runs as long as this, and a folder whose configuration names it.
pub(crate) struct Ubuntu {
    pub(crate) runtime: Runtime,
    service: Arc<Launchpad>,
    pub(crate) server: MockServer,
    pub(crate) place: Place,
}

pub(crate) fn started<S: Service>(service: &Arc<S>) -> (Runtime, MockServer) {
    let runtime = Runtime::new().unwrap();
    let server = runtime.block_on(serve(service));
    (runtime, server)
}

impl Ubuntu {
    pub(crate) fn new() -> Self {
        let service = launchpad();
        let (runtime, server) = started(&service);
        let config = format!(
            "state_dir = \"state\"\n[[distribution]]\nname = \"ubuntu\"\n\
             [[distribution.source]]\nkind = \"launchpad\"\nurl = \"{}/devel/\"\nrequests_per_second = 1000\n\
             [[distribution.source]]\nkind = \"distro-info\"\nfile = \"ubuntu.csv\"\n",
            server.uri()
        );
        let place = Place::new().with("kinset.toml", config).with("ubuntu.csv", DATES);
        Self {
            runtime,
            service,
            server,
            place,
        }
    }

    /// Where all was taken in once.
    pub(crate) fn pulled() -> Self {
        let ubuntu = Self::new();
        let told = ubuntu.run("pull");
        assert!(told.starts_with("exit 0\n"), "{told}");
        ubuntu
    }

    /// Runs the program, and leaves out how many bytes it read.
    pub(crate) fn run(&self, arguments: &str) -> String {
        let told = self.place.run(arguments);
        let bytes = regex::Regex::new(", [0-9]+ bytes").unwrap();
        bytes.replace_all(&told, "").into_owned()
    }

    pub(crate) fn change(&self, change: impl FnOnce(&mut World)) {
        change(&mut self.service.world());
    }

    pub(crate) fn requests(&self) -> usize {
        self.runtime.block_on(asked(&self.server)).len()
    }

    /// What the state says of the distribution, and how that came about.
    pub(crate) fn state(&self) -> String {
        self.place.data("distribution export --format json") + &self.place.data("log --quiet")
    }
}

#[test]
fn what_services_say_is_shown_before_it_is_taken_in_and_then_there_is_nothing_left_to_do() {
    let ubuntu = Ubuntu::new();
    let planned = ubuntu.run("plan --detailed-exitcode");
    insta::assert_snapshot!(planned);
    assert_eq!(ubuntu.run("distribution list"), "exit 0\n", "a plan changes nothing");
    insta::assert_snapshot!(ubuntu.run("pull"), @r"
    exit 0
    --- stderr
    ubuntu: launchpad: 23 changes taken in (27 answers)
    ubuntu: distro-info: 3 changes taken in
    ubuntu: distro-info is not believed in 2 things that another source says otherwise; `kinset plan ubuntu` lists them
    ");
    insta::assert_snapshot!(ubuntu.run("pull"), @r#"
    exit 0
    --- stderr
    ubuntu: launchpad: nothing changed (12 answers)
    ubuntu: launchpad: not read again: 2 package sets of noble, of which no list shows a change; `kinset pull ubuntu --full` reads all, and with `read_sets = "living"` each pull does
    ubuntu: distro-info: nothing changed
    ubuntu: distro-info is not believed in 2 things that another source says otherwise; `kinset plan ubuntu` lists them
    "#);
    let left = ubuntu.run("plan --detailed-exitcode --format json");
    let left: Value = serde_json::from_str(left.strip_prefix("exit 0\n--- stdout\n").unwrap()).unwrap();
    assert_eq!(left["writes"], 0);
}

#[test]
fn a_series_is_what_the_first_source_says_and_what_the_others_know_beside_it() {
    let ubuntu = Ubuntu::pulled();
    let export: Value = serde_json::from_str(&ubuntu.place.data("distribution export --format json")).unwrap();
    let series = |name: &str| {
        let all = export["series"].as_array().unwrap();
        all.iter().find(|series| series["name"] == name).unwrap().clone()
    };
    // Launchpad says that it was released a day before what the table says, and is believed; the rest of the dates only the table has.
    assert_eq!(
        series("noble")["dates"],
        json!({ "created": "2023-10-12", "eol": "2029-05-31", "released": "2024-04-25" })
    );
    assert_eq!(series("noble")["summary"], "Noble Numbat (LTS)");
    assert_eq!(series("noble")["status"], "maintenance");
    // Launchpad does not know it, and nobody but its dates tells its stage.
    assert_eq!(series("zany")["status"], "future");
    let told = ubuntu.run("plan");
    let line = "not believed: released of noble: launchpad says 2024-04-25, distro-info says 2024-04-26";
    assert!(told.contains(line), "{told}");
}

#[test]
fn a_file_may_stand_before_services_and_is_believed_in_what_it_says() {
    let ubuntu = Ubuntu::new();
    let file = "name = \"ubuntu\"\nsharing = \"copy-on-write\"\nversions = \"debian\"\n\
        [[series]]\nname = \"noble\"\nversion = \"24.04\"\nstatus = \"maintenance\"\nowner = \"@ours\"\ndates = { eol = 2030-01-01 }\n";
    ubuntu.place.write("ours.toml", file);
    let config = ubuntu.place.read("kinset.toml");
    let first = "[[distribution.source]]\nkind = \"local\"\nfile = \"ours.toml\"\n[[distribution.source]]\nkind = \"launchpad\"";
    let old = "[[distribution.source]]\nkind = \"launchpad\"";
    ubuntu.place.write("kinset.toml", config.replace(old, first));
    assert!(ubuntu.run("pull").starts_with("exit 0\n"));
    let told = ubuntu.run("plan");
    for line in [
        "not believed: eol of noble: local says 2030-01-01, distro-info says 2029-05-31",
        "not believed: the owner of noble: local says @ours, launchpad says @techboard",
    ] {
        assert!(told.contains(line), "{told}");
    }
    // Of sets and permissions the file says nothing.
    assert!(ubuntu.run("acl can alice upload apt --series noble").starts_with("exit 0\n"));
    let shown = ubuntu.place.data("collection show --series noble --format json");
    assert!(shown.contains("2030-01-01") && shown.contains("@ours"), "{shown}");
    ubuntu.place.write("ours.toml", file.replace("[[series]]", "[[collections]]"));
    let told = ubuntu.run("pull");
    assert!(told.starts_with("exit 1\n") && told.contains("ours.toml:4"), "{told}");
}

#[test]
fn each_change_has_its_source_in_the_log() {
    let ubuntu = Ubuntu::pulled();
    let log: Value = serde_json::from_str(&ubuntu.place.data("log --format json")).unwrap();
    let actor_of = |kind: &str, name: &str, after: &str| {
        let entries = log.as_array().or_else(|| log["entries"].as_array()).unwrap();
        let found = entries.iter().find(|entry| {
            let changes = entry["changes"].as_array().unwrap();
            let is_it = |change: &Value| change["kind"] == kind && change["name"] == name && change["after"].to_string().contains(after);
            changes.iter().any(is_it)
        });
        found.unwrap()["actor"].clone()
    };
    assert_eq!(actor_of("series", "noble", "2024-04-25"), "launchpad");
    assert_eq!(actor_of("series", "noble", "2029-05-31"), "distro-info");
}

#[test]
fn a_set_that_changed_upstream_in_one_series_changes_there_alone_though_it_was_shared() {
    let ubuntu = Ubuntu::pulled();
    let shared = ubuntu.place.data("packageset show core --series plucky --format json");
    assert!(shared.contains("noble"), "it is shared: {shared}");
    ubuntu.change(|world| world.set("plucky", "core").sources.push("dpkg".to_owned()));
    insta::assert_snapshot!(ubuntu.run("plan ubuntu --detailed-exitcode"), @r#"
    exit 2
    --- stdout
    distribution ubuntu as launchpad has it
      ubuntu packages ubuntu: + dpkg
      ubuntu/plucky packageset-copy core: + no longer shared with ubuntu/noble, permissions 0, sources 2, subsets 1
      ubuntu/plucky sources core: + dpkg
    2 changes
    not read again: 2 package sets of noble, of which no list shows a change; `kinset pull ubuntu --full` reads all, and with `read_sets = "living"` each pull does

    distribution ubuntu as distro-info has it
    nothing to do: all is as distro-info says
    not believed: released of noble: launchpad says 2024-04-25, distro-info says 2024-04-26
    not believed: released of warty: launchpad says 2024-04-25, distro-info says 2004-10-20
    "#);
    assert!(ubuntu.run("pull").contains("launchpad: 2 changes taken in"));
    let sources = |series: &str| -> Value {
        let shown: Value =
            serde_json::from_str(&ubuntu.place.data(&format!("packageset show core --series {series} --format json"))).unwrap();
        shown["sources"].clone()
    };
    assert_eq!(sources("plucky"), json!(["apt", "base-files", "dpkg"]));
    assert_eq!(sources("noble"), json!(["apt", "base-files"]));
}

#[test]
fn a_permission_that_was_withdrawn_is_shown_withdrawn_and_was_there_before() {
    let ubuntu = Ubuntu::pulled();
    assert!(ubuntu.run("acl can alice upload apt --series noble").starts_with("exit 0\n"));
    ubuntu.change(|world| {
        world
            .permissions
            .retain(|row| row["source_package_name"] != "apt" && row["component_name"] != "main");
    });
    let planned = ubuntu.run("plan");
    assert!(planned.contains("permission alice"), "{planned}");
    assert!(ubuntu.run("acl can alice upload apt --series noble").starts_with("exit 0\n"));
    assert!(ubuntu.run("pull").starts_with("exit 0\n"));
    assert!(ubuntu.run("acl can alice upload apt --series noble").starts_with("exit 1\n"));
}

#[test]
fn a_source_that_suddenly_lists_a_fraction_changes_nothing() {
    let ubuntu = Ubuntu::new();
    let many: Vec<String> = (0..40).map(|number| format!("package-{number}")).collect();
    ubuntu.change(|world| world.set("plucky", "core").sources.extend(many));
    assert!(ubuntu.run("pull").starts_with("exit 0\n"));
    let before = ubuntu.state();
    ubuntu.change(|world| {
        world.set("plucky", "core").sources.truncate(2);
        world.permissions = vec![permission("alice", &json!({"component_name": "main"}))];
    });
    let planned = ubuntu.run("plan");
    assert!(planned.contains("max_removed_fraction"), "{planned}");
    let pulled = ubuntu.run("pull");
    assert!(pulled.starts_with("exit 1\n"), "{pulled}");
    assert!(pulled.contains("max_removed_fraction"), "{pulled}");
    assert_eq!(ubuntu.state(), before);
    // What was refused is refused again: it was not taken for what is known.
    assert!(ubuntu.run("pull").starts_with("exit 1\n"));
}

#[test]
fn permissions_in_a_series_that_launchpad_suddenly_does_not_list_stay() {
    let ubuntu = Ubuntu::pulled();
    let may = "acl can bob upload linux --series noble";
    assert!(ubuntu.run(may).starts_with("exit 0\n"));
    let before = ubuntu.place.data("acl list --series noble");
    ubuntu.change(|world| world.series.retain(|series| series.name != "noble"));
    ubuntu.run("pull");
    assert!(ubuntu.run(may).starts_with("exit 0\n"));
    assert_eq!(ubuntu.place.data("acl list --series noble"), before);
}

#[test]
fn permissions_that_are_gone_trip_a_guard_however_many_memberships_there_are() {
    let ubuntu = Ubuntu::new();
    let many: Vec<String> = (0..500).map(|number| format!("package-{number}")).collect();
    ubuntu.change(|world| {
        world.set("plucky", "core").sources.extend(many);
        let of_many = (0..40).map(|number| permission(&format!("uploader-{number}"), &json!({"component_name": "main"})));
        world.permissions.extend(of_many);
    });
    assert!(ubuntu.run("pull").starts_with("exit 0\n"));
    let before = ubuntu.state();
    ubuntu.change(|world| world.permissions.truncate(5));
    let pulled = ubuntu.run("pull");
    assert!(pulled.starts_with("exit 1\n") && pulled.contains("permissions"), "{pulled}");
    assert_eq!(ubuntu.state(), before);
}

#[test]
fn two_tables_of_dates_come_to_rest() {
    let ubuntu = Ubuntu::new();
    ubuntu
        .place
        .write("more.csv", "series,eol-legacy\nnoble,2036-04-29\nwarty,2010-01-01\n");
    let config = "state_dir = \"state\"\n[[distribution]]\nname = \"ubuntu\"\n\
        [[distribution.source]]\nkind = \"distro-info\"\nfile = \"ubuntu.csv\"\n\
        [[distribution.source]]\nkind = \"distro-info\"\nname = \"more\"\nfile = \"more.csv\"\n";
    ubuntu.place.write("kinset.toml", config);
    assert!(ubuntu.run("pull").contains("ubuntu: more: 2 changes taken in"));
    assert_eq!(ubuntu.run("plan --detailed-exitcode").lines().next(), Some("exit 0"));
    assert!(
        ubuntu.place.data("series list --format json").contains("maintenance")
            || ubuntu.place.data("series list --format json").contains("active")
    );
}

#[test]
fn a_source_that_cannot_be_read_is_named_and_keeps_no_other_from_being_taken_in() {
    let Ubuntu {
        runtime, server, place, ..
    } = Ubuntu::pulled();
    let before = place.data("packageset list --series noble");
    runtime.block_on(server.reset());
    place.write("ubuntu.csv", DATES.replace("2029-05-31", "2029-06-30"));
    let told = place.run("pull");
    assert!(told.starts_with("exit 1\n"), "{told}");
    assert!(told.contains("cannot read source launchpad"), "{told}");
    assert!(told.contains("http://TRACKER/devel/ubuntu"), "{told}");
    assert!(told.contains("ubuntu: distro-info: 1 change taken in"), "{told}");
    assert_eq!(place.data("packageset list --series noble"), before);
}

#[test]
fn a_second_pull_asks_for_little_and_a_full_one_for_everything() {
    let ubuntu = Ubuntu::pulled();
    let first = ubuntu.requests();
    ubuntu.run("pull");
    let second = ubuntu.requests() - first;
    ubuntu.run("pull --full");
    let full = ubuntu.requests() - first - second;
    assert!(second < first, "{second} of {first}");
    assert_eq!(full, first);
}

#[test]
fn fedoras_releases_owners_and_retired_packages_become_one_distribution() {
    let bodhi = Arc::new(Bodhi::new(vec![
        release("F42", "Fedora 42", "42", "FEDORA", "f42", "current"),
        changed(
            release("F43", "Fedora 43", "43", "FEDORA", "f43", "pending"),
            &json!({"branch": "rawhide"}),
        ),
    ]));
    let distgit = Arc::new(DistGit::new(
        json!({"bash": ["ann", "bob"], "zsh": ["orphan"], "old": ["orphan"]}),
        json!({"bash": ["ann", "@shells"], "zsh": ["cid"], "old": []}),
        &[("rawhide", &["old"]), ("f42", &["old"])],
    ));
    let (_one, releases) = started(&bodhi);
    let (_other, packages) = started(&distgit);
    let config = format!(
        "state_dir = \"state\"\n[[distribution]]\nname = \"fedora\"\nversions = \"rpm\"\nlisted = [\"f43\"]\n\
         [[distribution.source]]\nkind = \"bodhi\"\nurl = \"{}\"\nid_prefixes = [\"FEDORA\"]\n\
         [[distribution.source]]\nkind = \"distgit\"\nurl = \"{}\"\nbranches = {{ rawhide = \"f43\", f42 = \"f42\" }}\n",
        releases.uri(),
        packages.uri()
    );
    let place = Place::new().with("kinset.toml", config);
    let told = place.run("pull");
    assert!(told.starts_with("exit 0\n"), "{told}");
    insta::assert_snapshot!(place.data("distribution export"));
    assert!(place.run("pull").contains("fedora: distgit: nothing changed"));
}
