//! Guards against sources on the command line: a reading that tells of far less than the last one changes nothing, whatever it tells of.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::{Value, json};
use tokio::runtime::Runtime;
use wiremock::MockServer;

use crate::cli_sources::{DATES, Ubuntu, started};
use crate::cli_support::Place;
use crate::support::fedora::{Bodhi, DistGit, OWNERS, WATCHERS, release};

/// A distribution that follows two tables, of which the first is believed.
fn tables() -> Place {
    let config = "state_dir = \"state\"\n[[distribution]]\nname = \"ubuntu\"\n\
        [[distribution.source]]\nkind = \"distro-info\"\nfile = \"ubuntu.csv\"\n\
        [[distribution.source]]\nkind = \"distro-info\"\nname = \"more\"\nfile = \"more.csv\"\n";
    let place = Place::new()
        .with("kinset.toml", config)
        .with("ubuntu.csv", DATES)
        .with("more.csv", DATES.replace("2029-05-31", "2036-04-29"));
    let told = place.run("pull");
    assert!(told.starts_with("exit 0\n"), "{told}");
    place
}

fn state(place: &Place) -> String {
    place.data("distribution export --format json") + &place.data("log --quiet")
}

#[test]
fn a_table_that_was_cut_to_its_header_hands_nothing_over_to_the_next_source() {
    let place = tables();
    let before = state(&place);
    let (header, _) = DATES.split_once('\n').unwrap();
    place.write("ubuntu.csv", format!("{header}\n"));
    assert_snapshot!(place.run("plan --detailed-exitcode"), @r"
    exit 2
    --- stdout
    distribution ubuntu as distro-info has it
    GUARD: source ubuntu/distro-info at DIR/ubuntu.csv: nothing is left of the 3 series that the source told of when it was last read; as it stands this plan will not be applied
      help: nothing of it was taken in, and what was known of it before still holds; look at what it has now, and at `kinset plan ubuntu`; if this is meant, set `allow_empty` under [distribution.guard], or let it pass once with `kinset pull ubuntu --allow-empty`

    distribution ubuntu as more has it
    nothing to do: all is as more says
    not believed: eol of noble: distro-info says 2029-05-31, more says 2036-04-29
    ");
    assert_snapshot!(place.run("pull"), @r"
    exit 1
    --- stderr
    distribution ubuntu:
    error: source ubuntu/distro-info at DIR/ubuntu.csv: nothing is left of the 3 series that the source told of when it was last read
      help: nothing of it was taken in, and what was known of it before still holds; look at what it has now, and at `kinset plan ubuntu`; if this is meant, set `allow_empty` under [distribution.guard], or let it pass once with `kinset pull ubuntu --allow-empty`
    ubuntu: more: nothing changed
    ubuntu: more is not believed in 1 thing that another source says otherwise; `kinset plan ubuntu` lists them
    ");
    assert_eq!(state(&place), before);
    // What was refused is refused again: it was not taken for what is known.
    assert!(place.run("pull").starts_with("exit 1\n"));
    assert_eq!(state(&place), before);
    place.write("ubuntu.csv", DATES);
    assert!(place.run("pull").starts_with("exit 0\n"));
    assert_eq!(state(&place), before);
}

#[test]
fn what_is_meant_is_let_pass_once_and_then_counts() {
    let place = tables();
    let (header, _) = DATES.split_once('\n').unwrap();
    place.write("ubuntu.csv", format!("{header}\n"));
    assert_snapshot!(place.run("pull --allow-empty --max-removed-fraction 1"), @r"
    exit 0
    --- stderr
    ubuntu: distro-info: nothing changed
    ubuntu: more: 1 change taken in
    ");
    assert!(place.data("collection show --series noble --format json").contains("2036-04-29"));
    assert!(place.run("pull").starts_with("exit 0\n"), "there is nothing left to be gone");
}

/// Fedora with many releases and packages, whose services run as long as this.
struct Fedora {
    bodhi: Arc<Bodhi>,
    distgit: Arc<DistGit>,
    place: Place,
    _services: [(Runtime, MockServer); 2],
}

fn names(count: usize) -> Vec<String> {
    (0..count).map(|number| format!("package-{number}")).collect()
}

/// The packages, each with these people.
fn packages(count: usize, people: &[&str]) -> Value {
    names(count)
        .into_iter()
        .map(|name| (name, json!(people)))
        .collect::<serde_json::Map<_, _>>()
        .into()
}

fn releases(count: usize) -> Vec<Value> {
    let one = |number: usize| {
        let (name, tag) = (format!("F{number}"), format!("f{number}"));
        release(&name, &format!("Fedora {number}"), &number.to_string(), "FEDORA", &tag, "current")
    };
    (20..20 + count).map(one).collect()
}

impl Fedora {
    fn pulled() -> Self {
        let retired = names(40);
        let retired: Vec<&str> = retired.iter().map(String::as_str).collect();
        let bodhi = Arc::new(Bodhi::new(releases(20)));
        let distgit = Arc::new(DistGit::new(
            packages(60, &["ann", "bob"]),
            packages(60, &["cid"]),
            &[("rawhide", &retired), ("f38", &retired)],
        ));
        let (one, other) = (started(&bodhi), started(&distgit));
        let config = format!(
            "state_dir = \"state\"\n[[distribution]]\nname = \"fedora\"\nversions = \"rpm\"\n\
             [[distribution.source]]\nkind = \"bodhi\"\nurl = \"{}\"\nid_prefixes = [\"FEDORA\"]\nrequests_per_second = 1000\n\
             [[distribution.source]]\nkind = \"distgit\"\nurl = \"{}\"\nbranches = {{ rawhide = \"f39\", f38 = \"f38\" }}\n\
             requests_per_second = 1000\n",
            one.1.uri(),
            other.1.uri()
        );
        let fedora = Self {
            bodhi,
            distgit,
            place: Place::new().with("kinset.toml", config),
            _services: [one, other],
        };
        let told = fedora.place.run("pull");
        assert!(told.starts_with("exit 0\n"), "{told}");
        fedora
    }

    /// Pulls what has to trip a guard and change nothing, and tells why.
    fn refused(&self) -> String {
        let before = state(&self.place);
        let told = self.place.run("pull");
        assert!(told.starts_with("exit 1\n"), "{told}");
        assert_eq!(state(&self.place), before);
        let why = told.lines().find_map(|line| line.strip_prefix("error: "));
        why.unwrap_or_else(|| panic!("{told}")).to_owned()
    }

    fn retire(&self, branch: &str, count: usize) {
        let address = format!("/lookaside/retired_in_{branch}.json");
        self.distgit.put(&address, json!({ branch: names(count) }));
    }
}

#[test]
fn a_list_of_retired_packages_that_was_cut_short_brings_none_back() {
    let fedora = Fedora::pulled();
    fedora.retire("f38", 4);
    assert_snapshot!(fedora.refused(), @"source fedora/distgit at http://TRACKER/: 36 of 40 retired packages of f38 (90.0 %) are gone from the source since it was last read, at most 25.0 % may be");
    fedora.retire("f38", 35);
    let told = fedora.place.run("pull");
    assert!(told.contains("fedora: distgit: 5 changes taken in"), "{told}");
}

#[test]
fn a_tenth_of_yesterdays_releases_changes_nothing() {
    let fedora = Fedora::pulled();
    *fedora.bodhi.releases.lock().unwrap() = releases(2);
    assert_snapshot!(fedora.refused(), @"source fedora/bodhi at http://TRACKER/: 18 of 20 series (90.0 %) are gone from the source since it was last read, at most 25.0 % may be");
}

#[test]
fn packages_owners_and_watchers_that_are_gone_change_nothing() {
    let fedora = Fedora::pulled();
    let around = |rpms: Value| json!({ "rpms": rpms });
    fedora.distgit.put(OWNERS, around(packages(60, &["orphan"])));
    assert_snapshot!(fedora.refused(), @"source fedora/distgit at http://TRACKER/: 60 of 60 owners of packages (100.0 %) are gone from the source since it was last read, at most 25.0 % may be");
    fedora.distgit.put(OWNERS, around(packages(60, &["ann", "bob"])));
    fedora.distgit.put(WATCHERS, around(packages(6, &["cid"])));
    assert_snapshot!(fedora.refused(), @"source fedora/distgit at http://TRACKER/: 54 of 60 watchers of packages (90.0 %) are gone from the source since it was last read, at most 25.0 % may be");
    fedora.distgit.put(OWNERS, around(packages(6, &["ann", "bob"])));
    assert_snapshot!(fedora.refused(), @"source fedora/distgit at http://TRACKER/: 54 of 60 packages (90.0 %) are gone from the source since it was last read, at most 25.0 % may be");
}

#[test]
fn a_share_that_is_configured_is_let_pass() {
    let fedora = Fedora::pulled();
    fedora.retire("f38", 4);
    let config = fedora.place.read("kinset.toml");
    let lenient = "[[distribution.source]]\nkind = \"bodhi\"";
    let config = config.replacen(lenient, &format!("[distribution.guard]\nmax_removed_fraction = 0.95\n{lenient}"), 1);
    fedora.place.write("kinset.toml", config);
    let told = fedora.place.run("pull");
    assert!(told.contains("fedora: distgit: 36 changes taken in"), "{told}");
}

#[test]
fn permissions_that_launchpad_suddenly_does_not_list_are_told_with_source_and_address() {
    let ubuntu = Ubuntu::pulled();
    ubuntu.change(|world| world.permissions.clear());
    assert_snapshot!(ubuntu.run("pull"), @r"
    exit 1
    --- stderr
    distribution ubuntu:
    error: source ubuntu/launchpad at http://TRACKER/devel/: nothing is left of the 5 permissions that the source told of when it was last read
      help: nothing of it was taken in, and what was known of it before still holds; look at what it has now, and at `kinset plan ubuntu`; if this is meant, set `allow_empty` under [distribution.guard], or let it pass once with `kinset pull ubuntu --allow-empty`
    ubuntu: distro-info: nothing changed
    ubuntu: distro-info is not believed in 2 things that another source says otherwise; `kinset plan ubuntu` lists them
    ");
}

#[test]
fn what_a_first_answer_to_a_question_would_take_away_is_told_with_its_source() {
    let ubuntu = Ubuntu::new();
    ubuntu.change(|world| world.set("plucky", "core").sources.extend(names(40)));
    assert!(ubuntu.run("pull").starts_with("exit 0\n"));
    let before = ubuntu.state();
    let config = ubuntu.place.read("kinset.toml");
    let narrower = config.replacen("kind = \"launchpad\"\n", "kind = \"launchpad\"\nseries = [\"plucky\"]\n", 1);
    ubuntu.place.write("kinset.toml", narrower);
    ubuntu.change(|world| world.set("plucky", "core").sources.truncate(2));
    assert_snapshot!(ubuntu.run("pull"), @r"
    exit 1
    --- stderr
    distribution ubuntu:
    error: source ubuntu/launchpad at http://TRACKER/devel/: 40 of 58 memberships and permissions (69.0 %) would be taken away, at most 25.0 % may be
      help: nothing of it was taken in, and what was known of it before still holds; look at what it has now, and at `kinset plan ubuntu`; if this is meant, set `max_removed_fraction` under [distribution.guard], or let it pass once with `kinset pull ubuntu --max-removed-fraction 1`
    ubuntu: distro-info: nothing changed
    ubuntu: distro-info is not believed in 2 things that another source says otherwise; `kinset plan ubuntu` lists them
    ");
    assert_eq!(ubuntu.state(), before);
    assert!(ubuntu.run("pull ubuntu --max-removed-fraction 1").starts_with("exit 0\n"));
    assert!(!ubuntu.place.data("packageset show core --series plucky").contains("package-1"));
}

#[test]
fn what_is_cut_off_and_does_not_even_go_together_is_told_as_cut_off() {
    let ubuntu = Ubuntu::pulled();
    let before = ubuntu.state();
    // A set in itself, and no permission.
    ubuntu.change(|world| {
        world.permissions.clear();
        world.set("plucky", "core").subsets = vec!["core".to_owned()];
    });
    let told = ubuntu.run("pull");
    assert!(
        told.starts_with("exit 1\n") && told.contains("permissions that the source told of"),
        "{told}"
    );
    let planned = ubuntu.run("plan ubuntu");
    assert!(planned.contains("GUARD: source ubuntu/launchpad at"), "{planned}");
    assert_eq!(ubuntu.state(), before);
}
