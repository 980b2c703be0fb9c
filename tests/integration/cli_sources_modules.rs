//! Modules of repositories on the command line: plan and pull, what is gone, guards, and what was read for another question.

use std::sync::Arc;

use insta::assert_snapshot;
use serde_json::Value;
use tokio::runtime::Runtime;
use wiremock::MockServer;

use crate::cli_support::Place;
use crate::support::fedora::{Bodhi, release};
use crate::support::repository::{Repository, default, stream};
use crate::support::service::{Service, asked, serve};

/// A distribution that follows Bodhi and one or two repositories, which run as long as this.
struct Fedora {
    runtime: Runtime,
    server: MockServer,
    repository: Arc<Repository>,
    other: Arc<Repository>,
    place: Place,
    _servers: [MockServer; 2],
}

fn modules() -> String {
    [
        stream("nodejs:8", 1, &["nodejs", "npm"]),
        stream("nodejs:10", 1, &["nodejs", "npm"]),
        stream("perl:5.30", 1, &["perl"]),
        default("nodejs:10"),
        default("perl:5.30"),
    ]
    .concat()
}

impl Fedora {
    /// `more` is added to the table of the source; `OTHER` in it stands for the address of the other repository.
    fn with(more: &str) -> Self {
        let runtime = Runtime::new().unwrap();
        fn start<S: Service>(runtime: &Runtime, service: &Arc<S>) -> MockServer {
            runtime.block_on(serve(service))
        }
        let bodhi = Arc::new(Bodhi::new(vec![release("F29", "Fedora 29", "29", "FEDORA", "f29", "current")]));
        let (repository, other) = (
            Arc::new(Repository::with(&modules())),
            Arc::new(Repository::with(&stream("perl:5.30", 1, &["perl"]))),
        );
        let releases = start(&runtime, &bodhi);
        let server = start(&runtime, &repository);
        let second = start(&runtime, &other);
        let config = format!(
            "state_dir = \"state\"\n[[distribution]]\nname = \"fedora\"\nversions = \"rpm\"\n\
             [[distribution.source]]\nkind = \"bodhi\"\nurl = \"{}\"\nid_prefixes = [\"FEDORA\"]\nrequests_per_second = 1000\n\
             [[distribution.source]]\nkind = \"modulemd\"\nrepository = \"{}/os\"\nrequests_per_second = 1000\n{}",
            releases.uri(),
            server.uri(),
            more.replace("OTHER", &second.uri())
        );
        Self {
            runtime,
            server,
            repository,
            other,
            place: Place::new().with("kinset.toml", config),
            _servers: [releases, second],
        }
    }

    /// Where all was taken in once.
    fn pulled(more: &str) -> Self {
        let fedora = Self::with(more);
        fedora.pull();
        fedora
    }

    /// Runs the program, and leaves out how many bytes it read.
    fn run(&self, arguments: &str) -> String {
        let told = self.place.run(arguments);
        let bytes = regex::Regex::new(", [0-9]+ bytes").unwrap();
        bytes.replace_all(&told, "").into_owned()
    }

    /// Pulls, and tells what it said.
    fn pull(&self) -> String {
        let told = self.run("pull");
        told.strip_prefix("exit 0\n").unwrap_or_else(|| panic!("{told}")).to_owned()
    }

    fn requests(&self) -> usize {
        self.runtime.block_on(asked(&self.server)).len()
    }

    fn streams(&self) -> String {
        self.place.data("module list --quiet")
    }
}

const OTHER: &str = "[[distribution.source]]\nkind = \"modulemd\"\nname = \"other\"\nrepository = \"OTHER/os/\"\n";

#[test]
fn modules_are_shown_before_they_are_taken_in_and_then_there_is_nothing_left_to_do() {
    let fedora = Fedora::with("release = \"f29\"\n");
    assert_snapshot!(fedora.run("plan --detailed-exitcode"), @r"
    exit 2
    --- stdout
    distribution fedora as bodhi has it
      fedora distribution fedora: + sharing copy-on-write, versions rpm
      fedora/f29 series f29: + branch dist_tag f29, name f29, owner orphan, status active, title Fedora 29, version 29
    2 changes

    distribution fedora as modulemd has it
      fedora stream nodejs:10: + contexts c0ffee platforms all, version 1
      fedora stream-packages nodejs:10: + nodejs npm
      fedora stream nodejs:8: + contexts c0ffee platforms all, version 1
      fedora stream-packages nodejs:8: + nodejs npm
      fedora stream perl:5.30: + contexts c0ffee platforms all, version 1
      fedora stream-packages perl:5.30: + perl
      fedora/f29 module-default nodejs: + 10
      fedora/f29 module-default perl: + 5.30
    5 changes
    ");
    assert_eq!(fedora.place.data("distribution list"), "", "a plan changes nothing");
    assert_snapshot!(fedora.pull(), @r"
    --- stderr
    fedora: bodhi: 2 changes taken in (1 answer)
    fedora: modulemd: 5 changes taken in (2 answers)
    ");
    assert_snapshot!(fedora.run("module matrix"), @r"
    exit 0
    --- stdout
    STREAM	f29
    nodejs:10	default
    nodejs:8	available
    perl:5.30	default
    ");
    let before = fedora.requests();
    assert_snapshot!(fedora.pull(), @r"
    --- stderr
    fedora: bodhi: nothing changed (1 answer)
    fedora: modulemd: nothing changed (1 answer, 1 of them that nothing had changed)
    ");
    assert_eq!(fedora.requests() - before, 1, "the index says that nothing else needs to be read");
    let left = fedora.place.data("plan --detailed-exitcode --format json");
    assert_eq!(serde_json::from_str::<Value>(&left).unwrap()["writes"], 0);
    let log: Value = serde_json::from_str(&fedora.place.data("log nodejs:10 --format json")).unwrap();
    let entries = log.as_array().or_else(|| log["entries"].as_array()).unwrap();
    let actors: Vec<&Value> = entries.iter().map(|entry| &entry["actor"]).collect();
    assert_eq!(actors, ["modulemd"]);
}

#[test]
fn a_newer_build_is_taken_in_and_an_older_one_is_not() {
    let fedora = Fedora::pulled("");
    fedora.repository.publish(
        &modules()
            .replace("version: 1\n  context", "version: 7\n  context")
            .replace("perl: {}", "perl-new: {}"),
    );
    assert_snapshot!(fedora.run("plan"), @r"
    exit 0
    --- stdout
    distribution fedora as bodhi has it
    nothing to do: all is as bodhi says

    distribution fedora as modulemd has it
      fedora stream nodejs:10: contexts c0ffee platforms all, version 1 > c0ffee platforms all, version 7
      fedora stream nodejs:8: contexts c0ffee platforms all, version 1 > c0ffee platforms all, version 7
      fedora stream perl:5.30: contexts c0ffee platforms all, version 1 > c0ffee platforms all, version 7
      fedora stream-packages perl:5.30: perl > perl-new
    3 changes
    ");
    fedora.pull();
    fedora.repository.publish(&modules());
    assert_snapshot!(fedora.pull(), @r"
    --- stderr
    fedora: bodhi: nothing changed (1 answer)
    fedora: modulemd: nothing changed (2 answers)
    fedora: modulemd: 3 things could not be taken; `kinset plan fedora` lists them
    ");
    let lives = fedora.place.data("module packages perl-new");
    assert!(lives.contains("perl:5.30"), "{lives}");
}

#[test]
fn a_stream_that_its_repository_had_and_has_no_longer_is_taken_away() {
    let fedora = Fedora::pulled("");
    let said = fedora.run("module set ruby:3 --package ruby --actor ann");
    assert!(said.starts_with("exit 0\n"), "{said}");
    fedora
        .repository
        .publish(&[stream("nodejs:8", 1, &["nodejs", "npm"]), default("nodejs:10")].concat());
    assert_snapshot!(fedora.run("plan"), @r"
    exit 0
    --- stdout
    distribution fedora as bodhi has it
    nothing to do: all is as bodhi says

    distribution fedora as modulemd has it
      fedora stream nodejs:10: - contexts c0ffee platforms all, version 1
      fedora stream-packages nodejs:10: - nodejs npm
      fedora stream perl:5.30: - contexts c0ffee platforms all, version 1
      fedora stream-packages perl:5.30: - perl
      fedora module-default perl: - 5.30
    3 changes
    ");
    assert_eq!(fedora.streams(), "nodejs:10\nnodejs:8\nperl:5.30\nruby:3\n");
    assert_snapshot!(fedora.pull(), @r"
    --- stderr
    fedora: bodhi: nothing changed (1 answer)
    fedora: modulemd: 3 changes taken in (2 answers)
    ");
    assert_eq!(fedora.streams(), "nodejs:8\nruby:3\n", "what somebody else said stays");
    assert!(fedora.pull().contains("modulemd: nothing changed"));
}

#[test]
fn a_stream_that_another_repository_has_stays_until_that_has_it_no_longer() {
    let fedora = Fedora::pulled(OTHER);
    assert_snapshot!(fedora.pull(), @r"
    --- stderr
    fedora: bodhi: nothing changed (1 answer)
    fedora: modulemd: nothing changed (1 answer, 1 of them that nothing had changed)
    fedora: other: nothing changed (1 answer, 1 of them that nothing had changed)
    ");
    fedora.repository.publish(
        &modules()
            .replace("name: perl\n", "name: ruby\n")
            .replace("stream: 5.30\n", "stream: 3\n"),
    );
    assert_snapshot!(fedora.pull(), @r"
    --- stderr
    fedora: bodhi: nothing changed (1 answer)
    fedora: modulemd: 1 change taken in (2 answers)
    fedora: other: nothing changed (1 answer, 1 of them that nothing had changed)
    ");
    assert_eq!(fedora.streams(), "nodejs:10\nnodejs:8\nperl:5.30\nruby:3\n");
    fedora.other.publish(&stream("python:3.8", 1, &["python"]));
    assert_snapshot!(fedora.pull(), @r"
    --- stderr
    fedora: bodhi: nothing changed (1 answer)
    fedora: modulemd: nothing changed (1 answer, 1 of them that nothing had changed)
    fedora: other: 2 changes taken in (2 answers)
    ");
    assert_eq!(fedora.streams(), "nodejs:10\nnodejs:8\npython:3.8\nruby:3\n");
}

#[test]
fn of_repositories_that_say_otherwise_the_first_is_believed_and_the_newest_build_counts_whoever_has_it() {
    let fedora = Fedora::pulled(OTHER);
    fedora
        .other
        .publish(&[stream("perl:5.30", 1, &["perl", "perl-libs"]), default("perl:5.24")].concat());
    assert_snapshot!(fedora.run("plan"), @r"
    exit 0
    --- stdout
    distribution fedora as bodhi has it
    nothing to do: all is as bodhi says

    distribution fedora as modulemd has it
    nothing to do: all is as modulemd says

    distribution fedora as other has it
    nothing to do: all is as other says
    not believed: the context c0ffee of the stream perl:5.30: modulemd says version 1 for all with 1 package, other says version 1 for all with 2 packages
    not believed: the default stream of perl: modulemd says 5.30, other says 5.24
    ");
    fedora.pull();
    fedora.other.publish(&stream("perl:5.30", 2, &["perl", "perl-libs"]));
    assert!(fedora.pull().contains("other: 1 change taken in"));
    assert_snapshot!(fedora.pull(), @r"
    --- stderr
    fedora: bodhi: nothing changed (1 answer)
    fedora: modulemd: nothing changed (1 answer, 1 of them that nothing had changed)
    fedora: other: nothing changed (1 answer, 1 of them that nothing had changed)
    ");
}

#[test]
fn a_repository_that_suddenly_has_a_tenth_of_its_streams_changes_nothing() {
    let many = |count: usize| -> String {
        let one = |number| stream(&format!("module-{number}:1"), 1, &["one", "two"]);
        (0..count).map(one).collect()
    };
    let fedora = Fedora::with("");
    fedora.repository.publish(&many(20));
    fedora.pull();
    let before = fedora.streams() + &fedora.place.data("log --quiet");
    for left in [many(2), default("module-1:1")] {
        fedora.repository.publish(&left);
        let planned = fedora.run("plan");
        assert!(
            planned.contains("since it was last read") || planned.contains("when it was last read"),
            "{planned}"
        );
        let pulled = fedora.run("pull");
        assert!(pulled.starts_with("exit 1\n"), "{pulled}");
        assert_eq!(fedora.streams() + &fedora.place.data("log --quiet"), before);
    }
    fedora.repository.publish(&many(2));
    assert_snapshot!(fedora.run("pull"), @r"
    exit 1
    --- stderr
    fedora: bodhi: nothing changed (1 answer)
    distribution fedora:
    error: source fedora/modulemd at http://TRACKER/os/: 54 of 60 streams and packages in them (90.0 %) are gone from the source since it was last read, at most 25.0 % may be
      help: nothing of it was taken in, and what was known of it before still holds; look at what it has now, and at `kinset plan fedora`; if this is meant, set `max_removed_fraction` under [distribution.guard], or let it pass once with `kinset pull fedora --max-removed-fraction 1`
    ");
    fedora.repository.publish(&many(18));
    assert!(fedora.pull().contains("modulemd: 2 changes taken in"));
}

#[test]
fn a_repository_that_cannot_be_read_changes_nothing_and_the_next_pull_mends_it() {
    let fedora = Fedora::pulled("");
    let before = fedora.streams();
    let files = std::mem::take(&mut *fedora.repository.files.lock().unwrap());
    assert_snapshot!(fedora.run("pull"), @r"
    exit 1
    --- stderr
    fedora: bodhi: nothing changed (1 answer)
    distribution fedora:
    error: cannot read source modulemd
      because: expected the index of a repository, but http://TRACKER/os/repodata/repomd.xml answered 404 Not Found (text/plain): no such file
      help: check the address of the source in the configuration; what was known of the source before still holds
    ");
    assert_eq!(fedora.streams(), before);
    *fedora.repository.files.lock().unwrap() = files;
    assert!(fedora.pull().contains("modulemd: nothing changed"));
}

#[test]
fn a_release_that_is_not_there_is_told_and_nothing_is_taken_in() {
    let fedora = Fedora::with("release = \"f30\"\n");
    assert_snapshot!(fedora.run("pull"), @r"
    exit 1
    --- stderr
    fedora: bodhi: 2 changes taken in (1 answer)
    distribution fedora:
    error: distribution fedora has no series f30, of which the defaults of source modulemd are to be
      help: check `release` of the source in the configuration: no source tells what that series is; or create it with `kinset series create`
    ");
    assert_eq!(fedora.streams(), "");
}

#[test]
fn what_was_read_for_another_question_is_read_anew_and_takes_nothing_away() {
    let fedora = Fedora::pulled("");
    fedora.repository.publish(&stream("nodejs:8", 1, &["nodejs", "npm"]));
    let config = std::fs::read_to_string(fedora.place.path("kinset.toml")).unwrap();
    fedora.place.write("kinset.toml", config + "release = \"f29\"\n");
    let before = fedora.requests();
    assert!(fedora.pull().contains("modulemd: nothing changed"));
    assert_eq!(fedora.requests() - before, 2);
    assert_eq!(fedora.streams(), "nodejs:10\nnodejs:8\nperl:5.30\n");
    let before = fedora.requests();
    fedora.pull();
    assert_eq!(fedora.requests() - before, 1, "the same question has an answer");
}
