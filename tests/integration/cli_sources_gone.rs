//! What a source said and says no longer on the command line: it goes, as the plan shows, unless another source or a person says it.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::json;

use crate::support::fedora::{Bodhi, changed, release};
use crate::support::following::Following;
use crate::support::repository::{Repository, default, stream};

const BODHI: &str = "kind = \"bodhi\"\nurl = \"URL\"\nid_prefixes = [\"FEDORA\"]";
const MODULES: &str = "kind = \"modulemd\"\nname = \"modules\"\nrepository = \"URL/os/\"";
const MORE: &str = "kind = \"modulemd\"\nname = \"more\"\nrepository = \"URL/os/\"";

/// Fedora 29 until the end of 2019, or without an end.
fn f29(eol: Option<&str>) -> serde_json::Value {
    let release = release("F29", "Fedora 29", "29", "FEDORA", "f29", "current");
    changed(release, &json!({ "released_on": "2018-10-30", "eol": eol }))
}

/// Fedora with the modules of repositories, the first of which is believed before the second.
fn fedora(repositories: [&Arc<Repository>; 2]) -> Following {
    let bodhi = Arc::new(Bodhi::new(vec![f29(Some("2019-11-26"))]));
    let [modules, more] = repositories;
    Following::new(
        "fedora",
        "versions = \"rpm\"\n[distribution.guard]\nmax_removed_fraction = 1.0\nallow_empty = true\n",
    )
    .with(&bodhi, BODHI)
    .with(modules, MODULES)
    .with(more, MORE)
    .started()
}

fn repository(modules: &[String]) -> Arc<Repository> {
    Arc::new(Repository::with(&modules.concat()))
}

fn publish(repository: &Arc<Repository>, modules: &[String]) {
    repository.publish(&modules.concat());
}

/// That a stream, such as `nodejs:8`, ends on a day, as it was said on another.
fn obsoletes(path: &str, modified: &str, eol: &str) -> String {
    let (module, stream) = path.split_once(':').unwrap();
    format!(
        "---\ndocument: modulemd-obsoletes\nversion: 1\ndata: {{module: {module}, stream: \"{stream}\", modified: {modified}T00:00Z, \
         eol_date: {eol}T00:00Z, message: old}}\n"
    )
}

fn nodejs(version: u64) -> String {
    stream("nodejs:8", version, &["nodejs"])
}

/// Something that a repository has besides, so that it is not empty.
fn perl() -> String {
    stream("perl:5.30", 1, &["perl"])
}

#[test]
fn what_a_person_said_of_a_stream_stays_when_its_repository_has_it_no_longer() {
    let (modules, more) = (repository(&[nodejs(1), perl(), default("nodejs:8")]), repository(&[perl()]));
    let fedora = fedora([&modules, &more]);
    fedora.pull();
    fedora.by_hand("module set nodejs:8 --eol 2019-12-31");
    assert!(fedora.is_at_rest());
    publish(&modules, &[perl()]);
    assert_snapshot!(fedora.planned().join("\n"), @r"
    fedora module-default nodejs: - 8
    fedora stream nodejs:8: contexts c0ffee platforms all, version 1 > nothing
    fedora stream-packages nodejs:8: - nodejs
    ");
    fedora.pull();
    assert!(fedora.is_at_rest());
    assert_snapshot!(fedora.place.run("module eol nodejs:8"), @r"
    exit 0
    --- stdout
    stream       nodejs:8
    ends         2019-12-31: said for the stream
    ");
    assert_snapshot!(fedora.place.run("module why nodejs:8 f29"), @r"
    exit 0
    --- stdout
    nodejs:8 in f29: not built
      no document describes it
    ");
    let log: serde_json::Value = serde_json::from_str(&fedora.place.data("log nodejs:8 --format json")).unwrap();
    let entries = log.as_array().or_else(|| log["entries"].as_array()).unwrap();
    let actors: Vec<&serde_json::Value> = entries.iter().map(|entry| &entry["actor"]).collect();
    assert_eq!(actors, ["modules", "ann", "modules"]);
    // It is what the person says of it once the repository has it again, and that can be changed meanwhile.
    fedora.by_hand("module set nodejs:8 --eol 2020-01-31");
    assert!(fedora.is_at_rest());
    publish(&modules, &[perl(), nodejs(2)]);
    fedora.pull();
    assert_snapshot!(fedora.place.run("module eol nodejs:8"), @r"
    exit 0
    --- stdout
    stream       nodejs:8
    ends         2020-01-31: said for the stream
    in           f29: available until 2019-11-26
    packages     nodejs
    ");
    // What nobody says anything of is no more.
    fedora.by_hand("module set nodejs:8 --eol=");
    publish(&modules, &[perl()]);
    fedora.pull();
    assert_eq!(fedora.place.data("module list --quiet"), "perl:5.30\n");
    assert!(fedora.is_at_rest());
}

#[test]
fn a_context_and_an_end_go_when_their_repository_has_them_no_longer() {
    let other_context = nodejs(1).replace("c0ffee", "decaf").replace("nodejs: {}", "npm: {}");
    let ended = obsoletes("nodejs:8", "2019-01-01", "2019-06-30");
    let modules = repository(&[nodejs(1), other_context, ended]);
    let fedora = fedora([&modules, &repository(&[perl()])]);
    fedora.pull();
    assert!(fedora.is_at_rest());
    publish(&modules, &[nodejs(1)]);
    assert_snapshot!(fedora.planned().join("\n"), @r"
    fedora stream nodejs:8: contexts c0ffee platforms all, version 1, decaf platforms all, version 1 > c0ffee platforms all, version 1, obsoletes eol 2019-06-30, message old, modified 2019-01-01T00:00:00Z > nothing
    fedora stream-packages nodejs:8: - npm
    ");
    fedora.pull();
    assert!(fedora.is_at_rest());
    assert_snapshot!(fedora.place.run("module eol nodejs:8"), @r"
    exit 0
    --- stdout
    stream       nodejs:8
    ends         never: it is built for each new release
    in           f29: available until 2019-11-26
    packages     nodejs
    ");
}

#[test]
fn the_order_of_sources_decides_when_a_stream_ends_and_what_the_other_says_takes_its_place() {
    let modules = repository(&[nodejs(1), obsoletes("nodejs:8", "2019-01-01", "2019-06-30")]);
    let more = repository(&[nodejs(1), obsoletes("nodejs:8", "2019-02-02", "2019-09-30")]);
    let fedora = fedora([&modules, &more]);
    fedora.pull();
    assert!(fedora.is_at_rest());
    let end = || fedora.place.data("module eol nodejs:8");
    assert!(end().contains("2019-06-30"), "{}", end());
    assert_snapshot!(fedora.place.data("plan").lines().last().unwrap(), @r#"not believed: the end of the stream nodejs:8: modules says on 2019-01-01T00:00:00Z 2019-06-30 ("old"), more says on 2019-02-02T00:00:00Z 2019-09-30 ("old")"#);
    publish(&modules, &[nodejs(1)]);
    fedora.pull();
    assert!(end().contains("2019-09-30"), "{}", end());
    assert!(fedora.is_at_rest());
    publish(&modules, &[nodejs(1), obsoletes("nodejs:8", "2018-01-01", "2019-03-31")]);
    fedora.pull();
    assert!(end().contains("2019-03-31"), "{}", end());
    assert!(fedora.is_at_rest());
}

#[test]
fn an_older_build_of_another_repository_takes_the_place_of_one_that_is_gone_in_one_pull_whoever_stands_first() {
    let older = || nodejs(1).replace("nodejs: {}", "npm: {}");
    for has_newer in [0, 1] {
        let repositories = [repository(&[older(), perl()]), repository(&[older(), perl()])];
        publish(&repositories[has_newer], &[nodejs(7), perl()]);
        let fedora = fedora([&repositories[0], &repositories[1]]);
        fedora.pull();
        let has = |package: &str| fedora.place.run(&format!("module packages {package}")).starts_with("exit 0\n");
        assert!(has("nodejs") && !has("npm"));
        assert!(fedora.is_at_rest());
        publish(&repositories[has_newer], &[perl()]);
        fedora.pull();
        assert!(has("npm") && !has("nodejs"));
        assert!(fedora.is_at_rest());
    }
}

#[test]
fn what_a_repository_has_no_longer_that_nobody_believes_stays_whoever_else_has_an_older_build() {
    let bodhi = Arc::new(Bodhi::new(vec![f29(None)]));
    let many: Vec<String> = (0..30)
        .map(|number| stream(&format!("module-{number}:1"), 1, &["one", "two"]))
        .collect();
    let (modules, more) = (repository(&[nodejs(1)]), repository(&[many.concat(), nodejs(7)]));
    let fedora = Following::new("fedora", "versions = \"rpm\"\n")
        .with(&bodhi, BODHI)
        .with(&modules, MODULES)
        .with(&more, MORE)
        .started();
    fedora.pull();
    let before = fedora.place.data("log --quiet");
    publish(&more, &[perl()]);
    let told = fedora.run("pull");
    assert!(told.starts_with("exit 1\n") && told.contains("max_removed_fraction"), "{told}");
    assert_eq!(fedora.place.data("log --quiet"), before);
}

#[test]
fn an_older_build_than_the_known_one_is_remarked_upon_as_long_as_nobody_has_the_newer_one() {
    let (modules, more) = (repository(&[nodejs(7)]), repository(&[perl()]));
    let fedora = fedora([&modules, &more]);
    fedora.pull();
    publish(&modules, &[nodejs(1)]);
    let remarks = || -> Vec<String> {
        let plan = fedora.place.data("plan");
        plan.lines().filter(|line| line.contains("older than")).map(str::to_owned).collect()
    };
    let remark = "not read: the context c0ffee of the stream nodejs:8 is there in version 1, older than version 7, which is known and stays; take the \
                  stream away to begin anew";
    assert_eq!(remarks(), [remark]);
    fedora.pull();
    assert_eq!(remarks(), [remark], "as long as it is so");
    assert!(fedora.is_at_rest());
    publish(&more, &[nodejs(7)]);
    assert_eq!(remarks(), [""; 0], "another repository has it");
}

const DATES: &str = "version,codename,series,created,release,eol\n\
    24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,2029-05-31\n\
    25.04,Plucky Puffin,plucky,2024-10-10,2025-04-17,2026-01-15\n";

/// Ubuntu's dates by two tables.
fn ubuntu(more: &str) -> Following {
    Following::new("ubuntu", "")
        .with_file("kind = \"distro-info\"\nname = \"dates\"", "dates.csv", DATES)
        .with_file("kind = \"distro-info\"\nname = \"more\"", "more.csv", more)
        .started()
}

#[test]
fn a_date_that_is_taken_out_of_a_table_goes_unless_another_source_or_a_person_says_it() {
    let ubuntu = ubuntu("series,eol,eol-lts\nplucky,2026-02-15,2027-01-15\n");
    ubuntu.pull();
    ubuntu.by_hand("series set --series noble --date released=2024-04-26");
    ubuntu
        .place
        .write("dates.csv", DATES.replace(",2024-04-25,2029-05-31", "").replace(",2026-01-15", ""));
    assert_snapshot!(ubuntu.planned().join("\n"), @r"
    ubuntu/noble series noble: dates created 2023-10-12, eol 2029-05-31, released 2024-04-26 > created 2023-10-12, released 2024-04-26
    ubuntu/plucky series plucky: dates created 2024-10-10, eol 2026-01-15, eol-lts 2027-01-15, released 2025-04-17 > created 2024-10-10, eol 2026-02-15, eol-lts 2027-01-15, released 2025-04-17
    ");
    ubuntu.pull();
    assert_eq!(
        ubuntu.series("noble")["dates"],
        json!({ "created": "2023-10-12", "released": "2024-04-26" }),
        "a person said when it was released"
    );
    assert_eq!(ubuntu.series("plucky")["dates"]["eol"], "2026-02-15", "the other table says so");
    assert!(ubuntu.is_at_rest());
    // Of a row that is gone everything stays.
    ubuntu.place.write("more.csv", "series,eol\nnoble,2030-01-01\n");
    ubuntu.pull();
    assert_eq!(ubuntu.series("plucky")["dates"]["eol-lts"], "2027-01-15");
    assert_eq!(ubuntu.series("noble")["dates"]["eol"], "2030-01-01");
    assert!(ubuntu.is_at_rest());
}

#[test]
fn a_date_that_a_person_said_first_stays_though_a_source_said_it_too() {
    let ubuntu = ubuntu("series,eol\nnoble,2029-05-31\n");
    ubuntu.pull();
    ubuntu.by_hand("series set --series noble --date eol-legacy=2036-04-29");
    ubuntu.place.write("more.csv", "series,eol-legacy\nnoble,2036-04-29\n");
    assert!(ubuntu.is_at_rest());
    ubuntu.place.write("more.csv", "series,eol\nnoble,2029-05-31\n");
    assert!(ubuntu.is_at_rest());
    assert_eq!(ubuntu.series("noble")["dates"]["eol-legacy"], "2036-04-29");
}

#[test]
fn an_end_that_bodhi_has_no_longer_goes() {
    let bodhi = Arc::new(Bodhi::new(vec![f29(Some("2019-11-26"))]));
    let fedora = Following::new("fedora", "versions = \"rpm\"\n").with(&bodhi, BODHI).started();
    fedora.pull();
    *bodhi.releases.lock().unwrap() = vec![f29(None)];
    assert_snapshot!(fedora.planned().join("\n"), @"fedora/f29 series f29: dates eol 2019-11-26, released 2018-10-30 > released 2018-10-30");
    fedora.pull();
    assert_eq!(fedora.series("f29")["dates"], json!({ "released": "2018-10-30" }));
    assert!(fedora.is_at_rest());
}
