//! Debian's and Ubuntu's dates: the files as they are installed and as they are published.

use std::fs;
use std::sync::{Arc, Mutex};

use kinset::remedy::Remedy as _;
use kinset::source::distro_info::{Settings, read};
use kinset::source::{FileAt, Previous, Reading};

use crate::support::data::{shared_path, shared_text};
use crate::support::fedora::{Table, dates_at};
use crate::support::service::{asked, base, http, said, serve};

const UBUNTU: &str = "\
version,codename,series,created,release,eol,eol-server,eol-esm,eol-legacy
4.10,Warty Warthog,warty,2004-03-05,2004-10-20,2006-04-30
24.04 LTS,Noble Numbat,noble,2023-10-12,2024-04-25,2029-05-31,2029-05-31,2034-04-25,2036-04-29
";

fn at_file(path: impl Into<std::path::PathBuf>) -> Settings {
    Settings {
        name: "dates".to_owned(),
        at: FileAt::Disk(path.into()),
    }
}

fn json(reading: &Reading) -> String {
    serde_json::to_string_pretty(&reading.snapshot).unwrap()
}

#[tokio::test]
async fn an_installed_file_is_read_by_its_header() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ubuntu.csv");
    fs::write(&file, UBUNTU).unwrap();
    let reading = read(&at_file(&file), &Previous::default()).await.unwrap();
    insta::assert_snapshot!(json(&reading), @r#"
    {
      "series": {
        "noble": {
          "version": "24.04",
          "codename": "Noble Numbat",
          "is_long_term": true,
          "dates": {
            "created": "2023-10-12",
            "eol": "2029-05-31",
            "eol-esm": "2034-04-25",
            "eol-legacy": "2036-04-29",
            "eol-server": "2029-05-31",
            "released": "2024-04-25"
          }
        },
        "warty": {
          "version": "4.10",
          "codename": "Warty Warthog",
          "dates": {
            "created": "2004-03-05",
            "eol": "2006-04-30",
            "released": "2004-10-20"
          }
        }
      }
    }
    "#);
    assert_eq!(read(&at_file(&file), &reading.clone().into_previous()).await.unwrap(), reading);
}

#[tokio::test]
async fn a_published_file_is_read_once_while_it_stays_as_it_is() {
    let service = Arc::new(Table(Mutex::new(UBUNTU.to_owned())));
    let server = serve(&service).await;
    let settings = dates_at(&base(&server), http());
    let first = read(&settings, &Previous::default()).await.unwrap();
    let previous = first.clone().into_previous();
    let second = read(&settings, &previous).await.unwrap();
    assert_eq!((&second.snapshot, &second.validators), (&first.snapshot, &first.validators));
    assert_eq!((second.traffic.unchanged, second.traffic.bytes), (1, 0));
    assert_eq!(asked(&server).await.len(), 2);

    service.0.lock().unwrap().push_str("26.10,Stonking Stingray,stonking,2026-04-24\n");
    let third = read(&settings, &previous).await.unwrap();
    assert_eq!(third.snapshot.series.len(), 3);
    assert_ne!(third.validators, first.validators);
}

#[tokio::test]
async fn a_file_that_is_not_there_or_no_table_is_told_with_its_path() {
    let missing = read(&at_file("/nowhere/ubuntu.csv"), &Previous::default()).await.unwrap_err();
    insta::assert_snapshot!(said(&missing, "no address"), @r"
    cannot read source dates
    there is no file /nowhere/ubuntu.csv
    ");
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("ubuntu.csv");
    fs::write(&file, "<html>moved</html>\n").unwrap();
    let error = read(&at_file(&file), &Previous::default()).await.unwrap_err();
    insta::assert_snapshot!(said(&error, folder.path().to_str().unwrap()), @r"
    cannot read source dates
    expected a table with a column series, but http://tracker/ubuntu.csv has none
    ");
}

#[tokio::test]
async fn what_is_no_file_or_has_no_end_is_refused_and_not_waited_for() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let made = std::process::Command::new("mkfifo").arg(path("pipe.csv")).status().unwrap();
    assert!(made.success());
    std::os::unix::fs::symlink("/dev/zero", path("zero.csv")).unwrap();
    fs::File::create(path("large.csv")).unwrap().set_len((16 << 20) + 1).unwrap();
    let mut texts = Vec::new();
    for name in ["pipe.csv", "zero.csv", "large.csv"] {
        let error = read(&at_file(path(name)), &Previous::default()).await.unwrap_err();
        texts.push(format!(
            "{}\n{}",
            said(&error, folder.path().to_str().unwrap()),
            error.remedy().unwrap()
        ));
    }
    insta::assert_snapshot!(texts.join("\n"), @r"
    cannot read source dates
    http://tracker/pipe.csv is no regular file
    name a file; what comes from elsewhere is to be kept in one first; what was known of the source before still holds
    cannot read source dates
    http://tracker/zero.csv is no regular file
    name a file; what comes from elsewhere is to be kept in one first; what was known of the source before still holds
    cannot read source dates
    http://tracker/large.csv has 16777217 bytes, and at most 16777216 are read
    nothing was changed; check that it is the file that is meant; what was known of the source before still holds
    ");
}

#[tokio::test]
async fn a_published_file_without_end_is_not_read_to_it_and_not_asked_for_again() {
    let server = serve(&Arc::new(Table(Mutex::new("#".repeat((64 << 20) + 1))))).await;
    let settings = dates_at(&base(&server), http());
    let error = read(&settings, &Previous::default()).await.unwrap_err();
    insta::assert_snapshot!(said(&error, &server.uri()), @r"
    cannot read source dates
    expected a table of series, but http://tracker/ubuntu.csv sent more than 67108864 bytes
    ");
    assert_eq!(asked(&server).await.len(), 1);
}

#[tokio::test]
async fn the_files_of_the_package_parse_without_loss() {
    for name in ["distro/samples/debian.csv", "distro/samples/ubuntu.csv"] {
        let (Some(path), Some(text)) = (shared_path(name), shared_text(name)) else {
            continue;
        };
        let reading = read(&at_file(path), &Previous::default()).await.unwrap();
        let series = &reading.snapshot.series;
        assert_eq!(reading.snapshot.all_remarks().len(), 0);
        let lines = text.lines().skip(1).filter(|line| !line.is_empty());
        let mut rows = 0;
        for line in lines {
            let fields: Vec<&str> = line.split(',').collect();
            let facts = &series[&fields[2].parse().unwrap()];
            let version = facts.version.as_ref().map_or("", |version| version.as_str());
            let long_term = if facts.is_long_term == Some(true) { " LTS" } else { "" };
            assert_eq!(format!("{version}{long_term}"), fields[0]);
            assert_eq!(facts.codename.as_deref(), Some(fields[1]));
            let dates: Vec<String> = facts.dates.values().map(ToString::to_string).collect();
            let mut expected: Vec<&str> = fields[3..].to_vec();
            let mut found: Vec<&str> = dates.iter().map(String::as_str).collect();
            expected.sort_unstable();
            found.sort_unstable();
            assert_eq!(found, expected, "{line}");
            rows += 1;
        }
        assert_eq!(series.len(), rows);
    }
}
