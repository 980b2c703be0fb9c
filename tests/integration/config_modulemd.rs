//! Modules as a source, in the configuration.

use kinset::config::{FileOrUrl, Follows, ModulesAt, SourceKind};

use crate::config::{parse, problems};

fn source(keys: &str) -> String {
    format!("[[distribution]]\nname = \"fedora\"\n[[distribution.source]]\nkind = \"modulemd\"\n{keys}\n")
}

/// Where modules are by these keys, and the series that their defaults are of.
fn modules(keys: &str) -> (ModulesAt, Option<String>) {
    let config = parse(&source(keys));
    let Follows::Services(services) = &config.distributions[0].follows else {
        panic!("{config:?}")
    };
    let SourceKind::Modulemd { at, release } = &services.sources[0].kind else {
        panic!("{config:?}")
    };
    (at.clone(), release.as_ref().map(ToString::to_string))
}

#[test]
fn modules_are_in_a_repository_or_in_a_file_wherever_that_is() {
    let url = |text: &str| text.parse().unwrap();
    assert_eq!(
        modules("repository = \"https://example.org/os\"\nrelease = \"c9s\""),
        (ModulesAt::Repository(url("https://example.org/os/")), Some("c9s".to_owned()))
    );
    assert_eq!(
        modules("url = \"https://example.org/modules.yaml\""),
        (ModulesAt::File(FileOrUrl::Url(url("https://example.org/modules.yaml"))), None)
    );
    assert_eq!(
        modules("file = \"modules.yaml\""),
        (ModulesAt::File(FileOrUrl::File("/etc/kinset/modules.yaml".into())), None)
    );
}

#[test]
fn modules_are_in_one_place_only_and_have_no_keys_of_other_sources() {
    let told = [
        "",
        "repository = \"https://example.org/\"\nfile = \"modules.yaml\"",
        "url = \"https://example.org/modules.yaml\"\nfile = \"modules.yaml\"",
        "repository = \"ftp://example.org/\"",
        "repository = \"https://ann:secret@example.org/\"",
        "repository = \"https://example.org/\"\nrelease = \"no such name\"",
        "repository = \"https://example.org/\"\nnamespace = \"rpms\"",
    ];
    let told = told.map(|keys| problems(&source(keys)).join("\n"));
    insta::assert_snapshot!(told.join("\n"), @r#"
    3:1: `distribution.source.repository`: missing; add it under [[distribution.source]]: the http:// or https:// address of a repository of packages, such as "https://mirror.stream.centos.org/9-stream/AppStream/x86_64/os/"; or else `url` or `file`
    6:8: `distribution.source.file`: `repository` says already where it is: remove one of them
    6:8: `distribution.source.file`: `url` says already where it is: remove one of them
    5:14: `distribution.source.repository`: expected the http:// or https:// address of a repository of packages, such as "https://mirror.stream.centos.org/9-stream/AppStream/x86_64/os/"; or else `url` or `file`, found an address that starts with `ftp:`
    5:14: `distribution.source.repository`: expected an address without a user name or password: put the API token into a file, and name that with `token_file`
    6:11: `distribution.source.release`: expected the name of a series, such as "c9s", found "no such name"
    6:13: `distribution.source.namespace`: a source of the kind `modulemd` has no such key: remove it; its keys are kind, name, contact, requests_per_second, repository, url, file, release
    "#);
}
